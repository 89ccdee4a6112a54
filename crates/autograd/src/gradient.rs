//! What users call: the two sweeps, with arguments checked and results selected.

use std::panic::Location;

use tamis_graph::{AxisList, Expr, Origin};

use crate::arguments::{check_floats, check_scalar, conformed, directions};
use crate::arrange::full;
use crate::forward::push_forward;
use crate::guards::keep_checks;
use crate::linear::reduce;
use crate::masked_derivative::MaskedDerivative;
use crate::reverse::pull_back;
use crate::targets::Targets;

/// The gradient of a scalar `loss` with respect to each of `wrt`, as
/// expressions of the same shapes and dtypes.
///
/// Gradients are graphs like any other: differentiate them again, to any order.
/// What a mask, a `where_`, a gather, a slice or a maximum did not select gets
/// exactly 0, even where the local derivative is infinite or NaN. An expression
/// that the loss does not depend on, or only through masks, indices or
/// integers, gets zeros. One of `wrt` that is computed from another is passed
/// through: the other gets its whole gradient. A length check of the loss stays
/// with every gradient, also where the loss itself is not run.
///
/// # Errors
/// Reported when the loss is not a scalar or not a float, when one of `wrt` is not a float, or when
/// they belong to different graphs. Of a poisoned loss the gradients are poisoned silently.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([0.0, 4.0]);
/// let root = x.sqrt().boolean_mask(x.gt(0.0));
/// let dx = grad(root.sum(..), x);
/// assert_eq!(dx.eval::<f64>()?, tamis::ndarray::arr1(&[0.0, 0.25]).into_dyn());
/// let dxx = grad(dx.sum(..), x);
/// assert_eq!(dxx.eval::<f64>()?, tamis::ndarray::arr1(&[0.0, -0.03125]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[doc(alias("gradient"))]
#[track_caller]
pub fn grad<'g, T: Targets<'g>>(loss: Expr<'g>, wrt: T) -> T::Gradients {
    let list = wrt.to_list();
    wrt.to_form(called(loss, list.len(), || gradients("grad", loss, &list)))
}

/// The `loss` itself beside its gradients: `(loss, grad(loss, wrt))`.
///
/// # Errors
/// As for [`grad`].
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, 3.0]);
/// let (loss, dx) = value_and_grad(x.square().sum(..), x);
/// assert_eq!(loss.eval::<f64>()?, tamis::ndarray::arr0(10.0).into_dyn());
/// assert_eq!(dx.eval::<f64>()?, tamis::ndarray::arr1(&[2.0, 6.0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[doc(alias("gradient", "grad_and_value"))]
#[track_caller]
pub fn value_and_grad<'g, T: Targets<'g>>(loss: Expr<'g>, wrt: T) -> (Expr<'g>, T::Gradients) {
    let list = wrt.to_list();
    let gradients = called(loss, list.len(), || gradients("value_and_grad", loss, &list));
    (loss, wrt.to_form(gradients))
}

/// The product of a `cotangent` with the Jacobian of `output`: what
/// `grad((output * cotangent).sum(..), wrt)` is, for an output of any shape.
///
/// The cotangent has the shape of the output and is cast to its dtype.
///
/// # Errors
/// Reported when the output or one of `wrt` is not a float, when the shape of the cotangent
/// provably differs from the output's, or for different graphs; a shape that turns out to differ is
/// an error of the run.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, 2.0]);
/// let pulled = tamis::vjp(x.square(), x, graph.constant([10.0, 100.0]));
/// assert_eq!(pulled.eval::<f64>()?, tamis::ndarray::arr1(&[20.0, 400.0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[track_caller]
pub fn vjp<'g, T: Targets<'g>>(output: Expr<'g>, wrt: T, cotangent: Expr<'g>) -> T::Gradients {
    let list = wrt.to_list();
    wrt.to_form(called(output, list.len(), || {
        check_floats("vjp", output, &list)?;
        let cotangent = conformed("vjp", cotangent, output)?;
        Ok(finished(output, pull_back(output, cotangent, &list), &list))
    }))
}

