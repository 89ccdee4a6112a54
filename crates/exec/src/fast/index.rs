//! Reading at computed indices.

use std::sync::atomic::{AtomicBool, Ordering};

use tamis_graph::{Addressing, Index};

use super::chunks::{self, RowChunk};
use super::copy::{self, Contiguous};
use super::offsets::{Offsets, RUN};
use super::{rows, scatter};
use crate::kernel::Call;
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

pub(super) fn run<'a>(op: Index, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    match op {
        Index::Gather(addressing) => {
            dispatch!(words: call.operands[0].words(), x => gather(call, &x, addressing))
        }
        Index::Scatter { addressing, combine } => scatter::run(call, addressing, combine),
    }
}

/// What indices address in a tensor: blocks of `length` rows of `width`
/// elements, of each of which `count` rows are addressed.
pub(super) struct Addressed<'p> {
    pub(super) blocks: usize,
    pub(super) length: usize,
    pub(super) width: usize,
    pub(super) count: usize,
    indices: &'p [i64],
    addressing: Addressing,
    /// The lengths of the axes that are indexed.
    lengths: &'p [usize],
}

impl<'p> Addressed<'p> {
    /// `None` if no element is addressed.
    pub(super) fn new(
        addressing: Addressing,
        shape: &'p [usize],
        indices: &'p [i64],
        indices_shape: &[usize],
    ) -> Option<Addressed<'p>> {
        let product = |lengths: &[usize]| lengths.iter().product::<usize>();
        let (axis, depth) = match addressing {
            Addressing::Axis(axis) | Addressing::AlongAxis(axis) => (axis, 1),
            Addressing::Nd => (0, *indices_shape.last()?),
        };
        let lengths = &shape[axis..axis + depth];
        let (blocks, length, width) =
            (product(&shape[..axis]), product(lengths), product(&shape[axis + depth..]));
        let all = Addressed { blocks, length, width, count: indices.len(), indices, addressing, lengths };
        Some(match addressing {
            Addressing::Axis(_) => all,
            // Elements are addressed, not rows.
            Addressing::AlongAxis(_) => {
                Addressed { length: length * width, width: 1, count: indices.len() / blocks, ..all }
            }
            Addressing::Nd => Addressed { count: product(&indices_shape[..indices_shape.len() - 1]), ..all },
        })
    }

    /// The offsets that are addressed in a block.
    pub(super) fn offsets(&self, block: usize) -> Offsets<'p> {
        let (indices, lengths) = (self.indices, self.lengths);
        match self.addressing {
            Addressing::Axis(_) => Offsets::Axis { indices, length: self.length },
            Addressing::AlongAxis(_) => {
                let indices = &indices[block * self.count..][..self.count];
                Offsets::Along { indices, length: lengths[0], width: self.length / lengths[0] }
            }
            Addressing::Nd => Offsets::Groups { indices, lengths },
        }
    }
}

fn gather<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    addressing: Addressing,
) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) || x.shape().contains(&0) {
        return None;
    }
    let indices = call.typed::<i64>(1);
    let index_elements = copy::contiguous(call, &indices.view())?;
    let addressed = Addressed::new(addressing, x.shape(), &index_elements, indices.shape())?;
    let contiguous = affordable_contiguous(call, x)?;
    let mut result = AnyBuffer::unspecified(call.operands[0].dtype(), call.shape, call.memory).ok()?;
    let (length, width, count) = (addressed.length, addressed.width, addressed.count);
    let offsets = |block| addressed.offsets(block);
    read(result.words_mut(), &contiguous, [length, width, count], &offsets, call.threads)?;
    Some(result.repeated(call.shape))
}

/// The elements of `x` that the second operand, indices into `axis`, addresses.
pub(super) fn gather_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
) -> Option<AnyTensor<'a>> {
    gather(call, x, Addressing::AlongAxis(axis))
}

/// The elements of `x` in row-major order, unless they would have to be copied
/// to read but a few of them.
fn affordable_contiguous<'t, 'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &'t Tensor<'_, T>,
) -> Option<Contiguous<'t, 'a, T>> {
    let all = x.view();
    let copied = all.to_slice().is_none();
    if copied && all.len() / 4 > call.shape.iter().product() {
        None
    } else {
        copy::contiguous(call, &x.view())
    }
}

/// Reads `count` rows from each block of `x`, which are of `length` rows of `width`
/// elements. `None` if an index is out of range.
pub(super) fn read<'p, T: Item>(
    result: &mut [T],
    x: &[T],
    [length, width, count]: [usize; 3],
    offsets: &(dyn Fn(usize) -> Offsets<'p> + Sync),
    threads: &Threads,
) -> Option<()> {
    let (group, step) = (chunks::rows_per_chunk(count * width), chunks::rows_per_chunk(width));
    let outputs = chunks::row_chunks(result, [count, width], group, step);
    let odd = AtomicBool::new(false);
    chunks::each(threads, outputs, &|_, RowChunk { block: first, row, elements }| {
        let found = chunks::vectorised(
            #[inline(always)]
            || {
                let mut numbers = [0; RUN];
                let mut blocks = elements.chunks_mut(count * width).enumerate();
                blocks.try_for_each(|(block, output)| {
                    let offsets = offsets(first + block);
                    let x = &x[(first + block) * length * width..][..length * width];
                    output.chunks_mut(RUN * width).enumerate().try_for_each(|(i, output)| {
                        let numbers = &mut numbers[..output.len() / width];
                        offsets.read(row + i * RUN, numbers)?;
                        rows::take(output, x, numbers, width);
                        Some(())
                    })
                })
            },
        );
        if found.is_none() {
            odd.store(true, Ordering::Relaxed);
        }
    });
    (!odd.into_inner()).then_some(())
}
