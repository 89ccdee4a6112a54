//! Where a function may have a kink: everything that is decided on the way to
//! its value. Knows nothing of evaluation.

use std::collections::HashSet;
use std::panic::Location;

use tamis_graph::{
    Binary, Combine, Expr, Graph, Index, Layout, Linalg, Logic, Mask, Node, NodeId, Op, Order, Origin,
    Reduce, Scan, Select, Unary,
};

/// Something that a function decides. Where it does not change, the function is smooth.
pub(super) struct Decision<'t> {
    pub(super) expr: Expr<'t>,
    pub(super) site: Site,
}

/// An op of the user's program, by name and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) op: &'static str,
    pub(super) location: Option<&'static Location<'static>>,
}

impl Site {
    /// The builder that the user called; for a gradient, the one it differentiates.
    fn of(node: &Node) -> Site {
        let Origin { location, forward, builder } = node.origin();
        Site { op: builder.unwrap_or(node.op().name()), location: Some(forward.unwrap_or(location)) }
    }
}

/// Everything that is decided by floats on the way from the variables to
/// `value`, in the order of the program.
///
/// What follows from these alone, such as the conjunction of two masks, decides nothing new.
pub(super) fn decisions<'t>(value: Expr<'t>, variables: &[Expr<'t>]) -> Vec<Decision<'t>> {
    let graph = value.graph();
    let moving = moving(value, variables);
    let mut found = Vec::new();
    for id in graph.ancestors(&[value.id()]) {
        let node = graph.node(id);
        let moves = |operand: &NodeId| moving.contains(operand) && graph.node(*operand).dtype().is_float();
        if !node.operands().iter().any(moves) {
            continue;
        }
        let made = if node.dtype().is_float() { hidden(&node, graph) } else { vec![graph.expr(id)] };
        found.extend(made.into_iter().map(|expr| Decision { expr, site: Site::of(&node) }));
    }
    let mut seen = HashSet::new();
    found.retain(|decision| seen.insert(decision.expr.id()));
    found
}

/// What changes with the variables among all that `value` is computed from.
pub(super) fn moving(value: Expr<'_>, variables: &[Expr<'_>]) -> HashSet<NodeId> {
    let graph = value.graph();
    let mut moving: HashSet<NodeId> = variables.iter().map(|variable| variable.id()).collect();
    for id in graph.ancestors(&[value.id()]) {
        let node = graph.node(id);
        let mut moves = node.operands().iter().any(|operand| moving.contains(operand));
        node.visit_counts(&mut |mask| moves |= moving.contains(&mask));
        if moves {
            moving.insert(id);
        }
    }
    moving
}

/// What an op on floats decides without a mask of the user's, as expressions
/// that change where it decides otherwise.
fn hidden<'t>(node: &Node, graph: &'t Graph) -> Vec<Expr<'t>> {
    let operand = |i: usize| graph.expr(node.operands()[i]);
    graph.with_origin(node.origin(), || match node.op() {
        Op::Unary(op) => of_unary(*op, operand(0)),
        Op::Binary(op) => of_binary(*op, operand(0), operand(1)),
        Op::Reduce(op) => match op {
            Reduce::Max { .. } | Reduce::Min { .. } => vec![chosen(op, node, graph)],
            Reduce::Sum(_) | Reduce::Prod(_) | Reduce::Any(_) | Reduce::All(_) => Vec::new(),
        },
        Op::Index(Index::Scatter { addressing, combine: Combine::Max | Combine::Min }) => {
            let (x, indices, updates) = (operand(0), operand(1), operand(2));
            let extreme = graph.expr(node.id());
            let written = graph.apply(Index::Gather(*addressing), &[extreme, indices]);
            vec![x.eq(extreme), updates.eq(written)]
        }
        // The mask is a decision of its own.
        Op::Select(Select::Where)
        | Op::Mask(Mask::BooleanMask { .. } | Mask::Unmask { .. } | Mask::Argwhere)
        // The indices are.
        | Op::Index(Index::Gather(_) | Index::Scatter { .. })
        | Op::Linalg(Linalg::Matmul { .. }) => Vec::new(),
        Op::Scan(Scan::Cumsum(_) | Scan::Cumprod(_) | Scan::RunningOr(_) | Scan::Linear { .. })
        | Op::Order(
            Order::Argmax { .. } | Order::Argmin { .. } | Order::Argsort { .. } | Order::TopK { .. },
        )
        | Op::Logic(Logic::And | Logic::Or | Logic::Xor | Logic::Not)
        | Op::Layout(
            Layout::Reshape(_)
            | Layout::BroadcastTo(_)
            | Layout::Permute(_)
            | Layout::Slice(_)
            | Layout::Pad(_)
            | Layout::Concat { .. }
            | Layout::Guard { .. }
            | Layout::Checked
            | Layout::Assert { .. },
        )
        | Op::Source(_)
        | Op::Compare(_) => Vec::new(),
    })
}

fn of_unary(op: Unary, x: Expr<'_>) -> Vec<Expr<'_>> {
    match op {
        Unary::Abs | Unary::Sign | Unary::Relu => vec![x.gt(0.0), x.lt(0.0)],
        Unary::Floor => vec![x.floor()],
        Unary::Ceil => vec![x.ceil()],
        Unary::Round => vec![x.round()],
        Unary::Trunc => vec![x.trunc()],
        Unary::Neg
        | Unary::Exp
        | Unary::ExpM1
        | Unary::Ln
        | Unary::Ln1p
        | Unary::Sqrt
        | Unary::Recip
        | Unary::Sin
        | Unary::Cos
        | Unary::Tanh
        | Unary::Tan
        | Unary::Asin
        | Unary::Acos
        | Unary::Atan
        | Unary::Sinh
        | Unary::Cosh
        | Unary::Erf
        | Unary::Softplus
        | Unary::Sigmoid
        | Unary::Square
        | Unary::Cast(_)
        | Unary::StopGradient => Vec::new(),
    }
}

fn of_binary<'t>(op: Binary, a: Expr<'t>, b: Expr<'t>) -> Vec<Expr<'t>> {
    match op {
        Binary::FloorMod | Binary::FloorDiv => vec![(a / b).floor()],
        Binary::RemTrunc => vec![(a / b).trunc()],
        // The angle jumps where the point crosses the negative half of its first axis.
        Binary::Atan2 => vec![a.lt(0.0) & b.lt(0.0)],
        Binary::Minimum | Binary::Maximum => vec![a.gt(b), a.lt(b)],
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => Vec::new(),
    }
}

/// Which elements an extreme reduction took.
fn chosen<'t>(op: &Reduce, node: &Node, graph: &'t Graph) -> Expr<'t> {
    let operands: Vec<Expr<'t>> = node.operands().iter().map(|id| graph.expr(*id)).collect();
    let extreme =
        op.axes().iter().fold(graph.expr(node.id()), |extreme, axis| extreme.unsqueeze(*axis as i64));
    let taken = operands[0].eq(extreme);
    operands.get(1).map_or(taken, |mask| taken & *mask)
}
