//! Arrangements composed of primitives: flips, splits, borders and repetitions.

use super::{Layout, PadAxis};
use crate::axis::{Axes, Axis};
use crate::dim::Dim;
use crate::dtype::Scalar;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::op::select::where_;
use crate::operand::Operand;
use crate::shape::{Shape, Size, Slice};

impl<'g> Expr<'g> {
    /// The elements in reverse order along the given axes.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// assert_eq!(x.flip(1).eval::<i32>()?, tamis::ndarray::arr2(&[[2, 1], [4, 3]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reverse"))]
    #[track_caller]
    pub fn flip(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("flip", &[], || {
            let flipped = axes.resolve(&self.shape())?;
            let slice = |axis| Slice::from(..).by(if flipped.contains(&axis) { -1 } else { 1 });
            Ok(self.slice((0..self.rank()).map(slice).collect::<Vec<_>>()))
        })
    }

    /// Consecutive slices of the given lengths along `axis`, which together are the
    /// whole axis; lengths are numbers or dimensions.
    ///
    /// # Errors
    /// Reported when the axis is out of range or the lengths provably do not add up; lengths that
    /// are known only at run time and do not are an error of the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// let chunks = x.split([1, 2], 0);
    /// assert_eq!(chunks[1].eval::<i32>()?, tamis::ndarray::arr1(&[2, 3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn split(self, lengths: impl Into<crate::Dims>, axis: impl Into<Axis>) -> Vec<Expr<'g>> {
        let axis = axis.into();
        let lengths = lengths.into();
        let mut chunks = Vec::with_capacity(lengths.0.len());
        let checked = self.build("split", &[], || {
            let axis = self.shape().axis(axis)?;
            let lengths = lengths.to_shape()?;
            let total = Dim::sum(lengths.iter())?.limited(2 * lengths.rank())?;
            let checked = self.unify("split", [(axis, total)], || ErrorKind::ShapeMismatch {
                left: self.shape(),
                right: lengths.clone(),
                reason: "the parts must add up to the axis",
            })?;
            let mut start = Dim::ZERO;
            for length in lengths.iter() {
                let slices = checked
                    .shape()
                    .iter()
                    .enumerate()
                    .map(|(i, dim)| super::SliceAxis {
                        start: if i == axis { start.clone() } else { Dim::ZERO },
                        step: 1,
                        len: if i == axis { length.clone() } else { dim.clone() },
                    })
                    .collect();
                chunks.push(checked.apply(Layout::Slice(slices))?);
                start = start.add(length)?;
            }
            Ok(checked)
        });
        if checked.is_poisoned() { vec![checked; lengths.0.len()] } else { chunks }
    }

    /// A border of `value`: for every axis how many elements before and after. Keeps the dtype. The
    /// gradient of the tensor is the part inside the border, that of the value the sum over the
    /// border.
    ///
    /// # Errors
    /// Reported when there is not one pair per axis, a size is negative, or the value is not a
    /// scalar or does not fit the dtype.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.pad([(1, 2)], 0).eval::<i32>()?, tamis::ndarray::arr1(&[0, 1, 2, 0, 0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn pad<S: Into<Size>>(
        self,
        borders: impl IntoIterator<Item = (S, S)>,
        value: impl Into<Operand<'g>>,
    ) -> Expr<'g> {
        let borders: Vec<(Size, Size)> = borders.into_iter().map(|(a, b)| (a.into(), b.into())).collect();
        let value = value.into();
        let others: Vec<Expr<'g>> = value.expr().into_iter().collect();
        self.build("pad", &others, || {
            let shape = self.shape();
            if borders.len() != shape.rank() {
                return Err(ErrorKind::Rank { shape, expected: "one pair of sizes is given per axis" });
            }
            if let Some(value) = value.expr()
                && value.rank() > 0
            {
                return Err(ErrorKind::Rank { shape: value.shape(), expected: "the value is a scalar" });
            }
            let axes = borders.iter().zip(shape.iter()).map(|((before, after), dim)| {
                let start = before.to_dim()?;
                let size = start.add(dim)?.add(&after.to_dim()?)?;
                Ok(PadAxis { start, step: 1, size })
            });
            let axes = axes.collect::<Result<Vec<PadAxis>, ErrorKind>>()?;
            let inside = self.graph().try_full(shape, Scalar::Bool(true))?;
            let inside = inside.apply(Layout::Pad(axes.clone()))?;
            Ok(where_(inside, self.apply(Layout::Pad(axes))?, value.assigned_into(self)?))
        })
    }

    /// The tensor repeated: `counts[i]` times along axis `i`, NumPy's `tile`. With more counts
    /// than axes, axes are added in front.
    ///
    /// # Errors
    /// Reported when there are fewer counts than axes, a count is negative, or
    /// the size overflows.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.tile([2]).eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 1, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn tile(self, counts: impl Into<crate::Dims>) -> Expr<'g> {
        let counts = counts.into();
        self.build("tile", &[], || {
            let counts = counts.to_shape()?;
            let own = self.shape();
            let Some(added) = counts.rank().checked_sub(own.rank()) else {
                return Err(ErrorKind::Rank { shape: own, expected: "at least one count is given per axis" });
            };
            let own = own.splice(0..0, &vec![Dim::ONE; added]);
            let each = |before: bool| -> Shape {
                let pairs = counts.iter().zip(own.iter());
                pairs
                    .flat_map(|(count, dim)| [if before { Dim::ONE } else { count.clone() }, dim.clone()])
                    .collect()
            };
            let tiled = counts.iter().zip(own.iter()).map(|(count, dim)| count.mul(dim));
            let tiled = tiled.collect::<Result<Shape, _>>()?;
            let widened = self.apply(Layout::Reshape(each(true)))?.apply(Layout::BroadcastTo(each(false)))?;
            widened.apply(Layout::Reshape(tiled))
        })
    }

    /// Every element repeated `count` times along `axis`, the copies side by side, NumPy's
    /// `repeat`.
    ///
    /// # Errors
    /// Reported when the axis is out of range, the count is negative, or the
    /// size overflows.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.repeat(2, 0).eval::<i32>()?, tamis::ndarray::arr1(&[1, 1, 2, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("repeat_interleave"))]
    #[track_caller]
    pub fn repeat(self, count: impl Into<Size>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        let count = count.into();
        self.build("repeat", &[], || {
            let shape = self.shape();
            let axis = shape.axis(axis)?;
            let count = count.to_dim()?;
            let repeated = shape.with(axis, shape[axis].mul(&count)?);
            let column = shape.splice(axis + 1..axis + 1, &[Dim::ONE]);
            let widened = column.with(axis + 1, count);
            self.apply(Layout::Reshape(column))?
                .apply(Layout::BroadcastTo(widened))?
                .apply(Layout::Reshape(repeated))
        })
    }

    /// The lower triangle of each matrix of the last two axes: the elements up to
    /// `diagonal`, and 0 (false) above it.
    ///
    /// Diagonal 0 is the main one, positive ones lie above it, negative ones below; any number is
    /// accepted. Elements above the diagonal have no influence, even if they are NaN, and their
    /// gradient is exactly 0. Leading axes are batches.
    ///
    /// # Errors
    /// Reported when there are fewer than two axes.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.tril(0).eval::<i32>()?, tamis::ndarray::arr2(&[[1, 0, 0], [4, 5, 0]]).into_dyn());
    /// assert_eq!(x.tril(-1).eval::<i32>()?, tamis::ndarray::arr2(&[[0, 0, 0], [4, 0, 0]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("band_part"))]
    #[track_caller]
    pub fn tril(self, diagonal: i64) -> Expr<'g> {
        self.build("tril", &[], || triangle(self, |offset| offset.le(diagonal)))
    }

    /// The upper triangle of each matrix of the last two axes: the elements from
    /// `diagonal` on, and 0 (false) below it; otherwise as [`Expr::tril`].
    ///
    /// # Errors
    /// Reported when there are fewer than two axes.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.triu(0).eval::<i32>()?, tamis::ndarray::arr2(&[[1, 2, 3], [0, 5, 6]]).into_dyn());
    /// assert_eq!(x.triu(1).eval::<i32>()?, tamis::ndarray::arr2(&[[0, 2, 3], [0, 0, 6]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("band_part"))]
    #[track_caller]
    pub fn triu(self, diagonal: i64) -> Expr<'g> {
        self.build("triu", &[], || triangle(self, |offset| offset.ge(diagonal)))
    }

    /// The same tensor, once every element of `mask` was found true at run time.
    /// The gradient is the identity. The message may be empty.
    ///
    /// # Errors
    /// Reported when the mask is not bool. A false element is an error at run
    /// time with the message, its position and the line of this call.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, -1.0]);
    /// let error = x.assert_that(x.gt(0.0), "prices are positive").eval::<f64>().unwrap_err();
    /// assert!(error.to_string().contains("prices are positive"));
    /// ```
    #[doc(alias("Assert", "_assert"))]
    #[track_caller]
    pub fn assert_that(self, mask: Expr<'g>, message: &str) -> Expr<'g> {
        self.build("assert_that", &[mask], || {
            super::select::check_mask(mask)?;
            let op = Layout::Assert { message: message.into(), index: self.graph().len() };
            self.graph().try_apply(op, &[self, mask])
        })
    }
}

/// `x` where `keep` holds of the diagonal that an element lies on, and 0 elsewhere.
fn triangle<'g>(x: Expr<'g>, keep: impl FnOnce(Expr<'g>) -> Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
    let (graph, shape) = (x.graph(), x.shape());
    let Some(batches) = shape.rank().checked_sub(2) else {
        return Err(ErrorKind::Rank { shape, expected: "a triangle is taken of the last two axes" });
    };
    // 1s in front, so that the mask has the rank of what it is a mask of.
    let along = |axis: usize| {
        let ones = (0..shape.rank()).map(|_| Dim::ONE).collect::<Shape>();
        graph.iota(shape[axis].clone()).apply(Layout::Reshape(ones.with(axis, shape[axis].clone())))
    };
    let diagonal = along(batches + 1)? - along(batches)?;
    let zero = graph.try_full(Shape::default(), Scalar::from_int(0, x.dtype()))?;
    Ok(where_(keep(diagonal), x, zero))
}
