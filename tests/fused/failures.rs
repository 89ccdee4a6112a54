//! A plan that fails reports what the reference reports: the first op of the user's
//! that fails, its line, lengths and values, whatever was fused.

use ndarray::Array1;
use tamis::prelude::*;

use crate::random::Random;

/// What a program is fed. Each kind of value makes some ops fail.
#[derive(Debug, Clone)]
struct Data {
    x: Array1<f64>,
    /// As long as `x`, or not.
    y: Array1<f64>,
    /// Indices, some perhaps out of range.
    indices: Array1<i64>,
    /// Divisors, some perhaps 0.
    divisors: Array1<i64>,
    mask: Array1<bool>,
}

impl Data {
    fn new(random: &mut Random, len: usize, is_good: bool) -> Data {
        let mut odd = |share: usize| !is_good && random.below(share) == 0;
        let (longer, bad_index, zero, nothing) = (odd(3), odd(3), odd(3), odd(3));
        let mut indices: Vec<i64> = (0..len).map(|i| (i * 7 % len) as i64 - (i % 2 * len) as i64).collect();
        let mut divisors: Vec<i64> = (0..len).map(|i| i as i64 % 5 - 7).collect();
        if bad_index {
            indices[random.below(len)] = len as i64;
        }
        if zero {
            divisors[random.below(len)] = 0;
        }
        Data {
            x: (0..len).map(|i| (i as f64 * 0.7).sin()).collect(),
            y: (0..len + usize::from(longer)).map(|i| i as f64 * 0.1).collect(),
            indices: indices.into(),
            divisors: divisors.into(),
            mask: (0..len).map(|i| !nothing && i % 3 == 0).collect(),
        }
    }
}

/// A program: floats and integers of one length, to which steps are applied.
struct Program<'g> {
    floats: Vec<Expr<'g>>,
    whole: Vec<Expr<'g>>,
    masks: Vec<Expr<'g>>,
    y: Expr<'g>,
    indices: Expr<'g>,
    divisors: Expr<'g>,
}

impl<'g> Program<'g> {
    fn new(graph: &'g Graph) -> Program<'g> {
        let mask = graph.input::<bool>("mask", dims!["n"]);
        let [indices, divisors] = ["indices", "divisors"].map(|name| graph.input::<i64>(name, dims!["n"]));
        Program {
            floats: vec![graph.input::<f64>("x", dims!["n"])],
            whole: vec![divisors],
            masks: vec![mask],
            y: graph.input::<f64>("y", dims!["k"]),
            indices,
            divisors,
        }
    }

    fn step(&mut self, random: &mut Random) {
        let x = *random.pick(&self.floats);
        let i = *random.pick(&self.whole);
        let mask = *random.pick(&self.masks);
        match random.below(16) {
            0 => self.floats.push((x * 2.0).tanh() - x),
            1 => self.floats.push(where_(mask, x, x.exp())),
            2 => self.floats.push(x + self.y),
            3 => self.floats.push(x.gather(self.indices, 0)),
            4 => self.floats.push(x.scatter_max(self.indices, x + 0.5, 0)),
            5 => self.whole.push(i.floor_div(self.divisors)),
            6 => self.whole.push(i % (self.divisors + self.divisors)),
            7 => self.whole.push(x.cast(tamis::DType::I64) + i),
            8 => self.masks.push(x.gt(0.25) & mask),
            9 => self.floats.push(x + x.masked(mask).max(..)),
            10 => self.floats.push(x - (x * 0.5).boolean_mask(mask).min(..)),
            11 => self.floats.push(x.assert_that(x.lt(1.5), "x is small")),
            12 => self.floats.push(x.boolean_mask(mask).unmask(mask, x.square())),
            13 => self.floats.push(x.sort(0) + x.cumsum(0)),
            14 => self.floats.push(x + x.boolean_mask(mask).square().cumsum(0).max(..)),
            _ => self.whole.push(i + i.boolean_mask(mask).argmax(0)),
        }
    }
}

fn run(plan: &Plan, data: &Data) -> Result<(), String> {
    let run = plan.feed("x", &data.x).feed("y", &data.y).feed("indices", &data.indices);
    let run = run.feed("divisors", &data.divisors).feed("mask", &data.mask);
    run.run().map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_plan_fails_as_what_was_written_does() {
    let mut failed = 0;
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let graph = Graph::new();
        let mut program = Program::new(&graph);
        (0..4 + random.below(12)).for_each(|_| program.step(&mut random));
        let mut exprs = [program.floats, program.whole, program.masks].concat();
        // Whatever is left out is not evaluated, and does not fail.
        while exprs.len() > 1 && random.below(3) > 0 {
            exprs.swap_remove(random.below(exprs.len())).id();
        }
        let sums = exprs.iter().map(|expr| if random.coin() { expr.max(..) } else { *expr });
        let exprs: Vec<Expr<'_>> = sums.collect();
        let plan = || Plan::new(exprs.iter().enumerate().map(|(i, expr)| (i.to_string(), *expr))).unwrap();
        let (reference, mut plan) = (plan().reference(), plan());
        for attempt in 0..4 {
            let len = *random.pick(&[1, 2, 65, 1030]);
            let data = Data::new(&mut random, len, attempt == 3);
            let expected = run(&reference, &data);
            failed += usize::from(expected.is_err());
            for threads in [1, 2] {
                plan = plan.threads(threads);
                assert_eq!(
                    run(&plan, &data),
                    expected,
                    "seed {seed} on {threads} threads: {}",
                    plan.explain()
                );
            }
        }
    }
    assert!(failed > 400, "only {failed} runs fail");
}
