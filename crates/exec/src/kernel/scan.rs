//! Running reductions along an axis.

use ndarray::{Axis, Zip};
use tamis_graph::{Direction, Scan};

use super::Call;
use super::number::{Accumulate, Multiply, Number};
use crate::error::ErrorKind;
use crate::memory::Buffer;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Scan, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Scan::Cumsum(direction) => {
            dispatch!(sums: call.operands[0], x => cumsum(call, x, direction).map(AnyTensor::from))
        }
        Scan::Cumprod(direction) => {
            dispatch!(sums: call.operands[0], x => cumprod(call, x, direction).map(AnyTensor::from))
        }
        Scan::RunningOr(direction) => {
            scan(call, call.typed(0), direction, || false, |any, x| any | x, |any| *any).map(AnyTensor::from)
        }
        Scan::Linear { axis, reverse } => {
            dispatch!(floats: call.operands[0], a => linear(call, a, axis, reverse).map(AnyTensor::from))
        }
    }
}

fn cumsum<'a, T: Accumulate>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    direction: Direction,
) -> Result<Buffer<'a, T>, ErrorKind> {
    scan(call, x, direction, T::Total::default, T::accumulate, T::rounded)
}

fn cumprod<'a, T: Multiply>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    direction: Direction,
) -> Result<Buffer<'a, T>, ErrorKind> {
    scan(call, x, direction, || T::ONE, T::multiply, |total| T::product(*total))
}

/// `hₜ = aₜ·hₜ₋₁ + bₜ`. The first coefficient is never read.
fn linear<'a, T: Number>(
    call: &Call<'_, 'a>,
    a: &Tensor<'_, T>,
    axis: usize,
    reverse: bool,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let mut result = call.typed::<T>(1).to_buffer(call.memory)?;
    if result.is_empty() {
        return Ok(result);
    }
    Zip::from(result.lanes_mut(Axis(axis))).and(a.view().lanes(Axis(axis))).for_each(|mut h, a| {
        for step in 1..h.len() {
            let (index, before) =
                if reverse { (h.len() - 1 - step, h.len() - step) } else { (step, step - 1) };
            h[index] = h[index].add(a[index].mul(h[before]));
        }
    });
    Ok(result)
}

/// What `value` gives of the state, which takes in one element after the other.
fn scan<'a, T: Item, State>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    direction: Direction,
    initial: impl Fn() -> State,
    include: impl Fn(State, T) -> State,
    value: impl Fn(&State) -> T,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let Direction { axis, exclusive, reverse } = direction;
    let mut result = call.memory.zeros::<T>(x.shape())?;
    if result.is_empty() {
        // An array without elements can have astronomically many fibers.
        return Ok(result);
    }
    Zip::from(result.lanes_mut(Axis(axis))).and(x.view().lanes(Axis(axis))).for_each(|mut result, x| {
        let mut state = initial();
        for step in 0..x.len() {
            let index = if reverse { x.len() - 1 - step } else { step };
            if exclusive {
                result[index] = value(&state);
            }
            state = include(state, x[index]);
            if !exclusive {
                result[index] = value(&state);
            }
        }
    });
    Ok(result)
}
