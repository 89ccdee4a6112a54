//! Regions that run together row by row: all of them on a chunk of rows before the first goes on with
//! the next. What they hand to one another stays in the cache, in memory for one chunk that each
//! thread uses again.
//!
//! The bits are those of the regions one after the other: a row is reduced as in any other chunk of
//! complete rows, and nothing else depends on chunks.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use smallvec::SmallVec;
use tamis_graph::{DType, steps};

use super::accumulator::{Accumulator, Source, accumulator};
use super::partition::{CHUNK, Domain, Partition};
use super::refusal::Refusal;
use super::register_file::{AnySlice, Locals, RegisterFile, Slices};
use super::{Action, Call, Extent, Local, Pass, Scratch, Worker, value};
use crate::by_dtype::{ByDType, Item, dispatch, each_dtype, slot};
use crate::chunks::{Chunks, consecutive};
use crate::memory::checked_len;
use crate::region::{Reduction, Region, RegionOutput, RowGroup, RowLoad};
use crate::tensor::{AnyBuffer, AnyTensor};

/// Runs the regions of a group, each with the number of its stage, and gives the values that others
/// read. `None` where the stages must run one after the other: where rows are too long for the cache,
/// memory does not suffice, or an element is refused, whose error they find.
pub(crate) fn run_rows<'r>(
    group: &RowGroup,
    regions: &[(usize, &Region)],
    call: &Call<'_, 'r>,
) -> Option<Vec<(usize, AnyTensor<'r>)>> {
    steps::add(group.values.len() + group.loads.len());
    let rows = Rows::new(group, regions, call)?;
    let threads = call.threads.count().min(rows.chunks());
    let allocated = rows.values.iter().map(|value| value.allocate(&rows, threads, call)).collect();
    let Some(mut buffers): Option<Vec<AnyBuffer<'r>>> = allocated else {
        call.memory.forget_refusal();
        return None;
    };
    let is_refused = rows.run(&rows.phases(group, regions, call), &mut buffers, threads, call);
    let mut results = Vec::new();
    for (value, buffer) in rows.values.iter().zip(buffers) {
        let tensor = buffer.into_tensor();
        if value.is_stored && !is_refused {
            results.push((value.step, tensor));
        } else {
            tensor.recycle(call.memory.pool());
        }
    }
    (!is_refused).then_some(results)
}

/// The rows of a group in a run.
struct Rows {
    /// How many there are, and how many make a chunk.
    count: usize,
    chunk: usize,
    /// For each region what it visits, in the order of the stages.
    extents: Vec<Extent>,
    values: Vec<Value>,
}

/// A value that a region of a group gives.
struct Value {
    step: usize,
    dtype: DType,
    /// Its number among those of its dtype.
    number: usize,
    lengths: Vec<usize>,
    /// How many elements each row has of it.
    width: usize,
    /// Whether others read it: then all of it is stored, else that of a chunk of rows.
    is_stored: bool,
}

/// A region of a group.
struct Phase<'p> {
    pass: Pass<'p>,
    actions: SmallVec<[Action; 32]>,
    /// For each dtype, which of the values are stored by it.
    targets: [Vec<bool>; 6],
    /// Its reductions, and the index of the value that each gives.
    reductions: Vec<(Reduction, Source, usize)>,
}

impl Rows {
    /// `None` where rows are longer than a chunk, there are no elements, or there are too many.
    fn new(group: &RowGroup, regions: &[(usize, &Region)], call: &Call<'_, '_>) -> Option<Rows> {
        let (mut extents, mut values) = (Vec::new(), Vec::new());
        let (mut count, mut longest, mut numbers) = (0, 1, [0; 6]);
        for (number, region) in regions.iter().copied() {
            let extent = extent(group, number, region, call)?;
            count = extent.lengths[..group.lead].iter().product();
            longest = longest.max(extent.len / count);
            for output in &region.outputs {
                let (dtype, lengths) = match output {
                    RegionOutput::Store { dtype, .. } => (*dtype, &extent.lengths[..]),
                    RegionOutput::Reduction { reduction, .. } => {
                        (reduction.dtype(), &extent.lengths[..group.lead])
                    }
                    RegionOutput::Compress { .. } | RegionOutput::Count { .. } => return None,
                };
                let (step, is_stored) = group.values[values.len()];
                let width = lengths[group.lead..].iter().product();
                let lengths = lengths.to_vec();
                values.push(Value { step, dtype, number: numbers[slot(dtype)], lengths, width, is_stored });
                numbers[slot(dtype)] += 1;
            }
            extents.push(extent);
        }
        let chunk = (CHUNK / longest).min(count);
        (chunk > 0).then_some(Rows { count, chunk, extents, values })
    }

