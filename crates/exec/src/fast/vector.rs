//! Products of matrices and vectors.
//!
//! The order of a sum follows from its length alone. A long one is divided into partial sums,
//! which are added in their order. Each of these has [`ACCUMULATORS`] accumulators; term `k`
//! goes to accumulator `k mod ACCUMULATORS`, and they are added pairwise at the end: the same
//! whether rows or columns lie together in memory. Products and sums are rounded apart, as in all
//! other loops.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewD, s};

use super::chunks::{self, CHUNK};
use super::copy;
use super::matrix::divided;
use crate::kernel::Call;
use crate::kernel::number::Float;
use crate::level::{Level, at_level};
use crate::raw::Real;
use crate::stack::Stack;

/// How many accumulators a sum has.
const ACCUMULATORS: usize = 32;

/// How many rows are summed side by side where columns lie together.
const ROWS: usize = 256;

/// How many terms a partial sum has at least.
const DEEP: usize = if cfg!(test) { 40 } else { 4096 };

/// Up to how many rows several threads share each sum.
const FEW: usize = if cfg!(test) { 6 } else { 256 };

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
    let partials: Vec<Range<usize>> = divided(0..inner, (inner / DEEP).max(1)).collect();
    if rows > FEW || partials.len() == 1 {
        let (group, step) = (chunks::rows_per_chunk(rows * inner), chunks::rows_per_chunk(inner));
        let step = step.next_multiple_of(ROWS);
        let outputs = chunks::row_chunks(products, [rows, 1], group, step);
        chunks::each(call.threads, outputs, &|_, chunks::RowChunk { block: first, row, elements }| {
            elements.fill(T::ZERO);
            for (block, sums) in elements.chunks_mut(rows).enumerate() {
                let vector = &vectors[(first + block) * inner..][..inner];
                let matrix = matrices.matrix(first + block);
                for terms in &partials {
                    add_partial(sums, &matrix, row, terms.clone(), vector);
                }
            }
        });
        return Some(());
    }
    let mut sums = call.memory.zeros::<T>(&[products.len() / rows, partials.len(), rows]).ok()?;
    let several = (CHUNK / (DEEP * rows)).max(1);
    call.threads.for_each_chunk(sums.as_contiguous_mut(), several * rows, &|chunk, sums| {
        for (i, sums) in sums.chunks_exact_mut(rows).enumerate() {
            let (block, partial) =
                ((chunk * several + i) / partials.len(), (chunk * several + i) % partials.len());
            let vector = &vectors[block * inner..][..inner];
            add_partial(sums, &matrices.matrix(block), 0, partials[partial].clone(), vector);
        }
    });
    let sums = sums.as_contiguous().chunks_exact(partials.len() * rows);
    for (product, sums) in products.chunks_exact_mut(rows).zip(sums) {
        product.fill(T::ZERO);
        for partial in sums.chunks_exact(rows) {
            product.iter_mut().zip(partial).for_each(|(sum, partial)| *sum = sum.add(*partial));
        }
    }
    Some(())
}

/// One element of a product, from the terms that there are: one that is left out adds nothing,
/// as a 0 does.
pub(super) fn sum_element<T: Real + Float>(inner: usize, term: impl Fn(usize) -> Option<[T; 2]>) -> T {
    let partials = divided(0..inner, (inner / DEEP).max(1));
    partials.fold(T::ZERO, |sum, terms| {
        let mut accumulators = [T::default(); ACCUMULATORS];
        for (k, factors) in terms.map(&term).enumerate() {
            if let Some([a, b]) = factors {
                let accumulator = &mut accumulators[k % ACCUMULATORS];
                *accumulator = accumulator.add(a.mul(b));
            }
        }
        sum.add(total(accumulators))
    })
}

