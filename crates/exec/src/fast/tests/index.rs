//! Reading and writing at computed indices.

use ndarray::{ArrayD, Axis, array};
use tamis_graph::{Addressing, Combine, Index};

use super::{Noise, Operand, agree, fast, layouts, refuse, repeated, tensor};

const COMBINES: [Combine; 5] = [Combine::Set, Combine::Add, Combine::Mul, Combine::Max, Combine::Min];

/// A way to address a tensor of the first shape by indices of the second, and
/// the shape of what they address.
struct Case {
    addressing: Addressing,
    x: &'static [usize],
    indices: &'static [usize],
    addressed: &'static [usize],
}

const fn case(
    addressing: Addressing,
    x: &'static [usize],
    indices: &'static [usize],
    addressed: &'static [usize],
) -> Case {
    Case { addressing, x, indices, addressed }
}

const CASES: [Case; 18] = [
    case(Addressing::Axis(0), &[50], &[300], &[300]),
    case(Addressing::Axis(0), &[9, 2], &[10, 7], &[10, 7, 2]),
    case(Addressing::Axis(0), &[20, 3], &[65], &[65, 3]),
    case(Addressing::Axis(0), &[20, 4], &[], &[4]),
    case(Addressing::Axis(0), &[7, 2, 4], &[33], &[33, 2, 4]),
    case(Addressing::Axis(0), &[30, 70], &[9], &[9, 70]),
    case(Addressing::Axis(0), &[3, 5], &[200], &[200, 5]),
    case(Addressing::Axis(1), &[40, 6], &[5], &[40, 5]),
    case(Addressing::Axis(1), &[2, 6, 3], &[50], &[2, 50, 3]),
    case(Addressing::Axis(2), &[3, 4, 90], &[2, 3], &[3, 4, 2, 3]),
    case(Addressing::AlongAxis(0), &[80], &[130], &[130]),
    case(Addressing::AlongAxis(0), &[8, 30], &[5, 30], &[5, 30]),
    case(Addressing::AlongAxis(1), &[40, 6], &[40, 3], &[40, 3]),
    case(Addressing::AlongAxis(1), &[3, 6, 20], &[3, 30, 20], &[3, 30, 20]),
    case(Addressing::Nd, &[6, 7], &[150, 2], &[150]),
    case(Addressing::Nd, &[6, 7, 4], &[3, 50, 1], &[3, 50, 7, 4]),
    case(Addressing::Nd, &[4, 5, 6], &[66, 3], &[66]),
    case(Addressing::Nd, &[3, 2], &[40, 0], &[40, 3, 2]),
];

impl Case {
    /// Indices from either end, within their axes.
    fn indices(&self, noise: &mut Noise) -> ArrayD<i64> {
        match self.addressing {
            Addressing::Axis(axis) | Addressing::AlongAxis(axis) => noise.indices(self.indices, self.x[axis]),
            Addressing::Nd => {
                let mut indices = ArrayD::zeros(self.indices);
                for (axis, mut column) in indices.axis_iter_mut(Axis(self.indices.len() - 1)).enumerate() {
                    column.assign(&noise.indices(&self.indices[..self.indices.len() - 1], self.x[axis]));
                }
                indices
            }
        }
    }

    /// The same indices but for one that is outside its axis, if there is any.
    fn outside(&self, noise: &mut Noise) -> Option<ArrayD<i64>> {
        let mut indices = self.indices(noise);
        let index = noise.below(indices.len().max(1));
        *indices.iter_mut().nth(index)? = [1000, -1000, i64::MIN, i64::MAX][noise.below(4)];
        Some(indices)
    }
}

