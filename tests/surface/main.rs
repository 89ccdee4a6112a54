//! The forms in which users may write things: what is here must keep compiling,
//! beside `ndarray`'s prelude, without type annotations. `list` has everything that is public.

mod list;

use ndarray::prelude::*;
use tamis::prelude::*;
use tamis::{DType, Slice, along, hvp, jvp, vjp};

#[test]
fn the_prelude_goes_with_that_of_ndarray() {
    let graph = Graph::new();
    let x = graph.constant(array![[1.0, 2.0], [3.0, 4.0]]);
    let total: ArrayD<f64> = x.sum(Axis(0).index()).eval().unwrap();
    assert_eq!(total, arr1(&[4.0, 6.0]).into_dyn());
    // ndarray's own names keep their meaning.
    let _dim: Dim<[usize; 2]> = Dim([2, 2]);
    let _shape: Ix2 = Ix2(2, 2);
}

#[test]
fn ndarray_comes_with_tamis() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 1]);
    let plan = Plan::new([("y", x * 2.0)]).unwrap();
    let out = plan.feed("x", &tamis::ndarray::array![[1.0], [2.0]]).run().unwrap();
    let y: tamis::ndarray::Array2<f64> = out.array("y").unwrap();
    assert_eq!(y, array![[2.0], [4.0]]);
}

#[test]
fn macros_need_no_import() {
    fn without_import() -> String {
        let graph = tamis::Graph::new();
        graph.input::<f32>("x", tamis::dims!["n", 3]).shape().to_string()
    }
    assert_eq!(without_import(), "[n, 3]");
    assert_eq!(Graph::new().input::<f32>("x", dims![]).shape().to_string(), "[]");
    assert_eq!(Graph::new().input::<f32>("x", dims!["n", 2 + 1,]).shape().to_string(), "[n, 3]");
}

#[test]
fn scalars_stand_on_either_side_without_annotations() {
    let graph = Graph::new();
    let x = graph.input::<f32>("x", [3]);
    let log = (1.0 - x).ln();
    let all = [
        log,
        1.0 + x,
        2 * x,
        1.0 / x,
        7 % x,
        x + 1.0,
        x - 1,
        x * 2_u8,
        x / 2_i64,
        x % 2.0_f32,
        x * true,
        x + 1_f64,
        -x,
    ];
    for expr in all {
        assert_eq!((expr.dtype(), expr.shape().to_string()), (DType::F32, "[3]".to_owned()));
    }
}

#[test]
fn operators_take_every_form_of_reference() {
    let graph = Graph::new();
    let (x, y) = (graph.constant([1.0, 2.0]), graph.constant([10.0, 20.0]));
    let (xs, ys) = (&x, &y);
    let three = arr1(&[11.0, 22.0]).into_dyn();
    for sum in [x + y, xs + y, x + ys, xs + ys] {
        assert_eq!(sum.eval::<f64>().unwrap(), three);
    }
    let (a, b) = (&x.gt(1.0), &y.gt(10.0));
    for mask in [a & b, a | b, *a & b, a & *b, !&!a] {
        assert_eq!(mask.eval::<bool>().unwrap(), arr1(&[false, true]).into_dyn());
    }
    assert_eq!((-xs - 1.0).eval::<f64>().unwrap(), arr1(&[-2.0, -3.0]).into_dyn());
    assert_eq!((1.0 - xs).eval::<f64>().unwrap(), arr1(&[0.0, -1.0]).into_dyn());
    assert_eq!((a ^ true).eval::<bool>().unwrap(), arr1(&[true, false]).into_dyn());
}

#[test]
fn iterators_of_expressions_work() {
    let graph = Graph::new();
    let layers = [graph.constant([1.0, 2.0]), graph.constant([3.0, 4.0])];
    let doubled: Vec<Expr<'_>> = layers.iter().map(|layer| layer * 2.0).collect();
    let sum = doubled.into_iter().reduce(|a, b| a + b).unwrap();
    let folded = layers.iter().fold(graph.scalar(0.0), |sum, layer| sum + layer);
    assert_eq!(sum.eval::<f64>().unwrap(), arr1(&[8.0, 12.0]).into_dyn());
    assert_eq!(folded.eval::<f64>().unwrap(), arr1(&[4.0, 6.0]).into_dyn());
    let roots: Vec<Expr<'_>> = layers.into_iter().map(Expr::sqrt).collect();
    assert_eq!(roots[1].eval::<f64>().unwrap()[1], 2.0);
}

