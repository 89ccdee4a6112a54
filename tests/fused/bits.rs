//! Elements whose bits do not depend on who computes them: functions of literals and
//! of what is fed, the signs of zeros, the one NaN of maxima and minima.

use ndarray::{ArrayD, ArrayViewD, Dimension, IxDyn};
use tamis::prelude::*;
use tamis::{DType, Element, Outputs};

use crate::functions::functions;
use crate::random::Random;

/// The bits of an output of a float dtype; all NaN are one.
fn bits(out: &Outputs, name: &str, dtype: DType) -> Vec<u64> {
    let bits = |x: f64| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() };
    if dtype == DType::F32 {
        out.view::<f32>(name).expect("f32").iter().map(|x| bits(f64::from(*x))).collect()
    } else {
        out.view::<f64>(name).expect("f64").iter().map(|x| bits(*x)).collect()
    }
}

/// Arguments of every size, and where functions change their formula.
fn arguments() -> Vec<f64> {
    let mut random = Random::new(3);
    let mut arguments = vec![0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 10.0, 0.1, 1e-10, -709.0, 88.5, 1e6, 4e9, 1e300];
    arguments.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    for scale in [1.0, 4.0, 40.0, 1e5] {
        arguments.extend((0..12).map(|_| (random.below(1 << 30) as f64 / f64::from(1 << 29) - 1.0) * scale));
    }
    arguments
}

#[test]
fn a_function_of_a_literal_of_what_is_fed_and_of_the_reference_are_one() {
    let arguments = arguments();
    for dtype in [DType::F32, DType::F64] {
        let graph = Graph::new();
        let x = graph.input_of("x", dtype, ["n"]);
        let mut named: Vec<(String, Expr<'_>)> = Vec::new();
        for (name, function) in functions() {
            let literals = arguments.iter().map(|x| function(graph.scalar(*x).cast(dtype)));
            named.push((format!("{name} of literals"), graph.stack(literals.collect::<Vec<_>>(), 0)));
            named.push((name.to_string(), function(x)));
        }
        let plan = || Plan::new(named.clone()).expect("the plan is right");
        let fed = ArrayD::from_shape_vec(IxDyn(&[arguments.len()]), arguments.clone()).expect("a list");
        let run = |plan: &Plan| match dtype {
            DType::F32 => plan.feed("x", fed.mapv(|x| x as f32)).run().expect("the run is right"),
            DType::F64 | DType::Bool | DType::U8 | DType::I32 | DType::I64 => {
                plan.feed("x", fed.clone()).run().expect("the run is right")
            }
        };
        let (fused, reference) = (run(&plan()), run(&plan().reference()));
        for (name, _) in functions() {
            let expected = bits(&reference, name, dtype);
            for (out, name) in [
                (&fused, name.to_string()),
                (&fused, format!("{name} of literals")),
                (&reference, format!("{name} of literals")),
            ] {
                let found = bits(out, &name, dtype);
                for ((x, found), expected) in arguments.iter().zip(&found).zip(&expected) {
                    let [found, expected] = [found, expected].map(|bits| f64::from_bits(*bits));
                    assert!(found.to_bits() == expected.to_bits(), "{name}({x:e}): {found:e}, {expected:e}");
                }
            }
        }
    }
}

/// Runs a plan by both executors, and asserts that its one output has these bits.
#[track_caller]
fn assert_bits<T: Element + Into<f64>>(y: Expr<'_>, feeds: &[(&str, ArrayViewD<'_, T>)], expected: &[f64]) {
    let plan = || Plan::new([("y", y)]).expect("the plan is right");
    for (executor, plan) in
        [("reference", plan().reference()), ("1 thread", plan().threads(1)), ("3 threads", plan().threads(3))]
    {
        let run = feeds.iter().fold(plan.bind(), |run, (name, array)| run.feed(*name, array.view()));
        let out = run.run().expect("the run is right");
        let found: Vec<f64> =
            out.view::<T>("y").expect("the dtype of feeds").iter().map(|x| (*x).into()).collect();
        let bits = |list: &[f64]| list.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
        assert_eq!(bits(&found), bits(expected), "{executor}: {found:?}, not {expected:?}");
    }
}