/// Adds to `sums`, which are those of the rows of the matrix from `top` on, these terms of them.
fn add_partial<T: Float>(
    sums: &mut [T],
    matrix: &ArrayView2<'_, T>,
    top: usize,
    terms: Range<usize>,
    vector: &[T],
) {
    let (rows, inner) = matrix.dim();
    at_level!(Level::new(), {
        match (matrix.to_slice(), matrix.t().to_slice(), matrix.strides()) {
            (Some(elements), _, _) if inner <= ACCUMULATORS => {
                add_short_rows(sums, &elements[top * inner..], vector);
            }
            (_, Some(elements), _) => {
                add_columns(sums, &vector[terms.clone()], |k| &elements[(terms.start + k) * rows + top..]);
            }
            (_, _, [1, _]) => add_columns(sums, &vector[terms.clone()], |k| {
                let column = matrix.slice(s![top.., terms.start + k]).to_slice();
                column.unwrap_or_else(|| unreachable!("columns lie together"))
            }),
            (_, _, [_, 1]) => {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let row = matrix.slice(s![top + i, terms.clone()]).to_slice();
                    let row = row.unwrap_or_else(|| unreachable!("rows lie together"));
                    *sum = sum.add(sum_row(row, &vector[terms.clone()]));
                }
            }
            _ => add_rows(sums, &matrix.slice(s![top.., terms.clone()]), &vector[terms]),
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

/// Rows of elements in any layout.
#[inline(always)]
fn add_rows<T: Float>(sums: &mut [T], matrix: &ArrayView2<'_, T>, vector: &[T]) {
    const RUN: usize = 8 * ACCUMULATORS;
    let mut elements = [T::default(); RUN];
    for (sum, row) in sums.iter_mut().zip(matrix.rows()) {
        let mut accumulators = [T::default(); ACCUMULATORS];
        for (i, vector) in vector.chunks(RUN).enumerate() {
            let terms = row.slice(s![i * RUN..i * RUN + vector.len()]);
            elements.iter_mut().zip(terms).for_each(|(to, from)| *to = *from);
            add_row(&mut accumulators, &elements[..vector.len()], vector);
        }
        *sum = sum.add(total(accumulators));
    }
}

/// Rows that lie one after another and have at most a term for each accumulator.
#[inline(always)]
fn add_short_rows<T: Float>(sums: &mut [T], elements: &[T], vector: &[T]) {
    match vector.len().next_power_of_two() {
        1 | 2 => add_rows_of::<T, 2>(sums, elements, vector),
        4 => add_rows_of::<T, 4>(sums, elements, vector),
        8 => add_rows_of::<T, 8>(sums, elements, vector),
        16 => add_rows_of::<T, 16>(sums, elements, vector),
        _ => add_rows_of::<T, ACCUMULATORS>(sums, elements, vector),
    }
}

/// Those of at most `N` terms. `N` elements are read, as far as there are as many, and what belongs
/// to the next row is left out. The other accumulators are 0 and change no sum.
#[inline(always)]
fn add_rows_of<T: Float, const N: usize>(sums: &mut [T], elements: &[T], vector: &[T]) {
    let inner = vector.len();
    let mut factors = [T::default(); N];
    factors[..inner].copy_from_slice(vector);
    for (i, sum) in sums.iter_mut().enumerate() {
        let Some(row) = elements[i * inner..].first_chunk::<N>() else {
            *sum = sum.add(sum_row(&elements[i * inner..][..inner], vector));
            continue;
        };
        let mut accumulators = [T::default(); N];
        for k in 0..N {
            let element = if k < inner { row[k] } else { T::default() };
            accumulators[k] = accumulators[k].add(element.mul(factors[k]));
        }
        *sum = sum.add(total(accumulators));
    }
}

/// Some rows where columns lie together; `column` gives the elements of a column from the first row
/// on.
#[inline(always)]
fn add_columns<'m, T: Float>(mut sums: &mut [T], vector: &[T], column: impl Fn(usize) -> &'m [T]) {
    let mut left = 0;
    while !sums.is_empty() {
        let width = match sums.len() {
            few @ 0..64 => 1 << few.ilog2().min(4),
            many => many.min(ROWS),
        };
        let (some, others) = sums.split_at_mut(width);
        match width {
            1 => add_few_columns::<T, 1>(some, vector, |k| &column(k)[left..]),
            2 => add_few_columns::<T, 2>(some, vector, |k| &column(k)[left..]),
            4 => add_few_columns::<T, 4>(some, vector, |k| &column(k)[left..]),
            8 => add_few_columns::<T, 8>(some, vector, |k| &column(k)[left..]),
            16 => add_few_columns::<T, 16>(some, vector, |k| &column(k)[left..]),
            _ => add_many_columns(some, vector, |k| &column(k)[left..]),
        }
        (sums, left) = (others, left + width);
    }
}

/// `N` rows. Eight accumulators at a time, which have a name each, so that the compiler keeps them
/// in registers.
#[inline(always)]
fn add_few_columns<'m, T: Float, const N: usize>(
    sums: &mut [T],
    vector: &[T],
    column: impl Fn(usize) -> &'m [T],
) {
    let mut accumulators = [[T::default(); N]; ACCUMULATORS];
    let (chunks, rest) = vector.as_chunks::<ACCUMULATORS>();
    for start in (0..ACCUMULATORS).step_by(8) {
        let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7] = [[T::default(); N]; 8];
        for (i, vector) in chunks.iter().enumerate() {
            let k = i * ACCUMULATORS + start;
            add_column(&mut s0, column(k), vector[start]);
            add_column(&mut s1, column(k + 1), vector[start + 1]);
            add_column(&mut s2, column(k + 2), vector[start + 2]);
            add_column(&mut s3, column(k + 3), vector[start + 3]);
            add_column(&mut s4, column(k + 4), vector[start + 4]);
            add_column(&mut s5, column(k + 5), vector[start + 5]);
            add_column(&mut s6, column(k + 6), vector[start + 6]);
            add_column(&mut s7, column(k + 7), vector[start + 7]);
        }
        accumulators[start..start + 8].copy_from_slice(&[s0, s1, s2, s3, s4, s5, s6, s7]);
    }
    for (k, (accumulator, b)) in accumulators.iter_mut().zip(rest).enumerate() {
        add_column(accumulator, column(chunks.len() * ACCUMULATORS + k), *b);
    }
    add_totals(sums, &mut accumulators);
}

