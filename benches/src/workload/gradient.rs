//! A masked loss with its gradients.

use std::rc::Rc;

use ndarray::{Array1, Zip};
use tamis::prelude::*;
use tamis::{DType, grad};

use crate::bench::Bench;
use crate::data::{Random, floats};
use crate::hand::{self, Kept};
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
    case.add_hand(bench, || {
        let (x, y, mask) = (x.as_slice(), y.as_slice(), mask.as_slice().expect("contiguous"));
        let both = [x, y].map(|array| array.expect("contiguous"));
        let kept = Kept::new(size);
        move || {
            let [loss, da, db] = hand::loss(&mut kept.borrow_mut(), both, mask, [A, B]);
            ([loss, da, db], Rc::clone(&kept))
        }
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

/// What a user without autodiff writes. The passes are vectorised; one loop over
/// everything would not be, and takes longer.
fn by_hand(
    x: &Array1<f32>,
    y: &Array1<f32>,
    mask: &Array1<bool>,
    is_parallel: bool,
) -> ([f32; 3], Array1<f32>) {
    let count = mask.iter().filter(|m| **m).count() as f32;
    let residual = |x: &f32, y: &f32, m: &bool| if *m { A * x + B - y } else { 0.0 };
    let all = Zip::from(x).and(y).and(mask);
    let mut residuals = if is_parallel { all.par_map_collect(residual) } else { all.map_collect(residual) };
    let squares = residuals.dot(&residuals);
    let (da, db) = (2.0 * residuals.dot(x), 2.0 * residuals.sum());
    residuals *= 2.0 * A / count;
    ([squares, da, db].map(|sum| sum / count), residuals)
}
