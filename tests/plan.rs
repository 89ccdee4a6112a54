//! What a plan takes and gives: feeds of every form, outputs into the caller's
//! memory, training in place, and every way to get it wrong.

mod location;

use location::{above, without_calls};
use ndarray::{Array, Array1, Array2, Array3, ArrayD, Axis, Slice, arr0, arr1, arr2, aview1};
use tamis::prelude::*;
use tamis::{ErrorKind, Outputs, Value};

/// `y = 2x + z` with `x, z: f64[n]`.
fn sum_plan() -> Plan {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let z = graph.input::<f64>("z", dims!["n"]);
    Plan::new([("y", x * 2.0 + z)]).unwrap()
}

#[track_caller]
fn assert_y(out: &Outputs, expected: &[f64]) {
    assert_eq!(out.view::<f64>("y").unwrap(), arr1(expected).into_dyn());
}

/// Asserts the message but for the lines of calls, which are lines of the assertion itself.
#[track_caller]
fn assert_error(result: Result<Outputs, tamis::Error>, message: &str) {
    let error = result.unwrap_err();
    assert_eq!(without_calls(&error), message);
    assert!(error.reports().iter().all(|report| report.call().is_some_and(|call| call.file() == file!())));
}

#[test]
fn feeds_take_arrays_views_and_values_owned_and_borrowed() {
    let plan = sum_plan();
    let array = arr1(&[1.0, 2.0]);
    let shared = array.to_shared();
    let value = Value::from(array.clone().into_dyn());
    let mut memory = array.clone();
    let one = || plan.feed("z", array.view());
    assert_y(&one().feed("x", &array).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", array.clone()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", array.view()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", memory.view_mut()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", shared.clone()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", &shared).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", array.clone().into_dyn()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", &value).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", value.clone()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", aview1(&[1.0, 2.0])).run().unwrap(), &[3.0, 6.0]);
    // What was fed is as it was.
    assert_eq!((memory, value.view::<f64>().unwrap()), (array.clone(), array.view().into_dyn()));
}

#[test]
fn inputs_of_rank_one_are_fed_slices_vectors_and_rust_arrays() {
    let plan = sum_plan();
    let array = [1.0, 2.0];
    let (borrowed, none, integers): (&[f64; 2], &[f64; 0], _) = (&array, &[], [1, 2]);
    let vector = vec![1.0, 2.0];
    let one = || plan.feed("z", borrowed);
    assert_y(&one().feed("x", &vector[..]).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", vector.as_slice()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", &vector).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", vector.clone()).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", borrowed).run().unwrap(), &[3.0, 6.0]);
    assert_y(&one().feed("x", array).run().unwrap(), &[3.0, 6.0]);
    assert_y(&plan.feed("z", Vec::<f64>::new()).feed("x", none).run().unwrap(), &[]);
    let error = one().feed("x", integers).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::FeedDType { .. }), "{error}");
}

#[test]
fn feeds_of_rank_zero_take_rust_scalars() {
    let graph = Graph::new();
    let plan = {
        let a = graph.input::<f32>("a", dims![]);
        let b = graph.input::<i64>("b", dims![]);
        let c = graph.input::<bool>("c", dims![]);
        Plan::new([("y", where_(c, a * b, 0.0))]).unwrap()
    };
    let y = |out: Outputs| out.scalar::<f32>("y").unwrap();
    assert_eq!(y(plan.feed("a", 0.5).feed("b", 4).feed("c", true).run().unwrap()), 2.0);
    assert_eq!(y(plan.feed("a", 3).feed("b", 4.0).feed("c", 1).run().unwrap()), 12.0);
    assert_eq!(y(plan.feed("a", 0.5_f32).feed("b", 4_u8).feed("c", false).run().unwrap()), 0.0);
    assert_eq!(y(plan.feed("a", arr0(0.5_f32)).feed("b", arr0(4_i64)).feed("c", true).run().unwrap()), 2.0);
}

#[test]
fn a_rust_scalar_that_does_not_fit_is_refused() {
    let graph = Graph::new();
    let n = graph.input::<u8>("n", dims![]);
    let line = above("input::<u8>");
    let plan = Plan::new([("y", n)]).unwrap();
    for (run, value) in [
        (plan.feed("n", 256), "256"),
        (plan.feed("n", -1), "-1"),
        (plan.feed("n", 2.5), "2.5"),
        (plan.feed("n", f64::NAN), "NaN"),
    ] {
        assert_error(
            run.run(),
            &format!("feed: input `n` is u8, which cannot hold {value} (built at {line})"),
        );
    }
}

