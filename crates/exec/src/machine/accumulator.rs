//! Reductions inside a region: totals of chunks, combined in the order of the chunks.
//!
//! An addition must wait for the one before it, several cycles long, unless they are
//! independent: so a row is distributed over a fixed number of accumulators, element `i` to
//! accumulator `i mod PARTIALS`, which also fill the vector registers. At the end the
//! accumulators are added pairwise, which bounds the error too (N. J. Higham, "The accuracy of
//! floating point summation", SIAM J. Sci. Comput. 14 (1993), 783–799). The number of
//! accumulators is a constant and chunks follow from lengths, so the order of a sum never
//! depends on threads or on the vector instructions of the machine.
//!
//! Sums of f64 are compensated ([`crate::neumaier`]): beside every accumulator stands what its
//! roundings lost. Merging two accumulators adds both losses and the loss of that addition.

use std::ops::{Add, BitAnd, BitOr};

use tamis_graph::{DType, Scalar};

use super::elementwise::{Blend, Machine};
use super::partition::Layout;
use super::prefetch::Prefetch;
use super::register_file::{AnySlice, BLOCK, Blocks};
use crate::by_dtype::{Item, dispatch};
use crate::kernel::number::Ordered;
use crate::level::at_level;
use crate::neumaier;
use crate::raw;
use crate::region::{Operand, Reduction};

/// How many accumulators a row is distributed over, so that additions do not wait for
/// one another.
const PARTIALS: usize = BLOCK;
/// How many of them one loop adds to: as many as stay in the vector registers of AVX2, and half as
/// many where what is lost stays beside them.
const GROUP: usize = 32;
const COMPENSATED_GROUP: usize = 16;
/// The same for rows that fit a tile.
const SHORT: usize = 8;
/// The same where no result depends on the order.
const WIDE: usize = 32;
/// How many elements a row has at most to be reduced side by side with others, and how many rows are.
const NARROW: usize = 32;
const ROWS: usize = 32;

/// The accumulator of a reduction over a chunk, with its types erased.
pub(super) trait Accumulator: Send {
    /// Starts a chunk with this many results.
    fn open(&mut self, outputs: usize);
    /// Takes in the elements of a tile.
    fn include(&mut self, machine: &mut Machine<'_, '_>, layout: Layout);
    /// Ends a row that spans tiles: its total is that of `output`.
    fn close(&mut self, output: usize);
    /// The totals of the chunk, as bits.
    fn totals(&self) -> Vec<Total>;
    /// Adds the totals of a later chunk to those of `output` and the following ones.
    fn merge(&mut self, output: usize, totals: &[Total]);
    /// The results of the output elements from `first` on.
    fn finish(&self, first: usize, results: AnySlice<'_>);
}

/// A total without its type, and what roundings lost of it: totals pass from chunk to chunk
/// through one list for all reductions of a region, whatever their types.
#[derive(Debug, Clone, Copy)]
pub(super) struct Total {
    bits: u64,
    lost: f64,
}

/// How elements of one type are reduced.
trait Rule: Copy + Send + Sync + 'static {
    type Element: Blend;
    type Total: Item;
    type Result: Item;
    /// Whether what roundings lose is kept beside the total.
    const COMPENSATED: bool = false;
    /// Whether totals wait long for one another, and have the same bits in any order.
    const ANY_ORDER: bool = false;

    fn start(self) -> Self::Total;
    fn include(self, total: Self::Total, x: Self::Element) -> Self::Total;
    fn merge(self, a: Self::Total, b: Self::Total) -> Self::Total;
    fn finish(self, total: Self::Total, lost: f64) -> Self::Result;
    /// What adding `x` to `total`, which gave `sum`, lost.
    fn lost(self, _total: Self::Total, _x: Self::Element, _sum: Self::Total) -> f64 {
        0.0
    }
    fn merge_lost(self, _a: Self::Total, _b: Self::Total, _sum: Self::Total) -> f64 {
        0.0
    }
    fn to_bits(total: Self::Total) -> u64;
    fn from_bits(bits: u64) -> Self::Total;

