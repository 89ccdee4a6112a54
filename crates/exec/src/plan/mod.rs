//! What a plan is made of: its outputs, in which forms, and what runs share. Does not depend on
//! ops.

mod nodes;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use ndarray::{ArrayViewMut, Dimension};
use tamis_graph::node_map::NodeMap;
use tamis_graph::{Element, Expr, Graph, NodeId, Symbol};

use self::nodes::{guard_notes, live_nodes, nodes_of};
use crate::diagnosis::Diagnosis;
use crate::error::{Error, ErrorKind, Report};
use crate::evaluation::Executable;
use crate::explain::{explain, explain_op_by_op};
use crate::feed::Feed;
use crate::fuse::fuse;
use crate::interface::{Input, Interface, Key, Output, Slot, TensorSpec};
use crate::level::Level;
use crate::memory::LONGEST_ITERATION;
use crate::outputs::Outputs;
use crate::pool::Pool;
use crate::run::Run;
use crate::schedule::Schedule;
use crate::simplify::simplify;
use crate::threads::Threads;

/// A computation that is ready to run: the steps to evaluate for named outputs, in
/// which order.
///
/// It owns what it needs, the graph may be dropped. A run does not change it, so that
/// several threads can run one plan at the same time.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f64>("x", dims!["n"]);
/// let kept = x.boolean_mask(x.gt(0.0));
/// let plan = Plan::new([("kept", kept), ("sum", kept.sum(..))])?;
/// let out = plan.feed("x", &array![3.0, -1.0, 2.0]).run()?;
/// assert_eq!(out.view::<f64>("kept")?, array![3.0, 2.0].into_dyn());
/// assert_eq!(out.scalar::<f64>("sum")?, 5.0);
/// # Ok::<(), tamis::Error>(())
/// ```
pub struct Plan {
    /// The expressions as they were built.
    pub(crate) reference: Arc<Schedule>,
    /// The same after simplification, in stages; the schedule is shared if no rule applies.
    pub(crate) executable: Executable,
    /// What is known of how to find out why a run failed, once one has.
    pub(crate) diagnosis: Diagnosis,
    /// The vector instructions that this machine has.
    pub(crate) level: Level,
    pub(crate) interface: Arc<Interface>,
    /// What the symbols of guarded lengths stand for.
    pub(crate) notes: HashMap<Symbol, String>,
    /// The names that users gave to values.
    pub(crate) names: NodeMap<Arc<str>>,
    /// How many bytes a run may hold at once.
    pub(crate) memory_limit: usize,
    /// What an iteration over repeated elements may cost, in additions.
    pub(crate) iteration_limit: usize,
    pub(crate) threads: Threads,
    /// What runs leave to later runs.
    pub(crate) pool: Arc<Pool>,
    /// Whether a run evaluates op by op, without fusing.
    pub(crate) is_reference: bool,
}

