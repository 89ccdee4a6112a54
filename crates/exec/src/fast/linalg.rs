//! Matrix products.

use fearless_simd::Level;
use ndarray::{ArrayView2, ArrayViewD, Axis, s};
use tamis_graph::Linalg;

use super::chunks::{self, CHUNK, RowChunk};
use super::copy;
use super::rows::by_width;
use super::{masked, vector};
use crate::kernel::Call;
use crate::kernel::linalg::UNCOUNTED;
use crate::kernel::number::{Float, Number};
use crate::level::at_level;
use crate::memory::Charge;
use crate::raw::{self, Real};
use crate::stack::{Masks, Stack, as_matrix, masks};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

/// How many rows and columns of a product one thread computes at a time, at
/// most: fewer, and what is copied for a block outweighs its arithmetic.
const BLOCK: [usize; 2] = if cfg!(test) { [4, 3] } else { [256, 1024] };

/// How many products of elements make a chunk of work.
const WORK: usize = 16 * CHUNK;

/// Up to so many products of elements, a call of the library costs more than it saves.
const TINY: usize = 512;

/// Up to how many elements of a product the library has a method of its own
/// for one layout of the factors.
const FEW: usize = 16 * 16;

/// How many terms of a sum the library multiplies from its packed panels, up to how
/// many rows it packs, and from how many rows on it packs the other factor.
const PACKED: usize = 512;
const PACKED_ROWS: usize = 512;
const FEW_ROWS: usize = 16;

/// How long a sum is divided, where there are too few sums to share: into partial sums
/// of at least so many terms, and at most so many of them.
const DEEP: usize = if cfg!(test) { 8 } else { 4096 };
const MOST_PARTIALS: usize = 16;

pub(super) fn run<'a>(op: Linalg, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let Linalg::Matmul { mask_a, mask_b } = op;
    let inner = *call.operands[0].shape().last()?;
    if call.shape.contains(&0) || inner == 0 {
        return None;
    }
    let masks = masks(call, [mask_a, mask_b]);
    if !call
        .operands
        .iter()
        .all(|operand| dispatch!(operand, operand => operand.view_for_iteration(call.memory).is_ok()))
    {
        return None;
    }
    match call.operands[0] {
        AnyTensor::U8(a) => of_integers(call, a, masks),
        AnyTensor::I32(a) => of_integers(call, a, masks),
        AnyTensor::I64(a) => of_integers(call, a, masks),
        AnyTensor::F32(a) => of_floats(call, a, masks),
        AnyTensor::F64(a) => of_floats(call, a, masks),
        AnyTensor::Bool(_) => None,
    }
}

fn of_floats<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    masks: Masks<'_, 'a>,
) -> Option<AnyTensor<'a>> {
    let mut product = call.memory.unspecified::<T>(call.shape).ok()?;
    let b = call.typed::<T>(1);
    if masks.iter().any(Option::is_some) {
        masked::multiply(call, product.as_contiguous_mut(), [a, b], masks)?;
    } else {
        let copy = |b: &Tensor<'a, T>| copy::copy(&b.view(), call.memory, call.threads);
        let b = if needs_rows(a, b) { copy(b).ok()?.into() } else { b.clone() };
        multiply_stacks(call, product.as_contiguous_mut(), [&a.view(), &b.view()])?;
    }
    Some(product.into())
}

/// Whether it takes a copy of `b` in rows. A column-major one is transposed for each
/// block of rows, which costs more than transposing it once if they are many. And where
/// few elements are multiplied, or columns run backwards, the library adds in another
/// order: results must not depend on where elements lie.
fn needs_rows<T: Item>(a: &Tensor<'_, T>, b: &Tensor<'_, T>) -> bool {
    let (a, all) = (a.view(), b.view());
    let (rows, strides) = (a.shape()[a.ndim() - 2], all.strides());
    let [.., down, along] = *strides else { return false };
    let few = rows * all.shape()[all.ndim() - 1] <= FEW && down == 1 && a.strides()[a.ndim() - 1] == 1;
    few || down < 0 || (rows >= BLOCK[0] / 2 && along != 1 && all.len() == b.stored().len())
}

