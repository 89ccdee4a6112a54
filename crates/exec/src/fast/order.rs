//! `argmax`, `argmin` and sorting.

use tamis_graph::Order;

use super::chunks::{self, CHUNK, RowChunk};
use super::{copy, index, sort};
use crate::kernel::Call;
use crate::kernel::number::is_nan;
use crate::raw;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

/// How many fibers that lie side by side are searched at a time.
const FIBERS: usize = if cfg!(test) { 8 } else { 128 };

/// How many of them are worth a thread.
const FEWEST: usize = if cfg!(test) { 4 } else { 32 };

/// How many elements a row has at most to be searched side by side with others: a longer one
/// fills the vector registers by itself.
const SHORT: usize = 32;

/// How many rows are searched side by side.
const ROWS: usize = if cfg!(test) { 8 } else { 32 };

pub(super) fn run<'a>(op: Order, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let x = call.operands[0];
    match op {
        // The reference visits one of what repeats.
        Order::Argmax { .. } | Order::Argmin { .. } if repeats_often(call) => None,
        Order::Argmax { axis, if_empty } => {
            dispatch!(x, x => indices(call, x, axis, if_empty, &Best(|a: &_, b: &_| a > b)))
        }
        Order::Argmin { axis, if_empty } => {
            dispatch!(x, x => indices(call, x, axis, if_empty, &Best(|a: &_, b: &_| a < b)))
        }
        Order::Argsort { axis, descending } => dispatch!(x, x => sort::argsort(call, x, axis, descending)),
        Order::TopK { axis } => dispatch!(words: x.words(), x => index::gather_along(call, &x, axis)),
    }
}

/// Whether the operands together repeat elements so often that visiting each of them
/// takes longer on all threads than one of what repeats on one.
fn repeats_often(call: &Call<'_, '_>) -> bool {
    let shape = call.operands[0].shape();
    let repeats = |from_end| call.operands.iter().all(|operand| operand.repeats_along_from_end(from_end));
    (0..shape.len()).any(|axis| shape[axis] >= OFTEN && repeats(shape.len() - axis))
}

/// How many times the reference is slower on one thread, at most.
const OFTEN: usize = 1000;

/// The index of an empty selection, until the requested one replaces it.
const NONE: i64 = -1;

/// Elements, and which of them are selected; without a mask all are.
#[derive(Clone, Copy)]
struct Elements<'x, T> {
    x: &'x [T],
    mask: Option<&'x [bool]>,
}

impl<'x, T: Item> Elements<'x, T> {
    /// `length` of the elements, from `start` on.
    fn range(self, start: usize, length: usize) -> Elements<'x, T> {
        let mask = self.mask.map(|mask| &mask[start..start + length]);
        Elements { x: &self.x[start..start + length], mask }
    }
}

/// The loops that are compiled for each comparison of elements: all else is compiled once for
/// each dtype.
trait Search<T>: Sync {
    /// Whether an element replaces the best so far, as a NaN does.
    fn wins(&self, x: &T, best: &T) -> bool;

