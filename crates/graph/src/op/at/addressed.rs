//! A tensor with its entries resolved into a window and a selection of it, read and
//! written by primitives. Does not depend on how entries are written.

use super::At;
use super::reader::{Reader, covered, is_advanced};
use crate::align::{OF_ENTRY, Ones, Readings};
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::entry::Entry;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::op::select::where_;
use crate::op::{Addressing, AxisList, Combine, Index, Layout, Mask, PadAxis, SliceAxis, Source};
use crate::shape::Shape;

/// Where an axis of the window, of its selection, or of the result comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AxisSource {
    /// This axis of the tensor.
    Own(usize),
    /// This one of the axes that the indices have together.
    Common(usize),
    /// A new axis.
    New,
}

/// What the indices and masks take of the window.
pub(super) enum Selection<'g> {
    /// Everything: there are none.
    Whole,
    /// The elements at which one mask is true, on one axis instead of those from `axis`
    /// on.
    Masked { mask: Expr<'g>, axis: usize },
    /// The slices of one axis that indices name, instead of that axis.
    Taken { indices: Expr<'g>, axis: usize },
    /// The slices that rows of `coordinates` name on the first axes of the window
    /// permuted by `order`.
    Gathered { coordinates: Expr<'g>, order: AxisList },
}

/// A tensor with its entries resolved.
pub(super) struct Addressed<'g> {
    pub(super) op: &'static str,
    pub(super) x: Expr<'g>,
    /// What ranges and integers take of each axis.
    pub(super) window: Vec<SliceAxis>,
    pub(super) selection: Selection<'g>,
    /// The axes of the selection, those of integers included.
    pub(super) selected: Vec<AxisSource>,
    /// The axes of the result.
    pub(super) result: Vec<AxisSource>,
    /// The shape that the indices have together.
    pub(super) common: Shape,
}

impl<'g> Addressed<'g> {
    pub(super) fn new(op: &'static str, at: &At<'g>) -> Result<Addressed<'g>, ErrorKind> {
        let (x, shape) = (at.x, at.x.shape());
        let entries = &at.entries.0;
        let axes = entries.iter().map(covered).sum();
        let Some(left) = shape.rank().checked_sub(axes) else {
            return Err(ErrorKind::EntryCount { axes, shape });
        };
        let ellipses = entries.iter().filter(|entry| matches!(entry, Entry::Ellipsis)).count();
        if ellipses > 1 {
            return Err(ErrorKind::Ellipses);
        }
        if let [Entry::Indices(mask)] = &entries[..]
            && mask.dtype() == DType::Bool
            && let Some(readings) = Readings::new(&mask.shape(), &shape, Ones::Neither)
        {
            readings.take_leading(&OF_ENTRY)?;
        }
        let mut reader = Reader::new(x, entries.iter().any(is_advanced));
        for entry in entries {
            reader.read(entry, left)?;
        }
        if ellipses == 0 {
            reader.read(&Entry::Ellipsis, left)?;
        }
        reader.finish(op)
    }

    /// The shape of these axes.
    fn shape_of(&self, axes: &[AxisSource]) -> Shape {
        let length = |axis: &AxisSource| match axis {
            AxisSource::Own(axis) => self.window[*axis].len.clone(),
            AxisSource::Common(axis) => self.common[*axis].clone(),
            AxisSource::New => Dim::ONE,
        };
        axes.iter().map(length).collect()
    }

    fn view(&self) -> Result<Expr<'g>, ErrorKind> {
        self.x.apply(Layout::Slice(self.window.clone()))
    }

    pub(super) fn read(&self) -> Result<Expr<'g>, ErrorKind> {
        let view = self.view()?;
        let graph = view.graph();
        let selected = match &self.selection {
            Selection::Whole => view,
            Selection::Masked { mask, axis } => {
                graph.try_apply(Mask::BooleanMask { axis: *axis }, &[view, *mask])?
            }
            Selection::Taken { indices, axis } => {
                graph.try_apply(Index::Gather(Addressing::Axis(*axis)), &[view, *indices])?
            }
            Selection::Gathered { coordinates, order } => {
                let leading = view.apply(Layout::Permute(order.clone()))?;
                graph.try_apply(Index::Gather(Addressing::Nd), &[leading, *coordinates])?
            }
        };
        rearranged(selected, &self.selected, &self.result)
    }

    pub(super) fn write(&self, combine: Combine, value: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
        let value = self.as_selected(value)?;
        if let Selection::Whole = self.selection {
            return self.write_window(combine, value);
        }
        let view = self.view()?;
        let shape = self.shape_of(&self.selected);
        let full = || value.apply(Layout::BroadcastTo(shape.clone()));
        let graph = view.graph();
        let written = match &self.selection {
            Selection::Whole => unreachable!("a window is written as a whole"),
            Selection::Masked { mask, axis } => write_masked(combine, view, *mask, *axis, value, &shape)?,
            Selection::Taken { indices, axis } => {
                let op = Index::Scatter { addressing: Addressing::Axis(*axis), combine };
                graph.try_apply(op, &[view, *indices, full()?])?
            }
            Selection::Gathered { coordinates, order } => {
                let op = Index::Scatter { addressing: Addressing::Nd, combine };
                let leading = view.apply(Layout::Permute(order.clone()))?;
                let written = graph.try_apply(op, &[leading, *coordinates, full()?])?;
                let back = (0..order.len()).map(|axis| order.iter().position(|own| *own == axis));
                let back = back.map(|axis| axis.unwrap_or_else(|| unreachable!("every axis is visited")));
                written.apply(Layout::Permute(back.collect()))?
            }
        };
        self.write_window(Combine::Set, written)
    }

    /// A value that broadcasts to the result, as one that broadcasts to the
    /// selection and has its rank, unless it is a scalar.
    fn as_selected(&self, value: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
        let shape = self.shape_of(&self.result);
        let own = value.shape();
        let extra = own.rank().saturating_sub(shape.rank());
        let value = if own[..extra].iter().all(Dim::is_one) {
            value.apply(Layout::Reshape(own[extra..].into()))?
        } else {
            value
        };
        let value = value.broadcastable(self.op, &shape)?;
        if value.rank() == 0 {
            return Ok(value);
        }
        let added = vec![Dim::ONE; shape.rank() - value.rank()];
        let padded = added.iter().chain(value.shape().iter()).cloned().collect();
        rearranged(value.apply(Layout::Reshape(padded))?, &self.result, &self.selected)
    }

    /// The tensor with `value`, which broadcasts to the window, written to it.
    ///
    /// A choice by a mask that stays in factors, one for each axis, is a choice for
    /// gradients and simplification too; only a value that varies along a sliced axis
    /// has to be padded along it.
    fn write_window(&self, combine: Combine, value: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
        let (x, shape) = (self.x, self.x.shape());
        let is_whole = |axis: usize| {
            let window = &self.window[axis];
            window.step == 1 && window.start == Dim::ZERO && window.len == shape[axis]
        };
        let sliced: AxisList = (0..shape.rank()).filter(|axis| !is_whole(*axis)).collect();
        let mut inside: Option<Expr<'g>> = None;
        for axis in &sliced {
            let factor = self.inside(*axis)?;
            inside = Some(inside.map_or(factor, |inside| inside & factor));
        }
        let Some(inside) = inside else {
            let all = x.graph().try_apply(Source::Scalar(Scalar::Bool(true)), &[])?;
            return match combine {
                Combine::Set => value.apply(Layout::BroadcastTo(shape)),
                Combine::Add | Combine::Mul | Combine::Max | Combine::Min | Combine::Or => {
                    combined(combine, x, all, value)
                }
            };
        };
        let own = value.shape();
        let varying = sliced.into_iter().filter(|axis| own.get(*axis).is_some_and(|dim| !dim.is_one()));
        combined(combine, x, inside, self.expanded(value, &varying.collect::<AxisList>())?)
    }

    /// Where on one axis the window lies, with 1s for the other axes.
    fn inside(&self, axis: usize) -> Result<Expr<'g>, ErrorKind> {
        let ones: Shape = vec![Dim::ONE; self.window.len()].into_iter().collect();
        let window = ones.with(axis, self.window[axis].len.clone());
        self.expanded(self.x.graph().try_full(window, Scalar::Bool(true))?, &[axis])
    }

    /// A value of the window, at the indices of the window along `axes` of the tensor, and 0
    /// elsewhere.
    fn expanded(&self, part: Expr<'g>, axes: &[usize]) -> Result<Expr<'g>, ErrorKind> {
        let (shape, tensor) = (part.shape(), self.x.shape());
        let pad = |axis: usize| {
            if !axes.contains(&axis) {
                return PadAxis { start: Dim::ZERO, step: 1, size: shape[axis].clone() };
            }
            let window = &self.window[axis];
            PadAxis { start: window.start.clone(), step: window.step, size: tensor[axis].clone() }
        };
        part.apply(Layout::Pad((0..shape.rank()).map(pad).collect()))
    }
}

