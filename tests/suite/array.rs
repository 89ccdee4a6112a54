//! Arrays of any dtype: written as literals, compared, cast, and laid out otherwise in
//! memory. Does not depend on graphs.

use ndarray::{ArrayD, Axis, IxDyn, ShapeBuilder, Slice};
use tamis::{DType, Element, IntoConstant, Value};

/// Runs `$body` with `$array` bound to the array inside `$value`, whatever its dtype.
macro_rules! with_array {
    ($value:expr, $array:ident => $body:expr) => {
        match $value {
            tamis::Value::Bool($array) => $body,
            tamis::Value::U8($array) => $body,
            tamis::Value::I32($array) => $body,
            tamis::Value::I64($array) => $body,
            tamis::Value::F32($array) => $body,
            tamis::Value::F64($array) => $body,
        }
    };
}
pub(crate) use with_array;

/// A literal array: a scalar, a (nested) Rust array or an ndarray array.
pub(crate) fn value<T: Element>(literal: impl IntoConstant<T>) -> Value {
    Value::from(literal.into_array())
}

/// An array of a shape without elements.
pub(crate) fn empty<T: Element>(shape: &[usize]) -> Value {
    assert!(shape.contains(&0), "{shape:?} has elements");
    Value::from(ArrayD::<T>::default(shape))
}

/// `element` at every position of `shape`.
pub(crate) fn full<T: Element>(shape: &[usize], element: T) -> Value {
    Value::from(ArrayD::from_elem(shape, element))
}

/// The elements as f64 in row-major order; `true` is 1.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Bool(array) => array.iter().map(|x| f64::from(u8::from(*x))).collect(),
        Value::U8(array) => array.iter().map(|x| f64::from(*x)).collect(),
        Value::I32(array) => array.iter().map(|x| f64::from(*x)).collect(),
        Value::I64(array) => array.iter().map(|x| *x as f64).collect(),
        Value::F32(array) => array.iter().map(|x| f64::from(*x)).collect(),
        Value::F64(array) => array.iter().copied().collect(),
    }
}

/// The elements as bits in row-major order; every NaN has the same ones.
pub(crate) fn bits(value: &Value) -> Vec<u64> {
    match value {
        Value::Bool(array) => array.iter().map(|x| u64::from(*x)).collect(),
        Value::U8(array) => array.iter().map(|x| u64::from(*x)).collect(),
        Value::I32(array) => array.iter().map(|x| *x as u64).collect(),
        Value::I64(array) => array.iter().map(|x| *x as u64).collect(),
        Value::F32(array) => {
            let bits = |x: &f32| if x.is_nan() { f32::NAN } else { *x }.to_bits();
            array.iter().map(|x| u64::from(bits(x))).collect()
        }
        Value::F64(array) => {
            let bits = |x: &f64| if x.is_nan() { f64::NAN } else { *x }.to_bits();
            array.iter().map(bits).collect()
        }
    }
}

/// How many elements are `true`.
pub(crate) fn count_true(value: &Value) -> usize {
    let mask = value.view::<bool>().expect("counts are of masks");
    mask.iter().filter(|selected| **selected).count()
}

/// Whether dtype, shape and bits are the same.
pub(crate) fn same_bits(found: &Value, expected: &Value) -> Result<(), String> {
    same_type(found, expected)?;
    if bits(found) == bits(expected) {
        return Ok(());
    }
    Err(format!("found {found:?}, bit for bit another than {expected:?}"))
}

/// Whether dtype and shape are the same and floats differ by at most `tolerance`
/// times the larger of the two, or of 10⁻¹⁰ times the largest element.
pub(crate) fn close(found: &Value, expected: &Value, tolerance: f64) -> Result<(), String> {
    same_type(found, expected)?;
    let agree = if expected.dtype().is_float() {
        let expected = numbers(expected);
        let largest = expected.iter().filter(|x| x.is_finite()).fold(0.0, |a: f64, b| a.max(b.abs()));
        let floor = largest * 1e-10;
        numbers(found).iter().zip(&expected).all(|(a, b)| near(*a, *b, tolerance, floor))
    } else {
        bits(found) == bits(expected)
    };
    if agree { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}")) }
}

/// Equal, both NaN, or apart by at most `tolerance` times the larger of both and `floor`.
pub(crate) fn near(a: f64, b: f64, tolerance: f64, floor: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(floor)
}

fn same_type(found: &Value, expected: &Value) -> Result<(), String> {
    if found.dtype() == expected.dtype() && found.shape() == expected.shape() {
        return Ok(());
    }
    let text = |value: &Value| format!("{}{:?}", value.dtype(), value.shape());
    Err(format!("found {}, expected {}", text(found), text(expected)))
}

/// The array in f32 if it is in f64.
pub(crate) fn to_single(value: &Value) -> Value {
    match value.view::<f64>() {
        Some(array) => Value::from(array.mapv(|x| x as f32)),
        None => value.clone(),
    }
}

/// A way in which an array can lie in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arrangement {
    /// Column-major: the storage of the transpose.
    Transposed,
    /// Every axis backwards.
    Reversed,
    /// Every second element of each axis of a larger array.
    Spaced,
    /// All of these.
    Scrambled,
}

impl Arrangement {
    pub(crate) const ALL: [Arrangement; 4] =
        [Arrangement::Transposed, Arrangement::Reversed, Arrangement::Spaced, Arrangement::Scrambled];

    /// The same elements, lying in memory in this way.
    pub(crate) fn of(self, value: &Value) -> Value {
        with_array!(value, array => self.arrange(array.to_owned()))
    }

    fn arrange<T: Element>(self, array: ArrayD<T>) -> Value {
        let (column_major, step): (bool, isize) = match self {
            Arrangement::Transposed => (true, 1),
            Arrangement::Reversed => (false, -1),
            Arrangement::Spaced => (false, 2),
            Arrangement::Scrambled => (true, -2),
        };
        let size = |n: usize| n * step.unsigned_abs() + usize::from(n > 0 && step.abs() > 1);
        let allocated: Vec<usize> = array.shape().iter().map(|n| size(*n)).collect();
        // What lies between the elements is some other element of the array.
        let between = array.first().copied().unwrap_or_default();
        let mut arranged = ArrayD::from_elem(IxDyn(&allocated).set_f(column_major), between);
        for axis in 0..array.ndim() {
            arranged.slice_axis_inplace(Axis(axis), Slice::from(..).step_by(step));
        }
        for (axis, n) in array.shape().iter().enumerate() {
            arranged.slice_axis_inplace(Axis(axis), Slice::from(..*n));
        }
        arranged.assign(&array);
        Value::from(arranged)
    }
}

/// A name that no other dtype shares, to distinguish cases.
pub(crate) fn elements(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "bools",
        DType::U8 => "u8s",
        DType::I32 => "i32s",
        DType::I64 => "i64s",
        DType::F32 => "f32s",
        DType::F64 => "f64s",
    }
}
