//! Running reductions along an axis.

use std::sync::Arc;

use super::{Op, Type};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::cast;

/// A running reduction; the shape stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scan {
    /// The sum of the elements so far, of f32, f64 or i64.
    Cumsum(Direction),
    /// Whether any element so far is true.
    RunningOr(Direction),
}

/// Along which axis a scan runs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Direction {
    /// The axis.
    pub axis: usize,
    /// Whether an element does not count for itself.
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
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Scan::Cumsum(_) => "cumsum",
            Scan::RunningOr(_) => "running_or",
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        Ok(Type::new(operands[0].dtype, operands[0].shape.clone()))
    }

    pub(crate) fn attributes(&self) -> String {
        let (Scan::Cumsum(direction) | Scan::RunningOr(direction)) = self;
        let flag = |on: bool, name: &str| if on { format!(", {name}") } else { String::new() };
        format!(
            "axis={}{}{}",
            direction.axis,
            flag(direction.exclusive, "exclusive"),
            flag(direction.reverse, "reverse")
        )
    }
}

/// The axis of a scan as a caller writes it: a number, or [`along`] with options.
#[derive(Debug, Clone, Copy)]
pub struct ScanAxis {
    axis: i64,
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
/// assert_eq!(before.eval::<i64>()?, ndarray::arr1(&[0, 1, 3]).into_dyn());
/// let rest = x.cumsum(along(0).reverse());
/// assert_eq!(rest.eval::<i64>()?, ndarray::arr1(&[6, 5, 3]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
pub fn along(axis: i64) -> ScanAxis {
    ScanAxis { axis, exclusive: false, reverse: false }
}

impl ScanAxis {
    /// An element does not count for itself.
    pub fn exclusive(self) -> ScanAxis {
        ScanAxis { exclusive: true, ..self }
    }

    /// The scan runs from the end.
    pub fn reverse(self) -> ScanAxis {
        ScanAxis { reverse: true, ..self }
    }
}

impl From<i64> for ScanAxis {
    fn from(axis: i64) -> ScanAxis {
        along(axis)
    }
}

impl<'g> Expr<'g> {
    /// The sum of the elements so far along an axis; bools and integers in i64.
    /// The gradient is the sum from the other end.
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
    /// assert_eq!(kept.eval::<i64>()?, ndarray::arr1(&[3, 5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn cumsum(self, axis: impl Into<ScanAxis>) -> Expr<'g> {
        let ScanAxis { axis, exclusive, reverse } = axis.into();
        self.build("cumsum", &[], || {
            let direction = Direction { axis: self.shape().axis(axis)?, exclusive, reverse };
            cast(self, self.dtype().to_accumulator())?.apply(Scan::Cumsum(direction))
        })
    }
}
