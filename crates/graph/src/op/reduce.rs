//! Many elements to one.

use std::sync::Arc;

use super::row::Domain::{Accumulator, Any, Bool};
use super::row::{Fails, KinkAt, Row, row};
use super::{AxisList, Layout, Op, Type};
use crate::axis::Axes;
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::cast;
use crate::shape::Shape;

/// A reduction; the result has the axes of the operand that are not reduced.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// How elements are combined.
    pub kind: ReduceKind,
    /// The axes to reduce, ascending.
    pub axes: AxisList,
    /// An element that a maximum or minimum always compares; without it, an empty
    /// selection is an error. The other kinds have none.
    pub initial: Option<Scalar>,
}

/// How a reduction combines elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReduceKind {
    /// The sum, of f32, f64 or i64; 0 of no elements.
    Sum,
    /// The product, of f32, f64 or i64; 1 of no elements.
    Prod,
    /// Operands `x` or `x, mask`: the largest element (at which the mask is true).
    Max,
    /// Operands `x` or `x, mask`: the smallest element (at which the mask is true).
    Min,
    /// Whether any element is true; false of no elements.
    Any,
    /// Whether all elements are true; true of no elements.
    All,
}

impl From<Reduce> for Op {
    fn from(op: Reduce) -> Op {
        Op::Reduce(op)
    }
}

impl Reduce {
    /// A reduction without an initial element.
    pub fn new(kind: ReduceKind, axes: AxisList) -> Reduce {
        Reduce { kind, axes, initial: None }
    }

    /// The same reduction over other axes.
    pub fn over(&self, axes: AxisList) -> Reduce {
        Reduce { axes, ..*self }
    }

    pub(crate) const fn row(&self) -> Row {
        let row = match self.kind {
            ReduceKind::Sum => row("sum", Accumulator, 1),
            ReduceKind::Prod => row("prod", Accumulator, 1),
            ReduceKind::Max => row("max", Any, 1).kink(KinkAt::Reduced).fails(Fails::EmptySelection),
            ReduceKind::Min => row("min", Any, 1).kink(KinkAt::Reduced).fails(Fails::EmptySelection),
            ReduceKind::Any => row("any", Bool, 1),
            ReduceKind::All => row("all", Bool, 1),
        };
        if self.initial.is_some() { row.fails(Fails::Never) } else { row }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let x = &operands[0];
        if let Some(mask) = operands.get(1)
            && mask.shape != x.shape
        {
            return Err(ErrorKind::BroadcastTo { from: mask.shape.clone(), to: x.shape.clone() });
        }
        if self.initial.is_some() && !matches!(self.kind, ReduceKind::Max | ReduceKind::Min) {
            return Err(ErrorKind::Policy { policy: "initial", takers: &["max", "min"] });
        }
        let kept = x.shape.iter().enumerate().filter(|(axis, _)| !self.axes.contains(axis));
        Ok(Type::new(x.dtype, kept.map(|(_, dim)| dim.clone()).collect()))
    }

    pub(crate) fn attributes(&self) -> String {
        let initial = self.initial.map_or(String::new(), |initial| format!(", initial={initial}"));
        format!("axes={:?}{initial}", self.axes.as_slice())
    }
}

/// Reduces `operands[0]` over `axes` and puts kept axes back with length 1.
pub(crate) fn reduce<'g>(
    axes: &Axes,
    operands: &[Expr<'g>],
    kind: ReduceKind,
    initial: Option<Scalar>,
) -> Result<Expr<'g>, ErrorKind> {
    let x = operands[0];
    let shape = x.shape();
    let list = axes.resolve(&shape)?;
    let reduced = match (list.is_empty(), operands.len()) {
        (true, 1) => x,
        _ => x.graph().try_apply(Reduce { kind, axes: list.clone(), initial }, operands)?,
    };
    if !axes.keep {
        return Ok(reduced);
    }
    let kept =
        shape.iter().enumerate().map(|(i, dim)| if list.contains(&i) { Dim::ONE } else { dim.clone() });
    reduced.apply(Layout::Reshape(kept.collect()))
}

/// How many elements of a tensor of `shape` fall into each reduction over `axes`.
pub(crate) fn reduced_size(shape: &Shape, axes: &Axes) -> Result<Dim, ErrorKind> {
    let dims = axes.resolve(shape)?.iter().map(|axis| shape[*axis].clone()).collect::<Shape>();
    Ok(dims.size()?)
}

impl<'g> Expr<'g> {
    /// The sum over `axes`: `..` for all, a number, a list, or `keep(axes)`.
    ///
    /// Integers and bools sum in i64, which wraps. The sum of no elements is 0. The
    /// gradient is broadcast back.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum(0).eval::<f64>()?, tamis::ndarray::arr1(&[4.0, 6.0]).into_dyn());
    /// assert_eq!(x.sum(..).eval::<f64>()?, tamis::ndarray::arr0(10.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_sum"))]
    #[track_caller]
    pub fn sum(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("sum", &[], || {
            let x = cast(self, self.dtype().to_accumulator())?;
            reduce(&axes, &[x], ReduceKind::Sum, None)
        })
    }

