//! The loops over the stages of a program, and over the steps of a schedule. Do not depend on
//! ops, except guards, nor on why a program is run.

use foldhash::HashMap;
use tamis_graph::{Addressing, DimError, Index, Layout, Node, Op, Symbol, Value, steps};

use crate::error::{Error, ErrorKind, Length, Report};
use crate::fast;
use crate::kernel::{self, Call};
use crate::level::Level;
use crate::machine::{self, Scratch};
use crate::memory::{Memory, checked_len};
use crate::program::{Program, Stage};
use crate::region::{Region, RowGroup};
use crate::schedule::{Schedule, Step};
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, Item};
use crate::threads::Threads;

/// What programs are run with.
pub(crate) struct Context<'c, 'r> {
    pub(crate) threads: &'c Threads,
    /// The vector instructions that this machine has.
    pub(crate) level: Level,
    /// What the symbols of guarded lengths stand for, for messages.
    pub(crate) notes: &'c HashMap<Symbol, String>,
    pub(crate) memory: &'r Memory,
}

/// A program, with the registers of the machine that runs its regions.
pub(crate) struct Executable {
    pub(crate) program: Program,
    scratch: Scratch,
}

/// The tensors for the inputs of a schedule, as far as there are any.
pub(crate) type Feeds<'r> = Vec<Option<AnyTensor<'r>>>;

/// The values of steps, as far as they are there. Boxed, since most steps never have one: they are
/// computed inside of regions.
pub(crate) type Values<'r> = Vec<Option<Box<AnyTensor<'r>>>>;

/// Why a stage of the plan failed.
pub(crate) struct Failure {
    pub(crate) step: usize,
    pub(crate) kind: ErrorKind,
    /// Whether an array was too large whose elements repeat few others.
    pub(crate) has_repeats: bool,
}

/// What a run leaves whose stages did not all succeed.
pub(crate) struct Stopped<'r> {
    /// How many stages did.
    pub(crate) stages: usize,
    pub(crate) failure: Failure,
    /// The values of steps that were still to be read.
    pub(crate) values: Values<'r>,
}

impl Stopped<'_> {
    /// Leaves the values to later arrays.
    pub(crate) fn recycle(self, memory: &Memory) {
        self.values.into_iter().flatten().for_each(|value| value.recycle(memory.pool()));
    }
}

/// Whether there may be no error on another machine, or under another limit.
pub(crate) fn is_of_memory(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::OutOfMemory { .. }
            | ErrorKind::MemoryLimit { .. }
            | ErrorKind::IterationLimit { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::Size(DimError::Overflow | DimError::TooLarge { .. })
    )
}

/// Evaluates the outputs of a schedule op by op, by the kernels of the reference.
pub(crate) fn op_by_op<'r>(
    context: &Context<'_, 'r>,
    schedule: &Schedule,
    inputs: Feeds<'r>,
    sizes: &mut Sizes,
) -> Result<Vec<Value>, Error> {
    let mut values = fed(schedule, inputs);
    one_by_one(context, schedule, &mut values, sizes)?;
    let results = outputs(schedule, values, |value| value.into_materialized(context.memory));
    let report = |failure: Failure| Report::of_node(&schedule.steps[failure.step].node, failure.kind);
    results.map_err(|failure| report(failure).into())
}

/// The values of all steps, of which those of the inputs are there.
pub(crate) fn fed<'r>(schedule: &Schedule, inputs: Feeds<'r>) -> Values<'r> {
    let mut values: Values<'r> = Vec::new();
    values.resize_with(schedule.steps.len(), || None);
    for (step, tensor) in schedule.inputs.iter().zip(inputs) {
        if let Some(step) = step {
            values[*step] = tensor.map(Box::new);
        }
    }
    values
}

