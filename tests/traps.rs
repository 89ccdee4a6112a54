//! Where other systems surprise with masks, and what tamis does there. The
//! systems and versions behind each remark were probed for `docs/semantics.md`.

mod location;

use location::above;
use ndarray::{ArrayD, arr1, arr2};
use tamis::prelude::*;
use tamis::{DType, Value};

/// The value of a f64 expression without inputs.
#[track_caller]
fn value(expr: Expr<'_>) -> ArrayD<f64> {
    expr.eval().unwrap_or_else(|error| panic!("{error}"))
}

/// NumPy: `np.array(list(zip(*np.where(mask))))` is `(0,)` of float64.
#[test]
fn the_indices_of_an_all_false_mask_keep_rank_and_dtype() {
    for rank in 1..4 {
        let graph = Graph::new();
        let mask = graph.full(vec![2; rank], false);
        let indices = mask.argwhere();
        assert_eq!((indices.dtype(), indices.rank()), (DType::I64, 2));
        let found = indices.eval::<i64>().unwrap();
        assert_eq!(found.shape(), [0, rank]);
        assert_eq!(mask.nonzero().len(), rank);
        for coordinates in mask.nonzero() {
            assert_eq!(coordinates.eval::<i64>().unwrap().shape(), [0]);
        }
    }
}

/// The same where the mask is known only at run time.
#[test]
fn the_indices_of_a_mask_that_is_all_false_at_run_time_keep_rank_and_dtype() {
    let graph = Graph::new();
    let mask = graph.input::<bool>("mask", dims!["n", "m"]);
    let x = graph.input::<f64>("x", dims!["n", "m"]);
    let indices = mask.argwhere();
    let plan = Plan::new([("indices", indices), ("picked", x.gather_nd(indices))]).unwrap();
    let none = arr2(&[[false, false], [false, false]]);
    let out = plan.feed("mask", &none).feed("x", arr2(&[[1.0, 2.0], [3.0, 4.0]])).run().unwrap();
    assert_eq!(out.view::<i64>("indices").unwrap().shape(), [0, 2]);
    assert_eq!(out.view::<f64>("picked").unwrap().shape(), [0]);
}

/// TensorFlow refuses int32 with float32.
#[test]
fn integers_and_floats_promote() {
    let graph = Graph::new();
    let counts = graph.constant([1_i32, 2, 3]);
    let weights = graph.constant([0.5_f32, 1.5, 2.5]);
    let product = counts * weights;
    assert_eq!(product.dtype(), DType::F32);
    assert_eq!(product.eval::<f32>().unwrap(), arr1(&[0.5, 3.0, 7.5]).into_dyn());
    let chosen = where_(counts.gt(1), counts, weights);
    assert_eq!(chosen.eval::<f32>().unwrap(), arr1(&[0.5, 2.0, 3.0]).into_dyn());
}

/// PyTorch refuses `dest_f32[mask] = src_i64[mask]`.
#[test]
fn a_selection_of_integers_is_assigned_into_floats() {
    let graph = Graph::new();
    let dest = graph.constant([0.5_f32, 1.5, 2.5]);
    let src = graph.constant([10_i64, 20, 30]);
    let mask = graph.constant([true, false, true]);
    let assigned = dest.masked_assign(mask, src.boolean_mask(mask));
    assert_eq!(assigned.eval::<f32>().unwrap(), arr1(&[10.0, 1.5, 30.0]).into_dyn());
}

/// PyTorch refuses a (3, 1) source under a (3, 2) mask.
#[test]
fn a_source_that_broadcasts_is_assigned_under_a_full_mask() {
    let graph = Graph::new();
    let dest = graph.zeros::<f64>([3, 2]);
    let src = graph.constant([[1.0], [2.0], [3.0]]);
    let cond = graph.constant([[true, false], [false, true], [true, true]]);
    let expected = arr2(&[[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]).into_dyn();
    assert_eq!(value(dest.masked_assign(cond, src)), expected);
    // To select from the narrow source by the wide mask stays an error.
    let selected = src.boolean_mask(cond);
    let line = above("boolean_mask(cond)");
    let message =
        format!("boolean_mask: mask [3, 2] does not match the leading axes of [3, 1] (built at {line})");
    assert_eq!(selected.eval::<f64>().unwrap_err().to_string(), message);
}

/// XLA silently returns `[]`.
#[test]
fn a_running_sum_of_a_selection_is_the_running_sum() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", [3]);
    let plan = Plan::new([("y", x.boolean_mask(x.gt(0)).cumsum(0))]).unwrap();
    let out = plan.feed("x", arr1(&[3_i64, -1, 2])).run().unwrap();
    assert_eq!(out.view::<i64>("y").unwrap(), arr1(&[3, 5]).into_dyn());
}

