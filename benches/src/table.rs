//! Results as text: a line for each case, as soon as it is known.

use crate::arguments::Arguments;
use crate::bench::{FLOOR, Row, TAMIS, percent};
use crate::floor::Bandwidth;
use crate::machine;

/// What stands above the lines.
pub(crate) fn head(arguments: &Arguments, bandwidth: &Bandwidth) -> String {
    let gigabytes = |rate: f64| rate / 1e9;
    format!(
        "{}\n{} thread(s); memory: read {:.1}, scale {:.1}, memcpy {:.1} GB/s\n\
         Medians of interleaved runs. After a time, in parentheses: tamis / that time.\n",
        machine::describe(),
        arguments.threads,
        gigabytes(bandwidth.read),
        gigabytes(bandwidth.scale),
        gigabytes(bandwidth.memcpy),
    )
}

/// One case: the times of all, and the ratios of tamis to each.
pub(crate) fn line(row: &Row, threads: usize) -> String {
    let density = row.density.map_or(String::new(), |share| format!("{}%", percent(share)));
    let tamis = row.times.iter().find(|(name, _)| *name == TAMIS).map(|(_, timing)| timing.median);
    let times = row.times.iter().map(|(name, timing)| {
        let ratio = tamis.filter(|_| *name != TAMIS).map(|tamis| tamis / timing.median);
        let ratio = ratio.map_or(String::new(), |ratio| format!(" ({})", significant(ratio)));
        format!("{name} {}{ratio}", seconds(timing.median))
    });
    let (first, rest): (Vec<_>, Vec<_>) = times.partition(|text| text.starts_with(FLOOR));
    let times = first.into_iter().chain(rest).collect::<Vec<_>>().join("  ");
    let Row { workload, title, size, .. } = row;
    format!("{workload:<5} {title:<49} {size:>9} {density:>4} {threads}t  {times}")
}

/// A time with three digits and its unit.
fn seconds(time: f64) -> String {
    let (value, unit) = match time {
        t if t < 1e-6 => (t * 1e9, "ns"),
        t if t < 1e-3 => (t * 1e6, "us"),
        t if t < 1.0 => (t * 1e3, "ms"),
        t => (t, "s"),
    };
    format!("{}{unit}", significant(value))
}

fn significant(value: f64) -> String {
    match value {
        v if v < 0.1 => format!("{v:.3}"),
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}
