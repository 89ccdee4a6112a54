//! Which steps run together: elementwise steps, reductions and selections over
//! one shape become regions, everything else runs as a kernel of its own.
//!
//! A region ends where a value must exist as a whole before the next can be
//! computed: after a reduction, a selection, a kernel. What is elementwise is
//! not stored unless somebody needs it as an array, or unless computing it
//! again in a later region costs more than [`RECOMPUTED`] additions an element.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::node_map::NodeMap;
use tamis_graph::{AxisList, DType, Layout, Mask, Op, Reduce, ReduceKind, Shape, Source, steps};

use crate::machine::Scratch;
use crate::region::{Constants, Region, Sink, Target, Workspace, compile, is_lane, through_broadcasts};
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
    /// For each stage, the steps whose values nobody reads after it.
    pub(crate) dying: Vec<SmallVec<[usize; 2]>>,
    /// What the regions share.
    pub(crate) constants: Constants,
    pub(crate) scratch: Scratch,
}

/// How a step is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// By a region; computed where it is needed unless it is stored.
    Lane,
    /// By a region, which reduces or selects.
    Sink,
    /// Whole, by a kernel.
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
    folded: Option<AxisList>,
    targets: Vec<Target>,
}

/// The groups so far, in the order in which they began.
#[derive(Default)]
struct Groups<'s> {
    all: Vec<Group>,
    by_domain: HashMap<&'s Shape, DomainGroups>,
}

/// The groups over one shape, by time and number, apart by the axes that they fold.
#[derive(Default)]
struct DomainGroups {
    unfolded: BTreeSet<(usize, usize)>,
    /// Few: runs of axes of one shape.
    folded: Vec<(AxisList, BTreeSet<(usize, usize)>)>,
}

impl<'s> Groups<'s> {
    /// The latest group over `shape` between two times that can take a target which
    /// folds along `folded`; of several at that time the one that began last.
    fn find(
        &self,
        shape: &Shape,
        folded: Option<&AxisList>,
        earliest: usize,
        latest: usize,
    ) -> Option<usize> {
        let groups = self.by_domain.get(shape)?;
        steps::add(1 + groups.folded.len());
        let last = |set: &BTreeSet<(usize, usize)>| {
            set.range((earliest, 0)..=(latest, usize::MAX)).next_back().copied()
        };
        // Folds that keep inner axes run over strips, in regions without other sinks.
        let is_strip = |axes: &AxisList| axes.last().is_some_and(|last| last + 1 < shape.len());
        let unfolded = if folded.is_some_and(is_strip) { None } else { last(&groups.unfolded) };
        let fits = |axes: &AxisList| folded.map_or(!is_strip(axes), |folded| folded == axes);
        let same = groups.folded.iter().filter(|(axes, _)| fits(axes)).filter_map(|(_, set)| last(set));
        same.chain(unfolded).max().map(|(_, group)| group)
    }

    fn add(&mut self, shape: &'s Shape, group: Group) -> usize {
        let number = self.all.len();
        self.by_domain.entry(shape).or_default().unfolded.insert((group.time, number));
        self.all.push(group);
        number
    }

    /// Has a group fold along `axes`, if any.
    fn fold(&mut self, shape: &'s Shape, number: usize, axes: Option<AxisList>) {
        let (group, Some(axes)) = (&mut self.all[number], axes) else { return };
        if group.folded.is_some() {
            return;
        }
        let (key, groups) = ((group.time, number), self.by_domain.entry(shape).or_default());
        groups.unfolded.remove(&key);
        match groups.folded.iter_mut().find(|(other, _)| *other == axes) {
            Some((_, set)) => {
                set.insert(key);
            }
            None => groups.folded.push((axes.clone(), BTreeSet::from([key]))),
        }
        group.folded = Some(axes);
    }
}

/// The times at which steps and counts are computed. What is computed at a time
/// can be read from the next on.
struct Times {
    steps: Vec<usize>,
    /// By the step of the mask; of other steps it means nothing.
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
            .map(|(place, step)| (step.node.id(), place))
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
            // A selection in a region has the length that it turns out to have, but
            // must know that of what it selects from; so must a reduction.
            let is_compaction = *role == Role::Sink && matches!(step.node.op(), Op::Mask(_));
            let mut counts = if is_compaction { SmallVec::new() } else { counts_of(step) };
            if *role == Role::Sink {
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
        fuser.store_what_is_read_whole();
        fuser
    }

    /// Broadcasts that only regions read are never evaluated; nor are literals.
    fn see_through_broadcasts(&mut self) {
        for place in (0..self.steps.len()).rev() {
            let step = &self.steps[place];
            let is_scalar = matches!(step.node.op(), Op::Source(Source::Scalar(_)));
            let is_read_by_regions = self.readers[place].iter().all(|reader| match self.roles[*reader] {
                Role::Lane | Role::Sink | Role::Transparent => true,
                Role::Kernel => false,
            });
            if (step.is_repeat() || is_scalar) && is_read_by_regions && !self.is_output[place] {
                self.roles[place] = Role::Transparent;
            }
        }
    }

