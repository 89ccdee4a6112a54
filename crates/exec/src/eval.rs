//! The short way from an expression to its value.

use ndarray::ArrayD;
use tamis_graph::{Element, Expr};

use crate::error::Error;
use crate::plan::Plan;

/// Evaluation of an expression that needs no inputs.
pub trait Eval {
    /// The value of the expression, by a plan made and run for it alone.
    ///
    /// # Errors
    /// Every error made while building the graph; an input that the expression depends on, since an
    /// input is not fed; a dtype other than `T`; whatever goes wrong in the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3.0, -1.0, 2.0]);
    /// assert_eq!(x.boolean_mask(x.gt(0.0)).eval::<f64>()?, tamis::ndarray::arr1(&[3.0, 2.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    fn eval<T: Element>(self) -> Result<ArrayD<T>, Error>;
}

impl Eval for Expr<'_> {
    #[track_caller]
    fn eval<T: Element>(self) -> Result<ArrayD<T>, Error> {
        Plan::new([("value", self)])?.run()?.take_by("eval", "value")
    }
}
