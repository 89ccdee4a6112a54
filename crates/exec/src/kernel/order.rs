//! Places of extreme elements.

use ndarray::{ArrayD, ArrayView1, Axis, Dimension};
use tamis_graph::Order;

use super::Call;
use super::number::is_nan;
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch, zeros};

pub(super) fn run<'a>(op: Order, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    let places = match op {
        Order::Argmax { axis } => dispatch!(x, x => places(call.shape, x, axis, |a, b| a > b)),
        Order::Argmin { axis } => dispatch!(x, x => places(call.shape, x, axis, |a, b| a < b)),
    };
    places.map(AnyTensor::from)
}

fn places<T: Item>(
    shape: &[usize],
    x: &Tensor<'_, T>,
    axis: usize,
    better: impl Fn(&T, &T) -> bool,
) -> Result<ArrayD<i64>, ErrorKind> {
    let mut result = zeros::<i64>(shape)?;
    for ((position, result), lane) in result.indexed_iter_mut().zip(x.view().lanes(Axis(axis))) {
        let place = first_best(lane, &better);
        let refuse = || ErrorKind::NothingToChoose { position: position.slice().to_vec() };
        *result = place.ok_or_else(refuse)? as i64;
    }
    Ok(result)
}

/// The place of the first element that none is better than, or of the first NaN.
fn first_best<T: Item>(lane: ArrayView1<'_, T>, better: &impl Fn(&T, &T) -> bool) -> Option<usize> {
    let wins = |x: &T, best: &T| !is_nan(*best) && (is_nan(*x) || better(x, best));
    let best = lane.iter().enumerate().reduce(|best, next| if wins(next.1, best.1) { next } else { best });
    best.map(|(place, _)| place)
}