impl Plan {
    /// Plans the evaluation of `outputs`: pairs of a name and an expression, all of one graph.
    ///
    /// # Errors
    /// Every error made while building the graph, each with its line; two outputs of one name;
    /// a named dimension that no input has.
    pub fn new<'g, N: Into<String>>(outputs: impl IntoIterator<Item = (N, Expr<'g>)>) -> Result<Plan, Error> {
        Plan::of(outputs.into_iter().map(|(name, expr)| (name.into().into(), expr)).collect())
    }

    /// [`Plan::new`], compiled once and not by each crate that plans.
    fn of(outputs: Vec<(Arc<str>, Expr<'_>)>) -> Result<Plan, Error> {
        let Some((_, first)) = outputs.first() else { return Ok(Plan::empty()) };
        let graph = first.graph();
        graph.check_exprs(outputs.iter().map(|(_, expr)| *expr))?;
        check_outputs(&outputs, graph)?;
        let roots: Vec<Expr<'_>> = outputs.iter().map(|(_, expr)| *expr).collect();
        let nodes = live_nodes(ids(&roots), graph)?;
        let inputs = graph.inputs();
        let fed: Vec<NodeId> = inputs.values().copied().collect();
        let notes = guard_notes(&nodes, graph);
        let reference = Arc::new(Schedule::new(nodes, &ids(&roots), &fed));
        let simpler = ids(&simplify(graph, &roots));
        let simplified = if simpler == ids(&roots) {
            reference.clone()
        } else {
            Arc::new(Schedule::new(nodes_of(&simpler, graph), &simpler, &fed))
        };
        let steps = reference.steps.iter().chain(&simplified.steps);
        let names = steps.filter_map(|step| Some((step.node.id(), graph.name(step.node.id())?))).collect();
        let declared = inputs.into_iter().zip(&reference.inputs);
        let inputs =
            declared.map(|((name, id), step)| Input { name, node: graph.node(id), needed: step.is_some() });
        let results = outputs.into_iter().map(|(name, expr)| Output { name, node: expr.node() });
        Ok(Plan {
            notes,
            names,
            interface: Arc::new(Interface::new(inputs.collect(), results.collect())),
            reference,
            executable: Executable::new(fuse(simplified)),
            diagnosis: Diagnosis::default(),
            level: Level::new(),
            memory_limit: usize::MAX,
            iteration_limit: LONGEST_ITERATION,
            threads: Threads::available(),
            pool: Arc::default(),
            is_reference: false,
        })
    }

    fn empty() -> Plan {
        let interface = Arc::new(Interface::new(Vec::new(), Vec::new()));
        let nothing = Arc::new(Schedule::new(Vec::new(), &[], &[]));
        Plan {
            reference: nothing.clone(),
            executable: Executable::new(fuse(nothing)),
            diagnosis: Diagnosis::default(),
            level: Level::new(),
            interface,
            notes: HashMap::new(),
            names: NodeMap::default(),
            memory_limit: usize::MAX,
            iteration_limit: LONGEST_ITERATION,
            threads: Threads::serial(),
            pool: Arc::default(),
            is_reference: false,
        }
    }

    /// The plan with a limit on the memory of each of its runs; without one, a
    /// run takes what the system gives.
    ///
    /// What counts are the elements that a run allocates itself and holds at
    /// the same time: results, what is computed on the way as long as it is
    /// needed, and the scratch space of an op. Elements that several tensors
    /// share count once; those that are fed, literals of the graph, and those
    /// that broadcasting repeats do not count. Memory that earlier runs have
    /// left for later ones is given back where it and what a run holds would
    /// exceed the limit together. Up to a MiB a thread, which no length
    /// changes, does not count either: registers, and panels of matrix products.
    /// An array that would exceed the
    /// limit is an error of its op before it is allocated. Several runs of one
    /// plan at a time may each hold that much.
    ///
    /// ```
    /// use tamis::{ErrorKind, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("y", (x + 1.0).exp())])?.memory_limit(700);
    /// let error = plan.feed("x", tamis::ndarray::Array1::<f64>::zeros(100)).run().unwrap_err();
    /// let limited = ErrorKind::MemoryLimit { shape: vec![100], bytes: 800, held: 0, limit: 700 };
    /// assert_eq!(error.kind(), &limited);
    /// assert!(plan.feed("x", tamis::ndarray::Array1::<f64>::zeros(50)).run().is_ok());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[must_use = "the plan with the limit is returned"]
    pub fn memory_limit(self, bytes: usize) -> Plan {
        Plan { memory_limit: bytes, ..self }
    }

    /// The plan with another limit on the time of iterations over elements that
    /// broadcasting repeats; without this, what 2³³ additions take, at most about a minute.
    ///
    /// What is stored is bounded by the memory. But a sum, or a product of matrices, stores no
    /// result per element, and a broadcast of a few elements may be longer than anyone can wait.
    /// Such an iteration costs the number of its elements, each as many additions as `explain`
    /// gives for its weight, and is an error before it starts if that is more than the limit.
    /// What repeats is not visited, and does not count, where its result follows from one of it:
    /// by `any`, `all`, `max`, `min`, `argmax` and `argmin`, and by sums, products and counts of
    /// integers and bools. Sums of floats round at each step, so that every element is added.
    ///
    /// ```
    /// use tamis::{ErrorKind, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let many = graph.full([1_i64 << 40], 0.1);
    /// let error = many.sum(..).eval::<f64>().unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::IterationLimit { elements: 1_099_511_627_776, .. }));
    /// assert_eq!(many.max(..).eval::<f64>()?, tamis::ndarray::arr0(0.1).into_dyn());
    ///
    /// let few = Plan::new([("sum", graph.full([1000], 0.5).sum(..))])?;
    /// assert!(few.iteration_limit(100).run().is_err());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[must_use = "the plan with the limit is returned"]
    pub fn iteration_limit(self, additions: usize) -> Plan {
        Plan { iteration_limit: additions, ..self }
    }

    /// The plan on `count` threads, the calling one among them; without this,
    /// on as many as the machine runs at a time. 0 means 1, which is truly
    /// serial; more than 256 mean 256. Results have the same bits whatever the number.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("sum", x.sum(..))])?.threads(1);
    /// assert_eq!(plan.feed("x", &tamis::ndarray::array![1.0, 2.0]).run()?.scalar::<f64>("sum")?, 3.0);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[must_use = "the plan on these threads is returned"]
    pub fn threads(self, count: usize) -> Plan {
        Plan { threads: Threads::new(count), ..self }
    }

    /// Gives back the memory that the plan keeps for its next runs.
    ///
    /// What a run allocates and needs no more, and results that were dropped, are kept for later
    /// runs, since fresh memory takes longer than most computations that fill it. No more is kept
    /// than the largest of the last eight runs held at once, results included, less what a run at
    /// work holds: as lengths grow, the shorter allocations are freed, and after a giant run and
    /// eight small ones the small ones' memory is left. Memory in results belongs to whoever holds
    /// them until they are dropped. Dropping the plan gives everything back as well.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("y", x + 1.0)])?;
    /// let out = plan.feed("x", &tamis::ndarray::Array1::<f64>::zeros(100_000)).run()?;
    /// drop(out); // Its 800 000 bytes now wait for the next run,
    /// plan.trim(); // and now they do not.
    /// assert_eq!(plan.feed("x", &tamis::ndarray::array![1.0]).run()?.view::<f64>("y")?[[0]], 2.0);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn trim(&self) {
        self.executable.trim();
        self.pool.trim();
    }

    /// The plan evaluated by the reference executor: op by op, each as plainly
    /// as its definition reads, on one thread. Slow; it says what a result
    /// should be. Everything elementwise has the bits that the plan gives. Sums,
    /// products and what is made of them may differ in their last bits, since the
    /// order of additions differs.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("kept", x.boolean_mask(x.gt(1.0)))])?.reference();
    /// let out = plan.feed("x", &tamis::ndarray::array![1.0, 2.0]).run()?;
    /// assert_eq!(out.view::<f64>("kept")?, tamis::ndarray::arr1(&[2.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[must_use = "the plan for the reference executor is returned"]
    pub fn reference(self) -> Plan {
        Plan { is_reference: true, ..self }
    }

    /// What a run does, in words: stage by stage, in their order.
    ///
    /// A *region* is one pass over all elements of a shape: what it reads, the
    /// elementwise ops that it computes on the way, and what it gives, which are
    /// arrays, selections, reductions, and counts of masks that lengths are made of.
    /// Below stands what an element costs: the bytes of the arrays that are read and
    /// written in step with the shape (what is repeated or reduced is less), and the
    /// weight of its arithmetic, in additions. All else is done by a *kernel*, op by
    /// op. Last in a stage stand the values that are freed after it.
    ///
    /// Inputs go by their names, values by those given with `named`, and else
    /// by numbers in the order of the text. So plans that do the same say the
    /// same, in whatever idioms their expressions were written. The wording
    /// may change between versions.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n"]);
    /// let plan = Plan::new([("sum", (x * 2.0).boolean_mask(x.gt(1.0)).sum(..))])?;
    /// let text = "\
    /// region over [n]: reads x: f64[n]
    ///   v1 = mul(x, 2.0)
    ///   v2 = gt(x, 1.0)
    ///   gives v3 = sum(where_(v2, v1, 0.0)): f64[], output sum
    ///   an element: 8 bytes read, 0 written, weight 4
    /// ";
    /// assert_eq!(plan.explain(), text);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn explain(&self) -> String {
        let Plan { reference, executable, interface, names, .. } = self;
        if self.is_reference {
            explain_op_by_op(reference, interface, names)
        } else {
            explain(&executable.program, interface, names)
        }
    }

    /// The slot of an input or output, which spares the search for its name.
    ///
    /// # Errors
    /// When the plan has no such name.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims![]);
    /// let plan = Plan::new([("y", x * 2.0)])?;
    /// let (x, y) = (plan.slot("x")?, plan.slot("y")?);
    /// for i in 0..3 {
    ///     assert_eq!(plan.feed(x, i).run()?.scalar::<f64>(y)?, f64::from(i) * 2.0);
    /// }
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn slot(&self, name: &str) -> Result<Slot, Error> {
        let call = Location::caller();
        self.interface.slot(name).map_err(|kind| Report::new("slot", kind, None).called_at(call).into())
    }

    /// The inputs that must be fed, in the order of their names. Inputs of the graph that
    /// no output is computed from are not among them.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let (y, x) = (graph.input::<i64>("y", [2]), graph.input::<f64>("x", dims!["n", 2]));
    /// let _unused = graph.input::<f64>("unused", dims![]);
    /// let plan = Plan::new([("z", x * y)])?;
    /// let inputs: Vec<String> = plan.inputs().iter().map(|input| input.to_string()).collect();
    /// assert_eq!(inputs, ["x: f64[n, 2]", "y: i64[2]"]);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn inputs(&self) -> Vec<TensorSpec> {
        self.interface.input_specs()
    }

    /// The outputs, in the order in which the plan was given them. A length that a run
    /// decides is printed as the expression has it: `count(%3)` is that of a selection.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f64>("x", dims!["n", 2]);
    /// let plan = Plan::new([("twice", x * 2.0), ("large", x.gt(1.0))])?;
    /// let outputs: Vec<String> = plan.outputs().iter().map(|output| output.to_string()).collect();
    /// assert_eq!(outputs, ["twice: f64[n, 2]", "large: bool[n, 2]"]);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn outputs(&self) -> Vec<TensorSpec> {
        self.interface.output_specs()
    }

    /// A run without feeds.
    pub fn bind(&self) -> Run<'_, 'static> {
        Run::new(self)
    }

    /// Short for [`Plan::bind`] and [`Run::feed`].
    #[track_caller]
    pub fn feed<'a>(&self, name: impl Key, value: impl Feed<'a>) -> Run<'_, 'a> {
        self.bind().feed(name, value)
    }

    /// Short for [`Plan::bind`] and [`Run::output`].
    #[track_caller]
    pub fn output<'a, T: Element, D: Dimension + 'a>(
        &self,
        name: impl Key,
        memory: ArrayViewMut<'a, T, D>,
    ) -> Run<'_, 'a> {
        self.bind().output(name, memory)
    }

    /// Short for [`Plan::bind`] and [`Run::update`].
    #[track_caller]
    pub fn update<'a, T: Element, D: Dimension + 'a>(
        &self,
        name: impl Key,
        memory: ArrayViewMut<'a, T, D>,
    ) -> Run<'_, 'a> {
        self.bind().update(name, memory)
    }

    /// Short for [`Plan::bind`] and [`Run::run`], for a plan without inputs.
    ///
    /// # Errors
    /// As for [`Run::run`].
    #[track_caller]
    pub fn run(&self) -> Result<Outputs, Error> {
        self.bind().run()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plan {} with {} steps", self.interface, self.reference.steps.len())
    }
}

/// Outputs are of one graph and have different names.
fn check_outputs(outputs: &[(Arc<str>, Expr<'_>)], graph: &Graph) -> Result<(), Error> {
    let mut names = HashSet::new();
    let mut reports = Vec::new();
    for (name, expr) in outputs {
        let origin = Some(expr.node().origin());
        if !std::ptr::eq(expr.graph(), graph) {
            reports.push(Report::new("plan", tamis_graph::ErrorKind::MixedGraphs.into(), origin));
        }
        if name.is_empty() {
            reports.push(Report::new("plan", ErrorKind::EmptyName, origin));
        }
        if !names.insert(name) {
            reports.push(Report::new("plan", ErrorKind::RepeatedOutput { name: name.to_string() }, origin));
        }
    }
    if reports.is_empty() { Ok(()) } else { Err(Error::new(reports)) }
}

fn ids(exprs: &[Expr<'_>]) -> Vec<NodeId> {
    exprs.iter().map(|expr| expr.id()).collect()
}
