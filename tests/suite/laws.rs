//! Laws that relate ops to each other, on random arrays of integers: sums of their
//! products are exact, so that what is equal is equal bit for bit.

use ndarray::{ArrayD, IxDyn};
use tamis::graph::Unary;
use tamis::prelude::*;
use tamis::{DType, Slice, Value, along, hvp, jvp, vjp};

use crate::array::{close, full, numbers, same_bits};
use crate::random::Random;
use crate::run::{values, values_as_inferred};

/// Random arrays, declared as inputs and fed in that order.
struct Draw<'g> {
    graph: &'g Graph,
    random: Random,
    seed: u64,
    feeds: Vec<Value>,
}

impl<'g> Draw<'g> {
    fn new(graph: &'g Graph, seed: u64) -> Draw<'g> {
        Draw { graph, random: Random::new(seed), seed, feeds: Vec::new() }
    }

    fn declare(&mut self, array: Value) -> Expr<'g> {
        let input = self.graph.input_of(&crate::run::name(self.feeds.len()), array.dtype(), array.shape());
        self.feeds.push(array);
        input
    }

    fn floats(&mut self, shape: &[usize]) -> Expr<'g> {
        let array = ArrayD::from_shape_simple_fn(IxDyn(shape), || self.random.whole());
        self.declare(Value::from(array))
    }

    /// Integers from 0 to 4 in any dtype; of bools whether they are not 0.
    fn elements(&mut self, dtype: DType, shape: &[usize]) -> Expr<'g> {
        let mut whole = || self.random.below(5) as u8;
        let shape = IxDyn(shape);
        let array = match dtype {
            DType::Bool => Value::from(ArrayD::from_shape_simple_fn(shape, || whole() > 1)),
            DType::U8 => Value::from(ArrayD::from_shape_simple_fn(shape, whole)),
            DType::I32 => Value::from(ArrayD::from_shape_simple_fn(shape, || i32::from(whole()))),
            DType::I64 => Value::from(ArrayD::from_shape_simple_fn(shape, || i64::from(whole()))),
            DType::F32 => Value::from(ArrayD::from_shape_simple_fn(shape, || f32::from(whole()))),
            DType::F64 => Value::from(ArrayD::from_shape_simple_fn(shape, || f64::from(whole()))),
        };
        self.declare(array)
    }

    /// A mask of no elements, of all, or of about half.
    fn mask(&mut self, shape: &[usize]) -> Expr<'g> {
        let kind = self.random.below(4);
        let array = ArrayD::from_shape_simple_fn(IxDyn(shape), || match kind {
            0 => false,
            1 => true,
            _ => self.random.coin(),
        });
        self.declare(Value::from(array))
    }

    /// Up to three lengths from 0 to 3.
    fn shape(&mut self) -> Vec<usize> {
        let rank = self.random.below(4);
        (0..rank).map(|_| self.random.below(4)).collect()
    }

    /// Asserts that all expressions come out as inferred, and as the first.
    #[track_caller]
    fn assert_equal(&self, exprs: &[Expr<'g>]) {
        self.assert_by(exprs, |found, first| close(found, first, 0.0));
    }

    /// [`Draw::assert_equal`] that distinguishes zeros of either sign.
    #[track_caller]
    fn assert_same_bits(&self, exprs: &[Expr<'g>]) {
        self.assert_by(exprs, same_bits);
    }

    #[track_caller]
    fn assert_by(&self, exprs: &[Expr<'g>], compare: fn(&Value, &Value) -> Result<(), String>) {
        let found = values_as_inferred(exprs, &self.feeds).map_err(String::from);
        let found = found.unwrap_or_else(|error| panic!("seed {}: {error}\n{}", self.seed, self.graph));
        for (expr, value) in exprs.iter().zip(&found).skip(1) {
            if let Err(error) = compare(value, &found[0]) {
                let texts = [expr, &exprs[0]].map(|expr| self.graph.describe(expr.id()));
                panic!("seed {}: {texts:?}: {error}\nfed {:?}", self.seed, self.feeds);
            }
        }
    }

    /// Asserts that the expressions are equal, and so are their gradients by each of `wrt`.
    #[track_caller]
    fn assert_equal_with_gradients(&mut self, exprs: &[Expr<'g>], wrt: &[Expr<'g>]) {
        self.assert_equal(exprs);
        let cotangent = self.like(exprs[0]);
        let gradients: Vec<Vec<Expr<'g>>> = exprs.iter().map(|expr| vjp(*expr, wrt, cotangent)).collect();
        for position in 0..wrt.len() {
            self.assert_equal(&gradients.iter().map(|gradients| gradients[position]).collect::<Vec<_>>());
        }
    }

    /// Random floats of the shape that `expr` comes out with.
    fn like(&mut self, expr: Expr<'g>) -> Expr<'g> {
        let found =
            values(&[expr], &self.feeds).unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        self.floats(found[0].shape())
    }
}

#[test]
fn unmask_of_boolean_mask_is_where() {
    for seed in 0..120 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = draw.shape();
        let rank = draw.random.below(shape.len() + 1);
        let mask = draw.mask(&shape[..rank]);
        let dtype = *draw.random.pick(&DType::ALL);
        let (x, fill) = (draw.elements(dtype, &shape), draw.elements(dtype, &shape));
        let there_and_back = x.boolean_mask(mask).unmask(mask, fill);
        draw.assert_same_bits(&[there_and_back, where_(mask.expand_mask(x), x, fill)]);
    }
}

#[test]
fn unmask_of_boolean_mask_has_the_gradients_of_where() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = draw.shape();
        let rank = draw.random.below(shape.len() + 1);
        let mask = draw.mask(&shape[..rank]);
        let (x, fill) = (draw.floats(&shape), draw.floats(&shape[rank..]));
        let there_and_back = x.boolean_mask(mask).unmask(mask, fill);
        let chosen = where_(mask.expand_mask(x), x, fill);
        draw.assert_equal_with_gradients(&[there_and_back, chosen], &[x, fill]);
    }
}

