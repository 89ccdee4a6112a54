//! Products of floats that are at least two elements wide.
//!
//! The order of a sum follows from its length alone:
//!
//! - its terms are divided into [`partials`], and the terms of a partial sum into blocks of up
//!   to [`TERMS`], all of nearly equal length;
//! - the terms of a block are added to 0 from the first to the last, as the library does
//!   ([`raw::multiply`]);
//! - blocks are added in their order, and partial sums in theirs.
//!
//! So the bits of a row do not depend on how many others there are, nor on where elements lie,
//! and the method may follow from whatever makes it fast.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewD, ArrayViewMut2, Axis, s};

use super::chunks::{self, CHUNK};
use super::copy;
use super::rows::by_width;
use crate::kernel::Call;
use crate::kernel::linalg::UNCOUNTED;
use crate::kernel::number::Float;
use crate::level::{Level, at_level};
use crate::memory::Charge;
use crate::raw::{self, Real};
use crate::stack::{Stack, as_matrix};
use crate::threads::Threads;

/// How many rows and columns of a product one thread computes at a time, at
/// most: fewer, and what is copied for a block outweighs its arithmetic.
const BLOCK: [usize; 2] = if cfg!(test) { [4, 3] } else { [256, 1024] };

/// How many products of elements make a chunk of work.
const WORK: usize = 16 * CHUNK;

/// Up to so many products of elements, matrices are multiplied one after another.
const TINY: usize = 512;

/// How many terms a partial sum has at least, and how many partial sums there are at most.
const DEEP: usize = if cfg!(test) { 8 } else { 4096 };
const MOST_PARTIALS: usize = 16;

/// How many terms a block has at most. Neither a block of a divided sum nor a partial sum has so
/// few terms that the library would not take it.
const TERMS: usize = if cfg!(test) { 6 } else { raw::LIBRARY_TERMS };

/// How many columns a thin product has at most, and from how many rows on it has a method of its own.
const THIN: usize = 16;
const MANY: usize = if cfg!(test) { 3 } else { 32 };

/// How many columns of a product are summed side by side.
const LANES: usize = 16;

/// How many rows are summed side by side, and of how many terms the factors are copied at a time.
const ROWS: usize = 4;
const DEPTH: usize = 64;

/// How many elements of a row of the product are summed at a time.
const PANEL: usize = 1024;

/// Runs a loop with the vector instructions that the machine has. `$FUSED` says
/// whether the library rounds a product and its addition once.
macro_rules! as_library {
    ($FUSED:ident => $loop:expr) => {
        if raw::is_fused() {
            const $FUSED: bool = true;
            at_level!(Level::new(), $loop)
        } else {
            const $FUSED: bool = false;
            $loop
        }
    };
}

/// How many partial sums a sum of so many terms has.
fn partials(inner: usize) -> usize {
    (inner / DEEP).clamp(1, MOST_PARTIALS)
}

/// The ranges of nearly equal length that a range is divided into.
pub(super) fn divided(range: Range<usize>, count: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let (start, len) = (range.start, range.len() as u128);
    let end = move |i: usize| start + (len * i as u128 / count as u128) as usize;
    (0..count).map(move |i| end(i)..end(i + 1))
}

