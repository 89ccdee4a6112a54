//! Compressing: selected elements are moved together (Lemire and others call it
//! compaction; AVX-512 `vcompress`).

use fearless_simd::Level;
use fearless_simd::prelude::*;

use std::mem;

use tamis_graph::DType;

use super::register_file::{AnySlice, OperandViews, Tile};
use crate::by_dtype::{ByDType, Item, dispatch};
use crate::raw;
use crate::region::Operand;

/// How many elements beyond the selected ones compressing may write.
pub(super) const SLACK: usize = 64;

/// Element types that can be moved together.
pub(super) trait Compress: Item {
    /// Writes the elements at which the mask is true to the start of `target`, and
    /// gives their number. The target is longer than the elements by at least
    /// [`SLACK`]; what lies behind the selected elements is unspecified.
    fn compress(level: Level, elements: &[Self], mask: &[bool], target: &mut [Self]) -> usize;
}

/// One element after the other: every one is written, and those that are not selected are
/// overwritten by the next. A branch for each would be mispredicted as often as the mask
/// changes.
#[inline(always)]
fn one_by_one<T: Copy>(elements: &[T], mask: &[bool], target: &mut [T]) -> usize {
    let mut count = 0;
    for (element, selected) in elements.iter().zip(mask) {
        target[count] = *element;
        count += usize::from(*selected);
    }
    count
}

macro_rules! by_vectors {
    ($ty:ty, $vector:ident, $mask:ident, $width:literal) => {
        impl Compress for $ty {
            fn compress(level: Level, elements: &[$ty], mask: &[bool], target: &mut [$ty]) -> usize {
                fearless_simd::dispatch!(level, simd => simd.vectorize(
                    #[inline(always)]
                    || {
                        // Each vector is compressed, and stored in full length. What is
                        // stored behind its selected elements is overwritten by the next store
                        // or lies in the slack.
                        let mut count = 0;
                        let (blocks, rest) = elements.as_chunks::<64>();
                        let (masks, mask_rest) = raw::bytes(mask).as_chunks::<64>();
                        for (block, mask) in blocks.iter().zip(masks) {
                            let selected = fearless_simd::u8x64::from_slice(simd, mask);
                            // One bit for each element of the block, the first the lowest.
                            let mut bits = selected.simd_gt(0).to_bitmask();
                            for vector_elements in block.as_chunks::<$width>().0 {
                                let few = bits & ((1 << $width) - 1);
                                let vector = fearless_simd::$vector::from_slice(simd, vector_elements);
                                let mask = fearless_simd::$mask::from_bitmask(simd, few);
                                vector.compress(mask).store_slice(&mut target[count..count + $width]);
                                count += few.count_ones() as usize;
                                bits >>= $width;
                            }
                        }
                        let mask = &mask[mask.len() - mask_rest.len()..];
                        count + one_by_one(rest, mask, &mut target[count..])
                    }
                ))
            }
        }
    };
}

by_vectors!(f32, f32x16, mask32x16, 16);
by_vectors!(i32, i32x16, mask32x16, 16);
by_vectors!(f64, f64x8, mask64x8, 8);
by_vectors!(i64, i64x8, mask64x8, 8);

macro_rules! one_by_one {
    ($($ty:ty),*) => {$(
        impl Compress for $ty {
            fn compress(level: Level, elements: &[$ty], mask: &[bool], target: &mut [$ty]) -> usize {
                fearless_simd::dispatch!(level, simd => simd.vectorize(
                    #[inline(always)]
                    || one_by_one(elements, mask, target)
                ))
            }
        }
    )*};
}

one_by_one!(bool, u8);

/// A selection over a chunk, with its dtype erased.
pub(super) trait Selecting<'o>: Send {
    /// Starts a chunk. Selected elements are written to their final memory if `rest` is
    /// given, and are staged until the ordered hand-off otherwise.
    fn open(&mut self, rest: Option<AnySlice<'o>>);
    /// Takes in the elements of a tile.
    fn include(&mut self, level: Level, views: &ByDType<OperandViews<'_>>, tile: Tile);
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

fn boxed<'o, T: Compress>(value: Operand, mask: Operand, staging: usize) -> Box<dyn Selecting<'o> + 'o> {
    Box::new(State { value, mask, staging: vec![T::default(); staging], direct: &mut [], count: 0 })
}

struct State<'o, T> {
    value: Operand,
    mask: Operand,
    staging: Vec<T>,
    direct: &'o mut [T],
    count: usize,
}

impl<'o, T: Compress> Selecting<'o> for State<'o, T> {
    fn open(&mut self, rest: Option<AnySlice<'o>>) {
        self.direct = rest.map_or(&mut [], T::unwrap_any);
        self.count = 0;
    }

    fn include(&mut self, level: Level, views: &ByDType<OperandViews<'_>>, tile: Tile) {
        let elements = T::of(views).read(self.value, tile);
        let mask = bool::of(views).read(self.mask, tile);
        let target = if self.staging.is_empty() { &mut *self.direct } else { &mut self.staging };
        self.count += T::compress(level, elements, mask, &mut target[self.count..]);
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
