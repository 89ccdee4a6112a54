//! A plan in words. Knows how stages are made, and nothing of how they are run.
//!
//! Values are numbered as they appear, and what a region computes is told from
//! what it gives backwards: equal plans read the same, in whatever order their
//! expressions were built.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use tamis_graph::{DType, NodeId, Op, Select, Shape, Source, Unary, steps};

use crate::fuse::Stage;
use crate::interface::Interface;
use crate::plan::Plan;
use crate::region::{
    Constants, Fold, Folded, Function, Instruction, Load, Place, Region, Sink, slot, through_broadcasts,
};
use crate::schedule::{Schedule, Step};

/// What a run of `plan` does, a paragraph for each stage.
pub(crate) fn explain(plan: &Plan) -> String {
    let schedule = if plan.is_reference { &plan.reference } else { &plan.simplified };
    let mut explainer = Explainer::new(schedule, &plan.program.constants, &plan.interface, &plan.names);
    if plan.is_reference {
        explainer.op_by_op();
    } else {
        for (stage, dying) in plan.program.stages.iter().zip(&plan.program.dying) {
            explainer.stage(stage, dying);
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
    /// The place of the first among the outputs of the plan.
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
        for (place, step) in schedule.steps.iter().enumerate() {
            if given(step).is_none() {
                let value = self.applied(place);
                self.line(format_args!("  {value}"));
            }
        }
    }

    fn stage(&mut self, stage: &Stage, dying: &[usize]) {
        match stage {
            // A literal is where it is read.
            Stage::Kernel(place) if given(&self.schedule.steps[*place]).is_some() => return,
            Stage::Kernel(place) => self.kernel(*place),
            Stage::Region(region) => self.region(region),
        }
        let steps = &self.schedule.steps;
        let freed = dying.iter().filter(|place| given(&steps[**place]).is_none());
        let mut freed: Vec<&Label> = freed.filter_map(|step| self.labels[*step].as_ref()).collect();
        freed.sort_unstable_by_key(|label| label.appeared);
        let freed: Vec<String> = freed.into_iter().map(|label| label.name.to_string()).collect();
        if !freed.is_empty() {
            self.line(format_args!("  frees {}", freed.join(", ")));
        }
    }

    fn kernel(&mut self, place: usize) {
        let step = &self.schedule.steps[place];
        let shapes = step.operands.iter().map(|operand| self.schedule.steps[*operand].node.shape());
        let shapes: Vec<String> = shapes.map(|shape| self.shape(shape)).collect();
        let space = if shapes.is_empty() { "" } else { " " };
        let value = self.applied(place);
        self.line(format_args!("kernel {}{space}{}", step.node.op().name(), shapes.join(" x ")));
        self.line(format_args!("  gives {value}"));
    }

    /// A step as it was built: `v1 = matmul(x, w): f64[n, 4], output y`.
    fn applied(&mut self, place: usize) -> String {
        let step = &self.schedule.steps[place];
        let operands = step.operands.iter().map(|operand| self.label(*operand).to_string()).collect();
        let call = self.renamed(call(step.node.op(), operands));
        let label = self.label(place);
        format!("{label} = {call}{}", self.kind(place))
    }

    fn region(&mut self, region: &Region) {
        let flow = Dataflow::new(region, &self.schedule.steps, &self.constants_by_dtype);
        let mut sinks: Vec<&Sink> = region.sinks.iter().collect();
        sinks.sort_by_key(|sink| self.rank(sink));
        let order = flow.order(&sinks);
        let reads = self.reads(region, &order);
        let domain = self.shape(&region.domain);
        self.line(format_args!("region over {domain}: reads {reads}"));
        let mut computed = vec![None; region.instructions.len()];
        for found in order {
            if let Found::Computed(number) = found {
                computed[number] = Some(self.instruction(&flow, number, &computed));
            }
        }
        for sink in &sinks {
            let given = self.sink(region, &flow, sink, &computed);
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

    fn sink(
        &mut self,
        region: &Region,
        flow: &Dataflow<'_>,
        sink: &Sink,
        computed: &[Option<Name>],
    ) -> String {
        let read = flow.reads(sink).into_iter();
        let read: Vec<String> = read.map(|found| self.name_of(region, computed, found)).collect();
        let (step, call) = match sink {
            Sink::Store { step, .. } => return format!("{}{}", self.label(*step), self.kind(*step)),
            Sink::Count { .. } => return format!("count({})", read[0]),
            Sink::Compact { step, .. } => (*step, format!("boolean_mask({})", read.join(", "))),
            Sink::Fold { step, fold, axes, .. } => {
                let along = match (axes, &region.folded) {
                    (Folded::Axes, Some(axes)) => format!(", axes={:?}", axes.as_slice()),
                    (Folded::Axes | Folded::All, _) => String::new(),
                };
                let unless = read.get(1).map(|mask| format!(", where any({mask})")).unwrap_or_default();
                (*step, format!("{}({}{along}{}){unless}", fold_name(*fold), read[0], start(*fold)))
            }
        };
        format!("{} = {call}{}", self.label(step), self.kind(step))
    }

    /// What an element of the domain costs.
    fn cost(&mut self, region: &Region) {
        let is_whole = |load: &&Load| self.schedule.steps[load.step].node.shape() == &region.domain;
        let read: usize = region.loads.iter().filter(is_whole).map(|load| load.dtype.size_of()).sum();
        let (mut written, mut at_most) = (0, "");
        for sink in &region.sinks {
            match sink {
                Sink::Store { dtype, .. } => written += dtype.size_of(),
                Sink::Compact { dtype, .. } => {
                    written += dtype.size_of();
                    at_most = "at most ";
                }
                Sink::Fold { .. } | Sink::Count { .. } => {}
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
        for place in schedule.outputs.iter().copied().filter(|place| seen.insert(*place)) {
            if let Some(given) = given(&schedule.steps[place]) {
                let names = self.outputs[&place].names.join(", ");
                self.line(format_args!("output {names} is {given}"));
            }
        }
    }

    /// Orders what a region gives: as the plan's outputs are, then what is no output, then counts.
    fn rank(&self, sink: &Sink) -> (bool, usize, usize) {
        let first = self.outputs.get(&sink.step()).map_or(usize::MAX, |given| given.first);
        (matches!(sink, Sink::Count { .. }), first, sink.step())
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
        let mut parts = text.split(COUNT);
        let mut renamed = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            // Steps are in the order of their nodes.
            let step_of =
                |index: usize| steps.binary_search_by_key(&index, |step| step.node.id().index()).ok();
            match part[..digits].parse().ok().and_then(step_of) {
                Some(step) => {
                    let step = through_broadcasts(steps, step);
                    let name = match &self.labels[step] {
                        Some(label) => label.name.to_string(),
                        None => steps[step].node.op().name().to_owned(),
                    };
                    renamed += &format!("count({name}");
                }
                None => renamed += &format!("{COUNT}{}", &part[..digits]),
            }
            renamed += &part[digits..];
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

fn fold_name(fold: Fold) -> &'static str {
    match fold {
        Fold::Sum(_) => "sum",
        Fold::Count => "count",
        Fold::Max(..) => "max",
        Fold::Min(..) => "min",
        Fold::Any => "any",
        Fold::All => "all",
    }
}

/// What takes part in an extreme besides the elements.
fn start(fold: Fold) -> String {
    match fold {
        Fold::Max(_, Some(initial)) | Fold::Min(_, Some(initial)) => format!(", initial={initial}"),
        Fold::Max(_, None) | Fold::Min(_, None) | Fold::Sum(_) | Fold::Count | Fold::Any | Fold::All => {
            String::new()
        }
    }
}

/// Where the program of a region finds a value: the instruction that computes
/// it, or its place among the region's loads or constants.
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
        let read = |(position, place): (usize, &Place)| {
            self.found(*place, operand_dtype(instruction.function, position))
        };
        let operands = instruction.operands.iter().enumerate().map(read).collect();
        self.operands.push(operands);
        let bank = slot(result_dtype(instruction, steps));
        match instruction.target {
            Place::Register(register) => set(&mut self.registers[bank], register, number),
            Place::Output(store) => {
                set(&mut self.stores[bank], store, number);
                self.stored.extend(instruction.step.map(|step| (step, number)));
            }
            Place::Constant(_) | Place::Load(_) => unreachable!("instructions write no inputs"),
        }
    }

    fn found(&self, place: Place, dtype: DType) -> Found {
        let bank = slot(dtype);
        match place {
            Place::Register(register) => Found::Computed(self.registers[bank][register]),
            Place::Output(store) => Found::Computed(self.stores[bank][store]),
            Place::Load(number) => Found::Loaded(self.loads[bank][number]),
            Place::Constant(number) => Found::Constant(self.constants[bank][number]),
        }
    }

    /// What leaves the region through a sink, and its mask.
    fn reads(&self, sink: &Sink) -> SmallVec<[Found; 2]> {
        match sink {
            Sink::Store { step, .. } => [Found::Computed(self.stored[step])].as_slice().into(),
            Sink::Compact { dtype, value, mask, .. } => {
                [self.found(*value, *dtype), self.found(*mask, DType::Bool)].as_slice().into()
            }
            Sink::Fold { fold, value, mask, .. } => {
                let dtype = match fold {
                    Fold::Sum(dtype) | Fold::Max(dtype, _) | Fold::Min(dtype, _) => *dtype,
                    Fold::Count | Fold::Any | Fold::All => DType::Bool,
                };
                let mask = mask.map(|mask| self.found(mask, DType::Bool));
                std::iter::once(self.found(*value, dtype)).chain(mask).collect()
            }
            Sink::Count { value, .. } => [self.found(*value, DType::Bool)].as_slice().into(),
        }
    }

    /// All that the sinks are computed from, each after what it reads.
    fn order(&self, sinks: &[&Sink]) -> Vec<Found> {
        let roots: Vec<Found> = sinks.iter().flat_map(|sink| self.reads(sink)).collect();
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

/// Sets the value at a position, to which the list may have to grow.
fn set(list: &mut Vec<usize>, position: usize, value: usize) {
    if list.len() <= position {
        list.resize(position + 1, usize::MAX);
    }
    list[position] = value;
}

/// The places at which each dtype stands.
fn by_dtype(dtypes: impl Iterator<Item = DType>) -> [Vec<usize>; 6] {
    let mut places: [Vec<usize>; 6] = Default::default();
    dtypes.enumerate().for_each(|(place, dtype)| places[slot(dtype)].push(place));
    places
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
