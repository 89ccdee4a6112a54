//! Reductions that are composed of others: variance, deviation, norm,
//! log-sum-exp, and what is said of empty selections.

use std::f64::consts::{LN_2, SQRT_2};

use tamis::prelude::*;

use crate::array::{empty, value};
use crate::case::{Case, case};

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

pub(crate) fn composed() -> Vec<Case> {
    [var(), std(), norm(), logsumexp(), masked_prod(), masked_var(), masked_std(), masked_norm()]
        .into_iter()
        .chain([masked_logsumexp(), policies()])
        .flatten()
        .collect()
}

fn matrix() -> tamis::Value {
    value([[1.0, -2.0, 3.0], [4.0, 5.5, -6.0]])
}

/// `[[1, NaN, 3], [4, 5, NaN]]` and a mask that leaves 1, 3 and 5.
fn holes() -> [tamis::Value; 2] {
    [value([[1.0, NAN, 3.0], [4.0, 5.0, NAN]]), value([[T, F, T], [F, T, F]])]
}

/// The matrix and a mask that leaves 1 and 3, and does not depend on the second row.
fn half() -> [tamis::Value; 2] {
    [matrix(), value([[T, F, T], [F, F, F]])]
}

fn var() -> Vec<Case> {
    vec![
        case("var", [value([1.0, 3.0, 5.0, 7.0])], |_, [x]| x.var(..), value(5.0)).smooth(),
        case("var over axis 0", [matrix()], |_, [x]| x.var(0), value([2.25, 14.0625, 20.25])).smooth(),
        case("var over axis -1", [matrix()], |_, [x]| x.var(-1), value([38.0 / 9.0, 234.5 / 9.0])).smooth(),
        case("var with the axis kept", [matrix()], |_, [x]| x.var(keep(0)), value([[2.25, 14.0625, 20.25]]))
            .smooth(),
        case("var over two axes", [value([[1.0, 3.0], [5.0, 7.0]])], |_, [x]| x.var([0, 1]), value(5.0))
            .smooth(),
        case("var of one element", [value([2.5])], |_, [x]| x.var(..), value(0.0)).smooth(),
        case("var of far numbers", [value([1e8 + 1.0, 1e8 + 3.0])], |_, [x]| x.var(..), value(1.0))
            .with_fixed_dtypes(),
        case("var of an empty array", [empty::<f64>(&[0])], |_, [x]| x.var(..), value(NAN)),
        case("var of an infinity", [value([INF, 1.0])], |_, [x]| x.var(..), value(NAN)),
        case("var of i32s is in f64", [value([1, 3])], |_, [x]| x.var(..), value(1.0)),
        case("var of u8s is in f32", [value([1u8, 3])], |_, [x]| x.var(..), value(1.0f32)),
        case("var of bools is in f32", [value([T, F])], |_, [x]| x.var(..), value(0.25f32)),
        case("var_ddof 1", [matrix()], |_, [x]| x.var_ddof(1, 0), value([4.5, 28.125, 40.5])).smooth(),
        case(
            "var_ddof 1 of all",
            [value([1.0, 3.0, 5.0, 7.0])],
            |_, [x]| x.var_ddof(1, ..),
            value(20.0 / 3.0),
        )
        .smooth(),
        case("var_ddof 0 is var", [value([1.0, 3.0])], |_, [x]| x.var_ddof(0, 0), value(1.0)).smooth(),
        case("var_ddof 1 of one element", [value([2.5])], |_, [x]| x.var_ddof(1, ..), value(NAN)),
        case(
            "var_ddof takes fractions",
            [value([1.0, 3.0, 5.0, 7.0])],
            |_, [x]| x.var_ddof(1.5, ..),
            value(8.0),
        )
        .smooth(),
        case("var_ddof below 0", [value([1.0, 3.0])], |_, [x]| x.var_ddof(-2.0, ..), value(0.5)).smooth(),
        case(
            "var_ddof of fewer elements than that",
            [value([1.0, 3.0])],
            |_, [x]| x.var_ddof(3, ..),
            value(INF),
        ),
        case("var_ddof of fewer equals", [value([3.0, 3.0])], |_, [x]| x.var_ddof(2.5, ..), value(NAN)),
        case("var of rank 0", [value(2.5)], |_, [x]| x.var(0), value(0.0)),
        case("the slope of var", [value([1.0, 3.0])], |_, [x]| grad(x.var(..), x), value([-1.0, 1.0])),
    ]
}

