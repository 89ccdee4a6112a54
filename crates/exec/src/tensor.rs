//! Arrays as kernels see them: borrowed or shared, of one dtype each. Broadcast axes
//! are not materialized. Does not depend on ops.

use std::marker::PhantomData;
use std::rc::Rc;

use ndarray::{ArcArray, ArrayD, ArrayViewD, Axis, IxDyn, Slice};
use tamis_graph::{DType, Element, Scalar, Value, ValueView};

use crate::by_dtype::{AnyOf, Family, each_dtype};
pub(crate) use crate::by_dtype::{Item, dispatch};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::{Buffer, Charge, Memory};
use crate::pool::Pool;
use crate::raw;
use crate::sizes::Lengths;

/// A tensor of which every axis of length 1 in the base may be repeated: the
/// base and the shape have one rank, and the base broadcasts to the shape.
///
/// Arrangements change base and shape and share the elements.
#[derive(Clone)]
pub(crate) struct Tensor<'a, T> {
    base: Base<'a, T>,
    shape: Lengths,
    /// Counts the elements, if the run has allocated them.
    charge: Option<Rc<Charge<'a>>>,
}

#[derive(Clone)]
enum Base<'a, T> {
    View(ArrayViewD<'a, T>),
    Shared(ArcArray<T, IxDyn>),
}

/// Runs the same call on the array of a base, and gives a base again.
macro_rules! map_base {
    ($base:expr, $array:ident => $body:expr) => {
        match $base {
            Base::View($array) => Base::View($body),
            Base::Shared($array) => Base::Shared($body),
        }
    };
}

impl<T: Copy> Base<'_, T> {
    fn view(&self) -> ArrayViewD<'_, T> {
        match self {
            Base::View(array) => array.view(),
            Base::Shared(array) => array.view(),
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Base::View(array) => array.shape(),
            Base::Shared(array) => array.shape(),
        }
    }

    fn broadcast(&self, shape: &[usize]) -> Option<ArrayViewD<'_, T>> {
        if self.shape() == shape {
            return Some(self.view());
        }
        match self {
            Base::View(array) => array.broadcast(shape),
            Base::Shared(array) => array.broadcast(shape),
        }
    }
}

impl<'a, T: Item> Tensor<'a, T> {
    fn new(base: Base<'a, T>) -> Tensor<'a, T> {
        let shape = Lengths::from_slice(base.shape());
        Tensor { base, shape, charge: None }
    }

    /// `value` in every element of `shape`, stored once.
    pub(crate) fn full(shape: &[usize], value: T) -> Tensor<'a, T> {
        let base = ArrayD::from_elem(vec![1; shape.len()], value);
        Tensor { base: Base::Shared(base.into_shared()), shape: Lengths::from_slice(shape), charge: None }
    }

    /// The elements of `buffer`, each standing for all that `shape` repeats it to.
    #[inline(never)]
    pub(crate) fn repeated(buffer: Buffer<'a, T>, shape: &[usize]) -> Tensor<'a, T> {
        Tensor { shape: Lengths::from_slice(shape), ..Tensor::from(buffer) }
    }

    /// The lengths of the axes.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// All elements.
    pub(crate) fn view(&self) -> ArrayViewD<'_, T> {
        self.view_as(&self.shape)
    }

