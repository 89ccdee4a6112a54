//! Expressions and Rust scalars side by side: promotion, weak scalars, broadcasting.

use smallvec::SmallVec;

use crate::align::{OF_MASK, OF_TENSOR, Ones, Readings};
use crate::dim::{Comparison, Dim};
use crate::dtype::{DType, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::op::{Source, Unary};
use crate::shape::Shape;

/// What a builder takes beside its first operand: an expression, or a Rust
/// scalar, which is weak: it takes the dtype of the tensor it meets.
#[derive(Debug, Clone, Copy)]
pub enum Operand<'g> {
    /// An expression.
    Expr(Expr<'g>),
    /// A weak `bool`.
    Bool(bool),
    /// A weak integer.
    Int(i64),
    /// A weak float.
    Float(f64),
}

impl<'g> From<Expr<'g>> for Operand<'g> {
    fn from(expr: Expr<'g>) -> Operand<'g> {
        Operand::Expr(expr)
    }
}

impl<'g> From<&Expr<'g>> for Operand<'g> {
    fn from(expr: &Expr<'g>) -> Operand<'g> {
        Operand::Expr(*expr)
    }
}

macro_rules! weak_scalars {
    ($($ty:ty => $variant:ident),*) => {$(
        impl From<$ty> for Operand<'_> {
            fn from(value: $ty) -> Self {
                Operand::$variant(value.into())
            }
        }
    )*};
}

weak_scalars!(bool => Bool, u8 => Int, i32 => Int, i64 => Int, f32 => Float, f64 => Float);

/// What becomes of a weak scalar that the tensor's dtype cannot hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is an error.
    Arithmetic,
    /// Both sides widen, so that the answer is exact.
    Comparison,
}

