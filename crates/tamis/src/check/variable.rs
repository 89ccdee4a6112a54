//! The check of the gradient with respect to one variable: element by element,
//! or along random directions.

use super::Settings;
use super::difference::{Expected, Measured, Reading, measure};
use super::probe::{Direction, Point, Probe};
use super::random::Random;
use super::report::{Coverage, Deviation, Tally};

/// Along how many random directions a large variable is checked.
const DIRECTIONS: usize = 24;

/// Derivatives below this are negligible: with the default tolerance it leaves room for
/// the rounding of sums of a few hundred numbers near 1.
const FLOOR: f64 = 1e-4;

/// Derivatives below this part of the largest one are negligible.
const RELATIVE_FLOOR: f64 = 1e-3;

/// After a direction with a kink, how many of its elements the next ones have.
const THINNING: f64 = 1.0 / 8.0;

/// How many elements of a large variable are looked at one by one because
/// their derivative is no number.
const EXCEPTIONS: usize = 16;

/// The gradient of a probe's function with respect to one variable.
pub(super) struct Subject<'c> {
    probe: &'c Probe,
    point: &'c mut Point,
    variable: usize,
    /// In row-major order.
    gradient: &'c [f64],
    settings: Settings,
    floor: f64,
}

/// How many comparisons a variable of `len` elements takes.
pub(super) fn comparisons(len: usize, settings: &Settings) -> usize {
    if len <= settings.full_up_to { len } else { DIRECTIONS }
}

