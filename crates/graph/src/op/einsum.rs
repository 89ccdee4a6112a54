//! Inner and outer products and Einstein sums, lowered to matrix products.

use smallvec::SmallVec;

use super::{Layout, Reduce};
use crate::dim::Dim;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::operand::{Operand, Purpose, cast, common_dtype};
use crate::shape::Shape;

impl<'g> Expr<'g> {
    /// The sum of products over the last axis of `self` and the second-to-last
    /// of `other` (its only one, for a vector): NumPy's `dot`. Scalars multiply.
    /// Integers wrap. The gradients are matrix products.
    ///
    /// # Errors
    /// Reported when the shapes do not fit, or for bools that are no scalars.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.dot(graph.constant([3, 4])).eval::<i32>()?, ndarray::arr0(11).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn dot(self, other: Expr<'g>) -> Expr<'g> {
        self.build("dot", &[other], || {
            if self.rank() == 0 || other.rank() == 0 {
                return Ok(self * other);
            }
            if other.rank() <= 2 {
                return Ok(self.matmul(other));
            }
            // Rows against every matrix of `other`, its batch between them.
            let (rows, batch) = (self.rank() - 1, other.rank() - 2);
            let left = self.shape();
            let spread = left.splice(rows..rows, &vec![Dim::ONE; batch]);
            let rows_alone = spread.splice(rows + batch..rows + batch, &[Dim::ONE]);
            Ok(self.apply(Layout::Reshape(rows_alone))?.matmul(other).squeeze(-2))
        })
    }

    /// Every product of an element of `self` and one of `other`, both flattened:
    /// shape `[size(self), size(other)]`, NumPy's `outer`. Integers wrap.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.outer(graph.constant([3, 4])).eval::<i32>()?, ndarray::arr2(&[[3, 4], [6, 8]]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn outer(self, other: Expr<'g>) -> Expr<'g> {
        self.build("outer", &[other], || Ok(self.flatten().unsqueeze(1) * other.flatten().unsqueeze(0)))
    }
}

impl Graph {
    /// The Einstein sum of one or two expressions: `"ij,jk->ik"` is a matrix
    /// product, `"ij->j"` a sum of rows. Axes with one letter have one length;
    /// letters that are not in the result are summed. Without `->` the result has
    /// the letters that occur once, in alphabetical order. Integers wrap in their
    /// own dtype.
    ///
    /// # Errors
    /// Reported when the text is no such formula (no `...`, no letter twice in
    /// one term), or does not fit the expressions; lengths that turn out
    /// different at run time are an error then.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// let y = graph.constant([10, 100]);
    /// assert_eq!(graph.einsum("ij,j->i", [x, y]).eval::<i32>()?, ndarray::arr1(&[210, 430]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn einsum<'g>(&'g self, formula: &str, exprs: impl IntoIterator<Item = Expr<'g>>) -> Expr<'g> {
        let exprs: Vec<Expr<'g>> = exprs.into_iter().collect();
        self.build("einsum", &exprs, || {
            let formula = Formula::parse(formula, &exprs)?;
            let operands: Vec<Operand<'g>> = exprs.iter().map(Operand::from).collect();
            let dtype = common_dtype(&operands, Purpose::Arithmetic)?;
            let exprs = exprs.iter().map(|expr| cast(*expr, dtype)).collect::<Result<Vec<_>, _>>()?;
            match (formula.terms.as_slice(), exprs.as_slice()) {
                ([term], [x]) => Labelled::new(*x, term).sum_to(&formula.result)?.permuted(&formula.result),
                ([left, right], [a, b]) => {
                    contract(Labelled::new(*a, left), Labelled::new(*b, right), &formula.result)
                }
                _ => Err(formula.refuse()),
            }
        })
    }
}

type Labels = SmallVec<[char; 4]>;

struct Formula {
    text: String,
    terms: Vec<Labels>,
    result: Labels,
}

impl Formula {
    fn parse(text: &str, exprs: &[Expr<'_>]) -> Result<Formula, ErrorKind> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (terms, result) = match compact.split_once("->") {
            Some((terms, result)) => (terms, Some(result)),
            None => (compact.as_str(), None),
        };
        let terms: Vec<Labels> = terms.split(',').map(|term| term.chars().collect()).collect();
        let result = result.map_or_else(|| once_only(&terms), |result| result.chars().collect());
        let formula = Formula { text: text.to_owned(), terms, result };
        let distinct = |labels: &Labels| labels.iter().enumerate().all(|(i, c)| !labels[..i].contains(c));
        let known = formula.result.iter().all(|c| formula.terms.iter().any(|term| term.contains(c)));
        let valid = known
            && formula.terms.len() == exprs.len()
            && formula.terms.iter().zip(exprs).all(|(term, expr)| term.len() == expr.rank())
            && formula.terms.iter().chain([&formula.result]).all(distinct)
            && formula.terms.iter().flatten().all(char::is_ascii_alphabetic);
        if valid { Ok(formula) } else { Err(formula.refuse()) }
    }

