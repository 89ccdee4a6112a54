//! The order in which nodes are evaluated, and how long their values live.
//! Knows no op.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;
use tamis_graph::{Node, NodeId};

/// The evaluation of some expressions, step by step.
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// The step that computes each output.
    pub(crate) outputs: Vec<usize>,
    /// The step that takes each input, if one does.
    pub(crate) inputs: Vec<Option<usize>>,
}

/// The evaluation of one node. Steps are in id order: operands come first.
pub(crate) struct Step {
    pub(crate) node: Arc<Node>,
    /// The steps that compute the operands.
    pub(crate) operands: SmallVec<[usize; 3]>,
    /// Whether sizes speak of the number of true elements.
    pub(crate) counted: bool,
    /// The steps whose values nobody reads any more.
    pub(crate) dying: SmallVec<[usize; 2]>,
}

impl Schedule {
    /// The evaluation of `nodes`, in id order: all that `outputs` are computed from.
    pub(crate) fn new(nodes: Vec<Arc<Node>>, outputs: &[NodeId], inputs: &[NodeId]) -> Schedule {
        let places: HashMap<NodeId, usize> =
            nodes.iter().enumerate().map(|(place, node)| (node.id(), place)).collect();
        let outputs: Vec<usize> = outputs.iter().map(|id| places[id]).collect();
        let inputs = inputs.iter().map(|id| places.get(id).copied()).collect();
        Schedule { steps: steps(nodes, &places, &outputs), outputs, inputs }
    }
}

fn steps(nodes: Vec<Arc<Node>>, places: &HashMap<NodeId, usize>, outputs: &[usize]) -> Vec<Step> {
    let mut counted = HashSet::new();
    for node in &nodes {
        node.visit_counts(&mut |mask| {
            counted.insert(mask);
        });
    }
    let step = |node: Arc<Node>| Step {
        operands: node.operands().iter().map(|id| places[id]).collect(),
        counted: counted.contains(&node.id()),
        dying: SmallVec::new(),
        node,
    };
    let mut steps: Vec<Step> = nodes.into_iter().map(step).collect();
    for (value, reader) in last_readers(&steps, outputs).into_iter().enumerate() {
        if let Some(reader) = reader {
            steps[reader].dying.push(value);
        }
    }
    steps
}

/// For each step the last one that reads its value: itself if there is none,
/// `None` if the value is an output.
fn last_readers(steps: &[Step], outputs: &[usize]) -> Vec<Option<usize>> {
    let mut last: Vec<Option<usize>> = (0..steps.len()).map(Some).collect();
    for (reader, step) in steps.iter().enumerate() {
        for operand in &step.operands {
            last[*operand] = Some(reader);
        }
    }
    for output in outputs {
        last[*output] = None;
    }
    last
}
