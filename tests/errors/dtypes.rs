//! Operands of a dtype that an op does not take.

use tamis::DType;
use tamis::prelude::*;

use crate::location::above;
use crate::{assert_error, assert_errors};

#[test]
fn masks_are_bool() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let mask = graph.input::<i32>("mask", [3]);
    let _ = where_(mask, x, 0.0);
    let _ = x.boolean_mask(mask);
    let _ = x.masked_select(mask);
    let _ = x.unmask(mask, 0.0);
    let _ = x.masked_fill(mask, 0.0);
    let _ = x.masked_assign(mask, 0.0);
    let _ = mask.expand_mask(x);
    let _ = x.masked(mask).softmax(0);
    let message = "the mask is i32[3]; masks are bool: write `.ne(0)` to select what is not zero";
    assert_errors(
        &graph,
        &[
            (format!("where_: {message}"), above("where_(")),
            (format!("boolean_mask: {message}"), above("boolean_mask(")),
            (format!("masked_select: {message}"), above("masked_select(")),
            (format!("unmask: {message}"), above("unmask(")),
            (format!("masked_fill: {message}"), above("masked_fill(")),
            (format!("masked_assign: {message}"), above("masked_assign(")),
            (format!("expand_mask: {message}"), above("expand_mask(")),
            (format!("masked: {message}"), above("masked(mask)")),
        ],
    );
}

#[test]
fn arithmetic_between_masks_must_have_a_meaning() {
    let graph = Graph::new();
    let a = graph.input::<bool>("a", [3]);
    let b = graph.input::<bool>("b", [3]);
    let y = a - b;
    let message = "sub: bool[3] is not accepted; numbers are needed: combine masks with `& | ^`, or write \
                   `.cast(DType::I64)`";
    assert_error(y, message, &above("a - b"));
}

#[test]
fn a_mask_has_no_negative() {
    let graph = Graph::new();
    let mask = graph.input::<bool>("mask", [3]);
    let y = -mask;
    let message = "neg: bool[3] is not accepted; numbers are needed: write `.cast(DType::F32)` to count true as 1, \
                   or `!mask` to negate";
    assert_error(y, message, &above("-mask"));
}

#[test]
fn logic_is_of_bools() {
    let graph = Graph::new();
    let a = graph.input::<bool>("a", [3]);
    let b = graph.input::<i32>("b", [3]);
    let y = a & b;
    let message =
        "and: i32[3] is not accepted; logic is defined for bool: write `.ne(0)` to ask what is not zero";
    assert_error(y, message, &above("a & b"));
}

#[test]
fn a_power_is_not_an_exclusive_or() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let y = x ^ 2;
    let message = "xor: f64[3] is not accepted; logic is defined for bool: write `.pow(2)` for a power, `.ne(0)` \
                   to ask what is not zero";
    assert_error(y, message, &above("x ^ 2"));
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let y = x ^ x;
    let message = "xor: f64[3] is not accepted; logic is defined for bool: write `.pow(y)` for a power, `.ne(0)` \
                   to ask what is not zero";
    assert_error(y, message, &above("x ^ x"));
}

#[test]
fn not_is_of_bools() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let y = !x;
    let message =
        "not: f64[3] is not accepted; logic is defined for bool: write `.eq(0)` to ask what is zero";
    assert_error(y, message, &above("!x"));
}

#[test]
fn indices_are_integers() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let mask = graph.input::<bool>("mask", [3]);
    let y = x.gather(mask, 0);
    let message =
        "gather: bool[3] is not accepted; indices are integers; to select by a mask write `boolean_mask`";
    assert_error(y, message, &above("gather("));
}

#[test]
fn a_mask_instead_of_indices_names_what_to_write_for_that_builder() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let mask = graph.input::<bool>("mask", [3]);
    let y = x.scatter_add(mask, 1.0, 0);
    let message = "scatter_add: bool[3] is not accepted; indices are integers; to write under a mask write \
                   `masked_assign`";
    assert_error(y, message, &above("scatter_add("));
    let graph = Graph::new();
    let y = graph.input::<bool>("mask", [3]).one_hot(2, DType::F32);
    let message = "one_hot: bool[3] is not accepted; classes are integers: write `.cast(DType::I64)` for the \
                   classes 0 and 1";
    assert_error(y, message, &above("one_hot("));
    let graph = Graph::new();
    let y = graph.input::<f32>("x", [3]).one_hot(2, DType::F32);
    let message = "one_hot: f32[3] is not accepted; indices are integers: write `.cast(DType::I64)`";
    assert_error(y, message, &above("one_hot("));
}

