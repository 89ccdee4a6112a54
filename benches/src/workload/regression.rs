//! A regression of a few parameters, as it is written for data with gaps and outliers.

use ndarray::{Array1, Array2, Ix1, Zip};
use tamis::grad;
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::Random;

const ROWS: usize = 2284;
const PARAMETERS: usize = 4;
const DELTA: f64 = 0.5;
const RATE: f64 = 0.1;

/// Rows of a table, of which some have no measurement: there it is NaN.
struct Table {
    x: Array2<f64>,
    y: Array1<f64>,
    valid: Array1<bool>,
}

impl Table {
    fn new() -> Table {
        let mut random = Random::new(18);
        let (x, y) = (random.signed([ROWS, PARAMETERS]), random.signed(ROWS));
        let valid = random.mask(ROWS, 0.97);
        let gaps = Zip::from(&y).and(&valid);
        let y = gaps.map_collect(|y, valid| if *valid { f64::from(*y) } else { f64::NAN });
        Table { x: x.mapv(f64::from), y, valid }
    }
}

/// W18: the gradient of the mean Huber loss of the measured rows, and the parameters that it
/// updates. What is compared are several steps in a row.
pub(crate) fn huber_step(bench: &mut Bench) {
    let table = Table::new();
    let case = bench.case("W18", "masked Huber step, f64 (2284,4)", ROWS * PARAMETERS);
    let mut case = case.checked_runs(4);

    case.add("tamis", || {
        let plan = plan(bench);
        let mut w = Array1::<f64>::zeros(PARAMETERS);
        let Table { x, y, valid } = &table;
        move || {
            let run = plan.feed("x", x).feed("y", y).feed("valid", valid);
            let out = run.update("w", w.view_mut()).run().expect("right feeds");
            (out.array::<f64, Ix1>("gradient").expect("an output of the plan"), w.clone())
        }
    });
    case.add("ndarray", || {
        let table = &table;
        let mut w = Array1::<f64>::zeros(PARAMETERS);
        move || (by_hand(table, &mut w), w.clone())
    });
    bench.run(case);
}

fn plan(bench: &Bench) -> Plan {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", PARAMETERS]);
    let y = graph.input::<f64>("y", dims!["n"]);
    let valid = graph.input::<bool>("valid", dims!["n"]);
    let w = graph.input::<f64>("w", dims![PARAMETERS]);
    let residual = x.matmul(w) - y;
    let size = residual.abs();
    let huber = where_(size.le(DELTA), 0.5 * residual.square(), DELTA * (size - 0.5 * DELTA));
    let gradient = grad(huber.masked(valid).mean(..), w);
    bench.plan([("gradient", gradient), ("w", w - gradient * RATE)])
}

/// What a user without autodiff writes.
fn by_hand(Table { x, y, valid }: &Table, w: &mut Array1<f64>) -> Array1<f64> {
    let count = valid.iter().filter(|valid| **valid).count() as f64;
    let mut slope = x.dot(w);
    Zip::from(&mut slope).and(y).and(valid).for_each(|slope, y, valid| {
        *slope = if *valid { (*slope - y).clamp(-DELTA, DELTA) / count } else { 0.0 };
    });
    let gradient = x.t().dot(&slope);
    w.scaled_add(-RATE, &gradient);
    gradient
}
