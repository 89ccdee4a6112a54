//! The running sum and the linear recurrence.

use tamis_graph::{DType, Dim, Direction, Expr, Graph, Layout, Scan, Shape, where_};

use crate::arrange::{full, ones, spliced};
use crate::linear::layout::{Window, Windows};
use crate::masked_derivative::MaskedDerivative;

/// The running sum: supported where any element so far is. An exclusive sum starts with
/// an empty sum, which is outside the support.
pub(crate) fn cumsum<'g>(x: &MaskedDerivative<'g>, direction: Direction) -> MaskedDerivative<'g> {
    let (axis, graph, shape) = (direction.axis, x.value.graph(), x.value.shape());
    let everywhere = || {
        let axis_shape = spliced(&ones(shape.len()), axis..axis + 1, &shape[axis..=axis]);
        full(graph, axis_shape, DType::Bool, 1.0)
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

/// `hₜ = aₜ·hₜ₋₁ + xₜ`: supported where any element so far is. Before the first
/// of them there is only 0, which must not meet a coefficient that may be infinite.
pub(crate) fn linear<'g>(
    x: &MaskedDerivative<'g>,
    coefficient: Expr<'g>,
    axis: usize,
    reverse: bool,
) -> MaskedDerivative<'g> {
    let graph = x.value.graph();
    let running = |mask: Expr<'g>, exclusive: bool| {
        graph.apply(Scan::RunningOr(Direction { axis, exclusive, reverse }), &[mask])
    };
    let (_, varying) = x.support.split(&[axis]);
    let so_far = varying.conjunction();
    let carried = so_far.map_or(coefficient, |mask| where_(running(mask, true), coefficient, 0.0));
    x.accumulate(
        &[axis],
        |value| graph.apply(Scan::Linear { axis, reverse }, &[carried, value]),
        |factor| factor,
        |varying| varying.map(|mask| running(mask, false)),
    )
}

/// The windows whose slice and pad move a tensor one position on along a scan.
pub(crate) fn shift_windows(shape: &Shape, axis: usize, reverse: bool) -> (Windows, Windows) {
    let size = &shape[axis];
    // An axis that is too long for this has been refused where it was built.
    let len = size.sub(&Dim::ONE).and_then(|len| len.at_least_zero()).unwrap_or(Dim::ZERO);
    let window = |start: Dim| -> Windows {
        let mut windows: Windows = shape.iter().map(Window::whole).collect();
        windows[axis] = Window { start, step: 1, len: len.clone(), size: size.clone() };
        windows
    };
    let (first, second) = (window(Dim::ZERO), window(Dim::ONE));
    if reverse { (second, first) } else { (first, second) }
}

/// Every element one position on along a scan; the first position gets 0 (or false).
pub(crate) fn shifted<'g>(x: Expr<'g>, axis: usize, reverse: bool) -> Expr<'g> {
    let (taken, moved) = shift_windows(&x.shape(), axis, reverse);
    let taken = Layout::Slice(taken.iter().map(Window::slice).collect());
    let moved = Layout::Pad(moved.iter().map(Window::pad).collect());
    let graph = x.graph();
    graph.apply(moved, &[graph.apply(taken, &[x])])
}

/// All positions along a scan but the first, as a factor.
pub(crate) fn past_first<'g>(graph: &'g Graph, shape: &Shape, axis: usize, reverse: bool) -> Expr<'g> {
    let axis_shape = spliced(&ones(shape.len()), axis..axis + 1, &shape[axis..=axis]);
    shifted(full(graph, axis_shape, DType::Bool, 1.0), axis, reverse)
}