#[test]
fn assigning_operators_take_what_operators_take() {
    let graph = Graph::new();
    let y = graph.constant([8.0, 16.0]);
    let mut x = graph.constant([1.0, 2.0]);
    x += y;
    x += &y;
    x -= 1;
    x *= 2.0;
    x /= y;
    x %= 3.0_f32;
    assert_eq!(x.eval::<f64>().unwrap(), arr1(&[1.0, 1.125]).into_dyn());
    let mut mask = y.gt(8.0);
    mask |= y.lt(0.0);
    mask ^= true;
    mask &= &y.ge(8.0);
    assert_eq!(mask.eval::<bool>().unwrap(), arr1(&[true, false]).into_dyn());
    let mut total = graph.scalar(0.0);
    for layer in [y, x] {
        total += layer.sum(..);
    }
    assert_eq!(total.eval::<f64>().unwrap(), arr0(26.125).into_dyn());
    assert_eq!(graph.sum_of([y, x]).id(), (y + x).id());
    assert_eq!(graph.prod_of(vec![y, x, y]).id(), (y * x * y).id());
}

#[test]
fn functions_of_expressions_are_written_in_every_form() {
    type Function = dyn for<'g> Fn(Expr<'g>) -> Expr<'g>;
    fn swish<'g>(x: Expr<'g>) -> Expr<'g> {
        x * x.sigmoid()
    }
    fn apply<'g>(layers: &[&dyn Fn(Expr<'g>) -> Expr<'g>], x: Expr<'g>) -> Expr<'g> {
        layers.iter().fold(x, |x, layer| layer(x))
    }
    fn twice<'g>(f: impl Fn(Expr<'g>) -> Expr<'g>, x: Expr<'g>) -> Expr<'g> {
        f(f(x))
    }
    struct Layer<'g> {
        weights: Expr<'g>,
    }
    impl<'g> Layer<'g> {
        fn forward(&self, x: Expr<'g>) -> Expr<'g> {
            x * self.weights
        }
    }
    let graph = Graph::new();
    let x = graph.constant([0.0, 1.0]);
    let layer = Layer { weights: graph.scalar(3.0) };
    let shift = graph.scalar(1.0);
    let affine = |x| layer.forward(x) + shift;
    let squash = |x| Expr::tanh(x) * 0.0;
    assert_eq!(twice(affine, x).eval::<f64>().unwrap(), arr1(&[4.0, 13.0]).into_dyn());
    assert_eq!(twice(|x| x.square() + 1.0, x).eval::<f64>().unwrap(), arr1(&[2.0, 5.0]).into_dyn());
    assert_eq!(apply(&[&swish, &affine, &squash], x).eval::<f64>().unwrap(), arr1(&[0.0, 0.0]).into_dyn());
    let layers: Vec<Box<Function>> = vec![Box::new(swish), Box::new(|x| x.abs())];
    let y = layers.iter().fold(x, |x, layer| layer(x));
    assert_eq!(y.id(), swish(x).abs().id());
}

#[test]
fn degrees_of_freedom_are_written_in_every_form() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 3.0]);
    let m = x.gt(0.0);
    let two = arr0(2.0).into_dyn();
    for var in [x.var_ddof(1, ..), x.var_ddof(1.0, ..), x.var_ddof(1_u8, ..), x.masked(m).var_ddof(1_f32, 0)]
    {
        assert_eq!(var.eval::<f64>().unwrap(), two);
    }
}

#[test]
fn axes_are_written_in_every_form() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [2, 3, 4]);
    let shape = |expr: Expr<'_>| expr.shape().to_string();
    let axes: Vec<usize> = vec![0, 2];
    assert_eq!(shape(x.sum(..)), "[]");
    assert_eq!(shape(x.sum(1)), "[2, 4]");
    assert_eq!(shape(x.sum(-1)), "[2, 3]");
    assert_eq!(shape(x.sum(0_usize)), "[3, 4]");
    assert_eq!(shape(x.sum(2_u32)), "[2, 3]");
    assert_eq!(shape(x.sum([0, -1])), "[3]");
    assert_eq!(shape(x.sum(&axes[..])), "[3]");
    assert_eq!(shape(x.sum(axes.clone())), "[3]");
    assert_eq!(shape(x.sum([0_i64; 0])), "[2, 3, 4]");
    assert_eq!(shape(x.sum(keep(..))), "[1, 1, 1]");
    assert_eq!(shape(x.sum(keep(-1))), "[2, 3, 1]");
    assert_eq!(shape(x.sum(keep([0, 1]))), "[1, 1, 4]");
    assert_eq!(shape(x.sum([0_u8, 2])), "[3]");
    assert_eq!(shape(x.sum([0_usize, 2].map(tamis::Axis::from))), "[3]");
    assert_eq!(shape(x.cumsum(-1)), "[2, 3, 4]");
    assert_eq!(shape(x.cumsum(2_usize)), "[2, 3, 4]");
    assert_eq!(shape(x.sort(tamis::descending(1_u8))), "[2, 3, 4]");
    assert_eq!(shape(x.cumsum(along(0).exclusive())), "[2, 3, 4]");
}

