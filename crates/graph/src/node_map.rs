//! Values by node, for passes over parts of a graph. Does not depend on what they mean.

use foldhash::HashMap;

use crate::node::NodeId;

/// How many ids, one after the other, share a page.
const PAGE: usize = 64;

/// A value for some of the nodes of one graph.
///
/// A pass visits nodes in id order, and most of them have operands of a similar id. So values lie
/// in the order of the ids, in pages that exist only where a node has one: a pass over a small part
/// of a large graph costs no more than that part.
///
/// ```
/// use tamis_graph::{Graph, node_map::NodeMap};
///
/// let graph = Graph::new();
/// let (x, y) = (graph.scalar(1.0), graph.scalar(2.0));
/// let mut map = NodeMap::default();
/// assert_eq!(map.insert(x.id(), 'x'), None);
/// assert_eq!((map.get(x.id()), map.get(y.id())), (Some(&'x'), None));
/// assert_eq!(map.insert(x.id(), 'z'), Some('x'));
/// ```
#[derive(Debug)]
pub struct NodeMap<T> {
    pages: HashMap<usize, Box<[Option<T>]>>,
}

impl<T> Default for NodeMap<T> {
    fn default() -> NodeMap<T> {
        NodeMap { pages: HashMap::default() }
    }
}

impl<T> NodeMap<T> {
    /// Whether no node has a value.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// The value of a node, if it has one.
    pub fn get(&self, id: NodeId) -> Option<&T> {
        if self.pages.is_empty() {
            return None;
        }
        self.pages.get(&(id.index() / PAGE))?[id.index() % PAGE].as_ref()
    }

    /// Whether a node has a value.
    pub fn contains(&self, id: NodeId) -> bool {
        self.get(id).is_some()
    }

    /// Gives a node a value. Returns the one that it had.
    pub fn insert(&mut self, id: NodeId, value: T) -> Option<T> {
        let page = self.pages.entry(id.index() / PAGE).or_insert_with(|| (0..PAGE).map(|_| None).collect());
        page[id.index() % PAGE].replace(value)
    }
}

impl<T> FromIterator<(NodeId, T)> for NodeMap<T> {
    fn from_iter<I: IntoIterator<Item = (NodeId, T)>>(values: I) -> NodeMap<T> {
        let mut map = NodeMap::default();
        values.into_iter().for_each(|(id, value)| {
            map.insert(id, value);
        });
        map
    }
}
