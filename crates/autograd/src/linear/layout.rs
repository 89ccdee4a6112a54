//! Rearrangements: the same elements elsewhere.

use smallvec::SmallVec;
use tamis_graph::{AxisList, DType, Dim, Expr, Layout, PadAxis, Shape, SliceAxis};

use crate::arrange::{broadcast, full, ones, reshaped, spliced, squeezed};
use crate::masked_derivative::MaskedDerivative;
use crate::support::{Support, varies};

/// The same elements in row-major order. Factors stay apart if only 1s come and go;
/// otherwise axes mix, and one mask of the full shape replaces them.
pub(crate) fn reshape<'g>(x: &MaskedDerivative<'g>, from: &Shape, to: &Shape) -> MaskedDerivative<'g> {
    let value = |value| reshaped(value, to.clone());
    if squeezed(from) == squeezed(to) {
        return x.rearrange(value, |factor| reshaped(factor, follow(&factor.shape(), from, to)));
    }
    let whole = x.support.conjunction().map(|mask| reshaped(broadcast(mask, from.clone()), to.clone()));
    MaskedDerivative::new(value(x.value), whole.into_iter().collect(), x.is_clean())
}

/// The shape of a factor once the shape of its value goes from `from` to `to`,
/// which differ in 1s only.
fn follow(factor: &Shape, from: &Shape, to: &Shape) -> Shape {
    let mut dims =
        factor.iter().zip(from.iter()).filter(|(_, dim)| !dim.is_one()).map(|(dim, _)| dim.clone());
    to.iter().map_while(|dim| if dim.is_one() { Some(Dim::ONE) } else { dims.next() }).collect()
}

pub(crate) fn permute<'g>(x: &MaskedDerivative<'g>, axes: &AxisList) -> MaskedDerivative<'g> {
    let permuted = |x: Expr<'g>| x.graph().apply(Layout::Permute(axes.clone()), &[x]);
    x.rearrange(permuted, permuted)
}

/// The permutation that undoes `axes`.
pub(crate) fn inverse(axes: &[usize]) -> AxisList {
    let mut inverse: AxisList = axes.into();
    for (result, operand) in axes.iter().enumerate() {
        inverse[*operand] = result;
    }
    inverse
}

/// The same tensor under other labels for its lengths.
pub(crate) fn relabel<'g>(x: &MaskedDerivative<'g>, to: &Shape, op: &'static str) -> MaskedDerivative<'g> {
    let guarded =
        |x: Expr<'g>, shape: Shape| x.graph().apply(Layout::Guard { shape, op, is_second: false }, &[x]);
    x.rearrange(
        |value| guarded(value, to.clone()),
        |factor| {
            let own = factor.shape();
            let dims = own.iter().zip(to.iter()).map(|(own, to)| if own.is_one() { own } else { to });
            guarded(factor, dims.cloned().collect())
        },
    )
}

/// Evenly spaced positions of one axis: what a slice reads, or where a pad
/// writes.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) start: Dim,
    pub(crate) step: i64,
    /// How many positions.
    pub(crate) len: Dim,
    /// The length of the axis.
    pub(crate) size: Dim,
}

/// One window per axis.
pub(crate) type Windows = SmallVec<[Window; 4]>;

impl Window {
    /// All of an axis.
    pub(crate) fn whole(size: &Dim) -> Window {
        Window { start: Dim::ZERO, step: 1, len: size.clone(), size: size.clone() }
    }

    fn is_identity(&self) -> bool {
        self.start == Dim::ZERO && self.step == 1 && self.len == self.size
    }

    pub(crate) fn slice(&self) -> SliceAxis {
        SliceAxis { start: self.start.clone(), step: self.step, len: self.len.clone() }
    }

    pub(crate) fn pad(&self) -> PadAxis {
        PadAxis { start: self.start.clone(), step: self.step, size: self.size.clone() }
    }
}

/// The elements in the windows. A factor is sliced where it varies.
pub(crate) fn slice<'g>(x: &MaskedDerivative<'g>, windows: &Windows) -> MaskedDerivative<'g> {
    let sliced = |x: Expr<'g>| {
        let shape = x.shape();
        let of_axis = |(dim, window): (&Dim, &Window)| {
            // An axis along which a factor does not vary stays as it is.
            if dim.is_one() && !window.size.is_one() { Window::whole(dim).slice() } else { window.slice() }
        };
        x.graph().apply(Layout::Slice(shape.iter().zip(windows).map(of_axis).collect()), &[x])
    };
    x.rearrange(sliced, sliced)
}

/// The elements at the windows, 0 elsewhere: there, the support is empty.
pub(crate) fn pad<'g>(x: &MaskedDerivative<'g>, windows: &Windows) -> MaskedDerivative<'g> {
    let rank = windows.len();
    let padded: AxisList = (0..rank).filter(|axis| !windows[*axis].is_identity()).collect();
    let pad = |x: Expr<'g>, axes: &[usize]| {
        let shape = x.shape();
        let of_axis = |axis: usize| {
            if axes.contains(&axis) { windows[axis].pad() } else { Window::whole(&shape[axis]).pad() }
        };
        x.graph().apply(Layout::Pad((0..rank).map(of_axis).collect()), &[x])
    };
    let mut uncovered = padded.clone();
    let mut support: Support<'g> = x.support.map(|factor| {
        let varying: AxisList = padded.iter().copied().filter(|axis| varies(factor, &[*axis])).collect();
        uncovered.retain(|axis| !varying.contains(axis));
        pad(factor, &varying)
    });
    for axis in uncovered {
        let axis_shape = spliced(&ones(rank), axis..axis + 1, std::slice::from_ref(&windows[axis].len));
        let axis_shape = full(x.value.graph(), axis_shape, DType::Bool, 1.0);
        support = support.and(&[pad(axis_shape, &[axis])].into_iter().collect());
    }
    MaskedDerivative::new(pad(x.value, &padded), support, x.is_clean())
}
