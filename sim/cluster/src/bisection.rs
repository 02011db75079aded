//! How much one half of a cluster can send to the other.

use std::collections::BTreeMap;

use petgraph::algo::maximum_flow::dinics;
use petgraph::graph::DiGraph;
use units::{Bytes, LinkId, NodeId};

use crate::cluster::{Cluster, NicId};
use crate::web::Web;

/// What waits below a switch to be sent up by the first half, and to be received by the second.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    send: f64,
    receive: f64,
}

impl Wish {
    /// Serves what meets here and returns it; the rest goes on, within the links above.
    fn turn(&mut self, up: f64, down: f64) -> f64 {
        let met = self.send.min(self.receive);
        self.send = (self.send - met).min(up);
        self.receive = (self.receive - met).min(down);
        met
    }
}

impl Cluster {
    /// The most that the first half of the nodes can send to the second over NICs and fabric,
    /// in bytes per second; 0 for a single node. Scale-up links do not count.
    ///
    /// It is the maximum flow between the halves: above the leaves, the switches of a level are
    /// joined alike, so each level acts as one switch, and the fabric as a tree in which
    /// traffic best turns as low as it can. Holds while no link of a level differs from the
    /// others; with slow or dead links it is an upper bound. Of fabrics without levels it is the
    /// maximum flow over all their cables, whatever ways messages take.
    pub fn bisection_bandwidth(&self) -> f64 {
        if let Some(web) = &self.fabric.web {
            return self.web_flow(web);
        }
        let (mut leaves, mut pods) = (self.leaf_wishes(), BTreeMap::<(u32, u32), Wish>::new());
        let mut total = 0.0;
        for (leaf, wish) in &mut leaves {
            let (pod, set) = self.above(*leaf);
            let [up, down] = self.uplinks(self.leaf_links(*leaf));
            total += wish.turn(up, down);
            add(pods.entry((pod, set)).or_default(), *wish);
        }
        let mut sets = BTreeMap::<u32, Wish>::new();
        for ((pod, set), wish) in &mut pods {
            let [up, down] = self.uplinks(self.pod_links(*pod, *set));
            total += wish.turn(up, down);
            add(sets.entry(*set).or_default(), *wish);
        }
        total
            + sets
                .values_mut()
                .map(|wish| wish.turn(0.0, 0.0))
                .sum::<f64>()
    }

    /// The maximum flow over the cables of a web (Dinitz), in whole bytes per second.
    fn web_flow(&self, web: &Web) -> f64 {
        let mut graph = DiGraph::<(), u64>::new();
        let switches: Vec<_> = web.switches().map(|_| graph.add_node(())).collect();
        let [source, sink] = [(); 2].map(|()| graph.add_node(()));
        let whole = |rate: f64| Bytes::from_f64(rate).as_u64();
        for (switch, wish) in self.leaf_wishes() {
            let switch = switches[switch as usize];
            graph.add_edge(source, switch, whole(wish.send));
            graph.add_edge(switch, sink, whole(wish.receive));
        }
        for switch in web.switches() {
            for port in web.cables_of(switch) {
                let ends = web.ends[port as usize / 2];
                let to = ends[usize::from(port.is_multiple_of(2))];
                let rate = self
                    .link(LinkId::new(self.fabric.first_link[0] + port))
                    .rate;
                let [from, to] = [switch, to].map(|end| switches[end as usize]);
                graph.add_edge(from, to, whole(rate.as_f64()));
            }
        }
        dinics(&graph, source, sink).0 as f64
    }

    /// What the NICs of each leaf can send and receive.
    fn leaf_wishes(&self) -> BTreeMap<u32, Wish> {
        let mut wishes = BTreeMap::<u32, Wish>::new();
        for index in 0..self.n_nodes() {
            let node = NodeId::from_index(index);
            for nic in 0..self.group_of(node).layout.nics {
                let nic = NicId { node, index: nic };
                let leaf = self.leaf_of(nic);
                let [up, down] = self
                    .nic_links(nic)
                    .map(|link| self.link(link).rate.as_f64());
                let wish = wishes.entry(leaf).or_default();
                if index < self.n_nodes() / 2 {
                    wish.send += up;
                } else {
                    wish.receive += down;
                }
            }
        }
        wishes
    }

    /// The pod and the set of a leaf.
    fn above(&self, leaf: u32) -> (u32, u32) {
        let pod = self.fabric.pod(leaf / self.fabric.lanes);
        (pod, self.fabric.set(leaf % self.fabric.lanes))
    }

    fn leaf_links(&self, leaf: u32) -> std::ops::Range<u32> {
        self.fabric.leaf_up(leaf, 0)..self.fabric.leaf_up(leaf, self.fabric.spines)
    }

    fn pod_links(&self, pod: u32, set: u32) -> std::ops::Range<u32> {
        let first = self.fabric.spine(pod, set, 0);
        self.fabric.spine_up(first, 0)..self.fabric.spine_up(first + self.fabric.spines, 0)
    }

    /// Sums of the rates up and down over pairs of links that are not down.
    fn uplinks(&self, ids: std::ops::Range<u32>) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for link in ids.map(LinkId::new).filter(|link| !self.is_down(*link)) {
            sums[(link.get() % 2) as usize] += self.link(link).rate.as_f64();
        }
        sums
    }
}

fn add(sum: &mut Wish, wish: Wish) {
    sum.send += wish.send;
    sum.receive += wish.receive;
}
