//! The outputs of a region: memory for each of them, divided among the chunks that write
//! it.
//!
//! Stores and reductions with output elements of their own are divided before the pass, as
//! lengths alone say where a chunk writes. Where a selection goes depends on how much the chunks
//! before it select: chunks stage what they select, and reserve memory for it in their order
//! (an ordered hand-off). All other reductions give totals, which are combined after the pass
//! in chunk order, whichever thread was first.

use std::sync::{Mutex, PoisonError};

use foldhash::{HashMap, HashMapExt};
use smallvec::SmallVec;
use tamis_graph::DType;

use super::accumulator::{Accumulator, Source, Total, accumulator};
use super::compress::SLACK;
use super::partition::Partition;
use super::register_file::{AnySlice, Slices};
use super::{Call, Results, StepError};
use crate::by_dtype::{ByDType, Item, dispatch};
use crate::chunks::{Chunks, Divide, consecutive};
use crate::error::ErrorKind;
use crate::kernel::number::Number;
use crate::memory::Buffer;
use crate::region::{Operand, ReducedAxes, Reduction, Region, RegionOutput, Repetition, ValueId};
use crate::tensor::{AnyBuffer, AnyTensor};

impl<'r> AnyBuffer<'r> {
    /// Memory for at most `len` selected elements.
    fn for_selection(dtype: DType, len: usize, call: &Call<'_, 'r>) -> Result<AnyBuffer<'r>, ErrorKind> {
        dispatch!(type T = dtype => call.memory.reserve(len, SLACK).map(T::into_any))
    }

    pub(super) fn slice(&mut self) -> AnySlice<'_> {
        fn contiguous<'s, T: Item>(buffer: &'s mut Buffer<'_, T>) -> AnySlice<'s> {
            T::into_any(buffer.as_contiguous_mut())
        }
        dispatch!(self, buffer => contiguous(buffer))
    }

    pub(super) fn into_tensor(self) -> AnyTensor<'r> {
        dispatch!(self, buffer => buffer.into())
    }

    /// The results of elements that repeat so many times, from those of one of each.
    fn repeat(&mut self, repetition: Repetition, times: usize) {
        let times = times as i64;
        let repeated = match repetition {
            Repetition::Same => return,
            Repetition::Times => |x: i64, times: i64| Some(x.wrapping_mul(times)),
            Repetition::Power => <i64 as Number>::pow,
        };
        let AnyBuffer::I64(results) = self else { unreachable!("only integers are repeated, as i64") };
        for x in results.as_contiguous_mut() {
            *x = repeated(*x, times).unwrap_or_else(|| unreachable!("lengths are not negative"));
        }
    }

    /// The first `count` elements.
    fn truncated(self, count: usize, call: &Call<'_, 'r>) -> Result<AnyTensor<'r>, ErrorKind> {
        dispatch!(self, buffer => Ok(buffer.truncated(count, call.memory)?.into()))
    }
}

/// A reduction of the region, and the use of its result.
pub(super) struct ReductionOutput<'r> {
    pub(super) reduction: Reduction,
    pub(super) source: Source,
    pub(super) axes: ReducedAxes,
    /// After how many instructions the source is there.
    ready: usize,
    use_: Use,
    buffer: AnyBuffer<'r>,
    /// The shape of the result, where the buffer has one of what repeats.
    repeated: Option<Vec<usize>>,
}

impl<'r> ReductionOutput<'r> {
    /// How many elements of a mask are true.
    fn count(mask: Operand, ready: usize, use_: Use, buffer: AnyBuffer<'r>) -> ReductionOutput<'r> {
        let source = Source { operand: mask, only: None };
        let (reduction, axes) = (Reduction::Count, ReducedAxes::All);
        ReductionOutput { reduction, source, axes, ready, use_, buffer, repeated: None }
    }
}

#[derive(Debug, Clone, Copy)]
enum Use {
    /// It is the value of a step.
    Value(usize),
    /// It is the count of a mask.
    Count(usize),
    /// It says whether a reduction of a step has any selected element.
    Guard(usize),
    /// It is the length of a selection, counted before the pass that selects.
    Length,
}

/// All memory that a region writes.
pub(super) struct Outputs<'r> {
    stores: Vec<(usize, AnyBuffer<'r>)>,
    selections: Vec<Selection<'r>>,
    reductions: Vec<ReductionOutput<'r>>,
    /// The masks whose count is that of a selection, by their steps: its index.
    counted: Vec<(usize, usize)>,
}

struct Selection<'r> {
    step: usize,
    ready: usize,
    dtype: DType,
    value: Operand,
    mask: Operand,
    count: usize,
    buffer: AnyBuffer<'r>,
}

