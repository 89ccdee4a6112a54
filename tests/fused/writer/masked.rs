//! Steps under a mask. What is not selected is replaced by poison, which moves no bit.

use tamis::prelude::*;
use tamis::{Axes, DType, descending};

use super::{Step, Writer};
use crate::check::Agreement;

/// What may be done with a float and a mask of one shape, over axes and along one.
type Under = for<'g> fn(Expr<'g>, Expr<'g>, Axes, i64) -> Expr<'g>;

/// What does not read elements that are not selected.
const UNDER: [(&str, Under); 35] = [
    ("sum", |x, m, axes, _| x.masked(m).sum(axes)),
    ("prod", |x, m, axes, _| x.masked(m).prod(axes)),
    ("mean", |x, m, axes, _| x.masked(m).mean(axes)),
    ("var", |x, m, axes, _| x.masked(m).var(axes)),
    ("std", |x, m, axes, _| x.masked(m).if_empty(1.0).std(axes)),
    ("var_ddof", |x, m, axes, _| x.masked(m).if_empty(1.0).var_ddof(1, axes)),
    ("std_ddof", |x, m, axes, _| x.masked(m).std_ddof(1, axes)),
    ("norm", |x, m, axes, _| x.masked(m).norm(axes)),
    ("logsumexp", |x, m, axes, _| x.masked(m).logsumexp(axes)),
    ("max", |x, m, axes, _| x.masked(m).initial(0.0).max(axes)),
    ("min", |x, m, axes, _| x.masked(m).if_empty(0.0).min(axes)),
    ("argmax", |x, m, axes, _| x.masked(m).if_empty(-1).argmax(axes).cast(DType::F64)),
    ("argmin", |x, m, axes, _| x.masked(m).if_empty(-2).argmin(axes).cast(DType::F64)),
    ("any", |x, m, axes, _| x.masked(m).any(axes).cast(DType::F64)),
    ("all", |x, m, axes, _| x.masked(m).all(axes).cast(DType::F64)),
    ("count_nonzero", |x, m, axes, _| x.masked(m).count_nonzero(axes).cast(DType::F64)),
    ("softmax", |x, m, _, axis| x.masked(m).softmax(axis)),
    ("log_softmax", |x, m, _, axis| x.masked(m).log_softmax(axis)),
    ("cross_entropy", |x, m, _, axis| {
        // The first class that is selected; rows without any are ignored.
        let labels = m.cast(DType::U8).masked(m).if_empty(0).argmax(axis);
        x.masked(m).cross_entropy(labels.masked(m.any(axis)), axis)
    }),
    ("cumsum", |x, m, _, axis| x.masked(m).cumsum(axis)),
    ("cumprod", |x, m, _, axis| x.masked(m).cumprod(axis)),
    ("sort", |x, m, _, axis| x.masked(m).sort(axis)),
    ("argsort", |x, m, _, axis| x.masked(m).argsort(descending(axis)).cast(DType::F64)),
    ("boolean_mask", |x, m, _, _| x.boolean_mask(m).exp()),
    ("masked_select", |x, m, _, _| x.masked_select(m).sin()),
    ("partition", |x, m, _, _| x.partition(m).0),
    ("unmask", |x, m, _, _| x.boolean_mask(m).unmask(m, 0.5)),
    ("where_", |x, m, _, axis| where_(m, x.recip(), 1.0).cumsum(axis)),
    ("masked_fill", |x, m, axes, _| x.masked_fill(!m, 0.25).sum(axes)),
    ("masked_assign", |x, m, _, _| x.masked_assign(!m, x.boolean_mask(!m) * 0.0 + 0.0).masked_fill(!m, 0.0)),
    ("masked_scatter", |x, m, _, _| {
        x.masked_scatter(!m, x.boolean_mask(m).sum(keep(0)) * 0.0).masked_fill(!m, 1.0)
    }),
    ("gather_nd", |x, m, _, _| x.gather_nd(m.argwhere())),
    ("flatnonzero", |x, m, _, _| x.flatten().gather(m.flatnonzero(), 0)),
    ("nonzero", |x, m, _, _| {
        let indices = m.nonzero();
        x.gather_nd(x.graph().stack([indices[0], indices[1]], 1))
    }),
    ("matmul", |x, m, _, _| {
        let (x, m) = (x.slice((..40, ..40)), m.slice((..40, ..40)));
        x.masked(m).matmul(where_(m, x, 0.5).transpose())
    }),
];

/// The element of which all others should not hear.
const POISON: [f64; 4] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300];

/// Whether two floats have the same elements, all NaN being one.
fn same<'g>(a: Expr<'g>, b: Expr<'g>) -> Expr<'g> {
    (a.eq(b) & a.recip().eq(b.recip())) | (a.is_nan() & b.is_nan())
}

impl<'g> Writer<'g> {
    /// Gives out whether two ways to write an expression give the same.
    fn same(&mut self, a: Expr<'g>, b: Expr<'g>) {
        self.give(same(a, b).all(..), Agreement::Holds);
    }

