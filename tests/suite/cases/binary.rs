//! Elementwise arithmetic of two operands, promotion and broadcasting.

use tamis::graph::Binary;
use tamis::prelude::*;
use tamis::{DType, Value};

use super::variants;
use crate::array::{elements, empty, value};
use crate::case::{Case, case};

variants! {
    Binary:
    Binary::Add => add(),
    Binary::Sub => sub(),
    Binary::Mul => mul(),
    Binary::Div => div(),
    Binary::Pow => pow(),
    Binary::FloorMod => floor_mod(),
    Binary::FloorDiv => floor_div(),
    Binary::RemTrunc => rem_trunc(),
    Binary::Atan2 => atan2(),
    Binary::Minimum => minimum(),
    Binary::Maximum => maximum(),
}

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

type Function = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

#[track_caller]
fn of(name: &str, f: Function, a: Value, b: Value, expected: Value) -> Case {
    case(name, [a, b], move |_, [a, b]| f(a, b), expected)
}

/// The gradients of the sum of a function of two lists, one row each.
#[track_caller]
fn slopes<const N: usize>(name: &str, f: Function, [a, b]: [[f64; N]; 2], expected: [[f64; N]; 2]) -> Case {
    case(
        name,
        [value(a), value(b)],
        move |graph, [a, b]| graph.stack(grad(f(a, b).sum(..), [a, b]), 0),
        value(expected),
    )
}

fn add() -> Vec<Case> {
    let (row, column) = (value([[10.0, 20.0]]), value([[1.0], [2.0], [3.0]]));
    let grid = value([[11.0, 21.0], [12.0, 22.0], [13.0, 23.0]]);
    let matrix = value([[1.0, 2.0], [3.0, 4.0]]);
    vec![
        of("add", |a, b| a + b, value([1.5, -2.0]), value([1.0, 1.0]), value([2.5, -1.0])).smooth(),
        of("add of a row and a column", |a, b| a + b, row.clone(), column, grid).smooth(),
        of(
            "add of a vector to each row",
            |a, b| a + b,
            matrix.clone(),
            value([10.0, 20.0]),
            value([[11.0, 22.0], [13.0, 24.0]]),
        )
        .smooth(),
        of("add of a rank 0 tensor", |a, b| a + b, matrix, value(0.5), value([[1.5, 2.5], [3.5, 4.5]]))
            .smooth(),
        of("add of rank 0 tensors", |a, b| a + b, value(1.0), value(2.0), value(3.0)).smooth(),
        of("add of an empty array to a row", |a, b| a + b, empty::<f64>(&[0, 2]), row, empty::<f64>(&[0, 2]))
            .smooth(),
        of("add of infinities", |a, b| a + b, value([INF, INF]), value([1.0, -INF]), value([INF, NAN])),
        of("add of i32s wraps", |a, b| a + b, value([i32::MAX, 1]), value([1, 2]), value([i32::MIN, 3])),
        of("add of u8s wraps", |a, b| a + b, value([200u8, 1]), value([100u8, 2]), value([44u8, 3])),
        of("add of i64s wraps", |a, b| a + b, value([i64::MAX]), value([1i64]), value([i64::MIN])),
        case("add of an expression to itself", [value([1.0, 2.0])], |_, [x]| x + x, value([2.0, 4.0]))
            .smooth(),
    ]
}

fn sub() -> Vec<Case> {
    let (row, column) = (value([[10.0, 20.0]]), value([[1.0], [2.0]]));
    vec![
        of("sub", |a, b| a - b, value([1.5, -2.0]), value([1.0, 1.0]), value([0.5, -3.0])).smooth(),
        of("sub of a column", |a, b| a - b, row, column, value([[9.0, 19.0], [8.0, 18.0]])).smooth(),
        of("sub of infinities", |a, b| a - b, value([INF, -INF]), value([INF, INF]), value([NAN, -INF])),
        of("sub of u8s wraps", |a, b| a - b, value([3u8, 5]), value([5u8, 3]), value([254u8, 2])),
        of("sub of i32s wraps", |a, b| a - b, value([i32::MIN]), value([1]), value([i32::MAX])),
    ]
}

