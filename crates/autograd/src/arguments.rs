//! Checks of the arguments of a call. An error is reported, and the poisoned expression that
//! stands for it is returned.

use tamis_graph::{Comparison, Dim, ErrorKind, Expr, Graph, Layout, Shape};

use crate::masked_derivative::MaskedDerivative;

/// Reports a loss that is not a scalar.
pub(crate) fn check_scalar<'g>(op: &'static str, loss: Expr<'g>) -> Result<(), Expr<'g>> {
    if loss.is_poisoned() || loss.rank() == 0 {
        return Ok(());
    }
    Err(loss.graph().report(op, ErrorKind::NotScalar { shape: loss.shape() }))
}

/// Reports every argument that cannot be differentiated, or differentiated by.
pub(crate) fn check_floats<'g>(op: &'static str, output: Expr<'g>, wrt: &[Expr<'g>]) -> Result<(), Expr<'g>> {
    if output.is_poisoned() {
        return Err(output);
    }
    let graph = output.graph();
    let of_output = check_float("the expression to differentiate", output);
    let of_wrt = wrt.iter().map(|x| {
        check_graph(graph, *x)?;
        check_float("an expression to differentiate by", *x)
    });
    let errors = std::iter::once(of_output).chain(of_wrt).filter_map(Result::err);
    errors.map(|kind| graph.report(op, kind)).last().map_or(Ok(()), Err)
}

fn check_float(role: &'static str, x: Expr<'_>) -> Result<(), ErrorKind> {
    if x.dtype().is_float() {
        return Ok(());
    }
    Err(ErrorKind::NotDifferentiable { role, dtype: x.dtype(), shape: x.shape() })
}

fn check_graph(graph: &Graph, x: Expr<'_>) -> Result<(), ErrorKind> {
    if std::ptr::eq(graph, x.graph()) { Ok(()) } else { Err(ErrorKind::MixedGraphs) }
}

/// The tangents or vectors, one for each of `wrt` and like it.
pub(crate) fn directions<'g>(
    op: &'static str,
    output: Expr<'g>,
    wrt: &[Expr<'g>],
    directions: &[Expr<'g>],
) -> Result<Vec<MaskedDerivative<'g>>, Expr<'g>> {
    if wrt.len() != directions.len() {
        let (left, right) = (Shape::from(&[wrt.len()][..]), Shape::from(&[directions.len()][..]));
        let reason = "there must be one direction for each expression to differentiate by";
        return Err(output.graph().report(op, ErrorKind::ShapeMismatch { left, right, reason }));
    }
    wrt.iter().zip(directions).map(|(x, direction)| conformed(op, *direction, *x)).collect()
}

/// A derivative that the user gives, in the dtype of `like`, with its lengths
/// proved or left to a check at run time.
pub(crate) fn conformed<'g>(
    op: &'static str,
    given: Expr<'g>,
    like: Expr<'g>,
) -> Result<MaskedDerivative<'g>, Expr<'g>> {
    let graph = like.graph();
    check_graph(graph, given).map_err(|kind| graph.report(op, kind))?;
    let (left, right) = (like.shape(), given.shape());
    let differs = |(a, b): (&Dim, &Dim)| a.compare(b) == Comparison::Different;
    if !given.is_poisoned() && (left.len() != right.len() || left.iter().zip(right.iter()).any(differs)) {
        let reason = "a derivative must have the shape of its expression";
        return Err(graph.report(op, ErrorKind::ShapeMismatch { left, right, reason }));
    }
    let guard = Layout::Guard { shape: left, op, is_second: true };
    let value = graph.apply(guard, &[given.cast(like.dtype())]);
    if value.is_poisoned() { Err(value) } else { Ok(MaskedDerivative::everywhere(value)) }
}
