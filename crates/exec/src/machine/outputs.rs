//! Where the results of a region go: memory for each sink, and its parts for
//! the pieces that write it.

use std::sync::{Mutex, PoisonError};

use tamis_graph::DType;

use super::bank::{AnySlice, ByDType, Lane, Slices};
use super::compact::SLACK;
use super::cut::Cut;
use super::fold::{Folding, Total, folding};
use super::{Call, Mistake, Results};
use crate::error::ErrorKind;
use crate::memory::Buffer;
use crate::region::{Fold, Folded, Place, Region, Sink};
use crate::tensor::AnyTensor;

/// Memory of a run, of some dtype.
pub(super) enum AnyBuffer<'r> {
    Bool(Buffer<'r, bool>),
    U8(Buffer<'r, u8>),
    I32(Buffer<'r, i32>),
    I64(Buffer<'r, i64>),
    F32(Buffer<'r, f32>),
    F64(Buffer<'r, f64>),
}

macro_rules! any_buffer {
    ($buffer:expr, $typed:ident => $body:expr) => {
        match $buffer {
            AnyBuffer::Bool($typed) => $body,
            AnyBuffer::U8($typed) => $body,
            AnyBuffer::I32($typed) => $body,
            AnyBuffer::I64($typed) => $body,
            AnyBuffer::F32($typed) => $body,
            AnyBuffer::F64($typed) => $body,
        }
    };
}

impl<'r> AnyBuffer<'r> {
    fn new(dtype: DType, shape: &[usize], call: &Call<'_, 'r>) -> Result<AnyBuffer<'r>, ErrorKind> {
        let memory = call.memory;
        Ok(match dtype {
            DType::Bool => AnyBuffer::Bool(memory.unspecified(shape)?),
            DType::U8 => AnyBuffer::U8(memory.unspecified(shape)?),
            DType::I32 => AnyBuffer::I32(memory.unspecified(shape)?),
            DType::I64 => AnyBuffer::I64(memory.unspecified(shape)?),
            DType::F32 => AnyBuffer::F32(memory.unspecified(shape)?),
            DType::F64 => AnyBuffer::F64(memory.unspecified(shape)?),
        })
    }

    /// Memory for at most `len` selected elements.
    fn for_selection(dtype: DType, len: usize, call: &Call<'_, 'r>) -> Result<AnyBuffer<'r>, ErrorKind> {
        let memory = call.memory;
        Ok(match dtype {
            DType::Bool => AnyBuffer::Bool(memory.reserve(len, SLACK)?),
            DType::U8 => AnyBuffer::U8(memory.reserve(len, SLACK)?),
            DType::I32 => AnyBuffer::I32(memory.reserve(len, SLACK)?),
            DType::I64 => AnyBuffer::I64(memory.reserve(len, SLACK)?),
            DType::F32 => AnyBuffer::F32(memory.reserve(len, SLACK)?),
            DType::F64 => AnyBuffer::F64(memory.reserve(len, SLACK)?),
        })
    }

    fn slice(&mut self) -> AnySlice<'_> {
        any_buffer!(self, buffer => Lane::into_slice(buffer.as_list_mut()))
    }

    fn into_tensor(self) -> AnyTensor<'r> {
        any_buffer!(self, buffer => buffer.into())
    }

    /// Each element so many times, where elements wrap.
    fn multiply(&mut self, times: usize) {
        let AnyBuffer::I64(sums) = self else { unreachable!("only integers are added in one step, as i64") };
        sums.as_list_mut().iter_mut().for_each(|sum| *sum = sum.wrapping_mul(times as i64));
    }

    /// The first `count` elements.
    fn truncated(self, count: usize, call: &Call<'_, 'r>) -> Result<AnyTensor<'r>, ErrorKind> {
        any_buffer!(self, buffer => Ok(buffer.truncated(count, call.memory)?.into()))
    }
}

/// A fold of the region, and what becomes of it.
pub(super) struct FoldSink<'r> {
    pub(super) fold: Fold,
    pub(super) place: Place,
    pub(super) axes: Folded,
    use_: Use,
    buffer: AnyBuffer<'r>,
    /// The shape of the result, where the buffer has one of what repeats.
    repeated: Option<Vec<usize>>,
}

