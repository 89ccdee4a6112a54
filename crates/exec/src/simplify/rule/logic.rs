//! The algebra of masks. A conjunction is taken apart into a few terms; a
//! disjunction likewise, as the complement of the conjunction of complements.

use smallvec::SmallVec;
use tamis_graph::{Logic, Node, NodeId, Op, Scalar};

use crate::simplify::pattern::literal;
use crate::simplify::rewriter::Rewriter;
use crate::simplify::truth::{Cases, MAX_TERMS, Table, Term};

/// Terms that `∧` or `∨` joins, with the operand of the node that each came from.
type Terms = SmallVec<[(Term, usize); MAX_TERMS]>;

/// The terms of a chain of one op: the last few, where it is longer, so that
/// the work for a node has a bound.
fn terms(rewriter: &Rewriter<'_>, node: &Node) -> Terms {
    let mut found: SmallVec<[(NodeId, usize); MAX_TERMS]> =
        node.operands().iter().enumerate().map(|(side, id)| (*id, side)).collect();
    let mut next = 0;
    while next < found.len() && found.len() < MAX_TERMS {
        let (id, side) = found[next];
        let inner = rewriter.node(id);
        if inner.op() == node.op() {
            found[next] = (inner.operands()[0], side);
            found.push((inner.operands()[1], side));
        } else {
            next += 1;
        }
    }
    found.into_iter().map(|(id, side)| (Term::new(rewriter, id), side)).collect()
}

/// What the terms of a node say, and which of them are needed.
struct Junction {
    /// `∧` or `∨`.
    op: Logic,
    terms: Terms,
    /// What replaces each term; `None` for one that is left out.
    kept: SmallVec<[Option<NodeId>; MAX_TERMS]>,
}

impl Junction {
    fn new(rewriter: &Rewriter<'_>, node: &Node) -> Option<Junction> {
        let Op::Logic(op @ (Logic::And | Logic::Or)) = node.op() else { return None };
        let terms = terms(rewriter, node);
        let kept = terms.iter().map(|(term, _)| Some(term.id)).collect();
        Some(Junction { op: *op, terms, kept })
    }

    /// The terms that are still needed as they are.
    fn standing(&self) -> impl Iterator<Item = &Term> + Clone {
        let stands = |((term, _), kept): (&'_ (Term, usize), &Option<NodeId>)| *kept == Some(term.id);
        self.terms.iter().zip(&self.kept).filter(move |pair| stands(*pair)).map(|((term, _), _)| term)
    }

    /// The standing terms about what `term` speaks about, other than itself.
    fn others<'t>(&'t self, term: &'t Term) -> impl Iterator<Item = &'t Term> + Clone {
        self.standing().filter(move |other| !std::ptr::eq(*other, term) && other.subject == term.subject)
    }

    /// The cases that a term leaves open: of a conjunction those in which it is
    /// true, of a disjunction those in which it is not.
    fn open(&self, table: &Table, term: &Term) -> Cases {
        let truth = table.truth(term);
        if self.op == Logic::And { truth } else { table.all & !truth }
    }

    /// The cases that all of `terms` leave open.
    fn open_to_all<'t>(&self, table: &Table, terms: impl Iterator<Item = &'t Term>) -> Cases {
        terms.fold(table.all, |cases, term| cases & self.open(table, term))
    }

    /// Whether no case is left: a conjunction of what cannot be together, a
    /// disjunction of all there is.
    fn is_decided(&self) -> bool {
        self.terms.iter().any(|(term, _)| {
            if self.others(term).next().is_none() {
                return false;
            }
            let about = self.standing().filter(|other| other.subject == term.subject);
            Table::new(about.clone()).is_some_and(|table| self.open_to_all(&table, about) == 0)
        })
    }

    /// Whether a term may be left out: its errors are those of what stays.
    fn may_drop(&self, rewriter: &Rewriter<'_>, term: &Term) -> bool {
        rewriter.is_total(term.id) || (term.is_direct() && self.others(term).next().is_some())
    }

    /// Leaves out terms that follow from others.
    fn drop_implied(&mut self, rewriter: &Rewriter<'_>) {
        for index in (0..self.terms.len()).rev() {
            let term = &self.terms[index].0;
            if self.others(term).next().is_none() {
                continue;
            }
            let Some(table) = Table::new(self.others(term).chain([term])) else { continue };
            let open = self.open_to_all(&table, self.others(term));
            let is_implied = open & !self.open(&table, term) == 0;
            if is_implied && self.kept[index].is_some() && self.may_drop(rewriter, term) {
                self.kept[index] = None;
            }
        }
    }

    /// `a ∧ (a ∨ b)` is `a`, and `a ∧ (¬a ∨ b)` is `a ∧ b`.
    fn absorb(&mut self, rewriter: &Rewriter<'_>) {
        for index in 0..self.terms.len() {
            let node = rewriter.node(self.terms[index].0.id);
            let Some(inner) = Junction::new(rewriter, &node).filter(|inner| inner.op != self.op) else {
                continue;
            };
            for (at, (term, _)) in inner.terms.iter().enumerate() {
                if self.others(term).next().is_none() {
                    continue;
                }
                let Some(table) = Table::new(self.others(term).chain([term])) else { continue };
                let open = self.open_to_all(&table, self.others(term));
                let own = self.open(&table, term);
                let is_kept = |member: &Term| rewriter.is_total(member.id) || self.may_drop(rewriter, member);
                if open & !own == 0 && inner.terms.iter().all(|(member, _)| is_kept(member)) {
                    self.kept[index] = None;
                } else if open & own == 0 && inner.terms.len() == 2 && is_kept(term) {
                    self.kept[index] = Some(inner.terms[1 - at].0.id);
                } else {
                    continue;
                }
                break;
            }
        }
    }

