//! A first program: a loss over what a mask selects, its gradient, and one plan
//! that serves every length.

use tamis::ndarray::array;
use tamis::prelude::*;

fn main() -> Result<(), tamis::Error> {
    // No value is computed while the graph is built. "n" is a length with a name.
    let graph = Graph::new();
    let x = graph.input::<f64>("x", dims!["n"]);
    let positive = x.gt(0.0);
    let loss = x.boolean_mask(positive).sqrt().sum(..); // np.sqrt(x[x > 0]).sum()
    let dx = grad(loss, x); // a graph like any other
    println!("{graph}");

    let plan = Plan::new([("loss", loss), ("dx", dx)])?;
    for x in [array![4.0, 0.0, -1.0], array![1.0, f64::NAN, 16.0, -2.0, 0.25]] {
        let out = plan.feed("x", &x).run()?;
        println!("x    = {x}");
        println!("loss = {}", out.scalar::<f64>("loss")?);
        println!("dx   = {}\n", out.view::<f64>("dx")?);
    }
    println!("What was not selected has gradient 0: no NaN from sqrt(-1), no infinity at 0.");
    Ok(())
}
