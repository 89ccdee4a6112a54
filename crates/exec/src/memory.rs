//! What a run holds in memory of its own, and how much it may. Does not depend on ops.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

use crate::error::ErrorKind;
use crate::pool::{KEPT, Pool, Pooled, bytes_of};
use crate::raw;

/// What an iteration over elements that are not each stored may cost, in
/// additions: what a minute suffices for on one thread, whatever the op and the
/// executor. Elements that are stored are bounded by the memory.
pub(crate) const LONGEST_ITERATION: usize = 1 << 33;

/// The memory of one run: every array that the run makes is made here, and is counted
/// from before it is allocated until it is freed.
pub(crate) struct Memory {
    limit: usize,
    held: Cell<usize>,
    /// The most that was held at once.
    peak: Cell<usize>,
    /// How many bytes allocations have beyond those that count; the pool keeps them as well.
    slack: Cell<usize>,
    /// Why memory was refused last.
    refusal: Cell<Option<ErrorKind>>,
    /// What an iteration over repeated elements may cost, in additions.
    iteration_limit: usize,
    pool: Arc<Pool>,
}

impl Memory {
    /// Memory of which no more than `limit` bytes may be held at once, some of
    /// it what earlier runs have left in the pool.
    pub(crate) fn new(limit: usize, pool: Arc<Pool>) -> Memory {
        Memory {
            limit,
            held: Cell::new(0),
            peak: Cell::new(0),
            slack: Cell::new(0),
            refusal: Cell::new(None),
            iteration_limit: LONGEST_ITERATION,
            pool,
        }
    }

    /// The same with another limit on iterations over repeated elements.
    pub(crate) fn with_iteration_limit(mut self, additions: usize) -> Memory {
        self.iteration_limit = additions;
        self
    }

    /// Refuses an iteration over `len` elements of `weight` additions each, of which so
    /// many repeat one of `stored` that it exceeds the iteration limit.
    pub(crate) fn check_iteration(
        &self,
        shape: &[usize],
        len: usize,
        stored: impl FnOnce() -> usize,
        weight: usize,
    ) -> Result<(), ErrorKind> {
        let cost = len.saturating_mul(weight);
        if cost > self.iteration_limit && len > stored() {
            let limit = self.iteration_limit;
            return Err(ErrorKind::IterationLimit { shape: shape.to_vec(), elements: len, cost, limit });
        }
        Ok(())
    }

    /// The same for a view, of whose elements each takes an addition.
    pub(crate) fn check_view<T>(&self, view: &ArrayViewD<'_, T>) -> Result<(), ErrorKind> {
        let stored = || {
            let axes = view.shape().iter().zip(view.strides());
            axes.filter(|(_, stride)| **stride != 0).map(|(length, _)| length).product()
        };
        self.check_iteration(view.shape(), view.len(), stored, 1)
    }

    /// What is needed no more goes there.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The most bytes that were held at once.
    pub(crate) fn peak(&self) -> usize {
        self.peak.get()
    }

