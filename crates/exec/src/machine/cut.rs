//! How a domain is cut into pieces, and pieces into tiles. The cut depends on
//! lengths alone, never on threads: it fixes the order of every sum.

use std::ops::Range;

use super::bank::{TILE, Tile};
use super::fold::Layout;

/// How many elements a piece has, as far as rows allow: enough that handing it
/// over costs little, few enough that what it works on stays in the cache.
pub(super) const PIECE: usize = 1 << 16;

/// A domain seen as `outer` groups of `reduced` rows of `inner` elements:
/// what folds along axes reduce lies in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Domain {
    pub(super) outer: usize,
    pub(super) reduced: usize,
    pub(super) inner: usize,
}

impl Domain {
    /// The domain of these lengths, of which the axes in `folded` are reduced.
    pub(super) fn new(lengths: &[usize], folded: Range<usize>) -> Domain {
        Domain {
            outer: lengths[..folded.start].iter().product(),
            reduced: lengths[folded.clone()].iter().product(),
            inner: lengths[folded.end..].iter().product(),
        }
    }

    pub(super) fn len(self) -> usize {
        self.outer * self.group()
    }

    fn group(self) -> usize {
        self.reduced * self.inner
    }

    /// How many results a fold along the axes has.
    pub(super) fn cells(self) -> usize {
        self.outer * self.inner
    }
}

/// The pieces of a domain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    domain: Domain,
    kind: Kind,
    tile: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Nothing is folded along axes.
    Flat,
    /// Whole groups, so many a piece.
    Groups(usize),
    /// Parts of groups, of so many elements: whole rows.
    Parts(usize),
    /// All rows of a group, but only so many elements of each.
    Strips(usize),
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The elements, unless the piece is a strip.
    pub(super) elements: Range<usize>,
    /// The results of folds along axes.
    pub(super) cells: Range<usize>,
}

/// What a piece does, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Work {
    Tile(Tile, Layout),
    /// The row of this cell ends, counted from the first cell of the piece.
    Close(usize),
}

impl Cut {
    /// `has_folds` tells whether anything is reduced along axes; `tile` is how many elements
    /// a tile may have, at most [`TILE`].
    pub(super) fn new(domain: Domain, has_folds: bool, tile: usize) -> Cut {
        debug_assert!(tile <= TILE);
        let (group, inner) = (domain.group(), domain.inner);
        let kind = if !has_folds || domain.len() == 0 {
            Kind::Flat
        } else if inner > tile {
            Kind::Strips(tile)
        } else if group <= PIECE {
            Kind::Groups((PIECE / group).min(domain.outer))
        } else {
            Kind::Parts(PIECE / inner * inner)
        };
        Cut { domain, kind, tile }
    }

    /// How many pieces there are.
    pub(super) fn pieces(self) -> usize {
        let Domain { outer, inner, .. } = self.domain;
        match self.kind {
            Kind::Flat => self.domain.len().div_ceil(PIECE),
            Kind::Groups(count) => outer.div_ceil(count),
            Kind::Parts(len) => outer * self.domain.group().div_ceil(len),
            Kind::Strips(width) => outer * inner.div_ceil(width),
        }
    }

    /// Whether the results of different pieces are different cells.
    pub(super) fn is_direct(self) -> bool {
        match self.kind {
            Kind::Flat | Kind::Groups(_) | Kind::Strips(_) => true,
            Kind::Parts(_) => false,
        }
    }

