//! Variance, deviation, norm and log-sum-exp, plain and masked, composed of primitives.

use super::ReduceKind;
use super::masked::Masked;
use super::reduce::{reduce, reduced_size};
use super::select::where_;
use crate::axis::{Axes, keep};
use crate::dtype::Scalar;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::cast;

impl<'g> Expr<'g> {
    /// The variance over `axes`: the mean of the squared distances from the mean. Bools
    /// and u8 give f32, other integers f64; NaN of no elements. The gradient is `2·(x −
    /// mean) / n`.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 3.0]);
    /// assert_eq!(x.var(..).eval::<f64>()?, tamis::ndarray::arr0(1.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_variance"))]
    #[track_caller]
    pub fn var(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("var", &[], || Ok(self.var_ddof(0, axes)))
    }

    /// [`Expr::var`] with the sum divided by `n − ddof`: 1 for the unbiased
    /// estimate of a sample, or any number, as PyTorch's `correction`.
    ///
    /// The divisor is at least 0, as in NumPy and PyTorch: with `n ≤ ddof` the
    /// result is NaN where all elements are equal, and else inf.
    ///
    /// # Errors
    /// As for [`Expr::var`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 3.0]);
    /// assert_eq!(x.var_ddof(1, ..).eval::<f64>()?, tamis::ndarray::arr0(2.0).into_dyn());
    /// assert_eq!(x.var_ddof(1.5, ..).eval::<f64>()?, tamis::ndarray::arr0(4.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("correction"))]
    #[track_caller]
    pub fn var_ddof(self, ddof: impl Into<f64>, axes: impl Into<Axes>) -> Expr<'g> {
        let (axes, ddof) = (axes.into(), ddof.into());
        self.build("var_ddof", &[], || {
            let x = cast(self, self.dtype().to_float())?;
            let distance = x - x.mean(keep(axes.clone()));
            let count = cast(self.graph().try_size(&reduced_size(&self.shape(), &axes)?)?, x.dtype())?;
            Ok(distance.square().sum(axes) / freedom(count, ddof))
        })
    }

    /// The standard deviation over `axes`: the root of [`Expr::var`], with
    /// gradient 0 where it is 0.
    ///
    /// # Errors
    /// As for [`Expr::var`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 3.0]);
    /// assert_eq!(x.std(..).eval::<f64>()?, tamis::ndarray::arr0(1.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_std"))]
    #[track_caller]
    pub fn std(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("std", &[], || Ok(self.std_ddof(0, axes)))
    }

    /// [`Expr::std`] with `n − ddof` instead of `n`: the root of [`Expr::var_ddof`].
    ///
    /// # Errors
    /// As for [`Expr::var`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 5.0, 3.0]);
    /// assert_eq!(x.std_ddof(1, ..).eval::<f64>()?, tamis::ndarray::arr0(2.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("correction"))]
    #[track_caller]
    pub fn std_ddof(self, ddof: impl Into<f64>, axes: impl Into<Axes>) -> Expr<'g> {
        let (axes, ddof) = (axes.into(), ddof.into());
        self.build("std_ddof", &[], || Ok(root(self.var_ddof(ddof, axes))))
    }

    /// The Euclidean norm over `axes`: the root of the sum of squares, with
    /// gradient `x / norm`, and 0 at 0. Bools and u8 give f32, other integers f64.
    /// Squares that overflow give inf.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, 4.0]);
    /// assert_eq!(x.norm(..).eval::<f64>()?, tamis::ndarray::arr0(5.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("vector_norm"))]
    #[track_caller]
    pub fn norm(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("norm", &[], || {
            let x = cast(self, self.dtype().to_float())?;
            Ok(root(x.square().sum(axes)))
        })
    }

    /// `ln Σ eˣ` over `axes` without overflow; −inf of no elements. Integers become floats.
    /// The gradient is a softmax.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1000.0, f64::NEG_INFINITY]);
    /// assert_eq!(x.logsumexp(..).eval::<f64>()?, tamis::ndarray::arr0(1000.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("reduce_logsumexp"))]
    #[track_caller]
    pub fn logsumexp(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("logsumexp", &[], || logsumexp(self, None, &axes))
    }
}