    /// Adds the elements of a tile to the partial accumulators, the first to the first.
    #[inline(always)]
    fn include_tile(self, partials: &mut Partials<Self>, tile: Elements<'_, Self>, prefetch: &mut Prefetch) {
        include_groups::<Self, GROUP>(self, partials, tile.len, prefetch, |block, i| {
            tile.elements.get(block)[i]
        });
    }

    /// The same for those elements at which a mask is true.
    #[inline(always)]
    fn include_selected(
        self,
        _: &mut Partials<Self>,
        _: Elements<'_, Self>,
        _: Blocks<'_, bool>,
        _: &mut Prefetch,
    ) {
        unreachable!("of all reductions only sums of floats take a mask")
    }
}

/// The elements of a tile.
#[derive(Clone, Copy)]
struct Elements<'e, R: Rule> {
    elements: Blocks<'e, R::Element>,
    len: usize,
}

/// The accumulators that a row is distributed over, and what was lost of each.
struct Partials<R: Rule> {
    totals: [R::Total; PARTIALS],
    lost: [f64; PARTIALS],
}

impl<R: Rule> Partials<R> {
    fn new(rule: R) -> Partials<R> {
        Partials { totals: [rule.start(); PARTIALS], lost: [0.0; PARTIALS] }
    }
}

/// Totals as bits, for handing them from chunk to chunk.
trait Bits: Copy {
    fn to_bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
}

macro_rules! bits {
    ($($ty:ty: $x:ident => $to:expr, $from:expr;)*) => {$(
        impl Bits for $ty {
            fn to_bits(self) -> u64 {
                let $x = self;
                $to
            }

            fn from_bits($x: u64) -> $ty {
                $from
            }
        }
    )*};
}

bits! {
    bool: x => u64::from(x), x != 0;
    u8: x => u64::from(x), x as u8;
    i32: x => x as u64, x as i32;
    i64: x => x as u64, x as i64;
    f32: x => u64::from(x.to_bits()), f32::from_bits(x as u32);
    f64: x => x.to_bits(), f64::from_bits(x);
}

macro_rules! rule {
    ($name:ident, $element:ty, $total:ty, $result:ty { $($body:tt)* }) => {
        #[derive(Clone, Copy)]
        struct $name;

        impl Rule for $name {
            type Element = $element;
            type Total = $total;
            type Result = $result;

            $($body)*

            fn to_bits(total: $total) -> u64 {
                Bits::to_bits(total)
            }

            fn from_bits(bits: u64) -> $total {
                Bits::from_bits(bits)
            }
        }
    };
}

