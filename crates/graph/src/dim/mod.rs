//! Lengths of axes as exact polynomials over lengths that are known only at run time.
//! Does not depend on nodes beyond their ids.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use foldhash::fast::FixedState;

mod polynomial;
mod print;
#[cfg(test)]
mod tests;

use polynomial::{Monomial, Polynomial};
use print::Brief;

use crate::node::NodeId;
use crate::steps;

/// The length of an axis: a number, or a polynomial with integer coefficients
/// over [`Symbol`]s. Two lengths that are the same polynomial are equal in every run.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n", 3]);
/// assert_eq!(x.flatten().dim(0).to_string(), "3*n");
/// assert_eq!(x.boolean_mask(x.gt(0.0)).dim(0).to_string(), "count(%3)");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dim(Repr);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Known(i64),
    /// Never a constant: that is `Known`.
    Symbolic(Arc<Symbolic>),
}

/// A polynomial with its hash, which is taken once however many nodes have the length.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Symbolic {
    hash: u64,
    polynomial: Polynomial,
}

impl Symbolic {
    fn new(polynomial: Polynomial) -> Symbolic {
        steps::add(polynomial.terms.len());
        Symbolic { hash: FixedState::default().hash_one(&polynomial), polynomial }
    }
}

impl Deref for Symbolic {
    type Target = Polynomial;

    fn deref(&self) -> &Polynomial {
        &self.polynomial
    }
}

impl Hash for Symbolic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for Symbolic {
    fn partial_cmp(&self, other: &Symbolic) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Symbolic {
    fn cmp(&self, other: &Symbolic) -> Ordering {
        self.polynomial.cmp(&other.polynomial)
    }
}

/// A length that is known only at run time. Never negative.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Symbol {
    /// The named dimension of an input.
    Named(Arc<str>),
    /// The number of true elements of a mask.
    Count(NodeId),
    /// A length that is no polynomial of the others.
    Opaque(Arc<Opaque>),
}

/// How a length that is not a polynomial is computed from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// `max(dim, 0)`: the length of a clamped slice.
    AtLeastZero(Dim),
    /// `ceil(dim / step)`: the length of a strided slice.
    CeilDiv(Dim, i64),
    /// `numerator / denominator`, which a guard checks to be exact: an inferred
    /// dimension of a reshape.
    Quotient(Dim, Dim),
}

/// A [`Rule`] and how deeply rules are nested in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Opaque {
    rule: Rule,
    depth: u32,
}

/// Nested rules beyond this depth are refused, so that no traversal of a dimension can
/// exhaust the stack.
const MAX_DEPTH: u32 = 64;

/// What is known at build time of two lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal in every run.
    Equal,
    /// Different in every run.
    Different,
    /// Decided at run time.
    Unknown,
}

/// Why a length could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DimError {
    /// A coefficient or a value does not fit into `i64`.
    #[error("the size overflows")]
    Overflow,
    /// A length does not fit into `i64`.
    #[error("the size overflows: {size}")]
    TooLarge {
        /// What it is computed from.
        size: String,
    },
    /// The expression is nested or branched too far.
    #[error("the size is too complicated an expression")]
    TooComplex,
    /// The expression has more terms than a length may have.
    #[error(
        "the size would be a sum of {terms} terms, of which a length may have 256, or as many as are \
         concatenated in one call; concatenate all at once, or in another plan whose result is fed to \
         an input with a named length"
    )]
    TooManyTerms {
        /// How many terms there are.
        terms: usize,
    },
    /// A symbol has no value in this run.
    #[error("`{0}` has no value")]
    Unbound(Symbol),
    /// An inferred dimension of a reshape is not an integer.
    #[error("{numerator} elements cannot be divided by {denominator}")]
    Inexact {
        /// The number of elements there are.
        numerator: i64,
        /// The product of the other dimensions.
        denominator: i64,
    },
}

impl DimError {
    /// The same error, or for an overflow the one that `size` makes, which says of what.
    fn with_size(self, size: impl FnOnce() -> DimError) -> DimError {
        if self == DimError::Overflow { size() } else { self }
    }
}

impl From<Polynomial> for Dim {
    fn from(polynomial: Polynomial) -> Dim {
        let offset = polynomial.offset();
        let constants = usize::from(offset != 0);
        if polynomial.terms.len() == constants {
            Dim(Repr::Known(offset))
        } else {
            Dim(Repr::Symbolic(Arc::new(Symbolic::new(polynomial))))
        }
    }
}

impl From<usize> for Dim {
    fn from(length: usize) -> Dim {
        Dim(Repr::Known(i64::try_from(length).unwrap_or(i64::MAX)))
    }
}

impl From<Symbol> for Dim {
    fn from(symbol: Symbol) -> Dim {
        let monomial: Monomial = [symbol].into_iter().collect();
        Dim::from(Polynomial { terms: [(monomial, 1)].into_iter().collect() })
    }
}

