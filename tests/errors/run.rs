//! What a run fails of.

use ndarray::{Array1, Array2, arr0, arr1, arr2};
use tamis::prelude::*;
use tamis::{DType, Dim};

use crate::location::above;
use crate::{RUN_KINDS, assert_failure, is_among};

#[test]
fn named_lengths_that_differ_name_both() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["m", 2]);
    let product = x.matmul(y);
    let location = above("matmul(y)");
    let plan = Plan::new([("product", product)]).unwrap();
    let result = plan.feed("x", arr1(&[1.0, 2.0])).feed("y", Array2::<f64>::zeros((3, 2))).run();
    let message = format!(
        "matmul: lengths differ: n = 2 and m = 3; n is axis 0 of input `x`, built at {}; m is axis 0 of input `y`, \
         built at {}",
        above("input::<f64>(\"x\""),
        above("input::<f64>(\"y\"")
    );
    assert_failure(result, &message, &location);
}

#[test]
fn lengths_that_differ_are_reported_in_the_order_of_the_operands() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let cases: [(Build, &str); 12] = [
        (|x, y| x + y, "n = 2 and m = 3"),
        (|x, y| y + x, "m = 3 and n = 2"),
        (|x, y| x.slice_axis(.., 0) - y.graph().ones::<f64>([3]), "n = 2 and 3"),
        (|x, y| y.graph().ones::<f64>([3]) - x, "3 and n = 2"),
        (|x, y| x.atan2(y), "n = 2 and m = 3"),
        (|x, y| x.gt(0.0) & y.gt(0.0), "n = 2 and m = 3"),
        (|x, y| y.gt(0.0) & x.gt(0.0), "m = 3 and n = 2"),
        (|x, y| x.boolean_mask(y.gt(0.0)), "n = 2 and m = 3"),
        (|x, y| x.masked(y.unsqueeze(1).squeeze(1).gt(0.0)).sum(..), "n = 2 and m = 3"),
        (|x, y| x.matmul(y), "n = 2 and m = 3"),
        (|x, y| x.graph().einsum("i,i->", [x, y]), "n = 2 and m = 3"),
        (|x, y| x.segment_sum(y.cast(DType::I64), 4), "n = 2 and m = 3"),
    ];
    for (build, lengths) in cases {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        let y = graph.input::<f64>("y", dims!["m"]);
        let plan = Plan::new([("x", x), ("y", y), ("result", build(x, y))]).unwrap();
        let error = plan.feed("x", arr1(&[1.0, 2.0])).feed("y", arr1(&[1.0, 2.0, 3.0])).run().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("lengths differ: {lengths}; ")), "{text}: not {lengths}");
    }
}

#[test]
fn an_expression_that_was_given_a_name_is_reported_by_it() {
    let graph = Graph::new();
    let a = graph.input::<i32>("a", [2]);
    let b = graph.input::<i32>("b", [2]);
    let rest = a % b;
    let location = above("a % b");
    let _ = rest.named("rest");
    let plan = Plan::new([("y", rest)]).unwrap();
    let run = || plan.feed("a", arr1(&[3, 4])).feed("b", arr1(&[0, 1])).run().unwrap_err().to_string();
    let message = "floor_mod: the divisor is 0 at position [0]; integers cannot be divided by 0";
    assert_eq!(run(), format!("{message} (`rest`, built at {location})"));
    // What it is made of is named too, in the order in which it was given.
    let graph = Graph::new();
    let total = (graph.input::<i32>("a", [2]) + 0).named("total");
    let parts = (graph.input::<i32>("b", [2]) + 0).named("parts");
    let share = total.floor_div(parts).named("share");
    let location = above("floor_div(parts)");
    let plan = Plan::new([("y", share)]).unwrap();
    let run = || plan.feed("a", arr1(&[3, 4])).feed("b", arr1(&[0, 1])).run().unwrap_err().to_string();
    let message = "floor_div: the divisor is 0 at position [0]; integers cannot be divided by 0";
    assert_eq!(run(), format!("{message} (`share` of `total` and `parts`, built at {location})"));
}

