//! Elementwise choice by a mask.

use tamis_graph::Select;

use super::Call;
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Select, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Select::Where => dispatch!(words: call.operands[1].words(), a => choose(call, &a)),
    }
}

fn choose<'a, T: Item>(call: &Call<'_, 'a>, a: &Tensor<'_, T>) -> Result<AnyTensor<'a>, ErrorKind> {
    let mask = call.typed::<bool>(0).clone().broadcast(call.shape);
    let (b, shape) = (call.words::<T>(2), call.shape);
    let (a, b) = (a.borrowed().broadcast(shape), b.borrowed().broadcast(shape));
    // What repeats in all of them is chosen once.
    let repeats = |axis| mask.repeats_along(axis) && a.repeats_along(axis) && b.repeats_along(axis);
    let mask = mask.condensed(&repeats).0;
    let (a, b) = (a.condensed(&repeats).0, b.condensed(&repeats).0);
    let mut result = AnyBuffer::zeros(call.operands[1].dtype(), mask.shape(), call.memory)?;
    let (mask, a, b) = (Rows::new(&mask.view()), Rows::new(&a.view()), Rows::new(&b.view()));
    for (i, result) in result.words_mut().iter_mut().enumerate() {
        *result = if mask.get(i) { a.get(i) } else { b.get(i) };
    }
    Ok(result.repeated(call.shape))
}