#[test]
fn boolean_mask_of_unmask_is_the_values() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = draw.shape();
        let rank = draw.random.below(shape.len() + 1);
        let mask = draw.mask(&shape[..rank]);
        let x = draw.floats(&shape);
        let kept = x.boolean_mask(mask).square();
        let fill = draw.floats(&shape);
        draw.assert_equal_with_gradients(&[kept, kept.unmask(mask, fill).boolean_mask(mask)], &[x, fill]);
    }
}

#[test]
fn selection_along_an_axis_is_selection_of_the_permuted_tensor() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [draw.random.below(4), draw.random.below(4), draw.random.below(4)];
        let (x, mask) = (draw.floats(&shape), draw.mask(&shape[1..2]));
        let along = x.boolean_mask_axis(mask, 1);
        let permuted = x.permute([1, 0, 2]).boolean_mask(mask).permute([1, 0, 2]);
        draw.assert_equal_with_gradients(&[along, permuted], &[x]);
        let back = along.unmask_axis(mask, 7, 1);
        draw.assert_equal(&[back, where_(mask.unsqueeze(-1), x, 7)]);
    }
}

#[test]
fn every_way_to_select_gives_the_same() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [draw.random.below(4), draw.random.below(4)];
        let (x, mask) = (draw.floats(&shape), draw.mask(&shape));
        let indices = mask.nonzero();
        let flat = indices[0] * graph.size(x.dim(1)) + indices[1];
        draw.assert_equal_with_gradients(
            &[
                x.boolean_mask(mask),
                x.masked_select(mask),
                x.flatten().boolean_mask(mask.flatten()),
                x.gather_nd(mask.argwhere()),
                x.flatten().gather(flat, 0),
                x.flatten().take_along_axis(flat, 0),
                x.boolean_mask(mask | mask & !mask),
            ],
            &[x],
        );
    }
}

#[test]
fn every_way_to_assign_gives_the_same() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [draw.random.below(4), draw.random.below(4)];
        let (x, y, mask) = (draw.floats(&shape), draw.floats(&shape), draw.mask(&shape));
        draw.assert_equal_with_gradients(
            &[
                where_(mask, y, x),
                where_(!mask, x, y),
                x.masked_assign(mask, y),
                x.masked_assign(mask, y.boolean_mask(mask)),
                y.boolean_mask(mask).unmask(mask, x),
                x.boolean_mask(!mask).unmask(!mask, y),
                x.scatter_nd_set(mask.argwhere(), y.boolean_mask(mask)),
                x.masked_fill(mask, 0) + y.masked_fill(!mask, 0),
            ],
            &[x, y],
        );
    }
}

