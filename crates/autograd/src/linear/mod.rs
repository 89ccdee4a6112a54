//! The linear operators that derivatives go through, lifted to values with
//! supports. The set is closed under transposition.
//!
//! Each family knows what an operator does to a value and to the factors of
//! its support, and which values must be selected before they are added up.

pub(crate) mod index;
pub(crate) mod layout;
pub(crate) mod linalg;
pub(crate) mod mask;
pub(crate) mod reduce;
pub(crate) mod scan;

use tamis_graph::{AxisList, DType, Direction, Expr, Shape};

use crate::masked_derivative::MaskedDerivative;
use index::Locations;
use layout::Windows;
use linalg::{Side, transposed};

/// A linear operator. Shapes are those of the value before (`from`) and after (`to`).
#[derive(Debug, Clone)]
pub(crate) enum Linear<'g> {
    /// Exactly 0 where the mask is false. Its own transpose, as are the next two.
    ApplyMask(Expr<'g>),
    /// Times an expression.
    Scale(Expr<'g>),
    /// Times −1.
    Negate,
    /// The same numbers in another float dtype.
    Cast { from: DType, to: DType },
    /// The sum over `axes` of a value of `shape`.
    Sum { axes: AxisList, shape: Shape },
    /// Transpose of `Sum`: repeated along new `axes`, to `shape`.
    Repeat { axes: AxisList, shape: Shape },
    /// The same elements under another shape.
    Reshape { from: Shape, to: Shape },
    /// Result axis `i` is operand axis `axes[i]`.
    Permute(AxisList),
    /// Evenly spaced elements.
    Slice(Windows),
    /// Transpose of `Slice`: elements at evenly spaced positions, 0 elsewhere.
    Pad(Windows),
    /// The same tensor under lengths that a run checks to be its own.
    Relabel { from: Shape, to: Shape, op: &'static str },
    /// The elements under a mask, from `axis` on.
    BooleanMask { axis: usize, mask: Expr<'g> },
    /// Transpose of `BooleanMask`: the elements back at their positions, 0 elsewhere.
    Unmask { axis: usize, mask: Expr<'g> },
    /// The elements at computed indices.
    Gather(Locations<'g>),
    /// Transpose of `Gather`: elements added up at computed indices.
    ScatterAdd(Locations<'g>),
    /// The running sum.
    Cumsum(Direction),
    /// The linear recurrence `hₜ = aₜ·hₜ₋₁ + valueₜ`.
    Scan { coefficient: Expr<'g>, axis: usize, reverse: bool },
    /// `coefficient · value`, or `value · coefficient`, with masked coefficients.
    Matmul { side: Side, coefficient: MaskedDerivative<'g> },
}

impl<'g> Linear<'g> {
    /// The operator applied to a derivative.
    pub(crate) fn apply(&self, x: MaskedDerivative<'g>) -> MaskedDerivative<'g> {
        match self {
            Linear::ApplyMask(mask) => x.masked(*mask),
            Linear::Scale(factor) => x.scale(*factor),
            Linear::Negate => x.negate(),
            Linear::Cast { to, .. } => x.rearrange(|value| value.cast(*to), |factor| factor),
            Linear::Sum { axes, .. } => reduce::sum(&x, axes),
            Linear::Repeat { axes, shape } => reduce::repeat(&x, axes, shape),
            Linear::Reshape { from, to } => layout::reshape(&x, from, to),
            Linear::Permute(axes) => layout::permute(&x, axes),
            Linear::Slice(windows) => layout::slice(&x, windows),
            Linear::Pad(windows) => layout::pad(&x, windows),
            Linear::Relabel { to, op, .. } => layout::relabel(&x, to, op),
            Linear::BooleanMask { axis, mask } => mask::boolean_mask(&x, *axis, *mask),
            Linear::Unmask { axis, mask } => mask::unmask(&x, *axis, *mask),
            Linear::Gather(locations) => index::gather(&x, locations),
            Linear::ScatterAdd(locations) => index::scatter_add(&x, locations),
            Linear::Cumsum(direction) => scan::cumsum(&x, *direction),
            Linear::Scan { coefficient, axis, reverse } => scan::linear(&x, *coefficient, *axis, *reverse),
            Linear::Matmul { side: Side::Left, coefficient } => linalg::matmul(coefficient, &x),
            Linear::Matmul { side: Side::Right, coefficient } => linalg::matmul(&x, coefficient),
        }
    }

    /// The operator `Aᵀ` for which `⟨A x, y⟩ = ⟨x, Aᵀ y⟩`.
    pub(crate) fn transpose(self) -> Linear<'g> {
        match self {
            Linear::ApplyMask(_) | Linear::Scale(_) | Linear::Negate => self,
            Linear::Cast { from, to } => Linear::Cast { from: to, to: from },
            Linear::Sum { axes, shape } => Linear::Repeat { axes, shape },
            Linear::Repeat { axes, shape } => Linear::Sum { axes, shape },
            Linear::Reshape { from, to } => Linear::Reshape { from: to, to: from },
            Linear::Permute(axes) => Linear::Permute(layout::inverse(&axes)),
            Linear::Slice(windows) => Linear::Pad(windows),
            Linear::Pad(windows) => Linear::Slice(windows),
            Linear::Relabel { from, to, op } => Linear::Relabel { from: to, to: from, op },
            Linear::BooleanMask { axis, mask } => Linear::Unmask { axis, mask },
            Linear::Unmask { axis, mask } => Linear::BooleanMask { axis, mask },
            Linear::Gather(locations) => Linear::ScatterAdd(locations),
            Linear::ScatterAdd(locations) => Linear::Gather(locations),
            Linear::Cumsum(direction) => {
                Linear::Cumsum(Direction { reverse: !direction.reverse, ..direction })
            }
            // λₜ = valueₜ + aₜ₊₁·λₜ₊₁
            Linear::Scan { coefficient, axis, reverse } => {
                let coefficient = scan::shifted(coefficient, axis, !reverse);
                Linear::Scan { coefficient, axis, reverse: !reverse }
            }
            Linear::Matmul { side, coefficient } => {
                Linear::Matmul { side, coefficient: transposed(&coefficient) }
            }
        }
    }
}
