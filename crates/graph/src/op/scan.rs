//! Running reductions along an axis.

use std::sync::Arc;

use super::row::Domain::{Accumulator, Bool, Float};
use super::row::{Row, row};
use super::{Layout, Op, Type, broadcast_shapes};
use crate::axis::Axis;
use crate::dtype::Scalar;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::op::masked::Masked;
use crate::operand::{broadcast, cast};

/// A running reduction, which keeps the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scan {
    /// The sum of the elements so far, of f32, f64 or i64.
    Cumsum(Direction),
    /// The product of the elements so far, of f32, f64 or i64.
    Cumprod(Direction),
    /// Whether any element so far is true.
    RunningOr(Direction),
    /// Operands `a, b`, of floats: `hₜ = aₜ · hₜ₋₁ + bₜ`, from 0.
    Linear {
        /// The axis.
        axis: usize,
        /// Whether the scan runs from the end.
        reverse: bool,
    },
}

/// Along which axis a scan runs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Direction {
    /// The axis.
    pub axis: usize,
    /// Whether the result at an element leaves that element out.
    pub exclusive: bool,
    /// Whether the scan runs from the end.
    pub reverse: bool,
}

impl From<Scan> for Op {
    fn from(op: Scan) -> Op {
        Op::Scan(op)
    }
}

impl Scan {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Scan::Cumsum(_) => row("cumsum", Accumulator, 1),
            Scan::Cumprod(_) => row("cumprod", Accumulator, 1),
            Scan::RunningOr(_) => row("running_or", Bool, 1),
            Scan::Linear { .. } => row("linear_scan", Float, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let x = &operands[0];
        match operands.get(1) {
            Some(b) if b.shape != x.shape => {
                Err(ErrorKind::BroadcastTo { from: b.shape.clone(), to: x.shape.clone() })
            }
            Some(_) | None => Ok(Type::new(x.dtype, x.shape.clone())),
        }
    }

    pub(crate) fn attributes(&self) -> String {
        let flag = |on: bool, name: &str| if on { format!(", {name}") } else { String::new() };
        let (axis, exclusive, reverse) = match *self {
            Scan::Cumsum(Direction { axis, exclusive, reverse })
            | Scan::Cumprod(Direction { axis, exclusive, reverse })
            | Scan::RunningOr(Direction { axis, exclusive, reverse }) => (axis, exclusive, reverse),
            Scan::Linear { axis, reverse } => (axis, false, reverse),
        };
        format!("axis={axis}{}{}", flag(exclusive, "exclusive"), flag(reverse, "reverse"))
    }
}

/// The axis of a scan as a caller writes it: a number, or [`along`] with options.
#[derive(Debug, Clone, Copy)]
pub struct ScanAxis {
    axis: Axis,
    exclusive: bool,
    reverse: bool,
}

/// The axis of a scan, to which options can be added.
///
/// ```
/// use tamis::{along, prelude::*};
///
/// let graph = Graph::new();
/// let x = graph.constant([1, 2, 3]);
/// let before = x.cumsum(along(0).exclusive());
/// assert_eq!(before.eval::<i64>()?, tamis::ndarray::arr1(&[0, 1, 3]).into_dyn());
/// let rest = x.cumsum(along(0).reverse());
/// assert_eq!(rest.eval::<i64>()?, tamis::ndarray::arr1(&[6, 5, 3]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
pub fn along(axis: impl Into<Axis>) -> ScanAxis {
    ScanAxis { axis: axis.into(), exclusive: false, reverse: false }
}

impl ScanAxis {
    /// Leaves each element out of the result at its own index.
    pub fn exclusive(self) -> ScanAxis {
        ScanAxis { exclusive: true, ..self }
    }

    /// Runs the scan from the end.
    pub fn reverse(self) -> ScanAxis {
        ScanAxis { reverse: true, ..self }
    }
}

impl<A: Into<Axis>> From<A> for ScanAxis {
    fn from(axis: A) -> ScanAxis {
        along(axis)
    }
}

