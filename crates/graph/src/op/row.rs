//! What is true of an op whatever its operands are: its row in the table of its
//! family. Every family writes one `row`, a flat match with a line per variant;
//! everything else that asks reads the row.

use crate::dtype::DType;

/// Which dtypes an op takes, apart from masks and indices among its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// All dtypes.
    Any,
    /// Integers and floats.
    Number,
    /// Floats; builders convert integers and bools.
    Float,
    /// What sums and products accumulate in: floats and i64; builders convert the rest.
    Accumulator,
    /// Bools.
    Bool,
}

impl Domain {
    pub(crate) fn contains(self, dtype: DType) -> bool {
        match self {
            Domain::Any => true,
            Domain::Number => dtype != DType::Bool,
            Domain::Float => dtype.is_float(),
            Domain::Accumulator => dtype == DType::I64 || dtype.is_float(),
            Domain::Bool => dtype == DType::Bool,
        }
    }

    /// What an error says of it.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Domain::Any => "any dtype will do",
            Domain::Number => "numbers are needed",
            Domain::Float => "floats are needed",
            Domain::Accumulator => "i64 or floats are needed",
            Domain::Bool => "bools are needed",
        }
    }
}

/// Where a function of floats may have a kink or a jump, which a difference
/// quotient must not step over.
///
/// What the values of bool and integer operands decide belongs to the op that
/// computed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KinkAt {
    /// Smooth wherever it is defined.
    Nowhere,
    /// Where the operand crosses 0.
    Zero,
    /// Where the result, which is piecewise constant, changes.
    Steps,
    /// Where the quotient of the operands, rounded down, changes.
    FloorOfQuotient,
    /// Where the quotient of the operands, rounded towards 0, changes.
    TruncOfQuotient,
    /// Where both operands are negative and the first crosses 0.
    BranchCut,
    /// Where the larger of the two operands changes.
    Ties,
    /// Where another of the reduced elements becomes the result.
    Reduced,
    /// Where another of the updates of a scatter becomes the result.
    Scattered,
}

/// For which operands a run may refuse to compute an op.
///
/// Exhausted memory does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fails {
    /// It has a value for all operands that its shape rule lets through.
    Never,
    /// For a divisor of 0, of integers.
    ZeroDivisor,
    /// For a negative exponent, of integers.
    NegativeExponent,
    /// For an index outside of its axis.
    OutOfRange,
    /// Where there is no element to choose from.
    EmptySelection,
    /// For lengths, or an asserted condition, known only in a run.
    Condition,
}

/// What is true of an op whatever its operands are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The name by which users know the op.
    pub(crate) name: &'static str,
    pub(crate) domain: Domain,
    /// What one element of the result costs, in additions.
    pub(crate) cost: usize,
    pub(crate) kink: KinkAt,
    pub(crate) fails: Fails,
    /// Whether applying it to its own result changes nothing.
    pub(crate) is_idempotent: bool,
}

/// A row of an op that has no kink and cannot fail.
pub(crate) const fn row(name: &'static str, domain: Domain, cost: usize) -> Row {
    Row { name, domain, cost, kink: KinkAt::Nowhere, fails: Fails::Never, is_idempotent: false }
}

impl Row {
    pub(crate) const fn kink(self, kink: KinkAt) -> Row {
        Row { kink, ..self }
    }

    pub(crate) const fn fails(self, fails: Fails) -> Row {
        Row { fails, ..self }
    }

    pub(crate) const fn idempotent(self) -> Row {
        Row { is_idempotent: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use crate::{AxisList, Binary, DType, ErrorKind, Graph, Logic, Op, Reduce, ReduceKind, Unary, Value};

    #[test]
    fn an_op_takes_the_dtypes_of_its_domain_alone() {
        let sum = Reduce::new(ReduceKind::Sum, AxisList::from_slice(&[0]));
        let (i64, floats) = (DType::I64, [DType::F32, DType::F64]);
        let numbers = [DType::U8, DType::I32, i64, DType::F32, DType::F64];
        let cases: [(Op, usize, &[DType]); 6] = [
            (Unary::Exp.into(), 1, &floats),
            (Unary::Neg.into(), 1, &numbers),
            (Unary::StopGradient.into(), 1, &DType::ALL),
            (Binary::Add.into(), 2, &numbers),
            (Logic::And.into(), 2, &[DType::Bool]),
            (sum.into(), 1, &[i64, DType::F32, DType::F64]),
        ];
        for (op, operands, taken) in cases {
            for dtype in DType::ALL {
                let graph = Graph::new();
                let x = graph.constant_value(Value::from(ndarray::arr1(&[1_u8]).into_dyn())).cast(dtype);
                let y = graph.try_apply(op.clone(), &vec![x; operands]);
                assert_eq!(y.is_ok(), taken.contains(&dtype), "{} of {dtype}", op.name());
                let refused = |error: &ErrorKind| matches!(error, ErrorKind::DType { .. });
                assert!(y.as_ref().err().is_none_or(refused), "{} of {dtype}", op.name());
            }
        }
    }
}
