//! Gradients and second derivatives beside differences: of every differentiable op, of
//! selections with NaN and infinities where no element is selected, and of two losses
//! on real data. Prints a row for each check and fails if one of them does.

mod cases;
#[path = "../shared/co2.rs"]
mod co2;
#[path = "../shared/files.rs"]
mod files;
#[path = "../shared/images.rs"]
mod images;
#[path = "../shared/picture.rs"]
mod picture;

use std::error::Error;
use std::process::ExitCode;

use cases::{Case, Group};
use ndarray::array;
use tamis::prelude::*;
use tamis::{CheckReport, CheckRow, DType, Deviation};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    println!("First and second derivatives beside differences, in f64: how many were compared, how many");
    println!("skipped because of a kink, and the worst relative error of each order.\n");
    let mut total = Total::default();
    for Group { title, cases } in cases::groups()? {
        println!("{title:<60}{:>9}{:>9}{:>9}{:>9}", "compared", "skipped", "first", "second");
        for case in cases {
            let report = check(&case)?;
            println!("{}", row(&case, &report));
            if !report.passed() {
                println!("\n{report}\n");
            }
            total.add(&report);
        }
        println!();
    }
    println!("{total}");

    println!("\nA wrong gradient must be caught. This one is the textbook's, of where(mask, sqrt(x), 0):\n");
    let wrong = check_textbook()?;
    println!("{wrong}");
    Ok(if total.failed == 0 && !wrong.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Both orders of the derivatives of one case by all its inputs.
fn check(case: &Case) -> Result<CheckReport, tamis::Error> {
    let graph = Graph::new();
    let names: Vec<String> = (0..case.inputs.len()).map(|i| format!("input {i}")).collect();
    let inputs: Vec<Expr> =
        names.iter().zip(&case.inputs).map(|(name, array)| graph.input::<f64>(name, array.shape())).collect();
    let loss = weighted_sum((case.build)(&inputs));
    let check = check_gradients(loss, inputs).second_order();
    let check = names.iter().zip(&case.inputs).fold(check, |check, (name, array)| check.feed(name, array));
    check.run()
}

/// A number in which every element has a weight of its own, so that mixing two of them
/// up does not go unnoticed.
fn weighted_sum(y: Expr) -> Expr {
    let y = y.flatten();
    let position = y.graph().iota(y.dim(0));
    (y * (1.0 + position.sin() / 2.0)).sum(..)
}

/// The name of a case and what was found.
fn row(case: &Case, report: &CheckReport) -> String {
    let sum = |count: fn(&CheckRow) -> usize| report.rows().iter().map(count).sum::<usize>();
    let worst = |order: usize| {
        let rows = report.rows().iter().filter(|row| row.order() == order);
        error_text(rows.filter_map(CheckRow::worst).map(Deviation::relative_error).fold(0.0, f64::max))
    };
    let shapes: Vec<String> = case.inputs.iter().map(|input| format!("{:?}", input.shape())).collect();
    let verdict = if report.passed() { "passed" } else { "FAILED" };
    let kink = report.kinks().next().map(|kink| format!(", kink at {}", kink.op())).unwrap_or_default();
    format!(
        "  {:<34}{:<24}{:>9}{:>9}{:>9}{:>9}  {verdict}{kink}",
        case.name,
        shapes.join(" "),
        sum(CheckRow::checked),
        sum(CheckRow::skipped),
        worst(1),
        worst(2),
    )
}

/// A relative error in one digit.
fn error_text(error: f64) -> String {
    if error == 0.0 { "0".to_owned() } else { format!("{error:.0e}") }
}

/// What all checks found together.
#[derive(Default)]
struct Total {
    checks: usize,
    failed: usize,
    compared: usize,
    skipped: usize,
    worst: f64,
}

impl Total {
    fn add(&mut self, report: &CheckReport) {
        self.checks += 1;
        self.failed += usize::from(!report.passed());
        for row in report.rows() {
            self.compared += row.checked();
            self.skipped += row.skipped();
            self.worst = row.worst().map_or(self.worst, |worst| self.worst.max(worst.relative_error()));
        }
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Total { checks, failed, compared, skipped, worst } = self;
        let verdict = if *failed == 0 { "all passed".to_owned() } else { format!("{failed} FAILED") };
        write!(f, "{checks} checks, {verdict}: {compared} derivatives compared, ")?;
        write!(f, "{skipped} skipped at kinks, worst relative error {}", error_text(*worst))
    }
}

/// The chain rule as textbooks have it: the mask times the derivative. Where no element is
/// selected that is 0 / 0 at 0, and NaN at −1; the loss does not move there, so it should be 0.
fn check_textbook() -> Result<CheckReport, tamis::Error> {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let mask = graph.constant([true, false, true, false]);
    let loss = where_(mask, x.sqrt(), 0.0).sum(..);
    let textbook = mask.cast(DType::F64) / (2.0 * x.sqrt());
    check_gradients(loss, [x]).gradients([textbook]).feed("x", &array![4.0, 0.0, 9.0, -1.0]).run()
}
