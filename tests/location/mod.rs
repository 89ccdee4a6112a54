//! The source locations at which a test wrote its expressions, as messages print them.

#![allow(dead_code, reason = "not every test that has this module needs all of it")]

use std::panic::Location;

/// `file:line:column` of `text` on the nearest line above the call. Messages
/// point at the method's name, and at the first operand of an operator.
#[track_caller]
pub(crate) fn above(text: &str) -> String {
    let call = Location::caller();
    let source = std::fs::read_to_string(call.file()).expect("tests run in the package's directory");
    let lines: Vec<&str> = source.lines().take(call.line() as usize - 1).collect();
    let found = lines.iter().enumerate().rev().find_map(|(i, line)| Some((i + 1, line.find(text)? + 1)));
    let (line, column) = found.unwrap_or_else(|| panic!("no line above says `{text}`"));
    format!("{}:{line}:{column}", call.file())
}

/// The text of an error without the lines of calls: `; called at …` or ` (called at …)`.
pub(crate) fn without_calls(error: &tamis::Error) -> String {
    let one = |report: &tamis::Report| {
        let text = report.to_string();
        let Some(call) = report.call() else { return text };
        text.replace(&format!("; called at {call}"), "").replace(&format!(" (called at {call})"), "")
    };
    error.reports().iter().map(one).collect::<Vec<_>>().join("\n")
}
