//! Elementwise arithmetic of two operands.

use tamis_graph::Binary;

use super::Call;
use super::elementwise::{try_zip, zip};
use super::number::{Float, Number, Ordered};
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Binary, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let a = call.operands[0];
    match op {
        Binary::Add => dispatch!(numbers: a, a => each(call, a, Number::add)),
        Binary::Sub => dispatch!(numbers: a, a => each(call, a, Number::sub)),
        Binary::Mul => dispatch!(numbers: a, a => each(call, a, Number::mul)),
        Binary::Div => dispatch!(floats: a, a => each(call, a, Float::div)),
        Binary::Atan2 => dispatch!(floats: a, a => each(call, a, Float::atan2)),
        Binary::Minimum => dispatch!(numbers: a, a => each(call, a, Ordered::smaller)),
        Binary::Maximum => dispatch!(numbers: a, a => each(call, a, Ordered::larger)),
        Binary::Pow => dispatch!(numbers: a, a => pow(call, a)),
        Binary::FloorMod => dispatch!(numbers: a, a => divide(call, a, Number::floor_mod)),
        Binary::FloorDiv => dispatch!(numbers: a, a => divide(call, a, Number::floor_div)),
        Binary::RemTrunc => dispatch!(numbers: a, a => divide(call, a, Number::rem_trunc)),
    }
}

fn each<'a, T: Item>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    f: fn(T, T) -> T,
) -> Result<AnyTensor<'a>, ErrorKind> {
    zip(call, a, call.typed(1), &f).map(AnyTensor::from)
}

fn pow<'a, T: Number>(call: &Call<'_, 'a>, a: &Tensor<'a, T>) -> Result<AnyTensor<'a>, ErrorKind> {
    let refuse = |base: T, exponent: T, position| ErrorKind::NegativePower {
        base: base.into_scalar(),
        exponent: exponent.into_scalar(),
        position,
    };
    try_zip(call, a, call.typed(1), &Number::pow, &refuse).map(AnyTensor::from)
}

fn divide<'a, T: Number>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    f: fn(T, T) -> Option<T>,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let refuse = |_, _, position| ErrorKind::DivisionByZero { position };
    try_zip(call, a, call.typed(1), &f, &refuse).map(AnyTensor::from)
}
