//! Idioms with one meaning end in one expression.

use tamis_graph::{DType, keep, where_};

use super::check_one;

#[test]
fn sums_of_what_a_mask_selects_are_one() {
    check_one(|i| {
        vec![
            i.x.boolean_mask(i.a).sum(..),
            where_(i.a, i.x, 0.0).sum(..),
            where_(!i.a, 0.0, i.x).sum(..),
            i.x.masked(i.a).sum(..),
            i.x.masked_fill(!i.a, 0).sum(..),
            i.x.gather(i.a.argwhere().slice_axis(0, 1), 0).sum(..),
            i.x.gather(i.a.flatnonzero(), 0).sum(..),
            i.x.gather(i.a.argwhere(), 0).sum(..),
            i.x.gather_nd(i.a.argwhere()).sum(..),
            i.x.take_along_axis(i.a.nonzero()[0], 0).sum(..),
            i.x.boolean_mask(i.a).unmask(i.a, 0.0).sum(..),
            i.x.masked_select(i.a).sum(..),
            i.x.compress(i.a, 0).sum(..),
        ]
    });
}

#[test]
fn sums_over_rows_that_a_mask_selects_are_one() {
    check_one(|i| {
        vec![
            i.rows.boolean_mask(i.a).sum(0),
            where_(i.a.unsqueeze(1), i.rows, 0.0).sum(0),
            i.rows.masked(i.a).sum(0),
            i.rows.gather(i.a.flatnonzero(), 0).sum(0),
        ]
    });
}

#[test]
fn integers_and_masks_sum_alike() {
    check_one(|i| {
        vec![
            i.i.boolean_mask(i.a).sum(..),
            where_(i.a, i.i, 0).sum(..),
            i.i.masked(i.a).sum(..),
            (i.i * i.a).sum(..),
            (i.a.cast(DType::I32) * i.i).sum(..),
        ]
    });
    check_one(|i| {
        vec![
            i.b.boolean_mask(i.a).sum(..),
            (i.a & i.b).sum(..),
            i.b.masked(i.a).sum(..),
            (i.b & i.a).count_nonzero(..),
            i.b.masked(i.a).count_nonzero(..),
            i.graph.size(i.x.boolean_mask(i.a & i.b).dim(0)),
            i.graph.size(i.x.boolean_mask(i.a).boolean_mask(i.b.boolean_mask(i.a)).dim(0)),
        ]
    });
}

#[test]
fn means_of_what_a_mask_selects_are_one() {
    check_one(|i| {
        let count = i.a.count_nonzero(..);
        vec![
            i.x.boolean_mask(i.a).mean(..),
            i.x.masked(i.a).mean(..),
            where_(i.a, i.x, 0.0).sum(..) / count,
            where_(i.a, i.x, 0.0).sum(..) / i.a.sum(..),
            i.x.gather(i.a.flatnonzero(), 0).mean(..),
        ]
    });
    check_one(|i| vec![i.rows.boolean_mask(i.a).mean(..), i.rows.masked(i.a).mean(..)]);
    check_one(|i| vec![i.rows.boolean_mask(i.a).mean(0), i.rows.masked(i.a).mean(0)]);
    check_one(|i| vec![i.i.boolean_mask(i.a).mean(..), i.i.masked(i.a).mean(..)]);
    check_one(|i| vec![i.b.boolean_mask(i.a).mean(..), i.b.masked(i.a).mean(..)]);
    check_one(|i| vec![i.x.boolean_mask(i.a).mean(keep(..)), i.x.masked(i.a).mean(keep(..))]);
    check_one(|i| vec![i.rows.boolean_mask(i.a).mean(keep(0)), i.rows.masked(i.a).mean(keep(0))]);
}

#[test]
fn other_reductions_of_what_a_mask_selects_are_one() {
    check_one(|i| vec![i.x.boolean_mask(i.a).max(..), i.x.masked(i.a).max(..)]);
    check_one(|i| vec![i.rows.boolean_mask(i.a).min(0), i.rows.masked(i.a).min(0)]);
    check_one(|i| vec![i.rows.boolean_mask(i.a).prod(..), i.rows.masked(i.a).prod(..)]);
    check_one(|i| vec![i.i.boolean_mask(i.a).prod(..), i.i.masked(i.a).prod(..)]);
    check_one(|i| vec![i.b.boolean_mask(i.a).any(..), i.b.masked(i.a).any(..), (i.b & i.a).any(..)]);
    check_one(|i| vec![i.b.boolean_mask(i.a).all(..), i.b.masked(i.a).all(..)]);
    check_one(|i| vec![i.rows.gt(0.0).boolean_mask(i.a).any(0), i.rows.boolean_mask(i.a).gt(0.0).any(0)]);
}

