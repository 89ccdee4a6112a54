//! What a plan says that it does: idioms with one meaning say the same, and
//! what can be done in one pass says one pass.

use tamis::prelude::*;
use tamis::{DType, Expr};

/// Inputs to write expressions of, in a graph of their own for each.
struct Inputs<'g> {
    x: Expr<'g>,
    y: Expr<'g>,
    /// `[n, 3]`.
    rows: Expr<'g>,
    m: Expr<'g>,
    b: Expr<'g>,
}

impl<'g> Inputs<'g> {
    fn new(graph: &'g Graph) -> Inputs<'g> {
        Inputs {
            x: graph.input::<f64>("x", dims!["n"]),
            y: graph.input::<f64>("y", dims!["n"]),
            rows: graph.input::<f32>("rows", dims!["n", 3]),
            m: graph.input::<bool>("m", dims!["n"]),
            b: graph.input::<bool>("b", dims!["n"]),
        }
    }
}

/// A way to write something.
type Idiom = for<'g> fn(&Inputs<'g>) -> Expr<'g>;

fn explained(idiom: Idiom) -> String {
    let graph = Graph::new();
    Plan::new([("out", idiom(&Inputs::new(&graph)))]).unwrap().explain()
}

/// All idioms are the same plan, whose text holds `part`.
#[track_caller]
fn check_same(part: &str, idioms: &[Idiom]) {
    let first = explained(idioms[0]);
    assert!(first.contains(part), "{first}");
    for (number, idiom) in idioms.iter().enumerate() {
        assert_eq!(explained(*idiom), first, "idiom {number}");
    }
}

/// How many passes over `domain` a plan takes.
fn passes(text: &str, domain: &str) -> usize {
    text.matches(&format!("region over {domain}:")).count()
}

fn kernels(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("kernel ")).count()
}

#[test]
fn sums_of_what_a_mask_selects_are_one_plan() {
    check_same(
        "gives v1 = sum(where_(m, x, 0.0)): f64[], output out\n",
        &[
            |i| i.x.boolean_mask(i.m).sum(..),
            |i| where_(i.m, i.x, 0.0).sum(..),
            |i| where_(!i.m, 0.0, i.x).sum(..),
            |i| i.x.masked(i.m).sum(..),
            |i| i.x.masked_fill(!i.m, 0).sum(..),
            |i| i.x.gather(i.m.argwhere().slice_axis(0, 1), 0).sum(..),
            |i| i.x.gather(i.m.flatnonzero(), 0).sum(..),
            |i| i.x.gather_nd(i.m.argwhere()).sum(..),
            |i| i.x.boolean_mask(i.m).unmask(i.m, 0.0).sum(..),
            |i| i.x.compress(i.m, 0).sum(..),
        ],
    );
}

#[test]
fn sums_over_rows_that_a_mask_selects_are_one_plan() {
    check_same(
        "sum(v2, axes=[0]): f32[3], output out",
        &[
            |i| i.rows.boolean_mask(i.m).sum(0),
            |i| where_(i.m.unsqueeze(1), i.rows, 0.0).sum(0),
            |i| i.rows.masked(i.m).sum(0),
            |i| i.rows.gather(i.m.flatnonzero(), 0).sum(0),
        ],
    );
}

#[test]
fn means_of_what_a_mask_selects_are_one_plan() {
    check_same(
        "gives count(m)",
        &[
            |i| i.x.boolean_mask(i.m).mean(..),
            |i| i.x.masked(i.m).mean(..),
            |i| where_(i.m, i.x, 0.0).sum(..) / i.m.count_nonzero(..),
            |i| where_(i.m, i.x, 0.0).sum(..) / i.m.sum(..),
            |i| i.x.gather(i.m.flatnonzero(), 0).mean(..),
        ],
    );
}

