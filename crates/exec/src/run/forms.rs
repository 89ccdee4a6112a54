//! Which form of a plan is evaluated: the compiled program, and where that fails what was written.

use tamis_graph::Value;

use crate::diagnosis::{Found, first_failure, first_size_failure};
use crate::error::{Error, ErrorKind, Report};
use crate::evaluation::{Context, Feeds, Stopped, fed, op_by_op, outputs};
use crate::fast;
use crate::memory::Memory;
use crate::plan::Plan;
use crate::sizes::Sizes;

/// Evaluates the outputs of a plan on tensors for its inputs, which `again` gives again.
///
/// Where the fused form fails, [`diagnosis`](crate::diagnosis) finds the error:
/// that of the first op of the user's that fails, whatever the order of
/// evaluation became, with lengths as the user's expressions have them. Only
/// where repeated elements exceed the memory is the reference run, which
/// materializes them later or not at all, and may succeed.
pub(super) fn evaluate<'r>(
    plan: &Plan,
    inputs: Feeds<'r>,
    again: impl Fn() -> Feeds<'r>,
    mut sizes: Sizes,
    memory: &'r Memory,
) -> Result<Vec<Value>, Error> {
    let context = Context { threads: &plan.threads, level: plan.level, notes: &plan.notes, memory };
    if plan.is_reference {
        return op_by_op(&context, &plan.reference, inputs, &mut sizes);
    }
    let program = &plan.executable.program;
    let schedule = &*program.schedule;
    let stopped = match plan.executable.run(&context, fed(schedule, inputs), &mut sizes) {
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
        return op_by_op(&context, &plan.reference, again(), &mut sizes);
    }
    let (step, kind) = (stopped.failure.step, stopped.failure.kind.clone());
    let Found { report, is_partial } = first_failure(plan, &context, stopped, &again, &mut sizes);
    let report = report.or_else(|| {
        let is_size =
            matches!(kind, ErrorKind::Size(_) | ErrorKind::NegativeSize { .. } | ErrorKind::TooLarge { .. });
        is_size.then(|| first_size_failure(plan, &sizes)).flatten()
    });
    debug_assert!(report.is_some() || is_partial, "what was written does not fail: {kind}");
    // The search takes memory of its own. Where that is short, the error is that of the op as the plan has it.
    Err(report.unwrap_or_else(|| Report::of_node(&schedule.steps[step].node, kind)).into())
}
