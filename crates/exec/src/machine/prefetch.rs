//! The prefetch schedule: while a tile is computed, the memory of the next one is asked for.
//!
//! Without it, arithmetic and memory take turns: the first instruction that reads a stream waits
//! for it, and the one that writes a stream waits for its lines. Asking for a whole tile at once
//! does not help, since a core has few lines under way: so each block of each instruction asks
//! for some lines, in an order that is made once.

use smallvec::SmallVec;

use super::register_file::{BLOCK, LINE, Tile};
use crate::raw;

/// From how many bytes on a pass over its streams is worth a schedule: less stays in the
/// second-level cache, from where it comes in time.
pub(super) const STREAMED: usize = 4 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Memory that a tile touches from end to end.
#[derive(Clone, Copy)]
struct Stream {
    start: *const u8,
    lines: usize,
    access: Access,
}

/// The streams of a tile.
#[derive(Default)]
pub(super) struct Streams(SmallVec<[Stream; 8]>);

impl Streams {
    pub(super) fn add<T>(&mut self, start: *const T, len: usize, access: Access) {
        let lines = (len * size_of::<T>()).div_ceil(LINE);
        self.0.push(Stream { start: start.cast(), lines, access });
    }
}

/// What is asked for while a tile is computed.
#[derive(Default)]
pub(super) struct Prefetch {
    /// Whether there is anything to ask for.
    is_on: bool,
    streams: Streams,
    /// Of each line, its stream and its offset in bytes.
    order: Vec<(u32, u32)>,
    /// The length of the tile that the order was made for.
    len: usize,
    /// How many lines a block asks for, and the next of them.
    lines: usize,
    next: usize,
}

impl Prefetch {
    pub(super) fn new(is_on: bool) -> Prefetch {
        Prefetch { is_on, ..Prefetch::default() }
    }

    /// Prepares for a tile that takes so many loops: notes the streams of the tile behind it.
    pub(super) fn start(&mut self, tile: Tile, loops: usize, next: impl FnOnce(Tile, &mut Streams)) {
        if !self.is_on {
            return;
        }
        self.streams.0.clear();
        let after = Tile { start: tile.start + tile.len, offset: tile.offset + tile.len, ..tile };
        next(after, &mut self.streams);
        self.next = 0;
        if self.len != tile.len {
            self.len = tile.len;
            self.schedule(loops * tile.len.div_ceil(BLOCK));
        }
    }

    /// Spreads the lines of all streams over the blocks. A stream of narrow elements has fewer
    /// lines than others, and keeps pace with them.
    fn schedule(&mut self, blocks: usize) {
        let streams = &self.streams.0;
        self.order.clear();
        let longest = streams.iter().map(|stream| stream.lines).max().unwrap_or(0);
        let mut due: SmallVec<[(usize, usize); 8]> = streams.iter().map(|_| (0, 0)).collect();
        for _ in 0..longest {
            for (number, ((progress, line), stream)) in due.iter_mut().zip(streams).enumerate() {
                *progress += stream.lines;
                if *progress >= longest {
                    *progress -= longest;
                    self.order.push((number as u32, (*line * LINE) as u32));
                    *line += 1;
                }
            }
        }
        self.lines = self.order.len().div_ceil(blocks.max(1));
    }

    /// Asks for the lines of one block.
    #[inline(always)]
    pub(super) fn block(&mut self) {
        if self.next == self.order.len() {
            return;
        }
        let end = (self.next + self.lines).min(self.order.len());
        for (stream, offset) in &self.order[self.next..end] {
            let Stream { start, access, .. } = self.streams.0[*stream as usize];
            let line = start.wrapping_add(*offset as usize);
            match access {
                Access::Read => raw::prefetch_read(line),
                Access::Write => raw::prefetch_write(line),
            }
        }
        self.next = end;
    }

    /// Asks for the lines that a selection will write behind `target`.
    #[inline(always)]
    pub(super) fn behind<T>(&self, target: &[T; BLOCK]) {
        const DISTANCE: usize = 16 * LINE;
        if self.is_on {
            for line in 0..size_of_val(target) / LINE {
                raw::prefetch_write(target.as_ptr().cast::<u8>().wrapping_add(DISTANCE + line * LINE));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line of every stream is asked for once, streams side by side.
    #[test]
    fn a_schedule_has_every_line_once_and_streams_keep_pace() {
        let (wide, narrow) = ([0_f64; 512], [false; 512]);
        let mut prefetch = Prefetch::new(true);
        let tile = Tile { start: 0, len: 512, offset: 0 };
        prefetch.start(tile, 2, |_, streams| {
            streams.add(wide.as_ptr(), 512, Access::Read);
            streams.add(narrow.as_ptr(), 512, Access::Write);
        });
        let of = |stream: u32| prefetch.order.iter().filter(move |line| line.0 == stream).map(|line| line.1);
        assert!(of(0).eq((0..64).map(|line| line * 64)));
        assert!(of(1).eq((0..8).map(|line| line * 64)));
        // After half of the wide one, half of the narrow one.
        assert_eq!(prefetch.order[..36].iter().filter(|line| line.0 == 1).count(), 4);
        // 72 lines in 2 loops of 8 blocks.
        assert_eq!(prefetch.lines, 5);
        for _ in 0..16 {
            prefetch.block();
        }
        assert_eq!(prefetch.next, 72);
    }

    #[test]
    fn nothing_is_asked_for_where_a_pass_is_short() {
        let mut prefetch = Prefetch::new(false);
        prefetch.start(Tile { start: 0, len: 64, offset: 0 }, 1, |_, _| unreachable!("it is off"));
        prefetch.block();
        assert_eq!(prefetch.next, 0);
    }
}
