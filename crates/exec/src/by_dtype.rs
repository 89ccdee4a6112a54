//! What exists for each dtype: one value of each, a value of any, and the dispatch from a
//! dtype that is known at run time to the element type. Does not depend on ops.
//!
//! Tensors, buffers, slices, registers and loads are families: a type for each element type.
//! [`AnyOf`] and [`ByDType`] are the sum and the product over the dtypes of any family.

use tamis_graph::{DType, Element, Scalar};

use crate::pool::Pooled;
use crate::raw::Moved;

/// A type for each element type.
pub(crate) trait Family {
    type Of<T: Item>;
}

/// Calls a macro with all dtypes: the element type and the variant.
macro_rules! each_dtype {
    ($callback:ident) => {
        $callback! { bool: Bool, u8: U8, i32: I32, i64: I64, f32: F32, f64: F64 }
    };
}
pub(crate) use each_dtype;

/// Where a dtype meets code that is generic over the element type.
///
/// `dispatch!(any, x => body)` runs `body` with `x` bound to what the [`AnyOf`] holds;
/// `dispatch!(type T = dtype => body)` runs it with `T` standing for the element type. A prefix
/// names what an op is built on: `numbers:` (no bools), `integers:`, `sums:` (the dtypes of
/// accumulators), `floats:`; `words:` are the tensors that `AnyTensor::words` gives.
macro_rules! dispatch {
    (floats: $($rest:tt)*) => {
        $crate::by_dtype::dispatch!(
            @[F32 f32, F64 f64] [Bool, U8, I32, I64] "the builder converts to floats"; $($rest)*
        )
    };
    (sums: $($rest:tt)*) => {
        $crate::by_dtype::dispatch!(
            @[I64 i64, F32 f32, F64 f64] [Bool, U8, I32] "the builder accumulates bools and integers in i64";
            $($rest)*
        )
    };
    (words: $($rest:tt)*) => {
        $crate::by_dtype::dispatch!(
            @[Bool bool, U8 u8, I32 i32, I64 i64] [F32, F64] "the words of floats are integers"; $($rest)*
        )
    };
    (integers: $($rest:tt)*) => {
        $crate::by_dtype::dispatch!(
            @[U8 u8, I32 i32, I64 i64] [Bool, F32, F64] "bools are refused, and floats go another way"; $($rest)*
        )
    };
    (numbers: $($rest:tt)*) => {
        $crate::by_dtype::dispatch!(
            @[U8 u8, I32 i32, I64 i64, F32 f32, F64 f64] [Bool] "the builder refuses bools"; $($rest)*
        )
    };
    (
        @[$($variant:ident $ty:ident),*] [$($refused:ident),*] $reason:literal;
        type $T:ident = $dtype:expr => $body:expr
    ) => {
        match $dtype {
            $(::tamis_graph::DType::$variant => {
                type $T = $ty;
                $body
            })*
            $(::tamis_graph::DType::$refused => unreachable!($reason),)*
        }
    };
    (
        @[$($variant:ident $ty:ident),*] [$($refused:ident),*] $reason:literal;
        $any:expr, $x:ident => $body:expr
    ) => {
        match $any {
            $($crate::by_dtype::AnyOf::$variant($x) => $body,)*
            $($crate::by_dtype::AnyOf::$refused(_) => unreachable!($reason),)*
        }
    };
    ($($rest:tt)*) => {
        $crate::by_dtype::dispatch!(
            @[Bool bool, U8 u8, I32 i32, I64 i64, F32 f32, F64 f64] [] ""; $($rest)*
        )
    };
}
pub(crate) use dispatch;

/// An element type, with its variant among the dtypes.
pub(crate) trait Item: Element + Pooled + Moved {
    /// That of this type among one of each.
    fn of<F: Family>(all: &ByDType<F>) -> &F::Of<Self>;

    /// The same, to be changed.
    fn of_mut<F: Family>(all: &mut ByDType<F>) -> &mut F::Of<Self>;

    /// What `any` holds, or `None` if its dtype is another.
    fn from_any<F: Family>(any: &AnyOf<F>) -> Option<&F::Of<Self>>;

    /// Tags what is of this type with its dtype.
    fn into_any<F: Family>(typed: F::Of<Self>) -> AnyOf<F>;

    /// What `any` holds, which is of this type.
    fn unwrap_any<F: Family>(any: AnyOf<F>) -> F::Of<Self>;

    /// The value inside `scalar`, or `None` if its dtype is another.
    fn from_scalar(scalar: Scalar) -> Option<Self>;
}

/// The index of a dtype in tables: its position in [`DType::ALL`].
pub(crate) fn slot(dtype: DType) -> usize {
    dtype as usize
}

