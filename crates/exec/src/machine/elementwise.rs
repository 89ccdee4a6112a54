//! The instructions of the machine: each one loop over the blocks of a tile, compiled for
//! every SIMD level.
//!
//! The kernel of an instruction is chosen once a run, and called once a tile: over a thousand
//! elements that costs little, and the loops are as simple as the compiler needs to vectorise
//! them. (P. Boncz, M. Zukowski, N. Nes, "MonetDB/X100: Hyper-Pipelining Query Execution", CIDR
//! 2005, did so for columns of a database.) Blocks have a constant length, and one that repeats
//! is an operand like all others, so that one loop serves arrays and scalars and has no tail.
//!
//! Targets and operands of one dtype lie in one `Vec`. A target is taken out of it while it is
//! written: no operand of the instruction can be the same register, since the region's
//! allocation keeps a target apart from the operands of its own instruction.

use tamis_graph::{Binary, Compare, DType, Logic, Unary};

use super::compound;
use super::prefetch::Prefetch;
use super::refusal::{Reason, Refusal, Refused};
use super::register_file::{BLOCK, Blocks, OperandViews, Tile};
use crate::by_dtype::{ByDType, Item, dispatch};
use crate::kernel::number::{Float, Number, Ordered, is_nan};
use crate::kernel::unary::{Cast, unary_function};
use crate::level::{Level, at_level};
use crate::math::Elementary;
use crate::region::{Function, Instruction};

/// Where an instruction is carried out.
pub(super) struct Machine<'m, 'p> {
    pub(super) level: Level,
    pub(super) views: &'m mut ByDType<OperandViews<'p>>,
    pub(super) tile: Tile,
    pub(super) prefetch: &'m mut Prefetch,
    /// The elements that instructions have no value for.
    pub(super) refusal: &'m mut Refusal,
}

/// Carries out one instruction on one tile.
pub(super) type Kernel = fn(&mut Machine<'_, '_>, &Instruction);

/// A kernel that runs a loop with a function.
macro_rules! kernel {
    ($loop:expr, $function:expr) => {{
        fn run(machine: &mut Machine<'_, '_>, instruction: &Instruction) {
            $loop(machine, instruction, $function);
        }
        run as Kernel
    }};
}

/// The kernel of a function.
pub(super) fn kernel_of(function: Function) -> Kernel {
    match function {
        Function::Unary(op, dtype) => unary(op, dtype),
        Function::Binary(op, dtype) => binary(op, dtype),
        Function::Compare(op, dtype) => compare(op, dtype),
        Function::Logic(op) => logic(op),
        Function::Where(dtype) => dispatch!(type T = dtype => choose::<T> as Kernel),
        Function::Fill(scalar) => dispatch!(type T = scalar.dtype() => fill::<T> as Kernel),
        Function::Compound(op, DType::F32) => compound::kernel_of::<f32>(op),
        Function::Compound(op, DType::F64) => compound::kernel_of::<f64>(op),
        Function::Compound(_, DType::Bool | DType::U8 | DType::I32 | DType::I64) => {
            unreachable!("functions of floats are combined")
        }
    }
}

fn unary(op: Unary, dtype: DType) -> Kernel {
    macro_rules! run {
        (same) => {
            dispatch!(type T = dtype => kernel!(map, |x: T| x))
        };
        (cast $to:ident) => {
            dispatch!(type T = dtype => cast::<T>($to))
        };
        (numbers $of:ident::$function:ident) => {
            dispatch!(numbers: type T = dtype => kernel!(map, <T as $of>::$function))
        };
        (floats $of:ident::$function:ident) => {
            dispatch!(floats: type T = dtype => kernel!(map, <T as $of>::$function))
        };
        (angles $fast_of:ident::$fast:ident, $of:ident::$exact:ident) => {
            dispatch!(floats: type T = dtype => {
                kernel!(angular, (<T as $fast_of>::$fast, <T as $of>::$exact))
            })
        };
    }
    unary_function!(op, run)
}

/// A function of angles: one that vectorises, and an exact one for the angles that are too large for
/// it.
fn angular<T: Item + Float>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    (fast, exact): (impl Fn(T) -> T + Copy, impl Fn(T) -> T + Copy),
) {
    map(machine, instruction, fast);
    // Large angles are rare. A second loop finds them, so that the first has no branch and
    // vectorises.
    let Machine { views, tile, .. } = machine;
    let mut taken = T::of_mut(views).take(instruction.target, *tile);
    let angles = T::of(views).read(instruction.operands[0], *tile);
    for (index, target) in taken.blocks().as_flattened_mut()[..tile.len].iter_mut().enumerate() {
        let x = angles.element(index);
        if Number::abs(x) > T::SIN_LIMIT {
            *target = exact(x);
        }
    }
    T::of_mut(views).put_back(taken, *tile);
}

