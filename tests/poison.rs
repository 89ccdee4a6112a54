//! The poison check over the ops: whatever an op makes of a row that is not selected
//! afterwards, NaN, infinities and huge numbers in that row move neither the loss nor a
//! gradient nor a second derivative, by a single bit.

mod functions;

use functions::{Function as Op, functions};
use ndarray::Array1;
use tamis::graph::{self, Domain, Unary, UnaryBuilder};
use tamis::prelude::*;
use tamis::{DType, along, check_poison, descending};

/// Of six rows, these are selected.
const SELECTED: [bool; 6] = [true, false, true, true, false, true];

/// Every function below is smooth and finite there.
const FED: [f64; 6] = [0.7, 0.4, 0.3, 0.9, 0.5, 0.6];

type Idiom = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

/// Ops that keep each element to itself, beside those of one operand.
const ELEMENTWISE: [(&str, Op); 23] = [
    ("add", |x| x + 1.0),
    ("add to itself", |x| x + x),
    ("sub", |x| 1.0 - x),
    ("sub from itself", |x| x - x.square()),
    ("mul", |x| x * 3.0),
    ("mul by 0", |x| x * 0.0),
    ("div", |x| x / 3.0),
    ("div by it", |x| 1.0 / x),
    ("pow", |x| x.pow(0.3)),
    ("pow of it", |x| (x * 0.0 + 2.0).pow(x)),
    ("pow of itself", |x| x.pow(x)),
    ("floor_mod", |x| x % 0.25),
    ("floor_mod by it", |x| (x * 0.0 + 5.0) % x),
    ("floor_div", |x| x.floor_div(0.25) * x),
    ("rem_trunc", |x| x.rem_trunc(0.25)),
    ("atan2", |x| x.atan2(x.square())),
    ("minimum", |x| x.minimum(0.55)),
    ("maximum", |x| x.maximum(x.square())),
    ("clip", |x| x.clip(0.35, 0.8)),
    ("where_", |x| where_(x.gt(0.55), x.sin(), x.cos())),
    ("where_ finite", |x| where_(x.is_finite(), x.exp(), x)),
    ("cast", |x| x.cast(DType::F32).square().cast(DType::F64)),
    ("masked_fill", |x| x.masked_fill(x.is_nan(), 1.0)),
];

/// Ops along another axis than that of the rows, which keep rows independent too.
const ACROSS: [(&str, Op); 24] = [
    ("sum", |x| x.sum(1)),
    ("mean", |x| x.mean(1)),
    ("prod", |x| x.prod(1)),
    ("max", |x| x.max(1)),
    ("min", |x| x.min(1)),
    ("var", |x| x.var(1)),
    ("std", |x| x.std(1)),
    ("norm", |x| x.norm(1)),
    ("logsumexp", |x| x.logsumexp(1)),
    ("softmax", |x| x.softmax(1)),
    ("log_softmax", |x| x.log_softmax(1)),
    ("cumsum", |x| x.cumsum(along(1).exclusive()) * x),
    ("cumprod", |x| x.cumprod(along(1).reverse())),
    ("linear_scan", |x| x.linear_scan(x, 1)),
    ("sort", |x| x.sort(1).cumsum(1)),
    ("sort descending", |x| x.sort(descending(1)).cumprod(1)),
    ("top_k", |x| x.top_k(2, 1).0),
    ("flip", |x| x.flip(1) * x),
    ("pad", |x| x.pad([(0, 0), (1, 0)], 2.0)),
    ("slice", |x| x.slice((.., 1..)) * x.slice((.., ..2))),
    ("reshape", |x| x.reshape([6, 1, 3]).sum(1)),
    ("gather", |x| x.gather(x.graph().constant([2, 0, 0]), 1)),
    ("scatter_add", |x| x.scatter_add(x.graph().constant([2, 0, 0]), x, 1)),
    ("matmul", |x| x.matmul(x.graph().constant([[1.0, -2.0], [0.0, 3.0], [0.5, 0.0]]))),
];

