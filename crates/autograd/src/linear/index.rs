//! Reading at computed indices, and adding up there.

use std::ops::Range;

use tamis_graph::{Addressing, Combine, DType, Expr, Graph, Index, Shape};

use crate::arrange::{broadcast, full, ones, reshaped, spliced};
use crate::masked_derivative::MaskedDerivative;
use crate::support::varies;

/// The elements of a tensor that indices address. The addressed axes are replaced by
/// those of the indices; the other axes are common to the tensor and to what is read of
/// it, the updates.
#[derive(Debug, Clone)]
pub(crate) struct Locations<'g> {
    pub(crate) addressing: Addressing,
    pub(crate) indices: Expr<'g>,
    /// The shape of the tensor.
    pub(crate) tensor: Shape,
    /// The shape of what is read, or written.
    pub(crate) updates: Shape,
}

impl<'g> Locations<'g> {
    fn graph(&self) -> &'g Graph {
        self.indices.graph()
    }

    /// The addressed axes of the tensor.
    fn addressed(&self) -> Range<usize> {
        match self.addressing {
            Addressing::Axis(axis) | Addressing::AlongAxis(axis) => axis..axis + 1,
            Addressing::Nd => 0..self.tensor.len() + self.indices.rank() - 1 - self.updates.len(),
        }
    }

    /// The axes of the updates that stand for the addressed ones.
    fn named(&self) -> Range<usize> {
        match self.addressing {
            Addressing::Axis(axis) => axis..axis + self.indices.rank(),
            Addressing::AlongAxis(axis) => axis..axis + 1,
            Addressing::Nd => 0..self.indices.rank() - 1,
        }
    }

    /// A factor that varies along some of `axes`, broadcast to `shape` as far as the indices need it.
    fn widen(&self, factor: Expr<'g>, axes: Range<usize>, shape: &Shape) -> Expr<'g> {
        match self.addressing {
            Addressing::Axis(_) | Addressing::Nd => {
                let wide = spliced(&factor.shape(), axes.clone(), &shape[axes]);
                broadcast(factor, wide)
            }
            // Here every index has coordinates on the other axes too.
            Addressing::AlongAxis(_) => broadcast(factor, shape.clone()),
        }
    }

    pub(crate) fn read(&self, tensor: Expr<'g>) -> Expr<'g> {
        self.graph().apply(Index::Gather(self.addressing), &[tensor, self.indices])
    }

    pub(crate) fn write(&self, combine: Combine, tensor: Expr<'g>, updates: Expr<'g>) -> Expr<'g> {
        let op = Index::Scatter { addressing: self.addressing, combine };
        self.graph().apply(op, &[tensor, self.indices, updates])
    }

    /// A tensor of `value`s that updates such as `updates`, already wide, fit into.
    fn blank(&self, updates: Expr<'g>, value: f64) -> Expr<'g> {
        let shape = spliced(&updates.shape(), self.named(), &self.tensor[self.addressed()]);
        full(self.graph(), shape, updates.dtype(), value)
    }

    /// Where the tensor is written by an update at which `mask` is true.
    fn hit_by(&self, mask: Expr<'g>) -> Expr<'g> {
        let updates = self.widen(mask, self.named(), &self.updates);
        self.write(Combine::Or, self.blank(updates, 0.0), updates)
    }

    /// Where the tensor is written at all, as a factor.
    pub(crate) fn hit(&self) -> Expr<'g> {
        self.hit_by(full(self.graph(), ones(self.updates.len()), DType::Bool, 1.0))
    }

    /// Which updates a `scatter_set` keeps, as a factor: those that find their own
    /// number at their index after all numbers were written.
    pub(crate) fn winner(&self) -> Expr<'g> {
        let named = self.named();
        let lengths: Shape = self.updates[named.clone()].into();
        let numbers = match lengths.size() {
            Ok(size) => self.graph().iota(size),
            Err(error) => self.graph().report("scatter_set", error.into()),
        };
        if numbers.is_poisoned() {
            return numbers;
        }
        let shape = spliced(&ones(self.updates.len()), named.clone(), &lengths);
        let numbers = self.widen(reshaped(numbers, shape), named, &self.updates);
        let written = self.write(Combine::Set, self.blank(numbers, -1.0), numbers);
        self.read(written).eq(numbers)
    }
}

/// The elements at the indices.
pub(crate) fn gather<'g>(x: &MaskedDerivative<'g>, locations: &Locations<'g>) -> MaskedDerivative<'g> {
    let (addressed, named) = (locations.addressed(), locations.named());
    let axes: Vec<usize> = addressed.clone().collect();
    x.rearrange(
        |value| locations.read(value),
        |factor| {
            if varies(factor, &axes) {
                locations.read(locations.widen(factor, addressed.clone(), &locations.tensor))
            } else {
                reshaped(factor, spliced(&factor.shape(), addressed.clone(), &ones(named.len())))
            }
        },
    )
}

/// The updates added up at the indices: supported where any of them is.
pub(crate) fn scatter_add<'g>(x: &MaskedDerivative<'g>, locations: &Locations<'g>) -> MaskedDerivative<'g> {
    let (addressed, named) = (locations.addressed(), locations.named());
    let axes: Vec<usize> = named.clone().collect();
    x.accumulate(
        &axes,
        |value| locations.write(Combine::Add, locations.blank(value, 0.0), value),
        |factor| reshaped(factor, spliced(&factor.shape(), named.clone(), &ones(addressed.len()))),
        |varying| Some(varying.map_or_else(|| locations.hit(), |mask| locations.hit_by(mask))),
    )
}
