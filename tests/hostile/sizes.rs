//! G. Sizes: what no memory holds is refused before it is allocated, and what would
//! take too long to iterate over.

use std::time::{Duration, Instant};

use ndarray::{Array1, Array2, ArrayD, ArrayViewD, arr0, arr1};
use tamis::prelude::*;
use tamis::{DType, ErrorKind};

use crate::{assert_fails, fails, gives, refused};

const HUGE: i64 = 1 << 45;

#[test]
fn sizes_beyond_memory_are_errors() {
    let graph = Graph::new();
    let x = graph.constant([1_i64, 2]);
    let none = "there is no memory for shape";
    fails(graph.iota(HUGE), &format!("iota: {none} [35184372088832] of 281474976710656 bytes"));
    fails(graph.zeros::<f64>([HUGE]), &format!("zeros: {none}"));
    fails(x.broadcast_to([HUGE, 2]) + 1, &format!("add: {none}"));
    fails(x.one_hot(HUGE, DType::F32), "");
    fails(x.tile([HUGE]), "");
    fails(x.repeat(HUGE, 0), "");
    refused(graph.iota(1_i64 << 62), "iota: the size overflows");
    refused(graph.zeros::<f64>([1_i64 << 62]), "zeros: the size overflows");
    refused(x.one_hot(1_i64 << 61, DType::F32), "overflows");
    refused(x.tile([1_i64 << 62]), "overflows");
    refused(x.repeat(1_i64 << 62, 0), "overflows");
    refused(x.one_hot(-1, DType::F32), "a size cannot be negative, but -1 is");
}

#[test]
fn a_broadcast_beyond_memory_is_free_until_it_is_written_out() {
    let graph = Graph::new();
    let huge = graph.constant([1.0, 2.0]).unsqueeze(0).broadcast_to([HUGE, 2]);
    gives(huge.exp().ln().slice((7, ..)), arr1(&[1.0, 2.0]));
    gives(huge.slice_axis(-3.., 0).sum(0), arr1(&[3.0, 6.0]));
    fails(huge.flatten(), "flatten: there is no memory");
}

#[test]
fn an_iteration_that_would_not_end_is_an_error() {
    let graph = Graph::new();
    let huge = graph.zeros::<f64>([HUGE]);
    let message =
        "shape [35184372088832] repeats its elements to 35184372088832, which are too many to visit";
    let limit =
        "they take 35184372088832 additions; the limit is 8589934592, which `Plan::iteration_limit` changes";
    fails(huge.sum(..), &format!("sum: {message}: {limit}"));
    fails(huge.prod(0), &format!("prod: {message}"));
    let mask = graph.zeros::<bool>([HUGE]);
    fails((!mask).argwhere(), "argwhere: there is no memory");
    fails(huge.boolean_mask(!mask), &format!("boolean_mask: {message}"));
    fails(huge.unsqueeze(0).matmul(huge.unsqueeze(1)), "matmul: shape [1, 35184372088832] repeats");
    let pairs = graph.constant([0.5, 1.5]).broadcast_to([HUGE, 2]);
    fails(pairs.sum(0), "");
}

#[test]
fn an_error_of_memory_has_the_shape_of_the_operand_as_it_is_written() {
    let graph = Graph::new();
    let pairs = graph.constant([[0.5, 1.5], [1.0, 2.0], [2.0, 3.0]]).broadcast_to([HUGE, 3, 2]);
    let shape = "there is no memory for shape [35184372088832, 3, 2]";
    for (expr, op) in [(pairs.sum(..), "sum"), (pairs.sum([0, 2]), "sum"), (pairs.prod([0, 1]), "prod")] {
        let plan = Plan::new([("value", expr)]).unwrap().reference().iteration_limit(usize::MAX);
        assert_fails(plan.run(), &format!("{op}: {shape}"));
    }
}

#[test]
fn what_fails_among_elements_that_no_memory_holds_is_an_error_of_its_op() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", [2]);
    let huge = x.broadcast_to([HUGE, 2]);
    for failing in [(huge + 1).floor_div(huge).sum(..), huge.pow(huge * 3 - 1).max(..)] {
        let plan = Plan::new([("y", failing)]).unwrap();
        let error = plan.feed("x", arr1(&[1_i64, 0])).run().unwrap_err();
        assert!(["floor_div", "pow"].contains(&error.reports()[0].op()), "{error}");
        assert!(plan.feed("x", arr1(&[1_i64, 1])).run().is_ok());
    }
}