#[test]
fn a_name_of_what_a_composed_builder_gives_is_reported() {
    let graph = Graph::new();
    let classes = (graph.input::<i64>("classes", [2]) + 0).named("labels");
    let rows = classes.one_hot(3, DType::U8).named("targets");
    let location = above("one_hot(");
    let plan = Plan::new([("rows", rows)]).unwrap();
    let message = "one_hot: index 3 is out of range for axis 0 of length 3, at position [1] of the indices; for a row \
                   of 0 there select the classes by a mask: \
                   `where_(m, i, 0).one_hot(n, dtype).masked_fill(!m.unsqueeze(-1), 0)`";
    let error = plan.feed("classes", arr1(&[-3_i64, 3])).run().unwrap_err();
    assert_eq!(error.to_string(), format!("{message} (`targets` of `labels`, built at {location})"));
}

#[test]
fn a_mask_that_was_given_a_name_is_reported_by_it() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let mask = x.abs().gt(1.0).named("large");
    let mask_location = above("gt(1.0)");
    let filled = graph.constant([7.0, 8.0]).unmask(mask, 0.0);
    let location = above("unmask(");
    let plan = Plan::new([("filled", filled)]).unwrap();
    let message = format!(
        "unmask: lengths differ: 2 and count(%3) = 1; count(%3) counts the true elements of `large`, built at \
         {mask_location} (of `large`, built at {location})"
    );
    let error = plan.feed("x", arr1(&[0.0, -2.0, 1.0])).run().unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn an_inferred_size_that_is_not_an_integer_is_reported() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = x.reshape([-1, 4]);
    let location = above("reshape(");
    let plan = Plan::new([("y", y)]).unwrap();
    let message = "reshape: 6 elements cannot be divided by 4";
    assert_failure(plan.feed("x", Array1::<f64>::zeros(6)).run(), message, &location);
    assert_eq!(plan.feed("x", Array1::<f64>::zeros(8)).run().unwrap().value("y").unwrap().shape(), [2, 4]);
}

#[test]
fn a_reshape_to_another_number_of_elements_is_reported() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 4]);
    let y = x.reshape(dims!["n", 5]);
    let location = above("reshape(");
    let plan = Plan::new([("y", y)]).unwrap();
    let input = above("input::<f64>(\"x\"");
    let message =
        format!("reshape: lengths differ: 4*n = 8 and 5*n = 10; n is axis 0 of input `x`, built at {input}");
    assert_failure(plan.feed("x", Array2::<f64>::zeros((2, 4))).run(), &message, &location);
    assert!(plan.feed("x", Array2::<f64>::zeros((0, 4))).run().is_ok());
}

#[test]
fn a_size_that_overflows_in_a_run_is_reported_before_it_is_allocated() {
    let graph = Graph::new();
    let x = graph.input::<u8>("x", dims!["n"]);
    let square = graph.zeros::<u8>(dims!["n", "n"]) + 1;
    let location = above("zeros::<u8>");
    let plan = Plan::new([("square", square), ("x", x)]).unwrap();
    let zero = arr0(0_u8);
    let long = zero.broadcast(1_usize << 40).unwrap();
    let message = "zeros: the size overflows: shape [1099511627776, 1099511627776] of 1-byte elements is more than \
                   memory can address";
    assert_failure(plan.feed("x", long).run(), message, &location);
}

#[test]
fn the_memory_of_a_repeat_is_that_of_its_result() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = x.repeat(1_i64 << 45, 0);
    let location = above("repeat(");
    let plan = Plan::new([("y", y)]).unwrap();
    let message = "repeat: there is no memory for shape [70368744177664] of 562949953421312 bytes";
    assert_failure(plan.feed("x", [1.0, 2.0]).run(), message, &location);
    let graph = Graph::new();
    let y = graph.input::<f64>("x", [2]).tile([3]);
    let location = above("tile(");
    let plan = Plan::new([("y", y)]).unwrap().memory_limit(40);
    let message = "tile: shape [6] takes 48 bytes, with 0 held already; the memory limit is 40 bytes";
    assert_failure(plan.feed("x", [1.0, 2.0]).run(), message, &location);
}

#[test]
fn an_array_beyond_all_memory_is_an_error() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = x.sqrt();
    let location = above("sqrt()");
    let plan = Plan::new([("y", y)]).unwrap();
    let zero = arr0(0.0);
    let long = zero.broadcast(1_usize << 58).unwrap();
    let message = "sqrt: there is no memory for shape [288230376151711744] of 2305843009213693952 bytes";
    assert_failure(plan.feed("x", long).run(), message, &location);
}

