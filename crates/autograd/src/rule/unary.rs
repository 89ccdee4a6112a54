//! Elementwise functions of one operand, `y = f(x)`.

use tamis_graph::Unary;

use super::Edges;
use crate::linear::Linear::{Cast, Cut, Negate, Scale};

pub(super) fn state(op: Unary, edges: &mut Edges<'_, '_>) {
    let [x] = edges.operands();
    let y = edges.output;
    match op {
        // d(−x) = −dx
        Unary::Neg => edges.elementwise(0, || [Negate]),
        // d|x| = sign(x) dx where x ≠ 0
        Unary::Abs => edges.elementwise(0, || [Cut(x.ne(0)), Scale(x.sign())]),
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
        // dσ(x) = y (1 − y) dx
        Unary::Sigmoid => edges.elementwise(0, || [Scale(y * (1.0 - y))]),
        // d(max(x, 0)) = dx where not x ≤ 0, so that NaN passes
        Unary::Relu => edges.elementwise(0, || [Cut(!x.le(0))]),
        // d(x²) = 2x dx
        Unary::Square => edges.elementwise(0, || [Scale(x * 2)]),
        // d(cast x) = cast dx, between floats
        Unary::Cast(to) => edges.elementwise(0, || [Cast { from: x.dtype(), to }]),
        // piecewise constant, or declared so
        Unary::Sign | Unary::Floor | Unary::StopGradient => {}
    }
}
