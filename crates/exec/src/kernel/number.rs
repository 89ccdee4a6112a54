//! Arithmetic of single elements, as the ops define it.

use crate::tensor::Item;

/// Elements that can be calculated with. Integers wrap.
pub(crate) trait Number: Item {
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn neg(self) -> Self;
    fn abs(self) -> Self;
    /// −1, 0 or 1; NaN of NaN.
    fn sign(self) -> Self;
    fn floor(self) -> Self;
    fn ceil(self) -> Self;
    /// The nearest whole number, ties to even.
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

/// Elements with functions of the reals.
pub(crate) trait Float: Number {
    fn div(self, other: Self) -> Self;
    fn exp(self) -> Self;
    fn exp_m1(self) -> Self;
    fn ln(self) -> Self;
    fn ln_1p(self) -> Self;
    fn sqrt(self) -> Self;
    fn recip(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tanh(self) -> Self;
    fn tan(self) -> Self;
    fn asin(self) -> Self;
    fn acos(self) -> Self;
    fn atan(self) -> Self;
    fn atan2(self, x: Self) -> Self;
    fn sinh(self) -> Self;
    fn cosh(self) -> Self;
    fn erf(self) -> Self;
    /// `ln(1 + eˣ)`, without overflow in either tail.
    fn softplus(self) -> Self;
    /// `1 / (1 + e⁻ˣ)`, without overflow in either tail.
    fn sigmoid(self) -> Self;
    fn is_finite(self) -> bool;
}

/// Whether an element is NaN: the only one that has no order to itself.
pub(crate) fn is_nan<T: Item>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

/// The larger of two; NaN if either is.
pub(crate) fn larger<T: Item>(a: T, b: T) -> T {
    if is_nan(a) || a >= b { a } else { b }
}

/// The smaller of two; NaN if either is.
pub(crate) fn smaller<T: Item>(a: T, b: T) -> T {
    if is_nan(a) || a <= b { a } else { b }
}

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

            // As NumPy divides: by the exact remainder, so that no quotient rounds
            // up to a whole number that the remainder denies.
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

            fn exp(self) -> $ty {
                <$ty>::exp(self)
            }

            fn exp_m1(self) -> $ty {
                <$ty>::exp_m1(self)
            }

            fn ln(self) -> $ty {
                <$ty>::ln(self)
            }

            fn ln_1p(self) -> $ty {
                <$ty>::ln_1p(self)
            }

            fn sqrt(self) -> $ty {
                <$ty>::sqrt(self)
            }

            fn recip(self) -> $ty {
                <$ty>::recip(self)
            }

            fn sin(self) -> $ty {
                <$ty>::sin(self)
            }

            fn cos(self) -> $ty {
                <$ty>::cos(self)
            }

            fn tanh(self) -> $ty {
                <$ty>::tanh(self)
            }

            fn tan(self) -> $ty {
                <$ty>::tan(self)
            }

            fn asin(self) -> $ty {
                <$ty>::asin(self)
            }

            fn acos(self) -> $ty {
                <$ty>::acos(self)
            }

            fn atan(self) -> $ty {
                <$ty>::atan(self)
            }

            fn atan2(self, x: $ty) -> $ty {
                <$ty>::atan2(self, x)
            }

            fn sinh(self) -> $ty {
                <$ty>::sinh(self)
            }

            fn cosh(self) -> $ty {
                <$ty>::cosh(self)
            }

            fn erf(self) -> $ty {
                libm::erf(f64::from(self)) as $ty
            }

            fn softplus(self) -> $ty {
                larger(self, 0.0) + <$ty>::ln_1p(<$ty>::exp(-<$ty>::abs(self)))
            }

            fn sigmoid(self) -> $ty {
                if self >= 0.0 {
                    1.0 / (1.0 + <$ty>::exp(-self))
                } else {
                    let exp = <$ty>::exp(self);
                    exp / (1.0 + exp)
                }
            }

            fn is_finite(self) -> bool {
                <$ty>::is_finite(self)
            }
        }
    )*};
}

floats!(f32, f64);

/// Elements that can be multiplied up, and in what.
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

/// Elements that can be summed, and in what.
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

/// A sum and what its roundings lost (Neumaier, 1974).
#[derive(Default)]
pub(crate) struct Compensated {
    sum: f64,
    lost: f64,
}

impl Accumulate for f64 {
    type Total = Compensated;

    fn accumulate(Compensated { sum, lost }: Compensated, x: f64) -> Compensated {
        let next = sum + x;
        let (large, small) = if sum.abs() >= x.abs() { (sum, x) } else { (x, sum) };
        Compensated { sum: next, lost: lost + ((large - next) + small) }
    }

    /// An infinite sum loses infinities to roundings, which mean nothing.
    fn rounded(total: &Compensated) -> f64 {
        if total.lost.is_finite() { total.sum + total.lost } else { total.sum }
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

    #[test]
    fn nan_is_neither_smaller_nor_larger_but_wins() {
        assert!(larger(f64::NAN, 1.0).is_nan() && larger(1.0, f64::NAN).is_nan());
        assert!(smaller(f64::NAN, 1.0).is_nan() && smaller(1.0, f64::NAN).is_nan());
        assert!(Number::sign(f32::NAN).is_nan());
        assert_eq!(Number::sign(-0.0), 0.0);
    }

    #[test]
    fn the_sigmoid_overflows_in_neither_tail() {
        assert_eq!(Float::sigmoid(1e4_f64), 1.0);
        assert_eq!(Float::sigmoid(-1e4_f64), 0.0);
        assert_eq!(Float::sigmoid(-700.0_f64), (-700.0_f64).exp());
    }

    #[test]
    fn a_sum_keeps_what_rounding_loses() {
        let sum = |values: &[f64]| {
            let total = values.iter().fold(Compensated::default(), |total, x| f64::accumulate(total, *x));
            f64::rounded(&total)
        };
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
    }
}
