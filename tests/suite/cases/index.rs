//! Reading and writing at computed indices.

use tamis::OutOfRange;
use tamis::graph::{Addressing, Combine, Index};
use tamis::prelude::*;

use super::{scatter, variants};
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Index:
    Index::Gather(Addressing::Axis(_)) => gather(),
    Index::Gather(Addressing::AlongAxis(_)) => take_along_axis(),
    Index::Gather(Addressing::Nd) => gather_nd(),
    Index::Scatter { addressing: Addressing::Axis(_), combine: Combine::Set } => scatter_set(),
    Index::Scatter { addressing: Addressing::AlongAxis(_), combine: Combine::Set } => scatter_set_along_axis(),
    Index::Scatter { addressing: Addressing::Nd, combine: Combine::Set } => scatter_nd_set(),
    Index::Scatter { addressing: Addressing::Axis(_), combine: Combine::Add } => scatter_add(),
    Index::Scatter { addressing: Addressing::AlongAxis(_), combine: Combine::Add } => scatter_add_along_axis(),
    Index::Scatter { addressing: Addressing::Nd, combine: Combine::Add } => scatter_nd_add(),
    Index::Scatter { addressing: Addressing::Axis(_), combine: Combine::Mul } => scatter::mul(),
    Index::Scatter { addressing: Addressing::AlongAxis(_), combine: Combine::Mul } => scatter::mul_along_axis(),
    Index::Scatter { addressing: Addressing::Nd, combine: Combine::Mul } => scatter::nd_mul(),
    Index::Scatter { addressing: Addressing::Axis(_), combine: Combine::Max } => scatter::max(),
    Index::Scatter { addressing: Addressing::AlongAxis(_), combine: Combine::Max } => scatter::max_along_axis(),
    Index::Scatter { addressing: Addressing::Nd, combine: Combine::Max } => scatter::nd_max(),
    Index::Scatter { addressing: Addressing::Axis(_), combine: Combine::Min } => scatter::min(),
    Index::Scatter { addressing: Addressing::AlongAxis(_), combine: Combine::Min } => scatter::min_along_axis(),
    Index::Scatter { addressing: Addressing::Nd, combine: Combine::Min } => scatter::nd_min(),
    Index::Scatter { addressing: Addressing::Axis(_), combine: Combine::Or } => scatter_or(),
    Index::Scatter { addressing: Addressing::AlongAxis(_), combine: Combine::Or } => scatter_or_along_axis(),
    Index::Scatter { addressing: Addressing::Nd, combine: Combine::Or } => scatter_nd_or(),
}

const F: bool = false;
const T: bool = true;

