//! Elementwise choice between two operands by a mask.

use std::sync::Arc;

use super::row::Domain::Any;
use super::row::{Row, row};
use super::{Logic, Op, Source, Type, broadcast_shapes};
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, Purpose, broadcast, common_dtype};

/// Elementwise choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Select {
    /// Operands `mask, a, b`: `a` where the mask is true, else `b`.
    Where,
}

impl From<Select> for Op {
    fn from(op: Select) -> Op {
        Op::Select(op)
    }
}

impl Select {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Select::Where => row("where_", Any, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        Ok(Type::new(operands[1].dtype, broadcast_shapes(operands)?))
    }

    /// `where(m, f, f) = f`, and `where(m, q, false) = m ∧ q`, without which a
    /// count would not see the conjunction.
    pub(crate) fn simplify<'g>(&self, operands: &[Expr<'g>]) -> Option<Expr<'g>> {
        let [mask, a, b] = [operands[0], operands[1], operands[2]];
        let shape = broadcast_shapes(&[mask.node(), a.node(), b.node()]).ok()?;
        if a.id() == b.id() && a.shape() == shape {
            return Some(a);
        }
        let is_false = b.node().op == Op::Source(Source::Scalar(Scalar::Bool(false)));
        if is_false && a.dtype() == DType::Bool {
            return mask.graph().try_apply(Logic::And, &[mask.min_id(a), mask.max_id(a)]).ok();
        }
        None
    }
}

/// `a` where the mask is true, `b` elsewhere; NumPy's `where`.
///
/// The three broadcast together, `a` and `b` promote. The gradient goes to the
/// chosen side alone, structurally: where a side was not chosen it gets exactly
/// 0, even if its own derivative there is infinite or NaN.
///
/// # Errors
/// Reported when the mask is not bool, or the shapes do not broadcast or match at
/// their leading axes: a `[h, w]` mask of an `[h, w, 3]` picture is
/// `mask.expand_mask(picture)` here.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([0.0, 4.0]);
/// let root = where_(x.gt(0.0), x.sqrt(), 0.0);
/// let dx = grad(root.sum(..), x);
/// assert_eq!(dx.eval::<f64>()?, tamis::ndarray::arr1(&[0.0, 0.25]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[doc(alias("where"))]
#[track_caller]
pub fn where_<'g>(mask: Expr<'g>, a: impl Into<Operand<'g>>, b: impl Into<Operand<'g>>) -> Expr<'g> {
    let (a, b, graph) = (a.into(), b.into(), mask.graph());
    let others: Vec<Expr<'g>> = [a, b].into_iter().filter_map(Operand::expr).collect();
    mask.build("where_", &others, || {
        check_mask(mask)?;
        let dtype = common_dtype(&[a, b], Purpose::Arithmetic)?;
        let mut operands = [mask, a.to_expr(graph, dtype)?, b.to_expr(graph, dtype)?];
        broadcast("where_", &mut operands)?;
        graph.try_apply(Select::Where, &operands)
    })
}

/// Masks are bool.
pub(crate) fn check_mask(mask: Expr<'_>) -> Result<(), ErrorKind> {
    if mask.dtype() == DType::Bool {
        return Ok(());
    }
    Err(ErrorKind::MaskDType { dtype: mask.dtype(), shape: mask.shape() })
}