/// The table of compound instructions: what is written, and the one line that computes it.
#[test]
fn functions_that_one_loop_computes_are_one_line() {
    type Row = (Idiom, &'static str);
    let rows: &[Row] = &[
        (|i| i.x * i.y + 1.0, "v1 = add(mul(x, y), 1.0)"),
        (|i| 1.5 + i.x * i.y, "v1 = add(mul(x, y), 1.5)"),
        (|i| i.x * i.y - i.x, "v1 = sub(mul(x, y), x)"),
        (|i| i.x - i.x * i.y, "v1 = sub(x, mul(x, y))"),
        (|i| (i.x + i.y) * 3.0, "v1 = mul(add(x, y), 3.0)"),
        (|i| i.x + i.y + 3.0, "v1 = add(add(x, y), 3.0)"),
        (|i| i.x * i.y + 1.0 - i.y, "v1 = sub(add(mul(x, y), 1.0), y)"),
        (|i| (i.x - i.y).square(), "v1 = square(sub(x, y))"),
        (|i| i.x.square() + i.y, "v1 = add(mul(x, x), y)"),
        (|i| i.x.gt(0.0) & i.x.lt(1.0), "v1 = and(lt(0.0, x), lt(x, 1.0))"),
        (|i| i.x.le(0.0) | i.y.ge(1.0), "v1 = or(le(x, 0.0), le(1.0, y))"),
        (|i| where_(i.x.gt(0.0), i.x, i.y), "v1 = where_(lt(0.0, x), x, y)"),
        (|i| where_(i.m, i.x * i.y, 0.0), "v1 = where_(m, mul(x, y), 0.0)"),
        (|i| i.x * i.m.cast(DType::F64), "v1 = mul(x, cast(m, f64))"),
    ];
    for (written, line) in rows {
        let text = explained(*written);
        let computed: Vec<&str> = text.lines().filter(|line| line.contains(" = ")).map(str::trim).collect();
        assert!(computed.contains(line), "no line {line} in\n{text}");
        assert_eq!(computed.iter().filter(|line| !line.starts_with("gives")).count(), 1, "{text}");
    }
}

/// The numbers of a mask are not stored to be broadcast: they take more memory than the mask.
#[test]
fn a_mask_that_is_broadcast_is_multiplied_with_in_one_pass() {
    let graph = Graph::new();
    let image = graph.input::<f32>("image", dims!["n", 3, "h"]);
    let mask = graph.input::<bool>("mask", dims!["n", 1, "h"]);
    let text = Plan::new([("masked", image * mask.cast(DType::F32))]).unwrap().explain();
    assert!(text.contains("v1 = mul(image, cast(mask, f32))\n"), "{text}");
    assert_eq!((text.matches("region over").count(), kernels(&text)), (1, 0), "{text}");
}

/// What has another reader, or is an output itself, is an instruction of its own.
#[test]
fn what_is_read_twice_is_not_combined() {
    let text = explained(|i| {
        let product = i.x * i.y;
        (product + 1.0) / product
    });
    assert!(text.contains("v1 = mul(x, y)\n  v2 = add(v1, 1.0)\n  v3 = div(v2, v1)\n"), "{text}");
}

#[test]
fn assignments_to_what_a_mask_selects_are_one_plan() {
    check_same(
        "v1 = where_(m, x, y)\n  gives v1: f64[n], output out\n",
        &[
            |i| where_(i.m, i.x, i.y),
            |i| where_(!i.m, i.y, i.x),
            |i| i.y.masked_assign(i.m, i.x),
            |i| i.y.masked_assign(i.m, i.x.boolean_mask(i.m)),
            |i| i.x.boolean_mask(i.m).unmask(i.m, i.y),
            |i| i.y.scatter_set(i.m.flatnonzero(), i.x.boolean_mask(i.m), 0),
            |i| i.y.scatter_nd_set(i.m.argwhere(), i.x.gather_nd(i.m.argwhere())),
        ],
    );
}

#[test]
fn arithmetic_before_and_after_a_selection_is_one_plan() {
    check_same(
        "v1 = add(mul(x, 2.0), 1.0)\n  gives v2 = boolean_mask(v1, m): f64[count(m)], output out",
        &[
            |i| 2.0 * i.x.boolean_mask(i.m) + 1.0,
            |i| (2.0 * i.x + 1.0).boolean_mask(i.m),
            |i| (i.x * 2.0).boolean_mask(i.m) + 1.0,
        ],
    );
    // Also where the mask is computed, before or after what it selects.
    check_same(
        "gives v3 = boolean_mask(v1, v2): f64[count(v2)], output out",
        &[|i| 2.0 * i.x.boolean_mask(i.x.gt(0.5)) + 1.0, |i| (2.0 * i.x + 1.0).boolean_mask(i.x.gt(0.5))],
    );
}

#[test]
fn a_selection_of_a_selection_is_one_plan() {
    check_same(
        "boolean_mask(x, v1): f64[count(v1)], output out",
        &[
            |i| i.x.boolean_mask(i.m & i.b),
            |i| i.x.boolean_mask(i.b & i.m),
            |i| i.x.boolean_mask(i.m).boolean_mask(i.b.boolean_mask(i.m)),
        ],
    );
}

#[test]
fn stages_values_and_bytes_are_reported() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let w = graph.input::<f32>("w", dims![3, 4]);
    let hidden = (i.rows.matmul(w) * 2.0).relu().named("hidden");
    let kept = (i.x * i.y).boolean_mask(i.x.gt(0.0));
    let outputs = [
        ("kept", kept),
        ("also kept", kept),
        ("largest", i.x.masked(i.m).max(..)),
        ("columns", (hidden / hidden.sum(..)).sum(0)),
        ("y", i.y),
    ];
    let plan = Plan::new(outputs).unwrap();
    let text = "\
kernel matmul [n, 3] x [3, 4]
  gives v1 = matmul(rows, w): f32[n, 4]
region over [n]: reads x: f64[n], y: f64[n], m: bool[n]
  v2 = mul(x, y)
  v3 = gt(x, 0.0)
  v4 = where_(m, x, -inf)
  gives v5 = boolean_mask(v2, v3): f64[count(v3)], outputs kept, also kept
  gives v6 = max(v4), where any(m): f64[], output largest
  gives count(v3)
  an element: 17 bytes read, at most 8 written, weight 5
region over [n, 4]: reads v1: f32[n, 4]
  v7 = mul(v1, 2.0)
  hidden = relu(v7)
  gives v8 = sum(hidden): f32[]
  an element: 4 bytes read, 0 written, weight 3
region over [n, 4]: reads v1: f32[n, 4], v8: f32[] repeated
  v7 = mul(v1, 2.0)
  hidden = relu(v7)
  v9 = div(hidden, v8)
  gives v10 = sum(v9, axes=[0]): f32[4], output columns
  an element: 4 bytes read, 0 written, weight 7
  frees v1, v8
output y is y
";
    assert_eq!(plan.explain(), text);
}

