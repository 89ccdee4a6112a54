//! The text of `Plan::explain`. Depends on how stages are made, not on how they are
//! run.
//!
//! Values are numbered as they appear, and the computation of a region is derived from
//! what it gives backwards: equal plans read the same, in whatever order their
//! expressions were built.

use std::fmt::{self, Write};
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use tamis_graph::node_map::NodeMap;
use tamis_graph::{Op, Scalar, Select, Shape, Source, steps};

use crate::interface::Interface;
use crate::program::{Program, Stage};
use crate::region::{
    Function, Instruction, Load, Operand, ReducedAxes, Reduction, Region, RegionOutput, RowGroup, Tree,
    ValueId, through_broadcasts,
};
use crate::schedule::{Schedule, Step};

/// What a run of a program does, a paragraph for each stage.
pub(crate) fn explain(program: &Program, interface: &Interface, names: &Names) -> String {
    let mut explainer = Explainer::new(&program.schedule, &program.constants.scalars, interface, names);
    let mut rows = program.rows.iter().peekable();
    for (number, stage) in program.stages.iter().enumerate() {
        if let Some(group) = rows.next_if(|group| group.stages.start == number) {
            explainer.rows(group, &program.stages);
        }
        explainer.stage(stage, program.last_uses.get(number));
    }
    explainer.finish()
}

/// What a run does that evaluates a schedule op by op.
pub(crate) fn explain_op_by_op(schedule: &Schedule, interface: &Interface, names: &Names) -> String {
    let mut explainer = Explainer::new(schedule, &[], interface, names);
    explainer.op_by_op();
    explainer.finish()
}

/// The names that users gave to values.
type Names = NodeMap<Arc<str>>;

