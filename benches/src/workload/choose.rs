//! Choices, whose shape stays: `where(mask, a, b)` and masked assignment.

use ndarray::{Array1, Zip};
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::{Random, floats, threshold};
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

/// W3: one of two functions of each element.
pub(crate) fn branches(bench: &mut Bench, size: usize, density: f32) {
    let x: Array1<f32> = Random::new(3).signed(size);
    let low = threshold(density);
    let case = bench.case("W3", "where(x > t, 2x, x/2 - 1)", size);
    let mut case = case.density(density).bytes(floats(size), floats(size));

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["n"]);
        let y = where_(x_in.gt(low), x_in * 2.0, x_in / 2.0 - 1.0);
        let plan = Plan::new([("y", y)]).expect("a right graph").threads(bench.threads());
        let x = &x;
        move || plan.feed("x", x).run().expect("a right feed")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        let x = &x;
        let choose = move |v: &f32| if *v > low { 2.0 * v } else { 0.5 * v - 1.0 };
        move || if is_parallel { Zip::from(x).par_map_collect(choose) } else { x.map(choose) }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let x = peer::candle::tensor(&x);
        move || x.gt(low)?.where_cond(&(&x * 2.0)?, &x.affine(0.5, -1.0)?)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let x = peer::burn::tensor::<1, _>(&x);
        move || {
            let mask = x.clone().greater_scalar(low);
            (x.clone() / 2.0 - 1.0).mask_where(mask, x.clone() * 2.0)
        }
    });
    bench.run(case);
}