#[inline(always)]
fn add_column<T: Float, const N: usize>(sums: &mut [T; N], column: &[T], factor: T) {
    let column = column.first_chunk::<N>().unwrap_or_else(|| unreachable!("a column has all rows"));
    for i in 0..N {
        sums[i] = sums[i].add(column[i].mul(factor));
    }
}

/// At most [`ROWS`] rows.
#[inline(always)]
fn add_many_columns<'m, T: Float>(sums: &mut [T], vector: &[T], column: impl Fn(usize) -> &'m [T]) {
    let mut accumulators = [[T::default(); ROWS]; ACCUMULATORS];
    for (i, vector) in vector.chunks(ACCUMULATORS).enumerate() {
        for (k, (accumulator, b)) in accumulators.iter_mut().zip(vector).enumerate() {
            let column = &column(i * ACCUMULATORS + k)[..sums.len()];
            accumulator.iter_mut().zip(column).for_each(|(sum, a)| *sum = sum.add(a.mul(*b)));
        }
    }
    add_totals(sums, &mut accumulators);
}

/// Adds the accumulators pairwise, and then to the sums.
#[inline(always)]
fn add_totals<T: Float, const N: usize>(sums: &mut [T], accumulators: &mut [[T; N]; ACCUMULATORS]) {
    let mut half = ACCUMULATORS / 2;
    while half > 0 {
        let (first, second) = accumulators.split_at_mut(half);
        for (first, second) in first.iter_mut().zip(second) {
            first.iter_mut().zip(second).for_each(|(sum, more)| *sum = sum.add(*more));
        }
        half /= 2;
    }
    sums.iter_mut().zip(&accumulators[0]).for_each(|(sum, total)| *sum = sum.add(*total));
}

/// The sum of the accumulators, which are a power of two, pairwise.
#[inline(always)]
fn total<T: Float, const N: usize>(mut accumulators: [T; N]) -> T {
    let mut half = N / 2;
    while half > 0 {
        for i in 0..half {
            accumulators[i] = accumulators[i].add(accumulators[i + half]);
        }
        half /= 2;
    }
    accumulators[0]
}
