//! Running reductions.

use tamis::along;
use tamis::graph::{Direction, Scan};
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Scan:
    Scan::Cumsum(Direction { exclusive: false, reverse: false, .. }) => cumsum(),
    Scan::Cumsum(Direction { exclusive: false, reverse: true, .. }) => cumsum_reverse(),
    Scan::Cumsum(Direction { exclusive: true, reverse: false, .. }) => cumsum_exclusive(),
    Scan::Cumsum(Direction { exclusive: true, reverse: true, .. }) => cumsum_exclusive_reverse(),
    Scan::Cumprod(Direction { exclusive: false, reverse: false, .. }) => cumprod(),
    Scan::Cumprod(Direction { exclusive: false, reverse: true, .. }) => {
        products("cumprod reverse", |x, axis| x.cumprod(along(axis).reverse()), [0.0, 0.0, 12.0, 4.0])
    },
    Scan::Cumprod(Direction { exclusive: true, reverse: false, .. }) => {
        products("cumprod exclusive", |x, axis| x.cumprod(along(axis).exclusive()), [1.0, 2.0, 0.0, 0.0])
    },
    Scan::Cumprod(Direction { exclusive: true, reverse: true, .. }) => {
        products(
            "cumprod exclusive reverse",
            |x, axis| x.cumprod(along(axis).exclusive().reverse()),
            [0.0, 12.0, 4.0, 1.0],
        )
    },
    Scan::Linear { reverse: false, .. } => linear_scan(),
    Scan::Linear { reverse: true, .. } => linear_scan_reverse(),
    Scan::RunningOr(Direction { exclusive: false, reverse: false, .. }) => {
        running_or("running_or", (false, false), [F, T, T, T])
    },
    Scan::RunningOr(Direction { exclusive: false, reverse: true, .. }) => {
        running_or("running_or reverse", (false, true), [T, T, F, F])
    },
    Scan::RunningOr(Direction { exclusive: true, reverse: false, .. }) => {
        running_or("running_or exclusive", (true, false), [F, F, T, T])
    },
    Scan::RunningOr(Direction { exclusive: true, reverse: true, .. }) => {
        running_or("running_or exclusive reverse", (true, true), [T, F, F, F])
    },
}

const F: bool = false;
const T: bool = true;

