//! Programs made of random steps, each of which knows how near the plan must
//! come to the reference.
//!
//! What is exact, that is computed alike by all executors, is there for later
//! steps. What is not exact is given out at once, or after a step that keeps
//! its distance: comparisons of it would make small differences large.

mod arrange;
mod gradient;
mod index;
mod masked;

use tamis::prelude::*;
use tamis::{DType, Slice, along, descending, hvp};

use crate::check::{Agreement, Output};
use crate::feed::{Feed, Layout};
use crate::functions::float_builders;
use crate::random::Random;

/// The largest finite number that is summed or multiplied in any order.
const LARGEST: f64 = 1e5;

/// An exact tensor, with a bound of its finite elements.
#[derive(Clone, Copy)]
struct Exact<'g> {
    expr: Expr<'g>,
    bound: f64,
}

/// A program that is being written.
pub(crate) struct Writer<'g> {
    graph: &'g Graph,
    random: Random,
    /// How many rows and columns inputs have.
    size: [usize; 2],
    numbers: Vec<Exact<'g>>,
    masks: Vec<Expr<'g>>,
    /// An input of the full shape.
    full: Expr<'g>,
    pub(crate) outputs: Vec<Output<'g>>,
    pub(crate) text: Vec<&'static str>,
    pub(crate) feeds: Vec<Feed>,
}

/// Adds to a program.
pub(crate) type Step = for<'g> fn(&mut Writer<'g>);

impl<'g> Writer<'g> {
    /// A program without steps: inputs of every dtype, of shape `size` or
    /// broadcast to it, with names for lengths or with numbers.
    pub(crate) fn new(graph: &'g Graph, seed: u64, size: [usize; 2], rarity: usize) -> Writer<'g> {
        let mut random = Random::new(seed);
        let named = random.coin();
        let inputs: [(&'static str, DType, &[usize]); 12] = [
            ("a", DType::F64, &[0, 1]),
            ("b", DType::F64, &[0, 1]),
            ("c", DType::F32, &[0, 1]),
            ("i", DType::I32, &[0, 1]),
            ("j", DType::I64, &[0, 1]),
            ("u", DType::U8, &[0, 1]),
            ("row", DType::F64, &[1]),
            ("column", DType::F32, &[0, 2]),
            ("point", DType::F64, &[]),
            ("whole", DType::I32, &[1]),
            ("m", DType::Bool, &[0, 1]),
            ("p", DType::Bool, &[0, 1]),
        ];
        let mut writer = Writer {
            graph,
            size,
            numbers: Vec::new(),
            masks: Vec::new(),
            full: graph.scalar(0.0),
            outputs: Vec::new(),
            text: Vec::new(),
            feeds: Vec::new(),
            random: Random::new(seed + 1_000_000),
        };
        for (name, dtype, axes) in inputs {
            let length = |axis: &usize| [size[0], size[1], 1][*axis];
            let shape: Vec<usize> = axes.iter().map(length).collect();
            let declared = axes.iter().map(|axis| match (named, axis) {
                (true, 0) => tamis::Size::from("n"),
                (true, 1) => tamis::Size::from("k"),
                (_, axis) => tamis::Size::from(length(axis)),
            });
            let expr = graph.input_of(name, dtype, declared.collect::<Vec<_>>());
            // Half of them as most users feed them.
            let layout = if random.coin() { Layout::RowMajor } else { *random.pick(&Layout::ALL) };
            writer.feeds.push(Feed::new(name, dtype, &shape, layout, &mut random, rarity));
            match dtype {
                DType::Bool => writer.masks.push(expr),
                DType::U8 | DType::I32 | DType::I64 | DType::F32 | DType::F64 => {
                    writer.number(expr, 4.0);
                }
            }
            if name == "a" {
                writer.full = expr;
            }
        }
        writer
    }

    /// Takes a step from the table.
    pub(crate) fn step(&mut self, (text, step): (&'static str, Step)) {
        self.text.push(text);
        step(self);
    }

    /// Gives out some of the exact tensors, the newest among them.
    pub(crate) fn finish(&mut self) {
        for i in 0..self.numbers.len() {
            let is_input = i < 10;
            if i + 1 == self.numbers.len() || (!is_input && self.random.below(4) == 0) {
                self.give(self.numbers[i].expr, Agreement::Bits);
            }
        }
        let mask = self.mask();
        self.give(mask, Agreement::Bits);
    }

    fn give(&mut self, expr: Expr<'g>, agreement: Agreement) {
        let text = self.text.last().copied().unwrap_or("input").to_string();
        self.outputs.push(Output { expr, agreement, text });
    }

    /// Adds an exact tensor.
    fn number(&mut self, expr: Expr<'g>, bound: f64) {
        let limit = match expr.dtype() {
            DType::Bool => 1.0,
            DType::U8 => 255.0,
            DType::I32 => 3e9,
            DType::I64 => 1e19,
            DType::F32 | DType::F64 => f64::INFINITY,
        };
        let bound = if expr.dtype().is_float() { bound } else { limit };
        self.numbers.push(Exact { expr, bound });
    }

    /// Gives out what is near the reference by `scale`, now and then after a
    /// step that keeps the distance.
    fn rounded(&mut self, expr: Expr<'g>, scale: f64) {
        let agreement = Agreement::Within { scale };
        self.give(expr, agreement);
        let has_full_shape = expr.shape() == self.full.shape();
        let next = match self.random.below(6) {
            0 => -expr,
            1 => expr.abs(),
            2 if has_full_shape => where_(self.mask(), expr, 0.5),
            3 if has_full_shape => expr.boolean_mask(self.mask()),
            4 if has_full_shape => expr.transpose(),
            5 => expr * 3.0,
            _ => return,
        };
        self.give(next, Agreement::Within { scale: 3.0 * scale });
    }

    /// Half of the time one of the newest, so that programs are deep.
    fn index(random: &mut Random, len: usize) -> usize {
        if random.coin() { len - 1 - random.below(len.min(3)) } else { random.below(len) }
    }

    /// An exact tensor of any number dtype, of a shape that broadcasts to the full one.
    fn any(&mut self) -> Exact<'g> {
        self.numbers[Writer::index(&mut self.random, self.numbers.len())]
    }

    fn of(&mut self, fits: impl Fn(DType) -> bool) -> Exact<'g> {
        let fitting: Vec<Exact<'g>> =
            self.numbers.iter().copied().filter(|number| fits(number.expr.dtype())).collect();
        fitting[Writer::index(&mut self.random, fitting.len())]
    }

    fn float(&mut self) -> Exact<'g> {
        self.of(DType::is_float)
    }

