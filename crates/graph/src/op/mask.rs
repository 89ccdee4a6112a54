//! Selection by a mask, its inverse, and assignment under a mask.

use std::sync::Arc;

use super::row::Domain::Any;
use super::row::{Row, row};
use super::select::{check_mask, where_};
use super::{Layout, Op, Type, broadcast_shapes};
use crate::align::{OF_MASK, OF_SELECTION, Ones, Readings, Remedy, mask_remedy};
use crate::axis::Axis;
use crate::dim::{Comparison, Dim};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, broadcast};
use crate::shape::Shape;

/// Selection by a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mask {
    /// Operands `x, mask`: the elements of the axes from `axis` on at which the
    /// mask is true, in row-major order, on one new axis.
    BooleanMask {
        /// The first masked axis.
        axis: usize,
    },
    /// Operands `values, mask, fill`: the inverse of `BooleanMask`, with `fill`
    /// (which broadcasts to the result) where the mask is false.
    Unmask {
        /// The axis of `values` that counts the selected positions.
        axis: usize,
    },
    /// Operand `mask`: the coordinates of the true elements, one row each, as i64.
    Argwhere,
}

impl From<Mask> for Op {
    fn from(op: Mask) -> Op {
        Op::Mask(op)
    }
}

const LEADING: &str = "the leading axes";

impl Mask {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Mask::BooleanMask { .. } => row("boolean_mask", Any, 1),
            Mask::Unmask { .. } => row("unmask", Any, 1),
            Mask::Argwhere => row("argwhere", Any, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], graph: &Graph) -> Result<Type, ErrorKind> {
        let shape_of = |node: &Arc<Node>| node.shape.clone();
        match self {
            Mask::BooleanMask { axis } => {
                let (x, mask) = (&operands[0], &operands[1]);
                let masked = *axis..axis + mask.shape.rank();
                if x.shape.get(masked.clone()) != Some(&*mask.shape) {
                    return Err(ErrorKind::MaskShape {
                        mask: shape_of(mask),
                        shape: shape_of(x),
                        rule: LEADING,
                        remedy: mask_remedy(&mask.shape, &x.shape, Ones::Neither),
                    });
                }
                let count = graph.count(mask.id)?;
                Ok(Type::new(x.dtype, x.shape.splice(masked, &[count])))
            }
            Mask::Unmask { axis } => {
                let (values, mask, fill) = (&operands[0], &operands[1], &operands[2]);
                let count = graph.count(mask.id)?;
                if values.shape.get(*axis) != Some(&count) {
                    let right = [count].into_iter().collect();
                    let reason = "the values must be as many as the true elements of the mask";
                    return Err(ErrorKind::ShapeMismatch { left: shape_of(values), right, reason });
                }
                let shape = values.shape.splice(*axis..axis + 1, &mask.shape);
                if super::broadcast_pair(&shape, &fill.shape)? != shape {
                    return Err(ErrorKind::BroadcastTo { from: shape_of(fill), to: shape });
                }
                Ok(Type::new(values.dtype, shape))
            }
            Mask::Argwhere => {
                let mask = &operands[0];
                let count = graph.count(mask.id)?;
                Ok(Type::new(DType::I64, [count, Dim::from(mask.shape.rank())].into_iter().collect()))
            }
        }
    }

    pub(crate) fn attributes(&self) -> String {
        match self {
            Mask::BooleanMask { axis } | Mask::Unmask { axis } if *axis > 0 => format!("axis={axis}"),
            Mask::BooleanMask { .. } | Mask::Unmask { .. } | Mask::Argwhere => String::new(),
        }
    }
}

