//! How the errors of a graph are reported: each once, in the order and with the lines of the source.

use tamis::along;
use tamis::prelude::*;

use crate::location::above;
use crate::{assert_error, assert_errors};

#[test]
fn an_input_declared_in_two_ways_names_both_lines() {
    let graph = Graph::new();
    let first = graph.input::<f32>("x", dims!["n", 3]);
    let first_location = above("input::<f32>");
    let again = graph.input::<f32>("x", dims!["n", 3]);
    assert_eq!(first.id(), again.id());
    let second = graph.input::<f64>("x", [2]);
    let message = format!(
        "input: input `x` is f64[2] here, but f32[n, 3] where it was first built at {first_location}"
    );
    assert_error(second, &message, &above("input::<f64>"));
}

#[test]
fn graphs_are_not_mixed() {
    let graph = Graph::new();
    let other = Graph::new();
    // Both have index 0 in their graph.
    let x = graph.input::<f32>("x", [3]);
    let y = other.input::<f32>("y", [3]);
    let _ = x + y;
    let _ = where_(x.gt(0.0), y, x);
    let _ = x.boolean_mask(y.gt(0.0));
    let _ = x.scatter_add(y, x, 0);
    let _ = graph.concat([x, y], 0);
    let _ = graph.expr(y.id());
    let _ = grad(x.sum(..), y);
    let message = "expressions of two different graphs cannot be combined";
    assert_errors(
        &graph,
        &[
            (format!("add: {message}"), above("x + y")),
            (format!("where_: {message}"), above("where_(")),
            (format!("boolean_mask: {message}"), above("boolean_mask(")),
            (format!("scatter_add: {message}"), above("scatter_add(")),
            (format!("concat: {message}"), above("concat(")),
            (format!("expr: {message}"), above("expr(")),
            (format!("grad: {message}"), above("grad(")),
        ],
    );
    assert!(other.check().is_ok());
}

#[test]
fn an_error_in_a_composed_builder_names_the_call() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let selected = x.masked(x.gt(0.0));
    let _ = x.softmax(2);
    let _ = x.log_softmax(3);
    let _ = x.mean(4);
    let _ = x.count_nonzero(5);
    let _ = selected.mean(6);
    let _ = selected.softmax(7);
    let _ = selected.any(8);
    let _ = x.cumsum(along(9).reverse());
    let out_of_range = |axis| format!("axis {axis} is out of range for shape [2, 3] of rank 2");
    assert_errors(
        &graph,
        &[
            (format!("softmax: {}", out_of_range(2)), above("softmax(2)")),
            (format!("log_softmax: {}", out_of_range(3)), above("log_softmax(3)")),
            (format!("mean: {}", out_of_range(4)), above("mean(4)")),
            (format!("count_nonzero: {}", out_of_range(5)), above("count_nonzero(5)")),
            (format!("mean: {}", out_of_range(6)), above("mean(6)")),
            (format!("softmax: {}", out_of_range(7)), above("softmax(7)")),
            (format!("any: {}", out_of_range(8)), above("any(8)")),
            (format!("cumsum: {}", out_of_range(9)), above("cumsum(along(9)")),
        ],
    );
}

#[test]
fn an_error_inside_of_clip_is_reported_at_the_call_of_clip() {
    let graph = Graph::new();
    let x = graph.input::<u8>("x", [3]);
    let y = x.clip(-1, 1);
    let message =
        "clip: the scalar -1 does not fit into u8; `.cast(DType::I64)` on the tensor makes room for it";
    assert_error(y, message, &above("clip("));
}

#[test]
fn what_is_built_on_an_error_reports_nothing_more() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let y = graph.input::<f32>("y", [3]);
    let bad = x + y;
    let location = above("x + y");
    let worse = bad.matmul(bad).softmax(7).masked(bad).sum(9).boolean_mask(x);
    assert_error(worse, "add: shapes [2] and [3] do not broadcast", &location);
}

#[test]
fn an_error_in_a_loop_is_reported_once() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let y = graph.input::<f32>("y", [3]);
    for _ in 0..1000 {
        let _ = x - y;
    }
    let _ = y - x;
    assert_errors(
        &graph,
        &[
            ("sub: shapes [2] and [3] do not broadcast".to_owned(), above("x - y")),
            ("sub: shapes [3] and [2] do not broadcast".to_owned(), above("y - x")),
        ],
    );
}

