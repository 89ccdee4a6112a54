//! The results of a run, by name.

use std::fmt;
use std::sync::Arc;

use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn};
use tamis_graph::{Element, Value};

use crate::error::{Error, ErrorKind, Report};
use crate::interface::{Interface, Key};
use crate::pool::Pool;

/// The results of a run. They own their elements and depend neither on the plan
/// nor on what was fed. When they are dropped, their memory is left to later
/// runs of the plan.
pub struct Outputs {
    pool: Arc<Pool>,
    interface: Arc<Interface>,
    /// In the order of the plan.
    results: Vec<Held>,
}

/// Where a result is.
pub(crate) enum Held {
    Here(Value),
    Taken,
    /// In the memory that the caller gave for it.
    Written,
}

impl Outputs {
    pub(crate) fn new(interface: Arc<Interface>, results: Vec<Held>, pool: Arc<Pool>) -> Outputs {
        Outputs { pool, interface, results }
    }

    /// The names of the outputs that are held, in the order of the plan.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let named = self.interface.outputs.iter().zip(&self.results);
        named.filter(|(_, held)| matches!(held, Held::Here(_))).map(|(output, _)| &*output.name)
    }

    /// An output as a view.
    ///
    /// # Errors
    /// When there is no such output, when its dtype is not `T`, or when it was
    /// taken or written to the caller's memory.
    ///
    /// ```
    /// use ndarray::{ArrayViewD, array};
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let out = Plan::new([("mask", graph.constant([2, 0]).ne(0))])?.run()?;
    /// let mask: ArrayViewD<bool> = out.view("mask")?;
    /// assert_eq!(mask, array![true, false].into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn view<T: Element>(&self, name: impl Key) -> Result<ArrayViewD<'_, T>, Error> {
        let place = self.find("view", &name)?;
        Ok(self.typed::<T>("view", place)?.view())
    }

    /// Moves an output out, without a copy unless its elements are shared with
    /// another output, a literal of the graph or a feed.
    ///
    /// # Errors
    /// As for [`Outputs::view`], and when there is no memory for a copy.
    pub fn take<T: Element>(&mut self, name: impl Key) -> Result<ArrayD<T>, Error> {
        let place = self.find("take", &name)?;
        let array = self.typed::<T>("take", place)?.clone();
        self.results[place] = Held::Taken;
        array.try_into_owned_nocopy().or_else(|shared| {
            let copied = copy(&shared);
            copied.map_err(|kind| Report::new("take", kind, None).into())
        })
    }

    /// The only element of an output that has exactly one.
    ///
    /// # Errors
    /// As for [`Outputs::view`], and when the output has another number of elements.
    pub fn scalar<T: Element>(&self, name: impl Key) -> Result<T, Error> {
        let place = self.find("scalar", &name)?;
        let array = self.typed::<T>("scalar", place)?;
        array.first().filter(|_| array.len() == 1).copied().ok_or_else(|| {
            let kind = ErrorKind::OutputNotScalar { name: self.name(place), shape: array.shape().to_vec() };
            Report::new("scalar", kind, None).into()
        })
    }

    /// An output of whatever dtype. The elements are shared.
    ///
    /// # Errors
    /// As for [`Outputs::view`], except that every dtype is accepted.
    pub fn value(&self, name: impl Key) -> Result<Value, Error> {
        let place = self.find("value", &name)?;
        Ok(self.held("value", place)?.clone())
    }

    fn find(&self, call: &'static str, key: &impl Key) -> Result<usize, Error> {
        self.interface.output(key).map_err(|kind| Report::new(call, kind, None).into())
    }

    fn name(&self, place: usize) -> String {
        self.interface.outputs[place].name.to_string()
    }

    fn held(&self, call: &'static str, place: usize) -> Result<&Value, Error> {
        let name = self.name(place);
        let kind = match &self.results[place] {
            Held::Here(value) => return Ok(value),
            Held::Taken => ErrorKind::OutputTaken { name },
            Held::Written => ErrorKind::OutputWritten { name },
        };
        Err(Report::new(call, kind, None).into())
    }

    fn typed<T: Element>(&self, call: &'static str, place: usize) -> Result<&ArcArray<T, IxDyn>, Error> {
        let value = self.held(call, place)?;
        T::from_value(value).ok_or_else(|| {
            let name = self.name(place);
            let kind = ErrorKind::OutputDType { name, expected: T::DTYPE, found: value.dtype() };
            Report::new(call, kind, None).into()
        })
    }
}

fn copy<T: Element>(array: &ArcArray<T, IxDyn>) -> Result<ArrayD<T>, ErrorKind> {
    let (shape, bytes) = (array.shape().to_vec(), array.len() * size_of::<T>());
    let mut elements = Vec::new();
    let reserved = elements.try_reserve_exact(array.len());
    reserved.map_err(|_| ErrorKind::OutOfMemory { shape: shape.clone(), bytes })?;
    elements.extend(array.iter().copied());
    let copy = ArrayD::from_shape_vec(shape, elements);
    Ok(copy.unwrap_or_else(|error| unreachable!("the length is that of the shape: {error}")))
}

impl Drop for Outputs {
    fn drop(&mut self) {
        for held in self.results.drain(..) {
            if let Held::Here(value) = held {
                self.pool.give_value(value);
            }
        }
    }
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (output, held) in self.interface.outputs.iter().zip(&self.results) {
            match held {
                Held::Here(value) => map.entry(&output.name, value),
                Held::Taken => map.entry(&output.name, &"taken"),
                Held::Written => map.entry(&output.name, &"written to the caller's memory"),
            };
        }
        map.finish()
    }
}
