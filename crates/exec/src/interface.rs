//! What a plan takes and gives, by name. Knows nothing of evaluation.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tamis_graph::Node;

use crate::error::{ErrorKind, Report};

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
        let mut texts: Vec<Arc<str>> = inputs.iter().map(|input| input.name.clone()).collect();
        texts.extend(outputs.iter().map(|output| output.name.clone()));
        texts.sort_unstable();
        texts.dedup();
        let mut names: Vec<Name> =
            texts.into_iter().map(|text| Name { text, input: None, output: None }).collect();
        let place = |names: &[Name], text: &Arc<str>| names.partition_point(|name| name.text < *text);
        for (i, input) in inputs.iter().enumerate() {
            let name = place(&names, &input.name);
            names[name].input = Some(i);
        }
        for (i, output) in outputs.iter().enumerate() {
            let name = place(&names, &output.name);
            names[name].output = Some(i);
        }
        Interface { id: NEXT.fetch_add(1, Ordering::Relaxed), names, inputs, outputs }
    }

    /// The place of an input among [`Interface::inputs`].
    pub(crate) fn input(&self, key: &impl Key) -> Result<usize, ErrorKind> {
        self.find("input", key, |name| name.input)
    }

    /// The place of an output among [`Interface::outputs`].
    pub(crate) fn output(&self, key: &impl Key) -> Result<usize, ErrorKind> {
        self.find("output", key, |name| name.output)
    }

    /// The slot of an input, an output, or both.
    pub(crate) fn slot(&self, text: &str) -> Result<Slot, ErrorKind> {
        let name = self.find("input or output", &text, |_| Some(()));
        let place = self.names.partition_point(|name| &*name.text < text);
        name.map(|()| Slot { plan: self.id, name: place })
    }

    fn find<R>(
        &self,
        role: &'static str,
        key: &impl Key,
        part: impl Fn(&Name) -> Option<R>,
    ) -> Result<R, ErrorKind> {
        let (text, name) = match key.refer() {
            sealed::Reference::Slot(slot) if slot.plan != self.id => return Err(ErrorKind::ForeignSlot),
            sealed::Reference::Slot(slot) => (&*self.names[slot.name].text, self.names.get(slot.name)),
            sealed::Reference::Name(text) => {
                let place = self.names.binary_search_by(|name| (*name.text).cmp(text));
                (text, place.ok().map(|place| &self.names[place]))
            }
        };
        let found = name.and_then(&part);
        found.ok_or_else(|| {
            let known = self.names.iter().filter(|name| part(name).is_some());
            let known: Vec<String> = known.map(|name| name.text.to_string()).collect();
            let nearest = nearest(text, &known);
            ErrorKind::UnknownName { role, name: text.to_owned(), known, nearest }
        })
    }
}

impl Input {
    /// A mistake about this input, with the line that declared it.
    pub(crate) fn report(&self, kind: ErrorKind) -> Report {
        Report::new("feed", kind, Some(self.node.origin()))
    }
}

/// The known name that `text` may have been meant to be: at most half of its letters differ.
fn nearest(text: &str, known: &[String]) -> Option<String> {
    let near = known.iter().map(|name| (edit_distance(text, name), name));
    let near = near.filter(|(distance, name)| *distance * 2 <= name.chars().count());
    near.min().map(|(_, name)| name.clone())
}

/// How many letters must be added, removed or changed to make the one of the other.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
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

    pub trait Refer {
        fn refer(&self) -> Reference<'_>;
    }
}

/// What names an input or an output: `&str`, `String`, `&String` or a [`Slot`]. Sealed.
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
}
