//! The loop over the steps of a plan. Knows no op, except guards.

use tamis_graph::{Layout, Op, Value};

use crate::error::{Error, ErrorKind, Length, Report};
use crate::fast;
use crate::kernel::{self, Call};
use crate::memory::{Memory, checked_len};
use crate::plan::{Plan, Step};
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, Item};

/// Runs every step of a plan in order, on tensors for its inputs, and gives its outputs.
pub(crate) fn evaluate<'r>(
    plan: &Plan,
    inputs: Vec<Option<AnyTensor<'r>>>,
    mut sizes: Sizes,
    memory: &'r Memory,
) -> Result<Vec<Value>, Error> {
    let mut values: Vec<Option<AnyTensor<'r>>> = Vec::new();
    values.resize_with(plan.steps.len(), || None);
    for (input, tensor) in plan.interface.inputs.iter().zip(inputs) {
        if let Some(step) = input.step {
            values[step] = tensor;
        }
    }
    for (place, step) in plan.steps.iter().enumerate() {
        let report = |kind| Report::of_node(&step.node, kind);
        let value = match values[place].take() {
            Some(fed) => fed,
            None => compute(plan, step, &values, &sizes, memory).map_err(report)?,
        };
        if step.counted {
            sizes.count(step.node.id(), count_true(plan, &value).map_err(report)?);
        }
        values[place] = Some(value);
        for dying in &step.dying {
            values[*dying] = None;
        }
    }
    // All results are held at once, so that each stays counted until all are there.
    for output in &plan.interface.outputs {
        let value = alive(&values, output.step).clone();
        let whole = if plan.is_reference {
            value.into_whole(memory)
        } else {
            fast::into_whole(value, memory, &plan.threads)
        };
        values[output.step] =
            Some(whole.map_err(|kind| Report::of_node(&plan.steps[output.step].node, kind))?);
    }
    let outputs = plan.interface.outputs.iter();
    Ok(outputs.map(|output| alive(&values, output.step).clone().into_value()).collect())
}

fn alive<'v, 'r>(values: &'v [Option<AnyTensor<'r>>], place: usize) -> &'v AnyTensor<'r> {
    values[place].as_ref().unwrap_or_else(|| unreachable!("a value lives until its last reader"))
}

fn count_true(plan: &Plan, mask: &AnyTensor<'_>) -> Result<usize, ErrorKind> {
    let mask = bool::from_any(mask).unwrap_or_else(|| unreachable!("counts are of masks"));
    if !plan.is_reference
        && let Some(count) = fast::count_true(mask, &plan.threads)
    {
        return Ok(count);
    }
    Ok(mask.walk()?.iter().filter(|selected| **selected).count())
}

fn compute<'r>(
    plan: &Plan,
    step: &Step,
    values: &[Option<AnyTensor<'r>>],
    sizes: &Sizes,
    memory: &'r Memory,
) -> Result<AnyTensor<'r>, ErrorKind> {
    let node = &step.node;
    let shape = sizes.lengths(node.shape())?;
    checked_len(&shape, node.dtype().size_of())?;
    let operands = step.operands.iter().map(|operand| alive(values, *operand)).collect();
    let call = Call { operands, shape: &shape, sizes, memory, threads: &plan.threads };
    if let Op::Layout(Layout::Guard { .. }) = node.op() {
        check_guard(plan, step, call.operands[0].shape(), &shape)?;
    }
    let fast = if plan.is_reference { None } else { fast::run(node.op(), &call) };
    let value = fast.unwrap_or_else(|| kernel::run(node.op(), &call))?;
    debug_assert_eq!(value.dtype(), node.dtype(), "the dtype of {}", node.op().name());
    debug_assert_eq!(value.shape(), shape, "the shape of {} {}", node.op().name(), node.shape());
    Ok(value)
}

/// The lengths that a guard's operand has are those that the guard states.
fn check_guard(plan: &Plan, step: &Step, found: &[usize], stated: &[usize]) -> Result<(), ErrorKind> {
    let Some(axis) = (0..stated.len()).find(|axis| found[*axis] != stated[*axis]) else { return Ok(()) };
    let operand = &plan.steps[step.operands[0]].node;
    let left = Length { dim: operand.shape()[axis].clone(), value: found[axis] as i64 };
    let right = Length { dim: step.node.shape()[axis].clone(), value: stated[axis] as i64 };
    let mut notes = Vec::new();
    for dim in [&left.dim, &right.dim] {
        dim.visit_symbols(&mut |symbol| notes.extend(plan.notes.get(symbol).cloned()));
    }
    notes.dedup();
    Err(ErrorKind::LengthMismatch { left, right, notes })
}
