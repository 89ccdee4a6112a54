//! A run that is bound once and run many times. Does not depend on ops.

use std::fmt;
use std::panic::Location;

use ndarray::{ArrayView, Dimension};
use tamis_graph::Element;

use super::{Feeding, Offer, Run};
use crate::error::{Error, Report};
use crate::feed::{Fed, Feed, assign, copied, unpack};
use crate::interface::Key;
use crate::outputs::Outputs;

/// A [`Run`] that is bound once and run many times: see [`Run::reusable`].
///
/// Feeds stay bound until they are replaced, and may have other lengths then. Runs of one plan on
/// several threads each take a reusable run of their own.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f64>("x", dims!["n"]);
/// let scale = graph.input::<f64>("scale", dims![]);
/// let plan = Plan::new([("sum", (x * scale).sum(..))])?;
/// let mut run = plan.feed("x", [0.0, 0.0]).feed("scale", 2.0).reusable()?;
/// for i in 0..3 {
///     let x = array![1.0, f64::from(i)];
///     let out = run.assign("x", x.view())?.run()?;
///     assert_eq!(out.scalar::<f64>("sum")?, 2.0 * (1.0 + f64::from(i)));
/// }
/// assert_eq!(run.feed("scale", 0.5)?.run()?.scalar::<f64>("sum")?, 1.5);
/// # Ok::<(), tamis::Error>(())
/// ```
pub struct ReusableRun<'p, 'a> {
    run: Run<'p, 'a>,
    /// The results of the last run.
    outputs: Option<Outputs>,
}

impl<'p, 'a> Run<'p, 'a> {
    /// The run as one that can be run many times, its feeds replaced in between.
    ///
    /// # Errors
    /// Names that the plan does not have, inputs that are fed twice, and outputs that are written
    /// twice. All else is reported by [`ReusableRun::run`].
    ///
    /// ```
    /// use tamis::ndarray::array;
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let w = graph.input::<f64>("w", dims!["n"]);
    /// let plan = Plan::new([("w", w - 0.5 * w)])?;
    /// let mut weights = array![2.0, 4.0];
    /// let mut step = plan.update("w", weights.view_mut()).reusable()?;
    /// for _ in 0..2 {
    ///     step.run()?;
    /// }
    /// drop(step); // The weights are borrowed until here.
    /// assert_eq!(weights, array![0.5, 1.0]);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn reusable(self) -> Result<ReusableRun<'p, 'a>, Error> {
        if self.reports.is_empty() {
            return Ok(ReusableRun { run: self, outputs: None });
        }
        Err(Error::new(self.reports))
    }
}

impl<'a> ReusableRun<'_, 'a> {
    /// Gives the input `name` another value, which takes the place of what it was fed before. The
    /// memory of a [`Run::update`] is only written from then on.
    ///
    /// # Errors
    /// When the plan has no such input. A wrong dtype or shape is reported by
    /// [`ReusableRun::run`].
    #[track_caller]
    pub fn feed(&mut self, name: impl Key, value: impl Feed<'a>) -> Result<&mut Self, Error> {
        let input = self.input("feed", &name)?;
        self.offer(input, unpack(value));
        Ok(self)
    }

    /// Copies `elements` to memory of the run's own that the input `name` is read from. From the
    /// second time on nothing is allocated, unless they have another shape.
    ///
    /// # Errors
    /// As for [`ReusableRun::feed`].
    #[track_caller]
    pub fn assign<T: Element, D: Dimension>(
        &mut self,
        name: impl Key,
        elements: ArrayView<'_, T, D>,
    ) -> Result<&mut Self, Error> {
        let input = self.input("assign", &name)?;
        let elements = T::into_view(elements.into_dyn());
        let is_assigned = match &mut self.run.feeds[input] {
            Some(Feeding { offer: Offer::Fed(Fed::Owned(own)), .. }) => assign(own, &elements),
            Some(_) | None => false,
        };
        if !is_assigned {
            self.offer(input, Fed::Owned(copied(&elements)));
        }
        Ok(self)
    }

    /// Evaluates the plan. The results are those of this run until the next one begins; results
    /// that have memory of the caller's are written there.
    ///
    /// # Errors
    /// As for [`Run::run`], each time. After an error the run can be fed and run again.
    #[track_caller]
    pub fn run(&mut self) -> Result<&Outputs, Error> {
        // Their memory is free for the results of this run.
        self.outputs = None;
        let outputs = self.run.evaluate(Location::caller())?;
        Ok(self.outputs.insert(outputs))
    }

    #[track_caller]
    fn input(&self, call: &'static str, name: &impl Key) -> Result<usize, Error> {
        let line = Location::caller();
        let input = self.run.plan.interface.input(name);
        input.map_err(|kind| Report::new(call, kind, None).called_at(line).into())
    }

    #[track_caller]
    fn offer(&mut self, input: usize, fed: Fed<'a>) {
        self.run.feeds[input] = Some(Feeding { offer: Offer::Fed(fed), call: Location::caller() });
    }
}

impl fmt::Debug for ReusableRun<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reusable {:?}", self.run)
    }
}
