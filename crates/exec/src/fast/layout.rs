//! The same elements, arranged otherwise, where they cannot be shared.

use tamis_graph::{Layout, PadAxis};

use super::chunks::{self, CHUNK};
use super::copy;
use super::rows;
use crate::elements::Rows;
use crate::kernel::Call;
use crate::row_major::{advance, position_of};
use crate::tensor::{AnyBuffer, AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: &Layout, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let x = call.operands[0];
    match op {
        Layout::Reshape(_) => dispatch!(x, x => reshape(call, x)),
        Layout::Pad(axes) => dispatch!(words: x.words(), x => pad(call, &x, axes)),
        Layout::Concat { axis } => dispatch!(words: x.words(), x => concat(call, &x, *axis)),
        Layout::Assert { .. } => holds(call.typed(1)).then(|| x.clone()),
        Layout::BroadcastTo(_)
        | Layout::Permute(_)
        | Layout::Slice(_)
        | Layout::Guard { .. }
        | Layout::Checked => None,
    }
}

fn reshape<'a, T: Item>(call: &Call<'_, 'a>, x: &Tensor<'a, T>) -> Option<AnyTensor<'a>> {
    if let Some(shared) = x.share_as(call.shape) {
        return Some(shared.into());
    }
    Some(copy::copy(&x.view(), call.memory, call.threads).ok()?.with_shape(call.shape).into())
}

/// Whether all elements are known to be true.
fn holds(mask: &Tensor<'_, bool>) -> bool {
    mask.shape().contains(&0) || mask.condensed(&|_| true).0.stored().iter().all(|holds| *holds)
}

/// Where the elements of one axis of an operand stand in the result.
struct Span {
    start: usize,
    step: isize,
    len: usize,
}

impl Span {
    /// The index in the operand of the element at `index`, if it has one.
    fn source(&self, index: usize) -> Option<usize> {
        if self.step == 1 {
            return index.checked_sub(self.start).filter(|source| *source < self.len);
        }
        let distance = index as isize - self.start as isize;
        let source = usize::try_from(distance / self.step).ok()?;
        (distance % self.step == 0 && source < self.len).then_some(source)
    }
}

fn pad<'a, T: Item>(call: &Call<'_, 'a>, x: &Tensor<'_, T>, axes: &[PadAxis]) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) || x.shape().contains(&0) {
        return None;
    }
    let mut spans = Vec::new();
    for (axis, PadAxis { start, step, .. }) in axes.iter().enumerate() {
        let (len, end) = (x.shape()[axis], call.shape[axis] as i128);
        let start = call.sizes.value(start).ok()?;
        let last = i128::from(start) + (len - 1) as i128 * i128::from(*step);
        if !(0..end).contains(&i128::from(start)) || !(0..end).contains(&last) {
            return None;
        }
        let step = if len == 1 { 1 } else { *step as isize };
        spans.push(Span { start: start as usize, step, len });
    }
    let (last, outer) = spans.split_last().filter(|(last, _)| last.step == 1)?;
    let (width, outer_shape) = call.shape.split_last()?;
    let mut result = AnyBuffer::unspecified(call.operands[0].dtype(), call.shape, call.memory).ok()?;
    let source = Rows::new(&x.view());
    call.threads.for_each_chunk(result.words_mut(), CHUNK, &|chunk, mut output| {
        output.fill(T::default());
        let mut column = chunk * CHUNK % width;
        let mut position = position_of(outer_shape, chunk * CHUNK / width);
        while !output.is_empty() {
            let (line, rest) = output.split_at_mut(output.len().min(width - column));
            let from = last.start.max(column);
            let to = (last.start + last.len).min(column + line.len());
            if let (Some(row), true) = (source_row(outer, &position), from < to) {
                source.read(row * last.len + from - last.start, &mut line[from - column..to - column]);
            }
            (output, column) = (rest, 0);
            advance(&mut position, outer_shape);
        }
    });
    Some(result.repeated(call.shape))
}

/// The row of the operand that stands at a position of the result, if one does.
fn source_row(spans: &[Span], position: &[usize]) -> Option<usize> {
    let mut indices = spans.iter().zip(position);
    indices.try_fold(0, |row, (span, index)| Some(row * span.len + span.source(*index)?))
}

fn concat<'a, T: Item>(call: &Call<'_, 'a>, _first: &Tensor<'_, T>, axis: usize) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) {
        return None;
    }
    let mut result = AnyBuffer::unspecified(call.operands[0].dtype(), call.shape, call.memory).ok()?;
    let operands: Vec<Tensor<'_, T>> =
        (0..call.operands.len()).map(|position| call.words(position)).collect();
    // What one operand gives to each block, and how much that is.
    let sources: Vec<(Rows<'_, T>, usize)> = operands
        .iter()
        .filter(|operand| !operand.shape().contains(&0))
        .map(|operand| (Rows::new(&operand.view()), operand.shape()[axis..].iter().product()))
        .collect();
    let total: usize = call.shape[axis..].iter().product();
    let group = chunks::rows_per_chunk(total);
    if group > 1 {
        call.threads.for_each_chunk(result.words_mut(), group * total, &|chunk, output| {
            let mut offset = 0;
            for (source, len) in &sources {
                interleave(output, [offset, total], source, chunk * group, *len);
                offset += len;
            }
        });
    } else {
        let mut outputs = Vec::new();
        for (block, mut elements) in result.words_mut().chunks_exact_mut(total).enumerate() {
            for (source, len) in &sources {
                let (output, rest) = elements.split_at_mut(*len);
                for (chunk, output) in output.chunks_mut(CHUNK).enumerate() {
                    outputs.push((source, block * len + chunk * CHUNK, output));
                }
                elements = rest;
            }
        }
        chunks::each(call.threads, outputs, &|_, (source, start, output)| source.read(start, output));
    }
    Some(result.repeated(call.shape))
}

/// Writes rows of `len` elements of `source`, from the row at `first` on, to
/// every `total` elements of `blocks`, behind `offset` others.
fn interleave<T: Item>(
    blocks: &mut [T],
    [offset, total]: [usize; 2],
    source: &Rows<'_, T>,
    first: usize,
    len: usize,
) {
    let mut spare = [T::default(); 1024];
    if len > spare.len() {
        for (i, block) in blocks.chunks_exact_mut(total).enumerate() {
            source.read((first + i) * len, &mut block[offset..offset + len]);
        }
        return;
    }
    let several = spare.len() / len;
    for (i, blocks) in blocks.chunks_mut(several * total).enumerate() {
        let count = blocks.len() / total * len;
        let read = source.run((first + i * several) * len, count, &mut spare);
        rows::interleave(blocks, [offset, total], read, len);
    }
}
