//! Which axes an operand of lower rank is aligned with, and where that is an error
//! since another reading is as good or better. Knows shapes alone.

use smallvec::SmallVec;

use crate::dim::{Comparison, Dim};
use crate::error::ErrorKind;
use crate::shape::Shape;

/// What is known at build time of an operand's lengths against those of some axes; the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// They fit in every run.
    Provable,
    /// Whether they fit is decided at run time.
    Possible,
    /// They fit in no run.
    Impossible,
}

impl Fit {
    fn verb(self) -> &'static str {
        match self {
            Fit::Provable => "matches",
            Fit::Possible => "may match",
            Fit::Impossible => "does not match",
        }
    }
}

/// Which literal 1s broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ones {
    /// Those of either shape: operands of elementwise ops.
    Both,
    /// Those of the operand: a mask takes the shape of what it masks.
    Operand,
    /// None: a mask that is counted has exactly the lengths of its axes.
    Neither,
}

/// How an operand of lower rank fits each end of a shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readings<'s> {
    operand: &'s [Dim],
    shape: &'s [Dim],
    ones: Ones,
    leading: Fit,
    trailing: Fit,
}

/// How the user writes each reading, and what the operand is called.
pub(crate) struct Remedy {
    operand: &'static str,
    leading: fn(usize) -> String,
    other: fn(&[usize], usize) -> String,
}

/// A mask whose 1s broadcast.
pub(crate) const OF_MASK: Remedy = Remedy {
    operand: "mask",
    leading: |_| "mask.expand_mask(x)".to_owned(),
    other: |axes, rank| format!("mask{}", unsqueezed(axes, rank)),
};

/// A mask that selects by its count.
pub(crate) const OF_SELECTION: Remedy = Remedy {
    operand: "mask",
    leading: |_| "x.boolean_mask_axis(mask, 0)".to_owned(),
    other: |axes, rank| {
        let contiguous = axes.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        match axes.first() {
            Some(first) if contiguous => format!("x.boolean_mask_axis(mask, {first})"),
            _ => format!("x.masked_select(mask{})", unsqueezed(axes, rank)),
        }
    },
};

/// A mask that is the only entry of several that there could be.
pub(crate) const OF_ENTRY: Remedy = Remedy {
    operand: "mask",
    leading: |_| "x.at((mask, Ellipsis))".to_owned(),
    other: |axes, _| match axes.first() {
        Some(first) if axes.windows(2).all(|pair| pair[0] + 1 == pair[1]) => {
            format!("x.at(({}mask))", ".., ".repeat(*first))
        }
        _ => "x.masked_select(mask)".to_owned(),
    },
};

/// A tensor that broadcasts.
pub(crate) const OF_TENSOR: Remedy =
    Remedy { operand: "shape", leading: |missing| ".unsqueeze(-1)".repeat(missing), other: unsqueezed };

