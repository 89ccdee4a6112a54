//! What the functions need to know of a float: its bits, its constants and the
//! polynomials that are long enough for it. They know no more of it than this.
//!
//! The coefficients are Chebyshev interpolants, computed with 60 digits and
//! rounded. Errors are given relative to the function that the polynomial serves.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::polynomial;

/// A binary float.
pub(super) trait Real:
    Copy
    + PartialOrd
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    const ZERO: Self;
    const HALF: Self;
    const ONE: Self;
    const TWO: Self;
    const INFINITY: Self;
    const NAN: Self;
    const ROOT_2: Self;
    const MIN_POSITIVE: Self;
    /// The power of two that makes every subnormal number normal.
    const RAISE: Self;
    const RAISE_EXPONENT: Self;

    /// `1.5·2ᵖ` for the `p` stored bits of the mantissa. Added to a moderate number, it
    /// rounds that to an integer, which then stands in the lowest bits.
    const SHIFT: Self;
    const LOG2_E: Self;
    /// The upper bits of ln 2: few enough that products with an exponent are exact.
    const LN_2_HIGH: Self;
    /// The rest of ln 2.
    const LN_2_LOW: Self;

    /// Above this, `eˣ` is infinite; its own is so too.
    const EXP_MAX: Self;
    /// Below this, `eˣ` is 0; its own is so too.
    const EXP_MIN: Self;
    /// Below this, `eˣ − 1` is −1; its own is so too. Above its negation, `tanh x` is 1.
    const EXP_M1_MIN: Self;

    fn abs(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    /// `self · factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;

    /// `self·2ⁿ`, rounded once, where `shifted` is `n + SHIFT`.
    fn scale(self, shifted: Self) -> Self;

    /// `2ⁿ⁻¹` of a normal result, where `shifted` is `n + SHIFT`.
    fn half_power(shifted: Self) -> Self;

    /// A positive number `m·2ᵏ` with `√½ ≤ m < √2`.
    fn split(self) -> Split<Self>;

    /// `(eʳ − 1 − r) / r²` for `|r| ≤ ½ ln 2`.
    fn exp_tail(r: Self) -> Self;

    /// `ln(1 + f) + k ln 2` for `√½ ≤ 1 + f < √2`.
    fn ln_of_split(f: Self, k: Self) -> Self;
}

/// A number as `m·2ᵏ`.
#[derive(Clone, Copy)]
pub(super) struct Split<F> {
    pub(super) m: F,
    pub(super) k: F,
    /// `2¹⁻ᵏ`, or 0 where that is subnormal. Of the largest numbers, `2⁻ᵏ` has no such bits.
    pub(super) twice_inverse: F,
}

/// `$digits` are the stored bits of the mantissa, `$bias` is that of the exponent;
/// what else depends on the float stands in the braces.
macro_rules! real {
    ($float:ident, $bits:ident, $digits:literal, $bias:literal, { $($own:item)* }) => {
        impl Real for $float {
            const ZERO: $float = 0.0;
            const HALF: $float = 0.5;
            const ONE: $float = 1.0;
            const TWO: $float = 2.0;
            const INFINITY: $float = $float::INFINITY;
            const NAN: $float = $float::NAN;
            const ROOT_2: $float = std::$float::consts::SQRT_2;
            const MIN_POSITIVE: $float = $float::MIN_POSITIVE;
            const RAISE: $float = (1_u64 << $digits) as $float;
            const RAISE_EXPONENT: $float = $digits as $float;
            const SHIFT: $float = 1.5 * (1_u64 << $digits) as $float;
            const LOG2_E: $float = std::$float::consts::LOG2_E;

            $($own)*

            #[inline(always)]
            fn abs(self) -> $float {
                $float::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: $float) -> $float {
                $float::copysign(self, sign)
            }

            #[inline(always)]
            fn mul_add(self, factor: $float, term: $float) -> $float {
                $float::mul_add(self, factor, term)
            }

            // Two factors, as 2ⁿ alone may lie beyond the normal numbers. The first
            // product is exact, so that a subnormal result is rounded once.
            #[inline(always)]
            fn scale(self, shifted: $float) -> $float {
                let exponents = shifted.to_bits().wrapping_sub(Self::SHIFT.to_bits() - 2 * $bias);
                let first = exponents >> 1;
                let second = exponents.wrapping_sub(first);
                self * $float::from_bits(first << $digits) * $float::from_bits(second << $digits)
            }

            #[inline(always)]
            fn half_power(shifted: $float) -> $float {
                let exponent = shifted.to_bits().wrapping_sub(Self::SHIFT.to_bits() - ($bias - 1));
                $float::from_bits(exponent << $digits)
            }

            #[inline(always)]
            fn split(self) -> Split<$float> {
                const ONE: $bits = (1.0 as $float).to_bits();
                const ROOT: $bits = std::$float::consts::FRAC_1_SQRT_2.to_bits();
                const EXPONENT: $bits = <$bits>::MAX << $digits;
                // An integer below 2ᵖ, written into the mantissa of 2ᵖ, is added to it.
                const INTEGER_SHIFT: $float = (1_u64 << $digits) as $float;
                let moved = self.to_bits().wrapping_add(ONE - ROOT);
                let biased = $float::from_bits(INTEGER_SHIFT.to_bits() | (moved >> $digits));
                let power = (moved & EXPONENT).wrapping_sub(ONE);
                Split {
                    m: $float::from_bits(self.to_bits().wrapping_sub(power)),
                    k: biased - (INTEGER_SHIFT + $bias as $float),
                    twice_inverse: $float::from_bits((2.0 as $float).to_bits().wrapping_sub(power)),
                }
            }
        }
    };
}

