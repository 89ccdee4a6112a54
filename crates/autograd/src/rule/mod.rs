//! The table of derivatives: for each op and each operand that can vary, the
//! chain of linear operators that a small change of the operand goes through.
//!
//! Forward mode applies a chain, reverse mode its transposes from the end.

mod binary;
mod compare;
mod index;
mod layout;
mod linalg;
mod logic;
mod mask;
mod order;
mod reduce;
mod scan;
mod select;
mod source;
mod unary;

use smallvec::SmallVec;
use tamis_graph::{AxisList, Expr, NodeId, Op, Shape};

use crate::arrange::without;
use crate::dual::Dual;
use crate::linear::Linear;

/// What a change of one operand does to a node.
pub(crate) struct Edge<'g> {
    /// The operand.
    pub(crate) operand: NodeId,
    chain: SmallVec<[Linear<'g>; 3]>,
}

impl<'g> Edge<'g> {
    /// The change of the node for a change of the operand.
    pub(crate) fn push_forward(&self, tangent: Dual<'g>) -> Dual<'g> {
        self.chain.iter().fold(tangent, |tangent, linear| linear.apply(tangent))
    }

    /// The sensitivity to the operand for a sensitivity to the node.
    pub(crate) fn pull_back(self, cotangent: Dual<'g>) -> Dual<'g> {
        let transposed = self.chain.into_iter().rev().map(Linear::transpose);
        transposed.fold(cotangent, |cotangent, linear| linear.apply(cotangent))
    }
}

/// The edges of one node, as its rule states them.
struct Edges<'g, 'w> {
    output: Expr<'g>,
    operands: SmallVec<[Expr<'g>; 3]>,
    wanted: &'w dyn Fn(NodeId) -> bool,
    stated: SmallVec<[Edge<'g>; 2]>,
}

/// The edges of `node` from those operands that are `wanted`. Nothing is built
/// for the others.
pub(crate) fn edges<'g>(node: Expr<'g>, wanted: &dyn Fn(NodeId) -> bool) -> SmallVec<[Edge<'g>; 2]> {
    let stored = node.node();
    let operands = stored.operands().iter().map(|id| node.graph().expr(*id)).collect();
    let mut edges = Edges { output: node, operands, wanted, stated: SmallVec::new() };
    match stored.op() {
        Op::Source(op) => source::state(op),
        Op::Unary(op) => unary::state(*op, &mut edges),
        Op::Binary(op) => binary::state(*op, &mut edges),
        Op::Compare(op) => compare::state(*op),
        Op::Logic(op) => logic::state(*op),
        Op::Select(op) => select::state(*op, &mut edges),
        Op::Mask(op) => mask::state(*op, &mut edges),
        Op::Index(op) => index::state(*op, &mut edges),
        Op::Reduce(op) => reduce::state(op, &mut edges),
        Op::Scan(op) => scan::state(*op, &mut edges),
        Op::Order(op) => order::state(*op, &mut edges),
        Op::Layout(op) => layout::state(op, &mut edges),
        Op::Linalg(op) => linalg::state(*op, &mut edges),
    }
    edges.stated
}

impl<'g> Edges<'g, '_> {
    /// The operands, of which the op has `N`.
    fn operands<const N: usize>(&self) -> [Expr<'g>; N] {
        std::array::from_fn(|position| self.operands[position])
    }

    /// States the edge from an operand: the operators in their forward order.
    fn linear<I>(&mut self, operand: usize, chain: impl FnOnce() -> I)
    where
        I: IntoIterator<Item = Linear<'g>>,
    {
        let operand = self.operands[operand].id();
        if (self.wanted)(operand) {
            self.stated.push(Edge { operand, chain: chain().into_iter().collect() });
        }
    }

    /// [`Edges::linear`] for an operand that broadcasts to the node.
    fn elementwise<I>(&mut self, operand: usize, chain: impl FnOnce() -> I)
    where
        I: IntoIterator<Item = Linear<'g>>,
    {
        let (from, to) = (self.operands[operand].shape(), self.output.shape());
        self.linear(operand, || broadcasting(&from, &to).into_iter().chain(chain()));
    }
}

/// The operators that repeat a value of shape `from` to shape `to`.
fn broadcasting<'g>(from: &Shape, to: &Shape) -> SmallVec<[Linear<'g>; 2]> {
    let added = to.len() - from.len();
    let repeated: AxisList = (0..to.len())
        .filter(|axis| *axis < added || (from[axis - added].is_one() && !to[*axis].is_one()))
        .collect();
    let mut chain = SmallVec::new();
    if repeated.is_empty() {
        return chain;
    }
    let kept = without(to, &repeated);
    if kept != *from {
        chain.push(Linear::Reshape { from: from.clone(), to: kept });
    }
    chain.push(Linear::Spread { axes: repeated, shape: to.clone() });
    chain
}
