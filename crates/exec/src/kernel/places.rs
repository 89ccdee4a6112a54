//! Reading and writing at places along an axis. Knows no op.

use std::ops::Range;

use ndarray::{ArrayD, ArrayViewD, Axis, Zip};

use crate::error::ErrorKind;
use crate::memory::{Buffer, Memory};
use crate::tensor::{Item, Tensor};

/// The elements of `x` at `places` of `axis`.
pub(super) fn read<'m, T: Item>(
    x: &Tensor<'_, T>,
    axis: usize,
    places: &[usize],
    memory: &'m Memory,
) -> Result<Buffer<'m, T>, ErrorKind> {
    let mut shape = x.shape().to_vec();
    shape[axis] = places.len();
    let mut result = memory.zeros::<T>(&shape)?;
    if result.is_empty() {
        // The lanes of an array without elements can be astronomically many.
        return Ok(result);
    }
    Zip::from(result.lanes_mut(Axis(axis))).and(x.view().lanes(Axis(axis))).for_each(|mut result, x| {
        for (element, place) in result.iter_mut().zip(places) {
            *element = x[*place];
        }
    });
    Ok(result)
}

/// Combines the elements of `result` at `places` of `axis` with `values`, in their order.
pub(super) fn write<T: Item>(
    result: &mut ArrayD<T>,
    axis: usize,
    places: &[usize],
    values: &ArrayViewD<'_, T>,
    combine: impl Fn(T, T) -> T,
) {
    if values.is_empty() {
        return;
    }
    Zip::from(result.lanes_mut(Axis(axis))).and(values.lanes(Axis(axis))).for_each(|mut result, values| {
        for (value, place) in values.iter().zip(places) {
            result[*place] = combine(result[*place], *value);
        }
    });
}

/// The position of an element of an array of this shape, given how many come before it.
pub(super) fn position(shape: &[usize], mut before: usize) -> Vec<usize> {
    let mut position = vec![0; shape.len()];
    for (index, length) in position.iter_mut().zip(shape).rev() {
        (*index, before) = (before % length, before / length);
    }
    position
}

/// The position of the first false element.
pub(super) fn first_false(mask: &Tensor<'_, bool>, memory: &Memory) -> Result<Option<Vec<usize>>, ErrorKind> {
    // The first of what repeats stands for the others.
    let (mask, _) = mask.condensed(|_| true);
    let mask = mask.walk(memory)?;
    Ok(mask.iter().position(|holds| !holds).map(|before| position(mask.shape(), before)))
}

/// The places of the true elements among all, in row-major order.
pub(super) fn of_true<'m>(
    mask: &Tensor<'_, bool>,
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let mask = mask.walk(memory)?;
    let count = mask.iter().filter(|selected| **selected).count();
    let mut places = memory.zeros::<usize>(&[count])?;
    let selected = mask.iter().enumerate().filter(|(_, selected)| **selected);
    places.iter_mut().zip(selected).for_each(|(place, (i, _))| *place = i);
    Ok(places)
}

/// The shape with one axis in place of those in `range`: row-major order stays.
pub(super) fn merge(shape: &[usize], range: Range<usize>) -> Vec<usize> {
    let merged = shape[range.clone()].iter().product();
    [&shape[..range.start], &[merged], &shape[range.end..]].concat()
}
