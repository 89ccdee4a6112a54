//! The inverse trigonometric functions of f64; those of f32 are these, rounded.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};

use super::polynomial;

/// π/2 less its nearest f64.
const FRAC_PI_2_LOW: f64 = 6.123_233_995_736_766e-17;

/// `asin |x| = π/2 − 2 asin √((1 − |x|)/2)` above ½. NaN beyond 1, as that root is.
#[inline(always)]
pub(super) fn asin(x: f64) -> f64 {
    let inner = asin_within(reduce(x.abs()));
    let outer = (FRAC_PI_2 - 2.0 * inner) + FRAC_PI_2_LOW;
    (if x.abs() > 0.5 { outer } else { inner }).copysign(x)
}

/// `acos x = π/2 − asin x`, `2 asin √((1 − x)/2)` above ½, and `acos x = π − acos(−x)`.
#[inline(always)]
pub(super) fn acos(x: f64) -> f64 {
    let asin = asin_within(reduce(x));
    let middle = FRAC_PI_2 - (asin - FRAC_PI_2_LOW);
    let twice = 2.0 * asin;
    let outer = if x > 0.0 { twice } else { PI - (twice - 2.0 * FRAC_PI_2_LOW) };
    if x.abs() > 0.5 { outer } else { middle }
}

/// `x` itself up to ½, and above it `√((1 − |x|)/2)`, whose arcsine is half of `acos |x|`.
#[inline(always)]
fn reduce(x: f64) -> f64 {
    let root = (0.5 * (1.0 - x.abs())).sqrt();
    if x.abs() > 0.5 { root } else { x }
}

/// `asin x = x + x³ p(x²)` for `|x| ≤ ½`. Error 2⁻⁵⁷.
#[inline(always)]
fn asin_within(x: f64) -> f64 {
    let z = x * x;
    let tail = polynomial!(z;
        0.166_666_666_666_666_69, 0.074_999_999_999_984_25, 0.044_642_857_146_373_38,
        0.030_381_944_137_085_216, 0.022_372_173_002_005_596, 0.017_352_391_265_909_227,
        0.013_971_235_301_124_539, 0.011_478_952_690_257_387, 0.010_324_318_288_744_113,
        0.005_450_878_187_720_55, 0.017_419_357_964_884_856, -0.014_881_409_392_818_066,
        0.028_778_442_612_593_04);
    x + x * z * tail
}

/// `atan |x| = π/4 + atan((|x| − 1)/(|x| + 1))` above tan π/8, and `π/2 − atan(1/|x|)`
/// above tan 3π/8. One quotient serves all three.
#[inline(always)]
pub(super) fn atan(x: f64) -> f64 {
    let size = x.abs();
    let (middle, far) = (size > std::f64::consts::SQRT_2 - 1.0, size > std::f64::consts::SQRT_2 + 1.0);
    let above = if middle { size - 1.0 } else { size };
    let below = if middle { size + 1.0 } else { 1.0 };
    let u = (if far { -1.0 } else { above }) / (if far { size } else { below });
    let inner = if middle { FRAC_PI_4 } else { 0.0 };
    let inner_low = if middle { 0.5 * FRAC_PI_2_LOW } else { 0.0 };
    let start = if far { FRAC_PI_2 } else { inner };
    let start_low = if far { FRAC_PI_2_LOW } else { inner_low };
    (start + (atan_within(u) + start_low)).copysign(x)
}

/// `atan u = u + u³ p(u²)` for `|u| ≤ tan π/8`. Error 2⁻⁵⁸.
#[inline(always)]
fn atan_within(u: f64) -> f64 {
    let z = u * u;
    let tail = polynomial!(z;
        -0.333_333_333_333_333_3, 0.199_999_999_999_998, -0.142_857_142_856_588_24,
        0.111_111_111_050_575_7, -0.090_909_087_486_352_32, 0.076_922_962_344_915_14,
        -0.066_664_223_640_332_06, 0.058_789_000_323_429_83, -0.052_302_411_507_894,
        0.045_506_220_391_755_364, -0.034_545_610_104_858_494, 0.016_258_132_064_979_208);
    u + u * z * tail
}
