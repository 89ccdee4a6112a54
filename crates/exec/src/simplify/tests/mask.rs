//! Selections, their inverses, and choices.

use tamis_graph::{DType, Graph, Logic, Mask, Select, descending, keep, where_};

use super::{Inputs, check, check_exact, check_stays};

#[test]
fn a_gather_at_the_indices_of_a_mask_selects() {
    check(|i| (i.rows.gather(i.a.flatnonzero(), 0), i.rows.boolean_mask(i.a)));
    check(|i| {
        (i.rows.transpose().gather(i.a.flatnonzero(), 1), i.rows.transpose().boolean_mask_axis(i.a, 1))
    });
    check(|i| (i.rows.gather_nd(i.a.argwhere()), i.rows.boolean_mask(i.a)));
    check(|i| (i.rows.gather(i.a.argwhere(), 0), i.rows.boolean_mask(i.a).unsqueeze(1)));
    // The coordinates of a mask over two axes are no indices into one.
    check_stays(|i| i.rows.gt(0.0).argwhere().gather(i.graph.constant([0]), 1));
    // A mask of another length gives indices as well, some of which may be out of
    // range.
    check_stays(|i| i.x.gather(i.rows.gt(0.0).flatten().flatnonzero(), 0));
}

#[test]
fn an_unmask_of_a_selection_chooses() {
    check(|i| (i.x.boolean_mask(i.a).unmask(i.a, 7.0), where_(i.a, i.x, 7.0)));
    check(|i| (i.rows.boolean_mask(i.a).unmask(i.a, i.rows), i.rows));
    check(|i| {
        let columns = i.rows.transpose();
        (columns.boolean_mask_axis(i.a, 1).unmask_axis(i.a, -1.0, 1), where_(i.a, columns, -1.0))
    });
    check_stays(|i| i.x.boolean_mask(i.a).sort(0).unmask(i.a, 7.0));
    check(|i| {
        let count = i.x.boolean_mask(i.a).shape();
        (i.graph.ones::<f64>(count).unmask(i.a, 0.0), i.a.cast(DType::F64))
    });
}

#[test]
fn a_selection_of_an_unmask_gives_the_values_back() {
    check(|i| {
        let sorted = i.x.boolean_mask(i.a).sort(0);
        (sorted.unmask(i.a, i.y).boolean_mask(i.a), sorted)
    });
    // What would be left out may fail.
    check_stays(|i| {
        let sorted = i.i.boolean_mask(i.a).sort(0);
        sorted.unmask(i.a, i.i.floor_div(i.j)).boolean_mask(i.a)
    });
    check_stays(|i| i.x.boolean_mask(i.a).sort(0).unmask(i.a, 0.0).boolean_mask(i.b));
}

#[test]
fn a_selection_of_a_choice_by_its_mask_has_one_side() {
    check(|i| (where_(i.a, i.x, i.y).boolean_mask(i.a), i.x.boolean_mask(i.a)));
    check(|i| (where_(i.a, i.x, i.y).boolean_mask(!i.a), i.y.boolean_mask(!i.a)));
    check(|i| {
        let row = i.graph.constant([1.0_f32, 2.0, 3.0]);
        let chosen = where_(i.a.unsqueeze(1), row, i.rows).boolean_mask(i.a);
        (chosen, row.broadcast_to(i.rows.boolean_mask(i.a).shape()))
    });
    check_stays(|i| where_(i.a, i.i, i.i % i.j).boolean_mask(i.a));
}

#[test]
fn a_selection_of_a_selection_is_by_both_masks() {
    check(|i| {
        let twice = i.rows.boolean_mask(i.a).boolean_mask(i.b.boolean_mask(i.a));
        (twice, i.rows.boolean_mask(i.a & i.b))
    });
    check_stays(|i| i.rows.boolean_mask(i.a & i.b).sort(0));
}

#[test]
fn a_selection_of_what_is_the_same_is_as_long_as_its_mask() {
    check(|i| {
        let twos = i.graph.full(i.x.shape(), 2.0).boolean_mask(i.a);
        (twos, i.graph.full(i.x.boolean_mask(i.a).shape(), 2.0))
    });
}

#[test]
fn a_choice_by_a_complement_turns_around() {
    check(|i| (where_(!i.a, i.x, i.y), where_(i.a, i.y, i.x)));
    check(|i| (where_((!i.a).unsqueeze(1), i.rows, 0.0), where_(i.a.unsqueeze(1), 0.0, i.rows)));
}

#[test]
fn a_choice_of_a_choice_by_one_mask_is_one() {
    check(|i| (where_(i.a, where_(i.a, i.x, i.y), 1.0), where_(i.a, i.x, 1.0)));
    check(|i| (where_(i.a, 1.0, where_(i.a, i.x, i.y)), where_(i.a, 1.0, i.y)));
    check(|i| (where_(i.a, 1.0, where_(!i.a, i.x, i.y)), where_(i.a, 1.0, i.x)));
    check_stays(|i| where_(i.a, where_(i.a, i.i, i.i % i.j), 1));
    check_stays(|i| where_(i.a, where_(i.b, i.x, i.y), 1.0));
}

