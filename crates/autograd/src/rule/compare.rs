//! Comparisons give bools, which have no derivative.

use tamis_graph::Compare;

pub(super) fn linearize(op: Compare) {
    match op {
        Compare::Eq
        | Compare::Ne
        | Compare::Lt
        | Compare::Le
        | Compare::Gt
        | Compare::Ge
        | Compare::IsNan
        | Compare::IsFinite
        | Compare::IsInf => {}
    }
}
