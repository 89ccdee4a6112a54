//! Elementwise functions of one operand.

use std::f64::consts::{
    E, FRAC_2_SQRT_PI, FRAC_PI_2, FRAC_PI_3, FRAC_PI_4, FRAC_PI_6, LN_2, LN_10, PI, SQRT_2,
};

use tamis::graph::Unary;
use tamis::prelude::*;
use tamis::{DType, Value};

use super::variants;
use crate::array::{elements, empty, value};
use crate::case::{Case, case};

variants! {
    Unary:
    Unary::Neg => neg(),
    Unary::Abs => abs(),
    Unary::Sign => sign(),
    Unary::Exp => exp(),
    Unary::ExpM1 => exp_m1(),
    Unary::Ln => ln(),
    Unary::Ln1p => ln_1p(),
    Unary::Sqrt => sqrt(),
    Unary::Recip => recip(),
    Unary::Sin => sin(),
    Unary::Cos => cos(),
    Unary::Tan => tan(),
    Unary::Asin => asin(),
    Unary::Acos => acos(),
    Unary::Atan => atan(),
    Unary::Sinh => sinh(),
    Unary::Cosh => cosh(),
    Unary::Tanh => tanh(),
    Unary::Erf => erf(),
    Unary::Softplus => softplus(),
    Unary::Sigmoid => sigmoid(),
    Unary::Relu => relu(),
    Unary::Square => square(),
    Unary::Floor => floor(),
    Unary::Ceil => ceil(),
    Unary::Round => round(),
    Unary::Trunc => trunc(),
    Unary::Cast(_) => cast(),
    Unary::StopGradient => stop_gradient(),
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

type Function = for<'g> fn(Expr<'g>) -> Expr<'g>;

/// A function of elements of any dtype.
#[track_caller]
fn of(name: &str, f: Function, x: Value, y: Value) -> Case {
    case(name, [x], move |_, [x]| f(x), y)
}

/// A function of floats, given by pairs of an element and its result.
#[track_caller]
fn at<const N: usize>(name: &str, f: Function, points: [(f64, f64); N]) -> Case {
    of(name, f, value(points.map(|(x, _)| x)), value(points.map(|(_, y)| y)))
}

/// The gradient of the sum of a function of floats, given by pairs.
#[track_caller]
fn slope<const N: usize>(name: &str, f: Function, points: [(f64, f64); N]) -> Case {
    let [x, slope] = [value(points.map(|(x, _)| x)), value(points.map(|(_, slope)| slope))];
    case(name, [x], move |_, [x]| grad(f(x).sum(..), x), slope)
}

fn neg() -> Vec<Case> {
    vec![
        at("neg", |x| -x, [(1.5, -1.5), (-2.0, 2.0), (0.25, -0.25)]).smooth(),
        at("neg at its ends", |x| x.negate(), [(INF, -INF), (NAN, NAN)]),
        of("neg gives zeros of the other sign", |x| (-x).recip(), value([0.0, -0.0]), value([-INF, INF])),
        of("neg of i32s wraps", |x| -x, value([3, 0, i32::MIN]), value([-3, 0, i32::MIN])),
        of("neg of i64s wraps", |x| -x, value([i64::MIN, -1]), value([i64::MIN, 1])),
        of("neg of u8s wraps", |x| -x, value([0u8, 1, 255]), value([0u8, 255, 1])),
    ]
}

fn abs() -> Vec<Case> {
    vec![
        at("abs", |x| x.abs(), [(1.5, 1.5), (-2.0, 2.0)]).smooth(),
        at("abs at its ends", |x| x.abs(), [(0.0, 0.0), (-INF, INF), (NAN, NAN)]),
        of("abs of i32s wraps", |x| x.abs(), value([-3, 4, i32::MIN]), value([3, 4, i32::MIN])),
        of("abs of u8s", |x| x.abs(), value([0u8, 200]), value([0u8, 200])),
        slope("abs has slope 0 at 0", |x| x.abs(), [(-2.0, -1.0), (0.0, 0.0), (-0.0, 0.0), (3.0, 1.0)]),
    ]
}

