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
use collective::{Hop, Pattern, hops};
use network::{Folded, PathClass, fold};
use traffic::Policy;
use units::{BytesPerSec, GpuId, LinkId, NodeId};

use crate::fabric::{FabricOptions, Owner, Tenant, patterns};
use crate::ways::{Taken, chosen};

/// A transfer between two GPUs.
pub(crate) struct Transfer {
    /// What it belongs to, and its share of the bytes.
    pub(crate) color: u32,
    /// Links, a part of the transfer on each where it is spread.
    pub(crate) links: Vec<LinkId>,
    /// What of it crosses each link; empty while all of it does.
    pub(crate) parts: Vec<f64>,
}

/// The transfers of a run.
pub(crate) struct Traffic<'a> {
    cluster: &'a Cluster,
    /// The pieces of the transfers to come, where static routing does not choose their ways.
    chosen: Option<std::vec::IntoIter<Vec<Taken>>>,
    spreads: bool,
    /// By link: those of the cluster, then one for each measured pair of nodes in use.
    rates: Vec<BytesPerSec>,
    /// The link of a measured pair: from one node to another.
    measured: BTreeMap<(NodeId, NodeId), LinkId>,
    pub(crate) flows: Vec<Transfer>,
    /// What the flows of each color belong to, and their share of its bytes.
    pub(crate) owners: Vec<(Owner, f64)>,
    colors: BTreeMap<(Owner, u64), u32>,
    /// Every physical group and pair, and where its flows end; they begin where those of the one
    /// before end.
    bundles: Vec<(Owner, usize)>,
}

/// Calls `each` with everything that leaves a scale-up domain: whom it belongs to, the pattern,
/// and the groups that start together.
pub(crate) fn for_each_owner(
    jobs: &[Tenant<'_>],
    mut each: impl FnMut(Owner, Pattern, &mut dyn Iterator<Item = &[GpuId]>),
) {
    for (job, of) in jobs.iter().enumerate() {
        let prices = of.binding.prices.iter().enumerate();
        for (price, own) in prices.filter(|(_, price)| 1 < price.shape.domains) {
            for pattern in patterns(own.slot, &own.shape, of.comm, of.choice, &of.uses) {
                let owner = Owner::Price {
                    job,
                    price,
                    pattern,
                };
                each(owner, pattern, &mut own.groups.iter().map(Vec::as_slice));
            }
        }
        for (route, own) in of.binding.routes.iter().enumerate() {
            let owner = Owner::Route { job, route };
            let pairs = &mut own.pairs.iter().map(<[GpuId; 2]>::as_slice);
            each(owner, Pattern::Send, pairs);
        }
    }
}

impl<'a> Traffic<'a> {
    /// Everything that leaves a scale-up domain.
    pub(crate) fn new(cluster: &'a Cluster, jobs: &[Tenant<'_>], options: &FabricOptions) -> Self {
        let chooses = options.policy != Policy::Static;
        let mut traffic = Self {
            cluster,
            chosen: chooses.then(|| chosen(cluster, jobs, options).into_iter()),
            spreads: options.policy == Policy::Spray,
            rates: cluster.links().iter().map(|link| link.rate).collect(),
            measured: BTreeMap::new(),
            flows: Vec::new(),
            owners: Vec::new(),
            colors: BTreeMap::new(),
            bundles: Vec::new(),
        };
        for_each_owner(jobs, |owner, pattern, groups| {
            traffic.add(owner, pattern, groups);
        });
        traffic
    }

    fn add(&mut self, owner: Owner, pattern: Pattern, groups: &mut dyn Iterator<Item = &[GpuId]>) {
        for gpus in groups {
            for hop in hops(pattern, gpus, self.cluster) {
                let Some(chosen) = &mut self.chosen else {
                    let mut links = Vec::with_capacity(8);
                    (self.cluster).route(hop.from, hop.to, Cluster::D_MOD_K, &mut links);
                    self.push(owner, &hop, hop.share, (links, Vec::new()));
                    continue;
                };
                for taken in chosen.next().into_iter().flatten() {
                    let way = (taken.links, taken.parts);
                    self.push(owner, &hop, hop.share * taken.part, way);
                }
            }
            self.bundles.push((owner, self.flows.len()));
        }
    }

    fn push(
        &mut self,
        owner: Owner,
        hop: &Hop,
        share: f64,
        (mut links, mut parts): (Vec<LinkId>, Vec<f64>),
    ) {
        let owners = &mut self.owners;
        let color = self.colors.entry((owner, share.to_bits()));
        let color = *color.or_insert_with(|| {
            owners.push((owner, share));
            number(owners.len() - 1)
        });
        if let Some(link) = self.measured_link(hop.from, hop.to) {
            links.push(link);
            if !parts.is_empty() {
                parts.push(1.0);
            }
        }
        self.flows.push(Transfer {
            color,
            links,
            parts,
        });
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

    /// Folds the transfers over the links that can slow them down. Transfers that are spread over
    /// ways stay as they are.
    pub(crate) fn fold(&self) -> Folded {
        if self.spreads {
            return self.unfolded();
        }
        let binds = self.links_that_bind();
        let bound = |flow: &Transfer| {
            let links = flow.links.iter().copied();
            let links = links.filter(|link| binds[link.index()]).collect();
            (flow.color, links)
        };
        let flows: Vec<(u32, Vec<LinkId>)> = self.flows.iter().map(bound).collect();
        fold(&flows, &self.rates)
    }

    /// Every transfer and every link by itself.
    fn unfolded(&self) -> Folded {
        let class = |(first, flow): (u32, &Transfer)| {
            let links = flow.links.iter().map(|link| link.get()).enumerate();
            PathClass {
                color: flow.color,
                members: 1,
                first,
                links: links
                    .map(|(at, link)| (link, flow.parts.get(at).copied().unwrap_or(1.0)))
                    .collect(),
            }
        };
        let links = 0..number(self.rates.len());
        Folded {
            classes: (0..).zip(&self.flows).map(class).collect(),
            class_of: (0..number(self.flows.len())).collect(),
            link_rates: self.rates.clone(),
            link_members: vec![1; self.rates.len()],
            link_class_of: links.map(Some).collect(),
        }
    }

    /// By link: whether it could be full before the NICs in front of it, and before those behind.
    fn links_that_bind(&self) -> Vec<bool> {
        let links = self.cluster.links();
        let is_nic = |link: &LinkId| {
            let own = links.get(link.index());
            own.is_some_and(|link| link.kind == LinkKind::Nic)
        };
        let mut sides: [Vec<(LinkId, LinkId)>; 2] = Default::default();
        for flow in &self.flows {
            let mut nics = flow.links.iter().copied().filter(is_nic);
            let Some(first) = nics.next() else { continue };
            let ends = [first, nics.next_back().unwrap_or(first)];
            for (side, nic) in sides.iter_mut().zip(ends) {
                let others = flow.links.iter().filter(|link| !is_nic(link));
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
