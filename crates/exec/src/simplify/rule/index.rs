//! Places that are those of a mask.

use tamis_graph::{Addressing, Combine, Index, Layout, Mask, Node, NodeId, Op};

use crate::simplify::rewriter::Rewriter;

/// Where the indices of a gather or scatter come from a mask: the mask, and the
/// first axis of `x` that it selects from.
fn mask_of(rewriter: &Rewriter<'_>, node: &Node, addressing: Addressing) -> Option<(NodeId, usize)> {
    let (x, indices) = (rewriter.operand(node, 0), rewriter.operand(node, 1));
    let (axis, places) = match addressing {
        Addressing::Nd => (0, indices),
        // Elsewhere the coordinates of an index itself count as well.
        Addressing::AlongAxis(_) if x.shape().len() > 1 => return None,
        Addressing::Axis(axis) | Addressing::AlongAxis(axis) => {
            let Op::Layout(Layout::Reshape(_)) = indices.op() else { return None };
            (axis, rewriter.operand(&indices, 0))
        }
    };
    let Op::Mask(Mask::Argwhere) = places.op() else { return None };
    let mask = rewriter.operand(&places, 0);
    let is_coordinate = matches!(addressing, Addressing::Nd) || mask.shape().len() == 1;
    let masked = x.shape().get(axis..axis + mask.shape().len());
    (is_coordinate && masked == Some(&**mask.shape())).then(|| (mask.id(), axis))
}

/// `gather(x, argwhere(m)[:, 0])` and `gather_nd(x, argwhere(m))` are `x[m]`.
/// No place of a mask is out of range.
pub(super) fn gather_of_argwhere(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Index(Index::Gather(addressing)) = node.op() else { return None };
    let x = node.operands()[0];
    if let Some((mask, axis)) = mask_of(rewriter, node, *addressing) {
        let selection = rewriter.apply(Mask::BooleanMask { axis }, &[x, mask])?;
        return reshaped(rewriter, selection, node);
    }
    // With its column: gather(x, argwhere(m)) has an axis of length 1 more.
    let (Addressing::Axis(axis), indices) = (*addressing, rewriter.operand(node, 1)) else { return None };
    let Op::Mask(Mask::Argwhere) = indices.op() else { return None };
    let mask = rewriter.operand(&indices, 0);
    let masked = rewriter.node(x).shape().get(axis..axis + 1).map(<[_]>::to_vec);
    if masked.as_deref() != Some(&**mask.shape()) {
        return None;
    }
    let selection = rewriter.apply(Mask::BooleanMask { axis }, &[x, mask.id()])?;
    reshaped(rewriter, selection, node)
}

fn reshaped(rewriter: &mut Rewriter<'_>, id: NodeId, node: &Node) -> Option<NodeId> {
    if rewriter.node(id).shape() == node.shape() {
        Some(id)
    } else {
        rewriter.reshape(id, node.shape().clone())
    }
}

/// `scatter_set(x, argwhere(m)[:, 0], v)` and `scatter_nd_set(x, argwhere(m), v)`
/// are `unmask(v, m, x)`: no place occurs twice.
pub(super) fn scatter_of_argwhere(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Index(Index::Scatter { addressing, combine: Combine::Set }) = node.op() else { return None };
    let (mask, axis) = mask_of(rewriter, node, *addressing)?;
    let (x, updates) = (node.operands()[0], node.operands()[2]);
    rewriter.apply(Mask::Unmask { axis }, &[updates, mask, x])
}
