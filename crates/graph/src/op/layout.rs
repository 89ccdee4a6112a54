//! The same elements, arranged otherwise.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{AxisList, Op, Type};
use crate::dim::{Comparison, Dim, DimError};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, Purpose, common_dtype};
use crate::shape::{Axes, Dims, Shape, Size, Slice, Slices};

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
    Slice(SmallVec<[SliceAxis; 4]>),
    /// The transpose of `Slice`: the operand's elements at evenly spaced places
    /// of every axis, and 0 (or false) elsewhere.
    Pad(SmallVec<[PadAxis; 4]>),
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
    },
    /// The first operand, once the guards that are the other operands have held.
    Checked,
}

/// Which elements of one axis a slice takes: `start, start + step, …`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SliceAxis {
    /// The place of the first element. Meaningless if there is none.
    pub start: Dim,
    /// The distance between elements; negative to run backwards, never 0.
    pub step: i64,
    /// How many elements.
    pub len: Dim,
}

/// Where in one axis a padded tensor stands: `start, start + step, …`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PadAxis {
    /// The place of the first element.
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
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Layout::Reshape(_) => "reshape",
            Layout::BroadcastTo(_) => "broadcast_to",
            Layout::Permute(_) => "permute",
            Layout::Slice(_) => "slice",
            Layout::Pad(_) => "pad",
            Layout::Concat { .. } => "concat",
            Layout::Guard { .. } => "guard",
            Layout::Checked => "checked",
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
                let mut length = Dim::ZERO;
                for operand in operands {
                    length = length.add(&operand.shape[*axis])?;
                }
                x.shape.with(*axis, length)
            }
            Layout::Guard { shape, .. } => shape.clone(),
            Layout::Checked => x.shape.clone(),
        };
        Ok(Type::new(x.dtype, shape))
    }

    /// Arrangements that change nothing, and two of a kind in a row.
    pub(crate) fn simplify<'g>(&self, operands: &[Expr<'g>]) -> Option<Expr<'g>> {
        let x = *operands.first()?;
        let node = x.node();
        let inner = || Expr::new(x.graph(), node.operands[0]);
        let fused = |op: Layout, on: Expr<'g>| x.graph().try_apply(op, &[on]).ok();
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
            (Layout::Reshape(_) | Layout::BroadcastTo(_) | Layout::Permute(_) | Layout::Guard { .. }, _) => {
                None
            }
        }
    }

    pub(crate) fn visit_dims(&self, visit: &mut dyn FnMut(&Dim)) {
        match self {
            Layout::Reshape(shape) | Layout::BroadcastTo(shape) | Layout::Guard { shape, .. } => {
                shape.iter().for_each(visit);
            }
            Layout::Slice(axes) => axes.iter().flat_map(|axis| [&axis.start, &axis.len]).for_each(visit),
            Layout::Pad(axes) => axes.iter().flat_map(|axis| [&axis.start, &axis.size]).for_each(visit),
            Layout::Permute(_) | Layout::Concat { .. } | Layout::Checked => {}
        }
    }

    pub(crate) fn map_dims(&self, map: DimMap<'_>) -> Result<Layout, DimError> {
        let shape = |shape: &Shape| shape.iter().map(map).collect::<Result<Shape, _>>();
        Ok(match self {
            Layout::Reshape(to) => Layout::Reshape(shape(to)?),
            Layout::BroadcastTo(to) => Layout::BroadcastTo(shape(to)?),
            Layout::Guard { shape: to, op } => Layout::Guard { shape: shape(to)?, op },
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
            Layout::Permute(_) | Layout::Concat { .. } | Layout::Checked => self.clone(),
        })
    }

    pub(crate) fn attributes(&self) -> String {
        let join = |parts: Vec<String>| format!("[{}]", parts.join(", "));
        match self {
            Layout::Reshape(shape) | Layout::BroadcastTo(shape) => shape.to_string(),
            Layout::Guard { shape, op } => format!("{shape} for {op}"),
            Layout::Permute(axes) => format!("{:?}", axes.as_slice()),
            Layout::Slice(axes) => join(axes.iter().map(|a| places_text(&a.len, &a.start, a.step)).collect()),
            Layout::Pad(axes) => join(axes.iter().map(|a| places_text(&a.size, &a.start, a.step)).collect()),
            Layout::Concat { axis } => format!("axis={axis}"),
            Layout::Checked => String::new(),
        }
    }
}

/// `3 from 0 by 2`: a length, the first place, and the step unless it is 1.
fn places_text(len: &Dim, start: &Dim, step: i64) -> String {
    let by = if step == 1 { String::new() } else { format!(" by {step}") };
    format!("{len} from {start}{by}")
}

