//! Matrix products.

use std::sync::Arc;

use super::row::Domain::Number;
use super::row::{Row, row};
use super::{Layout, Op, Type};
use crate::dim::Dim;
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::op::masked::Masked;
use crate::operand::{Purpose, broadcast, cast, common_dtype};
use crate::shape::Shape;

/// Matrix products of tensors of one dtype.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Linalg {
    /// Operands `a: batch + [n, k]`, `b: batch + [k, m]`, then the masks that
    /// there are, shaped like what they mask or with 1s: the sum over `k` of the
    /// products whose both factors are unmasked, `batch + [n, m]`. A masked
    /// factor is never read, so NaN there does not matter.
    Matmul {
        /// Whether a mask of `a` follows.
        mask_a: bool,
        /// Whether a mask of `b` follows.
        mask_b: bool,
    },
}

impl From<Linalg> for Op {
    fn from(op: Linalg) -> Op {
        Op::Linalg(op)
    }
}

impl Linalg {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Linalg::Matmul { .. } => row("matmul", Number, 1),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        let (a, b) = (&operands[0], &operands[1]);
        let (left, right) = (a.shape.rank(), b.shape.rank());
        let fits = left >= 2
            && left == right
            && a.shape[..left - 2] == b.shape[..left - 2]
            && a.shape[left - 1] == b.shape[left - 2];
        if !fits {
            return Err(mismatch(&a.shape, &b.shape));
        }
        Ok(Type::new(a.dtype, a.shape.with(left - 1, b.shape[left - 1].clone())))
    }

    pub(crate) fn attributes(&self) -> String {
        let Linalg::Matmul { mask_a, mask_b } = self;
        let flags = [(*mask_a, "mask_a"), (*mask_b, "mask_b")];
        flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    }
}

fn mismatch(left: &Shape, right: &Shape) -> ErrorKind {
    let reason = "the last axis of the first must have the length of the second-to-last axis of the second";
    ErrorKind::ShapeMismatch { left: left.clone(), right: right.clone(), reason }
}

impl<'g> Expr<'g> {
    /// The matrix product, with NumPy's rules: a vector on the left is a row, on
    /// the right a column, and that axis is dropped again; leading axes are a
    /// batch and broadcast. Integers wrap.
    ///
    /// The gradients are matrix products with the transposes. Over an inner
    /// axis of length 0 the product is 0.
    ///
    /// # Errors
    /// Reported for a scalar or bool operand, or when the shapes do not fit.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let a = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    /// let x = graph.constant([1.0, 10.0]);
    /// assert_eq!(a.matmul(x).eval::<f64>()?, tamis::ndarray::arr1(&[21.0, 43.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("mm", "bmm"))]
    #[track_caller]
    pub fn matmul(self, other: Expr<'g>) -> Expr<'g> {
        self.build("matmul", &[other], || product(self, other, None))
    }
}

impl<'g> Masked<'g> {
    /// [`Expr::matmul`] that uses only the selected elements: the sum over the inner
    /// axis of the products whose left factor is selected.
    ///
    /// Unlike a weight that happens to be 0, an element that is not selected
    /// never meets its partner, which may be NaN: padded keys and values of an
    /// attention need no clean-up. The gradient is exactly 0 there, on both sides.
    ///
    /// # Errors
    /// As for [`Expr::matmul`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let scores = graph.constant([[1.0, 1.0, f64::NAN]]);
    /// let values = graph.constant([[2.0], [4.0], [f64::NAN]]);
    /// let keys = graph.constant([[true, true, false]]); // the third is padding
    /// let weights = scores.masked(keys).softmax(-1);
    /// let attended = weights.masked(keys).matmul(values);
    /// assert_eq!(attended.eval::<f64>()?, tamis::ndarray::arr2(&[[3.0]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul(self, other: Expr<'g>) -> Expr<'g> {
        let (x, mask) = self.operand_and_mask();
        self.build("matmul", &[other], || product(x, other, Some(mask)))
    }
}

