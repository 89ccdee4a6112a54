//! D. Scatter and assignment: indices out of range, duplicates, too few or too many
//! values.

use ndarray::{Array1, arr0, arr1};
use tamis::prelude::*;

use crate::{assert_same, fails, fails_then_runs, gives, refused};

type Scatter = for<'g> fn(Expr<'g>, Expr<'g>, Expr<'g>) -> Expr<'g>;

const SCATTERS: [(&str, Scatter); 5] = [
    ("scatter_set", |x, i, v| x.scatter_set(i, v, 0)),
    ("scatter_add", |x, i, v| x.scatter_add(i, v, 0)),
    ("scatter_mul", |x, i, v| x.scatter_mul(i, v, 0)),
    ("scatter_max", |x, i, v| x.scatter_max(i, v, 0)),
    ("scatter_min", |x, i, v| x.scatter_min(i, v, 0)),
];

#[test]
fn a_bad_index_fails_and_leaves_the_destination_as_it_was() {
    for (name, scatter) in SCATTERS {
        for index in [3, -4, i64::MIN, i64::MAX] {
            let graph = Graph::new();
            let x = graph.input::<f64>("value", [3]);
            let i = graph.input::<i64>("i", [2]);
            let plan = Plan::new([("value", scatter(x, i, graph.constant([5.0, 6.0])))]).unwrap();
            let mut memory = arr1(&[1.0, 2.0, 4.0]);
            let error =
                plan.update("value", memory.view_mut()).feed("i", arr1(&[0, index])).run().unwrap_err();
            let message =
                format!("{name}: index {index} is out of range for axis 0 of length 3, at position [1]");
            assert!(error.to_string().starts_with(&message), "{error}");
            assert_eq!(memory, arr1(&[1.0, 2.0, 4.0]));
            plan.update("value", memory.view_mut()).feed("i", arr1(&[0_i64, -1])).run().unwrap();
            assert_eq!(memory[1], 2.0);
        }
    }
}

#[test]
fn duplicates_combine_in_their_order() {
    let graph = Graph::new();
    let (x, i) = (graph.constant([1.0, 1.0]), graph.constant([1, 1, 1]));
    let v = graph.constant([5.0, f64::NAN, 7.0]);
    gives(x.scatter_set(i, v, 0), arr1(&[1.0, 7.0]));
    gives(x.scatter_add(i, v, 0), arr1(&[1.0, f64::NAN]));
    gives(x.scatter_mul(i, v, 0), arr1(&[1.0, f64::NAN]));
    gives(x.scatter_max(i, v, 0), arr1(&[1.0, f64::NAN]));
    gives(x.scatter_min(i, v, 0), arr1(&[1.0, f64::NAN]));
    let v = graph.constant([5.0, 0.5, 7.0]);
    gives(x.scatter_mul(i, v, 0), arr1(&[1.0, 17.5]));
    gives(x.scatter_max(i, v, 0), arr1(&[1.0, 7.0]));
    gives(x.scatter_min(i, v, 0), arr1(&[1.0, 0.5]));
}

#[test]
fn a_million_additions_to_one_element_lose_none() {
    let graph = Graph::new();
    let million = graph.ones::<i64>([1_000_000]);
    let nowhere = graph.zeros::<i64>([1_000_000]);
    gives(graph.constant([5_i64, 9]).scatter_add(nowhere, million, 0), arr1(&[1_000_005_i64, 9]));
    // In f32 the order is kept: 2²⁴ + 1 rounds to 2²⁴ each time.
    let large = graph.constant([16_777_216.0_f32]);
    let few = graph.zeros::<i64>([1000]);
    gives(large.scatter_add(few, graph.ones::<f32>([1000]), 0), arr1(&[16_777_216.0_f32]));
}