    /// A view of all elements, for an iteration that stores no result per element: an
    /// error if they repeat so often that it would exceed the iteration limit.
    pub(crate) fn view_for_iteration(&self, memory: &Memory) -> Result<ArrayViewD<'_, T>, ErrorKind> {
        let view = self.view();
        memory.check_view(&view)?;
        Ok(view)
    }

    /// The tensor with a length of 1 on every chosen axis along which elements
    /// only repeat, and how many each of them stands for.
    #[inline(never)]
    pub(crate) fn condensed(&self, is_chosen: &dyn Fn(usize) -> bool) -> (Tensor<'a, T>, usize) {
        let (mut condensed, mut times) = (self.clone(), 1);
        for axis in (0..self.shape.len()).filter(|axis| self.repeats_along(*axis) && is_chosen(*axis)) {
            times *= self.shape[axis];
            condensed.shape[axis] = 1;
            let first = Slice::from(..1);
            condensed.base = map_base!(condensed.base, array => array.slice_axis_move(Axis(axis), first));
        }
        (condensed, times)
    }

    /// Whether the elements along an axis are one that repeats.
    pub(crate) fn repeats_along(&self, axis: usize) -> bool {
        let (stored, stride) = match &self.base {
            Base::View(array) => (array.len_of(Axis(axis)), array.strides()[axis]),
            Base::Shared(array) => (array.len_of(Axis(axis)), array.strides()[axis]),
        };
        self.shape[axis] > 1 && (stored == 1 || stride == 0)
    }

    /// All elements, broadcast to `shape` by NumPy's rule.
    pub(crate) fn view_as(&self, shape: &[usize]) -> ArrayViewD<'_, T> {
        let view = self.base.broadcast(shape);
        view.unwrap_or_else(|| unreachable!("the shape rule lets {:?} broadcast to {shape:?}", self.shape))
    }

    /// The elements that are stored: repeated ones once.
    pub(crate) fn stored(&self) -> ArrayViewD<'_, T> {
        self.base.view()
    }

    /// The tensor with its elements as others of the same word.
    #[inline(never)]
    fn words<W: Item>(&self) -> Tensor<'_, W> {
        let base = Base::View(raw::as_words(&self.stored()));
        Tensor { base, shape: self.shape.clone(), charge: None }
    }

    /// The tensor, its elements borrowed.
    pub(crate) fn borrowed(&self) -> Tensor<'_, T> {
        self.words()
    }

    fn is_repeated(&self) -> bool {
        *self.base.shape() != *self.shape
    }

    /// A copy of all elements, in row-major order.
    pub(crate) fn to_buffer<'m>(&self, memory: &'m Memory) -> Result<Buffer<'m, T>, ErrorKind> {
        let mut buffer = memory.zeros(&self.shape)?;
        self.write_to(buffer.as_contiguous_mut());
        Ok(buffer)
    }

    /// Writes all elements in row-major order.
    fn write_to(&self, elements: &mut [T]) {
        Rows::new(&self.view()).read(0, elements);
    }

    /// The tensor with all elements in memory that it owns or shares, copied
    /// only where they must be.
    fn into_materialized(self, memory: &'a Memory) -> Result<Tensor<'a, T>, ErrorKind> {
        if self.is_materialized() { Ok(self) } else { Ok(self.to_buffer(memory)?.into()) }
    }

    /// Whether all elements are in memory that the tensor owns or shares.
    pub(crate) fn is_materialized(&self) -> bool {
        matches!(self.base, Base::Shared(_)) && !self.is_repeated()
    }

    /// The array of a tensor that [`Tensor::into_materialized`] made.
    fn into_shared(self) -> ArcArray<T, IxDyn> {
        match self.base {
            Base::Shared(array) => array,
            Base::View(_) => unreachable!("a materialized tensor borrows no memory"),
        }
    }

    /// Result axis `i` is axis `axes[i]`.
    pub(crate) fn permute(self, axes: &[usize]) -> Tensor<'a, T> {
        let shape = axes.iter().map(|axis| self.shape[*axis]).collect();
        Tensor { base: map_base!(self.base, array => array.permuted_axes(axes)), shape, ..self }
    }

    /// Axes added in front, and axes of length 1 repeated.
    pub(crate) fn broadcast(self, shape: &[usize]) -> Tensor<'a, T> {
        let added = shape.len() - self.shape.len();
        let base = (0..added).fold(self.base, |base, _| insert_axis(base, 0));
        Tensor { base, shape: Lengths::from_slice(shape), charge: self.charge }
    }

    /// `len` elements of `axis` from `start` on, `step` apart. They must lie within the axis.
    pub(crate) fn slice(mut self, axis: usize, start: usize, step: isize, len: usize) -> Tensor<'a, T> {
        self.shape[axis] = len;
        if self.stored().len_of(Axis(axis)) == 1 {
            return self;
        }
        let slice = slice_of(start, step, len);
        Tensor { base: map_base!(self.base, array => array.slice_axis_move(Axis(axis), slice)), ..self }
    }

    /// The same elements in row-major order under another shape of the same
    /// size. Copies only where the elements do not lie in that order.
    pub(crate) fn reshape(self, shape: &[usize], memory: &'a Memory) -> Result<Tensor<'a, T>, ErrorKind> {
        self.reshape_internally(shape, shape, memory)
    }

    /// [`Tensor::reshape`] to a shape that no user sees: an error of memory has that of the same
    /// elements as `written`.
    pub(crate) fn reshape_internally(
        self,
        shape: &[usize],
        written: &[usize],
        memory: &'a Memory,
    ) -> Result<Tensor<'a, T>, ErrorKind> {
        if let Some(shared) = self.share_as(shape) {
            return Ok(shared);
        }
        let mut buffer = memory.zeros(written)?;
        self.write_to(buffer.as_contiguous_mut());
        let reshaped = Tensor::from(buffer).share_as(shape);
        Ok(reshaped.unwrap_or_else(|| unreachable!("a new array lies in row-major order")))
    }

    /// The same elements in row-major order under another shape of the same
    /// size, if they lie in that order.
    pub(crate) fn share_as(&self, shape: &[usize]) -> Option<Tensor<'a, T>> {
        let longer = |lengths: &[usize]| lengths.iter().copied().filter(|n| *n != 1).collect::<Vec<_>>();
        if *self.shape == *shape {
            return Some(self.clone());
        }
        if self.stored().len() == 1 {
            let only = self.stored().first().copied();
            let only = only.unwrap_or_else(|| unreachable!("an array of length 1 has a first element"));
            return Some(Tensor::full(shape, only));
        }
        if longer(&self.shape) == longer(shape) {
            return Some(self.clone().with_ones_of(shape));
        }
        if self.is_repeated() {
            return None;
        }
        let reshaped = match &self.base {
            Base::View(array) => array.clone().into_shape_with_order(shape).map(Base::View),
            Base::Shared(array) => array.clone().into_shape_with_order(shape).map(Base::Shared),
        };
        let base = reshaped.ok()?;
        Some(Tensor { base, shape: Lengths::from_slice(shape), charge: self.charge.clone() })
    }

    /// The tensor under a shape that differs from its own in axes of length 1 alone.
    fn with_ones_of(self, shape: &[usize]) -> Tensor<'a, T> {
        let mut base = self.base;
        for axis in (0..self.shape.len()).rev().filter(|axis| self.shape[*axis] == 1) {
            base = map_base!(base, array => array.index_axis_move(Axis(axis), 0));
        }
        for axis in (0..shape.len()).filter(|axis| shape[*axis] == 1) {
            base = insert_axis(base, axis);
        }
        Tensor { base, shape: Lengths::from_slice(shape), charge: self.charge }
    }
}

