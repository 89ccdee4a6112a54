//! Arrangements: a change is arranged like what changes.

use tamis_graph::{Dim, Layout};

use super::Edges;
use crate::linear::Linear::{Pad, Permute, Relabel, Reshape, Slice};
use crate::linear::layout::{Window, Windows};

pub(super) fn state(op: &Layout, edges: &mut Edges<'_, '_>) {
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
        // d(concat(a, b, …)) = da in its place + db in its place + …
        Layout::Concat { axis } => concat(edges, *axis),
        Layout::Guard { op, .. } => edges.linear(0, || [Relabel { from, to, op }]),
        Layout::Checked | Layout::Assert { .. } => edges.linear(0, || []),
    }
}

fn concat(edges: &mut Edges<'_, '_>, axis: usize) {
    let to = edges.output.shape();
    let mut start = Dim::ZERO;
    for operand in 0..edges.operands.len() {
        let from = edges.operands[operand].shape();
        let len = from[axis].clone();
        let Ok(next) = start.add(&len) else { unreachable!("the shape rule has added the lengths up") };
        edges.linear(operand, || {
            let mut windows: Windows = from.iter().map(Window::whole).collect();
            windows[axis] = Window { start, step: 1, len, size: to[axis].clone() };
            [Pad(windows)]
        });
        start = next;
    }
}
