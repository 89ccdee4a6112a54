//! The graph: storage, hash-consing, source locations and deferred errors. Does not
//! depend on ops by name, except where a count has a canonical form.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use foldhash::HashMap;
use foldhash::fast::FixedState;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use smallvec::SmallVec;

use crate::dim::{Dim, Symbol};
use crate::error::{Error, ErrorKind, Report};
use crate::expr::Expr;
use crate::node::{Node, NodeId, Origin};
use crate::node_map::NodeMap;
use crate::op::{Op, Source, Type};
use crate::shape::Shape;
use crate::steps;

/// Why one node needs another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// It is the operand at this position.
    Operand(u32),
    /// It is the mask of a count among the sizes.
    Size,
}

/// A tensor computation that grows as expressions are built, and is evaluated by a plan.
///
/// Building never fails: an error is remembered with its source line, what is built on
/// it is ignored, and [`Graph::check`] or a plan reports all errors together.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n", 3]);
/// let kept = x.boolean_mask(x.slice_axis(0, 1).gt(0.5));
/// assert_eq!(kept.shape().to_string(), "[count(%4), 3]");
/// assert!(graph.check().is_ok());
/// ```
pub struct Graph {
    id: u32,
    storage: RefCell<Storage>,
    scope: Cell<Option<Scope>>,
}

#[derive(Default)]
struct Storage {
    nodes: DiGraph<Arc<Node>, Edge>,
    /// Nodes by the hash of op, operands, dtype and shape; one of several of the same
    /// hash by the first number after it that is free.
    interned: HashMap<u64, NodeIndex>,
    inputs: BTreeMap<Arc<str>, NodeId>,
    names: NodeMap<Arc<str>>,
    /// Whether the user holds a node, by its index; false beyond the end.
    held: Vec<bool>,
    /// Every error of building, in the order in which they were made.
    reports: Vec<Report>,
    /// How many of the reports [`Graph::take_errors`] has taken out: the first ones.
    taken: usize,
    /// Which report each poisoned expression comes from.
    causes: HashMap<NodeId, usize>,
    searches: Searches,
}

/// Which nodes searches have found. A search costs as much as it finds, however large
/// the graph is, since marks are not erased before the next one.
#[derive(Default)]
struct Searches {
    /// For each node the last search that found it.
    found_by: Vec<u32>,
    current: u32,
}

impl Searches {
    /// Starts another search among `count` nodes.
    fn begin(&mut self, count: usize) {
        if self.current == u32::MAX {
            *self = Searches::default();
        }
        self.current += 1;
        self.found_by.resize(count.max(self.found_by.len()), 0);
    }

    /// Whether the search has not found this node before; from now on it has.
    fn is_first(&mut self, index: usize) -> bool {
        std::mem::replace(&mut self.found_by[index], self.current) != self.current
    }
}

impl Storage {
    fn owns(&self, graph: u32, id: NodeId) -> bool {
        id.graph == graph && id.index() < self.nodes.node_count()
    }

    /// The node that is the same as `node`, whose hash is given, or else the key by
    /// which `node` is to be found from now on.
    fn find(&self, hash: u64, node: &Node) -> Result<NodeIndex, u64> {
        let same = |other: &Node| {
            steps::add(1);
            other.op == node.op
                && other.operands == node.operands
                && other.dtype == node.dtype
                && other.shape == node.shape
        };
        let mut key = hash;
        while let Some(index) = self.interned.get(&key) {
            if same(&self.nodes[*index]) {
                return Ok(*index);
            }
            key = key.wrapping_add(1);
        }
        Err(key)
    }
}

/// The call of the user's that is being carried out: builders made of builders share
/// its line, and report at most one error.
#[derive(Clone, Copy)]
struct Scope {
    op: Option<&'static str>,
    origin: Origin,
    /// The report of the call's error, by its index.
    reported: Option<usize>,
    /// Whether the float literals of this call are written by the user, each a
    /// variable of its own.
    writes_literals: bool,
}

impl Default for Graph {
    fn default() -> Graph {
        Graph::new()
    }
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Graph {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Graph {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            storage: RefCell::default(),
            scope: Cell::new(None),
        }
    }

    /// The number of expressions in the graph.
    pub fn len(&self) -> usize {
        self.storage.borrow().nodes.node_count()
    }

