//! What tamis promises, one test per promise: gradients that know what was selected,
//! lengths that are known by their mask, errors reported together and with the user's
//! lines, plans that survive their errors.

mod location;

use location::above;
use ndarray::{Array1, Array2, ArrayD, arr0, arr1, arr2, array};
use tamis::prelude::*;
use tamis::{DType, ErrorKind, along, hvp, jvp, vjp};

/// A function whose derivative is infinite or NaN at 0 and below, with its
/// derivatives at 4.
struct Function {
    name: &'static str,
    apply: for<'g> fn(Expr<'g>) -> Expr<'g>,
    first: f64,
    second: f64,
    /// The derivatives of `1 + 2σ(f(x) − 1)` at 4.
    first_of_chain: f64,
    second_of_chain: f64,
}

const FUNCTIONS: [Function; 4] = [
    Function {
        name: "sqrt",
        apply: |x| x.sqrt(),
        first: 0.25,
        second: -0.03125,
        first_of_chain: 0.09830596662074093,
        second_of_chain: -0.023645464286711167,
    },
    Function {
        name: "ln",
        apply: |x| x.ln(),
        first: 0.25,
        second: -0.0625,
        first_of_chain: 0.12045034296648252,
        second_of_chain: -0.0358574844110432,
    },
    Function {
        name: "recip",
        apply: |x| x.recip(),
        first: -0.0625,
        second: 0.03125,
        first_of_chain: -0.027236874220226755,
        second_of_chain: 0.014228470571661381,
    },
    Function {
        name: "pow",
        apply: |x| x.pow(0.3),
        first: 0.11367874248827986,
        second: -0.019893779935448976,
        first_of_chain: 0.05322149628372702,
        second_of_chain: -0.010840162297987217,
    },
];

/// A way to write "only where the mask is true", from `f(x)` and the mask.
type Idiom = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

/// Idioms that keep the shape, with 0 at what is not selected.
const IN_PLACE: [(&str, Idiom); 6] = [
    ("where_", |y, mask| where_(mask, y, 0.0)),
    ("where_ not", |y, mask| where_(!mask, 0.0, y)),
    ("masked_fill", |y, mask| y.masked_fill(!mask, 0.0)),
    ("masked_assign of a full array", |y, mask| y.graph().zeros::<f64>([2]).masked_assign(mask, y)),
    ("masked_assign of a selection", |y, mask| {
        y.graph().zeros::<f64>([2]).masked_assign(mask, y.boolean_mask(mask))
    }),
    ("unmask", |y, mask| y.boolean_mask(mask).unmask(mask, 0.0)),
];

/// Idioms that leave a vector of what is selected, or of its sum.
const COMPACT: [(&str, Idiom); 7] = [
    ("boolean_mask", |y, mask| y.boolean_mask(mask)),
    ("masked_select", |y, mask| y.masked_select(mask)),
    ("gather argwhere", |y, mask| y.gather(mask.argwhere().slice_axis(0, 1), 0)),
    ("gather nonzero", |y, mask| y.gather(mask.nonzero()[0], 0)),
    ("gather_nd argwhere", |y, mask| y.gather_nd(mask.argwhere())),
    ("masked sum", |y, mask| y.masked(mask).sum(keep(0))),
    ("masked mean", |y, mask| y.masked(mask).mean(keep(0))),
];