#[test]
fn a_size_below_zero_is_reported_with_its_value() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let before = x.dim(0).sub(&Dim::ONE).unwrap();
    let y = graph.iota(before);
    let location = above("iota(");
    let plan = Plan::new([("y", y), ("x", x)]).unwrap();
    let message = "iota: the size n - 1 is negative: it is -1 in this run";
    assert_failure(plan.feed("x", Array1::<f64>::zeros(0)).run(), message, &location);
    let out = plan.feed("x", Array1::<f64>::zeros(3)).run().unwrap();
    assert_eq!(out.view::<i64>("y").unwrap(), arr1(&[0, 1]).into_dyn());
}

#[test]
fn indices_out_of_range_are_reported_with_their_position_in_every_addressing() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let cases: [(&str, Build, usize); 9] = [
        ("gather", |x, i| x.gather(i, 1), 1),
        ("take_along_axis", |x, i| x.take_along_axis(i, 1), 1),
        ("gather_nd", |x, i| x.gather_nd(i), 1),
        ("scatter_set", |x, i| x.scatter_set(i, 1.0, 1), 1),
        ("scatter_add", |x, i| x.scatter_add(i, 1.0, 1), 1),
        ("scatter_set_along_axis", |x, i| x.scatter_set_along_axis(i, 1.0, 1), 1),
        ("scatter_add_along_axis", |x, i| x.scatter_add_along_axis(i, 1.0, 1), 1),
        ("scatter_nd_set", |x, i| x.scatter_nd_set(i, 1.0), 1),
        ("scatter_nd_add", |x, i| x.scatter_nd_add(i, 1.0), 1),
    ];
    for (op, build, axis) in cases {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2, 2]);
        let i = graph.input::<i64>("i", [2, 2]);
        let plan = Plan::new([("y", build(x, i))]).unwrap();
        for bad in [2, -3, i64::MIN, i64::MAX] {
            let result =
                plan.feed("x", Array2::<f64>::zeros((2, 2))).feed("i", arr2(&[[0, 1], [-1, bad]])).run();
            let error = result.unwrap_err();
            let location = error.location().unwrap().to_string();
            assert!(location.starts_with(file!()), "{location}");
            let message = format!(
                "{op}: index {bad} is out of range for axis {axis} of length 2, at position [1, 1] of the indices \
                 (built at {location})"
            );
            assert_eq!(error.to_string(), message);
        }
    }
}

#[test]
fn a_failed_scatter_leaves_its_destination_alone() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let i = graph.input::<i64>("i", [2]);
    let y = x.scatter_add(i, 1.0, 0);
    let plan = Plan::new([("x", y)]).unwrap();
    let mut memory = arr1(&[5.0, 6.0]);
    assert!(plan.feed("i", arr1(&[0_i64, 2])).update("x", memory.view_mut()).run().is_err());
    assert_eq!(memory, arr1(&[5.0, 6.0]));
}

#[test]
fn a_literal_index_beyond_an_axis_of_unknown_length_is_reported() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 2]);
    let y = x.slice((-3, ..));
    let location = above("slice((");
    let plan = Plan::new([("y", y)]).unwrap();
    let message = "slice: index -3 is out of range for axis 0 of length 2";
    assert_failure(plan.feed("x", Array2::<f64>::zeros((2, 2))).run(), message, &location);
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 2]);
    let y = x.slice((2, ..));
    let location = above("slice((2");
    let plan = Plan::new([("y", y)]).unwrap();
    let message = "slice: index 2 is out of range for axis 0 of length 2";
    assert_failure(plan.feed("x", Array2::<f64>::zeros((2, 2))).run(), message, &location);
}

#[test]
fn a_computed_index_below_an_axis_is_shown_as_it_is() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<f64>("x", dims!["n", 2]), graph.input::<f64>("y", dims!["k"]));
    let index = &y.dim(0).sub(&Dim::from(5)).unwrap();
    let row = x.slice((index, ..));
    let location = above("slice((index");
    let plan = Plan::new([("row", row)]).unwrap();
    let rows = arr2(&[[0.0, 1.0], [2.0, 3.0]]);
    let feed = |length| plan.feed("x", &rows).feed("y", Array1::<f64>::zeros(length)).run();
    let message = |index: i64| format!("slice: index {index} is out of range for axis 0 of length 2");
    assert_failure(feed(2), &message(-3), &location);
    assert_failure(feed(4), &message(-1), &location);
    assert_failure(feed(7), &message(2), &location);
    assert_eq!(feed(6).unwrap().array::<f64, ndarray::Ix1>("row").unwrap(), arr1(&[2.0, 3.0]));
}

