//! Places of extreme elements.

use tamis::graph::Order;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Order:
    Order::Argmax { .. } => argmax(),
    Order::Argmin { .. } => argmin(),
}

const NAN: f64 = f64::NAN;

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
        case("argmax to nothing", [empty::<f64>(&[0, 3])], |_, [x]| x.argmax(1), empty::<i64>(&[0])),
        case(
            "argmax is flat",
            [value([[1.0, 2.0], [4.0, 3.0]])],
            |_, [x]| grad((x.argmax(1).cast(x.dtype()) * x.slice_axis(1, 0)).sum(..), x),
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
        case("argmin of bools", [value([true, false])], |_, [x]| x.argmin(0), value(1i64)),
    ]
}
