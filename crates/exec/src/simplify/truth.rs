//! What masks say: which of finitely many cases of what they speak about make
//! them true. Sets of cases decide what follows from what.
//!
//! A comparison with literals changes its answer at a literal and nowhere else,
//! so that the neighbours of the literals, the ends of the dtype and NaN stand
//! for all values: what holds for them holds for every one.

use std::cmp::Ordering;

use smallvec::SmallVec;
use tamis_graph::{Compare, DType, Layout, Logic, Node, NodeId, Op, Scalar, Shape};

use super::pattern::literal;
use super::rewriter::Rewriter;

/// How many complements and reshapes are looked through.
const DEPTH: usize = 4;

/// How many literals make few enough cases for the bits of [`Cases`].
pub(super) const MAX_TERMS: usize = 8;

/// What a term speaks about. Terms about the same see the same case in each element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    about: About,
    /// The shape that the answers were reshaped or broadcast to, if they were.
    arranged: Option<Shape>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The elements of an expression of this dtype.
    Values(NodeId, DType),
    /// The order of the elements of two expressions of this dtype.
    Order(NodeId, NodeId, DType),
}

/// A comparison or mask about one subject, or its complement.
#[derive(Debug, Clone)]
pub(super) struct Term {
    pub(super) id: NodeId,
    pub(super) subject: Subject,
    question: Question,
    negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// A mask itself.
    IsTrue,
    /// How the values compare with a literal, or with those of the other operand.
    Compares(Compare, Option<Scalar>),
}

/// A set of cases, one bit for each.
pub(super) type Cases = u64;

impl Term {
    pub(super) fn new(rewriter: &Rewriter<'_>, id: NodeId) -> Term {
        let mut node = rewriter.node(id);
        let (mut negated, mut arranged) = (false, None);
        for _ in 0..DEPTH {
            if let Op::Logic(Logic::Not) = node.op() {
                negated = !negated;
            } else if let Op::Layout(Layout::Reshape(_)) = node.op() {
                arranged.get_or_insert_with(|| node.shape().clone());
            } else {
                break;
            }
            node = rewriter.operand(&node, 0);
        }
        let (about, question) =
            comparison(rewriter, &node).unwrap_or((About::Values(node.id(), DType::Bool), Question::IsTrue));
        Term { id, subject: Subject { about, arranged }, question, negated }
    }

    /// Whether the mask is computed from the subject alone.
    pub(super) fn is_direct(&self) -> bool {
        self.subject.arranged.is_none()
    }

    /// The cases in which the mask is true.
    fn truth(&self, values: &[Scalar]) -> Cases {
        let bits = |answers: &mut dyn Iterator<Item = bool>| {
            answers.zip(0..).fold(0, |cases, (answer, bit)| cases | Cases::from(answer) << bit)
        };
        let cases = match (self.question, self.subject.about) {
            (Question::IsTrue, _) => bits(&mut values.iter().map(|value| *value == Scalar::Bool(true))),
            (Question::Compares(op, _), About::Order(..)) => {
                bits(&mut orders().into_iter().map(|order| is_so(op, order)))
            }
            (Question::Compares(op, literal), About::Values(..)) => {
                bits(&mut values.iter().map(|value| answer(op, *value, literal)))
            }
        };
        if self.negated { !cases } else { cases }
    }
}

/// What a comparison speaks about, if its elements are those of its first operand.
fn comparison(rewriter: &Rewriter<'_>, node: &Node) -> Option<(About, Question)> {
    let Op::Compare(op) = node.op() else { return None };
    let x = rewriter.operand(node, 0);
    let about = About::Values(x.id(), x.dtype());
    let Some(right) = node.operands().get(1) else { return Some((about, Question::Compares(*op, None))) };
    let right = rewriter.node(*right);
    if let Some(literal) = literal(rewriter, &right) {
        return (x.shape() == node.shape()).then_some((about, Question::Compares(*op, Some(literal))));
    }
    let in_order = x.id() <= right.id();
    let op = if in_order { *op } else { flipped(*op)? };
    let (a, b) = if in_order { (x.id(), right.id()) } else { (right.id(), x.id()) };
    Some((About::Order(a, b, x.dtype()), Question::Compares(op, None)))
}

