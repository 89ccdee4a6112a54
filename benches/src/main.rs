//! tamis beside ndarray, candle and burn on the same workloads, in the same run.
//!
//! `cargo run --release -- --size 16000000 --threads 1`; see README.md.

mod answer;
mod arguments;
mod bench;
mod contender;
mod data;
mod floor;
mod hand;
mod machine;
mod measure;
mod memory;
mod peer;
mod table;
mod workload;

use std::env;
use std::process::{Command, ExitCode};

use arguments::{Arguments, HELP};
use bench::Bench;

/// Where rayon, candle's matrix product and ndarray's look for the number of threads.
const THREAD_VARIABLES: [&str; 3] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS", "MATMUL_NUM_THREADS"];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::parse(words.iter().cloned()) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let threads = arguments.threads.to_string();
    if THREAD_VARIABLES.iter().any(|name| env::var(name).as_deref() != Ok(&threads)) {
        return restart(&words, &threads);
    }
    if arguments.memory {
        memory::run(&arguments);
        return ExitCode::SUCCESS;
    }
    let json = arguments.json.clone();
    let mut bench = Bench::new(arguments);
    workload::run_all(&mut bench);
    if let Some(path) = json {
        let text = format!("{:#}\n", bench.to_json());
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    if bench.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts this program again with the number of threads in its environment, since
/// thread pools read it there when they start.
fn restart(words: &[String], threads: &str) -> ExitCode {
    let program = env::current_exe().expect("the path of this program");
    let mut command = Command::new(program);
    command.args(words).envs(THREAD_VARIABLES.map(|name| (name, threads)));
    let status = command.status().expect("this program starts");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
