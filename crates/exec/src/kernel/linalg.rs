//! Matrix products.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, LinalgScalar};
use tamis_graph::Linalg;

use super::number::Number;
use super::{Call, RUN};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::stack::{Masks, Stack, as_matrix, masks};
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor};

pub(super) fn run<'a>(op: Linalg, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let Linalg::Matmul { mask_a, mask_b } = op;
    let masks = masks(call, [mask_a, mask_b]);
    if call.shape.contains(&0) {
        let empty = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, call.memory)?;
        return Ok(empty.repeated(call.shape));
    }
    match call.operands[0] {
        AnyTensor::U8(a) => of_integers(call, a, masks),
        AnyTensor::I32(a) => of_integers(call, a, masks),
        AnyTensor::I64(a) => of_integers(call, a, masks),
        AnyTensor::F32(a) => of_floats(call, a, masks),
        AnyTensor::F64(a) => of_floats(call, a, masks),
        AnyTensor::Bool(_) => unreachable!("the builder refuses bools"),
    }
}

/// A masked factor counts as 0, which changes no integer sum.
fn of_integers<'a, T: Number>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    masks: Masks<'_, 'a>,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let factors = [without_masked(call, a, masks[0])?, without_masked(call, call.typed(1), masks[1])?];
    let views = [factors[0].view_for_iteration(call.memory)?, factors[1].view_for_iteration(call.memory)?];
    let [a, b] = views.each_ref().map(Stack::new);
    each_product(call, &mut |batch, mut product| {
        add_products(&mut product, [&a, &b].map(|factor| Factor::new(factor.matrix(batch), None)));
        Ok(())
    })
}

/// With masks, the terms are left out one by one: a 0 instead would meet the NaN or the
/// infinity of an element that is not selected on the other side. The order of the sum
/// must not depend on whether there is one, so that what is not selected moves no bit.
fn of_floats<'a, T: Number + LinalgScalar>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    masks: Masks<'_, 'a>,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let b = call.typed::<T>(1);
    let views = [a.view_for_iteration(call.memory)?, b.view_for_iteration(call.memory)?];
    let stacks = views.each_ref().map(Stack::new);
    let selected = [selected(a, masks[0]), selected(b, masks[1])];
    let selected = selected.each_ref().map(|selected| Stack::new(&selected.view()));
    let is_masked = masks.iter().any(Option::is_some);
    each_product(call, &mut |batch, mut product| {
        let [a, b] = [0, 1].map(|factor| stacks[factor].matrix(batch));
        if is_masked {
            let [selected_a, selected_b] = [0, 1].map(|factor| selected[factor].matrix(batch));
            add_products(&mut product, [Factor::new(a, Some(selected_a)), Factor::new(b, Some(selected_b))]);
        } else if a.ncols() > 0 {
            let _packed = call.memory.scratch(packed::<T>(a.ncols(), b.ncols()), UNCOUNTED)?;
            general_mat_mul(T::one(), &a, &b, T::zero(), &mut product);
            // A sum starts from +0.0, and so −0.0 is none.
            product.iter_mut().for_each(|sum| *sum = *sum + T::zero());
        }
        Ok(())
    })
}

/// What writes the product of this number.
type Multiply<'m, T> = dyn FnMut(usize, ArrayViewMut2<'_, T>) -> Result<(), ErrorKind> + 'm;

/// The products of two stacks of matrices, each written by `multiply`, which is given its number
/// and zeros.
fn each_product<'a, T: Item>(
    call: &Call<'_, 'a>,
    multiply: &mut Multiply<'_, T>,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mut products = call.memory.zeros::<T>(call.shape)?;
    let (rows, columns) = (call.shape[call.shape.len() - 2], call.shape[call.shape.len() - 1]);
    for (batch, product) in products.as_contiguous_mut().chunks_exact_mut(rows * columns).enumerate() {
        multiply(batch, as_matrix(product, rows, columns))?;
    }
    Ok(products.into())
}

/// How many bytes the library packs at most for a product: panels of some rows of
/// the one factor, and of some columns of the other.
fn packed<T>(inner: usize, columns: usize) -> usize {
    (64 + columns.min(1024)) * inner.min(256) * size_of::<T>()
}

/// How much of what the library packs does not count, in each thread.
pub(crate) const UNCOUNTED: usize = 1 << 19;

/// A matrix of a stack, and where it is selected if not everywhere.
struct Factor<'t, T> {
    elements: Rows<'t, T>,
    selected: Option<Rows<'t, bool>>,
    inner: usize,
    columns: usize,
}

impl<'t, T: Item> Factor<'t, T> {
    fn new(matrix: ArrayView2<'t, T>, selected: Option<ArrayView2<'t, bool>>) -> Factor<'t, T> {
        let (inner, columns) = matrix.dim();
        let selected = selected.map(|selected| Rows::new(&selected.into_dyn()));
        Factor { elements: Rows::new(&matrix.into_dyn()), selected, inner, columns }
    }

    fn is_selected(&self, index: usize) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.get(index))
    }
}

/// Adds to each element the products of a row and a column, in the order of the
/// inner axis; of a selection, of those terms whose factors are both selected. One
/// row of `b` after the other is added to a row of the product, as rows lie together,
/// and so many of its elements at a time as are read in one go.
fn add_products<T: Number>(product: &mut ArrayViewMut2<'_, T>, [a, b]: [Factor<'_, T>; 2]) {
    let (mut spare, mut selected) = ([T::default(); RUN], [true; RUN]);
    for (i, mut sums) in product.outer_iter_mut().enumerate() {
        let sums = sums.as_slice_mut().unwrap_or_else(|| unreachable!("buffers are in row-major order"));
        for (run, sums) in sums.chunks_mut(RUN).enumerate() {
            for k in (0..b.inner).filter(|k| a.is_selected(i * b.inner + k)) {
                let (factor, start) = (a.elements.get(i * b.inner + k), k * b.columns + run * RUN);
                let terms = b.elements.run(start, sums.len(), &mut spare);
                let selected = match &b.selected {
                    Some(selection) => selection.run(start, sums.len(), &mut selected),
                    None => &selected,
                };
                for ((sum, term), selected) in sums.iter_mut().zip(terms).zip(selected) {
                    if *selected {
                        *sum = Number::add(*sum, Number::mul(factor, *term));
                    }
                }
            }
        }
    }
}

/// The factor with 0 where it is masked.
fn without_masked<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    mask: Option<&Tensor<'a, bool>>,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let Some(mask) = mask else { return Ok(x.clone()) };
    let mut result = call.memory.zeros::<T>(x.shape())?;
    let (x, mask) = (Rows::new(&x.view()), Rows::new(&mask.view_as(x.shape())));
    for (i, result) in result.as_contiguous_mut().iter_mut().enumerate() {
        *result = if mask.get(i) { x.get(i) } else { T::default() };
    }
    Ok(result.into())
}

/// Where the factor is not masked.
fn selected<'a, T: Item>(x: &Tensor<'a, T>, mask: Option<&Tensor<'a, bool>>) -> Tensor<'a, bool> {
    match mask {
        Some(mask) => mask.clone().broadcast(x.shape()),
        None => Tensor::full(x.shape(), true),
    }
}
