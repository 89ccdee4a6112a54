//! Selections, whose length is known in the run only: `x[x > t]` and the like.

use std::rc::Rc;

use ndarray::{Array1, Array2, Array3, Array4, ArrayView2, Axis, s};
use rayon::prelude::*;
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::{Random, floats, share, side, threshold};
use crate::hand::{self, Kept};
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
        let plan = bench.plan([("kept", x_in.boolean_mask(x_in.gt(low)))]);
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
    case.add_hand(bench, || {
        let (x, kept) = (x.as_slice().expect("contiguous"), Kept::new(size));
        move || {
            hand::select(&mut kept.borrow_mut(), x, |v| (v, v > low));
            Rc::clone(&kept)
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
        let plan = bench.plan([("kept", kept)]);
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
    case.add_hand(bench, || {
        let (x, kept) = (x.as_slice().expect("contiguous"), Kept::new(size));
        move || {
            hand::select(&mut kept.borrow_mut(), x, |v| (2.0 * v + 1.0, (v > low) & (v < high)));
            Rc::clone(&kept)
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

/// W5: where a volume is true.
pub(crate) fn indices(bench: &mut Bench, size: usize, density: f32) {
    let shape = [share(64, size), side(256, size), side(256, size)];
    let mask: Array3<bool> = Random::new(5).mask(shape, density);
    let count = mask.iter().filter(|m| **m).count();
    let case = bench.case("W5", "argwhere(m), m of (64, 256, 256)", mask.len());
    let mut case = case.density(density).bytes(mask.len(), 3 * 8 * count);

    case.add("tamis", || {
        let graph = Graph::new();
        let plan = bench.plan([("indices", graph.input::<bool>("m", dims!["n", "h", "w"]).argwhere())]);
        let mask = &mask;
        move || plan.feed("m", mask).run().expect("a right feed")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(mask.len());
        let in_plane = |(i, plane): (usize, ArrayView2<'_, bool>)| -> Vec<i64> {
            let true_indices = plane.indexed_iter().filter(|(_, m)| **m).map(|(index, _)| index);
            true_indices.flat_map(|(j, k)| [i as i64, j as i64, k as i64]).collect()
        };
        let mask = &mask;
        move || {
            let planes = mask.outer_iter();
            let indices: Vec<i64> = if is_parallel {
                planes.into_par_iter().enumerate().map(in_plane).collect::<Vec<_>>().concat()
            } else {
                planes.enumerate().flat_map(in_plane).collect()
            };
            Array2::from_shape_vec((indices.len() / 3, 3), indices)
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let mask = peer::candle::mask(&mask);
        move || peer::candle::argwhere(&mask)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let mask = peer::burn::mask::<3, _>(&mask);
        move || mask.clone().argwhere()
    });
    bench.run(case);
}

/// W5: the boxes of a detector whose score is high enough.
pub(crate) fn boxes(bench: &mut Bench, size: usize, density: f32) {
    let grid = [share(64, size), side(128, size), side(128, size)];
    let cells = grid.iter().product();
    let [n, height, width] = grid;
    let boxes: Array4<f32> = Random::new(6).signed([n, height, width, 4]);
    // Scores around 0.8, above which the share `density` lies.
    let scores: Array4<f32> =
        Random::new(7).signed([n, height, width, 3]).mapv(|v| 0.8 + v - threshold(density));
    let is_sure = |score: &f32| *score > 0.8;
    let count = scores.slice(s![.., .., .., 0]).iter().filter(|score| is_sure(score)).count();
    let case = bench.case("W5", "boxes[scores[..., 0] > 0.8]", cells);
    let mut case = case.density(density).bytes(floats(3 * cells + 4 * count), floats(4 * count));

    case.add("tamis", || {
        let graph = Graph::new();
        let boxes_in = graph.input::<f32>("boxes", dims!["n", "h", "w", 4]);
        let scores_in = graph.input::<f32>("scores", dims!["n", "h", "w", 3]);
        let sure = boxes_in.boolean_mask(scores_in.slice_axis(0, -1).gt(0.8_f32));
        let plan = bench.plan([("sure", sure)]);
        let (boxes, scores) = (&boxes, &scores);
        move || plan.feed("boxes", boxes).feed("scores", scores).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let (boxes, scores) = (&boxes, &scores);
        move || {
            let scores = scores.slice(s![.., .., .., 0]);
            let rows: Vec<usize> =
                scores.iter().enumerate().filter(|(_, v)| is_sure(v)).map(|(row, _)| row).collect();
            let boxes = boxes.view().into_shape_with_order((cells, 4)).expect("contiguous");
            boxes.select(Axis(0), &rows)
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (boxes, scores) = (peer::candle::tensor(&boxes), peer::candle::tensor(&scores));
        move || {
            let is_sure = scores.narrow(3, 0, 1)?.gt(0.8_f32)?;
            peer::candle::select(&boxes.reshape((cells, 4))?, &is_sure)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let boxes = peer::burn::tensor::<4, _>(&boxes);
        let scores = peer::burn::tensor::<4, _>(&scores);
        move || {
            let scores = scores.clone().slice([0..n, 0..height, 0..width, 0..1]).reshape([cells]);
            let rows = scores.greater_scalar(0.8).argwhere().reshape([-1]);
            boxes.clone().reshape([cells, 4]).select(0, rows)
        }
    });
    bench.run(case);
}