/// `1 + 2σ(s − 1)` of each element, by a matrix product, a broadcast sum, a
/// softmax over two logits and a weighted sum.
fn chain_of_each(selected: Expr<'_>) -> Expr<'_> {
    let graph = selected.graph();
    let logits = selected.unsqueeze(-1).matmul(graph.constant([[1.0, 2.0]]));
    let shifted = logits + graph.constant([0.5, -0.5]);
    (shifted.softmax(-1) * graph.constant([1.0, 3.0])).sum(..)
}

/// The same for two elements of which the first is 0, mixed by one matrix: the first
/// row meets only zeros.
fn chain_of_both(selected: Expr<'_>) -> Expr<'_> {
    let graph = selected.graph();
    let logits = selected.matmul(graph.constant([[7.0, -5.0], [1.0, 2.0]]));
    let shifted = logits + graph.constant([0.5, -0.5]);
    (shifted.softmax(0) * graph.constant([1.0, 3.0])).sum(..)
}

fn plain_sum(selected: Expr<'_>) -> Expr<'_> {
    selected.sum(..)
}

/// How the mask comes about.
#[derive(Clone, Copy)]
enum Masked {
    /// `x > 0`.
    ByItself,
    /// An input, since a NaN does not show whether it was intended.
    ByInput,
}

/// The first and the second derivative of `loss(idiom(f(x), mask))` at `[value, 4]`,
/// with only element 1 selected.
fn derivatives(
    function: &Function,
    idiom: Idiom,
    loss: fn(Expr<'_>) -> Expr<'_>,
    masked: Masked,
    element: f64,
) -> [ArrayD<f64>; 2] {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let mask = match masked {
        Masked::ByItself => x.gt(0.0),
        Masked::ByInput => graph.input::<bool>("mask", [2]),
    };
    let dx = grad(loss(idiom((function.apply)(x), mask)), x);
    let ddx = grad(dx.sum(..), x);
    let plan = Plan::new([("dx", dx), ("ddx", ddx)]).unwrap();
    let values = arr1(&[element, 4.0]);
    let choice = arr1(&[false, true]);
    let run = plan.feed("x", &values);
    let run = match masked {
        Masked::ByItself => run,
        Masked::ByInput => run.feed("mask", &choice),
    };
    let mut out = run.run().unwrap();
    [out.take("dx").unwrap(), out.take("ddx").unwrap()]
}

/// Asserts exactly 0 at element 0 and `expected` at element 1.
#[track_caller]
fn assert_elements(what: &str, found: &ArrayD<f64>, expected: f64) {
    assert_eq!(found.shape(), [2], "{what}");
    assert_eq!(found[0], 0.0, "{what}: element 0 of {found}");
    let error = (found[1] - expected).abs();
    assert!(error <= 1e-12 * expected.abs(), "{what}: element 1 of {found} is not {expected}");
}

#[track_caller]
fn assert_unselected_elements_do_not_matter(
    idioms: &[(&str, Idiom)],
    loss: fn(Expr<'_>) -> Expr<'_>,
    expected: fn(&Function) -> [f64; 2],
    masked: Masked,
    elements: &[f64],
) {
    for function in &FUNCTIONS {
        for (name, idiom) in idioms {
            for element in elements {
                let [dx, ddx] = derivatives(function, *idiom, loss, masked, *element);
                let [first, second] = expected(function);
                let what = format!("{} under {name} with {element} at element 0", function.name);
                assert_elements(&format!("first derivative of {what}"), &dx, first);
                assert_elements(&format!("second derivative of {what}"), &ddx, second);
            }
        }
    }
}

fn of_function(function: &Function) -> [f64; 2] {
    [function.first, function.second]
}

fn of_chain(function: &Function) -> [f64; 2] {
    [function.first_of_chain, function.second_of_chain]
}

/// What must not matter where it is not selected.
const BAD: [f64; 5] = [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

#[test]
fn an_element_not_selected_gives_no_nan_in_place() {
    assert_unselected_elements_do_not_matter(
        &IN_PLACE,
        plain_sum,
        of_function,
        Masked::ByItself,
        &[0.0, -1.0],
    );
}

#[test]
fn an_element_not_selected_gives_no_nan_when_compacted() {
    assert_unselected_elements_do_not_matter(
        &COMPACT,
        plain_sum,
        of_function,
        Masked::ByItself,
        &[0.0, -1.0],
    );
}

#[test]
fn an_element_not_selected_gives_no_nan_through_a_chain_of_each() {
    for idioms in [&IN_PLACE[..], &COMPACT[..]] {
        assert_unselected_elements_do_not_matter(
            idioms,
            chain_of_each,
            of_chain,
            Masked::ByItself,
            &[0.0, -1.0],
        );
    }
}

#[test]
fn an_element_not_selected_gives_no_nan_through_a_chain_that_mixes_elements() {
    assert_unselected_elements_do_not_matter(
        &IN_PLACE,
        chain_of_both,
        of_chain,
        Masked::ByItself,
        &[0.0, -1.0],
    );
}

#[test]
fn nan_and_infinity_that_are_not_selected_do_not_matter() {
    for idioms in [&IN_PLACE[..], &COMPACT[..]] {
        assert_unselected_elements_do_not_matter(idioms, plain_sum, of_function, Masked::ByInput, &BAD);
        assert_unselected_elements_do_not_matter(idioms, chain_of_each, of_chain, Masked::ByInput, &BAD);
    }
    assert_unselected_elements_do_not_matter(&IN_PLACE, chain_of_both, of_chain, Masked::ByInput, &BAD);
}

#[test]
fn what_was_selected_before_a_function_is_as_safe_as_after_it() {
    for function in &FUNCTIONS {
        for element in BAD {
            let graph = Graph::new();
            let x = graph.input::<f64>("x", [2]);
            let mask = graph.input::<bool>("mask", [2]);
            // f(0) is infinite in its value or derivative, and selected away twice.
            let y = where_(mask, (function.apply)(where_(mask, x, 0.0)), 0.0);
            let dx = grad(y.sum(..), x);
            let ddx = grad(dx.sum(..), x);
            let plan = Plan::new([("dx", dx), ("ddx", ddx)]).unwrap();
            let (values, choice) = (arr1(&[element, 4.0]), arr1(&[false, true]));
            let mut out = plan.feed("x", &values).feed("mask", &choice).run().unwrap();
            assert_elements(function.name, &out.take("dx").unwrap(), function.first);
            assert_elements(function.name, &out.take("ddx").unwrap(), function.second);
        }
    }
}

#[test]
fn a_selected_nan_is_not_hidden() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let loss = where_(x.ge(0.0), x.sqrt(), 0.0).sum(..);
    let plan = Plan::new([("dx", grad(loss, x))]).unwrap();
    let out = plan.feed("x", arr1(&[0.0, 4.0])).run().unwrap();
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[f64::INFINITY, 0.25]).into_dyn());
}

/// With nothing selected the loss is 0 whatever the scale is, so that its
/// gradient is 0 also where the root has none.
#[test]
fn an_empty_selection_gives_no_nan_to_what_it_meets() {
    type Loss = for<'g> fn(Expr<'g>, Expr<'g>, Expr<'g>) -> Expr<'g>;
    let losses: [(&str, Loss); 6] = [
        ("where_", |x, mask, scale| where_(mask, x * scale.sqrt(), 0.0).sum(..)),
        ("masked", |x, mask, scale| (x * scale.sqrt()).masked(mask).sum(..)),
        ("boolean_mask of the product", |x, mask, scale| (x * scale.sqrt()).boolean_mask(mask).sum(..)),
        ("boolean_mask of one factor", |x, mask, scale| (x.boolean_mask(mask) * scale.sqrt()).sum(..)),
        ("matmul of boolean_mask", |x, mask, scale| {
            x.unsqueeze(-1).boolean_mask(mask).matmul(scale.sqrt().reshape([1, 1])).sum(..)
        }),
        ("gather of one factor", |x, mask, scale| {
            (x.gather(mask.argwhere().slice_axis(0, 1), 0) * scale.sqrt()).sum(..)
        }),
    ];
    for (name, loss) in losses {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2]);
        let scale = graph.input::<f64>("scale", dims![]);
        let mask = graph.input::<bool>("mask", [2]);
        let plan = Plan::new([("d", grad(loss(x, mask, scale), scale))]).unwrap();
        let gradient = |scale: f64, mask: [bool; 2]| {
            let out = plan.feed("x", arr1(&[3.0, 5.0])).feed("scale", scale).feed("mask", arr1(&mask)).run();
            out.unwrap().scalar::<f64>("d").unwrap()
        };
        assert_eq!(gradient(4.0, [false, true]), 1.25, "{name}");
        assert_eq!(gradient(4.0, [false, false]), 0.0, "{name}");
        assert_eq!(gradient(0.0, [false, false]), 0.0, "{name}");
    }
}

/// The same in forward mode: what is empty does not move.
#[test]
fn the_root_of_an_empty_sum_does_not_move() {
    type Total = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let totals: [(&str, Total); 3] = [
        ("where_", |x, mask| where_(mask, x, 0.0).sum(..)),
        ("masked", |x, mask| x.masked(mask).sum(..)),
        ("boolean_mask", |x, mask| x.boolean_mask(mask).sum(..)),
    ];
    for (name, total) in totals {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2]);
        let mask = graph.input::<bool>("mask", [2]);
        let root = total(x, mask).sqrt();
        let pushed = jvp(root, x, graph.constant([1.0, 10.0]));
        let plan = Plan::new([("pushed", pushed), ("pulled", grad(root, x))]).unwrap();
        let out = plan.feed("x", arr1(&[4.0, 9.0])).feed("mask", arr1(&[false, false])).run().unwrap();
        assert_eq!(out.view::<f64>("pulled").unwrap(), arr1(&[0.0, 0.0]).into_dyn(), "{name}");
        assert_eq!(out.scalar::<f64>("pushed").unwrap(), 0.0, "{name}");
    }
}

/// Attention of `q`, `k` and `v` of shape `[time, 2]`. With a mask of shape `[time]`,
/// padded keys are masked and padded rows are dropped.
fn attention<'g>([q, k, v]: [Expr<'g>; 3], mask: Option<Expr<'g>>) -> Expr<'g> {
    let scores = q.matmul(k.transpose()) * 0.5;
    match mask {
        None => scores.softmax(-1).matmul(v),
        Some(mask) => {
            let weights = scores.masked(mask.unsqueeze(0)).softmax(-1);
            weights.matmul(where_(mask.unsqueeze(-1), v, 0.0)).boolean_mask(mask)
        }
    }
}

/// A scalar of the attention in which every element counts differently.
fn attention_loss<'g>(qkv: [Expr<'g>; 3], mask: Option<Expr<'g>>) -> Expr<'g> {
    let attended = attention(qkv, mask);
    let weights = attended.graph().constant([0.5, -2.0]);
    (attended.square() * weights + attended).sum(..)
}

