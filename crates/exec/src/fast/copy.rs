//! Copies of tensors in any layout to row-major order. Does not depend on ops.

use std::ops::Deref;

use ndarray::{ArrayViewD, Axis};

use super::chunks::{self, CHUNK, RowChunk};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::kernel::Call;
use crate::memory::{Buffer, Memory};
use crate::raw::{self, Strided, Word};
use crate::row_major::{Position, merged, position_of};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

/// How many elements of one axis, and then of the other, a transposition moves at a
/// time: what it reads and writes stays in the nearest cache.
const TILE: usize = 32;

/// The elements of a tensor in row-major order: borrowed if they are contiguous, else a
/// copy.
pub(super) enum Contiguous<'t, 'a, T> {
    Shared(&'t [T]),
    Copied(Buffer<'a, T>),
}

impl<T> Deref for Contiguous<'_, '_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Contiguous::Shared(elements) => elements,
            Contiguous::Copied(buffer) => buffer.as_contiguous(),
        }
    }
}

/// How many elements that are not stored a copy may have, if the result has fewer.
const MOST_REPEATED: usize = 1 << 26;

/// All elements of `x`, an operand, in row-major order. `None` where there is no memory
/// for a copy, or where it would repeat far more elements than the result has.
pub(super) fn contiguous<'t, 'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &ArrayViewD<'t, T>,
) -> Option<Contiguous<'t, 'a, T>> {
    if let Some(elements) = x.to_slice() {
        return Some(Contiguous::Shared(elements));
    }
    let most = call.shape.iter().product::<usize>().saturating_mul(4).max(MOST_REPEATED);
    let is_repeated = x.shape().iter().zip(x.strides()).any(|(length, stride)| *length > 1 && *stride == 0);
    if is_repeated && x.len() > most {
        return None;
    }
    copy(x, call.memory, call.threads).ok().map(Contiguous::Copied)
}

/// A copy of all elements in row-major order.
pub(super) fn copy<'m, T: Item>(
    x: &ArrayViewD<'_, T>,
    memory: &'m Memory,
    threads: &Threads,
) -> Result<Buffer<'m, T>, ErrorKind> {
    let mut buffer = memory.unspecified(x.shape())?;
    fill(buffer.as_contiguous_mut(), x, threads);
    Ok(buffer)
}

/// The tensor with all elements in memory that it owns or shares, copied only
/// where they must be.
pub(crate) fn into_materialized<'a>(
    x: AnyTensor<'a>,
    memory: &'a Memory,
    threads: &Threads,
) -> Result<AnyTensor<'a>, ErrorKind> {
    fn all<'a, T: Item>(
        x: Tensor<'a, T>,
        memory: &'a Memory,
        threads: &Threads,
    ) -> Result<AnyTensor<'a>, ErrorKind> {
        if x.is_materialized() { Ok(x.into()) } else { Ok(copy(&x.view(), memory, threads)?.into()) }
    }
    dispatch!(x, x => all(x, memory, threads))
}

/// Writes the elements of `x`, which are as many, in row-major order.
pub(super) fn fill<T: Item>(elements: &mut [T], x: &ArrayViewD<'_, T>, threads: &Threads) {
    match T::WORD {
        Word::Bool => fill_words::<bool>(raw::as_words_mut(elements), raw::as_words(x), threads),
        Word::Byte => fill_words::<u8>(raw::as_words_mut(elements), raw::as_words(x), threads),
        Word::Half => fill_words::<i32>(raw::as_words_mut(elements), raw::as_words(x), threads),
        Word::Whole => fill_words::<i64>(raw::as_words_mut(elements), raw::as_words(x), threads),
    }
}

fn fill_words<T: Item>(elements: &mut [T], x: ArrayViewD<'_, T>, threads: &Threads) {
    if elements.is_empty() {
        return;
    }
    let x = &merged(x);
    match transposed_axis(x) {
        Some(axis) => transpose(elements, x, axis, threads),
        None => {
            let source = Rows::new(x);
            threads.for_each_chunk(elements, CHUNK, &|index, output| source.read(index * CHUNK, output));
        }
    }
}

