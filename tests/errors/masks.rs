//! Masks whose shape or alignment does not fit what they select from.

use ndarray::{arr0, arr2};
use tamis::Masked;
use tamis::prelude::*;

use crate::assert_error;
use crate::location::above;

#[test]
fn a_mask_matches_the_leading_axes() {
    let cases = [
        (vec![4], ""), // as long as no axis
        (vec![2, 3, 1], ""),
        (vec![2, 4], ""),
        (vec![2, 1], "; `masked_select` takes a mask with 1s that broadcast"),
        (vec![1], "; `masked_select` takes a mask with 1s that broadcast"),
    ];
    for (shape, remedy) in cases {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [2, 3]);
        let mask = graph.input::<bool>("mask", shape.clone());
        let y = x.boolean_mask(mask);
        let message =
            format!("boolean_mask: mask {shape:?} does not match the leading axes of [2, 3]{remedy}");
        assert_error(y, &message, &above("boolean_mask("));
    }
}

#[test]
fn a_mask_of_inner_axes_is_bool() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let mask = graph.constant([1, 0, 1, 1, 1]);
    let y = x.unmask_axis(mask, 0.0, 1);
    let message =
        "unmask_axis: the mask is i32[5]; masks are bool: write `.ne(0)` to select what is not zero";
    assert_error(y, message, &above("unmask_axis("));
}

#[test]
fn a_mask_of_axes_that_are_apart_names_unsqueeze() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3, 5]);
    let mask = graph.input::<bool>("mask", [2, 5]);
    let y = x.masked(mask).sum(0);
    let message = "masked: mask [2, 5] does not match the leading axes of [2, 3, 5]; write `mask.unsqueeze(1)` for the \
                   axes [0, 2]";
    assert_error(y, message, &above("masked(mask).sum(0)"));
}

#[test]
fn an_operand_of_the_leading_axes_is_not_aligned_with_the_trailing_ones() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let cases: [(&str, Build); 4] = [
        ("where_", |x, mask| where_(mask, x, 0.0)),
        ("where_", |x, mask| where_(mask, 0.0, x)),
        ("masked_select", |x, mask| x.masked_select(mask)),
        ("and", |x, mask| x.gt(0.0) & mask),
    ];
    for (op, build) in cases {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", dims!["batch", "time", "features"]);
        let mask = graph.input::<bool>("mask", dims!["batch", "time"]);
        let _ = build(x, mask);
        let message = format!(
            "{op}: mask [batch, time] matches the leading axes of [batch, time, features] and may match the trailing \
             axes: write `mask.expand_mask(x)` for the leading axes, `mask.unsqueeze(0)` for the trailing axes"
        );
        let error = graph.check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{message} (built at {}:", file!())), "{error}");
    }
}

#[test]
fn a_mask_of_a_picture_is_not_aligned_with_its_colours() {
    let graph = Graph::new();
    let picture = graph.input::<u8>("picture", [4, 5, 3]);
    let mask = graph.input::<bool>("mask", [4, 5]);
    let y = where_(mask, picture, 0);
    let message = "where_: mask [4, 5] matches the leading axes of [4, 5, 3] and does not match the trailing axes: \
                   write `mask.expand_mask(x)` for the leading axes";
    assert_error(y, message, &above("where_(mask, picture"));
    let graph = Graph::new();
    let picture = graph.input::<u8>("picture", dims!["h", "w", 3]);
    let mask = graph.input::<bool>("mask", dims!["h", "w"]);
    let y = where_(mask, picture, 0);
    let message = "where_: mask [h, w] matches the leading axes of [h, w, 3] and may match the trailing axes: write \
                   `mask.expand_mask(x)` for the leading axes, `mask.unsqueeze(0)` for the trailing axes";
    assert_error(y, message, &above("where_(mask, picture"));
}