#[test]
fn the_gradients_of_a_masked_loss_take_two_passes() {
    let graph = Graph::new();
    let [a, b] = ["a", "b"].map(|name| graph.input::<f32>(name, dims![]));
    let [x, y] = ["x", "y"].map(|name| graph.input::<f32>(name, dims!["n"]));
    let m = graph.input::<bool>("m", dims!["n"]);
    let squares = where_(m, (a * x + b - y).square(), 0.0);
    let loss = squares.sum(..) / m.count_nonzero(..).cast(DType::F32);
    let [da, db, dx] = grad(loss, [a, b, x]);
    let plan = Plan::new([("loss", loss), ("da", da), ("db", db), ("dx", dx)]).unwrap();
    let text = plan.explain();
    // One for the count, by which the gradients are divided; it reads the mask alone.
    assert_eq!(passes(&text, "[n]"), 2, "{text}");
    assert_eq!(text.matches(" 1 bytes read, 0 written").count(), 1, "{text}");
    // 9 bytes are those of x, y and m: nothing of length n is stored but dx.
    assert_eq!(text.matches("9 bytes read, 4 written").count(), 1, "{text}");
    // The count as a number.
    assert_eq!(kernels(&text), 1, "{text}");
}

#[test]
fn integers_are_divided_raised_and_multiplied_in_a_pass() {
    let graph = Graph::new();
    let (i, j) = (graph.input::<i64>("i", dims!["n"]), graph.input::<i64>("j", dims!["n"]));
    let terms = i.floor_div(j).rem_trunc(7).pow(j) % 1000;
    let text = Plan::new([("sum", terms.sum(..)), ("prod", terms.prod(..))]).unwrap().explain();
    assert_eq!((passes(&text, "[n]"), kernels(&text)), (1, 0), "{text}");
    assert!(text.contains(": i64[], output prod\n"), "{text}");
}

