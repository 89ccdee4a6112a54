//! The algebra of masks.

use tamis_graph::{DType, Expr, Graph, Logic, Op, where_};

use super::dtypes::{self, Data, values};
use super::{bits_of, check, check_exact, check_one, check_stays, simple};
use crate::Plan;
use crate::simplify::simplify;

type Join = for<'g> fn(Expr<'g>, Expr<'g>) -> Expr<'g>;

const JOINS: [(&str, Join); 3] = [("and", |a, b| a & b), ("or", |a, b| a | b), ("xor", |a, b| a ^ b)];

/// How many junctions and choices an expression is made of.
fn junctions(expr: Expr<'_>) -> usize {
    let graph = expr.graph();
    let is_junction = |id| {
        let node = graph.node(id);
        matches!(node.op(), Op::Logic(Logic::And | Logic::Or | Logic::Xor) | Op::Select(_))
    };
    graph.ancestors(&[expr.id()]).into_iter().filter(|id| is_junction(*id)).count()
}

fn is_literal(expr: Expr<'_>, value: bool) -> bool {
    let literal = expr.graph().full(expr.shape(), value);
    expr.id() == literal.id()
}

/// Every junction of two of the masks has the bits of the reference. What is
/// always true or always false becomes a literal, what is one of the two no junction.
#[track_caller]
fn check_junctions<'g>(graph: &'g Graph, masks: &[Expr<'g>], data: &Data, dtype: DType, is_complete: bool) {
    graph.check().unwrap();
    let mut joined: Vec<(usize, usize, &str, Expr<'g>)> = Vec::new();
    for (i, a) in masks.iter().enumerate() {
        for (j, b) in masks.iter().enumerate().skip(i) {
            joined.extend(JOINS.iter().map(|(name, join)| (i, j, *name, join(*a, *b))));
        }
    }
    let outputs = || {
        let single = masks.iter().enumerate().map(|(i, mask)| (format!("{i}"), *mask));
        single.chain(joined.iter().map(|(i, j, name, expr)| (format!("{i} {name} {j}"), *expr)))
    };
    let fused = data.run(&Plan::new(outputs()).unwrap(), dtype).unwrap();
    let written = data.run(&Plan::new(outputs()).unwrap().reference(), dtype).unwrap();
    for (name, expr) in outputs() {
        let text = || graph.describe(expr.id());
        assert_eq!(bits_of(&fused, &name, DType::Bool), bits_of(&written, &name, DType::Bool), "{}", text());
    }
    let roots: Vec<Expr<'g>> = joined.iter().map(|(.., expr)| *expr).collect();
    for ((i, j, name, expr), found) in joined.iter().zip(simplify(graph, &roots)) {
        let bits = |name: &str| bits_of(&written, name, DType::Bool).1;
        let table = bits(&format!("{i} {name} {j}"));
        let text = format!("{dtype}: {} became {}", graph.describe(expr.id()), graph.describe(found.id()));
        assert!(junctions(found) <= junctions(*expr), "{text}");
        let of_compound = *name == "xor" && junctions(masks[*i]) + junctions(masks[*j]) > 0;
        let is_complete = is_complete && !of_compound;
        if is_complete && table.iter().all(|bit| *bit == table[0]) {
            assert!(is_literal(found, table[0] == 1), "{text}");
        } else if is_complete
            && *name != "xor"
            && (table == bits(&i.to_string()) || table == bits(&j.to_string()))
        {
            let most = junctions(masks[*i]).max(junctions(masks[*j]));
            assert!(junctions(found) <= most, "{text}");
        }
    }
}

#[test]
fn junctions_of_masks() {
    let graph = Graph::new();
    let i = dtypes::Inputs::new(&graph, DType::Bool);
    let (a, b, c) = (i.a, i.b, i.c);
    let masks =
        [a, b, !a, !b, i.full(true), i.full(false), a & b, a | b, !a & b, a | !b, a & b & c, a | b | c];
    check_junctions(&graph, &masks, &dtypes::pairs(DType::Bool), DType::Bool, true);
    let graph = Graph::new();
    let i = dtypes::Inputs::new(&graph, DType::Bool);
    let (a, b, c) = (i.a, i.b, i.c);
    let others = [
        a ^ b,
        !(a ^ b),
        (a & b) | c,
        (a | b) & !c,
        where_(a, b, c),
        where_(a, true, b),
        where_(a, !b, true),
        a.eq(b),
        a.lt(b),
        !a ^ c,
    ];
    check_junctions(&graph, &others, &dtypes::pairs(DType::Bool), DType::Bool, false);
}

/// All questions that can be asked of `x` with a few literals, and their complements.
fn questions<'g>(i: &dtypes::Inputs<'g>, literals: &[f64]) -> Vec<Expr<'g>> {
    let mut masks = Vec::new();
    for literal in literals {
        let literal = i.literal(*literal);
        let x = i.x;
        masks.extend([
            x.eq(literal),
            x.ne(literal),
            x.lt(literal),
            x.le(literal),
            x.gt(literal),
            x.ge(literal),
        ]);
    }
    masks.extend([i.x.is_nan(), i.x.is_finite(), i.x.is_inf()]);
    masks.extend(masks.clone().into_iter().map(|mask| !mask));
    masks
}

