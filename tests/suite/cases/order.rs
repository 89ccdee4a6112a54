//! Indices of maxima and minima, and sorting.

use tamis::descending;
use tamis::graph::Order;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Order:
    Order::Argmax { .. } => [argmax(), masked_argmax()].concat(),
    Order::Argmin { .. } => [argmin(), masked_argmin()].concat(),
    Order::Argsort { descending: false, .. } => [argsort(), sort()].concat(),
    Order::Argsort { descending: true, .. } => descending_sort(),
    Order::TopK { .. } => top_k(),
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn argmax() -> Vec<Case> {
    vec![
        case("argmax", [value([1.0, 7.0, 3.0])], |_, [x]| x.argmax(0), value(1i64)),
        case(
            "argmax takes the first of equals",
            [value([[1, 5, 5], [7, 2, 7]])],
            |_, [x]| x.argmax(1),
            value([1i64, 0]),
        ),
        case("argmax of columns", [value([[1, 5], [7, 2]])], |_, [x]| x.argmax(0), value([1i64, 0])),
        case("argmax takes the first NaN", [value([1.0, NAN, 9.0, NAN])], |_, [x]| x.argmax(0), value(1i64)),
        case(
            "argmax of -inf",
            [value([f64::NEG_INFINITY, f64::NEG_INFINITY])],
            |_, [x]| x.argmax(0),
            value(0i64),
        ),
        case("argmax of bools", [value([false, true, true])], |_, [x]| x.argmax(-1), value(1i64)),
        case("argmax of u8s", [value([200u8, 255])], |_, [x]| x.argmax(0), value(1i64)),
        case(
            "argmax of all axes is the index into the flattened tensor",
            [value([[1.0, 5.0, 5.0], [7.0, 2.0, 7.0]])],
            |_, [x]| x.argmax(..),
            value(3i64),
        ),
        case(
            "argmax of columns, kept",
            [value([[1, 5, 0], [7, 2, 0]])],
            |_, [x]| x.argmax(keep(0)),
            value([[1i64, 0, 0]]),
        ),
        case(
            "argmax of rows, kept",
            [value([[1, 5, 0], [7, 2, 0]])],
            |_, [x]| x.argmax(keep(-1)),
            value([[1i64], [0]]),
        ),
        case(
            "argmax of all axes, kept",
            [value([[1, 5], [7, 2]])],
            |_, [x]| x.argmax(keep(..)),
            value([[2i64]]),
        ),
        case(
            "argmax of two axes side by side is the index into both",
            [value([[[1, 5], [7, 2]], [[0, 0], [1, 2]]])],
            |_, [x]| x.argmax([1, 2]),
            value([2i64, 3]),
        ),
        case(
            "argmax of the first and the last axis is the index into both",
            [value([[[1, 5], [7, 2]], [[9, 0], [1, 8]]])],
            |_, [x]| x.argmax(keep([0, -1])),
            value([[[2i64], [3]]]),
        ),
        case("argmax of no axes", [value([1, 5])], |_, [x]| x.argmax([0_i64; 0]), value([0i64, 0])),
        case("argmax of rank 0", [value(2.5)], |_, [x]| x.argmax(..), value(0i64)),
        case("argmax of the axis of rank 0", [value(2.5)], |_, [x]| x.argmax(keep(-1)), value(0i64)),
        case("argmax to an empty array", [empty::<f64>(&[0, 3])], |_, [x]| x.argmax(1), empty::<i64>(&[0])),
        case(
            "argmax is flat",
            [value([[1.0, 2.0], [4.0, 3.0]])],
            |_, [x]| grad((x.argmax(1).cast(x.dtype()) * x.slice_axis(0, 1)).sum(..), x),
            value([[1.0, 0.0], [0.0, 0.0]]),
        ),
    ]
}

fn argmin() -> Vec<Case> {
    vec![
        case("argmin", [value([1.0, -7.0, 3.0])], |_, [x]| x.argmin(0), value(1i64)),
        case(
            "argmin takes the first of equals",
            [value([[5, 1, 1], [2, 7, 2]])],
            |_, [x]| x.argmin(1),
            value([1i64, 0]),
        ),
        case("argmin takes the first NaN", [value([3.0, NAN, 1.0])], |_, [x]| x.argmin(0), value(1i64)),
        case("argmin of i64s", [value([i64::MAX, i64::MIN])], |_, [x]| x.argmin(0), value(1i64)),
        case(
            "argmin of all axes, of a transposed tensor",
            [value([[3.0, 2.0], [1.0, 4.0]])],
            |_, [x]| x.transpose().argmin(..),
            value(1i64),
        ),
        case(
            "argmin of columns, kept",
            [value([[1, 5], [7, 2]])],
            |_, [x]| x.argmin(keep(0)),
            value([[0i64, 1]]),
        ),
        case("argmin of bools", [value([true, false])], |_, [x]| x.argmin(0), value(1i64)),
    ]
}

