//! The text of `Plan::explain`. Depends on how stages are made, not on how they are
//! run.
//!
//! Values are numbered as they appear, and the computation of a region is derived from
//! what it gives backwards: equal plans read the same, in whatever order their
//! expressions were built.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use tamis_graph::{DType, NodeId, Op, Select, Shape, Source, Unary, steps};

use crate::by_dtype::slot;
use crate::fuse::Stage;
use crate::interface::Interface;
use crate::plan::Plan;
use crate::region::{
    Constants, Function, Instruction, Load, Operand, ReducedAxes, Reduction, Region, RegionOutput,
    through_broadcasts,
};
use crate::schedule::{Schedule, Step};

/// What a run of `plan` does, a paragraph for each stage.
pub(crate) fn explain(plan: &Plan) -> String {
    let schedule = if plan.is_reference { &plan.reference } else { &plan.simplified };
    let mut explainer = Explainer::new(schedule, &plan.program.constants, &plan.interface, &plan.names);
    if plan.is_reference {
        explainer.op_by_op();
    } else {
        for (stage, last_uses) in plan.program.stages.iter().zip(&plan.program.last_uses) {
            explainer.stage(stage, last_uses);
        }
    }
    explainer.outputs_that_are_given();
    if explainer.text.is_empty() { "nothing to evaluate\n".to_owned() } else { explainer.text }
}

struct Explainer<'p> {
    schedule: &'p Schedule,
    constants: &'p Constants,
    /// The numbers of the constants of each dtype.
    constants_by_dtype: Rc<[Vec<usize>; 6]>,
    names: &'p HashMap<NodeId, Arc<str>>,
    /// The outputs that a step gives.
    outputs: HashMap<usize, Given<'p>>,
    /// What each step is called, once it has appeared.
    labels: Vec<Option<Label>>,
    /// The names of inputs, literals and users, which no number may repeat.
    taken: HashSet<Arc<str>>,
    numbered: usize,
    labelled: usize,
    text: String,
}

/// What a step is called.
struct Label {
    name: Name,
    /// Its position among all labels.
    appeared: usize,
}

/// A name, which is short to keep: most values have a number alone.
#[derive(Clone)]
enum Name {
    Text(Arc<str>),
    Numbered(usize),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Text(text) => f.write_str(text),
            Name::Numbered(number) => write!(f, "v{number}"),
        }
    }
}

/// Outputs that are one value.
struct Given<'p> {
    /// The index of the first one among the outputs of the plan.
    first: usize,
    names: Vec<&'p str>,
}

