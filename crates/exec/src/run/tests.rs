//! What a plan promises: naming, feeding, writing, errors that help.

use ndarray::{Array2, ArrayD, ArrayViewD, Axis, Slice, array};
use tamis_graph::{Graph, Value, dims};

use crate::{Error, ErrorKind, Eval, Plan};

/// The one message of an error, without the line.
#[track_caller]
fn message(error: Error) -> String {
    assert_eq!(error.reports().len(), 1, "{error}");
    let text = error.to_string();
    text.split(" (built at")
        .next()
        .and_then(|text| text.split(" (called at").next())
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn plan_is_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Plan>();
    check::<crate::Outputs>();
}

#[test]
fn plan_runs_in_several_threads_at_once() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("sum", x.sum(..))]).unwrap();
    std::thread::scope(|scope| {
        for n in 1..4 {
            let plan = &plan;
            scope.spawn(move || {
                let out = plan.feed("x", ArrayD::<f64>::ones(vec![n])).run().unwrap();
                assert_eq!(out.scalar::<f64>("sum").unwrap(), n as f64);
            });
        }
    });
}

#[test]
fn empty_plan_runs() {
    let plan = Plan::new::<&str>([]).unwrap();
    assert_eq!(plan.run().unwrap().names().count(), 0);
}

#[test]
fn every_build_error_is_reported_by_the_plan() {
    let graph = Graph::new();
    let (a, b) = (graph.input::<f32>("a", [2]), graph.input::<f32>("b", [3]));
    let _unused = a.sum(7);
    let error = Plan::new([("sum", a + b)]).unwrap_err();
    assert_eq!(error.reports().len(), 2);
    assert!(matches!(error.kind(), ErrorKind::Build(tamis_graph::ErrorKind::Axis { .. })));
    assert_eq!(error.location().unwrap().file(), file!());
}

#[test]
fn output_names_are_different_and_of_one_graph() {
    let (graph, other) = (Graph::new(), Graph::new());
    let (a, b) = (graph.constant([1]), other.constant([1]));
    let twice = Plan::new([("y", a), ("y", a)]).unwrap_err();
    assert_eq!(message(twice), "plan: the output name `y` is given twice");
    let mixed = Plan::new([("a", a), ("b", b)]).unwrap_err();
    assert_eq!(message(mixed), "plan: expressions of two different graphs cannot be combined");
}

#[test]
fn inputs_of_any_layout_are_read() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [2, 2]);
    let plan = Plan::new([("y", x * 10)]).unwrap();
    let run = |view: ArrayViewD<i32>| plan.feed("x", view).run().unwrap().take::<i32>("y").unwrap();
    let data = array![[1, 2], [3, 4]];
    assert_eq!(run(data.t().into_dyn()), array![[10, 30], [20, 40]].into_dyn());
    assert_eq!(
        run(data.slice_axis(Axis(0), Slice::new(0, None, -1)).into_dyn()),
        array![[30, 40], [10, 20]].into_dyn()
    );
    assert_eq!(
        run(array![[5, 6]].broadcast((2, 2)).unwrap().into_dyn()),
        array![[50, 60], [50, 60]].into_dyn()
    );
}

#[test]
fn everything_that_is_an_array_can_be_fed() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [2]);
    let plan = Plan::new([("y", x + 1)]).unwrap();
    let mut data = array![1, 2];
    let value = Value::from(data.clone().into_dyn());
    let shared = data.clone().into_shared();
    let expected = array![2, 3].into_dyn();
    let check = |run: crate::Run| assert_eq!(run.run().unwrap().view::<i32>("y").unwrap(), expected);
    check(plan.feed("x", &data));
    check(plan.feed("x", data.view()));
    check(plan.feed("x", data.clone()));
    check(plan.feed("x", &shared));
    check(plan.feed("x", shared));
    check(plan.feed("x", &value));
    check(plan.feed("x", value));
    let view = data.view_mut();
    check(plan.feed("x", &view));
    check(plan.feed("x".to_owned(), data.view_mut()));
}

