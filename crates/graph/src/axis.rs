//! The ways in which callers write axes. Does not depend on nodes.

use std::ops::RangeFull;

use smallvec::SmallVec;

use crate::dim::Dim;
use crate::error::ErrorKind;
use crate::shape::Shape;

/// One axis of an expression, as a caller writes it: an integer of any type, counted from
/// the end if it is negative.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n", 3]);
/// assert_eq!(x.unsqueeze(-1).shape().to_string(), "[n, 3, 1]");
/// assert_eq!(x.unsqueeze(2_usize).shape().to_string(), "[n, 3, 1]");
/// assert_eq!(x.unsqueeze(2_u8).id(), x.unsqueeze(-1_i64).id());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Axis(i128);

impl Axis {
    /// The number that the caller wrote.
    pub(crate) fn number(self) -> i128 {
        self.0
    }
}

macro_rules! axis_from_integer {
    ($($ty:ty),*) => {$(
        impl From<$ty> for Axis {
            fn from(axis: $ty) -> Axis {
                Axis(axis as i128)
            }
        }
    )*};
}

axis_from_integer!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

/// A choice of axes: `..` for all, a number, or a list; negative ones count from the end.
/// Of a tensor of rank 0, which has no axes, 0 and −1 are accepted and mean its one element.
#[derive(Debug, Clone)]
pub struct Axes {
    pub(crate) list: Option<SmallVec<[Axis; 4]>>,
    pub(crate) keep: bool,
}

/// The same axes, kept in the result with length 1.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", [2, 3]);
/// assert_eq!(x.sum(keep(-1)).shape().to_string(), "[2, 1]");
/// ```
pub fn keep(axes: impl Into<Axes>) -> Axes {
    Axes { keep: true, ..axes.into() }
}

impl Axes {
    /// The axes of `shape` that are meant, in ascending order.
    pub(crate) fn resolve(&self, shape: &Shape) -> Result<SmallVec<[usize; 4]>, ErrorKind> {
        let Some(list) = &self.list else { return Ok((0..shape.rank()).collect()) };
        let axes = list.iter().map(|axis| shape.axis_or_element(*axis));
        let mut axes = axes.collect::<Result<SmallVec<[usize; 4]>, _>>()?;
        axes.sort_unstable();
        if axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(ErrorKind::RepeatedAxis { axes: self.numbers(), shape: shape.clone() });
        }
        axes.retain(|axis| *axis < shape.rank());
        Ok(axes)
    }

    /// The numbers that the caller wrote; none for `..`.
    pub(crate) fn numbers(&self) -> Vec<i128> {
        self.list.iter().flatten().map(|axis| axis.number()).collect()
    }

    /// `shape` after a reduction over these axes.
    pub(crate) fn reduced(&self, shape: &Shape) -> Result<Shape, ErrorKind> {
        let reduced = self.resolve(shape)?;
        let dims = shape.iter().enumerate().filter_map(|(axis, dim)| match reduced.contains(&axis) {
            false => Some(dim.clone()),
            true => self.keep.then_some(Dim::ONE),
        });
        Ok(dims.collect())
    }
}

impl From<RangeFull> for Axes {
    fn from(_: RangeFull) -> Axes {
        Axes { list: None, keep: false }
    }
}

impl<A: Into<Axis>> From<A> for Axes {
    fn from(axis: A) -> Axes {
        Axes::from([axis])
    }
}

impl<A: Into<Axis>, const N: usize> From<[A; N]> for Axes {
    fn from(axes: [A; N]) -> Axes {
        axes.into_iter().collect()
    }
}

impl<A: Into<Axis>> From<Vec<A>> for Axes {
    fn from(axes: Vec<A>) -> Axes {
        axes.into_iter().collect()
    }
}

impl<A: Into<Axis> + Copy> From<&[A]> for Axes {
    fn from(axes: &[A]) -> Axes {
        axes.iter().copied().collect()
    }
}

impl<A: Into<Axis> + Copy, const N: usize> From<&[A; N]> for Axes {
    fn from(axes: &[A; N]) -> Axes {
        axes.iter().copied().collect()
    }
}

impl<A: Into<Axis> + Copy> From<&Vec<A>> for Axes {
    fn from(axes: &Vec<A>) -> Axes {
        axes.iter().copied().collect()
    }
}

impl<A: Into<Axis>> FromIterator<A> for Axes {
    fn from_iter<I: IntoIterator<Item = A>>(axes: I) -> Axes {
        Axes { list: Some(axes.into_iter().map(Into::into).collect()), keep: false }
    }
}