#[test]
fn one_axis_is_an_integer_of_any_type() {
    fn last_axis_dropped(axis: impl Into<tamis::Axis>) -> String {
        let graph = Graph::new();
        graph.input::<f64>("x", [2, 3]).slice_axis(0, axis).shape().to_string()
    }
    let dropped = [
        last_axis_dropped(1),
        last_axis_dropped(-1),
        last_axis_dropped(1_i8),
        last_axis_dropped(1_i16),
        last_axis_dropped(-1_i64),
        last_axis_dropped(-1_isize),
        last_axis_dropped(1_u8),
        last_axis_dropped(1_u16),
        last_axis_dropped(1_u32),
        last_axis_dropped(1_u64),
        last_axis_dropped(1_usize),
    ];
    assert!(dropped.iter().all(|shape| shape == "[2]"), "{dropped:?}");
}

#[test]
fn sizes_are_written_in_every_form() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", 6]);
    let n = x.dim(0);
    let shape = |expr: Expr<'_>| expr.shape().to_string();
    assert_eq!(shape(graph.zeros::<f64>([2, 3])), "[2, 3]");
    assert_eq!(shape(graph.zeros::<f64>(vec![2_usize, 3])), "[2, 3]");
    assert_eq!(shape(graph.zeros::<f64>(&[2_i64, 3][..])), "[2, 3]");
    assert_eq!(shape(graph.zeros::<f64>(["n", "m"])), "[n, m]");
    assert_eq!(shape(graph.zeros::<f64>(x.shape())), "[n, 6]");
    assert_eq!(shape(graph.zeros::<f64>(dims![&n, 2, "m"])), "[n, 2, m]");
    assert_eq!(shape(x.reshape(dims!["n", 2, -1])), "[n, 2, 3]");
    assert_eq!(shape(x.reshape([-1])), "[6*n]");
    assert_eq!(shape(graph.iota(n)), "[n]");
}

#[test]
fn slices_are_written_in_every_form() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [10, 4]);
    let shape = |expr: Expr<'_>| expr.shape().to_string();
    assert_eq!(shape(x.slice((1..3, ..))), "[2, 4]");
    assert_eq!(shape(x.slice((-1, 2..))), "[2]");
    assert_eq!(shape(x.slice((..=3,))), "[4, 4]");
    assert_eq!(shape(x.slice([2..=3])), "[2, 4]");
    assert_eq!(shape(x.slice((Slice::from(1..).by(3), ..-1))), "[3, 3]");
    assert_eq!(shape(x.slice((Slice::new(None, None, -2),))), "[5, 4]");
    assert_eq!(shape(x.slice_axis(..2_usize, 1)), "[10, 2]");
    assert_eq!(shape(x.slice_axis(0, -1)), "[10]");
    let (rows, columns) = (&x.dim(0), x.dim(1));
    assert_eq!(shape(x.slice(&columns..rows)), "[6, 4]");
    assert_eq!(shape(x.slice((..&columns, columns.clone()..))), "[4, 0]");
    assert_eq!(shape(x.slice_axis(Slice::span(1, columns), 1)), "[10, 3]");
}

