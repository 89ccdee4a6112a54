//! Elementwise logic of bools.

use tamis::graph::Logic;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Logic:
    Logic::And => of_pairs("and", |a, b| a & b, [F, F, F, T]),
    Logic::Or => of_pairs("or", |a, b| a | b, [F, T, T, T]),
    Logic::Xor => of_pairs("xor", |a, b| a ^ b, [F, T, T, F]),
    Logic::Not => not(),
}

const F: bool = false;
const T: bool = true;

/// An operator on all pairs of bools, which are of one shape, broadcast, of rank 0, or none.
fn of_pairs(name: &str, f: for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>, table: [bool; 4]) -> Vec<Case> {
    let [ff, ft, tf, tt] = table;
    let of = |what: &str, a, b, result| {
        case(format!("{name} of {what}"), [a, b], move |_, [a, b]| f(a, b), result)
    };
    vec![
        of("all pairs", value([F, F, T, T]), value([F, T, F, T]), value(table)),
        of("a column and a row", value([[F], [T]]), value([F, T]), value([[ff, ft], [tf, tt]])),
        of("rank 0", value(T), value(F), value(tf)),
        of("a matrix and rank 0", value([[F, T]]), value(T), value([[ft, tt]])),
        of("an empty array", empty::<bool>(&[0, 2]), value([F, T]), empty::<bool>(&[0, 2])),
    ]
}

fn not() -> Vec<Case> {
    vec![
        case("not", [value([T, F])], |_, [a]| !a, value([F, T])),
        case("not of a reference", [value([[T], [F]])], |_, [a]| !&a, value([[F], [T]])),
        case("not not", [value([T, F])], |_, [a]| !!a, value([T, F])),
        case("not of rank 0", [value(T)], |_, [a]| !a, value(F)),
    ]
}

/// What is simplified while building means the same.
pub(crate) fn composed() -> Vec<Case> {
    let both = || [value([F, F, T, T]), value([F, T, F, T])];
    let (a, b) = (value([F, F, T, T]), value([[F], [T]]));
    vec![
        case("and with true", [value([T, F])], |_, [a]| a & true, value([T, F])),
        case("and with false", [value([T, F])], |_, [a]| a & false, value([F, F])),
        case("or with true", [value([T, F])], |_, [a]| a | true, value([T, T])),
        case("or with false", [value([T, F])], |_, [a]| a | false, value([T, F])),
        case("xor with true", [value([T, F])], |_, [a]| a ^ true, value([F, T])),
        case("and with itself", [value([T, F])], |_, [a]| a & a, value([T, F])),
        case("and absorbs or", both(), |_, [a, b]| a & (b | a), value([F, F, T, T])),
        case("or absorbs and", both(), |_, [a, b]| (a & b) | a, value([F, F, T, T])),
        case(
            "and absorbs no or of a larger shape",
            [a, b],
            |_, [a, b]| a & (a | b),
            value([[F, F, T, T], [F, F, T, T]]),
        ),
        case("de Morgan", both(), |_, [a, b]| !(a & b) ^ (!a | !b), value([F, F, F, F])),
    ]
}
