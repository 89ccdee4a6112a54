//! A function of the variables, evaluated at the point of the check and near it.

use ndarray::{ArrayD, Zip};
use tamis_exec::{Error, Outputs, Plan, Slot};
use tamis_graph::{Element, Expr, Value};

use super::decision::{Site, decisions};
use super::random::Random;

/// How often the value is looked at to find how much it is rounded.
const LOOKS: usize = 4;

/// By how much elements of size 1 are moved for that.
const NUDGE: f64 = 4.0 * f64::EPSILON;

/// Small elements are moved by the same, as long as this is very little of them.
const SENSIBLE: f64 = 1e6;

/// Where gradients are checked: what the inputs are fed.
#[derive(Clone)]
pub(super) struct Point {
    /// What does not move, by the names of the inputs.
    pub(super) feeds: Vec<(String, Value)>,
    /// What moves.
    pub(super) variables: Vec<Position>,
}

impl Point {
    /// Runs a plan of the retyped graph at this point.
    pub(super) fn run(&self, plan: &Plan) -> Result<Outputs, Error> {
        self.run_with(plan, &[])
    }

    fn run_with(&self, plan: &Plan, more: &[(String, Value)]) -> Result<Outputs, Error> {
        let mut run = plan.bind();
        for (name, value) in self.feeds.iter().chain(more) {
            run = run.feed(name, value);
        }
        for variable in &self.variables {
            run = run.feed(&variable.input, &variable.values);
        }
        run.run()
    }
}

/// The elements of one variable.
#[derive(Clone)]
pub(super) struct Position {
    /// The name of the input.
    pub(super) input: String,
    /// In row-major order.
    pub(super) values: ArrayD<f64>,
}

impl Position {
    pub(super) fn new(input: String, values: ArrayD<f64>) -> Position {
        Position { input, values: values.as_standard_layout().into_owned() }
    }

    pub(super) fn elements(&self) -> &[f64] {
        self.values.as_slice().unwrap_or_else(|| unreachable!("positions are kept in row-major order"))
    }

    fn elements_mut(&mut self) -> &mut [f64] {
        self.values.as_slice_mut().unwrap_or_else(|| unreachable!("positions are kept in row-major order"))
    }
}

/// Elements of one variable, and how far each moves in a step of 1.
#[derive(Clone)]
pub(super) struct Direction {
    pub(super) variable: usize,
    pub(super) elements: Vec<(usize, f64)>,
}

/// A function of the variables, ready to be evaluated.
pub(super) struct Probe {
    plan: Plan,
    result: Slot,
    decisions: Vec<(Slot, Site)>,
    /// What is held still, by the names of the inputs.
    frozen: Vec<(String, Value)>,
    /// The value at the point itself.
    pub(super) value: f64,
    /// By how much the value may be rounded.
    pub(super) rounding: f64,
    /// What was decided at the point itself.
    decided: Vec<Value>,
}

/// What a probe finds near the point.
pub(super) enum Sample {
    Value(f64),
    /// Something is decided otherwise than at the point.
    Kink(Site),
}

impl Probe {
    /// Prepares `value` and evaluates it at the point. `frozen` is what it reads
    /// besides, by the names of the inputs.
    pub(super) fn new<'t>(
        value: Expr<'t>,
        variables: &[Expr<'t>],
        frozen: Vec<(String, Value)>,
        point: &Point,
    ) -> Result<Probe, Error> {
        let decisions = decisions(value, variables);
        let name = |i: usize| format!("decision {i}");
        let outputs = decisions.iter().enumerate().map(|(i, decision)| (name(i), decision.expr));
        let plan = Plan::new(outputs.chain([("value".to_owned(), value)]))?;
        let slots =
            decisions.iter().enumerate().map(|(i, decision)| Ok((plan.slot(&name(i))?, decision.site)));
        let decisions = slots.collect::<Result<Vec<_>, Error>>()?;
        let result = plan.slot("value")?;
        let (value, rounding) = (f64::NAN, f64::NAN);
        let mut probe = Probe { plan, result, decisions, frozen, value, rounding, decided: Vec::new() };
        let out = point.run_with(&probe.plan, &probe.frozen)?;
        probe.value = out.scalar(probe.result)?;
        probe.rounding = f64::EPSILON * probe.value.abs();
        probe.decided = probe.decisions.iter().map(|(slot, _)| out.value(*slot)).collect::<Result<_, _>>()?;
        Ok(probe)
    }