real!(f32, u32, 23, 127, {
    const LN_2_HIGH: f32 = 0.693_145_75; // 15 bits
    const LN_2_LOW: f32 = 1.428_606_8e-6;
    const EXP_MAX: f32 = 89.0;
    const EXP_MIN: f32 = -104.0;
    const EXP_M1_MIN: f32 = -20.0;

    /// Error 2⁻²⁷ of `eʳ`, 2⁻²⁵ of `eʳ − 1`.
    #[inline(always)]
    fn exp_tail(r: f32) -> f32 {
        polynomial!(r; 0.5, 0.166_665_76, 0.041_666_552, 0.008_363_333_5, 0.001_392_637_6)
    }

    /// `f − f²/2 + f³ p(f)`, the smaller terms first. Error 2⁻²⁸.
    #[inline(always)]
    fn ln_of_split(f: f32, k: f32) -> f32 {
        let square = f * f;
        let tail = polynomial!(f;
            0.333_333_3, -0.249_999_97, 0.200_007_16, -0.166_678_03, 0.142_490_58,
            -0.124_256_87, 0.116_854_206, -0.114_797_354, 0.069_716_126);
        let small = (f * square).mul_add(tail, k * Self::LN_2_LOW);
        k.mul_add(Self::LN_2_HIGH, f + square.mul_add(-0.5, small))
    }
});

real!(f64, u64, 52, 1023, {
    const LN_2_HIGH: f64 = 0.693_147_180_559_890_3; // 42 bits
    const LN_2_LOW: f64 = 5.497_923_018_708_371e-14;
    const EXP_MAX: f64 = 710.0;
    const EXP_MIN: f64 = -746.0;
    const EXP_M1_MIN: f64 = -40.0;

    /// Error 2⁻⁶¹ of `eʳ`, 2⁻⁶⁰ of `eʳ − 1`.
    #[inline(always)]
    fn exp_tail(r: f64) -> f64 {
        polynomial!(r;
            0.5, 0.166_666_666_666_666_7, 0.041_666_666_666_666_67, 0.008_333_333_333_325_985,
            0.001_388_888_888_888_364_2, 0.000_198_412_698_753_421_41, 2.480_158_732_592_016_3e-5,
            2.755_725_474_040_541_6e-6, 2.755_727_317_194_102_6e-7, 2.510_549_090_698_669_6e-8,
            2.091_488_256_348_507e-9)
    }

    /// With `s = f / (2 + f)`, `ln(1 + f) = 2 artanh s = 2s + s·p(s²)`. As `2s = f − s·f`
    /// and `s·f = f²/2 − s·f²/2`, the leading `f` and `f²/2` need no quotient and lose
    /// nothing (P. T. P. Tang, Table-driven implementation of the logarithm function, 1990;
    /// the same form is that of the C library of 4.3BSD). Error 2⁻⁵⁷.
    #[inline(always)]
    fn ln_of_split(f: f64, k: f64) -> f64 {
        let s = f / (2.0 + f);
        let z = s * s;
        let tail = z * polynomial!(z;
            0.666_666_666_666_667, 0.399_999_999_998_994_44, 0.285_714_286_260_033_8,
            0.222_222_111_302_417_3, 0.181_828_894_569_968_7, 0.153_317_105_742_745_37,
            0.146_165_859_679_054_52);
        let half_square = 0.5 * f * f;
        k * Self::LN_2_HIGH - ((half_square - (s * (half_square + tail) + k * Self::LN_2_LOW)) - f)
    }
});
