//! Reading at computed places.

use std::sync::atomic::{AtomicBool, Ordering};

use tamis_graph::{Addressing, Index};

use super::copy::{self, List};
use super::pieces::{self, Part};
use super::places::{Places, RUN};
use super::{rows, scatter};
use crate::kernel::Call;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

pub(super) fn run<'a>(op: Index, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    match op {
        Index::Gather(addressing) => dispatch!(call.operands[0], x => gather(call, x, addressing)),
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
    /// The lengths of the axes that indices name places on.
    lengths: &'p [usize],
}

impl<'p> Addressed<'p> {
    /// `None` if nothing is addressed at all.
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
        let whole = Addressed { blocks, length, width, count: indices.len(), indices, addressing, lengths };
        Some(match addressing {
            Addressing::Axis(_) => whole,
            // Elements are addressed, not rows.
            Addressing::AlongAxis(_) => {
                Addressed { length: length * width, width: 1, count: indices.len() / blocks, ..whole }
            }
            Addressing::Nd => {
                Addressed { count: product(&indices_shape[..indices_shape.len() - 1]), ..whole }
            }
        })
    }

    /// The places that are addressed in a block.
    pub(super) fn places(&self, block: usize) -> Places<'p> {
        let (indices, lengths) = (self.indices, self.lengths);
        match self.addressing {
            Addressing::Axis(_) => Places::Axis { indices, length: self.length },
            Addressing::AlongAxis(_) => {
                let indices = &indices[block * self.count..][..self.count];
                Places::Along { indices, length: lengths[0], width: self.length / lengths[0] }
            }
            Addressing::Nd => Places::Groups { indices, lengths },
        }
    }
}

fn gather<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) || x.shape().contains(&0) {
        return None;
    }
    let indices = call.typed::<i64>(1);
    let index_list = copy::list(call, &indices.view())?;
    let addressed = Addressed::new(addressing, x.shape(), &index_list, indices.shape())?;
    let list = affordable_list(call, x)?;
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    let (length, width, count) = (addressed.length, addressed.width, addressed.count);
    let places = |block| addressed.places(block);
    read(result.as_list_mut(), &list, [length, width, count], places, call.threads)?;
    Some(result.into())
}

/// The elements of `x` at the places on `axis` that the second operand names.
pub(super) fn gather_along<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
) -> Option<AnyTensor<'a>> {
    gather(call, x, Addressing::AlongAxis(axis))
}

/// The elements of `x` in row-major order, unless they would have to be copied
/// to read but a few of them.
fn affordable_list<'t, 'a, T: Item>(call: &Call<'_, 'a>, x: &'t Tensor<'a, T>) -> Option<List<'t, 'a, T>> {
    let all = x.view();
    let copied = all.to_slice().is_none();
    if copied && all.len() / 4 > call.shape.iter().product() { None } else { copy::list(call, &x.view()) }
}

/// Reads `count` rows from each block of `x`, which are of `length` rows of
/// `width` elements. `None` if an index names no place.
pub(super) fn read<'p, T: Item>(
    result: &mut [T],
    x: &[T],
    [length, width, count]: [usize; 3],
    places: impl Fn(usize) -> Places<'p> + Sync,
    threads: &Threads,
) -> Option<()> {
    let (group, step) = (pieces::rows_per_piece(count * width), pieces::rows_per_piece(width));
    let parts = pieces::parts(result, [count, width], group, step);
    let odd = AtomicBool::new(false);
    pieces::each(threads, parts, &|_, Part { block: first, row, elements }| {
        let found = pieces::vectorised(
            #[inline(always)]
            || {
                let mut numbers = [0; RUN];
                let mut blocks = elements.chunks_mut(count * width).enumerate();
                blocks.try_for_each(|(block, part)| {
                    let places = places(first + block);
                    let x = &x[(first + block) * length * width..][..length * width];
                    part.chunks_mut(RUN * width).enumerate().try_for_each(|(i, part)| {
                        let numbers = &mut numbers[..part.len() / width];
                        places.read(row + i * RUN, numbers)?;
                        rows::take(part, x, numbers, width);
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
