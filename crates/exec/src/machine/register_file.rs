//! The register file and the operand views of a program, by dtype: registers,
//! constants, loads, outputs.

use std::marker::PhantomData;
use std::mem;
use std::ops::Range;

use tamis_graph::{DType, Scalar};

use super::load::{Loaded, repeat_each};
use super::prefetch::{Access, Streams};
use crate::by_dtype::{AnyOf, ByDType, Family, Item, dispatch, each_dtype, slot};
use crate::chunks::Divide;
use crate::region::{Location, Operand};

/// How many elements an instruction takes at a time.
pub(super) const TILE: usize = 1024;

/// How many elements of a tile a loop takes at a time. A tile of another length is padded: what
/// is computed of the padding is never read.
pub(super) const BLOCK: usize = 64;

/// The size of a cache line: a vector that spans two of them takes two accesses.
pub(super) const LINE: usize = 64;

/// How many elements a register needs beyond a tile, so that the tile can start at a cache
/// line.
const fn padding<T>() -> usize {
    LINE / size_of::<T>()
}

/// Where the tile in a register starts: at a cache line, wherever the allocator placed the
/// memory. A `Vec` cannot be asked for more than the alignment of its elements.
#[inline]
fn aligned_start<T>(register: &[T]) -> usize {
    register.as_ptr().align_offset(LINE).min(padding::<T>())
}

/// A slice that is written.
pub(super) struct Slice<'o>(PhantomData<&'o ()>);

impl<'o> Family for Slice<'o> {
    type Of<T: Item> = &'o mut [T];
}

/// Memory for elements of some dtype.
pub(super) type AnySlice<'o> = AnyOf<Slice<'o>>;

impl Divide for AnySlice<'_> {
    fn divide(self, len: usize) -> (Self, Self) {
        fn halves<T: Item>(slice: &mut [T], len: usize) -> (AnySlice<'_>, AnySlice<'_>) {
            let (head, tail) = slice.split_at_mut(len);
            (T::into_any(head), T::into_any(tail))
        }
        dispatch!(self, slice => halves(slice, len))
    }
}

impl<'o> AnySlice<'o> {
    /// The same for a shorter time.
    pub(super) fn reborrow(&mut self) -> AnySlice<'_> {
        fn shorter<T: Item>(slice: &mut [T]) -> AnySlice<'_> {
            T::into_any(slice)
        }
        dispatch!(self, slice => shorter(slice))
    }

    /// Adds the slice to those of its dtype.
    pub(super) fn push_to<'f>(self, all: &mut ByDType<Slices<'f>>)
    where
        'o: 'f,
    {
        fn push<'f, T: Item>(slice: &'f mut [T], all: &mut ByDType<Slices<'f>>) {
            T::of_mut(all).push(slice);
        }
        dispatch!(self, slice => push(slice, all));
    }
}

/// Slices that are written.
pub(super) struct Slices<'o>(PhantomData<&'o ()>);

impl<'o> Family for Slices<'o> {
    type Of<T: Item> = Vec<&'o mut [T]>;
}

/// Slices that are read.
pub(super) struct Locals<'o>(PhantomData<&'o ()>);

impl<'o> Family for Locals<'o> {
    type Of<T: Item> = Vec<&'o [T]>;
}

/// The arrays that a region reads.
pub(super) struct Loads<'p>(PhantomData<&'p ()>);

impl<'p> Family for Loads<'p> {
    type Of<T: Item> = Vec<Loaded<'p, T>>;
}

/// A register file: the registers, or the constants, of each dtype.
pub(super) struct RegisterFile;

impl Family for RegisterFile {
    type Of<T: Item> = Vec<Vec<T>>;
}

impl ByDType<RegisterFile> {
    /// Each scalar repeated over a block.
    pub(super) fn constants(scalars: &[Scalar]) -> ByDType<RegisterFile> {
        let mut constants = ByDType::<RegisterFile>::default();
        for scalar in scalars {
            dispatch!(type T = scalar.dtype() => {
                let value = T::from_scalar(*scalar);
                let value = value.unwrap_or_else(|| unreachable!("a scalar has its own dtype"));
                T::of_mut(&mut constants).push(vec![value; BLOCK]);
            });
        }
        constants
    }

