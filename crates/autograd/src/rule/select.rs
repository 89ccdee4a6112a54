//! Elementwise choice by a mask.

use tamis_graph::Select;

use super::Edges;
use crate::linear::Linear::ApplyMask;

pub(super) fn linearize(op: Select, edges: &mut Edges<'_, '_>) {
    let [mask, _, _] = edges.operands();
    match op {
        // d(where(m, a, b)) = da where m, db where not m
        Select::Where => {
            edges.elementwise(1, || [ApplyMask(mask)]);
            edges.elementwise(2, || [ApplyMask(!mask)]);
        }
    }
}