/// The axis along which a copy should read, if that is not the last one: where
/// neighbours on the last axis lie far apart or are few.
fn transposed_axis<T>(x: &ArrayViewD<'_, T>) -> Option<usize> {
    let last = x.ndim().checked_sub(1)?;
    let (length, stride) = (x.len_of(Axis(last)), x.strides()[last].unsigned_abs());
    let others = 0..last;
    if length < TILE / 2 {
        let longest = others.max_by_key(|axis| x.len_of(Axis(*axis)))?;
        return (x.len_of(Axis(longest)) > length).then_some(longest);
    }
    let long = others.filter(|axis| x.len_of(Axis(*axis)) >= TILE / 2);
    let nearest = long.min_by_key(|axis| x.strides()[*axis].unsigned_abs())?;
    (stride > TILE / 2 && x.strides()[nearest].unsigned_abs() < stride).then_some(nearest)
}

/// Writes `x` by reading along `transposed` instead of along the last axis.
///
/// Reading and writing in order cannot both be had. Small square tiles go through a buffer in
/// the nearest cache, so that of every line that is fetched, on either side, all elements are
/// used before it is evicted (M. Lam, E. Rothberg, M. Wolf, "The Cache Performance and
/// Optimizations of Blocked Algorithms", ASPLOS 1991).
fn transpose<T: Item>(elements: &mut [T], x: &ArrayViewD<'_, T>, transposed: usize, threads: &Threads) {
    let last = x.ndim() - 1;
    let middle = &x.shape()[transposed + 1..last];
    let (height, width) = (x.len_of(Axis(transposed)), x.len_of(Axis(last)));
    let row = middle.iter().product::<usize>() * width;
    let mut transposed_last = x.view();
    for axis in transposed..last {
        transposed_last.swap_axes(axis, axis + 1);
    }
    let source = Strided::new(&transposed_last);
    let outer_shape = &x.shape()[..transposed];
    let step = chunks::rows_per_chunk(row).next_multiple_of(TILE).min(height);
    let group = chunks::rows_per_chunk(height * row);
    let outputs = chunks::row_chunks(elements, [height, row], group, step);
    chunks::each(threads, outputs, &|_, RowChunk { block: first, row: start, elements }| {
        for (block, output) in elements.chunks_mut(height * row).enumerate() {
            let mut position = position_of(outer_shape, first + block);
            position.extend(std::iter::repeat_n(0, last + 1 - transposed));
            for (i, index) in (0..row / width).map(|i| (i, position_of(middle, i))) {
                position[transposed..last - 1].copy_from_slice(&index);
                let panel = Panel { output, row, offset: i * width, width };
                panel.write(&source, &mut position, start);
            }
        }
    });
}

/// Rows of `width` elements, `row` apart.
struct Panel<'p, T> {
    output: &'p mut [T],
    row: usize,
    offset: usize,
    width: usize,
}

impl<T: Item> Panel<'_, T> {
    /// Writes what `source` has on its last two axes, these exchanged, the
    /// last from `start` on.
    fn write(self, source: &Strided<'_, T>, position: &mut Position, start: usize) {
        let Panel { output, row, offset, width } = self;
        let height = output.len() / row;
        let rank = position.len();
        let mut tile = [T::default(); TILE * TILE];
        let columns = width.min(TILE);
        let rows = TILE * TILE / columns;
        for left in (0..width).step_by(columns) {
            let columns = columns.min(width - left);
            for top in (0..height).step_by(rows) {
                let rows = rows.min(height - top);
                position[rank - 1] = start + top;
                for (column, tile) in tile.chunks_exact_mut(rows).take(columns).enumerate() {
                    position[rank - 2] = left + column;
                    source.read(position, tile);
                }
                let lines = output[top * row..].chunks_mut(row).take(rows);
                let lines = lines.map(|line| &mut line[offset + left..offset + left + columns]);
                transpose_tile(lines, &tile, [rows, columns]);
            }
        }
    }
}

/// Writes the columns of a tile, whose rows of `rows` elements are `columns`, to `lines`.
fn transpose_tile<'p, T: Item>(
    lines: impl Iterator<Item = &'p mut [T]>,
    tile: &[T; TILE * TILE],
    [rows, columns]: [usize; 2],
) {
    if [rows, columns] == [TILE, TILE] {
        // The compiler knows the lengths, and drops all bounds checks.
        let (tile, _) = tile.as_chunks::<TILE>();
        for (i, line) in lines.enumerate().take(TILE) {
            for (element, column) in line.iter_mut().zip(tile) {
                *element = column[i];
            }
        }
        return;
    }
    for (i, line) in lines.enumerate() {
        for (column, element) in line.iter_mut().enumerate() {
            *element = tile[column * rows + i];
        }
    }
}
