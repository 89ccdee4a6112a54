//! Elementwise comparisons and predicates, which give masks.

use std::sync::Arc;

use super::row::Domain::Any;
use super::row::{Row, row};
use super::{Op, Type, broadcast_shapes};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, Purpose, broadcast, common_dtype};

/// An elementwise predicate. The first six take two operands of one dtype that broadcast together,
/// the others one; all give bool and have no gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    /// `a = b`; false for NaN.
    Eq,
    /// `a ≠ b`; true for NaN.
    Ne,
    /// `a < b`; false for NaN.
    Lt,
    /// `a ≤ b`; false for NaN.
    Le,
    /// `a > b`; false for NaN.
    Gt,
    /// `a ≥ b`; false for NaN.
    Ge,
    /// Whether an element is NaN.
    IsNan,
    /// Whether an element is neither NaN nor infinite.
    IsFinite,
    /// Whether an element is infinite.
    IsInf,
}

impl From<Compare> for Op {
    fn from(op: Compare) -> Op {
        Op::Compare(op)
    }
}

impl Compare {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Compare::Eq => row("eq", Any, 1),
            Compare::Ne => row("ne", Any, 1),
            Compare::Lt => row("lt", Any, 1),
            Compare::Le => row("le", Any, 1),
            Compare::Gt => row("gt", Any, 1),
            Compare::Ge => row("ge", Any, 1),
            Compare::IsNan => row("is_nan", Any, 1),
            Compare::IsFinite => row("is_finite", Any, 1),
            Compare::IsInf => row("is_inf", Any, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        Ok(Type::new(DType::Bool, broadcast_shapes(operands)?))
    }
}

#[track_caller]
fn compare<'g>(op: Compare, a: Expr<'g>, b: Operand<'g>) -> Expr<'g> {
    let others: Vec<Expr<'g>> = b.expr().into_iter().collect();
    let name = op.row().name;
    a.build(name, &others, || {
        let dtype = common_dtype(&[a.into(), b], Purpose::Comparison)?;
        let graph = a.graph();
        let mut operands = [Operand::from(a).to_expr(graph, dtype)?, b.to_expr(graph, dtype)?];
        broadcast(name, &mut operands)?;
        graph.try_apply(op, &operands)
    })
}

/// Writes one documented builder per comparison, with what it gives for
/// `[1, 2, NaN]` against 2.
macro_rules! compare_builders {
    ($($(#[$doc:meta])* $name:ident => $op:expr, gives $y:literal;)*) => {
        impl<'g> Expr<'g> {$(
            $(#[$doc])*
            ///
            /// Broadcasts and promotes; a scalar beyond an integer tensor's dtype is
            /// compared exactly. The result is a bool tensor without gradient.
            ///
            /// # Errors
            /// Reported when the shapes do not broadcast.
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([1.0, 2.0, f64::NAN]);
            #[doc = concat!("let mask = x.", stringify!($name), "(2.0);")]
            #[doc = concat!("assert_eq!(mask.eval::<bool>()?, tamis::ndarray::arr1(&[", $y, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            #[track_caller]
            pub fn $name(self, other: impl Into<Operand<'g>>) -> Expr<'g> {
                compare($op, self, other.into())
            }
        )*}
    };
}

compare_builders! {
    /// Where the elements are equal; false for NaN.
    #[doc(alias("equal"))]
    eq => Compare::Eq, gives "false, true, false";
    /// Where the elements differ; true for NaN.
    #[doc(alias("not_equal"))]
    ne => Compare::Ne, gives "true, false, true";
    /// Where `self < other`; false for NaN.
    #[doc(alias("less"))]
    lt => Compare::Lt, gives "true, false, false";
    /// Where `self ≤ other`; false for NaN.
    #[doc(alias("less_equal"))]
    le => Compare::Le, gives "true, true, false";
    /// Where `self > other`; false for NaN.
    #[doc(alias("greater"))]
    gt => Compare::Gt, gives "false, false, false";
    /// Where `self ≥ other`; false for NaN.
    #[doc(alias("greater_equal"))]
    ge => Compare::Ge, gives "false, true, false";
}

impl<'g> Expr<'g> {
    /// Where the elements are NaN; nowhere for integers and bools.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::NAN]);
    /// assert_eq!(x.is_nan().eval::<bool>()?, tamis::ndarray::arr1(&[false, true]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("isnan"))]
    #[track_caller]
    pub fn is_nan(self) -> Expr<'g> {
        self.build("is_nan", &[], || self.apply(Compare::IsNan))
    }

    /// Where the elements are neither NaN nor infinite; everywhere for integers and bools.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::INFINITY]);
    /// assert_eq!(x.is_finite().eval::<bool>()?, tamis::ndarray::arr1(&[true, false]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("isfinite"))]
    #[track_caller]
    pub fn is_finite(self) -> Expr<'g> {
        self.build("is_finite", &[], || self.apply(Compare::IsFinite))
    }

    /// Where the elements are +inf or −inf; nowhere for integers and bools.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([f64::NAN, f64::NEG_INFINITY]);
    /// assert_eq!(x.is_inf().eval::<bool>()?, tamis::ndarray::arr1(&[false, true]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("isinf"))]
    #[track_caller]
    pub fn is_inf(self) -> Expr<'g> {
        self.build("is_inf", &[], || self.apply(Compare::IsInf))
    }
}
