//! Selection by a mask and its inverse.

use tamis_graph::Mask;

use super::copy::{self, Rows, advance, place_in};
use super::index;
use super::pieces::{self, Part};
use super::places::Places;
use super::rows;
use super::selection::{Selection, each_true};
use crate::kernel::Call;
use crate::memory::Buffer;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: Mask, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    match op {
        Mask::BooleanMask { axis } => dispatch!(call.operands[0], x => boolean_mask(call, x, axis)),
        Mask::Unmask { axis } => dispatch!(call.operands[0], values => unmask(call, values, axis)),
        Mask::Argwhere => argwhere(call),
    }
}

fn boolean_mask<'a, T: Item>(call: &Call<'_, 'a>, x: &Tensor<'a, T>, axis: usize) -> Option<AnyTensor<'a>> {
    let mask = call.typed::<bool>(1);
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    if result.is_empty() {
        return Some(result.into());
    }
    let (inner, count) = (axis + mask.shape().len(), call.shape[axis]);
    let (blocks, width) = (x.shape()[..axis].iter().product::<usize>(), x.shape()[inner..].iter().product());
    let mask = copy::list(call, &mask.view())?;
    let x = copy::list(call, &x.view())?;
    let selection = Selection::new(&mask, pieces::rows_per_piece(width), call.threads);
    if selection.total() != count {
        return None;
    }
    let x: &[T] = &x;
    if blocks == 1 {
        pieces::each(call.threads, selection.split(result.as_list_mut(), width), &|_, (piece, part)| {
            let x = &x[piece.start * width..][..piece.mask.len() * width];
            pieces::vectorised(
                #[inline(always)]
                || rows::pack(part, x, piece.mask, width),
            );
        });
    } else {
        let places = true_places(call, &selection)?;
        let places = places.as_list();
        let known = |_| Places::Known(places);
        index::read(result.as_list_mut(), x, [mask.len(), width, count], known, call.threads)?;
    }
    Some(result.into())
}

/// The places of the true elements, in row-major order.
fn true_places<'a>(call: &Call<'_, 'a>, selection: &Selection<'_>) -> Option<Buffer<'a, usize>> {
    let mut places = call.memory.unspecified::<usize>(&[selection.total()]).ok()?;
    pieces::each(call.threads, selection.split(places.as_list_mut(), 1), &|_, (piece, part)| {
        let mut places = part.iter_mut();
        each_true(piece.mask, |i| {
            if let Some(place) = places.next() {
                *place = piece.start + i;
            }
        });
    });
    Some(places)
}

fn unmask<'a, T: Item>(call: &Call<'_, 'a>, values: &Tensor<'a, T>, axis: usize) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) {
        return None;
    }
    let (mask, fill) = (call.typed::<bool>(1), call.typed::<T>(2));
    let (inner, count) = (axis + mask.shape().len(), values.shape()[axis]);
    let width = call.shape[inner..].iter().product::<usize>();
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    let mask = copy::list(call, &mask.view())?;
    let values = copy::list(call, &values.view())?;
    let (values, fill): (&[T], _) = (&values, Rows::new(&fill.view_as(call.shape)));
    let (length, step) = (mask.len(), pieces::rows_per_piece(width));
    let selection = Selection::new(&mask, step, call.threads);
    if selection.total() != count {
        return None;
    }
    let mask_pieces = selection.pieces();
    let group = pieces::rows_per_piece(length * width);
    let parts = pieces::parts(result.as_list_mut(), [length, width], group, step);
    pieces::each(call.threads, parts, &|_, Part { block: first, row, elements }| {
        fill.read((first * length + row) * width, elements);
        for (block, part) in elements.chunks_mut(length * width).enumerate() {
            let values = &values[(first + block) * count * width..][..count * width];
            let mut start = row;
            for part in part.chunks_mut(step * width) {
                let piece = &mask_pieces[start / step];
                let values = &values[piece.before * width..][..piece.count * width];
                pieces::vectorised(
                    #[inline(always)]
                    || rows::spread(part, values, piece.mask, width),
                );
                start += step;
            }
        }
    });
    Some(result.into())
}

fn argwhere<'a>(call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    let mask = call.typed::<bool>(0);
    let mut result = call.memory.unspecified::<i64>(call.shape).ok()?;
    if result.is_empty() {
        return Some(result.into());
    }
    let list = copy::list(call, &mask.view())?;
    let selection = Selection::new(&list, pieces::PIECE, call.threads);
    if selection.total() != call.shape[0] {
        return None;
    }
    let (shape, list) = (mask.shape(), result.as_list_mut());
    match shape.len() {
        1 => coordinates::<1>(list, &selection, shape, call),
        2 => coordinates::<2>(list, &selection, shape, call),
        3 => coordinates::<3>(list, &selection, shape, call),
        4 => coordinates::<4>(list, &selection, shape, call),
        _ => return None,
    }
    Some(result.into())
}

/// Writes the coordinates of the true elements of a mask of this shape.
fn coordinates<const RANK: usize>(
    list: &mut [i64],
    selection: &Selection<'_>,
    shape: &[usize],
    call: &Call<'_, '_>,
) {
    pieces::each(call.threads, selection.split(list, RANK), &|_, (piece, part)| {
        let mut rows = part.as_chunks_mut::<RANK>().0.iter_mut();
        let mut position = [0; RANK];
        position.copy_from_slice(&place_in(shape, piece.start));
        let mut mask = piece.mask;
        while !mask.is_empty() {
            let (run, rest) = mask.split_at(mask.len().min(shape[RANK - 1] - position[RANK - 1]));
            mask = rest;
            let first = position.map(|place| place as i64);
            each_true(run, |i| {
                if let Some(row) = rows.next() {
                    *row = first;
                    row[RANK - 1] += i as i64;
                }
            });
            position[RANK - 1] = 0;
            advance(&mut position[..RANK - 1], &shape[..RANK - 1]);
        }
    });
}
