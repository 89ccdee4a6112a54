//! Which steps run together: elementwise steps, reductions and selections over
//! one shape become regions, everything else runs as a kernel of its own.
//!
//! A region ends where all elements of a value must exist before the next can be
//! computed: after a reduction, a selection, a kernel. An elementwise value is not
//! stored unless it is needed as an array, or unless computing it again in a later
//! region costs more than [`RECOMPUTED`] additions an element.

mod rows;
mod stages;
mod times;

use std::sync::Arc;

use smallvec::SmallVec;
use tamis_graph::node_map::NodeMap;
use tamis_graph::{DType, Mask, Op, Reduce, ReduceKind, Shape, Source, Unary};

use crate::lists::Lists;
use crate::program::{Program, last_uses};
use crate::region::is_elementwise;
use crate::schedule::{Schedule, Step};

/// The weight up to which a value is computed in every region that reads it,
/// rather than stored and loaded: memory is that much slower than arithmetic.
const RECOMPUTED: usize = 16;

/// The weight of reading an array again.
const LOADED: usize = 4;

/// How a step is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// By a region; computed where it is needed unless it is stored.
    Elementwise,
    /// By a region, which reduces or selects.
    RegionOutput,
    /// As an array, by a kernel.
    Kernel,
    /// Not at all: regions read through it.
    Transparent,
}

/// Divides the steps of a schedule into stages.
///
/// What several regions compute is known once there are regions, and storing some of it
/// changes them: so the steps that are stored grow until nothing is computed twice that is too
/// costly for that. Each round stores at least one more step, and mostly there is one round.
pub(crate) fn fuse(schedule: Arc<Schedule>) -> Program {
    let mut fuser = Fuser::new(&schedule.steps, &schedule.outputs);
    loop {
        let (times, groups) = fuser.times();
        let heavy = fuser.computed_twice(&groups);
        if heavy.is_empty() {
            let (stages, constants) = fuser.stages(&times, groups);
            let last_uses = last_uses(&schedule, &stages, &schedule.outputs);
            let rows = rows::row_groups(&schedule, &stages, &last_uses);
            return Program { schedule, stages, last_uses, constants, rows };
        }
        heavy.into_iter().for_each(|step| fuser.is_stored[step] = true);
    }
}

struct Fuser<'s> {
    steps: &'s [Step],
    is_output: Vec<bool>,
    roles: Vec<Role>,
    /// Whether the value of a step exists in memory.
    is_stored: Vec<bool>,
    readers: Lists,
    /// For each step, the masks whose counts it needs.
    counts: Lists,
}