#[test]
fn borrowed_inputs_of_any_layout_are_read_as_they_lie() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", "m"]);
    let outputs = [
        ("same", x + 0.0),
        ("rows", x.sum(1)),
        ("kept", x.boolean_mask(x.gt(2.0))),
        ("transposed", x.transpose()),
        ("product", x.transpose().matmul(x)),
        ("running", x.cumsum(1)),
        ("flat", x.flatten()),
        ("gathered", x.gather(graph.constant([1, 0]), 1)),
        ("x", x),
    ];
    let plan = Plan::new(outputs).unwrap();
    let check = |view: ndarray::ArrayView2<'_, f64>| {
        let standard = Array2::from_shape_vec(view.dim(), view.iter().copied().collect()).unwrap();
        let out = plan.feed("x", view).run().unwrap();
        let expected = plan.feed("x", &standard).run().unwrap();
        assert_eq!(out.view::<f64>("x").unwrap(), standard.clone().into_dyn());
        assert_eq!(out.view::<f64>("flat").unwrap().as_slice().unwrap(), standard.as_slice().unwrap());
        for (name, _) in outputs {
            assert_eq!(out.view::<f64>(name).unwrap(), expected.view::<f64>(name).unwrap(), "{name}");
        }
    };
    let base = Array3::from_shape_fn((3, 4, 5), |(i, j, k)| (i * 20 + j * 5 + k) as f64);
    for axis in 0..3 {
        for step in [1, 2, -1, -2] {
            let plane = base.index_axis(Axis(axis), 1);
            check(plane.slice_axis(Axis(0), Slice::new(0, None, step)));
            check(plane.slice_axis(Axis(1), Slice::new(1, None, step)));
            check(plane.reversed_axes().slice_axis(Axis(0), Slice::new(0, None, step)));
        }
    }
    let fortran = Array2::from_shape_fn(ndarray::ShapeBuilder::f((3, 4)), |(i, j)| (i * 4 + j) as f64);
    check(fortran.view());
    let row = arr1(&[1.0, 2.0, 3.0]);
    check(row.broadcast((2, 3)).unwrap());
}

#[test]
fn the_sum_of_a_strided_view_is_worked_by_hand() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", "m"]);
    let plan = Plan::new([("rows", x.sum(1)), ("kept", x.boolean_mask(x.gt(4.0)))]).unwrap();
    let data = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let mut view = data.view();
    view.invert_axis(Axis(0));
    view.slice_axis_inplace(Axis(1), Slice::new(0, None, 2));
    let out = plan.feed("x", view).run().unwrap();
    assert_eq!(out.view::<f64>("rows").unwrap(), arr1(&[10.0, 4.0]).into_dyn());
    assert_eq!(out.view::<f64>("kept").unwrap(), arr1(&[6.0]).into_dyn());
}

#[test]
fn a_slot_is_accepted_wherever_a_name_is() {
    let plan = sum_plan();
    let (x, z, y) = (plan.slot("x").unwrap(), plan.slot("z").unwrap(), plan.slot("y").unwrap());
    let mut memory = Array1::<f64>::zeros(2);
    let mut out = plan.feed(x, arr1(&[1.0, 2.0])).feed(z, arr1(&[0.5, 0.5])).run().unwrap();
    assert_eq!(out.view::<f64>(y).unwrap(), arr1(&[2.5, 4.5]).into_dyn());
    assert_eq!(out.take::<f64>(y).unwrap(), arr1(&[2.5, 4.5]).into_dyn());
    plan.feed(x, arr1(&[1.0, 2.0])).feed("z", arr1(&[0.5, 0.5])).output(y, memory.view_mut()).run().unwrap();
    assert_eq!(memory, arr1(&[2.5, 4.5]));
}

#[test]
fn a_slot_of_another_plan_is_refused() {
    let (plan, other) = (sum_plan(), sum_plan());
    let x = other.slot("x").unwrap();
    let result = plan.feed(x, arr1(&[1.0])).feed("x", arr1(&[1.0])).feed("z", arr1(&[1.0])).run();
    assert_error(result, "feed: the slot belongs to another plan");
}

#[test]
fn names_are_given_as_str_and_as_string() {
    let plan = sum_plan();
    let name = String::from("x");
    let out = plan.feed(&name, arr1(&[1.0])).feed(String::from("z"), arr1(&[1.0])).run().unwrap();
    assert_y(&out, &[3.0]);
}

#[test]
fn an_unknown_name_lists_those_there_are() {
    let graph = Graph::new();
    let weights = graph.input::<f64>("weights", [1]);
    let bias = graph.input::<f64>("bias", [1]);
    let plan = Plan::new([("sum", weights + bias), ("product", weights * bias)]).unwrap();
    let one = arr1(&[1.0]);
    let fed = || plan.feed("weights", &one).feed("bias", &one);
    assert_error(
        fed().feed("wieghts", &one).run(),
        "feed: there is no input `wieghts`; known: `bias`, `weights` (did you mean `weights`?)",
    );
    assert_error(fed().feed("sum", &one).run(), "feed: there is no input `sum`; known: `bias`, `weights`");
    let out = fed().run().unwrap();
    let error = out.view::<f64>("weights").unwrap_err();
    assert_eq!(without_calls(&error), "view: there is no output `weights`; known: `product`, `sum`");
    let error = plan.slot("som").unwrap_err();
    let message = "slot: there is no input or output `som`; known: `bias`, `product`, `sum`, `weights` (did you mean \
                   `sum`?)";
    assert_eq!(without_calls(&error), message);
}

#[test]
fn only_names_that_the_plan_uses_are_known() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [1]);
    let _label = graph.input::<f64>("label", [1]);
    let plan = Plan::new([("y", x * 2.0)]).unwrap();
    let one = arr1(&[1.0]);
    assert_error(
        plan.feed("x", &one).feed("labels", &one).run(),
        "feed: there is no input `labels`; known: `x`",
    );
    let error = plan.slot("labels").unwrap_err();
    assert_eq!(without_calls(&error), "slot: there is no input or output `labels`; known: `x`, `y`");
    // What the graph has, but the plan does not need, is accepted all the same.
    assert_y(&plan.feed("x", &one).feed("label", &one).run().unwrap(), &[2.0]);
}

