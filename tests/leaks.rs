//! What a run allocates is free after it, however often a plan is run. Alone in
//! its file, since it looks at the memory of the whole process.
#![cfg(target_os = "linux")]

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::Array1;
use tamis::prelude::*;

/// How many bytes of the process are in memory.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux reports the status of a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the status has this line");
    let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<usize>().ok());
    kilobytes.expect("the line has a number") << 10
}

/// A plan with kernels and regions, selections, reductions and scratch memory.
fn plan() -> Plan {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", dims!["n"]);
    let mask = x.gt(0.25);
    let kept = x.boolean_mask(mask);
    let loss = (kept.tanh() * 2.0).sum(..) + x.masked(mask).mean(..);
    let outputs = [
        ("kept", kept * 0.5),
        ("whole", (kept - kept.mean(..)).unmask(mask, x.exp())),
        ("sum", x.cumsum(0)),
        ("loss", loss),
        ("gradient", grad(loss, x)),
    ];
    Plan::new(outputs).expect("the plan is right")
}

/// Runs grow the memory of the process by no more than `bytes`, after the first
/// tenth of them has filled every pool and cache.
#[track_caller]
fn check(runs: usize, len: usize, bytes: usize) {
    let plan = plan().threads(2);
    let x = Array1::from_shape_fn(len, |i| (i as f32 * 0.7).sin());
    let mut before = 0;
    for i in 0..runs {
        if i == runs / 10 {
            before = resident();
        }
        plan.feed("x", &x).run().expect("the run is right");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown <= bytes, "{runs} runs over {len} elements grew memory by {grown} bytes");
}

/// The memory of the process is that of all its tests: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn runs_leave_nothing_behind() {
    let _alone = alone();
    // 200 bytes a run would be twice that.
    check(10_000, 50, 1 << 20);
    // One lost array in fifty would be four times that.
    check(200, 1_000_000, 4 << 20);
}

#[test]
fn a_plan_that_is_dropped_leaves_nothing_in_memory() {
    let _alone = alone();
    let run = |plan: &Plan, len: usize| {
        let x = Array1::from_shape_fn(len, |i| (i as f32 * 0.7).sin());
        plan.feed("x", &x).run().expect("the run is right");
    };
    // Code and threads come into memory when they are first used.
    run(&plan().threads(2), 200_000);
    let before = resident();
    let round = || {
        let plan = plan().threads(2);
        (1..=20).for_each(|i| run(&plan, i * 100_000));
        plan.trim();
        let trimmed = resident().saturating_sub(before);
        run(&plan, 2_000_000);
        drop(plan);
        [trimmed, resident().saturating_sub(before)]
    };
    // The allocator may keep some pages for a while; what a plan keeps is there in every round.
    let rounds = [round(), round(), round()];
    let least = |when: usize| rounds.iter().map(|round| round[when]).min().unwrap_or_default();
    // The last run alone holds more than 40 MiB.
    assert!(least(0) <= 8 << 20, "{rounds:?} bytes are left after a trim, and of a plan that was dropped");
    assert!(least(1) <= 8 << 20, "{rounds:?} bytes are left after a trim, and of a plan that was dropped");
}
