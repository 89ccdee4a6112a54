//! Selections, whose length only the run tells: `x[x > t]` and the like.

use ndarray::Array1;
use rayon::prelude::*;
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::{Random, floats, threshold};
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

/// W1: the elements above a threshold.
pub(crate) fn above(bench: &mut Bench, size: usize, density: f32) {
    let x: Array1<f32> = Random::new(1).signed(size);
    let low = threshold(density);
    let kept = x.iter().filter(|v| **v > low).count();
    let mut case = bench.case("W1", "x[x > t]", size).density(density).bytes(floats(size), floats(kept));

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["n"]);
        let plan = Plan::new([("kept", x_in.boolean_mask(x_in.gt(low)))]).expect("a right graph");
        let plan = plan.threads(bench.threads());
        let x = &x;
        move || plan.feed("x", x).run().expect("a right feed")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        let x = &x;
        move || -> Array1<f32> {
            if is_parallel {
                let x = x.as_slice().expect("contiguous");
                Array1::from_vec(x.par_iter().copied().filter(|v| *v > low).collect())
            } else {
                x.iter().copied().filter(|v| *v > low).collect()
            }
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let x = peer::candle::tensor(&x);
        move || peer::candle::select(&x, &x.gt(low)?)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let x = peer::burn::tensor::<1, _>(&x);
        move || x.clone().mask_select(x.clone().greater_scalar(low))
    });
    bench.run(case);
}

/// W2: a function of the elements between two thresholds.
pub(crate) fn between(bench: &mut Bench, size: usize, density: f32) {
    let x: Array1<f32> = Random::new(2).signed(size);
    let (low, high) = (-density, density);
    let kept = x.iter().filter(|v| **v > low && **v < high).count();
    let case = bench.case("W2", "(2x + 1)[(x > t) & (x < u)]", size);
    let mut case = case.density(density).bytes(floats(size), floats(kept));

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["n"]);
        let kept = (x_in * 2.0 + 1.0).boolean_mask(x_in.gt(low) & x_in.lt(high));
        let plan = Plan::new([("kept", kept)]).expect("a right graph").threads(bench.threads());
        let x = &x;
        move || plan.feed("x", x).run().expect("a right feed")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        let x = &x;
        let is_between = move |v: &f32| *v > low && *v < high;
        move || -> Array1<f32> {
            if is_parallel {
                let x = x.as_slice().expect("contiguous");
                Array1::from_vec(x.par_iter().copied().filter(is_between).map(|v| 2.0 * v + 1.0).collect())
            } else {
                x.iter().copied().filter(is_between).map(|v| 2.0 * v + 1.0).collect()
            }
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let x = peer::candle::tensor(&x);
        move || {
            let is_between = (x.gt(low)? * x.lt(high)?)?;
            peer::candle::select(&x.affine(2.0, 1.0)?, &is_between)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let x = peer::burn::tensor::<1, _>(&x);
        move || {
            let is_between = x.clone().greater_scalar(low).bool_and(x.clone().lower_scalar(high));
            (x.clone() * 2.0 + 1.0).mask_select(is_between)
        }
    });
    bench.run(case);
}