/// Writes the products of the matrices in two stacks of them. The methods:
///
/// - few products of elements: added up here, as a call of the library costs more;
/// - small matrices: one after the other, several to a chunk of work;
/// - few but long sums: partial sums on several threads;
/// - all others: blocks of the product on several threads. The library packs panels of the
///   factors so that they stay in the caches (K. Goto, R. van de Geijn, "Anatomy of
///   High-Performance Matrix Multiplication", ACM TOMS 34 (2008), article 12).
pub(super) fn multiply<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    products: &mut [T],
    factors: [&ArrayViewD<'_, T>; 2],
) -> Option<()> {
    let (rows, columns) = (call.shape[call.shape.len() - 2], call.shape[call.shape.len() - 1]);
    let inner = factors[0].shape()[call.shape.len() - 1];
    let work = rows.saturating_mul(columns).saturating_mul(inner);
    if work <= TINY && inner <= TERMS.min(2 * DEEP - 1) {
        let [a, b] = factors.map(|factor| copy::contiguous(call, factor));
        multiply_tiny(products, &a?, &b?, [rows, inner, columns], call.threads);
        return Some(());
    }
    let stacks = factors.map(Stack::new);
    if work <= WORK {
        let several = WORK / work;
        call.threads.for_each_chunk(products, several * rows * columns, &|index, output| {
            for (i, product) in output.chunks_exact_mut(rows * columns).enumerate() {
                let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(index * several + i));
                multiply_block(as_matrix(product, rows, columns), a, b);
            }
        });
    } else if products.len() <= BLOCK[0] * BLOCK[1] && products.len() == rows * columns && partials(inner) > 1
    {
        multiply_deep(call, products, stacks.map(|stack| stack.matrix(0)))?;
    } else {
        let most = most_rows(inner, columns);
        let blocks = products.len() / (rows * columns) * rows.div_ceil(most) * columns.div_ceil(BLOCK[1]);
        let block = [rows.min(most), inner, columns.min(BLOCK[1])];
        let _packed = packed::<T>(call, block, 2 * blocks)?;
        multiply_blocks(products, [rows, inner, columns], &stacks, call.threads);
    }
    Some(())
}

/// One element of a product, from the terms that there are: one that is left out adds nothing,
/// as a 0 does. The order is that of all other methods.
pub(super) fn sum_element<T: Real + Float>(inner: usize, term: impl Fn(usize) -> Option<[T; 2]>) -> T {
    let mut sum = T::ZERO;
    for partial in divided(0..inner, partials(inner)) {
        let mut partial_sum = T::ZERO;
        let blocks = partial.len().div_ceil(TERMS);
        for terms in divided(partial, blocks) {
            let terms = terms.filter_map(&term);
            partial_sum = partial_sum.add(as_library!(FUSED => {
                terms.fold(T::ZERO, |sum, [a, b]| a.multiply_add::<FUSED>(b, sum))
            }));
        }
        sum = sum.add(partial_sum);
    }
    sum.plus_zero()
}

/// How many rows one thread computes at a time, at most: more where there is little work in each.
fn most_rows(inner: usize, columns: usize) -> usize {
    if cfg!(test) { BLOCK[0] } else { BLOCK[0].max(WORK / inner.saturating_mul(columns)) }
}

/// Counts what threads allocate at most while they compute `blocks` products of
/// `rows` and `columns` and this inner length: the panels of the library, and a partial sum.
fn packed<'a, T>(
    call: &Call<'_, 'a>,
    [rows, inner, columns]: [usize; 3],
    blocks: usize,
) -> Option<Charge<'a>> {
    // From how many rows on the library packs the other factor too.
    const SOME_ROWS: usize = 16;
    let packed = if rows > SOME_ROWS { rows + columns } else { rows };
    let partial = if partials(inner) > 1 { rows * columns } else { 0 };
    let elements = packed * inner.min(raw::LIBRARY_TERMS) + partial;
    let workers = call.threads.count().min(blocks);
    call.memory.scratch((elements * size_of::<T>()).saturating_mul(workers), UNCOUNTED * workers).ok()
}

/// Products of so few elements that they are added up one after another.
fn multiply_tiny<T: Real + Float>(
    products: &mut [T],
    a: &[T],
    b: &[T],
    [rows, inner, columns]: [usize; 3],
    threads: &Threads,
) {
    let several = WORK / (rows * inner * columns);
    threads.for_each_chunk(products, several * rows * columns, &|index, output| {
        let (a, b) = (&a[index * several * rows * inner..], &b[index * several * inner * columns..]);
        let factors = a.chunks_exact(rows * inner).zip(b.chunks_exact(inner * columns));
        as_library!(FUSED => {
            for (product, (a, b)) in output.chunks_exact_mut(rows * columns).zip(factors) {
                sum_tiny::<T, FUSED>(product, a, b, [inner, columns]);
            }
        });
    });
}