#[test]
fn a_tensor_of_the_leading_axes_names_unsqueeze() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", "m", 2]);
    let weights = graph.input::<f32>("weights", dims!["n"]);
    let y = weights * x;
    let message = "mul: shape [n] matches the leading axes of [n, m, 2] and may match the trailing axes: write \
                   `.unsqueeze(-1).unsqueeze(-1)` for the leading axes, `.unsqueeze(0).unsqueeze(1)` for the trailing \
                   axes";
    assert_error(y, message, &above("weights * x"));
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let wide = x.broadcast_to([3, 2]);
    let message = "broadcast_to: shape [3] matches the leading axes of [3, 2] and does not match the trailing axes: \
                   write `.unsqueeze(-1)` for the leading axes";
    assert_error(wide, message, &above("broadcast_to("));
}

#[test]
fn a_mask_that_both_ends_match_is_not_aligned_by_accident() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let cases: [(&str, Build); 6] = [
        ("masked", |x, mask| x.masked(mask).sum(0)),
        ("masked", |x, mask| x.masked(mask).max(0)),
        ("masked", |x, mask| x.masked(mask).softmax(0)),
        ("masked", |x, mask| x.masked(mask).sort(0)),
        ("masked_fill", |x, mask| x.masked_fill(mask, 0.0)),
        ("masked_scatter", |x, mask| x.masked_scatter(mask, x)),
    ];
    let ways = "write `mask.expand_mask(x)` for the leading axes, `mask.unsqueeze(0)` for the trailing axes";
    for (op, build) in cases {
        let graph = Graph::new();
        let y = build(graph.constant([[1.0, 2.0], [3.0, 4.0]]), graph.constant([true, false]));
        assert!(y.is_poisoned());
        let error = graph.check().unwrap_err().to_string();
        let message = format!(
            "{op}: mask [2] matches the leading axes of [2, 2] and the trailing axes: {ways} (built at "
        );
        assert!(error.starts_with(&message), "{error}");
        // With two names, either end may fit in a run.
        let graph = Graph::new();
        let y = build(graph.input::<f64>("x", dims!["n", "m"]), graph.input::<bool>("mask", dims!["k"]));
        assert!(y.is_poisoned());
        let error = graph.check().unwrap_err().to_string();
        let message = format!(
            "{op}: mask [k] may match the leading axes of [n, m] and the trailing axes: {ways} (built at "
        );
        assert!(error.starts_with(&message), "{error}");
    }
}

#[test]
fn a_mask_of_the_trailing_axes_is_not_aligned_with_the_leading_ones() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["batch", "time"]);
    let mask = graph.input::<bool>("mask", dims!["time"]);
    let y = x.masked(mask).mean(0);
    let message = "masked: mask [time] may match the leading axes of [batch, time] and matches the trailing axes: write \
                   `mask.expand_mask(x)` for the leading axes, `mask.unsqueeze(0)` for the trailing axes";
    assert_error(y, message, &above("masked(mask).mean(0)"));
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let mask = graph.input::<bool>("mask", [3]);
    let y = x.masked_assign(mask, 0.0);
    let message = "masked_assign: mask [3] does not match the leading axes of [2, 3] and matches the trailing axes: \
                   write `mask.unsqueeze(0)` for the trailing axes";
    assert_error(y, message, &above("masked_assign("));
}

#[test]
fn a_selection_by_a_mask_of_the_trailing_axes_names_boolean_mask_axis() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["batch", "time"]);
    let mask = graph.input::<bool>("mask", dims!["time"]);
    let y = x.boolean_mask(mask);
    let message = "boolean_mask: mask [time] may match the leading axes of [batch, time] and matches the trailing axes: \
                   write `x.boolean_mask_axis(mask, 0)` for the leading axes, `x.boolean_mask_axis(mask, 1)` for the \
                   trailing axes";
    assert_error(y, message, &above("boolean_mask("));
    // Said with its axis, either is accepted.
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["batch", "time"]);
    let mask = graph.input::<bool>("mask", dims!["time"]);
    assert!(!x.boolean_mask_axis(mask, 0).is_poisoned());
    assert!(!x.boolean_mask_axis(mask, 1).is_poisoned());
}

