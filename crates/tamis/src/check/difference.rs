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

/// How many units in the last place two evaluations together may be off.
const ROUNDING: f64 = 32.0;

/// A difference rounded by more than this part of it tells nothing.
const TELLING: f64 = 1e-3;

/// By how much a smaller step must be nearer, lest its rounding hides what a larger one told.
const NEARER: f64 = 1.0 / 16.0;

/// What a derivative should be.
#[derive(Clone, Copy)]
pub(super) struct Expected {
    pub(super) analytic: f64,
    /// The size below which a derivative is as good as 0.
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

impl Expected {
    /// Compares with a difference that is rounded by about `noise`; `None` if
    /// that could hide a mistake. `larger` is the nearest that larger steps came.
    ///
    /// The noise of the first step is accepted in any case: no other has less.
    fn compare(&self, numeric: f64, noise: f64, first: bool, larger: Option<Reading>) -> Option<Reading> {
        let Expected { analytic, floor, tolerance } = *self;
        let (difference, size) = ((analytic - numeric).abs(), analytic.abs().max(numeric.abs()));
        let nearer = larger.is_none_or(|larger| {
            !larger.numeric.is_finite() || difference <= NEARER * (analytic - larger.numeric).abs()
        });
        let telling = first || nearer && noise <= TELLING * size;
        let exact = relative_eq!(analytic, numeric, epsilon = tolerance * floor, max_relative = tolerance);
        let agrees = exact || telling && relative_eq!(analytic, numeric, epsilon = noise);
        if !agrees && difference <= noise {
            return None;
        }
        let size = if exact || !agrees { size.max(floor) } else { size.max(noise / tolerance) };
        let error = if difference == 0.0 { 0.0 } else { difference / size };
        Some(Reading { analytic, numeric, error: if error.is_nan() { f64::INFINITY } else { error }, agrees })
    }
}

/// The derivative of the probe's function along a direction at the point.
///
/// Steps shrink until one agrees with what is expected: between its ends are no
/// kink and no pole. Of those that do not agree, the nearest is given.
pub(super) fn measure(
    probe: &Probe,
    point: &mut Point,
    direction: &Direction,
    expected: &Expected,
) -> Measured {
    let coarseness = coarseness(point, direction);
    let mut nearest: Option<Reading> = None;
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
        let rounded = ROUNDING * probe.value.abs() + coarseness * expected.analytic.abs();
        match expected.compare(numeric, f64::EPSILON * rounded / step, i == 0, nearest) {
            Some(reading) if reading.agrees => return Measured::Reading(reading),
            Some(reading) if nearest.is_none_or(|nearest| reading.error < nearest.error) => {
                nearest = Some(reading);
            }
            Some(_) | None => {}
        }
    }
    match (nearest, kink) {
        // With a kink on one side and no value on the other, the function ends at a kink.
        (Some(reading), Some(site)) if !reading.numeric.is_finite() => Measured::Kink(site),
        (Some(reading), _) => Measured::Reading(reading),
        (None, Some(site)) => Measured::Kink(site),
        (None, None) => unreachable!("the first step finds a kink or tells something"),
    }
}

/// The elements of a direction in steps of 1: those of size 1 and more move by
/// whole units in the last place alone.
fn coarseness(point: &Point, direction: &Direction) -> f64 {
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

    fn compare(analytic: f64, numeric: f64, noise: f64) -> Option<Reading> {
        Expected { analytic, floor: 1e-4, tolerance: 1e-6 }.compare(numeric, noise, false, None)
    }

    #[test]
    fn a_difference_within_the_tolerance_agrees() {
        let reading = compare(2.0, 2.0 + 1e-6, 0.0).unwrap();
        assert!(reading.agrees && reading.error < 1e-6);
        let reading = compare(2.0, 2.0 + 1e-5, 0.0).unwrap();
        assert!(!reading.agrees && reading.error > 4e-6);
        assert!(compare(1e-11, 0.0, 0.0).unwrap().agrees);
    }

    #[test]
    fn noise_is_accepted_only_where_it_cannot_hide_a_mistake() {
        let reading = compare(1.0, 1.0001, 0.0002).unwrap();
        assert!(reading.agrees && reading.error < 1e-6);
        assert!(compare(1.0, 2.0, 1.5).is_none());
        assert!(!compare(1.0, 2.0, 0.5).unwrap().agrees);
    }

    #[test]
    fn the_noise_of_the_first_step_is_accepted_and_not_that_of_one_that_is_no_nearer() {
        let expected = Expected { analytic: 1.0, floor: 1e-4, tolerance: 1e-6 };
        assert!(expected.compare(2.0, 1.5, true, None).unwrap().agrees);
        let wrong = expected.compare(1.0001, 0.0, true, None).unwrap();
        assert!(!wrong.agrees);
        assert!(expected.compare(1.0001, 0.0002, false, Some(wrong)).is_none());
        assert!(expected.compare(1.000002, 0.0002, false, Some(wrong)).unwrap().agrees);
    }

    #[test]
    fn nan_and_infinities_never_agree() {
        for (analytic, numeric) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
            let reading = compare(analytic, numeric, 0.0).unwrap();
            assert!(!reading.agrees, "{reading:?}");
            assert!(reading.error.is_infinite());
        }
    }
}
