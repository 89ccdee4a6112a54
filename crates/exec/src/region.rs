//! A region: the part of a plan that runs in one pass over one shape, as a
//! short linear program. Knows nothing of how it is executed.

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::{
    AxisList, Binary, Compare, DType, Fails, Logic, Op, Reduce, ReduceKind, Scalar, Select, Shape, Source,
    Unary, steps,
};

use crate::schedule::{Step, StepMap};

/// A program over every element of `domain`, tile by tile.
pub(crate) struct Region {
    pub(crate) domain: Shape,
    /// The steps whose values are read from memory, broadcast to the domain.
    pub(crate) loads: Vec<Load>,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) sinks: Vec<Sink>,
    /// How many registers each dtype needs, by [`slot`].
    pub(crate) registers: [usize; 6],
    /// The axes that its folds reduce, unless they reduce all.
    pub(crate) folded: Option<AxisList>,
    /// What it takes to compute one element, in additions.
    pub(crate) weight: usize,
}

impl Region {
    /// Whether it has a result as long as a mask has true elements.
    pub(crate) fn selects(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink, Sink::Compact { .. }))
    }
}

pub(crate) struct Load {
    pub(crate) step: usize,
    pub(crate) dtype: DType,
}

/// Where an instruction finds or leaves a tile of elements. The dtype is the instruction's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A tile of the machine's own.
    Register(usize),
    /// One of the [`Constants`], by its number among those of its dtype.
    Constant(usize),
    /// An array in memory, by its place among those of its dtype.
    Load(usize),
    /// The memory of a [`Sink::Store`], by its place among the stores of its dtype.
    Output(usize),
}

/// One elementwise function over a tile.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// The step whose value this is; none for what a sink alone needs.
    pub(crate) step: Option<usize>,
    pub(crate) function: Function,
    pub(crate) target: Place,
    pub(crate) operands: SmallVec<[Place; 3]>,
}

/// What an instruction computes; the dtype is that of its (last) operand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Function {
    Unary(Unary, DType),
    Binary(Binary, DType),
    Compare(Compare, DType),
    Logic(Logic),
    Where(DType),
    /// A literal in every element.
    Fill(Scalar),
}

/// The literals that the regions of a plan read: each is repeated over a tile
/// once and for all, and that takes memory. What is one too many is written to a
/// register where it is read.
#[derive(Default)]
pub(crate) struct Constants {
    pub(crate) scalars: Vec<Scalar>,
    places: HashMap<Scalar, Place>,
    counts: [usize; 6],
}

impl Constants {
    /// As many tiles take 2 MiB.
    const MOST: usize = 256;

    fn place(&mut self, scalar: Scalar) -> Option<Place> {
        if let Some(place) = self.places.get(&scalar) {
            return Some(*place);
        }
        if self.scalars.len() == Constants::MOST {
            return None;
        }
        let place = Place::Constant(next(&mut self.counts, scalar.dtype()));
        self.scalars.push(scalar);
        self.places.insert(scalar, place);
        Some(place)
    }
}

/// What leaves a region.
#[derive(Debug)]
pub(crate) enum Sink {
    /// Every element, written by an instruction to [`Place::Output`].
    Store { step: usize, dtype: DType },
    /// The elements at which the mask is true, in order.
    Compact { step: usize, dtype: DType, value: Place, mask: Place },
    /// Many elements to one. Where a mask is given, it must be true somewhere.
    Fold { step: usize, fold: Fold, value: Place, mask: Option<Place>, axes: Folded },
    /// How many elements of the mask are true, for the sizes that speak of it.
    Count { mask: usize, value: Place },
}

/// Which elements a fold combines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folded {
    All,
    /// Those along [`Region::folded`].
    Axes,
}

impl Sink {
    /// The step whose value, or count, the sink gives.
    pub(crate) fn step(&self) -> usize {
        match self {
            Sink::Store { step, .. } | Sink::Compact { step, .. } | Sink::Fold { step, .. } => *step,
            Sink::Count { mask, .. } => *mask,
        }
    }