/// What the sum of squares of `count` elements is divided by. At most `ddof`
/// elements have no freedom, not a negative one.
fn freedom(count: Expr<'_>, ddof: f64) -> Expr<'_> {
    if ddof == 0.0 { count } else { (count - ddof).maximum(0.0) }
}

/// The root of a sum of squares. Compared with 0 and not `> 0`, which would
/// hide a NaN.
fn root(squares: Expr<'_>) -> Expr<'_> {
    where_(squares.eq(0.0), 0.0, squares.sqrt())
}

/// The maximum is subtracted so that `exp` cannot overflow; it is a constant to
/// differentiation (it cancels), and 0 where it is infinite.
fn logsumexp<'g>(x: Expr<'g>, mask: Option<Expr<'g>>, axes: &Axes) -> Result<Expr<'g>, ErrorKind> {
    let x = cast(x, x.dtype().to_float())?;
    let kept = keep(axes.clone());
    let initial = Some(Scalar::from_float(f64::NEG_INFINITY, x.dtype()));
    let max = match mask {
        Some(mask) => x.masked(mask).min_max(&kept, ReduceKind::Max, initial)?,
        None => reduce(&kept, &[x], ReduceKind::Max, initial)?,
    };
    let max = where_(max.is_finite(), max, 0.0).stop_gradient();
    let exp = (x - max).exp();
    let exp = mask.map_or(exp, |mask| where_(mask, exp, 0.0));
    let sum = exp.sum(axes.clone());
    let log = sum.ln() + max.reshape(sum.shape());
    let Some(mask) = mask else { return Ok(log) };
    let any = mask.broadcast_to(x.shape()).any(axes.clone());
    Ok(where_(any, log, f64::NEG_INFINITY))
}

impl<'g> Masked<'g> {
    /// The variance of the selected elements over `axes`; NaN if none is selected. Bools and u8
    /// give f32, other integers f64.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::NAN, 3.0]);
    /// let var = x.masked(!x.is_nan()).var(..);
    /// assert_eq!(var.eval::<f64>()?, tamis::ndarray::arr0(1.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("nanvar"))]
    #[track_caller]
    pub fn var(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("var", &[], || Ok(self.var_ddof(0, axes)))
    }

    /// [`Masked::var`] with the sum divided by `count − ddof`, where `count` is
    /// the number of selected elements, as in [`Expr::var_ddof`].
    ///
    /// [`Masked::if_empty`] is for an empty selection; where too few elements are
    /// selected, the result is NaN where all are equal, and else inf.
    ///
    /// # Errors
    /// As for [`Masked::var`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1.0, f64::NAN, 3.0], [4.0, f64::NAN, f64::NAN]]);
    /// let var = x.masked(!x.is_nan()).var_ddof(1, 1).eval::<f64>()?;
    /// assert_eq!(var[[0]], 2.0);
    /// assert!(var[[1]].is_nan()); // one element has no freedom
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn var_ddof(self, ddof: impl Into<f64>, axes: impl Into<Axes>) -> Expr<'g> {
        let (axes, ddof) = (axes.into(), ddof.into());
        let (x, mask) = self.operand_and_mask();
        self.build("var_ddof", &[], || {
            let x = cast(x, x.dtype().to_float())?;
            let mean = x.masked(mask).mean(keep(axes.clone()));
            let squares = self.with_elements((x - mean).square());
            let count = cast(squares.full_mask()?.count_nonzero(axes.clone()), x.dtype())?;
            let sum = squares.without_policies().sum(axes.clone());
            self.unless_empty(sum / freedom(count, ddof), axes)
        })
    }

    /// The standard deviation of the selected elements over `axes`: the root of
    /// [`Masked::var`], with gradient 0 where it is 0.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::NAN, 3.0]);
    /// let std = x.masked(!x.is_nan()).std(..);
    /// assert_eq!(std.eval::<f64>()?, tamis::ndarray::arr0(1.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("nanstd"))]
    #[track_caller]
    pub fn std(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("std", &[], || Ok(self.std_ddof(0, axes)))
    }

    /// [`Masked::std`] with `count − ddof` instead of `count`: the root of
    /// [`Masked::var_ddof`].
    ///
    /// # Errors
    /// As for [`Masked::var`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::NAN, 5.0, 3.0]);
    /// let std = x.masked(!x.is_nan()).std_ddof(1, ..);
    /// assert_eq!(std.eval::<f64>()?, tamis::ndarray::arr0(2.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn std_ddof(self, ddof: impl Into<f64>, axes: impl Into<Axes>) -> Expr<'g> {
        let (axes, ddof) = (axes.into(), ddof.into());
        self.build("std_ddof", &[], || {
            let root = root(self.without_policies().var_ddof(ddof, axes.clone()));
            self.unless_empty(root, axes)
        })
    }

    /// The Euclidean norm of the selected elements over `axes`; 0 if none is selected, with
    /// gradient 0 at 0.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[3.0, 4.0], [9.0, 9.0]]);
    /// let norms = x.masked(x.lt(5.0)).norm(1);
    /// assert_eq!(norms.eval::<f64>()?, tamis::ndarray::arr1(&[5.0, 0.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn norm(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        let (x, mask) = self.operand_and_mask();
        self.build("norm", &[], || {
            let x = cast(x, x.dtype().to_float())?;
            Ok(root(x.masked(mask).with_elements(x.square()).sum(axes)))
        })
    }

    /// The product of the selected elements over `axes`; 1 if none is selected. Bools and integers
    /// in i64. The value of [`Masked::initial`] multiplies it.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([2, 0, 5]);
    /// assert_eq!(x.masked(x.ne(0)).prod(..).eval::<i64>()?, tamis::ndarray::arr0(10).into_dyn());
    /// assert_eq!(x.masked(x.gt(9)).prod(..).eval::<i64>()?, tamis::ndarray::arr0(1).into_dyn()); // of none
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn prod(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        let (x, mask) = self.operand_and_mask();
        self.build("prod", &[], || {
            let one = x.graph().try_full(crate::Shape::default(), Scalar::from_int(1, x.dtype()))?;
            self.with_initial(where_(mask, x, one).prod(axes), |product, initial| product * initial)
        })
    }

    /// `ln Σ eˣ` over the selected elements along `axes`; −inf with zero gradient if none is
    /// selected.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1000.0, f64::NAN], [1.0, 2.0]]);
    /// let mask = graph.constant([[true, false], [false, false]]);
    /// let sums = x.masked(mask).logsumexp(1);
    /// assert_eq!(sums.eval::<f64>()?, tamis::ndarray::arr1(&[1000.0, f64::NEG_INFINITY]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn logsumexp(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        let (x, mask) = self.operand_and_mask();
        self.build("logsumexp", &[], || logsumexp(x, Some(mask), &axes))
    }
}
