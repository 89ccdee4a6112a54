//! Matrix products.

use ndarray::{ArrayView2, ArrayView3, ArrayViewD, ArrayViewMut2, Axis, s};
use tamis_graph::Linalg;

use super::copy::{self, place_in};
use super::masked;
use super::pieces::{self, PIECE};
use crate::kernel::Call;
use crate::kernel::number::{Float, Number};
use crate::raw::{self, Real};
use crate::tensor::{AnyTensor, Item, Tensor};
use crate::threads::Threads;

/// How many rows and columns of a product one thread computes at a time, at
/// most: fewer, and what is copied for a block outweighs its arithmetic.
const BLOCK: [usize; 2] = if cfg!(test) { [4, 3] } else { [256, 1024] };

/// How many products of elements make a piece of work.
const WORK: usize = 16 * PIECE;

/// How many products of elements a library call does not pay for.
const TINY: usize = 512;

/// The masks of the two factors, as far as there are any.
pub(super) type Masks<'c, 'a> = [Option<&'c Tensor<'a, bool>>; 2];

pub(super) fn run<'a>(op: Linalg, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let Linalg::Matmul { mask_a, mask_b } = op;
    let inner = *call.operands[0].shape().last()?;
    if call.shape.contains(&0) || inner == 0 {
        return None;
    }
    let masks = [mask_a.then_some(2), mask_b.then_some(if mask_a { 3 } else { 2 })];
    let masks = masks.map(|position| position.map(|position| call.typed::<bool>(position)));
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
        masked::multiply(call, product.as_list_mut(), [a, b], masks)?;
    } else {
        let copied = if worth_a_copy(a, b) { copy::copy(b, call.memory, call.threads).ok() } else { None };
        let b = copied.map_or_else(|| b.clone(), Tensor::from);
        multiply_stacks(product.as_list_mut(), call.shape, [&a.view(), &b.view()], call.threads);
    }
    Some(product.into())
}

/// Whether `b` lies in columns and is read for so many blocks of rows that one
/// copy in rows is cheaper than turning it for each.
fn worth_a_copy<T: Item>(a: &Tensor<'_, T>, b: &Tensor<'_, T>) -> bool {
    let view = b.view();
    let (rows, strides) = (a.shape()[a.shape().len() - 2], view.strides());
    rows > BLOCK[0] && strides[strides.len() - 1] != 1 && view.len() == b.stored().len()
}

/// Writes the products of the matrices in two stacks of them, into a stack of this shape.
pub(super) fn multiply_stacks<T: Real + Float>(
    products: &mut [T],
    shape: &[usize],
    factors: [&ArrayViewD<'_, T>; 2],
    threads: &Threads,
) {
    let (rows, columns) = (shape[shape.len() - 2], shape[shape.len() - 1]);
    let inner = factors[0].shape()[shape.len() - 1];
    let work = rows.saturating_mul(columns).saturating_mul(inner);
    let stacks = factors.map(Stack::new);
    if work <= WORK {
        let several = WORK / work;
        return threads.for_each_part(products, several * rows * columns, |place, part| {
            pieces::vectorised(
                #[inline(always)]
                || {
                    for (i, product) in part.chunks_exact_mut(rows * columns).enumerate() {
                        let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(place * several + i));
                        if work <= TINY && b.strides()[1] == 1 {
                            add_products(product, a, &b);
                        } else {
                            raw::multiply(as_matrix(product, rows, columns), &a, &b);
                        }
                    }
                },
            );
        });
    }
    let height = rows.div_ceil(2).clamp(BLOCK[0] / 4, BLOCK[0]);
    let mut blocks = Vec::new();
    for (batch, product) in products.chunks_exact_mut(rows * columns).enumerate() {
        let mut below = as_matrix(product, rows, columns);
        for top in (0..rows).step_by(height) {
            let (mut right, rest) = below.split_at(Axis(0), height.min(rows - top));
            below = rest;
            for left in (0..columns).step_by(BLOCK[1]) {
                let (block, rest) = right.split_at(Axis(1), BLOCK[1].min(columns - left));
                right = rest;
                blocks.push((batch, top, left, block));
            }
        }
    }
    pieces::each(threads, blocks, |_, (batch, top, left, block)| {
        let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(batch));
        let (rows, columns) = block.dim();
        let a = a.slice_move(s![top..top + rows, ..]);
        let b = b.slice_move(s![.., left..left + columns]);
        raw::multiply(block, &a, &b);
    });
}

/// Matrices under any batch axes.
pub(super) enum Stack<'t, T> {
    /// Under one batch axis.
    Flat(ArrayView3<'t, T>),
    Deep(ArrayViewD<'t, T>),
}

impl<'t, T> Stack<'t, T> {
    pub(super) fn new(stack: &ArrayViewD<'t, T>) -> Stack<'t, T> {
        let mut flat = stack.clone();
        if flat.ndim() == 2 {
            flat.insert_axis_inplace(Axis(0));
        }
        while flat.ndim() > 3 && flat.merge_axes(Axis(flat.ndim() - 4), Axis(flat.ndim() - 3)) {
            flat.index_axis_inplace(Axis(flat.ndim() - 4), 0);
        }
        flat.into_dimensionality().map_or_else(|_| Stack::Deep(stack.clone()), Stack::Flat)
    }

    /// The matrix at `place`.
    pub(super) fn matrix(&self, place: usize) -> ArrayView2<'t, T> {
        match self {
            Stack::Flat(stack) => (*stack).index_axis_move(Axis(0), place),
            Stack::Deep(stack) => {
                let mut view = stack.clone();
                for place in place_in(&stack.shape()[..stack.ndim() - 2], place) {
                    view.index_axis_inplace(Axis(0), place);
                }
                let matrix = view.into_dimensionality();
                matrix.unwrap_or_else(|error| unreachable!("all batch axes are indexed: {error}"))
            }
        }
    }
}

fn as_matrix<T>(elements: &mut [T], rows: usize, columns: usize) -> ArrayViewMut2<'_, T> {
    let matrix = ArrayViewMut2::from_shape((rows, columns), elements);
    matrix.unwrap_or_else(|error| unreachable!("the elements are those of the matrix: {error}"))
}

/// A masked factor counts as 0, which takes part in no integer sum.
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
    let panels = product.as_list_mut().chunks_exact_mut(rows * columns).enumerate();
    let panels = panels.flat_map(|(batch, product)| {
        let panels = product.chunks_mut(height * columns).enumerate();
        panels.map(move |(place, panel)| (batch, place * height, panel))
    });
    pieces::each(call.threads, panels, |_, (batch, top, panel)| {
        pieces::vectorised(
            #[inline(always)]
            || {
                let (a, b) = (a.matrix(batch), b.matrix(batch));
                for (i, rows) in panel.chunks_mut(4 * columns).enumerate() {
                    add_products(rows, a.slice(s![top + 4 * i.., ..]), &b);
                }
            },
        );
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
    if in_rows { Some(x.clone()) } else { copy::copy(x, call.memory, call.threads).ok().map(Tensor::from) }
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
