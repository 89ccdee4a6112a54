//! Running reductions.

use tamis_graph::{Direction, Expr, Scan as Op};

use super::Edges;
use crate::linear::Linear::{ApplyMask, Cumsum, Pad, Scale, Scan, Slice};
use crate::linear::scan::{past_first, shift_windows, shifted};

pub(super) fn linearize(op: Op, edges: &mut Edges<'_, '_>) {
    match op {
        // d(cumsum x) = cumsum dx
        Op::Cumsum(direction) => edges.linear(0, || [Cumsum(direction)]),
        // dyₜ = xₜ dyₜ₋₁ + (∏ xⱼ, j < t) dxₜ: a linear scan, right with any number of zeros
        Op::Cumprod(direction) => cumprod(edges, direction),
        // dhₜ = aₜ dhₜ₋₁ + hₜ₋₁ daₜ + dbₜ
        Op::Linear { axis, reverse } => {
            let ([a, _], h) = (edges.operands(), edges.output);
            let recurrence = Scan { coefficient: a, axis, reverse };
            edges.linear(0, || {
                let carries = past_first(h.graph(), &h.shape(), axis, reverse);
                [ApplyMask(carries), Scale(shifted(h, axis, reverse)), recurrence.clone()]
            });
            edges.linear(1, || [recurrence]);
        }
        // bools have no derivative
        Op::RunningOr(_) => {}
    }
}

fn cumprod(edges: &mut Edges<'_, '_>, direction: Direction) {
    let ([x], y) = (edges.operands(), edges.output);
    let Direction { axis, exclusive, reverse } = direction;
    let before: Expr<'_> = if exclusive {
        y
    } else {
        y.graph().apply(Op::Cumprod(Direction { exclusive: true, ..direction }), &[x])
    };
    edges.linear(0, || {
        let inclusive = [Scale(before), Scan { coefficient: x, axis, reverse }];
        let (taken, moved) = shift_windows(&x.shape(), axis, reverse);
        let shift = exclusive.then(|| [Slice(taken), Pad(moved)]);
        inclusive.into_iter().chain(shift.into_iter().flatten())
    });
}