impl Slice {
    /// The elements taken from an axis of length `size`, clamped as in NumPy.
    fn resolve(self, size: &Dim, axis: usize, shape: &Shape) -> Result<SliceAxis, ErrorKind> {
        if self.index {
            return self.resolve_index(size, axis, shape);
        }
        if self.step == 0 || self.step == i64::MIN {
            return Err(ErrorKind::SliceStep);
        }
        // Going backwards, the places between elements are one lower.
        let low = Dim::int(if self.step > 0 { 0 } else { -1 });
        let high = size.add(&low)?;
        let clamp = |bound: i64| -> Result<Dim, DimError> {
            if bound < 0 {
                // max(size + bound, low)
                size.add(&Dim::int(bound))?.sub(&low)?.at_least_zero()?.add(&low)
            } else {
                // min(bound, high)
                high.sub(&high.sub(&Dim::int(bound))?.at_least_zero()?)
            }
        };
        let (first, last) = if self.step > 0 { (&low, &high) } else { (&high, &low) };
        let start = self.start.map_or(Ok(first.clone()), clamp)?;
        let stop = self.stop.map_or(Ok(last.clone()), clamp)?;
        let (from, to) = if self.step > 0 { (&start, &stop) } else { (&stop, &start) };
        let distance = self.distance(from, to, size)?;
        Ok(SliceAxis { len: distance.ceil_div(self.step.abs())?, start, step: self.step })
    }

    /// `max(to − from, 0)`, which needs no maximum where the bounds are ordered
    /// whatever the length is: one is open, or both count from the same end.
    fn distance(self, from: &Dim, to: &Dim, size: &Dim) -> Result<Dim, DimError> {
        let ordered = match (self.start, self.stop) {
            (None, _) | (_, None) => true,
            (Some(a), Some(b)) => ((a < 0) == (b < 0)) && if self.step > 0 { a <= b } else { a >= b },
        };
        if let (Some(a), Some(b)) = (self.start, self.stop)
            && self.step > 0
            && a >= 0
            && b < 0
        {
            // size + b − a, if that is positive.
            return size.add(&Dim::int(b))?.sub(&Dim::int(a))?.at_least_zero();
        }
        let distance = to.sub(from)?;
        if ordered { Ok(distance) } else { distance.at_least_zero() }
    }

    fn resolve_index(self, size: &Dim, axis: usize, shape: &Shape) -> Result<SliceAxis, ErrorKind> {
        let index = self.start.unwrap_or(0);
        if let Some(n) = size.known_int()
            && !(-n..n).contains(&index)
        {
            return Err(ErrorKind::SliceIndex { index, axis, shape: shape.clone() });
        }
        let start = if index < 0 { size.add(&Dim::int(index))? } else { Dim::int(index) };
        Ok(SliceAxis { start, step: 1, len: Dim::ONE })
    }
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
        DimError::Overflow | DimError::TooComplex | DimError::Unbound(_) => error.into(),
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
    /// Reported when the number of elements provably differs or cannot be
    /// inferred; a number that turns out different at run time is an error then.
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
                    let guarded = flat.guard("reshape", [want].into_iter().collect())?;
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
    /// assert_eq!(x.flatten().eval::<i32>()?, ndarray::arr1(&[1, 2, 3, 4]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
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
    /// Reported when `axes` is no permutation of all axes.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [2, 3, 4]);
    /// assert_eq!(x.permute([2, 0, 1]).shape().to_string(), "[4, 2, 3]");
    /// ```
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
                return Err(ErrorKind::Permutation { axes: list.to_vec(), shape });
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
    /// assert_eq!(x.transpose().eval::<i32>()?, ndarray::arr2(&[[1, 3], [2, 4]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn transpose(self) -> Expr<'g> {
        self.build("transpose", &[], || self.apply(Layout::Permute((0..self.rank()).rev().collect())))
    }

    /// Without the given axes, which must have length 1; `..` drops all that
    /// have the literal length 1.
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

    /// With a new axis of length 1 at `axis` of the result.
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
    #[track_caller]
    pub fn unsqueeze(self, axis: i64) -> Expr<'g> {
        self.build("unsqueeze", &[], || {
            let shape = self.shape();
            let at = shape.splice(0..0, &[Dim::ONE]).axis(axis)?;
            self.apply(Layout::Reshape(shape.splice(at..at, &[Dim::ONE])))
        })
    }

    /// Axes added in front and axes of length 1 repeated, to reach `shape`.
    /// The gradient is summed back.
    ///
    /// # Errors
    /// Reported when the shape does not broadcast; lengths that turn out
    /// different at run time are an error then.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.broadcast_to([2, 2]).eval::<i32>()?, ndarray::arr2(&[[1, 2], [1, 2]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_to(self, shape: impl Into<Dims>) -> Expr<'g> {
        let dims = shape.into();
        self.build("broadcast_to", &[], || {
            let shape = dims.to_shape()?;
            self.broadcastable("broadcast_to", &shape)?.apply(Layout::BroadcastTo(shape))
        })
    }

    /// Ranges and indices of the leading axes, as `x[1:, 0]` in NumPy: an index
    /// drops its axis, ranges clamp, negative bounds count from the end.
    ///
    /// # Errors
    /// Reported when there are more slices than axes, a step is 0, or an index
    /// is out of range; on an axis of unknown length the last is a run-time error.
    ///
    /// ```
    /// use tamis::prelude::*;
    /// use tamis::Slice;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.slice((.., 1..)).eval::<i32>()?, ndarray::arr2(&[[2, 3], [5, 6]]).into_dyn());
    /// assert_eq!(x.slice((-1, ..)).eval::<i32>()?, ndarray::arr1(&[4, 5, 6]).into_dyn());
    /// let backwards = x.slice((0, Slice::from(..).by(-1)));
    /// assert_eq!(backwards.eval::<i32>()?, ndarray::arr1(&[3, 2, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(self, slices: impl Into<Slices>) -> Expr<'g> {
        let slices = slices.into();
        self.build("slice", &[], || {
            let shape = self.shape();
            if slices.0.len() > shape.rank() {
                return Err(ErrorKind::SliceCount { count: slices.0.len(), shape });
            }
            let slice_of = |axis: usize| slices.0.get(axis).copied().unwrap_or(Slice::from(..));
            let axes = (0..shape.rank()).map(|axis| slice_of(axis).resolve(&shape[axis], axis, &shape));
            let axes = axes.collect::<Result<SmallVec<[SliceAxis; 4]>, _>>()?;
            let kept = axes.iter().enumerate().filter(|(axis, _)| !slice_of(*axis).index);
            let kept = kept.map(|(_, axis)| axis.len.clone()).collect();
            self.apply(Layout::Slice(axes))?.apply(Layout::Reshape(kept))
        })
    }

    /// A range or an index of one axis; see [`Expr::slice`].
    ///
    /// # Errors
    /// As for [`Expr::slice`], and when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let scores = graph.constant([[0.9, 1.0], [0.3, 2.0]]);
    /// let first = scores.slice_axis(-1, 0);
    /// assert_eq!(first.eval::<f64>()?, ndarray::arr1(&[0.9, 0.3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn slice_axis(self, axis: i64, slice: impl Into<Slice>) -> Expr<'g> {
        let slice = slice.into();
        self.build("slice_axis", &[], || {
            let axis = self.shape().axis(axis)?;
            let mut slices = vec![Slice::from(..); axis];
            slices.push(slice);
            Ok(self.slice(slices))
        })
    }
}

