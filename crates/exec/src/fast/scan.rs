//! Scans along an axis. A fiber is a slice along one axis (Kolda and Bader, 2009).
//! Fibers run side by side; a single one is serial, since the order of
//! additions decides how sums are rounded.

use ndarray::{ArrayViewMut3, Axis};
use tamis_graph::{Direction, Scan};

use super::{chunks, copy};
use crate::kernel::Call;
use crate::kernel::number::{Accumulate, Multiply, Number};
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

/// How many fibers that lie side by side run at a time.
const FIBERS: usize = if cfg!(test) { 8 } else { 128 };

/// How many fibers that lie side by side are worth a thread: what a row of them reads
/// is some lines of the cache.
const FEWEST: usize = if cfg!(test) { 4 } else { 32 };

pub(super) fn run<'a>(op: Scan, call: &Call<'_, 'a>) -> Option<AnyTensor<'a>> {
    match op {
        Scan::Cumsum(direction) => dispatch!(sums: call.operands[0], x => cumsum(call, x, direction)),
        Scan::Cumprod(direction) => dispatch!(sums: call.operands[0], x => cumprod(call, x, direction)),
        Scan::RunningOr(direction) => {
            let include = |_, any, [x]: [bool; 1]| any | x;
            scan(call, [call.typed(0)], direction, || false, include, |any| *any)
        }
        Scan::Linear { axis, reverse } => {
            dispatch!(floats: call.operands[0], a => linear(call, a, axis, reverse))
        }
    }
}

fn cumsum<'a, T: Accumulate>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    direction: Direction,
) -> Option<AnyTensor<'a>> {
    let include = |_, total, [x]: [T; 1]| T::accumulate(total, x);
    scan(call, [x], direction, T::Total::default, include, T::rounded)
}

fn cumprod<'a, T: Multiply>(
    call: &Call<'_, 'a>,
    x: &Tensor<'a, T>,
    direction: Direction,
) -> Option<AnyTensor<'a>> {
    let include = |_, total, [x]: [T; 1]| T::multiply(total, x);
    scan(call, [x], direction, || T::ONE, include, |total| T::product(*total))
}

/// The first coefficient is never read.
fn linear<'a, T: Number>(
    call: &Call<'_, 'a>,
    a: &Tensor<'a, T>,
    axis: usize,
    reverse: bool,
) -> Option<AnyTensor<'a>> {
    let include = |step, h: T, [a, b]: [T; 2]| if step == 0 { b } else { b.add(a.mul(h)) };
    let direction = Direction { axis, exclusive: false, reverse };
    scan(call, [a, call.typed(1)], direction, T::default, include, |h| *h)
}

/// What `value` gives of the state, which takes in the elements of the operands
/// one after the other, with the number of those before.
///
/// A parallel scan would add in another order, and give other bits than the reference. What
/// runs side by side is fibers: where they lie side by side in memory, a row of states takes in
/// a row of elements, which vectorises and reads whole lines of the cache.
fn scan<'a, T: Item, State, const OPERANDS: usize>(
    call: &Call<'_, 'a>,
    operands: [&Tensor<'a, T>; OPERANDS],
    direction: Direction,
    initial: impl Fn() -> State + Sync,
    include: impl Fn(usize, State, [T; OPERANDS]) -> State + Sync,
    value: impl Fn(&State) -> T + Sync,
) -> Option<AnyTensor<'a>> {
    if call.shape.contains(&0) {
        return None;
    }
    let Direction { axis, exclusive, reverse } = direction;
    let (outer, inner) = (&call.shape[..axis], &call.shape[axis + 1..]);
    let (blocks, length, width) = (outer.iter().product(), call.shape[axis], inner.iter().product());
    let mut operand_elements = Vec::new();
    for operand in operands {
        operand_elements.push(copy::contiguous(call, &operand.view())?);
    }
    let operands: [&[T]; OPERANDS] = std::array::from_fn(|operand| &*operand_elements[operand]);
    let mut result = call.memory.unspecified::<T>(call.shape).ok()?;
    let next = |step, state: &mut State, elements| {
        let old = std::mem::replace(state, initial());
        let before = if exclusive { Some(value(&old)) } else { None };
        *state = include(step, old, elements);
        before.unwrap_or_else(|| value(state))
    };
    let index = |step: usize| if reverse { length - 1 - step } else { step };
    let chunks = fiber_chunks(result.as_contiguous_mut(), [blocks, length, width]);
    chunks::each(call.threads, chunks, &|_, FiberChunk { block: first, fiber: left, mut fibers }| {
        for (block, mut fibers) in fibers.outer_iter_mut().enumerate() {
            let start = (first + block) * length * width + left;
            let operands = operands.map(|operand| &operand[start..]);
            if let (1, Some(fiber)) = (width, fibers.as_slice_mut()) {
                let mut state = initial();
                for step in 0..length {
                    let at = index(step);
                    fiber[at] = next(step, &mut state, operands.map(|operand| operand[at]));
                }
                continue;
            }
            for (i, mut fibers) in fibers.axis_chunks_iter_mut(Axis(1), FIBERS).enumerate() {
                let mut states: [State; FIBERS] = std::array::from_fn(|_| initial());
                for step in 0..length {
                    let operands = operands.map(|operand| &operand[index(step) * width + i * FIBERS..]);
                    let row = fibers.row_mut(index(step)).into_iter().zip(&mut states);
                    for (i, (element, state)) in row.enumerate() {
                        *element = next(step, state, operands.map(|operand| operand[i]));
                    }
                }
            }
        }
    });
    Some(result.into())
}

/// All fibers of several blocks, or some fibers of one.
struct FiberChunk<'e, T> {
    block: usize,
    fiber: usize,
    /// Block, index along the axis, fiber.
    fibers: ArrayViewMut3<'e, T>,
}

/// Divides `elements`, which are blocks of `length` rows of `width` fibers.
fn fiber_chunks<T>(elements: &mut [T], [blocks, length, width]: [usize; 3]) -> Vec<FiberChunk<'_, T>> {
    let rest = ArrayViewMut3::from_shape((blocks, length, width), elements);
    let mut rest = rest.unwrap_or_else(|error| unreachable!("the elements are those of the blocks: {error}"));
    let mut chunks = Vec::new();
    let group = chunks::rows_per_chunk(length * width);
    if blocks > 1 || width <= FEWEST {
        for block in (0..blocks).step_by(group) {
            let (fibers, others) = rest.split_at(Axis(0), group.min(blocks - block));
            chunks.push(FiberChunk { block, fiber: 0, fibers });
            rest = others;
        }
    } else {
        let group = chunks::rows_per_chunk(length).next_multiple_of(FEWEST);
        for fiber in (0..width).step_by(group) {
            let (fibers, others) = rest.split_at(Axis(2), group.min(width - fiber));
            chunks.push(FiberChunk { block: 0, fiber, fibers });
            rest = others;
        }
    }
    chunks
}
