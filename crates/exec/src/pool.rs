//! Memory that runs of a plan hand on to one another. Does not depend on ops.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{ArcArray, IxDyn};
use tamis_graph::Value;

use crate::raw::{self, Zero};

/// From this size on, memory is kept: below, the allocator is as fast.
pub(crate) const KEPT: usize = 32 << 10;

/// How many allocations are kept: the bound of a search.
const ALLOCATIONS: usize = 64;

/// How many runs the pool remembers the peaks of.
const REMEMBERED: usize = 8;

/// From this size on, what a pool gives back is worth asking the allocator to
/// return to the system.
const RETURNED: usize = 16 << 20;

/// Allocations that an earlier run made and no longer uses. Their pages are there
/// already, which for a large result takes longer than computing it.
///
/// What is kept never exceeds the bound: the largest peak of the last [`REMEMBERED`]
/// runs, less what the run at work holds. So lengths that alternate are all served, as
/// lengths grow, the shorter allocations are freed, and one giant run is forgotten
/// after as many small ones.
#[derive(Default)]
pub(crate) struct Pool {
    state: Mutex<State>,
    /// Whether a run has held enough to be remembered since the pool was new or trimmed,
    /// and is not forgotten yet. Without one, the peaks of small runs need not be
    /// recorded.
    remembers: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The longest unused first.
    allocations: VecDeque<AnyAllocation>,
    /// How many bytes they take together.
    bytes: usize,
    /// How many bytes the last runs held at their peaks, and which of them is overwritten next.
    peaks: [usize; REMEMBERED],
    next: usize,
}

/// Element types of allocations in a pool.
pub(crate) trait Pooled: Zero {
    fn wrap(allocation: Vec<Self>) -> AnyAllocation;
    fn unwrap(allocation: AnyAllocation) -> Option<Vec<Self>>;
    /// The length of an allocation of this type.
    fn length(allocation: &AnyAllocation) -> Option<usize>;
}

macro_rules! pooled {
    ($($ty:ident => $variant:ident),*) => {
        /// An allocation of some type.
        pub(crate) enum AnyAllocation {
            $($variant(Vec<$ty>),)*
        }

        impl AnyAllocation {
            fn bytes(&self) -> usize {
                match self {
                    $(AnyAllocation::$variant(allocation) => bytes_of(allocation),)*
                }
            }
        }

        $(
            impl Pooled for $ty {
                fn wrap(allocation: Vec<$ty>) -> AnyAllocation {
                    AnyAllocation::$variant(allocation)
                }

                #[allow(clippy::wildcard_enum_match_arm, reason = "one type against all others")]
                fn unwrap(allocation: AnyAllocation) -> Option<Vec<$ty>> {
                    match allocation {
                        AnyAllocation::$variant(allocation) => Some(allocation),
                        _ => None,
                    }
                }

                #[allow(clippy::wildcard_enum_match_arm, reason = "one type against all others")]
                fn length(allocation: &AnyAllocation) -> Option<usize> {
                    match allocation {
                        AnyAllocation::$variant(allocation) => Some(allocation.len()),
                        _ => None,
                    }
                }
            }
        )*
    };
}

pooled!(
    bool => Bool, u8 => U8, i32 => I32, i64 => I64, u64 => U64, u128 => U128, usize => Usize, f32 => F32, f64 => F64
);

/// How many bytes an allocation takes, used or not.
pub(crate) fn bytes_of<T>(allocation: &Vec<T>) -> usize {
    allocation.capacity() * size_of::<T>()
}

impl State {
    /// Frees the longest unused allocations until no more than `most` bytes are kept.
    fn shrink_to(&mut self, most: usize) {
        while self.bytes > most {
            match self.allocations.pop_front() {
                Some(allocation) => self.bytes -= allocation.bytes(),
                None => unreachable!("the bytes are those of the allocations"),
            }
        }
    }

    fn bound(&self) -> usize {
        self.peaks.iter().copied().max().unwrap_or(0)
    }
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An allocation of at least `len` unspecified elements, if one is there that is
    /// not much longer and takes no more than `most` bytes.
    pub(crate) fn take<T: Pooled>(&self, len: usize, most: usize) -> Option<Vec<T>> {
        if len * size_of::<T>() < KEPT {
            return None;
        }
        let mut state = self.state();
        let lengths = state.allocations.iter().enumerate().filter_map(|(index, allocation)| {
            let length = T::length(allocation)?;
            let fits = (len..=len.saturating_mul(2)).contains(&length) && allocation.bytes() <= most;
            fits.then_some((length, index))
        });
        let (_, index) = lengths.min()?;
        let allocation = state.allocations.remove(index)?;
        state.bytes -= allocation.bytes();
        T::unwrap(allocation)
    }

    /// Keeps an allocation for later runs, unless it is short.
    pub(crate) fn give<T: Pooled>(&self, allocation: Vec<T>) -> bool {
        let bytes = bytes_of(&allocation);
        if bytes < KEPT {
            return false;
        }
        let mut state = self.state();
        state.allocations.push_back(T::wrap(allocation));
        state.bytes += bytes;
        if state.allocations.len() > ALLOCATIONS
            && let Some(allocation) = state.allocations.pop_front()
        {
            state.bytes -= allocation.bytes();
        }
        true
    }

    /// Keeps the elements of an array, unless they are few or somebody else still reads them.
    pub(crate) fn give_array<T: Pooled>(&self, array: ArcArray<T, IxDyn>) -> bool {
        let owned = array.try_into_owned_nocopy();
        owned.is_ok_and(|array| self.give(array.into_raw_vec_and_offset().0))
    }

