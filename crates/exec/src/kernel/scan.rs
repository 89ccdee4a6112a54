//! Running reductions along an axis.

use tamis_graph::{Direction, Scan};

use super::Call;
use super::number::{Accumulate, Multiply, Number};
use super::offsets::Along;
use crate::elements::Rows;
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
    let (along, a, h) = (Along::new(a.shape(), axis), Rows::new(&a.view()), result.as_contiguous_mut());
    for fiber in 0..along.fibers() {
        for step in 1..along.length {
            let (step, before) =
                if reverse { (along.length - 1 - step, along.length - step) } else { (step, step - 1) };
            let (at, before) = (along.element(fiber, step), along.element(fiber, before));
            h[at] = h[at].add(a.get(at).mul(h[before]));
        }
    }
    Ok(result)
}

/// What `value` gives of the state, which takes in one element after the other.
fn scan<'a, T: Item, State>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    direction: Direction,
    initial: fn() -> State,
    include: fn(State, T) -> State,
    value: fn(&State) -> T,
) -> Result<Buffer<'a, T>, ErrorKind> {
    let Direction { axis, exclusive, reverse } = direction;
    let mut result = call.memory.zeros::<T>(x.shape())?;
    let (along, x, elements) =
        (Along::new(x.shape(), axis), Rows::new(&x.view()), result.as_contiguous_mut());
    for fiber in 0..along.fibers() {
        let mut state = initial();
        for step in 0..along.length {
            let at = along.element(fiber, if reverse { along.length - 1 - step } else { step });
            if exclusive {
                elements[at] = value(&state);
            }
            state = include(state, x.get(at));
            if !exclusive {
                elements[at] = value(&state);
            }
        }
    }
    Ok(result)
}
