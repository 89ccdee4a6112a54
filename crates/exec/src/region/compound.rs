//! Compound instructions: several functions in one loop over a tile, so that what lies between
//! them stays in vector registers. Each function is rounded as if it were alone, and so the bits
//! are those of separate instructions.
//!
//! [`Compound`] is the table of what is combined; [`combine`] is the peephole that finds it.

use smallvec::{SmallVec, smallvec};
use tamis_graph::{Binary, Compare, DType, Logic, Op, Scalar, Select, Unary, steps};

use super::compile::Virtual;
use super::{
    Constants, Function, Instruction, Location, Operand, ReducedAxes, Reduction, RegionOutput, ValueId,
};

/// Functions of floats that one instruction computes. `a`, `b`, … are its operands, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compound {
    /// `outer(inner(a, b), c)`.
    Left { inner: Arithmetic, outer: Arithmetic },
    /// `a - inner(b, c)`; the other functions do not depend on the order.
    SubtractFrom { inner: Arithmetic },
    /// `a · b + c - d`.
    MulAddSub,
    /// `inner(a, b)²`.
    SquareOf { inner: Arithmetic },
    /// `left(a, b) ∧ right(c, d)`, or `∨`.
    Both { left: Order, right: Order, is_or: bool },
    /// `where(compare(a, b), c, d)`.
    ChooseBy(Order),
    /// `where(a, inner(b, c), d)`.
    ChooseOf { inner: Arithmetic },
    /// `a · cast(b)` of a number and a bool.
    MultiplyMask,
}

/// The arithmetic that is combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Sub,
    Mul,
}

/// The comparisons that are combined: of the others, the operands are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Lt,
    Le,
}

impl Arithmetic {
    fn of(op: Binary) -> Option<Arithmetic> {
        match op {
            Binary::Add => Some(Arithmetic::Add),
            Binary::Sub => Some(Arithmetic::Sub),
            Binary::Mul => Some(Arithmetic::Mul),
            Binary::Div
            | Binary::Pow
            | Binary::Minimum
            | Binary::Maximum
            | Binary::Atan2
            | Binary::FloorDiv
            | Binary::FloorMod
            | Binary::RemTrunc => None,
        }
    }

    fn op(self) -> Op {
        Op::Binary(match self {
            Arithmetic::Add => Binary::Add,
            Arithmetic::Sub => Binary::Sub,
            Arithmetic::Mul => Binary::Mul,
        })
    }
}

impl Order {
    fn op(self) -> Op {
        Op::Compare(match self {
            Order::Lt => Compare::Lt,
            Order::Le => Compare::Le,
        })
    }
}

/// What a compound instruction computes, for people to read.
pub(crate) enum Tree {
    /// The next operand of the instruction.
    Operand,
    Call(Op, Vec<Tree>),
}

impl Compound {
    /// The functions and how they are nested; the operands appear in their order.
    pub(crate) fn tree(self, dtype: DType) -> Tree {
        use Tree::Operand as X;
        let call = |op: Op, operands: Vec<Tree>| Tree::Call(op, operands);
        let pair = |op: Op| Tree::Call(op, vec![X, X]);
        match self {
            Compound::Left { inner, outer } => call(outer.op(), vec![pair(inner.op()), X]),
            Compound::SubtractFrom { inner } => call(Arithmetic::Sub.op(), vec![X, pair(inner.op())]),
            Compound::MulAddSub => {
                let sum = call(Arithmetic::Add.op(), vec![pair(Arithmetic::Mul.op()), X]);
                call(Arithmetic::Sub.op(), vec![sum, X])
            }
            Compound::SquareOf { inner } => call(Op::Unary(Unary::Square), vec![pair(inner.op())]),
            Compound::Both { left, right, is_or } => {
                let logic = if is_or { Logic::Or } else { Logic::And };
                call(Op::Logic(logic), vec![pair(left.op()), pair(right.op())])
            }
            Compound::ChooseBy(order) => call(Op::Select(Select::Where), vec![pair(order.op()), X, X]),
            Compound::ChooseOf { inner } => call(Op::Select(Select::Where), vec![X, pair(inner.op()), X]),
            Compound::MultiplyMask => {
                call(Arithmetic::Mul.op(), vec![X, call(Op::Unary(Unary::Cast(dtype)), vec![X])])
            }
        }
    }
}

