//! The handle by which users hold an expression. Does not depend on ops: each family adds
//! its builders.

use std::fmt;
use std::sync::Arc;

use crate::axis::Axis;
use crate::dim::{Comparison, Dim};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::graph::Graph;
use crate::node::{Node, NodeId};
use crate::op::{Layout, Op, Source};
use crate::shape::Shape;

/// A lazy tensor: one expression of a [`Graph`]. Copy it freely.
///
/// `+ - * / %` and unary `-` work with expressions and Rust scalars; masks
/// combine with `& | ^ !`; comparisons are methods that give masks:
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([0.5, 2.0]);
/// let y = where_(x.lt(1.0) & !x.is_nan(), (1.0 - x).ln(), -2 * &x);
/// assert_eq!(y.eval::<f64>()?, tamis::ndarray::arr1(&[-(2.0_f64.ln()), -4.0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
///
/// `+=` assigns a new expression to a variable. [`Graph::sum_of`] adds up a list:
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let mut loss = graph.scalar(0.0);
/// for x in [graph.constant([1.0, 2.0]), graph.constant([3.0])] {
///     loss += x.square().sum(..);
/// }
/// assert_eq!(loss.eval::<f64>()?, tamis::ndarray::arr0(14.0).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
///
/// # Functions of expressions
/// A function names the lifetime of the graph once, for what it takes and what
/// it gives. A closure leaves it to the compiler: write no type for the
/// argument, and call a method by its path where the type is needed:
///
/// ```
/// use tamis::prelude::*;
///
/// fn swish<'g>(x: Expr<'g>) -> Expr<'g> {
///     x * x.sigmoid()
/// }
/// fn stack<'g>(x: Expr<'g>, layers: &[&dyn Fn(Expr<'g>) -> Expr<'g>]) -> Expr<'g> {
///     layers.iter().fold(x, |x, layer| layer(x))
/// }
/// fn twice<'g>(x: Expr<'g>, f: impl Fn(Expr<'g>) -> Expr<'g>) -> Expr<'g> {
///     f(f(x))
/// }
///
/// let graph = Graph::new();
/// let x = graph.constant([0.0, 2.0]);
/// let scale = graph.scalar(10.0);
/// let scaled = |x| Expr::relu(x) * scale; // not `|x| x.relu() * scale`: its type is not known yet
/// let y = twice(stack(x, &[&swish, &scaled]), |x| x.abs() + 1.0); // known from `twice`
/// assert_eq!(y.dtype(), tamis::DType::F64);
/// # let expected = 2.0 + 20.0 / (1.0 + (-2.0_f64).exp());
/// # assert!((y.eval::<f64>()?[1] - expected).abs() < 1e-12);
/// # Ok::<(), tamis::Error>(())
/// ```
///
/// With `Expr<'_>` written at the argument, the compiler takes the lifetime of the
/// result for another one:
///
/// ```compile_fail
/// use tamis::prelude::*;
/// let square = |x: Expr<'_>| x * x; // lifetime may not live long enough
/// ```
///
/// # What there is not
/// There is no
/// `==` and no `if` on expressions:
///
/// ```compile_fail
/// use tamis::prelude::*;
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", [3]);
/// let y = graph.input::<f32>("y", [3]);
/// let same: bool = x == y; // no `PartialEq`: write `x.eq(y)`
/// ```
///
/// ```compile_fail
/// use tamis::prelude::*;
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", [3]);
/// let mask = x > 0.0; // no `PartialOrd`: write `x.gt(0.0)`
/// ```
///
/// ```compile_fail
/// use tamis::prelude::*;
/// let graph = Graph::new();
/// let mask = graph.input::<bool>("mask", [3]);
/// if mask {} // a mask has no truth value: use `where_` or `boolean_mask`
/// ```
#[derive(Clone, Copy)]
#[must_use = "operations return a new expression"]
pub struct Expr<'g> {
    graph: &'g Graph,
    id: NodeId,
}

impl<'g> Expr<'g> {
    pub(crate) fn new(graph: &'g Graph, id: NodeId) -> Expr<'g> {
        Expr { graph, id }
    }

    /// The graph that the expression belongs to.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// The identity of the expression, for storage; [`Graph::expr`] gives it back.
    pub fn id(self) -> NodeId {
        self.id
    }

    /// The node behind the handle.
    pub fn node(self) -> Arc<Node> {
        self.graph.node(self.id)
    }

    /// The dtype of the elements.
    pub fn dtype(self) -> DType {
        self.node().dtype
    }

    /// The lengths of the axes, as far as they are known at build time.
    pub fn shape(self) -> Shape {
        self.node().shape.clone()
    }

    /// The number of axes.
    pub fn rank(self) -> usize {
        self.node().shape.rank()
    }

    /// The length of an axis, counted from the end if negative. It is accepted
    /// wherever sizes are; an axis out of range is reported as an error, and poisons
    /// what is built with the length.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", dims!["n", 3]);
    /// assert_eq!(x.dim(0).to_string(), "n");
    /// assert_eq!(x.dim(-1).known(), Some(3));
    /// ```
    #[track_caller]
    pub fn dim(self, axis: impl Into<Axis>) -> Dim {
        let axis = axis.into();
        let shape = self.shape();
        match shape.axis(axis) {
            Ok(axis) => shape[axis].clone(),
            Err(kind) => {
                let poisoned = self.graph.build("dim", &[self], || Err(kind));
                Dim::count(poisoned.id)
            }
        }
    }

    /// Whether an error was made in building the expression or what it is built on;
    /// [`Graph::error_of`] says which.
    pub fn is_poisoned(self) -> bool {
        self.node().op == Op::Source(Source::Poison)
    }

    /// The same expression, called `name` in errors, in the printed graph and in DOT.
    /// An input is still fed by the name that it was declared with.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// let kept = x.gt(0.0).named("kept");
    /// assert_eq!(graph.describe(x.boolean_mask(kept).id()), "boolean_mask(x, kept)");
    /// ```
    pub fn named(self, name: &str) -> Expr<'g> {
        self.graph.set_name(self.id, name);
        self
    }

