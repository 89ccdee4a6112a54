//! The cross-entropy of logits and class labels, plain and masked, composed of primitives.

use super::Layout;
use super::masked::Masked;
use super::select::where_;
use super::softmax::{Shifted, shifted};
use crate::axis::{Axes, Axis, keep};
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::cast;
use crate::shape::Shape;

/// Class labels, all of them or those that a mask selects; the others are ignored.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let logits = graph.constant([[0.0, 0.0], [5.0, f64::NAN]]);
/// let labels = graph.constant([1, -100]);
/// let loss = logits.cross_entropy(labels.masked(labels.ne(-100)), 1);
/// assert_eq!(loss.eval::<f64>()?, tamis::ndarray::arr1(&[2.0_f64.ln(), 0.0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Labels<'g> {
    labels: Expr<'g>,
    masked: Option<Masked<'g>>,
}

impl<'g> From<Expr<'g>> for Labels<'g> {
    fn from(labels: Expr<'g>) -> Labels<'g> {
        Labels { labels, masked: None }
    }
}

impl<'g> From<&Expr<'g>> for Labels<'g> {
    fn from(labels: &Expr<'g>) -> Labels<'g> {
        Labels::from(*labels)
    }
}

impl<'g> From<Masked<'g>> for Labels<'g> {
    fn from(masked: Masked<'g>) -> Labels<'g> {
        let (labels, _) = masked.operand_and_mask();
        Labels { labels, masked: Some(masked) }
    }
}

impl<'g> Expr<'g> {
    /// The cross-entropy of logits and labels, `ln Σ eˣ − x[label]` along `axis`:
    /// one loss for each label, so that the shape is that of the labels, which is
    /// the shape of the logits without `axis`. It does not overflow.
    ///
    /// Labels are integers in `0..n`, where `n` is the length of `axis`. Those that are not under
    /// the mask of `labels.masked(kept)` are ignored, whatever they are: their loss is exactly 0,
    /// and so is the gradient of their logits, even if these are NaN. The mean over the others is
    /// `x.cross_entropy(labels.masked(kept), axis).masked(kept).mean(..)`.
    ///
    /// The gradient is `ḡ · (softmax(x) − one_hot(label))`. Integer logits become floats.
    ///
    /// # Errors
    /// Reported when the labels are not integers, or their shape or that of their mask does not
    /// fit. A label that is not ignored and lies outside of `0..n` is an error at run time;
    /// negative labels do not count from the end.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let logits = graph.constant([[1000.0, 1000.0], [7.0, 7.0], [f64::NAN, 0.0]]);
    /// let labels = graph.constant([0_u8, 1, 255]);
    /// let kept = labels.ne(255);
    /// let losses = logits.cross_entropy(labels.masked(kept), 1);
    /// let ln_2 = std::f64::consts::LN_2;
    /// assert_eq!(losses.eval::<f64>()?, tamis::ndarray::arr1(&[ln_2, ln_2, 0.0]).into_dyn());
    ///
    /// let mean = losses.masked(kept).mean(..);
    /// let slope = grad(mean, logits).eval::<f64>()?;
    /// assert_eq!(slope, tamis::ndarray::arr2(&[[-0.25, 0.25], [0.25, -0.25], [0.0, 0.0]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("sparse_softmax_cross_entropy_with_logits", "ignore_index"))]
    #[track_caller]
    pub fn cross_entropy(self, labels: impl Into<Labels<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        cross_entropy(self, None, labels.into(), axis)
    }
}

impl<'g> Masked<'g> {
    /// [`Expr::cross_entropy`] over the selected classes: the others are left out in the sum, and
    /// their logits have gradient exactly 0.
    ///
    /// The loss of a label whose class is not selected is inf, with gradient 0.
    ///
    /// # Errors
    /// As for [`Expr::cross_entropy`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let logits = graph.constant([[3.0, f64::NAN, 3.0], [0.0, 1.0, f64::NAN]]);
    /// let allowed = graph.constant([[true, false, true], [true, true, false]]);
    /// let labels = graph.constant([2, 2]);
    /// let losses = logits.masked(allowed).cross_entropy(labels, 1);
    /// assert_eq!(losses.eval::<f64>()?, tamis::ndarray::arr1(&[2.0_f64.ln(), f64::INFINITY]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn cross_entropy(self, labels: impl Into<Labels<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        let (x, _) = self.operand_and_mask();
        cross_entropy(x, Some(self), labels.into(), axis)
    }
}

