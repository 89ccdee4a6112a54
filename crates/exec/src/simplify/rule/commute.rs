//! Elementwise ops before selections and before broadcasts.

use tamis_graph::{Dim, Mask, Node, NodeId};

use crate::simplify::pattern::{Selection, operands, selection, spliced, without_broadcast};
use crate::simplify::rewriter::Rewriter;
use crate::simplify::total;

/// A cheap op on elements that one mask selects is a selection from the op on
/// all elements: a chain of such ops is one pass with one selection at its end.
pub(super) fn select_later(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    if !node.op().is_cheap() {
        return None;
    }
    let operands = operands(rewriter, node);
    let rank = node.shape().len();
    let of_full_rank = operands.iter().filter(|operand| operand.shape().len() == rank);
    let by = of_full_rank.filter_map(|operand| selection(operand)).next()?;
    let mut whole = Vec::new();
    for operand in &operands {
        whole.push(before_selection(rewriter, operand, &by, rank)?);
    }
    let all = rewriter.apply(node.op().clone(), &whole)?;
    rewriter.apply(Mask::BooleanMask { axis: by.axis }, &[all, by.mask])
}

/// What an operand was before the selection `by`, which the others share: the
/// elements that were selected from, or something that is the same for all of them.
fn before_selection(
    rewriter: &mut Rewriter<'_>,
    operand: &Node,
    by: &Selection,
    rank: usize,
) -> Option<NodeId> {
    if let Some(own) = selection(operand)
        && (own.mask, own.axis, operand.shape().len()) == (by.mask, by.axis, rank)
    {
        return Some(own.x);
    }
    let same = rewriter.node(without_broadcast(operand));
    let behind = rank - by.axis - 1;
    let Some(axis) = same.shape().len().checked_sub(behind + 1) else { return Some(same.id()) };
    if !same.shape()[axis].is_one() {
        return None;
    }
    let ones = vec![Dim::ONE; rewriter.node(by.mask).shape().len()];
    rewriter.reshape(same.id(), spliced(same.shape(), axis, &ones))
}

/// An elementwise op on broadcast operands is the op on what is broadcast,
/// broadcast once at its end unless the op does that itself.
pub(super) fn broadcast_later(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let operands = operands(rewriter, node);
    let small: Vec<NodeId> = operands.iter().map(|operand| without_broadcast(operand)).collect();
    if small == node.operands() {
        return None;
    }
    let result = rewriter.apply(node.op().clone(), &small)?;
    let keeps_shape = rewriter.node(result).shape() == node.shape();
    // The position in an error would be that in the small operands.
    if !keeps_shape && total::may_fail(node, rewriter.graph()) {
        return None;
    }
    rewriter.broadcast(result, node.shape())
}
