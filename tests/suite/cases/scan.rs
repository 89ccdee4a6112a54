//! Running reductions.

use tamis::along;
use tamis::graph::{Direction, Scan};

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Scan:
    Scan::Cumsum(Direction { exclusive: false, reverse: false, .. }) => cumsum(),
    Scan::Cumsum(Direction { exclusive: false, reverse: true, .. }) => cumsum_reverse(),
    Scan::Cumsum(Direction { exclusive: true, reverse: false, .. }) => cumsum_exclusive(),
    Scan::Cumsum(Direction { exclusive: true, reverse: true, .. }) => cumsum_exclusive_reverse(),
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
        case("cumsum of nothing", [empty::<f64>(&[0, 2])], |_, [x]| x.cumsum(0), empty::<f64>(&[0, 2]))
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
            "cumsum exclusive of nothing",
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
            format!("{name} of nothing"),
            [empty::<bool>(&[0])],
            move |graph, [m]| graph.apply(along(0), &[m]),
            empty::<bool>(&[0]),
        ),
    ]
}
