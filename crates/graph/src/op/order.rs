//! Indices of maxima and minima, and sorting.

use std::sync::Arc;

use super::reduce::reduced_size;
use super::row::Domain::Any;
use super::row::{Fails, Row, row};
use super::{AxisList, Layout, Op, SliceAxis, Type};
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};

use crate::axis::{Axes, Axis};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::op::masked::Masked;
use crate::op::select::where_;

/// What depends on the order of the elements along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Operands `x` or `x, mask`: the first index of the largest element (at
    /// which the mask is true), or of the first NaN.
    Argmax {
        /// The axis, which the result lacks.
        axis: usize,
        /// The index of an empty selection; without it, that is an error.
        if_empty: Option<i64>,
    },
    /// Operands `x` or `x, mask`: the first index of the smallest element (at
    /// which the mask is true), or of the first NaN.
    Argmin {
        /// The axis, which the result lacks.
        axis: usize,
        /// The index of an empty selection; without it, that is an error.
        if_empty: Option<i64>,
    },
    /// The indices in sorted order as i64: equals in the order they have, NaN last.
    Argsort {
        /// The axis.
        axis: usize,
        /// Whether the largest comes first.
        descending: bool,
    },
    /// Operands `x, indices`: the elements of `x` at the indices of its largest ones.
    /// Unlike a gather, ties share the gradient evenly.
    TopK {
        /// The axis.
        axis: usize,
    },
}

impl From<Order> for Op {
    fn from(op: Order) -> Op {
        Op::Order(op)
    }
}

impl Order {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Order::Argmax { if_empty: None, .. } => row("argmax", Any, 1).fails(Fails::EmptySelection),
            Order::Argmin { if_empty: None, .. } => row("argmin", Any, 1).fails(Fails::EmptySelection),
            Order::Argmax { if_empty: Some(_), .. } => row("argmax", Any, 1),
            Order::Argmin { if_empty: Some(_), .. } => row("argmin", Any, 1),
            Order::Argsort { .. } => row("argsort", Any, 1),
            Order::TopK { .. } => row("top_k", Any, 1).fails(Fails::OutOfRange),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let x = &operands[0];
        Ok(match self {
            Order::Argmax { axis, .. } | Order::Argmin { axis, .. } => {
                if let Some(mask) = operands.get(1)
                    && mask.shape != x.shape
                {
                    return Err(ErrorKind::BroadcastTo { from: mask.shape.clone(), to: x.shape.clone() });
                }
                Type::new(DType::I64, x.shape.splice(*axis..axis + 1, &[]))
            }
            Order::Argsort { .. } => Type::new(DType::I64, x.shape.clone()),
            Order::TopK { .. } => Type::new(x.dtype, operands[1].shape.clone()),
        })
    }

    pub(crate) fn attributes(&self) -> String {
        match self {
            Order::Argsort { axis, descending: true } => format!("axis={axis}, descending"),
            Order::Argmax { axis, if_empty: Some(index) } | Order::Argmin { axis, if_empty: Some(index) } => {
                format!("axis={axis}, if_empty={index}")
            }
            Order::Argmax { axis, if_empty: None }
            | Order::Argmin { axis, if_empty: None }
            | Order::Argsort { axis, .. }
            | Order::TopK { axis } => format!("axis={axis}"),
        }
    }
}

/// Merges the axes to search into one, so that `op` finds the row-major index
/// into them; kept axes are there as 1s before it searches, so that the
/// positions of its errors are those of the result.
fn index_of_min_max<'g>(
    operands: &[Expr<'g>],
    axes: &Axes,
    op: impl FnOnce(usize) -> Order,
) -> Result<Expr<'g>, ErrorKind> {
    let x = operands[0];
    let shape = x.shape();
    let searched = axes.resolve(&shape)?;
    let result = axes.reduced(&shape)?;
    let adjacent = searched.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let axis = match searched.first() {
        Some(first) if adjacent => first + if axes.keep { searched.len() } else { 0 },
        Some(_) | None => result.rank(),
    };
    let kept = (0..shape.rank()).filter(|axis| !searched.contains(axis));
    let order: AxisList = kept.chain(searched.iter().copied()).collect();
    let merged = result.splice(axis..axis, &[reduced_size(&shape, axes)?]);
    let merge = |operand: &Expr<'g>| {
        let operand = if adjacent { *operand } else { operand.apply(Layout::Permute(order.clone()))? };
        operand.apply(Layout::Reshape(merged.clone()))
    };
    let operands = operands.iter().map(merge).collect::<Result<Vec<_>, _>>()?;
    x.graph().try_apply(op(axis), &operands)
}

