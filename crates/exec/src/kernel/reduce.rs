//! Many elements to one.

use tamis_graph::{AxisList, Reduce, ReduceKind, Scalar};

use super::number::{Accumulate, Multiply, Ordered};
use super::{Call, RUN};
use crate::elements::Rows;
use crate::error::ErrorKind;
use crate::memory::Memory;
use crate::row_major::position_of;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

pub(super) fn run<'a>(op: &Reduce, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    let Reduce { kind, axes, initial } = op;
    match kind {
        ReduceKind::Sum => dispatch!(sums: x, x => sum(call, x, axes).map(AnyTensor::from)),
        ReduceKind::Prod => dispatch!(sums: x, x => prod(call, x, axes).map(AnyTensor::from)),
        ReduceKind::Max => dispatch!(x, x => choose(call, x, axes, *initial, Ordered::larger)),
        ReduceKind::Min => dispatch!(x, x => choose(call, x, axes, *initial, Ordered::smaller)),
        ReduceKind::Any => any(call, axes, true).map(AnyTensor::from),
        ReduceKind::All => any(call, axes, false).map(AnyTensor::from),
    }
}

/// The tensor with the kept axes first and the reduced ones merged into the last.
fn gather_axes<'a, T: Item>(
    x: &Tensor<'a, T>,
    axes: &AxisList,
    memory: &'a Memory,
) -> Result<Tensor<'a, T>, ErrorKind> {
    let kept = (0..x.shape().len()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let permuted = x.clone().permute(&order);
    let kept = order.len() - axes.len();
    let merged = super::offsets::merge(permuted.shape(), kept..order.len());
    permuted.reshape_internally(&merged, x.shape(), memory)
}

/// The shape of the kept axes, and how many elements each result has, of what [`gather_axes`] gives.
fn split<'t, T: Item>(gathered: &'t Tensor<'_, T>) -> (&'t [usize], usize) {
    match gathered.shape().split_last() {
        Some((len, kept)) => (kept, *len),
        None => unreachable!("the reduced axes are merged into one, even if there are none"),
    }
}

/// Elements of which many equal ones are added and multiplied in one step, to
/// the same bits: wrapping integers, but no floats.
trait Repeat: Item {
    const IS_EXACT: bool;
    /// The sum of so many equal numbers.
    fn times(self, count: usize) -> Self;
    /// Their product.
    fn power(self, count: usize) -> Self;
}

impl Repeat for i64 {
    const IS_EXACT: bool = true;

    fn times(self, count: usize) -> i64 {
        self.wrapping_mul(count as i64)
    }

    fn power(self, mut count: usize) -> i64 {
        let (mut square, mut power) = (self, 1_i64);
        while count > 0 {
            if count % 2 == 1 {
                power = power.wrapping_mul(square);
            }
            (square, count) = (square.wrapping_mul(square), count / 2);
        }
        power
    }
}

macro_rules! not_exact {
    ($($ty:ty),*) => {$(
        impl Repeat for $ty {
            const IS_EXACT: bool = false;

            fn times(self, count: usize) -> $ty {
                assert_eq!(count, 1, "floats are added one by one");
                self
            }

            fn power(self, count: usize) -> $ty {
                assert_eq!(count, 1, "floats are multiplied one by one");
                self
            }
        }
    )*};
}

not_exact!(f32, f64);

/// `f` of every fiber along the reduced axes. What repeats along kept axes is computed
/// once, and so is what repeats along reduced ones if that is exact: then `f` is given
/// how often each element of a fiber counts.
fn reduce<'a, T: Item, R: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axes: &AxisList,
    is_exact: bool,
    f: &dyn Fn(Fiber<'_, '_, T>, usize) -> R,
) -> Result<Tensor<'a, R>, ErrorKind> {
    let (x, _) = x.condensed(&|axis| !axes.contains(&axis));
    let (x, times) = x.condensed(&|axis| is_exact && axes.contains(&axis));
    let x = gather_axes(&x, axes, call.memory)?;
    let (kept, len) = split(&x);
    let mut result = call.memory.zeros::<R>(kept)?;
    let elements = Rows::new(&x.view_for_iteration(call.memory)?);
    for (fiber, result) in result.as_contiguous_mut().iter_mut().enumerate() {
        *result = f(Fiber { elements: &elements, start: fiber * len, len }, times);
    }
    Ok(Tensor::repeated(result, call.shape))
}

