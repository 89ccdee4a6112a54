//! What runs allocate, counted by the allocator: a limit holds for every byte
//! that grows with the data, and what is counted without one is what is there.
//! Alone in its file, since it counts for the whole process.
#![deny(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array1, Array2};
use tamis::prelude::*;
use tamis::{DType, ErrorKind, OutOfRange};

/// What does not count: for each thread the registers of a region, what a
/// selection of a chunk waits in, and the panels of a matrix product, none of
/// which grow with the data; and the lists of chunks of a run.
const UNCOUNTED: usize = 1 << 20;

/// How many elements a tensor has: arrays of them are several times [`UNCOUNTED`].
const LEN: usize = 1 << 18;
const SIDE: usize = 512;

/// Counts what is allocated, and hands everything on to the system.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    let held = HELD.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(held, Relaxed);
}

#[allow(unsafe_code, reason = "an allocator is unsafe by its trait")]
// SAFETY: everything is done by the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    // SAFETY: as the trait asks.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    // SAFETY: as the trait asks.
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as for this function.
        unsafe { System.alloc_zeroed(layout) }
    }

    // SAFETY: as the trait asks.
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as for this function.
        unsafe { System.dealloc(start, layout) }
    }

    // SAFETY: as the trait asks.
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Shrinking may be done in place; growing counts as a copy may.
        if size > layout.size() {
            add(size);
            HELD.fetch_sub(layout.size(), Relaxed);
        } else {
            HELD.fetch_sub(layout.size() - size, Relaxed);
        }
        // SAFETY: as for this function.
        unsafe { System.realloc(start, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The inputs that ops are built on.
#[derive(Clone, Copy)]
struct Inputs<'g> {
    /// Numbers of [`LEN`].
    x: Expr<'g>,
    /// A mask of every second of them.
    mask: Expr<'g>,
    /// Indices into them.
    indices: Expr<'g>,
    /// A matrix of as many.
    matrix: Expr<'g>,
    /// A mask of the matrix.
    selected: Expr<'g>,
    /// Integers.
    whole: Expr<'g>,
}

type Build = for<'g> fn(Inputs<'g>) -> Expr<'g>;

