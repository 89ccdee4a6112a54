//! What a graph stores of one expression. Does not depend on how it was built.

use std::fmt;
use std::panic::Location;

use smallvec::SmallVec;

use crate::dtype::DType;
use crate::op::{Op, Source};
use crate::shape::Shape;

/// The identity of an expression: its graph and its index in that graph.
///
/// Ids of one graph are ordered as the expressions were built, so that
/// operands come before what is built on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId {
    pub(crate) graph: u32,
    pub(crate) index: u32,
}

impl NodeId {
    /// The index in the graph, counting from 0.
    #[inline]
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.index)
    }
}

/// Where in the user's program an expression comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The line that built the expression; for a gradient, the line that asked for it.
    pub location: &'static Location<'static>,
    /// For a gradient, the line that built the expression it differentiates.
    pub forward: Option<&'static Location<'static>>,
    /// The name of the builder that was called there, which may be made of several ops.
    pub builder: Option<&'static str>,
}

impl Origin {
    pub(crate) fn new(location: &'static Location<'static>, builder: Option<&'static str>) -> Origin {
        Origin { location, forward: None, builder }
    }
}

/// A location in a source file, unless it lies in the standard library, as it does for
/// a builder that was passed as a function value.
struct SourceLocation(&'static Location<'static>);

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.0.file();
        if file.starts_with("/rustc/") || file.contains("/library/core/src/") {
            f.write_str("an unknown line, through a function value")
        } else {
            write!(f, "{}", self.0)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.forward {
            None => write!(f, "built at {}", SourceLocation(self.location)),
            Some(forward) => {
                write!(
                    f,
                    "gradient taken at {}, of what was built at {}",
                    SourceLocation(self.location),
                    SourceLocation(forward)
                )
            }
        }
    }
}

/// One expression: an op, what it is applied to, and what comes out.
#[derive(Debug)]
pub struct Node {
    pub(crate) id: NodeId,
    pub(crate) op: Op,
    pub(crate) operands: SmallVec<[NodeId; 3]>,
    pub(crate) dtype: DType,
    pub(crate) shape: Shape,
    pub(crate) origin: Origin,
    /// Whether the node equals no other, whatever its op.
    pub(crate) is_variable: bool,
}

impl Node {
    /// What stands for a node that the graph does not have.
    #[track_caller]
    pub(crate) fn foreign(id: NodeId) -> Node {
        Node {
            id,
            op: Op::Source(Source::Poison),
            operands: SmallVec::new(),
            dtype: DType::F32,
            shape: Shape::default(),
            origin: Origin::new(Location::caller(), None),
            is_variable: false,
        }
    }

    /// The identity of the expression.
    #[inline]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The op with its attributes.
    #[inline]
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// What the op is applied to, in its order.
    #[inline]
    pub fn operands(&self) -> &[NodeId] {
        &self.operands
    }

    /// The dtype of the result.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape of the result.
    #[inline]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The user's line that built the expression.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Calls `visit` with the mask of every count in the op's attributes or the shape: values the
    /// node needs besides its operands.
    pub fn visit_counts(&self, visit: &mut impl FnMut(NodeId)) {
        let mut on_symbol = |symbol: &crate::Symbol| {
            if let crate::Symbol::Count(mask) = symbol {
                visit(*mask);
            }
        };
        self.op.visit_dims(&mut |dim| dim.visit_symbols(&mut on_symbol));
        self.shape.iter().for_each(|dim| dim.visit_symbols(&mut on_symbol));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes over a large graph take time in proportion to its bytes: what few nodes have is boxed.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_node_takes_at_most_160_bytes() {
        assert!(size_of::<Node>() <= 160, "{} bytes", size_of::<Node>());
    }
}
