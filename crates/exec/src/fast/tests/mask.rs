//! Selection by a mask and its inverse.

use ndarray::{ArrayD, arr0};
use tamis_graph::Mask;

use super::{Noise, Operand, agree, fast, layouts, refuse, repeated, tensor};

/// A shape, the first masked axis and how many are masked: rows of every width
/// that is moved as an array, and of others; masks of every rank; blocks.
const SHAPES: [(&[usize], usize, usize); 14] = [
    (&[300], 0, 1),
    (&[129, 2], 0, 1),
    (&[65, 3], 0, 1),
    (&[5, 13, 4], 0, 2),
    (&[70, 8], 0, 1),
    (&[41, 5], 0, 1),
    (&[9, 100], 0, 1),
    (&[11, 13], 0, 2),
    (&[3, 4, 5, 6], 0, 4),
    (&[7, 30], 1, 1),
    (&[2, 150, 3], 1, 1),
    (&[40, 5, 2], 1, 1),
    (&[2, 3, 7, 9], 1, 2),
    (&[4], 0, 0),
];

fn masks(noise: &mut Noise, shape: &[usize]) -> Vec<ArrayD<bool>> {
    [0, 1, 8, 50, 95, 100].map(|percent| noise.mask(shape, percent)).to_vec()
}

fn count(mask: &ArrayD<bool>) -> usize {
    mask.iter().filter(|selected| **selected).count()
}

fn selected(shape: &[usize], axis: usize, rank: usize, count: usize) -> Vec<usize> {
    [&shape[..axis], &[count], &shape[axis + rank..]].concat()
}

#[test]
fn a_mask_selects_what_the_reference_selects() {
    let mut noise = Noise(1);
    for (shape, axis, rank) in SHAPES {
        let x = noise.floats(shape);
        for mask in masks(&mut noise, &shape[axis..axis + rank]) {
            let result = selected(shape, axis, rank, count(&mask));
            for (x, mask) in layouts(&x).iter().zip(layouts(&mask)) {
                agree(Mask::BooleanMask { axis }, &[tensor(x), tensor(&mask)], &result);
            }
            let others = [
                tensor(&x.mapv(|x| x > 0.0)),
                tensor(&x.mapv(|x| x as u8)),
                tensor(&x.mapv(|x| x as i64)),
                tensor(&noise.odd_floats(shape)),
            ];
            for x in others {
                agree(Mask::BooleanMask { axis }, &[x, tensor(&mask)], &result);
            }
        }
    }
}

#[test]
fn what_was_selected_goes_back_to_its_position() {
    let mut noise = Noise(2);
    for (shape, axis, rank) in SHAPES {
        let fill = noise.floats(shape);
        let row = noise.floats(&shape[shape.len() - 1..]);
        let row =
            row.into_shape_with_order([vec![1; shape.len() - 1], vec![shape[shape.len() - 1]]].concat());
        let fills = [tensor(&fill), tensor(&arr0(-7.5_f32).into_dyn()), tensor(&row.unwrap())];
        for mask in masks(&mut noise, &shape[axis..axis + rank]) {
            let values = noise.floats(&selected(shape, axis, rank, count(&mask)));
            for (values, mask) in layouts(&values).iter().zip(layouts(&mask)) {
                for fill in &fills {
                    agree(Mask::Unmask { axis }, &[tensor(values), tensor(&mask), fill.clone()], shape);
                }
            }
        }
    }
}

#[test]
fn the_true_elements_are_found() {
    let mut noise = Noise(3);
    let shapes: [&[usize]; 8] =
        [&[200], &[65], &[3, 50], &[90, 2], &[5, 6, 7], &[70, 1, 1], &[2, 3, 4, 9], &[129, 1, 1, 1]];
    for shape in shapes {
        for mask in masks(&mut noise, shape) {
            for layout in layouts(&mask) {
                agree(Mask::Argwhere, &[tensor(&layout)], &[count(&mask), shape.len()]);
            }
        }
    }
}

#[test]
fn masks_may_be_repeated() {
    let mut noise = Noise(4);
    let (x, mask) = (noise.floats(&[30, 7]), noise.mask(&[30, 1], 40));
    let broadcast: Operand = repeated(&mask, &[30, 7]);
    let all = 7 * count(&mask);
    agree(Mask::BooleanMask { axis: 0 }, &[tensor(&x), broadcast.clone()], &[all]);
    agree(Mask::Argwhere, std::slice::from_ref(&broadcast), &[all, 2]);
    let one = repeated(&arr0(2.5_f32).insert_axis(ndarray::Axis(0)).into_dyn(), &[all]);
    agree(Mask::Unmask { axis: 0 }, &[one, broadcast, tensor(&arr0(0.0_f32).into_dyn())], &[30, 7]);
}

#[test]
fn what_has_no_elements_selects_none() {
    let x = ArrayD::<f32>::zeros(vec![3, 0]);
    let mask = ArrayD::from_elem(vec![3], true);
    agree(Mask::BooleanMask { axis: 0 }, &[tensor(&x), tensor(&mask)], &[3, 0]);
    let none = ArrayD::from_elem(vec![3, 0], true);
    agree(Mask::BooleanMask { axis: 0 }, &[tensor(&x), tensor(&none)], &[0]);
    agree(Mask::Argwhere, &[tensor(&none)], &[0, 2]);
}

#[test]
fn values_must_be_as_many_as_the_true_elements() {
    let (values, mask) = (ArrayD::<i32>::zeros(vec![2]), ArrayD::from_elem(vec![3], true));
    refuse(Mask::Unmask { axis: 0 }, &[tensor(&values), tensor(&mask), tensor(&arr0(0).into_dyn())], &[3]);
}

#[test]
fn coordinates_on_many_axes_are_left_to_the_reference() {
    let mask = ArrayD::from_elem(vec![1, 1, 1, 1, 2], true);
    assert_eq!(fast(&Mask::Argwhere.into(), &[tensor(&mask)], &[2, 5], 1), None);
}
