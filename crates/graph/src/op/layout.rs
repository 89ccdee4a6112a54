//! The same elements, arranged otherwise.

use std::sync::Arc;

use super::row::Domain::Any;
use super::row::{Fails, Row, row};
use super::{AxisList, Op, Type};
use crate::axis::{Axes, Axis};
use crate::dim::{Comparison, Dim, DimError};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::shape::{Dims, Shape, Size};

/// An arrangement. Target shapes are attributes; sizes in them may be symbolic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Layout {
    /// The same elements in row-major order under another shape.
    Reshape(Shape),
    /// Axes added in front, and axes of length 1 repeated.
    BroadcastTo(Shape),
    /// Result axis `i` is operand axis `axes[i]`.
    Permute(AxisList),
    /// Evenly spaced elements of every axis.
    Slice(Vec<SliceAxis>),
    /// The transpose of `Slice`: the operand's elements at evenly spaced positions of
    /// every axis, and 0 (or false) elsewhere.
    Pad(Vec<PadAxis>),
    /// The operands one after another along an axis.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// The same tensor under lengths that a run checks to be its own.
    Guard {
        /// The lengths.
        shape: Shape,
        /// The builder that needs them to be equal.
        op: &'static str,
        /// Whether the lengths are those of an operand that was written before this
        /// one: errors name the lengths in the order of the operands.
        is_second: bool,
    },
    /// The first operand, once the guards that are the other operands have held.
    Checked,
    /// Operands `x, mask`: `x`, once every element of the mask was found true.
    Assert {
        /// What the error says.
        message: Arc<str>,
        /// The index in the graph, by which two asserts differ.
        index: usize,
    },
}

/// Which elements of one axis a slice takes: `start, start + step, …`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SliceAxis {
    /// The index of the first element. Meaningless if there is none.
    pub start: Dim,
    /// The distance between elements; negative to run backwards, never 0.
    pub step: i64,
    /// How many elements.
    pub len: Dim,
}

/// Where in one axis a padded tensor stands: `start, start + step, …`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PadAxis {
    /// The index of the first element.
    pub start: Dim,
    /// The distance between elements; negative to run backwards, never 0.
    pub step: i64,
    /// The length of the padded axis.
    pub size: Dim,
}

impl From<Layout> for Op {
    fn from(op: Layout) -> Op {
        Op::Layout(op)
    }
}

type DimMap<'a> = &'a dyn Fn(&Dim) -> Result<Dim, DimError>;

