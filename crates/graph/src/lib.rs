//! Part of [tamis](https://docs.rs/tamis): what an expression is. Depend on `tamis` instead.
//!
//! Dtypes, dimensions, shapes, nodes, builders, errors and printing. A graph only ever
//! grows: nodes are appended, equal nodes are stored once, and ids are a topological order,
//! so no traversal of a graph recurses.
//!
//! Nodes and ops are not covered by semantic versioning; builders, dimensions, shapes and errors are.
//!
//! This crate does not depend on evaluation and does not depend on gradients.

mod align;
mod axis;
mod count;
mod dim;
mod dtype;
mod entry;
mod error;
mod expr;
mod graph;
mod node;
#[doc(hidden)]
pub mod node_map;
mod op;
mod operand;
mod operators;
mod print;
mod rebuild;
mod shape;
#[doc(hidden)]
pub mod steps;
mod value;

pub use axis::{Axes, Axis, keep};
pub use dim::{Comparison, Dim, DimError, Opaque, Rule, Symbol};
pub use dtype::{DType, Element, Scalar};
pub use entry::{Ellipsis, Entries, Entry, NewAxis};
pub use error::{Error, ErrorKind, Report};
pub use expr::Expr;
pub use graph::Graph;
pub use node::{Node, NodeId, Origin};
pub use op::at::At;
pub use op::cross_entropy::Labels;
pub use op::index::OutOfRange;
pub use op::masked::Masked;
pub use op::order::{SortAxis, descending};
pub use op::scan::{Direction, ScanAxis, along};
pub use op::select::where_;
pub use op::source::IntoConstant;
pub use op::{
    Addressing, AxisList, Binary, Combine, Compare, Domain, Fails, Index, KinkAt, Layout, Linalg, Logic,
    Mask, Op, Order, PadAxis, Reduce, ReduceKind, Scan, Select, SliceAxis, Source, Type, Unary, UnaryBuilder,
};
pub use operand::Operand;
pub use rebuild::{rebuild, rebuild_node};
pub use shape::{Dims, Shape, Size, Slice, Slices};
pub use value::{Constant, Value, ValueView};