#[test]
fn scalar_feeds_take_the_dtype_of_a_rank_0_input() {
    let graph = Graph::new();
    let x = graph.input::<u8>("x", dims![]);
    let plan = Plan::new([("y", x)]).unwrap();
    assert_eq!(plan.feed("x", 7).run().unwrap().scalar::<u8>("y").unwrap(), 7);
    assert_eq!(plan.feed("x", 7.0).run().unwrap().scalar::<u8>("y").unwrap(), 7);
    let error = plan.feed("x", 256).run().unwrap_err();
    assert_eq!(message(error), "feed: input `x` is u8, which cannot hold 256");
}

#[test]
fn every_error_in_feeding_is_reported_together() {
    let graph = Graph::new();
    let inputs = ["a", "b", "c"].map(|name| graph.input::<f32>(name, dims!["n", 3]));
    let plan = Plan::new([("y", inputs[0] + inputs[1] + inputs[2])]).unwrap();
    let data = Array2::<f32>::zeros((2, 3));
    let run = plan.feed("a", &data).feed("a", &data).feed("b", Array2::<f64>::zeros((2, 3))).feed("d", 1.0);
    let error = run.run().unwrap_err();
    let kinds: Vec<&ErrorKind> = error.reports().iter().map(|report| report.kind()).collect();
    assert!(matches!(
        kinds[..],
        [
            ErrorKind::RepeatedFeed { .. },
            ErrorKind::UnknownName { .. },
            ErrorKind::FeedDType { .. },
            ErrorKind::MissingFeed { .. }
        ]
    ));
    assert!(error.to_string().contains("\nfeed: input `c` is not fed; it is f32[n, 3] (built at "));
    assert!(error.to_string().contains("there is no input `d`; known: `a`, `b`, `c`"));
}

#[test]
fn feed_must_have_the_shape_of_its_input() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", 3]);
    let plan = Plan::new([("y", x)]).unwrap();
    let error = plan.feed("x", Array2::<f32>::zeros((2, 4))).run().unwrap_err();
    assert_eq!(message(error), "feed: input `x` has shape [n, 3], but was fed [2, 4]");
    assert!(plan.feed("x", array![1.0_f32]).run().is_err());
}

#[test]
fn one_dimension_has_one_length() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<f32>("x", dims!["n"]), graph.input::<f32>("y", dims![2, "n"]));
    let plan = Plan::new([("z", x + y)]).unwrap();
    let error = plan.feed("x", array![1_f32]).feed("y", Array2::<f32>::zeros((2, 3))).run().unwrap_err();
    let text = message(error);
    assert!(text.starts_with("feed: dimension `n` is 1 in axis 0 of input `x`, built at "), "{text}");
    assert!(text.ends_with(", but 3 in axis 1 of input `y`"), "{text}");
}

#[test]
fn input_that_is_not_needed_may_be_fed() {
    let graph = Graph::new();
    let (x, _y) = (graph.input::<i32>("x", dims![]), graph.input::<i32>("y", [2]));
    let plan = Plan::new([("z", x + 1)]).unwrap();
    assert!(plan.feed("x", 1).run().is_ok());
    assert!(plan.feed("x", 1).feed("y", array![1, 2]).run().is_ok());
    assert!(plan.feed("x", 1).feed("y", array![1]).run().is_err());
}

#[test]
fn dimension_is_taken_from_an_input_that_nothing_else_needs() {
    let graph = Graph::new();
    let _x = graph.input::<f32>("x", dims!["n", 2]);
    let plan = Plan::new([("indices", graph.iota("n"))]).unwrap();
    let out = plan.feed("x", Array2::<f32>::zeros((3, 2))).run().unwrap();
    assert_eq!(out.view::<i64>("indices").unwrap(), array![0, 1, 2].into_dyn());
    assert!(matches!(plan.run().unwrap_err().kind(), ErrorKind::MissingFeed { .. }));
    let error = Plan::new([("indices", graph.iota("m"))]).unwrap_err();
    assert_eq!(message(error), "iota: no input has the dimension `m`, so that its length is never known");
}

