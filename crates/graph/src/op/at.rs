//! Reading and writing at several entries at once, as `x[m, 1:, i]` in NumPy,
//! composed of primitives.
//!
//! The entries are taken in two steps. Ranges and integers take a *window* of the
//! tensor, with every axis kept. Of the window, indices and masks take a
//! *selection*, whose axes, those of the indices broadcast together, stand where
//! NumPy puts them. A write goes the same way back.

use smallvec::SmallVec;

use super::index::to_indices;
use super::select::where_;
use super::{
    Addressing, AxisList, Combine, Index, Layout, Mask, PadAxis, SliceAxis, Source, broadcast_shapes,
};
use crate::align::{OF_ENTRY, Ones, Readings};
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::entry::{Entries, Entry};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::{Operand, broadcast};
use crate::shape::{Shape, Slice};

/// A tensor at some entries, to be read or written; see [`Expr::at`].
#[derive(Debug, Clone)]
pub struct At<'g> {
    x: Expr<'g>,
    entries: Entries<'g>,
}

impl<'g> Expr<'g> {
    /// The tensor at `entries`, as NumPy's brackets have them: `x.at((m, 1.., i)).get()`
    /// is `x[m, 1:, i]`, and `x.at((m, 1.., i)).set(v)` is `x` after `x[m, 1:, i] = v`.
    ///
    /// Each entry covers one axis, a mask as many as it has:
    /// - an integer drops its axis, and a range (`1..`, `..-1`, `..`, [`Slice`], bounds
    ///   may be [`Dim`]s) slices it, as in [`Expr::slice`];
    /// - an integer expression of any shape names elements of its axis, each in `-n..n`;
    /// - a mask counts as the coordinates of its true elements, and must have exactly
    ///   the lengths of the axes that it covers;
    /// - [`Ellipsis`](crate::Ellipsis) covers what no other entry does; without one, it stands at the end;
    /// - [`NewAxis`](crate::NewAxis) covers nothing and adds an axis of length 1.
    ///
    /// Indices and masks broadcast together, and an integer beside them counts as one
    /// of them. Their common axes stand where they stood if nothing stands between
    /// them, and come first otherwise. So `x[m, i]` needs one index for each true
    /// element of `m`: that is proved while building, or checked by the run.
    ///
    /// # Errors
    /// Reported by what is done at the entries: when they cover more axes than there
    /// are, when there are two ellipses, when a mask does not match its axes, when
    /// indices are no integers or do not broadcast, or an integer is out of range. An
    /// index out of range of an axis is an error at run time.
    ///
    /// ```
    /// use tamis::{Ellipsis, NewAxis, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// let (rows, columns) = (graph.constant([0, 1, 1]), graph.constant([2, 0, 1]));
    /// assert_eq!(x.at((rows, columns)).get().eval::<i32>()?, tamis::ndarray::arr1(&[3, 4, 5]).into_dyn());
    /// let last = x.at((Ellipsis, NewAxis, -1)).get();
    /// assert_eq!(last.eval::<i32>()?, tamis::ndarray::arr2(&[[3], [6]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn at(self, entries: impl Into<Entries<'g>>) -> At<'g> {
        At { x: self, entries: entries.into() }
    }
}

