//! Every mistake and every failure of a run, with its message in full: what is
//! wrong, with the shapes, and the user's own line.

mod dtypes;
mod gradients;
mod index;
mod masks;
#[path = "../place/mod.rs"]
mod place;
mod reports;
mod run;
mod shapes;
mod sizes;

use tamis::prelude::*;
use tamis::{BuildErrorKind, ErrorKind, Outputs};

/// Asserts that `expr` was the only mistake of its graph, and that every way to
/// ask tells it in the same words.
#[track_caller]
fn assert_mistake(expr: Expr<'_>, message: &str, place: &str) {
    let graph = expr.graph();
    assert!(expr.is_poisoned(), "no mistake was found in {expr}");
    let error = graph.check().unwrap_err();
    let expected = format!("{message} (built at {place})");
    assert_eq!(error.to_string(), expected);
    assert_eq!(format!("{error:?}"), expected);
    let [report] = error.reports() else { panic!("one mistake is reported once: {error}") };
    assert_eq!(report.location().to_string(), place);
    assert_eq!(message.split(':').next(), Some(report.op()));
    has_a_test(report.kind());
}

/// Asserts all mistakes of a graph, in the order of the source.
#[track_caller]
fn assert_mistakes(graph: &Graph, expected: &[(String, String)]) {
    let error = graph.check().unwrap_err();
    let lines: Vec<String> =
        expected.iter().map(|(message, place)| format!("{message} (built at {place})")).collect();
    assert_eq!(error.to_string(), lines.join("\n"));
    assert_eq!(error.reports().len(), expected.len());
}

/// Does nothing; stops compiling when a kind is added, until it gets a test here.
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

/// Does nothing; stops compiling when a kind is added, until it gets a test.
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
        | ErrorKind::LongWalk { .. }
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
        | ErrorKind::NothingToChoose { .. }
        | ErrorKind::NothingSelected { .. }
        // Guards see to it that it does not come to this.
        | ErrorKind::CountMismatch { .. } => {}
    }
}

/// Asserts what a run fails of, as `built at` tells it.
#[track_caller]
fn assert_failure(result: Result<Outputs, tamis::Error>, message: &str, place: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), format!("{message} (built at {place})"));
    assert_eq!(error.location().unwrap().to_string(), place);
    has_a_test_of_a_run(error.kind());
}