impl Layout {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Layout::Reshape(_) => row("reshape", Any, 1).fails(Fails::Condition),
            Layout::BroadcastTo(_) => row("broadcast_to", Any, 1).fails(Fails::Condition),
            Layout::Permute(_) => row("permute", Any, 1),
            Layout::Slice(_) => row("slice", Any, 1).fails(Fails::Condition),
            Layout::Pad(_) => row("pad", Any, 1).fails(Fails::Condition),
            Layout::Concat { .. } => row("concat", Any, 1),
            Layout::Guard { .. } => row("guard", Any, 1).fails(Fails::Condition),
            // Its checks are operands.
            Layout::Checked => row("checked", Any, 1),
            Layout::Assert { .. } => row("assert_that", Any, 1).fails(Fails::Condition),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let x = operands.first().ok_or(ErrorKind::NoOperands)?;
        let shape = match self {
            Layout::Reshape(to) => {
                if x.shape.size()? != to.size()? {
                    return Err(ErrorKind::Reshape { from: x.shape.clone(), to: to.clone() });
                }
                to.clone()
            }
            Layout::BroadcastTo(to) => {
                if super::broadcast_pair(&x.shape, to)? != *to {
                    return Err(ErrorKind::BroadcastTo { from: x.shape.clone(), to: to.clone() });
                }
                to.clone()
            }
            Layout::Permute(axes) => axes.iter().map(|axis| x.shape[*axis].clone()).collect(),
            Layout::Slice(axes) => axes.iter().map(|axis| axis.len.clone()).collect(),
            Layout::Pad(axes) => axes.iter().map(|axis| axis.size.clone()).collect(),
            Layout::Concat { axis } => {
                let length = Dim::sum(operands.iter().map(|operand| &operand.shape[*axis]))?;
                x.shape.with(*axis, length.limited(2 * operands.len())?)
            }
            Layout::Guard { shape, .. } => shape.clone(),
            Layout::Checked | Layout::Assert { .. } => x.shape.clone(),
        };
        Ok(Type::new(x.dtype, shape))
    }

    /// Removes identities, and merges two consecutive arrangements of one kind, unless a user
    /// may differentiate by the first of them: then merging is left to the plan.
    pub(crate) fn simplify<'g>(&self, operands: &[Expr<'g>]) -> Option<Expr<'g>> {
        let x = *operands.first()?;
        let node = x.node();
        let inner = || Expr::new(x.graph(), node.operands[0]);
        let is_between =
            node.dtype.is_float() && (x.graph().is_held(x.id()) || x.graph().is_called_by_user());
        let fused = |op: Layout, on: Expr<'g>| {
            if is_between { None } else { x.graph().try_apply(op, &[on]).ok() }
        };
        match (self, &node.op) {
            (Layout::Reshape(to) | Layout::BroadcastTo(to) | Layout::Guard { shape: to, .. }, _)
                if *to == node.shape =>
            {
                Some(x)
            }
            (Layout::Reshape(to), Op::Layout(Layout::Reshape(_))) => {
                fused(Layout::Reshape(to.clone()), inner())
            }
            (Layout::BroadcastTo(to), Op::Layout(Layout::BroadcastTo(_))) => {
                fused(Layout::BroadcastTo(to.clone()), inner())
            }
            (Layout::Permute(axes), _) if axes.iter().enumerate().all(|(i, axis)| i == *axis) => Some(x),
            (Layout::Permute(axes), Op::Layout(Layout::Permute(first))) => {
                fused(Layout::Permute(axes.iter().map(|axis| first[*axis]).collect()), inner())
            }
            (Layout::Slice(axes), _) => {
                let whole = |(axis, dim): (&SliceAxis, &Dim)| {
                    axis.step == 1 && axis.start == Dim::ZERO && axis.len == *dim
                };
                axes.iter().zip(node.shape.iter()).all(whole).then_some(x)
            }
            (Layout::Pad(axes), _) => {
                let whole = |(axis, dim): (&PadAxis, &Dim)| {
                    axis.step == 1 && axis.start == Dim::ZERO && axis.size == *dim
                };
                axes.iter().zip(node.shape.iter()).all(whole).then_some(x)
            }
            (Layout::Concat { .. } | Layout::Checked, _) => (operands.len() == 1).then_some(x),
            (
                Layout::Reshape(_)
                | Layout::BroadcastTo(_)
                | Layout::Permute(_)
                | Layout::Guard { .. }
                | Layout::Assert { .. },
                _,
            ) => None,
        }
    }

    pub(crate) fn visit_dims(&self, visit: &mut dyn FnMut(&Dim)) {
        match self {
            Layout::Reshape(shape) | Layout::BroadcastTo(shape) | Layout::Guard { shape, .. } => {
                shape.iter().for_each(visit);
            }
            Layout::Slice(axes) => axes.iter().flat_map(|axis| [&axis.start, &axis.len]).for_each(visit),
            Layout::Pad(axes) => axes.iter().flat_map(|axis| [&axis.start, &axis.size]).for_each(visit),
            Layout::Permute(_) | Layout::Concat { .. } | Layout::Checked | Layout::Assert { .. } => {}
        }
    }

    pub(crate) fn map_dims(&self, map: DimMap<'_>) -> Result<Layout, DimError> {
        let shape = |shape: &Shape| shape.iter().map(map).collect::<Result<Shape, _>>();
        Ok(match self {
            Layout::Reshape(to) => Layout::Reshape(shape(to)?),
            Layout::BroadcastTo(to) => Layout::BroadcastTo(shape(to)?),
            Layout::Guard { shape: to, op, is_second } => {
                Layout::Guard { shape: shape(to)?, op, is_second: *is_second }
            }
            Layout::Slice(axes) => {
                let axes = axes.iter().map(|axis| {
                    Ok(SliceAxis { start: map(&axis.start)?, step: axis.step, len: map(&axis.len)? })
                });
                Layout::Slice(axes.collect::<Result<_, DimError>>()?)
            }
            Layout::Pad(axes) => {
                let axes = axes.iter().map(|axis| {
                    Ok(PadAxis { start: map(&axis.start)?, step: axis.step, size: map(&axis.size)? })
                });
                Layout::Pad(axes.collect::<Result<_, DimError>>()?)
            }
            Layout::Permute(_) | Layout::Concat { .. } | Layout::Checked | Layout::Assert { .. } => {
                self.clone()
            }
        })
    }

    pub(crate) fn attributes(&self) -> String {
        let join = |parts: Vec<String>| format!("[{}]", parts.join(", "));
        match self {
            Layout::Reshape(shape) | Layout::BroadcastTo(shape) => shape.to_string(),
            Layout::Guard { shape, op, .. } => format!("{shape} for {op}"),
            Layout::Permute(axes) => format!("{:?}", axes.as_slice()),
            Layout::Slice(axes) => join(axes.iter().map(|a| starts_text(&a.len, &a.start, a.step)).collect()),
            Layout::Pad(axes) => join(axes.iter().map(|a| starts_text(&a.size, &a.start, a.step)).collect()),
            Layout::Concat { axis } => format!("axis={axis}"),
            Layout::Checked => String::new(),
            Layout::Assert { message, .. } => format!("{message:?}"),
        }
    }
}

