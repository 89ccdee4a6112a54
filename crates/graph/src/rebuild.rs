//! A copy of expressions in another graph, with changes on the way.

use std::collections::HashMap;

use crate::dim::{Dim, DimError, Symbol};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::{Node, NodeId};
use crate::op::Op;
use crate::op::Source;

/// Copies everything that `roots` are computed from into `target`, in id order.
///
/// `edit` may build something else instead of a node, from the node and the copies of its operands;
/// `None` copies it as it is. Counts in sizes and attributes become counts of the copied masks, and
/// lengths are normalised again. Lines and names are kept, literals that are two variables stay
/// two, and what is poisoned reports its error again. Gives the copy of each node.
///
/// # Errors
/// When a node cannot be built again, because sizes overflow or `edit` gave
/// something of another shape.
///
/// ```
/// use tamis::graph::{Op, Source, rebuild};
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f64>("x", dims!["n"]);
/// let y = x.boolean_mask(x.gt(0.0)).sum(..);
///
/// // The same, with every input squared.
/// let copy = Graph::new();
/// let copies = rebuild(&graph, &[y.id()], &copy, |node, _| match node.op() {
///     Op::Source(Source::Input { name, dtype, shape }) => Some(copy.input_of(name, *dtype, shape).square()),
///     _ => None,
/// });
/// let plan = Plan::new([("y", copies.unwrap()[&y.id()])])?;
/// assert_eq!(plan.feed("x", &tamis::ndarray::array![2.0, -3.0]).run()?.scalar::<f64>("y")?, 13.0);
/// # Ok::<(), tamis::Error>(())
/// ```
pub fn rebuild<'t>(
    source: &Graph,
    roots: &[NodeId],
    target: &'t Graph,
    mut edit: impl FnMut(&Node, &[Expr<'t>]) -> Option<Expr<'t>>,
) -> Result<HashMap<NodeId, Expr<'t>>, ErrorKind> {
    let mut copies: HashMap<NodeId, Expr<'t>> = HashMap::new();
    for id in source.ancestors(roots) {
        let node = source.node(id);
        let operands: Vec<Expr<'t>> = node.operands().iter().map(|operand| copies[operand]).collect();
        let copy = target.attributed(node.origin(), node.is_variable, || match edit(&node, &operands) {
            Some(edited) => Ok(edited),
            None if node.op() == &Op::Source(Source::Poison) => {
                let error = source.error_of(id);
                let error = error.unwrap_or_else(|| unreachable!("what is poisoned has an error"));
                Ok(target.report(error.op(), error.kind().clone()))
            }
            None => copy_node(&node, &operands, target, &copies),
        })?;
        if let Some(name) = source.name(id) {
            let _ = copy.named(&name);
        }
        copies.insert(id, copy);
    }
    Ok(copies)
}

fn copy_node<'t>(
    node: &Node,
    operands: &[Expr<'t>],
    target: &'t Graph,
    copies: &HashMap<NodeId, Expr<'t>>,
) -> Result<Expr<'t>, ErrorKind> {
    if let Op::Source(Source::Input { name, dtype, shape }) = node.op() {
        return Ok(target.input_of(name, *dtype, shape));
    }
    if node.is_variable
        && let Op::Source(literal) = node.op()
    {
        return target.try_literal(literal.clone());
    }
    rebuild_node(node, operands, target, &|mask| copies.get(&mask).map(|copy| copy.id()))
}

/// One node again, in `target` and on other operands, with the count of each
/// mask for which `mask_of` gives another replaced by that mask's.
///
/// # Errors
/// When the shape rule refuses the operands, or sizes overflow.
///
/// ```
/// use tamis::{graph::rebuild_node, prelude::*};
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n"]);
/// let (positive, finite) = (x.gt(0.0), x.is_finite());
/// let indices = graph.iota(x.boolean_mask(positive).dim(0));
/// let other = |mask| (mask == positive.id()).then(|| finite.id());
/// let rebuilt = rebuild_node(&indices.node(), &[], &graph, &other).unwrap();
/// assert_eq!(rebuilt.shape(), x.boolean_mask(finite).shape());
/// ```
#[track_caller]
pub fn rebuild_node<'t>(
    node: &Node,
    operands: &[Expr<'t>],
    target: &'t Graph,
    mask_of: &dyn Fn(NodeId) -> Option<NodeId>,
) -> Result<Expr<'t>, ErrorKind> {
    // A count that cannot be normalised stays as it is and fails the shape rule.
    let count = |symbol: &Symbol| match symbol {
        Symbol::Count(mask) => mask_of(*mask).and_then(|mask| target.count(mask).ok()),
        Symbol::Named(_) | Symbol::Opaque(_) => None,
    };
    let map = |dim: &Dim| -> Result<Dim, DimError> { dim.substitute(&count) };
    target.try_apply(node.op().map_dims(&map)?, operands)
}
