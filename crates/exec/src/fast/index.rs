//! Reading at computed places.

use std::sync::atomic::{AtomicBool, Ordering};

use tamis_graph::{Addressing, Index};

use super::copy::{self, List};
use super::pieces::{self, PIECE, Part};
use super::{rows, scatter};
use crate::kernel::Call;
use crate::memory::Buffer;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

pub(super) fn run<'a>(op: Index, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    match op {
        Index::Gather(addressing) => dispatch!(call.operands[0], x => gather(call, x, addressing)),
        Index::Scatter { addressing, combine } => scatter::run(call, addressing, combine),
    }
}

fn gather<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) {
        return None;
    }
    let (axis, depth) = match addressing {
        Addressing::Axis(axis) => (axis, 1),
        Addressing::Nd => (0, *call.operands[1].shape().last()?),
        Addressing::AlongAxis(axis) => return gather_along(call, x, axis),
    };
    let (length, width) =
        (x.shape()[axis..axis + depth].iter().product(), product(&x.shape()[axis + depth..]));
    let places = match addressing {
        Addressing::Nd => row_places(call, x.shape(), depth)?,
        Addressing::Axis(_) | Addressing::AlongAxis(_) => axis_places(call, x.shape()[axis], 1)?,
    };
    let x = affordable_list(call, x)?;
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    read(result.as_list_mut(), &x, [length, width], places.as_list(), call.threads);
    Some(result.into())
}

fn product(lengths: &[usize]) -> usize {
    lengths.iter().product()
}

/// The elements of `x` in row-major order, unless they would have to be copied
/// to read but a few of them.
fn affordable_list<'t, 'a, T: Item>(call: &Call<'_, 'a>, x: &'t Tensor<'a, T>) -> Option<List<'t, 'a, T>> {
    match x.view().to_slice() {
        Some(elements) => Some(List::Shared(elements)),
        None if product(x.shape()) / 4 > product(call.shape) => None,
        None => copy::copy(x, call.memory, call.threads).ok().map(List::Copied),
    }
}

/// Reads from each block of `x`, which are of `length` rows of `width`
/// elements, the rows at `places`. All places must be in the blocks.
pub(super) fn read<T: Item>(
    result: &mut [T],
    x: &[T],
    [length, width]: [usize; 2],
    places: &[usize],
    threads: &Threads,
) {
    let (group, step) = (pieces::rows_per_piece(places.len() * width), pieces::rows_per_piece(width));
    let parts = pieces::parts(result, [places.len(), width], group, step);
    pieces::each(threads, parts, |_, Part { block: first, row, elements }| {
        for (block, part) in elements.chunks_mut(places.len() * width).enumerate() {
            let x = &x[(first + block) * length * width..][..length * width];
            rows::take(part, x, &places[row..], width);
        }
    });
}

/// The place on an axis of this length that each index names, `None` if one
/// names none. The places are those of elements in rows of `width`, if the
/// indices are these rows.
pub(super) fn axis_places<'a>(call: &Call<'_, 'a>, length: usize, width: usize) -> Option<Buffer<'a, usize>> {
    let indices = call.typed::<i64>(1);
    let mut places = call.memory.unspecified::<usize>(indices.shape()).ok()?;
    let indices = copy::list(indices, call.memory, call.threads).ok()?;
    let (indices, odd): (&[i64], _) = (&indices, AtomicBool::new(false));
    call.threads.for_each_part(places.as_list_mut(), PIECE, |piece, part| {
        let start = piece * PIECE;
        let mut inside = true;
        for (i, (place, index)) in part.iter_mut().zip(&indices[start..]).enumerate() {
            *place = resolve(*index, length);
            inside &= *place < length;
            if width > 1 {
                *place = place.wrapping_mul(width).wrapping_add((start + i) % width);
            }
        }
        if !inside {
            odd.store(true, Ordering::Relaxed);
        }
    });
    (!odd.into_inner()).then_some(places)
}

/// The place that an index names in an axis of this length, counting from the
/// end if negative; `length` or more if it names none.
#[inline(always)]
fn resolve(index: i64, length: usize) -> usize {
    // The shift gives all ones for negative indices, and 0 for others.
    index.wrapping_add(length as i64 & (index >> 63)) as usize
}

/// The place that each row of the indices names on the leading axes of `shape`,
/// these merged into one; `None` if one names none.
pub(super) fn row_places<'a>(
    call: &Call<'_, 'a>,
    shape: &[usize],
    depth: usize,
) -> Option<Buffer<'a, usize>> {
    let indices = call.typed::<i64>(1);
    let (_, outer) = indices.shape().split_last()?;
    let mut places = call.memory.unspecified::<usize>(&[product(outer)]).ok()?;
    let indices = copy::list(indices, call.memory, call.threads).ok()?;
    let (indices, odd): (&[i64], _) = (&indices, AtomicBool::new(false));
    let step = pieces::rows_per_piece(depth);
    call.threads.for_each_part(places.as_list_mut(), step, |piece, part| {
        let mut inside = true;
        for (i, place) in part.iter_mut().enumerate() {
            *place = 0;
            for (index, length) in indices[(piece * step + i) * depth..][..depth].iter().zip(shape) {
                let on_axis = resolve(*index, *length);
                inside &= on_axis < *length;
                *place = place.wrapping_mul(*length).wrapping_add(on_axis);
            }
        }
        if !inside {
            odd.store(true, Ordering::Relaxed);
        }
    });
    (!odd.into_inner()).then_some(places)
}

/// The elements of `x` at the places on `axis` that the second operand names.
pub(super) fn gather_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) {
        return None;
    }
    let (length, width, count) = (x.shape()[axis], product(&x.shape()[axis + 1..]), call.shape[axis]);
    let x = affordable_list(call, x)?;
    let indices = copy::list(call.typed::<i64>(1), call.memory, call.threads).ok()?;
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    let x: &[T] = &x;
    let (indices, odd): (&[i64], _) = (&indices, AtomicBool::new(false));
    let (group, step) = (pieces::rows_per_piece(count * width), pieces::rows_per_piece(width));
    let parts = pieces::parts(result.as_list_mut(), [count, width], group, step);
    pieces::each(call.threads, parts, |_, Part { block: first, row, elements }| {
        for (block, part) in elements.chunks_mut(count * width).enumerate() {
            let x = &x[(first + block) * length * width..][..length * width];
            let indices = &indices[((first + block) * count + row) * width..][..part.len()];
            if take_along(part, x, indices, width, length).is_none() {
                odd.store(true, Ordering::Relaxed);
            }
        }
    });
    (!odd.into_inner()).then(|| result.into())
}

/// `None` if an index names no place.
fn take_along<T: Item>(taken: &mut [T], x: &[T], indices: &[i64], width: usize, length: usize) -> Option<()> {
    if width == 1 {
        for (taken, index) in taken.iter_mut().zip(indices) {
            *taken = *x.get(resolve(*index, length))?;
        }
        return Some(());
    }
    for (taken, indices) in taken.chunks_exact_mut(width).zip(indices.chunks_exact(width)) {
        for (i, (taken, index)) in taken.iter_mut().zip(indices).enumerate() {
            *taken = *x.get(resolve(*index, length).checked_mul(width)? + i)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn an_index_counts_from_either_end() {
        assert_eq!((resolve(2, 3), resolve(-3, 3)), (2, 0));
        for (index, length) in [(3, 3), (-4, 3), (i64::MIN, 3), (i64::MAX, 3), (0, 0), (-1, 0)] {
            assert!(resolve(index, length) >= length);
        }
    }
}
