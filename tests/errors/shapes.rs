//! Shapes that do not fit: operands of an op, axes, formulas.

use ndarray::arr1;
use tamis::prelude::*;
use tamis::{DType, ErrorKind};

use crate::location::above;
use crate::{assert_error, assert_errors};

#[test]
fn operands_must_broadcast() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = graph.input::<f32>("y", [4]);
    let sum = x + y;
    assert_error(sum, "add: shapes [2, 3] and [4] do not broadcast", &above("x + y"));
}

#[test]
fn operands_are_named_in_the_order_they_were_written() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = graph.input::<f32>("y", [4]);
    let product = y * x;
    assert_error(product, "mul: shapes [4] and [2, 3] do not broadcast", &above("y * x"));
}

#[test]
fn lengths_that_provably_differ_do_not_broadcast() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let longer = graph.concat([x, graph.zeros::<f32>([1])], 0);
    let sum = x + longer;
    assert_error(sum, "add: shapes [n] and [n + 1] do not broadcast", &above("x + longer"));
}

#[test]
fn counts_that_provably_differ_do_not_broadcast() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [5]);
    let kept = x.boolean_mask(x.gt(0.0));
    let longer = graph.concat([kept, graph.zeros::<f32>([1])], 0);
    let product = kept * longer;
    let message = "mul: shapes [count(%2)] and [count(%2) + 1] do not broadcast";
    assert_error(product, message, &above("kept * longer"));
}

#[test]
fn broadcast_to_needs_a_shape_that_broadcasts() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let wide = x.broadcast_to([2, 2]);
    assert_error(wide, "broadcast_to: shape [3] does not broadcast to [2, 2]", &above("broadcast_to("));
}

#[test]
fn broadcast_to_never_drops_axes() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [1, 3]);
    let flat = x.broadcast_to([3]);
    assert_error(flat, "broadcast_to: shape [1, 3] does not broadcast to [3]", &above("broadcast_to("));
}

#[test]
fn scatter_updates_must_fit_what_the_indices_address() {
    let graph = Graph::new();
    let x = graph.zeros::<f32>([5, 2]);
    let indices = graph.constant([0_i64, 1, 2]);
    let updates = graph.ones::<f32>([4, 2]);
    let y = x.scatter_add(indices, updates, 0);
    assert_error(y, "scatter_add: shape [4, 2] does not broadcast to [3, 2]", &above("scatter_add("));
}

#[test]
fn matmul_needs_equal_inner_lengths() {
    let graph = Graph::new();
    let a = graph.input::<f32>("a", [2, 3]);
    let b = graph.input::<f32>("b", [4, 5]);
    let product = a.matmul(b);
    let message = "matmul: shapes [2, 3] and [4, 5] do not fit: the last axis of the first must have the length \
                   of the second-to-last axis of the second";
    assert_error(product, message, &above("matmul(b)"));
}

#[test]
fn unmask_needs_as_many_values_as_the_mask_selects() {
    let graph = Graph::new();
    let values = graph.constant([1.0, 2.0, 3.0]);
    let mask = graph.constant([true, false, true]);
    let y = values.unmask(mask, 0.0);
    let message =
        "unmask: shapes [3] and [2] do not fit: the values must be as many as the true elements of the mask";
    assert_error(y, message, &above("unmask("));
}

#[test]
fn take_along_axis_needs_the_lengths_of_the_tensor() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let indices = graph.input::<i64>("indices", [4, 1]);
    let y = x.take_along_axis(indices, 1);
    let message = "take_along_axis: shapes [2, 3] and [4, 1] do not fit: away from the axis, the indices must have \
                   the lengths of the tensor, or 1";
    assert_error(y, message, &above("take_along_axis("));
}

