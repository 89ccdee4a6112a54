//! Elements that an instruction has no value for: an integer divided by 0, or raised to a
//! negative power.
//!
//! An instruction that refuses an element goes on with an unspecified value, so that a pass is
//! one loop without exits, and notes the element. The error of the region is that of the first
//! element of the first step that refuses one, whichever thread found it.

use tamis_graph::Scalar;

use super::StepError;
use crate::error::ErrorKind;
use crate::row_major::position_of;

/// The first refused element that a thread has come upon.
#[derive(Default)]
pub(super) struct Refusal {
    first: Option<Refused>,
}

pub(super) struct Refused {
    pub(super) step: usize,
    /// The index of the element in what is visited of the domain.
    pub(super) element: usize,
    pub(super) reason: Reason,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    ZeroDivisor,
    NegativeExponent { base: Scalar, exponent: Scalar },
}

impl Refusal {
    pub(super) fn note(&mut self, refused: Refused) {
        let key = |refused: &Refused| (refused.step, refused.element);
        if self.first.as_ref().is_none_or(|first| key(&refused) < key(first)) {
            self.first = Some(refused);
        }
    }

    /// Whether there is one.
    pub(super) fn is_any(&self) -> bool {
        self.first.is_some()
    }

    /// Takes in what another thread has come upon.
    pub(super) fn merge(&mut self, other: Refusal) {
        other.first.into_iter().for_each(|refused| self.note(refused));
    }

    /// `result`, unless a step failed before the one that it is the error of.
    pub(super) fn or<T>(self, visited: &[usize], result: Result<T, StepError>) -> Result<T, StepError> {
        let Some(Refused { step, element, reason }) = self.first else { return result };
        if let Err((other, _)) = &result
            && *other < step
        {
            return result;
        }
        // Of what repeats the first is visited.
        let position = position_of(visited, element).to_vec();
        let kind = match reason {
            Reason::ZeroDivisor => ErrorKind::DivisionByZero { position },
            Reason::NegativeExponent { base, exponent } => {
                ErrorKind::NegativePower { base, exponent, position }
            }
        };
        Err((step, kind))
    }
}
