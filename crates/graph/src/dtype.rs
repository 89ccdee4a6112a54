//! Element types: the six dtypes, how they promote, and single values of them. Does not
//! depend on shapes or expressions.

use std::fmt;
use std::hash::{Hash, Hasher};

use ndarray::{ArcArray, ArrayViewD, IxDyn};

use crate::value::{Value, ValueView};

/// The element type of a tensor, in promotion order.
///
/// Two tensors promote to the later of their dtypes; an integer with a float
/// gives the float's dtype, whatever the widths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// `bool`: a mask.
    Bool,
    /// `u8`.
    U8,
    /// `i32`.
    I32,
    /// `i64`: indices, counts and sizes.
    I64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
}

impl DType {
    /// Every dtype, in promotion order.
    pub const ALL: [DType; 6] = [DType::Bool, DType::U8, DType::I32, DType::I64, DType::F32, DType::F64];

    /// The dtype that holds the result of arithmetic between `self` and `other`.
    ///
    /// ```
    /// use tamis::DType;
    /// assert_eq!(DType::I64.promote(DType::F32), DType::F32);
    /// assert_eq!(DType::Bool.promote(DType::U8), DType::U8);
    /// ```
    pub fn promote(self, other: DType) -> DType {
        self.max(other)
    }

    /// Whether this is `f32` or `f64`, the dtypes that carry gradients.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Whether this is `u8`, `i32` or `i64`.
    pub fn is_integer(self) -> bool {
        matches!(self, DType::U8 | DType::I32 | DType::I64)
    }

    /// The float that true division and the mean of this dtype give: f32 where
    /// it holds every value (bool, u8), f64 for wider integers, floats themselves.
    pub fn to_float(self) -> DType {
        match self {
            DType::Bool | DType::U8 | DType::F32 => DType::F32,
            DType::I32 | DType::I64 | DType::F64 => DType::F64,
        }
    }

    /// The dtype in which sums are taken: `i64` for bool and integers.
    pub fn to_accumulator(self) -> DType {
        if self.is_float() { self } else { DType::I64 }
    }

    /// The least value of the dtype: −inf for floats, false for bool.
    pub fn lowest(self) -> Scalar {
        match self {
            DType::Bool => Scalar::Bool(false),
            DType::U8 => Scalar::U8(u8::MIN),
            DType::I32 => Scalar::I32(i32::MIN),
            DType::I64 => Scalar::I64(i64::MIN),
            DType::F32 => Scalar::F32(f32::NEG_INFINITY),
            DType::F64 => Scalar::F64(f64::NEG_INFINITY),
        }
    }

    /// The greatest value of the dtype: inf for floats, true for bool.
    pub fn highest(self) -> Scalar {
        match self {
            DType::Bool => Scalar::Bool(true),
            DType::U8 => Scalar::U8(u8::MAX),
            DType::I32 => Scalar::I32(i32::MAX),
            DType::I64 => Scalar::I64(i64::MAX),
            DType::F32 => Scalar::F32(f32::INFINITY),
            DType::F64 => Scalar::F64(f64::INFINITY),
        }
    }

    /// Bytes per element.
    pub fn size_of(self) -> usize {
        match self {
            DType::Bool | DType::U8 => 1,
            DType::I32 | DType::F32 => 4,
            DType::I64 | DType::F64 => 8,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DType::Bool => "bool",
            DType::U8 => "u8",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::F32 => "f32",
            DType::F64 => "f64",
        })
    }
}

