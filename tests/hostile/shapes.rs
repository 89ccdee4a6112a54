//! A. Shapes: of rank 0 and very high rank, without elements, overflowing, in odd memory layouts.

use ndarray::{Array1, Array2, ArrayD, ArrayView2, Axis, ShapeBuilder, Slice, arr0, arr1, arr2};
use tamis::along;
use tamis::prelude::*;

use crate::{assert_same, fails, gives, refused};

#[test]
fn rank_0_is_a_tensor_like_any_other() {
    let graph = Graph::new();
    let x = graph.constant(3.0);
    gives(x.sum(..), arr0(3.0));
    gives(x.flatten(), arr1(&[3.0]));
    gives(x.boolean_mask(x.gt(0.0)), arr1(&[3.0]));
    gives(x.boolean_mask(x.lt(0.0)), Array1::<f64>::zeros(0));
    gives(x.gt(0.0).argwhere(), Array2::<i64>::zeros((1, 0)));
    gives(where_(x.gt(0.0), x, 0.0), arr0(3.0));
    gives(x.cumsum(0), arr0(3.0));
    refused(x.cumsum(1), "cumsum: axis 1 is out of range for shape [] of rank 0");
}

#[test]
fn rank_32_and_64_work() {
    for rank in [32_usize, 64] {
        let graph = Graph::new();
        let mut shape = vec![1_usize; rank];
        (shape[0], shape[rank - 1]) = (2, 3);
        let data = ArrayD::from_shape_vec(shape.clone(), vec![1, 2, 3, 4, 5, 6]).unwrap();
        let x = graph.constant(&data);
        gives(x + x, data.mapv(|x| 2 * x));
        gives(x.sum(..), arr0(21_i64));
        gives(x.boolean_mask(x.gt(4)), arr1(&[5, 6]));
        gives(x.gt(5).argwhere().sum(..), arr0(3_i64));
        gives(x.transpose().flatten(), arr1(&[1, 4, 2, 5, 3, 6]));
        gives(x.cumsum(-1).flatten(), arr1(&[1_i64, 3, 6, 4, 9, 15]));
        gives(x.unsqueeze(0).squeeze(0), data);
    }
}

#[test]
fn shapes_without_elements_keep_their_lengths() {
    for shape in [vec![0_usize], vec![0, 3], vec![3, 0, 2]] {
        let graph = Graph::new();
        let empty = ArrayD::<f64>::zeros(shape.clone());
        let x = graph.constant(&empty);
        for same in
            [x.exp(), x + x, x.sort(0), x.cumsum(0), x.cumprod(along(-1).reverse()), where_(x.gt(0.0), x, x)]
        {
            gives(same, empty.clone());
        }
        gives(x.softmax(-1), empty.clone());
        gives(x.sum(..), arr0(0.0));
        gives(x.prod(..), arr0(1.0));
        gives(x.mean(..), arr0(f64::NAN));
        gives(x.gt(0.0).any(..), arr0(false));
        gives(x.gt(0.0).all(..), arr0(true));
        gives(x.boolean_mask(x.gt(0.0)), Array1::<f64>::zeros(0));
        gives(x.gt(0.0).argwhere(), Array2::<i64>::zeros((0, shape.len())));
        gives(grad(x.square().sum(..), x), empty.clone());
        fails(x.max(..), "max: there is no element to choose from for position []");
    }
}

#[test]
fn an_empty_shape_may_not_span_more_than_the_address_space() {
    let graph = Graph::new();
    let x = graph.zeros::<f32>([0_i64, 1 << 40, 1 << 40]);
    refused(x, "zeros: the size overflows");
}

#[test]
fn an_empty_shape_with_many_fibers_is_not_visited() {
    let graph = Graph::new();
    let wide = graph.zeros::<f64>([1_i64 << 40, 0]);
    gives(wide.cumsum(1).sum(..), arr0(0.0));
    gives(wide.sort(1).sum(..), arr0(0.0));
    gives(wide.gather(graph.zeros::<i64>([0]), 1).sum(..), arr0(0.0));
    gives(wide.scatter_add(graph.zeros::<i64>([0]), wide, 1).sum(..), arr0(0.0));
    gives(wide.take_along_axis(graph.zeros::<i64>([1_i64 << 40, 0]), 1).sum(..), arr0(0.0));
    gives(wide.linear_scan(wide, 1).sum(..), arr0(0.0));
    gives(wide.matmul(graph.zeros::<f64>([0, 0])).sum(..), arr0(0.0));
    gives(graph.zeros::<f64>([1_i64 << 40, 0, 2]).matmul(graph.zeros::<f64>([2, 3])).sum(..), arr0(0.0));
}

