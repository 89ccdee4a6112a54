//! Shapes, and the ways in which callers write sizes, axes and slices. Does not depend
//! on nodes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::axis::Axis;
use crate::dim::{Dim, DimError, Symbol};
use crate::error::ErrorKind;

/// The lengths of the axes of an expression, outermost first.
///
/// Nodes take most of their shapes from their operands, so that a copy shares
/// the lengths, and what is shared is equal without a comparison.
#[derive(Clone, Eq, Default)]
pub struct Shape {
    /// `None` for rank 0.
    dims: Option<Arc<[Dim]>>,
}

impl Shape {
    /// The number of elements.
    ///
    /// # Errors
    /// When the product overflows, has too many terms or is nested too deeply.
    pub fn size(&self) -> Result<Dim, DimError> {
        self.iter().try_fold(Dim::ONE, |size, dim| size.mul(dim))
    }

    /// The lengths as numbers, if all are known at build time.
    pub fn known(&self) -> Option<Vec<usize>> {
        self.iter().map(Dim::known).collect()
    }

    pub(crate) fn rank(&self) -> usize {
        self.len()
    }

    /// The axis that `axis` names, counting from the end if it is negative.
    pub(crate) fn axis(&self, axis: Axis) -> Result<usize, ErrorKind> {
        let (rank, axis) = (self.rank() as i128, axis.number());
        let index = if axis < 0 { axis + rank } else { axis };
        if (0..rank).contains(&index) {
            Ok(index as usize)
        } else {
            Err(ErrorKind::Axis { axis, shape: self.clone() })
        }
    }

    /// [`Shape::axis`], but of a tensor of rank 0, as in NumPy and PyTorch, 0 and
    /// −1 name the axis of its one element, which is none of the shape's.
    pub(crate) fn axis_or_element(&self, axis: Axis) -> Result<usize, ErrorKind> {
        if self.rank() == 0 && matches!(axis.number(), 0 | -1) { Ok(0) } else { self.axis(axis) }
    }

    /// The shape with `dims` instead of the axes in `range`.
    pub(crate) fn splice(&self, range: Range<usize>, dims: &[Dim]) -> Shape {
        self[..range.start].iter().chain(dims).chain(&self[range.end..]).cloned().collect()
    }

    pub(crate) fn with(&self, axis: usize, dim: Dim) -> Shape {
        self.splice(axis..axis + 1, &[dim])
    }
}

impl Deref for Shape {
    type Target = [Dim];

    #[inline]
    fn deref(&self) -> &[Dim] {
        self.dims.as_deref().unwrap_or_default()
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Shape) -> bool {
        match (&self.dims, &other.dims) {
            (Some(own), Some(others)) => Arc::ptr_eq(own, others) || own == others,
            (own, others) => own.is_none() && others.is_none(),
        }
    }
}

impl Hash for Shape {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl FromIterator<Dim> for Shape {
    fn from_iter<I: IntoIterator<Item = Dim>>(dims: I) -> Shape {
        // Compiled for many iterators: this is a fifth of the code that `collect` is.
        let mut list: SmallVec<[Dim; 4]> = SmallVec::new();
        dims.into_iter().for_each(|dim| list.push(dim));
        Shape { dims: (!list.is_empty()).then(|| list.into_iter().collect()) }
    }
}

impl From<&[usize]> for Shape {
    fn from(lengths: &[usize]) -> Shape {
        lengths.iter().map(|n| Dim::from(*n)).collect()
    }
}

impl From<&[Dim]> for Shape {
    fn from(dims: &[Dim]) -> Shape {
        dims.iter().cloned().collect()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, dim) in self.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{dim}")?;
        }
        f.write_str("]")
    }
}

/// The same text as `Display`.
impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One size as a caller writes it: a number, a name, or a [`Dim`].
#[derive(Debug, Clone)]
pub enum Size {
    /// A number; in a reshape, one `-1` is inferred.
    Int(i64),
    /// The named dimension of an input: a letter or `_`, then letters, digits or `_`.
    Name(Arc<str>),
    /// A dimension of an expression.
    Dim(Dim),
}

