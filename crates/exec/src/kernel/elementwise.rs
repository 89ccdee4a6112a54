//! One function applied to every element, or to every pair. Does not depend on ops.
//!
//! Functions are called through references: one loop for each dtype rather than for
//! each function, which would take much of the time to build the crate.

use std::cell::Cell;

use super::{Call, RUN};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::row_major::position_of;
use crate::tensor::{Item, Tensor};

/// `f` of every element; of a repeated one once.
pub(super) fn map<'a, T: Item, R: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    f: &dyn Fn(T) -> R,
) -> Result<Tensor<'a, R>, ErrorKind> {
    let stored = x.stored();
    let mut result = call.memory.zeros::<R>(stored.shape())?;
    let (source, mut spare) = (Rows::new(&stored), [T::default(); RUN]);
    for (i, result) in result.as_contiguous_mut().chunks_mut(RUN).enumerate() {
        let x = source.run(i * RUN, result.len(), &mut spare);
        result.iter_mut().zip(x).for_each(|(result, x)| *result = f(*x));
    }
    Ok(Tensor::repeated(result, x.shape()))
}

/// `f` of every pair, broadcast to the shape of the result; of a repeated one once.
pub(super) fn zip<'a, T: Item, R: Item>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    b: &Tensor<'a, T>,
    f: &dyn Fn(T, T) -> R,
) -> Result<Tensor<'a, R>, ErrorKind> {
    let [a, b] = condensed(call, a, b);
    let mut result = call.memory.zeros::<R>(a.shape())?;
    let (a, b) = (Rows::new(&a.view()), Rows::new(&b.view()));
    let mut spare = [[T::default(); RUN]; 2];
    let [spare_a, spare_b] = &mut spare;
    for (i, result) in result.as_contiguous_mut().chunks_mut(RUN).enumerate() {
        let (a, b) = (a.run(i * RUN, result.len(), spare_a), b.run(i * RUN, result.len(), spare_b));
        result.iter_mut().zip(a.iter().zip(b)).for_each(|(result, (a, b))| *result = f(*a, *b));
    }
    Ok(Tensor::repeated(result, call.shape))
}

/// Both operands in the shape of the result, but of what repeats in both one.
fn condensed<'t, T: Item>(call: &Call<'_, '_>, a: &Tensor<'t, T>, b: &Tensor<'t, T>) -> [Tensor<'t, T>; 2] {
    let [a, b] = [a, b].map(|x| x.clone().broadcast(call.shape));
    let repeats = |axis| a.repeats_along(axis) && b.repeats_along(axis);
    [&a, &b].map(|x| x.condensed(&repeats).0)
}

/// [`zip`] of a function that has no value for some pairs; `refuse` says why,
/// for the first such pair in row-major order and its position.
pub(super) fn try_zip<'a, T: Item>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    b: &Tensor<'a, T>,
    f: &dyn Fn(T, T) -> Option<T>,
    refuse: &dyn Fn(T, T, Vec<usize>) -> ErrorKind,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let is_refused = Cell::new(false);
    let value = |a, b| {
        f(a, b).unwrap_or_else(|| {
            is_refused.set(true);
            T::default()
        })
    };
    let result = zip(call, a, b, &value)?;
    if !is_refused.get() {
        return Ok(result);
    }
    // The first of what repeats is the first that is refused.
    let [a, b] = condensed(call, a, b);
    let (a, b) = (a.view(), b.view());
    let refused = a.iter().zip(&b).position(|(a, b)| f(*a, *b).is_none());
    let refused = refused.unwrap_or_else(|| unreachable!("one of the pairs was refused"));
    let position = position_of(a.shape(), refused).to_vec();
    Err(refuse(a[&*position], b[&*position], position))
}
