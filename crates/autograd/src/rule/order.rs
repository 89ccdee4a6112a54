//! Sorting. Indices are integers, which have no derivative.

use tamis_graph::{Addressing, DType, Expr, Order, Shape, where_};

use super::Edges;
use crate::arrange::full;
use crate::linear::Linear::{Gather, Scale, ScatterAdd};
use crate::linear::index::Locations;
use crate::linear::scan::{past_first, shifted};

pub(super) fn linearize(op: Order, edges: &mut Edges<'_, '_>) {
    match op {
        Order::Argmax { .. } | Order::Argmin { .. } | Order::Argsort { .. } => {}
        // d(x at its k largest) = the mean of dx over the elements equal to each
        Order::TopK { axis } => {
            let ([x, chosen], chosen_shape) = (edges.operands(), edges.output.shape());
            edges.linear(0, || {
                let along = |indices, updates: Shape| Locations {
                    addressing: Addressing::AlongAxis(axis),
                    indices,
                    tensor: x.shape(),
                    updates,
                };
                let groups = along(groups(x, axis), x.shape());
                let one = full(x.graph(), x.shape(), x.dtype(), 1.0);
                let sizes = full(x.graph(), x.shape(), x.dtype(), 0.0).scatter_add_along_axis(
                    groups.indices,
                    one,
                    axis,
                );
                [
                    ScatterAdd(groups.clone()),
                    Scale(sizes.recip()),
                    Gather(groups),
                    Gather(along(chosen, chosen_shape)),
                ]
            });
        }
    }
}

/// For every element the number of its group of equals along `axis`, counted in
/// sorted order. A NaN is a group of its own.
fn groups<'g>(x: Expr<'g>, axis: usize) -> Expr<'g> {
    let order = x.argsort(axis);
    let sorted = x.take_along_axis(order, axis);
    let first = !past_first(x.graph(), &x.shape(), axis, false);
    let begins = where_(first, false, sorted.ne(shifted(sorted, axis, false)));
    let numbers = begins.cast(DType::I64).cumsum(axis);
    numbers.take_along_axis(order.argsort(axis), axis)
}