impl<'g> Expr<'g> {
    /// The sum of the elements so far along an axis; bools and integers in i64. An axis of length 0
    /// gives no elements. The gradient is the sum from the other end.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// let kept = x.boolean_mask(x.gt(0)).cumsum(0);
    /// assert_eq!(kept.eval::<i64>()?, tamis::ndarray::arr1(&[3, 5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(self, axis: impl Into<ScanAxis>) -> Expr<'g> {
        let ScanAxis { axis, exclusive, reverse } = axis.into();
        self.build("cumsum", &[], || {
            let x = cast(self, self.dtype().to_accumulator())?;
            x.along_axis(axis, |x, axis| x.apply(Scan::Cumsum(Direction { axis, exclusive, reverse })))
        })
    }

    /// The product of the elements so far along an axis; bools and integers in
    /// i64. The gradient is right with any number of zeros.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([2, 3, 4]);
    /// assert_eq!(x.cumprod(0).eval::<i64>()?, tamis::ndarray::arr1(&[2, 6, 24]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn cumprod(self, axis: impl Into<ScanAxis>) -> Expr<'g> {
        let ScanAxis { axis, exclusive, reverse } = axis.into();
        self.build("cumprod", &[], || {
            let x = cast(self, self.dtype().to_accumulator())?;
            x.along_axis(axis, |x, axis| x.apply(Scan::Cumprod(Direction { axis, exclusive, reverse })))
        })
    }

    /// `hₜ = aₜ · hₜ₋₁ + bₜ` along an axis, with `self` as `a` and `h = 0` before the first: a
    /// linear recurrence. Both promote and broadcast together; integers become floats; `exclusive`
    /// has no effect. The gradient is a scan from the other end.
    ///
    /// # Errors
    /// Reported when the axis is out of range or the shapes do not broadcast.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let decay = graph.constant([0.5, 0.5, 0.5]);
    /// let input = graph.constant([1.0, 0.0, 4.0]);
    /// assert_eq!(decay.linear_scan(input, 0).eval::<f64>()?, tamis::ndarray::arr1(&[1.0, 0.5, 4.25]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("lfilter", "scan"))]
    #[track_caller]
    pub fn linear_scan(self, b: Expr<'g>, axis: impl Into<ScanAxis>) -> Expr<'g> {
        let ScanAxis { axis, reverse, .. } = axis.into();
        self.build("linear_scan", &[b], || {
            let dtype = self.dtype().promote(b.dtype()).to_float();
            let mut pair = [cast(self, dtype)?, cast(b, dtype)?];
            broadcast("linear_scan", &mut pair)?;
            let shape = broadcast_shapes(&[pair[0].node(), pair[1].node()])?;
            let [a, b] = pair;
            let (a, b) = (a.apply(Layout::BroadcastTo(shape.clone()))?, b.apply(Layout::BroadcastTo(shape))?);
            a.along_axis(axis, |a, axis| {
                self.graph().try_apply(Scan::Linear { axis, reverse }, &[a, b.at_least_one_axis()?])
            })
        })
    }
}

impl<'g> Masked<'g> {
    /// The sum of the selected elements so far along an axis: what is not selected adds 0,
    /// and the result at its position is the sum up to there.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::NAN, 3.0]);
    /// let sums = x.masked(!x.is_nan()).cumsum(0);
    /// assert_eq!(sums.eval::<f64>()?, tamis::ndarray::arr1(&[1.0, 1.0, 4.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(self, axis: impl Into<ScanAxis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("cumsum", &[], || Ok(self.selected_or(Scalar::I64(0))?.cumsum(axis)))
    }

    /// The product of the selected elements so far along an axis: what is not selected counts
    /// as 1, and the result at its position is the product up to there.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([2.0, f64::NAN, 3.0]);
    /// let products = x.masked(!x.is_nan()).cumprod(0);
    /// assert_eq!(products.eval::<f64>()?, tamis::ndarray::arr1(&[2.0, 2.0, 6.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn cumprod(self, axis: impl Into<ScanAxis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("cumprod", &[], || Ok(self.selected_or(Scalar::I64(1))?.cumprod(axis)))
    }
}