impl Dim {
    /// The literal length 1, the only one that broadcasts.
    pub const ONE: Dim = Dim(Repr::Known(1));
    /// The literal length 0.
    pub const ZERO: Dim = Dim(Repr::Known(0));

    pub(crate) const fn int(value: i64) -> Dim {
        Dim(Repr::Known(value))
    }

    pub(crate) fn count(mask: NodeId) -> Dim {
        Dim::from(Symbol::Count(mask))
    }

    /// The number, if the length is known at build time.
    pub fn known(&self) -> Option<usize> {
        match self.0 {
            Repr::Known(value) => usize::try_from(value).ok(),
            Repr::Symbolic(_) => None,
        }
    }

    pub(crate) fn known_int(&self) -> Option<i64> {
        match self.0 {
            Repr::Known(value) => Some(value),
            Repr::Symbolic(_) => None,
        }
    }

    /// The symbol, if the length is exactly one.
    pub fn symbol(&self) -> Option<&Symbol> {
        match &self.0 {
            Repr::Known(_) => None,
            Repr::Symbolic(polynomial) => match polynomial.terms.as_slice() {
                [(monomial, 1)] if monomial.len() == 1 => monomial.first(),
                _ => None,
            },
        }
    }

    /// Whether this is the literal 1.
    pub fn is_one(&self) -> bool {
        self.0 == Repr::Known(1)
    }

