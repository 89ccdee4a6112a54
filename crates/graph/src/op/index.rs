//! Reading and writing at computed indices.

use std::sync::Arc;

use super::row::Domain::Any;
use super::row::{Fails, KinkAt, Row, row};
use super::select::where_;
use super::{Layout, Op, Type};
use crate::align::{OF_TENSOR, Ones, Readings};
use crate::axis::Axis;
use crate::dim::Dim;
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, cast};
use crate::shape::Shape;

/// Reading and writing at computed indices. Indices are i64 and may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Index {
    /// Operands `x, indices`: the addressed elements or slices.
    Gather(Addressing),
    /// Operands `x, indices, updates`: `x` with the updates, which have the shape of a
    /// gather, written to their positions.
    Scatter {
        /// How indices address `x`.
        addressing: Addressing,
        /// How an update is combined with the element it is written to.
        combine: Combine,
    },
}

/// How indices address a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Addressing {
    /// Each index names a slice of this axis; the indices' axes replace it.
    Axis(usize),
    /// The indices have the rank of the tensor; each names an element along this axis, and
    /// on the other axes its own position counts.
    AlongAxis(usize),
    /// Each row of the last axis of the indices names a slice of the leading axes.
    Nd,
}

/// What a scatter does where it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Combine {
    /// Overwrites; of duplicates the last in row-major order wins.
    Set,
    /// Adds, in the order of the indices.
    Add,
    /// Multiplies, in the order of the indices.
    Mul,
    /// Keeps the largest; NaN if there is one.
    Max,
    /// Keeps the smallest; NaN if there is one.
    Min,
    /// Logical or, of bools.
    Or,
}

impl From<Index> for Op {
    fn from(op: Index) -> Op {
        Op::Index(op)
    }
}

