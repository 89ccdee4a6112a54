//! Every rule that depends on values, for every dtype: on all bools and bytes
//! and pairs of them, and at the edges of the wider dtypes.

use ndarray::ArrayD;
use tamis_graph::{DType, Element, Expr, Graph, Scalar, Size, Value, where_};

use super::{bits_of, simple};
use crate::{Error, Outputs, Plan};

const ALL: [DType; 6] = [DType::Bool, DType::U8, DType::I32, DType::I64, DType::F32, DType::F64];
const NUMBERS: [DType; 5] = [DType::U8, DType::I32, DType::I64, DType::F32, DType::F64];
const INTEGERS: [DType; 3] = [DType::U8, DType::I32, DType::I64];
const FLOATS: [DType; 2] = [DType::F32, DType::F64];
const SIGNED: [DType; 4] = [DType::I32, DType::I64, DType::F32, DType::F64];

/// Inputs of one length: `x` and `y` of the dtype in question, and masks.
pub(super) struct Inputs<'g> {
    graph: &'g Graph,
    dtype: DType,
    pub(super) x: Expr<'g>,
    pub(super) y: Expr<'g>,
    pub(super) a: Expr<'g>,
    pub(super) b: Expr<'g>,
    pub(super) c: Expr<'g>,
}

impl<'g> Inputs<'g> {
    pub(super) fn new(graph: &'g Graph, dtype: DType) -> Inputs<'g> {
        let input = |name, dtype| graph.input_of(name, dtype, vec![Size::from("n")]);
        Inputs {
            graph,
            dtype,
            x: input("x", dtype),
            y: input("y", dtype),
            a: input("a", DType::Bool),
            b: input("b", DType::Bool),
            c: input("c", DType::Bool),
        }
    }

    /// A literal of the dtype; the edges of wide ones saturate.
    pub(super) fn literal(&self, value: f64) -> Expr<'g> {
        self.graph.full_value([0usize; 0], Scalar::F64(value).cast(self.dtype))
    }

    pub(super) fn full(&self, value: bool) -> Expr<'g> {
        self.graph.full(self.x.shape(), value)
    }
}

/// All values of a narrow dtype, the edges of a wide one.
pub(super) fn values(dtype: DType) -> Vec<Scalar> {
    const F32: [f32; 23] = [
        f32::NAN,
        f32::NEG_INFINITY,
        f32::MIN,
        -2.5,
        -2.0,
        -1.5,
        -1.0,
        -0.5,
        -f32::MIN_POSITIVE,
        -1e-45,
        -0.0,
        0.0,
        1e-45,
        f32::MIN_POSITIVE,
        0.5,
        1.0,
        1.000_000_1,
        1.5,
        2.0,
        2.5,
        16_777_217.0,
        f32::MAX,
        f32::INFINITY,
    ];
    const F64: [f64; 7] = [f64::MIN, -5e-324, 5e-324, f64::MIN_POSITIVE, 1e300, f64::MAX, 0.1];
    const I32: [i32; 11] = [i32::MIN, i32::MIN + 1, -256, -2, -1, 0, 1, 2, 255, i32::MAX - 1, i32::MAX];
    const I64: [i64; 5] = [i64::MIN, i64::MIN + 1, 1 << 53, (1 << 53) + 1, i64::MAX];
    match dtype {
        DType::Bool => vec![Scalar::Bool(false), Scalar::Bool(true)],
        DType::U8 => (0..=255).map(Scalar::U8).collect(),
        DType::I32 => I32.map(Scalar::I32).to_vec(),
        DType::I64 => {
            I32.map(|value| Scalar::I64(value.into())).into_iter().chain(I64.map(Scalar::I64)).collect()
        }
        DType::F32 => F32.map(Scalar::F32).to_vec(),
        DType::F64 => {
            F32.map(|value| Scalar::F64(value.into())).into_iter().chain(F64.map(Scalar::F64)).collect()
        }
    }
}

/// What a run is fed: every pair of values, each with every state of three masks.
pub(super) struct Data {
    pub(super) x: Vec<Scalar>,
    pub(super) y: Vec<Scalar>,
    pub(super) masks: [Vec<bool>; 3],
}

