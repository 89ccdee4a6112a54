//! One program, evaluated by every executor.

use tamis::prelude::*;
use tamis::{Outputs, Value};

use crate::feed::Feed;

/// How near the plan comes to the reference.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Agreement {
    /// Bit for bit; all NaN are one.
    Bits,
    /// NaN and infinities at the same positions; elsewhere apart by no more than 10⁻¹²
    /// of the larger (2 · 10⁻⁶ in f32), or the same fraction of `scale`.
    Within { scale: f64 },
    /// What sums of unknown size were made of: near the reference by 10⁻⁶ of the largest
    /// finite element (10⁻² in f32), where both are finite.
    Rough,
    /// True in every element, in the reference as well.
    Holds,
}

#[derive(Clone)]
pub(crate) struct Output<'g> {
    pub(crate) expr: Expr<'g>,
    pub(crate) agreement: Agreement,
    pub(crate) text: String,
}

/// Evaluates the outputs by the reference and by the plan on 1, 2 and 8 threads. Gives
/// whether there are results, rather than one error of all.
pub(crate) fn check(outputs: &[Output<'_>], feeds: &[Feed]) -> Result<bool, String> {
    let Some(first) = outputs.first() else { return Ok(false) };
    first.expr.graph().check().map_err(|error| format!("cannot be built: {error}"))?;
    let named = || outputs.iter().enumerate().map(|(i, output)| (i.to_string(), output.expr));
    let plan = || Plan::new(named()).map_err(|error| format!("cannot be planned: {error}"));
    let expected = run(&plan()?.reference(), feeds);
    let mut plan = plan()?.threads(1);
    let found = run(&plan, feeds);
    let (expected, found) = match (expected, found) {
        (Ok(expected), Ok(found)) => (expected, found),
        (Err(expected), Err(found)) if expected == found => return Ok(false),
        (expected, found) => {
            let text = |result: Result<Outputs, String>| result.err().unwrap_or("a result".into());
            return Err(format!("reference: {}, plan: {}", text(expected), text(found)));
        }
    };
    for threads in [2, 8] {
        plan = plan.threads(threads);
        let shared = run(&plan, feeds)?;
        for (i, output) in outputs.iter().enumerate() {
            let [one, many] = [&found, &shared].map(|outputs| value(outputs, i));
            compare(&many, &one, bits_as_they_are)
                .map_err(|error| format!("{}: on {threads} threads {error}", output.text))?;
        }
    }
    for (i, output) in outputs.iter().enumerate() {
        let [expected, found] = [&expected, &found].map(|outputs| value(outputs, i));
        let result = match output.agreement {
            Agreement::Bits => compare(&found, &expected, bits),
            Agreement::Within { scale } => near(&found, &expected, scale),
            Agreement::Rough => near_by_the_largest(&found, &expected),
            Agreement::Holds => [&found, &expected].into_iter().try_for_each(holds),
        };
        result.map_err(|error| format!("{} ({:?}): {error}", output.text, output.agreement))?;
    }
    Ok(true)
}

fn run(plan: &Plan, feeds: &[Feed]) -> Result<Outputs, String> {
    let run = feeds.iter().fold(plan.bind(), |run, feed| feed.to(run));
    run.run().map_err(|error| error.to_string())
}

fn value(outputs: &Outputs, index: usize) -> Value {
    outputs.value(index.to_string()).expect("every output has a value")
}

fn bits_as_they_are(x: f64) -> u64 {
    x.to_bits()
}

fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

/// The elements as numbers; a cast from f32 keeps all bits of what is not NaN.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Bool(array) => array.iter().map(|x| f64::from(u8::from(*x))).collect(),
        Value::U8(array) => array.iter().map(|x| f64::from(*x)).collect(),
        Value::I32(array) => array.iter().map(|x| f64::from(*x)).collect(),
        // As bits, of which a cast would lose some; none of them is NaN to `bits`.
        Value::I64(array) => array.iter().map(|x| f64::from_bits(*x as u64)).collect(),
        Value::F32(array) => array.iter().map(|x| f64::from(*x)).collect(),
        Value::F64(array) => array.iter().copied().collect(),
    }
}

fn compare(found: &Value, expected: &Value, bits: impl Fn(f64) -> u64) -> Result<(), String> {
    let same = |a: &f64, b: &f64| match expected {
        Value::I64(_) => a.to_bits() == b.to_bits(),
        Value::Bool(_) | Value::U8(_) | Value::I32(_) | Value::F32(_) | Value::F64(_) => bits(*a) == bits(*b),
    };
    elementwise(found, expected, same)
}

fn near(found: &Value, expected: &Value, scale: f64) -> Result<(), String> {
    let tolerance = if expected.dtype() == tamis::DType::F32 { 2e-6 } else { 1e-12 };
    elementwise(found, expected, |a, b| {
        let distance = (a - b).abs();
        a == b || (a.is_nan() && b.is_nan()) || distance <= tolerance * a.abs().max(b.abs()).max(scale)
    })
}

fn near_by_the_largest(found: &Value, expected: &Value) -> Result<(), String> {
    let tolerance = if expected.dtype() == tamis::DType::F32 { 1e-2 } else { 1e-6 };
    let finite = |value| numbers(value).into_iter().filter(|x| x.is_finite());
    let largest = finite(found).chain(finite(expected)).fold(1.0, |largest: f64, x| largest.max(x.abs()));
    elementwise(found, expected, |a, b| {
        !a.is_finite() || !b.is_finite() || (a - b).abs() <= tolerance * largest
    })
}

fn holds(value: &Value) -> Result<(), String> {
    let false_ones = numbers(value).iter().filter(|x| **x == 0.0).count();
    if false_ones == 0 { Ok(()) } else { Err("the two are not the same".into()) }
}

fn elementwise(found: &Value, expected: &Value, same: impl Fn(&f64, &f64) -> bool) -> Result<(), String> {
    if (found.dtype(), found.shape()) != (expected.dtype(), expected.shape()) {
        let text = |value: &Value| format!("{}{:?}", value.dtype(), value.shape());
        return Err(format!("found {}, expected {}", text(found), text(expected)));
    }
    let (a, b) = (numbers(found), numbers(expected));
    let wrong: Vec<usize> = (0..a.len()).filter(|i| !same(&a[*i], &b[*i])).collect();
    match wrong.first() {
        None => Ok(()),
        Some(index) => Err(format!(
            "{} of {} elements of {}{:?} differ, first at {index}: found {:e}, expected {:e}",
            wrong.len(),
            a.len(),
            found.dtype(),
            found.shape(),
            a[*index],
            b[*index],
        )),
    }
}
