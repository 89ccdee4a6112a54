//! What can be wrong with an expression, and how it is reported.

use std::fmt;
use std::panic::Location;

use crate::dim::DimError;
use crate::dtype::{DType, Scalar};
use crate::node::Origin;
use crate::shape::Shape;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Shapes that do not broadcast together.
    #[error("shapes {left} and {right} do not broadcast")]
    Broadcast {
        /// The shape of the first operand.
        left: Shape,
        /// The shape of the second operand.
        right: Shape,
    },
    /// A shape that does not broadcast to a given one.
    #[error("shape {from} does not broadcast to {to}")]
    BroadcastTo {
        /// The shape there is.
        from: Shape,
        /// The shape asked for.
        to: Shape,
    },
    /// Shapes that must agree and provably do not.
    #[error("shapes {left} and {right} do not fit: {reason}")]
    ShapeMismatch {
        /// The shape of the first operand.
        left: Shape,
        /// The shape of the second operand.
        right: Shape,
        /// What the op asks for.
        reason: &'static str,
    },
    /// A tensor whose rank the op does not take.
    #[error("shape {shape} has rank {}, but {expected}", shape.len())]
    Rank {
        /// The shape there is.
        shape: Shape,
        /// What the op takes.
        expected: &'static str,
    },
    /// An axis outside the rank.
    #[error("axis {axis} is out of range for shape {shape} of rank {}", shape.len())]
    Axis {
        /// The axis asked for.
        axis: i128,
        /// The shape it should be an axis of.
        shape: Shape,
    },
    /// An axis outside the result that a new axis gives.
    #[error("axis {axis} is out of range for a result of rank {}, which is {shape} with one axis more", shape.len() + 1)]
    NewAxis {
        /// The axis asked for.
        axis: i128,
        /// The shape that gets the axis.
        shape: Shape,
    },
    /// An axis named twice.
    #[error("an axis is repeated in {axes:?} for shape {shape}")]
    RepeatedAxis {
        /// The axes asked for.
        axes: Vec<i128>,
        /// The shape they should be axes of.
        shape: Shape,
    },
    /// Axes that are not a permutation.
    #[error("{axes:?} is no permutation of the axes of shape {shape}")]
    Permutation {
        /// The axes asked for.
        axes: Vec<i128>,
        /// The shape they should permute.
        shape: Shape,
    },
    /// Rows of indices that name more axes than there are.
    #[error("the rows of indices {indices} must name a known number of axes, at most the {} of {shape}", shape.len())]
    IndexDepth {
        /// The shape of the indices.
        indices: Shape,
        /// The shape they should address.
        shape: Shape,
    },
    /// Indices along an axis whose length on another axis is less than that of the tensor.
    #[error(
        "the indices {indices} have only length {} on axis {axis} of the tensor {shape}; to use its first {} only, \
         slice it before: `x.slice_axis(..{}, {axis})`",
        indices[*axis], indices[*axis], indices[*axis]
    )]
    FewerIndices {
        /// The shape of the indices.
        indices: Shape,
        /// The shape they should address.
        shape: Shape,
        /// The axis that is longer.
        axis: usize,
    },
    /// A mask that is not bool.
    #[error("the mask is {dtype}{shape}; masks are bool: write `.ne(0)` to select what is not zero")]
    MaskDType {
        /// The dtype of the mask.
        dtype: DType,
        /// The shape of the mask.
        shape: Shape,
    },
    /// A mask whose shape does not match what it masks.
    #[error("mask {mask} does not match {rule} of {shape}{remedy}")]
    MaskShape {
        /// The shape of the mask.
        mask: Shape,
        /// The shape of what it masks.
        shape: Shape,
        /// Which axes it must match.
        rule: &'static str,
        /// What to write instead, as the end of the sentence, or an empty text.
        remedy: String,
    },
    /// An operand of lower rank whose alignment is not the one reading that is proved.
    #[error("{role} {operand} {readings}")]
    Alignment {
        /// What the operand is: a mask, or any shape.
        role: &'static str,
        /// The shape of the operand.
        operand: Shape,
        /// The shape that it meets.
        shape: Shape,
        /// Which axes it matches or may match, and how to write each reading.
        readings: String,
    },
    /// A dtype that the op does not take.
    #[error("{dtype}{shape} is not accepted; {expected}")]
    DType {
        /// The dtype there is.
        dtype: DType,
        /// The shape of the operand.
        shape: Shape,
        /// What the op takes, and the remedy.
        expected: &'static str,
    },
    /// `^`, the exclusive or of masks, of numbers.
    #[error(
        "{dtype}{shape} is not accepted; logic is defined for bool: write `.pow({exponent})` for a power, `.ne(0)` \
         to ask what is not zero"
    )]
    XorOfNumbers {
        /// The dtype of the first operand.
        dtype: DType,
        /// The shape of the first operand.
        shape: Shape,
        /// The second operand as it would be written.
        exponent: String,
    },
    /// An assignment that would lose values.
    #[error(
        "{source_dtype}{source_shape} cannot be assigned into {dtype}{shape} without loss; \
         write `.cast(DType::{dtype:?})` on the source to accept it"
    )]
    Narrowing {
        /// The dtype of the destination, which an assignment keeps.
        dtype: DType,
        /// The shape of the destination.
        shape: Shape,
        /// The dtype of the source.
        source_dtype: DType,
        /// The shape of the source.
        source_shape: Shape,
    },
    /// A Rust scalar that the tensor's dtype cannot hold.
    #[error("the scalar {value} does not fit into {dtype}; `.cast(DType::{:?})` on the tensor makes room for it", roomy(*value))]
    WeakScalar {
        /// The scalar.
        value: Scalar,
        /// The dtype it should take.
        dtype: DType,
    },
    /// A Rust scalar that is no index, as the index of an empty selection.
    #[error("the index of an empty selection is an integer, which {value} is not")]
    IndexIfEmpty {
        /// The scalar.
        value: Scalar,
    },
    /// An expression where a Rust scalar is taken.
    #[error(
        "{dtype}{shape} is an expression, but only a Rust scalar is taken here, which is known while building"
    )]
    NotLiteral {
        /// The dtype of the expression.
        dtype: DType,
        /// The shape of the expression.
        shape: Shape,
    },
    /// A negative literal exponent of an integer.
    #[error("an integer cannot be raised to the negative power {exponent}; cast the base to a float")]
    NegativePower {
        /// The exponent.
        exponent: i64,
    },
    /// An Einstein sum that cannot be read, or does not fit its operands.
    #[error("`{formula}`: {reason}")]
    Einsum {
        /// The formula.
        formula: String,
        /// What is wrong with it, with the letter, the term and the operand.
        reason: String,
    },
    /// A negative size.
    #[error("a size cannot be negative, but {size} is")]
    NegativeSize {
        /// The size asked for.
        size: i64,
    },
    /// A reshape to another number of elements.
    #[error("shape {from} has {} elements and {to} has {}", size_text(from), size_text(to))]
    Reshape {
        /// The shape there is.
        from: Shape,
        /// The shape asked for.
        to: Shape,
    },
    /// A reshape whose `-1` cannot be inferred.
    #[error("the -1 in {to} cannot be inferred from shape {from}: {reason}")]
    InferredSize {
        /// The shape there is.
        from: Shape,
        /// The sizes asked for.
        to: String,
        /// Why not.
        reason: &'static str,
    },
    /// A shape whose elements no memory can address. Lengths of 0 do not count.
    #[error("the size overflows: shape {shape} of {item}-byte elements is more than memory can address")]
    TooLarge {
        /// The shape.
        shape: Shape,
        /// How many bytes an element takes.
        item: usize,
    },
    /// A size that overflows or is too complicated.
    #[error("{0}")]
    Size(#[from] DimError),
    /// A slice with step 0.
    #[error("the step of a slice cannot be 0 or the smallest i64")]
    SliceStep,
    /// More slices than axes.
    #[error("{count} slices are given for shape {shape} of rank {}", shape.len())]
    SliceCount {
        /// How many slices.
        count: usize,
        /// The shape to slice.
        shape: Shape,
    },
    /// More elements chosen of an axis than it has, or fewer than none.
    #[error("k = {k} elements cannot be chosen along axis {axis} of shape {shape}: {}", choice_text(*k, &shape[*axis]))]
    Choice {
        /// How many.
        k: i64,
        /// The axis.
        axis: usize,
        /// The shape to choose from.
        shape: Shape,
    },
    /// Entries that cover more axes than there are.
    #[error("the entries cover {axes} axes, but shape {shape} has rank {}", shape.len())]
    EntryCount {
        /// How many axes the entries cover.
        axes: usize,
        /// The shape they should address.
        shape: Shape,
    },
    /// Several ellipses among entries.
    #[error("there is more than one `Ellipsis`; write `..` for a single axis")]
    Ellipses,
    /// A literal index outside its axis.
    #[error("index {index} is out of range for axis {axis} of shape {shape}")]
    SliceIndex {
        /// The index.
        index: i64,
        /// The axis.
        axis: usize,
        /// The shape to slice.
        shape: Shape,
    },
    /// A value for empty selections of a masked tensor whose op does not take one.
    #[error("`{policy}` has no meaning here; {} take it", takers_text(takers))]
    Policy {
        /// What was given: `if_empty` or `initial`.
        policy: &'static str,
        /// The ops that take it.
        takers: &'static [&'static str],
    },
    /// A source of which `masked_assign` cannot tell the meaning.
    #[error(
        "source {source_shape} fits neither one selected position ({rest}), nor a selection by this mask \
         ([{count}] + {rest}), nor the full shape {shape}; for a source that is known to be as long as the \
         selection write `source.unmask(mask, x)`, to take as many as are needed `masked_scatter`"
    )]
    AssignSource {
        /// The shape of the source.
        source_shape: Shape,
        /// The shape of the destination.
        shape: Shape,
        /// The shape of one selected position.
        rest: Shape,
        /// The number of selected positions.
        count: Box<crate::dim::Dim>,
    },
    /// An operation on a list that is empty.
    #[error("at least one operand is needed")]
    NoOperands,
    /// An input declared twice in different ways.
    #[error(
        "input `{name}` is {dtype}{shape} here, but {first_dtype}{first_shape} where it was first {first}"
    )]
    InputConflict {
        /// The name.
        name: String,
        /// The dtype declared here.
        dtype: DType,
        /// The shape declared here.
        shape: Shape,
        /// The dtype declared first.
        first_dtype: DType,
        /// The shape declared first.
        first_shape: Shape,
        /// The line that declared it first.
        first: Origin,
    },
    /// Expressions of different graphs in one operation.
    #[error("expressions of two different graphs cannot be combined")]
    MixedGraphs,
    /// A length that must be a number while building.
    #[error("shape {shape} must be known while building, but is not")]
    UnknownSize {
        /// The shape.
        shape: Shape,
    },
    /// A size that comes from another graph.
    #[error("the size `{0}` belongs to another graph")]
    ForeignSize(crate::dim::Dim),
    /// The name of a dimension that could be read as a number or a formula.
    #[error(
        "{name:?} is not the name of a dimension: a name is a letter or `_`, then letters, digits or `_`; \
         a number is written without quotes, and a computed length comes from `x.dim(axis)`"
    )]
    DimensionName {
        /// The name.
        name: String,
    },
    /// An input without a name.
    #[error("an input needs a name that is not empty, by which it is fed")]
    EmptyName,
    /// An input whose size is neither a number nor a name.
    #[error("the sizes of an input are numbers and names, not `{size}`")]
    InputSize {
        /// The size asked for.
        size: crate::dim::Dim,
    },
    /// A gradient of a loss that is not a scalar.
    #[error(
        "the loss has shape {shape}; a gradient is taken of a scalar: reduce it with `.sum(..)` or `.mean(..)`"
    )]
    NotScalar {
        /// The shape of the loss.
        shape: Shape,
    },
    /// A gradient of, or with respect to, what is not a float.
    #[error("{role} is {dtype}{shape}; gradients exist for f32 and f64 only")]
    NotDifferentiable {
        /// Which expression.
        role: &'static str,
        /// Its dtype.
        dtype: DType,
        /// Its shape.
        shape: Shape,
    },
}