pub(super) fn pairs(dtype: DType) -> Data {
    let values = values(dtype);
    // Bytes have each value of x with each state of the masks among their pairs.
    let states = if dtype == DType::U8 { 1 } else { 8 };
    let mut data = Data { x: vec![], y: vec![], masks: [vec![], vec![], vec![]] };
    for x in &values {
        for (number, y) in values.iter().enumerate() {
            for state in number * states..(number + 1) * states {
                data.x.push(*x);
                data.y.push(*y);
                for (bit, mask) in data.masks.iter_mut().enumerate() {
                    mask.push(state >> bit & 1 == 1);
                }
            }
        }
    }
    data
}

fn array<T: Element>(values: impl Iterator<Item = T>) -> Value {
    Value::from(values.collect::<ndarray::Array1<T>>().into_dyn())
}

/// Scalars of one dtype as an array of it.
fn of_scalars(values: &[Scalar], dtype: DType) -> Value {
    macro_rules! unpacked {
        ($variant:ident) => {
            array(values.iter().map(|value| match value {
                Scalar::$variant(value) => *value,
                other => unreachable!("{other:?} among values of {dtype}"),
            }))
        };
    }
    match dtype {
        DType::Bool => unpacked!(Bool),
        DType::U8 => unpacked!(U8),
        DType::I32 => unpacked!(I32),
        DType::I64 => unpacked!(I64),
        DType::F32 => unpacked!(F32),
        DType::F64 => unpacked!(F64),
    }
}

impl Data {
    pub(super) fn run(&self, plan: &Plan, dtype: DType) -> Result<Outputs, Error> {
        let [a, b, c] =
            self.masks.each_ref().map(|mask| ArrayD::from_shape_vec(vec![mask.len()], mask.clone()).unwrap());
        let feed = plan.feed("x", of_scalars(&self.x, dtype)).feed("y", of_scalars(&self.y, dtype));
        feed.feed("a", a).feed("b", b).feed("c", c).run()
    }
}

/// What an expression becomes; the same expression twice where no rule applies.
type Pair<'g> = (Expr<'g>, Expr<'g>);
type Write = for<'g> fn(&Inputs<'g>) -> Pair<'g>;

/// A rule, on the dtypes that it holds for. On all others it must not apply in what it
/// is given, if that can be written at all.
#[track_caller]
fn holds(dtypes: &[DType], write: Write) {
    for dtype in dtypes {
        check(*dtype, write, true);
    }
}

/// What looks like a rule and is none for these dtypes.
#[track_caller]
fn stays(dtypes: &[DType], write: for<'g> fn(&Inputs<'g>) -> Expr<'g>) {
    for dtype in dtypes {
        let graph = Graph::new();
        let expr = write(&Inputs::new(&graph, *dtype));
        graph.check().unwrap();
        let text = graph.describe(simple(expr).id());
        assert_eq!(simple(expr).id(), expr.id(), "{dtype}: {} became {text}", graph.describe(expr.id()));
        runs_alike(expr, *dtype);
    }
}

#[track_caller]
fn check(dtype: DType, write: Write, fires: bool) {
    let graph = Graph::new();
    let (before, after) = write(&Inputs::new(&graph, dtype));
    graph.check().unwrap();
    let found = crate::simplify::simplify(&graph, &[before, after]);
    let text = |expr: Expr<'_>| graph.describe(expr.id());
    assert_eq!(found[0].id(), found[1].id(), "{dtype}: {} became {}", text(before), text(found[0]));
    assert_eq!(simple(after).id(), after.id(), "{dtype}: {} is no simplest form", text(after));
    assert_eq!(before.id() != after.id(), fires, "{dtype}: {} is the same from the start", text(before));
    runs_alike(before, dtype);
}

/// The fused plan of the simplest form has the bits of the reference on what was written.
#[track_caller]
fn runs_alike(expr: Expr<'_>, dtype: DType) {
    let plan = || Plan::new([("out", expr)]).unwrap();
    let data = pairs(dtype);
    let [fused, written] = [plan(), plan().reference()]
        .map(|plan| bits_of(&data.run(&plan, dtype).unwrap(), "out", expr.dtype()));
    assert_eq!(fused.0, written.0, "{dtype}: {expr}");
    for (index, (fused, written)) in fused.1.iter().zip(&written.1).enumerate() {
        let (x, y) = (data.x.get(index), data.y.get(index));
        let text = expr.graph().describe(expr.id());
        assert_eq!(fused, written, "{dtype}: {text} at {index}, perhaps of {x:?}, {y:?}");
    }
}

