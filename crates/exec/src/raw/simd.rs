//! Vector instructions that not every processor has: tokens which prove that this one does, and
//! what cannot be written as a plain loop.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
use super::{Moved, Word, bytes};

/// How many elements are compressed at a time.
pub(crate) const BLOCK: usize = 64;

/// A token for some processor features. `$token::run` compiles a loop for them.
#[cfg(target_arch = "x86_64")]
macro_rules! token {
    ($(#[$doc:meta])* $token:ident: $features:literal = $($feature:tt)&&+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $token(());

        impl $token {
            /// The token, if this processor has the features.
            pub(crate) fn detect() -> Option<$token> {
                ($(is_x86_feature_detected!($feature))&&+).then_some($token(()))
            }

            /// Runs `body` with the features. What it calls must be inlined into it to gain from
            /// them.
            #[inline(always)]
            pub(crate) fn run<R>(self, body: impl FnOnce() -> R) -> R {
                #[target_feature(enable = $features)]
                fn with_features<R>(body: impl FnOnce() -> R) -> R {
                    body()
                }
                // SAFETY: there is a token only where `detect` has found the features.
                unsafe { with_features(body) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
token! {
    /// AVX2 and what came with it: Intel Haswell (2013), AMD Zen (2017).
    Avx2: "avx2,fma,bmi1,bmi2,lzcnt,popcnt"
        = "avx2" && "fma" && "bmi1" && "bmi2" && "lzcnt" && "popcnt"
}

#[cfg(target_arch = "x86_64")]
token! {
    /// The part of AVX-512 that all servers with it have: Intel Skylake-SP (2017), AMD Zen 4 (2022).
    Avx512: "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,bmi1,bmi2,lzcnt,popcnt"
        = "avx512f" && "avx512bw" && "avx512dq" && "avx512vl" && "avx512cd"
            && "avx2" && "fma" && "bmi1" && "bmi2" && "lzcnt" && "popcnt"
}

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// Writes the elements at which the mask is true to the start of `target`, and gives their
    /// number. What lies behind them is unspecified.
    #[inline(always)]
    pub(crate) fn compress<T: Moved>(
        self,
        elements: &[T; BLOCK],
        mask: &[bool; BLOCK],
        target: &mut [T; BLOCK],
    ) -> usize {
        #[target_feature(enable = "avx2,popcnt")]
        #[inline]
        fn compress<T: Moved>(elements: &[T; BLOCK], mask: &[bool; BLOCK], target: &mut [T; BLOCK]) -> usize {
            let mut bits = 0;
            for (half, mask) in bytes(mask).as_chunks::<32>().0.iter().enumerate() {
                // SAFETY: there are 32 bytes to be read.
                let mask = unsafe { _mm256_loadu_si256(mask.as_ptr().cast()) };
                // A bool is 0 or 1: shifted, its bit is the sign of the byte.
                let half_bits = _mm256_movemask_epi8(_mm256_slli_epi16::<7>(mask)) as u32;
                bits |= u64::from(half_bits) << (32 * half);
            }
            // SAFETY: the pointers are those of `BLOCK` elements.
            unsafe { compress_by_table(elements.as_ptr(), bits, target.as_mut_ptr()) }
        }
        // SAFETY: there is a token only where `detect` has found the features.
        unsafe { compress(elements, mask, target) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Avx512 {
    /// The same with the instructions that compress.
    #[inline(always)]
    pub(crate) fn compress<T: Moved>(
        self,
        elements: &[T; BLOCK],
        mask: &[bool; BLOCK],
        target: &mut [T; BLOCK],
    ) -> usize {
        #[target_feature(enable = "avx512f,avx512bw,avx2,popcnt")]
        #[inline]
        fn compress<T: Moved>(elements: &[T; BLOCK], mask: &[bool; BLOCK], target: &mut [T; BLOCK]) -> usize {
            // SAFETY: there are 64 bytes to be read.
            let mask = unsafe { _mm512_loadu_si512(mask.as_ptr().cast()) };
            let mut bits = _mm512_test_epi8_mask(mask, mask);
            let (from, to) = (elements.as_ptr(), target.as_mut_ptr());
            let mut count = 0;
            match T::WORD {
                // SAFETY: the pointers are those of `BLOCK` elements.
                Word::Bool | Word::Byte => unsafe { count = compress_by_table(from, bits, to) },
                Word::Half => {
                    for start in (0..BLOCK).step_by(16) {
                        // SAFETY: 16 elements from `start` on are read; as many are written from
                        // `count` on, which is at most `start`.
                        unsafe {
                            let vector = _mm512_loadu_si512(from.add(start).cast());
                            let vector = _mm512_maskz_compress_epi32(bits as u16, vector);
                            _mm512_storeu_si512(to.add(count).cast(), vector);
                        }
                        count += (bits as u16).count_ones() as usize;
                        bits >>= 16;
                    }
                }
                Word::Whole => {
                    for start in (0..BLOCK).step_by(8) {
                        // SAFETY: as above, with 8 elements.
                        unsafe {
                            let vector = _mm512_loadu_si512(from.add(start).cast());
                            let vector = _mm512_maskz_compress_epi64(bits as u8, vector);
                            _mm512_storeu_si512(to.add(count).cast(), vector);
                        }
                        count += (bits as u8).count_ones() as usize;
                        bits >>= 8;
                    }
                }
            }
            count
        }
        // SAFETY: there is a token only where `detect` has found the features.
        unsafe { compress(elements, mask, target) }
    }
}

/// For each byte, the indices of its bits that are 1, the lowest first; then zeros.
#[cfg(target_arch = "x86_64")]
static BITS_OF_BYTE: [[u8; 8]; 256] = {
    let mut indices = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                indices[byte][count] = bit as u8;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    indices
};

/// Compresses by a shuffle whose indices are looked up (D. Lemire and others shuffle so when
/// they decode integers): eight elements at a time, or four of 8 bytes.
///
/// # Safety
/// `BLOCK` elements can be read and written, and the processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
#[inline]
// SAFETY: what the caller must see to stands above.
unsafe fn compress_by_table<T: Moved>(from: *const T, mut bits: u64, to: *mut T) -> usize {
    let mut count = 0;
    match T::WORD {
        Word::Bool | Word::Byte => {
            for start in (0..BLOCK).step_by(8) {
                let few = (bits & 0xff) as usize;
                // SAFETY: 8 elements from `start` on are read; as many are written from `count` on,
                // which is at most `start`.
                unsafe {
                    let indices = _mm_loadl_epi64(BITS_OF_BYTE[few].as_ptr().cast());
                    let vector = _mm_loadl_epi64(from.add(start).cast());
                    _mm_storel_epi64(to.add(count).cast(), _mm_shuffle_epi8(vector, indices));
                }
                count += few.count_ones() as usize;
                bits >>= 8;
            }
        }
        Word::Half => {
            for start in (0..BLOCK).step_by(8) {
                let few = (bits & 0xff) as usize;
                // SAFETY: as above.
                unsafe {
                    let indices = _mm_loadl_epi64(BITS_OF_BYTE[few].as_ptr().cast());
                    let vector = _mm256_loadu_si256(from.add(start).cast());
                    let vector = _mm256_permutevar8x32_epi32(vector, _mm256_cvtepu8_epi32(indices));
                    _mm256_storeu_si256(to.add(count).cast(), vector);
                }
                count += few.count_ones() as usize;
                bits >>= 8;
            }
        }
        Word::Whole => {
            for start in (0..BLOCK).step_by(4) {
                let few = (bits & 0xf) as usize;
                // SAFETY: as above, with 4 elements. Element `i` is the words `2i` and `2i + 1`.
                unsafe {
                    let indices = _mm_loadl_epi64(BITS_OF_BYTE[few].as_ptr().cast());
                    let low = _mm256_slli_epi64::<1>(_mm256_cvtepu8_epi64(indices));
                    let high = _mm256_add_epi64(low, _mm256_set1_epi64x(1));
                    let indices = _mm256_or_si256(low, _mm256_slli_epi64::<32>(high));
                    let vector = _mm256_loadu_si256(from.add(start).cast());
                    let vector = _mm256_permutevar8x32_epi32(vector, indices);
                    _mm256_storeu_si256(to.add(count).cast(), vector);
                }
                count += few.count_ones() as usize;
                bits >>= 4;
            }
        }
    }
    count
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    /// Every byte as a mask, at the start and at the end of a block, all and none, at both levels.
    fn check<T: Moved + PartialEq + std::fmt::Debug>(elements: [T; BLOCK]) {
        let masks =
            (0..=255_u64).flat_map(|byte| [byte, byte << 56, byte << 30, byte * 0x0101_0101_0101_0101]);
        for bits in masks.chain([u64::MAX, 0, u64::MAX >> 1]) {
            let mask: [bool; BLOCK] = std::array::from_fn(|i| bits >> i & 1 == 1);
            let selected = elements.iter().zip(mask).filter(|(_, selected)| *selected);
            let expected: Vec<T> = selected.map(|(element, _)| *element).collect();
            let found = |compress: &dyn Fn(&mut [T; BLOCK]) -> usize| {
                // What lies behind the target must not be written.
                let mut memory = [T::ZERO; BLOCK + 1];
                memory[BLOCK] = elements[7];
                let count = compress(memory.first_chunk_mut().unwrap());
                assert_eq!(memory[BLOCK], elements[7]);
                memory[..count].to_vec()
            };
            if let Some(simd) = Avx2::detect() {
                assert_eq!(found(&|target| simd.compress(&elements, &mask, target)), expected);
            }
            if let Some(simd) = Avx512::detect() {
                assert_eq!(found(&|target| simd.compress(&elements, &mask, target)), expected);
            }
        }
    }

    #[test]
    fn selected_elements_are_moved_together() {
        check(std::array::from_fn(|i| i as u8 + 1));
        check(std::array::from_fn(|i| i % 3 == 1));
        check(std::array::from_fn(|i| i as i32 - 40));
        check(std::array::from_fn(|i| i as f32 + 0.5));
        check(std::array::from_fn(|i| (i as i64 - 40) << 33 | 5));
        check(std::array::from_fn(|i| i as f64 / 3.0 - 5.0));
    }

    #[test]
    fn a_loop_runs_with_the_features_that_were_found() {
        let sum = || (1..=100_i32).sum::<i32>();
        assert_eq!(Avx2::detect().map_or(5050, |simd| simd.run(sum)), 5050);
        assert_eq!(Avx512::detect().map_or(5050, |simd| simd.run(sum)), 5050);
    }
}