    /// The product over `axes`; bools and integers in i64, which wraps. The product of no elements
    /// is 1. The gradient is right with any number of zeros.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([2.0, 0.0, 5.0]);
    /// assert_eq!(x.prod(..).eval::<f64>()?, tamis::ndarray::arr0(0.0).into_dyn());
    /// assert_eq!(grad(x.prod(..), x).eval::<f64>()?, tamis::ndarray::arr1(&[0.0, 10.0, 0.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_prod"))]
    #[track_caller]
    pub fn prod(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("prod", &[], || {
            let x = cast(self, self.dtype().to_accumulator())?;
            reduce(&axes, &[x], ReduceKind::Prod, None)
        })
    }

    /// The mean over `axes`. Bools and u8 give f32, other integers f64. The mean of no
    /// elements is NaN.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.mean(..).eval::<f64>()?, tamis::ndarray::arr0(1.5).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_mean"))]
    #[track_caller]
    pub fn mean(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("mean", &[], || {
            let x = cast(self, self.dtype().to_float())?;
            let count = self.graph().try_size(&reduced_size(&self.shape(), &axes)?)?;
            Ok(reduce(&axes, &[x], ReduceKind::Sum, None)? / cast(count, x.dtype())?)
        })
    }

    /// The largest element over `axes`; NaN if there is one. Ties share the
    /// gradient evenly. Of bools, [`Expr::any`].
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. The maximum of no elements is an error at
    /// run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 3.0, 3.0]);
    /// assert_eq!(x.max(..).eval::<f64>()?, tamis::ndarray::arr0(3.0).into_dyn());
    /// assert_eq!(grad(x.max(..), x).eval::<f64>()?, tamis::ndarray::arr1(&[0.0, 0.5, 0.5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_max", "amax"))]
    #[track_caller]
    pub fn max(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("max", &[], || {
            if self.dtype() == DType::Bool {
                return reduce(&axes, &[self], ReduceKind::Any, None);
            }
            reduce(&axes, &[self], ReduceKind::Max, None)
        })
    }

    /// The smallest element over `axes`; NaN if there is one. Ties share the
    /// gradient evenly. Of bools, [`Expr::all`].
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. The minimum of no elements is
    /// an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[4, 2], [3, 5]]);
    /// assert_eq!(x.min(1).eval::<i32>()?, tamis::ndarray::arr1(&[2, 3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_min", "amin"))]
    #[track_caller]
    pub fn min(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("min", &[], || {
            if self.dtype() == DType::Bool {
                return reduce(&axes, &[self], ReduceKind::All, None);
            }
            reduce(&axes, &[self], ReduceKind::Min, None)
        })
    }

    /// Whether any element over `axes` is true (for numbers: not 0); false of no elements.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[true, false], [false, false]]);
    /// assert_eq!(x.any(1).eval::<bool>()?, tamis::ndarray::arr1(&[true, false]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_any"))]
    #[track_caller]
    pub fn any(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("any", &[], || reduce(&axes, &[self.truth()], ReduceKind::Any, None))
    }

    /// Whether all elements over `axes` are true (for numbers: not 0); true of no elements.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[true, false], [true, true]]);
    /// assert_eq!(x.all(1).eval::<bool>()?, tamis::ndarray::arr1(&[false, true]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_all"))]
    #[track_caller]
    pub fn all(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("all", &[], || reduce(&axes, &[self.truth()], ReduceKind::All, None))
    }

    /// How many elements over `axes` are true (for numbers: not 0), as i64. No gradient.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([0.0, 2.0, f64::NAN]);
    /// assert_eq!(x.count_nonzero(..).eval::<i64>()?, tamis::ndarray::arr0(2).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn count_nonzero(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("count_nonzero", &[], || {
            let ones = cast(self.truth(), DType::I64)?;
            reduce(&axes, &[ones], ReduceKind::Sum, None)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_maxima_and_minima_take_an_initial_element() {
        let graph = Graph::new();
        let (numbers, masks) = (graph.constant([1.0, 2.0]), graph.constant([true, false]));
        let cases = [
            (ReduceKind::Sum, numbers, false),
            (ReduceKind::Prod, numbers, false),
            (ReduceKind::Max, numbers, true),
            (ReduceKind::Min, numbers, true),
            (ReduceKind::Any, masks, false),
            (ReduceKind::All, masks, false),
        ];
        for (kind, x, taken) in cases {
            let plain = Reduce::new(kind, AxisList::from_slice(&[0]));
            assert!(graph.try_apply(plain.clone(), &[x]).is_ok(), "{kind:?}");
            let initial = Some(Scalar::Bool(true).cast(x.dtype()));
            let reduced = graph.try_apply(Reduce { initial, ..plain }, &[x]);
            let refused = matches!(reduced, Err(ErrorKind::Policy { policy: "initial", .. }));
            assert_eq!((reduced.is_ok(), refused), (taken, !taken), "{kind:?}");
        }
    }
}
