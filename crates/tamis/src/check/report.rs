//! What a gradient check found, and how it is printed.

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;

use super::decision::Site;
use super::difference::Reading;

/// The result of a gradient check. Prints as a table.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n"]);
/// let report = check_gradients(x.relu().sum(..), [x]).feed("x", &array![1.0_f32, 0.0, -1.0]).run()?;
/// assert!(report.passed());
/// assert_eq!(report.rows()[0].checked(), 2);
/// assert_eq!(report.kinks().next().unwrap().op(), "relu");
/// println!("{report}");
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a report says whether the gradients are right"]
pub struct CheckReport {
    pub(super) rows: Vec<CheckRow>,
    pub(super) seed: u64,
    pub(super) tolerance: f64,
}

/// What was found of one gradient: by one variable, of one order.
#[derive(Debug, Clone)]
pub struct CheckRow {
    name: String,
    order: usize,
    tally: Tally,
    verdict: Verdict,
}

/// Whether a gradient is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Everything that was compared agrees.
    Passed,
    /// Something does not agree.
    Failed,
    /// No element could be compared: every one lies at a kink.
    Unchecked,
    /// What is differentiated is NaN or infinite at this point.
    Undefined,
}

/// How a variable was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// Element by element.
    Elements,
    /// Along random directions, as variables of many elements are.
    Directions,
}

/// Where a gradient and the differences are furthest apart.
#[derive(Debug, Clone)]
pub struct Deviation {
    pub(super) position: Option<Vec<usize>>,
    pub(super) reading: Reading,
}

/// An op of the user's at which a function is not smooth, so that differences do not
/// check the gradient there.
#[derive(Debug, Clone)]
pub struct Kink {
    site: Site,
    skipped: usize,
}

/// What was compared so far.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    coverage: Coverage,
    checked: usize,
    failed: bool,
    worst: Option<Deviation>,
    kinks: Vec<Kink>,
}

impl Tally {
    pub(super) fn new(coverage: Coverage) -> Tally {
        Tally { coverage, checked: 0, failed: false, worst: None, kinks: Vec::new() }
    }

    /// Counts a comparison.
    pub(super) fn add(&mut self, deviation: Deviation) {
        self.checked += 1;
        self.note(deviation);
    }

    /// Keeps a comparison if it is the worst, without counting it.
    pub(super) fn note(&mut self, deviation: Deviation) {
        self.failed |= !deviation.reading.agrees;
        if self.worst.as_ref().is_none_or(|worst| worst.rank() < deviation.rank()) {
            self.worst = Some(deviation);
        }
    }

    /// Whether an element is known that does not agree.
    pub(super) fn is_located(&self) -> bool {
        self.failed && self.worst.as_ref().is_some_and(|worst| worst.position.is_some())
    }

    /// Counts what is left out because of a kink.
    pub(super) fn skip(&mut self, site: Site) {
        match self.kinks.iter_mut().find(|kink| kink.site == site) {
            Some(kink) => kink.skipped += 1,
            None => self.kinks.push(Kink { site, skipped: 1 }),
        }
    }

    fn skipped(&self) -> usize {
        self.kinks.iter().map(|kink| kink.skipped).sum()
    }
}

impl CheckReport {
    /// What was found, for each variable, first of order 1 and then of order 2.
    pub fn rows(&self) -> &[CheckRow] {
        &self.rows
    }