impl<'r> FoldSink<'r> {
    /// One result of all elements.
    fn of_all(fold: Fold, place: Place, use_: Use, buffer: AnyBuffer<'r>) -> FoldSink<'r> {
        FoldSink { fold, place, axes: Folded::All, use_, buffer, repeated: None }
    }
}

#[derive(Debug, Clone, Copy)]
enum Use {
    /// It is the value of a step.
    Value(usize),
    /// It is the count of a mask.
    Count(usize),
    /// It tells whether there is anything to choose from for a step.
    Guard(usize),
    /// It is the length of a selection, counted before the pass that selects.
    Length,
}

/// All memory that a region writes.
pub(super) struct Outputs<'r> {
    stores: Vec<(usize, AnyBuffer<'r>)>,
    selections: Vec<Selection<'r>>,
    folds: Vec<FoldSink<'r>>,
}

struct Selection<'r> {
    step: usize,
    dtype: DType,
    value: Place,
    mask: Place,
    count: usize,
    buffer: AnyBuffer<'r>,
}

impl<'r> Outputs<'r> {
    /// Memory for every sink of a region over a domain of `len` elements.
    ///
    /// A selection may turn out as long as the domain. Where there is no memory
    /// for that, a first pass counts: then the outputs are counting ones, and
    /// [`Outputs::counted`] makes those of the second pass.
    pub(super) fn new(
        region: &Region,
        lengths: &[usize],
        len: usize,
        call: &Call<'_, 'r>,
    ) -> Result<Outputs<'r>, Mistake> {
        let mut outputs = Outputs { stores: Vec::new(), selections: Vec::new(), folds: Vec::new() };
        outputs.add_stores(region, lengths, call)?;
        match outputs.add_others(region, lengths, len, None, call) {
            Err((_, ErrorKind::MemoryLimit { .. } | ErrorKind::OutOfMemory { .. })) if region.selects() => {}
            others => return others.map(|()| outputs),
        }
        // What was made before the limit was met is in the way now.
        outputs.selections.clear();
        outputs.folds.clear();
        for sink in &region.sinks {
            if let Sink::Compact { step, mask, .. } = *sink {
                let count = AnyBuffer::new(DType::I64, &[], call).map_err(|kind| (step, kind))?;
                outputs.folds.push(FoldSink::of_all(Fold::Count, mask, Use::Length, count));
            }
        }
        Ok(outputs)
    }

    /// Whether a first pass with these outputs counts what the second selects.
    pub(super) fn is_counting(&self) -> bool {
        self.folds.iter().any(|fold| matches!(fold.use_, Use::Length))
    }

    /// Outputs for the selections whose lengths a first pass has counted.
    pub(super) fn counted(
        self,
        region: &Region,
        lengths: &[usize],
        len: usize,
        call: &Call<'_, 'r>,
    ) -> Result<Outputs<'r>, Mistake> {
        let count = |fold: &FoldSink<'r>| {
            let AnyBuffer::I64(count) = &fold.buffer else { unreachable!("counts are i64") };
            count.as_list()[0] as usize
        };
        let counts: Vec<usize> = self.folds.iter().map(count).collect();
        let mut outputs = Outputs { stores: self.stores, selections: Vec::new(), folds: Vec::new() };
        outputs.add_others(region, lengths, len, Some(&counts), call)?;
        Ok(outputs)
    }

    fn add_stores(&mut self, region: &Region, lengths: &[usize], call: &Call<'_, 'r>) -> Result<(), Mistake> {
        for sink in &region.sinks {
            if let Sink::Store { step, dtype } = *sink {
                let buffer = AnyBuffer::new(dtype, lengths, call).map_err(|kind| (step, kind))?;
                self.stores.push((step, buffer));
            }
        }
        Ok(())
    }

    /// Memory for what is not stored whole. Selections have these counts, or any.
    fn add_others(
        &mut self,
        region: &Region,
        lengths: &[usize],
        len: usize,
        counts: Option<&[usize]>,
        call: &Call<'_, 'r>,
    ) -> Result<(), Mistake> {
        for sink in &region.sinks {
            if let Sink::Compact { step, dtype, value, mask } = *sink {
                let most = counts.map_or(len, |counts| counts[self.selections.len()]);
                let buffer = AnyBuffer::for_selection(dtype, most, call).map_err(|kind| (step, kind))?;
                self.selections.push(Selection { step, dtype, value, mask, count: 0, buffer });
            } else {
                self.add_fold(region, sink, lengths, len, call).map_err(|kind| (sink.step(), kind))?;
            }
        }
        Ok(())
    }

    fn add_fold(
        &mut self,
        region: &Region,
        sink: &Sink,
        lengths: &[usize],
        len: usize,
        call: &Call<'_, 'r>,
    ) -> Result<(), ErrorKind> {
        match *sink {
            Sink::Store { .. } | Sink::Compact { .. } => {}
            Sink::Count { mask, value } => {
                let buffer = AnyBuffer::new(DType::I64, &[], call)?;
                self.folds.push(FoldSink::of_all(Fold::Count, value, Use::Count(mask), buffer));
            }
            Sink::Fold { step, fold, value, mask, axes } => {
                let kept = kept(region, axes, lengths);
                if let Some(mask) = mask {
                    let buffer = AnyBuffer::new(DType::Bool, &kept, call)?;
                    let use_ = Use::Guard(step);
                    let fold = Fold::Any;
                    self.folds.push(FoldSink { fold, place: mask, axes, use_, buffer, repeated: None });
                }
                if len == 0 && matches!(fold, Fold::Max(_, None) | Fold::Min(_, None)) && !kept.contains(&0) {
                    return Err(ErrorKind::NothingToChoose { position: vec![0; kept.len()] });
                }
                let buffer = AnyBuffer::new(fold.dtype(), &kept, call)?;
                let use_ = Use::Value(step);
                self.folds.push(FoldSink { fold, place: value, axes, use_, buffer, repeated: None });
            }
        }
        Ok(())
    }

    /// The parts that the pieces write.
    pub(super) fn share(&mut self, cut: Cut) -> Shared<'_> {
        let pieces = cut.pieces();
        let elements = |number| cut.piece(number).elements.len();
        let cells = |number| cut.piece(number).cells.len();
        Shared {
            stores: self
                .stores
                .iter_mut()
                .map(|(_, buffer)| split(buffer.slice(), pieces, &elements))
                .collect(),
            selections: self
                .selections
                .iter_mut()
                .map(|selection| SharedSelection {
                    dtype: selection.dtype,
                    value: selection.value,
                    mask: selection.mask,
                    rest: Mutex::new(Some(selection.buffer.slice())),
                    count: Mutex::new(&mut selection.count),
                })
                .collect(),
            folds: self
                .folds
                .iter_mut()
                .map(|sink| SharedFold {
                    fold: sink.fold,
                    place: sink.place,
                    axes: sink.axes,
                    parts: if sink.axes == Folded::Axes && cut.is_direct() {
                        split(sink.buffer.slice(), pieces, &cells)
                    } else {
                        Vec::new()
                    },
                })
                .collect(),
        }
    }

    /// Combines the totals of pieces, in their order.
    pub(super) fn combine(&mut self, cut: Cut, cells: usize, totals: &[(usize, Vec<Vec<Total>>)]) {
        for (place, sink) in self.folds.iter_mut().enumerate() {
            let is_all = sink.axes == Folded::All;
            if !is_all && cut.is_direct() && cut.pieces() > 0 {
                continue;
            }
            let mut fold = folding(sink.fold, sink.place);
            fold.open(if is_all { 1 } else { cells });
            for (number, found) in totals {
                let first = if is_all { 0 } else { cut.piece(*number).cells.start };
                fold.merge(first, &found[place]);
            }
            fold.finish(0, sink.buffer.slice());
        }
    }

    /// Makes the results those of all `lengths`, of which only `visited` were:
    /// elements repeat along the others.
    pub(super) fn repeat(&mut self, region: &Region, lengths: &[usize], visited: &[usize]) {
        for sink in &mut self.folds {
            let kept = kept(region, sink.axes, lengths);
            let is_folded = |axis: &usize| match sink.axes {
                Folded::All => true,
                Folded::Axes => region.folded.as_ref().is_some_and(|folded| folded.contains(axis)),
            };
            let folded = (0..lengths.len()).filter(is_folded);
            let times = folded.map(|axis| if visited[axis] < lengths[axis] { lengths[axis] } else { 1 });
            if sink.fold.adds() {
                sink.buffer.multiply(times.product());
            }
            sink.repeated = Some(kept);
        }
    }

    /// The values of the sinks.
    pub(super) fn into_results(self, call: &Call<'_, 'r>) -> Result<Results<'r>, Mistake> {
        let mut results = Results { values: Vec::new(), counts: Vec::new() };
        results.values.extend(self.stores.into_iter().map(|(step, buffer)| (step, buffer.into_tensor())));
        for Selection { step, count, buffer, .. } in self.selections {
            let selected = buffer.truncated(count, call).map_err(|kind| (step, kind))?;
            results.values.push((step, selected));
        }
        for FoldSink { use_, buffer, repeated, .. } in self.folds {
            match (use_, buffer) {
                (Use::Value(step), buffer) => {
                    let value = buffer.into_tensor();
                    let value = if let Some(shape) = repeated { value.broadcast(&shape) } else { value };
                    results.values.push((step, value));
                }
                (Use::Count(mask), AnyBuffer::I64(count)) => {
                    results.counts.push((mask, count.as_list()[0] as usize));
                }
                (Use::Guard(step), AnyBuffer::Bool(any)) => {
                    let nothing = any.indexed_iter().find(|(_, any)| !**any);
                    if let Some((position, _)) = nothing {
                        let position = ndarray::Dimension::slice(&position).to_vec();
                        return Err((step, ErrorKind::NothingToChoose { position }));
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
fn kept(region: &Region, axes: Folded, lengths: &[usize]) -> Vec<usize> {
    match (axes, &region.folded) {
        (Folded::Axes, Some(folded)) => {
            let kept = lengths.iter().enumerate().filter(|(axis, _)| !folded.contains(axis));
            kept.map(|(_, length)| *length).collect()
        }
        (Folded::Axes, None) | (Folded::All, _) => Vec::new(),
    }
}

impl Fold {
    fn dtype(self) -> DType {
        match self {
            Fold::Sum(dtype) | Fold::Max(dtype, _) | Fold::Min(dtype, _) => dtype,
            Fold::Count => DType::I64,
            Fold::Any | Fold::All => DType::Bool,
        }
    }
}

/// Memory of one sink, cut for its pieces. Each part is taken once.
type Parts<'o> = Vec<Mutex<Option<AnySlice<'o>>>>;

fn split<'o>(slice: AnySlice<'o>, pieces: usize, len: &dyn Fn(usize) -> usize) -> Parts<'o> {
    let mut rest = slice;
    let mut parts = Vec::with_capacity(pieces);
    for number in 0..pieces {
        let (part, others) = rest.split_at(len(number));
        parts.push(Mutex::new(Some(part)));
        rest = others;
    }
    parts
}

fn take<'o>(parts: &Parts<'o>, number: usize) -> AnySlice<'o> {
    let part = parts[number].lock().unwrap_or_else(PoisonError::into_inner).take();
    part.unwrap_or_else(|| unreachable!("each piece is run once"))
}