    /// Uninitialised elements in row-major order, or an error where memory does not suffice.
    #[inline(never)]
    pub(crate) fn unspecified<T: Pooled>(&self, shape: &[usize]) -> Result<Buffer<'_, T>, ErrorKind> {
        self.allocate(shape, |_| {})
    }

    /// Zeros (or `false`) in row-major order, or an error where memory does not suffice.
    #[inline(never)]
    pub(crate) fn zeros<T: Pooled>(&self, shape: &[usize]) -> Result<Buffer<'_, T>, ErrorKind> {
        self.allocate(shape, |recycled| recycled.fill(T::ZERO))
    }

    fn allocate<T: Pooled>(
        &self,
        shape: &[usize],
        prepare: impl FnOnce(&mut [T]),
    ) -> Result<Buffer<'_, T>, ErrorKind> {
        let len = checked_len(shape, size_of::<T>())?;
        let (array, charge) = match self.recycled(len) {
            Some((mut allocation, charge)) => {
                prepare(&mut allocation[..len]);
                // The array keeps the full allocation, so that it can be recycled.
                let whole = ArrayD::from_shape_vec(vec![allocation.len()], allocation);
                (whole.and_then(|whole| first(whole, len).into_shape_with_order(shape)), charge)
            }
            None => {
                let charge = self.charge(shape, len * size_of::<T>())?;
                let allocation = self.fresh(shape, len, charge.bytes)?;
                (ArrayD::from_shape_vec(shape, allocation), charge)
            }
        };
        let array = array.unwrap_or_else(|error| unreachable!("the length is that of the shape: {error}"));
        Ok(Buffer { array, charge })
    }

    /// An allocation of at least `len` unspecified elements, of which
    /// [`Buffer::truncated`] says later how many are used: pages that are never touched
    /// are never there. `slack` further elements do not count.
    pub(crate) fn reserve<T: Pooled>(&self, len: usize, slack: usize) -> Result<Buffer<'_, T>, ErrorKind> {
        let all = checked_len(&[len.saturating_add(slack)], size_of::<T>())?;
        let (allocation, charge) = match self.recycled(all) {
            Some(recycled) => recycled,
            None => {
                let charge = self.charge(&[len], len * size_of::<T>())?;
                self.slack.set(self.slack.get() + slack * size_of::<T>());
                (self.fresh(&[len], all, charge.bytes)?, charge)
            }
        };
        let array = ArrayD::from_shape_vec(vec![allocation.len()], allocation);
        let array =
            array.unwrap_or_else(|error| unreachable!("the length is that of the allocation: {error}"));
        Ok(Buffer { array, charge })
    }

    /// An allocation of the pool that is long enough, and takes no more than may be
    /// held. All of it counts, however little is used.
    fn recycled<T: Pooled>(&self, len: usize) -> Option<(Vec<T>, Charge<'_>)> {
        let allocation = self.pool.take(len, self.limit.saturating_sub(self.held.get()))?;
        let charge = self.charge(&[len], bytes_of(&allocation)).ok()?;
        Some((allocation, charge))
    }

    /// Zeros that no run has used before. Allocations of the pool are freed for them if
    /// needed.
    fn fresh<T: Pooled>(&self, shape: &[usize], len: usize, bytes: usize) -> Result<Vec<T>, ErrorKind> {
        if bytes >= KEPT {
            self.pool.make_room(self.held.get(), self.peak.get(), self.limit);
        }
        raw::zeroed(len).ok_or_else(|| self.refused(ErrorKind::OutOfMemory { shape: shape.to_vec(), bytes }))
    }

    /// Why memory was refused since [`Memory::forget_refusal`], if it was.
    pub(crate) fn refusal(&self) -> Option<ErrorKind> {
        self.refusal.take()
    }

    pub(crate) fn forget_refusal(&self) {
        self.refusal.set(None);
    }

    fn refused(&self, kind: ErrorKind) -> ErrorKind {
        self.refusal.set(Some(kind.clone()));
        kind
    }

    /// Counts the scratch space of a library: what exceeds `free` of the `bytes`
    /// that it takes. It is the caller's to drop once the space is free again.
    pub(crate) fn scratch(&self, bytes: usize, free: usize) -> Result<Charge<'_>, ErrorKind> {
        let bytes = bytes.saturating_sub(free);
        let charge = self.charge(&[bytes], bytes)?;
        if bytes >= KEPT {
            self.pool.make_room(self.held.get(), self.peak.get(), self.limit);
        }
        Ok(charge)
    }

    /// Counts `bytes`, unless that exceeds the limit.
    fn charge(&self, shape: &[usize], bytes: usize) -> Result<Charge<'_>, ErrorKind> {
        let held = self.held.get();
        match held.checked_add(bytes).filter(|sum| *sum <= self.limit) {
            Some(sum) => {
                self.held.set(sum);
                self.peak.set(self.peak.get().max(sum));
            }
            None => {
                let shape = shape.to_vec();
                let limit = self.limit;
                return Err(self.refused(ErrorKind::MemoryLimit { shape, bytes, held, limit }));
            }
        }
        Ok(Charge { memory: self, bytes })
    }
}

impl Drop for Memory {
    /// The run is over: the pool learns what it took. Without the slack, a run whose
    /// only allocation is a selection's would leave one that is too long to be kept.
    fn drop(&mut self) {
        self.pool.finish(self.peak.get() + self.slack.get());
    }
}

/// The first `len` elements of an allocation.
fn first<T>(allocation: ArrayD<T>, len: usize) -> ArrayD<T> {
    allocation.slice_axis_move(Axis(0), Slice::from(..len))
}

/// Bytes that count as held until this is dropped.
pub(crate) struct Charge<'m> {
    memory: &'m Memory,
    bytes: usize,
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        self.memory.held.set(self.memory.held.get() - self.bytes);
    }
}

/// An array of the run's own, in row-major order.
pub(crate) struct Buffer<'m, T> {
    array: ArrayD<T>,
    charge: Charge<'m>,
}

impl<'m, T> Buffer<'m, T> {
    /// The elements in a row.
    pub(crate) fn as_contiguous(&self) -> &[T] {
        self.array.as_slice().unwrap_or_else(|| unreachable!("buffers are in row-major order"))
    }

    /// The elements in a row, to be changed.
    pub(crate) fn as_contiguous_mut(&mut self) -> &mut [T] {
        self.array.as_slice_mut().unwrap_or_else(|| unreachable!("buffers are in row-major order"))
    }

