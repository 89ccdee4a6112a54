//! Places of extreme elements, and sorting.

use tamis_graph::Order;

use super::pieces::{self, PIECE, Part};
use super::{copy, index, sort};
use crate::kernel::Call;
use crate::kernel::number::is_nan;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

/// How many lanes that lie side by side are searched at a time.
const LANES: usize = if cfg!(test) { 8 } else { 128 };

/// How many of them are worth a thread.
const FEWEST: usize = if cfg!(test) { 4 } else { 32 };

pub(super) fn run<'a>(op: Order, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let x = call.operands[0];
    match op {
        Order::Argmax { axis } => dispatch!(x, x => places(call, x, axis, |a, b| a > b)),
        Order::Argmin { axis } => dispatch!(x, x => places(call, x, axis, |a, b| a < b)),
        Order::Argsort { axis, descending } => dispatch!(x, x => sort::argsort(call, x, axis, descending)),
        Order::TopK { axis } => dispatch!(x, x => index::gather_along(call, x, axis)),
    }
}

fn places<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
    better: impl Fn(&T, &T) -> bool + Sync,
) -> Option<AnyTensor<'a>> {
    if x.shape().contains(&0) || x.stored().len() < x.view().len() {
        return None;
    }
    let (length, width) = (x.shape()[axis], x.shape()[axis + 1..].iter().product::<usize>());
    let mut result = call.memory.unspecified::<i64>(call.shape).ok()?;
    let list = copy::list(call, &x.view())?;
    let x: &[T] = &list;
    if result.len() == 1 {
        result.as_list_mut()[0] = first_best_of_pieces(x, &better, call.threads) as i64;
    } else if width == 1 {
        let lanes = pieces::rows_per_piece(length);
        call.threads.for_each_part(result.as_list_mut(), lanes, |piece, part| {
            for (place, lane) in part.iter_mut().zip(x[piece * lanes * length..].chunks_exact(length)) {
                *place = first_best(lane, &better) as i64;
            }
        });
    } else {
        let group = pieces::rows_per_piece(length * width);
        let step = pieces::rows_per_piece(length).next_multiple_of(FEWEST);
        let parts = pieces::parts(result.as_list_mut(), [width, 1], group, step);
        pieces::each(call.threads, parts, |_, Part { block: first, row: lane, elements }| {
            for (block, places) in elements.chunks_mut(width).enumerate() {
                let x = &x[(first + block) * length * width..][..length * width];
                for (i, places) in places.chunks_mut(LANES).enumerate() {
                    first_bests(places, x, lane + i * LANES, width, &better);
                }
            }
        });
    }
    Some(result.into())
}

/// The place of the first element that none is better than, or of the first
/// NaN, in a lane of which each thread searches a piece at a time.
fn first_best_of_pieces<T: Item>(
    lane: &[T],
    better: &(impl Fn(&T, &T) -> bool + Sync),
    threads: &Threads,
) -> usize {
    let mut places = vec![0; lane.len().div_ceil(PIECE)];
    threads.for_each_part(&mut places, 1, |piece, place| {
        let start = piece * PIECE;
        place[0] = start + first_best(&lane[start..lane.len().min(start + PIECE)], better);
    });
    let best = places.into_iter().reduce(
        |best, next| {
            if wins(&lane[next], &lane[best], better) { next } else { best }
        },
    );
    best.unwrap_or_else(|| unreachable!("a lane without elements is left to the reference kernel"))
}

fn wins<T: Item>(x: &T, best: &T, better: &impl Fn(&T, &T) -> bool) -> bool {
    !is_nan(*best) && (is_nan(*x) || better(x, best))
}

/// Finds what is best first, for which no places are needed, and then where it is.
fn first_best<T: Item>(lane: &[T], better: &impl Fn(&T, &T) -> bool) -> usize {
    let found = pieces::vectorised(
        #[inline(always)]
        || {
            let mut bests = [lane[0]; 16];
            let mut has_nan = false;
            let (rows, rest) = lane.as_chunks::<16>();
            let mut include = |row: &[T]| {
                for (best, x) in bests.iter_mut().zip(row) {
                    has_nan |= is_nan(*x);
                    *best = if better(x, best) { *x } else { *best };
                }
            };
            rows.iter().for_each(|row| include(row));
            include(rest);
            if has_nan {
                return lane.iter().position(|x| is_nan(*x));
            }
            let best = bests.into_iter().reduce(|best, x| if better(&x, &best) { x } else { best });
            lane.iter().position(|x| Some(*x) == best)
        },
    );
    found.unwrap_or_else(|| unreachable!("the best of the lane is in the lane"))
}

/// The same for lanes that lie side by side, `width` in all, from `left` on.
fn first_bests<T: Item>(
    places: &mut [i64],
    x: &[T],
    left: usize,
    width: usize,
    better: &impl Fn(&T, &T) -> bool,
) {
    let mut bests = [x[left]; LANES];
    bests[..places.len()].copy_from_slice(&x[left..left + places.len()]);
    places.fill(0);
    for (step, row) in x.chunks_exact(width).enumerate() {
        let row = &row[left..left + places.len()];
        for ((place, best), x) in places.iter_mut().zip(&mut bests).zip(row) {
            let wins = wins(x, best, better);
            *place = if wins { step as i64 } else { *place };
            *best = if wins { *x } else { *best };
        }
    }
}
