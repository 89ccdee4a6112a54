//! Which steps run together: elementwise steps, reductions and selections over
//! one shape become regions, everything else runs as a kernel of its own.
//!
//! A region ends where all elements of a value must exist before the next can be
//! computed: after a reduction, a selection, a kernel. An elementwise value is not
//! stored unless it is needed as an array, or unless computing it again in a later
//! region costs more than [`RECOMPUTED`] additions an element.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::node_map::NodeMap;
use tamis_graph::{AxisList, DType, Layout, Mask, Op, Reduce, ReduceKind, Shape, Source, steps};

use crate::machine::Scratch;
use crate::region::{
    Constants, Region, RegionOutput, Target, Workspace, compile, is_elementwise, through_broadcasts,
};
use crate::schedule::{Step, StepMap};

/// The weight up to which a value is computed in every region that reads it,
/// rather than stored and loaded: memory is that much slower than arithmetic.
const RECOMPUTED: usize = 16;

/// The weight of reading an array again.
const LOADED: usize = 4;

/// What a run does at a time.
pub(crate) enum Stage {
    /// The kernel of one step.
    Kernel(usize),
    Region(Box<Region>),
}

/// Stages in an order in which each finds what it needs.
pub(crate) struct Program {
    pub(crate) stages: Vec<Stage>,
    /// For each stage, the steps of which it is the last use.
    pub(crate) last_uses: Vec<SmallVec<[usize; 2]>>,
    /// What the regions share.
    pub(crate) constants: Constants,
    pub(crate) scratch: Scratch,
}

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

/// Divides the steps into stages. `outputs` are the steps that users see.
pub(crate) fn fuse(steps: &[Step], outputs: &[usize]) -> Program {
    let mut fuser = Fuser::new(steps, outputs);
    loop {
        let (times, groups) = fuser.times();
        let heavy = fuser.computed_twice(&groups);
        if heavy.is_empty() {
            return fuser.program(&times, groups);
        }
        heavy.into_iter().for_each(|step| fuser.is_stored[step] = true);
    }
}

struct Fuser<'s> {
    steps: &'s [Step],
    outputs: &'s [usize],
    is_output: Vec<bool>,
    roles: Vec<Role>,
    /// Whether the value of a step exists in memory.
    is_stored: Vec<bool>,
    readers: Vec<SmallVec<[usize; 2]>>,
    /// For each step, the masks whose counts it needs.
    counts: Vec<SmallVec<[usize; 1]>>,
}

/// Targets of one region.
struct Group {
    time: usize,
    domain: usize,
    reduced: Option<AxisList>,
    targets: Vec<Target>,
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
struct Times {
    steps: Vec<usize>,
    /// By the step of the mask; of other steps it is unspecified.
    counts: Vec<usize>,
}

impl<'s> Fuser<'s> {
    fn new(steps: &'s [Step], outputs: &'s [usize]) -> Fuser<'s> {
        let mut readers: Vec<SmallVec<[usize; 2]>> = vec![SmallVec::new(); steps.len()];
        for (reader, step) in steps.iter().enumerate() {
            step.operands.iter().for_each(|operand| readers[*operand].push(reader));
        }
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
        let needed = |(step, role): (&Step, &Role)| {
            // The length of a selection in a region is found by the run, but the region
            // must know that of what it selects from; so must a reduction.
            let is_compaction = *role == Role::RegionOutput && matches!(step.node.op(), Op::Mask(_));
            let mut counts = if is_compaction { SmallVec::new() } else { counts_of(step) };
            if *role == Role::RegionOutput {
                counts.extend(counts_of(&steps[step.operands[0]]));
            }
            counts
        };
        let counts = steps.iter().zip(&roles).map(needed).collect();
        let is_stored = vec![false; steps.len()];
        let mut is_output = vec![false; steps.len()];
        outputs.iter().for_each(|output| is_output[*output] = true);
        let mut fuser = Fuser { steps, outputs, is_output, roles, is_stored, readers, counts };
        fuser.see_through_broadcasts();
        fuser.store_what_is_read_as_array();
        fuser
    }

