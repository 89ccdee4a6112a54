//! Expressions under exact shapes, shapes with axes put in and taken out, and literals.
//! Does not depend on differentiation.

use std::ops::Range;

use tamis_graph::{AxisList, DType, Dim, Expr, Graph, Layout, Scalar, Shape};

/// The same elements under `shape`, which has as many.
pub(crate) fn reshaped<'g>(x: Expr<'g>, shape: Shape) -> Expr<'g> {
    x.graph().apply(Layout::Reshape(shape), &[x])
}

/// `x` repeated to `shape`, to which it broadcasts.
pub(crate) fn broadcast<'g>(x: Expr<'g>, shape: Shape) -> Expr<'g> {
    x.graph().apply(Layout::BroadcastTo(shape), &[x])
}

/// `value` in every element of `shape`.
pub(crate) fn full(graph: &Graph, shape: Shape, dtype: DType, value: f64) -> Expr<'_> {
    graph.full_value(shape, Scalar::F64(value).cast(dtype))
}

/// The shape of rank `rank` that is 1 on every axis.
pub(crate) fn ones(rank: usize) -> Shape {
    std::iter::repeat_n(Dim::ONE, rank).collect()
}

/// `shape` with `dims` instead of the axes in `range`.
pub(crate) fn spliced(shape: &[Dim], range: Range<usize>, dims: &[Dim]) -> Shape {
    shape[..range.start].iter().chain(dims).chain(&shape[range.end..]).cloned().collect()
}

/// `shape` with 1s put in, so that they are the given axes of the result.
pub(crate) fn with_ones(shape: &[Dim], axes: &[usize]) -> Shape {
    let mut dims = shape.iter().cloned();
    let mut next = |axis| if axes.contains(&axis) { Some(Dim::ONE) } else { dims.next() };
    (0..shape.len() + axes.len()).map_while(&mut next).collect()
}

/// `shape` without the given axes.
pub(crate) fn without(shape: &[Dim], axes: &[usize]) -> Shape {
    shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, dim)| dim.clone()).collect()
}

/// The lengths other than the literal 1.
pub(crate) fn squeezed(shape: &[Dim]) -> Shape {
    shape.iter().filter(|dim| !dim.is_one()).cloned().collect()
}

/// The order of axes that swaps the last two of `rank`.
pub(crate) fn matrix_transpose(rank: usize) -> AxisList {
    let mut axes: AxisList = (0..rank).collect();
    axes.swap(rank - 2, rank - 1);
    axes
}