#[test]
fn a_typo_of_a_short_name_is_suggested() {
    let graph = Graph::new();
    let (x, lr) = (graph.input::<f64>("x", [1]), graph.input::<f64>("lr", dims![]));
    let plan = Plan::new([("y", x * lr)]).unwrap();
    let error = |name: &str| {
        let error = plan.feed("x", [1.0]).feed("lr", 1.0).feed(name, 1.0).run().unwrap_err();
        error.kind().to_string()
    };
    let suggested =
        |name, nearest| format!("there is no input `{name}`; known: `lr`, `x` (did you mean `{nearest}`?)");
    for (name, nearest) in [("X", "x"), ("xx", "x"), ("rl", "lr"), ("LR", "lr"), ("l", "lr")] {
        assert_eq!(error(name), suggested(name, nearest));
    }
    assert_eq!(error("y"), "there is no input `y`; known: `lr`, `x`");
}

#[test]
fn the_errors_of_feeding_name_the_line_of_the_call() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 3]);
    let built = above("input::<f64>");
    let plan = Plan::new([("y", x)]).unwrap();
    let run = plan.feed("x", arr1(&[1.0]));
    let call = above("feed(\"x\", arr1");
    let message =
        format!("feed: input `x` has shape [n, 3], but was fed [1] (built at {built}; called at {call})");
    assert_eq!(run.run().unwrap_err().to_string(), message);
    let run = plan.bind();
    let error = run.run().unwrap_err();
    let call = above("run().unwrap_err()");
    let message = format!("feed: input `x` is not fed; it is f64[n, 3] (built at {built}; called at {call})");
    assert_eq!(error.to_string(), message);
    assert_eq!(error.reports()[0].call().unwrap().to_string(), call);
    let error = plan.bind().feed("q", 1.0).feed("x", arr2(&[[1.0; 3]])).run().unwrap_err();
    let call = above("feed(\"q\"");
    assert_eq!(error.to_string(), format!("feed: there is no input `q`; known: `x` (called at {call})"));
    assert_eq!(error.location(), None);
}

#[test]
fn the_errors_of_outputs_name_the_line_of_the_call() {
    let graph = Graph::new();
    let y = graph.constant([1.0, 2.0]);
    let built = above("constant(");
    let plan = Plan::new([("y", y)]).unwrap();
    let out = plan.run().unwrap();
    let error = out.view::<f64>("z").unwrap_err();
    let call = above("view::<f64>(\"z\"");
    assert_eq!(error.to_string(), format!("view: there is no output `z`; known: `y` (called at {call})"));
    let error = plan.slot("z").unwrap_err();
    let call = above("slot(\"z\"");
    let message = format!("slot: there is no input or output `z`; known: `y` (called at {call})");
    assert_eq!(error.to_string(), message);
    let mut memory = Array1::<f64>::zeros(3);
    let error = plan.output("y", memory.view_mut()).run().unwrap_err();
    let call = above("output(\"y\"");
    let message = format!(
        "output: output `y` has shape [2], but is to be written to memory of shape [3] (built at {built}; \
         called at {call})"
    );
    assert_eq!(error.to_string(), message);
    let error = graph.input::<f64>("x", [1]).eval::<f64>().unwrap_err();
    assert_eq!(error.reports()[0].call().unwrap().to_string(), above("eval::<f64>()"));
}

#[test]
fn an_input_that_is_not_fed_is_named_with_its_line() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 3]);
    let x_line = above("input::<f64>");
    let mask = graph.input::<bool>("mask", dims!["n"]);
    let mask_line = above("input::<bool>");
    let plan = Plan::new([("y", x.boolean_mask(mask))]).unwrap();
    assert_error(
        plan.run(),
        &format!(
            "feed: input `mask` is not fed; it is bool[n] (built at {mask_line})\n\
             feed: input `x` is not fed; it is f64[n, 3] (built at {x_line})"
        ),
    );
}

#[test]
fn an_input_that_is_fed_twice_is_named() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [1]);
    let line = above("input::<f64>");
    let plan = Plan::new([("x", x), ("y", x * 2.0)]).unwrap();
    let one = arr1(&[1.0]);
    let message = format!("feed: input `x` is fed twice (built at {line})");
    assert_error(plan.feed("x", &one).feed("x", &one).run(), &message);
    let mut memory = one.clone();
    assert_error(plan.feed("x", &one).update("x", memory.view_mut()).run(), &message);
    assert_eq!(memory, one);
}

#[test]
fn a_feed_of_another_dtype_is_refused_and_not_converted() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let line = above("input::<f32>");
    let plan = Plan::new([("y", x)]).unwrap();
    assert_error(
        plan.feed("x", arr1(&[1.0_f64, 2.0])).run(),
        &format!("feed: input `x` is f32[n], but was fed f64[2] (built at {line})"),
    );
}

#[test]
fn a_feed_of_another_shape_is_refused() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 3]);
    let line = above("input::<f64>");
    let plan = Plan::new([("y", x)]).unwrap();
    let refused =
        |found: &str| format!("feed: input `x` has shape [n, 3], but was fed {found} (built at {line})");
    assert_error(plan.feed("x", Array2::<f64>::zeros((2, 4))).run(), &refused("[2, 4]"));
    assert_error(plan.feed("x", Array1::<f64>::zeros(3)).run(), &refused("[3]"));
    assert_error(plan.feed("x", Array3::<f64>::zeros((1, 2, 3))).run(), &refused("[1, 2, 3]"));
    assert_error(plan.feed("x", 1.0).run(), &refused("[]"));
    // A length of 1 does not stand for 3.
    assert_error(plan.feed("x", Array2::<f64>::zeros((2, 1))).run(), &refused("[2, 1]"));
    assert!(plan.feed("x", Array2::<f64>::zeros((0, 3))).run().is_ok());
}

