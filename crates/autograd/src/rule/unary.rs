//! Elementwise functions of one operand, `y = f(x)`.

use std::f64::consts::FRAC_2_SQRT_PI;

use tamis_graph::Unary;

use super::Edges;
use crate::linear::Linear::{ApplyMask, Cast, Negate, Scale};

pub(super) fn linearize(op: Unary, edges: &mut Edges<'_, '_>) {
    let [x] = edges.operands();
    let y = edges.output;
    match op {
        // d(−x) = −dx
        Unary::Neg => edges.elementwise(0, || [Negate]),
        // d|x| = sign(x) dx where x ≠ 0
        Unary::Abs => edges.elementwise(0, || [ApplyMask(x.ne(0)), Scale(x.sign())]),
        // d(eˣ) = y dx
        Unary::Exp => edges.elementwise(0, || [Scale(y)]),
        // d(eˣ − 1) = eˣ dx, where y + 1 would have lost a small eˣ
        Unary::ExpM1 => edges.elementwise(0, || [Scale(x.exp())]),
        // d(ln x) = dx / x
        Unary::Ln => edges.elementwise(0, || [Scale(x.recip())]),
        // d(ln(1 + x)) = dx / (1 + x)
        Unary::Ln1p => edges.elementwise(0, || [Scale((x + 1).recip())]),
        // d√x = dx / 2y
        Unary::Sqrt => edges.elementwise(0, || [Scale(0.5 / y)]),
        // d(1/x) = −y² dx
        Unary::Recip => edges.elementwise(0, || [Negate, Scale(y.square())]),
        // d(sin x) = cos x dx
        Unary::Sin => edges.elementwise(0, || [Scale(x.cos())]),
        // d(cos x) = −sin x dx
        Unary::Cos => edges.elementwise(0, || [Negate, Scale(x.sin())]),
        // d(tanh x) = (1 − y²) dx
        Unary::Tanh => edges.elementwise(0, || [Scale(1.0 - y.square())]),
        // d(tan x) = (1 + y²) dx
        Unary::Tan => edges.elementwise(0, || [Scale(y.square() + 1)]),
        // d(asin x) = dx / √(1 − x²)
        Unary::Asin => edges.elementwise(0, || [Scale((1.0 - x.square()).rsqrt())]),
        // d(acos x) = −dx / √(1 − x²)
        Unary::Acos => edges.elementwise(0, || [Negate, Scale((1.0 - x.square()).rsqrt())]),
        // d(atan x) = dx / (1 + x²)
        Unary::Atan => edges.elementwise(0, || [Scale((x.square() + 1).recip())]),
        // d(sinh x) = cosh x dx
        Unary::Sinh => edges.elementwise(0, || [Scale(x.cosh())]),
        // d(cosh x) = sinh x dx
        Unary::Cosh => edges.elementwise(0, || [Scale(x.sinh())]),
        // d(erf x) = 2/√π e^(−x²) dx
        Unary::Erf => edges.elementwise(0, || [Scale((-x.square()).exp() * FRAC_2_SQRT_PI)]),
        // d(ln(1 + eˣ)) = σ(x) dx
        Unary::Softplus => edges.elementwise(0, || [Scale(x.sigmoid())]),
        // dσ(x) = y (1 − y) dx
        Unary::Sigmoid => edges.elementwise(0, || [Scale(y * (1.0 - y))]),
        // d(max(x, 0)) = dx where not x ≤ 0, so that NaN passes
        Unary::Relu => edges.elementwise(0, || [ApplyMask(!x.le(0))]),
        // d(x²) = 2x dx
        Unary::Square => edges.elementwise(0, || [Scale(x * 2)]),
        // d(cast x) = cast dx, between floats
        Unary::Cast(to) => edges.elementwise(0, || [Cast { from: x.dtype(), to }]),
        // piecewise constant, or declared so
        Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round | Unary::Trunc | Unary::StopGradient => {}
    }
}
