//! Elementwise arithmetic of two operands.

use std::sync::Arc;

use super::row::Domain::{Float, Number};
use super::row::{Fails, KinkAt, Row, row};
use super::{Logic, Op, Type, broadcast_shapes};
use crate::dtype::DType;
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::operand::{Operand, Purpose, broadcast, common_dtype};

/// Elementwise arithmetic. Operands have one dtype and broadcast together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// `a + b`.
    Add,
    /// `a − b`.
    Sub,
    /// `a · b`.
    Mul,
    /// `a / b` of floats.
    Div,
    /// `aᵇ`.
    Pow,
    /// `a − b · floor(a / b)`: the remainder with the sign of `b`.
    FloorMod,
    /// `floor(a / b)`.
    FloorDiv,
    /// `a − b · trunc(a / b)`: the remainder with the sign of `a`.
    RemTrunc,
    /// The angle of the point `(x, y) = (b, a)`, of floats.
    Atan2,
    /// The smaller; NaN if either is.
    Minimum,
    /// The larger; NaN if either is.
    Maximum,
}

impl From<Binary> for Op {
    fn from(op: Binary) -> Op {
        Op::Binary(op)
    }
}

impl Binary {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Binary::Add => row("add", Number, 1),
            Binary::Sub => row("sub", Number, 1),
            Binary::Mul => row("mul", Number, 1),
            Binary::Div => row("div", Float, 4),
            Binary::Pow => row("pow", Number, 32).fails(Fails::NegativeExponent),
            Binary::FloorMod => divides("floor_mod").kink(KinkAt::FloorOfQuotient),
            Binary::FloorDiv => divides("floor_div").kink(KinkAt::FloorOfQuotient),
            Binary::RemTrunc => divides("rem_trunc").kink(KinkAt::TruncOfQuotient),
            Binary::Atan2 => row("atan2", Float, 32).kink(KinkAt::BranchCut),
            Binary::Minimum => row("minimum", Number, 1).kink(KinkAt::Ties),
            Binary::Maximum => row("maximum", Number, 1).kink(KinkAt::Ties),
        }
    }

    pub(crate) fn infer(&self, operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        Ok(Type::new(operands[0].dtype, broadcast_shapes(operands)?))
    }

    /// What arithmetic means between two masks, as in NumPy: the sum is `|`,
    /// the product `&`; the rest has no meaning.
    fn of_bools(self) -> Option<Logic> {
        if let Binary::Add | Binary::Maximum = self {
            return Some(Logic::Or);
        }
        matches!(self, Binary::Mul | Binary::Minimum).then_some(Logic::And)
    }
}

const fn divides(name: &'static str) -> Row {
    row(name, Number, 32).fails(Fails::ZeroDivisor)
}

#[track_caller]
pub(crate) fn binary<'g>(graph: &'g Graph, op: Binary, a: Operand<'g>, b: Operand<'g>) -> Expr<'g> {
    let operands: Vec<Expr<'g>> = [a, b].into_iter().filter_map(Operand::expr).collect();
    let Row { name, domain, .. } = op.row();
    graph.build(name, &operands, || {
        let mut dtype = common_dtype(&[a, b], Purpose::Arithmetic)?;
        if domain == Float {
            dtype = dtype.to_float();
        }
        if let (Binary::Pow, Operand::Int(exponent)) = (op, b)
            && exponent < 0
            && !dtype.is_float()
        {
            return Err(ErrorKind::NegativePower { exponent });
        }
        let mut operands = [a.to_expr(graph, dtype)?, b.to_expr(graph, dtype)?];
        broadcast(name, &mut operands)?;
        if dtype != DType::Bool {
            return graph.try_apply(op, &operands);
        }
        match op.of_bools() {
            Some(logic) => graph.try_apply(logic, &operands),
            None => Err(ErrorKind::DType {
                dtype,
                shape: operands[0].shape(),
                expected: "numbers are needed: combine masks with `& | ^`, or write `.cast(DType::I64)`",
            }),
        }
    })
}

