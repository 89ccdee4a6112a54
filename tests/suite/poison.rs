//! What is not selected does not matter: values and gradients stay the same, bit for
//! bit, whatever the elements hold that a program drops.
//!
//! A program takes a function of a matrix, arranges its rows, selects in some way, and
//! goes on to a scalar. Elements that are not selected are filled with what makes
//! functions and derivatives infinite or NaN.

use ndarray::{Array2, array};
use tamis::prelude::*;
use tamis::{Value, jvp};

use crate::array::{bits, numbers, value};
use crate::random::Random;
use crate::run::{dot, weights};

/// What the elements that are not selected are filled with.
pub(crate) const FILLS: [f64; 5] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0];

/// An expression of another, by way of a mask or weights of the program.
type Step = for<'g> fn(Expr<'g>, Context<'g>) -> Expr<'g>;

/// What steps have at hand besides the tensor that they go on from.
#[derive(Clone, Copy)]
struct Context<'g> {
    /// Which elements or rows are selected.
    mask: Expr<'g>,
    /// `[3, 2]`, to be differentiated by.
    weights: Expr<'g>,
}

/// Functions whose values or derivatives are infinite or NaN at some fill.
const FUNCTIONS: [(&str, Step); 12] = [
    ("sqrt", |x, _| x.sqrt()),
    ("ln", |x, _| x.ln()),
    ("recip", |x, _| x.recip()),
    ("pow 0.3", |x, _| x.pow(0.3)),
    ("pow x", |x, _| x.pow(x)),
    ("exp", |x, _| x.exp()),
    ("tanh", |x, _| x.tanh()),
    ("square", |x, _| x.square()),
    ("x / x", |x, _| x / (x * 2.0)),
    ("1 / ln", |x, _| 1.0 / (x + 1.0).ln()),
    ("ln_1p of -x²", |x, _| (x.square() * -0.05).ln_1p()),
    ("maximum", |x, _| x.sqrt().maximum(x * 0.5)),
];

/// Numbers from 0.4 to 1.9, at which all functions are smooth.
const TAMED: (&str, Step) = ("tamed", |y, _| y.tanh().square() * 1.5 + 0.4);

/// Selections by a mask of the elements of a matrix.
const OF_ELEMENTS: [(&str, Step); 31] = [
    ("where", |y, context| where_(context.mask, y, 0.0)),
    ("where not", |y, context| where_(!context.mask, 0.5, y)),
    ("where twice", |y, context| where_(context.mask, where_(context.mask, y, 2.0).square(), 0.0)),
    ("masked_fill", |y, context| y.masked_fill(!context.mask, 0.25)),
    ("masked_assign of a full array", |y, context| blank(y).masked_assign(context.mask, y)),
    ("masked_assign of a selection", |y, context| {
        blank(y).masked_assign(context.mask, y.boolean_mask(context.mask))
    }),
    ("masked_assign over", |y, context| y.masked_assign(!context.mask, blank(y))),
    ("unmask", |y, context| y.boolean_mask(context.mask).unmask(context.mask, 0.5)),
    ("unmask into", |y, context| blank(y).boolean_mask(!context.mask).unmask(!context.mask, y)),
    ("boolean_mask", |y, context| y.boolean_mask(context.mask)),
    ("masked_select", |y, context| y.masked_select(context.mask)),
    ("gather_nd at argwhere", |y, context| y.gather_nd(context.mask.argwhere())),
    ("gather at nonzero", |y, context| y.flatten().gather(context.mask.flatten().nonzero()[0], 0)),
    ("masked sum", |y, context| y.masked(context.mask).sum(keep(1))),
    ("masked mean", |y, context| y.masked(context.mask).mean(keep(0))),
    ("masked max", |y, context| y.masked(context.mask).max(1)),
    ("masked softmax", |y, context| y.masked(context.mask).softmax(1)),
    ("masked log_softmax", |y, context| where_(context.mask, y.masked(context.mask).log_softmax(0), 0.0)),
    ("masked prod", |y, context| y.masked(context.mask).prod(1)),
    ("masked var", |y, context| y.masked(context.mask).var(keep(1))),
    ("masked std", |y, context| y.masked(context.mask).if_empty(0.5).std(0)),
    ("masked norm", |y, context| y.masked(context.mask).norm(1)),
    ("masked logsumexp", |y, context| y.masked(context.mask).logsumexp(0)),
    ("masked max, initially", |y, context| y.masked(context.mask).initial(0.3).max(1)),
    ("partition", |y, context| y.partition(!context.mask).1),
    ("masked_scatter", |y, context| blank(y).masked_scatter(context.mask, y.boolean_mask(context.mask))),
    ("masked_scatter over", |y, context| y.masked_scatter(!context.mask, blank(y))),
    ("at the masked argmax", |y, context| y.take_along_axis(y.masked(context.mask).argmax(keep(1)), 1)),
    ("masked var_ddof", |y, context| y.masked(context.mask).var_ddof(0.5, keep(1))),
    ("masked std_ddof", |y, context| y.masked(context.mask).std_ddof(0.5, 0)),
    ("masked cross_entropy", |y, context| {
        y.masked(context.mask).cross_entropy(y.graph().constant([0, 2, 1, 1]), 1)
    }),
];