#[test]
fn what_a_pass_stores_it_reads_itself() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", 8]);
    let y = x.tanh();
    let text = Plan::new([("y", y), ("sum", y.sum(..)), ("rows", y.sum(1))]).unwrap().explain();
    assert_eq!(passes(&text, "[n, 8]"), 1, "{text}");
    // One for the maxima, one for the exponentials and their sums, one to divide.
    let text = Plan::new([("y", x.softmax(-1))]).unwrap().explain();
    assert_eq!(passes(&text, "[n, 8]"), 3, "{text}");
}

/// Regions of which each row needs the same row of the others run together, and what they hand to one
/// another is not stored.
#[test]
fn what_follows_row_by_row_stays_in_the_cache() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n", 8]);
    let text = Plan::new([("y", x.exp() / x.exp().sum(keep(1)))]).unwrap().explain();
    let expected = "\
rows in cache: the next 3 stages, some rows at a time
region over [n, 8]: reads x: f32[n, 8]
  v1 = exp(x)
  gives v1: f32[n, 8], in cache
  gives v2 = sum(v1, axes=[1]): f32[n], in cache
  an element: 4 bytes read, 4 written, weight 18
kernel reshape [n]
  gives v3 = reshape(v2, [n, 1]): f32[n, 1], in cache
region over [n, 8]: reads v1: f32[n, 8], v3: f32[n, 1] repeated
  v4 = div(v1, v3)
  gives v4: f32[n, 8], output y
  an element: 4 bytes read, 4 written, weight 5
";
    assert_eq!(text, expected);
    let grouped = |text: &str| text.matches("rows in cache").count();
    for y in [x.softmax(1), x.masked(x.gt(0.0)).log_softmax(1), x - x.mean(keep(1))] {
        let text = Plan::new([("y", y)]).unwrap().explain();
        assert_eq!((grouped(&text), text.matches(", output").count()), (1, 1), "{text}");
    }
    // Columns, and sums of all, need every row before they go on with one.
    for y in [x.softmax(0), x / x.sum(..), x.sum(1) + 1.0] {
        let text = Plan::new([("y", y)]).unwrap().explain();
        assert_eq!(grouped(&text), 0, "{text}");
    }
}

#[test]
fn a_sum_and_its_gradients_take_one_pass() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let loss = i.x.boolean_mask(i.m).square().sum(..);
    let text = Plan::new([("loss", loss), ("dx", grad(loss, i.x))]).unwrap().explain();
    assert_eq!((passes(&text, "[n]"), kernels(&text)), (1, 0), "{text}");
}

#[test]
fn what_nobody_reads_any_more_is_freed() {
    let text = explained(|i| (i.x - i.x.mean(..)).square().sum(..));
    let freed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  frees ")).collect();
    assert!(!freed.is_empty(), "{text}");
    assert!(!freed.join(", ").contains('x'), "inputs are not the plan's to free: {text}");
}

#[test]
fn names_of_users_come_before_numbers() {
    let graph = Graph::new();
    let v1 = graph.input::<f64>("v1", dims!["n"]);
    let total = v1.exp().sum(..).named("total");
    let text = Plan::new([("y", v1 / total)]).unwrap().explain();
    assert!(text.contains("v2 = exp(v1)\n  gives total = sum(v2): f64[]\n"), "{text}");
    assert!(text.contains("v3 = div(v1, total)\n  gives v3: f64[n], output y\n"), "{text}");
}

