//! Elementwise functions of one operand.

use tamis_graph::{DType, Unary};

use super::Call;
use super::elementwise::map;
use super::number::{Float, Number, Ordered};
use crate::error::ErrorKind;
use crate::math::Elementary;
use crate::tensor::{AnyTensor, Item, Tensor, dispatch};

/// Calls a macro with the function of an op. The reference below and the
/// instructions of the machine read the same rows:
///
/// - `same`: the operand itself;
/// - `cast dtype`: the conversion to a dtype;
/// - `numbers f`, `floats f`: `f` of every element;
/// - `angles f, exact`: `f`, which vectorises, or `exact` of an angle that is too
///   large for it.
macro_rules! unary_function {
    ($op:expr, $call:ident) => {
        match $op {
            Unary::StopGradient => $call!(same),
            Unary::Cast(to) => $call!(cast to),
            Unary::Neg => $call!(numbers Number::neg),
            Unary::Abs => $call!(numbers Number::abs),
            Unary::Sign => $call!(numbers Number::sign),
            Unary::Relu => $call!(numbers Ordered::relu),
            Unary::Square => $call!(numbers Number::square),
            Unary::Floor => $call!(numbers Number::floor),
            Unary::Ceil => $call!(numbers Number::ceil),
            Unary::Round => $call!(numbers Number::round),
            Unary::Trunc => $call!(numbers Number::trunc),
            Unary::Exp => $call!(floats Elementary::exp),
            Unary::ExpM1 => $call!(floats Elementary::exp_m1),
            Unary::Ln => $call!(floats Elementary::ln),
            Unary::Ln1p => $call!(floats Elementary::ln_1p),
            Unary::Sqrt => $call!(floats Float::sqrt),
            Unary::Recip => $call!(floats Float::recip),
            Unary::Sin => $call!(angles Elementary::sin, Float::sin_any),
            Unary::Cos => $call!(angles Elementary::cos, Float::cos_any),
            Unary::Tan => $call!(angles Elementary::tan, Float::tan_any),
            Unary::Asin => $call!(floats Elementary::asin),
            Unary::Acos => $call!(floats Elementary::acos),
            Unary::Atan => $call!(floats Elementary::atan),
            Unary::Sinh => $call!(floats Elementary::sinh),
            Unary::Cosh => $call!(floats Elementary::cosh),
            Unary::Tanh => $call!(floats Elementary::tanh),
            Unary::Erf => $call!(floats Elementary::erf),
            Unary::Softplus => $call!(floats Elementary::softplus),
            Unary::Sigmoid => $call!(floats Elementary::sigmoid),
        }
    };
}
pub(crate) use unary_function;

pub(super) fn run<'a>(op: Unary, call: &Call<'_, 'a>) -> Result<AnyTensor<'a>, ErrorKind> {
    let x = call.operands[0];
    macro_rules! run {
        (same) => {
            Ok(x.clone())
        };
        (cast $to:ident) => {
            dispatch!(x, x => cast(call, x, $to))
        };
        (numbers $of:ident::$function:ident) => {
            dispatch!(numbers: x, x => each(call, x, $of::$function))
        };
        (floats $of:ident::$function:ident) => {
            dispatch!(floats: x, x => each(call, x, $of::$function))
        };
        (angles $_:ident::$fast:ident, $of:ident::$exact:ident) => {
            dispatch!(floats: x, x => each(call, x, $of::$exact))
        };
    }
    unary_function!(op, run)
}

fn each<'a, T: Item>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    f: fn(T) -> T,
) -> Result<AnyTensor<'a>, ErrorKind> {
    map(call, x, &f).map(AnyTensor::from)
}

fn cast<'a, T: Cast>(
    call: &Call<'_, 'a>,
    x: &Tensor<'_, T>,
    dtype: DType,
) -> Result<AnyTensor<'a>, ErrorKind> {
    Ok(match dtype {
        DType::Bool => map(call, x, &Cast::to_bool)?.into(),
        DType::U8 => map(call, x, &Cast::to_u8)?.into(),
        DType::I32 => map(call, x, &Cast::to_i32)?.into(),
        DType::I64 => map(call, x, &Cast::to_i64)?.into(),
        DType::F32 => map(call, x, &Cast::to_f32)?.into(),
        DType::F64 => map(call, x, &Cast::to_f64)?.into(),
    })
}

/// Conversion as Rust's `as` does it; to bool, whether an element is not 0.
pub(crate) trait Cast: Item {
    fn to_bool(self) -> bool;
    fn to_u8(self) -> u8;
    fn to_i32(self) -> i32;
    fn to_i64(self) -> i64;
    fn to_f32(self) -> f32;
    fn to_f64(self) -> f64;
}

macro_rules! casts {
    ($($ty:ty: $value:ident => $number:expr;)*) => {$(
        impl Cast for $ty {
            fn to_bool(self) -> bool {
                self != <$ty>::default()
            }

            fn to_u8(self) -> u8 {
                let $value = self;
                $number as u8
            }

            fn to_i32(self) -> i32 {
                let $value = self;
                $number as i32
            }

            fn to_i64(self) -> i64 {
                let $value = self;
                $number as i64
            }

            fn to_f32(self) -> f32 {
                let $value = self;
                $number as f32
            }

            fn to_f64(self) -> f64 {
                let $value = self;
                $number as f64
            }
        }
    )*};
}

casts! {
    bool: value => u8::from(value);
    u8: value => value;
    i32: value => value;
    i64: value => value;
    f32: value => value;
    f64: value => value;
}
