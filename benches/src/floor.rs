//! The floor: how long the memory takes for the bytes that a workload must move
//! at least, measured with a loop that does next to nothing else.

use std::hint::black_box;
use std::time::Duration;

use fearless_simd::{Level, Simd, dispatch};
use rayon::prelude::*;

use crate::contender::{Bytes, Case};
use crate::hand;
use crate::measure::measure;

/// Elements that are read before others are written.
const BLOCK: usize = 2048;
/// Sums that are added to side by side, so that no addition waits for the one before.
const ROW: usize = 32;
/// Below this a thread costs more than it brings.
const SHORTEST_CHUNK: usize = 1 << 16;

/// Memory to stream from and to.
pub(crate) struct Streams {
    source: Vec<f32>,
    target: Vec<f32>,
    threads: usize,
    /// Whether lines are asked for ahead of their writing.
    is_ahead: bool,
}

impl Streams {
    pub(crate) fn new(bytes: Bytes, threads: usize) -> Streams {
        let mut target = vec![0.0; bytes.written.div_ceil(4)];
        advise_huge_pages(&target);
        target.fill(1.0);
        let source = (0..bytes.read.div_ceil(4)).map(|i| (i % 7) as f32).collect();
        Streams { source, target, threads, is_ahead: false }
    }

    /// The same with the lines that are written asked for ahead of time.
    pub(crate) fn ahead(self) -> Streams {
        Streams { is_ahead: true, ..self }
    }

    /// Reads all of the source and writes all of the target: block by block, as much as
    /// can be is written from what is read (scaled, so that no library's copy loop with
    /// stores past the caches takes its position), what is read beyond that is added
    /// up, and what is written beyond that is a constant.
    pub(crate) fn pass(&mut self) -> f32 {
        let is_ahead = self.is_ahead;
        let longest = self.source.len().max(self.target.len());
        let chunks = self.threads.min(longest / SHORTEST_CHUNK).max(1);
        if chunks == 1 {
            return stream(&self.source, &mut self.target, self.is_ahead);
        }
        let read = self.source.par_chunks(self.source.len().div_ceil(chunks).max(1));
        if self.target.is_empty() {
            return read.map(|source| stream(source, &mut [], false)).sum();
        }
        let chunk = self.target.len().div_ceil(chunks);
        let written = self.target.par_chunks_mut(chunk);
        if self.source.is_empty() {
            return written.map(|target| stream(&[], target, is_ahead)).sum();
        }
        written.zip(read).map(|(target, source)| stream(source, target, is_ahead)).sum()
    }
}

fn stream(source: &[f32], target: &mut [f32], is_ahead: bool) -> f32 {
    let level = Level::new();
    if is_ahead {
        dispatch!(level, simd => stream_with::<_, true>(simd, source, target))
    } else {
        dispatch!(level, simd => stream_with::<_, false>(simd, source, target))
    }
}

#[inline(always)]
fn stream_with<S: Simd, const AHEAD: bool>(_: S, source: &[f32], target: &mut [f32]) -> f32 {
    let blocks = source.len().max(target.len()).div_ceil(BLOCK).max(1);
    // Whole rows of sums in all blocks but the last.
    let bounds = |len: usize, block: usize| {
        let end = if block + 1 == blocks { len } else { len * (block + 1) / blocks / ROW * ROW };
        len * block / blocks / ROW * ROW..end
    };
    let mut sums = [0.0_f32; ROW];
    for block in 0..blocks {
        let from = &source[bounds(source.len(), block)];
        let written = bounds(target.len(), block);
        let to = &mut target[written];
        let copied = from.len().min(to.len());
        let (to, beyond) = to.split_at_mut(copied);
        let (from, read_only) = from.split_at(copied);
        if AHEAD {
            for (to, from) in to.chunks_mut(hand::BLOCK).zip(from.chunks(hand::BLOCK)) {
                hand::prefetch(to);
                to.iter_mut().zip(from).for_each(|(to, from)| *to = from * 0.5);
            }
            for beyond in beyond.chunks_mut(hand::BLOCK) {
                hand::prefetch(beyond);
                beyond.fill(1.0);
            }
        } else {
            for (to, from) in to.iter_mut().zip(from) {
                *to = from * 0.5;
            }
            beyond.fill(1.0);
        }
        let (rows, rest) = read_only.as_chunks::<ROW>();
        for row in rows {
            sums = std::array::from_fn(|i| sums[i] + row[i]);
        }
        sums[0] += rest.iter().sum::<f32>();
    }
    sums.iter().sum()
}

/// As the memory that a plan recycles is advised: fewer page table walks.
fn advise_huge_pages(memory: &[f32]) {
    const PAGE: usize = 4096;
    let start = (memory.as_ptr() as usize).next_multiple_of(PAGE);
    let end = memory.as_ptr_range().end as usize;
    if end > start + (4 << 20) {
        // SAFETY: the range lies in `memory`, starts on a page, and the advice changes no content.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
    }
}

/// What the machine's memory gives, in bytes for each second.
pub(crate) struct Bandwidth {
    /// A sum over an array far larger than the caches.
    pub(crate) read: f64,
    /// One array read and one written, bytes of both counted.
    pub(crate) scale: f64,
    /// The same by the library's `memcpy`, which may write past the caches.
    pub(crate) memcpy: f64,
}

/// Measures the streams of 256 MB, interleaved.
pub(crate) fn bandwidth(threads: usize, budget: Duration) -> Bandwidth {
    let bytes = 256 << 20;
    let mut reading = Streams::new(Bytes { read: bytes, written: 0 }, threads);
    let mut scaling = Streams::new(Bytes { read: bytes, written: bytes }, threads);
    let mut copying = Streams::new(Bytes { read: bytes, written: bytes }, threads);
    let mut case = Case::new("streams", "read, scale, memcpy", bytes / 4);
    case.add("read", || move || reading.pass());
    case.add("scale", || move || scaling.pass());
    case.add("memcpy", || {
        move || {
            let chunk = copying.source.len().div_ceil(threads);
            let chunks = copying.target.par_chunks_mut(chunk).zip(copying.source.par_chunks(chunk));
            chunks.for_each(|(target, source)| target.copy_from_slice(source));
            black_box(copying.target[0])
        }
    });
    let times = measure(&mut case.contenders, budget, threads);
    let rate = |index: usize, bytes: usize| bytes as f64 / times[index].median;
    Bandwidth { read: rate(0, bytes), scale: rate(1, 2 * bytes), memcpy: rate(2, 2 * bytes) }
}
