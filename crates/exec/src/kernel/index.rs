//! Reading and writing at computed indices.

use ndarray::{Axis, Zip};
use tamis_graph::{Addressing, Combine, Index};

use super::number::{Number, Ordered};
use super::{Call, offsets};
use crate::error::ErrorKind;
use crate::memory::{Buffer, Memory};
use crate::row_major::position_of;
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
            let offsets = resolve_all(indices, x.shape(), axis, memory)?;
            offsets::read(x, axis, offsets.as_contiguous(), memory)?
        }
        Addressing::Nd => {
            let offsets = row_offsets(indices, x.shape(), memory)?;
            offsets::read(&merge_addressed(x, indices, memory)?, 0, offsets.as_contiguous(), memory)?
        }
        Addressing::AlongAxis(axis) => gather_along(call, x, axis)?,
    };
    Ok(read.with_shape(call.shape).into())
}

/// The elements of `x` that the second operand, indices into `axis`, addresses.
pub(super) fn gather_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let indices = call.typed::<i64>(1);
    let offsets = resolve_all(indices, x.shape(), axis, call.memory)?;
    let mut result = call.memory.zeros::<T>(indices.shape())?;
    if result.is_empty() {
        return Ok(result);
    }
    let axis = Axis(axis);
    Zip::from(result.lanes_mut(axis)).and(x.view().lanes(axis)).and(offsets.lanes(axis)).for_each(
        |mut result, x, offsets| {
            for (element, offset) in result.iter_mut().zip(offsets) {
                *element = x[*offset];
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
    let (axis, x, offsets) = match addressing {
        Addressing::Axis(axis) => (axis, x.clone(), resolve_all(indices, x.shape(), axis, memory)?),
        Addressing::Nd => (0, merge_addressed(x, indices, memory)?, row_offsets(indices, x.shape(), memory)?),
        Addressing::AlongAxis(axis) => {
            return Ok(scatter_along(call, x, axis, combine)?.into());
        }
    };
    // The addressed axes are merged, as the offsets are one array.
    let mut merged = x.shape().to_vec();
    merged[axis] = offsets.len();
    let updates = updates.clone().reshape(&merged, memory)?;
    let mut result = x.to_buffer(memory)?;
    offsets::write(&mut result, axis, offsets.as_contiguous(), &updates.view(), combine);
    Ok(result.with_shape(call.shape).into())
}

fn scatter_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
    combine: impl Fn(T, T) -> T,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let (indices, updates) = (call.typed::<i64>(1), call.typed::<T>(2));
    let offsets = resolve_all(indices, x.shape(), axis, call.memory)?;
    let mut result = x.to_buffer(call.memory)?;
    if offsets.is_empty() {
        return Ok(result);
    }
    let axis = Axis(axis);
    Zip::from(result.lanes_mut(axis)).and(updates.view().lanes(axis)).and(offsets.lanes(axis)).for_each(
        |mut result, updates, offsets| {
            for (update, offset) in updates.iter().zip(offsets) {
                result[*offset] = combine(result[*offset], *update);
            }
        },
    );
    Ok(result)
}

/// The offset in an axis of this length that an index addresses, counting from the end if
/// negative.
fn resolve(index: i64, length: usize) -> Option<usize> {
    let length = length as i64;
    let offset = if index < 0 { index.checked_add(length)? } else { index };
    (0..length).contains(&offset).then_some(offset as usize)
}

/// The offsets that all indices address on one axis of `shape`.
fn resolve_all<'m>(
    indices: &Tensor<'_, i64>,
    shape: &[usize],
    axis: usize,
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let mut offsets = memory.zeros::<usize>(indices.shape())?;
    let length = shape[axis];
    for (before, (index, offset)) in indices.view().iter().zip(&mut *offsets).enumerate() {
        *offset = resolve(*index, length).ok_or_else(|| ErrorKind::IndexOutOfRange {
            index: *index,
            axis,
            length,
            position: position_of(indices.shape(), before).to_vec(),
        })?;
    }
    Ok(offsets)
}

/// The offsets that the rows of the indices address on the leading axes of `shape`,
/// these merged into one. Each coordinate is checked against its own axis.
fn row_offsets<'m>(
    indices: &Tensor<'_, i64>,
    shape: &[usize],
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let (rows, depth) = split_rows(indices);
    let mut offsets = memory.zeros::<usize>(&[rows])?;
    for (i, index) in indices.view().iter().enumerate() {
        let (row, axis) = (i / depth, i % depth);
        let length = shape[axis];
        let offset = resolve(*index, length).ok_or_else(|| ErrorKind::IndexOutOfRange {
            index: *index,
            axis,
            length,
            position: position_of(indices.shape(), i).to_vec(),
        })?;
        offsets[row] = offsets[row] * length + offset;
    }
    Ok(offsets)
}

/// The tensor with the leading axes that the rows of the indices address merged into one.
fn merge_addressed<'a, T: Item>(
    x: &Tensor<'a, T>,
    indices: &Tensor<'_, i64>,
    memory: &'a Memory,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let (_, depth) = split_rows(indices);
    x.clone().reshape(&offsets::merge(x.shape(), 0..depth), memory)
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
