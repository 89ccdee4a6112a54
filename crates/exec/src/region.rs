//! A region: the steps of a plan that run in one pass over one shape, as a short linear
//! program. Does not depend on how it is executed.

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::{
    AxisList, Binary, Compare, DType, Fails, Logic, Op, Reduce, ReduceKind, Scalar, Select, Shape, Source,
    Unary, steps,
};

use crate::by_dtype::slot;
use crate::schedule::{Step, StepMap};

/// A program over every element of `domain`, tile by tile.
pub(crate) struct Region {
    pub(crate) domain: Shape,
    /// The steps whose values are read from memory, broadcast to the domain.
    pub(crate) loads: Vec<Load>,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) outputs: Vec<RegionOutput>,
    /// How many registers each dtype needs, by [`slot`].
    pub(crate) registers: [usize; 6],
    /// The axes that its reductions reduce, unless they reduce all.
    pub(crate) reduced: Option<AxisList>,
    /// What it takes to compute one element, in additions.
    pub(crate) weight: usize,
}

impl Region {
    /// Whether it has a result as long as a mask has true elements.
    pub(crate) fn selects(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output, RegionOutput::Compress { .. }))
    }
}

pub(crate) struct Load {
    pub(crate) step: usize,
    pub(crate) dtype: DType,
}

/// An operand of an instruction: where it reads or writes a tile of elements. The dtype is
/// the instruction's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A tile of the machine's own.
    Register(usize),
    /// One of the [`Constants`], by its number among those of its dtype.
    Constant(usize),
    /// An array in memory, by its index among those of its dtype.
    Load(usize),
    /// The memory of a [`RegionOutput::Store`], by its index among the stores of its
    /// dtype.
    Output(usize),
}

/// One elementwise function over a tile.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// The step whose value this is; none for a helper value of an output.
    pub(crate) step: Option<usize>,
    pub(crate) function: Function,
    pub(crate) target: Operand,
    pub(crate) operands: SmallVec<[Operand; 3]>,
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

/// The literals that the regions of a plan read: each is repeated over a tile once and
/// for all, and that takes memory. Literals beyond the limit are written to a register
/// where they are read.
#[derive(Default)]
pub(crate) struct Constants {
    pub(crate) scalars: Vec<Scalar>,
    locations: HashMap<Scalar, Operand>,
    counts: [usize; 6],
}

impl Constants {
    /// As many tiles take 2 MiB.
    const MOST: usize = 256;

    fn operand(&mut self, scalar: Scalar) -> Option<Operand> {
        if let Some(location) = self.locations.get(&scalar) {
            return Some(*location);
        }
        if self.scalars.len() == Constants::MOST {
            return None;
        }
        let location = Operand::Constant(next(&mut self.counts, scalar.dtype()));
        self.scalars.push(scalar);
        self.locations.insert(scalar, location);
        Some(location)
    }
}

/// A value that a region writes to memory.
#[derive(Debug)]
pub(crate) enum RegionOutput {
    /// Every element, written by an instruction to [`Operand::Output`].
    Store { step: usize, dtype: DType },
    /// The elements at which the mask is true, in order.
    Compress { step: usize, dtype: DType, value: Operand, mask: Operand },
    /// A reduction. Where a mask is given, it must be true somewhere.
    Reduction { step: usize, reduction: Reduction, value: Operand, mask: Option<Operand>, axes: ReducedAxes },
    /// How many elements of the mask are true, for the sizes that speak of it.
    Count { mask: usize, value: Operand },
}

/// Which axes a reduction reduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReducedAxes {
    All,
    /// Those along [`Region::reduced`].
    Axes,
}

impl RegionOutput {
    /// The step whose value, or count, the output gives.
    pub(crate) fn step(&self) -> usize {
        match self {
            RegionOutput::Store { step, .. }
            | RegionOutput::Compress { step, .. }
            | RegionOutput::Reduction { step, .. } => *step,
            RegionOutput::Count { mask, .. } => *mask,
        }
    }

