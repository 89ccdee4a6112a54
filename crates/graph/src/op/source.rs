//! Leaves: inputs, literals, counters and sizes.

use std::sync::Arc;

use ndarray::{Array, ArrayBase, ArrayD, Data, Dimension};

use super::row::Domain::Any;
use super::row::{Fails, Row, row};
use super::{Op, Type};
use crate::dim::{Dim, DimError, Symbol};
use crate::dtype::{DType, Element, Scalar};
use crate::error::ErrorKind;
use crate::expr::Expr;
use crate::graph::Graph;
use crate::node::Node;
use crate::shape::{Dims, Shape, Size};
use crate::value::{Constant, Value};

/// An op without operands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A tensor that every run is fed.
    Input {
        /// The name to feed it by.
        name: Arc<str>,
        /// Its dtype.
        dtype: DType,
        /// Its shape: numbers and named dimensions.
        shape: Shape,
    },
    /// A literal array.
    Constant(Constant),
    /// A literal of rank 0.
    Scalar(Scalar),
    /// `0, 1, …` up to a length, as i64.
    Iota {
        /// How many.
        len: Dim,
    },
    /// A length, as an i64 of rank 0.
    Size(Dim),
    /// The value of an expression that is in error. No plan contains it.
    Poison,
}

impl From<Source> for Op {
    fn from(op: Source) -> Op {
        Op::Source(op)
    }
}

impl Source {
    pub(crate) const fn row(&self) -> Row {
        match self {
            Source::Input { .. } => row("input", Any, 1),
            Source::Constant(_) => row("constant", Any, 1),
            Source::Scalar(_) => row("scalar", Any, 1),
            Source::Iota { .. } => row("iota", Any, 1).fails(Fails::Condition),
            Source::Size(_) => row("size", Any, 1).fails(Fails::Condition),
            Source::Poison => row("poison", Any, 1),
        }
    }

    pub(crate) fn infer(&self, _operands: &[Arc<Node>], _graph: &Graph) -> Result<Type, ErrorKind> {
        Ok(match self {
            Source::Input { dtype, shape, .. } => Type::new(*dtype, shape.clone()),
            Source::Constant(constant) => {
                Type::new(constant.value().dtype(), constant.value().shape().into())
            }
            Source::Scalar(scalar) => Type::new(scalar.dtype(), Shape::default()),
            Source::Iota { len } => Type::new(DType::I64, [len.clone()].into_iter().collect()),
            Source::Size(_) => Type::new(DType::I64, Shape::default()),
            Source::Poison => unreachable!("poison is never built by an op"),
        })
    }

    pub(crate) fn visit_dims(&self, visit: &mut dyn FnMut(&Dim)) {
        match self {
            Source::Input { shape, .. } => shape.iter().for_each(visit),
            Source::Iota { len: dim } | Source::Size(dim) => visit(dim),
            Source::Constant(_) | Source::Scalar(_) | Source::Poison => {}
        }
    }

    pub(crate) fn map_dims(&self, map: &dyn Fn(&Dim) -> Result<Dim, DimError>) -> Result<Source, DimError> {
        Ok(match self {
            Source::Iota { len } => Source::Iota { len: map(len)? },
            Source::Size(dim) => Source::Size(map(dim)?),
            Source::Input { .. } | Source::Constant(_) | Source::Scalar(_) | Source::Poison => self.clone(),
        })
    }

    pub(crate) fn attributes(&self) -> String {
        match self {
            Source::Input { name, .. } => format!("{name:?}"),
            Source::Constant(constant) => constant_text(constant.value()),
            Source::Scalar(scalar) => scalar.to_string(),
            Source::Iota { len: dim } | Source::Size(dim) => dim.to_string(),
            Source::Poison => String::new(),
        }
    }
}

