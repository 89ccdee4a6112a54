//! A run that fails repeats nothing that has succeeded, and says what the reference says.

use ndarray::{Array1, Array2, array};
use tamis_graph::{Expr, Graph, dims, steps};

use crate::{Error, Plan};

/// So many stages that running them again would show in the number of steps.
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
fn a_division_in_a_region_fails_at_the_first_element_of_the_first_op() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<i64>("x", dims!["n", 3]), graph.input::<i64>("y", dims!["n", 3]));
    // Chunks of several threads, rows, and panels.
    let (quotient, power) = (x.floor_div(y), y.pow(x));
    let outputs =
        [("power", power.sum(0)), ("quotient", quotient.max(1)), ("both", (quotient + power).sum(..))];
    let plan = || Plan::new(outputs).unwrap();
    let mut a = Array2::<i64>::ones((100_000, 3));
    let mut b = a.clone();
    let run = |plan: Plan, a: &Array2<i64>, b: &Array2<i64>| -> Result<i64, String> {
        let result = plan.feed("x", a).feed("y", b).run().and_then(|out| out.scalar::<i64>("both"));
        result.map_err(|error| error.to_string())
    };
    assert_eq!(run(plan(), &a, &b), Ok(600_000));
    (a[[7, 1]], a[[90_000, 0]]) = (-2, -1);
    let error = run(plan(), &a, &b).unwrap_err();
    assert!(error.contains("1 cannot be raised to the negative power -2 at position [7, 1]"), "{error}");
    // The division was written first.
    (b[[99_999, 2]], b[[80_000, 1]]) = (0, 0);
    let error = run(plan(), &a, &b).unwrap_err();
    assert!(error.contains("the divisor is 0 at position [80000, 1]"), "{error}");
    for threads in [1, 2, 5] {
        assert_eq!(run(plan().threads(threads), &a, &b), Err(error.clone()));
    }
    assert_eq!(run(plan().reference(), &a, &b), Err(error));
}

#[test]
fn a_divisor_that_repeats_fails_where_it_is_first_read() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<i64>("x", dims!["n"]), graph.input::<i64>("y", dims!["m", 1]));
    let plan = || Plan::new([("all", (x % y).max(..))]).unwrap();
    let run =
        |plan: Plan| plan.feed("x", array![3_i64, 4]).feed("y", array![[2_i64], [0], [0]]).run().unwrap_err();
    let error = run(plan()).to_string();
    assert!(error.contains("the divisor is 0 at position [1, 0]"), "{error}");
    assert_eq!(run(plan().reference()).to_string(), error);
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
