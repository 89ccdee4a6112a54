//! Arrangements of what is the same everywhere.

use tamis_graph::{Layout, Node, NodeId, Op};

use crate::simplify::pattern::without_broadcast;
use crate::simplify::rewriter::Rewriter;
use crate::simplify::total;

/// Two consecutive reshapes, broadcasts or permutations are one.
pub(super) fn of_arrangement(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Layout(outer @ (Layout::Reshape(_) | Layout::BroadcastTo(_) | Layout::Permute(_))) = node.op()
    else {
        return None;
    };
    let x = rewriter.operand(node, 0);
    let Op::Layout(inner) = x.op() else { return None };
    let both = match (outer, inner) {
        (Layout::Reshape(_), Layout::Reshape(_)) | (Layout::BroadcastTo(_), Layout::BroadcastTo(_)) => {
            outer.clone()
        }
        (Layout::Permute(axes), Layout::Permute(first)) => {
            Layout::Permute(axes.iter().map(|axis| first[*axis]).collect())
        }
        (_, _) => return None,
    };
    if total::may_fail(&x, rewriter.graph()) {
        return None;
    }
    rewriter.apply(both, x.operands())
}

/// A scalar in every element, arranged otherwise, is that scalar in every
/// element of the new shape.
pub(super) fn of_scalar(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Layout(Layout::Reshape(_) | Layout::Permute(_) | Layout::Slice(_)) = node.op() else {
        return None;
    };
    let scalar = without_broadcast(&rewriter.operand(node, 0));
    if !rewriter.node(scalar).shape().is_empty() || total::may_fail(node, rewriter.graph()) {
        return None;
    }
    rewriter.broadcast(scalar, node.shape())
}