#[test]
fn what_repeats_is_reduced_without_visiting_it_where_that_is_exact() {
    let graph = Graph::new();
    let huge = graph.full([HUGE], -0.5);
    gives(huge.max(..), arr0(-0.5));
    gives((huge + 1.0).min(..), arr0(0.5));
    gives(huge.argmax(0), arr0(0_i64));
    gives(graph.full([HUGE], f64::NAN).argmin(0), arr0(0_i64));
    let mask = graph.zeros::<bool>([HUGE]);
    gives(mask.any(..), arr0(false));
    gives((!mask).all(..), arr0(true));
    gives(graph.constant(1.0).assert_that(!mask, "all is well"), arr0(1.0));
    fails(graph.constant(1.0).assert_that(mask, "all is well"), "assert_that: all is well");
    gives(huge.masked(!mask).max(..), arr0(-0.5));
    fails(huge.masked(mask).max(..), "max: ");
    // Integers wrap: 3 · 2⁴⁵, and −1 and 3 to powers of two.
    gives(graph.full([HUGE], 3_i64).sum(..), arr0(3_i64 << 45));
    gives(graph.full([HUGE], 7_i64 << 40).sum(..), arr0(0_i64));
    gives(graph.full([HUGE], -1_i64).prod(..), arr0(1_i64));
    // The odd numbers form a group of 2⁶² · 2 elements: 3^(2⁴⁵) is 1 + 2⁴⁷ · k, k odd.
    let power = (0..45).fold(3_i64, |power, _| power.wrapping_mul(power));
    gives(graph.full([HUGE], 3_i64).prod(..), arr0(power));
    gives((!mask).count_nonzero(..), arr0(HUGE));
    let pairs = graph.constant([[2_i64], [5]]).broadcast_to([2, HUGE]);
    gives(pairs.sum(1), arr1(&[2 * HUGE, 5 * HUGE]));
    gives(pairs.max(0).slice((7,)), arr0(5_i64));
    gives(pairs.argmax(0).slice((7,)), arr0(1_i64));
    gives(graph.constant([[0.5], [0.25]]).broadcast_to([2, HUGE]).sum(0).slice(..2), arr1(&[0.75, 0.75]));
}

#[test]
fn what_repeats_takes_no_time_below_the_limit_either() {
    let graph = Graph::new();
    // Each of these would take seconds to visit.
    let long = 1_i64 << 32;
    let start = Instant::now();
    let mask = graph.constant([[true], [false]]).broadcast_to([2, long]);
    gives(mask.any(1), arr1(&[true, false]));
    gives(mask.all(..), arr0(false));
    gives(mask.count_nonzero(..), arr0(long));
    gives(graph.full([long], 3_i64).sum(..), arr0(3_i64 << 32));
    gives(graph.full([long], -1_i64).prod(..), arr0(1_i64));
    gives((graph.full([long], -0.5) * 3.0).max(..), arr0(-1.5));
    gives(graph.full([long], -0.5).min(..), arr0(-0.5));
    gives(graph.full([long], -0.5).argmin(0), arr0(0_i64));
    gives(graph.full([long], -0.5).masked(!graph.zeros::<bool>([long])).max(..), arr0(-0.5));
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("any", x.gt(0.5).any(..)), ("largest", x.max(..))]).unwrap();
    let out = plan.feed("x", arr0(1.0).broadcast(1_usize << 32).unwrap()).run().unwrap();
    assert_eq!((out.scalar::<bool>("any").unwrap(), out.scalar::<f64>("largest").unwrap()), (true, 1.0));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// What a plan gives for `x`, `y` and `m`, or its error.
