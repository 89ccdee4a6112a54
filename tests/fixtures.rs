//! Compares every op with what NumPy, PyTorch and JAX gave, as stored in
//! `fixtures/reference.jsonl`. `fixtures/generate.py` asked them; nothing of
//! that is needed here.
//!
//! Where a system departs from the semantics of tamis, the stored case holds
//! the value worked out from the rule, what the system gave, and why they
//! differ; both are asserted.

#[path = "fixtures/builder.rs"]
mod builder;
#[path = "fixtures/case.rs"]
mod case;

use std::collections::BTreeMap;

use builder::build;
use case::{Array, Case, Input};
use tamis::graph::{Op, Unary};
use tamis::prelude::*;
use tamis::{DType, Error, Operand};

const REFERENCE: &str = include_str!("fixtures/reference.jsonl");

/// How many functions of one operand there are cases of, at the least: those of later
/// ones may be asked for later.
const FUNCTIONS: usize = 28;

/// All other ops of the contract, under the names of their builders.
#[rustfmt::skip]
const OPS: &[&str] = &[
    "constant", "scalar", "iota", "full", "zeros", "ones", "size",
    "rsqrt", "cast",
    "add", "sub", "mul", "div", "pow", "floor_div", "floor_mod", "rem_trunc", "minimum", "maximum", "atan2",
    "clip", "eq", "ne", "lt", "le", "gt", "ge", "is_nan", "is_finite", "is_inf", "and", "or", "xor", "not",
    "where_", "boolean_mask", "boolean_mask_axis", "masked_select", "compress", "unmask", "unmask_axis",
    "partition", "argwhere", "nonzero", "flatnonzero", "masked_fill", "masked_assign", "masked_scatter",
    "gather", "gather_or", "take_along_axis", "gather_nd",
    "scatter_set", "scatter_add", "scatter_mul", "scatter_max", "scatter_min",
    "scatter_set_along_axis", "scatter_add_along_axis", "scatter_mul_along_axis", "scatter_max_along_axis",
    "scatter_min_along_axis",
    "scatter_nd_set", "scatter_nd_add", "scatter_nd_mul", "scatter_nd_max", "scatter_nd_min",
    "segment_sum", "segment_mean", "segment_max", "segment_min",
    "sum", "prod", "mean", "var", "std", "max", "min", "any", "all", "count_nonzero", "logsumexp", "norm",
    "masked.sum", "masked.prod", "masked.mean", "masked.var", "masked.std", "masked.max", "masked.min",
    "masked.any", "masked.all", "masked.count_nonzero", "masked.logsumexp", "masked.norm",
    "masked.softmax", "masked.log_softmax",
    "argmax", "argmin", "softmax", "log_softmax", "sort", "argsort", "top_k", "cumsum", "cumprod",
    "linear_scan", "one_hot",
    "reshape", "flatten", "transpose", "permute", "squeeze", "unsqueeze", "broadcast_to", "slice", "flip",
    "concat", "stack", "split", "pad", "tile", "repeat", "matmul", "dot", "outer", "einsum", "assert_that",
    "grad", "value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp",
];

fn cases() -> Vec<Case> {
    REFERENCE.lines().enumerate().skip(1).map(|(i, line)| Case::parse(i + 1, line)).collect()
}

/// How the operands come into the graph.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// Literals, whose masks have a known count.
    Constants,
    /// Inputs, of which only the shape is known before the run.
    Inputs,
}

/// The result, then the gradient of `sum(result * weights)` to each float operand.
fn evaluate(case: &Case, origin: Origin) -> Result<Vec<Array>, Error> {
    let graph = Graph::new();
    let operand = |(i, input): (usize, &Input)| match input {
        Input::Weak(scalar) => scalar.operand(),
        Input::Array(array) => Operand::Expr(match origin {
            Origin::Constants => graph.constant_value(array.to_value()),
            Origin::Inputs => graph.input_of(&format!("x{i}"), array.dtype(), array.shape.clone()),
        }),
    };
    let operands: Vec<Operand<'_>> = case.inputs.iter().enumerate().map(operand).collect();
    let result = build(&graph, &case.op, &operands, &case.params);
    let mut outputs = vec![result];
    if let Some(weights) = &case.weights {
        let loss = (result * graph.constant_value(weights.to_value())).sum(..);
        let is_float = |expr: &Expr<'_>| expr.dtype().is_float();
        let exprs = operands.iter().filter_map(|operand| match operand {
            Operand::Expr(expr) => Some(*expr),
            Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => None,
        });
        outputs.extend(grad(loss, exprs.filter(is_float).collect::<Vec<_>>()));
    }
    let plan = Plan::new(outputs.iter().enumerate().map(|(i, output)| (format!("y{i}"), *output)))?;
    let mut run = plan.bind();
    for (i, input) in case.inputs.iter().enumerate() {
        if let (Origin::Inputs, Input::Array(array)) = (origin, input) {
            run = run.feed(format!("x{i}"), array.to_value());
        }
    }
    let out = run.run()?;
    (0..outputs.len()).map(|i| Ok(Array::from_value(&out.value(format!("y{i}"))?))).collect()
}

