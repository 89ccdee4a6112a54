//! Sorting by keys: each element becomes an unsigned number of the same order, followed
//! by its index, so that sorting is stable whatever the method.
//!
//! No two entries are equal, and so there is one sorted order: the result does not depend on
//! how many runs a fiber is divided into, which is by threads. Comparing whole numbers spares
//! the comparison of floats, which is no total order. (The keys of floats are those of radix
//! sorts: M. Herf, "Radix Tricks", 2001.)

use std::sync::{Mutex, PoisonError};

use super::chunks::{self, CHUNK};
use super::copy;
use crate::kernel::Call;
use crate::pool::Pooled;
use crate::tensor::{AnyTensor, Item, Tensor};
use crate::threads::Threads;

/// Elements that sort by a key.
pub(super) trait Sortable: Item {
    /// A key and an index.
    type Entry: Ord + Pooled + Send + Sync;

    /// The entry of the element at `index`. Zeros of either sign have one key; NaN has
    /// the last, in either direction.
    fn entry(self, index: usize, descending: bool) -> Self::Entry;

    /// The index in an entry.
    fn index(entry: Self::Entry) -> i64;

    /// How many indices an entry can represent.
    const INDICES: u64;
}

/// Elements whose key is made by `$key`, and is the last if they are NaN.
macro_rules! sortable {
    ($($ty:ty: $entry:ty, $half:ty, $x:ident => $key:expr;)*) => {$(
        impl Sortable for $ty {
            type Entry = $entry;

            const INDICES: u64 = <$half>::MAX as u64;

            #[inline(always)]
            fn entry(self, index: usize, descending: bool) -> $entry {
                let $x = self;
                let key: $half = $key;
                let key = if descending { !key } else { key };
                let key = if crate::kernel::number::is_nan(self) { <$half>::MAX } else { key };
                (<$entry>::from(key) << <$half>::BITS) | index as $entry
            }

            #[inline(always)]
            fn index(entry: $entry) -> i64 {
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

/// The indices of the elements in sorted order along `axis`.
pub(super) fn argsort<'a, T: Sortable>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
    descending: bool,
) -> Option<AnyTensor<'a>> {
    let length = x.shape()[axis];
    if x.shape().contains(&0) || length as u64 > T::INDICES {
        return None;
    }
    // The axis is sorted as the last one, and the result is permuted back.
    let rank = x.shape().len();
    let order: Vec<usize> = (0..axis).chain(axis + 1..rank).chain([axis]).collect();
    let back: Vec<usize> = (0..axis).chain([rank - 1]).chain(axis..rank - 1).collect();
    let x = x.clone().permute(&order);
    let mut result = call.memory.unspecified::<i64>(x.shape()).ok()?;
    let contiguous = copy::contiguous(call, &x.view())?;
    let x: &[T] = &contiguous;
    let long = length > 2 * CHUNK && result.len() / length < call.threads.count();
    let spare = if long { 2 } else { call.threads.count().min(result.len() / length) };
    let mut entries = call.memory.unspecified::<T::Entry>(&[spare, length]).ok()?;
    let entries = entries.as_contiguous_mut();
    if long {
        for (indices, fiber) in
            result.as_contiguous_mut().chunks_exact_mut(length).zip(x.chunks_exact(length))
        {
            sort_long(indices, fiber, entries, descending, call.threads);
        }
    } else {
        // As many as there are threads: each finds one.
        let spare: Mutex<Vec<&mut [T::Entry]>> = Mutex::new(entries.chunks_exact_mut(length).collect());
        let fibers = chunks::rows_per_chunk(length);
        call.threads.for_each_chunk(result.as_contiguous_mut(), fibers * length, &|chunk, output| {
            let entries = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let entries = entries.unwrap_or_else(|| unreachable!("there is one for each thread"));
            let x = &x[chunk * fibers * length..];
            for (indices, fiber) in output.chunks_exact_mut(length).zip(x.chunks_exact(length)) {
                write_entries::<T>(entries, fiber, 0, descending);
                entries.sort_unstable();
                write_indices::<T>(indices, entries);
            }
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(entries);
        });
    }
    Some(Tensor::from(result).permute(&back).into())
}

fn write_entries<T: Sortable>(entries: &mut [T::Entry], fiber: &[T], start: usize, descending: bool) {
    for (i, (entry, x)) in entries.iter_mut().zip(fiber).enumerate() {
        *entry = x.entry(start + i, descending);
    }
}

fn write_indices<T: Sortable>(indices: &mut [i64], entries: &[T::Entry]) {
    for (index, entry) in indices.iter_mut().zip(entries) {
        *index = T::index(*entry);
    }
}

/// Sorts a long fiber on all threads: as many runs separately, which are then merged in
/// pairs. `entries` has space for twice the fiber.
fn sort_long<T: Sortable>(
    indices: &mut [i64],
    fiber: &[T],
    entries: &mut [T::Entry],
    descending: bool,
    threads: &Threads,
) {
    let (mut from, mut to) = entries.split_at_mut(fiber.len());
    let runs = (2 * threads.count()).next_power_of_two();
    let mut run = fiber.len().div_ceil(runs);
    threads.for_each_chunk(from, run, &|chunk, output| {
        write_entries(output, &fiber[chunk * run..], chunk * run, descending);
        output.sort_unstable();
    });
    while run < fiber.len() {
        merge_runs(to, from, run, threads);
        std::mem::swap(&mut from, &mut to);
        run *= 2;
    }
    threads.for_each_chunk(indices, CHUNK, &|chunk, output| {
        write_indices::<T>(output, &from[chunk * CHUNK..]);
    });
}

/// Merges sorted runs of `run` entries in pairs, each thread a chunk of the result: where the
/// chunk's entries begin in either run follows by bisection, so that all threads are busy up to
/// the last pair (S. Odeh, O. Green, Z. Mwassi, O. Shmueli, Y. Birk, "Merge Path – Parallel
/// Merging Made Simple", IPDPS Workshops 2012).
fn merge_runs<E: Ord + Copy + Send + Sync>(merged: &mut [E], entries: &[E], run: usize, threads: &Threads) {
    let mut outputs = Vec::new();
    for (pair, merged) in entries.chunks(2 * run).zip(merged.chunks_mut(2 * run)) {
        let (left, right) = pair.split_at(run.min(pair.len()));
        for (chunk, output) in merged.chunks_mut(CHUNK).enumerate() {
            outputs.push((left, right, chunk * CHUNK, output));
        }
    }
    chunks::each(threads, outputs, &|_, (left, right, before, output)| {
        let from_left = taken_from_left(left, right, before);
        merge(output, &left[from_left..], &right[before - from_left..]);
    });
}

/// How many of the first `count` entries of both runs together are of `left`.
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

/// Fills `merged` with the first entries of both runs, in order.
fn merge<E: Ord + Copy>(merged: &mut [E], left: &[E], right: &[E]) {
    let (mut i, mut j) = (0, 0);
    for entry in &mut *merged {
        let (Some(a), Some(b)) = (left.get(i), right.get(j)) else { break };
        let from_left = a < b;
        *entry = if from_left { *a } else { *b };
        i += usize::from(from_left);
        j += usize::from(!from_left);
    }
    // One of the runs may be exhausted; the other has the rest.
    let rest = &mut merged[i + j..];
    let others = if i < left.len() { &left[i..] } else { &right[j..] };
    rest.copy_from_slice(&others[..rest.len()]);
}
