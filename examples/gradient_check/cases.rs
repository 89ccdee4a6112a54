//! What is checked: every differentiable op at ordinary points, then selections whose
//! unselected elements are singular. A case is a name, its inputs, and a function of
//! them.

use std::array::from_fn;
use std::error::Error;

use ndarray::{ArrayD, Axis, IxDyn, array};
use tamis::prelude::*;
use tamis::{DType, Slice, along};

use crate::{co2, files, images, picture};

/// Inputs, and a function of them whose gradient is to be checked.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) inputs: Vec<ArrayD<f64>>,
    pub(crate) build: Build,
}

pub(crate) type Build = Box<dyn for<'g> Fn(&[Expr<'g>]) -> Expr<'g>>;

/// A case of `N` inputs, which the function takes as an array.
fn case<const N: usize>(
    name: &str,
    inputs: [ArrayD<f64>; N],
    build: for<'g> fn([Expr<'g>; N]) -> Expr<'g>,
) -> Case {
    let build = boxed(move |inputs| build(from_fn(|i| inputs[i])));
    Case { name: name.to_owned(), inputs: inputs.into(), build }
}

/// Numbers between −1.5 and 1.5 without ties, none near a kink.
fn values(shape: &[usize]) -> ArrayD<f64> {
    waves(shape, 2.3)
}

/// Other numbers, between 0.3 and 3.3.
fn positive(shape: &[usize]) -> ArrayD<f64> {
    waves(shape, 1.7) + 1.8
}

fn waves(shape: &[usize], frequency: f64) -> ArrayD<f64> {
    let mut angle = 0.0;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        angle += frequency;
        1.5 * f64::sin(angle)
    })
}

/// Cases that belong together.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) cases: Vec<Case>,
}

/// Everything that is checked.
pub(crate) fn groups() -> Result<Vec<Group>, Box<dyn Error>> {
    let group = |title, cases| Group { title, cases };
    Ok(vec![
        group("functions of one operand", unary()),
        group("functions of two operands, broadcast", binary()),
        group("choice and selection by a mask", masks()),
        group("masked assignment", assignment()),
        group("gather and scatter, with indices given twice", indices()),
        group("reductions and scans", reductions()),
        group("layout", layout()),
        group("products", products()),
        group("at kinks, which have no derivative", kinks()),
        group("singular where nothing is selected, elements mixed later", singular()),
        group("NaN where nothing is selected", missing()),
        group("real data", real_data()?),
    ])
}

fn unary() -> Vec<Case> {
    vec![
        case("neg", [values(&[5])], |[x]| -x),
        case("abs", [values(&[5])], |[x]| x.abs()),
        case("sign", [values(&[5])], |[x]| x.sign() * x),
        case("exp", [values(&[5])], |[x]| x.exp()),
        case("exp_m1", [values(&[5])], |[x]| x.exp_m1()),
        case("ln", [positive(&[5])], |[x]| x.ln()),
        case("ln_1p", [positive(&[5])], |[x]| x.ln_1p()),
        case("sqrt", [positive(&[5])], |[x]| x.sqrt()),
        case("recip", [positive(&[5])], |[x]| x.recip()),
        case("sin", [values(&[5])], |[x]| x.sin()),
        case("cos", [values(&[5])], |[x]| x.cos()),
        case("tanh", [values(&[5])], |[x]| x.tanh()),
        case("sigmoid", [values(&[5])], |[x]| x.sigmoid()),
        case("relu", [values(&[5])], |[x]| x.relu()),
        case("square", [values(&[5])], |[x]| x.square()),
        case("floor", [values(&[5])], |[x]| x.floor() * x),
        case("clip", [values(&[5])], |[x]| x.clip(-0.5, 1.0)),
        case("cast", [values(&[5])], |[x]| x.cast(DType::F32).exp().cast(DType::F64)),
    ]
}

fn binary() -> Vec<Case> {
    let pair = || [values(&[2, 3]), positive(&[3])];
    vec![
        case("add", pair(), |[x, y]| (x + y).square()),
        case("sub", pair(), |[x, y]| (x - y).square()),
        case("mul", pair(), |[x, y]| x * y),
        case("div", pair(), |[x, y]| x / y),
        case("pow", [positive(&[2, 3]), values(&[3])], |[x, y]| x.pow(y)),
        case("floor_mod", pair(), |[x, y]| (x % y).square()),
        case("minimum", pair(), |[x, y]| x.minimum(y).square()),
        case("maximum", pair(), |[x, y]| x.maximum(y - 1.8).square()),
        case("where_", pair(), |[x, y]| where_(x.gt(0.0), x * y, y.exp())),
    ]
}