/// How `output` changes when `wrt` changes by the `tangents`: the product of
/// its Jacobian with them, by forward mode.
///
/// There is one tangent for each of `wrt`, of its shape, cast to its dtype. The
/// result has the shape and dtype of the output. Elements that are not selected
/// contribute exactly 0, as for [`grad`].
///
/// # Errors
/// Reported when the output or one of `wrt` is not a float, when there are not as many tangents as
/// expressions, when a shape provably differs, or for different graphs; a shape that turns out to
/// differ is an error of the run.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, 2.0]);
/// let pushed = tamis::jvp(x.square(), x, graph.constant([10.0, 100.0]));
/// assert_eq!(pushed.eval::<f64>()?, tamis::ndarray::arr1(&[20.0, 400.0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[doc(alias("ForwardAccumulator"))]
#[track_caller]
pub fn jvp<'g>(output: Expr<'g>, wrt: impl Targets<'g>, tangents: impl Targets<'g>) -> Expr<'g> {
    let (wrt, tangents) = (wrt.to_list(), tangents.to_list());
    let moved = called(output, 1, || {
        check_floats("jvp", output, &wrt)?;
        let tangents = directions("jvp", output, &wrt, &tangents)?;
        Ok(finished(output, vec![push_forward(output, &wrt, &tangents)], &[output]))
    });
    moved[0]
}

/// The product of the Hessian of a scalar `loss` with `vectors`: how
/// `grad(loss, wrt)` changes when `wrt` changes by them.
///
/// There is one vector for each of `wrt`, of its shape, cast to its dtype.
///
/// # Errors
/// As for [`grad`] and, about the vectors, [`jvp`].
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, 2.0]);
/// let loss = x.pow(3).sum(..); // its Hessian is diagonal: 6x
/// let product = tamis::hvp(loss, x, graph.constant([1.0, 10.0]));
/// assert_eq!(product.eval::<f64>()?, tamis::ndarray::arr1(&[6.0, 120.0]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[track_caller]
pub fn hvp<'g, T: Targets<'g>>(loss: Expr<'g>, wrt: T, vectors: impl Targets<'g>) -> T::Gradients {
    let (list, vectors) = (wrt.to_list(), vectors.to_list());
    wrt.to_form(called(loss, list.len(), || {
        check_scalar("hvp", loss)?;
        check_floats("hvp", loss, &list)?;
        let vectors = directions("hvp", loss, &list, &vectors)?;
        let first = pull_back(loss, one(loss), &list);
        let second = match slope(first, &vectors) {
            Some(slope) => pull_back(slope, one(slope), &list),
            None => vec![None; list.len()],
        };
        Ok(finished(loss, second, &list))
    }))
}

/// Carries out one call of the user's on `output`. If the arguments are
/// wrong, each of the `count` results is the poisoned expression of the error.
#[track_caller]
fn called<'g>(
    output: Expr<'g>,
    count: usize,
    f: impl FnOnce() -> Result<Vec<Expr<'g>>, Expr<'g>>,
) -> Vec<Expr<'g>> {
    let derivatives = attributed_to(output, Location::caller(), f);
    handed_out(derivatives.unwrap_or_else(|poison| vec![poison; count]))
}

/// The derivatives as what the user holds, and may differentiate by.
pub(crate) fn handed_out(derivatives: Vec<Expr<'_>>) -> Vec<Expr<'_>> {
    derivatives.iter().for_each(|derivative| derivative.graph().hold(derivative.id()));
    derivatives
}

/// Runs `f` with what it builds attributed to a call at `location`, unless that
/// call is made by another of this crate, whose line it then is.
pub(crate) fn attributed_to<R>(
    expr: Expr<'_>,
    location: &'static Location<'static>,
    f: impl FnOnce() -> R,
) -> R {
    let outer = expr.graph().origin().map_or(location, |outer| outer.location);
    expr.graph().with_origin(Origin { location: outer, forward: None, builder: None }, f)
}

fn gradients<'g>(op: &'static str, loss: Expr<'g>, wrt: &[Expr<'g>]) -> Result<Vec<Expr<'g>>, Expr<'g>> {
    check_scalar(op, loss)?;
    check_floats(op, loss, wrt)?;
    Ok(finished(loss, pull_back(loss, one(loss), wrt), wrt))
}

