//! The closed set of primitive ops, one family per file.
//!
//! An op holds its attributes alone; operands live in the node. Each family
//! states the shape rule of its ops and documents their builders.

pub(crate) mod arrange;
pub(crate) mod at;
pub(crate) mod binary;
pub(crate) mod compare;
pub(crate) mod concat;
pub(crate) mod cross_entropy;
pub(crate) mod einsum;
pub(crate) mod index;
pub(crate) mod layout;
pub(crate) mod linalg;
pub(crate) mod logic;
pub(crate) mod mask;
pub(crate) mod masked;
pub(crate) mod order;
pub(crate) mod reduce;
pub(crate) mod row;
pub(crate) mod scan;
pub(crate) mod scatter;
pub(crate) mod segment;
pub(crate) mod select;
pub(crate) mod selection;
pub(crate) mod slice;
pub(crate) mod softmax;
pub(crate) mod source;
pub(crate) mod statistics;
pub(crate) mod unary;

use std::sync::Arc;

use smallvec::SmallVec;

pub use binary::Binary;
pub use compare::Compare;
pub use index::{Addressing, Combine, Index};
pub use layout::{Layout, PadAxis, SliceAxis};
pub use linalg::Linalg;
pub use logic::Logic;
pub use mask::Mask;
pub use order::Order;
pub use reduce::{Reduce, ReduceKind};
pub use row::{Domain, Fails, KinkAt};
pub use scan::Scan;
pub use select::Select;
pub use source::Source;
pub use unary::{Unary, UnaryBuilder};

use crate::dim::{Dim, DimError};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::shape::Shape;
use row::Row;

/// A short list of axes.
pub type AxisList = SmallVec<[usize; 4]>;

/// A primitive op with its attributes.
///
/// Not covered by semantic versioning, as are the families that it is made of: ops are added,
/// changed and removed in any release, and a `match` over them has to list them all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// Leaves: no operands.
    Source(Source),
    /// Elementwise, of one operand.
    Unary(Unary),
    /// Elementwise arithmetic of two operands.
    Binary(Binary),
    /// Elementwise comparisons and predicates, which give bools.
    Compare(Compare),
    /// Elementwise logic of bools.
    Logic(Logic),
    /// Elementwise choice by a mask.
    Select(Select),
    /// Selection by a mask and its inverse.
    Mask(Mask),
    /// Reading and writing at computed indices.
    Index(Index),
    /// Many elements to one.
    Reduce(Reduce),
    /// Running reductions.
    Scan(Scan),
    /// Indices of maxima and minima, and sorting.
    Order(Order),
    /// The same elements, arranged otherwise.
    Layout(Layout),
    /// Matrix products.
    Linalg(Linalg),
}

/// The dtype and shape of a result, derived from its attributes and its operands' types.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// The dtype of the elements.
    pub dtype: DType,
    /// The lengths of the axes.
    pub shape: Shape,
}

impl Type {
    pub(crate) fn new(dtype: DType, shape: Shape) -> Type {
        Type { dtype, shape }
    }
}

/// Writes one `match` over the families, each with the same call.
macro_rules! each_family {
    ($op:expr, $family:ident => $call:expr) => {
        match $op {
            Op::Source($family) => $call,
            Op::Unary($family) => $call,
            Op::Binary($family) => $call,
            Op::Compare($family) => $call,
            Op::Logic($family) => $call,
            Op::Select($family) => $call,
            Op::Mask($family) => $call,
            Op::Index($family) => $call,
            Op::Reduce($family) => $call,
            Op::Scan($family) => $call,
            Op::Order($family) => $call,
            Op::Layout($family) => $call,
            Op::Linalg($family) => $call,
        }
    };
}

impl Op {
    /// The name by which users know the op.
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// The dtypes that its operands may have, except masks and indices.
    pub fn domain(&self) -> Domain {
        self.row().domain
    }

    /// The cost of one element of the result, in additions: functions that are called for each
    /// element cost most.
    pub fn cost(&self) -> usize {
        self.row().cost
    }

    /// Whether it computes every element of the result from the elements at the same
    /// index of its operands.
    pub fn is_elementwise(&self) -> bool {
        matches!(self, Op::Unary(_) | Op::Binary(_) | Op::Compare(_) | Op::Logic(_) | Op::Select(_))
    }

    /// Whether it takes less time than reading its operands from memory and never fails, so that it
    /// may as well be computed for elements that are not selected.
    pub fn is_cheap(&self) -> bool {
        /// The cost of a division, which is hidden behind the loads of its operands.
        const CHEAP: usize = 4;
        let Row { cost, fails, .. } = self.row();
        self.is_elementwise() && cost <= CHEAP && fails == Fails::Never
    }

