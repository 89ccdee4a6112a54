//! Elementwise ops before selections and before broadcasts.

use tamis_graph::{Binary, Dim, Logic, Mask, Node, NodeId, Op, Unary};

use crate::simplify::pattern::{Selection, operands, selection, spliced, without_broadcast};
use crate::simplify::rewriter::Rewriter;
use crate::simplify::total;

/// A cheap op on elements that one mask selects is a selection from the op on
/// all elements: a chain of such ops is one pass with one selection at its end.
pub(super) fn select_later(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    if !is_cheap(node.op()) {
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

/// Ops that take less time than the memory they read, and have a value for
/// every element: what was not selected may be anything.
fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Unary(op) => match op {
            Unary::Neg
            | Unary::Abs
            | Unary::Sign
            | Unary::Sqrt
            | Unary::Recip
            | Unary::Relu
            | Unary::Square
            | Unary::Floor
            | Unary::Ceil
            | Unary::Round
            | Unary::Trunc
            | Unary::Cast(_)
            | Unary::StopGradient => true,
            Unary::Exp
            | Unary::ExpM1
            | Unary::Ln
            | Unary::Ln1p
            | Unary::Sin
            | Unary::Cos
            | Unary::Tan
            | Unary::Asin
            | Unary::Acos
            | Unary::Atan
            | Unary::Sinh
            | Unary::Cosh
            | Unary::Tanh
            | Unary::Erf
            | Unary::Softplus
            | Unary::Sigmoid => false,
        },
        Op::Binary(op) => match op {
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Minimum | Binary::Maximum => true,
            // Of integers these fail for some elements.
            Binary::Pow | Binary::FloorMod | Binary::FloorDiv | Binary::RemTrunc | Binary::Atan2 => false,
        },
        Op::Compare(_) | Op::Logic(Logic::And | Logic::Or | Logic::Xor | Logic::Not) | Op::Select(_) => true,
        Op::Source(_)
        | Op::Mask(_)
        | Op::Index(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Order(_)
        | Op::Layout(_)
        | Op::Linalg(_) => false,
    }
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
