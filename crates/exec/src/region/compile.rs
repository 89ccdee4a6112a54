//! The compilation of a region to its program: backwards from its targets it collects the
//! elementwise steps that are not read from memory, and then writes the instruction of each,
//! in the order of the steps.

use smallvec::SmallVec;
use tamis_graph::{AxisList, DType, Op, Reduce, ReduceKind, Scalar, Shape, Source, Unary, steps};

use super::allocate::{Allocated, allocate};
use super::compound::combine;
use super::{
    Constants, Function, Instruction, Load, Location, Operand, ReducedAxes, Reduction, Region, RegionOutput,
    ValueId, function, next,
};
use crate::schedule::{Step, StepMap};

/// What a region is to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    /// The value of a step: elementwise, a reduction, or a selection.
    Value(usize),
    /// The count of a mask.
    Count(usize),
}

impl Target {
    pub(crate) fn step(self) -> usize {
        match self {
            Target::Value(step) | Target::Count(step) => step,
        }
    }
}

/// What the compilations of the regions of a plan share.
pub(crate) struct Workspace {
    pub(crate) constants: Constants,
    /// The value of a step, and where it is: a virtual register, a load, a constant.
    operands: StepMap<Operand>,
    /// Where the values of elementwise targets are written.
    destinations: StepMap<Location>,
}

/// A placeholder: marks a step that was visited and has no operand yet.
const NOWHERE: Operand = computed(u32::MAX);

/// The value of an instruction, in a virtual register of the same number.
const fn computed(number: u32) -> Operand {
    Operand { value: ValueId::Computed(number), location: Location::Register(number) }
}

impl Workspace {
    pub(crate) fn new(steps: usize) -> Workspace {
        Workspace {
            constants: Constants::default(),
            operands: StepMap::new(steps, NOWHERE),
            destinations: StepMap::new(steps, NOWHERE.location),
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
    let Compiler { loads, mut code, mut outputs, .. } = compiler;
    combine(&mut code, &mut outputs, &workspace.constants);
    let Allocated { instructions, combined, ready, registers } = allocate(code, &mut outputs);
    let weight = weight + targets.len();
    Region { domain, loads, instructions, combined, outputs, ready, registers, reduced, weight }
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
pub(super) struct Virtual {
    pub(super) instruction: Instruction,
    pub(super) dtype: DType,
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
                self.shared.destinations.insert(step, Location::Output(number));
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
            let mut own = computed(self.code.len() as u32);
            let target = self.shared.destinations.get(step).unwrap_or(own.location);
            own.location = target;
            self.code.push(Virtual {
                instruction: Instruction { step: Some(step), function, target, operands },
                dtype: node.dtype(),
            });
            self.shared.operands.insert(step, own);
        }
    }

    /// The value of a step as an operand.
    fn operand(&mut self, step: usize) -> Operand {
        let step = through_broadcasts(self.steps, step);
        if let Some(operand) = self.shared.operands.get(step) {
            return operand;
        }
        let node = &self.steps[step].node;
        if let Op::Source(Source::Scalar(scalar)) = node.op() {
            return self.constant(*scalar);
        }
        let dtype = node.dtype();
        let operand = Operand {
            value: ValueId::Loaded(self.loads.len() as u32),
            location: Location::Load(next(&mut self.loaded, dtype)),
        };
        self.loads.push(Load { step, dtype });
        self.shared.operands.insert(step, operand);
        operand
    }

    fn constant(&mut self, scalar: Scalar) -> Operand {
        let shared = self.shared.constants.operand(scalar);
        shared.unwrap_or_else(|| self.compute(Function::Fill(scalar), scalar.dtype(), &[]))
    }

    fn compute(&mut self, function: Function, dtype: DType, operands: &[Operand]) -> Operand {
        let own = computed(self.code.len() as u32);
        let instruction =
            Instruction { step: None, function, target: own.location, operands: operands.into() };
        self.code.push(Virtual { instruction, dtype });
        own
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
        RegionOutput::Store { step, dtype, value: self.operand(step) }
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
            ReduceKind::Prod => (Reduction::Product, self.operand(operands[0])),
        };
        // Without an initial element every reduction must have a selected element.
        let mask = match reduction {
            Reduction::Max(_, None) | Reduction::Min(_, None) => {
                operands.get(1).map(|mask| self.operand(*mask))
            }
            Reduction::Max(_, Some(_)) | Reduction::Min(_, Some(_)) => None,
            Reduction::Sum(_) | Reduction::Product | Reduction::Count | Reduction::Any | Reduction::All => {
                None
            }
        };
        RegionOutput::Reduction { step, reduction, value, mask, only: None, axes }
    }

    /// A sum; of bools that were cast to i64 here a count of bytes.
    fn sum(&mut self, operand: usize, dtype: DType) -> (Reduction, Operand) {
        let value = self.operand(operand);
        let step = through_broadcasts(self.steps, operand);
        if let (Op::Unary(Unary::Cast(DType::I64)), ValueId::Computed(_)) =
            (self.steps[step].node.op(), value.value)
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
