//! The kernels of compound instructions. Each function in them is rounded as if it were alone.

use super::elementwise::{Blend, Kernel, Machine, block, operands, zip_all};
use crate::kernel::number::Number;
use crate::level::at_level;
use crate::region::{Arithmetic, Compound, Instruction, Order};

/// Floats, which compound instructions compute with.
pub(super) trait Combined: Blend + Number + From<bool> {}

impl Combined for f32 {}
impl Combined for f64 {}

/// Calls a macro with the function of an arithmetic op.
macro_rules! arithmetic {
    ($op:expr, $call:ident $($rest:tt)*) => {
        match $op {
            Arithmetic::Add => $call!(add $($rest)*),
            Arithmetic::Sub => $call!(sub $($rest)*),
            Arithmetic::Mul => $call!(mul $($rest)*),
        }
    };
}

/// The kernel of a compound function.
pub(super) fn kernel_of<T: Combined>(op: Compound) -> Kernel {
    macro_rules! left {
        ($inner:ident $outer:expr) => {
            arithmetic!($outer, left_of $inner)
        };
    }
    macro_rules! left_of {
        ($outer:ident $inner:ident) => {
            |m, i| zip_all(m, i, |[a, b, c]: [T; 3]| a.$inner(b).$outer(c))
        };
    }
    macro_rules! subtract_from {
        ($inner:ident) => {
            |m, i| zip_all(m, i, |[a, b, c]: [T; 3]| a.sub(b.$inner(c)))
        };
    }
    macro_rules! square_of {
        ($inner:ident) => {
            |m, i| zip_all(m, i, |[a, b]: [T; 2]| a.$inner(b).square())
        };
    }
    macro_rules! choose_of {
        ($inner:ident) => {
            |m, i| choose_of(m, i, |a: T, b: T| a.$inner(b))
        };
    }
    match op {
        Compound::Left { inner, outer } => arithmetic!(inner, left outer),
        Compound::SubtractFrom { inner } => arithmetic!(inner, subtract_from),
        Compound::MulAddSub => |m, i| zip_all(m, i, |[a, b, c, d]: [T; 4]| a.mul(b).add(c).sub(d)),
        Compound::SquareOf { inner } => arithmetic!(inner, square_of),
        Compound::Both { left, right, is_or } => both::<T>(left, right, is_or),
        Compound::ChooseBy(Order::Lt) => |m, i| zip_all(m, i, |[a, b, c, d]: [T; 4]| T::blend(a < b, c, d)),
        Compound::ChooseBy(Order::Le) => |m, i| zip_all(m, i, |[a, b, c, d]: [T; 4]| T::blend(a <= b, c, d)),
        Compound::ChooseOf { inner } => arithmetic!(inner, choose_of),
        Compound::MultiplyMask => multiply_mask::<T>,
    }
}

/// Two comparisons of floats, both of them or one of the two.
fn both<T: Combined>(left: Order, right: Order, is_or: bool) -> Kernel {
    macro_rules! comparisons {
        ($left:tt $logic:tt $right:tt) => {
            |m, i| zip_all(m, i, |[a, b, c, d]: [T; 4]| (a $left b) $logic (c $right d))
        };
    }
    match (left, right, is_or) {
        (Order::Lt, Order::Lt, false) => comparisons!(< & <),
        (Order::Lt, Order::Le, false) => comparisons!(< & <=),
        (Order::Le, Order::Lt, false) => comparisons!(<= & <),
        (Order::Le, Order::Le, false) => comparisons!(<= & <=),
        (Order::Lt, Order::Lt, true) => comparisons!(< | <),
        (Order::Lt, Order::Le, true) => comparisons!(< | <=),
        (Order::Le, Order::Lt, true) => comparisons!(<= | <),
        (Order::Le, Order::Le, true) => comparisons!(<= | <=),
    }
}

/// `where(a, f(b, c), d)`.
#[inline(always)]
fn choose_of<T: Combined>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> T + Copy,
) {
    let Machine { level, views, tile, prefetch, .. } = machine;
    let mut taken = T::of_mut(views).take(instruction.target, *tile);
    let [mask] = operands::<bool, 1>(views, instruction, 0, *tile);
    let [b, c, d] = operands::<T, 3>(views, instruction, 1, *tile);
    let targets = taken.blocks();
    at_level!(*level, {
        for (number, target) in targets.iter_mut().enumerate() {
            prefetch.block();
            let (mask, b, c, d) = (mask.get(number), b.get(number), c.get(number), d.get(number));
            block(target, |i| T::blend(mask[i], f(b[i], c[i]), d[i]));
        }
    });
    T::of_mut(views).put_back(taken, *tile);
}

/// `a · cast(b)`: of a mask that is false a product with 0, which is NaN of an infinity.
fn multiply_mask<T: Combined>(machine: &mut Machine<'_, '_>, instruction: &Instruction) {
    let Machine { level, views, tile, prefetch, .. } = machine;
    let mut taken = T::of_mut(views).take(instruction.target, *tile);
    let [a] = operands::<T, 1>(views, instruction, 0, *tile);
    let [mask] = operands::<bool, 1>(views, instruction, 1, *tile);
    let targets = taken.blocks();
    at_level!(*level, {
        for (number, target) in targets.iter_mut().enumerate() {
            prefetch.block();
            let (a, mask) = (a.get(number), mask.get(number));
            block(target, |i| a[i].mul(T::from(mask[i])));
        }
    });
    T::of_mut(views).put_back(taken, *tile);
}
