//! The error function of f64; that of f32 is this, rounded.

use super::exp;
use super::polynomial;

/// `erf x = x p(x²)` up to 1, and `1 − e^(−x²) q((|x| − 3)/(|x| + 3))` above, with the
/// sign of `x`. Above 6 it is 1. Errors 2⁻⁵⁶ and 2⁻⁵⁷; the mapping of `x` is the one of
/// J. L. Schonfelder, Chebyshev expansions for the error and related functions, 1978.
#[inline(always)]
pub(super) fn erf(x: f64) -> f64 {
    let z = x * x;
    let near = x * polynomial!(z;
        std::f64::consts::FRAC_2_SQRT_PI, -0.376_126_389_031_837_5, 0.112_837_916_709_548_79,
        -0.026_866_170_645_076_792, 0.005_223_977_624_818_014_5, -0.000_854_832_698_083_379,
        0.000_120_553_311_116_427_1, -1.492_559_526_683_118_2e-5, 1.646_100_048_412_136_8e-6,
        -1.635_031_270_105_469_5e-7, 1.465_977_527_404_743_6e-8, -1.137_284_885_679_167_4e-9,
        5.957_176_147_748_911e-11);
    let size = if x.abs() > 6.0 { 6.0 } else { x.abs() };
    let t = (size - 3.0) / (size + 3.0);
    let scaled = polynomial!(t;
        0.179_001_151_181_389_96, -0.326_233_560_043_037_16, 0.245_603_801_712_332,
        -0.150_115_936_500_788_6, 0.071_665_837_197_740_03, -0.024_392_499_318_223_744,
        0.004_269_136_347_924_462, 0.000_707_746_443_820_934_2, -0.000_597_062_360_099_190_1,
        4.525_472_143_172_973_5e-5, 6.406_189_214_498_458e-5, -1.284_876_653_481_495_3e-5,
        -8.008_188_927_092_288e-6, 2.023_001_254_581_376_8e-6, 1.279_769_593_327_358_7e-6);
    let far = 1.0 - exp::exp_below(-size * size) * scaled;
    (if x.abs() < 1.0 { near } else { far }).copysign(x)
}
