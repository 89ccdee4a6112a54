//! Reductions and softmax of the elements that a mask selects.

use super::Reduce;
use super::reduce::reduce;
use super::select::where_;
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::cast;
use crate::shape::{Axes, Shape};

/// A tensor of which only the elements under a mask take part; from [`Expr::masked`].
///
/// What is not selected never reaches a result or a gradient, even where it is NaN.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, f64::NAN, 3.0]);
/// let mean = x.masked(!x.is_nan()).mean(..);
/// assert_eq!(mean.eval::<f64>()?, ndarray::arr0(2.0).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a masked tensor is there to be reduced"]
pub struct Masked<'g> {
    x: Expr<'g>,
    /// With the rank of `x`.
    mask: Expr<'g>,
}

impl<'g> Expr<'g> {
    /// Only the elements at which `mask` is true, for reductions and softmax.
    ///
    /// `mask` aligns with the leading axes; with the rank of `self` it may have
    /// 1s that broadcast.
    ///
    /// # Errors
    /// Reported when the mask is not bool or does not align.
    #[track_caller]
    pub fn masked(self, mask: Expr<'g>) -> Masked<'g> {
        Masked { x: self, mask: self.build("masked", &[mask], || Ok(mask.expand_mask(self))) }
    }
}

impl<'g> Masked<'g> {
    #[track_caller]
    fn build(self, op: &'static str, f: impl FnOnce() -> Result<Expr<'g>, ErrorKind>) -> Expr<'g> {
        self.x.build(op, &[self.mask], f)
    }

    fn full_mask(self) -> Result<Expr<'g>, ErrorKind> {
        self.mask.apply(super::Layout::BroadcastTo(self.x.shape()))
    }

    fn selected_or(self, fill: Scalar) -> Result<Expr<'g>, ErrorKind> {
        let fill = self.x.graph().try_full(Shape::default(), fill.cast(self.x.dtype()))?;
        Ok(where_(self.mask, self.x, fill))
    }

    /// The sum of the selected elements over `axes`; 0 of none. Bools and
    /// integers sum in i64.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// assert_eq!(x.masked(x.gt(0)).sum(..).eval::<i64>()?, ndarray::arr0(5).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn sum(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("sum", || Ok(self.selected_or(Scalar::I64(0))?.sum(axes)))
    }

    /// The mean of the selected elements over `axes`; NaN of none. Bools and u8
    /// give f32, other integers f64.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1.0, 5.0], [3.0, 7.0]]);
    /// let rows = graph.constant([false, true]);
    /// assert_eq!(x.masked(rows).mean(..).eval::<f64>()?, ndarray::arr0(5.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn mean(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("mean", || {
            let dtype = self.x.dtype().to_float();
            let sum = cast(self.selected_or(Scalar::I64(0))?, dtype)?.sum(axes.clone());
            let count = self.full_mask()?.count_nonzero(axes);
            Ok(sum / cast(count, dtype)?)
        })
    }

    /// The largest selected element over `axes`; NaN if a selected one is.
    /// Selected ties share the gradient evenly.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. The maximum of nothing
    /// is an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, 9.0, 2.0]);
    /// let mask = graph.constant([true, false, true]);
    /// assert_eq!(x.masked(mask).max(..).eval::<f64>()?, ndarray::arr0(3.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn max(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("max", || {
            if self.x.dtype() == DType::Bool {
                return Ok(self.any(axes));
            }
            self.extreme(&axes, |axes| Reduce::Max { axes, initial: None })
        })
    }

    /// The smallest selected element over `axes`; NaN if a selected one is.
    /// Selected ties share the gradient evenly.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. The minimum of nothing
    /// is an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, 0.0, 2.0]);
    /// let mask = graph.constant([true, false, true]);
    /// assert_eq!(x.masked(mask).min(..).eval::<f64>()?, ndarray::arr0(2.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn min(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("min", || {
            if self.x.dtype() == DType::Bool {
                return Ok(self.all(axes));
            }
            self.extreme(&axes, |axes| Reduce::Min { axes, initial: None })
        })
    }

    pub(crate) fn extreme(
        self,
        axes: &Axes,
        op: impl FnOnce(super::AxisList) -> Reduce,
    ) -> Result<Expr<'g>, ErrorKind> {
        reduce(axes, &[self.x, self.full_mask()?], op)
    }

    /// Whether any selected element over `axes` is true (for numbers: not 0);
    /// false of none.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    #[track_caller]
    pub fn any(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("any", || Ok((self.x.truth() & self.mask).any(axes)))
    }

    /// Whether all selected elements over `axes` are true (for numbers: not 0);
    /// true of none.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    #[track_caller]
    pub fn all(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("all", || Ok((self.x.truth() | !self.mask).all(axes)))
    }

    /// How many selected elements over `axes` are true (for numbers: not 0), as i64.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    #[track_caller]
    pub fn count_nonzero(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("count_nonzero", || Ok((self.x.truth() & self.mask).count_nonzero(axes)))
    }

    pub(crate) fn parts(self) -> (Expr<'g>, Expr<'g>) {
        (self.x, self.mask)
    }
}
