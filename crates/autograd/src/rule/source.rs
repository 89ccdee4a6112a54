//! Leaves have no operands.

use tamis_graph::Source;

pub(super) fn linearize(op: &Source) {
    match op {
        Source::Input { .. }
        | Source::Constant(_)
        | Source::Scalar(_)
        | Source::Iota { .. }
        | Source::Size(_)
        | Source::Poison => {}
    }
}
