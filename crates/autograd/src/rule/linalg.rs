//! Matrix products.

use tamis_graph::{Expr, Linalg};

use super::Edges;
use crate::dual::Dual;
use crate::linear::Linear::{self, Cut, Matmul};
use crate::linear::linalg::Side;
use crate::support::Support;

pub(super) fn state(op: Linalg, edges: &mut Edges<'_, '_>) {
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

/// The value, cut by its mask if it has one, times the coefficient.
fn product<'g>(
    mask: Option<Expr<'g>>,
    side: Side,
    coefficient: Dual<'g>,
) -> impl Iterator<Item = Linear<'g>> {
    mask.map(Cut).into_iter().chain([Matmul { side, coefficient }])
}

/// The other side, which means nothing where it is masked.
fn coefficient<'g>(value: Expr<'g>, mask: Option<Expr<'g>>) -> Dual<'g> {
    let support = mask.map_or_else(Support::default, |mask| Support::of_mask(mask, value.rank()));
    Dual::new(value, support, false)
}
