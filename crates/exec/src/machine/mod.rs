//! The tile machine: runs the program of a region over its domain, a tile at a
//! time, so that between reading inputs and writing results nothing leaves the
//! first-level cache. Knows no op but by the instructions of a region.

mod bank;
mod compact;
mod cut;
mod fold;
mod lane;

mod load;
mod outputs;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use fearless_simd::Level;
use ndarray::{Axis, Slice};
use tamis_graph::steps;

use self::bank::{ByDType, Frames, Lane, Lists, Loads, TILE, Tile, with_dtype};
use self::compact::{SLACK, Selecting, selecting};
use self::cut::{Cut, Domain, PIECE, Work};
use self::fold::{Folding, Layout, Total, folding};
use self::lane::{Machine, execute};
use self::load::Loaded;
use self::outputs::{Outputs, Shared};
use crate::error::ErrorKind;
use crate::memory::{Memory, checked_len};
use crate::region::{Folded, Region, Sink, slot};
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, Item};
use crate::threads::{Threads, Turn};

/// How many bytes of registers stay in the first-level cache beside what they work on.
const CACHED: usize = 24 << 10;

/// What a region is run on.
pub(crate) struct Call<'c, 'r> {
    /// The values of steps.
    pub(crate) values: &'c [Option<AnyTensor<'r>>],
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

/// A mistake, and the step that makes it.
pub(crate) type Mistake = (usize, ErrorKind);

/// What the regions of a plan share: their constants, and registers that runs hand on to one another.
#[derive(Default)]
pub(crate) struct Scratch {
    constants: ByDType<Lists>,
    registers: Mutex<Vec<ByDType<Lists>>>,
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
    fn take(&self, counts: &[usize; 6], tile: usize) -> ByDType<Lists> {
        let spare = self.registers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut registers = spare.unwrap_or_default();
        registers.grow(counts, tile);
        registers
    }

    fn give(&self, registers: ByDType<Lists>) {
        let mut spare = self.registers.lock().unwrap_or_else(PoisonError::into_inner);
        // Runs at the same time need few, and hardly any region needs many registers.
        if spare.len() < 16 && registers.count() <= 256 {
            spare.push(registers);
        }
    }
}

/// Runs a region.
pub(crate) fn run<'r>(region: &Region, call: &Call<'_, 'r>) -> Result<Results<'r>, Mistake> {
    let mistake = |kind| (region.sinks[0].step(), kind);
    let lengths = call.sizes.lengths(&region.domain).map_err(mistake)?;
    checked_len(&lengths, 1).map_err(mistake)?;
    let visited = visited(region, call, &lengths);
    let len = visited.iter().product();
    steps::add(region.sinks.len() + region.loads.len() + region.instructions.len());
    let mut outputs = Outputs::new(region, &visited, len, call)?;
    let stores = region.sinks.iter().any(|sink| matches!(sink, Sink::Store { .. }));
    let stored = || {
        let loaded = region.loads.iter().map(|load| value(call, load.step).stored_len());
        if stores { len } else { loaded.max().unwrap_or(1) }
    };
    call.memory.check_iteration(&visited, len, stored, region.weight.max(1)).map_err(mistake)?;
    let mut registers = region.registers;
    let loads = bind(region, call, [&lengths, &visited], &mut registers);
    let folded = match &region.folded {
        Some(axes) => axes[0]..axes[axes.len() - 1] + 1,
        None => 0..0,
    };
    let domain = Domain::new(&visited, folded);
    let tile = tile_len(&registers);
    let cut = Cut::new(domain, region.folded.is_some(), tile);
    let (level, scratch) = (call.level, call.scratch);
    let pass = Pass { region, loads, registers, tile, cut, level, scratch };
    if outputs.is_counting() {
        pass.run(domain.cells(), &mut outputs, call.threads);
        outputs = outputs.counted(region, &visited, len, call)?;
    }
    pass.run(domain.cells(), &mut outputs, call.threads);
    if *visited != *lengths {
        outputs.repeat(region, &lengths, &visited);
    }
    outputs.into_results(call)
}

