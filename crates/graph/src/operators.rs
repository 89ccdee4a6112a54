//! `+ - * / % & | ^ !` and unary `-` on expressions, with Rust scalars on either side.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Sub};

use crate::expr::Expr;
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

/// An operator with a scalar on the left. Only `f64` and `i64`: with more types
/// `(1.0 - x).ln()` no longer infers.
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