fn masked_argmax() -> Vec<Case> {
    let x = || value([[3.0, NAN, 1.0], [-INF, 9.0, -INF]]);
    let m = || value([[true, false, true], [true, false, true]]);
    vec![
        case(
            "masked argmax: a selected -inf beats what is not selected",
            [x(), m()],
            |_, [x, m]| x.masked(m).argmax(1),
            value([0i64, 0]),
        ),
        case("masked argmax of all axes", [x(), m()], |_, [x, m]| x.masked(m).argmax(..), value(0i64)),
        case(
            "masked argmax of all axes of the lower row",
            [x(), value([[false, false, false], [false, true, true]])],
            |_, [x, m]| x.masked(m).argmax(keep(..)),
            value([[4i64]]),
        ),
        case(
            "masked argmax takes the first selected NaN",
            [value([NAN, 1.0, NAN, NAN]), value([false, true, true, true])],
            |_, [x, m]| x.masked(m).argmax(0),
            value(2i64),
        ),
        case(
            "masked argmax takes the first selected of equals",
            [value([7, 7, 7]), value([false, true, true])],
            |_, [x, m]| x.masked(m).argmax(0),
            value(1i64),
        ),
        case(
            "masked argmax of columns, kept, with an index for an empty selection",
            [value([[1, 5, 0], [7, 2, 0]]), value([[true, true, false], [false, true, false]])],
            |_, [x, m]| x.masked(m).if_empty(-1).argmax(keep(0)),
            value([[0i64, 0, -1]]),
        ),
        case(
            "masked argmax with an expression for an empty selection",
            [value([[1, 5], [7, 2]]), value([[true, true], [false, false]]), value(42i64)],
            |_, [x, m, e]| x.masked(m).if_empty(e).argmax(1),
            value([1i64, 42]),
        ),
        case(
            "masked argmax of an axis without elements, with an index for an empty selection",
            [empty::<f64>(&[2, 0]), empty::<bool>(&[2, 0])],
            |_, [x, m]| x.masked(m).if_empty(-1).argmax(1),
            value([-1i64, -1]),
        ),
        case(
            "masked argmax with a mask that broadcasts",
            [value([[1, 5, 9], [7, 2, 9]]), value([[true, true, false]])],
            |_, [x, m]| x.masked(m).argmax(1),
            value([1i64, 0]),
        ),
        case(
            "masked argmax of bools",
            [value([true, false, true]), value([false, true, true])],
            |_, [x, m]| x.masked(m).argmax(0),
            value(2i64),
        ),
        case(
            "masked argmax of rank 0",
            [value(2.5), value(false)],
            |_, [x, m]| x.masked(m).if_empty(-1).argmax(0),
            value(-1i64),
        ),
        case(
            "masked argmax reads the largest selected, whose slope is 1",
            [x(), m()],
            |_, [x, m]| grad(x.take_along_axis(x.masked(m).argmax(keep(1)), 1).sum(..), x),
            value([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]),
        ),
    ]
}

fn masked_argmin() -> Vec<Case> {
    vec![
        case(
            "masked argmin: a selected inf beats what is not selected",
            [value([[1.0, INF, NAN], [0.0, 2.0, 1.0]]), value([[false, true, false], [false, true, true]])],
            |_, [x, m]| x.masked(m).argmin(1),
            value([1i64, 2]),
        ),
        case(
            "masked argmin takes the first selected NaN",
            [value([3.0, NAN, 1.0]), value([true, true, true])],
            |_, [x, m]| x.masked(m).argmin(0),
            value(1i64),
        ),
        case(
            "masked argmin of all axes of u8s",
            [value([[3u8, 0], [2, 200]]), value([[true, false], [true, true]])],
            |_, [x, m]| x.masked(m).argmin(..),
            value(2i64),
        ),
        case(
            "masked argmin of none, with an index for an empty selection",
            [value([3i64, 1]), value([false, false])],
            |_, [x, m]| x.masked(m).if_empty(7).argmin(..),
            value(7i64),
        ),
    ]
}