    /// Whether it takes one element that repeats in one step, to the same bits: sums of
    /// floats round at each step, and what is stored or selected is written element by element.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            Sink::Store { .. } | Sink::Compact { .. } => false,
            Sink::Fold { fold, .. } => fold.is_exact(),
            Sink::Count { .. } => true,
        }
    }
}

/// How a fold combines elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Sum(DType),
    /// How many are true, as i64.
    Count,
    /// The extreme of what is there; nothing is an error unless an element always takes part.
    Max(DType, Option<Scalar>),
    Min(DType, Option<Scalar>),
    Any,
    All,
}

impl Fold {
    fn is_exact(self) -> bool {
        match self {
            Fold::Sum(dtype) => !dtype.is_float(),
            Fold::Count | Fold::Max(..) | Fold::Min(..) | Fold::Any | Fold::All => true,
        }
    }

    /// Whether an element counts as often as it repeats.
    pub(crate) fn adds(self) -> bool {
        match self {
            Fold::Sum(_) | Fold::Count => true,
            Fold::Max(..) | Fold::Min(..) | Fold::Any | Fold::All => false,
        }
    }
}

/// The place of a dtype in tables.
pub(crate) fn slot(dtype: DType) -> usize {
    match dtype {
        DType::Bool => 0,
        DType::U8 => 1,
        DType::I32 => 2,
        DType::I64 => 3,
        DType::F32 => 4,
        DType::F64 => 5,
    }
}

/// The function that computes an elementwise op in one instruction, if there is one
/// that cannot fail.
pub(crate) fn function(op: &Op, dtype: DType) -> Option<Function> {
    match op {
        Op::Unary(op) => Some(Function::Unary(*op, dtype)),
        Op::Binary(_) if !dtype.is_float() && op.fails() != Fails::Never => None,
        Op::Binary(op) => Some(Function::Binary(*op, dtype)),
        Op::Compare(op) => Some(Function::Compare(*op, dtype)),
        Op::Logic(op) => Some(Function::Logic(*op)),
        Op::Select(Select::Where) => Some(Function::Where(dtype)),
        Op::Source(_)
        | Op::Mask(_)
        | Op::Index(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Order(_)
        | Op::Layout(_)
        | Op::Linalg(_) => None,
    }
}

/// What a region is to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// The value of a step: elementwise, a reduction, or a selection.
    Value(usize),
    /// The count of a mask.
    Count(usize),
}

/// What the compilations of the regions of a plan share.
pub(crate) struct Workspace {
    pub(crate) constants: Constants,
    /// Where the value of a step is: a virtual register, a load, a constant.
    operands: StepMap<Place>,
    /// Where the values of elementwise targets are written.
    outputs: StepMap<Place>,
}

/// Means nothing yet: marks a step that is seen.
const NOWHERE: Place = Place::Register(usize::MAX);

impl Workspace {
    pub(crate) fn new(steps: usize) -> Workspace {
        Workspace {
            constants: Constants::default(),
            operands: StepMap::new(steps, NOWHERE),
            outputs: StepMap::new(steps, NOWHERE),
        }
    }
}

/// Writes the program for `targets`. `is_stored` tells the steps whose values
/// are read from memory; all other elementwise steps are computed in the region.
pub(crate) fn compile(
    steps: &[Step],
    targets: &[Target],
    domain: Shape,
    folded: Option<AxisList>,
    is_stored: &dyn Fn(usize) -> bool,
    workspace: &mut Workspace,
) -> Region {
    let mut compiler = Compiler::new(steps, is_stored, workspace);
    targets.iter().for_each(|target| compiler.need(*target));
    compiler.emit();
    compiler.sinks.reserve_exact(targets.len());
    for target in targets {
        compiler.sink(*target);
    }
    let weight = compiler.order.iter().map(|step| steps[*step].node.op().cost()).sum::<usize>();
    let (instructions, registers) = allocate(compiler.code, &compiler.sinks);
    let mut region = Region {
        domain,
        loads: compiler.loads,
        instructions: Vec::new(),
        sinks: compiler.sinks,
        registers,
        folded,
        weight: weight + targets.len(),
    };
    region.sinks.iter_mut().for_each(|sink| rename(sink, &instructions.names));
    region.instructions = instructions.code;
    region
}