fn std() -> Vec<Case> {
    vec![
        case("std", [value([1.0, 3.0, 5.0, 7.0])], |_, [x]| x.std(..), value(2.23606797749979)).smooth(),
        case("std over axis 0", [matrix()], |_, [x]| x.std(0), value([1.5, 3.75, 4.5])),
        case(
            "std of columns",
            [value([[1.0, 2.0], [3.0, 2.0], [5.0, 4.0], [7.0, 4.0]])],
            |_, [x]| x.std(0),
            value([2.23606797749979, 1.0]),
        )
        .smooth(),
        case("std with the axis kept", [value([[1.0, 3.0]])], |_, [x]| x.std(keep(1)), value([[1.0]]))
            .smooth(),
        case("std_ddof 1", [value([1.0, 3.0, 5.0])], |_, [x]| x.std_ddof(1, ..), value(2.0)).smooth(),
        case(
            "std_ddof takes fractions, with the axis kept",
            [value([[1.0, 3.0], [2.0, 2.0]])],
            |_, [x]| x.std_ddof(1.5, keep(1)),
            value([[2.0], [0.0]]),
        ),
        case("std_ddof 1 of one element", [value([2.5])], |_, [x]| x.std_ddof(1, ..), value(NAN)),
        case(
            "std_ddof of fewer elements than that",
            [value([1.0, 3.0])],
            |_, [x]| x.std_ddof(2, ..),
            value(INF),
        ),
        case("std_ddof of u8s is in f32", [value([1u8, 3])], |_, [x]| x.std_ddof(1.5, ..), value(2.0f32)),
        case("std of equals", [value([2.0, 2.0])], |_, [x]| x.std(..), value(0.0)),
        case("std of an empty array", [empty::<f64>(&[0])], |_, [x]| x.std(..), value(NAN)),
        case("std gives on NaN", [value([[1.0, NAN], [1.0, 3.0]])], |_, [x]| x.std(1), value([NAN, 1.0])),
        case("std of i64s is in f64", [value([1i64, 3])], |_, [x]| x.std(..), value(1.0)),
        case("the slope of std", [value([1.0, 3.0])], |_, [x]| grad(x.std(..), x), value([-0.5, 0.5])),
        case(
            "std has slope 0 where it is 0",
            [value([[2.0, 2.0], [1.0, 3.0]])],
            |_, [x]| grad(x.std(1).sum(..), x),
            value([[0.0, 0.0], [-0.5, 0.5]]),
        ),
        case(
            "std has no curvature where it is 0",
            [value([2.0, 2.0])],
            |_, [x]| tamis::hessian(x.std(..), x),
            value([[0.0; 2]; 2]),
        )
        .with_known_lengths(),
    ]
}

