//! The functions beside those of the standard library, and themselves at every SIMD level.

use super::Elementary;
use crate::level::{Level, at_level};

/// A function of this module and a reference for it.
struct Case {
    name: &'static str,
    narrow: fn(f32) -> f32,
    wide: fn(f64) -> f64,
    /// Accurate to about one unit in the last place, so that it decides for f32.
    reference: fn(f64) -> f64,
    narrow_loop: fn(Level, &[f32], &mut [f32]),
    wide_loop: fn(Level, &[f64], &mut [f64]),
}

impl Case {
    /// Whether the function promises anything of `x`.
    fn covers(&self, x: f64) -> bool {
        let limited = matches!(self.name, "sin" | "cos" | "tan");
        !(limited && x.is_finite() && x.abs() > f64::SIN_LIMIT)
    }
}

macro_rules! cases {
    ($($(#[$doc:meta])* $name:ident($x:ident): $narrow:expr, $wide:expr, near $reference:expr;)*) => {
        [$({
            fn in_loop<F: Elementary>(level: Level, from: &[F], to: &mut [F]) {
                at_level!(level, for (x, y) in from.iter().zip(to) {
                    *y = x.$name();
                });
            }
            Case {
                name: stringify!($name),
                narrow: Elementary::$name,
                wide: Elementary::$name,
                reference: $reference,
                narrow_loop: in_loop::<f32>,
                wide_loop: in_loop::<f64>,
            }
        }),*]
    };
}

fn cases() -> impl IntoIterator<Item = Case> {
    functions!(cases)
}

/// Critical arguments of a function: ends of the range and points where formulas
/// change.
const POINTS: [f64; 36] = [
    0.0,
    f64::INFINITY,
    f64::NAN,
    f64::MAX,
    f64::MIN_POSITIVE,
    f64::from_bits(1),
    f32::MAX as f64,
    f32::MIN_POSITIVE as f64,
    f32::from_bits(1) as f64,
    1.0,
    2.0,
    0.25,
    0.5 * std::f64::consts::LN_2,
    std::f64::consts::LN_2,
    1.5 * std::f64::consts::LN_2,
    std::f64::consts::FRAC_1_SQRT_2,
    std::f64::consts::SQRT_2,
    std::f64::consts::SQRT_2 - 1.0,
    1.0 - std::f64::consts::FRAC_1_SQRT_2,
    20.0,
    40.0,
    87.336_54,
    88.722_84,
    103.972_08,
    708.396_418_532_264_1,
    709.782_712_893_384,
    745.133_219_101_941_1,
    710.475_860_073_943_9,
    0.5,
    3.0,
    6.0,
    std::f64::consts::SQRT_2 + 1.0,
    std::f64::consts::FRAC_PI_4,
    std::f64::consts::FRAC_PI_2,
    std::f64::consts::PI,
    f64::SIN_LIMIT,
];

/// Every point and its nearest neighbours, of both signs.
fn narrow_edges() -> impl Iterator<Item = f32> {
    let near = |point: f64| {
        (0..7)
            .map(move |step| f32::from_bits((point as f32).to_bits().saturating_add(step).saturating_sub(3)))
    };
    POINTS.into_iter().flat_map(near).flat_map(|x| [x, -x])
}

/// The same in f64.
fn wide_edges() -> impl Iterator<Item = f64> {
    let near = |point: f64| {
        (0..7).map(move |step| f64::from_bits(point.to_bits().saturating_add(step).saturating_sub(3)))
    };
    POINTS.into_iter().flat_map(near).flat_map(|x| [x, -x])
}

/// More than a million of f32, evenly distributed over all bit patterns, and multiples of
/// π/2.
fn narrow_sample() -> impl Iterator<Item = f32> {
    let multiples = (0..100_000).map(|i| (f64::from(i) * std::f64::consts::FRAC_PI_2) as f32);
    (0..=u32::MAX).step_by(4093).map(f32::from_bits).chain(multiples)
}

/// A million of f64: over all bit patterns, where the functions bend, and multiples of π/2.
fn wide_sample() -> impl Iterator<Item = f64> {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..250_000_u64).flat_map(|i| {
        let bits = i.wrapping_mul(GOLDEN);
        let fraction = bits as f64 / u64::MAX as f64 - 0.5;
        let multiple = i as f64 * std::f64::consts::FRAC_PI_2;
        [f64::from_bits(bits), 100.0 * fraction, 2.0 * fraction, multiple]
    })
}

/// How many floats lie between two of them, and one; 0 for two of NaN. Zeros of
/// different signs are far apart.
fn steps(got: u64, want: u64, both_nan: bool) -> u64 {
    if both_nan { 0 } else { got.abs_diff(want) }
}

#[test]
fn narrow_results_are_within_two_and_a_half_units() {
    for case in cases() {
        for x in narrow_sample().chain(narrow_edges()).filter(|x| case.covers((*x).into())) {
            let (got, want) = ((case.narrow)(x), (case.reference)(f64::from(x)) as f32);
            // Two steps from the rounded result are at most two and a half units from the exact one.
            let apart = steps(got.to_bits().into(), want.to_bits().into(), got.is_nan() && want.is_nan());
            assert!(apart <= 2, "{}({x:e}) = {got:e}, not {want:e}", case.name);
        }
    }
}

#[test]
fn wide_results_are_within_four_units() {
    for case in cases() {
        for x in wide_sample().chain(wide_edges()).filter(|x| case.covers(*x)) {
            let (got, want) = ((case.wide)(x), (case.reference)(x));
            let apart = steps(got.to_bits(), want.to_bits(), got.is_nan() && want.is_nan());
            assert!(apart <= 4, "{}({x:e}) = {got:e}, not {want:e}", case.name);
        }
    }
}

#[test]
fn every_simd_level_yields_the_same_bits() {
    let narrow: Vec<f32> = narrow_sample().step_by(97).chain(narrow_edges()).collect();
    let wide: Vec<f64> = wide_sample().step_by(97).chain(wide_edges()).collect();
    let (mut narrow_out, mut wide_out) = (narrow.clone(), wide.clone());
    for case in cases() {
        for level in Level::all() {
            (case.narrow_loop)(level, &narrow, &mut narrow_out);
            for (x, y) in narrow.iter().zip(&narrow_out) {
                let want = (case.narrow)(*x);
                assert!(
                    y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan(),
                    "{}({x:e}) = {y:e} at {level:?}, not {want:e}",
                    case.name
                );
            }
            (case.wide_loop)(level, &wide, &mut wide_out);
            for (x, y) in wide.iter().zip(&wide_out) {
                let want = (case.wide)(*x);
                assert!(
                    y.to_bits() == want.to_bits() || y.is_nan() && want.is_nan(),
                    "{}({x:e}) = {y:e} at {level:?}, not {want:e}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn both_tails_are_right() {
    assert_eq!(Elementary::sigmoid(-100.0_f32), 3.78e-44); // e⁻¹⁰⁰, subnormal
    assert_eq!(Elementary::sigmoid(100.0_f32), 1.0);
    assert_eq!(Elementary::tanh(f32::MIN), -1.0);
    assert_eq!(Elementary::exp(-745.0_f64), 4.94e-324);
    assert_eq!(Elementary::ln(0.0_f64), f64::NEG_INFINITY);
    assert_eq!(Elementary::ln(-0.0_f32), f32::NEG_INFINITY);
    assert!(Elementary::ln(-1.0_f32).is_nan());
}

#[test]
fn odd_functions_keep_the_sign_of_zero() {
    for odd in [
        Elementary::exp_m1,
        Elementary::ln_1p,
        Elementary::tanh,
        Elementary::sinh,
        Elementary::asin,
        Elementary::atan,
        Elementary::erf,
        Elementary::sin,
        Elementary::tan,
    ] {
        assert!(f32::is_sign_negative(odd(-0.0_f32)) && f32::is_sign_positive(odd(0.0_f32)));
    }
}
