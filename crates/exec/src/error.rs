//! What can be wrong with a plan or a run, and how it is reported.

use std::fmt;
use std::panic::Location;

use tamis_graph::{DType, Dim, DimError, Layout, Node, NodeId, Op, Origin, Scalar, Shape};

/// What is wrong with a plan or a run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An error in an expression.
    #[error(transparent)]
    Build(#[from] tamis_graph::ErrorKind),
    /// Two outputs of one name.
    #[error("the output name `{name}` is given twice")]
    RepeatedOutput {
        /// The name.
        name: String,
    },
    /// An output without a name.
    #[error("an output needs a name that is not empty, by which it is read")]
    EmptyName,
    /// A named dimension whose length no input gives.
    #[error("no input has the dimension `{dimension}`, so that its length is never known")]
    UnboundDimension {
        /// The name.
        dimension: String,
    },
    /// A name that the plan does not have.
    #[error("there is no {role} `{name}`{}", known_text(known, nearest))]
    UnknownName {
        /// What should have the name.
        role: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
        /// The one that may have been meant.
        nearest: Option<String>,
    },
    /// A name asked of a plan that has no outputs, and so needs no inputs.
    #[error("there is no {role} `{name}`: the plan has no outputs, so that it needs no inputs")]
    NoOutputs {
        /// What should have the name.
        role: &'static str,
        /// The name asked for.
        name: String,
    },
    /// A slot of another plan.
    #[error("the slot belongs to another plan")]
    ForeignSlot,
    /// An input that was not fed.
    #[error("input `{name}` is not fed; it is {dtype}{shape}")]
    MissingFeed {
        /// The name of the input.
        name: String,
        /// Its dtype.
        dtype: DType,
        /// Its shape.
        shape: Shape,
    },
    /// An input that was fed twice.
    #[error("input `{name}` is fed twice")]
    RepeatedFeed {
        /// The name of the input.
        name: String,
    },
    /// A feed of another dtype than its input.
    #[error("input `{name}` is {expected}{shape}, but was fed {found}{found_shape:?}")]
    FeedDType {
        /// The name of the input.
        name: String,
        /// The dtype of the input.
        expected: DType,
        /// The shape of the input.
        shape: Shape,
        /// The dtype that was fed.
        found: DType,
        /// The shape that was fed.
        found_shape: Vec<usize>,
    },
    /// A feed of another shape than its input.
    #[error("input `{name}` has shape {expected}, but was fed {found:?}")]
    FeedShape {
        /// The name of the input.
        name: String,
        /// The shape of the input.
        expected: Shape,
        /// The shape that was fed.
        found: Vec<usize>,
    },
    /// A Rust scalar that the dtype of its input cannot hold.
    #[error("input `{name}` is {dtype}, which cannot hold {value}")]
    FeedScalar {
        /// The name of the input.
        name: String,
        /// The dtype of the input.
        dtype: DType,
        /// The scalar.
        value: Scalar,
    },
    /// A named dimension that is fed with two lengths.
    #[error(
        "dimension `{dimension}` is {} in axis {} of input `{}`, {}, but {} in axis {} of input `{}`",
        first.length, first.axis, first.input, first.origin, second.length, second.axis, second.input
    )]
    DimensionConflict {
        /// The name of the dimension.
        dimension: String,
        /// Where its length was found first.
        first: Box<DimensionSource>,
        /// Where another length was found.
        second: Box<DimensionSource>,
    },
    /// An output asked for, or written, as another dtype than it is.
    #[error("output `{name}` is {found}, not {expected}")]
    OutputDType {
        /// The name of the output.
        name: String,
        /// The dtype asked for.
        expected: DType,
        /// The dtype of the output.
        found: DType,
    },
    /// Memory of another shape than the output written to it.
    #[error("output `{name}` has shape {found:?}, but is to be written to memory of shape {expected:?}")]
    OutputShape {
        /// The name of the output.
        name: String,
        /// The shape of the memory.
        expected: Vec<usize>,
        /// The shape of the output.
        found: Vec<usize>,
    },
    /// An output that is given two buffers in the caller's memory.
    #[error("output `{name}` is given memory twice")]
    RepeatedTarget {
        /// The name of the output.
        name: String,
    },
    /// An output that was already moved out.
    #[error("output `{name}` was already taken")]
    OutputTaken {
        /// The name of the output.
        name: String,
    },
    /// An output that went to the caller's memory.
    #[error("output `{name}` was written to the memory given for it, and is not kept")]
    OutputWritten {
        /// The name of the output.
        name: String,
    },
    /// An output asked for as an array of another rank than it has.
    #[error("output `{name}` has shape {shape:?} of rank {}, not of rank {expected}", shape.len())]
    OutputRank {
        /// The name of the output.
        name: String,
        /// The rank asked for.
        expected: usize,
        /// The shape of the output.
        shape: Vec<usize>,
    },
    /// An output of another size than one element.
    #[error("output `{name}` has shape {shape:?} and not exactly one element")]
    OutputNotScalar {
        /// The name of the output.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Lengths that must be equal, were not provably so at build time, and are not in this run.
    #[error("lengths differ: {left} and {right}{}", notes_text(notes))]
    LengthMismatch {
        /// The length of the one.
        left: Length,
        /// The length of the other.
        right: Length,
        /// What the counts and names among the lengths stand for.
        notes: Vec<String>,
    },
    /// Values that are not as many as the true elements of their mask.
    #[error("there are {values} values for the {count} true elements of the mask")]
    CountMismatch {
        /// How many elements of the mask are true.
        count: usize,
        /// How many values there are.
        values: usize,
    },
    /// A shape whose elements no memory can address. Lengths of 0 do not count.
    #[error("the size overflows: shape {shape:?} of {item}-byte elements is more than memory can address")]
    TooLarge {
        /// The shape.
        shape: Vec<usize>,
        /// How many bytes an element takes.
        item: usize,
    },
    /// A size that overflows or cannot be computed in this run.
    #[error(transparent)]
    Size(#[from] DimError),
    /// A size below 0.
    #[error("the size {size} is negative: it is {value} in this run")]
    NegativeSize {
        /// The size.
        size: Dim,
        /// Its value.
        value: i64,
    },
    /// An array for which there is no memory.
    #[error("there is no memory for shape {shape:?} of {bytes} bytes")]
    OutOfMemory {
        /// The shape.
        shape: Vec<usize>,
        /// How many bytes its elements take.
        bytes: usize,
    },
    /// An array with which a run would hold more memory than it may.
    #[error(
        "shape {shape:?} takes {bytes} bytes, with {held} held already; the memory limit is {limit} bytes"
    )]
    MemoryLimit {
        /// The shape.
        shape: Vec<usize>,
        /// How many bytes its elements take.
        bytes: usize,
        /// How many bytes the run holds already.
        held: usize,
        /// How many bytes a run may hold.
        limit: usize,
    },
    /// More elements to visit than a run would get through in reasonable time,
    /// which only broadcasting can make.
    #[error(
        "shape {shape:?} repeats its elements to {elements}, which are too many to visit: they take {cost} additions; the limit is {limit}, which `Plan::iteration_limit` changes"
    )]
    IterationLimit {
        /// The shape.
        shape: Vec<usize>,
        /// How many elements there are.
        elements: usize,
        /// What visiting them takes, in additions.
        cost: usize,
        /// What visiting repeated elements may take, in additions.
        limit: usize,
    },
    /// An index outside its axis.
    #[error(
        "index {index} is out of range for axis {axis} of length {length}, at position {position:?} of the indices"
    )]
    IndexOutOfRange {
        /// The index.
        index: i64,
        /// The axis it addresses.
        axis: usize,
        /// The length of the axis.
        length: usize,
        /// Where among the indices it stands.
        position: Vec<usize>,
    },
    /// A slice that reaches outside its axis.
    #[error("{} out of range for axis {axis} of length {length}", slice_text(*start, *count, *step))]
    SliceOutOfRange {
        /// The first index as its caller wrote it, with a negative number from the end.
        start: i64,
        /// How many elements are asked for.
        count: usize,
        /// The distance between them.
        step: i64,
        /// The axis.
        axis: usize,
        /// The length of the axis.
        length: usize,
    },
    /// A source that has fewer elements than a mask selects.
    #[error("the mask selects {selected} elements, but the source has {source_len}")]
    SourceTooShort {
        /// How many elements of the mask are true.
        selected: usize,
        /// How many elements the source has.
        source_len: usize,
    },
    /// More elements to choose along an axis than it has.
    #[error("k = {k} elements cannot be chosen along axis {axis}, which has length {length}")]
    TooFewToChoose {
        /// How many to choose.
        k: usize,
        /// The axis.
        axis: usize,
        /// Its length.
        length: usize,
    },
    /// An integer divided by 0.
    #[error("the divisor is 0 at position {position:?}; integers cannot be divided by 0")]
    DivisionByZero {
        /// Where.
        position: Vec<usize>,
    },
    /// An assertion of the user's that does not hold.
    #[error("{}false at position {position:?} of the mask{}", message_text(message), value_text(*value))]
    Assertion {
        /// What the user says of it.
        message: String,
        /// Where in the mask.
        position: Vec<usize>,
        /// What the tensor has there, if it has the shape of the mask.
        value: Option<Scalar>,
    },
    /// An integer raised to a negative power.
    #[error(
        "{base} cannot be raised to the negative power {exponent} at position {position:?}; cast the base to a float"
    )]
    NegativePower {
        /// The base.
        base: Scalar,
        /// The exponent.
        exponent: Scalar,
        /// Where.
        position: Vec<usize>,
    },
    /// A maximum, minimum or their index over no elements: there are none, or a mask selects none.
    #[error("there is no element to choose from for position {position:?} of the result")]
    EmptyReduction {
        /// Where in the result.
        position: Vec<usize>,
    },
}

