//! Selections, and what undoes them.

use tamis_graph::{Layout, Logic, Mask, Node, NodeId, Op, Scalar, Select};

use crate::simplify::pattern::{complement, literal, selection, without_broadcast};
use crate::simplify::rewriter::Rewriter;

/// `unmask(x[m], m, f)` is `where(m, x, f)`.
pub(super) fn unmask_of_selection(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Mask(Mask::Unmask { axis }) = node.op() else { return None };
    let (mask, fill) = (node.operands()[1], node.operands()[2]);
    let selected = selection(&rewriter.operand(node, 0))?;
    if selected.mask != mask || selected.axis != *axis {
        return None;
    }
    let expanded = rewriter.expand_mask(mask, selected.x, *axis)?;
    rewriter.apply(Select::Where, &[expanded, selected.x, fill])
}

/// `unmask(v, m, f)` is `where(m, v, f)` where all positions get the same element of
/// `v`.
pub(super) fn unmask_of_repeats(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Mask(Mask::Unmask { axis }) = node.op() else { return None };
    let (mask, fill) = (node.operands()[1], node.operands()[2]);
    let values = rewriter.operand(node, 0);
    let repeated = without_broadcast(&values);
    if rewriter.node(repeated).shape().len() > values.shape().len() - axis - 1 {
        return None;
    }
    let expanded = rewriter.expand_mask(mask, node.id(), *axis)?;
    let choice = rewriter.apply(Select::Where, &[expanded, repeated, fill])?;
    rewriter.broadcast(choice, node.shape())
}

/// `unmask(v, m, f)[m]` is `v`.
pub(super) fn selection_of_unmask(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let selected = selection(node)?;
    let unmask = rewriter.node(selected.x);
    let is_inverse = *unmask.op() == Op::Mask(Mask::Unmask { axis: selected.axis });
    if !is_inverse || unmask.operands()[1] != selected.mask {
        return None;
    }
    let left_out = [selected.mask, unmask.operands()[2]];
    left_out.iter().all(|id| rewriter.is_total(*id)).then(|| unmask.operands()[0])
}

/// `where(m, a, b)[m]` is `a[m]`, and `where(m, a, b)[¬m]` is `b[¬m]`.
pub(super) fn selection_of_choice(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let selected = selection(node)?;
    let choice = rewriter.node(selected.x);
    let Op::Select(Select::Where) = choice.op() else { return None };
    let by = |rewriter: &mut Rewriter<'_>, mask: NodeId| {
        rewriter.expand_mask(mask, choice.id(), selected.axis) == Some(choice.operands()[0])
    };
    let opposite = complement(&rewriter.node(selected.mask));
    let (kept, left_out) = if by(rewriter, selected.mask) {
        (choice.operands()[1], choice.operands()[2])
    } else if opposite.is_some_and(|mask| by(rewriter, mask)) {
        (choice.operands()[2], choice.operands()[1])
    } else {
        return None;
    };
    if !rewriter.is_total(left_out) {
        return None;
    }
    let whole = rewriter.broadcast(kept, choice.shape())?;
    rewriter.apply(node.op().clone(), &[whole, selected.mask])
}

/// `x[a][b[a]]` is `x[a ∧ b]`.
pub(super) fn selection_of_selection(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let outer = selection(node)?;
    let inner = selection(&rewriter.node(outer.x))?;
    let mask = selection(&rewriter.node(outer.mask))?;
    let same_shape = rewriter.node(mask.x).shape() == rewriter.node(inner.mask).shape();
    if mask.mask != inner.mask || mask.axis != 0 || inner.axis != outer.axis || !same_shape {
        return None;
    }
    let both = rewriter.apply(Logic::And, &[inner.mask, mask.x])?;
    rewriter.apply(Mask::BooleanMask { axis: inner.axis }, &[inner.x, both])
}

/// Elements and mask in row-major order on one axis: the same as on the axes they had.
pub(super) fn selection_of_flat(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let selected = selection(node)?;
    let (x, mask) = (rewriter.node(selected.x), rewriter.node(selected.mask));
    let flat = |node: &Node| matches!(node.op(), Op::Layout(Layout::Reshape(to)) if to.len() == 1);
    if !flat(&x) || !flat(&mask) {
        return None;
    }
    let (x, mask) = (rewriter.operand(&x, 0), rewriter.operand(&mask, 0));
    if x.shape() != mask.shape() {
        return None;
    }
    rewriter.apply(Mask::BooleanMask { axis: 0 }, &[x.id(), mask.id()])
}

/// `x[true]` is `x`, and so is `unmask(x, true, f)`, on as many axes as the result has.
pub(super) fn by_everything(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Mask(Mask::BooleanMask { .. } | Mask::Unmask { .. }) = node.op() else { return None };
    let is_true = literal(rewriter, &rewriter.operand(node, 1)) == Some(Scalar::Bool(true));
    if !is_true || !node.operands()[1..].iter().all(|left_out| rewriter.is_total(*left_out)) {
        return None;
    }
    rewriter.reshape(node.operands()[0], node.shape().clone())
}

/// Of elements that are the same along the masked axes, as many as are selected.
pub(super) fn selection_of_repeats(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let selected = selection(node)?;
    let repeated = without_broadcast(&rewriter.node(selected.x));
    let behind = node.shape().len() - selected.axis - 1;
    if rewriter.node(repeated).shape().len() > behind || !rewriter.is_total(selected.mask) {
        return None;
    }
    rewriter.broadcast(repeated, node.shape())
}