struct Compiler<'s> {
    steps: &'s [Step],
    is_stored: &'s dyn Fn(usize) -> bool,
    shared: &'s mut Workspace,
    /// The steps that are computed here, in id order once all are known.
    order: Vec<usize>,
    loads: Vec<Load>,
    code: Vec<Virtual>,
    sinks: Vec<Sink>,
    /// How many there are of each dtype so far.
    loaded: [usize; 6],
    stores: [usize; 6],
}

/// An instruction whose registers are not yet shared: each is written once.
struct Virtual {
    instruction: Instruction,
    dtype: DType,
}

impl<'s> Compiler<'s> {
    fn new(
        steps: &'s [Step],
        is_stored: &'s dyn Fn(usize) -> bool,
        shared: &'s mut Workspace,
    ) -> Compiler<'s> {
        shared.operands.clear();
        shared.outputs.clear();
        Compiler {
            steps,
            is_stored,
            shared,
            order: Vec::new(),
            loads: Vec::new(),
            code: Vec::new(),
            sinks: Vec::new(),
            loaded: [0; 6],
            stores: [0; 6],
        }
    }

    /// Collects the steps that must be computed here for a target.
    fn need(&mut self, target: Target) {
        let mut pending: SmallVec<[usize; 8]> = SmallVec::new();
        match target {
            Target::Count(mask) => pending.push(mask),
            Target::Value(step) if is_lane(&self.steps[step]) => {
                // Written to an output, from where all others read it.
                let number = next(&mut self.stores, self.steps[step].node.dtype());
                self.shared.outputs.insert(step, Place::Output(number));
                self.visit(step, &mut pending);
            }
            Target::Value(step) => pending.extend(self.steps[step].operands.iter().copied()),
        }
        while let Some(step) = pending.pop() {
            steps::add(1);
            let step = through_broadcasts(self.steps, step);
            let is_target = self.shared.outputs.get(step).is_some();
            if !is_target && is_lane(&self.steps[step]) && !(self.is_stored)(step) {
                self.visit(step, &mut pending);
            }
        }
    }

    fn visit(&mut self, step: usize, pending: &mut SmallVec<[usize; 8]>) {
        if self.shared.operands.insert(step, NOWHERE).is_none() {
            self.order.push(step);
            pending.extend(self.steps[step].operands.iter().copied());
        }
    }

    /// Writes the instructions of all needed steps.
    fn emit(&mut self) {
        self.order.sort_unstable();
        self.code.reserve_exact(self.order.len());
        for at in 0..self.order.len() {
            let step = self.order[at];
            let node = &self.steps[step].node;
            let operands: SmallVec<[Place; 3]> =
                self.steps[step].operands.iter().map(|operand| self.place(*operand)).collect();
            let source = self.steps[*self.steps[step].operands.last().unwrap_or(&step)].node.dtype();
            let function = function(node.op(), source)
                .unwrap_or_else(|| unreachable!("only elementwise steps are computed in a region"));
            let register = Place::Register(self.code.len());
            let target = self.shared.outputs.get(step).unwrap_or(register);
            self.code.push(Virtual {
                instruction: Instruction { step: Some(step), function, target, operands },
                dtype: node.dtype(),
            });
            self.shared.operands.insert(step, target);
        }
    }

    /// Where an operand is found.
    fn place(&mut self, step: usize) -> Place {
        let step = through_broadcasts(self.steps, step);
        if let Some(place) = self.shared.operands.get(step) {
            return place;
        }
        let node = &self.steps[step].node;
        if let Op::Source(Source::Scalar(scalar)) = node.op() {
            return self.constant(*scalar);
        }
        let dtype = node.dtype();
        self.loads.push(Load { step, dtype });
        let place = Place::Load(next(&mut self.loaded, dtype));
        self.shared.operands.insert(step, place);
        place
    }

    fn constant(&mut self, scalar: Scalar) -> Place {
        let place = self.shared.constants.place(scalar);
        place.unwrap_or_else(|| self.compute(Function::Fill(scalar), scalar.dtype(), &[]))
    }

    fn compute(&mut self, function: Function, dtype: DType, operands: &[Place]) -> Place {
        let target = Place::Register(self.code.len());
        let instruction = Instruction { step: None, function, target, operands: operands.into() };
        self.code.push(Virtual { instruction, dtype });
        target
    }

    fn sink(&mut self, target: Target) {
        let sink = match target {
            Target::Count(mask) => Sink::Count { mask, value: self.place(mask) },
            Target::Value(step) => self.value_sink(step),
        };
        self.sinks.push(sink);
    }

    fn value_sink(&mut self, step: usize) -> Sink {
        let node = self.steps[step].node.clone();
        let dtype = node.dtype();
        let operands = self.steps[step].operands.clone();
        if let Op::Reduce(op) = node.op() {
            return self.fold_sink(step, op, &operands);
        }
        if let Op::Mask(_) = node.op() {
            let (value, mask) = (self.place(operands[0]), self.place(operands[1]));
            return Sink::Compact { step, dtype, value, mask };
        }
        Sink::Store { step, dtype }
    }

    fn fold_sink(&mut self, step: usize, op: &Reduce, operands: &[usize]) -> Sink {
        let rank = self.steps[operands[0]].node.shape().len();
        let axes = if op.axes.len() == rank { Folded::All } else { Folded::Axes };
        let dtype = self.steps[step].node.dtype();
        let initial = op.initial.map(|initial| initial.cast(dtype));
        let (fold, value) = match op.kind {
            ReduceKind::Sum => self.sum(operands[0], dtype),
            ReduceKind::Max => (Fold::Max(dtype, initial), self.selected(operands, dtype, dtype.lowest())),
            ReduceKind::Min => (Fold::Min(dtype, initial), self.selected(operands, dtype, dtype.highest())),
            ReduceKind::Any => (Fold::Any, self.place(operands[0])),
            ReduceKind::All => (Fold::All, self.place(operands[0])),
            ReduceKind::Prod => unreachable!("products are not folded in regions"),
        };
        // Without a value for nothing, something must be selected everywhere.
        let mask = match fold {
            Fold::Max(_, None) | Fold::Min(_, None) => operands.get(1).map(|mask| self.place(*mask)),
            Fold::Max(_, Some(_)) | Fold::Min(_, Some(_)) => None,
            Fold::Sum(_) | Fold::Count | Fold::Any | Fold::All => None,
        };
        Sink::Fold { step, fold, value, mask, axes }
    }

    /// A sum; of bools that were cast to i64 here a count of bytes.
    fn sum(&mut self, operand: usize, dtype: DType) -> (Fold, Place) {
        let place = self.place(operand);
        let step = through_broadcasts(self.steps, operand);
        if let (Op::Unary(Unary::Cast(DType::I64)), Place::Register(_) | Place::Output(_)) =
            (self.steps[step].node.op(), place)
        {
            let mask = self.steps[step].operands[0];
            if self.steps[mask].node.dtype() == DType::Bool {
                return (Fold::Count, self.place(mask));
            }
        }
        (Fold::Sum(dtype), place)
    }

    /// The elements that a masked extreme chooses from, with `neutral` in place of the others.
    fn selected(&mut self, operands: &[usize], dtype: DType, neutral: Scalar) -> Place {
        let x = self.place(operands[0]);
        let Some(mask) = operands.get(1) else { return x };
        let (mask, neutral) = (self.place(*mask), self.constant(neutral));
        self.compute(Function::Where(dtype), dtype, &[mask, x, neutral])
    }
}

