//! Inner and outer products and Einstein sums, lowered to matrix products.

use smallvec::SmallVec;

use super::linalg::check_numbers;
use super::{Layout, Reduce, ReduceKind};
use crate::dim::{Comparison, Dim};
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
    /// Reported when the shapes do not fit, or for bools that are not scalars.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1, 2]);
    /// assert_eq!(x.dot(graph.constant([3, 4])).eval::<i32>()?, tamis::ndarray::arr0(11).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("tensordot"))]
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
            let expanded = left.splice(rows..rows, &vec![Dim::ONE; batch]);
            let rows_alone = expanded.splice(rows + batch..rows + batch, &[Dim::ONE]);
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
    /// assert_eq!(x.outer(graph.constant([3, 4])).eval::<i32>()?, tamis::ndarray::arr2(&[[3, 4], [6, 8]]).into_dyn());
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
    /// Reported when the text is not such a formula (no `...`, no letter twice in one term), or
    /// does not fit the expressions, with the letter, the term and the operand at fault; lengths
    /// that turn out to differ are an error of the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// let y = graph.constant([10, 100]);
    /// assert_eq!(graph.einsum("ij,j->i", [x, y]).eval::<i32>()?, tamis::ndarray::arr1(&[210, 430]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn einsum<'g>(&'g self, formula: &str, exprs: impl IntoIterator<Item = Expr<'g>>) -> Expr<'g> {
        let exprs: Vec<Expr<'g>> = exprs.into_iter().collect();
        self.build("einsum", &exprs, || {
            let formula = Formula::parse(formula, &exprs)?;
            let operands: Vec<Operand<'g>> = exprs.iter().map(Operand::from).collect();
            let dtype = common_dtype(&operands, Purpose::Arithmetic)?;
            exprs.iter().try_for_each(|expr| check_numbers(dtype, *expr))?;
            let exprs = exprs.iter().map(|expr| cast(*expr, dtype)).collect::<Result<Vec<_>, _>>()?;
            match (formula.terms.as_slice(), exprs.as_slice()) {
                ([term], [x]) => Labelled::new(*x, term).sum_to(&formula.result)?.permuted(&formula.result),
                ([left, right], [a, b]) => {
                    contract(Labelled::new(*a, left), Labelled::new(*b, right), &formula.result)
                }
                _ => unreachable!("a formula has one or two terms, as many as operands"),
            }
        })
    }
}

type Labels = SmallVec<[char; 4]>;

struct Formula {
    /// One for each operand.
    terms: Vec<Labels>,
    result: Labels,
}

impl Formula {
    fn parse(text: &str, exprs: &[Expr<'_>]) -> Result<Formula, ErrorKind> {
        let refuse = |reason| ErrorKind::Einsum { formula: text.to_owned(), reason };
        let formula = Formula::read(text, exprs.len()).map_err(refuse)?;
        let implicit = if text.contains("->") { "" } else { "; there is no `->` with a result behind it" };
        formula.check_ranks(exprs).map_err(|reason| refuse(reason + implicit))?;
        formula.check_letters().map_err(refuse)?;
        formula.check_lengths(exprs).map_err(refuse)?;
        Ok(formula)
    }

    /// The terms and the result as they are written, or what is wrong with that.
    fn read(text: &str, operands: usize) -> Result<Formula, String> {
        match operands {
            0 => return Err("no operand is given, but one or two are needed".to_owned()),
            1 | 2 => {}
            _ => return Err(format!("{operands} operands are given, but at most two are taken at a time")),
        }
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (terms, result) = match compact.split_once("->") {
            Some((terms, result)) => (terms, Some(result)),
            None => (compact.as_str(), None),
        };
        if result.is_some_and(|result| result.contains("->")) {
            return Err("there is more than one `->`".to_owned());
        }
        if result.is_some_and(|result| result.contains(',')) {
            return Err("the result behind `->` is one term, without `,`".to_owned());
        }
        let letters = terms.chars().filter(|c| *c != ',').chain(result.unwrap_or_default().chars());
        if let Some(other) = letters.into_iter().find(|c| !c.is_ascii_alphabetic()) {
            return Err(character_text(other));
        }
        let terms: Vec<Labels> = terms.split(',').map(|term| term.chars().collect()).collect();
        if terms.len() != operands {
            return Err(format!("{} for {}", counted(terms.len(), "term"), counted(operands, "operand")));
        }
        let result = result.map_or_else(|| once_only(&terms), |result| result.chars().collect());
        Ok(Formula { terms, result })
    }

    /// Every term has a letter for each axis of its operand.
    fn check_ranks(&self, exprs: &[Expr<'_>]) -> Result<(), String> {
        let differs = |(_, (term, expr)): &(usize, (&Labels, &Expr<'_>))| term.len() != expr.rank();
        match self.terms.iter().zip(exprs).enumerate().find(differs) {
            None => Ok(()),
            Some((operand, (term, expr))) => Err(format!(
                "the term `{}` has {}, but operand {operand} has shape {} of rank {}",
                term.iter().collect::<String>(),
                counted(term.len(), "letter"),
                expr.shape(),
                expr.rank()
            )),
        }
    }

    /// No letter stands twice in a term or in the result, which has letters of the terms alone.
    fn check_letters(&self) -> Result<(), String> {
        let repeated = |labels: &Labels| {
            labels.iter().enumerate().find(|(i, c)| labels[..*i].contains(c)).map(|(_, c)| *c)
        };
        for (operand, term) in self.terms.iter().enumerate() {
            if let Some(letter) = repeated(term) {
                let term: String = term.iter().collect();
                return Err(format!(
                    "the letter `{letter}` stands twice in `{term}`, the term of operand {operand}; each axis has a \
                     letter of its own, since diagonals are not taken"
                ));
            }
        }
        if let Some(letter) = repeated(&self.result) {
            return Err(format!("the letter `{letter}` stands twice in the result"));
        }
        let unknown = self.result.iter().find(|c| self.terms.iter().all(|term| !term.contains(c)));
        match unknown {
            Some(letter) => Err(format!("the letter `{letter}` of the result is in no term")),
            None => Ok(()),
        }
    }

    /// No letter has two lengths that differ in every run.
    fn check_lengths(&self, exprs: &[Expr<'_>]) -> Result<(), String> {
        let ([left, right], [a, b]) = (self.terms.as_slice(), exprs) else { return Ok(()) };
        let (a, b) = (a.shape(), b.shape());
        for (i, letter) in left.iter().enumerate() {
            let Some(j) = right.iter().position(|c| c == letter) else { continue };
            if a[i].compare(&b[j]) == Comparison::Different {
                return Err(format!(
                    "the letter `{letter}` is axis {i} of operand 0, of length {}, and axis {j} of operand 1, of \
                     length {}",
                    a[i], b[j]
                ));
            }
        }
        Ok(())
    }
}

/// What is wrong with a character that is no letter.
fn character_text(other: char) -> String {
    match other {
        '.' => "`...` is not taken: write a letter for every axis".to_owned(),
        '-' | '>' | '=' => format!("`{other}` does not stand alone: the result comes behind `->`"),
        _ => format!("`{other}` is no letter: terms are of letters a to z and A to Z, with `,` between them"),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
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
        let sum = cast(x.apply(Reduce::new(ReduceKind::Sum, axes))?, self.expr.dtype())?;
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
    Ok(Labelled { expr: b.expr.unify_second("einsum", axes, mismatch)?, ..b })
}
