//! Cases and other graphs, declared, fed and evaluated.

use std::collections::HashMap;

use tamis::graph::{NodeId, Symbol};
use tamis::prelude::*;
use tamis::{DType, Shape, Size, Value};

use crate::array::{count_true, with_array};
use crate::case::{Case, Lengths};

/// A case in a graph.
pub(crate) struct Instance<'g> {
    pub(crate) inputs: Vec<Expr<'g>>,
    pub(crate) output: Expr<'g>,
}

impl<'g> Instance<'g> {
    pub(crate) fn new(case: &Case, graph: &'g Graph, lengths: Lengths) -> Instance<'g> {
        let inputs: Vec<Expr<'g>> =
            case.inputs.iter().enumerate().map(|(i, value)| declare(graph, i, value, lengths)).collect();
        Instance { output: (case.build)(graph, &inputs), inputs }
    }

    /// The inputs that gradients exist for.
    pub(crate) fn floats(&self) -> Vec<Expr<'g>> {
        self.inputs.iter().copied().filter(|input| input.dtype().is_float()).collect()
    }
}

/// The name of the input at `position`.
pub(crate) fn name(position: usize) -> String {
    format!("x{position}")
}

/// An input like `value`.
fn declare<'g>(graph: &'g Graph, position: usize, value: &Value, lengths: Lengths) -> Expr<'g> {
    let size = |(axis, n): (usize, &usize)| match lengths {
        Lengths::Known => Size::from(*n),
        Lengths::Named | Lengths::Separate if *n == 1 => Size::from(1),
        Lengths::Named => Size::from(format!("n{n}").as_str()),
        Lengths::Separate => Size::from(format!("n{position}_{axis}").as_str()),
    };
    let shape: Vec<Size> = value.shape().iter().enumerate().map(size).collect();
    graph.input_of(&name(position), value.dtype(), shape)
}

/// The values of `outputs`, with the inputs fed in their order.
pub(crate) fn values(outputs: &[Expr<'_>], feeds: &[Value]) -> Result<Vec<Value>, tamis::Error> {
    if outputs.is_empty() {
        return Ok(Vec::new());
    }
    let named = outputs.iter().enumerate().map(|(i, output)| (format!("output {i}"), *output));
    let plan = Plan::new(named)?;
    let mut run = plan.bind();
    for (i, value) in feeds.iter().enumerate() {
        run = with_array!(value, array => run.feed(name(i), array.view()));
    }
    let out = run.run()?;
    (0..outputs.len()).map(|i| out.value(format!("output {i}"))).collect()
}

/// Evaluates every node that `roots` need, and compares dtype and shape of
/// each with the inferred ones. Gives the values of the roots.
pub(crate) fn values_as_inferred(roots: &[Expr<'_>], feeds: &[Value]) -> Result<Vec<Value>, Failure> {
    let Some(graph) = roots.first().map(|root| root.graph()) else { return Ok(Vec::new()) };
    let ids = graph.ancestors(&roots.iter().map(|root| root.id()).collect::<Vec<_>>());
    let nodes: Vec<Expr<'_>> = ids.iter().map(|id| graph.expr(*id)).collect();
    let found: HashMap<NodeId, Value> =
        ids.iter().copied().zip(values(&nodes, feeds).map_err(Failure::Run)?).collect();
    let lengths = named_lengths(graph, feeds);
    for node in &nodes {
        let (value, shape) = (&found[&node.id()], evaluated(&node.shape(), &lengths, &found));
        if (node.dtype(), shape) != (value.dtype(), Ok(value.shape().to_vec())) {
            let text = graph.describe(node.id());
            return Err(Failure::Inference(format!("{text}: inferred {node}, found {value:?}")));
        }
    }
    Ok(roots.iter().map(|root| found[&root.id()].clone()).collect())
}

/// Why expressions could not be evaluated as inferred.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The plan or the run refused.
    Run(tamis::Error),
    /// A node came out otherwise than inferred.
    Inference(String),
}

impl From<Failure> for String {
    fn from(failure: Failure) -> String {
        match failure {
            Failure::Run(error) => error.to_string(),
            Failure::Inference(text) => text,
        }
    }
}

fn named_lengths(graph: &Graph, feeds: &[Value]) -> HashMap<String, usize> {
    let inputs = graph.inputs();
    let mut lengths = HashMap::new();
    for (i, value) in feeds.iter().enumerate() {
        let Some(input) = inputs.get(name(i).as_str()) else { continue };
        for (dim, n) in graph.node(*input).shape().iter().zip(value.shape()) {
            if let Some(Symbol::Named(name)) = dim.symbol() {
                lengths.insert(name.to_string(), *n);
            }
        }
    }
    lengths
}

/// The lengths that a shape has, given the named ones and the masks that are counted.
fn evaluated(
    shape: &Shape,
    lengths: &HashMap<String, usize>,
    masks: &HashMap<NodeId, Value>,
) -> Result<Vec<usize>, String> {
    let lookup = |symbol: &Symbol| match symbol {
        Symbol::Named(name) => lengths.get(&**name).map(|n| *n as i64),
        Symbol::Count(mask) => masks.get(mask).map(|mask| count_true(mask) as i64),
        Symbol::Opaque(_) => None,
    };
    let length = |n: i64| usize::try_from(n).map_err(|_| format!("a length of {n}"));
    shape.iter().map(|dim| dim.evaluate(&lookup).map_err(|e| e.to_string()).and_then(length)).collect()
}

/// Numbers without a pattern, of the shape and dtype of `like`: a cotangent, or
/// a direction to move in.
pub(crate) fn weights<'g>(like: Expr<'g>, phase: f64) -> Expr<'g> {
    let graph = like.graph();
    let shape = like.shape();
    let size = shape.size().expect("the shape is that of an expression");
    let indices = graph.iota(size).cast(DType::F64);
    ((indices * 1.7 + phase).sin() + 0.3).reshape(&shape).cast(like.dtype())
}

/// `⟨a, b⟩`.
pub(crate) fn dot<'g>(a: Expr<'g>, b: Expr<'g>) -> Expr<'g> {
    (a * b).sum(..)
}

/// The sum of `⟨aᵢ, bᵢ⟩`.
pub(crate) fn dots<'g>(pairs: impl IntoIterator<Item = (Expr<'g>, Expr<'g>)>) -> Option<Expr<'g>> {
    pairs.into_iter().map(|(a, b)| dot(a, b)).reduce(|a, b| a + b)
}
