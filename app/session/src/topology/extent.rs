//! Which groups are open.

use std::collections::{BTreeSet, VecDeque};

use cluster::Cluster;
use serde::{Deserialize, Serialize};

use super::GroupId;
use super::tree::Tree;

/// Which groups are open. A group is shown where all groups around it are open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extent {
    /// The open groups.
    pub open: BTreeSet<GroupId>,
}

impl Extent {
    /// Opens groups from above, level by level, while no more than so many groups and devices are
    /// visible. The whole is always open.
    pub fn within(cluster: &Cluster, most: usize) -> Self {
        let tree = Tree::new(cluster);
        let mut extent = Self::default();
        let mut waiting = VecDeque::from([GroupId::Whole]);
        let mut visible = 1;
        while let Some(group) = waiting.pop_front() {
            let parts = tree.n_parts(group);
            if group != GroupId::Whole && most < visible + parts {
                continue;
            }
            visible += parts;
            extent.open.insert(group);
            waiting.extend(tree.children(group));
        }
        extent
    }

    /// The same with a group opened, or folded where it was open.
    #[must_use]
    pub fn toggled(mut self, group: GroupId) -> Self {
        if !self.open.remove(&group) {
            self.open.insert(group);
        }
        self
    }

    /// The same with everything open that lies around a node, so that the node is visible.
    #[must_use]
    pub fn showing(mut self, cluster: &Cluster, node: units::NodeId) -> Self {
        let mut above = Tree::new(cluster).parent(GroupId::Node(node.get()));
        while let Some(group) = above {
            self.open.insert(group);
            above = Tree::new(cluster).parent(group);
        }
        self
    }
}
