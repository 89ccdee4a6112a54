//! One run of a plan: what is fed, and where results go. Does not depend on ops.

mod forms;
mod reusable;

use std::fmt;
use std::mem;
use std::panic::Location;

use ndarray::{ArrayViewMut, Dimension};
use smallvec::{SmallVec, smallvec};
use tamis_graph::{Element, Symbol, Value};

use self::forms::evaluate;
pub use self::reusable::ReusableRun;
use crate::error::{DimensionSource, Error, ErrorKind, Report};
use crate::evaluation::Feeds;
use crate::feed::{Buffer, Fed, Feed, unpack};
use crate::interface::{Input, Interface, Key};
use crate::memory::Memory;
use crate::names::subject;
use crate::outputs::{Held, Outputs};
use crate::plan::Plan;
use crate::sizes::{Seen, Sizes};
use crate::tensor::AnyTensor;

/// A run of a [`Plan`] that is being prepared: feed its inputs, then call [`Run::run`].
///
/// Errors in feeding are collected and reported together by the run.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let inputs = ["a", "b"].map(|name| graph.input::<f64>(name, dims!["n"]));
/// let plan = Plan::new([("product", (inputs[0] * inputs[1]).sum(..))])?;
/// let data = [("a", array![1.0, 2.0]), ("b", array![3.0, 4.0])];
/// let mut run = plan.bind();
/// for (name, values) in &data {
///     run = run.feed(*name, values);
/// }
/// assert_eq!(run.run()?.scalar::<f64>("product")?, 11.0);
/// # Ok::<(), tamis::Error>(())
/// ```
#[must_use = "no value is computed before `run` is called"]
pub struct Run<'p, 'a> {
    plan: &'p Plan,
    /// What each input is fed.
    feeds: Vec<Option<Feeding<'a>>>,
    /// For each output, the index of the buffer it is written to.
    targets: SmallVec<[Option<usize>; 2]>,
    buffers: Vec<Target<'a>>,
    reports: Vec<Report>,
}

/// The line of a call of the user's.
type Call = &'static Location<'static>;

/// Memory for an output, and the line that gave it.
struct Target<'a> {
    memory: Box<dyn Buffer + 'a>,
    call: Call,
}

/// What an input is fed, and the line that fed it.
struct Feeding<'a> {
    offer: Offer<'a>,
    call: Call,
}

enum Offer<'a> {
    Fed(Fed<'a>),
    /// The contents of the buffer with this index before it is written.
    Buffer(usize),
}

impl<'p> Run<'p, 'static> {
    pub(crate) fn new(plan: &'p Plan) -> Run<'p, 'static> {
        Run {
            plan,
            feeds: plan.interface.inputs.iter().map(|_| None).collect(),
            targets: smallvec![None; plan.interface.outputs.len()],
            buffers: Vec::new(),
            reports: Vec::new(),
        }
    }
}

