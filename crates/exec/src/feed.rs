//! What inputs are fed, and memory of the caller's that is read and written.

use ndarray::{ArcArray, Array, ArrayBase, ArrayView, ArrayViewMut, Data, Dimension};
use tamis_graph::{DType, Element, Scalar, Value, ValueView};

use crate::by_dtype::each_dtype;

/// A trait with the compiler's explanation of what cannot be fed.
macro_rules! explained {
    ($(#[doc = $doc:expr])* pub trait $($item:tt)*) => {
        $(#[doc = $doc])*
        #[diagnostic::on_unimplemented(
            message = "`{Self}` cannot be fed to an input",
            label = "this is no tensor of bool, u8, i32, i64, f32 or f64",
            note = "an input is fed an ndarray array or view (owned or by reference), a `Value`, a slice, `Vec` or array \
                    of rank 1, or a Rust scalar of rank 0",
            note = "for more than one axis write `&tamis::ndarray::arr2(&[[1.0, 2.0], [3.0, 4.0]])`"
        )]
        pub trait $($item)*
    };
}

explained! {
    /// What an input can be fed: a reference to any ndarray array or view, an owned
    /// array, a view, a mutable view, a [`Value`]; for rank 1 a slice, a `Vec` or a Rust
    /// array, owned or borrowed; for rank 0 a Rust scalar, which takes the dtype of the
    /// input if it fits. Sealed.
    ///
    /// Borrowed elements are read where they are, in any layout; an owned `Vec` or array is not copied.
    ///
    /// ```
    /// use tamis::ndarray::{array, s};
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let scale = graph.input::<f64>("scale", dims![]);
    /// let plan = Plan::new([("sum", (x * scale).sum(..))])?;
    /// let data = array![[1.0, 2.0], [3.0, 4.0]];
    /// let out = plan.feed("x", data.slice(s![.., 1])).feed("scale", 10).run()?;
    /// assert_eq!(out.scalar::<f64>("sum")?, 60.0);
    /// let out = plan.feed("x", &[1.0, 2.0]).feed("scale", 0.5).run()?;
    /// assert_eq!(out.scalar::<f64>("sum")?, 1.5);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    ///
    /// What is no tensor is refused by the compiler:
    ///
    /// ```compile_fail,E0277
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("sum", x.sum(..))]).unwrap();
    /// let _ = plan.feed("x", "1.0, 2.0"); // error: `&str` cannot be fed to an input
    /// ```
    pub trait Feed<'a>: sealed::IntoFed<'a> {}
}

impl<'a, F: sealed::IntoFed<'a>> Feed<'a> for F {}

/// A feed, whatever it was given as.
pub(crate) enum Fed<'a> {
    Owned(Value),
    Borrowed(Box<dyn Lend + 'a>),
    Weak(Weak),
}

/// A Rust scalar, which takes the dtype of what it meets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Weak {
    Bool(bool),
    Int(i64),
    Float(f64),
}

impl Weak {
    /// The value with its own dtype.
    pub(crate) fn to_scalar(self) -> Scalar {
        match self {
            Weak::Bool(value) => Scalar::Bool(value),
            Weak::Int(value) => Scalar::I64(value),
            Weak::Float(value) => Scalar::F64(value),
        }
    }

    /// The value in `dtype`, unless that dtype cannot hold it. Floats round.
    pub(crate) fn fit(self, dtype: DType) -> Option<Scalar> {
        let whole = match self {
            Weak::Bool(value) => i64::from(value),
            Weak::Int(value) => value,
            Weak::Float(_) if dtype.is_float() => return Some(self.to_scalar().cast(dtype)),
            Weak::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e18 => value as i64,
            Weak::Float(_) => return None,
        };
        let fits = match dtype {
            DType::Bool => matches!(whole, 0 | 1),
            DType::U8 => u8::try_from(whole).is_ok(),
            DType::I32 => i32::try_from(whole).is_ok(),
            DType::I64 | DType::F32 | DType::F64 => true,
        };
        fits.then(|| Scalar::I64(whole).cast(dtype))
    }
}

macro_rules! copies {
    ($($ty:ident: $variant:ident),*) => {
        /// Overwrites `own` with elements of the same dtype and shape. Others are not taken.
        #[allow(clippy::wildcard_enum_match_arm, reason = "one dtype against all others")]
        pub(crate) fn assign(own: &mut Value, elements: &ValueView<'_>) -> bool {
            match (own, elements) {
                $((Value::$variant(own), ValueView::$variant(elements)) if own.shape() == elements.shape() => {
                    own.assign(elements);
                    true
                })*
                _ => false,
            }
        }

        /// A copy of the elements.
        pub(crate) fn copied(elements: &ValueView<'_>) -> Value {
            match elements {
                $(ValueView::$variant(elements) => Value::$variant(elements.to_owned().into_shared()),)*
            }
        }
    };
}

each_dtype!(copies);

/// Memory of the caller's that is read. (A view itself would do, were ndarray's
/// views covariant in their lifetime: then a run could not be fed in a loop.)
pub(crate) trait Lend: Send + Sync {
    fn lend(&self) -> ValueView<'_>;
}

