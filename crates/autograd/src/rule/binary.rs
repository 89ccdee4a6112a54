//! Elementwise arithmetic, `y = f(a, b)`.

use tamis_graph::{Binary, DType, Expr, Op, Scalar, Shape, Source, where_};

use super::Edges;
use crate::arrange::full;
use crate::linear::Linear::{ApplyMask, Negate, Scale};

pub(super) fn linearize(op: Binary, edges: &mut Edges<'_, '_>) {
    let [a, b] = edges.operands();
    let y = edges.output;
    match op {
        // d(a + b) = da + db
        Binary::Add => {
            edges.elementwise(0, || []);
            edges.elementwise(1, || []);
        }
        // d(a − b) = da − db
        Binary::Sub => {
            edges.elementwise(0, || []);
            edges.elementwise(1, || [Negate]);
        }
        // d(a·b) = b da + a db
        Binary::Mul => {
            edges.elementwise(0, || [Scale(b)]);
            edges.elementwise(1, || [Scale(a)]);
        }
        // d(a/b) = da / b − (y/b) db
        Binary::Div => {
            edges.elementwise(0, || [Scale(b.recip())]);
            edges.elementwise(1, || [Negate, Scale(y / b)]);
        }
        Binary::Pow => power(edges, a, b, y),
        // d(a − b·⌊a/b⌋) = da − ⌊a/b⌋ db
        Binary::FloorMod => {
            edges.elementwise(0, || []);
            edges.elementwise(1, || [Negate, Scale((a / b).floor())]);
        }
        // d(a − b·trunc(a/b)) = da − trunc(a/b) db
        Binary::RemTrunc => {
            edges.elementwise(0, || []);
            edges.elementwise(1, || [Negate, Scale((a / b).trunc())]);
        }
        // piecewise constant
        Binary::FloorDiv => {}
        // d(atan2(a, b)) = (b da − a db) / (a² + b²)
        Binary::Atan2 => {
            let squares = || a.square() + b.square();
            edges.elementwise(0, || [Scale(b / squares())]);
            edges.elementwise(1, || [Negate, Scale(a / squares())]);
        }
        // d(min(a, b)) = da where a is smaller, db where b is, half of each where they are equal
        Binary::Minimum => {
            edges.elementwise(0, || [ApplyMask(a.le(b) | a.is_nan()), Scale(share(a, b))]);
            edges.elementwise(1, || [ApplyMask(b.le(a) | b.is_nan()), Scale(share(a, b))]);
        }
        // d(max(a, b)) = da where a is larger, db where b is, half of each where they are equal
        Binary::Maximum => {
            edges.elementwise(0, || [ApplyMask(a.ge(b) | a.is_nan()), Scale(share(a, b))]);
            edges.elementwise(1, || [ApplyMask(b.ge(a) | b.is_nan()), Scale(share(a, b))]);
        }
    }
}

/// d(aᵇ) = b·aᵇ⁻¹ da where b ≠ 0, + y·ln a db where not (a = 0 and b ≥ 0)
fn power<'g>(edges: &mut Edges<'g, '_>, a: Expr<'g>, b: Expr<'g>, y: Expr<'g>) {
    match literal(b) {
        Some(0.0) => {}
        Some(1.0) => edges.elementwise(0, || []),
        Some(2.0) => edges.elementwise(0, || [Scale(a * 2)]),
        Some(exponent) => edges.elementwise(0, || [Scale(a.pow(exponent - 1.0) * exponent)]),
        None => edges.elementwise(0, || [ApplyMask(b.ne(0)), Scale(a.pow(b - 1) * b)]),
    }
    edges.elementwise(1, || [ApplyMask(!(a.eq(0) & b.ge(0))), Scale(y * a.ln())]);
}

/// The value of a literal float of rank 0.
fn literal(x: Expr<'_>) -> Option<f64> {
    let node = x.node();
    let Op::Source(Source::Scalar(scalar)) = node.op() else { return None };
    let Scalar::F64(value) = scalar.cast(DType::F64) else {
        unreachable!("a cast gives the dtype asked for")
    };
    Some(value)
}

/// What each side gets of an extremum: half where both are equal or NaN, else all.
fn share<'g>(a: Expr<'g>, b: Expr<'g>) -> Expr<'g> {
    let number = |value: f64| full(a.graph(), Shape::default(), a.dtype(), value);
    where_(a.eq(b) | (a.is_nan() & b.is_nan()), number(0.5), number(1.0))
}