impl<'g> At<'g> {
    /// What stands at the entries: `x[entries]`. The gradient goes back to where it
    /// was read, added up where something was read twice; what was not read gets exactly 0.
    ///
    /// # Errors
    /// As for [`Expr::at`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4], [5, 6]]);
    /// let (mask, columns) = (graph.constant([true, false, true]), graph.constant([1, 0]));
    /// let y = x.at((mask, columns)).get(); // column 1 of the first row selected, column 0 of the second
    /// assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr1(&[2, 5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn get(&self) -> Expr<'g> {
        self.build("at.get", &[], || Addressed::new("at.get", self)?.read())
    }

    /// `x` after `x[entries] = value`. The value broadcasts to the shape of
    /// [`At::get`], and the dtype of `x` is kept. Of duplicate indices the last in
    /// row-major order wins. The gradient goes to `x` where nothing was written, and
    /// to the value where it was not overwritten.
    ///
    /// # Errors
    /// As for [`Expr::at`], and when the value does not broadcast or would lose values.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// let y = x.at((.., 1..)).set(graph.constant([8, 9]));
    /// assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr2(&[[1, 8, 9], [4, 8, 9]]).into_dyn());
    /// let backwards = x.at((0, tamis::Slice::from(..).by(-1))).set(graph.constant([7, 8, 9]));
    /// assert_eq!(backwards.eval::<i32>()?, tamis::ndarray::arr2(&[[9, 8, 7], [4, 5, 6]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn set(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.set", Combine::Set, value.into())
    }

    /// `x` with the value added at the entries. Unlike NumPy's `x[i] += v`, which
    /// keeps one of them, all duplicate indices accumulate, as in `np.add.at`.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 1, 1]);
    /// let twice = graph.constant([0, 0, 2]);
    /// assert_eq!(x.at(twice).add(5).eval::<i32>()?, tamis::ndarray::arr1(&[11, 1, 6]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn add(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.add", Combine::Add, value.into())
    }

    /// `x` multiplied by the value at the entries; all duplicate indices multiply.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// assert_eq!(x.at(1..).mul(5).eval::<i32>()?, tamis::ndarray::arr1(&[1, 10, 15]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn mul(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.mul", Combine::Mul, value.into())
    }

    /// `x` with the smaller of itself and the value at the entries. NaN wins; ties,
    /// among duplicates and with `x` unless it is ∞, share the gradient evenly.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// assert_eq!(x.at(x.gt(1)).min(2).eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn min(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.min", Combine::Min, value.into())
    }

    /// `x` with the larger of itself and the value at the entries. NaN wins; ties,
    /// among duplicates and with `x` unless it is −∞, share the gradient evenly.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// assert_eq!(x.at(-1).max(9).eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 9]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn max(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.max", Combine::Max, value.into())
    }

    #[track_caller]
    fn write(&self, op: &'static str, combine: Combine, value: Operand<'g>) -> Expr<'g> {
        let others: SmallVec<[Expr<'g>; 1]> = value.expr().into_iter().collect();
        self.build(op, &others, || {
            let value = value.assigned_into(self.x)?;
            Addressed::new(op, self)?.write(combine, value)
        })
    }

    #[track_caller]
    fn build(
        &self,
        op: &'static str,
        others: &[Expr<'g>],
        f: impl FnOnce() -> Result<Expr<'g>, ErrorKind>,
    ) -> Expr<'g> {
        let indices = self.entries.0.iter().filter_map(|entry| match entry {
            Entry::Indices(indices) => Some(*indices),
            Entry::Slice(_) | Entry::Ellipsis | Entry::NewAxis => None,
        });
        let others: Vec<Expr<'g>> = indices.chain(others.iter().copied()).collect();
        self.x.build(op, &others, f)
    }
}

/// An axis of the window, of its selection, or of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    /// This axis of the tensor.
    Own(usize),
    /// This one of the axes that the indices have together.
    Common(usize),
    /// A new axis.
    New,
}

/// What the indices and masks take of the window.
enum Selection<'g> {
    /// Everything: there are none.
    Whole,
    /// The elements at which one mask is true, on one axis in place of those from
    /// `axis` on.
    Masked { mask: Expr<'g>, axis: usize },
    /// The slices of one axis that indices name, in place of that axis.
    Taken { indices: Expr<'g>, axis: usize },
    /// The slices that rows of `coordinates` name on the first axes of the window
    /// permuted by `order`.
    Gathered { coordinates: Expr<'g>, order: AxisList },
}

/// A tensor with its entries resolved.
struct Addressed<'g> {
    op: &'static str,
    x: Expr<'g>,
    /// What ranges and integers take of each axis.
    window: SmallVec<[SliceAxis; 4]>,
    selection: Selection<'g>,
    /// The axes of the selection, those of integers included.
    selected: Vec<Axis>,
    /// The axes of the result.
    result: Vec<Axis>,
    /// The shape that the indices have together.
    common: Shape,
}

/// An entry of indices or of a mask, with the first axis that it covers.
struct Advanced<'g> {
    indices: Expr<'g>,
    axis: usize,
}