/// `x` with `value` written to the elements at which `mask`, which covers the axes
/// from `axis` on, is true; `value` broadcasts to `shape`, which counts them on `axis`.
fn write_masked<'g>(
    combine: Combine,
    x: Expr<'g>,
    mask: Expr<'g>,
    axis: usize,
    value: Expr<'g>,
    shape: &Shape,
) -> Result<Expr<'g>, ErrorKind> {
    let graph = x.graph();
    let ones = |count: usize| vec![Dim::ONE; count];
    let behind = x.rank() - axis - mask.rank();
    let inside = [ones(axis), mask.shape().to_vec(), ones(behind)].concat().into_iter().collect();
    let inside = mask.apply(Layout::Reshape(inside))?;
    let own = value.shape();
    let Some(length) = own.get(axis) else { return combined(combine, x, inside, value) };
    if length.is_one() {
        let same = own.splice(axis..axis + 1, &ones(mask.rank()));
        return combined(combine, x, inside, value.apply(Layout::Reshape(same))?);
    }
    let values = value.apply(Layout::BroadcastTo(shape.clone()))?;
    let unmask = |fill: Expr<'g>| graph.try_apply(Mask::Unmask { axis }, &[values, mask, fill]);
    match combine {
        Combine::Set => unmask(x),
        Combine::Add | Combine::Mul | Combine::Max | Combine::Min | Combine::Or => {
            let zero = graph.try_apply(Source::Scalar(Scalar::from_int(0, x.dtype())), &[])?;
            combined(combine, x, inside, unmask(zero)?)
        }
    }
}

