//! What a plan takes and gives, by name. Does not depend on evaluation.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tamis_graph::{DType, Node, Shape};

use crate::error::{ErrorKind, Report};

/// The name, dtype and shape of an input or output of a plan, as far as they are
/// known before a run.
///
/// ```
/// use tamis::prelude::*;
///
/// let graph = Graph::new();
/// let x = graph.input::<f32>("x", dims!["n", 3]);
/// let plan = Plan::new([("sum", x.sum(0))])?;
/// let x = &plan.inputs()[0];
/// assert_eq!((x.name.as_str(), x.dtype, x.shape.to_string()), ("x", tamis::DType::F32, "[n, 3]".to_owned()));
/// assert_eq!(x.to_string(), "x: f32[n, 3]");
/// # Ok::<(), tamis::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TensorSpec {
    /// The name by which it is fed or read.
    pub name: String,
    /// The dtype of the elements.
    pub dtype: DType,
    /// The lengths of the axes: numbers, named dimensions, and lengths computed from these and from
    /// masks.
    pub shape: Shape,
}

impl TensorSpec {
    fn new(name: &str, node: &Node) -> TensorSpec {
        TensorSpec { name: name.to_owned(), dtype: node.dtype(), shape: node.shape().clone() }
    }
}

/// Prints as `x: f32[n, 3]`.
impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.name, self.dtype, self.shape)
    }
}

/// The inputs and outputs of a plan.
pub(crate) struct Interface {
    id: u64,
    /// Sorted by text.
    names: Vec<Name>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
}

struct Name {
    text: Arc<str>,
    input: Option<usize>,
    output: Option<usize>,
}

/// An input of the graph.
pub(crate) struct Input {
    pub(crate) name: Arc<str>,
    pub(crate) node: Arc<Node>,
    /// Whether an output is computed from it.
    pub(crate) needed: bool,
}

/// An output of the plan.
pub(crate) struct Output {
    pub(crate) name: Arc<str>,
    pub(crate) node: Arc<Node>,
}

impl Interface {
    pub(crate) fn new(inputs: Vec<Input>, outputs: Vec<Output>) -> Interface {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let named = |text: &Arc<str>, input, output| Name { text: text.clone(), input, output };
        let inputs_named = inputs.iter().enumerate().map(|(i, input)| named(&input.name, Some(i), None));
        let outputs_named = outputs.iter().enumerate().map(|(i, output)| named(&output.name, None, Some(i)));
        let mut names: Vec<Name> = inputs_named.chain(outputs_named).collect();
        // A stable sort takes the inputs as they are, which come sorted, and puts an output after the input
        // of its name.
        names.sort_by(|one, other| one.text.cmp(&other.text));
        names.dedup_by(|output, input| {
            let is_same = output.text == input.text;
            if is_same {
                input.output = output.output;
            }
            is_same
        });
        Interface { id: NEXT.fetch_add(1, Ordering::Relaxed), names, inputs, outputs }
    }

    /// The inputs that a run needs, in the order of their names.
    pub(crate) fn input_specs(&self) -> Vec<TensorSpec> {
        let needed = self.inputs.iter().filter(|input| input.needed);
        needed.map(|input| TensorSpec::new(&input.name, &input.node)).collect()
    }

    /// The outputs, in the order of the plan.
    pub(crate) fn output_specs(&self) -> Vec<TensorSpec> {
        self.outputs.iter().map(|output| TensorSpec::new(&output.name, &output.node)).collect()
    }

    /// The index of an input among [`Interface::inputs`].
    pub(crate) fn input(&self, key: &impl Key) -> Result<usize, ErrorKind> {
        self.find("input", key, |name| name.input, |name| self.is_needed(name))
    }

    /// The index of an output among [`Interface::outputs`].
    pub(crate) fn output(&self, key: &impl Key) -> Result<usize, ErrorKind> {
        self.find("output", key, |name| name.output, |name| name.output.is_some())
    }

    /// Whether the name is that of an input that an output is computed from.
    fn is_needed(&self, name: &Name) -> bool {
        name.input.is_some_and(|input| self.inputs[input].needed)
    }

    /// The slot of an input, an output, or both.
    pub(crate) fn slot(&self, text: &str) -> Result<Slot, ErrorKind> {
        let is_known = |name: &Name| name.output.is_some() || self.is_needed(name);
        let name = self.find("input or output", &text, |_| Some(()), is_known);
        let index = self.names.partition_point(|name| &*name.text < text);
        name.map(|()| Slot { plan: self.id, name: index })
    }