fn norm() -> Vec<Case> {
    vec![
        case("norm", [value([3.0, -4.0])], |_, [x]| x.norm(..), value(5.0)).smooth(),
        case("norm over axis 1", [value([[3.0, 4.0], [5.0, -12.0]])], |_, [x]| x.norm(1), value([5.0, 13.0]))
            .smooth(),
        case("norm with the axis kept", [value([[3.0], [4.0]])], |_, [x]| x.norm(keep(0)), value([[5.0]]))
            .smooth(),
        case("norm of all axes", [value([[1.0, 1.0], [1.0, 1.0]])], |_, [x]| x.norm(..), value(2.0)).smooth(),
        case("norm of rank 0", [value(-2.5)], |_, [x]| x.norm(..), value(2.5)),
        case("the slope of norm of rank 0", [value(-2.5)], |_, [x]| grad(x.norm(..), x), value(-1.0)),
        case(
            "norm of zeros and of an empty row",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.norm(1),
            value([0.0, 0.0]),
        ),
        case("norm of infinities", [value([[INF, 1.0], [NAN, INF]])], |_, [x]| x.norm(1), value([INF, NAN])),
        case("norm of i32s is in f64", [value([3, 4])], |_, [x]| x.norm(..), value(5.0)),
        case("norm of u8s does not wrap", [value([30u8, 40])], |_, [x]| x.norm(..), value(50.0f32)),
        case(
            "norm of bools is in f32",
            [value([T, T])],
            |_, [x]| x.norm(..),
            value(std::f32::consts::SQRT_2),
        ),
        case(
            "norm has slope 0 at 0",
            [value([[3.0, 4.0], [0.0, 0.0]])],
            |_, [x]| grad(x.norm(1).sum(..), x),
            value([[0.6, 0.8], [0.0, 0.0]]),
        ),
        case(
            "norm has no curvature at 0",
            [value([0.0, 0.0])],
            |_, [x]| tamis::hessian(x.norm(..), x),
            value([[0.0; 2]; 2]),
        )
        .with_known_lengths(),
    ]
}

fn logsumexp() -> Vec<Case> {
    let ln_3 = 1.0986122886681098;
    vec![
        case("logsumexp", [value([0.0, 0.0])], |_, [x]| x.logsumexp(..), value(LN_2)).smooth(),
        case(
            "logsumexp over axis 1",
            [value([[0.0, ln_3], [1.0, 1.0]])],
            |_, [x]| x.logsumexp(1),
            value([2.0 * LN_2, 1.0 + LN_2]),
        )
        .within(16.0)
        .smooth(),
        case(
            "logsumexp with the axis kept",
            [value([[0.0, 2.0], [0.0, 2.0]])],
            |_, [x]| x.logsumexp(keep(0)),
            value([[LN_2, 2.0 + LN_2]]),
        )
        .smooth(),
        case(
            "logsumexp of large numbers",
            [value([[1000.0, 1000.0], [-1000.0, -1000.0]])],
            |_, [x]| x.logsumexp(1),
            value([1000.0 + LN_2, -1000.0 + LN_2]),
        ),
        case(
            "logsumexp of infinities",
            [value([[-INF, 1.5], [-INF, -INF], [INF, 1.0], [INF, -INF], [NAN, INF]])],
            |_, [x]| x.logsumexp(1),
            value([1.5, -INF, INF, INF, NAN]),
        ),
        case(
            "logsumexp of an empty array",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.logsumexp(1),
            value([-INF, -INF]),
        ),
        case("logsumexp of rank 0", [value(2.5)], |_, [x]| x.logsumexp(..), value(2.5)).smooth(),
        case("logsumexp of i32s is in f64", [value([0, 0])], |_, [x]| x.logsumexp(..), value(LN_2)),
        case(
            "logsumexp of u8s is in f32",
            [value([0u8, 0])],
            |_, [x]| x.logsumexp(..),
            value(std::f32::consts::LN_2),
        ),
        case(
            "the slope of logsumexp is a softmax",
            [value([[0.0, ln_3], [-INF, 0.0]])],
            |_, [x]| grad(x.logsumexp(1).sum(..), x),
            value([[0.25, 0.75], [0.0, 1.0]]),
        )
        .within(16.0),
    ]
}

