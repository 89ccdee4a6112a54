//! What was not selected gets exactly 0 and has no influence, whatever it holds and
//! whatever comes after, at the first and the second order.

use ndarray::{ArrayD, arr1};
use tamis::prelude::*;
use tamis::{along, hvp};

type Function = fn(Expr<'_>) -> Expr<'_>;
type Selection = for<'g> fn(Expr<'g>, Expr<'g>, Function) -> Expr<'g>;

const SELECTED: [bool; 4] = [false, true, false, true];

/// Functions with an infinite or undefined derivative somewhere.
const FUNCTIONS: [(&str, Function); 6] = [
    ("sqrt", |x| x.sqrt()),
    ("ln", |x| x.ln()),
    ("recip", |x| x.recip()),
    ("pow", |x| x.pow(0.3)),
    ("pow of itself", |x| x.pow(x)),
    ("quotient", |x| 1.0 / x.square()),
];

/// Ways to select by the mask `m`.
const SELECTIONS: [(&str, Selection); 9] = [
    ("where_", |x, m, f| where_(m, f(x), 0.0)),
    ("boolean_mask", |x, m, f| f(x).boolean_mask(m)),
    ("unmask", |x, m, f| f(x).boolean_mask(m).unmask(m, 1.0)),
    ("gather", |x, m, f| f(x).gather(m.argwhere().slice((.., 0)), 0)),
    ("gather_nd", |x, m, f| f(x).gather_nd(m.argwhere())),
    ("scatter_nd_set", |x, m, f| f(x).scatter_nd_set((!m).argwhere(), 1.0)),
    ("masked sum", |x, m, f| f(x).masked(m).sum(keep(0))),
    ("masked max", |x, m, f| f(x).masked(m).max(keep(0))),
    ("masked softmax", |x, m, f| f(x).masked(m).softmax(0)),
];

/// What may come after a selection.
const CHAINS: [(&str, Function); 7] = [
    ("nothing", |y| y),
    ("softmax", |y| y.softmax(0)),
    ("cumsum", |y| y.cumsum(along(0).exclusive().reverse()) + y),
    ("matmul", |y| y.unsqueeze(1).matmul(y.unsqueeze(0)).sin()),
    ("broadcast", |y| (y.unsqueeze(1) * y.unsqueeze(0)).tanh()),
    ("sum", |y| y / (1.0 + y.square().sum(..))),
    ("concat", |y| y.graph().concat([y, y.sum(keep(0))], 0).square()),
];

/// The gradient and the Hessian times a vector, where elements not selected hold
/// `unselected`.
fn derivatives(
    function: Function,
    selection: Selection,
    chain: Function,
    unselected: f64,
) -> [ArrayD<f64>; 2] {
    let graph = Graph::new();
    let good = [0.7, 1.3, 2.1, 0.9];
    let x =
        graph.constant(std::array::from_fn::<f64, 4, _>(|i| if SELECTED[i] { good[i] } else { unselected }));
    let y = chain(selection(x, graph.constant(SELECTED), function));
    let loss = (y.sin() + y).sum(..);
    let product = hvp(loss, x, graph.constant([0.3, -0.7, 0.9, 0.4]));
    [grad(loss, x), product].map(|result| result.eval().unwrap())
}

#[test]
fn what_is_not_selected_changes_no_derivative() {
    for (function_name, function) in FUNCTIONS {
        for (selection_name, selection) in SELECTIONS {
            for (chain_name, chain) in CHAINS {
                let expected = derivatives(function, selection, chain, 1.7);
                for unselected in [0.0, f64::NAN, f64::NEG_INFINITY] {
                    let found = derivatives(function, selection, chain, unselected);
                    let case = format!("{function_name}, {selection_name}, {chain_name}, {unselected}");
                    assert_eq!(found, expected, "{case}");
                    for element in [0, 2] {
                        assert_eq!([found[0][element], found[1][element]], [0.0, 0.0], "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn selected_elements_get_the_textbook_derivatives() {
    let graph = Graph::new();
    let x = graph.constant([0.0, 4.0]);
    let dx = grad(where_(x.gt(0.0), x.sqrt(), 0.0).sum(..), x);
    let dxx = grad(dx.sum(..), x);
    assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[0.0, 0.25]).into_dyn());
    assert_eq!(dxx.eval::<f64>().unwrap(), arr1(&[0.0, -0.03125]).into_dyn());
}

#[test]
fn only_the_last_of_duplicate_updates_gets_a_gradient() {
    let graph = Graph::new();
    let v = graph.constant([5.0, 6.0]);
    let written = graph.constant([0.0; 3]).scatter_set(graph.constant([1, 1]), v, 0);
    assert_eq!(grad(written.sum(..), v).eval::<f64>().unwrap(), arr1(&[0.0, 1.0]).into_dyn());
}

#[test]
fn an_exclusive_running_sum_does_not_use_its_last_element() {
    let graph = Graph::new();
    let x = graph.constant([4.0, 1.0, 0.0]);
    let dx = grad(x.sqrt().cumsum(along(0).exclusive()).sum(..), x);
    assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[0.5, 0.5, 0.0]).into_dyn());
}

#[test]
fn ties_share_the_gradient_of_a_maximum() {
    let graph = Graph::new();
    let x = graph.constant([3.0, 9.0, 3.0, 1.0]);
    let mask = graph.constant([true, false, true, true]);
    let dx = grad(x.masked(mask).max(..), x);
    assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[0.5, 0.0, 0.5, 0.0]).into_dyn());
}

#[test]
fn the_neutral_element_that_updates_meet_takes_part_in_no_tie() {
    let graph = Graph::new();
    let ids = graph.constant([0, 0, 1]);
    let x = graph.constant([f64::NEG_INFINITY, f64::NEG_INFINITY, 2.0]);
    for y in [x.segment_max(ids, 2), (-x).segment_min(ids, 2) * -1.0] {
        assert_eq!(grad(y.sum(..), x).eval::<f64>().unwrap(), arr1(&[0.5, 0.5, 1.0]).into_dyn());
    }
    // An element of the destination that no update meets keeps its own gradient.
    let x = graph.constant([f64::NEG_INFINITY, f64::NEG_INFINITY]);
    let v = graph.constant([f64::NEG_INFINITY]);
    let [dx, dv] = grad(x.scatter_max(graph.constant([1]), v, 0).sum(..), [x, v]);
    assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[1.0, 0.0]).into_dyn());
    assert_eq!(dv.eval::<f64>().unwrap(), arr1(&[1.0]).into_dyn());
    let [dx, dv] = grad(x.scatter_set_max(graph.constant([1]), v, 0).sum(..), [x, v]);
    assert_eq!(dx.eval::<f64>().unwrap(), arr1(&[1.0, 0.0]).into_dyn());
    assert_eq!(dv.eval::<f64>().unwrap(), arr1(&[1.0]).into_dyn());
}
