//! Interleaved timing: every round runs each contender once, so that whatever
//! else the machine does meets all of them alike.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::contender::Contender;

/// The times of one contender, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) median: f64,
    /// A quarter of the rounds were faster.
    pub(crate) low: f64,
    /// A quarter of the rounds were slower.
    pub(crate) high: f64,
    pub(crate) rounds: usize,
}

/// Short runs are repeated until the clock does not matter.
const SHORTEST: Duration = Duration::from_micros(50);
const FEWEST_ROUNDS: usize = 5;
const MOST_ROUNDS: usize = 301;

/// In a race of several threads, those that one contender leaves waiting spin for
/// a while before they sleep, on the cores of the next.
const PAUSE: Duration = Duration::from_millis(2);

/// Times all contenders within about `budget`, and at least five rounds.
pub(crate) fn measure(contenders: &mut [Contender<'_>], budget: Duration, threads: usize) -> Vec<Timing> {
    let iterations: Vec<u32> = contenders.iter_mut().map(repetitions).collect();
    let mut samples: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
    let start = Instant::now();
    for round in 0..MOST_ROUNDS {
        let is_over = start.elapsed() > budget;
        if round >= FEWEST_ROUNDS && is_over {
            break;
        }
        for turn in 0..contenders.len() {
            // No contender always runs in the caches that the same other one left.
            let index = (round + turn) % contenders.len();
            // One slow contender must not take the rounds of all the others.
            let is_slow = samples[index].last().is_some_and(|time| *time > budget / 20);
            if round < FEWEST_ROUNDS || !is_slow {
                if threads > 1 {
                    sleep(PAUSE);
                }
                samples[index].push(contenders[index].time(iterations[index]));
            }
        }
    }
    samples.into_iter().map(Timing::new).collect()
}

/// How many runs make one sample.
fn repetitions(contender: &mut Contender<'_>) -> u32 {
    let once = contender.time(1).max(Duration::from_nanos(20));
    if once >= SHORTEST {
        return 1;
    }
    // The first short run is mostly cold caches.
    let warm = contender.time(16).max(Duration::from_nanos(20));
    (SHORTEST.as_nanos() / warm.as_nanos()).clamp(1, 2500) as u32
}

impl Timing {
    fn new(mut samples: Vec<Duration>) -> Timing {
        samples.sort_unstable();
        let at = |quarters: usize| samples[(samples.len() - 1) * quarters / 4].as_secs_f64();
        Timing { low: at(1), median: at(2), high: at(3), rounds: samples.len() }
    }
}
