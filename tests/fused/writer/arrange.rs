//! Steps that arrange, join and multiply, and leaves that are no inputs.

use tamis::prelude::*;
use tamis::{DType, Scalar, Value, along};

use super::Step;
use crate::check::Agreement;

pub(super) const STEPS: &[(&str, Step)] = &[
    ("leaves", |w| {
        let (n, k) = (w.full.dim(0), w.full.dim(1));
        let shape = || [n.clone(), k.clone()];
        let iota = w.graph.iota(n.clone());
        w.number(w.repeated(iota.unsqueeze(1)), 1e6);
        w.number(w.graph.full(shape(), 2.5_f32), 2.5);
        w.number(w.graph.full_value(shape(), Scalar::I32(-3)), 3.0);
        w.number(w.graph.zeros::<f64>(shape()) + w.graph.ones::<u8>(shape()), 1.0);
        w.number(w.graph.size(n).maximum(w.graph.size(k)).cast(DType::F64), 1e6);
        let list = Value::from(ndarray::arr1(&[0.25, -0.0, f64::NAN]).into_dyn());
        let list = w.graph.constant_value(list).sum(..) + w.graph.scalar(0.5_f32);
        w.number(list, f64::INFINITY);
    }),
    ("input by type", |w| {
        let again = w.graph.input::<f64>("point", dims![]);
        w.number(again.stop_gradient().negate(), 4.0);
    }),
    ("flipped", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        w.number(a.expr.flip(0) - b.expr.flip([0, 1]), a.bound + b.bound);
    }),
    ("triangles", |w| {
        let (a, m) = (w.full_number(), w.mask());
        let diagonal = w.random.below(7) as i64 - 3;
        w.number(a.expr.tril(diagonal), a.bound);
        w.number(a.expr.triu(diagonal), a.bound);
        w.masks.push(m.triu(diagonal));
        w.masks.push(m.tril(diagonal));
    }),
    ("squeezed", |w| {
        let (a, axis) = (w.full_number(), w.axis());
        let thin = a.expr.unsqueeze(axis);
        w.number(thin.squeeze(axis) + 1, a.bound + 1.0);
        w.number(a.expr.permute([1, 0]).transpose(), a.bound);
    }),
    ("padded", |w| {
        let (a, axis) = (w.full_number(), w.axis());
        let borders = if axis == 0 { [(1, 2), (0, 0)] } else { [(0, 0), (0, 3)] };
        let padded = a.expr.pad(borders, 1);
        w.give(padded, Agreement::Bits);
        let back =
            if axis == 0 { padded.slice_axis(1.., 0).slice_axis(..-2, 0) } else { padded.slice((.., ..-3)) };
        w.number(w.repeated(back), a.bound);
    }),
    ("tiled and repeated", |w| {
        let a = w.full_number();
        if w.len() < 20_000.0 {
            w.give(a.expr.tile([2, 3]), Agreement::Bits);
            w.give(a.expr.repeat(2, 0) * 2, Agreement::Bits);
            w.give(a.expr.repeat(3, 1), Agreement::Bits);
        }
    }),
    ("split", |w| {
        let a = w.full_number();
        let axis = w.axis();
        let length = w.size[axis as usize];
        if length > 0 && w.full.shape().known().is_some() {
            let lengths = [length / 2, length - length / 2].map(|n| n as i64);
            let parts = a.expr.split(lengths, axis);
            w.give(parts[0] * 3, Agreement::Bits);
            w.number(w.graph.concat([parts[0], parts[1]], axis), a.bound);
        }
    }),
    ("stacked", |w| {
        let (a, b, axis) = (w.full_float(), w.full_float(), w.axis());
        let both = w.graph.stack([a.expr, b.expr.cast(a.expr.dtype())], axis);
        w.give(both - 1.0, Agreement::Bits);
        w.number(both.max(axis), a.bound.max(b.bound));
    }),
    ("asserted", |w| {
        let a = w.full_number();
        let holds = a.expr.eq(a.expr) | a.expr.ne(a.expr);
        w.number(a.expr.assert_that(holds, "an element is itself or NaN"), a.bound);
        if w.random.below(12) == 0 {
            w.number(a.expr.assert_that(a.expr.gt(0), "positive"), a.bound);
        }
    }),
    ("running products", |w| {
        let (a, b, axis) = (w.full_small(), w.whole(), w.axis());
        w.rounded(a.expr.clip(0.99, 1.01).cumprod(axis), 0.0);
        w.rounded(a.expr.clip(0.99, 1.01).prod(axis), 0.0);
        w.number(a.expr.clip(-1.0, 1.0).round().cumprod(along(axis).reverse()), 1.0);
        let b = w.repeated(b.expr);
        w.number(b.cumprod(along(axis).exclusive()), f64::INFINITY);
        w.number(b.cumprod(axis), f64::INFINITY);
    }),
    ("linear_scan", |w| {
        let (a, b, axis) = (w.full_small(), w.full_small(), w.axis());
        let scale = (b.bound + 1.0) * 4.0;
        w.rounded(a.expr.clip(-0.5, 0.5).linear_scan(b.expr, axis), scale);
        w.rounded(a.expr.clip(-0.5, 0.5).linear_scan(b.expr, along(axis).reverse()), scale);
    }),
    ("std and var_ddof", |w| {
        let (a, axes) = (w.full_small(), w.axes());
        let scale = a.bound * a.bound * w.len();
        w.rounded(a.expr.var_ddof(1, axes.clone()), scale);
        // A root makes a small difference of small numbers large.
        w.rounded(a.expr.std(axes.clone()).square(), scale);
        w.rounded(a.expr.std_ddof(1, axes).square(), scale);
    }),
    ("einsum and dot", |w| {
        let (a, b) = (w.full_small(), w.full_small());
        let scale = w.scale_of_products(a, b);
        if w.size[0] <= 500 {
            w.rounded(w.graph.einsum("ik,jk->ij", [a.expr, b.expr]), scale);
            w.rounded(a.expr.dot(b.expr.transpose()), scale);
        }
        w.rounded(w.graph.einsum("ij,ij->j", [a.expr, b.expr]), scale);
        w.rounded(w.graph.einsum("ij->ji", [a.expr]), scale);
        let row = b.expr.slice_axis(..1, 0).reshape(dims![-1]);
        if w.size[0] > 0 {
            w.rounded(a.expr.matmul(row), scale);
            w.rounded(row.matmul(a.expr.transpose()), scale);
        }
    }),
    ("outer", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        if w.size[0] > 0 && w.size[0].max(w.size[1]) < 400 {
            w.give(a.expr.slice_axis(0, 0).outer(b.expr.slice_axis(..1, 1)), Agreement::Bits);
        }
    }),
    ("products of integers", |w| {
        let (a, b) = (w.whole(), w.whole());
        let a = w.repeated(a.expr);
        let b = w.repeated(b.expr).cast(a.dtype());
        if w.size[0] <= 300 {
            w.give(a.matmul(b.transpose()), Agreement::Bits);
        }
    }),
    ("sums and products of lists", |w| {
        let (a, b, c) = (w.any(), w.any(), w.any());
        w.number(w.graph.sum_of([a.expr, b.expr, c.expr]), a.bound + b.bound + c.bound);
        w.number(w.graph.prod_of([a.expr, b.expr, c.expr]), a.bound * b.bound * c.bound);
    }),
    ("operators", |w| {
        let (a, b) = (w.float(), w.float());
        w.number(a.expr % b.expr, b.bound);
        let (m, p) = (w.mask(), w.mask());
        w.masks.push((m | p) & !(m & p));
        w.masks.push(m.ne(p).ge(p).le(m).gt(p));
    }),
];
