//! What the command line asks for.

use std::time::Duration;

pub(crate) const HELP: &str = "\
tamis beside ndarray, candle and burn, in one run

  --size N[,N...]          elements of a workload                     [16000000]
  --density P[,P...]       per cent of selected elements              [50]
  --threads N              for all contenders                         [1]
  --only W1,W2             workloads; `first` is the first call       [all]
  --contenders tamis,burn  who runs                                   [all]
  --seconds S              for each table row, all contenders         [3]
  --json FILE              where results go as well
  --full                   sizes 1000,1000000,16000000 and densities 1,50,99
  --memory                 peak memory instead of time, a child process for each workload
";

/// What to run, and how long.
#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub(crate) sizes: Vec<usize>,
    /// Shares between 0 and 1.
    pub(crate) densities: Vec<f32>,
    pub(crate) threads: usize,
    pub(crate) only: Option<Vec<String>>,
    pub(crate) contenders: Option<Vec<String>>,
    pub(crate) budget: Duration,
    pub(crate) json: Option<String>,
    pub(crate) memory: bool,
    /// This process is one of those that `memory` starts.
    pub(crate) is_memory_child: bool,
}

impl Arguments {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments {
            sizes: vec![16_000_000],
            densities: vec![0.5],
            threads: 1,
            only: None,
            contenders: None,
            budget: Duration::from_secs(3),
            json: None,
            memory: false,
            is_memory_child: false,
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--size" => arguments.sizes = numbers(&value()?)?,
                "--density" => {
                    arguments.densities = numbers(&value()?)?.into_iter().map(|p: f32| p / 100.0).collect();
                }
                "--threads" => arguments.threads = numbers(&value()?)?[0],
                "--only" => arguments.only = Some(list(&value()?)),
                "--contenders" => arguments.contenders = Some(list(&value()?)),
                "--seconds" => arguments.budget = Duration::from_secs_f64(numbers(&value()?)?[0]),
                "--json" => arguments.json = Some(value()?),
                "--full" => {
                    arguments.sizes = vec![1_000, 1_000_000, 16_000_000];
                    arguments.densities = vec![0.01, 0.5, 0.99];
                }
                "--memory" => arguments.memory = true,
                "--memory-child" => arguments.is_memory_child = true,
                _ => return Err(format!("{word} is not known\n\n{HELP}")),
            }
        }
        Ok(arguments)
    }

    /// Whether a workload is asked for.
    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|name| name == workload))
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn numbers<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, String> {
    text.split(',').map(|word| word.parse().map_err(|_| format!("{word} is not a number"))).collect()
}
