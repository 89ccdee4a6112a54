//! When each value is computed, and which targets are computed in one pass: a list schedule.
//! Every step has an earliest time, after what it reads, and a latest one, before its readers;
//! from the last step to the first, each target joins the latest region that it can.

use std::collections::BTreeSet;

use foldhash::HashMap;
use tamis_graph::{AxisList, Op, Shape, steps};

use super::{Fuser, LOADED, RECOMPUTED, Role};
use crate::region::{Target, through_broadcasts};
use crate::schedule::StepMap;

/// Targets of one region.
pub(super) struct Group {
    pub(super) time: usize,
    pub(super) domain: usize,
    pub(super) reduced: Option<AxisList>,
    pub(super) targets: Vec<Target>,
}

/// The groups so far, in the order in which they began.
#[derive(Default)]
struct Groups<'s> {
    all: Vec<Group>,
    by_domain: HashMap<&'s Shape, DomainGroups>,
}

/// The groups over one shape, by time and number, separated by the axes that they
/// reduce.
#[derive(Default)]
struct DomainGroups {
    unreduced: BTreeSet<(usize, usize)>,
    /// Few: runs of axes of one shape.
    reduced: Vec<(AxisList, BTreeSet<(usize, usize)>)>,
}

impl<'s> Groups<'s> {
    /// The latest group over `shape` between two times that can take a target which
    /// reduces along `reduced`; of several at that time the one that began last.
    fn find(
        &self,
        shape: &Shape,
        reduced: Option<&AxisList>,
        earliest: usize,
        latest: usize,
    ) -> Option<usize> {
        let groups = self.by_domain.get(shape)?;
        steps::add(1 + groups.reduced.len());
        let last = |set: &BTreeSet<(usize, usize)>| {
            set.range((earliest, 0)..=(latest, usize::MAX)).next_back().copied()
        };
        // Reductions that keep inner axes run over panels, in regions without other
        // outputs.
        let is_panel = |axes: &AxisList| axes.last().is_some_and(|last| last + 1 < shape.len());
        let unreduced = if reduced.is_some_and(is_panel) { None } else { last(&groups.unreduced) };
        let fits = |axes: &AxisList| reduced.map_or(!is_panel(axes), |reduced| reduced == axes);
        let matching = groups.reduced.iter().filter(|(axes, _)| fits(axes)).filter_map(|(_, set)| last(set));
        matching.chain(unreduced).max().map(|(_, group)| group)
    }

    fn add(&mut self, shape: &'s Shape, group: Group) -> usize {
        let number = self.all.len();
        self.by_domain.entry(shape).or_default().unreduced.insert((group.time, number));
        self.all.push(group);
        number
    }

    /// Makes a group reduce along `axes`, if any.
    fn reduce_along(&mut self, shape: &'s Shape, number: usize, axes: Option<AxisList>) {
        let (group, Some(axes)) = (&mut self.all[number], axes) else { return };
        if group.reduced.is_some() {
            return;
        }
        let (key, groups) = ((group.time, number), self.by_domain.entry(shape).or_default());
        groups.unreduced.remove(&key);
        match groups.reduced.iter_mut().find(|(other, _)| *other == axes) {
            Some((_, set)) => {
                set.insert(key);
            }
            None => groups.reduced.push((axes.clone(), BTreeSet::from([key]))),
        }
        group.reduced = Some(axes);
    }
}

/// The times at which steps and counts are computed. What is computed at a time
/// can be read from the next on.
pub(super) struct Times {
    pub(super) steps: Vec<usize>,
    /// By the step of the mask; of other steps it is unspecified.
    counts: Vec<usize>,
}

impl<'s> Fuser<'s> {
    /// Assigns a time to every step and count: an output that can be delayed joins the
    /// latest region of its shape, so that shared operands are read once.
    pub(super) fn times(&self) -> (Times, Vec<Group>) {
        steps::add(self.steps.len());
        let mut times = self.earliest();
        // One time more than needed, for scalars that no other step waits for: so that what
        // they are computed from may be reduced in the last pass over an array.
        let end = times.steps.iter().copied().max().unwrap_or(0) + 1;
        let mut latest: Vec<usize> = vec![end; self.steps.len()];
        let mut latest_count: Vec<usize> = vec![end; self.steps.len()];
        let mut groups = Groups::default();
        for index in (0..self.steps.len()).rev() {
            if self.steps[index].counted {
                let earliest = times.counts[index];
                let late = latest_count[index].max(earliest);
                let time = self.join(Target::Count(index), earliest, late, &mut groups);
                times.counts[index] = time;
                // The mask is needed where it is counted.
                latest[index] = latest[index].min(time);
            }
            let earliest = times.steps[index];
            let late = latest[index].max(earliest);
            let time = match self.roles[index] {
                Role::RegionOutput => self.join(Target::Value(index), earliest, late, &mut groups),
                Role::Elementwise if self.is_stored[index] => {
                    self.join(Target::Value(index), earliest, late, &mut groups)
                }
                Role::Elementwise | Role::Transparent | Role::Kernel => late,
            };
            times.steps[index] = time;
            for operand in &self.steps[index].operands {
                latest[*operand] = latest[*operand].min(time.saturating_sub(self.delay(*operand, index)));
            }
            for mask in self.counts.get(index) {
                latest_count[mask] = latest_count[mask].min(time.saturating_sub(1));
            }
        }
        (times, groups.all)
    }