impl<'g> Expr<'g> {
    /// The index of the largest element over `axes`, as i64: the first of equals,
    /// or the first NaN. Over several axes it is the row-major index into these
    /// axes, and with `..` into the flattened tensor. No gradient.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. Over no elements it is an error at run
    /// time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 5, 5], [7, 2, 3]]);
    /// assert_eq!(x.argmax(1).eval::<i64>()?, tamis::ndarray::arr1(&[1, 0]).into_dyn());
    /// assert_eq!(x.argmax(keep(1)).eval::<i64>()?, tamis::ndarray::arr2(&[[1], [0]]).into_dyn());
    /// assert_eq!(x.argmax(..).eval::<i64>()?, tamis::ndarray::arr0(3).into_dyn()); // of the flattened tensor
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn argmax(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("argmax", &[], || {
            index_of_min_max(&[self], &axes, |axis| Order::Argmax { axis, if_empty: None })
        })
    }

    /// The index of the smallest element over `axes`, as i64: the first of equals,
    /// or the first NaN. Over several axes it is the row-major index into these
    /// axes, and with `..` into the flattened tensor. No gradient.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. Over no elements it is an error at run
    /// time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, f64::NAN, 1.0]);
    /// assert_eq!(x.argmin(0).eval::<i64>()?, tamis::ndarray::arr0(1).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn argmin(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("argmin", &[], || {
            index_of_min_max(&[self], &axes, |axis| Order::Argmin { axis, if_empty: None })
        })
    }

    /// The indices in ascending order along `axis`, as i64 of the same shape; equals keep
    /// their order, NaN comes last. No gradient.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, 1, 2]);
    /// assert_eq!(x.argsort(0).eval::<i64>()?, tamis::ndarray::arr1(&[1, 2, 0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn argsort(self, axis: impl Into<SortAxis>) -> Expr<'g> {
        let SortAxis { axis, descending } = axis.into();
        self.build("argsort", &[], || {
            self.along_axis(axis, |x, axis| x.apply(Order::Argsort { axis, descending }))
        })
    }

    /// The elements in ascending order along `axis`; equals keep their order,
    /// NaN comes last, in either direction. The gradient goes back through the
    /// permutation.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::{descending, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, 1, 2]);
    /// assert_eq!(x.sort(0).eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 3]).into_dyn());
    /// assert_eq!(x.sort(descending(0)).eval::<i32>()?, tamis::ndarray::arr1(&[3, 2, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(self, axis: impl Into<SortAxis>) -> Expr<'g> {
        let SortAxis { axis, descending } = axis.into();
        self.build("sort", &[], || {
            self.along_axis(axis, |x, axis| {
                let order = x.apply(Order::Argsort { axis, descending })?;
                Ok(x.take_along_axis(order, axis))
            })
        })
    }

    /// The `k` largest elements along `axis` in descending order, and their positions
    /// as i64; of equals the first, NaN last. Ties share the gradient evenly.
    ///
    /// # Errors
    /// Reported when the axis is out of range or `k` is negative or provably above the length; a
    /// length that turns out to be too small is an error of the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, 9, 5]);
    /// let (values, indices) = x.top_k(2, 0);
    /// assert_eq!(values.eval::<i32>()?, tamis::ndarray::arr1(&[9, 5]).into_dyn());
    /// assert_eq!(indices.eval::<i64>()?, tamis::ndarray::arr1(&[1, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("topk"))]
    #[track_caller]
    pub fn top_k(self, k: i64, axis: impl Into<Axis>) -> (Expr<'g>, Expr<'g>) {
        let axis = axis.into();
        let indices = self.build("top_k", &[], || {
            let axis = self.shape().axis(axis)?;
            let size = self.shape()[axis].clone();
            let out_of_range = size.known_int().is_some_and(|size| k > size);
            if k < 0 || out_of_range {
                return Err(ErrorKind::Choice { k, axis, shape: self.shape() });
            }
            let order = self.apply(Order::Argsort { axis, descending: true })?;
            let shape = order.shape();
            let slices = shape.iter().enumerate().map(|(i, dim)| SliceAxis {
                start: Dim::ZERO,
                step: 1,
                len: if i == axis { Dim::int(k) } else { dim.clone() },
            });
            order.apply(Layout::Slice(slices.collect()))
        });
        let values = self.build("top_k", &[indices], || {
            let axis = self.shape().axis(axis)?;
            self.graph().try_apply(Order::TopK { axis }, &[self, indices])
        });
        (values, indices)
    }
}

impl<'g> Masked<'g> {
    /// The index of the largest selected element over `axes`, as i64 and counted
    /// among all elements: the first of equals, or the first selected NaN. Over
    /// several axes it is the row-major index into these axes. No gradient.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. An empty selection is an
    /// error at run time, unless [`Masked::if_empty`] gives its index.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[3.0, f64::NAN, 1.0], [9.0, 9.0, 9.0]]);
    /// let mask = graph.constant([[true, false, true], [false, false, false]]);
    /// let best = x.masked(mask).if_empty(-1).argmax(1);
    /// assert_eq!(best.eval::<i64>()?, tamis::ndarray::arr1(&[0, -1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("nanargmax"))]
    #[track_caller]
    pub fn argmax(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("argmax", &[], || {
            self.index_of_min_max(axes, |axis, if_empty| Order::Argmax { axis, if_empty })
        })
    }