impl<'s> Fuser<'s> {
    fn new(steps: &'s [Step], outputs: &'s [usize]) -> Fuser<'s> {
        let readers = Lists::grouped(steps.len(), |visit| {
            for (reader, step) in steps.iter().enumerate() {
                step.operands.iter().for_each(|operand| visit(*operand, reader));
            }
        });
        let masks: NodeMap<usize> = steps
            .iter()
            .enumerate()
            .filter(|(_, step)| step.counted)
            .map(|(index, step)| (step.node.id(), index))
            .collect();
        let counts_of = |step: &Step| {
            let mut counts: SmallVec<[usize; 1]> = SmallVec::new();
            if !masks.is_empty() {
                // A mask without a step was counted before the run.
                step.node.visit_counts(&mut |mask| counts.extend(masks.get(mask).copied()));
                counts.sort_unstable();
                counts.dedup();
            }
            counts
        };
        let roles: Vec<Role> = steps.iter().map(|step| role(steps, step)).collect();
        let mut counts = Lists::new();
        for (step, role) in steps.iter().zip(&roles) {
            // The length of a selection in a region is found by the run, but the region
            // must know that of what it selects from; so must a reduction.
            let is_compaction = *role == Role::RegionOutput && matches!(step.node.op(), Op::Mask(_));
            let mut needed = if is_compaction { SmallVec::new() } else { counts_of(step) };
            if *role == Role::RegionOutput {
                needed.extend(counts_of(&steps[step.operands[0]]));
            }
            counts.push(needed);
        }
        let is_stored = vec![false; steps.len()];
        let mut is_output = vec![false; steps.len()];
        outputs.iter().for_each(|output| is_output[*output] = true);
        let mut fuser = Fuser { steps, is_output, roles, is_stored, readers, counts };
        fuser.see_through_broadcasts();
        fuser.store_what_is_read_as_array();
        fuser
    }

    /// Broadcasts that only regions read are never evaluated; nor are literals.
    fn see_through_broadcasts(&mut self) {
        for index in (0..self.steps.len()).rev() {
            let step = &self.steps[index];
            let is_scalar = matches!(step.node.op(), Op::Source(Source::Scalar(_)));
            let is_read_by_regions = self.readers.get(index).all(|reader| match self.roles[reader] {
                Role::Elementwise | Role::RegionOutput | Role::Transparent => true,
                Role::Kernel => false,
            });
            if (step.is_repeat() || is_scalar) && is_read_by_regions && !self.is_output[index] {
                self.roles[index] = Role::Transparent;
            }
        }
    }

    fn store_what_is_read_as_array(&mut self) {
        for index in 0..self.steps.len() {
            self.is_stored[index] = match self.roles[index] {
                Role::RegionOutput | Role::Kernel => true,
                Role::Transparent => false,
                Role::Elementwise => self.is_output[index] || self.is_read_as_array(index),
            };
        }
    }

    /// Whether a reader needs the value of an elementwise step as an array: a kernel,
    /// or a region over another shape.
    fn is_read_as_array(&self, step: usize) -> bool {
        let is_computed_again = self.is_mask_as_number(step);
        self.readers.get(step).any(|reader| match self.roles[reader] {
            Role::Kernel => true,
            Role::Transparent => !is_computed_again,
            Role::Elementwise | Role::RegionOutput => {
                !is_computed_again && self.domain(reader) != self.steps[step].node.shape()
            }
        })
    }

    /// Whether a step is the cast of a mask in memory. It takes more bytes than the mask, so that
    /// every region that reads it computes it again, whatever it is broadcast to.
    fn is_mask_as_number(&self, step: usize) -> bool {
        let Step { node, operands, .. } = &self.steps[step];
        let is_mask =
            |operand: &usize| self.steps[*operand].node.dtype() == DType::Bool && self.is_stored[*operand];
        matches!(node.op(), Op::Unary(Unary::Cast(_))) && operands.iter().all(is_mask)
    }

    /// The shape over which a step is computed.
    fn domain(&self, step: usize) -> &'s Shape {
        self.steps[self.domain_step(step)].node.shape()
    }

    /// The step that has the shape over which `step` is computed.
    fn domain_step(&self, step: usize) -> usize {
        match self.roles[step] {
            Role::RegionOutput => self.steps[step].operands[0],
            Role::Elementwise | Role::Kernel | Role::Transparent => step,
        }
    }
}

/// How a step is evaluated, regardless of its readers.
fn role(steps: &[Step], step: &Step) -> Role {
    if step.is_given {
        return Role::Kernel;
    }
    if is_elementwise(step) {
        return Role::Elementwise;
    }
    let operand = |position: usize| steps[step.operands[position]].node.shape();
    match step.node.op() {
        Op::Mask(Mask::BooleanMask { .. }) if operand(0) == operand(1) && !operand(0).is_empty() => {
            Role::RegionOutput
        }
        // From left to right, since floats overflow or not by the order.
        Op::Reduce(Reduce { kind: ReduceKind::Prod, .. }) if step.node.dtype().is_float() => Role::Kernel,
        Op::Reduce(Reduce { kind: ReduceKind::Max | ReduceKind::Min, .. })
            if step.node.dtype() == DType::Bool =>
        {
            Role::Kernel
        }
        Op::Reduce(op) if is_block(&op.axes) => Role::RegionOutput,
        Op::Reduce(_)
        | Op::Mask(_)
        | Op::Source(_)
        | Op::Unary(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Logic(_)
        | Op::Select(_)
        | Op::Index(_)
        | Op::Scan(_)
        | Op::Order(_)
        | Op::Layout(_)
        | Op::Linalg(_) => Role::Kernel,
    }
}

/// Whether the axes follow one another without a gap.
fn is_block(axes: &[usize]) -> bool {
    !axes.is_empty() && axes.windows(2).all(|pair| pair[1] == pair[0] + 1)
}