impl<'g> Expr<'g> {
    /// The elements at which `mask` is true, in row-major order: `x[mask]`,
    /// TensorFlow's `boolean_mask`.
    ///
    /// `mask` has the shape of the leading axes of `self`; the result has shape
    /// `[count(mask)] + self.shape[mask.rank..]`. Two selections by the same
    /// mask have the same length at build time. An all-false mask gives length
    /// 0. The gradient is [`Expr::unmask`] with 0: exactly 0 at what was not
    /// selected.
    ///
    /// # Errors
    /// Reported when the mask is not bool, does not match the leading axes, or
    /// matches the trailing ones better.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// let kept = x.boolean_mask(x.gt(0));
    /// assert_eq!(kept.eval::<i32>()?, tamis::ndarray::arr1(&[3, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("compress", "masked_select"))]
    #[track_caller]
    pub fn boolean_mask(self, mask: Expr<'g>) -> Expr<'g> {
        self.build("boolean_mask", &[mask], || {
            check_mask(mask)?;
            let (own, shape) = (mask.shape(), self.shape());
            let readings = Readings::new(&own, &shape, Ones::Neither);
            readings.map_or(Ok(()), |readings| readings.take_leading(&OF_SELECTION))?;
            Ok(self.boolean_mask_axis(mask, 0))
        })
    }

    /// [`Expr::boolean_mask`] of the axes from `axis` on: the result has shape
    /// `shape[..axis] + [count(mask)] + shape[axis + mask.rank..]`.
    ///
    /// # Errors
    /// As for [`Expr::boolean_mask`], and when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// let mask = graph.constant([true, false, true]);
    /// let kept = x.boolean_mask_axis(mask, 1);
    /// assert_eq!(kept.eval::<i32>()?, tamis::ndarray::arr2(&[[1, 3], [4, 6]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn boolean_mask_axis(self, mask: Expr<'g>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("boolean_mask_axis", &[mask], || {
            check_mask(mask)?;
            // A mask of rank 0 may stand before an axis that does not exist.
            let axis = if axis == Axis::from(0) { 0 } else { self.shape().axis(axis)? };
            let rule = if axis == 0 { LEADING } else { "the axes from the given one on" };
            let mask = align(mask, &self.shape(), axis, Ones::Neither, rule)?;
            self.graph().try_apply(Mask::BooleanMask { axis }, &[self, mask])
        })
    }

    /// `x.boolean_mask(mask)` after broadcasting both together, flattened:
    /// PyTorch's `masked_select`. The shape is `[count(mask)]`.
    ///
    /// # Errors
    /// Reported when the mask is not bool, or the shapes do not broadcast or match
    /// at their leading axes.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// let columns = graph.constant([true, false]);
    /// assert_eq!(x.masked_select(columns).eval::<i32>()?, tamis::ndarray::arr1(&[1, 3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_select(self, mask: Expr<'g>) -> Expr<'g> {
        self.build("masked_select", &[mask], || {
            check_mask(mask)?;
            let mut pair = [self, mask];
            broadcast("masked_select", &mut pair)?;
            let shape = broadcast_shapes(&[pair[0].node(), pair[1].node()])?;
            let [x, mask] = pair;
            let (x, mask) =
                (x.apply(Layout::BroadcastTo(shape.clone()))?, mask.apply(Layout::BroadcastTo(shape))?);
            self.graph().try_apply(Mask::BooleanMask { axis: 0 }, &[x, mask])
        })
    }

    /// The inverse of [`Expr::boolean_mask`]: `self`, of shape `[count(mask)] + rest`,
    /// back at its positions in `mask.shape + rest`, and `fill` elsewhere.
    ///
    /// Keeps the dtype of `self`; `fill` broadcasts. The gradient to `self` is
    /// `boolean_mask`, to `fill` what falls on the positions not selected.
    ///
    /// # Errors
    /// Reported when the mask is not bool, when the length provably differs from the mask's count,
    /// or when `fill` does not fit the shape or the dtype; a length that turns out to differ is an
    /// error of the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// let mask = x.gt(0);
    /// let doubled = (x.boolean_mask(mask) * 2).unmask(mask, 0);
    /// assert_eq!(doubled.eval::<i32>()?, tamis::ndarray::arr1(&[6, 0, 4]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("scatter_nd"))]
    #[track_caller]
    pub fn unmask(self, mask: Expr<'g>, fill: impl Into<Operand<'g>>) -> Expr<'g> {
        let fill = fill.into();
        let others: Vec<Expr<'g>> = [mask].into_iter().chain(fill.expr()).collect();
        self.build("unmask", &others, || Ok(self.unmask_axis(mask, fill, 0)))
    }

    /// [`Expr::unmask`] where the selected positions lie on `axis` of `self`: the inverse of
    /// [`Expr::boolean_mask_axis`].
    ///
    /// # Errors
    /// As for [`Expr::unmask`], and when the axis is out of range.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// let columns = graph.constant([true, false, true]);
    /// let tens = (x.boolean_mask_axis(columns, 1) * 10).unmask_axis(columns, 0, 1);
    /// assert_eq!(tens.eval::<i32>()?, tamis::ndarray::arr2(&[[10, 0, 30], [40, 0, 60]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn unmask_axis(
        self,
        mask: Expr<'g>,
        fill: impl Into<Operand<'g>>,
        axis: impl Into<Axis>,
    ) -> Expr<'g> {
        let axis = axis.into();
        let fill = fill.into();
        let others: Vec<Expr<'g>> = [mask].into_iter().chain(fill.expr()).collect();
        self.build("unmask_axis", &others, || {
            check_mask(mask)?;
            let axis = self.shape().axis(axis)?;
            let count = self.graph().count(mask.id())?;
            let values = self.unify("unmask", [(axis, count.clone())], || ErrorKind::ShapeMismatch {
                left: self.shape(),
                right: [count.clone()].into_iter().collect(),
                reason: "the values must be as many as the true elements of the mask",
            })?;
            let shape = values.shape().splice(axis..axis + 1, &mask.shape());
            let fill = fill.assigned_into(self)?.broadcastable("unmask", &shape)?;
            self.graph().try_apply(Mask::Unmask { axis }, &[values, mask, fill])
        })
    }

    /// The mask with 1s appended until it has the rank of `x`, so that it
    /// broadcasts against `x` as it selects from it: along the leading axes,
    /// whatever else it matches. Its own 1s broadcast.
    ///
    /// # Errors
    /// Reported when the mask is not bool or does not match the leading axes.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", dims!["batch", "time", 8]);
    /// let mask = graph.input::<bool>("mask", dims!["batch", "time"]);
    /// assert_eq!(mask.expand_mask(x).shape().to_string(), "[batch, time, 1]");
    /// ```
    #[track_caller]
    pub fn expand_mask(self, x: Expr<'g>) -> Expr<'g> {
        self.build("expand_mask", &[x], || {
            check_mask(self)?;
            let shape = x.shape();
            let mask = align(self, &shape, 0, Ones::Operand, LEADING)?;
            let ones = vec![Dim::ONE; shape.rank() - mask.rank()];
            let expanded = mask.shape().iter().cloned().chain(ones).collect();
            mask.apply(Layout::Reshape(expanded))
        })
    }

    /// The coordinates of the true elements, one row of `rank` each, in
    /// row-major order: i64 of shape `[count(mask), rank]`, also for an
    /// all-false mask. Numbers count where they are not 0 (NaN is not 0). No gradient.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let mask = graph.constant([[false, true], [true, false]]);
    /// assert_eq!(mask.argwhere().eval::<i64>()?, tamis::ndarray::arr2(&[[0, 1], [1, 0]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("where"))]
    #[track_caller]
    pub fn argwhere(self) -> Expr<'g> {
        self.build("argwhere", &[], || self.truth().apply(Mask::Argwhere))
    }

    /// The coordinates of the true elements, one i64 vector of `[count(mask)]`
    /// per axis: NumPy's `nonzero`. No vectors for a mask of rank 0. No gradient.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let mask = graph.constant([[false, true], [true, true]]);
    /// let columns = mask.nonzero()[1];
    /// assert_eq!(columns.eval::<i64>()?, tamis::ndarray::arr1(&[1, 0, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn nonzero(self) -> Vec<Expr<'g>> {
        let mut coordinates = Vec::new();
        let indices = self.argwhere();
        for axis in 0..self.rank() {
            coordinates.push(indices.slice_axis(axis, 1));
        }
        coordinates
    }

    /// The mask itself, or for numbers where they are not 0.
    #[track_caller]
    pub(crate) fn truth(self) -> Expr<'g> {
        if self.dtype() == DType::Bool { self } else { self.ne(0) }
    }

    /// `value` where `mask` is true, `self` elsewhere: `x[mask] = value`.
    ///
    /// Keeps the dtype of `self`. `mask` aligns with the leading axes, and its 1s
    /// broadcast. The gradient goes to `self` where the mask is false, and its sum
    /// where it is true to the value.
    ///
    /// # Errors
    /// Reported when the mask is not bool, does not align or matches the trailing axes as well,
    /// when the value is not a scalar, or when it does not fit the dtype.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// assert_eq!(x.masked_fill(x.lt(0), 0).eval::<i32>()?, tamis::ndarray::arr1(&[3, 0, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn masked_fill(self, mask: Expr<'g>, value: impl Into<Operand<'g>>) -> Expr<'g> {
        let value = value.into();
        let others: Vec<Expr<'g>> = [mask].into_iter().chain(value.expr()).collect();
        self.build("masked_fill", &others, || {
            if let Some(value) = value.expr()
                && value.rank() > 0
            {
                let expected = "the value is a scalar: write `masked_assign` for a tensor";
                return Err(ErrorKind::Rank { shape: value.shape(), expected });
            }
            let value = value.assigned_into(self)?;
            check_leading(mask, self, |readings, remedy| readings.take_leading_alone(remedy))?;
            Ok(where_(mask.expand_mask(self), value, self))
        })
    }

    /// `x[mask] = value` as an expression: `value` where `mask` is true, `self`
    /// elsewhere. Keeps the dtype of `self`.
    ///
    /// With `rest = self.shape[mask.rank..]`, `value` is one of
    /// - broadcastable to `rest`: the same for every selected position;
    /// - of shape `[count(mask)] + rest` (provably; `rest` may broadcast): one for each
    ///   selected position in row-major order, such as a selection by `mask`;
    /// - of the rank of `self` and broadcastable to it: chosen elementwise, as in
    ///   `dest[mask] = src[mask]`.
    ///
    /// The gradient goes to `self` where the mask is false and to `value` where
    /// it is true.
    ///
    /// # Errors
    /// Reported when the mask is not bool or does not align, when the value has
    /// none of the three shapes, or when assigning it would lose values (float
    /// into integer, f64 into f32).
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0, 3.0]);
    /// let mask = x.ge(2.0);
    /// let negated = x.masked_assign(mask, -x.boolean_mask(mask));
    /// assert_eq!(negated.eval::<f64>()?, tamis::ndarray::arr1(&[1.0, -2.0, -3.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("tensor_scatter_nd_update", "putmask", "copyto"))]
    #[track_caller]
    pub fn masked_assign(self, mask: Expr<'g>, value: impl Into<Operand<'g>>) -> Expr<'g> {
        let value = value.into();
        let others: Vec<Expr<'g>> = [mask].into_iter().chain(value.expr()).collect();
        self.build("masked_assign", &others, || {
            let shape = self.shape();
            check_leading(mask, self, |readings, remedy| readings.take_leading(remedy))?;
            let expanded = mask.expand_mask(self);
            if expanded.is_poisoned() {
                return Ok(expanded);
            }
            let value = value.assigned_into(self)?;
            let rest: Shape = shape[mask.rank()..].into();
            if broadcasts_to(&value.shape(), &rest) {
                return Ok(where_(expanded, value, self));
            }
            // The mask on its own axes, all broadcast out: what a selection by it counts.
            let masked: Shape = shape[..mask.rank()].into();
            let selected =
                align(mask, &shape, 0, Ones::Operand, LEADING)?.apply(Layout::BroadcastTo(masked))?;
            let count = self.graph().count(selected.id())?;
            let selection = value.shape();
            let is_selection = selection.first().is_some_and(|n| n.compare(&count) == Comparison::Equal);
            if is_selection && broadcasts_to(&selection[1..].into(), &rest) {
                let values = selected_rows(value, count, &rest)?;
                return self.graph().try_apply(Mask::Unmask { axis: 0 }, &[values, selected, self]);
            }
            if selection.rank() == shape.rank() && broadcasts_to(&selection, &shape) {
                return Ok(where_(expanded, value, self));
            }
            Err(ErrorKind::AssignSource { source_shape: selection, shape, rest, count: Box::new(count) })
        })
    }
}

