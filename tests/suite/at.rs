//! Entries at random against an oracle that finds every element by itself: reads,
//! and all ways to write, of values and of gradients.

use ndarray::ArrayD;
use tamis::prelude::*;
use tamis::{Ellipsis, Entry, NewAxis, Slice, Value};

use crate::array::numbers;
use crate::random::Random;
use crate::run::{name, values};

/// An entry with its numbers.
#[derive(Debug, Clone)]
enum Known {
    Integer(i64),
    Range(Option<i64>, Option<i64>, i64),
    Indices(ArrayD<i64>),
    Mask(ArrayD<bool>),
    Ellipsis,
    NewAxis,
}

/// The coordinates in `x` of every element of the read, in row-major order, and its shape.
struct Oracle {
    shape: Vec<usize>,
    coordinates: Vec<Vec<usize>>,
}

/// What one axis of the tensor takes its coordinate from.
enum Coordinate {
    /// An axis of the result that is not common: its own indices.
    Indices { position: usize, indices: Vec<usize> },
    /// The indices on the common axes.
    Common(ArrayD<i64>),
}

impl Oracle {
    /// Follows NumPy's manual: "Combining advanced and basic indexing".
    fn new(x: &[usize], entries: &[Known]) -> Oracle {
        let covered = |entry: &Known| match entry {
            Known::Integer(_) | Known::Range(..) | Known::Indices(_) => 1,
            Known::Mask(mask) => mask.ndim(),
            Known::Ellipsis | Known::NewAxis => 0,
        };
        let left = x.len() - entries.iter().map(covered).sum::<usize>();
        let mixed = entries.iter().any(|entry| matches!(entry, Known::Indices(_) | Known::Mask(_)));
        let mut entries = entries.to_vec();
        if !entries.iter().any(|entry| matches!(entry, Known::Ellipsis)) {
            entries.push(Known::Ellipsis);
        }
        let (mut axis, mut basic, mut coordinates) = (0, Vec::new(), Vec::new());
        // The positions among the entries of those that count as indices.
        let mut advanced = Vec::new();
        let mut first_at = 0;
        for (i, entry) in entries.iter().enumerate() {
            let counts = match entry {
                Known::Integer(_) => mixed,
                Known::Indices(_) | Known::Mask(_) => true,
                Known::Range(..) | Known::Ellipsis | Known::NewAxis => false,
            };
            if counts {
                if advanced.is_empty() {
                    first_at = basic.len();
                }
                advanced.push(i);
            }
            match entry {
                Known::Integer(index) => {
                    coordinates.push(Coordinate::Common(ndarray::arr0(*index).into_dyn()));
                    axis += 1;
                }
                Known::Indices(indices) => {
                    coordinates.push(Coordinate::Common(indices.clone()));
                    axis += 1;
                }
                Known::Mask(mask) => {
                    let hits: Vec<Vec<usize>> = mask
                        .indexed_iter()
                        .filter(|(_, hit)| **hit)
                        .map(|(at, _)| ndarray::Dimension::slice(&at).to_vec())
                        .collect();
                    for k in 0..mask.ndim() {
                        let column = hits.iter().map(|hit| hit[k] as i64).collect::<Vec<_>>();
                        coordinates.push(Coordinate::Common(ndarray::Array1::from(column).into_dyn()));
                        axis += 1;
                    }
                }
                Known::Range(start, stop, step) => {
                    let indices = python_range(x[axis] as i64, *start, *stop, *step);
                    coordinates.push(Coordinate::Indices { position: basic.len(), indices: indices.clone() });
                    basic.push(indices.len());
                    axis += 1;
                }
                Known::Ellipsis => {
                    for length in &x[axis..axis + left] {
                        let indices = (0..*length).collect();
                        coordinates.push(Coordinate::Indices { position: basic.len(), indices });
                        basic.push(*length);
                    }
                    axis += left;
                }
                Known::NewAxis => basic.push(1),
            }
        }
        let common = coordinates.iter().fold(Vec::new(), |shape, coordinate| match coordinate {
            Coordinate::Common(indices) => broadcast(&shape, indices.shape()),
            Coordinate::Indices { .. } => shape,
        });
        let adjacent = advanced.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        let at = if adjacent { first_at } else { 0 };
        let shape = [&basic[..at], &common, &basic[at..]].concat();
        let all = ndarray::indices(shape.clone()).into_iter().map(|index| {
            let index = ndarray::Dimension::slice(&index).to_vec();
            let of_common = &index[at..at + common.len()];
            let of_basic = [&index[..at], &index[at + common.len()..]].concat();
            let coordinate = |(axis, coordinate): (usize, &Coordinate)| match coordinate {
                Coordinate::Indices { position, indices } => indices[of_basic[*position]],
                Coordinate::Common(indices) => {
                    let own = &of_common[common.len() - indices.ndim()..];
                    let own: Vec<usize> =
                        own.iter().zip(indices.shape()).map(|(i, n)| if *n == 1 { 0 } else { *i }).collect();
                    let index = indices[own.as_slice()];
                    (if index < 0 { index + x[axis] as i64 } else { index }) as usize
                }
            };
            coordinates.iter().enumerate().map(coordinate).collect()
        });
        Oracle { coordinates: all.collect(), shape }
    }
}

fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let dim =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    (0..rank)
        .map(|axis| match (dim(a, axis), dim(b, axis)) {
            (1, n) | (n, 1) => n,
            (n, m) => {
                assert_eq!(n, m, "{a:?} and {b:?} broadcast");
                n
            }
        })
        .collect()
}

/// `range(n)[start:stop:step]` of Python.
fn python_range(n: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<usize> {
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let inside = |bound: i64| if bound < 0 { (bound + n).max(low) } else { bound.min(high) };
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut index, stop) = (start.map_or(first, inside), stop.map_or(last, inside));
    let mut indices = Vec::new();
    while if step > 0 { index < stop } else { index > stop } {
        indices.push(index as usize);
        index += step;
    }
    indices
}

/// Entries that fit a tensor of shape `x`, with indices that broadcast together.
fn entries(random: &mut Random, x: &[usize]) -> Vec<Known> {
    // All masks select as many, so that they fit each other and the indices.
    let count = 1 + random.below(2);
    let mut entries = Vec::new();
    let (mut axis, mut ellipsis) = (0, false);
    let end = x.len() - random.below(2).min(x.len());
    while axis < end {
        let n = x[axis];
        let index = |random: &mut Random| random.below(2 * n) as i64 - n as i64;
        match random.below(9) {
            0 | 1 => entries.push(Known::Integer(index(random))),
            2 | 3 => {
                let bound = |random: &mut Random| random.coin().then(|| random.below(9) as i64 - 4);
                let (start, stop) = (bound(random), bound(random));
                entries.push(Known::Range(start, stop, *random.pick(&[1, 1, 2, -1, -2])));
            }
            4 | 5 => {
                let shape = random.pick(&[vec![], vec![count], vec![1], vec![2, 1], vec![2, count]]).clone();
                entries.push(Known::Indices(ArrayD::from_shape_simple_fn(shape, || index(random))));
            }
            6 => {
                let rank = 1 + random.below(2).min(x.len() - axis - 1);
                let shape = &x[axis..axis + rank];
                let size: usize = shape.iter().product();
                if size < count {
                    continue;
                }
                let mut mask = vec![false; size];
                while mask.iter().filter(|hit| **hit).count() < count {
                    mask[random.below(size)] = true;
                }
                entries.push(Known::Mask(ArrayD::from_shape_vec(shape, mask).expect("of this shape")));
                axis += rank - 1;
            }
            7 if !ellipsis => {
                ellipsis = true;
                entries.push(Known::Ellipsis);
                // The ellipsis covers what the entries before the end leave.
                axis = (axis + random.below(2)).min(end);
                continue;
            }
            7 | 8 => {
                entries.push(Known::NewAxis);
                continue;
            }
            _ => unreachable!("one of nine"),
        }
        axis += 1;
    }
    // After an ellipsis, entries meet other axes than those they were made for.
    if entries.is_empty() { vec![Known::Range(None, None, 1)] } else { entries }
}

/// Whether the entries, made from left to right, fit the axes that they cover.
fn fit(x: &[usize], entries: &[Known]) -> bool {
    let covered = |entry: &Known| match entry {
        Known::Integer(_) | Known::Range(..) | Known::Indices(_) => 1,
        Known::Mask(mask) => mask.ndim(),
        Known::Ellipsis | Known::NewAxis => 0,
    };
    let Some(left) = x.len().checked_sub(entries.iter().map(covered).sum::<usize>()) else { return false };
    let mut axis = 0;
    entries.iter().all(|entry| {
        let inside = |index: &i64| (-(x[axis] as i64)..x[axis] as i64).contains(index);
        let fits = match entry {
            Known::Integer(index) => inside(index),
            Known::Indices(indices) => indices.iter().all(inside),
            Known::Mask(mask) => mask.shape() == &x[axis..axis + mask.ndim()],
            Known::Range(..) | Known::Ellipsis | Known::NewAxis => true,
        };
        axis += if matches!(entry, Known::Ellipsis) { left } else { covered(entry) };
        fits
    })
}

