//! Graphs as text and as DOT.

use std::fmt::{self, Write};
use std::sync::Arc;

use petgraph::dot::{Config, Dot};

use crate::graph::{Edge, Graph};
use crate::node::{Node, NodeId};
use crate::op::{Op, Source};

/// How many levels of operands [`Graph::describe`] spells out.
const DESCRIBED_LEVELS: usize = 3;

impl Graph {
    /// A short text of an expression, as a user would write it: its name if it
    /// has one, else the op with its operands, three levels deep.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// let mask = x.gt(0.0) & x.lt(1.0);
    /// assert_eq!(graph.describe(mask.id()), "and(gt(x, 0.0), lt(x, 1.0))");
    /// ```
    pub fn describe(&self, id: NodeId) -> String {
        self.describe_to(id, DESCRIBED_LEVELS)
    }

    fn describe_to(&self, id: NodeId, levels: usize) -> String {
        if let Some(name) = self.name(id) {
            return name.to_string();
        }
        let node = self.node(id);
        if let Op::Source(Source::Input { name, .. }) = &node.op {
            return name.to_string();
        }
        if let Op::Source(Source::Scalar(scalar)) = &node.op {
            return scalar.to_string();
        }
        if let Op::Source(Source::Constant(_)) = &node.op {
            let elements = node.op.attributes();
            return if elements == "…" { format!("{}{}", node.dtype, node.shape) } else { elements };
        }
        if levels == 0 || !self.owns(id) {
            return id.to_string();
        }
        let operands: Vec<String> =
            node.operands.iter().map(|id| self.describe_to(*id, levels - 1)).collect();
        format!("{}({})", node.op.name(), operands.join(", "))
    }

    /// The graph in the DOT language, to be drawn with Graphviz.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// let _ = x.exp();
    /// assert!(graph.to_dot().contains("exp"));
    /// ```
    pub fn to_dot(&self) -> String {
        self.with_nodes(|nodes| {
            let edge = |_, edge: petgraph::graph::EdgeReference<'_, Edge>| match edge.weight() {
                Edge::Operand(position) => format!("label = \"{position}\""),
                Edge::Size => "style = dashed, label = \"size\"".to_owned(),
            };
            let label = |_, (_, node): (petgraph::graph::NodeIndex, &Arc<Node>)| {
                let name = self.name(node.id).map(|name| format!("{name}: ")).unwrap_or_default();
                let text = format!("{name}{}\n{}{}", op_text(node), node.dtype, node.shape);
                format!("shape = box, label = {text:?}")
            };
            let config = [Config::NodeNoLabel, Config::EdgeNoLabel];
            format!("{:?}", Dot::with_attr_getters(nodes, &config, &edge, &label))
        })
    }
}

/// The op with its attributes: `sum axes=[0]`.
fn op_text(node: &Node) -> String {
    let attributes = node.op.attributes();
    let space = if attributes.is_empty() { "" } else { " " };
    format!("{}{space}{attributes}", node.op.name())
}

/// Prints one line per expression: `%3 = add(%1, %2): f32[n]`.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        for id in self.ids() {
            let node = self.node(id);
            line.clear();
            write!(line, "{id} = {}", node.op.name())?;
            let operands: Vec<String> = node.operands.iter().map(NodeId::to_string).collect();
            let attributes = node.op.attributes();
            let parts: Vec<&str> = operands.iter().map(String::as_str).chain([attributes.as_str()]).collect();
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            write!(line, "({}): {}{}", parts.join(", "), node.dtype, node.shape)?;
            if let Some(name) = self.name(id) {
                write!(line, "  # {name}")?;
            }
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph with {} expressions", self.len())
    }
}