fn matrix() -> tamis::Value {
    value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

fn cumsum() -> Vec<Case> {
    vec![
        case("cumsum", [value([1.0, 2.0, 3.0])], |_, [x]| x.cumsum(0), value([1.0, 3.0, 6.0])).smooth(),
        case(
            "cumsum of columns",
            [matrix()],
            |_, [x]| x.cumsum(0),
            value([[1.0, 2.0, 3.0], [5.0, 7.0, 9.0]]),
        )
        .smooth(),
        case(
            "cumsum of rows",
            [matrix()],
            |_, [x]| x.cumsum(-1).square(),
            value([[1.0, 9.0, 36.0], [16.0, 81.0, 225.0]]),
        )
        .smooth(),
        case(
            "cumsum of an empty array",
            [empty::<f64>(&[0, 2])],
            |_, [x]| x.cumsum(0),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
        case(
            "cumsum of rows without elements",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.cumsum(1),
            empty::<f64>(&[2, 0]),
        )
        .smooth(),
        case("cumsum of bools is in i64", [value([T, F, T])], |_, [x]| x.cumsum(0), value([1i64, 1, 2])),
        case("cumsum of u8s is in i64", [value([200u8, 100])], |_, [x]| x.cumsum(0), value([200i64, 300])),
        case(
            "cumsum of i32s is in i64",
            [value([i32::MAX, 1])],
            |_, [x]| x.cumsum(0),
            value([2_147_483_647_i64, 2_147_483_648]),
        ),
        case(
            "cumsum of i64s wraps",
            [value([i64::MAX, 1])],
            |_, [x]| x.cumsum(0),
            value([i64::MAX, i64::MIN]),
        ),
        case(
            "cumsum of a selection",
            [value([3, -1, 2])],
            |_, [x]| x.boolean_mask(x.gt(0)).cumsum(0),
            value([3i64, 5]),
        ),
        case(
            "cumsum stays NaN",
            [value([1.0, f64::NAN, 1.0])],
            |_, [x]| x.cumsum(0),
            value([1.0, f64::NAN, f64::NAN]),
        ),
    ]
}

fn cumsum_reverse() -> Vec<Case> {
    vec![
        case(
            "cumsum reverse",
            [value([1.0, 2.0, 3.0])],
            |_, [x]| x.cumsum(along(0).reverse()),
            value([6.0, 5.0, 3.0]),
        )
        .smooth(),
        case(
            "cumsum reverse of rows",
            [matrix()],
            |_, [x]| x.cumsum(along(1).reverse()),
            value([[6.0, 5.0, 3.0], [15.0, 11.0, 6.0]]),
        )
        .smooth(),
    ]
}

fn cumsum_exclusive() -> Vec<Case> {
    vec![
        case(
            "cumsum exclusive",
            [value([1.0, 2.0, 3.0])],
            |_, [x]| x.cumsum(along(0).exclusive()),
            value([0.0, 1.0, 3.0]),
        )
        .smooth(),
        case(
            "cumsum exclusive of columns",
            [matrix()],
            |_, [x]| x.cumsum(along(0).exclusive()),
            value([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]),
        )
        .smooth(),
        case(
            "cumsum exclusive of an empty array",
            [empty::<i64>(&[0])],
            |_, [x]| x.cumsum(along(0).exclusive()),
            empty::<i64>(&[0]),
        ),
    ]
}

fn cumsum_exclusive_reverse() -> Vec<Case> {
    let both = |axis| along(axis).exclusive().reverse();
    vec![
        case(
            "cumsum exclusive reverse",
            [value([1.0, 2.0, 3.0])],
            move |_, [x]| x.cumsum(both(0)),
            value([5.0, 3.0, 0.0]),
        )
        .smooth(),
        case(
            "cumsum exclusive reverse of rows",
            [matrix()],
            move |_, [x]| x.cumsum(both(1)),
            value([[5.0, 3.0, 0.0], [11.0, 6.0, 0.0]]),
        )
        .smooth(),
    ]
}

/// `[F, T, F, F]` and its column; no builder writes it, but supports of gradients are made with it.
fn running_or(name: &str, (exclusive, reverse): (bool, bool), expected: [bool; 4]) -> Vec<Case> {
    let along = move |axis| Scan::RunningOr(Direction { axis, exclusive, reverse });
    let marks = [F, T, F, F];
    let expected_column = expected.map(|mark| [mark]);
    vec![
        case(name, [value(marks)], move |graph, [m]| graph.apply(along(0), &[m]), value(expected)),
        case(
            format!("{name} of a column"),
            [value(marks.map(|mark| [mark]))],
            move |graph, [m]| graph.apply(along(0), &[m]),
            value(expected_column),
        ),
        case(
            format!("{name} of an empty array"),
            [empty::<bool>(&[0])],
            move |graph, [m]| graph.apply(along(0), &[m]),
            empty::<bool>(&[0]),
        ),
    ]
}

fn cumprod() -> Vec<Case> {
    let mut cases = products("cumprod", |x, axis| x.cumprod(axis), [2.0, 0.0, 0.0, 0.0]);
    cases.extend([
        case(
            "cumprod without zeros",
            [value([1.0, -2.0, 3.0, 4.0])],
            |_, [x]| x.cumprod(0),
            value([1.0, -2.0, -6.0, -24.0]),
        )
        .smooth(),
        case(
            "cumprod of columns without zeros",
            [matrix()],
            |_, [x]| x.cumprod(0),
            value([[1.0, 2.0, 3.0], [4.0, 10.0, 18.0]]),
        )
        .smooth(),
        case("cumprod of two zeros", [value([0.0, 3.0, 0.0, 2.0])], |_, [x]| x.cumprod(0), value([0.0; 4]))
            .smooth(),
        case("cumprod of only zeros", [value([0.0; 3])], |_, [x]| x.cumprod(0), value([0.0; 3])).smooth(),
        slope("cumprod has a slope at a zero", [2.0, 0.0, 3.0, 4.0], [1.0, 32.0, 0.0, 0.0]),
        slope("cumprod has a slope at the first of two zeros", [0.0, 3.0, 0.0, 2.0], [4.0, 0.0, 0.0, 0.0]),
        slope("cumprod has a slope at zeros alone", [0.0; 4], [1.0, 0.0, 0.0, 0.0]),
        case(
            "the curvature of cumprod at two zeros",
            [value([0.0, 0.0, 5.0])],
            |_, [x]| tamis::hessian(x.cumprod(0).sum(..), x),
            value([[0.0, 6.0, 0.0], [6.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        )
        .with_known_lengths(),
        case(
            "cumprod of 0 and infinity",
            [value([2.0, 0.0, f64::INFINITY, 1.0])],
            |_, [x]| x.cumprod(0),
            value([2.0, 0.0, f64::NAN, f64::NAN]),
        ),
        case(
            "cumprod of i32s is in i64",
            [value([65536, 65536])],
            |_, [x]| x.cumprod(0),
            value([65536i64, 1 << 32]),
        ),
        case("cumprod of i64s wraps", [value([i64::MAX, 2])], |_, [x]| x.cumprod(0), value([i64::MAX, -2])),
        case("cumprod of u8s is in i64", [value([200u8, 2])], |_, [x]| x.cumprod(0), value([200i64, 400])),
        case(
            "cumprod of bools is in i64",
            [value([T, T, F, T])],
            |_, [x]| x.cumprod(0),
            value([1i64, 1, 0, 0]),
        ),
        case("cumprod of f32s", [value([0.5f32, 3.0])], |_, [x]| x.cumprod(0), value([0.5f32, 1.5])).smooth(),
    ]);
    cases
}

/// The gradient of the sum of the running products.
#[track_caller]
fn slope(name: &str, x: [f64; 4], expected: [f64; 4]) -> Case {
    case(name, [value(x)], |_, [x]| grad(x.cumprod(0).sum(..), x), value(expected))
}

/// The running products of `[2, 0, 3, 4]`, which has a zero, in both directions of a
/// matrix, and of no elements.
fn products(name: &str, of: for<'g> fn(Expr<'g>, i64) -> Expr<'g>, expected: [f64; 4]) -> Vec<Case> {
    let x = [2.0, 0.0, 3.0, 4.0];
    vec![
        case(name, [value(x)], move |_, [x]| of(x, 0), value(expected)).smooth(),
        case(
            format!("{name} of a column"),
            [value(x.map(|x| [x, 1.0]))],
            move |_, [x]| of(x, 0),
            value(expected.map(|y| [y, 1.0])),
        )
        .smooth(),
        case(
            format!("{name} of rows"),
            [value([x, [1.0; 4]])],
            move |_, [x]| of(x, -1),
            value([expected, [1.0; 4]]),
        )
        .smooth(),
        case(
            format!("{name} of integers"),
            [value(x.map(|x| x as i64))],
            move |_, [x]| of(x, 0),
            value(expected.map(|y| y as i64)),
        ),
        case(
            format!("{name} of an empty array"),
            [empty::<f64>(&[0, 2])],
            move |_, [x]| of(x, 0),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
    ]
}

fn linear_scan() -> Vec<Case> {
    vec![
        case(
            "linear_scan",
            [value([0.5, 0.5, 0.5]), value([1.0, 0.0, 4.0])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0, 0.5, 4.25]),
        )
        .smooth(),
        case(
            "linear_scan of columns",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[1.0, 10.0], [0.5, 0.25]])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([[1.0, 10.0], [3.5, 40.25]]),
        )
        .smooth(),
        case(
            "linear_scan of rows",
            [value([[9.0, 2.0, -1.0]]), value([[1.0, 1.0, 1.0]])],
            |_, [a, b]| a.linear_scan(b, -1).square(),
            value([[1.0, 9.0, 4.0]]),
        )
        .smooth(),
        case(
            "linear_scan of a column and a row",
            [value([[0.5], [2.0]]), value([1.0, 2.0, 4.0])],
            |_, [a, b]| a.linear_scan(b, 1),
            value([[1.0, 2.5, 5.25], [1.0, 4.0, 12.0]]),
        )
        .smooth(),
        case(
            "linear_scan by a factor of rank 0",
            [value(2.0), value([1.0, 1.0, 1.0])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0, 3.0, 7.0]),
        )
        .smooth(),
        case(
            "linear_scan starts anew after a factor of 0",
            [value([2.0, 3.0, 0.0, 5.0]), value([1.0, 1.0, 1.0, 1.0])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0, 4.0, 1.0, 6.0]),
        )
        .smooth(),
        case(
            "linear_scan has no slope at the first factor",
            [value([2.0, 3.0]), value([5.0, 7.0])],
            |graph, [a, b]| graph.stack(grad(a.linear_scan(b, 0).sum(..), [a, b]), 0),
            value([[0.0, 5.0], [4.0, 1.0]]),
        ),
        case(
            "linear_scan of an expression with itself",
            [value([2.0, 3.0, 0.5])],
            |_, [x]| x.linear_scan(x, 0),
            value([2.0, 9.0, 5.0]),
        )
        .smooth(),
        case(
            "linear_scan of ones is cumsum",
            [value([1.0, 2.0, 3.0])],
            |graph, [b]| graph.scalar(1.0).linear_scan(b, 0),
            value([1.0, 3.0, 6.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
        case(
            "linear_scan of an empty array",
            [empty::<f64>(&[0]), empty::<f64>(&[0])],
            |_, [a, b]| a.linear_scan(b, 0),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "linear_scan gives on NaN",
            [value([1.0, 1.0, 1.0]), value([1.0, f64::NAN, 1.0])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0, f64::NAN, f64::NAN]),
        ),
        case(
            "linear_scan of i32s is in f64",
            [value([2, 2]), value([1, 1])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0, 3.0]),
        ),
        case(
            "linear_scan of u8s is in f32",
            [value([2u8, 2]), value([1u8, 1])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0f32, 3.0]),
        ),
        case(
            "linear_scan of f32s and f64s is in f64",
            [value([2.0f32, 2.0]), value([1.0, 1.0])],
            |_, [a, b]| a.linear_scan(b, 0),
            value([1.0, 3.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
    ]
}

fn linear_scan_reverse() -> Vec<Case> {
    vec![
        case(
            "linear_scan reverse",
            [value([0.5, 0.5, 0.25]), value([1.0, 0.0, 4.0])],
            |_, [a, b]| a.linear_scan(b, along(0).reverse()),
            value([2.0, 2.0, 4.0]),
        )
        .smooth(),
        case(
            "linear_scan reverse of columns",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[1.0, 10.0], [0.5, 0.25]])],
            |_, [a, b]| a.linear_scan(b, along(0).reverse()),
            value([[1.5, 10.5], [0.5, 0.25]]),
        )
        .smooth(),
        case(
            "linear_scan reverse of a column and a row",
            [value([[0.5], [2.0]]), value([1.0, 2.0, 4.0])],
            |_, [a, b]| a.linear_scan(b, along(-1).reverse()),
            value([[3.0, 4.0, 4.0], [21.0, 10.0, 4.0]]),
        )
        .smooth(),
        case(
            "linear_scan reverse has no slope at the last factor",
            [value([2.0, 3.0]), value([5.0, 7.0])],
            |graph, [a, b]| graph.stack(grad(a.linear_scan(b, along(0).reverse()).sum(..), [a, b]), 0),
            value([[7.0, 0.0], [1.0, 3.0]]),
        ),
    ]
}
