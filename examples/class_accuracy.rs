//! Precision and recall of one class at a time, from one-hot targets and predicted
//! probabilities: a metric often asked for in Keras, with masks instead of casts.

use ndarray::array;
use tamis::prelude::*;

const CLASSES: [&str; 4] = ["cat", "dog", "fox", "owl"];

fn main() -> Result<(), tamis::Error> {
    let graph = Graph::new();
    let targets = graph.input::<f64>("targets", dims!["n", CLASSES.len()]); // one-hot
    let probabilities = graph.input::<f64>("probabilities", dims!["n", CLASSES.len()]);
    let class = graph.input::<i64>("class", dims![]); // a scalar: one plan serves every class

    let actual = targets.argmax(-1);
    let predicted = probabilities.argmax(-1);
    let correct = predicted.eq(actual);
    // Of the samples predicted to be of the class, how many are? Of those that are, how
    // many were found?
    let plan = Plan::new([
        ("precision", share(correct, predicted.eq(class))),
        ("recall", share(correct, actual.eq(class))),
        ("predicted", predicted.eq(class).count_nonzero(..)),
        ("actual", actual.eq(class).count_nonzero(..)),
    ])?;

    let targets = array![
        [1., 0., 0., 0.],
        [1., 0., 0., 0.],
        [1., 0., 0., 0.],
        [0., 1., 0., 0.],
        [0., 1., 0., 0.],
        [0., 1., 0., 0.],
        [0., 0., 1., 0.],
        [0., 0., 1., 0.],
    ];
    let probabilities = array![
        [0.8, 0.1, 0.1, 0.0],
        [0.6, 0.3, 0.1, 0.0],
        [0.2, 0.7, 0.1, 0.0], // a cat taken for a dog
        [0.1, 0.8, 0.1, 0.0],
        [0.3, 0.6, 0.1, 0.0],
        [0.0, 0.9, 0.1, 0.0],
        [0.1, 0.2, 0.7, 0.0],
        [0.5, 0.1, 0.4, 0.0], // a fox taken for a cat
    ];

    println!("class   actual   predicted   precision   recall");
    for (index, class) in (0_i64..).zip(CLASSES) {
        let run = plan.feed("targets", &targets).feed("probabilities", &probabilities).feed("class", index);
        let out = run.run()?;
        println!(
            "{class:<8}{:>6}{:>12}{:>12.3}{:>9.3}",
            out.scalar::<i64>("actual")?,
            out.scalar::<i64>("predicted")?,
            out.scalar::<f64>("precision")?,
            out.scalar::<f64>("recall")?,
        );
    }
    println!("\nNobody saw an owl and nobody predicted one: 0, and not NaN.");
    Ok(())
}

/// The share of `hits` among the samples that `mask` selects; 0 of none.
fn share<'g>(hits: Expr<'g>, mask: Expr<'g>) -> Expr<'g> {
    hits.masked(mask).count_nonzero(..) / mask.count_nonzero(..).maximum(1)
}
