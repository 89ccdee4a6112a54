//! Sums over axes and their transpose, repetition.

use tamis_graph::{Dim, Expr, Graph, Shape, Symbol};

use crate::arrange::{broadcast, ones, reshaped, with_ones, without};
use crate::masked_derivative::MaskedDerivative;

/// The sum over `axes`: supported where any element is, and an empty selection has no
/// support.
pub(crate) fn sum<'g>(x: &MaskedDerivative<'g>, axes: &[usize]) -> MaskedDerivative<'g> {
    let shape = x.value.shape();
    let selected = selects_any(x.value.graph(), axes.iter().map(|axis| &shape[*axis]));
    x.accumulate(
        axes,
        |value| value.sum(axes),
        |factor| reshaped(factor, without(&factor.shape(), axes)),
        |varying| {
            let any = varying.map(|mask| mask.any(axes));
            let rank = shape.len() - axes.len();
            any.into_iter().chain(selected.map(|mask| reshaped(mask, ones(rank)))).reduce(|a, b| a & b)
        },
    )
}

/// Whether every selection among the lengths `dims` has an element; `None` if none of them is
/// the length of a selection. A sum over an empty selection is 0 by structure: it lies outside
/// the support.
pub(crate) fn selects_any<'g, 'd>(graph: &'g Graph, dims: impl Iterator<Item = &'d Dim>) -> Option<Expr<'g>> {
    let counts = dims.filter(|dim| is_count(dim));
    counts.map(|dim| graph.size(dim).gt(0)).reduce(|a, b| a & b)
}

fn is_count(dim: &Dim) -> bool {
    let mut found = false;
    dim.visit_symbols(&mut |symbol| found |= matches!(symbol, Symbol::Count(_)));
    found
}

/// The value repeated along new `axes`, to `shape`.
pub(crate) fn repeat<'g>(x: &MaskedDerivative<'g>, axes: &[usize], shape: &Shape) -> MaskedDerivative<'g> {
    // Broadcasting adds leading axes by itself.
    let leading = axes.iter().enumerate().take_while(|(i, axis)| i == *axis).count();
    x.rearrange(
        |value| {
            let aligned = with_ones(&value.shape(), axes)[leading..].into();
            broadcast(reshaped(value, aligned), shape.clone())
        },
        |factor| reshaped(factor, with_ones(&factor.shape(), axes)),
    )
}
