//! Elementwise choice by a mask.

use ndarray::Zip;
use tamis_graph::Select;

use super::Call;
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Select, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Select::Where => dispatch!(call.operands[1], a => choose(call, a)),
    }
}

fn choose<'a, T: Item>(call: &Call<'_, 'a>, a: &Tensor<'a, T>) -> Result<AnyTensor<'a>, ErrorKind> {
    let mut result = call.memory.zeros::<T>(call.shape)?;
    let mask = call.typed::<bool>(0).view_as(call.shape);
    let (a, b) = (a.view_as(call.shape), call.typed::<T>(2).view_as(call.shape));
    let choose = |result: &mut T, mask: &bool, a: &T, b: &T| *result = if *mask { *a } else { *b };
    Zip::from(&mut *result).and(&mask).and(&a).and(&b).for_each(choose);
    Ok(result.into())
}
