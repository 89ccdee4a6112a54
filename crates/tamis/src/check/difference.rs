//! Derivatives along a direction by central differences, in steps that shrink
//! until no kink lies between.

use approx::relative_eq;

use super::decision::Site;
use super::probe::{Direction, Point, Probe, Sample};

/// The largest step, a power of 2. The extrapolated difference over it is off
/// by about its fourth power, and by the rounding of the values divided by it.
const FIRST_STEP: f64 = 1.0 / 1024.0;

/// By how much steps shrink.
const SHRINK: f64 = 1.0 / 16.0;

/// How many steps are taken at most. The last is so small that numbers near 1 hardly move.
const STEPS: i32 = 11;

/// By how many times their rounding the evaluations of one difference may be off together.
const ROUNDING: f64 = 16.0;

/// A difference with a larger relative rounding error than this is inconclusive.
const CONCLUSIVE: f64 = 1e-3;

/// Steps that are larger than this fraction of the element they move may miss a kink:
/// their agreement is inconclusive.
const FINE: f64 = 1.0 / 16.0;

/// What a derivative should be.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) analytic: f64,
    /// The size below which a derivative is negligible.
    pub(super) floor: f64,
    /// The relative error that is accepted.
    pub(super) tolerance: f64,
}

/// A derivative beside the one that was expected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) analytic: f64,
    pub(super) numeric: f64,
    pub(super) error: f64,
    pub(super) agrees: bool,
}

/// What differences along a direction give.
pub(super) enum Measured {
    Reading(Reading),
    /// A kink so near that no step fits between.
    Kink(Site),
}

/// The outcome of one more step.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// Smaller steps would not change it.
    All(Reading),
    /// It does not agree, but a smaller step might.
    Differs(Reading),
    /// Its rounding error is so large that it could hide a wrong gradient.
    Inconclusive,
}

impl Expected {
    /// Compares with a difference that is rounded by about `noise`. `larger` is
    /// what did not agree over a larger step, which rounds less: if this
    /// difference is the same, the derivative is wrong.
    ///
    /// The noise of the first step is accepted in any case: no other has less.
    fn compare(&self, numeric: f64, noise: f64, first: bool, larger: Option<Reading>) -> Outcome {
        let Expected { analytic, floor, tolerance } = *self;
        let epsilon = tolerance * floor;
        let is_near = |other: f64, noise: f64| {
            relative_eq!(other, numeric, epsilon = epsilon.max(noise), max_relative = tolerance)
        };
        let is_conclusive = |other: f64| noise <= CONCLUSIVE * numeric.abs().max(other.abs());
        if is_near(analytic, 0.0) {
            return Outcome::All(self.reading(numeric, floor, true));
        }
        let is_confirmed = |larger: &Reading| {
            is_near(larger.numeric, if is_conclusive(larger.numeric) { noise } else { 0.0 })
        };
        if let Some(larger) = larger.filter(is_confirmed) {
            return Outcome::All(larger);
        }
        match is_near(analytic, noise) {
            true if first || is_conclusive(analytic) => {
                Outcome::All(self.reading(numeric, floor.max(noise / tolerance), true))
            }
            true => Outcome::Inconclusive,
            false => Outcome::Differs(self.reading(numeric, floor, false)),
        }
    }

    fn reading(&self, numeric: f64, floor: f64, agrees: bool) -> Reading {
        let analytic = self.analytic;
        let difference = (analytic - numeric).abs();
        let error = difference / analytic.abs().max(numeric.abs()).max(floor);
        Reading { analytic, numeric, error: if error.is_nan() { f64::INFINITY } else { error }, agrees }
    }
}

/// The derivative of the probe's function along a direction at the point.
///
/// Steps shrink until one agrees with what is expected (between its ends are no
/// kink and no pole) or two agree on something else.
pub(super) fn measure(
    probe: &Probe,
    point: &mut Point,
    direction: &Direction,
    expected: &Expected,
) -> Measured {
    let size = size(point, direction);
    let mut differing: Option<Reading> = None;
    let mut kink = None;
    for i in 0..STEPS {
        let step = FIRST_STEP * SHRINK.powi(i);
        let numeric = match slope(probe, point, direction, step) {
            Slope::Value(numeric) => numeric,
            Slope::Kink(site) => {
                kink = Some(site);
                continue;
            }
        };
        let rounded = ROUNDING * probe.rounding + f64::EPSILON * size * expected.analytic.abs();
        let larger = differing.filter(|_| size == 0.0 || step <= FINE * size);
        match expected.compare(numeric, rounded / step, i == 0, larger) {
            Outcome::All(reading) => return Measured::Reading(reading),
            Outcome::Differs(reading) => differing = Some(reading),
            Outcome::Inconclusive => {}
        }
    }
    match (differing, kink) {
        // Next to a kink the steps are small, and rounding may be all that differs.
        (_, Some(site)) => Measured::Kink(site),
        (Some(reading), None) => Measured::Reading(reading),
        (None, None) => unreachable!("the first step finds a kink or is conclusive"),
    }
}