impl<'s> Readings<'s> {
    /// `None` where only one reading is possible: operands of one rank, and those that
    /// have literal 1s alone.
    pub(crate) fn new(operand: &'s [Dim], shape: &'s [Dim], ones: Ones) -> Option<Readings<'s>> {
        let missing = shape.len().checked_sub(operand.len()).filter(|missing| *missing > 0)?;
        if operand.iter().all(Dim::is_one) {
            return None;
        }
        let fit = |first: usize| fit(operand, &shape[first..first + operand.len()], ones);
        Some(Readings { operand, shape, ones, leading: fit(0), trailing: fit(missing) })
    }

    /// Where an op aligns with the trailing axes, as all that broadcasts does: an
    /// error unless that is proved, or the leading axes are no better.
    pub(crate) fn take_trailing(&self, remedy: &Remedy) -> Result<(), ErrorKind> {
        if self.trailing != Fit::Provable && self.leading == Fit::Provable {
            return Err(self.error(remedy));
        }
        Ok(())
    }

    /// Where an op aligns with the leading axes, as `x[mask]` does everywhere: an
    /// error unless that is proved, or the trailing axes are no better.
    pub(crate) fn take_leading(&self, remedy: &Remedy) -> Result<(), ErrorKind> {
        if self.leading != Fit::Provable && self.trailing == Fit::Provable {
            return Err(self.error(remedy));
        }
        Ok(())
    }

    /// Where an op aligns with the leading axes and its namesakes elsewhere with the
    /// trailing ones: an error as well where both readings are equally good.
    pub(crate) fn take_leading_alone(&self, remedy: &Remedy) -> Result<(), ErrorKind> {
        if self.leading == self.trailing && self.leading != Fit::Impossible {
            return Err(self.error(remedy));
        }
        self.take_leading(remedy)
    }

    /// The error that names the readings and how to write those that can be.
    fn error(&self, remedy: &Remedy) -> ErrorKind {
        let (rank, missing) = (self.shape.len(), self.shape.len() - self.operand.len());
        let trailing: AxesOf = (missing..rank).collect();
        let shape = Shape::from(self.shape);
        let mut text = format!("{} the leading axes of {shape} and ", self.leading.verb());
        if self.trailing != self.leading {
            text += self.trailing.verb();
            text += " ";
        }
        text += "the trailing axes";
        let mut ways = Vec::new();
        if self.leading != Fit::Impossible {
            ways.push(format!("`{}` for the leading axes", (remedy.leading)(missing)));
        }
        if self.trailing != Fit::Impossible {
            ways.push(format!("`{}` for the trailing axes", (remedy.other)(&trailing, rank)));
        }
        let neither = self.leading != Fit::Provable && self.trailing != Fit::Provable;
        if let Some(axes) = neither.then(|| provable_axes(self.operand, self.shape, self.ones)).flatten() {
            text += &format!(", and matches the axes {:?}", &axes[..]);
            ways.push(format!("`{}` for the axes {:?}", (remedy.other)(&axes, rank), &axes[..]));
        }
        let readings = format!("{text}: write {}", ways.join(", "));
        ErrorKind::Alignment { role: remedy.operand, operand: self.operand.into(), shape, readings }
    }
}

/// A few axes in ascending order.
type AxesOf = SmallVec<[usize; 4]>;

fn fit(operand: &[Dim], axes: &[Dim], ones: Ones) -> Fit {
    let pairs = operand.iter().zip(axes).map(|(own, other)| {
        let broadcasts = match ones {
            Ones::Both => own.is_one() || other.is_one(),
            Ones::Operand => own.is_one(),
            Ones::Neither => false,
        };
        match own.compare(other) {
            Comparison::Equal => Fit::Provable,
            _ if broadcasts => Fit::Provable,
            Comparison::Unknown => Fit::Possible,
            Comparison::Different => Fit::Impossible,
        }
    });
    pairs.max().unwrap_or(Fit::Provable)
}

/// The first axes of `shape`, in ascending order, that the operand provably fits.
fn provable_axes(operand: &[Dim], shape: &[Dim], ones: Ones) -> Option<AxesOf> {
    axes_of_fit(operand, shape, ones, Fit::Provable)
}

/// The first axes of `shape`, in ascending order, that the operand fits as well as `worst` or better.
fn axes_of_fit(operand: &[Dim], shape: &[Dim], ones: Ones, worst: Fit) -> Option<AxesOf> {
    let mut axes = AxesOf::new();
    for own in operand {
        let next = axes.last().map_or(0, |last| last + 1);
        let fits = |axis: &usize| fit(std::slice::from_ref(own), &shape[*axis..=*axis], ones) <= worst;
        axes.push((next..shape.len()).find(fits)?);
    }
    Some(axes)
}

/// The calls that put an operand on these axes of a shape of this rank.
fn unsqueezed(axes: &[usize], rank: usize) -> String {
    let missing = (0..rank).filter(|axis| !axes.contains(axis));
    missing.map(|axis| format!(".unsqueeze({axis})")).collect()
}

