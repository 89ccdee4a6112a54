//! Elementwise logic of bools.

use std::sync::Arc;

use super::row::Domain::Bool;
use super::row::{Row, row};
use super::{Op, Source, Type, broadcast_shapes};
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, broadcast};

/// Elementwise logic. Operands are bool and broadcast together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Logic {
    /// Both.
    And,
    /// At least one.
    Or,
    /// Exactly one.
    Xor,
    /// Not; one operand.
    Not,
}

impl From<Logic> for Op {
    fn from(op: Logic) -> Op {
        Op::Logic(op)
    }
}

impl Logic {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Logic::And => row("and", Bool, 1),
            Logic::Or => row("or", Bool, 1),
            Logic::Xor => row("xor", Bool, 1),
            Logic::Not => row("not", Bool, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        Ok(Type::new(DType::Bool, broadcast_shapes(operands)?))
    }

    /// `¬¬a = a`, `a ∧ a = a`, absorption, and literals; only where the result
    /// keeps the shape.
    pub(crate) fn simplify<'g>(&self, operands: &[Expr<'g>]) -> Option<Expr<'g>> {
        let (dual, zero) = match self {
            Logic::Not => {
                let node = operands[0].node();
                let double = node.op == Op::Logic(Logic::Not);
                return double.then(|| Expr::new(operands[0].graph(), node.operands[0]));
            }
            Logic::Xor => return None,
            Logic::And => (Logic::Or, false),
            Logic::Or => (Logic::And, true),
        };
        let (a, b) = (operands[0], operands[1]);
        if a.id() == b.id() {
            return Some(a);
        }
        let same_shape = a.shape() == b.shape();
        for (one, other) in [(a, b), (b, a)] {
            let keeps_shape = same_shape || one.shape().is_empty();
            match literal(one) {
                Some(value) if value == zero && same_shape => return Some(one),
                Some(value) if value != zero && keeps_shape => return Some(other),
                Some(_) | None => {}
            }
            // a ∧ (a ∨ b) = a and a ∨ (a ∧ b) = a.
            let node = other.node();
            if same_shape && node.op == Op::Logic(dual) && node.operands.contains(&one.id()) {
                return Some(one);
            }
        }
        None
    }
}

/// The value of a literal mask of one value.
fn literal(mask: Expr<'_>) -> Option<bool> {
    let mut node = mask.node();
    if let Op::Layout(super::Layout::BroadcastTo(_)) = &node.op {
        node = mask.graph().node(node.operands[0]);
    }
    if let Op::Source(Source::Scalar(Scalar::Bool(value))) = &node.op { Some(*value) } else { None }
}

#[track_caller]
pub(crate) fn logic<'g>(graph: &'g Graph, op: Logic, a: Operand<'g>, b: Operand<'g>) -> Expr<'g> {
    let operands: Vec<Expr<'g>> = [a, b].into_iter().filter_map(Operand::expr).collect();
    let name = op.row().name;
    graph.build(name, &operands, || {
        let not_bool = operands.iter().find(|operand| operand.dtype() != DType::Bool);
        let weak_number = [a, b].iter().any(|operand| matches!(operand, Operand::Int(_) | Operand::Float(_)));
        if let (Logic::Xor, Some(base)) = (op, a.expr().filter(|base| base.dtype() != DType::Bool)) {
            let (dtype, shape) = (base.dtype(), base.shape());
            return Err(ErrorKind::XorOfNumbers { dtype, shape, exponent: exponent_text(b) });
        }
        if let Some(operand) = not_bool.or(operands.first().filter(|_| weak_number)) {
            return Err(ErrorKind::DType {
                dtype: operand.dtype(),
                shape: operand.shape(),
                expected: "logic is defined for bool: write `.ne(0)` to ask what is not zero",
            });
        }
        let mut pair = [a.to_expr(graph, DType::Bool)?, b.to_expr(graph, DType::Bool)?];
        broadcast(name, &mut pair)?;
        // Sorted, so that `a & b` and `b & a` are one mask with one count.
        let [a, b] = pair;
        graph.try_apply(op, &[a.min_id(b), a.max_id(b)])
    })
}

/// An operand as it is written behind a number.
fn exponent_text(operand: Operand<'_>) -> String {
    match operand {
        Operand::Int(value) => value.to_string(),
        Operand::Float(value) => format!("{value:?}"),
        Operand::Expr(_) | Operand::Bool(_) => "y".to_owned(),
    }
}

impl<'g> Expr<'g> {
    /// `!mask`, which the operator calls.
    #[track_caller]
    pub(crate) fn complement(self) -> Expr<'g> {
        self.build("not", &[], || {
            if self.dtype() == DType::Bool {
                return self.apply(Logic::Not);
            }
            Err(ErrorKind::DType {
                dtype: self.dtype(),
                shape: self.shape(),
                expected: "logic is defined for bool: write `.eq(0)` to ask what is zero",
            })
        })
    }
}
