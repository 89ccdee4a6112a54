//! Reductions by group, and one-hot rows, composed of primitives.

use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::op::index::to_indices;
use crate::operand::cast;
use crate::shape::{Shape, Size};

const CLASSES: &str = "classes are integers: write `.cast(DType::I64)` for the classes 0 and 1";

/// `n` rows of one value, shaped like the rows of `x`.
fn rows<'g>(x: Expr<'g>, n: &Size, value: Scalar) -> Result<Expr<'g>, ErrorKind> {
    let shape = x.shape();
    let Some((_, rest)) = shape.split_first() else {
        return Err(ErrorKind::Rank { shape, expected: "segments are made of at least one axis" });
    };
    let rows: Shape = [n.to_dim()?].iter().chain(rest).cloned().collect();
    x.graph().try_full(rows, value)
}

/// The ids, of which there must be one for each row of `x`.
fn of_rows<'g>(op: &'static str, x: Expr<'g>, ids: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
    let (left, right) = (x.shape(), ids.shape());
    let mismatch = || ErrorKind::ShapeMismatch {
        left: left.clone(),
        right: right.clone(),
        reason: "there must be one id for each row of the first",
    };
    if left.rank() > 0 && right.rank() != 1 {
        return Err(mismatch());
    }
    let ids = to_indices(ids, CLASSES)?;
    ids.unify_second(op, left.first().map(|rows| (0, rows.clone())), mismatch)
}

impl<'g> Expr<'g> {
    /// The sums of the rows of `self` with equal `ids`: row `i` of the `n` rows
    /// sums where `ids` is `i`. Ids need no order; a segment without rows is 0.
    /// Bools and integers sum in i64. Negative ids count from the end. Each row
    /// gets the gradient of its segment.
    ///
    /// # Errors
    /// Reported when the ids are not integers or not one per row. An id out of range is an error at
    /// run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0, 4.0]);
    /// let ids = graph.constant([2, 0, 2]);
    /// assert_eq!(x.segment_sum(ids, 3).eval::<f64>()?, tamis::ndarray::arr1(&[2.0, 0.0, 5.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("unsorted_segment_sum", "index_add", "bincount"))]
    #[track_caller]
    pub fn segment_sum(self, ids: Expr<'g>, n: impl Into<Size>) -> Expr<'g> {
        let n = n.into();
        self.build("segment_sum", &[ids], || {
            let (x, ids) = (cast(self, self.dtype().to_accumulator())?, of_rows("segment_sum", self, ids)?);
            Ok(rows(x, &n, Scalar::from_int(0, x.dtype()))?.scatter_add(ids, x, 0))
        })
    }

    /// The means of the rows of `self` with equal `ids`; NaN for a segment
    /// without rows. Bools and u8 give f32, other integers f64. Each row gets the
    /// gradient of its segment, divided by the segment's rows.
    ///
    /// # Errors
    /// As for [`Expr::segment_sum`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0, 4.0]);
    /// let ids = graph.constant([1, 0, 1]);
    /// assert_eq!(x.segment_mean(ids, 2).eval::<f64>()?, tamis::ndarray::arr1(&[2.0, 2.5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("unsorted_segment_mean"))]
    #[track_caller]
    pub fn segment_mean(self, ids: Expr<'g>, n: impl Into<Size>) -> Expr<'g> {
        let n = n.into();
        self.build("segment_mean", &[ids], || {
            let (x, ids) = (cast(self, self.dtype().to_float())?, of_rows("segment_mean", self, ids)?);
            let ones = self.graph().try_full(ids.shape(), Scalar::from_int(1, x.dtype()))?;
            let counts = rows(ones, &n, Scalar::from_int(0, x.dtype()))?.scatter_add(ids, ones, 0);
            let column: Shape =
                [counts.shape()[0].clone()].into_iter().chain(vec![Dim::ONE; x.rank() - 1]).collect();
            Ok(x.segment_sum(ids, n) / counts.reshape(column))
        })
    }

    /// The largest of the rows of `self` with equal `ids`, elementwise; the
    /// lowest value of the dtype (−inf for floats) for a segment without rows. NaN
    /// wins; ties share the gradient evenly.
    ///
    /// # Errors
    /// As for [`Expr::segment_sum`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0, 4.0]);
    /// let ids = graph.constant([1, 0, 1]);
    /// assert_eq!(x.segment_max(ids, 2).eval::<f64>()?, tamis::ndarray::arr1(&[2.0, 4.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("unsorted_segment_max"))]
    #[track_caller]
    pub fn segment_max(self, ids: Expr<'g>, n: impl Into<Size>) -> Expr<'g> {
        let n = n.into();
        self.build("segment_max", &[ids], || {
            let ids = of_rows("segment_max", self, ids)?;
            Ok(rows(self, &n, self.dtype().lowest())?.scatter_max(ids, self, 0))
        })
    }

    /// The smallest of the rows of `self` with equal `ids`, elementwise; the
    /// highest value of the dtype (+inf for floats) for a segment without rows. NaN
    /// wins; ties share the gradient evenly.
    ///
    /// # Errors
    /// As for [`Expr::segment_sum`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0, 4.0]);
    /// let ids = graph.constant([1, 0, 1]);
    /// assert_eq!(x.segment_min(ids, 2).eval::<f64>()?, tamis::ndarray::arr1(&[2.0, 1.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("unsorted_segment_min"))]
    #[track_caller]
    pub fn segment_min(self, ids: Expr<'g>, n: impl Into<Size>) -> Expr<'g> {
        let n = n.into();
        self.build("segment_min", &[ids], || {
            let ids = of_rows("segment_min", self, ids)?;
            Ok(rows(self, &n, self.dtype().highest())?.scatter_min(ids, self, 0))
        })
    }

    /// For every index a row of `n` elements, 1 at the index and 0 elsewhere:
    /// shape `self.shape + [n]`. Negative indices count from the end. No gradient.
    ///
    /// # Errors
    /// Reported when the indices are not integers. An index outside of `-n..n` is an error at run
    /// time, not a row of zeros.
    ///
    /// ```
    /// use tamis::{DType, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let classes = graph.constant([1, 0]);
    /// let rows = classes.one_hot(2, DType::U8);
    /// assert_eq!(rows.eval::<u8>()?, tamis::ndarray::arr2(&[[0, 1], [1, 0]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn one_hot(self, n: impl Into<Size>, dtype: DType) -> Expr<'g> {
        let n = n.into();
        self.build("one_hot", &[], || {
            // The gather checks the range and counts negative indices from the end.
            let classes = self.graph().iota(n.clone());
            let indices = to_indices(self, CLASSES)?;
            Ok(classes.gather(indices, 0).unsqueeze(-1).eq(classes).cast(dtype))
        })
    }
}
