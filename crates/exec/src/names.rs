//! The names that users gave to values, as errors of a run say them. Does not depend on
//! ops.

use std::sync::Arc;

use tamis_graph::NodeId;
use tamis_graph::node_map::NodeMap;

use crate::schedule::Schedule;

/// The names of what the builder of a node gives and was given: `` `share` of `total` ``.
///
/// A builder may be made of many nodes, which have one origin. The name that a user
/// gave to its result is that of a node behind the one that failed.
pub(crate) fn subject(schedule: &Schedule, names: &NodeMap<Arc<str>>, node: NodeId) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let failed = schedule.steps.binary_search_by_key(&node, |step| step.node.id()).ok()?;
    let name = |step: usize| names.get(schedule.steps[step].node.id());
    let made = made_of(schedule, failed);
    let result = made.iter().copied().find(|step| name(*step).is_some());
    let given = given_to(schedule, result.or(made.last().copied())?);
    let given: Vec<String> =
        given.into_iter().filter_map(name).map(|operand| format!("`{operand}`")).collect();
    let own = result.and_then(name).map(|own| format!("`{own}`"));
    let operands = (!given.is_empty()).then(|| format!("of {}", given.join(" and ")));
    let subject: Vec<String> = own.into_iter().chain(operands).collect();
    (!subject.is_empty()).then(|| subject.join(" "))
}

/// The step and those of its builder that are computed from it, in their order.
fn made_of(schedule: &Schedule, step: usize) -> Vec<usize> {
    let origin = schedule.steps[step].node.origin();
    let mut is_made = vec![false; schedule.steps.len()];
    is_made[step] = true;
    for (i, later) in schedule.steps.iter().enumerate().skip(step + 1) {
        is_made[i] = later.node.origin() == origin && later.operands.iter().any(|operand| is_made[*operand]);
    }
    (step..is_made.len()).filter(|step| is_made[*step]).collect()
}

/// The steps that the builder of a step was given, in the order in which it reads them.
fn given_to(schedule: &Schedule, step: usize) -> Vec<usize> {
    let origin = schedule.steps[step].node.origin();
    let mut is_seen = vec![false; schedule.steps.len()];
    let (mut given, mut next) = (Vec::new(), vec![step]);
    while let Some(step) = next.pop() {
        if std::mem::replace(&mut is_seen[step], true) {
            continue;
        }
        if schedule.steps[step].node.origin() == origin {
            next.extend(schedule.steps[step].operands.iter().rev());
        } else {
            given.push(step);
        }
    }
    given
}