#[test]
fn junctions_of_comparisons_with_literals() {
    const LITERALS: [(DType, &[f64]); 6] = [
        (DType::Bool, &[0.0, 1.0]),
        (DType::U8, &[0.0, 1.0, 2.0, 255.0]),
        (DType::I32, &[i32::MIN as f64, -1.0, 0.0, i32::MAX as f64]),
        (DType::I64, &[i64::MIN as f64, 0.0, 1.0, i64::MAX as f64]),
        (DType::F32, &[-0.0, 1.0, f64::INFINITY, f64::NAN]),
        (DType::F64, &[f64::NEG_INFINITY, 0.0, 5e-324, 1.0]),
    ];
    for (dtype, literals) in LITERALS {
        let graph = Graph::new();
        let i = dtypes::Inputs::new(&graph, dtype);
        let values = values(dtype);
        let n = values.len();
        let data =
            Data { x: values.clone(), y: values, masks: [vec![true; n], vec![true; n], vec![true; n]] };
        // These literals can only distinguish the edges of wide dtypes.
        check_junctions(&graph, &questions(&i, literals), &data, dtype, true);
    }
}

#[test]
fn junctions_of_comparisons_of_two() {
    for dtype in [DType::Bool, DType::U8, DType::I32, DType::I64, DType::F32, DType::F64] {
        let graph = Graph::new();
        let i = dtypes::Inputs::new(&graph, dtype);
        let (x, y) = (i.x, i.y);
        let mut masks = vec![x.eq(y), x.ne(y), x.lt(y), x.le(y), x.gt(y), x.ge(y), y.lt(x), y.ge(x)];
        masks.extend(masks.clone().into_iter().map(|mask| !mask));
        check_junctions(&graph, &masks, &dtypes::pairs(dtype), dtype, true);
        let graph = Graph::new();
        let x = dtypes::Inputs::new(&graph, dtype).x;
        let of_itself = [x.eq(x), x.ne(x), x.lt(x), x.ge(x), !x.le(x)];
        check_junctions(&graph, &of_itself, &dtypes::pairs(dtype), dtype, true);
    }
}

#[test]
fn complements_are_all_or_nothing() {
    check(|i| (i.a | !i.a, i.graph.full(i.a.shape(), true)));
    check(|i| (i.a & !i.a, i.graph.full(i.a.shape(), false)));
    check(|i| (i.a ^ !i.a, i.graph.full(i.a.shape(), true)));
    check(|i| (i.a ^ (i.x.gt(0.0) & i.a) ^ i.a, i.x.gt(0.0) & i.a));
    check(|i| (!i.a ^ !i.b, i.a ^ i.b));
    check(|i| ((i.a & i.b) & (i.x.gt(0.0) & !i.a), i.graph.full(i.a.shape(), false)));
    check(|i| (i.a.unsqueeze(1) | (!i.a).unsqueeze(1), i.graph.full(i.a.unsqueeze(1).shape(), true)));
    check_stays(|i| !(i.a ^ i.b));
    check_stays(|i| (!i.a).unsqueeze(1) | i.rows.gt(0.0));
}

#[test]
fn absorption_and_what_is_left_of_it() {
    check(|i| (i.a & i.x.gt(0.0) & i.a, i.a & i.x.gt(0.0)));
    check(|i| (i.b & (i.a | (i.b | i.x.gt(0.0))), i.b));
    check(|i| (i.b | (i.a & (i.b & i.x.gt(0.0))), i.b));
    check(|i| (i.a & (!i.a | i.b), i.a & i.b));
    check(|i| (i.a | (!i.a & i.b), i.a | i.b));
    check(|i| (i.x.gt(1.0) & (i.x.gt(0.0) | i.a), i.x.gt(1.0)));
    check(|i| (i.x.lt(0.0) & (i.x.gt(0.0) | i.a), i.x.lt(0.0) & i.a));
    check_stays(|i| i.x.gt(0.0) & (i.x.gt(1.0) | i.a));
}

