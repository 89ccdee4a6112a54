//! Part of [tamis](https://docs.rs/tamis): gradients as graphs. Depend on `tamis` instead.
//!
//! A gradient is built of the same ops as what it differentiates, so that it
//! differentiates again, to any order. Both modes read one table, `rule`: what an op does
//! to a small change of each operand, as a chain of `linear` operators, each of which
//! knows its transpose. A derivative travels as a `masked_derivative`: a value with the
//! `support` outside of which it is exactly 0 and the value is unspecified. That is why an
//! infinite derivative at an element that is not selected is never multiplied by a zero.
//!
//! This crate does not depend on evaluation: it depends on the graph alone.

mod arguments;
mod arrange;
mod forward;
mod gradient;
mod guards;
mod jacobian;
mod linear;
mod masked_derivative;
mod path;
mod reverse;
mod rule;
mod support;
mod targets;

pub use gradient::{grad, hvp, jvp, value_and_grad, vjp};
pub use jacobian::{hessian, jacobian};
pub use targets::Targets;