fn sign() -> Vec<Case> {
    vec![
        at("sign", |x| x.sign(), [(3.0, 1.0), (-0.5, -1.0), (INF, 1.0)]),
        at("sign at 0 and NaN", |x| x.sign(), [(0.0, 0.0), (-0.0, 0.0), (NAN, NAN)]),
        at("sign is flat", |x| x.sign(), [(3.0, 1.0), (-0.5, -1.0)]).smooth(),
        of("sign of i64s", |x| x.sign(), value([-7i64, 0, 9]), value([-1i64, 0, 1])),
        of("sign of u8s", |x| x.sign(), value([0u8, 9]), value([0u8, 1])),
        slope("sign has slope 0 at 0", |x| x.sign(), [(0.0, 0.0), (NAN, 0.0)]),
    ]
}

fn exp() -> Vec<Case> {
    vec![
        at("exp", |x| x.exp(), [(0.0, 1.0), (1.0, E), (-1.5, 0.22313016014842982)]).smooth(),
        at("exp at its ends", |x| x.exp(), [(-INF, 0.0), (INF, INF), (1e4, INF), (-1e4, 0.0), (NAN, NAN)]),
        of("exp of i32s is in f64", |x| x.exp(), value([0, 1]), value([1.0, E])),
        of("exp of u8s is in f32", |x| x.exp(), value([0u8, 0]), value([1.0f32, 1.0])),
        of("exp of bools is in f32", |x| x.exp(), value([false, false]), value([1.0f32, 1.0])),
    ]
}

fn exp_m1() -> Vec<Case> {
    vec![
        at("exp_m1", |x| x.exp_m1(), [(0.0, 0.0), (1.0, E - 1.0), (-1.5, -0.7768698398515702)]).smooth(),
        at("exp_m1 near 0", |x| x.exp_m1(), [(1e-10, 1.00000000005e-10)]).smooth(),
        at("exp_m1 at its ends", |x| x.exp_m1(), [(-INF, -1.0), (INF, INF), (NAN, NAN)]),
        of("exp_m1 of i64s is in f64", |x| x.exp_m1(), value([0i64]), value([0.0])),
        slope("exp_m1 keeps a small slope", |x| x.exp_m1(), [(-40.0, 4.248354255291589e-18)]).within(16.0),
    ]
}

fn ln() -> Vec<Case> {
    vec![
        at("ln", |x| x.ln(), [(1.0, 0.0), (2.0, LN_2), (0.5, -LN_2), (10.0, LN_10)]).smooth(),
        at("ln at its ends", |x| x.ln(), [(0.0, -INF), (-0.0, -INF), (-1.0, NAN), (INF, INF), (NAN, NAN)]),
        of("ln of i32s is in f64", |x| x.ln(), value([1, 2]), value([0.0, LN_2])),
        slope("ln is steep at 0", |x| x.ln(), [(0.0, INF), (0.5, 2.0)]),
    ]
}

fn ln_1p() -> Vec<Case> {
    vec![
        at("ln_1p", |x| x.ln_1p(), [(0.0, 0.0), (1.0, LN_2), (-0.5, -LN_2)]).smooth(),
        at("ln_1p near 0", |x| x.ln_1p(), [(1e-10, 9.999999999500001e-11)]).smooth(),
        at("ln_1p at its ends", |x| x.ln_1p(), [(-1.0, -INF), (-2.0, NAN), (INF, INF), (NAN, NAN)]),
        of("ln_1p of i32s is in f64", |x| x.ln_1p(), value([1]), value([LN_2])),
    ]
}

