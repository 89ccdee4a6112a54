//! Slices, entries and indices.

use ndarray::{arr1, arr2};
use tamis::prelude::*;
use tamis::{Ellipsis, Slice};

use crate::location::above;
use crate::{assert_error, assert_failure};

#[test]
fn entries_that_do_not_fit_are_named() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let i = graph.input::<i64>("i", [4]);
    let y = x.at((.., i, 0)).get();
    assert_error(y, "at.get: the entries cover 3 axes, but shape [2, 3] has rank 2", &above("get()"));

    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.at((Ellipsis, 0, Ellipsis)).set(1.0);
    let message = "at.set: there is more than one `Ellipsis`; write `..` for a single axis";
    assert_error(y, message, &above("set(1.0)"));

    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.at((.., graph.input::<bool>("m", [2]))).add(1.0);
    let message = "at.add: mask [2] does not match the axes that it covers of [2, 3]";
    assert_error(y, message, &above("add(1.0)"));

    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.at((graph.constant([true, true]), graph.input::<i64>("i", [3]))).get();
    assert_error(y, "at.get: shapes [2] and [3] do not broadcast", &above("get()"));

    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.at((0, graph.input::<f32>("i", [3]))).get();
    let message = "at.get: f32[3] is not accepted; indices are integers: write `.cast(DType::I64)`";
    assert_error(y, message, &above("get()"));

    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.at((.., -4)).mul(2.0);
    assert_error(y, "at.mul: index -4 is out of range for axis 1 of shape [2, 3]", &above("mul(2.0)"));

    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.at((.., 1..)).max(graph.input::<f32>("v", [3]));
    assert_error(y, "at.max: shape [3] does not broadcast to [2, 2]", &above("max(graph"));

    let graph = Graph::new();
    let x = graph.input::<i32>("x", [2, 3]);
    let y = x.at(0).set(0.5);
    assert_error(
        y,
        "at.set: the scalar 0.5 does not fit into i32; `.cast(DType::F64)` on the tensor makes room for it",
        &above("set(0.5)"),
    );
}

/// Whatever stands between the indices, the error has the axis of the tensor and
/// the position among the indices as they broadcast together.
#[test]
fn an_index_out_of_range_at_entries_has_the_axis_of_the_tensor() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3, 4, 5]);
    let (i, j) = (graph.constant([[0], [1]]), graph.constant([1, 9, 2]));
    let one = x.at((.., .., j)).get();
    let of_one = above("get()");
    let two = x.at((.., i, 1.., j)).get();
    let of_two = above("get()");
    let three = x.at((0, i, .., j)).add(1.0);
    let of_three = above("add(1.0)");
    let zeros = ndarray::ArrayD::<f64>::zeros(vec![2, 3, 4, 5]);
    let reported = |op: &str, axis: usize, length: usize, position: &str, line: &str| {
        format!(
            "{op}: index 9 is out of range for axis {axis} of length {length}, at position {position} of the indices (built at {line})"
        )
    };
    for (y, expected) in [
        (one, reported("at.get", 2, 4, "[1]", &of_one)),
        (two, reported("at.get", 3, 5, "[0, 1]", &of_two)),
        (three, reported("at.add", 3, 5, "[0, 1]", &of_three)),
    ] {
        let error = Plan::new([("y", y)]).unwrap().feed("x", &zeros).run().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

/// The length check of `x[m, i]` is by the mask, and names both lines.
#[test]
fn indices_beside_a_mask_are_as_many_as_it_selects() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 2]);
    let m = graph.input::<bool>("m", dims!["n"]);
    let i = graph.input::<i64>("i", dims!["k"]);
    let proved = x.at((m, i.at(m).get())).get();
    assert_eq!(proved.dim(0), x.boolean_mask(m).dim(0));
    let y = x.at((m, i)).get();
    let line = above("get()");
    let plan = Plan::new([("y", y)]).unwrap();
    let run = |i: &[i64]| {
        let m = arr1(&[true, false, true]);
        plan.feed("x", arr2(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).feed("m", m).feed("i", arr1(i)).run()
    };
    assert_eq!(run(&[1, 0]).unwrap().view::<f64>("y").unwrap(), arr1(&[2.0, 5.0]).into_dyn());
    let error = run(&[1, 0, 1]).unwrap_err().to_string();
    assert!(error.starts_with("at.get: ") && error.contains(&line), "{error}");
    assert!(error.contains("count(") && error.contains("k"), "{error}");
}

#[test]
fn the_step_of_a_slice_is_not_zero_and_can_be_negated() {
    for step in [0, i64::MIN] {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [3]);
        let y = x.slice((Slice::from(..).by(step),));
        assert_error(y, "slice: the step of a slice cannot be 0 or the smallest i64", &above("slice(("));
    }
}

#[test]
fn an_index_that_is_a_negative_length_is_no_index() {
    let graph = Graph::new();
    let (x, y) = (graph.constant([1, 2, 3]), graph.input::<f64>("y", dims!["n"]));
    let negative = &x.dim(0).sub(&tamis::Dim::from(5)).unwrap();
    let message = "slice: index -2 is out of range for axis 0 of shape [3]";
    let z = x.slice(negative);
    assert_error(z, message, &above("slice(negative)"));
    assert!(y.slice(negative).is_poisoned());
    assert!(x.at(negative).get().is_poisoned());
    // A bound is clamped.
    assert_eq!(x.slice(negative..).shape(), x.shape());
}

#[test]
fn slices_are_no_more_than_axes() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let y = x.slice((.., 0));
    assert_error(y, "slice: 2 slices are given for shape [3] of rank 1", &above("slice("));
}

#[test]
fn a_literal_index_lies_within_its_axis() {
    for index in [3, -4] {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [2, 3]);
        let y = x.slice_axis(index, 1);
        let message = format!("slice_axis: index {index} is out of range for axis 1 of shape [2, 3]");
        assert_error(y, &message, &above("slice_axis("));
    }
}

#[test]
fn more_than_all_cannot_be_chosen() {
    let graph = Graph::new();
    let (values, _) = graph.input::<f64>("x", [1]).top_k(2, 0);
    let message = "top_k: k = 2 elements cannot be chosen along axis 0 of shape [1]: the axis has 1";
    assert_error(values, message, &above("top_k(2"));
    let graph = Graph::new();
    let (_, indices) = graph.input::<f64>("x", [2, 3]).top_k(-1, 1);
    let message = "top_k: k = -1 elements cannot be chosen along axis 1 of shape [2, 3]: k is 0 or more";
    assert_error(indices, message, &above("top_k(-1"));
    let graph = Graph::new();
    let (values, _) = graph.input::<f64>("x", dims!["n"]).top_k(2, 0);
    let location = above("top_k(2");
    let plan = Plan::new([("values", values)]).unwrap();
    let message = "top_k: k = 2 elements cannot be chosen along axis 0, which has length 1";
    assert_failure(plan.feed("x", arr1(&[1.0])).run(), message, &location);
}