#[inline(always)]
fn sum_tiny<T: Real + Float, const FUSED: bool>(
    product: &mut [T],
    a: &[T],
    b: &[T],
    [inner, columns]: [usize; 2],
) {
    by_width!(
        columns,
        N => {
            let rows = product.as_chunks_mut::<N>().0.iter_mut();
            for (row, a) in rows.zip(a.chunks_exact(inner)) {
                *row = a.iter().zip(b.as_chunks::<N>().0).fold([T::ZERO; N], |sums, (a, b)| {
                    std::array::from_fn(|j| a.multiply_add::<FUSED>(b[j], sums[j]))
                });
                *row = row.map(T::plus_zero);
            }
        },
        for (row, a) in product.chunks_exact_mut(columns).zip(a.chunks_exact(inner)) {
            row.fill(T::ZERO);
            for (a, b) in a.iter().zip(b.chunks_exact(columns)) {
                row.iter_mut().zip(b).for_each(|(sum, b)| *sum = a.multiply_add::<FUSED>(*b, *sum));
            }
            row.iter_mut().for_each(|sum| *sum = sum.plus_zero());
        }
    );
}

/// A product of few elements that are long sums: partial sums are computed apart, and
/// added in their order.
fn multiply_deep<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    product: &mut [T],
    [a, b]: [ArrayView2<'_, T>; 2],
) -> Option<()> {
    let (rows, inner, columns) = (a.nrows(), a.ncols(), b.ncols());
    let partials = partials(inner);
    let mut sums = call.memory.unspecified::<T>(&[partials, rows, columns]).ok()?;
    let _packed = packed::<T>(call, [rows, inner, columns], partials)?;
    let ranges: Vec<Range<usize>> = divided(0..inner, partials).collect();
    call.threads.for_each_chunk(sums.as_contiguous_mut(), rows * columns, &|index, output| {
        sum_partial(as_matrix(output, rows, columns), &a, &b, ranges[index].clone());
    });
    let sums = sums.as_contiguous();
    call.threads.for_each_chunk(product, CHUNK, &|chunk, output| {
        let start = chunk * CHUNK;
        output.copy_from_slice(&sums[start..start + output.len()]);
        for sums in sums.chunks_exact(rows * columns).skip(1) {
            output.iter_mut().zip(&sums[start..]).for_each(|(sum, more)| *sum = sum.add(*more));
        }
        output.iter_mut().for_each(|sum| *sum = sum.plus_zero());
    });
    Some(())
}

/// Large products, a block of each at a time.
fn multiply_blocks<T: Real + Float>(
    products: &mut [T],
    [rows, inner, columns]: [usize; 3],
    stacks: &[Stack<'_, T>; 2],
    threads: &Threads,
) {
    let most = most_rows(inner, columns);
    let height = rows.div_ceil(2).clamp(most / 4, most);
    let (across, down) = (columns.div_ceil(BLOCK[1]), rows.div_ceil(height));
    let mut blocks = Vec::new();
    for (batch, product) in products.chunks_exact_mut(rows * columns).enumerate() {
        let mut below = as_matrix(product, rows, columns);
        for lines in divided(0..rows, down) {
            let (mut right, rest) = below.split_at(Axis(0), lines.len());
            below = rest;
            for columns in divided(0..columns, across) {
                let (block, rest) = right.split_at(Axis(1), columns.len());
                right = rest;
                blocks.push((batch, lines.clone(), columns, block));
            }
        }
    }
    chunks::each(threads, blocks, &|_, (batch, rows, columns, block)| {
        let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(batch));
        multiply_block(block, a.slice_move(s![rows, ..]), b.slice_move(s![.., columns]));
    });
}

