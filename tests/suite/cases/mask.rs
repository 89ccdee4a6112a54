//! Selection by a mask, its inverse, and assignment under a mask.

use tamis::graph::Mask;
use tamis::prelude::*;

use super::variants;
use crate::array::{empty, full, value};
use crate::case::{Case, case};

variants! {
    Mask:
    Mask::BooleanMask { .. } => boolean_mask(),
    Mask::Unmask { .. } => unmask(),
    Mask::Argwhere => argwhere(),
}

const F: bool = false;
const T: bool = true;
const NAN: f64 = f64::NAN;

fn boolean_mask() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let cube = || value([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[9.0, 10.0], [11.0, 12.0]]]);
    vec![
        case(
            "boolean_mask",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |_, [x, m]| x.boolean_mask(m),
            value([3.0, 2.0]),
        )
        .smooth(),
        case(
            "boolean_mask of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.boolean_mask(m),
            value([[4.0, 5.0, 6.0]]),
        )
        .smooth(),
        case(
            "boolean_mask of elements",
            [matrix(), value([[F, T, T], [T, F, F]])],
            |_, [x, m]| x.boolean_mask(m),
            value([2.0, 3.0, 4.0]),
        )
        .smooth(),
        case(
            "boolean_mask of the two leading axes",
            [cube(), value([[F, T], [F, F], [T, T]])],
            |_, [x, m]| x.boolean_mask(m),
            value([[3.0, 4.0], [9.0, 10.0], [11.0, 12.0]]),
        )
        .smooth(),
        case(
            "boolean_mask of columns",
            [matrix(), value([T, F, T])],
            |_, [x, m]| x.boolean_mask_axis(m, 1),
            value([[1.0, 3.0], [4.0, 6.0]]),
        )
        .smooth(),
        case(
            "boolean_mask of the last axis",
            [cube(), value([F, T])],
            |_, [x, m]| x.boolean_mask_axis(m, -1),
            value([[[2.0], [4.0]], [[6.0], [8.0]], [[10.0], [12.0]]]),
        )
        .smooth(),
        case(
            "boolean_mask of the two last axes",
            [cube(), value([[F, T], [T, F]])],
            |_, [x, m]| x.boolean_mask_axis(m, 1),
            value([[2.0, 3.0], [6.0, 7.0], [10.0, 11.0]]),
        )
        .smooth(),
        case(
            "boolean_mask by true",
            [matrix(), value(T)],
            |_, [x, m]| x.boolean_mask(m),
            value([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]),
        )
        .smooth(),
        case(
            "boolean_mask by false",
            [matrix(), value(F)],
            |_, [x, m]| x.boolean_mask(m),
            empty::<f64>(&[0, 2, 3]),
        )
        .smooth(),
        case("boolean_mask of rank 0", [value(5.0), value(T)], |_, [x, m]| x.boolean_mask(m), value([5.0]))
            .smooth(),
        case(
            "boolean_mask of no row",
            [matrix(), value([F, F])],
            |_, [x, m]| x.boolean_mask(m),
            empty::<f64>(&[0, 3]),
        )
        .smooth(),
        case(
            "boolean_mask of all",
            [value([1.0, 2.0]), value([T, T])],
            |_, [x, m]| x.boolean_mask(m),
            value([1.0, 2.0]),
        )
        .smooth(),
        case(
            "boolean_mask of an empty array",
            [empty::<f64>(&[0, 3]), empty::<bool>(&[0])],
            |_, [x, m]| x.boolean_mask(m),
            empty::<f64>(&[0, 3]),
        )
        .smooth(),
        case(
            "boolean_mask of rows without elements",
            [empty::<f64>(&[2, 0]), value([T, F])],
            |_, [x, m]| x.boolean_mask(m),
            empty::<f64>(&[1, 0]),
        )
        .smooth(),
        case(
            "boolean_mask of bools",
            [value([T, F, T]), value([F, T, T])],
            |_, [x, m]| x.boolean_mask(m),
            value([F, T]),
        ),
        case(
            "boolean_mask of u8s",
            [value([1u8, 2]), value([F, T])],
            |_, [x, m]| x.boolean_mask(m),
            value([2u8]),
        ),
        case(
            "boolean_mask of i64s",
            [value([1i64, 2]), value([F, T])],
            |_, [x, m]| x.boolean_mask(m),
            value([2i64]),
        ),
        case(
            "boolean_mask by the data",
            [value([3, -1, 2])],
            |_, [x]| x.boolean_mask(x.gt(0)),
            value([3, 2]),
        ),
        case(
            "boolean_mask by a literal",
            [value([3.0, -1.0, 2.0])],
            |graph, [x]| x.boolean_mask(graph.constant([true, false, true])) * graph.constant([1.0, 10.0]),
            value([3.0, 20.0]),
        )
        .with_fixed_dtypes()
        .smooth(),
        case(
            "two selections by one mask have one length",
            [value([1.0, 2.0, 3.0]), value([4.0, 5.0, 6.0]), value([T, F, T])],
            |_, [x, y, m]| x.boolean_mask(m) * y.boolean_mask(m),
            value([4.0, 18.0]),
        )
        .smooth(),
        case(
            "a selection of a selection",
            [value([1.0, 2.0, 3.0]), value([T, F, T]), value([F, T, T])],
            |_, [x, a, b]| x.boolean_mask(a).boolean_mask(b.boolean_mask(a)).square(),
            value([9.0]),
        )
        .smooth(),
        case(
            "boolean_mask ignores what it drops",
            [value([NAN, 4.0]), value([F, T])],
            |_, [x, m]| {
                let dx = grad(x.sqrt().boolean_mask(m).sum(..), x);
                x.graph().stack([dx, grad(dx.sum(..), x)], 0)
            },
            value([[0.0, 0.25], [0.0, -0.03125]]),
        ),
    ]
}