/// The loss, its gradients, and the gradients of a weighted sum of those.
fn two_orders<'g>(qkv: [Expr<'g>; 3], mask: Option<Expr<'g>>) -> Vec<(String, Expr<'g>)> {
    let loss = attention_loss(qkv, mask);
    let first = grad(loss, qkv);
    let weights = loss.graph().constant([1.0, -3.0]);
    let second_loss = first.map(|d| (d * weights).sum(..)).into_iter().reduce(|a, b| a + b).unwrap();
    let second = grad(second_loss, qkv);
    let mut outputs = vec![("loss".to_owned(), loss)];
    outputs.extend(first.into_iter().enumerate().map(|(i, d)| (format!("d{i}"), d)));
    outputs.extend(second.into_iter().enumerate().map(|(i, d)| (format!("dd{i}"), d)));
    outputs
}

const SHORT: [[[f64; 2]; 2]; 3] =
    [[[0.3, -1.2], [0.7, 0.1]], [[1.1, 0.4], [-0.6, 0.9]], [[2.0, -1.0], [0.5, 1.5]]];

#[test]
fn masked_attention_equals_the_unpadded_one_at_two_orders() {
    let graph = Graph::new();
    let qkv = ["q", "k", "v"].map(|name| graph.input::<f64>(name, [2, 2]));
    let plan = Plan::new(two_orders(qkv, None)).unwrap();
    let [q, k, v] = SHORT.map(|rows| arr2(&rows));
    let expected = plan.feed("q", &q).feed("k", &k).feed("v", &v).run().unwrap();

    let graph = Graph::new();
    let qkv = ["q", "k", "v"].map(|name| graph.input::<f64>(name, dims!["time", 2]));
    let mask = graph.input::<bool>("mask", dims!["time"]);
    let plan = Plan::new(two_orders(qkv, Some(mask))).unwrap();
    for padding in [0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let [q, k, v] = SHORT.map(|rows| arr2(&[rows[0], [padding, padding], rows[1], [padding, 1.0]]));
        let choice = arr1(&[true, false, true, false]);
        let found = plan.feed("q", &q).feed("k", &k).feed("v", &v).feed("mask", &choice).run().unwrap();
        let (a, b) = (found.scalar::<f64>("loss").unwrap(), expected.scalar::<f64>("loss").unwrap());
        assert!((a - b).abs() < 1e-12, "loss {a} with {padding}, {b} without padding");
        for name in ["d0", "d1", "d2", "dd0", "dd1", "dd2"] {
            let padded = found.view::<f64>(name).unwrap();
            let short = expected.view::<f64>(name).unwrap();
            for (row, short_row) in [(0, Some(0)), (1, None), (2, Some(1)), (3, None)] {
                for column in 0..2 {
                    let value = padded[[row, column]];
                    match short_row {
                        None => assert_eq!(value, 0.0, "{name} of the padding with {padding}: {padded}"),
                        Some(short_row) => {
                            let right = short[[short_row, column]];
                            assert!((value - right).abs() < 1e-12, "{name} with {padding}: {padded} {short}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn masked_attention_passes_the_gradient_check() {
    let graph = Graph::new();
    let qkv = ["q", "k", "v"].map(|name| graph.input::<f64>(name, dims!["time", 2]));
    let mask = graph.input::<bool>("mask", dims!["time"]);
    let loss = attention_loss(qkv, Some(mask));
    for padding in [0.0, f64::NAN] {
        let [q, k, v] = SHORT.map(|rows| arr2(&[rows[0], [padding, padding], rows[1]]));
        let choice = arr1(&[true, false, true]);
        let check = check_gradients(loss, qkv).second_order();
        let report = check.feed("q", &q).feed("k", &k).feed("v", &v).feed("mask", &choice).run().unwrap();
        assert!(report.passed(), "{report}");
        assert_eq!(report.kinks().count(), 0, "{report}");
        // Both orders of q, k and v.
        assert_eq!(report.rows().len(), 6, "{report}");
    }
}

#[test]
fn forward_over_reverse_agrees_with_reverse_over_reverse_under_a_mask() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let loss = where_(x.gt(0.0), x.sqrt(), 0.0).sum(..).square();
    let direction = graph.constant([5.0, 1.0, -2.0]);
    let forward = hvp(loss, x, direction);
    let reverse = grad((grad(loss, x) * direction).sum(..), x);
    let plan = Plan::new([("forward", forward), ("reverse", reverse)]).unwrap();
    let out = plan.feed("x", arr1(&[0.0, 1.0, 4.0])).run().unwrap();
    // s = √x₁ + √x₂ = 3; ∂²s²/∂xᵢ∂xⱼ = 2 sᵢ sⱼ + 2 s sᵢᵢ [i = j], with s' = [½, ¼], s'' = [−¼, −1/32].
    let expected = arr1(&[0.0, 0.5 - 0.25 * 2.0 - 1.5, 0.25 + -2.0 * (0.125 - 0.1875)]);
    for name in ["forward", "reverse"] {
        let found = out.view::<f64>(name).unwrap();
        assert_eq!(found[0], 0.0, "{name}: {found}");
        assert!((&found - &expected).iter().all(|e| e.abs() < 1e-14), "{name}: {found} is not {expected}");
    }
}

/// How many guards the graph holds, as it is printed.
fn guards(graph: &Graph) -> usize {
    graph.to_string().matches(" = guard(").count()
}

#[test]
fn selections_by_one_mask_written_twice_need_no_guard() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["n"]);
    let sum = x.boolean_mask(x.gt(0.0)) + y.boolean_mask(x.gt(0.0));
    assert_eq!(sum.shape().to_string(), "[count(%3)]");
    assert_eq!(guards(&graph), 0, "{graph}");
    let plan = Plan::new([("sum", sum)]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, -1.0, 2.0])).feed("y", arr1(&[10.0, 20.0, 30.0])).run().unwrap();
    assert_eq!(out.view::<f64>("sum").unwrap(), arr1(&[11.0, 32.0]).into_dyn());
}

#[test]
fn masks_that_select_the_same_by_their_form_need_no_guard() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3]);
    let (a, b) = (x.gt(0.0), x.lt(5.0));
    let kept = x.boolean_mask(a & b);
    let _ = kept + x.boolean_mask(b & a);
    let _ = kept + x.boolean_mask(!!(a & b));
    let _ = kept + x.flatten().boolean_mask((a & b).flatten());
    let _ = kept + x.boolean_mask(a).boolean_mask(b.boolean_mask(a));
    let _ = x.boolean_mask(!a) + x.transpose().boolean_mask(!a.transpose());
    assert!(graph.check().is_ok());
    assert_eq!(guards(&graph), 0, "{graph}");
}

#[test]
fn selections_by_two_masks_need_exactly_one_guard() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["n"]);
    let sum = x.boolean_mask(x.gt(0.0)) + y.boolean_mask(y.gt(0.0));
    assert_eq!(guards(&graph), 1, "{graph}");
    let plan = Plan::new([("sum", sum)]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, -1.0, 2.0])).feed("y", arr1(&[-1.0, 20.0, 30.0])).run().unwrap();
    assert_eq!(out.view::<f64>("sum").unwrap(), arr1(&[21.0, 32.0]).into_dyn());
}

