//! Matrix products: one alone, and the training step of a small network with a mask of valid rows.

use ndarray::{Array1, Array2, Axis, Zip};
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::Random;
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

/// W13: the product of two matrices.
pub(crate) fn product(bench: &mut Bench) {
    const SIDE: usize = 1024;
    let mut random = Random::new(13);
    let [a, b]: [Array2<f32>; 2] = [(); 2].map(|()| random.signed([SIDE, SIDE]));
    let mut case = bench.case("W13", "matmul (1024,1024)", SIDE * SIDE);

    case.add("tamis", || {
        let graph = Graph::new();
        let [a_in, b_in] = ["a", "b"].map(|name| graph.input::<f32>(name, dims![SIDE, SIDE]));
        let plan = bench.plan([("product", a_in.matmul(b_in))]);
        let (a, b) = (&a, &b);
        move || plan.feed("a", a).feed("b", b).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let (a, b) = (&a, &b);
        move || a.dot(b)
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let [a, b] = [&a, &b].map(peer::candle::tensor);
        move || a.matmul(&b)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let [a, b] = [&a, &b].map(peer::burn::tensor::<2, _>);
        move || a.clone().matmul(b.clone())
    });
    bench.run(case);
}

const BATCH: usize = 512;
const PIXELS: usize = 784;
const HIDDEN: usize = 256;
const CLASSES: usize = 10;
const RATE: f32 = 0.01;

/// A batch, of which some rows are padding, and the parameters to start from.
struct Training {
    x: Array2<f32>,
    labels: Array1<i64>,
    valid: Array1<bool>,
    w1: Array2<f32>,
    b1: Array1<f32>,
    w2: Array2<f32>,
    b2: Array1<f32>,
}

impl Training {
    fn new() -> Training {
        let mut random = Random::new(14);
        Training {
            x: random.signed([BATCH, PIXELS]),
            labels: random.indices(BATCH, CLASSES),
            valid: random.mask(BATCH, 0.9),
            w1: random.signed([PIXELS, HIDDEN]).mapv(|v: f32| v * 0.05),
            b1: Array1::zeros(HIDDEN),
            w2: random.signed([HIDDEN, CLASSES]).mapv(|v: f32| v * 0.1),
            b2: Array1::zeros(CLASSES),
        }
    }
}