fn unmask() -> Vec<Case> {
    let mask = || value([T, F, T]);
    vec![
        case("unmask", [value([3.0, 2.0]), mask()], |_, [v, m]| v.unmask(m, 0.5), value([3.0, 0.5, 2.0]))
            .smooth(),
        case(
            "unmask with a tensor around",
            [value([3.0, 2.0]), mask(), value([7.0, 8.0, 9.0])],
            |_, [v, m, fill]| v.unmask(m, fill),
            value([3.0, 8.0, 2.0]),
        )
        .smooth(),
        case(
            "unmask of rows",
            [value([[3.0, 2.0]]), value([F, T]), value([7.0, 8.0])],
            |_, [v, m, fill]| v.unmask(m, fill),
            value([[7.0, 8.0], [3.0, 2.0]]),
        )
        .smooth(),
        case(
            "unmask with a column around",
            [value([[3.0, 2.0]]), value([F, T]), value([[7.0], [8.0]])],
            |_, [v, m, fill]| v.unmask(m, fill),
            value([[7.0, 7.0], [3.0, 2.0]]),
        )
        .smooth(),
        case(
            "unmask of elements",
            [value([3.0, 2.0]), value([[F, T], [T, F]])],
            |_, [v, m]| v.unmask(m, 0),
            value([[0.0, 3.0], [2.0, 0.0]]),
        )
        .smooth(),
        case(
            "unmask of columns",
            [value([[3.0, 2.0], [4.0, 5.0]]), mask(), value([[7.0], [8.0]])],
            |_, [v, m, fill]| v.unmask_axis(m, fill, 1),
            value([[3.0, 7.0, 2.0], [4.0, 8.0, 5.0]]),
        )
        .smooth(),
        case("unmask to rank 0", [value([3.0]), value(T)], |_, [v, m]| v.unmask(m, 0.0), value(3.0)).smooth(),
        case(
            "unmask of an empty array",
            [empty::<f64>(&[0]), value([F, F])],
            |_, [v, m]| v.unmask(m, 1.5),
            value([1.5, 1.5]),
        )
        .smooth(),
        case(
            "unmask of no rows",
            [empty::<f64>(&[0, 2]), value([F, F]), value([1.0, 2.0])],
            |_, [v, m, fill]| v.unmask(m, fill),
            value([[1.0, 2.0], [1.0, 2.0]]),
        )
        .smooth(),
        case(
            "unmask of what was selected",
            [value([3.0, -1.0, 2.0]), mask()],
            |_, [x, m]| x.boolean_mask(m).square().unmask(m, x),
            value([9.0, -1.0, 4.0]),
        )
        .smooth(),
        case(
            "unmask ignores the fill under the mask",
            [value([3.0]), value([T, F]), value([NAN, 2.0])],
            |_, [v, m, fill]| v.unmask(m, fill.square()),
            value([3.0, 4.0]),
        ),
        case("unmask of i32s", [value([3, 2]), mask()], |_, [v, m]| v.unmask(m, -1), value([3, -1, 2])),
        case("unmask of bools", [value([T, F]), mask()], |_, [v, m]| v.unmask(m, true), value([T, T, F])),
        case(
            "unmask keeps the dtype",
            [value([3.0f32, 2.0]), mask(), value(7)],
            |_, [v, m, f]| v.unmask(m, f),
            value([3.0f32, 7.0, 2.0]),
        ),
    ]
}