#[test]
fn masked_assignments_are_one() {
    check_one(|i| {
        let indices = i.a.argwhere();
        vec![
            where_(i.a, i.y, i.x),
            i.x.masked_assign(i.a, i.y),
            i.x.masked_assign(i.a, i.y.boolean_mask(i.a)),
            i.y.boolean_mask(i.a).unmask(i.a, i.x),
            i.x.masked_scatter(i.a, i.y.boolean_mask(i.a)),
            i.x.scatter_nd_set(indices, i.y.gather_nd(indices)),
            i.x.scatter_set(i.a.flatnonzero(), i.y.boolean_mask(i.a), 0),
            where_(!i.a, i.x, i.y),
        ]
    });
    check_one(|i| {
        let rest = i.rows * 2.0;
        vec![
            where_(i.a.unsqueeze(1), rest, i.rows),
            i.rows.masked_assign(i.a, rest.boolean_mask(i.a)),
            i.rows.masked_assign(i.a, i.rows.boolean_mask(i.a) * 2.0),
        ]
    });
    check_one(|i| {
        vec![
            i.rows.masked_fill(i.a, 7.0),
            i.rows.masked_assign(i.a, 7.0),
            where_(i.a.unsqueeze(1), 7.0, i.rows),
            i.graph.full(i.rows.boolean_mask(i.a).shape(), 7.0_f32).unmask(i.a, i.rows),
        ]
    });
}

#[test]
fn selections_are_one() {
    check_one(|i| {
        vec![
            i.x.boolean_mask(i.a),
            i.x.gather(i.a.flatnonzero(), 0),
            i.x.gather_nd(i.a.argwhere()),
            i.x.masked_select(i.a),
            where_(i.a, i.x, i.y).boolean_mask(i.a),
            where_(!i.a, i.y, i.x).boolean_mask(i.a),
        ]
    });
    check_one(|i| {
        vec![
            i.rows.boolean_mask(i.a & i.b),
            i.rows.boolean_mask(i.a).boolean_mask(i.b.boolean_mask(i.a)),
            i.rows.boolean_mask(i.b).boolean_mask(i.a.boolean_mask(i.b)),
        ]
    });
    // The second mask is asked of what the first selected.
    check_one(|i| {
        let kept = i.x.boolean_mask(i.a);
        vec![i.x.boolean_mask(i.a & i.x.gt(0.0)), kept.boolean_mask(kept.gt(0.0))]
    });
    check_one(|i| {
        let positive = i.rows.gt(0.0);
        vec![
            i.rows.boolean_mask(positive),
            i.rows.gather_nd(positive.argwhere()),
            i.rows.flatten().gather(positive.flatnonzero(), 0),
            i.rows.flatten().boolean_mask(positive.flatten()),
        ]
    });
}

#[test]
fn arithmetic_before_and_after_a_selection_is_one() {
    check_one(|i| vec![2.0 * i.x.boolean_mask(i.a) + 1.0, (2.0 * i.x + 1.0).boolean_mask(i.a)]);
    check_one(|i| {
        let (x, y) = (i.x.boolean_mask(i.a), i.y.boolean_mask(i.a));
        vec![where_(x.gt(y), x - y, 0.5), where_(i.x.gt(i.y), i.x - i.y, 0.5).boolean_mask(i.a)]
    });
    check_one(|i| {
        let shift = i.graph.constant([1.0_f32, -1.0, 0.0]);
        vec![(i.rows + shift).boolean_mask(i.a), i.rows.boolean_mask(i.a) + shift]
    });
    check_one(|i| {
        let kept = i.x.boolean_mask(i.a);
        vec![(i.x + 1.0).boolean_mask(i.a), kept + i.graph.ones::<f64>(kept.shape())]
    });
    check_one(|i| {
        vec![(i.x.boolean_mask(i.a) * 2.0).exp().sum(..), (i.x * 2.0).boolean_mask(i.a).exp().sum(..)]
    });
    check_one(|i| {
        let kept = i.x.boolean_mask(i.a);
        let mean = i.x.masked(i.a).mean(keep(..));
        vec![(kept - kept.mean(keep(..))).square().sum(..), where_(i.a, (i.x - mean).square(), 0.0).sum(..)]
    });
}