fn cast<T: Item + Cast>(to: DType) -> Kernel {
    match to {
        DType::Bool => |m, i| map(m, i, T::to_bool),
        DType::U8 => |m, i| map(m, i, T::to_u8),
        DType::I32 => |m, i| map(m, i, T::to_i32),
        DType::I64 => |m, i| map(m, i, T::to_i64),
        DType::F32 => |m, i| map(m, i, T::to_f32),
        DType::F64 => |m, i| map(m, i, T::to_f64),
    }
}

fn binary(op: Binary, dtype: DType) -> Kernel {
    match op {
        Binary::Add => dispatch!(numbers: type T = dtype => kernel!(zip, <T as Number>::add)),
        Binary::Sub => dispatch!(numbers: type T = dtype => kernel!(zip, <T as Number>::sub)),
        Binary::Mul => dispatch!(numbers: type T = dtype => kernel!(zip, <T as Number>::mul)),
        Binary::Minimum => dispatch!(numbers: type T = dtype => kernel!(zip, <T as Ordered>::smaller)),
        Binary::Maximum => dispatch!(numbers: type T = dtype => kernel!(zip, <T as Ordered>::larger)),
        Binary::Div => dispatch!(floats: type T = dtype => kernel!(zip, <T as Float>::div)),
        Binary::Atan2 => dispatch!(floats: type T = dtype => kernel!(zip, <T as Float>::atan2)),
        Binary::Pow if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => kernel!(raise, <T as Number>::pow))
        }
        Binary::FloorMod if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => kernel!(divide, <T as Number>::floor_mod))
        }
        Binary::FloorDiv if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => kernel!(divide, <T as Number>::floor_div))
        }
        Binary::RemTrunc if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => kernel!(divide, <T as Number>::rem_trunc))
        }
        Binary::Pow => dispatch!(floats: type T = dtype => kernel!(zip, total(<T as Number>::pow))),
        Binary::FloorMod => {
            dispatch!(floats: type T = dtype => kernel!(zip, total(<T as Number>::floor_mod)))
        }
        Binary::FloorDiv => {
            dispatch!(floats: type T = dtype => kernel!(zip, total(<T as Number>::floor_div)))
        }
        Binary::RemTrunc => {
            dispatch!(floats: type T = dtype => kernel!(zip, total(<T as Number>::rem_trunc)))
        }
    }
}

/// A division, which has a value unless the divisor is 0.
fn divide<T: Number>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> Option<T> + Copy,
) {
    zip_or_refuse(machine, instruction, f, |_, _| Reason::ZeroDivisor);
}

/// A power, which has a value unless the exponent is negative.
fn raise<T: Number>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> Option<T> + Copy,
) {
    zip_or_refuse(machine, instruction, f, |base: T, exponent: T| Reason::NegativeExponent {
        base: base.into_scalar(),
        exponent: exponent.into_scalar(),
    });
}

/// `f` of every pair of the tile that it has a value for; of the others the first is noted, with
/// the `reason`. One loop for all SIMD levels, none of which divides integers.
fn zip_or_refuse<T: Number>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> Option<T> + Copy,
    reason: impl Fn(T, T) -> Reason,
) {
    let Machine { views, tile, refusal, .. } = machine;
    let mut taken = T::of_mut(views).take(instruction.target, *tile);
    let [a, b] = operands::<T, 2>(views, instruction, 0, *tile);
    let mut refused = None;
    for (index, target) in taken.blocks().as_flattened_mut()[..tile.len].iter_mut().enumerate() {
        let value = f(a.element(index), b.element(index));
        if value.is_none() && refused.is_none() {
            refused = Some(index);
        }
        *target = value.unwrap_or_default();
    }
    if let (Some(index), Some(step)) = (refused, instruction.step) {
        let reason = reason(a.element(index), b.element(index));
        refusal.note(Refused { step, element: tile.start + index, reason });
    }
    T::of_mut(views).put_back(taken, *tile);
}

/// A function that has a value for every pair of floats.
fn total<T: Copy>(f: impl Fn(T, T) -> Option<T> + Copy) -> impl Fn(T, T) -> T + Copy {
    move |a, b| f(a, b).unwrap_or_else(|| unreachable!("only integers are not divisible by 0"))
}

#[allow(clippy::bool_comparison, reason = "one loop for all dtypes")]
fn compare(op: Compare, dtype: DType) -> Kernel {
    match op {
        Compare::Eq => dispatch!(type T = dtype => kernel!(zip, |a: T, b: T| a == b)),
        Compare::Ne => dispatch!(type T = dtype => kernel!(zip, |a: T, b: T| a != b)),
        Compare::Lt => dispatch!(type T = dtype => kernel!(zip, |a: T, b: T| a < b)),
        Compare::Le => dispatch!(type T = dtype => kernel!(zip, |a: T, b: T| a <= b)),
        Compare::Gt => dispatch!(type T = dtype => kernel!(zip, |a: T, b: T| a > b)),
        Compare::Ge => dispatch!(type T = dtype => kernel!(zip, |a: T, b: T| a >= b)),
        Compare::IsNan => dispatch!(type T = dtype => kernel!(map, is_nan::<T>)),
        Compare::IsFinite if !dtype.is_float() => dispatch!(type T = dtype => kernel!(map, |_: T| true)),
        Compare::IsFinite => dispatch!(floats: type T = dtype => kernel!(map, <T as Float>::is_finite)),
        Compare::IsInf if !dtype.is_float() => dispatch!(type T = dtype => kernel!(map, |_: T| false)),
        Compare::IsInf => dispatch!(floats: type T = dtype => kernel!(map, |x: T| x.is_infinite())),
    }
}