#[test]
fn sizes_that_overflow_are_refused() {
    let graph = Graph::new();
    refused(graph.zeros::<u8>([1_i64 << 32, 1 << 32]), "the size overflows");
    let graph = Graph::new();
    // (2⁶² + 1) · 4 = 2⁶⁴ + 4, which wraps to the right count.
    refused(graph.zeros::<u8>([4]).reshape([(1_i64 << 62) + 1, 4]), "the size overflows");
    let graph = Graph::new();
    // 2⁶⁰ elements are a size, their 2⁶³ bytes are not.
    refused(graph.zeros::<f64>([1_i64 << 60]), "zeros: the size overflows");
    // A length that is known in the run alone overflows there.
    let graph = Graph::new();
    let x = graph.constant([1.0, 2.0]);
    let kept = x.boolean_mask(x.gt(0.0));
    let wide = kept.unsqueeze(0).broadcast_to(dims![1_i64 << 59, kept.dim(0)]);
    fails(wide, "broadcast_to: the size overflows");
}

#[test]
fn a_reshape_infers_one_length_from_elements_that_exist() {
    for (shape, message) in [
        ([-1_i64, -1], "reshape:"),
        ([-2, -3], "reshape:"),
        ([-2, 3], "reshape:"),
        ([i64::MIN, 1], "reshape:"),
        ([i64::MAX, 2], "reshape:"),
        ([4, -1], "reshape:"),
    ] {
        let graph = Graph::new();
        refused(graph.zeros::<f64>([2, 3]).reshape(shape), message);
    }
    let graph = Graph::new();
    // Any length would do.
    refused(graph.zeros::<f64>([0, 3]).reshape([0, -1]), "reshape:");
    let graph = Graph::new();
    gives(graph.zeros::<f64>([0, 3]).reshape([-1, 3]), Array2::<f64>::zeros((0, 3)));
}

#[test]
fn length_0_broadcasts_with_1_alone() {
    let graph = Graph::new();
    let none = graph.zeros::<f64>([0]);
    gives(none + graph.ones::<f64>([1]), Array1::<f64>::zeros(0));
    gives(none + graph.ones::<f64>([2, 1]), Array2::<f64>::zeros((2, 0)));
    refused(none + graph.ones::<f64>([2]), "add: shapes [0] and [2] do not broadcast");
}

/// Both axes reversed: negative strides.
fn backwards<T>(array: &Array2<T>) -> ArrayView2<'_, T> {
    let mut view = array.view();
    view.invert_axis(Axis(0));
    view.invert_axis(Axis(1));
    view
}

#[test]
fn views_in_any_layout_are_read_as_they_stand() {
    let graph = Graph::new();
    let x = graph.input::<i64>("x", dims!["n", "m"]);
    let plan = Plan::new([
        ("doubled", x * 2),
        ("kept", x.boolean_mask(x.gt(2))),
        ("flat", x.flatten()),
        ("running", x.cumsum(1)),
    ])
    .unwrap();
    let data = arr2(&[[1, 2, 3], [4, 5, 6]]);
    let mut fortran = Array2::<i64>::zeros((2, 3).f());
    fortran.assign(&data);
    let sparse =
        Array2::from_shape_fn(
            (4, 9),
            |(i, j)| if i % 2 == 0 && j % 3 == 1 { data[[i / 2, j / 3]] } else { -99 },
        );
    let every_second_and_third = sparse.slice_each_axis(|axis| {
        if axis.axis == Axis(0) { Slice::new(0, None, 2) } else { Slice::new(1, None, 3) }
    });
    let reversed = backwards(&data).to_owned();
    let transposed = data.t().to_owned();
    for view in [data.view(), fortran.view(), every_second_and_third, backwards(&reversed), transposed.t()] {
        let out = plan.feed("x", view).run().unwrap();
        let get = |name| out.view::<i64>(name).unwrap().to_owned();
        assert_same(&get("doubled"), &arr2(&[[2, 4, 6], [8, 10, 12]]).into_dyn());
        assert_same(&get("kept"), &arr1(&[3, 4, 5, 6]).into_dyn());
        assert_same(&get("flat"), &arr1(&[1, 2, 3, 4, 5, 6]).into_dyn());
        assert_same(&get("running"), &arr2(&[[1, 3, 6], [4, 9, 15]]).into_dyn());
    }
}

#[test]
fn a_broadcast_view_repeats_its_elements() {
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n", "m"]);
    let plan = Plan::new([("sum", x.sum(0)), ("kept", x.boolean_mask(x.gt(1.0)))]).unwrap();
    let row = arr1(&[1.0, 2.0]);
    let out = plan.feed("x", row.broadcast((3, 2)).unwrap()).run().unwrap();
    assert_same(&out.view("sum").unwrap().to_owned(), &arr1(&[3.0, 6.0]).into_dyn());
    assert_same(&out.view("kept").unwrap().to_owned(), &arr1(&[2.0, 2.0, 2.0]).into_dyn());
    let empty = Array2::<f64>::zeros((0, 2));
    let out = plan.feed("x", backwards(&empty)).run().unwrap();
    assert_same(&out.view("sum").unwrap().to_owned(), &arr1(&[0.0, 0.0]).into_dyn());
}
