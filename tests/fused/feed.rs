//! Arrays for the inputs of programs: adversarial elements, in every layout
//! that a view can have.

use ndarray::{ArcArray, Array, ArrayViewD, Axis, IxDyn, Slice};
use tamis::{DType, Element, Value};

use crate::random::Random;

/// How the elements of an input lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    RowMajor,
    Transposed,
    /// Every axis backwards.
    Reversed,
    /// Every second element of each axis of a larger array.
    Stepped,
    /// Transposed, every axis backwards in steps of two.
    Scrambled,
    /// A window in a larger array.
    Window,
    /// One row, at every index of the first axis.
    RowRepeated,
    /// One column, at every index of the last axis.
    ColumnRepeated,
    /// One element, everywhere.
    ElementRepeated,
}

impl Layout {
    pub(crate) const ALL: [Layout; 9] = [
        Layout::RowMajor,
        Layout::Transposed,
        Layout::Reversed,
        Layout::Stepped,
        Layout::Scrambled,
        Layout::Window,
        Layout::RowRepeated,
        Layout::ColumnRepeated,
        Layout::ElementRepeated,
    ];

    /// The shape of the array of which an input of `shape` is a view.
    fn stored(self, shape: &[usize]) -> Vec<usize> {
        let mut stored = shape.to_vec();
        match self {
            Layout::RowMajor | Layout::Reversed => {}
            Layout::Transposed => stored.reverse(),
            Layout::Stepped => stored.iter_mut().for_each(|n| *n *= 2),
            Layout::Scrambled => {
                stored.reverse();
                stored.iter_mut().for_each(|n| *n *= 2);
            }
            Layout::Window => stored.iter_mut().for_each(|n| *n += 3),
            Layout::RowRepeated => stored.iter_mut().take(1).for_each(|n| *n = 1),
            Layout::ColumnRepeated => stored.iter_mut().rev().take(1).for_each(|n| *n = 1),
            Layout::ElementRepeated => stored.fill(1),
        }
        stored
    }

    fn view<'v, T>(self, array: &'v ArcArray<T, IxDyn>, shape: &[usize]) -> ArrayViewD<'v, T> {
        let all = Slice::from(..);
        match self {
            Layout::RowMajor => array.view(),
            Layout::Transposed => array.view().reversed_axes(),
            Layout::Reversed => sliced(array.view(), all.step_by(-1)),
            Layout::Stepped => sliced(array.view(), all.step_by(2)),
            Layout::Scrambled => sliced(array.view().reversed_axes(), all.step_by(-2)),
            Layout::Window => sliced(array.view(), Slice::new(2, Some(-1), 1)),
            Layout::RowRepeated | Layout::ColumnRepeated | Layout::ElementRepeated => {
                array.broadcast(shape).expect("the stored axes have length 1 where they repeat")
            }
        }
    }
}

fn sliced<T>(mut view: ArrayViewD<'_, T>, slice: Slice) -> ArrayViewD<'_, T> {
    for axis in 0..view.ndim() {
        view.slice_axis_inplace(Axis(axis), slice);
    }
    view
}

/// What an input is fed: a view of an array.
pub(crate) struct Feed {
    pub(crate) name: &'static str,
    stored: Value,
    layout: Layout,
    shape: Vec<usize>,
}

impl Feed {
    /// Elements at random, of which about one in `rarity` is special.
    pub(crate) fn new(
        name: &'static str,
        dtype: DType,
        shape: &[usize],
        layout: Layout,
        random: &mut Random,
        rarity: usize,
    ) -> Feed {
        let stored = layout.stored(shape);
        let stored = match dtype {
            DType::Bool => filled(&stored, || random.coin()),
            DType::U8 => filled(&stored, || random.below(256) as u8),
            DType::I32 => filled(&stored, || whole(random, rarity, [i32::MIN, i32::MAX, 0])),
            DType::I64 => filled(&stored, || whole(random, rarity, [i64::MIN, i64::MAX, 0])),
            DType::F32 => filled(&stored, || real(random, rarity) as f32),
            DType::F64 => filled(&stored, || real(random, rarity)),
        };
        Feed { name, stored, layout, shape: shape.to_vec() }
    }

    /// Feeds the view to a run.
    pub(crate) fn to<'r>(&'r self, run: tamis::Run<'r, 'r>) -> tamis::Run<'r, 'r> {
        match &self.stored {
            Value::Bool(array) => run.feed(self.name, self.layout.view(array, &self.shape)),
            Value::U8(array) => run.feed(self.name, self.layout.view(array, &self.shape)),
            Value::I32(array) => run.feed(self.name, self.layout.view(array, &self.shape)),
            Value::I64(array) => run.feed(self.name, self.layout.view(array, &self.shape)),
            Value::F32(array) => run.feed(self.name, self.layout.view(array, &self.shape)),
            Value::F64(array) => run.feed(self.name, self.layout.view(array, &self.shape)),
        }
    }
}

fn filled<T: Element>(shape: &[usize], element: impl FnMut() -> T) -> Value {
    Value::from(Array::from_shape_simple_fn(IxDyn(shape), element))
}

/// Small numbers, and now and then one at which arithmetic wraps.
fn whole<T: Copy + From<i8>>(random: &mut Random, rarity: usize, special: [T; 3]) -> T {
    if random.below(rarity) == 0 { *random.pick(&special) } else { T::from(random.below(19) as i8 - 9) }
}

/// Sixty-fourths of −4..=4, products and sums of which are exact, and now and
/// then an element that most code forgets.
fn real(random: &mut Random, rarity: usize) -> f64 {
    const SPECIAL: [f64; 9] = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        -0.0,
        f64::MIN_POSITIVE / 8.0,
        // Subnormal in f32.
        -1e-40,
        1.0,
    ];
    if random.below(rarity) == 0 {
        let special = *random.pick(&SPECIAL);
        // Each NaN with a mark of its own, so that it shows which one a run has kept.
        let mark = (random.below(1 << 20) as u64) << 30;
        if special.is_nan() { f64::from_bits(special.to_bits() | mark) } else { special }
    } else {
        random.whole() * 0.9375 + random.below(16) as f64 / 64.0
    }
}