#[test]
fn a_named_dimension_with_two_lengths_names_both_inputs() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 3]);
    let x_line = above("input::<f64>(\"x\"");
    let y = graph.input::<f64>("y", dims![2, "n"]);
    let y_line = above("input::<f64>(\"y\"");
    let plan = Plan::new([("z", x.sum(..) + y.sum(..))]).unwrap();
    assert_error(
        plan.feed("x", Array2::<f64>::zeros((4, 3))).feed("y", Array2::<f64>::zeros((2, 5))).run(),
        &format!(
            "feed: dimension `n` is 4 in axis 0 of input `x`, built at {x_line}, but 5 in axis 1 of input `y` (built \
             at {y_line})"
        ),
    );
}

#[test]
fn a_named_dimension_is_one_length_within_one_input() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", "n"]);
    let line = above("input::<f64>");
    let plan = Plan::new([("y", x.transpose() + x)]).unwrap();
    assert_error(
        plan.feed("x", Array2::<f64>::zeros((2, 3))).run(),
        &format!(
            "feed: dimension `n` is 2 in axis 0 of input `x`, built at {line}, but 3 in axis 1 of input `x` (built \
             at {line})"
        ),
    );
}

#[test]
fn a_symbolic_length_that_happens_to_be_one_does_not_broadcast() {
    let plan = sum_plan();
    let result = plan.feed("x", arr1(&[1.0])).feed("z", arr1(&[1.0, 2.0])).run();
    assert!(matches!(result.unwrap_err().kind(), ErrorKind::DimensionConflict { .. }));
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", [3]);
    let sum = x + y;
    let line = above("x + y");
    let plan = Plan::new([("sum", sum)]).unwrap();
    let error = plan.feed("x", arr1(&[1.0])).feed("y", arr1(&[1.0, 2.0, 3.0])).run().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "add: lengths differ: n = 1 and 3; n is axis 0 of input `x`, built at {} (built at {line})",
            above("input::<f64>(\"x\"")
        )
    );
}

#[test]
fn all_errors_of_feeding_are_reported_together() {
    let graph = Graph::new();
    let (x, y, z) =
        (graph.input::<f64>("x", [2]), graph.input::<f64>("y", [2]), graph.input::<f64>("z", [2]));
    let plan = Plan::new([("sum", x + y + z)]).unwrap();
    let error =
        plan.feed("x", arr1(&[1.0_f32, 2.0])).feed("q", 1.0).feed("y", arr1(&[1.0])).run().unwrap_err();
    let kinds: Vec<String> = error.reports().iter().map(|report| report.kind().to_string()).collect();
    assert_eq!(
        kinds,
        [
            "there is no input `q`; known: `x`, `y`, `z`",
            "input `x` is f64[2], but was fed f32[2]",
            "input `y` has shape [2], but was fed [1]",
            "input `z` is not fed; it is f64[2]",
        ]
    );
}

#[test]
fn an_input_that_the_plan_does_not_need_may_be_fed_or_not() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let _unused = graph.input::<f64>("unused", dims!["n", 2]).sqrt();
    let plan = Plan::new([("y", x * 2.0)]).unwrap();
    let array = arr1(&[1.0, 2.0]);
    assert_y(&plan.feed("x", &array).run().unwrap(), &[2.0, 4.0]);
    assert_y(
        &plan.feed("x", &array).feed("unused", Array2::<f64>::zeros((2, 2))).run().unwrap(),
        &[2.0, 4.0],
    );
    // What is fed must still be what was declared.
    let wrong = plan.feed("x", &array).feed("unused", Array2::<f64>::zeros((3, 2))).run();
    assert!(matches!(wrong.unwrap_err().kind(), ErrorKind::DimensionConflict { .. }));
}

#[test]
fn an_input_gives_a_dimension_that_only_sizes_speak_of() {
    let graph = Graph::new();
    let _x = graph.input::<f64>("x", dims!["n", 2]);
    let plan = Plan::new([("y", graph.iota("n")), ("n", graph.size("n"))]).unwrap();
    let out = plan.feed("x", Array2::<f64>::zeros((3, 2))).run().unwrap();
    assert_eq!(out.view::<i64>("y").unwrap(), arr1(&[0, 1, 2]).into_dyn());
    assert_eq!(out.scalar::<i64>("n").unwrap(), 3);
}

#[test]
fn a_dimension_that_no_input_has_is_an_error_of_the_plan() {
    let graph = Graph::new();
    let n = graph.iota("n");
    let line = above("iota(\"n\")");
    let message =
        format!("iota: no input has the dimension `n`, so that its length is never known (built at {line})");
    assert_eq!(Plan::new([("y", n)]).unwrap_err().to_string(), message);
}

#[test]
fn outputs_are_viewed_taken_and_read_as_scalars() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("double", x * 2.0), ("sum", x.sum(..)), ("one", x.sum(keep(..)))]).unwrap();
    let mut out = plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    assert_eq!(out.names().collect::<Vec<_>>(), ["double", "sum", "one"]);
    assert_eq!(out.view::<f64>("double").unwrap(), arr1(&[2.0, 4.0]).into_dyn());
    assert_eq!(out.scalar::<f64>("sum").unwrap(), 3.0);
    assert_eq!(out.scalar::<f64>("one").unwrap(), 3.0);
    let taken: ArrayD<f64> = out.take("double").unwrap();
    assert_eq!(taken, arr1(&[2.0, 4.0]).into_dyn());
    assert_eq!(out.names().collect::<Vec<_>>(), ["sum", "one"]);
    let again = out.take::<f64>("double").unwrap_err();
    assert_eq!(without_calls(&again), "take: output `double` was already taken");
    assert_eq!(
        without_calls(&out.view::<f64>("double").unwrap_err()),
        "view: output `double` was already taken"
    );
}

