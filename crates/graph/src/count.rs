//! The canonical count of a mask: how many of its elements are true, as a dimension.

use crate::dim::{Dim, DimError};
use crate::dtype::Scalar;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::NodeId;
use crate::op::{Layout, Logic, Mask, Op, Source};

impl Graph {
    /// The number of true elements of `mask` in canonical form, so that equal
    /// counts are recognised across complements and rearrangements.
    ///
    /// # Errors
    /// When a coefficient overflows, or the expression has too many terms or is nested too deeply.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let mask = graph.input::<bool>("mask", dims!["n"]);
    /// assert_eq!(graph.count((!mask).id())?.to_string(), "n - count(%0)");
    /// # Ok::<(), tamis::graph::DimError>(())
    /// ```
    pub fn count(&self, mask: NodeId) -> Result<Dim, DimError> {
        let mut id = mask;
        let (mut factor, mut offset) = (Dim::ONE, Dim::ZERO);
        let known = |n: usize, factor: Dim, offset: Dim| offset.add(&factor.mul(&Dim::from(n))?);
        loop {
            let node = self.node(id);
            match &node.op {
                Op::Logic(Logic::Not) => {
                    offset = offset.add(&factor.mul(&node.shape.size()?)?)?;
                    factor = Dim::ZERO.sub(&factor)?;
                }
                Op::Layout(
                    Layout::Reshape(_) | Layout::Permute(_) | Layout::Guard { .. } | Layout::Checked,
                ) => {}
                Op::Layout(Layout::BroadcastTo(_)) => {
                    let from = &self.node(node.operands[0]).shape;
                    let added = node.shape.rank() - from.rank();
                    for (axis, dim) in node.shape.iter().enumerate() {
                        if axis < added || from[axis - added] != *dim {
                            factor = factor.mul(dim)?;
                        }
                    }
                }
                Op::Mask(Mask::BooleanMask { .. })
                    if self.node(node.operands[0]).shape == self.node(node.operands[1]).shape =>
                {
                    let [inner, outer] = [node.operands[0], node.operands[1]].map(|id| Expr::new(self, id));
                    let both = self.try_apply(Logic::And, &[inner.min_id(outer), inner.max_id(outer)]);
                    match both {
                        Ok(both) => {
                            id = both.id();
                            continue;
                        }
                        Err(_) => return offset.add(&factor.mul(&Dim::count(id))?),
                    }
                }
                Op::Mask(Mask::Unmask { .. })
                    if self.node(node.operands[2]).op == Op::Source(Source::Scalar(Scalar::Bool(false))) => {}
                Op::Source(Source::Scalar(Scalar::Bool(value))) => {
                    return known(usize::from(*value), factor, offset);
                }
                Op::Source(Source::Constant(constant)) => match constant.count_true() {
                    Some(n) => return known(n, factor, offset),
                    None => return offset.add(&factor.mul(&Dim::count(id))?),
                },
                Op::Source(_)
                | Op::Unary(_)
                | Op::Binary(_)
                | Op::Compare(_)
                | Op::Logic(_)
                | Op::Select(_)
                | Op::Mask(_)
                | Op::Index(_)
                | Op::Reduce(_)
                | Op::Scan(_)
                | Op::Order(_)
                | Op::Layout(_)
                | Op::Linalg(_) => return offset.add(&factor.mul(&Dim::count(id))?),
            }
            id = node.operands[0];
        }
    }
}
