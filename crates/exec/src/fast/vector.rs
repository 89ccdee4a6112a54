//! Products of matrices and vectors.
//!
//! Each sum has [`ACCUMULATORS`] accumulators; term `k` goes to accumulator `k mod
//! ACCUMULATORS`, and they are added pairwise at the end: the same whether rows or
//! columns lie together in memory.

use fearless_simd::Level;
use ndarray::{ArrayView2, ArrayViewD, s};

use super::chunks;
use super::copy;
use crate::kernel::Call;
use crate::kernel::number::Float;
use crate::level::at_level;
use crate::raw::Real;
use crate::stack::Stack;

/// How many accumulators a sum has.
const ACCUMULATORS: usize = 32;

/// How many rows are summed side by side where columns lie together.
const ROWS: usize = 32;

/// Up to how many rows sums are split as well, and how many terms a partial sum has at
/// least.
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
    let contiguous = copy::contiguous(call, vectors)?;
    let (vectors, matrices): (&[T], _) = (&contiguous, Stack::new(matrices));
    let depth = chunks::rows_per_chunk(rows).max(DEEP);
    if rows > FEW || inner < 2 * depth {
        let (group, step) = (chunks::rows_per_chunk(rows * inner), chunks::rows_per_chunk(inner));
        let step = step.next_multiple_of(ROWS);
        let outputs = chunks::row_chunks(products, [rows, 1], group, step);
        chunks::each(call.threads, outputs, &|_, chunks::RowChunk { block: first, row, elements }| {
            for (block, sums) in elements.chunks_mut(rows).enumerate() {
                let vector = &vectors[(first + block) * inner..][..inner];
                let matrix = matrices.matrix(first + block);
                sum(sums, &matrix.slice(s![row..row + sums.len(), ..]), vector);
            }
        });
        return Some(());
    }
    let partials = inner.div_ceil(depth);
    let mut sums = call.memory.unspecified::<T>(&[products.len() / rows, partials, rows]).ok()?;
    call.threads.for_each_chunk(sums.as_contiguous_mut(), rows, &|index, sums| {
        let terms = index % partials * depth..inner.min((index % partials + 1) * depth);
        let vector = &vectors[index / partials * inner..][terms.clone()];
        sum(sums, &matrices.matrix(index / partials).slice(s![.., terms]), vector);
    });
    for (product, sums) in
        products.chunks_exact_mut(rows).zip(sums.as_contiguous().chunks_exact(partials * rows))
    {
        product.fill(T::default());
        for partial in sums.chunks_exact(rows) {
            product.iter_mut().zip(partial).for_each(|(sum, partial)| *sum = sum.add(*partial));
        }
    }
    Some(())
}

/// Writes the product of a matrix and a vector.
fn sum<T: Float>(sums: &mut [T], matrix: &ArrayView2<'_, T>, vector: &[T]) {
    at_level!(Level::new(), {
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
            let mut row_of = [T::default(); 8 * ACCUMULATORS];
            for (sum, row) in sums.iter_mut().zip(matrix.outer_iter()) {
                let mut accumulators = [T::default(); ACCUMULATORS];
                for (i, vector) in vector.chunks(row_of.len()).enumerate() {
                    let row_of = &mut row_of[..vector.len()];
                    let terms = row.slice(s![i * 8 * ACCUMULATORS..i * 8 * ACCUMULATORS + vector.len()]);
                    row_of.iter_mut().zip(terms).for_each(|(to, from)| *to = *from);
                    add_row(&mut accumulators, row_of, vector);
                }
                *sum = total(accumulators);
            }
        }
    });
}

#[inline(always)]
fn sum_row<T: Float>(row: &[T], vector: &[T]) -> T {
    let mut accumulators = [T::default(); ACCUMULATORS];
    add_row(&mut accumulators, row, vector);
    total(accumulators)
}

#[inline(always)]
fn add_row<T: Float>(accumulators: &mut [T; ACCUMULATORS], row: &[T], vector: &[T]) {
    let ((rows, row), (vectors, vector)) =
        (row.as_chunks::<ACCUMULATORS>(), vector.as_chunks::<ACCUMULATORS>());
    for (row, vector) in rows.iter().zip(vectors) {
        for i in 0..ACCUMULATORS {
            accumulators[i] = accumulators[i].add(row[i].mul(vector[i]));
        }
    }
    for ((accumulator, a), b) in accumulators.iter_mut().zip(row).zip(vector) {
        *accumulator = accumulator.add(a.mul(*b));
    }
}

/// The same for some rows of a matrix whose columns lie together.
#[inline(always)]
fn sum_columns<T: Float>(sums: &mut [T], matrix: &ArrayView2<'_, T>, vector: &[T]) {
    let mut accumulators = [[T::default(); ROWS]; ACCUMULATORS];
    for (k, (column, b)) in matrix.columns().into_iter().zip(vector).enumerate() {
        let column = column.to_slice().unwrap_or_else(|| unreachable!("columns lie together"));
        let column = &column[..sums.len()];
        let accumulator = &mut accumulators[k % ACCUMULATORS];
        match column.first_chunk::<ROWS>() {
            Some(column) => (0..ROWS).for_each(|i| accumulator[i] = accumulator[i].add(column[i].mul(*b))),
            None => accumulator.iter_mut().zip(column).for_each(|(sum, a)| *sum = sum.add(a.mul(*b))),
        }
    }
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum = total(accumulators.each_ref().map(|accumulator| accumulator[i]));
    }
}

/// The sum of the accumulators, pairwise.
#[inline(always)]
fn total<T: Float>(mut accumulators: [T; ACCUMULATORS]) -> T {
    let mut half = ACCUMULATORS / 2;
    while half > 0 {
        for i in 0..half {
            accumulators[i] = accumulators[i].add(accumulators[i + half]);
        }
        half /= 2;
    }
    accumulators[0]
}
