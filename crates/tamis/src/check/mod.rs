//! The gradient check: gradients beside differences of the loss, in f64, with
//! an eye on everything that a mask or an op decides on the way.
//!
//! `retype` copies the loss into a graph of f64, `freeze` holds still what differences
//! must not move, `decision` lists what may have a kink, `probe` evaluates near the
//! point, `difference` takes derivatives along a direction, `variable` chooses the
//! directions, `session` goes through all variables and orders, and `report` prints the
//! result.

mod decision;
mod difference;
mod freeze;
mod probe;
mod random;
mod report;
mod retype;
mod session;
#[cfg(test)]
mod tests;
mod variable;

use std::fmt;
use std::panic::Location;

use tamis_exec::{Error, Feed, Plan};
use tamis_graph::{Comparison, Dim, ErrorKind, Expr, Graph, Origin, Shape, Value};

pub use report::{CheckReport, CheckRow, Coverage, Deviation, Kink, Verdict};

pub(crate) use retype::input_name;
use retype::{is_leaf, retype, to_f64};
use session::{Session, attempt};

const OP: &str = "check_gradients";

/// Compares the gradient of `loss` with respect to each of `wrt` with
/// differences of the loss, at the point that is fed.
///
/// The check is made in f64 whatever the graph's dtypes: the loss is copied
/// with every float widened, and the gradient is taken of the copy. Each
/// element of a small variable is moved up and down by steps that shrink until
/// the difference agrees with the gradient; larger variables are moved along
/// random directions. Lengths that depend on the data are fine.
///
/// Finite differences are meaningless where the loss has a kink. Every mask, index and
/// hidden decision (the sign of what `relu` takes, the winner of a `max`) is watched:
/// an element for which one changes however small the step is left out, and reported
/// with the op and its line.
///
/// What was not selected gets exactly 0, and so it is checked: an unselected
/// NaN or infinity does not move the loss. What stands under `stop_gradient` is
/// held still in the differences too.
///
/// # Errors
/// Reported when the loss is not a scalar or not a float, or when one of `wrt` is not a float, is
/// neither an input nor a literal of the graph, or belongs to another graph.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n"]);
/// let w = graph.input::<f32>("w", dims![]);
/// let roots = (x * w).sqrt().boolean_mask(x.gt(0.0));
/// let report = check_gradients(roots.sum(..), [x, w])
///     .feed("x", &array![4.0_f32, -1.0, f32::NAN])
///     .feed("w", 0.5)
///     .second_order()
///     .run()?;
/// assert!(report.passed(), "{report}");
/// # Ok::<(), tamis::Error>(())
/// ```
#[track_caller]
pub fn check_gradients<'g>(loss: Expr<'g>, wrt: impl IntoIterator<Item = Expr<'g>>) -> Check<'g> {
    let wrt: Vec<Expr<'g>> = wrt.into_iter().collect();
    let graph = loss.graph();
    let errors =
        error_of_loss(loss).into_iter().chain(wrt.iter().filter_map(|x| error_of_variable(graph, *x)));
    let none = wrt.is_empty().then_some(ErrorKind::NoOperands);
    for kind in errors.chain(none).collect::<Vec<_>>() {
        let _poisoned = graph.report(OP, kind);
    }
    Check {
        loss,
        wrt,
        gradients: None,
        feeds: Vec::new(),
        settings: Settings { second_order: false, tolerance: 1e-6, seed: 0, full_up_to: 256 },
        progress: Box::new(|_, _| {}),
        origin: Origin { location: Location::caller(), forward: None, builder: None },
    }
}

/// A gradient check that is being prepared: feed its inputs, then call [`Check::run`].
#[must_use = "no check is made before `run` is called"]
pub struct Check<'g> {
    loss: Expr<'g>,
    wrt: Vec<Expr<'g>>,
    gradients: Option<Vec<Expr<'g>>>,
    feeds: Vec<(String, Result<Value, Error>)>,
    settings: Settings,
    progress: Box<dyn FnMut(usize, usize) + 'g>,
    origin: Origin,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    second_order: bool,
    tolerance: f64,
    seed: u64,
    full_up_to: usize,
}

