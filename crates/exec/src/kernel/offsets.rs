//! Reading and writing at offsets along an axis. Does not depend on ops.

use std::ops::Range;

use ndarray::{ArrayD, ArrayViewD, Axis, Zip};

use crate::error::ErrorKind;
use crate::memory::{Buffer, Memory};
use crate::row_major::position_of;
use crate::tensor::{Item, Tensor};

/// The elements of `x` at `offsets` along `axis`.
pub(super) fn read<'m, T: Item>(
    x: &Tensor<'_, T>,
    axis: usize,
    offsets: &[usize],
    memory: &'m Memory,
) -> Result<Buffer<'m, T>, ErrorKind> {
    let mut shape = x.shape().to_vec();
    shape[axis] = offsets.len();
    let mut result = memory.zeros::<T>(&shape)?;
    if result.is_empty() {
        // An array without elements can have astronomically many fibers.
        return Ok(result);
    }
    Zip::from(result.lanes_mut(Axis(axis))).and(x.view().lanes(Axis(axis))).for_each(|mut result, x| {
        for (element, offset) in result.iter_mut().zip(offsets) {
            *element = x[*offset];
        }
    });
    Ok(result)
}

/// Combines the elements of `result` at `offsets` along `axis` with `values`, in their
/// order.
pub(super) fn write<T: Item>(
    result: &mut ArrayD<T>,
    axis: usize,
    offsets: &[usize],
    values: &ArrayViewD<'_, T>,
    combine: impl Fn(T, T) -> T,
) {
    if values.is_empty() {
        return;
    }
    Zip::from(result.lanes_mut(Axis(axis))).and(values.lanes(Axis(axis))).for_each(|mut result, values| {
        for (value, offset) in values.iter().zip(offsets) {
            result[*offset] = combine(result[*offset], *value);
        }
    });
}

/// The position of the first false element.
pub(super) fn first_false(mask: &Tensor<'_, bool>, memory: &Memory) -> Result<Option<Vec<usize>>, ErrorKind> {
    // The first of what repeats stands for the others.
    let (mask, _) = mask.condensed(|_| true);
    let mask = mask.view_for_iteration(memory)?;
    Ok(mask.iter().position(|holds| !holds).map(|index| position_of(mask.shape(), index).to_vec()))
}

/// The row-major offsets of the true elements.
pub(super) fn of_true<'m>(
    mask: &Tensor<'_, bool>,
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let mask = mask.view_for_iteration(memory)?;
    let count = mask.iter().filter(|selected| **selected).count();
    let mut offsets = memory.zeros::<usize>(&[count])?;
    let selected = mask.iter().enumerate().filter(|(_, selected)| **selected);
    offsets.iter_mut().zip(selected).for_each(|(offset, (i, _))| *offset = i);
    Ok(offsets)
}

/// The shape with one axis instead of those in `range`: row-major order stays.
pub(super) fn merge(shape: &[usize], range: Range<usize>) -> Vec<usize> {
    let merged = shape[range.clone()].iter().product();
    [&shape[..range.start], &[merged], &shape[range.end..]].concat()
}
