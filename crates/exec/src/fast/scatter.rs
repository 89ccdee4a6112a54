//! Writing at computed indices.

use std::sync::atomic::{AtomicBool, Ordering};

use tamis_graph::{Addressing, Combine};

use super::chunks::{self, CHUNK, RowChunk};
use super::copy;
use super::index::Addressed;
use super::offsets::{Offsets, RUN};
use super::rows::{AHEAD, prefetch_row};
use crate::elements::Rows;
use crate::kernel::Call;
use crate::kernel::number::{Number, Ordered};
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(
    call: &Call<'_, 'a>,
    addressing: Addressing,
    combine: Combine,
) -> Option<AnyTensor<'a>> {
    match (combine, call.operands[0]) {
        (Combine::Set, x) => {
            dispatch!(words: x.words(), x => scatter(call, &x, addressing, &|run| run.combine(|_, new| new)))
        }
        (Combine::Or, _) | (Combine::Add, AnyTensor::Bool(_)) => {
            scatter(call, call.typed::<bool>(0), addressing, &|run| run.combine(|old, new| old | new))
        }
        (Combine::Mul, AnyTensor::Bool(_)) => {
            scatter(call, call.typed::<bool>(0), addressing, &|run| run.combine(|old, new| old & new))
        }
        (Combine::Mul, x) => {
            dispatch!(numbers: x, x => scatter(call, x, addressing, &|run| run.combine(Number::mul)))
        }
        (Combine::Max, x) => {
            dispatch!(x, x => scatter(call, x, addressing, &|run| run.combine(Ordered::larger)))
        }
        (Combine::Min, x) => {
            dispatch!(x, x => scatter(call, x, addressing, &|run| run.combine(Ordered::smaller)))
        }
        (Combine::Add, x) => {
            dispatch!(numbers: x, x => scatter(call, x, addressing, &|run| run.combine(Number::add)))
        }
    }
}

/// Every thread owns a range of the destination and visits all offsets in order: so
/// each element combines its updates in their order, whoever owns it. Atomic updates would
/// read the offsets once, but combine in the order of threads.
fn scatter<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    addressing: Addressing,
    combine: &(dyn Fn(Updates<'_, T>) + Sync),
) -> Option<AnyTensor<'a>> {
    let (indices, updates) = (call.typed::<i64>(1), call.words::<T>(2));
    if call.shape.contains(&0) || updates.shape().contains(&0) {
        return None;
    }
    let index_elements = copy::contiguous(call, &indices.view())?;
    let updates = updates.view();
    let update_elements = copy::contiguous(call, &updates)?;
    let (addressed, updates) =
        (Addressed::new(addressing, x.shape(), &index_elements, indices.shape())?, &*update_elements);
    let (length, width, count) = (addressed.length, addressed.width, addressed.count);
    let mut result = AnyBuffer::unspecified(call.operands[0].dtype(), call.shape, call.memory).ok()?;
    let x = Rows::new(&x.view());
    let group = chunks::rows_per_chunk((count + length) * width);
    let owners = if addressed.blocks < call.threads.count() { call.threads.count() } else { 1 };
    let step = if updates.len() < CHUNK { length } else { length.div_ceil(owners) };
    let row_chunks = chunks::row_chunks(result.words_mut(), [length, width], group, step);
    let odd = AtomicBool::new(false);
    chunks::each(call.threads, row_chunks, &|_, RowChunk { block: first, row, elements }| {
        x.read((first * length + row) * width, elements);
        for (block, output) in elements.chunks_mut(length * width).enumerate() {
            let updates = &updates[(first + block) * count * width..][..count * width];
            if write(output, row, &addressed.offsets(first + block), updates, width, combine).is_none() {
                return odd.store(true, Ordering::Relaxed);
            }
        }
    });
    (!odd.into_inner()).then(|| result.repeated(call.shape))
}

/// Combines the rows of a block from `start` on, which are `output`, with those of the
/// updates whose offsets they are. `None` if an index is out of range.
fn write<T: Item>(
    output: &mut [T],
    start: usize,
    offsets: &Offsets<'_>,
    updates: &[T],
    width: usize,
    combine: &dyn Fn(Updates<'_, T>),
) -> Option<()> {
    let (mut numbers, mut owned) = ([0; RUN], [0_u8; RUN]);
    let rows = output.len() / width;
    for (i, updates) in updates.chunks(RUN * width).enumerate() {
        let numbers = &mut numbers[..updates.len() / width];
        let end = own(offsets, i * RUN, numbers, &mut owned, start, rows)?;
        combine(Updates { output, updates, numbers, owned: &owned[..end], width });
    }
    Some(())
}

/// Works out the offsets of a run, counted from the first that is owned, and
/// which updates are for the `rows` that are owned: sorting out first costs no
/// misprediction where owners alternate.
fn own(
    offsets: &Offsets<'_>,
    from: usize,
    numbers: &mut [usize],
    owned: &mut [u8; RUN],
    start: usize,
    rows: usize,
) -> Option<usize> {
    chunks::vectorised(
        #[inline(always)]
        || {
            offsets.read(from, numbers)?;
            let mut end = 0;
            for (i, number) in numbers.iter_mut().enumerate() {
                *number = number.wrapping_sub(start);
                owned[end % RUN] = i as u8;
                end += usize::from(*number < rows);
            }
            Some(end)
        },
    )
}

/// Some updates, and the rows that those of them that are owned are for.
struct Updates<'r, T> {
    output: &'r mut [T],
    updates: &'r [T],
    numbers: &'r [usize],
    owned: &'r [u8],
    width: usize,
}

impl<T: Item> Updates<'_, T> {
    #[inline(always)]
    fn combine(self, combine: impl Fn(T, T) -> T) {
        if self.width == 1 {
            for i in self.owned.iter().map(|i| usize::from(*i)) {
                let element = &mut self.output[self.numbers[i]];
                *element = combine(*element, self.updates[i]);
            }
            return;
        }
        chunks::vectorised(
            #[inline(always)]
            || self.combine_rows(combine),
        );
    }

    #[inline(always)]
    fn combine_rows(self, combine: impl Fn(T, T) -> T) {
        let Updates { output, updates, numbers, owned, width } = self;
        for (order, i) in owned.iter().enumerate() {
            let next = owned.get(order + AHEAD).map(|next| usize::from(*next));
            prefetch_row(output, next.map(|next| numbers[next]), width);
            prefetch_row(updates, next, width);
            let i = usize::from(*i);
            let row = &mut output[numbers[i] * width..][..width];
            for (element, update) in row.iter_mut().zip(&updates[i * width..]) {
                *element = combine(*element, *update);
            }
        }
    }
}