/// Replaces functions whose only reader is combined with them. What they computed alone is no
/// longer read, and is dropped with all that no output depends on.
pub(super) fn combine(code: &mut [Virtual], outputs: &mut [RegionOutput], constants: &Constants) {
    steps::add(code.len() + outputs.len());
    let readers = readers(code, outputs);
    outputs.iter_mut().for_each(|output| mask_sum(output, code, &readers, constants));
    for at in 0..code.len() {
        let peephole = Peephole { code, readers: &readers };
        if let Some((compound, dtype, operands)) = peephole.compound(&code[at]) {
            code[at].instruction.function = Function::Compound(compound, dtype);
            code[at].instruction.operands = operands;
        }
    }
}

/// How often each value is read, by code that an output depends on.
fn readers(code: &[Virtual], outputs: &[RegionOutput]) -> Vec<u32> {
    let mut readers = vec![0_u32; code.len()];
    let mut read = |operand: &Operand| {
        if let ValueId::Computed(number) = operand.value {
            readers[number as usize] += 1;
        }
    };
    outputs.iter().flat_map(RegionOutput::operands).for_each(|operand| read(&operand));
    for at in (0..code.len()).rev() {
        if readers[at] > 0 {
            for operand in &code[at].instruction.operands {
                if let ValueId::Computed(number) = operand.value {
                    readers[number as usize] += 1;
                }
            }
        }
    }
    readers
}

/// `sum(where(m, x, 0))` of all elements is a sum that takes the mask.
fn mask_sum(output: &mut RegionOutput, code: &[Virtual], readers: &[u32], constants: &Constants) {
    let RegionOutput::Reduction { reduction: Reduction::Sum(_), value, only, axes: ReducedAxes::All, .. } =
        output
    else {
        return;
    };
    let ValueId::Computed(number) = value.value else { return };
    let Instruction { function, operands, .. } = &code[number as usize].instruction;
    if let Function::Where(DType::F32 | DType::F64) = function
        && readers[number as usize] == 1
        && constants.is_plus_zero(operands[2])
    {
        (*only, *value) = (Some(operands[0]), operands[1]);
    }
}

type Operands = SmallVec<[Operand; 3]>;

struct Peephole<'c> {
    code: &'c [Virtual],
    readers: &'c [u32],
}

