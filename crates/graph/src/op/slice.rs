//! Builders of slices: ranges as callers write them, resolved into places.

use smallvec::SmallVec;

use super::layout::{Layout, SliceAxis};
use crate::dim::{Dim, DimError};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::shape::{Shape, Slice, Slices};

impl Slice {
    /// The elements taken from an axis of length `size`, clamped as in NumPy.
    fn resolve(self, size: &Dim, axis: usize, shape: &Shape) -> Result<SliceAxis, ErrorKind> {
        if self.index {
            return self.resolve_index(size, axis, shape);
        }
        if self.step == 0 || self.step == i64::MIN {
            return Err(ErrorKind::SliceStep);
        }
        // No length reaches this bound, and sums of lengths and bounds cannot overflow.
        const FAR: i64 = 1 << 61;
        let within = |bound: i64| bound.clamp(-FAR, FAR);
        let slice = Slice { start: self.start.map(within), stop: self.stop.map(within), ..self };
        slice.resolve_range(size)
    }

    fn resolve_range(self, size: &Dim) -> Result<SliceAxis, ErrorKind> {
        // Going backwards, the places between elements are one lower.
        let low = Dim::int(if self.step > 0 { 0 } else { -1 });
        let high = size.add(&low)?;
        let clamp = |bound: i64| -> Result<Dim, DimError> {
            if bound < 0 {
                // max(size + bound, low)
                size.add(&Dim::int(bound))?.sub(&low)?.at_least_zero()?.add(&low)
            } else {
                // min(bound, high)
                high.sub(&high.sub(&Dim::int(bound))?.at_least_zero()?)
            }
        };
        let (first, last) = if self.step > 0 { (&low, &high) } else { (&high, &low) };
        let start = self.start.map_or(Ok(first.clone()), clamp)?;
        let stop = self.stop.map_or(Ok(last.clone()), clamp)?;
        let (from, to) = if self.step > 0 { (&start, &stop) } else { (&stop, &start) };
        let distance = self.distance(from, to, size)?;
        Ok(SliceAxis { len: distance.ceil_div(self.step.abs())?, start, step: self.step })
    }

    /// `max(to − from, 0)`, which needs no maximum where the bounds are ordered
    /// whatever the length is: one is open, or both count from the same end.
    fn distance(self, from: &Dim, to: &Dim, size: &Dim) -> Result<Dim, DimError> {
        let ordered = match (self.start, self.stop) {
            (None, _) | (_, None) => true,
            (Some(a), Some(b)) => ((a < 0) == (b < 0)) && if self.step > 0 { a <= b } else { a >= b },
        };
        if let (Some(a), Some(b)) = (self.start, self.stop)
            && self.step > 0
            && a >= 0
            && b < 0
        {
            // size + b − a, if that is positive.
            return size.add(&Dim::int(b))?.sub(&Dim::int(a))?.at_least_zero();
        }
        let distance = to.sub(from)?;
        if ordered { Ok(distance) } else { distance.at_least_zero() }
    }

    fn resolve_index(self, size: &Dim, axis: usize, shape: &Shape) -> Result<SliceAxis, ErrorKind> {
        let index = self.start.unwrap_or(0);
        if let Some(n) = size.known_int()
            && !(-n..n).contains(&index)
        {
            return Err(ErrorKind::SliceIndex { index, axis, shape: shape.clone() });
        }
        let start = if index < 0 { size.add(&Dim::int(index))? } else { Dim::int(index) };
        Ok(SliceAxis { start, step: 1, len: Dim::ONE })
    }
}

impl<'g> Expr<'g> {
    /// Ranges and indices of the leading axes, as `x[1:, 0]` in NumPy: an index
    /// drops its axis, ranges clamp, negative bounds count from the end.
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
    /// assert_eq!(x.slice((.., 1..)).eval::<i32>()?, ndarray::arr2(&[[2, 3], [5, 6]]).into_dyn());
    /// assert_eq!(x.slice((-1, ..)).eval::<i32>()?, ndarray::arr1(&[4, 5, 6]).into_dyn());
    /// let backwards = x.slice((0, Slice::from(..).by(-1)));
    /// assert_eq!(backwards.eval::<i32>()?, ndarray::arr1(&[3, 2, 1]).into_dyn());
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
            let slice_of = |axis: usize| slices.0.get(axis).copied().unwrap_or(Slice::from(..));
            let axes = (0..shape.rank()).map(|axis| slice_of(axis).resolve(&shape[axis], axis, &shape));
            let axes = axes.collect::<Result<SmallVec<[SliceAxis; 4]>, _>>()?;
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
    /// let first = scores.slice_axis(-1, 0);
    /// assert_eq!(first.eval::<f64>()?, ndarray::arr1(&[0.9, 0.3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn slice_axis(self, axis: i64, slice: impl Into<Slice>) -> Expr<'g> {
        let slice = slice.into();
        self.build("slice_axis", &[], || {
            let axis = self.shape().axis(axis)?;
            let mut slices = vec![Slice::from(..); axis];
            slices.push(slice);
            Ok(self.slice(slices))
        })
    }
}