fn insert_axis<T>(base: Base<'_, T>, axis: usize) -> Base<'_, T> {
    map_base!(base, array => array.insert_axis(Axis(axis)))
}

/// `len` indices from `start` on, `step` apart, as ndarray writes them: a range that is
/// traversed from its end if the step is negative.
pub(crate) fn slice_of(start: usize, step: isize, len: usize) -> Slice {
    let Some(steps) = len.checked_sub(1) else { return Slice::from(0..0) };
    if steps == 0 {
        return Slice::from(start..start + 1);
    }
    let reach = steps * step.unsigned_abs();
    let (low, high) = if step < 0 { (start - reach, start) } else { (start, start + reach) };
    Slice::from(low..high + 1).step_by(step)
}

impl<'a, T: Item> From<Buffer<'a, T>> for Tensor<'a, T> {
    fn from(buffer: Buffer<'a, T>) -> Self {
        let (array, charge) = buffer.into_parts();
        Tensor { charge: Some(Rc::new(charge)), ..Tensor::new(Base::Shared(array.into_shared())) }
    }
}

/// Tensors of each dtype.
pub(crate) struct Tensors<'a>(PhantomData<&'a ()>);

impl<'a> Family for Tensors<'a> {
    type Of<T: Item> = Tensor<'a, T>;
}

/// A tensor of any dtype.
pub(crate) type AnyTensor<'a> = AnyOf<Tensors<'a>>;

