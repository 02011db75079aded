//! The ways of equal cost between two NICs, numbered in the order in which they branch.

use units::LinkId;

use crate::cluster::{Cluster, NicId};
use crate::route::Spread;

/// Where the ways between two NICs turn from up to down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// In the leaf of both.
    Leaf,
    /// In a spine of their pod.
    Spine { leaves: [u32; 2] },
    /// In a core switch; the first spines of both pods.
    Core { leaves: [u32; 2], spines: [u32; 2] },
    /// They lie in different planes.
    Nowhere,
    /// Between two switches of a fabric without levels.
    Web([u32; 2]),
}

impl Cluster {
    /// How many ways of equal cost lead from a NIC to a NIC of another node: over links that work,
    /// none where the NICs lie in different planes.
    pub(crate) fn ways_between_nics(&self, nics: [NicId; 2]) -> u32 {
        let turn = self.turn(nics);
        if let (Turn::Web([from, to]), Some(web)) = (turn, &self.fabric.web) {
            return web.n_ways(from, to);
        }
        let all = self.all_ways(turn);
        if self.down.is_empty() {
            return all;
        }
        let alive = (0..all).filter(|way| self.is_alive(turn, *way));
        alive.map(|_| 1).sum()
    }

    /// The way that routing by destination takes.
    pub(crate) fn static_way_between_nics(&self, nics: [NicId; 2]) -> u32 {
        let turn = self.turn(nics);
        let fabric = &self.fabric;
        if let (Turn::Web([from, to]), Some(web)) = (turn, &fabric.web) {
            return web.static_way(from, to, Self::D_MOD_K, self.port(nics[1]));
        }
        let spread = Spread::new(
            Self::D_MOD_K,
            self.port(nics[1]),
            fabric.spines,
            fabric.cores,
        );
        // As routes do: the wished spine or core switch, or the next that works.
        let works = |way: &u32| self.down.is_empty() || self.is_alive(turn, *way);
        let chosen = match turn {
            Turn::Leaf | Turn::Nowhere | Turn::Web(_) => return 0,
            Turn::Spine { .. } => spread.spines().find(works),
            Turn::Core { .. } => {
                let cores = |s| spread.cores().map(move |c| s * fabric.cores + c);
                spread.spines().flat_map(cores).find(works)
            }
        };
        let chosen = chosen.unwrap_or(0);
        if self.down.is_empty() {
            return chosen;
        }
        (0..chosen).filter(works).map(|_| 1).sum()
    }

    /// Appends the links of a way from a NIC to a NIC of another node, NIC links included.
    pub(crate) fn way_between_nics(&self, nics: [NicId; 2], way: u32, out: &mut Vec<LinkId>) {
        let turn = self.turn(nics);
        out.push(self.nic_links(nics[0])[0]);
        if let (Turn::Web([from, to]), Some(web)) = (turn, &self.fabric.web) {
            let first = self.fabric.first_link[0];
            web.walk(from, to, way, |port| out.push(LinkId::new(first + port)));
            out.push(self.nic_links(nics[1])[1]);
            return;
        }
        let way = if self.down.is_empty() {
            way
        } else {
            let mut ways = (0..self.all_ways(turn)).filter(|way| self.is_alive(turn, *way));
            ways.nth(way as usize).unwrap_or(0)
        };
        match turn {
            Turn::Leaf | Turn::Nowhere | Turn::Web(_) => {}
            Turn::Spine { .. } => out.extend(&self.over(turn, way)[..2]),
            Turn::Core { .. } => out.extend(self.over(turn, way)),
        }
        out.push(self.nic_links(nics[1])[1]);
    }

    fn turn(&self, nics: [NicId; 2]) -> Turn {
        let fabric = &self.fabric;
        let leaves = nics.map(|nic| self.leaf_of(nic));
        if leaves[0] == leaves[1] {
            return Turn::Leaf;
        }
        if fabric.web.is_some() {
            return Turn::Web(leaves);
        }
        let sets = nics.map(|nic| fabric.set(self.lane_of(nic)));
        if sets[0] != sets[1] {
            return Turn::Nowhere;
        }
        let pods = nics.map(|nic| self.pod_of(nic.node));
        if pods[0] == pods[1] {
            Turn::Spine { leaves }
        } else {
            let spines = pods.map(|pod| fabric.spine(pod, sets[0], 0));
            Turn::Core { leaves, spines }
        }
    }

    fn all_ways(&self, turn: Turn) -> u32 {
        match turn {
            Turn::Leaf => 1,
            Turn::Nowhere | Turn::Web(_) => 0,
            Turn::Spine { .. } => self.fabric.spines,
            Turn::Core { .. } => self.fabric.spines * self.fabric.cores,
        }
    }

    fn is_alive(&self, turn: Turn, way: u32) -> bool {
        match turn {
            Turn::Leaf => true,
            Turn::Nowhere | Turn::Web(_) => false,
            Turn::Spine { .. } | Turn::Core { .. } => {
                let links = self.over(turn, way);
                links.iter().all(|link| !self.down.contains(link))
            }
        }
    }

    /// The links between leaves of a way; over a spine alone each stands twice.
    fn over(&self, turn: Turn, way: u32) -> [LinkId; 4] {
        let fabric = &self.fabric;
        match turn {
            Turn::Core { leaves, spines } => {
                let (s, c) = (way / fabric.cores, way % fabric.cores);
                let [from, to] = spines.map(|first| fabric.spine_up(first + s, c));
                let [up, down] = leaves.map(|leaf| fabric.leaf_up(leaf, s));
                [up, from, to + 1, down + 1].map(LinkId::new)
            }
            Turn::Spine { leaves } => {
                let [up, down] = leaves.map(|leaf| fabric.leaf_up(leaf, way));
                [up, down + 1, up, down + 1].map(LinkId::new)
            }
            Turn::Leaf | Turn::Nowhere | Turn::Web(_) => [LinkId::new(0); 4],
        }
    }

    /// The switch that a NIC hangs on.
    pub(crate) fn leaf_of(&self, nic: NicId) -> u32 {
        if let Some(web) = &self.fabric.web {
            return web.switch_of(nic.node.get(), nic.index);
        }
        let group = self.leaf_group_of(nic.node);
        self.fabric.leaf(group, self.lane_of(nic))
    }
}
