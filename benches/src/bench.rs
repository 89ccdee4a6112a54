//! Runs cases: checks all contenders against the first, times them beside the
//! floor, and keeps the rows.

use serde_json::{Map, Value, json};
use tamis::prelude::*;

use crate::answer::compare;
use crate::arguments::Arguments;
use crate::contender::{Bytes, Case};
use crate::floor::{Bandwidth, Streams, bandwidth};
use crate::machine;
use crate::measure::{Timing, measure};
use crate::table;

/// The name of the contender that others are compared with.
pub(crate) const TAMIS: &str = "tamis";
/// The name under which the floor is timed.
pub(crate) const FLOOR: &str = "floor";

/// A run of the program: what was asked for, and the rows so far.
pub(crate) struct Bench {
    pub(crate) arguments: Arguments,
    bandwidth: Option<Bandwidth>,
    rows: Vec<Row>,
    /// Contenders that gave another answer.
    pub(crate) failures: Vec<String>,
}

/// The result of one case.
pub(crate) struct Row {
    pub(crate) workload: &'static str,
    pub(crate) title: &'static str,
    pub(crate) size: usize,
    pub(crate) density: Option<f32>,
    pub(crate) bytes: Bytes,
    pub(crate) times: Vec<(&'static str, Timing)>,
}

impl Bench {
    pub(crate) fn new(arguments: Arguments) -> Bench {
        let needs_streams = !arguments.is_memory_child;
        let bandwidth = needs_streams.then(|| bandwidth(arguments.threads, arguments.budget));
        if let Some(bandwidth) = &bandwidth {
            println!("{}", table::head(&arguments, bandwidth));
        }
        Bench { arguments, bandwidth, rows: Vec::new(), failures: Vec::new() }
    }

    /// How many threads everybody uses.
    pub(crate) fn threads(&self) -> usize {
        self.arguments.threads
    }

    /// Whether a contender without a pool of its own should split `elements` over threads.
    pub(crate) fn is_parallel(&self, elements: usize) -> bool {
        self.arguments.threads > 1 && elements >= 100_000
    }

    /// The plan of tamis for some outputs, on the threads that everybody uses.
    pub(crate) fn plan<'g, const N: usize>(&self, outputs: [(&str, Expr<'g>); N]) -> Plan {
        Plan::new(outputs).expect("a right graph").threads(self.threads())
    }

    /// A case with the contenders that were asked for.
    pub(crate) fn case<'a>(&self, workload: &'static str, title: &'static str, size: usize) -> Case<'a> {
        Case::new(workload, title, size).only(self.arguments.contenders.as_deref())
    }

    /// Checks and times a case, or reports its memory where that is asked for.
    pub(crate) fn run(&mut self, mut case: Case<'_>) {
        if case.contenders.is_empty() {
            return;
        }
        if self.arguments.is_memory_child {
            return report_memory(case);
        }
        self.check(&mut case);
        let mut floor = Streams::new(case.bytes, self.threads());
        if case.bytes.read + case.bytes.written > 0 {
            case.add_always(FLOOR, move || floor.pass());
            let mut ahead = Streams::new(case.bytes, self.threads()).ahead();
            case.add("floor ahead", || move || ahead.pass());
        }
        let times = measure(&mut case.contenders, self.arguments.budget, self.threads());
        let names = case.contenders.iter().map(|contender| contender.name);
        let Case { workload, title, size, density, bytes, .. } = case;
        let row = Row { workload, title, size, density, bytes, times: names.zip(times).collect() };
        println!("{}", table::line(&row, self.threads()));
        self.rows.push(row);
    }

    /// Leaves out of the race whoever gives another answer than the first contender.
    fn check(&mut self, case: &mut Case<'_>) {
        let (runs, tolerance) = (case.checked_runs, case.tolerance);
        let expected = case.contenders[0].answer(runs);
        let first = case.contenders[0].name;
        let mut failures = Vec::new();
        let mut is_right = |contender: &mut crate::contender::Contender<'_>| {
            let verdict = compare(&contender.answer(runs), &expected, tolerance);
            verdict.map_err(|difference| failures.push((contender.name, difference))).is_ok()
        };
        let mut index = 0;
        case.contenders.retain_mut(|contender| {
            index += 1;
            index == 1 || is_right(contender)
        });
        for (name, difference) in failures {
            let failure = format!("{} {}: {name} beside {first}: {difference}", case.workload, case.title);
            eprintln!("NOT THE SAME ANSWER: {failure}");
            self.failures.push(failure);
        }
    }

    /// Everything as JSON, in the format that `peers.py` writes as well.
    pub(crate) fn to_json(&self) -> Value {
        let bandwidth = self.bandwidth.as_ref();
        let streams = bandwidth.map(|b| json!({ "read": b.read, "scale": b.scale, "memcpy": b.memcpy }));
        json!({
            "program": "rust",
            "machine": machine::describe(),
            "threads": self.threads(),
            "bandwidth": streams,
            "rows": self.rows.iter().map(|row| self.row_to_json(row)).collect::<Vec<_>>(),
            "failures": self.failures,
        })
    }

    fn row_to_json(&self, row: &Row) -> Value {
        let times = row.times.iter().map(|(name, timing)| {
            let Timing { median, low, high, rounds } = timing;
            let value = json!({ "median": median, "low": low, "high": high, "rounds": rounds });
            ((*name).to_owned(), value)
        });
        json!({
            "workload": row.workload,
            "title": row.title,
            "size": row.size,
            "density": row.density.map(percent),
            "threads": self.threads(),
            "bytes_read": row.bytes.read,
            "bytes_written": row.bytes.written,
            "times": times.collect::<Map<_, _>>(),
        })
    }
}

/// A share in per cent, rounded.
pub(crate) fn percent(share: f32) -> u32 {
    (share * 100.0).round() as u32
}

/// Prints what the contenders of a case hold at most beyond what they hold
/// before their first run: inputs, and their own copies of them.
fn report_memory(mut case: Case<'_>) {
    for contender in &mut case.contenders {
        machine::forget_peak();
        let before = machine::resident();
        contender.time(3);
        let held = machine::peak().saturating_sub(before);
        let beyond = held.saturating_sub(case.bytes.written);
        let row = json!({
            "workload": case.workload, "title": case.title, "size": case.size,
            "density": case.density.map(percent), "contender": contender.name,
            "before": before, "outputs": case.bytes.written, "held": held, "beyond_outputs": beyond,
        });
        println!("{row}");
    }
}