    /// The index of the smallest selected element over `axes`, as i64 and counted
    /// among all elements: the first of equals, or the first selected NaN. Over
    /// several axes it is the row-major index into these axes. No gradient.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. An empty selection is an
    /// error at run time, unless [`Masked::if_empty`] gives its index.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[3, 1], [0, 2]]);
    /// let positive = x.masked(x.gt(0));
    /// assert_eq!(positive.argmin(0).eval::<i64>()?, tamis::ndarray::arr1(&[0, 0]).into_dyn());
    /// assert_eq!(positive.argmin(..).eval::<i64>()?, tamis::ndarray::arr0(1).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("nanargmin"))]
    #[track_caller]
    pub fn argmin(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("argmin", &[], || {
            self.index_of_min_max(axes, |axis, if_empty| Order::Argmin { axis, if_empty })
        })
    }

    fn index_of_min_max(
        self,
        axes: Axes,
        op: impl FnOnce(usize, Option<i64>) -> Order,
    ) -> Result<Expr<'g>, ErrorKind> {
        let (x, _) = self.operand_and_mask();
        // Any index will do, since the given one replaces it.
        let if_empty = self.has_value_if_empty().then_some(0);
        let index = index_of_min_max(&[x, self.full_mask()?], &axes, |axis| op(axis, if_empty))?;
        // A cast of the tensor, which makes room in other reductions, would not change an index.
        self.unless_empty(index, axes).map_err(|kind| {
            if let ErrorKind::WeakScalar { value, .. } = kind {
                ErrorKind::IndexIfEmpty { value }
            } else {
                kind
            }
        })
    }

    /// The indices of the selected elements in ascending order along `axis`, then those of the
    /// others in their order: i64 of the shape of the tensor. No gradient.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, f64::NAN, 1.0]);
    /// let indices = x.masked(!x.is_nan()).argsort(0);
    /// assert_eq!(indices.eval::<i64>()?, tamis::ndarray::arr1(&[2, 0, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn argsort(self, axis: impl Into<SortAxis>) -> Expr<'g> {
        let SortAxis { axis, descending } = axis.into();
        self.build("argsort", &[], || {
            // Elements that are not selected have equal keys here, and are moved behind
            // the others next.
            let filled = self.selected_or(Scalar::I64(0))?;
            filled.along_axis(axis, |x, axis| order_of_selected(x, self.full_mask()?, axis, descending))
        })
    }

    /// The selected elements in ascending order along `axis`, and 0 (or the value of
    /// [`Masked::if_empty`]) in the remaining positions at the end.
    ///
    /// The gradient goes back to the selected elements.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, f64::NAN, 1.0]);
    /// let sorted = x.masked(!x.is_nan()).sort(0);
    /// assert_eq!(sorted.eval::<f64>()?, tamis::ndarray::arr1(&[1.0, 3.0, 0.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn sort(self, axis: impl Into<SortAxis>) -> Expr<'g> {
        let (SortAxis { axis, descending }, (x, _)) = (axis.into(), self.operand_and_mask());
        self.build("sort", &[], || {
            let filled = self.selected_or(Scalar::I64(0))?;
            let (mask, fill) = (self.full_mask()?.at_least_one_axis()?, self.fill(x)?);
            x.along_axis(axis, |x, axis| {
                let order = order_of_selected(filled.at_least_one_axis()?, mask, axis, descending)?;
                let along = axis;
                Ok(where_(mask.take_along_axis(order, along), x.take_along_axis(order, along), fill))
            })
        })
    }
}

/// The indices of the selected elements in sorted order along `axis`, then of the
/// others as they stand. `x` is one value where no element is selected.
fn order_of_selected<'g>(
    x: Expr<'g>,
    mask: Expr<'g>,
    axis: usize,
    descending: bool,
) -> Result<Expr<'g>, ErrorKind> {
    let sorted = x.apply(Order::Argsort { axis, descending })?;
    let behind = (!mask.at_least_one_axis()?).take_along_axis(sorted, axis);
    let order = behind.apply(Order::Argsort { axis, descending: false })?;
    Ok(sorted.take_along_axis(order, axis))
}

/// The axis of a sort as a caller writes it: a number, or [`descending`].
#[derive(Debug, Clone, Copy)]
pub struct SortAxis {
    axis: Axis,
    descending: bool,
}

impl<A: Into<Axis>> From<A> for SortAxis {
    fn from(axis: A) -> SortAxis {
        SortAxis { axis: axis.into(), descending: false }
    }
}

/// The axis of a sort that puts the largest first; equals still keep their
/// order, and NaN still comes last.
///
/// ```
/// use tamis::{descending, prelude::*};
///
/// let graph = Graph::new();
/// let x = graph.constant([2.0, 3.0]);
/// assert_eq!(x.argsort(descending(0)).eval::<i64>()?, tamis::ndarray::arr1(&[1, 0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
pub fn descending(axis: impl Into<Axis>) -> SortAxis {
    SortAxis { axis: axis.into(), descending: true }
}