fn gather() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    vec![
        case(
            "gather",
            [value([10.0, 20.0, 30.0]), value([2i64, 0, -1, 2])],
            |_, [x, i]| x.gather(i, 0),
            value([30.0, 10.0, 30.0, 30.0]),
        )
        .smooth(),
        case(
            "gather of i32 indices",
            [value([10, 20]), value([1, 1])],
            |_, [x, i]| x.gather(i, 0),
            value([20, 20]),
        ),
        case(
            "gather of u8 indices",
            [value([10.0, 20.0, 30.0]), value([2u8, 0, 2])],
            |_, [x, i]| x.gather(i, 0),
            value([30.0, 10.0, 30.0]),
        )
        .smooth(),
        case(
            "indices of u8s in every addressing",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[0u8, 1], [1, 1]])],
            |_, [x, i]| x.take_along_axis(i, 1) + x.gather_nd(i) + x.scatter_add_along_axis(i, 10, 0),
            // [[1, 2], [4, 4]] + [2, 4] + [[11, 2], [13, 24]]
            value([[14.0, 8.0], [19.0, 32.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "segments and classes of u8s",
            [value([1.0, 2.0, 4.0]), value([1u8, 0, 1])],
            |_, [x, i]| x.segment_sum(i, 2) * i.one_hot(2, tamis::DType::F64).sum(0),
            // [2, 5] · [1, 2]
            value([2.0, 10.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
        case(
            "gather of rows",
            [matrix(), value([1i64, -2])],
            |_, [x, i]| x.gather(i, 0),
            value([[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]),
        )
        .smooth(),
        case(
            "gather of columns",
            [matrix(), value([2i64, 2])],
            |_, [x, i]| x.gather(i, -1),
            value([[3.0, 3.0], [6.0, 6.0]]),
        )
        .smooth(),
        case(
            "gather by an index of rank 0",
            [matrix(), value(1i64)],
            |_, [x, i]| x.gather(i, 0),
            value([4.0, 5.0, 6.0]),
        )
        .smooth(),
        case(
            "gather by a matrix of indices",
            [matrix(), value([[0i64], [1]])],
            |_, [x, i]| x.gather(i, 1),
            value([[[1.0], [2.0]], [[4.0], [5.0]]]),
        )
        .smooth(),
        case(
            "gather of an empty array",
            [matrix(), empty::<i64>(&[0])],
            |_, [x, i]| x.gather(i, 1),
            empty::<f64>(&[2, 0]),
        )
        .smooth(),
        case(
            "gather of an empty array from an empty array",
            [empty::<f64>(&[0]), empty::<i64>(&[0])],
            |_, [x, i]| x.gather(i, 0),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "gather from rows without elements",
            [empty::<f64>(&[2, 0]), value([1i64])],
            |_, [x, i]| x.gather(i, 0),
            empty::<f64>(&[1, 0]),
        )
        .smooth(),
        case("gather of bools", [value([T, F]), value([1i64])], |_, [x, i]| x.gather(i, 0), value([F])),
        case("gather of u8s", [value([7u8, 8]), value([1i64])], |_, [x, i]| x.gather(i, 0), value([8u8])),
        case(
            "gather of one element",
            [value([7.0, 8.0]), value([1i64])],
            |_, [x, i]| x.gather(i, 0),
            value([8.0]),
        )
        .smooth(),
        case(
            "gather by selected indices",
            [value([10.0, 20.0, 30.0]), value([2i64, 0, 1]), value([T, F, T])],
            |_, [x, i, m]| x.gather(i.boolean_mask(m), 0).square(),
            value([900.0, 400.0]),
        )
        .smooth(),
        case(
            "gather at argmax",
            [matrix()],
            |_, [x]| x.gather(x.argmax(1), 1),
            value([[3.0, 3.0], [6.0, 6.0]]),
        )
        .smooth(),
        case(
            "gather has no slope at what it does not read",
            [value([0.0, 4.0]), value([1i64])],
            |_, [x, i]| grad(x.sqrt().gather(i, 0).sum(..), x),
            value([0.0, 0.25]),
        ),
    ]
}

fn take_along_axis() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    vec![
        case(
            "take_along_axis",
            [matrix(), value([[2i64, 0], [-1, -1]])],
            |_, [x, i]| x.take_along_axis(i, 1),
            value([[3.0, 1.0], [6.0, 6.0]]),
        )
        .smooth(),
        case(
            "take_along_axis 0",
            [matrix(), value([[1i64, 0, 1]])],
            |_, [x, i]| x.take_along_axis(i, 0),
            value([[4.0, 2.0, 6.0]]),
        )
        .smooth(),
        case(
            "take_along_axis of one axis",
            [value([7.0, 8.0]), value([1i64, 1, 0])],
            |_, [x, i]| x.take_along_axis(i, 0),
            value([8.0, 8.0, 7.0]),
        )
        .smooth(),
        case(
            "take_along_axis repeats the indices",
            [matrix(), value([[2i64, 0]])],
            |_, [x, i]| x.take_along_axis(i, 1),
            value([[3.0, 1.0], [6.0, 4.0]]),
        )
        .smooth(),
        case(
            "take_along_axis repeats the tensor",
            [value([[1.0, 2.0, 3.0]]), value([[2i64], [0]])],
            |_, [x, i]| x.take_along_axis(i, 1),
            value([[3.0], [1.0]]),
        )
        .smooth(),
        case(
            "take_along_axis of an empty array",
            [matrix(), empty::<i64>(&[2, 0])],
            |_, [x, i]| x.take_along_axis(i, 1),
            empty::<f64>(&[2, 0]),
        )
        .smooth(),
        case(
            "take_along_axis at argmax",
            [matrix()],
            |_, [x]| x.take_along_axis(x.argmax(1).unsqueeze(1), 1),
            value([[3.0], [6.0]]),
        )
        .smooth(),
    ]
}

fn gather_nd() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    vec![
        case(
            "gather_nd",
            [matrix(), value([[0i64, 1], [2, -2], [0, 1]])],
            |_, [x, i]| x.gather_nd(i),
            value([2.0, 5.0, 2.0]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "gather_nd of rows",
            [matrix(), value([[2i64], [0]])],
            |_, [x, i]| x.gather_nd(i),
            value([[5.0, 6.0], [1.0, 2.0]]),
        )
        .smooth(),
        case("gather_nd of one index", [matrix(), value([-1i64, 0])], |_, [x, i]| x.gather_nd(i), value(5.0))
            .with_known_lengths()
            .smooth(),
        case(
            "gather_nd by a matrix of indices",
            [matrix(), value([[[0i64, 0], [1, 1]]])],
            |_, [x, i]| x.gather_nd(i),
            value([[1.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "gather_nd of depth 0 repeats the full array",
            [value([1.0, 2.0]), empty::<i64>(&[2, 0])],
            |_, [x, i]| x.gather_nd(i),
            value([[1.0, 2.0], [1.0, 2.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "gather_nd of no index",
            [matrix(), empty::<i64>(&[0, 2])],
            |_, [x, i]| x.gather_nd(i),
            empty::<f64>(&[0]),
        )
        .with_known_lengths()
        .smooth(),
        case("gather_nd of i32s", [value([[1, 2]]), value([[0, 1]])], |_, [x, i]| x.gather_nd(i), value([2]))
            .with_known_lengths(),
    ]
}

fn scatter_set() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    vec![
        case(
            "scatter_set",
            [value([1.0, 2.0, 3.0]), value([2i64, 0]), value([8.0, 9.0])],
            |_, [x, i, v]| x.scatter_set(i, v, 0),
            value([9.0, 2.0, 8.0]),
        )
        .smooth(),
        case(
            "scatter_set lets the last of duplicates win",
            [value([1.0, 2.0, 3.0]), value([1i64, 0, 1]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_set(i, v, 0),
            value([8.0, 9.0, 3.0]),
        )
        .smooth(),
        case(
            "scatter_set of rows, one of them twice",
            [matrix(), value([-1i64, 1]), value([[1.5, 2.5, 3.5], [4.5, 5.5, 6.5]])],
            |_, [x, i, v]| x.scatter_set(i, v, 0),
            value([[1.0, 2.0, 3.0], [4.5, 5.5, 6.5]]),
        )
        .smooth(),
        case(
            "scatter_set of columns by a matrix of indices",
            [matrix(), value([[2i64], [0]]), value([[[1.5], [2.5]], [[3.5], [4.5]]])],
            |_, [x, i, v]| x.scatter_set(i, v, 1),
            value([[2.5, 2.0, 1.5], [4.5, 5.0, 3.5]]),
        )
        .smooth(),
        case(
            "scatter_set of a scalar",
            [value([1.0, 2.0]), value([1i64, 1])],
            |_, [x, i]| x.scatter_set(i, 9.0, 0),
            value([1.0, 9.0]),
        )
        .smooth(),
        case(
            "scatter_set of one update for all",
            [matrix(), value([0i64, 2]), value([[7.0], [8.0]])],
            |_, [x, i, v]| x.scatter_set(i, v, 1),
            value([[7.0, 2.0, 7.0], [8.0, 5.0, 8.0]]),
        )
        .smooth(),
        case(
            "scatter_set by an index of rank 0",
            [matrix(), value(0i64)],
            |_, [x, i]| x.scatter_set(i, 9, 0),
            value([[9.0, 9.0, 9.0], [4.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_set of an empty array",
            [value([1.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_set(i, 9, 0),
            value([1.0]),
        )
        .smooth(),
        case(
            "scatter_set of i32s into f32s",
            [value([1.0f32]), value([0i64]), value([7])],
            |_, [x, i, v]| x.scatter_set(i, v, 0),
            value([7.0f32]),
        ),
        case(
            "scatter_set of bools",
            [value([F, F]), value([1i64])],
            |_, [x, i]| x.scatter_set(i, true, 0),
            value([F, T]),
        ),
        case(
            "scatter_set of u8s",
            [value([1u8, 2]), value([0i64])],
            |_, [x, i]| x.scatter_set(i, 255, 0),
            value([255u8, 2]),
        ),
        case(
            "the slope of scatter_set goes to the winner alone",
            [value([5.0, 6.0]), value([1i64, 1])],
            |graph, [v, i]| {
                grad(graph.zeros::<f64>([3]).scatter_set(i, v.cast(tamis::DType::F64), 0).sum(..), v)
            },
            value([0.0, 1.0]),
        )
        .unshared(),
        case(
            "scatter_set overwrites what is NaN",
            [value([f64::NAN, 2.0]), value([0i64])],
            |_, [x, i]| x.square().scatter_set(i, 1.0, 0),
            value([1.0, 4.0]),
        ),
    ]
}

fn scatter_set_along_axis() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    vec![
        case(
            "scatter_set_along_axis",
            [matrix(), value([[2i64, 0], [1, -2]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_set_along_axis(i, v, 1),
            value([[8.0, 2.0, 7.0], [4.0, 10.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_set_along_axis 0",
            [matrix(), value([[1i64, 0, 1]]), value([[7.0, 8.0, 9.0]])],
            |_, [x, i, v]| x.scatter_set_along_axis(i, v, 0),
            value([[1.0, 8.0, 3.0], [7.0, 5.0, 9.0]]),
        )
        .smooth(),
        case(
            "scatter_set_along_axis repeats the indices",
            [matrix(), value([[1i64]]), value([[7.0], [8.0]])],
            |_, [x, i, v]| x.scatter_set_along_axis(i, v, 1),
            value([[1.0, 7.0, 3.0], [4.0, 8.0, 6.0]]),
        )
        .smooth(),
    ]
}

fn scatter_nd_set() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "scatter_nd_set",
            [matrix(), value([[0i64, 1], [-1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_set(i, v),
            value([[1.0, 9.0], [8.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_set of rows",
            [matrix(), value([[1i64]]), value([[7.0, 8.0]])],
            |_, [x, i, v]| x.scatter_nd_set(i, v),
            value([[1.0, 2.0], [7.0, 8.0]]),
        )
        .smooth(),
        case(
            "scatter_nd_set of one index",
            [matrix(), value([1i64, 1])],
            |_, [x, i]| x.scatter_nd_set(i, 9.0),
            value([[1.0, 2.0], [3.0, 9.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_set of depth 0 writes the full array",
            [value([1.0, 2.0]), empty::<i64>(&[2, 0]), value([[3.0, 4.0], [5.0, 6.0]])],
            |_, [x, i, v]| x.scatter_nd_set(i, v),
            value([5.0, 6.0]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_set at argwhere",
            [matrix(), value([[T, F], [F, T]])],
            |_, [x, m]| x.scatter_nd_set(m.argwhere(), x.boolean_mask(m).square() + 1),
            value([[2.0, 2.0], [3.0, 17.0]]),
        )
        .smooth(),
    ]
}

fn scatter_add() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    vec![
        case(
            "scatter_add",
            [value([1.0, 2.0, 3.0]), value([2i64, 0, 2]), value([8.0, 9.0, 0.5])],
            |_, [x, i, v]| x.scatter_add(i, v, 0),
            value([10.0, 2.0, 11.5]),
        )
        .smooth(),
        case(
            "scatter_add of columns",
            [matrix(), value([0i64, 0]), value([[1.0, 2.0], [3.0, 4.0]])],
            |_, [x, i, v]| x.scatter_add(i, v, 1),
            value([[4.0, 2.0, 3.0], [11.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_add of rows by a matrix of indices",
            [matrix(), value([[0i64, 1], [1, 1]]), value(1.0)],
            |_, [x, i, v]| x.scatter_add(i, v, 0),
            value([[2.0, 3.0, 4.0], [7.0, 8.0, 9.0]]),
        )
        .smooth(),
        case(
            "scatter_add of a scalar counts",
            [value([0, 0]), value([1i64, 1, 1])],
            |_, [x, i]| x.scatter_add(i, 1, 0),
            value([0, 3]),
        ),
        case(
            "scatter_add of an empty array",
            [value([1.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.scatter_add(i, 9, 0),
            value([1.0]),
        )
        .smooth(),
        case(
            "scatter_add of u8s wraps",
            [value([250u8]), value([0i64, 0])],
            |_, [x, i]| x.scatter_add(i, 4, 0),
            value([2u8]),
        ),
        case(
            "scatter_add adds in the order of the indices",
            [value([0.0]), value([0i64, 0, 0]), value([1e300, -1e300, 1.0])],
            |_, [x, i, v]| x.scatter_add(i, v, 0),
            value([1.0]),
        )
        .with_fixed_dtypes(),
        case(
            "scatter_add of squares of itself",
            [value([1.0, 2.0]), value([1i64, 0])],
            |_, [x, i]| x.scatter_add(i, x.square(), 0),
            value([5.0, 3.0]),
        )
        .smooth(),
    ]
}

fn scatter_add_along_axis() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    vec![
        case(
            "scatter_add_along_axis",
            [matrix(), value([[2i64, 2], [1, 0]]), value([[7.0, 8.0], [9.0, 10.0]])],
            |_, [x, i, v]| x.scatter_add_along_axis(i, v, 1),
            value([[1.0, 2.0, 18.0], [14.0, 14.0, 6.0]]),
        )
        .smooth(),
        case(
            "scatter_add_along_axis repeats the indices",
            [matrix(), value([[0i64, 0]]), value([[1.0, 2.0]])],
            |_, [x, i, v]| x.scatter_add_along_axis(i, v, 1),
            value([[4.0, 2.0, 3.0], [7.0, 5.0, 6.0]]),
        )
        .smooth(),
    ]
}

fn scatter_nd_add() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "scatter_nd_add",
            [matrix(), value([[0i64, 1], [-1, 0], [0, 1]]), value([7.0, 8.0, 9.0])],
            |_, [x, i, v]| x.scatter_nd_add(i, v),
            value([[1.0, 18.0], [11.0, 4.0]]),
        )
        .with_known_lengths()
        .smooth(),
        case(
            "scatter_nd_add of rows",
            [matrix(), value([[1i64], [1]]), value([[7.0, 8.0], [0.5, 0.25]])],
            |_, [x, i, v]| x.scatter_nd_add(i, v),
            value([[1.0, 2.0], [10.5, 12.25]]),
        )
        .smooth(),
        case(
            "scatter_nd_add of depth 0 adds to the full array",
            [value([1.0, 2.0]), empty::<i64>(&[2, 0]), value([[3.0, 4.0], [5.0, 6.0]])],
            |_, [x, i, v]| x.scatter_nd_add(i, v),
            value([9.0, 12.0]),
        )
        .with_known_lengths()
        .smooth(),
    ]
}

/// No builder writes an or: it is what supports of gradients are made with.
fn or<'g>(addressing: Addressing, [x, indices, updates]: [Expr<'g>; 3]) -> Expr<'g> {
    x.graph().apply(Index::Scatter { addressing, combine: Combine::Or }, &[x, indices, updates])
}

fn scatter_or() -> Vec<Case> {
    vec![
        case(
            "scatter_or",
            [value([F, T, F]), value([0i64, 1, 0]), value([T, F, F])],
            |_, operands| or(Addressing::Axis(0), operands),
            value([T, T, F]),
        )
        .with_equal_lengths(),
        case(
            "scatter_or in a gradient",
            [value([1.0, 2.0, 3.0]), value([2i64, 2])],
            |_, [x, i]| grad(x.gather(i, 0).square().sum(..), x),
            value([0.0, 0.0, 12.0]),
        ),
    ]
}

fn scatter_or_along_axis() -> Vec<Case> {
    vec![
        case(
            "scatter_or_along_axis",
            [value([[F, T], [F, F]]), value([[0i64], [1]]), value([[F], [T]])],
            |_, operands| or(Addressing::AlongAxis(1), operands),
            value([[F, T], [F, T]]),
        )
        .with_equal_lengths(),
    ]
}

fn scatter_nd_or() -> Vec<Case> {
    vec![
        case(
            "scatter_nd_or",
            [value([[F, F], [F, F]]), value([[0i64, 1], [0, 1], [1, 0]]), value([T, F, F])],
            |_, operands| or(Addressing::Nd, operands),
            value([[F, T], [F, F]]),
        )
        .with_known_lengths(),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    [gather_or(), scatter::reduced()].concat()
}

fn gather_or() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let indices = || value([1i64, 7, -9, -1, 3, -3]);
    vec![
        case(
            "gather_or clips",
            [value([10.0, 20.0, 30.0]), indices()],
            |_, [x, i]| x.gather_or(i, OutOfRange::Clip, 0),
            value([20.0, 30.0, 10.0, 10.0, 30.0, 10.0]),
        )
        .smooth(),
        case(
            "gather_or fills",
            [value([10.0, 20.0, 30.0]), indices()],
            |_, [x, i]| x.gather_or(i, OutOfRange::Fill((-1).into()), 0),
            value([20.0, -1.0, -1.0, 30.0, -1.0, 10.0]),
        )
        .smooth(),
        case(
            "gather_or gives the fill its slope",
            [value([10.0, 20.0, 30.0]), indices(), value(0.5)],
            |_, [x, i, fill]| x.gather_or(i, OutOfRange::Fill(fill.into()), 0).square(),
            value([400.0, 0.25, 0.25, 900.0, 0.25, 100.0]),
        )
        .smooth(),
        case(
            "gather_or of columns clips",
            [matrix(), value([[-1i64], [5]])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Clip, 1),
            value([[[1.0], [3.0]], [[4.0], [6.0]]]),
        )
        .smooth(),
        case(
            "gather_or of columns fills",
            [matrix(), value([2i64, 3])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Fill(0.5.into()), -1),
            value([[3.0, 0.5], [6.0, 0.5]]),
        )
        .smooth(),
        case(
            "gather_or of an index of rank 0",
            [matrix(), value(9i64)],
            |_, [x, i]| x.gather_or(i, OutOfRange::Fill(7.into()), 0),
            value([7.0, 7.0, 7.0]),
        )
        .smooth(),
        case(
            "gather_or of i32s by i32s",
            [value([10, 20]), value([i32::MAX, i32::MIN, 0])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Fill((-1).into()), 0),
            value([-1, -1, 10]),
        ),
        case(
            "gather_or by the farthest indices",
            [value([10.0, 20.0]), value([i64::MAX, i64::MIN])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Clip, 0),
            value([20.0, 10.0]),
        ),
        case(
            "gather_or of bools fills",
            [value([T, F]), value([0i64, 2])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Fill(true.into()), 0),
            value([T, T]),
        ),
        case(
            "gather_or fills from an empty array",
            [empty::<f64>(&[0]), value([0i64, -1])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Fill(2.5.into()), 0),
            value([2.5, 2.5]),
        ),
        case(
            "gather_or of an empty array",
            [value([1.0]), empty::<i64>(&[0])],
            |_, [x, i]| x.gather_or(i, OutOfRange::Clip, 0),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "gather_or has no slope at what it does not read",
            [value([0.0, 4.0]), value([1i64, 2])],
            |_, [x, i]| grad(x.sqrt().gather_or(i, OutOfRange::Fill(1.into()), 0).sum(..), x),
            value([0.0, 0.25]),
        ),
    ]
}