#[test]
fn means_are_scattered_into_floats() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [3]);
    let y = x.scatter_mean(graph.constant([0]), 1, 0);
    let message =
        "scatter_mean: i32[3] is not accepted; a mean is a float: write `.cast(DType::F64)` on the tensor";
    assert_error(y, message, &above("scatter_mean("));
}

#[test]
fn matmul_refuses_masks() {
    let graph = Graph::new();
    let a = graph.input::<bool>("a", [2, 2]);
    let y = a.matmul(a);
    let message =
        "matmul: bool[2, 2] is not accepted; numbers are needed: write `.cast(DType::I64)` to count";
    assert_error(y, message, &above("matmul("));
}

#[test]
fn an_assignment_keeps_the_dtype_of_its_destination() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [3]);
    let source = graph.input::<f32>("source", [3]);
    let y = x.masked_assign(x.gt(0), source);
    let message = "masked_assign: f32[3] cannot be assigned into i32[3] without loss; write `.cast(DType::I32)` on \
                   the source to accept it";
    assert_error(y, message, &above("masked_assign("));
}

#[test]
fn f64_is_not_assigned_into_f32() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let wide = graph.input::<f64>("wide", [3]);
    let y = x.scatter_set(graph.constant([0, 1, 2]), wide, 0);
    let message = "scatter_set: f64[3] cannot be assigned into f32[3] without loss; write `.cast(DType::F32)` on the \
                   source to accept it";
    assert_error(y, message, &above("scatter_set("));
}

#[test]
fn a_weak_integer_fits_the_dtype_of_the_tensor() {
    let graph = Graph::new();
    let x = graph.input::<u8>("x", [3]);
    let y = x + 256;
    assert_error(
        y,
        "add: the scalar 256 does not fit into u8; `.cast(DType::I64)` on the tensor makes room for it",
        &above("x + 256"),
    );
}

#[test]
fn a_weak_float_is_not_assigned_into_integers() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [3]);
    let y = x.masked_fill(x.gt(0), 7.5);
    assert_error(
        y,
        "masked_fill: the scalar 7.5 does not fit into i32; `.cast(DType::F64)` on the tensor makes room for it",
        &above("masked_fill("),
    );
}

#[test]
fn integers_have_no_negative_powers() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [3]);
    let y = x.pow(-2);
    let message = "pow: an integer cannot be raised to the negative power -2; cast the base to a float";
    assert_error(y, message, &above("pow("));
}

#[test]
fn casting_away_an_error_is_not_needed_for_widening() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let y = x.masked_assign(x.gt(0.0), graph.input::<i64>("n", [3]));
    assert_eq!(y.dtype(), DType::F64);
    assert!(graph.check().is_ok());
}

#[test]
fn an_einstein_sum_of_one_mask_is_refused_as_one_of_two() {
    let graph = Graph::new();
    let y = graph.einsum("i->", [graph.constant([true, false])]);
    let message = "einsum: bool[2] is not accepted; numbers are needed: write `.cast(DType::I64)` to count";
    assert_error(y, message, &above("einsum("));
}

#[test]
fn an_initial_value_fits_into_the_dtype_of_the_result() {
    let graph = Graph::new();
    let x = graph.input::<u8>("x", [3]);
    let _ = x.masked(x.gt(0)).initial(0.5).sum(..);
    let _ = x.masked(x.gt(0)).initial(-1).max(..);
    let room = "on the tensor makes room for it";
    assert_errors(
        &graph,
        &[
            (
                format!("sum: the scalar 0.5 does not fit into i64; `.cast(DType::F64)` {room}"),
                above("sum(..)"),
            ),
            (
                format!("max: the scalar -1 does not fit into u8; `.cast(DType::I64)` {room}"),
                above("max(..)"),
            ),
        ],
    );
}

