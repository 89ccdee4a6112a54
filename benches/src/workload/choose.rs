//! Choices, whose shape stays: `where(mask, a, b)` and masked assignment.

use std::cell::RefCell;
use std::rc::Rc;

use ndarray::{Array1, Array4, Zip};
use tamis::DType;
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::{Random, floats, share, side, threshold};
use crate::hand::{self, Kept};
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

/// W3: one of two functions of each element.
pub(crate) fn branches(bench: &mut Bench, size: usize, density: f32) {
    let x: Array1<f32> = Random::new(3).signed(size);
    let low = threshold(density);
    let case = bench.case("W3", "where(x > t, 2x, x/2 - 1)", size);
    let mut case = case.density(density).bytes(floats(size), floats(size));

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["n"]);
        let y = where_(x_in.gt(low), x_in * 2.0, x_in / 2.0 - 1.0);
        let plan = bench.plan([("y", y)]);
        let x = &x;
        move || plan.feed("x", x).run().expect("a right feed")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        let x = &x;
        let choose = move |v: &f32| if *v > low { 2.0 * v } else { 0.5 * v - 1.0 };
        move || if is_parallel { Zip::from(x).par_map_collect(choose) } else { x.map(choose) }
    });
    case.add_hand(bench, || {
        let (x, kept) = (x.as_slice().expect("contiguous"), Kept::new(size));
        move || {
            hand::map(&mut kept.borrow_mut(), x, |v| if v > low { 2.0 * v } else { 0.5 * v - 1.0 });
            Rc::clone(&kept)
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let x = peer::candle::tensor(&x);
        move || x.gt(low)?.where_cond(&(&x * 2.0)?, &x.affine(0.5, -1.0)?)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let x = peer::burn::tensor::<1, _>(&x);
        move || {
            let mask = x.clone().greater_scalar(low);
            (x.clone() / 2.0 - 1.0).mask_where(mask, x.clone() * 2.0)
        }
    });
    bench.run(case);
}