    /// Broadcasts that only regions read are never evaluated; nor are literals.
    fn see_through_broadcasts(&mut self) {
        for index in (0..self.steps.len()).rev() {
            let step = &self.steps[index];
            let is_scalar = matches!(step.node.op(), Op::Source(Source::Scalar(_)));
            let is_read_by_regions = self.readers[index].iter().all(|reader| match self.roles[*reader] {
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
        self.readers[step].iter().any(|reader| match self.roles[*reader] {
            Role::Kernel | Role::Transparent => true,
            Role::Elementwise | Role::RegionOutput => self.domain(*reader) != self.steps[step].node.shape(),
        })
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

    /// Assigns a time to every step and count: an output that can be delayed joins the
    /// latest region of its shape, so that shared operands are read once.
    fn times(&self) -> (Times, Vec<Group>) {
        steps::add(self.steps.len());
        let mut times = self.earliest();
        // One time more than needed, for scalars that nobody waits for: so that what
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
            for mask in &self.counts[index] {
                latest_count[*mask] = latest_count[*mask].min(time.saturating_sub(1));
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
            for mask in &self.counts[index] {
                time = time.max(times.counts[*mask] + 1);
            }
            times.steps[index] = time;
            if step.counted {
                let delay = usize::from(self.roles[index] == Role::RegionOutput);
                times.counts[index] = time + delay;
            }
        }
        times
    }

    /// Whether a value exists before the run starts.
    fn is_given(&self, step: usize) -> bool {
        self.steps[step].is_given
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
    fn computed_twice(&self, groups: &[Group]) -> Vec<usize> {
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

    /// The stages, each as soon as what it reads is there, in the order in
    /// which their steps were built.
    fn program(&self, times: &Times, groups: Vec<Group>) -> Program {
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
            if *role == Role::Kernel && !self.is_given(index) {
                makers.insert(Target::Value(index), stages.len());
                keys.push(index);
                stages.push(Stage::Kernel(index));
            }
        }
        let needs: Vec<StageList> =
            stages.iter().enumerate().map(|(i, s)| self.needs(i, s, &makers)).collect();
        let order = order(&needs, &keys);
        let mut slots: Vec<Option<Stage>> = stages.into_iter().map(Some).collect();
        let stages: Vec<Stage> = order.into_iter().filter_map(|stage| slots[stage].take()).collect();
        let last_uses = self.last_uses(&stages);
        let constants = workspace.constants;
        let scratch = Scratch::new(&constants.scalars);
        Program { stages, last_uses, constants, scratch }
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
            for mask in &self.counts[step] {
                needs.extend(makers.get(Target::Count(*mask)));
            }
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

    /// For each stage the stored values that no later stage reads.
    fn last_uses(&self, stages: &[Stage]) -> Vec<SmallVec<[usize; 2]>> {
        let mut last_uses: Vec<SmallVec<[usize; 2]>> = vec![SmallVec::new(); stages.len()];
        let mut last: Vec<Option<usize>> = vec![None; self.steps.len()];
        for (number, stage) in stages.iter().enumerate() {
            match stage {
                Stage::Kernel(step) => {
                    last[*step] = Some(number);
                    self.steps[*step].operands.iter().for_each(|operand| last[*operand] = Some(number));
                }
                Stage::Region(region) => {
                    region.loads.iter().for_each(|load| last[load.step] = Some(number));
                    for output in &region.outputs {
                        if !matches!(output, RegionOutput::Count { .. }) {
                            last[output.step()] = Some(number);
                        }
                    }
                }
            }
        }
        for output in self.outputs {
            last[*output] = None;
        }
        for (step, number) in last.into_iter().enumerate() {
            if let Some(number) = number {
                last_uses[number].push(step);
            }
        }
        last_uses
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

impl Target {
    fn step(self) -> usize {
        match self {
            Target::Value(step) | Target::Count(step) => step,
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
        Op::Reduce(Reduce { kind: ReduceKind::Prod, .. }) => Role::Kernel,
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

impl Step {
    /// Whether the step only repeats its operand.
    pub(crate) fn is_repeat(&self) -> bool {
        !self.is_given && matches!(self.node.op(), Op::Layout(Layout::BroadcastTo(_)))
    }
}

/// An order in which every stage comes after its needs, low keys first.
fn order(needs: &[StageList], keys: &[usize]) -> Vec<usize> {
    let mut missing: Vec<usize> = needs.iter().map(|needs| needs.len()).collect();
    let mut readers: Vec<StageList> = vec![StageList::new(); needs.len()];
    for (stage, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| readers[*need].push(stage));
    }
    let ready = (0..needs.len()).filter(|stage| missing[*stage] == 0);
    let mut ready: BinaryHeap<Reverse<(usize, usize)>> =
        ready.map(|stage| Reverse((keys[stage], stage))).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse((_, stage))) = ready.pop() {
        order.push(stage);
        for reader in &readers[stage] {
            missing[*reader] -= 1;
            if missing[*reader] == 0 {
                ready.push(Reverse((keys[*reader], *reader)));
            }
        }
    }
    assert_eq!(order.len(), needs.len(), "stages need one another in a circle");
    order
}
