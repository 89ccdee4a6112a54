//! A masked loss with its gradients.

use ndarray::{Array1, Zip};
use tamis::prelude::*;
use tamis::{DType, grad};

use crate::bench::Bench;
use crate::data::{Random, floats};
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

const A: f32 = 1.5;
const B: f32 = -0.25;

/// W9: `sum(where(m, (a x + b - y)^2, 0)) / count(m)`, and its gradients for `a`, `b` and `x`.
pub(crate) fn masked_loss(bench: &mut Bench, size: usize, density: f32) {
    let mut random = Random::new(9);
    let x: Array1<f32> = random.signed(size);
    let y: Array1<f32> = random.signed(size);
    let mask: Array1<bool> = random.mask(size, density);
    let case = bench.case("W9", "loss of where(m, (a x + b - y)^2, 0), da, db, dx", size);
    let mut case = case.density(density).bytes(floats(2 * size) + size, floats(size)).tolerance(1e-3);

    case.add("tamis", || {
        let graph = Graph::new();
        let [a, b] = ["a", "b"].map(|name| graph.input::<f32>(name, dims![]));
        let [x_in, y_in] = ["x", "y"].map(|name| graph.input::<f32>(name, dims!["n"]));
        let mask_in = graph.input::<bool>("m", dims!["n"]);
        let squares = where_(mask_in, (a * x_in + b - y_in).square(), 0.0_f32);
        let loss = squares.sum(..) / mask_in.count_nonzero(..).cast(DType::F32);
        let [da, db, dx] = grad(loss, [a, b, x_in]);
        let plan = bench.plan([("loss", loss), ("da", da), ("db", db), ("dx", dx)]);
        let (x, y, mask) = (&x, &y, &mask);
        move || {
            let run = plan.feed("a", A).feed("b", B).feed("x", x).feed("y", y).feed("m", mask);
            run.run().expect("right feeds")
        }
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        let (x, y, mask) = (&x, &y, &mask);
        move || by_hand(x, y, mask, is_parallel)
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let [a, b] = [A, B].map(|v| peer::candle::variable(&Array1::from_elem(1, v)));
        let (x, y) = (peer::candle::variable(&x), peer::candle::tensor(&y));
        let mask = peer::candle::mask(&mask);
        move || -> candle_core::Result<_> {
            let residual = x.broadcast_mul(&a)?.broadcast_add(&b)?.sub(&y)?;
            let squares = mask.where_cond(&residual.sqr()?, &x.zeros_like()?)?;
            let loss = (squares.sum_all()? / peer::candle::count(&mask)?)?;
            let gradients = loss.backward()?;
            let of = |tensor| gradients.get(tensor).cloned().expect("the loss depends on it");
            Ok([loss, of(&a), of(&b), of(&x)])
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let [a, b] = [A, B].map(|v| peer::burn::recorded::<1, _>(&Array1::from_elem(1, v)).require_grad());
        let x = peer::burn::recorded::<1, _>(&x).require_grad();
        let y = peer::burn::recorded::<1, _>(&y);
        let mask = peer::burn::recorded_mask::<1, _>(&mask);
        move || {
            let residual = a.clone() * x.clone() + b.clone() - y.clone();
            let squares = residual.square().mask_fill(mask.clone().bool_not(), 0.0);
            let loss = squares.sum() / mask.clone().int().sum().float();
            let mut gradients = loss.backward();
            let mut of = |tensor: &burn::tensor::Tensor<1>| {
                tensor.grad_remove(&mut gradients).expect("the loss depends on it")
            };
            let [da, db, dx] = [of(&a), of(&b), of(&x)];
            [loss, da, db, dx]
        }
    });
    bench.run(case);
}

/// What a user without autodiff writes: the count first, then everything in one pass.
fn by_hand(
    x: &Array1<f32>,
    y: &Array1<f32>,
    mask: &Array1<bool>,
    is_parallel: bool,
) -> ([f32; 3], Array1<f32>) {
    let count = mask.iter().filter(|m| **m).count() as f32;
    let mut dx = Array1::zeros(x.len());
    let all = Zip::from(&mut dx).and(x).and(y).and(mask);
    // The sums of the squares, the residuals, and the residuals times x.
    let add = |sums: [f64; 3], dx: &mut f32, x: &f32, y: &f32, m: &bool| {
        let residual = if *m { A * x + B - y } else { 0.0 };
        *dx = 2.0 * A * residual / count;
        let terms = [residual * residual, residual, residual * x];
        std::array::from_fn(|i| sums[i] + f64::from(terms[i]))
    };
    let [squares, residuals, products] = if is_parallel {
        all.par_fold(|| [0.0; 3], add, |a, b| std::array::from_fn(|i| a[i] + b[i]))
    } else {
        all.fold([0.0; 3], add)
    };
    let scalars = [squares, 2.0 * products, 2.0 * residuals];
    (scalars.map(|sum| sum as f32 / count), dx)
}