    /// Keeps the elements of the results of a run, unless they are still shared.
    pub(crate) fn give_back(&self, values: impl Iterator<Item = Value>) {
        let mut is_kept = false;
        for value in values {
            is_kept |= match value {
                Value::Bool(array) => self.give_array(array),
                Value::U8(array) => self.give_array(array),
                Value::I32(array) => self.give_array(array),
                Value::I64(array) => self.give_array(array),
                Value::F32(array) => self.give_array(array),
                Value::F64(array) => self.give_array(array),
            };
        }
        if !is_kept {
            return;
        }
        let mut state = self.state();
        let bound = state.bound();
        state.shrink_to(bound);
    }

    /// Frees allocations until those that are kept and what a run holds together take
    /// no more than `peak`, which the run has held already, or than earlier runs held,
    /// as far as that is not more than the `limit` of the run.
    pub(crate) fn make_room(&self, held: usize, peak: usize, limit: usize) {
        let mut state = self.state();
        let most = state.bound().min(limit).max(peak);
        state.shrink_to(most.saturating_sub(held));
    }

    /// Remembers how much a run held at most. Less is kept from now on, if it was less.
    pub(crate) fn finish(&self, peak: usize) {
        // The allocations that a small run could leave are too short to be kept.
        if peak < KEPT && !self.remembers.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state();
        let next = state.next;
        state.peaks[next] = peak;
        state.next = (next + 1) % REMEMBERED;
        let bound = state.bound();
        self.remembers.store(bound >= KEPT, Ordering::Relaxed);
        state.shrink_to(bound);
    }

    /// Frees everything, and has the allocator return it to the system.
    pub(crate) fn trim(&self) {
        let mut state = self.state();
        state.shrink_to(0);
        state.peaks = [0; REMEMBERED];
        self.remembers.store(false, Ordering::Relaxed);
        drop(state);
        raw::return_free_memory();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let was_large = state.bytes.max(state.bound()) >= RETURNED;
        state.shrink_to(0);
        if was_large {
            raw::return_free_memory();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: usize = usize::MAX;

    #[test]
    fn an_allocation_serves_lengths_up_to_its_own() {
        let pool = Pool::default();
        pool.give(vec![0_u8; KEPT * 2]);
        assert!(pool.take::<u8>(KEPT * 2 + 1, ALL).is_none());
        assert!(pool.take::<f32>(KEPT, ALL).is_none());
        assert!(pool.take::<u8>(KEPT, KEPT * 2 - 1).is_none());
        assert_eq!(pool.take::<u8>(KEPT, ALL).unwrap().len(), KEPT * 2);
        assert!(pool.take::<u8>(KEPT, ALL).is_none());
        assert_eq!(pool.state().bytes, 0);
    }

    #[test]
    fn short_allocations_and_too_many_are_let_go() {
        let pool = Pool::default();
        assert!(!pool.give(vec![0_u8; KEPT - 1]));
        assert!(pool.state().allocations.is_empty());
        assert!((0..ALLOCATIONS + 3).all(|_| pool.give(vec![0_u8; KEPT])));
        let state = pool.state();
        assert_eq!((state.allocations.len(), state.bytes), (ALLOCATIONS, ALLOCATIONS * KEPT));
    }

    #[test]
    fn an_array_that_is_shared_is_not_taken() {
        let pool = Pool::default();
        let array = ndarray::ArrayD::<f64>::zeros(vec![KEPT]).into_shared();
        pool.give_array(array.clone());
        assert!(pool.take::<f64>(KEPT, ALL).is_none());
        pool.give_array(array);
        assert!(pool.take::<f64>(KEPT, ALL).is_some());
    }

    #[test]
    fn no_more_is_kept_than_the_last_runs_held() {
        let pool = Pool::default();
        let kept = || pool.state().bytes;
        pool.give(vec![0_u8; 8 * KEPT]);
        pool.finish(8 * KEPT);
        assert_eq!(kept(), 8 * KEPT);
        // Small runs: the large allocation is kept as long as its run is remembered.
        for _ in 1..REMEMBERED {
            pool.give(vec![0_u8; KEPT]);
            pool.finish(KEPT);
            assert!(kept() <= 8 * KEPT);
        }
        pool.finish(KEPT);
        assert_eq!(kept(), KEPT);
    }

    #[test]
    fn small_runs_make_a_pool_forget_a_large_one_and_then_nothing() {
        let pool = Pool::default();
        pool.finish(KEPT - 1);
        assert_eq!(pool.state().bound(), 0);
        pool.finish(KEPT);
        for _ in 0..REMEMBERED - 1 {
            pool.finish(1);
        }
        assert_eq!(pool.state().bound(), KEPT);
        pool.finish(1);
        assert_eq!(pool.state().bound(), 1);
        assert!(!pool.remembers.load(Ordering::Relaxed));
    }

    #[test]
    fn what_a_run_holds_is_not_kept_beside_it() {
        let pool = Pool::default();
        pool.finish(4 * KEPT);
        assert!((0..4).all(|_| pool.give(vec![0_u8; KEPT])));
        pool.make_room(2 * KEPT, 2 * KEPT, ALL);
        assert_eq!(pool.state().bytes, 2 * KEPT);
        pool.make_room(2 * KEPT, 2 * KEPT, 3 * KEPT);
        assert_eq!(pool.state().bytes, KEPT);
    }

    #[test]
    fn a_trimmed_pool_keeps_nothing() {
        let pool = Pool::default();
        pool.finish(8 * KEPT);
        pool.give(vec![0_u8; KEPT]);
        pool.trim();
        let state = pool.state();
        assert_eq!((state.bytes, state.bound()), (0, 0));
    }
}