    /// Whether every gradient was checked and agrees with the differences.
    ///
    /// A gradient of which every element lies at a kink has not passed; one
    /// with respect to an empty tensor has.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(|row| row.verdict == Verdict::Passed)
    }

    /// The kinks at which elements or directions were left out, of all rows.
    pub fn kinks(&self) -> impl Iterator<Item = &Kink> {
        self.rows.iter().flat_map(CheckRow::kinks)
    }

    /// The seed of the random directions, which repeats the check.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl CheckRow {
    pub(super) fn new(name: String, order: usize, tally: Tally) -> CheckRow {
        let verdict = match (tally.failed, tally.checked, tally.skipped()) {
            (true, _, _) => Verdict::Failed,
            (false, 0, 1..) => Verdict::Unchecked,
            (false, _, _) => Verdict::Passed,
        };
        CheckRow { name, order, tally, verdict }
    }

    /// A row for what is NaN or infinite at the point itself.
    pub(super) fn undefined(name: String, order: usize) -> CheckRow {
        CheckRow { name, order, tally: Tally::new(Coverage::Elements), verdict: Verdict::Undefined }
    }

    /// The name of what the gradient is taken with respect to.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 1 for the gradient, 2 for the gradient of its product with a random vector.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Whether elements or directions were compared.
    pub fn coverage(&self) -> Coverage {
        self.tally.coverage
    }

    /// How many elements or directions were compared.
    pub fn checked(&self) -> usize {
        self.tally.checked
    }

    /// How many elements or directions were left out because of kinks.
    pub fn skipped(&self) -> usize {
        self.tally.skipped()
    }

    /// Where the gradient and the differences are furthest apart, if anything was compared.
    pub fn worst(&self) -> Option<&Deviation> {
        self.tally.worst.as_ref()
    }

    /// Whether the gradient is right.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The kinks at which elements or directions were left out.
    pub fn kinks(&self) -> impl Iterator<Item = &Kink> {
        self.tally.kinks.iter()
    }

    fn cells(&self) -> [String; 6] {
        let unit = match self.tally.coverage {
            Coverage::Elements => "",
            Coverage::Directions => " directions",
        };
        [
            self.name.clone(),
            self.order.to_string(),
            format!("{}{unit}", self.tally.checked),
            self.skipped().to_string(),
            self.worst().map_or("-".to_owned(), |worst| error_text(worst.relative_error())),
            self.verdict.to_string(),
        ]
    }

    /// What is to be said beside the table.
    fn notes(&self) -> Vec<String> {
        let CheckRow { name, order, tally, verdict } = self;
        let unit = match tally.coverage {
            Coverage::Elements => "element",
            Coverage::Directions => "direction",
        };
        let kink = |kink: &Kink| {
            let plural = if kink.skipped == 1 { "" } else { "s" };
            format!("{kink}: {} {unit}{plural} of {name} skipped", kink.skipped)
        };
        let mut notes: Vec<String> = tally.kinks.iter().map(kink).collect();
        match (verdict, &tally.worst) {
            (Verdict::Failed, Some(worst)) => notes.push(format!("{name}, order {order}: worst {worst}")),
            (Verdict::Undefined, _) => {
                let what = if *order == 1 { "loss" } else { "gradient" };
                notes.push(format!("{name}, order {order}: the {what} is NaN or infinite at this point"));
            }
            (Verdict::Failed | Verdict::Passed | Verdict::Unchecked, _) => {}
        }
        notes
    }
}

impl Deviation {
    /// Whatever does not agree is worse than what does, and to know one element
    /// of it says more than to know a direction.
    fn rank(&self) -> (bool, bool, f64) {
        let failed = !self.reading.agrees;
        (failed, failed && self.position.is_some(), self.reading.error)
    }

    /// The element, or `None` where only a sum over several was found to differ.
    pub fn position(&self) -> Option<&[usize]> {
        self.position.as_deref()
    }

    /// The derivative that the gradient gives.
    pub fn analytic(&self) -> f64 {
        self.reading.analytic
    }

    /// The derivative that differences give.
    pub fn numeric(&self) -> f64 {
        self.reading.numeric
    }

    /// The difference of the two relative to the larger one, or to the size below which
    /// derivatives are negligible. Infinite if one of them is NaN.
    pub fn relative_error(&self) -> f64 {
        self.reading.error
    }
}

impl Kink {
    /// The name of the op.
    pub fn op(&self) -> &'static str {
        self.site.op
    }

    /// The line that wrote the op.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.site.location
    }

    /// How many elements or directions were left out because of it.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

/// Prints the op with its line: `kink at relu (src/main.rs:12:9)`.
impl fmt::Display for Kink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kink at {}", self.site.op)?;
        self.site.location.map_or(Ok(()), |location| write!(f, " ({location})"))
    }
}

/// Prints the position and both derivatives: `at [1]: analytic 6, numeric 3`.
impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reading { analytic, numeric, .. } = &self.reading;
        match &self.position {
            Some(position) => write!(f, "at {position:?}")?,
            None => write!(f, "along a direction")?,
        }
        write!(f, ": analytic {}, numeric {}", number_text(*analytic), number_text(*numeric))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
            Verdict::Unchecked => "unchecked",
            Verdict::Undefined => "undefined",
        })
    }
}

/// A number without rows of zeros.
fn number_text(number: f64) -> String {
    let is_plain = number == 0.0 || !number.is_finite() || (1e-4..1e7).contains(&number.abs());
    if is_plain { number.to_string() } else { format!("{number:e}") }
}

fn error_text(error: f64) -> String {
    if error == 0.0 { "0".to_owned() } else { format!("{error:.1e}") }
}

const HEADER: [&str; 6] = ["name", "order", "checked", "kinks skipped", "worst relative error", "verdict"];

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed() { "passed" } else { "not passed" };
        write!(f, "gradient check {verdict} (tolerance {:e}, seed {})", self.tolerance, self.seed)?;
        let mut table = vec![HEADER.map(str::to_owned)];
        table.extend(self.rows.iter().map(CheckRow::cells));
        let width =
            |column: usize| table.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 6] = std::array::from_fn(width);
        for cells in &table {
            write!(f, "\n{:<1$}", cells[0], widths[0])?;
            for column in 1..5 {
                write!(f, "  {:>1$}", cells[column], widths[column])?;
            }
            write!(f, "  {}", cells[5])?;
        }
        // Both orders often meet the same kink.
        let mut reported = HashSet::new();
        let mut notes =
            self.rows.iter().flat_map(CheckRow::notes).filter(|note| reported.insert(note.clone()));
        notes.try_for_each(|note| write!(f, "\n{note}"))
    }
}
