//! What contenders computed, in one form, so that a wrong benchmark cannot pass.

use std::cell::RefCell;
use std::rc::Rc;

use ndarray::{Array, Dimension};
use tamis::{DType, Outputs};

/// A result that can be compared with another contender's.
pub(crate) trait Answer {
    /// Appends the elements in row-major order, one entry for each array.
    fn append_to(&self, answer: &mut Vec<Elements>);
}

/// The elements of one array.
#[derive(Debug, Clone)]
pub(crate) enum Elements {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

/// Compares what a contender found with what the first one did.
///
/// Floats may differ by `tolerance` times their size, or times the root of the
/// mean square of the whole array, whichever is larger. Integers must be equal.
pub(crate) fn compare(found: &[Elements], expected: &[Elements], tolerance: f64) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} arrays instead of {}", found.len(), expected.len()));
    }
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = match (found, expected) {
            (Elements::Ints(found), Elements::Ints(expected)) => first_difference(found, expected, |a, b| a == b),
            (Elements::Floats(found), Elements::Floats(expected)) => {
                let squares = expected.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
                let scale = (squares / expected.len().max(1) as f64).sqrt();
                first_difference(found, expected, |a, b| {
                    let (a, b) = (f64::from(*a), f64::from(*b));
                    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(scale)
                })
            }
            (Elements::Ints(_), Elements::Floats(_)) => Some("integers instead of floats".to_owned()),
            (Elements::Floats(_), Elements::Ints(_)) => Some("floats instead of integers".to_owned()),
        };
        if let Some(difference) = difference {
            return Err(format!("array {number}: {difference}"));
        }
    }
    Ok(())
}

fn first_difference<T: std::fmt::Debug>(
    found: &[T],
    expected: &[T],
    is_same: impl Fn(&T, &T) -> bool,
) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} elements instead of {}", found.len(), expected.len()));
    }
    let index = found.iter().zip(expected).position(|(a, b)| !is_same(a, b))?;
    Some(format!("element {index} is {:?} instead of {:?}", found[index], expected[index]))
}

impl Answer for f32 {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Floats(vec![*self]));
    }
}

impl<D: Dimension> Answer for Array<f32, D> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Floats(self.iter().copied().collect()));
    }
}

/// To the precision of f32.
impl<D: Dimension> Answer for Array<f64, D> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Floats(self.iter().map(|v| *v as f32).collect()));
    }
}

impl<D: Dimension> Answer for Array<i64, D> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        answer.push(Elements::Ints(self.iter().copied().collect()));
    }
}

/// What is overwritten in place.
impl<A: Answer> Answer for Rc<RefCell<A>> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        self.borrow().append_to(answer);
    }
}

impl<A: Answer, E: std::fmt::Debug> Answer for Result<A, E> {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        self.as_ref().expect("a right program").append_to(answer);
    }
}

impl<A: Answer, const N: usize> Answer for [A; N] {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        self.iter().for_each(|elements| elements.append_to(answer));
    }
}

impl<A: Answer, B: Answer> Answer for (A, B) {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        self.0.append_to(answer);
        self.1.append_to(answer);
    }
}

impl Answer for Outputs {
    fn append_to(&self, answer: &mut Vec<Elements>) {
        for name in self.names() {
            let value = self.value(name).expect("a name of these outputs");
            if value.dtype() == DType::F32 {
                let view = self.view::<f32>(name).expect("of this dtype");
                answer.push(Elements::Floats(view.iter().copied().collect()));
            } else {
                let view = self.view::<i64>(name).expect("benchmarks give f32 or i64");
                answer.push(Elements::Ints(view.iter().copied().collect()));
            }
        }
    }
}