#[test]
fn an_output_is_read_as_an_array_of_its_rank() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 2]);
    let plan = Plan::new([("y", x * 2.0), ("kept", x.boolean_mask(x.gt(1.0)))]).unwrap();
    let out = plan.feed("x", arr2(&[[1.0, 2.0], [3.0, 0.0]])).run().unwrap();
    let y: Array2<f64> = out.array("y").unwrap();
    assert_eq!(y, arr2(&[[2.0, 4.0], [6.0, 0.0]]));
    assert_eq!(out.array::<f64, ndarray::Ix1>("kept").unwrap(), arr1(&[2.0, 3.0]));
    assert_eq!(out.array::<f64, ndarray::IxDyn>("kept").unwrap(), arr1(&[2.0, 3.0]).into_dyn());
    let error = out.array::<f64, ndarray::Ix3>("y").unwrap_err();
    let call = above("array::<f64, ndarray::Ix3>");
    let message = format!("array: output `y` has shape [2, 2] of rank 2, not of rank 3 (called at {call})");
    assert_eq!(error.to_string(), message);
    let error = out.array::<bool, ndarray::Ix2>("y").unwrap_err();
    assert_eq!(without_calls(&error), "array: output `y` is f64, not bool");
}

#[test]
fn a_plan_lists_what_it_takes_and_what_it_gives() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", 3]);
    let mask = graph.input::<bool>("mask", dims!["n"]);
    let _unused = graph.input::<f64>("unused", [4]);
    let plan = Plan::new([("kept", x.boolean_mask(mask)), ("count", mask.count_nonzero(..))]).unwrap();
    let specs = |specs: Vec<tamis::TensorSpec>| specs.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(specs(plan.inputs()), ["mask: bool[n]", "x: f32[n, 3]"]);
    let debug = |spec: &tamis::TensorSpec| format!("{:?}", spec.shape);
    assert_eq!(plan.inputs().iter().map(debug).collect::<Vec<_>>(), ["[n]", "[n, 3]"]);
    assert_eq!(specs(plan.outputs()), ["kept: f32[count(%1), 3]", "count: i64[]"]);
    let x = &plan.inputs()[1];
    assert_eq!((x.name.as_str(), x.dtype, x.shape[1].known()), ("x", tamis::DType::F32, Some(3)));
    let empty = Plan::new::<&str>([]).unwrap();
    assert!(empty.inputs().is_empty() && empty.outputs().is_empty());
}

#[test]
fn outputs_outlive_the_plan_the_graph_and_the_feeds() {
    let out = {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        let plan = Plan::new([("x", x), ("y", x.transpose()), ("c", graph.constant([7.0]))]).unwrap();
        plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap()
    };
    assert_eq!(out.view::<f64>("x").unwrap(), arr1(&[1.0, 2.0]).into_dyn());
    assert_y(&out, &[1.0, 2.0]);
    assert_eq!(out.view::<f64>("c").unwrap(), arr1(&[7.0]).into_dyn());
}

#[test]
fn an_output_of_another_dtype_is_named() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let plan = Plan::new([("y", x)]).unwrap();
    let mut out = plan.feed("x", arr1(&[1.0_f32, 2.0])).run().unwrap();
    assert_eq!(without_calls(&out.view::<f64>("y").unwrap_err()), "view: output `y` is f32, not f64");
    assert_eq!(without_calls(&out.scalar::<bool>("y").unwrap_err()), "scalar: output `y` is f32, not bool");
    assert_eq!(without_calls(&out.take::<f64>("y").unwrap_err()), "take: output `y` is f32, not f64");
    // The wrong call took nothing.
    assert_eq!(out.take::<f32>("y").unwrap(), arr1(&[1.0, 2.0]).into_dyn());
}

#[test]
fn a_scalar_is_read_from_exactly_one_element() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("y", x)]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    let error = out.scalar::<f64>("y").unwrap_err();
    assert_eq!(without_calls(&error), "scalar: output `y` has shape [2] and not exactly one element");
    let out = plan.feed("x", Array1::<f64>::zeros(0)).run().unwrap();
    let error = out.scalar::<f64>("y").unwrap_err();
    assert_eq!(without_calls(&error), "scalar: output `y` has shape [0] and not exactly one element");
}

#[test]
fn an_output_is_written_into_memory_of_any_layout() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", "m"]);
    let plan = Plan::new([("y", x * 10.0), ("sum", x.sum(..))]).unwrap();
    let data = arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let mut memory = Array2::from_elem((4, 6), -1.0);
    let mut view = memory.view_mut();
    view.slice_axis_inplace(Axis(0), Slice::new(0, None, -2));
    view.slice_axis_inplace(Axis(1), Slice::new(1, None, 2));
    let out = plan.feed("x", &data).output("y", view).run().unwrap();
    assert_eq!(out.scalar::<f64>("sum").unwrap(), 21.0);
    let error = out.view::<f64>("y").unwrap_err();
    assert_eq!(
        without_calls(&error),
        "view: output `y` was written to the memory given for it, and is not kept"
    );
    assert_eq!(out.names().collect::<Vec<_>>(), ["sum"]);
    let expected = arr2(&[
        [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0],
        [-1.0, 40.0, -1.0, 50.0, -1.0, 60.0],
        [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0],
        [-1.0, 10.0, -1.0, 20.0, -1.0, 30.0],
    ]);
    assert_eq!(memory, expected);
}

