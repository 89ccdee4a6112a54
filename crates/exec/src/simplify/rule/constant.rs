//! What is known before any run.

use smallvec::SmallVec;
use tamis_graph::{Element, Node, NodeId, Op, Scalar, Source, Value};

use crate::kernel::{self, Call};
use crate::memory::Memory;
use crate::simplify::rewriter::Rewriter;
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, dispatch};
use crate::threads::Threads;

/// A length that became a number once counts were renamed.
pub(super) fn known_size(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Source(Source::Size(dim)) = node.op() else { return None };
    let value = i64::try_from(dim.known()?).ok()?;
    rewriter.scalar(Scalar::I64(value))
}

/// Float literals that are written twice are two variables, but one value: the
/// first replaces the others. Other literals are one node from the start.
pub(super) fn shared(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let is_literal = matches!(node.op(), Op::Source(Source::Scalar(_) | Source::Constant(_)));
    if !is_literal || !node.dtype().is_float() {
        return None;
    }
    let first = rewriter.first_of_literal(node);
    // Literals are equal whatever the bits of a NaN, which a run must keep.
    (first != node.id() && same_bits(rewriter.node(first).op(), node.op())).then_some(first)
}

fn same_bits(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Source(Source::Scalar(Scalar::F32(a))), Op::Source(Source::Scalar(Scalar::F32(b)))) => {
            a.to_bits() == b.to_bits()
        }
        (Op::Source(Source::Scalar(Scalar::F64(a))), Op::Source(Source::Scalar(Scalar::F64(b)))) => {
            a.to_bits() == b.to_bits()
        }
        (Op::Source(Source::Constant(a)), Op::Source(Source::Constant(b))) => match (a.value(), b.value()) {
            (Value::F32(a), Value::F32(b)) => a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
            (Value::F64(a), Value::F64(b)) => a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
            (_, _) => false,
        },
        (_, _) => false,
    }
}

/// An elementwise op on literals of rank 0 is computed by its own kernel.
/// Equal literals are one node whatever the bits of a NaN, so that NaN is left
/// to the run; and so are errors.
pub(super) fn reduction(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let literal = |id: &NodeId| {
        let node = rewriter.node(*id);
        let Op::Source(Source::Scalar(scalar)) = node.op() else { return None };
        Some(AnyTensor::from_scalar(*scalar))
    };
    let memory = Memory::new(usize::MAX, std::sync::Arc::default());
    let operands = node.operands().iter().map(literal).collect::<Option<SmallVec<[AnyTensor<'_>; 3]>>>()?;
    let call = Call {
        operands: operands.iter().collect(),
        shape: &[],
        sizes: &Sizes::default(),
        memory: &memory,
        threads: &Threads::serial(),
    };
    let result = kernel::run(node.op(), &call).ok()?;
    let value = dispatch!(&result, tensor => tensor.view().first().copied().map(Element::into_scalar))?;
    let is_nan = match value {
        Scalar::F32(value) => value.is_nan(),
        Scalar::F64(value) => value.is_nan(),
        Scalar::Bool(_) | Scalar::U8(_) | Scalar::I32(_) | Scalar::I64(_) => false,
    };
    if is_nan { None } else { rewriter.scalar(value) }
}