/// What is wrong with the case, if anything.
fn check(case: &Case, origin: Origin) -> Result<(), String> {
    let found = evaluate(case, origin);
    match (&case.error, found) {
        (Some(text), Err(error)) if error.to_string().contains(text) => Ok(()),
        (Some(text), Err(error)) => Err(format!("the error is `{error}`, not `{text}`")),
        (Some(text), Ok(found)) => Err(format!("no error `{text}`, but {:?}", found[0])),
        (None, Err(error)) => Err(error.to_string()),
        (None, Ok(found)) => {
            let names = ["result".to_owned()].into_iter();
            let names = names.chain((0..).map(|i| format!("gradient {i}")));
            let expected = &case.expected;
            if found.len() != expected.len() {
                return Err(format!("{} outputs are expected, {} were found", expected.len(), found.len()));
            }
            for ((name, found), expected) in names.zip(&found).zip(expected) {
                found.compare(expected).map_err(|difference| format!("{name}: {difference}"))?;
            }
            Ok(())
        }
    }
}

#[test]
fn every_op_gives_what_the_reference_systems_give() {
    let mut failures = Vec::new();
    for case in cases() {
        for origin in [Origin::Constants, Origin::Inputs] {
            if let Err(failure) = check(&case, origin) {
                failures.push(format!("{case} with {origin:?}: {failure}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn where_a_system_is_said_to_differ_it_does() {
    for case in cases() {
        let differs = match &case.gave {
            None => continue,
            Some(Err(_)) => case.error.is_none(),
            Some(Ok(gave)) => {
                case.error.is_some()
                    || gave.len() != case.expected.len()
                    || gave.iter().zip(&case.expected).any(|(gave, expected)| gave.compare(expected).is_err())
            }
        };
        assert!(differs, "{case}: {} gave what is expected", case.system);
        assert!(!case.differs.is_empty(), "{case}: no reason is given");
    }
}

#[test]
fn every_op_has_three_cases_and_all_together_four_hundred() {
    let cases = cases();
    let functions = || Unary::BUILDERS.iter().map(|builder| Op::from(builder.op).name());
    let mut ops: BTreeMap<&str, usize> = OPS.iter().copied().chain(functions()).map(|op| (op, 0)).collect();
    let mut systems: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut dtypes: BTreeMap<DType, usize> = BTreeMap::new();
    for case in &cases {
        *ops.get_mut(case.op.as_str()).unwrap_or_else(|| panic!("{case}: `OPS` has no such op")) += 1;
        for system in case.system.split_whitespace() {
            let [all, gradients, differing] = systems.entry(system).or_default();
            *all += 1;
            *gradients += usize::from(case.weights.is_some() && system != "numpy");
            *differing += usize::from(case.gave.is_some());
        }
        for input in &case.inputs {
            if let Input::Array(array) = input {
                *dtypes.entry(array.dtype()).or_default() += 1;
            }
        }
    }
    println!("{}", REFERENCE.lines().next().unwrap_or_default());
    for (system, [all, gradients, differing]) in systems {
        println!("{system}: {all} cases, {gradients} with gradients, {differing} in which it differs");
    }
    println!("all: {} cases of {} ops; operands by dtype: {dtypes:?}", cases.len(), ops.len());
    println!("{ops:?}");
    let asked: Vec<&str> = functions().filter(|op| ops[op] > 0).collect();
    assert!(asked.len() >= FUNCTIONS, "there are cases of {} functions only", asked.len());
    let few: Vec<_> = OPS.iter().chain(&asked).filter(|op| ops[**op] < 3).collect();
    assert!(few.is_empty(), "fewer than three cases: {few:?}");
    assert!(cases.len() >= 400, "there are {} cases", cases.len());
    assert!(DType::ALL.iter().all(|dtype| dtypes.contains_key(dtype)), "a dtype has no case: {dtypes:?}");
}
