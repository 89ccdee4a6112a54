//! `argmax`, `argmin` and sorting.

use ndarray::{ArrayView1, Axis, Dimension};
use tamis_graph::Order;

use super::number::is_nan;
use super::{Call, index};
use crate::error::ErrorKind;
use crate::memory::Buffer;
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
            dispatch!(x, x => index::gather_along(call, x, axis).map(AnyTensor::from))
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
        Some(order) => {
            if descending {
                order.reverse()
            } else {
                order
            }
        }
        // NaN last, whatever the direction.
        None => is_nan(a).cmp(&is_nan(b)),
    };
    for (mut indices, fiber) in result.lanes_mut(Axis(axis)).into_iter().zip(x.view().lanes(Axis(axis))) {
        sorted.iter_mut().zip(0..).for_each(|(index, i)| *index = i);
        // Stable, since no two indices are equal, and without memory of its own.
        sorted.sort_unstable_by(|a, b| order(fiber[*a], fiber[*b]).then(a.cmp(b)));
        for (index, sorted) in indices.iter_mut().zip(&*sorted) {
            *index = *sorted as i64;
        }
    }
    Ok(result)
}

fn indices<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axis: usize,
    if_empty: Option<i64>,
    better: impl Fn(&T, &T) -> bool,
) -> Result<Tensor<'a, i64>, ErrorKind> {
    let masked = call.operands.len() > 1;
    let every = Tensor::full(x.shape(), true);
    let mask = if masked { call.typed::<bool>(1) } else { &every };
    // Along what repeats, the first is the first of the best.
    let ((x, _), (mask, _)) =
        (x.condensed(|axis| mask.repeats_along(axis)), mask.condensed(|axis| x.repeats_along(axis)));
    let kept = (0..x.shape().len()).filter(|kept| *kept != axis).map(|kept| x.shape()[kept]);
    let mut result = call.memory.zeros::<i64>(&kept.collect::<Vec<_>>())?;
    let (x, mask) = (x.view_for_iteration(call.memory)?, mask.view_for_iteration(call.memory)?);
    let fibers = x.lanes(Axis(axis)).into_iter().zip(mask.lanes(Axis(axis)));
    for ((position, result), (fiber, mask)) in result.indexed_iter_mut().zip(fibers) {
        let index = first_best(fiber, mask, &better).map(|index| index as i64);
        *result = index.or(if_empty).ok_or_else(|| {
            let position = position.slice().to_vec();
            match masked {
                true => ErrorKind::EmptySelection { position },
                false => ErrorKind::EmptyReduction { position },
            }
        })?;
    }
    Ok(Tensor::repeated(result, call.shape))
}

/// The index of the first selected element that none is better than, or of the first NaN.
fn first_best<T: Item>(
    fiber: ArrayView1<'_, T>,
    mask: ArrayView1<'_, bool>,
    better: &impl Fn(&T, &T) -> bool,
) -> Option<usize> {
    let wins = |x: &T, best: &T| !is_nan(*best) && (is_nan(*x) || better(x, best));
    let selected = fiber.iter().zip(mask).enumerate().filter(|(_, (_, selected))| **selected);
    let elements = selected.map(|(index, (x, _))| (index, x));
    let best = elements.reduce(|best, next| if wins(next.1, best.1) { next } else { best });
    best.map(|(index, _)| index)
}