struct Explainer<'p> {
    schedule: &'p Schedule,
    constants: &'p [Scalar],
    names: &'p Names,
    /// The outputs that a step gives.
    outputs: HashMap<usize, Given<'p>>,
    /// What each step is called, once it has appeared.
    labels: Vec<Option<Label>>,
    /// The names of inputs, literals and users, which no number may repeat.
    taken: HashSet<Arc<str>>,
    /// The steps of which only some rows exist at a time.
    in_cache: HashSet<usize>,
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
        constants: &'p [Scalar],
        interface: &'p Interface,
        names: &'p Names,
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
            names,
            outputs,
            labels,
            taken,
            in_cache: HashSet::new(),
            numbered: 0,
            labelled: schedule.steps.len(),
            text: String::new(),
        }
    }

    fn finish(mut self) -> String {
        self.outputs_that_are_given();
        if self.text.is_empty() { "nothing to evaluate\n".to_owned() } else { self.text }
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

    /// What can run row by row: the stages of the group follow.
    fn rows(&mut self, group: &RowGroup, stages: &[Stage]) {
        let passing = group.values.iter().filter(|(_, is_stored)| !is_stored);
        self.in_cache.extend(passing.map(|(step, _)| *step));
        for number in group.stages.clone().filter(|number| !group.reshaped.contains(number)) {
            if let Stage::Kernel(step) = stages[number] {
                self.in_cache.insert(step);
            }
        }
        self.line(format_args!("rows in cache: the next {} stages, some rows at a time", group.stages.len()));
    }

    fn stage(&mut self, stage: &Stage, last_uses: impl Iterator<Item = usize>) {
        match stage {
            // A literal is where it is read.
            Stage::Kernel(index) if given(&self.schedule.steps[*index]).is_some() => return,
            Stage::Kernel(index) => self.kernel(*index),
            Stage::Region(region) => self.region(region),
        }
        let steps = &self.schedule.steps;
        let is_freed = |index: &usize| given(&steps[*index]).is_none() && !self.in_cache.contains(index);
        let freed = last_uses.filter(is_freed);
        let mut freed: Vec<&Label> = freed.filter_map(|step| self.labels[step].as_ref()).collect();
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
        let mut outputs: Vec<&RegionOutput> = region.outputs.iter().collect();
        outputs.sort_by_key(|output| self.rank(output));
        let order = order(region, &outputs);
        let reads = self.reads(region, &order);
        let domain = self.shape(&region.domain);
        self.line(format_args!("region over {domain}: reads {reads}"));
        let mut computed = vec![None; region.instructions.len()];
        for value in order {
            if let ValueId::Computed(number) = value {
                let instruction = &region.instructions[number as usize];
                computed[number as usize] = Some(self.instruction(region, instruction, &computed));
            }
        }
        for output in &outputs {
            let given = self.output(region, output, &computed);
            self.line(format_args!("  gives {given}"));
        }
        self.cost(region);
    }

    /// What a region reads, in the order of its use.
    fn reads(&mut self, region: &Region, order: &[ValueId]) -> String {
        let mut reads = Vec::new();
        for value in order {
            let ValueId::Loaded(number) = value else { continue };
            let step = region.loads[*number as usize].step;
            let node = &self.schedule.steps[step].node;
            let again = if node.shape() == &region.domain { "" } else { " repeated" };
            reads.push(format!("{}: {}{}{again}", self.label(step), node.dtype(), self.shape(node.shape())));
        }
        if reads.is_empty() { "nothing".to_owned() } else { reads.join(", ") }
    }

    /// What a value of a region is called, after what it is computed from.
    fn name_of(&mut self, region: &Region, computed: &[Option<Name>], value: ValueId) -> String {
        match value {
            ValueId::Computed(number) => match &computed[number as usize] {
                Some(name) => name.to_string(),
                None => unreachable!("instructions come after their operands"),
            },
            ValueId::Loaded(number) => self.label(region.loads[number as usize].step).to_string(),
            ValueId::Constant(number) => self.constants[number as usize].to_string(),
        }
    }

    /// Writes the line of an instruction. Gives the name of its value.
    fn instruction(&mut self, region: &Region, instruction: &Instruction, computed: &[Option<Name>]) -> Name {
        if let Function::Fill(scalar) = instruction.function {
            return Name::Text(scalar.to_string().into());
        }
        let operands = instruction.operands.iter();
        let operands: Vec<String> =
            operands.map(|operand| self.name_of(region, computed, operand.value)).collect();
        let call = match instruction.function {
            Function::Compound(compound, dtype) => nested(&compound.tree(dtype), &mut operands.into_iter()),
            Function::Unary(..)
            | Function::Binary(..)
            | Function::Compare(..)
            | Function::Logic(_)
            | Function::Where(_)
            | Function::Fill(_) => call(&op(instruction.function), operands),
        };
        let label = match instruction.step {
            Some(step) => self.label(step),
            None => self.fresh(),
        };
        self.line(format_args!("  {label} = {call}"));
        label
    }

    fn output(&mut self, region: &Region, output: &RegionOutput, computed: &[Option<Name>]) -> String {
        let read = output.operands().into_iter();
        let read: Vec<String> = read.map(|operand| self.name_of(region, computed, operand.value)).collect();
        let (step, call) = match output {
            RegionOutput::Store { step, .. } => return format!("{}{}", self.label(*step), self.kind(*step)),
            RegionOutput::Count { .. } => return format!("count({})", read[0]),
            RegionOutput::Compress { step, .. } => (*step, format!("boolean_mask({})", read.join(", "))),
            RegionOutput::Reduction { step, reduction, axes, mask, only, .. } => {
                let along = match (axes, &region.reduced) {
                    (ReducedAxes::Axes, Some(axes)) => format!(", axes={:?}", axes.as_slice()),
                    (ReducedAxes::Axes | ReducedAxes::All, _) => String::new(),
                };
                let unless = match mask {
                    Some(_) => format!(", where any({})", read[1]),
                    None => String::new(),
                };
                let value = match only {
                    Some(_) => {
                        let zero = Scalar::F64(0.0).to_string();
                        call(&Op::Select(Select::Where), vec![read[1].clone(), read[0].clone(), zero])
                    }
                    None => read[0].clone(),
                };
                let name = reduction_name(*reduction);
                (*step, format!("{name}({value}{along}{}){unless}", start(*reduction)))
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
        let in_cache = if self.in_cache.contains(&step) { ", in cache" } else { "" };
        format!(": {}{}{outputs}{in_cache}", node.dtype(), self.shape(node.shape()))
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
        let given = self.names.get(self.schedule.steps[step].node.id()).cloned();
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

/// `add(mul(x, 2), 1)`.
fn nested(tree: &Tree, operands: &mut impl Iterator<Item = String>) -> String {
    match tree {
        Tree::Operand => {
            operands.next().unwrap_or_else(|| unreachable!("a tree has as many leaves as operands"))
        }
        Tree::Call(op, of) => call(op, of.iter().map(|tree| nested(tree, operands)).collect()),
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
        Function::Compound(..) => unreachable!("a compound function is a tree of ops"),
    }
}

fn reduction_name(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Sum(_) => "sum",
        Reduction::Product => "prod",
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
        | Reduction::Product
        | Reduction::Count
        | Reduction::Any
        | Reduction::All => String::new(),
    }
}

/// Everything that outputs are computed from, each after its operands: depth first from the
/// outputs, so that the order depends on what is computed alone.
fn order(region: &Region, outputs: &[&RegionOutput]) -> Vec<ValueId> {
    let roots: Vec<Operand> = outputs.iter().flat_map(|output| output.operands()).collect();
    let mut pending: Vec<(ValueId, bool)> = roots.into_iter().rev().map(|root| (root.value, false)).collect();
    let (mut is_computed, mut others) = (vec![false; region.instructions.len()], HashSet::new());
    let mut is_new = |value| match value {
        ValueId::Computed(number) => !std::mem::replace(&mut is_computed[number as usize], true),
        ValueId::Loaded(_) | ValueId::Constant(_) => others.insert(value),
    };
    let mut order = Vec::new();
    while let Some((value, is_ready)) = pending.pop() {
        steps::add(1);
        if is_ready {
            order.push(value);
        } else if is_new(value) {
            pending.push((value, true));
            if let ValueId::Computed(number) = value {
                let operands = &region.instructions[number as usize].operands;
                pending.extend(operands.iter().rev().map(|operand| (operand.value, false)));
            }
        }
    }
    order
}