/// W13: forward, backward and update of 784-256-10 on 512 rows. What is compared
/// is the loss of several steps in a row, which the updates decide.
pub(crate) fn training_step(bench: &mut Bench) {
    let training = Training::new();
    let size = BATCH * PIXELS;
    let case = bench.case("W13", "training step, 512 rows, 784-256-10, mask", size);
    let mut case = case.checked_runs(4).tolerance(1e-3);

    case.add("tamis", || {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", dims![BATCH, PIXELS]);
        let labels = graph.input::<i64>("labels", dims![BATCH]);
        let valid = graph.input::<bool>("valid", dims![BATCH]);
        let w1 = graph.input::<f32>("w1", dims![PIXELS, HIDDEN]);
        let b1 = graph.input::<f32>("b1", dims![HIDDEN]);
        let w2 = graph.input::<f32>("w2", dims![HIDDEN, CLASSES]);
        let b2 = graph.input::<f32>("b2", dims![CLASSES]);
        let hidden = (x.matmul(w1) + b1).relu();
        let logs = (hidden.matmul(w2) + b2).log_softmax(-1);
        let losses = -logs.take_along_axis(labels.unsqueeze(1), 1).squeeze(1);
        let loss = losses.masked(valid).mean(..);
        let [dw1, db1, dw2, db2] = grad(loss, [w1, b1, w2, b2]);
        let plan = bench.plan([
            ("loss", loss),
            ("w1", w1 - dw1 * RATE),
            ("b1", b1 - db1 * RATE),
            ("w2", w2 - dw2 * RATE),
            ("b2", b2 - db2 * RATE),
        ]);
        let Training { x, labels, valid, .. } = &training;
        let (mut w1, mut b1) = (training.w1.clone(), training.b1.clone());
        let (mut w2, mut b2) = (training.w2.clone(), training.b2.clone());
        move || {
            let run = plan.feed("x", x).feed("labels", labels).feed("valid", valid);
            let run = run.update("w1", w1.view_mut()).update("b1", b1.view_mut());
            let run = run.update("w2", w2.view_mut()).update("b2", b2.view_mut());
            run.run().expect("right feeds")
        }
    });
    case.add("ndarray", || {
        let training = &training;
        let (mut w1, mut b1) = (training.w1.clone(), training.b1.clone());
        let (mut w2, mut b2) = (training.w2.clone(), training.b2.clone());
        move || by_hand(training, &mut w1, &mut b1, &mut w2, &mut b2)
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let [w1, w2] = [&training.w1, &training.w2].map(peer::candle::variable);
        let [b1, b2] = [&training.b1, &training.b2].map(peer::candle::variable);
        let (x, valid) = (peer::candle::tensor(&training.x), peer::candle::mask(&training.valid));
        let labels = peer::candle::tensor(&training.labels);
        move || -> candle_core::Result<_> {
            let hidden = x.matmul(&w1)?.broadcast_add(&b1)?.relu()?;
            let logs = candle_nn::ops::log_softmax(&hidden.matmul(&w2)?.broadcast_add(&b2)?, 1)?;
            let losses = logs.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?.neg()?;
            let sum = valid.where_cond(&losses, &losses.zeros_like()?)?.sum_all()?;
            let loss = (sum / peer::candle::count(&valid)?)?;
            let gradients = loss.backward()?;
            for parameter in [&w1, &b1, &w2, &b2] {
                let gradient = gradients.get(parameter).expect("the loss depends on it");
                parameter.set(&(parameter.as_tensor() - (gradient * f64::from(RATE))?)?)?;
            }
            Ok(loss)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let recorded = |w| peer::burn::recorded::<2, _>(w).require_grad();
        let recorded_row = |b| peer::burn::recorded::<1, _>(b).require_grad();
        let (mut w1, mut b1) = (recorded(&training.w1), recorded_row(&training.b1));
        let (mut w2, mut b2) = (recorded(&training.w2), recorded_row(&training.b2));
        let x = peer::burn::recorded::<2, _>(&training.x);
        let valid = peer::burn::recorded_mask::<1, _>(&training.valid);
        let labels = peer::burn::recorded_indices::<1, _>(&training.labels);
        move || {
            let hidden =
                burn::tensor::activation::relu(x.clone().matmul(w1.clone()) + b1.clone().unsqueeze());
            let logits = hidden.matmul(w2.clone()) + b2.clone().unsqueeze();
            let logs = burn::tensor::activation::log_softmax(logits, 1);
            let losses = -logs.gather(1, labels.clone().unsqueeze_dim(1)).squeeze_dim::<1>(1);
            let sum = losses.mask_fill(valid.clone().bool_not(), 0.0).sum();
            let loss = sum / valid.clone().int().sum().float();
            let mut gradients = loss.backward();
            peer::burn::descend(&mut w1, &mut gradients, RATE);
            peer::burn::descend(&mut b1, &mut gradients, RATE);
            peer::burn::descend(&mut w2, &mut gradients, RATE);
            peer::burn::descend(&mut b2, &mut gradients, RATE);
            loss
        }
    });
    bench.run(case);
}

/// What a user without autodiff writes.
fn by_hand(
    training: &Training,
    w1: &mut Array2<f32>,
    b1: &mut Array1<f32>,
    w2: &mut Array2<f32>,
    b2: &mut Array1<f32>,
) -> f32 {
    let Training { x, labels, valid, .. } = training;
    let count = valid.iter().filter(|v| **v).count() as f32;
    let mut hidden = x.dot(w1) + &*b1;
    hidden.mapv_inplace(|v| v.max(0.0));
    // Shares first, then, in the same position, the gradient of the scores.
    let mut scores = hidden.dot(w2) + &*b2;
    let mut loss = 0.0;
    Zip::from(scores.rows_mut()).and(labels).and(valid).for_each(|mut row, label, valid| {
        if !*valid {
            return row.fill(0.0);
        }
        let largest = row.fold(f32::NEG_INFINITY, |a, b| a.max(*b));
        row.mapv_inplace(|v| (v - largest).exp());
        row /= row.sum();
        loss -= row[*label as usize].ln() / count;
        row[*label as usize] -= 1.0;
        row /= count;
    });
    let mut dhidden = scores.dot(&w2.t());
    Zip::from(&mut dhidden).and(&hidden).for_each(|d, h| {
        if *h <= 0.0 {
            *d = 0.0
        }
    });
    w2.scaled_add(-RATE, &hidden.t().dot(&scores));
    b2.scaled_add(-RATE, &scores.sum_axis(Axis(0)));
    w1.scaled_add(-RATE, &x.t().dot(&dhidden));
    b1.scaled_add(-RATE, &dhidden.sum_axis(Axis(0)));
    loss
}