/// W4: pictures of three channels times a mask of one.
pub(crate) fn masked_pictures(bench: &mut Bench, size: usize, density: f32) {
    let (pictures, mask) = pictures_and_mask(size, density);
    let elements = pictures.len();
    let case = bench.case("W4", "image (64,3,512,512) * mask (64,1,512,512)", elements);
    let mut case = case.density(density).bytes(floats(elements) + mask.len(), floats(elements));

    case.add("tamis", || {
        let graph = Graph::new();
        let image_in = graph.input::<f32>("image", dims!["n", 3, "h", "w"]);
        let mask_in = graph.input::<bool>("mask", dims!["n", 1, "h", "w"]);
        let plan = bench.plan([("masked", image_in * mask_in.cast(DType::F32))]);
        let (pictures, mask) = (&pictures, &mask);
        move || plan.feed("image", pictures).feed("mask", mask).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(elements);
        let multiply = |v: &f32, m: &bool| v * f32::from(u8::from(*m));
        let (pictures, mask) = (&pictures, &mask);
        move || {
            let both = Zip::from(pictures).and_broadcast(mask);
            if is_parallel { both.par_map_collect(multiply) } else { both.map_collect(multiply) }
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (pictures, mask) = (peer::candle::tensor(&pictures), peer::candle::mask(&mask));
        move || pictures.broadcast_mul(&mask.to_dtype(candle_core::DType::F32)?)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let (pictures, mask) = (peer::burn::tensor::<4, _>(&pictures), peer::burn::mask::<4, _>(&mask));
        move || pictures.clone() * mask.clone().float()
    });
    bench.run(case);
}

/// W4: a constant where the mask is false.
pub(crate) fn filled_pictures(bench: &mut Bench, size: usize, density: f32) {
    let (pictures, mask) = pictures_and_mask(size, density);
    let elements = pictures.len();
    let case = bench.case("W4", "where(mask (64,1,512,512), image, 0.5)", elements);
    let mut case = case.density(density).bytes(floats(elements) + mask.len(), floats(elements));

    case.add("tamis", || {
        let graph = Graph::new();
        let image_in = graph.input::<f32>("image", dims!["n", 3, "h", "w"]);
        let mask_in = graph.input::<bool>("mask", dims!["n", 1, "h", "w"]);
        let plan = bench.plan([("filled", where_(mask_in, image_in, 0.5_f32))]);
        let (pictures, mask) = (&pictures, &mask);
        move || plan.feed("image", pictures).feed("mask", mask).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(elements);
        let fill = |v: &f32, m: &bool| if *m { *v } else { 0.5 };
        let (pictures, mask) = (&pictures, &mask);
        move || {
            let both = Zip::from(pictures).and_broadcast(mask);
            if is_parallel { both.par_map_collect(fill) } else { both.map_collect(fill) }
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (pictures, mask) = (peer::candle::tensor(&pictures), peer::candle::mask(&mask));
        move || {
            let fill =
                candle_core::Tensor::new(0.5_f32, pictures.device())?.broadcast_as(pictures.shape())?;
            mask.broadcast_as(pictures.shape())?.where_cond(&pictures, &fill)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let (pictures, mask) = (peer::burn::tensor::<4, _>(&pictures), peer::burn::mask::<4, _>(&mask));
        move || {
            let unselected = mask.clone().bool_not().expand(pictures.shape());
            pictures.clone().mask_fill(unselected, 0.5)
        }
    });
    bench.run(case);
}

fn pictures_and_mask(size: usize, density: f32) -> (Array4<f32>, Array4<bool>) {
    let (count, side) = (share(64, size), side(512, size));
    let mut random = Random::new(4);
    (random.signed([count, 3, side, side]), random.mask([count, 1, side, side], density))
}

/// W10: `dest[c] = src[c]`, as a new tensor and in place.
pub(crate) fn assigned(bench: &mut Bench, size: usize, density: f32) {
    let mut random = Random::new(10);
    let dest: Array1<f32> = random.signed(size);
    let src: Array1<f32> = random.signed(size);
    let mask: Array1<bool> = random.mask(size, density);
    let case = bench.case("W10", "dest[c] = src[c]", size);
    let mut case = case.density(density).bytes(floats(2 * size) + size, floats(size));

    let graph = Graph::new();
    let [dest_in, src_in] = ["dest", "src"].map(|name| graph.input::<f32>(name, dims!["n"]));
    let after = dest_in.masked_assign(graph.input::<bool>("c", dims!["n"]), src_in);
    case.add("tamis", || {
        let plan = bench.plan([("after", after)]);
        let (dest, src, mask) = (&dest, &src, &mask);
        move || plan.feed("dest", dest).feed("src", src).feed("c", mask).run().expect("right feeds")
    });
    case.add("tamis in place", || {
        let plan = bench.plan([("dest", after)]);
        let (dest, src, mask) = (Rc::new(RefCell::new(dest.clone())), &src, &mask);
        move || {
            let mut written = dest.borrow_mut();
            let run = plan.update("dest", written.view_mut()).feed("src", src).feed("c", mask);
            run.run().expect("right feeds");
            Rc::clone(&dest)
        }
    });
    case.add("ndarray in place", || {
        let is_parallel = bench.is_parallel(size);
        // Written in either case: without a branch.
        let assign = |to: &mut f32, from: &f32, m: &bool| *to = if *m { *from } else { *to };
        let (dest, src, mask) = (Rc::new(RefCell::new(dest.clone())), &src, &mask);
        move || {
            let mut written = dest.borrow_mut();
            let all = Zip::from(&mut *written).and(src).and(mask);
            if is_parallel {
                all.par_for_each(assign)
            } else {
                all.for_each(assign)
            }
            Rc::clone(&dest)
        }
    });
    case.add_hand(bench, || {
        let (dest, src, mask) = (dest.as_slice(), src.as_slice(), mask.as_slice().expect("contiguous"));
        let both = [dest, src].map(|array| array.expect("contiguous"));
        let kept = Kept::new(size);
        move || {
            hand::choose(&mut kept.borrow_mut(), both, mask, |to, from, m| if m { from } else { to });
            Rc::clone(&kept)
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let [dest, src] = [&dest, &src].map(peer::candle::tensor);
        let mask = peer::candle::mask(&mask);
        move || mask.where_cond(&src, &dest)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let [dest, src] = [&dest, &src].map(peer::burn::tensor::<1, _>);
        let mask = peer::burn::mask::<1, _>(&mask);
        move || dest.clone().mask_where(mask.clone(), src.clone())
    });
    bench.run(case);
}

/// W11: one of two transcendental functions of each element.
pub(crate) fn functions(bench: &mut Bench, size: usize, density: f32) {
    // Shifted, so that the share `density` is above 0.
    let x: Array1<f32> = Random::new(11).signed(size).mapv(|v| 3.0 * (v - threshold(density)));
    let case = bench.case("W11", "where(x>0, exp(-x)*tanh(x)+ln_1p(x), sigmoid(x))", size);
    let mut case = case.density(density).bytes(floats(size), floats(size));

    case.add("tamis", || {
        let graph = Graph::new();
        let x_in = graph.input::<f32>("x", dims!["n"]);
        let above = (-x_in).exp() * x_in.tanh() + x_in.ln_1p();
        let plan = bench.plan([("y", where_(x_in.gt(0.0_f32), above, x_in.sigmoid()))]);
        let x = &x;
        move || plan.feed("x", x).run().expect("a right feed")
    });
    case.add("ndarray", || {
        let is_parallel = bench.is_parallel(size);
        let function =
            |v: &f32| if *v > 0.0 { (-v).exp() * v.tanh() + v.ln_1p() } else { 1.0 / (1.0 + (-v).exp()) };
        let x = &x;
        move || if is_parallel { Zip::from(x).par_map_collect(function) } else { x.map(function) }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let x = peer::candle::tensor(&x);
        move || {
            let above = ((x.neg()?.exp()? * x.tanh()?)? + (&x + 1.0)?.log()?)?;
            x.gt(0.0_f32)?.where_cond(&above, &candle_nn::ops::sigmoid(&x)?)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let x = peer::burn::tensor::<1, _>(&x);
        move || {
            let above = (-x.clone()).exp() * x.clone().tanh() + x.clone().log1p();
            burn::tensor::activation::sigmoid(x.clone()).mask_where(x.clone().greater_scalar(0.0), above)
        }
    });
    bench.run(case);
}