/// The number of one more of a dtype.
fn next(counts: &mut [usize; 6], dtype: DType) -> usize {
    let count = &mut counts[slot(dtype)];
    *count += 1;
    *count - 1
}

/// Whether a step is computed elementwise, by one instruction.
pub(crate) fn is_lane(step: &Step) -> bool {
    !step.is_given && function(step.node.op(), step.node.dtype()).is_some()
}

/// The step that a chain of broadcasts repeats.
pub(crate) fn through_broadcasts(steps: &[Step], mut step: usize) -> usize {
    while steps[step].is_repeat() {
        steps::add(1);
        step = steps[step].operands[0];
    }
    step
}

/// Calls `visit` with every place that a sink reads.
fn visit_places(sink: &mut Sink, visit: &mut dyn FnMut(&mut Place)) {
    match sink {
        Sink::Store { .. } => {}
        Sink::Compact { value, mask, .. } => {
            visit(value);
            visit(mask);
        }
        Sink::Fold { value, mask, .. } => {
            visit(value);
            mask.iter_mut().for_each(visit);
        }
        Sink::Count { value, .. } => visit(value),
    }
}

struct Allocated {
    code: Vec<Instruction>,
    /// The register that each virtual one shares.
    names: Vec<usize>,
}

fn rename(sink: &mut Sink, names: &[usize]) {
    visit_places(sink, &mut |place| {
        if let Place::Register(register) = place {
            *register = names[*register];
        }
    });
}