fn mul() -> Vec<Case> {
    let (row, column) = (value([[10.0, 20.0]]), value([[1.0], [2.0]]));
    vec![
        of("mul", |a, b| a * b, value([1.5, -2.0]), value([2.0, 3.0]), value([3.0, -6.0])).smooth(),
        of("mul of a row and a column", |a, b| a * b, row, column, value([[10.0, 20.0], [20.0, 40.0]]))
            .smooth(),
        of("mul of 0 and infinity", |a, b| a * b, value([0.0, 0.0]), value([INF, 1.0]), value([NAN, 0.0])),
        of("mul of u8s wraps", |a, b| a * b, value([16u8, 3]), value([17u8, 5]), value([16u8, 15])),
        of("mul of i32s wraps", |a, b| a * b, value([65536, -2]), value([65536, 3]), value([0, -6])),
        of("mul of i64s wraps", |a, b| a * b, value([i64::MIN]), value([-1i64]), value([i64::MIN])),
        slopes(
            "a zero that is only a number follows IEEE",
            |a, b| a.sqrt() * b,
            [[0.0, 4.0], [0.0, 1.0]],
            [[NAN, 0.25], [0.0, 2.0]],
        ),
    ]
}

fn div() -> Vec<Case> {
    let thirds = value([[1.0 / 3.0], [2.0 / 3.0]]);
    vec![
        of("div", |a, b| a / b, value([1.5, -2.0]), value([2.0, 4.0]), value([0.75, -0.5])).smooth(),
        of("div by a broadcast", |a, b| a / b, value([[1.0], [2.0]]), value([3.0]), thirds).smooth(),
        of(
            "div by 0",
            |a, b| a / b,
            value([1.0, -1.0, 0.0]),
            value([0.0, 0.0, 0.0]),
            value([INF, -INF, NAN]),
        ),
        of("div of i32s is in f64", |a, b| a / b, value([7, 1]), value([2, 0]), value([3.5, INF])),
        of("div of i64s is in f64", |a, b| a / b, value([1i64]), value([4i64]), value([0.25])),
        of("div of u8s is in f32", |a, b| a / b, value([7u8]), value([2u8]), value([3.5f32])),
        of("div of bools is in f32", |a, b| a / b, value([true]), value([true]), value([1.0f32])),
        of("div of i64s by f32s is in f32", |a, b| a / b, value([7i64]), value([2.0f32]), value([3.5f32])),
    ]
}

fn pow() -> Vec<Case> {
    let roots = value([std::f64::consts::SQRT_2, 0.19245008972987526, 0.1767766952966369]);
    vec![
        of("pow", |a, b| a.pow(b), value([2.0, 3.0, 0.5]), value([0.5, -1.5, 2.5]), roots).smooth(),
        of(
            "pow broadcasts",
            |a, b| a.pow(b),
            value([[2.0], [3.0]]),
            value([2.0, 3.0]),
            value([[4.0, 8.0], [9.0, 27.0]]),
        )
        .smooth(),
        of(
            "pow at its ends",
            |a, b| a.pow(b),
            value([0.0, 0.0, -8.0, -2.0, NAN, 1.0]),
            value([0.0, -1.0, 1.0 / 3.0, 3.0, 0.0, NAN]),
            value([1.0, INF, NAN, -8.0, 1.0, 1.0]),
        ),
        case(
            "pow with a literal exponent",
            [value([2.0, -3.0, 0.5])],
            |_, [x]| x.pow(3),
            value([8.0, -27.0, 0.125]),
        )
        .smooth(),
        case("pow 0 is 1", [value([2.0, -3.0])], |_, [x]| x.pow(0), value([1.0, 1.0])).smooth(),
        case("pow 1 is the base", [value([2.0, -3.0])], |_, [x]| x.pow(1), value([2.0, -3.0])).smooth(),
        case("pow 2 is the square", [value([2.0, -3.0])], |_, [x]| x.pow(2), value([4.0, 9.0])).smooth(),
        case("pow 0.3", [value([4.0])], |_, [x]| x.pow(0.3), value([1.515716566510398])).smooth(),
        case(
            "pow of a literal base",
            [value([3.0, -1.0])],
            |graph, [y]| graph.scalar(2.0).pow(y),
            value([8.0, 0.5]),
        )
        .with_fixed_dtypes()
        .smooth(),
        of("pow of i32s wraps", |a, b| a.pow(b), value([3, 2, -2]), value([4, 32, 3]), value([81, 0, -8])),
        of("pow of u8s wraps", |a, b| a.pow(b), value([3u8, 0]), value([6u8, 0]), value([217u8, 1])),
        slopes(
            "pow has slope 0 where the exponent is 0, and where the base is 0 and the exponent is not negative",
            |a, b| a.pow(b),
            [[0.0, 0.0, 2.0, -2.0], [0.0, 2.0, 0.0, 2.0]],
            [[0.0, 0.0, 0.0, -4.0], [0.0, 0.0, std::f64::consts::LN_2, NAN]],
        ),
    ]
}

