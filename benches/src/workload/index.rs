//! Rows by index, and the gradient of that.

use ndarray::{Array1, Array2, Axis};
use tamis::prelude::*;

use crate::bench::Bench;
use crate::data::{Random, floats, share};
#[cfg(any(feature = "candle", feature = "burn"))]
use crate::peer;

const WIDTH: usize = 64;

/// W7: an embedding: rows of a large table.
pub(crate) fn gathered_rows(bench: &mut Bench, size: usize) {
    let (rows, picked) = (share(1_000_000, size), share(200_000, size));
    let mut random = Random::new(7);
    let table: Array2<f32> = random.signed([rows, WIDTH]);
    let indices = random.indices(picked, rows);
    let case = bench.case("W7", "x[i], 2e5 rows of (1e6,64)", table.len());
    let mut case = case.bytes(floats(picked * WIDTH) + 8 * picked, floats(picked * WIDTH));

    case.add("tamis", || {
        let graph = Graph::new();
        let table_in = graph.input::<f32>("table", dims!["rows", WIDTH]);
        let plan = bench.plan([("rows", table_in.gather(graph.input::<i64>("i", dims!["n"]), 0))]);
        let (table, indices) = (&table, &indices);
        move || plan.feed("table", table).feed("i", indices).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let (table, indices) = (&table, as_usize(&indices));
        move || table.select(Axis(0), &indices)
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (table, indices) = (peer::candle::tensor(&table), peer::candle::tensor(&indices));
        move || table.index_select(&indices, 0)
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let (table, indices) = (peer::burn::tensor::<2, _>(&table), peer::burn::indices::<1, _>(&indices));
        move || table.clone().select(0, indices.clone())
    });
    bench.run(case);
}

/// W7: the gradient of the table, of the rows' weighted sum. The other libraries
/// run the scatter that their gradient consists of, which spares them the rest.
pub(crate) fn scattered_rows(bench: &mut Bench, size: usize) {
    let (rows, picked) = (share(1_000_000, size), share(200_000, size));
    let mut random = Random::new(17);
    let indices = random.indices(picked, rows);
    let weights: Array2<f32> = random.signed([picked, WIDTH]);
    let case = bench.case("W7", "gradient of x[i]: scatter_add", rows * WIDTH);
    let mut case = case.bytes(floats(picked * WIDTH) + 8 * picked, floats(rows * WIDTH));

    case.add("tamis", || {
        let graph = Graph::new();
        let table_in = graph.input::<f32>("table", dims![rows, WIDTH]);
        let weights_in = graph.input::<f32>("weights", dims!["n", WIDTH]);
        let picked = table_in.gather(graph.input::<i64>("i", dims!["n"]), 0);
        let plan = bench.plan([("dtable", grad((picked * weights_in).sum(..), table_in))]);
        let (weights, indices) = (&weights, &indices);
        move || plan.feed("weights", weights).feed("i", indices).run().expect("right feeds")
    });
    case.add("ndarray", || {
        let (weights, indices) = (&weights, as_usize(&indices));
        move || {
            let mut gradient = Array2::<f32>::zeros([rows, WIDTH]);
            for (index, weights) in indices.iter().zip(weights.rows()) {
                let mut row = gradient.row_mut(*index);
                row += &weights;
            }
            gradient
        }
    });
    #[cfg(feature = "candle")]
    case.add("candle", || {
        let (weights, indices) = (peer::candle::tensor(&weights), peer::candle::tensor(&indices));
        move || {
            let zeros = candle_core::Tensor::zeros((rows, WIDTH), candle_core::DType::F32, weights.device())?;
            zeros.index_add(&indices, &weights, 0)
        }
    });
    #[cfg(feature = "burn")]
    case.add("burn", || {
        let (weights, indices) =
            (peer::burn::tensor::<2, _>(&weights), peer::burn::indices::<1, _>(&indices));
        move || {
            let zeros = burn::tensor::Tensor::<2>::zeros([rows, WIDTH], &weights.device());
            let add = burn::tensor::IndexingUpdateOp::Add;
            zeros.select_assign(0, indices.clone(), weights.clone(), add)
        }
    });
    bench.run(case);
}

fn as_usize(indices: &Array1<i64>) -> Vec<usize> {
    indices.iter().map(|index| *index as usize).collect()
}