fn argwhere() -> Vec<Case> {
    let cube = value([[[F, T], [F, F]], [[F, F], [T, T]]]);
    vec![
        case("argwhere", [value([F, T, T])], |_, [m]| m.argwhere(), value([[1i64], [2]])),
        case(
            "argwhere of a matrix",
            [value([[F, T], [T, F]])],
            |_, [m]| m.argwhere(),
            value([[0i64, 1], [1, 0]]),
        ),
        case(
            "argwhere of rank 3",
            [cube],
            |_, [m]| m.argwhere(),
            value([[0i64, 0, 1], [1, 1, 0], [1, 1, 1]]),
        ),
        case("argwhere of true", [value(T)], |_, [m]| m.argwhere(), empty::<i64>(&[1, 0])),
        case("argwhere of false", [value(F)], |_, [m]| m.argwhere(), empty::<i64>(&[0, 0])),
        case("argwhere of all false", [value([[F, F]])], |_, [m]| m.argwhere(), empty::<i64>(&[0, 2])),
        case(
            "argwhere of an empty array",
            [empty::<bool>(&[0, 3])],
            |_, [m]| m.argwhere(),
            empty::<i64>(&[0, 2]),
        ),
        case(
            "argwhere of floats",
            [value([0.0, -0.0, 1e-310, NAN])],
            |_, [x]| x.argwhere(),
            value([[2i64], [3]]),
        )
        .with_fixed_dtypes(),
        case("argwhere of i32s", [value([0, -3])], |_, [x]| x.argwhere(), value([[1i64]])),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    let families =
        [masked_select, masked_fill, nonzero, expand_mask, one_row, selection, elementwise, dtypes];
    families.iter().flat_map(|cases| cases()).collect()
}

fn masked_select() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "masked_select",
            [matrix(), value([[T, F], [F, T]])],
            |_, [x, m]| x.masked_select(m),
            value([1.0, 4.0]),
        )
        .smooth(),
        case(
            "masked_select of columns",
            [matrix(), value([T, F])],
            |_, [x, m]| x.masked_select(m),
            value([1.0, 3.0]),
        )
        .smooth(),
        case(
            "masked_select of rows",
            [matrix(), value([[F], [T]])],
            |_, [x, m]| x.masked_select(m),
            value([3.0, 4.0]),
        )
        .smooth(),
        case(
            "masked_select repeats what broadcasts",
            [value([1.0, 2.0]), value([[T, F], [T, T]])],
            |_, [x, m]| x.masked_select(m),
            value([1.0, 1.0, 2.0]),
        )
        .smooth(),
        case(
            "masked_select by rank 0",
            [matrix(), value(F)],
            |_, [x, m]| x.masked_select(m),
            empty::<f64>(&[0]),
        )
        .smooth(),
    ]
}