/// A selection `[count] + r` with `r` broadcast to `rest`.
fn selected_rows<'g>(value: Expr<'g>, count: Dim, rest: &Shape) -> Result<Expr<'g>, ErrorKind> {
    let selection = value.shape();
    let ones = vec![Dim::ONE; rest.rank() + 1 - selection.rank()];
    let padded = [count.clone()].into_iter().chain(ones).chain(selection[1..].iter().cloned()).collect();
    let full = [count].iter().chain(rest.iter()).cloned().collect();
    value.apply(Layout::Reshape(padded))?.apply(Layout::BroadcastTo(full))
}

/// Whether a shape provably broadcasts to another.
fn broadcasts_to(from: &Shape, to: &Shape) -> bool {
    from.rank() <= to.rank() && from.iter().rev().zip(to.iter().rev()).all(|(a, b)| a.is_one() || a == b)
}

/// That a mask of lower rank is aligned with the leading axes, as in `x[mask]`, by the
/// rule `take`: [`Readings::take_leading_alone`] where NumPy and PyTorch align with the
/// trailing axes, which then must be a worse reading.
pub(crate) fn check_leading<'g>(
    mask: Expr<'g>,
    x: Expr<'g>,
    take: impl FnOnce(&Readings<'_>, &Remedy) -> Result<(), ErrorKind>,
) -> Result<(), ErrorKind> {
    check_mask(mask)?;
    let (own, shape) = (mask.shape(), x.shape());
    let readings = Readings::new(&own, &shape, Ones::Operand);
    readings.map_or(Ok(()), |readings| take(&readings, &OF_MASK))
}

/// The mask with its lengths unified with the axes of `shape` from `axis` on.
/// 1s that broadcast stay.
fn align<'g>(
    mask: Expr<'g>,
    shape: &Shape,
    axis: usize,
    ones: Ones,
    rule: &'static str,
) -> Result<Expr<'g>, ErrorKind> {
    let own = mask.shape();
    let mismatch = || ErrorKind::MaskShape {
        mask: own.clone(),
        shape: shape.clone(),
        rule,
        remedy: if axis == 0 { mask_remedy(&own, shape, ones) } else { String::new() },
    };
    if axis + own.rank() > shape.rank() {
        return Err(mismatch());
    }
    let dims = (0..own.rank()).map(|i| (i, shape[axis + i].clone()));
    let dims = dims.filter(|(i, _)| !(ones == Ones::Operand && own[*i].is_one()));
    mask.unify_second("mask", dims, mismatch)
}
