//! The instructions of the machine: each one loop over a tile, compiled for
//! every SIMD level.
//!
//! Dispatch by function and dtype happens once a tile, not once an element: over a thousand
//! elements it costs nothing, and the loops are as simple as the compiler needs to vectorise
//! them. (P. Boncz, M. Zukowski, N. Nes, "MonetDB/X100: Hyper-Pipelining Query Execution", CIDR
//! 2005, did so for columns of a database.)
//!
//! Targets and operands of one dtype lie in one `Vec`. A target is taken out of it while it is
//! written: no operand of the instruction can be the same register, since the region's
//! allocation keeps a target apart from the operands of its own instruction.

use fearless_simd::Level;
use tamis_graph::{Binary, Compare, DType, Element, Logic, Scalar, Unary};

use super::refusal::{Reason, Refusal, Refused};
use super::register_file::{OperandViews, Tile};
use crate::by_dtype::{ByDType, Item, dispatch};
use crate::kernel::number::{Float, Number, Ordered, is_nan};
use crate::kernel::unary::{Cast, unary_function};
use crate::level::at_level;
use crate::math::Elementary;
use crate::region::{Function, Instruction};

/// Where an instruction is carried out.
pub(super) struct Machine<'m, 'p> {
    pub(super) level: Level,
    pub(super) views: &'m mut ByDType<OperandViews<'p>>,
    pub(super) tile: Tile,
    /// The elements that instructions have no value for.
    pub(super) refusal: &'m mut Refusal,
}

/// Carries out one instruction on one tile.
pub(super) fn execute(machine: &mut Machine<'_, '_>, instruction: &Instruction) {
    match instruction.function {
        Function::Unary(op, dtype) => unary(machine, instruction, op, dtype),
        Function::Binary(op, dtype) => binary(machine, instruction, op, dtype),
        Function::Compare(op, dtype) => compare(machine, instruction, op, dtype),
        Function::Logic(op) => logic(machine, instruction, op),
        Function::Where(dtype) => dispatch!(type T = dtype => choose::<T>(machine, instruction)),
        Function::Fill(scalar) => {
            dispatch!(type T = scalar.dtype() => fill::<T>(machine, instruction, scalar))
        }
    }
}

fn unary(machine: &mut Machine<'_, '_>, instruction: &Instruction, op: Unary, dtype: DType) {
    let (m, i) = (machine, instruction);
    macro_rules! run {
        (same) => {
            dispatch!(type T = dtype => map(m, i, |x: T| x))
        };
        (cast $to:ident) => {
            dispatch!(type T = dtype => cast::<T>(m, i, $to))
        };
        (numbers $of:ident::$function:ident) => {
            dispatch!(numbers: type T = dtype => map(m, i, <T as $of>::$function))
        };
        (floats $of:ident::$function:ident) => {
            dispatch!(floats: type T = dtype => map(m, i, <T as $of>::$function))
        };
        (angles $fast_of:ident::$fast:ident, $of:ident::$exact:ident) => {
            dispatch!(floats: type T = dtype => angular(m, i, <T as $fast_of>::$fast, <T as $of>::$exact))
        };
    }
    unary_function!(op, run)
}

/// A function of angles: `fast`, and `exact` of the angles that are too large for it.
fn angular<T: Item + Float>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    fast: impl Fn(T) -> T + Copy,
    exact: impl Fn(T) -> T + Copy,
) {
    map(machine, instruction, fast);
    // Large angles are rare. A second loop finds them, so that the first has no branch and
    // vectorises.
    let Machine { views, tile, .. } = machine;
    let (taken, range) = T::of_mut(views).take(instruction.target, *tile);
    let angles = T::of(views).read(instruction.operands[0], *tile);
    for (target, x) in taken.memory[range].iter_mut().zip(angles) {
        if Number::abs(*x) > T::SIN_LIMIT {
            *target = exact(*x);
        }
    }
    T::of_mut(views).put_back(taken);
}