    /// Whether it takes one element that repeats in one step, to the same bits: sums of
    /// floats round at each step, and what is stored or selected is written element by element.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            RegionOutput::Store { .. } | RegionOutput::Compress { .. } => false,
            RegionOutput::Reduction { reduction, .. } => reduction.is_exact(),
            RegionOutput::Count { .. } => true,
        }
    }
}

/// What a reduction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    Sum(DType),
    /// How many are true, as i64.
    Count,
    /// The maximum or minimum; of no elements an error, unless there is an initial element.
    Max(DType, Option<Scalar>),
    Min(DType, Option<Scalar>),
    Any,
    All,
}

impl Reduction {
    fn is_exact(self) -> bool {
        match self {
            Reduction::Sum(dtype) => !dtype.is_float(),
            Reduction::Count | Reduction::Max(..) | Reduction::Min(..) | Reduction::Any | Reduction::All => {
                true
            }
        }
    }

    /// Whether an element counts as often as it repeats.
    pub(crate) fn adds(self) -> bool {
        match self {
            Reduction::Sum(_) | Reduction::Count => true,
            Reduction::Max(..) | Reduction::Min(..) | Reduction::Any | Reduction::All => false,
        }
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
    operands: StepMap<Operand>,
    /// Where the values of elementwise targets are written.
    destinations: StepMap<Operand>,
}

/// Means nothing yet: marks a step that is seen.
const NOWHERE: Operand = Operand::Register(usize::MAX);

impl Workspace {
    pub(crate) fn new(steps: usize) -> Workspace {
        Workspace {
            constants: Constants::default(),
            operands: StepMap::new(steps, NOWHERE),
            destinations: StepMap::new(steps, NOWHERE),
        }
    }
}

/// Writes the program for `targets`. `is_stored` says of which steps the values are
/// read from memory; all other elementwise steps are computed in the region.
pub(crate) fn compile(
    steps: &[Step],
    targets: &[Target],
    domain: Shape,
    reduced: Option<AxisList>,
    is_stored: &dyn Fn(usize) -> bool,
    workspace: &mut Workspace,
) -> Region {
    let mut compiler = Compiler::new(steps, is_stored, workspace);
    targets.iter().for_each(|target| compiler.need(*target));
    compiler.emit();
    compiler.outputs.reserve_exact(targets.len());
    for target in targets {
        compiler.output(*target);
    }
    let weight = compiler.order.iter().map(|step| steps[*step].node.op().cost()).sum::<usize>();
    let (instructions, registers) = allocate(compiler.code, &compiler.outputs);
    let mut region = Region {
        domain,
        loads: compiler.loads,
        instructions: Vec::new(),
        outputs: compiler.outputs,
        registers,
        reduced,
        weight: weight + targets.len(),
    };
    region.outputs.iter_mut().for_each(|output| rename(output, &instructions.names));
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
    outputs: Vec<RegionOutput>,
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
        shared.destinations.clear();
        Compiler {
            steps,
            is_stored,
            shared,
            order: Vec::new(),
            loads: Vec::new(),
            code: Vec::new(),
            outputs: Vec::new(),
            loaded: [0; 6],
            stores: [0; 6],
        }
    }

