//! burn on its CPU backend `flex`: arrays in, answers out.

use burn::tensor::{Bool, Device, Gradients, Int, Tensor, TensorData};
use ndarray::{Array, Dimension};

use crate::answer::{Answer, Elements};

/// The tensor with the elements of an array of rank `R`.
pub(crate) fn tensor<const R: usize, D: Dimension>(array: &Array<f32, D>) -> Tensor<R> {
    Tensor::from_data(data(array), &Device::flex())
}

/// As [`tensor`], on a device that records what is computed for gradients.
pub(crate) fn recorded<const R: usize, D: Dimension>(array: &Array<f32, D>) -> Tensor<R> {
    Tensor::from_data(data(array), &Device::flex().autodiff())
}

/// As [`recorded`], for masks.
pub(crate) fn recorded_mask<const R: usize, D: Dimension>(array: &Array<bool, D>) -> Tensor<R, Bool> {
    Tensor::from_data(data(array), &Device::flex().autodiff())
}

/// As [`recorded`], for indices.
pub(crate) fn recorded_indices<const R: usize, D: Dimension>(array: &Array<i64, D>) -> Tensor<R, Int> {
    Tensor::from_data(data(array), &Device::flex().autodiff())
}

/// A step of gradient descent.
pub(crate) fn descend<const R: usize>(parameter: &mut Tensor<R>, gradients: &mut Gradients, rate: f32) {
    let gradient = parameter.grad_remove(gradients).expect("the loss depends on it");
    parameter.inplace(|tensor| (tensor.inner() - gradient * rate).autodiff().require_grad());
}

/// As [`tensor`], for masks.
pub(crate) fn mask<const R: usize, D: Dimension>(array: &Array<bool, D>) -> Tensor<R, Bool> {
    Tensor::from_data(data(array), &Device::flex())
}

/// As [`tensor`], for indices.
pub(crate) fn indices<const R: usize, D: Dimension>(array: &Array<i64, D>) -> Tensor<R, Int> {
    Tensor::from_data(data(array), &Device::flex())
}

fn data<T: burn::tensor::Element, D: Dimension>(array: &Array<T, D>) -> TensorData {
    TensorData::new(array.iter().copied().collect::<Vec<T>>(), array.shape())
}

impl<const R: usize> Answer for Tensor<R> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Floats(self.try_to_vec_as::<f32>().expect("floats")));
    }
}

impl<const R: usize> Answer for Tensor<R, Int> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Ints(self.try_to_vec_as::<i64>().expect("integers")));
    }
}