    fn store_what_is_read_whole(&mut self) {
        for place in 0..self.steps.len() {
            self.is_stored[place] = match self.roles[place] {
                Role::Sink | Role::Kernel => true,
                Role::Transparent => false,
                Role::Lane => self.is_output[place] || self.is_read_whole(place),
            };
        }
    }

    /// Whether a reader needs the value of a lane as an array: a kernel, or a
    /// region over another shape.
    fn is_read_whole(&self, lane: usize) -> bool {
        self.readers[lane].iter().any(|reader| match self.roles[*reader] {
            Role::Kernel | Role::Transparent => true,
            Role::Lane | Role::Sink => self.domain(*reader) != self.steps[lane].node.shape(),
        })
    }

    /// The shape over which a step is computed.
    fn domain(&self, step: usize) -> &'s Shape {
        self.steps[self.domain_step(step)].node.shape()
    }

    /// The step that has the shape over which `step` is computed.
    fn domain_step(&self, step: usize) -> usize {
        match self.roles[step] {
            Role::Sink => self.steps[step].operands[0],
            Role::Lane | Role::Kernel | Role::Transparent => step,
        }
    }

    /// Assigns a time to every step and count: a sink that can wait joins the
    /// latest region of its shape, so that what they read is read once.
    fn times(&self) -> (Times, Vec<Group>) {
        steps::add(self.steps.len());
        let mut times = self.earliest();
        // One time more than needed, for scalars that nobody waits for: so that what
        // they are computed from may be folded in the last pass over an array.
        let end = times.steps.iter().copied().max().unwrap_or(0) + 1;
        let mut latest: Vec<usize> = vec![end; self.steps.len()];
        let mut latest_count: Vec<usize> = vec![end; self.steps.len()];
        let mut groups = Groups::default();
        for place in (0..self.steps.len()).rev() {
            if self.steps[place].counted {
                let earliest = times.counts[place];
                let late = latest_count[place].max(earliest);
                let time = self.join(Target::Count(place), earliest, late, &mut groups);
                times.counts[place] = time;
                // The mask is needed where it is counted.
                latest[place] = latest[place].min(time);
            }
            let earliest = times.steps[place];
            let late = latest[place].max(earliest);
            let time = match self.roles[place] {
                Role::Sink => self.join(Target::Value(place), earliest, late, &mut groups),
                Role::Lane if self.is_stored[place] => {
                    self.join(Target::Value(place), earliest, late, &mut groups)
                }
                Role::Lane | Role::Transparent | Role::Kernel => late,
            };
            times.steps[place] = time;
            for operand in &self.steps[place].operands {
                latest[*operand] = latest[*operand].min(time.saturating_sub(self.delay(*operand, place)));
            }
            for mask in &self.counts[place] {
                latest_count[*mask] = latest_count[*mask].min(time.saturating_sub(1));
            }
        }
        (times, groups.all)
    }

    /// The first time at which each step can be computed.
    fn earliest(&self) -> Times {
        let mut times = Times { steps: vec![0; self.steps.len()], counts: vec![0; self.steps.len()] };
        for (place, step) in self.steps.iter().enumerate() {
            let mut time = 0;
            for operand in &step.operands {
                time = time.max(times.steps[*operand] + self.delay(*operand, place));
            }
            for mask in &self.counts[place] {
                time = time.max(times.counts[*mask] + 1);
            }
            times.steps[place] = time;
            if step.counted {
                let delay = usize::from(self.roles[place] == Role::Sink);
                times.counts[place] = time + delay;
            }
        }
        times
    }

    /// Whether a value is there before the run begins.
    fn is_given(&self, step: usize) -> bool {
        self.steps[step].is_given
    }

    /// How much later than a step its reader can run. A region must be over
    /// before others read its results, but what it stores it can read itself;
    /// kernels are run as soon as what they read is there.
    fn delay(&self, step: usize, reader: usize) -> usize {
        let is_beside = match self.roles[reader] {
            Role::Lane | Role::Sink => self.domain(reader) == self.steps[step].node.shape(),
            Role::Kernel | Role::Transparent => false,
        };
        match self.roles[step] {
            Role::Lane => usize::from(self.is_stored[step] && !is_beside),
            Role::Sink => 1,
            Role::Kernel | Role::Transparent => 0,
        }
    }

    /// Puts a target into the latest group of its domain between two times, or a new one.
    fn join(&self, target: Target, earliest: usize, latest: usize, groups: &mut Groups<'s>) -> usize {
        let (domain, folded) = match target {
            Target::Count(mask) => (mask, None),
            Target::Value(step) => (self.domain_step(step), self.folded(step)),
        };
        let shape = self.steps[domain].node.shape();
        // A pass over a scalar is short: it is made as late as it can.
        let earliest = if shape.is_empty() { latest } else { earliest };
        let group = groups.find(shape, folded.as_ref(), earliest, latest).unwrap_or_else(|| {
            groups.add(shape, Group { time: earliest, domain, folded: None, targets: Vec::new() })
        });
        groups.fold(shape, group, folded);
        groups.all[group].targets.push(target);
        groups.all[group].time
    }

    /// The axes of a reduction that keeps some.
    fn folded(&self, step: usize) -> Option<AxisList> {
        let Op::Reduce(op) = self.steps[step].node.op() else { return None };
        (op.axes.len() < self.domain(step).len()).then(|| op.axes.clone())
    }

    /// Lanes that several regions would compute, and that are too costly for that.
    fn computed_twice(&self, groups: &[Group]) -> Vec<usize> {
        if groups.len() < 2 {
            return Vec::new();
        }
        let mut weights: Vec<usize> = Vec::with_capacity(self.steps.len());
        for (place, step) in self.steps.iter().enumerate() {
            let computed = self.roles[place] == Role::Lane && !self.is_stored[place];
            let below: usize = step.operands.iter().map(|operand| weights[*operand]).sum();
            let own = match self.roles[place] {
                _ if computed => below + step.node.op().cost(),
                Role::Transparent => below,
                Role::Lane | Role::Sink | Role::Kernel if step.node.shape().is_empty() => 0,
                Role::Lane | Role::Sink | Role::Kernel => LOADED,
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
                if self.roles[step] != Role::Lane || self.is_stored[step] {
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
                let is_later = self.roles[step] == Role::Lane && times.steps[step] >= group.time;
                self.is_stored[step] && !is_later
            };
            let region =
                compile(self.steps, &group.targets, domain, group.folded, &is_loaded, &mut workspace);
            stages.push(Stage::Region(Box::new(region)));
        }
        for (place, role) in self.roles.iter().enumerate() {
            if *role == Role::Kernel && !self.is_given(place) {
                makers.insert(Target::Value(place), stages.len());
                keys.push(place);
                stages.push(Stage::Kernel(place));
            }
        }
        let needs: Vec<StageList> =
            stages.iter().enumerate().map(|(i, s)| self.needs(i, s, &makers)).collect();
        let order = order(&needs, &keys);
        let mut slots: Vec<Option<Stage>> = stages.into_iter().map(Some).collect();
        let stages: Vec<Stage> = order.into_iter().filter_map(|stage| slots[stage].take()).collect();
        let dying = self.dying(&stages);
        let constants = workspace.constants;
        let scratch = Scratch::new(&constants.scalars);
        Program { stages, dying, constants, scratch }
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
                region.sinks.iter().map(Sink::step).for_each(count);
            }
        }
        needs.retain(|need| *need != own);
        steps::add(needs.len());
        needs
    }

    /// For each stage the stored values that no later stage reads.
    fn dying(&self, stages: &[Stage]) -> Vec<SmallVec<[usize; 2]>> {
        let mut dying: Vec<SmallVec<[usize; 2]>> = vec![SmallVec::new(); stages.len()];
        let mut last: Vec<Option<usize>> = vec![None; self.steps.len()];
        for (number, stage) in stages.iter().enumerate() {
            match stage {
                Stage::Kernel(step) => {
                    last[*step] = Some(number);
                    self.steps[*step].operands.iter().for_each(|operand| last[*operand] = Some(number));
                }
                Stage::Region(region) => {
                    region.loads.iter().for_each(|load| last[load.step] = Some(number));
                    for sink in &region.sinks {
                        if !matches!(sink, Sink::Count { .. }) {
                            last[sink.step()] = Some(number);
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
                dying[number].push(step);
            }
        }
        dying
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

/// How a step is evaluated, going by itself alone.
fn role(steps: &[Step], step: &Step) -> Role {
    if step.is_given {
        return Role::Kernel;
    }
    if is_lane(step) {
        return Role::Lane;
    }
    let operand = |position: usize| steps[step.operands[position]].node.shape();
    match step.node.op() {
        Op::Mask(Mask::BooleanMask { .. }) if operand(0) == operand(1) && !operand(0).is_empty() => {
            Role::Sink
        }
        Op::Reduce(Reduce { kind: ReduceKind::Prod, .. }) => Role::Kernel,
        Op::Reduce(Reduce { kind: ReduceKind::Max | ReduceKind::Min, .. })
            if step.node.dtype() == DType::Bool =>
        {
            Role::Kernel
        }
        Op::Reduce(op) if is_block(&op.axes) => Role::Sink,
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
    /// Whether the step repeats its operand, and nothing else.
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
