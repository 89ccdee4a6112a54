//! The threads of a run, and the pieces of work they share. Knows no op.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon_core::{ThreadPool, ThreadPoolBuilder};

/// The most threads of a run: more than machines run at a time, and few enough to be started.
pub(crate) const MOST: usize = 256;

/// How many threads a run may use, the calling one among them.
///
/// Results do not depend on the number: work is divided into pieces whose
/// boundaries depend on sizes alone, and what pieces give is combined in their order.
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

    /// Calls `worker` on every thread that there is work for, at most `pieces`,
    /// with the source of the numbers `0..pieces`. Each number is given out
    /// once, in ascending order: a piece may wait for those before it.
    ///
    /// Like all that follows it is compiled once, not once for each worker: what
    /// starts threads is much code, and a call for each piece of work costs nothing.
    pub(crate) fn share(&self, pieces: usize, worker: &(dyn Fn(&Pieces) + Sync)) {
        let source = Pieces { next: AtomicUsize::new(0), end: pieces };
        match &self.pool {
            Some(pool) if pieces > 1 => pool.in_place_scope(|scope| {
                for _ in 1..self.count.min(pieces) {
                    scope.spawn(|_| worker(&source));
                }
                worker(&source);
            }),
            Some(_) | None => worker(&source),
        }
    }

    /// Calls `task` once for each of `0..pieces`.
    pub(crate) fn for_each(&self, pieces: usize, task: &(dyn Fn(usize) + Sync)) {
        self.share(pieces, &|pieces| {
            while let Some(piece) = pieces.next() {
                task(piece);
            }
        });
    }

    /// Calls `task` for each part of `len` elements (the last may be shorter),
    /// with its place among the parts.
    pub(crate) fn for_each_part<T: Send>(
        &self,
        elements: &mut [T],
        len: usize,
        task: &(dyn Fn(usize, &mut [T]) + Sync),
    ) {
        if elements.len() <= len {
            return task(0, elements);
        }
        let parts: Vec<Mutex<&mut [T]>> = elements.chunks_mut(len).map(Mutex::new).collect();
        self.for_each(parts.len(), &|piece| {
            let mut part = parts[piece].lock().unwrap_or_else(PoisonError::into_inner);
            task(piece, &mut part);
        });
    }
}

/// Gives out pieces of work.
pub(crate) struct Pieces {
    next: AtomicUsize,
    end: usize,
}

impl Pieces {
    /// The next piece that nobody has begun.
    pub(crate) fn next(&self) -> Option<usize> {
        let piece = self.next.fetch_add(1, Ordering::Relaxed);
        (piece < self.end).then_some(piece)
    }
}

/// Lets pieces pass one after the other, in their order.
#[derive(Default)]
pub(crate) struct Turn(AtomicUsize);

impl Turn {
    /// Waits until all pieces before `piece` have passed: a short spin, then yielding.
    pub(crate) fn wait(&self, piece: usize) {
        let mut spins = 0;
        while self.0.load(Ordering::Acquire) != piece {
            if spins < 200 {
                spins += 1;
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }

    /// Lets the next piece pass.
    pub(crate) fn pass(&self, piece: usize) {
        self.0.store(piece + 1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once() {
        for count in [1, 2, 8] {
            let done: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
            Threads::new(count).for_each(100, &|piece| {
                done[piece].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn parts_cover_all_elements() {
        for len in [0, 1, 9, 10, 11, 25] {
            let mut elements = vec![0; len];
            Threads::new(3).for_each_part(&mut elements, 10, &|place, part| {
                part.iter_mut().enumerate().for_each(|(i, x)| *x = place * 10 + i + 1);
            });
            assert!(elements.into_iter().eq(1..=len));
        }
    }

    #[test]
    fn turns_are_taken_in_order() {
        let (turn, order) = (Turn::default(), Mutex::new(Vec::new()));
        Threads::new(4).for_each(50, &|piece| {
            turn.wait(piece);
            order.lock().unwrap().push(piece);
            turn.pass(piece);
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
