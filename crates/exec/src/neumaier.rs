//! Compensated summation: what each addition rounds away is added up beside the sum, and
//! added back at the end. Does not depend on ops.
//!
//! The error of the result is then one rounding of it, plus a term of the second order in the
//! precision, however many elements are summed. Source: A. Neumaier, "Rundungsfehleranalyse
//! einiger Verfahren zur Summation endlicher Summen", ZAMM 54 (1974), 39–51.

/// What `sum`, the rounded `total + x`, lacks of the exact sum. Subtracting the larger
/// addend first makes both steps exact (T. J. Dekker, "A floating-point technique for
/// extending the available precision", Numer. Math. 18 (1971), 224–242).
#[inline(always)]
pub(crate) fn lost(total: f64, x: f64, sum: f64) -> f64 {
    let is_larger = total.abs() >= x.abs();
    let (large, small) = if is_larger { (total, x) } else { (x, total) };
    (large - sum) + small
}

/// The sum with what its roundings lost. If the sum is infinite, the loss is infinite or NaN,
/// and is left out.
#[inline(always)]
pub(crate) fn compensated(sum: f64, lost: f64) -> f64 {
    if lost.is_finite() { sum + lost } else { sum }
}

/// A sum and what its roundings lost.
#[derive(Default, Clone, Copy)]
pub(crate) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    /// The sum with `x` added.
    #[inline(always)]
    pub(crate) fn add(self, x: f64) -> CompensatedSum {
        let sum = self.sum + x;
        CompensatedSum { sum, lost: self.lost + lost(self.sum, x, sum) }
    }

    /// The sum so far.
    #[inline(always)]
    pub(crate) fn value(self) -> f64 {
        compensated(self.sum, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> f64 {
        values.iter().fold(CompensatedSum::default(), |sum, x| sum.add(*x)).value()
    }

    #[test]
    fn a_sum_keeps_what_rounding_loses() {
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[]), 0.0);
    }

    #[test]
    fn a_sum_that_is_not_finite_is_not_compensated() {
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn the_lost_part_makes_an_addition_exact() {
        // 2⁵³ + 1 lies halfway between two floats and is rounded to the even one, 2⁵³.
        let big = (1_u64 << 53) as f64;
        assert_eq!(lost(big, 1.0, big + 1.0), 1.0);
        assert_eq!(lost(1.0, big, 1.0 + big), 1.0);
        assert_eq!(lost(1.0, 2.0, 3.0), 0.0);
    }
}
