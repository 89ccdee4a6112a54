//! `+ - * / % & | ^ !` and unary `-` on expressions, with Rust scalars on either side, `+=` and its
//! like, and sums and products of lists.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Sub};
use std::ops::{
    AddAssign, BitAndAssign, BitOrAssign, BitXorAssign, DivAssign, MulAssign, RemAssign, SubAssign,
};

use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::op::binary::binary;
use crate::op::logic::logic;
use crate::op::{Binary, Logic};
use crate::operand::Operand;

/// An operator with the expression on the left, by value and by reference.
macro_rules! operator {
    ($build:ident: $($trait:ident $method:ident => $op:expr),*) => {$(
        impl<'g, R: Into<Operand<'g>>> $trait<R> for Expr<'g> {
            type Output = Expr<'g>;

            #[track_caller]
            fn $method(self, other: R) -> Expr<'g> {
                $build(self.graph(), $op, self.into(), other.into())
            }
        }

        impl<'g, R: Into<Operand<'g>>> $trait<R> for &Expr<'g> {
            type Output = Expr<'g>;

            #[track_caller]
            fn $method(self, other: R) -> Expr<'g> {
                $build(self.graph(), $op, self.into(), other.into())
            }
        }
    )*};
}

operator!(binary: Add add => Binary::Add, Sub sub => Binary::Sub, Mul mul => Binary::Mul,
    Div div => Binary::Div, Rem rem => Binary::FloorMod);
operator!(logic: BitAnd bitand => Logic::And, BitOr bitor => Logic::Or, BitXor bitxor => Logic::Xor);

/// `x += y` is `x = x + y`: the variable holds a new expression afterwards.
macro_rules! assign_operator {
    ($build:ident: $($trait:ident $method:ident => $op:expr),*) => {$(
        impl<'g, R: Into<Operand<'g>>> $trait<R> for Expr<'g> {
            #[track_caller]
            fn $method(&mut self, other: R) {
                *self = $build(self.graph(), $op, (*self).into(), other.into());
            }
        }
    )*};
}

assign_operator!(binary: AddAssign add_assign => Binary::Add, SubAssign sub_assign => Binary::Sub,
    MulAssign mul_assign => Binary::Mul, DivAssign div_assign => Binary::Div,
    RemAssign rem_assign => Binary::FloorMod);
assign_operator!(logic: BitAndAssign bitand_assign => Logic::And, BitOrAssign bitor_assign => Logic::Or,
    BitXorAssign bitxor_assign => Logic::Xor);

impl Graph {
    /// The sum of the expressions, `a + b + …` from left to right: they promote
    /// and broadcast together.
    ///
    /// # Errors
    /// Reported when there are none, since it is then unknown of which dtype the 0
    /// would be, or when the shapes do not broadcast.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let layers = [graph.constant([1.0, 2.0]), graph.constant([3.0])];
    /// let penalty = graph.sum_of(layers.iter().map(|w| w.square().sum(..)));
    /// assert_eq!(penalty.eval::<f64>()?, tamis::ndarray::arr0(14.0).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("add_n"))]
    #[track_caller]
    pub fn sum_of<'g>(&'g self, exprs: impl IntoIterator<Item = Expr<'g>>) -> Expr<'g> {
        self.chain("sum_of", Binary::Add, exprs.into_iter().collect())
    }

    /// The product of the expressions, `a * b * …` from left to right: they
    /// promote and broadcast together.
    ///
    /// # Errors
    /// As for [`Graph::sum_of`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([2, 3]);
    /// assert_eq!(graph.prod_of([x, x, x]).eval::<i32>()?, tamis::ndarray::arr1(&[8, 27]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn prod_of<'g>(&'g self, exprs: impl IntoIterator<Item = Expr<'g>>) -> Expr<'g> {
        self.chain("prod_of", Binary::Mul, exprs.into_iter().collect())
    }

    #[track_caller]
    fn chain<'g>(&'g self, name: &'static str, op: Binary, exprs: Vec<Expr<'g>>) -> Expr<'g> {
        self.build(name, &exprs, || {
            let chained = exprs.iter().copied().reduce(|a, b| binary(self, op, a.into(), b.into()));
            chained.ok_or(ErrorKind::NoOperands)
        })
    }
}

/// An operator with a scalar on the left. Only `f64` and `i64`: with more types
/// `(1.0 - x).ln()` would not infer.
macro_rules! scalar_operator {
    ($($scalar:ty: $($trait:ident $method:ident => $op:expr),*;)*) => {$($(
        impl<'g> $trait<Expr<'g>> for $scalar {
            type Output = Expr<'g>;

            #[track_caller]
            fn $method(self, other: Expr<'g>) -> Expr<'g> {
                binary(other.graph(), $op, self.into(), other.into())
            }
        }

        impl<'g> $trait<&Expr<'g>> for $scalar {
            type Output = Expr<'g>;

            #[track_caller]
            fn $method(self, other: &Expr<'g>) -> Expr<'g> {
                binary(other.graph(), $op, self.into(), other.into())
            }
        }
    )*)*};
}

scalar_operator! {
    f64: Add add => Binary::Add, Sub sub => Binary::Sub, Mul mul => Binary::Mul,
        Div div => Binary::Div, Rem rem => Binary::FloorMod;
    i64: Add add => Binary::Add, Sub sub => Binary::Sub, Mul mul => Binary::Mul,
        Div div => Binary::Div, Rem rem => Binary::FloorMod;
}

impl<'g> Neg for Expr<'g> {
    type Output = Expr<'g>;

    #[track_caller]
    fn neg(self) -> Expr<'g> {
        self.negate()
    }
}

impl<'g> Neg for &Expr<'g> {
    type Output = Expr<'g>;

    #[track_caller]
    fn neg(self) -> Expr<'g> {
        self.negate()
    }
}

impl<'g> Not for Expr<'g> {
    type Output = Expr<'g>;

    #[track_caller]
    fn not(self) -> Expr<'g> {
        self.complement()
    }
}

impl<'g> Not for &Expr<'g> {
    type Output = Expr<'g>;

    #[track_caller]
    fn not(self) -> Expr<'g> {
        self.complement()
    }
}