#[test]
fn the_maximum_of_zeros_is_positive_and_their_minimum_negative() {
    let list = [-1.0, -0.0, 0.0, -1.0, -1.0];
    for turn in 0..list.len() {
        let mut transposed = list;
        transposed.rotate_left(turn);
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        let fed = ndarray::arr1(&transposed).into_dyn();
        assert_bits::<f64>(x.max(..), &[("x", fed.view())], &[0.0]);
        assert_bits::<f64>((-x).min(..), &[("x", fed.view())], &[-0.0]);
        assert_bits::<f64>(x.masked(x.gt(-0.5)).initial(-0.0).max(..), &[("x", fed.view())], &[0.0]);
        assert_bits::<f64>(x.masked(x.gt(-0.5)).initial(0.0).min(..), &[("x", fed.view())], &[-0.0]);
        assert_bits::<f64>(x.boolean_mask(x.gt(-0.5)).max(keep(0)), &[("x", fed.view())], &[0.0]);
        assert_bits::<f64>(graph.stack([x, x], 0).max(1), &[("x", fed.view())], &[0.0, 0.0]);
        assert_bits::<f64>(graph.stack([x, x], 1).max(0), &[("x", fed.view())], &[0.0, 0.0]);
    }
}

#[test]
fn elementwise_maximum_and_minimum_order_zeros() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<f32>("x", dims!["n"]), graph.input::<f32>("y", dims!["n"]));
    let (a, b) = (ndarray::arr1(&[0.0_f32, -0.0, -0.0, 3.0]), ndarray::arr1(&[-0.0_f32, 0.0, -0.0, -3.0]));
    let feeds = [("x", a.view().into_dyn()), ("y", b.view().into_dyn())];
    assert_bits::<f32>(x.maximum(y), &feeds, &[0.0, 0.0, -0.0, 3.0]);
    assert_bits::<f32>(x.minimum(y), &feeds, &[-0.0, -0.0, -0.0, -3.0]);
    assert_bits::<f32>(x.maximum(-0.0) + y * 0.0 - 0.0, &feeds, &[0.0, 0.0, -0.0, 3.0]);
    assert_bits::<f32>(x.clip(0.0, 1.0), &feeds[..1], &[0.0, 0.0, 0.0, 1.0]);
    assert_bits::<f32>(x.clip(-1.0, -0.0), &feeds[..1], &[-0.0, -0.0, -0.0, -0.0]);
    assert_bits::<f32>(x.relu(), &feeds[..1], &[0.0, 0.0, 0.0, 3.0]);
}

#[test]
fn scattered_maxima_and_minima_order_zeros() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let zeros = graph.constant([0.0, -0.0, -5.0, 5.0]);
    for transposed in [[0.0, -0.0, -0.0, 0.0], [-0.0, 0.0, 0.0, -0.0]] {
        let fed = ndarray::arr1(&transposed).into_dyn();
        let ids = graph.constant([1_i64, 1, 2, 2]);
        let feeds = [("x", fed.view())];
        assert_bits::<f64>(zeros.scatter_max(ids, x, 0), &feeds, &[0.0, 0.0, 0.0, 5.0]);
        assert_bits::<f64>(zeros.scatter_min(ids, x, 0), &feeds, &[0.0, -0.0, -5.0, 5.0]);
        assert_bits::<f64>(x.segment_max(ids - 1, 2), &feeds, &[0.0, 0.0]);
        assert_bits::<f64>(x.segment_min(ids - 1, 2), &feeds, &[-0.0, -0.0]);
    }
}

#[test]
fn a_maximum_of_several_nan_is_the_one_nan_in_any_order() {
    let marked = |mark: u64| f64::from_bits(f64::NAN.to_bits() | 1 << 63 | mark << 20);
    let graph = Graph::new();
    let (x, y) = (graph.input::<f64>("x", dims!["n"]), graph.input::<f64>("y", dims!["n"]));
    for length in [1, 2, 7, 65, 1500] {
        let special = |i: usize| if i.is_multiple_of(3) { marked(i as u64) } else { f64::NEG_INFINITY };
        let fed = ArrayD::from_shape_fn(IxDyn(&[length]), |index| special(index[0]));
        let feeds = [("x", fed.view())];
        let nan = f64::NAN;
        assert_bits::<f64>(x.max(..), &feeds, &[nan]);
        assert_bits::<f64>(x.min(..), &feeds, &[nan]);
        assert_bits::<f64>(x.masked(x.is_nan()).max(..), &feeds, &[nan]);
        assert_bits::<f64>(
            graph.constant([1.0]).scatter_max(x.ge(9.0).cast(DType::I64), x, 0),
            &feeds,
            &[nan],
        );
        let all = vec![nan; length];
        let others = fed.mapv(|x| if x.is_nan() { marked(99) } else { nan });
        let both = [("x", fed.view()), ("y", others.view())];
        assert_bits::<f64>(x.maximum(y), &both, &all);
        assert_bits::<f64>(y.minimum(x), &both, &all);
    }
}