#[test]
fn an_output_is_written_into_memory_of_its_shape_and_dtype_alone() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = x * 10.0;
    let line = above("x * 10.0");
    let plan = Plan::new([("y", y)]).unwrap();
    let data = arr1(&[1.0, 2.0]);
    let mut long = Array1::<f64>::zeros(3);
    assert_error(
        plan.feed("x", &data).output("y", long.view_mut()).run(),
        &format!(
            "output: output `y` has shape [2], but is to be written to memory of shape [3] (built at {line})"
        ),
    );
    assert_eq!(long, Array1::<f64>::zeros(3));
    let mut single = Array1::<f32>::zeros(2);
    assert_error(
        plan.feed("x", &data).output("y", single.view_mut()).run(),
        &format!("output: output `y` is f64, not f32 (built at {line})"),
    );
    let (mut a, mut b) = (Array1::<f64>::zeros(2), Array1::<f64>::zeros(2));
    assert_error(
        plan.feed("x", &data).output("y", a.view_mut()).output("y", b.view_mut()).run(),
        "output: output `y` is given memory twice",
    );
    assert_error(
        plan.feed("x", &data).output("z", a.view_mut()).run(),
        "output: there is no output `z`; known: `y`",
    );
}

#[test]
fn the_length_of_a_selection_must_fit_the_memory_for_it() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("kept", x.boolean_mask(x.gt(0.0)))]).unwrap();
    let mut memory = Array1::<f64>::zeros(2);
    plan.feed("x", arr1(&[1.0, -1.0, 2.0])).output("kept", memory.view_mut()).run().unwrap();
    assert_eq!(memory, arr1(&[1.0, 2.0]));
    let error = plan.feed("x", arr1(&[1.0, -1.0, -2.0])).output("kept", memory.view_mut()).run().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OutputShape { .. }), "{error}");
    assert_eq!(memory, arr1(&[1.0, 2.0]));
}

#[test]
fn training_updates_the_weights_in_place() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 2]);
    let y = graph.input::<f64>("y", dims!["n"]);
    let known = !y.is_nan();
    let w = graph.input::<f64>("w", [2]);
    let b = graph.input::<f64>("b", dims![]);
    let loss = (x.matmul(w) + b - y).square().masked(known).mean(..);
    let [dw, db] = grad(loss, [w, b]);
    let plan = Plan::new([("loss", loss), ("w", w - dw * 0.1), ("b", b - db * 0.1)]).unwrap();
    // y = 2 x₀ − x₁ + 3, with two answers missing.
    let features = arr2(&[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [5.0, 5.0]]);
    let answers = arr1(&[3.0, 5.0, 2.0, 4.0, f64::NAN, f64::NAN]);
    let (mut weights, mut bias) = (arr1(&[0.0_f64, 0.0]), arr0(0.0_f64));
    let mut losses = Vec::new();
    for _ in 0..2000 {
        let run = plan.feed("x", &features).feed("y", &answers);
        let out = run.update("w", weights.view_mut()).update("b", bias.view_mut()).run().unwrap();
        losses.push(out.scalar::<f64>("loss").unwrap());
    }
    assert_eq!(losses[0], 13.5); // (9 + 25 + 4 + 16) / 4
    assert!(losses.is_sorted_by(|a, b| a >= b || *b < 1e-20), "the loss falls");
    assert!((&weights - &arr1(&[2.0, -1.0])).iter().all(|e| e.abs() < 1e-9), "{weights}");
    assert!((bias[()] - 3.0).abs() < 1e-9, "{bias}");
}

#[test]
fn an_update_leaves_the_memory_alone_when_the_run_fails() {
    let graph = Graph::new();
    let w = graph.input::<f64>("w", [2]);
    let i = graph.input::<i64>("i", dims!["k"]);
    let plan = Plan::new([("w", w * 2.0), ("picked", w.gather(i, 0))]).unwrap();
    let mut weights = arr1(&[1.0, 2.0]);
    assert!(plan.feed("i", arr1(&[0_i64, 2])).update("w", weights.view_mut()).run().is_err());
    assert_eq!(weights, arr1(&[1.0, 2.0]));
    assert!(plan.update("w", weights.view_mut()).run().is_err(), "`i` is not fed");
    assert_eq!(weights, arr1(&[1.0, 2.0]));
    let out = plan.feed("i", arr1(&[1_i64])).update("w", weights.view_mut()).run().unwrap();
    assert_eq!(weights, arr1(&[2.0, 4.0]));
    assert_eq!(out.view::<f64>("picked").unwrap(), arr1(&[2.0]).into_dyn());
}

#[test]
fn an_update_reads_everything_before_it_writes() {
    let graph = Graph::new();
    let a = graph.input::<f64>("a", dims!["n"]);
    let b = graph.input::<f64>("b", dims!["n"]);
    let reversed = tamis::Slice::from(..).by(-1);
    let plan = Plan::new([("a", a.slice((reversed,))), ("b", a + b), ("old", a)]).unwrap();
    let (mut first, mut second) = (arr1(&[1.0, 2.0, 3.0]), arr1(&[10.0, 20.0, 30.0]));
    let out = plan.update("a", first.view_mut()).update("b", second.view_mut()).run().unwrap();
    assert_eq!(out.view::<f64>("old").unwrap(), arr1(&[1.0, 2.0, 3.0]).into_dyn());
    assert_eq!((first, second), (arr1(&[3.0, 2.0, 1.0]), arr1(&[11.0, 22.0, 33.0])));
}