impl Advanced<'_> {
    fn is_mask(&self) -> bool {
        self.indices.dtype() == DType::Bool
    }

    fn covers(&self, axis: usize) -> bool {
        let rank = if self.is_mask() { self.indices.rank() } else { 1 };
        (self.axis..self.axis + rank).contains(&axis)
    }
}

/// Whether the entry is one of indices or a mask, of which integers beside count as one.
fn is_advanced(entry: &Entry<'_>) -> bool {
    match entry {
        Entry::Indices(_) => true,
        Entry::Slice(_) | Entry::Ellipsis | Entry::NewAxis => false,
    }
}

/// How many axes an entry covers; an ellipsis none, since it takes what is left.
fn covered(entry: &Entry<'_>) -> usize {
    match entry {
        Entry::Indices(mask) if mask.dtype() == DType::Bool => mask.rank(),
        Entry::Slice(_) | Entry::Indices(_) => 1,
        Entry::Ellipsis | Entry::NewAxis => 0,
    }
}

impl<'g> Addressed<'g> {
    fn new(op: &'static str, at: &At<'g>) -> Result<Addressed<'g>, ErrorKind> {
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
    fn shape_of(&self, axes: &[Axis]) -> Shape {
        let length = |axis: &Axis| match axis {
            Axis::Own(axis) => self.window[*axis].len.clone(),
            Axis::Common(axis) => self.common[*axis].clone(),
            Axis::New => Dim::ONE,
        };
        axes.iter().map(length).collect()
    }

    fn view(&self) -> Result<Expr<'g>, ErrorKind> {
        self.x.apply(Layout::Slice(self.window.clone()))
    }

    fn read(&self) -> Result<Expr<'g>, ErrorKind> {
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

    fn write(&self, combine: Combine, value: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
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
                let back = back.map(|axis| axis.unwrap_or_else(|| unreachable!("every axis has its turn")));
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
    /// gradients and simplification too; only a value that varies along a sliced
    /// axis has to be spread out on it.
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
        combined(combine, x, inside, self.spread(value, &varying.collect::<AxisList>())?)
    }

    /// Where on one axis the window lies, with 1s for the other axes.
    fn inside(&self, axis: usize) -> Result<Expr<'g>, ErrorKind> {
        let ones: Shape = vec![Dim::ONE; self.window.len()].into_iter().collect();
        let window = ones.with(axis, self.window[axis].len.clone());
        self.spread(self.x.graph().try_full(window, Scalar::Bool(true))?, &[axis])
    }

    /// A part of the window at its own indices on `axes` of the tensor, 0 elsewhere.
    fn spread(&self, part: Expr<'g>, axes: &[usize]) -> Result<Expr<'g>, ErrorKind> {
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
        Combine::Max => where_(inside, extreme(x, value, dtype.lowest(), Expr::maximum)?, x),
        Combine::Min => where_(inside, extreme(x, value, dtype.highest(), Expr::minimum)?, x),
    })
}

/// The maximum or minimum of `x` and `value`. A float `x` that is the neutral element
/// takes part in no tie, as in a scatter: then all of the gradient is that of the value.
fn extreme<'g>(
    x: Expr<'g>,
    value: Expr<'g>,
    neutral: Scalar,
    of: impl FnOnce(Expr<'g>, Expr<'g>) -> Expr<'g>,
) -> Result<Expr<'g>, ErrorKind> {
    let extreme = of(x, value);
    if !x.dtype().is_float() {
        return Ok(extreme);
    }
    let neutral = x.graph().try_apply(Source::Scalar(neutral), &[])?;
    Ok(where_(x.eq(neutral), value, extreme))
}

