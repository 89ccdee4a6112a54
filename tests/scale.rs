//! Graphs of a million nodes, of astronomically many paths and of thousands of inputs:
//! no recursion over nodes, no quadratic time.

use ndarray::{Array1, arr0, arr1};
use tamis::prelude::*;

/// A stack on which a traversal that recurses once per node overflows at a few thousand
/// nodes.
const SMALL_STACK: usize = 512 * 1024;

/// Runs `f` on a small stack.
fn on_a_small_stack(f: fn()) {
    let thread = std::thread::Builder::new().stack_size(SMALL_STACK).spawn(f).expect("a thread starts");
    thread.join().expect("the stack suffices");
}

/// `x + 1 − y`, a million nodes deep: `x` itself for `y = 1`.
fn long_chain<'g>(x: Expr<'g>, y: Expr<'g>) -> Expr<'g> {
    (0..500_000).fold(x, |z, _| z + 1.0 - y)
}

#[test]
fn a_chain_of_a_million_nodes_prints_and_drops() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let last = long_chain(graph.input::<f64>("x", [2]), graph.input::<f64>("y", [2]));
        assert_eq!(graph.len(), 1_000_003);
        assert_eq!(graph.to_string().lines().count(), 1_000_003);
        let dot = graph.to_dot();
        assert_eq!(dot.matches("label = \"sub").count(), 500_000);
        assert_eq!(graph.ancestors(&[last.id()]).len(), 1_000_003);
        assert_eq!(graph.describe(last.id()), "sub(add(sub(%999999, y), 1.0), y)");
        assert!(graph.check().is_ok());
    });
}

#[test]
fn a_chain_of_a_million_nodes_is_differentiated_planned_run_and_dropped() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let (x, y) = (graph.input::<f64>("x", [2]), graph.input::<f64>("y", [2]));
        let last = long_chain(x, y);
        let [dx, dy] = grad(last.sum(..), [x, y]);
        let plan = Plan::new([("last", last), ("dx", dx), ("dy", dy)]).unwrap();
        drop(graph);
        let out = plan.feed("x", arr1(&[0.5, -2.0])).feed("y", arr1(&[1.0, 1.0])).run().unwrap();
        assert_eq!(out.view::<f64>("last").unwrap(), arr1(&[0.5, -2.0]).into_dyn());
        assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[1.0, 1.0]).into_dyn());
        assert_eq!(out.view::<f64>("dy").unwrap(), arr1(&[-500_000.0, -500_000.0]).into_dyn());
    });
}

#[test]
fn a_chain_of_ten_thousand_nodes_passes_the_gradient_check() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2]);
        let last = (0..2500).fold(x, |z, _| where_(z.gt(0.0), z * 0.5, z) + x);
        let report = check_gradients(last.sum(..), [x]).feed("x", arr1(&[1.0, -3.0])).run().unwrap();
        assert!(report.passed(), "{report}");
    });
}

#[test]
fn an_error_under_a_million_nodes_is_reported_once() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let (x, y) = (graph.input::<f64>("x", [2]), graph.input::<f64>("y", [3]));
        let last = long_chain(x + y, y);
        assert_eq!(Plan::new([("last", last)]).unwrap_err().reports().len(), 1);
    });
}

#[test]
fn a_million_errors_of_one_line_are_one() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<f64>("x", [2]), graph.input::<f64>("y", [3]));
    for _ in 0..1_000_000 {
        let _ = x + y;
    }
    assert_eq!(graph.check().unwrap_err().reports().len(), 1);
}

/// `x + x`, doubled again and again: `2^depth` paths, `depth` nodes.
#[track_caller]
fn assert_diamond_is_linear(depth: i32) {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let doubled = (0..depth).fold(x, |y, _| y + y);
    assert_eq!(graph.len(), 1 + depth as usize);
    let loss = doubled.sum(..);
    let dx = grad(loss, x);
    assert!(graph.len() < 10 * depth as usize, "{} nodes for the gradient", graph.len());
    let plan = Plan::new([("y", doubled), ("dx", dx)]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, -3.0])).run().unwrap();
    let paths = 2.0_f64.powi(depth);
    assert_eq!(out.view::<f64>("y").unwrap(), arr1(&[paths, -3.0 * paths]).into_dyn());
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[paths, paths]).into_dyn());
}

