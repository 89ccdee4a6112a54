//! Which ops a run may refuse to compute for some values of their operands. A
//! rule that would leave such an op out would leave its error out.

use std::sync::Arc;

use tamis_graph::{
    Addressing, DType, Dim, Fails, Graph, Index, Layout, Node, Op, Order, PadAxis, Scalar, Shape, SliceAxis,
    Source, Symbol,
};

/// Whether the op itself may fail, whatever its operands are computed from.
/// Memory does not count: a form that takes less of it is welcome.
pub(super) fn may_fail(node: &Node, graph: &Graph) -> bool {
    can_fail(node, &|position| graph.node(node.operands()[position]))
}

/// The node of the operand at a position.
type Operand<'o> = dyn Fn(usize) -> Arc<Node> + 'o;

/// [`may_fail`] without the graph, of which only the operands matter.
pub(crate) fn can_fail(node: &Node, operand: &Operand<'_>) -> bool {
    let zero_or_unknown = || literal(&operand(1)).is_none_or(|value| value == 0);
    let negative_or_unknown = || literal(&operand(1)).is_none_or(|value| value < 0);
    match node.op().fails() {
        Fails::Never => false,
        Fails::ZeroDivisor => !node.dtype().is_float() && zero_or_unknown(),
        Fails::NegativeExponent => !node.dtype().is_float() && negative_or_unknown(),
        Fails::OutOfRange => !reads_in_order(node.op(), operand),
        Fails::EmptySelection => may_be_empty(node, operand),
        Fails::Condition => may_not_hold(node.op(), operand),
    }
}

fn operand_shape(operand: &Operand<'_>) -> Shape {
    operand(0).shape().clone()
}

/// The value of an integer literal.
fn literal(node: &Node) -> Option<i64> {
    let Op::Source(Source::Scalar(scalar)) = node.op() else { return None };
    let Scalar::I64(value) = scalar.cast(DType::I64) else { return None };
    Some(value)
}

/// Whether the indices are those of the sorted axis, which are all in range: a
/// tensor is put in order, or back.
fn reads_in_order(op: &Op, operand: &Operand<'_>) -> bool {
    let Op::Index(Index::Gather(addressing) | Index::Scatter { addressing, .. }) = op else { return false };
    let (Addressing::AlongAxis(axis), indices) = (*addressing, operand(1)) else { return false };
    let is_of_axis =
        matches!(indices.op(), Op::Order(Order::Argsort { axis: sorted, .. }) if *sorted == axis);
    is_of_axis && indices.shape()[axis] == operand_shape(operand)[axis]
}

/// Whether a reduction may have no element to choose from.
fn may_be_empty(node: &Node, operand: &Operand<'_>) -> bool {
    let shape = operand_shape(operand);
    let has_elements = |axis: &usize| shape[*axis].known().is_some_and(|length| length > 0);
    if node.operands().len() > 1 {
        return true;
    }
    if let Op::Order(Order::Argmax { axis, .. } | Order::Argmin { axis, .. }) = node.op() {
        return !has_elements(axis);
    }
    let Op::Reduce(op) = node.op() else { return true };
    !op.axes.iter().all(has_elements)
}

/// Whether the lengths of an op, or what it asserts, may not hold in a run.
fn may_not_hold(op: &Op, operand: &Operand<'_>) -> bool {
    if let Op::Source(Source::Iota { len: dim } | Source::Size(dim)) = op {
        return !is_certain(dim);
    }
    let Op::Layout(op) = op else { return true };
    may_not_fit(op, operand)
}

fn may_not_fit(op: &Layout, operand: &Operand<'_>) -> bool {
    match op {
        Layout::Guard { .. } | Layout::Assert { .. } => true,
        // Its checks are operands.
        Layout::Checked | Layout::Permute(_) | Layout::Concat { .. } => false,
        // The one axis of a flat tensor is as long as it has elements.
        Layout::Reshape(to) => to.len() > 1 && !to.iter().all(is_certain),
        Layout::BroadcastTo(to) => !to.iter().all(is_certain),
        Layout::Slice(axes) => {
            let shape = operand_shape(operand);
            let fits = |(axis, dim): (&SliceAxis, &Dim)| lies_within(&axis.start, axis.step, &axis.len, dim);
            !axes.iter().zip(shape.iter()).all(fits)
        }
        Layout::Pad(axes) => {
            let shape = operand_shape(operand);
            let fits = |(axis, dim): (&PadAxis, &Dim)| lies_within(&axis.start, axis.step, dim, &axis.size);
            !axes.iter().zip(shape.iter()).all(fits)
        }
    }
}

/// Whether a length is provably a non-negative integer.
fn is_certain(dim: &Dim) -> bool {
    dim.known().is_some() || matches!(dim.symbol(), Some(Symbol::Named(_) | Symbol::Count(_)))
}

/// Whether the indices `start, start + step, …` provably lie in an axis of length
/// `size`.
fn lies_within(start: &Dim, step: i64, len: &Dim, size: &Dim) -> bool {
    if *start == Dim::ZERO && step == 1 && len == size {
        return true;
    }
    match (start.known(), len.known(), size.known()) {
        (_, Some(0), _) => true,
        (Some(start), Some(len), Some(size)) => {
            let last = start as i128 + (len as i128 - 1) * i128::from(step);
            start < size && (0..size as i128).contains(&last)
        }
        (_, None, _) | (None, _, _) | (_, _, None) => false,
    }
}
