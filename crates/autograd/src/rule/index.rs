//! Reading and writing at computed indices.

use tamis_graph::{Combine, Expr, Index, along, where_};

use super::Edges;
use crate::arrange::{full, reshaped};
use crate::linear::Linear::{ApplyMask, Gather, Scale, ScatterAdd};
use crate::linear::index::Locations;
use crate::linear::scan::{past_first, shifted};

pub(super) fn linearize(op: Index, edges: &mut Edges<'_, '_>) {
    match op {
        // d(x[i]) = dx[i]
        Index::Gather(addressing) => {
            let [x, indices] = edges.operands();
            let (tensor, updates) = (x.shape(), edges.output.shape());
            edges.linear(0, || [Gather(Locations { addressing, indices, tensor, updates })]);
        }
        Index::Scatter { addressing, combine } => {
            let [x, indices, updates] = edges.operands();
            let locations = Locations { addressing, indices, tensor: x.shape(), updates: updates.shape() };
            match combine {
                // d(x[i] := u) = dx where no value was written + du where it was not
                // overwritten
                Combine::Set => {
                    edges.linear(0, || [ApplyMask(!locations.hit())]);
                    edges.linear(2, || [ApplyMask(locations.winner()), ScatterAdd(locations.clone())]);
                }
                // d(x[i] += u) = dx + du added at i
                Combine::Add => {
                    edges.linear(0, || []);
                    edges.linear(2, || [ScatterAdd(locations.clone())]);
                }
                // d(x[i] ·= u) = dx · (∏ u at i) + du · (the product of the others) at i
                Combine::Mul => {
                    edges.linear(0, || {
                        let one = full(x.graph(), x.shape(), x.dtype(), 1.0);
                        [Scale(locations.write(combine, one, updates))]
                    });
                    edges.linear(2, || {
                        [Scale(product_of_others(&locations, x, updates)), ScatterAdd(locations.clone())]
                    });
                }
                // d(max(x[i], u)) = the mean of the changes of those that are the maximum
                Combine::Max => min_max(edges, &locations, f64::NEG_INFINITY),
                Combine::Min => min_max(edges, &locations, f64::INFINITY),
                // bools have no derivative
                Combine::Or => {}
            }
        }
    }
}

/// Each output element is the maximum, or minimum, of `x` there and of the updates written
/// to it. An `x` that is the neutral element shares no tie with an update, or what a
/// segment starts from would take half the gradient of a maximum of −∞.
fn min_max<'g>(edges: &mut Edges<'g, '_>, locations: &Locations<'g>, neutral: f64) {
    let ([x, _, updates], y) = (edges.operands(), edges.output);
    let of_x = || (x.eq(y) & !(y.eq(neutral) & locations.hit())) | x.is_nan();
    let of_updates = || updates.eq(locations.read(y)) | updates.is_nan();
    let share = || {
        let count = |mask: Expr<'g>| mask.cast(y.dtype());
        locations.write(Combine::Add, count(of_x()), count(of_updates())).recip()
    };
    edges.linear(0, || [ApplyMask(of_x()), Scale(share())]);
    edges.linear(2, || {
        [ApplyMask(of_updates()), Scale(locations.read(share())), ScatterAdd(locations.clone())]
    });
}

/// For every update the product of the other factors of its element.
///
/// The updates are sorted by the element they go to, and a linear recurrence that
/// restarts at each element multiplies the updates before, another those after: no
/// division, so that any number of zeros is right, at any order.
fn product_of_others<'g>(locations: &Locations<'g>, x: Expr<'g>, updates: Expr<'g>) -> Expr<'g> {
    let graph = x.graph();
    let Ok(size) = x.shape().size() else { unreachable!("the size of every tensor has been checked") };
    let offsets = locations.read(reshaped(graph.iota(size), x.shape())).flatten();
    let order = offsets.argsort(0);
    let (offsets, factors) = (offsets.gather(order, 0), updates.flatten().gather(order, 0));
    let one_side = |reverse: bool| {
        let first = !past_first(graph, &offsets.shape(), 0, reverse);
        let begins = first | offsets.ne(shifted(offsets, 0, reverse));
        let starts = begins.cast(x.dtype());
        let carried = where_(begins, 0.0, shifted(factors, 0, reverse));
        let axis = if reverse { along(0).reverse() } else { along(0) };
        carried.linear_scan(starts, axis)
    };
    let others = one_side(false) * one_side(true);
    reshaped(others.gather(order.argsort(0), 0), updates.shape()) * locations.read(x)
}