macro_rules! by_dtype {
    ($($ty:ident: $variant:ident),*) => {
        /// One of each dtype.
        pub(crate) struct ByDType<F: Family> {
            $(pub(crate) $ty: F::Of<$ty>,)*
        }

        impl<F: Family> Default for ByDType<F>
        where
            $(F::Of<$ty>: Default,)*
        {
            fn default() -> Self {
                ByDType { $($ty: Default::default(),)* }
            }
        }

        /// One of any dtype.
        pub(crate) enum AnyOf<F: Family> {
            $($variant(F::Of<$ty>),)*
        }

        impl<F: Family> Clone for AnyOf<F>
        where
            $(F::Of<$ty>: Clone,)*
        {
            fn clone(&self) -> Self {
                match self {
                    $(AnyOf::$variant(typed) => AnyOf::$variant(typed.clone()),)*
                }
            }
        }

        impl<F: Family> AnyOf<F> {
            /// The dtype of the elements.
            pub(crate) fn dtype(&self) -> DType {
                match self {
                    $(AnyOf::$variant(_) => DType::$variant,)*
                }
            }
        }

        $(
            impl Item for $ty {
                fn of<F: Family>(all: &ByDType<F>) -> &F::Of<$ty> {
                    &all.$ty
                }

                fn of_mut<F: Family>(all: &mut ByDType<F>) -> &mut F::Of<$ty> {
                    &mut all.$ty
                }

                #[allow(clippy::wildcard_enum_match_arm, reason = "one dtype against all others")]
                fn from_any<F: Family>(any: &AnyOf<F>) -> Option<&F::Of<$ty>> {
                    match any {
                        AnyOf::$variant(typed) => Some(typed),
                        _ => None,
                    }
                }

                fn into_any<F: Family>(typed: F::Of<$ty>) -> AnyOf<F> {
                    AnyOf::$variant(typed)
                }

                #[allow(clippy::wildcard_enum_match_arm, reason = "one dtype against all others")]
                fn unwrap_any<F: Family>(any: AnyOf<F>) -> F::Of<$ty> {
                    let dtype = any.dtype();
                    match any {
                        AnyOf::$variant(typed) => typed,
                        _ => unreachable!("{dtype} elements where {} ones are promised", $ty::DTYPE),
                    }
                }

                #[allow(clippy::wildcard_enum_match_arm, reason = "one dtype against all others")]
                fn from_scalar(scalar: Scalar) -> Option<$ty> {
                    match scalar {
                        Scalar::$variant(value) => Some(value),
                        _ => None,
                    }
                }
            }
        )*
    };
}

each_dtype!(by_dtype);

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of each element type.
    struct Lists;

    impl Family for Lists {
        type Of<T: Item> = Vec<T>;
    }

    #[test]
    fn a_slot_is_the_index_among_all_dtypes() {
        assert!(DType::ALL.into_iter().map(slot).eq(0..DType::ALL.len()));
    }

    #[test]
    fn dispatch_finds_the_element_type_of_a_dtype() {
        for dtype in DType::ALL {
            assert_eq!(dispatch!(type T = dtype => T::DTYPE), dtype);
        }
        assert_eq!(dispatch!(numbers: type T = DType::U8 => T::DTYPE), DType::U8);
        assert_eq!(dispatch!(sums: type T = DType::I64 => T::DTYPE), DType::I64);
        assert_eq!(dispatch!(floats: type T = DType::F32 => T::DTYPE), DType::F32);
    }

    #[test]
    fn one_of_any_dtype_gives_what_it_holds_for_that_dtype_alone() {
        let any: AnyOf<Lists> = i32::into_any(vec![1, 2]);
        assert_eq!((any.dtype(), dispatch!(&any, list => list.len())), (DType::I32, 2));
        assert_eq!(i32::from_any(&any), Some(&vec![1, 2]));
        assert!(u8::from_any(&any).is_none() && f32::from_any(&any).is_none());
        assert_eq!(i32::unwrap_any(any.clone()), [1, 2]);
    }

    #[test]
    fn one_of_each_dtype_is_found_by_its_type() {
        let mut all = ByDType::<Lists>::default();
        f64::of_mut(&mut all).push(1.5);
        bool::of_mut(&mut all).push(true);
        assert_eq!(
            (f64::of(&all).as_slice(), bool::of(&all).as_slice()),
            ([1.5].as_slice(), [true].as_slice())
        );
        assert!(u8::of(&all).is_empty());
    }

    #[test]
    fn a_scalar_gives_its_value_for_its_dtype_alone() {
        assert_eq!(i64::from_scalar(Scalar::I64(3)), Some(3));
        assert_eq!(i32::from_scalar(Scalar::I64(3)), None);
    }
}
