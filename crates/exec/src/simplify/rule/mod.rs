//! The table: which rules are tried on an op, in order.
//!
//! A rule is given a node and finds an expression with the same bits in every
//! run, NaN, infinities and the signs of zeros included; if it finds one of
//! another type, that does not count. A rule that leaves an operand out asks
//! first whether a run might refuse to compute it. `docs/simplify.md` says why
//! each is exact.

mod arithmetic;
mod commute;
mod constant;
mod index;
mod layout;
mod logic;
mod mask;
mod reduce;
mod select;

use tamis_graph::{Node, NodeId, Op};

use super::rewriter::Rewriter;

pub(super) type Rule = fn(&mut Rewriter<'_>, &Node) -> Option<NodeId>;

/// The rules for an op, by its family.
pub(super) fn rules(op: &Op) -> &'static [Rule] {
    match op {
        Op::Source(_) => &[constant::known_size, constant::shared],
        Op::Unary(_) => &[
            constant::reduction,
            arithmetic::stop_gradient,
            arithmetic::twice,
            arithmetic::cast_of_cast,
            select::cast_of_choice,
            commute::broadcast_later,
            commute::select_later,
        ],
        Op::Binary(_) => &[
            constant::reduction,
            arithmetic::literal_last,
            arithmetic::neutral,
            arithmetic::divided_by_power,
            arithmetic::times_zero,
            arithmetic::of_equals,
            select::times_mask,
            commute::broadcast_later,
            commute::select_later,
        ],
        Op::Compare(_) => &[
            constant::reduction,
            arithmetic::flipped,
            logic::known_answer,
            commute::broadcast_later,
            commute::select_later,
        ],
        Op::Logic(_) => &[
            constant::reduction,
            arithmetic::sorted,
            logic::follows,
            logic::one_comparison,
            logic::exclusive,
            commute::broadcast_later,
            commute::select_later,
        ],
        Op::Select(_) => &[
            constant::reduction,
            select::known_choice,
            select::choice_of_equals,
            select::by_complement,
            select::choice_of_choice,
            select::choice_of_numbers,
            select::choice_of_masks,
            commute::broadcast_later,
            commute::select_later,
        ],
        Op::Mask(_) => &[
            mask::unmask_of_selection,
            mask::unmask_of_repeats,
            mask::selection_of_unmask,
            mask::selection_of_choice,
            mask::selection_of_selection,
            mask::selection_of_flat,
            mask::selection_of_repeats,
            mask::by_everything,
        ],
        Op::Index(_) => &[index::gather_of_argwhere, index::scatter_of_argwhere],
        Op::Reduce(_) => &[
            reduce::of_selection,
            reduce::of_unmask,
            reduce::of_literal,
            reduce::count_of_true,
            reduce::of_reduction,
            reduce::of_reshape,
            reduce::of_repeats,
        ],
        Op::Layout(_) => &[layout::of_arrangement, layout::of_scalar],
        Op::Scan(_) | Op::Order(_) | Op::Linalg(_) => &[],
    }
}