const OPS: &[(&str, Build)] = &[
    ("exp", |i| i.x.exp()),
    ("add", |i| i.x + 1.0),
    ("chain", |i| (i.x * 2.0 + 1.0).tanh().square() - i.x),
    ("pow", |i| i.x.pow(i.x)),
    ("clip", |i| i.x.clip(-0.5, 0.5)),
    ("floor_div", |i| i.whole.floor_div(3)),
    ("floor_div by what may be 0", |i| i.whole.floor_div(i.whole.square() + 1)),
    ("rem_trunc", |i| i.whole.rem_trunc(i.whole.square() + 1)),
    ("integer pow", |i| i.whole.pow(i.whole.square() + 1)),
    ("compare", |i| i.x.gt(0.0)),
    ("logic", |i| i.mask & i.x.is_nan() | i.x.is_finite()),
    ("where_", |i| where_(i.mask, i.x, 0.0)),
    ("cast", |i| i.x.cast(DType::F32)),
    ("boolean_mask", |i| i.x.boolean_mask(i.mask)),
    ("boolean_mask of a chain", |i| i.x.exp().boolean_mask(i.x.gt(0.5)).sqrt()),
    ("two selections", |i| i.x.boolean_mask(i.mask).exp() + (i.x * 2.0).boolean_mask(i.mask)),
    ("boolean_mask of rows", |i| i.matrix.boolean_mask(i.matrix.gt(0.0).any(1))),
    ("boolean_mask_axis", |i| i.matrix.boolean_mask_axis(i.matrix.gt(0.0).any(0), 1)),
    ("compress", |i| i.matrix.compress(i.matrix.gt(0.9).any(0), 1)),
    ("masked_select", |i| i.matrix.masked_select(i.selected)),
    ("partition", |i| i.x.partition(i.mask).1),
    ("unmask", |i| i.x.boolean_mask(i.mask).unmask(i.mask, 0.0)),
    ("unmask_axis", |i| {
        let rows = i.matrix.gt(0.0).any(0);
        i.matrix.boolean_mask_axis(rows, 1).unmask_axis(rows, 0.0, 1)
    }),
    ("argwhere", |i| i.selected.argwhere()),
    ("flatnonzero", |i| i.x.flatnonzero()),
    ("nonzero", |i| i.selected.nonzero()[1]),
    ("masked_fill", |i| i.x.masked_fill(i.mask, 0.0)),
    ("masked_assign", |i| i.x.masked_assign(i.mask, 2.0)),
    ("masked_scatter", |i| i.x.masked_scatter(i.mask, i.x)),
    ("gather", |i| i.x.gather(i.indices, 0)),
    ("gather rows", |i| i.matrix.gather(i.indices.slice(..SIDE as i64) % SIDE as i64, 0)),
    ("gather_or", |i| i.x.gather_or(i.indices, OutOfRange::Clip, 0)),
    ("take_along_axis", |i| i.x.take_along_axis(i.indices, 0)),
    ("gather_nd", |i| i.x.gather_nd(i.indices.unsqueeze(1))),
    ("scatter_set", |i| i.x.scatter_set(i.indices, i.x, 0)),
    ("scatter_add", |i| i.x.scatter_add(i.indices, i.x, 0)),
    ("scatter_max", |i| i.x.scatter_max(i.indices, i.x, 0)),
    ("scatter_mul_along_axis", |i| i.x.scatter_mul_along_axis(i.indices, i.x, 0)),
    ("scatter_nd_min", |i| i.x.scatter_nd_min(i.indices.unsqueeze(1), i.x)),
    ("segment_sum", |i| i.x.segment_sum(i.indices % 100, 100)),
    ("segment_mean", |i| i.x.segment_mean(i.indices % 100, 100)),
    ("segment_max", |i| i.x.segment_max(i.indices % 100, 100)),
    ("one_hot", |i| (i.indices % 8).one_hot(8, DType::F32)),
    ("one_hot of bools", |i| (i.indices % 8).one_hot(8, DType::Bool)),
    ("sum", |i| i.x.sum(..)),
    ("sum of rows", |i| i.matrix.sum(1)),
    ("sum of columns", |i| i.matrix.sum(0)),
    ("prod", |i| i.matrix.prod(0)),
    ("mean", |i| i.matrix.mean(0)),
    ("var", |i| i.x.var(..)),
    ("std", |i| i.matrix.std(0)),
    ("norm", |i| i.x.norm(..)),
    ("logsumexp", |i| i.matrix.logsumexp(0)),
    ("max", |i| i.matrix.max(1)),
    ("any", |i| i.selected.any(0)),
    ("count_nonzero", |i| i.matrix.count_nonzero(0)),
    ("argmax", |i| i.matrix.argmax(0)),
    ("argmin", |i| i.x.argmin(0)),
    ("masked sum", |i| i.matrix.masked(i.selected).sum(0)),
    ("masked max", |i| i.matrix.masked(i.selected).if_empty(0.0).max(0)),
    ("masked var", |i| i.matrix.masked(i.selected).var(0)),
    ("masked cumsum", |i| i.x.masked(i.mask).cumsum(0)),
    ("masked sort", |i| i.x.masked(i.mask).sort(0)),
    ("masked argsort", |i| i.x.masked(i.mask).argsort(0)),
    ("masked softmax", |i| i.matrix.masked(i.selected).softmax(1)),
    ("softmax", |i| i.matrix.softmax(0)),
    ("log_softmax", |i| i.matrix.log_softmax(1)),
    ("cumsum", |i| i.x.cumsum(0)),
    ("cumsum of columns", |i| i.matrix.cumsum(0)),
    ("cumprod", |i| i.matrix.cumprod(1)),
    ("linear_scan", |i| i.x.linear_scan(i.x, 0)),
    ("sort", |i| i.x.sort(0)),
    ("sort of columns", |i| i.matrix.sort(0)),
    ("argsort", |i| i.matrix.argsort(1)),
    ("sort of i32", |i| i.whole.cast(DType::I32).sort(0)),
    ("top_k", |i| i.matrix.top_k(5, 1).0),
    ("reshape of a transpose", |i| i.matrix.transpose().flatten()),
    ("transpose", |i| i.matrix.transpose()),
    ("broadcast_to", |i| i.x.slice(..1000).unsqueeze(1).broadcast_to([1000, 700])),
    ("flip", |i| i.x.flip(0)),
    ("slice", |i| i.matrix.slice((1.., ..5))),
    ("concat", |i| i.x.graph().concat([i.x, i.x * 2.0], 0)),
    ("stack", |i| i.x.graph().stack([i.x, i.x], 1)),
    ("pad", |i| i.matrix.pad([(1, 2), (3, 4)], 1.5)),
    ("tile", |i| i.x.tile([2])),
    ("repeat", |i| i.x.repeat(2, 0)),
    ("iota", |i| i.x.graph().iota(LEN as i64)),
    ("full", |i| i.x.graph().full([LEN as i64], 1.5)),
    ("assert_that", |i| i.x.assert_that(i.x.is_finite(), "finite")),
    ("matmul", |i| i.matrix.matmul(i.matrix)),
    ("matmul of a transpose", |i| i.matrix.matmul(i.matrix.transpose())),
    ("matmul of f32", |i| i.matrix.cast(DType::F32).matmul(i.matrix.cast(DType::F32))),
    ("matmul of a vector", |i| i.matrix.matmul(i.matrix.slice((0, ..)))),
    ("matmul of integers", |i| {
        let few = i.matrix.slice((..16, ..)).cast(DType::I32);
        few.matmul(i.matrix.cast(DType::I32))
    }),
    ("long inner axis", |i| {
        let rows = i.x.reshape([8, LEN as i64 / 8]);
        rows.matmul(rows.transpose())
    }),
    ("masked matmul", |i| {
        let few = i.matrix.slice((..8, ..));
        few.masked(few.gt(0.0)).matmul(i.matrix)
    }),
    ("outer", |i| i.x.slice(..800).outer(i.x.slice(..800))),
    ("einsum", |i| i.x.graph().einsum("ij,ij->i", [i.matrix, i.matrix])),
    ("gradient of a selection", |i| grad(i.x.boolean_mask(i.x.gt(0.0)).tanh().sum(..), i.x)),
    ("gradient of a softmax", |i| grad(i.matrix.softmax(1).square().sum(..), i.matrix)),
    ("gradient of a sort", |i| grad((i.x.sort(0) * i.x).sum(..), i.x)),
    ("gradient of a product", |i| {
        grad(i.matrix.slice((..50, ..)).matmul(i.matrix).square().sum(..), i.matrix)
    }),
];