// Summed in f64 and rounded once.
rule!(SumF32, f32, f64, f32 {
    #[inline(always)]
    fn start(self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn include(self, total: f64, x: f32) -> f64 {
        total + f64::from(x)
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        a + b
    }

    fn finish(self, total: f64, _lost: f64) -> f32 {
        total as f32
    }

    // A total is never −0.0, so that adding 0 changes no bit of it.
    #[inline(always)]
    fn include_selected(
        self,
        partials: &mut Partials<SumF32>,
        tile: Elements<'_, SumF32>,
        mask: Blocks<'_, bool>,
        prefetch: &mut Prefetch,
    ) {
        include_groups::<_, GROUP>(self, partials, tile.len, prefetch, |block, i| {
            f32::blend(mask.get(block)[i], tile.elements.get(block)[i], 0.0)
        });
    }
});

rule!(SumF64, f64, f64, f64 {
    const COMPENSATED: bool = true;

    #[inline(always)]
    fn start(self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn include(self, total: f64, x: f64) -> f64 {
        total + x
    }

    #[inline(always)]
    fn merge(self, a: f64, b: f64) -> f64 {
        a + b
    }

    fn finish(self, total: f64, lost: f64) -> f64 {
        neumaier::compensated(total, lost)
    }

    #[inline(always)]
    fn lost(self, total: f64, x: f64, sum: f64) -> f64 {
        neumaier::lost(total, x, sum)
    }

    #[inline(always)]
    fn merge_lost(self, a: f64, b: f64, sum: f64) -> f64 {
        neumaier::lost(a, b, sum)
    }

    #[inline(always)]
    fn include_tile(self, partials: &mut Partials<SumF64>, tile: Elements<'_, SumF64>, prefetch: &mut Prefetch) {
        include_groups::<_, COMPENSATED_GROUP>(self, partials, tile.len, prefetch, |block, i| {
            tile.elements.get(block)[i]
        });
    }

    #[inline(always)]
    fn include_selected(
        self,
        partials: &mut Partials<SumF64>,
        tile: Elements<'_, SumF64>,
        mask: Blocks<'_, bool>,
        prefetch: &mut Prefetch,
    ) {
        include_groups::<_, COMPENSATED_GROUP>(self, partials, tile.len, prefetch, |block, i| {
            f64::blend(mask.get(block)[i], tile.elements.get(block)[i], 0.0)
        });
    }
});

/// A total that is exact: where it starts, and how a total and an element, or two totals, become one.
macro_rules! exact {
    ($name:ident, $element:ty, $total:ty, $start:expr, $combine:path $({ $($own:tt)* })?) => {
        rule!($name, $element, $total, $total {
            $($($own)*)?

            #[inline(always)]
            fn start(self) -> $total {
                $start
            }

            #[inline(always)]
            fn include(self, total: $total, x: $element) -> $total {
                $combine(total, <$total>::from(x))
            }

            #[inline(always)]
            fn merge(self, a: $total, b: $total) -> $total {
                $combine(a, b)
            }

            fn finish(self, total: $total, _lost: f64) -> $total {
                total
            }
        });
    };
}

exact!(SumI64, i64, i64, 0, i64::wrapping_add);
exact!(ProductI64, i64, i64, 1, i64::wrapping_mul);
exact!(CountTrue, bool, i64, 0, Add::add {
    // In bytes, of which a vector holds eight times as many.
    #[inline(always)]
    fn include_tile(self, partials: &mut Partials<CountTrue>, tile: Elements<'_, CountTrue>, prefetch: &mut Prefetch) {
        const MOST: usize = u8::MAX as usize;
        let (full, rest) = (tile.len / BLOCK, tile.len % BLOCK);
        for first in (0..full).step_by(MOST) {
            let mut counts = [0_u8; BLOCK];
            for block in first..full.min(first + MOST) {
                prefetch.block();
                let block = tile.elements.get(block);
                counts.iter_mut().zip(block).for_each(|(count, x)| *count += u8::from(*x));
            }
            partials.totals.iter_mut().zip(counts).for_each(|(total, count)| *total += i64::from(count));
        }
        for i in 0..rest {
            partials.totals[i] += i64::from(tile.elements.get(full)[i]);
        }
    }
});
exact!(Any, bool, bool, false, BitOr::bitor);
exact!(All, bool, bool, true, BitAnd::bitand);

macro_rules! min_max {
    ($name:ident, $better:ident) => {
        /// The maximum or minimum of the elements and `start`.
        #[derive(Clone, Copy)]
        struct $name<T> {
            start: T,
        }

        impl<T: Blend + Bits + Ordered> Rule for $name<T> {
            type Element = T;
            type Total = T;
            type Result = T;

            const ANY_ORDER: bool = true;

            #[inline(always)]
            fn start(self) -> T {
                self.start
            }

            #[inline(always)]
            fn include(self, total: T, x: T) -> T {
                total.$better(x)
            }

            #[inline(always)]
            fn merge(self, a: T, b: T) -> T {
                a.$better(b)
            }

            fn finish(self, total: T, _lost: f64) -> T {
                total
            }

            fn to_bits(total: T) -> u64 {
                Bits::to_bits(total)
            }

            fn from_bits(bits: u64) -> T {
                Bits::from_bits(bits)
            }
        }
    };
}

min_max!(Largest, larger);
min_max!(Smallest, smaller);

/// What an accumulator takes in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) operand: Operand,
    /// The mask of the elements that are added.
    pub(super) only: Option<Operand>,
}

/// The accumulator for the elements of `source`.
pub(super) fn accumulator(reduction: Reduction, source: Source) -> Box<dyn Accumulator> {
    match reduction {
        Reduction::Sum(DType::F32) => boxed(SumF32, source),
        Reduction::Sum(DType::F64) => boxed(SumF64, source),
        Reduction::Sum(DType::I64) => boxed(SumI64, source),
        Reduction::Sum(DType::Bool | DType::U8 | DType::I32) => {
            unreachable!("the builder sums bools and integers in i64")
        }
        Reduction::Product => boxed(ProductI64, source),
        Reduction::Count => boxed(CountTrue, source),
        Reduction::Any => boxed(Any, source),
        Reduction::All => boxed(All, source),
        Reduction::Max(dtype, initial) => dispatch!(type T = dtype => {
            boxed(Largest::<T> { start: start(initial.unwrap_or(dtype.lowest())) }, source)
        }),
        Reduction::Min(dtype, initial) => dispatch!(type T = dtype => {
            boxed(Smallest::<T> { start: start(initial.unwrap_or(dtype.highest())) }, source)
        }),
    }
}

fn start<T: Item>(scalar: Scalar) -> T {
    T::from_scalar(scalar).unwrap_or_else(|| unreachable!("an initial element has the dtype of the elements"))
}

fn boxed<R: Rule>(rule: R, source: Source) -> Box<dyn Accumulator> {
    Box::new(State { rule, source, partials: None, outputs: Vec::new(), lost: Vec::new(), copy: Vec::new() })
}

struct State<R: Rule> {
    rule: R,
    source: Source,
    /// Made by the first tile that is reduced to one total: where rows fit a tile there is none, and a
    /// region may have many reductions.
    partials: Option<Box<Partials<R>>>,
    outputs: Vec<R::Total>,
    lost: Vec<f64>,
    /// Room for an element that repeats over a tile.
    copy: Vec<R::Element>,
}

impl<R: Rule> Accumulator for State<R> {
    fn open(&mut self, outputs: usize) {
        if let Some(partials) = &mut self.partials {
            **partials = Partials::new(self.rule);
        }
        self.outputs.clear();
        self.outputs.resize(outputs, self.rule.start());
        self.lost.clear();
        self.lost.resize(if R::COMPENSATED { outputs } else { 0 }, 0.0);
    }

    fn include(&mut self, machine: &mut Machine<'_, '_>, layout: Layout) {
        let Machine { level, views, tile, prefetch, .. } = machine;
        let rule = self.rule;
        let elements = R::Element::of(views).read(self.source.operand, *tile);
        let (first, width, rows) = match layout {
            Layout::One => {
                let elements = Elements { elements, len: tile.len };
                let partials = self.partials.get_or_insert_with(|| Box::new(Partials::new(rule)));
                match self.source.only.map(|mask| bool::of(views).read(mask, *tile)) {
                    None => at_level!(*level, rule.include_tile(partials, elements, prefetch)),
                    Some(mask) => {
                        at_level!(*level, rule.include_selected(partials, elements, mask, prefetch));
                    }
                }
                return;
            }
            Layout::Rows { length, first } => {
                let elements = elements.slice(tile.len, &mut self.copy);
                let count = elements.len().checked_div(length).unwrap_or(0);
                let outputs = &mut self.outputs[first..first + count];
                let lost: &mut [f64] =
                    if R::COMPENSATED { &mut self.lost[first..first + count] } else { &mut [] };
                at_level!(*level, rows_of(rule, outputs, lost, elements, length));
                return;
            }
            Layout::Columns { width, rows, first } => (first, width, rows),
        };
        let elements = elements.slice(tile.len, &mut self.copy);
        for (row, elements) in elements.chunks_exact(width).enumerate() {
            let output = (first + row) / rows * width;
            let outputs = &mut self.outputs[output..output + width];
            let lost: &mut [f64] =
                if R::COMPENSATED { &mut self.lost[output..output + width] } else { &mut [] };
            at_level!(*level, each(rule, outputs, lost, elements));
        }
    }

    fn close(&mut self, output: usize) {
        let rule = self.rule;
        let partials = self.partials.get_or_insert_with(|| Box::new(Partials::new(rule)));
        let (total, lost) = combine(rule, &mut partials.totals, &mut partials.lost);
        self.outputs[output] = total;
        if R::COMPENSATED {
            self.lost[output] = lost;
        }
        **partials = Partials::new(rule);
    }

    fn totals(&self) -> Vec<Total> {
        let lost = |output: usize| if R::COMPENSATED { self.lost[output] } else { 0.0 };
        let totals = self.outputs.iter().enumerate();
        totals.map(|(output, total)| Total { bits: R::to_bits(*total), lost: lost(output) }).collect()
    }

    fn merge(&mut self, output: usize, totals: &[Total]) {
        for (output, Total { bits, lost }) in (output..).zip(totals) {
            let (a, b) = (self.outputs[output], R::from_bits(*bits));
            let sum = self.rule.merge(a, b);
            if R::COMPENSATED {
                self.lost[output] += self.rule.merge_lost(a, b, sum) + lost;
            }
            self.outputs[output] = sum;
        }
    }

    fn finish(&self, first: usize, results: AnySlice<'_>) {
        for (output, result) in (first..).zip(R::Result::unwrap_any(results)) {
            let lost = if R::COMPENSATED { self.lost[output] } else { 0.0 };
            *result = self.rule.finish(self.outputs[output], lost);
        }
    }
}

/// Adds the elements of a tile to the partial accumulators, to some of them at a time: local
/// copies of those stay in vector registers over the loop, borrowed memory would be written after
/// every block.
#[inline(always)]
fn include_groups<R: Rule, const N: usize>(
    rule: R,
    partials: &mut Partials<R>,
    len: usize,
    prefetch: &mut Prefetch,
    element: impl Fn(usize, usize) -> R::Element,
) {
    let (full, rest) = (len / BLOCK, len % BLOCK);
    let (totals, losses) = (partials.totals.as_chunks_mut::<N>().0, partials.lost.as_chunks_mut::<N>().0);
    for (group, (totals_of, losses_of)) in totals.iter_mut().zip(losses).enumerate() {
        let (mut totals, mut losses) = (*totals_of, *losses_of);
        for block in 0..full {
            prefetch.block();
            for i in 0..N {
                let x = element(block, group * N + i);
                let sum = rule.include(totals[i], x);
                if R::COMPENSATED {
                    losses[i] += rule.lost(totals[i], x, sum);
                }
                totals[i] = sum;
            }
        }
        (*totals_of, *losses_of) = (totals, losses);
    }
    for i in 0..rest {
        let (x, total) = (element(full, i), partials.totals[i]);
        partials.totals[i] = rule.include(total, x);
        if R::COMPENSATED {
            partials.lost[i] += rule.lost(total, x, partials.totals[i]);
        }
    }
}

/// Adds each element to its own output element.
#[inline(always)]
fn each<R: Rule>(rule: R, outputs: &mut [R::Total], lost: &mut [f64], elements: &[R::Element]) {
    if R::COMPENSATED {
        for ((output, lost), x) in outputs.iter_mut().zip(lost).zip(elements) {
            let sum = rule.include(*output, *x);
            *lost += rule.lost(*output, *x, sum);
            *output = sum;
        }
    } else {
        for (output, x) in outputs.iter_mut().zip(elements) {
            *output = rule.include(*output, *x);
        }
    }
}

/// Reduces each row to its own output element.
#[inline(always)]
fn rows_of<R: Rule>(
    rule: R,
    outputs: &mut [R::Total],
    lost: &mut [f64],
    elements: &[R::Element],
    length: usize,
) {
    if length <= NARROW && outputs.len() >= ROWS {
        for row in (0..outputs.len()).step_by(ROWS) {
            // The last ones overlap those before.
            let first = row.min(outputs.len() - ROWS);
            let (totals, losses) = side_by_side(rule, &elements[first * length..], length);
            outputs[first..first + ROWS].copy_from_slice(&totals);
            if R::COMPENSATED {
                lost[first..first + ROWS].copy_from_slice(&losses);
            }
        }
        return;
    }
    let is_wide = R::ANY_ORDER && length >= 2 * WIDE;
    for (index, elements) in elements.chunks_exact(length).enumerate() {
        let (total, loss) =
            if is_wide { row::<R, WIDE>(rule, elements) } else { row::<R, SHORT>(rule, elements) };
        outputs[index] = total;
        if R::COMPENSATED {
            lost[index] = loss;
        }
    }
}

/// The totals of [`ROWS`] rows of few elements, column by column, and what was lost of them: in the
/// order of [`row`], in which a row takes part of a vector only.
#[inline(always)]
fn side_by_side<R: Rule>(rule: R, elements: &[R::Element], length: usize) -> ([R::Total; ROWS], [f64; ROWS]) {
    let width = if R::ANY_ORDER { 1 } else { SHORT };
    let (mut totals, mut losses) = ([[rule.start(); ROWS]; SHORT], [[0.0; ROWS]; SHORT]);
    let mut column = [R::Element::default(); ROWS];
    for index in 0..length {
        raw::column(elements, length, index, &mut column);
        each(rule, &mut totals[index % width], &mut losses[index % width], &column);
    }
    let mut width = width;
    while width > 1 {
        width /= 2;
        for i in 0..width {
            let (lower, upper) = totals.split_at_mut(i + width);
            let (lower_lost, upper_lost) = losses.split_at_mut(i + width);
            for row in 0..ROWS {
                let (a, b) = (lower[i][row], upper[0][row]);
                let sum = rule.merge(a, b);
                if R::COMPENSATED {
                    lower_lost[i][row] += rule.merge_lost(a, b, sum) + upper_lost[0][row];
                }
                lower[i][row] = sum;
            }
        }
    }
    (totals[0], losses[0])
}

/// The total of a row, which is distributed over `WIDTH` accumulators, and what was lost of it.
#[inline(always)]
fn row<R: Rule, const WIDTH: usize>(rule: R, elements: &[R::Element]) -> (R::Total, f64) {
    let (mut totals, mut losses) = ([rule.start(); WIDTH], [0.0; WIDTH]);
    let (blocks, rest) = elements.as_chunks::<WIDTH>();
    for block in blocks {
        for i in 0..WIDTH {
            let sum = rule.include(totals[i], block[i]);
            if R::COMPENSATED {
                losses[i] += rule.lost(totals[i], block[i], sum);
            }
            totals[i] = sum;
        }
    }
    for (i, x) in rest.iter().enumerate() {
        let sum = rule.include(totals[i], *x);
        if R::COMPENSATED {
            losses[i] += rule.lost(totals[i], *x, sum);
        }
        totals[i] = sum;
    }
    combine(rule, &mut totals, &mut losses)
}

/// One total of several: the upper half is added to the lower until one is left.
#[inline(always)]
fn combine<R: Rule>(rule: R, totals: &mut [R::Total], lost: &mut [f64]) -> (R::Total, f64) {
    let mut width = totals.len();
    while width > 1 {
        width /= 2;
        for i in 0..width {
            let (a, b) = (totals[i], totals[i + width]);
            let sum = rule.merge(a, b);
            if R::COMPENSATED {
                lost[i] += rule.merge_lost(a, b, sum) + lost[i + width];
            }
            totals[i] = sum;
        }
    }
    (totals[0], lost[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirds round in every sum, so that another order would show.
    #[test]
    fn rows_side_by_side_have_the_bits_of_single_rows() {
        #[track_caller]
        fn check<R: Rule>(rule: R, element: impl Fn(usize) -> R::Element) {
            for length in 1..=NARROW {
                let elements: Vec<R::Element> = (0..ROWS * length).map(&element).collect();
                let (totals, losses) = side_by_side(rule, &elements, length);
                for (index, elements) in elements.chunks_exact(length).enumerate() {
                    let (total, loss) = row::<R, SHORT>(rule, elements);
                    assert_eq!(R::to_bits(totals[index]), R::to_bits(total), "row {index} of {length}");
                    assert_eq!(losses[index].to_bits(), loss.to_bits(), "row {index} of {length}");
                }
            }
        }
        let third = |i: usize| (i * i % 97) as f64 / 3.0 - 16.0;
        check(SumF64, third);
        check(SumF32, |i| third(i) as f32);
        check(SumI64, |i| third(i) as i64);
        check(CountTrue, |i| third(i) > 0.0);
        check(Largest { start: f32::NEG_INFINITY }, |i| if i % 41 == 7 { f32::NAN } else { third(i) as f32 });
        check(Smallest { start: 100_u8 }, |i| i as u8);
    }
}