/// The largest element of a direction, measured by how far it moves in a step of 1.
fn size(point: &Point, direction: &Direction) -> f64 {
    let values = point.variables[direction.variable].elements();
    let relative = direction.elements.iter().map(|(element, by)| (values[*element] / by).abs());
    relative.fold(0.0, f64::max)
}

enum Slope {
    Value(f64),
    Kink(Site),
}

/// The central difference over `step`, with that over half of it extrapolated to a step of 0.
fn slope(probe: &Probe, point: &mut Point, direction: &Direction, step: f64) -> Slope {
    let mut central = [0.0; 2];
    for (slope, step) in central.iter_mut().zip([step, step / 2.0]) {
        let mut ends = [0.0; 2];
        for (end, step) in ends.iter_mut().zip([step, -step]) {
            match probe.sample(point, direction, step) {
                Sample::Value(value) => *end = value,
                Sample::Kink(site) => return Slope::Kink(site),
            }
        }
        *slope = (ends[0] - ends[1]) / (2.0 * step);
    }
    let [wide, narrow] = central;
    Slope::Value((4.0 * narrow - wide) / 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(analytic: f64) -> Expected {
        Expected { analytic, floor: 1e-4, tolerance: 1e-6 }
    }

    fn agreeing(outcome: Outcome) -> Option<bool> {
        match outcome {
            Outcome::All(reading) => Some(reading.agrees),
            Outcome::Differs(_) | Outcome::Inconclusive => None,
        }
    }

    #[test]
    fn a_difference_within_the_tolerance_agrees() {
        let outcome = |analytic, numeric| expected(analytic).compare(numeric, 0.0, true, None);
        assert!(
            matches!(outcome(2.0, 2.0 + 1e-6), Outcome::All(Reading { agrees: true, error, .. }) if error < 1e-6)
        );
        assert!(matches!(outcome(2.0, 2.0 + 1e-5), Outcome::Differs(Reading { error, .. }) if error > 4e-6));
        assert_eq!(agreeing(outcome(1e-11, 0.0)), Some(true));
    }

    #[test]
    fn noise_is_accepted_only_where_it_cannot_hide_an_error() {
        let outcome = |numeric, noise, first| expected(1.0).compare(numeric, noise, first, None);
        assert!(
            matches!(outcome(1.0001, 2e-4, false), Outcome::All(Reading { agrees: true, error, .. }) if error < 1e-6)
        );
        assert!(matches!(outcome(2.0, 1.5, false), Outcome::Inconclusive));
        assert!(matches!(outcome(2.0, 0.5, false), Outcome::Differs(_)));
        assert_eq!(agreeing(outcome(2.0, 1.5, true)), Some(true));
    }

    #[test]
    fn two_steps_that_agree_on_something_else_decide() {
        let larger = expected(1.0).reading(1.0001, 0.0, false);
        let outcome = |numeric, noise| expected(1.0).compare(numeric, noise, false, Some(larger));
        assert_eq!(agreeing(outcome(1.0001, 0.0)), Some(false));
        assert_eq!(agreeing(outcome(1.00005, 2e-4)), Some(false));
        assert_eq!(agreeing(outcome(1.000_000_1, 0.0)), Some(true));
        assert_eq!(agreeing(outcome(1.000_002, 1e-5)), Some(true));
    }

    #[test]
    fn nan_and_infinities_never_agree() {
        for (analytic, numeric) in
            [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0), (1.0, f64::INFINITY)]
        {
            for noise in [0.0, f64::NAN, f64::INFINITY] {
                let outcome = expected(analytic).compare(numeric, noise, true, None);
                assert!(
                    matches!(outcome, Outcome::Differs(Reading { error: f64::INFINITY, .. })),
                    "{outcome:?}"
                );
            }
        }
    }
}