    /// Collects the steps that must be computed here for a target.
    fn need(&mut self, target: Target) {
        let mut pending: SmallVec<[usize; 8]> = SmallVec::new();
        match target {
            Target::Count(mask) => pending.push(mask),
            Target::Value(step) if is_elementwise(&self.steps[step]) => {
                // Written to an output, from where all others read it.
                let number = next(&mut self.stores, self.steps[step].node.dtype());
                self.shared.destinations.insert(step, Operand::Output(number));
                self.visit(step, &mut pending);
            }
            Target::Value(step) => pending.extend(self.steps[step].operands.iter().copied()),
        }
        while let Some(step) = pending.pop() {
            steps::add(1);
            let step = through_broadcasts(self.steps, step);
            let is_target = self.shared.destinations.get(step).is_some();
            if !is_target && is_elementwise(&self.steps[step]) && !(self.is_stored)(step) {
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
            let operands: SmallVec<[Operand; 3]> =
                self.steps[step].operands.iter().map(|operand| self.operand(*operand)).collect();
            let source = self.steps[*self.steps[step].operands.last().unwrap_or(&step)].node.dtype();
            let function = function(node.op(), source)
                .unwrap_or_else(|| unreachable!("only elementwise steps are computed in a region"));
            let register = Operand::Register(self.code.len());
            let target = self.shared.destinations.get(step).unwrap_or(register);
            self.code.push(Virtual {
                instruction: Instruction { step: Some(step), function, target, operands },
                dtype: node.dtype(),
            });
            self.shared.operands.insert(step, target);
        }
    }

    /// Where an operand is found.
    fn operand(&mut self, step: usize) -> Operand {
        let step = through_broadcasts(self.steps, step);
        if let Some(location) = self.shared.operands.get(step) {
            return location;
        }
        let node = &self.steps[step].node;
        if let Op::Source(Source::Scalar(scalar)) = node.op() {
            return self.constant(*scalar);
        }
        let dtype = node.dtype();
        self.loads.push(Load { step, dtype });
        let location = Operand::Load(next(&mut self.loaded, dtype));
        self.shared.operands.insert(step, location);
        location
    }

    fn constant(&mut self, scalar: Scalar) -> Operand {
        let location = self.shared.constants.operand(scalar);
        location.unwrap_or_else(|| self.compute(Function::Fill(scalar), scalar.dtype(), &[]))
    }

    fn compute(&mut self, function: Function, dtype: DType, operands: &[Operand]) -> Operand {
        let target = Operand::Register(self.code.len());
        let instruction = Instruction { step: None, function, target, operands: operands.into() };
        self.code.push(Virtual { instruction, dtype });
        target
    }

    fn output(&mut self, target: Target) {
        let output = match target {
            Target::Count(mask) => RegionOutput::Count { mask, value: self.operand(mask) },
            Target::Value(step) => self.value_output(step),
        };
        self.outputs.push(output);
    }

    fn value_output(&mut self, step: usize) -> RegionOutput {
        let node = self.steps[step].node.clone();
        let dtype = node.dtype();
        let operands = self.steps[step].operands.clone();
        if let Op::Reduce(op) = node.op() {
            return self.reduction_output(step, op, &operands);
        }
        if let Op::Mask(_) = node.op() {
            let (value, mask) = (self.operand(operands[0]), self.operand(operands[1]));
            return RegionOutput::Compress { step, dtype, value, mask };
        }
        RegionOutput::Store { step, dtype }
    }

    fn reduction_output(&mut self, step: usize, op: &Reduce, operands: &[usize]) -> RegionOutput {
        let rank = self.steps[operands[0]].node.shape().len();
        let axes = if op.axes.len() == rank { ReducedAxes::All } else { ReducedAxes::Axes };
        let dtype = self.steps[step].node.dtype();
        let initial = op.initial.map(|initial| initial.cast(dtype));
        let (reduction, value) = match op.kind {
            ReduceKind::Sum => self.sum(operands[0], dtype),
            ReduceKind::Max => {
                (Reduction::Max(dtype, initial), self.selected(operands, dtype, dtype.lowest()))
            }
            ReduceKind::Min => {
                (Reduction::Min(dtype, initial), self.selected(operands, dtype, dtype.highest()))
            }
            ReduceKind::Any => (Reduction::Any, self.operand(operands[0])),
            ReduceKind::All => (Reduction::All, self.operand(operands[0])),
            ReduceKind::Prod => unreachable!("products are not reduced in regions"),
        };
        // Without an initial element every reduction must have a selected element.
        let mask = match reduction {
            Reduction::Max(_, None) | Reduction::Min(_, None) => {
                operands.get(1).map(|mask| self.operand(*mask))
            }
            Reduction::Max(_, Some(_)) | Reduction::Min(_, Some(_)) => None,
            Reduction::Sum(_) | Reduction::Count | Reduction::Any | Reduction::All => None,
        };
        RegionOutput::Reduction { step, reduction, value, mask, axes }
    }

    /// A sum; of bools that were cast to i64 here a count of bytes.
    fn sum(&mut self, operand: usize, dtype: DType) -> (Reduction, Operand) {
        let value = self.operand(operand);
        let step = through_broadcasts(self.steps, operand);
        if let (Op::Unary(Unary::Cast(DType::I64)), Operand::Register(_) | Operand::Output(_)) =
            (self.steps[step].node.op(), value)
        {
            let mask = self.steps[step].operands[0];
            if self.steps[mask].node.dtype() == DType::Bool {
                return (Reduction::Count, self.operand(mask));
            }
        }
        (Reduction::Sum(dtype), value)
    }

    /// The elements that a masked maximum or minimum compares, with `neutral` for those not
    /// selected.
    fn selected(&mut self, operands: &[usize], dtype: DType, neutral: Scalar) -> Operand {
        let x = self.operand(operands[0]);
        let Some(mask) = operands.get(1) else { return x };
        let (mask, neutral) = (self.operand(*mask), self.constant(neutral));
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
pub(crate) fn is_elementwise(step: &Step) -> bool {
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

/// Calls `visit` with every operand that an output reads.
fn visit_operands(output: &mut RegionOutput, visit: &mut dyn FnMut(&mut Operand)) {
    match output {
        RegionOutput::Store { .. } => {}
        RegionOutput::Compress { value, mask, .. } => {
            visit(value);
            visit(mask);
        }
        RegionOutput::Reduction { value, mask, .. } => {
            visit(value);
            mask.iter_mut().for_each(visit);
        }
        RegionOutput::Count { value, .. } => visit(value),
    }
}

struct Allocated {
    code: Vec<Instruction>,
    /// The register that each virtual one shares.
    names: Vec<usize>,
}

fn rename(output: &mut RegionOutput, names: &[usize]) {
    visit_operands(output, &mut |location| {
        if let Operand::Register(register) = location {
            *register = names[*register];
        }
    });
}

/// Lets virtual registers share real ones: a linear scan. A target never shares with an
/// operand of its own instruction. Dead code is dropped.
fn allocate(code: Vec<Virtual>, outputs: &[RegionOutput]) -> (Allocated, [usize; 6]) {
    const OUTPUTS: usize = usize::MAX;
    let mut last: Vec<Option<usize>> = vec![None; code.len()];
    let note = |location: &Operand, reader: usize, last: &mut Vec<Option<usize>>| {
        if let Operand::Register(register) = location {
            last[*register] = Some(last[*register].map_or(reader, |seen| seen.max(reader)));
        }
    };
    for output in outputs {
        match output {
            RegionOutput::Store { .. } => {}
            RegionOutput::Compress { value, mask, .. } => {
                note(value, OUTPUTS, &mut last);
                note(mask, OUTPUTS, &mut last);
            }
            RegionOutput::Reduction { value, mask, .. } => {
                note(value, OUTPUTS, &mut last);
                mask.iter().for_each(|mask| note(mask, OUTPUTS, &mut last));
            }
            RegionOutput::Count { value, .. } => note(value, OUTPUTS, &mut last),
        }
    }
    steps::add(code.len() + outputs.len());
    let mut live = vec![false; code.len()];
    for (at, Virtual { instruction, .. }) in code.iter().enumerate().rev() {
        live[at] = match instruction.target {
            Operand::Register(register) => last[register].is_some(),
            Operand::Output(_) | Operand::Constant(_) | Operand::Load(_) => true,
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
        if let Operand::Register(register) = &mut instruction.target {
            let class = slot(dtype);
            let name = free[class].pop().unwrap_or_else(|| {
                registers[class] += 1;
                registers[class] - 1
            });
            names[*register] = name;
            *register = name;
        }
        let mut freed: SmallVec<[usize; 3]> = SmallVec::new();
        for operand in &mut instruction.operands {
            if let Operand::Register(register) = operand {
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