fn masks() -> Vec<Case> {
    vec![
        case("boolean_mask, computed", [values(&[6])], |[x]| x.boolean_mask(x.gt(0.0)).square()),
        case("boolean_mask of rows", [values(&[3, 2])], |[x]| x.boolean_mask(rows(x)).square()),
        case("boolean_mask of axis 1", [values(&[2, 3])], |[x]| x.boolean_mask_axis(rows(x), 1).square()),
        case("masked_select, broadcast", [values(&[2, 3])], |[x]| x.masked_select(rows(x)).square()),
        case("unmask", [values(&[2]), values(&[3])], |[v, fill]| v.unmask(rows(v), fill).square()),
        case("boolean_mask, unmask", [values(&[5])], |[x]| {
            let mask = x.lt(1.0);
            x.boolean_mask(mask).exp().unmask(mask, 0.0) * x
        }),
        case("gather(argwhere)", [values(&[2, 3])], |[x]| x.gather_nd(x.gt(0.0).argwhere()).exp()),
        case("masked_fill", [values(&[2, 3])], |[x]| x.masked_fill(x.gt(1.0), 1.0).square()),
    ]
}

/// The first and the last of three.
fn rows(x: Expr) -> Expr {
    x.graph().constant([true, false, true])
}

fn assignment() -> Vec<Case> {
    vec![
        case("one row for every position", [values(&[3, 2]), positive(&[2])], |[x, row]| {
            x.masked_assign(rows(x), row).square()
        }),
        case("a selection, in order", [values(&[3, 2]), positive(&[3, 2])], |[x, y]| {
            x.masked_assign(rows(x), y.boolean_mask(rows(y)).exp()).square()
        }),
        case("elementwise, x[m] = y[m]", [values(&[3, 2]), positive(&[3, 2])], |[x, y]| {
            x.masked_assign(x.lt(y - 1.8), y).square()
        }),
        case("a column that broadcasts", [values(&[3, 2]), positive(&[3, 1])], |[x, y]| {
            x.masked_assign(x.lt(0.5), y).square()
        }),
    ]
}

fn indices() -> Vec<Case> {
    let updates = || [values(&[3, 2]), positive(&[4, 2])];
    vec![
        case("gather", [values(&[3, 2])], |[x]| x.gather(row_indices(x), 0).square()),
        case("gather_nd", [values(&[3, 2])], |[x]| x.gather_nd(cells(x)).square()),
        case("take_along_axis", [values(&[3, 2])], |[x]| x.take_along_axis(along_rows(x), 0).square()),
        case("scatter_add", updates(), |[x, v]| x.scatter_add(row_indices(x), v, 0).square()),
        case("scatter_set", updates(), |[x, v]| x.scatter_set(row_indices(x), v, 0).square()),
        case("scatter_nd_add", [values(&[3, 2]), positive(&[3])], |[x, v]| {
            x.scatter_nd_add(cells(x), v).square()
        }),
        case("scatter_nd_set", [values(&[3, 2]), positive(&[3])], |[x, v]| {
            x.scatter_nd_set(cells(x), v).square()
        }),
        case("scatter_add_along_axis", [values(&[3, 2]), positive(&[2, 2])], |[x, v]| {
            x.scatter_add_along_axis(along_rows(x), v, 0).square()
        }),
        case("scatter_set_along_axis", [values(&[3, 2]), positive(&[2, 2])], |[x, v]| {
            x.scatter_set_along_axis(along_rows(x), v, 0).square()
        }),
    ]
}

fn row_indices(x: Expr) -> Expr {
    x.graph().constant([2, 0, 2, -1])
}

fn cells(x: Expr) -> Expr {
    x.graph().constant([[2, 0], [0, 1], [2, 0]])
}

fn along_rows(x: Expr) -> Expr {
    x.graph().constant([[1, 2], [1, 0]])
}