/// Ways to select the rows of `y` where the mask is true.
const IDIOMS: [(&str, Idiom); 17] = [
    ("where_", |y, m| where_(m.expand_mask(y), y, 0.0)),
    ("masked_fill", |y, m| y.masked_fill(!m, 1.0)),
    ("masked_assign", |y, m| (y * 0.0).stop_gradient().masked_fill(!(m & !m), 0.5).masked_assign(m, y)),
    ("boolean_mask", |y, m| y.boolean_mask(m)),
    ("boolean_mask twice", |y, m| y.boolean_mask(m).boolean_mask(m.boolean_mask(m))),
    ("masked_select", |y, m| y.masked_select(m.expand_mask(y))),
    ("unmask", |y, m| y.boolean_mask(m).unmask(m, 2.0)),
    ("partition", |y, m| y.partition(m).0),
    ("gather", |y, m| y.gather(m.flatnonzero(), 0)),
    ("gather_nd", |y, m| y.gather_nd(m.argwhere())),
    ("scatter_nd_set", |y, m| y.scatter_nd_set((!m).argwhere(), 1.0)),
    ("masked sum", |y, m| y.masked(m).sum(keep(0))),
    ("masked mean", |y, m| y.masked(m).mean(keep(0))),
    ("masked prod", |y, m| y.masked(m).prod(keep(0))),
    ("masked max", |y, m| y.masked(m).max(keep(0))),
    ("masked var", |y, m| y.masked(m).var(keep(0))),
    ("masked softmax", |y, m| y.masked(m).softmax(0)),
];

/// Asserts that no poison passes an idiom after an op.
#[track_caller]
fn check(op: (&str, impl for<'g> Fn(Expr<'g>) -> Expr<'g>), idiom: (&str, Idiom), rows: bool) {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [6]);
    let mask = graph.input::<bool>("mask", [6]);
    // Three different numbers in each row.
    let elements = if rows { x.unsqueeze(1) * graph.constant([1.0, 0.5, 0.8]) } else { x };
    let y = idiom.1(op.1(elements), mask);
    // Squared, so that the second derivative of a linear op is not 0.
    let loss = (y.square() + y).sum(..);
    let check = check_poison(loss, [(x, mask)]).second_order();
    let check = check.feed("x", Array1::from(FED.to_vec())).feed("mask", Array1::from(SELECTED.to_vec()));
    let report = check.run().unwrap_or_else(|error| panic!("{} of {}: {error}", idiom.0, op.0));
    assert!(report.passed(), "{} of {}: {report}", idiom.0, op.0);
    assert_eq!((report.rows()[0].poisoned(), report.rows()[0].compared()), (2, 12));
}

/// A function beside its operand: not all have a derivative.
fn beside(function: Op) -> impl for<'g> Fn(Expr<'g>) -> Expr<'g> {
    move |x| function(x) + x
}

#[test]
fn no_idiom_lets_poison_through_any_elementwise_op() {
    for op in functions().chain(ELEMENTWISE) {
        IDIOMS.into_iter().for_each(|idiom| check(op, idiom, false));
    }
    let of_numbers = |op| graph::Op::from(op).domain() != Domain::Float;
    for UnaryBuilder { name, build, .. } in Unary::BUILDERS.iter().filter(|builder| of_numbers(builder.op)) {
        IDIOMS.into_iter().for_each(|idiom| check((*name, beside(*build)), idiom, false));
    }
}

#[test]
fn no_idiom_lets_poison_through_any_op_across_rows() {
    for op in ACROSS {
        IDIOMS.into_iter().for_each(|idiom| check(op, idiom, true));
    }
}

/// Ops that mix rows, after which it is too late to select.
const MIXING: [(&str, Op); 12] = [
    ("nothing", |y| y),
    ("cumsum", |y| y.cumsum(0)),
    ("cumprod", |y| y.cumprod(along(0).reverse())),
    ("linear_scan", |y| y.linear_scan(y, 0)),
    ("sort", |y| y.sort(0).cumsum(0)),
    ("softmax", |y| y.softmax(0)),
    ("max", |y| y.max(keep(0)) * y),
    ("norm", |y| y / y.norm(..)),
    ("outer", |y| y.outer(y).tanh()),
    ("matmul", |y| y.unsqueeze(1).matmul(y.unsqueeze(0)).sin()),
    ("concat", |y| y.graph().concat([y, y.sum(keep(0))], 0)),
    ("flip", |y| y.flip(0) * y),
];