/// The derivative of a scalar by itself.
fn one(scalar: Expr<'_>) -> MaskedDerivative<'_> {
    MaskedDerivative::everywhere(full(scalar.graph(), scalar.shape(), scalar.dtype(), 1.0))
}

/// The sum over all gradients of their products with the vectors, which are
/// constants even where they are computed from what is differentiated by.
fn slope<'g>(
    gradients: Vec<Option<MaskedDerivative<'g>>>,
    vectors: &[MaskedDerivative<'g>],
) -> Option<Expr<'g>> {
    let products = gradients.into_iter().zip(vectors).filter_map(|(gradient, vector)| {
        let product = gradient?.scale(vector.value.stop_gradient());
        let axes: AxisList = (0..product.value.rank()).collect();
        Some(reduce::sum(&product, &axes).select())
    });
    products.reduce(|a, b| a + b)
}

/// The true numbers of the derivatives, which have the shapes and dtypes of
/// `like`, with the checks of `output`.
fn finished<'g>(
    output: Expr<'g>,
    derivatives: Vec<Option<MaskedDerivative<'g>>>,
    like: &[Expr<'g>],
) -> Vec<Expr<'g>> {
    let numbers = derivatives.iter().zip(like).map(|(derivative, like)| match derivative {
        Some(derivative) => derivative.select(),
        None if like.is_poisoned() => *like,
        None => full(like.graph(), like.shape(), like.dtype(), 0.0),
    });
    keep_checks(output, numbers.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tamis_graph::{DType, Graph, Layout, Op, Select, dims, where_};

    /// How many selects the graph holds.
    fn selects(graph: &Graph) -> usize {
        graph.to_string().matches("where_(").count()
    }

    #[test]
    fn nothing_is_selected_where_nothing_is_masked() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n", 3]);
        let w = graph.input::<f64>("w", [3, 2]);
        let loss = (x.matmul(w) + 1.0).tanh().square().mean(..);
        let [dx, dw] = grad(loss, [x, w]);
        assert_eq!((dx.shape(), dw.shape()), (x.shape(), w.shape()));
        assert_eq!(selects(&graph), 0);
        assert!(graph.check().is_ok());
    }

    #[test]
    fn a_seed_of_one_is_not_multiplied() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let y = graph.input::<f64>("y", [3]);
        let [dx, dy] = grad((x * y).sum(..), [x, y]);
        assert_eq!((dx.id(), dy.id()), (y.id(), x.id()));
    }

    #[test]
    fn one_select_serves_a_whole_masked_chain() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        let root = where_(x.gt(0.0), x.sqrt(), 0.0);
        let before = selects(&graph);
        let dx = grad((root * 2.0).sin().sum(..), x);
        assert_eq!(selects(&graph), before + 1);
        assert_eq!(*dx.node().op(), Op::Select(Select::Where));
    }

    #[test]
    fn a_mask_of_rows_stays_small() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n", "d"]);
        let rows = graph.input::<bool>("rows", dims!["n"]);
        let dx = grad(x.masked(rows).sum(..), x);
        let mask = graph.node(dx.node().operands()[0]);
        assert_eq!(mask.shape().to_string(), "[n, 1]");
    }

    #[test]
    fn both_sides_of_a_product_are_selected_by_the_inner_axis() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [2, 3]);
        let w = graph.input::<f64>("w", [3, 4]);
        let columns = graph.input::<bool>("columns", [4]);
        let loss = where_(columns, x.matmul(w), 0.0).sum(..);
        let before = selects(&graph);
        let _dx = grad(loss, x);
        assert_eq!(selects(&graph), before + 2);
        assert!(!graph.to_string().contains("mask_a"));
        let pattern = graph.input::<bool>("pattern", [2, 4]);
        let _dx = grad(where_(pattern, x.matmul(w), 0.0).sum(..), x);
        assert!(graph.to_string().contains("mask_a"));
    }

    #[test]
    fn what_does_not_matter_gets_zeros() {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", dims!["n", 2]);
        let y = graph.input::<f32>("y", [3]);
        let loss = where_(x.gt(0.0), 1.0f32, 0.0).cast(DType::F32).sum(..);
        let [dx, dy] = grad(loss, [x, y]);
        assert_eq!(graph.describe(dx.id()), "broadcast_to(0.0)");
        assert_eq!((dx.shape(), dx.dtype()), (x.shape(), DType::F32));
        assert_eq!(dy.shape(), y.shape());
    }

    #[test]
    fn errors_are_reported_at_the_line_of_the_call() {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [3]);
        let i = graph.input::<i64>("i", [3]);
        let line = line!() + 1;
        let dx = grad(x * 2.0, x);
        let _di = grad(x.sum(..), i);
        let _loss = grad(i.sum(..), x);
        assert!(dx.is_poisoned());
        let error = graph.check().unwrap_err();
        let found: Vec<(u32, String)> = error
            .reports()
            .iter()
            .map(|report| (report.location().line(), report.kind().to_string()))
            .collect();
        assert_eq!(
            found,
            [
                (line, "the loss has shape [3]; a gradient is taken of a scalar: reduce it with `.sum(..)` or `.mean(..)`".to_owned()),
                (line + 1, "an expression to differentiate by is i64[3]; gradients exist for f32 and f64 only".to_owned()),
                (line + 2, "the expression to differentiate is i64[]; gradients exist for f32 and f64 only".to_owned()),
            ]
        );
    }

    #[test]
    fn backward_expressions_know_both_lines() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let forward = line!() + 1;
        let y = x.sin();
        let loss = y.sum(..);
        let backward = line!() + 1;
        let dx = grad(loss, x);
        let origin = dx.node().origin();
        assert_eq!(origin.location.line(), backward);
        assert_eq!(origin.forward.map(|location| location.line()), Some(forward));
    }

    #[test]
    fn the_checks_of_a_linear_loss_stay_with_its_gradient() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        let y = graph.input::<f64>("y", dims!["m"]);
        let [dx, dy] = grad((x + y).sum(..), [x, y]);
        let text = graph.to_string();
        let checked =
            |x: Expr<'_>| matches!(x.node().op(), Op::Layout(Layout::Checked | Layout::Guard { .. }));
        assert!(checked(dx) && checked(dy), "{text}");
        let z = graph.input::<f64>("z", dims!["n"]);
        let dz = grad((x * z).sum(..), z);
        assert_eq!(dz.id(), x.id());
    }

    #[test]
    fn a_gradient_by_something_computed_passes_it_through() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let y = x.exp();
        let [dx, dy] = grad((y * 3.0).sum(..), [x, y]);
        assert_ne!(dx.id(), dy.id());
        assert_eq!(graph.describe(dx.id()).matches("exp").count(), 1);
    }

    #[test]
    fn directions_must_have_the_shapes_of_their_expressions() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let wrong = graph.input::<f64>("wrong", [4]);
        assert!(vjp(x.exp(), x, wrong).is_poisoned());
        assert!(jvp(x.exp(), x, wrong).is_poisoned());
        assert!(jvp(x.exp(), x, [x, x]).is_poisoned());
        assert!(hvp(x.sum(..), x, wrong).is_poisoned());
        assert_eq!(graph.check().unwrap_err().reports().len(), 4);
        assert_eq!(jvp(x.exp(), x, x).shape(), x.shape());
    }

    #[test]
    fn the_vectors_of_a_second_derivative_are_constants() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let linear = (x * 2.0).sum(..);
        assert_eq!(graph.describe(hvp(linear, x, x).id()), "broadcast_to(0.0)");
    }

    #[test]
    fn the_cost_of_a_selection_does_not_grow_with_their_number() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", [3]);
        let threshold = graph.input::<f64>("threshold", [3]);
        let mut y = x;
        for i in 0..5_000 {
            y = where_(threshold.gt(i as f64), y + 1.0, 0.0);
        }
        let before = graph.len();
        let _dx = grad(y.sum(..), x);
        assert!(graph.len() - before < 5 * 5_000);
    }

    #[test]
    fn gradients_stay_in_the_dtype_of_what_they_differentiate() {
        let graph = Graph::new();
        let x = graph.input::<f32>("x", [4]);
        let kept = x.ln().boolean_mask(x.gt(0.0));
        let loss = (kept.cumsum(0) / 3.0).tanh().sum(..) + x.softmax(0).pow(1.5).maximum(0.1).max(..);
        let dxx = grad(grad(loss, x).sigmoid().sum(..), x);
        assert_eq!(dxx.dtype(), DType::F32);
        assert!(!graph.to_string().contains("f64"), "{graph}");
        assert!(graph.check().is_ok());
    }

    #[test]
    fn operands_of_a_concatenation_get_their_slices() {
        let graph = Graph::new();
        let x = graph.input::<f64>("x", dims!["n"]);
        let y = graph.input::<f64>("y", dims!["m"]);
        let whole = graph.concat([x, y], 0);
        let [dx, dy] = grad((whole * whole).sum(..), [x, y]);
        assert_eq!((dx.shape(), dy.shape()), (x.shape(), y.shape()));
        assert_eq!(selects(&graph), 0);
    }
}