/// The elements of one result.
struct Fiber<'l, 't, T> {
    elements: &'l Rows<'t, T>,
    start: usize,
    len: usize,
}

impl<T: Item> Fiber<'_, '_, T> {
    /// Calls `task` with each element, in their order.
    fn for_each(&self, mut task: impl FnMut(T)) {
        let mut spare = [T::default(); RUN];
        self.elements.each_run(self.start, self.len, &mut spare, &mut |run| {
            run.iter().for_each(|x| task(*x));
        });
    }
}

fn sum<'a, T: Accumulate + Repeat>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axes: &AxisList,
) -> Result<Tensor<'a, T>, ErrorKind> {
    reduce(call, x, axes, T::IS_EXACT, &|fiber, times| {
        let mut total = T::Total::default();
        fiber.for_each(|x| total = T::accumulate(std::mem::take(&mut total), x));
        T::rounded(&total).times(times)
    })
}

fn prod<'a, T: Multiply + Repeat>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axes: &AxisList,
) -> Result<Tensor<'a, T>, ErrorKind> {
    reduce(call, x, axes, T::IS_EXACT, &|fiber, times| {
        let mut total = T::ONE;
        fiber.for_each(|x| total = T::multiply(total, x));
        T::product(total).power(times)
    })
}

/// Whether any element is true; with `wanted` false, whether none is false.
fn any<'a>(call: &Call<'_, 'a>, axes: &AxisList, wanted: bool) -> Result<Tensor<'a, bool>, ErrorKind> {
    reduce(call, call.typed::<bool>(0), axes, true, &|fiber, _| {
        let mut found = false;
        fiber.for_each(|x| found |= x == wanted);
        found == wanted
    })
}

/// The best of the selected elements, `better` giving the better of two.
fn choose<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    axes: &AxisList,
    initial: Option<Scalar>,
    better: fn(T, T) -> T,
) -> Result<AnyTensor<'a>, ErrorKind> {
    let every = Tensor::full(x.shape(), true);
    let mask = if call.operands.len() > 1 { call.typed::<bool>(1) } else { &every };
    let initial = initial.and_then(|initial| T::from_scalar(initial.cast(T::DTYPE)));
    // The best of what repeats is one of it, as long as the mask repeats with it.
    let repeats = |axis| x.repeats_along(axis) && mask.repeats_along(axis);
    let (x, mask) = (x.condensed(&repeats).0, mask.condensed(&repeats).0);
    let (x, mask) = (gather_axes(&x, axes, call.memory)?, gather_axes(&mask, axes, call.memory)?);
    let (kept, len) = split(&x);
    let mut result = call.memory.zeros::<T>(kept)?;
    let (x, mask) =
        (Rows::new(&x.view_for_iteration(call.memory)?), Rows::new(&mask.view_for_iteration(call.memory)?));
    for (fiber, result) in result.as_contiguous_mut().iter_mut().enumerate() {
        let selected = (fiber * len..(fiber + 1) * len).filter(|i| mask.get(*i)).map(|i| x.get(i));
        // The best of one element and itself, so that a NaN that is alone is that of all others.
        let best = initial.into_iter().chain(selected).reduce(better).map(|best| better(best, best));
        *result =
            best.ok_or_else(|| ErrorKind::EmptyReduction { position: position_of(kept, fiber).to_vec() })?;
    }
    Ok(Tensor::repeated(result, call.shape).into())
}
