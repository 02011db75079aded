//! Paths of the network engine for everything that leaves a scale-up domain.
//!
//! All physical transfers of a price or a route start together, so they are folded: flows that
//! max-min fairness cannot tell apart become one path with loads. Packets are not folded: every
//! transfer is a path of its own, with its messages.

use std::collections::BTreeMap;

use cluster::Cluster;
use collective::{Choice, Pattern, expand};
use network::packet::Part;
use network::{Folded, Path};
use profile::{CollectiveKind, CommProfile};
use traffic::Policy;
use units::{Bytes, BytesPerSec, LinkId, Seconds};

use crate::binding::Binding;
use crate::messages::{Sent, messages};
use crate::traffic::Traffic;

/// What carries transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// Links that transfers share.
    #[default]
    Links,
    /// Messages between GPUs.
    Messages {
        /// Bytes of a whole packet.
        packet: Bytes,
    },
}

/// How transfers are laid over the links of a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FabricOptions {
    /// What carries them.
    pub carrier: Carrier,
    /// Which ways they take. Where packets choose for themselves, this says only what is to be
    /// expected of links.
    pub policy: Policy,
    /// Of all hashes.
    pub seed: u64,
    /// Whether to keep what every path puts on every link of the cluster.
    pub loads: bool,
}

impl Default for FabricOptions {
    fn default() -> Self {
        Self {
            carrier: Carrier::Links,
            policy: Policy::Static,
            seed: 1,
            loads: false,
        }
    }
}

/// What traffic is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrafficKind {
    /// Tensor parallelism.
    Tp,
    /// Context parallelism.
    Cp,
    /// Expert parallelism.
    Ep,
    /// Gradients and sharded weights.
    Dp,
    /// Messages between stages, and what stages share.
    Pp,
    /// Traffic beside training.
    Background,
    /// What all ranks agree on.
    #[default]
    Other,
}

impl TrafficKind {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tp => "tp",
            Self::Cp => "cp",
            Self::Ep => "ep",
            Self::Dp => "dp",
            Self::Pp => "pp",
            Self::Background => "background",
            Self::Other => "other",
        }
    }
}

/// Whose traffic a path carries, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carried {
    /// The job, by its place among those that were lowered together.
    pub job: u32,
    /// What for.
    pub kind: TrafficKind,
}

/// Paths by price and route over a network, which jobs that are lowered together share: the
/// first one has links and paths, and all have ids of these paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabric {
    /// Whether all groups of every price, and all pairs of every route, fare alike: then a class
    /// of ranks behaves as each of its members does. Elsewhere, as where static routes make
    /// some pairs of stages share a link between switches and others not, the whole class waits
    /// for the slowest.
    pub is_even: bool,
    /// Rates of the folded links.
    pub rates: Vec<BytesPerSec>,
    /// The paths, in the order of their ids; none of messages.
    pub paths: Vec<Path>,
    /// The messages of each path, in the order of their ids; none of links.
    pub messages: Vec<Vec<Part>>,
    /// What each path carries.
    pub carried: Vec<Carried>,
    /// By path, what one byte of a transfer puts on links of the cluster, where asked for. For
    /// packets that choose their ways it is what to expect.
    pub loads: Vec<Vec<(LinkId, f64)>>,
    /// For each price and pattern, the paths of its transfers and their shares.
    by_price: Vec<BTreeMap<Pattern, Transfers>>,
}

/// The transfers of a pattern.
#[derive(Clone, Debug, Default, PartialEq)]
struct Transfers {
    paths: Vec<(u32, f64)>,
    /// What the network itself takes of the latency that the closed form has.
    lead: Seconds,
}

/// A collective that some program runs: slot, operation and size.
pub(crate) type Use = (u16, CollectiveKind, Bytes);

/// What the flows of one color belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Price {
        job: usize,
        price: usize,
        pattern: Pattern,
    },
    Route {
        job: usize,
        route: usize,
    },
}

impl Owner {
    const fn job(self) -> usize {
        match self {
            Self::Price { job, .. } | Self::Route { job, .. } => job,
        }
    }
}

/// A job as the fabric sees it.
pub(crate) struct Tenant<'a> {
    pub(crate) comm: &'a CommProfile,
    pub(crate) choice: Choice,
    pub(crate) binding: &'a mut Binding,
    pub(crate) uses: Vec<Use>,
    /// The usual message between stages.
    pub(crate) message: Bytes,
}