#[test]
fn entries_are_written_in_every_form() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", [10, 4]);
    let i = graph.input::<i32>("i", [3]);
    let rows = graph.input::<bool>("rows", [10]);
    let shape = |at: tamis::At<'_>| at.get().shape().to_string();
    assert_eq!(shape(x.at(1)), "[4]");
    assert_eq!(shape(x.at(..)), "[10, 4]");
    assert_eq!(shape(x.at(2..=3)), "[2, 4]");
    assert_eq!(shape(x.at(..&x.dim(1))), "[4, 4]");
    assert_eq!(shape(x.at(i)), "[3, 4]");
    let reference = &i;
    assert_eq!(shape(x.at(reference)), "[3, 4]");
    assert_eq!(shape(x.at(rows)), format!("[count({}), 4]", rows.id()));
    assert_eq!(shape(x.at(tamis::NewAxis)), "[1, 10, 4]");
    assert_eq!(shape(x.at(tamis::Ellipsis)), "[10, 4]");
    assert_eq!(shape(x.at((i, Slice::from(..).by(-2), tamis::NewAxis))), "[3, 2, 1]");
    assert_eq!(shape(x.at((i,))), "[3, 4]");
    let entries: Vec<tamis::Entry<'_>> = vec![i.into(), 0_usize.into()];
    assert_eq!(shape(x.at(entries)), "[3]");
    let at = x.at((.., i));
    assert_eq!(at.set(1.0).shape(), at.add(1.0).shape()); // to be used more than once
}

#[test]
fn gradients_come_in_the_form_that_was_asked_with() {
    let graph = Graph::new();
    let (x, y) = (graph.constant([1.0, 2.0]), graph.constant([3.0, 4.0]));
    let loss = (x * y).sum(..);
    let [dx, dy] = grad(loss, [x, y]);
    let list: Vec<Expr<'_>> = grad(loss, vec![x, y]);
    let slice: Vec<Expr<'_>> = grad(loss, &[x, y][..]);
    let one: Expr<'_> = grad(loss, x);
    let (value, [first, second]) = value_and_grad(loss, [x, y]);
    // Equal graphs are one graph.
    assert_eq!([dx.id(), dy.id()], [list[0].id(), list[1].id()]);
    assert_eq!([dx.id(), dy.id()], [slice[0].id(), slice[1].id()]);
    assert_eq!([dx.id(), dy.id(), loss.id()], [one.id(), second.id(), value.id()]);
    assert_eq!(dx.id(), first.id());
    let none: [Expr<'_>; 0] = grad(loss, []);
    assert!(none.is_empty());
    assert_eq!(vjp(x.square(), x, y).eval::<f64>().unwrap(), arr1(&[6.0, 16.0]).into_dyn());
    assert_eq!(jvp(x.square(), x, y).eval::<f64>().unwrap(), arr1(&[6.0, 16.0]).into_dyn());
    assert_eq!(hvp(x.square().sum(..), x, y).eval::<f64>().unwrap(), arr1(&[6.0, 8.0]).into_dyn());
}

#[test]
fn literals_are_made_of_arrays_nested_arrays_and_scalars() {
    let graph = Graph::new();
    let dtype_and_shape = |expr: Expr<'_>| format!("{}{}", expr.dtype(), expr.shape());
    assert_eq!(dtype_and_shape(graph.constant([1_u8, 2])), "u8[2]");
    assert_eq!(dtype_and_shape(graph.constant([[1.5_f32], [2.5]])), "f32[2, 1]");
    assert_eq!(dtype_and_shape(graph.constant([[[true]]])), "bool[1, 1, 1]");
    assert_eq!(dtype_and_shape(graph.constant(vec![1_i64])), "i64[1]");
    assert_eq!(dtype_and_shape(graph.constant(&[1_i64, 2][..])), "i64[2]");
    assert_eq!(dtype_and_shape(graph.constant(2.0)), "f64[]");
    assert_eq!(dtype_and_shape(graph.constant(&array![[1.0, 2.0]])), "f64[1, 2]");
    assert_eq!(
        dtype_and_shape(graph.constant(array![[1.0, 2.0]].slice_axis(Axis(1), (..1).into()))),
        "f64[1, 1]"
    );
    assert_eq!(dtype_and_shape(graph.scalar(true)), "bool[]");
}

#[test]
fn errors_pass_through_question_marks() {
    fn program() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2]);
        graph.check()?;
        let plan = Plan::new([("y", x * 2.0)])?;
        plan.feed("x", arr1(&[1.0])).run()?;
        Ok(())
    }
    let error = program().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("feed: input `x` has shape [2], but was fed [1] (built at tests/surface/main.rs:")
    );
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn expressions_are_stored_by_id() {
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0]);
    let id = (x * 3.0).id();
    let stored = graph.expr(id).named("tripled");
    assert_eq!(stored.eval::<f64>().unwrap(), arr1(&[3.0, 6.0]).into_dyn());
    assert_eq!(graph.describe((stored + 1.0).id()), "add(tripled, 1.0)");
    assert!(graph.to_string().contains("  # tripled\n"));
    assert!(graph.to_dot().contains("tripled: mul"));
}
