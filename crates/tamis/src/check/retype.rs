//! A copy of a computation in which every float is f64, and what is checked is an
//! input. Does not depend on evaluation.

use std::collections::HashMap;

use tamis_graph::{
    DType, ErrorKind, Expr, Graph, Layout, Node, NodeId, Op, Reduce, Scalar, Source, Unary, Value, rebuild,
};

/// A computation in f64.
pub(super) struct Retyped<'t> {
    pub(super) loss: Expr<'t>,
    /// For each expression that the user named, its index among the variables.
    pub(super) wrt: Vec<usize>,
    pub(super) variables: Vec<Variable<'t>>,
    /// The gradients that the user gave, one for each of `wrt`.
    pub(super) gradients: Option<Vec<Expr<'t>>>,
}

/// An input of the retyped graph, with respect to which a gradient is checked.
pub(super) struct Variable<'t> {
    pub(super) expr: Expr<'t>,
    /// The name to feed it by.
    pub(super) input: String,
    /// The name that the user knows.
    pub(super) label: String,
    /// The elements of what is a literal in the user's graph.
    pub(super) literal: Option<Value>,
}

/// Copies `loss`, `wrt` and the gradients to be checked into `target`.
///
/// Inputs that the loss does not need are declared too, so that feeding them is no error.
pub(super) fn retype<'t>(
    loss: Expr<'_>,
    wrt: &[Expr<'_>],
    gradients: Option<&[Expr<'_>]>,
    target: &'t Graph,
) -> Result<Retyped<'t>, ErrorKind> {
    let source = loss.graph();
    let mut distinct: Vec<NodeId> = wrt.iter().map(|expr| expr.id()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let names: HashMap<NodeId, String> = distinct.iter().map(|id| (*id, input_name(source, *id))).collect();
    let mut roots: Vec<NodeId> = [loss.id()].into_iter().chain(source.inputs().into_values()).collect();
    roots.extend(distinct.iter().copied());
    roots.extend(gradients.unwrap_or_default().iter().map(|expr| expr.id()));
    let copies = rebuild(source, &roots, target, |node, operands| match names.get(&node.id()) {
        Some(name) => Some(target.input_of(name, DType::F64, node.shape())),
        None => in_f64(node, operands, target),
    })?;
    let variable = |id: &NodeId| Variable {
        expr: copies[id],
        input: names[id].clone(),
        label: source.name(*id).map_or_else(|| names[id].clone(), |name| name.to_string()),
        literal: literal(&source.node(*id)),
    };
    let index = |expr: &Expr<'_>| distinct.partition_point(|id| *id < expr.id());
    let guarded = |(wrt, gradient): (&Expr<'_>, &Expr<'_>)| {
        // Lengths that could not be compared while building are compared in the run.
        let shape = copies[&wrt.id()].shape();
        let op = Layout::Guard { shape, op: "check_gradients", is_second: false };
        target.apply(op, &[copies[&gradient.id()]])
    };
    Ok(Retyped {
        loss: copies[&loss.id()],
        wrt: wrt.iter().map(index).collect(),
        variables: distinct.iter().map(variable).collect(),
        gradients: gradients.map(|gradients| wrt.iter().zip(gradients).map(guarded).collect()),
    })
}

/// The name of an input, or for a literal one that no input has.
pub(crate) fn input_name(source: &Graph, id: NodeId) -> String {
    let node = source.node(id);
    if let Op::Source(Source::Input { name, .. }) = node.op() {
        return name.to_string();
    }
    fresh_name(source, format!("{} {id}", node.op().name()))
}

/// `text`, or something like it that is not the name of an input.
pub(super) fn fresh_name(graph: &Graph, mut text: String) -> String {
    let inputs = graph.inputs();
    while inputs.contains_key(text.as_str()) {
        text.push('\'');
    }
    text
}

/// Whether a node can be moved: an input or a literal.
pub(super) fn is_leaf(node: &Node) -> bool {
    let Op::Source(source) = node.op() else { return false };
    match source {
        Source::Input { .. } | Source::Constant(_) | Source::Scalar(_) => true,
        Source::Iota { .. } | Source::Size(_) | Source::Poison => false,
    }
}

/// The elements of a literal, in f64.
fn literal(node: &Node) -> Option<Value> {
    if let Op::Source(Source::Constant(constant)) = node.op() {
        return Some(to_f64(constant.value()));
    }
    if let Op::Source(Source::Scalar(scalar)) = node.op()
        && let Scalar::F64(value) = scalar.cast(DType::F64)
    {
        return Some(Value::from(ndarray::arr0(value).into_dyn()));
    }
    None
}

/// The f64 form of a node whose op itself names f32; `None` for all others.
fn in_f64<'t>(node: &Node, operands: &[Expr<'t>], target: &'t Graph) -> Option<Expr<'t>> {
    if let Op::Source(source) = node.op() {
        return source_in_f64(source, target);
    }
    if let Op::Reduce(reduce) = node.op() {
        return Some(target.apply(reduce_in_f64(reduce)?, operands));
    }
    let Op::Unary(Unary::Cast(DType::F32)) = node.op() else { return None };
    Some(target.apply(Unary::Cast(DType::F64), operands))
}

fn source_in_f64<'t>(source: &Source, target: &'t Graph) -> Option<Expr<'t>> {
    match source {
        Source::Input { name, dtype: DType::F32, shape } => Some(target.input_of(name, DType::F64, shape)),
        Source::Constant(constant) => {
            let value = constant.value();
            (value.dtype() == DType::F32).then(|| target.constant_value(to_f64(value)))
        }
        Source::Scalar(Scalar::F32(value)) => Some(target.scalar(f64::from(*value))),
        Source::Input { .. } | Source::Scalar(_) | Source::Iota { .. } | Source::Size(_) | Source::Poison => {
            None
        }
    }
}

fn reduce_in_f64(reduce: &Reduce) -> Option<Reduce> {
    let initial = reduce.initial.filter(|initial| initial.dtype() == DType::F32)?;
    Some(Reduce { initial: Some(initial.cast(DType::F64)), ..reduce.clone() })
}

/// The same array with f32 widened to f64.
pub(super) fn to_f64(value: &Value) -> Value {
    match value.view::<f32>() {
        Some(array) => Value::from(array.mapv(f64::from)),
        None => value.clone(),
    }
}
