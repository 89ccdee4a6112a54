//! One case of an op: inputs, what is built of them, and what comes out.

use std::panic::Location;
use std::sync::Arc;

use tamis::{Expr, Graph, Value};

use crate::array::to_single;

/// What is built of the inputs.
type Build = dyn for<'g> Fn(&'g Graph, &[Expr<'g>]) -> Expr<'g> + Send + Sync;

/// An expression of some inputs, with the value it has by `docs/semantics.md`, worked by
/// hand or by NumPy.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Where the case is written.
    pub(crate) location: &'static Location<'static>,
    pub(crate) inputs: Vec<Value>,
    pub(crate) build: Arc<Build>,
    pub(crate) expected: Value,
    /// Whether it has first and second derivatives at the inputs.
    pub(crate) smooth: bool,
    pub(crate) lengths: Vec<Lengths>,
    /// Whether f32 may stand for f64 in inputs and result.
    pub(crate) any_float: bool,
    /// Whether building it twice gives one expression.
    pub(crate) shared: bool,
    /// The relative error that is accepted of floats, in units of the last place.
    pub(crate) ulps: f64,
}

/// What a graph knows of the lengths of its inputs. A 1 is always known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lengths {
    /// The numbers.
    Known,
    /// Which of them are equal.
    Named,
    /// Nothing.
    Separate,
}

impl Lengths {
    const ALL: [Lengths; 3] = [Lengths::Known, Lengths::Named, Lengths::Separate];
}

/// A case of `N` inputs, which `build` takes as an array.
#[track_caller]
pub(crate) fn case<const N: usize>(
    name: impl Into<String>,
    inputs: [Value; N],
    build: impl for<'g> Fn(&'g Graph, [Expr<'g>; N]) -> Expr<'g> + Send + Sync + 'static,
    expected: Value,
) -> Case {
    Case {
        name: name.into(),
        location: Location::caller(),
        inputs: inputs.into(),
        build: Arc::new(move |graph, inputs| build(graph, std::array::from_fn(|i| inputs[i]))),
        expected,
        smooth: false,
        lengths: Lengths::ALL.into(),
        any_float: true,
        shared: true,
        ulps: 4.0,
    }
}

impl Case {
    /// The expression has first and second derivatives at the inputs.
    pub(crate) fn smooth(self) -> Case {
        Case { smooth: true, ..self }
    }

    /// The graph must know which lengths are equal.
    pub(crate) fn with_equal_lengths(self) -> Case {
        Case { lengths: vec![Lengths::Known, Lengths::Named], ..self }
    }

    /// The graph must know the lengths.
    pub(crate) fn with_known_lengths(self) -> Case {
        Case { lengths: vec![Lengths::Known], ..self }
    }

    /// The dtypes matter: f32 cannot stand for f64.
    pub(crate) fn with_fixed_dtypes(self) -> Case {
        Case { any_float: false, ..self }
    }

    /// Built twice, it is two expressions.
    pub(crate) fn unshared(self) -> Case {
        Case { shared: false, ..self }
    }

    /// The case with f32 instead of f64.
    pub(crate) fn in_single(&self) -> Case {
        Case {
            inputs: self.inputs.iter().map(to_single).collect(),
            expected: to_single(&self.expected),
            ..self.clone()
        }
    }

    /// Rounding may add up to so many units in the last place.
    pub(crate) fn within(self, ulps: f64) -> Case {
        Case { ulps, ..self }
    }
}