#[test]
fn counts_that_differ_at_run_time_name_both_masks_and_all_lines() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["n"]);
    let positive = x.gt(0.0);
    let positive_line = above("gt(0.0)");
    let small = y.lt(5.0);
    let small_line = above("lt(5.0)");
    let (left, right) = (x.boolean_mask(positive), y.boolean_mask(small));
    let sum = left + right;
    let sum_line = above("left + right");
    let plan = Plan::new([("sum", sum)]).unwrap();
    let error = plan.feed("x", arr1(&[1.0, -1.0, 2.0])).feed("y", arr1(&[9.0, 1.0, 9.0])).run().unwrap_err();
    let expected = format!(
        "add: lengths differ: count(%3) = 2 and count(%5) = 1; \
         count(%3) counts the true elements of `gt(x, 0.0)`, built at {positive_line}; \
         count(%5) counts the true elements of `lt(y, 5.0)`, built at {small_line} (built at {sum_line})"
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.location().unwrap().to_string(), sum_line);
}

#[test]
fn all_errors_of_a_program_are_reported_together() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3]);
    let y = graph.input::<f64>("y", [4]);
    let n = graph.input::<i32>("n", [2, 3]);
    let mismatch = x + y;
    let first = above("x + y");
    let integer_mask = x.boolean_mask(n);
    let second = above("boolean_mask(n)");
    let narrowing = n.masked_assign(x.gt(0.0), x);
    let third = above("masked_assign(");
    let not_scalar = grad(x.square(), x);
    let fourth = above("grad(x.square(), x)");
    let expected = format!(
        "add: shapes [2, 3] and [4] do not broadcast (built at {first})\n\
         boolean_mask: the mask is i32[2, 3]; masks are bool: write `.ne(0)` to select what is not zero \
         (built at {second})\n\
         masked_assign: f64[2, 3] cannot be assigned into i32[2, 3] without loss; write `.cast(DType::I32)` on the \
         source to accept it (built at {third})\n\
         grad: the loss has shape [2, 3]; a gradient is taken of a scalar: reduce it with `.sum(..)` or `.mean(..)` \
         (built at {fourth})"
    );
    let outputs = [("a", not_scalar), ("b", narrowing), ("c", integer_mask), ("d", mismatch)];
    let error = Plan::new(outputs).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.reports().len(), 4);
    assert_eq!(graph.check().unwrap_err().to_string(), expected);
    // All of the graph is checked, not only what the outputs need.
    assert_eq!(Plan::new([("x", x)]).unwrap_err().to_string(), expected);
    assert_eq!(x.sum(..).eval::<f64>().unwrap_err().to_string(), expected);
}

#[test]
fn an_index_out_of_range_names_the_op_the_line_the_position_and_the_value() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let indices = graph.input::<i64>("indices", dims!["k", 2]);
    let y = x.gather(indices, 0);
    let line = above("gather(indices, 0)");
    let plan = Plan::new([("y", y)]).unwrap();
    for bad in [3, -4, i64::MAX, i64::MIN] {
        let indices = arr2(&[[0, 1], [2, bad]]);
        let error = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).feed("indices", &indices).run().unwrap_err();
        let expected = format!(
            "gather: index {bad} is out of range for axis 0 of length 3, at position [1, 1] of the indices \
             (built at {line})"
        );
        assert_eq!(error.to_string(), expected);
    }
    let out = plan.feed("x", arr1(&[1.0, 2.0, 3.0])).feed("indices", arr2(&[[-3_i64, 2]])).run().unwrap();
    assert_eq!(out.view::<f64>("y").unwrap(), arr2(&[[1.0, 3.0]]).into_dyn());
}

/// An op applied to `x: f64[n, 3]`, with the rank-1 mask that made `x` or selects from
/// it.
type Applied = for<'g> fn(Expr<'g>) -> Expr<'g>;