#[test]
fn gathers_read_what_the_reference_reads() {
    let mut noise = Noise(1);
    for case in &CASES {
        let (x, indices) = (noise.floats(case.x), case.indices(&mut noise));
        let op = Index::Gather(case.addressing);
        for (x, indices) in layouts(&x).iter().zip(layouts(&indices)) {
            // What is large and out of order is left to the reference.
            let operands = [tensor(x), tensor(&indices)];
            if x.is_standard_layout() || x.len() / 4 <= case.addressed.iter().product() {
                agree(op, &operands, case.addressed);
            } else {
                assert_eq!(fast(&op.into(), &operands, case.addressed, 2), None);
            }
        }
        agree(op, &[tensor(&x.mapv(|x| x > 0.0)), tensor(&indices)], case.addressed);
        agree(op, &[tensor(&noise.odd_floats(case.x)), tensor(&indices)], case.addressed);
    }
}

#[test]
fn scatters_write_what_the_reference_writes() {
    let mut noise = Noise(2);
    for case in &CASES {
        let (x, updates) = (noise.odd_floats(case.x), noise.odd_floats(case.addressed));
        let indices = case.indices(&mut noise);
        for combine in COMBINES {
            let op = Index::Scatter { addressing: case.addressing, combine };
            for ((x, updates), indices) in layouts(&x).iter().zip(layouts(&updates)).zip(layouts(&indices)) {
                agree(op, &[tensor(x), tensor(&indices), tensor(&updates)], case.x);
            }
            let integers = [tensor(&x.mapv(|x| x as i32)), tensor(&updates.mapv(|x| x as i32))];
            let [x, updates] = integers;
            agree(op, &[x, tensor(&indices), updates], case.x);
        }
        for combine in [Combine::Set, Combine::Or, Combine::Add, Combine::Mul, Combine::Max, Combine::Min] {
            let op = Index::Scatter { addressing: case.addressing, combine };
            let (x, updates) = (noise.mask(case.x, 50), noise.mask(case.addressed, 50));
            agree(op, &[tensor(&x), tensor(&indices), tensor(&updates)], case.x);
        }
    }
}

/// Thirds round in every sum, so that another order would show.
#[test]
fn duplicates_add_in_their_order() {
    let mut noise = Noise(3);
    let updates = noise.array(&[500, 3], |noise| noise.below(100) as f64 / 3.0);
    let indices = noise.indices(&[500], 4);
    let add = Index::Scatter { addressing: Addressing::Axis(0), combine: Combine::Add };
    let zeros = repeated(&ArrayD::<f64>::zeros(vec![1, 1]), &[4, 3]);
    agree(add, &[zeros, tensor(&indices), tensor(&updates)], &[4, 3]);
    let (column, zeros) = (updates.index_axis(Axis(1), 0).to_owned(), ArrayD::<f64>::zeros(vec![4]));
    agree(add, &[tensor(&zeros), tensor(&indices), tensor(&column)], &[4]);
}

#[test]
fn an_index_outside_its_axis_is_left_to_the_reference() {
    let mut noise = Noise(4);
    for case in &CASES {
        let (x, updates) = (noise.floats(case.x), noise.floats(case.addressed));
        for _ in 0..4 {
            let Some(indices) = case.outside(&mut noise) else { continue };
            let operands: [Operand; 3] = [tensor(&x), tensor(&indices), tensor(&updates)];
            refuse(Index::Gather(case.addressing), &operands[..2], case.addressed);
            let op = Index::Scatter { addressing: case.addressing, combine: Combine::Set };
            refuse(op, &operands, case.x);
        }
    }
}

#[test]
fn what_has_no_elements_is_left_to_the_reference() {
    let (x, indices) = (ArrayD::<f32>::zeros(vec![0, 3]), ArrayD::<i64>::zeros(vec![0]));
    let gather = Index::Gather(Addressing::Axis(0));
    assert_eq!(fast(&gather.into(), &[tensor(&x), tensor(&indices)], &[0, 3], 2), None);
    let set = Index::Scatter { addressing: Addressing::Axis(0), combine: Combine::Set };
    assert_eq!(fast(&set.into(), &[tensor(&x), tensor(&indices), tensor(&x)], &[0, 3], 2), None);
    let odd = array![0_i64].into_dyn();
    refuse(gather, &[tensor(&x), tensor(&odd)], &[1, 3]);
}
