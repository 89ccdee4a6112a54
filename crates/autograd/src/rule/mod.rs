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
use crate::linear::Linear;
use crate::masked_derivative::MaskedDerivative;

/// What a change of one operand does to a node.
pub(crate) struct Edge<'g> {
    /// The operand.
    pub(crate) operand: NodeId,
    chain: SmallVec<[Linear<'g>; 3]>,
}

impl<'g> Edge<'g> {
    /// The change of the node for a change of the operand.
    pub(crate) fn push_forward(&self, tangent: MaskedDerivative<'g>) -> MaskedDerivative<'g> {
        self.chain.iter().fold(tangent, |tangent, linear| linear.apply(tangent))
    }

    /// The sensitivity to the operand for a sensitivity to the node.
    pub(crate) fn pull_back(self, cotangent: MaskedDerivative<'g>) -> MaskedDerivative<'g> {
        let transposed = self.chain.into_iter().rev().map(Linear::transpose);
        transposed.fold(cotangent, |cotangent, linear| linear.apply(cotangent))
    }
}

/// The edges of one node, as its rule linearizes it.
struct Edges<'g, 'w> {
    output: Expr<'g>,
    operands: SmallVec<[Expr<'g>; 3]>,
    wanted: &'w dyn Fn(NodeId) -> bool,
    linearized: SmallVec<[Edge<'g>; 2]>,
}

/// The edges of `node` from those operands that are `wanted`. No node is built for the
/// others.
pub(crate) fn edges<'g>(node: Expr<'g>, wanted: &dyn Fn(NodeId) -> bool) -> SmallVec<[Edge<'g>; 2]> {
    let stored = node.node();
    let operands = stored.operands().iter().map(|id| node.graph().expr(*id)).collect();
    let mut edges = Edges { output: node, operands, wanted, linearized: SmallVec::new() };
    match stored.op() {
        Op::Source(op) => source::linearize(op),
        Op::Unary(op) => unary::linearize(*op, &mut edges),
        Op::Binary(op) => binary::linearize(*op, &mut edges),
        Op::Compare(op) => compare::linearize(*op),
        Op::Logic(op) => logic::linearize(*op),
        Op::Select(op) => select::linearize(*op, &mut edges),
        Op::Mask(op) => mask::linearize(*op, &mut edges),
        Op::Index(op) => index::linearize(*op, &mut edges),
        Op::Reduce(op) => reduce::linearize(op, &mut edges),
        Op::Scan(op) => scan::linearize(*op, &mut edges),
        Op::Order(op) => order::linearize(*op, &mut edges),
        Op::Layout(op) => layout::linearize(op, &mut edges),
        Op::Linalg(op) => linalg::linearize(*op, &mut edges),
    }
    edges.linearized
}

impl<'g> Edges<'g, '_> {
    /// The operands, of which the op has `N`.
    fn operands<const N: usize>(&self) -> [Expr<'g>; N] {
        std::array::from_fn(|position| self.operands[position])
    }

    /// Adds the edge from an operand: the operators in their forward order.
    fn linear<I>(&mut self, operand: usize, chain: impl FnOnce() -> I)
    where
        I: IntoIterator<Item = Linear<'g>>,
    {
        if self.is_wanted(operand) {
            self.push(operand, SmallVec::new(), &mut chain().into_iter());
        }
    }

    /// [`Edges::linear`] for an operand that broadcasts to the node.
    fn elementwise<I>(&mut self, operand: usize, chain: impl FnOnce() -> I)
    where
        I: IntoIterator<Item = Linear<'g>>,
    {
        if self.is_wanted(operand) {
            let chain = chain();
            let (from, to) = (self.operands[operand].shape(), self.output.shape());
            self.push(operand, broadcasting(&from, &to), &mut chain.into_iter());
        }
    }

    fn is_wanted(&self, operand: usize) -> bool {
        (self.wanted)(self.operands[operand].id())
    }

    /// Compiled once, not for each kind of chain.
    fn push(
        &mut self,
        operand: usize,
        mut chain: SmallVec<[Linear<'g>; 3]>,
        rest: &mut dyn Iterator<Item = Linear<'g>>,
    ) {
        chain.extend(rest);
        self.linearized.push(Edge { operand: self.operands[operand].id(), chain });
    }
}

/// The operators that repeat a value of shape `from` to shape `to`.
fn broadcasting<'g>(from: &Shape, to: &Shape) -> SmallVec<[Linear<'g>; 3]> {
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
    chain.push(Linear::Repeat { axes: repeated, shape: to.clone() });
    chain
}
