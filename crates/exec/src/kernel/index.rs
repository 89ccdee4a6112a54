//! Reading and writing at computed indices.

use tamis_graph::{Addressing, Combine, Index};

use super::Call;
use super::number::{Number, Ordered};
use super::offsets::{self, Along};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::{Buffer, Memory};
use crate::row_major::position_of;
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Index, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    match op {
        Index::Gather(addressing) => dispatch!(words: x.words(), x => gather(call, &x, addressing)),
        Index::Scatter { addressing, combine } => match (combine, x) {
            (Combine::Set, x) => {
                dispatch!(words: x.words(), x => scatter(call, &x, addressing, &|_, new| new))
            }
            (Combine::Or, _) | (Combine::Add, AnyTensor::Bool(_)) => {
                scatter(call, call.typed::<bool>(0), addressing, &|old, new| old | new)
            }
            (Combine::Mul, AnyTensor::Bool(_)) => {
                scatter(call, call.typed::<bool>(0), addressing, &|old, new| old & new)
            }
            (Combine::Mul, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, &Number::mul)),
            (Combine::Max, x) => dispatch!(x, x => scatter(call, x, addressing, &Ordered::larger)),
            (Combine::Min, x) => dispatch!(x, x => scatter(call, x, addressing, &Ordered::smaller)),
            (Combine::Add, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, &Number::add)),
        },
    }
}

fn gather<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    addressing: Addressing,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (indices, memory) = (call.typed::<i64>(1), call.memory);
    let (axis, x, offsets) = match addressing {
        Addressing::Axis(axis) => (axis, x.borrowed(), resolve_all(indices, x.shape(), axis, memory)?),
        Addressing::Nd => (0, merge_addressed(x, indices, memory)?, row_offsets(indices, x.shape(), memory)?),
        Addressing::AlongAxis(axis) => return gather_along(call, x, axis),
    };
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, memory)?;
    offsets::read(result.words_mut(), &x, axis, offsets.as_contiguous());
    Ok(result.repeated(call.shape))
}

/// The elements of `x` that the second operand, indices into `axis`, addresses.
pub(super) fn gather_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let offsets = resolve_all(call.typed(1), x.shape(), axis, call.memory)?;
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, call.memory)?;
    let (source, elements) = (Rows::new(&x.view()), result.words_mut());
    each_along(x.shape(), axis, &offsets, &mut |addressed, offset| elements[addressed] = source.get(offset));
    Ok(result.repeated(call.shape))
}

fn scatter<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    addressing: Addressing,
    combine: &dyn Fn(T, T) -> T,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let (indices, updates, memory) = (call.typed::<i64>(1), call.words::<T>(2), call.memory);
    let (axis, shape, offsets) = match addressing {
        Addressing::Axis(axis) => (axis, x.shape().to_vec(), resolve_all(indices, x.shape(), axis, memory)?),
        Addressing::Nd => (0, addressed_merged(x.shape(), indices), row_offsets(indices, x.shape(), memory)?),
        Addressing::AlongAxis(axis) => {
            (axis, x.shape().to_vec(), resolve_all(indices, x.shape(), axis, memory)?)
        }
    };
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, memory)?;
    let elements = result.words_mut();
    Rows::new(&x.view()).read(0, elements);
    if let Addressing::AlongAxis(axis) = addressing {
        let updates = Rows::new(&updates.view());
        each_along(x.shape(), axis, &offsets, &mut |addressed, offset| {
            elements[offset] = combine(elements[offset], updates.get(addressed));
        });
    } else {
        offsets::write(elements, &shape, axis, offsets.as_contiguous(), &updates, combine);
    }
    Ok(result.repeated(call.shape))
}

/// Calls `task` with each element of an array of offsets along an axis, and the
/// element of an array of this shape that it addresses.
fn each_along(shape: &[usize], axis: usize, offsets: &Buffer<'_, usize>, task: &mut dyn FnMut(usize, usize)) {
    let (from, to) = (Along::new(offsets.shape(), axis), Along::new(shape, axis));
    for (i, offset) in offsets.as_contiguous().iter().enumerate() {
        let (block, column) = (i / from.width / from.length, i % from.width);
        task(i, to.row(block, *offset) + column);
    }
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
fn merge_addressed<'t, T: Item>(
    x: &'t Tensor<'_, T>,
    indices: &Tensor<'_, i64>,
    memory: &'t Memory,
) -> Result<Tensor<'t, T>, ErrorKind> {
    x.borrowed().reshape_internally(&addressed_merged(x.shape(), indices), x.shape(), memory)
}

/// The same of a shape alone.
fn addressed_merged(shape: &[usize], indices: &Tensor<'_, i64>) -> Vec<usize> {
    let (_, depth) = split_rows(indices);
    offsets::merge(shape, 0..depth)
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
