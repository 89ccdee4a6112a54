//! Which register each value of a program is kept in.
//!
//! A program is straight-line code in static single assignment form, so that the life of a value
//! is one interval, from the instruction that computes it to its last use. One scan over the
//! instructions, with a list of free registers for each dtype, assigns registers (linear scan:
//! Poletto & Sarkar, 1999); there are as many as it takes, so that nothing is spilled, and for
//! intervals of straight-line code no assignment takes fewer.

use smallvec::SmallVec;
use tamis_graph::{DType, steps};

use super::compile::Virtual;
use super::{Instruction, Location, Operand, RegionOutput, ValueId};
use crate::by_dtype::slot;

/// A program whose values share registers.
pub(super) struct Allocated {
    pub(super) instructions: Vec<Instruction>,
    /// How many registers each dtype needs.
    pub(super) registers: [usize; 6],
}

/// The last use of a value that an output of the region reads: after all instructions.
const OUTPUTS: usize = usize::MAX;

/// Lets values share registers. Instructions that no output depends on are dropped, and the
/// others are numbered anew.
///
/// A target never shares with an operand of its own instruction, since instructions write their
/// target while they read their operands: a register is taken before those of last uses are freed.
pub(super) fn allocate(code: Vec<Virtual>, outputs: &mut [RegionOutput]) -> Allocated {
    steps::add(code.len() + outputs.len());
    let last = last_uses(&code, outputs);
    let dtypes: Vec<DType> = code.iter().map(|code| code.dtype).collect();
    let mut names = vec![Name { number: u32::MAX, register: u32::MAX }; code.len()];
    let (mut free, mut registers): ([Vec<u32>; 6], [usize; 6]) = Default::default();
    let mut instructions = Vec::with_capacity(last.iter().flatten().count());
    for (at, Virtual { mut instruction, dtype }) in code.into_iter().enumerate() {
        if last[at].is_none() {
            continue;
        }
        names[at].number = instructions.len() as u32;
        if let Location::Register(register) = &mut instruction.target {
            let class = slot(dtype);
            *register = free[class].pop().unwrap_or_else(|| {
                registers[class] += 1;
                (registers[class] - 1) as u32
            });
            names[at].register = *register;
        }
        let mut freed: SmallVec<[u32; 3]> = SmallVec::new();
        for operand in &mut instruction.operands {
            if let Operand { value: ValueId::Computed(read), location: Location::Register(_) } = *operand
                && last[read as usize] == Some(at)
                && !freed.contains(&read)
            {
                freed.push(read);
                free[slot(dtypes[read as usize])].push(names[read as usize].register);
            }
            rename(operand, &names);
        }
        instructions.push(instruction);
    }
    outputs.iter_mut().flat_map(RegionOutput::operands_mut).for_each(|operand| rename(operand, &names));
    Allocated { instructions, registers }
}

/// The last instruction that reads each value, or [`OUTPUTS`]; none where no output depends on it.
fn last_uses(code: &[Virtual], outputs: &[RegionOutput]) -> Vec<Option<usize>> {
    let mut last: Vec<Option<usize>> = vec![None; code.len()];
    let note = |operand: Operand, reader: usize, last: &mut Vec<Option<usize>>| {
        if let ValueId::Computed(number) = operand.value {
            // Readers are visited from the last one on.
            last[number as usize].get_or_insert(reader);
        }
    };
    outputs.iter().flat_map(RegionOutput::operands).for_each(|operand| note(operand, OUTPUTS, &mut last));
    for (at, Virtual { instruction, .. }) in code.iter().enumerate().rev() {
        if last[at].is_some() {
            instruction.operands.iter().for_each(|operand| note(*operand, at, &mut last));
        }
    }
    last
}

/// The final number and register of the value of an instruction.
#[derive(Clone, Copy)]
struct Name {
    number: u32,
    register: u32,
}

fn rename(operand: &mut Operand, names: &[Name]) {
    if let ValueId::Computed(number) = &mut operand.value {
        let name = names[*number as usize];
        *number = name.number;
        if let Location::Register(register) = &mut operand.location {
            *register = name.register;
        }
    }
}