    /// [`Graph::build`] on the graph of this expression.
    #[track_caller]
    pub(crate) fn build(
        self,
        op: &'static str,
        others: &[Expr<'g>],
        f: impl FnOnce() -> Result<Expr<'g>, ErrorKind>,
    ) -> Expr<'g> {
        self.graph.build(op, &self.before(others), f)
    }

    fn before(self, others: &[Expr<'g>]) -> smallvec::SmallVec<[Expr<'g>; 4]> {
        [self].iter().chain(others).copied().collect()
    }

    pub(crate) fn apply(self, op: impl Into<Op>) -> Result<Expr<'g>, ErrorKind> {
        self.graph.try_apply(op, &[self])
    }

    /// What `op` makes of this tensor and its axis. A tensor of rank 0 is one
    /// element along axis 0 to it, and of rank 0 again afterwards.
    pub(crate) fn along_axis(
        self,
        axis: Axis,
        op: impl FnOnce(Expr<'g>, usize) -> Result<Expr<'g>, ErrorKind>,
    ) -> Result<Expr<'g>, ErrorKind> {
        let index = self.shape().axis_or_element(axis)?;
        let x = self.at_least_one_axis()?;
        let y = op(x, index)?;
        if self.rank() == 0 { y.apply(Layout::Reshape(Shape::default())) } else { Ok(y) }
    }

    /// The tensor; of rank 0 as `[1]`.
    pub(crate) fn at_least_one_axis(self) -> Result<Expr<'g>, ErrorKind> {
        let row = || self.apply(Layout::Reshape([Dim::ONE].into_iter().collect()));
        if self.rank() == 0 { row() } else { Ok(self) }
    }

    pub(crate) fn min_id(self, other: Expr<'g>) -> Expr<'g> {
        if self.id <= other.id { self } else { other }
    }

    pub(crate) fn max_id(self, other: Expr<'g>) -> Expr<'g> {
        if self.id <= other.id { other } else { self }
    }

    /// The same values under `shape`, whose lengths a run checks to be equal
    /// to those of this expression. `op` is the builder that needs it, and
    /// `is_second` says whether the lengths are those of an operand before this one.
    pub(crate) fn guard(
        self,
        op: &'static str,
        shape: Shape,
        is_second: bool,
    ) -> Result<Expr<'g>, ErrorKind> {
        self.apply(Layout::Guard { shape, op, is_second })
    }

    /// The same values with the given axes' lengths unified with `dims`, which
    /// follow from operands behind this one: proved, refuted, or left to a guard.
    pub(crate) fn unify(
        self,
        op: &'static str,
        dims: impl IntoIterator<Item = (usize, Dim)>,
        mismatch: impl Fn() -> ErrorKind,
    ) -> Result<Expr<'g>, ErrorKind> {
        self.unify_as(op, false, dims, mismatch)
    }

    /// [`Expr::unify`] with lengths of an operand that was written before this one.
    pub(crate) fn unify_second(
        self,
        op: &'static str,
        dims: impl IntoIterator<Item = (usize, Dim)>,
        mismatch: impl Fn() -> ErrorKind,
    ) -> Result<Expr<'g>, ErrorKind> {
        self.unify_as(op, true, dims, mismatch)
    }

    pub(crate) fn unify_as(
        self,
        op: &'static str,
        is_second: bool,
        dims: impl IntoIterator<Item = (usize, Dim)>,
        mismatch: impl Fn() -> ErrorKind,
    ) -> Result<Expr<'g>, ErrorKind> {
        let mut shape = self.shape();
        for (axis, dim) in dims {
            match shape[axis].compare(&dim) {
                Comparison::Equal => {}
                Comparison::Different => return Err(mismatch()),
                Comparison::Unknown => shape = shape.with(axis, dim),
            }
        }
        self.guard(op, shape, is_second)
    }
}

/// Prints the id, dtype and shape: `%3: f32[n, 3]`.
impl fmt::Display for Expr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node();
        write!(f, "{}: {}{}", self.id, node.dtype, node.shape)
    }
}

impl fmt::Debug for Expr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
