//! How arrays are divided into chunks of work. Does not depend on ops.

use std::sync::{Mutex, PoisonError};

use fearless_simd::Level;

use crate::level::at_level;
use crate::threads::Threads;

/// How many elements make a chunk: enough to be worth waking a thread. Small in unit
/// tests, so that small arrays have several.
pub(super) const CHUNK: usize = if cfg!(test) { 64 } else { 1 << 16 };

/// How many rows of `width` elements make a chunk.
pub(super) fn rows_per_chunk(width: usize) -> usize {
    (CHUNK / width.max(1)).max(1)
}

/// Calls `task` once with each of `chunks` and its index among them.
pub(super) fn each<P: Send>(threads: &Threads, chunks: Vec<P>, task: &(dyn Fn(usize, P) + Sync)) {
    let chunks: Vec<Mutex<Option<P>>> = chunks.into_iter().map(|chunk| Mutex::new(Some(chunk))).collect();
    threads.for_each(chunks.len(), &|index| {
        let chunk = chunks[index].lock().unwrap_or_else(PoisonError::into_inner).take();
        task(index, chunk.unwrap_or_else(|| unreachable!("a chunk is handed out once")));
    });
}

/// Consecutive rows of consecutive blocks: several complete blocks, or some rows of
/// one.
pub(super) struct RowChunk<'e, T> {
    /// The block of the first row.
    pub(super) block: usize,
    /// The index of the first row in its block.
    pub(super) row: usize,
    pub(super) elements: &'e mut [T],
}

/// Divides `elements`, which are blocks of `rows` rows of `width` elements: into chunks
/// of `group` blocks, if these are more than one, else into chunks of `step` rows of a
/// block.
pub(super) fn row_chunks<T>(
    elements: &mut [T],
    [rows, width]: [usize; 2],
    group: usize,
    step: usize,
) -> Vec<RowChunk<'_, T>> {
    let step = if group > 1 { group * rows } else { step };
    let mut chunks = Vec::with_capacity(elements.len().div_ceil(step * width));
    for (index, elements) in elements.chunks_mut(group * rows * width).enumerate() {
        for (i, elements) in elements.chunks_mut(step * width).enumerate() {
            chunks.push(RowChunk { block: index * group, row: i * step, elements });
        }
    }
    chunks
}

/// Runs `body` compiled for the vector instructions that the machine has. What
/// it calls must be inlined into it to gain from them.
#[inline(always)]
pub(super) fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    at_level!(Level::new(), body())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_chunk_is_handled_once() {
        let mut elements = [0; 10];
        let (a, rest) = elements.split_at_mut(3);
        let (b, c) = rest.split_at_mut(6);
        let chunks = vec![a, &mut [], b, c];
        let handled = AtomicUsize::new(0);
        each(&Threads::new(3), chunks, &|index, chunk| {
            chunk.fill(index as i32);
            handled.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!((elements, handled.into_inner()), ([0, 0, 0, 2, 2, 2, 2, 2, 2, 3], 4));
    }

    #[test]
    fn a_chunk_has_at_least_one_row() {
        assert_eq!(rows_per_chunk(0), CHUNK);
        assert_eq!(rows_per_chunk(2), CHUNK / 2);
        assert_eq!(rows_per_chunk(CHUNK * 3), 1);
    }

    #[test]
    fn chunks_are_several_blocks_or_rows_of_one() {
        let mut elements = [0; 24];
        let all = row_chunks(&mut elements, [3, 2], 3, 1);
        assert!(
            all.iter()
                .map(|chunk| (chunk.block, chunk.row, chunk.elements.len()))
                .eq([(0, 0, 18), (3, 0, 6)])
        );
        let split = row_chunks(&mut elements[..12], [3, 2], 1, 2);
        let expected = [(0, 0, 4), (0, 2, 2), (1, 0, 4), (1, 2, 2)];
        assert!(split.iter().map(|chunk| (chunk.block, chunk.row, chunk.elements.len())).eq(expected));
    }

    #[test]
    fn vectorised_code_gives_what_it_computes() {
        assert_eq!(vectorised(|| (0..100).sum::<i32>()), 4950);
    }
}