/// Writes a product on the calling thread.
fn multiply_block<T: Real + Float>(
    mut product: ArrayViewMut2<'_, T>,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
) {
    let mut ranges = divided(0..a.ncols(), partials(a.ncols()));
    let Some(first) = ranges.next() else { return };
    sum_partial(product.view_mut(), &a, &b, first);
    for terms in ranges {
        let mut partial = vec![T::ZERO; product.len()];
        let mut partial = as_matrix(&mut partial, a.nrows(), b.ncols());
        sum_partial(partial.view_mut(), &a, &b, terms);
        product.zip_mut_with(&partial, |sum, more| *sum = sum.add(*more));
    }
    // Sums start from +0.0, and so none is −0.0: a fused addition to +0.0 rounds a product that
    // underflows to −0.0. While the block is in the cache, another addition costs little.
    for mut row in product.rows_mut() {
        match row.as_slice_mut() {
            Some(row) => row.iter_mut().for_each(|sum| *sum = sum.plus_zero()),
            None => row.iter_mut().for_each(|sum| *sum = sum.plus_zero()),
        }
    }
}

/// Writes a partial sum of each element of a product.
fn sum_partial<T: Real + Float>(
    mut product: ArrayViewMut2<'_, T>,
    a: &ArrayView2<'_, T>,
    b: &ArrayView2<'_, T>,
    terms: Range<usize>,
) {
    let blocks = terms.len().div_ceil(TERMS);
    for (index, terms) in divided(terms, blocks).enumerate() {
        let (a, b) = (a.slice(s![.., terms.clone()]), b.slice(s![terms, ..]));
        let (rows, columns) = product.dim();
        if rows >= MANY && columns <= THIN && a.strides()[1] == 1 && product.is_standard_layout() {
            multiply_thin(product.view_mut(), &a, &b, index > 0);
        } else if raw::adds_in_order(&a, &b) {
            raw::multiply(product.view_mut(), a, b, index > 0);
        } else if b.strides()[1] == 1 {
            as_library!(FUSED => sum_lines::<T, FUSED>(product.view_mut(), &a, &b, index > 0));
        } else if rows > columns {
            let (a, b, product) = (a.reversed_axes(), b.reversed_axes(), product.view_mut());
            as_library!(FUSED => sum_copied::<T, FUSED, ROWS>(product.reversed_axes(), &b, &a, index > 0));
        } else if rows == 1 {
            as_library!(FUSED => sum_copied::<T, FUSED, 1>(product.view_mut(), &a, &b, index > 0));
        } else {
            as_library!(FUSED => sum_copied::<T, FUSED, ROWS>(product.view_mut(), &a, &b, index > 0));
        }
    }
}

/// A product that is a few elements wide, where the rows of `a` lie together.
fn multiply_thin<T: Real + Float>(
    mut product: ArrayViewMut2<'_, T>,
    a: &ArrayView2<'_, T>,
    b: &ArrayView2<'_, T>,
    add: bool,
) {
    let columns = product.ncols();
    let Some(sums) = product.as_slice_mut() else { unreachable!("the elements lie together") };
    as_library!(FUSED => match columns {
        2 => sum_thin::<T, FUSED, 2>(sums, a, b, add),
        3 | 4 => sum_thin::<T, FUSED, 4>(sums, a, b, add),
        5..=8 => sum_thin::<T, FUSED, 8>(sums, a, b, add),
        _ => sum_thin::<T, FUSED, THIN>(sums, a, b, add),
    });
}

