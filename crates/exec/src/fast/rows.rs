//! Moving rows of one width: packing what a mask selects, spreading it again,
//! reading at places, putting side by side. Rows of few elements are moved as arrays. Knows no op.

use std::ops::Range;

use super::selection::{RUN, count, each_true};
use crate::raw;
use crate::tensor::Item;

/// From how many true elements of a run on every element is visited, without
/// a branch to mispredict.
const DENSE: usize = RUN / 8;

/// How many rows before its turn a row is asked for.
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

/// Writes the rows at which the mask is true, which fill `packed`.
pub(super) fn pack<T: Item>(packed: &mut [T], rows: &[T], mask: &[bool], width: usize) {
    by_width!(
        width,
        N => pack_arrays(packed.as_chunks_mut::<N>().0, rows.as_chunks::<N>().0, mask),
        {
            let mut end = 0;
            each_run(mask, width, |run| {
                packed[end..end + run.len()].copy_from_slice(&rows[run.clone()]);
                end += run.len();
            });
        }
    );
}

fn pack_arrays<T: Item, const N: usize>(mut packed: &mut [[T; N]], rows: &[[T; N]], mask: &[bool]) {
    let ((words, mask), (eights, rows)) = (mask.as_chunks::<8>(), rows.as_chunks::<8>());
    for (word, rows) in words.iter().zip(eights) {
        let word = u64::from_le_bytes(word.map(u8::from));
        if word == 0 {
            continue;
        }
        // Each byte counts the true elements up to its own.
        let counts = word.wrapping_mul(0x0101_0101_0101_0101);
        let before = counts - word;
        let place = |i: usize| (before >> (8 * i)) as usize % 8;
        // All eight are written, each over those before it that were not
        // selected: no branch to mispredict. The last ones end in a spare place.
        match packed.first_chunk_mut::<8>() {
            Some(packed) => (0..8).for_each(|i| packed[place(i)] = rows[i]),
            None => {
                let mut spare = [[T::default(); N]; 8];
                (0..8).for_each(|i| spare[place(i)] = rows[i]);
                packed.copy_from_slice(&spare[..packed.len()]);
            }
        }
        packed = &mut packed[(counts >> 56) as usize..];
    }
    let mut packed = packed.iter_mut();
    each_true(mask, |i| {
        if let Some(packed) = packed.next() {
            *packed = rows[i];
        }
    });
}

/// Overwrites the rows at which the mask is true with those of `packed`, which are as many.
pub(super) fn spread<T: Item>(rows: &mut [T], packed: &[T], mask: &[bool], width: usize) {
    by_width!(
        width,
        N => spread_arrays(rows.as_chunks_mut::<N>().0, packed.as_chunks::<N>().0, mask),
        {
            let mut end = 0;
            each_run(mask, width, |run| {
                let len = run.len();
                rows[run].copy_from_slice(&packed[end..end + len]);
                end += len;
            });
        }
    );
}

fn spread_arrays<T: Item, const N: usize>(rows: &mut [[T; N]], mut packed: &[[T; N]], mask: &[bool]) {
    let mut spare = [[T::default(); N]; RUN];
    for (rows, mask) in rows.chunks_mut(RUN).zip(mask.chunks(RUN)) {
        let (source, rest) = packed.split_at(count(mask));
        packed = rest;
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
    each_true(mask, |place| {
        if run.end == place {
            run.end += 1;
        } else {
            task(run.start * width..run.end * width);
            run = place..place + 1;
        }
    });
    task(run.start * width..run.end * width);
}

/// Reads the rows at `places`.
pub(super) fn take<T: Item>(taken: &mut [T], rows: &[T], places: &[usize], width: usize) {
    by_width!(
        width,
        N => {
            let rows = rows.as_chunks::<N>().0;
            for (taken, place) in taken.as_chunks_mut::<N>().0.iter_mut().zip(places) {
                *taken = rows[*place];
            }
        },
        for (i, (taken, place)) in taken.chunks_exact_mut(width).zip(places).enumerate() {
            prefetch_row(rows, places.get(i + AHEAD).copied(), width);
            taken.copy_from_slice(&rows[place * width..][..width]);
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

/// Asks for the row at `place`, if there is one; of a long one for the start,
/// behind which the machine sees what is coming.
#[inline(always)]
pub(super) fn prefetch_row<T: Item>(rows: &[T], place: Option<usize>, width: usize) {
    const LONGEST: usize = 512;
    let len = width.min(LONGEST / size_of::<T>());
    if let Some(row) = place.and_then(|place| rows.get(place * width..place * width + len)) {
        raw::prefetch(row);
    }
}
