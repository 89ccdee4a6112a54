//! Elementwise questions, answered with bool.

use tamis_graph::Compare;

use super::Call;
use super::elementwise::{map, zip};
use super::number::{Float, is_nan};
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Compare, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let a = call.operands[0];
    match op {
        Compare::Eq => dispatch!(a, a => each(call, a, |a, b| a == b)),
        Compare::Ne => dispatch!(a, a => each(call, a, |a, b| a != b)),
        Compare::Lt => dispatch!(a, a => each(call, a, |a, b| a < b)),
        Compare::Le => dispatch!(a, a => each(call, a, |a, b| a <= b)),
        Compare::Gt => dispatch!(a, a => each(call, a, |a, b| a > b)),
        Compare::Ge => dispatch!(a, a => each(call, a, |a, b| a >= b)),
        Compare::IsNan => dispatch!(a, a => map(a, is_nan).map(AnyTensor::from)),
        Compare::IsFinite => is_finite(a),
    }
}

fn each<'a, T: Item>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    f: impl Fn(&T, &T) -> bool,
) -> Result<AnyTensor<'a>, ErrorKind> {
    zip(call.shape, a, call.typed(1), |a, b| f(&a, &b)).map(AnyTensor::from)
}

fn is_finite<'a>(x: &AnyTensor<'_>) -> Result<AnyTensor<'a>, ErrorKind> {
    match x {
        AnyTensor::F32(x) => map(x, Float::is_finite).map(AnyTensor::from),
        AnyTensor::F64(x) => map(x, Float::is_finite).map(AnyTensor::from),
        AnyTensor::Bool(_) | AnyTensor::U8(_) | AnyTensor::I32(_) | AnyTensor::I64(_) => {
            Ok(Tensor::full(x.shape(), true).into())
        }
    }
}