    fn whole(&mut self) -> Exact<'g> {
        self.of(DType::is_integer)
    }

    /// A float, the finite elements of which can be added in any order.
    fn small(&mut self) -> Exact<'g> {
        let Exact { expr, bound } = self.float();
        if bound <= LARGEST {
            return Exact { expr, bound };
        }
        Exact { expr: expr.clip(-LARGEST, LARGEST), bound: LARGEST }
    }

    fn mask(&mut self) -> Expr<'g> {
        self.masks[Writer::index(&mut self.random, self.masks.len())]
    }

    /// The tensor in the full shape.
    fn repeated(&self, x: Expr<'g>) -> Expr<'g> {
        if x.shape() == self.full.shape() { x } else { x.broadcast_to(self.full.shape()) }
    }

    /// A mask of the full shape.
    fn full_mask(&mut self, mask: Expr<'g>) {
        let mask = self.repeated(mask);
        self.masks.push(mask);
    }

    /// A number of the full shape.
    fn full_number(&mut self) -> Exact<'g> {
        let x = self.any();
        Exact { expr: self.repeated(x.expr), ..x }
    }

    fn full_float(&mut self) -> Exact<'g> {
        let x = self.float();
        Exact { expr: self.repeated(x.expr), ..x }
    }

    fn full_small(&mut self) -> Exact<'g> {
        let x = self.small();
        Exact { expr: self.repeated(x.expr), ..x }
    }

    fn len(&self) -> f64 {
        (self.size[0] * self.size[1]).max(1) as f64
    }

    /// How large the terms of a product of matrices are, and how many: the reference adds in
    /// f32, one product after the other, and each addition rounds the sum so far. After k terms
    /// of at most B that sum is at most k · B, so that n terms lie apart by 2⁻²⁴ · B · n² / 2 at
    /// most, which is less than 2 · 10⁻⁶ · B · n · n / 64; the 16 is for the products themselves.
    fn scale_of_products(&self, a: Exact<'g>, b: Exact<'g>) -> f64 {
        let longest = self.size[0].max(self.size[1]) as f64;
        a.bound * b.bound * self.len() * (16.0 + longest / 64.0)
    }

    /// Rows at valid indices, some of them twice.
    fn rows(&mut self) -> Expr<'g> {
        let indices = self.repeated(self.numbers[3].expr).cast(DType::I64).min_of_rows();
        indices.floor_mod(self.graph.size(self.full.dim(0)).maximum(1))
    }

    /// A label for each loss of classes along an axis; 0, which is none, where there are no classes.
    fn labels(&self, axis: i64) -> Expr<'g> {
        let classes = self.graph.size(self.full.dim(axis)).maximum(1);
        let numbers = self.repeated(self.numbers[3].expr).cast(DType::I64);
        numbers.masked(numbers.eq(numbers)).initial(1000).min(axis).floor_mod(classes)
    }

    fn axis(&mut self) -> i64 {
        self.random.below(2) as i64
    }

    /// Axes to reduce, kept or not, such that the result broadcasts to the full shape.
    fn axes(&mut self) -> tamis::Axes {
        match self.random.below(5) {
            0 => tamis::Axes::from(0),
            1 => keep(0),
            2 => keep(1),
            3 => keep(..),
            _ => tamis::Axes::from(..),
        }
    }
}