#[test]
fn slot_is_a_name_of_its_own_plan() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", dims![]);
    let (plan, other) = (Plan::new([("y", x)]).unwrap(), Plan::new([("y", x)]).unwrap());
    let (x, y) = (plan.slot("x").unwrap(), plan.slot("y").unwrap());
    assert_eq!(plan.feed(x, 3).run().unwrap().scalar::<i32>(y).unwrap(), 3);
    let error = other.feed(x, 3).feed("x", 3).run().unwrap_err();
    assert_eq!(message(error), "feed: the slot belongs to another plan");
    assert!(plan.slot("z").is_err());
    assert!(matches!(plan.feed(y, 3).feed(x, 3).run().unwrap_err().kind(), ErrorKind::UnknownName { .. }));
}

#[test]
fn two_outputs_may_name_one_expression() {
    let graph = Graph::new();
    let y = graph.constant([1, 2]) + 1;
    let mut out = Plan::new([("a", y), ("b", y)]).unwrap().run().unwrap();
    assert_eq!(out.take::<i32>("a").unwrap(), array![2, 3].into_dyn());
    assert_eq!(out.take::<i32>("b").unwrap(), array![2, 3].into_dyn());
}

#[test]
fn outputs_say_why_they_cannot_be_had() {
    let graph = Graph::new();
    let y = graph.constant([1, 2]) + 1;
    let mut out = Plan::new([("y", y)]).unwrap().run().unwrap();
    assert_eq!(out.names().collect::<Vec<_>>(), ["y"]);
    assert_eq!(message(out.view::<i64>("y").unwrap_err()), "view: output `y` is i32, not i64");
    assert_eq!(
        message(out.scalar::<i32>("y").unwrap_err()),
        "scalar: output `y` has shape [2] and not exactly one element"
    );
    assert_eq!(message(out.view::<i32>("z").unwrap_err()), "view: there is no output `z`; known: `y`");
    let _ = out.take::<i32>("y").unwrap();
    assert_eq!(message(out.take::<i32>("y").unwrap_err()), "take: output `y` was already taken");
}

#[test]
fn output_is_written_to_memory_of_exactly_its_shape() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", dims!["n"]);
    let plan = Plan::new([("y", x + 1)]).unwrap();
    let mut memory = Array2::<i32>::zeros((3, 2));
    let out = plan.feed("x", array![1, 2, 3]).output("y", memory.column_mut(1)).run().unwrap();
    assert!(matches!(out.view::<i32>("y").unwrap_err().kind(), ErrorKind::OutputWritten { .. }));
    assert_eq!(memory, array![[0, 2], [0, 3], [0, 4]]);
    let error = plan.feed("x", array![1, 2]).output("y", memory.column_mut(1)).run().unwrap_err();
    assert_eq!(
        message(error),
        "output: output `y` has shape [2], but is to be written to memory of shape [3]"
    );
    assert_eq!(memory, array![[0, 2], [0, 3], [0, 4]]);
    let error = plan.feed("x", 1).output("y", Array2::<f32>::zeros((3, 2)).column_mut(1)).run().unwrap_err();
    assert!(error.to_string().contains("output: output `y` is i32, not f32"));
}

#[test]
fn update_overwrites_after_success_only() {
    let graph = Graph::new();
    let (w, i) = (graph.input::<f64>("w", [2]), graph.input::<i64>("i", [1]));
    let picked = w.gather(i, 0);
    let plan = Plan::new([("w", w * 2.0), ("picked", picked)]).unwrap();
    let mut weights = array![1.0, 3.0];
    assert!(plan.update("w", weights.view_mut()).feed("i", array![9_i64]).run().is_err());
    assert_eq!(weights, array![1.0, 3.0]);
    let out = plan.update("w", weights.view_mut()).feed("i", array![1_i64]).run().unwrap();
    assert_eq!(out.view::<f64>("picked").unwrap(), array![3.0].into_dyn());
    assert_eq!(weights, array![2.0, 6.0]);
    let error = plan.update("i", array![0_i64].view_mut()).feed("w", weights).run().unwrap_err();
    assert!(error.to_string().contains("update: there is no output `i`"));
}

