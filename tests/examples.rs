//! The examples on real data beside NumPy, whose numbers and code are in
//! `examples/data/REFERENCE.md`.

#[path = "../examples/shared/co2.rs"]
mod co2;
#[path = "../examples/shared/files.rs"]
mod files;
#[path = "../examples/shared/images.rs"]
mod images;
#[path = "../examples/shared/picture.rs"]
mod picture;

use std::error::Error;

use approx::assert_relative_eq;
use ndarray::{Array1, ArrayViewD, array};
use tamis::DType;
use tamis::prelude::*;

/// `np.linalg.lstsq` on the weeks that are there.
const LEAST_SQUARES: [f64; co2::PARAMETERS] =
    [339.5127103919, 29.3856859955, 5.6636065578, -0.9953427851, 2.6294000483, 0.6302161917, -0.4313302279];

/// Compares element by element, by a relative tolerance.
#[track_caller]
fn assert_close(actual: ArrayViewD<f64>, expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        assert_relative_eq!(actual, expected, max_relative = tolerance);
    }
}

#[test]
fn gradient_steps_over_gaps_reach_least_squares() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let co2 = graph.input::<f64>("co2", dims!["weeks"]);
    let w = graph.input::<f64>("w", [co2::PARAMETERS]);
    let loss = co2::loss(co2::basis(co2::years(co2)).matmul(w), co2);
    let plan = Plan::new([("w", co2::step(loss, w)), ("loss", loss)])?;
    let readings = co2::read(&files::data("co2.csv"))?;
    assert_eq!(readings.len(), 2284);
    assert_eq!(readings.iter().filter(|reading| reading.is_nan()).count(), 59);
    let mut weights = Array1::<f64>::zeros(co2::PARAMETERS);
    for _ in 0..200 {
        plan.feed("co2", &readings).update("w", weights.view_mut()).run()?;
    }
    let out = plan.feed("co2", &readings).feed("w", &weights).run()?;
    assert_close(weights.view().into_dyn(), &LEAST_SQUARES, 1e-9);
    assert_relative_eq!(out.scalar::<f64>("loss")?, 0.6387180045067284, max_relative = 1e-12);
    Ok(())
}

#[test]
fn growth_is_the_derivative_of_the_trend() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let co2 = graph.input::<f64>("co2", dims!["weeks"]);
    let w = graph.constant(LEAST_SQUARES);
    let years = co2::years(co2);
    let basis = co2::basis(years);
    let seasons = co2::seasons(basis, w);
    let plan = Plan::new([
        ("years", years),
        ("growth", grad(co2::trend(basis, w).sum(..), years)),
        ("swing", seasons.max(..) - seasons.min(..)),
    ])?;
    let out = plan.feed("co2", &co2::read(&files::data("co2.csv"))?).run()?;
    let (years, growth) = (out.view::<f64>("years")?, out.view::<f64>("growth")?);
    for (year, expected) in
        [(1960.0, 0.867678379545374), (1980.0, 1.3359372617135572), (2000.0, 1.8041961438817404)]
    {
        let week = years.iter().position(|week| *week >= year).ok_or("the record ends too soon")?;
        assert_relative_eq!(growth[week], expected, max_relative = 1e-9);
    }
    assert_relative_eq!(out.scalar::<f64>("swing")?, 6.2570066779054, max_relative = 1e-9);
    Ok(())
}

#[test]
fn coins_are_measured_as_by_numpy() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let pixels = picture::read(&files::data("coins.png"))?;
    assert_eq!(pixels.dim(), (303, 384, 1));
    let image = graph.constant(&pixels);
    let grey = image.squeeze(-1);
    let coins = images::coins(grey);
    let coin = images::large_coin(grey);
    assert_eq!(coins.count_nonzero(..).eval::<i64>()?, ndarray::arr0(38311).into_dyn());
    // Means of u8 are f32, as their sums over these pictures are exact in f32.
    for (side, expected) in [(coins, 160.42880634804627), (!coins, 65.64683948181084)] {
        for mean in [grey.masked(side).mean(..), grey.boolean_mask(side).mean(..)] {
            assert_close(mean.cast(DType::F64).eval()?.view(), &[expected], 1e-6);
        }
    }
    assert_eq!(images::bounding_box(coin).eval::<i64>()?, array![[16, 303], [71, 364]].into_dyn());
    let crop = images::enlarge(images::crop(image, coin), 2).eval::<u8>()?;
    assert_eq!(crop.shape(), [2 * 56, 2 * 62, 1]);
    Ok(())
}

#[test]
fn the_suit_is_measured_as_by_numpy() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let pixels = picture::read(&files::data("astronaut.png"))?;
    assert_eq!(pixels.dim(), (512, 512, 3));
    let photo = graph.constant(&pixels);
    let suit = images::suit(photo);
    let (weight, grey) = (images::spotlight(photo), photo.mean(-1));
    let brightness = (grey * weight).sum(..) / weight.sum(..);
    assert_eq!(suit.count_nonzero(..).eval::<i64>()?, ndarray::arr0(52119).into_dyn());
    for (mask, expected) in [
        (suit, [208.1233523283, 94.7026420307, 57.9340547593]),
        (!suit, [125.0450041662, 108.5032591358, 106.039266754]),
    ] {
        for mean in [photo.masked(mask).mean([0, 1]), photo.boolean_mask(mask).mean(0)] {
            assert_close(mean.cast(DType::F64).eval()?.view(), &expected, 1e-5);
        }
    }
    assert_close(brightness.eval()?.view(), &[132.43006405278447], 1e-6);
    Ok(())
}

#[test]
fn a_picture_that_is_written_reads_the_same() -> Result<(), Box<dyn Error>> {
    let pixels = picture::read(&files::data("coins.png"))?;
    let path = files::output("round-trip.png")?;
    picture::write(&path, pixels.view().into_dyn())?;
    assert_eq!(picture::read(&path)?, pixels);
    Ok(())
}
