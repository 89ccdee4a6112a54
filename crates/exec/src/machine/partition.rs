//! How a domain is partitioned into chunks, and chunks into tiles. The partition
//! depends on lengths alone, never on threads: it fixes the order of every sum.
//!
//! A chunk should have output elements of its own, so that nothing is left to combine; and a
//! tile should consist of complete rows, or lie in one, so that a loop over it reduces either
//! along it or across it. Which of that can be had depends on the lengths: see [`Kind`].

use std::ops::Range;

use super::register_file::{TILE, Tile};

/// How many elements a chunk has, as far as rows allow: enough that scheduling it costs
/// little, few enough that its data stay in the cache.
pub(super) const CHUNK: usize = 1 << 16;

/// A domain seen as `outer` groups of `reduced` rows of `inner` elements: the axes that
/// reductions reduce lie in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) outer: usize,
    pub(super) reduced: usize,
    pub(super) inner: usize,
}

impl Domain {
    /// The domain of these lengths, of which the axes in `reduced` are reduced.
    pub(super) fn new(lengths: &[usize], reduced: Range<usize>) -> Domain {
        Domain {
            outer: lengths[..reduced.start].iter().product(),
            reduced: lengths[reduced.clone()].iter().product(),
            inner: lengths[reduced.end..].iter().product(),
        }
    }

    pub(super) fn len(self) -> usize {
        self.outer * self.group()
    }

    fn group(self) -> usize {
        self.reduced * self.inner
    }

    /// How many results a reduction along the axes has.
    pub(super) fn outputs(self) -> usize {
        self.outer * self.inner
    }
}

/// The chunks of a domain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partition {
    domain: Domain,
    kind: Kind,
    tile: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// No reduction along axes: the shape does not matter.
    Flat,
    /// Groups, so many per chunk: groups are small enough that a chunk has complete ones, and so
    /// its own output elements.
    Groups(usize),
    /// Rows of groups, of so many elements: a group is too large for one chunk, and all its
    /// chunks add to the same output elements. Their totals are combined in chunk order.
    Rows(usize),
    /// Panels: all rows of a group, but only so many elements of each. A row is longer than a
    /// tile, and its accumulators would not stay in the cache from one row to the next; those
    /// of a panel do, and are its own.
    Panels(usize),
}

/// One chunk of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The elements, unless the chunk is a panel.
    pub(super) elements: Range<usize>,
    /// The results of reductions along axes.
    pub(super) outputs: Range<usize>,
}

/// Which elements of a tile belong together.
#[derive(Debug, Clone, Copy)]
pub(super) enum Layout {
    /// All, together with those of other tiles until [`Work::Close`].
    One,
    /// Complete rows of `length`, the first for the output element `first`.
    Rows { length: usize, first: usize },
    /// Rows of `width`, element by element; each output element takes `rows` rows. The
    /// first row is `first`, counted from the start of the chunk.
    Columns { width: usize, rows: usize, first: usize },
}

/// The work of a chunk, in order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Tile(Tile, Layout),
    /// The row of this output element ends, counted from the first output element of
    /// the chunk.
    Close(usize),
}

impl Partition {
    /// `has_reductions` says whether anything is reduced along axes; `tile` is how many
    /// elements a tile may have, at most [`TILE`].
    pub(super) fn new(domain: Domain, has_reductions: bool, tile: usize) -> Partition {
        debug_assert!(tile <= TILE);
        let (group, inner) = (domain.group(), domain.inner);
        let kind = if !has_reductions || domain.len() == 0 {
            Kind::Flat
        } else if inner > tile {
            Kind::Panels(tile)
        } else if group <= CHUNK {
            Kind::Groups((CHUNK / group).min(domain.outer))
        } else {
            Kind::Rows(CHUNK / inner * inner)
        };
        Partition { domain, kind, tile }
    }

    /// Chunks of so many complete rows.
    pub(super) fn of_rows(domain: Domain, rows: usize, tile: usize) -> Partition {
        debug_assert!(domain.inner == 1 && domain.len() > 0 && tile <= TILE);
        Partition { domain, kind: Kind::Groups(rows.min(domain.outer)), tile }
    }

    pub(super) fn domain(self) -> Domain {
        self.domain
    }

    /// Whether tiles do not follow one another in the domain.
    pub(super) fn has_panels(self) -> bool {
        matches!(self.kind, Kind::Panels(_))
    }

    /// How many chunks there are.
    pub(super) fn chunks(self) -> usize {
        let Domain { outer, inner, .. } = self.domain;
        match self.kind {
            Kind::Flat => self.domain.len().div_ceil(CHUNK),
            Kind::Groups(count) => outer.div_ceil(count),
            Kind::Rows(len) => outer * self.domain.group().div_ceil(len),
            Kind::Panels(width) => outer * inner.div_ceil(width),
        }
    }

    /// Whether different chunks have different output elements.
    pub(super) fn is_direct(self) -> bool {
        match self.kind {
            Kind::Flat | Kind::Groups(_) | Kind::Panels(_) => true,
            Kind::Rows(_) => false,
        }
    }

