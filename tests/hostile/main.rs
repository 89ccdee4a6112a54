//! Hostile inputs, by category: what breaks tensor systems gets a located error
//! or the exact answer, the same from every thread, and nothing is lost by it.
//!
//! Every helper asserts the invariants that apply: no panic and no hang (by
//! getting there), the shape rule and the dtype against the result, the same
//! bits in runs on several threads, a location in these files for every error,
//! and the same plan running again after it.
//!
//! One case of the list cannot be written: a bool whose byte is 2 takes
//! `unsafe` to make, in the caller's code, and Rust calls that undefined.

mod axes;
mod gradients;
mod graphs;
mod index;
mod masks;
mod numbers;
mod scatter;
mod shapes;
mod sizes;

use ndarray::{Array, ArrayD, Dimension};
use tamis::prelude::*;
use tamis::{Element, Outputs};

/// Asserts the value of an expression without inputs, bit for bit.
#[track_caller]
fn gives<T: Element, D: Dimension>(expr: Expr<'_>, expected: Array<T, D>) {
    let plan = Plan::new([("value", expr)]).unwrap_or_else(|error| panic!("{error}"));
    let expected = expected.into_dyn();
    assert_eq!(expr.dtype(), T::DTYPE);
    if let Some(shape) = expr.shape().known() {
        assert_eq!(shape, expected.shape(), "the shape rule");
    }
    for found in on_threads(1, &plan).into_iter().chain(on_threads(2, &plan)).chain(on_threads(8, &plan)) {
        let found = found.unwrap_or_else(|error| panic!("{error}"));
        assert_same(&found.view::<T>("value").unwrap().to_owned(), &expected);
    }
}

/// What as many threads get from one plan at the same time.
fn on_threads(count: usize, plan: &Plan) -> Vec<Result<Outputs, tamis::Error>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(|| plan.run())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no thread panics")).collect()
    })
}

/// Asserts that two arrays have one shape and the same bits (every NaN is NaN).
#[track_caller]
fn assert_same<T: Element>(found: &ArrayD<T>, expected: &ArrayD<T>) {
    let scalars = |array: &ArrayD<T>| array.iter().map(|x| x.into_scalar()).collect::<Vec<_>>();
    assert_eq!(found.shape(), expected.shape(), "{found}");
    assert_eq!(scalars(found), scalars(expected));
}

/// Asserts that an expression is refused while it is built, in these words, at a line of these files.
#[track_caller]
fn refused(expr: Expr<'_>, message: &str) {
    let error = expr.graph().check().expect_err("an error is reported");
    let last = error.reports().last().expect("an error reports something");
    let text = format!("{}: {}", last.op(), last.kind());
    assert!(text.contains(message), "{text}");
    assert!(last.location().file().contains("hostile"), "{error}");
    assert!(Plan::new([("value", expr)]).is_err());
}

/// Asserts that an expression without inputs is planned, but fails in a run, in
/// these words, at a line of these files: the same way each time.
#[track_caller]
fn fails(expr: Expr<'_>, message: &str) {
    let plan = Plan::new([("value", expr)]).unwrap_or_else(|error| panic!("{error}"));
    for result in on_threads(2, &plan).into_iter().chain([plan.run()]) {
        assert_fails(result, message);
    }
}

#[track_caller]
fn assert_fails(result: Result<Outputs, tamis::Error>, message: &str) {
    let error = result.expect_err("the run fails");
    let [report] = error.reports() else { panic!("one failure is reported: {error}") };
    let text = format!("{}: {}", report.op(), report.kind());
    assert!(text.starts_with(message), "{text}");
    let location = report.location().expect("a failure has the line that wrote it");
    assert!(location.file().contains("hostile"), "{error}");
}

/// Asserts that a plan fails on what `bad` feeds, and then runs what `good` feeds.
#[track_caller]
fn fails_then_runs<T: Element, D: Dimension>(
    plan: &Plan,
    bad: impl Fn(&Plan) -> Result<Outputs, tamis::Error>,
    message: &str,
    good: impl Fn(&Plan) -> Result<Outputs, tamis::Error>,
    expected: Array<T, D>,
) {
    assert_fails(bad(plan), message);
    let found = good(plan).unwrap_or_else(|error| panic!("{error}"));
    assert_same(&found.view::<T>("value").unwrap().to_owned(), &expected.into_dyn());
}
