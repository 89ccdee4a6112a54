//! The elementwise functions of one float by name, which several tests apply to
//! what they are about.

#![allow(dead_code, reason = "not every test that has this module needs all of it")]

use tamis::graph::{Domain, Op, Unary, UnaryBuilder};
use tamis::prelude::*;

pub(crate) type Function = for<'g> fn(Expr<'g>) -> Expr<'g>;

/// The builders of primitives.
pub(crate) fn float_builders() -> impl Iterator<Item = &'static UnaryBuilder> {
    Unary::BUILDERS.iter().filter(|builder| Op::from(builder.op).domain() == Domain::Float)
}

/// All functions, those included that are made of primitives.
pub(crate) fn functions() -> impl Iterator<Item = (&'static str, Function)> {
    let composed: (&str, Function) = ("rsqrt", |x| x.rsqrt());
    float_builders().map(|builder| (builder.name, builder.build)).chain([composed])
}