#[test]
fn what_mixes_rows_after_a_selection_finds_no_poison() {
    for (name, mix) in MIXING {
        for (idiom_name, idiom) in IDIOMS {
            let graph = Graph::new();
            let x = graph.input::<f64>("x", [6]);
            let mask = graph.input::<bool>("mask", [6]);
            let y = mix(idiom(x.ln(), mask));
            let check = check_poison((y.square() + y).sum(..), [(x, mask)]).second_order();
            let check = check.feed("x", Array1::from(FED.to_vec()));
            let report = check.feed("mask", Array1::from(SELECTED.to_vec())).run().unwrap();
            assert!(report.passed(), "{name} after {idiom_name} of ln: {report}");
        }
    }
}

#[test]
fn poison_in_one_factor_moves_no_gradient_by_the_other() {
    for (name, loss) in [
        (
            "product",
            (|x, w, m| (x * w).masked(m).sum(..)) as for<'g> fn(Expr<'g>, Expr<'g>, Expr<'g>) -> Expr<'g>,
        ),
        ("quotient", |x, w, m| (x / w).boolean_mask(m).sum(..)),
        ("power", |x, w, m| where_(m, x.pow(w), 0.0).sum(..)),
        ("atan2", |x, w, m| x.atan2(w).masked(m).mean(..)),
        ("matmul", |x, w, m| where_(m, x, 0.0).dot(where_(m, w, 0.0))),
        ("dot", |x, w, m| x.boolean_mask(m).dot(w.boolean_mask(m))),
        ("scale", |x, w, m| {
            where_(m, x * w.sum(..), 0.0).square().sum(..) * 0.0 + where_(m, x, 1.0).ln().sum(..)
        }),
    ] {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [6]);
        let w = graph.input::<f32>("w", [6]);
        let mask = graph.input::<bool>("mask", [6]);
        let fed = Array1::from(FED.to_vec()).mapv(|x| x as f32);
        let selections = if name == "scale" { vec![(x, mask)] } else { vec![(x, mask), (w, mask)] };
        let check = check_poison(loss(x, w, mask), selections).second_order();
        let check = check.feed("x", &fed).feed("w", &fed + 0.5).feed("mask", Array1::from(SELECTED.to_vec()));
        let report = check.run().unwrap();
        assert!(report.passed(), "{name}: {report}");
    }
}

#[test]
fn an_all_false_mask_leaves_nothing_of_anything() {
    for (name, idiom) in IDIOMS {
        let graph = Graph::new();
        let x = graph.constant(FED).named("x");
        let mask = graph.constant([1, 1, 1, 1, 1, 1]).gt(1);
        let min_max = name == "masked max";
        let y = if min_max { x.ln().masked(mask).if_empty(0.0).max(keep(0)) } else { idiom(x.ln(), mask) };
        // The mean and the variance of no elements are NaN, without poison as with it.
        let report = check_poison((y.square() + y).sum(..), [(x, mask)]).second_order().run().unwrap();
        assert!(report.passed(), "{name}: {report}");
        assert_eq!(report.rows()[0].poisoned(), 6);
    }
}

#[test]
fn arithmetic_with_a_mask_is_no_selection_and_is_caught() {
    let leaky: [(&str, Idiom); 3] = [
        ("product", |y, m| y * m.cast(DType::F64)),
        ("blend", |y, m| y * m.cast(DType::F64) + (!m).cast(DType::F64)),
        ("late", |y, m| where_(m, y.cumsum(0), 0.0)),
    ];
    for (name, idiom) in leaky {
        let graph = Graph::new();
        let x = graph.constant(FED).named("x");
        let mask = graph.constant(SELECTED);
        let report = check_poison(idiom(x, mask).square().sum(..), [(x, mask)]).run().unwrap();
        assert!(!report.passed(), "{name}");
        let leak = report.leaks().next().unwrap();
        assert!(leak.poison().is_nan() && leak.result() == Some("the loss"), "{name}: {report}");
    }
}
