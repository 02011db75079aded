//! Paths of the network engine for everything that leaves a scale-up domain.
//!
//! All physical transfers of a price or a route start together, so they are folded: flows that
//! max-min fairness cannot tell apart become one path with loads.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::{Choice, Pattern, expand, hops};
use network::{Path, fold};
use profile::{CollectiveKind, CommProfile};
use units::{Bytes, BytesPerSec, LinkId};

use crate::binding::Binding;

/// Paths by price and route over a folded network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabric {
    /// Rates of the folded links.
    pub rates: Vec<BytesPerSec>,
    /// The paths, in the order of their ids.
    pub paths: Vec<Path>,
    /// For each price and pattern, the paths of its transfers and their shares.
    by_price: Vec<BTreeMap<Pattern, Vec<(u32, f64)>>>,
}

/// A collective that some program runs: slot, operation and size.
pub(crate) type Use = (u16, CollectiveKind, Bytes);

/// What the flows of one color belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Price(usize, Pattern),
    Route(usize),
}

impl Fabric {
    /// The transfers of a pattern of a price: paths and shares.
    pub(crate) fn transfers(&self, price: u32, pattern: Pattern) -> &[(u32, f64)] {
        self.by_price
            .get(price as usize)
            .and_then(|by| by.get(&pattern))
            .map_or(&[], Vec::as_slice)
    }
}

/// Folds the transfers of a run, and gives the channels of `binding` their paths.
pub(crate) fn fabric(
    cluster: &Cluster,
    comm: &CommProfile,
    choice: &Choice,
    binding: &mut Binding,
    uses: &[Use],
    message: Bytes,
) -> Fabric {
    let mut colors: BTreeMap<(Owner, u64), u32> = BTreeMap::new();
    let mut owners: Vec<(Owner, f64)> = Vec::new();
    let mut flows: Vec<(u32, Vec<LinkId>)> = Vec::new();
    let mut add = |owner: Owner, pattern, group: &[units::GpuId]| {
        for hop in hops(pattern, group, cluster) {
            let color = *colors
                .entry((owner, hop.share.to_bits()))
                .or_insert_with(|| {
                    owners.push((owner, hop.share));
                    u32::try_from(owners.len() - 1).unwrap_or(u32::MAX)
                });
            let mut links = Vec::with_capacity(8);
            cluster.route(hop.from, hop.to, 0, &mut links);
            flows.push((color, links));
        }
    };
    for (index, price) in binding.prices.iter().enumerate() {
        if price.shape.domains < 2 {
            continue;
        }
        for pattern in patterns(price.slot, &price.shape, comm, choice, uses) {
            for group in &price.groups {
                add(Owner::Price(index, pattern), pattern, group);
            }
        }
    }
    for (index, route) in binding.routes.iter().enumerate() {
        for pair in &route.pairs {
            add(Owner::Route(index), Pattern::Send, pair);
        }
    }
    let rates: Vec<BytesPerSec> = cluster.links().iter().map(|link| link.rate).collect();
    let folded = fold(&flows, &rates);
    let mut fabric = Fabric {
        rates: folded.link_rates.clone(),
        paths: Vec::new(),
        by_price: vec![BTreeMap::new(); binding.prices.len()],
    };
    let mut of_route: BTreeMap<usize, Path> = BTreeMap::new();
    for class in &folded.classes {
        let (owner, share) = owners[class.color as usize];
        match owner {
            Owner::Price(price, pattern) => {
                let id = u32::try_from(fabric.paths.len()).unwrap_or(u32::MAX);
                fabric.paths.push(class.path(None));
                fabric.by_price[price]
                    .entry(pattern)
                    .or_default()
                    .push((id, share));
            }
            Owner::Route(route) => {
                // A message takes all of its NICs at once, and the slowest of its class counts.
                let path = of_route.entry(route).or_default();
                path.links
                    .extend(class.links.iter().map(|(link, load)| (*link, load * share)));
            }
        }
    }
    for (route, path) in of_route {
        channel_paths(comm, choice, binding, route, path, message, &mut fabric);
    }
    fabric
}

fn channel_paths(
    comm: &CommProfile,
    choice: &Choice,
    binding: &mut Binding,
    route: usize,
    mut path: Path,
    message: Bytes,
    fabric: &mut Fabric,
) {
    let shape = binding.routes[route].shape;
    let phases = expand(CollectiveKind::SendRecv, message, &shape, comm, choice);
    let Some(transfers) = phases.iter().find_map(|phase| phase.transfers) else {
        return;
    };
    let wire = transfers.bytes.as_f64() / message.as_f64();
    for (_, load) in &mut path.links {
        *load *= wire;
    }
    let id = u32::try_from(fabric.paths.len()).unwrap_or(u32::MAX);
    fabric.paths.push(path);
    let latency = phases.iter().map(|phase| phase.delay).sum();
    for &channel in &binding.routes[route].channels {
        let price = &mut binding.lanes.channels[channel as usize].price;
        price.path = Some(id);
        price.latency = latency;
        price.latency += transfers.excess;
    }
}

/// The patterns that the collectives of a slot take on a shape.
fn patterns(
    slot: u16,
    shape: &collective::CommShape,
    comm: &CommProfile,
    choice: &Choice,
    uses: &[Use],
) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = uses
        .iter()
        .filter(|(used, _, _)| *used == slot)
        .flat_map(|(_, kind, bytes)| expand(*kind, *bytes, shape, comm, choice))
        .filter_map(|phase| phase.transfers.map(|transfers| transfers.pattern))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