    /// Where it may have a kink that a difference quotient must not step over.
    pub fn kink(&self) -> KinkAt {
        self.row().kink
    }

    /// For which operands a run may refuse to compute it.
    pub fn fails(&self) -> Fails {
        self.row().fails
    }

    /// Whether applying it to its own result changes nothing.
    pub fn is_idempotent(&self) -> bool {
        self.row().is_idempotent
    }

    fn row(&self) -> Row {
        each_family!(self, family => family.row())
    }

    /// The shape rule: what the op gives for these operands.
    pub(crate) fn infer(&self, operands: &[Arc<Node>], graph: &Graph) -> Result<Type, ErrorKind> {
        each_family!(self, family => family.infer(operands, graph))
    }

    /// That there is a kernel for the dtype; builders have said more clearly what they need.
    pub(crate) fn check_domain(&self, operands: &[Expr<'_>]) -> Result<(), ErrorKind> {
        let domain = self.domain();
        match operands.first() {
            Some(x) if !domain.contains(x.dtype()) => {
                let (dtype, shape, expected) = (x.dtype(), x.shape(), domain.expected());
                Err(ErrorKind::DType { dtype, shape, expected })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// An existing expression that equals the op on these operands in every run.
    pub(crate) fn simplify<'g>(&self, operands: &[Expr<'g>]) -> Option<Expr<'g>> {
        match self {
            Op::Unary(op) => op.simplify(operands),
            Op::Logic(op) => op.simplify(operands),
            Op::Select(op) => op.simplify(operands),
            Op::Layout(op) => op.simplify(operands),
            Op::Source(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Mask(_)
            | Op::Index(_)
            | Op::Reduce(_)
            | Op::Scan(_)
            | Op::Order(_)
            | Op::Linalg(_) => None,
        }
    }

    /// Calls `visit` with every dimension among the attributes.
    pub fn visit_dims(&self, visit: &mut dyn FnMut(&Dim)) {
        if let Op::Source(op) = self {
            op.visit_dims(visit);
        } else if let Op::Layout(op) = self {
            op.visit_dims(visit);
        }
    }

    /// The same op with every dimension among the attributes replaced.
    pub(crate) fn map_dims(&self, map: &dyn Fn(&Dim) -> Result<Dim, DimError>) -> Result<Op, DimError> {
        if let Op::Source(op) = self {
            return Ok(Op::Source(op.map_dims(map)?));
        }
        if let Op::Layout(op) = self {
            return Ok(Op::Layout(op.map_dims(map)?));
        }
        Ok(self.clone())
    }

    /// The attributes as they are printed after the operands; may be empty.
    pub fn attributes(&self) -> String {
        match self {
            Op::Source(op) => op.attributes(),
            Op::Unary(op) => op.attributes(),
            Op::Mask(op) => op.attributes(),
            Op::Index(op) => op.attributes(),
            Op::Reduce(op) => op.attributes(),
            Op::Scan(op) => op.attributes(),
            Op::Order(op) => op.attributes(),
            Op::Layout(op) => op.attributes(),
            Op::Linalg(op) => op.attributes(),
            Op::Binary(_) | Op::Compare(_) | Op::Logic(_) | Op::Select(_) => String::new(),
        }
    }
}

/// The shape that elementwise operands broadcast to, and an error where they
/// do not provably fit: the builders insert guards before it comes to that.
pub(crate) fn broadcast_shapes(operands: &[Arc<Node>]) -> Result<Shape, ErrorKind> {
    let mut result = operands[0].shape.clone();
    for operand in &operands[1..] {
        result = broadcast_pair(&result, &operand.shape)?;
    }
    Ok(result)
}

fn broadcast_pair(left: &Shape, right: &Shape) -> Result<Shape, ErrorKind> {
    if left == right || right.is_empty() {
        return Ok(left.clone());
    }
    let rank = left.rank().max(right.rank());
    let aligned = |shape: &Shape, axis: usize| {
        (axis + shape.rank()).checked_sub(rank).map_or(Dim::ONE, |axis| shape[axis].clone())
    };
    let dims = (0..rank).map(|axis| {
        let (a, b) = (aligned(left, axis), aligned(right, axis));
        match (a == b, a.is_one(), b.is_one()) {
            (true, _, _) | (_, _, true) => Ok(a),
            (_, true, _) => Ok(b),
            (false, false, false) => Err(ErrorKind::Broadcast { left: left.clone(), right: right.clone() }),
        }
    });
    dims.collect()
}
