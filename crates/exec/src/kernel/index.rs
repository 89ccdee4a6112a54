//! Reading and writing at computed places.

use ndarray::{ArrayD, Axis, Dimension, Zip};
use tamis_graph::{Addressing, Combine, Index};

use super::number::Number;
use super::{Call, places};
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch, zeros};

pub(super) fn run<'a>(op: Index, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    match op {
        Index::Gather(addressing) => dispatch!(x, x => gather(call, x, addressing)),
        Index::Scatter { addressing, combine } => match (combine, x) {
            (Combine::Set, x) => dispatch!(x, x => scatter(call, x, addressing, |_, new| new)),
            (Combine::Or, _) | (Combine::Add, AnyTensor::Bool(_)) => {
                scatter(call, call.typed::<bool>(0), addressing, |old, new| old | new)
            }
            (Combine::Add, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, Number::add)),
        },
    }
}

fn gather<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let indices = call.typed::<i64>(1);
    let read = match addressing {
        Addressing::Axis(axis) => places::read(x, axis, &axis_places(indices, x.shape(), axis)?)?,
        Addressing::Nd => places::read(&merge_addressed(x, indices)?, 0, &row_places(indices, x.shape())?)?,
        Addressing::AlongAxis(axis) => gather_along(x, indices, axis)?,
    };
    Ok(Tensor::from(read).reshape(call.shape)?.into())
}

fn gather_along<T: Item>(
    x: &Tensor<'_, T>,
    indices: &Tensor<'_, i64>,
    axis: usize,
) -> Result<ArrayD<T>, ErrorKind> {
    let places = resolve_all(indices, x.shape(), axis)?;
    let mut result = zeros::<T>(indices.shape())?;
    let axis = Axis(axis);
    Zip::from(result.lanes_mut(axis)).and(x.view().lanes(axis)).and(places.lanes(axis)).for_each(
        |mut result, x, places| {
            for (element, place) in result.iter_mut().zip(places) {
                *element = x[*place];
            }
        },
    );
    Ok(result)
}

fn scatter<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
    combine: impl Fn(T, T) -> T,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (indices, updates) = (call.typed::<i64>(1), call.typed::<T>(2));
    let (axis, x, places) = match addressing {
        Addressing::Axis(axis) => (axis, x.clone(), axis_places(indices, x.shape(), axis)?),
        Addressing::Nd => (0, merge_addressed(x, indices)?, row_places(indices, x.shape())?),
        Addressing::AlongAxis(axis) => {
            return Ok(scatter_along(x, indices, updates, axis, combine)?.into());
        }
    };
    // The axes that name places become one, as the places are one list.
    let mut merged = x.shape().to_vec();
    merged[axis] = places.len();
    let updates = updates.clone().reshape(&merged)?;
    let mut result = x.to_array()?;
    places::write(&mut result, axis, &places, &updates.view(), combine);
    Ok(Tensor::from(result).reshape(call.shape)?.into())
}

fn scatter_along<T: Item>(
    x: &Tensor<'_, T>,
    indices: &Tensor<'_, i64>,
    updates: &Tensor<'_, T>,
    axis: usize,
    combine: impl Fn(T, T) -> T,
) -> Result<ArrayD<T>, ErrorKind> {
    let places = resolve_all(indices, x.shape(), axis)?;
    let mut result = x.to_array()?;
    let axis = Axis(axis);
    Zip::from(result.lanes_mut(axis)).and(updates.view().lanes(axis)).and(places.lanes(axis)).for_each(
        |mut result, updates, places| {
            for (update, place) in updates.iter().zip(places) {
                result[*place] = combine(result[*place], *update);
            }
        },
    );
    Ok(result)
}

/// The place in an axis of this length that an index names, counting from the end if negative.
fn resolve(index: i64, length: usize) -> Option<usize> {
    let length = length as i64;
    let place = if index < 0 { index.checked_add(length)? } else { index };
    (0..length).contains(&place).then_some(place as usize)
}

/// The places that all indices name on one axis of `shape`.
fn resolve_all(indices: &Tensor<'_, i64>, shape: &[usize], axis: usize) -> Result<ArrayD<usize>, ErrorKind> {
    let mut places = zeros::<usize>(indices.shape())?;
    for ((position, index), place) in indices.view().indexed_iter().zip(&mut places) {
        *place = resolve(*index, shape[axis]).ok_or_else(|| ErrorKind::IndexOutOfRange {
            index: *index,
            axis,
            length: shape[axis],
            position: position.slice().to_vec(),
        })?;
    }
    Ok(places)
}

/// [`resolve_all`] as a list.
fn axis_places(indices: &Tensor<'_, i64>, shape: &[usize], axis: usize) -> Result<Vec<usize>, ErrorKind> {
    Ok(resolve_all(indices, shape, axis)?.into_raw_vec_and_offset().0)
}

/// The places that the rows of the indices name on the leading axes of `shape`,
/// these merged into one. Each coordinate is checked against its own axis.
fn row_places(indices: &Tensor<'_, i64>, shape: &[usize]) -> Result<Vec<usize>, ErrorKind> {
    let (rows, depth) = split_rows(indices);
    let mut places = zeros::<usize>(&[rows])?.into_raw_vec_and_offset().0;
    for (i, (position, index)) in indices.view().indexed_iter().enumerate() {
        let (row, axis) = (i / depth, i % depth);
        let length = shape[axis];
        let place = resolve(*index, length).ok_or_else(|| ErrorKind::IndexOutOfRange {
            index: *index,
            axis,
            length,
            position: position.slice().to_vec(),
        })?;
        places[row] = places[row] * length + place;
    }
    Ok(places)
}

/// The tensor with the leading axes that the rows of the indices address merged into one.
fn merge_addressed<'a, T: Item>(
    x: &Tensor<'a, T>,
    indices: &Tensor<'_, i64>,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let (_, depth) = split_rows(indices);
    x.clone().reshape(&places::merge(x.shape(), 0..depth))
}

/// How many rows the indices have, and how long each is.
fn split_rows(indices: &Tensor<'_, i64>) -> (usize, usize) {
    match indices.shape().split_last() {
        Some((depth, outer)) => (outer.iter().product(), *depth),
        None => unreachable!("the shape rule asks for an axis of coordinates"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_counts_from_either_end() {
        assert_eq!(resolve(2, 3), Some(2));
        assert_eq!(resolve(-3, 3), Some(0));
        assert_eq!(resolve(3, 3), None);
        assert_eq!(resolve(-4, 3), None);
        assert_eq!(resolve(i64::MIN, 3), None);
        assert_eq!(resolve(0, 0), None);
    }
}