fn reduced(
    plan: &Plan,
    feeds: (ArrayViewD<'_, i64>, ArrayViewD<'_, f64>, ArrayViewD<'_, bool>),
) -> Result<ArrayD<f64>, String> {
    let (x, y, m) = feeds;
    let out = plan.feed("x", x).feed("y", y).feed("m", m).run().map_err(|error| error.to_string())?;
    Ok(out.view::<f64>("reduced").unwrap().to_owned())
}

#[test]
fn reductions_of_what_repeats_are_those_of_its_copies() {
    let graph = Graph::new();
    let lengths = dims!["a", "b", "c"];
    let x = graph.input::<i64>("x", lengths.clone());
    let y = graph.input::<f64>("y", lengths.clone());
    let m = graph.input::<bool>("m", lengths);
    // One plan for each, fused and not: what is reduced together is visited together.
    let mut plans = Vec::new();
    for axes in [&[0][..], &[1], &[2], &[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]] {
        let reductions = [
            ("sum", (x * 3 + m.cast(DType::I64)).sum(axes)),
            ("prod", x.prod(axes)),
            ("max", y.max(axes)),
            ("min", (y + 1.0).min(axes)),
            // In some rows no element is selected.
            ("masked max", (y * 2.0).masked(m).max(axes)),
            ("any", (!m).any(axes)),
            ("all", (m | y.gt(0.0)).all(axes)),
            ("count", m.count_nonzero(axes)),
            ("sum of floats", y.sum(axes)),
        ];
        for (name, reduction) in reductions {
            let outputs = [
                ("reduced", reduction.cast(DType::F64)),
                ("all", x.sum(..) + y.sum(..).cast(DType::I64) + m.count_nonzero(..)),
            ];
            plans.push((format!("{name} {axes:?}"), Plan::new([outputs[0]]).unwrap()));
            plans.push((format!("{name} {axes:?} with others"), Plan::new(outputs).unwrap()));
            plans.push((
                format!("{name} {axes:?} by the reference"),
                Plan::new([outputs[0]]).unwrap().reference(),
            ));
        }
    }
    for repeated in 0..8 {
        let stored = [2, 3, 4]
            .iter()
            .enumerate()
            .map(|(axis, length)| if repeated >> axis & 1 == 1 { 1 } else { *length });
        let stored: Vec<usize> = stored.collect();
        let len = stored.iter().product();
        let x = ArrayD::from_shape_vec(stored, (0..len).map(|i| i as i64 * 7 % 5 - 2).collect()).unwrap();
        let (y, m) = (x.mapv(|x| x as f64), x.mapv(|x| x != 1));
        let whole = &[2, 3, 4][..];
        let (x, y, m) =
            (x.broadcast(whole).unwrap(), y.broadcast(whole).unwrap(), m.broadcast(whole).unwrap());
        let copies = (x.to_owned(), y.to_owned(), m.to_owned());
        for (name, plan) in &plans {
            let expected = reduced(plan, (copies.0.view(), copies.1.view(), copies.2.view()));
            assert_eq!(reduced(plan, (x.view(), y.view(), m.view())), expected, "{name}, {repeated:03b}");
        }
    }
}

#[test]
fn an_iteration_may_be_as_long_as_the_plan_says() {
    let graph = Graph::new();
    let sum = graph.full([1000], 0.5).sum(..);
    let plan = Plan::new([("value", sum)]).unwrap();
    let error = plan.iteration_limit(999).run().unwrap_err();
    let expected = ErrorKind::IterationLimit { shape: vec![1000], elements: 1000, cost: 1000, limit: 999 };
    assert_eq!(error.kind(), &expected);
    let plan = Plan::new([("value", sum)]).unwrap().iteration_limit(1000);
    assert_eq!(plan.run().unwrap().scalar::<f64>("value").unwrap(), 500.0);
    // What is stored is no matter of patience.
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("value", x.exp().sum(..))]).unwrap().iteration_limit(1);
    assert!(plan.feed("x", Array1::<f64>::zeros(1000)).run().is_ok());
}

#[test]
fn a_broadcast_view_that_is_fed_is_not_visited_either() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("sum", x.sum(..))]).unwrap();
    let one = arr0(1.0);
    let error = plan.feed("x", one.broadcast(1_usize << 45).unwrap()).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::IterationLimit { .. }), "{error}");
    let out = plan.feed("x", one.broadcast(1000).unwrap()).run().unwrap();
    assert_eq!(out.scalar::<f64>("sum").unwrap(), 1000.0);
}

