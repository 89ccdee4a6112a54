//! Reductions inside a region: totals of pieces, combined in the order of the pieces.

use fearless_simd::Level;
use tamis_graph::{DType, Scalar};

use super::bank::{AnySlice, ByDType, Frames, Lane, Tile, with_dtype};
use crate::kernel::number::Ordered;
use crate::level::at_level;
use crate::region::{Fold, Place};
use crate::tensor::Item;

/// How many totals a row is spread over, so that additions do not wait for one another.
const LANES: usize = 64;
/// The same for rows that fit a tile.
const SHORT: usize = 8;
/// The same where no result depends on the order.
const WIDE: usize = 32;

/// Which elements of a tile belong together.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layout {
    /// All, together with those of other tiles until [`Folding::close`].
    One,
    /// Whole rows of `length`, the first for the cell `first`.
    Rows { length: usize, first: usize },
    /// Rows of `width`, element by element; each cell takes `rows` rows. The
    /// first row is `first`, counted from the begin of the piece.
    Columns { width: usize, rows: usize, first: usize },
}

/// A fold at work on a piece, whatever its types.
pub(super) trait Folding: Send {
    /// Begins a piece with this many results.
    fn open(&mut self, cells: usize);
    /// Takes in the elements of a tile.
    fn include(&mut self, level: Level, frames: &ByDType<Frames<'_>>, tile: Tile, layout: Layout);
    /// Ends a row that spans tiles: its total is that of `cell`.
    fn close(&mut self, cell: usize);
    /// The totals of the piece, as bits.
    fn totals(&self) -> Vec<Total>;
    /// Adds the totals of a later piece to those of `cell` and the following ones.
    fn merge(&mut self, cell: usize, totals: &[Total]);
    /// The results of the cells from `first` on.
    fn finish(&self, first: usize, results: AnySlice<'_>);
}

/// A total without its type, and what roundings lost of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Total {
    bits: u64,
    lost: f64,
}

/// How elements of one type become one.
trait Rule: Copy + Send + Sync + 'static {
    type Element: Lane;
    type Total: Lane;
    type Result: Lane;
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
}

/// Bits for totals on their way between pieces.
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
});

/// What an addition rounds away (Neumaier, 1974).
#[inline(always)]
fn lost(total: f64, x: f64, sum: f64) -> f64 {
    let is_larger = total.abs() >= x.abs();
    let (large, small) = if is_larger { (total, x) } else { (x, total) };
    (large - sum) + small
}

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

    // An infinite sum loses infinities to roundings, which mean nothing.
    fn finish(self, total: f64, lost: f64) -> f64 {
        if lost.is_finite() { total + lost } else { total }
    }

    #[inline(always)]
    fn lost(self, total: f64, x: f64, sum: f64) -> f64 {
        lost(total, x, sum)
    }

    #[inline(always)]
    fn merge_lost(self, a: f64, b: f64, sum: f64) -> f64 {
        lost(a, b, sum)
    }
});