#[track_caller]
fn cross_entropy<'g>(x: Expr<'g>, allowed: Option<Masked<'g>>, labels: Labels<'g>, axis: Axis) -> Expr<'g> {
    const OP: &str = "cross_entropy";
    let mask_of = |masked: Masked<'g>| masked.operand_and_mask().1;
    let (mask, kept) = (allowed.map(mask_of), labels.masked.map(mask_of));
    let others: Vec<Expr<'g>> = [Some(labels.labels), kept, mask].into_iter().flatten().collect();
    x.build(OP, &others, || {
        allowed.iter().chain(&labels.masked).try_for_each(|masked| masked.check_policies(OP))?;
        let labels = labels.labels;
        let axis = x.shape().axis(axis)?;
        let classes = class_indices(labels, kept, &x.shape(), axis)?;
        let Shifted { max, sum, .. } = shifted(x, mask, axis.into())?;
        // The logit of the label is read where it lies, and shifted afterwards.
        let logit = of_label(cast(x, sum.dtype())?, classes, axis, |read, axis| read.sum(axis))?;
        let log = sum.ln() - (logit - max);
        let loss = match mask {
            None => log,
            Some(mask) => {
                let mask = mask.apply(Layout::BroadcastTo(x.shape()))?;
                let is_allowed = of_label(mask, classes, axis, |read, axis| read.any(axis))?;
                where_(is_allowed, log, f64::INFINITY)
            }
        };
        let loss = loss.apply(Layout::Reshape(x.shape().splice(axis..axis + 1, &[])))?;
        Ok(kept.map_or(loss, |kept| where_(kept, loss, 0.0)))
    })
}

/// What `x` has at the label, along the axis of the classes with length 1. Where that
/// axis is empty, all labels are ignored and nothing is read: then it is what `reduce`
/// makes of no elements.
fn of_label<'g>(
    x: Expr<'g>,
    classes: Expr<'g>,
    axis: usize,
    reduce: impl FnOnce(Expr<'g>, Axes) -> Expr<'g>,
) -> Result<Expr<'g>, ErrorKind> {
    let count = x.shape()[axis].clone();
    // min(count, 1)
    let read = count.sub(&count.sub(&Dim::ONE)?.at_least_zero()?)?;
    if read.is_one() {
        return Ok(x.take_along_axis(classes, axis));
    }
    Ok(reduce(x.take_along_axis(classes.slice_axis(..&read, axis), axis), keep(axis)))
}

/// The labels as indices along `axis` of logits of `shape`, of which they keep
/// the axis with length 1; 0 for the ignored. What is not ignored is asserted to be a class.
fn class_indices<'g>(
    labels: Expr<'g>,
    kept: Option<Expr<'g>>,
    shape: &Shape,
    axis: usize,
) -> Result<Expr<'g>, ErrorKind> {
    if labels.dtype() == DType::Bool || labels.dtype().is_float() {
        let expected = "labels are integers: write `.cast(DType::I64)`";
        return Err(ErrorKind::DType { dtype: labels.dtype(), shape: labels.shape(), expected });
    }
    let expected = shape.splice(axis..axis + 1, &[]);
    let mismatch = || ErrorKind::ShapeMismatch {
        left: shape.clone(),
        right: labels.shape(),
        reason: "the labels must have the shape of the logits without the axis of the classes",
    };
    if labels.rank() != expected.rank() {
        return Err(mismatch());
    }
    let graph = labels.graph();
    let labels = cast(labels, DType::I64)?;
    let ignored = graph.try_full(Shape::default(), Scalar::I64(0))?;
    let labels = kept.map_or(labels, |kept| where_(kept, labels, ignored));
    let count = graph.try_size(&shape[axis])?;
    let is_class = labels.ge(0) & labels.lt(count);
    let is_class = kept.map_or(is_class, |kept| is_class | !kept);
    labels
        .assert_that(
            is_class,
            &format!("a label is one of the {} classes, or ignored by `labels.masked(kept)`", shape[axis]),
        )
        .unify("cross_entropy", expected.iter().cloned().enumerate(), mismatch)?
        .apply(Layout::Reshape(expected.splice(axis..axis, &[Dim::ONE])))
}
