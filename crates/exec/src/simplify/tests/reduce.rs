//! Reductions.

use tamis_graph::{DType, where_};

use super::{Inputs, check, check_exact, check_stays};

#[test]
fn a_sum_of_negative_zeros_keeps_its_sign() {
    let graph = tamis_graph::Graph::new();
    let i = Inputs::new(&graph);
    check_exact(i.x.boolean_mask(i.a).sum(..));
    check_exact(i.rows.boolean_mask(i.a).sum(0));
    check_exact(i.rows.boolean_mask(i.a).prod(1));
}

#[test]
fn a_reduction_of_a_selection_is_masked() {
    check(|i| (i.rows.boolean_mask(i.a).sum(0), where_(i.a.unsqueeze(1), i.rows, 0.0).sum(0)));
    check(|i| {
        let positive = i.rows.gt(0.0);
        (i.rows.boolean_mask(positive).prod(..), where_(positive, i.rows, 1.0).prod(..))
    });
    check(|i| (i.rows.boolean_mask(i.a).max(0), i.rows.masked(i.a).max(0)));
    // Along other axes no broadcast can be left out.
    check_stays(|i| i.rows.boolean_mask(i.a).sum(1));
    check_stays(|i| i.rows.boolean_mask(i.a).max(1));
}

#[test]
fn a_reduction_of_an_empty_selection_selected_fails_alike() {
    check(|i| (i.x.boolean_mask(i.a).max(..), i.x.masked(i.a).max(..)));
    check(|i| (i.i.boolean_mask(i.a & i.b).min(..), i.i.masked(i.a & i.b).min(..)));
}

#[test]
fn a_reduction_of_an_unmask_is_one_of_its_values() {
    check(|i| {
        let sorted = i.x.boolean_mask(i.a).sort(0);
        (sorted.unmask(i.a, 0.0).sum(..), sorted.sum(..))
    });
    check(|i| {
        let sorted = i.x.boolean_mask(i.a).sort(0);
        (sorted.unmask(i.a, -0.0).sum(..), sorted.sum(..))
    });
    check(|i| {
        let sorted = i.rows.boolean_mask(i.a).sort(0);
        (sorted.unmask(i.a, 1.0).prod(..), sorted.prod(..))
    });
    check_stays(|i| i.x.boolean_mask(i.a).sort(0).unmask(i.a, 1.0).sum(..));
    check_stays(|i| i.rows.boolean_mask(i.a).sort(0).unmask(i.a, 0.0).sum(1));
}

#[test]
fn the_sum_of_a_mask_is_its_count() {
    check(|i| (i.a.sum(..), i.graph.size(i.x.boolean_mask(i.a).dim(0))));
    check(|i| (i.rows.gt(0.0).count_nonzero(..), i.graph.size(i.rows.boolean_mask(i.rows.gt(0.0)).dim(0))));
    check_stays(|i| i.rows.gt(0.0).count_nonzero(1));
    check(|i| {
        let wide = i.a.unsqueeze(1).broadcast_to(i.rows.shape());
        (wide.sum(..), i.graph.size(i.rows.boolean_mask(wide).dim(0)))
    });
}

#[test]
fn reductions_in_a_row_are_one() {
    check(|i| (i.rows.gt(0.0).any(1).any(0), i.rows.gt(0.0).any(..)));
    check(|i| (i.rows.gt(0.0).all(0).all(0), i.rows.gt(0.0).all(..)));
    check(|i| {
        let whole = i.rows.cast(DType::I64);
        (whole.sum(1).sum(0), whole.sum(..))
    });
    // Floats round at each step.
    check_stays(|i| i.rows.sum(1).sum(0));
}

#[test]
fn a_reduction_of_all_elements_sees_no_axes() {
    check(|i| (i.rows.flatten().sum(..), i.rows.sum(..)));
    check(|i| (i.rows.unsqueeze(0).max(..), i.rows.max(..)));
    check_stays(|i| i.rows.reshape([3, -1]).sum(0));
}

#[test]
fn a_reduction_of_repeats_is_done_once() {
    check(|i| {
        let wide = i.x.unsqueeze(1).broadcast_to(i.rows.shape());
        (wide.sum(0), i.x.unsqueeze(1).sum(0).broadcast_to([3]))
    });
    check_stays(|i| i.x.unsqueeze(1).broadcast_to(i.rows.shape()).sum(1));
}
