//! The bits of a row of a matrix product depend on that row and on the other factor alone: not on how
//! many other rows there are, nor on threads, nor on where elements lie in memory.

use ndarray::{Array2, ArrayD, Axis, Slice};
use tamis::prelude::*;
use tamis::{Element, Outputs};

const MOST_ROWS: usize = 1000;
const ROWS: [usize; 12] = [1, 2, 3, 7, 8, 9, 63, 64, 65, 100, 300, MOST_ROWS];
const INNER: [usize; 11] = [0, 1, 2, 3, 4, 8, 63, 64, 65, 700, 5000];
const WIDTHS: [usize; 12] = [1, 2, 3, 4, 5, 8, 16, 17, 50, 64, 65, 300];

/// Thirds of both signs: another order of a sum rounds to other bits.
fn thirds(shape: (usize, usize), seed: usize) -> Array2<f64> {
    Array2::from_shape_fn(shape, |(i, j)| {
        let hash = ((i * shape.1 + j + seed) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        (hash % 1000) as f64 / 3.0 - 150.0
    })
}

/// The array as it is, in column-major order, and backwards along each axis.
fn layout<T: Clone>(array: &Array2<T>, layout: usize) -> Array2<T> {
    let turned = |array: &Array2<T>, axes: &[usize]| {
        let mut turned = array.clone();
        axes.iter().for_each(|axis| turned.invert_axis(Axis(*axis)));
        turned
    };
    match layout {
        0 => array.clone(),
        1 => array.t().as_standard_layout().into_owned().reversed_axes(),
        _ => turned(&turned(array, &[0, 1]).as_standard_layout().into_owned(), &[0, 1]),
    }
}

fn product<T: Element>(out: &Outputs, name: &str) -> ArrayD<T> {
    out.view::<T>(name).expect("the product").to_owned()
}

/// Every number of rows, rows alone, and stacks of them, against all rows at once.
fn check<T: Element + Copy + PartialEq + std::fmt::Debug>(inner: usize, width: usize, element: fn(f64) -> T) {
    let graph = Graph::new();
    let a = graph.input::<T>("a", dims!["n", inner]);
    let b = graph.input::<T>("b", [inner, width]);
    let plans =
        [1, 2, 8].map(|threads| Plan::new([("product", a.matmul(b))]).expect("a plan").threads(threads));
    let (a, b) = (thirds((MOST_ROWS, inner), 1).mapv(element), thirds((inner, width), 2).mapv(element));
    let run = |plan: &Plan, a: &Array2<T>, b: &Array2<T>| {
        product::<T>(&plan.feed("a", a).feed("b", b).run().expect("a product"), "product")
    };
    let all = run(&plans[0], &a, &b);
    let sizes = ROWS.iter().map(|rows| ((MOST_ROWS - rows) / 2, *rows)).chain([(0, 1), (517, 1), (998, 2)]);
    for (index, (start, rows)) in sizes.enumerate() {
        let some = a.slice_axis(Axis(0), Slice::from(start..start + rows)).to_owned();
        let is_small = rows * inner * width < 1 << 18;
        for (first, second) in [(0, 0), (1, index % 3), (2, (index + 1) % 3)] {
            if first != index % 3 && !is_small {
                continue;
            }
            let plan = &plans[(index + first) % 3];
            assert_eq!(
                run(plan, &layout(&some, first), &layout(&b, second)),
                all.slice_axis(Axis(0), Slice::from(start..start + rows)),
                "{rows} rows from {start}, {inner} terms, {width} columns, {}",
                std::any::type_name::<T>()
            );
        }
    }
    for rows in [1, 5, 250] {
        let graph = Graph::new();
        let [x, y] = [("a", MOST_ROWS), ("b", inner)].map(|(name, height)| {
            let width = if name == "a" { inner } else { width };
            graph.input::<T>(name, [height, width])
        });
        let stack = x.reshape([MOST_ROWS / rows, rows, inner]).matmul(y).reshape([MOST_ROWS, width]);
        let plan = Plan::new([("product", stack)]).expect("a plan").threads(2);
        assert_eq!(run(&plan, &a, &b), all, "stacks of {rows} rows, {inner} terms, {width} columns");
    }
}

#[test]
fn a_row_of_a_product_has_the_same_bits_whatever_the_other_rows_are() {
    for inner in INNER {
        for width in WIDTHS {
            // Long sums take long where nothing is optimised.
            if inner < 5000 || [1, 2, 5, 17].contains(&width) {
                check::<f32>(inner, width, |x| x as f32);
            }
            if inner < 700 {
                check::<f64>(inner, width, |x| x);
            }
        }
    }
}

#[test]
fn rows_of_integers_do_not_depend_on_others_either() {
    for (inner, width) in [(1, 1), (3, 5), (64, 17), (700, 2)] {
        check::<i32>(inner, width, |x| (x * 1e7) as i32);
        check::<i64>(inner, width, |x| (x * 1e16) as i64);
        check::<u8>(inner, width, |x| x.abs() as u8);
    }
}

/// The product of a gradient has the transposed factor on the left: its rows are those of the result.
#[test]
fn a_row_of_a_gradient_does_not_depend_on_other_rows() {
    for (terms, features, width) in [(700, 50, 8), (5000, 17, 1), (300, 64, 300), (2, 9, 4)] {
        let gradient = |x: &Array2<f64>| {
            let graph = Graph::new();
            let x_in = graph.input::<f64>("x", [terms, x.ncols()]);
            let w = graph.input::<f64>("w", [x.ncols(), width]);
            let g = graph.input::<f64>("g", [terms, width]);
            let dw = grad((x_in.matmul(w) * g).sum(..), w);
            let plan = Plan::new([("dw", dw)]).expect("a plan");
            let fed = plan.feed("x", x).feed("w", thirds((x.ncols(), width), 3));
            product::<f64>(&fed.feed("g", thirds((terms, width), 4)).run().expect("a gradient"), "dw")
        };
        let x = thirds((terms, features), 5);
        let all = gradient(&x);
        for columns in [0..1, 3..5, 0..7, 1..features] {
            let some = gradient(&x.slice_axis(Axis(1), Slice::from(columns.clone())).to_owned());
            assert_eq!(some, all.slice_axis(Axis(0), Slice::from(columns)));
        }
    }
}