/// How many of them come first that keep the shape.
const IN_PLACE: usize = 9;

/// A function of `x` and a way to keep it where the mask is true, at random.
pub(crate) fn selected_at_random<'g>(x: Expr<'g>, mask: Expr<'g>, random: &mut Random) -> Expr<'g> {
    // Neither the functions nor the selections have weights.
    let context = Context { mask, weights: x };
    let (function, selection) = (random.pick(&FUNCTIONS).1, random.pick(&OF_ELEMENTS[..IN_PLACE]).1);
    selection(function(x, context), context)
}

/// What keeps rows apart, between the function and the selection.
const OF_EACH_ROW: [(&str, Step); 16] = [
    ("as it is", |y, _| y),
    ("matmul", |y, context| y.matmul(context.weights)),
    ("softmax", |y, _| y.softmax(1)),
    ("log_softmax", |y, _| y.log_softmax(-1)),
    ("cumsum", |y, _| y.cumsum(1)),
    ("transposed cumsum", |y, _| y.transpose().cumsum(tamis::along(0).exclusive().reverse()).transpose()),
    ("less its mean", |y, _| y - y.mean(keep(1))),
    ("times its maximum", |y, _| y * y.max(keep(1))),
    ("beside its square", |y, _| y.graph().concat([y.square(), y], 1)),
    ("outer product", |y, _| (y.unsqueeze(2) * y.unsqueeze(1)).reshape(dims![y.dim(0), 9])),
    ("columns twice", |y, _| y.gather(y.graph().constant([2i64, 0, 0, 1]), 1)),
    ("cumprod", |y, _| y.cumprod(1)),
    ("sort", |y, _| y.sort(1)),
    ("top_k", |y, _| y.top_k(2, 1).0),
    ("linear_scan", |y, _| (y * 0.5).linear_scan(y, 1)),
    ("flip", |y, _| y.flip(1)),
];

/// The rows that slices and indices below select too.
const INNER: [bool; 4] = [false, true, true, false];

/// Selections by a mask of the rows of a `[4, k]` matrix.
const OF_ROWS: [(&str, Step); 24] = [
    ("where", |y, context| where_(context.mask.unsqueeze(1), y, 0.5)),
    ("boolean_mask", |y, context| y.boolean_mask(context.mask)),
    ("boolean_mask of columns", |y, context| y.transpose().boolean_mask_axis(context.mask, 1)),
    ("masked_fill", |y, context| y.masked_fill(!context.mask.expand_mask(y), 0.0)),
    ("masked_assign", |y, context| blank(y).masked_assign(context.mask, y.boolean_mask(context.mask))),
    ("unmask", |y, context| y.boolean_mask(context.mask).unmask(context.mask, 0.0)),
    ("masked sum", |y, context| y.masked(context.mask.expand_mask(y)).sum(0)),
    ("masked mean", |y, context| y.masked(context.mask.expand_mask(y)).mean(keep(0))),
    ("masked max", |y, context| y.masked(context.mask.expand_mask(y)).max(0)),
    ("masked softmax", |y, context| y.masked(context.mask.expand_mask(y)).softmax(0)),
    ("slice", |y, _| y.slice([1..3])),
    ("slice backwards", |y, _| y.slice([tamis::Slice::new(Some(2), Some(0), -1)])),
    ("gather", |y, _| y.gather(y.graph().constant([2i64, 1, -2]), 0)),
    ("take_along_axis", |y, _| y.take_along_axis(y.graph().constant([[1i64], [2], [1]]), 0)),
    ("scatter_set over", |y, _| y.scatter_set(y.graph().constant([3i64, 0]), 0.5, 0)),
    ("scatter_set in part", |y, context| {
        let indices = y.graph().constant([3i64, 0, 1, 3]);
        blank(y).scatter_set(indices, y.gather(y.graph().constant([0i64, 1, 2, 1]), 0), 0)
            * context.mask.any(..)
    }),
    ("attention", attention),
    ("compress", |y, context| y.compress(context.mask, 0)),
    ("masked prod", |y, context| y.masked(context.mask.expand_mask(y)).prod(0)),
    ("masked std", |y, context| y.masked(context.mask.expand_mask(y)).std(keep(0))),
    ("masked logsumexp", |y, context| y.masked(context.mask.expand_mask(y)).logsumexp(0)),
    ("split", |y, _| y.split([1, 2, 1], 0)[1]),
    ("cross_entropy of labels not ignored", |y, context| {
        y.cross_entropy(y.graph().constant([-100, 1, 0, 99]).masked(context.mask), 1)
    }),
    ("masked argmin", |y, context| {
        y.take_along_axis(y.masked(context.mask.expand_mask(y)).argmin(keep(0)), 0)
    }),
];

