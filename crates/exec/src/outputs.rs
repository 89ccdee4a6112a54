//! The results of a run, by name.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use ndarray::{ArcArray, Array, ArrayD, ArrayViewD, Dimension, IxDyn};
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
    /// How many bytes the run held at most.
    peak: usize,
}

/// Where a result is.
pub(crate) enum Held {
    Here(Value),
    Taken,
    /// In the memory that the caller gave for it.
    Written,
}

impl Outputs {
    pub(crate) fn new(
        interface: Arc<Interface>,
        results: Vec<Held>,
        pool: Arc<Pool>,
        peak: usize,
    ) -> Outputs {
        Outputs { pool, interface, results, peak }
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
    /// use tamis::ndarray::{ArrayViewD, array};
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let out = Plan::new([("mask", graph.constant([2, 0]).ne(0))])?.run()?;
    /// let mask: ArrayViewD<bool> = out.view("mask")?;
    /// assert_eq!(mask, array![true, false].into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn view<T: Element>(&self, name: impl Key) -> Result<ArrayViewD<'_, T>, Error> {
        let index = self.find("view", &name)?;
        Ok(self.typed::<T>("view", index)?.view())
    }

    /// A copy of an output as an array of the rank of `D`. To read without a copy
    /// write `.view(name)?.into_dimensionality::<D>()`.
    ///
    /// # Errors
    /// As for [`Outputs::view`], when the output has another rank, and when there is no
    /// memory for the copy.
    ///
    /// ```
    /// use tamis::ndarray::{Array2, Ix1, Ix2, array};
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    /// let out = Plan::new([("y", x * 2.0)])?.run()?;
    /// let y: Array2<f64> = out.array("y")?;
    /// assert_eq!(y[[1, 0]], 6.0);
    /// assert_eq!(out.array::<f64, Ix2>("y")?, array![[2.0, 4.0], [6.0, 8.0]]);
    /// let error = out.array::<f64, Ix1>("y").unwrap_err();
    /// assert!(error.to_string().starts_with("array: output `y` has shape [2, 2] of rank 2, not of rank 1"));
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn array<T: Element, D: Dimension>(&self, name: impl Key) -> Result<Array<T, D>, Error> {
        let index = self.find("array", &name)?;
        let array = self.typed::<T>("array", index)?;
        if let Some(expected) = D::NDIM.filter(|rank| *rank != array.ndim()) {
            let kind =
                ErrorKind::OutputRank { name: self.name(index), expected, shape: array.shape().to_vec() };
            return Err(refusal("array", kind));
        }
        let copied = match copy(array) {
            Ok(copied) => copied,
            Err(kind) => return Err(refusal("array", kind)),
        };
        let typed = copied.into_dimensionality();
        Ok(typed.unwrap_or_else(|error| unreachable!("the rank was compared: {error}")))
    }

    /// Moves an output out, without a copy unless its elements are shared with
    /// another output, a literal of the graph or a feed.
    ///
    /// # Errors
    /// As for [`Outputs::view`], and when there is no memory for a copy.
    #[track_caller]
    pub fn take<T: Element>(&mut self, name: impl Key) -> Result<ArrayD<T>, Error> {
        self.take_by("take", name)
    }

    /// [`Outputs::take`] on behalf of `call`, which its errors name.
    #[track_caller]
    pub(crate) fn take_by<T: Element>(
        &mut self,
        call: &'static str,
        name: impl Key,
    ) -> Result<ArrayD<T>, Error> {
        let index = self.find(call, &name)?;
        let array = self.typed::<T>(call, index)?.clone();
        self.results[index] = Held::Taken;
        match array.try_into_owned_nocopy() {
            Ok(owned) => Ok(exact(owned)),
            Err(shared) => match copy(&shared) {
                Ok(copied) => Ok(copied),
                Err(kind) => Err(refusal(call, kind)),
            },
        }
    }

    /// The only element of an output that has exactly one.
    ///
    /// # Errors
    /// As for [`Outputs::view`], and when the output has another number of elements.
    #[track_caller]
    pub fn scalar<T: Element>(&self, name: impl Key) -> Result<T, Error> {
        let index = self.find("scalar", &name)?;
        let array = self.typed::<T>("scalar", index)?;
        match array.first().filter(|_| array.len() == 1) {
            Some(only) => Ok(*only),
            None => {
                let (name, shape) = (self.name(index), array.shape().to_vec());
                Err(refusal("scalar", ErrorKind::OutputNotScalar { name, shape }))
            }
        }
    }

    /// An output of whatever dtype. The elements are shared.
    ///
    /// # Errors
    /// As for [`Outputs::view`], except that every dtype is accepted.
    #[track_caller]
    pub fn value(&self, name: impl Key) -> Result<Value, Error> {
        let index = self.find("value", &name)?;
        Ok(self.held("value", index)?.clone())
    }

    /// The most bytes that the run held at once, as [`Plan::memory_limit`] counts
    /// them: the results, and what was computed on the way.
    ///
    /// [`Plan::memory_limit`]: crate::Plan::memory_limit
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("y", x.exp() * 2.0)])?;
    /// let out = plan.feed("x", &tamis::ndarray::Array1::<f64>::zeros(100)).run()?;
    /// assert_eq!(out.peak_bytes(), 800);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn peak_bytes(&self) -> usize {
        self.peak
    }

    #[track_caller]
    fn find(&self, call: &'static str, key: &impl Key) -> Result<usize, Error> {
        match self.interface.output(key) {
            Ok(index) => Ok(index),
            Err(kind) => Err(refusal(call, kind)),
        }
    }

    fn name(&self, index: usize) -> String {
        self.interface.outputs[index].name.to_string()
    }

    #[track_caller]
    fn held(&self, call: &'static str, index: usize) -> Result<&Value, Error> {
        let kind = match &self.results[index] {
            Held::Here(value) => return Ok(value),
            Held::Taken => ErrorKind::OutputTaken { name: self.name(index) },
            Held::Written => ErrorKind::OutputWritten { name: self.name(index) },
        };
        Err(refusal(call, kind))
    }

    #[track_caller]
    fn typed<T: Element>(&self, call: &'static str, index: usize) -> Result<&ArcArray<T, IxDyn>, Error> {
        let value = self.held(call, index)?;
        match T::from_value(value) {
            Some(array) => Ok(array),
            None => {
                let (expected, found) = (T::DTYPE, value.dtype());
                Err(refusal(call, ErrorKind::OutputDType { name: self.name(index), expected, found }))
            }
        }
    }
}

/// The error of a call that was made on the outputs, with the caller's line.
#[track_caller]
fn refusal(call: &'static str, kind: ErrorKind) -> Error {
    Report::new(call, kind, None).called_at(Location::caller()).into()
}

/// The array without the memory behind its elements, which was more than they need: the
/// allocation of an earlier run, or the memory that was reserved for a selection.
fn exact<T: Element>(array: ArrayD<T>) -> ArrayD<T> {
    if !array.is_standard_layout() {
        return array;
    }
    let shape = array.raw_dim();
    let len = array.len();
    let (mut elements, offset) = array.into_raw_vec_and_offset();
    elements.drain(..offset.unwrap_or(0));
    elements.truncate(len);
    if elements.capacity() / 2 > len {
        elements.shrink_to_fit();
    }
    let exact = ArrayD::from_shape_vec(shape, elements);
    exact.unwrap_or_else(|error| unreachable!("the length is that of the shape: {error}"))
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
        let values = self.results.drain(..).filter_map(|held| match held {
            Held::Here(value) => Some(value),
            Held::Taken | Held::Written => None,
        });
        self.pool.give_back(values);
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