    /// Whether the graph is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every error reported so far, in the order of the source.
    ///
    /// # Errors
    /// When there is at least one.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [2, 3]);
    /// let y = graph.input::<f32>("y", [4]);
    /// let _sum = x + y;
    /// let error = graph.check().unwrap_err();
    /// assert!(error.to_string().starts_with("add: shapes [2, 3] and [4] do not broadcast (built at"));
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        let storage = self.storage.borrow();
        Error::new(&storage.reports[storage.taken..]).map_or(Ok(()), Err)
    }

    /// [`Graph::check`], and the errors that `exprs` are poisoned by, even those
    /// that [`Graph::take_errors`] has taken out.
    ///
    /// # Errors
    /// When there is at least one.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// let wrong = x.sum(1);
    /// let _ = graph.take_errors();
    /// assert!(graph.check_exprs([x]).is_ok());
    /// assert_eq!(graph.check_exprs([x, wrong]).unwrap_err().reports()[0].op(), "sum");
    /// ```
    pub fn check_exprs<'g>(&self, exprs: impl IntoIterator<Item = Expr<'g>>) -> Result<(), Error> {
        let poisoned = exprs.into_iter().filter_map(|expr| expr.graph().error_of(expr.id()));
        self.check_reports(poisoned.collect())
    }

    fn check_reports(&self, mut reports: Vec<Report>) -> Result<(), Error> {
        let storage = self.storage.borrow();
        reports.extend_from_slice(&storage.reports[storage.taken..]);
        Error::new(&reports).map_or(Ok(()), Err)
    }

    /// Takes out the errors reported so far, so that a graph that lives long can be used further:
    /// expressions without errors can be planned again. What an error has poisoned stays poisoned:
    /// a plan of it reports the error, with its original line. `None` if there is no error.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0]);
    /// let wrong = x.sum(1);
    /// assert!(x.sum(0).eval::<f64>().is_err()); // the graph has an error
    /// let error = graph.take_errors().unwrap();
    /// assert!(error.to_string().starts_with("sum: axis 1 is out of range for shape [2] of rank 1"));
    /// assert_eq!(x.sum(0).eval::<f64>()?, tamis::ndarray::arr0(3.0).into_dyn());
    /// assert_eq!(wrong.eval::<f64>().unwrap_err().to_string(), error.to_string());
    /// assert!(graph.take_errors().is_none());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn take_errors(&self) -> Option<Error> {
        let mut storage = self.storage.borrow_mut();
        let error = Error::new(&storage.reports[storage.taken..]);
        storage.taken = storage.reports.len();
        error
    }

    /// The error that an expression is poisoned by; `None` if it is not, or belongs to another graph.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// let wrong = x.sum(1).exp();
    /// assert_eq!(graph.error_of(wrong.id()).unwrap().op(), "sum");
    /// assert!(graph.error_of(x.id()).is_none());
    /// ```
    pub fn error_of(&self, id: NodeId) -> Option<Report> {
        let storage = self.storage.borrow();
        storage.causes.get(&id).map(|report| storage.reports[*report].clone())
    }

    /// The expression with this id. An id of another graph is an error to be reported.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// assert_eq!(graph.expr(x.id()).to_string(), x.to_string());
    /// let _foreign = Graph::new().expr(x.id()); // poisoned, and reported by the other graph
    /// assert!(graph.check().is_ok());
    /// ```
    #[track_caller]
    pub fn expr(&self, id: NodeId) -> Expr<'_> {
        self.build("expr", &[], || {
            if self.owns(id) { Ok(Expr::new(self, id)) } else { Err(ErrorKind::MixedGraphs) }
        })
    }

    /// The node with this id; for an id of another graph a poisoned one.
    pub fn node(&self, id: NodeId) -> Arc<Node> {
        if !self.owns(id) {
            return Arc::new(Node::foreign(id));
        }
        steps::add(1);
        self.storage.borrow().nodes[NodeIndex::new(id.index())].clone()
    }

    pub(crate) fn owns(&self, id: NodeId) -> bool {
        self.storage.borrow().owns(self.id, id)
    }

    fn id_of(&self, index: NodeIndex) -> NodeId {
        NodeId { graph: self.id, index: index.index() as u32 }
    }

    /// All ids, operands before what is built on them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        let graph = self.id;
        (0..self.len() as u32).map(move |index| NodeId { graph, index })
    }

    /// Marks an expression as held by the user, who may ask for a gradient with respect to it: what
    /// is built on it from now on keeps it as an operand. What a user's call builds is held anyway;
    /// this is for crates that hand expressions to users, as gradients are.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", [4]);
    /// let square = graph.with_origin(x.node().origin(), || x.reshape([2, 2])); // as a gradient builds it
    /// graph.hold(square.id());
    /// let row = graph.with_origin(x.node().origin(), || square.reshape([1, 4]));
    /// assert_eq!(row.node().operands(), [square.id()]); // and not `x`
    /// ```
    pub fn hold(&self, id: NodeId) {
        let mut storage = self.storage.borrow_mut();
        if storage.owns(self.id, id) {
            let count = storage.held.len().max(id.index() + 1);
            storage.held.resize(count, false);
            storage.held[id.index()] = true;
        }
    }

    /// Whether the user holds an expression: see [`Graph::hold`].
    pub(crate) fn is_held(&self, id: NodeId) -> bool {
        self.storage.borrow().held.get(id.index()).copied().unwrap_or(false)
    }

    /// The inputs by name.
    pub fn inputs(&self) -> BTreeMap<Arc<str>, NodeId> {
        self.storage.borrow().inputs.clone()
    }

    /// The name given by [`Expr::named`], if any; none for an id of another graph.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let total = graph.input::<f64>("x", [2]).sum(..).named("total");
    /// assert_eq!(graph.name(total.id()).as_deref(), Some("total"));
    /// assert_eq!(Graph::new().name(total.id()), None);
    /// ```
    pub fn name(&self, id: NodeId) -> Option<Arc<str>> {
        if self.owns(id) { self.storage.borrow().names.get(id).cloned() } else { None }
    }

    pub(crate) fn set_name(&self, id: NodeId, name: &str) {
        self.storage.borrow_mut().names.insert(id, name.into());
    }

    /// Everything that `roots` are computed from, themselves included, in id order: their operands,
    /// and the masks whose counts are in their sizes. Ids of another graph are passed over.
    pub fn ancestors(&self, roots: &[NodeId]) -> Vec<NodeId> {
        let mut storage = self.storage.borrow_mut();
        let Storage { nodes, searches, .. } = &mut *storage;
        searches.begin(nodes.node_count());
        let mut found: Vec<NodeId> = Vec::new();
        let is_own = |root: &NodeId| root.graph == self.id && root.index() < nodes.node_count();
        found.extend(roots.iter().copied().filter(|root| is_own(root) && searches.is_first(root.index())));
        let mut next = 0;
        while let Some(id) = found.get(next) {
            next += 1;
            steps::add(1);
            let needed = nodes.neighbors_directed(NodeIndex::new(id.index()), Direction::Incoming);
            found.extend(
                needed.filter(|index| searches.is_first(index.index())).map(|index| self.id_of(index)),
            );
        }
        found.sort_unstable();
        found
    }

    /// The ids of what is built directly on this expression, in descending
    /// order; none for an id of another graph.
    pub fn users(&self, id: NodeId) -> Vec<NodeId> {
        let storage = self.storage.borrow();
        if !storage.owns(self.id, id) {
            return Vec::new();
        }
        let users = storage.nodes.neighbors_directed(NodeIndex::new(id.index()), Direction::Outgoing);
        let mut users: Vec<_> = users.map(|index| self.id_of(index)).collect();
        users.sort_unstable_by(|a, b| b.cmp(a));
        users.dedup();
        users
    }

    /// Carries out one call of the user's. `f` may call other builders: they share the
    /// line and the op's name. No node is built on a poisoned operand.
    #[track_caller]
    pub(crate) fn build<'g>(
        &'g self,
        op: &'static str,
        operands: &[Expr<'g>],
        f: impl FnOnce() -> Result<Expr<'g>, ErrorKind>,
    ) -> Expr<'g> {
        let mut f = Some(f);
        self.build_once(op, operands, &mut || match f.take() {
            Some(f) => f(),
            None => unreachable!("a builder runs once"),
        })
    }

    /// [`Graph::build`], compiled once and not once for each builder.
    #[track_caller]
    fn build_once<'g>(
        &'g self,
        op: &'static str,
        operands: &[Expr<'g>],
        f: &mut dyn FnMut() -> Result<Expr<'g>, ErrorKind>,
    ) -> Expr<'g> {
        let scope = match self.scope.get() {
            Some(scope) if scope.op.is_some() => scope,
            Some(scope) => Scope { op: Some(op), ..scope },
            None => {
                let origin = Origin::new(Location::caller(), Some(op));
                Scope { op: Some(op), origin, reported: None, writes_literals: true }
            }
        };
        self.in_scope(scope, || {
            if operands.iter().any(|operand| !self.owns(operand.id())) {
                return self.poison(ErrorKind::MixedGraphs, &[]);
            }
            match operands.iter().find(|operand| operand.is_poisoned()) {
                Some(poisoned) => *poisoned,
                None => f().unwrap_or_else(|kind| self.poison(kind, operands)),
            }
        })
    }

    fn in_scope<R>(&self, scope: Scope, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a Cell<Option<Scope>>, Option<Scope>);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                // What the inner call reported counts for the outer one of the same name.
                let reported = self.0.get().and_then(|scope| scope.reported);
                let same_call = |outer: &Scope| outer.op.is_some();
                let outer = self.1.map(|outer| Scope {
                    reported: outer.reported.or(reported.filter(|_| same_call(&outer))),
                    ..outer
                });
                self.0.set(outer);
            }
        }
        let _restore = Restore(&self.scope, self.scope.replace(Some(scope)));
        f()
    }

    /// Runs `f` with everything it builds attributed to `origin`: gradients
    /// carry the line that asked for them and the line they differentiate.
    pub fn with_origin<R>(&self, origin: Origin, f: impl FnOnce() -> R) -> R {
        self.attributed(origin, false, f)
    }

    /// [`Graph::with_origin`] that says whether float literals are variables.
    pub(crate) fn attributed<R>(&self, origin: Origin, writes_literals: bool, f: impl FnOnce() -> R) -> R {
        self.in_scope(Scope { op: None, origin, reported: None, writes_literals }, f)
    }

    /// Whether a call of the user's builds now, and not a gradient, a copy or a simplification.
    pub(crate) fn is_called_by_user(&self) -> bool {
        self.scope.get().is_none_or(|scope| scope.writes_literals)
    }

    /// The source line that builders called now are attributed to, if it is
    /// not simply their caller's.
    pub fn origin(&self) -> Option<Origin> {
        self.scope.get().map(|scope| scope.origin)
    }

    /// Remembers an error of the current call, and gives an expression that silently
    /// poisons what is built on it. It takes the type of the first operand, so that a
    /// program that asks for its axes goes on.
    fn poison(&self, kind: ErrorKind, operands: &[Expr<'_>]) -> Expr<'_> {
        let like = operands.first().map(|operand| operand.node());
        let scope = self.scope.get().unwrap_or_else(|| unreachable!("errors are made inside of builders"));
        let mut storage = self.storage.borrow_mut();
        let report = scope.reported.unwrap_or_else(|| {
            storage.reports.push(Report { kind, op: scope.op.unwrap_or("graph"), origin: scope.origin });
            storage.reports.len() - 1
        });
        self.scope.set(Some(Scope { reported: Some(report), ..scope }));
        let node = Node {
            id: self.id_of(NodeIndex::new(storage.nodes.node_count())),
            op: Op::Source(Source::Poison),
            operands: SmallVec::new(),
            dtype: like.as_ref().map_or(crate::DType::F32, |like| like.dtype),
            shape: like.map_or(Shape::default(), |like| like.shape.clone()),
            origin: scope.origin,
            is_variable: false,
        };
        storage.causes.insert(node.id, report);
        let index = storage.nodes.add_node(Arc::new(node));
        Expr::new(self, self.id_of(index))
    }

    /// Reports an error that another crate found in `op`, at the line of the caller.
    ///
    /// ```
    /// use tamis::{BuildErrorKind, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let _ = graph.report("my_op", BuildErrorKind::NoOperands);
    /// assert_eq!(graph.check().unwrap_err().reports()[0].op(), "my_op");
    /// ```
    #[track_caller]
    pub fn report(&self, op: &'static str, kind: ErrorKind) -> Expr<'_> {
        self.build(op, &[], || Err(kind))
    }

    /// The primitive `op` on `operands`: the one way in which nodes come to be.
    ///
    /// Gives an existing expression where one is equal by structure or by a
    /// simplification that holds in every run. A float literal that the user
    /// wrote with a builder equals no other.
    ///
    /// # Errors
    /// When the op's shape rule refuses the operands. No error is reported: an error of
    /// [`Graph::apply`] poisons instead.
    ///
    /// ```
    /// use tamis::{graph::Binary, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let (x, y) = (graph.input::<f32>("x", [2]), graph.input::<f32>("y", [3]));
    /// assert!(graph.try_apply(Binary::Add, &[x, y]).is_err());
    /// assert!(graph.check().is_ok());
    /// ```
    #[track_caller]
    pub fn try_apply<'g>(&'g self, op: impl Into<Op>, operands: &[Expr<'g>]) -> Result<Expr<'g>, ErrorKind> {
        self.enter(op.into(), operands, false)
    }

    /// A literal. A float that the user writes is a variable of its own, which
    /// equals no other node: its gradient is not that of literals of the same value.
    #[track_caller]
    pub(crate) fn try_literal(&self, literal: Source) -> Result<Expr<'_>, ErrorKind> {
        let is_written = self.scope.get().is_some_and(|scope| scope.writes_literals);
        let is_float = literal.infer(&[], self)?.dtype.is_float();
        self.enter(literal.into(), &[], is_written && is_float)
    }

    /// What a call of the user's gives is the user's, even where a gradient has built it before.
    #[track_caller]
    fn enter<'g>(&'g self, op: Op, operands: &[Expr<'g>], is_variable: bool) -> Result<Expr<'g>, ErrorKind> {
        let expr = self.find_or_add(op, operands, is_variable)?;
        if self.is_called_by_user() {
            self.hold(expr.id());
        }
        Ok(expr)
    }

    #[track_caller]
    fn find_or_add<'g>(
        &'g self,
        op: Op,
        operands: &[Expr<'g>],
        is_variable: bool,
    ) -> Result<Expr<'g>, ErrorKind> {
        if operands.iter().any(|operand| !self.owns(operand.id())) {
            return Err(ErrorKind::MixedGraphs);
        }
        if let Some(poisoned) = operands.iter().find(|operand| operand.is_poisoned()) {
            return Ok(*poisoned);
        }
        op.check_domain(operands)?;
        if let Some(simpler) = op.simplify(operands) {
            return Ok(simpler);
        }
        let nodes: SmallVec<[Arc<Node>; 3]> =
            operands.iter().map(|operand| self.node(operand.id())).collect();
        let inferred = op.infer(&nodes, self)?;
        check_size(&inferred.shape, inferred.dtype.size_of())?;
        let origin = self.origin().unwrap_or(Origin::new(Location::caller(), None));
        let operands = operands.iter().map(|operand| operand.id()).collect();
        let id = self.id_of(NodeIndex::new(self.len()));
        let Type { dtype, shape } = inferred;
        self.intern(Node { id, op, operands, dtype, shape, origin, is_variable })
    }

    /// The primitive `op` on `operands`, for callers that build graphs from graphs. An
    /// error poisons the result.
    ///
    /// ```
    /// use tamis::{graph::Unary, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 2.0]);
    /// let y = graph.apply(Unary::Neg, &[x]);
    /// assert_eq!(y.id(), (-x).id()); // one node, however it was built
    /// ```
    #[track_caller]
    pub fn apply<'g>(&'g self, op: impl Into<Op>, operands: &[Expr<'g>]) -> Expr<'g> {
        let op = op.into();
        self.build(op.name(), operands, || self.try_apply(op, operands))
    }

    fn intern(&self, node: Node) -> Result<Expr<'_>, ErrorKind> {
        let key = if node.is_variable {
            None
        } else {
            let hash = FixedState::default().hash_one((&node.op, &node.operands, node.dtype, &node.shape));
            match self.storage.borrow().find(hash, &node) {
                Ok(index) => return Ok(Expr::new(self, self.id_of(index))),
                Err(key) => Some(key),
            }
        };
        let mut foreign = None;
        let mut masks: SmallVec<[NodeId; 2]> = SmallVec::new();
        node.visit_counts(&mut |mask| {
            if self.owns(mask) { masks.push(mask) } else { foreign = Some(mask) }
        });
        if let Some(mask) = foreign {
            return Err(ErrorKind::ForeignSize(Dim::count(mask)));
        }
        if let Some(mask) = masks.iter().find(|mask| self.expr_of(**mask).is_poisoned()) {
            return Ok(self.expr_of(*mask));
        }
        let mut storage = self.storage.borrow_mut();
        let operands = node.operands.clone();
        steps::add(operands.len() + masks.len());
        let index = storage.nodes.add_node(Arc::new(node));
        for (position, operand) in operands.iter().enumerate() {
            storage.nodes.add_edge(NodeIndex::new(operand.index()), index, Edge::Operand(position as u32));
        }
        masks.sort_unstable();
        masks.dedup();
        for mask in masks {
            storage.nodes.add_edge(NodeIndex::new(mask.index()), index, Edge::Size);
        }
        if let Some(key) = key {
            storage.interned.insert(key, index);
        }
        Ok(Expr::new(self, self.id_of(index)))
    }

    /// The expression with an id of this graph.
    fn expr_of(&self, id: NodeId) -> Expr<'_> {
        Expr::new(self, id)
    }

    /// What a length is poisoned by: see [`Expr::dim`].
    pub(crate) fn poison_of(&self, dim: &Dim) -> Option<Expr<'_>> {
        let mut poison = None;
        dim.visit_symbols(&mut |symbol| {
            if let Symbol::Count(mask) = symbol
                && self.owns(*mask)
                && self.expr_of(*mask).is_poisoned()
            {
                poison = Some(self.expr_of(*mask));
            }
        });
        poison
    }

    /// The input of this name, declared now or, in the same way, before.
    pub(crate) fn declare_input<'g>(&'g self, name: Arc<str>, source: Source) -> Result<Expr<'g>, ErrorKind> {
        let first = self.storage.borrow().inputs.get(&name).copied();
        let Some(first) = first else {
            let input = self.try_apply(source, &[])?;
            self.storage.borrow_mut().inputs.insert(name, input.id());
            return Ok(input);
        };
        let node = self.node(first);
        if node.op == Op::Source(source.clone()) {
            return Ok(Expr::new(self, first));
        }
        let declared = source.infer(&[], self)?;
        Err(ErrorKind::InputConflict {
            name: name.to_string(),
            dtype: declared.dtype,
            shape: declared.shape,
            first_dtype: node.dtype,
            first_shape: node.shape.clone(),
            first: node.origin,
        })
    }

    /// What a named length or a count stands for, with the user's line, for
    /// messages about lengths: `count(%2) counts x > 0.0 (built at …)`.
    pub fn describe_symbol(&self, symbol: &Symbol) -> String {
        match symbol {
            Symbol::Named(_) => self.describe_named(symbol),
            Symbol::Count(mask) => {
                let text = self.describe(*mask);
                format!("{symbol} counts the true elements of `{text}`, {}", self.node(*mask).origin)
            }
            Symbol::Opaque(_) => symbol.to_string(),
        }
    }

    /// Which axis of which input first had a named length.
    fn describe_named(&self, symbol: &Symbol) -> String {
        let ids: Vec<NodeId> = self.inputs().into_values().collect();
        let first = ids.iter().map(|id| self.node(*id)).filter_map(|node| {
            let axis = node.shape.iter().position(|dim| dim.symbol() == Some(symbol))?;
            Some((node.id, axis))
        });
        match first.min() {
            Some((id, axis)) => {
                format!("{symbol} is axis {axis} of input `{}`, {}", self.describe(id), self.node(id).origin)
            }
            None => format!("{symbol} is a dimension of no input"),
        }
    }

    /// Calls `visit` with the storage, for printing.
    pub(crate) fn with_nodes<R>(&self, visit: impl FnOnce(&DiGraph<Arc<Node>, Edge>) -> R) -> R {
        visit(&self.storage.borrow().nodes)
    }
}

/// The product of the non-zero lengths, in bytes, must fit `isize`: beyond
/// that no array can exist, and index arithmetic would wrap.
fn check_size(shape: &Shape, item: usize) -> Result<(), ErrorKind> {
    let bytes = shape.iter().filter_map(Dim::known).filter(|n| *n != 0).try_fold(item, usize::checked_mul);
    match bytes {
        Some(bytes) if isize::try_from(bytes).is_ok() => Ok(()),
        _ => Err(ErrorKind::TooLarge { shape: shape.clone(), item }),
    }
}
