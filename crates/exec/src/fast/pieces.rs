//! How whole arrays are divided into pieces of work. Knows no op.

use std::sync::{Mutex, PoisonError};

use fearless_simd::Level;

use crate::level::at_level;
use crate::threads::Threads;

/// How many elements make a piece: what is worth waking a thread for. Small in
/// unit tests, so that small arrays have several.
pub(super) const PIECE: usize = if cfg!(test) { 64 } else { 1 << 16 };

/// How many rows of `width` elements make a piece.
pub(super) fn rows_per_piece(width: usize) -> usize {
    (PIECE / width.max(1)).max(1)
}

/// Calls `task` once with each of `parts` and its place among them.
pub(super) fn each<P: Send>(threads: &Threads, parts: Vec<P>, task: &(dyn Fn(usize, P) + Sync)) {
    let parts: Vec<Mutex<Option<P>>> = parts.into_iter().map(|part| Mutex::new(Some(part))).collect();
    threads.for_each(parts.len(), &|place| {
        let part = parts[place].lock().unwrap_or_else(PoisonError::into_inner).take();
        task(place, part.unwrap_or_else(|| unreachable!("a piece is given out once")));
    });
}

/// Consecutive rows of a list of blocks: several whole blocks, or a part of one.
pub(super) struct Part<'e, T> {
    /// The block of the first row.
    pub(super) block: usize,
    /// The place of the first row in its block.
    pub(super) row: usize,
    pub(super) elements: &'e mut [T],
}

/// Divides `elements`, which are blocks of `rows` rows of `width` elements:
/// into parts of `group` blocks, if these are more than one, else into parts of
/// `step` rows of a block.
pub(super) fn parts<T>(
    elements: &mut [T],
    [rows, width]: [usize; 2],
    group: usize,
    step: usize,
) -> Vec<Part<'_, T>> {
    let step = if group > 1 { group * rows } else { step };
    let mut parts = Vec::with_capacity(elements.len().div_ceil(step * width));
    for (place, elements) in elements.chunks_mut(group * rows * width).enumerate() {
        for (i, elements) in elements.chunks_mut(step * width).enumerate() {
            parts.push(Part { block: place * group, row: i * step, elements });
        }
    }
    parts
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
    fn every_part_is_handled_once() {
        let mut elements = [0; 10];
        let (a, rest) = elements.split_at_mut(3);
        let (b, c) = rest.split_at_mut(6);
        let parts = vec![a, &mut [], b, c];
        let handled = AtomicUsize::new(0);
        each(&Threads::new(3), parts, &|place, part| {
            part.fill(place as i32);
            handled.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!((elements, handled.into_inner()), ([0, 0, 0, 2, 2, 2, 2, 2, 2, 3], 4));
    }

    #[test]
    fn a_piece_has_at_least_one_row() {
        assert_eq!(rows_per_piece(0), PIECE);
        assert_eq!(rows_per_piece(2), PIECE / 2);
        assert_eq!(rows_per_piece(PIECE * 3), 1);
    }

    #[test]
    fn parts_are_several_blocks_or_rows_of_one() {
        let mut elements = [0; 24];
        let whole = parts(&mut elements, [3, 2], 3, 1);
        assert!(
            whole.iter().map(|part| (part.block, part.row, part.elements.len())).eq([(0, 0, 18), (3, 0, 6)])
        );
        let split = parts(&mut elements[..12], [3, 2], 1, 2);
        let expected = [(0, 0, 4), (0, 2, 2), (1, 0, 4), (1, 2, 2)];
        assert!(split.iter().map(|part| (part.block, part.row, part.elements.len())).eq(expected));
    }

    #[test]
    fn vectorised_code_gives_what_it_computes() {
        assert_eq!(vectorised(|| (0..100).sum::<i32>()), 4950);
    }
}