/// The elements of a short literal, `…` for a long one.
fn constant_text(value: &Value) -> String {
    fn text<T: Element>(value: &Value) -> Option<String> {
        let array = value.view::<T>()?;
        Some(if array.len() <= 8 { format!("{array}").replace('\n', "") } else { "…".to_owned() })
    }
    let text = text::<bool>(value)
        .or_else(|| text::<u8>(value))
        .or_else(|| text::<i32>(value))
        .or_else(|| text::<i64>(value))
        .or_else(|| text::<f32>(value))
        .or_else(|| text::<f64>(value));
    text.unwrap_or_else(|| unreachable!("every dtype is tried"))
}

/// A Rust value that a literal tensor of `T` can be made of: a scalar, a
/// (nested) array, a `Vec`, or any ndarray array or view.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no literal for a tensor of `{T}`",
    note = "literals are scalars, arrays nested up to four deep, `Vec`s, slices and ndarray arrays of bool, u8, i32, i64, f32 or f64"
)]
pub trait IntoConstant<T: Element> {
    /// The elements with their shape.
    fn into_array(self) -> ArrayD<T>;
}

impl<T: Element> IntoConstant<T> for T {
    fn into_array(self) -> ArrayD<T> {
        ndarray::arr0(self).into_dyn()
    }
}

impl<T: Element> IntoConstant<T> for Vec<T> {
    fn into_array(self) -> ArrayD<T> {
        Array::from(self).into_dyn()
    }
}

impl<T: Element> IntoConstant<T> for &[T] {
    fn into_array(self) -> ArrayD<T> {
        ndarray::arr1(self).into_dyn()
    }
}

impl<T: Element, const N: usize> IntoConstant<T> for [T; N] {
    fn into_array(self) -> ArrayD<T> {
        ndarray::arr1(&self).into_dyn()
    }
}

impl<T: Element, const N: usize> IntoConstant<T> for &[T; N] {
    fn into_array(self) -> ArrayD<T> {
        ndarray::arr1(self).into_dyn()
    }
}

impl<T: Element, const N: usize, const M: usize> IntoConstant<T> for [[T; M]; N] {
    fn into_array(self) -> ArrayD<T> {
        ndarray::arr2(&self).into_dyn()
    }
}

impl<T: Element, const N: usize, const M: usize, const K: usize> IntoConstant<T> for [[[T; K]; M]; N] {
    fn into_array(self) -> ArrayD<T> {
        ndarray::arr3(&self).into_dyn()
    }
}

