//! candle: arrays in, answers out. Masks are u8, indices i64.

use candle_core::{DType, Device, Result, Tensor, Var};
use ndarray::{Array, Dimension};

use crate::answer::{Answer, Elements};

/// The tensor with the elements of an array.
pub(crate) fn tensor<T: candle_core::WithDType, D: Dimension>(array: &Array<T, D>) -> Tensor {
    let elements = array.iter().copied().collect::<Vec<T>>();
    Tensor::from_vec(elements, array.shape(), &Device::Cpu).expect("one element for each position")
}

/// A tensor that gradients are asked for.
pub(crate) fn variable<D: Dimension>(array: &Array<f32, D>) -> Var {
    Var::from_tensor(&tensor(array)).expect("floats can vary")
}

/// candle has no bool; its masks are u8.
pub(crate) fn mask<D: Dimension>(array: &Array<bool, D>) -> Tensor {
    tensor(&array.mapv(u8::from))
}

/// `x[mask]` along the first axis. candle has no such operation; its users fetch
/// the mask and select by index.
pub(crate) fn select(x: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let mask = mask.flatten_all()?.to_vec1::<u8>()?;
    let indices = (0_u32..).zip(&mask).filter(|(_, kept)| **kept != 0).map(|(index, _)| index);
    x.index_select(&Tensor::from_iter(indices, x.device())?, 0)
}

/// The indices at which a mask of rank 3 is true, from the fetched mask as well.
pub(crate) fn argwhere(mask: &Tensor) -> Result<Tensor> {
    let (_, height, width) = mask.dims3()?;
    let flat = mask.flatten_all()?.to_vec1::<u8>()?;
    let indices = flat.iter().enumerate().filter(|(_, m)| **m != 0).map(|(index, _)| index);
    let coordinates = indices.flat_map(|p| [p / (height * width), p / width % height, p % width]);
    let coordinates: Vec<i64> = coordinates.map(|coordinate| coordinate as i64).collect();
    Tensor::from_vec(coordinates, ((), 3), mask.device())
}

/// How many elements of a mask are true. In u32, since a sum of u8 is a u8.
pub(crate) fn count(mask: &Tensor) -> Result<Tensor> {
    mask.to_dtype(DType::U32)?.sum_all()?.to_dtype(DType::F32)
}

impl Answer for Tensor {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        let flat = self.flatten_all().expect("any tensor can be flat");
        answer.push(match self.dtype() {
            DType::F32 => Elements::Floats(flat.to_vec1().expect("of this dtype")),
            _ => Elements::Ints(flat.to_dtype(DType::I64).and_then(|t| t.to_vec1()).expect("integers")),
        });
    }
}