/// That products are of numbers.
pub(crate) fn check_numbers(dtype: DType, of: Expr<'_>) -> Result<(), ErrorKind> {
    if dtype != DType::Bool {
        return Ok(());
    }
    let expected = "numbers are needed: write `.cast(DType::I64)` to count";
    Err(ErrorKind::DType { dtype, shape: of.shape(), expected })
}

/// `a · b` with vectors as rows and columns, without the masked elements of `a`.
fn product<'g>(a: Expr<'g>, b: Expr<'g>, mask: Option<Expr<'g>>) -> Result<Expr<'g>, ErrorKind> {
    let dtype = common_dtype(&[a.into(), b.into()], Purpose::Arithmetic)?;
    check_numbers(dtype, a)?;
    if let Some(scalar) = [a, b].into_iter().find(|operand| operand.rank() == 0) {
        let expected = "matmul takes at least one axis: multiply by a scalar with `*`";
        return Err(ErrorKind::Rank { shape: scalar.shape(), expected });
    }
    let (row, column) = (a.rank() == 1, b.rank() == 1);
    let as_row = |x: Expr<'g>| if row { x.unsqueeze(0) } else { x };
    let left = cast(as_row(a), dtype)?;
    let right = cast(if column { b.unsqueeze(-1) } else { b }, dtype)?;
    let product = matrices(left, right, mask.map(as_row), || mismatch(&a.shape(), &b.shape()))?;
    match (row, column) {
        (false, false) => Ok(product),
        (true, false) => Ok(product.squeeze(-2)),
        (false, true) => Ok(product.squeeze(-1)),
        (true, true) => Ok(product.squeeze([-2, -1])),
    }
}

/// The product of two tensors of rank 2 or more, their batches broadcast.
fn matrices<'g>(
    a: Expr<'g>,
    b: Expr<'g>,
    mask: Option<Expr<'g>>,
    mismatch: impl Fn() -> ErrorKind,
) -> Result<Expr<'g>, ErrorKind> {
    let (left, right) = (a.shape(), b.shape());
    let inner = left[left.rank() - 1].clone();
    let b = b.unify_second("matmul", [(right.rank() - 2, inner)], mismatch)?;
    let batch = |x: Expr<'g>| -> Shape { x.shape()[..x.rank() - 2].into() };
    let (batch_a, batch_b) = (batch(a), batch(b));
    if batch_a == batch_b {
        return multiplied(a, b, mask);
    }
    // Broadcast stand-ins of the batch shapes, then the operands to the result.
    let stand_in = |x: Expr<'g>| {
        let mut dims = x.shape();
        dims = dims.splice(dims.rank() - 2..dims.rank(), &[Dim::ONE, Dim::ONE]);
        x.graph().try_full(dims, crate::Scalar::Bool(true))
    };
    let mut pair = [stand_in(a)?, stand_in(b)?];
    broadcast("matmul", &mut pair)?;
    let full = super::broadcast_shapes(&[pair[0].node(), pair[1].node()])?;
    let batch: Shape = full[..full.rank() - 2].into();
    let expanded = |x: Expr<'g>, is_second: bool| {
        let shape: Shape = batch.iter().chain(&x.shape()[x.rank() - 2..]).cloned().collect();
        x.broadcastable_as("matmul", is_second, &shape)?.apply(Layout::BroadcastTo(shape))
    };
    multiplied(expanded(a, false)?, expanded(b, true)?, mask)
}

fn multiplied<'g>(a: Expr<'g>, b: Expr<'g>, mask: Option<Expr<'g>>) -> Result<Expr<'g>, ErrorKind> {
    let op = Linalg::Matmul { mask_a: mask.is_some(), mask_b: false };
    let operands: Vec<Expr<'g>> = [a, b].into_iter().chain(mask).collect();
    a.graph().try_apply(op, &operands)
}
