//! Builders that put expressions one after another.

use super::Layout;
use crate::axis::Axis;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::operand::{Operand, Purpose, common_dtype};

impl Graph {
    /// The expressions one after another along `axis`. All promote to one dtype; the other lengths
    /// must be equal. The gradient of each is a slice.
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
    /// let joined = graph.concat([x.boolean_mask(mask), x.boolean_mask(!mask)], 0);
    /// assert_eq!(joined.dim(0).known(), Some(3));
    /// assert_eq!(joined.eval::<i32>()?, tamis::ndarray::arr1(&[2, 3, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("concatenate", "cat"))]
    #[track_caller]
    pub fn concat<'g>(
        &'g self,
        exprs: impl IntoIterator<Item = Expr<'g>>,
        axis: impl Into<Axis>,
    ) -> Expr<'g> {
        let axis = axis.into();
        let exprs: Vec<Expr<'g>> = exprs.into_iter().collect();
        self.build("concat", &exprs, || try_concat("concat", &exprs, axis))
    }

    /// The expressions on a new axis at `axis` of the result. All promote to one dtype and have one
    /// shape. The gradient of each is a slice.
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
    /// assert_eq!(pairs.eval::<i32>()?, tamis::ndarray::arr2(&[[1, 10], [2, 20]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn stack<'g>(&'g self, exprs: impl IntoIterator<Item = Expr<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
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

fn try_concat<'g>(op: &'static str, exprs: &[Expr<'g>], axis: Axis) -> Result<Expr<'g>, ErrorKind> {
    let operands: Vec<Operand<'g>> = exprs.iter().map(Operand::from).collect();
    let dtype = common_dtype(&operands, Purpose::Arithmetic)?;
    let (graph, first) =
        exprs.first().map(|expr| (expr.graph(), expr.shape())).ok_or(ErrorKind::NoOperands)?;
    let axis = first.axis(axis)?;
    let mut aligned = Vec::with_capacity(exprs.len());
    for operand in operands {
        let expr = operand.to_expr(graph, dtype)?;
        let mismatch = || ErrorKind::ShapeMismatch {
            left: first.clone(),
            right: expr.shape(),
            reason: "away from the axis, all lengths must be equal",
        };
        if expr.rank() != first.rank() {
            return Err(mismatch());
        }
        let others = (0..first.rank()).filter(|i| *i != axis).map(|i| (i, first[i].clone()));
        aligned.push(expr.unify_second(op, others, mismatch)?);
    }
    graph.try_apply(Layout::Concat { axis }, &aligned)
}
