//! A region: the steps of a plan that run in one pass over one shape, as a short linear
//! program. Does not depend on how it is executed.
//!
//! A program is in static single assignment form: each instruction computes one value, which is
//! written once and has the number of the instruction. `compile` writes it in this form, `compound`
//! combines what one loop can compute, and `allocate` then decides in which register each value is kept. An operand has both, its value
//! and its location: what the program computes is read from the values, and a machine that runs
//! it reads the locations alone.

mod allocate;
mod compile;
mod compound;
mod rows;

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::{AxisList, Binary, Compare, DType, Logic, Op, Scalar, Select, Shape, Unary};

use crate::by_dtype::slot;

pub(crate) use self::compile::{Target, Workspace, compile, is_elementwise, through_broadcasts};
pub(crate) use self::compound::{Arithmetic, Compound, Order, Tree};
pub(crate) use self::rows::{RowGroup, RowLoad};

/// A program over every element of `domain`, tile by tile.
pub(crate) struct Region {
    pub(crate) domain: Shape,
    /// The steps whose values are read from memory, broadcast to the domain.
    pub(crate) loads: Vec<Load>,
    pub(crate) instructions: Vec<Instruction>,
    /// The steps that compound instructions compute beside their own.
    pub(crate) combined: Vec<usize>,
    pub(crate) outputs: Vec<RegionOutput>,
    /// For each output, after how many instructions all that it reads is there.
    pub(crate) ready: Vec<usize>,
    /// How many registers each dtype needs, by [`slot`].
    pub(crate) registers: [usize; 6],
    /// The axes that its reductions reduce, unless they reduce all.
    pub(crate) reduced: Option<AxisList>,
    /// What it takes to compute one element, in additions.
    pub(crate) weight: usize,
}

impl Region {
    /// Whether it has a result as long as its domain.
    pub(crate) fn stores(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output, RegionOutput::Store { .. }))
    }

    /// Whether it has a result as long as a mask has true elements.
    pub(crate) fn selects(&self) -> bool {
        self.outputs.iter().any(|output| matches!(output, RegionOutput::Compress { .. }))
    }
}

pub(crate) struct Load {
    pub(crate) step: usize,
    pub(crate) dtype: DType,
}

/// A value of a program, whatever register it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ValueId {
    /// That of the instruction of this number.
    Computed(u32),
    /// The load of this number.
    Loaded(u32),
    /// The one of the [`Constants`] of this number.
    Constant(u32),
}

/// Where a tile of elements is read or written. The dtype is the instruction's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// A tile of the machine's own.
    Register(u32),
    /// One of the [`Constants`], by its number among those of its dtype.
    Constant(u32),
    /// An array in memory, by its index among those of its dtype.
    Load(u32),
    /// The memory of a [`RegionOutput::Store`], by its index among the stores of its
    /// dtype.
    Output(u32),
}

/// What an instruction or an output reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) value: ValueId,
    pub(crate) location: Location,
}

/// One elementwise function over a tile. Its value has the number of the instruction.
#[derive(Debug)]
pub(crate) struct Instruction {
    /// The step whose value this is; none for a helper value of an output.
    pub(crate) step: Option<usize>,
    pub(crate) function: Function,
    pub(crate) target: Location,
    pub(crate) operands: SmallVec<[Operand; 3]>,
}

/// What an instruction computes; the dtype is that of its (last) operand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Function {
    Unary(Unary, DType),
    Binary(Binary, DType),
    Compare(Compare, DType),
    Logic(Logic),
    Where(DType),
    /// A literal in every element.
    Fill(Scalar),
    Compound(Compound, DType),
}

/// The literals that the regions of a plan read: each is repeated over a block once,
/// ahead of every run, and that takes memory. Literals beyond the limit are written to a register
/// where they are read.
#[derive(Default)]
pub(crate) struct Constants {
    pub(crate) scalars: Vec<Scalar>,
    operands: HashMap<Scalar, Operand>,
    counts: [usize; 6],
}

impl Constants {
    /// So many blocks of the widest dtype take 128 KiB.
    const MOST: usize = 256;

    fn operand(&mut self, scalar: Scalar) -> Option<Operand> {
        if let Some(operand) = self.operands.get(&scalar) {
            return Some(*operand);
        }
        if self.scalars.len() == Constants::MOST {
            return None;
        }
        let operand = Operand {
            value: ValueId::Constant(self.scalars.len() as u32),
            location: Location::Constant(next(&mut self.counts, scalar.dtype())),
        };
        self.scalars.push(scalar);
        self.operands.insert(scalar, operand);
        Some(operand)
    }
}

