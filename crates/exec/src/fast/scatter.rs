//! Writing at computed indices.

use std::sync::atomic::{AtomicBool, Ordering};

use tamis_graph::{Addressing, Combine};

use super::chunks::{self, CHUNK, RowChunk};
use super::copy::{self, Rows};
use super::index::Addressed;
use super::offsets::{Offsets, RUN};
use super::rows::{AHEAD, prefetch_row};
use crate::kernel::Call;
use crate::kernel::number::{Number, Ordered};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

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
        (Combine::Max, x) => dispatch!(x, x => scatter(call, x, addressing, Ordered::larger)),
        (Combine::Min, x) => dispatch!(x, x => scatter(call, x, addressing, Ordered::smaller)),
        (Combine::Add, x) => dispatch!(numbers: x, x => scatter(call, x, addressing, Number::add)),
    }
}

/// Every thread owns a range of the destination and visits all offsets in order: so
/// each element combines its updates in their order, whoever owns it.
fn scatter<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    addressing: Addressing,
    combine: impl Fn(T, T) -> T + Sync,
) -> Option<AnyTensor<'a>> {
    let (indices, updates) = (call.typed::<i64>(1), call.typed::<T>(2));
    if call.shape.contains(&0) || updates.shape().contains(&0) {
        return None;
    }
    let index_elements = copy::contiguous(call, &indices.view())?;
    let update_elements = copy::contiguous(call, &updates.view())?;
    let (addressed, updates) =
        (Addressed::new(addressing, x.shape(), &index_elements, indices.shape())?, &*update_elements);
    let (length, width, count) = (addressed.length, addressed.width, addressed.count);
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    let x = Rows::new(&x.view());
    let group = chunks::rows_per_chunk((count + length) * width);
    let owners = if addressed.blocks < call.threads.count() { call.threads.count() } else { 1 };
    let step = if updates.len() < CHUNK { length } else { length.div_ceil(owners) };
    let outputs = chunks::row_chunks(result.as_contiguous_mut(), [length, width], group, step);
    let odd = AtomicBool::new(false);
    chunks::each(call.threads, outputs, &|_, RowChunk { block: first, row, elements }| {
        x.read((first * length + row) * width, elements);
        let found = chunks::vectorised(
            #[inline(always)]
            || {
                let mut blocks = elements.chunks_mut(length * width).enumerate();
                blocks.try_for_each(|(block, output)| {
                    let updates = &updates[(first + block) * count * width..][..count * width];
                    write(output, row, &addressed.offsets(first + block), updates, width, &combine)
                })
            },
        );
        if found.is_none() {
            odd.store(true, Ordering::Relaxed);
        }
    });
    (!odd.into_inner()).then(|| result.into())
}

/// Combines the rows of a block from `start` on, which are `output`, with those of the
/// updates whose offsets they are. `None` if an index is out of range.
#[inline(always)]
fn write<T: Item>(
    output: &mut [T],
    start: usize,
    offsets: &Offsets<'_>,
    updates: &[T],
    width: usize,
    combine: &impl Fn(T, T) -> T,
) -> Option<()> {
    let (mut numbers, mut owned) = ([0; RUN], [0_u8; RUN]);
    let rows = output.len() / width;
    for (i, updates) in updates.chunks(RUN * width).enumerate() {
        let numbers = &mut numbers[..updates.len() / width];
        offsets.read(i * RUN, numbers)?;
        // Sorting out first costs no misprediction where owners alternate.
        let mut end = 0;
        for (i, number) in numbers.iter_mut().enumerate() {
            *number = number.wrapping_sub(start);
            owned[end % RUN] = i as u8;
            end += usize::from(*number < rows);
        }
        let owned = &owned[..end];
        if width == 1 {
            for i in owned.iter().map(|i| usize::from(*i)) {
                let element = &mut output[numbers[i]];
                *element = combine(*element, updates[i]);
            }
            continue;
        }
        for (hand_off, i) in owned.iter().enumerate() {
            let next = owned.get(hand_off + AHEAD).map(|next| usize::from(*next));
            prefetch_row(output, next.map(|next| numbers[next]), width);
            prefetch_row(updates, next, width);
            let i = usize::from(*i);
            let row = &mut output[numbers[i] * width..][..width];
            for (element, update) in row.iter_mut().zip(&updates[i * width..]) {
                *element = combine(*element, *update);
            }
        }
    }
    Some(())
}
