//! Sums over axes and their transpose, repetition.

use tamis_graph::Shape;

use crate::arrange::{broadcast, reshaped, with_ones, without};
use crate::dual::Dual;

/// The sum over `axes`: supported where any element is.
pub(crate) fn sum<'g>(x: &Dual<'g>, axes: &[usize]) -> Dual<'g> {
    x.accumulate(
        axes,
        |value| value.sum(axes),
        |factor| reshaped(factor, without(&factor.shape(), axes)),
        |varying| varying.map(|mask| mask.any(axes)),
    )
}

/// The value repeated along new `axes`, to `shape`.
pub(crate) fn spread<'g>(x: &Dual<'g>, axes: &[usize], shape: &Shape) -> Dual<'g> {
    // Broadcasting adds leading axes by itself.
    let leading = axes.iter().enumerate().take_while(|(i, axis)| i == *axis).count();
    x.rearrange(
        |value| {
            let aligned = with_ones(&value.shape(), axes)[leading..].into();
            broadcast(reshaped(value, aligned), shape.clone())
        },
        |factor| reshaped(factor, with_ones(&factor.shape(), axes)),
    )
}
