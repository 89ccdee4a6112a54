//! `argmax`, `argmin`, sorting and scans.

use ndarray::{ArrayD, Axis};
use tamis_graph::{Direction, Order, Scan};

use super::{Noise, agree, fast, layouts, refuse, repeated, tensor};

/// Fibers on every axis: many, one, longer than several chunks, side by side.
const SHAPES: [&[usize]; 9] =
    [&[300], &[1], &[65, 3], &[3, 65], &[200, 9], &[5, 6, 7], &[2, 40, 20], &[1, 700], &[400, 1, 2]];

#[test]
fn min_or_max_elements_are_where_the_reference_finds_them() {
    let mut noise = Noise(1);
    for shape in SHAPES {
        let odd = noise.odd_floats(shape);
        let all = noise.array(shape, |noise| noise.below(9) as i32);
        for axis in 0..shape.len() {
            let result: Vec<usize> = [&shape[..axis], &shape[axis + 1..]].concat();
            for op in [Order::Argmax { axis, if_empty: None }, Order::Argmin { axis, if_empty: None }] {
                for (odd, all) in layouts(&odd).iter().zip(layouts(&all)) {
                    agree(op, &[tensor(odd)], &result);
                    agree(op, &[tensor(&all)], &result);
                }
                agree(op, &[tensor(&odd.mapv(|x| x > 0.0))], &result);
                agree(op, &[tensor(&all.mapv(|x| x as f32))], &result);
            }
        }
    }
}

#[test]
fn min_or_max_selected_elements_are_where_the_reference_finds_them() {
    let mut noise = Noise(5);
    for shape in SHAPES {
        let odd = noise.odd_floats(shape);
        let all = noise.array(shape, |noise| noise.below(9) as u8);
        for (axis, percent) in (0..shape.len()).flat_map(|axis| [0, 3, 40, 100].map(|some| (axis, some))) {
            let result: Vec<usize> = [&shape[..axis], &shape[axis + 1..]].concat();
            let mask = noise.mask(shape, percent);
            let if_empty = Some(-7);
            for op in [Order::Argmax { axis, if_empty }, Order::Argmin { axis, if_empty }] {
                for (odd, mask) in layouts(&odd).iter().zip(layouts(&mask)) {
                    agree(op, &[tensor(odd), tensor(&mask)], &result);
                    agree(op, &[tensor(&all), tensor(&mask)], &result);
                }
            }
        }
        let columns = repeated(&noise.mask(&shape[shape.len() - 1..], 50), shape);
        let op = Order::Argmax { axis: 0, if_empty: Some(0) };
        agree(op, &[tensor(&all), columns], &shape[1..]);
    }
}

#[test]
fn an_empty_selection_is_left_to_the_reference() {
    let mut noise = Noise(6);
    for shape in SHAPES {
        let (x, mask) = (noise.floats(shape), noise.mask(shape, 0));
        for axis in 0..shape.len() {
            let result: Vec<usize> = [&shape[..axis], &shape[axis + 1..]].concat();
            refuse(Order::Argmin { axis, if_empty: None }, &[tensor(&x), tensor(&mask)], &result);
        }
    }
}

#[test]
fn sorts_are_stable_with_nan_last() {
    let mut noise = Noise(2);
    for shape in SHAPES {
        let odd = noise.odd_floats(shape);
        let (single, integers) =
            (noise.floats(shape), noise.array(shape, |noise| noise.next() as i64 - (1 << 30)));
        for axis in 0..shape.len() {
            for op in [true, false].map(|descending| Order::Argsort { axis, descending }) {
                for odd in layouts(&odd) {
                    agree(op, &[tensor(&odd)], shape);
                    agree(op, &[tensor(&odd.mapv(|x| x as f32))], shape);
                }
                agree(op, &[tensor(&single)], shape);
                agree(op, &[tensor(&integers)], shape);
                agree(op, &[tensor(&integers.mapv(|x| x as i32))], shape);
                agree(op, &[tensor(&integers.mapv(|x| x as u8))], shape);
                agree(op, &[tensor(&integers.mapv(|x| x % 2 == 0))], shape);
            }
        }
    }
}

#[test]
fn the_ends_of_a_type_sort_in_order() {
    let op = |descending| Order::Argsort { axis: 0, descending };
    for descending in [true, false] {
        let floats =
            [f64::MAX, f64::MIN, f64::INFINITY, -f64::INFINITY, -f64::NAN, f64::NAN, 5e-324, -5e-324];
        let floats = ArrayD::from_shape_vec(vec![8], floats.to_vec()).unwrap();
        agree(op(descending), &[tensor(&floats)], &[8]);
        agree(op(descending), &[tensor(&floats.mapv(|x| x as f32))], &[8]);
        let integers = ArrayD::from_shape_vec(vec![4], vec![i64::MAX, i64::MIN, 0, -1]).unwrap();
        agree(op(descending), &[tensor(&integers)], &[4]);
        agree(op(descending), &[tensor(&integers.mapv(|x| (x >> 32) as i32))], &[4]);
    }
}

#[test]
fn the_largest_are_read_at_their_indices() {
    let mut noise = Noise(3);
    let (x, indices) = (noise.odd_floats(&[70, 9]), noise.indices(&[70, 4], 9));
    for (x, indices) in layouts(&x).iter().zip(layouts(&indices)) {
        agree(Order::TopK { axis: 1 }, &[tensor(x), tensor(&indices)], &[70, 4]);
    }
}

#[test]
fn fibers_without_elements_are_left_to_the_reference() {
    let empty = ArrayD::<f32>::zeros(vec![2, 0]);
    assert_eq!(fast(&Order::Argmax { axis: 1, if_empty: None }.into(), &[tensor(&empty)], &[2], 2), None);
    let sort = Order::Argsort { axis: 0, descending: false };
    assert_eq!(fast(&sort.into(), &[tensor(&empty)], &[2, 0], 2), None);
    let scan = Scan::Cumsum(Direction { axis: 1, exclusive: false, reverse: false });
    assert_eq!(fast(&scan.into(), &[tensor(&empty)], &[2, 0], 2), None);
}

/// Thirds round in every sum, so that another order would show.
#[test]
fn scans_run_as_the_reference_runs() {
    let mut noise = Noise(4);
    for shape in SHAPES {
        let thirds = noise.array(shape, |noise| noise.below(100) as f64 / 3.0 - 16.0);
        let odd = noise.odd_floats(shape);
        let mask = noise.mask(shape, 10);
        for axis in 0..shape.len() {
            for (exclusive, reverse) in [(false, false), (true, false), (false, true), (true, true)] {
                let direction = Direction { axis, exclusive, reverse };
                for op in [Scan::Cumsum(direction), Scan::Cumprod(direction)] {
                    for x in layouts(&thirds) {
                        agree(op, &[tensor(&x)], shape);
                        agree(op, &[tensor(&x.mapv(|x| x as f32))], shape);
                        agree(op, &[tensor(&x.mapv(|x| x as i64))], shape);
                    }
                }
                agree(Scan::Cumsum(direction), &[tensor(&odd)], shape);
                agree(Scan::RunningOr(direction), &[tensor(&mask)], shape);
            }
            for reverse in [false, true] {
                let mut a = noise.array(shape, |noise| noise.below(100) as f64 / 70.0);
                let first = if reverse { shape[axis] - 1 } else { 0 };
                a.index_axis_mut(Axis(axis), first).fill(f64::NAN);
                for (a, b) in layouts(&a).iter().zip(layouts(&thirds)) {
                    agree(Scan::Linear { axis, reverse }, &[tensor(a), tensor(&b)], shape);
                }
            }
        }
    }
}