#[test]
fn nonzero_of_a_long_mask_counts_past_an_i32() {
    let graph = Graph::new();
    // More elements than an i32 counts, one of them not 0.
    let long = graph.zeros::<bool>([(1_i64 << 31) + 1]);
    let indices = long.scatter_set(graph.constant([-1_i64]), graph.constant([true]), 0).flatnonzero();
    let plan = Plan::new([("indices", indices)]).unwrap().memory_limit(1 << 30);
    let error = plan.run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MemoryLimit { bytes: 2_147_483_649, held: 8, .. }), "{error}");
}

#[test]
fn more_than_the_limit_is_refused_before_it_is_allocated() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    // Op by op, three arrays of n: two operands are held while the third is made.
    let y = (x + 1.0) * (x + 2.0);
    let plan = Plan::new([("y", y)]).unwrap().reference().memory_limit(2400);
    assert!(plan.feed("x", Array1::<f64>::ones(100)).run().is_ok());
    let error = plan.feed("x", Array1::<f64>::ones(101)).run().unwrap_err();
    let kind = ErrorKind::MemoryLimit { shape: vec![101], bytes: 808, held: 1616, limit: 2400 };
    assert_eq!(error.kind(), &kind);
    assert_eq!(error.reports()[0].op(), "mul");
    assert!(error.location().unwrap().file().ends_with("sizes.rs"));
    assert!(
        error
            .to_string()
            .contains("shape [101] takes 808 bytes, with 1616 held already; the memory limit is 2400 bytes")
    );
    let out = plan.feed("x", Array1::<f64>::ones(2)).run().unwrap();
    assert_eq!(out.view::<f64>("y").unwrap(), arr1(&[6.0, 6.0]).into_dyn());
}

#[test]
fn what_is_read_no_more_is_given_back() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let long = (0..1000).fold(x, |y, i| y + f64::from(i));
    // Never more than an operand and a result.
    let plan = Plan::new([("y", long.sum(..))]).unwrap().reference().memory_limit(1600);
    assert!(plan.feed("x", Array1::<f64>::ones(100)).run().is_ok());
    assert!(plan.feed("x", Array1::<f64>::ones(101)).run().is_err());
}

#[test]
fn what_runs_in_one_pass_holds_its_results_alone() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = (x + 1.0) * (x + 2.0);
    let plan = Plan::new([("y", y), ("sum", y.sum(..))]).unwrap().memory_limit(808);
    assert!(plan.feed("x", Array1::<f64>::ones(100)).run().is_ok());
    let error = plan.feed("x", Array1::<f64>::ones(101)).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MemoryLimit { limit: 808, .. }), "{error}");
}

#[test]
fn views_share_what_they_show_and_feeds_are_free() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [10, 10]);
    let y = x.transpose().reshape([100]).slice_axis(10..20, 0);
    let limited = |bytes| Plan::new([("a", x.slice_axis(0, 0)), ("b", y)]).unwrap().memory_limit(bytes);
    // `a` is copied from the feed: 80 bytes. `b` shows a part of the 800 that the reshape copies.
    assert!(limited(880).feed("x", Array2::<f64>::zeros((10, 10)).view()).run().is_ok());
    assert!(limited(879).feed("x", Array2::<f64>::zeros((10, 10)).view()).run().is_err());
    let z = (x + 1.0).transpose();
    let plan = Plan::new([("all", z), ("row", z.slice_axis(0, 0)), ("again", z.transpose())]).unwrap();
    assert!(plan.memory_limit(800).feed("x", Array2::<f64>::zeros((10, 10))).run().is_ok());
}

#[test]
fn results_are_held_together() {
    let graph = Graph::new();
    let ones = graph.ones::<f64>([100]);
    let outputs = [("a", ones), ("b", graph.zeros::<f64>([100])), ("again", ones)];
    assert!(Plan::new(outputs).unwrap().memory_limit(1600).run().is_ok());
    let error = Plan::new(outputs).unwrap().memory_limit(1599).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::MemoryLimit { held: 800, .. }), "{error}");
}

