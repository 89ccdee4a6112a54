//! Selecting by a mask: three idioms of TensorFlow that are one here, and NumPy's
//! `boxes[scores[..., 0] > 0.8]` with the indices that were selected.

use ndarray::{Axis, array};
use tamis::prelude::*;

fn main() -> Result<(), tamis::Error> {
    three_idioms()?;
    boxes_above_a_score()
}

/// Multiply what is positive by 10, add it up, and ask how each element of `x` counts.
fn three_idioms() -> Result<(), tamis::Error> {
    let graph = Graph::new();
    let x = graph.constant([1.5, -2.0, 0.5, -1.0, 3.0]);
    let mask = x.gt(0.0);

    // tf.boolean_mask(x, mask) * 10
    let by_mask = x.boolean_mask(mask) * 10.0;
    // tf.where(mask, x * 10, 0): the shape stays, what is not selected becomes 0
    let by_where = where_(mask, x * 10.0, 0.0);
    // tf.gather(x, tf.where(mask)[:, 0]) * 10: `tf.where` of a mask alone is `argwhere`
    let by_gather = x.gather(mask.argwhere().slice_axis(0, 1), 0) * 10.0;

    println!("x = {}, mask = x > 0\n", x.eval::<f64>()?);
    println!("{:<36}{:<26}{:<6}gradient of the sum", "idiom", "value", "sum");
    for (idiom, selected) in [
        ("boolean_mask(x, mask) * 10", by_mask),
        ("where(mask, x * 10, 0)", by_where),
        ("gather(x, argwhere(mask)) * 10", by_gather),
    ] {
        let sum = selected.sum(..);
        let [value, total, dx] = [selected.eval::<f64>()?, sum.eval::<f64>()?, grad(sum, x).eval::<f64>()?];
        println!("{idiom:<36}{:<26}{total:<6}{dx}", value.to_string());
    }

    // The first and the last know that they are as long as the mask has trues, so they
    // add up without a check at run time, and `unmask` puts them back at their
    // positions.
    let back = by_mask.unmask(mask, 0.0);
    println!("{:<36}{}\n", "unmask(boolean_mask(x, mask) * 10)", back.eval::<f64>()?);
    Ok(())
}

/// A detector gives a box and a score at every cell of a grid; keep the sure ones.
fn boxes_above_a_score() -> Result<(), tamis::Error> {
    let graph = Graph::new();
    // One image, a grid of 2 rows and 3 columns, and in each cell (y0, x0, y1, x1).
    let boxes = graph.constant(array![[
        [[0, 0, 40, 30], [5, 28, 52, 61], [0, 60, 44, 99]],
        [[48, 2, 97, 33], [50, 31, 90, 66], [41, 70, 88, 96]],
    ]]);
    // In each cell: how sure that there is an object, that it moves, that it is alive.
    let scores = graph.constant(array![[
        [[0.10, 0.55, 0.21], [0.93, 0.12, 0.74], [0.81, 0.97, 0.08]],
        [[0.32, 0.25, 0.40], [0.88, 0.71, 0.66], [0.79, 0.44, 0.13]],
    ]]);

    let sure = scores.slice_axis(0, -1).gt(0.8); // scores[..., 0] > 0.8, of shape (1, 2, 3)
    let kept = boxes.boolean_mask(sure).eval::<i32>()?; // boxes[sure], of shape (3, 4)
    let positions = sure.argwhere().eval::<i64>()?; // np.argwhere(sure), of shape (3, 3)
    let score = scores.slice_axis(0, -1).boolean_mask(sure).eval::<f64>()?;

    println!("boxes {} with scores[..., 0] > 0.8", boxes.shape());
    println!("{:<20}{:<20}score", "[image, row, col]", "[y0, x0, y1, x1]");
    for ((position, corners), score) in positions.axis_iter(Axis(0)).zip(kept.axis_iter(Axis(0))).zip(&score)
    {
        println!("{:<20}{:<20}{score}", position.to_string(), corners.to_string());
    }
    Ok(())
}