impl Index {
    pub(crate) const fn row(&self) -> Row {
        let row = row(self.name(), Any, 1).fails(Fails::OutOfRange);
        match self {
            Index::Scatter { combine: Combine::Max | Combine::Min, .. } => row.kink(KinkAt::Scattered),
            Index::Gather(_)
            | Index::Scatter { combine: Combine::Set | Combine::Add | Combine::Mul | Combine::Or, .. } => row,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Index::Gather(Addressing::Axis(_)) => "gather",
            Index::Gather(Addressing::AlongAxis(_)) => "take_along_axis",
            Index::Gather(Addressing::Nd) => "gather_nd",
            Index::Scatter { addressing, combine } => match (combine, addressing) {
                (Combine::Set, Addressing::Axis(_)) => "scatter_set",
                (Combine::Set, Addressing::AlongAxis(_)) => "scatter_set_along_axis",
                (Combine::Set, Addressing::Nd) => "scatter_nd_set",
                (Combine::Add, Addressing::Axis(_)) => "scatter_add",
                (Combine::Add, Addressing::AlongAxis(_)) => "scatter_add_along_axis",
                (Combine::Add, Addressing::Nd) => "scatter_nd_add",
                (Combine::Mul, Addressing::Axis(_)) => "scatter_mul",
                (Combine::Mul, Addressing::AlongAxis(_)) => "scatter_mul_along_axis",
                (Combine::Mul, Addressing::Nd) => "scatter_nd_mul",
                (Combine::Max, Addressing::Axis(_)) => "scatter_max",
                (Combine::Max, Addressing::AlongAxis(_)) => "scatter_max_along_axis",
                (Combine::Max, Addressing::Nd) => "scatter_nd_max",
                (Combine::Min, Addressing::Axis(_)) => "scatter_min",
                (Combine::Min, Addressing::AlongAxis(_)) => "scatter_min_along_axis",
                (Combine::Min, Addressing::Nd) => "scatter_nd_min",
                (Combine::Or, Addressing::Axis(_)) => "scatter_or",
                (Combine::Or, Addressing::AlongAxis(_)) => "scatter_or_along_axis",
                (Combine::Or, Addressing::Nd) => "scatter_nd_or",
            },
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let (x, indices) = (&operands[0], &operands[1]);
        match self {
            Index::Gather(addressing) => {
                Ok(Type::new(x.dtype, addressing.addressed(&x.shape, &indices.shape)?))
            }
            Index::Scatter { addressing, .. } => {
                let updates = &operands[2].shape;
                let expected = addressing.addressed(&x.shape, &indices.shape)?;
                if *updates != expected {
                    return Err(ErrorKind::BroadcastTo { from: updates.clone(), to: expected });
                }
                Ok(Type::new(x.dtype, x.shape.clone()))
            }
        }
    }

    pub(crate) fn attributes(&self) -> String {
        let (Index::Gather(addressing) | Index::Scatter { addressing, .. }) = self;
        match addressing {
            Addressing::Axis(axis) | Addressing::AlongAxis(axis) => format!("axis={axis}"),
            Addressing::Nd => String::new(),
        }
    }
}

impl Addressing {
    /// The shape of what the indices address in a tensor of shape `x`.
    fn addressed(self, x: &Shape, indices: &Shape) -> Result<Shape, ErrorKind> {
        match self {
            Addressing::Axis(axis) => Ok(x.splice(axis..axis + 1, indices)),
            Addressing::AlongAxis(axis) => {
                let same = |(i, (a, b)): (usize, (&Dim, &Dim))| i == axis || a == b;
                if indices.rank() == x.rank() && x.iter().zip(indices.iter()).enumerate().all(same) {
                    return Ok(indices.clone());
                }
                let reason = "away from the axis, the indices must have the lengths of the tensor, or 1";
                Err(ErrorKind::ShapeMismatch { left: x.clone(), right: indices.clone(), reason })
            }
            Addressing::Nd => {
                let refuse = || ErrorKind::IndexDepth { indices: indices.clone(), shape: x.clone() };
                let (depth, outer) = indices.split_last().ok_or_else(refuse)?;
                let depth = depth.known().filter(|depth| *depth <= x.rank()).ok_or_else(refuse)?;
                Ok(outer.iter().chain(&x[depth..]).cloned().collect())
            }
        }
    }
}

/// Indices are integers of any dtype. What `of_mask` says is how to write the
/// same by a mask.
pub(super) fn to_indices<'g>(indices: Expr<'g>, of_mask: &'static str) -> Result<Expr<'g>, ErrorKind> {
    let expected = match indices.dtype() {
        DType::U8 | DType::I32 | DType::I64 => return cast(indices, DType::I64),
        DType::Bool => of_mask,
        DType::F32 | DType::F64 => "indices are integers: write `.cast(DType::I64)`",
    };
    Err(ErrorKind::DType { dtype: indices.dtype(), shape: indices.shape(), expected })
}

const READ_BY_MASK: &str = "indices are integers; to select by a mask write `boolean_mask`";
pub(super) const WRITE_BY_MASK: &str = "indices are integers; to write under a mask write `masked_assign`";

fn gather<'g>(addressing: Addressing, x: Expr<'g>, indices: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
    let indices = to_indices(indices, READ_BY_MASK)?;
    let [x, indices] = match addressing {
        Addressing::AlongAxis(axis) => align_along(axis, x, indices, true)?,
        Addressing::Axis(_) | Addressing::Nd => [x, indices],
    };
    x.graph().try_apply(Index::Gather(addressing), &[x, indices])
}

/// The tensor and the indices broadcast together on all axes but `axis`; the
/// tensor only if it is read, since a written one keeps its shape.
fn align_along<'g>(
    axis: usize,
    x: Expr<'g>,
    indices: Expr<'g>,
    read: bool,
) -> Result<[Expr<'g>; 2], ErrorKind> {
    let (own, other) = (x.shape(), indices.shape());
    let mismatch = || match shorter_axis(axis, &own, &other) {
        Some(axis) => ErrorKind::FewerIndices { indices: other.clone(), shape: own.clone(), axis },
        None => ErrorKind::ShapeMismatch {
            left: own.clone(),
            right: other.clone(),
            reason: "away from the axis, the indices must have the lengths of the tensor, or 1",
        },
    };
    if own.rank() != other.rank() {
        return Err(mismatch());
    }
    let axes = || (0..own.rank()).filter(|i| *i != axis);
    let shared = axes().filter(|i| !(other[*i].is_one() || read && own[*i].is_one()));
    let indices = indices.unify_second("take_along_axis", shared.map(|i| (i, own[i].clone())), mismatch)?;
    let common: Shape = (0..own.rank())
        .map(|i| if i == axis || own[i].is_one() { indices.shape()[i].clone() } else { own[i].clone() })
        .collect();
    let x_shape = common.with(axis, own[axis].clone());
    let x = if read { x.apply(Layout::BroadcastTo(x_shape))? } else { x };
    Ok([x, indices.apply(Layout::BroadcastTo(common))?])
}

