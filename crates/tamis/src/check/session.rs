//! One check from the retyped graph to the rows of the report.

use ndarray::{Array, ArrayD};
use tamis_autograd::grad;
use tamis_exec::{Error, Outputs, Plan};
use tamis_graph::{DType, ErrorKind, Expr, Graph, Origin, Value};

use super::freeze::{Frozen, freeze};
use super::probe::{Point, Position, Probe};
use super::random::Random;
use super::report::CheckRow;
use super::retype::{Retyped, Variable, fresh_name};
use super::variable::{Subject, comparisons};
use super::{OP, Settings};

/// What stays the same for all that is checked.
pub(super) struct Session<'t, 'p> {
    graph: &'t Graph,
    /// The line that asked for the check.
    origin: Origin,
    settings: Settings,
    retyped: Retyped<'t>,
    variables: Vec<Expr<'t>>,
    random: Random,
    progress: Progress<'p>,
}

/// How many comparisons are done, of all.
struct Progress<'p> {
    done: usize,
    total: usize,
    notify: &'p mut dyn FnMut(usize, usize),
}

impl Progress<'_> {
    fn advance(&mut self, comparisons: usize) {
        self.done += comparisons;
        (self.notify)(self.done, self.total);
    }
}

/// A number with its gradients, one for each expression that the user named.
struct Quantity<'t> {
    order: usize,
    value: Expr<'t>,
    gradients: Vec<Expr<'t>>,
}

impl<'t, 'p> Session<'t, 'p> {
    pub(super) fn new(
        graph: &'t Graph,
        origin: Origin,
        settings: Settings,
        retyped: Retyped<'t>,
        notify: &'p mut dyn FnMut(usize, usize),
    ) -> Session<'t, 'p> {
        let variables = retyped.variables.iter().map(|variable| variable.expr).collect();
        let random = Random::new(settings.seed);
        let progress = Progress { done: 0, total: 0, notify };
        Session { graph, origin, settings, retyped, variables, random, progress }
    }

    /// Checks the gradients at the point that `feeds` give.
    pub(super) fn check(mut self, feeds: Vec<(String, Value)>) -> Result<Vec<CheckRow>, Error> {
        let mut point = self.point(feeds)?;
        let lengths = self.retyped.wrt.iter().map(|index| point.variables[*index].elements().len());
        let comparisons: usize = lengths.map(|len| comparisons(len, &self.settings)).sum();
        self.progress.total = comparisons * if self.settings.second_order { 2 } else { 1 };
        let first = self.loss();
        let mut rows = self.check_quantity(&first, &mut point)?;
        if self.settings.second_order {
            let second = self.slope(&first, &mut point);
            rows.extend(self.check_quantity(&second, &mut point)?);
        }
        Ok(rows)
    }

