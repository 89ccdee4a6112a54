//! Edge cases of ops: empty selections, empty arrays, indices out of range, special
//! values.

use ndarray::{ArrayD, array};
use tamis_graph::{Element, Expr, Graph, Op, Reduce, ReduceKind, Scalar, along, where_};

use crate::{Error, ErrorKind, Eval};

#[track_caller]
fn check<T: Element, D: ndarray::Dimension>(expr: Expr<'_>, expected: ndarray::Array<T, D>) {
    assert_eq!(expr.eval::<T>().unwrap(), expected.into_dyn());
}

#[track_caller]
fn fail(expr: Expr<'_>) -> Error {
    expr.eval::<i64>().unwrap_err()
}

#[test]
fn selection_by_an_all_false_mask_is_empty() {
    let graph = Graph::new();
    let x = graph.constant([[1, 2], [3, 4]]);
    let none = x.gt(9);
    check(x.boolean_mask(none), ArrayD::<i32>::zeros(vec![0]));
    check(none.argwhere(), ArrayD::<i64>::zeros(vec![0, 2]));
    check(x.boolean_mask(none).unmask(none, -1), array![[-1, -1], [-1, -1]]);
    check(x.boolean_mask(none).sum(..), ndarray::arr0(0_i64));
}

#[test]
fn mask_of_rank_0_selects_all_or_nothing() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    let yes = x.sum(..).gt(0);
    check(x.boolean_mask(yes), array![[1, 2]]);
    check(x.boolean_mask(!yes), ArrayD::<i32>::zeros(vec![0, 2]));
    check(x.boolean_mask(yes).unmask(yes, 0), array![1, 2]);
    check(yes.argwhere(), ArrayD::<i64>::zeros(vec![1, 0]));
}

#[test]
fn mask_selects_from_an_inner_axis() {
    let graph = Graph::new();
    let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    let mask = graph.constant([true, false, true]).ne(graph.constant([false, false, false]));
    let kept = x.boolean_mask_axis(mask, 1);
    check(kept, array![[1, 3], [4, 6]]);
    check(kept.unmask_axis(mask, 0, 1), array![[1, 0, 3], [4, 0, 6]]);
    check(x.transpose().boolean_mask(mask), array![[1, 4], [3, 6]]);
}

#[test]
fn index_out_of_range_names_its_position_and_axis() {
    let graph = Graph::new();
    let x = graph.constant([[1, 2], [3, 4], [5, 6]]);
    let error = fail(x.gather(graph.constant([0, 2, -4]), 0));
    let expected = "gather: index -4 is out of range for axis 0 of length 3, at position [2] of the indices";
    assert!(error.to_string().starts_with(expected), "{error}");
    // Within the flat buffer, but not within its axis.
    let error = fail(x.gather_nd(graph.constant([[0, 3]])));
    let expected =
        "gather_nd: index 3 is out of range for axis 1 of length 2, at position [0, 1] of the indices";
    assert!(error.to_string().starts_with(expected), "{error}");
    let empty = graph.zeros::<i32>([0]);
    assert!(matches!(fail(empty.gather(graph.constant([0]), 0)).kind(), ErrorKind::IndexOutOfRange { .. }));
    check(empty.gather(graph.zeros::<i64>([0]), 0), ArrayD::<i32>::zeros(vec![0]));
}

#[test]
fn gather_reads_in_the_order_of_the_indices() {
    let graph = Graph::new();
    let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    check(x.gather(graph.constant([[2, -3], [0, 1]]), 1), array![[[3, 1], [1, 2]], [[6, 4], [4, 5]]]);
    check(x.take_along_axis(graph.constant([[0, 0], [2, -1]]), 1), array![[1, 1], [6, 6]]);
    check(x.gather_nd(graph.constant([[1], [0], [1]])), array![[4, 5, 6], [1, 2, 3], [4, 5, 6]]);
    check(x.gather_nd(graph.zeros::<i64>([2, 0])).sum([1, 2]), array![21_i64, 21]);
}

#[test]
fn scatter_lets_the_last_win_and_adds_in_order() {
    let graph = Graph::new();
    let x = graph.constant([10, 20, 30]);
    let twice = graph.constant([1, -2, 0]);
    let updates = graph.constant([1, 2, 3]);
    check(x.scatter_set(twice, updates, 0), array![3, 2, 30]);
    check(x.scatter_add(twice, updates, 0), array![13, 23, 30]);
    let rows = graph.constant([[1, 2], [3, 4]]);
    check(
        rows.scatter_add(graph.constant([1, 1]), graph.constant([[1, 1], [5, 5]]), 0),
        array![[1, 2], [9, 10]],
    );
    check(rows.scatter_set_along_axis(graph.constant([[1], [0]]), 0, 1), array![[1, 0], [0, 4]]);
    check(rows.scatter_nd_add(graph.constant([[0, 1], [0, 1]]), 10), array![[1, 22], [3, 4]]);
}

