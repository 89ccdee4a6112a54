//! What the check must find, and what it must not.

mod kink;

use ndarray::{Array1, Array2, array};

use crate::prelude::*;
use crate::{CheckReport, Coverage, DType, Error, ErrorKind, Verdict};

#[track_caller]
fn assert_passed(report: &CheckReport) {
    assert!(report.passed(), "\n{report}");
}

/// The report of a loss of one f64 vector `x`, in both orders.
fn both_orders(x: &[f64], loss: impl Fn(Expr<'_>) -> Expr<'_>) -> Result<CheckReport, Error> {
    let graph = Graph::new();
    let input = graph.input::<f64>("x", dims!["n"]);
    check_gradients(loss(input), [input]).feed("x", ndarray::ArrayView1::from(x)).second_order().run()
}

#[test]
fn a_smooth_loss_passes() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 2]);
    let w = graph.input::<f64>("w", [2]);
    let loss = (x.matmul(w).sin().exp() * 3.0).mean(..) + (w.square() + 1.0).ln().sum(..);
    let report = check_gradients(loss, [x, w])
        .feed("x", &array![[1.0, 2.0], [-0.5, 0.25], [3.0, 100.0]])
        .feed("w", &array![0.3, -0.02])
        .second_order()
        .run()?;
    assert_passed(&report);
    assert_eq!(report.kinks().count(), 0);
    let counts: Vec<_> = report.rows().iter().map(|row| (row.name(), row.order(), row.checked())).collect();
    assert_eq!(counts, [("x", 1, 6), ("w", 1, 2), ("x", 2, 6), ("w", 2, 2)]);
    Ok(())
}

#[test]
fn steep_and_flat_points_pass() -> Result<(), Error> {
    // Poles nearby, overflow nearby, and a derivative of 0.
    let report = both_orders(&[1e-9, 1e-3, 2.0, 1e5], |x| (x.ln() + x.recip() * 1e-3).sum(..))?;
    assert_passed(&report);
    assert_passed(&both_orders(&[300.0, -700.0, 0.0], |x| x.exp().ln_1p().sum(..))?);
    assert_passed(&both_orders(&[3.0, -4.0, 5.0], |x| x.softmax(0).sum(..))?);
    assert_passed(&both_orders(&[0.5, 1.5], |x| (x - x.mean(..)).sum(..))?);
    Ok(())
}

#[test]
fn a_wrong_gradient_fails_and_the_worst_element_is_named() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 2]);
    let wrong = graph.constant([[1.0, 1.0], [1.5, 1.0]]) * x * 2.0;
    let check = check_gradients(x.square().sum(..), [x]).gradients([wrong]);
    let report = check.feed("x", &array![[1.0, 2.0], [3.0, 4.0]]).run()?;
    assert!(!report.passed());
    let row = &report.rows()[0];
    assert_eq!((row.verdict(), row.checked()), (Verdict::Failed, 4));
    let worst = row.worst().unwrap();
    assert_eq!(worst.position(), Some(&[1, 0][..]));
    approx::assert_relative_eq!(worst.analytic(), 9.0);
    approx::assert_relative_eq!(worst.numeric(), 6.0, max_relative = 1e-9);
    approx::assert_relative_eq!(worst.relative_error(), 1.0 / 3.0, max_relative = 1e-9);
    Ok(())
}

#[test]
fn a_gradient_by_hand_can_be_right() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let report = check_gradients(x.exp().sum(..), [x])
        .gradients([x.exp()])
        .second_order()
        .feed("x", &array![0.5_f32, -3.0])
        .run()?;
    assert_passed(&report);
    Ok(())
}

#[test]
fn a_derivative_that_is_only_slightly_wrong_fails() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let check = check_gradients(x.sin().sum(..), [x]).gradients([x.cos() * 1.00001]);
    let report = check.feed("x", &array![0.1, 1.0, 2.0]).run()?;
    assert!(!report.passed());
    Ok(())
}

