//! Matrix products. The floats are integers and halves, whose sums no order rounds, so
//! that products are compared bit for bit too.

use ndarray::{ArrayD, Axis, s};
use tamis_graph::Linalg;

use super::{Noise, agree, fast, layouts, repeated, tensor};

const PLAIN: Linalg = Linalg::Matmul { mask_a: false, mask_b: false };

/// The shapes of two factors and of their product: around the edges of blocks,
/// one row or column, batches of both sizes, long sums.
const SHAPES: [[&[usize]; 3]; 9] = [
    [&[4, 3], &[3, 3], &[4, 3]],
    [&[17, 19], &[19, 13], &[17, 13]],
    [&[1, 5], &[5, 70], &[1, 70]],
    [&[90, 4], &[4, 1], &[90, 1]],
    [&[7, 2, 3, 4], &[7, 2, 4, 5], &[7, 2, 3, 5]],
    [&[2, 16, 9], &[2, 9, 17], &[2, 16, 17]],
    [&[3, 500], &[500, 4], &[3, 4]],
    [&[2, 161], &[161, 4], &[2, 4]],
    [&[40, 3, 4], &[40, 4, 4], &[40, 3, 4]],
];

#[test]
fn products_of_any_layout_are_those_of_the_reference() {
    let mut noise = Noise(1);
    for [a, b, shape] in SHAPES {
        let (a, b) = (noise.floats(a), noise.floats(b));
        for (a, b) in layouts(&a).iter().zip(layouts(&b)) {
            agree(PLAIN, &[tensor(a), tensor(&b)], shape);
        }
        let (a, b) = (a.mapv(f64::from), b.mapv(f64::from));
        agree(PLAIN, &[tensor(&a), tensor(&b)], shape);
    }
}

