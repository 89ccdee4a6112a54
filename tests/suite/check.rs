//! All that can be asserted of any case.

use std::sync::Arc;

use tamis::graph::{Node, NodeId, Op, Source};
use tamis::prelude::*;
use tamis::{DType, ErrorKind, Value, hvp, jvp, vjp};

use crate::array::{Arrangement, close, full, near, numbers, same_bits, with_array};
use crate::case::{Case, Lengths};
use crate::run::{Failure, Instance, dots, name, values, values_as_inferred, weights};

pub(crate) type Outcome = Result<(), String>;

/// The value, dtype and shape are those expected, and those inferred, however
/// much the graph knows of the lengths.
pub(crate) fn value_is_as_expected_and_as_inferred(case: &Case) -> Outcome {
    for lengths in &case.lengths {
        let graph = Graph::new();
        let instance = Instance::new(case, &graph, *lengths);
        let of_lengths = |error: String| format!("with lengths {lengths:?}: {error}");
        graph.check().map_err(|error| of_lengths(error.to_string()))?;
        let tolerance = case.ulps * f64::EPSILON;
        let alone =
            values(&[instance.output], &case.inputs).map_err(|error| of_lengths(error.to_string()))?;
        close(&alone[0], &case.expected, tolerance).map_err(of_lengths)?;
        let beside_all =
            values_as_inferred(&[instance.output], &case.inputs).map_err(|e| of_lengths(e.into()))?;
        same_bits(&beside_all[0], &alone[0]).map_err(of_lengths)?;
    }
    Ok(())
}

/// What is built twice is one expression, and so is its gradient; but for float
/// literals, which are two variables where they are written twice.
pub(crate) fn building_twice_adds_nothing(case: &Case) -> Outcome {
    if !case.shared {
        return Ok(());
    }
    for lengths in &case.lengths {
        let graph = Graph::new();
        let build = || {
            let instance = Instance::new(case, &graph, *lengths);
            let roots = gradients(case, &instance).into_iter().chain([instance.output]);
            roots.map(|root| root.id()).collect::<Vec<NodeId>>()
        };
        let first = build();
        let before = graph.len();
        let again = build();
        let nodes = graph.ancestors(&again).into_iter().filter(|id| id.index() >= before);
        let added: Vec<Arc<Node>> = nodes.map(|id| graph.node(id)).collect();
        let is_new = |id: &NodeId| added.iter().any(|node| node.id() == *id);
        let has_literals = added.iter().any(|node| is_float_literal(node));
        let is_due_to_literals =
            added.iter().all(|node| is_float_literal(node) || node.operands().iter().any(is_new));
        let is_same = first == again && graph.len() == before;
        if !(is_same || has_literals && is_due_to_literals) {
            let more = graph.len() - before;
            return Err(format!("{more} nodes more with lengths {lengths:?}:\n{graph}"));
        }
    }
    Ok(())
}

fn is_float_literal(node: &Node) -> bool {
    let is_literal = matches!(node.op(), Op::Source(Source::Scalar(_) | Source::Constant(_)));
    is_literal && node.dtype().is_float()
}

/// A scalar made of all elements of the output, each with a weight of its own.
fn loss<'g>(instance: &Instance<'g>) -> Expr<'g> {
    (instance.output * weights(instance.output, 0.0)).sum(..)
}

/// The gradients by all floats; none where there is nothing to differentiate.
fn gradients<'g>(case: &Case, instance: &Instance<'g>) -> Vec<Expr<'g>> {
    let floats = instance.floats();
    if !case.smooth || floats.is_empty() {
        return Vec::new();
    }
    grad(loss(instance), floats)
}

/// Elements that lie in memory in any way give the same bits.
pub(crate) fn layout_in_memory_does_not_matter(case: &Case) -> Outcome {
    let graph = Graph::new();
    let instance = Instance::new(case, &graph, case.lengths[0]);
    let mut roots = vec![instance.output];
    roots.extend(gradients(case, &instance));
    let standard = values(&roots, &case.inputs).map_err(|error| error.to_string())?;
    for arrangement in Arrangement::ALL {
        let arranged: Vec<Value> = case.inputs.iter().map(|value| arrangement.of(value)).collect();
        let found = values(&roots, &arranged).map_err(|error| error.to_string())?;
        for (found, standard) in found.iter().zip(&standard) {
            same_bits(found, standard).map_err(|error| format!("{arrangement:?}: {error}"))?;
        }
    }
    Ok(())
}

