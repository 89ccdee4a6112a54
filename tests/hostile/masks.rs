//! B. Masks: that select no element, all of them, or do not fit; computed from special
//! values.

use ndarray::{Array1, Array2, arr0, arr1, arr2};
use tamis::prelude::*;

use crate::{assert_fails, fails_then_runs, gives, refused};

#[test]
fn a_mask_may_select_nothing_everything_or_be_empty() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0, 3.0]);
    let (none, all) = (graph.constant([false; 3]), graph.constant([true; 3]));
    gives(x.boolean_mask(none), Array1::<f64>::zeros(0));
    gives(x.boolean_mask(all), arr1(&[1.0, 2.0, 3.0]));
    gives(x.masked(none).sum(..), arr0(0.0));
    gives(x.masked(none).mean(..), arr0(f64::NAN));
    gives(x.masked(none).softmax(0), arr1(&[0.0; 3]));
    gives(x.masked_assign(none, x.boolean_mask(none)), arr1(&[1.0, 2.0, 3.0]));
    gives(x.masked_assign(all, -x.boolean_mask(all)), arr1(&[-1.0, -2.0, -3.0]));
    gives(x.boolean_mask(none).unmask(none, 7.0), arr1(&[7.0; 3]));
    let empty = graph.zeros::<f64>([0, 2]);
    gives(empty.boolean_mask(empty.gt(0.0)), Array1::<f64>::zeros(0));
    gives(empty.boolean_mask(graph.zeros::<bool>([0])), Array2::<f64>::zeros((0, 2)));
}

#[test]
fn a_mask_of_rank_0_keeps_or_drops_the_whole() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    gives(x.boolean_mask(graph.constant(true)), arr2(&[[1, 2]]));
    gives(x.boolean_mask(graph.constant(false)), Array2::<i32>::zeros((0, 2)));
    gives(x.masked_fill(graph.constant(true), 9), arr1(&[9, 9]));
}

#[test]
fn a_mask_must_have_the_lengths_of_what_it_masks() {
    for mask in [vec![true; 2], vec![true; 4], vec![true; 1], vec![]] {
        let graph = Graph::new();
        let x = graph.constant([1.0, 2.0, 3.0]);
        let mask = graph.constant(mask);
        refused(x.boolean_mask(mask), "boolean_mask: mask [");
    }
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0, 3.0]);
    refused(x.boolean_mask(graph.constant([[true, true, true]])), "boolean_mask: mask [1, 3] does not match");
    refused(x.masked_fill(graph.constant([[true, true, true]]), 0.0), "mask [1, 3] does not match");
    // Broadcastable, but not equal: boolean_mask selects positions, and one position is not
    // three.
    let square = graph.zeros::<f64>([2, 3]);
    refused(
        square.boolean_mask(graph.constant([[true, false, true]])),
        "boolean_mask: mask [1, 3] does not match",
    );
    refused(x.boolean_mask(graph.constant([1, 0, 1])), "boolean_mask: the mask is i32[3]; masks are bool");
}

#[test]
fn a_mask_of_length_1_broadcasts_where_one_of_full_rank_may() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0, 3.0]);
    let one = graph.constant([true]);
    gives(x.masked_fill(one, 0.0), arr1(&[0.0; 3]));
    gives(x.masked(one).sum(..), arr0(6.0));
    gives(where_(one, x, 0.0), arr1(&[1.0, 2.0, 3.0]));
    gives(x.masked_select(one), arr1(&[1.0, 2.0, 3.0]));
}

#[test]
fn a_mask_length_known_only_in_the_run_is_checked_there() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let mask = graph.input::<bool>("mask", dims!["k"]);
    let plan = Plan::new([("value", x.boolean_mask(mask))]).unwrap();
    let with = |flags: Vec<bool>| {
        move |plan: &Plan| plan.feed("x", arr1(&[1.0, 2.0])).feed("mask", Array1::from(flags.clone())).run()
    };
    for bad in [vec![true], vec![true; 3], vec![]] {
        fails_then_runs(
            &plan,
            with(bad),
            "boolean_mask: lengths differ: n = 2 and k = ",
            with(vec![false, true]),
            arr1(&[2.0]),
        );
    }
}

#[test]
fn nan_compares_as_ieee_says() {
    let graph = Graph::new();
    let x = graph.constant([f64::NAN, 1.0, f64::NEG_INFINITY]);
    gives(x.gt(0.0), arr1(&[false, true, false]));
    gives(x.le(0.0), arr1(&[false, false, true]));
    gives(x.ne(x), arr1(&[true, false, false]));
    gives(x.boolean_mask(x.eq(x)), arr1(&[1.0, f64::NEG_INFINITY]));
}

#[test]
fn zero_has_no_sign_and_subnormals_are_not_zero_in_nonzero() {
    let graph = Graph::new();
    let x = graph.constant([0.0, -0.0, 5e-324, f64::NAN, -5e-324]);
    gives(x.flatnonzero(), arr1(&[2_i64, 3, 4]));
    let x = graph.constant([-0.0_f32, 1e-45]);
    gives(x.argwhere(), arr2(&[[1_i64]]));
    gives(x.count_nonzero(..), arr0(1_i64));
}

#[test]
fn an_alternating_mask_keeps_the_order() {
    let graph = Graph::new();
    let x = graph.iota(1001);
    let kept = x.boolean_mask((x % 2).eq(0));
    gives(kept.sum(..), arr0(250_500_i64)); // 0 + 2 + … + 1000
    gives(kept.slice_axis(500, 0), arr0(1000_i64));
    gives(graph.size(kept.dim(0)), arr0(501_i64));
}

#[test]
fn the_same_mask_twice_gives_the_same_length() {
    let graph = Graph::new();
    let x = graph.constant([3.0, -1.0, 2.0]);
    gives(x.boolean_mask(x.gt(0.0)) + x.square().boolean_mask(x.gt(0.0)), arr1(&[12.0, 6.0]));
    let twice = x.boolean_mask(x.gt(0.0)).boolean_mask(x.gt(2.5).boolean_mask(x.gt(0.0)));
    gives(twice, arr1(&[3.0]));
}

#[test]
fn a_mask_made_of_what_it_selects_stays_as_it_was() {
    let graph = Graph::new();
    let x = graph.constant([3.0, -1.0, 2.0]);
    let mask = x.gt(0.0);
    let assigned = x.masked_assign(mask, -x.boolean_mask(mask));
    gives(assigned, arr1(&[-3.0, -1.0, -2.0]));
    gives(assigned.masked_fill(mask, 0.0), arr1(&[0.0, -1.0, 0.0]));
}

#[test]
fn selections_of_different_lengths_do_not_meet() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let sum = x.boolean_mask(x.gt(0.0)) + x.boolean_mask(x.lt(0.0));
    let plan = Plan::new([("value", sum)]).unwrap();
    fails_then_runs(
        &plan,
        |plan| plan.feed("x", arr1(&[1.0, 2.0, -1.0])).run(),
        "add: lengths differ: count(%2) = 2 and count(%4) = 1",
        |plan| plan.feed("x", arr1(&[1.0, -2.0])).run(),
        arr1(&[-1.0]),
    );
    assert_fails(plan.feed("x", arr1(&[1.0])).run(), "add: lengths differ");
}
