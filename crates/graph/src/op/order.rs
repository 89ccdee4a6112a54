//! Places of extreme elements.

use std::sync::Arc;

use super::{Op, Type};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;

/// The place of an extreme element along an axis, as i64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The first place of the largest element, or of the first NaN.
    Argmax {
        /// The axis, which the result lacks.
        axis: usize,
    },
    /// The first place of the smallest element, or of the first NaN.
    Argmin {
        /// The axis, which the result lacks.
        axis: usize,
    },
}

impl From<Order> for Op {
    fn from(op: Order) -> Op {
        Op::Order(op)
    }
}

impl Order {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Order::Argmax { .. } => "argmax",
            Order::Argmin { .. } => "argmin",
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let (Order::Argmax { axis } | Order::Argmin { axis }) = self;
        Ok(Type::new(DType::I64, operands[0].shape.splice(*axis..axis + 1, &[])))
    }

    pub(crate) fn attributes(&self) -> String {
        let (Order::Argmax { axis } | Order::Argmin { axis }) = self;
        format!("axis={axis}")
    }
}

impl<'g> Expr<'g> {
    /// The place of the largest element along `axis`, as i64: the first of
    /// equals, or the first NaN. No gradient.
    ///
    /// # Errors
    /// Reported when the axis is out of range. The place of nothing is an error
    /// at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 5, 5], [7, 2, 3]]);
    /// assert_eq!(x.argmax(1).eval::<i64>()?, ndarray::arr1(&[1, 0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn argmax(self, axis: i64) -> Expr<'g> {
        self.build("argmax", &[], || self.apply(Order::Argmax { axis: self.shape().axis(axis)? }))
    }

    /// The place of the smallest element along `axis`, as i64: the first of
    /// equals, or the first NaN. No gradient.
    ///
    /// # Errors
    /// Reported when the axis is out of range. The place of nothing is an error
    /// at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, f64::NAN, 1.0]);
    /// assert_eq!(x.argmin(0).eval::<i64>()?, ndarray::arr0(1).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn argmin(self, axis: i64) -> Expr<'g> {
        self.build("argmin", &[], || self.apply(Order::Argmin { axis: self.shape().axis(axis)? }))
    }
}