impl Size {
    pub(crate) fn to_dim(&self) -> Result<Dim, ErrorKind> {
        match self {
            Size::Int(n) if *n < 0 => Err(ErrorKind::NegativeSize { size: *n }),
            Size::Int(n) => Ok(Dim::int(*n)),
            Size::Name(name) if is_name(name) => Ok(Dim::from(Symbol::Named(name.clone()))),
            Size::Name(name) => Err(ErrorKind::DimensionName { name: name.to_string() }),
            Size::Dim(dim) => Ok(dim.clone()),
        }
    }
}

/// Whether `name` is an identifier, which no printed number, sum or product of lengths is.
fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

macro_rules! size_from_integer {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Size {
            fn from(n: $ty) -> Size {
                // A length beyond i64 overflows every size check further on.
                Size::Int(i64::try_from(n).unwrap_or(i64::MAX))
            }
        }
    )*};
}

size_from_integer!(i32, i64, usize);

impl From<&str> for Size {
    fn from(name: &str) -> Size {
        Size::Name(name.into())
    }
}

impl From<Dim> for Size {
    fn from(dim: Dim) -> Size {
        Size::Dim(dim)
    }
}

impl From<&Dim> for Size {
    fn from(dim: &Dim) -> Size {
        Size::Dim(dim.clone())
    }
}

/// A list of sizes as a caller writes it: `dims!["n", 3]`, `[2, 3]`, a `Vec` or a shape.
#[derive(Debug, Clone, Default)]
pub struct Dims(pub(crate) Vec<Size>);

impl Dims {
    pub(crate) fn to_shape(&self) -> Result<Shape, ErrorKind> {
        self.0.iter().map(Size::to_dim).collect()
    }
}

