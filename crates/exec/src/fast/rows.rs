//! Moving rows of one width: compressing the rows that a mask selects, expanding them again,
//! gathering, interleaving. Rows of few elements are moved as arrays. Does not depend on ops.

use std::ops::Range;

use super::selection::{RUN, count, each_true};
use crate::raw;
use crate::tensor::Item;

/// From how many true elements of a run on every element is visited, without
/// a branch to mispredict.
const DENSE: usize = RUN / 8;

/// How many rows ahead a row is prefetched.
pub(super) const AHEAD: usize = 8;

/// Runs `$array`, with rows as arrays of a length known to the compiler, or
/// `$slice` for any other.
macro_rules! by_width {
    ($width:expr, $N:ident => $array:expr, $slice:expr) => {
        match $width {
            1 => {
                const $N: usize = 1;
                $array
            }
            2 => {
                const $N: usize = 2;
                $array
            }
            3 => {
                const $N: usize = 3;
                $array
            }
            4 => {
                const $N: usize = 4;
                $array
            }
            8 => {
                const $N: usize = 8;
                $array
            }
            _ => $slice,
        }
    };
}

pub(super) use by_width;

/// Writes the rows at which the mask is true, which fill `compressed`.
pub(super) fn compress<T: Item>(compressed: &mut [T], rows: &[T], mask: &[bool], width: usize) {
    by_width!(
        width,
        N => compress_arrays(compressed.as_chunks_mut::<N>().0, rows.as_chunks::<N>().0, mask),
        {
            let mut end = 0;
            each_run(mask, width, |run| {
                compressed[end..end + run.len()].copy_from_slice(&rows[run.clone()]);
                end += run.len();
            });
        }
    );
}

fn compress_arrays<T: Item, const N: usize>(mut compressed: &mut [[T; N]], rows: &[[T; N]], mask: &[bool]) {
    let ((words, mask), (eights, rows)) = (mask.as_chunks::<8>(), rows.as_chunks::<8>());
    for (word, rows) in words.iter().zip(eights) {
        let word = u64::from_le_bytes(word.map(u8::from));
        if word == 0 {
            continue;
        }
        // Each byte counts the true elements up to its own: the product adds up the word
        // shifted by every number of bytes, and no byte overflows, as 8 is the most.
        let counts = word.wrapping_mul(0x0101_0101_0101_0101);
        let before = counts - word;
        let offset = |i: usize| (before >> (8 * i)) as usize % 8;
        // All eight are written, each over those before it that were not selected: no
        // branch to mispredict. The last ones are written to spare memory.
        match compressed.first_chunk_mut::<8>() {
            Some(compressed) => (0..8).for_each(|i| compressed[offset(i)] = rows[i]),
            None => {
                let mut spare = [[T::default(); N]; 8];
                (0..8).for_each(|i| spare[offset(i)] = rows[i]);
                compressed.copy_from_slice(&spare[..compressed.len()]);
            }
        }
        compressed = &mut compressed[(counts >> 56) as usize..];
    }
    let mut compressed = compressed.iter_mut();
    each_true(mask, |i| {
        if let Some(compressed) = compressed.next() {
            *compressed = rows[i];
        }
    });
}

/// Overwrites the rows at which the mask is true with those of `compressed`, which are as
/// many.
pub(super) fn expand<T: Item>(rows: &mut [T], compressed: &[T], mask: &[bool], width: usize) {
    by_width!(
        width,
        N => expand_arrays(rows.as_chunks_mut::<N>().0, compressed.as_chunks::<N>().0, mask),
        {
            let mut end = 0;
            each_run(mask, width, |run| {
                let len = run.len();
                rows[run].copy_from_slice(&compressed[end..end + len]);
                end += len;
            });
        }
    );
}

fn expand_arrays<T: Item, const N: usize>(rows: &mut [[T; N]], mut compressed: &[[T; N]], mask: &[bool]) {
    let mut spare = [[T::default(); N]; RUN];
    for (rows, mask) in rows.chunks_mut(RUN).zip(mask.chunks(RUN)) {
        let (source, rest) = compressed.split_at(count(mask));
        compressed = rest;
        if source.len() == mask.len() {
            rows.copy_from_slice(source);
        } else if source.len() < DENSE {
            let mut source = source.iter();
            each_true(mask, |i| {
                if let Some(source) = source.next() {
                    rows[i] = *source;
                }
            });
        } else {
            spare[..source.len()].copy_from_slice(source);
            let mut end = 0;
            for (row, selected) in rows.iter_mut().zip(mask) {
                *row = if *selected { spare[end % RUN] } else { *row };
                end += usize::from(*selected);
            }
        }
    }
}

/// Calls `task` with the elements of each run of selected rows.
fn each_run(mask: &[bool], width: usize, mut task: impl FnMut(Range<usize>)) {
    let mut run = 0..0;
    each_true(mask, |offset| {
        if run.end == offset {
            run.end += 1;
        } else {
            task(run.start * width..run.end * width);
            run = offset..offset + 1;
        }
    });
    task(run.start * width..run.end * width);
}

/// Reads the rows at `offsets`.
pub(super) fn take<T: Item>(taken: &mut [T], rows: &[T], offsets: &[usize], width: usize) {
    by_width!(
        width,
        N => {
            let rows = rows.as_chunks::<N>().0;
            for (taken, offset) in taken.as_chunks_mut::<N>().0.iter_mut().zip(offsets) {
                *taken = rows[*offset];
            }
        },
        for (i, (taken, offset)) in taken.chunks_exact_mut(width).zip(offsets).enumerate() {
            prefetch_row(rows, offsets.get(i + AHEAD).copied(), width);
            raw::prefetch_write(taken.as_ptr().wrapping_add(AHEAD * width).cast());
            taken.copy_from_slice(&rows[offset * width..][..width]);
        }
    );
}

/// Writes rows of `width` elements to every `total` elements of `blocks`,
/// behind `offset` others.
pub(super) fn interleave<T: Item>(blocks: &mut [T], [offset, total]: [usize; 2], rows: &[T], width: usize) {
    let blocks = blocks.chunks_exact_mut(total).map(|block| &mut block[offset..offset + width]);
    by_width!(
        width,
        N => {
            for (block, row) in blocks.zip(rows.as_chunks::<N>().0) {
                if let Some(block) = block.first_chunk_mut() {
                    *block = *row;
                }
            }
        },
        for (block, row) in blocks.zip(rows.chunks_exact(width)) {
            block.copy_from_slice(row);
        }
    );
}

/// Prefetches the row at `offset`, if there is one; of a long one the start, after
/// which the hardware prefetcher follows.
#[inline(always)]
pub(super) fn prefetch_row<T: Item>(rows: &[T], offset: Option<usize>, width: usize) {
    const LONGEST: usize = 512;
    let len = width.min(LONGEST / size_of::<T>());
    if let Some(row) = offset.and_then(|offset| rows.get(offset * width..offset * width + len)) {
        raw::prefetch(row);
    }
}