#[test]
fn fewer_indices_than_the_tensor_is_long_say_how_to_slice() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3, 4]);
    let indices = graph.input::<i64>("indices", [2, 5]);
    let message = |op: &str| {
        format!(
            "{op}: the indices [2, 5] have only length 2 on axis 0 of the tensor [3, 4]; to use its first 2 only, \
             slice it before: `x.slice_axis(..2, 0)`"
        )
    };
    let y = x.take_along_axis(indices, 1);
    assert_error(y, &message("take_along_axis"), &above("take_along_axis(indices"));
    assert_eq!(x.slice_axis(..2, 0).take_along_axis(indices, 1).shape().to_string(), "[2, 5]");
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3, 4]);
    let y = x.scatter_add_along_axis(graph.input::<i64>("indices", [2, 5]), 1.0, 1);
    assert_error(y, &message("scatter_add_along_axis"), &above("scatter_add_along_axis("));
}

#[test]
fn concat_needs_equal_lengths_away_from_the_axis() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = graph.input::<f32>("y", [2, 4]);
    let both = graph.concat([x, y], 0);
    let message =
        "concat: shapes [2, 3] and [2, 4] do not fit: away from the axis, all lengths must be equal";
    assert_error(both, message, &above("concat("));
}

#[test]
fn stack_needs_one_shape() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let y = graph.input::<f32>("y", [3]);
    let both = graph.stack([x, y], 0);
    let message = "stack: shapes [1, 2] and [1, 3] do not fit: away from the axis, all lengths must be equal";
    assert_error(both, message, &above("stack("));
}

#[test]
fn squeeze_drops_axes_of_length_one_alone() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [1, 3]);
    let y = x.squeeze([0, 1]);
    let message = "squeeze: shapes [1, 3] and [] do not fit: only axes of length 1 can be dropped";
    assert_error(y, message, &above("squeeze("));
}

#[test]
fn masked_fill_takes_a_scalar() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let row = graph.input::<f32>("row", [3]);
    let y = x.masked_fill(x.gt(0.0), row);
    let message =
        "masked_fill: shape [3] has rank 1, but the value is a scalar: write `masked_assign` for a tensor";
    assert_error(y, message, &above("masked_fill("));
}

#[test]
fn matmul_refuses_scalars() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 2]);
    let s = graph.input::<f32>("s", [0_usize; 0]);
    let y = x.matmul(s);
    let message =
        "matmul: shape [] has rank 0, but matmul takes at least one axis: multiply by a scalar with `*`";
    assert_error(y, message, &above("matmul(s)"));
}

#[test]
fn gather_nd_needs_rows_no_longer_than_the_rank() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let indices = graph.input::<i64>("indices", [4, 3]);
    let y = x.gather_nd(indices);
    let message =
        "gather_nd: the rows of indices [4, 3] must name a known number of axes, at most the 2 of [2, 3]";
    assert_error(y, message, &above("gather_nd("));
}

#[test]
fn axes_lie_within_the_rank() {
    for axis in [2, -3, i64::MAX, i64::MIN] {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [2, 3]);
        let y = x.sum(axis);
        let message = format!("sum: axis {axis} is out of range for shape [2, 3] of rank 2");
        assert_error(y, &message, &above("sum(axis)"));
    }
}

#[test]
fn the_dimension_of_an_axis_out_of_range_is_an_error() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let _zero = x.dim(2);
    let location = above("dim(2)");
    let message = format!("dim: axis 2 is out of range for shape [2, 3] of rank 2 (built at {location})");
    assert_eq!(graph.check().unwrap_err().to_string(), message);
}

#[test]
fn axes_are_not_repeated() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let y = x.max([0, -2]);
    assert_error(y, "max: an axis is repeated in [0, -2] for shape [2, 3]", &above("max("));
}

#[test]
fn permute_takes_a_permutation() {
    for axes in [vec![0, 0], vec![0], vec![0, 1, 2], vec![0, 5]] {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [2, 3]);
        let y = x.permute(axes.clone());
        let message = format!("permute: {axes:?} is no permutation of the axes of shape [2, 3]");
        assert_error(y, &message, &above("permute("));
    }
}

