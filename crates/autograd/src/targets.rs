//! The forms in which callers name several expressions.

use tamis_graph::Expr;

/// What to differentiate with respect to: one expression, an array, a `Vec` or
/// a slice. Gradients come back in the same form; those of a slice in a `Vec`.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.constant([1.0, 2.0]);
/// let w = graph.constant([3.0, 4.0]);
/// let loss = (x * w).sum(..);
/// let dx: Expr = grad(loss, x);
/// let [dw, again]: [Expr; 2] = grad(loss, [w, x]);
/// let all: Vec<Expr> = grad(loss, vec![x, w]);
/// assert_eq!([dx.id(), dw.id()], [again.id(), all[1].id()]);
/// ```
///
/// A tuple is refused by the compiler:
///
/// ```compile_fail,E0277
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let (x, w) = (graph.constant([1.0, 2.0]), graph.constant([3.0, 4.0]));
/// let gradients = grad((x * w).sum(..), (x, w)); // error: cannot be differentiated with respect to
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be differentiated with respect to",
    note = "a derivative is taken by one `Expr`, or by an array, a `Vec` or a slice of them; it comes in the same form"
)]
pub trait Targets<'g>: sealed::Sealed {
    /// One gradient for each expression, in the same form.
    type Gradients;

    #[doc(hidden)]
    fn to_list(&self) -> Vec<Expr<'g>>;

    /// The gradients, one for each expression of the list, in the caller's form.
    #[doc(hidden)]
    fn to_form(&self, gradients: Vec<Expr<'g>>) -> Self::Gradients;
}

mod sealed {
    use tamis_graph::Expr;

    pub trait Sealed {}
    impl Sealed for Expr<'_> {}
    impl Sealed for [Expr<'_>] {}
    impl<const N: usize> Sealed for [Expr<'_>; N] {}
    impl Sealed for Vec<Expr<'_>> {}
    impl<T: Sealed + ?Sized> Sealed for &T {}
}

impl<'g> Targets<'g> for Expr<'g> {
    type Gradients = Expr<'g>;

    fn to_list(&self) -> Vec<Expr<'g>> {
        vec![*self]
    }

    fn to_form(&self, gradients: Vec<Expr<'g>>) -> Expr<'g> {
        gradients[0]
    }
}

impl<'g, const N: usize> Targets<'g> for [Expr<'g>; N] {
    type Gradients = [Expr<'g>; N];

    fn to_list(&self) -> Vec<Expr<'g>> {
        self.to_vec()
    }

    fn to_form(&self, gradients: Vec<Expr<'g>>) -> [Expr<'g>; N] {
        std::array::from_fn(|i| gradients[i])
    }
}

impl<'g> Targets<'g> for [Expr<'g>] {
    type Gradients = Vec<Expr<'g>>;

    fn to_list(&self) -> Vec<Expr<'g>> {
        self.to_vec()
    }

    fn to_form(&self, gradients: Vec<Expr<'g>>) -> Vec<Expr<'g>> {
        gradients
    }
}

impl<'g> Targets<'g> for Vec<Expr<'g>> {
    type Gradients = Vec<Expr<'g>>;

    fn to_list(&self) -> Vec<Expr<'g>> {
        self.clone()
    }

    fn to_form(&self, gradients: Vec<Expr<'g>>) -> Vec<Expr<'g>> {
        gradients
    }
}

impl<'g, T: Targets<'g> + ?Sized> Targets<'g> for &T {
    type Gradients = T::Gradients;

    fn to_list(&self) -> Vec<Expr<'g>> {
        (**self).to_list()
    }

    fn to_form(&self, gradients: Vec<Expr<'g>>) -> T::Gradients {
        (**self).to_form(gradients)
    }
}