#[test]
fn a_diamond_with_two_to_the_40_paths_stays_linear() {
    assert_diamond_is_linear(40);
}

#[test]
fn a_diamond_with_two_to_the_60_paths_stays_linear() {
    assert_diamond_is_linear(60);
}

#[test]
fn a_diamond_of_selections_stays_linear() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let mut y = x;
    for level in 0..40 {
        y = where_(y.gt(f64::from(level)), y + 1.0, y * 1.0 - 1.0);
    }
    let forward = graph.len();
    let dx = grad(y.sum(..), x);
    assert!(graph.len() < 20 * forward, "{} nodes for the gradient of {forward}", graph.len());
    // 0.5 climbs one per level and stays above it, −1 falls.
    let plan = Plan::new([("y", y), ("dx", dx)]).unwrap();
    let out = plan.feed("x", arr1(&[0.5, -1.0])).run().unwrap();
    assert_eq!(out.view::<f64>("y").unwrap(), arr1(&[40.5, -41.0]).into_dyn());
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[1.0, 1.0]).into_dyn());
}

#[test]
fn a_thousand_nested_choices_by_distinct_masks() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        // Element 0 is dropped at once, element 1 after 500 levels, element 2 never.
        let mut y = x;
        for level in 0..1000 {
            y = where_(x.gt(f64::from(level)), y.sqrt().square(), 0.0);
        }
        let dx = grad(y.sum(..), x);
        let plan = Plan::new([("y", y), ("dx", dx)]).unwrap();
        let out = plan.feed("x", arr1(&[0.0, 500.0, 1024.0])).run().unwrap();
        let (y, dx) = (out.view::<f64>("y").unwrap(), out.view::<f64>("dx").unwrap());
        assert_eq!([y[0], y[1]], [0.0, 0.0]);
        assert!((y[2] - 1024.0).abs() < 1e-9, "{y}");
        assert_eq!([dx[0], dx[1]], [0.0, 0.0]);
        assert!((dx[2] - 1.0).abs() < 1e-9, "{dx}");
    });
}

#[test]
fn a_thousand_nested_selections_by_distinct_masks() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [1500]);
        // Each selection drops the smallest element that is left.
        let mut kept = x;
        for level in 0..1000 {
            kept = kept.boolean_mask(kept.gt(f64::from(level)));
        }
        let dx = grad((kept * 2.0).sum(..), x);
        let plan = Plan::new([("kept", kept), ("dx", dx)]).unwrap();
        let numbers = Array1::from_iter((0..1500).map(f64::from));
        let out = plan.feed("x", &numbers).run().unwrap();
        assert_eq!(
            out.view::<f64>("kept").unwrap(),
            Array1::from_iter((1000..1500).map(f64::from)).into_dyn()
        );
        let expected = Array1::from_iter((0..1500).map(|i| if i < 1000 { 0.0 } else { 2.0 }));
        assert_eq!(out.view::<f64>("dx").unwrap(), expected.into_dyn());
    });
}

#[test]
fn a_thousand_guards_stay_linear() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [4]);
    let first = x.boolean_mask(x.gt(-1.0));
    let mut sum = first;
    for level in 0..1000 {
        sum += x.boolean_mask(x.gt(-2.0 - f64::from(level)));
    }
    let dx = grad(sum.sum(..), x);
    let plan = Plan::new([("sum", sum), ("dx", dx)]).unwrap();
    let out = plan.feed("x", arr1(&[0.0, 1.0, 2.0, 3.0])).run().unwrap();
    assert_eq!(out.view::<f64>("sum").unwrap(), arr1(&[0.0, 1001.0, 2002.0, 3003.0]).into_dyn());
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[1001.0; 4]).into_dyn());
}