#[test]
fn f32_is_checked_in_f64() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let w = graph.constant([0.1_f32, 0.7, -2.5]);
    let c = graph.scalar(1.5_f32);
    let hidden = (x * w + c).cast(DType::F64).tanh().cast(DType::F32);
    let loss = hidden.log_softmax(0).slice_axis(1, 0) + hidden.masked(x.gt(0.0)).max(..) * 1e-3;
    let report = check_gradients(loss, [x, w, c])
        .feed("x", &array![1.0_f32, -2.0, 3.0])
        .second_order()
        .tolerance(1e-7) // f32 has not even 1e-7
        .run()?;
    assert_passed(&report);
    let names: Vec<&str> = report.rows()[..3].iter().map(|row| row.name()).collect();
    assert_eq!(names, ["x", "constant %1", "scalar %2"]);
    Ok(())
}

#[test]
fn a_loss_that_is_no_number_is_undefined() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let report = check_gradients(x.ln().mean(..), [x]).feed("x", &array![-1.0, 1.0]).run()?;
    assert!(!report.passed());
    assert_eq!(report.rows()[0].verdict(), Verdict::Undefined);
    let text = report.to_string();
    assert!(text.ends_with("x, order 1: the loss is NaN or infinite at this point"), "{text}");
    Ok(())
}

#[test]
fn a_large_variable_is_checked_along_directions() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", "m"]);
    let values = Array2::from_shape_fn((40, 50), |(i, j)| ((i * 50 + j) as f32 * 0.37 + 0.1).sin());
    let loss = (x.relu() + x.slice((.., 1..)).sum(1).unsqueeze(1).square()).mean(..);
    let report = check_gradients(loss, [x]).feed("x", &values).second_order().run()?;
    assert_passed(&report);
    let row = &report.rows()[0];
    assert_eq!((row.coverage(), row.checked(), row.skipped()), (Coverage::Directions, 24, 0), "\n{report}");
    Ok(())
}

#[test]
fn a_wrong_element_among_many_is_found() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [30, 40]);
    let values = Array2::from_shape_fn((30, 40), |(i, j)| (i as f64 - j as f64).cos() * 2.0);
    let mut factor = Array2::from_elem((30, 40), 2.0);
    factor[[17, 23]] = 3.0;
    let check = check_gradients(x.square().sum(..), [x]).gradients([x * graph.constant(factor)]);
    let report = check.feed("x", &values).run()?;
    assert_eq!(report.rows()[0].worst().unwrap().position(), Some(&[17, 23][..]), "\n{report}");
    Ok(())
}

#[test]
fn the_seed_repeats_the_check() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let values = Array1::from_shape_fn(300, |i| (i as f64).sin());
    let run = |seed: u64| -> Result<String, Error> {
        let check = check_gradients(x.exp().sum(..), [x]).feed("x", &values).second_order();
        Ok(check.seed(seed).run()?.to_string())
    };
    assert_eq!(run(5)?, run(5)?);
    assert!(run(5)?.contains("seed 5"));
    Ok(())
}

#[test]
fn progress_counts_all_comparisons() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let mut reported = Vec::new();
    let check = check_gradients(x.exp().sum(..), [x]).feed("x", &array![1.0, 2.0]).second_order();
    let _ = check.on_progress(|done, total| reported.push((done, total))).run()?;
    assert_eq!(reported, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    Ok(())
}

#[test]
fn the_report_prints_as_a_table() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let weight = graph.input::<f64>("weight", dims![]);
    let line = line!() + 1;
    let loss = (x.relu() * weight).sum(..);
    let check = check_gradients(loss, [x, weight]).gradients([graph.constant([0.0, 2.0, 0.0]), weight * 2.0]);
    let report = check.feed("x", &array![0.0, 1.0, -1.0]).feed("weight", 2).run()?;
    let expected = format!(
        "gradient check not passed (tolerance 1e-6, seed 0)\n\
         name    order  checked  kinks skipped  worst relative error  verdict\n\
         x           1        2              1                     0  passed\n\
         weight      1        1              0                7.5e-1  FAILED\n\
         kink at relu ({}:{line}:19): 1 element of x skipped\n\
         weight, order 1: worst at []: analytic 4, numeric 1",
        file!(),
    );
    assert_eq!(report.to_string(), expected);
    Ok(())
}