fn masked_prod() -> Vec<Case> {
    vec![
        case("masked prod", half(), |_, [x, m]| x.masked(m).prod(..), value(3.0)).smooth(),
        case("masked prod, one of them empty", half(), |_, [x, m]| x.masked(m).prod(1), value([3.0, 1.0]))
            .smooth(),
        case(
            "masked prod does not read NaN",
            holes(),
            |_, [x, m]| x.masked(m).prod(keep(1)),
            value([[3.0], [5.0]]),
        ),
        case(
            "masked prod of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.masked(m).prod(0),
            value([4.0, 5.5, -6.0]),
        )
        .smooth()
        .with_equal_lengths(),
        case(
            "masked prod of i32s is in i64",
            [value([2, 0, 5]), value([T, F, T])],
            |_, [x, m]| x.masked(m).prod(..),
            value(10i64),
        ),
        case(
            "masked prod of bools",
            [value([T, F]), value([T, F])],
            |_, [x, m]| x.masked(m).prod(..),
            value(1i64),
        ),
        case(
            "masked prod has a slope at a zero",
            [value([0.0, NAN, 5.0, 7.0]), value([T, F, T, T])],
            |_, [x, m]| grad(x.masked(m).prod(..), x),
            value([35.0, 0.0, 0.0, 0.0]),
        ),
    ]
}

