//! Fused plans against the reference executor: programs made of random steps,
//! on inputs in every layout, with NaN, infinities and zeros of both signs in
//! them. A run has the same bits on any number of threads; where the order of
//! additions differs, the reference is met within a
//! stated distance, and everywhere else bit for bit.
//!
//! `TAMIS_SOAK=seconds,seed` lets `programs::soak` write programs for that long, from
//! that seed on, instead of a few: in release,
//!
//! ```text
//! TAMIS_SOAK=600,1 cargo test --release --test fused soak -- --nocapture
//! ```
//!
//! It prints how many programs ran and what differs. A program that fails is printed with
//! its seed, its size and its steps: `TAMIS_SOAK=0,seed` runs that one alone.

mod bits;
mod check;
mod coverage;
mod failures;
mod feed;
#[path = "../functions/mod.rs"]
mod functions;
mod programs;
#[path = "../suite/random.rs"]
mod random;
#[path = "../sources/mod.rs"]
mod sources;
mod threads;
mod writer;
