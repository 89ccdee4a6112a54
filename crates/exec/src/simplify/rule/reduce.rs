//! Reductions of selections, and reductions of reductions.

use tamis_graph::{
    AxisList, DType, Dim, Layout, Logic, Mask, Node, NodeId, Op, Reduce, ReduceKind, Scalar, Select, Source,
};

use crate::simplify::pattern::{
    is_literal, is_zero, literal, number, number_of_mask, selection, without_broadcast,
};
use crate::simplify::rewriter::Rewriter;
use crate::simplify::total;

/// The reduction of a node, if it has no mask of its own.
fn plain(node: &Node) -> Option<&Reduce> {
    let Op::Reduce(op) = node.op() else { return None };
    (node.operands().len() == 1).then_some(op)
}

/// A reduction over the axis that a selection made is one over the axes that it
/// was made of, where what was not selected is replaced by what does not count.
pub(super) fn of_selection(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let op = plain(node)?;
    let selected = selection(&rewriter.operand(node, 0))?;
    let x = rewriter.node(selected.x);
    let masked = rewriter.node(selected.mask).shape().len();
    if !op.axes.contains(&selected.axis) || masked == 0 {
        return None;
    }
    let unreduced = op.axes.iter().flat_map(|axis| match axis.cmp(&selected.axis) {
        std::cmp::Ordering::Less => *axis..axis + 1,
        std::cmp::Ordering::Equal => *axis..axis + masked,
        std::cmp::Ordering::Greater => axis + masked - 1..axis + masked,
    });
    let over_all = op.over(unreduced.collect());
    let mask = rewriter.expand_mask(selected.mask, x.id(), selected.axis)?;
    let reduced = match op.kind {
        ReduceKind::Sum | ReduceKind::Prod => {
            let neutral = i64::from(op.kind == ReduceKind::Prod);
            let neutral = rewriter.scalar(number(neutral, x.dtype()))?;
            rewriter.apply(Select::Where, &[mask, x.id(), neutral])?
        }
        ReduceKind::Any => rewriter.apply(Logic::And, &[x.id(), mask])?,
        ReduceKind::All => {
            let others = rewriter.apply(Logic::Not, &[mask])?;
            rewriter.apply(Logic::Or, &[x.id(), others])?
        }
        ReduceKind::Max | ReduceKind::Min => {
            let mask = rewriter.broadcast(mask, x.shape())?;
            return rewriter.apply(over_all, &[x.id(), mask]);
        }
    };
    rewriter.apply(over_all, &[reduced])
}

/// A reduction over all that an `unmask` filled with what does not count is one
/// of its values.
pub(super) fn of_unmask(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let op = plain(node)?;
    let unmask = rewriter.operand(node, 0);
    let Op::Mask(Mask::Unmask { axis }) = unmask.op() else { return None };
    let (values, mask) = (unmask.operands()[0], rewriter.operand(&unmask, 1));
    let fill = rewriter.operand(&unmask, 2);
    let counts_not = match op.kind {
        // A sum starts from +0.0, which neither zero changes.
        ReduceKind::Sum => is_zero(rewriter, &fill),
        ReduceKind::Prod | ReduceKind::All => is_literal(rewriter, &fill, 1),
        ReduceKind::Any => is_literal(rewriter, &fill, 0),
        ReduceKind::Max | ReduceKind::Min => false,
    };
    let masked = *axis..axis + mask.shape().len();
    let covers = !masked.is_empty() && masked.clone().all(|axis| op.axes.contains(&axis));
    if !counts_not || !covers || !rewriter.is_total(mask.id()) {
        return None;
    }
    let reduced = op.axes.iter().filter(|a| !masked.contains(a) || **a == *axis);
    let reduced = reduced.map(|a| if *a > *axis { a + 1 - masked.len() } else { *a });
    rewriter.apply(op.over(reduced.collect()), &[values])
}