    /// The index of the first selected element that none is better than, or of the first NaN.
    fn first_best(&self, elements: Elements<'_, T>) -> i64;

    /// The same for fibers that lie side by side, `width` in all, from `left` on.
    fn first_bests(&self, indices: &mut [i64], elements: Elements<'_, T>, left: usize, width: usize);

    /// The same for rows of `length` elements, one after the other.
    fn first_bests_of_rows(&self, indices: &mut [i64], elements: Elements<'_, T>, length: usize);
}

/// A search by a function that says whether one element is better than another.
struct Best<F>(F);

impl<T: Item, F: Fn(&T, &T) -> bool + Sync> Search<T> for Best<F> {
    #[inline(always)]
    fn wins(&self, x: &T, best: &T) -> bool {
        !is_nan(*best) & (is_nan(*x) | (self.0)(x, best))
    }

    fn first_best(&self, elements: Elements<'_, T>) -> i64 {
        let first = match elements.mask {
            Some(mask) => first_best_selected(elements.x, mask, &self.0),
            None => Some(first_best(elements.x, &self.0)),
        };
        first.map_or(NONE, |index| index as i64)
    }

    fn first_bests(&self, indices: &mut [i64], elements: Elements<'_, T>, left: usize, width: usize) {
        let Elements { x, mask } = elements;
        let (every, range) = ([true; FIBERS], left..left + indices.len());
        let mut bests = [x[left]; FIBERS];
        indices.fill(NONE);
        for (step, row) in x.chunks_exact(width).enumerate() {
            let mask = mask.map_or(&every[..indices.len()], |mask| &mask[step * width..][range.clone()]);
            let elements = row[range.clone()].iter().zip(mask);
            for ((index, best), (x, selected)) in indices.iter_mut().zip(&mut bests).zip(elements) {
                let wins = *selected & ((*index == NONE) | self.wins(x, best));
                *index = if wins { step as i64 } else { *index };
                *best = if wins { *x } else { *best };
            }
        }
    }

    fn first_bests_of_rows(&self, indices: &mut [i64], elements: Elements<'_, T>, length: usize) {
        let row_by_row = length > SHORT || indices.len() < ROWS;
        if row_by_row {
            for (row, index) in indices.iter_mut().enumerate() {
                *index = self.first_best(elements.range(row * length, length));
            }
            return;
        }
        chunks::vectorised(
            #[inline(always)]
            || {
                for row in (0..indices.len()).step_by(ROWS) {
                    // The last ones overlap those before.
                    let first = row.min(indices.len() - ROWS);
                    let found = match elements.mask {
                        Some(_) => self.side_by_side::<T, true>(elements, first, length),
                        None => self.side_by_side::<T, false>(elements, first, length),
                    };
                    let indices = indices[first..first + ROWS].iter_mut();
                    indices.zip(found).for_each(|(index, found)| *index = i64::from(found));
                }
            },
        );
    }
}

impl<F> Best<F> {
    /// The indices of the best of [`ROWS`] rows of `length` elements, from row `first` on: column
    /// by column, without a branch for any element.
    #[inline(always)]
    fn side_by_side<T: Item, const MASKED: bool>(
        &self,
        elements: Elements<'_, T>,
        first: usize,
        length: usize,
    ) -> [i32; ROWS]
    where
        F: Fn(&T, &T) -> bool + Sync,
    {
        const EMPTY: i32 = NONE as i32;
        let rows = elements.range(first * length, ROWS * length);
        // Those two groups further on, of which each column asks for as many lines as it reads.
        let ahead = &elements.x[elements.x.len().min((first + 2 * ROWS) * length)..];
        let mut ahead = ahead.chunks(ROWS);
        let (mut column, mut selected) = ([T::default(); ROWS], [true; ROWS]);
        let (mut bests, mut indices) = (column, [EMPTY; ROWS]);
        for index in 0..length {
            ahead.next().into_iter().for_each(raw::prefetch);
            raw::column(rows.x, length, index, &mut column);
            if let Some(mask) = rows.mask {
                raw::column(mask, length, index, &mut selected);
            }
            if !MASKED && index == 0 {
                (bests, indices) = (column, [0; ROWS]);
                continue;
            }
            for row in 0..ROWS {
                let (x, best) = (column[row], bests[row]);
                let wins = self.wins(&x, &best);
                let wins = if MASKED { selected[row] & (wins | (indices[row] == EMPTY)) } else { wins };
                bests[row] = if wins { x } else { best };
                indices[row] = if wins { index as i32 } else { indices[row] };
            }
        }
        indices
    }
}

fn indices<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
    if_empty: Option<i64>,
    search: &dyn Search<T>,
) -> Option<AnyTensor<'a>> {
    if x.shape().contains(&0) || x.stored().len() < x.view().len() {
        return None;
    }
    let (length, width) = (x.shape()[axis], x.shape()[axis + 1..].iter().product::<usize>());
    let mut result = call.memory.unspecified::<i64>(call.shape).ok()?;
    let contiguous = copy::contiguous(call, &x.view())?;
    let masked = call.operands.len() > 1;
    let mask = if masked { Some(copy::contiguous(call, &call.typed::<bool>(1).view())?) } else { None };
    let elements = Elements { x: &contiguous, mask: mask.as_deref() };
    if result.len() == 1 {
        result.as_contiguous_mut()[0] = first_best_of_chunks(elements, search, call.threads);
    } else if width == 1 {
        let fibers = chunks::rows_per_chunk(length);
        call.threads.for_each_chunk(result.as_contiguous_mut(), fibers, &|chunk, output| {
            let elements = elements.range(chunk * fibers * length, output.len() * length);
            search.first_bests_of_rows(output, elements, length);
        });
    } else {
        let group = chunks::rows_per_chunk(length * width);
        let step = chunks::rows_per_chunk(length).next_multiple_of(FEWEST);
        let row_chunks = chunks::row_chunks(result.as_contiguous_mut(), [width, 1], group, step);
        chunks::each(call.threads, row_chunks, &|_,
                                                 RowChunk {
                                                     block: first,
                                                     row: fiber,
                                                     elements: indices,
                                                 }| {
            for (block, indices) in indices.chunks_mut(width).enumerate() {
                let elements = elements.range((first + block) * length * width, length * width);
                for (i, indices) in indices.chunks_mut(FIBERS).enumerate() {
                    search.first_bests(indices, elements, fiber + i * FIBERS, width);
                }
            }
        });
    }
    if masked {
        for index in result.as_contiguous_mut().iter_mut().filter(|index| **index == NONE) {
            *index = if_empty?;
        }
    }
    Some(result.into())
}

/// The index of the first element that none is better than, or of the first
/// NaN, in a fiber of which each thread searches a chunk at a time.
fn first_best_of_chunks<T: Item>(fiber: Elements<'_, T>, search: &dyn Search<T>, threads: &Threads) -> i64 {
    let length = fiber.x.len();
    let mut indices = vec![NONE; length.div_ceil(CHUNK)];
    threads.for_each_chunk(&mut indices, 1, &|chunk, index| {
        let start = chunk * CHUNK;
        let found = search.first_best(fiber.range(start, CHUNK.min(length - start)));
        index[0] = if found == NONE { NONE } else { found + start as i64 };
    });
    let found = indices.into_iter().filter(|index| *index != NONE);
    let element = |index: i64| &fiber.x[index as usize];
    let best = found.reduce(|best, next| if search.wins(element(next), element(best)) { next } else { best });
    best.unwrap_or(NONE)
}

/// Finds what is best first, for which no indices are needed, and then where it is.
fn first_best<T: Item>(fiber: &[T], better: &impl Fn(&T, &T) -> bool) -> usize {
    let found = chunks::vectorised(
        #[inline(always)]
        || {
            let mut bests = [fiber[0]; 16];
            let mut has_nan = false;
            let (rows, rest) = fiber.as_chunks::<16>();
            let mut include = |row: &[T]| {
                for (best, x) in bests.iter_mut().zip(row) {
                    has_nan |= is_nan(*x);
                    *best = if better(x, best) { *x } else { *best };
                }
            };
            rows.iter().for_each(|row| include(row));
            include(rest);
            if has_nan {
                return fiber.iter().position(|x| is_nan(*x));
            }
            let best = bests.into_iter().reduce(|best, x| if better(&x, &best) { x } else { best });
            fiber.iter().position(|x| Some(*x) == best)
        },
    );
    found.unwrap_or_else(|| unreachable!("the best of the fiber is in the fiber"))
}

/// [`first_best`] of the selected elements; `None` where none is selected.
fn first_best_selected<T: Item>(
    fiber: &[T],
    mask: &[bool],
    better: &impl Fn(&T, &T) -> bool,
) -> Option<usize> {
    let first = mask.iter().position(|selected| *selected)?;
    chunks::vectorised(
        #[inline(always)]
        || {
            let mut bests = [fiber[first]; 16];
            let mut has_nan = false;
            let (rows, rest) = fiber.as_chunks::<16>();
            let (mask_rows, mask_rest) = mask.as_chunks::<16>();
            let mut include = |row: &[T], mask: &[bool]| {
                for ((best, x), selected) in bests.iter_mut().zip(row).zip(mask) {
                    has_nan |= *selected & is_nan(*x);
                    *best = if *selected & better(x, best) { *x } else { *best };
                }
            };
            rows.iter().zip(mask_rows).for_each(|(row, mask)| include(row, mask));
            include(rest, mask_rest);
            let mut selected = fiber.iter().zip(mask);
            if has_nan {
                return selected.position(|(x, selected)| *selected && is_nan(*x));
            }
            let best = bests.into_iter().reduce(|best, x| if better(&x, &best) { x } else { best });
            selected.position(|(x, selected)| *selected && Some(*x) == best)
        },
    )
}
