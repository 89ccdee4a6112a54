//! The natural logarithm and what is made of it.

use super::exp;
use super::real::Real;

/// `ln x = ln m + k ln 2` with `x = m·2ᵏ`.
#[inline(always)]
pub(super) fn ln<F: Real>(x: F) -> F {
    let subnormal = x < F::MIN_POSITIVE;
    let split = (if subnormal { x * F::RAISE } else { x }).split();
    let k = split.k - if subnormal { F::RAISE_EXPONENT } else { F::ZERO };
    with_limits(F::ln_of_split(split.m - F::ONE, k), x, F::ZERO)
}

/// `ln(1 + x)`, with the sign of `x` where it is 0. Here `1 + x = s + c` exactly, with
/// the rounded sum `s = m·2ᵏ` and what it lost, `c` (D. E. Knuth, TAOCP 2, 4.2.2), so
/// that `f = (m − 1) + c·2⁻ᵏ`; that is `x` itself where `k = 0`.
#[inline(always)]
pub(super) fn ln_1p<F: Real>(x: F) -> F {
    let sum = F::ONE + x;
    let added = sum - F::ONE;
    let lost = (F::ONE - (sum - added)) + (x - added);
    let split = sum.split();
    let f = (split.m - F::ONE) + F::HALF * lost * split.twice_inverse;
    with_limits(F::ln_of_split(f, split.k), x, -F::ONE).copysign(x)
}

/// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|))`.
#[inline(always)]
pub(super) fn softplus<F: Real>(x: F) -> F {
    let exp = exp::exp_below(-x.abs());
    // 1 + exp is at most 2, so that k is 0 or 1.
    let halve = exp > F::ROOT_2 - F::ONE;
    let f = if halve { F::HALF * exp - F::HALF } else { exp };
    let k = if halve { F::ONE } else { F::ZERO };
    (if x > F::ZERO { x } else { F::ZERO }) + F::ln_of_split(f, k)
}

/// The logarithm of a finite argument above its pole; −∞ at the pole, NaN below it,
/// and the argument itself where that is ∞ or NaN.
#[inline(always)]
fn with_limits<F: Real>(ln: F, x: F, pole: F) -> F {
    let above = if x < F::INFINITY { ln } else { x };
    let at_most = if x == pole { -F::INFINITY } else { F::NAN };
    if x > pole { above } else { at_most }
}