/// The sum of a mask as numbers is its count. The count sees through guards, so
/// that there must be none.
pub(super) fn count_of_true(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Reduce(Reduce { kind: ReduceKind::Sum, .. }) = node.op() else { return None };
    let x = rewriter.operand(node, 0);
    let numbers = rewriter.node(without_broadcast(&x));
    if x.dtype() != DType::I64 || !node.shape().iter().all(Dim::is_one) {
        return None;
    }
    let mask = number_of_mask(rewriter, &numbers)?;
    let mask = rewriter.broadcast(mask, x.shape())?;
    if !rewriter.is_total(mask) {
        return None;
    }
    let count = rewriter.graph().count(mask).ok()?;
    let size = rewriter.apply(Source::Size(count), &[])?;
    rewriter.broadcast(size, node.shape())
}

/// Any of any, all of all, and sums of integers, which wrap alike in any order.
pub(super) fn of_reduction(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let outer = plain(node)?;
    let x = rewriter.operand(node, 0);
    let inner = plain(&x)?;
    let is_associative = match outer.kind {
        ReduceKind::Any | ReduceKind::All => true,
        ReduceKind::Sum | ReduceKind::Prod => !node.dtype().is_float(),
        ReduceKind::Max | ReduceKind::Min => false,
    };
    if outer.kind != inner.kind || !is_associative {
        return None;
    }
    let operand = rewriter.operand(&x, 0);
    let kept = (0..operand.shape().len()).filter(|axis| !inner.axes.contains(axis));
    let kept: AxisList = kept.collect();
    let mut axes: AxisList = outer.axes.iter().map(|axis| kept[*axis]).collect();
    axes.extend_from_slice(&inner.axes);
    axes.sort_unstable();
    rewriter.apply(outer.over(axes), &[operand.id()])
}

/// Where every element is the literal `true`, all are true; where every one is
/// `false`, none is true. Both hold where there are no elements.
pub(super) fn of_literal(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let does_not_count = match plain(node)?.kind {
        ReduceKind::All => Scalar::Bool(true),
        ReduceKind::Any => Scalar::Bool(false),
        ReduceKind::Sum | ReduceKind::Prod | ReduceKind::Max | ReduceKind::Min => return None,
    };
    let x = rewriter.operand(node, 0);
    if literal(rewriter, &x) != Some(does_not_count) || !rewriter.is_total(x.id()) {
        return None;
    }
    let result = rewriter.scalar(does_not_count)?;
    rewriter.broadcast(result, node.shape())
}

/// A reduction of all elements does not care on which axes they are.
pub(super) fn of_reshape(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let op = plain(node)?;
    let reshape = rewriter.operand(node, 0);
    let Op::Layout(Layout::Reshape(_)) = reshape.op() else { return None };
    let x = rewriter.operand(&reshape, 0);
    if !node.shape().is_empty() || x.shape().is_empty() {
        return None;
    }
    rewriter.apply(op.over((0..x.shape().len()).collect()), &[x.id()])
}

/// Along broadcast axes one reduction serves all.
pub(super) fn of_repeats(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let op = plain(node)?;
    let x = rewriter.operand(node, 0);
    let small = rewriter.node(without_broadcast(&x));
    let added = x.shape().len() - small.shape().len();
    let repeats = |axis: usize| axis < added || small.shape()[axis - added] != x.shape()[axis];
    // The position in an error would be that in the small result.
    if small.id() == x.id() || op.axes.iter().any(|axis| repeats(*axis)) || fails(rewriter, node) {
        return None;
    }
    let axes = op.axes.iter().map(|axis| axis - added).collect();
    let reduced = rewriter.apply(op.over(axes), &[small.id()])?;
    rewriter.broadcast(reduced, node.shape())
}

fn fails(rewriter: &Rewriter<'_>, node: &Node) -> bool {
    total::may_fail(node, rewriter.graph())
}