fn sqrt() -> Vec<Case> {
    vec![
        at("sqrt", |x| x.sqrt(), [(4.0, 2.0), (2.0, SQRT_2), (0.25, 0.5)]).smooth(),
        at("sqrt at its ends", |x| x.sqrt(), [(0.0, 0.0), (-1.0, NAN), (INF, INF), (NAN, NAN)]),
        of("sqrt of i64s is in f64", |x| x.sqrt(), value([4i64, 2]), value([2.0, SQRT_2])),
        of("sqrt of u8s is in f32", |x| x.sqrt(), value([4u8, 9]), value([2.0f32, 3.0])),
        slope("sqrt is steep at 0", |x| x.sqrt(), [(0.0, INF), (4.0, 0.25), (-1.0, NAN)]),
    ]
}

fn recip() -> Vec<Case> {
    vec![
        at("recip", |x| x.recip(), [(4.0, 0.25), (-0.5, -2.0), (3.0, 1.0 / 3.0)]).smooth(),
        at("recip at its ends", |x| x.recip(), [(0.0, INF), (-0.0, -INF), (INF, 0.0), (NAN, NAN)]),
        of("recip of i32s is in f64", |x| x.recip(), value([4, -2]), value([0.25, -0.5])),
        of("recip of bools is in f32", |x| x.recip(), value([true, false]), value([1.0f32, f32::INFINITY])),
    ]
}

fn sin() -> Vec<Case> {
    let points = [(0.0, 0.0), (1.0, 0.8414709848078965), (-2.0, -0.9092974268256817)];
    vec![
        at("sin", |x| x.sin(), points).smooth(),
        at("sin at its ends", |x| x.sin(), [(INF, NAN), (NAN, NAN)]),
        of("sin of i32s is in f64", |x| x.sin(), value([0, 1]), value([0.0, 0.8414709848078965])),
    ]
}

fn cos() -> Vec<Case> {
    let points = [(0.0, 1.0), (1.0, 0.5403023058681398), (-2.0, -0.4161468365471424)];
    vec![
        at("cos", |x| x.cos(), points).smooth(),
        at("cos at its ends", |x| x.cos(), [(-INF, NAN), (NAN, NAN)]),
        of("cos of i32s is in f64", |x| x.cos(), value([0, 1]), value([1.0, 0.5403023058681398])),
    ]
}

fn tan() -> Vec<Case> {
    let points = [(0.0, 0.0), (1.0, 1.5574077246549023), (-2.0, 2.185039863261519)];
    vec![
        at("tan", |x| x.tan(), points).within(16.0).smooth(),
        at("tan at its ends", |x| x.tan(), [(INF, NAN), (-INF, NAN), (NAN, NAN)]),
        of("tan of i32s is in f64", |x| x.tan(), value([0, 1]), value([0.0, 1.5574077246549023])),
        of("tan of u8s is in f32", |x| x.tan(), value([0u8]), value([0.0f32])),
        slope("tan is steepest at its ends", |x| x.tan(), [(0.0, 1.0), (FRAC_PI_4, 2.0)]).within(16.0),
    ]
}

fn asin() -> Vec<Case> {
    let points = [(0.5, FRAC_PI_6), (0.0, 0.0), (-0.25, -0.25268025514207865)];
    vec![
        at("asin", |x| x.asin(), points).smooth(),
        at(
            "asin at its ends",
            |x| x.asin(),
            [(1.0, FRAC_PI_2), (-1.0, -FRAC_PI_2), (1.5, NAN), (-INF, NAN), (NAN, NAN)],
        ),
        of("asin of i32s is in f64", |x| x.asin(), value([0, 1]), value([0.0, FRAC_PI_2])),
        of("asin of bools is in f32", |x| x.asin(), value([false]), value([0.0f32])),
        slope("asin is steep at its ends", |x| x.asin(), [(1.0, INF), (-1.0, INF), (0.0, 1.0), (2.0, NAN)]),
    ]
}

