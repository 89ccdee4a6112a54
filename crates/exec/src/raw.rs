//! The only unsafe code: what the borrow checker cannot see. Everything that
//! leaves this module is safe to call.
#![allow(unsafe_code)]

pub(crate) mod simd;

use std::alloc::{Layout, alloc_zeroed};
use std::marker::PhantomData;

use ndarray::{ArrayView2, ArrayViewD, ArrayViewMut2};
use smallvec::SmallVec;

use crate::row_major::{advance_with, position_of};

/// The elements of an array in any layout, which threads may share.
pub(crate) struct Strided<'a, T> {
    /// The first element.
    start: *const T,
    shape: SmallVec<[usize; 4]>,
    strides: SmallVec<[isize; 4]>,
    lifetime: PhantomData<&'a [T]>,
}

// SAFETY: it only reads, as a slice would.
unsafe impl<T: Sync> Send for Strided<'_, T> {}
// SAFETY: it only reads, as a slice would.
unsafe impl<T: Sync> Sync for Strided<'_, T> {}

impl<'a, T: Copy> Strided<'a, T> {
    pub(crate) fn new(view: &ArrayViewD<'a, T>) -> Strided<'a, T> {
        Strided {
            start: view.as_ptr(),
            shape: view.shape().into(),
            strides: view.strides().into(),
            lifetime: PhantomData,
        }
    }

    /// The same elements with as few axes as they need. Positions are no longer those of the view.
    pub(crate) fn merged(view: &ArrayViewD<'a, T>) -> Strided<'a, T> {
        let (shape, strides) = merge_axes(view.shape(), view.strides());
        Strided { start: view.as_ptr(), shape, strides, lifetime: PhantomData }
    }

    /// Reads elements along the last axis into `row`, from `position` on.
    ///
    /// # Panics
    /// When they do not all lie in the array.
    #[inline]
    pub(crate) fn read(&self, position: &[usize], row: &mut [T]) {
        assert_eq!(position.len(), self.shape.len(), "a position has an index for every axis");
        let Some(last) = self.shape.len().checked_sub(1) else {
            // SAFETY: an array of rank 0 has one element.
            return row.fill(unsafe { *self.start });
        };
        let inside = position[..last].iter().zip(&self.shape).all(|(index, length)| index < length);
        assert!(
            inside && row.len() <= self.shape[last].saturating_sub(position[last]),
            "rows lie in the array"
        );
        let offset: isize =
            position.iter().zip(&self.strides).map(|(index, stride)| *index as isize * stride).sum();
        // SAFETY: each index is less than the length of its axis, those on the last
        // axis up to the end of the row.
        unsafe { self.read_row(offset, row) };
    }

    /// Reads elements in row-major order, from the one at `start` in it on.
    ///
    /// # Panics
    /// When they do not all lie in the array.
    #[inline(never)]
    pub(crate) fn read_from(&self, start: usize, mut elements: &mut [T]) {
        let all: usize = self.shape.iter().product();
        assert!(start <= all && elements.len() <= all - start, "elements lie in the array");
        let Some(last) = self.shape.len().checked_sub(1).filter(|_| !elements.is_empty()) else {
            // SAFETY: an array of rank 0 has one element.
            return elements.iter_mut().for_each(|element| *element = unsafe { *self.start });
        };
        let mut position = position_of(&self.shape, start);
        let offset = |(index, stride): (&usize, &isize)| *index as isize * stride;
        let mut offset: isize = position.iter().zip(&self.strides).map(offset).sum();
        while !elements.is_empty() {
            let len = elements.len().min(self.shape[last] - position[last]);
            let (row, rest) = elements.split_at_mut(len);
            // SAFETY: the offset is that of the position, which lies in the array and has so
            // many elements from there on along the last axis: `position_of` and
            // `advance_with` give each index below the length of its axis.
            unsafe { self.read_row(offset, row) };
            elements = rest;
            offset -= position[last] as isize * self.strides[last];
            position[last] = 0;
            let outer = &self.shape[..last];
            advance_with(&mut position[..last], outer, |axis, by| offset += by * self.strides[axis]);
        }
    }

    /// The elements from the one at `start` in row-major order on, where the array has so many one
    /// after the other along its last axis.
    pub(crate) fn run(&self, start: usize, len: usize) -> Option<&'a [T]> {
        let last = self.shape.len().checked_sub(1).filter(|last| self.strides[*last] == 1)?;
        let all: usize = self.shape.iter().product();
        if start >= all {
            return None;
        }
        let mut outer = start / self.shape[last];
        let within = start % self.shape[last];
        if len > self.shape[last] - within {
            return None;
        }
        let mut offset = within as isize;
        for (length, stride) in self.shape[..last].iter().zip(&self.strides).rev() {
            offset += (outer % length) as isize * stride;
            outer /= length;
        }
        // SAFETY: each index is less than the length of its axis, on the last axis up to the end of
        // the run, whose elements lie side by side. The array is borrowed for 'a.
        Some(unsafe { std::slice::from_raw_parts(self.start.offset(offset), len) })
    }

    /// The element at `index` in row-major order.
    ///
    /// # Panics
    /// When it does not lie in the array.
    #[inline(never)]
    pub(crate) fn get(&self, mut index: usize) -> T {
        let mut offset = 0;
        for (length, stride) in self.shape.iter().zip(&self.strides).rev() {
            offset += (index % length) as isize * stride;
            index /= length;
        }
        assert!(index == 0 && !self.shape.contains(&0), "elements lie in the array");
        // SAFETY: each index is less than the length of its axis.
        unsafe { *self.start.offset(offset) }
    }

    /// Reads elements along the last axis, from the one at `offset` on.
    ///
    /// # Safety
    /// They are elements of the array, which has a last axis.
    #[inline(always)]
    // SAFETY: what the caller must see to stands above.
    unsafe fn read_row(&self, offset: isize, row: &mut [T]) {
        if row.is_empty() {
            return;
        }
        let step = self.strides[self.strides.len() - 1];
        // SAFETY: all are elements of a view that is borrowed for 'a.
        unsafe {
            let from = self.start.offset(offset);
            match step {
                0 => row.fill(*from),
                1 => row.copy_from_slice(std::slice::from_raw_parts(from, row.len())),
                _ => {
                    for (i, element) in row.iter_mut().enumerate() {
                        *element = *from.offset(i as isize * step);
                    }
                }
            }
        }
    }
}

/// Lengths and strides of an array without axes of length 1, and with one axis
/// instead of two that are one after the other in memory.
fn merge_axes(shape: &[usize], strides: &[isize]) -> (SmallVec<[usize; 4]>, SmallVec<[isize; 4]>) {
    if shape.contains(&0) {
        return (shape.into(), strides.into());
    }
    let (mut lengths, mut steps) = (SmallVec::new(), SmallVec::new());
    for (length, stride) in shape.iter().zip(strides).filter(|(length, _)| **length != 1) {
        match (lengths.last_mut(), steps.last_mut()) {
            (Some(last), Some(step)) if *step == *length as isize * stride => {
                (*last, *step) = (*last * length, *stride);
            }
            (_, _) => {
                lengths.push(*length);
                steps.push(*stride);
            }
        }
    }
    (lengths, steps)
}

/// One element of each of as many rows of `length` elements as the target has: at each the one of
/// this index.
#[inline(always)]
pub(crate) fn column<T: Copy, const ROWS: usize>(
    rows: &[T],
    length: usize,
    index: usize,
    target: &mut [T; ROWS],
) {
    assert!(index < length && length <= rows.len() / ROWS, "every row has an element of this index");
    for (row, target) in target.iter_mut().enumerate() {
        // SAFETY: `row * length + index < ROWS * length <= rows.len()`. Checked for each element, the
        // loop would not become one that gathers.
        *target = unsafe { *rows.get_unchecked(row * length + index) };
    }
}

/// Prefetches elements that are about to be read.
#[inline(always)]
pub(crate) fn prefetch<T>(elements: &[T]) {
    for line in (0..size_of_val(elements)).step_by(64) {
        prefetch_read(elements.as_ptr().cast::<u8>().wrapping_add(line));
    }
}

/// Prefetches the cache line at an address, to be read.
#[inline(always)]
pub(crate) fn prefetch_read(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, and any address will do.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Prefetches the cache line at an address, to be written: other cores give it up.
#[inline(always)]
pub(crate) fn prefetch_write(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // By its name, since the compiler takes the one for reading unless it knows that the
    // processor has this one; where it has not, it does nothing.
    // SAFETY: a prefetch writes nothing, and any address will do.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Bools as bytes: 0 for false, 1 for true.
pub(crate) fn bytes(bools: &[bool]) -> &[u8] {
    // SAFETY: a bool is a byte of value 0 or 1, which can be read as any byte.
    unsafe { std::slice::from_raw_parts(bools.as_ptr().cast(), bools.len()) }
}

/// Element types of which all bits zero are a valid value. Only this module may say so.
pub(crate) trait Zero: Copy {
    const ZERO: Self;
}

macro_rules! zero {
    ($($ty:ty: $zero:expr),*) => {$(
        impl Zero for $ty {
            const ZERO: $ty = $zero;
        }
    )*};
}

zero!(bool: false, u8: 0, i32: 0, i64: 0, u64: 0, u128: 0, usize: 0, f32: 0.0, f64: 0.0);

/// Element types that are moved as words. Of two types with the same word, any bits of one
/// are a valid value of the other. Sealed by this module.
pub(crate) trait Moved: Zero + 'static {
    const WORD: Word;
}

/// What elements are moved as. Bools are not moved as bytes, since not every byte is a bool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Bool,
    Byte,
    Half,
    Whole,
}

macro_rules! moved {
    ($($ty:ty: $word:ident),*) => {$(
        impl Moved for $ty {
            const WORD: Word = Word::$word;
        }
    )*};
}

moved!(bool: Bool, u8: Byte, i32: Half, f32: Half, i64: Whole, f64: Whole);

/// The elements as others of the same word.
///
/// # Panics
/// When the words differ.
pub(crate) fn as_words<'a, T: Moved, W: Moved>(view: &ArrayViewD<'a, T>) -> ArrayViewD<'a, W> {
    assert_eq!(T::WORD, W::WORD, "elements of one word");
    // SAFETY: both have one size and alignment, and any bits of one are a value
    // of the other. The view is as long borrowed as before.
    unsafe { view.raw_view().cast::<W>().deref_into_view() }
}

