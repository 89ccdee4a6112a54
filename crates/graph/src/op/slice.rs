//! Builders of slices: ranges as callers write them, resolved into start, step and
//! length.

use super::layout::{Layout, SliceAxis};
use crate::axis::Axis;
use crate::dim::{Dim, DimError, Symbol};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::shape::{Bound, Shape, Slice, Slices};

impl Slice {
    /// The elements taken from an axis of length `size`, clamped as in NumPy.
    pub(super) fn resolve(&self, axis: usize, shape: &Shape, graph: &Graph) -> Result<SliceAxis, ErrorKind> {
        let size = &shape[axis];
        self.check_names()?;
        if self.index {
            return self.resolve_index(size, axis, shape);
        }
        if self.step == 0 || self.step == i64::MIN {
            return Err(ErrorKind::SliceStep);
        }
        let clamp = Clamp { size, backwards: self.step < 0, graph };
        // With a negative step, the limits of the bounds are one lower.
        let (low, high) = (clamp.low(), clamp.high()?);
        let (first, last) = if clamp.backwards { (&high, &low) } else { (&low, &high) };
        let start = self.start.as_ref().map_or(Ok(first.clone()), |bound| clamp.bound(bound))?;
        let stop = self.stop.as_ref().map_or(Ok(last.clone()), |bound| clamp.bound(bound))?;
        let (from, to) = if clamp.backwards { (&stop, &start) } else { (&start, &stop) };
        let distance = self.distance(from, to, size)?;
        Ok(SliceAxis { len: distance.ceil_div(self.step.abs())?, start, step: self.step })
    }

    fn check_names(&self) -> Result<(), ErrorKind> {
        let misnamed = [&self.start, &self.stop].into_iter().find_map(|bound| match bound {
            Some(Bound::Misnamed(name)) => Some(name.to_string()),
            Some(Bound::Int(_) | Bound::Dim(_)) | None => None,
        });
        misnamed.map_or(Ok(()), |name| Err(ErrorKind::DimensionName { name }))
    }

    /// `max(to − from, 0)`, which needs no maximum where the bounds are ordered
    /// whatever the length is: one is open, or both count from the same end.
    fn distance(&self, from: &Dim, to: &Dim, size: &Dim) -> Result<Dim, DimError> {
        let ordered = match (&self.start, &self.stop) {
            (None, _) | (_, None) => true,
            (Some(Bound::Int(a)), Some(Bound::Int(b))) => {
                ((*a < 0) == (*b < 0)) && if self.step > 0 { a <= b } else { a >= b }
            }
            (Some(_), Some(_)) => {
                let (low, high) =
                    if self.step > 0 { (&self.start, &self.stop) } else { (&self.stop, &self.start) };
                let length = |bound: &Option<Bound>| match bound {
                    Some(Bound::Int(n)) if *n >= 0 => Some(Dim::int(within(*n))),
                    Some(Bound::Dim(dim)) => Some(dim.clone()),
                    Some(Bound::Int(_) | Bound::Misnamed(_)) | None => None,
                };
                match (length(low), length(high)) {
                    (Some(low), Some(high)) => high.sub(&low)?.is_never_negative(),
                    (None, _) | (_, None) => false,
                }
            }
        };
        if let (Some(Bound::Int(a)), Some(Bound::Int(b))) = (&self.start, &self.stop)
            && self.step > 0
            && *a >= 0
            && *b < 0
        {
            // size + b − a, if that is positive.
            return size.add(&Dim::int(within(*b)))?.sub(&Dim::int(within(*a)))?.at_least_zero();
        }
        let distance = to.sub(from)?;
        if ordered { Ok(distance) } else { distance.at_least_zero() }
    }

    fn resolve_index(&self, size: &Dim, axis: usize, shape: &Shape) -> Result<SliceAxis, ErrorKind> {
        // A length counts from the beginning, a number from either end.
        let (index, from_end) = match &self.start {
            Some(Bound::Dim(start)) => match start.known_int() {
                Some(index) => (index, false),
                None => return Ok(SliceAxis { start: start.clone(), step: 1, len: Dim::ONE }),
            },
            Some(Bound::Int(index)) => (*index, true),
            Some(Bound::Misnamed(_)) => unreachable!("names are checked before"),
            None => (0, true),
        };
        let is_outside = |n: i64| !(if from_end { -n } else { 0 }..n).contains(&index);
        if size.known_int().is_some_and(is_outside) || (index < 0 && !from_end) {
            return Err(ErrorKind::SliceIndex { index, axis, shape: shape.clone() });
        }
        let start = if index < 0 { size.add(&Dim::int(index))? } else { Dim::int(index) };
        Ok(SliceAxis { start, step: 1, len: Dim::ONE })
    }
}