#[test]
fn min_or_max_of_an_empty_selection_is_an_error_only_where_it_is_asked_for() {
    let graph = Graph::new();
    let empty = graph.zeros::<i64>([2, 0]);
    let error = fail(empty.max(1));
    assert!(matches!(error.kind(), ErrorKind::EmptyReduction { position } if position == &[0]), "{error}");
    check(empty.max(0), ArrayD::<i64>::zeros(vec![0]));
    assert!(matches!(fail(empty.argmax(1)).kind(), ErrorKind::EmptyReduction { .. }));
    check(empty.sum(1), array![0_i64, 0]);
    check(empty.gt(0).all(1), array![true, true]);
    let x = graph.constant([[1_i64, 2], [3, 4]]);
    let error = fail(x.masked(x.gt(2)).max(1));
    assert!(matches!(error.kind(), ErrorKind::EmptyReduction { position } if position == &[0]), "{error}");
    let initial = Some(Scalar::I64(-1));
    let op = Op::from(Reduce { kind: ReduceKind::Max, axes: [1].into_iter().collect(), initial });
    check(graph.apply(op, &[x, x.gt(2)]), array![-1_i64, 4]);
}

#[test]
fn nan_wins_min_and_max() {
    let graph = Graph::new();
    let x = graph.constant([1.0, f64::NAN, f64::NAN, 9.0]);
    assert!(x.max(..).eval::<f64>().unwrap()[[]].is_nan());
    assert!(x.min(..).eval::<f64>().unwrap()[[]].is_nan());
    check(x.argmax(0), ndarray::arr0(1_i64));
    check(x.masked(!x.is_nan()).max(..), ndarray::arr0(9.0));
    check(graph.constant([2, 7, 7]).argmax(0), ndarray::arr0(1_i64));
}

#[test]
fn sums_lose_nothing_to_rounding() {
    let graph = Graph::new();
    let ones = graph.ones::<f32>([(1 << 24) + 1]);
    check(ones.sum(..), ndarray::arr0(16_777_216.0_f32));
    check((ones.sum(..) + 0.0).cast(tamis_graph::DType::F64), ndarray::arr0(16_777_216.0_f64));
    check(graph.constant([1e16, 1.0, 1.0, -1e16]).sum(..), ndarray::arr0(2.0));
    check(graph.constant([200_u8, 100]).sum(..), ndarray::arr0(300_i64));
}

#[test]
fn reductions_take_any_axes() {
    let graph = Graph::new();
    let x = graph.constant([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]);
    check(x.sum([0, 2]), array![14_i64, 22]);
    check(x.transpose().max([0, 1]), array![4, 8]);
    check(x.gt(7).any([1, 2]), array![false, true]);
}

#[test]
fn scans_run_either_way() {
    let graph = Graph::new();
    let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    check(x.cumsum(1), array![[1_i64, 3, 6], [4, 9, 15]]);
    check(x.cumsum(along(1).exclusive().reverse()), array![[5_i64, 3, 0], [11, 6, 0]]);
    check(graph.zeros::<f32>([0, 2]).cumsum(0), ArrayD::<f32>::zeros(vec![0, 2]));
}

#[test]
fn integer_arithmetic_that_has_no_result_names_the_position() {
    let graph = Graph::new();
    let x = graph.constant([[7, 8]]);
    let error = fail(x % graph.constant([[3], [0]]));
    assert!(matches!(error.kind(), ErrorKind::DivisionByZero { position } if position == &[1, 0]), "{error}");
    let error = fail(x.pow(graph.constant([2, -1])));
    let expected = "pow: 8 cannot be raised to the negative power -1 at position [0, 1]";
    assert!(error.to_string().starts_with(expected), "{error}");
    check(graph.constant([i32::MIN]) % graph.constant([-1]), array![0]);
    check(graph.constant([i32::MAX]) + 1, array![i32::MIN]);
}

#[test]
fn casts_are_those_of_rust() {
    use tamis_graph::DType;
    let graph = Graph::new();
    let x = graph.constant([f64::NAN, -1.0, 1e20, 0.5]);
    check(x.cast(DType::U8), array![0_u8, 0, 255, 0]);
    check(x.cast(DType::I64), array![0, -1, i64::MAX, 0]);
    check(x.cast(DType::Bool), array![true, true, true, true]);
    check(graph.constant([true, false]).cast(DType::F32), array![1.0_f32, 0.0]);
}