/// Every op that has a meaning for a tensor without elements.
const OPS: &[(&str, Applied)] = &[
    ("neg", |x| -x),
    ("abs", |x| x.abs()),
    ("sign", |x| x.sign()),
    ("exp", |x| x.exp()),
    ("exp_m1", |x| x.exp_m1()),
    ("ln", |x| x.ln()),
    ("ln_1p", |x| x.ln_1p()),
    ("sqrt", |x| x.sqrt()),
    ("recip", |x| x.recip()),
    ("sin", |x| x.sin()),
    ("cos", |x| x.cos()),
    ("tanh", |x| x.tanh()),
    ("sigmoid", |x| x.sigmoid()),
    ("relu", |x| x.relu()),
    ("square", |x| x.square()),
    ("floor", |x| x.floor()),
    ("cast", |x| x.cast(DType::F32)),
    ("stop_gradient", |x| x.stop_gradient()),
    ("add", |x| x + x.sum(0)),
    ("sub", |x| 1.0 - x),
    ("mul", |x| x * x.exp()),
    ("div", |x| x / (x + 1.0)),
    ("pow", |x| x.pow(x)),
    ("floor_mod", |x| x % 2.0),
    ("integer floor_mod", |x| x.cast(DType::I64) % x.cast(DType::I64)),
    ("minimum", |x| x.minimum(0.0)),
    ("maximum", |x| x.maximum(x.exp())),
    ("clip", |x| x.clip(0.0, 1.0)),
    ("eq", |x| x.eq(x.exp())),
    ("ne", |x| x.ne(0)),
    ("lt", |x| x.lt(1.0)),
    ("le", |x| x.le(1.0)),
    ("gt", |x| x.gt(1.0)),
    ("ge", |x| x.ge(1.0)),
    ("is_nan", |x| x.is_nan()),
    ("is_finite", |x| x.is_finite()),
    ("and", |x| x.gt(0.0) & x.lt(1.0)),
    ("or", |x| x.gt(0.0) | x.lt(1.0)),
    ("xor", |x| x.gt(0.0) ^ x.lt(1.0)),
    ("not", |x| !x.gt(0.0)),
    ("where_", |x| where_(x.gt(0.0), x.sqrt(), -x)),
    ("boolean_mask", |x| x.boolean_mask(x.slice_axis(0, 1).gt(0.0))),
    ("boolean_mask of all axes", |x| x.boolean_mask(x.gt(0.0))),
    ("boolean_mask_axis", |x| x.boolean_mask_axis(x.graph().constant([true, false, true]), 1)),
    ("masked_select", |x| x.masked_select(x.graph().constant([true, false, true]))),
    ("unmask", |x| x.boolean_mask(x.gt(0.0)).unmask(x.gt(0.0), 7.0)),
    ("unmask_axis", |x| {
        let columns = x.graph().constant([true, false, true]);
        x.boolean_mask_axis(columns, 1).unmask_axis(columns, 7.0, 1)
    }),
    ("argwhere", |x| x.argwhere()),
    ("nonzero", |x| x.nonzero()[1]),
    ("masked_fill", |x| x.masked_fill(x.gt(0.0), 1.0)),
    ("masked_assign", |x| x.masked_assign(x.gt(0.0), -x)),
    ("gather", |x| x.gather(x.graph().constant([2, 0]), 1)),
    ("gather of no elements", |x| x.gather(x.slice_axis(..0, 0).cast(DType::I64), 0)),
    ("take_along_axis", |x| x.take_along_axis(x.argmax(1).unsqueeze(-1), 1)),
    ("gather_nd", |x| x.gather_nd(x.gt(0.0).argwhere())),
    ("scatter_set", |x| x.graph().zeros::<f64>([5, 3]).scatter_set(x.graph().iota(x.dim(0)), x, 0)),
    ("scatter_add", |x| x.graph().zeros::<f64>([5, 3]).scatter_add(x.graph().iota(x.dim(0)), x, 0)),
    ("scatter_set_along_axis", |x| {
        x.scatter_set_along_axis(x.argmin(1).unsqueeze(-1), x.slice_axis(..1, 1), 1)
    }),
    ("scatter_add_along_axis", |x| {
        x.scatter_add_along_axis(x.argmin(1).unsqueeze(-1), x.slice_axis(..1, 1), 1)
    }),
    ("scatter_nd_set", |x| x.scatter_nd_set(x.argwhere(), x.boolean_mask(x.ne(0)))),
    ("scatter_nd_add", |x| x.scatter_nd_add(x.argwhere(), x.boolean_mask(x.ne(0)))),
    ("sum", |x| x.sum(0)),
    ("sum of each row", |x| x.sum(1)),
    ("mean of each row", |x| x.mean(1)),
    ("max of each row", |x| x.max(1)),
    ("min of each row", |x| x.min(1)),
    ("any", |x| x.any(0)),
    ("all", |x| x.all(0)),
    ("count_nonzero", |x| x.count_nonzero(..)),
    ("masked sum", |x| x.masked(x.gt(0.0)).sum(0)),
    ("masked mean", |x| x.masked(x.gt(0.0)).mean(1)),
    ("masked max", |x| x.masked(x.le(0.5)).max(1)),
    ("masked min", |x| x.masked(x.le(0.5)).min(1)),
    ("masked any", |x| x.masked(x.gt(0.0)).any(0)),
    ("masked all", |x| x.masked(x.gt(0.0)).all(0)),
    ("masked count_nonzero", |x| x.masked(x.gt(0.0)).count_nonzero(0)),
    ("masked softmax", |x| x.masked(x.gt(0.0)).softmax(0)),
    ("softmax along no elements", |x| x.softmax(0)),
    ("log_softmax", |x| x.log_softmax(1)),
    ("argmax", |x| x.argmax(1)),
    ("argmin", |x| x.argmin(1)),
    ("cumsum along no elements", |x| x.cumsum(0)),
    ("cumsum of what comes after", |x| x.cumsum(along(1).exclusive().reverse())),
    ("reshape", |x| x.reshape([-1, 1])),
    ("permute", |x| x.permute([1, 0])),
    ("squeeze", |x| x.unsqueeze(1).squeeze(1)),
    ("transpose", |x| x.transpose()),
    ("broadcast_to", |x| x.unsqueeze(0).broadcast_to(dims![2, x.dim(0), 3])),
    ("slice", |x| x.slice((tamis::Slice::from(..).by(-1), 1..))),
    ("concat", |x| x.graph().concat([x, x], 0)),
    ("stack", |x| x.graph().stack([x, x], 0)),
    ("matmul over no elements", |x| x.transpose().matmul(x)),
    ("matmul of no elements", |x| x.matmul(x.graph().ones::<f64>([3, 2]))),
];

/// A loss of `op(x)` with a gradient whatever the dtype of the result.
fn loss_of<'g>(op: Applied, x: Expr<'g>) -> Expr<'g> {
    op(x).cast(DType::F64).sum(..) + x.sum(..)
}

#[test]
fn every_op_takes_an_empty_selection_forward_and_backward() {
    for (name, op) in OPS.iter().copied() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n", 3]);
        let mask = graph.input::<bool>("mask", dims!["n"]);
        let kept = x.boolean_mask(mask);
        let y = op(kept);
        let dx = grad(loss_of(op, kept), x);
        let ddx = grad(dx.square().sum(..), x);
        let plan =
            Plan::new([("y", y), ("dx", dx), ("ddx", ddx)]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (numbers, none) = (Array2::from_elem((4, 3), 0.5), Array1::from_elem(4, false));
        let out = plan.feed("x", &numbers).feed("mask", &none).run();
        let out = out.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(out.view::<f64>("dx").unwrap(), Array2::zeros((4, 3)).into_dyn(), "{name}");
        assert_eq!(out.view::<f64>("ddx").unwrap(), Array2::zeros((4, 3)).into_dyn(), "{name}");
        let value = out.value("y").unwrap();
        assert_eq!((value.dtype(), value.shape().len()), (y.dtype(), y.shape().len()), "{name}");
    }
}

#[test]
fn every_op_takes_an_axis_of_length_zero_forward_and_backward() {
    for (name, op) in OPS.iter().copied() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [0, 3]);
        let y = op(x);
        let dx = grad(loss_of(op, x), x);
        let ddx = grad(dx.square().sum(..), x);
        let plan =
            Plan::new([("y", y), ("dx", dx), ("ddx", ddx)]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let out = plan.feed("x", Array2::<f64>::zeros((0, 3))).run();
        let out = out.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(out.view::<f64>("dx").unwrap().shape(), [0, 3], "{name}");
        assert_eq!(out.view::<f64>("ddx").unwrap().shape(), [0, 3], "{name}");
        let value = out.value("y").unwrap();
        assert_eq!((value.dtype(), value.shape().len()), (y.dtype(), y.shape().len()), "{name}");
        let known =
            y.shape().iter().zip(value.shape()).all(|(dim, n)| dim.known().is_none_or(|dim| dim == *n));
        assert!(known, "{name}: {} was inferred, {:?} computed", y.shape(), value.shape());
    }
}

#[test]
fn reductions_of_an_empty_selection_give_their_identities() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let kept = x.boolean_mask(x.gt(9.0));
    let outputs = [
        ("sum", kept.sum(..)),
        ("mean", kept.mean(..)),
        ("masked sum", x.masked(x.gt(9.0)).sum(..)),
        ("masked mean", x.masked(x.gt(9.0)).mean(..)),
    ];
    let plan = Plan::new(outputs).unwrap();
    let out = plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    assert_eq!(out.scalar::<f64>("sum").unwrap(), 0.0);
    assert_eq!(out.scalar::<f64>("masked sum").unwrap(), 0.0);
    assert!(out.scalar::<f64>("mean").unwrap().is_nan());
    assert!(out.scalar::<f64>("masked mean").unwrap().is_nan());
    let plan = Plan::new([("any", kept.any(..)), ("all", kept.all(..))]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    assert!(!out.scalar::<bool>("any").unwrap());
    assert!(out.scalar::<bool>("all").unwrap());
}

/// An expression of `x` and `n` that fails for a bad `n` and not for a good one,
/// and what that gives for x = [1, 2, 3].
struct Fallible {
    build: for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>,
    bad: [i64; 3],
    good: [i64; 3],
    expected: &'static [f64],
}