impl Peephole<'_> {
    /// The instruction of a value that nothing else reads, and that need not be stored.
    fn own(&self, operand: Operand) -> Option<&Instruction> {
        let ValueId::Computed(number) = operand.value else { return None };
        let instruction = &self.code[number as usize].instruction;
        let is_own =
            self.readers[number as usize] == 1 && matches!(instruction.target, Location::Register(_));
        is_own.then_some(instruction)
    }

    /// The arithmetic of two operands that computes a value, if nothing else reads that.
    fn arithmetic(&self, operand: Operand, dtype: DType) -> Option<(Arithmetic, [Operand; 2])> {
        let Instruction { function, operands, .. } = self.own(operand)?;
        if let Function::Unary(Unary::Square, of) = *function {
            return (of == dtype).then_some((Arithmetic::Mul, [operands[0], operands[0]]));
        }
        let Function::Binary(op, of) = *function else { return None };
        (of == dtype).then_some((Arithmetic::of(op)?, [operands[0], operands[1]]))
    }

    /// The same of comparisons of floats, with operands exchanged where it takes that.
    fn order(&self, operand: Operand) -> Option<(Order, DType, [Operand; 2])> {
        let Instruction { function, operands, .. } = self.own(operand)?;
        let Function::Compare(op, dtype @ (DType::F32 | DType::F64)) = *function else { return None };
        match op {
            Compare::Lt => Some((Order::Lt, dtype, [operands[0], operands[1]])),
            Compare::Le => Some((Order::Le, dtype, [operands[0], operands[1]])),
            Compare::Gt => Some((Order::Lt, dtype, [operands[1], operands[0]])),
            Compare::Ge => Some((Order::Le, dtype, [operands[1], operands[0]])),
            Compare::Eq | Compare::Ne | Compare::IsNan | Compare::IsFinite | Compare::IsInf => None,
        }
    }

    /// What an instruction becomes together with those of its operands.
    fn compound(&self, Virtual { instruction, dtype }: &Virtual) -> Option<(Compound, DType, Operands)> {
        let operands = &instruction.operands[..];
        match instruction.function {
            Function::Binary(op, DType::F32 | DType::F64) => {
                let (compound, operands) = self.of_arithmetic(Arithmetic::of(op)?, *dtype, operands)?;
                Some((compound, *dtype, operands))
            }
            Function::Unary(Unary::Square, DType::F32 | DType::F64) => {
                let (inner, [a, b]) = self.arithmetic(operands[0], *dtype)?;
                Some((Compound::SquareOf { inner }, *dtype, smallvec![a, b]))
            }
            Function::Logic(logic @ (Logic::And | Logic::Or)) => {
                let (left, dtype, [a, b]) = self.order(operands[0])?;
                let (right, other, [c, d]) = self.order(operands[1])?;
                let compound = Compound::Both { left, right, is_or: matches!(logic, Logic::Or) };
                (dtype == other).then(|| (compound, dtype, smallvec![a, b, c, d]))
            }
            Function::Where(DType::F32 | DType::F64) => {
                if let Some((order, of, [a, b])) = self.order(operands[0])
                    && of == *dtype
                {
                    return Some((Compound::ChooseBy(order), of, smallvec![a, b, operands[1], operands[2]]));
                }
                let (inner, [b, c]) = self.arithmetic(operands[1], *dtype)?;
                let operands = smallvec![operands[0], b, c, operands[2]];
                Some((Compound::ChooseOf { inner }, *dtype, operands))
            }
            Function::Unary(..)
            | Function::Binary(..)
            | Function::Compare(..)
            | Function::Logic(_)
            | Function::Where(_)
            | Function::Fill(_)
            | Function::Compound(..) => None,
        }
    }

    fn of_arithmetic(
        &self,
        outer: Arithmetic,
        dtype: DType,
        operands: &[Operand],
    ) -> Option<(Compound, Operands)> {
        const MUL_ADD: Compound = Compound::Left { inner: Arithmetic::Mul, outer: Arithmetic::Add };
        let (left, right) = (operands[0], operands[1]);
        if outer == Arithmetic::Sub
            && let Some(Instruction { function: Function::Compound(compound, _), operands, .. }) =
                self.own(left)
            && *compound == MUL_ADD
        {
            let operands = smallvec![operands[0], operands[1], operands[2], right];
            return Some((Compound::MulAddSub, operands));
        }
        if outer == Arithmetic::Mul {
            for (mask, other) in [(left, right), (right, left)] {
                if let Some(Instruction {
                    function: Function::Unary(Unary::Cast(to), DType::Bool),
                    operands,
                    ..
                }) = self.own(mask)
                    && *to == dtype
                {
                    return Some((Compound::MultiplyMask, smallvec![other, operands[0]]));
                }
            }
        }
        if let Some((inner, [a, b])) = self.arithmetic(left, dtype) {
            return Some((Compound::Left { inner, outer }, smallvec![a, b, right]));
        }
        let (inner, [a, b]) = self.arithmetic(right, dtype)?;
        Some(match outer {
            Arithmetic::Add | Arithmetic::Mul => (Compound::Left { inner, outer }, smallvec![a, b, left]),
            Arithmetic::Sub => (Compound::SubtractFrom { inner }, smallvec![left, a, b]),
        })
    }
}

impl Constants {
    /// Whether an operand is the float +0.
    fn is_plus_zero(&self, operand: Operand) -> bool {
        let ValueId::Constant(number) = operand.value else { return false };
        match self.scalars[number as usize] {
            Scalar::F32(value) => value.to_bits() == 0,
            Scalar::F64(value) => value.to_bits() == 0,
            Scalar::Bool(_) | Scalar::U8(_) | Scalar::I32(_) | Scalar::I64(_) => false,
        }
    }
}