#[test]
fn a_mask_of_axes_that_may_be_either_end_names_those_it_matches() {
    let graph = Graph::new();
    let scores = graph.input::<f32>("scores", dims!["batch", "query", "key"]);
    let real = graph.input::<bool>("real", dims!["batch", "key"]);
    let y = scores.masked(real).softmax(-1);
    let message = "masked: mask [batch, key] may match the leading axes of [batch, query, key] and the trailing axes, \
                   and matches the axes [0, 2]: write `mask.expand_mask(x)` for the leading axes, `mask.unsqueeze(0)` \
                   for the trailing axes, `mask.unsqueeze(1)` for the axes [0, 2]";
    assert_error(y, message, &above("masked(real)"));
}

#[test]
fn both_ways_to_write_an_alignment_are_accepted() {
    let graph = Graph::new();
    let x = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    let mask = graph.constant([true, false]);
    let (leading, trailing) = (mask.expand_mask(x), mask.unsqueeze(0));
    // [1, 2] is the first row, [1, 3] the first column.
    for (mask, sum) in [(leading, 3.0), (trailing, 4.0)] {
        assert_eq!(x.masked(mask).sum(..).eval::<f64>().unwrap(), arr0(sum).into_dyn());
        assert_eq!(where_(mask, x, 0.0).sum(..).eval::<f64>().unwrap(), arr0(sum).into_dyn());
        assert_eq!(x.masked_fill(!mask, 0.0).sum(..).eval::<f64>().unwrap(), arr0(sum).into_dyn());
    }
    // NumPy, PyTorch and TensorFlow broadcast along the trailing axes here.
    assert_eq!(where_(mask, x, 0.0).eval::<f64>().unwrap(), arr2(&[[1.0, 0.0], [3.0, 0.0]]).into_dyn());
    // x[mask] is leading in all of them.
    assert_eq!(x.boolean_mask(mask).eval::<f64>().unwrap(), arr2(&[[1.0, 2.0]]).into_dyn());
}

#[test]
fn a_mask_of_inner_axes_matches_them() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let mask = graph.input::<bool>("mask", [2]);
    let y = x.boolean_mask_axis(mask, 1);
    let message = "boolean_mask_axis: mask [2] does not match the axes from the given one on of [2, 3]";
    assert_error(y, message, &above("boolean_mask_axis("));
}

#[test]
fn a_mask_alone_among_entries_is_not_aligned_by_accident() {
    let graph = Graph::new();
    let (x, mask) = (graph.input::<f64>("x", dims!["r", "c"]), graph.input::<bool>("mask", dims!["c"]));
    let y = x.at(mask).set(0.0);
    let message = "at.set: mask [c] may match the leading axes of [r, c] and matches the trailing axes: write \
                   `x.at((mask, Ellipsis))` for the leading axes, `x.at((.., mask))` for the trailing axes";
    assert_error(y, message, &above("set(0.0)"));
    let graph = Graph::new();
    let (x, mask) = (graph.input::<f64>("x", dims!["r", "c"]), graph.input::<bool>("mask", dims!["c"]));
    let columns = x.at((.., mask)).set(0.0);
    assert!(graph.check().is_ok());
    assert_eq!(columns.shape(), x.shape());
}

/// An op of a masked tensor of shape `[3]`.
type MaskedOp = for<'g> fn(Masked<'g>, &'g Graph) -> Expr<'g>;

/// Asserts that `build` refuses what is said of empty selections, with its line.
#[track_caller]
fn assert_refused(op: &str, message: &str, build: impl for<'g> Fn(Masked<'g>, &'g Graph) -> Expr<'g>) {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [3]);
    let refused = build(x.masked(x.gt(0)), &graph);
    assert!(refused.is_poisoned(), "{op} takes it");
    let error = graph.check().unwrap_err();
    let [report] = error.reports() else { panic!("one error is reported once: {error}") };
    assert_eq!((report.op(), report.kind().to_string().as_str()), (op, message));
    assert_eq!(report.location().file(), file!());
}

