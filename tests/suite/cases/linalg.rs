//! Matrix products.

use ndarray::array;
use tamis::graph::Linalg;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, full, value};
use crate::case::{Case, case};

variants! {
    Linalg:
    Linalg::Matmul { mask_a: false, mask_b: false } => matmul(),
    Linalg::Matmul { mask_a: true, mask_b: false } => masked_left(),
    Linalg::Matmul { mask_a: false, mask_b: true } => masked_right(),
    Linalg::Matmul { mask_a: true, mask_b: true } => masked_both(),
}

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn matmul() -> Vec<Case> {
    let (a, b) = (|| value([[1.0, 2.0], [3.0, 4.0]]), || value([[5.0, 6.0], [7.0, 8.0]]));
    vec![
        case("matmul", [a(), b()], |_, [a, b]| a.matmul(b), value([[19.0, 22.0], [43.0, 50.0]])).smooth(),
        case(
            "matmul of a row and a column",
            [value([[1.0, 2.0, 3.0]]), value([[4.0], [5.0], [6.0]])],
            |_, [a, b]| a.matmul(b),
            value([[32.0]]),
        )
        .smooth(),
        case(
            "matmul of a column and a row",
            [value([[1.0], [2.0]]), value([[3.0, 4.0, 5.0]])],
            |_, [a, b]| a.matmul(b),
            value([[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]]),
        )
        .smooth(),
        case(
            "matmul over an inner axis of length 0",
            [empty::<f64>(&[2, 0]), empty::<f64>(&[0, 3])],
            |_, [a, b]| a.matmul(b),
            full(&[2, 3], 0.0),
        )
        .smooth(),
        case(
            "matmul of no rows",
            [empty::<f64>(&[0, 2]), b()],
            |_, [a, b]| a.matmul(b),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
        case(
            "matmul of an expression with itself",
            [a()],
            |_, [a]| a.matmul(a),
            value([[7.0, 10.0], [15.0, 22.0]]),
        )
        .smooth(),
        case(
            "matmul with the transpose",
            [a()],
            |_, [a]| a.matmul(a.transpose()),
            value([[5.0, 11.0], [11.0, 25.0]]),
        )
        .smooth(),
        case(
            "matmul of NaN and infinities",
            [value([[1.0, 0.0], [NAN, 1.0]]), value([[1.0, 2.0], [INF, 3.0]])],
            |_, [a, b]| a.matmul(b),
            value([[NAN, 2.0], [NAN, NAN]]),
        ),
        case(
            "matmul of i32s wraps",
            [value([[65536, 1]]), value([[65536], [7]])],
            |_, [a, b]| a.matmul(b),
            value([[7]]),
        ),
        case(
            "matmul of u8s wraps",
            [value([[16u8, 1]]), value([[16u8], [5]])],
            |_, [a, b]| a.matmul(b),
            value([[5u8]]),
        ),
        case(
            "matmul of i64s",
            [value([[2i64, 3]]), value([[4i64], [5]])],
            |_, [a, b]| a.matmul(b),
            value([[23i64]]),
        ),
        case(
            "matmul promotes",
            [value([[2, 3]]), value([[0.5], [1.0]])],
            |_, [a, b]| a.matmul(b),
            value([[4.0]]),
        ),
        case(
            "matmul of a selection",
            [a(), b(), value([F, T])],
            |_, [a, b, m]| a.boolean_mask(m).matmul(b),
            value([[43.0, 50.0]]),
        )
        .smooth(),
    ]
}

/// No builder masks a factor: it is what gradients of masked products are made with.
fn masked<'g, const N: usize>(mask_a: bool, mask_b: bool, operands: [Expr<'g>; N]) -> Expr<'g> {
    operands[0].graph().apply(Linalg::Matmul { mask_a, mask_b }, &operands)
}

