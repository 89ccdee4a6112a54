//! Selection by a mask, and back.

use tamis_graph::Mask;

use super::Edges;
use crate::linear::Linear::{ApplyMask, BooleanMask, Unmask};
use crate::linear::mask::aligned;

pub(super) fn linearize(op: Mask, edges: &mut Edges<'_, '_>) {
    match op {
        // d(x[m]) = dx[m]
        Mask::BooleanMask { axis } => {
            let [_, mask] = edges.operands();
            edges.linear(0, || [BooleanMask { axis, mask }]);
        }
        // d(unmask(v, m, fill)) = unmask(dv, m, 0) + dfill where not m
        Mask::Unmask { axis } => {
            let ([_, mask, _], rank) = (edges.operands(), edges.output.rank());
            edges.linear(0, || [Unmask { axis, mask }]);
            edges.elementwise(2, || [ApplyMask(!aligned(mask, axis, rank))]);
        }
        // coordinates are integers
        Mask::Argwhere => {}
    }
}
