//! Writing at computed places.

use tamis_graph::{Addressing, Combine};

use super::copy::{self, Rows};
use super::index::{axis_places, row_places};
use super::pieces::{self, PIECE, Part};
use super::rows::{AHEAD, prefetch_row};
use crate::kernel::Call;
use crate::kernel::number::{Number, larger, smaller};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

/// How many places a thread looks at before it writes to those among them that it owns.
const RUN: usize = 256;

pub(super) fn run<'a>(
    call: &Call<'_, 'a>,
    addressing: Addressing,
    combine: Combine,
) -> Option<AnyTensor<'a>> {
    match (combine, call.operands[0]) {
        (Combine::Set, x) => dispatch!(x, x => scatter(call, x, addressing, |_, new| new)),
        (Combine::Or, _) | (Combine::Add, AnyTensor::Bool(_)) => {
            scatter(call, call.typed::<bool>(0), addressing, |old, new| old | new)
        }
        (Combine::Mul, AnyTensor::Bool(_)) => {
            scatter(call, call.typed::<bool>(0), addressing, |old, new| old & new)
        }
        (Combine::Mul, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, Number::mul)),
        (Combine::Max, x) => dispatch!(x, x => scatter(call, x, addressing, larger)),
        (Combine::Min, x) => dispatch!(x, x => scatter(call, x, addressing, smaller)),
        (Combine::Add, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, Number::add)),
    }
}

/// Every thread owns a range of the destination and walks all places in order:
/// so each element combines its updates in their order, whoever owns it.
fn scatter<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
    combine: impl Fn(T, T) -> T + Sync,
) -> Option<AnyTensor<'a>> {
    let updates = call.typed::<T>(2);
    if call.shape.contains(&0) || updates.shape().contains(&0) {
        return None;
    }
    let shape = x.shape();
    let product = |lengths: &[usize]| lengths.iter().product::<usize>();
    let (places, outer, length, width) = match addressing {
        Addressing::Axis(axis) => {
            (axis_places(call, shape[axis], 1)?, axis, shape[axis], product(&shape[axis + 1..]))
        }
        Addressing::Nd => {
            let depth = *call.operands[1].shape().last()?;
            (row_places(call, shape, depth)?, 0, product(&shape[..depth]), product(&shape[depth..]))
        }
        // Every index names an element of its own block.
        Addressing::AlongAxis(axis) => {
            let width = product(&shape[axis + 1..]);
            (axis_places(call, shape[axis], width)?, axis, shape[axis] * width, 1)
        }
    };
    let blocks = product(&shape[..outer]);
    let updates = copy::list(updates, call.memory, call.threads).ok()?;
    let updates: &[T] = &updates;
    let per_block = updates.len() / blocks;
    let places = Places { list: places.as_list(), per_block: per_block / width };
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    let x = Rows::new(&x.view());
    let group = pieces::rows_per_piece(per_block + length * width);
    let owners = if blocks < call.threads.count() { call.threads.count() } else { 1 };
    let step = if updates.len() < PIECE { length } else { length.div_ceil(owners) };
    let parts = pieces::parts(result.as_list_mut(), [length, width], group, step);
    pieces::each(call.threads, parts, |_, Part { block: first, row, elements }| {
        x.read((first * length + row) * width, elements);
        for (block, part) in elements.chunks_mut(length * width).enumerate() {
            let places = places.of(first + block);
            let updates = &updates[(first + block) * per_block..][..per_block];
            pieces::vectorised(
                #[inline(always)]
                || match width {
                    1 => write_elements(part, row, places, updates, &combine),
                    _ => write_rows(part, row, places, updates, width, &combine),
                },
            );
        }
    });
    Some(result.into())
}

/// The places of the updates in each block: the same in all, or its own.
struct Places<'p> {
    list: &'p [usize],
    per_block: usize,
}

impl<'p> Places<'p> {
    fn of(&self, block: usize) -> &'p [usize] {
        if self.list.len() == self.per_block {
            return self.list;
        }
        &self.list[block * self.per_block..][..self.per_block]
    }
}

#[inline(always)]
fn write_elements<T: Item>(
    part: &mut [T],
    start: usize,
    places: &[usize],
    updates: &[T],
    combine: &impl Fn(T, T) -> T,
) {
    let mut owned = [0_u8; RUN];
    for (places, updates) in places.chunks(RUN).zip(updates.chunks(RUN)) {
        // Sorting out first costs no misprediction where owners alternate.
        let mut count = 0;
        for (i, place) in places.iter().enumerate() {
            owned[count % RUN] = i as u8;
            count += usize::from(place.wrapping_sub(start) < part.len());
        }
        for i in &owned[..count] {
            let i = usize::from(*i);
            let element = &mut part[places[i] - start];
            *element = combine(*element, updates[i]);
        }
    }
}

#[inline(always)]
fn write_rows<T: Item>(
    part: &mut [T],
    start: usize,
    places: &[usize],
    updates: &[T],
    width: usize,
    combine: &impl Fn(T, T) -> T,
) {
    let rows = part.len() / width;
    for (i, (place, update)) in places.iter().zip(updates.chunks_exact(width)).enumerate() {
        let next = places.get(i + AHEAD).map(|place| place.wrapping_sub(start));
        prefetch_row(part, next.filter(|next| *next < rows), width);
        let row = place.wrapping_sub(start);
        if row < rows {
            for (element, update) in part[row * width..][..width].iter_mut().zip(update) {
                *element = combine(*element, *update);
            }
        }
    }
}