mod sealed {
    pub trait Sealed {}
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an element of a tensor",
    note = "elements are bool, u8, i32, i64, f32 and f64",
    note = "rows of rows are an array of more axes: write `tamis::ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]])`"
)]
/// A Rust type that can be an element of a tensor: `bool`, `u8`, `i32`, `i64`,
/// `f32` or `f64`. Sealed.
pub trait Element:
    sealed::Sealed + Copy + Default + fmt::Debug + fmt::Display + PartialEq + PartialOrd + Send + Sync + 'static
{
    /// The dtype of this type.
    const DTYPE: DType;

    /// Tags an array of this type with its dtype.
    fn into_value(array: ArcArray<Self, IxDyn>) -> Value;

    /// The array inside `value`, or `None` if its dtype is another.
    fn from_value(value: &Value) -> Option<&ArcArray<Self, IxDyn>>;

    /// Tags a view of an array of this type with its dtype.
    fn into_view(view: ArrayViewD<'_, Self>) -> ValueView<'_>;

    /// Tags a single element with its dtype.
    fn into_scalar(self) -> Scalar;
}

/// A single value with its dtype. Equal bit for bit: `NaN == NaN`, `-0.0 != 0.0`.
#[derive(Debug, Clone, Copy)]
pub enum Scalar {
    /// A `bool`.
    Bool(bool),
    /// A `u8`.
    U8(u8),
    /// An `i32`.
    I32(i32),
    /// An `i64`.
    I64(i64),
    /// An `f32`.
    F32(f32),
    /// An `f64`.
    F64(f64),
}

impl Scalar {
    /// The dtype of the value.
    pub fn dtype(self) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::U8(_) => DType::U8,
            Scalar::I32(_) => DType::I32,
            Scalar::I64(_) => DType::I64,
            Scalar::F32(_) => DType::F32,
            Scalar::F64(_) => DType::F64,
        }
    }

    /// The same value in another dtype, as Rust's `as` converts
    /// (floats saturate into integers, NaN becomes 0, anything non-zero is `true`).
    pub fn cast(self, dtype: DType) -> Scalar {
        match self {
            Scalar::Bool(v) => Scalar::from_int(i64::from(v), dtype),
            Scalar::U8(v) => Scalar::from_int(i64::from(v), dtype),
            Scalar::I32(v) => Scalar::from_int(i64::from(v), dtype),
            Scalar::I64(v) => Scalar::from_int(v, dtype),
            Scalar::F32(v) => Scalar::from_float(f64::from(v), dtype),
            Scalar::F64(v) => Scalar::from_float(v, dtype),
        }
    }

    pub(crate) fn from_int(value: i64, dtype: DType) -> Scalar {
        match dtype {
            DType::Bool => Scalar::Bool(value != 0),
            DType::U8 => Scalar::U8(value as u8),
            DType::I32 => Scalar::I32(value as i32),
            DType::I64 => Scalar::I64(value),
            DType::F32 => Scalar::F32(value as f32),
            DType::F64 => Scalar::F64(value as f64),
        }
    }

    pub(crate) fn from_float(value: f64, dtype: DType) -> Scalar {
        match dtype {
            DType::Bool => Scalar::Bool(value != 0.0),
            DType::U8 => Scalar::U8(value as u8),
            DType::I32 => Scalar::I32(value as i32),
            DType::I64 => Scalar::I64(value as i64),
            DType::F32 => Scalar::F32(value as f32),
            DType::F64 => Scalar::F64(value),
        }
    }

    /// The bits that identify the value; every NaN has the same ones.
    fn key(self) -> (DType, u64) {
        let bits = match self {
            Scalar::Bool(v) => v.key(),
            Scalar::U8(v) => v.key(),
            Scalar::I32(v) => v.key(),
            Scalar::I64(v) => v.key(),
            Scalar::F32(v) => v.key(),
            Scalar::F64(v) => v.key(),
        };
        (self.dtype(), bits)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(v) => write!(f, "{v}"),
            Scalar::U8(v) => write!(f, "{v}"),
            Scalar::I32(v) => write!(f, "{v}"),
            Scalar::I64(v) => write!(f, "{v}"),
            Scalar::F32(v) => write!(f, "{v:?}"),
            Scalar::F64(v) => write!(f, "{v:?}"),
        }
    }
}

/// Bits that identify a value, with one pattern for every NaN.
pub(crate) trait BitKey: Copy {
    fn key(self) -> u64;
}

macro_rules! integer_bits {
    ($($ty:ty),*) => {$(
        impl BitKey for $ty {
            fn key(self) -> u64 {
                self as u64
            }
        }
    )*};
}

integer_bits!(bool, u8, i32, i64);

impl BitKey for f32 {
    fn key(self) -> u64 {
        u64::from(if self.is_nan() { f32::NAN } else { self }.to_bits())
    }
}

impl BitKey for f64 {
    fn key(self) -> u64 {
        if self.is_nan() { f64::NAN } else { self }.to_bits()
    }
}

macro_rules! element {
    ($($ty:ty => $variant:ident),*) => {$(
        impl sealed::Sealed for $ty {}

        impl Element for $ty {
            const DTYPE: DType = DType::$variant;

            fn into_value(array: ArcArray<Self, IxDyn>) -> Value {
                Value::$variant(array)
            }

            #[allow(clippy::wildcard_enum_match_arm, reason = "one dtype against all others")]
            fn from_value(value: &Value) -> Option<&ArcArray<Self, IxDyn>> {
                match value {
                    Value::$variant(array) => Some(array),
                    _ => None,
                }
            }

            fn into_view(view: ArrayViewD<'_, Self>) -> ValueView<'_> {
                ValueView::$variant(view)
            }

            fn into_scalar(self) -> Scalar {
                Scalar::$variant(self)
            }
        }
    )*};
}

element!(bool => Bool, u8 => U8, i32 => I32, i64 => I64, f32 => F32, f64 => F64);
