//! Elementary functions without branches, calls or tables, so that a plain loop over a
//! slice becomes SIMD code. This module does not depend on tensors.
//!
//! Every function is a fixed sequence of additions, multiplications, divisions,
//! comparisons, bit operations, and fused multiplications and additions (`mul_add`), which
//! are rounded once. Nothing else is fused, so that every SIMD level, and none, yields the
//! same bits: where a processor has no such instruction, the standard library computes it
//! exactly, and slowly.
//!
//! The largest error is below 2.5 units in the last place for f32 and below 4
//! for f64, subnormal arguments and results included. Infinities, NaN and the
//! sign of zero come out as those of the standard library.

mod arc;
mod erf;
mod exp;
mod log;
mod real;
mod trig;

/// The polynomial with these coefficients, the constant one first, by Horner's scheme.
macro_rules! polynomial {
    ($x:expr; $last:expr) => { $last };
    ($x:expr; $first:expr, $($rest:expr),+) => { $x.mul_add(polynomial!($x; $($rest),+), $first) };
}
use polynomial;

/// Calls a macro with all functions: what computes each for f32 and for f64, and
/// the function that tests compare it with.
macro_rules! functions {
    ($each:ident) => {
        $each! {
            exp(x): exp::exp(x), exp::exp(x), near f64::exp;
            /// `eˣ − 1`, exact for a small `x`.
            exp_m1(x): exp::exp_m1(x), exp::exp_m1(x), near f64::exp_m1;
            ln(x): log::ln(x), log::ln(x), near f64::ln;
            /// `ln(1 + x)`, exact for a small `x`.
            ln_1p(x): log::ln_1p(x), log::ln_1p(x), near f64::ln_1p;
            tanh(x): exp::tanh(x), exp::tanh(x), near f64::tanh;
            /// `1 / (1 + e⁻ˣ)`, without overflow in either tail.
            sigmoid(x): exp::sigmoid(x), exp::sigmoid(x),
                near |x| if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) };
            /// `ln(1 + eˣ)`, without overflow in either tail.
            softplus(x): log::softplus(x), log::softplus(x),
                near |x| (if x > 0.0 { x } else { 0.0 }) + (-x.abs()).exp().ln_1p();
            sinh(x): exp::sinh(f64::from(x)) as f32, exp::sinh(x), near f64::sinh;
            cosh(x): exp::cosh(f64::from(x)) as f32, exp::cosh(x), near f64::cosh;
            asin(x): arc::asin(f64::from(x)) as f32, arc::asin(x), near f64::asin;
            acos(x): arc::acos(f64::from(x)) as f32, arc::acos(x), near f64::acos;
            atan(x): arc::atan(f64::from(x)) as f32, arc::atan(x), near f64::atan;
            erf(x): erf::erf(f64::from(x)) as f32, erf::erf(x), near libm::erf;
            sin(x): trig::sin_narrow(x), trig::sin(x), near f64::sin;
            cos(x): trig::cos_narrow(x), trig::cos(x), near f64::cos;
            tan(x): trig::tan_narrow(x), trig::tan(x), near f64::tan;
        }
    };
}

#[cfg(test)]
mod tests;

/// Writes the trait of the functions and its two implementations.
macro_rules! elementary {
    ($($(#[$doc:meta])* $name:ident($x:ident): $narrow:expr, $wide:expr, near $reference:expr;)*) => {
        /// Floats with elementary functions that vectorise.
        pub(crate) trait Elementary: Copy {
            /// The largest size of an argument of [`sin`](Self::sin), [`cos`](Self::cos) and
            /// [`tan`](Self::tan). Beyond it their results are unspecified, except that they are
            /// NaN for NaN and infinities: a caller whose slice holds a larger argument has to
            /// call those of the standard library.
            const SIN_LIMIT: Self;
            $($(#[$doc])* fn $name(self) -> Self;)*
        }

        impl Elementary for f32 {
            const SIN_LIMIT: f32 = trig::LIMIT as f32;
            $(
                #[inline(always)]
                fn $name(self) -> f32 {
                    let $x = self;
                    $narrow
                }
            )*
        }

        impl Elementary for f64 {
            const SIN_LIMIT: f64 = trig::LIMIT;
            $(
                #[inline(always)]
                fn $name(self) -> f64 {
                    let $x = self;
                    $wide
                }
            )*
        }
    };
}
functions!(elementary);
