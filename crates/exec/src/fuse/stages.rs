//! The stages of a program, in their order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use smallvec::SmallVec;
use tamis_graph::steps;

use super::times::{Group, Times};
use super::{Fuser, Role};
use crate::lists::Lists;
use crate::program::Stage;
use crate::region::{Constants, RegionOutput, Target, Workspace, compile};

impl Fuser<'_> {
    /// The stages, each as soon as what it reads is there, in the order in
    /// which their steps were built.
    pub(super) fn stages(&self, times: &Times, groups: Vec<Group>) -> (Vec<Stage>, Constants) {
        let mut stages: Vec<Stage> = Vec::new();
        let mut keys = Vec::new();
        let mut workspace = Workspace::new(self.steps.len());
        let mut makers = Makers::new(self.steps.len());
        for mut group in groups {
            group.targets.sort_unstable_by_key(|target| target.step());
            keys.push(group.targets[0].step());
            group.targets.iter().for_each(|target| {
                makers.insert(*target, stages.len());
            });
            let domain = self.steps[group.domain].node.shape().clone();
            // What is stored at the same time is computed here as well, or is stored here.
            let is_loaded = |step: usize| {
                let is_later = self.roles[step] == Role::Elementwise && times.steps[step] >= group.time;
                self.is_stored[step] && !is_later
            };
            let region =
                compile(self.steps, &group.targets, domain, group.reduced, &is_loaded, &mut workspace);
            stages.push(Stage::Region(Box::new(region)));
        }
        for (index, role) in self.roles.iter().enumerate() {
            if *role == Role::Kernel && !self.steps[index].is_given {
                makers.insert(Target::Value(index), stages.len());
                keys.push(index);
                stages.push(Stage::Kernel(index));
            }
        }
        let mut needs = Lists::new();
        stages.iter().enumerate().for_each(|(own, stage)| needs.push(self.needs(own, stage, &makers)));
        let order = order(&needs, &keys);
        let mut slots: Vec<Option<Stage>> = stages.into_iter().map(Some).collect();
        let stages = order.into_iter().filter_map(|stage| slots[stage].take()).collect();
        (stages, workspace.constants)
    }

    /// The stages that must come before one.
    fn needs(&self, own: usize, stage: &Stage, makers: &Makers) -> StageList {
        let mut needs = StageList::new();
        let mut value = |step: usize| needs.extend(makers.get(Target::Value(step)));
        match stage {
            Stage::Kernel(step) => self.steps[*step].operands.iter().for_each(|operand| value(*operand)),
            Stage::Region(region) => region.loads.iter().for_each(|load| value(load.step)),
        }
        let mut count = |step: usize| {
            needs.extend(self.counts.get(step).filter_map(|mask| makers.get(Target::Count(mask))));
        };
        match stage {
            Stage::Kernel(step) => count(*step),
            Stage::Region(region) => {
                region.outputs.iter().map(RegionOutput::step).for_each(count);
            }
        }
        needs.retain(|need| *need != own);
        steps::add(needs.len());
        needs
    }
}

/// The numbers of a few stages.
type StageList = SmallVec<[usize; 2]>;

/// Which stage computes a step, or the count of a mask.
struct Makers {
    values: Vec<Option<u32>>,
    counts: Vec<Option<u32>>,
}

impl Makers {
    fn new(steps: usize) -> Makers {
        Makers { values: vec![None; steps], counts: vec![None; steps] }
    }

    fn insert(&mut self, target: Target, stage: usize) {
        match target {
            Target::Value(step) => self.values[step] = Some(stage as u32),
            Target::Count(mask) => self.counts[mask] = Some(stage as u32),
        }
    }

    fn get(&self, target: Target) -> Option<usize> {
        let stage = match target {
            Target::Value(step) => self.values[step],
            Target::Count(mask) => self.counts[mask],
        };
        stage.map(|stage| stage as usize)
    }
}

/// An order in which every stage comes after its needs, low keys first: a topological sort
/// (Kahn, 1962) whose queue is a heap.
fn order(needs: &Lists, keys: &[usize]) -> Vec<usize> {
    let mut missing: Vec<usize> = (0..keys.len()).map(|stage| needs.get(stage).len()).collect();
    let readers = Lists::grouped(keys.len(), |visit| {
        (0..keys.len()).for_each(|stage| needs.get(stage).for_each(|need| visit(need, stage)));
    });
    let ready = (0..keys.len()).filter(|stage| missing[*stage] == 0);
    let mut ready: BinaryHeap<Reverse<(usize, usize)>> =
        ready.map(|stage| Reverse((keys[stage], stage))).collect();
    let mut order = Vec::with_capacity(keys.len());
    while let Some(Reverse((_, stage))) = ready.pop() {
        order.push(stage);
        for reader in readers.get(stage) {
            missing[reader] -= 1;
            if missing[reader] == 0 {
                ready.push(Reverse((keys[reader], reader)));
            }
        }
    }
    assert_eq!(order.len(), keys.len(), "stages need one another in a circle");
    order
}
