//! The vector instructions that loops are compiled for.

#[cfg(target_arch = "x86_64")]
use crate::raw::simd::{Avx2, Avx512};

/// The vector instructions that a processor has: for each level there is a version of every
/// loop. Further levels would cost more to build than they gain.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// What every processor of the architecture has.
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Level {
    /// The best level of this machine.
    pub(crate) fn new() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(simd) = Avx512::detect() {
                return Level::Avx512(simd);
            }
            if let Some(simd) = Avx2::detect() {
                return Level::Avx2(simd);
            }
        }
        Level::Baseline
    }

    /// Every level of this machine, the weakest first.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Level> {
        #[cfg(target_arch = "x86_64")]
        let wide = [Avx2::detect().map(Level::Avx2), Avx512::detect().map(Level::Avx512)];
        #[cfg(not(target_arch = "x86_64"))]
        let wide = [None];
        [Some(Level::Baseline)].into_iter().chain(wide).flatten().collect()
    }
}

/// Runs a loop with the vector instructions of a level.
macro_rules! at_level {
    ($level:expr, $loop:expr) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            $crate::level::Level::Avx512(simd) => simd.run(
                #[inline(always)]
                || $loop,
            ),
            #[cfg(target_arch = "x86_64")]
            $crate::level::Level::Avx2(simd) => simd.run(
                #[inline(always)]
                || $loop,
            ),
            $crate::level::Level::Baseline => $loop,
        }
    };
}
pub(crate) use at_level;
