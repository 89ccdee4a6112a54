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
    /// The steps of values that are computed on the way to others, in compound instructions.
    pub(super) combined: Vec<usize>,
    /// For each output, after how many instructions all that it reads is there.
    pub(super) ready: Vec<usize>,
    /// How many registers each dtype needs.
    pub(super) registers: [usize; 6],
}

/// Lets values share registers. Instructions that no output depends on are dropped, and the
/// others are numbered anew.
///
/// A target never shares with an operand of its own instruction, since instructions write their
/// target while they read their operands: a register is taken before those of last uses are freed.
/// Outputs are written as soon as what they read is there, and so a value lives no longer for them.
pub(super) fn allocate(code: Vec<Virtual>, outputs: &mut [RegionOutput]) -> Allocated {
    steps::add(code.len() + outputs.len());
    let last = last_uses(&code, outputs);
    let dtypes: Vec<DType> = code.iter().map(|code| code.dtype).collect();
    let mut names = vec![Name { number: u32::MAX, register: u32::MAX }; code.len()];
    let (mut free, mut registers): ([Vec<u32>; 6], [usize; 6]) = Default::default();
    let mut instructions = Vec::with_capacity(last.iter().flatten().count());
    let mut combined = Vec::new();
    // What outputs alone read from one instruction on.
    let mut read_by_outputs: Vec<SmallVec<[u32; 2]>> = vec![SmallVec::new(); code.len()];
    for output in &*outputs {
        let at = maker(output);
        for operand in output.operands() {
            if let Operand { value: ValueId::Computed(read), location: Location::Register(_) } = operand
                && last[read as usize] == at
                && let Some(at) = at
            {
                read_by_outputs[at].push(read);
            }
        }
    }
    for (at, Virtual { mut instruction, dtype }) in code.into_iter().enumerate() {
        if last[at].is_none() {
            combined.extend(instruction.step);
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
        let mut freed = std::mem::take(&mut read_by_outputs[at]);
        // Several outputs may read one value, and many outputs values of their own.
        freed.sort_unstable();
        freed.dedup();
        for operand in &mut instruction.operands {
            if let Operand { value: ValueId::Computed(read), location: Location::Register(_) } = *operand
                && last[read as usize] == Some(at)
                && !freed.contains(&read)
            {
                freed.push(read);
            }
            rename(operand, &names);
        }
        for read in freed {
            free[slot(dtypes[read as usize])].push(names[read as usize].register);
        }
        instructions.push(instruction);
    }
    let ready = |output: &RegionOutput| maker(output).map_or(0, |at| names[at].number as usize + 1);
    let ready = outputs.iter().map(ready).collect();
    outputs.iter_mut().flat_map(RegionOutput::operands_mut).for_each(|operand| rename(operand, &names));
    Allocated { instructions, combined, ready, registers }
}

/// The last instruction that computes something that an output reads.
fn maker(output: &RegionOutput) -> Option<usize> {
    let computed = output.operands().into_iter().filter_map(|operand| match operand.value {
        ValueId::Computed(number) => Some(number as usize),
        ValueId::Loaded(_) | ValueId::Constant(_) => None,
    });
    computed.max()
}

/// The last instruction during or right after which each value is read; none where no output
/// depends on it.
fn last_uses(code: &[Virtual], outputs: &[RegionOutput]) -> Vec<Option<usize>> {
    let mut last: Vec<Option<usize>> = vec![None; code.len()];
    let note = |operand: Operand, reader: Option<usize>, last: &mut Vec<Option<usize>>| {
        if let ValueId::Computed(number) = operand.value {
            last[number as usize] = last[number as usize].max(reader);
        }
    };
    for output in outputs {
        output.operands().into_iter().for_each(|operand| note(operand, maker(output), &mut last));
    }
    for (at, Virtual { instruction, .. }) in code.iter().enumerate().rev() {
        if last[at].is_some() {
            instruction.operands.iter().for_each(|operand| note(*operand, Some(at), &mut last));
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
