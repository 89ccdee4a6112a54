//! The loop over the steps of a plan. Does not depend on ops, except guards.

use tamis_graph::{Addressing, DimError, Index, Layout, Node, Op, Value, steps};

use crate::diagnosis;
use crate::error::{Error, ErrorKind, Length, Report};
use crate::fast;
use crate::fuse::{Program, Stage};
use crate::kernel::{self, Call};
use crate::machine;
use crate::memory::{Memory, checked_len};
use crate::plan::Plan;
use crate::schedule::{Schedule, Step};
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, Item};

/// Evaluates the outputs of a plan on tensors for its inputs, which `again` gives again.
///
/// Where the fused form fails, [`diagnosis`](crate::diagnosis) finds the error:
/// that of the first op of the user's that fails, whatever the order of
/// evaluation became, with lengths as the user's expressions have them. Only
/// where elements repeat beyond the memory is the reference run, which keeps
/// them unspread longer and may succeed.
pub(crate) fn evaluate<'r>(
    plan: &Plan,
    inputs: Vec<Option<AnyTensor<'r>>>,
    again: impl Fn() -> Vec<Option<AnyTensor<'r>>>,
    mut sizes: Sizes,
    memory: &'r Memory,
) -> Result<Vec<Value>, Error> {
    if plan.is_reference {
        return by_reference(plan, inputs, &mut sizes, memory);
    }
    let (schedule, program) = (&plan.simplified, &plan.program);
    let stopped = match in_stages(plan, schedule, program, fed(schedule, inputs), &mut sizes, memory) {
        Ok(values) => {
            let materialize = |value| fast::into_materialized(value, memory, &plan.threads);
            match outputs(schedule, values, materialize) {
                Ok(results) => return Ok(results),
                Err(failure) => Stopped { stages: program.stages.len(), failure, values: Vec::new() },
            }
        }
        Err(stopped) => stopped,
    };
    if stopped.failure.has_repeats {
        stopped.recycle(memory);
        return by_reference(plan, again(), &mut sizes, memory);
    }
    let (step, kind) = (stopped.failure.step, stopped.failure.kind.clone());
    let found = diagnosis::first_failure(plan, stopped, &again, &mut sizes, memory);
    let found = found.or_else(|| {
        let is_size =
            matches!(kind, ErrorKind::Size(_) | ErrorKind::NegativeSize { .. } | ErrorKind::TooLarge { .. });
        is_size.then(|| diagnosis::first_size_failure(plan, &sizes)).flatten()
    });
    debug_assert!(found.is_some() || is_of_memory(&kind), "what was written does not fail: {kind}");
    Err(found.unwrap_or_else(|| Report::of_node(&plan.simplified.steps[step].node, kind)).into())
}

/// Why a stage of the plan failed.
pub(crate) struct Failure {
    pub(crate) step: usize,
    pub(crate) kind: ErrorKind,
    /// Whether there is too much of what stands for few elements, each repeated.
    has_repeats: bool,
}

/// What a run leaves whose stages did not all succeed.
pub(crate) struct Stopped<'r> {
    /// How many stages did.
    pub(crate) stages: usize,
    pub(crate) failure: Failure,
    /// The values of steps that were still to be read.
    pub(crate) values: Vec<Option<AnyTensor<'r>>>,
}

impl Stopped<'_> {
    /// Leaves the values to later arrays.
    fn recycle(self, memory: &Memory) {
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

/// Evaluates what was written, op by op.
fn by_reference<'r>(
    plan: &Plan,
    inputs: Vec<Option<AnyTensor<'r>>>,
    sizes: &mut Sizes,
    memory: &'r Memory,
) -> Result<Vec<Value>, Error> {
    let mut values = fed(&plan.reference, inputs);
    one_by_one(plan, &mut values, sizes, memory)?;
    let results = outputs(&plan.reference, values, |value| value.into_materialized(memory));
    let report = |failure: Failure| Report::of_node(&plan.reference.steps[failure.step].node, failure.kind);
    results.map_err(|failure| report(failure).into())
}

/// The values of all steps, of which those of the inputs are there.
pub(crate) fn fed<'r>(schedule: &Schedule, inputs: Vec<Option<AnyTensor<'r>>>) -> Vec<Option<AnyTensor<'r>>> {
    let mut values: Vec<Option<AnyTensor<'r>>> = Vec::new();
    values.resize_with(schedule.steps.len(), || None);
    for (step, tensor) in schedule.inputs.iter().zip(inputs) {
        if let Some(step) = step {
            values[*step] = tensor;
        }
    }
    values
}

/// The results. All are held at once, so that each stays counted until all are there.
fn outputs<'r>(
    schedule: &Schedule,
    mut values: Vec<Option<AnyTensor<'r>>>,
    materialize: impl Fn(AnyTensor<'r>) -> Result<AnyTensor<'r>, ErrorKind>,
) -> Result<Vec<Value>, Failure> {
    for step in schedule.outputs.iter().copied() {
        let value = values[step].take();
        let value = value.unwrap_or_else(|| unreachable!("the value of an output lives until the end"));
        let has_repeats = value.has_repeats();
        values[step] = Some(materialize(value).map_err(|kind| Failure { step, kind, has_repeats })?);
    }
    Ok(schedule.outputs.iter().map(|index| alive(&values, *index).clone().into_value()).collect())
}