fn floor_mod() -> Vec<Case> {
    let sevens = value([7, -7, 7, -7]);
    vec![
        of("floor_mod", |a, b| a % b, value([7.5, -7.5]), value([2.0, 2.0]), value([1.5, 0.5])).smooth(),
        of(
            "floor_mod by negatives",
            |a, b| a % b,
            value([7.5, -7.5]),
            value([-2.0, -2.0]),
            value([-0.5, -1.5]),
        )
        .smooth(),
        of(
            "floor_mod at its ends",
            |a, b| a.floor_mod(b),
            value([1.0, INF, 5.0, -5.0, NAN]),
            value([0.0, 2.0, INF, INF, 1.0]),
            value([NAN, NAN, 5.0, INF, NAN]),
        ),
        of(
            "floor_mod of i32s has the sign of the divisor",
            |a, b| a % b,
            sevens,
            value([3, 3, -3, -3]),
            value([1, 2, -2, -1]),
        ),
        of("floor_mod of the smallest i32 by -1", |a, b| a % b, value([i32::MIN]), value([-1]), value([0])),
        of("floor_mod of u8s", |a, b| a % b, value([7u8, 255]), value([3u8, 16]), value([1u8, 15])),
    ]
}

fn floor_div() -> Vec<Case> {
    let (sevens, threes) = (|| value([7, -7, 7, -7]), || value([3, 3, -3, -3]));
    vec![
        of("floor_div", |a, b| a.floor_div(b), value([7.5, -7.5]), value([2.0, 2.0]), value([3.0, -4.0]))
            .smooth(),
        of(
            "floor_div by negatives",
            |a, b| a.floor_div(b),
            value([7.5, -7.5]),
            value([-2.0, -2.0]),
            value([-4.0, 3.0]),
        )
        .smooth(),
        of(
            "floor_div broadcasts",
            |a, b| a.floor_div(b),
            value([[7.5], [-1.0]]),
            value([2.0, 4.0]),
            value([[3.0, 1.0], [-1.0, -1.0]]),
        )
        .smooth(),
        of(
            "floor_div of floats by 0",
            |a, b| a.floor_div(b),
            value([1.0, -1.0, 0.0, NAN]),
            value([0.0, 0.0, 0.0, 1.0]),
            value([INF, -INF, NAN, NAN]),
        ),
        of("floor_div of i32s", |a, b| a.floor_div(b), sevens(), threes(), value([2, -3, -3, 2])),
        of(
            "floor_div of i32s without a rest",
            |a, b| a.floor_div(b),
            value([6, -6, 6, -6, 0]),
            value([3, 3, -3, -3, -3]),
            value([2, -2, -2, 2, 0]),
        ),
        of(
            "floor_div of the smallest i32 by -1 wraps",
            |a, b| a.floor_div(b),
            value([i32::MIN, i32::MIN]),
            value([-1, 1]),
            value([i32::MIN, i32::MIN]),
        ),
        of(
            "floor_div of the smallest i64 by -1 wraps",
            |a, b| a.floor_div(b),
            value([i64::MIN]),
            value([-1i64]),
            value([i64::MIN]),
        ),
        of("floor_div of u8s", |a, b| a.floor_div(b), value([7u8, 255]), value([3u8, 16]), value([2u8, 15])),
        of(
            "floor_div of i64s by f32s",
            |a, b| a.floor_div(b),
            value([7i64]),
            value([2.0f32]),
            value([3.0f32]),
        ),
        case("floor_div by a weak integer", [value([-7])], |_, [x]| x.floor_div(2), value([-4])),
        slopes(
            "floor_div is flat",
            |a, b| a.floor_div(b),
            [[6.0, 7.5, 0.0], [3.0, 2.0, 1.0]],
            [[0.0; 3], [0.0; 3]],
        ),
    ]
}

