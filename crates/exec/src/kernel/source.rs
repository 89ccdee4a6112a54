//! Leaves: literals, counters and sizes.

use tamis_graph::Source;

use super::Call;
use crate::error::ErrorKind;
use crate::memory::Buffer;
use crate::tensor::{AnyTensor, Tensor};

pub(super) fn run<'a>(op: &Source, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Source::Constant(constant) => Ok(constant.value().clone().into()),
        Source::Scalar(scalar) => Ok(AnyTensor::from_scalar(*scalar)),
        Source::Iota { .. } => iota(call).map(AnyTensor::from),
        Source::Size(dim) => Ok(Tensor::full(&[], call.sizes.value(dim)?).into()),
        Source::Input { .. } => unreachable!("a run starts when all inputs are fed"),
        Source::Poison => unreachable!("no plan is made of a graph with errors"),
    }
}

fn iota<'a>(call: &Call<'_, 'a>) -> Result<Buffer<'a, i64>, ErrorKind> {
    let mut counter = call.memory.zeros::<i64>(call.shape)?;
    counter.iter_mut().zip(0..).for_each(|(element, i)| *element = i);
    Ok(counter)
}
