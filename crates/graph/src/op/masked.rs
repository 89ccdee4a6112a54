//! Reductions and softmax of the elements that a mask selects.

use super::mask::check_leading;
use super::reduce::reduce;
use super::select::where_;
use super::{ReduceKind, Source};
use crate::axis::Axes;
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::{Operand, cast};
use crate::shape::Shape;

/// The ops that take [`Masked::if_empty`]: those that have no value of an empty
/// selection, or none that is a number.
const TAKE_IF_EMPTY: &[&str] =
    &["mean", "var", "var_ddof", "std", "std_ddof", "max", "min", "argmax", "argmin", "sort"];

/// The ops that take [`Masked::initial`]: those that accumulate elements of one dtype.
const TAKE_INITIAL: &[&str] = &["sum", "prod", "max", "min"];

/// A tensor of which only the elements under a mask are used; from [`Expr::masked`].
///
/// What is not selected never reaches a result or a gradient, even where it is NaN.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, f64::NAN, 3.0]);
/// let mean = x.masked(!x.is_nan()).mean(..);
/// assert_eq!(mean.eval::<f64>()?, tamis::ndarray::arr0(2.0).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a masked tensor is there to be reduced"]
pub struct Masked<'g> {
    x: Expr<'g>,
    /// With the rank of `x`.
    mask: Expr<'g>,
    if_empty: Option<Operand<'g>>,
    initial: Option<Operand<'g>>,
}

impl<'g> Expr<'g> {
    /// Only the elements at which `mask` is true, for reductions and softmax.
    ///
    /// `mask` aligns with the leading axes, and its 1s broadcast. NumPy's `where=`
    /// and PyTorch's masked tensors take the trailing axes: a mask that matches
    /// them as well is an error that names both readings. The full rank,
    /// `mask.expand_mask(x)` or `mask.unsqueeze(0)`, always says which is meant.
    ///
    /// # Errors
    /// Reported when the mask is not bool, does not align, or matches the trailing
    /// axes as well as the leading ones.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1.0, 2.0, 3.0], [f64::NAN, 5.0, 6.0]]);
    /// let rows = graph.constant([true, false]); // aligns with the leading axis
    /// assert_eq!(x.masked(rows).sum(0).eval::<f64>()?, tamis::ndarray::arr1(&[1.0, 2.0, 3.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("masked_tensor", "MaskedArray"))]
    #[track_caller]
    pub fn masked(self, mask: Expr<'g>) -> Masked<'g> {
        let mask = self.build("masked", &[mask], || {
            check_leading(mask, self, |readings, remedy| readings.take_leading_alone(remedy))?;
            Ok(mask.expand_mask(self))
        });
        Masked { x: self, mask, if_empty: None, initial: None }
    }
}

impl<'g> Masked<'g> {
    /// The value of a `mean`, `var`, `std`, `max`, `min`, `argmax` or `argmin` of an empty
    /// selection, instead of NaN or a run-time error; in a `sort`, of the remaining positions at
    /// the end. Of `max` and `min` of an empty selection it is the result even where
    /// [`Masked::initial`] is given too.
    ///
    /// # Errors
    /// Reported by any other op, since its result would not depend on the value, and
    /// when the value is not a scalar or does not fit into the dtype of the result.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0]);
    /// let none = x.masked(x.gt(5.0)).if_empty(0.0);
    /// assert_eq!(none.mean(..).eval::<f64>()?, tamis::ndarray::arr0(0.0).into_dyn());
    /// assert_eq!(none.initial(9.0).max(..).eval::<f64>()?, tamis::ndarray::arr0(0.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("divide_no_nan"))]
    pub fn if_empty(self, value: impl Into<Operand<'g>>) -> Masked<'g> {
        Masked { if_empty: Some(value.into()), ..self }
    }

    /// A Rust scalar that always takes part in `max`, `min`, `sum` and `prod`; of an
    /// empty selection it is the result, unless [`Masked::if_empty`] gives another. It must
    /// fit into the dtype of the result: of f32, a finite scalar that would become infinite
    /// does not.
    ///
    /// # Errors
    /// Reported by any other op, since its result would not depend on the value,
    /// and when the value is an expression or does not fit into the dtype.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0]);
    /// let largest = x.masked(x.lt(2.0)).initial(1.5).max(..);
    /// assert_eq!(largest.eval::<f64>()?, tamis::ndarray::arr0(1.5).into_dyn());
    /// let sum = x.masked(x.gt(1.0)).initial(10.0).sum(..);
    /// assert_eq!(sum.eval::<f64>()?, tamis::ndarray::arr0(12.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn initial(self, value: impl Into<Operand<'g>>) -> Masked<'g> {
        Masked { initial: Some(value.into()), ..self }
    }

