//! Steps that read and write at computed indices.

use tamis::prelude::*;
use tamis::{DType, NewAxis, OutOfRange, Slice, descending};

use super::{Exact, Step, Writer};
use crate::check::Agreement;

/// Scatters in one addressing, by how they combine.
type Scatter = for<'g> fn(Expr<'g>, Expr<'g>, Expr<'g>) -> Expr<'g>;

macro_rules! scatters {
    ($($name:literal: $rows:ident, $along:ident, $elements:ident;)*) => {
        const ROWS: &[Scatter] = &[$(|x, i, v| x.$rows(i, v, 0)),*];
        const ALONG: &[Scatter] = &[$(|x, i, v| x.$along(i, v, 0)),*];
        const ELEMENTS: &[Scatter] = &[$(|x, i, v| x.$elements(i, v)),*];
    };
}

scatters! {
    "set": scatter_set, scatter_set_along_axis, scatter_nd_set;
    "add": scatter_add, scatter_add_along_axis, scatter_nd_add;
    "mul": scatter_mul, scatter_mul_along_axis, scatter_nd_mul;
    "max": scatter_max, scatter_max_along_axis, scatter_nd_max;
    "min": scatter_min, scatter_min_along_axis, scatter_nd_min;
    "set_sum": scatter_set_sum, scatter_set_sum_along_axis, scatter_nd_set_sum;
    "set_prod": scatter_set_prod, scatter_set_prod_along_axis, scatter_nd_set_prod;
    "set_max": scatter_set_max, scatter_set_max_along_axis, scatter_nd_set_max;
    "set_min": scatter_set_min, scatter_set_min_along_axis, scatter_nd_set_min;
}

impl<'g> Writer<'g> {
    /// Two numbers of the full shape and one dtype.
    fn pair(&mut self) -> (Exact<'g>, Expr<'g>) {
        let (a, b) = (self.full_number(), self.full_number());
        let b = b.expr.cast(a.expr.dtype());
        (a, b)
    }

    /// `[n, 2]`: the row and the column of an element for each row; some rows twice.
    fn elements(&mut self) -> Expr<'g> {
        let rows = self.rows();
        let columns = rows.floor_mod(self.graph.size(self.full.dim(1)).maximum(1));
        self.graph.stack([rows, columns], 1)
    }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("rows written at indices", |w| {
        let ((a, b), rows, scatter) = (w.pair(), w.rows(), *w.random.pick(ROWS));
        if w.size[0] > 0 {
            w.number(scatter(a.expr, rows, b), f64::INFINITY);
        }
    }),
    ("elements written along an axis", |w| {
        let ((a, b), scatter) = (w.pair(), *w.random.pick(ALONG));
        if !w.size.contains(&0) {
            let indices = w.rows().unsqueeze(1).broadcast_to(w.full.shape());
            w.number(scatter(a.expr, indices, b), f64::INFINITY);
        }
    }),
    ("elements written at indices", |w| {
        let ((a, b), scatter) = (w.pair(), *w.random.pick(ELEMENTS));
        if !w.size.contains(&0) {
            let elements = w.elements();
            w.number(scatter(a.expr, elements, b.slice_axis(0, 1)), f64::INFINITY);
        }
    }),
    ("means written at indices", |w| {
        let (a, b, rows) = (w.full_float(), w.full_float(), w.rows());
        let (x, v) = (a.expr, b.expr.cast(a.expr.dtype()));
        if !w.size.contains(&0) {
            let (elements, first) = (w.elements(), v.slice_axis(0, 1));
            let along = rows.unsqueeze(1).broadcast_to(w.full.shape());
            for mean in [
                x.scatter_mean(rows, v, 0),
                x.scatter_set_mean(rows, v, 0),
                x.scatter_mean_along_axis(along, v, 0),
                x.scatter_set_mean_along_axis(along, v, 0),
                x.scatter_nd_mean(elements, first),
                x.scatter_nd_set_mean(elements, first),
            ] {
                w.give(mean, Agreement::Bits);
            }
        }
    }),
    ("several entries", |w| {
        let ((a, b), m, rows) = (w.pair(), w.mask(), w.rows());
        let x = a.expr;
        if w.size[0] > 1 && w.size[1] > 0 {
            let below = b.slice_axis(1.., 0);
            w.number(x.at((1.., Slice::from(..).by(-1))).set(below), f64::INFINITY);
            w.number(x.at(..-1).max(below), f64::INFINITY);
            w.number(x.at((rows, 0)).min(b.slice_axis(0, 1)), f64::INFINITY);
            w.number(x.at((rows, rows.floor_mod(1))).mul(b.slice_axis(0, 1)), f64::INFINITY);
            w.number(x.at(m).add(b.boolean_mask(m)), f64::INFINITY);
            w.give(x.at((m.any(1), 0)).get(), Agreement::Bits);
            // As many columns as there are rows.
            if w.size[0] < 2000 {
                w.give(x.at((NewAxis, .., rows.floor_mod(1))).get(), Agreement::Bits);
            }
        }
    }),
    ("elements at indices", |w| {
        let a = w.full_number();
        if !w.size.contains(&0) {
            let elements = w.elements();
            w.give(a.expr.gather_nd(elements), Agreement::Bits);
            w.give(a.expr.gather_nd(elements.cast(DType::I32)), Agreement::Bits);
        }
    }),
    ("gather by i32s from the end", |w| {
        let (a, rows) = (w.full_number(), w.rows());
        if w.size[0] > 0 {
            let rows = rows.cast(DType::I32) - 1;
            w.number(a.expr.gather(rows, 0), a.bound);
        }
    }),
    ("indices that may be out of range", |w| {
        let a = w.full_number();
        let indices = w.numbers[9].expr.cast(DType::I64);
        if w.size[1] > 0 {
            w.give(a.expr.gather_or(indices, OutOfRange::Clip, 1), Agreement::Bits);
        }
        w.give(a.expr.gather_or(indices, OutOfRange::Fill(1.into()), 1), Agreement::Bits);
        if w.random.below(8) == 0 {
            w.give(a.expr.gather(indices, 1), Agreement::Bits);
        }
    }),
    ("segments", |w| {
        let (a, rows) = (w.full_number(), w.rows());
        if w.size[0] > 0 {
            let n = w.full.dim(0);
            w.give(a.expr.segment_sum(rows, n.clone()), Agreement::Bits);
            w.give(a.expr.segment_mean(rows, n.clone()), Agreement::Bits);
            w.number(a.expr.segment_max(rows, n.clone()), f64::INFINITY);
            w.number(a.expr.segment_min(rows, n), f64::INFINITY);
        }
    }),
    ("one_hot", |w| {
        let rows = w.rows();
        if w.size[0] > 0 && w.size[0] < 2000 {
            w.give(rows.one_hot(w.full.dim(0), DType::F32), Agreement::Bits);
        }
    }),
    ("largest of a row", |w| {
        let a = w.full_number();
        if w.size[1] >= 2 {
            let (values, indices) = a.expr.top_k(2, 1);
            w.give(values, Agreement::Bits);
            w.give(indices, Agreement::Bits);
        }
    }),
    ("sorted by another", |w| {
        let (a, b, axis) = (w.full_number(), w.full_number(), w.axis());
        let order = b.expr.argsort(descending(axis));
        w.number(a.expr.take_along_axis(order, axis), a.bound);
        w.number(a.expr.sort(descending(axis)), a.bound);
    }),
];