/// Where a run found the length of a named dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct DimensionSource {
    /// The name of the input.
    pub input: String,
    /// The axis of the input.
    pub axis: usize,
    /// The length that was fed.
    pub length: usize,
    /// The line that declared the input.
    pub origin: Origin,
}

/// A length as the expression has it, and its value in one run: `count(%2) = 3`.
#[derive(Debug, Clone, PartialEq)]
pub struct Length {
    /// The length.
    pub dim: Dim,
    /// Its value.
    pub value: i64,
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dim.known() {
            Some(_) => write!(f, "{}", self.value),
            None => write!(f, "{} = {}", self.dim, self.value),
        }
    }
}

fn known_text(known: &[String], nearest: &Option<String>) -> String {
    let quoted: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    match (nearest, quoted.as_slice()) {
        (_, []) => "; the plan has none".to_owned(),
        (None, _) => format!("; known: {}", quoted.join(", ")),
        (Some(nearest), _) => format!("; known: {} (did you mean `{nearest}`?)", quoted.join(", ")),
    }
}

/// What a slice asks for.
fn slice_text(start: i64, count: usize, step: i64) -> String {
    match (count, step) {
        (1, _) => format!("index {start} is"),
        (_, 1) => format!("{count} elements from index {start} on are"),
        _ => format!("{count} elements from index {start} on in steps of {step} are"),
    }
}