impl<'p, 'a> Run<'p, 'a> {
    /// Gives the input `name` its value: see [`Feed`] for what is accepted.
    ///
    /// An input that the graph has, but the plan does not need, is accepted as well. An
    /// error is reported by [`Run::run`].
    #[track_caller]
    pub fn feed<'b>(self, name: impl Key, value: impl Feed<'b>) -> Run<'p, 'b>
    where
        'a: 'b,
    {
        let mut run: Run<'p, 'b> = self;
        match run.plan.interface.input(&name) {
            Ok(input) => run.offer(input, Offer::Fed(unpack(value))),
            Err(kind) => run.refuse("feed", kind),
        }
        run
    }

    /// Has the output `name` written to `memory`, of exactly its dtype and
    /// shape, instead of being held by [`Outputs`].
    ///
    /// No buffer is written if the run fails. An error is reported by [`Run::run`].
    ///
    /// ```
    /// use tamis::ndarray::{Array1, array};
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("y", x * 2.0)])?;
    /// let mut y = Array1::<f64>::zeros(2);
    /// plan.feed("x", &array![1.0, 2.0]).output("y", y.view_mut()).run()?;
    /// assert_eq!(y, array![2.0, 4.0]);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn output<'b, T: Element, D: Dimension + 'b>(
        self,
        name: impl Key,
        memory: ArrayViewMut<'b, T, D>,
    ) -> Run<'p, 'b>
    where
        'a: 'b,
    {
        let mut run: Run<'p, 'b> = self;
        match run.plan.interface.output(&name) {
            Ok(output) => {
                let buffer = run.hold(Box::new(memory));
                run.target(output, buffer);
            }
            Err(kind) => run.refuse("output", kind),
        }
        run
    }

    /// Feeds the input `name` from `memory`, and overwrites the memory with the
    /// output of the same name once the run has succeeded.
    ///
    /// An error is reported by [`Run::run`].
    ///
    /// ```
    /// use tamis::ndarray::array;
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let w = graph.input::<f64>("w", dims!["n"]);
    /// let plan = Plan::new([("w", w - 0.5 * w)])?;
    /// let mut weights = array![2.0, 4.0];
    /// for _ in 0..2 {
    ///     plan.update("w", weights.view_mut()).run()?;
    /// }
    /// assert_eq!(weights, array![0.5, 1.0]);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn update<'b, T: Element, D: Dimension + 'b>(
        self,
        name: impl Key,
        memory: ArrayViewMut<'b, T, D>,
    ) -> Run<'p, 'b>
    where
        'a: 'b,
    {
        let mut run: Run<'p, 'b> = self;
        let interface = &run.plan.interface;
        match (interface.input(&name), interface.output(&name)) {
            (Ok(input), Ok(output)) => {
                let buffer = run.hold(Box::new(memory));
                run.offer(input, Offer::Buffer(buffer));
                run.target(output, buffer);
            }
            (Err(kind), _) | (_, Err(kind)) => run.refuse("update", kind),
        }
        run
    }

    #[track_caller]
    fn refuse(&mut self, call: &'static str, kind: ErrorKind) {
        self.reports.push(Report::new(call, kind, None).called_at(Location::caller()));
    }

    #[track_caller]
    fn hold(&mut self, memory: Box<dyn Buffer + 'a>) -> usize {
        self.buffers.push(Target { memory, call: Location::caller() });
        self.buffers.len() - 1
    }

    #[track_caller]
    fn offer(&mut self, index: usize, offer: Offer<'a>) {
        let call = Location::caller();
        if self.feeds[index].is_some() {
            let input = &self.plan.interface.inputs[index];
            self.reports.push(input.report(ErrorKind::RepeatedFeed { name: input.name.to_string() }, call));
        }
        self.feeds[index] = Some(Feeding { offer, call });
    }

    #[track_caller]
    fn target(&mut self, output: usize, buffer: usize) {
        if self.targets[output].is_some() {
            let name = self.plan.interface.outputs[output].name.to_string();
            self.refuse("output", ErrorKind::RepeatedTarget { name });
        }
        self.targets[output] = Some(buffer);
    }

    /// Evaluates the plan.
    ///
    /// # Errors
    /// Every error made in feeding, together: inputs missing, unknown, fed twice, of
    /// the wrong dtype or shape; one named dimension with two lengths; memory that does
    /// not fit its output. Then the first error of the evaluation: lengths that differ,
    /// an index out of range, an integer division by 0, an empty maximum, arrays that
    /// exceed the memory or the [`Plan::memory_limit`], and iterations beyond the
    /// limit: see [`Plan::iteration_limit`]. After an error the plan can be run again.
    #[track_caller]
    pub fn run(self) -> Result<Outputs, Error> {
        let mut run = self;
        run.evaluate(Location::caller())
    }

    /// Evaluates the plan, for the line `call`. Reports are taken by the first run.
    fn evaluate(&mut self, call: Call) -> Result<Outputs, Error> {
        let Run { plan, feeds, targets, buffers, reports } = self;
        let (plan, mut reports) = (*plan, mem::take(reports));
        let interface = &plan.interface;
        let memory = Memory::new(plan.memory_limit, plan.pool.clone());
        let memory = memory.with_iteration_limit(plan.iteration_limit);
        let mut sizes = Sizes::default();
        let inputs = accept(interface, feeds, buffers, call, &mut sizes, &mut reports);
        check_dtypes(plan, targets, buffers, &mut reports);
        if !reports.is_empty() {
            return Err(Error::new(reports));
        }
        let again = || accept(interface, feeds, buffers, call, &mut Sizes::default(), &mut Vec::new());
        let values = evaluate(plan, inputs, again, sizes, &memory);
        let subject = |node| subject(&plan.reference, &plan.names, node);
        let values = values.map_err(|error| error.with_subjects(subject))?;
        check_shapes(plan, targets, buffers, &values)?;
        let held = values.into_iter().zip(targets.iter()).map(|(value, target)| match target {
            None => Held::Here(value),
            Some(buffer) => {
                buffers[*buffer].memory.write(&value);
                Held::Written
            }
        });
        let held = held.collect();
        Ok(Outputs::new(interface.clone(), held, plan.pool.clone(), memory.peak()))
    }
}

impl fmt::Debug for Run<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fed = self.feeds.iter().filter(|feed| feed.is_some()).count();
        write!(f, "Run of {:?}, {fed} inputs fed", self.plan)
    }
}

/// The tensor that each input is fed, and the lengths of the named dimensions;
/// what does not fit is reported, what is missing with the line `call` of the run.
fn accept<'r>(
    interface: &Interface,
    feeds: &'r [Option<Feeding<'_>>],
    buffers: &'r [Target<'_>],
    call: Call,
    sizes: &mut Sizes,
    reports: &mut Vec<Report>,
) -> Feeds<'r> {
    let mut tensors = Vec::new();
    for (index, feed) in feeds.iter().enumerate() {
        let input = &interface.inputs[index];
        let tensor = match feed {
            Some(feeding) => receive(input, &feeding.offer, buffers).map(Some),
            None if !input.needed => Ok(None),
            None => Err(missing(input)),
        };
        let bound = tensor.and_then(|tensor| {
            if let Some(tensor) = &tensor {
                bind_names(interface, index, tensor.shape(), sizes)?;
            }
            Ok(tensor)
        });
        tensors.push(bound.unwrap_or_else(|kind| {
            reports.push(input.report(kind, feed.as_ref().map_or(call, |feeding| feeding.call)));
            None
        }));
    }
    tensors
}

