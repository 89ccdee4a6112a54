//! How memory is divided into chunks of work, each of which one thread takes once. Does not
//! depend on ops.

use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

#[cfg(target_arch = "x86_64")]
use crate::raw::simd::Avx2;
use crate::threads::Threads;

/// How many elements make a chunk: enough to be worth waking a thread. Small in unit
/// tests, so that small arrays have several.
pub(crate) const CHUNK: usize = if cfg!(test) { 64 } else { 1 << 16 };

/// How many rows of `width` elements make a chunk.
pub(crate) fn rows_per_chunk(width: usize) -> usize {
    (CHUNK / width.max(1)).max(1)
}

/// Memory that can be divided.
pub(crate) trait Divide: Sized {
    /// The first `len` elements, and the others.
    fn divide(self, len: usize) -> (Self, Self);
}

impl<T> Divide for &mut [T] {
    fn divide(self, len: usize) -> (Self, Self) {
        self.split_at_mut(len)
    }
}

/// Consecutive chunks of `memory` of these lengths, which it must have.
pub(crate) fn consecutive<M: Divide>(
    memory: M,
    lengths: impl Iterator<Item = usize>,
) -> impl Iterator<Item = M> {
    lengths.scan(Some(memory), |rest, len| {
        let (chunk, others) = rest.take()?.divide(len);
        *rest = Some(others);
        Some(chunk)
    })
}

/// Chunks that several threads take by their numbers, each of them once: the mutable parts
/// of one array have different owners then, which the borrow checker cannot see from indices.
/// Mostly there is one.
pub(crate) struct Chunks<C>(SmallVec<[Mutex<Option<C>>; 1]>);

impl<C> Chunks<C> {
    pub(crate) fn new(chunks: impl IntoIterator<Item = C>) -> Chunks<C> {
        Chunks(chunks.into_iter().map(|chunk| Mutex::new(Some(chunk))).collect())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The chunk of this number, which nobody has taken yet.
    pub(crate) fn take(&self, number: usize) -> C {
        let chunk = self.0[number].lock().unwrap_or_else(PoisonError::into_inner).take();
        chunk.unwrap_or_else(|| unreachable!("a chunk is handed out once"))
    }
}

/// Calls `task` once with each of `chunks` and its index among them.
pub(crate) fn each<C: Send>(threads: &Threads, chunks: Vec<C>, task: &(dyn Fn(usize, C) + Sync)) {
    if chunks.len() <= 1 {
        return chunks.into_iter().for_each(|chunk| task(0, chunk));
    }
    let chunks = Chunks::new(chunks);
    threads.for_each(chunks.len(), &|index| task(index, chunks.take(index)));
}

/// Consecutive rows of consecutive blocks: several complete blocks, or some rows of
/// one.
pub(crate) struct RowChunk<'e, T> {
    /// The block of the first row.
    pub(crate) block: usize,
    /// The index of the first row in its block.
    pub(crate) row: usize,
    pub(crate) elements: &'e mut [T],
}

/// Divides `elements`, which are blocks of `rows` rows of `width` elements: into chunks
/// of `group` blocks, if these are more than one, else into chunks of `step` rows of a
/// block.
pub(crate) fn row_chunks<T>(
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

/// Runs `body`, which moves and compares elements, with the vector instructions that
/// the machine has, up to AVX2: wider ones gain too little to be built for. What it
/// calls must be inlined into it to gain from them. Arithmetic is for [`crate::level`].
#[inline(always)]
pub(crate) fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = Avx2::detect() {
        return simd.run(body);
    }
    body()
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
    fn consecutive_chunks_have_their_lengths() {
        let mut elements = [1, 2, 3, 4, 5];
        let chunks = consecutive(elements.as_mut_slice(), [2, 0, 3].into_iter());
        assert_eq!(chunks.collect::<Vec<_>>(), [[1, 2].as_mut_slice(), &mut [], &mut [3, 4, 5]]);
    }

    #[test]
    #[should_panic(expected = "a chunk is handed out once")]
    fn a_chunk_is_not_handed_out_twice() {
        let chunks = Chunks::new(["a", "b"]);
        assert_eq!((chunks.len(), chunks.take(1), chunks.take(0)), (2, "b", "a"));
        chunks.take(1);
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