/// The results. All are held at once, so that each stays counted until all are there.
pub(crate) fn outputs<'r>(
    schedule: &Schedule,
    mut values: Values<'r>,
    materialize: impl Fn(AnyTensor<'r>) -> Result<AnyTensor<'r>, ErrorKind>,
) -> Result<Vec<Value>, Failure> {
    for step in schedule.outputs.iter().copied() {
        if alive(&values, step).is_materialized() {
            continue;
        }
        let value = values[step].take();
        let value = value.unwrap_or_else(|| unreachable!("the value of an output lives until the end"));
        let has_repeats = value.has_repeats();
        let value = materialize(*value).map_err(|kind| Failure { step, kind, has_repeats })?;
        values[step] = Some(Box::new(value));
    }
    let result = |step: &usize| match (schedule.repeats_outputs, values[*step].take()) {
        (false, Some(value)) => value.into_value(),
        (_, value) => {
            values[*step] = value;
            alive(&values, *step).clone().into_value()
        }
    };
    Ok(schedule.outputs.iter().map(result).collect())
}

/// Evaluates each step by its reference kernel.
fn one_by_one<'r>(
    context: &Context<'_, 'r>,
    schedule: &Schedule,
    values: &mut [Option<Box<AnyTensor<'r>>>],
    sizes: &mut Sizes,
) -> Result<(), Error> {
    let last_readers = schedule.last_readers();
    for (index, step) in schedule.steps.iter().enumerate() {
        let report = |kind| Report::of_node(&step.node, as_written(schedule, index, kind));
        let value = match values[index].take() {
            Some(fed) => fed,
            None => Box::new(compute(context, schedule, step, values, sizes, kernel::run).map_err(report)?),
        };
        if step.counted {
            sizes.count(step.node.id(), count_true(&value, context.memory).map_err(report)?);
        }
        values[index] = Some(value);
        for read in step.operands.iter().chain([&index]) {
            if last_readers[*read] == Some(index) {
                values[*read] = None;
            }
        }
    }
    Ok(())
}

/// The error with the axes that the user sees, where a builder rearranges them.
pub(crate) fn as_written(schedule: &Schedule, index: usize, kind: ErrorKind) -> ErrorKind {
    with_own_start(schedule, index, with_own_axis(schedule, index, with_kept_axes(schedule, index, kind)))
}

/// A literal index from the end is the length plus a negative number: the error has the
/// number. Any other length that is negative in this run is shown as it is.
fn with_own_start(schedule: &Schedule, index: usize, mut kind: ErrorKind) -> ErrorKind {
    let step = &schedule.steps[index];
    if let (Op::Layout(Layout::Slice(axes)), ErrorKind::SliceOutOfRange { start, axis, .. }) =
        (step.node.op(), &mut kind)
        && let Ok(to_end) = schedule.steps[step.operands[0]].node.shape()[*axis].sub(&axes[*axis].start)
        && let Some(to_end) = to_end.known()
        && *start < 0
    {
        *start = -(to_end as i64);
    }
    kind
}

/// `x.at(…)` addresses any axes: it brings them to the front by a permutation, and
/// its indices together as the columns of one tensor. The error has the axis of the
/// tensor itself, and the position among the indices.
fn with_own_axis(schedule: &Schedule, index: usize, mut kind: ErrorKind) -> ErrorKind {
    let step = &schedule.steps[index];
    let (Op::Index(Index::Gather(Addressing::Nd))
    | Op::Index(Index::Scatter { addressing: Addressing::Nd, .. })) = step.node.op()
    else {
        return kind;
    };
    let is_of_entries = |node: &Node| node.origin().builder.is_some_and(|name| name.starts_with("at."));
    if !is_of_entries(&step.node) {
        return kind;
    }
    if let ErrorKind::IndexOutOfRange { axis, position, .. } = &mut kind {
        let x = &schedule.steps[step.operands[0]].node;
        if let Op::Layout(Layout::Permute(axes)) = x.op()
            && is_of_entries(x)
        {
            *axis = axes[*axis];
        }
        position.pop();
    }
    kind
}