    pub(super) fn chunk(self, number: usize) -> Chunk {
        let Domain { outer, inner, .. } = self.domain;
        let group = self.domain.group();
        match self.kind {
            Kind::Flat => {
                let start = number * CHUNK;
                Chunk { elements: start..(start + CHUNK).min(self.domain.len()), outputs: 0..0 }
            }
            Kind::Groups(count) => {
                let groups = number * count..(number * count + count).min(outer);
                Chunk {
                    elements: groups.start * group..groups.end * group,
                    outputs: groups.start * inner..groups.end * inner,
                }
            }
            Kind::Rows(len) => {
                let ranges = group.div_ceil(len);
                let (outer, range) = (number / ranges, number % ranges);
                let within = range * len..(range * len + len).min(group);
                Chunk {
                    elements: outer * group + within.start..outer * group + within.end,
                    outputs: outer * inner..(outer + 1) * inner,
                }
            }
            Kind::Panels(width) => {
                let panels = inner.div_ceil(width);
                let (outer, panel) = (number / panels, number % panels);
                let start = outer * inner + panel * width;
                Chunk { elements: 0..0, outputs: start..(start + width).min((outer + 1) * inner) }
            }
        }
    }

    /// Calls `visit` with the tiles of a chunk, in order.
    pub(super) fn visit_tiles(self, chunk: &Chunk, mut visit: impl FnMut(Work)) {
        let Domain { reduced, inner, .. } = self.domain;
        let group = self.domain.group();
        let Range { start, end } = chunk.elements;
        let tiles = |from: usize,
                     to: usize,
                     step: usize,
                     layout: &dyn Fn(usize) -> Layout,
                     visit: &mut dyn FnMut(Work)| {
            let mut at = from;
            while at < to {
                let tile = Tile { start: at, len: step.min(to - at), offset: at - start };
                visit(Work::Tile(tile, layout(at - start)));
                at += step;
            }
        };
        let one = |_| Layout::One;
        let rows = |offset| Layout::Rows { length: reduced, first: offset / reduced };
        match self.kind {
            Kind::Flat => tiles(start, end, self.tile, &one, &mut visit),
            Kind::Groups(_) if inner == 1 && reduced <= self.tile => {
                tiles(start, end, self.tile / reduced * reduced, &rows, &mut visit);
            }
            Kind::Groups(_) if inner == 1 => {
                for (output, from) in (start..end).step_by(group).enumerate() {
                    tiles(from, from + group, self.tile, &one, &mut visit);
                    visit(Work::Close(output));
                }
            }
            Kind::Groups(_) => {
                let layout = |offset| Layout::Columns { width: inner, rows: reduced, first: offset / inner };
                tiles(start, end, self.tile / inner * inner, &layout, &mut visit);
            }
            Kind::Rows(_) if inner == 1 => {
                tiles(start, end, self.tile, &one, &mut visit);
                visit(Work::Close(0));
            }
            Kind::Rows(_) => {
                let layout = |_| Layout::Columns { width: inner, rows: usize::MAX, first: 0 };
                tiles(start, end, self.tile / inner * inner, &layout, &mut visit);
            }
            Kind::Panels(_) => {
                let (outer, column) = (chunk.outputs.start / inner, chunk.outputs.start % inner);
                let width = chunk.outputs.len();
                let layout = Layout::Columns { width, rows: usize::MAX, first: 0 };
                for row in 0..reduced {
                    let start = outer * group + row * inner + column;
                    visit(Work::Tile(Tile { start, len: width, offset: 0 }, layout));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every element is visited once, in a layout that maps it to its output element.
    #[track_caller]
    fn check(lengths: &[usize], reduced: Range<usize>, tile: usize) {
        let domain = Domain::new(lengths, reduced);
        let partition = Partition::new(domain, true, tile);
        let mut outputs = vec![usize::MAX; domain.len()];
        for number in 0..partition.chunks() {
            let chunk = partition.chunk(number);
            let mut open = Vec::new();
            partition.visit_tiles(&chunk, |work| match work {
                Work::Close(output) => {
                    open.drain(..).for_each(|element: usize| outputs[element] = chunk.outputs.start + output);
                }
                Work::Tile(tile, layout) => {
                    for i in 0..tile.len {
                        match layout {
                            Layout::One => open.push(tile.start + i),
                            Layout::Rows { length, first } => {
                                outputs[tile.start + i] = chunk.outputs.start + first + i / length;
                            }
                            Layout::Columns { width, rows, first } => {
                                let output = (first + i / width) / rows * width + i % width;
                                outputs[tile.start + i] = chunk.outputs.start + output;
                            }
                        }
                    }
                }
            });
            assert!(open.is_empty());
        }
        let Domain { reduced, inner, .. } = domain;
        let expected = (0..domain.len()).map(|i| i / (reduced * inner) * inner + i % inner);
        assert!(outputs.into_iter().eq(expected), "{lengths:?}");
    }

    #[test]
    fn every_element_reaches_its_output_once() {
        check(&[5, 7], 1..2, 1024);
        check(&[300, 500], 1..2, 1024);
        check(&[3, 5000], 1..2, 1024);
        check(&[2, CHUNK + 77], 1..2, 1024);
        check(&[100, 3], 0..1, 1024);
        check(&[60_000, 3], 0..1, 1024);
        check(&[4, 100, 3], 1..2, 1024);
        check(&[2, 50_000, 3], 1..2, 64);
        check(&[30, 2500], 0..1, 1024);
        check(&[2, 3, 2500], 1..2, 512);
        check(&[2, 1, 3], 1..2, 1024);
        check(&[0, 3], 0..1, 1024);
        check(&[3, 0], 0..1, 1024);
    }

    #[test]
    fn without_reductions_chunks_follow_one_another() {
        let partition = Partition::new(Domain::new(&[CHUNK * 2 + 5], 0..0), false, 512);
        let ends: Vec<usize> = (0..partition.chunks()).map(|i| partition.chunk(i).elements.end).collect();
        assert_eq!(ends, [CHUNK, CHUNK * 2, CHUNK * 2 + 5]);
    }
}
