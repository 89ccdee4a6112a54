//! What became of each node so far, and how new ones are made. Knows no rule.

use std::sync::Arc;

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::node_map::NodeMap;
use tamis_graph::{DType, Dim, Expr, Graph, Layout, Logic, Node, NodeId, Op, Scalar, Shape, Source, Symbol};
use tamis_graph::{ErrorKind, rebuild_node};

use super::{rule, total};

/// How many nodes may replace one: far more than any chain of rules takes, and a bound
/// on the work if two rules should undo each other.
const FUEL: usize = 64;

/// The state of one pass over a graph.
pub(super) struct Rewriter<'g> {
    graph: &'g Graph,
    /// The replacement of each node; a node that stays is absent.
    replaced: NodeMap<NodeId>,
    /// Whether masks are among what was replaced, so that counts may change.
    renames_counts: bool,
    /// The nodes that a run may refuse to compute, themselves or for what they
    /// are computed from.
    fallible: NodeMap<()>,
    /// The first of each float literal.
    literals: HashMap<Op, NodeId>,
    fuel: usize,
}

impl<'g> Rewriter<'g> {
    pub(super) fn new(graph: &'g Graph) -> Rewriter<'g> {
        Rewriter {
            graph,
            replaced: NodeMap::default(),
            renames_counts: false,
            fallible: NodeMap::default(),
            literals: HashMap::default(),
            fuel: 0,
        }
    }

    /// Finds the replacement of a node, all of whose operands were visited.
    pub(super) fn visit(&mut self, id: NodeId) {
        let (graph, node) = (self.graph, self.graph.node(id));
        self.note(&node);
        let before = graph.len();
        let found = graph.with_origin(node.origin(), || self.find_replacement(&node));
        if found == id {
            return;
        }
        self.replaced.insert(id, found);
        self.renames_counts |= node.dtype() == DType::Bool;
        // What existed before keeps the name that it has, or has not.
        if found.index() >= before
            && let Some(name) = graph.name(id)
        {
            let _ = graph.expr(found).named(&name);
        }
    }

    /// The replacement of a visited node.
    pub(super) fn replacement(&self, id: NodeId) -> NodeId {
        self.replaced.get(id).copied().unwrap_or(id)
    }

    pub(super) fn graph(&self) -> &'g Graph {
        self.graph
    }

    pub(super) fn node(&self, id: NodeId) -> Arc<Node> {
        self.graph.node(id)
    }

    pub(super) fn operand(&self, node: &Node, position: usize) -> Arc<Node> {
        self.graph.node(node.operands()[position])
    }

    /// Whether every run computes the node: only then may a rule drop it.
    pub(super) fn is_total(&self, id: NodeId) -> bool {
        !self.fallible.contains(id)
    }

    /// The primitive `op` on `operands`, in its simplest form; `None` if that is no expression.
    pub(super) fn apply(&mut self, op: impl Into<Op>, operands: &[NodeId]) -> Option<NodeId> {
        self.fuel = self.fuel.checked_sub(1)?;
        let made = self.make(op.into(), operands)?;
        Some(self.settle(made))
    }

    pub(super) fn scalar(&mut self, scalar: Scalar) -> Option<NodeId> {
        self.apply(Source::Scalar(scalar), &[])
    }

    /// The first node of this pass that is the same literal.
    pub(super) fn first_of_literal(&mut self, node: &Node) -> NodeId {
        *self.literals.entry(node.op().clone()).or_insert(node.id())
    }

    pub(super) fn broadcast(&mut self, id: NodeId, shape: &Shape) -> Option<NodeId> {
        if self.node(id).shape() == shape {
            return Some(id);
        }
        self.apply(Layout::BroadcastTo(shape.clone()), &[id])
    }

    pub(super) fn reshape(&mut self, id: NodeId, shape: Shape) -> Option<NodeId> {
        self.apply(Layout::Reshape(shape), &[id])
    }

    fn make(&mut self, op: Op, operands: &[NodeId]) -> Option<NodeId> {
        self.built(&op, operands, |graph, exprs| graph.try_apply(op.clone(), exprs))
    }

