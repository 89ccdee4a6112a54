//! Steps that differentiate what the program has so far.

use tamis::graph::Unary;
use tamis::prelude::*;
use tamis::{DType, hessian, hvp, jacobian, jvp, vjp};

use super::{Step, Writer};
use crate::check::Agreement;

/// Elementwise functions of two floats, and such that one function alone is not.
type Function = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

const FUNCTIONS: [Function; 16] = [
    |a, b| a * b,
    |a, b| a / b,
    |a, b| a + b.square(),
    |a, b| a.maximum(b),
    |a, b| a.minimum(b),
    |a, b| a.abs().pow(b),
    |a, b| a.atan2(b),
    |a, b| a.floor_mod(b),
    |a, b| where_(a.gt(b), a.sin(), b.cos()),
    |a, b| a.clip(-1.0, 2.0) - b,
    |a, _| a.exp_m1().ln_1p(),
    |a, _| a.abs().sqrt(),
    |a, _| a.rsqrt(),
    |a, _| a.asin() + a.acos(),
    |a, _| a.sinh() - a.cosh(),
    |a, _| a.abs() + a.cast(DType::F32).cast(DType::F64).stop_gradient(),
];

impl<'g> Writer<'g> {
    /// The inputs of f64 and the full shape.
    fn variables(&self) -> [Expr<'g>; 2] {
        [self.numbers[0].expr, self.numbers[1].expr]
    }

    /// A function of the elements of two variables.
    fn function(&mut self) -> Expr<'g> {
        let [a, b] = self.variables();
        (0..1 + self.random.below(4)).fold(a, |y, _| match self.random.coin() {
            true => (*self.random.pick(&FUNCTIONS))(y, b),
            false => (self.random.pick(Unary::BUILDERS).build)(y),
        })
    }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("gradient of elements", |w| {
        let (y, [a, b]) = (w.function(), w.variables());
        let (value, [da, db]) = value_and_grad(y.sum(..), [a, b]);
        w.give(da, Agreement::Bits);
        w.give(db, Agreement::Bits);
        w.give(value, Agreement::Rough);
        w.give(jvp(y, [a, b], [b, a]), Agreement::Bits);
        w.give(vjp(y, a, b), Agreement::Bits);
    }),
    ("second derivative of elements", |w| {
        let (y, [a, b]) = (w.function(), w.variables());
        w.give(hvp(y.sum(..), a, b), Agreement::Bits);
        w.give(grad(grad(y.sum(..), a).sum(..), b), Agreement::Bits);
    }),
    ("gradient of elements under a mask", |w| {
        let (y, [a, b], m) = (w.function(), w.variables(), w.mask());
        w.give(grad(y.masked(m).sum(..), a), Agreement::Bits);
        w.give(grad(where_(m, y, b).sum(..), b), Agreement::Bits);
        w.give(grad((y.boolean_mask(m) * b.boolean_mask(m)).sum(..), a), Agreement::Bits);
    }),
    ("gradient of a random output", |w| {
        let floats: Vec<Expr<'_>> =
            w.outputs.iter().map(|output| output.expr).filter(|y| y.dtype().is_float()).collect();
        let y = if floats.is_empty() { w.full_float().expr } else { *w.random.pick(&floats) };
        let inputs = [0, 1, 2, 6, 7, 8].map(|i| w.numbers[i].expr);
        let x = *w.random.pick(&inputs);
        let loss = y.masked(y.abs().lt(1e6)).sum(..);
        w.give(grad(loss, x), Agreement::Rough);
        if w.random.below(3) == 0 {
            w.give(hvp(loss, x, x.clip(-1.0, 1.0)), Agreement::Rough);
        }
    }),
    ("all derivatives of a few elements", |w| {
        let point = w.numbers[8].expr.clip(-2.0, 2.0);
        let x = w.graph.constant([0.25, -1.5, 2.0]) * point;
        let y = x.sin() * x.flip(0).exp() + x.cumsum(0);
        w.rounded(jacobian(y, x), 100.0);
        w.rounded(hessian((y * x).sum(..), x), 100.0);
    }),
];