fn written<'g>(graph: &'g Graph, entries: &[Known], feeds: &mut Vec<Value>) -> Vec<Entry<'g>> {
    let entry = |entry: &Known| match entry {
        Known::Integer(index) => Entry::from(*index),
        Known::Range(start, stop, step) => Entry::from(Slice::new(*start, *stop, *step)),
        Known::Indices(indices) => {
            feeds.push(Value::from(indices.clone()));
            Entry::from(graph.input::<i64>(&name(feeds.len() - 1), indices.shape()))
        }
        Known::Mask(mask) => {
            // As literals, masks have known counts.
            Entry::from(graph.constant(mask))
        }
        Known::Ellipsis => Entry::from(Ellipsis),
        Known::NewAxis => Entry::from(NewAxis),
    };
    entries.iter().map(entry).collect()
}

/// What a write makes of the old element and the new one.
type Combine = fn(f64, f64) -> f64;

/// `x` after all of `values`, in row-major order, were written with `combine`.
fn write(x: &ArrayD<f64>, oracle: &Oracle, values: &[f64], combine: Combine) -> Vec<f64> {
    let mut x = x.clone();
    for (coordinates, value) in oracle.coordinates.iter().zip(values) {
        let element = &mut x[coordinates.as_slice()];
        *element = combine(*element, *value);
    }
    x.into_iter().collect()
}

#[test]
fn random_entries_read_and_write_what_the_oracle_does() {
    let mut random = Random::new(77);
    let (mut checked, mut mixed) = (0, 0);
    while checked < 1500 {
        let shape: Vec<usize> = (0..1 + random.below(4)).map(|_| 1 + random.below(4)).collect();
        let entries = entries(&mut random, &shape);
        if !fit(&shape, &entries) || entries.len() > 8 {
            continue;
        }
        let oracle = Oracle::new(&shape, &entries);
        let x = ArrayD::from_shape_simple_fn(shape.as_slice(), || random.whole() * 2.0);
        // Odd, so that no tie decides where a gradient goes.
        let v = ArrayD::from_shape_simple_fn(oracle.shape.as_slice(), || random.whole() * 2.0 + 1.0);
        let graph = Graph::new();
        let (tensor, source) = (
            graph.input::<f64>(&name(0), shape.as_slice()),
            graph.input::<f64>(&name(1), oracle.shape.as_slice()),
        );
        let mut feeds = vec![Value::from(x.clone()), Value::from(v.clone())];
        let at = tensor.at(written(&graph, &entries, &mut feeds));
        let read = at.get();
        let text = || format!("{shape:?} at {entries:?}");
        graph.check().unwrap_or_else(|error| panic!("{}: {error}", text()));
        let weights = ArrayD::from_shape_fn(oracle.shape.as_slice(), |_| random.whole());
        let slope = grad((read * graph.constant(&weights)).sum(..), tensor);
        let outputs =
            [read, slope, at.set(source), at.add(source), at.mul(source), at.min(source), at.max(source)];
        graph.check().unwrap_or_else(|error| panic!("{}: {error}", text()));
        let found = values(&outputs, &feeds).unwrap_or_else(|error| panic!("{}: {error}", text()));
        assert_eq!(found[0].shape(), oracle.shape, "{}", text());
        let expected: Vec<f64> = oracle.coordinates.iter().map(|at| x[at.as_slice()]).collect();
        assert_eq!(numbers(&found[0]), expected, "{}", text());
        let (values, weights): (Vec<f64>, Vec<f64>) =
            (v.iter().copied().collect(), weights.into_iter().collect());
        let zeros = ArrayD::zeros(shape.as_slice());
        assert_eq!(numbers(&found[1]), write(&zeros, &oracle, &weights, |a, b| a + b), "slope: {}", text());
        let writes: [(&str, Combine); 5] = [
            ("set", |_, b| b),
            ("add", |a, b| a + b),
            ("mul", |a, b| a * b),
            ("min", f64::min),
            ("max", f64::max),
        ];
        for ((op, combine), found) in writes.into_iter().zip(&found[2..]) {
            assert_eq!(numbers(found), write(&x, &oracle, &values, combine), "{op}: {}", text());
        }
        checked += 1;
        mixed += usize::from(entries.len() > 2);
    }
    assert!(mixed > 400, "{mixed} of {checked} have more than two entries");
}