#[test]
fn slices_run_backwards_and_pads_put_them_back() {
    let graph = Graph::new();
    let x = graph.constant([0, 1, 2, 3, 4]);
    check(x.slice([tamis_graph::Slice::new(None, None, -2)]), array![4, 2, 0]);
    check(x.slice([tamis_graph::Slice::new(Some(9), None, 1)]), ArrayD::<i32>::zeros(vec![0]));
    let pad = tamis_graph::PadAxis { start: 4_usize.into(), step: -2, size: 6_usize.into() };
    let padded =
        graph.apply(tamis_graph::Layout::Pad([pad].into_iter().collect()), &[graph.constant([1, 2, 3])]);
    check(padded, array![3, 0, 2, 0, 1, 0]);
}

#[test]
fn slice_of_a_symbolic_axis_is_checked() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", tamis_graph::dims!["n"]);
    let plan = crate::Plan::new([("y", x.slice_axis(5, 0))]).unwrap();
    let error = plan.feed("x", array![1_i64, 2]).run().unwrap_err();
    assert!(
        error.to_string().starts_with("slice_axis: index 5 is out of range for axis 0 of length 2"),
        "{error}"
    );
}

#[test]
fn concat_takes_empty_operands() {
    let graph = Graph::new();
    let (a, b) = (graph.constant([[1], [2]]), graph.zeros::<i32>([2, 0]));
    check(graph.concat([b, a, a], 1), array![[1, 1], [2, 2]]);
}

#[test]
fn choice_broadcasts() {
    let graph = Graph::new();
    let mask = graph.constant([[true], [false]]);
    check(where_(mask, graph.constant([1, 2]), 0), array![[1, 2], [0, 0]]);
}

#[test]
fn matmul_takes_batches_and_empty_axes() {
    let graph = Graph::new();
    let a = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    check(a.matmul(a.transpose()), array![[5.0, 11.0], [11.0, 25.0]]);
    let batch = graph.constant([[[1, 2]], [[3, 4]]]);
    check(batch.matmul(graph.constant([[1], [10]])), array![[[21]], [[43]]]);
    check(graph.zeros::<f32>([2, 0]).matmul(graph.zeros::<f32>([0, 3])), ArrayD::<f32>::zeros(vec![2, 3]));
    check(graph.zeros::<f32>([0, 2]).matmul(graph.zeros::<f32>([2, 3])), ArrayD::<f32>::zeros(vec![0, 3]));
}

#[test]
fn masked_factors_are_never_read() {
    use tamis_graph::Linalg;
    let graph = Graph::new();
    let a = graph.constant([[1.0, f64::NAN], [2.0, 3.0]]);
    let b = graph.constant([[1.0, 1.0], [f64::INFINITY, 5.0]]);
    let mask_a = !a.is_nan();
    let both = graph.apply(Linalg::Matmul { mask_a: true, mask_b: true }, &[a, b, mask_a, b.is_finite()]);
    check(both, array![[1.0, 1.0], [2.0, 17.0]]);
    // The infinity meets a masked factor in the first row alone.
    let one = graph.apply(Linalg::Matmul { mask_a: true, mask_b: false }, &[a, b, mask_a]);
    check(one, array![[1.0, 1.0], [f64::INFINITY, 17.0]]);
    let columns = graph.constant([[true, false]]);
    let one = graph.apply(Linalg::Matmul { mask_a: false, mask_b: true }, &[b, b, columns]);
    assert_eq!(one.eval::<f64>().unwrap()[[0, 1]], 0.0);
}

#[test]
fn tensors_of_rank_64_are_tensors() {
    let graph = Graph::new();
    let x = graph.constant([1_i64, 2]).reshape([&[1_usize; 63][..], &[2]].concat());
    let repeated = (x + graph.zeros::<i64>(vec![1_usize; 64])).transpose();
    check(repeated.sum(..), ndarray::arr0(3_i64));
    check(repeated.boolean_mask(repeated.gt(1)), array![2_i64]);
    assert_eq!(repeated.gt(1).argwhere().eval::<i64>().unwrap().shape(), [1, 64]);
}

#[test]
fn selection_of_a_selection_counts_both_masks() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", tamis_graph::dims!["n"]);
    let (positive, even) = (x.gt(0), (x % 2).eq(0));
    let twice = x.boolean_mask(positive).boolean_mask(even.boolean_mask(positive));
    let rest = x.boolean_mask(!positive);
    let plan =
        crate::Plan::new([("twice", twice), ("rest", rest), ("size", graph.size(rest.dim(0)))]).unwrap();
    let out = plan.feed("x", array![4_i64, -2, 3, 6]).run().unwrap();
    assert_eq!(out.view::<i64>("twice").unwrap(), array![4_i64, 6].into_dyn());
    assert_eq!(out.view::<i64>("rest").unwrap(), array![-2_i64].into_dyn());
    assert_eq!(out.scalar::<i64>("size").unwrap(), 1);
}
