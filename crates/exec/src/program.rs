//! A compiled program: what is evaluated, divided into stages. Knows neither what makes the
//! stages nor what runs them.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::region::{Constants, Region, RegionOutput};
use crate::schedule::Schedule;

/// The stages of a schedule, in an order in which each finds what it needs.
pub(crate) struct Program {
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) stages: Vec<Stage>,
    /// For each stage, the steps of which it is the last use.
    pub(crate) last_uses: Vec<SmallVec<[usize; 2]>>,
    /// The literals that the regions read.
    pub(crate) constants: Constants,
}

/// What a run does at a time.
pub(crate) enum Stage {
    /// The kernel of one step.
    Kernel(usize),
    Region(Box<Region>),
}

impl Stage {
    /// The steps whose values, or counts, it gives.
    pub(crate) fn results(&self) -> SmallVec<[usize; 4]> {
        match self {
            Stage::Kernel(step) => SmallVec::from_slice(&[*step]),
            Stage::Region(region) => region.outputs.iter().map(RegionOutput::step).collect(),
        }
    }

    /// Calls `visit` with every step that it computes: those of its results, and those that it
    /// computes on the way to them.
    pub(crate) fn visit_computed(&self, visit: &mut dyn FnMut(usize)) {
        self.results().into_iter().for_each(&mut *visit);
        if let Stage::Region(region) = self {
            region.instructions.iter().filter_map(|instruction| instruction.step).for_each(visit);
        }
    }

    /// Calls `visit` with the steps whose values it reads.
    pub(crate) fn visit_reads(&self, schedule: &Schedule, visit: &mut dyn FnMut(usize)) {
        match self {
            Stage::Kernel(step) => schedule.steps[*step].operands.iter().for_each(|operand| visit(*operand)),
            Stage::Region(region) => region.loads.iter().for_each(|load| visit(load.step)),
        }
    }
}
