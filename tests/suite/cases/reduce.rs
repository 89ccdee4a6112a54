//! Many elements to one, plain and masked, and softmax.

use tamis::graph::{Reduce, ReduceKind, Scalar};
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Reduce:
    Reduce { kind: ReduceKind::Sum, .. } => sum(),
    Reduce { kind: ReduceKind::Prod, .. } => prod(),
    Reduce { kind: ReduceKind::Max, .. } => max(),
    Reduce { kind: ReduceKind::Min, .. } => min(),
    Reduce { kind: ReduceKind::Any, .. } => any(),
    Reduce { kind: ReduceKind::All, .. } => all(),
}

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// No axes at all.
const NONE: [i64; 0] = [];

fn matrix() -> tamis::Value {
    value([[1.0, -2.0, 3.0], [4.0, 5.5, -6.0]])
}

fn sum() -> Vec<Case> {
    let cube = || value([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
    vec![
        case("sum", [matrix()], |_, [x]| x.sum(..), value(5.5)).smooth(),
        case("sum over axis 0", [matrix()], |_, [x]| x.sum(0), value([5.0, 3.5, -3.0])).smooth(),
        case("sum over axis -1", [matrix()], |_, [x]| x.sum(-1), value([2.0, 3.5])).smooth(),
        case("sum over two axes", [cube()], |_, [x]| x.sum([0, -1]), value([14.0, 22.0])).smooth(),
        case("sum over the middle axis", [cube()], |_, [x]| x.sum(1), value([[4.0, 6.0], [12.0, 14.0]]))
            .smooth(),
        case("sum with the axis kept", [matrix()], |_, [x]| x.sum(keep(1)), value([[2.0], [3.5]])).smooth(),
        case("sum with all axes kept", [matrix()], |_, [x]| x.sum(keep(..)), value([[5.5]])).smooth(),
        case("sum over no axes", [matrix()], |_, [x]| x.sum(NONE), matrix()).smooth(),
        case("sum of rank 0", [value(2.5)], |_, [x]| x.sum(..), value(2.5)).smooth(),
        case("sum of an empty array", [empty::<f64>(&[0])], |_, [x]| x.sum(..), value(0.0)).smooth(),
        case("sum of rows without elements", [empty::<f64>(&[2, 0])], |_, [x]| x.sum(1), value([0.0, 0.0]))
            .smooth(),
        case("sum of no rows", [empty::<f64>(&[0, 2])], |_, [x]| x.sum(0), value([0.0, 0.0])).smooth(),
        case("sum to an empty array", [empty::<f64>(&[0, 2])], |_, [x]| x.sum(1), empty::<f64>(&[0]))
            .smooth(),
        case("sum of infinities", [value([[INF, 1.0], [INF, -INF]])], |_, [x]| x.sum(1), value([INF, NAN])),
        case("sum of bools is in i64", [value([T, F, T])], |_, [x]| x.sum(..), value(2i64)),
        case("sum of u8s is in i64", [value([200u8, 100])], |_, [x]| x.sum(..), value(300i64)),
        case("sum of i32s is in i64", [value([i32::MAX, 1])], |_, [x]| x.sum(..), value(2_147_483_648_i64)),
        case("sum of i64s wraps", [value([i64::MAX, 1])], |_, [x]| x.sum(..), value(i64::MIN)),
        case(
            "sum of f32s keeps what each step would lose",
            [value([16_777_216.0f32, 1.0, 1.0])],
            |_, [x]| x.sum(..),
            value(16_777_218.0f32),
        ),
        case(
            "sum of a selection",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |_, [x, m]| x.boolean_mask(m).square().sum(..),
            value(13.0),
        )
        .smooth(),
    ]
}

fn prod() -> Vec<Case> {
    let cube = || value([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
    vec![
        case("prod", [matrix()], |_, [x]| x.prod(..), value(792.0)).smooth(),
        case("prod over axis 0", [matrix()], |_, [x]| x.prod(0), value([4.0, -11.0, -18.0])).smooth(),
        case("prod over axis -1", [matrix()], |_, [x]| x.prod(-1), value([-6.0, -132.0])).smooth(),
        case("prod over two axes", [cube()], |_, [x]| x.prod([0, -1]), value([60.0, 672.0])).smooth(),
        case("prod over the middle axis", [cube()], |_, [x]| x.prod(1), value([[3.0, 8.0], [35.0, 48.0]]))
            .smooth(),
        case("prod with the axis kept", [matrix()], |_, [x]| x.prod(keep(1)), value([[-6.0], [-132.0]]))
            .smooth(),
        case("prod with all axes kept", [matrix()], |_, [x]| x.prod(keep(..)), value([[792.0]])).smooth(),
        case("prod over no axes", [matrix()], |_, [x]| x.prod(NONE), matrix()).smooth(),
        case("prod of rank 0", [value(2.5)], |_, [x]| x.prod(..), value(2.5)).smooth(),
        case("prod of an empty array", [empty::<f64>(&[0])], |_, [x]| x.prod(..), value(1.0)).smooth(),
        case("prod of rows without elements", [empty::<f64>(&[2, 0])], |_, [x]| x.prod(1), value([1.0, 1.0]))
            .smooth(),
        case("prod to an empty array", [empty::<f64>(&[0, 2])], |_, [x]| x.prod(1), empty::<f64>(&[0]))
            .smooth(),
        case(
            "prod of rows with 0, 1, 2 and 3 zeros",
            [value([[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])],
            |_, [x]| x.prod(1),
            value([24.0, 0.0, 0.0, 0.0]),
        )
        .smooth(),
        case(
            "the slope of prod with 0, 1, 2 and 3 zeros",
            [value([[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])],
            |_, [x]| grad(x.prod(1).sum(..), x),
            value([[12.0, 8.0, 6.0], [0.0, 8.0, 0.0], [0.0; 3], [0.0; 3]]),
        ),
        case(
            "prod over two axes with two zeros",
            [value([[[1.0, 0.0], [3.0, 4.0]], [[0.0, 6.0], [7.0, 8.0]]])],
            |_, [x]| x.prod([0, -1]),
            value([0.0, 672.0]),
        )
        .smooth(),
        curvature(
            "the curvature of prod",
            [2.0, 3.0, 4.0],
            [[0.0, 4.0, 3.0], [4.0, 0.0, 2.0], [3.0, 2.0, 0.0]],
        ),
        curvature(
            "the curvature of prod at a zero",
            [2.0, 0.0, 3.0],
            [[0.0, 3.0, 0.0], [3.0, 0.0, 2.0], [0.0, 2.0, 0.0]],
        ),
        curvature(
            "the curvature of prod at two zeros",
            [0.0, 0.0, 3.0],
            [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
        ),
        curvature("the curvature of prod at zeros alone", [0.0; 3], [[0.0; 3]; 3]),
        case(
            "the third derivative of prod at zeros alone",
            [value([0.0, 0.0, 0.0])],
            |_, [x]| grad(tamis::hessian(x.prod(..), x).slice((0, 1)), x),
            value([0.0, 0.0, 1.0]),
        )
        .with_known_lengths(),
        case(
            "prod of 0 and infinity",
            [value([[INF, 0.0], [INF, -2.0], [NAN, 0.0]])],
            |_, [x]| x.prod(1),
            value([NAN, -INF, NAN]),
        ),
        case("prod of bools is in i64", [value([[T, F], [T, T]])], |_, [x]| x.prod(1), value([0i64, 1])),
        case("prod of u8s is in i64", [value([200u8, 100])], |_, [x]| x.prod(..), value(20000i64)),
        case("prod of i32s is in i64", [value([65536, 65536])], |_, [x]| x.prod(..), value(1i64 << 32)),
        case("prod of i64s wraps", [value([i64::MAX, 2])], |_, [x]| x.prod(..), value(-2i64)),
        case("prod of f32s", [value([0.5f32, 3.0])], |_, [x]| x.prod(..), value(1.5f32)).smooth(),
        case(
            "prod of a selection",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |_, [x, m]| x.boolean_mask(m).square().prod(..),
            value(36.0),
        )
        .smooth(),
        case(
            "prod has slopes by its other factors alone",
            [value([0.0, 4.0])],
            |_, [x]| grad(where_(x.gt(0), x.sqrt(), 1.0).prod(..), x),
            value([0.0, 0.25]),
        ),
    ]
}

/// The second derivatives of a product of three.
#[track_caller]
fn curvature(name: &str, x: [f64; 3], expected: [[f64; 3]; 3]) -> Case {
    case(name, [value(x)], |_, [x]| tamis::hessian(x.prod(..), x), value(expected)).with_known_lengths()
}

/// The maximum under a mask and beside an initial element, as softmax takes it.
fn min_max<'g>(op: Reduce, operands: &[Expr<'g>]) -> Expr<'g> {
    operands[0].graph().apply(op, operands)
}

fn max() -> Vec<Case> {
    let of_rows = |initial| Reduce { kind: ReduceKind::Max, axes: [1].into_iter().collect(), initial };
    let floor = Some(Scalar::F64(2.0));
    vec![
        case("max", [matrix()], |_, [x]| x.max(..), value(5.5)).smooth(),
        case("max over axis 0", [matrix()], |_, [x]| x.max(0), value([4.0, 5.5, 3.0])).smooth(),
        case("max with the axis kept", [matrix()], |_, [x]| x.max(keep(-1)), value([[3.0], [5.5]])).smooth(),
        case("max of rank 0", [value(2.5)], |_, [x]| x.max(..), value(2.5)).smooth(),
        case("max gives on NaN", [value([[1.0, NAN], [INF, 1.0]])], |_, [x]| x.max(1), value([NAN, INF])),
        case("max to an empty array", [empty::<f64>(&[0, 2])], |_, [x]| x.max(1), empty::<f64>(&[0]))
            .smooth(),
        case("max of i32s", [value([-3, i32::MIN])], |_, [x]| x.max(..), value(-3)),
        case("max of u8s", [value([3u8, 255])], |_, [x]| x.max(..), value(255u8)),
        case("max of bools is any", [value([[F, T], [F, F]])], |_, [x]| x.max(1), value([T, F])),
        case(
            "max gives ties an even share of the slope",
            [value([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])],
            |_, [x]| grad(x.max(1).sum(..), x),
            value([[0.0, 0.5, 0.5], [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]]),
        ),
        case(
            "max gives NaN the slope",
            [value([1.0, NAN, 3.0, NAN])],
            |_, [x]| grad(x.max(..), x),
            value([0.0, 0.5, 0.0, 0.5]),
        ),
        case(
            "max has no slope at what it does not choose",
            [value([0.0, 4.0])],
            |_, [x]| grad(x.sqrt().max(..), x),
            value([0.0, 0.25]),
        ),
        case(
            "max under a mask",
            [value([[9.0, 1.0, NAN], [4.0, 5.0, 6.0]]), value([[F, T, F], [T, T, F]])],
            move |_, operands| min_max(of_rows(None), &operands),
            value([1.0, 5.0]),
        )
        .with_equal_lengths(),
        case(
            "max beside an initial element",
            [value([[1.0, 0.5], [4.0, 5.0]])],
            move |_, operands| min_max(of_rows(floor), &operands),
            value([2.0, 5.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
        case(
            "max of an empty array beside an initial element",
            [value([[1.0, 3.0], [4.0, 5.0]]), value([[F, F], [T, F]])],
            move |_, operands| min_max(of_rows(floor), &operands),
            value([2.0, 4.0]),
        )
        .with_equal_lengths()
        .with_fixed_dtypes()
        .smooth(),
        case(
            "max shares the slope with an equal initial element",
            [value([[2.0, 2.0], [1.0, 5.0]])],
            move |_, [x]| grad(min_max(of_rows(floor), &[x]).sum(..), x),
            value([[1.0 / 3.0, 1.0 / 3.0], [0.0, 1.0]]),
        )
        .with_fixed_dtypes(),
    ]
}

fn min() -> Vec<Case> {
    let of_rows = |initial| Reduce { kind: ReduceKind::Min, axes: [1].into_iter().collect(), initial };
    let ceiling = Some(Scalar::F64(2.0));
    vec![
        case("min", [matrix()], |_, [x]| x.min(..), value(-6.0)).smooth(),
        case("min over axis 1", [matrix()], |_, [x]| x.min(1), value([-2.0, -6.0])).smooth(),
        case("min with the axes kept", [matrix()], |_, [x]| x.min(keep([0, 1])), value([[-6.0]])).smooth(),
        case("min gives on NaN", [value([[1.0, NAN], [-INF, 1.0]])], |_, [x]| x.min(1), value([NAN, -INF])),
        case("min of i64s", [value([3i64, i64::MIN])], |_, [x]| x.min(..), value(i64::MIN)),
        case("min of bools is all", [value([[F, T], [T, T]])], |_, [x]| x.min(1), value([F, T])),
        case(
            "min gives ties an even share of the slope",
            [value([1.0, 3.0, 1.0])],
            |_, [x]| grad(x.min(..), x),
            value([0.5, 0.0, 0.5]),
        ),
        case(
            "min under a mask",
            [value([[0.0, 1.0], [4.0, NAN]]), value([[F, T], [T, F]])],
            move |_, operands| min_max(of_rows(None), &operands),
            value([1.0, 4.0]),
        )
        .with_equal_lengths(),
        case(
            "min of an empty array beside an initial element",
            [value([[1.0, 3.0], [4.0, 5.0]]), value([[F, F], [T, F]])],
            move |_, operands| min_max(of_rows(ceiling), &operands),
            value([2.0, 2.0]),
        )
        .with_equal_lengths()
        .with_fixed_dtypes()
        .smooth(),
    ]
}

fn any() -> Vec<Case> {
    let mask = || value([[T, F], [F, F]]);
    vec![
        case("any", [mask()], |_, [m]| m.any(..), value(T)),
        case("any over axis 1", [mask()], |_, [m]| m.any(1), value([T, F])),
        case("any with the axis kept", [mask()], |_, [m]| m.any(keep(0)), value([[T, F]])),
        case("any of an empty array", [empty::<bool>(&[2, 0])], |_, [m]| m.any(1), value([F, F])),
        case("any of rank 0", [value(T)], |_, [m]| m.any(..), value(T)),
        case("any of numbers", [value([[0.0, NAN], [0.0, -0.0]])], |_, [x]| x.any(1), value([T, F])),
        case("any of i32s", [value([0, 7])], |_, [x]| x.any(..), value(T)),
    ]
}

fn all() -> Vec<Case> {
    let mask = || value([[T, F], [T, T]]);
    vec![
        case("all", [mask()], |_, [m]| m.all(..), value(F)),
        case("all over axis 1", [mask()], |_, [m]| m.all(1), value([F, T])),
        case("all with the axis kept", [mask()], |_, [m]| m.all(keep(0)), value([[T, F]])),
        case("all of an empty array", [empty::<bool>(&[0])], |_, [m]| m.all(..), value(T)),
        case("all of numbers", [value([[1.0, NAN], [1.0, 0.0]])], |_, [x]| x.all(1), value([T, F])),
        case("all of u8s", [value([1u8, 7])], |_, [x]| x.all(..), value(T)),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    [mean(), count_nonzero(), masked(), masked_min_max(), softmax(), masked_softmax()].concat()
}

fn mean() -> Vec<Case> {
    vec![
        case("mean", [matrix()], |_, [x]| x.mean(..), value(5.5 / 6.0)).smooth(),
        case("mean over axis 0", [matrix()], |_, [x]| x.mean(0), value([2.5, 1.75, -1.5])).smooth(),
        case(
            "mean with the axis kept",
            [matrix()],
            |_, [x]| x.mean(keep(1)),
            value([[2.0 / 3.0], [3.5 / 3.0]]),
        )
        .smooth(),
        case("mean over no axes", [matrix()], |_, [x]| x.mean(NONE), matrix()).smooth(),
        case("mean of an empty array", [empty::<f64>(&[0])], |_, [x]| x.mean(..), value(NAN)),
        case("mean of no rows", [empty::<f64>(&[0, 2])], |_, [x]| x.mean(0), value([NAN, NAN])),
        case("mean of i32s is in f64", [value([1, 2])], |_, [x]| x.mean(..), value(1.5)),
        case("mean of i64s is in f64", [value([1i64, 2])], |_, [x]| x.mean(..), value(1.5)),
        case("mean of u8s is in f32", [value([1u8, 2])], |_, [x]| x.mean(..), value(1.5f32)),
        case("mean of bools is in f32", [value([T, F, F, F])], |_, [x]| x.mean(..), value(0.25f32)),
        case(
            "mean of a selection",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |_, [x, m]| x.boolean_mask(m).square().mean(..),
            value(6.5),
        )
        .smooth(),
    ]
}

fn count_nonzero() -> Vec<Case> {
    vec![
        case("count_nonzero", [value([0.0, 2.0, NAN, -0.0])], |_, [x]| x.count_nonzero(..), value(2i64)),
        case(
            "count_nonzero of a mask",
            [value([[T, F], [T, T]])],
            |_, [m]| m.count_nonzero(1),
            value([1i64, 2]),
        ),
        case("count_nonzero of i32s", [value([[0, 5]])], |_, [x]| x.count_nonzero(keep(..)), value([[1i64]])),
        case(
            "count_nonzero of an empty array",
            [empty::<bool>(&[0])],
            |_, [m]| m.count_nonzero(..),
            value(0i64),
        ),
    ]
}

/// `[[1, NaN, 3], [4, 5, NaN]]` and a mask that leaves 1, 3 and 5.
fn holes() -> [tamis::Value; 2] {
    [value([[1.0, NAN, 3.0], [4.0, 5.0, NAN]]), value([[T, F, T], [F, T, F]])]
}

fn masked() -> Vec<Case> {
    let whole = || [matrix(), value([[T, F, T], [F, T, F]])];
    vec![
        case(
            "masked sum",
            [matrix(), value([[T, F, T], [F, T, F]])],
            |_, [x, m]| x.masked(m).sum(..),
            value(9.5),
        )
        .smooth(),
        case("masked sum over axis 1", whole(), |_, [x, m]| x.masked(m).sum(1), value([4.0, 5.5])).smooth(),
        case(
            "masked sum of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.masked(m).sum(0),
            value([4.0, 5.5, -6.0]),
        )
        .smooth()
        .with_equal_lengths(),
        case(
            "masked sum of rows whose lengths are not known",
            [matrix(), value([F, T])],
            |_, [x, m]| x.masked(m.expand_mask(x)).sum(0),
            value([4.0, 5.5, -6.0]),
        )
        .smooth(),
        case(
            "masked sum by a mask of some axes whose 1s broadcast",
            [
                value([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]]),
                value([[T, F, T]]),
            ],
            |_, [x, m]| x.masked(m).sum(1),
            value([[6.0, 8.0], [18.0, 20.0]]),
        )
        .smooth()
        .with_equal_lengths(),
        case("masked sum by rank 0", [matrix(), value(T)], |_, [x, m]| x.masked(m).sum(1), value([2.0, 3.5]))
            .smooth(),
        case(
            "masked sum of columns",
            [matrix(), value([[F, T, F]])],
            |_, [x, m]| x.masked(m).sum(..),
            value(3.5),
        )
        .smooth(),
        case(
            "masked sum of none",
            [value([1.0, 2.0]), value([F, F])],
            |_, [x, m]| x.masked(m).sum(..),
            value(0.0),
        )
        .smooth(),
        case(
            "masked sum with the axis kept",
            whole(),
            |_, [x, m]| x.masked(m).sum(keep(0)),
            value([[1.0, 5.5, 3.0]]),
        )
        .smooth(),
        case("masked sum does not read NaN", holes(), |_, [x, m]| x.masked(m).sum(..), value(9.0)),
        case(
            "masked sum of u8s is in i64",
            [value([200u8, 100, 7]), value([T, T, F])],
            |_, [x, m]| x.masked(m).sum(..),
            value(300i64),
        ),
        case(
            "masked sum of bools is in i64",
            [value([T, T, F]), value([T, F, T])],
            |_, [x, m]| x.masked(m).sum(..),
            value(1i64),
        ),
        case("masked mean", whole(), |_, [x, m]| x.masked(m).mean(..), value(9.5 / 3.0)).smooth(),
        case("masked mean over axis 1", whole(), |_, [x, m]| x.masked(m).mean(1), value([2.0, 5.5])).smooth(),
        case(
            "masked mean of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.masked(m).mean(..),
            value(3.5 / 3.0),
        )
        .smooth()
        .with_equal_lengths(),
        case(
            "masked mean of columns",
            [matrix(), value([[T, F, T]])],
            |_, [x, m]| x.masked(m).mean(keep(1)),
            value([[2.0], [-1.0]]),
        )
        .smooth(),
        case("masked mean does not read NaN", holes(), |_, [x, m]| x.masked(m).mean(1), value([2.0, 5.0])),
        case(
            "masked mean of none",
            [value([1.0, 2.0]), value([F, F])],
            |_, [x, m]| x.masked(m).mean(..),
            value(NAN),
        ),
        case(
            "masked mean of none has no slope",
            [value([1.0, 2.0]), value([F, F])],
            |_, [x, m]| grad(x.masked(m).mean(..), x),
            value([0.0, 0.0]),
        ),
        case(
            "mean of an empty selection has no slope",
            [value([1.0, 2.0]), value([F, F])],
            |_, [x, m]| grad(x.boolean_mask(m).mean(..), x),
            value([0.0, 0.0]),
        ),
        case(
            "the root of a sum of none has no slope",
            [value([[1.0, 2.0], [3.0, 1.0]]), value([[F, F], [T, T]])],
            |_, [x, m]| grad(x.masked(m).sum(1).sqrt().sum(..), x),
            value([[0.0, 0.0], [0.25, 0.25]]),
        ),
        case(
            "the root of the sum of an empty selection has no slope",
            [value([1.0, 2.0]), value([F, F])],
            |_, [x, m]| grad(x.boolean_mask(m).sum(..).sqrt(), x),
            value([0.0, 0.0]),
        ),
        case(
            "masked mean of i32s is in f64",
            [value([1, 2, 7]), value([T, T, F])],
            |_, [x, m]| x.masked(m).mean(..),
            value(1.5),
        ),
        case(
            "masked mean of u8s is in f32",
            [value([255u8, 254, 7]), value([T, T, F])],
            |_, [x, m]| x.masked(m).mean(..),
            value(254.5f32),
        ),
        case(
            "masked mean of i64s does not wrap",
            [value([i64::MAX, i64::MAX]), value([T, T])],
            |_, [x, m]| x.masked(m).mean(..),
            value(i64::MAX as f64),
        ),
        case(
            "masked any",
            [value([[T, F], [F, F]]), value([[F, T], [T, T]])],
            |_, [x, m]| x.masked(m).any(1),
            value([F, F]),
        ),
        case(
            "masked any of numbers",
            [value([0, 7]), value([T, T])],
            |_, [x, m]| x.masked(m).any(..),
            value(T),
        ),
        case(
            "masked all",
            [value([[T, F], [F, T]]), value([[T, F], [T, T]])],
            |_, [x, m]| x.masked(m).all(1),
            value([T, F]),
        ),
        case("masked all of none", [value([F]), value([F])], |_, [x, m]| x.masked(m).all(..), value(T)),
        case(
            "masked count_nonzero",
            [value([0.0, 2.0, 3.0]), value([T, T, F])],
            |_, [x, m]| x.masked(m).count_nonzero(..),
            value(1i64),
        ),
    ]
}

fn masked_min_max() -> Vec<Case> {
    let whole = || [matrix(), value([[T, F, T], [F, T, T]])];
    vec![
        case("masked max", whole(), |_, [x, m]| x.masked(m).max(..), value(5.5)).smooth(),
        case("masked max over axis 1", whole(), |_, [x, m]| x.masked(m).max(1), value([3.0, 5.5])).smooth(),
        case("masked max of rows", [matrix(), value([T, F])], |_, [x, m]| x.masked(m).max(..), value(3.0))
            .smooth()
            .with_equal_lengths(),
        case(
            "masked max of columns",
            [matrix(), value([[T, T, F]])],
            |_, [x, m]| x.masked(m).max(keep(1)),
            value([[1.0], [5.5]]),
        )
        .smooth(),
        case("masked max does not read NaN", holes(), |_, [x, m]| x.masked(m).max(1), value([3.0, 5.0])),
        case(
            "masked max of a selected NaN",
            [value([1.0, NAN]), value([T, T])],
            |_, [x, m]| x.masked(m).max(..),
            value(NAN),
        ),
        case(
            "masked max of bools",
            [value([F, T]), value([T, F])],
            |_, [x, m]| x.masked(m).max(..),
            value(F),
        ),
        case("masked min", whole(), |_, [x, m]| x.masked(m).min(..), value(-6.0)).smooth(),
        case(
            "masked min of i32s",
            [value([3, 0, 2]), value([T, F, T])],
            |_, [x, m]| x.masked(m).min(..),
            value(2),
        ),
        case(
            "masked min of bools",
            [value([F, T]), value([F, T])],
            |_, [x, m]| x.masked(m).min(..),
            value(T),
        ),
        case(
            "masked max gives selected ties alone a share of the slope",
            [value([3.0, 3.0, 3.0, 1.0]), value([T, F, T, T])],
            |_, [x, m]| grad(x.masked(m).max(..), x),
            value([0.5, 0.0, 0.5, 0.0]),
        ),
        case(
            "masked max of -inf leaves out what is not selected",
            [value([-INF, -INF, 3.0]), value([T, F, F])],
            |_, [x, m]| grad(x.masked(m).max(..), x),
            value([1.0, 0.0, 0.0]),
        ),
    ]
}

fn softmax() -> Vec<Case> {
    let (shares, logs) = (
        [0.04201006613406605, 0.11419519938459448, 0.8437947344813395],
        [-3.1698460195562856, -2.1698460195562856, -0.16984601955628564],
    );
    vec![
        case("softmax", [value([1.0, 2.0, 4.0])], |_, [x]| x.softmax(0), value(shares)).within(16.0).smooth(),
        case(
            "softmax of rows",
            [value([[1.0, 2.0, 4.0], [1e3, 1e3, 1e3]])],
            |_, [x]| x.softmax(-1),
            value([shares, [1.0 / 3.0; 3]]),
        )
        .within(16.0)
        .smooth(),
        case(
            "softmax of columns",
            [value([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])],
            |_, [x]| x.softmax(0).transpose(),
            value([shares, [1.0 / 3.0; 3]]),
        )
        .within(16.0)
        .smooth(),
        case("softmax of one element", [value([7.0])], |_, [x]| x.softmax(0), value([1.0])).smooth(),
        case("softmax of an empty array", [empty::<f64>(&[0])], |_, [x]| x.softmax(0), empty::<f64>(&[0]))
            .smooth(),
        case(
            "softmax of rows without elements",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.softmax(1),
            empty::<f64>(&[2, 0]),
        )
        .smooth(),
        case("softmax beside -inf", [value([-INF, 0.0, 0.0])], |_, [x]| x.softmax(0), value([0.0, 0.5, 0.5])),
        case("softmax of -inf alone", [value([-INF, -INF])], |_, [x]| x.softmax(0), value([NAN, NAN])),
        case("softmax beside +inf", [value([INF, 0.0])], |_, [x]| x.softmax(0), value([NAN, NAN])),
        case("softmax of i32s is in f64", [value([7, 7])], |_, [x]| x.softmax(0), value([0.5, 0.5])),
        case("log_softmax", [value([1.0, 2.0, 4.0])], |_, [x]| x.log_softmax(0), value(logs))
            .within(16.0)
            .smooth(),
        case(
            "log_softmax where softmax rounds to 0",
            [value([0.0, 1e3])],
            |_, [x]| x.log_softmax(0),
            value([-1e3, 0.0]),
        )
        .smooth(),
        case("log_softmax beside -inf", [value([-INF, 0.0])], |_, [x]| x.log_softmax(0), value([-INF, 0.0])),
    ]
}

fn masked_softmax() -> Vec<Case> {
    let shares = [0.04742587317756678, 0.9525741268224333];
    let logs = [-3.048587351573742, -0.04858735157374206];
    let (x, mask) = (value([1.0, 9.0, 4.0]), value([T, F, T]));
    let rows = || [value([[1.0, 9.0, 4.0], [9.0, 9.0, 9.0]]), value([[T, F, T], [F, F, F]])];
    vec![
        case(
            "masked softmax",
            [x.clone(), mask.clone()],
            |_, [x, m]| x.masked(m).softmax(0),
            value([shares[0], 0.0, shares[1]]),
        )
        .within(16.0)
        .smooth(),
        case(
            "masked softmax of rows, one of them empty",
            rows(),
            |_, [x, m]| x.masked(m).softmax(1),
            value([[shares[0], 0.0, shares[1]], [0.0; 3]]),
        )
        .within(16.0)
        .smooth(),
        case(
            "masked softmax does not read NaN",
            [value([1.0, NAN, 4.0]), mask.clone()],
            |_, [x, m]| x.masked(m).softmax(0),
            value([shares[0], 0.0, shares[1]]),
        )
        .within(16.0),
        case(
            "masked softmax does not read +inf",
            [value([1.0, INF, 4.0]), mask.clone()],
            |_, [x, m]| x.masked(m).softmax(0),
            value([shares[0], 0.0, shares[1]]),
        )
        .within(16.0),
        case(
            "masked softmax of an empty array",
            [empty::<f64>(&[0]), empty::<bool>(&[0])],
            |_, [x, m]| x.masked(m).softmax(0),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "masked softmax has no slope in a empty row",
            rows(),
            |_, [x, m]| grad(x.masked(m).softmax(1).square().sum(..), x).slice_axis(1, 0),
            value([0.0; 3]),
        ),
        case(
            "masked log_softmax",
            [x, mask],
            |_, [x, m]| x.masked(m).log_softmax(0),
            value([logs[0], -INF, logs[1]]),
        )
        .within(16.0),
        case(
            "masked log_softmax of rows, one of them empty",
            rows(),
            |_, [x, m]| x.masked(m).log_softmax(1),
            value([[logs[0], -INF, logs[1]], [-INF; 3]]),
        )
        .within(16.0),
        case(
            "masked log_softmax has no slope at what is not selected",
            rows(),
            |_, [x, m]| grad(where_(m, x.masked(m).log_softmax(1), 0.0).sum(..), x),
            value([[1.0 - 2.0 * shares[0], 0.0, 1.0 - 2.0 * shares[1]], [0.0; 3]]),
        )
        .within(64.0),
    ]
}
