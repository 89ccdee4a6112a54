//! The tile machine: runs the program of a region over its domain, a tile at a time, so
//! that between reading inputs and writing results all values stay in the first-level
//! cache. Knows ops only as instructions of a region.

mod accumulator;
mod compound;
mod compress;
mod elementwise;
mod partition;
mod prefetch;
mod refusal;
mod register_file;
mod rows;

mod load;
mod outputs;
#[cfg(test)]
mod tests;

pub(crate) use self::rows::run_rows;

use std::sync::{Mutex, PoisonError};

use ndarray::{Axis, Slice};
use smallvec::SmallVec;
use tamis_graph::{DType, steps};

use self::accumulator::{Accumulator, Total, accumulator};
use self::compress::{SLACK, Selecting, selecting};
use self::elementwise::{Kernel, Machine, kernel_of};
use self::load::Loaded;
use self::outputs::{Outputs, Shared};
use self::partition::{CHUNK, Chunk, Domain, Layout, Partition, Work};
use self::prefetch::{Prefetch, STREAMED};
use self::refusal::Refusal;
use self::register_file::{BLOCK, Loads, Locals, OperandViews, RegisterFile, Slices, TILE};
use crate::by_dtype::{ByDType, Item, dispatch, slot};
use crate::error::ErrorKind;
use crate::level::Level;
use crate::memory::{Memory, checked_len};
use crate::region::{ReducedAxes, Region, RegionOutput};
use crate::sizes::{Lengths, Sizes};
use crate::tensor::AnyTensor;
use crate::threads::{OrderedHandOff, Threads};

/// How many bytes of registers stay in the first-level cache beside what they work on.
const CACHED: usize = 24 << 10;

/// What a region is run on.
pub(crate) struct Call<'c, 'r> {
    /// The values of steps.
    pub(crate) values: &'c [Option<Box<AnyTensor<'r>>>],
    pub(crate) sizes: &'c Sizes,
    pub(crate) memory: &'r Memory,
    pub(crate) threads: &'c Threads,
    pub(crate) level: Level,
    pub(crate) scratch: &'c Scratch,
}

/// What a region gives.
pub(crate) struct Results<'r> {
    /// The values of steps.
    pub(crate) values: Vec<(usize, AnyTensor<'r>)>,
    /// The counts of masks, by step.
    pub(crate) counts: Vec<(usize, usize)>,
}

/// An error, and the step that failed.
pub(crate) type StepError = (usize, ErrorKind);

/// What the regions of a plan share: their constants, and registers that runs hand on to one another.
#[derive(Default)]
pub(crate) struct Scratch {
    constants: ByDType<RegisterFile>,
    registers: Mutex<Vec<ByDType<RegisterFile>>>,
}

impl Scratch {
    pub(crate) fn new(constants: &[tamis_graph::Scalar]) -> Scratch {
        Scratch { constants: ByDType::constants(constants), registers: Mutex::default() }
    }

