//! The register file and the operand views of a program, by dtype: registers,
//! constants, loads, outputs.

use std::marker::PhantomData;
use std::mem;
use std::ops::Range;

use tamis_graph::{DType, Scalar};

use super::load::Loaded;
use crate::by_dtype::{AnyOf, ByDType, Family, Item, dispatch, each_dtype, slot};
use crate::chunks::Divide;
use crate::region::{Location, Operand};

/// How many elements an instruction takes at a time.
pub(super) const TILE: usize = 1024;

/// The size of a cache line: a vector that spans two of them takes two accesses.
const LINE: usize = 64;

/// How many elements a register needs beyond a tile, so that the tile can start at a cache
/// line.
const PADDING: usize = LINE;

/// Where the tile in a register starts: at a cache line, wherever the allocator placed the
/// memory. A `Vec` cannot be asked for more than the alignment of its elements.
#[inline]
fn aligned_start<T>(register: &[T]) -> usize {
    register.as_ptr().align_offset(LINE).min(PADDING)
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
    /// Each scalar repeated over a tile.
    pub(super) fn constants(scalars: &[Scalar]) -> ByDType<RegisterFile> {
        let mut constants = ByDType::<RegisterFile>::default();
        for scalar in scalars {
            dispatch!(type T = scalar.dtype() => {
                let value = T::from_scalar(*scalar);
                let value = value.unwrap_or_else(|| unreachable!("a scalar has its own dtype"));
                T::of_mut(&mut constants).push(vec![value; TILE + PADDING]);
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
                let short = registers[..count].iter_mut().filter(|register| register.len() < tile + PADDING);
                short.for_each(|register| register.resize(tile + PADDING, T::default()));
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

/// What instructions of one dtype read and write.
pub(super) struct OperandView<'p, T> {
    /// The registers, then the outputs of the chunk.
    targets: Vec<&'p mut [T]>,
    registers: usize,
    constants: &'p [Vec<T>],
    loads: &'p [Loaded<'p, T>],
}

pub(super) struct OperandViews<'p>(PhantomData<&'p ()>);

impl<'p> Family for OperandViews<'p> {
    type Of<T: Item> = OperandView<'p, T>;
}

impl<'p> ByDType<OperandViews<'p>> {
    /// The operand views of every dtype.
    pub(super) fn views<'a: 'p>(
        registers: &'p mut ByDType<RegisterFile>,
        counts: &[usize; 6],
        constants: &'p ByDType<RegisterFile>,
        loads: &'p ByDType<Loads<'a>>,
        mut outputs: ByDType<Slices<'p>>,
    ) -> ByDType<OperandViews<'p>> {
        macro_rules! views {
            ($($ty:ident: $variant:ident),*) => {
                ByDType {
                    $($ty: OperandView::new(
                        &mut registers.$ty[..counts[slot(DType::$variant)]],
                        &constants.$ty,
                        &loads.$ty,
                        &mut outputs.$ty,
                    ),)*
                }
            };
        }
        each_dtype!(views)
    }

    /// Reads the loads that are not contiguous over the domain into registers.
    pub(super) fn load(&mut self, tile: Tile) {
        for dtype in DType::ALL {
            dispatch!(type T = dtype => T::of_mut(self).load(tile));
        }
    }
}

impl<'p, T: Item> OperandView<'p, T> {
    fn new(
        registers: &'p mut [Vec<T>],
        constants: &'p [Vec<T>],
        loads: &'p [Loaded<'p, T>],
        outputs: &mut Vec<&'p mut [T]>,
    ) -> OperandView<'p, T> {
        let count = registers.len();
        let mut targets: Vec<&'p mut [T]> = Vec::with_capacity(count + outputs.len());
        targets.extend(registers.iter_mut().map(|register| {
            let (start, len) = (aligned_start(register), register.len() - PADDING);
            &mut register[start..start + len]
        }));
        targets.append(outputs);
        OperandView { targets, registers: count, constants, loads }
    }

    /// The elements of an operand in the tile.
    #[inline]
    pub(super) fn read(&self, operand: Operand, tile: Tile) -> &[T] {
        match operand.location {
            Location::Register(register) => &self.targets[register as usize][..tile.len],
            Location::Constant(constant) => {
                let register = &self.constants[constant as usize];
                &register[aligned_start(register)..][..tile.len]
            }
            Location::Output(output) => {
                &self.targets[self.registers + output as usize][tile.offset..][..tile.len]
            }
            Location::Load(load) => match &self.loads[load as usize] {
                Loaded::Contiguous(elements) => &elements[tile.start..][..tile.len],
                Loaded::Scalar(elements) => &elements[..tile.len],
                Loaded::Row { elements, period } => &elements[tile.start % period..][..tile.len],
                Loaded::Column { register, .. } | Loaded::Strided { register, .. } => {
                    &self.targets[*register][..tile.len]
                }
            },
        }
    }

    /// Takes the memory of a target out, to be written while operands are read. What is left
    /// in its stead is empty: an instruction that read its own target would fail, and not
    /// compute with half of a result.
    #[inline]
    pub(super) fn take(&mut self, target: Location, tile: Tile) -> (Taken<'p, T>, Range<usize>) {
        let (target, start) = match target {
            Location::Register(register) => (register as usize, 0),
            Location::Output(output) => (self.registers + output as usize, tile.offset),
            Location::Constant(_) | Location::Load(_) => {
                unreachable!("instructions write to registers and outputs")
            }
        };
        let memory = mem::take(&mut self.targets[target]);
        (Taken { target, memory }, start..start + tile.len)
    }

    #[inline]
    pub(super) fn put_back(&mut self, taken: Taken<'p, T>) {
        self.targets[taken.target] = taken.memory;
    }

    fn load(&mut self, tile: Tile) {
        for load in self.loads {
            load.read(tile, &mut self.targets);
        }
    }
}

/// A register or output while it is written.
pub(super) struct Taken<'p, T> {
    target: usize,
    pub(super) memory: &'p mut [T],
}