#[test]
fn masked_reductions_reduce_the_selection() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [1 + draw.random.below(3), 1 + draw.random.below(3)];
        let (x, mask) = (draw.floats(&shape), draw.mask(&shape));
        let kept = x.boolean_mask(mask);
        draw.assert_equal_with_gradients(
            &[kept.sum(..), x.masked(mask).sum(..), where_(mask, x, 0).sum(..)],
            &[x],
        );
        draw.assert_equal_with_gradients(&[kept.mean(..), x.masked(mask).mean(..)], &[x]);
        draw.assert_equal(&[mask.count_nonzero(..), graph.size(kept.dim(0)), mask.sum(..)]);
        draw.assert_equal(&[kept.count_nonzero(..), x.masked(mask).count_nonzero(..)]);
        draw.assert_equal(&[kept.any(..), x.masked(mask).any(..)]);
        draw.assert_equal(&[kept.all(..), x.masked(mask).all(..)]);
        // An empty maximum is an error.
        let mask = mask | (graph.iota(shape[1]).eq(0) & graph.iota(shape[0]).eq(0).unsqueeze(1));
        let kept = x.boolean_mask(mask);
        draw.assert_equal_with_gradients(&[kept.max(..), x.masked(mask).max(..)], &[x]);
        draw.assert_equal_with_gradients(&[kept.min(..), x.masked(mask).min(..)], &[x]);
    }
}

/// A linear function of a 3×4 matrix.
type Linear = for<'g> fn(Expr<'g>) -> Expr<'g>;

fn mask_of<'g>(x: Expr<'g>, shape: &[usize]) -> Expr<'g> {
    let size = shape.iter().product::<usize>();
    (x.graph().iota(size) % 3).ne(1).reshape(shape)
}