/// Evaluates each step by its reference kernel.
fn one_by_one<'r>(
    plan: &Plan,
    values: &mut [Option<AnyTensor<'r>>],
    sizes: &mut Sizes,
    memory: &'r Memory,
) -> Result<(), Error> {
    let schedule = &*plan.reference;
    for (index, step) in schedule.steps.iter().enumerate() {
        let report = |kind| Report::of_node(&step.node, as_written(schedule, index, kind));
        let value = match values[index].take() {
            Some(fed) => fed,
            None => compute(plan, schedule, step, values, sizes, memory, kernel::run).map_err(report)?,
        };
        if step.counted {
            sizes.count(step.node.id(), count_true(&value, memory).map_err(report)?);
        }
        values[index] = Some(value);
        for last_use in &step.last_uses {
            values[*last_use] = None;
        }
    }
    Ok(())
}

/// The error with the axes that the user sees, where a builder rearranges them.
pub(crate) fn as_written(schedule: &Schedule, index: usize, kind: ErrorKind) -> ErrorKind {
    with_own_axis(schedule, index, with_kept_axes(schedule, index, kind))
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

/// Runs each stage of a program for a schedule, up to the first that fails.
pub(crate) fn in_stages<'r>(
    plan: &Plan,
    schedule: &Schedule,
    program: &Program,
    mut values: Vec<Option<AnyTensor<'r>>>,
    sizes: &mut Sizes,
    memory: &'r Memory,
) -> Result<Vec<Option<AnyTensor<'r>>>, Stopped<'r>> {
    for (stages, (stage, last_uses)) in program.stages.iter().zip(&program.last_uses).enumerate() {
        steps::add(1 + last_uses.len());
        if let Err(failure) = run_stage(plan, schedule, program, stage, &mut values, sizes, memory) {
            return Err(Stopped { stages, failure, values });
        }
        release(last_uses, &mut values, memory);
    }
    Ok(values)
}

/// Runs a stage of a program for a schedule: a region by the tile machine, all else by a kernel.
fn run_stage<'r>(
    plan: &Plan,
    schedule: &Schedule,
    program: &Program,
    stage: &Stage,
    values: &mut [Option<AnyTensor<'r>>],
    sizes: &mut Sizes,
    memory: &'r Memory,
) -> Result<(), Failure> {
    match stage {
        Stage::Kernel(step) => {
            let value = compute(plan, schedule, &schedule.steps[*step], values, sizes, memory, run_fast);
            values[*step] = Some(value.map_err(|kind| Failure { step: *step, kind, has_repeats: false })?);
        }
        Stage::Region(region) => {
            let (threads, level) = (&plan.threads, plan.level);
            let scratch = &program.scratch;
            let call = machine::Call { values, sizes, memory, threads, level, scratch };
            let results = machine::run(region, &call).map_err(|(step, kind)| {
                let has_repeats = is_of_memory(&kind) && machine::repeats(region, &call);
                Failure { step, kind, has_repeats }
            })?;
            for (step, value) in results.values {
                values[step] = Some(value);
            }
            for (mask, count) in results.counts {
                sizes.count(schedule.steps[mask].node.id(), count);
            }
        }
    }
    Ok(())
}

/// Recycles values after their last use.
fn release(last_uses: &[usize], values: &mut [Option<AnyTensor<'_>>], memory: &Memory) {
    for last_use in last_uses {
        if let Some(value) = values[*last_use].take() {
            value.recycle(memory.pool());
        }
    }
}

fn alive<'v, 'r>(values: &'v [Option<AnyTensor<'r>>], index: usize) -> &'v AnyTensor<'r> {
    values[index].as_ref().unwrap_or_else(|| unreachable!("a value lives until its last reader"))
}

fn count_true(mask: &AnyTensor<'_>, memory: &Memory) -> Result<usize, ErrorKind> {
    let mask = bool::from_any(mask).unwrap_or_else(|| unreachable!("counts are of masks"));
    let (mask, times) = mask.condensed(|_| true);
    Ok(mask.view_for_iteration(memory)?.iter().filter(|selected| **selected).count() * times)
}

/// Evaluates one op by the fastest kernel there is.
fn run_fast<'r>(op: &Op, call: &Call<'_, 'r>) -> Result<AnyTensor<'r>, ErrorKind> {
    fast::run(op, call).unwrap_or_else(|| kernel::run(op, call))
}

fn compute<'r>(
    plan: &Plan,
    schedule: &Schedule,
    step: &Step,
    values: &[Option<AnyTensor<'r>>],
    sizes: &Sizes,
    memory: &'r Memory,
    run: impl Fn(&Op, &Call<'_, 'r>) -> Result<AnyTensor<'r>, ErrorKind>,
) -> Result<AnyTensor<'r>, ErrorKind> {
    let node = &step.node;
    let shape = sizes.lengths(node.shape())?;
    checked_len(&shape, node.dtype().size_of())?;
    let operands = step.operands.iter().map(|operand| alive(values, *operand)).collect();
    let call = Call { operands, shape: &shape, sizes, memory, threads: &plan.threads };
    if let Op::Layout(Layout::Guard { .. }) = node.op() {
        check_guard(plan, schedule, step, call.operands[0].shape(), &shape)?;
    }
    let value = run(node.op(), &call)?;
    debug_assert_eq!(value.dtype(), node.dtype(), "the dtype of {}", node.op().name());
    debug_assert_eq!(value.shape(), shape, "the shape of {} {}", node.op().name(), node.shape());
    Ok(value)
}

/// The lengths that a guard's operand has are those that the guard states.
fn check_guard(
    plan: &Plan,
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
    let mut notes: Vec<String> = Vec::new();
    for dim in [&left.dim, &right.dim] {
        dim.visit_symbols(&mut |symbol| {
            notes.extend(plan.notes.get(symbol).filter(|note| !notes.contains(note)).cloned());
        });
    }
    Err(ErrorKind::LengthMismatch { left, right, notes })
}