/// No length reaches this bound, and sums of lengths and bounds cannot overflow.
const FAR: i64 = 1 << 61;

fn within(bound: i64) -> i64 {
    bound.clamp(-FAR, FAR)
}

/// How bounds are clamped to an axis.
struct Clamp<'a> {
    size: &'a Dim,
    backwards: bool,
    graph: &'a Graph,
}

impl Clamp<'_> {
    fn low(&self) -> Dim {
        Dim::int(if self.backwards { -1 } else { 0 })
    }

    fn high(&self) -> Result<Dim, DimError> {
        self.size.add(&self.low())
    }

    fn bound(&self, bound: &Bound) -> Result<Dim, DimError> {
        match bound {
            Bound::Int(bound) if *bound < 0 => {
                // max(size + bound, low)
                let low = self.low();
                self.size.add(&Dim::int(within(*bound)))?.sub(&low)?.at_least_zero()?.add(&low)
            }
            Bound::Int(bound) => self.at_most_high(&Dim::int(within(*bound))),
            Bound::Dim(dim) => self.at_most_high(&dim.at_least_zero()?),
            Bound::Misnamed(_) => unreachable!("names are checked before"),
        }
    }

    /// `min(bound, high)`, which is the bound if that never exceeds it.
    fn at_most_high(&self, bound: &Dim) -> Result<Dim, DimError> {
        let high = self.high()?;
        let slack = high.sub(bound)?;
        if slack.is_never_negative() || high.sub(&self.most(bound)?)?.is_never_negative() {
            return Ok(bound.clone());
        }
        high.sub(&slack.at_least_zero()?)
    }

    /// A length that `bound` does not exceed: each count taken as the size of its mask.
    fn most(&self, bound: &Dim) -> Result<Dim, DimError> {
        if !bound.is_never_negative() {
            return Ok(bound.clone());
        }
        bound.substitute(&|symbol| match symbol {
            Symbol::Count(mask) if self.graph.owns(*mask) => self.graph.node(*mask).shape.size().ok(),
            Symbol::Count(_) | Symbol::Named(_) | Symbol::Opaque(_) => None,
        })
    }
}

impl<'g> Expr<'g> {
    /// Ranges and indices of the leading axes, as `x[1:, 0]` in NumPy: an index
    /// drops its axis, ranges clamp, negative bounds count from the end. Bounds
    /// may be [`Dim`]s, as in `x.slice(..&count)`; they count from the beginning.
    ///
    /// # Errors
    /// Reported when there are more slices than axes, a step is 0, or an index
    /// is out of range; on an axis of unknown length the last is a run-time error.
    ///
    /// ```
    /// use tamis::prelude::*;
    /// use tamis::Slice;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.slice((.., 1..)).eval::<i32>()?, tamis::ndarray::arr2(&[[2, 3], [5, 6]]).into_dyn());
    /// assert_eq!(x.slice((-1, ..)).eval::<i32>()?, tamis::ndarray::arr1(&[4, 5, 6]).into_dyn());
    /// let backwards = x.slice((0, Slice::from(..).by(-1)));
    /// assert_eq!(backwards.eval::<i32>()?, tamis::ndarray::arr1(&[3, 2, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(self, slices: impl Into<Slices>) -> Expr<'g> {
        let slices = slices.into();
        self.build("slice", &[], || {
            let shape = self.shape();
            if slices.0.len() > shape.rank() {
                return Err(ErrorKind::SliceCount { count: slices.0.len(), shape });
            }
            let whole = Slice::from(..);
            let slice_of = |axis: usize| slices.0.get(axis).unwrap_or(&whole);
            let axes = (0..shape.rank()).map(|axis| slice_of(axis).resolve(axis, &shape, self.graph()));
            let axes = axes.collect::<Result<Vec<SliceAxis>, _>>()?;
            let kept = axes.iter().enumerate().filter(|(axis, _)| !slice_of(*axis).index);
            let kept = kept.map(|(_, axis)| axis.len.clone()).collect();
            self.apply(Layout::Slice(axes))?.apply(Layout::Reshape(kept))
        })
    }

    /// A range or an index of one axis; see [`Expr::slice`].
    ///
    /// # Errors
    /// As for [`Expr::slice`], and when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let scores = graph.constant([[0.9, 1.0], [0.3, 2.0]]);
    /// let first = scores.slice_axis(0, -1);
    /// assert_eq!(first.eval::<f64>()?, tamis::ndarray::arr1(&[0.9, 0.3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("narrow", "select"))]
    #[track_caller]
    pub fn slice_axis(self, slice: impl Into<Slice>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        let slice = slice.into();
        self.build("slice_axis", &[], || {
            let axis = self.shape().axis(axis)?;
            let mut slices = vec![Slice::from(..); axis];
            slices.push(slice);
            Ok(self.slice(slices))
        })
    }
}
