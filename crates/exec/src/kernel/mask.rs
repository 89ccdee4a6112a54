//! Selection by a mask and its inverse.

use tamis_graph::Mask;

use super::{Call, offsets};
use crate::error::ErrorKind;
use crate::memory::Buffer;
use crate::row_major::position_of;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Mask, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Mask::BooleanMask { axis } => dispatch!(call.operands[0], x => boolean_mask(call, x, axis)),
        Mask::Unmask { axis } => dispatch!(call.operands[0], values => unmask(call, values, axis)),
        Mask::Argwhere => argwhere(call).map(AnyTensor::from),
    }
}

fn boolean_mask<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mask = call.typed::<bool>(1);
    let merged = offsets::merge(x.shape(), axis..axis + mask.shape().len());
    let selected = offsets::of_true(mask, call.memory)?;
    let x = x.clone().reshape(&merged, call.memory)?;
    Ok(offsets::read(&x, axis, selected.as_contiguous(), call.memory)?.into())
}

fn unmask<'a, T: Item>(
    call: &Call<'_, 'a>,
    values: &Tensor<'a, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (mask, fill) = (call.typed::<bool>(1), call.typed::<T>(2));
    let selected = offsets::of_true(mask, call.memory)?;
    if selected.len() != values.shape()[axis] {
        return Err(ErrorKind::CountMismatch { count: selected.len(), values: values.shape()[axis] });
    }
    let merged = offsets::merge(call.shape, axis..axis + mask.shape().len());
    let filled = fill.clone().broadcast(call.shape).to_buffer(call.memory)?;
    let mut result = filled.with_shape(&merged);
    offsets::write(&mut result, axis, selected.as_contiguous(), &values.view(), |_, value| value);
    Ok(result.with_shape(call.shape).into())
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