/// A tensor with axes `from` as one with axes `to`: those that `to` lacks have
/// length 1 and go, those that `from` lacks come with length 1.
fn rearranged<'g>(x: Expr<'g>, from: &[Axis], to: &[Axis]) -> Result<Expr<'g>, ErrorKind> {
    let shape = x.shape();
    let stays = |axis: &Axis, others: &[Axis]| *axis != Axis::New && others.contains(axis);
    let (kept, dims): (Vec<Axis>, Vec<Dim>) =
        from.iter().copied().zip(shape.iter().cloned()).filter(|(axis, _)| stays(axis, to)).unzip();
    let position = |axis: &Axis| kept.iter().position(|kept| kept == axis);
    let order: AxisList = to.iter().filter(|axis| stays(axis, from)).filter_map(position).collect();
    let length = |axis: &Axis| match axis {
        Axis::New => Dim::ONE,
        Axis::Own(_) | Axis::Common(_) => position(axis).map_or(Dim::ONE, |at| dims[at].clone()),
    };
    let target = to.iter().map(length).collect();
    let permuted = x.apply(Layout::Reshape(dims.iter().cloned().collect()))?.apply(Layout::Permute(order))?;
    permuted.apply(Layout::Reshape(target))
}

/// Reads entries from left to right.
struct Reader<'g> {
    x: Expr<'g>,
    shape: Shape,
    /// Whether there are indices or masks, so that integers count as such.
    is_mixed: bool,
    /// The next axis.
    axis: usize,
    window: SmallVec<[SliceAxis; 4]>,
    advanced: Vec<Advanced<'g>>,
    /// The axes of the result, without those that the indices have together.
    result: Vec<Axis>,
    /// Where in the result these stand.
    common_at: Option<usize>,
    /// Whether the entry before is one of indices, a mask, or counts as such.
    was_advanced: bool,
}