#[test]
fn ties_of_zeros_share_the_gradient() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let fed = ndarray::arr1(&[-1.0, -0.0, 0.0, -1.0]).into_dyn();
    assert_bits::<f64>(grad(x.max(..), x), &[("x", fed.view())], &[0.0, 0.5, 0.5, 0.0]);
    let half = grad(x.maximum(0.0).sum(..), x);
    assert_bits::<f64>(half, &[("x", fed.view())], &[0.0, 0.5, 0.5, 0.0]);
}

/// Factors of which every product is −0.0: −0.0 by a positive number, or what underflows.
fn factors<T: Element + From<f32>>(shapes: [&[usize]; 2], [negative, positive]: [T; 2]) -> [ArrayD<T>; 2] {
    let zero_or_tiny = |even: bool| if even { T::from(-0.0) } else { negative };
    [
        ArrayD::from_shape_fn(IxDyn(shapes[0]), |index| zero_or_tiny(index.as_array_view().sum() % 2 == 0)),
        ArrayD::from_elem(IxDyn(shapes[1]), positive),
    ]
}

/// Products of every shape for which the executors have a method of their own.
fn no_product_is_a_negative_zero<T: Element + From<f32> + Into<f64>>(tiny: [T; 2]) {
    let shapes = [
        [1, 1, 1],
        [1, 1, 9],
        [9, 1, 1],
        [2, 1, 2],
        [9, 1, 9],
        [40, 1, 30],
        [300, 1, 5],
        [1, 7, 1],
        [1, 7, 9],
        [9, 7, 1],
        [9, 7, 9],
        [33, 40, 17],
        [3, 200, 4],
        [1, 9000, 1],
        [2, 9000, 2],
        [600, 3, 1030],
    ];
    for [rows, inner, columns] in shapes {
        for (left, right) in
            [(vec![rows, inner], vec![inner, columns]), (vec![3, rows, inner], vec![inner, columns])]
        {
            if left.len() == 3 && rows * columns > 10_000 {
                continue;
            }
            let graph = Graph::new();
            let (a, b) =
                (graph.input_of("a", T::DTYPE, left.clone()), graph.input_of("b", T::DTYPE, right.clone()));
            let [left_fed, right_fed] = factors([&left, &right], tiny);
            let feeds = [("a", left_fed.view()), ("b", right_fed.view())];
            let expected = vec![0.0; left.iter().product::<usize>() / inner * columns];
            let (all, most) = (a.ge(-1), b.le(1));
            assert_bits::<T>(a.matmul(b), &feeds, &expected);
            assert_bits::<T>(a.masked(all).matmul(b), &feeds, &expected);
            assert_bits::<T>(a.masked(a.lt(0)).matmul(b), &feeds, &expected);
            if left.len() == 2 {
                assert_bits::<T>(b.transpose().matmul(a.transpose()).transpose(), &feeds, &expected);
                assert_bits::<T>(graph.einsum("ik,kj->ij", [a, b]), &feeds, &expected);
                assert_bits::<T>(a.matmul(where_(most, b, b)), &feeds, &expected);
            }
            if rows == 1 && left.len() == 2 {
                assert_bits::<T>(a.flatten().matmul(b), &feeds, &expected);
                assert_bits::<T>(a.flatten().dot(b), &feeds, &expected);
            }
        }
    }
}

#[test]
fn no_product_of_f32_is_a_negative_zero() {
    no_product_is_a_negative_zero::<f32>([-1e-30, 1e-30]);
}

#[test]
fn no_product_of_f64_is_a_negative_zero() {
    no_product_is_a_negative_zero::<f64>([-1e-200, 1e-200]);
}