    fn refuse(&self) -> ErrorKind {
        ErrorKind::Einsum { formula: self.text.clone() }
    }
}

fn once_only(terms: &[Labels]) -> Labels {
    let mut all: Vec<char> = terms.iter().flatten().copied().collect();
    all.sort_unstable();
    all.iter().filter(|c| all.iter().filter(|other| other == c).count() == 1).copied().collect()
}

/// An expression with a letter for every axis.
#[derive(Clone)]
struct Labelled<'g> {
    expr: Expr<'g>,
    labels: Labels,
}

impl<'g> Labelled<'g> {
    fn new(expr: Expr<'g>, labels: &Labels) -> Labelled<'g> {
        Labelled { expr, labels: labels.clone() }
    }

    fn dim(&self, label: char) -> Dim {
        let shape = self.expr.shape();
        self.labels.iter().position(|c| *c == label).map_or(Dim::ONE, |axis| shape[axis].clone())
    }

    /// Summed over the axes whose letters are not among `kept`.
    fn sum_to(self, kept: &[char]) -> Result<Labelled<'g>, ErrorKind> {
        let summed = (0..self.labels.len()).filter(|axis| !kept.contains(&self.labels[*axis]));
        let axes: super::AxisList = summed.collect();
        let labels = self.labels.iter().filter(|c| kept.contains(c)).copied().collect();
        if axes.is_empty() {
            return Ok(self);
        }
        let x = cast(self.expr, self.expr.dtype().to_accumulator())?;
        let sum = cast(x.apply(Reduce::Sum(axes))?, self.expr.dtype())?;
        Ok(Labelled { expr: sum, labels })
    }

    /// With the axes in the order of `labels`.
    fn permuted(self, labels: &[char]) -> Result<Expr<'g>, ErrorKind> {
        let axes = labels.iter().filter_map(|label| self.labels.iter().position(|c| c == label)).collect();
        self.expr.apply(Layout::Permute(axes))
    }

    /// As `batch + [rows, columns]`, each of the last two a product of axes.
    fn matrix(self, batch: &[char], rows: &[char], columns: &[char]) -> Result<Expr<'g>, ErrorKind> {
        let size = |labels: &[char]| labels.iter().map(|c| self.dim(*c)).collect::<Shape>().size();
        let dims = batch.iter().map(|c| self.dim(*c)).chain([size(rows)?, size(columns)?]).collect();
        let order: Labels = batch.iter().chain(rows).chain(columns).copied().collect();
        self.permuted(&order)?.apply(Layout::Reshape(dims))
    }
}

/// Sorts the letters into batch (in both and kept), summed (in both and not
/// kept) and the two sides' own, and multiplies matrices.
fn contract<'g>(a: Labelled<'g>, b: Labelled<'g>, result: &Labels) -> Result<Expr<'g>, ErrorKind> {
    let needed = |own: &Labelled<'g>, other: &Labelled<'g>| -> Labels {
        own.labels.iter().filter(|c| result.contains(c) || other.labels.contains(c)).copied().collect()
    };
    let (keep_a, keep_b) = (needed(&a, &b), needed(&b, &a));
    let (a, b) = (a.sum_to(&keep_a)?, b.sum_to(&keep_b)?);
    let shared: Labels = a.labels.iter().filter(|c| b.labels.contains(c)).copied().collect();
    let b = unify_shared(&a, b, &shared)?;
    let (batch, summed): (Labels, Labels) = shared.iter().copied().partition(|c| result.contains(c));
    let own =
        |x: &Labelled<'g>| -> Labels { x.labels.iter().filter(|c| !shared.contains(c)).copied().collect() };
    let (rows, columns) = (own(&a), own(&b));
    let order: Labels = batch.iter().chain(&rows).chain(&columns).copied().collect();
    let dims: Shape =
        order.iter().map(|c| if b.labels.contains(c) { b.dim(*c) } else { a.dim(*c) }).collect();
    let product = a.matrix(&batch, &rows, &summed)?.matmul(b.matrix(&batch, &summed, &columns)?);
    Labelled { expr: product.apply(Layout::Reshape(dims))?, labels: order }.permuted(result)
}

fn unify_shared<'g>(a: &Labelled<'g>, b: Labelled<'g>, shared: &[char]) -> Result<Labelled<'g>, ErrorKind> {
    let axes = b.labels.iter().enumerate().filter(|(_, c)| shared.contains(c)).map(|(i, c)| (i, a.dim(*c)));
    let mismatch = || ErrorKind::ShapeMismatch {
        left: a.expr.shape(),
        right: b.expr.shape(),
        reason: "axes with one letter must have one length",
    };
    Ok(Labelled { expr: b.expr.unify("einsum", axes, mismatch)?, ..b })
}