impl<'p> Explainer<'p> {
    fn new(
        schedule: &'p Schedule,
        constants: &'p Constants,
        interface: &'p Interface,
        names: &'p HashMap<NodeId, Arc<str>>,
    ) -> Explainer<'p> {
        let mut outputs: HashMap<usize, Given<'p>> = HashMap::new();
        for (first, (step, output)) in schedule.outputs.iter().zip(&interface.outputs).enumerate() {
            let outputs = outputs.entry(*step).or_insert(Given { first, names: Vec::new() });
            outputs.names.push(&output.name);
        }
        let mut taken = HashSet::new();
        let label = |(appeared, step)| {
            let name: Arc<str> = given(step)?.into();
            taken.insert(name.clone());
            Some(Label { name: Name::Text(name), appeared })
        };
        let labels = schedule.steps.iter().enumerate().map(label).collect();
        Explainer {
            schedule,
            constants,
            constants_by_dtype: Rc::new(by_dtype(constants.scalars.iter().map(|scalar| scalar.dtype()))),
            names,
            outputs,
            labels,
            taken,
            numbered: 0,
            labelled: schedule.steps.len(),
            text: String::new(),
        }
    }

    fn op_by_op(&mut self) {
        let schedule = self.schedule;
        if schedule.steps.iter().any(|step| given(step).is_none()) {
            self.line(format_args!("op by op, by the reference executor"));
        }
        for (index, step) in schedule.steps.iter().enumerate() {
            if given(step).is_none() {
                let value = self.applied(index);
                self.line(format_args!("  {value}"));
            }
        }
    }

    fn stage(&mut self, stage: &Stage, last_uses: &[usize]) {
        match stage {
            // A literal is where it is read.
            Stage::Kernel(index) if given(&self.schedule.steps[*index]).is_some() => return,
            Stage::Kernel(index) => self.kernel(*index),
            Stage::Region(region) => self.region(region),
        }
        let steps = &self.schedule.steps;
        let freed = last_uses.iter().filter(|index| given(&steps[**index]).is_none());
        let mut freed: Vec<&Label> = freed.filter_map(|step| self.labels[*step].as_ref()).collect();
        freed.sort_unstable_by_key(|label| label.appeared);
        let freed: Vec<String> = freed.into_iter().map(|label| label.name.to_string()).collect();
        if !freed.is_empty() {
            self.line(format_args!("  frees {}", freed.join(", ")));
        }
    }

    fn kernel(&mut self, index: usize) {
        let step = &self.schedule.steps[index];
        let shapes = step.operands.iter().map(|operand| self.schedule.steps[*operand].node.shape());
        let shapes: Vec<String> = shapes.map(|shape| self.shape(shape)).collect();
        let space = if shapes.is_empty() { "" } else { " " };
        let value = self.applied(index);
        self.line(format_args!("kernel {}{space}{}", step.node.op().name(), shapes.join(" x ")));
        self.line(format_args!("  gives {value}"));
    }

    /// A step as it was built: `v1 = matmul(x, w): f64[n, 4], output y`.
    fn applied(&mut self, index: usize) -> String {
        let step = &self.schedule.steps[index];
        let operands = step.operands.iter().map(|operand| self.label(*operand).to_string()).collect();
        let call = self.renamed(call(step.node.op(), operands));
        let label = self.label(index);
        format!("{label} = {call}{}", self.kind(index))
    }

    fn region(&mut self, region: &Region) {
        let flow = Dataflow::new(region, &self.schedule.steps, &self.constants_by_dtype);
        let mut outputs: Vec<&RegionOutput> = region.outputs.iter().collect();
        outputs.sort_by_key(|output| self.rank(output));
        let order = flow.order(&outputs);
        let reads = self.reads(region, &order);
        let domain = self.shape(&region.domain);
        self.line(format_args!("region over {domain}: reads {reads}"));
        let mut computed = vec![None; region.instructions.len()];
        for found in order {
            if let Found::Computed(number) = found {
                computed[number] = Some(self.instruction(&flow, number, &computed));
            }
        }
        for output in &outputs {
            let given = self.output(region, &flow, output, &computed);
            self.line(format_args!("  gives {given}"));
        }
        self.cost(region);
    }

    /// What a region reads, in the order of its use.
    fn reads(&mut self, region: &Region, order: &[Found]) -> String {
        let mut reads = Vec::new();
        for found in order {
            let Found::Loaded(number) = found else { continue };
            let step = region.loads[*number].step;
            let node = &self.schedule.steps[step].node;
            let again = if node.shape() == &region.domain { "" } else { " repeated" };
            reads.push(format!("{}: {}{}{again}", self.label(step), node.dtype(), self.shape(node.shape())));
        }
        if reads.is_empty() { "nothing".to_owned() } else { reads.join(", ") }
    }

    /// What a value of a region is called, after what it is computed from.
    fn name_of(&mut self, region: &Region, computed: &[Option<Name>], found: Found) -> String {
        match found {
            Found::Computed(number) => match &computed[number] {
                Some(name) => name.to_string(),
                None => unreachable!("instructions come after their operands"),
            },
            Found::Loaded(number) => self.label(region.loads[number].step).to_string(),
            Found::Constant(number) => self.constants.scalars[number].to_string(),
        }
    }

    /// Writes the line of an instruction. Gives the name of its value.
    fn instruction(&mut self, flow: &Dataflow<'_>, number: usize, computed: &[Option<Name>]) -> Name {
        let instruction = &flow.region.instructions[number];
        if let Function::Fill(scalar) = instruction.function {
            return Name::Text(scalar.to_string().into());
        }
        let operands = flow.operands[number].iter();
        let operands = operands.map(|operand| self.name_of(flow.region, computed, *operand)).collect();
        let call = call(&op(instruction.function), operands);
        let label = match instruction.step {
            Some(step) => self.label(step),
            None => self.fresh(),
        };
        self.line(format_args!("  {label} = {call}"));
        label
    }

    fn output(
        &mut self,
        region: &Region,
        flow: &Dataflow<'_>,
        output: &RegionOutput,
        computed: &[Option<Name>],
    ) -> String {
        let read = flow.reads(output).into_iter();
        let read: Vec<String> = read.map(|found| self.name_of(region, computed, found)).collect();
        let (step, call) = match output {
            RegionOutput::Store { step, .. } => return format!("{}{}", self.label(*step), self.kind(*step)),
            RegionOutput::Count { .. } => return format!("count({})", read[0]),
            RegionOutput::Compress { step, .. } => (*step, format!("boolean_mask({})", read.join(", "))),
            RegionOutput::Reduction { step, reduction, axes, .. } => {
                let along = match (axes, &region.reduced) {
                    (ReducedAxes::Axes, Some(axes)) => format!(", axes={:?}", axes.as_slice()),
                    (ReducedAxes::Axes | ReducedAxes::All, _) => String::new(),
                };
                let unless = read.get(1).map(|mask| format!(", where any({mask})")).unwrap_or_default();
                (
                    *step,
                    format!(
                        "{}({}{along}{}){unless}",
                        reduction_name(*reduction),
                        read[0],
                        start(*reduction)
                    ),
                )
            }
        };
        format!("{} = {call}{}", self.label(step), self.kind(step))
    }

    /// What an element of the domain costs.
    fn cost(&mut self, region: &Region) {
        let is_full = |load: &&Load| self.schedule.steps[load.step].node.shape() == &region.domain;
        let read: usize = region.loads.iter().filter(is_full).map(|load| load.dtype.size_of()).sum();
        let (mut written, mut at_most) = (0, "");
        for output in &region.outputs {
            match output {
                RegionOutput::Store { dtype, .. } => written += dtype.size_of(),
                RegionOutput::Compress { dtype, .. } => {
                    written += dtype.size_of();
                    at_most = "at most ";
                }
                RegionOutput::Reduction { .. } | RegionOutput::Count { .. } => {}
            }
        }
        let weight = region.weight;
        self.line(format_args!(
            "  an element: {read} bytes read, {at_most}{written} written, weight {weight}"
        ));
    }

    /// Outputs that no stage computes: inputs and literals.
    fn outputs_that_are_given(&mut self) {
        let schedule = self.schedule;
        let mut seen = HashSet::new();
        for index in schedule.outputs.iter().copied().filter(|index| seen.insert(*index)) {
            if let Some(given) = given(&schedule.steps[index]) {
                let names = self.outputs[&index].names.join(", ");
                self.line(format_args!("output {names} is {given}"));
            }
        }
    }

    /// Orders what a region gives: as the plan's outputs are, then what is no output, then counts.
    fn rank(&self, output: &RegionOutput) -> (bool, usize, usize) {
        let first = self.outputs.get(&output.step()).map_or(usize::MAX, |given| given.first);
        (matches!(output, RegionOutput::Count { .. }), first, output.step())
    }

    /// The dtype and shape of a value, and the outputs that it is: `: f64[n], output y`.
    fn kind(&self, step: usize) -> String {
        let node = &self.schedule.steps[step].node;
        let outputs = match self.outputs.get(&step).map(|given| given.names.as_slice()) {
            None => String::new(),
            Some([name]) => format!(", output {name}"),
            Some(names) => format!(", outputs {}", names.join(", ")),
        };
        format!(": {}{}{outputs}", node.dtype(), self.shape(node.shape()))
    }

    fn shape(&self, shape: &Shape) -> String {
        self.renamed(shape.to_string())
    }

    /// `count(%7)` with the mask's own name.
    fn renamed(&self, text: String) -> String {
        const COUNT: &str = "count(%";
        if !text.contains(COUNT) {
            return text;
        }
        let steps = &self.schedule.steps;
        let mut segments = text.split(COUNT);
        let mut renamed = segments.next().unwrap_or_default().to_owned();
        for segment in segments {
            let digits = segment.find(|c: char| !c.is_ascii_digit()).unwrap_or(segment.len());
            // Steps are in the order of their nodes.
            let step_of =
                |index: usize| steps.binary_search_by_key(&index, |step| step.node.id().index()).ok();
            match segment[..digits].parse().ok().and_then(step_of) {
                Some(step) => {
                    let step = through_broadcasts(steps, step);
                    let name = match &self.labels[step] {
                        Some(label) => label.name.to_string(),
                        None => steps[step].node.op().name().to_owned(),
                    };
                    renamed += &format!("count({name}");
                }
                None => renamed += &format!("{COUNT}{}", &segment[..digits]),
            }
            renamed += &segment[digits..];
        }
        renamed
    }

    /// What a step is called: by the user, or by a number.
    fn label(&mut self, step: usize) -> Name {
        if let Some(label) = &self.labels[step] {
            return label.name.clone();
        }
        let given = self.names.get(&self.schedule.steps[step].node.id()).cloned();
        let name = match given.filter(|name| !self.is_taken(name)) {
            Some(name) => {
                self.taken.insert(name.clone());
                Name::Text(name)
            }
            None => self.fresh(),
        };
        self.labels[step] = Some(Label { name: name.clone(), appeared: self.labelled });
        self.labelled += 1;
        name
    }

    /// Whether the name is that of another step, or was a number that has appeared.
    fn is_taken(&self, name: &str) -> bool {
        let number = name.strip_prefix('v').and_then(|digits| digits.parse().ok());
        let is_numbered =
            |number: usize| number <= self.numbered && name == Name::Numbered(number).to_string();
        self.taken.contains(name) || number.is_some_and(is_numbered)
    }

    fn fresh(&mut self) -> Name {
        loop {
            self.numbered += 1;
            let name = Name::Numbered(self.numbered);
            if self.taken.is_empty() || !self.taken.contains(&*name.to_string()) {
                return name;
            }
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let before = self.text.len();
        writeln!(self.text, "{line}").unwrap_or_else(|_| unreachable!("a string takes any text"));
        steps::add(self.text.len() - before);
    }
}