#[test]
fn a_choice_of_equals_is_no_choice() {
    check(|i| (where_(i.a, i.x * 1.0, i.x), i.x));
    check(|i| {
        let row = i.graph.constant([1.0, 2.0, 3.0]);
        (where_(i.a.unsqueeze(1), row, row), row.broadcast_to(i.rows.shape()))
    });
}

#[test]
fn the_graph_leaves_no_mask_out_that_may_fail() {
    check(|i| {
        let mask = (i.i % i.j).gt(0);
        let (plain, twice) = (i.x.abs(), i.x.abs().abs());
        (where_(mask, plain, twice), where_(mask, plain, twice))
    });
}

#[test]
fn a_sorted_mask_cannot_fail() {
    check(|i| (where_(i.x.sort(0).gt(0.0), i.x, i.x), i.x));
    check(|i| (where_(i.x.sort(descending(0)).gt(0.0), i.x, i.x), i.x));
    check_stays(|i| where_(i.x.take_along_axis(i.i, 0).gt(0.0), i.x, i.x));
}

#[test]
fn an_argmax_fails_only_where_there_may_be_no_element() {
    check(|i| (where_(i.rows.argmax(1).gt(0), i.x, i.x), i.x));
    check_stays(|i| where_(i.x.argmax(0).gt(0), i.x, i.x));
}

#[test]
fn a_choice_by_a_literal_is_known() {
    check(|i| (where_(i.graph.scalar(true), i.x, i.y), i.x));
    check(|i| (where_(i.graph.zeros::<bool>(i.x.shape()), i.x, i.y), i.y));
    check_stays(|i| where_(i.graph.scalar(true), i.i, i.i % i.j));
}

#[test]
fn a_mask_as_a_number_chooses() {
    check(|i| (i.i * i.a, where_(i.a, i.i, 0)));
    check(|i| (i.a * i.i, where_(i.a, i.i, 0)));
    check(|i| (where_(i.a, 1, 0), i.a.cast(DType::I64)));
    check(|i| (where_(i.a, i.b.cast(DType::F64), 0.0), (i.a & i.b).cast(DType::F64)));
    // NaN · 0 is NaN, and −1 · 0 is −0.
    check_stays(|i| i.x * i.a);
    check_stays(|i| where_(i.a, 1.0, -0.0));
}

#[test]
fn casts_go_inside_of_choices_with_a_literal() {
    check(|i| (where_(i.a, i.i, 7).cast(DType::F64), where_(i.a, i.i.cast(DType::F64), 7.0)));
    check_stays(|i| where_(i.a, i.i, i.j).cast(DType::F64));
}

#[test]
fn counts_of_masks_stay_related() {
    // The complement of a rewritten mask is as long as what is left.
    check(|i| {
        let mask = i.x.gt(i.y * 1.0);
        let halves = i.graph.concat([i.x.boolean_mask(mask), i.y.boolean_mask(!mask)], 0) * i.x;
        let plain = i.x.gt(i.y);
        (halves, i.graph.concat([i.x.boolean_mask(plain), i.y.boolean_mask(!plain)], 0) * i.x)
    });
    check(|i| {
        let kept = i.x.boolean_mask(i.a);
        let mask = kept.gt(0.0);
        let both = i.graph.apply(Logic::And, &[i.a, i.x.gt(0.0)]);
        let indices = i.graph.iota(kept.boolean_mask(mask).dim(0));
        (indices, i.graph.iota(i.graph.apply(Mask::BooleanMask { axis: 0 }, &[i.x, both]).dim(0)))
    });
    check(|i| {
        let fill = i.b.boolean_mask(i.a).unmask(i.a, false);
        (i.x.boolean_mask(fill), i.x.boolean_mask(i.a & i.b))
    });
    check_stays(|i| i.graph.apply(Select::Where, &[i.a, i.x, i.y]));
}

#[test]
fn masks_of_no_axis_and_of_inner_axes_select_as_well() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let yes = i.a.any(..);
    let columns = i.graph.constant([true, false, true]) & i.rows.gt(0.0).any(0);
    let (kept, inner) = (i.rows.boolean_mask(yes), i.rows.boolean_mask_axis(columns, 1));
    let shift = i.graph.constant([1.0_f32, -1.0, 0.0]);
    for expr in [
        kept * 2.0 + shift,
        kept.sum(..),
        kept.sum(keep(0)) - kept,
        kept.unmask(yes, i.rows + shift),
        (inner * i.x.cast(DType::F32).unsqueeze(1)).abs(),
        inner.sum(1),
        inner.sum(0),
        inner.max(1),
        inner.unmask_axis(columns, 0.5, 1),
        i.rows.boolean_mask_axis(i.rows.gt(0.0).boolean_mask_axis(columns, 1).any(1), 0),
    ] {
        graph.check().unwrap();
        check_exact(expr);
    }
}
