//! The tables of `docs/semantics.md` against the code: every builder stands in
//! exactly one row, every row names builders that exist, and every dtype column
//! says what the builder accepts and gives.

mod sources;

use std::collections::{BTreeMap, BTreeSet};

use tamis::graph::Unary;
use tamis::prelude::*;
use tamis::{DType, OutOfRange, Scalar, Value, hessian, hvp, jacobian, jvp, vjp};

const PAGE: &str = "docs/semantics.md";

/// The first cells of a table of ops, and of the table of words for dtypes.
const OPS: &str = "op";
const WORDS: &str = "dtypes";

/// Public builders that are no ops: handles, and ways to build by node.
const NO_OPS: [&str; 7] = [
    "Expr::named",
    "Graph::expr",
    "Graph::apply",
    "Graph::try_apply",
    "Graph::report",
    "rebuild",
    "rebuild_node",
];

/// Builds an op on a tensor of shape [2, 2].
type Build = for<'g> fn(Expr<'g>) -> Expr<'g>;

/// Runs `$body` with `$T` as the type of the elements of `$x`.
macro_rules! typed {
    ($x:ident, $T:ident => $body:expr) => {
        typed!($x, $T => $body, Bool bool, U8 u8, I32 i32, I64 i64, F32 f32, F64 f64)
    };
    ($x:ident, $T:ident => $body:expr, $($dtype:ident $ty:ty),*) => {
        match $x.dtype() {
            $(DType::$dtype => {
                type $T = $ty;
                $body
            })*
        }
    };
}

