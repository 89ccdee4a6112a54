//! Array kernels for speed: on all threads of a run, in as few passes as they can be.
//! One file per op family, as the reference kernels have.
//!
//! A kernel gives what the reference kernel of the op gives, bit for bit, for any
//! number of threads; sums of matrix products alone add in another order. It returns
//! `None` where it has no better way than the reference kernel, and where something is
//! wrong: then the reference kernel says what.

mod copy;
mod index;
mod layout;
mod linalg;
mod mask;
mod masked;
mod matrix;
mod offsets;
mod order;
mod rows;
mod scan;
mod scatter;
mod selection;
mod sort;
mod vector;

use tamis_graph::Op;

use crate::chunks;
use crate::error::ErrorKind;
use crate::kernel::Call;
use crate::tensor::AnyTensor;

pub(crate) use copy::into_materialized;

/// Evaluates one op, if there is a fast kernel for it and its operands, and it finds no
/// error.
pub(crate) fn run<'a>(op: &Op, call: &Call<'_, 'a>) -> Option<Result<AnyTensor<'a>, ErrorKind>> {
    if call.operands.iter().any(|operand| operand.repeats_without_end(call.memory)) {
        return None;
    }
    let value = match op {
        Op::Linalg(op) => {
            call.memory.forget_refusal();
            let product = linalg::run(*op, call);
            // The reference adds in another order, and needs less memory: which of
            // the two computes a product of floats must not depend on memory.
            if let (None, true, Some(refusal)) = (&product, is_of_floats(call), call.memory.refusal()) {
                return Some(Err(refusal));
            }
            product
        }
        Op::Mask(op) => mask::run(*op, call),
        Op::Index(op) => index::run(*op, call),
        Op::Scan(op) => scan::run(*op, call),
        Op::Order(op) => order::run(*op, call),
        Op::Layout(op) => layout::run(op, call),
        Op::Source(_)
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Logic(_)
        | Op::Select(_)
        | Op::Reduce(_) => None,
    };
    value.map(Ok)
}

fn is_of_floats(call: &Call<'_, '_>) -> bool {
    call.operands.first().is_some_and(|operand| operand.dtype().is_float())
}

#[cfg(test)]
mod tests;