    /// The first time at which each step can be computed.
    fn earliest(&self) -> Times {
        let mut times = Times { steps: vec![0; self.steps.len()], counts: vec![0; self.steps.len()] };
        for (index, step) in self.steps.iter().enumerate() {
            let mut time = 0;
            for operand in &step.operands {
                time = time.max(times.steps[*operand] + self.delay(*operand, index));
            }
            for mask in self.counts.get(index) {
                time = time.max(times.counts[mask] + 1);
            }
            times.steps[index] = time;
            if step.counted {
                let delay = usize::from(self.roles[index] == Role::RegionOutput);
                times.counts[index] = time + delay;
            }
        }
        times
    }

    /// How much later than a step its reader can run. A region must be over
    /// before others read its results, but what it stores it can read itself;
    /// kernels are run as soon as what they read is there.
    fn delay(&self, step: usize, reader: usize) -> usize {
        let is_beside = match self.roles[reader] {
            Role::Elementwise | Role::RegionOutput => self.domain(reader) == self.steps[step].node.shape(),
            Role::Kernel | Role::Transparent => false,
        };
        match self.roles[step] {
            Role::Elementwise => usize::from(self.is_stored[step] && !is_beside),
            Role::RegionOutput => 1,
            Role::Kernel | Role::Transparent => 0,
        }
    }

    /// Puts a target into the latest group of its domain between two times, or a new one.
    fn join(&self, target: Target, earliest: usize, latest: usize, groups: &mut Groups<'s>) -> usize {
        let (domain, reduced) = match target {
            Target::Count(mask) => (mask, None),
            Target::Value(step) => (self.domain_step(step), self.reduced(step)),
        };
        let shape = self.steps[domain].node.shape();
        // A pass over a scalar is short: it is made as late as it can.
        let earliest = if shape.is_empty() { latest } else { earliest };
        let group = groups.find(shape, reduced.as_ref(), earliest, latest).unwrap_or_else(|| {
            groups.add(shape, Group { time: earliest, domain, reduced: None, targets: Vec::new() })
        });
        groups.reduce_along(shape, group, reduced);
        groups.all[group].targets.push(target);
        groups.all[group].time
    }

    /// The axes of a reduction that keeps some.
    fn reduced(&self, step: usize) -> Option<AxisList> {
        let Op::Reduce(op) = self.steps[step].node.op() else { return None };
        (op.axes.len() < self.domain(step).len()).then(|| op.axes.clone())
    }

    /// Elementwise steps that several regions would compute, and that are too costly
    /// for that.
    pub(super) fn computed_twice(&self, groups: &[Group]) -> Vec<usize> {
        if groups.len() < 2 {
            return Vec::new();
        }
        let mut weights: Vec<usize> = Vec::with_capacity(self.steps.len());
        for (index, step) in self.steps.iter().enumerate() {
            let computed = self.roles[index] == Role::Elementwise && !self.is_stored[index];
            let below: usize = step.operands.iter().map(|operand| weights[*operand]).sum();
            let own = match self.roles[index] {
                _ if computed => below + step.node.op().cost(),
                Role::Transparent => below,
                Role::Elementwise | Role::RegionOutput | Role::Kernel if step.node.shape().is_empty() => 0,
                Role::Elementwise | Role::RegionOutput | Role::Kernel => LOADED,
            };
            weights.push(own.min(1 << 20));
        }
        // The last group that computes a step.
        let mut seen: StepMap<usize> = StepMap::new(self.steps.len(), 0);
        let mut heavy = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let mut pending: Vec<usize> = group
                .targets
                .iter()
                .flat_map(|target| match target {
                    Target::Count(mask) => vec![*mask],
                    Target::Value(step) => self.steps[*step].operands.to_vec(),
                })
                .collect();
            while let Some(step) = pending.pop() {
                steps::add(1);
                let step = through_broadcasts(self.steps, step);
                if self.roles[step] != Role::Elementwise || self.is_stored[step] {
                    continue;
                }
                match seen.insert(step, number) {
                    Some(other) if other == number => {}
                    Some(_) if weights[step] > RECOMPUTED => heavy.push(step),
                    Some(_) | None => pending.extend(self.steps[step].operands.iter().copied()),
                }
            }
        }
        heavy.sort_unstable();
        heavy.dedup();
        heavy
    }
}