    /// Provides at least `counts` registers of each dtype that hold a tile of `tile` elements,
    /// aligned to a cache line.
    pub(super) fn grow(&mut self, counts: &[usize; 6], tile: usize) {
        for dtype in DType::ALL {
            let count = counts[slot(dtype)];
            dispatch!(type T = dtype => {
                let registers = T::of_mut(self);
                registers.resize_with(count.max(registers.len()), Vec::new);
                let len = tile + padding::<T>();
                let short = registers[..count].iter_mut().filter(|register| register.len() < len);
                short.for_each(|register| register.resize(len, T::default()));
            });
        }
    }

    /// How many registers there are.
    pub(super) fn count(&self) -> usize {
        DType::ALL.into_iter().map(|dtype| dispatch!(type T = dtype => T::of(self).len())).sum()
    }
}

/// The elements of the domain that an instruction works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tile {
    /// The first element, counting from the start of the domain.
    pub(super) start: usize,
    pub(super) len: usize,
    /// The first element, counting from the start of the chunk: where outputs start.
    pub(super) offset: usize,
}

impl Tile {
    /// The length in complete blocks.
    pub(super) fn padded(self) -> usize {
        self.len.next_multiple_of(BLOCK)
    }
}

/// The elements of an operand in a tile, block by block. A block that repeats is stored once.
#[derive(Clone, Copy)]
pub(super) struct Blocks<'f, T> {
    blocks: &'f [[T; BLOCK]],
    /// All bits where blocks follow one another, none where one repeats.
    step: usize,
}

impl<'f, T> Blocks<'f, T> {
    fn consecutive(elements: &'f [T]) -> Blocks<'f, T> {
        Blocks { blocks: elements.as_chunks().0, step: usize::MAX }
    }

    fn repeated(elements: &'f [T]) -> Blocks<'f, T> {
        Blocks { blocks: elements.as_chunks().0, step: 0 }
    }

    #[inline(always)]
    pub(super) fn get(&self, number: usize) -> &'f [T; BLOCK] {
        &self.blocks[number & self.step]
    }

    /// The element at an index of the tile.
    #[inline(always)]
    pub(super) fn element(&self, index: usize) -> T
    where
        T: Copy,
    {
        self.get(index / BLOCK)[index % BLOCK]
    }

    /// The elements one after the other; in `copy` if they repeat.
    pub(super) fn slice<'s>(&self, len: usize, copy: &'s mut Vec<T>) -> &'s [T]
    where
        T: Copy,
        'f: 's,
    {
        if self.step == usize::MAX {
            return &self.blocks.as_flattened()[..len];
        }
        copy.clear();
        copy.resize(len, self.blocks[0][0]);
        copy
    }
}

/// What instructions of one dtype read and write.
pub(super) struct OperandView<'p, T> {
    /// The registers, one more for each load and each output where a tile is padded beyond
    /// their end, then the outputs of the chunk.
    targets: Vec<&'p mut [T]>,
    /// Where the registers for padded loads start in `targets`, those for padded outputs, and the
    /// outputs.
    padded_loads: usize,
    padded_outputs: usize,
    outputs: usize,
    constants: &'p [Vec<T>],
    loads: &'p [Loaded<'p, T>],
    /// What regions before this one have computed of the rows of the chunk.
    locals: Vec<&'p [T]>,
    /// Where each load is in the tile.
    loaded: Vec<InTile<'p, T>>,
}

/// Where the elements of a load are in a tile.
#[derive(Clone, Copy)]
enum InTile<'p, T> {
    Memory(Blocks<'p, T>),
    Register(usize),
    /// One element in all of the tile: the first block of the register.
    Repeated(usize),
}

pub(super) struct OperandViews<'p>(PhantomData<&'p ()>);

impl<'p> Family for OperandViews<'p> {
    type Of<T: Item> = OperandView<'p, T>;
}