#[test]
fn the_reference_goes_op_by_op() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let plan = Plan::new([("kept", i.x.boolean_mask(i.x.gt(0.0)) * 2.0)]).unwrap().reference();
    let text = "\
op by op, by the reference executor
  v1 = gt(x, 0.0): bool[n]
  v2 = boolean_mask(x, v1): f64[count(v1)]
  v3 = mul(v2, 2.0): f64[count(v1)], output kept
";
    assert_eq!(plan.explain(), text);
}

#[test]
fn what_needs_no_evaluation_is_said() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let plan = Plan::new([("same", i.x), ("five", graph.scalar(5.0)), ("again", i.x)]).unwrap();
    assert_eq!(plan.explain(), "output same, again is x\noutput five is 5.0\n");
    assert_eq!(Plan::new([("x", i.x); 0]).unwrap().explain(), "nothing to evaluate\n");
}

#[test]
fn a_sum_beside_a_stored_count_is_a_sum() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let (ones, y) = (x.gt(0.0).cast(DType::I64), x + 0.5);
    let outputs =
        [("ones", ones), ("y", y), ("sum", y.sum(..)), ("ones again", ones + 0), ("count", ones.sum(..))];
    let out = Plan::new(outputs).unwrap().feed("x", &ndarray::array![1.0, -2.0, 3.0]).run().unwrap();
    assert_eq!(out.scalar::<f64>("sum").unwrap(), 3.5);
    assert_eq!(out.scalar::<i64>("count").unwrap(), 2);
}

/// Where a mask and its complement have been reached by a gradient, every element has been.
#[test]
fn the_gradient_of_a_choice_asks_for_no_complement() {
    let graph = Graph::new();
    let i = Inputs::new(&graph);
    let losses = [
        where_(i.m, i.x.exp(), i.x.square()).sum(..),
        where_(i.x.gt(0.0), i.x.sqrt(), i.x.sin()).sum(..),
        where_(i.m.unsqueeze(1), i.rows.exp(), i.rows.square()).sum(..),
        where_(i.m & i.b, i.x.exp(), where_(i.m & !i.b, i.x.sin(), i.x.cos())).sum(..),
    ];
    let wrt = [i.x, i.x, i.rows, i.x];
    for (loss, x) in losses.into_iter().zip(wrt) {
        let plan = Plan::new([("loss", loss), ("dx", grad(loss, x))]).unwrap();
        assert!(graph.to_string().contains("or("), "{graph}");
        let text = plan.explain();
        assert!(!text.contains("= or("), "{text}");
        assert_eq!(text.matches("region over").count(), 1, "{text}");
    }
}

/// Floats that are written twice are two variables, but a plan computes with one.
#[test]
fn what_is_built_on_equal_floats_is_computed_once() {
    let text = |is_twice: bool, write: for<'g> fn(Expr<'g>, [Expr<'g>; 2]) -> Expr<'g>| {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n", 2]);
        let first = graph.constant([0.5, 1.5]);
        let second = if is_twice { graph.constant([0.5, 1.5]) } else { first };
        Plan::new([("out", write(x, [first, second]))]).unwrap().explain()
    };
    let once = |write: for<'g> fn(Expr<'g>, [Expr<'g>; 2]) -> Expr<'g>| {
        assert_eq!(text(true, write), text(false, write));
        text(true, write)
    };
    let exp = once(|x, [a, b]| (x * a).exp() + (x * b).exp());
    assert_eq!(exp.matches("exp(").count(), 1, "{exp}");
    // Two masks with one meaning, and so with one count: there is no length to compare.
    once(|x, [a, b]| {
        let [m, n] = [a, b].map(|literal| x.gt(literal).all(1));
        x.boolean_mask(m).sort(0) - x.boolean_mask(n).sort(0).exp()
    });
    once(|x, [a, b]| {
        let [m, n] = [a, b].map(|literal| x.gt(literal));
        (x.boolean_mask(m).cumsum(0) + x.boolean_mask(n)).unmask(m, 0.0)
    });
}