    pub(crate) fn has_value_if_empty(self) -> bool {
        self.if_empty.is_some()
    }

    /// The same mask, without a policy for empty selections.
    pub(crate) fn without_policies(self) -> Masked<'g> {
        Masked { if_empty: None, initial: None, ..self }
    }

    /// The fill of the positions that are left over, in the dtype of `x`: 0 without a
    /// policy.
    pub(crate) fn fill(self, x: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
        let fill = self.if_empty.unwrap_or(Operand::Bool(false)).assigned_into(x)?;
        if fill.rank() > 0 {
            return Err(ErrorKind::Rank {
                shape: fill.shape(),
                expected: "the value for an empty selection is a scalar",
            });
        }
        Ok(fill)
    }

    /// `reduced`, or the value of the policy where the selection is empty.
    pub(crate) fn unless_empty(self, reduced: Expr<'g>, axes: Axes) -> Result<Expr<'g>, ErrorKind> {
        let Some(value) = self.if_empty else { return Ok(reduced) };
        if let Some(value) = value.expr()
            && value.rank() > 0
        {
            return Err(ErrorKind::Rank {
                shape: value.shape(),
                expected: "the value for an empty selection is a scalar",
            });
        }
        let any = self.full_mask()?.any(axes);
        Ok(where_(any, reduced, value.assigned_into(reduced)?))
    }

    /// The call `op` of the user's: every op of a masked tensor is built here.
    #[track_caller]
    pub(crate) fn build(
        self,
        op: &'static str,
        others: &[Expr<'g>],
        f: impl FnOnce() -> Result<Expr<'g>, ErrorKind>,
    ) -> Expr<'g> {
        let others: Vec<Expr<'g>> = [self.mask].iter().chain(others).copied().collect();
        self.x.build(op, &others, || {
            self.check_policies(op)?;
            f()
        })
    }

    /// That `op` takes what was said of empty selections, which would otherwise
    /// be lost without a word.
    pub(crate) fn check_policies(self, op: &'static str) -> Result<(), ErrorKind> {
        let refused = |policy, takers: &'static [&'static str]| Err(ErrorKind::Policy { policy, takers });
        if self.if_empty.is_some() && !TAKE_IF_EMPTY.contains(&op) {
            return refused("if_empty", TAKE_IF_EMPTY);
        }
        if self.initial.is_some() && !TAKE_INITIAL.contains(&op) {
            return refused("initial", TAKE_INITIAL);
        }
        Ok(())
    }

