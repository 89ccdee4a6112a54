//! What holds of all programs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use tamis::Graph;

use crate::check::check;
use crate::random::Random;
use crate::writer::{Step, Writer, steps};

/// Lengths at which something ends: a vector, a block, a tile.
const LENGTHS: [usize; 14] = [0, 1, 2, 3, 7, 63, 64, 65, 127, 129, 300, 1023, 1024, 1025];

/// Lengths of other axes.
const FEW: [usize; 9] = [0, 1, 1, 2, 3, 5, 8, 17, 64];

/// Sizes about the length of a chunk, and beyond it.
const LARGE: [[usize; 2]; 12] = [
    [65_535, 1],
    [1, 65_536],
    [65_537, 1],
    [131_073, 1],
    [1, 131_073],
    [2, 65_537],
    [21_846, 3],
    [3, 43_691],
    [43_691, 3],
    [64, 1025],
    [1025, 65],
    [2, 33_000],
];

/// A program and its data.
#[derive(Debug, Clone)]
struct Recipe {
    seed: u64,
    size: [usize; 2],
    steps: Vec<(&'static str, Step)>,
}

impl Recipe {
    /// Whether there are results, rather than one error of all executors.
    fn run(&self) -> Result<bool, String> {
        let graph = Graph::new();
        let elements = self.size[0] * self.size[1];
        let mut writer = Writer::new(&graph, self.seed, self.size, 8 + elements / 50);
        self.steps.iter().for_each(|step| writer.step(*step));
        writer.finish();
        let found = catch_unwind(AssertUnwindSafe(|| check(&writer.outputs, &writer.feeds)));
        found.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            Err(format!("panic: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?")))
        })
    }

    fn text(&self) -> String {
        let steps: Vec<&str> = self.steps.iter().map(|(text, _)| *text).collect();
        format!("seed {}, size {:?}, {}", self.seed, self.size, steps.join("; "))
    }
}

/// Asserts that all recipes hold, and reports those that do not.
#[track_caller]
fn for_recipes(recipes: impl IntoIterator<Item = Recipe>) {
    let failures: Vec<String> = recipes
        .into_iter()
        .filter_map(|recipe| recipe.run().err().map(|error| format!("{}: {error}", recipe.text())))
        .collect();
    assert!(failures.is_empty(), "{} programs fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_step_alone_agrees_with_the_reference() {
    let steps = steps();
    let recipes = steps.iter().enumerate().flat_map(|(i, step)| {
        let sizes = [[3, 5], [65, 1], [1, 1025], [0, 3], [3, 0], [1, 1], [37, 64]];
        sizes.into_iter().enumerate().map(move |(j, size)| Recipe {
            seed: (100 * i + j) as u64,
            size,
            steps: vec![*step],
        })
    });
    for_recipes(recipes);
}

/// The program of a seed.
fn recipe(seed: u64, steps: &[(&'static str, Step)]) -> Recipe {
    let mut random = Random::new(seed);
    let mut size = [*random.pick(&LENGTHS), *random.pick(&FEW)];
    if random.coin() {
        size.reverse();
    }
    if random.below(100) == 0 {
        size = *random.pick(&LARGE);
    }
    let length = 2 + random.below(12);
    Recipe { seed, size, steps: (0..length).map(|_| *random.pick(steps)).collect() }
}

#[test]
fn programs_agree_with_the_reference() {
    let steps = steps();
    for_recipes((10_000..10_400).map(|seed| recipe(seed, &steps)));
}

/// How long to write programs, and from which seed on, as the environment says; a
/// seed alone without time.
fn soak_wanted() -> (Duration, u64) {
    let wanted = std::env::var("TAMIS_SOAK").unwrap_or_else(|_| "0,30000".into());
    let (seconds, seed) = wanted.split_once(',').expect("TAMIS_SOAK is `seconds,seed`");
    let seconds = seconds.parse().expect("the seconds are an integer");
    (Duration::from_secs(seconds), seed.parse().expect("the seed is an integer"))
}

#[test]
fn soak() {
    let (time, first) = soak_wanted();
    let (steps, start) = (steps(), Instant::now());
    let (mut failures, mut seed, mut results) = (Vec::new(), first, 0);
    let mut slowest = (Duration::ZERO, String::new());
    while seed == first || start.elapsed() < time {
        let recipe = recipe(seed, &steps);
        let begun = Instant::now();
        let found = recipe.run();
        if begun.elapsed() > slowest.0 {
            slowest = (begun.elapsed(), recipe.text());
        }
        match found {
            Ok(has_results) => results += u64::from(has_results),
            Err(error) => {
                println!("{}: {error}", recipe.text());
                failures.push(seed);
            }
        }
        seed += 1;
    }
    let (count, time) = (seed - first, start.elapsed());
    println!("{count} programs in {time:?} from seed {first} on, {results} of them with results");
    println!("the slowest took {:?}: {}", slowest.0, slowest.1);
    assert!(failures.is_empty(), "the programs of these seeds fail: {failures:?}");
}

#[test]
fn small_programs_on_several_chunks_agree_with_the_reference() {
    let steps = steps();
    let recipes = (20_000..20_060).map(|seed| {
        let mut random = Random::new(seed);
        let size = LARGE[seed as usize % LARGE.len()];
        Recipe { seed, size, steps: (0..3).map(|_| *random.pick(&steps)).collect() }
    });
    for_recipes(recipes);
}