const LINEAR: [(&str, Linear); 61] = [
    ("neg", |x| -x),
    ("times a literal", |x| x * 3),
    ("over a literal", |x| x / 4),
    ("less a tensor", |x| x.stop_gradient() * 0.0 - x),
    ("added to itself", |x| x + x),
    ("cast to f32 and back", |x| x.cast(DType::F32).cast(DType::F64)),
    ("where", |x| where_(mask_of(x, &[3, 4]), x, 0)),
    ("where of its row", |x| where_(mask_of(x, &[3, 1]), x, x.slice([..1]))),
    ("boolean_mask", |x| x.boolean_mask(mask_of(x, &[3, 4]))),
    ("boolean_mask of rows", |x| x.boolean_mask(mask_of(x, &[3]))),
    ("boolean_mask of columns", |x| x.boolean_mask_axis(mask_of(x, &[4]), 1)),
    ("unmask", |x| x.boolean_mask(mask_of(x, &[3])).unmask(mask_of(x, &[3]), 0)),
    ("unmask around itself", |x| x.flatten().slice([..8]).unmask(mask_of(x, &[3, 4]), x)),
    ("masked_assign", |x| x.masked_assign(mask_of(x, &[3, 4]), x.transpose().reshape([3, 4]))),
    ("gather", |x| x.gather(x.graph().constant([2i64, 0, 2, -1]), 0)),
    ("gather by a matrix", |x| x.gather(x.graph().constant([[1i64, 1], [0, 3]]), 1)),
    ("take_along_axis", |x| x.take_along_axis(x.graph().constant([[3i64], [3], [0]]), 1)),
    ("gather_nd", |x| x.gather_nd(x.graph().constant([[2i64, 3], [0, 0], [2, 3]]))),
    ("gather_nd of rows", |x| x.gather_nd(x.graph().constant([[2i64], [2]]))),
    ("scatter_add", |x| x.scatter_add(x.graph().constant([2i64, 0, 2]), x * 2, 0)),
    ("scatter_add of columns", |x| x.scatter_add(x.graph().constant([1i64, 1]), x.slice((.., ..2)), 1)),
    ("scatter_add_along_axis", |x| {
        x.scatter_add_along_axis(x.graph().constant([[3i64, 3]]), x.slice((.., 2..)), 1)
    }),
    ("scatter_nd_add", |x| {
        x.scatter_nd_add(x.graph().constant([[2i64, 3], [0, 0], [2, 3]]), x.slice_axis(0, 1))
    }),
    ("scatter_set", |x| x.scatter_set(x.graph().constant([2i64, 0, 2]), x * 2, 0)),
    ("scatter_set of columns", |x| x.scatter_set(x.graph().constant([1i64, 1]), x.slice((.., ..2)), 1)),
    ("scatter_set_along_axis", |x| {
        x.scatter_set_along_axis(x.graph().constant([[3i64, 3]]), x.slice((.., 2..)), 1)
    }),
    ("scatter_nd_set", |x| {
        x.scatter_nd_set(x.graph().constant([[2i64, 3], [0, 0], [2, 3]]), x.slice_axis(0, 1))
    }),
    ("sum", |x| x.sum(..)),
    ("sum over rows", |x| x.sum(0)),
    ("sum with the axis kept", |x| x.sum(keep(1))),
    ("mean of columns", |x| x.mean(1)),
    ("masked sum", |x| x.masked(mask_of(x, &[3, 4])).sum(0)),
    ("cumsum", |x| x.cumsum(0)),
    ("cumsum reverse", |x| x.cumsum(along(1).reverse())),
    ("cumsum exclusive", |x| x.cumsum(along(1).exclusive())),
    ("cumsum exclusive reverse", |x| x.cumsum(along(0).exclusive().reverse())),
    ("reshape", |x| x.reshape([2, 6])),
    ("permute", |x| x.unsqueeze(1).permute([2, 0, 1])),
    ("broadcast_to", |x| x.unsqueeze(1).broadcast_to([2, 3, 5, 4])),
    ("slice", |x| x.slice((1.., Slice::from(..).by(-2)))),
    ("slice at an index", |x| x.slice((-1, ..))),
    ("concat", |x| x.graph().concat([x, x.slice([1..]), x], 0)),
    ("stack", |x| x.graph().stack([x, x * 2], -1)),
    ("matmul on the left", |x| {
        x.matmul(x.graph().constant([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0], [1.0, 1.0]]))
    }),
    ("matmul on the right", |x| x.graph().constant([[1.0, 2.0, -1.0]]).matmul(x)),
    ("matmul with a batch", |x| x.graph().constant([[[1.0, 2.0, -1.0]], [[0.0, 1.0, 3.0]]]).matmul(x)),
    ("flip", |x| x.flip(..)),
    ("split", |x| x.split([1, 2, 1], 1)[1]),
    ("pad", |x| x.pad([(1, 0), (0, 2)], 0)),
    ("tile", |x| x.tile([2, 1, 3])),
    ("repeat", |x| x.repeat(3, 0)),
    ("compress", |x| x.compress(mask_of(x, &[4]), 1)),
    ("masked_scatter", |x| x.masked_scatter(mask_of(x, &[3, 4]), x.flip(0))),
    ("segment_sum", |x| x.segment_sum(x.graph().constant([1i64, 4, 1]), 5)),
    ("linear_scan", |x| x.graph().constant([[2.0], [-1.0], [3.0]]).linear_scan(x, 0)),
    ("linear_scan reverse", |x| x.graph().constant([1.0, -1.0, 2.0, 0.0]).linear_scan(x, along(1).reverse())),
    ("einsum", |x| {
        x.graph().einsum("ij,ik->kj", [x, x.graph().constant([[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]])])
    }),
    ("einsum of one", |x| x.graph().einsum("ij->ji", [x])),
    ("gather_or", |x| x.gather_or(x.graph().constant([5i64, -1, 0]), tamis::OutOfRange::Fill(0.into()), 0)),
    ("gather_or clipped", |x| x.gather_or(x.graph().constant([5i64, -1, 1]), tamis::OutOfRange::Clip, 1)),
    ("assert_that", |x| x.assert_that(x.is_finite(), "finite")),
];

#[test]
fn linear_ops_have_exact_transposes() {
    for (seed, (name, linear)) in (0..).zip(LINEAR.repeat(3)) {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let x = draw.floats(&[3, 4]);
        let image = linear(x);
        let y = draw.like(image);
        // ⟨A x, y⟩ = ⟨x, Aᵀ y⟩
        let (left, right) = ((image * y).sum(..), (x * vjp(image, x, y)).sum(..));
        draw.assert_equal(&[left, right]);
        assert!(graph.check().is_ok(), "{name}");
    }
}

