//! The places that indices name, run by run. Knows no op.

/// How many places are worked out at a time.
pub(super) const RUN: usize = 256;

/// Places in a block of a tensor.
pub(super) enum Places<'p> {
    /// Known ones of rows.
    Known(&'p [usize]),
    /// Of the rows that indices into an axis of this length name.
    Axis { indices: &'p [i64], length: usize },
    /// Of the elements that indices into an axis of this length name: they
    /// stand in rows of `width`, and each stays in its column.
    Along { indices: &'p [i64], length: usize, width: usize },
    /// Of what groups of indices into axes of these lengths name, the axes merged.
    Groups { indices: &'p [i64], lengths: &'p [usize] },
}

impl Places<'_> {
    /// Works out the places from the one at `start` on. `None` if an index
    /// names no place.
    #[inline(always)]
    pub(super) fn read(&self, start: usize, places: &mut [usize]) -> Option<()> {
        let mut inside = true;
        match *self {
            Places::Known(known) => places.copy_from_slice(&known[start..start + places.len()]),
            Places::Axis { indices, length } => {
                for (place, index) in places.iter_mut().zip(&indices[start..]) {
                    *place = resolve(*index, length);
                    inside &= *place < length;
                }
            }
            Places::Along { indices, length, width } => {
                let mut column = start % width;
                for (place, index) in places.iter_mut().zip(&indices[start..]) {
                    let row = resolve(*index, length);
                    inside &= row < length;
                    *place = row.wrapping_mul(width).wrapping_add(column);
                    column = if column + 1 == width { 0 } else { column + 1 };
                }
            }
            Places::Groups { indices, lengths } => {
                let depth = lengths.len();
                for (i, place) in places.iter_mut().enumerate() {
                    *place = 0;
                    for (index, length) in indices[(start + i) * depth..].iter().zip(lengths) {
                        let on_axis = resolve(*index, *length);
                        inside &= on_axis < *length;
                        *place = place.wrapping_mul(*length).wrapping_add(on_axis);
                    }
                }
            }
        }
        inside.then_some(())
    }
}

/// The place that an index names in an axis of this length, counting from the
/// end if negative; `length` or more if it names none.
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
    fn places_are_read_from_any_start() {
        let mut places = [0; 2];
        assert!(Places::Known(&[4, 5, 6]).read(1, &mut places).is_some());
        assert_eq!(places, [5, 6]);
        let indices = [0, -1, 1, 2];
        assert!(Places::Axis { indices: &indices, length: 3 }.read(1, &mut places).is_some());
        assert_eq!(places, [2, 1]);
        assert!(Places::Axis { indices: &indices, length: 2 }.read(2, &mut places).is_none());
        assert!(Places::Along { indices: &indices, length: 3, width: 2 }.read(1, &mut places).is_some());
        assert_eq!(places, [2 * 2 + 1, 2]);
        assert!(Places::Groups { indices: &indices, lengths: &[2, 3] }.read(0, &mut places).is_some());
        assert_eq!(places, [2, 5]);
        assert!(Places::Groups { indices: &indices, lengths: &[3, 2] }.read(0, &mut places).is_none());
        assert!(Places::Groups { indices: &[], lengths: &[] }.read(0, &mut places).is_some());
        assert_eq!(places, [0, 0]);
    }
}
