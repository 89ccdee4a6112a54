//! The poison check: what was not selected is filled with NaN, infinities and huge
//! numbers, and no result may change by a bit. It knows no op: it compares the results of runs.
//!
//! `report` prints the result.

mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::panic::Location;

use ndarray::{ArrayD, ArrayViewD, Zip};
use tamis_autograd::{grad, hvp};
use tamis_exec::{Error, Feed, Outputs, Plan};
use tamis_graph::{DType, ErrorKind, Expr, Graph, NodeId, Origin, Value, rebuild};

pub use report::{Leak, PoisonReport, PoisonRow};

use crate::check::{error_of_loss, error_of_variable, fed, input_name};

const OP: &str = "check_poison";

/// Fills what a mask does not select of an input with NaN, both infinities and
/// the largest finite number, and asks whether the loss or one of its
/// gradients moves, by so much as a bit.
///
/// Each of `selections` is an input or literal of the graph with the mask that
/// selects from it, aligned with its leading axes as in [`Expr::boolean_mask`].
/// The gradients are those by all of these and by every other input of floats
/// that the loss depends on, in their own dtypes.
///
/// A mask is evaluated for what is fed. Should the loss compute its mask from
/// the very elements that are poisoned, an infinity may well be selected: that
/// moves the loss, and is reported.
///
/// # Errors
/// Reported when the loss is not a scalar or not a float, when one of the expressions is not a
/// float, is neither an input nor a literal, or belongs to another graph, and when a mask is not
/// bool or does not align.
///
/// ```
/// use tamis::ndarray::array;
/// use tamis::{check_poison, prelude::*};
///
/// let graph = Graph::new();
/// let x = graph.input::<f64>("x", dims!["n"]);
/// let mask = graph.input::<bool>("mask", dims!["n"]);
/// let data = (array![4.0, -1.0, 9.0], array![true, false, true]);
///
/// let kept = where_(mask, x.sqrt(), 0.0).sum(..);
/// let check = check_poison(kept, [(x, mask)]).feed("x", &data.0).feed("mask", &data.1);
/// let report = check.second_order().run()?;
/// assert!(report.passed(), "{report}");
///
/// // A product with a mask of zeros does not select: 0 · NaN is NaN.
/// let product = (x * mask.cast(tamis::DType::F64)).sum(..);
/// let report = check_poison(product, [(x, mask)]).feed("x", &data.0).feed("mask", &data.1).run()?;
/// let leak = report.leaks().next().unwrap();
/// assert_eq!(leak.to_string(), "NaN in x moves the loss at [] from 13.0 to NaN");
/// # Ok::<(), tamis::Error>(())
/// ```
#[track_caller]
pub fn check_poison<'g>(
    loss: Expr<'g>,
    selections: impl IntoIterator<Item = (Expr<'g>, Expr<'g>)>,
) -> PoisonCheck<'g> {
    let graph = loss.graph();
    let mut aligned = Vec::new();
    let mut errors: Vec<ErrorKind> = error_of_loss(loss).into_iter().collect();
    for (x, mask) in selections {
        errors.extend(error_of_variable(graph, x));
        // Written here, a mask that does not align is an error at the caller's line.
        aligned.push((x, mask.expand_mask(x).broadcast_to(x.shape())));
    }
    for kind in errors {
        let _poisoned = graph.report(OP, kind);
    }
    let origin = Origin { location: Location::caller(), forward: None, builder: None };
    PoisonCheck { loss, selections: aligned, feeds: Vec::new(), second_order: false, origin }
}

/// A poison check that is being prepared: feed its inputs, then call [`PoisonCheck::run`].
#[must_use = "no check is made before `run` is called"]
pub struct PoisonCheck<'g> {
    loss: Expr<'g>,
    /// What is poisoned, with a mask of the same shape.
    selections: Vec<(Expr<'g>, Expr<'g>)>,
    feeds: Vec<(String, Result<Value, Error>)>,
    second_order: bool,
    origin: Origin,
}