/// The first axis other than `axis` along which there are fewer indices than
/// the tensor is long. PyTorch takes as many rows as there are indices; but one
/// row of indices broadcasts, so that two of three would mean something else.
fn shorter_axis(axis: usize, x: &Shape, indices: &Shape) -> Option<usize> {
    let known = |i: usize| Some((x[i].known()?, indices[i].known()?));
    let is_shorter = |i: &usize| known(*i).is_some_and(|(length, indices)| indices < length && indices != 1);
    if x.rank() == indices.rank() { (0..x.rank()).filter(|i| *i != axis).find(is_shorter) } else { None }
}

pub(super) fn scatter<'g>(
    op: Index,
    x: Expr<'g>,
    indices: Expr<'g>,
    updates: Operand<'g>,
) -> Result<Expr<'g>, ErrorKind> {
    let Index::Scatter { addressing, .. } = op else { unreachable!("gathers are not written") };
    let indices = to_indices(indices, WRITE_BY_MASK)?;
    let [x, indices] = match addressing {
        Addressing::AlongAxis(axis) => align_along(axis, x, indices, false)?,
        Addressing::Axis(_) | Addressing::Nd => [x, indices],
    };
    let shape = addressing.addressed(&x.shape(), &indices.shape())?;
    let updates =
        updates.assigned_into(x)?.broadcastable(op.name(), &shape)?.apply(Layout::BroadcastTo(shape))?;
    x.graph().try_apply(op, &[x, indices, updates])
}

impl<'g> Expr<'g> {
    /// The slices of `axis` that the indices name: `x.shape[..axis] +
    /// indices.shape + x.shape[axis + 1..]`; TensorFlow's `gather`, NumPy's
    /// `take`, PyTorch's `index_select`.
    ///
    /// Indices are integers of any dtype in `-n..n` (u8 too: a mask is bool); none give
    /// an empty result. The gradient
    /// is `scatter_add`: what is read twice gets both, what is not read gets
    /// exactly 0.
    ///
    /// # Errors
    /// Reported when the indices are not integers or the axis is out of range. An index out of
    /// range is an error at run time, with its position and value.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([10, 20, 30]);
    /// let indices = graph.constant([2, 0, -1]);
    /// assert_eq!(x.gather(indices, 0).eval::<i32>()?, tamis::ndarray::arr1(&[30, 10, 30]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("take", "index_select"))]
    #[track_caller]
    pub fn gather(self, indices: Expr<'g>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("gather", &[indices], || gather(Addressing::Axis(self.shape().axis(axis)?), self, indices))
    }

    /// `out[i, j] = x[i, indices[i, j]]` for `axis` 1, and so on: one element
    /// for each index; PyTorch's `gather`. Away from the axis, lengths of 1 broadcast.
    ///
    /// The gradient is `scatter_add_along_axis`.
    ///
    /// # Errors
    /// As for [`Expr::gather`], and when the ranks or the other lengths differ.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// let best = graph.constant([[1], [0]]);
    /// assert_eq!(x.take_along_axis(best, 1).eval::<i32>()?, tamis::ndarray::arr2(&[[2], [3]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("gather"))]
    #[track_caller]
    pub fn take_along_axis(self, indices: Expr<'g>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("take_along_axis", &[indices], || {
            gather(Addressing::AlongAxis(self.shape().axis(axis)?), self, indices)
        })
    }

    /// The slices that the rows of `indices` name: row `[i, j]` names `x[i, j]`.
    /// Shape `indices.shape[..-1] + x.shape[k..]` for rows of length `k`.
    ///
    /// Every coordinate is checked against its own axis. The gradient is `scatter_nd_add`.
    ///
    /// # Errors
    /// As for [`Expr::gather`], and when `k` is not a number or above the rank.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// let indices = graph.constant([[0, 1], [1, 0]]);
    /// assert_eq!(x.gather_nd(indices).eval::<i32>()?, tamis::ndarray::arr1(&[2, 3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn gather_nd(self, indices: Expr<'g>) -> Expr<'g> {
        self.build("gather_nd", &[indices], || gather(Addressing::Nd, self, indices))
    }
}

