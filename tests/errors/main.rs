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

use tamis::Outputs;
use tamis::prelude::*;

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
    assert!(is_among(BUILD_KINDS, report.kind()), "{error}");
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

/// The kinds of errors of a build, which have their tests here.
const BUILD_KINDS: &[&str] = &[
    "Broadcast",
    "BroadcastTo",
    "ShapeMismatch",
    "Rank",
    "IndexDepth",
    "Axis",
    "NewAxis",
    "Choice",
    "DimensionName",
    "RepeatedAxis",
    "Permutation",
    "MaskDType",
    "MaskShape",
    "Alignment",
    "DType",
    "XorOfNumbers",
    "Narrowing",
    "WeakScalar",
    "IndexIfEmpty",
    "NotLiteral",
    "NegativePower",
    "NegativeSize",
    "Reshape",
    "InferredSize",
    "TooLarge",
    "Size",
    "SliceStep",
    "SliceCount",
    "SliceIndex",
    "AssignSource",
    "Policy",
    "EmptyName",
    "NoOperands",
    "InputConflict",
    "MixedGraphs",
    "ForeignSize",
    "InputSize",
    "NotScalar",
    "NotDifferentiable",
    "Einsum",
    "FewerIndices",
    "EntryCount",
    "Ellipses",
    "UnknownSize",
];

/// The kinds of errors of a plan or a run, and where their tests are.
const RUN_KINDS: &[&str] = &[
    // In the other modules.
    "Build",
    // In tests/plan.rs.
    "RepeatedOutput",
    "UnboundDimension",
    "UnknownName",
    "NoOutputs",
    "ForeignSlot",
    "MissingFeed",
    "RepeatedFeed",
    "FeedDType",
    "FeedShape",
    "FeedScalar",
    "DimensionConflict",
    "OutputDType",
    "OutputShape",
    "RepeatedTarget",
    "OutputTaken",
    "OutputWritten",
    "OutputNotScalar",
    "OutputRank",
    // In tests/hostile/sizes.rs.
    "MemoryLimit",
    "IterationLimit",
    // In run.rs.
    "LengthMismatch",
    "TooLarge",
    "Size",
    "NegativeSize",
    "OutOfMemory",
    "IndexOutOfRange",
    "SliceOutOfRange",
    "TooFewToChoose",
    "EmptyName",
    "SourceTooShort",
    "DivisionByZero",
    "Assertion",
    // In tests/hostile/sizes.rs.
    "NegativePower",
    "EmptyReduction",
    // Guards see to it that it does not come to this.
    "CountMismatch",
];

/// Whether the name of the variant is in a list.
fn is_among(kinds: &[&str], kind: &impl std::fmt::Debug) -> bool {
    let text = format!("{kind:?}");
    let name = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    kinds.contains(&name)
}

/// A kind may be added without a change for users, so that no `match` of theirs lists all;
/// the list of everything public does.
#[test]
fn every_kind_of_error_has_a_test() {
    let surface = include_str!("../../docs/surface.txt");
    let kinds_of = |name: &str| -> Vec<&str> {
        let of_crate =
            surface.split("\n# ").find(|part| part.starts_with(name)).expect("the crate is listed");
        let variants = of_crate.lines().filter_map(|line| line.strip_prefix("pub enum ErrorKind: "));
        variants.map(|variant| variant.split([' ', '(']).next().unwrap_or_default()).collect()
    };
    for (name, tested) in [("tamis-graph", BUILD_KINDS), ("tamis-exec", RUN_KINDS)] {
        let mut tested = tested.to_vec();
        tested.sort_unstable();
        assert_eq!(kinds_of(name), tested, "kinds of errors of {name}, and those that have a test");
    }
}

/// Asserts the error of a run, with its `built at` location.
#[track_caller]
fn assert_failure(result: Result<Outputs, tamis::Error>, message: &str, location: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), format!("{message} (built at {location})"));
    assert_eq!(error.location().unwrap().to_string(), location);
    assert!(is_among(RUN_KINDS, error.kind()), "{error}");
}