    /// The elements under another shape of the same size.
    pub(crate) fn with_shape(self, shape: &[usize]) -> Buffer<'m, T> {
        let array = self.array.into_shape_with_order(shape);
        let array = array.unwrap_or_else(|error| unreachable!("the shape rule keeps the size: {error}"));
        Buffer { array, charge: self.charge }
    }

    /// The first `count` elements of an allocation. Under a limit, the rest is freed
    /// and no longer counted; without one, the allocation is kept, to be handed on.
    pub(crate) fn truncated(self, count: usize, memory: &'m Memory) -> Result<Buffer<'m, T>, ErrorKind> {
        let Buffer { array, charge } = self;
        if memory.limit == usize::MAX || array.len() == count {
            return Ok(Buffer { array: first(array, count), charge });
        }
        let mut allocation = array.into_raw_vec_and_offset().0;
        allocation.truncate(count);
        allocation.shrink_to_fit();
        drop(charge);
        let charge = memory.charge(&[count], bytes_of(&allocation))?;
        let array = ArrayD::from_shape_vec(vec![count], allocation);
        let array =
            array.unwrap_or_else(|error| unreachable!("the length is that of the allocation: {error}"));
        Ok(Buffer { array, charge })
    }

    /// The array, and what counts it.
    pub(crate) fn into_parts(self) -> (ArrayD<T>, Charge<'m>) {
        (self.array, self.charge)
    }
}

impl<T> Deref for Buffer<'_, T> {
    type Target = ArrayD<T>;

    fn deref(&self) -> &ArrayD<T> {
        &self.array
    }
}

impl<T> DerefMut for Buffer<'_, T> {
    fn deref_mut(&mut self) -> &mut ArrayD<T> {
        &mut self.array
    }
}

/// How many elements an array of this shape has. Arrays whose non-zero lengths
/// span more than `isize::MAX` bytes cannot exist.
pub(crate) fn checked_len(shape: &[usize], item: usize) -> Result<usize, ErrorKind> {
    let bytes = shape.iter().filter(|n| **n != 0).try_fold(item, |bytes, n| bytes.checked_mul(*n));
    if bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(ErrorKind::TooLarge { shape: shape.to_vec(), item });
    }
    Ok(shape.iter().product())
}

#[cfg(test)]
mod tests {
    use ndarray::arr0;

    use super::*;

    #[test]
    fn a_size_beyond_the_address_space_is_an_error() {
        let too_large = ErrorKind::TooLarge { shape: vec![0, 1 << 40, 1 << 40], item: 1 };
        assert_eq!(checked_len(&[0, 1 << 40, 1 << 40], 1), Err(too_large));
        assert_eq!(checked_len(&[0, 1 << 40], 8), Ok(0));
        let memory = Memory::new(usize::MAX, Arc::default());
        assert!(matches!(memory.zeros::<f64>(&[1 << 59]), Err(ErrorKind::OutOfMemory { .. })));
        assert_eq!(memory.held.get(), 0);
    }

    #[test]
    fn an_array_counts_until_it_is_dropped() {
        let memory = Memory::new(100, Arc::default());
        let first = memory.zeros::<f64>(&[2, 5]).unwrap();
        let refused = ErrorKind::MemoryLimit { shape: vec![3], bytes: 24, held: 80, limit: 100 };
        assert_eq!(memory.zeros::<f64>(&[3]).err(), Some(refused));
        let second = memory.zeros::<u8>(&[20]).unwrap();
        assert_eq!(memory.held.get(), 100);
        drop(first.with_shape(&[10]));
        drop(second);
        assert_eq!(memory.held.get(), 0);
    }

    #[test]
    fn an_iteration_is_long_only_where_elements_repeat() {
        let one = arr0(1_u8).into_dyn();
        let memory = Memory::new(usize::MAX, Arc::default());
        assert!(memory.check_view(&one.broadcast(vec![LONGEST_ITERATION]).unwrap()).is_ok());
        assert!(memory.check_view(&one.broadcast(vec![LONGEST_ITERATION + 1]).unwrap()).is_err());
        assert!(memory.check_view(&one.broadcast(vec![0, 1 << 60]).unwrap()).is_ok());
        assert!(memory.check_iteration(&[100], LONGEST_ITERATION, || LONGEST_ITERATION, 32).is_ok());
        assert!(memory.check_iteration(&[100], LONGEST_ITERATION / 16, || 1, 32).is_err());
        let patient = memory.with_iteration_limit(usize::MAX);
        assert!(patient.check_iteration(&[100], LONGEST_ITERATION / 16, || 1, 32).is_ok());
    }
}
