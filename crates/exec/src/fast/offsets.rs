//! Offsets of the elements that indices address, run by run. Does not depend on ops.

/// How many offsets are computed at a time.
pub(super) const RUN: usize = 256;

/// Offsets in a block of a tensor.
pub(super) enum Offsets<'p> {
    /// Known offsets of rows.
    Known(&'p [usize]),
    /// Offsets of the rows that indices into an axis of this length address.
    Axis { indices: &'p [i64], length: usize },
    /// Offsets of the elements that indices into an axis of this length address: they
    /// stand in rows of `width`, and each stays in its column.
    Along { indices: &'p [i64], length: usize, width: usize },
    /// Offsets of what groups of indices into axes of these lengths address, the axes
    /// merged.
    Groups { indices: &'p [i64], lengths: &'p [usize] },
}

impl Offsets<'_> {
    /// Computes the offsets from the one at `start` on. `None` if an index is out of
    /// range.
    #[inline(always)]
    pub(super) fn read(&self, start: usize, offsets: &mut [usize]) -> Option<()> {
        let mut inside = true;
        match *self {
            Offsets::Known(known) => offsets.copy_from_slice(&known[start..start + offsets.len()]),
            Offsets::Axis { indices, length } => {
                for (offset, index) in offsets.iter_mut().zip(&indices[start..]) {
                    *offset = resolve(*index, length);
                    inside &= *offset < length;
                }
            }
            Offsets::Along { indices, length, width } => {
                let mut column = start % width;
                for (offset, index) in offsets.iter_mut().zip(&indices[start..]) {
                    let row = resolve(*index, length);
                    inside &= row < length;
                    *offset = row.wrapping_mul(width).wrapping_add(column);
                    column = if column + 1 == width { 0 } else { column + 1 };
                }
            }
            Offsets::Groups { indices, lengths } => {
                let depth = lengths.len();
                for (i, offset) in offsets.iter_mut().enumerate() {
                    *offset = 0;
                    for (index, length) in indices[(start + i) * depth..].iter().zip(lengths) {
                        let on_axis = resolve(*index, *length);
                        inside &= on_axis < *length;
                        *offset = offset.wrapping_mul(*length).wrapping_add(on_axis);
                    }
                }
            }
        }
        inside.then_some(())
    }
}

/// The offset that an index addresses in an axis of this length, counting from the end
/// if negative; `length` or more if it is out of range.
#[inline(always)]
fn resolve(index: i64, length: usize) -> usize {
    // The shift gives all ones for negative indices, and 0 for others.
    index.wrapping_add(length as i64 & (index >> 63)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_counts_from_either_end() {
        assert_eq!((resolve(2, 3), resolve(-3, 3)), (2, 0));
        for (index, length) in [(3, 3), (-4, 3), (i64::MIN, 3), (i64::MAX, 3), (0, 0), (-1, 0)] {
            assert!(resolve(index, length) >= length);
        }
    }

    #[test]
    fn indices_are_read_from_any_start() {
        let mut offsets = [0; 2];
        assert!(Offsets::Known(&[4, 5, 6]).read(1, &mut offsets).is_some());
        assert_eq!(offsets, [5, 6]);
        let indices = [0, -1, 1, 2];
        assert!(Offsets::Axis { indices: &indices, length: 3 }.read(1, &mut offsets).is_some());
        assert_eq!(offsets, [2, 1]);
        assert!(Offsets::Axis { indices: &indices, length: 2 }.read(2, &mut offsets).is_none());
        assert!(Offsets::Along { indices: &indices, length: 3, width: 2 }.read(1, &mut offsets).is_some());
        assert_eq!(offsets, [2 * 2 + 1, 2]);
        assert!(Offsets::Groups { indices: &indices, lengths: &[2, 3] }.read(0, &mut offsets).is_some());
        assert_eq!(offsets, [2, 5]);
        assert!(Offsets::Groups { indices: &indices, lengths: &[3, 2] }.read(0, &mut offsets).is_none());
        assert!(Offsets::Groups { indices: &[], lengths: &[] }.read(0, &mut offsets).is_some());
        assert_eq!(offsets, [0, 0]);
    }
}
