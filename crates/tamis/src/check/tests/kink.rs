//! Kinks, and what is not selected.

use ndarray::{Array1, array};

use super::{assert_passed, both_orders};
use crate::prelude::*;
use crate::{DType, Error, Verdict};

const NAN: f64 = f64::NAN;

#[test]
fn a_kink_is_skipped_and_reported_with_its_line() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [4]);
    let line = line!() + 1;
    let loss = (x.relu() * 3.0).sum(..);
    let report = check_gradients(loss, [x]).feed("x", &array![0.0, 1.0, 0.0, -1e-5]).second_order().run()?;
    assert_passed(&report);
    let row = &report.rows()[0];
    assert_eq!((row.checked(), row.skipped()), (2, 2));
    let kinks: Vec<_> = report.kinks().map(|kink| (kink.op(), kink.skipped())).collect();
    assert_eq!(kinks, [("relu", 2), ("relu", 2)]);
    let location = report.kinks().next().unwrap().location().unwrap();
    assert_eq!((location.file(), location.line()), (file!(), line));
    Ok(())
}

/// The ops at whose kinks elements of `x` are skipped in order 1, and how many.
#[track_caller]
fn kinks_of(x: &[f64], loss: impl Fn(Expr<'_>) -> Expr<'_>) -> (Vec<(&'static str, usize)>, usize) {
    let report = both_orders(x, loss).unwrap();
    assert!(report.rows().iter().all(|row| row.verdict() != Verdict::Failed), "\n{report}");
    let row = &report.rows()[0];
    (row.kinks().map(|kink| (kink.op(), kink.skipped())).collect(), row.checked())
}

#[test]
fn every_op_that_decides_has_its_kinks() {
    assert_eq!(kinks_of(&[0.0, 2.0], |x| x.abs().sum(..)), (vec![("abs", 1)], 1));
    assert_eq!(kinks_of(&[0.0, 2.0], |x| (x.sign() * x.square()).sum(..)), (vec![("sign", 1)], 1));
    assert_eq!(kinks_of(&[2.0, 2.5], |x| (x.floor() * x).sum(..)), (vec![("floor", 1)], 1));
    assert_eq!(kinks_of(&[3.0, 3.5], |x| (x % 1.5).square().sum(..)), (vec![("floor_mod", 1)], 1));
    assert_eq!(kinks_of(&[1.0, 3.0, 3.0], |x| x.square().max(..)), (vec![("max", 2)], 1));
    assert_eq!(kinks_of(&[1.0, 3.0, 1.0], |x| x.min(..)), (vec![("min", 2)], 1));
    assert_eq!(kinks_of(&[1.0, 2.0], |x| x.maximum(1.0).sum(..)), (vec![("maximum", 1)], 1));
    assert_eq!(kinks_of(&[1.0, 2.0], |x| x.clip(0.0, 2.0).sum(..)), (vec![("clip", 1)], 1));
}

#[test]
fn every_mask_and_index_is_watched() {
    let kinks = kinks_of(&[0.0, 2.0], |x| where_(x.gt(0.0), x * 2.0, x * 3.0).sum(..));
    assert_eq!(kinks, (vec![("gt", 1)], 1));
    let kinks = kinks_of(&[1.0, 2.0, 0.0], |x| x.boolean_mask(x.ge(1.0)).square().sum(..));
    assert_eq!(kinks, (vec![("ge", 1)], 2));
    let kinks = kinks_of(&[1.0, 2.5], |x| (x.cast(DType::I64) * x).sum(..));
    assert_eq!(kinks, (vec![("cast", 1)], 1));
    let kinks = kinks_of(&[1.0, 3.0, 3.0], |x| x.square().gather(x.argmax(0), 0));
    assert_eq!(kinks, (vec![("argmax", 2)], 1));
}

#[test]
fn a_run_that_fails_nearby_is_a_kink() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    // Moved down, the index leaves its axis.
    let index = (x.slice_axis(1, 0) - 3.0).floor().cast(DType::I64);
    let report = check_gradients(x.gather(index, 0), [x]).feed("x", &array![1.0, 1.0]).run()?;
    assert_passed(&report);
    assert_eq!((report.rows()[0].checked(), report.rows()[0].skipped()), (1, 1));
    Ok(())
}

#[test]
fn next_to_a_kink_a_wrong_gradient_still_fails() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    for (factor, verdict) in [(1.0, Verdict::Passed), (1.01, Verdict::Failed)] {
        let by_hand = where_(x.gt(0.0), x.exp(), 0.0) * factor;
        let check = check_gradients((x.relu().exp()).sum(..), [x]).gradients([by_hand]);
        let report = check.feed("x", &array![1e-4, -1e-8, 1e-8]).run()?;
        assert_eq!((report.rows()[0].verdict(), report.rows()[0].skipped()), (verdict, 0), "\n{report}");
    }
    Ok(())
}

#[test]
fn nothing_but_kinks_has_not_passed() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let report = check_gradients(x.relu().sum(..), [x]).feed("x", &array![0.0, 0.0]).run()?;
    assert!(!report.passed());
    assert_eq!(report.rows()[0].verdict(), Verdict::Unchecked);
    Ok(())
}