impl<'g> Reader<'g> {
    fn new(x: Expr<'g>, is_mixed: bool) -> Reader<'g> {
        Reader {
            x,
            shape: x.shape(),
            is_mixed,
            axis: 0,
            window: SmallVec::new(),
            advanced: Vec::new(),
            result: Vec::new(),
            common_at: None,
            was_advanced: false,
        }
    }

    /// `left` is how many axes an ellipsis covers.
    fn read(&mut self, entry: &Entry<'g>, left: usize) -> Result<(), ErrorKind> {
        let counts = match entry {
            Entry::Indices(indices) => {
                self.read_indices(*indices)?;
                true
            }
            Entry::Slice(slice) => {
                self.window.push(slice.resolve(self.axis, &self.shape, self.x.graph())?);
                if !slice.is_index() {
                    self.result.push(Axis::Own(self.axis));
                }
                self.axis += 1;
                self.is_mixed && slice.is_index()
            }
            Entry::Ellipsis => {
                self.result.extend((self.axis..self.axis + left).map(Axis::Own));
                self.take_whole(left)?;
                false
            }
            Entry::NewAxis => {
                self.result.push(Axis::New);
                false
            }
        };
        if counts && !self.was_advanced {
            // With something between them, they come first.
            self.common_at = Some(if self.common_at.is_some() { 0 } else { self.result.len() });
        }
        self.was_advanced = counts;
        Ok(())
    }

    fn take_whole(&mut self, axes: usize) -> Result<(), ErrorKind> {
        for _ in 0..axes {
            self.window.push(Slice::from(..).resolve(self.axis, &self.shape, self.x.graph())?);
            self.axis += 1;
        }
        Ok(())
    }

    fn read_indices(&mut self, indices: Expr<'g>) -> Result<(), ErrorKind> {
        let axis = self.axis;
        if indices.dtype() != DType::Bool {
            self.advanced.push(Advanced { indices: to_indices(indices, "masks are bool")?, axis });
            return self.take_whole(1);
        }
        let own = indices.shape();
        let mismatch = || ErrorKind::MaskShape {
            mask: own.clone(),
            shape: self.shape.clone(),
            rule: "the axes that it covers",
            remedy: String::new(),
        };
        let lengths = (0..own.rank()).map(|i| (i, self.shape[axis + i].clone()));
        let mask = indices.unify_second("mask", lengths, mismatch)?;
        self.advanced.push(Advanced { indices: mask, axis });
        self.take_whole(own.rank())
    }

    fn finish(self, op: &'static str) -> Result<Addressed<'g>, ErrorKind> {
        let Reader { x, window, advanced, mut result, common_at, .. } = self;
        let rest = (0..window.len()).filter(|axis| !advanced.iter().any(|entry| entry.covers(*axis)));
        let rest: AxisList = rest.collect();
        let (selection, common) = match advanced.as_slice() {
            [] => (Selection::Whole, Shape::default()),
            [Advanced { indices: mask, axis }] if mask.dtype() == DType::Bool => {
                let count = x.graph().count(mask.id())?;
                (Selection::Masked { mask: *mask, axis: *axis }, [count].into_iter().collect())
            }
            [Advanced { indices, axis }] => {
                (Selection::Taken { indices: *indices, axis: *axis }, indices.shape())
            }
            [_, _, ..] => {
                let (coordinates, axes) = coordinates(op, x, &advanced)?;
                let (_, common) = coordinates
                    .node()
                    .shape
                    .split_last()
                    .map(|(depth, common)| (depth.clone(), Shape::from(common)))
                    .unwrap_or_else(|| unreachable!("rows of coordinates have an axis"));
                let order = axes.iter().chain(&rest).copied().collect();
                (Selection::Gathered { coordinates, order }, common)
            }
        };
        let all_common = || (0..common.rank()).map(Axis::Common);
        let mut selected: Vec<Axis> = rest.iter().copied().map(Axis::Own).collect();
        let at = match &selection {
            Selection::Whole | Selection::Gathered { .. } => 0,
            Selection::Masked { axis, .. } | Selection::Taken { axis, .. } => *axis,
        };
        selected.splice(at..at, all_common());
        if let Some(at) = common_at {
            result.splice(at..at, all_common());
        }
        Ok(Addressed { op, x, window, selection, selected, result, common })
    }
}

/// The rows of coordinates that the indices and masks name together, and the axes
/// that their columns are of.
fn coordinates<'g>(
    op: &'static str,
    x: Expr<'g>,
    advanced: &[Advanced<'g>],
) -> Result<(Expr<'g>, AxisList), ErrorKind> {
    let mut columns: Vec<Expr<'g>> = Vec::new();
    let mut axes = AxisList::new();
    // A mask of rank 0 names no coordinate, but its count takes part in broadcasting.
    let mut counted: Vec<Expr<'g>> = Vec::new();
    for entry in advanced {
        if !entry.is_mask() {
            columns.push(entry.indices);
            axes.push(entry.axis);
        } else if entry.indices.rank() == 0 {
            counted.push(entry.indices.boolean_mask(entry.indices));
        } else {
            axes.extend(entry.axis..entry.axis + entry.indices.rank());
            columns.extend(entry.indices.nonzero());
        }
    }
    let depth = columns.len();
    let mut all: Vec<Expr<'g>> = columns.into_iter().chain(counted).collect();
    broadcast(op, &mut all)?;
    let common = broadcast_shapes(&all.iter().map(|expr| expr.node()).collect::<Vec<_>>())?;
    let column = common.iter().cloned().chain([Dim::ONE]).collect::<Shape>();
    let (columns, counted) = all.split_at(depth);
    let graph = x.graph();
    let rows = columns.iter().map(|indices| {
        indices.apply(Layout::BroadcastTo(common.clone()))?.apply(Layout::Reshape(column.clone()))
    });
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let rows = if rows.is_empty() {
        graph.try_full(column.with(common.rank(), Dim::ZERO), Scalar::I64(0))?
    } else {
        graph.try_apply(Layout::Concat { axis: common.rank() }, &rows)?
    };
    // The guards of what names no coordinate must not get lost.
    let guarded: Vec<Expr<'g>> = [rows].iter().chain(counted).copied().collect();
    Ok((graph.try_apply(Layout::Checked, &guarded)?, axes))
}