impl<'r> Outputs<'r> {
    fn of_stores(stores: Vec<(usize, AnyBuffer<'r>)>) -> Outputs<'r> {
        Outputs { stores, selections: Vec::new(), reductions: Vec::new(), counted: Vec::new() }
    }

    /// Memory for every output of a region over a domain of `len` elements.
    ///
    /// A selection may be as long as the domain. Where there is no memory for that, a
    /// first pass counts: then the outputs are counting ones, and [`Outputs::counted`]
    /// makes those of the second pass.
    pub(super) fn new(
        region: &Region,
        lengths: &[usize],
        len: usize,
        call: &Call<'_, 'r>,
    ) -> Result<Outputs<'r>, StepError> {
        let mut outputs = Outputs::of_stores(Vec::new());
        outputs.add_stores(region, lengths, call)?;
        match outputs.add_others(region, lengths, len, None, call) {
            Err((_, ErrorKind::MemoryLimit { .. } | ErrorKind::OutOfMemory { .. })) if region.selects() => {}
            others => return others.map(|()| outputs),
        }
        // The memory reserved so far is freed for the counting pass.
        outputs = Outputs::of_stores(outputs.stores);
        for (output, ready) in region.outputs.iter().zip(&region.ready) {
            if let RegionOutput::Compress { step, mask, .. } = *output {
                let count =
                    AnyBuffer::unspecified(DType::I64, &[], call.memory).map_err(|kind| (step, kind))?;
                outputs.reductions.push(ReductionOutput::count(mask, *ready, Use::Length, count));
            }
        }
        Ok(outputs)
    }

    /// Whether a first pass with these outputs counts what the second selects.
    pub(super) fn is_counting(&self) -> bool {
        self.reductions.iter().any(|reduction| matches!(reduction.use_, Use::Length))
    }

    /// Outputs for the selections whose lengths a first pass has counted.
    pub(super) fn counted(
        self,
        region: &Region,
        lengths: &[usize],
        len: usize,
        call: &Call<'_, 'r>,
    ) -> Result<Outputs<'r>, StepError> {
        let count = |reduction: &ReductionOutput<'r>| {
            let AnyBuffer::I64(count) = &reduction.buffer else { unreachable!("counts are i64") };
            count.as_contiguous()[0] as usize
        };
        let counts: Vec<usize> = self.reductions.iter().map(count).collect();
        let mut outputs = Outputs::of_stores(self.stores);
        outputs.add_others(region, lengths, len, Some(&counts), call)?;
        Ok(outputs)
    }

    fn add_stores(
        &mut self,
        region: &Region,
        lengths: &[usize],
        call: &Call<'_, 'r>,
    ) -> Result<(), StepError> {
        for output in &region.outputs {
            if let RegionOutput::Store { step, dtype, .. } = *output {
                let buffer =
                    AnyBuffer::unspecified(dtype, lengths, call.memory).map_err(|kind| (step, kind))?;
                self.stores.push((step, buffer));
            }
        }
        Ok(())
    }

    /// Memory for selections and reductions. Selections have these counts, or at most
    /// the domain's length.
    fn add_others(
        &mut self,
        region: &Region,
        lengths: &[usize],
        len: usize,
        counts: Option<&[usize]>,
        call: &Call<'_, 'r>,
    ) -> Result<(), StepError> {
        let mut by_mask = HashMap::new();
        for (output, ready) in region.outputs.iter().zip(&region.ready) {
            if let RegionOutput::Compress { step, dtype, value, mask } = *output {
                by_mask.entry(mask.value).or_insert(self.selections.len());
                let most = counts.map_or(len, |counts| counts[self.selections.len()]);
                let buffer = AnyBuffer::for_selection(dtype, most, call).map_err(|kind| (step, kind))?;
                let ready = *ready;
                self.selections.push(Selection { step, ready, dtype, value, mask, count: 0, buffer });
            }
        }
        for (output, ready) in region.outputs.iter().zip(&region.ready) {
            self.add_reduction(region, (output, *ready), lengths, len, &by_mask, call)
                .map_err(|kind| (output.step(), kind))?;
        }
        Ok(())
    }

    fn add_reduction(
        &mut self,
        region: &Region,
        (output, ready): (&RegionOutput, usize),
        lengths: &[usize],
        len: usize,
        // The first of the selections by each mask.
        by_mask: &HashMap<ValueId, usize>,
        call: &Call<'_, 'r>,
    ) -> Result<(), ErrorKind> {
        match *output {
            RegionOutput::Store { .. } | RegionOutput::Compress { .. } => {}
            RegionOutput::Count { mask, value } => {
                if let Some(selection) = by_mask.get(&value.value) {
                    self.counted.push((mask, *selection));
                    return Ok(());
                }
                let buffer = AnyBuffer::unspecified(DType::I64, &[], call.memory)?;
                self.reductions.push(ReductionOutput::count(value, ready, Use::Count(mask), buffer));
            }
            RegionOutput::Reduction { step, reduction, value, mask, only, axes } => {
                let kept = kept(region, axes, lengths);
                if let Some(mask) = mask {
                    let buffer = AnyBuffer::unspecified(DType::Bool, &kept, call.memory)?;
                    let use_ = Use::Guard(step);
                    let reduction = Reduction::Any;
                    self.reductions.push(ReductionOutput {
                        reduction,
                        source: Source { operand: mask, only: None },
                        axes,
                        ready,
                        use_,
                        buffer,
                        repeated: None,
                    });
                }
                if len == 0
                    && matches!(reduction, Reduction::Max(_, None) | Reduction::Min(_, None))
                    && !kept.contains(&0)
                {
                    return Err(ErrorKind::EmptyReduction { position: vec![0; kept.len()] });
                }
                let buffer = AnyBuffer::unspecified(reduction.dtype(), &kept, call.memory)?;
                let use_ = Use::Value(step);
                self.reductions.push(ReductionOutput {
                    reduction,
                    source: Source { operand: value, only },
                    axes,
                    ready,
                    use_,
                    buffer,
                    repeated: None,
                });
            }
        }
        Ok(())
    }

    /// The slices that the chunks write.
    pub(super) fn share(&mut self, partition: Partition) -> Shared<'_> {
        let numbers = 0..partition.chunks();
        let elements = |number| partition.chunk(number).elements.len();
        let outputs = |number| partition.chunk(number).outputs.len();
        Shared {
            stores: self
                .stores
                .iter_mut()
                .map(|(_, buffer)| Chunks::new(consecutive(buffer.slice(), numbers.clone().map(elements))))
                .collect(),
            selections: self
                .selections
                .iter_mut()
                .map(|selection| SharedSelection {
                    dtype: selection.dtype,
                    value: selection.value,
                    mask: selection.mask,
                    ready: selection.ready,
                    rest: Mutex::new(Some(selection.buffer.slice())),
                    count: Mutex::new(&mut selection.count),
                })
                .collect(),
            reductions: self
                .reductions
                .iter_mut()
                .map(|output| SharedReduction {
                    reduction: output.reduction,
                    source: output.source,
                    axes: output.axes,
                    ready: output.ready,
                    chunks: (output.axes == ReducedAxes::Axes && partition.is_direct()).then(|| {
                        Chunks::new(consecutive(output.buffer.slice(), numbers.clone().map(outputs)))
                    }),
                })
                .collect(),
        }
    }

    /// Combines the totals of chunks, in their order.
    pub(super) fn combine(
        &mut self,
        partition: Partition,
        output_count: usize,
        totals: &[(usize, Vec<Vec<Total>>)],
    ) {
        for (index, output) in self.reductions.iter_mut().enumerate() {
            let is_all = output.axes == ReducedAxes::All;
            if !is_all && partition.is_direct() && partition.chunks() > 0 {
                continue;
            }
            let mut reduction = accumulator(output.reduction, output.source);
            reduction.open(if is_all { 1 } else { output_count });
            for (number, found) in totals {
                let first = if is_all { 0 } else { partition.chunk(*number).outputs.start };
                reduction.merge(first, &found[index]);
            }
            reduction.finish(0, output.buffer.slice());
        }
    }

    /// Makes the results those of all `lengths`, of which only `visited` were:
    /// elements repeat along the others.
    pub(super) fn repeat(&mut self, region: &Region, lengths: &[usize], visited: &[usize]) {
        for output in &mut self.reductions {
            let kept = kept(region, output.axes, lengths);
            let is_reduced = |axis: &usize| match output.axes {
                ReducedAxes::All => true,
                ReducedAxes::Axes => region.reduced.as_ref().is_some_and(|reduced| reduced.contains(axis)),
            };
            let reduced = (0..lengths.len()).filter(is_reduced);
            let times = reduced.map(|axis| if visited[axis] < lengths[axis] { lengths[axis] } else { 1 });
            output.buffer.repeat(output.reduction.repetition(), times.product());
            output.repeated = Some(kept);
        }
    }

    /// The values of the outputs.
    pub(super) fn into_results(self, call: &Call<'_, 'r>) -> Result<Results<'r>, StepError> {
        let mut results = Results { values: Vec::new(), counts: Vec::new() };
        results.values.extend(self.stores.into_iter().map(|(step, buffer)| (step, buffer.into_tensor())));
        let counts = self.counted.iter().map(|(mask, selection)| (*mask, self.selections[*selection].count));
        results.counts.extend(counts);
        for Selection { step, count, buffer, .. } in self.selections {
            let selected = buffer.truncated(count, call).map_err(|kind| (step, kind))?;
            results.values.push((step, selected));
        }
        for ReductionOutput { use_, buffer, repeated, .. } in self.reductions {
            match (use_, buffer) {
                (Use::Value(step), buffer) => {
                    let value = buffer.into_tensor();
                    let value = if let Some(shape) = repeated { value.broadcast(&shape) } else { value };
                    results.values.push((step, value));
                }
                (Use::Count(mask), AnyBuffer::I64(count)) => {
                    results.counts.push((mask, count.as_contiguous()[0] as usize));
                }
                (Use::Guard(step), AnyBuffer::Bool(any)) => {
                    let empty = any.indexed_iter().find(|(_, any)| !**any);
                    if let Some((position, _)) = empty {
                        let position = ndarray::Dimension::slice(&position).to_vec();
                        return Err((step, ErrorKind::EmptyReduction { position }));
                    }
                }
                (Use::Length, _) => unreachable!("a pass that counts is followed by one that selects"),
                (Use::Count(_) | Use::Guard(_), _) => unreachable!("counts are i64, guards are bool"),
            }
        }
        Ok(results)
    }
}