#[test]
fn a_limit_of_an_empty_selection_leaves_views_and_scalars() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0]);
    assert!(Plan::new([("x", x)]).unwrap().memory_limit(0).run().is_ok());
    let error = Plan::new([("y", x + 1.0)]).unwrap().memory_limit(0).run().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("add: shape [2] takes 16 bytes, with 0 held already; the memory limit is 0")
    );
}

#[test]
fn a_failed_run_gives_everything_back() {
    let graph = Graph::new();
    let i = graph.input::<i64>("i", dims!["k"]);
    let x = graph.iota(100).gather(i, 0);
    let plan = Plan::new([("x", x)]).unwrap().memory_limit(1000);
    for _ in 0..10 {
        assert!(plan.feed("i", arr1(&[100_i64])).run().is_err());
        assert!(plan.feed("i", arr1(&[99_i64])).run().is_ok());
    }
}

#[test]
fn products_of_sizes_are_refused_where_they_are_written() {
    type Case = for<'g> fn(&'g Graph) -> Expr<'g>;
    let cases: [(Case, &str); 9] = [
        (|g| g.ones::<f64>([1_i64 << 40]).outer(g.ones::<f64>([1_i64 << 40])), "outer: the size overflows"),
        (
            |g| g.ones::<f64>([1_i64 << 31, 1]).matmul(g.ones::<f64>([1, 1_i64 << 31])),
            "matmul: the size overflows",
        ),
        (|g| g.ones::<f64>([1_i64 << 40]).repeat(1_i64 << 30, 0), "repeat: the size overflows"),
        (|g| g.ones::<f64>([2]).tile([1_i64 << 40, 1 << 40]), "tile: the size overflows"),
        (
            |g| g.concat([g.ones::<f64>([1_i64 << 59]), g.ones::<f64>([1_i64 << 59])], 0),
            "concat: the size overflows",
        ),
        (|g| g.ones::<f64>([2]).pad([(1_i64 << 62, 1_i64 << 62)], 0.0), "pad: the size overflows"),
        (|g| g.ones::<f64>([2]).split([i64::MAX, i64::MAX], 0)[0], "split: the size overflows"),
        (
            |g| g.ones::<f64>([2]).segment_sum(g.constant([0, 1]), 1_i64 << 60),
            "segment_sum: the size overflows",
        ),
        (|g| g.ones::<f64>([2]).broadcast_to([-1, 2]), "broadcast_to: a size cannot be negative, but -1 is"),
    ];
    for (case, message) in cases {
        let graph = Graph::new();
        refused(case(&graph), message);
    }
}

#[test]
fn what_is_picked_from_a_huge_broadcast_costs_what_is_picked() {
    let graph = Graph::new();
    let huge = graph.iota(3).unsqueeze(1).broadcast_to([3, HUGE]);
    gives(
        huge.gather(graph.constant([HUGE - 1, -HUGE]), 1),
        Array2::from_shape_fn((3, 2), |(i, _)| i as i64),
    );
    gives(huge.slice_axis(5, 1).flip(0), arr1(&[2_i64, 1, 0]));
    fails(huge.gather(graph.constant([HUGE]), 1), "gather: index 35184372088832 is out of range for axis 1");
}

#[test]
fn a_gradient_too_large_to_sum_names_both_lines() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0]);
    let dx = grad(x.broadcast_to([HUGE, 2]).sum(..), x);
    let error = dx.eval::<f64>().unwrap_err().to_string();
    assert!(
        error.starts_with("broadcast_to: shape [1, 35184372088832] repeats its elements to 35184372088832"),
        "{error}"
    );
    assert!(error.contains("gradient taken at") && error.contains("of what was built at"), "{error}");
}

#[test]
fn more_threads_than_machines_have_are_as_many_as_make_sense() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("sum", x.sum(..))]).unwrap().threads(10_000);
    let data = Array1::from_shape_fn(1_000_000, |i| i as f64 * 0.1);
    let sum = plan.feed("x", &data).run().unwrap().scalar::<f64>("sum").unwrap();
    let alone = plan.threads(1).feed("x", &data).run().unwrap().scalar::<f64>("sum").unwrap();
    assert_eq!(sum.to_bits(), alone.to_bits());
    let most = Plan::new([("x", x)]).unwrap().threads(usize::MAX);
    assert!(most.feed("x", &data).run().is_ok());
}
