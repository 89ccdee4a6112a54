//! Arithmetic of single elements, as the ops define it.

use crate::math::Elementary;
use crate::neumaier::CompensatedSum;
use crate::tensor::Item;

/// Elements that can be calculated with. Integers wrap.
pub(crate) trait Number: Item {
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    #[inline(always)]
    fn square(self) -> Self {
        self.mul(self)
    }
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    /// −1, 0 or 1; NaN of NaN.
    fn sign(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    /// The nearest integer, ties to even.
    fn round(self) -> Self;
    fn trunc(self) -> Self;
    /// `floor(self / divisor)`; `None` for an integer by 0.
    fn floor_div(self, divisor: Self) -> Option<Self>;
    /// The remainder with the sign of the dividend; `None` for an integer by 0.
    fn rem_trunc(self, divisor: Self) -> Option<Self>;
    /// The remainder with the sign of the divisor; `None` for an integer by 0.
    fn floor_mod(self, divisor: Self) -> Option<Self>;
    /// `None` for an integer to a negative power.
    fn pow(self, exponent: Self) -> Option<Self>;
}

/// Floats with the functions that are neither arithmetic nor [`Elementary`]. Those of an
/// angle are the elementary ones, up to the largest angle that these are accurate for.
pub(crate) trait Float: Number + Elementary {
    fn div(self, other: Self) -> Self;
    fn sqrt(self) -> Self;
    fn recip(self) -> Self;
    /// The sine of an angle of any size.
    fn sin_any(self) -> Self;
    /// The cosine of an angle of any size.
    fn cos_any(self) -> Self;
    /// The tangent of an angle of any size.
    fn tan_any(self) -> Self;
    fn atan2(self, x: Self) -> Self;
    fn is_finite(self) -> bool;
}

/// Whether an element is NaN, the only value that cannot be compared with itself.
pub(crate) fn is_nan<T: Item>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

/// Element types with a maximum and a minimum that do not depend on the order of the
/// operands: those of IEEE 754-2019. NaN wins, and is always Rust's constant; −0 is less
/// than +0.
pub(crate) trait Ordered: Item {
    fn larger(self, other: Self) -> Self;
    fn smaller(self, other: Self) -> Self;
    /// The larger of it and 0.
    #[inline(always)]
    fn relu(self) -> Self {
        self.larger(Self::default())
    }
}

macro_rules! ordered {
    ($($ty:ty),*) => {$(
        impl Ordered for $ty {
            #[inline(always)]
            fn larger(self, other: $ty) -> $ty {
                if self >= other { self } else { other }
            }

            #[inline(always)]
            fn smaller(self, other: $ty) -> $ty {
                if self <= other { self } else { other }
            }
        }
    )*};
}

ordered!(bool, u8, i32, i64);

// Each of the two choices is one instruction of every SIMD level. They differ where
// the operands are equal: then their bits are, except for the sign of zeros.
macro_rules! ordered_floats {
    ($($ty:ty),*) => {$(
        impl Ordered for $ty {
            #[inline(always)]
            fn larger(self, other: $ty) -> $ty {
                let first = if self > other { self } else { other };
                let second = if other > self { other } else { self };
                let both = <$ty>::from_bits(first.to_bits() & second.to_bits());
                if self.is_nan() | other.is_nan() { <$ty>::NAN } else { both }
            }

            #[inline(always)]
            fn smaller(self, other: $ty) -> $ty {
                let first = if self < other { self } else { other };
                let second = if other < self { other } else { self };
                let both = <$ty>::from_bits(first.to_bits() | second.to_bits());
                if self.is_nan() | other.is_nan() { <$ty>::NAN } else { both }
            }
        }
    )*};
}

ordered_floats!(f32, f64);

/// What integers share; what depends on their sign stands in the braces.
macro_rules! integers {
    ($($ty:ty { $($own:item)* })*) => {$(
        impl Number for $ty {
            $($own)*

            fn add(self, other: $ty) -> $ty {
                self.wrapping_add(other)
            }

            fn sub(self, other: $ty) -> $ty {
                self.wrapping_sub(other)
            }

            fn mul(self, other: $ty) -> $ty {
                self.wrapping_mul(other)
            }

            fn neg(self) -> $ty {
                self.wrapping_neg()
            }

            fn floor(self) -> $ty {
                self
            }

            fn ceil(self) -> $ty {
                self
            }

            fn round(self) -> $ty {
                self
            }

            fn trunc(self) -> $ty {
                self
            }

            fn rem_trunc(self, divisor: $ty) -> Option<$ty> {
                (divisor != 0).then(|| self.wrapping_rem(divisor))
            }

            fn pow(self, exponent: $ty) -> Option<$ty> {
                let mut exponent = u64::try_from(exponent).ok()?;
                let (mut base, mut power): ($ty, $ty) = (self, 1);
                while exponent > 0 {
                    if exponent % 2 == 1 {
                        power = power.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    exponent /= 2;
                }
                Some(power)
            }
        }
    )*};
}

macro_rules! signed {
    ($($ty:ty),*) => {
        integers! {$(
            $ty {
                fn abs(self) -> $ty {
                    self.wrapping_abs()
                }

                fn sign(self) -> $ty {
                    self.signum()
                }

                fn floor_div(self, divisor: $ty) -> Option<$ty> {
                    let remainder = self.floor_mod(divisor)?;
                    // One lower than the truncated quotient where the remainder had to change its sign.
                    Some(self.wrapping_div(divisor) - <$ty>::from(remainder != self.wrapping_rem(divisor)))
                }

                fn floor_mod(self, divisor: $ty) -> Option<$ty> {
                    if divisor == 0 {
                        return None;
                    }
                    let remainder = self.wrapping_rem(divisor);
                    let opposite = remainder != 0 && (remainder < 0) != (divisor < 0);
                    Some(if opposite { remainder + divisor } else { remainder })
                }
            }
        )*}
    };
}

signed!(i32, i64);

integers! {
    u8 {
        fn abs(self) -> u8 {
            self
        }

        fn sign(self) -> u8 {
            self.min(1)
        }

        fn floor_div(self, divisor: u8) -> Option<u8> {
            self.checked_div(divisor)
        }

        fn floor_mod(self, divisor: u8) -> Option<u8> {
            self.checked_rem(divisor)
        }
    }
}

macro_rules! floats {
    ($($ty:ty),*) => {$(
        impl Number for $ty {
            fn add(self, other: $ty) -> $ty {
                self + other
            }

            fn sub(self, other: $ty) -> $ty {
                self - other
            }

            fn mul(self, other: $ty) -> $ty {
                self * other
            }

            fn neg(self) -> $ty {
                -self
            }

            fn abs(self) -> $ty {
                <$ty>::abs(self)
            }

            fn sign(self) -> $ty {
                if self == 0.0 { 0.0 } else { self.signum() }
            }

            fn floor(self) -> $ty {
                <$ty>::floor(self)
            }

            fn ceil(self) -> $ty {
                <$ty>::ceil(self)
            }

            fn round(self) -> $ty {
                self.round_ties_even()
            }

            fn trunc(self) -> $ty {
                <$ty>::trunc(self)
            }

            // As NumPy divides: by the exact remainder, so that no quotient rounds up
            // to an integer that the remainder contradicts.
            fn floor_div(self, divisor: $ty) -> Option<$ty> {
                if divisor == 0.0 {
                    return Some(self / divisor);
                }
                let remainder = self % divisor;
                let opposite = remainder != 0.0 && (remainder < 0.0) != (divisor < 0.0);
                let quotient = (self - remainder) / divisor - if opposite { 1.0 } else { 0.0 };
                let whole = quotient.round_ties_even();
                Some(if whole == 0.0 { whole.copysign(self / divisor) } else { whole })
            }

            fn rem_trunc(self, divisor: $ty) -> Option<$ty> {
                Some(self % divisor)
            }

            fn floor_mod(self, divisor: $ty) -> Option<$ty> {
                let remainder = self % divisor;
                Some(if remainder == 0.0 {
                    (0.0 as $ty).copysign(divisor)
                } else if (remainder < 0.0) != (divisor < 0.0) {
                    remainder + divisor
                } else {
                    remainder
                })
            }

            fn pow(self, exponent: $ty) -> Option<$ty> {
                Some(self.powf(exponent))
            }
        }

        impl Float for $ty {
            fn div(self, other: $ty) -> $ty {
                self / other
            }

            fn sqrt(self) -> $ty {
                <$ty>::sqrt(self)
            }

            fn recip(self) -> $ty {
                <$ty>::recip(self)
            }

            fn sin_any(self) -> $ty {
                if self.abs() > Self::SIN_LIMIT { <$ty>::sin(self) } else { Elementary::sin(self) }
            }

            fn cos_any(self) -> $ty {
                if self.abs() > Self::SIN_LIMIT { <$ty>::cos(self) } else { Elementary::cos(self) }
            }

            fn tan_any(self) -> $ty {
                if self.abs() > Self::SIN_LIMIT { <$ty>::tan(self) } else { Elementary::tan(self) }
            }

            fn atan2(self, x: $ty) -> $ty {
                <$ty>::atan2(self, x)
            }

            fn is_finite(self) -> bool {
                <$ty>::is_finite(self)
            }
        }
    )*};
}

floats!(f32, f64);

/// Element types that have a product, and the type of its accumulator.
pub(crate) trait Multiply: Item {
    type Total: Copy;
    const ONE: Self::Total;

    /// The total times `x`.
    fn multiply(total: Self::Total, x: Self) -> Self::Total;

    /// The product so far.
    fn product(total: Self::Total) -> Self;
}

/// Elements that are multiplied up in `$total`.
macro_rules! multiply {
    ($($ty:ty, $total:ty, $one:literal: ($a:ident, $x:ident) => $times:expr;)*) => {$(
        impl Multiply for $ty {
            type Total = $total;
            const ONE: $total = $one;

            fn multiply($a: $total, $x: $ty) -> $total {
                $times
            }

            fn product(total: $total) -> $ty {
                total as $ty
            }
        }
    )*};
}

multiply! {
    i64, i64, 1: (total, x) => total.wrapping_mul(x);
    f32, f64, 1.0: (total, x) => total * f64::from(x);
    f64, f64, 1.0: (total, x) => total * x;
}

/// Element types that have a sum, and the type of its accumulator.
pub(crate) trait Accumulate: Item {
    type Total: Default;

    /// The total with `x` added.
    fn accumulate(total: Self::Total, x: Self) -> Self::Total;

    /// The sum so far.
    fn rounded(total: &Self::Total) -> Self;
}

impl Accumulate for i64 {
    type Total = i64;

    fn accumulate(total: i64, x: i64) -> i64 {
        total.wrapping_add(x)
    }

    fn rounded(total: &i64) -> i64 {
        *total
    }
}

/// Summed in f64 and rounded once.
impl Accumulate for f32 {
    type Total = f64;

    fn accumulate(total: f64, x: f32) -> f64 {
        total + f64::from(x)
    }

    fn rounded(total: &f64) -> f32 {
        *total as f32
    }
}

/// Compensated, since no wider float is there to sum in.
impl Accumulate for f64 {
    type Total = CompensatedSum;

    fn accumulate(total: CompensatedSum, x: f64) -> CompensatedSum {
        total.add(x)
    }

    fn rounded(total: &CompensatedSum) -> f64 {
        total.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_arithmetic_wraps() {
        assert_eq!(Number::neg(i32::MIN), i32::MIN);
        assert_eq!(Number::abs(i64::MIN), i64::MIN);
        assert_eq!(Number::sub(3_u8, 5), 254);
        assert_eq!(Number::pow(3_u8, 6), Some(217)); // 729 − 2·256
        assert_eq!(Number::pow(-1_i64, i64::MAX), Some(-1));
        assert_eq!(Number::pow(2_i32, -1), None);
    }

    #[test]
    fn a_remainder_has_the_sign_of_the_divisor() {
        assert_eq!(Number::floor_mod(-7, 3), Some(2));
        assert_eq!(Number::floor_mod(7, -3), Some(-2));
        assert_eq!(Number::floor_mod(i64::MIN, -1), Some(0));
        assert_eq!(Number::floor_mod(1, 0), None);
        assert_eq!(Number::floor_mod(-7.5, 2.0), Some(0.5));
        assert!(Number::floor_mod(1.0_f64, 0.0).unwrap().is_nan());
    }

    /// Bits of the larger and the smaller of two, in both orders, which must agree.
    #[track_caller]
    fn ends(a: f64, b: f64) -> [u64; 2] {
        let ends = [a.larger(b), a.smaller(b)].map(f64::to_bits);
        assert_eq!([b.larger(a), b.smaller(a)].map(f64::to_bits), ends, "{a} and {b}");
        let (a, b) = (a as f32, b as f32);
        assert_eq!(a.larger(b).to_bits(), b.larger(a).to_bits(), "{a} and {b}");
        assert_eq!(a.smaller(b).to_bits(), b.smaller(a).to_bits(), "{a} and {b}");
        ends
    }

    #[test]
    fn larger_and_smaller_do_not_depend_on_the_order() {
        let marked = f64::from_bits(f64::NAN.to_bits() | 1 << 63 | 5 << 40);
        assert_eq!(ends(2.0, -3.0), [2.0, -3.0].map(f64::to_bits));
        assert_eq!(ends(0.0, -0.0), [0.0, -0.0].map(f64::to_bits));
        assert_eq!(ends(-0.0, -0.0), [-0.0, -0.0].map(f64::to_bits));
        assert_eq!(ends(f64::INFINITY, f64::NEG_INFINITY), [f64::INFINITY, -f64::INFINITY].map(f64::to_bits));
        for x in [1.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, marked] {
            assert_eq!(ends(x, marked), [f64::NAN, f64::NAN].map(f64::to_bits), "{x}");
        }
        assert!(Number::sign(f32::NAN).is_nan());
        assert_eq!(Number::sign(-0.0), 0.0);
    }

    #[test]
    fn angles_of_any_size_have_a_sine() {
        assert_eq!(Float::sin_any(1e300_f64), 1e300_f64.sin());
        assert_eq!(Float::cos_any(1e30_f32), 1e30_f32.cos());
        assert_eq!(Float::tan_any(0.5_f64), Elementary::tan(0.5_f64));
        assert!(Float::sin_any(f64::INFINITY).is_nan());
    }
}
