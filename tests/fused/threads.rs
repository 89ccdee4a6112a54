//! Sums whose last bits depend on the order of additions.

use ndarray::Array2;
use tamis::prelude::*;

use crate::random::Random;

/// Numbers of very different sizes, no two alike.
fn rough(rows: usize, columns: usize, random: &mut Random) -> Array2<f64> {
    Array2::from_shape_simple_fn((rows, columns), || {
        let fraction = random.below(1 << 40) as f64 / (1_u64 << 40) as f64 - 0.5;
        fraction * f64::exp2(random.below(60) as f64 - 30.0)
    })
}

/// The bits of all outputs.
fn bits(plan: &Plan, x: &Array2<f64>) -> Vec<u64> {
    let out = plan.feed("x", x).feed("y", x.mapv(|x| x as f32)).run().expect("the plan is right");
    let mut bits: Vec<u64> = Vec::new();
    for name in ["all", "kept"] {
        bits.extend(out.view::<f64>(name).expect("f64").iter().map(|x| x.to_bits()));
    }
    for name in ["rows", "columns", "mean", "first"] {
        bits.extend(out.view::<f32>(name).expect("f32").iter().map(|x| u64::from(x.to_bits())));
    }
    bits
}

#[test]
fn chunks_are_added_in_their_order_whoever_is_first() {
    let mut random = Random::new(7);
    for (rows, columns) in [(1, 600_001), (600_001, 1), (3, 200_003), (200_003, 3), (300, 2_000)] {
        let x = rough(rows, columns, &mut random);
        let graph = Graph::new();
        let a = graph.input::<f64>("x", dims!["n", "k"]);
        let b = graph.input::<f32>("y", dims!["n", "k"]);
        let mut plan = Plan::new([
            ("all", (a * 1.1).sum(..)),
            ("kept", a.boolean_mask((a * 0.3).sin().gt(0.1))),
            ("rows", (b * 1.1).sum(1)),
            ("columns", (b * b).sum(0)),
            ("mean", b.exp_m1().masked(b.lt(1.0)).mean(..)),
            ("first", b.boolean_mask(b.gt(0.0)).sort(0).sum(keep(0))),
        ])
        .expect("the plan is right")
        .threads(1);
        let expected = bits(&plan, &x);
        for threads in [2, 3, 8] {
            plan = plan.threads(threads);
            for _ in 0..4 {
                assert!(bits(&plan, &x) == expected, "[{rows}, {columns}] on {threads} threads");
            }
        }
    }
}
