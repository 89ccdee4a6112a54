//! Whole-array kernels for speed: on all threads of a run, in as few passes as
//! they can be. One file per op family, as the reference kernels have.
//!
//! A kernel gives what the reference kernel of the op gives, bit for bit, for
//! any number of threads; sums of matrix products alone add in another order.
//! It gives nothing where it has no better way than the reference kernel, and
//! where something is wrong: then the reference kernel says what.

mod copy;
mod index;
mod layout;
mod linalg;
mod mask;
mod masked;
mod order;
mod pieces;
mod places;
mod rows;
mod scan;
mod scatter;
mod selection;
mod sort;
mod vector;

use tamis_graph::Op;

use crate::error::ErrorKind;
use crate::kernel::Call;
use crate::tensor::AnyTensor;

pub(crate) use copy::into_whole;

/// Evaluates one op, if there is a fast kernel for it and its operands, and it
/// finds no mistake.
pub(crate) fn run<'a>(op: &Op, call: &Call<'_, 'a>) -> Option<Result<AnyTensor<'a>, ErrorKind>> {
    if call.operands.iter().any(|operand| operand.repeats_without_end()) {
        return None;
    }
    let value = match op {
        Op::Linalg(op) => linalg::run(*op, call),
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

#[cfg(test)]
mod tests;