fn logic(op: Logic) -> Kernel {
    match op {
        Logic::And => kernel!(zip, |a: bool, b: bool| a & b),
        Logic::Or => kernel!(zip, |a: bool, b: bool| a | b),
        Logic::Xor => kernel!(zip, |a: bool, b: bool| a ^ b),
        Logic::Not => kernel!(map, |a: bool| !a),
    }
}

/// The same value in every element of the tile.
fn fill<T: Item>(machine: &mut Machine<'_, '_>, instruction: &Instruction) {
    let Function::Fill(scalar) = instruction.function else { unreachable!("a fill has a literal") };
    let value = T::from_scalar(scalar).unwrap_or_else(|| unreachable!("a scalar has its own dtype"));
    let Machine { views, tile, .. } = machine;
    let mut taken = T::of_mut(views).take(instruction.target, *tile);
    taken.blocks().as_flattened_mut().fill(value);
    T::of_mut(views).put_back(taken, *tile);
}

/// Consecutive operands of one dtype.
#[inline(always)]
pub(super) fn operands<'f, T: Item, const N: usize>(
    views: &'f ByDType<OperandViews<'_>>,
    instruction: &Instruction,
    first: usize,
    tile: Tile,
) -> [Blocks<'f, T>; N] {
    let view = T::of(views);
    std::array::from_fn(|i| view.read(instruction.operands[first + i], tile))
}

/// `f` of every element of the tile.
fn map<T: Item, R: Item>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T) -> R + Copy,
) {
    zip_all::<T, R, 1>(machine, instruction, |[a]| f(a));
}

/// `f` of every pair of the tile.
fn zip<T: Item, R: Item>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> R + Copy,
) {
    zip_all::<T, R, 2>(machine, instruction, |[a, b]| f(a, b));
}

/// `f` of the elements of all operands at each index of the tile.
#[inline(always)]
pub(super) fn zip_all<T: Item, R: Item, const N: usize>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn([T; N]) -> R + Copy,
) {
    let Machine { level, views, tile, prefetch, .. } = machine;
    let mut taken = R::of_mut(views).take(instruction.target, *tile);
    let operands = operands::<T, N>(views, instruction, 0, *tile);
    let targets = taken.blocks();
    at_level!(*level, {
        for (number, target) in targets.iter_mut().enumerate() {
            prefetch.block();
            let blocks = operands.map(|operand| operand.get(number));
            block(target, |i| f(std::array::from_fn(|operand| blocks[operand][i])));
        }
    });
    R::of_mut(views).put_back(taken, *tile);
}

/// Writes the elements of a block.
#[inline(always)]
pub(super) fn block<R>(target: &mut [R; BLOCK], element: impl Fn(usize) -> R) {
    for (i, target) in target.iter_mut().enumerate() {
        *target = element(i);
    }
}

/// Elements that are chosen by their bits: a conditional would be compiled to
/// a branch for each, which neither predicts nor vectorises.
pub(super) trait Blend: Item {
    fn blend(mask: bool, a: Self, b: Self) -> Self;
}

macro_rules! blend {
    ($($ty:ty, $bits:ty: $x:ident => $to:expr, $from:expr;)*) => {$(
        impl Blend for $ty {
            #[inline(always)]
            fn blend(mask: bool, a: $ty, b: $ty) -> $ty {
                let bits = |$x: $ty| -> $bits { $to };
                let ones = <$bits>::from(mask).wrapping_neg();
                let $x = (bits(a) & ones) | (bits(b) & !ones);
                $from
            }
        }
    )*};
}

blend! {
    bool, u8: x => u8::from(x), x != 0;
    u8, u8: x => x, x;
    i32, u32: x => x as u32, x as i32;
    i64, u64: x => x as u64, x as i64;
    f32, u32: x => x.to_bits(), f32::from_bits(x);
    f64, u64: x => x.to_bits(), f64::from_bits(x);
}

/// The first branch where the mask is true, else the second.
fn choose<T: Blend>(machine: &mut Machine<'_, '_>, instruction: &Instruction) {
    let Machine { level, views, tile, prefetch, .. } = machine;
    let mut taken = T::of_mut(views).take(instruction.target, *tile);
    let [mask] = operands::<bool, 1>(views, instruction, 0, *tile);
    let [a, b] = operands::<T, 2>(views, instruction, 1, *tile);
    let targets = taken.blocks();
    at_level!(*level, {
        for (number, target) in targets.iter_mut().enumerate() {
            prefetch.block();
            let (mask, a, b) = (mask.get(number), a.get(number), b.get(number));
            block(target, |i| T::blend(mask[i], a[i], b[i]));
        }
    });
    T::of_mut(views).put_back(taken, *tile);
}