/// In f32, the value and the gradients are those of f64, rounded.
pub(crate) fn single_precision_agrees(case: &Case) -> Outcome {
    if !case.any_float || !case.inputs.iter().any(|value| value.dtype() == DType::F64) {
        return Ok(());
    }
    let tolerance = case.ulps * f64::from(f32::EPSILON);
    let graph = Graph::new();
    let single = case.in_single();
    let instance = Instance::new(&single, &graph, single.lengths[0]);
    let found = values(&[instance.output], &single.inputs).map_err(|error| error.to_string())?;
    close(&found[0], &single.expected, tolerance)?;

    let double_graph = Graph::new();
    let double = Instance::new(case, &double_graph, case.lengths[0]);
    let of_single = values(&gradients(&single, &instance), &single.inputs).map_err(|e| e.to_string())?;
    let of_double = values(&gradients(case, &double), &case.inputs).map_err(|e| e.to_string())?;
    for (found, expected) in of_single.iter().zip(&of_double) {
        let largest = numbers(expected).into_iter().fold(1e-3, |a: f64, b| a.max(b.abs()));
        let agree = |(a, b): (f64, f64)| near(a, b, 1e-4, largest);
        if found.dtype() != DType::F32 || !numbers(found).into_iter().zip(numbers(expected)).all(agree) {
            return Err(format!("the gradient is {found:?}, but in f64 {expected:?}"));
        }
    }
    Ok(())
}

/// The derivatives that a case claims to have are those of differences, and
/// its inputs are not at a kink.
pub(crate) fn derivatives_agree_with_differences(case: &Case) -> Outcome {
    if !case.smooth {
        return Ok(());
    }
    for lengths in &case.lengths {
        let graph = Graph::new();
        let instance = Instance::new(case, &graph, *lengths);
        let mut check = check_gradients(loss(&instance), instance.floats());
        for (i, value) in case.inputs.iter().enumerate() {
            check = with_array!(value, array => check.feed(&name(i), array.view()));
        }
        let report = check.second_order().run().map_err(|error| error.to_string())?;
        if !report.passed() || report.kinks().next().is_some() {
            return Err(format!("with lengths {lengths:?}: {report}"));
        }
    }
    Ok(())
}

/// `⟨vjp(g), v⟩ = ⟨g, jvp(v)⟩`: the two modes are each other's transpose.
pub(crate) fn both_modes_are_transposes(case: &Case) -> Outcome {
    if !case.smooth {
        return Ok(());
    }
    let graph = Graph::new();
    let instance = Instance::new(case, &graph, case.lengths[0]);
    let (floats, output) = (instance.floats(), instance.output);
    let cotangent = weights(output, 0.0);
    let tangents: Vec<Expr<'_>> =
        floats.iter().zip(0..).map(|(x, i)| weights(*x, 1.0 + f64::from(i))).collect();
    let pulled = vjp(output, &floats, cotangent);
    let pushed = jvp(output, &floats, &tangents);
    for (x, pulled) in floats.iter().zip(&pulled) {
        if (pulled.dtype(), pulled.shape()) != (x.dtype(), x.shape()) {
            return Err(format!("the gradient of {x} is {pulled}"));
        }
    }
    if (pushed.dtype(), pushed.shape()) != (output.dtype(), output.shape()) {
        return Err(format!("the tangent of {output} is {pushed}"));
    }
    let left = dots(pulled.into_iter().zip(tangents)).ok_or("nothing to differentiate by")?;
    let right = (cotangent * pushed).sum(..);
    let found = values_as_inferred(&[left, right], &case.inputs)?;
    let [left, right] = [numbers(&found[0])[0], numbers(&found[1])[0]];
    if near(left, right, tolerance(&graph), 1e-3) && left.is_finite() {
        return Ok(());
    }
    Err(format!("⟨vjp(g), v⟩ = {left}, but ⟨g, jvp(v)⟩ = {right}"))
}

/// The relative error that sums of products may have.
fn tolerance(graph: &Graph) -> f64 {
    if graph.to_string().contains("f32") { 1e-5 } else { 1e-9 }
}

