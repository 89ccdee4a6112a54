//! Matrix products.

use tamis_graph::{Expr, Linalg};

use super::Edges;
use crate::linear::Linear::{self, ApplyMask, Matmul};
use crate::linear::linalg::Side;
use crate::masked_derivative::MaskedDerivative;
use crate::support::Support;

pub(super) fn linearize(op: Linalg, edges: &mut Edges<'_, '_>) {
    match op {
        // d(a·b) = da·b + a·db, of what is not masked
        Linalg::Matmul { mask_a, mask_b } => {
            let [a, b] = edges.operands();
            let of_a = mask_a.then(|| edges.operands[2]);
            let of_b = mask_b.then(|| edges.operands[2 + usize::from(mask_a)]);
            edges.linear(0, || product(of_a, Side::Right, coefficient(b, of_b)));
            edges.linear(1, || product(of_b, Side::Left, coefficient(a, of_a)));
        }
    }
}

/// The value, masked if it has a mask, times the coefficient.
fn product<'g>(
    mask: Option<Expr<'g>>,
    side: Side,
    coefficient: MaskedDerivative<'g>,
) -> impl Iterator<Item = Linear<'g>> {
    mask.map(ApplyMask).into_iter().chain([Matmul { side, coefficient }])
}

/// The other side, which is unspecified where it is masked.
fn coefficient<'g>(value: Expr<'g>, mask: Option<Expr<'g>>) -> MaskedDerivative<'g> {
    let support = mask.map_or_else(Support::default, |mask| Support::of_mask(mask, value.rank()));
    MaskedDerivative::new(value, support, false)
}