#[test]
fn neutral_elements() {
    holds(&INTEGERS, |i| (i.x + 0, i.x));
    holds(&FLOATS, |i| (i.x + -0.0, i.x));
    holds(&NUMBERS, |i| (i.x - 0, i.x));
    holds(&NUMBERS, |i| (i.x * 1, i.x));
    holds(&FLOATS, |i| (i.x / 1.0, i.x));
    holds(&INTEGERS, |i| (i.x * 0, i.literal(0.0).broadcast_to(i.x.shape())));
    stays(&FLOATS, |i| i.x + 0.0);
    stays(&FLOATS, |i| i.x - -0.0);
    stays(&FLOATS, |i| i.x * 0.0);
    stays(&NUMBERS, |i| i.x - i.x);
}

#[test]
fn powers_of_two() {
    holds(&FLOATS, |i| (i.x / 2.0, i.x * 0.5));
    holds(&FLOATS, |i| (i.x / -0.125, i.x * -8.0));
    holds(&FLOATS, |i| (i.x / 2_f64.powi(126), i.x * 2_f64.powi(-126)));
    holds(&FLOATS, |i| (i.x / 2_f64.powi(-126), i.x * 2_f64.powi(126)));
    stays(&FLOATS, |i| i.x / 3.0);
    // Integers are neither shifted nor scaled: a product by 8 wraps in its own way.
    stays(&INTEGERS, |i| i.x * 8);
    stays(&INTEGERS, |i| i.x.floor_div(8));
    stays(&INTEGERS, |i| (i.x * 2).floor_div(2));
    stays(&INTEGERS, |i| i.x.floor_div(2) * 2);
    stays(&INTEGERS, |i| i.x % 8);
}

#[test]
fn functions_applied_twice() {
    holds(&NUMBERS, |i| (-(-i.x), i.x));
    holds(&SIGNED, |i| ((-i.x).abs(), i.x.abs()));
    // −5 is 251.
    stays(&[DType::U8], |i| (-i.x).abs());
    holds(&NUMBERS, |i| (i.x.abs().abs(), i.x.abs()));
    holds(&NUMBERS, |i| (i.x.sign().sign(), i.x.sign()));
    holds(&NUMBERS, |i| (i.x.relu().relu(), i.x.relu()));
    holds(&FLOATS, |i| (i.x.floor().floor(), i.x.floor()));
    holds(&FLOATS, |i| (i.x.ceil().ceil(), i.x.ceil()));
    holds(&FLOATS, |i| (i.x.round().round(), i.x.round()));
    holds(&FLOATS, |i| (i.x.trunc().trunc(), i.x.trunc()));
    holds(&NUMBERS, |i| (i.x.stop_gradient() + i.y, i.x + i.y));
    holds(&NUMBERS, |i| (i.x.minimum(i.x * 1), i.x));
    holds(&NUMBERS, |i| (i.x.maximum(i.x * 1), i.x));
    stays(&NUMBERS, |i| i.x.square().abs());
    stays(&NUMBERS, |i| (-i.x).sign());
    stays(&NUMBERS, |i| (-i.x).square());
    stays(&NUMBERS, |i| i.x.abs().relu());
}

#[test]
fn functions_of_integers() {
    for dtype in INTEGERS {
        check(dtype, |i| (i.x.floor(), i.x), false);
        check(dtype, |i| (i.x.ceil(), i.x), false);
        check(dtype, |i| (i.x.round(), i.x), false);
        check(dtype, |i| (i.x.trunc(), i.x), false);
    }
}

/// `x` through `through` to `to`, of which the rule may leave `through` out or not.
#[test]
fn casts_of_casts() {
    let exact = |from: DType, through: DType, to: DType| match (from, through) {
        (DType::Bool, _) => true,
        (DType::U8, through) => through != DType::Bool,
        (DType::I32, DType::F64) => to != DType::U8,
        (DType::I32, DType::I64) | (DType::F32, DType::F64) => true,
        (DType::I32 | DType::I64 | DType::F32 | DType::F64, _) => false,
    };
    for from in ALL {
        for through in ALL.into_iter().filter(|through| *through != from) {
            for to in ALL.into_iter().filter(|to| *to != through) {
                let graph = Graph::new();
                let i = Inputs::new(&graph, from);
                let cast = i.x.cast(through).cast(to);
                let expected = if exact(from, through, to) { i.x.cast(to) } else { cast };
                assert_eq!(simple(cast).id(), expected.id(), "{from} to {through} to {to}");
                runs_alike(cast, from);
            }
        }
    }
}