impl<'g> Expr<'g> {
    /// `self` raised to the power of `exponent`, broadcasting.
    ///
    /// The gradient to the base is `y·x^(y−1)`, exactly 0 where `y` is 0; to
    /// the exponent `xʸ·ln x`, exactly 0 where `x` is 0 and `y ≥ 0`. Integers
    /// wrap.
    ///
    /// # Errors
    /// Reported for an integer with a negative literal exponent; a negative integer exponent among
    /// the elements is an error of the run.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([2.0, 3.0]);
    /// assert_eq!(x.pow(2).eval::<f64>()?, tamis::ndarray::arr1(&[4.0, 9.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("power"))]
    #[track_caller]
    pub fn pow(self, exponent: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::Pow, self.into(), exponent.into())
    }

    /// The remainder with the sign of the divisor, NumPy's `%`; also written `a % b`.
    ///
    /// A float remainder by 0 is NaN. The gradient is 1 to the dividend and
    /// `−floor(a / b)` to the divisor.
    ///
    /// # Errors
    /// An integer remainder by 0 is an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([-7, 7]);
    /// assert_eq!((x % 3).eval::<i32>()?, tamis::ndarray::arr1(&[2, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("floormod", "remainder"))]
    #[track_caller]
    pub fn floor_mod(self, divisor: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::FloorMod, self.into(), divisor.into())
    }

    /// `floor(self / divisor)`, NumPy's `//`, with gradient 0. Of integers an
    /// integer; the smallest divided by −1 wraps.
    ///
    /// # Errors
    /// An integer division by 0 is an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([-7, 7]);
    /// assert_eq!(x.floor_div(2).eval::<i32>()?, tamis::ndarray::arr1(&[-4, 3]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("floordiv", "floor_divide"))]
    #[track_caller]
    pub fn floor_div(self, divisor: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::FloorDiv, self.into(), divisor.into())
    }

    /// The remainder with the sign of the dividend, Rust's `%`; a float
    /// remainder by 0 is NaN. The gradient is 1 to the dividend and
    /// `−trunc(a / b)` to the divisor.
    ///
    /// # Errors
    /// An integer remainder by 0 is an error at run time.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([-7, 7]);
    /// assert_eq!(x.rem_trunc(3).eval::<i32>()?, tamis::ndarray::arr1(&[-1, 1]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("fmod", "truncatemod"))]
    #[track_caller]
    pub fn rem_trunc(self, divisor: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::RemTrunc, self.into(), divisor.into())
    }

    /// The angle in radians of the point with height `self` and width `x`, in
    /// `−π..=π`. Integers become floats.
    ///
    /// The gradient is `x / (y² + x²)` to the height `y` and `−y / (y² + x²)` to the
    /// width, NaN at the origin.
    ///
    /// # Errors
    /// Reported when the shapes do not broadcast.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let y = graph.constant([0.0, 1.0]);
    /// let angle = y.atan2(graph.constant([1.0, 0.0]));
    /// assert_eq!(angle.eval::<f64>()?, tamis::ndarray::arr1(&[0.0, std::f64::consts::FRAC_PI_2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("arctan2"))]
    #[track_caller]
    pub fn atan2(self, x: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::Atan2, self.into(), x.into())
    }

    /// The smaller of each pair, broadcasting; NaN if either is. Ties give half
    /// the gradient to each side.
    /// Of bools it is `&`.
    ///
    /// # Errors
    /// Reported when the shapes do not broadcast.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 5.0]);
    /// assert_eq!(x.minimum(3.0).eval::<f64>()?, tamis::ndarray::arr1(&[1.0, 3.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn minimum(self, other: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::Minimum, self.into(), other.into())
    }

    /// The larger of each pair, broadcasting; NaN if either is. Ties give half
    /// the gradient to each side.
    /// Of bools it is `|`.
    ///
    /// # Errors
    /// Reported when the shapes do not broadcast.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, 5.0]);
    /// assert_eq!(x.maximum(3.0).eval::<f64>()?, tamis::ndarray::arr1(&[3.0, 5.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn maximum(self, other: impl Into<Operand<'g>>) -> Expr<'g> {
        binary(self.graph(), Binary::Maximum, self.into(), other.into())
    }

    /// The values limited to `low..=high`; NaN stays NaN. At a bound the
    /// element and the bound get half the gradient each.
    /// With `low > high` all become `high`.
    ///
    /// # Errors
    /// Reported when the shapes do not broadcast.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([-2.0, 0.5, 2.0]);
    /// assert_eq!(x.clip(0.0, 1.0).eval::<f64>()?, tamis::ndarray::arr1(&[0.0, 0.5, 1.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("clip_by_value", "clamp"))]
    #[track_caller]
    pub fn clip(self, low: impl Into<Operand<'g>>, high: impl Into<Operand<'g>>) -> Expr<'g> {
        let (low, high) = (low.into(), high.into());
        self.build("clip", &[], || Ok(self.maximum(low).minimum(high)))
    }
}
