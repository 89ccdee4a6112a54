//! Selection by a mask, and back.

use tamis_graph::{Expr, Mask};

use crate::arrange::{broadcast, full, ones, reshaped, spliced};
use crate::masked_derivative::MaskedDerivative;
use crate::support::{Support, varies};

/// The elements under `mask`, in row-major order, on one axis.
pub(crate) fn boolean_mask<'g>(
    x: &MaskedDerivative<'g>,
    axis: usize,
    mask: Expr<'g>,
) -> MaskedDerivative<'g> {
    let masked = axis..axis + mask.rank();
    let axes: Vec<usize> = masked.clone().collect();
    let select = |x: Expr<'g>| x.graph().apply(Mask::BooleanMask { axis }, &[x, mask]);
    x.rearrange(select, |factor| {
        if varies(factor, &axes) {
            let full = spliced(&factor.shape(), masked.clone(), &mask.shape());
            select(broadcast(factor, full))
        } else {
            reshaped(factor, spliced(&factor.shape(), masked.clone(), &ones(1)))
        }
    })
}

/// The elements back at their positions, 0 elsewhere: there, the support is empty.
pub(crate) fn unmask<'g>(x: &MaskedDerivative<'g>, axis: usize, mask: Expr<'g>) -> MaskedDerivative<'g> {
    let graph = mask.graph();
    let restored = |values: Expr<'g>| {
        let fill = full(graph, ones(0), values.dtype(), 0.0);
        graph.apply(Mask::Unmask { axis }, &[values, mask, fill])
    };
    let mut covered = false;
    let mut support = x.support.map(|factor| {
        if varies(factor, &[axis]) {
            covered = true;
            restored(factor)
        } else {
            reshaped(factor, spliced(&factor.shape(), axis..axis + 1, &ones(mask.rank())))
        }
    });
    let value = restored(x.value);
    if !covered {
        support = support.and(&Support::of_mask(aligned(mask, axis, value.rank()), value.rank()));
    }
    MaskedDerivative::new(value, support, x.is_clean())
}

/// `mask`, whose axes are those of a value of `rank` from `axis` on, with 1s
/// appended so that it broadcasts to the value.
pub(crate) fn aligned(mask: Expr<'_>, axis: usize, rank: usize) -> Expr<'_> {
    let end = mask.rank();
    reshaped(mask, spliced(&mask.shape(), end..end, &ones(rank - axis - end)))
}
