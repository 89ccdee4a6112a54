//! F. Numbers: the limits of integers, NaN and infinities, and empty reductions.

use ndarray::{arr0, arr1};
use tamis::DType;
use tamis::prelude::*;

use crate::{fails, fails_then_runs, gives};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

#[test]
fn the_smallest_integer_divided_by_minus_one_wraps() {
    let graph = Graph::new();
    let x = graph.constant([i32::MIN, 7]);
    let y = graph.constant([-1_i32, -1]);
    gives(x.floor_div(y), arr1(&[i32::MIN, -7]));
    gives(x % y, arr1(&[0, 0]));
    gives(x.rem_trunc(y), arr1(&[0, 0]));
    let x = graph.constant([i64::MIN]);
    let y = graph.constant([-1_i64]);
    gives(x.floor_div(y), arr1(&[i64::MIN]));
    gives(x % y, arr1(&[0_i64]));
    gives(-x, arr1(&[i64::MIN]));
    gives(x.abs(), arr1(&[i64::MIN]));
}

#[test]
fn an_integer_is_not_divided_by_zero() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    let zero = graph.constant([1, 0]);
    fails(x.floor_div(zero), "floor_div: the divisor is 0 at position [1]");
    fails(x % zero, "floor_mod: the divisor is 0 at position [1]");
    fails(x.rem_trunc(zero), "rem_trunc: the divisor is 0 at position [1]");
    // True division is of floats.
    gives(x / zero, arr1(&[1.0, INF]));
    let x = graph.constant([1.0, -1.0, 0.0]);
    gives(x % 0.0, arr1(&[NAN, NAN, NAN]));
    gives(x / 0.0, arr1(&[INF, -INF, NAN]));
}

#[test]
fn a_plan_recovers_from_a_division_by_zero() {
    let graph = Graph::new();
    let d = graph.input::<u8>("d", dims!["n"]);
    let plan = Plan::new([("value", graph.constant(7_u8).floor_div(d))]).unwrap();
    fails_then_runs(
        &plan,
        |plan| plan.feed("d", arr1(&[1_u8, 0])).run(),
        "floor_div: the divisor is 0 at position [1]",
        |plan| plan.feed("d", arr1(&[1_u8, 2])).run(),
        arr1(&[7_u8, 3]),
    );
}

#[test]
fn an_integer_has_no_negative_power() {
    let graph = Graph::new();
    let x = graph.constant([2, 3]);
    fails(x.pow(graph.constant([1, -1])), "pow: 3 cannot be raised to the negative power -1 at position [1]");
    gives(x.pow(graph.constant([0, 40])), arr1(&[1, 3_i32.wrapping_pow(40)]));
    gives(graph.constant([2.0, 0.0]).pow(-1.0), arr1(&[0.5, INF]));
}

#[test]
fn floats_saturate_into_every_integer() {
    let graph = Graph::new();
    let x = graph.constant([NAN, INF, -INF, 1e20, -1e20, -1.0, 2.9]);
    gives(x.cast(DType::U8), arr1(&[0_u8, 255, 0, 255, 0, 0, 2]));
    gives(x.cast(DType::I32), arr1(&[0, i32::MAX, i32::MIN, i32::MAX, i32::MIN, -1, 2]));
    gives(x.cast(DType::I64), arr1(&[0, i64::MAX, i64::MIN, i64::MAX, i64::MIN, -1, 2]));
    gives(x.cast(DType::Bool), arr1(&[true; 7]));
    gives(x.cast(DType::F32).cast(DType::I64), arr1(&[0, i64::MAX, i64::MIN, i64::MAX, i64::MIN, -1, 2]));
    // From one integer to another the bits are truncated.
    gives(graph.constant([-1_i64, 256, 255]).cast(DType::U8), arr1(&[255_u8, 0, 255]));
}