    /// A float of the full shape, and the same with poison where the mask is false.
    fn poisoned(&mut self, m: Expr<'g>) -> [Expr<'g>; 2] {
        let (x, poison) = (self.full_small(), *self.random.pick(&POISON));
        let x = x.expr.clip(-8.0, 8.0);
        // As an expression, since a literal must fit f32.
        let poisoned = where_(m, x, self.graph.scalar(poison).cast(x.dtype()));
        // Half of the time in a form of which no simplification knows what is under the mask.
        [x, if self.random.coin() { poisoned } else { poisoned.flip(0).flip(0) }]
    }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("poison is not read", |w| {
        let (m, (name, under), axes, axis) = (w.mask(), *w.random.pick(&UNDER), w.axes(), w.axis());
        w.text.push(name);
        let [x, poisoned] = w.poisoned(m);
        w.same(under(x, m, axes.clone(), axis), under(poisoned, m, axes, axis));
    }),
    ("poison reaches no gradient", |w| {
        let (m, (name, under), axes, axis) = (w.mask(), *w.random.pick(&UNDER), w.axes(), w.axis());
        w.text.push(name);
        let [x, poisoned] = w.poisoned(m);
        let loss = |x| {
            let y = under(x, m, axes.clone(), axis);
            (y * 0.5).sum(..)
        };
        let [dx, clean] = [poisoned, x].map(|x| grad(loss(x), x));
        w.same(dx, clean);
        w.same(where_(m, 0.0, dx), w.graph.scalar(0.0).cast(dx.dtype()));
    }),
    ("all reductions under a mask", |w| {
        let (m, a, axes, axis) = (w.mask(), w.full_small(), w.axes(), w.axis());
        let (x, scale) = (a.expr.clip(-8.0, 8.0), 64.0 * w.len());
        let (_, under) = *w.random.pick(&UNDER[3..9]);
        w.rounded(under(x, m, axes, axis), scale);
        w.rounded(x.masked(m).log_softmax(axis), scale);
        w.rounded(x.masked(m).cumsum(axis), scale);
        w.rounded(x.clip(0.99, 1.01).masked(m).cumprod(axis), 0.0);
    }),
    ("orders under a mask", |w| {
        let (m, a, axis) = (w.mask(), w.full_number(), w.axis());
        w.number(a.expr.masked(m).sort(axis), a.bound);
        w.number(a.expr.masked(m).if_empty(3).sort(descending(axis)), a.bound.max(3.0));
        w.give(a.expr.masked(m).argsort(axis), Agreement::Bits);
        let axes = w.axes();
        w.give(a.expr.masked(m).if_empty(-1).argmax(axes.clone()), Agreement::Bits);
        w.give(a.expr.masked(m).if_empty(-1).argmin(axis), Agreement::Bits);
        if w.random.below(6) == 0 {
            w.give(a.expr.masked(m).argmin(axes), Agreement::Bits);
        }
    }),
    ("integers under a mask", |w| {
        let (m, a, axes, axis) = (w.mask(), w.whole(), w.axes(), w.axis());
        let a = w.repeated(a.expr);
        w.number(a.masked(m).sum(axes.clone()), f64::INFINITY);
        w.number(a.masked(m).prod(axes.clone()), f64::INFINITY);
        w.give(a.masked(m).any(axes), Agreement::Bits);
        w.number(a.masked(m).cumsum(axis), f64::INFINITY);
        w.number(a.masked(m).cumprod(axis), f64::INFINITY);
    }),
    ("selections of rows and columns", |w| {
        let (m, a) = (w.mask(), w.full_number());
        let (rows, columns) = (m.any(1), m.all(0));
        w.give(a.expr.compress(rows, 0), Agreement::Bits);
        let kept = a.expr.boolean_mask_axis(columns, 1);
        w.number((kept + 1).unmask_axis(columns, 2, 1), a.bound + 2.0);
        let (yes, no) = a.expr.partition(rows);
        w.give(w.graph.concat([yes, no], 0), Agreement::Bits);
        w.number(a.expr.masked_fill(rows.expand_mask(a.expr), 1), a.bound.max(1.0));
    }),
    ("masked_select and masked_scatter", |w| {
        let (m, a, b) = (w.mask(), w.full_float(), w.full_float());
        let b = b.expr.cast(a.expr.dtype());
        w.give(a.expr.masked_select(m), Agreement::Bits);
        w.number(a.expr.masked_scatter(m, b), f64::INFINITY);
    }),
    ("product under a mask", |w| {
        let (m, a, b) = (w.mask(), w.full_small(), w.full_small());
        if w.size[0] <= 300 {
            let scale = w.scale_of_products(a, b);
            w.rounded(a.expr.masked(m).matmul(b.expr.transpose()), scale);
        }
        if w.size[0] <= 300 {
            let (a, b) = (w.whole(), w.whole());
            let a = w.repeated(a.expr);
            let b = w.repeated(b.expr).cast(a.dtype());
            w.give(a.masked(m).matmul(b.transpose()), Agreement::Bits);
        }
    }),
];
