//! Part of [tamis](https://docs.rs/tamis): how an expression is evaluated. Depend on `tamis` instead.
//!
//! The reference executor: a plan lists the nodes that its outputs need, a run
//! evaluates them one by one with whole-array kernels on ndarray. Plain, obvious
//! and correct: it is the oracle of what an op means.
//!
//! This crate knows nothing of gradients, and builds no expressions.

mod error;
mod eval;
mod evaluation;
mod feed;
mod interface;
mod kernel;
#[cfg_attr(not(test), expect(dead_code, reason = "no kernel calls these functions yet"))]
mod math;
mod memory;
mod outputs;
mod plan;
mod raw;
mod run;
mod sizes;
mod tensor;
mod threads;

pub use error::{Error, ErrorKind, Length, Report, Sighting};
pub use eval::Eval;
pub use feed::Feed;
pub use interface::{Key, Slot};
pub use outputs::Outputs;
pub use plan::Plan;
pub use run::Run;
