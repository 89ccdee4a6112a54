//! The length checks of a loss, kept alive in its gradients.
//!
//! The gradient of a linear loss does not compute the loss. Without its checks a plan
//! of the gradient alone would hide the user's error.

use foldhash::HashMap;
use tamis_graph::{Expr, Graph, Layout, NodeId, Op};

/// The derivatives of `output`, each made to run the length checks of `output`
/// that it does not run anyway.
pub(crate) fn keep_checks<'g>(output: Expr<'g>, derivatives: Vec<Expr<'g>>) -> Vec<Expr<'g>> {
    let graph = output.graph();
    let is_check = |layout: &Layout| matches!(layout, Layout::Guard { .. } | Layout::Assert { .. });
    let is_guard = |id: &NodeId| matches!(graph.node(*id).op(), Op::Layout(layout) if is_check(layout));
    let mut guards = graph.ancestors(&[output.id()]);
    guards.retain(is_guard);
    if guards.is_empty() {
        return derivatives;
    }
    if derivatives.len() > u64::BITS as usize {
        keep_checks_of_many(graph, &guards, &derivatives)
    } else {
        keep_checks_of_few(graph, &guards, &derivatives)
    }
}

/// All checks in one expression, on which each derivative depends: as many
/// dependencies as there are checks and derivatives, and not as their product.
fn keep_checks_of_many<'g>(graph: &'g Graph, guards: &[NodeId], derivatives: &[Expr<'g>]) -> Vec<Expr<'g>> {
    let guards = guards.iter().map(|guard| graph.expr(*guard));
    let all: Vec<Expr<'g>> = std::iter::once(graph.scalar(false)).chain(guards).collect();
    let all = graph.apply(Layout::Checked, &all);
    derivatives.iter().map(|derivative| graph.apply(Layout::Checked, &[*derivative, all])).collect()
}

/// The checks that are missing, found by one search for as many derivatives as an integer has bits.
fn keep_checks_of_few<'g>(graph: &'g Graph, guards: &[NodeId], derivatives: &[Expr<'g>]) -> Vec<Expr<'g>> {
    let runners = runners(graph, derivatives);
    let runs = |guard: &NodeId, bit: usize| runners.get(guard).is_some_and(|bits| bits >> bit & 1 == 1);
    let checked = derivatives.iter().enumerate().map(|(bit, derivative)| {
        let missing = guards.iter().filter(|guard| !runs(guard, bit)).map(|guard| graph.expr(*guard));
        let operands: Vec<Expr<'g>> = std::iter::once(*derivative).chain(missing).collect();
        graph.apply(Layout::Checked, &operands)
    });
    checked.collect()
}

/// Which of the derivatives need each expression, one bit each.
fn runners(graph: &Graph, derivatives: &[Expr<'_>]) -> HashMap<NodeId, u64> {
    let roots: Vec<NodeId> = derivatives.iter().map(|derivative| derivative.id()).collect();
    let mut runners: HashMap<NodeId, u64> = HashMap::default();
    for (bit, root) in roots.iter().enumerate() {
        *runners.entry(*root).or_default() |= 1 << bit;
    }
    for id in graph.ancestors(&roots).into_iter().rev() {
        let bits = runners.get(&id).copied().unwrap_or_default();
        let node = graph.node(id);
        let mut pass_to = |needed: NodeId| *runners.entry(needed).or_default() |= bits;
        node.operands().iter().copied().for_each(&mut pass_to);
        node.visit_counts(&mut pass_to);
    }
    runners
}
