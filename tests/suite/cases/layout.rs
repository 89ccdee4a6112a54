//! The same elements, arranged otherwise.

use tamis::graph::{Layout, PadAxis};
use tamis::prelude::*;
use tamis::{Dim, Slice};

use super::variants;
use crate::array::{empty, value};
use crate::case::{Case, case};

variants! {
    Layout:
    Layout::Reshape(_) => reshape(),
    Layout::BroadcastTo(_) => broadcast_to(),
    Layout::Permute(_) => permute(),
    Layout::Slice(_) => slice(),
    Layout::Pad(_) => pad(),
    Layout::Concat { .. } => concat(),
    Layout::Guard { .. } => guard(),
    Layout::Checked => checked(),
    Layout::Assert { .. } => assert_that(),
}

const F: bool = false;
const T: bool = true;

fn matrix() -> tamis::Value {
    value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

fn vector() -> tamis::Value {
    value([0.0, 1.0, 2.0, 3.0, 4.0])
}

fn reshape() -> Vec<Case> {
    let tall = value([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    vec![
        case("reshape", [matrix()], |_, [x]| x.reshape([3, 2]), tall.clone()).smooth(),
        case("reshape with an inferred size", [matrix()], |_, [x]| x.reshape([-1, 2]), tall.clone()).smooth(),
        case(
            "reshape to a length and an inferred size",
            [matrix()],
            |_, [x]| x.reshape(dims![x.dim(1), -1]),
            tall,
        )
        .smooth(),
        case(
            "reshape of the transpose",
            [matrix()],
            |_, [x]| x.transpose().reshape([6]),
            value([1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
        )
        .smooth(),
        case("reshape to rank 0", [value([[5.0]])], |_, [x]| x.reshape(dims![]), value(5.0)).smooth(),
        case("reshape from rank 0", [value(5.0)], |_, [x]| x.reshape([1, 1]), value([[5.0]])).smooth(),
        case(
            "reshape of an empty array",
            [empty::<f64>(&[0, 3])],
            |_, [x]| x.reshape([3, 0]),
            empty::<f64>(&[3, 0]),
        )
        .smooth(),
        case(
            "reshape of an empty array with an inferred size",
            [empty::<f64>(&[0, 3])],
            |_, [x]| x.reshape([-1, 3]),
            empty::<f64>(&[0, 3]),
        )
        .smooth(),
        case("flatten", [matrix()], |_, [x]| x.flatten(), value([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])).smooth(),
        case("flatten of rank 0", [value(T)], |_, [x]| x.flatten(), value([T])),
        case("squeeze", [value([[[1.0], [2.0]]])], |_, [x]| x.squeeze([0, -1]), value([1.0, 2.0])).smooth(),
        case(
            "squeeze of all axes of length 1",
            [value([[[1.0], [2.0]]])],
            |_, [x]| x.squeeze(..),
            value([1.0, 2.0]),
        )
        .smooth(),
        case("unsqueeze", [value([1, 2])], |_, [x]| x.unsqueeze(0), value([[1, 2]])),
        case("unsqueeze from the end", [value([1.0, 2.0])], |_, [x]| x.unsqueeze(-1), value([[1.0], [2.0]]))
            .smooth(),
        case("unsqueeze of rank 0", [value(7u8)], |_, [x]| x.unsqueeze(0), value([7u8])),
    ]
}

fn broadcast_to() -> Vec<Case> {
    vec![
        case(
            "broadcast_to",
            [value([1.0, 2.0])],
            |_, [x]| x.broadcast_to([2, 2]),
            value([[1.0, 2.0], [1.0, 2.0]]),
        )
        .smooth(),
        case(
            "broadcast_to of a column",
            [value([[1.0], [2.0]])],
            |_, [x]| x.broadcast_to(dims![x.dim(0), 3]),
            value([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]),
        )
        .smooth(),
        case("broadcast_to of rank 0", [value(7)], |_, [x]| x.broadcast_to([1, 2]), value([[7, 7]])),
        case(
            "broadcast_to nothing",
            [value([[1.0]])],
            |_, [x]| x.broadcast_to([0, 2]),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
        case("broadcast_to of bools", [value([T])], |_, [x]| x.broadcast_to([2]), value([T, T])),
        case(
            "broadcast_to of a count",
            [value([1.0]), value([T, F, T])],
            |_, [x, m]| x.broadcast_to(dims![m.boolean_mask(m).dim(0)]),
            value([1.0, 1.0]),
        )
        .smooth(),
    ]
}

fn permute() -> Vec<Case> {
    let cube = || value([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]);
    vec![
        case(
            "permute",
            [cube()],
            |_, [x]| x.permute([2, 0, 1]),
            value([[[1.0], [4.0]], [[2.0], [5.0]], [[3.0], [6.0]]]),
        )
        .smooth(),
        case(
            "permute with negative axes",
            [cube()],
            |_, [x]| x.permute([1, -1, 0]),
            value([[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]]),
        )
        .smooth(),
        case("transpose", [matrix()], |_, [x]| x.transpose(), value([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]))
            .smooth(),
        case("transpose of one axis", [value([1, 2])], |_, [x]| x.transpose(), value([1, 2])),
        case("transpose of rank 0", [value(1.5)], |_, [x]| x.transpose(), value(1.5)).smooth(),
        case(
            "transpose of an empty array",
            [empty::<u8>(&[0, 2])],
            |_, [x]| x.transpose(),
            empty::<u8>(&[2, 0]),
        ),
        case(
            "permute twice",
            [cube()],
            |_, [x]| x.permute([2, 0, 1]).permute([1, 2, 0]).square(),
            value([[[1.0, 4.0, 9.0]], [[16.0, 25.0, 36.0]]]),
        )
        .smooth(),
    ]
}

/// `x[slice]` of `[0, 1, 2, 3, 4]`, as NumPy has it.
#[track_caller]
fn sliced<const N: usize>(name: &str, slice: impl Into<Slice>, expected: [f64; N]) -> Case {
    let slice = slice.into();
    let expected = if N == 0 { empty::<f64>(&[0]) } else { value(expected) };
    case(name, [vector()], move |_, [x]| x.slice(&slice), expected).smooth()
}

/// Slices of 0, 1, 2, 3, 4 by the length of a vector of two elements.
fn sliced_by_length<const N: usize>(name: &str, slice: fn(Dim) -> Slice, expected: [f64; N]) -> Case {
    let expected = if N == 0 { empty::<f64>(&[0]) } else { value(expected) };
    case(name, [vector(), value([0, 0])], move |_, [x, y]| x.slice([slice(y.dim(0))]), expected).smooth()
}

fn slices_by_lengths() -> Vec<Case> {
    let mask = || value([true, false, true, false, true]);
    vec![
        sliced_by_length("slice to a length", |n| (..n).into(), [0.0, 1.0]),
        sliced_by_length("slice from a length", |n| (n..).into(), [2.0, 3.0, 4.0]),
        sliced_by_length("slice between lengths", |n| (&n..&n.add(&n).unwrap()).into(), [2.0, 3.0]),
        sliced_by_length("slice to a length beyond the end", |n| (..n.mul(&9.into()).unwrap()).into(), {
            [0.0, 1.0, 2.0, 3.0, 4.0]
        }),
        sliced_by_length("slice to a length below 0", |n| (..n.sub(&3.into()).unwrap()).into(), []),
        sliced_by_length("slice from a length to a number", |n| Slice::span(n, 4), [2.0, 3.0]),
        sliced_by_length("slice from a length to before the end", |n| Slice::span(n, -1), [2.0, 3.0]),
        sliced_by_length("slice from a number to a length", |n| Slice::span(1, n), [1.0]),
        sliced_by_length("slice backwards from a length", |n| Slice::from(n..).by(-1), [2.0, 1.0, 0.0]),
        sliced_by_length("slice backwards to a length", |n| Slice::from(..n).by(-2), [4.0]),
        case(
            "an index that is a length",
            [vector(), value([0, 0])],
            |_, [x, y]| x.slice((y.dim(0),)),
            value(2.0),
        )
        .smooth(),
        case(
            "slice to a count",
            [vector(), mask()],
            |_, [x, m]| x.slice_axis(..m.boolean_mask(m).dim(0), 0) * x.boolean_mask(m),
            value([0.0, 2.0, 8.0]),
        )
        .with_equal_lengths()
        .smooth(),
    ]
}

fn slice() -> Vec<Case> {
    slices_by_numbers().into_iter().chain(slices_by_lengths()).collect()
}

fn slices_by_numbers() -> Vec<Case> {
    let by = Slice::new;
    vec![
        sliced("slice", 1..3, [1.0, 2.0]),
        sliced("slice from", 2.., [2.0, 3.0, 4.0]),
        sliced("slice to", ..2, [0.0, 1.0]),
        sliced("slice to and with", ..=2, [0.0, 1.0, 2.0]),
        sliced("slice from and with", 1..=-2, [1.0, 2.0, 3.0]),
        sliced("slice from and with the last", 3..=-1, [3.0, 4.0]),
        sliced("slice from the end", -2.., [3.0, 4.0]),
        sliced("slice to before the end", ..-1, [0.0, 1.0, 2.0, 3.0]),
        sliced("slice within the end", -3..-1, [2.0, 3.0]),
        sliced("slice beyond the end", 3..9, [3.0, 4.0]),
        sliced("slice before the start", -9..2, [0.0, 1.0]),
        sliced("slice that ends before it starts", 3..1, []),
        sliced("slice that ends before it starts, from both ends", 4..-4, []),
        sliced("slice that starts beyond the end", 7.., []),
        sliced("slice by 2", by(None, None, 2), [0.0, 2.0, 4.0]),
        sliced("slice by 2 from 1", Slice::from(1..).by(2), [1.0, 3.0]),
        sliced("slice by 3 to before the end", Slice::from(..-1).by(3), [0.0, 3.0]),
        sliced("slice by 9", by(None, None, 9), [0.0]),
        sliced("slice backwards", by(None, None, -1), [4.0, 3.0, 2.0, 1.0, 0.0]),
        sliced("slice backwards by 2", by(None, None, -2), [4.0, 2.0, 0.0]),
        sliced("slice backwards from 3", by(Some(3), None, -1), [3.0, 2.0, 1.0, 0.0]),
        sliced("slice backwards to 1", by(None, Some(1), -1), [4.0, 3.0, 2.0]),
        sliced("slice backwards from 3 to 0", by(Some(3), Some(0), -2), [3.0, 1.0]),
        sliced("slice backwards from beyond the end", by(Some(9), Some(2), -1), [4.0, 3.0]),
        sliced("slice backwards to before the start", by(Some(1), Some(-9), -1), [1.0, 0.0]),
        sliced("slice backwards from the end", by(Some(-2), Some(-4), -1), [3.0, 2.0]),
        sliced("slice backwards that ends before it starts", by(Some(1), Some(3), -1), []),
        sliced("slice with far bounds", by(Some(i64::MIN), Some(i64::MAX), 4), [0.0, 4.0]),
        case("slice at an index", [vector()], |_, [x]| x.slice([1]), value(1.0)).smooth(),
        case("slice at a negative index", [vector()], |_, [x]| x.slice([-1]), value(4.0)).smooth(),
        case("slice of two axes", [matrix()], |_, [x]| x.slice((1.., ..2)), value([[4.0, 5.0]])).smooth(),
        case("slice of a row", [matrix()], |_, [x]| x.slice((0, ..)), value([1.0, 2.0, 3.0])).smooth(),
        case("slice of a leading axis", [matrix()], |_, [x]| x.slice([1..]), value([[4.0, 5.0, 6.0]]))
            .smooth(),
        case("slice of an element", [matrix()], |_, [x]| x.slice((-1, -1)), value(6.0)).smooth(),
        case(
            "slice of columns backwards",
            [matrix()],
            |_, [x]| x.slice((.., Slice::from(..).by(-2))),
            value([[3.0, 1.0], [6.0, 4.0]]),
        )
        .smooth(),
        case("slice_axis", [matrix()], |_, [x]| x.slice_axis(1.., 1), value([[2.0, 3.0], [5.0, 6.0]]))
            .smooth(),
        case("slice_axis at an index", [matrix()], |_, [x]| x.slice_axis(0, -1), value([1.0, 4.0])).smooth(),
        case("slice of an empty array", [empty::<f64>(&[0])], |_, [x]| x.slice([..]), empty::<f64>(&[0]))
            .smooth(),
        case(
            "slice of an empty array backwards",
            [empty::<f64>(&[0])],
            |_, [x]| x.slice([Slice::new(Some(-1), None, -1)]),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "slice of an empty array within",
            [empty::<f64>(&[0])],
            |_, [x]| x.slice([1..-1]),
            empty::<f64>(&[0]),
        )
        .smooth(),
        case("slice of bools", [value([T, F, T])], |_, [x]| x.slice([1..]), value([F, T])),
        case(
            "differences of neighbours",
            [value([1.0, 4.0, 9.0])],
            |_, [x]| x.slice([1..]) - x.slice([..-1]),
            value([3.0, 5.0]),
        )
        .smooth(),
        case(
            "slice of a selection",
            [vector(), value([T, F, T, T, F])],
            |_, [x, m]| x.boolean_mask(m).slice([1..]).square(),
            value([4.0, 9.0]),
        )
        .smooth(),
        case(
            "slice has no slope at what it does not take",
            [value([0.0, 4.0])],
            |_, [x]| grad(x.sqrt().slice([1..]).sum(..), x),
            value([0.0, 0.25]),
        ),
    ]
}

/// No builder pads: it is what the gradient of a slice is made with.
fn padded<'g>(x: Expr<'g>, axes: impl IntoIterator<Item = (usize, i64, usize)>) -> Expr<'g> {
    let axis =
        |(start, step, size): (usize, i64, usize)| PadAxis { start: start.into(), step, size: size.into() };
    x.graph().apply(Layout::Pad(axes.into_iter().map(axis).collect()), &[x])
}

fn pad() -> Vec<Case> {
    let pair = || value([1.0, 2.0]);
    vec![
        case("pad", [pair()], |_, [x]| padded(x, [(1, 1, 4)]), value([0.0, 1.0, 2.0, 0.0])).smooth(),
        case("pad by 2", [pair()], |_, [x]| padded(x, [(0, 2, 4)]), value([1.0, 0.0, 2.0, 0.0])).smooth(),
        case("pad backwards", [pair()], |_, [x]| padded(x, [(3, -2, 4)]), value([0.0, 2.0, 0.0, 1.0]))
            .smooth(),
        case(
            "pad of two axes",
            [value([[1.0, 2.0]])],
            |_, [x]| padded(x, [(1, 1, 2), (0, 1, 3)]),
            value([[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]]),
        )
        .smooth(),
        case(
            "pad of an empty array",
            [empty::<f64>(&[0])],
            |_, [x]| padded(x, [(7, 1, 2)]),
            value([0.0, 0.0]),
        )
        .smooth(),
        case("pad of bools", [value([T])], |_, [x]| padded(x, [(1, 1, 3)]), value([F, T, F])),
        case("pad of i32s", [value([7])], |_, [x]| padded(x, [(0, 1, 2)]), value([7, 0])),
        case(
            "the gradient of a slice",
            [value([1.0, 2.0, 3.0])],
            |_, [x]| grad(x.slice([1..]).square().sum(..), x),
            value([0.0, 4.0, 6.0]),
        )
        .smooth(),
    ]
}

fn concat() -> Vec<Case> {
    let (pair, triple) = (|| value([1.0, 2.0]), || value([3.0, 4.0, 5.0]));
    vec![
        case(
            "concat",
            [pair(), triple()],
            |graph, [a, b]| graph.concat([a, b], 0),
            value([1.0, 2.0, 3.0, 4.0, 5.0]),
        )
        .smooth(),
        case("concat of one", [pair()], |graph, [a]| graph.concat([a], 0), pair()).smooth(),
        case(
            "concat of one thing twice",
            [pair()],
            |graph, [a]| graph.concat([a, a.square(), a], 0),
            value([1.0, 2.0, 1.0, 4.0, 1.0, 2.0]),
        )
        .smooth(),
        case(
            "concat of columns",
            [matrix(), value([[7.0], [8.0]])],
            |graph, [a, b]| graph.concat([a, b], -1),
            value([[1.0, 2.0, 3.0, 7.0], [4.0, 5.0, 6.0, 8.0]]),
        )
        .smooth(),
        case(
            "concat of rows",
            [matrix(), value([[7.0, 8.0, 9.0]])],
            |graph, [a, b]| graph.concat([b, a], 0),
            value([[7.0, 8.0, 9.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "concat with an empty array",
            [pair(), empty::<f64>(&[0])],
            |graph, [a, b]| graph.concat([b, a, b], 0),
            pair(),
        )
        .smooth(),
        case(
            "concat promotes",
            [value([1]), value([2u8]), value([T])],
            |graph, [a, b, c]| graph.concat([a, b, c], 0),
            value([1, 2, 1]),
        ),
        case(
            "concat of bools",
            [value([T]), value([F])],
            |graph, [a, b]| graph.concat([a, b], 0),
            value([T, F]),
        ),
        case(
            "concat of both sides",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |graph, [x, m]| graph.concat([x.boolean_mask(m), x.boolean_mask(!m)], 0),
            value([3.0, 2.0, -1.0]),
        )
        .smooth(),
    ]
}

/// Two selections by different masks, which have the same length in the run.
fn guard() -> Vec<Case> {
    let inputs = || [value([1.0, -1.0, 2.0]), value([-3.0, 4.0, 5.0])];
    vec![
        case(
            "guard of equal counts",
            inputs(),
            |_, [x, y]| x.boolean_mask(x.gt(0)) * y.boolean_mask(y.gt(0)),
            value([4.0, 10.0]),
        )
        .smooth(),
        case(
            "guard of a length that is a number",
            [value([1.0, -1.0, 2.0])],
            |graph, [x]| x.boolean_mask(x.gt(0)) * graph.constant([1.0f32, 10.0]),
            value([1.0, 20.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
        case(
            "guard of a reshape",
            [value([1.0, -1.0, 2.0])],
            |_, [x]| x.boolean_mask(x.gt(0)).reshape([2, 1]),
            value([[1.0], [2.0]]),
        )
        .smooth(),
    ]
}

fn checked() -> Vec<Case> {
    vec![
        case(
            "the gradient of a linear loss keeps its guard",
            [value([1.0, -1.0]), value([-3.0, 4.0])],
            |_, [x, y]| grad((x.boolean_mask(x.gt(0)) + y.boolean_mask(y.gt(0))).sum(..), x),
            value([1.0, 0.0]),
        ),
        case(
            "checked is its first operand",
            [value([1.0, 2.0]), value([3.0])],
            |graph, [x, y]| graph.apply(Layout::Checked, &[x.square(), y]),
            value([1.0, 4.0]),
        ),
    ]
}

/// Two assertions of the same are two: each has its line.
fn assert_that() -> Vec<Case> {
    vec![
        case(
            "assert_that",
            [value([1.0, 2.0])],
            |_, [x]| x.assert_that(x.gt(0), "positive").square(),
            value([1.0, 4.0]),
        )
        .unshared()
        .smooth(),
        case(
            "assert_that of another shape",
            [value([[1, 2]]), value(T)],
            |_, [x, m]| x.assert_that(m | !m, "true"),
            value([[1, 2]]),
        )
        .unshared(),
        case(
            "assert_that of an empty array holds",
            [value([1.0]), empty::<bool>(&[0])],
            |_, [x, m]| x.assert_that(m, "true"),
            value([1.0]),
        )
        .unshared()
        .smooth(),
        case(
            "assert_that of NaN",
            [value([f64::NAN])],
            |_, [x]| x.assert_that(x.is_nan(), "NaN"),
            value([f64::NAN]),
        )
        .unshared(),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    [stack(), flip(), split(), border(), tile(), repeat()].concat()
}

fn flip() -> Vec<Case> {
    vec![
        case("flip", [matrix()], |_, [x]| x.flip(1), value([[3.0, 2.0, 1.0], [6.0, 5.0, 4.0]])).smooth(),
        case("flip of axis 0", [matrix()], |_, [x]| x.flip(-2), value([[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]))
            .smooth(),
        case("flip of both axes", [matrix()], |_, [x]| x.flip(..), value([[6.0, 5.0, 4.0], [3.0, 2.0, 1.0]]))
            .smooth(),
        case("flip of no axes", [matrix()], |_, [x]| x.flip([0i64; 0]), matrix()).smooth(),
        case("flip twice", [matrix()], |_, [x]| x.flip(0).flip(0), matrix()).smooth(),
        case("flip of rank 0", [value(2.5)], |_, [x]| x.flip(..), value(2.5)).smooth(),
        case("flip of bools", [value([T, F, F])], |_, [x]| x.flip(0), value([F, F, T])),
        case("flip of an empty array", [empty::<f64>(&[0, 2])], |_, [x]| x.flip(..), empty::<f64>(&[0, 2]))
            .smooth(),
        case(
            "flip of a selection",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |_, [x, m]| x.boolean_mask(m).flip(0),
            value([2.0, 3.0]),
        )
        .smooth(),
    ]
}

fn split() -> Vec<Case> {
    vec![
        case(
            "split",
            [vector()],
            |graph, [x]| {
                let parts = x.split([2, 3], 0);
                graph.concat([parts[1].square(), parts[0]], 0)
            },
            value([4.0, 9.0, 16.0, 0.0, 1.0]),
        )
        .smooth(),
        case(
            "split of columns",
            [matrix()],
            |_, [x]| x.split([1, 2], -1)[1],
            value([[2.0, 3.0], [5.0, 6.0]]),
        )
        .smooth(),
        case("split of rows", [matrix()], |_, [x]| x.split([1, 1], 0)[1], value([[4.0, 5.0, 6.0]])).smooth(),
        case(
            "split of a slice of an empty array",
            [vector()],
            |_, [x]| x.split([0, 5], 0)[0],
            empty::<f64>(&[0]),
        )
        .smooth(),
        case("split in one", [value([1, 2])], |_, [x]| x.split([2], 0)[0], value([1, 2])),
        case(
            "split of an empty array",
            [empty::<f64>(&[0])],
            |_, [x]| x.split([0, 0], 0)[1],
            empty::<f64>(&[0]),
        )
        .smooth(),
        case(
            "split by lengths of other tensors",
            [vector(), value([1.0, 1.0]), value([1.0, 1.0, 1.0])],
            |_, [x, a, b]| x.split(dims![a.dim(0), b.dim(0)], 0)[1] * b,
            value([2.0, 3.0, 4.0]),
        )
        .smooth(),
    ]
}

fn border() -> Vec<Case> {
    vec![
        case(
            "pad with 0",
            [value([1.0, 2.0])],
            |_, [x]| x.pad([(1, 2)], 0),
            value([0.0, 1.0, 2.0, 0.0, 0.0]),
        )
        .smooth(),
        case(
            "pad of a matrix",
            [value([[1.0, 2.0], [3.0, 4.0]])],
            |_, [x]| x.pad([(1, 0), (0, 1)], 0.5).square(),
            value([[0.25, 0.25, 0.25], [1.0, 4.0, 0.25], [9.0, 16.0, 0.25]]),
        )
        .smooth(),
        case(
            "pad with a tensor of rank 0",
            [value([1.0, 2.0]), value(3.0)],
            |_, [x, fill]| x.pad([(1, 2)], fill).square(),
            value([9.0, 1.0, 4.0, 9.0, 9.0]),
        )
        .smooth(),
        case(
            "pad gives its value the slope of the border",
            [value([1.0, 2.0]), value(3.0)],
            |_, [x, fill]| grad(x.pad([(1, 2)], fill).sum(..), fill),
            value(3.0),
        ),
        case("pad by an empty array", [matrix()], |_, [x]| x.pad([(0, 0), (0, 0)], 7), matrix()).smooth(),
        case(
            "pad around an empty array",
            [empty::<f64>(&[0])],
            |_, [x]| x.pad([(1, 1)], 7),
            value([7.0, 7.0]),
        )
        .smooth(),
        case("pad of rank 0", [value(2.5)], |_, [x]| x.pad([(0i64, 0i64); 0], 7), value(2.5)).smooth(),
        case("pad of i32s with -1", [value([1])], |_, [x]| x.pad([(1, 1)], -1), value([-1, 1, -1])),
        case("pad of u8s", [value([1u8])], |_, [x]| x.pad([(0, 1)], 255), value([1u8, 255])),
        case("pad with true", [value([F])], |_, [x]| x.pad([(1, 0)], true), value([T, F])),
        case(
            "pad with NaN has no slope but inside",
            [value([0.25, 4.0])],
            |_, [x]| grad(x.sqrt().pad([(1, 1)], f64::NAN).slice([1..3]).sum(..), x),
            value([1.0, 0.25]),
        ),
        case(
            "pad by a length",
            [value([1.0, 2.0]), value([5.0, 5.0, 5.0])],
            |_, [x, y]| x.pad([(y.dim(0), y.dim(0))], 0),
            value([0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0]),
        )
        .smooth(),
    ]
}

fn tile() -> Vec<Case> {
    let pair = || value([1.0, 2.0]);
    vec![
        case("tile", [pair()], |_, [x]| x.tile([3]), value([1.0, 2.0, 1.0, 2.0, 1.0, 2.0])).smooth(),
        case(
            "tile of a matrix",
            [value([[1.0, 2.0], [3.0, 4.0]])],
            |_, [x]| x.tile([1, 2]).square(),
            value([[1.0, 4.0, 1.0, 4.0], [9.0, 16.0, 9.0, 16.0]]),
        )
        .smooth(),
        case("tile to more axes", [pair()], |_, [x]| x.tile([2, 1]), value([[1.0, 2.0], [1.0, 2.0]]))
            .smooth(),
        case("tile once", [matrix()], |_, [x]| x.tile([1, 1]), matrix()).smooth(),
        case("tile never", [pair()], |_, [x]| x.tile([0]), empty::<f64>(&[0])).smooth(),
        case(
            "tile of an empty array",
            [empty::<f64>(&[0, 2])],
            |_, [x]| x.tile([3, 1]),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
        case("tile of rank 0", [value(5)], |_, [x]| x.tile([2]), value([5, 5])),
        case("tile of bools", [value([T, F])], |_, [x]| x.tile([2]), value([T, F, T, F])),
        case(
            "tile as often as another tensor is long",
            [pair(), value([0.0, 0.0, 0.0])],
            |_, [x, y]| x.tile(dims![y.dim(0)]),
            value([1.0, 2.0, 1.0, 2.0, 1.0, 2.0]),
        )
        .smooth(),
        case(
            "tile adds its slopes",
            [pair()],
            |_, [x]| grad(x.tile([3]).square().sum(..), x),
            value([6.0, 12.0]),
        ),
    ]
}

fn repeat() -> Vec<Case> {
    let pair = || value([1.0, 2.0]);
    vec![
        case("repeat", [pair()], |_, [x]| x.repeat(2, 0), value([1.0, 1.0, 2.0, 2.0])).smooth(),
        case(
            "repeat of columns",
            [value([[1.0, 2.0], [3.0, 4.0]])],
            |_, [x]| x.repeat(2, -1).square(),
            value([[1.0, 1.0, 4.0, 4.0], [9.0, 9.0, 16.0, 16.0]]),
        )
        .smooth(),
        case(
            "repeat of rows",
            [value([[1.0, 2.0], [3.0, 4.0]])],
            |_, [x]| x.repeat(2, 0),
            value([[1.0, 2.0], [1.0, 2.0], [3.0, 4.0], [3.0, 4.0]]),
        )
        .smooth(),
        case("repeat once", [pair()], |_, [x]| x.repeat(1, 0), pair()).smooth(),
        case("repeat never", [pair()], |_, [x]| x.repeat(0, 0), empty::<f64>(&[0])).smooth(),
        case(
            "repeat of an empty array",
            [empty::<f64>(&[0, 2])],
            |_, [x]| x.repeat(3, 0),
            empty::<f64>(&[0, 2]),
        )
        .smooth(),
        case("repeat of u8s", [value([7u8, 8])], |_, [x]| x.repeat(2, 0), value([7u8, 7, 8, 8])),
        case(
            "repeat as often as another tensor is long",
            [pair(), value([0.0, 0.0, 0.0])],
            |_, [x, y]| x.repeat(y.dim(0), 0),
            value([1.0, 1.0, 1.0, 2.0, 2.0, 2.0]),
        )
        .smooth(),
        case(
            "repeat adds its slopes",
            [pair()],
            |_, [x]| grad(x.repeat(3, 0).square().sum(..), x),
            value([6.0, 12.0]),
        ),
    ]
}

fn stack() -> Vec<Case> {
    let pair = || value([1.0, 2.0]);
    vec![
        case(
            "stack",
            [pair(), value([3.0, 4.0])],
            |graph, [a, b]| graph.stack([a, b], 0),
            value([[1.0, 2.0], [3.0, 4.0]]),
        )
        .smooth(),
        case(
            "stack on a last axis",
            [pair(), value([3.0, 4.0])],
            |graph, [a, b]| graph.stack([a, b], -1),
            value([[1.0, 3.0], [2.0, 4.0]]),
        )
        .smooth(),
        case(
            "stack of rank 0",
            [value(1.0), value(2.0)],
            |graph, [a, b]| graph.stack([b, a], 0),
            value([2.0, 1.0]),
        )
        .smooth(),
        case(
            "stack promotes",
            [value([1]), value([0.5])],
            |graph, [a, b]| graph.stack([a, b], 1),
            value([[1.0, 0.5]]),
        ),
        case(
            "stack of an empty array",
            [empty::<f64>(&[0])],
            |graph, [a]| graph.stack([a, a], 0),
            empty::<f64>(&[2, 0]),
        )
        .smooth(),
    ]
}
