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

mod arc;
mod erf;
mod exp;
mod log;
mod real;
#[cfg(test)]
mod tests;
mod trig;

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
    fn sinh(self) -> Self;
    fn cosh(self) -> Self;
    fn asin(self) -> Self;
    fn acos(self) -> Self;
    fn atan(self) -> Self;
    fn erf(self) -> Self;

    /// The largest size of an argument of [`sin`](Self::sin), [`cos`](Self::cos) and
    /// [`tan`](Self::tan). Beyond it their results mean nothing, except that they are NaN
    /// for NaN and infinities: a caller whose slice holds a larger argument has to call
    /// those of the standard library.
    const SIN_LIMIT: Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tan(self) -> Self;
}

/// What both floats share; what is their own stands in the braces.
macro_rules! elementary {
    ($($float:ty { $($own:item)* })*) => {$(
        impl Elementary for $float {
            $($own)*

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

elementary! {
    f32 {
        const SIN_LIMIT: f32 = trig::LIMIT as f32;

        #[inline(always)]
        fn sinh(self) -> f32 {
            exp::sinh(f64::from(self)) as f32
        }

        #[inline(always)]
        fn cosh(self) -> f32 {
            exp::cosh(f64::from(self)) as f32
        }

        #[inline(always)]
        fn asin(self) -> f32 {
            arc::asin(f64::from(self)) as f32
        }

        #[inline(always)]
        fn acos(self) -> f32 {
            arc::acos(f64::from(self)) as f32
        }

        #[inline(always)]
        fn atan(self) -> f32 {
            arc::atan(f64::from(self)) as f32
        }

        #[inline(always)]
        fn erf(self) -> f32 {
            erf::erf(f64::from(self)) as f32
        }

        #[inline(always)]
        fn sin(self) -> f32 {
            trig::sin_narrow(self)
        }

        #[inline(always)]
        fn cos(self) -> f32 {
            trig::cos_narrow(self)
        }

        #[inline(always)]
        fn tan(self) -> f32 {
            trig::tan_narrow(self)
        }
    }

    f64 {
        const SIN_LIMIT: f64 = trig::LIMIT;

        #[inline(always)]
        fn sinh(self) -> f64 {
            exp::sinh(self)
        }

        #[inline(always)]
        fn cosh(self) -> f64 {
            exp::cosh(self)
        }

        #[inline(always)]
        fn asin(self) -> f64 {
            arc::asin(self)
        }

        #[inline(always)]
        fn acos(self) -> f64 {
            arc::acos(self)
        }

        #[inline(always)]
        fn atan(self) -> f64 {
            arc::atan(self)
        }

        #[inline(always)]
        fn erf(self) -> f64 {
            erf::erf(self)
        }

        #[inline(always)]
        fn sin(self) -> f64 {
            trig::sin(self)
        }

        #[inline(always)]
        fn cos(self) -> f64 {
            trig::cos(self)
        }

        #[inline(always)]
        fn tan(self) -> f64 {
            trig::tan(self)
        }
    }
}
