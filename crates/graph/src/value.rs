//! Arrays whose dtype is known only at run time: constants, feeds and results.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn};

use crate::dtype::{BitKey, DType, Element, Scalar};

/// An array tagged with its dtype. Cloning shares the elements.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::{DType, Value};
///
/// let value = Value::from(array![1.5_f32, 2.5].into_dyn());
/// assert_eq!(value.dtype(), DType::F32);
/// assert_eq!(value.view::<f32>().unwrap()[[1]], 2.5);
/// assert!(value.view::<f64>().is_none());
/// ```
#[derive(Clone)]
pub enum Value {
    /// An array of `bool`.
    Bool(ArcArray<bool, IxDyn>),
    /// An array of `u8`.
    U8(ArcArray<u8, IxDyn>),
    /// An array of `i32`.
    I32(ArcArray<i32, IxDyn>),
    /// An array of `i64`.
    I64(ArcArray<i64, IxDyn>),
    /// An array of `f32`.
    F32(ArcArray<f32, IxDyn>),
    /// An array of `f64`.
    F64(ArcArray<f64, IxDyn>),
}

/// A borrowed array tagged with its dtype: what a run is fed without a copy.
#[derive(Debug, Clone)]
pub enum ValueView<'a> {
    /// A view of `bool`.
    Bool(ArrayViewD<'a, bool>),
    /// A view of `u8`.
    U8(ArrayViewD<'a, u8>),
    /// A view of `i32`.
    I32(ArrayViewD<'a, i32>),
    /// A view of `i64`.
    I64(ArrayViewD<'a, i64>),
    /// A view of `f32`.
    F32(ArrayViewD<'a, f32>),
    /// A view of `f64`.
    F64(ArrayViewD<'a, f64>),
}

/// Runs `$body` with `$array` bound to the array inside `$value`, whatever its dtype.
macro_rules! with_array {
    ($value:expr, $array:ident => $body:expr) => {
        match $value {
            Value::Bool($array) => $body,
            Value::U8($array) => $body,
            Value::I32($array) => $body,
            Value::I64($array) => $body,
            Value::F32($array) => $body,
            Value::F64($array) => $body,
        }
    };
}

impl Value {
    /// The dtype of the elements.
    pub fn dtype(&self) -> DType {
        match self {
            Value::Bool(_) => DType::Bool,
            Value::U8(_) => DType::U8,
            Value::I32(_) => DType::I32,
            Value::I64(_) => DType::I64,
            Value::F32(_) => DType::F32,
            Value::F64(_) => DType::F64,
        }
    }

    /// The lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        with_array!(self, array => array.shape())
    }

    /// The elements as a view, or `None` if `T` is not their dtype.
    pub fn view<T: Element>(&self) -> Option<ArrayViewD<'_, T>> {
        T::from_value(self).map(|array| array.view())
    }
}

impl<T: Element> From<ArrayD<T>> for Value {
    fn from(array: ArrayD<T>) -> Value {
        T::into_value(array.into_shared())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.dtype())?;
        with_array!(self, array => write!(f, "{array:?}"))
    }
}

/// A literal array in a graph, equal to another when dtype, shape and bits are.
#[derive(Debug, Clone)]
pub struct Constant {
    value: Arc<Value>,
    hash: u64,
}

impl Constant {
    pub(crate) fn new(value: Value) -> Constant {
        let mut hasher = std::hash::DefaultHasher::new();
        value.dtype().hash(&mut hasher);
        value.shape().hash(&mut hasher);
        with_array!(&value, array => array.iter().for_each(|v| v.key().hash(&mut hasher)));
        Constant { hash: hasher.finish(), value: Arc::new(value) }
    }

    /// The array.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The only element of an array of rank 0.
    pub(crate) fn to_scalar(&self) -> Option<Scalar> {
        fn only<T: Element>(array: &ArcArray<T, IxDyn>) -> Option<Scalar> {
            array.first().filter(|_| array.ndim() == 0).map(|v| v.into_scalar())
        }
        with_array!(&*self.value, array => only(array))
    }

    /// How many elements are `true`, if this is a bool array.
    pub(crate) fn count_true(&self) -> Option<usize> {
        self.value.view::<bool>().map(|array| array.iter().filter(|v| **v).count())
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Constant) -> bool {
        fn same<T: Element + BitKey>(a: &ArcArray<T, IxDyn>, b: &Value) -> bool {
            T::from_value(b)
                .is_some_and(|b| a.shape() == b.shape() && a.iter().zip(b).all(|(a, b)| a.key() == b.key()))
        }
        self.hash == other.hash && with_array!(&*self.value, array => same(array, &other.value))
    }
}

impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}