struct Data {
    x: Array1<f64>,
    mask: Array1<bool>,
    indices: Array1<i64>,
    matrix: Array2<f64>,
    selected: Array2<bool>,
    whole: Array1<i64>,
}

impl Data {
    fn new() -> Data {
        let number = |i: usize| (i as f64 * 0.7).sin();
        Data {
            x: Array1::from_shape_fn(LEN, number),
            mask: Array1::from_shape_fn(LEN, |i| i % 2 == 0),
            indices: Array1::from_shape_fn(LEN, |i| (i * 7919 % LEN) as i64),
            matrix: Array2::from_shape_fn((SIDE, SIDE), |(i, j)| number(i * SIDE + j)),
            selected: Array2::from_shape_fn((SIDE, SIDE), |(i, j)| (i + j) % 3 > 0),
            whole: Array1::from_shape_fn(LEN, |i| i as i64 % 1000 - 500),
        }
    }
}

fn plan(build: Build) -> Plan {
    let graph = Graph::new();
    let inputs = Inputs {
        x: graph.input::<f64>("x", [LEN]),
        mask: graph.input::<bool>("mask", [LEN]),
        indices: graph.input::<i64>("indices", [LEN]),
        matrix: graph.input::<f64>("matrix", [SIDE, SIDE]),
        selected: graph.input::<bool>("selected", [SIDE, SIDE]),
        whole: graph.input::<i64>("whole", [LEN]),
    };
    Plan::new([("y", build(inputs))]).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a plan. Gives the most bytes that were allocated at once beyond what
/// was before, the pool of the plan included, and what the run counted.
fn measure(plan: &Plan, data: &Data, base: usize) -> (usize, Result<usize, tamis::Error>) {
    PEAK.store(HELD.load(Relaxed), Relaxed);
    let run = plan.feed("x", &data.x).feed("mask", &data.mask).feed("indices", &data.indices);
    let run = run.feed("matrix", &data.matrix).feed("selected", &data.selected).feed("whole", &data.whole);
    let counted = run.run().map(|out| out.peak_bytes());
    (PEAK.load(Relaxed).saturating_sub(base), counted)
}

/// What a way of running an op does not keep to.
fn check(name: &str, plan: Plan, data: &Data, [threads, limits]: [usize; 2], found: &mut Vec<String>) {
    let uncounted = UNCOUNTED * threads;
    let base = HELD.load(Relaxed);
    let (peak, counted) = measure(&plan, data, base);
    let counted = counted.unwrap_or_else(|error| panic!("{name}: {error}"));
    if peak > counted + uncounted {
        found.push(format!("{name} allocates {peak} bytes and counts {counted}"));
    }
    // A limit that suffices, and one that does not, in a plan that has memory of earlier runs.
    let mut plan = plan;
    for limit in [counted, counted / 4 * 3].into_iter().take(limits) {
        plan = plan.memory_limit(limit);
        plan.trim();
        for _ in 0..2 {
            let (peak, result) = measure(&plan, data, base);
            if peak > limit + uncounted {
                found.push(format!("{name} allocates {peak} bytes under a limit of {limit}"));
            }
            match result {
                Ok(counted) => assert!(counted <= limit, "{name} counts {counted} under a limit of {limit}"),
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::MemoryLimit { .. }), "{name}: {error}")
                }
            }
        }
    }
}