fn reductions() -> Vec<Case> {
    let x = || [values(&[3, 4])];
    vec![
        case("sum", x(), |[x]| x.sum(0).square()),
        case("mean", x(), |[x]| (x - x.mean(keep(-1))).square()),
        case("max", x(), |[x]| x.max(1).square()),
        case("min", x(), |[x]| x.min(..).square()),
        case("masked sum", x(), |[x]| x.masked(x.gt(0.0)).sum(1).square()),
        case("masked mean", x(), |[x]| x.masked(rows(x)).mean(0).square()),
        case("masked max", x(), |[x]| x.masked(rows(x)).max(0).square()),
        case("masked min", x(), |[x]| x.masked(rows(x)).min(0).square()),
        case("softmax", x(), |[x]| x.softmax(-1)),
        case("log_softmax", x(), |[x]| x.log_softmax(0)),
        case("masked softmax", x(), |[x]| x.masked(x.lt(1.0)).softmax(-1)),
        case("masked log_softmax", x(), |[x]| x.masked(x.lt(1.0)).log_softmax(-1).boolean_mask(x.lt(1.0))),
        case("cumsum", x(), |[x]| x.cumsum(1).square()),
        case("cumsum, exclusive, reverse", x(), |[x]| x.cumsum(along(0).exclusive().reverse()).square()),
    ]
}

fn layout() -> Vec<Case> {
    let x = || [values(&[2, 3, 2])];
    vec![
        case("reshape", x(), |[x]| x.reshape([3, -1]).square()),
        case("flatten", x(), |[x]| x.flatten().square()),
        case("permute", x(), |[x]| x.permute([2, 0, 1]).square()),
        case("squeeze", [values(&[2, 1])], |[x]| x.squeeze(1).square()),
        case("unsqueeze", x(), |[x]| x.unsqueeze(1).square()),
        case("broadcast_to", [values(&[3, 1])], |[x]| x.broadcast_to([2, 3, 4]).square()),
        case("slice", x(), |[x]| x.slice((0, 1..)).square()),
        case("slice, step -2", x(), |[x]| x.slice((.., Slice::from(..).by(-2))).square()),
        case("concat", [values(&[2, 3]), positive(&[1, 3])], |[x, y]| x.graph().concat([x, y], 0).square()),
        case("stack", [values(&[2, 3]), positive(&[2, 3])], |[x, y]| x.graph().stack([x, y], -1).square()),
    ]
}

fn products() -> Vec<Case> {
    vec![
        case("vector by vector", [values(&[3]), positive(&[3])], |[x, y]| x.matmul(y)),
        case("matrix by vector", [values(&[2, 3]), positive(&[3])], |[x, y]| x.matmul(y)),
        case("matrix by matrix", [values(&[2, 3]), positive(&[3, 2])], |[x, y]| x.matmul(y)),
        case("batch, broadcast", [values(&[2, 1, 2, 3]), positive(&[2, 3, 2])], |[x, y]| x.matmul(y)),
        case("masked attention", [values(&[3, 2]), values(&[4, 2]), positive(&[4, 2])], attention),
    ]
}

/// Three queries attend to four keys, the third of which is padding.
fn attention([query, key, value]: [Expr; 3]) -> Expr {
    let real = query.graph().constant([true, true, false, true]);
    let scores = query.matmul(key.transpose()) / f64::sqrt(2.0);
    scores.masked(real.unsqueeze(0)).softmax(-1).matmul(value.masked_fill(!real, 0.0))
}

fn kinks() -> Vec<Case> {
    let x = || array![-1.0, 0.0, 2.0].into_dyn();
    vec![
        case("relu at 0", [x()], |[x]| x.relu()),
        case("abs at 0", [x()], |[x]| x.abs()),
        case("maximum of equals", [x(), x() + array![0.5, 0.0, 0.5]], |[x, y]| x.maximum(y)),
        case("x[x > 0] at 0", [x()], |[x]| x.boolean_mask(x.gt(0.0)).exp()),
    ]
}

type Function = for<'g> fn(Expr<'g>) -> Expr<'g>;
type Selection = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

/// Functions whose value or slope is infinite or undefined at 0, below 0, at ±inf or at NaN.
const FUNCTIONS: [(&str, Function); 4] =
    [("sqrt", |x| x.sqrt()), ("ln", |x| x.ln()), ("recip", |x| x.recip()), ("pow(0.3)", |x| x.pow(0.3))];