fn missing(input: &Input) -> ErrorKind {
    let (dtype, shape) = (input.node.dtype(), input.node.shape().clone());
    ErrorKind::MissingFeed { name: input.name.to_string(), dtype, shape }
}

/// What is offered to an input, if it has the right dtype, rank and numbers in the shape.
fn receive<'r>(
    input: &Input,
    offer: &'r Offer<'_>,
    buffers: &'r [Target<'_>],
) -> Result<AnyTensor<'r>, ErrorKind> {
    let name = || input.name.to_string();
    let (dtype, shape) = (input.node.dtype(), input.node.shape());
    let tensor: AnyTensor<'r> = match offer {
        Offer::Buffer(index) => buffers[*index].memory.lend().into(),
        Offer::Fed(Fed::Borrowed(memory)) => memory.lend().into(),
        Offer::Fed(Fed::Owned(value)) => value.clone().into(),
        Offer::Fed(Fed::Weak(weak)) => {
            let refuse = || ErrorKind::FeedScalar { name: name(), dtype, value: weak.to_scalar() };
            AnyTensor::from_scalar(weak.fit(dtype).ok_or_else(refuse)?)
        }
    };
    let found = tensor.shape();
    if tensor.dtype() != dtype {
        return Err(ErrorKind::FeedDType {
            name: name(),
            expected: dtype,
            shape: shape.clone(),
            found: tensor.dtype(),
            found_shape: found.to_vec(),
        });
    }
    let fits = |(dim, length): (&tamis_graph::Dim, &usize)| dim.known().is_none_or(|known| known == *length);
    if found.len() != shape.len() || !shape.iter().zip(found).all(fits) {
        return Err(ErrorKind::FeedShape { name: name(), expected: shape.clone(), found: found.to_vec() });
    }
    Ok(tensor)
}

/// Binds the named dimensions of the input at `index`.
fn bind_names(
    interface: &Interface,
    index: usize,
    lengths: &[usize],
    sizes: &mut Sizes,
) -> Result<(), ErrorKind> {
    for (axis, dim) in interface.inputs[index].node.shape().iter().enumerate() {
        if let Some(Symbol::Named(name)) = dim.symbol() {
            let seen = Seen { input: index, axis, length: lengths[axis] };
            sizes.name(name, seen).map_err(|first| ErrorKind::DimensionConflict {
                dimension: name.to_string(),
                first: Box::new(dimension_source(interface, first)),
                second: Box::new(dimension_source(interface, seen)),
            })?;
        }
    }
    Ok(())
}

fn dimension_source(interface: &Interface, seen: Seen) -> DimensionSource {
    let input = &interface.inputs[seen.input];
    DimensionSource {
        input: input.name.to_string(),
        axis: seen.axis,
        length: seen.length,
        origin: input.node.origin(),
    }
}

/// Memory for an output has its dtype.
fn check_dtypes(plan: &Plan, targets: &[Option<usize>], buffers: &[Target<'_>], reports: &mut Vec<Report>) {
    for (output, target) in plan.interface.outputs.iter().zip(targets) {
        let Some(buffer) = target.map(|target| &buffers[target]) else { continue };
        let (memory, node) = (AnyTensor::from(buffer.memory.lend()), &output.node);
        if memory.dtype() != node.dtype() {
            let kind = ErrorKind::OutputDType {
                name: output.name.to_string(),
                expected: memory.dtype(),
                found: node.dtype(),
            };
            reports.push(Report::new("output", kind, Some(node.origin())).called_at(buffer.call));
        }
    }
}

/// Memory for an output has its shape.
fn check_shapes(
    plan: &Plan,
    targets: &[Option<usize>],
    buffers: &[Target<'_>],
    values: &[Value],
) -> Result<(), Error> {
    let mut reports = Vec::new();
    for ((output, target), value) in plan.interface.outputs.iter().zip(targets).zip(values) {
        let Some(buffer) = target.map(|target| &buffers[target]) else { continue };
        let memory = AnyTensor::from(buffer.memory.lend());
        if memory.shape() != value.shape() {
            let kind = ErrorKind::OutputShape {
                name: output.name.to_string(),
                expected: memory.shape().to_vec(),
                found: value.shape().to_vec(),
            };
            reports.push(Report::new("output", kind, Some(output.node.origin())).called_at(buffer.call));
        }
    }
    if reports.is_empty() { Ok(()) } else { Err(Error::new(reports)) }
}

#[cfg(test)]
mod tests;