#[test]
fn a_plan_runs_correctly_after_any_error() {
    let cases = [
        Fallible {
            build: |x, n| x.gather(n, 0),
            bad: [0, 1, 3],
            good: [2, 1, 0],
            expected: &[3.0, 2.0, 1.0],
        },
        Fallible {
            build: |x, n| x.scatter_add(n, 10.0, 0),
            bad: [0, -4, 0],
            good: [0, 0, 1],
            expected: &[21.0, 12.0, 3.0],
        },
        Fallible { build: |x, n| x + (n % n), bad: [1, 0, 2], good: [1, 2, 3], expected: &[1.0, 2.0, 3.0] },
        Fallible {
            build: |x, n| x * n.pow(n),
            bad: [1, -1, 2],
            good: [1, 2, 3],
            expected: &[1.0, 8.0, 81.0],
        },
        Fallible {
            build: |x, n| x.boolean_mask(n.gt(0)).max(keep(0)),
            bad: [0, 0, 0],
            good: [0, 1, 0],
            expected: &[2.0],
        },
        Fallible {
            build: |x, n| x.boolean_mask(n.gt(0)) + x.boolean_mask(n.lt(2)),
            bad: [0, 0, 1],
            good: [0, 1, 2],
            expected: &[3.0, 5.0],
        },
    ];
    for Fallible { build, bad, good, expected } in cases {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let n = graph.input::<i64>("n", [3]);
        let plan = Plan::new([("y", build(x, n))]).unwrap();
        let numbers = arr1(&[1.0, 2.0, 3.0]);
        for _ in 0..3 {
            let error = plan.feed("x", &numbers).feed("n", arr1(&bad)).run().unwrap_err();
            assert_eq!(error.reports().len(), 1, "{error}");
            assert_eq!(error.location().unwrap().file(), file!(), "{error}");
            let out = plan.feed("x", &numbers).feed("n", arr1(&good)).run().unwrap();
            assert_eq!(out.view::<f64>("y").unwrap(), arr1(expected).into_dyn());
        }
    }
}

#[test]
fn a_plan_runs_correctly_after_a_feed_was_wrong() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["n"]);
    let plan = Plan::new([("sum", x + y)]).unwrap();
    for _ in 0..3 {
        assert!(plan.feed("x", arr1(&[1.0])).run().is_err());
        assert!(plan.feed("x", arr1(&[1.0])).feed("y", arr1(&[1.0, 2.0])).run().is_err());
        let out = plan.feed("x", arr1(&[1.0])).feed("y", arr1(&[2.0])).run().unwrap();
        assert_eq!(out.view::<f64>("sum").unwrap(), arr1(&[3.0]).into_dyn());
    }
}

#[test]
fn a_plan_and_its_errors_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Plan>();
    crosses::<tamis::Error>();
    crosses::<tamis::Outputs>();
    crosses::<tamis::Slot>();
}

#[test]
fn threads_run_one_plan_at_once_while_one_of_them_fails() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let indices = graph.input::<i64>("indices", dims!["k"]);
    let kept = x.boolean_mask(x.gt(0.0));
    let loss = (kept.sqrt().cumsum(0) + x.gather(indices, 0)).square().sum(..);
    let plan = Plan::new([("loss", loss), ("dx", grad(loss, x))]).unwrap();
    let numbers = arr1(&[4.0, 0.0, 9.0, -1.0]);
    // cumsum of √ gives [2, 5]; with x[0] = 4 and x[2] = 9 that is [6, 14].
    let run = |indices: [i64; 2]| plan.feed("x", &numbers).feed("indices", arr1(&indices)).run();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            scope.spawn(move || {
                for _ in 0..50 {
                    if worker == 3 {
                        let error = run([0, 4]).unwrap_err();
                        assert!(
                            matches!(error.kind(), ErrorKind::IndexOutOfRange { index: 4, .. }),
                            "{error}"
                        );
                        continue;
                    }
                    let out = run([0, 2]).unwrap();
                    assert_eq!(out.scalar::<f64>("loss").unwrap(), 232.0);
                    // 2·6·(¼ + 1) + 2·14·¼ for x[0], 2·14·(1/6 + 1) for x[2].
                    let dx = out.view::<f64>("dx").unwrap();
                    let expected = [22.0, 0.0, 98.0 / 3.0, 0.0];
                    assert!(dx.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{dx}");
                }
            });
        }
    });
}

#[test]
fn a_gradient_alone_still_checks_the_lengths_of_the_loss() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = graph.input::<f64>("y", dims!["m"]);
    let sum = x + y;
    let line = above("x + y");
    let loss = (sum * 3.0).sum(..);
    let plan = Plan::new([("dx", grad(loss, x))]).unwrap();
    let (two, three) = (arr1(&[1.0, 2.0]), arr1(&[1.0, 2.0, 3.0]));
    let error = plan.feed("x", &two).feed("y", &three).run().unwrap_err();
    let expected = format!(
        "add: lengths differ: n = 2 and m = 3; n is axis 0 of input `x`, built at {}; \
         m is axis 0 of input `y`, built at {} (built at {line})",
        above("input::<f64>(\"x\""),
        above("input::<f64>(\"y\""),
    );
    assert_eq!(error.to_string(), expected);
    let out = plan.feed("x", &two).feed("y", &two).run().unwrap();
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[3.0, 3.0]).into_dyn());
}

#[test]
fn a_gradient_alone_still_checks_the_counts_of_the_loss() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let mask = graph.input::<bool>("mask", [3]);
    let loss = (x.boolean_mask(mask) + graph.ones::<f64>([2])).sum(..);
    let line = above("(x.boolean_mask(mask) + ");
    let plan = Plan::new([("dx", grad(loss, x))]).unwrap();
    let numbers = arr1(&[1.0, 2.0, 3.0]);
    let error = plan.feed("x", &numbers).feed("mask", arr1(&[true; 3])).run().unwrap_err();
    assert_eq!(error.location().unwrap().to_string(), line, "{error}");
    assert!(matches!(error.kind(), ErrorKind::LengthMismatch { .. }), "{error}");
    let out = plan.feed("x", &numbers).feed("mask", arr1(&[true, false, true])).run().unwrap();
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[1.0, 0.0, 1.0]).into_dyn());
}

#[test]
fn every_derivative_alone_still_checks_the_lengths_of_the_loss() {
    type Derivative = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let derivatives: [(&str, Derivative); 6] = [
        ("grad", |loss, x| grad(loss, x)),
        ("value_and_grad", |loss, x| value_and_grad(loss, x).1),
        ("vjp", |loss, x| vjp(loss, x, loss.graph().constant(2.0))),
        ("jvp", |loss, x| jvp(loss, x, x)),
        ("hvp", |loss, x| hvp(loss, x, x)),
        ("grad of grad", |loss, x| grad(grad(loss, x).sum(..), x)),
    ];
    for (name, derivative) in derivatives {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let mask = graph.input::<bool>("mask", [3]);
        // The guarded sum does not even depend on x.
        let guarded = graph.constant([1.0, 2.0, 3.0]).boolean_mask(mask) + graph.ones::<f64>([2]);
        let line = above("graph.constant([1.0, 2.0, 3.0]).boolean_mask(mask) +");
        let loss = x.square().sum(..) + guarded.sum(..);
        let plan = Plan::new([("derivative", derivative(loss, x))]).unwrap();
        let numbers = arr1(&[1.0, 2.0, 3.0]);
        let error = plan.feed("x", &numbers).feed("mask", arr1(&[true; 3])).run().unwrap_err();
        assert_eq!(error.location().unwrap().to_string(), line, "{name}: {error}");
        assert!(plan.feed("x", &numbers).feed("mask", arr1(&[true, false, true])).run().is_ok(), "{name}");
    }
}

