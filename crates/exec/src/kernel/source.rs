//! Leaves: literals, counters and sizes.

use ndarray::ArrayD;
use tamis_graph::Source;

use super::Call;
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Tensor, zeros};

pub(super) fn run<'a>(op: &Source, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Source::Constant(constant) => Ok(constant.value().clone().into()),
        Source::Scalar(scalar) => Ok(AnyTensor::from_scalar(*scalar)),
        Source::Iota { .. } => iota(call.shape).map(AnyTensor::from),
        Source::Size(dim) => Ok(Tensor::full(&[], call.sizes.value(dim)?).into()),
        Source::Input { .. } => unreachable!("a run starts when all inputs are fed"),
        Source::Poison => unreachable!("no plan is made of a graph with mistakes"),
    }
}

fn iota(shape: &[usize]) -> Result<ArrayD<i64>, ErrorKind> {
    let mut counter = zeros::<i64>(shape)?;
    counter.iter_mut().zip(0..).for_each(|(element, i)| *element = i);
    Ok(counter)
}