/// A builder that keeps the axes that it reduces puts them back by a reshape. What the
/// user gets has them, and so has the position in an error.
fn with_kept_axes(schedule: &Schedule, index: usize, mut kind: ErrorKind) -> ErrorKind {
    let node = &schedule.steps[index].node;
    // `argmax` and `argmin` run with kept axes.
    let Op::Reduce(op) = node.op() else { return kind };
    let axes = &op.axes;
    let puts_back = |step: &Step| {
        matches!(step.node.op(), Op::Layout(Layout::Reshape(_)))
            && step.operands[..] == [index]
            && step.node.origin() == node.origin()
            && step.node.shape().len() == node.shape().len() + axes.len()
    };
    if let ErrorKind::EmptyReduction { position } = &mut kind
        && schedule.steps[index..].iter().any(puts_back)
    {
        axes.iter().for_each(|axis| position.insert(*axis, 0));
    }
    kind
}

impl Executable {
    pub(crate) fn new(program: Program) -> Executable {
        let scratch = Scratch::new(&program.constants.scalars);
        Executable { program, scratch }
    }

    /// Frees the registers.
    pub(crate) fn trim(&self) {
        self.scratch.clear();
    }

    /// Runs each stage, up to the first that fails. `values` are those of the inputs.
    pub(crate) fn run<'r>(
        &self,
        context: &Context<'_, 'r>,
        mut values: Values<'r>,
        sizes: &mut Sizes,
    ) -> Result<Values<'r>, Stopped<'r>> {
        let Program { stages, last_uses, rows, .. } = &self.program;
        let (mut rows, mut are_done) = (rows.iter().peekable(), 0);
        for (number, stage) in stages.iter().enumerate() {
            let last_uses = last_uses.get(number);
            steps::add(1 + last_uses.len());
            let group = rows.next_if(|group| group.stages.start == number);
            if let Some(group) = group.filter(|group| self.run_rows(context, group, &mut values, sizes)) {
                are_done = group.stages.end;
            }
            if number >= are_done
                && let Err(failure) = self.run_stage(context, stage, &mut values, sizes)
            {
                return Err(Stopped { stages: number, failure, values });
            }
            release(last_uses, &mut values, context.memory);
        }
        Ok(values)
    }

    /// Runs a group of stages row by row. Returns whether that could be done.
    fn run_rows<'r>(
        &self,
        context: &Context<'_, 'r>,
        group: &RowGroup,
        values: &mut [Option<Box<AnyTensor<'r>>>],
        sizes: &mut Sizes,
    ) -> bool {
        let call = self.call(context, values, sizes);
        let stages = &self.program.stages;
        let regions = group.stages.clone().filter_map(|number| match &stages[number] {
            Stage::Region(region) => Some((number, &**region)),
            Stage::Kernel(_) => None,
        });
        let Some(results) = machine::run_rows(group, &regions.collect::<Vec<_>>(), &call) else {
            return false;
        };
        for (step, value) in results {
            values[step] = Some(Box::new(value));
        }
        let reshaped = group.reshaped.iter().map(|stage| &stages[*stage]);
        reshaped.into_iter().all(|stage| self.run_stage(context, stage, values, sizes).is_ok())
    }

    /// Runs a stage: a region by the tile machine, all else by a kernel.
    fn run_stage<'r>(
        &self,
        context: &Context<'_, 'r>,
        stage: &Stage,
        values: &mut [Option<Box<AnyTensor<'r>>>],
        sizes: &mut Sizes,
    ) -> Result<(), Failure> {
        let schedule = &self.program.schedule;
        match stage {
            Stage::Kernel(step) => {
                let value = compute(context, schedule, &schedule.steps[*step], values, sizes, run_fast);
                let failed = |kind| Failure { step: *step, kind, has_repeats: false };
                values[*step] = Some(Box::new(value.map_err(failed)?));
            }
            Stage::Region(region) => {
                let results = self.run_region(context, region, values, sizes)?;
                for (step, value) in results.values {
                    values[step] = Some(Box::new(value));
                }
                for (mask, count) in results.counts {
                    sizes.count(schedule.steps[mask].node.id(), count);
                }
            }
        }
        Ok(())
    }

    /// What the machine runs regions on.
    fn call<'c, 'r>(
        &'c self,
        context: &Context<'c, 'r>,
        values: &'c [Option<Box<AnyTensor<'r>>>],
        sizes: &'c Sizes,
    ) -> machine::Call<'c, 'r> {
        let Context { threads, level, memory, .. } = *context;
        machine::Call { values, sizes, memory, threads, level, scratch: &self.scratch }
    }

    fn run_region<'r>(
        &self,
        context: &Context<'_, 'r>,
        region: &Region,
        values: &[Option<Box<AnyTensor<'r>>>],
        sizes: &Sizes,
    ) -> Result<machine::Results<'r>, Failure> {
        let call = self.call(context, values, sizes);
        machine::run(region, &call).map_err(|(step, kind)| {
            let has_repeats = is_of_memory(&kind) && machine::repeats(region, &call);
            Failure { step, kind, has_repeats }
        })
    }
}

