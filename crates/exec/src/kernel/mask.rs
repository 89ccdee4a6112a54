//! Selection by a mask and its inverse.

use tamis_graph::Mask;

use super::{Call, offsets};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::Buffer;
use crate::row_major::position_of;
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Mask, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Mask::BooleanMask { axis } => {
            dispatch!(words: call.operands[0].words(), x => boolean_mask(call, &x, axis))
        }
        Mask::Unmask { axis } => {
            dispatch!(words: call.operands[0].words(), values => unmask(call, &values, axis))
        }
        Mask::Argwhere => argwhere(call).map(AnyTensor::from),
    }
}

fn boolean_mask<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mask = call.typed::<bool>(1);
    let merged = offsets::merge(x.shape(), axis..axis + mask.shape().len());
    let selected = offsets::of_true(mask, call.memory)?;
    let x = x.borrowed().reshape_internally(&merged, x.shape(), call.memory)?;
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, call.memory)?;
    offsets::read(result.words_mut(), &x, axis, selected.as_contiguous());
    Ok(result.repeated(call.shape))
}

fn unmask<'a, T: Item>(
    call: &Call<'_, 'a>,
    values: &Tensor<'_, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (mask, fill) = (call.typed::<bool>(1), call.words::<T>(2).broadcast(call.shape));
    let selected = offsets::of_true(mask, call.memory)?;
    if selected.len() != values.shape()[axis] {
        return Err(ErrorKind::CountMismatch { count: selected.len(), values: values.shape()[axis] });
    }
    let merged = offsets::merge(call.shape, axis..axis + mask.shape().len());
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, call.memory)?;
    Rows::new(&fill.view()).read(0, result.words_mut());
    offsets::write(result.words_mut(), &merged, axis, selected.as_contiguous(), values, &|_: T, value| value);
    Ok(result.repeated(call.shape))
}

fn argwhere<'a>(call: &Call<'_, 'a>) -> Result<Buffer<'a, i64>, ErrorKind> {
    let mask = call.typed::<bool>(0);
    let mut rows = call.memory.zeros::<i64>(call.shape)?;
    let offsets = offsets::of_true(mask, call.memory)?;
    for (mut row, offset) in rows.outer_iter_mut().zip(offsets.iter()) {
        for (to, index) in row.iter_mut().zip(position_of(mask.shape(), *offset)) {
            *to = index as i64;
        }
    }
    Ok(rows)
}
