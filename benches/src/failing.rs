//! What a run that fails takes, compared with one that does not: at most two of them.
//!
//! `cargo run --release --no-default-features --bin failing`; see README.md.

use std::time::{Duration, Instant};

use ndarray::{Array1, Array2};
use tamis::prelude::*;

/// The shortest of some runs.
fn shortest(mut run: impl FnMut()) -> Duration {
    let mut time = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    time();
    (0..5).map(|_| time()).min().expect("some runs are timed")
}

/// Prints what a run that fails takes beside one that does not.
fn compare(name: &str, good: impl Fn() -> bool, bad: impl Fn() -> bool) {
    assert!(good() && !bad(), "{name}: one succeeds, and the other fails");
    let good = shortest(|| assert!(good()));
    let bad = shortest(|| assert!(!bad()));
    let ratio = bad.as_secs_f64() / good.as_secs_f64();
    println!("{name:<36} {good:>10.1?} {bad:>10.1?} {ratio:>8.2}");
}

const LEN: usize = 1 << 21;

fn main() {
    println!("{:<36} {:>10} {:>10} {:>8}", "", "good", "failing", "ratio");
    let numbers = Array1::from_shape_fn(LEN, |i| (i as f64 * 0.7).sin());
    let whole = Array1::from_shape_fn(LEN, |i| i as i64 % 100 + 1);
    let (mut with_zero, at) = (whole.clone(), Array1::from_vec(vec![0_i64, 5]));
    with_zero[LEN - 1] = 0;
    let outside = Array1::from_vec(vec![0_i64, LEN as i64]);

    let graph = Graph::new();
    let a = graph.input::<f64>("a", dims!["n", "n"]);
    let i = graph.input::<i64>("i", dims!["k"]);
    let product = a.masked(a.gt(0.0)).matmul(a);
    let plan = Plan::new([("y", product.gather(i, 0))]).unwrap();
    let matrix = Array2::from_shape_fn((1000, 1000), |(i, j)| ((i * 1000 + j) as f64).sin());
    let run = |i: &Array1<i64>| plan.feed("a", &matrix).feed("i", i).run().is_ok();
    compare("masked product, then a bad index", || run(&at), || run(&outside));

    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let i = graph.input::<i64>("i", dims!["k"]);
    let chain = (0..20).fold(x, |y, _| (y * 0.9 + 0.1).abs());
    let plan = Plan::new([("y", chain.gather(i, 0)), ("sum", chain.sum(..))]).unwrap();
    let run = |i: &Array1<i64>| plan.feed("x", &numbers).feed("i", i).run().is_ok();
    compare("long chain, then a bad index", || run(&at), || run(&outside));

    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let d = graph.input::<i64>("d", dims!["n"]);
    let divided = (x.sort(0) * 100.0).cast(tamis::DType::I64).floor_div(d);
    let plan = Plan::new([("y", divided)]).unwrap();
    let run = |d: &Array1<i64>| plan.feed("x", &numbers).feed("d", d).run().is_ok();
    compare("sort, then a division by 0", || run(&whole), || run(&with_zero));

    let graph = Graph::new();
    let (x, y) = (graph.input::<f64>("x", dims!["n"]), graph.input::<f64>("y", dims!["k"]));
    let plan = Plan::new([("y", x.exp().cumsum(0).boolean_mask(x.gt(0.0)) + y)]).unwrap();
    let count = numbers.iter().filter(|x| **x > 0.0).count();
    let [fits, differs] = [count, count + 1].map(Array1::<f64>::zeros);
    let run = |y: &Array1<f64>| plan.feed("x", &numbers).feed("y", y).run().is_ok();
    compare("guard that fails late", || run(&fits), || run(&differs));

    let graph = Graph::new();
    let (x, i) = (graph.input::<f64>("x", dims!["n"]), graph.input::<i64>("i", dims!["n"]));
    let plan = Plan::new([("y", (x * 2.0).gather(i, 0) + x.exp())]).unwrap();
    let inside = Array1::from_shape_fn(LEN, |i| (i * 7 % LEN) as i64);
    let mut one_outside = inside.clone();
    one_outside[LEN - 1] = LEN as i64;
    let run = |i: &Array1<i64>| plan.feed("x", &numbers).feed("i", i).run().is_ok();
    compare("one bad index of many", || run(&inside), || run(&one_outside));

    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let outputs = || [("y", x.exp().cumsum(0).sin()), ("z", x.cumsum(0).sort(0))];
    let (good, bad) = (Plan::new(outputs()).unwrap(), Plan::new(outputs()).unwrap().memory_limit(LEN * 24));
    let run = |plan: &Plan| plan.feed("x", &numbers).run().is_ok();
    compare("memory limit", || run(&good), || run(&bad));
}