/// The comparison with its operands exchanged.
pub(super) fn flipped(op: Compare) -> Option<Compare> {
    match op {
        Compare::Eq => Some(Compare::Eq),
        Compare::Ne => Some(Compare::Ne),
        Compare::Lt => Some(Compare::Gt),
        Compare::Le => Some(Compare::Ge),
        Compare::Gt => Some(Compare::Lt),
        Compare::Ge => Some(Compare::Le),
        Compare::IsNan | Compare::IsFinite | Compare::IsInf => None,
    }
}

/// The cases of one subject that some terms about it can distinguish.
pub(super) struct Table {
    about: About,
    values: SmallVec<[Scalar; 16]>,
    /// All cases that there are.
    pub(super) all: Cases,
}

impl Table {
    pub(super) fn new<'t>(terms: impl Iterator<Item = &'t Term> + Clone) -> Option<Table> {
        let about = terms.clone().next()?.subject.about;
        let literals = terms.filter_map(|term| match term.question {
            Question::Compares(_, literal) => literal,
            Question::IsTrue => None,
        });
        let (values, all) = match about {
            About::Values(_, dtype) => {
                let values = values(dtype, literals);
                let all = Cases::MAX.checked_shr(Cases::BITS.checked_sub(values.len() as u32)?)?;
                (values, all)
            }
            About::Order(a, b, dtype) => (SmallVec::new(), possible_orders(a == b, dtype.is_float())),
        };
        Some(Table { about, values, all })
    }

    /// The cases in which a term is true.
    pub(super) fn truth(&self, term: &Term) -> Cases {
        term.truth(&self.values) & self.all
    }

    /// The one comparison that is true in just these cases: its operands and
    /// its literal, among those of `terms`.
    pub(super) fn comparison<'t>(
        &self,
        cases: Cases,
        terms: impl Iterator<Item = &'t Term>,
    ) -> Option<(Compare, NodeId, Result<NodeId, Scalar>)> {
        const OPS: [Compare; 6] =
            [Compare::Eq, Compare::Ne, Compare::Lt, Compare::Le, Compare::Gt, Compare::Ge];
        for term in terms {
            let Question::Compares(_, literal) = term.question else { continue };
            let (x, right) = match (self.about, literal) {
                (About::Values(x, _), Some(literal)) => (x, Err(literal)),
                (About::Order(a, b, _), _) => (a, Ok(b)),
                (About::Values(..), None) => continue,
            };
            let means = |op: &Compare| {
                let question = Question::Compares(*op, literal);
                self.truth(&Term { question, negated: false, ..term.clone() }) == cases
            };
            if let Some(op) = OPS.into_iter().find(means) {
                return Some((op, x, right));
            }
        }
        None
    }

    /// The mask that a term about a mask is itself (`true`) or the complement of.
    pub(super) fn mask(&self, cases: Cases) -> Option<(NodeId, bool)> {
        let About::Values(mask, DType::Bool) = self.about else { return None };
        // The cases of a mask are false and true.
        match cases {
            0b01 => Some((mask, false)),
            0b10 => Some((mask, true)),
            _ => None,
        }
    }
}

/// The orders of two elements: less, equal, greater, and none, which NaN has.
fn orders() -> [Option<Ordering>; 4] {
    [Some(Ordering::Less), Some(Ordering::Equal), Some(Ordering::Greater), None]
}

fn possible_orders(of_itself: bool, has_nan: bool) -> Cases {
    let ordered: Cases = if of_itself { 0b0010 } else { 0b0111 };
    if has_nan { ordered | 0b1000 } else { ordered }
}

