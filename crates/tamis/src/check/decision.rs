//! Where a function may have a kink: everything that is decided on the way to its
//! value. Does not depend on evaluation.

use std::collections::HashSet;
use std::panic::Location;

use tamis_graph::{Expr, Graph, Index, KinkAt, Node, NodeId, Op, Origin};

/// Something that a function decides. Where it does not change, the function is smooth.
pub(super) struct Decision<'t> {
    pub(super) expr: Expr<'t>,
    pub(super) site: Site,
}

/// An op of the user's program, by name and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) op: &'static str,
    pub(super) location: Option<&'static Location<'static>>,
}

impl Site {
    /// The builder that the user called; for a gradient, the one it differentiates.
    fn of(node: &Node) -> Site {
        let Origin { location, forward, builder } = node.origin();
        Site { op: builder.unwrap_or(node.op().name()), location: Some(forward.unwrap_or(location)) }
    }
}

/// Everything that is decided by floats on the way from the variables to
/// `value`, in the order of the program.
///
/// What follows from these alone, such as the conjunction of two masks, is no further
/// decision.
pub(super) fn decisions<'t>(value: Expr<'t>, variables: &[Expr<'t>]) -> Vec<Decision<'t>> {
    let graph = value.graph();
    let moving = moving(value, variables);
    let mut found = Vec::new();
    for id in graph.ancestors(&[value.id()]) {
        let node = graph.node(id);
        let moves = |operand: &NodeId| moving.contains(operand) && graph.node(*operand).dtype().is_float();
        if !node.operands().iter().any(moves) {
            continue;
        }
        let made = if node.dtype().is_float() { hidden(&node, graph) } else { vec![graph.expr(id)] };
        found.extend(made.into_iter().map(|expr| Decision { expr, site: Site::of(&node) }));
    }
    let mut seen = HashSet::new();
    found.retain(|decision| seen.insert(decision.expr.id()));
    found
}

/// What changes with the variables among all that `value` is computed from.
pub(super) fn moving(value: Expr<'_>, variables: &[Expr<'_>]) -> HashSet<NodeId> {
    let graph = value.graph();
    let mut moving: HashSet<NodeId> = variables.iter().map(|variable| variable.id()).collect();
    for id in graph.ancestors(&[value.id()]) {
        let node = graph.node(id);
        let mut moves = node.operands().iter().any(|operand| moving.contains(operand));
        node.visit_counts(&mut |mask| moves |= moving.contains(&mask));
        if moves {
            moving.insert(id);
        }
    }
    moving
}

/// What an op on floats decides without a mask of the user's, as expressions
/// that change where it decides otherwise.
fn hidden<'t>(node: &Node, graph: &'t Graph) -> Vec<Expr<'t>> {
    let operand = |i: usize| graph.expr(node.operands()[i]);
    graph.with_origin(node.origin(), || match node.op().kink() {
        KinkAt::Nowhere => Vec::new(),
        KinkAt::Zero => vec![operand(0).gt(0.0), operand(0).lt(0.0)],
        KinkAt::Steps => vec![graph.expr(node.id())],
        KinkAt::FloorOfQuotient => vec![(operand(0) / operand(1)).floor()],
        KinkAt::TruncOfQuotient => vec![(operand(0) / operand(1)).trunc()],
        KinkAt::BranchCut => vec![operand(0).lt(0.0) & operand(1).lt(0.0)],
        KinkAt::Ties => vec![operand(0).gt(operand(1)), operand(0).lt(operand(1))],
        KinkAt::Reduced => reduced(node, graph).into_iter().collect(),
        KinkAt::Scattered => scattered(node, graph),
    })
}

/// Which elements a maximum or minimum took.
fn reduced<'t>(node: &Node, graph: &'t Graph) -> Option<Expr<'t>> {
    let Op::Reduce(op) = node.op() else { return None };
    let operands: Vec<Expr<'t>> = node.operands().iter().map(|id| graph.expr(*id)).collect();
    let result = graph.expr(node.id());
    let result = op.axes.iter().fold(result, |result, axis| result.unsqueeze(*axis));
    let taken = operands[0].eq(result);
    Some(operands.get(1).map_or(taken, |mask| taken & *mask))
}

/// Which elements and updates a scatter of maxima or minima took.
fn scattered<'t>(node: &Node, graph: &'t Graph) -> Vec<Expr<'t>> {
    let Op::Index(Index::Scatter { addressing, .. }) = node.op() else { return Vec::new() };
    let operand = |i: usize| graph.expr(node.operands()[i]);
    let (x, indices, updates) = (operand(0), operand(1), operand(2));
    let result = graph.expr(node.id());
    let written = graph.apply(Index::Gather(*addressing), &[result, indices]);
    vec![x.eq(result), updates.eq(written)]
}
