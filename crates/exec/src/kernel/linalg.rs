//! Matrix products.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayD, ArrayView3, ArrayViewMut2, Axis, Ix3, LinalgScalar};
use tamis_graph::Linalg;

use super::number::Number;
use super::{Call, RUN};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::Memory;
use crate::stack::{Masks, masks};
use crate::tensor::{AnyTensor, Item, Tensor};

pub(super) fn run<'a>(op: Linalg, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let Linalg::Matmul { mask_a, mask_b } = op;
    let masks = masks(call, [mask_a, mask_b]);
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
    let mut product = call.memory.zeros::<T>(&stacked(call.shape))?;
    if product.is_empty() {
        return Ok(product.with_shape(call.shape).into());
    }
    let factors = [without_masked(call, a, masks[0])?, without_masked(call, call.typed(1), masks[1])?];
    let [a, b] = [panels(&factors[0], call.memory)?, panels(&factors[1], call.memory)?];
    for (batch, mut product) in panels_mut(&mut product).outer_iter_mut().enumerate() {
        add_products(&mut product, [Factor::new(&a, None, batch), Factor::new(&b, None, batch)]);
    }
    Ok(product.with_shape(call.shape).into())
}

/// With masks, the terms are left out one by one: a 0 instead would meet the NaN or the
/// infinity of an element that is not selected on the other side. The order of the sum
/// must not depend on whether there is one, so that what is not selected moves no bit.
fn of_floats<'a, T: Number + LinalgScalar>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    masks: Masks<'_, 'a>,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mut product = call.memory.zeros::<T>(&stacked(call.shape))?;
    if product.is_empty() {
        return Ok(product.with_shape(call.shape).into());
    }
    let b = call.typed::<T>(1);
    let factors = [stack(a, call.memory)?, stack(b, call.memory)?];
    let selected = [stack(&selected(a, masks[0]), call.memory)?, stack(&selected(b, masks[1]), call.memory)?];
    let [a, b] = [panels(&factors[0], call.memory)?, panels(&factors[1], call.memory)?];
    let [selected_a, selected_b] = [panels(&selected[0], call.memory)?, panels(&selected[1], call.memory)?];
    let is_masked = masks.iter().any(Option::is_some);
    for (batch, mut product) in panels_mut(&mut product).outer_iter_mut().enumerate() {
        if is_masked {
            let factors =
                [Factor::new(&a, Some(&selected_a), batch), Factor::new(&b, Some(&selected_b), batch)];
            add_products(&mut product, factors);
        } else if a.len_of(Axis(2)) > 0 {
            let [a, b] = [&a, &b].map(|panels| panels.index_axis(Axis(0), batch));
            let _packed = call.memory.scratch(packed::<T>(a.ncols(), b.ncols()), UNCOUNTED)?;
            general_mat_mul(T::one(), &a, &b, T::zero(), &mut product);
            // A sum starts from +0.0, and so −0.0 is none.
            product.iter_mut().for_each(|sum| *sum = *sum + T::zero());
        }
    }
    Ok(product.with_shape(call.shape).into())
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
    fn new(
        stack: &'t ArrayView3<'_, T>,
        selected: Option<&'t ArrayView3<'_, bool>>,
        batch: usize,
    ) -> Factor<'t, T> {
        let matrix = stack.index_axis(Axis(0), batch).into_dyn();
        let selected = selected.map(|stack| Rows::new(&stack.index_axis(Axis(0), batch).into_dyn()));
        let (inner, columns) = (matrix.len_of(Axis(0)), matrix.len_of(Axis(1)));
        Factor { elements: Rows::new(&matrix), selected, inner, columns }
    }

    fn is_selected(&self, place: usize) -> bool {
        self.selected.as_ref().is_none_or(|selected| selected.get(place))
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

/// The factor with 0 where it is masked, its batch axes merged into one.
fn without_masked<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    mask: Option<&Tensor<'a, bool>>,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let Some(mask) = mask else { return stack(x, call.memory) };
    let mut result = call.memory.zeros::<T>(x.shape())?;
    let (x, mask) = (Rows::new(&x.view()), Rows::new(&mask.view_as(x.shape())));
    for (i, result) in result.as_contiguous_mut().iter_mut().enumerate() {
        *result = if mask.get(i) { x.get(i) } else { T::default() };
    }
    let stacked = stacked(result.shape());
    Ok(result.with_shape(&stacked).into())
}

/// Where the factor is not masked.
fn selected<'a, T: Item>(x: &Tensor<'a, T>, mask: Option<&Tensor<'a, bool>>) -> Tensor<'a, bool> {
    match mask {
        Some(mask) => mask.clone().broadcast(x.shape()),
        None => Tensor::full(x.shape(), true),
    }
}

/// The tensor with its batch axes merged into one.
fn stack<'a, T: Item>(x: &Tensor<'a, T>, memory: &'a Memory) -> Result<Tensor<'a, T>, ErrorKind> {
    x.clone().reshape(&stacked(x.shape()), memory)
}

fn stacked(shape: &[usize]) -> Vec<usize> {
    super::offsets::merge(shape, 0..shape.len() - 2)
}

fn panels<'t, T: Item>(stack: &'t Tensor<'_, T>, memory: &Memory) -> Result<ArrayView3<'t, T>, ErrorKind> {
    let panels = stack.view_for_iteration(memory)?.into_dimensionality::<Ix3>();
    Ok(panels.unwrap_or_else(|error| unreachable!("batch axes are merged into one: {error}")))
}

fn panels_mut<T: Item>(stack: &mut ArrayD<T>) -> ndarray::ArrayViewMut3<'_, T> {
    let panels = stack.view_mut().into_dimensionality::<Ix3>();
    panels.unwrap_or_else(|error| unreachable!("batch axes are merged into one: {error}"))
}
