//! Elementwise comparisons and predicates.

use tamis::graph::Compare;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Compare:
    Compare::Eq => [questions("eq", |a, b| a.eq(b), [F, T, F, F, F, T, T], [T, F, F, T]), exact()].concat(),
    Compare::Ne => questions("ne", |a, b| a.ne(b), [T, F, T, T, T, F, F], [F, T, T, F]),
    Compare::Lt => questions("lt", |a, b| a.lt(b), [T, F, F, F, F, F, F], [F, T, F, F]),
    Compare::Le => questions("le", |a, b| a.le(b), [T, T, F, F, F, T, T], [T, T, F, T]),
    Compare::Gt => questions("gt", |a, b| a.gt(b), [F, F, T, F, F, F, F], [F, F, T, F]),
    Compare::Ge => questions("ge", |a, b| a.ge(b), [F, T, T, F, F, T, T], [T, F, T, T]),
    Compare::IsNan => is_nan(),
    Compare::IsFinite => is_finite(),
    Compare::IsInf => is_inf(),
}

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

type Question = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

/// A question of seven pairs of floats, and of false and true with each other;
/// of the first three pairs in other dtypes.
fn questions(name: &str, ask: Question, answers: [bool; 7], of_bools: [bool; 4]) -> Vec<Case> {
    let left = [1.0, 2.0, 3.0, NAN, NAN, 0.0, INF];
    let right = [2.0, 2.0, 2.0, 1.0, NAN, -0.0, INF];
    let first = [answers[0], answers[1], answers[2]];
    let of = |what: &str, a, b, answers| {
        case(format!("{name} of {what}"), [a, b], move |_, [a, b]| ask(a, b), answers)
    };
    vec![
        of("floats", value(left), value(right), value(answers)),
        of("f32s", value([1.0f32, 2.0, 3.0]), value([2.0f32, 2.0, 2.0]), value(first)),
        of("i32s", value([1, 2, 3]), value([2, 2, 2]), value(first)),
        of("i64s", value([1i64, 2, 3]), value([2i64, 2, 2]), value(first)),
        of("u8s", value([1u8, 2, 3]), value([2u8, 2, 2]), value(first)),
        of("bools", value([F, F, T, T]), value([F, T, F, T]), value(of_bools)),
        of("u8s and floats", value([1u8, 2, 3]), value([2.0, 2.0, 2.0]), value(first)),
        of("bools and i32s", value([F, T]), value([1, 1]), value([answers[0], answers[1]])),
        of("a column and a row", value([[1], [2], [3]]), value([[2]]), value(first.map(|answer| [answer]))),
        of("rank 0", value(1), value(2), value(answers[0])),
        of("an empty array", empty::<f64>(&[0]), value(2.0), empty::<bool>(&[0])),
    ]
}

/// A scalar beyond an integer tensor's dtype is compared exactly.
fn exact() -> Vec<Case> {
    vec![
        case("u8s are below 256", [value([0u8, 255])], |_, [x]| x.lt(256), value([T, T])),
        case("u8s are above -1", [value([0u8, 255])], |_, [x]| x.gt(-1), value([T, T])),
        case("no u8 is 256", [value([0u8, 255])], |_, [x]| x.eq(256), value([F, F])),
        case("i32s are below 2³¹", [value([i32::MAX])], |_, [x]| x.lt(2_147_483_648_i64), value([T])),
        case("i32s are compared with fractions", [value([1, 2])], |_, [x]| x.gt(1.5), value([F, T])),
        case(
            "i64s differ beyond the precision of f64",
            [value([9_007_199_254_740_993_i64]), value([9_007_199_254_740_992_i64])],
            |_, [a, b]| a.gt(b),
            value([T]),
        ),
        case("bools are compared with 1", [value([F, T])], |_, [x]| x.eq(1), value([F, T])),
        case(
            "comparisons are flat",
            [value([1.0, -2.0])],
            |_, [x]| grad((x.gt(0.0).cast(x.dtype()) * x).sum(..), x),
            value([1.0, 0.0]),
        ),
    ]
}

fn is_nan() -> Vec<Case> {
    let floats = [1.0, NAN, INF, -INF];
    vec![
        case("is_nan", [value(floats)], |_, [x]| x.is_nan(), value([F, T, F, F])),
        case("is_nan of i32s", [value([0, 1])], |_, [x]| x.is_nan(), value([F, F])),
        case("is_nan of bools", [value([T])], |_, [x]| x.is_nan(), value([F])),
    ]
}

fn is_finite() -> Vec<Case> {
    let floats = [1.0, NAN, INF, -INF];
    vec![
        case("is_finite", [value(floats)], |_, [x]| x.is_finite(), value([T, F, F, F])),
        case("is_finite of i64s", [value([0i64, 1])], |_, [x]| x.is_finite(), value([T, T])),
        case("is_finite of bools", [value([F])], |_, [x]| x.is_finite(), value([T])),
        case(
            "is_finite of an empty array",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.is_finite(),
            empty::<bool>(&[2, 0]),
        ),
    ]
}

fn is_inf() -> Vec<Case> {
    let floats = [1.0, NAN, INF, -INF];
    vec![
        case("is_inf", [value(floats)], |_, [x]| x.is_inf(), value([F, F, T, T])),
        case("is_inf of the largest", [value([f64::MAX, f64::MIN])], |_, [x]| x.is_inf(), value([F, F]))
            .with_fixed_dtypes(),
        case("is_inf of f32s", [value([f32::MAX, f32::INFINITY])], |_, [x]| x.is_inf(), value([F, T])),
        case("is_inf of i64s", [value([0i64, i64::MAX])], |_, [x]| x.is_inf(), value([F, F])),
        case("is_inf of bools", [value([T])], |_, [x]| x.is_inf(), value([F])),
        case(
            "is_inf of an empty array",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.is_inf(),
            empty::<bool>(&[2, 0]),
        ),
    ]
}