impl Fabric {
    /// The transfers of a pattern of a price: paths and shares.
    pub(crate) fn transfers(&self, price: u32, pattern: Pattern) -> &[(u32, f64)] {
        self.of(price, pattern)
            .map_or(&[], |transfers| transfers.paths.as_slice())
    }

    /// What the network itself takes of the latency of a phase.
    pub(crate) fn lead(&self, price: u32, pattern: Pattern) -> Seconds {
        self.of(price, pattern)
            .map_or(Seconds::ZERO, |transfers| transfers.lead)
    }

    fn of(&self, price: u32, pattern: Pattern) -> Option<&Transfers> {
        self.by_price.get(price as usize)?.get(&pattern)
    }
}

/// Lays the transfers of jobs that run together over a cluster, and gives their channels paths.
/// By job, its part; the first one has what all share.
pub(crate) fn fabrics(
    cluster: &Cluster,
    jobs: &mut [Tenant<'_>],
    options: &FabricOptions,
) -> Vec<Fabric> {
    let mut fabrics = match options.carrier {
        Carrier::Links => Weaver::new(jobs).over_links(cluster, jobs, options),
        Carrier::Messages { packet } => {
            let sent = messages(cluster, jobs, options, packet);
            Weaver::new(jobs).with_messages(jobs, sent, options)
        }
    };
    if !options.loads {
        fabrics[0].loads.clear();
    }
    fabrics
}

/// A route's path while its transfers are gathered.
#[derive(Default)]
struct Gathered {
    path: Path,
    parts: Vec<Part>,
    loads: Vec<(LinkId, f64)>,
    lead: Seconds,
}

/// Fabrics while they are made.
struct Weaver {
    shared: Fabric,
    by_job: Vec<Vec<BTreeMap<Pattern, Transfers>>>,
    routes: BTreeMap<(usize, usize), Gathered>,
}

impl Weaver {
    fn new(jobs: &[Tenant<'_>]) -> Self {
        let prices = |job: &Tenant<'_>| vec![BTreeMap::new(); job.binding.prices.len()];
        Self {
            shared: Fabric::default(),
            by_job: jobs.iter().map(prices).collect(),
            routes: BTreeMap::new(),
        }
    }

    fn over_links(
        mut self,
        cluster: &Cluster,
        jobs: &mut [Tenant<'_>],
        options: &FabricOptions,
    ) -> Vec<Fabric> {
        let traffic = Traffic::new(cluster, jobs, options);
        let folded = traffic.fold();
        self.shared.is_even = traffic.is_even(&folded);
        self.shared.rates.clone_from(&folded.link_rates);
        let loads = if options.loads {
            loads(cluster, &traffic, &folded)
        } else {
            vec![Vec::new(); folded.classes.len()]
        };
        for (class, loads) in folded.classes.iter().zip(loads) {
            let (owner, share) = traffic.owners[class.color as usize];
            match owner {
                Owner::Price { .. } => {
                    let id = self.add(jobs, owner, loads);
                    self.shared.paths.push(class.path(None));
                    self.transfers(owner).paths.push((id, share));
                }
                Owner::Route { job, route } => {
                    // A message takes all of its NICs at once, and the slowest of its class counts.
                    let own = self.routes.entry((job, route)).or_default();
                    let links = class.links.iter();
                    let links = links.map(|(link, load)| (*link, load * share));
                    own.path.links.extend(links);
                    let loads = loads.into_iter();
                    own.loads
                        .extend(loads.map(|(link, load)| (link, load * share)));
                }
            }
        }
        self.finish(jobs)
    }

    fn with_messages(
        mut self,
        jobs: &mut [Tenant<'_>],
        sent: Vec<Sent>,
        options: &FabricOptions,
    ) -> Vec<Fabric> {
        self.shared.is_even = true;
        for sent in sent {
            let loads = if options.loads {
                sent.links
            } else {
                Vec::new()
            };
            match sent.owner {
                Owner::Price { .. } => {
                    let id = self.add(jobs, sent.owner, loads);
                    self.shared.messages.push(sent.parts);
                    let transfers = self.transfers(sent.owner);
                    transfers.paths.push((id, sent.share));
                    transfers.lead = transfers.lead.max(sent.latency);
                }
                Owner::Route { job, route } => {
                    let own = self.routes.entry((job, route)).or_default();
                    own.parts.extend(sent.parts);
                    own.loads.extend(loads);
                    own.lead = own.lead.max(sent.latency);
                }
            }
        }
        self.finish(jobs)
    }

    /// A new path's id.
    fn add(&mut self, jobs: &[Tenant<'_>], owner: Owner, loads: Vec<(LinkId, f64)>) -> u32 {
        let id = u32::try_from(self.shared.carried.len()).unwrap_or(u32::MAX);
        let kind = match owner {
            Owner::Price { job, price, .. } => jobs[job].binding.prices[price].kind,
            Owner::Route { .. } => TrafficKind::Pp,
        };
        let job = u32::try_from(owner.job()).unwrap_or(u32::MAX);
        self.shared.carried.push(Carried { job, kind });
        self.shared.loads.push(loads);
        id
    }

    fn transfers(&mut self, owner: Owner) -> &mut Transfers {
        match owner {
            Owner::Price {
                job,
                price,
                pattern,
            } => self.by_job[job][price].entry(pattern).or_default(),
            Owner::Route { .. } => unreachable!("routes are gathered"),
        }
    }

    fn finish(mut self, jobs: &mut [Tenant<'_>]) -> Vec<Fabric> {
        for ((job, route), gathered) in std::mem::take(&mut self.routes) {
            self.channel_paths(jobs, job, route, gathered);
        }
        let mut fabrics: Vec<Fabric> = self
            .by_job
            .into_iter()
            .map(|by_price| Fabric {
                is_even: self.shared.is_even,
                by_price,
                ..Fabric::default()
            })
            .collect();
        if let Some(first) = fabrics.first_mut() {
            self.shared.by_price = std::mem::take(&mut first.by_price);
            *first = self.shared;
        }
        fabrics
    }

    fn channel_paths(
        &mut self,
        jobs: &mut [Tenant<'_>],
        job: usize,
        route: usize,
        mut own: Gathered,
    ) {
        let of = &jobs[job];
        let shape = of.binding.routes[route].shape;
        let phases = expand(
            CollectiveKind::SendRecv,
            of.message,
            &shape,
            of.comm,
            &of.choice,
        );
        let Some(transfers) = phases.iter().find_map(|phase| phase.transfers) else {
            return;
        };
        let wire = transfers.bytes.as_f64() / of.message.as_f64();
        for (_, load) in &mut own.path.links {
            *load *= wire;
        }
        for (_, load) in &mut own.loads {
            *load *= wire;
        }
        for part in &mut own.parts {
            part.share *= wire;
        }
        let id = self.add(jobs, Owner::Route { job, route }, own.loads);
        if own.parts.is_empty() {
            self.shared.paths.push(own.path);
        } else {
            self.shared.messages.push(own.parts);
        }
        let latency: Seconds = phases.iter().map(|phase| phase.delay).sum();
        let binding = &mut *jobs[job].binding;
        for &channel in &binding.routes[route].channels {
            let price = &mut binding.lanes.channels[channel as usize].price;
            price.path = Some(id);
            price.latency = less(latency, own.lead);
            price.latency += transfers.excess;
        }
    }
}

/// A time without another, at least none.
pub(crate) fn less(time: Seconds, by: Seconds) -> Seconds {
    if by == Seconds::ZERO {
        time
    } else {
        Seconds::from_secs((time.as_secs() - by.as_secs()).max(0.0))
    }
}

/// By class of flows, what its flows put on the links of the cluster.
fn loads(cluster: &Cluster, traffic: &Traffic<'_>, folded: &Folded) -> Vec<Vec<(LinkId, f64)>> {
    let mut loads: Vec<BTreeMap<LinkId, f64>> = vec![BTreeMap::new(); folded.classes.len()];
    for (flow, class) in traffic.flows.iter().zip(&folded.class_of) {
        for (at, link) in flow.links.iter().enumerate() {
            if link.index() < cluster.links().len() {
                let part = flow.parts.get(at).copied().unwrap_or(1.0);
                *loads[*class as usize].entry(*link).or_default() += part;
            }
        }
    }
    loads
        .into_iter()
        .map(|of| of.into_iter().collect())
        .collect()
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