    /// `reduced` and the initial value together, if there is one.
    pub(crate) fn with_initial(
        self,
        reduced: Expr<'g>,
        combine: impl FnOnce(Expr<'g>, Expr<'g>) -> Expr<'g>,
    ) -> Result<Expr<'g>, ErrorKind> {
        let Some(initial) = self.initial else { return Ok(reduced) };
        let initial = initial.to_scalar(reduced.dtype())?;
        let initial = reduced.graph().try_apply(Source::Scalar(initial), &[])?;
        Ok(combine(reduced, initial))
    }

    pub(crate) fn full_mask(self) -> Result<Expr<'g>, ErrorKind> {
        self.mask.apply(super::Layout::BroadcastTo(self.x.shape()))
    }

    pub(crate) fn selected_or(self, fill: Scalar) -> Result<Expr<'g>, ErrorKind> {
        let fill = self.x.graph().try_full(Shape::default(), fill.cast(self.x.dtype()))?;
        Ok(where_(self.mask, self.x, fill))
    }

    /// The sum of the selected elements over `axes`; 0 if none is selected. Bools and integers sum
    /// in i64. The value of [`Masked::initial`] is added to it.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// assert_eq!(x.masked(x.gt(0)).sum(..).eval::<i64>()?, tamis::ndarray::arr0(5).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("nansum"))]
    #[track_caller]
    pub fn sum(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("sum", &[], || {
            let sum = self.selected_or(Scalar::I64(0))?.sum(axes);
            self.with_initial(sum, |sum, initial| sum + initial)
        })
    }

    /// The mean of the selected elements over `axes`; NaN if none is selected. Bools and u8 give
    /// f32, other integers f64.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1.0], [5.0]]);
    /// let rows = graph.constant([false, true]);
    /// assert_eq!(x.masked(rows).mean(..).eval::<f64>()?, tamis::ndarray::arr0(5.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("nanmean"))]
    #[track_caller]
    pub fn mean(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("mean", &[], || {
            let dtype = self.x.dtype().to_float();
            let sum = cast(self.selected_or(Scalar::I64(0))?, dtype)?.sum(axes.clone());
            let count = self.full_mask()?.count_nonzero(axes.clone());
            self.unless_empty(sum / cast(count, dtype)?, axes)
        })
    }

    /// The largest selected element over `axes`; NaN if a selected one is.
    /// Selected ties share the gradient evenly.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. The maximum of no elements is an
    /// error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, 9.0, 2.0]);
    /// let mask = graph.constant([true, false, true]);
    /// assert_eq!(x.masked(mask).max(..).eval::<f64>()?, tamis::ndarray::arr0(3.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("amax", "nanmax"))]
    #[track_caller]
    pub fn max(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("max", &[], || {
            if self.x.dtype() == DType::Bool {
                return self.min_max_bool(self.without_policies().any(axes.clone()), axes, |a, b| a | b);
            }
            self.min_max_or(axes, self.x.dtype().lowest(), ReduceKind::Max)
        })
    }

    /// The smallest selected element over `axes`; NaN if a selected one is.
    /// Selected ties share the gradient evenly.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated. The minimum of no elements is an
    /// error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, 0.0, 2.0]);
    /// let mask = graph.constant([true, false, true]);
    /// assert_eq!(x.masked(mask).min(..).eval::<f64>()?, tamis::ndarray::arr0(2.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("amin", "nanmin"))]
    #[track_caller]
    pub fn min(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("min", &[], || {
            if self.x.dtype() == DType::Bool {
                return self.min_max_bool(self.without_policies().all(axes.clone()), axes, |a, b| a & b);
            }
            self.min_max_or(axes, self.x.dtype().highest(), ReduceKind::Min)
        })
    }

    /// The maximum or minimum under the policies: with a value for empty selections, an
    /// empty selection is no error, and `neutral` stands in until that value replaces
    /// it.
    fn min_max_or(self, axes: Axes, neutral: Scalar, kind: ReduceKind) -> Result<Expr<'g>, ErrorKind> {
        let given = self.initial.map(|value| value.to_scalar(self.x.dtype())).transpose()?;
        let initial = given.or(self.if_empty.map(|_| neutral));
        let min_max = self.min_max(&axes, kind, initial)?;
        self.unless_empty(min_max, axes)
    }

    /// The maximum or minimum of bools, which is `any` or `all`, under the policies.
    fn min_max_bool(
        self,
        reduced: Expr<'g>,
        axes: Axes,
        combine: impl FnOnce(Expr<'g>, Expr<'g>) -> Expr<'g>,
    ) -> Result<Expr<'g>, ErrorKind> {
        self.unless_empty(self.with_initial(reduced, combine)?, axes)
    }

    pub(crate) fn min_max(
        self,
        axes: &Axes,
        kind: ReduceKind,
        initial: Option<Scalar>,
    ) -> Result<Expr<'g>, ErrorKind> {
        reduce(axes, &[self.x, self.full_mask()?], kind, initial)
    }

    /// Whether any selected element over `axes` is true (for numbers: not 0); false if none is
    /// selected.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 0, 5]);
    /// let mask = graph.constant([false, true, false]);
    /// assert_eq!(x.masked(mask).any(..).eval::<bool>()?, tamis::ndarray::arr0(false).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn any(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("any", &[], || Ok((self.x.truth() & self.mask).any(axes)))
    }

    /// Whether all selected elements over `axes` are true (for numbers: not 0); true if none is
    /// selected.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 0, 5]);
    /// assert_eq!(x.masked(x.gt(0)).all(..).eval::<bool>()?, tamis::ndarray::arr0(true).into_dyn());
    /// assert_eq!(x.masked(x.gt(9)).all(..).eval::<bool>()?, tamis::ndarray::arr0(true).into_dyn()); // of none
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn all(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("all", &[], || Ok((self.x.truth() | !self.mask).all(axes)))
    }

    /// How many selected elements over `axes` are true (for numbers: not 0), as i64.
    ///
    /// # Errors
    /// Reported when an axis is out of range or repeated.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 0], [2, 3]]);
    /// let mask = graph.constant([[true, true], [false, true]]);
    /// assert_eq!(x.masked(mask).count_nonzero(1).eval::<i64>()?, tamis::ndarray::arr1(&[1, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn count_nonzero(self, axes: impl Into<Axes>) -> Expr<'g> {
        let axes = axes.into();
        self.build("count_nonzero", &[], || Ok((self.x.truth() & self.mask).count_nonzero(axes)))
    }

    /// The same mask over other elements of the same shape.
    pub(crate) fn with_elements(self, x: Expr<'g>) -> Masked<'g> {
        Masked { x, ..self }
    }

    pub(crate) fn operand_and_mask(self) -> (Expr<'g>, Expr<'g>) {
        (self.x, self.mask)
    }
}
