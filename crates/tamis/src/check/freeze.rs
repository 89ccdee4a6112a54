//! What differences must not move although it depends on the variables:
//! `stop_gradient`. Does not depend on evaluation.

use tamis_graph::{DType, ErrorKind, Expr, Graph, Op, Size, Symbol, Unary, rebuild};

use super::decision::moving;
use super::retype::fresh_name;

/// An expression that is held at the value it has at the point of the check.
pub(super) struct Frozen<'t> {
    pub(super) expr: Expr<'t>,
    /// The input, of rank 1, that is fed its elements.
    pub(super) input: String,
}

/// `value` with every `stop_gradient` that the variables would move read from an input instead.
pub(super) fn freeze<'t>(
    value: Expr<'t>,
    variables: &[Expr<'t>],
) -> Result<(Expr<'t>, Vec<Frozen<'t>>), ErrorKind> {
    let graph = value.graph();
    let moving = moving(value, variables);
    let mut frozen = Vec::new();
    let copies = rebuild(graph, &[value.id()], graph, |node, operands| {
        let stops = matches!(node.op(), Op::Unary(Unary::StopGradient)) && node.dtype().is_float();
        if !stops || !moving.contains(&node.id()) {
            return None;
        }
        let input = fresh_name(graph, format!("stop_gradient {}", node.id()));
        // Inputs have no counts in their shapes, so that its elements come in a row.
        let length = fresh_dimension(graph, format!("stop_gradient_{}", node.id().index()));
        let elements = graph.input_of(&input, DType::F64, [Size::from(length.as_str())]);
        frozen.push(Frozen { expr: graph.expr(node.id()), input });
        Some(elements.reshape(operands[0].shape()))
    })?;
    Ok((copies[&value.id()], frozen))
}

/// The name of a dimension that no input of the graph has.
fn fresh_dimension(graph: &Graph, mut text: String) -> String {
    let shapes: Vec<_> = graph.inputs().into_values().map(|id| graph.node(id).shape().clone()).collect();
    let is_taken = |text: &str| {
        let dims = shapes.iter().flat_map(|shape| shape.iter());
        dims.filter_map(|dim| dim.symbol()).any(|symbol| *symbol == Symbol::Named(text.into()))
    };
    while is_taken(&text) {
        text.push('_');
    }
    text
}
