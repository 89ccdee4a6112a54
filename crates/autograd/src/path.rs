//! Which expressions a derivative passes through.

use foldhash::HashSet;
use tamis_graph::node_map::NodeMap;
use tamis_graph::{Expr, NodeId, Origin};

/// The expressions that lie between `wrt` and `output`, both included: they
/// depend on `wrt` and `output` depends on them, through floats alone.
pub(crate) struct Path {
    members: NodeMap<()>,
    /// Operands before what is built on them.
    pub(crate) ordered: Vec<NodeId>,
}

impl Path {
    pub(crate) fn new(output: Expr<'_>, wrt: &[Expr<'_>]) -> Path {
        let graph = output.graph();
        let wrt: HashSet<NodeId> = wrt.iter().map(|x| x.id()).collect();
        let mut path = Path { members: NodeMap::default(), ordered: Vec::new() };
        for id in float_ancestors(output, wrt.iter().min().copied()) {
            let depends = || graph.node(id).operands().iter().any(|operand| path.contains(*operand));
            if wrt.contains(&id) || depends() {
                path.members.insert(id, ());
                path.ordered.push(id);
            }
        }
        path
    }

    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.members.contains(id)
    }
}

/// What `output` is computed from through floats alone, itself included, in id
/// order from `lowest` on.
fn float_ancestors(output: Expr<'_>, lowest: Option<NodeId>) -> Vec<NodeId> {
    let graph = output.graph();
    let mut seen: NodeMap<()> = NodeMap::default();
    let mut found = Vec::new();
    let mut waiting = vec![output.id()];
    while let Some(id) = waiting.pop() {
        let node = graph.node(id);
        let in_reach = node.dtype().is_float() && lowest.is_some_and(|lowest| lowest <= id);
        if in_reach && seen.insert(id, ()).is_none() {
            found.push(id);
            waiting.extend(node.operands());
        }
    }
    found.sort_unstable();
    found
}

/// Runs `f` with everything it builds attributed to the derivative of `expr`:
/// to the line that asked for it, and the line that it differentiates.
pub(crate) fn attributed<R>(expr: Expr<'_>, f: impl FnOnce() -> R) -> R {
    let graph = expr.graph();
    let Some(call) = graph.origin() else { unreachable!("derivatives are taken inside of a call") };
    let own = expr.node().origin();
    let forward = own.forward.unwrap_or(own.location);
    graph.with_origin(Origin { location: call.location, forward: Some(forward), builder: own.builder }, f)
}
