//! A masked derivative: a value and its support, the mask outside of which the
//! derivative is exactly 0. Does not depend on ops.

use tamis_graph::{Expr, Layout, Op, Scalar, Source, where_};

use crate::arrange::broadcast;
use crate::support::Support;

/// A cotangent or a tangent. Outside the support the true number is exactly 0 and
/// `value` is unspecified: it may be NaN there.
#[derive(Debug, Clone)]
pub(crate) struct MaskedDerivative<'g> {
    pub(crate) value: Expr<'g>,
    pub(crate) support: Support<'g>,
    /// Whether `value` is 0 outside the support already.
    clean: bool,
}

impl<'g> MaskedDerivative<'g> {
    /// `value`, which is valid everywhere.
    pub(crate) fn everywhere(value: Expr<'g>) -> MaskedDerivative<'g> {
        MaskedDerivative { value, support: Support::default(), clean: true }
    }

    pub(crate) fn new(value: Expr<'g>, support: Support<'g>, clean: bool) -> MaskedDerivative<'g> {
        MaskedDerivative { value, clean: clean || support.is_everywhere(), support }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.clean
    }

    /// The true numbers.
    pub(crate) fn select(&self) -> Expr<'g> {
        self.select_by(&self.support)
    }

    /// The value with 0 outside `support`, which is implied by its own.
    pub(crate) fn select_by(&self, support: &Support<'g>) -> Expr<'g> {
        if self.clean { self.value } else { selected(self.value, support) }
    }

    /// 0 where the mask, which broadcasts to the value, is false.
    pub(crate) fn masked(self, mask: Expr<'g>) -> MaskedDerivative<'g> {
        let support = self.support.and(&Support::of_mask(mask, self.value.rank()));
        let clean = self.clean && support.equals(&self.support);
        MaskedDerivative::new(self.value, support, clean)
    }

    /// Times `factor`, which broadcasts to the value. It may be infinite outside the support.
    pub(crate) fn scale(self, factor: Expr<'g>) -> MaskedDerivative<'g> {
        let value =
            if is_one(self.value) { broadcast(factor, self.value.shape()) } else { self.value * factor };
        MaskedDerivative::new(value, self.support, false)
    }

    pub(crate) fn negate(self) -> MaskedDerivative<'g> {
        MaskedDerivative { value: -self.value, ..self }
    }

    /// The sum of two derivatives. Each is selected only by what the other does not share.
    pub(crate) fn add(self, other: MaskedDerivative<'g>) -> MaskedDerivative<'g> {
        if self.support.equals(&other.support) {
            return MaskedDerivative::new(self.value + other.value, self.support, self.clean && other.clean);
        }
        let [shared, own, others] = self.support.compare(&other.support);
        let value = self.select_by(&own) + other.select_by(&others);
        let clean = shared.is_everywhere() || (self.clean && other.clean);
        let support = match (own.conjunction(), others.conjunction()) {
            (Some(own), Some(others)) => shared.and(&[own | others].into_iter().collect()),
            (None, _) | (_, None) => shared,
        };
        MaskedDerivative::new(value, support, clean)
    }

    /// The same rearrangement of the value and of every factor. It must not
    /// bring in elements.
    pub(crate) fn rearrange(
        &self,
        value: impl FnOnce(Expr<'g>) -> Expr<'g>,
        factor: impl FnMut(Expr<'g>) -> Expr<'g>,
    ) -> MaskedDerivative<'g> {
        MaskedDerivative::new(value(self.value), self.support.map(factor), self.clean)
    }

    /// A sum of elements along `axes`, be it of all or of some of them.
    ///
    /// Factors that do not vary along the axes `pass`; by the others the value
    /// is selected first, and `merge` says what becomes of their conjunction.
    pub(crate) fn accumulate(
        &self,
        axes: &[usize],
        value: impl FnOnce(Expr<'g>) -> Expr<'g>,
        pass: impl FnMut(Expr<'g>) -> Expr<'g>,
        merge: impl FnOnce(Option<Expr<'g>>) -> Option<Expr<'g>>,
    ) -> MaskedDerivative<'g> {
        let (constant, varying) = self.support.split(axes);
        let value = value(self.select_by(&varying));
        let merged: Support<'g> = merge(varying.conjunction()).into_iter().collect();
        let clean = self.clean || constant.is_everywhere();
        MaskedDerivative::new(value, constant.map(pass).and(&merged), clean)
    }
}

/// `value` where the support holds, 0 elsewhere.
pub(crate) fn selected<'g>(value: Expr<'g>, support: &Support<'g>) -> Expr<'g> {
    support.conjunction().map_or(value, |mask| where_(mask, value, 0.0))
}

/// Whether every element is the literal 1.
fn is_one(value: Expr<'_>) -> bool {
    let mut node = value.node();
    if let Op::Layout(Layout::BroadcastTo(_)) = node.op() {
        node = value.graph().node(node.operands()[0]);
    }
    let one = Scalar::F64(1.0).cast(value.dtype());
    matches!(node.op(), Op::Source(Source::Scalar(scalar)) if *scalar == one)
}