#[test]
fn literals_last() {
    holds(&NUMBERS, |i| (3 + i.x, i.x + 3));
    holds(&NUMBERS, |i| (3 * i.x, i.x * 3));
    holds(&NUMBERS, |i| (i.literal(3.0).lt(i.x), i.x.gt(i.literal(3.0))));
    holds(&NUMBERS, |i| (i.literal(3.0).le(i.x), i.x.ge(i.literal(3.0))));
    holds(&NUMBERS, |i| (i.literal(3.0).gt(i.x), i.x.lt(i.literal(3.0))));
    holds(&NUMBERS, |i| (i.literal(3.0).ge(i.x), i.x.le(i.literal(3.0))));
    holds(&NUMBERS, |i| (i.literal(3.0).eq(i.x), i.x.eq(i.literal(3.0))));
    holds(&NUMBERS, |i| (i.literal(3.0).ne(i.x), i.x.ne(i.literal(3.0))));
    stays(&FLOATS, |i| i.literal(f64::NAN) + i.x);
    stays(&NUMBERS, |i| 3 - i.x);
    stays(&NUMBERS, |i| i.y + i.x);
}

/// An elementwise op on literals gives what a run gives on fed elements.
#[test]
fn literals_are_computed() {
    type Function = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;
    const FUNCTIONS: [Function; 17] = [
        |x, y| x + y,
        |x, y| x - y,
        |x, y| x * y,
        |x, y| x.minimum(y),
        |x, y| x.maximum(y),
        |x, _| -x,
        |x, _| x.abs(),
        |x, _| x.sign(),
        |x, _| x.relu(),
        |x, _| x.square(),
        |x, y| x.gt(y),
        |x, y| x.eq(y),
        |x, y| where_(x.lt(y), x, y),
        |x, _| x.cast(DType::U8),
        |x, _| x.cast(DType::I32),
        |x, _| x.cast(DType::F32),
        |x, _| x.cast(DType::Bool),
    ];
    for dtype in NUMBERS {
        let values = values(dtype);
        let some: Vec<Scalar> = values.iter().copied().step_by(values.len().div_ceil(12)).collect();
        let graph = Graph::new();
        let i = Inputs::new(&graph, dtype);
        let fed: Vec<Expr<'_>> = FUNCTIONS.iter().map(|function| function(i.x, i.y)).collect();
        let fed = Plan::new(fed.into_iter().enumerate().map(|(row, expr)| (format!("{row}"), expr))).unwrap();
        for x in &some {
            for y in &some {
                let data = Data { x: vec![*x], y: vec![*y], masks: [vec![true], vec![true], vec![true]] };
                let fed = data.run(&fed, dtype).unwrap();
                for (row, function) in FUNCTIONS.iter().enumerate() {
                    let [x, y] = [x, y].map(|value| graph.full_value([1], *value));
                    let expr = function(x, y);
                    let known = Plan::new([("out", expr)]).unwrap().bind().run().unwrap();
                    let fed = bits_of(&fed, &row.to_string(), expr.dtype());
                    assert_eq!(
                        bits_of(&known, "out", expr.dtype()),
                        fed,
                        "{dtype}: function {row} of {x}, {y}"
                    );
                }
            }
        }
    }
}

#[test]
fn choices() {
    holds(&ALL, |i| (where_(i.full(true), i.x, i.y), i.x));
    holds(&ALL, |i| (where_(i.full(false), i.x, i.y), i.y));
    holds(&NUMBERS, |i| (where_(i.a, i.x * 1, i.x), i.x));
    holds(&ALL, |i| (where_(!i.a, i.x, i.y), where_(i.a, i.y, i.x)));
    holds(&NUMBERS, |i| (where_(i.a, where_(i.a, i.x, i.y), 7), where_(i.a, i.x, 7)));
    holds(&NUMBERS, |i| (where_(i.a, 7, where_(i.a, i.x, i.y)), where_(i.a, 7, i.y)));
    holds(&NUMBERS, |i| (where_(i.a, i.literal(1.0), i.literal(0.0)), i.a.cast(i.dtype)));
    holds(&NUMBERS, |i| (where_(i.a, i.b.cast(i.dtype), i.literal(0.0)), (i.a & i.b).cast(i.dtype)));
    holds(&INTEGERS, |i| (i.x * i.a.cast(i.dtype), where_(i.a, i.x, 0)));
    holds(&INTEGERS, |i| (i.a.cast(i.dtype) * i.x, where_(i.a, i.x, 0)));
    stays(&FLOATS, |i| i.x * i.a.cast(i.dtype));
    stays(&FLOATS, |i| where_(i.a, i.literal(1.0), i.literal(-0.0)));
    for to in ALL {
        for from in NUMBERS.into_iter().filter(|from| *from != to) {
            let graph = Graph::new();
            let i = Inputs::new(&graph, from);
            let cast = where_(i.a, i.x, 7).cast(to);
            assert_ne!(simple(cast).id(), cast.id());
            runs_alike(cast, from);
        }
    }
}

