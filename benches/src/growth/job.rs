//! One graph from its first node to its end, phase by phase. Does not depend on what is
//! measured.

use std::hint::black_box;
use std::sync::Arc;

use tamis::graph::Node;
use tamis::prelude::*;
use tamis::{DType, Dim, Error, Outputs};

use crate::shape::{GraphShape, Task};

pub(crate) const PHASES: [&str; 6] = ["build", "grad", "plan", "explain", "run", "drop"];

/// What a graph took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Job {
    /// Before it is planned.
    pub(crate) nodes: usize,
    /// What a meter has moved on in each phase.
    pub(crate) costs: [f64; 6],
}

impl Job {
    /// Carries out `shape` with about `nodes` nodes, and reads `meter` between the phases.
    pub(crate) fn measure(shape: &GraphShape, nodes: usize, meter: impl Fn() -> f64) -> Job {
        let mut marks = Vec::with_capacity(7);
        marks.push(meter());
        let graph = Graph::new();
        let outputs = (shape.build)(&graph, share(shape.task, nodes));
        marks.push(meter());
        let outputs = differentiated(shape.task, outputs);
        marks.push(meter());
        let count = graph.len();
        let plans: Vec<Plan> = outputs.into_iter().map(|outputs| plan(shape.name, outputs)).collect();
        marks.push(meter());
        black_box(plans.iter().map(|plan| plan.explain().len()).sum::<usize>());
        marks.push(meter());
        let inputs: Vec<Arc<Node>> = graph.inputs().into_values().map(|id| graph.node(id)).collect();
        let results: Result<Vec<Outputs>, Error> = plans.iter().map(|plan| run(plan, &inputs)).collect();
        let results = results.unwrap_or_else(|error| panic!("{}: {error}", shape.name));
        marks.push(meter());
        drop((results, plans, inputs, graph));
        marks.push(meter());
        let mut costs = [0.0; 6];
        costs.iter_mut().zip(marks.windows(2)).for_each(|(cost, pair)| *cost = pair[1] - pair[0]);
        Job { nodes: count, costs }
    }
}

/// How many nodes to build, so that with gradients there are about `nodes`.
fn share(task: Task, nodes: usize) -> usize {
    match task {
        Task::Values | Task::Plans => nodes,
        Task::Gradients => nodes / 3,
        Task::SecondGradients => nodes / 12,
    }
}

/// What each plan computes.
fn differentiated<'g>(task: Task, outputs: Vec<Expr<'g>>) -> Vec<Vec<Expr<'g>>> {
    let order = match task {
        Task::Values => return vec![outputs],
        Task::Plans => return outputs.into_iter().map(|output| vec![output]).collect(),
        Task::Gradients => 1,
        Task::SecondGradients => 2,
    };
    let graph = outputs[0].graph();
    let inputs = graph.inputs().into_values().map(|id| graph.expr(id));
    let inputs: Vec<Expr<'g>> = inputs.filter(|input| input.dtype().is_float()).collect();
    let mut found = vec![outputs[0]];
    for _ in 0..order {
        let loss = found.iter().map(|expr| expr.sum(..)).reduce(|a, b| a + b).unwrap_or(found[0]);
        found.extend(grad(loss, inputs.clone()));
    }
    vec![found]
}

fn plan(name: &str, outputs: Vec<Expr<'_>>) -> Plan {
    let outputs = outputs.into_iter().enumerate().map(|(number, output)| (format!("out{number}"), output));
    Plan::new(outputs).unwrap_or_else(|error| panic!("{name}: {error}")).threads(1)
}

/// Feeds every input with small numbers above 0; named lengths are 3.
fn run(plan: &Plan, inputs: &[Arc<Node>]) -> Result<Outputs, Error> {
    let mut run = plan.bind();
    for input in inputs {
        let shape: Vec<usize> = input.shape().iter().map(|dim| Dim::known(dim).unwrap_or(3)).collect();
        let tamis::graph::Op::Source(tamis::graph::Source::Input { name, .. }) = input.op() else { continue };
        let len: usize = shape.iter().product();
        run = match input.dtype() {
            DType::F64 => run.feed(&**name, array(&shape, (0..len).map(|i| 0.25 + i as f64 / 8.0))),
            DType::I64 => run.feed(&**name, array(&shape, (0..len).map(|i| i as i64 + 2))),
            dtype @ (DType::Bool | DType::U8 | DType::I32 | DType::F32) => panic!("no input is {dtype}"),
        };
    }
    run.run()
}

fn array<T>(shape: &[usize], elements: impl Iterator<Item = T>) -> ndarray::ArrayD<T> {
    ndarray::ArrayD::from_shape_vec(shape, elements.collect()).expect("as many elements as the shape has")
}