/// The same for elements that are written.
///
/// # Panics
/// When the words differ.
pub(crate) fn as_words_mut<T: Moved, W: Moved>(elements: &mut [T]) -> &mut [W] {
    assert_eq!(T::WORD, W::WORD, "elements of one word");
    // SAFETY: both have one size and alignment, and any bits of one are a value of the other.
    unsafe { std::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), elements.len()) }
}

/// A matrix product of the library: rows, columns and inner length; the result
/// and its strides by column and row, and whether what it held is read; each
/// factor and its strides by column and row; what the result and the product are
/// scaled by; three flags that matter for complex numbers alone; how many threads.
// SAFETY: a type; why a call of it is sound is said at the call.
type Product<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    gemm_common::Parallelism,
);

/// Floats that matrices are multiplied in. Sealed by this module.
pub(crate) trait Real: Zero + Sync + Send + 'static {
    const ONE: Self;
    /// The product of the library for the instructions that the machine has.
    fn product() -> Product<Self>;
    /// The number itself, and +0.0 of −0.0.
    fn plus_zero(self) -> Self;
    /// `self * factor + sum` as the library computes it: rounded once if it is `FUSED`.
    fn multiply_add<const FUSED: bool>(self, factor: Self, sum: Self) -> Self;
}

macro_rules! real {
    ($($ty:ty: $product:path),*) => {$(
        impl Real for $ty {
            const ONE: $ty = 1.0;

            fn product() -> Product<$ty> {
                $product()
            }

            #[inline(always)]
            fn plus_zero(self) -> $ty {
                self + 0.0
            }

            #[inline(always)]
            fn multiply_add<const FUSED: bool>(self, factor: $ty, sum: $ty) -> $ty {
                if FUSED { self.mul_add(factor, sum) } else { self * factor + sum }
            }
        }
    )*};
}

