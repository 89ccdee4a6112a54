//! Running reductions along an axis.

use ndarray::{ArrayD, Axis, Zip};
use tamis_graph::{Direction, Scan};

use super::Call;
use super::number::Accumulate;
use crate::error::ErrorKind;
use crate::tensor::{AnyTensor, Item, Tensor, zeros};

pub(super) fn run<'a>(op: Scan, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    match op {
        Scan::Cumsum(direction) => match call.operands[0] {
            AnyTensor::I64(x) => cumsum(x, direction).map(AnyTensor::from),
            AnyTensor::F32(x) => cumsum(x, direction).map(AnyTensor::from),
            AnyTensor::F64(x) => cumsum(x, direction).map(AnyTensor::from),
            AnyTensor::Bool(_) | AnyTensor::U8(_) | AnyTensor::I32(_) => {
                unreachable!("the builder sums bools and integers in i64")
            }
        },
        Scan::RunningOr(direction) => {
            scan(call.typed(0), direction, |any: bool, x| any | x, |any| *any).map(AnyTensor::from)
        }
    }
}

fn cumsum<T: Accumulate>(x: &Tensor<'_, T>, direction: Direction) -> Result<ArrayD<T>, ErrorKind> {
    scan(x, direction, T::accumulate, T::rounded)
}

/// What `value` gives of the state, which starts at its default and takes in
/// one element after the other.
fn scan<T: Item, State: Default>(
    x: &Tensor<'_, T>,
    direction: Direction,
    include: impl Fn(State, T) -> State,
    value: impl Fn(&State) -> T,
) -> Result<ArrayD<T>, ErrorKind> {
    let Direction { axis, exclusive, reverse } = direction;
    let mut result = zeros::<T>(x.shape())?;
    Zip::from(result.lanes_mut(Axis(axis))).and(x.view().lanes(Axis(axis))).for_each(|mut result, x| {
        let mut state = State::default();
        for step in 0..x.len() {
            let place = if reverse { x.len() - 1 - step } else { step };
            if exclusive {
                result[place] = value(&state);
            }
            state = include(std::mem::take(&mut state), x[place]);
            if !exclusive {
                result[place] = value(&state);
            }
        }
    });
    Ok(result)
}