rule!(SumI64, i64, i64, i64 {
    #[inline(always)]
    fn start(self) -> i64 {
        0
    }

    #[inline(always)]
    fn include(self, total: i64, x: i64) -> i64 {
        total.wrapping_add(x)
    }

    #[inline(always)]
    fn merge(self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    fn finish(self, total: i64, _lost: f64) -> i64 {
        total
    }
});

rule!(CountTrue, bool, i64, i64 {
    #[inline(always)]
    fn start(self) -> i64 {
        0
    }

    #[inline(always)]
    fn include(self, total: i64, x: bool) -> i64 {
        total + i64::from(x)
    }

    #[inline(always)]
    fn merge(self, a: i64, b: i64) -> i64 {
        a + b
    }

    fn finish(self, total: i64, _lost: f64) -> i64 {
        total
    }
});

rule!(Any, bool, bool, bool {
    #[inline(always)]
    fn start(self) -> bool {
        false
    }

    #[inline(always)]
    fn include(self, total: bool, x: bool) -> bool {
        total | x
    }

    #[inline(always)]
    fn merge(self, a: bool, b: bool) -> bool {
        a | b
    }

    fn finish(self, total: bool, _lost: f64) -> bool {
        total
    }
});

rule!(All, bool, bool, bool {
    #[inline(always)]
    fn start(self) -> bool {
        true
    }

    #[inline(always)]
    fn include(self, total: bool, x: bool) -> bool {
        total & x
    }

    #[inline(always)]
    fn merge(self, a: bool, b: bool) -> bool {
        a & b
    }

    fn finish(self, total: bool, _lost: f64) -> bool {
        total
    }
});

macro_rules! extreme {
    ($name:ident, $better:ident) => {
        /// The extreme of the elements and `start`.
        #[derive(Clone, Copy)]
        struct $name<T> {
            start: T,
        }

        impl<T: Lane + Bits + Ordered> Rule for $name<T> {
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

extreme!(Largest, larger);
extreme!(Smallest, smaller);

/// The fold of the elements at `place`.
pub(super) fn folding(fold: Fold, place: Place) -> Box<dyn Folding> {
    match fold {
        Fold::Sum(DType::F32) => boxed(SumF32, place),
        Fold::Sum(DType::F64) => boxed(SumF64, place),
        Fold::Sum(DType::I64) => boxed(SumI64, place),
        Fold::Sum(DType::Bool | DType::U8 | DType::I32) => {
            unreachable!("the builder sums bools and integers in i64")
        }
        Fold::Count => boxed(CountTrue, place),
        Fold::Any => boxed(Any, place),
        Fold::All => boxed(All, place),
        Fold::Max(dtype, initial) => with_dtype!(dtype, T => {
            boxed(Largest::<T> { start: start(initial.unwrap_or(dtype.lowest())) }, place)
        }),
        Fold::Min(dtype, initial) => with_dtype!(dtype, T => {
            boxed(Smallest::<T> { start: start(initial.unwrap_or(dtype.highest())) }, place)
        }),
    }
}

fn start<T: Item>(scalar: Scalar) -> T {
    T::from_scalar(scalar).unwrap_or_else(|| unreachable!("what always takes part is of the elements' dtype"))
}

fn boxed<R: Rule>(rule: R, place: Place) -> Box<dyn Folding> {
    Box::new(State {
        rule,
        place,
        lanes: [rule.start(); LANES],
        lanes_lost: [0.0; LANES],
        cells: Vec::new(),
        lost: Vec::new(),
    })
}

struct State<R: Rule> {
    rule: R,
    place: Place,
    lanes: [R::Total; LANES],
    lanes_lost: [f64; LANES],
    cells: Vec<R::Total>,
    lost: Vec<f64>,
}

impl<R: Rule> Folding for State<R> {
    fn open(&mut self, cells: usize) {
        self.lanes = [self.rule.start(); LANES];
        self.lanes_lost = [0.0; LANES];
        self.cells.clear();
        self.cells.resize(cells, self.rule.start());
        self.lost.clear();
        self.lost.resize(if R::COMPENSATED { cells } else { 0 }, 0.0);
    }

    fn include(&mut self, level: Level, frames: &ByDType<Frames<'_>>, tile: Tile, layout: Layout) {
        let elements = R::Element::of(frames).read(self.place, tile);
        let (rule, lanes, lanes_lost) = (self.rule, &mut self.lanes, &mut self.lanes_lost);
        match layout {
            Layout::One => at_level!(level, include(rule, lanes, lanes_lost, elements)),
            Layout::Rows { length, first } => {
                let count = elements.len().checked_div(length).unwrap_or(0);
                let cells = &mut self.cells[first..first + count];
                let lost: &mut [f64] =
                    if R::COMPENSATED { &mut self.lost[first..first + count] } else { &mut [] };
                at_level!(level, rows(rule, cells, lost, elements, length));
            }
            Layout::Columns { width, rows, first } => {
                for (row, elements) in elements.chunks_exact(width).enumerate() {
                    let cell = (first + row) / rows * width;
                    let cells = &mut self.cells[cell..cell + width];
                    let lost: &mut [f64] =
                        if R::COMPENSATED { &mut self.lost[cell..cell + width] } else { &mut [] };
                    at_level!(level, each(rule, cells, lost, elements));
                }
            }
        }
    }

    fn close(&mut self, cell: usize) {
        let (total, lost) = combine(self.rule, &mut self.lanes, &mut self.lanes_lost);
        self.cells[cell] = total;
        if R::COMPENSATED {
            self.lost[cell] = lost;
        }
        self.lanes = [self.rule.start(); LANES];
        self.lanes_lost = [0.0; LANES];
    }

    fn totals(&self) -> Vec<Total> {
        let lost = |cell: usize| if R::COMPENSATED { self.lost[cell] } else { 0.0 };
        let totals = self.cells.iter().enumerate();
        totals.map(|(cell, total)| Total { bits: R::to_bits(*total), lost: lost(cell) }).collect()
    }

    fn merge(&mut self, cell: usize, totals: &[Total]) {
        for (cell, Total { bits, lost }) in (cell..).zip(totals) {
            let (a, b) = (self.cells[cell], R::from_bits(*bits));
            let sum = self.rule.merge(a, b);
            if R::COMPENSATED {
                self.lost[cell] += self.rule.merge_lost(a, b, sum) + lost;
            }
            self.cells[cell] = sum;
        }
    }

    fn finish(&self, first: usize, results: AnySlice<'_>) {
        for (cell, result) in (first..).zip(R::Result::of_slice(results)) {
            let lost = if R::COMPENSATED { self.lost[cell] } else { 0.0 };
            *result = self.rule.finish(self.cells[cell], lost);
        }
    }
}

/// Takes elements into lanes, the first into the first.
#[inline(always)]
fn include<R: Rule>(
    rule: R,
    lanes: &mut [R::Total; LANES],
    lanes_lost: &mut [f64; LANES],
    elements: &[R::Element],
) {
    let (blocks, rest) = elements.as_chunks::<LANES>();
    let (mut totals, mut lost) = (*lanes, *lanes_lost);
    for block in blocks {
        for lane in 0..LANES {
            let sum = rule.include(totals[lane], block[lane]);
            if R::COMPENSATED {
                lost[lane] += rule.lost(totals[lane], block[lane], sum);
            }
            totals[lane] = sum;
        }
    }
    for (lane, x) in rest.iter().enumerate() {
        let sum = rule.include(totals[lane], *x);
        if R::COMPENSATED {
            lost[lane] += rule.lost(totals[lane], *x, sum);
        }
        totals[lane] = sum;
    }
    (*lanes, *lanes_lost) = (totals, lost);
}

/// Takes each element into its own cell.
#[inline(always)]
fn each<R: Rule>(rule: R, cells: &mut [R::Total], lost: &mut [f64], elements: &[R::Element]) {
    if R::COMPENSATED {
        for ((cell, lost), x) in cells.iter_mut().zip(lost).zip(elements) {
            let sum = rule.include(*cell, *x);
            *lost += rule.lost(*cell, *x, sum);
            *cell = sum;
        }
    } else {
        for (cell, x) in cells.iter_mut().zip(elements) {
            *cell = rule.include(*cell, *x);
        }
    }
}

/// Takes each row into its own cell.
#[inline(always)]
fn rows<R: Rule>(rule: R, cells: &mut [R::Total], lost: &mut [f64], elements: &[R::Element], length: usize) {
    let is_wide = R::ANY_ORDER && length >= 2 * WIDE;
    for (place, elements) in elements.chunks_exact(length).enumerate() {
        let (total, loss) =
            if is_wide { row::<R, WIDE>(rule, elements) } else { row::<R, SHORT>(rule, elements) };
        cells[place] = total;
        if R::COMPENSATED {
            lost[place] = loss;
        }
    }
}

/// The total of a row, spread over `WIDTH`, and what was lost of it.
#[inline(always)]
fn row<R: Rule, const WIDTH: usize>(rule: R, elements: &[R::Element]) -> (R::Total, f64) {
    let (mut totals, mut losses) = ([rule.start(); WIDTH], [0.0; WIDTH]);
    let (blocks, rest) = elements.as_chunks::<WIDTH>();
    for block in blocks {
        for lane in 0..WIDTH {
            let sum = rule.include(totals[lane], block[lane]);
            if R::COMPENSATED {
                losses[lane] += rule.lost(totals[lane], block[lane], sum);
            }
            totals[lane] = sum;
        }
    }
    for (lane, x) in rest.iter().enumerate() {
        let sum = rule.include(totals[lane], *x);
        if R::COMPENSATED {
            losses[lane] += rule.lost(totals[lane], *x, sum);
        }
        totals[lane] = sum;
    }
    combine(rule, &mut totals, &mut losses)
}

/// One total of several: the upper half is added to the lower until one is left.
#[inline(always)]
fn combine<R: Rule>(rule: R, totals: &mut [R::Total], lost: &mut [f64]) -> (R::Total, f64) {
    let mut width = totals.len();
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            let (a, b) = (totals[lane], totals[lane + width]);
            let sum = rule.merge(a, b);
            if R::COMPENSATED {
                lost[lane] += rule.merge_lost(a, b, sum) + lost[lane + width];
            }
            totals[lane] = sum;
        }
    }
    (totals[0], lost[0])
}