/// What to write where a mask does not match the leading axes, as the end of a sentence.
pub(crate) fn mask_remedy(mask: &Shape, shape: &Shape, ones: Ones) -> String {
    let rank = shape.len();
    let is_selection = ones == Ones::Neither;
    if mask.len() > rank {
        return String::new();
    }
    let axes_that = |worst: Fit| axes_of_fit(mask, shape, ones, worst).filter(|_| mask.len() < rank);
    if let Some(axes) = axes_that(Fit::Provable) {
        let remedy = if is_selection { OF_SELECTION } else { OF_MASK };
        return format!("; write `{}` for the axes {:?}", (remedy.other)(&axes, rank), &axes[..]);
    }
    if is_selection && fit(mask, &shape[rank - mask.len()..], Ones::Operand) == Fit::Provable {
        return "; `masked_select` takes a mask with 1s that broadcast".to_owned();
    }
    match axes_that(Fit::Possible) {
        Some(_) if is_selection => "; `x.boolean_mask_axis(mask, axis)` selects along other axes".to_owned(),
        Some(_) => "; `mask.unsqueeze(axis)` adds an axis that it lacks".to_owned(),
        // No alignment helps.
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dim::Symbol;

    fn dims(text: &str) -> Vec<Dim> {
        let dim = |name: &str| match name.parse::<usize>() {
            Ok(length) => Dim::from(length),
            Err(_) => Dim::from(Symbol::Named(name.into())),
        };
        text.split_whitespace().map(dim).collect()
    }

    fn fits(operand: &str, shape: &str, ones: Ones) -> Option<(Fit, Fit)> {
        let (operand, shape) = (dims(operand), dims(shape));
        Readings::new(&operand, &shape, ones).map(|readings| (readings.leading, readings.trailing))
    }

    #[test]
    fn a_reading_is_as_good_as_its_worst_axis() {
        use Fit::{Impossible, Possible, Provable};
        assert_eq!(fits("b t", "b t f", Ones::Operand), Some((Provable, Possible)));
        assert_eq!(fits("4 5", "4 5 3", Ones::Operand), Some((Provable, Impossible)));
        assert_eq!(fits("t", "b t", Ones::Operand), Some((Possible, Provable)));
        assert_eq!(fits("n", "n n", Ones::Operand), Some((Provable, Provable)));
        assert_eq!(fits("b k", "b q k", Ones::Operand), Some((Possible, Possible)));
    }

    #[test]
    fn literal_ones_fit_where_they_broadcast() {
        use Fit::{Possible, Provable};
        assert_eq!(fits("b 1 t", "b h t t", Ones::Operand), Some((Provable, Possible)));
        assert_eq!(fits("n", "m 1", Ones::Both), Some((Possible, Provable)));
        assert_eq!(fits("n", "m 1", Ones::Operand), Some((Possible, Possible)));
        assert_eq!(fits("1 m", "n m k", Ones::Neither), Some((Possible, Possible)));
    }

    #[test]
    fn nothing_is_to_be_chosen_for_operands_of_one_rank_or_of_ones() {
        assert!(fits("b t", "b t", Ones::Both).is_none());
        assert!(fits("", "b t", Ones::Both).is_none());
        assert!(fits("1", "b t", Ones::Both).is_none());
        assert!(fits("b t", "t", Ones::Both).is_none());
    }

    #[test]
    fn the_calls_of_a_remedy_give_the_axes() {
        assert_eq!(unsqueezed(&[0, 2], 4), ".unsqueeze(1).unsqueeze(3)");
        assert_eq!(unsqueezed(&[2], 3), ".unsqueeze(0).unsqueeze(1)");
        assert_eq!(provable_axes(&dims("b k"), &dims("b q k"), Ones::Both).as_deref(), Some(&[0, 2][..]));
        assert!(provable_axes(&dims("k b"), &dims("b q k"), Ones::Both).is_none());
    }
}
