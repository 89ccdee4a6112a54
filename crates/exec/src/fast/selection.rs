//! The true elements of a mask: how many, and where. Does not depend on ops.
//!
//! Threads select in two passes: one counts the true elements of each chunk, whose running sum
//! says where the chunk writes, and the second writes (G. E. Blelloch, "Prefix Sums and Their
//! Applications", CMU-CS-90-190, 1990). Reading a mask twice costs less than moving what was
//! selected.

use super::chunks;
use crate::threads::Threads;

/// How many elements of a mask are handled at a time.
pub(super) const RUN: usize = 64;

/// How many are true.
#[inline(always)]
pub(super) fn count(mask: &[bool]) -> usize {
    // A byte holds the count of a run.
    mask.chunks(RUN).map(|run| usize::from(run.iter().map(|selected| u8::from(*selected)).sum::<u8>())).sum()
}

/// Calls `task` with the index of each true element, in order.
#[inline(always)]
pub(super) fn each_true(mask: &[bool], mut task: impl FnMut(usize)) {
    let (words, rest) = mask.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        // One bit in each byte, so that eight false elements are passed at once.
        let mut word = u64::from_le_bytes(word.map(u8::from));
        while word != 0 {
            task(i * 8 + word.trailing_zeros() as usize / 8);
            word &= word - 1;
        }
    }
    for (i, _) in rest.iter().enumerate().filter(|(_, selected)| **selected) {
        task(words.len() * 8 + i);
    }
}

/// A mask in chunks of one length.
pub(super) struct Selection<'m> {
    mask: &'m [bool],
    len: usize,
    counts: Vec<usize>,
}

impl<'m> Selection<'m> {
    /// Counts the true elements of each `len` of the mask.
    pub(super) fn new(mask: &'m [bool], len: usize, threads: &Threads) -> Selection<'m> {
        let mut counts = vec![0; mask.len().div_ceil(len)];
        threads.for_each_chunk(&mut counts, 1, &|offset, counted| {
            let start = (offset * len).min(mask.len());
            let chunk = &mask[start..mask.len().min(start + len)];
            counted.fill(chunks::vectorised(
                #[inline(always)]
                || count(chunk),
            ));
        });
        Selection { mask, len, counts }
    }

    /// How many elements are true.
    pub(super) fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The chunks: the index of the first element, the elements, and how many are true
    /// before them and among them.
    pub(super) fn chunks(&self) -> Vec<Chunk<'m>> {
        let (mut chunks, mut before) = (Vec::with_capacity(self.counts.len()), 0);
        for (i, (mask, count)) in self.mask.chunks(self.len).zip(&self.counts).enumerate() {
            chunks.push(Chunk { start: i * self.len, mask, before, count: *count });
            before += count;
        }
        chunks
    }

    /// The chunks, each with the part of `rows` that its true elements have: a row of `width` each.
    pub(super) fn split<'r, R>(&self, rows: &'r mut [R], width: usize) -> Vec<(Chunk<'m>, &'r mut [R])> {
        let outputs = chunks::consecutive(rows, self.counts.iter().map(|count| count * width));
        self.chunks().into_iter().zip(outputs).collect()
    }
}

/// Consecutive elements of a mask.
pub(super) struct Chunk<'m> {
    pub(super) start: usize,
    pub(super) mask: &'m [bool],
    pub(super) before: usize,
    pub(super) count: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_elements_are_counted_and_found() {
        for len in [0, 1, 7, 8, 9, 63, 64, 65, 300] {
            let mask: Vec<bool> = (0..len).map(|i| i % 3 == 1 || i > 200).collect();
            let expected: Vec<usize> = (0..len).filter(|i| mask[*i]).collect();
            let mut found = Vec::new();
            each_true(&mask, |offset| found.push(offset));
            assert_eq!(found, expected);
            assert_eq!(count(&mask), expected.len());
        }
        assert_eq!(count(&[true; 1000]), 1000);
    }

    #[test]
    fn chunks_know_what_is_selected_before_them() {
        let mask = [true, false, true, true, false];
        let selection = Selection::new(&mask, 2, &Threads::new(2));
        let chunks = selection.chunks();
        let chunks = chunks.iter().map(|chunk| (chunk.start, chunk.mask.len(), chunk.before, chunk.count));
        assert!(chunks.eq([(0, 2, 0, 1), (2, 2, 1, 2), (4, 1, 3, 0)]));
        let mut rows = [0; 6];
        assert!(selection.split(&mut rows, 2).iter().map(|(_, output)| output.len()).eq([2, 4, 0]));
        assert_eq!(selection.total(), 3);
    }
}
