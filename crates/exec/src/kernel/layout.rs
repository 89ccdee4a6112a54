//! The same elements, arranged otherwise: shared wherever they can be.

use tamis_graph::{Layout, PadAxis, Scalar, SliceAxis};

use super::Call;
use super::offsets::{self, Along};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::row_major::position_of;
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: &Layout, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    match op {
        // A guard has held by now: the run compares lengths, and kernels do not see them.
        Layout::Guard { .. } | Layout::Checked => Ok(x.clone()),
        Layout::Assert { message, .. } => {
            let mask = call.typed(1);
            let Some(position) = offsets::first_false(mask, call.memory)? else { return Ok(x.clone()) };
            let value = dispatch!(x, x => value_at(x, mask.shape(), &position));
            Err(ErrorKind::Assertion { message: message.to_string(), position, value })
        }
        Layout::Reshape(_) => {
            dispatch!(x, x => x.clone().reshape(call.shape, call.memory).map(AnyTensor::from))
        }
        Layout::BroadcastTo(_) => dispatch!(x, x => Ok(x.clone().broadcast(call.shape).into())),
        Layout::Permute(axes) => dispatch!(x, x => Ok(x.clone().permute(axes).into())),
        Layout::Slice(axes) => dispatch!(x, x => slice(call, x, axes)),
        Layout::Pad(axes) => dispatch!(words: x.words(), x => pad(call, &x, axes)),
        Layout::Concat { axis } => dispatch!(words: x.words(), x => concat(call, &x, *axis)),
    }
}

/// The element at a position, if the tensor has the shape that the position is of.
fn value_at<T: Item>(x: &Tensor<'_, T>, shape: &[usize], position: &[usize]) -> Option<Scalar> {
    if x.shape() == shape { x.view().get(position).map(|value| value.into_scalar()) } else { None }
}

/// Evenly spaced indices of one axis.
struct Span {
    start: usize,
    step: isize,
    len: usize,
}

impl Span {
    /// The indices `start, start + step, …`, which must lie within an axis of this
    /// length. If there are none, the start is ignored.
    fn new(start: i64, step: i64, len: usize, axis: usize, length: usize) -> Result<Span, ErrorKind> {
        let Some(steps) = len.checked_sub(1) else { return Ok(Span { start: 0, step: 1, len }) };
        let (first, last) = (i128::from(start), i128::from(start) + steps as i128 * i128::from(step));
        if [first, last].iter().any(|index| !(0..length as i128).contains(index)) {
            return Err(ErrorKind::SliceOutOfRange { start, count: len, step, axis, length });
        }
        Ok(Span { start: start as usize, step: step as isize, len })
    }

    /// The index at which element `i` is written.
    fn index(&self, i: usize) -> usize {
        self.start.wrapping_add_signed(i as isize * self.step)
    }
}

fn slice<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axes: &[SliceAxis],
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mut sliced = x.clone();
    for (axis, SliceAxis { start, step, .. }) in axes.iter().enumerate() {
        let start = call.sizes.value(start)?;
        let span = Span::new(start, *step, call.shape[axis], axis, x.shape()[axis])?;
        sliced = sliced.slice(axis, span.start, span.step, span.len);
    }
    Ok(sliced.into())
}

fn pad<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    axes: &[PadAxis],
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, call.memory)?;
    let mut spans = Vec::new();
    for (axis, PadAxis { start, step, .. }) in axes.iter().enumerate() {
        let start = call.sizes.value(start)?;
        spans.push(Span::new(start, *step, x.shape()[axis], axis, call.shape[axis])?);
    }
    let (source, elements) = (Rows::new(&x.view()), result.words_mut());
    for i in 0..x.view().len() {
        let position = position_of(x.shape(), i);
        let axes = spans.iter().zip(&position).zip(call.shape);
        let offset = axes.fold(0, |offset, ((span, i), length)| offset * length + span.index(*i));
        elements[offset] = source.get(i);
    }
    Ok(result.repeated(call.shape))
}

fn concat<'a, T: Item>(
    call: &Call<'_, 'a>,
    _first: &Tensor<'_, T>,
    axis: usize,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let mut result = AnyBuffer::zeros(call.operands[0].dtype(), call.shape, call.memory)?;
    let (elements, all) = (result.words_mut::<T>(), Along::new(call.shape, axis));
    let mut start = 0;
    for position in 0..call.operands.len() {
        let operand = call.words::<T>(position);
        let (source, operand_along) = (Rows::new(&operand.view()), Along::new(operand.shape(), axis));
        for block in 0..all.blocks {
            let len = operand_along.length * operand_along.width;
            source.read(block * len, &mut elements[all.row(block, start)..][..len]);
        }
        start += operand.shape()[axis];
    }
    Ok(result.repeated(call.shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_lies_within_its_axis() {
        assert!(Span::new(4, -2, 3, 0, 5).is_ok());
        assert!(matches!(
            Span::new(3, -2, 3, 1, 5),
            Err(ErrorKind::SliceOutOfRange { start: 3, count: 3, step: -2, axis: 1, length: 5 })
        ));
        assert!(Span::new(5, 1, 1, 0, 5).is_err());
        assert!(Span::new(0, i64::MAX, 3, 0, 5).is_err());
    }

    #[test]
    fn an_empty_span_may_start_anywhere() {
        assert!(Span::new(-7, 1, 0, 0, 0).is_ok());
    }
}
