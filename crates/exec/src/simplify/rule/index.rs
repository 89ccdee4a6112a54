//! Indices that are those of the true elements of a mask.

use tamis_graph::{Addressing, Combine, Index, Layout, Mask, Node, NodeId, Op};

use crate::simplify::rewriter::Rewriter;

/// The mask whose true elements the indices of a gather or scatter address, and the
/// first axis of `x` that it selects from.
fn mask_of(rewriter: &Rewriter<'_>, node: &Node, addressing: Addressing) -> Option<(NodeId, usize)> {
    let (x, mut indices) = (rewriter.operand(node, 0), rewriter.operand(node, 1));
    let axis = match addressing {
        Addressing::Nd => 0,
        // Elsewhere the coordinates of an index itself count as well.
        Addressing::AlongAxis(_) if x.shape().len() > 1 => return None,
        Addressing::Axis(axis) | Addressing::AlongAxis(axis) => {
            if let Op::Layout(Layout::Reshape(_)) = indices.op() {
                indices = rewriter.operand(&indices, 0);
            }
            axis
        }
    };
    let Op::Mask(Mask::Argwhere) = indices.op() else { return None };
    let mask = rewriter.operand(&indices, 0);
    let rank = mask.shape().len();
    let is_index = matches!(addressing, Addressing::Nd) || rank == 1;
    let selects = x.shape().get(axis..axis + rank) == Some(&**mask.shape());
    (is_index && selects).then(|| (mask.id(), axis))
}

/// `gather(x, argwhere(m)[:, 0])` and `gather_nd(x, argwhere(m))` are `x[m]`; as a
/// column, the indices have one more axis. None of them is out of range.
pub(super) fn gather_of_argwhere(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Index(Index::Gather(addressing)) = node.op() else { return None };
    let (mask, axis) = mask_of(rewriter, node, *addressing)?;
    let selection = rewriter.apply(Mask::BooleanMask { axis }, &[node.operands()[0], mask])?;
    rewriter.reshape(selection, node.shape().clone())
}

/// `scatter_set(x, argwhere(m)[:, 0], v)` and `scatter_nd_set(x, argwhere(m), v)` are
/// `unmask(v, m, x)`: no index occurs twice.
pub(super) fn scatter_of_argwhere(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Index(Index::Scatter { addressing, combine: Combine::Set }) = node.op() else { return None };
    let (mask, axis) = mask_of(rewriter, node, *addressing)?;
    let (x, updates) = (node.operands()[0], node.operands()[2]);
    rewriter.apply(Mask::Unmask { axis }, &[updates, mask, x])
}