    /// What `select` gives for the name that `key` means. An error lists the names that
    /// are `known`: an input that no output is computed from is accepted, but not
    /// suggested.
    fn find<R>(
        &self,
        role: &'static str,
        key: &impl Key,
        select: impl Fn(&Name) -> Option<R>,
        is_known: impl Fn(&Name) -> bool,
    ) -> Result<R, ErrorKind> {
        let (text, name) = match key.refer() {
            sealed::Reference::Slot(slot) if slot.plan != self.id => return Err(ErrorKind::ForeignSlot),
            sealed::Reference::Slot(slot) => (&*self.names[slot.name].text, self.names.get(slot.name)),
            sealed::Reference::Name(text) => {
                let index = self.names.binary_search_by(|name| (*name.text).cmp(text));
                (text, index.ok().map(|index| &self.names[index]))
            }
        };
        let found = name.and_then(&select);
        found.ok_or_else(|| {
            if self.outputs.is_empty() {
                return ErrorKind::NoOutputs { role, name: text.to_owned() };
            }
            let known = self.names.iter().filter(|name| is_known(name));
            let known: Vec<String> = known.map(|name| name.text.to_string()).collect();
            let nearest = nearest(text, &known);
            ErrorKind::UnknownName { role, name: text.to_owned(), known, nearest }
        })
    }
}

impl Input {
    /// An error about this input, with the line that declared it and that of the call that met it.
    pub(crate) fn report(&self, kind: ErrorKind, call: &'static Location<'static>) -> Report {
        Report::new("feed", kind, Some(self.node.origin())).called_at(call)
    }
}

/// The known name that `text` may have been meant to be: at most half of the letters of
/// the longer of the two differ, upper and lower case not distinguished. So `X` and `xx`
/// suggest `x`, and `y` does not.
fn nearest(text: &str, known: &[String]) -> Option<String> {
    let letters = |name: &str| name.to_lowercase().chars().collect::<Vec<char>>();
    let text = letters(text);
    let near = known.iter().filter_map(|name| {
        let letters = letters(name);
        let distance = edit_distance(&text, &letters);
        (distance * 2 <= text.len().max(letters.len())).then_some((distance, name))
    });
    near.min().map(|(_, name)| name.clone())
}

/// How many letters must be added, removed, changed, or swapped with their neighbour, to
/// make the one of the other: the optimal string alignment distance.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut distance = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                distance = distance.min(rows[i - 2][j - 2] + 1);
            }
            row.push(distance);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// A name of a plan, resolved once by [`Plan::slot`](crate::Plan::slot). It is
/// accepted wherever a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot {
    plan: u64,
    name: usize,
}

mod sealed {
    /// How a key says what it means.
    #[derive(Debug)]
    pub enum Reference<'k> {
        Name(&'k str),
        Slot(super::Slot),
    }

    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot name an input or output of a plan",
        note = "names are `&str`, `String`, `&String`, or a `Slot` from `plan.slot(\"x\")`"
    )]
    pub trait Refer {
        fn refer(&self) -> Reference<'_>;
    }
}

/// What names an input or an output: `&str`, `String`, `&String` or a [`Slot`]. Sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot name an input or output of a plan",
    note = "names are `&str`, `String`, `&String`, or a `Slot` from `plan.slot(\"x\")`"
)]
pub trait Key: sealed::Refer {}

impl<K: sealed::Refer> Key for K {}

impl sealed::Refer for &str {
    fn refer(&self) -> sealed::Reference<'_> {
        sealed::Reference::Name(self)
    }
}

impl sealed::Refer for String {
    fn refer(&self) -> sealed::Reference<'_> {
        sealed::Reference::Name(self)
    }
}

impl sealed::Refer for &String {
    fn refer(&self) -> sealed::Reference<'_> {
        sealed::Reference::Name(self)
    }
}

impl sealed::Refer for Slot {
    fn refer(&self) -> sealed::Reference<'_> {
        sealed::Reference::Slot(*self)
    }
}

/// Prints the names: `(x, mask) -> (loss)`.
impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = self.inputs.iter().filter(|input| input.needed);
        let inputs: Vec<&str> = needed.map(|input| &*input.name).collect();
        let outputs: Vec<&str> = self.outputs.iter().map(|output| &*output.name).collect();
        write!(f, "({}) -> ({})", inputs.join(", "), outputs.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_differs_in_at_most_half_of_its_letters() {
        let known = ["mask".to_owned(), "weights".to_owned(), "x".to_owned()];
        assert_eq!(nearest("wieghts", &known), Some("weights".to_owned()));
        assert_eq!(nearest("maks", &known), Some("mask".to_owned()));
        assert_eq!(nearest("y", &known), None);
    }

    #[test]
    fn a_short_name_is_suggested_for_another_case_a_swap_and_a_doubled_letter() {
        let known = ["dx".to_owned(), "w".to_owned()];
        assert_eq!(nearest("W", &known), Some("w".to_owned()));
        assert_eq!(nearest("ww", &known), Some("w".to_owned()));
        assert_eq!(nearest("xd", &known), Some("dx".to_owned()));
        assert_eq!(nearest("dX", &known), Some("dx".to_owned()));
        assert_eq!(nearest("dy", &known), Some("dx".to_owned()));
        assert_eq!(nearest("b", &known), None);
        assert_eq!(nearest("", &known), None);
    }
}
