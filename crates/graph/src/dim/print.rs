//! Lengths as they are printed: `2*n - 1`, `max(n - 3, 0)`.

use std::fmt;

use super::{Dim, Repr, Rule, Symbol};

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polynomial = match &self.0 {
            Repr::Known(value) => return write!(f, "{value}"),
            Repr::Symbolic(polynomial) => polynomial,
        };
        // The constant sorts first but reads best last: `n - 1`.
        let (constant, others): (Vec<_>, Vec<_>) = polynomial.terms.iter().partition(|(m, _)| m.is_empty());
        for (i, (monomial, coefficient)) in others.into_iter().chain(constant).enumerate() {
            let sign = match (i, *coefficient < 0) {
                (0, false) => "",
                (0, true) => "-",
                (_, false) => " + ",
                (_, true) => " - ",
            };
            f.write_str(sign)?;
            let size = coefficient.unsigned_abs();
            if size != 1 || monomial.is_empty() {
                write!(f, "{size}")?;
            }
            for (k, symbol) in monomial.iter().enumerate() {
                let times = if k > 0 || size != 1 { "*" } else { "" };
                write!(f, "{times}{symbol}")?;
            }
        }
        Ok(())
    }
}

/// The same text as `Display`.
impl fmt::Debug for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Symbol::Named(name) => f.write_str(name),
            Symbol::Count(mask) => write!(f, "count({mask})"),
            Symbol::Opaque(opaque) => match &opaque.rule {
                Rule::AtLeastZero(dim) => write!(f, "max({dim}, 0)"),
                Rule::CeilDiv(dim, step) => write!(f, "ceil({}/{step})", Group(dim)),
                Rule::Quotient(a, b) => write!(f, "({}/{})", Group(a), Group(b)),
            },
        }
    }
}

/// The beginning of a length, in parentheses unless it is a single number or symbol:
/// a length that is too large may be too long to print as well.
pub(super) struct Brief<'a>(pub(super) &'a Dim);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Beginning { text: String::new(), remaining: 60 };
        match fmt::write(&mut text, format_args!("{}", Group(self.0))) {
            Ok(()) => f.write_str(&text.text),
            Err(fmt::Error) => write!(f, "{}…", text.text),
        }
    }
}

/// Takes so many characters, and then no more.
struct Beginning {
    text: String,
    remaining: usize,
}

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            self.remaining = self.remaining.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(letter);
        }
        Ok(())
    }
}

/// A length in parentheses, unless it is a single number or symbol.
struct Group<'a>(&'a Dim);

impl fmt::Display for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Group(dim) = self;
        let single = dim.known().is_some() || dim.symbol().is_some();
        if single { write!(f, "{dim}") } else { write!(f, "({dim})") }
    }
}
