//! Sine, cosine and tangent. Those of f32 are calculated in f64.

use super::polynomial;
use super::real::Real;

/// The largest argument whose multiple of π/2 is known well enough: the multiple has at
/// most 20 bits, so that products with 33 bits of π/2 are exact.
pub(super) const LIMIT: f64 = 1e6;

#[inline(always)]
pub(super) fn sin(x: f64) -> f64 {
    let angle = reduce(x);
    odd(x, rotated(sin_cos(angle), angle.quadrant))
}

#[inline(always)]
pub(super) fn cos(x: f64) -> f64 {
    let angle = reduce(x);
    rotated(sin_cos(angle), angle.quadrant.wrapping_add(1))
}

#[inline(always)]
pub(super) fn tan(x: f64) -> f64 {
    let angle = reduce(x);
    odd(x, slope(sin_cos(angle), angle.quadrant))
}

#[inline(always)]
pub(super) fn sin_narrow(x: f32) -> f32 {
    let angle = reduce_narrow(x);
    odd(x, rotated(sin_cos_narrow(angle), angle.quadrant) as f32)
}

#[inline(always)]
pub(super) fn cos_narrow(x: f32) -> f32 {
    let angle = reduce_narrow(x);
    rotated(sin_cos_narrow(angle), angle.quadrant.wrapping_add(1)) as f32
}

#[inline(always)]
pub(super) fn tan_narrow(x: f32) -> f32 {
    let angle = reduce_narrow(x);
    odd(x, slope(sin_cos_narrow(angle), angle.quadrant) as f32)
}

/// An angle `n·π/2 + high + low` with `|high| ≤ π/4`.
#[derive(Clone, Copy)]
struct Angle {
    high: f64,
    low: f64,
    /// `n` in its two lowest bits; the others are unspecified.
    quadrant: u64,
}

/// π/2 in parts: three of 33 bits and the rest.
const PARTS: [f64; 4] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
    8.478_427_660_368_9e-32,
];

/// Four parts, as an f64 may lie within 2⁻⁶⁰ of a multiple of π/2, and its sine is to be
/// right in all its bits. Products with the first three are exact (Cody and Waite), and
/// so is the first difference; what the next two lose is kept.
#[inline(always)]
fn reduce(x: f64) -> Angle {
    let (n, quadrant) = nearest_multiple(x);
    let (first, first_lost) = difference(x - n * PARTS[0], n * PARTS[1]);
    let (second, second_lost) = difference(first, n * PARTS[2]);
    let lost = first_lost + (second_lost - n * PARTS[3]);
    let high = second + lost;
    Angle { high, low: (second - high) + lost, quadrant }
}

/// Two parts leave 2⁻⁶⁷, while an f32 of this range keeps 2⁻²⁸ from any multiple but 0.
#[inline(always)]
fn reduce_narrow(x: f32) -> Angle {
    let x = f64::from(x);
    let (n, quadrant) = nearest_multiple(x);
    Angle { high: (x - n * PARTS[0]) - n * (PARTS[1] + PARTS[2]), low: 0.0, quadrant }
}

/// The integer nearest to `x / (π/2)`, also as bits.
#[inline(always)]
fn nearest_multiple(x: f64) -> (f64, u64) {
    let shifted = x * std::f64::consts::FRAC_2_PI + f64::SHIFT;
    (shifted - f64::SHIFT, shifted.to_bits())
}

/// `a − b` and what its rounding loses (D. E. Knuth, TAOCP 2, 4.2.2).
#[inline(always)]
fn difference(a: f64, b: f64) -> (f64, f64) {
    let rounded = a - b;
    let subtracted = rounded - a;
    (rounded, (a - (rounded - subtracted)) - (b + subtracted))
}

/// Sine and cosine within the quadrant: `r + r³ s(r²)` and `1 − r²/2 + r⁴ c(r²)` at
/// `r = high`, and the derivatives times `low`. Errors 2⁻⁵⁶ and 2⁻⁶⁰.
#[inline(always)]
fn sin_cos(Angle { high, low, .. }: Angle) -> (f64, f64) {
    let z = high * high;
    let half = 0.5 * z;
    let sin = polynomial!(z;
        -0.166_666_666_666_666_66, 0.008_333_333_333_330_946, -0.000_198_412_698_367_549_7,
        2.755_731_610_068_303e-6, -2.505_113_145_542_794_6e-8, 1.591_810_123_027_412e-10);
    let cos = polynomial!(z;
        0.041_666_666_666_666_664, -0.001_388_888_888_888_739_5, 2.480_158_729_876_343_3e-5,
        -2.755_731_727_056_032_6e-7, 2.087_614_602_468_974_7e-9, -1.138_261_486_855_632_5e-11);
    let cos_head = 1.0 - half;
    let cos_lost = (1.0 - cos_head) - half;
    (high + (high * z * sin + low * cos_head), cos_head + (cos_lost + (z * z * cos - high * low)))
}

/// The same, as accurate as f32 needs: errors 2⁻³⁵ and 2⁻³⁰.
#[inline(always)]
fn sin_cos_narrow(Angle { high, .. }: Angle) -> (f64, f64) {
    let z = high * high;
    let sin = polynomial!(z;
        -0.166_666_666_638_530_44, 0.008_333_331_873_837_089, -0.000_198_400_862_637_554_43,
        2.724_986_465_513_958_5e-6);
    let cos =
        polynomial!(z; 0.041_666_664_658_300_42, -0.001_388_830_280_230_916_1, 2.454_789_161_981_386e-5);
    (high + high * z * sin, (1.0 - 0.5 * z) + z * z * cos)
}

/// The sine of an angle from those within its quadrant: `s, c, −s, −c` cyclically.
#[inline(always)]
fn rotated((sin, cos): (f64, f64), quadrant: u64) -> f64 {
    let size = if quadrant & 1 == 0 { sin } else { cos };
    f64::from_bits(size.to_bits() ^ (quadrant & 2) << 62)
}

/// The tangent of an angle from those within its quadrant: `s/c, −c/s` cyclically.
#[inline(always)]
fn slope((sin, cos): (f64, f64), quadrant: u64) -> f64 {
    let even = quadrant & 1 == 0;
    (if even { sin } else { -cos }) / (if even { cos } else { sin })
}

/// A result of `x`, or `x` itself where it is a zero, whose sign the reduction forgets.
#[inline(always)]
fn odd<F: Real>(x: F, result: F) -> F {
    if x == F::ZERO { x } else { result }
}