    fn polynomial(&self) -> Cow<'_, Polynomial> {
        match &self.0 {
            Repr::Known(value) => Cow::Owned(Polynomial::constant(*value)),
            Repr::Symbolic(polynomial) => Cow::Borrowed(polynomial),
        }
    }

    /// The sum of two lengths.
    ///
    /// # Errors
    /// When a coefficient overflows, or the expression has too many terms or is nested too deeply.
    pub fn add(&self, other: &Dim) -> Result<Dim, DimError> {
        if let (Repr::Known(a), Repr::Known(b)) = (&self.0, &other.0) {
            return a.checked_add(*b).map(Dim::int).ok_or_else(|| self.too_large("+", other));
        }
        let sum = self.polynomial().add_scaled(&other.polynomial(), 1);
        Ok(sum.map_err(|error| error.with_size(|| self.too_large("+", other)))?.into())
    }

    /// The sum of any number of lengths, in the time that sorting their terms takes.
    ///
    /// # Errors
    /// When a coefficient overflows.
    ///
    /// ```
    /// use tamis::{Dim, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", dims!["n", 3]);
    /// assert_eq!(Dim::sum(&[x.dim(0), x.dim(1), x.dim(0)])?.to_string(), "2*n + 3");
    /// # Ok::<(), tamis::graph::DimError>(())
    /// ```
    pub fn sum<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> Result<Dim, DimError> {
        let polynomials: Vec<Cow<'d, Polynomial>> = dims.into_iter().map(Dim::polynomial).collect();
        Ok(Polynomial::sum(polynomials.iter().map(|polynomial| &**polynomial))?.into())
    }

    /// The length, unless it has more terms than any may have and more than `terms`.
    pub(crate) fn limited(self, terms: usize) -> Result<Dim, DimError> {
        match self.0 {
            Repr::Known(_) => Ok(self),
            Repr::Symbolic(ref polynomial) => polynomial.limited(terms).map(|()| self),
        }
    }

    /// The difference of two lengths, which may be negative.
    ///
    /// # Errors
    /// When a coefficient overflows, or the expression has too many terms or is nested too deeply.
    pub fn sub(&self, other: &Dim) -> Result<Dim, DimError> {
        if let (Repr::Known(a), Repr::Known(b)) = (&self.0, &other.0) {
            return a.checked_sub(*b).map(Dim::int).ok_or_else(|| self.too_large("-", other));
        }
        let difference = self.polynomial().add_scaled(&other.polynomial(), -1);
        Ok(difference.map_err(|error| error.with_size(|| self.too_large("-", other)))?.into())
    }

    /// The product of two lengths.
    ///
    /// # Errors
    /// When a coefficient overflows, or the expression has too many terms or is nested too deeply.
    pub fn mul(&self, other: &Dim) -> Result<Dim, DimError> {
        if let (Repr::Known(a), Repr::Known(b)) = (&self.0, &other.0) {
            return a.checked_mul(*b).map(Dim::int).ok_or_else(|| self.too_large("*", other));
        }
        let product = self.polynomial().multiply(&other.polynomial());
        Ok(product.map_err(|error| error.with_size(|| self.too_large("*", other)))?.into())
    }

    fn too_large(&self, operator: &str, other: &Dim) -> DimError {
        DimError::TooLarge { size: format!("{} {operator} {}", Brief(self), Brief(other)) }
    }

    /// `self / other` if the division is exact whatever the symbols are.
    pub fn divide_exact(&self, other: &Dim) -> Option<Dim> {
        self.polynomial().divide_exact(&other.polynomial()).map(Dim::from)
    }

    /// The length `self / other`, checked at run time where it is not exact by proof.
    ///
    /// # Errors
    /// When both are known and the division is not exact.
    pub(crate) fn quotient(&self, other: &Dim) -> Result<Dim, DimError> {
        if let Some(exact) = self.divide_exact(other) {
            return Ok(exact);
        }
        match (self.known_int(), other.known_int()) {
            (Some(numerator), Some(denominator)) => Err(DimError::Inexact { numerator, denominator }),
            _ => Dim::opaque(Rule::Quotient(self.clone(), other.clone())),
        }
    }

    /// Whether no coefficient is negative, so that the length is not in any run.
    pub(crate) fn is_never_negative(&self) -> bool {
        match &self.0 {
            Repr::Known(value) => *value >= 0,
            Repr::Symbolic(polynomial) => polynomial.terms.iter().all(|(_, c)| *c >= 0),
        }
    }

    /// `max(self, 0)`.
    ///
    /// # Errors
    /// When the expression has too many terms or is nested too deeply.
    pub fn at_least_zero(&self) -> Result<Dim, DimError> {
        let Repr::Symbolic(polynomial) = &self.0 else {
            return Ok(Dim::int(self.known_int().unwrap_or(0).max(0)));
        };
        if self.is_never_negative() {
            return Ok(self.clone());
        }
        if polynomial.terms.iter().all(|(_, c)| *c <= 0) {
            return Ok(Dim::ZERO);
        }
        // max(max(p, 0) − k, 0) = max(p − k, 0) for k ≥ 0.
        let offset = polynomial.offset();
        if offset <= 0
            && let Some(Symbol::Opaque(opaque)) = self.sub(&Dim::int(offset))?.symbol()
            && let Rule::AtLeastZero(inner) = &opaque.rule
        {
            return inner.add(&Dim::int(offset))?.at_least_zero();
        }
        Dim::opaque(Rule::AtLeastZero(self.clone()))
    }

    /// `ceil(self / step)` for a positive step.
    pub(crate) fn ceil_div(&self, step: i64) -> Result<Dim, DimError> {
        if step == 1 {
            return Ok(self.clone());
        }
        if let Some(value) = self.known_int() {
            return Ok(Dim::int(ceil_div(value, step)));
        }
        if let Some(exact) = self.divide_exact(&Dim::int(step)) {
            return Ok(exact);
        }
        // ceil(ceil(p / a) / b) = ceil(p / (a·b)).
        if let Some(Symbol::Opaque(opaque)) = self.symbol()
            && let Rule::CeilDiv(inner, first) = &opaque.rule
        {
            return inner.ceil_div(first.checked_mul(step).ok_or(DimError::Overflow)?);
        }
        Dim::opaque(Rule::CeilDiv(self.clone(), step))
    }

    fn opaque(rule: Rule) -> Result<Dim, DimError> {
        let depth = match &rule {
            Rule::AtLeastZero(dim) | Rule::CeilDiv(dim, _) => dim.depth(),
            Rule::Quotient(a, b) => a.depth().max(b.depth()),
        } + 1;
        if depth > MAX_DEPTH {
            return Err(DimError::TooComplex);
        }
        Ok(Dim::from(Symbol::Opaque(Arc::new(Opaque { rule, depth }))))
    }

    fn depth(&self) -> u32 {
        let Repr::Symbolic(polynomial) = &self.0 else { return 0 };
        let symbols = polynomial.terms.iter().flat_map(|(monomial, _)| monomial);
        symbols.map(Symbol::depth).max().unwrap_or(0)
    }

    /// What is known at build time of `self` against `other`, given that no
    /// symbol is negative.
    pub fn compare(&self, other: &Dim) -> Comparison {
        if self == other {
            return Comparison::Equal;
        }
        let Ok(difference) = self.sub(other) else { return Comparison::Unknown };
        let difference = difference.polynomial();
        let all = |sign: i64| difference.terms.iter().all(|(_, c)| c.signum() == sign);
        if difference.offset() != 0 && (all(1) || all(-1)) {
            Comparison::Different
        } else {
            Comparison::Unknown
        }
    }

    /// Calls `visit` with every named length and count that the value depends on.
    pub fn visit_symbols(&self, visit: &mut impl FnMut(&Symbol)) {
        let Repr::Symbolic(polynomial) = &self.0 else { return };
        steps::add(polynomial.terms.len());
        for (monomial, _) in &polynomial.terms {
            for symbol in monomial {
                match symbol {
                    Symbol::Named(_) | Symbol::Count(_) => visit(symbol),
                    Symbol::Opaque(opaque) => match &opaque.rule {
                        Rule::AtLeastZero(dim) | Rule::CeilDiv(dim, _) => dim.visit_dyn(visit),
                        Rule::Quotient(a, b) => {
                            a.visit_dyn(visit);
                            b.visit_dyn(visit);
                        }
                    },
                }
            }
        }
    }

    fn visit_dyn(&self, mut visit: &mut dyn FnMut(&Symbol)) {
        self.visit_symbols(&mut visit);
    }

    /// The value, with `lookup` giving named lengths and counts.
    ///
    /// # Errors
    /// When a symbol has no value, a division is not exact or the value overflows.
    pub fn evaluate(&self, lookup: &dyn Fn(&Symbol) -> Option<i64>) -> Result<i64, DimError> {
        self.try_evaluate(lookup).map_err(|error| error.with_size(|| self.too_large_with(lookup)))
    }

    /// The error of a value that overflows, with what the symbols stand for.
    fn too_large_with(&self, lookup: &dyn Fn(&Symbol) -> Option<i64>) -> DimError {
        let mut values = Vec::new();
        self.visit_symbols(&mut |symbol| {
            let value = lookup(symbol).map(|value| format!("{symbol} = {value}"));
            values.extend(value.filter(|value| values.len() < 4 && !values.contains(value)));
        });
        DimError::TooLarge { size: format!("{} with {}", Brief(self), values.join(", ")) }
    }

    fn try_evaluate(&self, lookup: &dyn Fn(&Symbol) -> Option<i64>) -> Result<i64, DimError> {
        let polynomial = match &self.0 {
            Repr::Known(value) => return Ok(*value),
            Repr::Symbolic(polynomial) => polynomial,
        };
        steps::add(polynomial.terms.len());
        let mut sum = 0_i64;
        for (monomial, coefficient) in &polynomial.terms {
            let mut term = *coefficient;
            for symbol in monomial {
                let value = symbol.evaluate(lookup)?;
                term = term.checked_mul(value).ok_or(DimError::Overflow)?;
            }
            sum = sum.checked_add(term).ok_or(DimError::Overflow)?;
        }
        Ok(sum)
    }

    /// The same length with every symbol for which `replace` gives a length
    /// replaced by it, normalised again.
    ///
    /// # Errors
    /// When a coefficient overflows, or the expression has too many terms or is nested too deeply.
    pub fn substitute(&self, replace: &dyn Fn(&Symbol) -> Option<Dim>) -> Result<Dim, DimError> {
        let Repr::Symbolic(polynomial) = &self.0 else { return Ok(self.clone()) };
        let mut terms = Vec::with_capacity(polynomial.terms.len());
        for (monomial, coefficient) in &polynomial.terms {
            let mut term = Dim::int(*coefficient);
            for symbol in monomial {
                term = term.mul(&symbol.substitute(replace)?)?;
            }
            terms.push(term);
        }
        Dim::sum(&terms)?.limited(2 * terms.len())
    }
}