#[test]
fn segments_take_one_id_for_each_row() {
    type Build = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let cases: [(&str, Build); 4] = [
        ("segment_sum", |x, ids| x.segment_sum(ids, 3)),
        ("segment_mean", |x, ids| x.segment_mean(ids, 3)),
        ("segment_max", |x, ids| x.segment_max(ids, 3)),
        ("segment_min", |x, ids| x.segment_min(ids, 3)),
    ];
    for (op, build) in cases {
        for (shape, ids_shape) in [(vec![2], vec![1]), (vec![1, 2], vec![4]), (vec![2, 2], vec![2, 2])] {
            let graph = Graph::new();
            let x = graph.input::<f64>("x", shape.clone());
            let ids = graph.input::<i64>("ids", ids_shape.clone());
            assert!(build(x, ids).is_poisoned());
            let error = graph.check().unwrap_err();
            let location = error.reports()[0].location();
            let message = format!(
                "{op}: shapes {shape:?} and {ids_shape:?} do not fit: there must be one id for each row of the first \
                 (built at {location})"
            );
            assert_eq!(error.to_string(), message);
        }
    }
}

#[test]
fn a_source_of_unrelated_length_cannot_be_assigned() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [4, 2]);
    let mask = graph.input::<bool>("mask", [4]);
    let source = graph.input::<f32>("source", [3, 2]);
    let y = x.masked_assign(mask, source);
    let message = "masked_assign: source [3, 2] fits neither one selected position ([2]), nor a selection by this mask \
                   ([count(%1)] + [2]), nor the full shape [4, 2]; for a source that is known to \
                   be as long as the selection write `source.unmask(mask, x)`, to take as many as are needed \
                   `masked_scatter`";
    assert_error(y, message, &above("masked_assign("));
}

#[test]
fn a_selection_by_another_mask_cannot_be_assigned() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [4]);
    let (mask, other) = (x.gt(0.0), x.gt(1.0));
    let y = x.masked_assign(mask, x.boolean_mask(other));
    let message = "masked_assign: source [count(%4)] fits neither one selected position ([]), nor a selection by this \
                   mask ([count(%2)] + []), nor the full shape [4]; for a source that is known to \
                   be as long as the selection write `source.unmask(mask, x)`, to take as many as are needed \
                   `masked_scatter`";
    assert_error(y, message, &above("masked_assign("));
}

#[test]
fn concat_needs_something() {
    let graph = Graph::new();
    let y = graph.concat([], 0);
    assert_error(y, "concat: at least one operand is needed", &above("concat("));
}

#[test]
fn a_length_of_an_axis_out_of_range_poisons_what_is_built_with_it() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3]);
    let length = x.dim(2);
    let message =
        format!("dim: axis 2 is out of range for shape [2, 3] of rank 2 (built at {})", above("dim(2)"));
    assert_eq!(graph.take_errors().unwrap().to_string(), message);
    let zeros = graph.zeros::<f64>(dims![&length, 2]);
    let input = graph.input::<f64>("y", dims![&length]);
    for built in [zeros, input, graph.iota(&length), graph.size(length.clone()), x.reshape(dims![&length])] {
        assert!(built.is_poisoned());
        assert_eq!(graph.error_of(built.id()).unwrap().to_string(), message);
    }
    assert!(graph.check().is_ok());
}

#[test]
fn a_tensor_of_rank_0_has_the_axes_0_and_minus_1_alone() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims![]);
    let _ = x.sum(1);
    let _ = x.softmax(-2);
    let _ = x.cumsum(3);
    let _ = x.argsort(4);
    let _ = x.argmax(5);
    let _ = x.mean([0, -1]);
    let out_of_range = |axis| format!("axis {axis} is out of range for shape [] of rank 0");
    assert_errors(
        &graph,
        &[
            (format!("sum: {}", out_of_range(1)), above("sum(1)")),
            (format!("softmax: {}", out_of_range(-2)), above("softmax(-2)")),
            (format!("cumsum: {}", out_of_range(3)), above("cumsum(3)")),
            (format!("argsort: {}", out_of_range(4)), above("argsort(4)")),
            (format!("argmax: {}", out_of_range(5)), above("argmax(5)")),
            ("mean: an axis is repeated in [0, -1] for shape []".to_owned(), above("mean([0, -1])")),
        ],
    );
}

