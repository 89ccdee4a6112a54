//! Random programs of every op family: what holds of single ops holds of what
//! is made of them.
//!
//! A program grows a list of `[n, k]` tensors and a list of masks, each made of
//! earlier ones. Masks and indices come from the data.

use std::ops::Range;

use ndarray::Array2;
use tamis::prelude::*;
use tamis::{Slice, Value, Verdict, along, hvp, jvp, vjp};

use crate::array::{close, near, numbers, same_bits, value};
use crate::check::has_no_answer;
use crate::poison::{FILLS, selected_at_random};
use crate::random::Random;
use crate::run::{Failure, dot, dots, name, values, values_as_inferred, weights};

/// A program that is being written.
struct Writer<'g> {
    graph: &'g Graph,
    random: Random,
    tensors: Vec<Expr<'g>>,
    /// `[n, k]`.
    masks: Vec<Expr<'g>>,
    text: Vec<&'static str>,
}

/// A tensor made of tensors `a` and `b` and masks `m` and `p`.
type Step = for<'g> fn([Expr<'g>; 2], [Expr<'g>; 2]) -> Expr<'g>;

const STEPS: [(&str, Step); 46] = [
    ("tanh", |[a, _], _| a.tanh()),
    ("sin", |[a, _], _| a.sin()),
    ("sigmoid", |[a, _], _| a.sigmoid()),
    ("ln_1p of the square", |[a, _], _| a.square().ln_1p()),
    ("sqrt of the square", |[a, _], _| (a.square() + 0.1).sqrt()),
    ("quotient", |[a, b], _| a / (b.square() + 1.0)),
    ("abs", |[a, _], _| a.abs()),
    ("relu", |[a, _], _| a.relu() + 0.1),
    ("remainder", |[a, _], _| a % 0.7),
    ("sum", |[a, b], _| a + b),
    ("difference", |[a, b], _| a - 0.5 * b),
    ("product", |[a, b], _| a * b.tanh()),
    ("power", |[a, b], _| (a.square() + 0.2).pow(b.sin())),
    ("maximum", |[a, b], _| a.maximum(b)),
    ("minimum", |[a, b], _| a.minimum(b.square())),
    ("clip", |[a, _], _| a.clip(-0.6, 0.8)),
    ("where", |[a, b], [m, _]| where_(m, a, b)),
    ("where of a root", |[a, b], _| where_(a.gt(0.05), a.sqrt(), b)),
    ("masked_fill", |[a, _], [m, _]| a.masked_fill(m, 0.3)),
    ("masked_assign of a full array", |[a, b], [m, _]| a.masked_assign(m, b.square())),
    ("masked_assign of a selection", |[a, b], [m, _]| a.masked_assign(m, b.boolean_mask(m).sin())),
    ("masked_assign of rows", |[a, b], [m, _]| {
        let rows = m.any(1);
        a.masked_assign(rows, b.boolean_mask(rows).cumsum(0) * 0.5)
    }),
    ("unmask of a running sum", |[a, b], [m, _]| {
        (a.boolean_mask(m) * b.boolean_mask(m)).cumsum(0).unmask(m, b)
    }),
    ("unmask of shares", |[a, b], [m, _]| a.boolean_mask(m).softmax(0).unmask(m, b)),
    ("unmask of columns", |[a, b], [m, _]| {
        let columns = m.all(0);
        a.boolean_mask_axis(columns, 1).exp_m1().unmask_axis(columns, b.sin(), 1)
    }),
    ("selection of a selection", |[a, b], [m, p]| {
        let both = b.boolean_mask(m).boolean_mask(p.boolean_mask(m));
        (a.boolean_mask(m & p) * both).unmask(m & p, 0.2)
    }),
    ("product of selected rows", |[a, b], [m, _]| {
        let rows = m.any(1);
        let kept = a.boolean_mask(rows);
        kept.matmul(b.boolean_mask(rows).transpose()).matmul(kept).tanh().unmask(rows, 0.1)
    }),
    ("attention", |[a, b], [m, _]| {
        let keys = m.any(1);
        let shares = a.matmul(b.transpose()).masked(keys.unsqueeze(0)).softmax(1);
        shares.matmul(b)
    }),
    ("matmul", |[a, b], _| a.matmul(b.transpose()).matmul(a).tanh()),
    ("outer product", |[a, b], _| a.sum(keep(1)).matmul(b.mean(keep(0)))),
    ("softmax", |[a, b], _| a.softmax(1) - b.log_softmax(0) * 0.2),
    ("masked softmax", |[a, _], [m, _]| a.masked(m).softmax(0) * 2.0),
    ("running sum", |[a, _], _| a.cumsum(0) * 0.4),
    ("running sums to and fro", |[a, b], _| {
        a.cumsum(along(1).exclusive()) * 0.3 + b.cumsum(along(0).reverse()) * 0.2
    }),
    ("less the mean", |[a, b], _| a - b.mean(keep(0))),
    ("masked mean", |[a, b], [m, _]| a - b.masked(m | b.ge(b.max(keep(1)))).mean(keep(1))),
    ("over the largest", |[a, b], _| a / (b.square().max(keep(1)) + 1.0)),
    ("masked maxima and minima", |[a, b], [m, _]| {
        let some = m | a.ge(a.max(keep(0))) | a.le(a.min(keep(0)));
        b - a.masked(some).max(keep(0)) + a.masked(some).min(keep(0))
    }),
    ("rows at indices", |[a, b], _| a.gather(row_indices(a), 0) + b * 0.5),
    ("elements at indices", |[a, b], _| {
        let largest = b.argmax(1).unsqueeze(1);
        a - a.take_along_axis(largest, 1)
    }),
    ("rows added at indices", |[a, b], _| a.scatter_add(row_indices(a), b * 0.5, 0)),
    ("rows set at indices", |[a, b], _| a.scatter_set(row_indices(a), b.sin(), 0)),
    ("elements set at indices", |[a, b], _| {
        a.scatter_set_along_axis(b.argmin(0).unsqueeze(0), b.mean(keep(0)), 0)
    }),
    ("elements added at argwhere", |[a, b], [m, _]| a.scatter_nd_add(m.argwhere(), b.boolean_mask(m).tanh())),
    ("slices", |[a, b], _| {
        a.graph()
            .concat([a.slice([1..]), b.slice([Slice::from(..).by(-1)]), a], 0)
            .slice([1..])
            .slice_axis(..3, 0)
            .sum(keep(0))
            * 0.3
            + b
    }),
    ("another arrangement", |[a, b], _| {
        a.transpose().reshape(&a.shape()) + b.flatten().slice([Slice::from(..).by(-1)]).reshape(&a.shape())
    }),
];

/// Rows of `a`, some of them twice.
fn row_indices(a: Expr<'_>) -> Expr<'_> {
    let rows = a.graph().size(a.dim(0));
    (a.graph().iota(a.dim(0)) * 2) % rows
}

impl<'g> Writer<'g> {
    /// A program of two inputs and a mask, of so many steps.
    fn of_inputs(graph: &'g Graph, seed: u64, steps: usize) -> Writer<'g> {
        let [x, y] = [0, 1].map(|position| graph.input::<f64>(&name(position), dims!["n", "k"]));
        let mask = graph.input::<bool>(&name(2), dims!["n", "k"]);
        Writer::new([x, y], mask, seed, steps)
    }

    fn new(tensors: [Expr<'g>; 2], mask: Expr<'g>, seed: u64, steps: usize) -> Writer<'g> {
        let (tensors, masks) = (tensors.to_vec(), vec![mask]);
        let mut writer =
            Writer { graph: mask.graph(), random: Random::new(seed), tensors, masks, text: Vec::new() };
        (0..steps).for_each(|_| writer.step());
        writer
    }

    /// Half of the time one of the two newest, so that programs are deep.
    fn pick(random: &mut Random, from: &[Expr<'g>]) -> Expr<'g> {
        let newest = &from[from.len().saturating_sub(2)..];
        if random.coin() { *random.pick(newest) } else { *random.pick(from) }
    }

    fn step(&mut self) {
        let mut tensor = || Writer::pick(&mut self.random, &self.tensors);
        let tensors = [tensor(), tensor()];
        let mut mask = || Writer::pick(&mut self.random, &self.masks);
        let masks = [mask(), mask()];
        let (text, step) = *self.random.pick(&STEPS);
        self.text.push(text);
        let [a, b] = tensors;
        self.masks.push(match self.random.below(4) {
            0 => a.gt(b),
            1 => b.lt(0.35) & masks[0],
            2 => !masks[0] | a.le(-0.2),
            _ => masks[0] ^ a.sum(keep(1)).gt(0.1),
        });
        self.tensors.push(step(tensors, masks));
    }

    /// A scalar made of the newest tensors.
    fn loss(&self) -> Expr<'g> {
        let newest = &self.tensors[self.tensors.len() - 2..];
        let parts = newest.iter().map(|tensor| (*tensor, weights(*tensor, 0.0)));
        dots(parts).unwrap_or_else(|| unreachable!("there are two tensors from the start"))
    }
}

/// Inputs of a program.
fn feeds(seed: u64, shape: (usize, usize)) -> Vec<Value> {
    let mut random = Random::new(seed + 1000);
    let mut floats = |phase: f64| {
        let mut step = phase;
        value(Array2::from_shape_simple_fn(shape, || {
            step += 1.0 + random.below(3) as f64;
            1.3 * (step * 2.3).sin()
        }))
    };
    let (x, y) = (floats(0.0), floats(0.4));
    vec![x, y, value(Array2::from_shape_simple_fn(shape, || random.coin()))]
}

/// Asserts what `check` does of the programs with these seeds, and reports all that fail.
#[track_caller]
fn for_seeds(seeds: Range<u64>, check: impl Fn(u64) -> Result<(), String>) {
    let failures: Vec<String> =
        seeds.filter_map(|seed| check(seed).err().map(|error| format!("seed {seed}, {error}"))).collect();
    assert!(failures.is_empty(), "{} programs fail:\n{}", failures.len(), failures.join("\n"));
}

/// Calls `check` with programs of inputs, each written to the end.
#[track_caller]
fn for_programs(seeds: Range<u64>, steps: usize, check: impl Fn(&Writer<'_>, u64) -> Result<(), String>) {
    for_seeds(seeds, |seed| {
        let graph = Graph::new();
        let writer = Writer::of_inputs(&graph, seed, steps);
        check(&writer, seed).map_err(|error| format!("{}: {error}", writer.text.join("; ")))
    });
}

#[test]
fn gradients_of_programs_agree_with_differences() {
    for_programs(0..150, 6, |writer, seed| {
        let check = check_gradients(writer.loss(), writer.tensors[..2].iter().copied()).second_order();
        let [x, y, m]: [Value; 3] = feeds(seed, (3, 4)).try_into().map_err(|_| "three inputs")?;
        let check = check.feed(&name(0), &x).feed(&name(1), &y).feed(&name(2), &m);
        let report = check.seed(seed).run().map_err(|error| error.to_string())?;
        let right = |verdict| matches!(verdict, Verdict::Passed | Verdict::Unchecked);
        if report.rows().iter().all(|row| right(row.verdict())) { Ok(()) } else { Err(report.to_string()) }
    });
}

#[test]
fn programs_come_out_as_inferred_and_both_modes_are_transposes() {
    for_programs(200..400, 8, |writer, seed| {
        let wrt = &writer.tensors[..2];
        let output = writer.tensors[writer.tensors.len() - 1];
        let cotangent = weights(output, 0.0);
        let directions: Vec<Expr<'_>> =
            wrt.iter().zip([1.0, 2.0]).map(|(x, phase)| weights(*x, phase)).collect();
        let pulled = vjp(output, wrt, cotangent);
        let left = dots(pulled.into_iter().zip(directions.iter().copied())).ok_or("two inputs")?;
        let right = dot(cotangent, jvp(output, wrt, &directions));
        let loss = writer.loss();
        let products = hvp(loss, wrt, &directions);
        let gradients = grad(loss, wrt);
        let along = dots(gradients.iter().copied().zip(directions.iter().copied())).ok_or("two inputs")?;
        let reverse = grad(along, wrt);
        let forward: Vec<Expr<'_>> = gradients.iter().map(|dx| jvp(*dx, wrt, &directions)).collect();
        let roots: Vec<Expr<'_>> =
            [left, right].iter().chain(&products).chain(&reverse).chain(&forward).copied().collect();
        writer.graph.check().map_err(|error| error.to_string())?;
        for shape in [(3, 4), (1, 1), (5, 2)] {
            let found = values_as_inferred(&roots, &feeds(seed, shape))?;
            let [left, right] = [numbers(&found[0])[0], numbers(&found[1])[0]];
            if !near(left, right, 1e-9, 1e-2) || !left.is_finite() {
                return Err(format!("{shape:?}: ⟨vjp(g), v⟩ = {left}, but ⟨g, jvp(v)⟩ = {right}"));
            }
            for (product, others) in found[2..4].iter().zip(found[4..6].iter().zip(&found[6..8])) {
                close(others.0, product, 1e-8)
                    .map_err(|error| format!("{shape:?}: reverse over reverse: {error}"))?;
                close(others.1, product, 1e-8)
                    .map_err(|error| format!("{shape:?}: forward over reverse: {error}"))?;
            }
        }
        for shape in [(0, 4), (3, 0), (0, 0)] {
            match values_as_inferred(&roots, &feeds(seed, shape)) {
                Ok(_) => {}
                Err(Failure::Run(error))
                    if error.reports().iter().all(|report| has_no_answer(report.kind())) => {}
                Err(failure) => return Err(format!("{shape:?}: {}", String::from(failure))),
            }
        }
        Ok(())
    });
}

/// A program whose two tensors are selected from functions of one input, which is
/// unspecified elsewhere.
fn of_selections<'g>(graph: &'g Graph, seed: u64) -> (Expr<'g>, Writer<'g>) {
    let mut random = Random::new(seed);
    let x = graph.input::<f64>(&name(0), dims!["n", "k"]);
    let mask = graph.input::<bool>(&name(1), dims!["n", "k"]);
    let part = mask & graph.input::<bool>(&name(2), dims!["n", "k"]);
    let tensors = [mask, part].map(|mask| selected_at_random(x, mask, &mut random).tanh());
    (x, Writer::new(tensors, part, seed, 5))
}

#[test]
fn programs_do_not_read_what_was_not_selected() {
    for_seeds(400..550, |seed| {
        let graph = Graph::new();
        let (x, writer) = of_selections(&graph, seed);
        let loss = writer.loss();
        let dx = grad(loss, x);
        let ddx = grad(dot(dx, weights(dx, 1.0)), x);
        let direction = graph.input::<f64>(&name(3), dims!["n", "k"]);
        let roots = [dx, ddx, hvp(loss, x, weights(x, 2.0)), loss, jvp(loss, x, direction)];
        let names = ["dx", "ddx", "hvp", "loss", "jvp"];
        let [ordinary, way, part]: [Value; 3] = feeds(seed, (3, 4)).try_into().map_err(|_| "three inputs")?;
        let mask = value(Array2::from_shape_fn((3, 4), |(row, column)| {
            (row * 3 + column * 2 + row * column) % 4 != 1
        }));
        let run = |fill: f64| {
            let filled = |array: &Value, shift: f64| {
                let (array, mask) =
                    (array.view::<f64>().ok_or("floats")?, mask.view::<bool>().ok_or("a mask")?);
                let elements =
                    array.iter().zip(&mask).map(|(x, on)| if *on { x.abs() + shift } else { fill });
                Ok::<Value, String>(value(
                    Array2::from_shape_vec((3, 4), elements.collect()).map_err(|e| e.to_string())?,
                ))
            };
            let feeds = [filled(&ordinary, 0.3)?, mask.clone(), part.clone(), filled(&way, -0.6)?];
            values(&roots, &feeds).map_err(|error| format!("{}: {error}", writer.text.join("; ")))
        };
        let harmless = run(1.0)?;
        for fill in FILLS {
            for (name, (found, harmless)) in names.iter().zip(run(fill)?.iter().zip(&harmless)) {
                let leaks = |(found, on): (f64, &bool)| !on && found != 0.0;
                let mask = mask.view::<bool>().ok_or("a mask")?;
                let outside = found.shape().len() == 2 && numbers(found).into_iter().zip(&mask).any(leaks);
                if same_bits(found, harmless).is_err()
                    || outside
                    || !numbers(found).iter().all(|x| x.is_finite())
                {
                    let text = writer.text.join("; ");
                    return Err(format!("{text}: with {fill} {name} is {found:?}, with 1 {harmless:?}"));
                }
            }
        }
        Ok(())
    });
}
