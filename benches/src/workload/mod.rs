//! The workloads, a file for each kind. In each, the program of tamis and those
//! of the others stand side by side.

mod choose;
mod gradient;
mod index;
mod network;
mod overhead;
mod regression;
mod select;
mod statistic;

use crate::bench::Bench;

/// What a workload is run for.
enum Workload {
    /// Once.
    Fixed(fn(&mut Bench)),
    /// Each size.
    Sized(fn(&mut Bench, usize)),
    /// Each size and each share of selected elements.
    Masked(fn(&mut Bench, usize, f32)),
}

/// All of them, by the names that `--only` takes.
const WORKLOADS: [(&str, Workload); 20] = [
    ("W1", Workload::Masked(select::above)),
    ("W2", Workload::Masked(select::between)),
    ("W3", Workload::Masked(choose::branches)),
    ("W4", Workload::Masked(choose::masked_pictures)),
    ("W4", Workload::Masked(choose::filled_pictures)),
    ("W5", Workload::Masked(select::indices)),
    ("W5", Workload::Masked(select::boxes)),
    ("W6", Workload::Masked(statistic::masked_mean)),
    ("W6", Workload::Masked(statistic::masked_softmax)),
    ("W7", Workload::Sized(index::gathered_rows)),
    ("W7", Workload::Sized(index::scattered_rows)),
    ("W8", Workload::Sized(statistic::class_accuracy)),
    ("W9", Workload::Masked(gradient::masked_loss)),
    ("W10", Workload::Masked(choose::assigned)),
    ("W11", Workload::Masked(choose::functions)),
    ("W12", Workload::Fixed(overhead::ten_operations)),
    ("W13", Workload::Fixed(network::product)),
    ("W13", Workload::Fixed(network::training_step)),
    ("W18", Workload::Fixed(regression::huber_step)),
    ("first", Workload::Fixed(overhead::first_call)),
];

/// The names that `--only` takes, each once.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = WORKLOADS.iter().map(|(name, _)| *name).collect();
    names.dedup();
    names
}

/// Runs the workloads that were asked for.
pub(crate) fn run_all(bench: &mut Bench) {
    let (sizes, densities) = (bench.arguments.sizes.clone(), bench.arguments.densities.clone());
    for (name, workload) in WORKLOADS {
        if !bench.arguments.wants(name) {
            continue;
        }
        match workload {
            Workload::Fixed(run) => run(bench),
            Workload::Sized(run) => sizes.iter().for_each(|size| run(bench, *size)),
            Workload::Masked(run) => {
                for size in &sizes {
                    densities.iter().for_each(|density| run(bench, *size, *density));
                }
            }
        }
    }
}