#[test]
fn integers_have_no_remainder_by_zero() {
    let graph = Graph::new();
    let a = graph.input::<i32>("a", [2, 2]);
    let b = graph.input::<i32>("b", [2]);
    let y = a % b;
    let location = above("a % b");
    let plan = Plan::new([("y", y)]).unwrap();
    let a = arr2(&[[7, -7], [i32::MIN, i32::MIN]]);
    let message = "floor_mod: the divisor is 0 at position [0, 1]; integers cannot be divided by 0";
    assert_failure(plan.feed("a", &a).feed("b", arr1(&[3, 0])).run(), message, &location);
    let out = plan.feed("a", &a).feed("b", arr1(&[3, -1])).run().unwrap();
    assert_eq!(out.view::<i32>("y").unwrap(), arr2(&[[1, 0], [1, 0]]).into_dyn());
}

#[test]
fn a_remainder_by_zero_is_seen_wherever_it_is_not_selected() {
    let graph = Graph::new();
    let a = graph.input::<i64>("a", [2]);
    let y = where_(a.ne(0), a % a, 0);
    let location = above("a % a");
    let plan = Plan::new([("y", y)]).unwrap();
    let message = "floor_mod: the divisor is 0 at position [1]; integers cannot be divided by 0";
    assert_failure(plan.feed("a", arr1(&[3_i64, 0])).run(), message, &location);
}

#[test]
fn integers_have_no_negative_powers_in_a_run() {
    let graph = Graph::new();
    let a = graph.input::<i64>("a", [2]);
    let y = a.pow(a);
    let location = above("pow(a)");
    let plan = Plan::new([("y", y)]).unwrap();
    let message =
        "pow: -2 cannot be raised to the negative power -2 at position [1]; cast the base to a float";
    assert_failure(plan.feed("a", arr1(&[3_i64, -2])).run(), message, &location);
}

#[test]
fn the_min_or_max_of_an_empty_selection_is_reported_with_its_line() {
    type Build = for<'g> fn(Expr<'g>) -> Expr<'g>;
    let cases: [(&str, Build); 6] = [
        ("max", |x| x.max(0)),
        ("min", |x| x.min(0)),
        ("argmax", |x| x.argmax(0)),
        ("argmin", |x| x.argmin(0)),
        ("max", |x| x.masked(x.gt(9.0)).max(0)),
        ("min", |x| x.masked(x.gt(9.0)).min(0)),
    ];
    for (op, build) in cases {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n", 2]);
        let plan = Plan::new([("y", build(x))]).unwrap();
        let error = plan.feed("x", Array2::<f64>::zeros((0, 2))).run().unwrap_err();
        let location = error.location().unwrap().to_string();
        assert!(location.starts_with(file!()), "{location}");
        let advice = match op {
            "max" | "min" => {
                "; `x.masked(m).if_empty(v)` says what an empty selection gives, `.initial(v)` adds an element to compare with"
            }
            // There is no mask whose selection is empty.
            _ => "",
        };
        let message = format!(
            "{op}: there is no element to choose from for position [0] of the result{advice} (built at {location})"
        );
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_position_has_the_axes_that_a_reduction_keeps() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    // The mask is [[true, false], [true, true]].
    let cases: [(Build, &str); 6] = [
        (|x, m| x.masked(m & x.gt(3)).max(0), "[0]"),
        (|x, m| x.slice_axis(..1, 0).masked(m.slice_axis(..1, 0)).max(keep(0)), "[0, 1]"),
        (|x, m| x.masked(m & x.lt(2)).min(keep(1)), "[1, 0]"),
        (|x, m| x.masked(m & x.gt(9)).max(keep(..)), "[0, 0]"),
        (|x, m| x.masked(m & x.gt(9)).max(..), "[]"),
        (|x, m| x.unsqueeze(0).masked((m & x.lt(2)).unsqueeze(0)).min(keep([0, 2])), "[0, 1, 0]"),
    ];
    for (build, position) in cases {
        let graph = Graph::new();
        let x = graph.constant([[1, 2], [3, 4]]);
        let mask = graph.constant([[true, false], [true, true]]);
        let error = Plan::new([("y", build(x, mask))]).unwrap().run().unwrap_err().to_string();
        let text = format!("there is no element to choose from for position {position} of the result");
        assert!(error.contains(&text), "{error}: not {position}");
    }
}

