//! Equal expressions that are cheaper to evaluate, found before planning.
//!
//! One pass over the nodes in id order: each is built again on what became of its
//! operands, and offered to the rules of its family until none applies. The forms are
//! made in the same graph, where equal ones are one node, so that what users wrote in
//! different idioms ends in the same form. What the user holds does not change. Does
//! not depend on evaluation, except for constant folding.

mod pattern;
mod rewriter;
mod rule;
mod total;
mod truth;

#[cfg(test)]
mod tests;

use tamis_graph::{Expr, Graph};

use rewriter::Rewriter;
pub(crate) use total::can_fail;

/// Expressions of the same dtypes and shapes that have the same bits in every
/// run in which none of the roots fails, and that fail wherever these do.
pub(crate) fn simplify<'g>(graph: &'g Graph, roots: &[Expr<'g>]) -> Vec<Expr<'g>> {
    let ids: Vec<_> = roots.iter().map(|root| root.id()).collect();
    let mut rewriter = Rewriter::new(graph);
    for id in graph.ancestors(&ids) {
        rewriter.visit(id);
    }
    ids.into_iter().map(|id| graph.expr(rewriter.replacement(id))).collect()
}