#[test]
fn lengths_of_two_masks_are_compared_at_run_time() {
    let graph = Graph::new();
    let (x, y) = (graph.input::<i32>("x", dims!["n"]), graph.input::<i32>("y", dims!["n"]));
    let plan = Plan::new([("sum", x.boolean_mask(x.gt(0)) + y.boolean_mask(y.gt(0)))]).unwrap();
    let feed = |x, y| plan.feed("x", x).feed("y", y).run();
    let out = feed(array![1, 0, 3], array![0, 10, 20]).unwrap();
    assert_eq!(out.view::<i32>("sum").unwrap(), array![11, 23].into_dyn());
    let text = feed(array![1, 2, 3], array![0, 10, 20]).unwrap_err().to_string();
    assert!(text.starts_with("add: lengths differ: count(%"), "{text}");
    assert!(text.contains("= 2") && text.contains("= 3"), "{text}");
    assert!(text.contains("counts the true elements of `gt(x, 0)`, built at "), "{text}");
    assert!(text.contains("counts the true elements of `gt(y, 0)`, built at "), "{text}");
    assert!(feed(array![0, 0, 3], array![0, 10, 0]).is_ok());
}

#[test]
fn reshape_to_another_size_is_an_error_of_the_run() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", dims!["n"]);
    let plan = Plan::new([("y", x.reshape([-1, 2]))]).unwrap();
    let out = plan.feed("x", array![1, 2, 3, 4]).run().unwrap();
    assert_eq!(out.view::<i32>("y").unwrap(), array![[1, 2], [3, 4]].into_dyn());
    let error = plan.feed("x", array![1, 2, 3]).run().unwrap_err();
    assert_eq!(message(error), "reshape: 3 elements cannot be divided by 2");
}

#[test]
fn expression_without_inputs_evaluates() {
    let graph = Graph::new();
    let x = graph.input::<i32>("x", [2]);
    assert_eq!((graph.constant([1, 2]) * 3).eval::<i32>().unwrap(), array![3, 6].into_dyn());
    assert!(matches!(x.eval::<i32>().unwrap_err().kind(), ErrorKind::MissingFeed { .. }));
    assert!(matches!(graph.iota(2).eval::<i32>().unwrap_err().kind(), ErrorKind::OutputDType { .. }));
}

#[test]
fn long_chain_plans_runs_and_drops_without_recursion() {
    let graph = Graph::new();
    let mut x = graph.input::<i64>("x", dims![]);
    for _ in 0..100_000 {
        x = (x + 1).negate();
    }
    let plan = Plan::new([("y", x)]).unwrap();
    drop(graph);
    assert_eq!(plan.feed("x", 5).run().unwrap().scalar::<i64>("y").unwrap(), 5);
}

#[test]
fn values_die_after_their_last_reader() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", dims![]);
    let y = x + 1;
    let plan = Plan::new([("z", y * y)]).unwrap();
    // x, 1, y = x + 1, z = y · y, which is an output
    assert_eq!(plan.reference.last_readers(), [Some(2), Some(2), Some(3), None]);
}

#[test]
fn sizes_beyond_memory_are_errors() {
    let graph = Graph::new();
    let huge = graph.zeros::<f64>([1_usize << 45]);
    let one = huge.slice_axis(3, 0);
    assert_eq!(one.eval::<f64>().unwrap(), array![0.0].into_shape_with_order(()).unwrap().into_dyn());
    let error = (huge + graph.iota(1_i64 << 45)).eval::<f64>().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OutOfMemory { .. }), "{error}");
    let x = graph.input::<u8>("x", dims!["n"]);
    let square = graph.iota(x.dim(0)).unsqueeze(0).broadcast_to(dims![1_i64 << 59, "n"]);
    let plan = Plan::new([("y", square)]).unwrap();
    let error = plan.feed("x", array![0_u8, 1, 2]).run().unwrap_err();
    assert!(error.to_string().contains("the size overflows"), "{error}");
}