#[test]
fn comparisons_of_one_operand_imply_each_other() {
    check(|i| (i.x.gt(1.0) & i.x.gt(0.0), i.x.gt(1.0)));
    check(|i| (i.x.gt(1.0) | i.x.gt(0.0), i.x.gt(0.0)));
    check(|i| (i.x.lt(0.0) & i.x.gt(1.0), i.graph.full(i.x.shape(), false)));
    check(|i| (i.x.eq(1.0) & i.x.ne(2.0), i.x.eq(1.0)));
    check(|i| (i.x.gt(0.0) & !i.x.is_nan(), i.x.gt(0.0)));
    check(|i| (i.x.is_finite() | i.x.is_inf() | i.x.is_nan(), i.graph.full(i.x.shape(), true)));
    check(|i| (i.x.lt(1.0) | i.x.eq(1.0), i.x.le(1.0)));
    check(|i| (i.x.le(i.y) & i.y.le(i.x), i.x.eq(i.y)));
    check(|i| (i.i.le(0) | i.i.gt(0), i.graph.full(i.i.shape(), true)));
    check(|i| (i.i.gt(0) & i.i.lt(2) & i.i.ne(1), i.graph.full(i.i.shape(), false)));
    check(|i| (i.i.ge(1) & i.i.gt(0) & i.a, i.i.ge(1) & i.a));
    // NaN is neither.
    check_stays(|i| i.x.le(0.0) | i.x.gt(0.0));
    check_stays(|i| i.x.gt(0.0) & i.y.gt(1.0));
    check_stays(|i| i.x.gt(0.0) & i.x.lt(1.0));
    // Counts rely on complements.
    check_stays(|i| !i.x.eq(0.0));
}

#[test]
fn choices_of_masks_are_logic() {
    check(|i| (where_(i.a, true, i.b), i.a | i.b));
    check(|i| (where_(i.a, i.b, true), !i.a | i.b));
    check(|i| (where_(i.a, false, i.b), !i.a & i.b));
    check(|i| (where_(i.a, i.a, i.b), i.a | i.b));
    check(|i| (where_(i.a, i.b, i.a), i.a & i.b));
    check(|i| (where_(i.a, false, true), !i.a));
    check(|i| (i.a.eq(true), i.a));
    check(|i| (i.a.ne(true), !i.a));
    check(|i| ((i.a | !i.a).all(..), i.graph.scalar(true)));
    check(|i| ((i.a & !i.a).any(..), i.graph.scalar(false)));
    check_stays(|i| where_(i.a, i.b, i.x.gt(0.0)));
}

#[test]
fn sizes_follow_the_masks_that_they_count() {
    check(|i| (i.x.boolean_mask(i.a | !i.a), i.x));
    check(|i| (i.rows.boolean_mask(i.a | !i.a).unmask(i.a | !i.a, 0.0), i.rows));
    check(|i| {
        let [wide, narrow] = [i.x.gt(1.0) & i.x.gt(0.0), i.x.gt(1.0)];
        (i.x.boolean_mask(wide).sort(0), i.x.boolean_mask(narrow).sort(0))
    });
    check(|i| (i.graph.size(i.x.boolean_mask(i.a & !i.a).dim(0)), i.graph.scalar(0_i64)));
    // The guard between the two lengths is always true.
    check(|i| {
        let [long, short] = [i.x.gt(1.0) & i.x.gt(0.0), i.x.gt(1.0)].map(|m| i.x.boolean_mask(m).sort(0));
        (long.exp() * short, short.exp() * short)
    });
    check_one(|i| vec![i.x.masked(i.x.gt(1.0) & i.x.gt(0.0)).mean(..), i.x.masked(i.x.gt(1.0)).mean(..)]);
}

#[test]
fn no_error_is_left_out() {
    check_stays(|i| {
        let fails = (i.i % i.j).gt(0);
        fails | !fails
    });
    check_stays(|i| {
        let fails = (i.i % i.j).gt(0);
        fails ^ (fails ^ i.a)
    });
    check_stays(|i| i.a & (!i.a & (i.i % i.j).gt(0)));
    check_stays(|i| i.a & (i.b | i.a | (i.i % i.j).gt(0)));
    // The operand that may fail is still asked.
    check(|i| {
        let divided = i.i % i.j;
        (divided.gt(1) & divided.gt(0), divided.gt(1))
    });
    let graph = Graph::new();
    let i = super::Inputs::new(&graph);
    let divided = i.i % i.j;
    check_exact(divided.gt(1) | divided.gt(0) | i.a);
    check_exact(i.a & (divided.gt(0) | divided.le(0)));
}

/// A step of a chain is compared with a few terms before it, not with all.
#[test]
fn a_long_chain_takes_a_bounded_number_of_new_nodes_for_each_step() {
    let graph = Graph::new();
    let i = super::Inputs::new(&graph);
    let (mut all, mut some, mut parity) = (i.a, i.b, i.a);
    for step in 0..1_000 {
        let mask = i.x.gt(f64::from(step * 7 % 11)) & !i.y.lt(f64::from(step));
        all &= mask;
        some |= !mask & i.a;
        parity = parity ^ mask ^ !i.a;
    }
    let before = graph.len();
    let _found = simplify(&graph, &[all, some, parity]);
    assert!(graph.len() < 3 * before, "{before} nodes became {}", graph.len());
    assert_ne!(simple(all).id(), all.id());
}