fn ceil_div(value: i64, step: i64) -> i64 {
    value.div_euclid(step) + i64::from(value.rem_euclid(step) != 0)
}

impl Symbol {
    fn depth(&self) -> u32 {
        match self {
            Symbol::Named(_) | Symbol::Count(_) => 0,
            Symbol::Opaque(opaque) => opaque.depth,
        }
    }

    fn evaluate(&self, lookup: &dyn Fn(&Symbol) -> Option<i64>) -> Result<i64, DimError> {
        let Symbol::Opaque(opaque) = self else {
            return lookup(self).ok_or_else(|| DimError::Unbound(self.clone()));
        };
        match &opaque.rule {
            Rule::AtLeastZero(dim) => Ok(dim.evaluate(lookup)?.max(0)),
            Rule::CeilDiv(dim, step) => Ok(ceil_div(dim.evaluate(lookup)?, *step)),
            Rule::Quotient(numerator, denominator) => {
                let (numerator, denominator) = (numerator.evaluate(lookup)?, denominator.evaluate(lookup)?);
                if denominator == 0 || numerator % denominator != 0 {
                    return Err(DimError::Inexact { numerator, denominator });
                }
                Ok(numerator / denominator)
            }
        }
    }

    fn substitute(&self, replace: &dyn Fn(&Symbol) -> Option<Dim>) -> Result<Dim, DimError> {
        let Symbol::Opaque(opaque) = self else {
            return Ok(replace(self).unwrap_or_else(|| Dim::from(self.clone())));
        };
        match &opaque.rule {
            Rule::AtLeastZero(dim) => dim.substitute(replace)?.at_least_zero(),
            Rule::CeilDiv(dim, step) => dim.substitute(replace)?.ceil_div(*step),
            Rule::Quotient(a, b) => a.substitute(replace)?.quotient(&b.substitute(replace)?),
        }
    }
}
