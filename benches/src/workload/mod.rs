//! The workloads, a file for each kind. In each, the program of tamis and those
//! of the others stand side by side.

mod choose;
mod select;

use crate::bench::Bench;

/// The names that `--only` takes.
pub(crate) const NAMES: [&str; 3] = ["W1", "W2", "W3"];

/// Runs the workloads that were asked for, at every size.
pub(crate) fn run_all(bench: &mut Bench) {
    for size in bench.arguments.sizes.clone() {
        for name in NAMES {
            if bench.arguments.wants(name) {
                run(bench, name, size);
            }
        }
    }
}

fn run(bench: &mut Bench, name: &str, size: usize) {
    for density in bench.arguments.densities.clone() {
        match name {
            "W1" => select::above(bench, size, density),
            "W2" => select::between(bench, size, density),
            "W3" => choose::branches(bench, size, density),
            _ => unreachable!("every name of NAMES has an arm"),
        }
    }
}