real!(f32: gemm_f32::gemm::f32::get_gemm_fn, f64: gemm_f64::gemm::f64::get_gemm_fn);

/// Whether the library adds a product and rounds once, which depends on the machine.
pub(crate) fn is_fused() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let is_fused = std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let is_fused = cfg!(target_arch = "aarch64");
    is_fused
}

/// Up to how many terms of a sum the library adds one after another, whatever the other
/// lengths are.
pub(crate) const LIBRARY_TERMS: usize = 512;

/// Up to how many elements of a product the library has another method where the rows of `a` and
/// the columns of `b` lie together.
const LIBRARY_FEW: usize = 16 * 16;

/// Below how many columns a product is thin, and from how many terms on it takes longer to sum
/// than to write.
const THIN: usize = 64;
const DEEP: usize = 64;

/// Whether the library adds the terms of each element of the product of `a` and `b` one after
/// another. It has other methods for few terms, for vectors, and for few elements.
pub(crate) fn adds_in_order<T>(a: &ArrayView2<'_, T>, b: &ArrayView2<'_, T>) -> bool {
    let ((rows, inner), columns) = (a.dim(), b.ncols());
    let along = a.strides()[1].abs() == 1 && b.strides()[0].abs() == 1;
    rows > 1
        && columns > 1
        && (3..=LIBRARY_TERMS).contains(&inner)
        && !(along && rows.saturating_mul(columns) <= LIBRARY_FEW)
}