/// How an input or a literal is called, which no stage needs to compute.
fn given(step: &Step) -> Option<String> {
    let Op::Source(source) = step.node.op() else { return None };
    match source {
        Source::Input { name, .. } => Some(name.to_string()),
        Source::Scalar(scalar) => Some(scalar.to_string()),
        Source::Constant(_) | Source::Iota { .. } | Source::Size(_) | Source::Poison => None,
    }
}

/// `sum(v1, axes=[0])`.
fn call(op: &Op, mut operands: Vec<String>) -> String {
    let attributes = op.attributes();
    if !attributes.is_empty() {
        operands.push(attributes);
    }
    format!("{}({})", op.name(), operands.join(", "))
}

fn op(function: Function) -> Op {
    match function {
        Function::Unary(op, _) => Op::Unary(op),
        Function::Binary(op, _) => Op::Binary(op),
        Function::Compare(op, _) => Op::Compare(op),
        Function::Logic(op) => Op::Logic(op),
        Function::Where(_) => Op::Select(Select::Where),
        Function::Fill(scalar) => Op::Source(Source::Scalar(scalar)),
    }
}

fn reduction_name(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Sum(_) => "sum",
        Reduction::Count => "count",
        Reduction::Max(..) => "max",
        Reduction::Min(..) => "min",
        Reduction::Any => "any",
        Reduction::All => "all",
    }
}