impl<T: Element, const N: usize, const M: usize, const K: usize, const L: usize> IntoConstant<T>
    for [[[[T; L]; K]; M]; N]
{
    fn into_array(self) -> ArrayD<T> {
        Array::from_shape_fn((N, M, K, L), |(n, m, k, l)| self[n][m][k][l]).into_dyn()
    }
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> IntoConstant<T> for ArrayBase<S, D> {
    fn into_array(self) -> ArrayD<T> {
        self.into_owned().into_dyn()
    }
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> IntoConstant<T> for &ArrayBase<S, D> {
    fn into_array(self) -> ArrayD<T> {
        self.to_owned().into_dyn()
    }
}

impl Graph {
    /// A tensor of dtype `T` that every run is fed by `name`.
    ///
    /// Sizes are numbers or names; a name stands for the same length wherever
    /// it occurs. Declaring the same input again gives the same expression.
    ///
    /// # Errors
    /// Reported when the name was declared with another dtype or shape, when a size
    /// is neither a number nor a name, or when the name of a dimension is not made of
    /// letters, digits and `_`, so that it could be read as a number or a formula.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", dims!["n", 3]);
    /// assert_eq!(x.to_string(), "%0: f32[n, 3]");
    /// ```
    #[doc(alias("Input"))]
    #[track_caller]
    pub fn input<T: Element>(&self, name: &str, shape: impl Into<Dims>) -> Expr<'_> {
        self.input_of(name, T::DTYPE, shape)
    }

    /// [`Graph::input`] with the dtype as a value.
    ///
    /// # Errors
    /// As for [`Graph::input`].
    ///
    /// ```
    /// use tamis::{DType, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.input_of("x", DType::U8, dims!["height", "width", 3]);
    /// assert_eq!(x.to_string(), "%0: u8[height, width, 3]");
    /// ```
    #[track_caller]
    pub fn input_of(&self, name: &str, dtype: DType, shape: impl Into<Dims>) -> Expr<'_> {
        let dims = shape.into();
        self.build("input", &[], || {
            if name.is_empty() {
                return Err(ErrorKind::EmptyName);
            }
            let shape = dims.to_shape()?;
            let plain = |dim: &Dim| dim.known().is_some() || matches!(dim.symbol(), Some(Symbol::Named(_)));
            if let Some(dim) = shape.iter().find(|dim| !plain(dim)) {
                if let Some(poisoned) = self.poison_of(dim) {
                    return Ok(poisoned);
                }
                return Err(ErrorKind::InputSize { size: dim.clone() });
            }
            let name: Arc<str> = name.into();
            self.declare_input(name.clone(), Source::Input { name, dtype, shape })
        })
    }

    /// A literal tensor: a scalar, a (nested) array, a `Vec`, or an ndarray array.
    ///
    /// Floats that are written twice are two variables, each with a gradient of
    /// its own, of which a plan keeps one; equal bools and integers are one expression.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([[1, 2], [3, 4]]);
    /// assert_eq!(x.to_string(), "%0: i32[2, 2]");
    /// ```
    #[doc(alias("array", "tensor"))]
    #[track_caller]
    pub fn constant<T: Element>(&self, value: impl IntoConstant<T>) -> Expr<'_> {
        self.constant_value(Value::from(value.into_array()))
    }

    /// [`Graph::constant`] of an array whose dtype is known only at run time.
    ///
    /// ```
    /// use tamis::{Value, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let value = Value::from(tamis::ndarray::array![[1_u8, 2]].into_dyn());
    /// assert_eq!(graph.constant_value(value).to_string(), "%0: u8[1, 2]");
    /// ```
    #[track_caller]
    pub fn constant_value(&self, value: Value) -> Expr<'_> {
        self.build("constant", &[], || {
            let constant = Constant::new(value);
            match constant.to_scalar() {
                Some(scalar) => self.try_literal(Source::Scalar(scalar)),
                None => self.try_literal(Source::Constant(constant)),
            }
        })
    }

    /// A literal of rank 0 with a dtype of its own, unlike a Rust scalar in an
    /// operator, which takes the dtype of the tensor it meets.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.input::<f32>("x", [3]);
    /// assert_eq!((x * 2.0).dtype(), tamis::DType::F32);
    /// assert_eq!((x * graph.scalar(2.0)).dtype(), tamis::DType::F64);
    /// ```
    #[track_caller]
    pub fn scalar<T: Element>(&self, value: T) -> Expr<'_> {
        self.build("scalar", &[], || self.try_literal(Source::Scalar(value.into_scalar())))
    }

    /// `0, 1, …, len - 1` as i64; `len` is a number, a name, or a dimension.
    ///
    /// # Errors
    /// Reported when `len` is negative.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// assert_eq!(graph.iota(3).eval::<i64>()?, tamis::ndarray::arr1(&[0, 1, 2]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("arange", "range"))]
    #[track_caller]
    pub fn iota(&self, len: impl Into<Size>) -> Expr<'_> {
        let len = len.into();
        self.build("iota", &[], || self.try_apply(Source::Iota { len: len.to_dim()? }, &[]))
    }

    /// A length as an i64 of rank 0, known at run time at the latest. No gradient.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([1.0, -1.0, 2.0]);
    /// let kept = x.boolean_mask(x.gt(0.0));
    /// assert_eq!(graph.size(kept.dim(0)).eval::<i64>()?, tamis::ndarray::arr0(2).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn size(&self, dim: impl Into<Size>) -> Expr<'_> {
        let dim = dim.into();
        self.build("size", &[], || self.try_size(&dim.to_dim()?))
    }

    pub(crate) fn try_size(&self, dim: &Dim) -> Result<Expr<'_>, ErrorKind> {
        match dim.known_int() {
            Some(n) => self.try_apply(Source::Scalar(Scalar::I64(n)), &[]),
            None => self.try_apply(Source::Size(dim.clone()), &[]),
        }
    }

    /// `value` in every element of `shape`; takes no memory until it is needed.
    ///
    /// # Errors
    /// Reported when a size is negative or the sizes overflow.
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// assert_eq!(graph.full([2], 7).eval::<i32>()?, tamis::ndarray::arr1(&[7, 7]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[doc(alias("fill"))]
    #[track_caller]
    pub fn full<T: Element>(&self, shape: impl Into<Dims>, value: T) -> Expr<'_> {
        let dims = shape.into();
        self.build("full", &[], || self.try_written(dims.to_shape()?, value.into_scalar()))
    }

    /// A literal of the user's in every element.
    fn try_written(&self, shape: Shape, value: Scalar) -> Result<Expr<'_>, ErrorKind> {
        self.try_literal(Source::Scalar(value))?.apply(super::Layout::BroadcastTo(shape))
    }

    pub(crate) fn try_full(&self, shape: Shape, value: Scalar) -> Result<Expr<'_>, ErrorKind> {
        self.try_apply(Source::Scalar(value), &[])?.apply(super::Layout::BroadcastTo(shape))
    }

    /// [`Graph::full`] with a scalar whose dtype is known only at run time.
    ///
    /// # Errors
    /// As for [`Graph::full`].
    ///
    /// ```
    /// use tamis::{Scalar, prelude::*};
    ///
    /// let graph = Graph::new();
    /// let x = graph.full_value([2], Scalar::F32(0.5));
    /// assert_eq!(x.eval::<f32>()?, tamis::ndarray::arr1(&[0.5, 0.5]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn full_value(&self, shape: impl Into<Dims>, value: Scalar) -> Expr<'_> {
        let dims = shape.into();
        self.build("full", &[], || self.try_written(dims.to_shape()?, value))
    }

    /// 0 in every element of `shape` (`false` for bool).
    ///
    /// # Errors
    /// As for [`Graph::full`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// let x = graph.constant([3, -1, 2]);
    /// let kept = x.boolean_mask(x.gt(0));
    /// let zeros = graph.zeros::<f32>(kept.shape()); // as long as the selection
    /// assert_eq!(zeros.eval::<f32>()?, tamis::ndarray::arr1(&[0.0, 0.0]).into_dyn());
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn zeros<T: Element>(&self, shape: impl Into<Dims>) -> Expr<'_> {
        let dims = shape.into();
        self.build("zeros", &[], || self.try_written(dims.to_shape()?, Scalar::from_int(0, T::DTYPE)))
    }

    /// 1 in every element of `shape` (`true` for bool).
    ///
    /// # Errors
    /// As for [`Graph::full`].
    ///
    /// ```
    /// use tamis::prelude::*;
    ///
    /// let graph = Graph::new();
    /// assert_eq!(graph.ones::<i32>([2]).eval::<i32>()?, tamis::ndarray::arr1(&[1, 1]).into_dyn());
    /// assert_eq!(graph.ones::<bool>([0, 3]).eval::<bool>()?.shape(), [0, 3]);
    /// # Ok::<(), tamis::Error>(())
    /// ```
    #[track_caller]
    pub fn ones<T: Element>(&self, shape: impl Into<Dims>) -> Expr<'_> {
        let dims = shape.into();
        self.build("ones", &[], || self.try_written(dims.to_shape()?, Scalar::from_int(1, T::DTYPE)))
    }
}