fn acos() -> Vec<Case> {
    let points = [(0.5, FRAC_PI_3), (0.0, FRAC_PI_2), (-0.25, 1.8234765819369754)];
    vec![
        at("acos", |x| x.acos(), points).smooth(),
        at("acos at its ends", |x| x.acos(), [(1.0, 0.0), (-1.0, PI), (-1.5, NAN), (INF, NAN), (NAN, NAN)]),
        of("acos of i64s is in f64", |x| x.acos(), value([1i64, 0]), value([0.0, FRAC_PI_2])),
        slope(
            "acos is steep at its ends",
            |x| x.acos(),
            [(1.0, -INF), (-1.0, -INF), (0.0, -1.0), (2.0, NAN)],
        ),
    ]
}

fn atan() -> Vec<Case> {
    let points = [(1.0, FRAC_PI_4), (-2.0, -1.1071487177940904), (0.5, 0.4636476090008061)];
    vec![
        at("atan", |x| x.atan(), points).smooth(),
        at("atan at its ends", |x| x.atan(), [(0.0, 0.0), (INF, FRAC_PI_2), (-INF, -FRAC_PI_2), (NAN, NAN)]),
        of("atan of i32s is in f64", |x| x.atan(), value([1, -1]), value([FRAC_PI_4, -FRAC_PI_4])),
        slope("atan is flat in its tails", |x| x.atan(), [(INF, 0.0), (-INF, 0.0), (1.0, 0.5), (0.0, 1.0)]),
    ]
}

fn sinh() -> Vec<Case> {
    let points = [(1.0, 1.1752011936438014), (-2.0, -3.626860407847019), (0.5, 0.5210953054937474)];
    vec![
        at("sinh", |x| x.sinh(), points).smooth(),
        at("sinh near 0", |x| x.sinh(), [(1e-10, 1e-10), (0.0, 0.0)]).smooth(),
        at(
            "sinh at its ends",
            |x| x.sinh(),
            [(INF, INF), (-INF, -INF), (1e4, INF), (-1e4, -INF), (NAN, NAN)],
        ),
        of("sinh of i32s is in f64", |x| x.sinh(), value([0, 1]), value([0.0, 1.1752011936438014])),
    ]
}

fn cosh() -> Vec<Case> {
    let points = [(0.0, 1.0), (1.0, 1.5430806348152437), (-2.0, 3.7621956910836314)];
    vec![
        at("cosh", |x| x.cosh(), points).smooth(),
        at("cosh at its ends", |x| x.cosh(), [(INF, INF), (-INF, INF), (-1e4, INF), (NAN, NAN)]),
        of("cosh of i64s is in f64", |x| x.cosh(), value([0i64, 1]), value([1.0, 1.5430806348152437])),
        of("cosh of u8s is in f32", |x| x.cosh(), value([0u8]), value([1.0f32])),
        slope("cosh has slope 0 at 0", |x| x.cosh(), [(0.0, 0.0), (1.0, 1.1752011936438014)]),
    ]
}

fn tanh() -> Vec<Case> {
    let points = [(0.0, 0.0), (1.0, 0.7615941559557649), (-0.5, -0.46211715726000974)];
    vec![
        at("tanh", |x| x.tanh(), points).smooth(),
        at("tanh at its ends", |x| x.tanh(), [(100.0, 1.0), (-INF, -1.0), (INF, 1.0), (NAN, NAN)]),
        of("tanh of i64s is in f64", |x| x.tanh(), value([0i64, 1]), value([0.0, 0.7615941559557649])),
        slope("tanh is flat in its tails", |x| x.tanh(), [(1e3, 0.0), (-1e3, 0.0), (0.0, 1.0)]),
    ]
}

