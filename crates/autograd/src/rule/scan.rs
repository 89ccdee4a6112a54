//! Running reductions.

use tamis_graph::Scan;

use super::Edges;
use crate::linear::Linear::Cumsum;

pub(super) fn state(op: Scan, edges: &mut Edges<'_, '_>) {
    match op {
        // d(cumsum x) = cumsum dx
        Scan::Cumsum(direction) => edges.linear(0, || [Cumsum(direction)]),
        // bools have no derivative
        Scan::RunningOr(_) => {}
    }
}