impl<'c> Subject<'c> {
    pub(super) fn new(
        probe: &'c Probe,
        point: &'c mut Point,
        variable: usize,
        gradient: &'c [f64],
        settings: Settings,
    ) -> Subject<'c> {
        let finite = gradient.iter().copied().filter(|derivative| derivative.is_finite());
        let largest = finite.map(f64::abs).fold(0.0, f64::max);
        let floor = FLOOR.max(RELATIVE_FLOOR * largest);
        Subject { probe, point, variable, gradient, settings, floor }
    }

    /// Compares the gradient with differences; calls `done` after each comparison.
    pub(super) fn check(&mut self, random: &mut Random, done: &mut dyn FnMut()) -> Tally {
        if self.gradient.len() <= self.settings.full_up_to {
            self.check_elements(done)
        } else {
            self.check_directions(random, done)
        }
    }

    fn check_elements(&mut self, done: &mut dyn FnMut()) -> Tally {
        let mut tally = Tally::new(Coverage::Elements);
        for element in 0..self.gradient.len() {
            match self.measure_element(element) {
                Measured::Reading(reading) => tally.add(self.deviation(Some(element), reading)),
                Measured::Kink(site) => tally.skip(site),
            }
            done();
        }
        tally
    }

    fn check_directions(&mut self, random: &mut Random, done: &mut dyn FnMut()) -> Tally {
        let mut tally = Tally::new(Coverage::Directions);
        self.check_exceptions(&mut tally);
        let candidates: Vec<usize> = (0..self.gradient.len()).filter(|i| self.is_regular(*i)).collect();
        let mut density = 1.0;
        for _ in 0..DIRECTIONS {
            let direction = self.random_direction(&candidates, density, random);
            match self.measure(&direction) {
                Measured::Reading(reading) if reading.agrees || tally.is_located() => {
                    tally.add(self.deviation(None, reading));
                }
                Measured::Reading(reading) => tally.add(self.narrow(direction, reading)),
                Measured::Kink(site) => {
                    tally.skip(site);
                    density *= THINNING;
                }
            }
            done();
        }
        tally
    }

    /// Elements whose derivative would spoil every direction: not a number, or
    /// not 0 where the element itself cannot move.
    fn check_exceptions(&mut self, tally: &mut Tally) {
        let is_exception =
            |i: &usize| !self.is_regular(*i) && (self.gradient[*i] != 0.0 || self.gradient[*i].is_nan());
        let exceptions: Vec<usize> = (0..self.gradient.len()).filter(is_exception).take(EXCEPTIONS).collect();
        for element in exceptions {
            if let Measured::Reading(reading) = self.measure_element(element) {
                tally.note(self.deviation(Some(element), reading));
            }
        }
    }

    fn position(&self) -> &[f64] {
        self.point.variables[self.variable].elements()
    }

    /// Whether the element can move and its derivative is a number.
    fn is_regular(&self, element: usize) -> bool {
        self.gradient[element].is_finite() && self.position()[element].is_finite()
    }

    /// How far the element moves in a step of 1.
    fn reach(&self, element: usize) -> f64 {
        self.position()[element].abs().max(1.0)
    }

    fn measure_element(&mut self, element: usize) -> Measured {
        let analytic = self.gradient[element];
        if !self.position()[element].is_finite() {
            // NaN ± h is NaN and inf ± h is inf: the step has no effect.
            let agrees = analytic == 0.0;
            let error = if agrees { 0.0 } else { f64::INFINITY };
            return Measured::Reading(Reading { analytic, numeric: 0.0, error, agrees });
        }
        let reach = self.reach(element);
        match self.measure(&Direction { variable: self.variable, elements: vec![(element, reach)] }) {
            Measured::Reading(reading) => {
                Measured::Reading(Reading { analytic, numeric: reading.numeric / reach, ..reading })
            }
            kink @ Measured::Kink(_) => kink,
        }
    }

    fn measure(&mut self, direction: &Direction) -> Measured {
        let analytic = direction.elements.iter().map(|(element, by)| self.gradient[*element] * by).sum();
        let length = direction.elements.iter().map(|(_, by)| by * by).sum::<f64>().sqrt();
        let expected = Expected { analytic, floor: self.floor * length, tolerance: self.settings.tolerance };
        measure(self.probe, self.point, direction, &expected)
    }

    /// Each candidate with the probability `density`, but at least one, by ±1
    /// times its reach.
    fn random_direction(&self, candidates: &[usize], density: f64, random: &mut Random) -> Direction {
        let mut chosen: Vec<usize> = candidates.iter().copied().filter(|_| random.unit() < density).collect();
        if chosen.is_empty() && !candidates.is_empty() {
            chosen.push(candidates[random.below(candidates.len())]);
        }
        let elements = chosen.into_iter().map(|element| (element, random.sign() * self.reach(element)));
        Direction { variable: self.variable, elements: elements.collect() }
    }

    /// Halves a direction that does not agree until a single element is found.
    /// Of two halves at least one does not agree; it may have a kink, though.
    fn narrow(&mut self, mut direction: Direction, mut reading: Reading) -> Deviation {
        while direction.elements.len() > 1 {
            let (left, right) = direction.elements.split_at(direction.elements.len() / 2);
            let halves =
                [left, right].map(|half| Direction { variable: self.variable, elements: half.to_vec() });
            let failed = halves.into_iter().filter_map(|half| match self.measure(&half) {
                Measured::Reading(reading) if !reading.agrees => Some((half, reading)),
                Measured::Reading(_) | Measured::Kink(_) => None,
            });
            let Some(worse) = failed.max_by(|(_, a), (_, b)| a.error.total_cmp(&b.error)) else { break };
            (direction, reading) = worse;
        }
        match direction.elements[..] {
            [(element, by)] => {
                let (analytic, numeric) = (reading.analytic / by, reading.numeric / by);
                self.deviation(Some(element), Reading { analytic, numeric, ..reading })
            }
            [] | [_, ..] => self.deviation(None, reading),
        }
    }

    fn deviation(&self, element: Option<usize>, reading: Reading) -> Deviation {
        let shape = self.point.variables[self.variable].values.shape();
        Deviation { position: element.map(|element| coordinates(element, shape)), reading }
    }
}

/// The coordinates of an element by its row-major index.
fn coordinates(mut index: usize, shape: &[usize]) -> Vec<usize> {
    let mut coordinates = vec![0; shape.len()];
    for (coordinate, length) in coordinates.iter_mut().zip(shape).rev() {
        *coordinate = index % length;
        index /= length;
    }
    coordinates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_count_the_last_axis_first() {
        assert_eq!(coordinates(5, &[2, 3]), [1, 2]);
        assert_eq!(coordinates(0, &[]), [0_usize; 0]);
    }
}
