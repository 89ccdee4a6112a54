//! The true elements of a mask: how many, and where. Knows no op.

use super::pieces::{self, PIECE};
use crate::tensor::Tensor;
use crate::threads::Threads;

/// How many elements of a mask are handled at a time.
pub(super) const RUN: usize = 64;

/// How many are true.
#[inline(always)]
pub(super) fn count(mask: &[bool]) -> usize {
    // A byte holds the count of a run.
    mask.chunks(RUN).map(|run| usize::from(run.iter().map(|selected| u8::from(*selected)).sum::<u8>())).sum()
}

/// How many elements of a mask are true; `None` if it takes the reference
/// executor to say, or to refuse.
pub(crate) fn count_true(mask: &Tensor<'_, bool>, threads: &Threads) -> Option<usize> {
    let (all, stored) = (mask.walk().ok()?, mask.stored());
    if all.is_empty() {
        return Some(0);
    }
    let list = stored.to_slice_memory_order()?;
    Some(Selection::new(list, PIECE, threads).total() * (all.len() / list.len()))
}

/// Calls `task` with the place of each true element, in their order.
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

/// A mask in pieces of one length.
pub(super) struct Selection<'m> {
    mask: &'m [bool],
    len: usize,
    counts: Vec<usize>,
}

impl<'m> Selection<'m> {
    /// Counts the true elements of each `len` of the mask.
    pub(super) fn new(mask: &'m [bool], len: usize, threads: &Threads) -> Selection<'m> {
        let mut counts = vec![0; mask.len().div_ceil(len)];
        let pieces = mask.chunks(len).zip(&mut counts);
        pieces::each(threads, pieces, |_, (piece, counted)| {
            *counted = pieces::vectorised(
                #[inline(always)]
                || count(piece),
            );
        });
        Selection { mask, len, counts }
    }

    /// How many elements are true.
    pub(super) fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The pieces: the place of the first element, the elements, and how many
    /// are true before them and among them.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'m>> {
        let before = self.counts.iter().scan(0, |before, count| {
            *before += count;
            Some(*before - count)
        });
        let pieces = self.mask.chunks(self.len).zip(&self.counts).zip(before).enumerate();
        pieces.map(|(i, ((mask, count), before))| Piece { start: i * self.len, mask, before, count: *count })
    }
}

/// Consecutive elements of a mask.
pub(super) struct Piece<'m> {
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
            each_true(&mask, |place| found.push(place));
            assert_eq!(found, expected);
            assert_eq!(count(&mask), expected.len());
        }
        assert_eq!(count(&[true; 1000]), 1000);
    }

    #[test]
    fn a_repeated_mask_is_counted_once() {
        let mask = || Tensor::full(&[2], true);
        assert_eq!(count_true(&mask(), &Threads::serial()), Some(2));
        assert_eq!(count_true(&mask().broadcast(&[100, 2]), &Threads::new(2)), Some(200));
        assert_eq!(count_true(&mask().broadcast(&[0, 2]), &Threads::new(2)), Some(0));
        assert_eq!(count_true(&mask().broadcast(&[1 << 40, 2]), &Threads::new(2)), None);
    }

    #[test]
    fn pieces_know_what_is_selected_before_them() {
        let mask = [true, false, true, true, false];
        let selection = Selection::new(&mask, 2, &Threads::new(2));
        let pieces =
            selection.pieces().map(|piece| (piece.start, piece.mask.len(), piece.before, piece.count));
        assert!(pieces.eq([(0, 2, 0, 1), (2, 2, 1, 2), (4, 1, 3, 0)]));
        assert_eq!(selection.total(), 3);
    }
}