#[test]
fn two_thousand_inputs_and_outputs() {
    let graph = Graph::new();
    let inputs: Vec<Expr<'_>> =
        (0..2000).map(|i| graph.input::<f64>(&format!("x{i}"), [0_usize; 0])).collect();
    let weighted = inputs.iter().enumerate().map(|(i, x)| x * i as f64);
    let loss = weighted.reduce(|a, b| a + b).unwrap();
    let gradients: Vec<Expr<'_>> = grad(loss, inputs.clone());
    let outputs = gradients.iter().enumerate().map(|(i, dx)| (format!("dx{i}"), *dx));
    let plan = Plan::new(outputs.chain([("loss".to_owned(), loss)])).unwrap();
    let mut run = plan.bind();
    for i in 0..2000 {
        run = run.feed(format!("x{i}"), arr0(1.0));
    }
    let out = run.run().unwrap();
    assert_eq!(out.scalar::<f64>("loss").unwrap(), 1_999_000.0);
    for i in 0..2000 {
        assert_eq!(out.scalar::<f64>(format!("dx{i}")).unwrap(), f64::from(i));
    }
}

#[test]
fn a_concatenation_of_two_thousand_selections() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let parts: Vec<Expr<'_>> = (0..2000).map(|i| x.boolean_mask(x.gt(f64::from(i % 3)))).collect();
    let all = graph.concat(parts, 0);
    let plan = Plan::new([("all", all), ("dx", grad(all.sum(..), x))]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).run().unwrap();
    // Thresholds 0, 1, 2 keep three, two and one element: 667, 667 and 666 times.
    assert_eq!(out.view::<f64>("all").unwrap().len(), 667 * 3 + 667 * 2 + 666);
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[667.0, 1334.0, 2000.0]).into_dyn());
}

#[test]
fn a_concatenation_of_ten_thousand_different_selections() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    // The threshold lies below the second element in every other selection.
    let threshold = |i: i32| 2.5 - f64::from(i % 2) - f64::from(i) / 100_000.0;
    let parts: Vec<Expr<'_>> = (0..10_000).map(|i| x.boolean_mask(x.gt(threshold(i)))).collect();
    let all = graph.concat(parts, 0);
    let plan =
        Plan::new([("all", all), ("dx", grad(all.sum(..), x)), ("twice", grad((all * all).sum(..), x))]);
    let out = plan.unwrap().feed("x", arr1(&[1.0, 2.0, 3.0])).run().unwrap();
    assert_eq!(out.view::<f64>("all").unwrap().len(), 15_000);
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[0.0, 5_000.0, 10_000.0]).into_dyn());
    assert_eq!(out.view::<f64>("twice").unwrap(), arr1(&[0.0, 20_000.0, 60_000.0]).into_dyn());
}

#[test]
fn two_hundred_gradients_keep_the_checks_of_their_loss() {
    let graph = Graph::new();
    let inputs: Vec<Expr<'_>> = (0..200).map(|i| graph.input::<f64>(&format!("x{i}"), [2])).collect();
    let checked = inputs.iter().map(|x| x.assert_that(x.lt(5.0), "x is small"));
    let loss = checked.reduce(|a, b| a + b).unwrap().sum(..);
    let gradients = grad(loss, inputs.clone());
    let plan = Plan::new([("dx", gradients[0])]).unwrap();
    let run = |last: f64| {
        let feed = |i: i32| if i == 199 { last } else { 1.0 };
        (0..200).fold(plan.bind(), |run, i| run.feed(format!("x{i}"), arr1(&[0.0, feed(i)]))).run()
    };
    assert_eq!(run(2.0).unwrap().view::<f64>("dx").unwrap(), arr1(&[1.0, 1.0]).into_dyn());
    assert!(run(7.0).unwrap_err().to_string().contains("x is small"));
}

#[test]
fn a_region_with_a_thousand_literals_has_each_of_them() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let sum = (1..=1000).map(|i| (x + f64::from(i)).maximum(f64::from(-i))).reduce(|a, b| a + b).unwrap();
    let plan = Plan::new([("sum", sum)]).unwrap();
    assert!(plan.explain().contains("add(x, 1000.0)"), "{}", plan.explain());
    let out = plan.feed("x", arr1(&[0.0, 0.5])).run().unwrap();
    assert_eq!(out.view::<f64>("sum").unwrap(), arr1(&[500_500.0, 501_000.0]).into_dyn());
}