/// What the threads of a pass share.
pub(super) struct Shared<'o> {
    stores: Vec<Parts<'o>>,
    pub(super) selections: Vec<SharedSelection<'o>>,
    pub(super) folds: Vec<SharedFold<'o>>,
}

pub(super) struct SharedSelection<'o> {
    pub(super) dtype: DType,
    pub(super) value: Place,
    pub(super) mask: Place,
    /// What is not yet written.
    rest: Mutex<Option<AnySlice<'o>>>,
    count: Mutex<&'o mut usize>,
}

pub(super) struct SharedFold<'o> {
    pub(super) fold: Fold,
    pub(super) place: Place,
    pub(super) axes: Folded,
    parts: Parts<'o>,
}

impl<'o> Shared<'o> {
    /// The part of every store that a piece writes.
    pub(super) fn outputs<'f>(&self, number: usize) -> ByDType<Slices<'f>>
    where
        'o: 'f,
    {
        let mut slices = ByDType::<Slices<'f>>::default();
        self.stores.iter().for_each(|parts| take(parts, number).push_to(&mut slices));
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
        let rest = self.take().unwrap_or_else(|| unreachable!("pieces reserve one after the other"));
        let (own, rest) = rest.split_at(count);
        self.give_back(rest, count);
        own
    }
}

impl SharedFold<'_> {
    /// Writes the results of a piece that has its own cells.
    pub(super) fn finish(&self, number: usize, fold: &dyn Folding) {
        fold.finish(0, take(&self.parts, number));
    }
}