#[test]
fn an_initial_value_is_a_rust_scalar() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let selected = x.masked(x.gt(0.0));
    let expression = "is an expression, but only a Rust scalar is taken here, which is known while building";
    let _ = selected.initial(graph.scalar(1)).sum(..);
    let _ = selected.initial(x).max(..);
    assert_errors(
        &graph,
        &[
            (format!("sum: i32[] {expression}"), above("sum(..)")),
            (format!("max: f32[3] {expression}"), above("max(..)")),
        ],
    );
}

#[test]
fn the_index_of_an_empty_selection_is_an_integer() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let selected = x.masked(x.gt(0.0));
    let _ = selected.if_empty(0.5).argmax(..);
    let _ = selected.if_empty(f64::NAN).argmin(0);
    assert_eq!(selected.if_empty(-1.0).argmax(..).dtype(), DType::I64);
    assert_errors(
        &graph,
        &[
            (
                "argmax: the index of an empty selection is an integer, which 0.5 is not".to_owned(),
                above("argmax(..);"),
            ),
            (
                "argmin: the index of an empty selection is an integer, which NaN is not".to_owned(),
                above("argmin(0)"),
            ),
        ],
    );
}

#[test]
fn a_weak_float_beyond_f32_is_refused_by_arithmetic_and_assignment() {
    type Build = for<'g> fn(Expr<'g>) -> Expr<'g>;
    let cases: [(&str, Build); 10] = [
        ("sum", |x| x.masked(x.gt(0)).initial(1e300).sum(..)),
        ("max", |x| x.masked(x.gt(0)).initial(-1e300).max(..)),
        ("mean", |x| x.masked(x.gt(0)).if_empty(1e39).mean(..)),
        ("add", |x| x + 1e300),
        ("mul", |x| 1e39 * x),
        ("where_", |x| where_(x.gt(0), x, -1e300)),
        ("clip", |x| x.clip(0.0, 1e300)),
        ("masked_fill", |x| x.masked_fill(x.gt(0), 1e300)),
        ("pad", |x| x.pad([(1, 1)], f64::MIN)),
        ("at.set", |x| x.at(0).set(f64::MAX)),
    ];
    for (op, build) in cases {
        let graph = Graph::new();
        let _ = build(graph.input::<f32>("x", [3]));
        let error = graph.check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{op}: the scalar ")), "{error}");
        let remedy = "does not fit into f32; `.cast(DType::F64)` on the tensor makes room for it";
        assert!(error.contains(remedy), "{op}: {error}");
        let wide = Graph::new();
        let _ = build(wide.input::<f64>("x", [3]));
        assert!(wide.check().is_ok(), "{op}");
    }
}

#[test]
fn a_weak_float_fits_f32_where_it_is_infinite_or_only_rounded() {
    let graph = Graph::new();
    let x = graph.constant([1.0_f32, f32::MAX]);
    // The largest f64 that rounds to the largest f32 lies below half a step beyond it.
    let largest = f64::from(f32::MAX) * (1.0 + 2.0_f64.powi(-26));
    assert_eq!(x.masked_fill(x.gt(1.0), f64::INFINITY).eval::<f32>().unwrap()[[1]], f32::INFINITY);
    assert_eq!(x.masked_fill(x.gt(1.0), largest).eval::<f32>().unwrap()[[1]], f32::MAX);
    assert_eq!((x * 1e-300).eval::<f32>().unwrap()[[0]], 0.0);
    assert!((x + f64::NAN).eval::<f32>().unwrap()[[0]].is_nan());
}

#[test]
fn a_weak_float_beyond_f32_compares_exactly() {
    let graph = Graph::new();
    let x = graph.constant([f32::MAX, f32::INFINITY]);
    let truth = |expr: Expr<'_>| expr.eval::<bool>().unwrap().into_iter().collect::<Vec<bool>>();
    assert_eq!(truth(x.lt(1e300)), [true, false]);
    assert_eq!(truth(x.ge(1e300)), [false, true]);
    assert_eq!(truth(x.eq(1e300)), [false, false]);
    assert_eq!(truth(graph.constant([1_u8, 2]).lt(1e300)), [true, true]);
}
