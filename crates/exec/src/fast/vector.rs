//! Products of matrices and vectors.
//!
//! Each sum has as many lanes, of every so manieth term, which are added at the
//! end: the same whether rows or columns lie together in memory.

use ndarray::{ArrayView2, ArrayViewD, s};

use super::copy;
use super::linalg::Stack;
use super::pieces;
use crate::kernel::Call;
use crate::kernel::number::Float;
use crate::raw::Real;

/// How many lanes a sum has.
const LANES: usize = 32;

/// How many rows are summed side by side where columns lie together.
const ROWS: usize = 32;

/// Up to how many rows sums are divided too, and how many terms a part has at least.
const FEW: usize = if cfg!(test) { 6 } else { 256 };
const DEEP: usize = if cfg!(test) { 40 } else { 4096 };

/// Writes the products of stacked matrices and vectors. `None` where there is no memory.
pub(super) fn multiply<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    products: &mut [T],
    matrices: &ArrayViewD<'_, T>,
    vectors: &ArrayViewD<'_, T>,
) -> Option<()> {
    let [.., rows, inner] = *matrices.shape() else { return None };
    let list = copy::list(call, vectors)?;
    let (vectors, matrices): (&[T], _) = (&list, Stack::new(matrices));
    let depth = pieces::rows_per_piece(rows).max(DEEP);
    if rows > FEW || inner < 2 * depth {
        let (group, step) = (pieces::rows_per_piece(rows * inner), pieces::rows_per_piece(inner));
        let step = step.next_multiple_of(ROWS);
        let parts = pieces::parts(products, [rows, 1], group, step);
        pieces::each(call.threads, parts, &|_, pieces::Part { block: first, row, elements }| {
            for (block, sums) in elements.chunks_mut(rows).enumerate() {
                let vector = &vectors[(first + block) * inner..][..inner];
                let matrix = matrices.matrix(first + block);
                sum(sums, &matrix.slice(s![row..row + sums.len(), ..]), vector);
            }
        });
        return Some(());
    }
    let parts = inner.div_ceil(depth);
    let mut sums = call.memory.unspecified::<T>(&[products.len() / rows, parts, rows]).ok()?;
    call.threads.for_each_part(sums.as_list_mut(), rows, &|place, sums| {
        let terms = place % parts * depth..inner.min((place % parts + 1) * depth);
        let vector = &vectors[place / parts * inner..][terms.clone()];
        sum(sums, &matrices.matrix(place / parts).slice(s![.., terms]), vector);
    });
    for (product, sums) in products.chunks_exact_mut(rows).zip(sums.as_list().chunks_exact(parts * rows)) {
        product.fill(T::default());
        for part in sums.chunks_exact(rows) {
            product.iter_mut().zip(part).for_each(|(sum, part)| *sum = sum.add(*part));
        }
    }
    Some(())
}

/// Writes the product of a matrix and a vector.
fn sum<T: Float>(sums: &mut [T], matrix: &ArrayView2<'_, T>, vector: &[T]) {
    pieces::vectorised(
        #[inline(always)]
        || {
            if matrix.strides()[1] == 1 {
                for (sum, row) in sums.iter_mut().zip(matrix.outer_iter()) {
                    let row = row.to_slice().unwrap_or_else(|| unreachable!("rows lie together"));
                    *sum = sum_row(row, vector);
                }
            } else if matrix.strides()[0] == 1 {
                for (i, sums) in sums.chunks_mut(ROWS).enumerate() {
                    sum_columns(sums, &matrix.slice(s![i * ROWS.., ..]), vector);
                }
            } else {
                let mut row_of = [T::default(); 8 * LANES];
                for (sum, row) in sums.iter_mut().zip(matrix.outer_iter()) {
                    let mut lanes = [T::default(); LANES];
                    for (i, vector) in vector.chunks(row_of.len()).enumerate() {
                        let row_of = &mut row_of[..vector.len()];
                        let terms = row.slice(s![i * 8 * LANES..i * 8 * LANES + vector.len()]);
                        row_of.iter_mut().zip(terms).for_each(|(to, from)| *to = *from);
                        add_row(&mut lanes, row_of, vector);
                    }
                    *sum = total(lanes);
                }
            }
        },
    );
}

#[inline(always)]
fn sum_row<T: Float>(row: &[T], vector: &[T]) -> T {
    let mut lanes = [T::default(); LANES];
    add_row(&mut lanes, row, vector);
    total(lanes)
}

#[inline(always)]
fn add_row<T: Float>(lanes: &mut [T; LANES], row: &[T], vector: &[T]) {
    let ((rows, row), (vectors, vector)) = (row.as_chunks::<LANES>(), vector.as_chunks::<LANES>());
    for (row, vector) in rows.iter().zip(vectors) {
        for lane in 0..LANES {
            lanes[lane] = lanes[lane].add(row[lane].mul(vector[lane]));
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(row).zip(vector) {
        *lane = lane.add(a.mul(*b));
    }
}

/// The same for some rows of a matrix whose columns lie together.
#[inline(always)]
fn sum_columns<T: Float>(sums: &mut [T], matrix: &ArrayView2<'_, T>, vector: &[T]) {
    let mut lanes = [[T::default(); ROWS]; LANES];
    for (k, (column, b)) in matrix.columns().into_iter().zip(vector).enumerate() {
        let column = column.to_slice().unwrap_or_else(|| unreachable!("columns lie together"));
        let column = &column[..sums.len()];
        let lane = &mut lanes[k % LANES];
        match column.first_chunk::<ROWS>() {
            Some(column) => (0..ROWS).for_each(|i| lane[i] = lane[i].add(column[i].mul(*b))),
            None => lane.iter_mut().zip(column).for_each(|(sum, a)| *sum = sum.add(a.mul(*b))),
        }
    }
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum = total(lanes.each_ref().map(|lane| lane[i]));
    }
}

/// The sum of the lanes, halved again and again.
#[inline(always)]
fn total<T: Float>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = lanes[lane].add(lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}