/// XLA pads or truncates silently.
#[test]
fn a_selection_of_three_does_not_meet_two_numbers() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let mask = x.gt(0.0);
    let mask_line = above("gt(0.0)");
    let sum = x.boolean_mask(mask) + graph.ones::<f64>([2]);
    let sum_line = above("x.boolean_mask(mask) +");
    let plan = Plan::new([("sum", sum)]).unwrap();
    let error = plan.feed("x", arr1(&[3.0, 1.0, 2.0])).run().unwrap_err();
    let expected = format!(
        "add: lengths differ: count(%2) = 3 and 2; count(%2) counts the true elements of `gt(x, 0.0)`, \
         built at {mask_line} (built at {sum_line})"
    );
    assert_eq!(error.to_string(), expected);
    let out = plan.feed("x", arr1(&[3.0, -1.0, 2.0])).run().unwrap();
    assert_eq!(out.view::<f64>("sum").unwrap(), arr1(&[4.0, 3.0]).into_dyn());
}

/// PyTorch, JAX (reverse), MLX and tinygrad: NaN.
#[test]
fn the_gradient_of_what_where_did_not_choose_is_zero() {
    type Function = for<'g> fn(Expr<'g>) -> Expr<'g>;
    let functions: [(&str, Function, f64); 3] =
        [("sqrt", |x| x.sqrt(), 0.25), ("ln", |x| x.ln(), 0.25), ("recip", |x| x.recip(), -0.0625)];
    for (name, f, slope) in functions {
        let graph = Graph::new();
        let x = graph.constant([0.0, 4.0]);
        let chosen = where_(x.gt(0.0), f(x), 0.0);
        let kept = f(x).boolean_mask(x.gt(0.0));
        let expected = arr1(&[0.0, slope]).into_dyn();
        assert_eq!(value(grad(chosen.sum(..), x)), expected, "{name}");
        assert_eq!(value(grad(kept.sum(..), x)), expected, "{name} of a selection");
        // c₀ + c₁ = 2·y₀ + y₁.
        assert_eq!(value(grad(chosen.cumsum(0).sum(..), x)), expected, "{name} through cumsum");
        let matrix = graph.constant([[1.0, 2.0], [3.0, -1.0]]);
        let double = arr1(&[0.0, slope * 2.0]).into_dyn();
        assert_eq!(value(grad(chosen.matmul(matrix).sum(..), x)), double, "{name} through matmul");
    }
}

/// The same where a softmax follows: with s = [0, √4], σ = softmax(s)₁ = e²/(1 + e²).
#[test]
fn the_gradient_of_what_where_did_not_choose_is_zero_through_softmax() {
    let graph = Graph::new();
    let x = graph.constant([0.0, 4.0]);
    let chosen = where_(x.gt(0.0), x.sqrt(), 0.0);
    let loss = chosen.softmax(0).slice_axis(1, 0);
    let dx = value(grad(loss, x));
    assert_eq!(dx[0], 0.0);
    // σ(1 − σ)/4
    assert!((dx[1] - 0.026248396350876654).abs() < 1e-16, "{dx}");
}

/// PyTorch and JAX: `[1, 1]`.
#[test]
fn the_gradient_of_a_value_overwritten_by_a_duplicate_is_zero() {
    let graph = Graph::new();
    let v = graph.constant([5.0, 7.0]);
    let y = graph.zeros::<f64>([3]).scatter_set(graph.constant([1, 1]), v, 0);
    assert_eq!(value(y), arr1(&[0.0, 7.0, 0.0]).into_dyn());
    assert_eq!(value(grad(y.sum(..), v)), arr1(&[0.0, 1.0]).into_dyn());
}

/// PyTorch's `max(dim)` gives `[0, 1, 0]`.
#[test]
fn ties_of_a_maximum_share_its_gradient() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 3.0, 3.0]);
    assert_eq!(value(grad(x.max(..), x)), arr1(&[0.0, 0.5, 0.5]).into_dyn());
    assert_eq!(value(grad(x.max(0), x)), arr1(&[0.0, 0.5, 0.5]).into_dyn());
    assert_eq!(value(grad((-x).min(..), x)), arr1(&[0.0, -0.5, -0.5]).into_dyn());
}

/// torch.masked: NaN.
#[test]
fn the_softmax_of_a_row_with_nothing_selected_is_zero() {
    let graph = Graph::new();
    let x = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    let mask = graph.constant([[true, true], [false, false]]);
    let share = x.masked(mask).softmax(1);
    // e/(e + e²) and e²/(e + e²).
    let (small, large) = (0.2689414213699951, 0.7310585786300049);
    let found = value(share);
    assert_eq!(found.shape(), [2, 2]);
    assert!((found[[0, 0]] - small).abs() < 1e-15 && (found[[0, 1]] - large).abs() < 1e-15, "{found}");
    assert_eq!([found[[1, 0]], found[[1, 1]]], [0.0, 0.0]);
    let loss = (share * graph.constant([1.0, 3.0])).sum(..);
    let dx = value(grad(loss, x));
    assert_eq!([dx[[1, 0]], dx[[1, 1]]], [0.0, 0.0]);
    // Moving weight from the first to the second gains 2·σ(1 − σ).
    let slope = 2.0 * small * large;
    assert!((dx[[0, 0]] + slope).abs() < 1e-15 && (dx[[0, 1]] - slope).abs() < 1e-15, "{dx}");
    let ddx = value(grad(grad(loss, x).sum(..), x));
    assert_eq!([ddx[[1, 0]], ddx[[1, 1]]], [0.0, 0.0]);
}

