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
    /// The step that takes each given value, if one does.
    pub(crate) inputs: Vec<Option<usize>>,
}

/// The evaluation of one node. Steps are in id order: operands come first.
pub(crate) struct Step {
    pub(crate) node: Arc<Node>,
    /// Whether its value is there before the run begins.
    pub(crate) is_given: bool,
    /// The steps that compute the operands; none if the value is given.
    pub(crate) operands: SmallVec<[usize; 3]>,
    /// Whether sizes speak of the number of true elements.
    pub(crate) counted: bool,
    /// The steps whose values nobody reads any more.
    pub(crate) dying: SmallVec<[usize; 2]>,
}

impl Schedule {
    /// The evaluation of `nodes`, in id order: all that `outputs` are computed from,
    /// as far as the values of `inputs` do not suffice.
    pub(crate) fn new(nodes: Vec<Arc<Node>>, outputs: &[NodeId], inputs: &[NodeId]) -> Schedule {
        let places: HashMap<NodeId, usize> =
            nodes.iter().enumerate().map(|(place, node)| (node.id(), place)).collect();
        let outputs: Vec<usize> = outputs.iter().map(|id| places[id]).collect();
        let inputs: Vec<Option<usize>> = inputs.iter().map(|id| places.get(id).copied()).collect();
        let mut is_given = vec![false; nodes.len()];
        inputs.iter().flatten().for_each(|input| is_given[*input] = true);
        Schedule { steps: steps(nodes, &places, &outputs, &is_given), outputs, inputs }
    }
}

fn steps(
    nodes: Vec<Arc<Node>>,
    places: &HashMap<NodeId, usize>,
    outputs: &[usize],
    is_given: &[bool],
) -> Vec<Step> {
    let mut counted = HashSet::new();
    for node in &nodes {
        node.visit_counts(&mut |mask| {
            counted.insert(mask);
        });
    }
    let step = |(node, is_given): (Arc<Node>, &bool)| Step {
        is_given: *is_given,
        operands: match is_given {
            true => SmallVec::new(),
            false => node.operands().iter().map(|id| places[id]).collect(),
        },
        counted: counted.contains(&node.id()),
        dying: SmallVec::new(),
        node,
    };
    let mut steps: Vec<Step> = nodes.into_iter().zip(is_given).map(step).collect();
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
