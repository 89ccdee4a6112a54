//! Derivatives that do not exist.

use tamis::prelude::*;
use tamis::{hvp, jvp, vjp};

use crate::location::above;
use crate::{assert_error, assert_errors};

#[test]
fn a_gradient_is_taken_of_a_scalar() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let loss = x.square();
    let dx = grad(loss, x);
    let message = "grad: the loss has shape [3]; a gradient is taken of a scalar: reduce it with `.sum(..)` or \
                   `.mean(..)`";
    assert_error(dx, message, &above("grad(loss, x)"));
}

#[test]
fn gradients_exist_for_floats_alone() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let n = graph.input::<i64>("n", [3]);
    let loss = (x * n).sum(..);
    let dn = grad(loss, n);
    let message = "grad: an expression to differentiate by is i64[3]; gradients exist for f32 and f64 only";
    assert_error(dn, message, &above("grad(loss, n)"));
    let graph = Graph::new();
    let n = graph.input::<i64>("n", [3]);
    let x = graph.input::<f32>("x", [3]);
    let loss = n.sum(..);
    let dx = grad(loss, x);
    let message = "grad: the expression to differentiate is i64[]; gradients exist for f32 and f64 only";
    assert_error(dx, message, &above("grad(loss, x)"));
}

#[test]
fn derivatives_that_are_given_have_the_shapes_of_what_they_belong_to() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let y = x.square();
    let _ = vjp(y, x, graph.constant([1.0, 2.0]));
    let _ = jvp(y, x, graph.constant([[1.0, 2.0, 3.0]]));
    let _ = hvp(y.sum(..), x, graph.constant([1.0]));
    let _ = jvp(y, [x, y], x);
    let fits = "do not fit: a derivative must have the shape of its expression";
    let one_each = "do not fit: there must be one direction for each expression to differentiate by";
    assert_errors(
        &graph,
        &[
            (format!("vjp: shapes [3] and [2] {fits}"), above("vjp(")),
            (format!("jvp: shapes [3] and [1, 3] {fits}"), above("jvp(y, x, ")),
            (format!("hvp: shapes [3] and [1] {fits}"), above("hvp(")),
            (format!("jvp: shapes [2] and [1] {one_each}"), above("jvp(y, [x, y], x)")),
        ],
    );
}

#[test]
fn every_way_to_differentiate_needs_a_scalar_or_a_float() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let n = graph.input::<i32>("n", [3]);
    let _ = value_and_grad(x, x);
    let _ = hvp(x, x, x);
    let _ = vjp(n, x, x);
    let _ = jvp(x, n, x);
    let not_scalar =
        "the loss has shape [3]; a gradient is taken of a scalar: reduce it with `.sum(..)` or `.mean(..)`";
    let floats = "gradients exist for f32 and f64 only";
    assert_errors(
        &graph,
        &[
            (format!("value_and_grad: {not_scalar}"), above("value_and_grad(")),
            (format!("hvp: {not_scalar}"), above("hvp(")),
            (format!("vjp: the expression to differentiate is i32[3]; {floats}"), above("vjp(")),
            (format!("jvp: an expression to differentiate by is i32[3]; {floats}"), above("jvp(")),
        ],
    );
}

#[test]
fn lengths_of_a_jacobian_are_known_while_building() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let j = tamis::jacobian(x.square(), x);
    let message = "jacobian: shape [n] must be known while building, but is not";
    assert_error(j, message, &above("tamis::jacobian(x.square()"));
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let loss = x.square().sum(..);
    let h = tamis::hessian(loss, x);
    assert!(h.is_poisoned());
    let error = graph.check().unwrap_err();
    assert_eq!(error.reports()[0].location().to_string(), above("tamis::hessian(loss"));
    assert!(error.to_string().contains("shape [n] must be known while building, but is not"), "{error}");
    // Those of what is differentiated by need not be.
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    assert!(!tamis::jacobian(x.square().sum(..), x).is_poisoned());
}