    /// Frees the registers.
    pub(crate) fn clear(&self) {
        self.registers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// At least `counts` registers of each dtype, for tiles of `tile` elements.
    fn take(&self, counts: &[usize; 6], tile: usize) -> ByDType<RegisterFile> {
        let spare = self.registers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut registers = spare.unwrap_or_default();
        registers.grow(counts, tile);
        registers
    }

    fn give(&self, registers: ByDType<RegisterFile>) {
        let mut spare = self.registers.lock().unwrap_or_else(PoisonError::into_inner);
        // Runs at the same time need few, and hardly any region needs many registers.
        if spare.len() < 16 && registers.count() <= 256 {
            spare.push(registers);
        }
    }
}

/// Runs a region: finds its lengths, allocates its outputs, binds its operands, and makes a pass
/// over its domain, or two where the memory for selections must be counted first.
pub(crate) fn run<'r>(region: &Region, call: &Call<'_, 'r>) -> Result<Results<'r>, StepError> {
    let failed = |kind| (region.outputs[0].step(), kind);
    let extent = Extent::new(region, call).map_err(failed)?;
    let outputs = Outputs::new(region, &extent.visited, extent.len, call)?;
    let pass = Pass::new(region, &extent, call).map_err(failed)?;
    let mut outputs = pass.count(outputs, &extent, call)?;
    let refusal = pass.run(&mut outputs, call.threads);
    if *extent.visited != *extent.lengths {
        outputs.repeat(region, &extent.lengths, &extent.visited);
    }
    refusal.or(&extent.visited, outputs.into_results(call))
}

/// How large the domain of a region is in a run.
struct Extent {
    lengths: Lengths,
    /// The lengths of what is visited: see [`visited`].
    visited: Lengths,
    /// How many elements are visited.
    len: usize,
}

impl Extent {
    fn new(region: &Region, call: &Call<'_, '_>) -> Result<Extent, ErrorKind> {
        let lengths = call.sizes.lengths(&region.domain)?;
        checked_len(&lengths, 1)?;
        let visited = visited(region, call, &lengths);
        let len = visited.iter().product();
        Ok(Extent { lengths, visited, len })
    }
}

/// The lengths of what a region visits of its domain: 1 along each axis along which
/// everything that it reads repeats, if all its results follow from one of what repeats.
fn visited(region: &Region, call: &Call<'_, '_>, lengths: &[usize]) -> Lengths {
    let mut visited = Lengths::from_slice(lengths);
    if region.outputs.iter().all(RegionOutput::is_exact) {
        for axis in (0..lengths.len()).filter(|axis| lengths[*axis] > 1) {
            if repeats_along(region, call, lengths.len() - axis) {
                visited[axis] = 1;
            }
        }
    }
    visited
}

/// Whether everything that a region reads repeats along an axis of its domain.
pub(crate) fn repeats(region: &Region, call: &Call<'_, '_>) -> bool {
    let Ok(lengths) = call.sizes.lengths(&region.domain) else { return false };
    (0..lengths.len())
        .filter(|axis| lengths[*axis] > 1)
        .any(|axis| repeats_along(region, call, lengths.len() - axis))
}

/// The same along one axis, the last being 1.
fn repeats_along(region: &Region, call: &Call<'_, '_>, from_end: usize) -> bool {
    region.loads.iter().all(|load| value(call, load.step).repeats_along_from_end(from_end))
}

fn value<'c, 'r>(call: &Call<'c, 'r>, step: usize) -> &'c AnyTensor<'r> {
    call.values[step].as_deref().unwrap_or_else(|| unreachable!("a stage runs when what it reads is there"))
}

/// A full tile; less where so many registers would not stay in the cache, and no more than the
/// domain, since a region may have a register for each of many arrays of few elements.
fn tile_len(registers: &[usize; 6], domain: usize) -> usize {
    let bytes = [1, 1, 4, 8, 4, 8];
    let bytes: usize = registers.iter().zip(bytes).map(|(count, bytes)| count * bytes).sum();
    let mut len = TILE;
    while len > 64 && bytes * len > CACHED {
        len /= 2;
    }
    len.min(domain.clamp(1, TILE).next_multiple_of(BLOCK))
}

/// Every array that a region reads, broadcast to the domain: what is visited of it.
fn bind<'c>(
    region: &Region,
    call: &Call<'c, '_>,
    Extent { lengths, visited, .. }: &Extent,
    local: &dyn Fn(usize) -> Option<Local>,
    registers: &mut [usize; 6],
) -> ByDType<Loads<'c>> {
    let mut loads = ByDType::<Loads<'c>>::default();
    for load in &region.loads {
        dispatch!(type T = load.dtype => {
            if let Some(Local { number, times, is_column }) = local(load.step) {
                registers[slot(load.dtype)] += usize::from(is_column);
                T::of_mut(&mut loads).push(Loaded::Local { number, times });
                continue;
            }
            let tensor = T::from_any(value(call, load.step));
            let tensor = tensor.unwrap_or_else(|| unreachable!("a load has the dtype of its step"));
            let mut view = tensor.view_as(lengths);
            for axis in (0..lengths.len()).filter(|axis| visited[*axis] < lengths[*axis]) {
                view.slice_axis_inplace(Axis(axis), Slice::from(..1));
            }
            let loaded = Loaded::new(view, &mut registers[slot(load.dtype)]);
            T::of_mut(&mut loads).push(loaded);
        });
    }
    loads
}