#[test]
fn linear_ops_are_their_own_derivatives() {
    for (seed, (name, linear)) in (100..).zip(LINEAR) {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let (x, v) = (draw.floats(&[3, 4]), draw.floats(&[3, 4]));
        // A (x + v) − A x = A v, of integers exactly.
        draw.assert_equal(&[jvp(linear(x), x, v), linear(x + v) - linear(x)]);
        // The derivative does not depend on where it is taken.
        let curvature = grad((vjp(linear(x), x, linear(v)) * v).sum(..), x);
        let found = values(&[curvature], &draw.feeds).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(numbers(&found[0]).iter().all(|curvature| *curvature == 0.0), "{name}: {found:?}");
    }
}

#[test]
fn cumsum_reverse_is_cumsum_of_the_reversed() {
    for seed in 0..30 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [draw.random.below(4), draw.random.below(4)];
        let x = draw.floats(&shape);
        let flip = Slice::from(..).by(-1);
        for axis in [0, 1] {
            let reversed = x.slice_axis(&flip, axis).cumsum(axis).slice_axis(&flip, axis);
            draw.assert_equal_with_gradients(&[x.cumsum(along(axis).reverse()), reversed], &[x]);
            let inclusive = x.cumsum(along(axis).exclusive()) + x;
            draw.assert_equal_with_gradients(&[x.cumsum(axis), inclusive], &[x]);
        }
    }
}

/// An elementwise function that is smooth at 0.75, as all of [`Unary::BUILDERS`] are.
type Function = for<'g> fn(Expr<'g>) -> Expr<'g>;

const ELEMENTWISE: [Function; 13] = [
    |x| -x,
    |x| x + 1,
    |x| 1.0 - x,
    |x| x * x,
    |x| 1.0 / x,
    |x| x.pow(3),
    |x| x.pow(x),
    |x| x % 0.5,
    |x| x.minimum(x * x),
    |x| x.maximum(0.5).clip(0.0, 2.0),
    |x| where_(x.gt(0.5) & !x.is_nan(), x.square(), 0.0).stop_gradient() * x,
    |x| x.rsqrt(),
    |x| x.floor_div(0.5) + x.rem_trunc(0.5) + x.atan2(2.0),
];

#[test]
fn elementwise_functions_do_not_see_the_shape() {
    let functions = Unary::BUILDERS.iter().map(|builder| builder.build).chain(ELEMENTWISE);
    for (i, function) in functions.enumerate() {
        let of_shape = |shape: &[usize]| {
            let graph = Graph::new();
            let x = graph.input_of("x0", DType::F64, shape);
            let y = function(x) + x;
            let dx = grad(y.sum(..), x);
            let ddx = grad(dx.sum(..), x);
            values_as_inferred(&[y, dx, ddx], &[full(shape, 0.75)])
                .unwrap_or_else(|failure| panic!("function {i} of {shape:?}: {failure:?}"))
        };
        let scalars = of_shape(&[]);
        for shape in [&[1usize, 1][..], &[2, 3], &[0], &[0, 3], &[3, 0, 2]] {
            for (found, scalar) in of_shape(shape).iter().zip(&scalars) {
                let expected = full(shape, numbers(scalar)[0]);
                same_bits(found, &expected)
                    .unwrap_or_else(|error| panic!("function {i} of {shape:?}: {error}"));
            }
        }
    }
}

#[test]
fn no_slope_comes_through_masks_indices_counts_and_comparisons() {
    let flat: [Function; 9] = [
        |x| x.gt(0.0).cast(DType::F64),
        |x| x.is_finite().cast(DType::F64),
        |x| x.argmax(0).cast(DType::F64),
        |x| x.gt(0.0).argwhere().cast(DType::F64),
        |x| x.count_nonzero(..).cast(DType::F64),
        |x| x.cast(DType::I32).cast(DType::F64),
        |x| x.graph().size(x.boolean_mask(x.gt(0.0)).dim(0)).cast(DType::F64),
        |x| x.any(0).cast(DType::F64),
        |x| x.graph().iota(x.boolean_mask(x.gt(0.0)).dim(0)).cast(DType::F64),
    ];
    for (i, flat) in flat.into_iter().enumerate() {
        let graph = Graph::new();
        let x = graph.input_of("x0", DType::F64, dims!["n", 2]);
        let feeds = [Value::from(ndarray::array![[1.0, -2.0], [0.5, 4.0]].into_dyn())];
        let gradient = grad(flat(x).square().sum(..), x);
        let tangent = jvp(flat(x), x, x).sum(..);
        let found = values_as_inferred(&[gradient, tangent], &feeds).unwrap_or_else(|f| panic!("{i}: {f:?}"));
        assert_eq!(same_bits(&found[0], &full(&[2, 2], 0.0)), Ok(()), "{i}");
        assert_eq!(numbers(&found[1]), [0.0], "{i}");
    }
}

