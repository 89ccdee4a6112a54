//! What a poison check found, and how it is printed.

use std::fmt;

use ndarray::{ArrayD, Dimension};
use tamis_exec::Error;
use tamis_graph::Scalar;

/// The result of a poison check. Prints in words.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::{check_poison, prelude::*};
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0_f32, 2.0]).named("x");
/// let mask = graph.constant([true, false]);
/// let report = check_poison(x.boolean_mask(mask).ln().sum(..), [(x, mask)]).run()?;
/// let text = "poison check passed\nx: 1 of 2 elements poisoned, 8 comparisons, no change";
/// assert_eq!(report.to_string(), text);
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a report says whether anything moved"]
pub struct PoisonReport {
    pub(super) rows: Vec<PoisonRow>,
}

/// What was found of one selection.
#[derive(Debug, Clone)]
pub struct PoisonRow {
    name: String,
    poisoned: usize,
    elements: usize,
    compared: usize,
    results: Vec<String>,
    leaks: Vec<Leak>,
}

/// A result that poison moves, or a run that it makes fail.
#[derive(Debug, Clone)]
pub struct Leak {
    input: String,
    poison: f64,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Moved { result: String, position: Vec<usize>, before: f64, after: f64 },
    Failed(Error),
}

impl PoisonReport {
    /// What was found, one row for each selection.
    pub fn rows(&self) -> &[PoisonRow] {
        &self.rows
    }

    /// Whether no result changed. A program that selects every element has none to poison, and
    /// passes.
    pub fn passed(&self) -> bool {
        self.leaks().next().is_none()
    }

    /// Everything that moved: of each selection, by each poison, each result.
    pub fn leaks(&self) -> impl Iterator<Item = &Leak> {
        self.rows.iter().flat_map(|row| &row.leaks)
    }
}

impl PoisonRow {
    /// A row without comparisons.
    pub(super) fn new(name: String, mask: &ArrayD<bool>, results: Vec<String>) -> PoisonRow {
        let poisoned = mask.iter().filter(|selected| !**selected).count();
        PoisonRow { name, poisoned, elements: mask.len(), compared: 0, results, leaks: Vec::new() }
    }

    /// Compares all results without and with `poison`.
    pub(super) fn compare(&mut self, poison: f64, before: &[ArrayD<f64>], after: &[ArrayD<f64>]) {
        for (result, (before, after)) in self.results.iter().zip(before.iter().zip(after)) {
            self.compared += 1;
            let mut pairs = before.indexed_iter().zip(after);
            // Scalars are equal bit for bit: −0 is not 0, but NaN is NaN.
            let moved = pairs.find(|((_, before), after)| Scalar::F64(**before) != Scalar::F64(**after));
            if let Some(((position, before), after)) = moved {
                let (result, position) = (result.clone(), position.slice().to_vec());
                let change = Change::Moved { result, position, before: *before, after: *after };
                self.leaks.push(Leak { input: self.name.clone(), poison, change });
            }
        }
    }

    /// Records that the run with `poison` fails.
    pub(super) fn fail(&mut self, poison: f64, error: Error) {
        self.leaks.push(Leak { input: self.name.clone(), poison, change: Change::Failed(error) });
    }

    /// The name of what was poisoned.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many elements were not selected, and so poisoned.
    pub fn poisoned(&self) -> usize {
        self.poisoned
    }

    /// How many results were compared, over all poisons.
    pub fn compared(&self) -> usize {
        self.compared
    }

    /// What moved.
    pub fn leaks(&self) -> &[Leak] {
        &self.leaks
    }
}

impl Leak {
    /// The name of what was poisoned.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// What the elements that are not selected were filled with.
    pub fn poison(&self) -> f64 {
        self.poison
    }

    /// What moved, in words such as `the gradient by x`; `None` if the run failed.
    pub fn result(&self) -> Option<&str> {
        match &self.change {
            Change::Moved { result, .. } => Some(result),
            Change::Failed(_) => None,
        }
    }

    /// The first element that moved, without the poison and with it; `None` if the run failed.
    pub fn movement(&self) -> Option<(&[usize], f64, f64)> {
        match &self.change {
            Change::Moved { position, before, after, .. } => Some((position, *before, *after)),
            Change::Failed(_) => None,
        }
    }

    /// Why the run with the poison failed, if it did.
    pub fn error(&self) -> Option<&Error> {
        match &self.change {
            Change::Moved { .. } => None,
            Change::Failed(error) => Some(error),
        }
    }
}

/// Prints what leads to what: `NaN in x moves the loss at [] from 3.0 to NaN`.
impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {} ", self.poison, self.input)?;
        match &self.change {
            Change::Moved { result, position, before, after } => {
                write!(f, "moves {result} at {position:?} from {before:?} to {after:?}")
            }
            Change::Failed(error) => write!(f, "makes the run fail: {error}"),
        }
    }
}

impl fmt::Display for PoisonReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "poison check {}", if self.passed() { "passed" } else { "not passed" })?;
        for row in &self.rows {
            let PoisonRow { name, poisoned, elements, compared, leaks, .. } = row;
            write!(f, "\n{name}: {poisoned} of {elements} elements poisoned, {compared} comparisons, ")?;
            match leaks.len() {
                0 => write!(f, "no change")?,
                1 => write!(f, "1 leak")?,
                n => write!(f, "{n} leaks")?,
            }
            leaks.iter().try_for_each(|leak| write!(f, "\n  {leak}"))?;
        }
        Ok(())
    }
}