#[test]
fn selections_of_all_dtypes() {
    holds(&ALL, |i| (i.x.boolean_mask(i.a).unmask(i.a, i.y), where_(i.a, i.x, i.y)));
    // A mask that is selected from has a count of its own.
    holds(&NUMBERS, |i| (where_(i.a, i.x, i.y).boolean_mask(i.a), i.x.boolean_mask(i.a)));
    holds(&NUMBERS, |i| (where_(i.a, i.x, i.y).boolean_mask(!i.a), i.y.boolean_mask(!i.a)));
    holds(&ALL, |i| (i.x.gather(i.a.flatnonzero(), 0), i.x.boolean_mask(i.a)));
    holds(&NUMBERS, |i| {
        (i.x.boolean_mask(i.a).boolean_mask(i.b.boolean_mask(i.a)), i.x.boolean_mask(i.a & i.b))
    });
    holds(&ALL, |i| (i.x.masked_scatter(i.a, i.y.boolean_mask(i.a)), where_(i.a, i.y, i.x)));
    holds(&NUMBERS, |i| (i.x.boolean_mask(i.a) * i.y.boolean_mask(i.a), (i.x * i.y).boolean_mask(i.a)));
    holds(&NUMBERS, |i| (-i.x.boolean_mask(i.a), (-i.x).boolean_mask(i.a)));
}

#[test]
fn reductions_of_all_dtypes() {
    const COUNTED: [DType; 3] = [DType::U8, DType::I32, DType::I64];
    holds(&COUNTED, |i| (i.x.boolean_mask(i.a).sum(..), where_(i.a, i.x.cast(DType::I64), 0).sum(..)));
    holds(&COUNTED, |i| (i.x.boolean_mask(i.a).prod(..), where_(i.a, i.x.cast(DType::I64), 1).prod(..)));
    holds(&NUMBERS, |i| (i.x.boolean_mask(i.a).max(..), i.x.masked(i.a).max(..)));
    holds(&NUMBERS, |i| (i.x.boolean_mask(i.a).min(..), i.x.masked(i.a).min(..)));
    holds(&[DType::Bool], |i| (i.x.boolean_mask(i.a).any(..), (i.x & i.a).any(..)));
    holds(&[DType::Bool], |i| (i.x.boolean_mask(i.a).all(..), (i.x | !i.a).all(..)));
    holds(&[DType::Bool], |i| (i.x.sum(..), i.graph.size(i.y.boolean_mask(i.x).dim(0))));
    holds(&[DType::Bool], |i| (i.x.unsqueeze(0).any(1).any(0), i.x.any(..)));
    holds(&COUNTED, |i| (i.x.cast(DType::I64).reshape([1, -1]).sum(1).sum(0), i.x.sum(..)));
    holds(&COUNTED, |i| (i.x.cast(DType::I64).unsqueeze(1).sum(..), i.x.sum(..)));
    holds(&NUMBERS, |i| (i.x.unsqueeze(1).max(..), i.x.max(..)));
    holds(&NUMBERS, |i| (i.x.unsqueeze(0).min(..), i.x.min(..)));
}

#[test]
fn logic_of_bools() {
    holds(&[DType::Bool], |i| (i.graph.apply(tamis_graph::Logic::Or, &[i.y, i.x]), i.x | i.y));
    holds(&[DType::Bool], |i| (i.graph.apply(tamis_graph::Logic::Xor, &[i.y, i.x]), i.x ^ i.y));
    stays(&[DType::Bool], |i| !(i.x ^ i.y));
    stays(&[DType::Bool], |i| (i.a & i.b) | i.c);
    let dtype = DType::Bool;
    check(dtype, |i| (!!i.x, i.x), false);
    check(dtype, |i| (i.x & i.x, i.x), false);
    check(dtype, |i| (i.x | (i.x & i.y), i.x), false);
    check(dtype, |i| (i.x & (i.x | i.y), i.x), false);
    check(dtype, |i| (i.x & true, i.x), false);
    check(dtype, |i| (i.x | false, i.x), false);
    check(dtype, |i| (where_(i.x, i.y, false), i.x & i.y), false);
}
