//! Reading and writing at several entries at once, as `x[m, 1:, i]` in NumPy,
//! composed of primitives.
//!
//! The entries are taken in two steps. Ranges and integers take a *window* of the
//! tensor, with every axis kept. Of the window, indices and masks take a
//! *selection*, whose axes, those of the indices broadcast together, stand where
//! NumPy puts them. A write goes the same way back.

mod addressed;
mod reader;

use addressed::Addressed;
use smallvec::SmallVec;

use super::Combine;
use crate::entry::{Entries, Entry};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::operand::Operand;

/// Some elements of a tensor, to be read or written; see [`Expr::at`].
#[derive(Debug, Clone)]
pub struct At<'g> {
    x: Expr<'g>,
    entries: Entries<'g>,
}

impl<'g> Expr<'g> {
    /// The tensor at `entries`, as NumPy's brackets have them: `x.at((m, 1.., i)).get()`
    /// is `x[m, 1:, i]`, and `x.at((m, 1.., i)).set(v)` is `x` after `x[m, 1:, i] = v`.
    ///
    /// Each entry covers one axis, a mask as many as it has:
    /// - an integer drops its axis, and a range (`1..`, `..-1`, `..`, [`Slice`](crate::Slice), bounds
    ///   may be [`Dim`](crate::Dim)s) slices it, as in [`Expr::slice`];
    /// - an integer expression of any shape names elements of its axis, each in `-n..n`;
    /// - a mask counts as the coordinates of its true elements, and must have exactly
    ///   the lengths of the axes that it covers;
    /// - [`Ellipsis`](crate::Ellipsis) covers what no other entry does; without one, it stands at the end;
    /// - [`NewAxis`](crate::NewAxis) covers no axis and adds one of length 1.
    ///
    /// Indices and masks broadcast together, and an integer beside them counts as one of them.
    /// Their common axes stand where they stood if no other entry stands between them, and come
    /// first otherwise. So `x[m, i]` needs one index for each true element of `m`: that is proved
    /// while building, or checked by the run.
    ///
    /// # Errors
    /// Reported by the method that reads or writes: when the entries cover more axes than there
    /// are, when there are two ellipses, when a mask does not match its axes, when indices are not
    /// integers or do not broadcast, or an integer is out of range. An index out of range of an
    /// axis is an error at run time.
    ///
    /// ```
    /// use tamis::{Ellipsis, NewAxis, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// let (rows, columns) = (graph.constant([0, 1, 1]), graph.constant([2, 0, 1]));
    /// assert_eq!(x.at((rows, columns)).get().eval::<i32>()?, tamis::ndarray::arr1(&[3, 4, 5]).into_dyn());
    /// let last = x.at((Ellipsis, NewAxis, -1)).get();
    /// assert_eq!(last.eval::<i32>()?, tamis::ndarray::arr2(&[[3], [6]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    pub fn at(self, entries: impl Into<Entries<'g>>) -> At<'g> {
        At { x: self, entries: entries.into() }
    }
}

impl<'g> At<'g> {
    /// The elements at the entries: `x[entries]`. The gradient goes back to the elements that were
    /// read, added up where one was read twice; what was not read gets exactly 0.
    ///
    /// # Errors
    /// As for [`Expr::at`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4], [5, 6]]);
    /// let (mask, columns) = (graph.constant([true, false, true]), graph.constant([1, 0]));
    /// let y = x.at((mask, columns)).get(); // column 1 of the first row selected, column 0 of the second
    /// assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr1(&[2, 5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn get(&self) -> Expr<'g> {
        self.build("at.get", &[], || Addressed::new("at.get", self)?.read())
    }

    /// `x` after `x[entries] = value`. The value broadcasts to the shape of [`At::get`], and the
    /// dtype of `x` is kept. Of duplicate indices the last in row-major order wins. The gradient
    /// goes to `x` where no value was written, and to the value where it was not overwritten.
    ///
    /// # Errors
    /// As for [`Expr::at`], and when the value does not broadcast or would lose values.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2, 3], [4, 5, 6]]);
    /// let y = x.at((.., 1..)).set(graph.constant([8, 9]));
    /// assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr2(&[[1, 8, 9], [4, 8, 9]]).into_dyn());
    /// let backwards = x.at((0, tamis::Slice::from(..).by(-1))).set(graph.constant([7, 8, 9]));
    /// assert_eq!(backwards.eval::<i32>()?, tamis::ndarray::arr2(&[[9, 8, 7], [4, 5, 6]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("tensor_scatter_nd_update"))]
    #[track_caller]
    pub fn set(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.set", Combine::Set, value.into())
    }

    /// `x` with the value added at the entries. Unlike NumPy's `x[i] += v`, which
    /// keeps one of them, all duplicate indices accumulate, as in `np.add.at`.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 1, 1]);
    /// let twice = graph.constant([0, 0, 2]);
    /// assert_eq!(x.at(twice).add(5).eval::<i32>()?, tamis::ndarray::arr1(&[11, 1, 6]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("index_put"))]
    #[track_caller]
    pub fn add(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.add", Combine::Add, value.into())
    }

    /// `x` multiplied by the value at the entries; all duplicate indices multiply.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// assert_eq!(x.at(1..).mul(5).eval::<i32>()?, tamis::ndarray::arr1(&[1, 10, 15]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn mul(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.mul", Combine::Mul, value.into())
    }

    /// `x` with the smaller of itself and the value at the entries. NaN wins; ties,
    /// among duplicates and with `x` unless it is ∞, share the gradient evenly.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// assert_eq!(x.at(x.gt(1)).min(2).eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn min(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.min", Combine::Min, value.into())
    }

    /// `x` with the larger of itself and the value at the entries. NaN wins; ties,
    /// among duplicates and with `x` unless it is −∞, share the gradient evenly.
    ///
    /// # Errors
    /// As for [`At::set`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2, 3]);
    /// assert_eq!(x.at(-1).max(9).eval::<i32>()?, tamis::ndarray::arr1(&[1, 2, 9]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn max(&self, value: impl Into<Operand<'g>>) -> Expr<'g> {
        self.write("at.max", Combine::Max, value.into())
    }

    #[track_caller]
    fn write(&self, op: &'static str, combine: Combine, value: Operand<'g>) -> Expr<'g> {
        let others: SmallVec<[Expr<'g>; 1]> = value.expr().into_iter().collect();
        self.build(op, &others, || {
            let value = value.assigned_into(self.x)?;
            Addressed::new(op, self)?.write(combine, value)
        })
    }

    #[track_caller]
    fn build(
        &self,
        op: &'static str,
        others: &[Expr<'g>],
        f: impl FnOnce() -> Result<Expr<'g>, ErrorKind>,
    ) -> Expr<'g> {
        let indices = self.entries.0.iter().filter_map(|entry| match entry {
            Entry::Indices(indices) => Some(*indices),
            Entry::Slice(_) | Entry::Ellipsis | Entry::NewAxis => None,
        });
        let others: Vec<Expr<'g>> = indices.chain(others.iter().copied()).collect();
        self.x.build(op, &others, f)
    }
}
