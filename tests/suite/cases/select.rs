//! Elementwise choice.

use tamis::graph::Select;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Select:
    Select::Where => where_cases(),
}

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;

fn where_cases() -> Vec<Case> {
    let (mask, a, b) = (value([T, F, T]), value([1.0, 2.0, 3.0]), value([-1.0, -2.0, -3.0]));
    let rows = [value([[T], [F]]), value([1.0, 2.0]), value([[-1.0, -2.0], [-3.0, -4.0]])];
    vec![
        case("where", [mask.clone(), a.clone(), b], |_, [m, a, b]| where_(m, a, b), value([1.0, -2.0, 3.0]))
            .smooth(),
        case("where broadcasts", rows, |_, [m, a, b]| where_(m, a, b), value([[1.0, 2.0], [-3.0, -4.0]]))
            .smooth(),
        case(
            "where by a mask of rank 0",
            [value(F), value([1.0, 2.0]), value(5.0)],
            |_, [m, a, b]| where_(m, a, b),
            value([5.0, 5.0]),
        )
        .smooth(),
        case(
            "where or a scalar",
            [mask.clone(), a.clone()],
            |_, [m, a]| where_(m, a, 0.5),
            value([1.0, 0.5, 3.0]),
        )
        .smooth(),
        case(
            "where a scalar or",
            [mask.clone(), a.clone()],
            |_, [m, a]| where_(m, 0, a),
            value([0.0, 2.0, 0.0]),
        )
        .smooth(),
        case(
            "where ignores what it does not choose",
            [mask.clone(), value([1.0, NAN, 3.0]), value([NAN, 2.0, NAN])],
            |_, [m, a, b]| where_(m, a, b),
            value([1.0, 2.0, 3.0]),
        ),
        case(
            "where of an empty array",
            [empty::<bool>(&[0]), empty::<f64>(&[0])],
            |_, [m, a]| where_(m, a, 1.0),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "where by a mask made of the data",
            [value([0.0, 4.0, -1.0])],
            |_, [x]| where_(x.gt(0.0), x.sqrt(), 0.0),
            value([0.0, 2.0, 0.0]),
        ),
        case(
            "where has no slope at what it does not choose",
            [value([0.0, 4.0])],
            |_, [x]| {
                let dx = grad(where_(x.gt(0.0), x.sqrt(), 0.0).sum(..), x);
                x.graph().stack([dx, grad(dx.sum(..), x)], 0)
            },
            value([[0.0, 0.25], [0.0, -0.03125]]),
        ),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    let mask = || value([T, F]);
    vec![
        case(
            "where of i32s and f32s",
            [mask(), value([1, 2]), value([0.5f32, 1.5])],
            |_, [m, a, b]| where_(m, a, b),
            value([1.0f32, 1.5]),
        ),
        case(
            "where of bools",
            [mask(), value([F, F]), value([T, T])],
            |_, [m, a, b]| where_(m, a, b),
            value([F, T]),
        ),
        case("where of u8s", [mask(), value([1u8, 2])], |_, [m, a]| where_(m, a, 7), value([1u8, 7])),
        case("where of two floats is in f64", [mask()], |_, [m]| where_(m, 1.0, 0.0), value([1.0, 0.0])),
        case("where of two integers is in i64", [mask()], |_, [m]| where_(m, 1, 0), value([1i64, 0])),
        case("where of two bools", [mask()], |_, [m]| where_(m, false, true), value([F, T])),
        case(
            "where of an integer and a float is in f64",
            [mask()],
            |_, [m]| where_(m, 1, 0.5),
            value([1.0, 0.5]),
        ),
        case(
            "where of a mask or false is and",
            [mask(), value([T, T])],
            |_, [m, a]| where_(m, a, false),
            value([T, F]),
        ),
        case(
            "where of one thing is that",
            [mask(), value([1.5, 2.5])],
            |_, [m, a]| where_(m, a, a),
            value([1.5, 2.5]),
        )
        .smooth(),
        case(
            "where of where is a conjunction",
            [value([T, T, F]), value([T, F, T]), value([1.0, 2.0, 3.0])],
            |_, [m, n, x]| where_(m, where_(n, x.square(), x), 0.0),
            value([1.0, 2.0, 0.0]),
        )
        .smooth(),
        case(
            "the sum of two choices",
            [value([T, T, F]), value([1.0, 2.0, 3.0]), value([4.0, 5.0, 6.0])],
            |_, [m, x, y]| (where_(m, x, 0.0) + where_(!m, y, 0.0)) * x,
            value([1.0, 4.0, 18.0]),
        )
        .smooth(),
    ]
}