impl<S: Into<Size>> FromIterator<S> for Dims {
    fn from_iter<I: IntoIterator<Item = S>>(sizes: I) -> Dims {
        Dims(sizes.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<Size>, const N: usize> From<[S; N]> for Dims {
    fn from(sizes: [S; N]) -> Dims {
        sizes.into_iter().collect()
    }
}

impl<S: Into<Size>> From<Vec<S>> for Dims {
    fn from(sizes: Vec<S>) -> Dims {
        sizes.into_iter().collect()
    }
}

impl<S: Into<Size> + Clone> From<&[S]> for Dims {
    fn from(sizes: &[S]) -> Dims {
        sizes.iter().cloned().collect()
    }
}

impl<S: Into<Size> + Clone, const N: usize> From<&[S; N]> for Dims {
    fn from(sizes: &[S; N]) -> Dims {
        sizes.iter().cloned().collect()
    }
}

impl<S: Into<Size> + Clone> From<&Vec<S>> for Dims {
    fn from(sizes: &Vec<S>) -> Dims {
        sizes.iter().cloned().collect()
    }
}

impl From<Shape> for Dims {
    fn from(shape: Shape) -> Dims {
        shape.iter().collect()
    }
}

impl From<&Shape> for Dims {
    fn from(shape: &Shape) -> Dims {
        shape.iter().collect()
    }
}

/// Sizes of mixed kinds: names, numbers and dimensions of expressions.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n", 3]);
/// let y = x.reshape(dims![x.dim(0), 3, 1]);
/// assert_eq!(y.shape().to_string(), "[n, 3, 1]");
/// ```
#[macro_export]
macro_rules! dims {
    ($($size:expr),* $(,)?) => {
        <$crate::Dims as ::core::iter::FromIterator<$crate::Size>>::from_iter(
            [$($crate::Size::from($size)),*] as [$crate::Size; $crate::dims!(@count $($size),*)]
        )
    };
    (@count) => { 0 };
    (@count $first:expr $(, $rest:expr)*) => { 1 + $crate::dims!(@count $($rest),*) };
}

/// One axis of a slice: an index, which drops the axis, or a range with a step.
/// Bounds clamp and count from the end when negative, as in NumPy. A [`Dim`] is
/// a length: it counts from the beginning, whatever it is in a run.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([3, -1, 2]);
/// let count = x.boolean_mask(x.gt(0)).dim(0);
/// assert_eq!(x.slice(..&count).eval::<i32>()?, tamis::ndarray::arr1(&[3, -1]).into_dyn());
/// assert_eq!(x.slice(..&count).dim(0), count); // a mask of x never counts more than x has
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    pub(crate) start: Option<Bound>,
    pub(crate) stop: Option<Bound>,
    pub(crate) step: i64,
    pub(crate) index: bool,
}

impl Slice {
    /// `start:stop:step` as NumPy writes it, with `None` for an open end.
    ///
    /// ```
    /// use tamis::prelude::*;
    /// use tamis::Slice;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// let reversed = x.slice([Slice::new(None, None, -1)]);
    /// assert_eq!(reversed.eval::<i32>()?, tamis::ndarray::arr1(&[3, 2, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn new(start: Option<i64>, stop: Option<i64>, step: i64) -> Slice {
        Slice { start: start.map(Bound::Int), stop: stop.map(Bound::Int), step, index: false }
    }

    /// The range from `start` to `stop`, each of them a number, the name of a dimension or a
    /// [`Dim`]. A text that is not the name of a dimension is an error of the op that slices.
    ///
    /// ```
    /// use tamis::prelude::*;
    /// use tamis::Slice;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let y = x.slice([Slice::span(1, "n")]);
    /// let plan = Plan::new([("y", y)])?;
    /// let out = plan.feed("x", &tamis::ndarray::array![1.0, 2.0, 3.0]).run()?;
    /// assert_eq!(out.view::<f64>("y")?, tamis::ndarray::array![2.0, 3.0].into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn span(start: impl Into<Size>, stop: impl Into<Size>) -> Slice {
        let [start, stop] = [start.into(), stop.into()].map(|size| Some(Bound::of(size)));
        Slice { start, stop, step: 1, index: false }
    }

    /// Whether this is an index, which drops its axis.
    pub(crate) fn is_index(&self) -> bool {
        self.index
    }

    /// The same range, taking every `step`-th element.
    pub fn by(self, step: i64) -> Slice {
        Slice { step, ..self }
    }
}

/// Where a slice starts or ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A number, which counts from the end if it is negative.
    Int(i64),
    /// A length, which counts from the beginning. Below 0 a bound is 0, and an index an error.
    Dim(Dim),
    /// The name of no dimension, which is an error of the op that slices.
    Misnamed(Arc<str>),
}

impl Bound {
    fn of(size: Size) -> Bound {
        match size {
            Size::Int(n) => Bound::Int(n),
            Size::Name(name) if is_name(&name) => Bound::Dim(Dim::from(Symbol::Named(name))),
            Size::Name(name) => Bound::Misnamed(name),
            Size::Dim(dim) => Bound::of_dim(dim),
        }
    }

    fn of_dim(dim: Dim) -> Bound {
        dim.known_int().map_or(Bound::Dim(dim), |n| Bound::Int(n.max(0)))
    }
}

macro_rules! slice_from_ranges {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Slice {
            fn from(index: $ty) -> Slice {
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                Slice { start: Some(Bound::Int(index)), stop: None, step: 1, index: true }
            }
        }

        impl From<Range<$ty>> for Slice {
            fn from(range: Range<$ty>) -> Slice {
                Slice::new(bound(range.start), bound(range.end), 1)
            }
        }

        impl From<RangeFrom<$ty>> for Slice {
            fn from(range: RangeFrom<$ty>) -> Slice {
                Slice::new(bound(range.start), None, 1)
            }
        }

        impl From<RangeTo<$ty>> for Slice {
            fn from(range: RangeTo<$ty>) -> Slice {
                Slice::new(None, bound(range.end), 1)
            }
        }

        impl From<RangeInclusive<$ty>> for Slice {
            fn from(range: RangeInclusive<$ty>) -> Slice {
                Slice::new(bound(*range.start()), after(bound(*range.end())), 1)
            }
        }

        impl From<RangeToInclusive<$ty>> for Slice {
            fn from(range: RangeToInclusive<$ty>) -> Slice {
                Slice::new(None, after(bound(range.end)), 1)
            }
        }
    )*};
}

