//! Scatters composed of others: means, and those that leave out what stood where
//! they write.

use super::index::{WRITE_BY_MASK, scatter, to_indices};
use super::{Addressing, Combine, Index, Layout};
use crate::axis::Axis;
use crate::dim::Dim;
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::Operand;
use crate::shape::Shape;

/// What becomes of an element of the tensor that updates are written to.
#[derive(Clone, Copy)]
enum Written {
    /// The mean of itself and the updates.
    Mean,
    /// The updates alone, reduced.
    Only(Reduction),
}

/// How the updates that are written to one element are reduced.
#[derive(Clone, Copy)]
enum Reduction {
    Sum,
    Product,
    Mean,
    Max,
    Min,
}

impl Reduction {
    /// How the updates are combined, and with what to start.
    fn combine(self, dtype: DType) -> (Combine, Scalar) {
        match self {
            // Of floats, −0.0 + u is u for every u, −0.0 too.
            Reduction::Sum | Reduction::Mean if dtype.is_float() => {
                (Combine::Add, Scalar::from_float(-0.0, dtype))
            }
            Reduction::Sum | Reduction::Mean => (Combine::Add, Scalar::from_int(0, dtype)),
            Reduction::Product => (Combine::Mul, Scalar::from_int(1, dtype)),
            Reduction::Max => (Combine::Max, dtype.lowest()),
            Reduction::Min => (Combine::Min, dtype.highest()),
        }
    }
}

fn reduced<'g>(
    written: Written,
    addressing: Addressing,
    x: Expr<'g>,
    indices: Expr<'g>,
    updates: Operand<'g>,
) -> Result<Expr<'g>, ErrorKind> {
    if let Written::Mean | Written::Only(Reduction::Mean) = written
        && !x.dtype().is_float()
    {
        let expected = "a mean is a float: write `.cast(DType::F64)` on the tensor";
        return Err(ErrorKind::DType { dtype: x.dtype(), shape: x.shape(), expected });
    }
    let indices = to_indices(indices, WRITE_BY_MASK)?;
    let write = |combine: Combine, x: Expr<'g>, updates: Operand<'g>| {
        scatter(Index::Scatter { addressing, combine }, x, indices, updates)
    };
    match written {
        Written::Mean => Ok(write(Combine::Add, x, updates)? / (counts(addressing, x, indices)? + 1)),
        Written::Only(reduction) => {
            let (combine, first) = reduction.combine(x.dtype());
            let first = x.graph().try_full(Shape::default(), first)?;
            let result = write(combine, write(Combine::Set, x, first.into())?, updates)?;
            Ok(match reduction {
                Reduction::Mean => result / counts(addressing, x, indices)?.maximum(1),
                Reduction::Sum | Reduction::Product | Reduction::Max | Reduction::Min => result,
            })
        }
    }
}

/// How many updates are written to each element of `x`, with 1s for the axes on
/// which that is the same.
fn counts<'g>(addressing: Addressing, x: Expr<'g>, indices: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
    let shape = x.shape();
    let (counted, addressing, before) = match addressing {
        Addressing::Axis(axis) => (axis..axis + 1, Addressing::Axis(0), axis),
        Addressing::AlongAxis(_) => (0..shape.rank(), addressing, 0),
        Addressing::Nd => {
            let depth = indices.shape().last().and_then(Dim::known).unwrap_or(0);
            (0..depth, addressing, 0)
        }
    };
    let behind = shape.rank() - counted.end;
    let none = x.graph().try_full(shape[counted].into(), Scalar::from_int(0, x.dtype()))?;
    let add = Index::Scatter { addressing, combine: Combine::Add };
    let counts = scatter(add, none, indices, Operand::Int(1))?;
    let ones = |count: usize| vec![Dim::ONE; count];
    let expanded = [ones(before), counts.shape().to_vec(), ones(behind)].concat();
    counts.apply(Layout::Reshape(expanded.into_iter().collect()))
}

