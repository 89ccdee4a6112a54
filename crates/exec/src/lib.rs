//! Part of [tamis](https://docs.rs/tamis): how an expression is evaluated. Depend on `tamis` instead.
//!
//! A plan simplifies its expressions, divides them into regions that run in one pass by the tile
//! machine and ops that run by a kernel of their own, and runs these on the threads that it may
//! use. Beside it stands the reference executor, which evaluates op by op with array kernels on
//! ndarray: plain, obvious and correct, the oracle of what an op means.
//!
//! This crate does not depend on gradients, and builds no expressions but simpler ones.

mod by_dtype;
mod chunks;
mod diagnosis;
mod elements;
mod error;
mod eval;
mod evaluation;
mod explain;
mod fast;
mod feed;
mod fuse;
mod interface;
mod kernel;
mod level;
mod lists;
mod machine;
mod math;
mod memory;
mod names;
mod neumaier;
mod outputs;
mod plan;
mod pool;
mod program;
mod raw;
mod region;
mod row_major;
mod run;
mod schedule;
mod simplify;
mod sizes;
mod stack;
mod tensor;
mod threads;

pub use error::{DimensionSource, Error, ErrorKind, Length, Report};
pub use eval::Eval;
pub use feed::Feed;
pub use interface::{Key, Slot, TensorSpec};
pub use outputs::Outputs;
pub use plan::Plan;
pub use run::{ReusableRun, Run};