impl<'a> AnyTensor<'a> {
    /// The tensor as one that what only moves elements is compiled for: integers
    /// instead of floats of the same size.
    pub(crate) fn words(&self) -> AnyTensor<'_> {
        match self {
            AnyTensor::Bool(tensor) => AnyTensor::Bool(tensor.words()),
            AnyTensor::U8(tensor) => AnyTensor::U8(tensor.words()),
            AnyTensor::I32(tensor) => AnyTensor::I32(tensor.words()),
            AnyTensor::I64(tensor) => AnyTensor::I64(tensor.words()),
            AnyTensor::F32(tensor) => AnyTensor::I32(tensor.words()),
            AnyTensor::F64(tensor) => AnyTensor::I64(tensor.words()),
        }
    }

    /// The lengths of the axes.
    pub(crate) fn shape(&self) -> &[usize] {
        dispatch!(self, tensor => tensor.shape())
    }

    /// Leaves the elements to later runs, unless they are still shared.
    pub(crate) fn recycle(self, pool: &Pool) {
        dispatch!(self, tensor => {
            if let Base::Shared(array) = tensor.base {
                pool.give_array(array);
            }
        });
    }

    /// Axes added in front, and axes of length 1 repeated.
    pub(crate) fn broadcast(self, shape: &[usize]) -> AnyTensor<'a> {
        dispatch!(self, tensor => tensor.broadcast(shape).into())
    }

    /// Whether elements repeat too often to visit them all.
    pub(crate) fn repeats_without_end(&self, memory: &Memory) -> bool {
        dispatch!(self, tensor => tensor.view_for_iteration(memory).is_err())
    }

    /// Whether the elements along an axis, the last being 1, are one that
    /// repeats, also where broadcasting would add the axis.
    pub(crate) fn repeats_along_from_end(&self, axis: usize) -> bool {
        let Some(axis) = self.shape().len().checked_sub(axis) else { return true };
        self.shape()[axis] == 1 || dispatch!(self, tensor => tensor.repeats_along(axis))
    }

    /// Whether some elements stand for several each.
    pub(crate) fn has_repeats(&self) -> bool {
        (0..self.shape().len()).any(|axis| dispatch!(self, tensor => tensor.repeats_along(axis)))
    }

    /// How many elements are stored, each counted once however often it repeats.
    pub(crate) fn stored_len(&self) -> usize {
        dispatch!(self, tensor => {
            let stored = tensor.stored();
            let axes = stored.shape().iter().zip(stored.strides());
            axes.filter(|(_, stride)| **stride != 0).map(|(length, _)| length).product()
        })
    }

    /// The tensor with all elements in memory that it owns or shares, copied
    /// only where they must be.
    pub(crate) fn into_materialized(self, memory: &'a Memory) -> Result<AnyTensor<'a>, ErrorKind> {
        dispatch!(self, tensor => Ok(tensor.into_materialized(memory)?.into()))
    }

    /// Whether all elements are in memory that the tensor owns or shares.
    pub(crate) fn is_materialized(&self) -> bool {
        dispatch!(self, tensor => tensor.is_materialized())
    }

    /// The elements of a tensor that [`AnyTensor::into_materialized`] made.
    pub(crate) fn into_value(self) -> Value {
        dispatch!(self, tensor => Element::into_value(tensor.into_shared()))
    }

    /// A tensor of rank 0.
    pub(crate) fn from_scalar(scalar: Scalar) -> Self {
        fn full<'a, T: Item>(scalar: Scalar) -> AnyTensor<'a> {
            let value = T::from_scalar(scalar);
            Tensor::full(&[], value.unwrap_or_else(|| unreachable!("a scalar has its own dtype"))).into()
        }
        dispatch!(type T = scalar.dtype() => full::<T>(scalar))
    }
}

impl<'a, T: Item> From<Tensor<'a, T>> for AnyTensor<'a> {
    fn from(tensor: Tensor<'a, T>) -> AnyTensor<'a> {
        T::into_any(tensor)
    }
}

impl<'a, T: Item> From<Buffer<'a, T>> for AnyTensor<'a> {
    fn from(buffer: Buffer<'a, T>) -> Self {
        T::into_any(Tensor::from(buffer))
    }
}

/// Buffers of each dtype.
pub(crate) struct Buffers<'a>(PhantomData<&'a ()>);

impl<'a> Family for Buffers<'a> {
    type Of<T: Item> = Buffer<'a, T>;
}

/// A buffer of any dtype, which is written as words.
pub(crate) type AnyBuffer<'a> = AnyOf<Buffers<'a>>;

impl<'a> AnyBuffer<'a> {
    /// Zeros (or `false`) in row-major order, or an error where memory does not suffice.
    pub(crate) fn zeros(dtype: DType, shape: &[usize], memory: &'a Memory) -> Result<Self, ErrorKind> {
        dispatch!(type T = dtype => Ok(T::into_any(memory.zeros::<T>(shape)?)))
    }