/// The message of an assertion with a colon behind it; empty for an assertion without a
/// message.
fn message_text(message: &str) -> String {
    let message = message.trim().trim_end_matches([':', '.']).trim_end();
    if message.is_empty() { String::new() } else { format!("{message}: ") }
}

fn value_text(value: Option<Scalar>) -> String {
    value.map_or(String::new(), |value| format!(", where the tensor has {value}"))
}

fn notes_text(notes: &[String]) -> String {
    notes.iter().map(|note| format!("; {note}")).collect()
}

/// One error: the op, what is wrong with it, and the line that wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    kind: ErrorKind,
    op: &'static str,
    origin: Option<Origin>,
    call: Option<&'static Location<'static>>,
    /// What failed, where it is known.
    node: Option<NodeId>,
    /// What to write instead, as the end of the sentence, or an empty text.
    advice: &'static str,
    /// What the user named of it.
    subject: Option<String>,
}

impl Report {
    pub(crate) fn new(op: &'static str, kind: ErrorKind, origin: Option<Origin>) -> Report {
        Report { kind, op, origin, call: None, node: None, advice: "", subject: None }
    }

    /// The same report with the line that called the plan, the run or its outputs.
    pub(crate) fn called_at(self, call: &'static Location<'static>) -> Report {
        Report { call: Some(call), ..self }
    }

    /// An error of the evaluation of `node`, reported by the builder that the user
    /// called. A guard that was not made by a builder names the one that needs it.
    pub(crate) fn of_node(node: &Node, kind: ErrorKind) -> Report {
        let own = node.op().name();
        let needed_by = if let Op::Layout(Layout::Guard { op, .. }) = node.op() { op } else { own };
        let builder = node.origin().builder.filter(|builder| *builder != own);
        let kind = match (builder, kind) {
            // It takes as many elements from the front of its source as its mask selects.
            (Some("masked_scatter"), ErrorKind::SliceOutOfRange { count, length, .. }) => {
                ErrorKind::SourceTooShort { selected: count, source_len: length }
            }
            // It takes the first k of the indices in sorted order.
            (Some("top_k"), ErrorKind::SliceOutOfRange { count, axis, length, .. }) => {
                ErrorKind::TooFewToChoose { k: count, axis, length }
            }
            (_, kind) => kind,
        };
        let op = builder.unwrap_or(needed_by);
        let advice = advice(op, node, &kind);
        Report { node: Some(node.id()), advice, ..Report::new(op, kind, Some(node.origin())) }
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The name of the op, or of the call that was made on the plan.
    pub fn op(&self) -> &'static str {
        self.op
    }