#[test]
fn an_update_needs_an_input_and_an_output_of_its_name() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [1]);
    let plan = Plan::new([("y", x * 2.0)]).unwrap();
    let mut memory = arr1(&[1.0]);
    let error = plan.update("x", memory.view_mut()).feed("x", arr1(&[1.0])).run().unwrap_err();
    assert_eq!(without_calls(&error), "update: there is no output `x`; known: `y`");
    let error = plan.update("y", memory.view_mut()).feed("x", arr1(&[1.0])).run().unwrap_err();
    assert_eq!(without_calls(&error), "update: there is no input `y`; known: `x`");
}

#[test]
fn a_plan_without_outputs_runs_and_gives_nothing() {
    let plan = Plan::new::<&str>([]).unwrap();
    assert_error(
        plan.feed("x", 1.0).run(),
        "feed: there is no input `x`: the plan has no outputs, so that it needs no inputs",
    );
    let out = plan.run().unwrap();
    assert_eq!(out.names().count(), 0);
    assert_eq!(
        without_calls(&out.view::<f64>("y").unwrap_err()),
        "view: there is no output `y`: the plan has no outputs, so that it needs no inputs"
    );
}

#[test]
fn outputs_may_be_one_node_an_input_or_a_literal() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let y = x * 2.0;
    let outputs = [("a", y), ("b", y), ("x", x), ("same", x), ("literal", graph.constant([1, 2]))];
    let plan = Plan::new(outputs).unwrap();
    let mut out = plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    let mut a = out.take::<f64>("a").unwrap();
    a.fill(0.0);
    // What shares elements is not changed through another.
    assert_eq!(out.take::<f64>("b").unwrap(), arr1(&[2.0, 4.0]).into_dyn());
    out.take::<f64>("x").unwrap().fill(0.0);
    assert_eq!(out.view::<f64>("same").unwrap(), arr1(&[1.0, 2.0]).into_dyn());
    out.take::<i32>("literal").unwrap().fill(0);
    let out = plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    assert_eq!(out.view::<i32>("literal").unwrap(), arr1(&[1, 2]).into_dyn());
}

#[test]
fn a_taken_output_that_was_fed_is_a_copy() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let plan = Plan::new([("x", x)]).unwrap();
    let value = Value::from(arr1(&[1.0, 2.0]).into_dyn());
    plan.feed("x", &value).run().unwrap().take::<f64>("x").unwrap().fill(0.0);
    assert_eq!(value.view::<f64>().unwrap(), arr1(&[1.0, 2.0]).into_dyn());
}

#[test]
fn two_outputs_of_one_name_are_an_error() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let (a, b) = (x * 2.0, x.exp());
    let line = above("exp()");
    let error = Plan::new([("y", a), ("y", b)]).unwrap_err();
    assert_eq!(error.to_string(), format!("plan: the output name `y` is given twice (built at {line})"));
}

#[test]
fn outputs_are_of_one_graph() {
    let (graph, other) = (Graph::new(), Graph::new());
    let x = graph.input::<f64>("x", [2]);
    let y = other.input::<f64>("y", [2]);
    let line = above("input::<f64>(\"y\"");
    let error = Plan::new([("x", x), ("y", y)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("plan: expressions of two different graphs cannot be combined (built at {line})")
    );
}

#[test]
fn eval_is_for_expressions_without_inputs() {
    let graph = Graph::new();
    let x = graph.constant([[1.0, -2.0], [3.0, 4.0]]);
    assert_eq!(x.boolean_mask(x.gt(0.0)).eval::<f64>().unwrap(), arr1(&[1.0, 3.0, 4.0]).into_dyn());
    assert_eq!(x.sum(..).eval::<f64>().unwrap(), arr0(6.0).into_dyn());
    let error = x.eval::<f32>().unwrap_err();
    assert_eq!(without_calls(&error), "eval: output `value` is f64, not f32");
    let y = graph.input::<f64>("y", [2]);
    let line = above("input::<f64>");
    let error = (y * 2.0).eval::<f64>().unwrap_err();
    assert_eq!(without_calls(&error), format!("feed: input `y` is not fed; it is f64[2] (built at {line})"));
    // Inputs elsewhere in the graph do not matter.
    assert_eq!(x.sum(0).eval::<f64>().unwrap(), arr1(&[4.0, 2.0]).into_dyn());
}

#[test]
fn one_plan_serves_every_length() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let kept = x.boolean_mask(x.gt(0.0));
    let plan = Plan::new([("kept", kept), ("mean", kept.mean(..))]).unwrap();
    for n in [0_u32, 1, 2, 7, 100] {
        let numbers = Array::from_iter((0..n).map(|i| f64::from(i) - 0.5));
        let out = plan.feed("x", &numbers).run().unwrap();
        let expected: Vec<f64> = (1..n).map(|i| f64::from(i) - 0.5).collect();
        assert_eq!(out.view::<f64>("kept").unwrap(), arr1(&expected).into_dyn());
        // Of n − 1 elements from ½ in steps of 1.
        let mean = out.scalar::<f64>("mean").unwrap();
        if n < 2 { assert!(mean.is_nan()) } else { assert_eq!(mean, 0.5 + f64::from(n - 2) / 2.0) }
    }
}

#[test]
fn a_run_may_be_fed_in_a_loop() {
    let graph = Graph::new();
    let inputs: Vec<Expr<'_>> = (0..5).map(|i| graph.input::<f64>(&format!("x{i}"), dims!["n"])).collect();
    let stacked = graph.stack(inputs, 0);
    let plan = Plan::new([("y", stacked.sum(0))]).unwrap();
    let columns = Array2::from_shape_fn((5, 2), |(i, j)| (i * 2 + j) as f64);
    let mut run = plan.bind();
    for (i, row) in columns.axis_iter(Axis(0)).enumerate() {
        run = run.feed(format!("x{i}"), row);
    }
    assert_y(&run.run().unwrap(), &[20.0, 25.0]);
}

