//! Arithmetic that is exact in IEEE 754, and the order of operands of commutative ops.

use tamis_graph::{Binary, DType, Logic, Node, NodeId, Op, Scalar, Unary};

use crate::simplify::pattern::{is_literal, literal, number};
use crate::simplify::rewriter::Rewriter;
use crate::simplify::truth;

/// A barrier to gradients alone.
pub(super) fn stop_gradient(_rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    matches!(node.op(), Op::Unary(Unary::StopGradient)).then(|| node.operands()[0])
}

/// `−−x` is `x`, `|−x|` is `|x|` where there are negative numbers (u8 wraps:
/// −5 is 251), and what is already rounded is not rounded again.
pub(super) fn twice(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let x = rewriter.operand(node, 0);
    let (Op::Unary(outer), Op::Unary(inner)) = (node.op(), x.op()) else { return None };
    match (outer, inner) {
        (Unary::Neg, Unary::Neg) => Some(x.operands()[0]),
        (Unary::Abs, Unary::Neg) if node.dtype() != DType::U8 => rewriter.apply(Unary::Abs, x.operands()),
        (outer, inner) if outer == inner && node.op().is_idempotent() => Some(x.id()),
        (_, _) => None,
    }
}

/// A cast that changes no value, before another.
pub(super) fn cast_of_cast(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let x = rewriter.operand(node, 0);
    let (Op::Unary(Unary::Cast(to)), Op::Unary(Unary::Cast(through))) = (node.op(), x.op()) else {
        return None;
    };
    let from = rewriter.operand(&x, 0);
    let is_exact = match (from.dtype(), through) {
        (DType::Bool, _) => true,
        (DType::U8, through) => *through != DType::Bool,
        (DType::I32, DType::I64) => true,
        // A float saturates where an integer wraps.
        (DType::I32, DType::F64) => *to != DType::U8,
        (DType::F32, DType::F64) => true,
        (DType::I32 | DType::F32, _) | (DType::I64 | DType::F64, _) => false,
    };
    if !is_exact {
        return None;
    }
    rewriter.apply(Unary::Cast(*to), &[from.id()])
}

/// `x + 0`, `x − 0`, `x · 1` and `x / 1`. A float keeps its sign of zero only
/// with `+ −0.0` and `− +0.0`.
pub(super) fn neutral(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Binary(op) = node.op() else { return None };
    let right = rewriter.operand(node, 1);
    let is_neutral = match op {
        Binary::Add => {
            let is_float = right.dtype().is_float();
            let neutral = if is_float { Scalar::F64(-0.0) } else { Scalar::I64(0) };
            literal(rewriter, &right) == Some(neutral.cast(right.dtype()))
        }
        Binary::Sub => is_literal(rewriter, &right, 0),
        Binary::Mul | Binary::Div => is_literal(rewriter, &right, 1),
        Binary::Pow
        | Binary::FloorMod
        | Binary::FloorDiv
        | Binary::RemTrunc
        | Binary::Atan2
        | Binary::Minimum
        | Binary::Maximum => false,
    };
    is_neutral.then(|| node.operands()[0])
}

/// `x / 2ᵏ` is `x · 2⁻ᵏ`: both round the same number, and the product takes a
/// fraction of the time.
pub(super) fn divided_by_power(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Binary(Binary::Div) = node.op() else { return None };
    let [x, right] = [0, 1].map(|position| rewriter.operand(node, position));
    if x.shape() != node.shape() {
        return None;
    }
    let reciprocal = match literal(rewriter, &right)? {
        Scalar::F32(power) => {
            Scalar::F32(reciprocal_of_power(power.into(), f32::MIN_POSITIVE.into())? as f32)
        }
        Scalar::F64(power) => Scalar::F64(reciprocal_of_power(power, f64::MIN_POSITIVE)?),
        Scalar::Bool(_) | Scalar::U8(_) | Scalar::I32(_) | Scalar::I64(_) => return None,
    };
    let reciprocal = rewriter.scalar(reciprocal)?;
    rewriter.apply(Binary::Mul, &[x.id(), reciprocal])
}

/// `1 / x` if `x` is a power of two, of either sign, and both are at least `least`.
fn reciprocal_of_power(x: f64, least: f64) -> Option<f64> {
    let is_power = x.is_finite() && x.to_bits() << 12 == 0;
    (is_power && x.abs() >= least && x.recip().abs() >= least).then(|| x.recip())
}

/// `x · 0` is 0 for integers.
pub(super) fn times_zero(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let x = node.operands()[0];
    let is_product = matches!(node.op(), Op::Binary(Binary::Mul)) && node.dtype().is_integer();
    if !is_product || !is_literal(rewriter, &rewriter.operand(node, 1), 0) || !rewriter.is_total(x) {
        return None;
    }
    let zero = rewriter.scalar(number(0, node.dtype()))?;
    rewriter.broadcast(zero, node.shape())
}

/// `minimum(x, x)` and `maximum(x, x)` are `x`.
pub(super) fn of_equals(_rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let (a, b) = (node.operands()[0], node.operands()[1]);
    (matches!(node.op(), Op::Binary(Binary::Minimum | Binary::Maximum)) && a == b).then_some(a)
}

/// Literals stand last in sums and products: there is no NaN among them, whose
/// bits would win.
pub(super) fn literal_last(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Binary(op @ (Binary::Add | Binary::Mul)) = node.op() else { return None };
    let [a, b] = [0, 1].map(|i| rewriter.operand(node, i));
    let value = literal(rewriter, &a)?;
    let is_nan = match value {
        Scalar::F32(value) => value.is_nan(),
        Scalar::F64(value) => value.is_nan(),
        Scalar::Bool(_) | Scalar::U8(_) | Scalar::I32(_) | Scalar::I64(_) => false,
    };
    if is_nan || literal(rewriter, &b).is_some() {
        return None;
    }
    rewriter.apply(*op, &[b.id(), a.id()])
}

/// Literals stand last in comparisons: `0 < x` is `x > 0`.
pub(super) fn flipped(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Compare(op) = node.op() else { return None };
    let flipped = truth::flipped(*op)?;
    let [a, b] = [0, 1].map(|i| rewriter.operand(node, i));
    literal(rewriter, &a)?;
    if literal(rewriter, &b).is_some() {
        return None;
    }
    rewriter.apply(flipped, &[b.id(), a.id()])
}

/// The operands of `∧`, `∨` and exclusive or in the order of their ids.
pub(super) fn sorted(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Logic(op @ (Logic::And | Logic::Or | Logic::Xor)) = node.op() else { return None };
    if node.operands()[0] <= node.operands()[1] {
        return None;
    }
    rewriter.apply(*op, node.operands())
}
