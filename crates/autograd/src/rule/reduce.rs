//! Reductions, `y = reduce(x)`.

use tamis_graph::{AxisList, Expr, Reduce, ReduceKind, Scalar, Shape, along};

use super::Edges;
use crate::arrange::{reshaped, spliced, with_ones};
use crate::linear::Linear::{ApplyMask, Scale, Sum};
use crate::linear::layout::inverse;

pub(super) fn linearize(op: &Reduce, edges: &mut Edges<'_, '_>) {
    let [x] = edges.operands();
    let Reduce { kind, axes, initial } = op;
    match kind {
        // d(Σ x) = Σ dx
        ReduceKind::Sum => edges.linear(0, || [Sum { axes: axes.clone(), shape: x.shape() }]),
        // d(max x) = the mean of dx over the elements that are the maximum
        ReduceKind::Max | ReduceKind::Min => {
            let is_max = *kind == ReduceKind::Max;
            let (y, mask) = (edges.output, edges.operands.get(1).copied());
            edges.linear(0, || {
                let min_max = min_max(x, mask, y, axes);
                // A neutral initial element shares no tie.
                let neutral = if is_max { x.dtype().lowest() } else { x.dtype().highest() };
                let initial = initial.filter(|initial| *initial != neutral);
                let share = ties(min_max, y, axes, initial).recip();
                [ApplyMask(min_max), Sum { axes: axes.clone(), shape: x.shape() }, Scale(share)]
            });
        }
        // d(∏ x) = Σ (∏ xⱼ, j ≠ i) dxᵢ
        ReduceKind::Prod => edges
            .linear(0, || [Scale(product_of_others(x, axes)), Sum { axes: axes.clone(), shape: x.shape() }]),
        // bools have no derivative
        ReduceKind::Any | ReduceKind::All => {}
    }
}

/// Which elements of `x` are its extremum `y`: those equal to it, or the NaNs
/// that it comes from. An element that is not selected may be equal to it too.
fn min_max<'g>(x: Expr<'g>, mask: Option<Expr<'g>>, y: Expr<'g>, axes: &AxisList) -> Expr<'g> {
    let kept = reshaped(y, with_ones(&y.shape(), axes));
    let min_max = x.eq(kept) | x.is_nan();
    mask.map_or(min_max, |mask| min_max & mask)
}

/// How many elements share an extremum; the initial one is among them.
fn ties<'g>(min_max: Expr<'g>, y: Expr<'g>, axes: &AxisList, initial: Option<Scalar>) -> Expr<'g> {
    let ties = min_max.cast(y.dtype()).sum(&axes[..]);
    let Some(initial) = initial else { return ties };
    ties + y.eq(y.graph().full_value([0usize; 0], initial)).cast(y.dtype())
}

/// For every element the product of the others over `axes`: what is before it
/// times what is after it, with no division, so that zeros do not matter.
fn product_of_others<'g>(x: Expr<'g>, axes: &AxisList) -> Expr<'g> {
    let rank = x.rank();
    let kept = (0..rank).filter(|axis| !axes.contains(axis));
    let order: AxisList = kept.chain(axes.iter().copied()).collect();
    let permuted = x.permute(&order[..]);
    let (shape, outer) = (permuted.shape(), rank - axes.len());
    let inner: Shape = shape[outer..].into();
    let Ok(size) = inner.size() else { unreachable!("the size of every tensor has been checked") };
    let rows = reshaped(permuted, spliced(&shape, outer..rank, &[size]));
    let others = rows.cumprod(along(outer).exclusive()) * rows.cumprod(along(outer).exclusive().reverse());
    reshaped(others, shape).permute(&inverse(&order)[..])
}
