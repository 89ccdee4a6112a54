//! A trend and a seasonal cycle fitted to the CO2 record of Mauna Loa, of which 59 weeks
//! are missing. They stay in the data as NaN: a mask skips them, in the loss and in its
//! gradient. Writes a plot.
//!
//! NumPy's numbers, from `np.linalg.lstsq(X[ok], y[ok])` with `ok = ~np.isnan(y)`, are in
//! `data/REFERENCE.md`; `tests/examples.rs` compares.

#[path = "../shared/co2.rs"]
mod co2;
#[path = "../shared/files.rs"]
mod files;
mod plot;

use std::error::Error;

use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Array1;
use plot::Week;
use tamis::prelude::*;

const STEPS: u64 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let graph = Graph::new();
    let co2 = graph.input::<f64>("co2", dims!["weeks"]);
    let w = graph.input::<f64>("w", [co2::PARAMETERS]);

    let years = co2::years(co2);
    let basis = co2::basis(years);
    let fit = basis.matmul(w);
    let loss = co2::loss(fit, co2);

    // The input "w" is read, and the output "w" is written over it: training in place.
    let readings = co2::read(&files::data("co2.csv"))?;
    let mut weights = Array1::<f64>::zeros(co2::PARAMETERS);
    let training = Plan::new([("w", co2::step(loss, w)), ("loss", loss)])?;
    let bar = ProgressBar::new(STEPS).with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    for _ in 0..STEPS {
        let out = training.feed("co2", &readings).update("w", weights.view_mut()).run()?;
        bar.set_message(format!("loss {:.6}", out.scalar::<f64>("loss")?));
        bar.inc(1);
    }
    bar.finish();

    // The growth per year is the derivative of the trend to time, from the same `grad`.
    let trend = co2::trend(basis, w);
    let seasons = co2::seasons(basis, w);
    let result = Plan::new([
        ("years", years),
        ("fit", fit),
        ("loss", loss),
        ("missing", co2.is_nan().count_nonzero(..)),
        ("growth", grad(trend.sum(..), years)),
        ("swing", seasons.max(..) - seasons.min(..)),
    ])?;
    let out = result.feed("co2", &readings).feed("w", &weights).run()?;

    let (years, growth) = (out.view::<f64>("years")?, out.view::<f64>("growth")?);
    println!("Mauna Loa, {} weeks, {} of them missing", readings.len(), out.scalar::<i64>("missing")?);
    println!("  loss after {STEPS} steps     {:.6} ppmv^2 (mean squared error)", out.scalar::<f64>("loss")?);
    println!("  seasonal swing           {:.3} ppmv", out.scalar::<f64>("swing")?);
    for year in [1960.0, 1980.0, 2000.0] {
        if let Some(week) = years.iter().position(|week| *week >= year) {
            println!("  growth in {year}           {:.3} ppmv per year", growth[week]);
        }
    }

    let columns = years.iter().zip(&readings).zip(out.view::<f64>("fit")?);
    let weeks: Vec<Week> = columns.map(|((&year, &co2), &fit)| Week { year, co2, fit }).collect();
    let path = files::output("co2-fit.svg")?;
    std::fs::write(&path, plot::draw(&weeks))?;
    println!("  plot                     {}", files::shown(&path));
    Ok(())
}
