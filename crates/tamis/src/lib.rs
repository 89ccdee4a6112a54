//! tamis (French: a sieve) is a lazy tensor expression graph with automatic
//! differentiation, in which masks are first class.
//!
//! Build an expression, ask for its gradient, make a plan, run it:
//!
//! ```
//! use tamis::ndarray::array;
//! use tamis::prelude::*;
//!
//! let graph = Graph::new();
//! let x = graph.input::<f64>("x", dims!["n"]);
//! let kept = x.boolean_mask(x.gt(0.0)); // length `count(x > 0)`, known to be so at build time
//! let loss = kept.sqrt().sum(..);
//! let dx = grad(loss, x); // a graph like any other
//! let plan = Plan::new([("loss", loss), ("dx", dx)])?;
//! let out = plan.feed("x", &array![4.0, 0.0, -1.0]).run()?;
//! assert_eq!(out.scalar::<f64>("loss")?, 2.0);
//! assert_eq!(out.view::<f64>("dx")?, array![0.25, 0.0, 0.0].into_dyn()); // no NaN from elements not selected
//! # Ok::<(), tamis::Error>(())
//! ```
//!
//! # Where to go on
//! - [`Graph`] makes inputs and literals; [`Expr`] has every operation; masks
//!   start at [`Expr::boolean_mask`], [`where_`], [`Expr::masked_assign`] and [`Expr::masked`].
//! - [`grad`] and [`value_and_grad`] give gradients as expressions, which differentiate again;
//!   [`check_gradients`] proves them against differences, [`check_poison`] proves that elements
//!   that are not selected change no result.
//! - [`Plan`] evaluates, and [`Plan::explain`] says how; [`Eval`] is the short way for expressions without inputs.
//! - Errors are collected while building, each with the line that made it, and reported together by
//!   [`Plan::new`], [`Graph::check`] or a gradient check.

mod check;
mod poison;

pub use check::{Check, CheckReport, CheckRow, Coverage, Deviation, Kink, Verdict, check_gradients};
/// The arrays that go in and come out, in the version that tamis uses.
pub use ndarray;
pub use poison::{Leak, PoisonCheck, PoisonReport, PoisonRow, check_poison};
pub use tamis_autograd::{Targets, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp};
pub use tamis_exec::{
    DimensionSource, Error, ErrorKind, Eval, Feed, Key, Length, Outputs, Plan, Report, ReusableRun, Run,
    Slot, TensorSpec,
};
pub use tamis_graph::{
    At, Axes, Axis, Comparison, DType, Dim, DimError, Dims, Element, Ellipsis, Entries, Entry,
    Error as BuildError, ErrorKind as BuildErrorKind, Expr, Graph, IntoConstant, Labels, Masked, NewAxis,
    NodeId, Operand, OutOfRange, Scalar, ScanAxis, Shape, Size, Slice, Slices, SortAxis, Symbol, Value,
    along, descending, dims, keep, where_,
};

/// What a program with masks in it needs every day: ten names, none of which
/// clashes with `ndarray::prelude`.
pub mod prelude {
    pub use crate::{Eval, Expr, Graph, Plan, check_gradients, dims, grad, keep, value_and_grad, where_};
}

/// What other crates need to build graph transformations: nodes, ops and the copy of
/// one graph into another.
///
/// **Not covered by semantic versioning.** An op may be added, changed or removed in any
/// release. The enums of ops are deliberately not `#[non_exhaustive]`: a `match` over them
/// lists every op, and stops compiling when there is another one to handle. Depend on an exact
/// version (`tamis = "=0.1.0"`) if you use what is here and not at the root of the crate.
pub mod graph {
    pub use tamis_graph::*;
}

/// The code of the pages outside of this crate, compiled and run as examples.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/semantics.md")]
    struct Semantics;
    #[doc = include_str!("../../../docs/masks.md")]
    struct Masks;
    #[doc = include_str!("../../../docs/gradients.md")]
    struct Gradients;
    #[doc = include_str!("../../../docs/architecture.md")]
    struct Architecture;
    #[doc = include_str!("../../../docs/adding-an-op.md")]
    struct AddingAnOp;
    #[doc = include_str!("../../../docs/decisions.md")]
    struct Decisions;
}