/// What mixes rows, but only with those above.
const OF_ROWS_ABOVE: [(&str, Step); 6] = [
    ("running sum", |y, _| y.cumsum(0)),
    ("running sum of what is above", |y, _| y.cumsum(tamis::along(0).exclusive())),
    ("differences", |y, _| {
        let zero = y.graph().full(dims![1, y.dim(1)], 0.5);
        y.graph().concat([zero, y.slice([1..]) - y.slice([..-1])], 0)
    }),
    ("beside the first", |y, _| y * y.gather(y.graph().constant([0i64, 0, 1, 2]), 0)),
    ("first row below", |y, _| y.scatter_add(y.graph().constant([1i64, 3, 3, 2]), y * 0.5, 0)),
    ("maximum so far", |y, _| y.maximum(y.slice([..1]))),
];

/// What goes on from a selection, be it a vector or a matrix of any lengths.
const ONWARD: [(&str, Step); 21] = [
    ("sum", |s, _| s),
    ("square and mean", |s, _| s.square().mean(..)),
    ("matmul", |s, _| s.unsqueeze(-1).matmul(s.graph().constant([[1.0, -2.0]]))),
    ("matmul with weights", |s, context| {
        s.flatten().unsqueeze(1).broadcast_to(dims![s.flatten().dim(0), 3]).matmul(context.weights)
    }),
    ("product with itself", |s, _| s.flatten().unsqueeze(1).matmul(s.flatten().unsqueeze(0))),
    ("softmax", |s, _| s.softmax(-1)),
    ("cumsum", |s, _| s.cumsum(0).square()),
    ("broadcast", |s, _| s.unsqueeze(0) * s.unsqueeze(1).tanh()),
    ("reshape and permute", |s, _| s.reshape(dims![-1, 1, 1]).permute([2, 0, 1]).sin()),
    ("max", |s, _| s.max(0)),
    ("concat", |s, _| s.graph().concat([s, s.slice([1..]).square()], 0)),
    ("where by itself", |s, _| where_(s.gt(0.6), s.sqrt(), s)),
    ("scatter_add", |s, _| {
        let flat = s.flatten();
        let indices = s.graph().iota(flat.dim(0)) % 2;
        s.graph().full([2], 0.5).scatter_add(indices, flat, 0).square()
    }),
    ("prod", |s, _| s.prod(..)),
    ("cumprod", |s, _| s.cumprod(0)),
    ("linear_scan", |s, _| (s * 0.5).linear_scan(s, tamis::along(0).reverse())),
    ("sort", |s, _| s.sort(0).square()),
    ("norm", |s, _| s.norm(..)),
    ("scatter_mul", |s, _| {
        let flat = s.flatten();
        let indices = s.graph().iota(flat.dim(0)) % 2;
        s.graph().full([2], 0.5).scatter_mul(indices, flat, 0)
    }),
    ("scatter_max", |s, _| {
        let flat = s.flatten();
        let indices = s.graph().iota(flat.dim(0)) % 2;
        s.graph().full([2], 0.5).scatter_max(indices, flat, 0).square()
    }),
    ("segment_sum", |s, _| {
        let flat = s.flatten();
        flat.segment_sum(s.graph().iota(flat.dim(0)) % 2, 3).square()
    }),
];

