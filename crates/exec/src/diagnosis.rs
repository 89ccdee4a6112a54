//! Why a run failed: the first op of the user's that fails. Does not depend on ops.
//!
//! What succeeded in the run that failed is not run again. Where the op that failed is
//! one of the user's, the candidates are the ops that were written before it, may fail
//! as well, and had not run yet: seldom any. Where it is not, since it was simplified,
//! they are all ops that may fail and had not run.
//!
//! The candidates are run as they were written, from the values that the failed run
//! left, and fused like any plan: it takes about as long as the run did, or less. If
//! that fails too, there are fewer candidates than before, until there are none.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use foldhash::{HashMap, HashMapExt};
use tamis_graph::{NodeId, Symbol};

use crate::error::Report;
use crate::evaluation::{Context, Executable, Feeds, Stopped, Values, as_written, fed, is_of_memory};
use crate::fuse::fuse;
use crate::memory::{Memory, checked_len};
use crate::plan::Plan;
use crate::program::{Program, last_uses};
use crate::schedule::{Schedule, Step};
use crate::simplify::can_fail;
use crate::sizes::Sizes;
use crate::tensor::AnyTensor;

/// What a plan keeps for its next failing run.
#[derive(Default)]
pub(crate) struct Diagnosis {
    /// The steps as written that can fail.
    fallible: OnceLock<Vec<usize>>,
    /// The last evaluation of ops that can fail, which a run that fails alike can use again.
    trial: Mutex<Option<Arc<Executable>>>,
}

/// What a search for the first failing op as written found.
pub(crate) struct Found {
    pub(crate) report: Option<Report>,
    /// Whether some ops were not searched, since the memory did not suffice.
    pub(crate) is_partial: bool,
}

/// Finds the first op as written that fails, after a run of the plan has stopped.
/// `feeds` gives the tensors for the inputs.
pub(crate) fn first_failure<'r>(
    plan: &Plan,
    context: &Context<'_, 'r>,
    stopped: Stopped<'r>,
    feeds: &impl Fn() -> Feeds<'r>,
    sizes: &mut Sizes,
) -> Found {
    let memory = context.memory;
    let mut search = Search::new(plan);
    search.note(&plan.executable.program, stopped, memory);
    loop {
        let open = search.open();
        if open.is_empty() {
            return search.finish(Vec::new(), memory);
        }
        let trial = search.trial(&open, sizes);
        let schedule = &*trial.program.schedule;
        let values = fed(schedule, search.feed(schedule, feeds(), memory));
        match trial.run(context, values, sizes) {
            Ok(values) => return search.finish(values, memory),
            Err(stopped) => {
                if is_of_memory(&stopped.failure.kind) && !search.is_resumed(schedule) {
                    search.give_up_behind(schedule.steps[stopped.failure.step].node.id());
                }
                search.note(&trial.program, stopped, memory);
            }
        }
    }
}

/// The first op as written whose size is no size, as far as sizes are known
/// without evaluating anything.
pub(crate) fn first_size_failure(plan: &Plan, sizes: &Sizes) -> Option<Report> {
    let failure = |step: &Step| {
        let mut is_known = true;
        for dim in step.node.shape().iter() {
            dim.visit_symbols(&mut |symbol| is_known &= !matches!(symbol, Symbol::Count(_)));
        }
        if !is_known {
            return None;
        }
        let lengths = sizes.lengths(step.node.shape());
        let checked = lengths.and_then(|lengths| checked_len(&lengths, step.node.dtype().size_of()));
        checked.err().map(|kind| Report::of_node(&step.node, kind))
    };
    plan.reference.steps.iter().find_map(failure)
}

/// What is known of the ops as written.
struct Search<'p, 'r> {
    plan: &'p Plan,
    /// Which steps have succeeded.
    is_done: Vec<bool>,
    /// The first step that is known to fail, or the end: what comes before is searched.
    end: usize,
    first: Option<Report>,
    /// Whether a run failed for want of memory.
    is_partial: bool,
    /// The values that the last run left.
    left: HashMap<NodeId, AnyTensor<'r>>,
}

impl<'p, 'r> Search<'p, 'r> {
    fn new(plan: &'p Plan) -> Search<'p, 'r> {
        let end = plan.reference.steps.len();
        Search { plan, is_done: vec![false; end], end, first: None, is_partial: false, left: HashMap::new() }
    }

    /// Remembers what a run did before it stopped, and what it failed of.
    fn note(&mut self, program: &Program, stopped: Stopped<'r>, memory: &Memory) {
        let schedule = &*program.schedule;
        let Stopped { stages, failure, values } = stopped;
        let is_of_memory = is_of_memory(&failure.kind);
        self.is_partial |= is_of_memory;
        let (succeeded, others) = program.stages.split_at(stages);
        // A region finds the first of its ops that fails.
        let mut done = |step: usize| {
            if let Some(index) = index_of(self.plan, schedule.steps[step].node.id()) {
                self.is_done[index] = true;
            }
        };
        succeeded.iter().for_each(|stage| stage.visit_computed(&mut done));
        if let (Some(stage), false) = (others.first(), is_of_memory) {
            stage.visit_computed(&mut |step| {
                if step < failure.step {
                    done(step);
                }
            });
        }
        let node = &schedule.steps[failure.step].node;
        if let (Some(index), false) = (self.index_of(node.id()), is_of_memory) {
            let kind = as_written(&self.plan.reference, index, failure.kind);
            self.first = Some(Report::of_node(node, kind));
            self.end = index;
        }
        for (value, step) in values.into_iter().zip(&schedule.steps) {
            let Some(value) = value else { continue };
            // Where memory is short, all of it is for what comes next. Inputs are fed again.
            if is_of_memory || step.node.operands().is_empty() {
                value.recycle(memory.pool());
            } else {
                self.left.insert(step.node.id(), *value);
            }
        }
    }