/// The lengths that are left of a domain's.
fn kept(region: &Region, axes: ReducedAxes, lengths: &[usize]) -> Vec<usize> {
    match (axes, &region.reduced) {
        (ReducedAxes::Axes, Some(reduced)) => {
            let kept = lengths.iter().enumerate().filter(|(axis, _)| !reduced.contains(axis));
            kept.map(|(_, length)| *length).collect()
        }
        (ReducedAxes::Axes, None) | (ReducedAxes::All, _) => Vec::new(),
    }
}

impl Reduction {
    pub(super) fn dtype(self) -> DType {
        match self {
            Reduction::Sum(dtype) | Reduction::Max(dtype, _) | Reduction::Min(dtype, _) => dtype,
            Reduction::Product | Reduction::Count => DType::I64,
            Reduction::Any | Reduction::All => DType::Bool,
        }
    }
}

/// What the threads of a pass share.
pub(super) struct Shared<'o> {
    stores: SmallVec<[Chunks<AnySlice<'o>>; 2]>,
    pub(super) selections: Vec<SharedSelection<'o>>,
    pub(super) reductions: Vec<SharedReduction<'o>>,
}

pub(super) struct SharedSelection<'o> {
    pub(super) dtype: DType,
    pub(super) value: Operand,
    pub(super) mask: Operand,
    pub(super) ready: usize,
    /// What is not yet written.
    rest: Mutex<Option<AnySlice<'o>>>,
    count: Mutex<&'o mut usize>,
}

