//! Layout ops: a tangent is rearranged as its operand is.

use std::ops::Range;

use tamis_graph::{Dim, Layout, Shape};

use super::Edges;
use crate::linear::Linear::{Pad, Permute, Relabel, Reshape, Slice};
use crate::linear::layout::{Window, Windows};

pub(super) fn linearize(op: &Layout, edges: &mut Edges<'_, '_>) {
    let [x] = edges.operands();
    let (from, to) = (x.shape(), edges.output.shape());
    match op {
        Layout::Reshape(_) => edges.linear(0, || [Reshape { from, to }]),
        Layout::BroadcastTo(_) => edges.elementwise(0, || []),
        Layout::Permute(axes) => edges.linear(0, || [Permute(axes.clone())]),
        Layout::Slice(axes) => edges.linear(0, || {
            let window = |(axis, size): (&tamis_graph::SliceAxis, &Dim)| Window {
                start: axis.start.clone(),
                step: axis.step,
                len: axis.len.clone(),
                size: size.clone(),
            };
            [Slice(axes.iter().zip(from.iter()).map(window).collect())]
        }),
        Layout::Pad(axes) => edges.linear(0, || {
            let window = |(axis, len): (&tamis_graph::PadAxis, &Dim)| Window {
                start: axis.start.clone(),
                step: axis.step,
                len: len.clone(),
                size: axis.size.clone(),
            };
            [Pad(axes.iter().zip(from.iter()).map(window).collect())]
        }),
        // d(concat(a, b, …)) = da at the offset of a + db at the offset of b + …
        Layout::Concat { axis } => concat(edges, *axis),
        Layout::Guard { op, .. } => edges.linear(0, || [Relabel { from, to, op }]),
        Layout::Checked | Layout::Assert { .. } => edges.linear(0, || []),
    }
}

/// How many operands of a concatenation are sliced out of it directly. Of more, halves
/// are sliced out first: the starts of n operands are sums of up to n lengths, all
/// together of n²/2 of them, but only n/2 · log n where each is counted within its half.
const SLICED_DIRECTLY: usize = 16;

fn concat(edges: &mut Edges<'_, '_>, axis: usize) {
    let lengths: Vec<Dim> = edges.operands.iter().map(|operand| operand.shape()[axis].clone()).collect();
    let whole = edges.output.shape();
    concat_within(edges, axis, &lengths, 0..lengths.len(), &whole, &[]);
}

/// Adds the edges of the operands in `range`, which together have the shape
/// `within`, from where `outer` leads to the node.
fn concat_within(
    edges: &mut Edges<'_, '_>,
    axis: usize,
    lengths: &[Dim],
    range: Range<usize>,
    within: &Shape,
    outer: &[Windows],
) {
    let is_short = range.len() <= SLICED_DIRECTLY;
    let size = if is_short { 1 } else { range.len().div_ceil(2) };
    for first in range.clone().step_by(size) {
        let chunk = first..(first + size).min(range.end);
        let len = added_up(&lengths[chunk.clone()]);
        let mut windows: Windows = within.iter().map(Window::whole).collect();
        let start = added_up(&lengths[range.start..first]);
        windows[axis] = Window { start, step: 1, len: len.clone(), size: within[axis].clone() };
        let path = std::iter::once(windows).chain(outer.iter().cloned());
        if is_short {
            edges.linear(first, || path.map(Pad));
        } else {
            let inner = within.iter().enumerate().map(|(i, dim)| if i == axis { &len } else { dim });
            let inner = inner.cloned().collect();
            concat_within(edges, axis, lengths, chunk, &inner, &path.collect::<Vec<_>>());
        }
    }
}

fn added_up(lengths: &[Dim]) -> Dim {
    Dim::sum(lengths).unwrap_or_else(|_| unreachable!("the shape rule has added the lengths up"))
}