fn rem_trunc() -> Vec<Case> {
    let (sevens, threes) = (value([7, -7, 7, -7]), value([3, 3, -3, -3]));
    vec![
        of("rem_trunc", |a, b| a.rem_trunc(b), value([7.5, -7.5]), value([2.0, 2.0]), value([1.5, -1.5]))
            .smooth(),
        of(
            "rem_trunc by negatives",
            |a, b| a.rem_trunc(b),
            value([7.5, -7.5]),
            value([-2.0, -2.0]),
            value([1.5, -1.5]),
        )
        .smooth(),
        of(
            "rem_trunc at its ends",
            |a, b| a.rem_trunc(b),
            value([1.0, INF, 5.0, -5.0, NAN]),
            value([0.0, 2.0, INF, INF, 1.0]),
            value([NAN, NAN, 5.0, -5.0, NAN]),
        ),
        of(
            "rem_trunc of i32s has the sign of the dividend",
            |a, b| a.rem_trunc(b),
            sevens,
            threes,
            value([1, -1, 1, -1]),
        ),
        of(
            "rem_trunc of the smallest i32 by -1",
            |a, b| a.rem_trunc(b),
            value([i32::MIN]),
            value([-1]),
            value([0]),
        ),
        of(
            "rem_trunc of the smallest i64 by -1",
            |a, b| a.rem_trunc(b),
            value([i64::MIN, i64::MIN]),
            value([-1i64, 3]),
            value([0i64, -2]),
        ),
        of("rem_trunc of u8s", |a, b| a.rem_trunc(b), value([7u8, 255]), value([3u8, 16]), value([1u8, 15])),
        slopes(
            "rem_trunc falls with the divisor",
            |a, b| a.rem_trunc(b),
            [[7.5, -7.5, 1.0], [2.0, 2.0, 4.0]],
            [[1.0, 1.0, 1.0], [-3.0, 3.0, 0.0]],
        ),
    ]
}

fn atan2() -> Vec<Case> {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    let quadrants = [0.4636476090008061, -0.4636476090008061, 2.677945044588987, -2.677945044588987];
    vec![
        of(
            "atan2 in every quadrant",
            |a, b| a.atan2(b),
            value([1.0, -1.0, 1.0, -1.0]),
            value([2.0, 2.0, -2.0, -2.0]),
            value(quadrants),
        )
        .smooth(),
        of(
            "atan2 broadcasts",
            |a, b| a.atan2(b),
            value([[1.0], [-1.0]]),
            value([1.0, -1.0]),
            value([[FRAC_PI_4, 3.0 * FRAC_PI_4], [-FRAC_PI_4, -3.0 * FRAC_PI_4]]),
        )
        .smooth(),
        of(
            "atan2 on the axes",
            |a, b| a.atan2(b),
            value([0.0, 0.0, 2.0, -2.0, -0.0]),
            value([1.0, -1.0, 0.0, 0.0, -1.0]),
            value([0.0, PI, FRAC_PI_2, -FRAC_PI_2, -PI]),
        ),
        of(
            "atan2 at its ends",
            |a, b| a.atan2(b),
            value([INF, 1.0, 1.0, INF, NAN, 1.0, 0.0]),
            value([1.0, INF, -INF, INF, 1.0, NAN, 0.0]),
            value([FRAC_PI_2, 0.0, PI, FRAC_PI_4, NAN, NAN, 0.0]),
        ),
        of(
            "atan2 of i32s is in f64",
            |a, b| a.atan2(b),
            value([1, 0]),
            value([1, 1]),
            value([FRAC_PI_4, 0.0]),
        ),
        of("atan2 of u8s is in f32", |a, b| a.atan2(b), value([0u8]), value([1u8]), value([0.0f32])),
        slopes(
            "atan2 has no slope at the origin",
            |a, b| a.atan2(b),
            [[0.0, 3.0, 0.0], [0.0, 4.0, 2.0]],
            [[NAN, 0.16, 0.5], [NAN, -0.12, 0.0]],
        ),
    ]
}