fn erf() -> Vec<Case> {
    let points = [(0.0, 0.0), (1.0, 0.8427007929497149), (-2.0, -0.9953222650189527)];
    vec![
        at("erf", |x| x.erf(), points).smooth(),
        at("erf near 0", |x| x.erf(), [(1e-10, 1.1283791670955126e-10), (-1e-30, -1.1283791670955126e-30)]),
        at("erf between", |x| x.erf(), [(0.5, 0.5204998778130465), (3.5, 0.9999992569016276)]),
        at(
            "erf at its ends",
            |x| x.erf(),
            [(INF, 1.0), (-INF, -1.0), (100.0, 1.0), (-100.0, -1.0), (NAN, NAN)],
        ),
        of("erf of i32s is in f64", |x| x.erf(), value([0, 1]), value([0.0, 0.8427007929497149])),
        of("erf of u8s is in f32", |x| x.erf(), value([0u8, 1]), value([0.0f32, 0.842_700_8])),
        slope(
            "erf is flat in its tails",
            |x| x.erf(),
            [(0.0, FRAC_2_SQRT_PI), (1.0, 0.4151074974205947), (1e3, 0.0), (-INF, 0.0)],
        ),
    ]
}

fn softplus() -> Vec<Case> {
    let points = [(0.0, LN_2), (1.0, 1.3132616875182228), (-2.0, 0.1269280110429725)];
    vec![
        at("softplus", |x| x.softplus(), points).smooth(),
        at(
            "softplus at its ends",
            |x| x.softplus(),
            [(1e4, 1e4), (-1e4, 0.0), (INF, INF), (-INF, 0.0), (NAN, NAN)],
        ),
        at("softplus keeps a small tail", |x| x.softplus(), [(-50.0, 1.9287498479639178e-22)]),
        of("softplus of i64s is in f64", |x| x.softplus(), value([0i64]), value([LN_2])),
        slope(
            "softplus has the slope of sigmoid",
            |x| x.softplus(),
            [(0.0, 0.5), (1e4, 1.0), (-1e4, 0.0), (1.0, 0.7310585786300049), (-50.0, 1.9287498479639178e-22)],
        ),
    ]
}

/// A builder, `1 / √x`.
fn rsqrt() -> Vec<Case> {
    vec![
        at("rsqrt", |x| x.rsqrt(), [(4.0, 0.5), (0.25, 2.0), (2.0, 1.0 / SQRT_2)]).smooth(),
        at("rsqrt at its ends", |x| x.rsqrt(), [(0.0, INF), (-1.0, NAN), (INF, 0.0), (NAN, NAN)]),
        of("rsqrt of i32s is in f64", |x| x.rsqrt(), value([4, 0]), value([0.5, INF])),
        of("rsqrt of u8s is in f32", |x| x.rsqrt(), value([4u8]), value([0.5f32])),
        slope("rsqrt is steep at 0", |x| x.rsqrt(), [(0.0, -INF), (4.0, -0.0625), (-1.0, NAN)]),
    ]
}

fn sigmoid() -> Vec<Case> {
    let points = [(0.0, 0.5), (1.0, 0.7310585786300049), (-2.0, 0.11920292202211756)];
    vec![
        at("sigmoid", |x| x.sigmoid(), points).smooth(),
        at(
            "sigmoid at its ends",
            |x| x.sigmoid(),
            [(1e4, 1.0), (-1e4, 0.0), (INF, 1.0), (-INF, 0.0), (NAN, NAN)],
        ),
        at("sigmoid keeps a small tail", |x| x.sigmoid(), [(-50.0, 1.9287498479639178e-22)]),
        of("sigmoid of u8s is in f32", |x| x.sigmoid(), value([0u8]), value([0.5f32])),
        slope("sigmoid is flat in its tails", |x| x.sigmoid(), [(1e4, 0.0), (-1e4, 0.0), (0.0, 0.25)]),
    ]
}

fn relu() -> Vec<Case> {
    vec![
        at("relu", |x| x.relu(), [(1.5, 1.5), (-2.0, 0.0), (3.0, 3.0)]).smooth(),
        at("relu at its ends", |x| x.relu(), [(0.0, 0.0), (-INF, 0.0), (INF, INF), (NAN, NAN)]),
        of("relu of i32s", |x| x.relu(), value([-3, 4]), value([0, 4])),
        slope("relu has slope 0 at 0", |x| x.relu(), [(-1.0, 0.0), (0.0, 0.0), (2.0, 1.0)]),
        slope("relu lets NaN pass", |x| x.relu(), [(NAN, 1.0), (-INF, 0.0)]),
    ]
}