#[test]
fn a_failure_in_a_gradient_names_both_lines() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let i = graph.input::<i64>("i", dims!["k"]);
    let loss = x.gather(i, 0).sum(..);
    let forward = above("gather(i, 0)");
    let dx = grad(loss, x);
    let gradient = above("grad(loss, x)");
    let plan = Plan::new([("dx", dx)]).unwrap();
    let error = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).feed("i", arr1(&[0_i64, 3])).run().unwrap_err();
    let message = format!(
        "gather: index 3 is out of range for axis 0 of length 3, at position [1] of the indices \
         (gradient taken at {gradient}, of what was built at {forward})"
    );
    assert_eq!(error.to_string(), message);
    assert_eq!(error.location().unwrap().to_string(), gradient);
    let out = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).feed("i", arr1(&[2_i64, 0, 2])).run().unwrap();
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[1.0, 0.0, 2.0]).into_dyn());
}

#[test]
fn a_failure_in_a_second_derivative_names_the_first_line_of_all() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let i = graph.input::<i64>("i", dims!["k"]);
    let loss = x.gather(i, 0).square().sum(..);
    let forward = above("gather(i, 0)");
    let dx = grad(loss, x);
    let ddx = grad(dx.sum(..), x);
    let second = above("grad(dx.sum(..), x)");
    let plan = Plan::new([("ddx", ddx)]).unwrap();
    let error = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).feed("i", arr1(&[0_i64, 3])).run().unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("gradient taken at {second}")), "{text}");
    assert!(text.ends_with(&format!("of what was built at {forward})")), "{text}");
}

#[test]
fn a_run_beyond_its_memory_limit_is_reported() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let y = x + 1.0;
    let location = above("+ 1.0");
    let plan = Plan::new([("y", y)]).unwrap().memory_limit(8);
    let message = "add: shape [2] takes 16 bytes, with 0 held already; the memory limit is 8 bytes";
    let location = location.rsplit_once(':').map(|(line, _)| format!("{line}:13")).unwrap();
    assert_failure(plan.feed("x", arr1(&[1.0, 2.0])).run(), message, &location);
}

#[test]
fn an_iteration_over_more_repetitions_than_a_run_can_take_is_reported() {
    let graph = Graph::new();
    let y = graph.zeros::<f64>([1_i64 << 45]).sum(..);
    let error = y.eval::<f64>().unwrap_err();
    assert!(error.to_string().starts_with("sum: shape [35184372088832] repeats its elements to"), "{error}");
    assert!(is_among(RUN_KINDS, error.kind()), "{error}");
}

#[test]
fn integers_cannot_be_divided_by_zero() {
    let graph = Graph::new();
    let a = graph.input::<i32>("a", [2, 2]);
    let b = graph.input::<i32>("b", [2]);
    let (quotient, rest) = (a.floor_div(b), a.rem_trunc(b));
    let (of_quotient, of_rest) = (above("floor_div(b)"), above("rem_trunc(b)"));
    let a = arr2(&[[7, -7], [3, 4]]);
    let plan = Plan::new([("y", quotient)]).unwrap();
    let message = "floor_div: the divisor is 0 at position [0, 1]; integers cannot be divided by 0";
    assert_failure(plan.feed("a", &a).feed("b", arr1(&[3, 0])).run(), message, &of_quotient);
    let plan = Plan::new([("y", rest)]).unwrap();
    let message = "rem_trunc: the divisor is 0 at position [0, 0]; integers cannot be divided by 0";
    assert_failure(plan.feed("a", &a).feed("b", arr1(&[0, 3])).run(), message, &of_rest);
}