fn masked_left() -> Vec<Case> {
    let b = || value([[1.0, 10.0], [2.0, 20.0]]);
    vec![
        case(
            "matmul with a mask on the left",
            [value([[1.0, 2.0], [3.0, 4.0]]), b(), value([[T, F], [T, T]])],
            |_, operands| masked(true, false, operands),
            value([[1.0, 10.0], [11.0, 110.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "matmul with a mask of rows on the left",
            [value([[1.0, 2.0], [3.0, 4.0]]), b(), value([[T], [F]])],
            |_, operands| masked(true, false, operands),
            value([[5.0, 50.0], [0.0, 0.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "matmul reads no masked factor on the left",
            [value([[1.0, NAN], [INF, 4.0]]), b(), value([[T, F], [F, T]])],
            |_, operands| masked(true, false, operands),
            value([[1.0, 10.0], [8.0, 80.0]]),
        )
        .with_equal_lengths(),
        case(
            "matmul ignores what meets a masked factor on the left",
            [value([[1.0, 2.0]]), value([[3.0], [NAN]]), value([[T, F]])],
            |_, operands| masked(true, false, operands),
            value([[3.0]]),
        )
        .with_equal_lengths(),
    ]
}

fn masked_right() -> Vec<Case> {
    let a = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "matmul with a mask on the right",
            [a(), value([[1.0, 10.0], [2.0, 20.0]]), value([[T, F], [T, T]])],
            |_, operands| masked(false, true, operands),
            value([[5.0, 40.0], [11.0, 80.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "matmul reads no masked factor on the right, and ignores what meets it",
            [value([[1.0, NAN]]), value([[3.0, NAN], [INF, 4.0]]), value([[T, F], [F, F]])],
            |_, operands| masked(false, true, operands),
            value([[3.0, 0.0]]),
        )
        .with_equal_lengths(),
    ]
}

fn masked_both() -> Vec<Case> {
    vec![
        case(
            "matmul with both masks",
            [
                value([[1.0, 2.0], [3.0, 4.0]]),
                value([[1.0, 10.0], [2.0, 20.0]]),
                value([[T, T], [F, T]]),
                value([[T, F], [T, T]]),
            ],
            |_, operands| masked(true, true, operands),
            value([[5.0, 40.0], [8.0, 80.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "matmul with both masks uses only what neither masks",
            [value([[NAN, 2.0]]), value([[1.0], [NAN]]), value([[F, T]]), value([[T], [F]])],
            |_, operands| masked(true, true, operands),
            value([[0.0]]),
        )
        .with_equal_lengths(),
        case(
            "matmul of masked integers",
            [value([[1, 2]]), value([[3], [4]]), value([[F, T]]), value([[T], [T]])],
            |_, operands| masked(true, true, operands),
            value([[8]]),
        )
        .with_equal_lengths(),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    let (a, row, column) = (|| value([[1.0, 2.0], [3.0, 4.0]]), || value([5.0, 6.0]), || value([1.0, 10.0]));
    let batch = || value([[[1.0, 2.0]], [[3.0, 4.0]], [[5.0, 6.0]]]);
    let columns = || value([[[1.0], [10.0]], [[2.0], [20.0]], [[3.0], [30.0]]]);
    vec![
        case(
            "matmul of a matrix and a vector",
            [a(), column()],
            |_, [a, v]| a.matmul(v),
            value([21.0, 43.0]),
        )
        .smooth(),
        case("matmul of a vector and a matrix", [row(), a()], |_, [v, a]| v.matmul(a), value([23.0, 34.0]))
            .smooth(),
        case("matmul of two vectors", [row(), column()], |_, [a, b]| a.matmul(b), value(65.0)).smooth(),
        case(
            "matmul of a batch",
            [batch(), columns()],
            |_, [a, b]| a.matmul(b),
            value([[[21.0]], [[86.0]], [[195.0]]]),
        )
        .smooth(),
        case(
            "matmul of a batch and a matrix",
            [batch(), a()],
            |_, [a, b]| a.matmul(b),
            value([[[7.0, 10.0]], [[15.0, 22.0]], [[23.0, 34.0]]]),
        )
        .smooth(),
        case(
            "matmul of a vector and a batch",
            [row(), columns()],
            |_, [v, b]| v.matmul(b),
            value([[65.0], [130.0], [195.0]]),
        )
        .smooth(),
        case(
            "matmul of a batch and a vector",
            [batch(), column()],
            |_, [a, v]| a.matmul(v),
            value([[21.0], [43.0], [65.0]]),
        )
        .smooth(),
        case(
            "matmul of batches that broadcast",
            [value(array![[[[1.0, 2.0]]], [[[3.0, 4.0]]]]), columns()],
            |_, [a, b]| a.matmul(b).flatten(),
            value([21.0, 42.0, 63.0, 43.0, 86.0, 129.0]),
        )
        .smooth(),
        case(
            "matmul of a batch of none",
            [empty::<f64>(&[0, 1, 2]), a()],
            |_, [a, b]| a.matmul(b),
            empty::<f64>(&[0, 1, 2]),
        )
        .smooth(),
        case(
            "matmul of vectors of none",
            [empty::<f64>(&[0]), empty::<f64>(&[0])],
            |_, [a, b]| a.matmul(b),
            value(0.0),
        )
        .smooth(),
        case(
            "matmul of rows selected afterwards",
            [value([[NAN, NAN], [3.0, 4.0]]), column(), value([F, T])],
            |_, [a, v, m]| where_(m, a.matmul(v), 0.0),
            value([0.0, 43.0]),
        ),
        case(
            "the gradient of rows of a product selected afterwards does not read the others",
            [value([[NAN, NAN], [3.0, 4.0]]), column(), value([F, T])],
            |_, [a, v, m]| grad(where_(m, a.matmul(v), 0.0).sum(..), v),
            value([3.0, 4.0]),
        ),
    ]
}
