//! Elementwise comparisons and predicates, which give bools.

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
        Compare::IsNan => dispatch!(a, a => map(call, a, &is_nan).map(AnyTensor::from)),
        Compare::IsFinite => of_floats(call, a, Float::is_finite, Float::is_finite, true),
        Compare::IsInf => of_floats(call, a, f32::is_infinite, f64::is_infinite, false),
    }
}

fn each<'a, T: Item>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    f: fn(&T, &T) -> bool,
) -> Result<AnyTensor<'a>, ErrorKind> {
    zip(call, a, call.typed(1), &|a, b| f(&a, &b)).map(AnyTensor::from)
}

/// A predicate of floats; for all other dtypes the answer is `others`.
fn of_floats<'a>(
    call: &Call<'_, 'a>,
    x: &AnyTensor<'_>,
    single: fn(f32) -> bool,
    double: fn(f64) -> bool,
    others: bool,
) -> Result<AnyTensor<'a>, ErrorKind> {
    match x {
        AnyTensor::F32(x) => map(call, x, &single).map(AnyTensor::from),
        AnyTensor::F64(x) => map(call, x, &double).map(AnyTensor::from),
        AnyTensor::Bool(_) | AnyTensor::U8(_) | AnyTensor::I32(_) | AnyTensor::I64(_) => {
            Ok(Tensor::full(x.shape(), others).into())
        }
    }
}