#[test]
fn a_triangle_is_of_two_axes() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let _ = x.tril(0);
    let _ = x.triu(1);
    let message = "shape [3] has rank 1, but a triangle is taken of the last two axes";
    assert_errors(
        &graph,
        &[(format!("tril: {message}"), above("tril(0)")), (format!("triu: {message}"), above("triu(1)"))],
    );
}

#[test]
fn sums_and_products_of_lists_need_expressions_that_broadcast() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<f64>("x", [2]), graph.input::<f64>("y", [3]));
    let _ = graph.sum_of([]);
    let _ = graph.prod_of(Vec::new());
    let _ = graph.sum_of([x, x, y]);
    assert_errors(
        &graph,
        &[
            ("sum_of: at least one operand is needed".to_owned(), above("sum_of([])")),
            ("prod_of: at least one operand is needed".to_owned(), above("prod_of(Vec")),
            ("sum_of: shapes [2] and [3] do not broadcast".to_owned(), above("sum_of([x, x, y])")),
        ],
    );
}

#[test]
fn labels_are_integers_of_the_shape_of_the_rows() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3]);
    let (shares, flags) = (graph.input::<f64>("shares", [2]), graph.input::<bool>("flags", [2]));
    let (others, rows) = (graph.input::<i64>("others", [3]), graph.input::<i64>("rows", [2, 3]));
    let _ = x.cross_entropy(shares, 1);
    let _ = x.cross_entropy(flags, 1);
    let _ = x.cross_entropy(others, 1);
    let _ = x.cross_entropy(rows, 1);
    let _ = x.cross_entropy(rows, 2);
    let integers = "labels are integers: write `.cast(DType::I64)`";
    let shape = "the labels must have the shape of the logits without the axis of the classes";
    assert_errors(
        &graph,
        &[
            (format!("cross_entropy: f64[2] is not accepted; {integers}"), above("cross_entropy(shares")),
            (format!("cross_entropy: bool[2] is not accepted; {integers}"), above("cross_entropy(flags")),
            (
                format!("cross_entropy: shapes [2, 3] and [3] do not fit: {shape}"),
                above("cross_entropy(others"),
            ),
            (
                format!("cross_entropy: shapes [2, 3] and [2, 3] do not fit: {shape}"),
                above("cross_entropy(rows, 1"),
            ),
            (
                "cross_entropy: axis 2 is out of range for shape [2, 3] of rank 2".to_owned(),
                above("cross_entropy(rows, 2"),
            ),
        ],
    );
}

#[test]
fn a_class_out_of_range_has_no_row() {
    let graph = Graph::new();
    let classes = graph.input::<i64>("classes", [2]);
    let rows = classes.one_hot(3, DType::U8);
    let location = above("one_hot(");
    let plan = Plan::new([("rows", rows)]).unwrap();
    let error = plan.feed("classes", arr1(&[-3_i64, 3])).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::IndexOutOfRange { index: 3, length: 3, .. }), "{error}");
    assert_eq!(error.location().unwrap().to_string(), location);
}

#[test]
fn a_new_axis_lies_within_the_rank_of_the_result() {
    for axis in [3, -4] {
        let graph = Graph::new();
        let y = graph.input::<f32>("x", [5, 7]).unsqueeze(axis);
        let message = format!(
            "unsqueeze: axis {axis} is out of range for a result of rank 3, which is [5, 7] with one axis more"
        );
        assert_error(y, &message, &above("unsqueeze(axis)"));
    }
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [5]);
    let y = graph.stack([x, x], 2);
    let message = "stack: axis 2 is out of range for a result of rank 2, which is [5] with one axis more";
    assert_error(y, message, &above("stack("));
}

