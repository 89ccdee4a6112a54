//! A compiled program: what is evaluated, divided into stages. Knows neither what makes the
//! stages nor what runs them.

use std::sync::Arc;

use crate::lists::Lists;
use crate::region::{Constants, Region, RegionOutput, RowGroup};
use crate::schedule::Schedule;

/// The stages of a schedule, in an order in which each finds what it needs.
pub(crate) struct Program {
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) stages: Vec<Stage>,
    /// For each stage, the steps of which it is the last use.
    pub(crate) last_uses: Lists,
    /// The literals that the regions read.
    pub(crate) constants: Constants,
    /// The stages that can run together row by row, in their order.
    pub(crate) rows: Vec<RowGroup>,
}

/// What a run does at a time.
pub(crate) enum Stage {
    /// The kernel of one step.
    Kernel(usize),
    Region(Box<Region>),
}

/// For each stage the values that no later stage reads, unless they are `kept`.
pub(crate) fn last_uses(schedule: &Schedule, stages: &[Stage], kept: &[usize]) -> Lists {
    let mut last: Vec<Option<u32>> = vec![None; schedule.steps.len()];
    for (number, stage) in stages.iter().enumerate() {
        stage.visit_reads(schedule, &mut |step| last[step] = Some(number as u32));
        stage.visit_values(&mut |step| last[step] = Some(number as u32));
    }
    kept.iter().for_each(|step| last[*step] = None);
    Lists::grouped(stages.len(), |visit| {
        let used = last.iter().enumerate().filter_map(|(step, number)| Some((step, (*number)?)));
        used.for_each(|(step, number)| visit(number as usize, step));
    })
}

impl Stage {
    /// Calls `visit` with the steps whose values it gives.
    fn visit_values(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Stage::Kernel(step) => visit(*step),
            Stage::Region(region) => {
                let is_value = |output: &&RegionOutput| !matches!(output, RegionOutput::Count { .. });
                region.outputs.iter().filter(is_value).for_each(|output| visit(output.step()));
            }
        }
    }

    /// Calls `visit` with every step that it computes: those whose values, or counts, it gives, and
    /// those that it computes on the way to them.
    pub(crate) fn visit_computed(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Stage::Kernel(step) => visit(*step),
            Stage::Region(region) => {
                region.outputs.iter().for_each(|output| visit(output.step()));
                let own = region.instructions.iter().filter_map(|instruction| instruction.step);
                own.chain(region.combined.iter().copied()).for_each(visit);
            }
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