/// All builders beside those of [`Unary::BUILDERS`].
const BUILDERS: &[(&str, Build)] = &[
    // Leaves, of the dtype of the operand.
    ("Graph::input", |x| typed!(x, T => x.graph().input::<T>("x", [2]))),
    ("Graph::input_of", |x| x.graph().input_of("x", x.dtype(), [2])),
    ("Graph::constant", ones),
    ("Graph::constant_value", |x| x.graph().constant_value(value(x.dtype(), [1.0, 2.0, 3.0, 4.0]))),
    ("Graph::scalar", |x| typed!(x, T => x.graph().scalar(T::default()))),
    ("Graph::full", |x| typed!(x, T => x.graph().full([2], T::default()))),
    ("Graph::full_value", |x| x.graph().full_value([2], Scalar::Bool(true).cast(x.dtype()))),
    ("Graph::zeros", |x| typed!(x, T => x.graph().zeros::<T>([2]))),
    ("Graph::ones", |x| typed!(x, T => x.graph().ones::<T>([2]))),
    ("Graph::iota", |x| x.graph().iota(x.dim(0))),
    ("Graph::size", |x| x.graph().size(x.boolean_mask(mask(x)).dim(0))),
    // Functions of one operand.
    ("-x", |x| -x),
    ("Expr::rsqrt", |x| x.rsqrt()),
    ("Expr::cast", |x| x.graph().constant([[0.5, 2.0], [0.0, f64::NAN]]).cast(x.dtype())),
    // Arithmetic.
    ("a + b", |x| x + ones(x)),
    ("a - b", |x| x - ones(x)),
    ("a * b", |x| x * ones(x)),
    ("a / b", |x| x / ones(x)),
    ("a % b", |x| x % ones(x)),
    ("Expr::floor_mod", |x| x.floor_mod(ones(x))),
    ("Expr::floor_div", |x| x.floor_div(ones(x))),
    ("Expr::rem_trunc", |x| x.rem_trunc(ones(x))),
    ("Expr::pow", |x| x.pow(ones(x))),
    ("Expr::atan2", |x| x.atan2(ones(x))),
    ("Expr::maximum", |x| x.maximum(ones(x))),
    ("Expr::minimum", |x| x.minimum(ones(x))),
    ("Graph::sum_of", |x| x.graph().sum_of([x, ones(x)])),
    ("Graph::prod_of", |x| x.graph().prod_of([x, ones(x)])),
    ("Expr::clip", |x| x.clip(ones(x), ones(x))),
    // Comparisons and logic.
    ("Expr::eq", |x| x.eq(ones(x))),
    ("Expr::ne", |x| x.ne(ones(x))),
    ("Expr::lt", |x| x.lt(ones(x))),
    ("Expr::le", |x| x.le(ones(x))),
    ("Expr::gt", |x| x.gt(ones(x))),
    ("Expr::ge", |x| x.ge(ones(x))),
    ("Expr::is_nan", |x| x.is_nan()),
    ("Expr::is_finite", |x| x.is_finite()),
    ("Expr::is_inf", |x| x.is_inf()),
    ("a & b", |x| x & ones(x)),
    ("a | b", |x| x | ones(x)),
    ("a ^ b", |x| x ^ ones(x)),
    ("!a", |x| !x),
    ("where_", |x| where_(mask(x), x, ones(x))),
    // Masks.
    ("Expr::boolean_mask", |x| x.boolean_mask(mask(x))),
    ("Expr::boolean_mask_axis", |x| x.boolean_mask_axis(column(x), 1)),
    ("Expr::compress", |x| x.compress(column(x), 0)),
    ("Expr::masked_select", |x| x.masked_select(column(x))),
    ("Expr::partition", |x| x.graph().concat([x.partition(mask(x)).0, x.partition(mask(x)).1], 0)),
    ("Expr::unmask", |x| x.boolean_mask(mask(x)).unmask(mask(x), 0)),
    ("Expr::unmask_axis", |x| x.boolean_mask_axis(column(x), 1).unmask_axis(column(x), 0, 1)),
    ("Expr::expand_mask", |x| x.expand_mask(x)),
    ("Expr::argwhere", |x| x.argwhere()),
    ("Expr::nonzero", |x| x.graph().concat(x.nonzero(), 0)),
    ("Expr::flatnonzero", |x| x.flatnonzero()),
    ("Expr::masked_fill", |x| x.masked_fill(mask(x), 1)),
    ("Expr::masked_assign", |x| x.masked_assign(mask(x), ones(x))),
    ("Expr::masked_scatter", |x| x.masked_scatter(mask(x), ones(x))),
    // Indices.
    ("Expr::gather", |x| x.gather(indices(x), 0)),
    ("Expr::gather_or", |x| x.gather_or(indices(x) + 1, OutOfRange::Fill(0.into()), 0)),
    ("Expr::take_along_axis", |x| x.take_along_axis(rows(x), 1)),
    ("Expr::gather_nd", |x| x.gather_nd(rows(x))),
    ("Expr::scatter_set", |x| x.scatter_set(indices(x), ones(x), 0)),
    ("Expr::scatter_add", |x| x.scatter_add(indices(x), ones(x), 0)),
    ("Expr::scatter_mul", |x| x.scatter_mul(indices(x), ones(x), 0)),
    ("Expr::scatter_max", |x| x.scatter_max(indices(x), ones(x), 0)),
    ("Expr::scatter_min", |x| x.scatter_min(indices(x), ones(x), 0)),
    ("Expr::scatter_set_along_axis", |x| x.scatter_set_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_add_along_axis", |x| x.scatter_add_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_mul_along_axis", |x| x.scatter_mul_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_max_along_axis", |x| x.scatter_max_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_min_along_axis", |x| x.scatter_min_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_set", |x| x.scatter_nd_set(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_nd_add", |x| x.scatter_nd_add(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_nd_mul", |x| x.scatter_nd_mul(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_nd_max", |x| x.scatter_nd_max(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_nd_min", |x| x.scatter_nd_min(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_mean", |x| x.scatter_mean(indices(x), ones(x), 0)),
    ("Expr::scatter_mean_along_axis", |x| x.scatter_mean_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_mean", |x| x.scatter_nd_mean(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_set_sum", |x| x.scatter_set_sum(indices(x), ones(x), 0)),
    ("Expr::scatter_set_sum_along_axis", |x| x.scatter_set_sum_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_set_sum", |x| x.scatter_nd_set_sum(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_set_prod", |x| x.scatter_set_prod(indices(x), ones(x), 0)),
    ("Expr::scatter_set_prod_along_axis", |x| x.scatter_set_prod_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_set_prod", |x| x.scatter_nd_set_prod(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_set_mean", |x| x.scatter_set_mean(indices(x), ones(x), 0)),
    ("Expr::scatter_set_mean_along_axis", |x| x.scatter_set_mean_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_set_mean", |x| x.scatter_nd_set_mean(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_set_max", |x| x.scatter_set_max(indices(x), ones(x), 0)),
    ("Expr::scatter_set_max_along_axis", |x| x.scatter_set_max_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_set_max", |x| x.scatter_nd_set_max(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::scatter_set_min", |x| x.scatter_set_min(indices(x), ones(x), 0)),
    ("Expr::scatter_set_min_along_axis", |x| x.scatter_set_min_along_axis(rows(x), ones(x), 1)),
    ("Expr::scatter_nd_set_min", |x| x.scatter_nd_set_min(rows(x), ones(x).slice_axis(0, 0))),
    ("Expr::at", |x| x.at(0).get()),
    ("At::get", |x| x.at((indices(x), mask(x).any(1))).get()),
    ("At::set", |x| x.at((1.., indices(x))).set(ones(x).slice_axis(..1, 0))),
    ("At::add", |x| x.at((indices(x), 0)).add(column(x).cast(x.dtype()))),
    ("At::mul", |x| x.at(mask(x)).mul(ones(x).slice_axis(0, 0).slice_axis(0, 0))),
    ("At::min", |x| x.at((.., ..1)).min(ones(x).slice_axis(..1, 1))),
    ("At::max", |x| x.at((.., column(x))).max(ones(x).slice_axis(..1, 1))),
    ("Expr::segment_sum", |x| x.segment_sum(indices(x), 3)),
    ("Expr::segment_mean", |x| x.segment_mean(indices(x), 3)),
    ("Expr::segment_max", |x| x.segment_max(indices(x), 3)),
    ("Expr::segment_min", |x| x.segment_min(indices(x), 3)),
    ("Expr::one_hot", |x| indices(x).one_hot(2, x.dtype())),
    // Reductions.
    ("Expr::sum", |x| x.sum(0)),
    ("Expr::prod", |x| x.prod(0)),
    ("Expr::mean", |x| x.mean(0)),
    ("Expr::var", |x| x.var(0)),
    ("Expr::var_ddof", |x| x.var_ddof(1, 0)),
    ("Expr::std", |x| x.std(0)),
    ("Expr::std_ddof", |x| x.std_ddof(1, 0)),
    ("Expr::norm", |x| x.norm(0)),
    ("Expr::logsumexp", |x| x.logsumexp(0)),
    ("Expr::max", |x| x.max(0)),
    ("Expr::min", |x| x.min(0)),
    ("Expr::any", |x| x.any(0)),
    ("Expr::all", |x| x.all(0)),
    ("Expr::count_nonzero", |x| x.count_nonzero(0)),
    ("Expr::argmax", |x| x.argmax(0)),
    ("Expr::argmin", |x| x.argmin(0)),
    ("Expr::masked", |x| x.masked(mask(x)).max(0)),
    ("Masked::if_empty", |x| x.masked(x.ne(x)).if_empty(1).max(0)),
    ("Masked::initial", |x| x.masked(x.ne(x)).initial(1).max(0)),
    ("Masked::sum", |x| x.masked(mask(x)).sum(0)),
    ("Masked::prod", |x| x.masked(mask(x)).prod(0)),
    ("Masked::mean", |x| x.masked(mask(x)).mean(0)),
    ("Masked::var", |x| x.masked(mask(x)).var(0)),
    ("Masked::std", |x| x.masked(mask(x)).std(0)),
    ("Masked::var_ddof", |x| x.masked(mask(x)).var_ddof(1, 0)),
    ("Masked::std_ddof", |x| x.masked(mask(x)).std_ddof(1, 0)),
    ("Masked::norm", |x| x.masked(mask(x)).norm(0)),
    ("Masked::logsumexp", |x| x.masked(mask(x)).logsumexp(0)),
    ("Masked::max", |x| x.masked(mask(x)).max(0)),
    ("Masked::min", |x| x.masked(mask(x)).min(0)),
    ("Masked::argmax", |x| x.masked(mask(x)).argmax(0)),
    ("Masked::argmin", |x| x.masked(mask(x)).argmin(0)),
    ("Masked::any", |x| x.masked(mask(x)).any(0)),
    ("Masked::all", |x| x.masked(mask(x)).all(0)),
    ("Masked::count_nonzero", |x| x.masked(mask(x)).count_nonzero(0)),
    ("Masked::softmax", |x| x.masked(mask(x)).softmax(0)),
    ("Masked::log_softmax", |x| x.masked(mask(x)).log_softmax(0)),
    ("Expr::softmax", |x| x.softmax(0)),
    ("Expr::log_softmax", |x| x.log_softmax(0)),
    ("Expr::cross_entropy", |x| x.cross_entropy(indices(x), 0)),
    ("Masked::cross_entropy", |x| x.masked(mask(x)).cross_entropy(indices(x), 0)),
    // Scans and order.
    ("Expr::cumsum", |x| x.cumsum(0)),
    ("Expr::cumprod", |x| x.cumprod(0)),
    ("Expr::linear_scan", |x| x.linear_scan(ones(x), 0)),
    ("Expr::sort", |x| x.sort(0)),
    ("Expr::argsort", |x| x.argsort(0)),
    ("Expr::top_k", |x| x.top_k(1, 0).0),
    // Arrangement and products.
    ("Expr::reshape", |x| x.reshape([4, -1])),
    ("Expr::flatten", |x| x.flatten()),
    ("Expr::permute", |x| x.permute([1, 0])),
    ("Expr::transpose", |x| x.transpose()),
    ("Expr::squeeze", |x| x.slice_axis(..1, 0).squeeze(0)),
    ("Expr::unsqueeze", |x| x.unsqueeze(0)),
    ("Expr::broadcast_to", |x| x.broadcast_to([3, 2, 2])),
    ("Expr::slice", |x| x.slice((1.., 0))),
    ("Expr::slice_axis", |x| x.slice_axis(0, 1)),
    ("Expr::flip", |x| x.flip(0)),
    ("Expr::split", |x| x.split([1, 1], 0)[1]),
    ("Graph::concat", |x| x.graph().concat([x, ones(x)], 0)),
    ("Graph::stack", |x| x.graph().stack([x, ones(x)], 0)),
    ("Expr::pad", |x| x.pad([(1, 0), (0, 1)], 0)),
    ("Expr::tile", |x| x.tile([2, 2])),
    ("Expr::repeat", |x| x.repeat(2, 0)),
    ("Expr::tril", |x| x.tril(0)),
    ("Expr::triu", |x| x.triu(0)),
    ("Expr::assert_that", |x| x.assert_that(x.eq(x), "the same")),
    ("Expr::matmul", |x| x.matmul(ones(x))),
    ("Masked::cumsum", |x| x.masked(mask(x)).cumsum(0)),
    ("Masked::cumprod", |x| x.masked(mask(x)).cumprod(0)),
    ("Masked::sort", |x| x.masked(mask(x)).sort(0)),
    ("Masked::argsort", |x| x.masked(mask(x)).argsort(0)),
    ("Masked::matmul", |x| x.masked(x.eq(x)).matmul(ones(x))),
    ("Expr::dot", |x| x.dot(ones(x))),
    ("Expr::outer", |x| x.outer(ones(x))),
    ("Graph::einsum", |x| x.graph().einsum("ij,jk->ik", [x, ones(x)])),
    // Gradients.
    ("grad", |x| grad(x.sum(..), x)),
    ("value_and_grad", |x| value_and_grad(x.sum(..), x).1),
    ("vjp", |x| vjp(x.square(), x, x)),
    ("jvp", |x| jvp(x.square(), x, x)),
    ("hvp", |x| hvp(x.square().sum(..), x, x)),
    ("jacobian", |x| jacobian(x.square(), x)),
    ("hessian", |x| hessian(x.square().sum(..), x)),
];

/// Four numbers as [2, 2], in any dtype.
fn value(dtype: DType, numbers: [f64; 4]) -> Value {
    let array =
        ndarray::Array::from(numbers.to_vec()).into_shape_with_order((2, 2)).expect("four").into_dyn();
    match dtype {
        DType::Bool => Value::from(array.mapv(|v| v != 0.0)),
        DType::U8 => Value::from(array.mapv(|v| v as u8)),
        DType::I32 => Value::from(array.mapv(|v| v as i32)),
        DType::I64 => Value::from(array.mapv(|v| v as i64)),
        DType::F32 => Value::from(array.mapv(|v| v as f32)),
        DType::F64 => Value::from(array),
    }
}

fn ones(x: Expr<'_>) -> Expr<'_> {
    x.graph().constant_value(value(x.dtype(), [1.0; 4]))
}

fn mask(x: Expr<'_>) -> Expr<'_> {
    x.graph().constant([[true, false], [true, true]])
}

fn column(x: Expr<'_>) -> Expr<'_> {
    x.graph().constant([true, false])
}

fn indices(x: Expr<'_>) -> Expr<'_> {
    x.graph().constant([1, 0])
}

fn rows(x: Expr<'_>) -> Expr<'_> {
    x.graph().constant([[0, 1], [1, 0]])
}

/// A line of a table of ops.
struct Row {
    line: usize,
    /// The builders it names.
    builders: Vec<String>,
    /// What it says of dtypes.
    dtypes: String,
    /// What it says of other libraries.
    elsewhere: String,
}

/// The tables of the page: rows of ops, and the words that stand for dtypes.
fn tables() -> (Vec<Row>, BTreeMap<String, String>) {
    let page = std::fs::read_to_string(PAGE).expect("tests run in the package's directory");
    let (mut rows, mut words, mut head) = (Vec::new(), BTreeMap::new(), None);
    for (i, line) in page.lines().enumerate() {
        let Some(cells) = cells(line) else {
            head = None;
            continue;
        };
        let first: &str = head.get_or_insert_with(|| cells[0].clone());
        let is_head = first == cells[0] || cells[0].starts_with("---");
        if first == OPS && !is_head {
            assert_eq!(cells.len(), 6, "{PAGE}:{}: a row of ops has six cells", i + 1);
            assert!(cells[1..3].iter().all(|cell| !cell.is_empty()), "{PAGE}:{}: shape and dtypes", i + 1);
            let builders = spans(&cells[0]).iter().map(|span| builder(span)).collect();
            rows.push(Row { line: i + 1, builders, dtypes: cells[2].clone(), elsewhere: cells[5].clone() });
        } else if first == WORDS && !is_head {
            words.insert(cells[0].clone(), cells[1].clone());
        }
    }
    (rows, words)
}

/// The cells of a line of a table, in which `\|` is no border.
fn cells(line: &str) -> Option<Vec<String>> {
    let inside = line.strip_prefix('|')?.strip_suffix('|')?.replace("\\|", "\0");
    Some(inside.split('|').map(|cell| cell.trim().replace('\0', "|")).collect())
}

/// What stands between backquotes.
fn spans(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The builder that a call such as `x.masked(m).sum(axes)` is of, by its type.
fn builder(call: &str) -> String {
    let word = |text: &str| text.split(['(', ':']).next().unwrap_or_default().to_owned();
    if let Some(call) = call.strip_prefix("x.masked(m).") {
        return format!("Masked::{}", word(call));
    }
    if let Some(call) = call.strip_prefix("x.at(e).") {
        return format!("At::{}", word(call));
    }
    match call.split_once('.') {
        Some(("graph", call)) => format!("Graph::{}", word(call)),
        Some((operand, call)) if operand.len() == 1 => format!("Expr::{}", word(call)),
        _ if call.contains('(') => word(call),
        _ => call.to_owned(),
    }
}

/// What an op makes of each dtype, as the page writes it.
fn found(build: Build) -> String {
    DType::ALL.map(|dtype| kept_or_given(dtype, build)).join(", ")
}

fn kept_or_given(dtype: DType, build: Build) -> String {
    let graph = Graph::new();
    let y = build(graph.constant_value(value(dtype, [1.0, 1.0, 0.0, 1.0])));
    if graph.check().is_err() {
        return format!("{dtype} ✗");
    }
    let plan = Plan::new([("y", y)]).expect("the graph is without errors");
    if graph.inputs().is_empty() {
        plan.run().unwrap_or_else(|error| panic!("{} is accepted, but: {error}", graph.describe(y.id())));
    }
    if y.dtype() == dtype { dtype.to_string() } else { format!("{dtype}→{}", y.dtype()) }
}

#[test]
fn every_builder_stands_in_exactly_one_row() {
    let items = sources::public_items();
    let public = items.iter().filter(|item| item.is_builder() && !NO_OPS.contains(&item.name.as_str()));
    let operators = BUILDERS.iter().map(|(name, _)| *name).filter(|name| name.contains([' ', '-', '!']));
    let built: BTreeSet<&str> = public.map(|item| item.name.as_str()).chain(operators).collect();
    let (rows, _) = tables();
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in &rows {
        assert!(!row.builders.is_empty(), "{PAGE}:{}: the row names no builder", row.line);
        row.builders.iter().for_each(|name| seen.entry(name).or_default().push(row.line));
    }
    let missing: Vec<&&str> = built.iter().filter(|name| !seen.contains_key(**name)).collect();
    let unknown: Vec<_> = seen.iter().filter(|(name, _)| !built.contains(**name)).collect();
    let twice: Vec<_> = seen.iter().filter(|(_, lines)| lines.len() > 1).collect();
    println!("{} builders in {} rows", seen.len(), rows.len());
    assert!(missing.is_empty(), "{PAGE} has no row for {missing:?}");
    assert!(unknown.is_empty(), "{PAGE} has rows for what does not exist: {unknown:?}");
    assert!(twice.is_empty(), "{PAGE} has several rows for {twice:?}");
}

/// What stands bare among the names of other libraries, but is none: the method of NumPy's
/// functions, and what a function returns.
const NO_NAMES: [&str; 2] = ["at", "None"];

/// The names of functions of other libraries that stand without arguments in a cell:
/// `index_select` of "`np.argsort(-x)`, `torch.index_select`".
fn foreign_names(cell: &str) -> impl Iterator<Item = &str> {
    let is_path = |span: &&str| span.chars().all(|c| c.is_alphanumeric() || "._".contains(c));
    let names = spans(cell).into_iter().filter(is_path).filter_map(|path| path.rsplit('.').next());
    names.filter(|name| name.len() > 1 && !NO_NAMES.contains(name))
}

#[test]
fn a_search_of_the_docs_finds_builders_by_their_names_in_other_libraries() {
    let items = sources::public_items();
    let (rows, _) = tables();
    let (mut count, mut missing) = (0, Vec::new());
    for row in &rows {
        let of_row: Vec<&sources::Item> =
            items.iter().filter(|item| item.is_builder() && row.builders.contains(&item.name)).collect();
        let is_known = |name: &str| {
            let own = |item: &&sources::Item| item.name.rsplit("::").next() == Some(name);
            of_row.iter().any(|item| own(item) || item.aliases.iter().any(|alias| alias == name))
        };
        for name in foreign_names(&row.elsewhere).filter(|_| !of_row.is_empty()) {
            count += 1;
            if !is_known(name) {
                missing.push(format!(
                    "{PAGE}:{}: {} lacks `#[doc(alias(\"{name}\"))]`",
                    row.line, row.builders[0]
                ));
            }
        }
    }
    println!("{count} names of other libraries");
    assert!(count > 150, "the page is read: {count} names");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_dtype_column_is_what_the_builder_does() {
    let (rows, words) = tables();
    let unary = Unary::BUILDERS.iter().map(|builder| (format!("Expr::{}", builder.name), builder.build));
    let others = BUILDERS.iter().map(|(name, build)| (name.to_string(), *build));
    let builds: BTreeMap<String, Build> = others.chain(unary).collect();
    assert_eq!(builds.len(), BUILDERS.len() + Unary::BUILDERS.len(), "every builder is listed once");
    let mut wrong = Vec::new();
    for row in &rows {
        let said = words.get(&row.dtypes).unwrap_or(&row.dtypes);
        for name in &row.builders {
            let Some(build) = builds.get(name) else {
                wrong.push(format!("{PAGE}:{}: {name} is not among the builders of this test", row.line));
                continue;
            };
            let found = found(*build);
            if found != *said {
                wrong.push(format!("{PAGE}:{}: {name} says {}, but does {found}", row.line, row.dtypes));
            }
        }
    }
    let unused: Vec<_> = words.keys().filter(|word| rows.iter().all(|row| row.dtypes != **word)).collect();
    println!("{} builders with {} dtypes each", builds.len(), DType::ALL.len());
    assert!(unused.is_empty(), "{PAGE} explains words that no row uses: {unused:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