#[test]
fn directions_are_constants_even_if_they_are_computed_from_the_input() {
    for seed in 0..10 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let (x, y) = (draw.floats(&[2, 3]), draw.floats(&[2, 3]));
        // ⟨H v, ·⟩ of Σ x³y is 6xy v by x, and 3x² v by y.
        let loss = (x.pow(3) * y).sum(..);
        let [of_x, of_y] = hvp(loss, [x, y], [x * y, graph.zeros::<f64>([2, 3])]);
        draw.assert_equal(&[x * y * (x * y) * 6, of_x]);
        draw.assert_equal(&[x.square() * (x * y) * 3, of_y]);
        draw.assert_equal(&[x.square() * (x * y) * 3, jvp(x.pow(3), x, x * y)]);
        draw.assert_equal(&[x.square() * (x * y) * 3, vjp(x.pow(3), x, x * y)]);
    }
}

#[test]
fn what_is_computed_from_another_has_a_gradient_and_passes_it_on() {
    for seed in 0..10 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let x = draw.floats(&[4]);
        let y = x.square();
        let [dx, dy, again] = grad((y * x).sum(..), [x, y, x]);
        draw.assert_equal(&[x.square() * 3, dx, again]);
        draw.assert_equal(&[x, dy]);
        // Both move: y by its own tangent and by that of x.
        let moved = jvp(y * x, [x, y], [x, x]);
        draw.assert_equal(&[x.square() * x * 3 + x.square(), moved]);
    }
}

#[test]
fn one_mask_selects_the_same_elements_of_every_dtype() {
    for seed in 0..30 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [draw.random.below(4), 2];
        let mask = draw.mask(&shape[..1]);
        for dtype in DType::ALL {
            let x = draw.elements(dtype, &shape);
            for wider in DType::ALL.into_iter().filter(|wider| dtype.promote(*wider) == *wider) {
                draw.assert_same_bits(&[x.cast(wider).boolean_mask(mask), x.boolean_mask(mask).cast(wider)]);
            }
        }
    }
}

#[test]
fn sorts_agree_with_each_other() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [draw.random.below(4), 1 + draw.random.below(4)];
        let x = draw.floats(&shape);
        let sorted = x.sort(tamis::descending(1));
        draw.assert_equal(&[sorted, (-x).sort(1) * -1, x.sort(1).flip(1), x.top_k(shape[1] as i64, 1).0]);
        draw.assert_equal(&[x.top_k(1, 1).0, x.max(keep(1))]);
        draw.assert_equal(&[x.argsort(tamis::descending(1)).slice((.., 0)), x.argmax(1)]);
        draw.assert_equal_with_gradients(&[x.top_k(1, 1).0, x.max(keep(1))], &[x]);
    }
}

#[test]
fn products_scans_and_segments_agree_with_each_other() {
    for seed in 0..60 {
        let graph = Graph::new();
        let mut draw = Draw::new(&graph, seed);
        let shape = [1 + draw.random.below(3), 1 + draw.random.below(3)];
        let (x, mask) = (draw.floats(&shape), draw.mask(&shape));
        let rows = graph.iota(shape[0]) * 0;
        draw.assert_equal_with_gradients(
            &[
                x.prod(0),
                x.cumprod(0).slice(-1),
                x.cumprod(along(0).reverse()).slice(0),
                graph.full([1, shape[1]], 1.0).scatter_mul(rows, x, 0).squeeze(0),
            ],
            &[x],
        );
        let kept = x.boolean_mask(mask);
        draw.assert_equal_with_gradients(&[kept.prod(..), x.masked(mask).prod(..)], &[x]);
        draw.assert_equal_with_gradients(&[x.sum(0), x.segment_sum(rows, 1).slice(0)], &[x]);
        draw.assert_equal_with_gradients(&[x.max(0), x.segment_max(rows, 1).slice(0)], &[x]);
        draw.assert_equal_with_gradients(&[x.min(0), x.segment_min(rows, 1).slice(0)], &[x]);
        draw.assert_equal_with_gradients(
            &[x.cumsum(0), graph.scalar(1.0).linear_scan(x, 0), x.flip(0).cumsum(along(0).reverse()).flip(0)],
            &[x],
        );
    }
}