/// The logarithm of that row.
#[test]
fn the_log_softmax_of_a_row_with_nothing_selected_is_minus_infinity_with_zero_gradient() {
    let graph = Graph::new();
    let x = graph.constant([[1.0, 1.0], [3.0, 4.0]]);
    let mask = graph.constant([[true, true], [false, false]]);
    let log = x.masked(mask).log_softmax(1);
    let half = -std::f64::consts::LN_2;
    assert_eq!(value(log), arr2(&[[half, half], [f64::NEG_INFINITY; 2]]).into_dyn());
    let chosen = log.slice((.., 0)).sum(..);
    assert_eq!(value(grad(chosen, x)), arr2(&[[0.5, -0.5], [0.0, 0.0]]).into_dyn());
}

/// JAX clamps, MLX reads what lies there.
#[test]
fn an_index_beyond_the_axis_is_an_error_with_its_line() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let at = x.slice_axis(5, 0);
    let slice_line = above("slice_axis(5, 0)");
    let plan = Plan::new([("at", at)]).unwrap();
    let error = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).run().unwrap_err();
    let message =
        format!("slice_axis: index 5 is out of range for axis 0 of length 3 (built at {slice_line})");
    assert_eq!(error.to_string(), message);
    let out = plan.feed("x", arr1(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])).run().unwrap();
    assert_eq!(out.scalar::<f64>("at").unwrap(), 5.0);

    let index = graph.input::<i64>("index", dims![]);
    let picked = x.gather(index, 0);
    let gather_line = above("gather(index, 0)");
    let plan = Plan::new([("picked", picked)]).unwrap();
    let error = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).feed("index", 5).run().unwrap_err();
    let message = format!(
        "gather: index 5 is out of range for axis 0 of length 3, at position [] of the indices (built at {gather_line})"
    );
    assert_eq!(error.to_string(), message);
}

/// The same where the length is a literal: an error of the program.
#[test]
fn a_literal_index_beyond_a_known_axis_is_a_build_error() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let at = x.slice_axis(5, 0);
    let line = above("slice_axis(5, 0)");
    let message = format!("slice_axis: index 5 is out of range for axis 0 of shape [3] (built at {line})");
    assert_eq!(at.eval::<f64>().unwrap_err().to_string(), message);
}

/// burn until 2026-09 read the neighbour's row.
#[test]
fn a_coordinate_beyond_its_own_axis_is_an_error_though_the_flat_index_exists() {
    let graph = Graph::new();
    let x = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    let picked = x.gather_nd(graph.constant([[1, 0], [0, 2]]));
    let line = above("gather_nd(");
    let message = format!(
        "gather_nd: index 2 is out of range for axis 1 of length 2, at position [1, 1] of the indices (built at {line})"
    );
    assert_eq!(picked.eval::<f64>().unwrap_err().to_string(), message);
}

/// A number that happens to be 0 is no mask: IEEE holds there, and only there.
#[test]
fn a_product_with_a_mask_follows_ieee() {
    let graph = Graph::new();
    let x = graph.constant([0.0, 4.0]);
    let mask = x.gt(0.0);
    let by_product = value(grad((x.sqrt() * mask).sum(..), x));
    assert!(by_product[0].is_nan() && by_product[1] == 0.25, "{by_product}");
    let by_choice = value(grad(where_(mask, x.sqrt(), 0.0).sum(..), x));
    assert_eq!(by_choice, arr1(&[0.0, 0.25]).into_dyn());
}

/// PyTorch: an index list and a mask of 0 and 1 look alike.
#[test]
fn a_mask_of_integers_is_refused_and_indices_of_integers_are_never_a_mask() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0]);
    let numbers = graph.constant_value(Value::from(arr1(&[1_u8, 0]).into_dyn()));
    assert_eq!(x.gather(numbers, 0).eval::<f64>().unwrap(), arr1(&[2.0, 1.0]).into_dyn());
    let _ = x.boolean_mask(numbers);
    let _ = x.gather(numbers.ne(0), 0);
    let error = graph.check().unwrap_err();
    let kinds: Vec<String> = error.reports().iter().map(|report| report.kind().to_string()).collect();
    assert_eq!(
        kinds,
        [
            "the mask is u8[2]; masks are bool: write `.ne(0)` to select what is not zero",
            "bool[2] is not accepted; indices are integers; to select by a mask write `boolean_mask`",
        ]
    );
}
