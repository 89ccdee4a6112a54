//! Builders that are composed of primitives of several families: selections,
//! segments, products of tensors, whole matrices of derivatives.

use tamis::prelude::*;
use tamis::{DType, hessian, jacobian};

use crate::array::{empty, value};
use crate::case::{Case, case};

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

pub(crate) fn composed() -> Vec<Case> {
    [compress(), partition(), flatnonzero(), masked_scatter(), segments(), segment_min_max(), one_hot()]
        .into_iter()
        .chain([
            dot(),
            outer(),
            einsum(),
            jacobians(),
            hessians(),
            masked_scans(),
            masked_sorts(),
            masked_products(),
            triangles(),
            cross_entropy(),
            cross_entropy_ignoring(),
            cross_entropy_of_classes(),
            lists(),
            of_rank_0(),
        ])
        .flatten()
        .collect()
}

fn matrix() -> tamis::Value {
    value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

fn compress() -> Vec<Case> {
    vec![
        case(
            "compress of columns",
            [matrix(), value([T, F, T])],
            |_, [x, m]| x.compress(m, 1),
            value([[1.0, 3.0], [4.0, 6.0]]),
        )
        .smooth(),
        case(
            "compress of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.compress(m, -2),
            value([[4.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "compress to an empty array",
            [matrix(), value([F, F])],
            |_, [x, m]| x.compress(m, 0),
            empty::<f64>(&[0, 3]),
        )
        .smooth(),
        case("compress of u8s", [value([7u8, 8]), value([F, T])], |_, [x, m]| x.compress(m, 0), value([8u8])),
    ]
}

fn partition() -> Vec<Case> {
    vec![
        case(
            "partition",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |graph, [x, m]| {
                let (kept, rest) = x.partition(m);
                graph.concat([rest.square(), kept], 0)
            },
            value([1.0, 3.0, 2.0]),
        )
        .smooth(),
        case(
            "partition of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.partition(m).1,
            value([[1.0, 2.0, 3.0]]),
        )
        .smooth(),
        case(
            "partition of elements",
            [matrix(), value([[T, F, F], [F, F, T]])],
            |_, [x, m]| x.partition(m).1,
            value([2.0, 3.0, 4.0, 5.0]),
        )
        .smooth(),
        case(
            "partition has no slope at the other side",
            [value([0.0, 4.0]), value([F, T])],
            |_, [x, m]| grad(x.sqrt().partition(m).0.sum(..), x),
            value([0.0, 0.25]),
        ),
    ]
}

fn flatnonzero() -> Vec<Case> {
    vec![
        case("flatnonzero", [value([[F, T], [T, T]])], |_, [m]| m.flatnonzero(), value([1i64, 2, 3])),
        case(
            "flatnonzero of numbers",
            [value([0.0, NAN, -0.0, 2.0])],
            |_, [x]| x.flatnonzero(),
            value([1i64, 3]),
        ),
        case("flatnonzero of none", [value([F, F])], |_, [m]| m.flatnonzero(), empty::<i64>(&[0])),
        case(
            "flatnonzero of an empty array",
            [empty::<bool>(&[0, 2])],
            |_, [m]| m.flatnonzero(),
            empty::<i64>(&[0]),
        ),
        case("flatnonzero of rank 0", [value(T)], |_, [m]| m.flatnonzero(), value([0i64])),
    ]
}

fn masked_scatter() -> Vec<Case> {
    vec![
        case(
            "masked_scatter",
            [value([1.0, 2.0, 3.0]), value([T, F, T]), value([7.0, 8.0])],
            |_, [x, m, s]| x.masked_scatter(m, s).square(),
            value([49.0, 4.0, 64.0]),
        )
        .smooth(),
        case(
            "masked_scatter leaves what is too much",
            [value([1.0, 2.0, 3.0]), value([T, F, T]), value([[7.0, 8.0], [9.0, 10.0]])],
            |graph, [x, m, s]| {
                graph.concat(
                    [x.masked_scatter(m, s), grad(x.masked_scatter(m, s).square().sum(..), s).flatten()],
                    0,
                )
            },
            value([7.0, 2.0, 8.0, 14.0, 16.0, 0.0, 0.0]),
        ),
        case(
            "masked_scatter of rows",
            [matrix(), value([F, T]), value([7.0, 8.0, 9.0, 10.0])],
            |_, [x, m, s]| x.masked_scatter(m, s),
            value([[1.0, 2.0, 3.0], [7.0, 8.0, 9.0]]),
        )
        .with_known_lengths(),
        case(
            "masked_scatter of elements",
            [matrix(), value([[F, T, F], [T, F, T]]), value([7.0, 8.0, 9.0])],
            |_, [x, m, s]| x.masked_scatter(m, s),
            value([[1.0, 7.0, 3.0], [8.0, 5.0, 9.0]]),
        ),
        case(
            "masked_scatter of none",
            [value([1.0, 2.0]), value([F, F]), empty::<f64>(&[0])],
            |_, [x, m, s]| x.masked_scatter(m, s),
            value([1.0, 2.0]),
        ),
        case(
            "masked_scatter of i32s into f64s",
            [value([1.0]), value([T]), value([7])],
            |_, [x, m, s]| x.masked_scatter(m, s),
            value([7.0]),
        ),
        case(
            "masked_scatter has no slope at what it covers or leaves",
            [value([0.0, 4.0]), value([T, F]), value([1.0, 0.0])],
            |graph, [x, m, s]| graph.stack(grad(x.sqrt().masked_scatter(m, s.sqrt()).sum(..), [x, s]), 0),
            value([[0.0, 0.25], [0.5, 0.0]]),
        ),
    ]
}

fn segments() -> Vec<Case> {
    let ids = || value([2i64, 0, 2]);
    let rows = || value([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]);
    vec![
        case(
            "segment_sum",
            [value([1.0, 2.0, 4.0]), ids()],
            |_, [x, i]| x.segment_sum(i, 4),
            value([2.0, 0.0, 5.0, 0.0]),
        )
        .smooth(),
        case(
            "segment_sum of rows",
            [rows(), ids()],
            |_, [x, i]| x.segment_sum(i, 3).square(),
            value([[9.0, 16.0], [0.0, 0.0], [36.0, 81.0]]),
        )
        .smooth(),
        case(
            "segment_sum of u8s is in i64",
            [value([200u8, 100]), value([0, -1])],
            |_, [x, i]| x.segment_sum(i, 1),
            value([300i64]),
        ),
        case(
            "segment_sum of bools is in i64",
            [value([T, T, F]), ids()],
            |_, [x, i]| x.segment_sum(i, 3),
            value([1i64, 0, 1]),
        ),
        case(
            "segment_sum of an empty array",
            [empty::<f64>(&[0, 2]), empty::<i64>(&[0])],
            |_, [x, i]| x.segment_sum(i, 2),
            value([[0.0, 0.0], [0.0, 0.0]]),
        )
        .smooth(),
        case(
            "segment_sum to an empty array",
            [empty::<f64>(&[0]), empty::<i64>(&[0])],
            |_, [x, i]| x.segment_sum(i, 0),
            empty::<f64>(&[0]),
        ),
        case(
            "segment_sum to the length of another",
            [value([1.0, 2.0, 4.0]), ids(), value([0.0, 0.0, 0.0, 0.0])],
            |_, [x, i, y]| x.segment_sum(i, y.dim(0)) + y,
            value([2.0, 0.0, 5.0, 0.0]),
        )
        .smooth(),
        case(
            "segment_mean",
            [value([1.0, 2.0, 4.0]), ids()],
            |_, [x, i]| x.segment_mean(i, 3),
            value([2.0, NAN, 2.5]),
        ),
        case(
            "segment_mean of rows",
            [rows(), value([1i64, 0, 1])],
            |_, [x, i]| x.segment_mean(i, 2),
            value([[3.0, 4.0], [3.0, 4.5]]),
        )
        .smooth(),
        case(
            "segment_mean of i32s is in f64",
            [value([1, 2]), value([0i64, 0])],
            |_, [x, i]| x.segment_mean(i, 1),
            value([1.5]),
        ),
        case(
            "segment_mean of u8s is in f32",
            [value([1u8, 2]), value([0i64, 0])],
            |_, [x, i]| x.segment_mean(i, 1),
            value([1.5f32]),
        ),
        case(
            "the slope of segment_mean",
            [value([1.0, 2.0, 4.0]), ids()],
            |_, [x, i]| grad(x.segment_mean(i, 3).gather(i, 0).sum(..), x),
            value([1.0, 1.0, 1.0]),
        ),
    ]
}

fn segment_min_max() -> Vec<Case> {
    let ids = || value([2i64, 0, 2]);
    vec![
        case(
            "segment_max",
            [value([1.0, 2.0, 4.0]), ids()],
            |_, [x, i]| x.segment_max(i, 3),
            value([2.0, -INF, 4.0]),
        ),
        case(
            "segment_min",
            [value([1.0, 2.0, 4.0]), ids()],
            |_, [x, i]| x.segment_min(i, 3),
            value([2.0, INF, 1.0]),
        ),
        case(
            "segment_max of rows",
            [value([[1.0, 8.0], [3.0, 4.0], [5.0, 7.0]]), value([1i64, 0, 1])],
            |_, [x, i]| x.segment_max(i, 2),
            value([[3.0, 4.0], [5.0, 8.0]]),
        )
        .smooth(),
        case(
            "segment_min of rows",
            [value([[1.0, 8.0], [3.0, 4.0], [5.0, 7.0]]), value([1i64, 0, 1])],
            |_, [x, i]| x.segment_min(i, 2),
            value([[3.0, 4.0], [1.0, 7.0]]),
        )
        .smooth(),
        case(
            "segment_max of i32s",
            [value([5, 7]), value([0i64, 0])],
            |_, [x, i]| x.segment_max(i, 2),
            value([7, i32::MIN]),
        ),
        case(
            "segment_min of u8s",
            [value([5u8, 7]), value([0i64, 0])],
            |_, [x, i]| x.segment_min(i, 2),
            value([5u8, 255]),
        ),
        case(
            "segment_max gives on NaN",
            [value([1.0, NAN]), value([0i64, 0])],
            |_, [x, i]| x.segment_max(i, 1),
            value([NAN]),
        ),
        case(
            "segment_max shares the slope among ties",
            [value([3.0, 3.0, 1.0, 2.0]), value([0i64, 0, 0, 1])],
            |_, [x, i]| grad(x.segment_max(i, 2).sum(..), x),
            value([0.5, 0.5, 0.0, 1.0]),
        ),
        case(
            "segment_min shares the slope among ties",
            [value([3.0, 3.0, 9.0, 2.0]), value([0i64, 0, 0, 1])],
            |_, [x, i]| grad(x.segment_min(i, 2).sum(..), x),
            value([0.5, 0.5, 0.0, 1.0]),
        ),
    ]
}

fn one_hot() -> Vec<Case> {
    vec![
        case(
            "one_hot",
            [value([1i64, 0])],
            |_, [i]| i.one_hot(3, DType::F64),
            value([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]),
        )
        .with_fixed_dtypes(),
        case(
            "one_hot of negative indices",
            [value([-1, -3])],
            |_, [i]| i.one_hot(3, DType::I32),
            value([[0, 0, 1], [1, 0, 0]]),
        ),
        case("one_hot of rank 0", [value(1i64)], |_, [i]| i.one_hot(2, DType::U8), value([0u8, 1])),
        case(
            "one_hot of a matrix",
            [value([[0i64], [1]])],
            |_, [i]| i.one_hot(2, DType::Bool),
            value([[[T, F]], [[F, T]]]),
        ),
        case(
            "one_hot of an empty array",
            [empty::<i64>(&[0])],
            |_, [i]| i.one_hot(2, DType::I64),
            empty::<i64>(&[0, 2]),
        ),
        case(
            "one_hot as long as another",
            [value([1i64]), value([0.5, 0.25])],
            |_, [i, x]| i.one_hot(x.dim(0), DType::F64).matmul(x.cast(DType::F64)),
            value([0.25]),
        )
        .with_fixed_dtypes(),
    ]
}

fn dot() -> Vec<Case> {
    let batch = || value([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
    vec![
        case("dot of vectors", [value([1.0, 2.0]), value([3.0, 4.0])], |_, [a, b]| a.dot(b), value(11.0))
            .smooth(),
        case(
            "dot of matrices",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[1.0, 0.0], [2.0, 1.0]])],
            |_, [a, b]| a.dot(b),
            value([[5.0, 2.0], [11.0, 4.0]]),
        )
        .smooth(),
        case(
            "dot of a matrix and a vector",
            [matrix(), value([1.0, 0.0, 2.0])],
            |_, [a, b]| a.dot(b),
            value([7.0, 16.0]),
        )
        .smooth(),
        case(
            "dot with a scalar",
            [matrix(), value(2.0)],
            |_, [a, b]| a.dot(b),
            value([[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]),
        )
        .smooth(),
        case(
            "dot of a vector and a batch",
            [value([1.0, 10.0]), batch()],
            |_, [a, b]| a.dot(b),
            value([[31.0, 42.0], [75.0, 86.0]]),
        )
        .smooth(),
        case(
            "dot of a matrix and a batch",
            [value([[1.0, 10.0], [1.0, 0.0]]), batch()],
            |_, [a, b]| a.dot(b),
            value([[[31.0, 42.0], [75.0, 86.0]], [[1.0, 2.0], [5.0, 6.0]]]),
        )
        .smooth(),
        case("dot of i32s", [value([1, 2]), value([3, 4])], |_, [a, b]| a.dot(b), value(11)),
        case(
            "dot of an empty array",
            [empty::<f64>(&[0]), empty::<f64>(&[0])],
            |_, [a, b]| a.dot(b),
            value(0.0),
        )
        .smooth(),
    ]
}

fn outer() -> Vec<Case> {
    vec![
        case(
            "outer",
            [value([1.0, 2.0]), value([3.0, 4.0, 5.0])],
            |_, [a, b]| a.outer(b),
            value([[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]]),
        )
        .smooth(),
        case(
            "outer flattens",
            [value([[1], [2]]), value([[3, 4]])],
            |_, [a, b]| a.outer(b),
            value([[3, 4], [6, 8]]),
        ),
        case("outer of rank 0", [value(2.0), value([3.0])], |_, [a, b]| a.outer(b), value([[6.0]])).smooth(),
        case(
            "outer of an empty array",
            [empty::<f64>(&[0]), value([3.0])],
            |_, [a, b]| a.outer(b),
            empty::<f64>(&[0, 1]),
        )
        .smooth(),
    ]
}

fn einsum() -> Vec<Case> {
    let square = || value([[1.0, 2.0], [3.0, 4.0]]);
    let batch = || value([[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [1.0, 0.0]]]);
    let two = |name: &'static str, formula: &'static str, a, b, expected| {
        case(name, [a, b], move |graph, [a, b]| graph.einsum(formula, [a, b]), expected)
    };
    let one = |name: &'static str, formula: &'static str, x, expected| {
        case(name, [x], move |graph, [x]| graph.einsum(formula, [x]), expected)
    };
    vec![
        two(
            "einsum of matrices",
            "ij,jk->ik",
            matrix(),
            value([[1.0], [0.0], [2.0]]),
            value([[7.0], [16.0]]),
        )
        .smooth(),
        two("einsum without a result", "ij,jk", square(), square(), value([[7.0, 10.0], [15.0, 22.0]]))
            .smooth(),
        two(
            "einsum of batches",
            "bij,bjk->bik",
            batch(),
            batch(),
            value([[[7.0, 10.0], [15.0, 22.0]], [[1.0, 0.0], [0.0, 1.0]]]),
        )
        .smooth(),
        two(
            "einsum to a permuted result",
            "ij,jk->ki",
            square(),
            square(),
            value([[7.0, 15.0], [10.0, 22.0]]),
        )
        .smooth(),
        two("einsum with the transpose", "ij,kj->ik", square(), square(), value([[5.0, 11.0], [11.0, 25.0]]))
            .smooth(),
        two("einsum of vectors", "i,i->", value([1.0, 2.0]), value([3.0, 4.0]), value(11.0)).smooth(),
        two(
            "einsum of an outer product",
            "i,j->ij",
            value([1.0, 2.0]),
            value([3.0, 4.0]),
            value([[3.0, 4.0], [6.0, 8.0]]),
        )
        .smooth(),
        two("einsum of all elements", "ij,ij->", square(), square(), value(30.0)).smooth(),
        two("einsum of each element", "ij,ij->ij", square(), square(), value([[1.0, 4.0], [9.0, 16.0]]))
            .smooth(),
        two(
            "einsum of an element and its transpose",
            "ij,ji->ij",
            square(),
            square(),
            value([[1.0, 6.0], [6.0, 16.0]]),
        )
        .smooth(),
        two(
            "einsum sums what one side alone has",
            "ij,k->i",
            square(),
            value([1.0, 10.0]),
            value([33.0, 77.0]),
        )
        .smooth(),
        two(
            "einsum scales rows",
            "i,ij->ij",
            value([10.0, 100.0]),
            square(),
            value([[10.0, 20.0], [300.0, 400.0]]),
        )
        .smooth(),
        two("einsum with rank 0", ",ij->ji", value(2.0), square(), value([[2.0, 6.0], [4.0, 8.0]])).smooth(),
        two("einsum with spaces", " i j , j -> i ", square(), value([1.0, 10.0]), value([21.0, 43.0]))
            .smooth(),
        two("einsum of i32s", "i,i->", value([1, 2]), value([3, 4]), value(11)),
        two("einsum promotes", "i,i->", value([1, 2]), value([0.5, 4.0]), value(8.5)),
        two(
            "einsum of an empty array",
            "ij,jk->ik",
            empty::<f64>(&[2, 0]),
            empty::<f64>(&[0, 3]),
            value([[0.0; 3]; 2]),
        )
        .smooth(),
        one("einsum sums rows", "ij->j", square(), value([4.0, 6.0])).smooth(),
        one("einsum sums all", "ij->", square(), value(10.0)).smooth(),
        one("einsum transposes", "ij->ji", square(), value([[1.0, 3.0], [2.0, 4.0]])).smooth(),
        one("einsum in alphabetical order", "ba", square(), value([[1.0, 3.0], [2.0, 4.0]])).smooth(),
        one(
            "einsum permutes",
            "bij->jbi",
            batch(),
            value([[[1.0, 3.0], [0.0, 1.0]], [[2.0, 4.0], [1.0, 0.0]]]),
        )
        .smooth(),
        one("einsum as it is", "ij->ij", square(), square()).smooth(),
    ]
}

fn jacobians() -> Vec<Case> {
    vec![
        case(
            "jacobian",
            [value([1.0, 3.0])],
            |graph, [x]| jacobian(graph.stack([x.prod(..), x.sum(..), x.square().sum(..)], 0), x),
            value([[3.0, 1.0], [1.0, 1.0], [2.0, 6.0]]),
        )
        .smooth(),
        case(
            "jacobian of a scalar is the gradient",
            [value([1.0, 3.0])],
            |_, [x]| jacobian(x.prod(..), x),
            value([3.0, 1.0]),
        )
        .smooth(),
        case(
            "jacobian of a matrix by a vector",
            [value([2.0, 5.0])],
            |_, [x]| jacobian(x.outer(x), x),
            value([[[4.0, 0.0], [5.0, 2.0]], [[5.0, 2.0], [0.0, 10.0]]]),
        )
        .with_known_lengths(),
        case(
            "jacobian by a scalar",
            [value(3.0)],
            |graph, [x]| jacobian(graph.stack([x, x.square()], 0), x),
            value([1.0, 6.0]),
        )
        .smooth(),
        case(
            "jacobian of an empty array",
            [value([1.0, 3.0])],
            |_, [x]| jacobian(x.slice([2..]), x),
            empty::<f64>(&[0, 2]),
        )
        .with_known_lengths(),
        case(
            "jacobian of what does not depend on it",
            [value([1.0, 3.0])],
            |graph, [x]| jacobian(graph.constant([1.0, 2.0]), x),
            value([[0.0, 0.0], [0.0, 0.0]]),
        )
        .unshared(),
        case(
            "jacobian under a mask",
            [value([0.0, 4.0]), value([F, T])],
            |_, [x, m]| jacobian(where_(m, x.sqrt(), 0.0), x),
            value([[0.0, 0.0], [0.0, 0.25]]),
        )
        .with_known_lengths(),
    ]
}

fn hessians() -> Vec<Case> {
    vec![
        case(
            "hessian",
            [value([2.0, 3.0])],
            |_, [x]| hessian(x.prod(..) + x.square().sum(..), x),
            value([[2.0, 1.0], [1.0, 2.0]]),
        )
        .with_known_lengths(),
        case("hessian by a scalar", [value(2.0)], |_, [x]| hessian(x.pow(3), x), value(12.0)).smooth(),
        case(
            "hessian by a matrix",
            [value([[2.0, 3.0]])],
            |_, [x]| hessian(x.square().sum(..) * 0.5, x),
            value([[[[1.0, 0.0]], [[0.0, 1.0]]]]),
        )
        .with_known_lengths(),
        case(
            "hessian of a linear loss",
            [value([2.0, 3.0])],
            |_, [x]| hessian(x.sum(..), x),
            value([[0.0; 2]; 2]),
        )
        .with_known_lengths(),
        case(
            "hessian by an empty array",
            [empty::<f64>(&[0])],
            |_, [x]| hessian(x.square().sum(..), x),
            empty::<f64>(&[0, 0]),
        )
        .with_known_lengths(),
    ]
}

fn masked_scans() -> Vec<Case> {
    let x = || value([[2.0, -1.0, 3.0], [4.0, 5.0, 0.5]]);
    let m = || value([[T, F, T], [F, T, T]]);
    vec![
        case(
            "masked cumsum",
            [x(), m()],
            |_, [x, m]| x.masked(m).cumsum(1),
            value([[2.0, 2.0, 5.0], [0.0, 5.0, 5.5]]),
        )
        .smooth(),
        case(
            "masked cumprod",
            [x(), m()],
            |_, [x, m]| x.masked(m).cumprod(1),
            value([[2.0, 2.0, 6.0], [1.0, 5.0, 2.5]]),
        )
        .smooth(),
        case(
            "masked cumsum of NaN that is not selected",
            [value([1.0, NAN, 3.0]), value([T, F, T])],
            |_, [x, m]| x.masked(m).cumsum(0),
            value([1.0, 1.0, 4.0]),
        ),
        case(
            "masked cumsum of i32s, none selected",
            [value([1, 2]), value([F, F])],
            |_, [x, m]| x.masked(m).cumsum(0),
            value([0_i64, 0]),
        ),
    ]
}

fn masked_sorts() -> Vec<Case> {
    let x = || value([[3.0, 9.0, 1.0], [2.0, 7.0, 5.0]]);
    let m = || value([[T, F, T], [F, T, T]]);
    vec![
        case(
            "masked sort",
            [x(), m()],
            |_, [x, m]| x.masked(m).sort(1),
            value([[1.0, 3.0, 0.0], [5.0, 7.0, 0.0]]),
        )
        .smooth(),
        case(
            "masked sort, descending, with a value for what is left",
            [x(), m()],
            |_, [x, m]| x.masked(m).if_empty(-1.0).sort(tamis::descending(1)),
            value([[3.0, 1.0, -1.0], [7.0, 5.0, -1.0]]),
        )
        .smooth(),
        case(
            "masked argsort, NaN selected and not",
            [value([NAN, 2.0, NAN, 1.0]), value([T, T, F, T])],
            |_, [x, m]| x.masked(m).argsort(0),
            value([3_i64, 1, 0, 2]),
        ),
        case(
            "masked sort of an empty array",
            [value([3, 1]), value([F, F])],
            |_, [x, m]| x.masked(m).sort(0),
            value([0, 0]),
        ),
    ]
}

fn masked_products() -> Vec<Case> {
    vec![
        case(
            "masked matmul",
            [matrix(), value([[T, F, T], [F, F, F]]), value([[1.0], [NAN], [10.0]])],
            |_, [x, m, y]| x.masked(m).matmul(y),
            value([[31.0], [0.0]]),
        ),
        case(
            "masked matmul of a vector by a matrix",
            [value([1.0, 2.0]), value([F, T]), value([[1.0, 2.0], [3.0, 4.0]])],
            |_, [x, m, y]| x.masked(m).matmul(y),
            value([6.0, 8.0]),
        )
        .smooth(),
        case(
            "masked matmul, the mask shared by a batch",
            [value([[[1.0, 2.0]], [[3.0, 4.0]]]), value([[[T, F]]]), value([[1.0], [2.0]])],
            |_, [x, m, y]| x.masked(m).matmul(y),
            value([[[1.0]], [[3.0]]]),
        )
        .smooth(),
    ]
}

/// The lower and the upper triangles, as `np.tril` and `torch.triu` give them.
fn triangles() -> Vec<Case> {
    let wide = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let batch = || value([[[1, 2], [3, 4]], [[5, 6], [7, 8]]]);
    vec![
        case("tril", [wide()], |_, [x]| x.tril(0).square(), value([[1.0, 0.0, 0.0], [16.0, 25.0, 0.0]]))
            .smooth(),
        case("tril 1", [wide()], |_, [x]| x.tril(1), value([[1.0, 2.0, 0.0], [4.0, 5.0, 6.0]])).smooth(),
        case("tril -1", [wide()], |_, [x]| x.tril(-1), value([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]])).smooth(),
        case("triu", [wide()], |_, [x]| x.triu(0).square(), value([[1.0, 4.0, 9.0], [0.0, 25.0, 36.0]]))
            .smooth(),
        case("triu 2", [wide()], |_, [x]| x.triu(2), value([[0.0, 0.0, 3.0], [0.0, 0.0, 0.0]])).smooth(),
        case(
            "triu -1 of a tall matrix",
            [value([[1, 2], [3, 4], [5, 6]])],
            |_, [x]| x.triu(-1),
            value([[1, 2], [3, 4], [0, 6]]),
        ),
        case(
            "tril of a batch of square matrices",
            [batch()],
            |_, [x]| x.tril(0),
            value([[[1, 0], [3, 4]], [[5, 0], [7, 8]]]),
        ),
        case("triu past the last diagonal", [wide()], |_, [x]| x.triu(i64::MAX), value([[0.0; 3]; 2])),
        case("tril past the last diagonal", [wide()], |_, [x]| x.tril(i64::MAX), wide()).smooth(),
        case("tril before the first diagonal", [wide()], |_, [x]| x.tril(i64::MIN), value([[0.0; 3]; 2])),
        case("triu before the first diagonal", [wide()], |_, [x]| x.triu(i64::MIN), wide()).smooth(),
        case("tril of bools", [value([[T, T], [T, T]])], |_, [x]| x.tril(0), value([[T, F], [T, T]])),
        case("triu of u8s", [value([[1u8, 2], [3, 4]])], |_, [x]| x.triu(1), value([[0u8, 2], [0, 0]])),
        case("tril of an empty array", [empty::<f64>(&[2, 0])], |_, [x]| x.tril(0), empty::<f64>(&[2, 0]))
            .smooth(),
        case(
            "tril drops NaN and infinities off",
            [value([[1.0, NAN], [2.0, 3.0]]), value([[INF, NAN], [1.0, 1.0]])],
            |_, [x, y]| x.tril(0) + y.tril(-1),
            value([[1.0, 0.0], [3.0, 3.0]]),
        ),
        case(
            "tril has no slope at what it drops off",
            [value([[4.0, 0.0, NAN], [1.0, 4.0, -1.0]])],
            |_, [x]| grad(x.sqrt().tril(0).sum(..), x),
            value([[0.25, 0.0, 0.0], [0.5, 0.25, 0.0]]),
        ),
        case(
            "triu has no curvature at what it drops off",
            [value([[1.0, 4.0], [0.0, NAN]])],
            |_, [x]| grad(grad(x.sqrt().triu(1).sum(..), x).sum(..), x),
            value([[0.0, -1.0 / 32.0], [0.0, 0.0]]),
        ),
    ]
}

/// `ln(e + e² + e³) − 3` and so on: what `F.cross_entropy(reduction="none")` gives.
const OF_ONE_TWO_THREE: [f64; 3] = [2.4076059644443806, 1.4076059644443801, 0.4076059644443803];
const LN_2: f64 = std::f64::consts::LN_2;
const LN_3: f64 = 1.0986122886681098;

fn cross_entropy() -> Vec<Case> {
    let logits = || value([[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]);
    vec![
        case(
            "cross_entropy",
            [logits(), value([2, 0])],
            |_, [x, labels]| x.cross_entropy(labels, 1),
            value([OF_ONE_TWO_THREE[2], LN_3]),
        )
        .within(16.0)
        .smooth()
        .unshared(),
        case(
            "cross_entropy of every label",
            [value([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]), value([0i64, 1, 2])],
            |_, [x, labels]| x.cross_entropy(labels, -1),
            value(OF_ONE_TWO_THREE),
        )
        .within(16.0)
        .unshared(),
        case(
            "cross_entropy along the first axis, with u8 labels",
            [value([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]), value([1u8, 2])],
            |_, [x, labels]| x.cross_entropy(labels, 0),
            value([OF_ONE_TWO_THREE[1], LN_3]),
        )
        .within(16.0)
        .smooth()
        .unshared(),
        case(
            "cross_entropy of pixels, the classes in the middle",
            [value([[[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]]]), value([[2i64, 0]])],
            |_, [x, labels]| x.cross_entropy(labels, 1),
            value([[LN_3, OF_ONE_TWO_THREE[0]]]),
        )
        .within(16.0)
        .smooth()
        .unshared(),
        case(
            "cross_entropy of one row",
            [value([0.0, 0.0]), value(1)],
            |_, [x, label]| x.cross_entropy(label, 0),
            value(LN_2),
        )
        .smooth()
        .unshared(),
        case(
            "cross_entropy of large logits",
            [value([[1000.0, 1000.0], [-1000.0, 1000.0], [1e300, -1e300]]), value([0, 0, 0])],
            |_, [x, labels]| x.cross_entropy(labels, 1),
            value([LN_2, 2000.0, 0.0]),
        )
        .with_fixed_dtypes()
        .unshared(),
        case(
            "cross_entropy of a class that is impossible",
            [value([[0.0, -INF], [NAN, 0.0]]), value([1, 1])],
            |_, [x, labels]| x.cross_entropy(labels, 1),
            value([INF, NAN]),
        )
        .unshared(),
        case(
            "cross_entropy of i32 logits is in f64",
            [value([[5, 5]]), value([0])],
            |_, [x, labels]| x.cross_entropy(labels, 1),
            value([LN_2]),
        )
        .unshared(),
        case(
            "cross_entropy of no rows",
            [empty::<f64>(&[0, 3]), empty::<i64>(&[0])],
            |_, [x, labels]| x.cross_entropy(labels, 1),
            empty::<f64>(&[0]),
        )
        .unshared(),
        case(
            "the slope of cross_entropy is the share less 1 at the label",
            [value([[0.0, 0.0], [1000.0, 0.0]]), value([1, 0])],
            |_, [x, labels]| grad(x.cross_entropy(labels, 1).sum(..), x),
            value([[0.5, -0.5], [0.0, 0.0]]),
        )
        .unshared(),
    ]
}

fn cross_entropy_ignoring() -> Vec<Case> {
    // PyTorch: F.cross_entropy(x, [2, -100, 0, 7 → ignored], reduction="none").
    let logits = || value([[1.0, 2.0, 3.0], [NAN, INF, 0.0], [1.0, 1.0, 1.0], [0.0, -INF, NAN]]);
    let tame = || value([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0], [1.0, 1.0, 1.0], [0.0, 3.0, 1.5]]);
    let labels = || value([2i64, -100, 0, 7]);
    let kept = || value([T, F, T, F]);
    vec![
        case(
            "cross_entropy ignores labels out of range and logits of NaN",
            [logits(), labels(), kept()],
            |_, [x, labels, kept]| x.cross_entropy(labels.masked(kept), 1),
            value([OF_ONE_TWO_THREE[2], 0.0, LN_3, 0.0]),
        )
        .within(16.0)
        .unshared(),
        case(
            "cross_entropy with ignored labels is smooth",
            [tame(), labels(), kept()],
            |_, [x, labels, kept]| x.cross_entropy(labels.masked(kept), 1),
            value([OF_ONE_TWO_THREE[2], 0.0, LN_3, 0.0]),
        )
        .within(16.0)
        .smooth()
        .unshared(),
        case(
            "the mean cross_entropy of the labels that are kept",
            [logits(), labels(), kept()],
            |_, [x, labels, kept]| x.cross_entropy(labels.masked(kept), 1).masked(kept).mean(..),
            value((OF_ONE_TWO_THREE[2] + LN_3) / 2.0),
        )
        .within(16.0)
        .unshared(),
        case(
            "the mean cross_entropy has no slope at ignored labels",
            [value([[0.0, 0.0], [NAN, INF], [7.0, 7.0]]), value([0, -1, 1])],
            |_, [x, labels]| {
                let kept = labels.ge(0);
                grad(x.cross_entropy(labels.masked(kept), 1).masked(kept).mean(..), x)
            },
            value([[-0.25, 0.25], [0.0, 0.0], [0.25, -0.25]]),
        )
        .unshared(),
        case(
            "the sum of cross_entropies has no slope at ignored labels",
            [value([[0.0, 0.0], [NAN, INF]]), value([0, 9])],
            |_, [x, labels]| grad(x.cross_entropy(labels.masked(labels.lt(9)), 1).sum(..), x),
            value([[-0.5, 0.5], [0.0, 0.0]]),
        )
        .unshared(),
        case(
            "cross_entropy has no curvature at ignored labels",
            [value([[0.0, 0.0], [NAN, INF]]), value([0, 9])],
            |_, [x, labels]| {
                let dx = grad(x.cross_entropy(labels.masked(labels.lt(9)), 1).sum(..), x);
                grad((dx * x.graph().constant([1.0, 0.0])).sum(..), x)
            },
            value([[0.25, -0.25], [0.0, 0.0]]),
        )
        .unshared(),
        case(
            "the mean cross_entropy of none",
            [value([[1.0, 2.0]]), value([-100])],
            |_, [x, labels]| {
                let kept = labels.ne(-100);
                x.cross_entropy(labels.masked(kept), 1).masked(kept).if_empty(0.0).mean(..)
            },
            value(0.0),
        )
        .unshared(),
        case(
            "cross_entropy with steps that are padding",
            [
                value([[[0.0, 0.0], [1.0, 1.0]], [[NAN, NAN], [NAN, NAN]]]),
                value([[0, 1], [0, 0]]),
                value([T, F]),
            ],
            |_, [x, labels, rows]| x.cross_entropy(labels.masked(rows.unsqueeze(1)), 2),
            value([[LN_2, LN_2], [0.0, 0.0]]),
        )
        .unshared(),
    ]
}

fn cross_entropy_of_classes() -> Vec<Case> {
    vec![
        case(
            "masked cross_entropy leaves classes out",
            [value([[1.0, 2.0, 3.0], [1.0, 9.0, 1.0]]), value([[T, T, T], [T, F, T]]), value([2, 0])],
            |_, [x, m, labels]| x.masked(m).cross_entropy(labels, 1),
            value([OF_ONE_TWO_THREE[2], LN_2]),
        )
        .within(16.0)
        .smooth()
        .unshared(),
        case(
            "masked cross_entropy of a class that is left out, and of no class",
            [value([[1.0, 2.0], [NAN, INF]]), value([[T, F], [F, F]]), value([1, 0])],
            |_, [x, m, labels]| x.masked(m).cross_entropy(labels, 1),
            value([INF, INF]),
        )
        .unshared(),
        case(
            "masked cross_entropy has no slope at what is left out",
            [value([[0.0, NAN, 0.0], [1.0, INF, NAN]]), value([[T, F, T], [F, F, F]]), value([2, 0])],
            |_, [x, m, labels]| grad(x.masked(m).cross_entropy(labels, 1).sum(..), x),
            value([[0.5, 0.0, -0.5], [0.0, 0.0, 0.0]]),
        )
        .unshared(),
        case(
            "masked cross_entropy with ignored labels",
            [value([[0.0, NAN, 0.0], [1.0, INF, NAN]]), value([[T, F, T], [F, F, F]]), value([2, 77])],
            |_, [x, m, labels]| x.masked(m).cross_entropy(labels.masked(labels.lt(3)), 1),
            value([LN_2, 0.0]),
        )
        .unshared(),
    ]
}

fn lists() -> Vec<Case> {
    let xyz = || [value([1.0, 2.0]), value(10.0), value([[3.0], [4.0]])];
    vec![
        case(
            "sum_of broadcasts",
            xyz(),
            |graph, [x, y, z]| graph.sum_of([x, y, z.square()]),
            value([[20.0, 21.0], [27.0, 28.0]]),
        )
        .smooth(),
        case("sum_of one", [value([1u8, 2])], |graph, [x]| graph.sum_of([x]), value([1u8, 2])),
        case(
            "sum_of promotes",
            [value([1, 2]), value([0.5, 0.5])],
            |graph, [x, y]| graph.sum_of([x, y]),
            value([1.5, 2.5]),
        ),
        case(
            "prod_of broadcasts",
            xyz(),
            |graph, [x, y, z]| graph.prod_of([x, y, z]),
            value([[30.0, 60.0], [40.0, 80.0]]),
        )
        .smooth(),
    ]
}

/// Axis 0 and −1 of a tensor of rank 0, as in PyTorch.
fn of_rank_0() -> Vec<Case> {
    vec![
        case("sum of the axis of rank 0", [value(2.5)], |_, [x]| x.sum(0).square(), value(6.25)).smooth(),
        case("mean of the axis of rank 0, kept", [value(2.5)], |_, [x]| x.mean(keep(-1)), value(2.5))
            .smooth(),
        case("max of the axis of rank 0", [value(7)], |_, [x]| x.max(-1), value(7)),
        case("count_nonzero of the axis of rank 0", [value(7)], |_, [x]| x.count_nonzero(0), value(1i64)),
        case(
            "masked sum of the axis of rank 0",
            [value(2.5), value(F)],
            |_, [x, m]| x.masked(m).sum(0),
            value(0.0),
        )
        .smooth(),
        case("logsumexp of the axis of rank 0", [value(2.5)], |_, [x]| x.logsumexp(0), value(2.5)).smooth(),
        case("softmax of rank 0", [value(2.5)], |_, [x]| x.softmax(-1), value(1.0)).smooth(),
        case("log_softmax of rank 0", [value(2.5)], |_, [x]| x.log_softmax(0), value(0.0)).smooth(),
        case(
            "masked softmax of rank 0",
            [value(NAN), value(F)],
            |_, [x, m]| x.masked(m).softmax(0),
            value(0.0),
        ),
        case("cumsum of rank 0", [value(2.5)], |_, [x]| x.cumsum(0).square(), value(6.25)).smooth(),
        case(
            "cumprod of rank 0, exclusive",
            [value(2.5)],
            |_, [x]| x.cumprod(tamis::along(-1).exclusive()),
            value(1.0),
        )
        .smooth(),
        case(
            "masked cumsum of rank 0",
            [value(NAN), value(F)],
            |_, [x, m]| x.masked(m).cumsum(0),
            value(0.0),
        ),
        case(
            "linear_scan of rank 0",
            [value(0.5), value(3.0)],
            |_, [a, b]| a.linear_scan(b, -1).square(),
            value(9.0),
        )
        .smooth(),
        case(
            "masked sort of rank 0",
            [value(2.5), value(T)],
            |_, [x, m]| x.masked(m).sort(0).square(),
            value(6.25),
        )
        .smooth(),
        case(
            "masked argsort of rank 0",
            [value(NAN), value(F)],
            |_, [x, m]| x.masked(m).argsort(-1),
            value(0i64),
        ),
    ]
}
