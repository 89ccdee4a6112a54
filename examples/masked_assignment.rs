//! `dest[mask] = src[mask]`, as an expression that gives a new tensor: in one and two
//! dimensions, with a source that broadcasts, and with a source of another dtype.

use std::fmt::Display;

use tamis::DType;
use tamis::prelude::*;

fn main() -> Result<(), tamis::Error> {
    let graph = Graph::new();

    println!("One dimension: dest[mask] = src[mask]");
    let dest = graph.constant([1.0, 2.0, 3.0, 4.0]);
    let src = graph.constant([10.0, 20.0, 30.0, 40.0]);
    let mask = graph.constant([true, false, false, true]);
    show(dest, mask, src)?;

    println!("Two dimensions, the mask computed: dest[src > 25] = src[src > 25]");
    let dest = graph.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let src = graph.constant([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]]);
    show(dest, src.gt(25.0), src)?;

    // PyTorch refuses `dest[mask] = src[mask]` here, because `src` has another shape than
    // the mask. With the shape of the destination, the source broadcasts to the
    // destination, as in arithmetic.
    println!("A source of one column under a mask of two");
    let column = graph.constant([[10.0], [20.0], [30.0]]);
    let mask = graph.constant([[true, false], [false, true], [true, true]]);
    show(dest, mask, column)?;

    // PyTorch refuses this as well ("Index put requires the source and destination dtypes
    // match"). The destination keeps its dtype, and what widens into it is converted.
    println!("Integers into floats");
    let whole = graph.constant([[10, 20], [30, 40], [50, 60]]);
    show(dest, mask, whole)?;

    // The other direction would lose values. It is refused while building, with this line.
    let _lossy = whole.masked_assign(mask, dest);
    if let Err(error) = graph.check() {
        println!("Floats into integers\n  {error}");
    }
    Ok(())
}

/// Assigns `src` to the elements of `dest` at which `mask` is true, and prints all four
/// side by side.
fn show(dest: Expr, mask: Expr, src: Expr) -> Result<(), tamis::Error> {
    let after = dest.masked_assign(mask, src);
    let columns = [
        column("dest", dest, dest.eval::<f64>()?),
        column("mask", mask, mask.eval::<bool>()?),
        column("src", src, src.cast(DType::F64).eval::<f64>()?),
        column("dest after", after, after.eval::<f64>()?),
    ];
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let cells = columns.iter().map(|column| {
            let width = column.iter().map(String::len).max().unwrap_or(0) + 4;
            format!("{:<width$}", column.get(line).map_or("", String::as_str))
        });
        println!("  {}", cells.collect::<String>().trim_end());
    }
    println!();
    Ok(())
}

/// The lines of an array as ndarray prints it, under its name and type.
fn column(name: &str, expr: Expr, array: impl Display) -> Vec<String> {
    let head = format!("{name} {}{}", expr.dtype(), expr.shape());
    std::iter::once(head).chain(array.to_string().lines().map(str::to_owned)).collect()
}