/// Memory of the caller's that is written, and may be read before.
pub(crate) trait Buffer: Lend {
    /// Overwrites the elements with those of `value`, which has the same dtype and shape.
    fn write(&mut self, value: &Value);
}

impl<T: Element, D: Dimension> Lend for ArrayView<'_, T, D> {
    fn lend(&self) -> ValueView<'_> {
        T::into_view(self.view().into_dyn())
    }
}

impl<T: Element, D: Dimension> Lend for ArrayViewMut<'_, T, D> {
    fn lend(&self) -> ValueView<'_> {
        T::into_view(self.view().into_dyn())
    }
}

impl<T: Element, D: Dimension> Buffer for ArrayViewMut<'_, T, D> {
    fn write(&mut self, value: &Value) {
        let value = value.view::<T>().unwrap_or_else(|| unreachable!("dtypes are compared before writing"));
        self.view_mut().into_dyn().assign(&value);
    }
}

mod sealed {
    /// A feed whose kind does not matter any more.
    pub struct Sealed<'a>(pub(super) super::Fed<'a>);

    explained! {
        pub trait IntoFed<'a> {
            fn into_fed(self) -> Sealed<'a>;
        }
    }
}

use sealed::{IntoFed, Sealed};

/// Unpacks a feed.
pub(crate) fn unpack<'a>(feed: impl Feed<'a>) -> Fed<'a> {
    feed.into_fed().0
}

impl<'a, T: Element, S: Data<Elem = T>, D: Dimension + 'a> IntoFed<'a> for &'a ArrayBase<S, D> {
    fn into_fed(self) -> Sealed<'a> {
        self.view().into_fed()
    }
}

impl<'a, T: Element, D: Dimension + 'a> IntoFed<'a> for ArrayView<'a, T, D> {
    fn into_fed(self) -> Sealed<'a> {
        Sealed(Fed::Borrowed(Box::new(self)))
    }
}

impl<'a, T: Element, D: Dimension + 'a> IntoFed<'a> for ArrayViewMut<'a, T, D> {
    fn into_fed(self) -> Sealed<'a> {
        Sealed(Fed::Borrowed(Box::new(self)))
    }
}

impl<'a, T: Element, D: Dimension> IntoFed<'a> for Array<T, D> {
    fn into_fed(self) -> Sealed<'a> {
        self.into_shared().into_fed()
    }
}

impl<'a, T: Element, D: Dimension> IntoFed<'a> for ArcArray<T, D> {
    fn into_fed(self) -> Sealed<'a> {
        T::into_value(self.into_dyn()).into_fed()
    }
}

impl<'a, T: Element> IntoFed<'a> for &'a [T] {
    fn into_fed(self) -> Sealed<'a> {
        ArrayView::from(self).into_fed()
    }
}

impl<'a, T: Element> IntoFed<'a> for &'a Vec<T> {
    fn into_fed(self) -> Sealed<'a> {
        self.as_slice().into_fed()
    }
}

impl<'a, T: Element, const N: usize> IntoFed<'a> for &'a [T; N] {
    fn into_fed(self) -> Sealed<'a> {
        self.as_slice().into_fed()
    }
}

impl<'a, T: Element> IntoFed<'a> for Vec<T> {
    fn into_fed(self) -> Sealed<'a> {
        Array::from(self).into_fed()
    }
}

impl<'a, T: Element, const N: usize> IntoFed<'a> for [T; N] {
    fn into_fed(self) -> Sealed<'a> {
        Vec::from(self).into_fed()
    }
}

impl<'a> IntoFed<'a> for Value {
    fn into_fed(self) -> Sealed<'a> {
        Sealed(Fed::Owned(self))
    }
}

impl<'a> IntoFed<'a> for &Value {
    fn into_fed(self) -> Sealed<'a> {
        self.clone().into_fed()
    }
}

macro_rules! weak_feeds {
    ($($ty:ty => $variant:ident),*) => {$(
        impl<'a> IntoFed<'a> for $ty {
            fn into_fed(self) -> Sealed<'a> {
                Sealed(Fed::Weak(Weak::$variant(self.into())))
            }
        }
    )*};
}

weak_feeds!(bool => Bool, u8 => Int, i32 => Int, i64 => Int, f32 => Float, f64 => Float);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_scalar_fits_only_where_nothing_is_lost() {
        assert_eq!(Weak::Int(255).fit(DType::U8), Some(Scalar::U8(255)));
        assert_eq!(Weak::Int(256).fit(DType::U8), None);
        assert_eq!(Weak::Float(2.0).fit(DType::I32), Some(Scalar::I32(2)));
        assert_eq!(Weak::Float(2.5).fit(DType::I32), None);
        assert_eq!(Weak::Float(f64::NAN).fit(DType::I64), None);
        assert_eq!(Weak::Float(0.5).fit(DType::F32), Some(Scalar::F32(0.5)));
        assert_eq!(Weak::Bool(true).fit(DType::F64), Some(Scalar::F64(1.0)));
    }
}
