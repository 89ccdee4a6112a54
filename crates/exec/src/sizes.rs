//! The lengths of one run: the values of named dimensions and counts.

use std::sync::Arc;

use foldhash::HashMap;
use smallvec::SmallVec;
use tamis_graph::{Dim, DimError, NodeId, Shape, Symbol, steps};

use crate::error::ErrorKind;

/// The lengths of the axes of a tensor, of which there are few.
pub(crate) type Lengths = SmallVec<[usize; 4]>;

/// The values of the symbols that sizes are made of. Named dimensions are known
/// when a run starts, counts once their mask is computed.
#[derive(Default)]
pub(crate) struct Sizes {
    /// The first few, which are searched faster than hashed.
    named: SmallVec<[(Arc<str>, Seen); 4]>,
    /// The others.
    further: HashMap<Arc<str>, Seen>,
    counts: HashMap<NodeId, i64>,
}

/// Where the length of a named dimension was found.
#[derive(Clone, Copy)]
pub(crate) struct Seen {
    /// The index of the input in the interface.
    pub(crate) input: usize,
    pub(crate) axis: usize,
    pub(crate) length: usize,
}

impl Sizes {
    /// Remembers the length of a named dimension. Gives where it was found
    /// before, if that is another length.
    pub(crate) fn name(&mut self, name: &Arc<str>, seen: Seen) -> Result<(), Seen> {
        match self.find(name) {
            None if self.named.len() < self.named.inline_size() => self.named.push((name.clone(), seen)),
            None => {
                self.further.insert(name.clone(), seen);
            }
            Some(first) if first.length != seen.length => return Err(first),
            Some(_) => {}
        }
        Ok(())
    }

    fn find(&self, name: &Arc<str>) -> Option<Seen> {
        steps::add(1 + self.named.len());
        let is_name = |known: &Arc<str>| Arc::ptr_eq(known, name) || known == name;
        let first = self.named.iter().find(|(known, _)| is_name(known)).map(|(_, seen)| *seen);
        if self.further.is_empty() { first } else { first.or_else(|| self.further.get(name).copied()) }
    }

    pub(crate) fn count(&mut self, mask: NodeId, count: usize) {
        self.counts.insert(mask, count as i64);
    }

    pub(crate) fn is_counted(&self, mask: NodeId) -> bool {
        self.counts.contains_key(&mask)
    }

    /// The value of `dim` in this run, which may be negative.
    pub(crate) fn value(&self, dim: &Dim) -> Result<i64, ErrorKind> {
        dim.evaluate(&|symbol| self.lookup(symbol)).map_err(|error| {
            if let DimError::Unbound(symbol) = &error {
                unreachable!("a plan binds every symbol it needs, also {symbol}");
            }
            error.into()
        })
    }

    fn lookup(&self, symbol: &Symbol) -> Option<i64> {
        match symbol {
            Symbol::Named(name) => self.find(name).and_then(|seen| i64::try_from(seen.length).ok()),
            Symbol::Count(mask) => self.counts.get(mask).copied(),
            Symbol::Opaque(_) => None,
        }
    }

    /// The value of `dim` as the length of an axis.
    pub(crate) fn length(&self, dim: &Dim) -> Result<usize, ErrorKind> {
        let value = self.value(dim)?;
        usize::try_from(value).map_err(|_| ErrorKind::NegativeSize { size: dim.clone(), value })
    }

    /// The lengths of the axes of `shape`.
    pub(crate) fn lengths(&self, shape: &Shape) -> Result<Lengths, ErrorKind> {
        shape.iter().map(|dim| self.length(dim)).collect()
    }
}
