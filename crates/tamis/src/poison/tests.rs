//! The poison check finds leaks, and only leaks.

use ndarray::array;

use crate::prelude::*;
use crate::{DType, check_poison};

/// `x` and a mask that selects the first and the last of three elements.
fn three(graph: &Graph) -> (Expr<'_>, Expr<'_>) {
    (graph.constant([4.0, 1.0, 9.0]).named("x"), graph.constant([true, false, true]))
}

#[test]
fn what_is_selected_away_moves_nothing() {
    let graph = Graph::new();
    let (x, mask) = three(&graph);
    for loss in [where_(mask, x.ln(), 0.0).sum(..), x.boolean_mask(mask).sqrt().prod(..)] {
        let report = check_poison(loss, [(x, mask)]).second_order().run().unwrap();
        assert!(report.passed(), "{report}");
        let row = &report.rows()[0];
        // Four poisons; the loss, its gradient and its second derivative.
        assert_eq!((row.name(), row.poisoned(), row.compared()), ("x", 1, 12));
    }
}

#[test]
fn a_product_with_a_mask_leaks_and_is_caught() {
    let graph = Graph::new();
    let (x, mask) = three(&graph);
    let report = check_poison((x * mask.cast(DType::F64)).sum(..), [(x, mask)]).run().unwrap();
    assert!(!report.passed());
    let leaks: Vec<String> = report.leaks().map(ToString::to_string).collect();
    // The gradient is the mask itself and does not move; the largest number times 0 is 0.
    assert_eq!(
        leaks,
        [
            "NaN in x moves the loss at [] from 13.0 to NaN",
            "inf in x moves the loss at [] from 13.0 to NaN",
            "-inf in x moves the loss at [] from 13.0 to NaN",
        ]
    );
    let first = report.leaks().next().unwrap();
    assert!(first.poison().is_nan());
    assert_eq!((first.input(), first.result()), ("x", Some("the loss")));
    let (position, before, after) = first.movement().unwrap();
    assert!(position.is_empty() && before == 13.0 && after.is_nan());
    assert!(first.error().is_none());
}

#[test]
fn gradients_by_every_float_that_the_loss_reads_are_compared() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let w = graph.input::<f32>("w", dims!["n"]);
    let mask = graph.input::<bool>("mask", dims!["n"]);
    let run = |loss| {
        let check = check_poison(loss, [(x, mask)]).feed("mask", array![true, false]);
        check.feed("x", array![1.0_f32, 2.0]).feed("w", array![3.0_f32, 0.0]).run().unwrap()
    };
    let report = run((x * w).masked(mask).sum(..));
    assert!(report.passed(), "{report}");
    // Four poisons; the loss and its gradients by w and x.
    assert_eq!(report.rows()[0].compared(), 12);
    // The w that is 0 hides the largest number from the loss, but not from the gradient by w.
    let report = run((x * w).sum(..));
    let largest: Vec<String> =
        report.leaks().filter(|leak| leak.poison().is_finite()).map(ToString::to_string).collect();
    let from_to = "from 2.0 to 3.4028234663852886e38";
    assert_eq!(largest, [format!("3.4028234663852886e38 in x moves the gradient by w at [1] {from_to}")]);
}

#[test]
fn a_run_that_fails_by_poison_is_a_leak() {
    let graph = Graph::new();
    let (x, mask) = three(&graph);
    let loss = x.assert_that(x.is_finite(), "x is finite").masked(mask).sum(..);
    let report = check_poison(loss, [(x, mask)]).run().unwrap();
    let leaks: Vec<_> = report.leaks().collect();
    assert_eq!(leaks.len(), 3);
    assert!(leaks[0].to_string().starts_with("NaN in x makes the run fail: assert_that: x is finite"));
    assert!(leaks[0].error().is_some() && leaks[0].result().is_none() && leaks[0].movement().is_none());
}

#[test]
fn a_mask_made_of_what_it_selects_selects_infinity() {
    let graph = Graph::new();
    let x = graph.constant([4.0, -1.0]).named("x");
    let report = check_poison(x.relu().sum(..), [(x, x.gt(0.0))]).run().unwrap();
    assert!(report.to_string().contains("inf in x moves the loss at [] from 4.0 to inf"), "{report}");
}

#[test]
fn nothing_unselected_is_nothing_to_poison() {
    let graph = Graph::new();
    let x = graph.constant([4.0, 1.0]);
    let report = check_poison(x.sum(..), [(x, x.gt(0.0))]).run().unwrap();
    assert!(report.passed());
    assert_eq!(report.rows()[0].poisoned(), 0);
}

#[test]
fn errors_are_reported_with_the_line_of_the_call() {
    let graph = Graph::new();
    let (x, _) = three(&graph);
    let short = graph.constant([true, false]);
    let line = line!() + 1;
    let check = check_poison(x, [(x * 2.0, short), (x, short)]);
    let error = check.run().unwrap_err();
    let reported: Vec<(&str, u32)> =
        error.reports().iter().map(|report| (report.op(), report.location().unwrap().line())).collect();
    assert!(reported.iter().all(|(_, at)| *at == line), "{error}");
    assert_eq!(reported.iter().filter(|(op, _)| *op == "check_poison").count(), 2, "{error}");
}