/// Thirds round in every sum, so that another order would show.
#[test]
fn products_do_not_depend_on_where_elements_lie() {
    let mut noise = Noise(8);
    let more: [[&[usize]; 3]; 4] = [
        [&[70, 40], &[40, 70], &[70, 70]],
        [&[5, 2000], &[2000, 1], &[5, 1]],
        [&[1, 2000], &[2000, 1], &[1, 1]],
        [&[1, 40], &[40, 100], &[1, 100]],
    ];
    for [a, b, shape] in SHAPES.into_iter().chain(more) {
        let [a, b] = [a, b].map(|shape| noise.array(shape, |noise| noise.below(100) as f64 / 3.0 - 16.0));
        let expected = fast(&PLAIN.into(), &[tensor(&a), tensor(&b)], shape, 1);
        for a in layouts(&a) {
            for b in layouts(&b) {
                for threads in [1, 2, 8] {
                    assert_eq!(
                        fast(&PLAIN.into(), &[tensor(&a), tensor(&b)], shape, threads),
                        expected,
                        "{shape:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn products_of_integers_wrap() {
    let mut noise = Noise(2);
    for [a, b, shape] in SHAPES {
        let (a, b) =
            (noise.array(a, |noise| noise.next() as i32), noise.array(b, |noise| noise.next() as i32));
        for (a, b) in layouts(&a).iter().zip(layouts(&b)) {
            agree(PLAIN, &[tensor(a), tensor(&b)], shape);
        }
        agree(PLAIN, &[tensor(&a.mapv(|x| x as u8)), tensor(&b.mapv(|x| x as u8))], shape);
        agree(PLAIN, &[tensor(&a.mapv(|x| i64::from(x) << 20)), tensor(&b.mapv(i64::from))], shape);
    }
}

#[test]
fn a_repeated_batch_is_not_copied() {
    let mut noise = Noise(3);
    let (a, b) = (noise.floats(&[5, 9, 6]), noise.floats(&[6, 8]));
    let b = b.insert_axis(Axis(0));
    agree(PLAIN, &[tensor(&a), repeated(&b, &[5, 6, 8])], &[5, 9, 8]);
}

#[test]
fn products_without_elements_are_left_to_the_reference() {
    let empty = ArrayD::<f32>::zeros(vec![2, 0]);
    let transposed = ArrayD::<f32>::zeros(vec![0, 2]);
    assert_eq!(fast(&PLAIN.into(), &[tensor(&empty), tensor(&transposed)], &[2, 2], 2), None);
    assert_eq!(fast(&PLAIN.into(), &[tensor(&transposed), tensor(&empty)], &[0, 0], 2), None);
}

#[test]
fn masked_factors_take_no_part() {
    let mut noise = Noise(4);
    for [a, b, shape] in SHAPES {
        let masks = [noise.mask(a, 70), noise.mask(b, 70)];
        let (a, b) = (noise.floats(a), noise.floats(b));
        let integers = [a.mapv(|x| x as i64), b.mapv(|x| x as i64)];
        for [mask_a, mask_b] in [[true, true], [true, false], [false, true]] {
            let op = Linalg::Matmul { mask_a, mask_b };
            let masks = [mask_a, mask_b].into_iter().zip(&masks).filter(|(used, _)| *used);
            let masks: Vec<_> = masks.map(|(_, mask)| tensor(mask)).collect();
            agree(op, &[&[tensor(&a), tensor(&b)], &*masks].concat(), shape);
            agree(op, &[&[tensor(&integers[0]), tensor(&integers[1])], &*masks].concat(), shape);
        }
    }
}

#[test]
fn a_mask_may_be_repeated() {
    let mut noise = Noise(5);
    let (a, b, mask) = (noise.floats(&[2, 6, 5]), noise.floats(&[2, 5, 4]), noise.mask(&[1, 1, 5], 50));
    let op = Linalg::Matmul { mask_a: true, mask_b: false };
    for a in layouts(&a) {
        agree(op, &[tensor(&a), tensor(&b), tensor(&mask)], &[2, 6, 4]);
    }
}

/// Both where they are selected and where they are not.
#[test]
fn what_is_not_finite_reaches_the_sums_that_select_it() {
    let mut noise = Noise(6);
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    let both = Linalg::Matmul { mask_a: true, mask_b: true };
    for [shape_a, shape_b, shape] in SHAPES {
        let masks = [noise.mask(shape_a, 60), noise.mask(shape_b, 60)];
        for some in [30, 1] {
            let mut element = |noise: &mut Noise| match noise.below(100) {
                n if n < some => odd[n % 3],
                n => n as f32,
            };
            let (a, b) = (noise.array(shape_a, &mut element), noise.array(shape_b, element));
            let masks = [tensor(&masks[0]), tensor(&masks[1])];
            agree(both, &[&[tensor(&a), tensor(&b)], &masks[..]].concat(), shape);
            let one = Linalg::Matmul { mask_a: false, mask_b: true };
            agree(one, &[tensor(&a), tensor(&b), masks[1].clone()], shape);
        }
    }
}

/// Thirds round in every sum, so that another order would show.
#[test]
fn nothing_outside_a_row_and_a_column_moves_a_bit() {
    let mut noise = Noise(7);
    let a = noise.array(&[9, 20], |noise| noise.below(100) as f64 / 3.0);
    let b = noise.array(&[20, 10], |noise| noise.below(100) as f64 / 3.0);
    let masks = [noise.mask(&[9, 20], 60), noise.mask(&[20, 10], 60)];
    let both = Linalg::Matmul { mask_a: true, mask_b: true }.into();
    let product = |a: &ArrayD<f64>, b: &ArrayD<f64>| {
        let operands = [tensor(a), tensor(b), tensor(&masks[0]), tensor(&masks[1])];
        let [one, two, eight] = [1, 2, 8].map(|threads| fast(&both, &operands, &[9, 10], threads).unwrap());
        assert!(one == two && two == eight);
        ArrayD::from_shape_vec(vec![9, 10], one.1).unwrap()
    };
    let clean = product(&a, &b);
    let poison = |x: &ArrayD<f64>, mask: &ArrayD<bool>| {
        let mut poisoned = x.clone();
        poisoned.zip_mut_with(mask, |x, selected| *x = if *selected { *x } else { f64::NAN });
        poisoned
    };
    assert_eq!(product(&poison(&a, &masks[0]), &poison(&b, &masks[1])), clean);
    let mut other = a.clone();
    other.index_axis_mut(Axis(0), 4).fill(f64::INFINITY);
    let moved = product(&other, &b);
    assert_eq!(moved.slice(s![..4, ..]), clean.slice(s![..4, ..]));
    assert_eq!(moved.slice(s![5.., ..]), clean.slice(s![5.., ..]));
}

/// Of thirds, so that another order of a sum would show. Bits of `rows` of a product of this inner
/// length and width, both factors in one of the layouts, on so many threads.
fn bits_of_rows<T: tamis_graph::Element + Copy>(
    [a, b]: [&ArrayD<T>; 2],
    rows: std::ops::Range<usize>,
    layout: [usize; 2],
    threads: usize,
) -> Vec<u64> {
    let some = a.slice(s![rows.clone(), ..]).into_owned().into_dyn();
    let operands = [tensor(&layouts(&some)[layout[0]]), tensor(&layouts(b)[layout[1]])];
    let shape = [rows.len(), b.shape()[1]];
    fast(&PLAIN.into(), &operands, &shape, threads).expect("a product has a fast kernel").1
}

/// Few rows, and few elements, take other methods than many.
#[test]
fn a_row_of_a_product_does_not_depend_on_other_rows() {
    fn check<T: tamis_graph::Element + Copy>(third: fn(&mut Noise) -> T) {
        const ROWS: usize = 70;
        let mut noise = Noise(9);
        for inner in [1, 2, 3, 4, 6, 7, 13, 16, 40, 131] {
            for width in [1, 2, 3, 4, 5, 17, 40] {
                let a = noise.array(&[ROWS, inner], third);
                let b = noise.array(&[inner, width], third);
                let factors = [&a, &b];
                let all = bits_of_rows(factors, 0..ROWS, [0, 0], 1);
                let expected = |rows: std::ops::Range<usize>| &all[rows.start * width..rows.end * width];
                for layout in [[0, 0], [1, 1], [2, 2], [0, 1], [1, 0]] {
                    for rows in [0..1, 69..70, 3..5, 1..4, 20..25, 5..13, 0..17, 0..ROWS] {
                        let found = bits_of_rows(factors, rows.clone(), layout, 2);
                        assert_eq!(found, expected(rows.clone()), "{rows:?} x {inner} x {width}, {layout:?}");
                    }
                }
            }
        }
    }
    check(|noise| noise.below(100) as f64 / 3.0 - 16.0);
    check(|noise| noise.below(100) as f32 / 3.0 - 16.0);
    check(|noise| noise.next() as i32);
}