fn minimum() -> Vec<Case> {
    vec![
        of("minimum", |a, b| a.minimum(b), value([1.0, 5.0]), value([3.0, 2.0]), value([1.0, 2.0])).smooth(),
        of(
            "minimum broadcasts",
            |a, b| a.minimum(b),
            value([[1.0], [5.0]]),
            value([3.0, 0.0]),
            value([[1.0, 0.0], [3.0, 0.0]]),
        )
        .smooth(),
        of(
            "minimum gives on NaN",
            |a, b| a.minimum(b),
            value([NAN, 1.0, INF]),
            value([1.0, NAN, -INF]),
            value([NAN, NAN, -INF]),
        ),
        of("minimum of i64s", |a, b| a.minimum(b), value([1i64, 5]), value([3i64, 2]), value([1i64, 2])),
        of("minimum of u8s", |a, b| a.minimum(b), value([1u8, 255]), value([3u8, 2]), value([1u8, 2])),
        slopes(
            "minimum gives half of the slope to each of equals",
            |a, b| a.minimum(b),
            [[2.0, 1.0, NAN, NAN, 1.0], [2.0, 3.0, 1.0, NAN, NAN]],
            [[0.5, 1.0, 1.0, 0.5, 0.0], [0.5, 0.0, 0.0, 0.5, 1.0]],
        ),
    ]
}

