//! I. Graphs: very deep, very branched, mixed up; and plans shared by threads that fail.

use ndarray::arr1;
use tamis::prelude::*;

use crate::assert_fails;

#[test]
fn a_deep_chain_of_selections_needs_no_deep_stack() {
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(|| {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        // It selects at every step; a plain chain of a million nodes is in the tests of scale.
        let deep = (0..25_000).fold(x, |y, _| where_(x.gt(0.0), y + 1.0, y) - 1.0);
        let plan = Plan::new([("deep", deep)]).unwrap().memory_limit(1 << 10);
        let out = plan.feed("x", arr1(&[1.0, -1.0])).run().unwrap();
        assert_eq!(out.view::<f64>("deep").unwrap(), arr1(&[1.0, -25_001.0]).into_dyn());
        assert!(plan.feed("x", ndarray::Array1::<f64>::ones(1 << 10)).run().is_err());
    });
    thread.expect("a thread starts").join().expect("the stack suffices");
}

#[test]
fn a_diamond_of_two_to_the_40_paths_is_visited_once() {
    let graph = Graph::new();
    let x = graph.constant([1.0, -1.0]);
    let diamond = (0..40).fold(x, |y, _| (y + y) * 0.5 + where_(y.gt(0.0), y, 0.0) * 0.0);
    crate::gives(diamond, arr1(&[1.0, -1.0]));
    crate::gives(grad(diamond.sum(..), x), arr1(&[1.0, 1.0]));
}

#[test]
fn expressions_of_two_graphs_do_not_meet() {
    let (here, there) = (Graph::new(), Graph::new());
    let (x, y) = (here.constant([1.0, 2.0]), there.constant([true, false]));
    crate::refused(x.boolean_mask(y), "boolean_mask:");
    crate::refused(where_(y, x, 0.0), "where_:");
    let here = Graph::new();
    let x = here.constant([1.0, 2.0]);
    assert!(Plan::new([("x", x), ("y", there.constant([1.0]))]).is_err());
    assert_eq!(grad(x.sum(..), x).eval::<f64>().unwrap(), arr1(&[1.0, 1.0]).into_dyn());
}

#[test]
fn a_thread_that_fails_disturbs_no_other() {
    let graph = Graph::new();
    let i = graph.input::<i64>("i", dims!["k"]);
    let picked = graph.iota(1000).gather(i, 0);
    let plan = Plan::new([("value", picked * 2)]).unwrap().memory_limit(1 << 14);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let plan = &plan;
            scope.spawn(move || {
                for round in 0..100 {
                    let index: i64 = thread * 100 + round;
                    let bad = plan.feed("i", arr1(&[index, 1000])).run();
                    assert_fails(bad, "gather: index 1000 is out of range for axis 0 of length 1000");
                    let out = plan.feed("i", arr1(&[index])).run().unwrap();
                    assert_eq!(out.view::<i64>("value").unwrap(), arr1(&[2 * index]).into_dyn());
                }
            });
        }
    });
    let out = plan.feed("i", arr1(&[-1_i64])).run().unwrap();
    assert_eq!(out.view::<i64>("value").unwrap(), arr1(&[1998]).into_dyn());
}
