//! How the time of building, differentiating, planning, explaining, running and dropping grows with a graph.
//!
//! `cargo run --release --no-default-features --bin growth`; see README.md.

mod job;
mod shape;

use std::env;
use std::process::{Command, ExitCode};
use std::time::Instant;

use job::{Job, PHASES};
use shape::SHAPES;

const HELP: &str = "\
growth [--only a,b] [--sizes 1000,10000,100000,1000000] [--detail]
  --only    shapes whose names contain one of these
  --sizes   numbers of nodes
  --detail  a line for each size
";

/// How many nodes the repetitions of a short job have together.
const REPEATED: usize = 200_000;

/// A job, and the most memory that it held, in MiB.
struct Measured {
    job: Job,
    peak: usize,
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let list = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let sizes =
        list("--sizes").unwrap_or_else(|| ["1000", "10000", "100000", "1000000"].map(str::to_owned).to_vec());
    let sizes: Result<Vec<usize>, _> = sizes.iter().map(|size| size.parse()).collect();
    let (Ok(sizes), false) = (sizes, words.iter().any(|word| word == "--help")) else {
        print!("{HELP}");
        return ExitCode::FAILURE;
    };
    if let Some(name) = list("--child") {
        measure(&name[0], sizes[0]);
        return ExitCode::SUCCESS;
    }
    let (only, detail) = (list("--only"), words.iter().any(|word| word == "--detail"));
    print_head();
    for shape in SHAPES {
        let is_wanted = only.as_ref().is_none_or(|only| only.iter().any(|part| shape.name.contains(&**part)));
        if is_wanted {
            let found: Vec<Measured> = sizes.iter().filter_map(|size| child(shape.name, *size)).collect();
            report(shape.name, &found, detail);
        }
    }
    ExitCode::SUCCESS
}

/// Carries out a job, and prints what it took.
fn measure(name: &str, nodes: usize) {
    let shape = SHAPES.iter().find(|shape| shape.name == name).expect("a shape of this name");
    let start = Instant::now();
    let meter = || busy().unwrap_or_else(|| start.elapsed().as_secs_f64());
    // The mean of many short jobs.
    let repeats = (REPEATED / nodes).max(1);
    let mut job = Job::measure(shape, nodes, meter);
    for _ in 1..repeats {
        let again = Job::measure(shape, nodes, meter);
        job.costs.iter_mut().zip(again.costs).for_each(|(sum, cost)| *sum += cost);
    }
    job.costs.iter_mut().for_each(|sum| *sum /= repeats as f64);
    let costs: Vec<String> = job.costs.iter().map(f64::to_string).collect();
    println!("{} {} {}", job.nodes, peak(), costs.join(" "));
}

/// How many seconds this thread has run, where the system says: the time in which others ran does not count.
fn busy() -> Option<f64> {
    // The system adds up every few milliseconds, and where a thread lets others run.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// The most memory that was resident, in MiB; 0 where the system does not say.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kibibytes.unwrap_or(0) >> 10
}

/// Measures in a process of its own, whose peak of memory is the job's alone.
fn child(name: &str, size: usize) -> Option<Measured> {
    let program = env::current_exe().expect("the path of this program");
    // The shortest of a few rounds counts, since the machine does other things as well.
    let rounds = if size < REPEATED { 3 } else { 1 };
    let measured = (0..rounds).filter_map(|_| {
        let output = Command::new(&program).args(["--child", name, "--sizes", &size.to_string()]).output();
        let output = output.expect("this program starts");
        let measured = parsed(&String::from_utf8_lossy(&output.stdout));
        if measured.is_none() {
            eprintln!("{name}, {size} nodes: {} {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        measured
    });
    measured.reduce(fastest)
}

fn parsed(line: &str) -> Option<Measured> {
    let mut words = line.split_whitespace();
    let (nodes, peak) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut costs = [0.0; PHASES.len()];
    for cost in &mut costs {
        *cost = words.next()?.parse().ok()?;
    }
    Some(Measured { job: Job { nodes, costs }, peak })
}

/// The shorter time of each phase.
fn fastest(mut one: Measured, other: Measured) -> Measured {
    one.job.costs.iter_mut().zip(other.job.costs).for_each(|(own, other)| *own = own.min(other));
    Measured { peak: one.peak.max(other.peak), ..one }
}

fn print_head() {
    let phases: Vec<String> = PHASES.iter().map(|phase| format!("{phase:>8}")).collect();
    println!("{:<36} {:>9} {} {:>9}", "seconds, and below exponents", "nodes", phases.join(" "), "peak MiB");
}

/// The seconds of the largest size, and how they grew.
fn report(name: &str, found: &[Measured], detail: bool) {
    let shown = if detail { found } else { &found[found.len().saturating_sub(1)..] };
    for Measured { job, peak } in shown {
        let seconds: Vec<String> = job.costs.iter().map(|seconds| format!("{seconds:>8.4}")).collect();
        println!("{name:<36} {:>9} {} {peak:>9}", job.nodes, seconds.join(" "));
    }
    let exponents: Vec<String> = (0..PHASES.len()).map(|phase| exponent(found, phase)).collect();
    println!("{:<36} {:>9} {}", "", "", exponents.join(" "));
}

/// The slope from the smallest job to the largest, if the largest takes a millisecond.
fn exponent(found: &[Measured], phase: usize) -> String {
    let mut timed = found.iter().map(|found| &found.job).filter(|job| job.costs[phase] > 0.0);
    let (Some(first), Some(last)) = (timed.next(), timed.next_back()) else { return format!("{:>8}", "-") };
    if last.costs[phase] < 0.001 {
        return format!("{:>8}", "-");
    }
    let slope = (last.costs[phase] / first.costs[phase]).ln() / (last.nodes as f64 / first.nodes as f64).ln();
    format!("{slope:>8.2}")
}