/// One that is up to `N` elements wide, six rows at a time. Each element of `a` is read once. The
/// sums have a name each, so that the compiler keeps them in registers.
#[inline(always)]
fn sum_thin<T: Real + Float, const FUSED: bool, const N: usize>(
    product: &mut [T],
    a: &ArrayView2<'_, T>,
    b: &ArrayView2<'_, T>,
    add: bool,
) {
    let ((rows, inner), columns) = (a.dim(), b.ncols());
    let line = |b: ArrayView1<'_, T>| std::array::from_fn(|j| if j < columns { b[j] } else { T::ZERO });
    let lines: Vec<[T; N]> = b.rows().into_iter().map(line).collect();
    let all = a.to_slice();
    let row = |i: usize| match (all, i.min(rows - 1)) {
        (Some(all), i) => &all[i * inner..][..inner],
        (None, i) => a.row(i).to_slice().unwrap_or_else(|| unreachable!("rows lie together")),
    };
    for top in (0..rows).step_by(6) {
        // Where fewer rows are left, the last one is computed several times and written once.
        let some: [&[T]; 6] = std::array::from_fn(|i| row(top + i));
        let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5] = [[T::ZERO; N]; 6];
        for (k, line) in lines[..inner].iter().enumerate() {
            add_line::<T, FUSED, N>(&mut s0, some[0][k], line);
            add_line::<T, FUSED, N>(&mut s1, some[1][k], line);
            add_line::<T, FUSED, N>(&mut s2, some[2][k], line);
            add_line::<T, FUSED, N>(&mut s3, some[3][k], line);
            add_line::<T, FUSED, N>(&mut s4, some[4][k], line);
            add_line::<T, FUSED, N>(&mut s5, some[5][k], line);
        }
        write_thin(product, top * columns, columns, &s0, add);
        write_thin(product, (top + 1) * columns, columns, &s1, add);
        write_thin(product, (top + 2) * columns, columns, &s2, add);
        write_thin(product, (top + 3) * columns, columns, &s3, add);
        write_thin(product, (top + 4) * columns, columns, &s4, add);
        write_thin(product, (top + 5) * columns, columns, &s5, add);
    }
}

#[inline(always)]
fn add_line<T: Real, const FUSED: bool, const N: usize>(sums: &mut [T; N], factor: T, line: &[T; N]) {
    for j in 0..N {
        sums[j] = factor.multiply_add::<FUSED>(line[j], sums[j]);
    }
}

/// Writes a row, if it lies in the product. What is written too much belongs to the next row,
/// which is written after.
#[inline(always)]
fn write_thin<T: Real + Float, const N: usize>(
    product: &mut [T],
    start: usize,
    columns: usize,
    sums: &[T; N],
    add: bool,
) {
    let Some(row) = product.get_mut(start..).filter(|row| !row.is_empty()) else { return };
    match row.first_chunk_mut::<N>() {
        Some(row) if !add => *row = *sums,
        Some(_) | None => {
            for (to, sum) in row[..columns].iter_mut().zip(sums) {
                *to = if add { to.add(*sum) } else { *sum };
            }
        }
    }
}

/// A product of one row or of few terms, where the rows of `b` lie together: these are added,
/// some at a time.
#[inline(always)]
fn sum_lines<T: Real + Float, const FUSED: bool>(
    mut product: ArrayViewMut2<'_, T>,
    a: &ArrayView2<'_, T>,
    b: &ArrayView2<'_, T>,
    add: bool,
) {
    for left in (0..b.ncols()).step_by(PANEL) {
        let columns = left..b.ncols().min(left + PANEL);
        let b = b.slice(s![.., columns.clone()]);
        for (mut row, a) in product.slice_mut(s![.., columns]).rows_mut().into_iter().zip(a.rows()) {
            let row = row.as_slice_mut().unwrap_or_else(|| unreachable!("rows lie together"));
            if add {
                let mut sums = [T::ZERO; PANEL];
                let sums = &mut sums[..row.len()];
                sum_line::<T, FUSED>(sums, &a, &b);
                row.iter_mut().zip(sums).for_each(|(to, sum)| *to = to.add(*sum));
            } else {
                sum_line::<T, FUSED>(row, &a, &b);
            }
        }
    }
}

#[inline(always)]
fn sum_line<T: Real + Float, const FUSED: bool>(
    sums: &mut [T],
    a: &ArrayView1<'_, T>,
    b: &ArrayView2<'_, T>,
) {
    let mut k = 0;
    while k < a.len() {
        k += match a.len() - k {
            1 => add_lines::<T, FUSED, 1>(sums, a, b, k),
            2 | 3 => add_lines::<T, FUSED, 2>(sums, a, b, k),
            4..=7 => add_lines::<T, FUSED, 4>(sums, a, b, k),
            _ => add_lines::<T, FUSED, 8>(sums, a, b, k),
        };
    }
}