fn square() -> Vec<Case> {
    vec![
        at("square", |x| x.square(), [(3.0, 9.0), (-2.0, 4.0), (0.0, 0.0)]).smooth(),
        at("square at its ends", |x| x.square(), [(-INF, INF), (1e200, INF), (NAN, NAN)]).with_fixed_dtypes(),
        of("square of i32s wraps", |x| x.square(), value([-3, 65536]), value([9, 0])),
        of("square of u8s wraps", |x| x.square(), value([15u8, 16, 17]), value([225u8, 0, 33])),
    ]
}

fn floor() -> Vec<Case> {
    vec![
        at("floor", |x| x.floor(), [(1.5, 1.0), (-1.5, -2.0), (0.5, 0.0)]).smooth(),
        at("floor at its ends", |x| x.floor(), [(2.0, 2.0), (-INF, -INF), (NAN, NAN), (1e300, 1e300)])
            .with_fixed_dtypes(),
        of("floor of i32s is what they are", |x| x.floor(), value([-3, 4]), value([-3, 4])),
        slope("floor has slope 0 at integers", |x| x.floor(), [(2.0, 0.0), (2.5, 0.0)]),
    ]
}

fn ceil() -> Vec<Case> {
    vec![
        at("ceil", |x| x.ceil(), [(1.5, 2.0), (-1.5, -1.0), (0.5, 1.0)]).smooth(),
        at("ceil at its ends", |x| x.ceil(), [(2.0, 2.0), (-INF, -INF), (NAN, NAN), (1e300, 1e300)])
            .with_fixed_dtypes(),
        of("ceil of i32s is what they are", |x| x.ceil(), value([-3, 4]), value([-3, 4])),
        slope("ceil has slope 0 at integers", |x| x.ceil(), [(2.0, 0.0), (2.5, 0.0)]),
    ]
}

fn round() -> Vec<Case> {
    vec![
        at("round", |x| x.round(), [(1.25, 1.0), (-1.75, -2.0), (0.75, 1.0)]).smooth(),
        at(
            "round takes the even of equally near",
            |x| x.round(),
            [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, 0.0), (-1.5, -2.0), (-2.5, -2.0)],
        ),
        at("round of almost a half", |x| x.round(), [(0.49999999999999994, 0.0)]).with_fixed_dtypes(),
        at(
            "round at its ends",
            |x| x.round(),
            [(INF, INF), (-INF, -INF), (NAN, NAN), (4503599627370497.0, 4503599627370497.0)],
        )
        .with_fixed_dtypes(),
        of("round of i64s is what they are", |x| x.round(), value([-3i64, 4]), value([-3i64, 4])),
        of("round of f32s", |x| x.round(), value([0.5f32, 8388609.0]), value([0.0f32, 8388609.0])),
        slope("round has slope 0 at a half", |x| x.round(), [(0.5, 0.0), (1.0, 0.0)]),
    ]
}

