//! The elements of an array in row-major order, in any layout. Does not depend on ops.

use ndarray::ArrayViewD;

use crate::raw::Strided;

/// The elements of a tensor in row-major order, any run of which can be read. What is
/// more than a look at a slice is compiled once for each dtype, not into every kernel.
pub(crate) enum Rows<'t, T> {
    Contiguous(&'t [T]),
    Strided(Strided<'t, T>),
}

impl<'t, T: Copy> Rows<'t, T> {
    #[inline(never)]
    pub(crate) fn new(x: &ArrayViewD<'t, T>) -> Rows<'t, T> {
        match x.to_slice() {
            Some(elements) => Rows::Contiguous(elements),
            None => Rows::Strided(Strided::merged(x)),
        }
    }

    /// Reads the elements from `start` on, which must be there.
    pub(crate) fn read(&self, start: usize, elements: &mut [T]) {
        match self {
            Rows::Contiguous(source) => elements.copy_from_slice(&source[start..start + elements.len()]),
            Rows::Strided(source) => source.read_from(start, elements),
        }
    }

    /// `len` elements from `start` on, which must be there: where they lie, or
    /// in `spare`, which has as many.
    pub(crate) fn run<'s>(&self, start: usize, len: usize, spare: &'s mut [T]) -> &'s [T]
    where
        't: 's,
    {
        match self {
            Rows::Contiguous(source) => &source[start..start + len],
            Rows::Strided(source) => {
                source.read_from(start, &mut spare[..len]);
                &spare[..len]
            }
        }
    }

    /// The element at `offset` in row-major order, which must be there.
    pub(crate) fn get(&self, offset: usize) -> T {
        match self {
            Rows::Contiguous(source) => source[offset],
            Rows::Strided(source) => source.get(offset),
        }
    }

    /// Calls `task` with the elements from `start` on, `len` in all, some at a time.
    pub(crate) fn each_run(&self, start: usize, len: usize, spare: &mut [T], task: &mut dyn FnMut(&[T])) {
        let end = start + len;
        let mut start = start;
        while start < end {
            let len = spare.len().min(end - start);
            task(self.run(start, len, spare));
            start += len;
        }
    }
}
