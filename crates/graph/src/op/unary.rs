//! Elementwise functions of one operand.

use std::sync::Arc;

use super::row::Domain::{Accumulator, Any, Bool, Float, Number};
use super::row::{KinkAt, Row, row};
use super::{Op, Source, Type};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::cast;

/// An elementwise op of one operand. All but `Cast` keep the dtype.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// `-x`.
    Neg,
    /// `|x|`.
    Abs,
    /// −1, 0 or 1; NaN for NaN.
    Sign,
    /// `eˣ`.
    Exp,
    /// `eˣ − 1`, exact near 0.
    ExpM1,
    /// Natural logarithm.
    Ln,
    /// `ln(1 + x)`, exact near 0.
    Ln1p,
    /// Square root.
    Sqrt,
    /// `1 / x`.
    Recip,
    /// Sine of radians.
    Sin,
    /// Cosine of radians.
    Cos,
    /// Tangent of radians.
    Tan,
    /// Inverse sine, in radians.
    Asin,
    /// Inverse cosine, in radians.
    Acos,
    /// Inverse tangent, in radians.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// `ln(1 + eˣ)`.
    Softplus,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `max(x, 0)`; NaN for NaN.
    Relu,
    /// `x · x`.
    Square,
    /// The largest integer not above `x`.
    Floor,
    /// The smallest integer not below `x`.
    Ceil,
    /// The nearest integer, ties to even.
    Round,
    /// The integer part, towards 0.
    Trunc,
    /// The same value in another dtype.
    Cast(DType),
    /// The identity, through which no gradient flows.
    StopGradient,
}

impl From<Unary> for Op {
    fn from(op: Unary) -> Op {
        Op::Unary(op)
    }
}

impl Unary {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Unary::Neg => row("neg", Number, 1),
            Unary::Abs => row("abs", Number, 1).kink(KinkAt::Zero).idempotent(),
            Unary::Sign => row("sign", Number, 1).kink(KinkAt::Zero).idempotent(),
            Unary::Exp => row("exp", Float, 16),
            Unary::ExpM1 => row("exp_m1", Float, 16),
            Unary::Ln => row("ln", Float, 16),
            Unary::Ln1p => row("ln_1p", Float, 16),
            Unary::Sqrt => row("sqrt", Float, 4),
            Unary::Recip => row("recip", Float, 4),
            Unary::Sin => row("sin", Float, 32),
            Unary::Cos => row("cos", Float, 32),
            Unary::Tan => row("tan", Float, 32),
            Unary::Asin => row("asin", Float, 32),
            Unary::Acos => row("acos", Float, 32),
            Unary::Atan => row("atan", Float, 32),
            Unary::Sinh => row("sinh", Float, 32),
            Unary::Cosh => row("cosh", Float, 32),
            Unary::Tanh => row("tanh", Float, 16),
            Unary::Erf => row("erf", Float, 32),
            Unary::Softplus => row("softplus", Float, 16),
            Unary::Sigmoid => row("sigmoid", Float, 16),
            Unary::Relu => row("relu", Number, 1).kink(KinkAt::Zero).idempotent(),
            Unary::Square => row("square", Number, 1),
            Unary::Floor => row("floor", Number, 1).kink(KinkAt::Steps).idempotent(),
            Unary::Ceil => row("ceil", Number, 1).kink(KinkAt::Steps).idempotent(),
            Unary::Round => row("round", Number, 1).kink(KinkAt::Steps).idempotent(),
            Unary::Trunc => row("trunc", Number, 1).kink(KinkAt::Steps).idempotent(),
            Unary::Cast(_) => row("cast", Any, 1),
            Unary::StopGradient => row("stop_gradient", Any, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let x = &operands[0];
        let dtype = if let Unary::Cast(dtype) = self { *dtype } else { x.dtype };
        Ok(Type::new(dtype, x.shape.clone()))
    }

    pub(crate) fn simplify<'g>(&self, operands: &[Expr<'g>]) -> Option<Expr<'g>> {
        let x = operands[0];
        if let Unary::Cast(dtype) = self {
            return if x.dtype() == *dtype { Some(x) } else { cast_scalar(x, *dtype) };
        }
        let rounds = matches!(self, Unary::Floor | Unary::Ceil | Unary::Round | Unary::Trunc);
        (rounds && !x.dtype().is_float()).then_some(x)
    }

    pub(crate) fn attributes(&self) -> String {
        if let Unary::Cast(dtype) = self { dtype.to_string() } else { String::new() }
    }
}

