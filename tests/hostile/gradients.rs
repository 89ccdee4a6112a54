//! H. Gradients: finite wherever the true one is, exactly 0 where masked.

use ndarray::{Array1, arr1};
use tamis::hvp;
use tamis::prelude::*;

use crate::{fails, gives};

#[test]
fn a_choice_beside_a_pole_has_a_gradient() {
    let graph = Graph::new();
    let x = graph.constant([0.0, 4.0, -1.0]);
    let positive = x.gt(0.0);
    for (loss, slope) in [
        (where_(positive, x.sqrt(), 0.0), 0.25),
        (where_(positive, x.ln(), 0.0), 0.25),
        (where_(positive, x.recip(), 0.0), -0.0625),
        (x.ln().unsqueeze(1).boolean_mask(positive), 0.25),
        (x.sqrt().masked(positive).sum(keep(0)), 0.25),
        (where_(positive, x.pow(0.5), 0.0).cumsum(0).slice_axis(2.., 0), 0.25),
    ] {
        gives(grad(loss.sum(..), x), arr1(&[0.0, slope, 0.0]));
    }
    let loss = where_(positive, x.sqrt(), 0.0).sum(..);
    gives(hvp(loss, x, graph.ones::<f64>([3])), arr1(&[0.0, -0.03125, 0.0]));
}

#[test]
fn a_logarithm_under_a_mask_gives_zero_outside() {
    let graph = Graph::new();
    let x = graph.constant([2.0, 0.0, f64::NAN, f64::INFINITY, -1.0]);
    let mask = graph.constant([true, false, false, false, false]);
    gives(grad(x.ln().masked(mask).sum(..), x), arr1(&[0.5, 0.0, 0.0, 0.0, 0.0]));
    gives(grad(x.ln().masked(mask).mean(..), x), arr1(&[0.5, 0.0, 0.0, 0.0, 0.0]));
    gives(grad(x.masked(mask).norm(..), x), arr1(&[1.0, 0.0, 0.0, 0.0, 0.0]));
}

#[test]
fn the_norm_at_zero_is_flat() {
    let graph = Graph::new();
    let x = graph.constant([0.0, 0.0]);
    gives(grad(x.norm(..), x), arr1(&[0.0, 0.0]));
    gives(grad(x.std(..), x), arr1(&[0.0, 0.0]));
    gives(grad(x.norm(..) * 3.0 + x.abs().sum(..) + x.relu().sum(..), x), arr1(&[0.0, 0.0]));
}

#[test]
fn ties_share_their_gradient() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 3.0, 3.0]);
    gives(grad(x.max(..), x), arr1(&[0.0, 0.5, 0.5]));
    gives(grad(x.top_k(1, 0).0.sum(..), x), arr1(&[0.0, 0.5, 0.5]));
    gives(grad(x.maximum(3.0).sum(..), x), arr1(&[0.0, 0.5, 0.5]));
    gives(grad(x.masked(x.gt(0.0)).max(..), x), arr1(&[0.0, 0.5, 0.5]));
}

#[test]
fn a_gradient_passes_through_an_empty_selection() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0]);
    let none = x.gt(5.0);
    for loss in [
        x.boolean_mask(none).ln().sum(..),
        x.boolean_mask(none).prod(..),
        x.boolean_mask(none).norm(..),
        x.boolean_mask(none).sort(0).cumsum(0).sum(..),
        x.boolean_mask(none).softmax(0).sum(..),
        x.masked(none).softmax(0).square().sum(..),
        x.masked(none).if_empty(0.0).mean(..),
        x.masked(none).if_empty(3.0).max(..),
        x.gather_nd(none.argwhere()).exp().sum(..),
        x.boolean_mask(none).unmask(none, 1.0).sum(..),
    ] {
        gives(grad(loss, x), arr1(&[0.0, 0.0]));
    }
    // What cannot be computed forward is no gradient backward either, unless none is asked.
    fails(x.boolean_mask(none).max(..), "max: there is no element to choose from");
}

#[test]
fn a_gradient_of_an_empty_selection_by_nothing_is_empty() {
    let graph = Graph::new();
    let x = graph.zeros::<f64>([0]);
    for loss in [x.sum(..), x.prod(..), x.norm(..), x.cumprod(0).sum(..), x.sort(0).sum(..), x.logsumexp(..)]
    {
        gives(grad(loss, x), Array1::<f64>::zeros(0));
    }
}

#[test]
fn a_product_with_zeros_has_its_true_gradient() {
    let graph = Graph::new();
    let x = graph.constant([2.0, 0.0, 3.0]);
    gives(grad(x.prod(..), x), arr1(&[0.0, 6.0, 0.0]));
    gives(grad(x.cumprod(0).sum(..), x), arr1(&[1.0, 8.0, 0.0]));
    let x = graph.constant([0.0, 0.0, 3.0]);
    gives(grad(x.prod(..), x), arr1(&[0.0, 0.0, 0.0]));
}