/// Ones like `y`.
fn blank(y: Expr<'_>) -> Expr<'_> {
    y.graph().full(&y.shape(), 1.0)
}

/// Attention of the selected rows to each other; the others are padding, and
/// nothing is done about their queries before the end.
fn attention<'g>(y: Expr<'g>, context: Context<'g>) -> Expr<'g> {
    let scores = y.matmul(y.transpose());
    let shares = scores.masked(context.mask.unsqueeze(0)).softmax(1);
    let values = where_(context.mask.unsqueeze(1), y, 0.0);
    shares.matmul(values).boolean_mask(context.mask)
}

/// Steps from `x` to a tensor.
struct Program {
    steps: Vec<(&'static str, Step)>,
    /// Which elements of the `[4, 3]` input are selected.
    selected: Array2<bool>,
    mask: Value,
}

impl Program {
    fn text(&self) -> String {
        self.steps.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// What `OUTPUTS` names.
    fn outputs<'g>(&self, graph: &'g Graph) -> [Expr<'g>; 7] {
        let x = graph.input::<f64>("x", [4, 3]);
        let mask = graph.input::<bool>("mask", self.mask.shape());
        let context = Context { mask, weights: graph.input::<f64>("weights", [3, 2]) };
        let y = self.steps.iter().fold(x, |y, (_, step)| step(y, context));
        let wrt = [x, context.weights];
        let [dx, dw] = grad(dot(y, weights(y, 0.0)), wrt);
        let [ddx, ddw] = grad(dot(dx, weights(dx, 1.0)) + dot(dw, weights(dw, 2.0)), wrt);
        let dddx = grad(dot(ddx, weights(ddx, 3.0)), x);
        let direction = graph.input::<f64>("direction", [4, 3]);
        let pushed = jvp(y, wrt, [direction, weights(context.weights, 5.0)]);
        [dx, ddx, dddx, y, dw, ddw, pushed]
    }

    /// What differs from the outputs with harmless values, if anything does.
    fn failure(&self) -> Option<String> {
        self.compare().err().map(|error| format!("{}{error}", self.text()))
    }

    fn compare(&self) -> Result<(), String> {
        let graph = Graph::new();
        let outputs = self.outputs(&graph);
        let plan = Plan::new(OUTPUTS.into_iter().zip(outputs)).map_err(|error| format!(": {error}"))?;
        let run = |fill: f64| -> Result<Vec<Value>, tamis::Error> {
            let mut x = array![[0.5, 2.0, 1.5], [3.0, 0.75, 1.25], [2.5, 0.25, 4.0], [1.75, 3.5, 0.6]];
            let mut direction =
                array![[-1.5, 0.5, 1.0], [0.25, -2.0, 0.75], [1.25, 2.0, -0.5], [3.0, -1.0, 1.75]];
            for context in [&mut x, &mut direction] {
                context.zip_mut_with(&self.selected, |x, selected| *x = if *selected { *x } else { fill });
            }
            let weights = array![[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]];
            let run = plan.feed("x", &x).feed("mask", &self.mask).feed("weights", &weights);
            let out = run.feed("direction", &direction).run()?;
            OUTPUTS.iter().map(|name| out.value(*name)).collect()
        };
        let harmless = run(1.0).map_err(|error| format!(": {error}"))?;
        for (name, found) in OUTPUTS.iter().zip(&harmless) {
            if !numbers(found).iter().all(|x| x.is_finite()) {
                return Err(format!(": {name} is {found:?} with harmless values"));
            }
        }
        for fill in FILLS {
            let found = run(fill).map_err(|error| format!(" with {fill}: {error}"))?;
            for (name, (found, harmless)) in OUTPUTS.iter().zip(found.iter().zip(&harmless)) {
                if bits(found) != bits(harmless) {
                    return Err(format!(" with {fill}: {name} is {found:?}, not {harmless:?}"));
                }
            }
            // The first outputs are derivatives by the input.
            for (name, derivative) in OUTPUTS.iter().zip(&found[..3]) {
                let elements = numbers(derivative).into_iter().zip(&self.selected);
                if elements.into_iter().any(|(slope, selected)| !selected && slope != 0.0) {
                    return Err(format!(" with {fill}: {name} is {derivative:?} outside of the mask"));
                }
            }
        }
        Ok(())
    }
}

/// Gradients of three orders by the input, the value, two orders by the weights, and a
/// tangent, whose direction is filled too where no element is selected.
const OUTPUTS: [&str; 7] = ["dx", "ddx", "dddx", "y", "dw", "ddw", "jvp"];

#[track_caller]
fn assert_nothing_leaks(programs: &[Program]) {
    let failures: Vec<String> = programs.iter().filter_map(Program::failure).collect();
    assert!(failures.is_empty(), "{} of {} leak:\n{}", failures.len(), programs.len(), failures.join("\n"));
}

fn of_elements(steps: Vec<(&'static str, Step)>) -> Program {
    let selected =
        array![[true, false, true], [false, false, true], [true, true, true], [false, true, false]];
    Program { steps, mask: value(&selected), selected }
}

fn of_rows(rows: [bool; 4], steps: Vec<(&'static str, Step)>) -> Program {
    Program { steps, selected: Array2::from_shape_fn((4, 3), |(row, _)| rows[row]), mask: value(rows) }
}

#[test]
fn elements_that_are_not_selected_do_not_matter() {
    let mut programs = Vec::new();
    let mut functions = FUNCTIONS.into_iter().cycle();
    for selection in OF_ELEMENTS {
        for onward in ONWARD {
            // Over the selections, each way onward meets each function.
            for function in functions.by_ref().take(4) {
                programs.push(of_elements(vec![function, selection, onward]));
            }
        }
        functions.next();
    }
    assert_nothing_leaks(&programs);
}

#[test]
fn elements_outside_of_a_triangle_do_not_matter() {
    let triangles: [(bool, (&str, Step)); 2] =
        [(true, ("tril", |y, _| y.tril(-1))), (false, ("triu", |y, _| y.triu(0)))];
    let mut programs = Vec::new();
    for (is_lower, triangle) in triangles {
        let selected = Array2::from_shape_fn((4, 3), |(row, column)| (row > column) == is_lower);
        for function in FUNCTIONS {
            for onward in [ONWARD[1], ONWARD[2], ONWARD[5]] {
                let steps = vec![function, triangle, onward];
                programs.push(Program { steps, mask: value(&selected), selected: selected.clone() });
            }
        }
    }
    assert_nothing_leaks(&programs);
}

#[test]
fn elements_that_are_selected_away_twice_do_not_matter() {
    let mut random = Random::new(1);
    let in_place = &OF_ELEMENTS[..IN_PLACE];
    let programs: Vec<Program> = (0..120)
        .map(|_| {
            let mut steps = vec![*random.pick(&FUNCTIONS), *random.pick(in_place), TAMED];
            steps.extend([*random.pick(&FUNCTIONS), *random.pick(&OF_ELEMENTS), *random.pick(&ONWARD)]);
            of_elements(steps)
        })
        .collect();
    assert_nothing_leaks(&programs);
}

#[test]
fn rows_that_are_not_selected_do_not_matter() {
    let mut programs = Vec::new();
    for each_row in OF_EACH_ROW {
        for selection in OF_ROWS {
            programs.push(of_rows(INNER, vec![FUNCTIONS[0], each_row, selection, ONWARD[0]]));
        }
    }
    let mut random = Random::new(2);
    programs.extend((0..300).map(|_| {
        let mut steps = vec![*random.pick(&FUNCTIONS)];
        steps.extend([*random.pick(&OF_EACH_ROW), *random.pick(&OF_ROWS), *random.pick(&ONWARD)]);
        of_rows(INNER, steps)
    }));
    assert_nothing_leaks(&programs);
}

#[test]
fn rows_below_do_not_matter_to_what_looks_above() {
    let mut random = Random::new(3);
    let mut programs = Vec::new();
    for above in OF_ROWS_ABOVE {
        // The last selections of `OF_ROWS` choose other rows.
        for selection in &OF_ROWS[..10] {
            for _ in 0..3 {
                let steps = vec![*random.pick(&FUNCTIONS), above, *selection, *random.pick(&ONWARD)];
                programs.push(of_rows([true, true, false, false], steps));
            }
        }
    }
    assert_nothing_leaks(&programs);
}