fn argsort() -> Vec<Case> {
    vec![
        case("argsort", [value([3.0, 1.0, 2.0])], |_, [x]| x.argsort(0), value([1i64, 2, 0])),
        case(
            "argsort keeps the order of equals",
            [value([2, 1, 2, 1])],
            |_, [x]| x.argsort(0),
            value([1i64, 3, 0, 2]),
        ),
        case(
            "argsort puts NaN last",
            [value([NAN, 1.0, INF, NAN, -INF])],
            |_, [x]| x.argsort(0),
            value([4i64, 1, 2, 0, 3]),
        ),
        case(
            "argsort takes zeros of both signs for equals",
            [value([0.0, -0.0, 0.0])],
            |_, [x]| x.argsort(0),
            value([0i64, 1, 2]),
        ),
        case(
            "argsort of rows",
            [value([[3, 1, 2], [4, 6, 5]])],
            |_, [x]| x.argsort(-1),
            value([[1i64, 2, 0], [0, 2, 1]]),
        ),
        case(
            "argsort of columns",
            [value([[3, 1, 2], [1, 6, 2]])],
            |_, [x]| x.argsort(0),
            value([[1i64, 0, 0], [0, 1, 1]]),
        ),
        case("argsort of bools", [value([true, false, true])], |_, [x]| x.argsort(0), value([1i64, 0, 2])),
        case("argsort of u8s", [value([200u8, 100])], |_, [x]| x.argsort(0), value([1i64, 0])),
        case("argsort of i64s", [value([i64::MAX, i64::MIN, 0])], |_, [x]| x.argsort(0), value([1i64, 2, 0])),
        case("argsort of rank 0", [value(2.5)], |_, [x]| x.argsort(-1), value(0i64)),
        case(
            "argsort of an empty array",
            [empty::<f64>(&[2, 0])],
            |_, [x]| x.argsort(1),
            empty::<i64>(&[2, 0]),
        ),
        case(
            "argsort is flat",
            [value([3.0, 1.0])],
            |_, [x]| grad((x.argsort(0).cast(x.dtype()) * x).sum(..), x),
            value([1.0, 0.0]),
        ),
    ]
}

fn sort() -> Vec<Case> {
    let weighed = [value([2.0, 2.0, 1.0]), value([1.0, 10.0, 100.0])];
    vec![
        case("sort", [value([3.0, 1.0, 2.0])], |_, [x]| x.sort(0), value([1.0, 2.0, 3.0])).smooth(),
        case(
            "sort of rows",
            [value([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0]])],
            |_, [x]| x.sort(1).square(),
            value([[1.0, 4.0, 9.0], [16.0, 25.0, 36.0]]),
        )
        .smooth(),
        case(
            "sort of columns",
            [value([[3.0, 1.0], [2.0, 4.0]])],
            |_, [x]| x.sort(-2),
            value([[2.0, 1.0], [3.0, 4.0]]),
        )
        .smooth(),
        case(
            "sort puts NaN last",
            [value([NAN, 1.0, INF, -INF])],
            |_, [x]| x.sort(0),
            value([-INF, 1.0, INF, NAN]),
        ),
        case("sort of i32s", [value([3, i32::MIN, 3])], |_, [x]| x.sort(0), value([i32::MIN, 3, 3])),
        case("sort of bools", [value([true, false])], |_, [x]| x.sort(0), value([false, true])),
        case("sort of rank 0", [value(2.5)], |_, [x]| x.sort(descending(0)), value(2.5)).smooth(),
        case("sort of an empty array", [empty::<f64>(&[0])], |_, [x]| x.sort(0), empty::<f64>(&[0])).smooth(),
        case(
            "the slope of sort goes back through the permutation, of equals in their order",
            weighed,
            |_, [x, w]| grad((x.sort(0) * w).sum(..), x),
            value([10.0, 100.0, 1.0]),
        ),
    ]
}