#[test]
fn values_name_their_dtype_and_shape() {
    let graph = Graph::new();
    let x = graph.constant([[1.0_f32, 2.0]]);
    let out = Plan::new([("x", x), ("mask", x.gt(1.0))]).unwrap().run().unwrap();
    assert_eq!(
        (out.value("x").unwrap().dtype(), out.value("x").unwrap().shape()),
        (tamis::DType::F32, &[1, 2][..])
    );
    assert_eq!(out.value("mask").unwrap().view::<bool>().unwrap(), arr2(&[[false, true]]).into_dyn());
    assert!(out.value("mask").unwrap().view::<u8>().is_none());
}

#[test]
fn a_reusable_run_gives_what_each_of_its_feeds_gives() {
    let plan = sum_plan();
    let (x, z) = (arr1(&[1.0, 2.0]), arr1(&[10.0, 20.0, 30.0]));
    let mut run = plan.feed("x", &x).feed("z", &x).reusable().unwrap();
    assert_y(run.run().unwrap(), &[3.0, 6.0]);
    assert_y(run.run().unwrap(), &[3.0, 6.0]);
    assert_y(run.feed("z", z.slice_axis(Axis(0), Slice::from(1..))).unwrap().run().unwrap(), &[22.0, 34.0]);
    // Elements are copied, so that what they were copied from may change, and be dropped.
    for i in 0..3 {
        let x = arr1(&[f64::from(i), 1.0]);
        run.assign("x", x.view()).unwrap();
        assert_y(run.run().unwrap(), &[2.0 * x[0] + 20.0, 32.0]);
    }
    // Another length, in both inputs.
    let rows = arr2(&[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]);
    run.assign("x", rows.column(1)).unwrap().feed("z", &z).unwrap();
    assert_y(run.run().unwrap(), &[18.0, 30.0, 42.0]);
}

#[test]
fn a_reusable_run_reports_errors_each_time_and_runs_again() {
    let plan = sum_plan();
    let unknown = plan.feed("x", [1.0]).feed("q", [1.0]).reusable().unwrap_err();
    assert!(unknown.to_string().starts_with("feed: there is no input `q`"), "{unknown}");
    let mut run = plan.feed("x", [1.0]).reusable().unwrap();
    for _ in 0..2 {
        assert!(matches!(run.run().unwrap_err().kind(), ErrorKind::MissingFeed { .. }));
    }
    assert!(matches!(run.feed("q", 1.0).unwrap_err().kind(), ErrorKind::UnknownName { .. }));
    assert!(matches!(run.assign("q", aview1(&[1.0])).unwrap_err().kind(), ErrorKind::UnknownName { .. }));
    run.feed("z", [1.0, 2.0]).unwrap();
    assert!(matches!(run.run().unwrap_err().kind(), ErrorKind::DimensionConflict { .. }));
    run.assign("z", aview1(&[1_i64])).unwrap();
    assert!(matches!(run.run().unwrap_err().kind(), ErrorKind::FeedDType { .. }));
    assert_y(run.assign("z", aview1(&[5.0])).unwrap().run().unwrap(), &[7.0]);
}

#[test]
fn a_reusable_run_updates_and_writes_the_memory_of_the_caller_each_time() {
    let graph = Graph::new();
    let w = graph.input::<f64>("w", dims!["n"]);
    let plan = Plan::new([("w", w * 3.0), ("before", w + 0.0)]).unwrap();
    let (mut weights, mut before) = (arr1(&[1.0, 2.0]), Array1::zeros(2));
    let mut run =
        plan.update("w", weights.view_mut()).output("before", before.view_mut()).reusable().unwrap();
    for _ in 0..3 {
        assert_eq!(run.run().unwrap().names().count(), 0);
    }
    drop(run);
    assert_eq!((&weights, &before), (&arr1(&[27.0, 54.0]), &arr1(&[9.0, 18.0])));
    // Another feed: the memory is written, and no longer read.
    let mut run = plan.update("w", weights.view_mut()).reusable().unwrap();
    for _ in 0..2 {
        run.feed("w", [5.0, 6.0]).unwrap().run().unwrap();
    }
    drop(run);
    assert_eq!(weights, arr1(&[15.0, 18.0]));
}

#[test]
fn results_that_are_kept_are_not_overwritten_by_the_next_run() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let plan = Plan::new([("same", x), ("y", x + 1.0)]).unwrap();
    let mut run = plan.bind().reusable().unwrap();
    let out = run.assign("x", aview1(&[1.0, 2.0])).unwrap().run().unwrap();
    let kept = ["same", "y"].map(|name| out.value(name).unwrap());
    run.assign("x", aview1(&[5.0, 6.0])).unwrap().run().unwrap();
    let expected = [arr1(&[1.0, 2.0]).into_dyn(), arr1(&[2.0, 3.0]).into_dyn()];
    assert_eq!(kept.map(|value| value.view::<f64>().unwrap().to_owned()), expected);
}

#[test]
fn reusable_runs_of_one_plan_work_at_the_same_time() {
    let plan = sum_plan();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let plan = &plan;
            scope.spawn(move || {
                let mut run = plan.feed("z", [f64::from(thread)]).reusable().unwrap();
                for i in 0..50 {
                    run.assign("x", aview1(&[f64::from(i)])).unwrap();
                    assert_y(run.run().unwrap(), &[f64::from(2 * i + thread)]);
                }
            });
        }
    });
}
