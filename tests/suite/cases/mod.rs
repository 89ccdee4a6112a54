//! The cases of every op: one file per family, with a match over its variants.

mod at;
mod binary;
mod compare;
mod composed;
mod index;
mod layout;
mod linalg;
mod logic;
mod mask;
mod order;
mod reduce;
mod scan;
mod scatter;
mod select;
mod source;
mod statistics;
mod unary;

use std::panic::{AssertUnwindSafe, catch_unwind};

use tamis::graph::Op;

use crate::case::Case;
use crate::check::{self, Outcome};

/// The cases of one variant of a family.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) is: fn(&Op) -> bool,
    pub(crate) cases: Vec<Case>,
}

/// Lists the cases of each variant of an op family, as an exhaustive match: a
/// new variant does not compile before it has cases.
macro_rules! variants {
    ($family:ident: $($pattern:pat => $cases:expr),* $(,)?) => {
        pub(crate) fn variants() -> Vec<crate::cases::Variant> {
            let _exhaustive = |op: &$family| match op {
                $($pattern => {})*
            };
            vec![$(crate::cases::Variant {
                name: stringify!($pattern),
                is: |op| matches!(op, tamis::graph::Op::$family($pattern)),
                cases: $cases,
            }),*]
        }
    };
}
use variants;

/// The value of an expression in error is an op that no plan contains.
const NEVER_PLANNED: &str = "Source::Poison";

fn variants_of_all_families() -> Vec<Variant> {
    let families = [
        source::variants,
        unary::variants,
        binary::variants,
        compare::variants,
        logic::variants,
        select::variants,
        mask::variants,
        index::variants,
        reduce::variants,
        scan::variants,
        order::variants,
        layout::variants,
        linalg::variants,
    ];
    families.iter().flat_map(|variants| variants()).collect()
}

/// The cases of builders that are composed of primitives, or of rules that many ops share.
fn composed() -> Vec<Case> {
    let families = [
        source::composed,
        at::composed,
        unary::composed,
        binary::composed,
        index::composed,
        logic::composed,
        select::composed,
        mask::composed,
        reduce::composed,
        layout::composed,
        linalg::composed,
        statistics::composed,
        composed::composed,
    ];
    families.iter().flat_map(|cases| cases()).collect()
}

pub(crate) fn all() -> Vec<Case> {
    variants_of_all_families().into_iter().flat_map(|variant| variant.cases).chain(composed()).collect()
}

/// Asserts of every case what `check` does, and reports all that fail.
#[track_caller]
fn assert_of_all(check: fn(&Case) -> Outcome) {
    let cases = all();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let outcome = catch_unwind(AssertUnwindSafe(|| check(case)));
            let error = match outcome {
                Ok(outcome) => outcome.err()?,
                Err(_) => "it panics".to_owned(),
            };
            Some(format!("{} ({}): {error}", case.name, case.location))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn every_primitive_occurs_in_one_of_its_cases() {
    let missing: Vec<&str> = variants_of_all_families()
        .iter()
        .filter(|variant| !variant.cases.iter().any(|case| check::occurs(case, variant.is)))
        .map(|variant| variant.name)
        .collect();
    assert_eq!(missing, [NEVER_PLANNED]);
}

#[test]
fn names_of_cases_are_different() {
    let mut names: Vec<String> = all().into_iter().map(|case| case.name).collect();
    names.sort_unstable();
    let repeated: Vec<&String> =
        names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
}

#[test]
fn value_dtype_and_shape_are_as_expected_and_as_inferred() {
    assert_of_all(check::value_is_as_expected_and_as_inferred);
}

#[test]
fn building_an_expression_or_its_gradient_twice_adds_nothing() {
    assert_of_all(check::building_twice_adds_nothing);
}

#[test]
fn inputs_may_lie_in_memory_in_any_way() {
    assert_of_all(check::layout_in_memory_does_not_matter);
}

#[test]
fn values_and_gradients_in_f32_are_those_in_f64_rounded() {
    assert_of_all(check::single_precision_agrees);
}

#[test]
fn first_and_second_derivatives_agree_with_differences() {
    assert_of_all(check::derivatives_agree_with_differences);
}

#[test]
fn forward_and_reverse_mode_are_transposes() {
    assert_of_all(check::both_modes_are_transposes);
}

#[test]
fn all_ways_to_a_second_derivative_agree() {
    assert_of_all(check::second_derivatives_agree_with_each_other);
}

#[test]
fn nothing_and_masks_of_an_empty_selection_or_all_come_out_as_inferred() {
    assert_of_all(check::min_and_max_come_out_as_inferred);
}