    pub(super) fn piece(self, number: usize) -> Piece {
        let Domain { outer, inner, .. } = self.domain;
        let group = self.domain.group();
        match self.kind {
            Kind::Flat => {
                let start = number * PIECE;
                Piece { elements: start..(start + PIECE).min(self.domain.len()), cells: 0..0 }
            }
            Kind::Groups(count) => {
                let groups = number * count..(number * count + count).min(outer);
                Piece {
                    elements: groups.start * group..groups.end * group,
                    cells: groups.start * inner..groups.end * inner,
                }
            }
            Kind::Parts(len) => {
                let parts = group.div_ceil(len);
                let (outer, part) = (number / parts, number % parts);
                let within = part * len..(part * len + len).min(group);
                Piece {
                    elements: outer * group + within.start..outer * group + within.end,
                    cells: outer * inner..(outer + 1) * inner,
                }
            }
            Kind::Strips(width) => {
                let strips = inner.div_ceil(width);
                let (outer, strip) = (number / strips, number % strips);
                let start = outer * inner + strip * width;
                Piece { elements: 0..0, cells: start..(start + width).min((outer + 1) * inner) }
            }
        }
    }

    /// Calls `visit` with the tiles of a piece, in order.
    pub(super) fn walk(self, piece: &Piece, mut visit: impl FnMut(Work)) {
        let Domain { reduced, inner, .. } = self.domain;
        let group = self.domain.group();
        let Range { start, end } = piece.elements;
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
                for (cell, from) in (start..end).step_by(group).enumerate() {
                    tiles(from, from + group, self.tile, &one, &mut visit);
                    visit(Work::Close(cell));
                }
            }
            Kind::Groups(_) => {
                let layout = |offset| Layout::Columns { width: inner, rows: reduced, first: offset / inner };
                tiles(start, end, self.tile / inner * inner, &layout, &mut visit);
            }
            Kind::Parts(_) if inner == 1 => {
                tiles(start, end, self.tile, &one, &mut visit);
                visit(Work::Close(0));
            }
            Kind::Parts(_) => {
                let layout = |_| Layout::Columns { width: inner, rows: usize::MAX, first: 0 };
                tiles(start, end, self.tile / inner * inner, &layout, &mut visit);
            }
            Kind::Strips(_) => {
                let (outer, column) = (piece.cells.start / inner, piece.cells.start % inner);
                let width = piece.cells.len();
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

    /// Every element is visited once, in a layout that sends it to its cell.
    #[track_caller]
    fn check(lengths: &[usize], folded: Range<usize>, tile: usize) {
        let domain = Domain::new(lengths, folded);
        let cut = Cut::new(domain, true, tile);
        let mut cells = vec![usize::MAX; domain.len()];
        for number in 0..cut.pieces() {
            let piece = cut.piece(number);
            let mut open = Vec::new();
            cut.walk(&piece, |work| match work {
                Work::Close(cell) => {
                    open.drain(..).for_each(|element: usize| cells[element] = piece.cells.start + cell);
                }
                Work::Tile(tile, layout) => {
                    for i in 0..tile.len {
                        match layout {
                            Layout::One => open.push(tile.start + i),
                            Layout::Rows { length, first } => {
                                cells[tile.start + i] = piece.cells.start + first + i / length;
                            }
                            Layout::Columns { width, rows, first } => {
                                let cell = (first + i / width) / rows * width + i % width;
                                cells[tile.start + i] = piece.cells.start + cell;
                            }
                        }
                    }
                }
            });
            assert!(open.is_empty());
        }
        let Domain { reduced, inner, .. } = domain;
        let expected = (0..domain.len()).map(|i| i / (reduced * inner) * inner + i % inner);
        assert!(cells.into_iter().eq(expected), "{lengths:?}");
    }

    #[test]
    fn every_element_reaches_its_cell_once() {
        check(&[5, 7], 1..2, 1024);
        check(&[300, 500], 1..2, 1024);
        check(&[3, 5000], 1..2, 1024);
        check(&[2, PIECE + 77], 1..2, 1024);
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
    fn without_folds_pieces_follow_one_another() {
        let cut = Cut::new(Domain::new(&[PIECE * 2 + 5], 0..0), false, 512);
        let ends: Vec<usize> = (0..cut.pieces()).map(|i| cut.piece(i).elements.end).collect();
        assert_eq!(ends, [PIECE, PIECE * 2, PIECE * 2 + 5]);
    }
}