fn trunc() -> Vec<Case> {
    vec![
        at("trunc", |x| x.trunc(), [(1.75, 1.0), (-1.75, -1.0), (0.5, 0.0)]).smooth(),
        at("trunc at its ends", |x| x.trunc(), [(-2.0, -2.0), (-INF, -INF), (NAN, NAN), (1e300, 1e300)])
            .with_fixed_dtypes(),
        of("trunc of u8s is what they are", |x| x.trunc(), value([3u8, 4]), value([3u8, 4])),
        slope("trunc has slope 0 at integers", |x| x.trunc(), [(2.0, 0.0), (-2.5, 0.0)]),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    rsqrt()
}

/// Every dtype into every dtype.
fn cast() -> Vec<Case> {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let mut cases = Vec::new();
    let table: [(Value, [Value; 6]); 6] = [
        (
            value([false, true]),
            [
                value([false, true]),
                value([0u8, 1]),
                value([0, 1]),
                value([0i64, 1]),
                value([0.0f32, 1.0]),
                value([0.0, 1.0]),
            ],
        ),
        (
            value([0u8, 1, 200]),
            [
                value([false, true, true]),
                value([0u8, 1, 200]),
                value([0, 1, 200]),
                value([0i64, 1, 200]),
                value([0.0f32, 1.0, 200.0]),
                value([0.0, 1.0, 200.0]),
            ],
        ),
        (
            value([-1, 0, 300]),
            [
                value([true, false, true]),
                value([255u8, 0, 44]),
                value([-1, 0, 300]),
                value([-1i64, 0, 300]),
                value([-1.0f32, 0.0, 300.0]),
                value([-1.0, 0.0, 300.0]),
            ],
        ),
        (
            value([-1i64, 0, 4294967297]),
            [
                value([true, false, true]),
                value([255u8, 0, 1]),
                value([-1, 0, 1]),
                value([-1i64, 0, 4294967297]),
                value([-1.0f32, 0.0, 4294967296.0]),
                value([-1.0, 0.0, 4294967297.0]),
            ],
        ),
        (
            value([-1.5f32, 0.0, 300.75, nan, inf]),
            [
                value([true, false, true, true, true]),
                value([0u8, 0, 255, 0, 255]),
                value([-1, 0, 300, 0, i32::MAX]),
                value([-1i64, 0, 300, 0, i64::MAX]),
                value([-1.5f32, 0.0, 300.75, nan, inf]),
                value([-1.5, 0.0, 300.75, NAN, INF]),
            ],
        ),
        (
            value([-1.5, -0.0, 1e20, NAN, -INF, 0.1]),
            [
                value([true, false, true, true, true, true]),
                value([0u8, 0, 255, 0, 0, 0]),
                value([-1, 0, i32::MAX, 0, i32::MIN, 0]),
                value([-1i64, 0, i64::MAX, 0, i64::MIN, 0]),
                value([-1.5f32, 0.0, 1e20, nan, -inf, 0.1]),
                value([-1.5, -0.0, 1e20, NAN, -INF, 0.1]),
            ],
        ),
    ];
    for (from, to) in table {
        for (dtype, to) in DType::ALL.into_iter().zip(to) {
            let name = format!("cast of {} to {dtype}", elements(from.dtype()));
            cases.push(case(name, [from.clone()], move |_, [x]| x.cast(dtype), to).with_fixed_dtypes());
        }
    }
    cases.push(
        case(
            "cast of f32s to f64 and on",
            [value([0.5f32, 2.0])],
            |_, [x]| x.cast(DType::F64).square(),
            value([0.25, 4.0]),
        )
        .smooth(),
    );
    cases.push(
        case(
            "cast of f64s to f32 and on",
            [value([0.5, 2.0])],
            |_, [x]| x.cast(DType::F32).square() * x,
            value([0.125, 8.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
    );
    cases.push(
        case("cast of a literal", [], |graph, []| graph.scalar(2.5).cast(DType::I32), value(2))
            .with_fixed_dtypes()
            .unshared(),
    );
    let nothing = [empty::<f64>(&[0, 2])];
    cases.push(
        case("cast of an empty array", nothing, |_, [x]| x.cast(DType::U8), empty::<u8>(&[0, 2]))
            .with_fixed_dtypes(),
    );
    cases
}

fn stop_gradient() -> Vec<Case> {
    let twice_stopped = [(3.0, 3.0), (-2.0, -2.0)];
    vec![
        at("stop_gradient", |x| x.stop_gradient(), [(1.5, 1.5), (NAN, NAN)]),
        of("stop_gradient of integers", |x| x.stop_gradient(), value([1, 2]), value([1, 2])),
        slope("stop_gradient is constant to differentiation", |x| x * x.stop_gradient(), twice_stopped),
        slope(
            "stop_gradient hides a steep slope",
            |x| x.sqrt().stop_gradient() + x,
            [(0.0, 1.0), (4.0, 1.0)],
        ),
    ]
}