/// Adds `N` terms of each sum, from the one at `k` on; the first ones to 0. How many these were.
#[inline(always)]
fn add_lines<T: Real + Float, const FUSED: bool, const N: usize>(
    sums: &mut [T],
    a: &ArrayView1<'_, T>,
    b: &ArrayView2<'_, T>,
    k: usize,
) -> usize {
    let factors: [T; N] = std::array::from_fn(|i| a[k + i]);
    let lines: [&[T]; N] = std::array::from_fn(|i| {
        let line = b.row(k + i).to_slice();
        &line.unwrap_or_else(|| unreachable!("rows lie together"))[..sums.len()]
    });
    let add =
        |sum: T, j: usize| (0..N).fold(sum, |sum, i| factors[i].multiply_add::<FUSED>(lines[i][j], sum));
    if k == 0 {
        (0..sums.len()).for_each(|j| sums[j] = add(T::ZERO, j));
    } else {
        (0..sums.len()).for_each(|j| sums[j] = add(sums[j], j));
    }
    N
}

/// A product of factors in any layout: some columns of `b` and some rows of `a` are copied
/// beside one another, some terms at a time.
#[inline(always)]
fn sum_copied<T: Real + Float, const FUSED: bool, const R: usize>(
    mut product: ArrayViewMut2<'_, T>,
    a: &ArrayView2<'_, T>,
    b: &ArrayView2<'_, T>,
    add: bool,
) {
    const MOST: usize = 4 * ROWS;
    let ((rows, inner), columns) = (a.dim(), b.ncols());
    let mut lines = [[T::ZERO; LANES]; DEPTH];
    let mut factors = [[T::ZERO; R]; DEPTH];
    for left in (0..columns).step_by(LANES) {
        let width = LANES.min(columns - left);
        for top in (0..rows).step_by(MOST) {
            let height = MOST.min(rows - top);
            let mut sums = [[T::ZERO; LANES]; MOST];
            for start in (0..inner).step_by(DEPTH) {
                let depth = DEPTH.min(inner - start);
                let terms = b.slice(s![start..start + depth, left..left + width]);
                for (line, terms) in lines.iter_mut().zip(terms.rows()) {
                    line.iter_mut().zip(terms).for_each(|(to, b)| *to = *b);
                }
                for (i, sums) in sums.as_chunks_mut::<R>().0.iter_mut().enumerate().take(height.div_ceil(R)) {
                    let above = top + R * i;
                    let terms = a.slice(s![above..rows.min(above + R), start..start + depth]);
                    for (factors, terms) in factors.iter_mut().zip(terms.columns()) {
                        factors.iter_mut().zip(terms).for_each(|(to, a)| *to = *a);
                    }
                    *sums = add_products::<T, FUSED, R>(*sums, &factors[..depth], &lines[..depth]);
                }
            }
            let mut product = product.slice_mut(s![top..top + height, left..left + width]);
            for (mut row, sums) in product.rows_mut().into_iter().zip(&sums) {
                let sums = row.iter_mut().zip(sums);
                sums.for_each(|(to, sum)| *to = if add { to.add(*sum) } else { *sum });
            }
        }
    }
}

/// Adds products of some factors of each row and as many lines of columns.
#[inline(always)]
fn add_products<T: Real, const FUSED: bool, const R: usize>(
    mut sums: [[T; LANES]; R],
    factors: &[[T; R]],
    lines: &[[T; LANES]],
) -> [[T; LANES]; R] {
    for (factors, line) in factors.iter().zip(lines) {
        for (sums, factor) in sums.iter_mut().zip(factors) {
            for (sum, b) in sums.iter_mut().zip(line) {
                *sum = factor.multiply_add::<FUSED>(*b, *sum);
            }
        }
    }
    sums
}
