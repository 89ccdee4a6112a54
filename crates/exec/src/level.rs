//! The vector instructions that loops are compiled for.

/// Runs a loop with the vector instructions of a level. Three versions are
/// compiled: for what every processor of the architecture has, for AVX2 and
/// for AVX-512; further ones would cost more to build than they gain.
macro_rules! at_level {
    ($level:expr, $loop:expr) => {
        match $level {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            fearless_simd::Level::Avx512(simd) => fearless_simd::Simd::vectorize(
                simd,
                #[inline(always)]
                || $loop,
            ),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            fearless_simd::Level::Avx2(simd) => fearless_simd::Simd::vectorize(
                simd,
                #[inline(always)]
                || $loop,
            ),
            _ => $loop,
        }
    };
}
pub(crate) use at_level;