impl<'g> PoisonCheck<'g> {
    /// Gives the input `name` its value: see [`Feed`] for what is accepted.
    ///
    /// An error is reported by [`PoisonCheck::run`].
    #[track_caller]
    pub fn feed<'a>(mut self, name: &str, value: impl Feed<'a>) -> PoisonCheck<'g> {
        let value = fed(self.loss.graph(), name, value);
        self.feeds.push((name.to_owned(), value));
        self
    }

    /// Also checks second derivatives: the Hessian times a vector of different numbers.
    pub fn second_order(mut self) -> PoisonCheck<'g> {
        self.second_order = true;
        self
    }

    /// Makes the check.
    ///
    /// # Errors
    /// Every error made while building the graph, with those of the check itself; a
    /// feed that does not fit, inputs missing or unknown; whatever goes wrong in a run
    /// of what is fed. Poison that moves something, or makes a run fail, is no error,
    /// but stands in the report.
    #[track_caller]
    pub fn run(self) -> Result<PoisonReport, Error> {
        let call = Location::caller();
        let poisoned = self.selections.iter().flat_map(|(x, mask)| [*x, *mask]).chain([self.loss]);
        self.loss.graph().check_exprs(poisoned)?;
        let graph = Graph::new();
        let subject = Subject::new(&self, &graph)?;
        let mut feeds = BTreeMap::new();
        for (name, value) in self.feeds {
            feeds.insert(name, value?);
        }
        let (plan, labels) = subject.results(self.second_order, self.origin)?;
        let selections = subject.selected(&mut feeds).map_err(|error| error.called_at(call))?;
        let first = run(&plan, &feeds).map_err(|error| error.called_at(call))?;
        let before = numbers(&first, labels.len())?;
        let mut rows = Vec::new();
        for (selection, (name, mask)) in subject.selections.iter().zip(selections) {
            let mut row = PoisonRow::new(selection.label.clone(), &mask, labels.clone());
            for poison in poisons(&feeds[&name]) {
                let mut poisoned = feeds.clone();
                poisoned.insert(name.clone(), fill(&feeds[&name], &mask, poison));
                match run(&plan, &poisoned) {
                    Ok(out) => row.compare(poison, &before, &numbers(&out, labels.len())?),
                    Err(error) => row.fail(poison, error),
                }
            }
            rows.push(row);
        }
        Ok(PoisonReport { rows })
    }
}

/// A copy of the loss in which everything that is poisoned is an input.
struct Subject<'t> {
    graph: &'t Graph,
    loss: Expr<'t>,
    selections: Vec<Selection<'t>>,
    /// The elements of what is a literal in the user's graph, by the names of the inputs.
    literals: Vec<(String, Value)>,
}

struct Selection<'t> {
    x: Expr<'t>,
    /// The name to feed `x` by.
    input: String,
    /// The name that the user knows.
    label: String,
    mask: Expr<'t>,
}