/// Ways to keep the values at which a mask is true.
const SELECTIONS: [(&str, Selection); 4] = [
    ("where_", |y, mask| where_(mask, y, 0.0)),
    ("boolean_mask", |y, mask| y.boolean_mask(mask)),
    ("masked sum", |y, mask| y.masked(mask).sum(..)),
    ("gather", |y, mask| y.gather(mask.argwhere().slice_axis(0, 1), 0)),
];

/// What may follow: each mixes the elements, so that one NaN would reach all.
const CHAINS: [Function; 4] = [
    |y| y.cumsum(0),
    |y| y.softmax(0),
    |y| (y * y.graph().constant([[1.0], [2.0]])).square().flatten(),
    |y| y.unsqueeze(1).matmul(y.unsqueeze(0)).flatten(),
];

/// Every function under every selection, continued by all the chains.
fn singular() -> Vec<Case> {
    let x = array![0.7, 0.0, 2.5, f64::NAN, f64::INFINITY, 1.3, f64::NEG_INFINITY, -1.0].into_dyn();
    let selected = [true, false, true, false, false, true, false, false];
    let mut cases = Vec::new();
    for (selection, select) in SELECTIONS {
        for (function, apply) in FUNCTIONS {
            let build = boxed(move |inputs| {
                let mask = inputs[0].graph().constant(selected);
                let kept = select(apply(inputs[0]), mask).flatten();
                mask.graph().concat(CHAINS.map(|chain| chain(kept)), 0)
            });
            cases.push(Case { name: format!("{selection} of {function}"), inputs: vec![x.clone()], build });
        }
    }
    cases
}

/// Lets the compiler see that the function serves every graph.
fn boxed(build: impl for<'g> Fn(&[Expr<'g>]) -> Expr<'g> + 'static) -> Build {
    Box::new(build)
}

/// Inputs that are NaN wherever a mask selects no element.
fn missing() -> Vec<Case> {
    let x = || array![[0.5, f64::NAN, 1.2], [f64::NAN, f64::NAN, -0.4]].into_dyn();
    let rows = |array: ArrayD<f64>| {
        let mut array = array;
        array.index_axis_mut(Axis(0), 2).fill(f64::NAN);
        array
    };
    vec![
        case("masked sum", [x()], |[x]| x.masked(!x.is_nan()).sum(1).square()),
        case("masked mean", [x()], |[x]| x.masked(!x.is_nan()).mean(0).boolean_mask(x.is_finite().any(0))),
        case("masked max", [x()], |[x]| x.masked(!x.is_nan()).max(1).square()),
        case("masked softmax", [x()], |[x]| x.masked(!x.is_nan()).softmax(1)),
        case("masked_fill", [x()], |[x]| x.masked_fill(x.is_nan(), 0.0).exp()),
        case("masked_assign", [x(), values(&[2, 3])], |[x, y]| x.masked_assign(x.is_nan(), y).exp()),
        case(
            "masked attention",
            [values(&[3, 2]), rows(values(&[4, 2])), rows(positive(&[4, 2]))],
            attention,
        ),
    ]
}

/// The losses of the examples `fit_with_gaps` and `image_masks`.
fn real_data() -> Result<Vec<Case>, Box<dyn Error>> {
    let readings = co2::read(&files::data("co2.csv"))?.into_dyn();
    let weights = array![339.0, 29.0, 6.0, -1.0, 3.0, 0.5, -0.5].into_dyn();
    let pixels = picture::read(&files::data("coins.png"))?;
    let graph = Graph::new();
    let coin = graph.constant(&pixels).slice((10..80, 298..370, 0)).cast(DType::F64).eval::<f64>()?;
    Ok(vec![
        case("CO2, loss that skips 59 weeks", [readings, weights], |[co2, w]| {
            co2::loss(co2::basis(co2::years(co2)).matmul(w), co2)
        }),
        case("coin, variance by masked means", [coin.clone()], |[x]| images::variance_within(x, x.gt(120.5))),
        case("coin, variance by boolean_mask", [coin], |[x]| {
            let [inside, outside] = [x.gt(120.5), x.le(120.5)].map(|side| x.boolean_mask(side));
            (inside - inside.mean(..)).square().mean(..) + (outside - outside.mean(..)).square().mean(..)
        }),
    ])
}