    /// Unspecified elements in row-major order, or an error where memory does not suffice.
    pub(crate) fn unspecified(dtype: DType, shape: &[usize], memory: &'a Memory) -> Result<Self, ErrorKind> {
        dispatch!(type T = dtype => Ok(T::into_any(memory.unspecified::<T>(shape)?)))
    }

    /// The elements, each standing for all that `shape` repeats it to.
    pub(crate) fn repeated(self, shape: &[usize]) -> AnyTensor<'a> {
        dispatch!(self, buffer => Tensor::repeated(buffer, shape).into())
    }

    /// The elements in a row, as words of theirs.
    pub(crate) fn words_mut<W: Item>(&mut self) -> &mut [W] {
        dispatch!(self, buffer => raw::as_words_mut(buffer.as_contiguous_mut()))
    }
}

macro_rules! from_values {
    ($($ty:ident: $variant:ident),*) => {
        impl From<Value> for AnyTensor<'_> {
            fn from(value: Value) -> Self {
                match value {
                    $(Value::$variant(array) => AnyTensor::$variant(Tensor::new(Base::Shared(array))),)*
                }
            }
        }

        impl<'a> From<ValueView<'a>> for AnyTensor<'a> {
            fn from(view: ValueView<'a>) -> AnyTensor<'a> {
                match view {
                    $(ValueView::$variant(view) => AnyTensor::$variant(Tensor::new(Base::View(view))),)*
                }
            }
        }
    };
}

each_dtype!(from_values);

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn tensor(array: &ArrayD<i32>) -> Tensor<'_, i32> {
        Tensor::new(Base::View(array.view()))
    }

    #[test]
    fn a_broadcast_stores_its_elements_once() {
        let array = array![[1], [2]].into_dyn();
        let repeated = tensor(&array).broadcast(&[3, 2, 2]);
        assert_eq!(repeated.stored().shape(), [1, 2, 1]);
        assert_eq!(repeated.view().index_axis(Axis(0), 2), array![[1, 1], [2, 2]].into_dyn());
    }

    #[test]
    fn a_slice_of_a_repeated_axis_stays_repeated() {
        let array = array![7].into_dyn();
        let sliced = tensor(&array).broadcast(&[5]).slice(0, 4, -2, 3);
        assert_eq!(sliced.stored().len(), 1);
        assert_eq!(sliced.view(), array![7, 7, 7].into_dyn());
        assert_eq!(sliced.slice(0, 9, 1, 0).view().len(), 0);
    }

    #[test]
    fn a_negative_step_runs_backwards() {
        let array = array![0, 1, 2, 3, 4, 5].into_dyn();
        assert_eq!(tensor(&array).slice(0, 5, -2, 3).view(), array![5, 3, 1].into_dyn());
        assert_eq!(tensor(&array).slice(0, 1, 4, 2).view(), array![1, 5].into_dyn());
    }

    #[test]
    fn a_reshape_of_contiguous_elements_shares_them() {
        let memory = Memory::new(usize::MAX, std::sync::Arc::default());
        let array = array![[1, 2], [3, 4]].into_dyn();
        let flat = tensor(&array).reshape(&[4], &memory).unwrap();
        assert_eq!(flat.stored().as_ptr(), array.as_ptr());
        let transposed = tensor(&array).permute(&[1, 0]).reshape(&[2, 1, 2], &memory).unwrap();
        assert_eq!(transposed.stored().as_ptr(), array.as_ptr());
        let flat = tensor(&array).permute(&[1, 0]).reshape(&[4], &memory).unwrap();
        assert_eq!(flat.view(), array![1, 3, 2, 4].into_dyn());
    }

    #[test]
    fn ones_move_past_repeated_axes() {
        let memory = Memory::new(usize::MAX, std::sync::Arc::default());
        let array = array![[1], [2]].into_dyn();
        let repeated = tensor(&array).broadcast(&[2, 3]).reshape(&[1, 2, 1, 3], &memory).unwrap();
        assert_eq!(repeated.stored().len(), 2);
        assert_eq!(repeated.view(), array![[[[1, 1, 1]], [[2, 2, 2]]]].into_dyn());
    }
}