/// Whether a pass streams more than stays in a cache, tile after tile.
fn is_streaming(region: &Region, loads: &ByDType<Loads<'_>>, partition: Partition) -> bool {
    let mut bytes = 0;
    for dtype in DType::ALL {
        dispatch!(type T = dtype => {
            let loads = T::of(loads).iter().filter(|load| matches!(load, Loaded::Contiguous(_)));
            bytes += loads.count() * size_of::<T>();
        });
    }
    for output in &region.outputs {
        if let RegionOutput::Store { dtype, .. } | RegionOutput::Compress { dtype, .. } = output {
            bytes += dtype.size_of();
        }
    }
    !partition.has_panels() && partition.domain().len().saturating_mul(bytes) >= STREAMED
}

/// A value that a region finds among what others have computed of the rows of a chunk, and how often
/// each element of it repeats.
struct Local {
    number: usize,
    times: usize,
    /// Whether it would take a register if all of it lay in memory: a pass has as many registers, and
    /// so tiles as long, either way.
    is_column: bool,
}

/// One pass over the domain.
struct Pass<'p> {
    region: &'p Region,
    loads: ByDType<Loads<'p>>,
    registers: [usize; 6],
    tile: usize,
    partition: Partition,
    /// The kernel of each instruction.
    kernels: SmallVec<[Kernel; 16]>,
    is_streaming: bool,
    level: Level,
    scratch: &'p Scratch,
}

/// What is done with a tile: by the index of the instruction, reduction or selection.
#[derive(Debug, Clone, Copy)]
enum Action {
    Execute(usize),
    Reduce(usize),
    Select(usize),
}

/// What a thread works with.
struct Worker<'o> {
    registers: ByDType<RegisterFile>,
    accumulators: Vec<Box<dyn Accumulator>>,
    selections: Vec<Box<dyn Selecting<'o> + 'o>>,
    refusal: Refusal,
}

impl<'p> Pass<'p> {
    /// A pass over what is visited of a domain, unless that takes longer than a run may.
    fn new(region: &'p Region, extent: &Extent, call: &Call<'p, '_>) -> Result<Pass<'p>, ErrorKind> {
        steps::add(region.outputs.len() + region.loads.len() + region.instructions.len());
        let stored = || {
            let loaded = region.loads.iter().map(|load| value(call, load.step).stored_len());
            if region.stores() { extent.len } else { loaded.max().unwrap_or(1) }
        };
        call.memory.check_iteration(&extent.visited, extent.len, stored, region.weight.max(1))?;
        let reduced = match &region.reduced {
            Some(axes) => axes[0]..axes[axes.len() - 1] + 1,
            None => 0..0,
        };
        let domain = Domain::new(&extent.visited, reduced);
        let partition = |tile| Partition::new(domain, region.reduced.is_some(), tile);
        Ok(Pass::over(region, extent, call, &|_| None, &partition))
    }

    /// A pass over the chunks of a partition, where some of what it reads is `local`.
    fn over(
        region: &'p Region,
        extent: &Extent,
        call: &Call<'p, '_>,
        local: &dyn Fn(usize) -> Option<Local>,
        partition: &dyn Fn(usize) -> Partition,
    ) -> Pass<'p> {
        let mut registers = region.registers;
        let loads = bind(region, call, extent, local, &mut registers);
        let tile = tile_len(&registers, extent.len);
        let partition = partition(tile);
        let kernels = region.instructions.iter().map(|instruction| kernel_of(instruction.function)).collect();
        let (level, scratch) = (call.level, call.scratch);
        let is_streaming = is_streaming(region, &loads, partition);
        Pass { region, loads, registers, tile, partition, kernels, is_streaming, level, scratch }
    }

