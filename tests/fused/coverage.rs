//! Every public builder is used by a step, so that random programs cover the whole API.

use std::collections::BTreeSet;

use tamis::graph::Unary;

use crate::sources;

/// The sources of the steps.
const STEPS: [&str; 5] = [
    include_str!("writer.rs"),
    include_str!("writer/arrange.rs"),
    include_str!("writer/gradient.rs"),
    include_str!("writer/index.rs"),
    include_str!("writer/masked.rs"),
];

/// Public builders that random programs have no use for, and why.
const UNUSED: [(&str, &str); 7] = [
    ("Expr::named", "names no computed value"),
    ("Graph::expr", "a handle of a node"),
    ("Graph::apply", "builds by node"),
    ("Graph::try_apply", "builds by node"),
    ("Graph::report", "reports an error"),
    ("rebuild", "builds by node"),
    ("rebuild_node", "builds by node"),
];

/// The names of the calls in a source: `Masked::sum` for a method of what is masked,
/// `.sum` for another method, `grad` for a function.
fn calls(source: &str) -> BTreeSet<String> {
    let source: String = source.split_whitespace().collect();
    let mut calls = BTreeSet::new();
    let mut masked_from = Vec::new();
    for (open, _) in source.match_indices('(') {
        let Some((start, name)) = name_before(&source[..open]) else { continue };
        let is_method = source[..start].ends_with('.');
        let is_masked = masked_from.contains(&start.wrapping_sub(1));
        let prefix = if is_masked { "Masked::" } else { ["", "."][usize::from(is_method)] };
        calls.insert(format!("{prefix}{name}"));
        if is_method && (name == "masked" || (is_masked && ["if_empty", "initial"].contains(&name))) {
            masked_from.push(open + closing(&source[open..]));
        }
    }
    // Methods that a macro is given by name.
    let listed = source.split(';').filter_map(|item| item.rsplit_once("\":"));
    calls.extend(listed.flat_map(|(_, names)| names.split(',')).map(|name| format!(".{name}")));
    calls
}

/// The name at the end of a source and where it starts, without the type that it is given as `::<f64>`.
fn name_before(source: &str) -> Option<(usize, &str)> {
    let generic = source.strip_suffix('>').and_then(|source| source.rsplit_once("::<"));
    let source = generic.map_or(source, |(name, _)| name);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = source.trim_end_matches(is_part).len();
    (start < source.len()).then_some((start, &source[start..]))
}

/// The length of what stands between the first parenthesis and its partner, both included.
fn closing(source: &str) -> usize {
    let mut depth = 0;
    let ends = source.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth == 0
    });
    ends.map_or(source.len(), |end| end + 1)
}

#[test]
fn every_builder_is_used_by_a_step() {
    let mut calls: BTreeSet<String> = STEPS.into_iter().flat_map(calls).collect();
    // The steps go through the list of these.
    calls.extend(Unary::BUILDERS.iter().map(|builder| format!(".{}", builder.name)));
    let call = |name: &str| match name.split_once("::") {
        Some(("Masked", _)) | None => name.to_owned(),
        Some((_, method)) => format!(".{method}"),
    };
    let items = sources::public_items();
    let builders: BTreeSet<&str> =
        items.iter().filter(|item| item.is_builder()).map(|item| item.name.as_str()).collect();
    let unused: BTreeSet<&str> =
        builders.iter().copied().filter(|name| !calls.contains(&call(name))).collect();
    let excused: BTreeSet<&str> = UNUSED.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = unused.difference(&excused).collect();
    let needless: Vec<_> = excused.difference(&unused).collect();
    assert!(missing.is_empty(), "no step uses {missing:?}");
    assert!(needless.is_empty(), "steps use, or there is no more, {needless:?}");
}

#[test]
fn a_call_has_the_type_that_it_is_of() {
    let found = calls(
        "x.masked(m & p.any(1)).initial(f(0)).max(axes) + y.sum(..); \"exp\": exp, ln; g.zeros::<f64>(2)",
    );
    let expected =
        [".any", ".exp", ".ln", ".masked", ".sum", ".zeros", "Masked::initial", "Masked::max", "f"];
    assert_eq!(found, expected.into_iter().map(String::from).collect());
}