    /// The line of the user's program, if the error is about an expression.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.origin.map(|origin| origin.location)
    }

    /// The line that called `feed`, `run`, `view`, … with what is wrong; `None` for an error of an op.
    pub fn call(&self) -> Option<&'static Location<'static>> {
        self.call
    }
}

/// What to write instead, where it depends on the builder.
fn advice(op: &str, node: &Node, kind: &ErrorKind) -> &'static str {
    let is_masked = node.operands().len() > 1;
    if matches!((op, kind), ("max" | "min", ErrorKind::EmptyReduction { .. })) {
        "; `x.masked(m).if_empty(v)` says what an empty selection gives, `.initial(v)` adds an element to compare with"
    } else if matches!((op, kind), ("argmax" | "argmin", ErrorKind::EmptyReduction { .. })) && is_masked {
        "; `x.masked(m).if_empty(index)` says what an empty selection gives"
    } else if matches!((op, kind), ("one_hot", ErrorKind::IndexOutOfRange { .. })) {
        "; for a row of 0 there select the classes by a mask: \
         `where_(m, i, 0).one_hot(n, dtype).masked_fill(!m.unsqueeze(-1), 0)`"
    } else {
        ""
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.op, self.kind, self.advice)?;
        let subject = self.subject.as_ref().map_or(String::new(), |subject| format!("{subject}, "));
        match (self.origin, self.call) {
            (Some(origin), Some(call)) => write!(f, " ({subject}{origin}; called at {call})"),
            (Some(origin), None) => write!(f, " ({subject}{origin})"),
            (None, Some(call)) => write!(f, " (called at {call})"),
            (None, None) => Ok(()),
        }
    }
}

/// Everything that is wrong with a plan or a run, one line each.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", [3]);
/// let plan = Plan::new([("y", x.exp())])?;
/// let error = plan.run().unwrap_err();
/// assert!(error.to_string().starts_with("feed: input `x` is not fed; it is f32[3] (built at"));
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Error(Box<[Report]>);

impl Error {
    /// The errors, of which there is at least one.
    pub(crate) fn new(reports: Vec<Report>) -> Error {
        debug_assert!(!reports.is_empty(), "an error has at least one report");
        Error(reports.into())
    }

    /// The errors. Never empty.
    pub fn reports(&self) -> &[Report] {
        &self.0
    }

    /// The same error, with every line that called a plan or a run replaced by `call`: for
    /// libraries that make these calls for their callers.
    ///
    /// ```
    /// use std::panic::Location;
    /// use tamis::prelude::*;
    ///
    /// #[track_caller]
    /// fn read(plan: &Plan) -> Result<f64, tamis::Error> {
    ///     let call = Location::caller();
    ///     plan.run().and_then(|out| out.scalar("total")).map_err(|error| error.called_at(call))
    /// }
    ///
    /// let graph = Graph::new();
    /// let plan = Plan::new([("sum", graph.constant([1.0, 2.0]).sum(..))])?;
    /// let line = line!() + 1;
    /// let error = read(&plan).unwrap_err();
    /// assert_eq!(error.reports()[0].call().unwrap().line(), line);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[must_use = "the error with the line is returned"]
    pub fn called_at(self, call: &'static Location<'static>) -> Error {
        let moved = |report: Report| Report { call: report.call.map(|_| call), ..report };
        Error(self.0.into_iter().map(moved).collect())
    }

    /// The same error with what `subject` says of the nodes that failed.
    pub(crate) fn with_subjects(self, subject: impl Fn(NodeId) -> Option<String>) -> Error {
        let named = |report: Report| Report { subject: report.node.and_then(&subject), ..report };
        Error(self.0.into_iter().map(named).collect())
    }

    /// What is wrong first.
    pub fn kind(&self) -> &ErrorKind {
        &self.0[0].kind
    }

    /// The line of the first error, if it is about an expression.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.0[0].location()
    }
}

impl From<Report> for Error {
    fn from(report: Report) -> Error {
        Error::new(vec![report])
    }
}

impl From<tamis_graph::Error> for Error {
    fn from(error: tamis_graph::Error) -> Error {
        let report = |report: &tamis_graph::Report| {
            Report::new(report.op(), report.kind().clone().into(), Some(report.origin()))
        };
        Error::new(error.reports().iter().map(report).collect())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, report) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{report}")?;
        }
        Ok(())
    }
}

/// The same text as `Display`, so that `main() -> Result<(), Error>` prints it well.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