impl<'p> ByDType<OperandViews<'p>> {
    /// The operand views of every dtype. `registers` has one more for each load and each output
    /// than `counts`.
    pub(super) fn views<'a: 'p>(
        registers: &'p mut ByDType<RegisterFile>,
        counts: &[usize; 6],
        constants: &'p ByDType<RegisterFile>,
        loads: &'p ByDType<Loads<'a>>,
        mut outputs: ByDType<Slices<'p>>,
        mut locals: ByDType<Locals<'p>>,
    ) -> ByDType<OperandViews<'p>> {
        macro_rules! views {
            ($($ty:ident: $variant:ident),*) => {
                ByDType {
                    $($ty: OperandView::new(
                        &mut registers.$ty,
                        counts[slot(DType::$variant)],
                        &constants.$ty,
                        &loads.$ty,
                        &mut outputs.$ty,
                        mem::take(&mut locals.$ty),
                    ),)*
                }
            };
        }
        each_dtype!(views)
    }

    /// Finds where the loads are in the tile; what is not contiguous over the domain is copied to
    /// a register.
    pub(super) fn load(&mut self, tile: Tile) {
        for dtype in DType::ALL {
            dispatch!(type T = dtype => T::of_mut(self).load(tile));
        }
    }

    /// Notes the memory that a tile reads and writes as it lies there.
    pub(super) fn streams(&self, tile: Tile, streams: &mut Streams) {
        for dtype in DType::ALL {
            dispatch!(type T = dtype => T::of(self).streams(tile, streams));
        }
    }
}