fn cast<T: Item + Cast>(machine: &mut Machine<'_, '_>, instruction: &Instruction, to: DType) {
    match to {
        DType::Bool => map(machine, instruction, T::to_bool),
        DType::U8 => map(machine, instruction, T::to_u8),
        DType::I32 => map(machine, instruction, T::to_i32),
        DType::I64 => map(machine, instruction, T::to_i64),
        DType::F32 => map(machine, instruction, T::to_f32),
        DType::F64 => map(machine, instruction, T::to_f64),
    }
}

fn binary(machine: &mut Machine<'_, '_>, instruction: &Instruction, op: Binary, dtype: DType) {
    let (m, i) = (machine, instruction);
    match op {
        Binary::Add => dispatch!(numbers: type T = dtype => zip(m, i, <T as Number>::add)),
        Binary::Sub => dispatch!(numbers: type T = dtype => zip(m, i, <T as Number>::sub)),
        Binary::Mul => dispatch!(numbers: type T = dtype => zip(m, i, <T as Number>::mul)),
        Binary::Minimum => dispatch!(numbers: type T = dtype => zip(m, i, <T as Ordered>::smaller)),
        Binary::Maximum => dispatch!(numbers: type T = dtype => zip(m, i, <T as Ordered>::larger)),
        Binary::Div => dispatch!(floats: type T = dtype => zip(m, i, <T as Float>::div)),
        Binary::Atan2 => dispatch!(floats: type T = dtype => zip(m, i, <T as Float>::atan2)),
        Binary::Pow if !dtype.is_float() => dispatch!(integers: type T = dtype => {
            zip_or_refuse(m, i, <T as Number>::pow, |base: T, exponent: T| Reason::NegativeExponent {
                base: base.into_scalar(),
                exponent: exponent.into_scalar(),
            });
        }),
        Binary::FloorMod if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => divide(m, i, <T as Number>::floor_mod))
        }
        Binary::FloorDiv if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => divide(m, i, <T as Number>::floor_div))
        }
        Binary::RemTrunc if !dtype.is_float() => {
            dispatch!(integers: type T = dtype => divide(m, i, <T as Number>::rem_trunc))
        }
        Binary::Pow => dispatch!(floats: type T = dtype => zip(m, i, total(<T as Number>::pow))),
        Binary::FloorMod => dispatch!(floats: type T = dtype => zip(m, i, total(<T as Number>::floor_mod))),
        Binary::FloorDiv => dispatch!(floats: type T = dtype => zip(m, i, total(<T as Number>::floor_div))),
        Binary::RemTrunc => dispatch!(floats: type T = dtype => zip(m, i, total(<T as Number>::rem_trunc))),
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

/// `f` of every pair of the tile that it has a value for; of the others the first is noted, with
/// the `reason`. One loop for all SIMD levels, none of which divides integers.
fn zip_or_refuse<T: Number>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> Option<T> + Copy,
    reason: impl Fn(T, T) -> Reason,
) {
    let Machine { views, tile, refusal, .. } = machine;
    let (taken, range) = T::of_mut(views).take(instruction.target, *tile);
    let view = T::of(views);
    let (a, b) = (view.read(instruction.operands[0], *tile), view.read(instruction.operands[1], *tile));
    let mut is_refused = false;
    for ((target, a), b) in taken.memory[range].iter_mut().zip(a).zip(b) {
        let value = f(*a, *b);
        is_refused |= value.is_none();
        *target = value.unwrap_or_default();
    }
    if is_refused
        && let Some(at) = a.iter().zip(b).position(|(a, b)| f(*a, *b).is_none())
        && let Some(step) = instruction.step
    {
        refusal.note(Refused { step, element: tile.start + at, reason: reason(a[at], b[at]) });
    }
    T::of_mut(views).put_back(taken);
}

/// A function that has a value for every pair of floats.
fn total<T: Copy>(f: impl Fn(T, T) -> Option<T> + Copy) -> impl Fn(T, T) -> T + Copy {
    move |a, b| f(a, b).unwrap_or_else(|| unreachable!("only integers are not divisible by 0"))
}

