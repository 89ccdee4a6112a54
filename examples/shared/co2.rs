//! Carbon dioxide at Mauna Loa week by week: the record with its gaps, a model of trend
//! and seasons, and a loss that skips the gaps.

#![allow(dead_code, reason = "each example uses a part of it")]

use std::error::Error;
use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use ndarray::Array1;
use tamis::prelude::*;

/// How many parameters the model has: three of the trend, then four of the seasons.
pub(crate) const PARAMETERS: usize = 7;
/// How many of them are of the trend.
pub(crate) const TREND: usize = 3;

/// The readings in parts per million by volume; a missing week is NaN.
pub(crate) fn read(path: &Path) -> Result<Array1<f64>, Box<dyn Error>> {
    let text = fs::read_to_string(path)?;
    let readings = text.lines().skip(1).filter_map(|line| line.split_once(','));
    let values = readings.map(|(_, co2)| if co2.is_empty() { Ok(f64::NAN) } else { co2.parse() });
    Ok(values.collect::<Result<Vec<f64>, _>>()?.into())
}

/// The dates of the readings in years: one a week, from the 29th of March 1958 on.
pub(crate) fn years(co2: Expr) -> Expr {
    let days = co2.graph().iota(co2.dim(0)) * 7 + 87;
    1958.0 + days / 365.25
}

/// What the model adds up, one column per parameter: a parabola, a year and half a year.
///
/// Time is centred and scaled, so that the columns are nearly orthogonal and plain
/// gradient steps converge.
pub(crate) fn basis(years: Expr) -> Expr {
    let time = (years - 1980.0) / 22.0;
    let [year, half_year] = [years * TAU, years * (2.0 * TAU)];
    let one = time.graph().ones::<f64>(time.shape());
    let trend = [one, time, time.square() - 1.0 / 3.0];
    let seasons = [year.cos(), year.sin(), half_year.cos(), half_year.sin()];
    time.graph().stack(trend.into_iter().chain(seasons), 1)
}

/// The mean squared error over the weeks that were measured. The others are NaN, in the
/// loss and in its gradient too, but nothing selects them.
pub(crate) fn loss<'g>(fit: Expr<'g>, co2: Expr<'g>) -> Expr<'g> {
    (fit - co2).square().masked(!co2.is_nan()).mean(..)
}

/// The trend alone: the first columns with the first parameters.
pub(crate) fn trend<'g>(basis: Expr<'g>, w: Expr<'g>) -> Expr<'g> {
    basis.slice((.., ..TREND)).matmul(w.slice([..TREND]))
}

/// The seasons alone: the other columns with the other parameters.
pub(crate) fn seasons<'g>(basis: Expr<'g>, w: Expr<'g>) -> Expr<'g> {
    basis.slice((.., TREND..)).matmul(w.slice([TREND..]))
}

/// One step of gradient descent from `w`.
pub(crate) fn step<'g>(loss: Expr<'g>, w: Expr<'g>) -> Expr<'g> {
    w - grad(loss, w) * 0.9
}