/// Recycles values after their last use.
fn release(
    last_uses: impl Iterator<Item = usize>,
    values: &mut [Option<Box<AnyTensor<'_>>>],
    memory: &Memory,
) {
    for last_use in last_uses {
        if let Some(value) = values[last_use].take() {
            value.recycle(memory.pool());
        }
    }
}

fn alive<'v, 'r>(values: &'v [Option<Box<AnyTensor<'r>>>], index: usize) -> &'v AnyTensor<'r> {
    values[index].as_deref().unwrap_or_else(|| unreachable!("a value lives until its last reader"))
}

fn count_true(mask: &AnyTensor<'_>, memory: &Memory) -> Result<usize, ErrorKind> {
    let mask = bool::from_any(mask).unwrap_or_else(|| unreachable!("counts are of masks"));
    let (mask, times) = mask.condensed(&|_| true);
    Ok(mask.view_for_iteration(memory)?.iter().filter(|selected| **selected).count() * times)
}

/// Evaluates one op by the fastest kernel there is.
fn run_fast<'r>(op: &Op, call: &Call<'_, 'r>) -> Result<AnyTensor<'r>, ErrorKind> {
    fast::run(op, call).unwrap_or_else(|| kernel::run(op, call))
}

fn compute<'r>(
    context: &Context<'_, 'r>,
    schedule: &Schedule,
    step: &Step,
    values: &[Option<Box<AnyTensor<'r>>>],
    sizes: &Sizes,
    run: impl Fn(&Op, &Call<'_, 'r>) -> Result<AnyTensor<'r>, ErrorKind>,
) -> Result<AnyTensor<'r>, ErrorKind> {
    let node = &step.node;
    let shape = sizes.lengths(node.shape())?;
    checked_len(&shape, node.dtype().size_of())?;
    let operands = step.operands.iter().map(|operand| alive(values, *operand)).collect();
    let call = Call { operands, shape: &shape, sizes, memory: context.memory, threads: context.threads };
    if let Op::Layout(Layout::Guard { .. }) = node.op() {
        check_guard(context.notes, schedule, step, call.operands[0].shape(), &shape)?;
    }
    let value = run(node.op(), &call)?;
    debug_assert_eq!(value.dtype(), node.dtype(), "the dtype of {}", node.op().name());
    debug_assert_eq!(value.shape(), &*shape, "the shape of {} {}", node.op().name(), node.shape());
    Ok(value)
}

/// The lengths that a guard's operand has are those that the guard states.
fn check_guard(
    notes: &HashMap<Symbol, String>,
    schedule: &Schedule,
    step: &Step,
    found: &[usize],
    stated: &[usize],
) -> Result<(), ErrorKind> {
    let Some(axis) = (0..stated.len()).find(|axis| found[*axis] != stated[*axis]) else { return Ok(()) };
    let operand = &schedule.steps[step.operands[0]].node;
    let left = Length { dim: operand.shape()[axis].clone(), value: found[axis] as i64 };
    let right = Length { dim: step.node.shape()[axis].clone(), value: stated[axis] as i64 };
    let is_second = matches!(step.node.op(), Op::Layout(Layout::Guard { is_second: true, .. }));
    let (left, right) = if is_second { (right, left) } else { (left, right) };
    let mut described: Vec<String> = Vec::new();
    for dim in [&left.dim, &right.dim] {
        dim.visit_symbols(&mut |symbol| {
            described.extend(notes.get(symbol).filter(|note| !described.contains(note)).cloned());
        });
    }
    Err(ErrorKind::LengthMismatch { left, right, notes: described })
}
