//! What remains when there is next to nothing to compute.

use std::hint::black_box;

use ndarray::{Array1, Ix1};
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::Random;
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

/// W12: ten operations on eight elements. For tamis feeding and fetching are
/// included, by slots that were found once; a reusable run is fed once.
pub(crate) fn ten_operations(bench: &mut Bench) {
    const SIZE: usize = 8;
    let x: Array1<f32> = Random::new(12).signed(SIZE);
    let graph = Graph::new();
    let plan = bench.plan([("y", ten(graph.input::<f32>("x", dims!["n"])))]);
    let [x_slot, y_slot] = ["x", "y"].map(|name| plan.slot(name).expect("a name of the plan"));
    let mut case = bench.case("W12", "10 operations on 8 elements", SIZE);

    case.add("tamis", || {
        let (x, plan) = (&x, &plan);
        move || {
            let out = plan.feed(x_slot, x).run().expect("a right feed");
            black_box(out.view::<f32>(y_slot).expect("a name of the plan").as_slice());
            out
        }
    });
    case.add("tamis reusable", || {
        let mut run = plan.feed(x_slot, &x).reusable().expect("a right feed");
        move || run.run().expect("a right feed").array::<f32, Ix1>(y_slot)
    });
    case.add("ndarray", || {
        let x = &x;
        move || {
            let h = x * 2.0 + 1.0;
            let chosen = h.mapv(|v| if v > 0.5 { v } else { -v });
            ((chosen.pow2() * x - 0.5) + x).abs()
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let x = peer::candle::tensor(&x);
        move || -> candle_core::Result<_> {
            let h = ((&x * 2.0)? + 1.0)?;
            let chosen = h.gt(0.5_f32)?.where_cond(&h, &h.neg()?)?;
            ((((chosen.sqr()? * &x)? - 0.5)?) + &x)?.abs()
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let x = peer::burn::tensor::<1, _>(&x);
        move || {
            let h = x.clone() * 2.0 + 1.0;
            let chosen = (-h.clone()).mask_where(h.clone().greater_scalar(0.5), h);
            (chosen.square() * x.clone() - 0.5 + x.clone()).abs()
        }
    });
    bench.run(case);
}

fn ten<'g>(x: Expr<'g>) -> Expr<'g> {
    let h = x * 2.0_f32 + 1.0_f32;
    let chosen = where_(h.gt(0.5_f32), h, -h);
    (chosen.square() * x - 0.5_f32 + x).abs()
}

/// The first call: a graph of 30 operations is built, planned and run, with a
/// plan and without. No other contender has a comparable first call.
pub(crate) fn first_call(bench: &mut Bench) {
    let x: Array1<f32> = Random::new(30).signed(8);
    let threads = bench.threads();
    let plan_of =
        move |graph: &Graph| Plan::new([("y", thirty(graph))]).expect("a right graph").threads(threads);
    let x = &x;
    let run = move |plan: &Plan| plan.feed("x", x).run().expect("a right feed");

    let mut case = bench.case("first", "build and plan 30 operations (of 8 elements)", 8);
    case.add("tamis", || {
        move || {
            black_box(plan_of(&Graph::new()));
            0.0
        }
    });
    case.add("build alone", || {
        move || {
            let graph = Graph::new();
            let _ = black_box(thirty(&graph));
            0.0
        }
    });
    bench.run(case);

    let mut case = bench.case("first", "build, plan and run 30 operations", 8);
    case.add("tamis", || move || run(&plan_of(&Graph::new())));
    bench.run(case);
}

/// Three rounds of ten operations.
fn thirty<'g>(graph: &'g Graph) -> Expr<'g> {
    (0..3).fold(graph.input::<f32>("x", dims!["n"]), |x, _| ten(x))
}
