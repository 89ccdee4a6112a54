//! Polynomials with integer coefficients over lengths known only at run time.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{DimError, MAX_DEPTH, Symbol};
use crate::steps;

/// Polynomials with more terms than this are refused, unless they are sums of as
/// many lengths: the product of 64 sums would otherwise take exponential space,
/// and a chain of sums, each one term longer, quadratic.
const MAX_TERMS: usize = 256;

pub(super) type Monomial = SmallVec<[Symbol; 2]>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Polynomial {
    /// Sorted by monomial, no zero coefficients; the empty monomial is the constant.
    pub(super) terms: SmallVec<[(Monomial, i64); 2]>,
}

impl Polynomial {
    pub(super) fn constant(value: i64) -> Polynomial {
        let mut polynomial = Polynomial::default();
        if value != 0 {
            polynomial.terms.push((Monomial::new(), value));
        }
        polynomial
    }

    /// `self + factor * other`.
    pub(super) fn add_scaled(&self, other: &Polynomial, factor: i64) -> Result<Polynomial, DimError> {
        let longer = self.terms.len().max(other.terms.len());
        let mut terms = SmallVec::with_capacity(self.terms.len() + other.terms.len());
        let (mut left, mut right) = (self.terms.iter().peekable(), other.terms.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let a = if order.is_le() { left.next() } else { None };
            let b = if order.is_ge() { right.next() } else { None };
            let added = b.map_or(Some(0), |(_, b)| b.checked_mul(factor));
            let sum = added.and_then(|added| added.checked_add(a.map_or(0, |(_, a)| *a)));
            let sum = sum.ok_or(DimError::Overflow)?;
            if let (Some((monomial, _)), true) = (a.or(b), sum != 0) {
                terms.push((monomial.clone(), sum));
            }
        }
        steps::add(terms.len());
        let sum = Polynomial { terms };
        // A number is one term more, but only once.
        let is_shift = other.terms.iter().all(|(monomial, _)| monomial.is_empty());
        if !is_shift {
            sum.limited(longer)?;
        }
        Ok(sum)
    }

    /// The sum of many at a time, which may have as many terms as they have together.
    pub(super) fn sum<'p>(
        polynomials: impl IntoIterator<Item = &'p Polynomial>,
    ) -> Result<Polynomial, DimError> {
        let mut sum: BTreeMap<&Monomial, i64> = BTreeMap::new();
        for polynomial in polynomials {
            steps::add(1 + polynomial.terms.len());
            for (monomial, coefficient) in &polynomial.terms {
                let total = sum.entry(monomial).or_insert(0);
                *total = total.checked_add(*coefficient).ok_or(DimError::Overflow)?;
            }
        }
        let terms = sum.into_iter().filter(|(_, c)| *c != 0).map(|(m, c)| (m.clone(), c)).collect();
        Ok(Polynomial { terms })
    }

    pub(super) fn multiply(&self, other: &Polynomial) -> Result<Polynomial, DimError> {
        let (short, long) = if self.terms.len() < other.terms.len() { (self, other) } else { (other, self) };
        let count = short.terms.len() * long.terms.len();
        if short.terms.len() > 1 && count > MAX_TERMS * 4 {
            return Err(DimError::TooManyTerms { terms: count });
        }
        steps::add(count);
        let mut product: BTreeMap<Monomial, i64> = BTreeMap::new();
        for (left, a) in &short.terms {
            for (right, b) in &long.terms {
                let mut monomial: Monomial = left.iter().chain(right).cloned().collect();
                if monomial.len() > MAX_DEPTH as usize {
                    return Err(DimError::TooComplex);
                }
                monomial.sort();
                let term = a.checked_mul(*b).ok_or(DimError::Overflow)?;
                let slot = product.entry(monomial).or_insert(0);
                *slot = slot.checked_add(term).ok_or(DimError::Overflow)?;
            }
        }
        let terms = product.into_iter().filter(|(_, c)| *c != 0).collect();
        let product = Polynomial { terms };
        product.limited(if short.terms.len() > 1 { 0 } else { long.terms.len() })?;
        Ok(product)
    }

    /// Refuses more terms than any polynomial may have and more than `terms`.
    pub(super) fn limited(&self, terms: usize) -> Result<(), DimError> {
        let count = self.terms.len();
        if count > MAX_TERMS.max(terms) { Err(DimError::TooManyTerms { terms: count }) } else { Ok(()) }
    }

    /// The quotient if `divisor` divides `self` exactly, by long division in
    /// lexicographic order of monomials.
    pub(super) fn divide_exact(&self, divisor: &Polynomial) -> Option<Polynomial> {
        let (lead, lead_coefficient) = divisor.leading()?;
        if divisor.terms.len() == 1 {
            return self.divide_by_term(lead, lead_coefficient);
        }
        if self == divisor {
            return Some(Polynomial::constant(1));
        }
        if self.terms.len() > MAX_TERMS {
            return None;
        }
        let mut rest = self.clone();
        let mut quotient = Polynomial::default();
        for _ in 0..MAX_TERMS {
            let Some((monomial, coefficient)) = rest.leading() else { return Some(quotient) };
            let term = divide_term(monomial, coefficient, lead, lead_coefficient)?;
            let term = Polynomial { terms: [term].into_iter().collect() };
            rest = rest.add_scaled(&divisor.multiply(&term).ok()?, -1).ok()?;
            quotient = quotient.add_scaled(&term, 1).ok()?;
        }
        None
    }

    fn divide_by_term(&self, monomial: &Monomial, coefficient: i64) -> Option<Polynomial> {
        let quotients = self.terms.iter().map(|(own, c)| divide_term(own, *c, monomial, coefficient));
        let mut terms = quotients.collect::<Option<SmallVec<_>>>()?;
        terms.sort_unstable();
        Some(Polynomial { terms })
    }

    /// The term of the highest degree, the last of them in symbol order.
    pub(super) fn leading(&self) -> Option<(&Monomial, i64)> {
        self.terms.iter().max_by_key(|(m, _)| (m.len(), m)).map(|(m, c)| (m, *c))
    }

    /// The constant term.
    pub(super) fn offset(&self) -> i64 {
        self.terms.first().filter(|(m, _)| m.is_empty()).map_or(0, |(_, c)| *c)
    }
}

/// The quotient of two terms, if one divides the other.
fn divide_term(
    monomial: &Monomial,
    coefficient: i64,
    divisor: &Monomial,
    by: i64,
) -> Option<(Monomial, i64)> {
    if coefficient.checked_rem(by)? != 0 {
        return None;
    }
    let mut quotient = monomial.clone();
    for symbol in divisor {
        let at = quotient.iter().position(|s| s == symbol)?;
        quotient.remove(at);
    }
    Some((quotient, coefficient / by))
}
