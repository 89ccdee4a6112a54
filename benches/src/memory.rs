//! Peak memory: each workload in a process of its own.

use std::env;
use std::process::Command;

use serde_json::Value;

use crate::arguments::Arguments;
use crate::bench::{TAMIS, percent};
use crate::workload;

/// Runs the workloads one by one in child processes and prints what they held.
pub(crate) fn run(arguments: &Arguments) {
    let contenders = arguments.contenders.clone().unwrap_or_else(|| vec![TAMIS.to_owned()]);
    println!("Memory held in a run beyond the inputs, MB");
    println!("{:<52} {:>9} {:>4} {:<10} {:>9} {:>9}", "", "size", "", "", "outputs", "besides");
    let mut rows = Vec::new();
    for workload in workload::names().into_iter().filter(|name| arguments.wants(name)) {
        for size in &arguments.sizes {
            for density in &arguments.densities {
                for contender in &contenders {
                    rows.extend(child(arguments, workload, *size, *density, contender));
                }
            }
        }
    }
    if let Some(path) = &arguments.json {
        let text = format!("{:#}\n", Value::from(rows));
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}

/// The rows that a child process prints, one JSON object in a line.
fn child(arguments: &Arguments, workload: &str, size: usize, density: f32, contender: &str) -> Vec<Value> {
    let program = env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.arg("--memory-child").args(["--only", workload, "--contenders", contender]);
    command.args(["--size", &size.to_string(), "--density", &percent(density).to_string()]);
    command.args(["--threads", &arguments.threads.to_string()]);
    let output = command.output().expect("this program starts");
    if !output.status.success() {
        eprintln!("{workload} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    rows.iter().for_each(print);
    rows
}

fn print(row: &Value) {
    let megabytes = |name: &str| row[name].as_f64().unwrap_or(0.0) / f64::from(1 << 20);
    let text = |name: &str| row[name].as_str().unwrap_or("").to_owned();
    let density = row["density"].as_u64().map_or(String::new(), |share| format!("{share}%"));
    println!(
        "{:<5} {:<46} {:>9} {density:>4} {:<10} {:>9.1} {:>9.1}",
        text("workload"),
        text("title"),
        row["size"].as_u64().unwrap_or(0),
        text("contender"),
        megabytes("outputs"),
        megabytes("beyond_outputs"),
    );
}
