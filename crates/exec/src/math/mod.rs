//! Elementary functions without branches, calls or tables, so that a plain loop
//! over a slice becomes SIMD code. This module knows nothing of tensors.
//!
//! Every function is a fixed sequence of additions, multiplications, divisions,
//! comparisons and bit operations. Products and sums are rounded one by one,
//! never fused, so that every SIMD level, and none, yields the same bits.
//!
//! The largest error is below 2.5 units in the last place for f32 and below 4
//! for f64, subnormal arguments and results included. Infinities, NaN and the
//! sign of zero come out as those of the standard library.

mod exp;
mod log;
mod real;
#[cfg(test)]
mod tests;

/// The polynomial with these coefficients, the constant one first, by Horner's scheme.
macro_rules! polynomial {
    ($x:expr; $last:expr) => { $last };
    ($x:expr; $first:expr, $($rest:expr),+) => { $first + $x * polynomial!($x; $($rest),+) };
}
use polynomial;

/// Floats with elementary functions that vectorise.
pub(crate) trait Elementary: Copy {
    fn exp(self) -> Self;
    /// `eˣ − 1`, exact for a small `x`.
    fn exp_m1(self) -> Self;
    fn ln(self) -> Self;
    /// `ln(1 + x)`, exact for a small `x`.
    fn ln_1p(self) -> Self;
    fn tanh(self) -> Self;
    /// `1 / (1 + e⁻ˣ)`, without overflow in either tail.
    fn sigmoid(self) -> Self;
    /// `ln(1 + eˣ)`, without overflow in either tail.
    fn softplus(self) -> Self;
}

macro_rules! elementary {
    ($($float:ty),*) => {$(
        impl Elementary for $float {
            #[inline(always)]
            fn exp(self) -> $float {
                exp::exp(self)
            }

            #[inline(always)]
            fn exp_m1(self) -> $float {
                exp::exp_m1(self)
            }

            #[inline(always)]
            fn ln(self) -> $float {
                log::ln(self)
            }

            #[inline(always)]
            fn ln_1p(self) -> $float {
                log::ln_1p(self)
            }

            #[inline(always)]
            fn tanh(self) -> $float {
                exp::tanh(self)
            }

            #[inline(always)]
            fn sigmoid(self) -> $float {
                exp::sigmoid(self)
            }

            #[inline(always)]
            fn softplus(self) -> $float {
                log::softplus(self)
            }
        }
    )*};
}

elementary!(f32, f64);
