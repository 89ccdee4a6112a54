//! What is true of an op whatever its operands are: its row in the table of its
//! family. Every family writes one `row`, a flat match with a line per variant;
//! everything else that asks reads the row.

/// Which dtypes an op takes, apart from masks and indices among its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// All dtypes.
    Any,
    /// Integers and floats.
    Number,
    /// Floats; builders convert integers and bools.
    Float,
    /// Bools.
    Bool,
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
