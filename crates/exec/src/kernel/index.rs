//! Reading and writing at computed places.

use ndarray::{Axis, Zip};
use tamis_graph::{Addressing, Combine, Index};

use super::number::{Number, Ordered};
use super::places::position;
use super::{Call, places};
use crate::error::ErrorKind;
use crate::memory::{Buffer, Memory};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Index, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    match op {
        Index::Gather(addressing) => dispatch!(x, x => gather(call, x, addressing)),
        Index::Scatter { addressing, combine } => match (combine, x) {
            (Combine::Set, x) => dispatch!(x, x => scatter(call, x, addressing, |_, new| new)),
            (Combine::Or, _) | (Combine::Add, AnyTensor::Bool(_)) => {
                scatter(call, call.typed::<bool>(0), addressing, |old, new| old | new)
            }
            (Combine::Mul, AnyTensor::Bool(_)) => {
                scatter(call, call.typed::<bool>(0), addressing, |old, new| old & new)
            }
            (Combine::Mul, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, Number::mul)),
            (Combine::Max, x) => dispatch!(x, x => scatter(call, x, addressing, Ordered::larger)),
            (Combine::Min, x) => dispatch!(x, x => scatter(call, x, addressing, Ordered::smaller)),
            (Combine::Add, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, Number::add)),
        },
    }
}

fn gather<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (indices, memory) = (call.typed::<i64>(1), call.memory);
    let read = match addressing {
        Addressing::Axis(axis) => {
            let places = resolve_all(indices, x.shape(), axis, memory)?;
            places::read(x, axis, places.as_list(), memory)?
        }
        Addressing::Nd => {
            let places = row_places(indices, x.shape(), memory)?;
            places::read(&merge_addressed(x, indices, memory)?, 0, places.as_list(), memory)?
        }
        Addressing::AlongAxis(axis) => gather_along(call, x, axis)?,
    };
    Ok(read.with_shape(call.shape).into())
}

/// The elements of `x` at the places on `axis` that the second operand names.
pub(super) fn gather_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let indices = call.typed::<i64>(1);
    let places = resolve_all(indices, x.shape(), axis, call.memory)?;
    let mut result = call.memory.zeros::<T>(indices.shape())?;
    if result.is_empty() {
        return Ok(result);
    }
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
    let (indices, updates, memory) = (call.typed::<i64>(1), call.typed::<T>(2), call.memory);
    let (axis, x, places) = match addressing {
        Addressing::Axis(axis) => (axis, x.clone(), resolve_all(indices, x.shape(), axis, memory)?),
        Addressing::Nd => (0, merge_addressed(x, indices, memory)?, row_places(indices, x.shape(), memory)?),
        Addressing::AlongAxis(axis) => {
            return Ok(scatter_along(call, x, axis, combine)?.into());
        }
    };
    // The axes that name places become one, as the places are one list.
    let mut merged = x.shape().to_vec();
    merged[axis] = places.len();
    let updates = updates.clone().reshape(&merged, memory)?;
    let mut result = x.to_buffer(memory)?;
    places::write(&mut result, axis, places.as_list(), &updates.view(), combine);
    Ok(result.with_shape(call.shape).into())
}

fn scatter_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
    combine: impl Fn(T, T) -> T,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let (indices, updates) = (call.typed::<i64>(1), call.typed::<T>(2));
    let places = resolve_all(indices, x.shape(), axis, call.memory)?;
    let mut result = x.to_buffer(call.memory)?;
    if places.is_empty() {
        return Ok(result);
    }
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
fn resolve_all<'m>(
    indices: &Tensor<'_, i64>,
    shape: &[usize],
    axis: usize,
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let mut places = memory.zeros::<usize>(indices.shape())?;
    let length = shape[axis];
    for (before, (index, place)) in indices.view().iter().zip(&mut *places).enumerate() {
        *place = resolve(*index, length).ok_or_else(|| ErrorKind::IndexOutOfRange {
            index: *index,
            axis,
            length,
            position: position(indices.shape(), before),
        })?;
    }
    Ok(places)
}

/// The places that the rows of the indices name on the leading axes of `shape`,
/// these merged into one. Each coordinate is checked against its own axis.
fn row_places<'m>(
    indices: &Tensor<'_, i64>,
    shape: &[usize],
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let (rows, depth) = split_rows(indices);
    let mut places = memory.zeros::<usize>(&[rows])?;
    for (i, index) in indices.view().iter().enumerate() {
        let (row, axis) = (i / depth, i % depth);
        let length = shape[axis];
        let place = resolve(*index, length).ok_or_else(|| ErrorKind::IndexOutOfRange {
            index: *index,
            axis,
            length,
            position: position(indices.shape(), i),
        })?;
        places[row] = places[row] * length + place;
    }
    Ok(places)
}

/// The tensor with the leading axes that the rows of the indices address merged into one.
fn merge_addressed<'a, T: Item>(
    x: &Tensor<'a, T>,
    indices: &Tensor<'_, i64>,
    memory: &'a Memory,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let (_, depth) = split_rows(indices);
    x.clone().reshape(&places::merge(x.shape(), 0..depth), memory)
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