/// `3 from 0 by 2`: a length, the first position, and the step unless it is 1.
fn starts_text(len: &Dim, start: &Dim, step: i64) -> String {
    let by = if step == 1 { String::new() } else { format!(" by {step}") };
    format!("{len} from {start}{by}")
}

/// The shape that `dims` mean for a tensor of shape `from`, with one `-1` inferred.
fn reshaped(from: &Shape, dims: &Dims) -> Result<Shape, ErrorKind> {
    let inferred = |size: &&Size| matches!(size, Size::Int(-1));
    let refuse = |reason| ErrorKind::InferredSize { from: from.clone(), to: sizes_text(dims), reason };
    match dims.0.iter().filter(inferred).count() {
        0 => return dims.to_shape(),
        1 => {}
        _ => return Err(refuse("there is more than one")),
    }
    let others: Shape =
        dims.0.iter().filter(|size| !inferred(size)).map(Size::to_dim).collect::<Result<_, _>>()?;
    let others = others.size()?;
    if others == Dim::ZERO {
        return Err(refuse("the other sizes have no elements"));
    }
    let rest = from.size()?.quotient(&others).map_err(|error| match error {
        DimError::Inexact { .. } => refuse("the number of elements cannot be divided by the other sizes"),
        DimError::Overflow
        | DimError::TooLarge { .. }
        | DimError::TooComplex
        | DimError::TooManyTerms { .. }
        | DimError::Unbound(_) => error.into(),
    })?;
    dims.0.iter().map(|size| if inferred(&size) { Ok(rest.clone()) } else { size.to_dim() }).collect()
}

fn sizes_text(dims: &Dims) -> String {
    let text = |size: &Size| match size {
        Size::Int(n) => n.to_string(),
        Size::Name(name) => name.to_string(),
        Size::Dim(dim) => dim.to_string(),
    };
    format!("[{}]", dims.0.iter().map(text).collect::<Vec<_>>().join(", "))
}