fn masked_fill() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "masked_fill",
            [value([3.0, -1.0]), value([F, T])],
            |_, [x, m]| x.masked_fill(m, 0.5),
            value([3.0, 0.5]),
        )
        .smooth(),
        case(
            "masked_fill of rows",
            [matrix(), value([F, T])],
            |_, [x, m]| x.masked_fill(m.expand_mask(x), 9),
            value([[1.0, 2.0], [9.0, 9.0]]),
        )
        .smooth(),
        case(
            "masked_fill by a mask of some axes whose 1s broadcast",
            [value([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]), value([[T, F, T]])],
            |_, [x, m]| x.masked_fill(m, 0),
            value([[[0.0], [2.0], [0.0]], [[0.0], [5.0], [0.0]]]),
        )
        .smooth()
        .with_equal_lengths(),
        case(
            "masked_fill of columns",
            [matrix(), value([[F, T]])],
            |_, [x, m]| x.masked_fill(m, 9),
            value([[1.0, 9.0], [3.0, 9.0]]),
        )
        .smooth(),
        case(
            "masked_fill with a tensor of rank 0",
            [value([1.0, 2.0]), value([F, T]), value(7.0)],
            |_, [x, m, v]| x.masked_fill(m, v),
            value([1.0, 7.0]),
        )
        .smooth(),
        case("masked_fill of i32s", [value([3, -1])], |_, [x]| x.masked_fill(x.lt(0), 0), value([3, 0])),
        case(
            "masked_fill of i32s with a full array float",
            [value([3, -1])],
            |_, [x]| x.masked_fill(x.lt(0), 7.0),
            value([3, 7]),
        ),
        case(
            "masked_fill of bools",
            [value([T, T]), value([F, T])],
            |_, [x, m]| x.masked_fill(m, false),
            value([T, F]),
        ),
        case(
            "masked_fill hides NaN",
            [value([NAN, 2.0])],
            |_, [x]| x.masked_fill(x.is_nan(), 0.0),
            value([0.0, 2.0]),
        ),
    ]
}

fn nonzero() -> Vec<Case> {
    let mask = || value([[F, T], [T, T]]);
    vec![
        case("nonzero gives rows", [mask()], |_, [m]| m.nonzero()[0], value([0i64, 1, 1])),
        case("nonzero gives columns", [mask()], |_, [m]| m.nonzero()[1], value([1i64, 0, 1])),
        case("nonzero of numbers", [value([0, 5, -1])], |_, [x]| x.nonzero()[0], value([1i64, 2])),
        case("nonzero of all false", [value([F, F])], |_, [m]| m.nonzero()[0], empty::<i64>(&[0])),
        case(
            "gather at nonzero is boolean_mask",
            [value([3.0, -1.0, 2.0]), value([T, F, T])],
            |_, [x, m]| x.gather(m.nonzero()[0], 0),
            value([3.0, 2.0]),
        )
        .smooth(),
        case(
            "gather_nd at argwhere is boolean_mask",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([[T, F], [T, T]])],
            |_, [x, m]| x.gather_nd(m.argwhere()).square(),
            value([1.0, 9.0, 16.0]),
        )
        .smooth(),
    ]
}

fn expand_mask() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "expand_mask of rows",
            [value([T, F]), matrix()],
            |_, [m, x]| m.expand_mask(x),
            value([[T], [F]]),
        ),
        case(
            "expand_mask of elements",
            [value([[T, F]]), matrix()],
            |_, [m, x]| m.expand_mask(x),
            value([[T, F]]),
        ),
        case("expand_mask of rank 0", [value(T), matrix()], |_, [m, x]| m.expand_mask(x), value([[T]])),
    ]
}

