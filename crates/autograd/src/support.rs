//! Where a derivative is not exactly zero: a conjunction of masks.

use smallvec::SmallVec;
use tamis_graph::{Dim, Expr, Layout, Logic, Op, Scalar, Shape, Source};

use crate::arrange::{reshaped, squeezed};

/// A conjunction of *factors*: masks of one rank, with literal 1s on the axes
/// along which they do not vary. No factor means everywhere.
///
/// Kept in factors, a mask of the rows stays at `[n, 1]` instead of `[n, n]`,
/// and two supports show what they share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Support<'g> {
    /// Sorted by id, each once.
    factors: SmallVec<[Expr<'g>; 2]>,
}

/// Beyond this many, factors are merged into one mask, so that a long chain of
/// selections costs the same at every step.
const MAX_FACTORS: usize = 8;

impl<'g> FromIterator<Expr<'g>> for Support<'g> {
    fn from_iter<I: IntoIterator<Item = Expr<'g>>>(factors: I) -> Support<'g> {
        let mut all = SmallVec::new();
        factors.into_iter().for_each(|factor| all.push(factor));
        Support::of_factors(all)
    }
}

impl<'g> Support<'g> {
    /// The support that is all of these factors, in any order.
    fn of_factors(mut factors: SmallVec<[Expr<'g>; 2]>) -> Support<'g> {
        factors.sort_unstable_by_key(|factor| factor.id());
        factors.dedup_by_key(|factor| factor.id());
        let support = Support { factors };
        if support.factors.len() <= MAX_FACTORS {
            return support;
        }
        Support { factors: support.conjunction().into_iter().collect() }
    }

    /// The support that is `mask`, broadcast along the trailing axes of a value of `rank`.
    pub(crate) fn of_mask(mask: Expr<'g>, rank: usize) -> Support<'g> {
        let axes = (rank - mask.rank()..rank).map(Some).collect();
        let mut terms: SmallVec<[Term<'g>; 4]> = SmallVec::new();
        terms.push(Term { mask, axes, negated: false });
        let mut factors: SmallVec<[Expr<'g>; 2]> = SmallVec::new();
        while let Some(term) = terms.pop() {
            let may_split = MAX_FACTORS > terms.len() + factors.len() + 1;
            match term.split_terms(may_split) {
                Some(inner) => terms.extend(inner),
                None => factors.push(term.to_factor(rank)),
            }
        }
        factors.into_iter().collect()
    }

    pub(crate) fn is_everywhere(&self) -> bool {
        self.factors.is_empty()
    }

    /// Whether both are the same factors.
    pub(crate) fn equals(&self, other: &Support<'g>) -> bool {
        let ids =
            |support: &Support<'g>| support.factors.iter().map(|f| f.id()).collect::<SmallVec<[_; 8]>>();
        ids(self) == ids(other)
    }

    fn contains(&self, factor: Expr<'g>) -> bool {
        self.factors.iter().any(|own| own.id() == factor.id())
    }

    /// Where both hold.
    pub(crate) fn and(&self, other: &Support<'g>) -> Support<'g> {
        self.factors.iter().chain(&other.factors).copied().collect()
    }

    /// What the two supports share, what only the first has, what only the second has.
    pub(crate) fn compare(&self, other: &Support<'g>) -> [Support<'g>; 3] {
        let shared = self.factors.iter().filter(|factor| other.contains(**factor)).copied();
        let rest = |a: &Support<'g>, b: &Support<'g>| -> Support<'g> {
            a.factors.iter().filter(|factor| !b.contains(**factor)).copied().collect()
        };
        [shared.collect(), rest(self, other), rest(other, self)]
    }

    /// The factors that do not vary along any of `axes`, and the others.
    pub(crate) fn split(&self, axes: &[usize]) -> (Support<'g>, Support<'g>) {
        let (varying, constant): (Vec<_>, Vec<_>) =
            self.factors.iter().partition(|factor| varies(**factor, axes));
        (constant.into_iter().collect(), varying.into_iter().collect())
    }

    /// Each factor rearranged.
    pub(crate) fn map(&self, rearrange: impl FnMut(Expr<'g>) -> Expr<'g>) -> Support<'g> {
        self.factors.iter().copied().map(rearrange).collect()
    }

    /// One mask that says the same, at the smallest shape that can; `None` if everywhere.
    pub(crate) fn conjunction(&self) -> Option<Expr<'g>> {
        self.factors.iter().copied().reduce(|a, b| a & b)
    }
}

/// Whether a factor varies along any of `axes`.
pub(crate) fn varies(factor: Expr<'_>, axes: &[usize]) -> bool {
    let shape = factor.shape();
    axes.iter().any(|axis| !shape[*axis].is_one())
}

/// A mask on its way to a factor.
struct Term<'g> {
    mask: Expr<'g>,
    /// Which axis of the value each axis of the mask is; an axis of length 1 may be none.
    axes: SmallVec<[Option<usize>; 4]>,
    negated: bool,
}

impl<'g> Term<'g> {
    /// The terms whose conjunction this is: conjunctions are split if they `may_split`,
    /// broadcasts and inserted 1s are removed. `None` for a term that cannot be split.
    fn split_terms(&self, may_split: bool) -> Option<SmallVec<[Term<'g>; 2]>> {
        let node = self.mask.node();
        let operand = |position: usize| self.mask.graph().expr(node.operands()[position]);
        // Operands broadcast along the trailing axes.
        let aligned = |mask: Expr<'g>, negated: bool| {
            let axes = self.axes[self.axes.len() - mask.rank()..].into();
            Term { mask, axes, negated }
        };
        if let Op::Source(Source::Scalar(Scalar::Bool(value))) = node.op() {
            return (*value != self.negated).then(SmallVec::new);
        }
        if let Op::Logic(Logic::And) = node.op() {
            let split = || [aligned(operand(0), false), aligned(operand(1), false)].into_iter().collect();
            return (may_split && !self.negated).then(split);
        }
        if let Op::Logic(Logic::Not) = node.op() {
            return Some([aligned(operand(0), !self.negated)].into_iter().collect());
        }
        if let Op::Layout(Layout::BroadcastTo(_)) = node.op() {
            return Some([aligned(operand(0), self.negated)].into_iter().collect());
        }
        if let Op::Layout(Layout::Reshape(shape)) = node.op() {
            let mask = operand(0);
            let axes = aligned_axes(&mask.shape(), shape, &self.axes)?;
            return Some([Term { mask, axes, negated: self.negated }].into_iter().collect());
        }
        None
    }

    fn to_factor(&self, rank: usize) -> Expr<'g> {
        let mask = if self.negated { !self.mask } else { self.mask };
        let mut dims = vec![Dim::ONE; rank];
        for (dim, axis) in mask.shape().iter().zip(&self.axes) {
            if let Some(axis) = axis {
                dims[*axis] = dim.clone();
            }
        }
        reshaped(mask, dims.into_iter().collect())
    }
}

/// The axes of `from` among those of the value, if a reshape from it to `to`,
/// whose `axes` are given, only adds or drops 1s.
fn aligned_axes(from: &Shape, to: &Shape, axes: &[Option<usize>]) -> Option<SmallVec<[Option<usize>; 4]>> {
    if squeezed(from) != squeezed(to) {
        return None;
    }
    let mut long = to.iter().zip(axes).filter(|(dim, _)| !dim.is_one()).map(|(_, axis)| *axis);
    Some(from.iter().map(|dim| if dim.is_one() { None } else { long.next().flatten() }).collect())
}
