//! The same elements, arranged otherwise.

use std::sync::Arc;

use ndarray::{ArrayD, Axis, IxDyn, Slice};
use tamis_graph::{Layout, PadAxis};

use super::{Noise, Operand, agree, fast, layouts, refuse, repeated, tensor};
use crate::fast::copy;
use crate::threads::Threads;

/// The lengths of axes.
type Lengths = &'static [usize];

/// Where an operand starts on each axis, and its step.
type Starts = &'static [(usize, i64)];

fn reshape(shape: &[usize]) -> Layout {
    Layout::Reshape(shape.iter().map(|n| tamis_graph::Dim::from(*n)).collect())
}

fn pad(axes: &[(usize, i64)]) -> Layout {
    let axis = |(start, step): &(usize, i64)| PadAxis { start: (*start).into(), step: *step, size: 0.into() };
    Layout::Pad(axes.iter().map(axis).collect())
}

#[test]
fn elements_out_of_order_are_copied_in_order() {
    let mut noise = Noise(1);
    let shapes: [&[usize]; 6] = [&[200], &[70, 50], &[3, 100], &[100, 3], &[5, 40, 6], &[2, 3, 33, 35]];
    for shape in shapes {
        let x = noise.floats(shape);
        let flat = [shape.iter().product()];
        for x in layouts(&x) {
            agree(reshape(&flat), &[tensor(&x)], &flat);
            agree(reshape(&flat), &[tensor(&x.mapv(|x| x > 0.0))], &flat);
        }
    }
    let row = noise.floats(&[1, 90, 1]);
    agree(reshape(&[630]), &[repeated(&row, &[1, 90, 7])], &[630]);
    agree(reshape(&[630]), &[repeated(&row, &[7, 90, 1])], &[630]);
}

#[test]
fn copies_read_every_order_of_axes() {
    let mut noise = Noise(2);
    let x = noise.array(&[33, 2, 40, 5], |noise| noise.next() as i64);
    for axes in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [3, 0, 1, 2], [0, 2, 1, 3]] {
        for step in [1, -1, 2] {
            let mut view = x.view().permuted_axes(IxDyn(&axes));
            view.slice_axis_inplace(Axis(1), Slice::from(..).step_by(step));
            for threads in [1, 2, 8] {
                let mut elements = vec![-1; view.len()];
                copy::fill(&mut elements, &view, &Threads::new(threads));
                assert!(elements.iter().eq(&view), "{axes:?} {step} {threads}");
            }
        }
    }
}

#[test]
fn padding_puts_elements_where_the_reference_puts_them() {
    let mut noise = Noise(3);
    let cases: [(Lengths, Starts, Lengths); 6] = [
        (&[200], &[(30, 1)], &[260]),
        (&[7, 50], &[(12, -2), (3, 1)], &[14, 60]),
        (&[7, 3], &[(0, 1), (2, 1)], &[70, 5]),
        (&[3, 4, 30], &[(1, 3), (4, -1), (0, 1)], &[9, 5, 31]),
        (&[1, 100], &[(5, -9), (0, 1)], &[6, 100]),
        (&[20, 1], &[(0, 1), (4, -7)], &[20, 5]),
    ];
    for (shape, axes, padded) in cases {
        let x = noise.floats(shape);
        for x in layouts(&x) {
            agree(pad(axes), &[tensor(&x)], padded);
            agree(pad(axes), &[tensor(&x.mapv(|x| x > 0.0))], padded);
        }
    }
    let row = noise.floats(&[5, 1]);
    agree(pad(&[(1, 2), (1, 1)]), &[repeated(&row, &[5, 20])], &[10, 22]);
}

#[test]
fn padding_that_leaves_its_axis_is_left_to_the_reference() {
    let x = ArrayD::<i32>::zeros(vec![3, 2]);
    refuse(pad(&[(1, 1), (0, 1)]), &[tensor(&x)], &[3, 2]);
    refuse(pad(&[(1, -1), (0, 1)]), &[tensor(&x)], &[5, 2]);
    let strided = pad(&[(0, 1), (0, 2)]);
    assert_eq!(fast(&strided.into(), &[tensor(&x)], &[3, 3], 2), None);
}

#[test]
fn chunks_stand_one_after_another() {
    let mut noise = Noise(4);
    let cases: [(usize, &[Lengths], Lengths); 5] = [
        (0, &[&[100], &[0], &[70], &[1]], &[171]),
        (0, &[&[3, 30], &[1, 30]], &[4, 30]),
        (1, &[&[50, 1], &[50, 2], &[50, 1]], &[50, 4]),
        (1, &[&[2, 60], &[2, 90]], &[2, 150]),
        (1, &[&[4, 2, 5], &[4, 3, 5]], &[4, 5, 5]),
    ];
    for (axis, shapes, result) in cases {
        let outputs: Vec<ArrayD<f32>> = shapes.iter().map(|shape| noise.floats(shape)).collect();
        for layout in 0..3 {
            let operands: Vec<Operand> =
                outputs.iter().map(|output| tensor(&layouts(output)[layout])).collect();
            agree(Layout::Concat { axis }, &operands, result);
        }
    }
}

#[test]
fn an_assertion_that_fails_is_left_to_the_reference() {
    let assert = Layout::Assert { message: Arc::from("no"), index: 0 };
    let (x, mut mask) = (ArrayD::<i32>::zeros(vec![3]), ArrayD::from_elem(vec![100], true));
    agree(assert.clone(), &[tensor(&x), tensor(&mask)], &[3]);
    agree(assert.clone(), &[tensor(&x), repeated(&ArrayD::from_elem(vec![1], false), &[0])], &[3]);
    mask[77] = false;
    refuse(assert, &[tensor(&x), tensor(&mask)], &[3]);
}