    /// The point, once everything that the loss needs is fed and the loss can be computed.
    fn point(&self, mut feeds: Vec<(String, Value)>) -> Result<Point, Error> {
        for variable in &self.retyped.variables {
            feeds.extend(variable.literal.iter().map(|value| (variable.input.clone(), value.clone())));
        }
        let point = Point { feeds, variables: Vec::new() };
        let outputs = self.retyped.variables.iter().map(|variable| (variable.input.clone(), variable.expr));
        let outputs: Vec<_> =
            outputs.chain([(fresh_name(self.graph, OP.to_owned()), self.retyped.loss)]).collect();
        let mut out = point.run(&Plan::new(outputs)?)?;
        let position = |variable: &Variable<'t>| {
            Ok(Position::new(variable.input.clone(), out.take::<f64>(&variable.input)?))
        };
        let variables = self.retyped.variables.iter().map(position).collect::<Result<Vec<_>, Error>>()?;
        let mut feeds = point.feeds;
        feeds.retain(|(name, _)| variables.iter().all(|variable| variable.input != *name));
        Ok(Point { feeds, variables })
    }

    fn wrt(&self) -> Vec<Expr<'t>> {
        self.retyped.wrt.iter().map(|index| self.variables[*index]).collect()
    }

    fn loss(&self) -> Quantity<'t> {
        let value = self.retyped.loss;
        let given = self.retyped.gradients.clone();
        let gradients =
            given.unwrap_or_else(|| self.graph.with_origin(self.origin, || grad(value, self.wrt())));
        Quantity { order: 1, value, gradients }
    }

    /// How the loss changes along a random vector, which is fed from now on.
    fn slope(&mut self, first: &Quantity<'t>, point: &mut Point) -> Quantity<'t> {
        let mut products = Vec::new();
        for (gradient, index) in first.gradients.iter().zip(&self.retyped.wrt) {
            let variable = &self.retyped.variables[*index];
            let name = fresh_name(self.graph, format!("vector for {}", variable.input));
            let vector = self.graph.input_of(&name, DType::F64, variable.expr.shape());
            let shape = point.variables[*index].values.raw_dim();
            let values: ArrayD<f64> = Array::from_shape_simple_fn(shape, || 2.0 * self.random.unit() - 1.0);
            point.feeds.push((name, Value::from(values)));
            products.push((*gradient, vector));
        }
        self.graph.with_origin(self.origin, || {
            let sums = products.into_iter().map(|(gradient, vector)| (gradient * vector).sum(..));
            let value =
                sums.reduce(|a, b| a + b).unwrap_or_else(|| unreachable!("there is at least one variable"));
            Quantity { order: first.order + 1, value, gradients: grad(value, self.wrt()) }
        })
    }

    fn check_quantity(&mut self, quantity: &Quantity<'t>, point: &mut Point) -> Result<Vec<CheckRow>, Error> {
        let freeze = || freeze(quantity.value, &self.variables);
        let (value, frozen) = attempt(self.graph, self.origin, freeze)?;
        let output = |i: usize| format!("gradient {i}");
        let gradients = quantity.gradients.iter().enumerate().map(|(i, gradient)| (output(i), *gradient));
        let held = frozen.iter().map(|frozen| (frozen.input.clone(), frozen.expr));
        let mut out = point.run(&Plan::new(gradients.chain(held))?)?;
        let still = frozen.iter().map(|frozen| still(frozen, &mut out)).collect::<Result<_, _>>()?;
        let mut probe = Probe::new(value, &self.variables, still, point)?;
        probe.look_at_rounding(point, &mut self.random);
        let mut rows = Vec::new();
        for (i, index) in self.retyped.wrt.iter().enumerate() {
            let label = self.retyped.variables[*index].label.clone();
            let gradient: Vec<f64> = out.take::<f64>(output(i))?.iter().copied().collect();
            if !probe.value.is_finite() {
                self.progress.advance(comparisons(gradient.len(), &self.settings));
                rows.push(CheckRow::undefined(label, quantity.order));
                continue;
            }
            let mut subject = Subject::new(&probe, point, *index, &gradient, self.settings);
            let tally = subject.check(&mut self.random, &mut || self.progress.advance(1));
            rows.push(CheckRow::new(label, quantity.order, tally));
        }
        Ok(rows)
    }
}

/// The elements in a row that a frozen expression has at the point.
fn still(frozen: &Frozen<'_>, out: &mut Outputs) -> Result<(String, Value), Error> {
    let elements: Vec<f64> = out.take::<f64>(&frozen.input)?.iter().copied().collect();
    Ok((frozen.input.clone(), Value::from(Array::from(elements).into_dyn())))
}

/// Runs `f`; an error is reported at the line that asked for the check.
pub(super) fn attempt<R>(
    graph: &Graph,
    origin: Origin,
    f: impl FnOnce() -> Result<R, ErrorKind>,
) -> Result<R, Error> {
    f().map_err(|kind| {
        let _poisoned = graph.with_origin(origin, || graph.report(OP, kind));
        let error = graph.check().err();
        error.unwrap_or_else(|| unreachable!("an error was reported")).into()
    })
}
