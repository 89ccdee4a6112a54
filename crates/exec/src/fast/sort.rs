//! Sorting by keys: each element becomes an unsigned number of the same order,
//! followed by its place, so that sorting is stable whatever the method.

use std::sync::{Mutex, PoisonError};

use super::copy;
use super::pieces::{self, PIECE};
use crate::kernel::Call;
use crate::pool::Pooled;
use crate::tensor::{AnyTensor, Item, Tensor};
use crate::threads::Threads;

/// Elements that sort by a key.
pub(super) trait Sortable: Item {
    /// A key and a place.
    type Entry: Ord + Pooled + Send + Sync;

    /// The entry of the element at `place`. Zeros of either sign have one key;
    /// NaN has the last, in either direction.
    fn entry(self, place: usize, descending: bool) -> Self::Entry;

    /// The place in an entry.
    fn place(entry: Self::Entry) -> i64;

    /// How many places an entry can tell apart.
    const PLACES: u64;
}

/// Elements whose key is made by `$key`, and is the last if they are NaN.
macro_rules! sortable {
    ($($ty:ty: $entry:ty, $half:ty, $x:ident => $key:expr;)*) => {$(
        impl Sortable for $ty {
            type Entry = $entry;

            const PLACES: u64 = <$half>::MAX as u64;

            #[inline(always)]
            fn entry(self, place: usize, descending: bool) -> $entry {
                let $x = self;
                let key: $half = $key;
                let key = if descending { !key } else { key };
                let key = if crate::kernel::number::is_nan(self) { <$half>::MAX } else { key };
                (<$entry>::from(key) << <$half>::BITS) | place as $entry
            }

            #[inline(always)]
            fn place(entry: $entry) -> i64 {
                entry as $half as i64
            }
        }
    )*};
}

sortable! {
    bool: u64, u32, x => u32::from(x);
    u8: u64, u32, x => u32::from(x);
    i32: u64, u32, x => x as u32 ^ (1 << 31);
    f32: u64, u32, x => {
        // The sum makes −0 to 0. Negative floats fall as their bits rise.
        let bits = (x + 0.0).to_bits();
        if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
    };
    i64: u128, u64, x => x as u64 ^ (1 << 63);
    f64: u128, u64, x => {
        let bits = (x + 0.0).to_bits();
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    };
}

/// The places of the elements in sorted order along `axis`.
pub(super) fn argsort<'a, T: Sortable>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
    descending: bool,
) -> Option<AnyTensor<'a>> {
    let length = x.shape()[axis];
    if x.shape().contains(&0) || length as u64 > T::PLACES {
        return None;
    }
    // The axis is sorted as the last one, and the result read as if it had been in its place.
    let rank = x.shape().len();
    let order: Vec<usize> = (0..axis).chain(axis + 1..rank).chain([axis]).collect();
    let back: Vec<usize> = (0..axis).chain([rank - 1]).chain(axis..rank - 1).collect();
    let x = x.clone().permute(&order);
    let mut result = call.memory.unspecified::<i64>(x.shape()).ok()?;
    let list = copy::list(call, &x.view())?;
    let x: &[T] = &list;
    let long = length > 2 * PIECE && result.len() / length < call.threads.count();
    let spare = if long { 2 } else { call.threads.count().min(result.len() / length) };
    let mut entries = call.memory.unspecified::<T::Entry>(&[spare, length]).ok()?;
    let entries = entries.as_list_mut();
    if long {
        for (places, lane) in result.as_list_mut().chunks_exact_mut(length).zip(x.chunks_exact(length)) {
            sort_long(places, lane, entries, descending, call.threads);
        }
    } else {
        // As many as there are threads: each finds one.
        let spare: Mutex<Vec<&mut [T::Entry]>> = Mutex::new(entries.chunks_exact_mut(length).collect());
        let lanes = pieces::rows_per_piece(length);
        call.threads.for_each_part(result.as_list_mut(), lanes * length, &|piece, part| {
            let entries = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let entries = entries.unwrap_or_else(|| unreachable!("there is one for each thread"));
            let x = &x[piece * lanes * length..];
            for (places, lane) in part.chunks_exact_mut(length).zip(x.chunks_exact(length)) {
                write_entries::<T>(entries, lane, 0, descending);
                entries.sort_unstable();
                write_places::<T>(places, entries);
            }
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(entries);
        });
    }
    Some(Tensor::from(result).permute(&back).into())
}

fn write_entries<T: Sortable>(entries: &mut [T::Entry], lane: &[T], start: usize, descending: bool) {
    for (i, (entry, x)) in entries.iter_mut().zip(lane).enumerate() {
        *entry = x.entry(start + i, descending);
    }
}

fn write_places<T: Sortable>(places: &mut [i64], entries: &[T::Entry]) {
    for (place, entry) in places.iter_mut().zip(entries) {
        *place = T::place(*entry);
    }
}

/// Sorts a long lane on all threads: as many runs of it apart, and these merged
/// in pairs. `entries` is space for twice the lane.
fn sort_long<T: Sortable>(
    places: &mut [i64],
    lane: &[T],
    entries: &mut [T::Entry],
    descending: bool,
    threads: &Threads,
) {
    let (mut from, mut to) = entries.split_at_mut(lane.len());
    let runs = (2 * threads.count()).next_power_of_two();
    let mut run = lane.len().div_ceil(runs);
    threads.for_each_part(from, run, &|piece, part| {
        write_entries(part, &lane[piece * run..], piece * run, descending);
        part.sort_unstable();
    });
    while run < lane.len() {
        merge_runs(to, from, run, threads);
        std::mem::swap(&mut from, &mut to);
        run *= 2;
    }
    threads.for_each_part(places, PIECE, &|piece, part| {
        write_places::<T>(part, &from[piece * PIECE..]);
    });
}

/// Merges sorted runs of `run` entries in pairs.
fn merge_runs<E: Ord + Copy + Send + Sync>(merged: &mut [E], entries: &[E], run: usize, threads: &Threads) {
    let mut parts = Vec::new();
    for (pair, merged) in entries.chunks(2 * run).zip(merged.chunks_mut(2 * run)) {
        let (left, right) = pair.split_at(run.min(pair.len()));
        for (piece, part) in merged.chunks_mut(PIECE).enumerate() {
            parts.push((left, right, piece * PIECE, part));
        }
    }
    pieces::each(threads, parts, &|_, (left, right, before, part)| {
        let from_left = taken_from_left(left, right, before);
        merge(part, &left[from_left..], &right[before - from_left..]);
    });
}

/// How many of the first `count` entries of both lists together are of `left`.
fn taken_from_left<E: Ord>(left: &[E], right: &[E], count: usize) -> usize {
    let (mut low, mut high) = (count.saturating_sub(right.len()), count.min(left.len()));
    while low < high {
        let middle = low.midpoint(high);
        if left[middle] < right[count - 1 - middle] {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Fills `merged` with the first entries of both lists, in order.
fn merge<E: Ord + Copy>(merged: &mut [E], left: &[E], right: &[E]) {
    let (mut i, mut j) = (0, 0);
    for entry in &mut *merged {
        let (Some(a), Some(b)) = (left.get(i), right.get(j)) else { break };
        let from_left = a < b;
        *entry = if from_left { *a } else { *b };
        i += usize::from(from_left);
        j += usize::from(!from_left);
    }
    // One of the lists may have run out; the other has what is missing.
    let rest = &mut merged[i + j..];
    let others = if i < left.len() { &left[i..] } else { &right[j..] };
    rest.copy_from_slice(&others[..rest.len()]);
}
