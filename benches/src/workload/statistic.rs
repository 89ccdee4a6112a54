//! Reductions under a mask: means, softmax, the accuracy of one class.

use ndarray::{Array1, Array2, ArrayView1, ArrayViewMut1, Zip};
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::{Random, floats, share};
use crate::hand;
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

/// W6: the mean of what a mask selects.
pub(crate) fn masked_mean(bench: &mut Bench, size: usize, density: f32) {
    let mut random = Random::new(6);
    let x: Array1<f32> = random.signed(size).mapv(|v: f32| v + 0.5);
    let mask: Array1<bool> = random.mask(size, density);
    let case = bench.case("W6", "sum(where(m, x, 0)) / count(m)", size);
    let mut case = case.density(density).bytes(floats(size) + size, 0).tolerance(1e-3);

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["n"]);
        let mask_in = graph.input::<bool>("m", dims!["n"]);
        let plan = bench.plan([("mean", x_in.masked(mask_in).mean(..))]);
        let (x, mask) = (&x, &mask);
        move || plan.feed("x", x).feed("m", mask).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        // A new array and its sum are faster than one loop, which is not vectorised.
        let select = |v: &f32, m: &bool| if *m { *v } else { 0.0 };
        let (x, mask) = (&x, &mask);
        move || {
            let both = Zip::from(x).and(mask);
            let selected = if is_parallel { both.par_map_collect(select) } else { both.map_collect(select) };
            selected.sum() / mask.iter().filter(|m| **m).count() as f32
        }
    });
    case.add_hand(bench, || {
        let (x, mask) = (x.as_slice().expect("contiguous"), mask.as_slice().expect("contiguous"));
        move || hand::mean(x, mask)
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (x, mask) = (peer::candle::tensor(&x), peer::candle::mask(&mask));
        move || {
            let sum = mask.where_cond(&x, &x.zeros_like()?)?.sum_all()?;
            sum / peer::candle::count(&mask)?
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let (x, mask) = (peer::burn::tensor::<1, _>(&x), peer::burn::mask::<1, _>(&mask));
        move || {
            let sum = x.clone().mask_fill(mask.clone().bool_not(), 0.0).sum();
            sum / mask.clone().int().sum().float()
        }
    });
    bench.run(case);
}

/// W6: attention weights with padding, row by row.
pub(crate) fn masked_softmax(bench: &mut Bench, size: usize, density: f32) {
    let shape = [share(4096, size), 1024];
    let mut random = Random::new(16);
    let x: Array2<f32> = random.signed(shape).mapv(|v: f32| 4.0 * v);
    let mut mask: Array2<bool> = random.mask(shape, density);
    mask.column_mut(0).fill(true); // of rows without any the others make NaN
    let case = bench.case("W6", "softmax(where(m, x, -inf)), (4096,1024)", x.len());
    let mut case = case.density(density).bytes(floats(x.len()) + x.len(), floats(x.len()));

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["rows", 1024]);
        let mask_in = graph.input::<bool>("m", dims!["rows", 1024]);
        let plan = bench.plan([("share", x_in.masked(mask_in).softmax(-1))]);
        let (x, mask) = (&x, &mask);
        move || plan.feed("x", x).feed("m", mask).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(x.len());
        let (x, mask) = (&x, &mask);
        move || {
            let mut shares = Array2::zeros(x.raw_dim());
            let rows = Zip::from(shares.rows_mut()).and(x.rows()).and(mask.rows());
            if is_parallel {
                rows.par_for_each(softmax_row)
            } else {
                rows.for_each(softmax_row)
            }
            shares
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (x, mask) = (peer::candle::tensor(&x), peer::candle::mask(&mask));
        move || {
            let fill = candle_core::Tensor::new(f32::NEG_INFINITY, x.device())?.broadcast_as(x.shape())?;
            candle_nn::ops::softmax_last_dim(&mask.where_cond(&x, &fill)?)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let (x, mask) = (peer::burn::tensor::<2, _>(&x), peer::burn::mask::<2, _>(&mask));
        move || {
            let logits = x.clone().mask_fill(mask.clone().bool_not(), f32::NEG_INFINITY);
            burn::tensor::activation::softmax(logits, 1)
        }
    });
    bench.run(case);
}

/// Only what is selected costs an exponential.
fn softmax_row(mut shares: ArrayViewMut1<'_, f32>, x: ArrayView1<'_, f32>, mask: ArrayView1<'_, bool>) {
    let selected = x.iter().zip(&mask).filter(|(_, m)| **m).map(|(v, _)| *v);
    let largest = selected.fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    Zip::from(&mut shares).and(&x).and(&mask).for_each(|share, v, m| {
        *share = if *m { (v - largest).exp() } else { 0.0 };
        sum += *share;
    });
    shares /= sum;
}

/// W8: of the rows whose label is one class, the share whose largest score is that class.
pub(crate) fn class_accuracy(bench: &mut Bench, size: usize) {
    const CLASS: i64 = 3;
    let rows = share(1_000_000, size);
    let mut random = Random::new(8);
    let scores: Array2<f32> = random.signed([rows, 10]);
    let labels = random.indices(rows, 10);
    let title = "argmax(s)[label == 3] == 3, mean, (1e6,10)";
    let mut case = bench.case("W8", title, scores.len()).bytes(floats(10 * rows) + 8 * rows, 0);

    case.add("tamis", || {
        let graph = Graph::new();
        let scores_in = graph.input::<f32>("scores", dims!["n", 10]);
        let labels_in = graph.input::<i64>("labels", dims!["n"]);
        let hits = scores_in.argmax(1).eq(CLASS);
        let plan = bench.plan([("accuracy", hits.masked(labels_in.eq(CLASS)).mean(..))]);
        let (scores, labels) = (&scores, &labels);
        move || plan.feed("scores", scores).feed("labels", labels).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(scores.len());
        let add = |(hits, count): (usize, usize), row: ArrayView1<'_, f32>, label: &i64| {
            if *label == CLASS {
                (hits + usize::from(argmax(row) == CLASS), count + 1)
            } else {
                (hits, count)
            }
        };
        let (scores, labels) = (&scores, &labels);
        move || {
            let both = Zip::from(scores.rows()).and(labels);
            let (hits, count) = if is_parallel {
                both.par_fold(|| (0, 0), add, |a, b| (a.0 + b.0, a.1 + b.1))
            } else {
                both.fold((0, 0), add)
            };
            hits as f32 / count as f32
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (scores, labels) = (peer::candle::tensor(&scores), peer::candle::tensor(&labels));
        move || {
            let is_class = labels.eq(CLASS)?;
            let hits = (scores.argmax(1)?.eq(CLASS as u32)? * &is_class)?;
            peer::candle::count(&hits)? / peer::candle::count(&is_class)?
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let scores = peer::burn::tensor::<2, _>(&scores);
        let labels = peer::burn::indices::<1, _>(&labels);
        move || {
            let is_class = labels.clone().equal_scalar(CLASS);
            let predicted = scores.clone().argmax(1).squeeze_dim::<1>(1);
            let hits = predicted.equal_scalar(CLASS).bool_and(is_class.clone());
            hits.int().sum().float() / is_class.int().sum().float()
        }
    });
    bench.run(case);
}

/// The first of the largest.
fn argmax(row: ArrayView1<'_, f32>) -> i64 {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, value) in (0..).zip(row) {
        if *value > best.1 {
            best = (index, *value);
        }
    }
    best.0
}