/// The initial element of a maximum or minimum, if there is one.
fn start(reduction: Reduction) -> String {
    match reduction {
        Reduction::Max(_, Some(initial)) | Reduction::Min(_, Some(initial)) => format!(", initial={initial}"),
        Reduction::Max(_, None)
        | Reduction::Min(_, None)
        | Reduction::Sum(_)
        | Reduction::Count
        | Reduction::Any
        | Reduction::All => String::new(),
    }
}

/// Where the program of a region finds a value: the instruction that computes it, or
/// its index among the region's loads or constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Found {
    Computed(usize),
    Loaded(usize),
    Constant(usize),
}

/// Which instruction reads what which other one wrote, whatever registers they share.
struct Dataflow<'r> {
    region: &'r Region,
    operands: Vec<SmallVec<[Found; 3]>>,
    /// The loads and the constants of each dtype.
    loads: [Vec<usize>; 6],
    constants: Rc<[Vec<usize>; 6]>,
    /// The instruction that wrote each register of each dtype last.
    registers: [Vec<usize>; 6],
    /// The instruction that writes the memory of a store, by dtype, and by step.
    stores: [Vec<usize>; 6],
    stored: HashMap<usize, usize>,
}

impl<'r> Dataflow<'r> {
    fn new(region: &'r Region, steps: &[Step], constants: &Rc<[Vec<usize>; 6]>) -> Dataflow<'r> {
        let mut flow = Dataflow {
            region,
            operands: Vec::new(),
            loads: by_dtype(region.loads.iter().map(|load| load.dtype)),
            constants: constants.clone(),
            registers: Default::default(),
            stores: Default::default(),
            stored: HashMap::new(),
        };
        for (number, instruction) in region.instructions.iter().enumerate() {
            flow.note(number, instruction, steps);
        }
        flow
    }

    fn note(&mut self, number: usize, instruction: &Instruction, steps: &[Step]) {
        let read = |(position, operand): (usize, &Operand)| {
            self.found(*operand, operand_dtype(instruction.function, position))
        };
        let operands = instruction.operands.iter().enumerate().map(read).collect();
        self.operands.push(operands);
        let class = slot(result_dtype(instruction, steps));
        match instruction.target {
            Operand::Register(register) => set(&mut self.registers[class], register, number),
            Operand::Output(store) => {
                set(&mut self.stores[class], store, number);
                self.stored.extend(instruction.step.map(|step| (step, number)));
            }
            Operand::Constant(_) | Operand::Load(_) => unreachable!("instructions write no inputs"),
        }
    }

    fn found(&self, operand: Operand, dtype: DType) -> Found {
        let class = slot(dtype);
        match operand {
            Operand::Register(register) => Found::Computed(self.registers[class][register]),
            Operand::Output(store) => Found::Computed(self.stores[class][store]),
            Operand::Load(number) => Found::Loaded(self.loads[class][number]),
            Operand::Constant(number) => Found::Constant(self.constants[class][number]),
        }
    }

    /// The value that an output of the region reads, and its mask.
    fn reads(&self, output: &RegionOutput) -> SmallVec<[Found; 2]> {
        match output {
            RegionOutput::Store { step, .. } => [Found::Computed(self.stored[step])].as_slice().into(),
            RegionOutput::Compress { dtype, value, mask, .. } => {
                [self.found(*value, *dtype), self.found(*mask, DType::Bool)].as_slice().into()
            }
            RegionOutput::Reduction { reduction, value, mask, .. } => {
                let dtype = match reduction {
                    Reduction::Sum(dtype) | Reduction::Max(dtype, _) | Reduction::Min(dtype, _) => *dtype,
                    Reduction::Count | Reduction::Any | Reduction::All => DType::Bool,
                };
                let mask = mask.map(|mask| self.found(mask, DType::Bool));
                std::iter::once(self.found(*value, dtype)).chain(mask).collect()
            }
            RegionOutput::Count { value, .. } => [self.found(*value, DType::Bool)].as_slice().into(),
        }
    }

    /// Everything that the outputs are computed from, each after its operands.
    fn order(&self, outputs: &[&RegionOutput]) -> Vec<Found> {
        let roots: Vec<Found> = outputs.iter().flat_map(|output| self.reads(output)).collect();
        let mut pending: Vec<(Found, bool)> = roots.into_iter().rev().map(|root| (root, false)).collect();
        let (mut is_computed, mut others) = (vec![false; self.operands.len()], HashSet::new());
        let mut is_new = |found| match found {
            Found::Computed(number) => !std::mem::replace(&mut is_computed[number], true),
            Found::Loaded(_) | Found::Constant(_) => others.insert(found),
        };
        let mut order = Vec::new();
        while let Some((found, is_ready)) = pending.pop() {
            steps::add(1);
            if is_ready {
                order.push(found);
            } else if is_new(found) {
                pending.push((found, true));
                if let Found::Computed(number) = found {
                    pending.extend(self.operands[number].iter().rev().map(|operand| (*operand, false)));
                }
            }
        }
        order
    }
}

/// Sets the value at a position, growing the table to it.
fn set(table: &mut Vec<usize>, position: usize, value: usize) {
    if table.len() <= position {
        table.resize(position + 1, usize::MAX);
    }
    table[position] = value;
}

/// The indices at which each dtype occurs.
fn by_dtype(dtypes: impl Iterator<Item = DType>) -> [Vec<usize>; 6] {
    let mut indices: [Vec<usize>; 6] = Default::default();
    dtypes.enumerate().for_each(|(index, dtype)| indices[slot(dtype)].push(index));
    indices
}

fn operand_dtype(function: Function, position: usize) -> DType {
    match function {
        Function::Unary(_, dtype) | Function::Binary(_, dtype) | Function::Compare(_, dtype) => dtype,
        Function::Logic(_) => DType::Bool,
        Function::Where(_) if position == 0 => DType::Bool,
        Function::Where(dtype) => dtype,
        Function::Fill(scalar) => scalar.dtype(),
    }
}

fn result_dtype(instruction: &Instruction, steps: &[Step]) -> DType {
    if let Some(step) = instruction.step {
        return steps[step].node.dtype();
    }
    match instruction.function {
        Function::Unary(Unary::Cast(dtype), _) => dtype,
        Function::Compare(..) | Function::Logic(_) => DType::Bool,
        Function::Unary(_, dtype) | Function::Binary(_, dtype) | Function::Where(dtype) => dtype,
        Function::Fill(scalar) => scalar.dtype(),
    }
}