/// `x` combined with `value` where `inside` is true, and its own bits elsewhere.
fn combined<'g>(
    combine: Combine,
    x: Expr<'g>,
    inside: Expr<'g>,
    value: Expr<'g>,
) -> Result<Expr<'g>, ErrorKind> {
    let or = |neutral: Scalar| -> Result<Expr<'g>, ErrorKind> {
        let neutral = x.graph().try_apply(Source::Scalar(neutral), &[])?;
        Ok(where_(inside, value, neutral))
    };
    let dtype = x.dtype();
    Ok(match combine {
        Combine::Set => where_(inside, value, x),
        // −0.0 is what changes no float, itself and NaN included.
        Combine::Add | Combine::Or if dtype.is_float() => x + or(Scalar::from_float(-0.0, dtype))?,
        Combine::Add | Combine::Or => x + or(Scalar::from_int(0, dtype))?,
        Combine::Mul => x * or(Scalar::from_int(1, dtype))?,
        Combine::Max => where_(inside, min_max(x, value, dtype.lowest(), Expr::maximum)?, x),
        Combine::Min => where_(inside, min_max(x, value, dtype.highest(), Expr::minimum)?, x),
    })
}

/// The maximum or minimum of `x` and `value`. A float `x` that is the neutral element
/// takes part in no tie, as in a scatter: then all of the gradient is that of the value.
fn min_max<'g>(
    x: Expr<'g>,
    value: Expr<'g>,
    neutral: Scalar,
    of: impl FnOnce(Expr<'g>, Expr<'g>) -> Expr<'g>,
) -> Result<Expr<'g>, ErrorKind> {
    let min_max = of(x, value);
    if !x.dtype().is_float() {
        return Ok(min_max);
    }
    let neutral = x.graph().try_apply(Source::Scalar(neutral), &[])?;
    Ok(where_(x.eq(neutral), value, min_max))
}

/// A tensor with axes `from` as one with axes `to`: those that `to` lacks have
/// length 1 and go, those that `from` lacks come with length 1.
fn rearranged<'g>(x: Expr<'g>, from: &[AxisSource], to: &[AxisSource]) -> Result<Expr<'g>, ErrorKind> {
    let shape = x.shape();
    let stays = |axis: &AxisSource, others: &[AxisSource]| *axis != AxisSource::New && others.contains(axis);
    let (kept, dims): (Vec<AxisSource>, Vec<Dim>) =
        from.iter().copied().zip(shape.iter().cloned()).filter(|(axis, _)| stays(axis, to)).unzip();
    let position = |axis: &AxisSource| kept.iter().position(|kept| kept == axis);
    let order: AxisList = to.iter().filter(|axis| stays(axis, from)).filter_map(position).collect();
    let length = |axis: &AxisSource| match axis {
        AxisSource::New => Dim::ONE,
        AxisSource::Own(_) | AxisSource::Common(_) => position(axis).map_or(Dim::ONE, |at| dims[at].clone()),
    };
    let target = to.iter().map(length).collect();
    let permuted = x.apply(Layout::Reshape(dims.iter().cloned().collect()))?.apply(Layout::Permute(order))?;
    permuted.apply(Layout::Reshape(target))
}
