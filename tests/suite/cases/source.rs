//! Leaves.

use ndarray::{Array2, arr2};
use tamis::graph::Source;
use tamis::prelude::*;
use tamis::{DType, Scalar};

use super::variants;
use crate::array::{empty, full, value};
use crate::case::{Case, case};

variants! {
    Source:
    Source::Input { .. } => input(),
    Source::Constant(_) => constant(),
    Source::Scalar(_) => scalar(),
    Source::Iota { .. } => iota(),
    Source::Size(_) => size(),
    Source::Poison => Vec::new(),
}

fn input() -> Vec<Case> {
    let single = [1.5f32, -2.0];
    vec![
        case("input", [value([[1.0, -2.0, 3.0]])], |_, [x]| x, value([[1.0, -2.0, 3.0]])).smooth(),
        case("input of rank 0", [value(2.5)], |_, [x]| x, value(2.5)).smooth(),
        case("input without elements", [empty::<f64>(&[0, 3])], |_, [x]| x, empty::<f64>(&[0, 3])).smooth(),
        case("input of f32s", [value(single)], |_, [x]| x, value(single)).smooth(),
        case("input of bools", [value([true, false])], |_, [x]| x, value([true, false])),
        case("input of u8s", [value([0u8, 255])], |_, [x]| x, value([0u8, 255])),
        case("input of i32s", [value([i32::MIN, 7])], |_, [x]| x, value([i32::MIN, 7])),
        case("input of i64s", [value([i64::MAX, -7])], |_, [x]| x, value([i64::MAX, -7])),
        case(
            "input declared twice",
            [value([1.0, 2.0])],
            |graph, [x]| x * graph.input_of("x0", x.dtype(), &x.shape()),
            value([1.0, 4.0]),
        )
        .smooth(),
    ]
}

fn constant() -> Vec<Case> {
    vec![
        case("constant of rows", [], |graph, []| graph.constant([[1, 2], [3, 4]]), value([[1, 2], [3, 4]])),
        case("constant of a Vec", [], |graph, []| graph.constant(vec![true, false]), value([true, false])),
        case(
            "constant of a transposed array",
            [],
            |graph, []| graph.constant(arr2(&[[1.0, 2.0], [3.0, 4.0]]).t()),
            value([[1.0, 3.0], [2.0, 4.0]]),
        ),
        case(
            "constant without elements",
            [],
            |graph, []| graph.constant(Array2::<u8>::default((2, 0))),
            empty::<u8>(&[2, 0]),
        ),
        case(
            "constants distinguish zeros of either sign",
            [],
            |graph, []| graph.constant([1.0, 1.0]) / graph.constant([0.0, -0.0]),
            value([f64::INFINITY, f64::NEG_INFINITY]),
        ),
        case(
            "constants with NaN are equal to themselves",
            [],
            |graph, []| graph.constant([f64::NAN]) - graph.constant([f64::NAN]),
            value([f64::NAN]),
        ),
    ]
}

fn scalar() -> Vec<Case> {
    vec![
        case("scalar", [], |graph, []| graph.scalar(2.5f32), value(2.5f32)),
        case("constant of rank 0", [], |graph, []| graph.constant(7), value(7)),
        case(
            "scalar with a dtype of its own",
            [value([1.0f32, 2.0])],
            |graph, [x]| x * graph.scalar(0.5),
            value([0.5, 1.0]),
        )
        .smooth(),
        case("scalar of a bool", [], |graph, []| graph.scalar(true), value(true)),
    ]
}

fn iota() -> Vec<Case> {
    vec![
        case("iota", [], |graph, []| graph.iota(3), value([0i64, 1, 2])),
        case("iota of an empty array", [], |graph, []| graph.iota(0), empty::<i64>(&[0])),
        case("iota of a length", [value([[5.0, 6.0]])], |graph, [x]| graph.iota(x.dim(1)), value([0i64, 1])),
        case(
            "iota of a count",
            [value([true, false, true])],
            |graph, [mask]| graph.iota(mask.boolean_mask(mask).dim(0)),
            value([0i64, 1]),
        ),
    ]
}

fn size() -> Vec<Case> {
    vec![
        case("size of an axis", [value([[1.0, 2.0]])], |graph, [x]| graph.size(x.dim(-1)), value(2i64)),
        case("size of a number", [], |graph, []| graph.size(3), value(3i64)),
        case(
            "size of a product",
            [value([[1, 2], [3, 4], [5, 6]])],
            |graph, [x]| graph.size(x.flatten().dim(0)),
            value(6i64),
        ),
        case(
            "size of a count",
            [value([[true, false], [true, true]])],
            |graph, [mask]| graph.size(mask.argwhere().dim(0)),
            value(3i64),
        ),
        case(
            "size as a factor",
            [value([1.0, 2.0, 4.0])],
            |graph, [x]| x / graph.size(x.dim(0)),
            value([1.0 / 3.0, 2.0 / 3.0, 4.0 / 3.0]),
        )
        .smooth(),
    ]
}

pub(crate) fn composed() -> Vec<Case> {
    vec![
        case("full", [], |graph, []| graph.full([2, 1], 7u8), value([[7u8], [7]])),
        case("full of rank 0", [], |graph, []| graph.full(dims![], 0.5), value(0.5)),
        case("full without elements", [], |graph, []| graph.full([0, 2], true), empty::<bool>(&[0, 2])),
        case(
            "full of a length",
            [value([[1.0, 2.0]])],
            |graph, [x]| graph.full(dims![x.dim(1), 2], -1i64),
            full(&[2, 2], -1i64),
        ),
        case(
            "full of a scalar",
            [],
            |graph, []| graph.full_value([2], Scalar::F32(0.5)),
            value([0.5f32, 0.5]),
        ),
        case("zeros", [], |graph, []| graph.zeros::<i32>([2]), value([0, 0])),
        case("zeros of bools", [], |graph, []| graph.zeros::<bool>([2]), value([false, false])),
        case("ones", [], |graph, []| graph.ones::<f32>([2]), value([1.0f32, 1.0])),
        case("ones of bools", [], |graph, []| graph.ones::<bool>([2]), value([true, true])),
        case("a name has no effect", [value([1.0])], |_, [x]| x.named("x"), value([1.0])).smooth(),
        case(
            "full times a tensor",
            [value([1.0, 2.0])],
            |graph, [x]| x * graph.full_value(&x.shape(), Scalar::I64(3).cast(DType::F32)),
            value([3.0, 6.0]),
        )
        .smooth(),
    ]
}

#[test]
fn poison_is_reported_and_never_planned() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let error = x + graph.input::<f64>("y", [3]);
    assert!(error.is_poisoned());
    assert!((error * 2.0).sum(..).is_poisoned());
    assert!(Plan::new([("x", x)]).is_err());
}