/// Writes the three documented builders of one way to reduce.
macro_rules! reducing_builders {
    ($($written:expr, $what:literal, $edges:literal, $value:literal:
        $(#[$attribute:meta])* $axis:ident, $along:ident, $nd:ident;)*) => {
        impl<'g> Expr<'g> {$(
            #[doc = concat!("`self` with ", $what, " in each of the slices of `axis` that the indices name.")]
            ///
            #[doc = $edges]
            /// What no index names stays as it is. Updates broadcast to the shape that
            /// [`Expr::gather`] would give, and the dtype of `self` is kept.
            ///
            /// # Errors
            /// As for [`Expr::scatter_add`]; for means, when the tensor is not a float.
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([3.0, 3.0, 3.0]);
            /// let indices = graph.constant([2, 2]);
            #[doc = concat!("let y = x.", stringify!($axis), "(indices, graph.constant([5.0, 7.0]), 0);")]
            #[doc = concat!("assert_eq!(y.eval::<f64>()?, tamis::ndarray::arr1(&[3.0, 3.0, ", $value, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            $(#[$attribute])*
            #[track_caller]
            pub fn $axis(self, indices: Expr<'g>, updates: impl Into<Operand<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
                let axis = axis.into();
                let updates = updates.into();
                let others: Vec<Expr<'g>> = [indices].into_iter().chain(updates.expr()).collect();
                self.build(stringify!($axis), &others, || {
                    reduced($written, Addressing::Axis(self.shape().axis(axis)?), self, indices, updates)
                })
            }

            #[doc = concat!("`self` with ", $what, " in each of the elements that [`Expr::take_along_axis`] would read.")]
            ///
            #[doc = $edges]
            ///
            /// # Errors
            #[doc = concat!("As for [`Expr::", stringify!($axis), "`].")]
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([3.0, 3.0, 3.0]);
            /// let indices = graph.constant([2, 2]);
            #[doc = concat!("let y = x.", stringify!($along), "(indices, graph.constant([5.0, 7.0]), 0);")]
            #[doc = concat!("assert_eq!(y.eval::<f64>()?, tamis::ndarray::arr1(&[3.0, 3.0, ", $value, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            #[track_caller]
            pub fn $along(self, indices: Expr<'g>, updates: impl Into<Operand<'g>>, axis: impl Into<Axis>) -> Expr<'g> {
                let axis = axis.into();
                let updates = updates.into();
                let others: Vec<Expr<'g>> = [indices].into_iter().chain(updates.expr()).collect();
                self.build(stringify!($along), &others, || {
                    reduced($written, Addressing::AlongAxis(self.shape().axis(axis)?), self, indices, updates)
                })
            }

            #[doc = concat!("`self` with ", $what, " in each of the slices that [`Expr::gather_nd`] would read.")]
            ///
            #[doc = $edges]
            ///
            /// # Errors
            #[doc = concat!("As for [`Expr::", stringify!($axis), "`].")]
            ///
            /// ```
            /// use tamis::prelude::*;
            ///
            /// let graph = Graph::new();
            /// let x = graph.constant([3.0, 3.0, 3.0]);
            /// let rows = graph.constant([[2], [2]]);
            #[doc = concat!("let y = x.", stringify!($nd), "(rows, graph.constant([5.0, 7.0]));")]
            #[doc = concat!("assert_eq!(y.eval::<f64>()?, tamis::ndarray::arr1(&[3.0, 3.0, ", $value, "]).into_dyn());")]
            /// # Ok::<(), tamis::Error>(())
            /// ```
            #[track_caller]
            pub fn $nd(self, indices: Expr<'g>, updates: impl Into<Operand<'g>>) -> Expr<'g> {
                let updates = updates.into();
                let others: Vec<Expr<'g>> = [indices].into_iter().chain(updates.expr()).collect();
                self.build(stringify!($nd), &others, || {
                    reduced($written, Addressing::Nd, self, indices, updates)
                })
            }
        )*}
    };
}

reducing_builders! {
    Written::Mean, "the mean of itself and the updates",
        "The element itself counts as one; its gradient and that of each update is divided by how many there are.",
        "5.0":
        #[doc(alias("scatter_reduce"))]
        scatter_mean, scatter_mean_along_axis, scatter_nd_mean;
    Written::Only(Reduction::Sum), "the sum of the updates, without its own elements,",
        "Duplicate indices accumulate in their order; the gradient of the updates is a gather.",
        "12.0":
        #[doc(alias("scatter_reduce"))]
        scatter_set_sum, scatter_set_sum_along_axis, scatter_nd_set_sum;
    Written::Only(Reduction::Product), "the product of the updates, without its own elements,",
        "Duplicate indices multiply in their order; the gradient is right with any number of zeros.",
        "35.0":
        scatter_set_prod, scatter_set_prod_along_axis, scatter_nd_set_prod;
    Written::Only(Reduction::Mean), "the mean of the updates, without its own elements,",
        "The gradient of each update is divided by how many are written to the same element.",
        "6.0":
        scatter_set_mean, scatter_set_mean_along_axis, scatter_nd_set_mean;
    Written::Only(Reduction::Max), "the largest of the updates, without its own elements,",
        "NaN wins; ties among duplicates share the gradient evenly.",
        "7.0":
        scatter_set_max, scatter_set_max_along_axis, scatter_nd_set_max;
    Written::Only(Reduction::Min), "the smallest of the updates, without its own elements,",
        "NaN wins; ties among duplicates share the gradient evenly.",
        "5.0":
        scatter_set_min, scatter_set_min_along_axis, scatter_nd_set_min;
}