#[test]
fn small_integers_sum_in_large_ones() {
    let graph = Graph::new();
    gives(graph.full([1000], 255_u8).sum(..), arr0(255_000_i64));
    gives(graph.full([3], 255_u8).cumsum(0), arr1(&[255_i64, 510, 765]));
    gives(graph.full([300], true).sum(..), arr0(300_i64));
    gives(graph.full([2], i64::MAX).sum(..), arr0(-2_i64));
    gives(graph.constant([200_u8]) + graph.constant([100_u8]), arr1(&[44_u8]));
}

#[test]
fn a_sum_of_more_ones_than_f32_counts_is_right() {
    let graph = Graph::new();
    let ones = graph.ones::<f32>([(1_i64 << 24) + 2]);
    gives(ones.sum(..), arr0(16_777_218.0_f32));
    gives(ones.mean(..), arr0(1.0_f32));
}

#[test]
fn an_argmax_takes_the_first_of_ties_and_the_first_nan() {
    let graph = Graph::new();
    gives(graph.constant([1.0, 3.0, 3.0]).argmax(0), arr0(1_i64));
    gives(graph.constant([1.0, NAN, INF, NAN]).argmax(0), arr0(1_i64));
    gives(graph.constant([1.0, NAN, -INF]).argmin(0), arr0(1_i64));
    gives(graph.constant([NAN, NAN]).argmax(0), arr0(0_i64));
    gives(graph.constant([0.0, -0.0]).argmin(0), arr0(0_i64));
    gives(graph.constant([2.0, NAN, 1.0]).sort(0), arr1(&[1.0, 2.0, NAN]));
    gives(graph.constant([2.0, NAN, 1.0]).sort(tamis::descending(0)), arr1(&[2.0, 1.0, NAN]));
    gives(graph.constant([1.0, NAN]).max(..), arr0(NAN));
    gives(graph.constant([NAN, 1.0]).min(..), arr0(NAN));
}

#[test]
fn the_min_or_max_of_an_empty_selection_is_an_error_and_its_mean_nan() {
    let graph = Graph::new();
    let none = graph.zeros::<f64>([0]);
    fails(none.max(..), "max: there is no element to choose from for position []");
    fails(none.min(0), "min: there is no element to choose from for position []");
    fails(none.argmax(0), "argmax: there is no element to choose from for position []");
    fails(graph.zeros::<i64>([2, 0]).max(1), "max: there is no element to choose from for position [0]");
    gives(none.mean(..), arr0(NAN));
    gives(none.var(..), arr0(NAN));
    gives(none.logsumexp(..), arr0(-INF));
    let x = graph.constant([1.0, 2.0]);
    fails(x.masked(x.gt(5.0)).max(..), "max: there is no element to choose from for position []");
    gives(x.masked(x.gt(5.0)).if_empty(7.0).max(..), arr0(7.0));
}

#[test]
fn of_an_empty_selection_if_empty_goes_before_initial() {
    let graph = Graph::new();
    let x = graph.constant([[1, 5], [2, 6]]);
    let selected = x.masked(x.gt(graph.constant([[0], [9]]))).initial(3).if_empty(-7);
    gives(selected.max(1), arr1(&[5, -7]));
    gives(selected.min(1), arr1(&[1, -7]));
    let truth = x.gt(5);
    let selected = truth.masked(x.gt(graph.constant([[0], [9]]))).initial(true).if_empty(false);
    gives(selected.max(1), arr1(&[true, false]));
    gives(selected.min(1), arr1(&[false, false]));
}

#[test]
fn softmax_of_infinities_is_what_its_formula_says() {
    let graph = Graph::new();
    // The largest is subtracted from itself, and ∞ − ∞ is NaN.
    gives(graph.constant([-INF, -INF]).softmax(0), arr1(&[NAN, NAN]));
    gives(graph.constant([INF, 0.0]).softmax(0), arr1(&[NAN, NAN]));
    gives(graph.constant([-INF, 0.0]).softmax(0), arr1(&[0.0, 1.0]));
    gives(graph.constant([1e308, -1e308]).softmax(0), arr1(&[1.0, 0.0]));
    gives(graph.constant([-INF, -INF]).logsumexp(..), arr0(-INF));
    gives(graph.constant([INF, 0.0]).logsumexp(..), arr0(INF));
}
