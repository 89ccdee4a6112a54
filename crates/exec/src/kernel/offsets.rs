//! Reading and writing at offsets along an axis. Does not depend on ops.

use std::ops::Range;

use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::{Buffer, Memory};
use crate::row_major::position_of;
use crate::tensor::{Item, Tensor};

/// How the elements of an array lie along one of its axes: in blocks of `length`
/// rows of `width` elements; none of an array without elements.
#[derive(Clone, Copy)]
pub(super) struct Along {
    pub(super) blocks: usize,
    pub(super) length: usize,
    pub(super) width: usize,
}

impl Along {
    pub(super) fn new(shape: &[usize], axis: usize) -> Along {
        if shape.contains(&0) {
            // The product of the other lengths may overflow.
            return Along { blocks: 0, length: 0, width: 1 };
        }
        let product = |lengths: &[usize]| lengths.iter().product();
        Along { blocks: product(&shape[..axis]), length: shape[axis], width: product(&shape[axis + 1..]) }
    }

    /// How many fibers there are; none of an array without elements.
    pub(super) fn fibers(self) -> usize {
        self.blocks * self.width
    }

    /// An element of a fiber.
    pub(super) fn element(self, fiber: usize, step: usize) -> usize {
        self.row(fiber / self.width, step) + fiber % self.width
    }

    /// The first element of a row of a block.
    pub(super) fn row(self, block: usize, offset: usize) -> usize {
        (block * self.length + offset) * self.width
    }
}

/// Writes the rows of `x` at `offsets` along an axis to `result`.
pub(super) fn read<T: Item>(result: &mut [T], x: &Tensor<'_, T>, axis: usize, offsets: &[usize]) {
    if result.is_empty() {
        return;
    }
    let (along, source) = (Along::new(x.shape(), axis), Rows::new(&x.view()));
    let mut rows = result.chunks_exact_mut(along.width);
    for block in 0..along.blocks {
        for (offset, row) in offsets.iter().zip(&mut rows) {
            source.read(along.row(block, *offset), row);
        }
    }
}

/// Combines the rows of `result`, which has this shape, at `offsets` of `axis`
/// with those of `values`, in their order.
pub(super) fn write<T: Item>(
    result: &mut [T],
    shape: &[usize],
    axis: usize,
    offsets: &[usize],
    values: &Tensor<'_, T>,
    combine: &dyn Fn(T, T) -> T,
) {
    if values.view().is_empty() {
        return;
    }
    let (along, values) = (Along::new(shape, axis), Rows::new(&values.view()));
    let mut next = 0;
    for block in 0..along.blocks {
        for offset in offsets {
            for element in &mut result[along.row(block, *offset)..][..along.width] {
                *element = combine(*element, values.get(next));
                next += 1;
            }
        }
    }
}

/// The position of the first false element.
pub(super) fn first_false(mask: &Tensor<'_, bool>, memory: &Memory) -> Result<Option<Vec<usize>>, ErrorKind> {
    // The first of what repeats stands for the others.
    let (mask, _) = mask.condensed(&|_| true);
    let mask = mask.view_for_iteration(memory)?;
    Ok(mask.iter().position(|holds| !holds).map(|index| position_of(mask.shape(), index).to_vec()))
}

/// The row-major offsets of the true elements.
pub(super) fn of_true<'m>(
    mask: &Tensor<'_, bool>,
    memory: &'m Memory,
) -> Result<Buffer<'m, usize>, ErrorKind> {
    let mask = mask.view_for_iteration(memory)?;
    let count = mask.iter().filter(|selected| **selected).count();
    let mut offsets = memory.zeros::<usize>(&[count])?;
    let selected = mask.iter().enumerate().filter(|(_, selected)| **selected);
    offsets.iter_mut().zip(selected).for_each(|(offset, (i, _))| *offset = i);
    Ok(offsets)
}

/// The shape with one axis instead of those in `range`: row-major order stays.
pub(super) fn merge(shape: &[usize], range: Range<usize>) -> Vec<usize> {
    let merged = shape[range.clone()].iter().product();
    [&shape[..range.start], &[merged], &shape[range.end..]].concat()
}
