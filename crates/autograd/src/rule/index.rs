//! Reading and writing at computed places.

use tamis_graph::{Combine, Index};

use super::Edges;
use crate::linear::Linear::{Cut, Gather, ScatterAdd};
use crate::linear::index::Places;

pub(super) fn state(op: Index, edges: &mut Edges<'_, '_>) {
    match op {
        // d(x[i]) = dx[i]
        Index::Gather(addressing) => {
            let [x, indices] = edges.operands();
            let (tensor, updates) = (x.shape(), edges.output.shape());
            edges.linear(0, || [Gather(Places { addressing, indices, tensor, updates })]);
        }
        Index::Scatter { addressing, combine } => {
            let [x, indices, updates] = edges.operands();
            let places = Places { addressing, indices, tensor: x.shape(), updates: updates.shape() };
            match combine {
                // d(x[i] := u) = dx where nothing was written + du where it was not overwritten
                Combine::Set => {
                    edges.linear(0, || [Cut(!places.hit())]);
                    edges.linear(2, || [Cut(places.winner()), ScatterAdd(places.clone())]);
                }
                // d(x[i] += u) = dx + du added at i
                Combine::Add => {
                    edges.linear(0, || []);
                    edges.linear(2, || [ScatterAdd(places.clone())]);
                }
                // bools have no derivative
                Combine::Or => {}
            }
        }
    }
}