impl Graph {
    /// The expressions one after another along `axis`. All promote to one dtype;
    /// the other lengths must be equal. The gradient is sliced.
    ///
    /// # Errors
    /// Reported when there are none, when the axis is out of range or the shapes
    /// do not fit.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// let mask = x.gt(1);
    /// let parts = graph.concat([x.boolean_mask(mask), x.boolean_mask(!mask)], 0);
    /// assert_eq!(parts.dim(0).known(), Some(3));
    /// assert_eq!(parts.eval::<i32>()?, ndarray::arr1(&[2, 3, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn concat<'g>(&'g self, exprs: impl IntoIterator<Item = Expr<'g>>, axis: i64) -> Expr<'g> {
        let exprs: Vec<Expr<'g>> = exprs.into_iter().collect();
        self.build("concat", &exprs, || try_concat("concat", &exprs, axis))
    }

    /// The expressions on a new axis at `axis` of the result. All promote to one
    /// dtype and have one shape. The gradient is sliced.
    ///
    /// # Errors
    /// As for [`Graph::concat`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// let pairs = graph.stack([x, x * 10], 1);
    /// assert_eq!(pairs.eval::<i32>()?, ndarray::arr2(&[[1, 10], [2, 20]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn stack<'g>(&'g self, exprs: impl IntoIterator<Item = Expr<'g>>, axis: i64) -> Expr<'g> {
        let exprs: Vec<Expr<'g>> = exprs.into_iter().collect();
        self.build("stack", &exprs, || {
            let rows: Vec<Expr<'g>> = exprs.iter().map(|expr| expr.unsqueeze(axis)).collect();
            match rows.iter().find(|row| row.is_poisoned()) {
                Some(poisoned) => Ok(*poisoned),
                None => try_concat("stack", &rows, axis),
            }
        })
    }
}

fn try_concat<'g>(op: &'static str, exprs: &[Expr<'g>], axis: i64) -> Result<Expr<'g>, ErrorKind> {
    let operands: Vec<Operand<'g>> = exprs.iter().map(Operand::from).collect();
    let dtype = common_dtype(&operands, Purpose::Arithmetic)?;
    let (graph, first) =
        exprs.first().map(|expr| (expr.graph(), expr.shape())).ok_or(ErrorKind::NoOperands)?;
    let axis = first.axis(axis)?;
    let mut parts = Vec::with_capacity(exprs.len());
    for operand in operands {
        let part = operand.to_expr(graph, dtype)?;
        let mismatch = || ErrorKind::ShapeMismatch {
            left: first.clone(),
            right: part.shape(),
            reason: "away from the axis, all lengths must be equal",
        };
        if part.rank() != first.rank() {
            return Err(mismatch());
        }
        let others = (0..first.rank()).filter(|i| *i != axis).map(|i| (i, first[i].clone()));
        parts.push(part.unify(op, others, mismatch)?);
    }
    graph.try_apply(Layout::Concat { axis }, &parts)
}
