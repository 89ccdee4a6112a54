//! Scatters that multiply, and that keep the larger or the smaller.

use tamis::prelude::*;

use crate::array::{empty, value};
use crate::case::{Case, case};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn matrix() -> tamis::Value {
    value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

pub(super) fn mul() -> Vec<Case> {
    vec![
        case(
            "scatter_mul",
            [value([2.0, 3.0, 4.0]), value([2i64, 0, 2]), value([5.0, 7.0, 0.5])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([14.0, 3.0, 10.0]),
        )
        .smooth(),
        case(
            "scatter_mul of columns",
            [matrix(), value([0i64, 0]), value([[2.0, 3.0], [4.0, 5.0]])],
            |_, [x, i, v]| x.scatter_mul(i, v, 1),
            value([[6.0, 2.0, 3.0], [80.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_mul of rows by a matrix of indices",
            [matrix(), value([[0i64, 1], [1, 1]]), value(2.0)],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([[2.0, 4.0, 6.0], [32.0, 40.0, 48.0]]),
        )
        .smooth(),
        case(
            "scatter_mul of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_mul(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_mul of u8s wraps",
            [value([100u8, 3]), value([0i64, 0])],
            |_, [x, i]| x.scatter_mul(i, 2, 0),
            value([144u8, 3]),
        ),
        case(
            "scatter_mul of i32s into f32s",
            [value([1.5f32]), value([0i64]), value([3])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([4.5f32]),
        ),
        case(
            "scatter_mul of 0 and infinity",
            [value([0.0, 1.0, 2.0]), value([0i64, 1]), value([INF, NAN])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([NAN, NAN, 2.0]),
        ),
        case(
            "scatter_mul multiplies in the order of the indices",
            [value([1.0]), value([0i64, 0, 0]), value([1e300, 1e-300, 1e300])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([1e300]),
        )
        .with_fixed_dtypes(),
        case(
            "scatter_mul of a zero",
            [value([2.0, 3.0]), value([0i64, 0, 1, 0]), value([3.0, 0.0, 7.0, 5.0])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([0.0, 21.0]),
        )
        .smooth(),
        case(
            "scatter_mul of two zeros",
            [value([2.0, 3.0]), value([0i64, 0, 1, 0]), value([0.0, 0.0, 7.0, 5.0])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([0.0, 21.0]),
        )
        .smooth(),
        case(
            "scatter_mul of only zeros",
            [value([0.0]), value([0i64, 0]), value([0.0, 0.0])],
            |_, [x, i, v]| x.scatter_mul(i, v, 0),
            value([0.0]),
        )
        .smooth(),
        slopes("scatter_mul has a slope at a zero in the tensor", [0.0, 5.0, 7.0], [35.0, 0.0, 0.0]),
        slopes("scatter_mul has a slope at a zero among the updates", [2.0, 0.0, 7.0], [0.0, 14.0, 0.0]),
        slopes("scatter_mul is flat at two zeros", [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        slopes("scatter_mul is flat at zeros alone", [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        curvature(
            "the curvature of scatter_mul",
            [3.0, 5.0, 7.0],
            [[0.0, 14.0, 10.0], [14.0, 0.0, 6.0], [10.0, 6.0, 0.0]],
        ),
        curvature(
            "the curvature of scatter_mul at a zero",
            [3.0, 0.0, 7.0],
            [[0.0, 14.0, 0.0], [14.0, 0.0, 6.0], [0.0, 6.0, 0.0]],
        ),
        curvature(
            "the curvature of scatter_mul at two zeros",
            [0.0, 0.0, 7.0],
            [[0.0, 14.0, 0.0], [14.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        ),
        curvature("the curvature of scatter_mul at zeros alone", [0.0, 0.0, 0.0], [[0.0; 3]; 3]),
    ]
}

/// The slopes of `a·b·c`, with `b` and `c` scattered to where `a` is.
#[track_caller]
fn slopes(name: &str, factors: [f64; 3], expected: [f64; 3]) -> Case {
    case(
        name,
        [value([factors[0]]), value([0i64, 0]), value([factors[1], factors[2]])],
        |graph, [x, i, v]| graph.concat(grad(x.scatter_mul(i, v, 0).sum(..), [x, v]), 0),
        value(expected),
    )
}

/// The second derivatives of `2·a·b·c` with respect to the updates of one element.
#[track_caller]
fn curvature(name: &str, factors: [f64; 3], expected: [[f64; 3]; 3]) -> Case {
    case(
        name,
        [value([2.0, 9.0]), value([0i64, 0, 0]), value(factors)],
        |_, [x, i, v]| tamis::hessian(x.scatter_mul(i, v, 0).sum(..), v),
        value(expected),
    )
    .with_known_lengths()
}

pub(super) fn mul_along_axis() -> Vec<Case> {
    vec![
        case(
            "scatter_mul_along_axis",
            [matrix(), value([[2i64, 2], [1, 0]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_mul_along_axis(i, v, 1),
            value([[1.0, 2.0, 168.0], [40.0, 45.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_mul_along_axis of i32s",
            [value([3, 5]), value([0i64, 0, -1]), value([2, 4, 6])],
            |_, [x, i, v]| x.scatter_mul_along_axis(i, v, 0),
            value([24, 30]),
        ),
    ]
}

pub(super) fn nd_mul() -> Vec<Case> {
    let square = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "scatter_nd_mul",
            [square(), value([[0i64, 1], [-1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_mul(i, v),
            value([[1.0, 126.0], [24.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_mul of rows",
            [square(), value([[1i64], [1]]), value([[7.0, 8.0], [0.5, 0.25]])],
            |_, [x, i, v]| x.scatter_nd_mul(i, v),
            value([[1.0, 2.0], [10.5, 8.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_mul of depth 0 meets the full array",
            [value([1.0, 2.0]), empty::<i64>(&[2, 0]), value([[3.0, 4.0], [5.0, 6.0]])],
            |_, [x, i, v]| x.scatter_nd_mul(i, v),
            value([15.0, 48.0]),
        )
        .with_known_lengths()
        .smooth(),
    ]
}

pub(super) fn max() -> Vec<Case> {
    vec![
        case(
            "scatter_max",
            [value([1.0, 2.0, 3.0]), value([2i64, 0, 2]), value([5.0, 0.5, 4.0])],
            |_, [x, i, v]| x.scatter_max(i, v, 0),
            value([1.0, 2.0, 5.0]),
        )
        .smooth(),
        case(
            "scatter_max of columns",
            [matrix(), value([0i64, 0]), value([[0.5, 2.5], [4.5, 3.5]])],
            |_, [x, i, v]| x.scatter_max(i, v, 1),
            value([[2.5, 2.0, 3.0], [4.5, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_max of rows by a matrix of indices",
            [matrix(), value([[0i64, 1], [1, 1]]), value(2.5)],
            |_, [x, i, v]| x.scatter_max(i, v, 0),
            value([[2.5, 2.5, 3.0], [4.0, 5.0, 6.0]]),
        ),
        case(
            "scatter_max of an empty array",
            [value([1.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_max(i, 9, 0),
            value([1.0]),
        )
        .smooth(),
        case(
            "scatter_max lets NaN win",
            [value([1.0, NAN, 2.0]), value([0i64, 1, 0]), value([NAN, 5.0, -5.0])],
            |_, [x, i, v]| x.scatter_max(i, v, 0),
            value([NAN, NAN, 2.0]),
        ),
        case(
            "scatter_max of infinities",
            [value([INF, -INF]), value([0i64, 1]), value([-INF, INF])],
            |_, [x, i, v]| x.scatter_max(i, v, 0),
            value([INF, INF]),
        ),
        case(
            "scatter_max of i32s",
            [value([3, i32::MIN]), value([0i64, 1, 0]), value([4, 5, 1])],
            |_, [x, i, v]| x.scatter_max(i, v, 0),
            value([4, 5]),
        ),
        case(
            "scatter_max of u8s",
            [value([3u8, 200]), value([1i64, 0])],
            |_, [x, i]| x.scatter_max(i, 100, 0),
            value([100u8, 200]),
        ),
        case(
            "scatter_max shares the slope among duplicates and with the tensor",
            [value([3.0, 1.0]), value([0i64, 0, 1]), value([3.0, 3.0, 1.0])],
            |graph, [x, i, v]| graph.concat(grad(x.scatter_max(i, v, 0).sum(..), [x, v]), 0),
            value([1.0 / 3.0, 0.5, 1.0 / 3.0, 1.0 / 3.0, 0.5]),
        ),
        case(
            "scatter_max shares the slope among equal updates",
            [value([1.0, 4.0]), value([0i64, 0, 0]), value([3.0, 2.0, 3.0])],
            |graph, [x, i, v]| graph.concat(grad(x.scatter_max(i, v, 0).sum(..), [x, v]), 0),
            value([0.0, 1.0, 0.5, 0.0, 0.5]),
        ),
        case(
            "scatter_max gives NaN the slope",
            [value([1.0, NAN]), value([0i64, 0, 1]), value([NAN, 2.0, NAN])],
            |graph, [x, i, v]| graph.concat(grad(x.scatter_max(i, v, 0).sum(..), [x, v]), 0),
            value([0.0, 0.5, 1.0, 0.0, 0.5]),
        ),
        case(
            "scatter_max has no slope at what it does not choose",
            [value([0.0, 4.0]), value([0i64])],
            |graph, [x, i]| grad(graph.full([1], 5.0).scatter_max(i, x.sqrt().slice([..1]), 0).sum(..), x),
            value([0.0, 0.0]),
        ),
    ]
}

pub(super) fn max_along_axis() -> Vec<Case> {
    vec![
        case(
            "scatter_max_along_axis",
            [matrix(), value([[2i64, 2], [1, 0]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_max_along_axis(i, v, 1),
            value([[1.0, 2.0, 8.0], [10.0, 9.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_max_along_axis of i32s",
            [value([3, 5]), value([0i64, 0, -1]), value([2, 4, 6])],
            |_, [x, i, v]| x.scatter_max_along_axis(i, v, 0),
            value([4, 6]),
        ),
    ]
}

pub(super) fn nd_max() -> Vec<Case> {
    let square = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "scatter_nd_max",
            [square(), value([[0i64, 1], [-1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_max(i, v),
            value([[1.0, 9.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_max of rows",
            [square(), value([[1i64], [1]]), value([[7.0, 8.0], [0.5, 0.25]])],
            |_, [x, i, v]| x.scatter_nd_max(i, v),
            value([[1.0, 2.0], [7.0, 8.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_max of depth 0 meets the full array",
            [value([1.0, 2.0]), empty::<i64>(&[2, 0]), value([[3.0, 4.0], [5.0, 6.0]])],
            |_, [x, i, v]| x.scatter_nd_max(i, v),
            value([5.0, 6.0]),
        )
        .with_known_lengths()
        .smooth(),
    ]
}

pub(super) fn min() -> Vec<Case> {
    vec![
        case(
            "scatter_min",
            [value([1.0, 2.0, 3.0]), value([2i64, 0, 2]), value([2.5, 4.0, 0.5])],
            |_, [x, i, v]| x.scatter_min(i, v, 0),
            value([1.0, 2.0, 0.5]),
        )
        .smooth(),
        case(
            "scatter_min of columns",
            [matrix(), value([0i64, 0]), value([[0.5, 2.5], [4.5, 3.5]])],
            |_, [x, i, v]| x.scatter_min(i, v, 1),
            value([[0.5, 2.0, 3.0], [3.5, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_min of rows by a matrix of indices",
            [matrix(), value([[0i64, 1], [1, 1]]), value(2.5)],
            |_, [x, i, v]| x.scatter_min(i, v, 0),
            value([[1.0, 2.0, 2.5], [2.5, 2.5, 2.5]]),
        ),
        case(
            "scatter_min of an empty array",
            [value([1.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_min(i, 9, 0),
            value([1.0]),
        )
        .smooth(),
        case(
            "scatter_min lets NaN win",
            [value([1.0, NAN, 2.0]), value([0i64, 1, 0]), value([NAN, 5.0, -5.0])],
            |_, [x, i, v]| x.scatter_min(i, v, 0),
            value([NAN, NAN, 2.0]),
        ),
        case(
            "scatter_min of infinities",
            [value([INF, -INF]), value([0i64, 1]), value([-INF, INF])],
            |_, [x, i, v]| x.scatter_min(i, v, 0),
            value([-INF, -INF]),
        ),
        case(
            "scatter_min of i32s",
            [value([3, i32::MAX]), value([0i64, 1, 0]), value([4, 5, 1])],
            |_, [x, i, v]| x.scatter_min(i, v, 0),
            value([1, 5]),
        ),
        case(
            "scatter_min of u8s",
            [value([3u8, 200]), value([1i64, 0])],
            |_, [x, i]| x.scatter_min(i, 100, 0),
            value([3u8, 100]),
        ),
        case(
            "scatter_min shares the slope among duplicates and with the tensor",
            [value([3.0, 1.0]), value([0i64, 0, 1]), value([3.0, 3.0, 1.0])],
            |graph, [x, i, v]| graph.concat(grad(x.scatter_min(i, v, 0).sum(..), [x, v]), 0),
            value([1.0 / 3.0, 0.5, 1.0 / 3.0, 1.0 / 3.0, 0.5]),
        ),
        case(
            "scatter_min shares the slope among equal updates",
            [value([9.0, 4.0]), value([0i64, 0, 0]), value([3.0, 5.0, 3.0])],
            |graph, [x, i, v]| graph.concat(grad(x.scatter_min(i, v, 0).sum(..), [x, v]), 0),
            value([0.0, 1.0, 0.5, 0.0, 0.5]),
        ),
        case(
            "scatter_min gives NaN the slope",
            [value([1.0, NAN]), value([0i64, 0, 1]), value([NAN, 2.0, NAN])],
            |graph, [x, i, v]| graph.concat(grad(x.scatter_min(i, v, 0).sum(..), [x, v]), 0),
            value([0.0, 0.5, 1.0, 0.0, 0.5]),
        ),
        case(
            "scatter_min has no slope at what it does not choose",
            [value([0.0, 4.0]), value([0i64])],
            |graph, [x, i]| grad(graph.full([1], -5.0).scatter_min(i, x.sqrt().slice([..1]), 0).sum(..), x),
            value([0.0, 0.0]),
        ),
    ]
}

pub(super) fn min_along_axis() -> Vec<Case> {
    vec![
        case(
            "scatter_min_along_axis",
            [matrix(), value([[2i64, 2], [1, 0]]), value([[2.5, 0.5], [9.0, 1.0]])],
            |_, [x, i, v]| x.scatter_min_along_axis(i, v, 1),
            value([[1.0, 2.0, 0.5], [1.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_min_along_axis of i32s",
            [value([3, 5]), value([0i64, 0, -1]), value([2, 4, 6])],
            |_, [x, i, v]| x.scatter_min_along_axis(i, v, 0),
            value([2, 5]),
        ),
    ]
}

pub(super) fn nd_min() -> Vec<Case> {
    let square = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "scatter_nd_min",
            [square(), value([[0i64, 1], [-1, 0], [0, 1]]), value([7.0, 0.5, 1.5])],
            |_, [x, i, v]| x.scatter_nd_min(i, v),
            value([[1.0, 1.5], [0.5, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_min of rows",
            [square(), value([[1i64], [1]]), value([[7.0, 8.0], [0.5, 0.25]])],
            |_, [x, i, v]| x.scatter_nd_min(i, v),
            value([[1.0, 2.0], [0.5, 0.25]]),
        )
        .smooth(),
        case(
            "scatter_nd_min of depth 0 meets the full array",
            [value([1.0, 2.0]), empty::<i64>(&[2, 0]), value([[3.0, 4.0], [5.0, 6.0]])],
            |_, [x, i, v]| x.scatter_nd_min(i, v),
            value([1.0, 2.0]),
        )
        .with_known_lengths()
        .smooth(),
    ]
}

/// Means, and the updates alone reduced: PyTorch's `scatter_reduce` with `include_self` and without.
pub(super) fn reduced() -> Vec<Case> {
    vec![
        case(
            "scatter_mean",
            [value([1.0, 2.0, 3.0, 4.0]), value([1i64, 3, 1]), value([5.0, 7.0, 9.0])],
            |_, [x, i, v]| x.scatter_mean(i, v, 0),
            value([1.0, 16.0 / 3.0, 3.0, 5.5]),
        )
        .smooth(),
        case(
            "scatter_mean_along_axis",
            [matrix(), value([[2i64, 2], [0, 1]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_mean_along_axis(i, v, 1),
            value([[1.0, 2.0, 6.0], [6.5, 7.5, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_mean",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0i64, 1], [1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_mean(i, v),
            value([[1.0, 6.0], [5.5, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_mean of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_mean(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_set_sum",
            [value([1.0, 2.0, 3.0, 4.0]), value([1i64, 3, 1]), value([5.0, 7.0, 9.0])],
            |_, [x, i, v]| x.scatter_set_sum(i, v, 0),
            value([1.0, 14.0, 3.0, 7.0]),
        )
        .smooth(),
        case(
            "scatter_set_sum_along_axis",
            [matrix(), value([[2i64, 2], [0, 1]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_set_sum_along_axis(i, v, 1),
            value([[1.0, 2.0, 15.0], [9.0, 10.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_set_sum",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0i64, 1], [1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_set_sum(i, v),
            value([[1.0, 16.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_set_sum of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_set_sum(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_set_prod",
            [value([1.0, 2.0, 3.0, 4.0]), value([1i64, 3, 1]), value([5.0, 7.0, 9.0])],
            |_, [x, i, v]| x.scatter_set_prod(i, v, 0),
            value([1.0, 45.0, 3.0, 7.0]),
        )
        .smooth(),
        case(
            "scatter_set_prod_along_axis",
            [matrix(), value([[2i64, 2], [0, 1]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_set_prod_along_axis(i, v, 1),
            value([[1.0, 2.0, 56.0], [9.0, 10.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_set_prod",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0i64, 1], [1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_set_prod(i, v),
            value([[1.0, 63.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_set_prod of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_set_prod(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_set_mean",
            [value([1.0, 2.0, 3.0, 4.0]), value([1i64, 3, 1]), value([5.0, 7.0, 9.0])],
            |_, [x, i, v]| x.scatter_set_mean(i, v, 0),
            value([1.0, 7.0, 3.0, 7.0]),
        )
        .smooth(),
        case(
            "scatter_set_mean_along_axis",
            [matrix(), value([[2i64, 2], [0, 1]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_set_mean_along_axis(i, v, 1),
            value([[1.0, 2.0, 7.5], [9.0, 10.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_set_mean",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0i64, 1], [1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_set_mean(i, v),
            value([[1.0, 8.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_set_mean of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_set_mean(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_set_max",
            [value([1.0, 2.0, 3.0, 4.0]), value([1i64, 3, 1]), value([5.0, 7.0, 9.0])],
            |_, [x, i, v]| x.scatter_set_max(i, v, 0),
            value([1.0, 9.0, 3.0, 7.0]),
        )
        .smooth(),
        case(
            "scatter_set_max_along_axis",
            [matrix(), value([[2i64, 2], [0, 1]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_set_max_along_axis(i, v, 1),
            value([[1.0, 2.0, 8.0], [9.0, 10.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_set_max",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0i64, 1], [1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_set_max(i, v),
            value([[1.0, 9.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_set_max of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_set_max(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_set_min",
            [value([1.0, 2.0, 3.0, 4.0]), value([1i64, 3, 1]), value([5.0, 7.0, 9.0])],
            |_, [x, i, v]| x.scatter_set_min(i, v, 0),
            value([1.0, 5.0, 3.0, 7.0]),
        )
        .smooth(),
        case(
            "scatter_set_min_along_axis",
            [matrix(), value([[2i64, 2], [0, 1]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_set_min_along_axis(i, v, 1),
            value([[1.0, 2.0, 7.0], [9.0, 10.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_set_min",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0i64, 1], [1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_set_min(i, v),
            value([[1.0, 7.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_set_min of an empty array",
            [value([3.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_set_min(i, 9, 0),
            value([3.0]),
        )
        .smooth(),
        case(
            "scatter_set_mean of columns",
            [matrix(), value([0i64, 0]), value([[2.0, 3.0], [4.0, 5.0]])],
            |_, [x, i, v]| x.scatter_set_mean(i, v, 1),
            value([[2.5, 2.0, 3.0], [4.5, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_mean of rows by a matrix of indices",
            [matrix(), value([[0i64, 1], [1, 1]]), value(7.0)],
            |_, [x, i, v]| x.scatter_mean(i, v, 0),
            value([[4.0, 4.5, 5.0], [6.25, 6.5, 6.75]]),
        )
        .smooth(),
        case(
            "scatter_nd_set_mean of rows",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[1i64], [1]]), value([[7.0, 8.0], [0.5, 0.25]])],
            |_, [x, i, v]| x.scatter_nd_set_mean(i, v),
            value([[1.0, 2.0], [3.75, 4.125]]),
        )
        .smooth(),
        case(
            "scatter_set_prod of two zeros",
            [value([2.0, 3.0]), value([0i64, 0, 1, 0]), value([0.0, 0.0, 7.0, 5.0])],
            |_, [x, i, v]| x.scatter_set_prod(i, v, 0),
            value([0.0, 7.0]),
        )
        .smooth(),
        case(
            "scatter_set_sum of u8s wraps",
            [value([1u8, 2]), value([0i64, 0]), value([200u8, 100])],
            |_, [x, i, v]| x.scatter_set_sum(i, v, 0),
            value([44u8, 2]),
        ),
        case(
            "scatter_set_sum of bools",
            [value([true, true, false]), value([0i64, 0, 2, 2]), value([false, false, false, true])],
            |_, [x, i, v]| x.scatter_set_sum(i, v, 0),
            value([false, true, true]),
        ),
        case(
            "scatter_set_prod of bools",
            [value([false, true]), value([0i64, 0, 1, 1]), value([true, true, false, true])],
            |_, [x, i, v]| x.scatter_set_prod(i, v, 0),
            value([true, false]),
        ),
        case(
            "scatter_set_max of i32s",
            [value([9, 8]), value([0i64, 0]), value([-7, i32::MIN])],
            |_, [x, i, v]| x.scatter_set_max(i, v, 0),
            value([-7, 8]),
        ),
        case(
            "scatter_set_min of NaN",
            [value([NAN, NAN]), value([0i64, 0]), value([INF, 3.0])],
            |_, [x, i, v]| x.scatter_set_min(i, v, 0),
            value([3.0, NAN]),
        ),
        case(
            "scatter_set_sum keeps the sign of a single zero",
            [value([1.0]), value([0i64]), value([-0.0])],
            |_, [x, i, v]| x.scatter_set_sum(i, v, 0).recip(),
            value([-INF]),
        ),
        case(
            "scatter_set_mean leaves no slope at what it writes to",
            [value([0.0, 4.0]), value([0i64])],
            |_, [x, i]| grad(x.sqrt().scatter_set_mean(i, 3.0, 0).sum(..), x),
            value([0.0, 0.25]),
        ),
        case(
            "scatter_set_max shares its slope over ties",
            [value([5.0, 5.0, 1.0]), value([0i64, 0, 0])],
            |_, [v, i]| grad(v.slice_axis(..1, 0).stop_gradient().scatter_set_max(i, v, 0).sum(..), v),
            value([0.5, 0.5, 0.0]),
        ),
    ]
}
