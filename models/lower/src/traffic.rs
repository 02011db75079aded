//! The physical transfers of a run, and which links can slow them down.
//!
//! All traffic of a flow enters the fabric through one NIC and leaves it through another. Where
//! the NICs in front of a link together are no faster than the link, or those behind it, the
//! link cannot be full before they are: max-min fair rates are the same without it. On a fabric
//! that never blocks only NICs are left, and then transfers look alike that cross other switches.
//!
//! What was measured from one node to another (Pipette measures one transfer between each two
//! servers, arXiv 2405.18093) holds for all transfers between the two together: it is one more
//! link, behind those of the fabric, that all of them cross.

use std::collections::BTreeMap;

use cluster::{Cluster, LinkKind};
use collective::{Choice, Pattern, hops};
use network::{Folded, fold};
use profile::CommProfile;
use units::{BytesPerSec, GpuId, LinkId, NodeId};

use crate::binding::Binding;
use crate::fabric::{Owner, Use, patterns};

/// The transfers of a run.
pub(crate) struct Traffic<'a> {
    cluster: &'a Cluster,
    /// By link: those of the cluster, then one for each measured pair of nodes in use.
    rates: Vec<BytesPerSec>,
    /// The link of a measured pair: from one node to another.
    measured: BTreeMap<(NodeId, NodeId), LinkId>,
    /// Color and links of each.
    flows: Vec<(u32, Vec<LinkId>)>,
    /// What the flows of each color belong to, and their share of its bytes.
    pub(crate) owners: Vec<(Owner, f64)>,
    colors: BTreeMap<(Owner, u64), u32>,
    /// Every physical group and pair, and where its flows end; they begin where those of the one
    /// before end.
    bundles: Vec<(Owner, usize)>,
}

impl<'a> Traffic<'a> {
    /// Everything that leaves a scale-up domain.
    pub(crate) fn new(
        cluster: &'a Cluster,
        comm: &CommProfile,
        choice: Choice,
        binding: &Binding,
        uses: &[Use],
    ) -> Self {
        let mut traffic = Self {
            cluster,
            rates: cluster.links().iter().map(|link| link.rate).collect(),
            measured: BTreeMap::new(),
            flows: Vec::new(),
            owners: Vec::new(),
            colors: BTreeMap::new(),
            bundles: Vec::new(),
        };
        let prices = binding.prices.iter().enumerate();
        for (index, price) in prices.filter(|(_, price)| 1 < price.shape.domains) {
            for pattern in patterns(price.slot, &price.shape, comm, choice, uses) {
                for group in &price.groups {
                    traffic.add(Owner::Price(index, pattern), pattern, group);
                }
            }
        }
        for (index, route) in binding.routes.iter().enumerate() {
            for pair in &route.pairs {
                traffic.add(Owner::Route(index), Pattern::Send, pair);
            }
        }
        traffic
    }

    fn add(&mut self, owner: Owner, pattern: Pattern, gpus: &[GpuId]) {
        for hop in hops(pattern, gpus, self.cluster) {
            let owners = &mut self.owners;
            let color = self.colors.entry((owner, hop.share.to_bits()));
            let color = *color.or_insert_with(|| {
                owners.push((owner, hop.share));
                number(owners.len() - 1)
            });
            let mut links = Vec::with_capacity(8);
            let (from, to) = (hop.from, hop.to);
            self.cluster.route(from, to, Cluster::D_MOD_K, &mut links);
            links.extend(self.measured_link(from, to));
            self.flows.push((color, links));
        }
        self.bundles.push((owner, self.flows.len()));
    }

    /// The link that stands for what was measured between the nodes of two GPUs.
    fn measured_link(&mut self, from: GpuId, to: GpuId) -> Option<LinkId> {
        let rate = self.cluster.measured_rate(from, to)?;
        let nodes = (self.cluster.node_of(from), self.cluster.node_of(to));
        let rates = &mut self.rates;
        let link = self.measured.entry(nodes).or_insert_with(|| {
            rates.push(rate);
            LinkId::from_index(rates.len() - 1)
        });
        Some(*link)
    }

    /// Folds the transfers over the links that can slow them down.
    pub(crate) fn fold(&mut self) -> Folded {
        let binds = self.links_that_bind();
        for (_, links) in &mut self.flows {
            links.retain(|link| binds[link.index()]);
        }
        fold(&self.flows, &self.rates)
    }

    /// By link: whether it could be full before the NICs in front of it, and before those behind.
    fn links_that_bind(&self) -> Vec<bool> {
        let links = self.cluster.links();
        let is_nic = |link: &LinkId| {
            let own = links.get(link.index());
            own.is_some_and(|link| link.kind == LinkKind::Nic)
        };
        let mut sides: [Vec<(LinkId, LinkId)>; 2] = Default::default();
        for (_, links) in &self.flows {
            let mut nics = links.iter().copied().filter(is_nic);
            let Some(first) = nics.next() else { continue };
            let ends = [first, nics.next_back().unwrap_or(first)];
            for (side, nic) in sides.iter_mut().zip(ends) {
                let others = links.iter().filter(|link| !is_nic(link));
                side.extend(others.map(|link| (*link, nic)));
            }
        }
        let mut binds = vec![true; self.rates.len()];
        for mut side in sides {
            side.sort_unstable();
            side.dedup();
            for nics in side.chunk_by(|a, b| a.0 == b.0) {
                let rate = |link: LinkId| self.rates[link.index()].as_f64();
                let most: f64 = nics.iter().map(|(_, nic)| rate(*nic)).sum();
                binds[nics[0].0.index()] &= rate(nics[0].0) < most;
            }
        }
        binds
    }

    /// Whether all groups of every price, and all pairs of every route, fare alike.
    pub(crate) fn is_even(&self, folded: &Folded) -> bool {
        let mut of_owner: BTreeMap<Owner, Vec<u32>> = BTreeMap::new();
        let mut start = 0;
        self.bundles.iter().all(|&(owner, end)| {
            let mut classes = folded.class_of[start..end].to_vec();
            classes.sort_unstable();
            start = end;
            let first = of_owner.entry(owner).or_insert_with(|| classes.clone());
            *first == classes
        })
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).expect("no run has 2³² transfers")
}