#[test]
fn all_errors_are_reported_together_with_their_lines() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let n = graph.input::<i64>("n", [3]);
    let _clash = x + graph.input::<f32>("y", [4]);
    let check = check_gradients(x * 2.0, [n, x.exp()]).gradients([x]).feed("x", &array![1.0_f64]);
    let error = check.run().unwrap_err();
    let text = error.to_string();
    let reported: Vec<&str> = text.lines().map(|line| line.split(" (built at").next().unwrap()).collect();
    assert_eq!(
        reported,
        [
            "add: shapes [3] and [4] do not broadcast",
            "check_gradients: the loss has shape [3]; a gradient is taken of a scalar: reduce it with \
             `.sum(..)` or `.mean(..)`",
            "check_gradients: an expression to check by is i64[3]; gradients exist for f32 and f64 only",
            "check_gradients: f32[3] is not accepted; gradients are checked by inputs and literals, whose \
             values can be moved",
            "check_gradients: shapes [2] and [1] do not fit: there must be one gradient for each variable",
        ]
    );
    assert!(error.reports().iter().all(|report| report.location().unwrap().file() == file!()));
}

#[test]
fn errors_in_feeding_are_reported_as_by_a_plan() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let y = graph.input::<f32>("y", dims!["n"]);
    let check = || check_gradients((x * y).sum(..), [x]);
    let message = |error: Error| error.to_string().split(" (built at").next().unwrap().to_owned();
    let wrong = check().feed("x", &array![1.0_f64]).run().unwrap_err();
    assert_eq!(message(wrong), "feed: input `x` is f32[n], but was fed f64[1]");
    let missing = check().feed("x", &array![1.0_f32]).run().unwrap_err();
    assert_eq!(message(missing), "feed: input `y` is not fed; it is f64[n]");
    let unknown = check().feed("x", &array![1.0_f32]).feed("y", &array![1.0_f32]).feed("z", 1.0).run();
    assert!(message(unknown.unwrap_err()).starts_with("feed: there is no input `z`;"));
    let again = check().feed("x", &array![1.0_f32]).feed("x", &array![1.0_f32]).feed("y", &array![1.0_f32]);
    assert_eq!(message(again.run().unwrap_err()), "feed: input `x` is fed twice");
    // The line of the call is that of the caller of the check, not one of the check's own.
    let errors = [
        check().feed("x", &array![1.0_f64]).run(),
        check().feed("x", &array![1.0_f32]).run(),
        check().feed("x", &array![1.0_f32]).feed("y", &array![1.0_f32]).feed("z", 1.0).run(),
    ];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.reports()[0].call().map(|call| call.file()), Some(file!()), "{error}");
    }
}

#[test]
fn inputs_that_the_loss_does_not_need_can_be_fed_or_checked() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let unused = graph.input::<f32>("unused", [2]);
    let check = check_gradients(x.exp().sum(..), [unused, x, unused]);
    let report = check.feed("x", &array![1.0, 2.0]).feed("unused", &array![1.0_f32, 2.0]).run()?;
    assert_passed(&report);
    assert_eq!(report.rows().len(), 3);
    Ok(())
}

#[test]
fn a_gradient_of_another_length_is_an_error_of_the_run() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["m"]);
    let line = line!() + 1;
    let check = check_gradients(x.exp().sum(..), [x]).gradients([y]);
    let error = check.feed("x", &array![1.0]).feed("y", &array![1.0, 2.0]).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::LengthMismatch { .. }), "{error}");
    assert_eq!((error.reports()[0].op(), error.location().unwrap().line()), ("check_gradients", line));
}
