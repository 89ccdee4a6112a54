//! Reverse mode: one sweep from an output back to what it depends on.

use std::collections::hash_map::Entry;

use foldhash::HashMap;
use tamis_graph::{Expr, NodeId};

use crate::masked_derivative::MaskedDerivative;
use crate::path::{Path, attributed};
use crate::rule;

/// The cotangent of each of `wrt` for the cotangent `seed` of `output`; `None` where no
/// gradient flows. Contributions are added up from the latest user of an expression to
/// the first.
pub(crate) fn pull_back<'g>(
    output: Expr<'g>,
    seed: MaskedDerivative<'g>,
    wrt: &[Expr<'g>],
) -> Vec<Option<MaskedDerivative<'g>>> {
    let graph = output.graph();
    let path = Path::new(output, wrt);
    let mut cotangents: HashMap<NodeId, MaskedDerivative<'g>> = HashMap::from_iter([(output.id(), seed)]);
    let mut found: HashMap<NodeId, Option<MaskedDerivative<'g>>> =
        wrt.iter().map(|x| (x.id(), None)).collect();
    for id in path.ordered.iter().rev() {
        let Some(cotangent) = cotangents.remove(id) else { continue };
        if let Some(found) = found.get_mut(id) {
            *found = Some(cotangent.clone());
        }
        let node = graph.expr(*id);
        attributed(node, || {
            for edge in rule::edges(node, &|operand| path.contains(operand)) {
                let operand = edge.operand;
                add(cotangents.entry(operand), edge.pull_back(cotangent.clone()));
            }
        });
    }
    wrt.iter().map(|x| found.get(&x.id()).cloned().flatten()).collect()
}

fn add<'g>(total: Entry<'_, NodeId, MaskedDerivative<'g>>, contribution: MaskedDerivative<'g>) {
    match total {
        Entry::Vacant(total) => {
            total.insert(contribution);
        }
        Entry::Occupied(mut total) => {
            let sum = total.get().clone().add(contribution);
            total.insert(sum);
        }
    }
}
