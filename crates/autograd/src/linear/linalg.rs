//! Matrix products: linear in either side, with the other as coefficient.

use tamis_graph::{Expr, Linalg, keep};

use super::layout;
use super::reduce::selects_any;
use crate::arrange::{matrix_transpose, ones, reshaped};
use crate::masked_derivative::{MaskedDerivative, selected};
use crate::support::Support;

/// On which side of the value the coefficient stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// `coefficient · value`.
    Left,
    /// `value · coefficient`.
    Right,
}

/// The matrices transposed, with their support.
pub(crate) fn transposed<'g>(x: &MaskedDerivative<'g>) -> MaskedDerivative<'g> {
    layout::permute(x, &matrix_transpose(x.value.rank()))
}

/// `a · b`: the sum over the inner axis of the terms of which both sides are supported.
///
/// To select only one side is not enough: its zeros would meet a NaN of the
/// other. So factors are sorted by the axes they vary along, and each kind is used as cheaply
/// as it can be.
pub(crate) fn matmul<'g>(a: &MaskedDerivative<'g>, b: &MaskedDerivative<'g>) -> MaskedDerivative<'g> {
    let last = a.value.rank() - 1;
    // `a` is [.., n, k] and `b` is [.., k, m].
    let (of_a, of_b) = (sort(&a.support, last, last - 1), sort(&b.support, last - 1, last));
    let terms_a = of_a.terms.and(&transposed_support(&of_b.terms));
    let terms_b = transposed_support(&terms_a);
    let left = select(a, &of_a.terms, &terms_a);
    let right = select(b, &of_b.terms, &terms_b);
    let value = masked_product(left, right, [of_a.elements.conjunction(), of_b.elements.conjunction()]);

    // A row is supported where any of its terms is, and so is a column. All rows, or
    // columns, are alike where no mask of elements distinguishes them.
    let (alike_rows, alike_columns) = (of_a.elements.is_everywhere(), of_b.elements.is_everywhere());
    let any = |terms: Support<'g>, axis: usize| terms.conjunction().map(|mask| mask.any(keep(axis)));
    let columns = if alike_columns { None } else { any(terms_b.and(&of_b.elements), last - 1) };
    let implied = alike_rows && !alike_columns;
    let rows = if implied { None } else { any(terms_a.and(&of_a.elements), last) };
    let selected = selects_any(a.value.graph(), std::iter::once(&a.value.shape()[last]));
    let selected: Support<'g> = selected.map(|mask| reshaped(mask, ones(last + 1))).into_iter().collect();
    let passing = of_a.passing.and(&of_b.passing).and(&selected);
    let clean = passing.is_everywhere();
    MaskedDerivative::new(value, passing.and(&rows.into_iter().chain(columns).collect()), clean)
}

/// The factors of one side of a product by what they vary along.
struct Sorted<'g> {
    /// Not the inner axis: they pass to the result.
    passing: Support<'g>,
    /// The inner axis, but not the outer one of this side, as padded keys do:
    /// they say which terms there are. Selecting both sides leaves a plain product.
    terms: Support<'g>,
    /// Both, as causal rows do: they become a mask operand of the product.
    elements: Support<'g>,
}

fn sort<'g>(support: &Support<'g>, inner: usize, outer: usize) -> Sorted<'g> {
    let (passing, varying) = support.split(&[inner]);
    let (terms, elements) = varying.split(&[outer]);
    Sorted { passing, terms, elements }
}

/// The factors of one side as they lie on the other.
fn transposed_support<'g>(support: &Support<'g>) -> Support<'g> {
    support.map(|factor| factor.permute(&matrix_transpose(factor.rank())[..]))
}

/// One side selected by `terms`; if it is clean, by those that are not its `own`.
fn select<'g>(side: &MaskedDerivative<'g>, own: &Support<'g>, terms: &Support<'g>) -> Expr<'g> {
    let [_, others, _] = terms.compare(own);
    selected(side.value, if side.is_clean() { &others } else { terms })
}

/// The product without the terms whose factors are masked.
fn masked_product<'g>(a: Expr<'g>, b: Expr<'g>, masks: [Option<Expr<'g>>; 2]) -> Expr<'g> {
    let op = Linalg::Matmul { mask_a: masks[0].is_some(), mask_b: masks[1].is_some() };
    let operands: Vec<Expr<'g>> = [a, b].into_iter().chain(masks.into_iter().flatten()).collect();
    a.graph().apply(op, &operands)
}