/// What a gather gives for an index out of range.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum OutOfRange<'g> {
    /// The nearest element: indices clip to `0..n`, and negative ones to 0.
    Clip,
    /// This scalar. Indices still count from the end when in `-n..0`.
    Fill(Operand<'g>),
}

impl<'g> Expr<'g> {
    /// [`Expr::gather`] with a choice of what an index out of range reads, instead of an error.
    /// `Clip` still fails at run time on an axis of length 0. The fill gets the gradient of the
    /// elements that it gave.
    ///
    /// # Errors
    /// As for [`Expr::gather`], and when the fill does not fit the dtype.
    ///
    /// ```
    /// use tamis::{OutOfRange, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([10, 20]);
    /// let indices = graph.constant([1, 7, -9]);
    /// let clipped = x.gather_or(indices, OutOfRange::Clip, 0);
    /// assert_eq!(clipped.eval::<i32>()?, tamis::ndarray::arr1(&[20, 20, 10]).into_dyn());
    /// let filled = x.gather_or(indices, OutOfRange::Fill((-1).into()), 0);
    /// assert_eq!(filled.eval::<i32>()?, tamis::ndarray::arr1(&[20, -1, -1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn gather_or(
        self,
        indices: Expr<'g>,
        out_of_range: OutOfRange<'g>,
        axis: impl Into<Axis>,
    ) -> Expr<'g> {
        let axis = axis.into();
        self.build("gather_or", &[indices], || {
            let axis = self.shape().axis(axis)?;
            let size = self.shape()[axis].clone();
            let indices = to_indices(indices, READ_BY_MASK)?;
            let n = self.graph().try_size(&size)?;
            let clip = |indices: Expr<'g>| indices.minimum(n - 1).maximum(0);
            let fill = match out_of_range {
                OutOfRange::Clip => return gather(Addressing::Axis(axis), self, clip(indices)),
                OutOfRange::Fill(fill) => fill.assigned_into(self)?,
            };
            // Out of range reads a border element that the fill then covers.
            let inside = indices.ge(-n) & indices.lt(n);
            let bordered =
                self.graph().concat([self, fill.broadcast_to(self.shape().with(axis, Dim::ONE))], axis);
            let indices = where_(inside, where_(indices.lt(0), indices + n, indices), n);
            gather(Addressing::Axis(axis), bordered, indices)
        })
    }
}

