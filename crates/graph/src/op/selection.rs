//! Selections composed of primitives.

use super::mask::{Mask, check_leading};
use super::select::check_mask;
use super::{Layout, SliceAxis};
use crate::axis::Axis;
use crate::dim::Dim;
use crate::error::ErrorKind;
use crate::expr::Expr;

impl<'g> Expr<'g> {
    /// The elements along `axis` at which a mask of rank 1 is true: NumPy's
    /// `compress`. An all-false mask gives length 0; what was not selected gets
    /// gradient 0.
    ///
    /// # Errors
    /// Reported when the mask is not bool, not of rank 1, or of another length.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// let columns = graph.constant([false, true]);
    /// assert_eq!(x.compress(columns, 1).eval::<i32>()?, tamis::ndarray::arr2(&[[2], [4]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn compress(self, mask: Expr<'g>, axis: impl Into<Axis>) -> Expr<'g> {
        let axis = axis.into();
        self.build("compress", &[mask], || {
            check_mask(mask)?;
            if mask.rank() != 1 {
                return Err(ErrorKind::Rank { shape: mask.shape(), expected: "the mask has one axis" });
            }
            Ok(self.boolean_mask_axis(mask, axis))
        })
    }

    /// The elements at which the mask is true, and those at which it is false; their lengths add up
    /// to the number of positions. Each element gets the gradient of the result that it is in.
    ///
    /// # Errors
    /// As for [`Expr::boolean_mask`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// let (positive, rest) = x.partition(x.gt(0));
    /// assert_eq!(positive.eval::<i32>()?, tamis::ndarray::arr1(&[3, 2]).into_dyn());
    /// assert_eq!(rest.eval::<i32>()?, tamis::ndarray::arr1(&[-1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("dynamic_partition"))]
    #[track_caller]
    pub fn partition(self, mask: Expr<'g>) -> (Expr<'g>, Expr<'g>) {
        let selected = self.build("partition", &[mask], || Ok(self.boolean_mask(mask)));
        if selected.is_poisoned() {
            return (selected, selected);
        }
        (selected, self.build("partition", &[mask], || Ok(self.boolean_mask(!mask))))
    }

    /// The indices of the true elements (for numbers: not 0) in row-major order, as i64 of shape
    /// `[count(mask)]`; NaN is not 0. No gradient.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let mask = graph.constant([[false, true], [true, true]]);
    /// assert_eq!(mask.flatnonzero().eval::<i64>()?, tamis::ndarray::arr1(&[1, 2, 3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn flatnonzero(self) -> Expr<'g> {
        self.build("flatnonzero", &[], || Ok(self.flatten().argwhere().slice_axis(0, 1)))
    }

    /// `self` with the selected positions filled, in row-major order, from the start of the flat
    /// `source`: PyTorch's `masked_scatter`. Keeps the dtype of `self`; `mask` aligns with the
    /// leading axes. The gradient goes to `self` where the mask is false and to the elements taken
    /// from the source; the others are not used and get 0.
    ///
    /// # Errors
    /// Reported when the mask is not bool, does not align or matches the trailing axes as
    /// well, which PyTorch takes, or the source would lose values. A source that is too
    /// short is an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([0, 0, 0]);
    /// let mask = graph.constant([true, false, true]);
    /// let y = x.masked_scatter(mask, graph.constant([7, 8, 9]));
    /// assert_eq!(y.eval::<i32>()?, tamis::ndarray::arr1(&[7, 0, 8]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("place"))]
    #[track_caller]
    pub fn masked_scatter(self, mask: Expr<'g>, source: Expr<'g>) -> Expr<'g> {
        self.build("masked_scatter", &[mask, source], || {
            check_leading(mask, self, |readings, remedy| readings.take_leading_alone(remedy))?;
            let selected = mask.expand_mask(self);
            if selected.is_poisoned() {
                return Ok(selected);
            }
            let selected = selected.apply(Layout::BroadcastTo(self.shape()))?;
            let flat = crate::Operand::from(source).assigned_into(self)?.flatten();
            let count = self.graph().count(selected.id())?;
            let first = SliceAxis { start: Dim::ZERO, step: 1, len: count };
            let values = flat.apply(Layout::Slice([first].into_iter().collect()))?;
            self.graph().try_apply(Mask::Unmask { axis: 0 }, &[values, selected, self])
        })
    }
}
