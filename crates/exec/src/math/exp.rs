//! The exponential function and what is made of it.

use super::polynomial;
use super::real::Real;

/// `eˣ = 2ⁿ·eʳ` with `x = n ln 2 + r`.
#[inline(always)]
pub(super) fn exp<F: Real>(x: F) -> F {
    exp_below(if x > F::EXP_MAX { F::EXP_MAX } else { x })
}

/// `eˣ` for `x ≤ EXP_MAX`.
#[inline(always)]
pub(super) fn exp_below<F: Real>(x: F) -> F {
    let reduced = reduce(if x < F::EXP_MIN { F::EXP_MIN } else { x });
    (F::ONE + reduced.exp_m1).scale(reduced.shifted)
}

/// `eˣ − 1`, with the sign of `x` where it is 0.
#[inline(always)]
pub(super) fn exp_m1<F: Real>(x: F) -> F {
    let below = if x > F::EXP_MAX { F::EXP_MAX } else { x };
    exp_m1_within(if below < F::EXP_M1_MIN { F::EXP_M1_MIN } else { below }).copysign(x)
}

/// `eˣ − 1 = 2·(½·2ⁿ·(eʳ − 1) + (½·2ⁿ − ½))` for `EXP_M1_MIN ≤ x ≤ EXP_MAX`. The half
/// is there because 2ⁿ may overflow before the result does.
#[inline(always)]
fn exp_m1_within<F: Real>(x: F) -> F {
    let reduced = reduce(x);
    let power = F::half_power(reduced.shifted);
    let scaled = F::TWO * (power * reduced.exp_m1 + (power - F::HALF));
    // Half of a subnormal number is not exact.
    if power == F::HALF { reduced.exp_m1 } else { scaled }
}

/// `1 / (1 + e⁻ˣ)`, or `eˣ / (1 + eˣ)` of a negative `x`.
#[inline(always)]
pub(super) fn sigmoid<F: Real>(x: F) -> F {
    let exp = exp_below(-x.abs());
    (if x >= F::ZERO { F::ONE } else { exp }) / (F::ONE + exp)
}

/// `tanh |x| = |d| / (d + 2)` with `d = e^(±2|x|) − 1`. With the upper sign, the error of
/// `d` weighs the less the larger it is; with the lower one, that of a small sum does.
#[inline(always)]
pub(super) fn tanh<F: Real>(x: F) -> F {
    let twice = F::TWO * x.abs();
    let bounded = if twice > -F::EXP_M1_MIN { -F::EXP_M1_MIN } else { twice };
    let difference = exp_m1_within(if twice < F::HALF { -twice } else { bounded });
    (difference / (difference + F::TWO)).copysign(x)
}

/// `sinh |x| = e^|x|/2 − ¼/(e^|x|/2)`, and `x + x³ p(x²)` up to 1, where that cancels.
/// Error of the polynomial 2⁻⁵⁶.
#[inline(always)]
pub(super) fn sinh(x: f64) -> f64 {
    let z = x * x;
    let tail = polynomial!(z;
        0.166_666_666_666_666_66, 0.008_333_333_333_333_299, 0.000_198_412_698_413_244_71,
        2.755_731_919_125_088_5e-6, 2.505_211_772_395_32e-8, 1.605_767_688_273_947_5e-10,
        7.746_278_224_810_715e-13);
    let half = half_exp(x.abs());
    (if x.abs() < 1.0 { x + x * z * tail } else { half - 0.25 / half }).copysign(x)
}

/// `cosh x = e^|x|/2 + ¼/(e^|x|/2)`.
#[inline(always)]
pub(super) fn cosh(x: f64) -> f64 {
    let half = half_exp(x.abs());
    half + 0.25 / half
}

/// `eˣ/2` of a positive `x`, also where `eˣ` overflows.
#[inline(always)]
fn half_exp(x: f64) -> f64 {
    let reduced = reduce(if x > 711.0 { 711.0 } else { x });
    (1.0 + reduced.exp_m1).scale(reduced.shifted - 1.0)
}

/// `x = n ln 2 + r` with an integer `n` and `|r| ≤ ½ ln 2`.
struct Reduced<F> {
    /// `n + SHIFT`.
    shifted: F,
    /// `eʳ − 1`.
    exp_m1: F,
}

/// The product with the upper part of ln 2 is exact, and so is its difference from `x`
/// (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980).
#[inline(always)]
fn reduce<F: Real>(x: F) -> Reduced<F> {
    let shifted = x.mul_add(F::LOG2_E, F::SHIFT);
    let n = shifted - F::SHIFT;
    let r = n.mul_add(-F::LN_2_LOW, n.mul_add(-F::LN_2_HIGH, x));
    Reduced { shifted, exp_m1: (r * r).mul_add(F::exp_tail(r), r) }
}