pub(super) struct SharedReduction<'o> {
    pub(super) reduction: Reduction,
    pub(super) source: Source,
    pub(super) axes: ReducedAxes,
    pub(super) ready: usize,
    /// None where chunks share output elements: their totals are combined at the end.
    chunks: Option<Chunks<AnySlice<'o>>>,
}

impl<'o> Shared<'o> {
    /// The slice of every store that a chunk writes.
    pub(super) fn outputs<'f>(&self, number: usize) -> ByDType<Slices<'f>>
    where
        'o: 'f,
    {
        let mut slices = ByDType::<Slices<'f>>::default();
        self.stores.iter().for_each(|chunks| chunks.take(number).push_to(&mut slices));
        slices
    }
}

impl<'o> SharedSelection<'o> {
    /// All memory that is not yet written, for the only thread.
    pub(super) fn take(&self) -> Option<AnySlice<'o>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Gives back what is left after `count` elements were written.
    pub(super) fn give_back(&self, rest: AnySlice<'o>, count: usize) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        **self.count.lock().unwrap_or_else(PoisonError::into_inner) += count;
    }

    /// Memory for the next `count` elements.
    pub(super) fn reserve(&self, count: usize) -> AnySlice<'o> {
        let rest = self.take().unwrap_or_else(|| unreachable!("chunks reserve one after the other"));
        let (own, rest) = rest.divide(count);
        self.give_back(rest, count);
        own
    }
}

impl SharedReduction<'_> {
    /// Writes the results of a chunk that has its own output elements.
    pub(super) fn finish(&self, number: usize, reduction: &dyn Accumulator) {
        let chunks = self.chunks.as_ref();
        let chunks =
            chunks.unwrap_or_else(|| unreachable!("chunks of a direct partition have outputs of their own"));
        reduction.finish(0, chunks.take(number));
    }
}