#[test]
fn updates_must_fit_their_indices() {
    for (name, scatter) in SCATTERS {
        let graph = Graph::new();
        let (x, i) = (graph.zeros::<f64>([5, 2]), graph.constant([0, 1]));
        refused(scatter(x, i, graph.zeros::<f64>([3, 2])), &format!("{name}:"));
        let graph = Graph::new();
        let (x, i) = (graph.zeros::<f64>([5, 2]), graph.constant([0, 1]));
        refused(scatter(x, i, graph.zeros::<f64>([1, 2, 2])), &format!("{name}:"));
    }
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0, 3.0]);
    gives(x.scatter_add(graph.zeros::<i64>([0]), graph.zeros::<f64>([0]), 0), arr1(&[1.0, 2.0, 3.0]));
    gives(x.scatter_set(graph.constant([0, 2]), 9.0, 0), arr1(&[9.0, 2.0, 9.0]));
    refused(
        x.cast(tamis::DType::I32).scatter_set(graph.constant([0]), x.slice_axis(0..1, 0), 0),
        "scatter_set: f64",
    );
}

#[test]
fn a_tensor_may_be_destination_and_source() {
    let graph = Graph::new();
    let x = graph.constant([2.0, 3.0]);
    let swap = graph.constant([1, 0]);
    gives(x.scatter_set(swap, x, 0), arr1(&[3.0, 2.0]));
    gives(x.scatter_add(swap, x, 0), arr1(&[5.0, 5.0]));
    gives(x.masked_assign(x.gt(0.0), x), arr1(&[2.0, 3.0]));
    let i = graph.constant([1_i64, 1]);
    gives(i.scatter_set(i, i, 0), arr1(&[1_i64, 1]));
}

#[test]
fn an_assignment_takes_as_many_values_as_are_selected() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0, 3.0]);
    let mask = graph.constant([true, false, true]);
    gives(x.masked_assign(mask, 9.0), arr1(&[9.0, 2.0, 9.0]));
    gives(x.masked_assign(mask, graph.constant([7.0, 8.0])), arr1(&[7.0, 2.0, 8.0]));
    gives(x.masked_scatter(mask, graph.constant([7.0, 8.0, 9.0])), arr1(&[7.0, 2.0, 8.0]));
    gives(x.masked_scatter(x.gt(9.0), graph.zeros::<f64>([0])), arr1(&[1.0, 2.0, 3.0]));
    refused(x.masked_assign(x.gt(1.0), graph.constant([7.0, 8.0])), "masked_assign:");
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0, 3.0]);
    let message = "masked_scatter: the mask selects 2 elements, but the source has 1";
    fails(x.masked_scatter(x.gt(1.0), graph.constant([7.0])), message);
    let message = "masked_scatter: the mask selects 2 elements, but the source has 0";
    fails(x.masked_scatter(x.gt(1.0), graph.zeros::<f64>([0])), message);
}

#[test]
fn too_few_values_fail_and_the_plan_goes_on() {
    let graph = Graph::new();
    let x = graph.constant([0.0, 0.0, 0.0]);
    let mask = graph.input::<bool>("mask", [3]);
    let v = graph.input::<f64>("v", dims!["k"]);
    let plan = Plan::new([("value", v.unmask(mask, 0.0) + x)]).unwrap();
    let run = |values: Array1<f64>| {
        move |plan: &Plan| plan.feed("mask", arr1(&[true, false, true])).feed("v", values.clone()).run()
    };
    for values in [arr1(&[]), arr1(&[1.0]), arr1(&[1.0, 2.0, 3.0])] {
        fails_then_runs(&plan, run(values), "unmask:", run(arr1(&[1.0, 2.0])), arr1(&[1.0, 0.0, 2.0]));
    }
}

#[test]
fn a_duplicate_set_gives_the_gradient_to_the_winner() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 1.0, 1.0]);
    let v = graph.constant([5.0, 7.0]).named("v");
    let loss = x.scatter_set(graph.constant([1, 1]), v, 0).square().sum(..);
    let [dx, dv] = grad(loss, [x, v]);
    gives(dx, arr1(&[2.0, 0.0, 2.0]));
    gives(dv, arr1(&[0.0, 14.0]));
    let value = loss.eval::<f64>().unwrap();
    assert_same(&value, &arr0(51.0).into_dyn());
}