impl<'t> Subject<'t> {
    fn new(check: &PoisonCheck<'_>, graph: &'t Graph) -> Result<Subject<'t>, Error> {
        let source = check.loss.graph();
        let names: BTreeMap<NodeId, String> =
            check.selections.iter().map(|(x, _)| (x.id(), input_name(source, x.id()))).collect();
        // Inputs that the loss does not need are declared too, so that feeding them is no error.
        let mut roots: Vec<NodeId> =
            [check.loss.id()].into_iter().chain(source.inputs().into_values()).collect();
        roots.extend(check.selections.iter().flat_map(|(x, mask)| [x.id(), mask.id()]));
        let copies = rebuild(source, &roots, graph, |node, _| {
            names.get(&node.id()).map(|name| graph.input_of(name, node.dtype(), node.shape()))
        });
        let copies = copies.map_err(|kind| error(graph, check.origin, kind))?;
        let selection = |(x, mask): &(Expr<'_>, Expr<'_>)| {
            let input = names[&x.id()].clone();
            let label = source.name(x.id()).map_or_else(|| input.clone(), |name| name.to_string());
            Selection { x: copies[&x.id()], input, label, mask: copies[&mask.id()] }
        };
        let selections = check.selections.iter().map(selection).collect();
        let inputs: HashSet<NodeId> = source.inputs().into_values().collect();
        let literals = names.iter().filter(|(id, _)| !inputs.contains(id));
        let literals = literals
            .map(|(id, name)| Ok((name.clone(), Plan::new([("x", source.expr(*id))])?.run()?.value("x")?)));
        let literals = literals.collect::<Result<_, Error>>()?;
        Ok(Subject { graph, loss: copies[&check.loss.id()], selections, literals })
    }

    /// The plan of everything that must not move, and what to call each of its outputs.
    fn results(&self, second_order: bool, origin: Origin) -> Result<(Plan, Vec<String>), Error> {
        let mut needed: HashSet<NodeId> = self.graph.ancestors(&[self.loss.id()]).into_iter().collect();
        needed.extend(self.selections.iter().map(|selection| selection.x.id()));
        let inputs = self.graph.inputs().into_iter().filter(|(_, id)| needed.contains(id));
        let inputs = inputs.map(|(name, id)| (name, self.graph.expr(id)));
        let (names, wrt): (Vec<_>, Vec<Expr<'t>>) = inputs.filter(|(_, x)| x.dtype().is_float()).unzip();
        let mut results = vec![self.loss];
        let mut labels = vec!["the loss".to_owned()];
        self.graph.with_origin(origin, || {
            results.extend(grad(self.loss, wrt.clone()));
            labels.extend(names.iter().map(|name| format!("the gradient by {name}")));
            if second_order {
                let vectors: Vec<Expr<'t>> = wrt.iter().map(|x| different_numbers(*x)).collect();
                results.extend(hvp(self.loss, wrt, vectors));
                labels.extend(names.iter().map(|name| format!("the second derivative by {name}")));
            }
        });
        let outputs = results.into_iter().enumerate().map(|(i, result)| (output_name(i), result));
        Ok((Plan::new(outputs)?, labels))
    }

    /// The masks in a run of what is fed, with the inputs that they select from.
    /// Completes the feeds by the values of literals.
    fn selected(&self, feeds: &mut BTreeMap<String, Value>) -> Result<Vec<(String, ArrayD<bool>)>, Error> {
        feeds.extend(self.literals.iter().cloned());
        let masks = self.selections.iter().enumerate();
        let plan = Plan::new(masks.map(|(i, selection)| (output_name(i), selection.mask)))?;
        let mut out = run(&plan, feeds)?;
        let named = self.selections.iter().enumerate();
        named.map(|(i, selection)| Ok((selection.input.clone(), out.take(output_name(i))?))).collect()
    }
}

fn output_name(index: usize) -> String {
    format!("result {index}")
}

/// An error, reported at the line that asked for the check.
fn error(graph: &Graph, origin: Origin, kind: ErrorKind) -> Error {
    let _poisoned = graph.with_origin(origin, || graph.report(OP, kind));
    let error = graph.check().err();
    error.unwrap_or_else(|| unreachable!("an error was reported")).into()
}

/// Numbers between ½ and 2½ in the shape of `x`, without a pattern in which terms cancel.
fn different_numbers(x: Expr<'_>) -> Expr<'_> {
    let shape = x.shape();
    let ones = x.graph().ones::<f64>(shape.clone()).flatten();
    let indices = ones.cumsum(0);
    ((indices * 0.7).sin() + 1.5).reshape(shape).cast(x.dtype())
}

fn run(plan: &Plan, feeds: &BTreeMap<String, Value>) -> Result<Outputs, Error> {
    feeds.iter().fold(plan.bind(), |run, (name, value)| run.feed(name, value)).run()
}

/// All results in f64, which holds every f32 exactly.
fn numbers(out: &Outputs, count: usize) -> Result<Vec<ArrayD<f64>>, Error> {
    let number = |index| {
        let value = out.value(output_name(index))?;
        Ok(match value.view::<f32>() {
            Some(array) => array.mapv(f64::from),
            None => floats(&value).to_owned(),
        })
    };
    (0..count).map(number).collect()
}

fn floats(value: &Value) -> ArrayViewD<'_, f64> {
    value.view::<f64>().unwrap_or_else(|| unreachable!("gradients are f32 or f64"))
}

/// What unselected elements are filled with.
fn poisons(value: &Value) -> [f64; 4] {
    let largest = if value.dtype() == DType::F32 { f64::from(f32::MAX) } else { f64::MAX };
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, largest]
}

/// The array with `poison` where the mask is false.
fn fill(value: &Value, mask: &ArrayD<bool>, poison: f64) -> Value {
    match value.view::<f32>() {
        Some(array) => fill_array(array, mask, poison as f32).into(),
        None => fill_array(floats(value), mask, poison).into(),
    }
}

fn fill_array<T: Copy>(array: ArrayViewD<'_, T>, mask: &ArrayD<bool>, poison: T) -> ArrayD<T> {
    Zip::from(array).and(mask).map_collect(|x, selected| if *selected { *x } else { poison })
}