    /// The terms that stay, joined again; what did not change stays as it was.
    fn rebuilt(&self, rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
        let mut sides: SmallVec<[NodeId; 2]> = SmallVec::new();
        for (side, operand) in node.operands().iter().enumerate() {
            let indices = || (0..self.terms.len()).filter(|index| self.terms[*index].1 == side);
            if indices().all(|index| self.kept[index] == Some(self.terms[index].0.id)) {
                sides.push(*operand);
                continue;
            }
            let kept: SmallVec<[NodeId; MAX_TERMS]> =
                indices().filter_map(|index| self.kept[index]).collect();
            sides.extend(joined(rewriter, self.op, &kept)?);
        }
        let result = joined(rewriter, self.op, &sides)??;
        rewriter.broadcast(result, node.shape())
    }
}

/// The terms joined by `op`; `Some(None)` where there are none.
fn joined(rewriter: &mut Rewriter<'_>, op: Logic, terms: &[NodeId]) -> Option<Option<NodeId>> {
    let Some((first, rest)) = terms.split_first() else { return Some(None) };
    let mut result = *first;
    for term in rest {
        result = rewriter.apply(op, &[result, *term])?;
    }
    Some(Some(result))
}

fn known(rewriter: &mut Rewriter<'_>, value: bool, node: &Node) -> Option<NodeId> {
    if !rewriter.is_total(node.id()) {
        return None;
    }
    let value = rewriter.scalar(Scalar::Bool(value))?;
    rewriter.broadcast(value, node.shape())
}

/// Terms of `∧` and `∨` that decide the result, follow from others, or are absorbed by
/// them.
pub(super) fn follows(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let mut junction = Junction::new(rewriter, node)?;
    let deciding = Scalar::Bool(junction.op == Logic::Or);
    let decides = |term: &Term| literal(rewriter, &rewriter.node(term.id)) == Some(deciding);
    if junction.standing().any(decides) || junction.is_decided() {
        return known(rewriter, junction.op == Logic::Or, node);
    }
    junction.drop_implied(rewriter);
    junction.absorb(rewriter);
    let is_same = junction.terms.iter().zip(&junction.kept).all(|((term, _), kept)| *kept == Some(term.id));
    if is_same { None } else { junction.rebuilt(rewriter, node) }
}

/// Two comparisons of the same operands that can be merged into one, or decided: `x < 1 ∨ x = 1`
/// is `x ≤ 1`.
pub(super) fn one_comparison(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Logic(op @ (Logic::And | Logic::Or | Logic::Xor)) = node.op() else { return None };
    let pair = [0, 1].map(|side| Term::new(rewriter, node.operands()[side]));
    if pair[0].subject != pair[1].subject {
        return None;
    }
    let table = Table::new(pair.iter())?;
    let [a, b] = pair.each_ref().map(|term| table.truth(term));
    let cases = match op {
        Logic::And => a & b,
        Logic::Or => a | b,
        Logic::Xor | Logic::Not => a ^ b,
    };
    if cases == 0 || cases == table.all {
        return known(rewriter, cases != 0, node);
    }
    if !pair[0].is_direct() {
        return None;
    }
    let (compare, x, right) = table.comparison(cases, pair.iter())?;
    let right = match right {
        Ok(id) => id,
        Err(scalar) => rewriter.scalar(scalar)?,
    };
    rewriter.apply(compare, &[x, right])
}

/// A comparison with one answer: of bytes `x ≥ 0`, of anything `x < x`. Of a
/// mask with a literal, the mask itself or its complement.
pub(super) fn known_answer(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Compare(_) = node.op() else { return None };
    let term = Term::new(rewriter, node.id());
    let table = Table::new([&term].into_iter())?;
    let cases = table.truth(&term);
    if cases == 0 || cases == table.all {
        return known(rewriter, cases != 0, node);
    }
    match table.mask(cases)? {
        (mask, _) if mask == node.id() => None,
        (mask, true) => Some(mask),
        (mask, false) => rewriter.apply(Logic::Not, &[mask]),
    }
}

/// An exclusive or, in which equal terms and pairs of complements vanish.
pub(super) fn exclusive(rewriter: &mut Rewriter<'_>, node: &Node) -> Option<NodeId> {
    let Op::Logic(Logic::Xor) = node.op() else { return None };
    let (mut bases, mut complements): (SmallVec<[NodeId; MAX_TERMS]>, usize) = (SmallVec::new(), 0);
    let mut has_less = false;
    for (term, _) in terms(rewriter, node) {
        let mask = rewriter.node(term.id);
        let base = if *mask.op() == Op::Logic(Logic::Not) { mask.operands()[0] } else { mask.id() };
        complements += usize::from(base != mask.id());
        if let Some(value) = literal(rewriter, &mask) {
            complements += usize::from(value == Scalar::Bool(true));
            has_less = true;
        } else if let Some(index) = bases.iter().position(|other| *other == base) {
            if !rewriter.is_total(base) {
                return None;
            }
            bases.swap_remove(index);
            has_less = true;
        } else {
            bases.push(base);
        }
    }
    if !has_less && complements < 2 {
        return None;
    }
    bases.sort_unstable();
    let odd = complements % 2 == 1;
    let Some(mut result) = joined(rewriter, Logic::Xor, &bases)? else { return known(rewriter, odd, node) };
    if odd {
        result = rewriter.apply(Logic::Not, &[result])?;
    }
    rewriter.broadcast(result, node.shape())
}