#[test]
fn gradients_exist_by_what_lies_in_between_by_the_loss_and_by_literals() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let weights = graph.constant([3.0, 4.0]);
    let middle = x.square();
    let loss = (middle * weights).sum(..);
    let [d_middle, d_loss, d_weights, dx, again] = grad(loss, [middle, loss, weights, x, x]);
    assert_eq!(dx.id(), again.id());
    let outputs = [("middle", d_middle), ("loss", d_loss), ("weights", d_weights), ("dx", dx)];
    let out = Plan::new(outputs).unwrap().feed("x", arr1(&[1.0, 2.0])).run().unwrap();
    assert_eq!(out.view::<f64>("middle").unwrap(), arr1(&[3.0, 4.0]).into_dyn());
    assert_eq!(out.scalar::<f64>("loss").unwrap(), 1.0);
    assert_eq!(out.view::<f64>("weights").unwrap(), arr1(&[1.0, 4.0]).into_dyn());
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[6.0, 16.0]).into_dyn());
}

#[test]
fn a_gradient_has_the_dtype_of_what_it_is_taken_by() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [2]);
    let y = graph.input::<f64>("y", [2]);
    let n = graph.input::<i64>("n", [2]);
    let loss = (x.sqrt() * y * n).boolean_mask(x.gt(0.0)).sum(..);
    let [dx, dy] = grad(loss, [x, y]);
    assert_eq!((dx.dtype(), dy.dtype()), (DType::F32, DType::F64));
    let plan = Plan::new([("dx", dx), ("dy", dy)]).unwrap();
    let run = plan.feed("x", arr1(&[0.0_f32, 4.0])).feed("y", arr1(&[1.0, 8.0])).feed("n", arr1(&[5_i64, 3]));
    let out = run.run().unwrap();
    assert_eq!(out.view::<f32>("dx").unwrap(), arr1(&[0.0, 6.0]).into_dyn());
    assert_eq!(out.view::<f64>("dy").unwrap(), arr1(&[0.0, 6.0]).into_dyn());
}

#[test]
fn a_third_derivative_is_as_safe_as_the_first() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let first = grad(x.sqrt().boolean_mask(x.gt(0.0)).sum(..), x);
    let second = grad(first.sum(..), x);
    let third = grad(second.sum(..), x);
    let plan = Plan::new([("third", third)]).unwrap();
    let out = plan.feed("x", arr1(&[0.0, 4.0])).run().unwrap();
    // 3/8 · x^(−5/2)
    assert_eq!(out.view::<f64>("third").unwrap(), arr1(&[0.0, 0.01171875]).into_dyn());
}

#[test]
fn what_no_output_needs_is_not_run_and_cannot_fail() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2]);
    let n = graph.input::<i64>("n", [2]);
    let _unused = x.gather(n, 0);
    let plan = Plan::new([("y", x * 2.0)]).unwrap();
    let out = plan.feed("x", array![1.0, 2.0]).run().unwrap();
    assert_eq!(out.view::<f64>("y").unwrap(), arr1(&[2.0, 4.0]).into_dyn());
}

#[test]
fn an_expression_that_feeds_only_masks_has_a_gradient_of_zeros() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [3]);
    let y = graph.input::<f64>("y", [3]);
    let loss = y.boolean_mask(x.gt(0.0)).sum(..);
    let plan = Plan::new([("dx", grad(loss, x))]).unwrap();
    let out = plan.feed("x", arr1(&[1.0, -1.0, 2.0])).feed("y", arr1(&[1.0, 2.0, 3.0])).run().unwrap();
    assert_eq!(out.view::<f64>("dx").unwrap(), arr1(&[0.0; 3]).into_dyn());
}

#[test]
fn a_loss_of_rank_zero_is_differentiated_by_rank_zero() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims![]);
    let plan = Plan::new([("dx", grad(where_(x.gt(0.0), x.sqrt(), 0.0), x))]).unwrap();
    assert_eq!(plan.feed("x", arr0(4.0)).run().unwrap().scalar::<f64>("dx").unwrap(), 0.25);
    assert_eq!(plan.feed("x", 0.0).run().unwrap().scalar::<f64>("dx").unwrap(), 0.0);
}

/// A builder of a float literal, called twice in the same words.
type Literal = for<'g> fn(&'g Graph) -> Expr<'g>;

#[test]
fn equal_floats_that_are_written_twice_are_two_variables() {
    const LITERALS: [Literal; 8] = [
        |graph| graph.constant([3.0, 3.0]),
        |graph| graph.constant(3.0),
        |graph| graph.constant_value(tamis::Value::from(arr1(&[3.0, 4.0]).into_dyn())),
        |graph| graph.scalar(3.0),
        |graph| graph.full([2], 3.0),
        |graph| graph.full_value([2], tamis::Scalar::F64(3.0)),
        |graph| graph.zeros::<f64>([2]),
        |graph| graph.ones::<f64>([2]),
    ];
    for (number, literal) in LITERALS.iter().enumerate() {
        let graph = Graph::new();
        let (a, b) = (literal(&graph), literal(&graph));
        let [da, db] = grad((a * 2.0 + b * 5.0).sum(..), [a, b]);
        let out = Plan::new([("a", da), ("b", db)]).unwrap().bind().run().unwrap();
        assert!(out.view::<f64>("a").unwrap().iter().all(|da| *da == 2.0), "literal {number}");
        assert!(out.view::<f64>("b").unwrap().iter().all(|db| *db == 5.0), "literal {number}");
    }
}

#[test]
fn equal_floats_pull_apart_in_a_product_and_in_a_check() {
    let graph = Graph::new();
    let (a, b) = (graph.constant([1.0]), graph.constant([1.0]));
    let [da, db] = grad((a * b).sum(..), [a, b]);
    assert_eq!(da.eval::<f64>().unwrap(), arr1(&[1.0]).into_dyn());
    assert_eq!(db.eval::<f64>().unwrap(), arr1(&[1.0]).into_dyn());
    let second = grad(grad((a * a * b).sum(..), a).sum(..), b);
    assert_eq!(second.eval::<f64>().unwrap(), arr1(&[2.0]).into_dyn());
    let (s, t) = (graph.scalar(2.0_f32), graph.scalar(2.0_f32));
    let loss = (s * a * t.square()).sum(..);
    let report = check_gradients(loss, [s, t, a]).run().unwrap();
    assert!(report.passed(), "{report}");
}