/// Writes the matrix product of `a` and `b`, or adds it to `product`, on the calling thread.
/// Each sum is that of its terms from the first to the last, each of them added by
/// [`Real::multiply_add`] as [`is_fused`] says; the sign of a zero is not specified.
///
/// # Panics
/// When the shapes do not fit, or the library would add in another order ([`adds_in_order`]).
pub(crate) fn multiply<'f, T: Real>(
    mut product: ArrayViewMut2<'_, T>,
    mut a: ArrayView2<'f, T>,
    mut b: ArrayView2<'f, T>,
    add: bool,
) {
    assert_eq!(b.nrows(), a.ncols(), "the factors share an axis");
    assert_eq!(product.dim(), (a.nrows(), b.ncols()), "the product has the outer axes of the factors");
    assert!(adds_in_order(&a, &b), "the library adds in order");
    // It computes with vectors of a column of the product, writes these best where they lie together,
    // and copies `a` unless its columns lie together.
    let is_thin = b.ncols() < a.nrows().min(THIN) && a.ncols() >= DEEP && a.strides()[0] == 1;
    if product.strides()[1].abs() < product.strides()[0].abs() && !is_thin {
        product.swap_axes(0, 1);
        (a, b) = (b.reversed_axes(), a.reversed_axes());
    }
    let (to, from_a, from_b) = (product.strides(), a.strides(), b.strides());
    let (to, from_a, from_b) = ([to[0], to[1]], [from_a[0], from_a[1]], [from_b[0], from_b[1]]);
    // SAFETY: the pointers, lengths and strides are those of three views, of
    // which the one that is written shares no element with another.
    unsafe {
        T::product()(
            a.nrows(),
            b.ncols(),
            a.ncols(),
            product.as_mut_ptr(),
            to[1],
            to[0],
            add,
            a.as_ptr(),
            from_a[1],
            from_a[0],
            b.as_ptr(),
            from_b[1],
            from_b[0],
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

/// From this size on, memory is asked for in huge pages: a large result spends
/// more time on page faults than on arithmetic.
const HUGE: usize = 4 << 20;

/// `len` zeros, whose pages are not touched before they are written; `None`
/// where there is no such memory.
pub(crate) fn zeroed<T: Zero>(len: usize) -> Option<Vec<T>> {
    let layout = Layout::array::<T>(len).ok()?;
    if layout.size() == 0 {
        return Some(Vec::new());
    }
    // SAFETY: the layout has a size.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return None;
    }
    if layout.size() >= HUGE {
        advise_huge_pages(start, layout.size());
    }
    // SAFETY: the memory was allocated by the global allocator with the layout
    // of `len` elements, and zero bits are a value of each.
    Some(unsafe { Vec::from_raw_parts(start.cast::<T>(), len, len) })
}

#[cfg(target_os = "linux")]
fn advise_huge_pages(start: *mut u8, size: usize) {
    const PAGE: usize = 4096;
    let padding = start.align_offset(PAGE);
    let size = size.saturating_sub(padding) / PAGE * PAGE;
    // SAFETY: the pages lie in memory that was just allocated. The advice
    // changes no content, and its refusal is no harm.
    unsafe { libc::madvise(start.wrapping_add(padding).cast(), size, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise_huge_pages(_start: *mut u8, _size: usize) {}

/// Asks the allocator to return what is free to the system. That of glibc keeps
/// arrays of up to 32 MiB once such were freed; others need no asking, or are not asked.
pub(crate) fn return_free_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it frees no memory that is in use, and may be called at any time from any
    // thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis, Slice, array};

    use super::*;

    #[test]
    fn rows_are_read_in_every_layout() {
        let array = Array2::from_shape_fn((3, 4), |(i, j)| 10 * i + j).into_dyn();
        let mut view = array.view();
        view.invert_axis(Axis(1));
        let mut row = [0; 3];
        Strided::new(&view).read(&[2, 1], &mut row);
        assert_eq!(row, [22, 21, 20]);
        let columns = array.view().reversed_axes();
        Strided::new(&columns).read(&[1, 0], &mut row);
        assert_eq!(row, [1, 11, 21]);
        let repeated = array![7].into_dyn();
        Strided::new(&repeated.broadcast(vec![5, 3]).unwrap()).read(&[4, 0], &mut row);
        assert_eq!(row, [7, 7, 7]);
        let stepped = array.slice_axis(Axis(1), Slice::from(..).step_by(2));
        Strided::new(&stepped).read(&[1, 0], &mut row[..2]);
        assert_eq!(row[..2], [10, 12]);
    }

    #[test]
    fn elements_are_read_from_anywhere() {
        let array = Array2::from_shape_fn((4, 5), |(i, j)| 10 * i + j).into_dyn();
        let mut view = array.slice_axis(Axis(1), Slice::from(..).step_by(-2)).reversed_axes();
        view.invert_axis(Axis(1));
        let expected: Vec<usize> = view.iter().copied().collect();
        for start in 0..=12 {
            for len in 0..=12 - start {
                let mut elements = vec![99; len];
                Strided::new(&view).read_from(start, &mut elements);
                assert_eq!(elements, expected[start..start + len]);
                assert!(len == 0 || Strided::new(&view).get(start) == expected[start]);
                Strided::merged(&view).read_from(start, &mut elements);
                assert_eq!(elements, expected[start..start + len]);
            }
        }
        let only = array![7].into_dyn().remove_axis(Axis(0));
        let mut elements = [0];
        Strided::new(&only.view()).read_from(0, &mut elements);
        Strided::new(&only.view()).read_from(1, &mut []);
        assert_eq!(elements, [7]);
        let empty = Array2::<i32>::zeros((2, 0)).into_dyn();
        Strided::new(&empty.view()).read_from(0, &mut []);
    }

    #[test]
    fn a_run_lies_within_one_row() {
        let array = Array2::from_shape_fn((3, 4), |(i, j)| 10 * i + j).into_dyn();
        let mut view = array.view();
        view.invert_axis(Axis(0));
        let rows = Strided::new(&view);
        assert_eq!(rows.run(4, 4), Some([10, 11, 12, 13].as_slice()));
        assert_eq!(rows.run(9, 2), Some([1, 2].as_slice()));
        assert_eq!(rows.run(2, 3), None);
        assert_eq!(Strided::new(&array.view().reversed_axes()).run(0, 2), None);
        let repeated = array.slice_axis(Axis(0), Slice::from(1..2));
        let repeated = repeated.broadcast(vec![5, 3, 4]).unwrap();
        assert_eq!(Strided::new(&repeated).run(4 * 7, 4), Some([10, 11, 12, 13].as_slice()));
    }

    #[test]
    fn a_run_does_not_leave_the_array() {
        let rows = array![[1, 2], [3, 4]].into_dyn();
        let rows = Strided::new(&rows.view());
        assert_eq!((rows.run(3, 1), rows.run(3, 2), rows.run(4, 0)), (Some([4].as_slice()), None, None));
    }

    #[test]
    #[should_panic(expected = "elements lie in the array")]
    fn what_lies_behind_the_array_is_not_read() {
        let array = array![[1, 2], [3, 4]].into_dyn();
        Strided::new(&array.view()).read_from(2, &mut [0; 3]);
    }

    #[test]
    fn axes_that_follow_one_another_merge() {
        let merge = |shape: &[usize], strides: &[isize]| {
            let (shape, strides) = merge_axes(shape, strides);
            (shape.to_vec(), strides.to_vec())
        };
        assert_eq!(merge(&[2, 1, 3, 4], &[12, 99, 4, 1]), (vec![24], vec![1]));
        assert_eq!(merge(&[2, 3, 4], &[1, 8, 2]), (vec![2, 12], vec![1, 2]));
        assert_eq!(merge(&[5, 3], &[0, 0]), (vec![15], vec![0]));
        assert_eq!(merge(&[3, 2], &[-2, -1]), (vec![6], vec![-1]));
        assert_eq!(merge(&[1, 1], &[7, 7]), (vec![], vec![]));
        assert_eq!(merge(&[0, 2], &[2, 1]), (vec![0, 2], vec![2, 1]));
    }

    #[test]
    #[should_panic(expected = "elements lie in the array")]
    fn an_element_behind_the_array_is_not_read() {
        let array = array![[1, 2], [3, 4]].into_dyn();
        Strided::new(&array.view()).get(4);
    }

    #[test]
    #[should_panic(expected = "rows lie in the array")]
    fn a_row_may_not_leave_the_array() {
        let array = array![[1, 2], [3, 4]].into_dyn();
        Strided::new(&array.view()).read(&[0, 1], &mut [0, 0]);
    }

    #[test]
    #[should_panic(expected = "rows lie in the array")]
    fn a_position_may_not_leave_the_array() {
        let array = array![[1, 2], [3, 4]].into_dyn();
        Strided::new(&array.view()).read(&[2, 0], &mut [0]);
    }

    #[test]
    fn bools_are_bytes() {
        assert_eq!(bytes(&[true, false, true]), [1, 0, 1]);
        assert_eq!(bytes(&[]), []);
    }

    #[test]
    fn words_are_the_bits_of_elements() {
        let array = array![[1.5_f32, -0.0], [f32::NAN, 2.0]].into_dyn();
        let mut view = array.view();
        view.invert_axis(Axis(0));
        let words = as_words::<f32, i32>(&view);
        assert!(words.iter().copied().eq(view.iter().map(|x| x.to_bits() as i32)));
        let mut elements = [0.0, 1.0];
        as_words_mut::<f64, i64>(&mut elements)[1] = 2.5_f64.to_bits() as i64;
        assert_eq!(elements, [0.0, 2.5]);
        as_words_mut::<bool, bool>(&mut [])[..].fill(true);
    }

    #[test]
    #[should_panic(expected = "elements of one word")]
    fn bytes_are_no_bools() {
        as_words_mut::<bool, u8>(&mut [true])[0] = 2;
    }

    #[test]
    fn zeroed_memory_is_an_ordinary_vector() {
        let mut small = zeroed::<i64>(3).unwrap();
        small.extend([1, 2]);
        assert_eq!(small, [0, 0, 0, 1, 2]);
        let mut large = zeroed::<f32>(HUGE / 4 + 1).unwrap();
        large[HUGE / 4] = 1.0;
        assert_eq!(large.iter().sum::<f32>(), 1.0);
        assert!(zeroed::<bool>(0).unwrap().is_empty());
        assert!(zeroed::<f64>(1 << 59).is_none());
        assert!(zeroed::<f64>(usize::MAX).is_none());
    }

    #[test]
    fn returning_free_memory_leaves_what_is_in_use() {
        let used = zeroed::<u8>(100_000).unwrap();
        drop(zeroed::<u8>(100_000));
        return_free_memory();
        assert!(used.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_column_has_one_element_of_each_row() {
        let rows: Vec<u8> = (0..12).collect();
        let mut column_of = [0; 4];
        column(&rows, 3, 2, &mut column_of);
        assert_eq!(column_of, [2, 5, 8, 11]);
        column(&rows, 2, 0, &mut column_of);
        assert_eq!(column_of, [0, 2, 4, 6]);
        column(&[7], 1, 0, &mut [0]);
    }

    #[test]
    #[should_panic(expected = "every row has an element")]
    fn a_column_of_rows_that_are_not_there_is_refused() {
        column(&[0; 11], 3, 0, &mut [0; 4]);
    }

    #[test]
    #[should_panic(expected = "every row has an element")]
    fn a_column_beside_the_rows_is_refused() {
        column(&[0; 12], 3, 3, &mut [0; 4]);
    }

    #[test]
    fn any_address_may_be_prefetched() {
        prefetch::<f32>(&[]);
        prefetch(&[1_u8; 1000]);
        let mut bytes = [1_u8; 100];
        prefetch_read(std::ptr::null());
        prefetch_write(std::ptr::null());
        prefetch_read(bytes.as_ptr().wrapping_add(1 << 40));
        prefetch_write(bytes.as_mut_ptr());
        assert_eq!(bytes, [1; 100]);
    }

    #[test]
    fn matrices_are_multiplied_in_every_layout() {
        let a = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let b = array![[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]];
        let mut product = Array2::from_elem((2, 2), f64::NAN);
        multiply(product.view_mut(), a.view(), b.view(), false);
        assert_eq!(product, array![[4.0, 7.0], [10.0, 16.0]]);
        multiply(product.view_mut().reversed_axes(), b.t(), a.t(), true);
        assert_eq!(product, array![[8.0, 14.0], [20.0, 32.0]]);
        let (mut upwards, repeated) = (a.view(), array![[1.0_f64]]);
        upwards.invert_axis(Axis(0));
        upwards.invert_axis(Axis(1));
        multiply(product.view_mut(), upwards, repeated.broadcast((3, 2)).unwrap(), false);
        assert_eq!(product, array![[15.0, 15.0], [6.0, 6.0]]);
    }

    /// Of thirds, so that another order or another rounding would show.
    #[test]
    fn the_library_adds_term_after_term() {
        fn check<T: Real + PartialEq + std::fmt::Debug, const FUSED: bool>(third: fn(usize) -> T) {
            for [rows, inner, columns] in
                [[2, 3, 2], [2, 512, 300], [300, 511, 2], [70, 40, 70], [17, 129, 16]]
            {
                let a = Array2::from_shape_fn((rows, inner), |(i, k)| third(7 * i + 5 * k));
                let b = Array2::from_shape_fn((inner, columns), |(k, j)| third(3 * k + 11 * j));
                let chain =
                    |i, j| (0..inner).fold(T::ZERO, |sum, k| a[[i, k]].multiply_add::<FUSED>(b[[k, j]], sum));
                let expected = Array2::from_shape_fn((rows, columns), |(i, j)| chain(i, j));
                let mut product = Array2::from_elem((rows, columns), third(1));
                multiply(product.view_mut(), a.view(), b.view(), false);
                assert_eq!(product, expected);
                let mut columns = Array2::from_elem((columns, rows), third(1)).reversed_axes();
                let (mut a, mut b) = (a.view(), b.t().as_standard_layout().into_owned());
                if adds_in_order(&a, &b.t()) {
                    multiply(columns.view_mut(), a, b.t(), false);
                    assert_eq!(columns, expected);
                }
                let mut backwards = a.as_standard_layout().into_owned();
                backwards.invert_axis(Axis(1));
                let mut backwards = backwards.as_standard_layout().into_owned();
                backwards.invert_axis(Axis(1));
                (a, b) = (backwards.view(), b.t().as_standard_layout().into_owned());
                multiply(product.view_mut(), a, b.view(), false);
                assert_eq!(product, expected);
            }
        }
        let third = |n: usize| (n % 97) as f64 / 3.0 - 16.0;
        if is_fused() {
            check::<f64, true>(third);
            check::<f32, true>(|n| (n % 97) as f32 / 3.0 - 16.0);
        } else {
            check::<f64, false>(third);
            check::<f32, false>(|n| (n % 97) as f32 / 3.0 - 16.0);
        }
    }

    #[test]
    #[should_panic(expected = "the factors share an axis")]
    fn factors_that_do_not_fit_are_refused() {
        let a = Array2::<f32>::zeros((2, 3));
        multiply(Array2::zeros((2, 3)).view_mut(), a.view(), a.view(), false);
    }

    #[test]
    #[should_panic(expected = "the product has the outer axes")]
    fn a_product_that_does_not_fit_is_refused() {
        let a = Array2::<f32>::zeros((3, 3));
        multiply(Array2::zeros((2, 3)).view_mut(), a.view(), a.view(), false);
    }

    #[test]
    #[should_panic(expected = "the library adds in order")]
    fn a_sum_that_the_library_would_divide_is_refused() {
        let (a, b) = (Array2::<f32>::zeros((2, 513)), Array2::zeros((513, 2)));
        multiply(Array2::zeros((2, 2)).view_mut(), a.view(), b.view(), false);
    }

    #[test]
    fn an_empty_row_reads_nothing() {
        let array = Array2::<i32>::zeros((2, 0)).into_dyn();
        Strided::new(&array.view()).read(&[1, 0], &mut []);
    }
}
