//! Selection by a mask and its inverse.

use ndarray::ArrayD;
use tamis_graph::Mask;

use super::{Call, places};
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch, zeros};

pub(super) fn run<'a>(op: Mask, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Mask::BooleanMask { axis } => dispatch!(call.operands[0], x => boolean_mask(call, x, axis)),
        Mask::Unmask { axis } => dispatch!(call.operands[0], values => unmask(call, values, axis)),
        Mask::Argwhere => argwhere(call.typed(0), call.shape).map(AnyTensor::from),
    }
}

fn boolean_mask<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mask = call.typed::<bool>(1);
    let merged = places::merge(x.shape(), axis..axis + mask.shape().len());
    let selected = places::of_true(mask)?;
    Ok(places::read(&x.clone().reshape(&merged)?, axis, &selected)?.into())
}

fn unmask<'a, T: Item>(
    call: &Call<'_, 'a>,
    values: &Tensor<'a, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (mask, fill) = (call.typed::<bool>(1), call.typed::<T>(2));
    let selected = places::of_true(mask)?;
    if selected.len() != values.shape()[axis] {
        return Err(ErrorKind::CountMismatch { count: selected.len(), values: values.shape()[axis] });
    }
    let merged = places::merge(call.shape, axis..axis + mask.shape().len());
    let filled = fill.clone().broadcast(call.shape).to_array()?;
    let mut result = reshape(filled, &merged);
    places::write(&mut result, axis, &selected, &values.view(), |_, value| value);
    Ok(reshape(result, call.shape).into())
}

/// An array in row-major order under another shape of the same size.
fn reshape<T>(array: ArrayD<T>, shape: &[usize]) -> ArrayD<T> {
    let reshaped = array.into_shape_with_order(shape);
    reshaped.unwrap_or_else(|error| unreachable!("axes are merged and split again: {error}"))
}

fn argwhere(mask: &Tensor<'_, bool>, shape: &[usize]) -> Result<ArrayD<i64>, ErrorKind> {
    let mut rows = zeros::<i64>(shape)?;
    let places = places::of_true(mask)?;
    for (mut row, mut place) in rows.outer_iter_mut().zip(places) {
        for (axis, length) in mask.shape().iter().enumerate().rev() {
            row[axis] = (place % length) as i64;
            place /= length;
        }
    }
    Ok(rows)
}
