//! Every error of a build and of a run, with its full message: what is wrong, with the
//! shapes, and the user's own line.

mod dtypes;
mod gradients;
mod index;
#[path = "../location/mod.rs"]
mod location;
mod masks;
mod reports;
mod run;
mod shapes;
mod sizes;

use tamis::prelude::*;
use tamis::{BuildErrorKind, ErrorKind, Outputs};

/// Asserts that `expr` was the only error of its graph, and that every way to ask for
/// it gives the same text.
#[track_caller]
fn assert_error(expr: Expr<'_>, message: &str, location: &str) {
    let graph = expr.graph();
    assert!(expr.is_poisoned(), "no error was found in {expr}");
    let error = graph.check().unwrap_err();
    let expected = format!("{message} (built at {location})");
    assert_eq!(error.to_string(), expected);
    assert_eq!(format!("{error:?}"), expected);
    let [report] = error.reports() else { panic!("one error is reported once: {error}") };
    assert_eq!(report.location().to_string(), location);
    assert_eq!(message.split(':').next(), Some(report.op()));
    has_a_test(report.kind());
}

/// Asserts all errors of a graph, in the order of the source.
#[track_caller]
fn assert_errors(graph: &Graph, expected: &[(String, String)]) {
    let error = graph.check().unwrap_err();
    let lines: Vec<String> =
        expected.iter().map(|(message, location)| format!("{message} (built at {location})")).collect();
    assert_eq!(error.to_string(), lines.join("\n"));
    assert_eq!(error.reports().len(), expected.len());
}

/// Has no effect; stops compiling when a kind is added, until it gets a test here.
fn has_a_test(kind: &BuildErrorKind) {
    match kind {
        BuildErrorKind::Broadcast { .. }
        | BuildErrorKind::BroadcastTo { .. }
        | BuildErrorKind::ShapeMismatch { .. }
        | BuildErrorKind::Rank { .. }
        | BuildErrorKind::IndexDepth { .. }
        | BuildErrorKind::Axis { .. }
        | BuildErrorKind::NewAxis { .. }
        | BuildErrorKind::Choice { .. }
        | BuildErrorKind::DimensionName { .. }
        | BuildErrorKind::RepeatedAxis { .. }
        | BuildErrorKind::Permutation { .. }
        | BuildErrorKind::MaskDType { .. }
        | BuildErrorKind::MaskShape { .. }
        | BuildErrorKind::Alignment { .. }
        | BuildErrorKind::DType { .. }
        | BuildErrorKind::XorOfNumbers { .. }
        | BuildErrorKind::Narrowing { .. }
        | BuildErrorKind::WeakScalar { .. }
        | BuildErrorKind::NegativePower { .. }
        | BuildErrorKind::NegativeSize { .. }
        | BuildErrorKind::Reshape { .. }
        | BuildErrorKind::InferredSize { .. }
        | BuildErrorKind::TooLarge { .. }
        | BuildErrorKind::Size(_)
        | BuildErrorKind::SliceStep
        | BuildErrorKind::SliceCount { .. }
        | BuildErrorKind::SliceIndex { .. }
        | BuildErrorKind::AssignSource { .. }
        | BuildErrorKind::Policy { .. }
        | BuildErrorKind::EmptyName
        | BuildErrorKind::NoOperands
        | BuildErrorKind::InputConflict { .. }
        | BuildErrorKind::MixedGraphs
        | BuildErrorKind::ForeignSize(_)
        | BuildErrorKind::InputSize { .. }
        | BuildErrorKind::NotScalar { .. }
        | BuildErrorKind::NotDifferentiable { .. }
        | BuildErrorKind::Einsum { .. }
        | BuildErrorKind::FewerIndices { .. }
        | BuildErrorKind::EntryCount { .. }
        | BuildErrorKind::Ellipses
        | BuildErrorKind::UnknownSize { .. } => {}
    }
}

/// Has no effect; stops compiling when a kind is added, until it gets a test.
fn has_a_test_of_a_run(kind: &ErrorKind) {
    match kind {
        // In the other modules.
        ErrorKind::Build(_)
        // In tests/plan.rs.
        | ErrorKind::RepeatedOutput { .. }
        | ErrorKind::UnboundDimension { .. }
        | ErrorKind::UnknownName { .. }
        | ErrorKind::NoOutputs { .. }
        | ErrorKind::ForeignSlot
        | ErrorKind::MissingFeed { .. }
        | ErrorKind::RepeatedFeed { .. }
        | ErrorKind::FeedDType { .. }
        | ErrorKind::FeedShape { .. }
        | ErrorKind::FeedScalar { .. }
        | ErrorKind::DimensionConflict { .. }
        | ErrorKind::OutputDType { .. }
        | ErrorKind::OutputShape { .. }
        | ErrorKind::RepeatedTarget { .. }
        | ErrorKind::OutputTaken { .. }
        | ErrorKind::OutputWritten { .. }
        | ErrorKind::OutputNotScalar { .. }
        | ErrorKind::OutputRank { .. }
        // In tests/hostile/sizes.rs.
        | ErrorKind::MemoryLimit { .. }
        | ErrorKind::IterationLimit { .. }
        // In run.rs.
        | ErrorKind::LengthMismatch { .. }
        | ErrorKind::TooLarge { .. }
        | ErrorKind::Size(_)
        | ErrorKind::NegativeSize { .. }
        | ErrorKind::OutOfMemory { .. }
        | ErrorKind::IndexOutOfRange { .. }
        | ErrorKind::SliceOutOfRange { .. }
        | ErrorKind::TooFewToChoose { .. }
        | ErrorKind::EmptyName
        | ErrorKind::SourceTooShort { .. }
        | ErrorKind::DivisionByZero { .. }
        | ErrorKind::Assertion { .. }
        // In tests/hostile/sizes.rs.
        | ErrorKind::NegativePower { .. }
        | ErrorKind::EmptyReduction { .. }
        | ErrorKind::EmptySelection { .. }
        // Guards see to it that it does not come to this.
        | ErrorKind::CountMismatch { .. } => {}
    }
}

/// Asserts the error of a run, with its `built at` location.
#[track_caller]
fn assert_failure(result: Result<Outputs, tamis::Error>, message: &str, location: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), format!("{message} (built at {location})"));
    assert_eq!(error.location().unwrap().to_string(), location);
    has_a_test_of_a_run(error.kind());
}