/// Writes the three documented builders of one way to combine.
macro_rules! scatter_builders {
    ($($combine:expr, $what:literal, $duplicates:literal, $value:literal:
        $(#[$attribute:meta])* $axis:ident, $along:ident, $nd:ident;)*) => {
        impl<'g> Expr<'g> {$(
            #[doc = concat!("`self` with the updates ", $what, " the slices of `axis` that the indices name.")]
            ///
            #[doc = $duplicates]
            /// Updates broadcast to the shape that [`Expr::gather`] would give, and the
            /// dtype of `self` is kept. Without indices the result is `self`.
            ///
            /// # Errors
            /// Reported when the indices are not integers, the axis is out of range, or the updates
            /// fit neither shape nor dtype. An index out of range is an error at run time.
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([1, 1, 1]);
            /// let indices = graph.constant([2, 2]);
            #[doc = concat!("let y = x.", stringify!($axis), "(indices, graph.constant([5, 7]), 0);")]
            #[doc = concat!("assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr1(&[1, 1, ", $value, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            $(#[$attribute])*
            #[track_caller]
            pub fn $axis(self, indices: Expr<'g>, updates: impl Into<Operand<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
                let axis = axis.into();
                let updates = updates.into();
                let others: Vec<Expr<'g>> = [indices].into_iter().chain(updates.expr()).collect();
                self.build(stringify!($axis), &others, || {
                    let addressing = Addressing::Axis(self.shape().axis(axis)?);
                    scatter(Index::Scatter { addressing, combine: $combine }, self, indices, updates)
                })
            }

            #[doc = concat!("`self` with the updates ", $what, " the elements that [`Expr::take_along_axis`] would read.")]
            ///
            #[doc = $duplicates]
            ///
            /// # Errors
            #[doc = concat!("As for [`Expr::", stringify!($axis), "`].")]
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([1, 1, 1]);
            /// let indices = graph.constant([2, 2]);
            #[doc = concat!("let y = x.", stringify!($along), "(indices, graph.constant([5, 7]), 0);")]
            #[doc = concat!("assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr1(&[1, 1, ", $value, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            #[track_caller]
            pub fn $along(self, indices: Expr<'g>, updates: impl Into<Operand<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
                let axis = axis.into();
                let updates = updates.into();
                let others: Vec<Expr<'g>> = [indices].into_iter().chain(updates.expr()).collect();
                self.build(stringify!($along), &others, || {
                    let addressing = Addressing::AlongAxis(self.shape().axis(axis)?);
                    scatter(Index::Scatter { addressing, combine: $combine }, self, indices, updates)
                })
            }

            #[doc = concat!("`self` with the updates ", $what, " the slices that [`Expr::gather_nd`] would read.")]
            ///
            #[doc = $duplicates]
            ///
            /// # Errors
            #[doc = concat!("As for [`Expr::", stringify!($axis), "`].")]
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([1, 1, 1]);
            /// let indices = graph.constant([[2], [2]]);
            #[doc = concat!("let y = x.", stringify!($nd), "(indices, graph.constant([5, 7]));")]
            #[doc = concat!("assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr1(&[1, 1, ", $value, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            #[track_caller]
            pub fn $nd(self, indices: Expr<'g>, updates: impl Into<Operand<'g>>) -> Expr<'g> {
                let updates = updates.into();
                let others: Vec<Expr<'g>> = [indices].into_iter().chain(updates.expr()).collect();
                self.build(stringify!($nd), &others, || {
                    let op = Index::Scatter { addressing: Addressing::Nd, combine: $combine };
                    scatter(op, self, indices, updates)
                })
            }
        )*}
    };
}

scatter_builders! {
    Combine::Set, "written over",
        "Of duplicate indices the last in row-major order wins, and the gradient goes to the winner alone.", "7":
        #[doc(alias("put_along_axis", "tensor_scatter_nd_update", "scatter", "index_copy"))]
        scatter_set, scatter_set_along_axis, scatter_nd_set;
    Combine::Add, "added to",
        "Duplicate indices accumulate in their order; the gradient of the updates is a gather.", "13":
        #[doc(alias("tensor_scatter_nd_add", "index_add"))]
        scatter_add, scatter_add_along_axis, scatter_nd_add;
    Combine::Mul, "multiplied into",
        "Duplicate indices multiply in their order; the gradient is right with any number of zeros.", "35":
        #[doc(alias("scatter_reduce"))]
        scatter_mul, scatter_mul_along_axis, scatter_nd_mul;
    Combine::Max, "and the larger kept in",
        "NaN wins; ties, among duplicates and with `self` unless it is −∞, share the gradient evenly.", "7":
        #[doc(alias("tensor_scatter_nd_max", "scatter_reduce"))]
        scatter_max, scatter_max_along_axis, scatter_nd_max;
    Combine::Min, "and the smaller kept in",
        "NaN wins; ties, among duplicates and with `self` unless it is ∞, share the gradient evenly.", "1":
        #[doc(alias("tensor_scatter_nd_min", "scatter_reduce"))]
        scatter_min, scatter_min_along_axis, scatter_nd_min;
}

impl<'g> Expr<'g> {
    /// The same expression if its shape broadcasts to `shape`, which follows from
    /// operands before it, with the guards that needs.
    pub(crate) fn broadcastable(self, op: &'static str, shape: &Shape) -> Result<Expr<'g>, ErrorKind> {
        self.broadcastable_as(op, true, shape)
    }

    /// [`Expr::broadcastable`], where `is_second` says whether there are such operands.
    pub(crate) fn broadcastable_as(
        self,
        op: &'static str,
        is_second: bool,
        shape: &Shape,
    ) -> Result<Expr<'g>, ErrorKind> {
        let own = self.shape();
        let mismatch = || ErrorKind::BroadcastTo { from: own.clone(), to: shape.clone() };
        if own.rank() > shape.rank() {
            return Err(mismatch());
        }
        if let Some(readings) = Readings::new(&own, shape, Ones::Operand) {
            readings.take_trailing(&OF_TENSOR)?;
        }
        let added = shape.rank() - own.rank();
        let dims = (0..own.rank()).filter(|i| !own[*i].is_one()).map(|i| (i, shape[i + added].clone()));
        self.unify_as(op, is_second, dims, mismatch)
    }
}
