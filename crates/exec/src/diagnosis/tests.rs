//! A run that fails repeats nothing that has succeeded, and says what the reference says.

use ndarray::{Array1, array};
use tamis_graph::{Expr, Graph, dims, steps};

use crate::{Error, Plan};

/// So many stages that a run of them can be told from one without.
fn long(x: Expr<'_>) -> Expr<'_> {
    (0..40).fold(x, |sum, _| sum.cumsum(0))
}

/// Asserts that a run with `bad` fails as the reference does, and takes at most half
/// as many elementary steps more than one with `good`, once a run has failed alike.
#[track_caller]
fn fails_at_once(plan: impl Fn() -> Plan, good: &Array1<f64>, bad: &Array1<f64>) {
    let (plan, reference) = (plan().threads(1), plan().reference());
    let run = |plan: &Plan, x: &Array1<f64>| -> Result<(), Error> { plan.feed("x", x).run().map(drop) };
    run(&plan, good).unwrap();
    let expected = run(&reference, bad).unwrap_err().to_string();
    assert_eq!(run(&plan, bad).unwrap_err().to_string(), expected);
    let steps = |x| {
        let before = steps::count();
        let result = run(&plan, x);
        (steps::count() - before, result.map_err(|error| error.to_string()))
    };
    let ((good, succeeds), (failing, fails)) = (steps(good), steps(bad));
    assert_eq!((succeeds, fails), (Ok(()), Err(expected)));
    assert!(2 * failing < 3 * good, "{failing} steps, and {good} where nothing fails");
}

#[test]
fn what_succeeded_is_not_run_again() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let index = x.cast(tamis_graph::DType::I64);
    let plan = || Plan::new([("y", long(x).gather(index, 0))]).unwrap();
    fails_at_once(plan, &array![0.0, 1.0], &array![0.0, 2.0]);
}

#[test]
fn a_simplified_op_is_found_from_what_is_left() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let kept = x.boolean_mask(x.gt(0.0));
    // The largest of a mask that is written twice: the op that runs is not the one that was written.
    let large = kept.gt(100.0);
    let plan = || Plan::new([("y", long(kept).masked(large & large).max(..))]).unwrap();
    fails_at_once(plan, &array![-1.0, 200.0, 1.0], &array![-1.0, 2.0, 1.0]);
}

#[test]
fn what_was_written_first_fails_first() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let index = x.cast(tamis_graph::DType::I64);
    let (first, second) = (x.boolean_mask(x.gt(0.0)).min(..), x.gather(index, 0));
    // Both fail of −5 alone, whatever is evaluated first.
    let plan = || Plan::new([("b", second + long(x)), ("a", first)]).unwrap();
    fails_at_once(plan, &array![0.0, 1.0], &array![-5.0]);
}
