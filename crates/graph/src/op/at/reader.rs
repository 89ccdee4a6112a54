//! Entries read from left to right, as NumPy reads them. Does not depend on values.

use super::addressed::{Addressed, AxisSource, Selection};
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::entry::Entry;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::op::index::to_indices;
use crate::op::{AxisList, Layout, SliceAxis, broadcast_shapes};
use crate::operand::broadcast;
use crate::shape::{Shape, Slice};

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
pub(super) fn is_advanced(entry: &Entry<'_>) -> bool {
    match entry {
        Entry::Indices(_) => true,
        Entry::Slice(_) | Entry::Ellipsis | Entry::NewAxis => false,
    }
}

/// How many axes an entry covers; an ellipsis none, since it takes what is left.
pub(super) fn covered(entry: &Entry<'_>) -> usize {
    match entry {
        Entry::Indices(mask) if mask.dtype() == DType::Bool => mask.rank(),
        Entry::Slice(_) | Entry::Indices(_) => 1,
        Entry::Ellipsis | Entry::NewAxis => 0,
    }
}

/// Reads entries from left to right.
pub(super) struct Reader<'g> {
    x: Expr<'g>,
    shape: Shape,
    /// Whether there are indices or masks, so that integers count as such.
    is_mixed: bool,
    /// The next axis.
    axis: usize,
    window: Vec<SliceAxis>,
    advanced: Vec<Advanced<'g>>,
    /// The axes of the result, without those that the indices have together.
    result: Vec<AxisSource>,
    /// Where in the result these stand.
    common_at: Option<usize>,
    /// Whether the entry before is one of indices, a mask, or counts as such.
    was_advanced: bool,
}

impl<'g> Reader<'g> {
    pub(super) fn new(x: Expr<'g>, is_mixed: bool) -> Reader<'g> {
        Reader {
            x,
            shape: x.shape(),
            is_mixed,
            axis: 0,
            window: Vec::new(),
            advanced: Vec::new(),
            result: Vec::new(),
            common_at: None,
            was_advanced: false,
        }
    }

    /// `left` is how many axes an ellipsis covers.
    pub(super) fn read(&mut self, entry: &Entry<'g>, left: usize) -> Result<(), ErrorKind> {
        let counts = match entry {
            Entry::Indices(indices) => {
                self.read_indices(*indices)?;
                true
            }
            Entry::Slice(slice) => {
                self.window.push(slice.resolve(self.axis, &self.shape, self.x.graph())?);
                if !slice.is_index() {
                    self.result.push(AxisSource::Own(self.axis));
                }
                self.axis += 1;
                self.is_mixed && slice.is_index()
            }
            Entry::Ellipsis => {
                self.result.extend((self.axis..self.axis + left).map(AxisSource::Own));
                self.take_whole(left)?;
                false
            }
            Entry::NewAxis => {
                self.result.push(AxisSource::New);
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

    pub(super) fn finish(self, op: &'static str) -> Result<Addressed<'g>, ErrorKind> {
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
        let all_common = || (0..common.rank()).map(AxisSource::Common);
        let mut selected: Vec<AxisSource> = rest.iter().copied().map(AxisSource::Own).collect();
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
    // A mask of rank 0 names no coordinate, but its count broadcasts.
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