#[test]
fn an_op_that_does_not_take_if_empty_names_those_that_do() {
    let message = "`if_empty` has no meaning here; `mean`, `var`, `var_ddof`, `std`, `std_ddof`, `max`, `min`, \
                   `argmax`, `argmin` and `sort` take it";
    let ops: [(&str, MaskedOp); 15] = [
        ("sum", |x, _| x.sum(..)),
        ("prod", |x, _| x.prod(..)),
        ("any", |x, _| x.any(..)),
        ("all", |x, _| x.all(..)),
        ("count_nonzero", |x, _| x.count_nonzero(..)),
        ("norm", |x, _| x.norm(..)),
        ("logsumexp", |x, _| x.logsumexp(..)),
        ("softmax", |x, _| x.softmax(0)),
        ("log_softmax", |x, _| x.log_softmax(0)),
        ("cumsum", |x, _| x.cumsum(0)),
        ("cumprod", |x, _| x.cumprod(0)),
        ("argsort", |x, _| x.argsort(0)),
        ("matmul", |x, graph| x.matmul(graph.ones::<i32>([3]))),
        ("cross_entropy", |x, graph| x.cross_entropy(graph.zeros::<i64>(dims![]), 0)),
        ("cross_entropy", |x, graph| graph.ones::<f64>([3, 2]).cross_entropy(x, 1)),
    ];
    for (op, build) in ops {
        assert_refused(op, message, |x, graph| build(x.if_empty(1), graph));
    }
}

#[test]
fn an_op_that_does_not_take_an_initial_value_names_those_that_do() {
    let message = "`initial` has no meaning here; `sum`, `prod`, `max` and `min` take it";
    let ops: [(&str, MaskedOp); 10] = [
        ("argmax", |x, _| x.argmax(..)),
        ("argmin", |x, _| x.argmin(..)),
        ("mean", |x, _| x.mean(..)),
        ("var", |x, _| x.var(..)),
        ("std_ddof", |x, _| x.std_ddof(1, ..)),
        ("sort", |x, _| x.sort(0)),
        ("any", |x, _| x.any(..)),
        ("norm", |x, _| x.norm(..)),
        ("cumsum", |x, _| x.cumsum(0)),
        ("cross_entropy", |x, graph| graph.ones::<f64>([3, 2]).cross_entropy(x, 1)),
    ];
    for (op, build) in ops {
        assert_refused(op, message, |x, graph| build(x.initial(1), graph));
    }
}

#[test]
fn a_mask_that_may_match_other_axes_names_how_to_say_which() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    // Of length 5 the mask fits the axis of unknown length, if any.
    let cases: [(&str, Build, &str); 5] = [
        ("masked", |x, mask| x.masked(mask).sum(0), "; `mask.unsqueeze(axis)` adds an axis that it lacks"),
        ("expand_mask", |x, mask| mask.expand_mask(x), "; `mask.unsqueeze(axis)` adds an axis that it lacks"),
        (
            "compress",
            |x, mask| x.compress(mask, 0),
            "; `x.boolean_mask_axis(mask, axis)` selects along other axes",
        ),
        ("compress", |x, mask| x.slice_axis(0, 1).compress(mask, 0), ""),
        ("masked", |x, mask| x.slice_axis(0, 1).masked(mask).sum(0), ""),
    ];
    for (op, build, remedy) in cases {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", dims![2, "n", 3]);
        let mask = graph.input::<bool>("mask", [5]);
        let _ = build(x, mask);
        let error = graph.check().unwrap_err().to_string();
        let shape = if remedy.is_empty() { "[2, 3]" } else { "[2, n, 3]" };
        let message = format!("{op}: mask [5] does not match the leading axes of {shape}{remedy} (built at ");
        assert!(error.starts_with(&message), "{error}");
    }
}
