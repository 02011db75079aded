//! What came of ordering the nodes of a plan.

use std::fmt;

use placement::Placement;
use units::NodeId;

#[cfg(doc)]
use crate::Answer;

/// What came of ordering the nodes of a plan.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The plan, as an index into [`Answer::plans`].
    pub plan: usize,
    /// What was found, or why nothing was sought.
    pub outcome: Result<Order, Unplaced>,
}

/// An order of nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The node of every place that holds ranks, as the plan has them now. In rows of stages, place
    /// `d × pp + s` is stage `s` of the `d`-th row of nodes; otherwise place `i` has the ranks that
    /// the `i`-th node of the plan has in the order of numbers.
    pub nodes: Vec<NodeId>,
    /// Nodes of a row: stages of the pipeline; none where nodes do not stand in rows.
    pub stages: Option<u32>,
    /// Nodes of the same kinds that the plan leaves out.
    pub spare: Vec<NodeId>,
    /// Seconds of an iteration with the nodes in the order of their numbers, simulated; of the
    /// snapshot in which it is slowest.
    pub before: f64,
    /// The same in the order that was found, whether or not it is faster.
    pub found: f64,
    /// Whether it is, so that the plan has it now.
    pub is_taken: bool,
    /// The snapshot, as an index, in which the plan as it is now is slowest: its prediction is of that
    /// one.
    pub snapshot: usize,
    /// What the closed form says: costs of both orders, the lower bound, how many were tried.
    pub model: Placement,
}

impl Order {
    /// By how much the iteration is faster than in the order of node numbers, as a share; 0 where
    /// that order stays.
    pub fn gain(&self) -> f64 {
        if self.is_taken {
            self.before / self.found - 1.0
        } else {
            0.0
        }
    }
}

/// Why no order was sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unplaced {
    /// The plan needs one node.
    OneNode,
    /// All links are alike.
    Alike,
    /// There are many nodes and no measured rates.
    NotMeasured,
    /// The user gave the GPU of every rank.
    Fixed,
    /// A scale-up domain reaches over several nodes.
    SharedDomain,
    /// Nodes differ, each from every other, or the plan does not pass its check in another order.
    Uneven,
    /// The search was stopped before.
    Stopped,
}

impl fmt::Display for Unplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneNode => "the plan needs one node",
            Self::Alike => "all links between nodes are alike, so by symmetry any order is as good",
            Self::NotMeasured => "no rates between nodes were measured: give --bandwidth FILE",
            Self::Fixed => "the scenario fixes the GPU of every rank",
            Self::SharedDomain => {
                "a scale-up domain reaches over several nodes, for which no order is sought"
            }
            Self::Uneven => "no two nodes are alike, so that none can take the place of another",
            Self::Stopped => "the search was stopped before",
        })
    }
}