/// The allocator counts for all tests: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_plan_keeps_no_more_than_its_last_runs_held() {
    let _alone = alone();
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let y = x.cumsum(0).sort(0).boolean_mask(x.gt(0.0)) * 2.0;
    let plan = Plan::new([("y", y)]).expect("the plan is right").threads(1);
    let run = |len: usize| {
        let x = Array1::from_shape_fn(len, |i| (i as f64 * 0.7).sin());
        // The results are dropped: what is left is the pool's.
        plan.feed("x", &x).run().expect("the run is right").peak_bytes()
    };
    run(100);
    let empty = HELD.load(Relaxed);
    let kept = || HELD.load(Relaxed).saturating_sub(empty);
    // Growing lengths: never more than the last run held.
    for i in 1..20 {
        let peak = run(i * 10_000);
        assert!(kept() <= peak + UNCOUNTED, "{} bytes are kept after a run of {peak}", kept());
    }
    assert!(kept() > 1 << 20);
    // Alternating lengths: both find what they need, within what the longer one holds.
    let mut most = 0;
    for i in 0..8 {
        most = most.max(run(if i % 2 == 0 { 190_000 } else { 100_000 }));
        assert!(kept() <= most + UNCOUNTED / 8, "{} bytes are kept after runs of {most}", kept());
    }
    // Eight small runs, and a giant one is forgotten.
    let peak = (0..8).map(|_| run(10_000)).max().unwrap_or(0);
    assert!(kept() <= peak + UNCOUNTED, "{} bytes are kept after runs of {peak}", kept());
    run(100_000);
    plan.trim();
    assert!(kept() <= UNCOUNTED / 8, "{} bytes are kept after a trim", kept());
}

#[test]
fn a_limit_holds_for_every_byte_that_grows_with_the_data() {
    let _alone = alone();
    let data = Data::new();
    // What the library of matrix products keeps for each thread is there after a first product.
    for (_, build) in OPS.iter().filter(|(name, _)| name.contains("matmul")) {
        for threads in [1, 2] {
            measure(&plan(*build).threads(threads), &data, 0).1.expect("the run is right");
        }
    }
    let mut found = Vec::new();
    for (name, build) in OPS {
        for threads in [1, 2] {
            check(
                &format!("{name} on {threads}"),
                plan(*build).threads(threads),
                &data,
                [threads, 2],
                &mut found,
            );
        }
        check(&format!("{name} by the reference"), plan(*build).reference(), &data, [1, 1], &mut found);
    }
    assert!(found.is_empty(), "{} cases:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_second_run_finds_the_memory_of_a_selection() {
    let _alone = alone();
    let data = Data::new();
    let is_selection = |name: &str| {
        ["boolean_mask", "selections", "compress", "select", "partition", "nonzero"]
            .iter()
            .any(|part| name.contains(part))
    };
    let mut found = Vec::new();
    for (name, build) in OPS.iter().filter(|(name, _)| is_selection(name)) {
        // On one thread a selection is written where it stays: nothing waits in memory of its own.
        let plan = plan(*build).threads(1);
        measure(&plan, &data, 0).1.expect("the run is right");
        let kept = HELD.load(Relaxed);
        let (fresh, counted) = measure(&plan, &data, kept);
        if fresh > UNCOUNTED {
            found.push(format!("{name} allocates {fresh} bytes again and counts {counted:?}"));
        }
    }
    assert!(found.is_empty(), "{} cases:\n{}", found.len(), found.join("\n"));
}
