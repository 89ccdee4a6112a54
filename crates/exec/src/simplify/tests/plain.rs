//! Arithmetic, casts, layouts and literals.

use tamis_graph::{Binary, DType, where_};

use super::{check, check_stays};

#[test]
fn neutral_elements_vanish() {
    check(|i| (i.x * 1.0, i.x));
    check(|i| (1.0 * i.x, i.x));
    check(|i| (i.x / 1.0, i.x));
    check(|i| (i.x - 0.0, i.x));
    check(|i| (i.x + -0.0, i.x));
    check(|i| (i.i + 0, i.i));
    check(|i| (i.i - 0, i.i));
    check(|i| (i.i * 1, i.i));
    // −0.0 + 0.0 is +0.0.
    check_stays(|i| i.x + 0.0);
    check_stays(|i| i.x - -0.0);
    check_stays(|i| i.x * 0.0);
}

#[test]
fn a_division_by_a_power_of_two_is_a_product() {
    check(|i| (i.x / 2.0, i.x * 0.5));
    check(|i| (i.x / -0.25, i.x * -4.0));
    check_stays(|i| i.x / 3.0);
    check_stays(|i| i.x / 0.0);
    check_stays(|i| i.x / f64::INFINITY);
    // The reciprocal is subnormal.
    check_stays(|i| i.x / 2_f64.powi(1023));
}

#[test]
fn an_integer_times_zero_is_zero() {
    check(|i| (i.i * 0, i.graph.zeros::<i32>(i.i.shape())));
    check(|i| (0 * i.i, i.graph.zeros::<i32>(i.i.shape())));
    check_stays(|i| (i.i % i.j) * 0);
}

#[test]
fn what_was_done_is_not_done_again() {
    check(|i| (-(-i.x), i.x));
    check(|i| (i.x.abs().abs(), i.x.abs()));
    check(|i| ((-i.i).abs(), i.i.abs()));
    check(|i| (i.x.floor().floor(), i.x.floor()));
    check(|i| (i.x.relu().relu(), i.x.relu()));
    check(|i| (i.x.sign().sign(), i.x.sign()));
    check(|i| (i.x.maximum(i.x), i.x));
    check(|i| (i.x.minimum(i.x * 1.0), i.x));
    check(|i| (i.x.exp().stop_gradient().sqrt(), i.x.exp().sqrt()));
    check_stays(|i| i.x.exp().exp());
    check_stays(|i| i.x.square().square());
    check_stays(|i| i.x - i.x);
}

#[test]
fn exact_casts_vanish_before_others() {
    check(|i| (i.a.cast(DType::U8).cast(DType::F32), i.a.cast(DType::F32)));
    check(|i| (i.a.cast(DType::F64).cast(DType::Bool), i.a));
    check(|i| (i.i.cast(DType::I64).cast(DType::F32), i.i.cast(DType::F32)));
    check(|i| (i.i.cast(DType::F64).cast(DType::I64), i.i.cast(DType::I64)));
    check(|i| (i.rows.cast(DType::F64).cast(DType::I32), i.rows.cast(DType::I32)));
    check(|i| (i.rows.cast(DType::F64).cast(DType::F32), i.rows));
    // A float saturates where an integer wraps; f32 rounds.
    check_stays(|i| i.i.cast(DType::F64).cast(DType::U8));
    check_stays(|i| i.i.cast(DType::F32).cast(DType::I32));
    check_stays(|i| i.x.cast(DType::F32).cast(DType::F64));
    check_stays(|i| i.x.cast(DType::Bool).cast(DType::F64));
}

#[test]
fn literals_stand_last() {
    check(|i| (2.0 + i.x, i.x + 2.0));
    check(|i| (2.0 * i.x, i.x * 2.0));
    check(|i| (i.graph.scalar(0.0).lt(i.x), i.x.gt(0.0)));
    check(|i| (i.graph.scalar(0.0).ge(i.x), i.x.le(0.0)));
    check(|i| (i.graph.scalar(0.0).ne(i.x), i.x.ne(0.0)));
    check_stays(|i| f64::NAN + i.x);
    check_stays(|i| 2.0 - i.x);
    check_stays(|i| i.y + i.x);
    check(|i| (i.graph.apply(tamis_graph::Logic::And, &[i.b, i.a]), i.a & i.b));
}

#[test]
fn literals_are_computed() {
    check(|i| (i.x * (i.graph.scalar(2.0) + 1.0).sqrt(), i.x * 3.0_f64.sqrt()));
    check(|i| (where_(i.graph.scalar(2).gt(1), i.x, i.y), i.x));
    check(|i| (i.graph.scalar(7).cast(DType::F64) + i.x, i.x + 7.0));
    // A NaN keeps the bits of the run, an error its line.
    check_stays(|i| {
        let zero = i.graph.scalar(0.0);
        zero / zero + i.x
    });
    check_stays(|i| i.i + i.graph.scalar(1).floor_div(0));
}

#[test]
fn broadcasts_come_last() {
    check(|i| {
        let row = i.graph.constant([0.5_f32, -1.0, f32::NAN]);
        let shape = i.rows.shape();
        let doubled = row.broadcast_to(&shape).exp() + row.broadcast_to(&shape);
        (doubled, (row.exp() + row).broadcast_to(&shape))
    });
    check(|i| {
        let row = i.graph.constant([0.5_f32, -1.0, f32::NAN]);
        (i.rows * row.broadcast_to(i.rows.shape()), i.rows * row)
    });
    check(|i| (i.x + i.graph.ones::<f64>(i.x.shape()), i.x + 1.0));
    check(|i| {
        let column = i.i.unsqueeze(1).broadcast_to(i.rows.shape());
        (column.floor_div(i.rows.cast(DType::I32)), i.i.unsqueeze(1).floor_div(i.rows.cast(DType::I32)))
    });
    // The error would name another position.
    check_stays(|i| {
        let [a, b] = [i.i, i.j].map(|x| x.unsqueeze(1).broadcast_to(i.rows.shape()));
        i.graph.apply(Binary::FloorDiv, &[a, b])
    });
}

#[test]
fn costly_ops_stay_behind_selections() {
    check_stays(|i| i.x.boolean_mask(i.a).exp());
    check_stays(|i| i.i.boolean_mask(i.a).floor_div(i.j.boolean_mask(i.a)));
    check_stays(|i| i.i.boolean_mask(i.a).pow(i.j.boolean_mask(i.a)));
    check_stays(|i| i.x.boolean_mask(i.a).pow(2.5));
    check_stays(|i| i.x.boolean_mask(i.a).sort(0).unmask(i.a, 0.0) + 1.0);
    check(|i| ((i.x.boolean_mask(i.a) * 2.0).exp() + 1.0, (i.x * 2.0).boolean_mask(i.a).exp() + 1.0));
}

#[test]
fn a_scalar_is_the_same_in_any_arrangement() {
    check(|i| (i.graph.ones::<f32>(i.rows.shape()).flatten(), i.graph.ones::<f32>(i.rows.flatten().shape())));
    check(|i| {
        let transposed = i.graph.ones::<f32>(i.rows.shape()).transpose();
        (transposed, i.graph.ones::<f32>(i.rows.transpose().shape()))
    });
    check(|i| {
        let sum = i.x.sum(..);
        (i.graph.ones::<f64>([4, 5]).slice_axis(2, 0) * sum, sum.broadcast_to([5]))
    });
    check(|i| (i.x.sum(..).reshape([1, 1]), i.x.sum(..).broadcast_to([1, 1])));
    check_stays(|i| i.graph.ones::<f64>(i.x.shape()).slice_axis(0, 0));
}
