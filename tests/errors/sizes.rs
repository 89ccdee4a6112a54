//! Sizes and lengths: negative, too large, inferred, of another graph.

use ndarray::arr0;
use tamis::prelude::*;
use tamis::{Dim, Slice};

use crate::location::above;
use crate::{assert_error, assert_failure};

#[test]
fn sizes_are_not_negative() {
    let graph = Graph::new();
    let y = graph.iota(-1);
    assert_error(y, "iota: a size cannot be negative, but -1 is", &above("iota("));
    let graph = Graph::new();
    let y = graph.zeros::<f32>([3, -2]);
    assert_error(y, "zeros: a size cannot be negative, but -2 is", &above("zeros::"));
}

#[test]
fn reshape_keeps_the_number_of_elements() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", 4]);
    // 4·n and 5·n may both be 0, 4·n and 4·n + 1 are never equal.
    assert!(!x.reshape(dims!["n", 5]).is_poisoned());
    let y = graph.concat([x.flatten(), graph.zeros::<f32>([1])], 0).reshape(dims!["n", 4]);
    let message = "reshape: shape [4*n + 1] has 4*n + 1 elements and [n, 4] has 4*n";
    assert_error(y, message, &above("reshape(dims![\"n\", 4])"));
}

#[test]
fn one_inferred_size_must_follow_from_the_others() {
    let cases = [
        (vec![-1, -1], "there is more than one"),
        (vec![-1, 0], "the other sizes have no elements"),
        (vec![-1, 4], "the number of elements cannot be divided by the other sizes"),
    ];
    for (to, reason) in cases {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [2, 3]);
        let y = x.reshape(to.clone());
        let message = format!("reshape: the -1 in {to:?} cannot be inferred from shape [2, 3]: {reason}");
        assert_error(y, &message, &above("reshape("));
    }
}

#[test]
fn sizes_do_not_overflow() {
    let graph = Graph::new();
    let y = graph.full([1_i64 << 32, 1 << 32], 0_u8);
    let message = |op: &str, shape: &str, item: usize| {
        format!(
            "{op}: the size overflows: shape {shape} of {item}-byte elements is more than memory can address"
        )
    };
    assert_error(y, &message("full", "[4294967296, 4294967296]", 1), &above("full("));
    let graph = Graph::new();
    let y = graph.iota(1_i64 << 62);
    assert_error(y, &message("iota", "[4611686018427387904]", 8), &above("iota("));
    // 2^61 elements fit an index, their bytes fit no allocation.
    let graph = Graph::new();
    let y = graph.zeros::<f64>([1_i64 << 61]);
    assert_error(y, &message("zeros", "[2305843009213693952]", 8), &above("zeros::"));
    // No elements, and still lengths whose product is beyond reach.
    let graph = Graph::new();
    let y = graph.zeros::<f64>([0_i64, 1 << 40, 1 << 40]);
    assert_error(y, &message("zeros", "[0, 1099511627776, 1099511627776]", 8), &above("zeros::"));
}

#[test]
fn a_length_that_overflows_is_shown_with_what_it_is_made_of() {
    let graph = Graph::new();
    let y = graph.zeros::<u8>([1_i64 << 40]).repeat(1_i64 << 30, 0);
    let message = "repeat: the size overflows: 1099511627776 * 1073741824";
    assert_error(y, message, &above("repeat("));
    let graph = Graph::new();
    let x = graph.input::<u8>("x", dims!["n", "m"]);
    let y = x.reshape([-1]).tile([1_i64 << 62]).tile([4]);
    let message = "tile: the size overflows: 4 * (4611686018427387904*m*n)";
    assert_error(y, message, &above("tile([4])"));
    // In a run, with the lengths of the run.
    let graph = Graph::new();
    let x = graph.input::<u8>("x", dims!["n", "m"]);
    let counter = graph.iota(x.dim(0).mul(&Dim::from(4_usize)).unwrap());
    let location = above("iota(");
    let plan = Plan::new([("counter", counter), ("x", x)]).unwrap();
    let zero = arr0(0_u8);
    let empty = zero.broadcast((1_usize << 62, 0)).unwrap();
    let message = "iota: the size overflows: (4*n) with n = 4611686018427387904";
    assert_failure(plan.feed("x", empty).run(), message, &location);
}