/// Lets virtual registers share real ones: a linear scan. A target never shares
/// with an operand of its own instruction. Code that nothing reads is dropped.
fn allocate(code: Vec<Virtual>, sinks: &[Sink]) -> (Allocated, [usize; 6]) {
    const SINKS: usize = usize::MAX;
    let mut last: Vec<Option<usize>> = vec![None; code.len()];
    let note = |place: &Place, reader: usize, last: &mut Vec<Option<usize>>| {
        if let Place::Register(register) = place {
            last[*register] = Some(last[*register].map_or(reader, |seen| seen.max(reader)));
        }
    };
    for sink in sinks {
        match sink {
            Sink::Store { .. } => {}
            Sink::Compact { value, mask, .. } => {
                note(value, SINKS, &mut last);
                note(mask, SINKS, &mut last);
            }
            Sink::Fold { value, mask, .. } => {
                note(value, SINKS, &mut last);
                mask.iter().for_each(|mask| note(mask, SINKS, &mut last));
            }
            Sink::Count { value, .. } => note(value, SINKS, &mut last),
        }
    }
    steps::add(code.len() + sinks.len());
    let mut live = vec![false; code.len()];
    for (at, Virtual { instruction, .. }) in code.iter().enumerate().rev() {
        live[at] = match instruction.target {
            Place::Register(register) => last[register].is_some(),
            Place::Output(_) | Place::Constant(_) | Place::Load(_) => true,
        };
        if live[at] {
            instruction.operands.iter().for_each(|operand| note(operand, at, &mut last));
        }
    }
    let dtypes: Vec<DType> = code.iter().map(|code| code.dtype).collect();
    let (mut free, mut registers): ([Vec<usize>; 6], [usize; 6]) = Default::default();
    let mut names = vec![usize::MAX; code.len()];
    let mut allocated = Vec::with_capacity(live.iter().filter(|live| **live).count());
    for (at, Virtual { mut instruction, dtype }) in code.into_iter().enumerate() {
        if !live[at] {
            continue;
        }
        if let Place::Register(register) = &mut instruction.target {
            let bank = slot(dtype);
            let name = free[bank].pop().unwrap_or_else(|| {
                registers[bank] += 1;
                registers[bank] - 1
            });
            names[*register] = name;
            *register = name;
        }
        let mut freed: SmallVec<[usize; 3]> = SmallVec::new();
        for operand in &mut instruction.operands {
            if let Place::Register(register) = operand {
                let read = *register;
                *register = names[read];
                if last[read] == Some(at) && !freed.contains(&read) {
                    freed.push(read);
                    free[slot(dtypes[read])].push(names[read]);
                }
            }
        }
        allocated.push(instruction);
    }
    (Allocated { code: allocated, names }, registers)
}
