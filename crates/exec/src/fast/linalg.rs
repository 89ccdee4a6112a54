//! Matrix products.

use ndarray::{ArrayView2, ArrayViewD, s};
use tamis_graph::Linalg;

use super::chunks::{self, CHUNK, RowChunk};
use super::copy;
use super::{masked, matrix, vector};
use crate::kernel::Call;
use crate::kernel::number::{Float, Number};
use crate::level::{Level, at_level};
use crate::raw::Real;
use crate::stack::{Masks, Stack, masks};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

/// How many products of elements make a chunk of work.
const WORK: usize = 16 * CHUNK;

/// From how many rows on a column-major factor is copied: the library transposes it for each block
/// of rows.
const MANY: usize = if cfg!(test) { 2 } else { 128 };

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
/// block of rows, which costs more than transposing it once if they are many.
fn needs_rows<T: Item>(a: &Tensor<'_, T>, b: &Tensor<'_, T>) -> bool {
    let (rows, all) = (a.shape()[a.shape().len() - 2], b.view());
    let [.., columns] = *all.shape() else { return false };
    let [.., along] = *all.strides() else { return false };
    rows >= MANY && columns > 1 && along != 1 && all.len() == b.stored().len()
}

/// Writes the products of the matrices in two stacks of them. The order of the sums follows
/// from the inner length and from whether there is one column, and from nothing else.
pub(super) fn multiply_stacks<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    products: &mut [T],
    factors: [&ArrayViewD<'_, T>; 2],
) -> Option<()> {
    if call.shape.last() == Some(&1) {
        vector::multiply(call, products, factors[0], factors[1])
    } else {
        matrix::multiply(call, products, factors)
    }
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