trait OfRows {
    fn min_of_rows(self) -> Self;
}

impl OfRows for Expr<'_> {
    /// One integer of each row.
    fn min_of_rows(self) -> Self {
        self.masked(self.eq(self)).initial(1000).min(1)
    }
}

/// The elementwise functions of one float, a step each.
fn functions() -> impl Iterator<Item = (&'static str, Step)> {
    float_builders().map(|builder| (builder.name, of_float as Step))
}

/// The function of one float that the step is named after.
fn of_float(w: &mut Writer<'_>) {
    let name = w.text.last().copied();
    let builder = float_builders().find(|builder| Some(builder.name) == name);
    let build = builder.expect("the step has the name of a function").build;
    let x = w.float();
    w.number(build(x.expr), f64::INFINITY);
}

/// All steps that there are.
pub(crate) fn steps() -> Vec<(&'static str, Step)> {
    let others = [index::STEPS, masked::STEPS, arrange::STEPS, gradient::STEPS].into_iter().flatten();
    STEPS.into_iter().chain(functions()).chain(others.copied()).collect()
}

/// What a step adds to a program.
const STEPS: [(&str, Step); 85] = [
    // Elementwise arithmetic.
    ("sum", |w| {
        let (a, b) = (w.any(), w.any());
        w.number(a.expr + b.expr, a.bound + b.bound);
    }),
    ("difference", |w| {
        let (a, b) = (w.any(), w.any());
        w.number(a.expr - b.expr, a.bound + b.bound);
    }),
    ("product", |w| {
        let (a, b) = (w.any(), w.any());
        w.number(a.expr * b.expr, a.bound * b.bound);
    }),
    ("quotient", |w| {
        let (a, b) = (w.any(), w.any());
        w.number(a.expr / b.expr, f64::INFINITY);
    }),
    ("with literals", |w| {
        let a = w.float();
        let literal = *w.random.pick(&[0.0, -0.0, 1.0, -1.0, 0.5, f64::INFINITY]);
        let x = match w.random.below(5) {
            0 => literal + a.expr,
            1 => a.expr - literal,
            2 => a.expr * literal,
            3 => literal / a.expr,
            _ => a.expr.maximum(literal),
        };
        w.number(x, f64::INFINITY);
    }),
    ("minimum and maximum", |w| {
        let (a, b) = (w.any(), w.any());
        w.number(a.expr.minimum(b.expr), a.bound.max(b.bound));
        w.number(b.expr.maximum(a.expr), a.bound.max(b.bound));
    }),
    ("float remainder", |w| {
        let (a, b) = (w.float(), w.float());
        w.number(a.expr.floor_mod(b.expr), b.bound);
    }),
    ("truncated remainder", |w| {
        let (a, b) = (w.float(), w.float());
        w.number(a.expr.rem_trunc(b.expr), b.bound);
    }),
    ("floor_div", |w| {
        let (a, b) = (w.float(), w.float());
        w.number(a.expr.floor_div(b.expr), f64::INFINITY);
    }),
    ("integer division", |w| {
        let (a, b) = (w.whole(), w.whole());
        let divisor = where_(b.expr.eq(0), 1, b.expr);
        w.number(a.expr.floor_div(divisor), a.bound);
        w.number(a.expr.floor_mod(divisor), b.bound);
    }),
    ("integer remainder that may fail", |w| {
        let (a, b) = (w.whole(), w.whole());
        if w.random.below(8) == 0 {
            w.number(a.expr.rem_trunc(b.expr), b.bound);
        }
    }),
    ("power", |w| {
        let (a, b) = (w.float(), w.small());
        w.number(a.expr.pow(b.expr), f64::INFINITY);
    }),
    ("integer power", |w| {
        let a = w.whole();
        let exponent = w.random.below(4) as i64;
        w.number(a.expr.pow(exponent), f64::INFINITY);
    }),
    ("atan2", |w| {
        let (a, b) = (w.float(), w.float());
        w.number(a.expr.atan2(b.expr), 4.0);
    }),
    ("neg, abs, sign", |w| {
        let a = w.any();
        w.number(-a.expr, a.bound);
        w.number(a.expr.abs(), a.bound);
        w.number(a.expr.sign(), 1.0);
    }),
    ("relu and square", |w| {
        let a = w.any();
        w.number(a.expr.relu(), a.bound);
        w.number(a.expr.square(), a.bound * a.bound);
    }),
    ("roundings", |w| {
        let a = w.any();
        w.number(a.expr.floor(), a.bound + 1.0);
        w.number(a.expr.ceil(), a.bound + 1.0);
        w.number(a.expr.round(), a.bound + 1.0);
        w.number(a.expr.trunc(), a.bound + 1.0);
    }),
    ("rsqrt", |w| {
        let a = w.float();
        w.number(a.expr.rsqrt(), f64::INFINITY);
    }),
    ("sqrt and recip", |w| {
        let a = w.float();
        w.number(a.expr.sqrt(), a.bound.max(1.0));
        w.number(a.expr.recip(), f64::INFINITY);
    }),
    ("clip", |w| {
        let a = w.any();
        w.number(a.expr.clip(1, 3), 3.0);
    }),
    ("cast", |w| {
        let a = w.any();
        let dtypes = [DType::U8, DType::I32, DType::I64, DType::F32, DType::F64];
        let dtype = *w.random.pick(&dtypes);
        w.number(a.expr.cast(dtype), a.bound);
    }),
    ("cast twice", |w| {
        let a = w.any();
        let dtypes = [DType::Bool, DType::U8, DType::I32, DType::I64, DType::F32, DType::F64];
        let (through, dtype) = (*w.random.pick(&dtypes), *w.random.pick(&dtypes[1..]));
        // Infinities become the ends of an integer dtype.
        let bound = if through.is_integer() { 1e19 } else { a.bound.max(255.0) };
        w.number(a.expr.cast(through).cast(dtype), bound);
    }),
    ("mask as numbers", |w| {
        let mask = w.mask();
        let dtypes = [DType::U8, DType::I32, DType::I64, DType::F32, DType::F64];
        let dtype = *w.random.pick(&dtypes);
        w.number(mask.cast(dtype), 1.0);
    }),
    ("numbers as mask", |w| {
        let a = w.any();
        w.full_mask(a.expr.cast(DType::Bool));
    }),
    // Comparisons and logic.
    ("comparison", |w| {
        let (a, b) = (w.any(), w.any());
        let mask = match w.random.below(6) {
            0 => a.expr.eq(b.expr),
            1 => a.expr.ne(b.expr),
            2 => a.expr.lt(b.expr),
            3 => a.expr.le(b.expr),
            4 => a.expr.gt(b.expr),
            _ => a.expr.ge(b.expr),
        };
        w.full_mask(mask);
    }),
    ("comparison with a literal", |w| {
        let a = w.any();
        w.full_mask(a.expr.gt(1));
        let b = w.float();
        w.full_mask(b.expr.le(-0.0));
    }),
    ("kinds of floats", |w| {
        let a = w.any();
        w.full_mask(a.expr.is_nan());
        w.full_mask(a.expr.is_finite());
        w.full_mask(a.expr.is_inf());
    }),
    ("logic", |w| {
        let (m, p, q) = (w.mask(), w.mask(), w.mask());
        w.masks.push(!m & p);
        w.masks.push((m ^ q) | p);
    }),
    ("comparison of masks", |w| {
        let (m, p) = (w.mask(), w.mask());
        w.masks.push(m.eq(p));
        w.masks.push(m.lt(p));
    }),
    // Choices.
    ("where", |w| {
        let (m, a, b) = (w.mask(), w.any(), w.any());
        w.number(where_(m, a.expr, b.expr), a.bound.max(b.bound));
    }),
    ("where of masks", |w| {
        let (m, p, q) = (w.mask(), w.mask(), w.mask());
        w.masks.push(where_(m, p, q));
    }),
    ("masked_fill", |w| {
        let (m, a) = (w.mask(), w.full_number());
        w.number(a.expr.masked_fill(m, 2), a.bound.max(2.0));
    }),
    ("masked_assign", |w| {
        let (m, a, b) = (w.mask(), w.full_float(), w.full_float());
        w.number(a.expr.masked_assign(m, b.expr.boolean_mask(m).cast(a.expr.dtype())), a.bound.max(b.bound));
    }),
    // Selections.
    ("selection", |w| {
        let (m, a) = (w.mask(), w.full_number());
        w.give(a.expr.boolean_mask(m), Agreement::Bits);
    }),
    ("selection of masks", |w| {
        let (m, p) = (w.mask(), w.mask());
        w.give(p.boolean_mask(m), Agreement::Bits);
    }),
    ("several selections by one mask", |w| {
        let (m, a, b) = (w.mask(), w.full_number(), w.full_float());
        w.give(a.expr.boolean_mask(m), Agreement::Bits);
        w.give(b.expr.boolean_mask(m) * 2.0, Agreement::Bits);
        w.give(m.count_nonzero(..), Agreement::Bits);
    }),
    ("unmask of a selection", |w| {
        let (m, a, b) = (w.mask(), w.full_number(), w.full_number());
        w.number((a.expr.boolean_mask(m) * b.expr.boolean_mask(m)).unmask(m, 1), a.bound * b.bound + 1.0);
    }),
    ("unmask of what was sorted", |w| {
        let (m, a) = (w.mask(), w.full_number());
        w.number(a.expr.boolean_mask(m).sort(0).unmask(m, a.expr), a.bound);
    }),
    ("selection of a selection", |w| {
        let (m, p, a) = (w.mask(), w.mask(), w.full_number());
        w.give(a.expr.boolean_mask(m).boolean_mask(p.boolean_mask(m)), Agreement::Bits);
    }),
    ("selected rows", |w| {
        let (m, a) = (w.mask(), w.full_number());
        let rows = m.any(1);
        w.give(a.expr.boolean_mask(rows), Agreement::Bits);
        w.number(a.expr.boolean_mask(rows).unmask(rows, 1), a.bound.max(1.0));
    }),
    ("selected columns", |w| {
        let (m, a) = (w.mask(), w.full_number());
        let columns = m.all(0);
        w.give(a.expr.boolean_mask_axis(columns, 1), Agreement::Bits);
    }),
    ("argwhere", |w| {
        let m = w.mask();
        w.give(m.argwhere(), Agreement::Bits);
    }),
    ("sum of a selection", |w| {
        let (m, a) = (w.mask(), w.full_small());
        let scale = a.bound * w.len();
        w.rounded(a.expr.boolean_mask(m).sum(..), scale);
        let root = a.expr.abs().sqrt();
        w.rounded(root.boolean_mask(m).mean(..), scale);
    }),
    // Reductions.
    ("sum over axes", |w| {
        let (a, axes) = (w.full_small(), w.axes());
        let scale = a.bound * w.len();
        w.rounded(a.expr.sum(axes), scale);
    }),
    ("sums of integers", |w| {
        let (a, axes) = (w.whole(), w.axes());
        let a = w.repeated(a.expr);
        w.number(a.sum(axes), f64::INFINITY);
    }),
    ("sums of masks", |w| {
        let (m, axes) = (w.mask(), w.axes());
        w.number(m.sum(axes), f64::INFINITY);
    }),
    ("count_nonzero", |w| {
        let (m, a, axes) = (w.mask(), w.full_number(), w.axes());
        w.number(a.expr.count_nonzero(axes.clone()), f64::INFINITY);
        w.number(a.expr.masked(m).count_nonzero(axes), f64::INFINITY);
    }),
    ("mean", |w| {
        let (a, axes) = (w.full_small(), w.axes());
        let scale = a.bound * w.len();
        w.rounded(a.expr.mean(axes), scale);
    }),
    ("masked sums", |w| {
        let (m, a, axes) = (w.mask(), w.full_small(), w.axes());
        let scale = a.bound * w.len();
        w.rounded(a.expr.masked(m).sum(axes.clone()), scale);
        w.rounded(a.expr.masked(m).if_empty(3.0).mean(axes), scale);
    }),
    ("product of all", |w| {
        let (a, axes) = (w.whole(), w.axes());
        let a = w.repeated(a.expr);
        w.number(a.prod(axes), f64::INFINITY);
    }),
    ("max", |w| {
        let (a, axes) = (w.full_number(), w.axes());
        if w.size.contains(&0) && w.random.below(6) > 0 {
            return;
        }
        w.number(a.expr.max(axes.clone()), a.bound);
        w.number(a.expr.min(axes), a.bound);
    }),
    ("masked maxima and minima", |w| {
        let (m, a, axes) = (w.mask(), w.full_number(), w.axes());
        w.give(a.expr.masked(m).initial(1).max(axes.clone()), Agreement::Bits);
        w.give(a.expr.masked(m).if_empty(2).min(axes.clone()), Agreement::Bits);
        if w.random.below(6) == 0 {
            w.give(a.expr.masked(m).max(axes), Agreement::Bits);
        }
    }),
    ("any and all", |w| {
        let (m, axes) = (w.mask(), w.axes());
        let (any, all) = (m.any(axes.clone()), m.all(axes));
        w.full_mask(any);
        w.full_mask(all);
        w.give(any, Agreement::Bits);
    }),
    ("masked any and all", |w| {
        let (m, p, axes) = (w.mask(), w.mask(), w.axes());
        w.give(m.masked(p).any(axes.clone()), Agreement::Bits);
        w.give(m.masked(p).all(axes), Agreement::Bits);
    }),
    ("several reductions at once", |w| {
        let (m, a, b) = (w.mask(), w.full_small(), w.full_small());
        let scale = (a.bound * b.bound + a.bound + b.bound) * w.len();
        w.rounded((a.expr * b.expr).sum(..), scale);
        w.rounded(a.expr.sum(1), scale);
        w.rounded(b.expr.sum(0), scale);
        w.give(a.expr.max(1), Agreement::Bits);
        w.give(m.any(1), Agreement::Bits);
        w.give(m.count_nonzero(0), Agreement::Bits);
    }),
    ("reductions of middle axes", |w| {
        let (m, a, b) = (w.mask(), w.full_small(), w.float());
        let scale = a.bound * w.len() * 2.0;
        let cube = w.graph.stack([a.expr, w.repeated(b.expr).cast(a.expr.dtype()).clip(-1.0, 1.0)], 0);
        let scale = scale.max(w.len());
        w.rounded(cube.sum(1), scale);
        w.rounded(cube.sum([0, 1]), scale);
        w.rounded(cube.sum([1, 2]), scale);
        w.rounded(cube.sum([0, 2]), scale);
        w.give((cube * 2.0).max(keep(1)), Agreement::Bits);
        w.give(cube.masked(m.unsqueeze(0)).initial(0.5).min([1, 2]), Agreement::Bits);
        w.give((cube.gt(0.0) & m).any(1), Agreement::Bits);
    }),
    ("var, std, norm", |w| {
        let (a, axes) = (w.full_small(), w.axes());
        let scale = a.bound * a.bound * w.len();
        w.rounded(a.expr.var(axes.clone()), scale);
        w.rounded(a.expr.norm(axes), scale);
    }),
    ("centred by a function of all", |w| {
        let (a, b) = (w.full_small(), w.small());
        let scale = (a.bound + b.bound) * w.len();
        w.rounded(a.expr - b.expr.mean(..), scale);
        w.rounded((a.expr - a.expr.mean(keep(1))).abs().sum(keep(0)), scale);
    }),
    // Orders and scans.
    ("logsumexp", |w| {
        let (a, axes) = (w.full_small(), w.axes());
        w.rounded(a.expr.logsumexp(axes), 1.0 + a.bound);
    }),
    ("softmax", |w| {
        let (a, axis) = (w.full_small(), w.axis());
        let scale = 1.0 + a.bound;
        w.rounded(a.expr.clip(-4.0, 4.0).softmax(axis), 1.0);
        w.rounded(a.expr.log_softmax(axis), scale);
    }),
    ("masked softmax", |w| {
        let (m, a, axis) = (w.mask(), w.full_small(), w.axis());
        w.rounded(a.expr.clip(-4.0, 4.0).masked(m).softmax(axis), 1.0);
    }),
    ("cross_entropy", |w| {
        let (m, a, axis) = (w.mask(), w.full_small(), w.axis());
        let (x, scale) = (a.expr.clip(-8.0, 8.0), 64.0 + w.len());
        let (labels, kept) = (w.labels(axis), m.any(axis));
        w.rounded(x.cross_entropy(labels.masked(kept), axis), scale);
        w.rounded(x.masked(m).cross_entropy(labels, axis), scale);
    }),
    ("sort", |w| {
        let (a, axis) = (w.full_number(), w.axis());
        w.number(a.expr.sort(axis), a.bound);
        w.give(a.expr.argsort(descending(axis)), Agreement::Bits);
    }),
    ("argmax", |w| {
        let (a, axis) = (w.full_number(), w.axis());
        if !w.size.contains(&0) {
            w.give(a.expr.argmax(axis), Agreement::Bits);
            w.give(a.expr.argmin(axis), Agreement::Bits);
            let axes = w.axes();
            w.give(a.expr.argmax(axes.clone()), Agreement::Bits);
            w.give(a.expr.argmin(axes), Agreement::Bits);
        }
    }),
    ("running sums", |w| {
        let (a, axis) = (w.full_small(), w.axis());
        let scale = a.bound * w.len();
        w.rounded(a.expr.cumsum(axis), scale);
        w.rounded(a.expr.cumsum(along(axis).exclusive().reverse()), scale);
    }),
    ("running sums of integers", |w| {
        let (a, axis) = (w.whole(), w.axis());
        let a = w.repeated(a.expr);
        w.number(a.cumsum(axis), f64::INFINITY);
    }),
    // Indices.
    ("rows at indices", |w| {
        let (a, rows) = (w.full_number(), w.rows());
        if w.size[0] > 0 {
            w.number(a.expr.gather(rows, 0), a.bound);
        }
    }),
    ("rows written at indices", |w| {
        let (a, b, rows) = (w.full_float(), w.full_float(), w.rows());
        let b = b.expr.cast(a.expr.dtype());
        if w.size[0] > 0 {
            w.number(a.expr.scatter_add(rows, b, 0), f64::INFINITY);
            w.number(a.expr.scatter_set(rows, b, 0), f64::INFINITY);
        }
    }),
    ("elements along an axis", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        if !w.size.contains(&0) {
            let indices = b.expr.argsort(0);
            w.number(a.expr.take_along_axis(indices, 0), a.bound);
        }
    }),
    ("written where a mask is true", |w| {
        let (m, a, b) = (w.mask(), w.full_float(), w.full_float());
        let b = b.expr.cast(a.expr.dtype());
        w.number(a.expr.scatter_nd_set(m.argwhere(), b.boolean_mask(m)), f64::INFINITY);
    }),
    // Arrangements.
    ("transposed and back", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        let bound = a.bound + b.bound;
        w.number((a.expr.transpose() + b.expr.transpose()).transpose(), bound);
        w.give(a.expr.transpose() - 1, Agreement::Bits);
    }),
    ("reshaped", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        let flat = a.expr.flatten() + b.expr.flatten();
        w.give(flat, Agreement::Bits);
        w.number(flat.reshape(w.full.shape()), a.bound + b.bound);
    }),
    ("backwards", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        let back = Slice::from(..).by(-1);
        w.number(a.expr.slice_axis(&back, 0) + b.expr.slice_axis(back, 1), a.bound + b.bound);
    }),
    ("slices", |w| {
        let (a, b) = (w.full_number(), w.full_number());
        if w.size[0] > 1 {
            let (top, bottom) = (a.expr.slice_axis(..-1, 0), b.expr.slice_axis(1.., 0));
            w.give(top - bottom, Agreement::Bits);
            w.give(a.expr.slice_axis(Slice::from(..).by(2), 0) * 2, Agreement::Bits);
        }
    }),
    ("joined", |w| {
        let (a, b) = (w.full_float(), w.full_float());
        let b = b.expr.cast(a.expr.dtype());
        w.give(w.graph.concat([a.expr, b, a.expr - b], 1) * 2.0, Agreement::Bits);
    }),
    // What regions share.
    ("a function read by several", |w| {
        let (m, a) = (w.mask(), w.full_small());
        let y = (a.expr.clip(-5.0, 5.0) * 0.7).sin() + 1.5;
        let scale = 3.0 * w.len();
        w.rounded(y.sum(0), scale);
        w.rounded(y.sum(1), scale);
        w.rounded(y.boolean_mask(m), 1.0);
        w.rounded(y.masked(m).initial(0.0).max(keep(1)) - y, 3.0);
        w.rounded(y.masked(m).sum(..), scale);
    }),
    ("a maximum or minimum is one of the elements", |w| {
        let a = w.full_small();
        let y = (a.expr * 0.3).exp();
        let largest = y
            .masked(y.is_nan())
            .initial(0.0)
            .max(keep(1))
            .maximum(y.masked(!y.is_nan()).initial(0.0).max(keep(1)));
        w.give(y.ge(largest).any(1), Agreement::Bits);
    }),
    ("work on a selection", |w| {
        let (m, a, b) = (w.mask(), w.full_small(), w.full_float());
        let kept = a.expr.boolean_mask(m).floor_mod(b.expr.boolean_mask(m));
        let inner = kept.gt(0.25);
        w.give(kept, Agreement::Bits);
        w.give(kept.boolean_mask(inner), Agreement::Bits);
        w.give(inner.count_nonzero(..), Agreement::Bits);
        w.give(kept.masked(inner).initial(0.5).max(..), Agreement::Bits);
        w.number(kept.boolean_mask(inner).unmask(inner, kept - 1.0).unmask(m, 0.0), f64::INFINITY);
    }),
    ("reductions of selected rows", |w| {
        let (m, a) = (w.mask(), w.full_small());
        let scale = a.bound * w.len() * 8.0;
        let rows = m.any(1);
        let kept = a.expr.boolean_mask(rows).rem_trunc(7.0);
        w.rounded(kept.sum(0), scale);
        w.rounded(kept.sum(1), scale);
        w.rounded((kept - kept.mean(keep(0))).square().sum(keep(0)), scale * scale);
        w.give(kept.masked(m.boolean_mask(rows)).initial(0.5).min(0), Agreement::Bits);
    }),
    ("three axes", |w| {
        let (m, a) = (w.mask(), w.full_small());
        let scale = a.bound * w.len() * 20.0;
        let weights = w.graph.constant([1.0, -2.0, 0.5]).cast(a.expr.dtype());
        let cubes = [
            (a.expr.unsqueeze(2) * weights, m.unsqueeze(2)),
            (a.expr.unsqueeze(1) * weights.unsqueeze(1), m.unsqueeze(1)),
            (a.expr * weights.reshape([3, 1, 1]), m.unsqueeze(0)),
        ];
        let (cube, mask) = *w.random.pick(&cubes);
        w.give(cube, Agreement::Bits);
        w.give(cube.permute([2, 0, 1]) + 1.0, Agreement::Bits);
        let axes: [&[i64]; 6] = [&[0], &[1], &[2], &[0, 1], &[1, 2], &[0, 2]];
        for axes in axes {
            w.rounded((cube + 0.5).sum(axes), scale);
            w.give(cube.masked(mask).initial(1).max(axes), Agreement::Bits);
            w.give((cube.gt(0.5) & mask).all(axes), Agreement::Bits);
        }
        w.give(cube.boolean_mask(cube.gt(0.5) & mask), Agreement::Bits);
    }),
    ("scalars", |w| {
        let (a, m) = (w.full_small(), w.mask());
        let point = w.numbers[8].expr;
        w.number(point * 2.0 + 1.0, 10.0);
        w.full_mask(point.gt(0.0) & m.any(..));
        let count = m.count_nonzero(..);
        w.number(where_(count.gt(2), count, count * 3 - 1), f64::INFINITY);
        w.number(a.expr + point * count.cast(DType::F64), f64::INFINITY);
        w.give((point + 1.0).sum(..), Agreement::Bits);
    }),
    ("maxima and minima of masks", |w| {
        let (m, axes) = (w.mask(), w.axes());
        if !w.size.contains(&0) {
            w.give(m.max(axes.clone()), Agreement::Bits);
            w.give(m.min(axes), Agreement::Bits);
        }
    }),
    // Products.
    ("matmul", |w| {
        let (a, b) = (w.full_small(), w.full_small());
        let scale = w.scale_of_products(a, b);
        if w.size[0] <= 2000 {
            w.rounded(a.expr.matmul(b.expr.transpose()), scale);
        }
        if w.size[1] <= 2000 {
            w.rounded(a.expr.transpose().matmul(b.expr), scale);
        }
    }),
    // Gradients.
    ("gradient of a smooth loss", |w| {
        let (m, row) = (w.mask(), w.small());
        let [a, b] = [w.numbers[0].expr, w.numbers[1].expr];
        let row = row.expr.clip(-2.0, 2.0);
        let loss = ((a * row).tanh() * b).masked(m).sum(1).sigmoid().mean(..) + (a * b).sum(..) * 0.5;
        let scale = w.len() * 100.0;
        w.rounded(loss, scale);
        w.rounded(grad(loss, a), scale);
        w.rounded(grad(loss, b), scale);
    }),
    ("gradient through selections", |w| {
        let m = w.mask();
        let [a, b] = [w.numbers[0].expr, w.numbers[1].expr];
        let kept = (a.boolean_mask(m) * b.boolean_mask(m)).clip(-3.0, 3.0);
        let loss = (kept.exp() / 2.0).sum(..) + where_(m, a, b).square().sum(..);
        let scale = w.len() * 1000.0;
        w.rounded(grad(loss, a), scale);
        w.rounded(hvp(loss, a, b), scale);
    }),
];
