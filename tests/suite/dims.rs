//! Laws of lengths: which are known to be equal while building, where a guard
//! has to decide, and that every run finds the lengths that were inferred.

use ndarray::{Array1, Array2};
use tamis::graph::Comparison;
use tamis::prelude::*;
use tamis::{Dim, ErrorKind, Slice, Value};

use crate::array::{numbers, value};
use crate::random::Random;
use crate::run::{Failure, name, values, values_as_inferred};

/// How many guards the graph holds, as it is printed.
fn guards(graph: &Graph) -> usize {
    graph.to_string().matches(" = guard(").count()
}

/// Inputs `x: f64[n, k]` and masks `m, p: bool[n, k]`.
struct Matrices<'g> {
    graph: &'g Graph,
    x: Expr<'g>,
    m: Expr<'g>,
    p: Expr<'g>,
}

impl<'g> Matrices<'g> {
    fn new(graph: &'g Graph) -> Matrices<'g> {
        let shape = || dims!["n", "k"];
        Matrices {
            graph,
            x: graph.input::<f64>(&name(0), shape()),
            m: graph.input::<bool>(&name(1), shape()),
            p: graph.input::<bool>(&name(2), shape()),
        }
    }

    /// Random feeds of several sizes, with masks of all, of no elements, and of
    /// something.
    fn feeds() -> Vec<[Value; 3]> {
        let mut random = Random::new(11);
        let mut feeds = Vec::new();
        for shape in [(0, 0), (0, 2), (2, 0), (1, 1), (1, 3), (3, 1), (3, 2), (4, 5)] {
            for kind in 0..4 {
                let mut mask =
                    || Array2::from_shape_simple_fn(shape, || kind == 0 || kind > 1 && random.coin());
                let (m, p) = (value(mask()), value(mask()));
                feeds.push([value(Array2::from_shape_simple_fn(shape, || random.whole())), m, p]);
            }
        }
        feeds
    }

    /// Asserts that the graph needs no guard, and that every run finds what is inferred.
    #[track_caller]
    fn assert_proved(&self, exprs: &[Expr<'g>]) {
        self.graph.check().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(guards(self.graph), 0, "{}", self.graph);
        for feeds in Matrices::feeds() {
            values_as_inferred(exprs, &feeds).unwrap_or_else(|failure| panic!("{failure:?} of {feeds:?}"));
        }
    }
}

/// Asserts that all have one length, which adding them up does not guard.
#[track_caller]
fn assert_one_length(vectors: &[Expr<'_>]) {
    for vector in vectors {
        let (first, other) = (vectors[0].dim(0), vector.dim(0));
        assert_eq!(first.compare(&other), Comparison::Equal, "{first} and {other}");
        let _sum = *vector + vectors[0];
    }
}

/// The named length.
fn dim(graph: &Graph, size: &str) -> Dim {
    graph.full(dims![size], 0).dim(0)
}

#[test]
fn a_mask_written_in_any_way_gives_one_length() {
    let graph = Graph::new();
    let all = Matrices::new(&graph);
    let Matrices { x, m, p, .. } = all;
    let kept = [
        x.boolean_mask(m & p),
        x.boolean_mask(p & m),
        x.boolean_mask(!!(m & p)),
        x.boolean_mask((m & p) | (m & p)),
        x.boolean_mask(m).boolean_mask(p.boolean_mask(m)),
        x.boolean_mask(p).boolean_mask(m.boolean_mask(p)),
        x.flatten().boolean_mask((p & m).flatten()),
        x.transpose().boolean_mask((m & p).transpose()),
        x.unsqueeze(1).boolean_mask((m & p).unsqueeze(1)),
        x.boolean_mask(where_(m, p, false)),
        x.boolean_mask(p.boolean_mask(m).unmask(m, false)),
        x.gather_nd((m & p).argwhere()),
        x.flatten().gather((m & p).flatten().nonzero()[0], 0),
        x.masked_select(m & p),
    ];
    assert_one_length(&kept);
    all.assert_proved(&kept);
}

#[test]
fn numbers_are_counted_where_they_are_not_zero() {
    let graph = Graph::new();
    let all = Matrices::new(&graph);
    let x = all.x;
    let kept = [
        x.boolean_mask(x.ne(0)),
        x.gather_nd(x.argwhere()),
        x.flatten().gather(x.ne(0).flatten().nonzero()[0], 0),
    ];
    assert_one_length(&kept);
    all.assert_proved(&kept);
}

#[test]
fn a_complement_counts_what_the_mask_leaves() {
    let graph = Graph::new();
    let all = Matrices::new(&graph);
    let Matrices { x, m, p, .. } = all;
    let size = dim(&graph, "n").mul(&dim(&graph, "k")).unwrap();
    let mut parts = Vec::new();
    for mask in [m, !m, m & p, m | p, m ^ p] {
        let both = graph.concat([x.boolean_mask(mask), x.boolean_mask(!mask)], 0);
        assert_eq!(both.dim(0), size, "{both}");
        parts.push(both + x.flatten());
    }
    let rows = m.any(1);
    let both = graph.concat([x.boolean_mask(rows), x.boolean_mask(!rows)], 0);
    assert_eq!(both.shape(), x.shape());
    parts.push(both * x);
    all.assert_proved(&parts);
}

#[test]
fn a_broadcast_mask_counts_every_repetition() {
    let graph = Graph::new();
    let all = Matrices::new(&graph);
    let (x, rows) = (all.x, all.m.any(1));
    let each = x.boolean_mask(rows);
    let (columns, count) = (dim(&graph, "k"), each.dim(0));
    let elements = x.masked_select(rows.unsqueeze(1));
    assert_eq!(elements.dim(0), count.mul(&columns).unwrap());
    let thrice = rows.broadcast_to(dims![3, "n"]).argwhere();
    assert_eq!(thrice.dim(0).to_string(), format!("3*{count}"));
    // Elements of selected rows are those rows, flat.
    all.assert_proved(&[each.flatten() + elements, thrice, elements.reshape(dims![count, "k"]) + each]);
}

#[test]
fn literal_masks_have_known_counts() {
    let graph = Graph::new();
    let mask = graph.constant([[true, false], [true, true]]);
    let x = graph.constant([[1.0, 2.0], [3.0, 4.0]]);
    let lengths = [
        (x.boolean_mask(mask), 3),
        (x.boolean_mask(!mask), 1),
        (x.boolean_mask(mask.transpose()), 3),
        (x.boolean_mask(graph.zeros::<bool>([2, 2])), 0),
        (x.boolean_mask(graph.ones::<bool>([2])), 2),
        (x.boolean_mask(graph.scalar(true)), 1),
    ];
    for (kept, length) in lengths {
        assert_eq!(kept.dim(0).known(), Some(length), "{kept}");
        values_as_inferred(&[kept], &[]).unwrap();
    }
    let wrong = x.boolean_mask(mask) + graph.zeros::<f64>([2]);
    assert!(wrong.is_poisoned());
}

#[test]
fn a_length_that_is_unknown_is_guarded_once() {
    let graph = Graph::new();
    let Matrices { x, m, p, .. } = Matrices::new(&graph);
    let (a, b) = (x.boolean_mask(m), x.boolean_mask(p));
    let sum = a + b;
    assert_eq!(guards(&graph), 1, "{graph}");
    // The result has one of both lengths, and what is written again is known.
    let (again, with_a, with_b) = (a + b, sum + a, sum + b);
    assert_eq!(again.id(), sum.id());
    assert_eq!(guards(&graph), 1, "{graph}");
    assert_one_length(&[sum, with_a, with_b]);

    let few = [value([[1.0, 2.0]]), value([[true, false]]), value([[false, true]])];
    values_as_inferred(&[with_a, with_b], &few).unwrap();
    let apart = [value([[1.0, 2.0]]), value([[true, true]]), value([[false, true]])];
    for expr in [sum, with_a, with_b, grad(sum.sum(..), x)] {
        assert_length_mismatch(expr, &apart);
    }
}

#[track_caller]
fn assert_length_mismatch(expr: Expr<'_>, feeds: &[Value]) {
    let error = values(&[expr], feeds).expect_err("the lengths differ");
    let kind = error.reports()[0].kind();
    assert!(matches!(kind, ErrorKind::LengthMismatch { .. }), "{error}");
}

#[test]
fn lengths_are_equal_different_or_unknown() {
    let graph = Graph::new();
    let [n, k] = ["n", "k"].map(|name| dim(&graph, name));
    let one = Dim::ONE;
    let next = n.add(&one).unwrap();
    let both = n.add(&k).unwrap();
    assert_eq!(both.compare(&k.add(&n).unwrap()), Comparison::Equal);
    assert_eq!(n.compare(&next), Comparison::Different);
    assert_eq!(both.compare(&both.add(&Dim::from(2)).unwrap()), Comparison::Different);
    assert_eq!(both.add(&one).unwrap().compare(&n), Comparison::Different);
    for (a, b) in [(&n, &k), (&n, &both), (&n, &Dim::from(3)), (&n, &Dim::ZERO), (&next, &k)] {
        assert_eq!(a.compare(b), Comparison::Unknown, "{a} and {b}");
    }
}

#[test]
fn lengths_that_differ_in_every_run_are_an_error() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let longer = graph.concat([x, graph.zeros::<f64>([1])], 0);
    assert_eq!(longer.dim(0).to_string(), "n + 1");
    assert!((x + longer).is_poisoned());
    let kept = x.boolean_mask(x.gt(0.0));
    assert!((kept + graph.concat([kept, kept.sum(keep(0))], 0)).is_poisoned());
    assert_eq!(guards(&graph), 0);
}

#[test]
fn an_inferred_size_is_exact_where_it_divides() {
    let graph = Graph::new();
    let x = graph.input::<f64>(&name(0), dims!["n", "k"]);
    let sizes = [
        (x.flatten(), "[n*k]"),
        (x.reshape(dims![-1, "k"]), "[n, k]"),
        (x.reshape(dims!["k", -1]), "[k, n]"),
        (graph.concat([x, x, x], 1).reshape(dims![-1, 3]), "[n*k, 3]"),
        (graph.concat([x, x], 0).reshape(dims![2, -1, "k"]), "[2, n, k]"),
        (x.unsqueeze(0).reshape(dims!["n", 1, -1]), "[n, 1, k]"),
        (x.flatten().reshape(dims!["n", "k"]), "[n, k]"),
    ];
    for (reshaped, shape) in &sizes {
        let found: Vec<String> = reshaped.shape().iter().map(Dim::to_string).collect();
        let expected = shape.replace("n*k", "k*n");
        assert!([*shape, &expected].contains(&format!("[{}]", found.join(", ")).as_str()), "{reshaped}");
    }
    assert_eq!(guards(&graph), 0, "{graph}");
    for shape in [(0, 2), (2, 0), (1, 3), (3, 2)] {
        let feeds = [value(Array2::<f64>::ones(shape))];
        let exprs: Vec<Expr<'_>> = sizes.iter().map(|(reshaped, _)| *reshaped).collect();
        values_as_inferred(&exprs, &feeds).unwrap();
    }
    // A selection and one row more: (count + 1)·k elements.
    let longer = graph.concat([x.boolean_mask(x.slice_axis(0, 1).gt(0.0)), x.slice([..1])], 0);
    let back = longer.flatten().reshape(dims![longer.dim(0), "k"]) + longer;
    assert_eq!(guards(&graph), 0, "{graph}");
    values_as_inferred(&[back], &[value(Array2::<f64>::ones((2, 3)))]).unwrap();
}

#[test]
fn an_inferred_size_that_may_not_divide_is_found_by_the_run() {
    let graph = Graph::new();
    let x = graph.input::<f64>(&name(0), dims!["n"]);
    let pairs = x.reshape([-1, 2]);
    assert!(graph.check().is_ok());
    for n in [0, 2, 6] {
        let found = values_as_inferred(&[pairs], &[value(Array1::<f64>::ones(n))]).unwrap();
        assert_eq!(found[0].shape(), [n / 2, 2]);
    }
    let odd = values_as_inferred(&[pairs], &[value(Array1::<f64>::ones(3))]);
    assert!(matches!(odd, Err(Failure::Run(_))), "{odd:?}");
    // The same inferred size, written twice, is one length.
    let before = guards(&graph);
    let again = x.reshape([-1, 2]) * pairs;
    assert_eq!(guards(&graph), before, "{graph}");
    assert_eq!(again.shape(), pairs.shape());
}

#[test]
fn slices_of_one_length_are_known_to_be() {
    let graph = Graph::new();
    let x = graph.input::<f64>(&name(0), dims!["n"]);
    let by = |step| Slice::from(..).by(step);
    let pairs = [
        (x.slice([1..]), x.slice([..-1])),
        (x.slice([2..]), x.slice([1..]).slice([1..])),
        (x.slice([2..]), x.slice([1..-1])),
        (x.slice([..-2]), x.slice([..-1]).slice([..-1])),
        (x.slice([3..]), x.slice([1..]).slice([1..-1])),
        (x.slice([..]), x.slice([by(-1)])),
        (x.slice([1..]), x.slice([..-1]).slice([by(-1)])),
        (x.slice([by(2)]), x.slice([by(1)]).slice([by(2)])),
        (x.slice([by(6)]), x.slice([by(2)]).slice([by(3)])),
        (x.slice([..3]), x.slice([..3]).slice([by(-1)])),
        (x.slice([-3..]), x.slice([..3])),
        (x.slice([Slice::from(1..).by(2)]), x.slice([1..]).slice([by(2)])),
    ];
    let sums: Vec<Expr<'_>> = pairs.into_iter().map(|(a, b)| a + b).collect();
    graph.check().unwrap();
    assert_eq!(guards(&graph), 0, "{graph}");
    for n in 0..7 {
        let feeds = [value(Array1::from_shape_fn(n, |i| i as f64))];
        values_as_inferred(&sums, &feeds).unwrap_or_else(|failure| panic!("{n}: {failure:?}"));
    }
    let found = values(&sums[..1], &[value([1.0, 2.0, 4.0])]).unwrap();
    assert_eq!(numbers(&found[0]), [3.0, 6.0]);
}

/// The indices of `start:stop:step` in an axis of length `n`, as Python counts them.
fn indices(n: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<f64> {
    let inside =
        |bound: i64, low: i64, high: i64| if bound < 0 { (bound + n).max(low) } else { bound.min(high) };
    let (first, last) = if step > 0 { (0, n) } else { (n - 1, -1) };
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let mut index = start.map_or(first, |start| inside(start, low, high));
    let stop = stop.map_or(last, |stop| inside(stop, low, high));
    let mut indices = Vec::new();
    while if step > 0 { index < stop } else { index > stop } {
        indices.push(index as f64);
        index += step;
    }
    indices
}

#[test]
fn slices_take_what_python_takes_whatever_is_known_of_the_length() {
    let mut random = Random::new(5);
    for _ in 0..400 {
        let mut bound = || random.coin().then(|| random.below(15) as i64 - 7);
        let (start, stop) = (bound(), bound());
        let step = *random.pick(&[1, 1, 2, 3, -1, -2, -3]);
        let slice = Slice::new(start, stop, step);
        let graph = Graph::new();
        let x = graph.input::<f64>(&name(0), dims!["n"]);
        let (sliced, gradient) = (x.slice(&slice), grad(x.slice(&slice).sum(..), x));
        for n in 0..6 {
            let feeds = [value(Array1::from_shape_fn(n, |i| i as f64))];
            let found = values_as_inferred(&[sliced, gradient], &feeds)
                .unwrap_or_else(|failure| panic!("{slice:?} of {n}: {failure:?}"));
            let expected = indices(n as i64, start, stop, step);
            assert_eq!(numbers(&found[0]), expected, "{slice:?} of {n}");
            let taken: Vec<f64> =
                (0..n).map(|i| f64::from(u8::from(expected.contains(&(i as f64))))).collect();
            assert_eq!(numbers(&found[1]), taken, "the gradient of {slice:?} of {n}");

            let known = Graph::new();
            let x = known.input::<f64>(&name(0), [n]).slice(&slice);
            assert_eq!(x.dim(0).known(), Some(expected.len()), "{slice:?} of {n}");
            assert_eq!(numbers(&values(&[x], &feeds).unwrap()[0]), expected, "{slice:?} of {n}");
        }
    }
}

/// Bounds that are lengths take what the same numbers take, whatever the lengths are.
#[test]
fn slices_by_lengths_are_slices_by_numbers() {
    for step in [1, 2, -1, -3] {
        let graph = Graph::new();
        let x = graph.input::<f64>(&name(0), dims!["n"]);
        let [a, b] = [1, 2].map(|i| graph.input::<f64>(&name(i), dims![format!("n{i}").as_str()]).dim(0));
        let slices = [
            Slice::from(&a..&b),
            Slice::from(&a..),
            Slice::from(..&b),
            Slice::span(&a, 2),
            Slice::span(2, &b),
            Slice::span(-2, &b),
            Slice::span(&a, -1),
        ];
        let sliced = slices.map(|slice| x.slice([slice.by(step)]));
        assert_eq!(guards(&graph), 0);
        for [n, a, b] in (0..5 * 5 * 5).map(|i| [i / 25, i / 5 % 5, i % 5]) {
            let vector = |n: i64| value(Array1::from_iter((0..n).map(|i| i as f64)));
            let found = values_as_inferred(&sliced, &[n, a, b].map(vector)).unwrap();
            let bounds = [
                (Some(a), Some(b)),
                (Some(a), None),
                (None, Some(b)),
                (Some(a), Some(2)),
                (Some(2), Some(b)),
                (Some(-2), Some(b)),
                (Some(a), Some(-1)),
            ];
            for (found, (start, stop)) in found.iter().zip(bounds) {
                assert_eq!(numbers(found), indices(n, start, stop, step), "{n} by {start:?}:{stop:?}:{step}");
            }
        }
    }
}

/// A selection is never longer than what it selects from, so that its count
/// needs no clamping.
#[test]
fn a_slice_to_the_count_of_a_mask_has_its_length() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", "k"]);
    let m = graph.input::<bool>("m", dims!["n"]);
    let count = &m.boolean_mask(m).dim(0);
    assert_eq!(x.slice(..count).dim(0), *count);
    assert_eq!(x.slice(count..).dim(0), x.boolean_mask(!m).dim(0));
    assert_ne!(x.slice((.., ..count)).dim(1), *count);
}

#[test]
fn counts_go_wherever_lengths_go() {
    let graph = Graph::new();
    let all = Matrices::new(&graph);
    let Matrices { x, m, .. } = all;
    let kept = x.boolean_mask(m);
    let count = kept.dim(0);
    let exprs = [
        graph.iota(count.clone()) + m.sum(..),
        graph.full(dims![count.clone(), 2], 1.0) * kept.unsqueeze(1),
        graph.zeros::<f64>(dims![count.clone()]) + kept,
        kept.sum(keep(0)).broadcast_to(dims![count.clone()]) - kept,
        graph.concat([kept, kept], 0).reshape(dims![2, -1]) * kept,
        kept.slice([1..]) - kept.slice([..-1]),
        graph.stack([kept, kept], 1).sum(1) + kept,
        kept.unsqueeze(1).matmul(kept.unsqueeze(0)) + kept,
        kept.cumsum(0) * kept.softmax(0),
        kept.gather(graph.iota(count.clone()), 0) + kept,
        kept.scatter_add(graph.iota(count.clone()), kept, 0),
        graph.size(count) + m.count_nonzero(..) - 1,
    ];
    all.assert_proved(&exprs);
}

#[test]
fn gradients_have_the_lengths_of_what_they_are_taken_by() {
    let graph = Graph::new();
    let all = Matrices::new(&graph);
    let Matrices { x, m, p, .. } = all;
    let (rows, kept) = (m.any(1), x.boolean_mask(m));
    let losses = [
        kept.square().sum(..),
        kept.boolean_mask(p.boolean_mask(m)).exp().sum(..),
        x.boolean_mask(rows).matmul(x.transpose()).square().sum(..),
        graph.concat([kept, kept.slice([1..])], 0).square().sum(..),
        kept.slice([Slice::from(..).by(-2)]).cumsum(0).square().sum(..),
        x.slice((1.., ..-1)).flatten().softmax(0).square().sum(..),
        (kept.unmask(m, x) * x.masked(p).sum(keep(1))).sum(..),
        x.gather(rows.nonzero()[0], 0).square().mean(..),
    ];
    let mut exprs = Vec::new();
    for loss in losses {
        let dx = grad(loss, x);
        assert_eq!(dx.shape(), x.shape());
        exprs.extend([dx, grad(dx.square().sum(..), x)]);
    }
    all.assert_proved(&exprs);
}

#[test]
fn only_a_literal_one_broadcasts() {
    let graph = Graph::new();
    let x = graph.input::<f64>(&name(0), dims!["n"]);
    let y = graph.input::<f64>(&name(1), dims!["k"]);
    let one = graph.input::<f64>(&name(2), [1]);
    assert_eq!((x + one).shape(), x.shape());
    assert_eq!(guards(&graph), 0);
    let (sum, rows) = (x + y, x.unsqueeze(1) + y);
    assert_eq!(guards(&graph), 1, "{graph}");
    let feeds = |n, k| [Array1::<f64>::ones(n), Array1::ones(k), Array1::ones(1)].map(value);
    values_as_inferred(&[sum, rows, x + one], &feeds(3, 3)).unwrap();
    values_as_inferred(&[sum, rows, x + one], &feeds(0, 0)).unwrap();
    assert_eq!(values(&[x + one], &feeds(0, 2)).unwrap()[0].shape(), [0]);
    assert_eq!(values(&[rows], &feeds(1, 3)).unwrap()[0].shape(), [1, 3]);
    assert_length_mismatch(sum, &feeds(1, 3));
    assert_length_mismatch(sum, &feeds(3, 1));
    let wide = x.broadcast_to([3]);
    assert_length_mismatch(wide, &feeds(1, 1));
    assert_eq!(values(&[wide], &feeds(3, 1)).unwrap()[0].shape(), [3]);
}