impl<'g> Operand<'g> {
    pub(crate) fn expr(self) -> Option<Expr<'g>> {
        match self {
            Operand::Expr(expr) => Some(expr),
            Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => None,
        }
    }

    /// The dtype that the result takes when this operand meets a tensor of `dtype`.
    fn meets(self, dtype: DType, purpose: Purpose) -> Result<DType, ErrorKind> {
        match self {
            Operand::Expr(expr) => Ok(dtype.promote(expr.dtype())),
            Operand::Bool(_) => Ok(dtype),
            Operand::Int(value) => match dtype {
                DType::Bool => Ok(DType::I64),
                DType::U8 | DType::I32 if !fits(value, dtype) => match purpose {
                    Purpose::Arithmetic => Err(ErrorKind::WeakScalar { value: Scalar::I64(value), dtype }),
                    Purpose::Comparison => Ok(DType::I64),
                },
                DType::U8 | DType::I32 | DType::I64 | DType::F32 | DType::F64 => Ok(dtype),
            },
            Operand::Float(value) => match (dtype.to_float(), purpose) {
                (float, _) if float_fits(value, float) => Ok(float),
                (float, Purpose::Arithmetic) => {
                    Err(ErrorKind::WeakScalar { value: Scalar::F64(value), dtype: float })
                }
                (_, Purpose::Comparison) => Ok(DType::F64),
            },
        }
    }

    fn weak_dtype(self) -> Option<DType> {
        match self {
            Operand::Expr(_) => None,
            Operand::Bool(_) => Some(DType::Bool),
            Operand::Int(_) => Some(DType::I64),
            Operand::Float(_) => Some(DType::F64),
        }
    }

    /// The operand as an expression of `dtype`.
    pub(crate) fn to_expr(self, graph: &'g Graph, dtype: DType) -> Result<Expr<'g>, ErrorKind> {
        let scalar = match self {
            Operand::Expr(expr) => return cast(expr, dtype),
            Operand::Bool(value) => Scalar::Bool(value).cast(dtype),
            Operand::Int(value) => Scalar::from_int(value, dtype),
            Operand::Float(value) => Scalar::from_float(value, dtype),
        };
        graph.try_apply(Source::Scalar(scalar), &[])
    }

    /// The operand as a source that is assigned into a destination, whose
    /// dtype is kept: widening is done, narrowing refused.
    pub(crate) fn assigned_into(self, destination: Expr<'g>) -> Result<Expr<'g>, ErrorKind> {
        let (dtype, graph) = (destination.dtype(), destination.graph());
        match self {
            Operand::Expr(expr) if dtype.promote(expr.dtype()) == dtype => cast(expr, dtype),
            Operand::Expr(expr) => Err(ErrorKind::Narrowing {
                dtype,
                shape: destination.shape(),
                source_dtype: expr.dtype(),
                source_shape: expr.shape(),
            }),
            Operand::Bool(_) | Operand::Int(_) | Operand::Float(_) => {
                graph.try_apply(Source::Scalar(self.to_scalar(dtype)?), &[])
            }
        }
    }

    /// A Rust scalar as a value of `dtype`, which must hold it.
    pub(crate) fn to_scalar(self, dtype: DType) -> Result<Scalar, ErrorKind> {
        let (value, accepted) = match self {
            Operand::Expr(expr) => {
                return Err(ErrorKind::NotLiteral { dtype: expr.dtype(), shape: expr.shape() });
            }
            Operand::Bool(value) => (Scalar::Bool(value), true),
            Operand::Int(value) => (Scalar::I64(value), fits(value, dtype)),
            Operand::Float(value) => {
                let whole = value.fract() == 0.0 && value.abs() < 9.0e18 && fits(value as i64, dtype);
                let accepted = if dtype.is_float() { float_fits(value, dtype) } else { whole };
                (Scalar::F64(value), accepted)
            }
        };
        if accepted { Ok(value.cast(dtype)) } else { Err(ErrorKind::WeakScalar { value, dtype }) }
    }
}

fn fits(value: i64, dtype: DType) -> bool {
    match dtype {
        DType::Bool => matches!(value, 0 | 1),
        DType::U8 => u8::try_from(value).is_ok(),
        DType::I32 => i32::try_from(value).is_ok(),
        DType::I64 | DType::F32 | DType::F64 => true,
    }
}

/// Whether a float that is finite stays so in a float dtype.
fn float_fits(value: f64, dtype: DType) -> bool {
    dtype != DType::F32 || !value.is_finite() || (value as f32).is_finite()
}

pub(crate) fn cast(expr: Expr<'_>, dtype: DType) -> Result<Expr<'_>, ErrorKind> {
    expr.apply(Unary::Cast(dtype))
}

/// The dtype that the operands have together.
pub(crate) fn common_dtype(operands: &[Operand<'_>], purpose: Purpose) -> Result<DType, ErrorKind> {
    let tensors =
        operands.iter().filter_map(|operand| operand.expr()).map(Expr::dtype).reduce(DType::promote);
    let Some(tensors) = tensors else {
        let weak = operands.iter().filter_map(|operand| operand.weak_dtype()).max();
        return Ok(weak.unwrap_or(DType::F64));
    };
    operands
        .iter()
        .filter(|operand| operand.expr().is_none())
        .try_fold(tensors, |dtype, operand| Ok(dtype.promote(operand.meets(tensors, purpose)?)))
}

/// The operands with the guards that broadcasting them together needs.
///
/// Only a literal 1 broadcasts. Where two lengths are neither provably equal
/// nor provably different, one operand is relabelled by a guard.
pub(crate) fn broadcast<'g>(op: &'static str, operands: &mut [Expr<'g>]) -> Result<(), ErrorKind> {
    let shapes: SmallVec<[Shape; 3]> = operands.iter().map(|operand| operand.shape()).collect();
    check_trailing(operands, &shapes)?;
    let rank = shapes.iter().map(Shape::rank).max().unwrap_or(0);
    let mut relabelled = shapes.clone();
    // Whether the first length that an operand is given is that of an operand before it.
    let mut is_second: SmallVec<[Option<bool>; 3]> = shapes.iter().map(|_| None).collect();
    // `axis` counts from the end.
    for axis in 1..=rank {
        let dim_of = |shape: &Shape| shape.rank().checked_sub(axis).map(|axis| shape[axis].clone());
        let dims = || {
            let dims = shapes.iter().enumerate().filter_map(|(i, shape)| Some((i, dim_of(shape)?)));
            dims.filter(|(_, dim)| !dim.is_one())
        };
        let known = dims().find(|(_, dim)| dim.known().is_some());
        let Some((source, target)) = known.or_else(|| dims().next()) else { continue };
        for (i, shape) in shapes.iter().enumerate() {
            let Some(dim) = dim_of(shape).filter(|dim| !dim.is_one()) else { continue };
            match dim.compare(&target) {
                Comparison::Equal => {}
                Comparison::Unknown => {
                    relabelled[i] = relabelled[i].with(shape.rank() - axis, target.clone());
                    is_second[i].get_or_insert(source < i);
                }
                Comparison::Different => return Err(mismatch(&shapes, axis, &target, i)),
            }
        }
    }
    for ((operand, shape), is_second) in operands.iter_mut().zip(relabelled).zip(is_second) {
        *operand = operand.guard(op, shape, is_second.unwrap_or(false))?;
    }
    Ok(())
}

/// That operands of lower rank are aligned with the trailing axes.
fn check_trailing(operands: &[Expr<'_>], shapes: &[Shape]) -> Result<(), ErrorKind> {
    let rank = shapes.iter().map(Shape::rank).max().unwrap_or(0);
    if shapes.iter().all(|shape| shape.rank() == rank || shape.rank() == 0) {
        return Ok(());
    }
    let full = || shapes.iter().filter(|shape| shape.rank() == rank);
    let length = |axis: usize| full().map(|shape| &shape[axis]).find(|dim| !dim.is_one());
    let whole: Shape = (0..rank).map(|axis| length(axis).cloned().unwrap_or(Dim::ONE)).collect();
    for (operand, shape) in operands.iter().zip(shapes) {
        let remedy = if operand.dtype() == DType::Bool { &OF_MASK } else { &OF_TENSOR };
        if let Some(readings) = Readings::new(shape, &whole, Ones::Both) {
            readings.take_trailing(remedy)?;
        }
    }
    Ok(())
}

/// The shapes of the two operands that clash, in the order they were written.
fn mismatch(shapes: &[Shape], axis: usize, target: &Dim, clashing: usize) -> ErrorKind {
    let has_target = |shape: &&Shape| shape.rank().checked_sub(axis).is_some_and(|at| shape[at] == *target);
    let first = shapes.iter().position(|shape| has_target(&shape)).unwrap_or(0);
    let (left, right) = (first.min(clashing), first.max(clashing));
    ErrorKind::Broadcast { left: shapes[left].clone(), right: shapes[right].clone() }
}
