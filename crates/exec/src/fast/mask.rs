//! Selection by a mask and its inverse.

use tamis_graph::Mask;

use super::chunks::{self, RowChunk};
use super::copy;
use super::index;
use super::offsets::Offsets;
use super::rows;
use super::selection::{Selection, each_true};
use crate::elements::Rows;
use crate::kernel::Call;
use crate::memory::Buffer;
use crate::row_major::{advance, position_of};
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Mask, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    match op {
        Mask::BooleanMask { axis } => {
            dispatch!(words: call.operands[0].words(), x => boolean_mask(call, &x, axis))
        }
        Mask::Unmask { axis } => {
            dispatch!(words: call.operands[0].words(), values => unmask(call, &values, axis))
        }
        Mask::Argwhere => argwhere(call),
    }
}

fn boolean_mask<'a, T: Item>(call: &Call<'_, 'a>, x: &Tensor<'_, T>, axis: usize) -> Option<AnyTensor<'a>> {
    let mask = call.typed::<bool>(1);
    let mut result = AnyBuffer::unspecified(call.operands[0].dtype(), call.shape, call.memory).ok()?;
    if call.shape.contains(&0) {
        return Some(result.repeated(call.shape));
    }
    let (inner, count) = (axis + mask.shape().len(), call.shape[axis]);
    let (blocks, width) = (x.shape()[..axis].iter().product::<usize>(), x.shape()[inner..].iter().product());
    let mask = copy::contiguous(call, &mask.view())?;
    let x = copy::contiguous(call, &x.view())?;
    let selection = Selection::new(&mask, chunks::rows_per_chunk(width), call.threads);
    if selection.total() != count {
        return None;
    }
    let x: &[T] = &x;
    if blocks == 1 {
        chunks::each(call.threads, selection.split(result.words_mut(), width), &|_, (chunk, output)| {
            let x = &x[chunk.start * width..][..chunk.mask.len() * width];
            chunks::vectorised(
                #[inline(always)]
                || rows::compress(output, x, chunk.mask, width),
            );
        });
    } else {
        let offsets = true_offsets(call, &selection)?;
        let offsets = offsets.as_contiguous();
        let known = |_| Offsets::Known(offsets);
        index::read(result.words_mut(), x, [mask.len(), width, count], &known, call.threads)?;
    }
    Some(result.repeated(call.shape))
}

/// The row-major offsets of the true elements.
fn true_offsets<'a>(call: &Call<'_, 'a>, selection: &Selection<'_>) -> Option<Buffer<'a, usize>> {
    let mut offsets = call.memory.unspecified::<usize>(&[selection.total()]).ok()?;
    chunks::each(call.threads, selection.split(offsets.as_contiguous_mut(), 1), &|_, (chunk, output)| {
        let mut offsets = output.iter_mut();
        each_true(chunk.mask, |i| {
            if let Some(offset) = offsets.next() {
                *offset = chunk.start + i;
            }
        });
    });
    Some(offsets)
}

fn unmask<'a, T: Item>(call: &Call<'_, 'a>, values: &Tensor<'_, T>, axis: usize) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) {
        return None;
    }
    let (mask, fill) = (call.typed::<bool>(1), call.words::<T>(2));
    let (inner, count) = (axis + mask.shape().len(), values.shape()[axis]);
    let width = call.shape[inner..].iter().product::<usize>();
    let mut result = AnyBuffer::unspecified(call.operands[0].dtype(), call.shape, call.memory).ok()?;
    let mask = copy::contiguous(call, &mask.view())?;
    let values = copy::contiguous(call, &values.view())?;
    let (values, fill): (&[T], _) = (&values, Rows::new(&fill.view_as(call.shape)));
    let (length, step) = (mask.len(), chunks::rows_per_chunk(width));
    let selection = Selection::new(&mask, step, call.threads);
    if selection.total() != count {
        return None;
    }
    let mask_chunks = selection.chunks();
    let group = chunks::rows_per_chunk(length * width);
    let outputs = chunks::row_chunks(result.words_mut(), [length, width], group, step);
    chunks::each(call.threads, outputs, &|_, RowChunk { block: first, row, elements }| {
        fill.read((first * length + row) * width, elements);
        for (block, output) in elements.chunks_mut(length * width).enumerate() {
            let values = &values[(first + block) * count * width..][..count * width];
            let mut start = row;
            for output in output.chunks_mut(step * width) {
                let chunk = &mask_chunks[start / step];
                let values = &values[chunk.before * width..][..chunk.count * width];
                chunks::vectorised(
                    #[inline(always)]
                    || rows::expand(output, values, chunk.mask, width),
                );
                start += step;
            }
        }
    });
    Some(result.repeated(call.shape))
}

fn argwhere<'a>(call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let mask = call.typed::<bool>(0);
    let mut result = call.memory.unspecified::<i64>(call.shape).ok()?;
    if result.is_empty() {
        return Some(result.into());
    }
    let contiguous = copy::contiguous(call, &mask.view())?;
    let selection = Selection::new(&contiguous, chunks::CHUNK, call.threads);
    if selection.total() != call.shape[0] {
        return None;
    }
    let (shape, contiguous) = (mask.shape(), result.as_contiguous_mut());
    match shape.len() {
        1 => coordinates::<1>(contiguous, &selection, shape, call),
        2 => coordinates::<2>(contiguous, &selection, shape, call),
        3 => coordinates::<3>(contiguous, &selection, shape, call),
        4 => coordinates::<4>(contiguous, &selection, shape, call),
        _ => return None,
    }
    Some(result.into())
}

/// Writes the coordinates of the true elements of a mask of this shape.
fn coordinates<const RANK: usize>(
    contiguous: &mut [i64],
    selection: &Selection<'_>,
    shape: &[usize],
    call: &Call<'_, '_>,
) {
    chunks::each(call.threads, selection.split(contiguous, RANK), &|_, (chunk, output)| {
        let mut rows = output.as_chunks_mut::<RANK>().0.iter_mut();
        let mut position = [0; RANK];
        position.copy_from_slice(&position_of(shape, chunk.start));
        let mut mask = chunk.mask;
        while !mask.is_empty() {
            let (run, rest) = mask.split_at(mask.len().min(shape[RANK - 1] - position[RANK - 1]));
            mask = rest;
            let first = position.map(|offset| offset as i64);
            each_true(run, |i| {
                if let Some(row) = rows.next() {
                    *row = first;
                    row[RANK - 1] += i as i64;
                }
            });
            position[RANK - 1] = 0;
            advance(&mut position[..RANK - 1], &shape[..RANK - 1]);
        }
    });
}