#[test]
fn what_is_not_selected_is_checked_to_be_zero() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let mask = graph.input::<bool>("mask", dims!["n"]);
    let values = array![4.0, 0.0, NAN, -1.0, f64::INFINITY, 9.0];
    let selected = array![true, false, false, false, false, true];
    let losses = [
        x.sqrt().boolean_mask(mask).sum(..),
        where_(mask, x.sqrt(), 0.0).square().sum(..),
        x.masked(mask).mean(..) * x.boolean_mask(mask).recip().sum(..),
        x.masked(mask).softmax(0).square().sum(..),
        x.boolean_mask(mask).cumsum(0).unmask(mask, 0.0).sin().sum(..),
    ];
    for loss in losses {
        let check = check_gradients(loss, [x]).feed("x", &values).feed("mask", &selected);
        let report = check.second_order().run()?;
        assert_passed(&report);
        assert!(report.rows().iter().all(|row| row.checked() == 6), "\n{report}");
    }
    Ok(())
}

#[test]
fn a_gradient_that_leaks_out_of_a_selection_fails() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let mask = graph.input::<bool>("mask", dims!["n"]);
    // The textbook rule: 0 · ∞ where the mask is false.
    let textbook = mask.cast(DType::F64) / (x.sqrt() * 2.0);
    for unselected in [NAN, 0.0] {
        let values = array![4.0, unselected];
        let check = check_gradients(where_(mask, x.sqrt(), 0.0).sum(..), [x]).gradients([textbook]);
        let check = check.feed("x", &values).feed("mask", &array![true, false]);
        let report = check.run()?;
        // 0/0 at 0 and NaN at NaN are no numbers.
        assert!(!report.passed(), "\n{report}");
        assert_eq!(report.rows()[0].worst().unwrap().position(), Some(&[1][..]));
    }
    Ok(())
}

#[test]
fn an_infinite_derivative_fails_honestly() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [1]);
    let report = check_gradients(x.sqrt().sum(..), [x]).feed("x", &array![0.0]).run()?;
    let worst = report.rows()[0].worst().unwrap();
    assert!(worst.analytic().is_infinite() && worst.numeric().is_nan());
    assert_eq!(report.rows()[0].verdict(), Verdict::Failed);
    Ok(())
}

#[test]
fn empty_selections_and_tensors_pass() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let mask = graph.input::<bool>("mask", dims!["n"]);
    let loss = x.boolean_mask(mask).exp().sum(..) + x.masked(mask).softmax(0).sum(..);
    for (values, selected) in [(vec![1.0, NAN], vec![false, false]), (vec![], vec![])] {
        let (values, selected) = (Array1::from(values), Array1::from(selected));
        let check = check_gradients(loss, [x]).feed("x", &values).feed("mask", &selected);
        let report = check.second_order().run()?;
        assert_passed(&report);
        assert!(report.rows().iter().all(|row| row.checked() == values.len()));
    }
    Ok(())
}

#[test]
fn stop_gradient_is_held_still() -> Result<(), Error> {
    let kept = [3.0, -1.0, 2.0];
    assert_passed(&both_orders(&kept, |x| (x.stop_gradient() * x.square()).sum(..))?);
    let selected = |x: &[f64]| {
        both_orders(x, |x| {
            let mask = x.gt(0.0);
            (x.boolean_mask(mask).stop_gradient() * x.exp().boolean_mask(mask)).sum(..)
        })
    };
    assert_passed(&selected(&kept)?);
    // The kinks of what is held still do not count: a tied maximum, shifted out of a softmax.
    let report = both_orders(&[1.0, 1.0, 0.0], |x| x.log_softmax(0).slice_axis(0, 0))?;
    assert_passed(&report);
    assert_eq!(report.kinks().count(), 0);
    Ok(())
}

#[test]
fn directions_avoid_kinks_by_moving_fewer_elements() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    // One in twenty lies at the kink.
    let values = Array1::from_shape_fn(2000, |i| if i % 20 == 0 { 0.0 } else { (i as f64).sin() });
    let report = check_gradients(x.relu().square().sum(..), [x]).feed("x", &values).run()?;
    assert_passed(&report);
    let row = &report.rows()[0];
    assert!(row.skipped() > 0 && row.checked() >= 15, "\n{report}");
    assert_eq!(row.checked() + row.skipped(), 24);
    Ok(())
}

#[test]
fn unselected_elements_of_a_large_variable_are_checked_too() -> Result<(), Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let values = Array1::from_shape_fn(1000, |i| if i % 3 == 0 { NAN } else { 1.0 + i as f64 });
    let loss = x.masked(!x.is_nan()).sum(..).sqrt();
    let report = check_gradients(loss, [x]).feed("x", &values).second_order().run()?;
    assert_passed(&report);
    let leaking = graph.constant(vec![0.5; 1000]);
    let report = check_gradients(loss, [x]).gradients([leaking]).feed("x", &values).run()?;
    assert_eq!(report.rows()[0].worst().unwrap().position(), Some(&[0][..]), "\n{report}");
    Ok(())
}