/// A literal of rank 0 in another dtype, which is a literal too. A variable
/// stays what the result depends on.
fn cast_scalar(x: Expr<'_>, dtype: DType) -> Option<Expr<'_>> {
    let node = x.node();
    if node.is_variable && dtype.is_float() {
        return None;
    }
    if let Op::Source(Source::Scalar(scalar)) = node.op {
        return x.graph().try_apply(Source::Scalar(scalar.cast(dtype)), &[]).ok();
    }
    None
}

/// Integers and bools that meet a function of floats become floats first, as
/// in NumPy; functions of numbers refuse bools.
#[track_caller]
fn unary(x: Expr<'_>, op: Unary) -> Expr<'_> {
    let Row { name, domain, .. } = op.row();
    x.build(name, &[], || {
        let dtype = x.dtype();
        match domain {
            Number if dtype == DType::Bool => Err(ErrorKind::DType {
                dtype,
                shape: x.shape(),
                expected: "numbers are needed: write `.cast(DType::F32)` to count true as 1, or `!mask` to negate",
            }),
            Any | Number | Accumulator | Bool => x.apply(op),
            Float => cast(x, dtype.to_float())?.apply(op),
        }
    })
}

/// An elementwise function of one operand, as users build it.
#[derive(Debug, Clone, Copy)]
pub struct UnaryBuilder {
    /// The name of the method of [`Expr`].
    pub name: &'static str,
    /// The op that it applies.
    pub op: Unary,
    /// The method.
    pub build: for<'g> fn(Expr<'g>) -> Expr<'g>,
}

/// Writes one documented builder per elementwise function, with an example
/// of operands and results, and lists them in [`Unary::BUILDERS`].
macro_rules! unary_builders {
    ($($(#[$doc:meta])* $name:ident => $op:expr, $x:literal gives $y:literal;)*) => {
        impl Unary {
            /// The ops that have a builder without arguments: all but `Cast`.
            pub const BUILDERS: &'static [UnaryBuilder] =
                &[$(UnaryBuilder { name: stringify!($name), op: $op, build: |x| x.$name() }),*];
        }

        impl<'g> Expr<'g> {$(
            $(#[$doc])*
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            #[doc = concat!("let x = graph.constant([", $x, "]);")]
            #[doc = concat!("let y = x.", stringify!($name), "();")]
            #[doc = concat!("assert_eq!(y.eval::<f64>()?, tamis::ndarray::arr1(&[", $y, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            #[track_caller]
            pub fn $name(self) -> Expr<'g> {
                unary(self, $op)
            }
        )*}
    };
}

unary_builders! {
    /// `-x`, also written with the operator. Integers wrap.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    #[doc(alias("negative", "neg"))]
    negate => Unary::Neg, "1.5, -2.0" gives "-1.5, 2.0";
    /// The absolute value, with gradient 0 at 0. Integers wrap.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    abs => Unary::Abs, "1.5, -2.0" gives "1.5, 2.0";
    /// −1, 0 or 1 by sign, with gradient 0; NaN for NaN.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    sign => Unary::Sign, "3.0, 0.0, -0.5" gives "1.0, 0.0, -1.0";
    /// `eˣ`. Integers become floats.
    exp => Unary::Exp, "0.0, f64::NEG_INFINITY" gives "1.0, 0.0";
    /// `eˣ − 1`, exact near 0. Integers become floats.
    #[doc(alias("expm1"))]
    exp_m1 => Unary::ExpM1, "0.0, 1e-300" gives "0.0, 1e-300";
    /// The natural logarithm; −inf at 0, NaN below. Integers become floats.
    #[doc(alias("log"))]
    ln => Unary::Ln, "1.0, 0.0" gives "0.0, f64::NEG_INFINITY";
    /// `ln(1 + x)`, exact near 0; −inf at −1, NaN below. Integers become floats.
    #[doc(alias("log1p"))]
    ln_1p => Unary::Ln1p, "0.0, 1e-300" gives "0.0, 1e-300";
    /// The square root; NaN below 0. Integers become floats.
    sqrt => Unary::Sqrt, "4.0, 0.0" gives "2.0, 0.0";
    /// `1 / x`; ±inf at ±0. Integers become floats.
    #[doc(alias("reciprocal"))]
    recip => Unary::Recip, "4.0, 0.0" gives "0.25, f64::INFINITY";
    /// The sine of radians. Integers become floats.
    sin => Unary::Sin, "0.0" gives "0.0";
    /// The cosine of radians. Integers become floats.
    cos => Unary::Cos, "0.0" gives "1.0";
    /// The hyperbolic tangent; ±1 in the tails. Integers become floats.
    tanh => Unary::Tanh, "0.0, 100.0" gives "0.0, 1.0";
    /// `1 / (1 + e⁻ˣ)`, without overflow in either tail. Integers become floats.
    #[doc(alias("expit"))]
    sigmoid => Unary::Sigmoid, "0.0, -1000.0, 1000.0" gives "0.5, 0.0, 1.0";
    /// `max(x, 0)`, with gradient 0 at 0; NaN for NaN.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    relu => Unary::Relu, "1.5, -2.0" gives "1.5, 0.0";
    /// `x · x`. Integers wrap.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    square => Unary::Square, "3.0, -2.0" gives "9.0, 4.0";
    /// The largest integer not above `x`, with gradient 0.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    floor => Unary::Floor, "1.5, -1.5" gives "1.0, -2.0";
    /// The smallest integer not below `x`, with gradient 0.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    ceil => Unary::Ceil, "1.5, -1.5" gives "2.0, -1.0";
    /// The nearest integer, ties to even, with gradient 0.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    round => Unary::Round, "1.5, 2.5, -0.6" gives "2.0, 2.0, -1.0";
    /// The integer part, towards 0, with gradient 0.
    ///
    /// # Errors
    /// Reported for a bool tensor.
    trunc => Unary::Trunc, "1.5, -1.5" gives "1.0, -1.0";
    /// The tangent of radians. Integers become floats.
    tan => Unary::Tan, "0.0" gives "0.0";
    /// The inverse sine, in radians; NaN outside −1..=1. Integers become floats.
    #[doc(alias("arcsin"))]
    asin => Unary::Asin, "0.0, -0.0" gives "0.0, 0.0";
    /// The inverse cosine, in radians; NaN outside −1..=1. Integers become floats.
    #[doc(alias("arccos"))]
    acos => Unary::Acos, "1.0" gives "0.0";
    /// The inverse tangent, in radians. Integers become floats.
    #[doc(alias("arctan"))]
    atan => Unary::Atan, "0.0" gives "0.0";
    /// The hyperbolic sine. Integers become floats.
    sinh => Unary::Sinh, "0.0" gives "0.0";
    /// The hyperbolic cosine. Integers become floats.
    cosh => Unary::Cosh, "0.0" gives "1.0";
    /// The error function `2/√π ∫₀ˣ e^(−t²) dt`; ±1 in the tails. Integers become floats.
    erf => Unary::Erf, "0.0, f64::INFINITY" gives "0.0, 1.0";
    /// `ln(1 + eˣ)`, without overflow in either tail. Integers become floats.
    softplus => Unary::Softplus, "-1000.0, 1000.0" gives "0.0, 1000.0";
    /// The same values, through which no gradient flows.
    #[doc(alias("detach"))]
    stop_gradient => Unary::StopGradient, "1.5" gives "1.5";
}

impl<'g> Expr<'g> {
    /// `1 / √x`; +inf at 0, NaN below. Integers become floats.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([4.0]);
    /// assert_eq!(x.rsqrt().eval::<f64>()?, tamis::ndarray::arr1(&[0.5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn rsqrt(self) -> Expr<'g> {
        self.build("rsqrt", &[], || Ok(self.sqrt().recip()))
    }

    /// The same values in another dtype, as Rust's `as` converts: floats
    /// truncate and saturate into integers, NaN becomes 0, and what is not
    /// zero becomes `true`. The gradient passes between floats.
    ///
    /// ```
    /// use tamis::{DType, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([-1.5, 300.0, f64::NAN]);
    /// assert_eq!(x.cast(DType::U8).eval::<u8>()?, tamis::ndarray::arr1(&[0, 255, 0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("astype", "to"))]
    #[track_caller]
    pub fn cast(self, dtype: DType) -> Expr<'g> {
        unary(self, Unary::Cast(dtype))
    }
}
