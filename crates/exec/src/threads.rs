//! The threads of a run, and the chunks of work they share. Does not depend on ops.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

use crate::chunks::Chunks;

/// The most threads of a run: more than machines run at a time, and few enough to be started.
pub(crate) const MOST: usize = 256;

/// How many threads a run may use, the calling one among them.
///
/// Results do not depend on the number: work is divided into chunks whose boundaries
/// depend on lengths alone, and the results of chunks are combined in their order.
#[derive(Clone)]
pub(crate) struct Threads {
    count: usize,
    /// The other threads; none for a run on one.
    pool: Option<Arc<ThreadPool>>,
}

impl Threads {
    /// The calling thread alone.
    pub(crate) fn serial() -> Threads {
        Threads { count: 1, pool: None }
    }

    /// As many as the system says can run at the same time.
    pub(crate) fn available() -> Threads {
        Threads::new(std::thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// `count` threads, at least one and at most [`MOST`]. Plans share them: a
    /// pool has a power of two of threads, so that there are few pools, whatever
    /// is asked for. Where the system gives no more threads, the calling one
    /// does the work alone.
    pub(crate) fn new(count: usize) -> Threads {
        static POOLS: Mutex<Option<HashMap<usize, Arc<ThreadPool>>>> = Mutex::new(None);
        let count = count.clamp(1, MOST);
        if count == 1 {
            return Threads::serial();
        }
        let others = (count - 1).next_power_of_two();
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = pools.get_or_insert_default();
        if let Some(pool) = pools.get(&others) {
            return Threads { count, pool: Some(pool.clone()) };
        }
        let name = |i| format!("tamis {}", i + 1);
        let Ok(pool) = ThreadPoolBuilder::new().num_threads(others).thread_name(name).build() else {
            return Threads::serial();
        };
        let pool = Arc::new(pool);
        pools.insert(others, pool.clone());
        Threads { count, pool: Some(pool) }
    }

    /// How many threads there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Calls `worker` on every thread that there is work for, at most `chunks`, with
    /// the source of the numbers `0..chunks`. Each number is given out once, in
    /// ascending order: a chunk may wait for those before it.
    ///
    /// Like all that follows it is compiled once, not once for each worker: what starts
    /// threads is much code, and a call for each chunk of work costs nothing.
    pub(crate) fn share(&self, chunks: usize, worker: &(dyn Fn(&ChunkQueue) + Sync)) {
        let source = ChunkQueue { next: AtomicUsize::new(0), end: chunks };
        match &self.pool {
            Some(pool) if chunks > 1 => pool.in_place_scope(|scope| {
                for _ in 1..self.count.min(chunks) {
                    scope.spawn(|_| worker(&source));
                }
                worker(&source);
            }),
            Some(_) | None => worker(&source),
        }
    }

    /// Calls `task` once for each of `0..chunks`.
    pub(crate) fn for_each(&self, chunks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.share(chunks, &|chunks| {
            while let Some(chunk) = chunks.next() {
                task(chunk);
            }
        });
    }

    /// Calls `task` for each slice of `len` elements (the last may be shorter), with
    /// its index.
    pub(crate) fn for_each_chunk<T: Send>(
        &self,
        elements: &mut [T],
        len: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        if elements.len() <= len {
            return task(0, elements);
        }
        let slices = Chunks::new(elements.chunks_mut(len));
        self.for_each(slices.len(), &|chunk| task(chunk, slices.take(chunk)));
    }
}

/// Hands out the numbers of chunks.
pub(crate) struct ChunkQueue {
    next: AtomicUsize,
    end: usize,
}

impl ChunkQueue {
    /// The next chunk that no thread has started.
    pub(crate) fn next(&self) -> Option<usize> {
        let chunk = self.next.fetch_add(1, Ordering::Relaxed);
        (chunk < self.end).then_some(chunk)
    }
}

/// An ordered hand-off: chunks pass one after the other, in their order.
#[derive(Default)]
pub(crate) struct OrderedHandOff(AtomicUsize);

impl OrderedHandOff {
    /// Waits until all chunks before `chunk` have passed: a short spin, then yielding.
    pub(crate) fn wait(&self, chunk: usize) {
        let mut spins = 0;
        while self.0.load(Ordering::Acquire) != chunk {
            if spins < 200 {
                spins += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }

    /// Lets the next chunk pass.
    pub(crate) fn pass(&self, chunk: usize) {
        self.0.store(chunk + 1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_done_once() {
        for count in [1, 2, 8] {
            let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
            Threads::new(count).for_each(100, &|chunk| {
                done[chunk].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn chunks_cover_all_elements() {
        for len in [0, 1, 9, 10, 11, 25] {
            let mut elements = vec![0; len];
            Threads::new(3).for_each_chunk(&mut elements, 10, &|index, slice| {
                slice.iter_mut().enumerate().for_each(|(i, x)| *x = index * 10 + i + 1);
            });
            assert!(elements.into_iter().eq(1..=len));
        }
    }

    #[test]
    fn hand_offs_are_taken_in_order() {
        let (hand_off, order) = (OrderedHandOff::default(), Mutex::new(Vec::new()));
        Threads::new(4).for_each(50, &|chunk| {
            hand_off.wait(chunk);
            order.lock().unwrap().push(chunk);
            hand_off.pass(chunk);
        });
        assert!(order.into_inner().unwrap().into_iter().eq(0..50));
    }

    #[test]
    fn more_threads_than_machines_have_are_not_started() {
        let threads = Threads::new(1_000_000);
        assert_eq!(threads.count(), MOST);
        let done = AtomicUsize::new(0);
        threads.for_each(1000, &|_| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 1000);
    }

    #[test]
    fn plans_of_similar_counts_share_their_threads() {
        let (a, b) = (Threads::new(6), Threads::new(9));
        assert!(Arc::ptr_eq(a.pool.as_ref().unwrap(), b.pool.as_ref().unwrap()));
        assert_eq!((a.count(), b.count()), (6, 9));
    }

    #[test]
    fn plans_of_one_count_share_their_threads() {
        let (a, b) = (Threads::new(3), Threads::new(3));
        assert!(Arc::ptr_eq(a.pool.as_ref().unwrap(), b.pool.as_ref().unwrap()));
        assert_eq!((a.count(), Threads::new(0).count()), (3, 1));
    }
}
