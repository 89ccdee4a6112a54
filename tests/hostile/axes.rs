//! E. Axes and parameters: out of range, repeated, overflowing.

use ndarray::{Array1, arr1, arr2};
use tamis::Slice;
use tamis::prelude::*;

use crate::{fails, gives, refused};

type Along = for<'g> fn(Expr<'g>, i64) -> Expr<'g>;

const OPS: [(&str, Along); 18] = [
    ("sum", |x, axis| x.sum(axis)),
    ("mean", |x, axis| x.mean(axis)),
    ("max", |x, axis| x.max(axis)),
    ("var", |x, axis| x.var(axis)),
    ("logsumexp", |x, axis| x.logsumexp(axis)),
    ("argmax", |x, axis| x.argmax(axis)),
    ("sort", |x, axis| x.sort(axis)),
    ("argsort", |x, axis| x.argsort(axis)),
    ("top_k", |x, axis| x.top_k(1, axis).0),
    ("cumsum", |x, axis| x.cumsum(axis)),
    ("cumprod", |x, axis| x.cumprod(axis)),
    ("softmax", |x, axis| x.softmax(axis)),
    ("gather", |x, axis| x.gather(x.graph().constant([0]), axis)),
    ("boolean_mask", |x, axis| x.boolean_mask_axis(x.graph().constant([true, true]), axis)),
    ("flip", |x, axis| x.flip(axis)),
    ("squeeze", |x, axis| x.squeeze(axis)),
    ("repeat", |x, axis| x.repeat(2, axis)),
    ("concat", |x, axis| x.graph().concat([x, x], axis)),
];

#[test]
fn an_axis_lies_within_the_rank() {
    for (name, op) in OPS {
        for axis in [2, -3, i64::MIN, i64::MAX] {
            let graph = Graph::new();
            let x = graph.zeros::<f64>([2, 2]);
            refused(op(x, axis), &format!("axis {axis} is out of range for shape"));
            assert_eq!(graph.check().unwrap_err().reports().len(), 1, "{name}");
        }
    }
}

#[test]
fn an_axis_beyond_an_i64_is_shown_as_it_was_written() {
    let graph = Graph::new();
    let x = graph.zeros::<f64>([2, 2]);
    refused(x.softmax(u64::MAX), "softmax: axis 18446744073709551615 is out of range for shape [2, 2]");
    refused(x.sum([0, usize::MAX]), "sum: axis 18446744073709551615 is out of range for shape [2, 2]");
    refused(x.slice_axis(0, usize::MAX), "slice_axis: axis 18446744073709551615 is out of range");
}

#[test]
fn an_axis_is_named_once() {
    let graph = Graph::new();
    let x = graph.zeros::<f64>([2, 3]);
    refused(x.sum([0, 0]), "sum: an axis is repeated in [0, 0]");
    refused(x.mean([1, -1]), "an axis is repeated in [1, -1]");
    refused(x.flip([0, -2]), "an axis is repeated in [0, -2]");
}

#[test]
fn a_permutation_names_every_axis_once() {
    for axes in [vec![0_i64, 0], vec![0], vec![0, 1, 2], vec![0, 2], vec![0, -3], vec![0, i64::MIN], vec![]] {
        let graph = Graph::new();
        refused(graph.zeros::<f64>([2, 3]).permute(axes), "permute:");
    }
    let graph = Graph::new();
    gives(graph.constant([[1, 2]]).permute([-1, 0]), arr2(&[[1], [2]]));
}

#[test]
fn a_slice_steps_and_clamps() {
    let graph = Graph::new();
    let x = graph.constant([1, 2, 3]);
    gives(x.slice_axis(Slice::new(None, None, -i64::MAX), 0), arr1(&[3]));
    gives(x.slice_axis(Slice::new(None, None, i64::MAX), 0), arr1(&[1]));
    gives(x.slice_axis(Slice::new(Some(i64::MIN), Some(i64::MAX), 1), 0), arr1(&[1, 2, 3]));
    gives(x.slice_axis(Slice::new(Some(i64::MAX), Some(i64::MIN), -1), 0), arr1(&[3, 2, 1]));
    gives(x.slice_axis(Slice::new(Some(2), Some(1), 1), 0), Array1::<i32>::zeros(0));
    for step in [0, i64::MIN] {
        let message = "slice_axis: the step of a slice cannot be 0 or the smallest i64";
        refused(x.slice_axis(Slice::new(None, None, step), 0), message);
    }
    for index in [3, -4, i64::MIN, i64::MAX] {
        let graph = Graph::new();
        refused(graph.constant([1, 2, 3]).slice_axis(index, 0), "slice");
    }
}

#[test]
fn a_slice_of_an_unknown_length_is_as_safe() {
    let graph = Graph::new();
    let x = graph.constant([1, 2, 3]);
    let kept = x.boolean_mask(x.gt(1));
    gives(kept.slice_axis(Slice::new(None, None, -i64::MAX), 0), arr1(&[3]));
    gives(kept.slice_axis(Slice::new(Some(i64::MIN), Some(i64::MAX), 1), 0), arr1(&[2, 3]));
    gives(kept.slice_axis(Slice::new(Some(i64::MAX), Some(i64::MIN), -1), 0), arr1(&[3, 2]));
    gives(kept.slice_axis(5.., 0), Array1::<i32>::zeros(0));
    for index in [2, -3, i64::MIN, i64::MAX] {
        fails(kept.slice_axis(index, 0), "slice");
    }
}

#[test]
fn padding_may_not_be_negative_or_overflow() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    gives(x.pad([(1, 3)], 9), arr1(&[9, 1, 2, 9, 9, 9]));
    fails(x.pad([(0, 1_i64 << 60)], 0), "pad: there is no memory");
    refused(x.pad([(-1, 0)], 0), "pad: a size cannot be negative, but -1 is");
    refused(x.pad([(i64::MAX, i64::MAX)], 0), "overflows");
    refused(x.pad([(0, 0), (0, 0)], 0), "pad:");
}

#[test]
fn top_k_takes_no_more_than_there_is() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 3.0, 2.0]);
    gives(x.top_k(0, 0).0, Array1::<f64>::zeros(0));
    gives(x.top_k(3, 0).1, arr1(&[1_i64, 2, 0]));
    for k in [4, i64::MAX, -1, i64::MIN] {
        let graph = Graph::new();
        refused(graph.constant([1.0, 3.0, 2.0]).top_k(k, 0).0, "top_k:");
    }
    // The length is known in the run alone.
    let kept = x.boolean_mask(x.gt(1.5));
    gives(kept.top_k(2, 0).0, arr1(&[3.0, 2.0]));
    fails(kept.top_k(3, 0).0, "top_k: k = 3 elements cannot be chosen along axis 0, which has length 2");
}

#[test]
fn counts_and_lengths_of_builders_are_checked() {
    let graph = Graph::new();
    let x = graph.constant([1, 2]);
    gives(x.repeat(0, 0), Array1::<i32>::zeros(0));
    gives(x.tile([0]), Array1::<i32>::zeros(0));
    refused(x.repeat(-1, 0), "a size cannot be negative, but -1 is");
    refused(x.tile([-1]), "a size cannot be negative, but -1 is");
    refused(x.split([1, 2], 0)[0], "split:");
    refused(graph.iota(-1), "iota: a size cannot be negative, but -1 is");
    refused(graph.concat([], 0), "concat:");
    refused(graph.stack([], 0), "stack:");
}