/// The lengths of what a region visits of its domain: 1 along each axis along which
/// everything that it reads repeats, if all its results follow from one of what repeats.
fn visited<'l>(region: &Region, call: &Call<'_, '_>, lengths: &'l [usize]) -> Cow<'l, [usize]> {
    let mut visited = Cow::Borrowed(lengths);
    if region.sinks.iter().all(Sink::is_exact) {
        for axis in (0..lengths.len()).filter(|axis| lengths[*axis] > 1) {
            if repeats_along(region, call, lengths.len() - axis) {
                visited.to_mut()[axis] = 1;
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
    call.values[step].as_ref().unwrap_or_else(|| unreachable!("a stage runs when what it reads is there"))
}

/// A full tile, or less where so many registers would not stay in the cache.
fn tile_len(registers: &[usize; 6]) -> usize {
    let bytes = [1, 1, 4, 8, 4, 8];
    let bytes: usize = registers.iter().zip(bytes).map(|(count, bytes)| count * bytes).sum();
    let mut len = TILE;
    while len > 64 && bytes * len > CACHED {
        len /= 2;
    }
    len
}

/// Every array that a region reads, broadcast to the domain: what is visited of it.
fn bind<'c>(
    region: &Region,
    call: &Call<'c, '_>,
    [lengths, visited]: [&[usize]; 2],
    registers: &mut [usize; 6],
) -> ByDType<Loads<'c>> {
    let mut loads = ByDType::<Loads<'c>>::default();
    for load in &region.loads {
        with_dtype!(load.dtype, T => {
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

/// One pass over the domain.
struct Pass<'p> {
    region: &'p Region,
    loads: ByDType<Loads<'p>>,
    registers: [usize; 6],
    tile: usize,
    cut: Cut,
    level: Level,
    scratch: &'p Scratch,
}

/// What a thread works with.
struct Worker<'o> {
    registers: ByDType<Lists>,
    folds: Vec<Box<dyn Folding>>,
    selections: Vec<Box<dyn Selecting<'o> + 'o>>,
}

impl Pass<'_> {
    fn run(&self, cells: usize, outputs: &mut Outputs<'_>, threads: &Threads) {
        let pieces = self.cut.pieces();
        let is_alone = threads.count() == 1 || pieces <= 1;
        let totals: Mutex<Vec<(usize, Vec<Vec<Total>>)>> = Mutex::new(Vec::new());
        let turn = Turn::default();
        let shared = outputs.share(self.cut);
        threads.share(pieces, &|source| {
            let mut worker = self.worker(&shared, is_alone);
            while let Some(number) = source.next() {
                let found = self.piece(number, &mut worker, &shared, (!is_alone).then_some(&turn));
                if !found.is_empty() {
                    totals.lock().unwrap_or_else(PoisonError::into_inner).push((number, found));
                }
            }
            self.scratch.give(worker.registers);
        });
        drop(shared);
        let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        totals.sort_unstable_by_key(|(number, _)| *number);
        outputs.combine(self.cut, cells, &totals);
    }

    fn worker<'o>(&self, shared: &Shared<'o>, is_alone: bool) -> Worker<'o> {
        let staging = if is_alone { 0 } else { PIECE + SLACK };
        Worker {
            registers: self.scratch.take(&self.registers, self.tile),
            folds: shared.folds.iter().map(|fold| folding(fold.fold, fold.place)).collect(),
            selections: shared
                .selections
                .iter()
                .map(|selection| selecting(selection.dtype, selection.value, selection.mask, staging))
                .collect(),
        }
    }

    /// Runs one piece, in its turn where order matters and others run as well.
    /// Gives the totals of its folds.
    fn piece<'o>(
        &self,
        number: usize,
        worker: &mut Worker<'o>,
        shared: &Shared<'o>,
        turn: Option<&Turn>,
    ) -> Vec<Vec<Total>> {
        let piece = self.cut.piece(number);
        let Worker { registers, folds, selections } = worker;
        for (fold, sink) in folds.iter_mut().zip(&shared.folds) {
            fold.open(if sink.axes == Folded::All { 1 } else { piece.cells.len() });
        }
        for (selection, sink) in selections.iter_mut().zip(&shared.selections) {
            selection.open(if turn.is_none() { sink.take() } else { None });
        }
        let constants = &self.scratch.constants;
        let outputs = shared.outputs(number);
        let mut frames = ByDType::frames(registers, &self.registers, constants, &self.loads, outputs);
        self.cut.walk(&piece, |work| match work {
            Work::Tile(tile, layout) => {
                self.compute(&mut frames, tile);
                for (fold, sink) in folds.iter_mut().zip(&shared.folds) {
                    let layout = if sink.axes == Folded::All { Layout::One } else { layout };
                    fold.include(self.level, &frames, tile, layout);
                }
                for selection in &mut *selections {
                    selection.include(self.level, &frames, tile);
                }
            }
            Work::Close(cell) => {
                let along = folds.iter_mut().zip(&shared.folds).filter(|(_, sink)| sink.axes == Folded::Axes);
                along.for_each(|(fold, _)| fold.close(cell));
            }
        });
        hand_over(number, selections, shared, turn);
        let finish = |(fold, sink): (&mut Box<dyn Folding>, &outputs::SharedFold<'o>)| match sink.axes {
            Folded::All => {
                fold.close(0);
                fold.totals()
            }
            Folded::Axes if self.cut.is_direct() => {
                sink.finish(number, &**fold);
                Vec::new()
            }
            Folded::Axes => fold.totals(),
        };
        folds.iter_mut().zip(&shared.folds).map(finish).collect()
    }

    /// Runs the program on one tile.
    fn compute(&self, frames: &mut ByDType<Frames<'_>>, tile: Tile) {
        frames.load(tile);
        let mut machine = Machine { level: self.level, frames, tile };
        for instruction in &self.region.instructions {
            execute(&mut machine, instruction);
        }
    }
}

/// Puts what a piece has selected behind what the pieces before have.
fn hand_over<'o>(
    number: usize,
    selections: &mut [Box<dyn Selecting<'o> + 'o>],
    shared: &Shared<'o>,
    turn: Option<&Turn>,
) {
    if selections.is_empty() {
        return;
    }
    let pairs = selections.iter_mut().zip(&shared.selections);
    let Some(turn) = turn else {
        pairs.for_each(|(selection, sink)| {
            let count = selection.count();
            sink.give_back(selection.rest(), count);
        });
        return;
    };
    turn.wait(number);
    let places: Vec<_> = pairs.map(|(selection, sink)| sink.reserve(selection.count())).collect();
    turn.pass(number);
    // The order is settled: the copies themselves need no turn.
    selections.iter().zip(places).for_each(|(selection, place)| selection.copy(place));
}