    /// What was found. The values that were kept for further runs go back to the pool.
    fn finish(self, values: Values<'r>, memory: &Memory) -> Found {
        let values = values.into_iter().flatten().map(|value| *value).chain(self.left.into_values());
        values.for_each(|value| value.recycle(memory.pool()));
        Found { report: self.first, is_partial: self.is_partial }
    }

    /// Searches no further than a step that the memory does not suffice for.
    fn give_up_behind(&mut self, id: NodeId) {
        self.end = self.index_of(id).unwrap_or(self.end);
    }

    /// The steps that may fail first.
    fn open(&self) -> Vec<usize> {
        let steps = &self.plan.reference.steps;
        let fallible = self.plan.diagnosis.fallible.get_or_init(|| {
            let can_fail = |step: &Step| {
                let operand = |position: usize| steps[step.operands[position]].node.clone();
                can_fail(&step.node, &operand)
            };
            (0..steps.len()).filter(|index| can_fail(&steps[*index])).collect()
        });
        let before = fallible.iter().copied().take_while(|index| *index < self.end);
        before.filter(|index| !self.is_done[*index]).collect()
    }

    /// The evaluation of steps from what the last run left.
    fn trial(&self, open: &[usize], sizes: &Sizes) -> Arc<Executable> {
        let indices = self.leading_to(open, sizes);
        let mut kept = self.plan.diagnosis.trial.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trial) =
            kept.as_ref().filter(|trial| self.is_same(&trial.program.schedule, open, &indices))
        {
            return trial.clone();
        }
        let steps = &self.plan.reference.steps;
        let ids = |indices: &[usize]| indices.iter().map(|index| steps[*index].node.id()).collect::<Vec<_>>();
        let inputs = self.plan.interface.inputs.iter().map(|input| input.node.id());
        let left = ids(&indices).into_iter().filter(|id| self.left.contains_key(id));
        let inputs: Vec<NodeId> = inputs.chain(left).collect();
        let nodes = indices.iter().map(|index| steps[*index].node.clone()).collect();
        let trial = Arc::new(trial(Schedule::new(nodes, &ids(open), &inputs)));
        *kept = Some(trial.clone());
        trial
    }

    /// Whether a schedule is that of these steps, from as many values.
    fn is_same(&self, schedule: &Schedule, open: &[usize], indices: &[usize]) -> bool {
        let Schedule { steps, outputs, .. } = schedule;
        let id = |index: &usize| self.plan.reference.steps[*index].node.id();
        let is_left = |step: &Step| step.is_given && !step.node.operands().is_empty();
        steps.len() == indices.len()
            && steps.iter().zip(indices).all(|(step, index)| step.node.id() == id(index))
            && steps.iter().all(|step| is_left(step) == self.left.contains_key(&step.node.id()))
            && outputs.iter().map(|output| steps[*output].node.id()).eq(open.iter().map(id))
    }

    /// What a trial is given: the inputs, and what the last run left for it.
    fn feed(&mut self, schedule: &Schedule, mut inputs: Feeds<'r>, memory: &Memory) -> Feeds<'r> {
        let mut left = std::mem::take(&mut self.left);
        let steps = schedule.inputs[inputs.len()..].iter().flatten();
        inputs.extend(steps.map(|step| left.remove(&schedule.steps[*step].node.id())));
        left.into_values().for_each(|value| value.recycle(memory.pool()));
        inputs
    }

    /// Whether a trial began with what another run had left.
    fn is_resumed(&self, schedule: &Schedule) -> bool {
        schedule.inputs.len() > self.plan.interface.inputs.len()
    }

    /// The step as written of a node, if it was.
    fn index_of(&self, id: NodeId) -> Option<usize> {
        index_of(self.plan, id)
    }

    /// The steps that others are computed from, lengths included, and those
    /// themselves: back to the values and counts that are known.
    fn leading_to(&self, open: &[usize], sizes: &Sizes) -> Vec<usize> {
        let steps = &self.plan.reference.steps;
        let mut is_needed = vec![false; self.end];
        open.iter().for_each(|index| is_needed[*index] = true);
        for index in (0..self.end).rev() {
            let Step { node, operands, .. } = &steps[index];
            if !is_needed[index] {
                continue;
            }
            if !self.left.contains_key(&node.id()) {
                operands.iter().for_each(|operand| is_needed[*operand] = true);
            }
            node.visit_counts(&mut |mask| {
                if let (Some(mask), false) = (self.index_of(mask), sizes.is_counted(mask)) {
                    is_needed[mask] = true;
                }
            });
        }
        (0..self.end).filter(|index| is_needed[*index]).collect()
    }
}

fn index_of(plan: &Plan, id: NodeId) -> Option<usize> {
    plan.reference.steps.binary_search_by_key(&id, |step| step.node.id()).ok()
}

/// The evaluation of ops that can fail, which are the outputs of the schedule.
fn trial(schedule: Schedule) -> Executable {
    let mut program = fuse(Arc::new(schedule));
    // No value is a result: each is needed as long as others read it.
    program.last_uses = last_uses(&program.schedule, &program.stages, &[]);
    Executable::new(program)
}

#[cfg(test)]
mod tests;
