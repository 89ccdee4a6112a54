//! Every fast kernel beside the reference kernel of its op: the same bits, for any
//! number of threads, in every layout. Chunks are small here, so that little data has
//! many.

mod index;
mod layout;
mod linalg;
mod mask;
mod order;

use ndarray::{ArrayD, Axis, IxDyn};
use tamis_graph::{Element, Op, Value};

use crate::error::ErrorKind;
use crate::kernel::{self, Call};
use crate::memory::Memory;
use crate::sizes::Sizes;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};
use crate::threads::Threads;

/// Numbers without a pattern, the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    fn array<T>(&mut self, shape: &[usize], mut element: impl FnMut(&mut Noise) -> T) -> ArrayD<T> {
        ArrayD::from_shape_simple_fn(IxDyn(shape), || element(self))
    }

    /// Integers and halves of either sign.
    fn floats(&mut self, shape: &[usize]) -> ArrayD<f32> {
        self.array(shape, |noise| noise.below(64) as f32 / 2.0 - 16.0)
    }

    /// Floats with NaN, infinities and zeros of either sign among them.
    fn odd_floats(&mut self, shape: &[usize]) -> ArrayD<f64> {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.0, -1.0, 0.5];
        self.array(shape, |noise| odd[noise.below(8)])
    }

    /// A mask of which about `percent` are true.
    fn mask(&mut self, shape: &[usize], percent: usize) -> ArrayD<bool> {
        self.array(shape, |noise| noise.below(100) < percent)
    }

    /// Indices into an axis of this length, from either end.
    fn indices(&mut self, shape: &[usize], length: usize) -> ArrayD<i64> {
        self.array(shape, |noise| noise.below(2 * length) as i64 - length as i64)
    }
}

/// The array as it is, in column-major order, and backwards in memory.
fn layouts<T: Clone>(array: &ArrayD<T>) -> [ArrayD<T>; 3] {
    let columns = array.t().as_standard_layout().into_owned().reversed_axes();
    let mut backwards = array.clone();
    for axis in 0..array.ndim() {
        backwards.invert_axis(Axis(axis));
    }
    let mut backwards = backwards.as_standard_layout().into_owned();
    for axis in 0..array.ndim() {
        backwards.invert_axis(Axis(axis));
    }
    [array.clone(), columns, backwards]
}

/// An operand, of which the axes of length 1 are repeated to those of a shape.
#[derive(Clone)]
struct Operand {
    value: Value,
    shape: Vec<usize>,
}

impl Operand {
    fn to_tensor<'a>(&self) -> AnyTensor<'a> {
        let tensor = AnyTensor::from(self.value.clone());
        dispatch!(tensor, tensor => tensor.broadcast(&self.shape).into())
    }
}

fn tensor<T: Element>(array: &ArrayD<T>) -> Operand {
    repeated(array, array.shape())
}

fn repeated<T: Element>(array: &ArrayD<T>, shape: &[usize]) -> Operand {
    Operand { value: T::into_value(array.to_shared()), shape: shape.to_vec() }
}

/// What the op gives: its shape and elements as bits. All NaN are one: which
/// of two a sum passes on is the compiler's choice.
type Bits = (Vec<usize>, Vec<u64>);

fn bits(any: &AnyTensor<'_>) -> Bits {
    fn of<T: Item>(x: &Tensor<'_, T>, bits: impl Fn(T) -> u64) -> Bits {
        (x.shape().to_vec(), x.view().iter().map(|x| bits(*x)).collect())
    }
    match any {
        AnyTensor::Bool(x) => of(x, u64::from),
        AnyTensor::U8(x) => of(x, u64::from),
        AnyTensor::I32(x) => of(x, |x| x as u64),
        AnyTensor::I64(x) => of(x, |x| x as u64),
        AnyTensor::F32(x) => of(x, |x| u64::from(if x.is_nan() { f32::NAN } else { x }.to_bits())),
        AnyTensor::F64(x) => of(x, |x| if x.is_nan() { f64::NAN } else { x }.to_bits()),
    }
}

/// What the fast kernel gives on so many threads, if there is one.
fn fast(op: &Op, operands: &[Operand], shape: &[usize], threads: usize) -> Option<Bits> {
    run(operands, shape, threads, |call| super::run(op, call).map(|value| bits(&value.unwrap())))
}

fn reference(op: &Op, operands: &[Operand], shape: &[usize]) -> Result<Bits, ErrorKind> {
    run(operands, shape, 1, |call| kernel::run(op, call).map(|value| bits(&value)))
}

fn run<R>(operands: &[Operand], shape: &[usize], threads: usize, run: impl FnOnce(&Call<'_, '_>) -> R) -> R {
    let (memory, sizes, threads) =
        (Memory::new(usize::MAX, std::sync::Arc::default()), Sizes::default(), Threads::new(threads));
    let operands: Vec<AnyTensor<'_>> = operands.iter().map(Operand::to_tensor).collect();
    let operands = operands.iter().collect();
    run(&Call { operands, shape, sizes: &sizes, memory: &memory, threads: &threads })
}

/// The fast kernel gives what the reference kernel gives, on any number of threads.
#[track_caller]
fn agree(op: impl Into<Op>, operands: &[Operand], shape: &[usize]) {
    let op = op.into();
    let expected = reference(&op, operands, shape).unwrap();
    for threads in [1, 2, 8] {
        assert_eq!(fast(&op, operands, shape, threads).as_ref(), Some(&expected), "{threads} threads");
    }
}

/// The fast kernel leaves the error to the reference kernel, which finds it.
#[track_caller]
fn refuse(op: impl Into<Op>, operands: &[Operand], shape: &[usize]) {
    let op = op.into();
    assert!(reference(&op, operands, shape).is_err());
    for threads in [1, 2, 8] {
        assert_eq!(fast(&op, operands, shape, threads), None, "{threads} threads");
    }
}