fn masked_var() -> Vec<Case> {
    vec![
        case("masked var", half(), |_, [x, m]| x.masked(m).var(..), value(1.0)).smooth(),
        case("masked var does not read NaN", holes(), |_, [x, m]| x.masked(m).var(1), value([1.0, 0.0])),
        case("masked var of all", holes(), |_, [x, m]| x.masked(m).var(..), value(8.0 / 3.0)),
        case("masked var of none", half(), |_, [x, m]| x.masked(m).var(keep(1)), value([[1.0], [NAN]])),
        case(
            "masked var of rows",
            [matrix(), value([T, T])],
            |_, [x, m]| x.masked(m).var(0),
            value([2.25, 14.0625, 20.25]),
        )
        .smooth()
        .with_equal_lengths(),
        case(
            "masked var of columns",
            [matrix(), value([[T, F, T]])],
            |_, [x, m]| x.masked(m).var(1),
            value([1.0, 25.0]),
        )
        .smooth(),
        case(
            "masked var of u8s is in f32",
            [value([1u8, 3, 9]), value([T, T, F])],
            |_, [x, m]| x.masked(m).var(..),
            value(1.0f32),
        ),
        case("masked var_ddof 1", half(), |_, [x, m]| x.masked(m).var_ddof(1, ..), value(2.0)).smooth(),
        case(
            "masked var_ddof 1 of two, of one and of none",
            [
                value([[1.0, NAN, 3.0], [4.0, 5.0, NAN], [NAN, 1.0, 2.0]]),
                value([[T, F, T], [F, T, F], [F, F, F]]),
            ],
            |_, [x, m]| x.masked(m).var_ddof(1, 1),
            value([2.0, NAN, NAN]),
        ),
        case(
            "masked var_ddof of fewer elements than that",
            holes(),
            |_, [x, m]| x.masked(m).var_ddof(4, ..),
            value(INF),
        ),
        case(
            "masked var_ddof takes fractions",
            half(),
            |_, [x, m]| x.masked(m).if_empty(7.0).var_ddof(1.5, keep(1)),
            value([[4.0], [7.0]]),
        )
        .smooth(),
        case(
            "the slope of masked var_ddof",
            holes(),
            |_, [x, m]| grad(x.masked(m).var_ddof(0.5, 1).sum(..), x),
            value([[-4.0 / 3.0, 0.0, 4.0 / 3.0], [0.0, 0.0, 0.0]]),
        ),
        case(
            "the slope of masked var",
            holes(),
            |_, [x, m]| grad(x.masked(m).var(1).sum(..), x),
            value([[-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),
        ),
    ]
}

fn masked_std() -> Vec<Case> {
    vec![
        case("masked std", half(), |_, [x, m]| x.masked(m).std(..), value(1.0)).smooth(),
        case("masked std does not read NaN", holes(), |_, [x, m]| x.masked(m).std(1), value([1.0, 0.0])),
        case("masked std of none", half(), |_, [x, m]| x.masked(m).std(1), value([1.0, NAN])),
        case(
            "masked std_ddof takes fractions",
            half(),
            |_, [x, m]| x.masked(m).if_empty(7.0).std_ddof(1.5, 1),
            value([2.0, 7.0]),
        )
        .smooth(),
        case(
            "masked std_ddof 1 of one",
            holes(),
            |_, [x, m]| x.masked(m).std_ddof(1, 1),
            value([SQRT_2, NAN]),
        ),
        case(
            "masked std has slope 0 where it is 0",
            holes(),
            |_, [x, m]| grad(x.masked(m).std(1).sum(..), x),
            value([[-0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]),
        ),
    ]
}

fn masked_norm() -> Vec<Case> {
    vec![
        case(
            "masked norm",
            [value([3.0, 9.0, 4.0]), value([T, F, T])],
            |_, [x, m]| x.masked(m).norm(..),
            value(5.0),
        )
        .smooth(),
        case(
            "masked norm does not read NaN",
            holes(),
            |_, [x, m]| x.masked(m).norm(0),
            value([1.0, 5.0, 3.0]),
        ),
        case(
            "masked norm of none",
            half(),
            |_, [x, m]| x.masked(m).norm(keep(1)),
            value([[10.0f64.sqrt()], [0.0]]),
        ),
        case(
            "masked norm of i32s is in f64",
            [value([3, 4]), value([F, T])],
            |_, [x, m]| x.masked(m).norm(..),
            value(4.0),
        ),
        case(
            "masked norm has slope 0 at 0",
            [
                value([[3.0, NAN, 4.0], [0.0, INF, 0.0], [1.0, 1.0, 1.0]]),
                value([[T, F, T], [T, F, T], [F, F, F]]),
            ],
            |_, [x, m]| grad(x.masked(m).norm(1).sum(..), x),
            value([[0.6, 0.0, 0.8], [0.0; 3], [0.0; 3]]),
        ),
    ]
}

fn masked_logsumexp() -> Vec<Case> {
    vec![
        case(
            "masked logsumexp",
            [value([1.0, 9.0, 1.0]), value([T, F, T])],
            |_, [x, m]| x.masked(m).logsumexp(..),
            value(1.0 + LN_2),
        )
        .smooth(),
        case(
            "masked logsumexp does not read NaN",
            holes(),
            |_, [x, m]| x.masked(m).logsumexp(1),
            value([3.1269280110429727, 5.0]),
        ),
        case(
            "masked logsumexp of none",
            [value([[1000.0, INF], [1.0, NAN]]), value([[T, F], [F, F]])],
            |_, [x, m]| x.masked(m).logsumexp(keep(1)),
            value([[1000.0], [-INF]]),
        ),
        case(
            "masked logsumexp of -inf",
            [value([-INF, -INF, 3.0]), value([T, T, F])],
            |_, [x, m]| x.masked(m).logsumexp(..),
            value(-INF),
        ),
        case(
            "masked logsumexp has no slope at what is not selected",
            [value([[0.0, NAN, 0.0], [1.0, NAN, INF]]), value([[T, F, T], [F, F, F]])],
            |_, [x, m]| grad(where_(m.any(1), x.masked(m).logsumexp(1), 0.0).sum(..), x),
            value([[0.5, 0.0, 0.5], [0.0; 3]]),
        ),
        case(
            "masked logsumexp of none has no slope",
            [value([1.0, NAN]), value([F, F])],
            |_, [x, m]| grad(x.masked(m).logsumexp(..), x),
            value([0.0, 0.0]),
        ),
    ]
}

/// `if_empty` and `initial`.
fn policies() -> Vec<Case> {
    vec![
        case("mean if_empty", half(), |_, [x, m]| x.masked(m).if_empty(7.0).mean(1), value([2.0, 7.0]))
            .smooth(),
        case("var if_empty", half(), |_, [x, m]| x.masked(m).if_empty(7.0).var(1), value([1.0, 7.0]))
            .smooth(),
        case("std if_empty", half(), |_, [x, m]| x.masked(m).if_empty(7.0).std(1), value([1.0, 7.0]))
            .smooth(),
        case("max if_empty", half(), |_, [x, m]| x.masked(m).if_empty(7.0).max(1), value([3.0, 7.0]))
            .smooth(),
        case(
            "min if_empty",
            half(),
            |_, [x, m]| x.masked(m).if_empty(-7).min(keep(1)),
            value([[1.0], [-7.0]]),
        )
        .smooth(),
        case(
            "max if_empty with a tensor of rank 0",
            [matrix(), value([[T, F, T], [F, F, F]]), value(0.5)],
            |_, [x, m, e]| x.masked(m).if_empty(e).max(1).square(),
            value([9.0, 0.25]),
        )
        .smooth(),
        case(
            "max if_empty of i32s",
            [value([i32::MIN, 5]), value([[T], [F]])],
            |_, [x, m]| x.broadcast_to([2, 2]).masked(m.broadcast_to([2, 2])).if_empty(7).max(1),
            value([5, 7]),
        )
        .with_known_lengths(),
        case(
            "min if_empty keeps a selected minimum",
            [value([[u8::MAX], [3]]), value([[T], [F]])],
            |_, [x, m]| x.masked(m).if_empty(7).min(1),
            value([255u8, 7]),
        ),
        case(
            "max if_empty keeps NaN",
            [value([NAN, 1.0]), value([T, F])],
            |_, [x, m]| x.masked(m).if_empty(7).max(..),
            value(NAN),
        ),
        case(
            "mean if_empty has no slope in what is empty",
            [value([[1.0, 3.0], [NAN, INF]]), value([T, F])],
            |_, [x, m]| grad(x.masked(m.expand_mask(x)).if_empty(0.0).mean(1).square().sum(..), x),
            value([[2.0, 2.0], [0.0, 0.0]]),
        ),
        case(
            "std if_empty has no slope in what is empty",
            [value([[1.0, 3.0], [NAN, INF]]), value([T, F])],
            |_, [x, m]| grad(x.masked(m.expand_mask(x)).if_empty(0.0).std(1).sum(..), x),
            value([[-0.5, 0.5], [0.0, 0.0]]),
        ),
        case("max initial", half(), |_, [x, m]| x.masked(m).initial(2.0).max(1), value([3.0, 2.0])).smooth(),
        case(
            "max initial is compared",
            half(),
            |_, [x, m]| x.masked(m).initial(8.0).max(1),
            value([8.0, 8.0]),
        )
        .smooth(),
        case("min initial", half(), |_, [x, m]| x.masked(m).initial(2.0).min(keep(1)), value([[1.0], [2.0]]))
            .smooth(),
        case(
            "max initial of i32s",
            [value([3, 9]), value([T, F])],
            |_, [x, m]| x.masked(m).initial(5).max(0),
            value(5),
        ),
        case(
            "max initial shares the slope with its equal",
            [value([2.0, 9.0, 1.0]), value([T, F, T])],
            |_, [x, m]| grad(x.masked(m).initial(2.0).max(..), x),
            value([0.5, 0.0, 0.0]),
        ),
        case("sum initial", half(), |_, [x, m]| x.masked(m).initial(2.0).sum(1), value([6.0, 2.0])).smooth(),
        case(
            "sum initial of u8s is an i64",
            [value([200u8, 100, 9]), value([T, T, F])],
            |_, [x, m]| x.masked(m).initial(-1000).sum(keep(0)),
            value([-700_i64]),
        ),
        case("prod initial", half(), |_, [x, m]| x.masked(m).initial(2.0).prod(1), value([6.0, 2.0]))
            .smooth(),
        case(
            "prod initial of bools is an i64",
            [value([T, T, F]), value([T, T, F])],
            |_, [x, m]| x.masked(m).initial(-3).prod(..),
            value(-3_i64),
        ),
        case("norm over root 2", [value([SQRT_2, 0.0])], |_, [x]| x.norm(..).square(), value(2.0))
            .within(8.0)
            .smooth(),
    ]
}
