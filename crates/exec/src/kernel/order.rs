//! `argmax`, `argmin` and sorting.

use std::cmp::Ordering;

use tamis_graph::Order;

use super::number::is_nan;
use super::offsets::Along;
use super::{Call, index};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::Buffer;
use crate::row_major::position_of;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Order, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    match op {
        Order::Argmax { axis, if_empty } => {
            dispatch!(x, x => indices(call, x, axis, if_empty, |a, b| a > b)).map(AnyTensor::from)
        }
        Order::Argmin { axis, if_empty } => {
            dispatch!(x, x => indices(call, x, axis, if_empty, |a, b| a < b)).map(AnyTensor::from)
        }
        Order::Argsort { axis, descending } => {
            dispatch!(x, x => argsort(call, x, axis, descending)).map(AnyTensor::from)
        }
        // The elements at the indices: the op differs from a gather in its derivative.
        Order::TopK { axis } => {
            dispatch!(words: x.words(), x => index::gather_along(call, &x, axis))
        }
    }
}

fn argsort<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axis: usize,
    descending: bool,
) -> Result<Buffer<'a, i64>, ErrorKind> {
    let mut result = call.memory.zeros::<i64>(x.shape())?;
    if result.is_empty() {
        return Ok(result);
    }
    let mut sorted = call.memory.zeros::<usize>(&[x.shape()[axis]])?;
    let sorted = sorted.as_contiguous_mut();
    let order = |a: T, b: T| match a.partial_cmp(&b) {
        Some(order) if descending => order.reverse(),
        Some(order) => order,
        // NaN last, whatever the direction.
        None => is_nan(a).cmp(&is_nan(b)),
    };
    let (along, x, indices) = (Along::new(x.shape(), axis), Rows::new(&x.view()), result.as_contiguous_mut());
    for fiber in 0..along.fibers() {
        let at = |step| along.element(fiber, step);
        sort(sorted, &|a, b| order(x.get(at(a)), x.get(at(b))));
        for (step, sorted) in sorted.iter().enumerate() {
            indices[at(step)] = *sorted as i64;
        }
    }
    Ok(result)
}

/// Writes the indices `0..` in the order of what they stand for.
fn sort(indices: &mut [usize], order: &dyn Fn(usize, usize) -> Ordering) {
    indices.iter_mut().zip(0..).for_each(|(index, i)| *index = i);
    // Stable, since no two indices are equal, and without memory of its own.
    indices.sort_unstable_by(|a, b| order(*a, *b).then(a.cmp(b)));
}

fn indices<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
    if_empty: Option<i64>,
    better: fn(&T, &T) -> bool,
) -> Result<Tensor<'a, i64>, ErrorKind> {
    let masked = call.operands.len() > 1;
    let every = Tensor::full(x.shape(), true);
    let mask = if masked { call.typed::<bool>(1) } else { &every };
    // Along what repeats, the first is the first of the best.
    let ((x, _), (mask, _)) =
        (x.condensed(&|axis| mask.repeats_along(axis)), mask.condensed(&|axis| x.repeats_along(axis)));
    let kept = (0..x.shape().len()).filter(|kept| *kept != axis).map(|kept| x.shape()[kept]);
    let kept: Vec<usize> = kept.collect();
    let mut result = call.memory.zeros::<i64>(&kept)?;
    let along = Along::new(x.shape(), axis);
    let (x, mask) =
        (Rows::new(&x.view_for_iteration(call.memory)?), Rows::new(&mask.view_for_iteration(call.memory)?));
    for (fiber, result) in result.as_contiguous_mut().iter_mut().enumerate() {
        let at = |step| along.element(fiber, step);
        let selected = (0..along.length).filter(|step| mask.get(at(*step)));
        let mut elements = selected.map(|step| (step, x.get(at(step))));
        let index = first_best(&mut elements, better).map(|index| index as i64);
        *result = index
            .or(if_empty)
            .ok_or_else(|| ErrorKind::EmptyReduction { position: position_of(&kept, fiber).to_vec() })?;
    }
    Ok(Tensor::repeated(result, call.shape))
}

/// The first of the indices whose elements none is better than, or of the first NaN.
fn first_best<T: Item>(
    elements: &mut dyn Iterator<Item = (usize, T)>,
    better: fn(&T, &T) -> bool,
) -> Option<usize> {
    let (mut first, mut best) = elements.next()?;
    for (index, x) in elements {
        if !is_nan(best) && (is_nan(x) || better(&x, &best)) {
            (first, best) = (index, x);
        }
    }
    Some(first)
}
