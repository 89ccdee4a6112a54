//! Which regions follow each other row by row: softmax, normalisation and their like need a maximum
//! or sum of a row before they can go on with it, but nothing of other rows.

use std::ops::Range;

use foldhash::{HashMap, HashMapExt, HashSet};
use tamis_graph::{Dim, Layout, Op, steps};

use crate::lists::Lists;
use crate::program::Stage;
use crate::region::{ReducedAxes, Region, RegionOutput, RowGroup, RowLoad};
use crate::schedule::{Schedule, Step};

/// The groups of stages that can run row by row, in their order. Stages stay in the order that they
/// have, so that only what follows one another is grouped.
pub(super) fn row_groups(schedule: &Schedule, stages: &[Stage], last_uses: &Lists) -> Vec<RowGroup> {
    let mut groups = Vec::new();
    let mut start = 0;
    while start < stages.len() {
        let group = Candidate::of(schedule, stages, start).and_then(|group| group.finish(stages, last_uses));
        start = group.as_ref().map_or(start + 1, |group| group.stages.end);
        groups.extend(group);
    }
    groups
}

/// A group while it grows.
struct Candidate<'s> {
    steps: &'s [Step],
    stages: Range<usize>,
    /// The lengths of the axes that number the rows.
    rows: &'s [Dim],
    /// How many of its regions visit more than one element of a row.
    passes: usize,
    /// The values that its regions give, in their order.
    values: Vec<usize>,
    /// The index of a value, by its step and by those that reshape it.
    indices: HashMap<usize, usize>,
}

impl<'s> Candidate<'s> {
    /// What can run row by row from a region on that reduces rows.
    fn of(schedule: &'s Schedule, stages: &'s [Stage], start: usize) -> Option<Candidate<'s>> {
        let Stage::Region(first) = &stages[start] else { return None };
        let lead = *first.reduced.as_ref()?.first()?;
        if lead == 0 {
            return None;
        }
        let mut group = Candidate {
            steps: &schedule.steps,
            stages: start..start,
            rows: &first.domain[..lead],
            passes: 0,
            values: Vec::new(),
            indices: HashMap::new(),
        };
        while stages.get(group.stages.end).is_some_and(|stage| group.add(stage)) {
            group.stages.end += 1;
        }
        (group.passes > 1).then_some(group)
    }

    /// Adds the next stage, if it takes row by row what the ones before give.
    fn add(&mut self, stage: &Stage) -> bool {
        steps::add(1);
        match stage {
            Stage::Region(region) => {
                let can_join = self.is_row_by_row(region);
                if can_join {
                    self.passes += usize::from(!region.domain[self.rows.len()..].iter().all(Dim::is_one));
                    for output in &region.outputs {
                        self.indices.insert(output.step(), self.values.len());
                        self.values.push(output.step());
                    }
                }
                can_join
            }
            // The elements of a row stay in their order.
            Stage::Kernel(step) => {
                let (node, operands) = (&self.steps[*step].node, &self.steps[*step].operands);
                let is_reshape = matches!(node.op(), Op::Layout(Layout::Reshape(_)));
                if !is_reshape || !node.shape().starts_with(self.rows) {
                    return false;
                }
                let Some(value) = self.indices.get(&operands[0]).copied() else { return false };
                self.indices.insert(*step, value);
                true
            }
        }
    }

    fn is_row_by_row(&self, region: &Region) -> bool {
        steps::add(region.outputs.len() + region.loads.len());
        let lead = self.rows.len();
        let reduces_rows = |axes: &[usize]| axes[0] == lead && axes.len() == region.domain.len() - lead;
        region.domain.starts_with(self.rows)
            && region.reduced.as_ref().is_none_or(|axes| reduces_rows(axes))
            && region.outputs.iter().all(|output| match output {
                RegionOutput::Store { .. } => true,
                RegionOutput::Reduction { axes, mask, .. } => *axes == ReducedAxes::Axes && mask.is_none(),
                RegionOutput::Compress { .. } | RegionOutput::Count { .. } => false,
            })
            && region.loads.iter().all(|load| {
                !self.indices.contains_key(&load.step) || self.row_load(region, load.step).is_some()
            })
    }

    /// How a region reads a value of the group, if row by row.
    fn row_load(&self, region: &Region, step: usize) -> Option<RowLoad> {
        let shape = self.steps[step].node.shape();
        if *shape == region.domain {
            return Some(RowLoad::Elements);
        }
        let is_of_rows = shape.len() == region.domain.len() && shape.starts_with(self.rows);
        (is_of_rows && shape[self.rows.len()..].iter().all(Dim::is_one)).then_some(RowLoad::Repeated)
    }

    fn finish(self, stages: &[Stage], last_uses: &Lists) -> Option<RowGroup> {
        let mut is_stored = vec![true; self.values.len()];
        let used_here = self.stages.clone().flat_map(|stage| last_uses.get(stage));
        let used_here: HashSet<usize> = used_here.collect();
        steps::add(used_here.len() + self.values.len());
        for step in &used_here {
            if let Some(value) = self.indices.get(step).filter(|value| self.values[**value] == *step) {
                is_stored[*value] = false;
            }
        }
        // What is reshaped for others is stored, and reshaped behind the group.
        let mut reshaped = Vec::new();
        for stage in self.stages.clone() {
            if let Stage::Kernel(step) = &stages[stage]
                && !used_here.contains(step)
            {
                let value = self.indices[step];
                if self.values[value] != self.steps[*step].operands[0] {
                    return None;
                }
                is_stored[value] = true;
                reshaped.push(stage);
            }
        }
        let mut loads = HashMap::new();
        for stage in self.stages.clone() {
            let Stage::Region(region) = &stages[stage] else { continue };
            for load in &region.loads {
                if let (Some(value), Some(how)) =
                    (self.indices.get(&load.step), self.row_load(region, load.step))
                {
                    loads.insert((stage, load.step), (*value, how));
                }
            }
        }
        let values = self.values.into_iter().zip(is_stored).collect();
        Some(RowGroup { stages: self.stages, lead: self.rows.len(), values, loads, reshaped })
    }
}
