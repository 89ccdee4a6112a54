//! Matrix products of which some factors are masked.

use ndarray::ArrayView2;

use super::chunks::{self, CHUNK};
use super::copy;
use super::linalg::multiply_stacks;
use super::{matrix, vector};
use crate::elements::Rows;
use crate::kernel::Call;
use crate::kernel::number::Float;
use crate::memory::Buffer;
use crate::raw::Real;
use crate::stack::{Masks, Stack};
use crate::tensor::{Item, Tensor};

/// How many elements are looked at in one go.
const RUN: usize = 256;

/// Writes the products of two stacks of matrices, of the terms whose factors
/// are both selected.
///
/// A 0 instead of a masked factor leaves a sum as it is, as long as what it meets is
/// finite. So all that is masked or not finite becomes 0, and the sums that contain an
/// infinity or a NaN are computed again in the same order, leaving out term by term. Which ones
/// these are follows from the row and the column alone: neither what is masked nor what stands in
/// other rows moves a bit.
pub(super) fn multiply<'a, T: Real + Float>(
    call: &Call<'_, 'a>,
    products: &mut [T],
    factors: [&Tensor<'a, T>; 2],
    masks: Masks<'_, 'a>,
) -> Option<()> {
    let every = factors.map(|x| Tensor::full(x.shape(), true));
    let masks = [masks[0].unwrap_or(&every[0]), masks[1].unwrap_or(&every[1])];
    let [a, b] = [0, 1].map(|i| without(call, factors[i], masks[i], |x| x.is_finite()));
    let (a, b) = (a?, b?);
    multiply_stacks(call, products, [&a.view(), &b.view()])?;
    let odd_rows = odd_rows(call, factors[0], masks[0])?;
    let odd_columns = odd_columns(call, factors[1], masks[1])?;
    let (odd_rows, odd_columns) = (odd_rows.as_contiguous(), odd_columns.as_contiguous());
    if !odd_rows.contains(&true) && !odd_columns.contains(&true) {
        return Some(());
    }
    let values = factors.map(|factor| factor.view());
    let selected = [0, 1].map(|i| masks[i].view_as(factors[i].shape()));
    let stacks = [0, 1].map(|i| (Stack::new(&values[i]), Stack::new(&selected[i])));
    let (rows, columns) = (call.shape[call.shape.len() - 2], call.shape[call.shape.len() - 1]);
    let height = chunks::rows_per_chunk(columns);
    call.threads.for_each_chunk(products, height * columns, &|chunk, output| {
        for (i, sums) in output.chunks_exact_mut(columns).enumerate() {
            let (batch, row) = ((chunk * height + i) / rows, (chunk * height + i) % rows);
            let [a, b] = [0, 1].map(|i| Selected::new(&stacks[i], batch));
            let (odd_row, odd) = (odd_rows[chunk * height + i], &odd_columns[batch * columns..][..columns]);
            for column in (0..columns).filter(|column| odd_row || odd[*column]) {
                sums[column] = sum_element(&a, &b, row, column);
            }
        }
    });
    Some(())
}

/// A matrix, and which of its elements are selected.
struct Selected<'v, T> {
    elements: ArrayView2<'v, T>,
    mask: ArrayView2<'v, bool>,
}

impl<'v, T: Float> Selected<'v, T> {
    fn new(stacks: &(Stack<'v, T>, Stack<'v, bool>), batch: usize) -> Selected<'v, T> {
        Selected { elements: stacks.0.matrix(batch), mask: stacks.1.matrix(batch) }
    }
}

/// The sum of the selected terms, in the order of the product that it is an element of.
fn sum_element<T: Real + Float>(a: &Selected<'_, T>, b: &Selected<'_, T>, row: usize, column: usize) -> T {
    let (inner, columns) = b.elements.dim();
    let term = |k| {
        let is_selected = a.mask[[row, k]] && b.mask[[k, column]];
        is_selected.then(|| [a.elements[[row, k]], b.elements[[k, column]]])
    };
    if columns == 1 { vector::sum_element(inner, term) } else { matrix::sum_element(inner, term) }
}

/// For each row of a stack of matrices, whether a selected element is not finite.
fn odd_rows<'a, T: Float + Send + Sync>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    mask: &Tensor<'a, bool>,
) -> Option<Buffer<'a, bool>> {
    let (width, outer) = x.shape().split_last()?;
    let mut odd = call.memory.unspecified::<bool>(&[outer.iter().product()]).ok()?;
    let (x, mask) = (Rows::new(&x.view()), Rows::new(&mask.view_as(x.shape())));
    let height = chunks::rows_per_chunk(*width);
    call.threads.for_each_chunk(odd.as_contiguous_mut(), height, &|chunk, output| {
        let (mut elements, mut selected) = ([T::default(); RUN], [false; RUN]);
        for (i, odd) in output.iter_mut().enumerate() {
            let row = (chunk * height + i) * width;
            *odd = (0..*width).step_by(RUN).any(|start| {
                let run = RUN.min(width - start);
                x.read(row + start, &mut elements[..run]);
                mask.read(row + start, &mut selected[..run]);
                elements[..run].iter().zip(&selected).any(|(x, selected)| *selected && !x.is_finite())
            });
        }
    });
    Some(odd)
}

/// The same for each column.
fn odd_columns<'a, T: Float + Send + Sync>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    mask: &Tensor<'a, bool>,
) -> Option<Buffer<'a, bool>> {
    let [batch @ .., height, width] = x.shape() else { return None };
    let mut odd = call.memory.zeros::<bool>(&[batch.iter().product(), *width]).ok()?;
    let odd_rows = odd_rows(call, x, mask)?;
    let (x, mask) = (Rows::new(&x.view()), Rows::new(&mask.view_as(x.shape())));
    let (mut element, mut selected) = ([T::default()], [false]);
    for row in (0..odd_rows.len()).filter(|row| odd_rows.as_contiguous()[*row]) {
        let odd = &mut odd.as_contiguous_mut()[row / height * width..][..*width];
        for (column, odd) in odd.iter_mut().enumerate() {
            x.read(row * width + column, &mut element);
            mask.read(row * width + column, &mut selected);
            *odd |= selected[0] && !element[0].is_finite();
        }
    }
    Some(odd)
}

/// A copy of `x` with 0 where it is masked or not accepted.
pub(super) fn without<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    mask: &Tensor<'a, bool>,
    accepted: impl Fn(T) -> bool + Sync,
) -> Option<Buffer<'a, T>> {
    let mut result = copy::copy(&x.view(), call.memory, call.threads).ok()?;
    let mask = Rows::new(&mask.view_as(x.shape()));
    call.threads.for_each_chunk(result.as_contiguous_mut(), CHUNK, &|index, output| {
        let mut selected = [false; RUN];
        for (i, output) in output.chunks_mut(RUN).enumerate() {
            let selected = &mut selected[..output.len()];
            mask.read(index * CHUNK + i * RUN, selected);
            for (x, selected) in output.iter_mut().zip(selected) {
                *x = if *selected & accepted(*x) { *x } else { T::default() };
            }
        }
    });
    Some(result)
}
