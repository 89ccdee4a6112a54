//! One workload at one size and density, and those who run it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::answer::{Answer, Elements};
use crate::bench::Bench;

/// A computation, what it must read and write at least, and its contenders.
pub(crate) struct Case<'a> {
    pub(crate) workload: &'static str,
    pub(crate) title: &'static str,
    pub(crate) size: usize,
    /// The share of selected elements, if the workload has a mask.
    pub(crate) density: Option<f32>,
    pub(crate) bytes: Bytes,
    pub(crate) tolerance: f64,
    /// How many runs in a row are compared; more than 1 where a run changes what the next one reads.
    pub(crate) checked_runs: usize,
    pub(crate) contenders: Vec<Contender<'a>>,
    only: Option<Vec<String>>,
}

/// What a computation moves at least: each input read once, each output written once.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bytes {
    pub(crate) read: usize,
    pub(crate) written: usize,
}

/// A named way to run the computation.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    runner: Box<dyn Runner + 'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(workload: &'static str, title: &'static str, size: usize) -> Case<'a> {
        Case {
            workload,
            title,
            size,
            density: None,
            bytes: Bytes::default(),
            tolerance: 1e-4,
            checked_runs: 1,
            contenders: Vec::new(),
            only: None,
        }
    }

    pub(crate) fn density(mut self, density: f32) -> Case<'a> {
        self.density = Some(density);
        self
    }

    pub(crate) fn bytes(mut self, read: usize, written: usize) -> Case<'a> {
        self.bytes = Bytes { read, written };
        self
    }

    pub(crate) fn tolerance(mut self, tolerance: f64) -> Case<'a> {
        self.tolerance = tolerance;
        self
    }

    pub(crate) fn checked_runs(mut self, runs: usize) -> Case<'a> {
        self.checked_runs = runs;
        self
    }

    /// Takes only the contenders of these names; without names, all.
    pub(crate) fn only(mut self, names: Option<&[String]>) -> Case<'a> {
        self.only = names.map(<[String]>::to_vec);
        self
    }

    /// Enters a contender: `prepare` does what is not timed and gives what is.
    /// The results are dropped within the measured time.
    pub(crate) fn add<R, F>(&mut self, name: &'static str, prepare: impl FnOnce() -> F)
    where
        R: Answer,
        F: FnMut() -> R + 'a,
    {
        if self.only.as_ref().is_none_or(|only| only.iter().any(|wanted| wanted == name)) {
            self.add_always(name, prepare());
        }
    }

    /// Enters the loop that is written for the workload alone; on one thread, for which it is written.
    pub(crate) fn add_hand<R, F>(&mut self, bench: &Bench, prepare: impl FnOnce() -> F)
    where
        R: Answer,
        F: FnMut() -> R + 'a,
    {
        if bench.threads() == 1 {
            self.add("hand", prepare);
        }
    }

    /// Enters a contender whoever was asked for.
    pub(crate) fn add_always<R: Answer>(&mut self, name: &'static str, run: impl FnMut() -> R + 'a) {
        self.contenders.push(Contender { name, runner: Box::new(run) });
    }
}

impl Contender<'_> {
    /// The mean time of `iterations` runs.
    pub(crate) fn time(&mut self, iterations: u32) -> Duration {
        self.runner.time(iterations)
    }

    /// What `runs` runs give, one after the other.
    pub(crate) fn answer(&mut self, runs: usize) -> Vec<Elements> {
        let mut answer = Vec::new();
        (0..runs).for_each(|_| self.runner.answer(&mut answer));
        answer
    }
}

/// Hides the type of the results.
trait Runner {
    fn time(&mut self, iterations: u32) -> Duration;
    fn answer(&mut self, answer: &mut Vec<Elements>);
}

impl<R: Answer, F: FnMut() -> R> Runner for F {
    fn time(&mut self, iterations: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..iterations {
            drop(black_box(self()));
        }
        start.elapsed() / iterations
    }

    fn answer(&mut self, answer: &mut Vec<Elements>) {
        self().append_to(answer);
    }
}