#[test]
fn a_graph_goes_on_once_its_errors_are_taken_out() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let wrong = x.sum(5);
    let message =
        format!("sum: axis 5 is out of range for shape [2] of rank 1 (built at {})", above("sum(5)"));
    let worse = (wrong + 1.0).exp().sum(9);
    assert_eq!(Plan::new([("y", x)]).unwrap_err().to_string(), message);
    assert_eq!(graph.take_errors().unwrap().to_string(), message);
    assert!(graph.take_errors().is_none());
    assert!(graph.check().is_ok());
    let y = x.sum(..);
    let plan = Plan::new([("y", y)]).unwrap();
    assert_eq!(plan.feed("x", [1.0, 2.0]).run().unwrap().scalar::<f64>("y").unwrap(), 3.0);
    // What is built on the error later is poisoned as well, and a plan says why.
    let late = y * worse;
    for poisoned in [wrong, worse, late, grad(late, x)] {
        assert!(poisoned.is_poisoned());
        let error = Plan::new([("y", y), ("poisoned", poisoned)]).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(graph.error_of(poisoned.id()).unwrap().to_string(), message);
    }
    assert!(graph.check().is_ok());
    // The next error is reported as the first one was.
    let next = x.sum(7);
    let next_message =
        format!("sum: axis 7 is out of range for shape [2] of rank 1 (built at {})", above("sum(7)"));
    assert_eq!(Plan::new([("y", y)]).unwrap_err().to_string(), next_message);
    let both = Plan::new([("wrong", wrong), ("next", next)]).unwrap_err();
    assert_eq!(both.to_string(), format!("{message}\n{next_message}"));
}

#[test]
fn a_check_of_a_poisoned_loss_reports_an_error_that_was_taken_out() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let wrong = x.sum(5);
    let message =
        format!("sum: axis 5 is out of range for shape [2] of rank 1 (built at {})", above("sum(5)"));
    assert!(graph.take_errors().is_some());
    let error = check_gradients(wrong, [x]).feed("x", [1.0, 2.0]).run().unwrap_err();
    assert_eq!(error.to_string(), message);
    let error = tamis::check_poison(wrong, [(x, x.gt(0.0))]).run().unwrap_err();
    assert_eq!(error.to_string(), message);
    let copy = Graph::new();
    let copies = tamis::graph::rebuild(&graph, &[wrong.id()], &copy, |_, _| None).unwrap();
    assert!(copies[&wrong.id()].is_poisoned());
    assert_eq!(copy.check().unwrap_err().to_string(), message);
}

#[test]
fn errors_are_reported_in_the_order_of_the_source() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let early = |x: Expr<'_>| x.sum(5).is_poisoned();
    let late = |x: Expr<'_>| x.sum(6).is_poisoned();
    assert!(late(x) && early(x));
    assert_errors(
        &graph,
        &[
            ("sum: axis 5 is out of range for shape [2] of rank 1".to_owned(), above("sum(5)")),
            ("sum: axis 6 is out of range for shape [2] of rank 1".to_owned(), above("sum(6)")),
        ],
    );
}

#[test]
fn a_builder_passed_as_a_function_value_has_no_line() {
    let graph = Graph::new();
    let masks = vec![graph.input::<bool>("mask", [3])];
    let negated: Vec<Expr<'_>> = masks.into_iter().map(Expr::negate).collect();
    let message = "neg: bool[3] is not accepted; numbers are needed: write `.cast(DType::F32)` to count true as 1, \
                   or `!mask` to negate (built at an unknown line, through a function value)";
    assert_eq!(graph.check().unwrap_err().to_string(), message);
    assert!(negated[0].is_poisoned());
}

#[test]
fn an_assigning_operator_has_its_line() {
    let graph = Graph::new();
    let mut sum = graph.input::<f64>("x", [2]);
    sum += graph.input::<f64>("y", [3]);
    assert_error(sum, "add: shapes [2] and [3] do not broadcast", &above("sum +="));
    let graph = Graph::new();
    let mut mask = graph.input::<bool>("m", [2]);
    mask &= graph.input::<bool>("n", [4]);
    assert_error(mask, "and: shapes [2] and [4] do not broadcast", &above("mask &="));
}

#[test]
fn an_op_of_two_results_reports_an_error_once() {
    let graph = Graph::new();
    let (rows, others) = graph.constant([1, 2]).partition(graph.constant([1, 0]));
    assert!(rows.is_poisoned() && others.is_poisoned());
    let error = graph.check().unwrap_err();
    assert_eq!(error.reports().len(), 1);
    assert!(error.to_string().starts_with("partition: the mask is i32[2]; masks are bool"), "{error}");
}