    /// Finds by how much the value is rounded: by more than a unit in its last place where
    /// large numbers cancel on the way to it. All elements are moved a little, once each way:
    /// in the mean of the two changes the linear term cancels, and only rounding remains.
    pub(super) fn look_at_rounding(&mut self, point: &Point, random: &mut Random) {
        for _ in 0..LOOKS {
            let (mut up, mut down) = (point.clone(), point.clone());
            for (up, down) in up.variables.iter_mut().zip(&mut down.variables) {
                let pairs = up.elements_mut().iter_mut().zip(down.elements_mut());
                for (up, down) in pairs.filter(|(up, _)| up.is_finite()) {
                    let nudge = NUDGE * up.abs().max(1.0).min(SENSIBLE * up.abs()) * random.sign();
                    *up += nudge;
                    *down -= nudge;
                }
            }
            if let (Sample::Value(up), Sample::Value(down)) = (self.look(&up), self.look(&down)) {
                let rounding = (up - self.value + (down - self.value)).abs() / 2.0;
                self.rounding = self.rounding.max(if rounding.is_finite() { rounding } else { 0.0 });
            }
        }
    }

    /// What is found `step` times the direction away from the point.
    pub(super) fn sample(&self, point: &mut Point, direction: &Direction, step: f64) -> Sample {
        let values = point.variables[direction.variable].elements_mut();
        let here: Vec<f64> = direction.elements.iter().map(|(element, _)| values[*element]).collect();
        for (element, by) in &direction.elements {
            values[*element] += step * by;
        }
        let found = self.look(point);
        let values = point.variables[direction.variable].elements_mut();
        for ((element, _), here) in direction.elements.iter().zip(here) {
            values[*element] = here;
        }
        found
    }

    /// A run that fails here, and did not at the point of the check, meets a boundary,
    /// such as an index out of range or an empty maximum.
    fn look(&self, here: &Point) -> Sample {
        let found = here.run_with(&self.plan, &self.frozen).and_then(|out| self.compare(&out));
        found.unwrap_or_else(|error| {
            Sample::Kink(Site { op: error.reports()[0].op(), location: error.location() })
        })
    }

    fn compare(&self, out: &Outputs) -> Result<Sample, Error> {
        for (decided, (slot, site)) in self.decided.iter().zip(&self.decisions) {
            if !is_same(decided, &out.value(*slot)?) {
                return Ok(Sample::Kink(*site));
            }
        }
        Ok(Sample::Value(out.scalar(self.result)?))
    }
}

/// Whether two arrays of one dtype have the same lengths and elements; NaN is NaN.
fn is_same(left: &Value, right: &Value) -> bool {
    match left {
        Value::Bool(_) => equals::<bool>(left, right),
        Value::U8(_) => equals::<u8>(left, right),
        Value::I32(_) => equals::<i32>(left, right),
        Value::I64(_) => equals::<i64>(left, right),
        Value::F32(_) => equals::<f32>(left, right),
        Value::F64(_) => equals::<f64>(left, right),
    }
}

fn equals<T: Element>(left: &Value, right: &Value) -> bool {
    let (Some(left), Some(right)) = (left.view::<T>(), right.view::<T>()) else { return false };
    // NaN alone differs from itself.
    #[allow(clippy::eq_op, reason = "it asks for NaN")]
    let same = |a: &T, b: &T| a == b || (a != a && b != b);
    left.shape() == right.shape() && Zip::from(&left).and(&right).all(same)
}