#[test]
fn an_assertion_that_does_not_hold_says_what_it_was_given() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 2]);
    let y = x.assert_that(x.gt(0.0), "prices are positive").sum(..);
    let location = above("assert_that(");
    let dx = grad(y, x);
    let message =
        "assert_that: prices are positive: false at position [1, 0] of the mask, where the tensor has NaN";
    let plan = Plan::new([("y", y)]).unwrap();
    assert_failure(plan.feed("x", arr2(&[[1.0, 2.0], [f64::NAN, -1.0]])).run(), message, &location);
    let out = Plan::new([("dx", dx)]).unwrap().feed("x", arr2(&[[1.0, 2.0], [3.0, 4.0]])).run().unwrap();
    assert_eq!(out.view::<f64>("dx").unwrap(), arr2(&[[1.0, 1.0], [1.0, 1.0]]).into_dyn());
}

#[test]
fn a_source_too_short_to_scatter_is_an_error_of_the_run() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let mask = graph.input::<bool>("mask", [3]);
    let source = graph.input::<f64>("source", dims!["n"]);
    let y = x.masked_scatter(mask, source);
    let location = above("masked_scatter(");
    let plan = Plan::new([("y", y)]).unwrap();
    let (x, source) = (arr1(&[0.0; 3]), arr1(&[1.0]));
    let run = |mask: [bool; 3]| plan.feed("x", &x).feed("mask", arr1(&mask)).feed("source", &source).run();
    let message = "masked_scatter: the mask selects 2 elements, but the source has 1";
    assert_failure(run([true, false, true]), message, &location);
    assert!(run([false, true, false]).is_ok());
}

#[test]
fn an_assertion_without_words_says_where_it_fails() {
    for (text, said) in [("", ""), (" : ", ""), ("prices are positive:", "prices are positive: ")] {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2]);
        let y = x.assert_that(x.gt(0.0), text);
        let location = above("assert_that(");
        let plan = Plan::new([("y", y)]).unwrap();
        let message =
            format!("assert_that: {said}false at position [1] of the mask, where the tensor has -1.0");
        assert_failure(plan.feed("x", [1.0, -1.0]).run(), &message, &location);
    }
}

#[test]
fn a_label_that_is_no_class_is_reported_with_its_position() {
    for label in [3_i64, -1, i64::MIN] {
        let graph = Graph::new();
        let x = graph.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let labels = graph.input::<i64>("labels", [2]);
        let loss = x.cross_entropy(labels, 1);
        let location = above("cross_entropy(");
        let plan = Plan::new([("loss", loss), ("dx", loss.sum(..))]).unwrap();
        let message = format!(
            "cross_entropy: a label is one of the 3 classes, or ignored by `labels.masked(kept)`: false at position \
             [1] of the mask, where the tensor has {label}"
        );
        assert_failure(plan.feed("labels", arr1(&[0_i64, label])).run(), &message, &location);
        assert!(plan.feed("labels", arr1(&[0_i64, 2])).run().is_ok());
    }
}

#[test]
fn a_masked_argmax_of_none_names_its_position_and_if_empty() {
    let nothing = |position: &str| {
        format!(
            "there is no element to choose from for position {position} of the result; \
             `x.masked(m).if_empty(index)` says what an empty selection gives"
        )
    };
    let graph = Graph::new();
    let (x, mask) = (graph.constant([[1.0, 2.0], [3.0, 4.0]]), graph.input::<bool>("mask", [2, 2]));
    let selected = x.masked(mask);
    let second = arr2(&[[true, true], [false, false]]);
    let columns = arr2(&[[true, false], [true, false]]);
    let none = arr2(&[[false; 2]; 2]);
    let feed = |expr, mask: &Array2<bool>| {
        let plan = Plan::new([("y", expr)]).unwrap();
        plan.feed("mask", mask).run()
    };
    let rows = selected.argmax(1);
    let columns_of = selected.argmin(0);
    let rows_kept = selected.argmax(keep(1));
    let columns_kept = selected.argmin(keep(0));
    let all = selected.argmax(..);
    let cases = [
        (rows, "argmax", &second, "[1]", above("argmax(1)")),
        (columns_of, "argmin", &columns, "[1]", above("argmin(0)")),
        (rows_kept, "argmax", &second, "[1, 0]", above("argmax(keep(1)")),
        (columns_kept, "argmin", &columns, "[0, 1]", above("argmin(keep(0)")),
        (all, "argmax", &none, "[]", above("argmax(..)")),
    ];
    for (expr, op, mask, position, location) in cases {
        assert_failure(feed(expr, mask), &format!("{op}: {}", nothing(position)), &location);
        assert!(feed(expr, &arr2(&[[true; 2]; 2])).is_ok());
    }
}
