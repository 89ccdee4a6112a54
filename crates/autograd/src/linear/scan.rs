//! The running sum.

use tamis_graph::{DType, Direction, Expr, Scan};

use crate::arrange::{full, ones, spliced};
use crate::dual::Dual;

/// The running sum: supported where any element so far is. An exclusive sum
/// starts with the sum of nothing, which is not supported.
pub(crate) fn cumsum<'g>(x: &Dual<'g>, direction: Direction) -> Dual<'g> {
    let (axis, graph, shape) = (direction.axis, x.value.graph(), x.value.shape());
    let everywhere = || {
        let lane = spliced(&ones(shape.len()), axis..axis + 1, &shape[axis..=axis]);
        full(graph, lane, DType::Bool, 1.0)
    };
    let apply = |op: Scan, x: Expr<'g>| graph.apply(op, &[x]);
    x.accumulate(
        &[axis],
        |value| apply(Scan::Cumsum(direction), value),
        |factor| factor,
        |varying| {
            let elements = varying.or_else(|| direction.exclusive.then(everywhere));
            elements.map(|mask| apply(Scan::RunningOr(direction), mask))
        },
    )
}
