//! Reductions, `y = reduce(x)`.

use tamis_graph::{AxisList, Expr, Reduce, Scalar};

use super::Edges;
use crate::arrange::{reshaped, with_ones};
use crate::linear::Linear::{Cut, Scale, Sum};

pub(super) fn state(op: &Reduce, edges: &mut Edges<'_, '_>) {
    let [x] = edges.operands();
    match op {
        // d(Σ x) = Σ dx
        Reduce::Sum(axes) => edges.linear(0, || [Sum { axes: axes.clone(), shape: x.shape() }]),
        // d(max x) = the mean of dx over the elements that are the maximum
        Reduce::Max { axes, initial } | Reduce::Min { axes, initial } => {
            let (y, mask) = (edges.output, edges.operands.get(1).copied());
            edges.linear(0, || {
                let extreme = extreme(x, mask, y, axes);
                let share = ties(extreme, y, axes, *initial).recip();
                [Cut(extreme), Sum { axes: axes.clone(), shape: x.shape() }, Scale(share)]
            });
        }
        // bools have no derivative
        Reduce::Any(_) | Reduce::All(_) => {}
    }
}

/// Which elements of `x` are its extremum `y`: those equal to it, or the NaNs
/// that it comes from. An element that is not selected may be equal to it too.
fn extreme<'g>(x: Expr<'g>, mask: Option<Expr<'g>>, y: Expr<'g>, axes: &AxisList) -> Expr<'g> {
    let kept = reshaped(y, with_ones(&y.shape(), axes));
    let extreme = x.eq(kept) | x.is_nan();
    mask.map_or(extreme, |mask| extreme & mask)
}

/// How many elements share an extremum; the initial one is among them.
fn ties<'g>(extreme: Expr<'g>, y: Expr<'g>, axes: &AxisList, initial: Option<Scalar>) -> Expr<'g> {
    let ties = extreme.cast(y.dtype()).sum(&axes[..]);
    let Some(initial) = initial else { return ties };
    ties + y.eq(y.graph().full_value([0usize; 0], initial)).cast(y.dtype())
}
