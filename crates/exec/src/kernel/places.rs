//! Reading and writing at places along an axis. Knows no op.

use std::ops::Range;

use ndarray::{ArrayD, ArrayViewD, Axis, Zip};

use crate::error::ErrorKind;
use crate::tensor::{Item, Tensor, zeros};

/// The elements of `x` at `places` of `axis`.
pub(super) fn read<T: Item>(
    x: &Tensor<'_, T>,
    axis: usize,
    places: &[usize],
) -> Result<ArrayD<T>, ErrorKind> {
    let mut shape = x.shape().to_vec();
    shape[axis] = places.len();
    let mut result = zeros::<T>(&shape)?;
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
    Zip::from(result.lanes_mut(Axis(axis))).and(values.lanes(Axis(axis))).for_each(|mut result, values| {
        for (value, place) in values.iter().zip(places) {
            result[*place] = combine(result[*place], *value);
        }
    });
}

/// The places of the true elements among all, in row-major order.
pub(super) fn of_true(mask: &Tensor<'_, bool>) -> Result<Vec<usize>, ErrorKind> {
    let mask = mask.view();
    let count = mask.iter().filter(|selected| **selected).count();
    let mut places = zeros::<usize>(&[count])?;
    let selected = mask.iter().enumerate().filter(|(_, selected)| **selected);
    places.iter_mut().zip(selected).for_each(|(place, (i, _))| *place = i);
    Ok(places.into_raw_vec_and_offset().0)
}

/// The shape with one axis in place of those in `range`: row-major order stays.
pub(super) fn merge(shape: &[usize], range: Range<usize>) -> Vec<usize> {
    let merged = shape[range.clone()].iter().product();
    [&shape[..range.start], &[merged], &shape[range.end..]].concat()
}
