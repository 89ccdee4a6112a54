//! Softmax and log-softmax, plain and masked, composed of primitives.

use super::ReduceKind;
use super::masked::Masked;
use super::reduce::reduce;
use super::select::where_;
use crate::axis::{Axis, keep};
use crate::dtype::Scalar;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::cast;

/// The values that all forms of softmax and the cross-entropy share.
pub(crate) struct Shifted<'g> {
    /// The maximum over the axis, which is kept.
    pub(crate) max: Expr<'g>,
    /// `x` less the maximum.
    x: Expr<'g>,
    /// `e` to that, 0 where no element is selected.
    exp: Expr<'g>,
    /// The sum of `exp`, with the axis kept.
    pub(crate) sum: Expr<'g>,
    mask: Option<Expr<'g>>,
}

/// Subtracts the maximum, so that `exp` cannot overflow. It is a constant to
/// differentiation (it cancels), and 0 where it is −inf, since there −inf − −inf
/// would be NaN before anything was divided.
pub(crate) fn shifted<'g>(x: Expr<'g>, mask: Option<Expr<'g>>, axis: Axis) -> Result<Shifted<'g>, ErrorKind> {
    let x = cast(x, x.dtype().to_float())?;
    let axis = keep(axis);
    let initial = Some(Scalar::from_float(f64::NEG_INFINITY, x.dtype()));
    let max = match mask {
        Some(mask) => x.masked(mask).min_max(&axis, ReduceKind::Max, initial)?,
        None => reduce(&axis, &[x], ReduceKind::Max, initial)?,
    };
    let max = max.stop_gradient();
    let max = where_(max.eq(f64::NEG_INFINITY), 0.0, max);
    let x = x - max;
    let exp = match mask {
        Some(mask) => where_(mask, x.exp(), 0.0),
        None => x.exp(),
    };
    Ok(Shifted { max, x, exp, sum: exp.sum(axis), mask })
}

impl<'g> Shifted<'g> {
    fn softmax(self) -> Expr<'g> {
        let share = self.exp / self.sum;
        self.mask.map_or(share, |mask| where_(mask, share, 0.0))
    }

    fn log_softmax(self) -> Expr<'g> {
        let log = self.x - self.sum.ln();
        self.mask.map_or(log, |mask| where_(mask, log, f64::NEG_INFINITY))
    }
}

impl<'g> Expr<'g> {
    /// `eˣ / Σ eˣ` along `axis`, without overflow. Integers become floats. A row
    /// of −inf, or with +inf, gives NaN. The gradient is `y·(ḡ − Σ ḡ·y)`.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1000.0, 1000.0]);
    /// assert_eq!(x.softmax(0).eval::<f64>()?, tamis::ndarray::arr1(&[0.5, 0.5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(self, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("softmax", &[], || Ok(shifted(self, None, axis)?.softmax()))
    }

    /// `x − ln Σ eˣ` along `axis`: the logarithm of [`Expr::softmax`], exact
    /// where that would round to 0. The gradient is `ḡ − softmax(x)·Σ ḡ`.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([0.0, 1000.0]);
    /// assert_eq!(x.log_softmax(0).eval::<f64>()?, tamis::ndarray::arr1(&[-1000.0, 0.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn log_softmax(self, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("log_softmax", &[], || Ok(shifted(self, None, axis)?.log_softmax()))
    }
}

impl<'g> Masked<'g> {
    /// [`Expr::softmax`] over the selected elements along `axis`; 0 elsewhere, and a row of
    /// 0 with zero gradient where no element is selected.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, f64::NAN, 1.0]);
    /// let share = x.masked(!x.is_nan()).softmax(0);
    /// assert_eq!(share.eval::<f64>()?, tamis::ndarray::arr1(&[0.5, 0.0, 0.5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn softmax(self, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        let (x, mask) = self.operand_and_mask();
        self.build("softmax", &[], || Ok(shifted(x, Some(mask), axis)?.softmax()))
    }

    /// [`Expr::log_softmax`] over the selected elements along `axis`; −inf with
    /// zero gradient elsewhere.
    ///
    /// # Errors
    /// Reported when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[5.0, f64::NAN], [1.0, 2.0]]);
    /// let mask = graph.constant([[true, false], [false, false]]);
    /// let logs = x.masked(mask).log_softmax(1);
    /// let none = f64::NEG_INFINITY;
    /// assert_eq!(logs.eval::<f64>()?, tamis::ndarray::arr2(&[[0.0, none], [none, none]]).into_dyn());
    /// assert_eq!(grad(logs.exp().sum(..), x).eval::<f64>()?, tamis::ndarray::Array2::zeros([2, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn log_softmax(self, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        let (x, mask) = self.operand_and_mask();
        self.build("log_softmax", &[], || Ok(shifted(x, Some(mask), axis)?.log_softmax()))
    }
}
