//! Which nodes a plan evaluates, and what their lengths are called.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use tamis_graph::{Dim, Graph, Layout, Node, NodeId, Op, Source, Symbol};

use crate::error::{Error, ErrorKind, Report};

/// What `roots` are computed from, in id order.
pub(super) fn nodes_of(roots: &[NodeId], graph: &Graph) -> Vec<Arc<Node>> {
    graph.ancestors(roots).into_iter().map(|id| graph.node(id)).collect()
}

/// Everything that a run evaluates, in id order: what `roots` are computed from, and
/// inputs that alone give the length of a named dimension.
pub(super) fn live_nodes(mut roots: Vec<NodeId>, graph: &Graph) -> Result<Vec<Arc<Node>>, Error> {
    let nodes = nodes_of(&roots, graph);
    let declaring = declaring_inputs(&nodes, graph)?;
    if declaring.is_empty() {
        return Ok(nodes);
    }
    roots.extend(declaring);
    Ok(nodes_of(&roots, graph))
}

/// For each named dimension that the nodes speak of, but none of their inputs
/// has, an input of the graph that has it.
fn declaring_inputs(nodes: &[Arc<Node>], graph: &Graph) -> Result<Vec<NodeId>, Error> {
    let mut needed: HashMap<Arc<str>, &Node> = HashMap::new();
    let mut declared: HashSet<Arc<str>> = HashSet::new();
    for node in nodes {
        let is_input = matches!(node.op(), Op::Source(Source::Input { .. }));
        visit_names(node, &mut |name| {
            if is_input {
                declared.insert(name.clone());
            } else if !needed.contains_key(name) {
                needed.insert(name.clone(), node);
            }
        });
    }
    let mut needed: Vec<(Arc<str>, &Node)> =
        needed.into_iter().filter(|(name, _)| !declared.contains(name)).collect();
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    needed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let declaring = first_inputs_with_names(graph);
    let mut found = Vec::new();
    let mut reports = Vec::new();
    for (name, node) in needed {
        match declaring.get(&name) {
            Some(input) => found.push(*input),
            None => {
                let kind = ErrorKind::UnboundDimension { dimension: name.to_string() };
                reports.push(Report::of_node(node, kind));
            }
        }
    }
    if reports.is_empty() { Ok(found) } else { Err(Error::new(reports)) }
}

/// For each named dimension the first input, by name, with an axis of this length.
fn first_inputs_with_names(graph: &Graph) -> HashMap<Arc<str>, NodeId> {
    let mut found = HashMap::new();
    for id in graph.inputs().into_values() {
        for dim in graph.node(id).shape().iter() {
            if let Some(Symbol::Named(name)) = dim.symbol() {
                found.entry(name.clone()).or_insert(id);
            }
        }
    }
    found
}

/// Calls `visit` with every named dimension that a node speaks of.
fn visit_names(node: &Node, visit: &mut impl FnMut(&Arc<str>)) {
    let mut on_symbol = |symbol: &Symbol| match symbol {
        Symbol::Named(name) => visit(name),
        Symbol::Count(_) | Symbol::Opaque(_) => {}
    };
    node.op().visit_dims(&mut |dim| dim.visit_symbols(&mut on_symbol));
    node.shape().iter().for_each(|dim| dim.visit_symbols(&mut on_symbol));
}

/// What the symbols of guarded lengths stand for, in words, for messages.
pub(super) fn guard_notes(nodes: &[Arc<Node>], graph: &Graph) -> HashMap<Symbol, String> {
    let mut notes = HashMap::new();
    let mut note = |dim: &Dim| {
        dim.visit_symbols(&mut |symbol| {
            if !notes.contains_key(symbol) {
                notes.insert(symbol.clone(), graph.describe_symbol(symbol));
            }
        });
    };
    for node in nodes {
        if let Op::Layout(Layout::Guard { shape, .. }) = node.op() {
            let operand = graph.node(node.operands()[0]);
            let differing = operand.shape().iter().zip(shape.iter()).filter(|(from, to)| from != to);
            differing.for_each(|(from, to)| {
                note(from);
                note(to);
            });
        }
    }
    notes
}