/// Writes the products of the matrices in two stacks of them. The method follows from the
/// lengths alone, and with it the order of the sums:
///
/// - few products of elements: added up here, as a call of the library costs more;
/// - vectors: each element of the matrix is read once, and packing it would cost more;
/// - small matrices: one call of the library each, several to a chunk of work;
/// - few but long sums: partial sums on several threads, added in their order;
/// - all others: blocks of the product on several threads. The library packs panels of the
///   factors so that they stay in the caches (K. Goto, R. van de Geijn, "Anatomy of
///   High-Performance Matrix Multiplication", ACM TOMS 34 (2008), article 12).
pub(super) fn multiply_stacks<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    products: &mut [T],
    factors: [&ArrayViewD<'_, T>; 2],
) -> Option<()> {
    let (rows, columns) = (call.shape[call.shape.len() - 2], call.shape[call.shape.len() - 1]);
    let inner = factors[0].shape()[call.shape.len() - 1];
    let work = rows.saturating_mul(columns).saturating_mul(inner);
    let stacks = factors.map(Stack::new);
    if work <= TINY {
        let [a, b] = factors.map(|factor| copy::contiguous(call, factor));
        multiply_tiny(products, &a?, &b?, [rows, inner, columns], call.threads);
    } else if columns == 1 {
        vector::multiply(call, products, factors[0], factors[1])?;
    } else if rows == 1 {
        let mut matrices = factors[1].view();
        matrices.swap_axes(call.shape.len() - 2, call.shape.len() - 1);
        vector::multiply(call, products, &matrices, factors[0])?;
    } else if work <= WORK {
        let several = WORK / work;
        call.threads.for_each_chunk(products, several * rows * columns, &|index, output| {
            for (i, product) in output.chunks_exact_mut(rows * columns).enumerate() {
                let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(index * several + i));
                raw::multiply(as_matrix(product, rows, columns), &a, &b);
            }
        });
    } else if products.len() <= BLOCK[0] * BLOCK[1] && products.len() == rows * columns && inner >= 2 * DEEP {
        multiply_deep(call, products, stacks.map(|stack| stack.matrix(0)))?;
    } else {
        let blocks = products.len() / (rows * columns) * rows.div_ceil(BLOCK[0]) * columns.div_ceil(BLOCK[1]);
        let block = [rows.min(BLOCK[0]), inner, columns.min(BLOCK[1])];
        let _packed = packed::<T>(call, block, 2 * blocks)?;
        multiply_blocks(products, [rows, columns], &stacks, call.threads);
    }
    Some(())
}

/// Counts what the library packs at most while it computes `blocks` products of
/// `rows` and `columns` and this inner length.
fn packed<'a, T>(
    call: &Call<'_, 'a>,
    [rows, inner, columns]: [usize; 3],
    blocks: usize,
) -> Option<Charge<'a>> {
    let columns = if rows > FEW_ROWS { columns } else { 0 };
    let panels = (rows.min(PACKED_ROWS) + columns).saturating_mul(inner.min(PACKED) * size_of::<T>());
    let workers = call.threads.count().min(blocks);
    call.memory.scratch(panels.saturating_mul(workers), UNCOUNTED * workers).ok()
}

/// Products of so few elements that they are added up here.
fn multiply_tiny<T: Number + Send + Sync>(
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
        at_level!(Level::new(), {
            for (product, (a, b)) in output.chunks_exact_mut(rows * columns).zip(factors) {
                by_width!(
                    columns,
                    N => {
                        let rows = product.as_chunks_mut::<N>().0.iter_mut();
                        for (row, a) in rows.zip(a.chunks_exact(inner)) {
                            *row = sum_rows(a, b.as_chunks::<N>().0);
                        }
                    },
                    for (row, a) in product.chunks_exact_mut(columns).zip(a.chunks_exact(inner)) {
                        row.fill(T::default());
                        for (a, b) in a.iter().zip(b.chunks_exact(columns)) {
                            row.iter_mut().zip(b).for_each(|(sum, b)| *sum = sum.add(a.mul(*b)));
                        }
                    }
                );
            }
        });
    });
}

/// The sum of the rows of `b`, each as often as `a` says.
#[inline(always)]
fn sum_rows<T: Number, const N: usize>(a: &[T], b: &[[T; N]]) -> [T; N] {
    a.iter().zip(b).fold([T::default(); N], |mut sums, (a, b)| {
        sums.iter_mut().zip(b).for_each(|(sum, b)| *sum = sum.add(a.mul(*b)));
        sums
    })
}

/// A product of few elements that are long sums: partial sums are computed apart, and
/// added in their order.
fn multiply_deep<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    product: &mut [T],
    [a, b]: [ArrayView2<'_, T>; 2],
) -> Option<()> {
    let (rows, inner, columns) = (a.nrows(), a.ncols(), b.ncols());
    let depth = inner.div_ceil((inner / DEEP).min(MOST_PARTIALS));
    let mut sums = call.memory.unspecified::<T>(&[inner.div_ceil(depth), rows, columns]).ok()?;
    let _packed = packed::<T>(call, [rows, depth, columns], inner.div_ceil(depth))?;
    call.threads.for_each_chunk(sums.as_contiguous_mut(), rows * columns, &|index, output| {
        let terms = index * depth..inner.min((index + 1) * depth);
        let (a, b) = (a.slice(s![.., terms.clone()]), b.slice(s![terms, ..]));
        raw::multiply(as_matrix(output, rows, columns), &a, &b);
    });
    let sums = sums.as_contiguous();
    call.threads.for_each_chunk(product, CHUNK, &|chunk, output| {
        let start = chunk * CHUNK;
        output.copy_from_slice(&sums[start..start + output.len()]);
        for sums in sums.chunks_exact(rows * columns).skip(1) {
            output.iter_mut().zip(&sums[start..]).for_each(|(sum, more)| *sum = sum.add(*more));
        }
    });
    Some(())
}