fn maximum() -> Vec<Case> {
    vec![
        of("maximum", |a, b| a.maximum(b), value([1.0, 5.0]), value([3.0, 2.0]), value([3.0, 5.0])).smooth(),
        of(
            "maximum broadcasts",
            |a, b| a.maximum(b),
            value([[1.0], [5.0]]),
            value([3.0, 0.0]),
            value([[3.0, 1.0], [5.0, 5.0]]),
        )
        .smooth(),
        of(
            "maximum gives on NaN",
            |a, b| a.maximum(b),
            value([NAN, 1.0, INF]),
            value([1.0, NAN, -INF]),
            value([NAN, NAN, INF]),
        ),
        of("maximum of i32s", |a, b| a.maximum(b), value([1, 5]), value([3, 2]), value([3, 5])),
        slopes(
            "maximum gives half of the slope to each of equals",
            |a, b| a.maximum(b),
            [[2.0, 1.0, NAN, NAN, 1.0], [2.0, 3.0, 1.0, NAN, NAN]],
            [[0.5, 0.0, 1.0, 0.5, 0.0], [0.5, 1.0, 0.0, 0.5, 1.0]],
        ),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    [promotion(), weak_scalars(), clip(), arithmetic_of_bools()].into_iter().flatten().collect()
}

/// `[2, 3]` in a number dtype, or `[true, true]`.
fn small(dtype: DType) -> Value {
    match dtype {
        DType::Bool => value([true, true]),
        DType::U8 => value([2u8, 3]),
        DType::I32 => value([2, 3]),
        DType::I64 => value([2i64, 3]),
        DType::F32 => value([2.0f32, 3.0]),
        DType::F64 => value([2.0, 3.0]),
    }
}

/// What every pair of dtypes gives, worked from the operands `[2, 3]`, of bools `[true, true]`.
fn promotion() -> Vec<Case> {
    use DType::{Bool, F32, F64, I32, I64, U8};
    let table = [
        (Bool, [Bool, U8, I32, I64, F32, F64]),
        (U8, [U8, U8, I32, I64, F32, F64]),
        (I32, [I32, I32, I32, I64, F32, F64]),
        (I64, [I64, I64, I64, I64, F32, F64]),
        (F32, [F32, F32, F32, F32, F32, F64]),
        (F64, [F64, F64, F64, F64, F64, F64]),
    ];
    let mut cases = Vec::new();
    for (left, row) in table {
        for (right, result) in DType::ALL.into_iter().zip(row) {
            let name = format!("{} times {} are {}", elements(left), elements(right), elements(result));
            let product = match (left, right) {
                (Bool, Bool) => value([true, true]),
                (Bool, other) | (other, Bool) => small(other),
                (U8 | I32 | I64 | F32 | F64, U8 | I32 | I64 | F32 | F64) => squares(result),
            };
            cases.push(
                case(name, [small(left), small(right)], |_, [a, b]| a * b, product).with_fixed_dtypes(),
            );
        }
    }
    cases
}

/// `[4, 9]`.
fn squares(dtype: DType) -> Value {
    match dtype {
        DType::Bool => unreachable!("numbers do not promote to bool"),
        DType::U8 => value([4u8, 9]),
        DType::I32 => value([4, 9]),
        DType::I64 => value([4i64, 9]),
        DType::F32 => value([4.0f32, 9.0]),
        DType::F64 => value([4.0, 9.0]),
    }
}

fn weak_scalars() -> Vec<Case> {
    vec![
        case("f32s times a weak float", [value([2.0f32])], |_, [x]| x * 0.5, value([1.0f32])).smooth(),
        case("f32s times a weak integer", [value([2.0f32])], |_, [x]| x * 3, value([6.0f32])).smooth(),
        case("f64s times a weak f32", [value([2.0])], |_, [x]| x * 0.5f32, value([1.0]))
            .with_fixed_dtypes()
            .smooth(),
        case("u8s plus a weak integer", [value([255u8])], |_, [x]| x + 1, value([0u8])),
        case("i32s plus a weak integer", [value([1])], |_, [x]| x + 1i64, value([2])),
        case("i64s plus a weak integer", [value([1i64])], |_, [x]| x + 1, value([2i64])),
        case("u8s times a weak float", [value([3u8])], |_, [x]| x * 0.5, value([1.5f32])),
        case("i32s times a weak float", [value([3])], |_, [x]| x * 0.5, value([1.5])),
        case("i64s times a weak float", [value([3i64])], |_, [x]| x * 0.5, value([1.5])),
        case("bools plus a weak integer", [value([true, false])], |_, [x]| x + 1, value([2i64, 1])),
        case("bools times a weak float", [value([true, false])], |_, [x]| x * 0.5, value([0.5f32, 0.0])),
        case("i32s divided by a weak integer", [value([3])], |_, [x]| x / 2, value([1.5])),
        case("f32s to a weak power", [value([3.0f32])], |_, [x]| x.pow(2), value([9.0f32])).smooth(),
        case("a float minus a tensor", [value([0.25f32])], |_, [x]| 1.0 - x, value([0.75f32])).smooth(),
        case("a float over a tensor", [value([4.0, -2.0])], |_, [x]| 1.0 / x, value([0.25, -0.5])).smooth(),
        case("an integer over i32s", [value([4])], |_, [x]| 1i64 / x, value([0.25])),
        case("an integer minus u8s", [value([1u8])], |_, [x]| 3i64 - x, value([2u8])),
        case("an integer modulo a tensor", [value([3])], |_, [x]| 7i64 % x, value([1])),
        case(
            "operators take references",
            [value([1.0, 2.0])],
            |_, [x]| &x + &x * 2.0 - -&x,
            value([4.0, 8.0]),
        )
        .smooth(),
    ]
}

fn clip() -> Vec<Case> {
    let bounds = [value([-2.0, 0.5, 9.0]), value(0.0), value([1.0, 2.0, 3.0])];
    vec![
        case("clip", [value([-2.0, 0.5, 2.0])], |_, [x]| x.clip(0.0, 1.0), value([0.0, 0.5, 1.0])).smooth(),
        case("clip to tensors", bounds, |_, [x, low, high]| x.clip(low, high), value([0.0, 0.5, 3.0]))
            .smooth(),
        case("clip of i32s", [value([-2, 5])], |_, [x]| x.clip(0, 3), value([0, 3])),
        case("clip keeps NaN", [value([NAN, INF])], |_, [x]| x.clip(0, 1), value([NAN, 1.0])),
        case(
            "clip gives half of the slope at a bound",
            [value([0.0, 0.5, 1.0, 2.0])],
            |_, [x]| grad(x.clip(0.0, 1.0).sum(..), x),
            value([0.5, 1.0, 0.5, 0.0]),
        ),
    ]
}

/// Between masks the sum is `|` and the product `&`, as in NumPy.
fn arithmetic_of_bools() -> Vec<Case> {
    let both = || [value([true, true, false, false]), value([true, false, true, false])];
    vec![
        case("bools plus bools are or", both(), |_, [a, b]| a + b, value([true, true, true, false])),
        case("bools times bools are and", both(), |_, [a, b]| a * b, value([true, false, false, false])),
        case("maximum of bools is or", both(), |_, [a, b]| a.maximum(b), value([true, true, true, false])),
        case("minimum of bools is and", both(), |_, [a, b]| a.minimum(b), value([true, false, false, false])),
        case(
            "a tensor times a mask",
            [value([1.5, -2.0]), value([true, false])],
            |_, [x, mask]| x * mask,
            value([1.5, -0.0]),
        )
        .smooth(),
    ]
}
