//! How the elements of an array reach the tiles of a domain that it broadcasts to.
//!
//! An operand that can be read where it lies is never copied: contiguous arrays, scalars and short
//! rows that repeat cost nothing for a tile. All else is copied into a register of the tile,
//! and so stays in the first-level cache, however far apart its elements lie in memory.

use ndarray::{ArrayViewD, Axis};
use smallvec::SmallVec;

use super::register_file::{BLOCK, TILE};
use crate::by_dtype::Item;
use crate::raw::Strided;
use crate::row_major::merged;

/// How many elements a repeated row may have to be laid out once for all tiles.
const LONGEST_PERIOD: usize = 1 << 14;

/// An array over the domain of a region.
pub(super) enum Loaded<'p, T> {
    /// Every element of the domain lies in memory, in order.
    Contiguous(&'p [T]),
    /// One value in every element: a block of it.
    Scalar(Vec<T>),
    /// A row that repeats every `period` elements, laid out one padded tile further: so that a tile
    /// is one slice of it wherever in the period it begins.
    Row { elements: Vec<T>, period: usize },
    /// Each element `times` times in a row.
    Column { elements: &'p [T], times: usize, register: usize },
    /// What a region before it in its group has computed of the rows of the chunk, by its number:
    /// each element `times` times in a row.
    Local { number: usize, times: usize },
    /// Anything else.
    Strided { elements: Strided<'p, T>, register: usize },
}

impl<'p, T: Item> Loaded<'p, T> {
    /// `view` has the shape of the domain. `register` is used if the elements must be
    /// copied for each tile.
    pub(super) fn new(view: ArrayViewD<'p, T>, register: &mut usize) -> Loaded<'p, T> {
        let len = view.len();
        if let Some(elements) = view.to_slice() {
            return Loaded::Contiguous(elements);
        }
        // As few axes as there can be, so that one or two of them decide between the cases.
        let view = merged(view);
        let axes: SmallVec<[(usize, isize); 4]> =
            view.shape().iter().copied().zip(view.strides().iter().copied()).collect();
        let first = view.first().copied();
        match (axes.as_slice(), first) {
            (_, None) => Loaded::Contiguous(&[]),
            ([] | [(_, 0)], Some(value)) => Loaded::Scalar(vec![value; BLOCK]),
            ([(_, 0), (period, 1)], Some(_)) if *period <= LONGEST_PERIOD => {
                let row = view.index_axis_move(Axis(0), 0).to_slice();
                let row = row.unwrap_or_else(|| unreachable!("one axis of stride 1 is a slice"));
                let padded = *period + TILE.min(len.next_multiple_of(BLOCK));
                Loaded::Row { elements: cycled(row, padded), period: *period }
            }
            ([(_, 1), (times, 0)], Some(_)) => {
                let elements = view.index_axis_move(Axis(1), 0).to_slice();
                let elements = elements.unwrap_or_else(|| unreachable!("one axis of stride 1 is a slice"));
                Loaded::Column { elements, times: *times, register: next(register) }
            }
            (_, Some(_)) => Loaded::Strided { elements: Strided::new(&view), register: next(register) },
        }
    }
}

fn next(register: &mut usize) -> usize {
    *register += 1;
    *register - 1
}

/// `len` elements of a row that repeats. What is there is copied from one end to the other, so that
/// short rows take few copies.
fn cycled<T: Item>(row: &[T], len: usize) -> Vec<T> {
    let mut elements = Vec::with_capacity(len);
    elements.extend_from_slice(&row[..row.len().min(len)]);
    while elements.len() < len {
        elements.extend_from_within(..elements.len().min(len - elements.len()));
    }
    elements
}

/// Repeats each element `times` times, from index `start` of the result on.
pub(super) fn repeat_each<T: Item>(elements: &[T], times: usize, start: usize, mut target: &mut [T]) {
    let (mut element, mut within) = (start / times, start % times);
    while !target.is_empty() {
        let count = (times - within).min(target.len());
        let (here, rest) = target.split_at_mut(count);
        here.fill(elements[element]);
        target = rest;
        element += 1;
        within = 0;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, IxDyn, Slice};

    use super::*;

    /// Whether tiles of a view hold its elements in row-major order.
    #[track_caller]
    fn check(view: ArrayViewD<'_, i32>) -> &'static str {
        let expected: Vec<i32> = view.iter().copied().collect();
        let mut registers = 0;
        let loaded = Loaded::new(view, &mut registers);
        let name = match &loaded {
            Loaded::Contiguous(_) => "contiguous",
            Loaded::Scalar(_) => "scalar",
            Loaded::Row { .. } => "row",
            Loaded::Column { .. } => "column",
            Loaded::Strided { .. } => "strided",
            Loaded::Local { .. } => unreachable!("a view is an array"),
        };
        for start in 0..expected.len() {
            let len = (expected.len() - start).min(7);
            let mut memory = vec![0; TILE];
            let found = match &loaded {
                Loaded::Contiguous(elements) => &elements[start..][..len],
                Loaded::Scalar(elements) => &elements[..len],
                Loaded::Row { elements, period } => &elements[start % period..][..len],
                Loaded::Column { elements, times, .. } => {
                    repeat_each(elements, *times, start, &mut memory[..len]);
                    &memory[..len]
                }
                Loaded::Strided { elements, .. } => {
                    elements.read_from(start, &mut memory[..len]);
                    &memory[..len]
                }
                Loaded::Local { .. } => unreachable!("a view is an array"),
            };
            assert_eq!(found, &expected[start..start + len], "{name} from {start}");
        }
        name
    }

    #[test]
    fn every_layout_reaches_its_tile() {
        let array = Array::from_shape_vec(IxDyn(&[3, 4, 5]), (0..60).collect()).unwrap();
        assert_eq!(check(array.view()), "contiguous");
        assert_eq!(check(array.view().permuted_axes(vec![2, 0, 1])), "strided");
        assert_eq!(check(array.slice_axis(Axis(2), Slice::from(..).step_by(-2))), "strided");
        assert_eq!(check(array.slice_axis(Axis(1), Slice::from(1..3))), "strided");
        let row = Array::from_shape_vec(IxDyn(&[4, 5]), (0..20).collect()).unwrap();
        assert_eq!(check(row.broadcast(vec![3, 4, 5]).unwrap()), "row");
        let column = Array::from_shape_vec(IxDyn(&[3, 4, 1]), (0..12).collect()).unwrap();
        assert_eq!(check(column.broadcast(vec![3, 4, 5]).unwrap()), "column");
        let middle = Array::from_shape_vec(IxDyn(&[3, 1, 5]), (0..15).collect()).unwrap();
        assert_eq!(check(middle.broadcast(vec![3, 4, 5]).unwrap()), "strided");
        let one = Array::from_elem(IxDyn(&[1, 1]), 7);
        assert_eq!(check(one.broadcast(vec![3, 4]).unwrap()), "scalar");
        assert_eq!(check(one.broadcast(vec![0, 4]).unwrap()), "contiguous");
    }

    #[test]
    fn a_repeated_row_serves_tiles_that_begin_anywhere() {
        let row = Array::from_iter(0..3).into_dyn();
        let view = row.broadcast(vec![2000, 3]).unwrap();
        let Loaded::Row { elements, period } = Loaded::new(view, &mut 0) else { unreachable!() };
        assert_eq!((elements.len(), period), (3 + TILE, 3));
        assert!(elements[2..].iter().zip([2, 0, 1].iter().cycle()).all(|(a, b)| a == b));
    }
}
