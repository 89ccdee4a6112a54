//! Forward mode: one sweep from what an output depends on up to it.

use foldhash::HashMap;
use tamis_graph::{Expr, NodeId};

use crate::masked_derivative::MaskedDerivative;
use crate::path::{Path, attributed};
use crate::rule;

/// The tangent of `output` for the `tangents` of `wrt`; `None` if it does not
/// depend on them. A member of `wrt` that depends on another moves by both.
pub(crate) fn push_forward<'g>(
    output: Expr<'g>,
    wrt: &[Expr<'g>],
    tangents: &[MaskedDerivative<'g>],
) -> Option<MaskedDerivative<'g>> {
    let graph = output.graph();
    let path = Path::new(output, wrt);
    let mut given: HashMap<NodeId, MaskedDerivative<'g>> = HashMap::default();
    for (x, tangent) in wrt.iter().zip(tangents) {
        let sum = total(given.remove(&x.id()), tangent.clone());
        given.insert(x.id(), sum);
    }
    let mut found: HashMap<NodeId, MaskedDerivative<'g>> = HashMap::default();
    for id in &path.ordered {
        let node = graph.expr(*id);
        let moved = attributed(node, || {
            let edges = rule::edges(node, &|operand| found.contains_key(&operand));
            edges.iter().fold(given.remove(id), |sum, edge| {
                let contribution = edge.push_forward(found[&edge.operand].clone());
                Some(total(sum, contribution))
            })
        });
        if let Some(tangent) = moved {
            found.insert(*id, tangent);
        }
    }
    found.remove(&output.id())
}

fn total<'g>(sum: Option<MaskedDerivative<'g>>, contribution: MaskedDerivative<'g>) -> MaskedDerivative<'g> {
    match sum {
        Some(sum) => sum.add(contribution),
        None => contribution,
    }
}
