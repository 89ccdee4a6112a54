//! Stacks of matrices: the last two axes are those of the matrices, and the axes before them
//! are batch axes. Matrices are numbered in the row-major order of their batch axes. Does not
//! depend on how products are computed.

use ndarray::{ArrayView2, ArrayView3, ArrayViewD, ArrayViewMut2, Axis};

use crate::kernel::Call;
use crate::row_major::position_of;
use crate::tensor::Tensor;

/// The masks of the two factors of a product, as far as there are any.
pub(crate) type Masks<'c, 'a> = [Option<&'c Tensor<'a, bool>>; 2];

/// The masks among the operands of a product, which follow the two factors; `masked` says
/// which factor has one.
pub(crate) fn masks<'c, 'a>(call: &Call<'c, 'a>, masked: [bool; 2]) -> Masks<'c, 'a> {
    let [first, second] = masked;
    let positions = [first.then_some(2), second.then_some(2 + usize::from(first))];
    positions.map(|position| position.map(|position| call.typed::<bool>(position)))
}

/// Matrices under any batch axes: where they lie, without a copy.
pub(crate) enum Stack<'t, T> {
    /// Under one batch axis.
    Flat(ArrayView3<'t, T>),
    Deep(ArrayViewD<'t, T>),
}

impl<'t, T> Stack<'t, T> {
    pub(crate) fn new(stack: &ArrayViewD<'t, T>) -> Stack<'t, T> {
        let mut flat = stack.clone();
        if flat.ndim() == 2 {
            flat.insert_axis_inplace(Axis(0));
        }
        while flat.ndim() > 3 && flat.merge_axes(Axis(flat.ndim() - 4), Axis(flat.ndim() - 3)) {
            flat.index_axis_inplace(Axis(flat.ndim() - 4), 0);
        }
        flat.into_dimensionality().map_or_else(|_| Stack::Deep(stack.clone()), Stack::Flat)
    }

    /// The matrix at `index`.
    pub(crate) fn matrix(&self, index: usize) -> ArrayView2<'t, T> {
        match self {
            Stack::Flat(stack) => stack.index_axis_move(Axis(0), index),
            Stack::Deep(stack) => {
                let mut view = stack.clone();
                for index in position_of(&stack.shape()[..stack.ndim() - 2], index) {
                    view.index_axis_inplace(Axis(0), index);
                }
                let matrix = view.into_dimensionality();
                matrix.unwrap_or_else(|error| unreachable!("all batch axes are indexed: {error}"))
            }
        }
    }
}

/// `rows` times `columns` elements, row by row.
pub(crate) fn as_matrix<T>(elements: &mut [T], rows: usize, columns: usize) -> ArrayViewMut2<'_, T> {
    let matrix = ArrayViewMut2::from_shape((rows, columns), elements);
    matrix.unwrap_or_else(|error| unreachable!("the elements are those of the matrix: {error}"))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Ix2, IxDyn};

    use super::*;

    /// Every matrix of a stack is that at its position in the array.
    #[track_caller]
    fn check(array: &ArrayViewD<'_, i32>) {
        let stack = Stack::new(array);
        let batch = &array.shape()[..array.ndim() - 2];
        for index in 0..batch.iter().product() {
            let mut matrix = array.clone();
            position_of(batch, index).into_iter().for_each(|i| matrix.index_axis_inplace(Axis(0), i));
            assert_eq!(stack.matrix(index), matrix.into_dimensionality::<Ix2>().unwrap(), "{index}");
        }
    }

    #[test]
    fn matrices_are_numbered_in_row_major_order() {
        let array = Array::from_shape_vec(IxDyn(&[2, 3, 2, 2]), (0..24).collect()).unwrap();
        check(&array.view());
        check(&array.index_axis(Axis(0), 1));
        check(&array.index_axis(Axis(0), 1).index_axis(Axis(0), 2));
        // Axes that cannot be merged into one.
        check(&array.view().permuted_axes(vec![1, 0, 3, 2]));
        check(&array.index_axis(Axis(0), 0).broadcast(vec![4, 3, 2, 2]).unwrap());
    }

    #[test]
    fn elements_are_a_matrix_row_by_row() {
        let mut elements = [1, 2, 3, 4, 5, 6];
        assert_eq!(as_matrix(&mut elements, 2, 3)[[1, 0]], 4);
    }
}
