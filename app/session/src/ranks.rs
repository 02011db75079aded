//! Where the ranks of a scenario run, and which copy of the model they hold.

use units::RankId;

use crate::simulate::Ready;

/// Where the ranks of a scenario run, by rank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RankPlaces {
    /// The node.
    pub node: Vec<u32>,
    /// The name of the GPU.
    pub gpu: Vec<String>,
    /// The data-parallel replica.
    pub replica: Vec<u32>,
}

impl Ready {
    /// Where the ranks run, and which copy of the model they hold.
    pub fn rank_places(&self) -> RankPlaces {
        let (plan, cluster) = (&self.scenario.plan, &self.scenario.cluster);
        let ranks = || (0..plan.n_ranks()).map(RankId::new);
        let node = |rank| cluster.node_of(plan.gpu_of(rank));
        let narrow = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        RankPlaces {
            node: ranks().map(|rank| narrow(node(rank).index())).collect(),
            gpu: ranks()
                .map(|rank| cluster.gpu_name(plan.gpu_of(rank)))
                .collect(),
            replica: ranks().map(|rank| plan.ranks().coords(rank).dp).collect(),
        }
    }
}
