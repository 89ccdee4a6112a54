//! What fails before simplification fails after it, at the same line.

use std::panic::Location;

use tamis_graph::{Expr, Graph, where_};

use super::{Inputs, adversarial, check_exact, outcome, simple};
use crate::Plan;

/// Every op that the message must name, each with something that is simplified around it.
fn failing<'g>(i: &Inputs<'g>) -> Vec<Expr<'g>> {
    let divided = (i.i * 1).floor_div(i.j * 1);
    let picked = (i.x * 1.0).gather(i.j, 0);
    let largest = (i.x * 1.0).boolean_mask(i.a).max(..);
    let asserted = (i.x * 1.0).assert_that(i.x.gt(0.0), "x is positive");
    let guarded = (i.x.boolean_mask(i.a) * 1.0) + i.y.boolean_mask(i.b);
    let masked = where_(divided.gt(0), i.x, -(-i.x));
    vec![
        divided,
        divided.boolean_mask(i.a).sum(..),
        divided * 0,
        picked,
        picked.boolean_mask(i.a),
        largest,
        asserted,
        asserted.boolean_mask(i.a).sum(..),
        where_(i.a, asserted, i.x).boolean_mask(!i.a),
        guarded,
        guarded.sum(..),
        masked,
        // A count sees through the guard that this reshape needs.
        i.b.boolean_mask(i.a).reshape(vec!["n"]).sum(..),
        i.x.boolean_mask(divided.gt(0)).unmask(divided.gt(0), i.x),
    ]
}

#[test]
fn errors_survive_with_their_ops_and_lines() {
    let graph = Graph::new();
    for expr in failing(&Inputs::new(&graph)) {
        graph.check().unwrap();
        check_exact(expr);
    }
}

#[test]
fn a_new_form_has_the_line_of_what_it_replaces() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let largest = (i.x * 1.0).boolean_mask(i.a).max(..);
    let found = simple(largest);
    assert_ne!(found.id(), largest.id());
    assert_eq!(found.node().origin(), largest.node().origin());
    let plan = Plan::new([("out", found)]).unwrap().reference();
    let line = Some(largest.node().origin().location.line());
    let mut refused = 0;
    for error in adversarial().iter().filter_map(|data| data.run(&plan).err()) {
        refused += 1;
        assert_eq!(error.location().map(Location::line), line);
    }
    assert!(refused > 1);
}

#[test]
fn a_plan_names_the_error_as_the_reference_does() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let kept = i.x.boolean_mask(i.x.gt(i.y * 1.0));
    let unequal = kept + i.y.boolean_mask(i.b);
    let plan = |expr| Plan::new([("out", expr)]).unwrap();
    assert_ne!(simple(unequal).id(), unequal.id());
    for data in adversarial() {
        let reported = |plan: &Plan| data.run(plan).err().map(|error| error.to_string());
        assert_eq!(reported(&plan(unequal)), reported(&plan(unequal).reference()));
    }
}

#[test]
fn the_first_error_in_the_users_order_is_reported() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    // The first division is built again behind the second.
    let first = (i.i * 1).floor_div(0);
    let second = i.i % 0;
    let plan = |reference: bool| {
        let plan = Plan::new([("out", first + second)]).unwrap();
        if reference { plan.reference() } else { plan }
    };
    for data in adversarial() {
        let [reported, expected] =
            [false, true].map(|reference| outcome(data.run(&plan(reference)), first.dtype()));
        assert_eq!(reported, expected);
    }
}