fn descending_sort() -> Vec<Case> {
    vec![
        case(
            "argsort descending keeps the order of equals",
            [value([2, 1, 2, 1])],
            |_, [x]| x.argsort(descending(0)),
            value([0i64, 2, 1, 3]),
        ),
        case(
            "argsort descending puts NaN last",
            [value([NAN, 1.0, INF, NAN, -INF])],
            |_, [x]| x.argsort(descending(0)),
            value([2i64, 1, 4, 0, 3]),
        ),
        case(
            "argsort descending of u8s",
            [value([[0u8, 255, 7]])],
            |_, [x]| x.argsort(descending(1)),
            value([[1i64, 2, 0]]),
        ),
        case(
            "argsort descending of the ends of i64",
            [value([i64::MIN, i64::MAX, i64::MIN])],
            |_, [x]| x.argsort(descending(0)),
            value([1i64, 0, 2]),
        ),
        case(
            "sort descending",
            [value([3.0, 1.0, 2.0])],
            |_, [x]| x.sort(descending(0)),
            value([3.0, 2.0, 1.0]),
        )
        .smooth(),
        case(
            "sort descending of columns",
            [value([[3.0, 1.0], [2.0, 4.0]])],
            |_, [x]| x.sort(descending(0)),
            value([[3.0, 4.0], [2.0, 1.0]]),
        )
        .smooth(),
        case(
            "sort descending puts NaN last",
            [value([NAN, 1.0, 3.0])],
            |_, [x]| x.sort(descending(0)),
            value([3.0, 1.0, NAN]),
        ),
        case(
            "sort descending of an empty array",
            [empty::<f64>(&[0, 2])],
            |_, [x]| x.sort(descending(0)),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
    ]
}

/// The gradient of the `k` largest, weighed 1, 10 and so on.
#[track_caller]
fn top_slope<const N: usize>(name: &str, k: i64, x: [f64; N], expected: [f64; N]) -> Case {
    case(
        name,
        [value(x)],
        move |graph, [x]| {
            let weights = graph.scalar(10.0).pow(graph.iota(k).cast(tamis::DType::F64));
            grad((x.top_k(k, 0).0.cast(tamis::DType::F64) * weights).sum(..), x)
        },
        value(expected),
    )
}

fn top_k() -> Vec<Case> {
    vec![
        case("top_k", [value([3.0, 9.0, 5.0])], |_, [x]| x.top_k(2, 0).0, value([9.0, 5.0])).smooth(),
        case("the indices of top_k", [value([3.0, 9.0, 5.0])], |_, [x]| x.top_k(2, 0).1, value([1i64, 2])),
        case("top_k of all", [value([3.0, 9.0, 5.0])], |_, [x]| x.top_k(3, 0).0, value([9.0, 5.0, 3.0]))
            .smooth(),
        case("top_k of none", [value([3.0, 9.0])], |_, [x]| x.top_k(0, 0).0, empty::<f64>(&[0])).smooth(),
        case(
            "the indices of top_k of none",
            [value([3.0, 9.0])],
            |_, [x]| x.top_k(0, 0).1,
            empty::<i64>(&[0]),
        ),
        case(
            "top_k of rows",
            [value([[3.0, 9.0, 5.0], [6.0, 1.0, 2.0]])],
            |_, [x]| x.top_k(2, -1).0.square(),
            value([[81.0, 25.0], [36.0, 4.0]]),
        )
        .smooth(),
        case(
            "top_k of columns",
            [value([[3.0, 9.0], [6.0, 1.0], [4.0, 2.0]])],
            |_, [x]| x.top_k(2, 0).0,
            value([[6.0, 9.0], [4.0, 2.0]]),
        )
        .smooth(),
        case(
            "the indices of top_k of columns",
            [value([[3.0, 9.0], [6.0, 1.0], [4.0, 2.0]])],
            |_, [x]| x.top_k(2, 0).1,
            value([[1i64, 0], [2, 2]]),
        ),
        case(
            "top_k takes the first of equals",
            [value([5, 7, 7, 7])],
            |_, [x]| x.top_k(2, 0).1,
            value([1i64, 2]),
        ),
        case(
            "top_k puts NaN last",
            [value([NAN, 2.0, INF, -INF])],
            |_, [x]| x.top_k(3, 0).0,
            value([INF, 2.0, -INF]),
        ),
        case(
            "top_k of all and NaN",
            [value([NAN, 2.0, 3.0])],
            |_, [x]| x.top_k(3, 0).0,
            value([3.0, 2.0, NAN]),
        ),
        case("top_k of u8s", [value([3u8, 255])], |_, [x]| x.top_k(1, 0).0, value([255u8])),
        case("top_k of bools", [value([false, true])], |_, [x]| x.top_k(1, 0).0, value([true])),
        case(
            "top_k of none of an empty array",
            [empty::<f64>(&[0])],
            |_, [x]| x.top_k(0, 0).0,
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "top_k to an empty array",
            [empty::<f64>(&[0, 3])],
            |_, [x]| x.top_k(2, 1).0,
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
        case(
            "top_k of a selection",
            [value([3.0, -1.0, 2.0, 4.0]), value([true, true, true, false])],
            |_, [x, m]| x.boolean_mask(m).top_k(2, 0).0,
            value([3.0, 2.0]),
        )
        .smooth(),
        top_slope(
            "top_k gives ties an even share of the slope",
            1,
            [5.0, 7.0, 7.0, 1.0],
            [0.0, 0.5, 0.5, 0.0],
        ),
        top_slope("top_k shares all slopes of ties", 2, [7.0, 7.0, 7.0], [11.0 / 3.0; 3]),
        top_slope("top_k shares slopes among ties alone", 3, [7.0, 9.0, 7.0, 1.0], [55.0, 1.0, 55.0, 0.0]),
        top_slope("top_k has no slope at a NaN that it leaves", 2, [NAN, 2.0, 3.0], [0.0, 10.0, 1.0]),
        top_slope("top_k of none has no slope", 0, [1.0, 2.0], [0.0, 0.0]),
        case(
            "top_k has no slope at what it does not choose",
            [value([0.0, 4.0, 1.0])],
            |_, [x]| grad(x.sqrt().top_k(2, 0).0.sum(..), x),
            value([0.0, 0.25, 0.5]),
        ),
    ]
}