#[test]
fn an_einstein_sum_needs_a_formula_that_fits() {
    let refused = |formula: &str, operands: usize, reason: &str| {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2, 2]);
        let y = graph.einsum(formula, vec![x; operands]);
        assert_error(y, &format!("einsum: `{formula}`: {reason}"), &above("einsum(formula"));
    };
    let twice = "each axis has a letter of its own, since diagonals are not taken";
    refused("ii->i", 1, &format!("the letter `i` stands twice in `ii`, the term of operand 0; {twice}"));
    refused("ij,kk->i", 2, &format!("the letter `k` stands twice in `kk`, the term of operand 1; {twice}"));
    refused("ij->jj", 1, "the letter `j` stands twice in the result");
    refused("ij->k", 1, "the letter `k` of the result is in no term");
    let rank = |term: &str, letters: &str, operand: usize| {
        format!("the term `{term}` has {letters}, but operand {operand} has shape [2, 2] of rank 2")
    };
    refused("ijk->k", 1, &rank("ijk", "3 letters", 0));
    refused("ij,j->i", 2, &rank("j", "1 letter", 1));
    refused("->", 1, &rank("", "0 letters", 0));
    let no_arrow = "; there is no `->` with a result behind it";
    refused("", 1, &(rank("", "0 letters", 0) + no_arrow));
    refused("ij,jk ik", 2, &(rank("jkik", "4 letters", 1) + no_arrow));
    refused("...j->j", 1, "`...` is not taken: write a letter for every axis");
    refused("ij-i", 1, "`-` does not stand alone: the result comes behind `->`");
    refused("ij=>i", 1, "`=` does not stand alone: the result comes behind `->`");
    let alphabet = "is no letter: terms are of letters a to z and A to Z, with `,` between them";
    refused("i1->i", 1, &format!("`1` {alphabet}"));
    refused("ij;jk->ik", 2, &format!("`;` {alphabet}"));
    refused("ij->i->j", 1, "there is more than one `->`");
    refused("ij->i,j", 1, "the result behind `->` is one term, without `,`");
    refused("ij->j", 2, "1 term for 2 operands");
    refused("ij,jk,kl->il", 2, "3 terms for 2 operands");
    refused("ij,jk,kl->il", 3, "3 operands are given, but at most two are taken at a time");
    refused("ij->j", 0, "no operand is given, but one or two are needed");
}

#[test]
fn a_letter_of_an_einstein_sum_has_one_length() {
    let graph = Graph::new();
    let (a, b) = (graph.input::<f64>("a", [2, 3]), graph.input::<f64>("b", [4, 2]));
    let y = graph.einsum("ij,jk->ik", [a, b]);
    let message = "einsum: `ij,jk->ik`: the letter `j` is axis 1 of operand 0, of length 3, and axis 0 of operand 1, \
                   of length 4";
    assert_error(y, message, &above("einsum("));
}

#[test]
fn an_axis_is_shown_as_it_was_written() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2, 3]);
    let _ = x.sum(usize::MAX);
    let _ = x.unsqueeze(u64::MAX);
    let _ = x.softmax(i64::MIN);
    let _ = x.max([u64::MAX, u64::MAX - 1]);
    assert_errors(
        &graph,
        &[
            (
                format!("sum: axis {} is out of range for shape [2, 3] of rank 2", usize::MAX),
                above("sum(usize::MAX)"),
            ),
            (
                "unsqueeze: axis 18446744073709551615 is out of range for a result of rank 3, which is [2, 3] with \
                 one axis more"
                    .to_owned(),
                above("unsqueeze(u64::MAX)"),
            ),
            (
                "softmax: axis -9223372036854775808 is out of range for shape [2, 3] of rank 2".to_owned(),
                above("softmax(i64::MIN)"),
            ),
            (
                "max: axis 18446744073709551615 is out of range for shape [2, 3] of rank 2".to_owned(),
                above("max([u64::MAX"),
            ),
        ],
    );
}
