//! Row-major order: the last axis runs fastest. Does not depend on ops.

use ndarray::{ArrayViewD, Axis};
use smallvec::SmallVec;

/// A position, one index for each axis.
pub(crate) type Position = SmallVec<[usize; 6]>;

/// The position of the element at `index` in row-major order.
pub(crate) fn position_of(shape: &[usize], mut index: usize) -> Position {
    let mut position: Position = SmallVec::from_elem(0, shape.len());
    for (position, length) in position.iter_mut().zip(shape).rev() {
        (*position, index) = (index % length, index / length);
    }
    position
}

/// Moves on to the next position in row-major order; behind the last to the first.
#[inline(always)]
pub(crate) fn advance(position: &mut [usize], shape: &[usize]) {
    advance_with(position, shape, |_, _| {});
}

/// [`advance`], calling `moved` with each axis whose index changes and by how much: so that
/// an offset can follow the position without being computed anew.
#[inline(always)]
pub(crate) fn advance_with(position: &mut [usize], shape: &[usize], mut moved: impl FnMut(usize, isize)) {
    for axis in (0..position.len()).rev() {
        position[axis] += 1;
        if position[axis] < shape[axis] {
            return moved(axis, 1);
        }
        moved(axis, 1 - position[axis] as isize);
        position[axis] = 0;
    }
}

/// The same elements in the same order, with as few axes as the strides allow: neighbouring
/// axes that can be iterated as one are merged, axes of length 1 dropped.
pub(crate) fn merged<T: Copy>(mut x: ArrayViewD<'_, T>) -> ArrayViewD<'_, T> {
    for axis in (0..x.ndim()).rev() {
        let merges = axis + 1 < x.ndim() && x.merge_axes(Axis(axis), Axis(axis + 1));
        if merges || x.len_of(Axis(axis)) == 1 {
            x.index_axis_inplace(Axis(axis), 0);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, IxDyn, Slice};

    use super::*;

    #[test]
    fn the_last_axis_runs_fastest() {
        assert_eq!(position_of(&[2, 3, 4], 0).as_slice(), [0, 0, 0]);
        assert_eq!(position_of(&[2, 3, 4], 5).as_slice(), [0, 1, 1]);
        assert_eq!(position_of(&[2, 3, 4], 23).as_slice(), [1, 2, 3]);
        assert!(position_of(&[], 0).is_empty());
    }

    #[test]
    fn positions_follow_one_another() {
        let shape = [2, 1, 3];
        let mut position = position_of(&shape, 0);
        for index in 0..6 {
            assert_eq!(position, position_of(&shape, index), "{index}");
            advance(&mut position, &shape);
        }
        assert_eq!(position.as_slice(), [0, 0, 0]);
    }

    #[test]
    fn an_offset_follows_its_position() {
        let (shape, strides) = ([2, 3], [-1, 2]);
        let (mut position, mut offset) = ([0, 0], 1);
        let mut offsets = Vec::new();
        for _ in 0..7 {
            offsets.push(offset);
            advance_with(&mut position, &shape, |axis, by| offset += by * strides[axis]);
        }
        assert_eq!(offsets, [1, 3, 5, 0, 2, 4, 1]);
    }

    #[test]
    fn merged_axes_keep_elements_and_order() {
        let array = Array::from_shape_vec(IxDyn(&[2, 1, 3, 4]), (0..24).collect()).unwrap();
        let row = Array::from_iter(0..4).into_dyn();
        for (view, shape) in [
            (array.view(), vec![24]),
            (array.view().permuted_axes(vec![3, 0, 1, 2]), vec![4, 6]),
            (array.slice_axis(Axis(3), Slice::from(..2)), vec![6, 2]),
            (row.broadcast(vec![2, 3, 4]).unwrap(), vec![6, 4]),
            (row.slice_axis(Axis(0), Slice::from(1..2)), vec![]),
        ] {
            let merged = merged(view.clone());
            assert_eq!(merged.shape(), shape);
            assert!(merged.iter().eq(&view));
        }
    }
}