#[test]
fn sizes_beyond_reason_are_refused() {
    let graph = Graph::new();
    let shape: Vec<_> = (0..64)
        .map(|i| {
            let x = graph.input::<f32>(&format!("x{i}"), dims![format!("n{i}").as_str()]);
            graph.concat([x, graph.zeros::<f32>([1])], 0).dim(0)
        })
        .collect();
    let y = graph.zeros::<f32>(shape).flatten();
    let rest = "of which a length may have 256, or as many as are concatenated in one call; concatenate all at once, \
                or in another plan whose result is fed to an input with a named length";
    let message = format!("flatten: the size would be a sum of 512 terms, {rest}");
    assert_error(y, &message, &above("flatten()"));
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [4]);
    let select = |i: i32| x.boolean_mask(x.gt(i));
    let y = (1..300).map(select).fold(select(0), |all, part| graph.concat([all, part], 0));
    let message = format!("concat: the size would be a sum of 257 terms, {rest}");
    assert_error(y, &message, &above("concat([all"));
    // In one call it is no limit.
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [4]);
    let all = graph.concat((0..300).map(|i| x.boolean_mask(x.gt(i))), 0);
    assert!(!all.is_poisoned());
}

#[test]
fn a_size_of_another_graph_is_refused() {
    let graph = Graph::new();
    let other = Graph::new();
    let y = other.input::<f32>("y", [3]);
    let kept = y.boolean_mask(y.gt(0.0));
    let zeros = graph.zeros::<f32>(dims![kept.dim(0)]);
    let message = "zeros: the size `count(%2)` belongs to another graph";
    assert_error(zeros, message, &above("zeros::"));
}

#[test]
fn the_sizes_of_an_input_are_numbers_and_names() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let kept = x.boolean_mask(x.gt(0.0));
    let y = graph.input::<f32>("y", dims![kept.dim(0)]);
    let message = "input: the sizes of an input are numbers and names, not `count(%2)`";
    assert_error(y, message, &above("input::<f32>(\"y\""));
}

#[test]
fn the_name_of_a_dimension_is_an_identifier() {
    let reason = "is not the name of a dimension: a name is a letter or `_`, then letters, digits or `_`; a number is \
                  written without quotes, and a computed length comes from `x.dim(axis)`";
    for name in ["", "3", "n+1", "n m", "2n", "n-1", "-1", "n.", "*"] {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", dims![name, 2]);
        assert_error(x, &format!("input: {name:?} {reason}"), &above("input::<f32>"));
        let graph = Graph::new();
        let counter = graph.iota(name);
        assert_error(counter, &format!("iota: {name:?} {reason}"), &above("iota(name)"));
        let graph = Graph::new();
        let part = graph.input::<f32>("x", dims!["n"]).slice([Slice::span(0, name)]);
        assert_error(part, &format!("slice: {name:?} {reason}"), &above("slice([Slice::span"));
    }
    let graph = Graph::new();
    for name in ["n", "_", "batch_size", "n2", "größe", "N"] {
        assert_eq!(graph.input::<f32>(name, dims![name]).shape().to_string(), format!("[{name}]"));
    }
    assert!(graph.check().is_ok());
}

#[test]
fn inputs_and_outputs_have_names() {
    let graph = Graph::new();
    let x = graph.input::<f32>("", [2]);
    let message = "input: an input needs a name that is not empty, by which it is fed";
    assert_error(x, message, &above("input::<f32>"));
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let location = above("input::<f32>(\"x\"");
    let error = Plan::new([("", x)]).unwrap_err();
    let message = "plan: an output needs a name that is not empty, by which it is read";
    assert_eq!(error.to_string(), format!("{message} (built at {location})"));
}