impl<'p, T: Item> OperandView<'p, T> {
    fn new(
        registers: &'p mut [Vec<T>],
        count: usize,
        constants: &'p [Vec<T>],
        loads: &'p [Loaded<'p, T>],
        outputs: &mut Vec<&'p mut [T]>,
        locals: Vec<&'p [T]>,
    ) -> OperandView<'p, T> {
        let padded = count + loads.len() + outputs.len();
        let mut targets: Vec<&'p mut [T]> = Vec::with_capacity(padded + outputs.len());
        targets.extend(registers[..padded].iter_mut().map(|register| {
            let (start, len) = (aligned_start(register), register.len() - padding::<T>());
            &mut register[start..start + len]
        }));
        targets.append(outputs);
        OperandView {
            targets,
            padded_loads: count,
            padded_outputs: count + loads.len(),
            outputs: padded,
            constants,
            loads,
            locals,
            loaded: vec![InTile::Register(0); loads.len()],
        }
    }

    /// The elements of an operand in the tile.
    #[inline]
    pub(super) fn read(&self, operand: Operand, tile: Tile) -> Blocks<'_, T> {
        match operand.location {
            Location::Register(register) => Blocks::consecutive(self.targets[register as usize]),
            Location::Constant(constant) => Blocks::repeated(&self.constants[constant as usize]),
            Location::Load(load) => match self.loaded[load as usize] {
                InTile::Memory(blocks) => blocks,
                InTile::Register(register) => Blocks::consecutive(self.targets[register]),
                InTile::Repeated(register) => Blocks::repeated(self.targets[register]),
            },
            Location::Output(output) => {
                let memory = &*self.targets[self.outputs + output as usize];
                match memory.get(tile.offset..tile.offset + tile.padded()) {
                    Some(elements) => Blocks::consecutive(elements),
                    None => Blocks::consecutive(self.targets[self.padded_outputs + output as usize]),
                }
            }
        }
    }

    /// Takes the memory of a target out, to be written while operands are read. What is left
    /// in its stead is empty: an instruction that read its own target would fail, and not
    /// compute with half of a result.
    #[inline]
    pub(super) fn take(&mut self, target: Location, tile: Tile) -> Taken<'p, T> {
        let (target, start) = match target {
            Location::Register(register) => (register as usize, 0),
            Location::Output(output) => {
                let output = output as usize;
                let is_padded = tile.offset + tile.padded() > self.targets[self.outputs + output].len();
                if is_padded {
                    (self.padded_outputs + output, 0)
                } else {
                    (self.outputs + output, tile.offset)
                }
            }
            Location::Constant(_) | Location::Load(_) => {
                unreachable!("instructions write to registers and outputs")
            }
        };
        let memory = mem::take(&mut self.targets[target]);
        Taken { target, memory, range: start..start + tile.padded() }
    }

    #[inline]
    pub(super) fn put_back(&mut self, taken: Taken<'p, T>, tile: Tile) {
        let target = taken.target;
        self.targets[target] = taken.memory;
        if (self.padded_outputs..self.outputs).contains(&target) {
            let (registers, outputs) = self.targets.split_at_mut(self.outputs);
            let elements = &registers[target][..tile.len];
            outputs[target - self.padded_outputs][tile.offset..][..tile.len].copy_from_slice(elements);
        }
    }

    fn load(&mut self, tile: Tile) {
        for (index, load) in self.loads.iter().enumerate() {
            self.loaded[index] = match load {
                Loaded::Contiguous(elements) => match elements.get(tile.start..tile.start + tile.padded()) {
                    Some(elements) => InTile::Memory(Blocks::consecutive(elements)),
                    None => {
                        let register = self.padded_loads + index;
                        self.targets[register][..tile.len]
                            .copy_from_slice(&elements[tile.start..][..tile.len]);
                        InTile::Register(register)
                    }
                },
                Loaded::Scalar(block) => InTile::Memory(Blocks::repeated(block)),
                Loaded::Row { elements, period } => {
                    InTile::Memory(Blocks::consecutive(&elements[tile.start % period..]))
                }
                Loaded::Column { elements, times, register } => {
                    repeated(elements, *times, tile.start, tile.len, *register, &mut self.targets)
                }
                Loaded::Local { number, times } => {
                    let elements = self.locals[*number];
                    let blocks = elements.get(tile.offset..tile.offset + tile.padded());
                    match blocks.filter(|_| *times == 1) {
                        Some(elements) => InTile::Memory(Blocks::consecutive(elements)),
                        None => {
                            let register = self.padded_loads + index;
                            repeated(elements, *times, tile.offset, tile.len, register, &mut self.targets)
                        }
                    }
                }
                Loaded::Strided { elements, register } => match elements.run(tile.start, tile.padded()) {
                    Some(run) => InTile::Memory(Blocks::consecutive(run)),
                    None => {
                        elements.read_from(tile.start, &mut self.targets[*register][..tile.len]);
                        InTile::Register(*register)
                    }
                },
            };
        }
    }

    fn streams(&self, tile: Tile, streams: &mut Streams) {
        for load in self.loads {
            match load {
                Loaded::Contiguous(elements) => {
                    streams.add(elements.as_ptr().wrapping_add(tile.start), tile.len, Access::Read);
                }
                Loaded::Scalar(_)
                | Loaded::Row { .. }
                | Loaded::Column { .. }
                | Loaded::Local { .. }
                | Loaded::Strided { .. } => {}
            }
        }
        for output in &self.targets[self.outputs..] {
            streams.add(output.as_ptr().wrapping_add(tile.offset), tile.len, Access::Write);
        }
    }
}

/// Each element `times` times in a row, from index `start` of the result on: in a register, of which one
/// block is enough where the tile has one element alone.
fn repeated<'p, T: Item>(
    elements: &[T],
    times: usize,
    start: usize,
    len: usize,
    register: usize,
    targets: &mut [&mut [T]],
) -> InTile<'p, T> {
    if start / times == (start + len - 1) / times {
        targets[register][..BLOCK].fill(elements[start / times]);
        return InTile::Repeated(register);
    }
    repeat_each(elements, times, start, &mut targets[register][..len]);
    InTile::Register(register)
}

/// A register or output while it is written.
pub(super) struct Taken<'p, T> {
    target: usize,
    memory: &'p mut [T],
    range: Range<usize>,
}

impl<T> Taken<'_, T> {
    /// The blocks of the tile.
    #[inline(always)]
    pub(super) fn blocks(&mut self) -> &mut [[T; BLOCK]] {
        self.memory[self.range.clone()].as_chunks_mut().0
    }
}
