//! Dense matrices of derivatives, for small outputs: one reverse sweep per element.

use std::panic::Location;

use tamis_graph::{ErrorKind, Expr, Graph, Shape};

use crate::gradient::{attributed_to, grad, handed_out};

/// Every derivative of an element of `output` by an element of `wrt`: shape
/// `output.shape + wrt.shape`, dtype of `wrt`.
///
/// Meant for small outputs, since it takes one sweep per element; their lengths
/// must be known while building, those of `wrt` need not be. For products with
/// the Jacobian use [`crate::vjp`] and [`crate::jvp`], which never form it.
///
/// # Errors
/// Reported when the output or `wrt` is not a float, when a length of the output is not known while
/// building, or for different graphs.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, 3.0]);
/// let j = tamis::jacobian(graph.stack([x.prod(..), x.sum(..)], 0), x);
/// assert_eq!(j.eval::<f64>()?, tamis::ndarray::arr2(&[[3.0, 1.0], [1.0, 1.0]]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[doc(alias("jacrev"))]
#[track_caller]
pub fn jacobian<'g>(output: Expr<'g>, wrt: Expr<'g>) -> Expr<'g> {
    let jacobian = attributed_to(output, Location::caller(), || rows_of_derivatives(output, wrt));
    handed_out(vec![jacobian])[0]
}

fn rows_of_derivatives<'g>(output: Expr<'g>, wrt: Expr<'g>) -> Expr<'g> {
    let (graph, shape) = (output.graph(), output.shape());
    let Some(lengths) = shape.known() else {
        return graph.report("jacobian", ErrorKind::UnknownSize { shape });
    };
    let elements: usize = lengths.iter().product();
    let flat = output.flatten();
    let rows: Vec<Expr<'g>> = (0..elements as i64).map(|i| grad(flat.slice_axis(i, 0), wrt)).collect();
    let whole: Shape = shape.iter().chain(wrt.shape().iter()).cloned().collect();
    match rows.iter().find(|row| row.is_poisoned()) {
        Some(poisoned) => *poisoned,
        None if rows.is_empty() => zeros(graph, &whole, wrt),
        None => graph.stack(rows, 0).reshape(&whole),
    }
}

fn zeros<'g>(graph: &'g Graph, shape: &Shape, like: Expr<'g>) -> Expr<'g> {
    graph.full_value(shape, tamis_graph::Scalar::F64(0.0).cast(like.dtype()))
}

/// Every second derivative of a scalar `loss` by two elements of `wrt`: shape
/// `wrt.shape + wrt.shape`.
///
/// Meant for small `wrt`, whose lengths must be known while building. For
/// products with the Hessian use [`crate::hvp`], which never forms it.
///
/// # Errors
/// Reported when the loss is not a scalar, when it or `wrt` is not a float, when a length of `wrt`
/// is not known while building, or for different graphs.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([2.0, 3.0]);
/// let h = tamis::hessian(x.prod(..) + x.square().sum(..), x);
/// assert_eq!(h.eval::<f64>()?, tamis::ndarray::arr2(&[[2.0, 1.0], [1.0, 2.0]]).into_dyn());
/// # Ok::<(), tamis::Error>(())
/// ```
#[doc(alias("jacobian"))]
#[track_caller]
pub fn hessian<'g>(loss: Expr<'g>, wrt: Expr<'g>) -> Expr<'g> {
    // `jacobian` hands it out.
    attributed_to(loss, Location::caller(), || jacobian(grad(loss, wrt), wrt))
}