/// A value that a region writes to memory.
#[derive(Debug)]
pub(crate) enum RegionOutput {
    /// Every element, written by an instruction to [`Location::Output`].
    Store { step: usize, dtype: DType, value: Operand },
    /// The elements at which the mask is true, in order.
    Compress { step: usize, dtype: DType, value: Operand, mask: Operand },
    /// A reduction. Where a mask is given, it must be true somewhere; of a sum, `only` are the
    /// elements that are added.
    Reduction {
        step: usize,
        reduction: Reduction,
        value: Operand,
        mask: Option<Operand>,
        only: Option<Operand>,
        axes: ReducedAxes,
    },
    /// How many elements of the mask are true, for the sizes that speak of it.
    Count { mask: usize, value: Operand },
}

/// Which axes a reduction reduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReducedAxes {
    All,
    /// Those along [`Region::reduced`].
    Axes,
}

impl RegionOutput {
    /// The step whose value, or count, the output gives.
    pub(crate) fn step(&self) -> usize {
        match self {
            RegionOutput::Store { step, .. }
            | RegionOutput::Compress { step, .. }
            | RegionOutput::Reduction { step, .. } => *step,
            RegionOutput::Count { mask, .. } => *mask,
        }
    }

    /// What it reads: a value, and perhaps a mask.
    pub(crate) fn operands(&self) -> SmallVec<[Operand; 2]> {
        match *self {
            RegionOutput::Store { value, .. } | RegionOutput::Count { value, .. } => {
                SmallVec::from_slice(&[value])
            }
            RegionOutput::Compress { value, mask, .. } => SmallVec::from_slice(&[value, mask]),
            RegionOutput::Reduction { value, mask, only, .. } => {
                std::iter::once(value).chain(mask).chain(only).collect()
            }
        }
    }

    fn operands_mut(&mut self) -> SmallVec<[&mut Operand; 2]> {
        match self {
            RegionOutput::Store { value, .. } | RegionOutput::Count { value, .. } => {
                std::iter::once(value).collect()
            }
            RegionOutput::Compress { value, mask, .. } => [value, mask].into_iter().collect(),
            RegionOutput::Reduction { value, mask, only, .. } => {
                std::iter::once(value).chain(mask).chain(only).collect()
            }
        }
    }

    /// Whether it takes one element that repeats in one step, to the same bits: sums of
    /// floats round at each step, and what is stored or selected is written element by element.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            RegionOutput::Store { .. } | RegionOutput::Compress { .. } => false,
            RegionOutput::Reduction { reduction, .. } => reduction.is_exact(),
            RegionOutput::Count { .. } => true,
        }
    }
}

/// See [`Reduction::repetition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repetition {
    Same,
    /// As often as the element repeats.
    Times,
    /// To the power of how often it repeats.
    Power,
}

/// What a reduction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    Sum(DType),
    /// The product of i64, which wraps. Floats overflow in another order than they are written in,
    /// so that a region does not multiply them.
    Product,
    /// How many are true, as i64.
    Count,
    /// The maximum or minimum; of no elements an error, unless there is an initial element.
    Max(DType, Option<Scalar>),
    Min(DType, Option<Scalar>),
    Any,
    All,
}

impl Reduction {
    fn is_exact(self) -> bool {
        match self {
            Reduction::Sum(dtype) => !dtype.is_float(),
            Reduction::Product
            | Reduction::Count
            | Reduction::Max(..)
            | Reduction::Min(..)
            | Reduction::Any
            | Reduction::All => true,
        }
    }

    /// How the result of an element that repeats follows from that of one.
    pub(crate) fn repetition(self) -> Repetition {
        match self {
            Reduction::Sum(_) | Reduction::Count => Repetition::Times,
            Reduction::Product => Repetition::Power,
            Reduction::Max(..) | Reduction::Min(..) | Reduction::Any | Reduction::All => Repetition::Same,
        }
    }
}

/// The function that computes an elementwise op in one instruction, if there is one. It may
/// refuse elements: the machine notes the first of them.
pub(crate) fn function(op: &Op, dtype: DType) -> Option<Function> {
    match op {
        Op::Unary(op) => Some(Function::Unary(*op, dtype)),
        Op::Binary(op) => Some(Function::Binary(*op, dtype)),
        Op::Compare(op) => Some(Function::Compare(*op, dtype)),
        Op::Logic(op) => Some(Function::Logic(*op)),
        Op::Select(Select::Where) => Some(Function::Where(dtype)),
        Op::Source(_)
        | Op::Mask(_)
        | Op::Index(_)
        | Op::Reduce(_)
        | Op::Scan(_)
        | Op::Order(_)
        | Op::Layout(_)
        | Op::Linalg(_) => None,
    }
}

/// The number of one more of a dtype.
fn next(counts: &mut [usize; 6], dtype: DType) -> u32 {
    let count = &mut counts[slot(dtype)];
    *count += 1;
    (*count - 1) as u32
}