/// The dtype that every scalar of the kind of `value` fits into.
fn roomy(value: Scalar) -> DType {
    if value.dtype().is_float() { DType::F64 } else { DType::I64 }
}

/// The names in quotes: `a`, `b` and `c`.
fn takers_text(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn choice_text(k: i64, length: &crate::dim::Dim) -> String {
    if k < 0 { "k is 0 or more".to_owned() } else { format!("the axis has {length}") }
}

fn size_text(shape: &Shape) -> String {
    shape.size().map_or_else(|error| error.to_string(), |size| size.to_string())
}

/// One error: the op, what is wrong with it, and the line that wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub(crate) kind: ErrorKind,
    pub(crate) op: &'static str,
    pub(crate) origin: Origin,
}

impl Report {
    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The name of the op.
    pub fn op(&self) -> &'static str {
        self.op
    }

    /// Where in the user's program the op comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The line of the user's program.
    pub fn location(&self) -> &'static Location<'static> {
        self.origin.location
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.op, self.kind, self.origin)
    }
}

/// Every error of a graph, in the order of the source.
#[derive(Clone, PartialEq)]
pub struct Error(Box<[Report]>);

impl Error {
    /// `None` if there is no error.
    pub(crate) fn new(reports: &[Report]) -> Option<Error> {
        let mut sorted = reports.to_vec();
        sorted.sort_by_key(|report| {
            let location = report.location();
            (location.file(), location.line(), location.column())
        });
        // An error in a loop is one error.
        sorted.dedup();
        if sorted.is_empty() { None } else { Some(Error(sorted.into())) }
    }

    /// The errors, in the order of the source. Never empty.
    pub fn reports(&self) -> &[Report] {
        &self.0
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
