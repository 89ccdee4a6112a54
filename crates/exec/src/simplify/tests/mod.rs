//! Each rule: what it finds, and that a run gives the same results.

#![allow(clippy::identity_op, clippy::erasing_op, reason = "what has no effect is what is to be found")]

mod canonical;
mod dtypes;
mod errors;
mod logic;
mod mask;
mod plain;
mod random;
mod reduce;

use ndarray::{Array1, Array2};
use tamis_graph::{DType, Dims, Element, Expr, Graph, Scalar, Size};

use super::simplify;
use crate::{Error, Outputs, Plan};

/// The simplest form of an expression.
fn simple(expr: Expr<'_>) -> Expr<'_> {
    simplify(expr.graph(), &[expr])[0]
}

/// Inputs to write expressions of, `n` long.
struct Inputs<'g> {
    graph: &'g Graph,
    x: Expr<'g>,
    y: Expr<'g>,
    /// `[n, 3]`.
    rows: Expr<'g>,
    a: Expr<'g>,
    b: Expr<'g>,
    /// Of i32, as is `j`.
    i: Expr<'g>,
    j: Expr<'g>,
}

impl<'g> Inputs<'g> {
    fn new(graph: &'g Graph) -> Inputs<'g> {
        let n = || Dims::from(vec![Size::from("n")]);
        Inputs {
            graph,
            x: graph.input::<f64>("x", n()),
            y: graph.input::<f64>("y", n()),
            rows: graph.input::<f32>("rows", vec![Size::from("n"), Size::from(3)]),
            a: graph.input::<bool>("a", n()),
            b: graph.input::<bool>("b", n()),
            i: graph.input::<i32>("i", n()),
            j: graph.input::<i32>("j", n()),
        }
    }
}

/// Values and masks to run an expression on.
struct Data {
    x: Vec<f64>,
    y: Vec<f64>,
    a: Vec<bool>,
    b: Vec<bool>,
}

const ODD: [f64; 9] = [f64::NAN, 1.5, -0.0, f64::INFINITY, 0.0, -2.5, f64::NEG_INFINITY, 5e-324, f64::MAX];

fn adversarial() -> Vec<Data> {
    let n = ODD.len();
    let mixed: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
    let other: Vec<bool> = (0..n).map(|i| i % 3 != 1).collect();
    let finite: Vec<f64> = (0..n).map(|i| i as f64 * 0.3 - 1.0).collect();
    let transposed: Vec<f64> = (0..n).map(|i| ODD[(i + 4) % n]).collect();
    let masks = [
        (mixed.clone(), other.clone()),
        (vec![false; n], mixed.clone()),
        (vec![true; n], other.clone()),
        (mixed, vec![false; n]),
        (other, vec![true; n]),
    ];
    let mut data = Vec::new();
    for (a, b) in masks {
        for (x, y) in [
            (ODD.to_vec(), transposed.clone()),
            (finite.clone(), ODD.to_vec()),
            (vec![-0.0; n], vec![0.0; n]),
        ] {
            data.push(Data { x, y, a: a.clone(), b: b.clone() });
        }
    }
    data.push(Data { x: vec![], y: vec![], a: vec![], b: vec![] });
    data
}

impl Data {
    fn run(&self, plan: &Plan) -> Result<Outputs, Error> {
        let n = self.x.len();
        let whole = |values: &[f64]| values.iter().map(|value| *value as i32).collect::<Array1<i32>>();
        let rows =
            Array2::from_shape_fn((n, 3), |(row, column)| self.x[row] as f32 * [1.0, -1.0, 0.5][column]);
        plan.feed("x", Array1::from(self.x.clone()))
            .feed("y", Array1::from(self.y.clone()))
            .feed("rows", rows)
            .feed("a", Array1::from(self.a.clone()))
            .feed("b", Array1::from(self.b.clone()))
            .feed("i", whole(&self.x))
            .feed("j", whole(&self.y))
            .run()
    }
}

/// The shape and the bits of an output, or the error.
fn outcome(result: Result<Outputs, Error>, dtype: DType) -> Result<(Vec<usize>, Vec<u64>), Error> {
    Ok(bits_of(&result?, "out", dtype))
}

/// The shape and the bits of the output `name`; those of any NaN are the same, since they are unspecified.
fn bits_of(out: &Outputs, name: &str, dtype: DType) -> (Vec<usize>, Vec<u64>) {
    fn bits<T: Element>(out: &Outputs, name: &str, to_bits: fn(Scalar) -> u64) -> (Vec<usize>, Vec<u64>) {
        let view = out.view::<T>(name).unwrap();
        (view.shape().to_vec(), view.iter().map(|element| to_bits(element.into_scalar())).collect())
    }
    let to_bits = |scalar| match scalar {
        Scalar::Bool(value) => u64::from(value),
        Scalar::U8(value) => u64::from(value),
        Scalar::I32(value) => value as u64,
        Scalar::I64(value) => value as u64,
        Scalar::F32(value) => u64::from(if value.is_nan() { f32::NAN } else { value }.to_bits()),
        Scalar::F64(value) => if value.is_nan() { f64::NAN } else { value }.to_bits(),
    };
    match dtype {
        DType::Bool => bits::<bool>(out, name, to_bits),
        DType::U8 => bits::<u8>(out, name, to_bits),
        DType::I32 => bits::<i32>(out, name, to_bits),
        DType::I64 => bits::<i64>(out, name, to_bits),
        DType::F32 => bits::<f32>(out, name, to_bits),
        DType::F64 => bits::<f64>(out, name, to_bits),
    }
}

/// The simplest form has the same bits, or the same error, in every run. If it was
/// written elsewhere as well, it has that line, but a plan reports the user's.
#[track_caller]
fn check_exact(expr: Expr<'_>) {
    check_runs(expr, |error| (error.reports()[0].op(), error.kind().clone()));
}

/// [`check_exact`] with what `reported` says of the simplest form's own error.
#[track_caller]
fn check_runs<R: PartialEq + std::fmt::Debug>(expr: Expr<'_>, reported: impl Fn(&Error) -> R) {
    let plan = |expr| Plan::new([("out", expr)]).unwrap();
    let (before, after, planned) = (plan(expr).reference(), plan(simple(expr)).reference(), plan(expr));
    for data in adversarial() {
        let [before, after, planned] =
            [&before, &after, &planned].map(|plan| outcome(data.run(plan), expr.dtype()));
        // The machine has its own order of additions; whether and how a run fails is the same.
        assert_eq!(planned.err(), before.as_ref().err().cloned(), "{expr} in a plan");
        let [before, after] = [before, after].map(|outcome| outcome.map_err(|error| reported(&error)));
        assert_eq!(after, before, "{expr} as {}", simple(expr));
    }
}

/// `before` becomes exactly `after`, and runs give the same results.
#[track_caller]
fn check(write: impl for<'g> Fn(&Inputs<'g>) -> (Expr<'g>, Expr<'g>)) {
    let graph = Graph::new();
    let (before, after) = write(&Inputs::new(&graph));
    graph.check().unwrap();
    // Together, since equal literals of floats are one in one pass.
    let found = simplify(&graph, &[before, after]);
    let [text, expected] = [found[0], found[1]].map(|expr| graph.describe(expr.id()));
    assert_eq!(found[0].id(), found[1].id(), "{} became {text}, not {expected}", graph.describe(before.id()));
    assert_eq!(simple(after).id(), after.id(), "{} is no simplest form", graph.describe(after.id()));
    check_exact(before);
}

/// All become one expression, and runs give the same results.
#[track_caller]
fn check_one(write: impl for<'g> Fn(&Inputs<'g>) -> Vec<Expr<'g>>) {
    let graph = Graph::new();
    let idioms = write(&Inputs::new(&graph));
    graph.check().unwrap();
    let found = simplify(&graph, &idioms);
    for (idiom, form) in idioms.iter().zip(&found) {
        let (idiom, text, first) = (idiom.id(), graph.describe(form.id()), graph.describe(found[0].id()));
        assert_eq!(form.id(), found[0].id(), "{} became {text}, not {first}", graph.describe(idiom));
    }
    idioms.into_iter().for_each(check_exact);
}

/// No rule applies.
#[track_caller]
fn check_stays(write: impl for<'g> Fn(&Inputs<'g>) -> Expr<'g>) {
    check(|inputs| {
        let expr = write(inputs);
        (expr, expr)
    });
}