impl<'g> Expr<'g> {
    /// The same elements in row-major order under another shape; one size may
    /// be `-1` and is inferred.
    ///
    /// # Errors
    /// Reported when the number of elements provably differs or cannot be inferred; a number that
    /// turns out to differ is an error of the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", dims!["n", 4]);
    /// assert_eq!(x.reshape([-1, 2]).shape().to_string(), "[2*n, 2]");
    /// ```
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Dims>) -> Expr<'g> {
        let dims = shape.into();
        self.build("reshape", &[], || {
            let from = self.shape();
            let to = reshaped(&from, &dims)?;
            let (have, want) = (from.size()?, to.size()?);
            match have.compare(&want) {
                Comparison::Equal => self.apply(Layout::Reshape(to)),
                Comparison::Different => Err(ErrorKind::Reshape { from, to }),
                Comparison::Unknown => {
                    let flat = self.apply(Layout::Reshape([have].into_iter().collect()))?;
                    let guarded = flat.guard("reshape", [want].into_iter().collect(), false)?;
                    guarded.apply(Layout::Reshape(to))
                }
            }
        })
    }

    /// All elements in row-major order on one axis. A scalar gives one element.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// assert_eq!(x.flatten().eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 3, 4]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("ravel"))]
    #[track_caller]
    pub fn flatten(self) -> Expr<'g> {
        self.build("flatten", &[], || {
            let size = self.shape().size()?;
            self.apply(Layout::Reshape([size].into_iter().collect()))
        })
    }

    /// The axes in another order: result axis `i` is axis `axes[i]` of `self`.
    ///
    /// # Errors
    /// Reported when `axes` is not a permutation of all axes.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [2, 3, 4]);
    /// assert_eq!(x.permute([2, 0, 1]).shape().to_string(), "[4, 2, 3]");
    /// ```
    #[doc(alias("transpose"))]
    #[track_caller]
    pub fn permute(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("permute", &[], || {
            let shape = self.shape();
            let Some(list) = &axes.list else { return Ok(self) };
            let resolved = list.iter().map(|axis| shape.axis(*axis)).collect::<Result<AxisList, _>>();
            let mut sorted = resolved.clone().unwrap_or_default();
            sorted.sort_unstable();
            if !sorted.iter().copied().eq(0..shape.rank()) {
                return Err(ErrorKind::Permutation { axes: axes.numbers(), shape });
            }
            self.apply(Layout::Permute(resolved?))
        })
    }

    /// The axes in reverse order: NumPy's `.T`.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// assert_eq!(x.transpose().eval::<i32>()?, tamis::ndarray::arr2(&[[1, 3], [2, 4]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("T"))]
    #[track_caller]
    pub fn transpose(self) -> Expr<'g> {
        self.build("transpose", &[], || self.apply(Layout::Permute((0..self.rank()).rev().collect())))
    }

    /// The tensor without the given axes, which must have length 1; `..` drops all that have the
    /// literal length 1.
    ///
    /// # Errors
    /// Reported when an axis is out of range, repeated, or not of length 1.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [1, 3, 1]);
    /// assert_eq!(x.squeeze(-1).shape().to_string(), "[1, 3]");
    /// assert_eq!(x.squeeze(..).shape().to_string(), "[3]");
    /// ```
    #[track_caller]
    pub fn squeeze(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("squeeze", &[], || {
            let shape = self.shape();
            let list = match axes.list {
                Some(_) => axes.resolve(&shape)?,
                None => (0..shape.rank()).filter(|axis| shape[*axis].is_one()).collect(),
            };
            let kept: Shape = shape
                .iter()
                .enumerate()
                .filter(|(i, _)| !list.contains(i))
                .map(|(_, dim)| dim.clone())
                .collect();
            if list.iter().any(|axis| !shape[*axis].is_one()) {
                let reason = "only axes of length 1 can be dropped";
                return Err(ErrorKind::ShapeMismatch { left: shape, right: kept, reason });
            }
            self.apply(Layout::Reshape(kept))
        })
    }

    /// The tensor with a new axis of length 1, which is `axis` of the result.
    ///
    /// # Errors
    /// Reported when the axis is out of range for the result.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [2, 3]);
    /// assert_eq!(x.unsqueeze(-1).shape().to_string(), "[2, 3, 1]");
    /// ```
    #[doc(alias("expand_dims"))]
    #[track_caller]
    pub fn unsqueeze(self, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("unsqueeze", &[], || {
            let shape = self.shape();
            let at = shape.splice(0..0, &[Dim::ONE]).axis(axis);
            let at = at.map_err(|_| ErrorKind::NewAxis { axis: axis.number(), shape: shape.clone() })?;
            self.apply(Layout::Reshape(shape.splice(at..at, &[Dim::ONE])))
        })
    }

    /// The tensor with axes added in front and axes of length 1 repeated, to reach `shape`. The
    /// gradient is summed over the added and repeated axes.
    ///
    /// # Errors
    /// Reported when the shape does not broadcast; lengths that turn out to differ are an error of
    /// the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.broadcast_to([2, 2]).eval::<i32>()?, tamis::ndarray::arr2(&[[1, 2], [1, 2]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("expand"))]
    #[track_caller]
    pub fn broadcast_to(self, shape: impl Into<Dims>) -> Expr<'g> {
        let dims = shape.into();
        self.build("broadcast_to", &[], || {
            let shape = dims.to_shape()?;
            self.broadcastable_as("broadcast_to", false, &shape)?.apply(Layout::BroadcastTo(shape))
        })
    }
}
