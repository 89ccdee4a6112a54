//! The shapes of expressions that rules look for.

use std::sync::Arc;

use smallvec::SmallVec;
use tamis_graph::{DType, Dim, Layout, Logic, Mask, Node, NodeId, Op, Scalar, Shape, Source, Unary};

use super::rewriter::Rewriter;

/// `x.boolean_mask_axis(mask, axis)`.
pub(super) struct Selection {
    pub(super) x: NodeId,
    pub(super) mask: NodeId,
    pub(super) axis: usize,
}

pub(super) fn selection(node: &Node) -> Option<Selection> {
    let Op::Mask(Mask::BooleanMask { axis }) = node.op() else { return None };
    Some(Selection { x: node.operands()[0], mask: node.operands()[1], axis: *axis })
}

/// The operand of `¬m`.
pub(super) fn complement(node: &Node) -> Option<NodeId> {
    matches!(node.op(), Op::Logic(Logic::Not)).then(|| node.operands()[0])
}

/// The mask that was cast to numbers.
pub(super) fn number_of_mask(rewriter: &Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Unary(Unary::Cast(_)) = node.op() else { return None };
    let mask = rewriter.operand(node, 0);
    (mask.dtype() == DType::Bool).then(|| mask.id())
}

/// What is broadcast, or the node itself.
pub(super) fn without_broadcast(node: &Node) -> NodeId {
    if let Op::Layout(Layout::BroadcastTo(_)) = node.op() { node.operands()[0] } else { node.id() }
}

/// The value of a literal, of rank 0 or broadcast.
pub(super) fn literal(rewriter: &Rewriter<'_>, node: &Node) -> Option<Scalar> {
    let source = rewriter.node(without_broadcast(node));
    if let Op::Source(Source::Scalar(scalar)) = source.op() { Some(*scalar) } else { None }
}

/// Whether the node is the literal `value` of its dtype, with the sign of a zero.
pub(super) fn is_literal(rewriter: &Rewriter<'_>, node: &Node, value: i64) -> bool {
    literal(rewriter, node) == Some(number(value, node.dtype()))
}

/// Whether the node is a literal 0 of either sign.
pub(super) fn is_zero(rewriter: &Rewriter<'_>, node: &Node) -> bool {
    match literal(rewriter, node) {
        Some(Scalar::F32(value)) => value == 0.0,
        Some(Scalar::F64(value)) => value == 0.0,
        Some(scalar @ (Scalar::Bool(_) | Scalar::U8(_) | Scalar::I32(_) | Scalar::I64(_))) => {
            scalar == number(0, scalar.dtype())
        }
        None => false,
    }
}

/// A small integer as a literal of `dtype`.
pub(super) fn number(value: i64, dtype: DType) -> Scalar {
    Scalar::I64(value).cast(dtype)
}

impl Rewriter<'_> {
    /// The mask with as many 1s appended as `x` has axes behind those that the
    /// mask selects from, so that it broadcasts against `x`.
    pub(super) fn expand_mask(&mut self, mask: NodeId, x: NodeId, axis: usize) -> Option<NodeId> {
        let (mask, rank) = (self.node(mask), self.node(x).shape().len());
        let ones = rank.checked_sub(axis + mask.shape().len())?;
        if ones == 0 {
            return Some(mask.id());
        }
        let expanded = mask.shape().iter().cloned().chain(std::iter::repeat_n(Dim::ONE, ones)).collect();
        self.reshape(mask.id(), expanded)
    }
}

/// `shape` with `dims` instead of the axis at `axis`.
pub(super) fn spliced(shape: &Shape, axis: usize, dims: &[Dim]) -> Shape {
    shape[..axis].iter().chain(dims).chain(&shape[axis + 1..]).cloned().collect()
}

/// The operands of a node.
pub(super) fn operands(rewriter: &Rewriter<'_>, node: &Node) -> SmallVec<[Arc<Node>; 3]> {
    node.operands().iter().map(|operand| rewriter.node(*operand)).collect()
}