fn is_so(op: Compare, order: Option<Ordering>) -> bool {
    match op {
        Compare::Eq => order == Some(Ordering::Equal),
        Compare::Ne => order != Some(Ordering::Equal),
        Compare::Lt => order == Some(Ordering::Less),
        Compare::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Compare::Gt => order == Some(Ordering::Greater),
        Compare::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Compare::IsNan | Compare::IsFinite | Compare::IsInf => unreachable!("they take one operand"),
    }
}

fn answer(op: Compare, value: Scalar, literal: Option<Scalar>) -> bool {
    let float = match value {
        Scalar::F32(value) => f64::from(value),
        Scalar::F64(value) => value,
        // Integers are finite.
        Scalar::Bool(_) | Scalar::U8(_) | Scalar::I32(_) | Scalar::I64(_) => 0.0,
    };
    match (op, literal) {
        (Compare::IsNan, _) => float.is_nan(),
        (Compare::IsFinite, _) => float.is_finite(),
        (Compare::IsInf, _) => float.is_infinite(),
        (op, Some(literal)) => is_so(op, order(value, literal)),
        (Compare::Eq | Compare::Ne | Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge, None) => {
            unreachable!("a comparison of values is with a literal")
        }
    }
}

fn order(a: Scalar, b: Scalar) -> Option<Ordering> {
    match (a, b) {
        (Scalar::Bool(a), Scalar::Bool(b)) => a.partial_cmp(&b),
        (Scalar::U8(a), Scalar::U8(b)) => a.partial_cmp(&b),
        (Scalar::I32(a), Scalar::I32(b)) => a.partial_cmp(&b),
        (Scalar::I64(a), Scalar::I64(b)) => a.partial_cmp(&b),
        (Scalar::F32(a), Scalar::F32(b)) => a.partial_cmp(&b),
        (Scalar::F64(a), Scalar::F64(b)) => a.partial_cmp(&b),
        (_, _) => unreachable!("a comparison has operands of one dtype"),
    }
}

/// A value for every interval between the literals, and for each of them.
fn values(dtype: DType, literals: impl Iterator<Item = Scalar>) -> SmallVec<[Scalar; 16]> {
    let mut values: SmallVec<[Scalar; 16]> = match dtype {
        DType::Bool => return [false, true].map(Scalar::Bool).into_iter().collect(),
        DType::U8 => [u8::MIN, u8::MAX].map(Scalar::U8).into_iter().collect(),
        DType::I32 => [i32::MIN, i32::MAX].map(Scalar::I32).into_iter().collect(),
        DType::I64 => [i64::MIN, i64::MAX].map(Scalar::I64).into_iter().collect(),
        DType::F32 => {
            let ends = [f32::NAN, f32::NEG_INFINITY, f32::MIN, f32::MAX, f32::INFINITY];
            ends.map(Scalar::F32).into_iter().collect()
        }
        DType::F64 => {
            let ends = [f64::NAN, f64::NEG_INFINITY, f64::MIN, f64::MAX, f64::INFINITY];
            ends.map(Scalar::F64).into_iter().collect()
        }
    };
    for literal in literals {
        for value in around(literal) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    values
}

/// A value and its neighbours.
fn around(value: Scalar) -> [Scalar; 3] {
    match value {
        Scalar::Bool(v) => [false, v, true].map(Scalar::Bool),
        Scalar::U8(v) => [v.saturating_sub(1), v, v.saturating_add(1)].map(Scalar::U8),
        Scalar::I32(v) => [v.saturating_sub(1), v, v.saturating_add(1)].map(Scalar::I32),
        Scalar::I64(v) => [v.saturating_sub(1), v, v.saturating_add(1)].map(Scalar::I64),
        Scalar::F32(v) => [v.next_down(), v, v.next_up()].map(Scalar::F32),
        Scalar::F64(v) => [v.next_down(), v, v.next_up()].map(Scalar::F64),
    }
}
