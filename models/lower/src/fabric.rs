//! Paths of the network engine for everything that leaves a scale-up domain.
//!
//! All physical transfers of a price or a route start together, so they are folded: flows that
//! max-min fairness cannot tell apart become one path with loads.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::{Choice, Pattern, expand};
use network::Path;
use profile::{CollectiveKind, CommProfile};
use units::{Bytes, BytesPerSec};

use crate::binding::Binding;
use crate::traffic::Traffic;

/// Paths by price and route over a folded network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabric {
    /// Whether all groups of every price, and all pairs of every route, fare alike: then a class
    /// of ranks behaves as each of its members does. Elsewhere, as where static routes make
    /// some pairs of stages share a link between switches and others not, the whole class waits
    /// for the slowest.
    pub is_even: bool,
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
pub(crate) enum Owner {
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
    choice: Choice,
    binding: &mut Binding,
    uses: &[Use],
    message: Bytes,
) -> Fabric {
    let mut traffic = Traffic::new(cluster, comm, choice, binding, uses);
    let folded = traffic.fold();
    let is_even = traffic.is_even(&folded);
    let owners = traffic.owners;
    let mut fabric = Fabric {
        is_even,
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
    choice: Choice,
    binding: &mut Binding,
    route: usize,
    mut path: Path,
    message: Bytes,
    fabric: &mut Fabric,
) {
    let shape = binding.routes[route].shape;
    let phases = expand(CollectiveKind::SendRecv, message, &shape, comm, &choice);
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
pub(crate) fn patterns(
    slot: u16,
    shape: &collective::CommShape,
    comm: &CommProfile,
    choice: Choice,
    uses: &[Use],
) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = uses
        .iter()
        .filter(|(used, _, _)| *used == slot)
        .flat_map(|(_, kind, bytes)| expand(*kind, *bytes, shape, comm, &choice))
        .filter_map(|phase| phase.transfers.map(|transfers| transfers.pattern))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
