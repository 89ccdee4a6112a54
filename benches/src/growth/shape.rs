//! Shapes of graph that grow to any number of nodes, and what is done with each.
//! Measured by time in this program, and by steps in `tests/growth.rs`.

use tamis::prelude::*;
use tamis::{DType, Slice, along, descending};

/// A family of graphs, one for each number of nodes.
pub(crate) struct GraphShape {
    pub(crate) name: &'static str,
    /// Builds at least so many nodes. Gives what is to be computed.
    pub(crate) build: for<'g> fn(&'g Graph, usize) -> Vec<Expr<'g>>,
    pub(crate) task: Task,
}

/// What is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// The outputs.
    Values,
    /// The first output, and the gradients of its sum by all float inputs.
    Gradients,
    /// The gradients of the sum of those as well.
    SecondGradients,
    /// Each output by a plan of its own.
    Plans,
}

const fn values(name: &'static str, build: for<'g> fn(&'g Graph, usize) -> Vec<Expr<'g>>) -> GraphShape {
    GraphShape { name, build, task: Task::Values }
}

const fn gradients(name: &'static str, build: for<'g> fn(&'g Graph, usize) -> Vec<Expr<'g>>) -> GraphShape {
    GraphShape { name, build, task: Task::Gradients }
}

/// All shapes.
pub(crate) const SHAPES: &[GraphShape] = &[
    gradients("chain of sums", |graph, nodes| grow(graph, nodes, x(graph), |y, _| y + x(graph))),
    values("chain of distinct literals", |graph, nodes| grow(graph, nodes, x(graph), |y, i| y + i)),
    gradients("chain of functions", |graph, nodes| grow(graph, nodes, x(graph), |y, _| y.sin().tanh())),
    GraphShape {
        name: "second gradient of a chain",
        build: |graph, nodes| grow(graph, nodes / 8, x(graph), |y, _| y.tanh() * x(graph)),
        task: Task::SecondGradients,
    },
    gradients("wide sum", |graph, nodes| {
        let terms = collect(graph, nodes, |i| (x(graph) + i).square());
        vec![terms.into_iter().reduce(|a, b| a + b).unwrap_or(x(graph))]
    }),
    gradients("tree", |graph, nodes| {
        let mut terms = collect(graph, nodes / 2, |i| (x(graph) * i).sin());
        while terms.len() > 1 {
            terms = terms
                .chunks(2)
                .map(|pair| pair.iter().copied().reduce(|a, b| a + b).unwrap_or(pair[0]))
                .collect();
        }
        terms
    }),
    gradients("diamonds", |graph, nodes| grow(graph, nodes, x(graph), |y, _| (y + 1.0) * (y - 1.0).tanh())),
    gradients("long skips", |graph, nodes| {
        let mut chain = vec![x(graph)];
        while graph.len() < nodes / 2 {
            chain.push(chain[chain.len() - 1].sin());
        }
        vec![chain.into_iter().rev().reduce(|a, b| a + b).unwrap_or(x(graph))]
    }),
    values("many outputs of a value", |graph, nodes| collect(graph, nodes, |i| x(graph) + i)),
    values("many outputs of a chain", |graph, nodes| {
        let mut y = x(graph);
        collect(graph, nodes, |_| {
            y += x(graph);
            y
        })
    }),
    gradients("many inputs", |graph, nodes| {
        let inputs = collect(graph, nodes / 2, |i| graph.input::<f64>(&format!("x{i}"), [4]));
        vec![inputs.into_iter().reduce(|a, b| a + b).unwrap_or(x(graph))]
    }),
    values("many named lengths", |graph, nodes| {
        let total = |i| graph.input::<f64>(&format!("x{i}"), dims![&*format!("n{i}")]).sum(..);
        vec![collect(graph, nodes, total).into_iter().reduce(|a, b| a + b).unwrap_or(x(graph))]
    }),
    values("lengths of inputs that are not read", |graph, nodes| {
        let ones = |i| {
            let name = format!("n{i}");
            let _ = graph.input::<f64>(&format!("x{i}"), dims![&*name]);
            graph.ones::<f64>(dims![&*name]).sum(..)
        };
        vec![collect(graph, nodes, ones).into_iter().reduce(|a, b| a + b).unwrap_or(x(graph))]
    }),
    values("many names", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, i| (y * 0.5 + x(graph)).named(&format!("y{i}")))
    }),
    gradients("where chain", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, i| where_(y.gt(i), y * 0.5, y + 1.0))
    }),
    values("mask algebra", |graph, nodes| {
        let seed = x(graph).gt(0.0);
        grow(graph, nodes, seed, |m, i| (m & x(graph).gt(i)) | (!m ^ x(graph).lt(-i)))
    }),
    gradients("masked sums", |graph, nodes| {
        grow(graph, nodes, x(graph).sum(..), |y, i| y + x(graph).masked(x(graph).gt(i - 1e7)).sum(..))
    }),
    gradients("masked means", |graph, nodes| {
        grow(graph, nodes, x(graph).sum(..), |y, i| y + x(graph).masked(x(graph).gt(-i)).mean(..))
    }),
    gradients("sums of selections", |graph, nodes| {
        grow(graph, nodes, x(graph).sum(..), |y, i| {
            y + (x(graph).boolean_mask(x(graph).gt(-i)) * 2.0).sum(..)
        })
    }),
    gradients("chain of selections", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, i| y.boolean_mask(y.gt(-i)).exp().tanh())
    }),
    values("partitions", |graph, nodes| {
        grow(graph, nodes, x(graph).sum(..), |y, i| {
            let (high, low) = x(graph).partition(x(graph).gt(-i));
            y + high.cumsum(0).sum(..) - low.cumsum(0).sum(..)
        })
    }),
    gradients("unmask", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, i| {
            let mask = x(graph).gt(-i);
            y.boolean_mask(mask).cumsum(0).unmask(mask, 0.0)
        })
    }),
    values("counts in sizes", |graph, nodes| {
        grow(graph, nodes, graph.scalar(0_i64), |y, i| {
            y + graph.iota(x(graph).boolean_mask(x(graph).gt(-i)).dim(0)).sum(..)
        })
    }),
    gradients("guards", |graph, nodes| {
        let first = x(graph).boolean_mask(x(graph).gt(-1.0));
        grow(graph, nodes, first, |y, i| y + x(graph).boolean_mask(x(graph).gt(-i)))
    }),
    gradients("asserts", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, i| (y + 1.0).assert_that(x(graph).lt(i + 1e6), "x is small"))
    }),
    values("integer divisions", |graph, nodes| {
        grow(graph, nodes, k(graph), |y, i| y + k(graph).floor_div(k(graph) + i as i64))
    }),
    values("chain of integer remainders", |graph, nodes| {
        grow(graph, nodes, k(graph), |y, i| (y + i as i64) % (k(graph) + 7))
    }),
    gradients("chain of maxima", |graph, nodes| grow(graph, nodes, x(graph), |y, _| y - y.max(..))),
    gradients("chain of softmax", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| y.softmax(0) + x(graph))
    }),
    gradients("chain of normalisations", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| (y - y.mean(..)) / (y.var(..) + 1.0).sqrt())
    }),
    gradients("rows and columns", |graph, nodes| {
        grow(graph, nodes, w(graph), |y, _| y - y.mean(keep(0)) - y.mean(keep(1)).tanh())
    }),
    values("many reductions of a value", |graph, nodes| {
        let y = x(graph).sin().cos();
        collect(graph, nodes, |i| (y + i).sum(..))
    }),
    values("many reductions of a chain", |graph, nodes| {
        let mut y = x(graph);
        collect(graph, nodes, |_| {
            y = y.sin();
            y.max(..)
        })
    }),
    gradients("products", |graph, nodes| {
        grow(graph, nodes / 8, x(graph), |y, i| y * (y * 0.1 + i).prod(..).tanh())
    }),
    gradients("chain of sorts", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, i| (y * i.sin()).sort(descending(0)))
    }),
    values("maxima and minima by index", |graph, nodes| {
        grow(graph, nodes, graph.scalar(0_i64), |y, i| y + (x(graph) * i).argmax(0))
    }),
    gradients("chain of products of matrices", |graph, nodes| {
        grow(graph, nodes, w(graph), |y, _| y.matmul(w(graph)).tanh())
    }),
    values("einsum", |graph, nodes| {
        grow(graph, nodes, w(graph), |y, _| graph.einsum("ij,kj->ik", [y, w(graph)]).sin())
    }),
    gradients("chain of cumulative sums", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| y.cumsum(0).tanh())
    }),
    gradients("chain of linear scans", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| (y * 0.5).linear_scan(x(graph), along(0).reverse()))
    }),
    gradients("chain of gathers", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| y.gather(graph.iota(x(graph).dim(0)), 0) + x(graph))
    }),
    gradients("chain of scatters", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| y.scatter_add(graph.iota(x(graph).dim(0)), y * 0.5, 0))
    }),
    values("one-hot rows", |graph, nodes| {
        grow(graph, nodes, w(graph), |y, i| {
            y + (graph.iota(3) + (i as i64 % 2)).one_hot(4, DType::F64).slice_axis(..3, 1)
        })
    }),
    values("segments", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| y.segment_sum(graph.iota(x(graph).dim(0)), x(graph).dim(0)).sin())
    }),
    gradients("one concat", |graph, nodes| vec![graph.concat(collect(graph, nodes, |i| x(graph) + i), 0)]),
    gradients("concat of selections", |graph, nodes| {
        let parts = collect(graph, nodes, |i| x(graph).boolean_mask(x(graph).gt(-i)));
        vec![graph.concat(parts, 0)]
    }),
    gradients("chain of concats", |graph, nodes| {
        grow(graph, nodes, w(graph), |y, _| {
            graph.concat([y.slice_axis(1.., 0), w(graph).slice_axis(..1, 0)], 0).tanh()
        })
    }),
    gradients("one stack", |graph, nodes| vec![graph.stack(collect(graph, nodes, |i| x(graph) * i), 0)]),
    gradients("slices", |graph, nodes| {
        let long = graph.input::<f64>("long", [64]);
        grow(graph, nodes, x(graph).sum(..), |y, i| {
            let start = i as i64 % 60;
            y + (long * i).slice_axis(start..start + 4, 0).sum(..)
        })
    }),
    gradients("pads", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| {
            y.pad([(1, 1)], 0.0).slice_axis(Slice::new(Some(1), Some(-1), 1), 0).tanh()
        })
    }),
    gradients("transposes", |graph, nodes| grow(graph, nodes, w(graph), |y, _| y.transpose().sin())),
    gradients("reshapes", |graph, nodes| {
        grow(graph, nodes, w(graph), |y, _| y.flatten().sin().reshape([3, 3]).tanh())
    }),
    gradients("broadcasts", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| (y.unsqueeze(0) * w(graph).sum(..).unsqueeze(0)).sum(0))
    }),
    values("casts", |graph, nodes| {
        grow(graph, nodes, x(graph), |y, _| (y.cast(DType::F32) * 0.5).cast(DType::F64) + x(graph))
    }),
    gradients("scalars", |graph, nodes| {
        grow(graph, nodes, x(graph).sum(..), |y, i| y.sin() * 0.5 + (x(graph) * i).sum(..))
    }),
    GraphShape {
        name: "many small plans",
        build: |graph, nodes| {
            let chain = |i: f64| (0..16).fold(x(graph) * i, |y, _| (y + x(graph)).sin()).sum(..);
            collect(graph, nodes, chain)
        },
        task: Task::Plans,
    },
];

/// Applies `step` again and again, to what it gave before and the number of the step.
fn grow<'g>(
    graph: &'g Graph,
    nodes: usize,
    seed: Expr<'g>,
    mut step: impl FnMut(Expr<'g>, f64) -> Expr<'g>,
) -> Vec<Expr<'g>> {
    let mut last = seed;
    collect(graph, nodes, |i| {
        last = step(last, i);
        last
    });
    vec![last]
}

/// What `step` gives for 1, 2, …
fn collect<'g>(graph: &'g Graph, nodes: usize, mut step: impl FnMut(f64) -> Expr<'g>) -> Vec<Expr<'g>> {
    let mut found = Vec::new();
    while graph.len() < nodes || found.is_empty() {
        found.push(step((found.len() + 1) as f64));
    }
    found
}

fn x(graph: &Graph) -> Expr<'_> {
    graph.input::<f64>("x", dims!["n"])
}

fn w(graph: &Graph) -> Expr<'_> {
    graph.input::<f64>("w", [3, 3])
}

/// Positive integers.
fn k(graph: &Graph) -> Expr<'_> {
    graph.input::<i64>("k", dims!["n"])
}
