//! The ways in which callers write what stands between NumPy's brackets: ranges,
//! integers, indices, masks, `...` and new axes. Does not depend on nodes.

use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use smallvec::SmallVec;

use crate::dim::Dim;
use crate::expr::Expr;
use crate::shape::Slice;

/// One entry of [`Expr::at`]: what it takes of the axes that it covers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Entry<'g> {
    /// An integer, which drops its axis, or a range.
    Slice(Slice),
    /// Integers that name elements of one axis, or a mask of as many axes as it has.
    Indices(Expr<'g>),
    /// All of the axes that no other entry covers; NumPy's `...`.
    Ellipsis,
    /// A new axis of length 1; NumPy's `None`.
    NewAxis,
}

/// All axes that no other entry covers, as `...` in NumPy; see [`Expr::at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ellipsis;

/// A new axis of length 1, as `None` in NumPy; see [`Expr::at`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAxis;

impl From<Ellipsis> for Entry<'_> {
    fn from(_: Ellipsis) -> Self {
        Entry::Ellipsis
    }
}

impl From<NewAxis> for Entry<'_> {
    fn from(_: NewAxis) -> Self {
        Entry::NewAxis
    }
}

impl<'g> From<Expr<'g>> for Entry<'g> {
    fn from(indices: Expr<'g>) -> Entry<'g> {
        Entry::Indices(indices)
    }
}

impl<'g> From<&Expr<'g>> for Entry<'g> {
    fn from(indices: &Expr<'g>) -> Entry<'g> {
        Entry::Indices(*indices)
    }
}

/// The entries of [`Expr::at`]: one, or a tuple or a `Vec` of several.
#[derive(Debug, Clone)]
pub struct Entries<'g>(pub(crate) SmallVec<[Entry<'g>; 4]>);

impl<'g> From<Vec<Entry<'g>>> for Entries<'g> {
    fn from(entries: Vec<Entry<'g>>) -> Entries<'g> {
        Entries(entries.into())
    }
}

/// Whatever a slice can be written as is an entry.
macro_rules! entries_from_slices {
    ($($ty:ty),* $(,)?) => {$(
        impl From<$ty> for Entry<'_> {
            fn from(slice: $ty) -> Self {
                Entry::Slice(slice.into())
            }
        }

        impl From<$ty> for Entries<'_> {
            fn from(slice: $ty) -> Self {
                Entries([Entry::from(slice)].into_iter().collect())
            }
        }
    )*};
}

entries_from_slices! {
    Slice, &Slice, RangeFull, i32, i64, usize, Dim, &Dim,
    Range<i32>, Range<i64>, Range<usize>, Range<Dim>, Range<&Dim>,
    RangeFrom<i32>, RangeFrom<i64>, RangeFrom<usize>, RangeFrom<Dim>, RangeFrom<&Dim>,
    RangeTo<i32>, RangeTo<i64>, RangeTo<usize>, RangeTo<Dim>, RangeTo<&Dim>,
    RangeInclusive<i32>, RangeInclusive<i64>, RangeInclusive<usize>,
    RangeToInclusive<i32>, RangeToInclusive<i64>, RangeToInclusive<usize>,
}

macro_rules! entries_from_one {
    ($($ty:ty),*) => {$(
        impl<'g> From<$ty> for Entries<'g> {
            fn from(entry: $ty) -> Entries<'g> {
                Entries([Entry::from(entry)].into_iter().collect())
            }
        }
    )*};
}

entries_from_one!(Entry<'g>, Expr<'g>, &Expr<'g>, Ellipsis, NewAxis);

macro_rules! entries_from_tuples {
    ($(($($name:ident),+))*) => {$(
        impl<'g, $($name: Into<Entry<'g>>),+> From<($($name,)+)> for Entries<'g> {
            #[allow(non_snake_case, reason = "the type parameters name the fields")]
            fn from(($($name,)+): ($($name,)+)) -> Entries<'g> {
                Entries([$($name.into()),+].into_iter().collect())
            }
        }
    )*};
}

entries_from_tuples! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
}