/// `hvp`, forward over reverse and reverse over reverse give the same product
/// with the Hessian, and it is symmetric.
pub(crate) fn second_derivatives_agree_with_each_other(case: &Case) -> Outcome {
    if !case.smooth {
        return Ok(());
    }
    let graph = Graph::new();
    let instance = Instance::new(case, &graph, case.lengths[0]);
    let (floats, loss) = (instance.floats(), loss(&instance));
    let direction = |phase: f64| floats.iter().map(|x| weights(*x, phase)).collect::<Vec<_>>();
    let (v, w) = (direction(1.0), direction(4.0));
    let gradients = grad(loss, &floats);
    let of_hvp = hvp(loss, &floats, &v);
    let forward: Vec<Expr<'_>> = gradients.iter().map(|dx| jvp(*dx, &floats, &v)).collect();
    let along = dots(gradients.iter().copied().zip(v.iter().copied()));
    let reverse = grad(along.ok_or("nothing to differentiate by")?, &floats);
    let all: Vec<Expr<'_>> = of_hvp.iter().chain(&forward).chain(&reverse).copied().collect();
    let found = values_as_inferred(&all, &case.inputs)?;
    let (of_hvp, others) = found.split_at(floats.len());
    for (way, products) in
        ["forward over reverse", "reverse over reverse"].iter().zip(others.chunks(floats.len()))
    {
        for (a, b) in of_hvp.iter().zip(products) {
            close(a, b, tolerance(&graph)).map_err(|error| format!("hvp against {way}: {error}"))?;
        }
    }
    let products = [
        dots(hvp(loss, &floats, &v).into_iter().zip(w.clone())),
        dots(hvp(loss, &floats, &w).into_iter().zip(v)),
    ];
    let products: Vec<Expr<'_>> = products.into_iter().flatten().collect();
    let found = values_as_inferred(&products, &case.inputs)?;
    let [left, right] = [numbers(&found[0])[0], numbers(&found[1])[0]];
    if near(left, right, tolerance(&graph), 1e-3) {
        return Ok(());
    }
    Err(format!("⟨H v, w⟩ = {left}, but ⟨v, H w⟩ = {right}"))
}

/// With empty inputs, or masks that select no element or all, every node of the value
/// and of two orders of gradients comes out as inferred; or the run refuses what has no
/// answer.
pub(crate) fn min_and_max_come_out_as_inferred(case: &Case) -> Outcome {
    for (what, lengths, feeds) in min_max(case) {
        let graph = Graph::new();
        let instance = Instance::new(case, &graph, lengths);
        let mut roots = vec![instance.output];
        let first = gradients(case, &instance);
        let again = dots(first.iter().map(|dx| (*dx, weights(*dx, 2.0))));
        roots.extend(&first);
        roots.extend(again.into_iter().flat_map(|again| grad(again, instance.floats())));
        match values_as_inferred(&roots, &feeds) {
            Ok(_) => {}
            Err(Failure::Run(error)) if error.reports().iter().all(|report| has_no_answer(report.kind())) => {
            }
            Err(failure) => return Err(format!("{what}: {}", String::from(failure))),
        }
    }
    Ok(())
}

/// The inputs with all masks set or cleared, and with every axis of one length emptied.
fn min_max(case: &Case) -> Vec<(String, Lengths, Vec<Value>)> {
    let mut min_max = Vec::new();
    if case.inputs.iter().any(|value| value.dtype() == DType::Bool) {
        for selected in [false, true] {
            let feeds = case.inputs.iter().map(|value| match value {
                Value::Bool(array) => full(array.shape(), selected),
                Value::U8(_) | Value::I32(_) | Value::I64(_) | Value::F32(_) | Value::F64(_) => value.clone(),
            });
            min_max.push((format!("all masks {selected}"), case.lengths[0], feeds.collect()));
        }
    }
    if case.lengths.contains(&Lengths::Named) {
        let mut lengths: Vec<usize> = case.inputs.iter().flat_map(|value| value.shape().to_vec()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        for length in lengths.into_iter().filter(|length| *length > 1) {
            let feeds = case.inputs.iter().map(|value| emptied(value, length));
            min_max.push((format!("axes of length {length} emptied"), Lengths::Named, feeds.collect()));
        }
    }
    min_max
}

/// The array without elements on every axis of `length`.
fn emptied(value: &Value, length: usize) -> Value {
    with_array!(value, array => {
        let mut array = array.clone();
        for axis in 0..array.ndim() {
            if array.shape()[axis] == length {
                array.slice_axis_inplace(ndarray::Axis(axis), ndarray::Slice::from(0..0));
            }
        }
        Value::from(array.into_owned())
    })
}

/// Whether this is an answer to inputs that have none: a maximum or an index
/// of an empty selection, a class of none, and lengths that stand in the expression itself.
pub(crate) fn has_no_answer(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::EmptyReduction { .. }
            | ErrorKind::Assertion { .. }
            | ErrorKind::IndexOutOfRange { .. }
            | ErrorKind::SliceOutOfRange { .. }
            | ErrorKind::TooFewToChoose { .. }
            | ErrorKind::SourceTooShort { .. }
            | ErrorKind::LengthMismatch { .. }
            | ErrorKind::CountMismatch { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::Size(_)
    )
}

/// Whether `is` holds of a node that the case's value or gradient is made of.
pub(crate) fn occurs(case: &Case, is: fn(&Op) -> bool) -> bool {
    case.lengths.iter().any(|lengths| {
        let graph = Graph::new();
        let instance = Instance::new(case, &graph, *lengths);
        let ids = graph.ancestors(&[instance.output.id()]);
        ids.iter().any(|id| is(graph.node(*id).op()))
    })
}