/// Large products, a block of each at a time.
fn multiply_blocks<T: Real>(
    products: &mut [T],
    [rows, columns]: [usize; 2],
    stacks: &[Stack<'_, T>; 2],
    threads: &Threads,
) {
    // Of nearly equal size: a single row or column left over would be computed
    // by another method.
    let height = rows.div_ceil(2).clamp(BLOCK[0] / 4, BLOCK[0]);
    let (across, down) = (columns.div_ceil(BLOCK[1]), rows.div_ceil(height));
    let mut blocks = Vec::new();
    for (batch, product) in products.chunks_exact_mut(rows * columns).enumerate() {
        let mut below = as_matrix(product, rows, columns);
        for i in 0..down {
            let (top, bottom) = (rows * i / down, rows * (i + 1) / down);
            let (mut right, rest) = below.split_at(Axis(0), bottom - top);
            below = rest;
            for j in 0..across {
                let (left, end) = (columns * j / across, columns * (j + 1) / across);
                let (block, rest) = right.split_at(Axis(1), end - left);
                right = rest;
                blocks.push((batch, top, left, block));
            }
        }
    }
    chunks::each(threads, blocks, &|_, (batch, top, left, block)| {
        let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(batch));
        let (rows, columns) = block.dim();
        let a = a.slice_move(s![top..top + rows, ..]);
        let b = b.slice_move(s![.., left..left + columns]);
        raw::multiply(block, &a, &b);
    });
}

/// A masked factor counts as 0, which changes no integer sum.
fn of_integers<'a, T: Number + Send + Sync>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    masks: Masks<'_, 'a>,
) -> Option<AnyTensor<'a>> {
    let mut product = call.memory.unspecified::<T>(call.shape).ok()?;
    let [a, b] = [(a, masks[0]), (call.typed::<T>(1), masks[1])].map(|(x, mask)| in_rows(call, x, mask));
    let (a, b) = (a?, b?);
    let inner = *a.shape().last()?;
    let (a, b) = (Stack::new(&a.view()), Stack::new(&b.view()));
    let (rows, columns) = (call.shape[call.shape.len() - 2], call.shape[call.shape.len() - 1]);
    let height = (WORK / columns.saturating_mul(inner)).clamp(1, rows).next_multiple_of(4);
    let panels = chunks::row_chunks(product.as_contiguous_mut(), [rows, columns], 1, height);
    chunks::each(call.threads, panels, &|_, RowChunk { block: batch, row: top, elements: panel }| {
        at_level!(Level::new(), {
            let (a, b) = (a.matrix(batch), b.matrix(batch));
            for (i, rows) in panel.chunks_mut(4 * columns).enumerate() {
                add_products(rows, a.slice(s![top + 4 * i.., ..]), &b);
            }
        });
    });
    Some(product.into())
}

/// The factor with its rows in order, and with 0 where it is masked.
fn in_rows<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    mask: Option<&Tensor<'a, bool>>,
) -> Option<Tensor<'a, T>> {
    if let Some(mask) = mask {
        return masked::without(call, x, mask, |_| true).map(Tensor::from);
    }
    let view = x.view();
    let in_rows = view.strides().last() == Some(&1) || view.shape().last() == Some(&1);
    if in_rows {
        Some(x.clone())
    } else {
        copy::copy(&x.view(), call.memory, call.threads).ok().map(Tensor::from)
    }
}

/// Writes the first rows of a product. Each row of `b` is read once for all:
/// they should be few.
#[inline(always)]
fn add_products<T: Number>(rows: &mut [T], a: ArrayView2<'_, T>, b: &ArrayView2<'_, T>) {
    rows.fill(T::default());
    for (k, b) in b.outer_iter().enumerate() {
        let b = b.to_slice().unwrap_or_else(|| unreachable!("rows are in order"));
        for (row, a) in rows.chunks_exact_mut(b.len()).zip(a.column(k)) {
            for (sum, b) in row.iter_mut().zip(b) {
                *sum = sum.add(a.mul(*b));
            }
        }
    }
}