#[test]
fn a_literal_is_a_variable_through_casts_too() {
    let graph = Graph::new();
    let (a, x) = (graph.scalar(2.0_f32), graph.constant([1.0, 3.0]));
    // The product is in f64.
    let da = grad((a * x).sum(..), a);
    assert_eq!(da.dtype(), DType::F32);
    assert_eq!(da.eval::<f32>().unwrap(), arr0(4.0).into_dyn());
    let dx = grad((x.cast(DType::F32) * 2.0).sum(..), x);
    assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[2.0, 2.0]).into_dyn());
}

#[test]
fn equal_literals_that_have_no_gradient_are_one_expression() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    assert_eq!(graph.constant([1, 2]).id(), graph.constant([1, 2]).id());
    assert_eq!(graph.constant([true]).id(), graph.constant([true]).id());
    assert_eq!(graph.zeros::<u8>([2]).id(), graph.zeros::<u8>([2]).id());
    assert_eq!((x * 2.0).id(), (x * 2.0).id());
    assert_eq!(where_(x.gt(0.5), x, 0.0).id(), where_(x.gt(0.5), x, 0.0).id());
    assert_eq!(grad(x.relu().sum(..), x).id(), grad(x.relu().sum(..), x).id());
    assert_ne!(graph.scalar(1.0).id(), graph.scalar(1.0).id());
}

#[test]
fn an_arrangement_of_an_arrangement_depends_on_both() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3]);
    let w = graph.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let (flat, transposed, column) = (x.reshape([6]), x.transpose(), x.sum(1));
    let wide = column.unsqueeze(1).broadcast_to([2, 1]).broadcast_to([2, 3]);
    let middle = column.broadcast_to([1, 2]);
    let outputs = [
        ("flat", grad((flat.reshape([2, 3]) * w).sum(..), flat)),
        ("transposed", grad((transposed.transpose() * w).sum(..), transposed)),
        ("column", grad((wide * w).sum(..), column)),
        ("middle", grad((middle.broadcast_to([3, 2]) * w.transpose()).sum(..), middle)),
    ];
    let plan = Plan::new(outputs).unwrap();
    let out = plan.feed("x", arr2(&[[0.0; 3]; 2])).run().unwrap();
    let view = |name| out.view::<f64>(name).unwrap();
    assert_eq!(view("flat"), arr1(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).into_dyn());
    assert_eq!(view("transposed"), arr2(&[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]).into_dyn());
    assert_eq!(view("column"), arr1(&[6.0, 15.0]).into_dyn());
    assert_eq!(view("middle"), arr2(&[[6.0, 15.0]]).into_dyn());
}

#[test]
fn an_arrangement_of_a_gradient_depends_on_the_gradient() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 2]);
    let w = graph.constant([1.0, 2.0, 3.0, 4.0]);
    let dx = grad(x.reshape([4]).square().sum(..), x);
    let dy = grad((dx.reshape([4]) * w).sum(..), dx);
    let plan = Plan::new([("dy", dy)]).unwrap();
    let out = plan.feed("x", arr2(&[[0.0; 2]; 2])).run().unwrap();
    assert_eq!(out.view::<f64>("dy").unwrap(), arr2(&[[1.0, 2.0], [3.0, 4.0]]).into_dyn());
}

#[test]
fn an_expression_that_a_gradient_built_first_is_not_passed_over_by_another() {
    type Held = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    // Both are the node `w.reshape([4])`, which the first gradient builds.
    let cases: [Held; 2] = [|dx, _| dx, |_, w| w.reshape([4])];
    for held in cases {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [4]);
        let (w, y) = (graph.input::<f64>("w", [2, 2]), graph.input::<f64>("y", [2, 2]));
        let dx = grad((x.reshape([2, 2]) * w).sum(..), x);
        let held = held(dx, w);
        assert_eq!(held.id(), dx.id());
        // dy is held.reshape([2, 2]), so that the gradient by `held` is v.reshape([4]).
        let dy = grad((y.reshape([4]) * held).sum(..), y);
        let v = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
        let slope = grad((dy * v).sum(..), held);
        assert_eq!(slope.eval::<f64>().unwrap(), arr1(&[1.0, 2.0, 3.0, 4.0]).into_dyn());
    }
}

#[test]
fn labels_that_are_ignored_need_no_classes() {
    for shape in [dims![2, 0], dims!["rows", "classes"]] {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", shape);
        let labels = graph.constant([-100, -100]);
        let kept = labels.ne(-100);
        let losses = x.cross_entropy(labels.masked(kept), 1);
        let dx = grad(losses.sum(..), x);
        let allowed = x.masked(x.gt(0.0)).cross_entropy(labels.masked(kept), 1);
        let plan = Plan::new([("losses", losses), ("dx", dx), ("allowed", allowed)]).unwrap();
        let out = plan.feed("x", Array2::<f64>::zeros((2, 0))).run().unwrap();
        assert_eq!(out.view::<f64>("losses").unwrap(), arr1(&[0.0, 0.0]).into_dyn());
        assert_eq!(out.view::<f64>("allowed").unwrap(), arr1(&[0.0, 0.0]).into_dyn());
        assert_eq!(out.view::<f64>("dx").unwrap().shape(), [2, 0]);
    }
}

#[test]
fn a_number_of_classes_that_a_run_decides_gives_the_same_cross_entropy() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["rows", "classes"]);
    let losses = x.cross_entropy(graph.constant([1, 0]), 1);
    let dx = grad(losses.sum(..), x);
    let plan = Plan::new([("losses", losses), ("dx", dx)]).unwrap();
    let out = plan.feed("x", arr2(&[[7.0, 7.0], [0.0, 0.0]])).run().unwrap();
    let ln_2 = std::f64::consts::LN_2;
    assert_eq!(out.view::<f64>("losses").unwrap(), arr1(&[ln_2, ln_2]).into_dyn());
    assert_eq!(out.view::<f64>("dx").unwrap(), arr2(&[[0.5, -0.5], [-0.5, 0.5]]).into_dyn());
}

#[test]
fn minus_infinity_takes_part_in_no_tie_however_its_entries_are_written() {
    type Write = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let cases: [(f64, Write); 6] = [
        (low, |x, v| x.at(0..2).max(v)),
        (low, |x, v| x.at(x.graph().constant([0, 1])).max(v)),
        (low, |x, v| x.at(x.graph().constant([true, true, false])).max(v)),
        (high, |x, v| x.at(..2).min(v)),
        (high, |x, v| x.at(x.graph().constant([0, 1])).min(v)),
        (high, |x, v| x.at(x.graph().constant([true, true, false])).min(v)),
    ];
    for (neutral, write) in cases {
        let graph = Graph::new();
        let (x, v) = (graph.constant([neutral, 2.0, neutral]), graph.constant([neutral, 2.0]));
        let written = write(x, v);
        let [dx, dv] = grad(written.sum(..), [x, v]);
        assert_eq!(written.eval::<f64>().unwrap(), arr1(&[neutral, 2.0, neutral]).into_dyn());
        // What is infinite leaves the gradient to the value; 2 and 2 share it.
        assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[0.0, 0.5, 1.0]).into_dyn());
        assert_eq!(dv.eval::<f64>().unwrap(), arr1(&[1.0, 0.5]).into_dyn());
    }
}
