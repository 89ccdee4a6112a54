//! What each op computes, an array at a time: one file per op family.
//!
//! Shapes and dtypes are settled by the graph's shape rules before a kernel runs;
//! kernels check values alone. They do not depend on plans.

mod binary;
mod compare;
mod elementwise;
mod index;
mod layout;
pub(crate) mod linalg;
mod logic;
mod mask;
pub(crate) mod number;
mod offsets;
mod order;
mod reduce;
mod scan;
mod select;
mod source;
pub(crate) mod unary;

use smallvec::SmallVec;
use tamis_graph::Op;

use crate::error::ErrorKind;
use crate::memory::Memory;
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, Item, Tensor};
use crate::threads::Threads;

/// How many elements that are not contiguous are read at a time.
const RUN: usize = 256;

/// What a kernel is given besides the op.
pub(crate) struct Call<'c, 'a> {
    pub(crate) operands: SmallVec<[&'c AnyTensor<'a>; 3]>,
    /// The shape of the result.
    pub(crate) shape: &'c [usize],
    pub(crate) sizes: &'c Sizes,
    /// Where results and scratch space are allocated.
    pub(crate) memory: &'a Memory,
    /// The threads that a kernel may use; the reference kernels use the calling thread alone.
    pub(crate) threads: &'c Threads,
}

impl<'c, 'a> Call<'c, 'a> {
    /// The operand at `position`, which has the dtype `T`.
    pub(crate) fn typed<T: Item>(&self, position: usize) -> &'c Tensor<'a, T> {
        let tensor = T::from_any(self.operands[position]);
        tensor.unwrap_or_else(|| unreachable!("operand {position} is promoted to {}", T::DTYPE))
    }

    /// The operand at `position`, which has the dtype `W` or is moved as such.
    pub(crate) fn words<W: Item>(&self, position: usize) -> Tensor<'c, W> {
        let operand = self.operands[position];
        if let Some(tensor) = W::from_any(operand) {
            return tensor.borrowed();
        }
        let tensor = W::from_any(&operand.words()).cloned();
        tensor.unwrap_or_else(|| unreachable!("operand {position} is promoted to what moves as {}", W::DTYPE))
    }
}

/// Evaluates one op.
pub(crate) fn run<'a>(op: &Op, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Op::Source(op) => source::run(op, call),
        Op::Unary(op) => unary::run(*op, call),
        Op::Binary(op) => binary::run(*op, call),
        Op::Compare(op) => compare::run(*op, call),
        Op::Logic(op) => logic::run(*op, call),
        Op::Select(op) => select::run(*op, call),
        Op::Mask(op) => mask::run(*op, call),
        Op::Index(op) => index::run(*op, call),
        Op::Reduce(op) => reduce::run(op, call),
        Op::Scan(op) => scan::run(*op, call),
        Op::Order(op) => order::run(*op, call),
        Op::Layout(op) => layout::run(op, call),
        Op::Linalg(op) => linalg::run(*op, call),
    }
}

#[cfg(test)]
mod tests;