#[allow(clippy::bool_comparison, reason = "one loop for all dtypes")]
fn compare(machine: &mut Machine<'_, '_>, instruction: &Instruction, op: Compare, dtype: DType) {
    let (m, i) = (machine, instruction);
    match op {
        Compare::Eq => dispatch!(type T = dtype => zip(m, i, |a: T, b: T| a == b)),
        Compare::Ne => dispatch!(type T = dtype => zip(m, i, |a: T, b: T| a != b)),
        Compare::Lt => dispatch!(type T = dtype => zip(m, i, |a: T, b: T| a < b)),
        Compare::Le => dispatch!(type T = dtype => zip(m, i, |a: T, b: T| a <= b)),
        Compare::Gt => dispatch!(type T = dtype => zip(m, i, |a: T, b: T| a > b)),
        Compare::Ge => dispatch!(type T = dtype => zip(m, i, |a: T, b: T| a >= b)),
        Compare::IsNan => dispatch!(type T = dtype => map(m, i, is_nan::<T>)),
        Compare::IsFinite if !dtype.is_float() => dispatch!(type T = dtype => map(m, i, |_: T| true)),
        Compare::IsFinite => dispatch!(floats: type T = dtype => map(m, i, <T as Float>::is_finite)),
        Compare::IsInf if !dtype.is_float() => dispatch!(type T = dtype => map(m, i, |_: T| false)),
        Compare::IsInf => dispatch!(floats: type T = dtype => map(m, i, |x: T| x.is_infinite())),
    }
}

fn logic(machine: &mut Machine<'_, '_>, instruction: &Instruction, op: Logic) {
    match op {
        Logic::And => zip(machine, instruction, |a: bool, b: bool| a & b),
        Logic::Or => zip(machine, instruction, |a: bool, b: bool| a | b),
        Logic::Xor => zip(machine, instruction, |a: bool, b: bool| a ^ b),
        Logic::Not => map(machine, instruction, |a: bool| !a),
    }
}

/// The same value in every element of the tile.
fn fill<T: Item>(machine: &mut Machine<'_, '_>, instruction: &Instruction, scalar: Scalar) {
    let Machine { views, tile, .. } = machine;
    let value = T::from_scalar(scalar).unwrap_or_else(|| unreachable!("a scalar has its own dtype"));
    let (taken, range) = T::of_mut(views).take(instruction.target, *tile);
    taken.memory[range].fill(value);
    T::of_mut(views).put_back(taken);
}

/// `f` of every element of the tile.
fn map<T: Item, R: Item>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T) -> R + Copy,
) {
    let Machine { level, views, tile, .. } = machine;
    let (taken, range) = R::of_mut(views).take(instruction.target, *tile);
    let x = T::of(views).read(instruction.operands[0], *tile);
    let target = &mut taken.memory[range];
    at_level!(*level, target.iter_mut().zip(x).for_each(|(target, x)| *target = f(*x)));
    R::of_mut(views).put_back(taken);
}

/// `f` of every pair of the tile.
fn zip<T: Item, R: Item>(
    machine: &mut Machine<'_, '_>,
    instruction: &Instruction,
    f: impl Fn(T, T) -> R + Copy,
) {
    let Machine { level, views, tile, .. } = machine;
    let (taken, range) = R::of_mut(views).take(instruction.target, *tile);
    let view = T::of(views);
    let (a, b) = (view.read(instruction.operands[0], *tile), view.read(instruction.operands[1], *tile));
    let target = &mut taken.memory[range];
    at_level!(*level, {
        for ((target, a), b) in target.iter_mut().zip(a).zip(b) {
            *target = f(*a, *b);
        }
    });
    R::of_mut(views).put_back(taken);
}

/// Elements that are chosen by their bits: a conditional would be compiled to
/// a branch for each, which neither predicts nor vectorises.
trait Blend: Item {
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
    let Machine { level, views, tile, .. } = machine;
    let (taken, range) = T::of_mut(views).take(instruction.target, *tile);
    let mask = bool::of(views).read(instruction.operands[0], *tile);
    let view = T::of(views);
    let (a, b) = (view.read(instruction.operands[1], *tile), view.read(instruction.operands[2], *tile));
    let target = &mut taken.memory[range];
    at_level!(*level, {
        for (((target, mask), a), b) in target.iter_mut().zip(mask).zip(a).zip(b) {
            *target = T::blend(*mask, *a, *b);
        }
    });
    T::of_mut(views).put_back(taken);
}
