//! Polynomials with integer coefficients over lengths known only at run time.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::{DimError, MAX_DEPTH, Symbol};

/// Polynomials with more terms than this are refused: sizes like the product
/// of 64 sums would otherwise take exponential room.
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

    pub(super) fn from_terms(terms: BTreeMap<Monomial, i64>) -> Result<Polynomial, DimError> {
        let terms: SmallVec<_> = terms.into_iter().filter(|(_, c)| *c != 0).collect();
        if terms.len() > MAX_TERMS { Err(DimError::TooComplex) } else { Ok(Polynomial { terms }) }
    }

    /// `self + factor * other`.
    pub(super) fn add_scaled(&self, other: &Polynomial, factor: i64) -> Result<Polynomial, DimError> {
        let mut sum: BTreeMap<Monomial, i64> = self.terms.iter().cloned().collect();
        for (monomial, coefficient) in &other.terms {
            let term = coefficient.checked_mul(factor).ok_or(DimError::Overflow)?;
            let slot = sum.entry(monomial.clone()).or_insert(0);
            *slot = slot.checked_add(term).ok_or(DimError::Overflow)?;
        }
        Polynomial::from_terms(sum)
    }

    pub(super) fn multiply(&self, other: &Polynomial) -> Result<Polynomial, DimError> {
        if self.terms.len() * other.terms.len() > MAX_TERMS * 4 {
            return Err(DimError::TooComplex);
        }
        let mut product: BTreeMap<Monomial, i64> = BTreeMap::new();
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
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
        Polynomial::from_terms(product)
    }

    /// The quotient if `divisor` divides `self` exactly, by long division in
    /// lexicographic order of monomials.
    pub(super) fn divide_exact(&self, divisor: &Polynomial) -> Option<Polynomial> {
        let (lead, lead_coefficient) = divisor.leading()?;
        let mut rest = self.clone();
        let mut quotient = Polynomial::default();
        for _ in 0..MAX_TERMS {
            let Some((monomial, coefficient)) = rest.leading() else { return Some(quotient) };
            if coefficient % lead_coefficient != 0 {
                return None;
            }
            let mut factor = monomial.clone();
            for symbol in lead {
                let at = factor.iter().position(|s| s == symbol)?;
                factor.remove(at);
            }
            let term = Polynomial { terms: [(factor, coefficient / lead_coefficient)].into_iter().collect() };
            rest = rest.add_scaled(&divisor.multiply(&term).ok()?, -1).ok()?;
            quotient = quotient.add_scaled(&term, 1).ok()?;
        }
        None
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