impl<'g> Check<'g> {
    /// Gives the input `name` its value: see [`Feed`] for what is accepted.
    ///
    /// An error is reported by [`Check::run`].
    #[track_caller]
    pub fn feed<'a>(mut self, name: &str, value: impl Feed<'a>) -> Check<'g> {
        let value = fed(self.loss.graph(), name, value);
        self.feeds.push((name.to_owned(), value));
        self
    }

    /// Also checks the second derivative: the gradient of the sum of all
    /// gradients, each times a random vector, beside differences of that sum.
    pub fn second_order(mut self) -> Check<'g> {
        self.settings.second_order = true;
        self
    }

    /// Checks these expressions, one for each variable, instead of what
    /// [`grad`](crate::grad) gives: a gradient written by hand.
    ///
    /// # Errors
    /// Reported when there are not as many as variables, when one is not a float, or when a shape
    /// provably differs from its variable's; one that turns out to differ is an error of the run.
    ///
    /// ```
    /// use tamis::ndarray::array;
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let check = check_gradients(x.square().sum(..), [x]).gradients([x * 3.0]);
    /// let report = check.feed("x", &array![0.0, 2.0]).run()?;
    /// assert!(!report.passed());
    /// let worst = report.rows()[0].worst().unwrap();
    /// assert_eq!(worst.to_string(), "at [1]: analytic 6, numeric 4");
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn gradients(mut self, gradients: impl IntoIterator<Item = Expr<'g>>) -> Check<'g> {
        let gradients: Vec<Expr<'g>> = gradients.into_iter().collect();
        let graph = self.loss.graph();
        if gradients.len() != self.wrt.len() {
            let (left, right) = (Shape::from(&[self.wrt.len()][..]), Shape::from(&[gradients.len()][..]));
            let reason = "there must be one gradient for each variable";
            let _poisoned = graph.report(OP, ErrorKind::ShapeMismatch { left, right, reason });
        }
        for (x, gradient) in self.wrt.iter().zip(&gradients) {
            if let Some(kind) = error_of_gradient(*x, *gradient) {
                let _poisoned = graph.report(OP, kind);
            }
        }
        self.gradients = Some(gradients);
        self
    }

    /// The relative error that is accepted; 10⁻⁶ if not said otherwise.
    ///
    /// Derivatives far below 1 and far below the largest one are compared
    /// absolutely: by 10⁻⁴, or a thousandth of the largest, times this.
    pub fn tolerance(mut self, tolerance: f64) -> Check<'g> {
        // NaN would pass everything.
        self.settings.tolerance = tolerance.max(0.0);
        self
    }

    /// The seed of the random directions and vectors; 0 if not said otherwise.
    pub fn seed(mut self, seed: u64) -> Check<'g> {
        self.settings.seed = seed;
        self
    }

    /// Up to how many elements a variable is checked element by element; 256
    /// if not said otherwise. A larger one is checked along 24 random
    /// directions, and where one of them fails, the element is searched for.
    pub fn full_up_to(mut self, elements: usize) -> Check<'g> {
        self.settings.full_up_to = elements;
        self
    }

    /// Has `progress` called after each comparison with the number done and of all.
    pub fn on_progress(mut self, progress: impl FnMut(usize, usize) + 'g) -> Check<'g> {
        self.progress = Box::new(progress);
        self
    }

    /// Makes the check.
    ///
    /// # Errors
    /// Every error made while building the graph, with those of the check itself; a
    /// feed that does not fit, inputs missing or unknown; whatever goes wrong in a run
    /// at the point. A gradient that is wrong is no error, but stands in the report.
    #[track_caller]
    pub fn run(self) -> Result<CheckReport, Error> {
        let call = Location::caller();
        let Check { loss, wrt, gradients, feeds, settings, mut progress, origin } = self;
        let given = gradients.iter().flatten().chain(&wrt).chain([&loss]).copied();
        loss.graph().check_exprs(given)?;
        let feeds = feeds.into_iter().map(|(name, value)| Ok((name, to_f64(&value?))));
        let feeds = feeds.collect::<Result<Vec<_>, Error>>()?;
        let graph = Graph::new();
        let copy = || retype(loss, &wrt, gradients.as_deref(), &graph);
        let retyped = attempt(&graph, origin, || graph.with_origin(origin, copy))?;
        let session = Session::new(&graph, origin, settings, retyped, &mut *progress);
        let rows = session.check(feeds).map_err(|error| error.called_at(call))?;
        Ok(CheckReport { rows, seed: settings.seed, tolerance: settings.tolerance })
    }
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check by {:?}, {} inputs fed", self.wrt, self.feeds.len())
    }
}

/// What the input `name` takes from a feed, which a plan of that input alone finds out.
#[track_caller]
pub(crate) fn fed<'a>(graph: &Graph, name: &str, value: impl Feed<'a>) -> Result<Value, Error> {
    let Some(id) = graph.inputs().get(name).copied() else {
        // Fed all the same, so that the plan of the loss reports the name.
        return Ok(Value::from(ndarray::arr0(0.0).into_dyn()));
    };
    Plan::new([("value", graph.expr(id))])?.feed(name, value).run()?.value("value")
}

pub(crate) fn error_of_loss(loss: Expr<'_>) -> Option<ErrorKind> {
    let (dtype, shape) = (loss.dtype(), loss.shape());
    // What is poisoned has been reported.
    if loss.is_poisoned() {
        return None;
    }
    if !dtype.is_float() {
        return Some(ErrorKind::NotDifferentiable { role: "the loss", dtype, shape });
    }
    (!shape.is_empty()).then_some(ErrorKind::NotScalar { shape })
}

pub(crate) fn error_of_variable(graph: &Graph, x: Expr<'_>) -> Option<ErrorKind> {
    let (dtype, shape) = (x.dtype(), x.shape());
    if !std::ptr::eq(graph, x.graph()) {
        return Some(ErrorKind::MixedGraphs);
    }
    if x.is_poisoned() {
        return None;
    }
    if !dtype.is_float() {
        return Some(ErrorKind::NotDifferentiable { role: "an expression to check by", dtype, shape });
    }
    let expected = "gradients are checked by inputs and literals, whose values can be moved";
    (!is_leaf(&x.node()) && !x.is_poisoned()).then_some(ErrorKind::DType { dtype, shape, expected })
}

fn error_of_gradient(x: Expr<'_>, gradient: Expr<'_>) -> Option<ErrorKind> {
    if !std::ptr::eq(x.graph(), gradient.graph()) {
        return Some(ErrorKind::MixedGraphs);
    }
    let (left, right) = (x.shape(), gradient.shape());
    if !gradient.dtype().is_float() {
        let dtype = gradient.dtype();
        return Some(ErrorKind::NotDifferentiable { role: "a gradient to check", dtype, shape: right });
    }
    let differs = |(a, b): (&Dim, &Dim)| a.compare(b) == Comparison::Different;
    let fits = left.len() == right.len() && !left.iter().zip(right.iter()).any(differs);
    let reason = "a gradient must have the shape of its variable";
    (!fits && !gradient.is_poisoned()).then_some(ErrorKind::ShapeMismatch { left, right, reason })
}
