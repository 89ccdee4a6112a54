//! The order in which nodes are evaluated, and how long their values live. Does not
//! depend on ops, except broadcasts.

use std::sync::Arc;

use smallvec::SmallVec;
use tamis_graph::node_map::NodeMap;
use tamis_graph::{Layout, Node, NodeId, Op};

/// The evaluation of some expressions, step by step.
pub(crate) struct Schedule {
    pub(crate) steps: Vec<Step>,
    /// The step that computes each output.
    pub(crate) outputs: Vec<usize>,
    /// Whether one step computes several of the outputs.
    pub(crate) repeats_outputs: bool,
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
}

impl Step {
    /// Whether the step only repeats its operand.
    pub(crate) fn is_repeat(&self) -> bool {
        !self.is_given && matches!(self.node.op(), Op::Layout(Layout::BroadcastTo(_)))
    }
}

/// Values by step, for passes one after another, each over a few of the steps.
pub(crate) struct StepMap<T> {
    /// For each step, its value in the pass of this number.
    values: Vec<(u32, T)>,
    pass: u32,
}

impl<T: Copy> StepMap<T> {
    /// No value for any of `count` steps; `filler` is never seen.
    pub(crate) fn new(count: usize, filler: T) -> StepMap<T> {
        StepMap { values: vec![(0, filler); count], pass: 1 }
    }

    /// Begins a pass: no step has a value. Costs nothing, however many had one.
    pub(crate) fn clear(&mut self) {
        if self.pass == u32::MAX {
            self.values.iter_mut().for_each(|(pass, _)| *pass = 0);
            self.pass = 0;
        }
        self.pass += 1;
    }

    pub(crate) fn get(&self, step: usize) -> Option<T> {
        let (pass, value) = self.values[step];
        (pass == self.pass).then_some(value)
    }

    /// Gives a step a value. Returns the one that it had.
    pub(crate) fn insert(&mut self, step: usize, value: T) -> Option<T> {
        let before = self.get(step);
        self.values[step] = (self.pass, value);
        before
    }
}

impl Schedule {
    /// The evaluation of `nodes`, in id order: all that `outputs` are computed from,
    /// as far as the values of `inputs` do not suffice.
    pub(crate) fn new(nodes: Vec<Arc<Node>>, outputs: &[NodeId], inputs: &[NodeId]) -> Schedule {
        let indices: NodeMap<u32> =
            nodes.iter().enumerate().map(|(index, node)| (node.id(), index as u32)).collect();
        let outputs: Vec<usize> = outputs.iter().map(|id| index(&indices, *id)).collect();
        let inputs: Vec<Option<usize>> =
            inputs.iter().map(|id| indices.get(*id).map(|index| *index as usize)).collect();
        let mut is_given = vec![false; nodes.len()];
        inputs.iter().flatten().for_each(|input| is_given[*input] = true);
        let repeats_outputs = {
            let mut steps = outputs.clone();
            steps.sort_unstable();
            steps.windows(2).any(|pair| pair[0] == pair[1])
        };
        Schedule { steps: steps(nodes, &indices, &is_given), outputs, repeats_outputs, inputs }
    }

    /// For each step the last one that reads its value: itself if there is none,
    /// `None` if the value is an output.
    pub(crate) fn last_readers(&self) -> Vec<Option<usize>> {
        let mut last: Vec<Option<usize>> = (0..self.steps.len()).map(Some).collect();
        for (reader, step) in self.steps.iter().enumerate() {
            step.operands.iter().for_each(|operand| last[*operand] = Some(reader));
        }
        self.outputs.iter().for_each(|output| last[*output] = None);
        last
    }
}

/// The step of a node that is among those that are evaluated.
fn index(indices: &NodeMap<u32>, id: NodeId) -> usize {
    let Some(index) = indices.get(id) else { unreachable!("what is computed from {id} comes with it") };
    *index as usize
}

fn steps(nodes: Vec<Arc<Node>>, indices: &NodeMap<u32>, is_given: &[bool]) -> Vec<Step> {
    let mut counted = vec![false; nodes.len()];
    for node in &nodes {
        node.visit_counts(&mut |mask| {
            if let Some(index) = indices.get(mask) {
                counted[*index as usize] = true;
            }
        });
    }
    let step = |((node, is_given), counted): ((Arc<Node>, &bool), bool)| Step {
        is_given: *is_given,
        operands: match is_given {
            true => SmallVec::new(),
            false => node.operands().iter().map(|id| index(indices, *id)).collect(),
        },
        counted,
        node,
    };
    nodes.into_iter().zip(is_given).zip(counted).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_map_forgets_at_once() {
        let mut map = StepMap::new(3, 0);
        assert_eq!((map.get(1), map.insert(1, 7), map.insert(1, 8)), (None, None, Some(7)));
        map.clear();
        assert_eq!((map.get(1), map.insert(2, 9), map.get(2)), (None, None, Some(9)));
        // The numbers of passes begin again.
        map.pass = u32::MAX;
        map.insert(0, 5);
        map.clear();
        assert_eq!((map.get(0), map.get(2)), (None, None));
    }
}