/// `x[m] = v` with one `v` for every selected position.
fn one_row() -> Vec<Case> {
    let image = || value([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]);
    let pixels = || value([[T, F], [F, T]]);
    let painted = value([[[0.5, 0.25], [3.0, 4.0]], [[5.0, 6.0], [0.5, 0.25]]]);
    vec![
        case(
            "masked_assign of a scalar",
            [value([1.0, 2.0]), value([F, T])],
            |_, [x, m]| x.masked_assign(m, 9.0),
            value([1.0, 9.0]),
        )
        .smooth(),
        case(
            "masked_assign of a colour",
            [image(), pixels(), value([0.5, 0.25])],
            |_, [x, m, v]| x.masked_assign(m, v),
            painted,
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "masked_assign of a broadcast colour",
            [image(), pixels(), value([0.5])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([[[0.5, 0.5], [3.0, 4.0]], [[5.0, 6.0], [0.5, 0.5]]]),
        )
        .smooth(),
        case(
            "masked_assign of a tensor of rank 0",
            [value([1.0, 2.0]), value([F, T]), value(9.0)],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([1.0, 9.0]),
        )
        .smooth(),
        case(
            "masked_assign of one row to rows",
            [value([[1.0, 2.0], [3.0, 4.0]]), value([F, T]), value([7.0, 8.0])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([[1.0, 2.0], [7.0, 8.0]]),
        )
        .with_equal_lengths()
        .smooth(),
    ]
}

/// `x[m] = v` with one `v` for each selected position.
fn selection() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    vec![
        case(
            "masked_assign of a selection",
            [value([1.0, 2.0, 3.0]), value([T, F, T])],
            |_, [x, m]| x.masked_assign(m, -x.boolean_mask(m).square()),
            value([-1.0, 2.0, -9.0]),
        )
        .smooth(),
        case(
            "masked_assign of a selection of another tensor",
            [value([1.0, 2.0, 3.0]), value([T, F, T]), value([7.0, 8.0, 9.0])],
            |_, [x, m, y]| x.masked_assign(m, y.boolean_mask(m)),
            value([7.0, 2.0, 9.0]),
        )
        .smooth(),
        case(
            "masked_assign of selected rows",
            [matrix(), value([T, F, T])],
            |_, [x, m]| x.masked_assign(m, x.boolean_mask(m) * 10),
            value([[10.0, 20.0], [3.0, 4.0], [50.0, 60.0]]),
        )
        .smooth(),
        case(
            "masked_assign of a number for each row",
            [matrix(), value([T, F, T])],
            |_, [x, m]| x.masked_assign(m, x.boolean_mask(m).sum(keep(1))),
            value([[3.0, 3.0], [3.0, 4.0], [11.0, 11.0]]),
        )
        .smooth(),
        case(
            "masked_assign of a selection by a mask that broadcasts",
            [matrix(), value([[T], [F], [T]])],
            |_, [x, m]| x.masked_assign(m, x.masked_select(m).square()),
            value([[1.0, 4.0], [3.0, 4.0], [25.0, 36.0]]),
        )
        .smooth(),
        case(
            "masked_assign of an empty selection",
            [value([1.0, 2.0]), value([F, F])],
            |_, [x, m]| x.masked_assign(m, x.boolean_mask(m) * 10),
            value([1.0, 2.0]),
        )
        .smooth(),
        case(
            "masked_assign of as many as a literal mask selects",
            [value([1.0, 2.0, 3.0]), value([7.0, 8.0])],
            |graph, [x, v]| x.masked_assign(graph.constant([true, false, true]), v),
            value([7.0, 2.0, 8.0]),
        )
        .with_known_lengths()
        .smooth(),
    ]
}

/// `x[m] = v[m]`, with `v` like `x`.
fn elementwise() -> Vec<Case> {
    let matrix = || value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        case(
            "masked_assign of a full array",
            [value([1.0, 2.0]), value([F, T]), value([7.0, 8.0])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([1.0, 8.0]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "masked_assign of a full array to rows",
            [matrix(), value([F, T]), value([[5.0, 6.0], [7.0, 8.0]])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([[1.0, 2.0], [7.0, 8.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "masked_assign of a column",
            [matrix(), value([[T, F], [T, T]]), value([[7.0], [8.0]])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([[7.0, 2.0], [8.0, 8.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "masked_assign of a (3, 1) source under a (3, 2) mask",
            [full(&[3, 2], 0.0), value([[T, F], [F, T], [F, F]]), value([[1.0], [2.0], [3.0]])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]),
        )
        .with_equal_lengths()
        .smooth(),
        case(
            "masked_assign ignores what it does not place",
            [value([1.0, NAN]), value([F, T]), value([NAN, 8.0])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([1.0, 8.0]),
        )
        .with_equal_lengths(),
    ]
}

/// An assignment keeps the dtype of the destination.
fn dtypes() -> Vec<Case> {
    vec![
        case(
            "masked_assign of i64s to f32s",
            [value([1.0f32, 2.0]), value([F, T]), value([7i64, 8])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([1.0f32, 8.0]),
        )
        .with_equal_lengths(),
        case(
            "masked_assign of f32s to f64s",
            [value([1.0, 2.0]), value([F, T]), value([0.5f32, 0.25])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([1.0, 0.25]),
        )
        .with_equal_lengths()
        .with_fixed_dtypes()
        .smooth(),
        case(
            "masked_assign of bools to u8s",
            [value([5u8, 6]), value([F, T]), value([T, T])],
            |_, [x, m, v]| x.masked_assign(m, v),
            value([5u8, 1]),
        )
        .with_equal_lengths(),
        case(
            "masked_assign of a scalar to i32s",
            [value([5, 6]), value([F, T])],
            |_, [x, m]| x.masked_assign(m, -3),
            value([5, -3]),
        ),
    ]
}
