//! C. Gather: indices outside their axis, whatever the flat buffer holds there.

use ndarray::{Array1, Array2, arr1, arr2};
use tamis::OutOfRange;
use tamis::prelude::*;

use crate::{fails, fails_then_runs, gives, refused};

/// Indices that an axis of length 3 does not have.
const OUTSIDE: [i64; 6] = [3, -4, i64::MIN, i64::MAX, 1 << 32, i64::MIN + 3];

#[test]
fn an_index_outside_its_axis_is_an_error_with_its_position() {
    for index in OUTSIDE {
        let graph = Graph::new();
        let x = graph.constant([10, 20, 30]);
        let indices = graph.constant([0, index, 1]);
        let message =
            format!("gather: index {index} is out of range for axis 0 of length 3, at position [1]");
        fails(x.gather(indices, 0), &message);
        fails(x.take_along_axis(indices, 0), &message.replacen("gather", "take_along_axis", 1));
        gives(x.gather_or(indices, OutOfRange::Fill(0.into()), 0), arr1(&[10, 0, 20]));
        let border = if index < 0 { 10 } else { 30 };
        gives(x.gather_or(indices, OutOfRange::Clip, 0), arr1(&[10, border, 20]));
    }
}

#[test]
fn a_plan_recovers_from_a_bad_index() {
    let graph = Graph::new();
    let x = graph.constant([10, 20, 30]);
    let plan = Plan::new([("value", x.gather(graph.input::<i64>("i", dims!["k"]), 0))]).unwrap();
    for index in OUTSIDE {
        fails_then_runs(
            &plan,
            |plan| plan.feed("i", arr1(&[index])).run(),
            "gather: index",
            |plan| plan.feed("i", arr1(&[2_i64, -3])).run(),
            arr1(&[30, 10]),
        );
    }
}

#[test]
fn an_empty_axis_has_no_index() {
    let graph = Graph::new();
    let empty = graph.zeros::<f64>([0]);
    fails(empty.gather(graph.constant([0]), 0), "gather: index 0 is out of range for axis 0 of length 0");
    fails(empty.gather(graph.constant([-1]), 0), "gather: index -1 is out of range for axis 0 of length 0");
    gives(empty.gather(graph.zeros::<i64>([0]), 0), Array1::<f64>::zeros(0));
    gives(graph.zeros::<f64>([0, 2]).gather_nd(graph.zeros::<i64>([0, 2])), Array1::<f64>::zeros(0));
    // The result is empty as well, but an index is checked whatever is read.
    let wide = graph.zeros::<f64>([3, 0]);
    fails(wide.gather(graph.constant([3]), 0), "gather: index 3 is out of range for axis 0 of length 3");
    gives(wide.gather(graph.constant([2, 0]), 0), Array2::<f64>::zeros((2, 0)));
}

#[test]
fn a_coordinate_is_checked_against_its_own_axis() {
    let graph = Graph::new();
    let x = graph.constant([[1, 2], [3, 4], [5, 6]]);
    // The flat offset 0 · 2 + 3 would read the 4 of the next row.
    fails(
        x.gather_nd(graph.constant([[1, 1], [0, 3]])),
        "gather_nd: index 3 is out of range for axis 1 of length 2, at position [1, 1]",
    );
    fails(
        x.gather_nd(graph.constant([[2, -3]])),
        "gather_nd: index -3 is out of range for axis 1 of length 2, at position [0, 1]",
    );
    gives(x.gather_nd(graph.constant([[2, -2], [-3, 1]])), arr1(&[5, 2]));
}

#[test]
fn coordinates_may_name_no_axis_but_not_more_than_there_are() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    gives(x.gather_nd(graph.zeros::<i64>([3, 0])), arr2(&[[1, 2], [1, 2], [1, 2]]));
    gives(x.gather_nd(graph.zeros::<i64>([0, 0])), Array2::<i32>::zeros((0, 2)));
    refused(x.gather_nd(graph.zeros::<i64>([3, 2])), "gather_nd:");
}

#[test]
fn indices_are_integers() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    refused(x.gather(graph.constant([0.0]), 0), "gather:");
    refused(x.gather(graph.constant([true]), 0), "gather:");
}