slice_from_ranges!(i32, i64, usize);

macro_rules! slice_from_dims {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Slice {
            fn from(index: $ty) -> Slice {
                let start = Some(Bound::Dim(Dim::clone(&index)));
                Slice { start, stop: None, step: 1, index: true }
            }
        }

        impl From<Range<$ty>> for Slice {
            fn from(range: Range<$ty>) -> Slice {
                Slice::span(range.start, range.end)
            }
        }

        impl From<RangeFrom<$ty>> for Slice {
            fn from(range: RangeFrom<$ty>) -> Slice {
                Slice { stop: None, ..Slice::span(range.start, 0) }
            }
        }

        impl From<RangeTo<$ty>> for Slice {
            fn from(range: RangeTo<$ty>) -> Slice {
                Slice { start: None, ..Slice::span(0, range.end) }
            }
        }
    )*};
}

slice_from_dims!(Dim, &Dim);

impl From<&Slice> for Slice {
    fn from(slice: &Slice) -> Slice {
        slice.clone()
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Slice {
        Slice::new(None, None, 1)
    }
}

fn bound(value: impl TryInto<i64>) -> Option<i64> {
    Some(value.try_into().unwrap_or(i64::MAX))
}

/// The exclusive end for an inclusive one; after −1, the last element, there is none.
fn after(end: Option<i64>) -> Option<i64> {
    end.filter(|end| *end != -1).map(|end| end.saturating_add(1))
}

/// A list of slices, one per leading axis: a tuple, an array or a `Vec`.
#[derive(Debug, Clone)]
pub struct Slices(pub(crate) SmallVec<[Slice; 4]>);

impl<S: Into<Slice>, const N: usize> From<[S; N]> for Slices {
    fn from(slices: [S; N]) -> Slices {
        Slices(slices.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<Slice>> From<Vec<S>> for Slices {
    fn from(slices: Vec<S>) -> Slices {
        Slices(slices.into_iter().map(Into::into).collect())
    }
}

/// A single slice is of the first axis.
macro_rules! slices_from_one {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Slices {
            fn from(slice: $ty) -> Slices {
                Slices::from([Slice::from(slice)])
            }
        }
    )*};
}

slices_from_one!(Slice, &Slice, RangeFull, i32, i64, usize, Dim, &Dim);
slices_from_one!(Range<Dim>, Range<&Dim>, RangeFrom<Dim>, RangeFrom<&Dim>, RangeTo<Dim>, RangeTo<&Dim>);
slices_from_one!(Range<i32>, Range<i64>, Range<usize>, RangeFrom<i32>, RangeFrom<i64>, RangeFrom<usize>);
slices_from_one!(RangeTo<i32>, RangeTo<i64>, RangeTo<usize>, RangeInclusive<i32>, RangeInclusive<i64>);
slices_from_one!(
    RangeInclusive<usize>,
    RangeToInclusive<i32>,
    RangeToInclusive<i64>,
    RangeToInclusive<usize>
);

macro_rules! slices_from_tuples {
    ($(($($name:ident),+))*) => {$(
        impl<$($name: Into<Slice>),+> From<($($name,)+)> for Slices {
            #[allow(non_snake_case, reason = "the type parameters name the fields")]
            fn from(($($name,)+): ($($name,)+)) -> Slices {
                Slices([$($name.into()),+].into_iter().collect())
            }
        }
    )*};
}

slices_from_tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }
