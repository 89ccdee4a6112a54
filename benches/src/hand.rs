//! What is left to gain: one fused loop for a workload, written for nothing else, on one thread.
//! It compiles for the vector instructions of the machine, writes memory that it has written
//! before, and asks for the lines it will write, as the floor beside it does not.

use std::cell::RefCell;
use std::rc::Rc;

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};

use crate::answer::{Answer, Elements};

/// How many elements a loop takes at a time.
pub(crate) const BLOCK: usize = 64;
/// How many elements ahead lines are asked for.
const AHEAD: usize = 1024;

/// Memory that every run writes again, and how much of it the last one wrote.
pub(crate) struct Kept {
    memory: Vec<f32>,
    len: usize,
}

impl Kept {
    pub(crate) fn new(len: usize) -> Rc<RefCell<Kept>> {
        Rc::new(RefCell::new(Kept { memory: vec![0.0; len + BLOCK], len }))
    }
}

impl Answer for Kept {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Floats(self.memory[..self.len].to_vec()));
    }
}

/// Asks for the lines that a block will be written to.
#[inline(always)]
pub(crate) fn prefetch(target: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..BLOCK / 16 {
        let address = target.as_ptr().wrapping_add(AHEAD + line * 16);
        // SAFETY: a prefetch writes nothing, and any address will do.
        unsafe {
            std::arch::asm!("prefetchw [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = target;
}

/// `f` of the elements at which it gives true beside.
pub(crate) fn select(kept: &mut Kept, x: &[f32], f: impl Fn(f32) -> (f32, bool) + Copy) {
    let target = &mut kept.memory[..];
    kept.len = dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            let mut count = 0;
            for block in x.chunks(BLOCK) {
                prefetch(&target[count..]);
                let (mut values, mut mask) = ([0.0; BLOCK], [0_u32; BLOCK]);
                for ((value, mask), x) in values.iter_mut().zip(&mut mask).zip(block) {
                    let (of_x, selected) = f(*x);
                    *value = of_x;
                    *mask = u32::from(selected);
                }
                for (values, mask) in values.as_chunks::<16>().0.iter().zip(mask.as_chunks::<16>().0) {
                    let selected = fearless_simd::u32x16::from_slice(simd, mask).simd_gt(0);
                    let few = selected.to_bitmask();
                    let values = fearless_simd::f32x16::from_slice(simd, values);
                    values.compress(selected).store_slice(&mut target[count..count + 16]);
                    count += few.count_ones() as usize;
                }
            }
            count
        }
    ));
}

/// `f` of the elements of two arrays and a mask.
pub(crate) fn choose(kept: &mut Kept, [x, y]: [&[f32]; 2], mask: &[bool], f: impl Fn(f32, f32, bool) -> f32 + Copy) {
    let target = &mut kept.memory[..x.len()];
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            let blocks = target.chunks_mut(BLOCK).zip(x.chunks(BLOCK)).zip(y.chunks(BLOCK)).zip(mask.chunks(BLOCK));
            for (((target, x), y), mask) in blocks {
                prefetch(target);
                for (((target, x), y), mask) in target.iter_mut().zip(x).zip(y).zip(mask) {
                    *target = f(*x, *y, *mask);
                }
            }
        }
    ));
}

/// `f` of the elements of an array.
pub(crate) fn map(kept: &mut Kept, x: &[f32], f: impl Fn(f32) -> f32 + Copy) {
    let target = &mut kept.memory[..x.len()];
    dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            for (target, x) in target.chunks_mut(BLOCK).zip(x.chunks(BLOCK)) {
                prefetch(target);
                target.iter_mut().zip(x).for_each(|(target, x)| *target = f(*x));
            }
        }
    ));
}

/// The mean of what a mask selects, summed in f64 as tamis does.
pub(crate) fn mean(x: &[f32], mask: &[bool]) -> f32 {
    let (sums, count) = dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            let (mut sums, mut count) = ([0.0_f64; 32], 0_usize);
            for (x, mask) in x.chunks(32 * 7).zip(mask.chunks(32 * 7)) {
                let mut counts = [0_u8; 32];
                for (x, mask) in x.chunks(32).zip(mask.chunks(32)) {
                    for (((sum, count), x), mask) in sums.iter_mut().zip(&mut counts).zip(x).zip(mask) {
                        *sum += f64::from(if *mask { *x } else { 0.0 });
                        *count += u8::from(*mask);
                    }
                }
                count += counts.iter().map(|count| usize::from(*count)).sum::<usize>();
            }
            (sums, count)
        }
    ));
    (sums.iter().sum::<f64>() / count as f64) as f32
}

/// The loss of `where(m, (a x + b - y)², 0)`, its gradients for `a` and `b`, and that for `x` in
/// `kept`.
pub(crate) fn loss(kept: &mut Kept, [x, y]: [&[f32]; 2], mask: &[bool], [a, b]: [f32; 2]) -> [f32; 3] {
    let count = mask.iter().map(|mask| usize::from(*mask)).sum::<usize>() as f32;
    let target = &mut kept.memory[..x.len()];
    let sums = dispatch!(Level::new(), simd => simd.vectorize(
        #[inline(always)]
        || {
            let mut sums = [[0.0_f64; 16]; 3];
            let blocks = target.chunks_mut(16).zip(x.chunks(16)).zip(y.chunks(16)).zip(mask.chunks(16));
            for (((target, x), y), mask) in blocks {
                prefetch(target);
                for (i, (((target, x), y), mask)) in target.iter_mut().zip(x).zip(y).zip(mask).enumerate() {
                    let residual = if *mask { a * x + b - y } else { 0.0 };
                    let slope = 2.0 * residual / count;
                    sums[0][i] += f64::from(residual * residual);
                    sums[1][i] += f64::from(slope * x);
                    sums[2][i] += f64::from(slope);
                    *target = slope * a;
                }
            }
            sums
        }
    ));
    let [loss, da, db] = sums.map(|sums| sums.iter().sum::<f64>());
    [(loss / f64::from(count)) as f32, da as f32, db as f32]
}