    fn built(
        &mut self,
        op: &Op,
        operands: &[NodeId],
        build: impl FnOnce(&'g Graph, &[Expr<'g>]) -> Result<Expr<'g>, ErrorKind>,
    ) -> Option<NodeId> {
        let mut operands: SmallVec<[NodeId; 3]> = operands.into();
        if let Op::Logic(Logic::And | Logic::Or | Logic::Xor) = op {
            operands.sort_unstable();
        }
        let exprs: SmallVec<[Expr<'g>; 3]> = operands.iter().map(|id| self.graph.expr(*id)).collect();
        let made = self.graph.node(build(self.graph, &exprs).ok()?.id());
        // The graph's own simplifications may leave an operand out.
        if matches!(op, Op::Select(_) | Op::Logic(_)) && !self.keeps_fallible(&made, &operands) {
            return None;
        }
        self.note(&made);
        Some(made.id())
    }

    fn keeps_fallible(&self, made: &Node, operands: &[NodeId]) -> bool {
        let is_kept = |id: &NodeId| made.id() == *id || made.operands().contains(id) || self.is_total(*id);
        self.fallible.is_empty() || operands.iter().all(is_kept)
    }

    /// Remembers a node that may fail. Its operands were noted before.
    fn note(&mut self, node: &Node) {
        let mut fails = total::may_fail(node, self.graph);
        if !fails && !self.fallible.is_empty() {
            fails = node.operands().iter().any(|operand| self.fallible.contains(*operand));
            node.visit_counts(&mut |mask| fails |= self.fallible.contains(mask));
        }
        if fails {
            self.fallible.insert(node.id(), ());
        }
    }

    fn find_replacement(&mut self, node: &Node) -> NodeId {
        self.fuel = FUEL;
        let rebuilt = self.rebuild(node).unwrap_or(node.id());
        let settled = self.settle(rebuilt);
        if settled == rebuilt || self.may_replace(node, settled) { settled } else { rebuilt }
    }

    /// The node on what became of its operands and of the masks that it counts.
    fn rebuild(&mut self, node: &Node) -> Option<NodeId> {
        let operands: SmallVec<[NodeId; 3]> =
            node.operands().iter().map(|operand| self.replacement(*operand)).collect();
        let mut changed = *operands != *node.operands();
        if self.renames_counts {
            node.visit_counts(&mut |mask| changed |= self.replaced.contains(mask));
        }
        if !changed {
            return Some(node.id());
        }
        let replaced = std::mem::take(&mut self.replaced);
        let mask_of = |mask| replaced.get(mask).copied();
        let made =
            self.built(node.op(), &operands, |graph, exprs| rebuild_node(node, exprs, graph, &mask_of));
        self.replaced = replaced;
        made.filter(|made| self.may_replace(node, *made))
    }

    /// Applies rules until none does.
    fn settle(&mut self, mut id: NodeId) -> NodeId {
        while let Some(next) = self.step(id) {
            id = next;
        }
        id
    }

    fn step(&mut self, id: NodeId) -> Option<NodeId> {
        let node = self.graph.node(id);
        let same_type = |other: &Node| other.dtype() == node.dtype() && other.shape() == node.shape();
        for rule in rule::rules(node.op()) {
            let found = rule(self, &node).filter(|found| *found != id);
            if let Some(found) = found.filter(|found| same_type(&self.graph.node(*found))) {
                self.fuel = self.fuel.checked_sub(1)?;
                return Some(found);
            }
        }
        None
    }

    /// Whether `other` has the type of `node`, once counts are those of what replaced
    /// their masks; and, for a mask, the count that others rely on.
    fn may_replace(&self, node: &Node, other: NodeId) -> bool {
        let new = self.graph.node(other);
        new.dtype() == node.dtype()
            && self.renamed(node.shape()).as_ref() == Some(new.shape())
            && (node.dtype() != DType::Bool || self.keeps_count(node, other))
    }

    fn renamed(&self, shape: &Shape) -> Option<Shape> {
        if !self.renames_counts {
            return Some(shape.clone());
        }
        shape.iter().map(|dim| self.renamed_dim(dim)).collect()
    }

    fn renamed_dim(&self, dim: &Dim) -> Option<Dim> {
        let replace = |symbol: &Symbol| match symbol {
            Symbol::Count(mask) => self.graph.count(*self.replaced.get(*mask)?).ok(),
            Symbol::Named(_) | Symbol::Opaque(_) => None,
        };
        dim.substitute(&replace).ok()
    }

    /// The count of `¬m` is `size − count(m)`, and sizes rely on that: what takes the
    /// replacement of a mask must have the count that followed from its operands.
    fn keeps_count(&self, mask: &Node, other: NodeId) -> bool {
        let Ok(count) = self.graph.count(mask.id()) else { return false };
        if count.symbol() == Some(&Symbol::Count(mask.id())) {
            return true;
        }
        self.renamed_dim(&count).is_some_and(|renamed| self.graph.count(other) == Ok(renamed))
    }
}
