//! Compressing: selected elements are moved together (Lemire and others call it
//! compaction; AVX-512 `vcompress`).

use std::mem;

use tamis_graph::DType;

use super::elementwise::Machine;
use super::prefetch::Prefetch;
use super::register_file::{AnySlice, BLOCK, Blocks};
use crate::by_dtype::{Item, dispatch};
use crate::level::Level;
use crate::region::Operand;

/// How many elements beyond the selected ones compressing may write.
pub(super) const SLACK: usize = BLOCK;

/// Writes the elements at which the mask is true to the start of `target`, and gives their number.
/// The target is longer than the elements by at least [`SLACK`]; what lies behind the selected
/// elements is unspecified.
fn compress<T: Item>(
    level: Level,
    (elements, mask, len): (Blocks<'_, T>, Blocks<'_, bool>, usize),
    target: &mut [T],
    prefetch: &mut Prefetch,
) -> usize {
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512(simd) => simd.run(
            #[inline(always)]
            || each_block(elements, mask, len, target, prefetch, |e, m, t| simd.compress(e, m, t)),
        ),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2(simd) => simd.run(
            #[inline(always)]
            || each_block(elements, mask, len, target, prefetch, |e, m, t| simd.compress(e, m, t)),
        ),
        Level::Baseline => each_block(elements, mask, len, target, prefetch, one_by_one),
    }
}

/// Compresses block after block. What is stored behind the selected elements of one is overwritten
/// by the next, or lies in the slack.
#[inline(always)]
fn each_block<T: Item>(
    elements: Blocks<'_, T>,
    mask: Blocks<'_, bool>,
    len: usize,
    target: &mut [T],
    prefetch: &mut Prefetch,
    compress: impl Fn(&[T; BLOCK], &[bool; BLOCK], &mut [T; BLOCK]) -> usize,
) -> usize {
    let (full, rest) = (len / BLOCK, len % BLOCK);
    let mut last = [false; BLOCK];
    if rest > 0 {
        last[..rest].copy_from_slice(&mask.get(full)[..rest]);
    }
    let mut count = 0;
    for number in 0..len.div_ceil(BLOCK) {
        let mask = if number < full { mask.get(number) } else { &last };
        let target = target[count..].first_chunk_mut();
        let target = target.unwrap_or_else(|| unreachable!("a block fits behind what is selected"));
        prefetch.block();
        prefetch.behind(target);
        count += compress(elements.get(number), mask, target);
    }
    count
}

/// One element after the other: every one is written, and those that are not selected are
/// overwritten by the next. A branch for each would be mispredicted as often as the mask
/// changes.
#[inline(always)]
fn one_by_one<T: Copy>(elements: &[T; BLOCK], mask: &[bool; BLOCK], target: &mut [T; BLOCK]) -> usize {
    let mut count = 0;
    for (element, selected) in elements.iter().zip(mask) {
        // There are no more elements before this one than the block has.
        target[count % BLOCK] = *element;
        count += usize::from(*selected);
    }
    count
}

/// A selection over a chunk, with its dtype erased.
pub(super) trait Selecting<'o>: Send {
    /// Starts a chunk. Selected elements are written to their final memory if `rest` is
    /// given, and are staged until the ordered hand-off otherwise.
    fn open(&mut self, rest: Option<AnySlice<'o>>);
    /// Takes in the elements of a tile.
    fn include(&mut self, machine: &mut Machine<'_, '_>);
    /// How many elements of the chunk were selected.
    fn count(&self) -> usize;
    /// What is left of the memory that [`Selecting::open`] was given.
    fn rest(&mut self) -> AnySlice<'o>;
    /// Copies the staged elements.
    fn copy(&self, target: AnySlice<'_>);
}

/// The selection of `value` by `mask`; `staging` is for how many elements of a chunk may wait.
pub(super) fn selecting<'o>(
    dtype: DType,
    value: Operand,
    mask: Operand,
    staging: usize,
) -> Box<dyn Selecting<'o> + 'o> {
    dispatch!(type T = dtype => boxed::<T>(value, mask, staging))
}

fn boxed<'o, T: Item>(value: Operand, mask: Operand, staging: usize) -> Box<dyn Selecting<'o> + 'o> {
    Box::new(State { value, mask, staging: vec![T::default(); staging], direct: &mut [], count: 0 })
}

struct State<'o, T> {
    value: Operand,
    mask: Operand,
    staging: Vec<T>,
    direct: &'o mut [T],
    count: usize,
}

impl<'o, T: Item> Selecting<'o> for State<'o, T> {
    fn open(&mut self, rest: Option<AnySlice<'o>>) {
        self.direct = rest.map_or(&mut [], T::unwrap_any);
        self.count = 0;
    }

    fn include(&mut self, machine: &mut Machine<'_, '_>) {
        let Machine { level, views, tile, prefetch, .. } = machine;
        let elements = T::of(views).read(self.value, *tile);
        let mask = bool::of(views).read(self.mask, *tile);
        let target = if self.staging.is_empty() { &mut *self.direct } else { &mut self.staging };
        let target = &mut target[self.count..];
        self.count += compress(*level, (elements, mask, tile.len), target, prefetch);
    }

    fn count(&self) -> usize {
        self.count
    }

    fn rest(&mut self) -> AnySlice<'o> {
        let direct = mem::take(&mut self.direct);
        T::into_any(&mut direct[self.count..])
    }

    fn copy(&self, target: AnySlice<'_>) {
        T::unwrap_any(target).copy_from_slice(&self.staging[..self.count]);
    }
}
