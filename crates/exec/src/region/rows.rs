//! Regions that run together row by row. Does not say which ones can, nor how they are run.

use std::ops::Range;

use foldhash::HashMap;

/// Consecutive stages that can run together on some rows at a time, so that what they hand to one
/// another stays in the cache: regions, and reshapes of what they give. Each row is computed from the
/// same row of what the others give.
pub(crate) struct RowGroup {
    pub(crate) stages: Range<usize>,
    /// How many leading axes number the rows.
    pub(crate) lead: usize,
    /// The steps whose values the regions give, in their order, and whether others read them.
    pub(crate) values: Vec<(usize, bool)>,
    /// For each stage, and each step that it reads and the group gives: which of the values that is.
    pub(crate) loads: HashMap<(usize, usize), (usize, RowLoad)>,
    /// The stages that reshape for others what the group gives.
    pub(crate) reshaped: Vec<usize>,
}

/// How a region reads what another one of its group gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowLoad {
    /// Element by element.
    Elements,
    /// One element of a row in every element of the row.
    Repeated,
}