    /// What is done with each tile: the instructions, and each reduction and selection as soon as
    /// what it reads is there, so that it is still in the cache.
    fn actions(
        &self,
        reductions: impl Iterator<Item = usize>,
        selections: impl Iterator<Item = usize>,
    ) -> SmallVec<[Action; 32]> {
        let reductions = reductions.enumerate().map(|(index, ready)| (ready, Action::Reduce(index)));
        let selections = selections.enumerate().map(|(index, ready)| (ready, Action::Select(index)));
        let mut outputs: SmallVec<[(usize, Action); 4]> = reductions.chain(selections).collect();
        outputs.sort_by_key(|(ready, _)| *ready);
        let mut outputs = outputs.into_iter().peekable();
        let mut actions = SmallVec::with_capacity(self.kernels.len() + outputs.len());
        for instruction in 0..=self.kernels.len() {
            while let Some((_, output)) = outputs.next_if(|(ready, _)| *ready <= instruction) {
                actions.push(output);
            }
            if instruction < self.kernels.len() {
                actions.push(Action::Execute(instruction));
            }
        }
        actions
    }

    /// The outputs of the pass that selects: where these are counting ones, after a pass that
    /// counts.
    fn count<'r>(
        &self,
        mut outputs: Outputs<'r>,
        extent: &Extent,
        call: &Call<'_, 'r>,
    ) -> Result<Outputs<'r>, StepError> {
        if !outputs.is_counting() {
            return Ok(outputs);
        }
        // What is refused is refused again by the pass that selects.
        self.run(&mut outputs, call.threads);
        outputs.counted(self.region, &extent.visited, extent.len, call)
    }

    /// Returns the first element that an instruction had no value for: then the outputs are
    /// unspecified.
    fn run(&self, outputs: &mut Outputs<'_>, threads: &Threads) -> Refusal {
        let chunks = self.partition.chunks();
        let is_alone = threads.count() == 1 || chunks <= 1;
        let totals: Mutex<Vec<(usize, Vec<Vec<Total>>)>> = Mutex::new(Vec::new());
        let hand_off = OrderedHandOff::default();
        let refusal = Mutex::new(Refusal::default());
        let shared = outputs.share(self.partition);
        let actions = self.actions(
            shared.reductions.iter().map(|output| output.ready),
            shared.selections.iter().map(|output| output.ready),
        );
        threads.share(chunks, &|source| {
            let mut worker = self.worker(&shared, is_alone);
            while let Some(number) = source.next() {
                let hand_off = (!is_alone).then_some(&hand_off);
                let found = self.chunk(number, &actions, &mut worker, &shared, hand_off);
                if !found.is_empty() {
                    totals.lock().unwrap_or_else(PoisonError::into_inner).push((number, found));
                }
            }
            refusal.lock().unwrap_or_else(PoisonError::into_inner).merge(worker.refusal);
            self.scratch.give(worker.registers);
        });
        drop(shared);
        let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        totals.sort_unstable_by_key(|(number, _)| *number);
        outputs.combine(self.partition, self.partition.domain().outputs(), &totals);
        refusal.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker<'o>(&self, shared: &Shared<'o>, is_alone: bool) -> Worker<'o> {
        let staging = if is_alone { 0 } else { CHUNK + SLACK };
        Worker {
            registers: self.scratch.take(&self.padded_registers(), self.tile),
            accumulators: shared
                .reductions
                .iter()
                .map(|output| accumulator(output.reduction, output.source))
                .collect(),
            selections: shared
                .selections
                .iter()
                .map(|selection| selecting(selection.dtype, selection.value, selection.mask, staging))
                .collect(),
            refusal: Refusal::default(),
        }
    }

    /// The registers of the region, and one for each load and each store: where a tile is padded
    /// beyond the end of an array, it is copied there.
    fn padded_registers(&self) -> [usize; 6] {
        let mut registers = self.registers;
        self.region.loads.iter().for_each(|load| registers[slot(load.dtype)] += 1);
        for output in &self.region.outputs {
            if let RegionOutput::Store { dtype, .. } = output {
                registers[slot(*dtype)] += 1;
            }
        }
        registers
    }

    /// Runs one chunk. Returns the totals of its reductions. Where threads share the
    /// pass, selections wait for the hand-off from the chunk before.
    fn chunk<'o>(
        &self,
        number: usize,
        actions: &[Action],
        worker: &mut Worker<'o>,
        shared: &Shared<'o>,
        hand_off: Option<&OrderedHandOff>,
    ) -> Vec<Vec<Total>> {
        let chunk = self.partition.chunk(number);
        let is_along = |reduction: usize| shared.reductions[reduction].axes == ReducedAxes::Axes;
        for (accumulator, output) in worker.accumulators.iter_mut().zip(&shared.reductions) {
            accumulator.open(if output.axes == ReducedAxes::All { 1 } else { chunk.outputs.len() });
        }
        for (selection, output) in worker.selections.iter_mut().zip(&shared.selections) {
            selection.open(if hand_off.is_none() { output.take() } else { None });
        }
        self.tiles(&chunk, actions, worker, shared.outputs(number), ByDType::default(), &is_along);
        let Worker { accumulators, selections, .. } = worker;
        hand_over(number, selections, shared, hand_off);
        let finish =
            |(accumulator, output): (&mut Box<dyn Accumulator>, &outputs::SharedReduction<'o>)| match output
                .axes
            {
                ReducedAxes::All => {
                    accumulator.close(0);
                    accumulator.totals()
                }
                ReducedAxes::Axes if self.partition.is_direct() => {
                    output.finish(number, &**accumulator);
                    Vec::new()
                }
                ReducedAxes::Axes => accumulator.totals(),
            };
        accumulators.iter_mut().zip(&shared.reductions).map(finish).collect()
    }

    /// Visits the tiles of a chunk: what is stored goes to `outputs`, all else to the worker.
    fn tiles<'v>(
        &'v self,
        chunk: &Chunk,
        actions: &[Action],
        worker: &'v mut Worker<'_>,
        outputs: ByDType<Slices<'v>>,
        locals: ByDType<Locals<'v>>,
        is_along: &dyn Fn(usize) -> bool,
    ) {
        let Worker { registers, accumulators, selections, refusal } = worker;
        let constants = &self.scratch.constants;
        let mut views: ByDType<OperandViews<'v>> =
            ByDType::views(registers, &self.registers, constants, &self.loads, outputs, locals);
        let mut prefetch = Prefetch::new(self.is_streaming);
        self.partition.visit_tiles(chunk, |work| match work {
            Work::Tile(tile, layout) => {
                views.load(tile);
                prefetch.start(tile, actions.len(), |tile, streams| views.streams(tile, streams));
                let mut machine = Machine {
                    level: self.level,
                    views: &mut views,
                    tile,
                    prefetch: &mut prefetch,
                    refusal: &mut *refusal,
                };
                for action in actions {
                    match *action {
                        Action::Execute(index) => {
                            self.kernels[index](&mut machine, &self.region.instructions[index]);
                        }
                        Action::Reduce(index) => {
                            let layout = if is_along(index) { layout } else { Layout::One };
                            accumulators[index].include(&mut machine, layout);
                        }
                        Action::Select(index) => selections[index].include(&mut machine),
                    }
                }
            }
            Work::Close(output) => {
                let along = accumulators.iter_mut().enumerate().filter(|(index, _)| is_along(*index));
                along.for_each(|(_, accumulator)| accumulator.close(output));
            }
        });
    }
}

/// Appends the elements that a chunk has selected to those of the chunks before.
fn hand_over<'o>(
    number: usize,
    selections: &mut [Box<dyn Selecting<'o> + 'o>],
    shared: &Shared<'o>,
    hand_off: Option<&OrderedHandOff>,
) {
    if selections.is_empty() {
        return;
    }
    let pairs = selections.iter_mut().zip(&shared.selections);
    let Some(hand_off) = hand_off else {
        pairs.for_each(|(selection, output)| {
            let count = selection.count();
            output.give_back(selection.rest(), count);
        });
        return;
    };
    hand_off.wait(number);
    let targets: Vec<_> = pairs.map(|(selection, output)| output.reserve(selection.count())).collect();
    hand_off.pass(number);
    // The order is settled: the copies themselves run in parallel.
    selections.iter().zip(targets).for_each(|(selection, target)| selection.copy(target));
}