    fn chunks(&self) -> usize {
        self.count.div_ceil(self.chunk)
    }

    fn phases<'p>(
        &self,
        group: &RowGroup,
        regions: &[(usize, &'p Region)],
        call: &Call<'p, '_>,
    ) -> Vec<Phase<'p>> {
        let mut first = 0;
        let phase = |((number, region), extent): ((usize, &'p Region), &Extent)| {
            let width = extent.len / self.count;
            let local = |step: usize| {
                let (value, how) = group.loads.get(&(number, step))?;
                let times = match how {
                    RowLoad::Elements => 1,
                    RowLoad::Repeated => width,
                };
                let is_column = times > 1 && self.count > 1;
                Some(Local { number: self.values[*value].number, times, is_column })
            };
            let domain = Domain { outer: self.count, reduced: width, inner: 1 };
            let partition = |tile| Partition::of_rows(domain, self.chunk, tile);
            let pass = Pass::over(region, extent, call, &local, &partition);
            let mut targets: [Vec<bool>; 6] = Default::default();
            for value in &self.values {
                targets[slot(value.dtype)].push(false);
            }
            let (mut reductions, mut ready) = (Vec::new(), Vec::new());
            for ((output, value), at) in region.outputs.iter().zip(first..).zip(&region.ready) {
                if let RegionOutput::Reduction { reduction, value: operand, only, .. } = output {
                    reductions.push((*reduction, Source { operand: *operand, only: *only }, value));
                    ready.push(*at);
                } else {
                    let Value { dtype, number, .. } = self.values[value];
                    targets[slot(dtype)][number] = true;
                }
            }
            first += region.outputs.len();
            let actions = pass.actions(ready.into_iter(), std::iter::empty());
            Phase { pass, actions, targets, reductions }
        };
        regions.iter().copied().zip(&self.extents).map(phase).collect()
    }

    /// Runs all phases on each chunk of rows. Returns whether an element was refused.
    fn run(
        &self,
        phases: &[Phase<'_>],
        buffers: &mut [AnyBuffer<'_>],
        threads: usize,
        call: &Call<'_, '_>,
    ) -> bool {
        let rows_of = |chunk: usize| self.chunk.min(self.count - chunk * self.chunk);
        let memory = self.values.iter().zip(buffers).map(|(value, buffer)| {
            let slice = buffer.slice();
            match value.is_stored {
                true => {
                    let rows = (0..self.chunks()).map(rows_of);
                    Chunks::new(consecutive(slice, rows.map(|rows| rows * value.width)))
                }
                false => Chunks::new(consecutive(slice, (0..threads).map(|_| self.chunk * value.width))),
            }
        });
        let memory: Vec<Chunks<AnySlice<'_>>> = memory.collect();
        let (next, is_refused) = (AtomicUsize::new(0), AtomicBool::new(false));
        let scratch = call.scratch;
        call.threads.share(self.chunks(), &|source| {
            let thread = next.fetch_add(1, Ordering::Relaxed);
            let all = self.values.iter().zip(&memory);
            let of_thread = all.map(|(value, memory)| (!value.is_stored).then(|| memory.take(thread)));
            let mut locals: Vec<_> = of_thread.collect();
            let mut bench = Bench::new(phases, scratch);
            while let Some(chunk) = source.next() {
                let mut slots = ByDType::<Slices<'_>>::default();
                for (local, memory) in locals.iter_mut().zip(&memory) {
                    match local {
                        Some(local) => local.reborrow().push_to(&mut slots),
                        None => memory.take(chunk).push_to(&mut slots),
                    }
                }
                let all = phases.iter().zip(&mut bench.accumulators);
                all.for_each(|(phase, accumulators)| {
                    phase.chunk(chunk, &self.values, accumulators, &mut bench.worker, &mut slots);
                });
            }
            is_refused.fetch_or(bench.worker.refusal.is_any(), Ordering::Relaxed);
            scratch.give(bench.worker.registers);
        });
        is_refused.into_inner()
    }
}

/// What a region of a group visits, unless that takes longer than a run may, or not all of its domain
/// need be visited.
fn extent(group: &RowGroup, number: usize, region: &Region, call: &Call<'_, '_>) -> Option<Extent> {
    let is_local = |step: usize| group.loads.contains_key(&(number, step));
    let extent = if region.loads.iter().any(|load| is_local(load.step)) {
        let lengths = call.sizes.lengths(&region.domain).ok()?;
        let len = checked_len(&lengths, 1).ok()?;
        Extent { visited: lengths.clone(), lengths, len }
    } else {
        Extent::new(region, call).ok()?
    };
    let is_stored = |step: usize| group.values.contains(&(step, true));
    let stores = region.outputs.iter().any(|output| match output {
        RegionOutput::Store { step, .. } => is_stored(*step),
        RegionOutput::Reduction { .. } | RegionOutput::Compress { .. } | RegionOutput::Count { .. } => false,
    });
    let stored = || {
        let loads = region.loads.iter().filter(|load| !is_local(load.step));
        let loaded = loads.map(|load| value(call, load.step).stored_len());
        if stores { extent.len } else { loaded.max().unwrap_or(1) }
    };
    call.memory.check_iteration(&extent.visited, extent.len, stored, region.weight.max(1)).ok()?;
    (extent.len > 0 && extent.visited == extent.lengths).then_some(extent)
}

impl Value {
    /// Memory for the value, or for a chunk of rows of it on each thread.
    fn allocate<'r>(&self, rows: &Rows, threads: usize, call: &Call<'_, 'r>) -> Option<AnyBuffer<'r>> {
        let of_chunks = [threads * rows.chunk * self.width];
        let lengths = if self.is_stored { &self.lengths } else { &of_chunks[..] };
        AnyBuffer::unspecified(self.dtype, lengths, call.memory).ok()
    }
}

/// What a thread works with.
struct Bench {
    worker: Worker<'static>,
    /// Those of each phase.
    accumulators: Vec<Vec<Box<dyn Accumulator>>>,
}

impl Bench {
    fn new(phases: &[Phase<'_>], scratch: &Scratch) -> Bench {
        let (mut counts, mut tile) = ([0; 6], 0);
        for phase in phases {
            let registers = phase.pass.padded_registers();
            counts.iter_mut().zip(registers).for_each(|(most, count)| *most = count.max(*most));
            tile = phase.pass.tile.max(tile);
        }
        let registers: ByDType<RegisterFile> = scratch.take(&counts, tile);
        let (accumulators, selections) = (Vec::new(), Vec::new());
        let worker = Worker { registers, accumulators, selections, refusal: Refusal::default() };
        let of = |phase: &Phase<'_>| {
            phase.reductions.iter().map(|(reduction, source, _)| accumulator(*reduction, *source)).collect()
        };
        Bench { worker, accumulators: phases.iter().map(of).collect() }
    }
}

impl Phase<'_> {
    /// Runs one chunk, on what the phases before have written to the slots of their values.
    fn chunk(
        &self,
        number: usize,
        values: &[Value],
        accumulators: &mut Vec<Box<dyn Accumulator>>,
        worker: &mut Worker<'static>,
        slots: &mut ByDType<Slices<'_>>,
    ) {
        let chunk = self.pass.partition.chunk(number);
        accumulators.iter_mut().for_each(|accumulator| accumulator.open(chunk.outputs.len()));
        mem::swap(accumulators, &mut worker.accumulators);
        let (outputs, locals) = divided(slots, &self.targets);
        self.pass.tiles(&chunk, &self.actions, worker, outputs, locals, &|_| true);
        mem::swap(accumulators, &mut worker.accumulators);
        for (accumulator, (.., value)) in accumulators.iter().zip(&self.reductions) {
            let Value { dtype, number, .. } = values[*value];
            let result = dispatch!(type T = dtype => {
                T::into_any(&mut T::of_mut(slots)[number][..chunk.outputs.len()])
            });
            accumulator.finish(0, result);
        }
    }
}

/// The slots that a phase writes, and the others, which it may read.
fn divided<'s>(
    slots: &'s mut ByDType<Slices<'_>>,
    targets: &[Vec<bool>; 6],
) -> (ByDType<Slices<'s>>, ByDType<Locals<'s>>) {
    fn divide<'s, T>(slots: &'s mut [&mut [T]], targets: &[bool]) -> (Vec<&'s mut [T]>, Vec<&'s [T]>) {
        let (mut written, mut read): (Vec<&mut [T]>, Vec<&[T]>) = (Vec::new(), Vec::new());
        for (slot, is_target) in slots.iter_mut().zip(targets) {
            if *is_target {
                written.push(slot);
                read.push(&[]);
            } else {
                read.push(slot);
            }
        }
        (written, read)
    }
    macro_rules! divided {
        ($($ty:ident: $variant:ident),*) => {{
            $(let $ty = divide(&mut slots.$ty, &targets[slot(DType::$variant)]);)*
            (ByDType { $($ty: $ty.0,)* }, ByDType { $($ty: $ty.1,)* })
        }};
    }
    each_dtype!(divided)
}
