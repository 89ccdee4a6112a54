//! Random inputs, the same in every run: the generator is SplitMix64.

use ndarray::{Array, Array1, Dimension, Shape, ShapeBuilder};

/// A stream of random numbers, identified by its seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in `0.0..1.0`.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Uniform in `-1.0..1.0`.
    pub(crate) fn signed<D: Dimension>(&mut self, shape: impl ShapeBuilder<Dim = D>) -> Array<f32, D> {
        self.array(shape, |random| random.unit().mul_add(2.0, -1.0))
    }

    /// True with probability `density`.
    pub(crate) fn mask<D: Dimension>(
        &mut self,
        shape: impl ShapeBuilder<Dim = D>,
        density: f32,
    ) -> Array<bool, D> {
        self.array(shape, |random| random.unit() < density)
    }

    /// Integers in `0..end`.
    pub(crate) fn indices(&mut self, count: usize, end: usize) -> Array1<i64> {
        self.array(count, |random| (random.next() % end as u64) as i64)
    }

    fn array<T, D: Dimension>(
        &mut self,
        shape: impl ShapeBuilder<Dim = D>,
        mut element: impl FnMut(&mut Random) -> T,
    ) -> Array<T, D> {
        let shape: Shape<D> = shape.into_shape_with_order();
        let elements = (0..shape.size()).map(|_| element(self)).collect();
        Array::from_shape_vec(shape, elements).expect("one element for each position")
    }
}

/// The threshold above which the share `density` of numbers uniform in `-1.0..1.0` lies.
pub(crate) fn threshold(density: f32) -> f32 {
    1.0 - 2.0 * density
}

/// The number of bytes of so many f32.
pub(crate) fn floats(count: usize) -> usize {
    4 * count
}

/// The fraction of `full` that `size` is of the largest size, 16 million, and at least
/// 1.
pub(crate) fn share(full: usize, size: usize) -> usize {
    (full * size.min(LARGEST) / LARGEST).max(1)
}

/// The side of a picture: `full`, except where even one such picture would be too large.
pub(crate) fn side(full: usize, size: usize) -> usize {
    if size < 100_000 { 16 } else { full }
}

/// The size at which workloads have the shapes that they are named after.
const LARGEST: usize = 16_000_000;
