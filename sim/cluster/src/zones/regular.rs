//! Regular clusters: hosts and links by arithmetic.
//!
//! The links of a cluster stand side by side: first its cables (two links each where they are
//! split by direction), then a loopback and a limiter by host, a limiter by switch, and the
//! backbone.

use std::sync::Arc;

use units::{BytesPerSec, LinkId, Seconds};

use super::dragonfly::{Dragonfly, DragonflyZone};
use super::error::ZoneError;
use super::fat_tree::{FatTree, FatTreeZone};
use super::radical::Radical;
use super::torus::Torus;
use super::wires::full_name;
use crate::topology::{Direction, Sharing, Wire, WireName};

/// How the hosts of a regular cluster are connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each by a cable to a common middle, which may have a backbone.
    Flat,
    /// A fat tree.
    FatTree(FatTree),
    /// A torus.
    Torus(Torus),
    /// A dragonfly.
    Dragonfly(Dragonfly),
}

/// What a file says of a regular cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct RegularSpec {
    /// The cluster's name.
    pub name: String,
    /// What stands before the number in a host's name.
    pub prefix: String,
    /// What stands behind it.
    pub suffix: String,
    /// The numbers of its hosts.
    pub radical: Radical,
    /// How its hosts are connected.
    pub shape: Shape,
    /// What a cable carries.
    pub rate: BytesPerSec,
    /// How long a first byte takes over a cable.
    pub latency: Seconds,
    /// Whether a cable carries its rate in both directions at once.
    pub split: bool,
    /// What a host, and a switch, carries in all directions together.
    pub limiter: Option<BytesPerSec>,
    /// What a host has to itself.
    pub loopback: Option<(BytesPerSec, Seconds)>,
    /// What all hosts of a flat cluster share.
    pub backbone: Option<Wire>,
    /// The name of a flat cluster's router, where it is not the usual one.
    pub router: Option<String>,
}

impl RegularSpec {
    /// The name of the router of a flat cluster.
    pub(super) fn router_name(&self) -> Option<String> {
        (self.shape == Shape::Flat).then(|| {
            let usual = || format!("{}{}_router{}", self.prefix, self.name, self.suffix);
            self.router.clone().unwrap_or_else(usual)
        })
    }
}

/// What shapes are laid out to.
#[derive(Clone, Debug)]
enum Layout {
    Flat,
    FatTree(FatTreeZone),
    Torus(Torus),
    Dragonfly(DragonflyZone),
}

/// Links that one cluster's name is unique for are counted over all clusters of a shape.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) fat_tree_hosts: u64,
    pub(super) fat_tree_cables: u64,
    pub(super) dragonfly_cables: u64,
}

/// A regular cluster.
#[derive(Clone, Debug)]
pub(super) struct Regular {
    name: Arc<str>,
    radical: Radical,
    pub(super) hosts: u32,
    first_link: LinkId,
    n_cables: u32,
    n_switches: u32,
    cable: Wire,
    split: bool,
    limiter: Option<Wire>,
    loopback: Option<Wire>,
    backbone: Option<Wire>,
    layout: Layout,
}

/// A link of a regular cluster.
enum Part {
    Cable(u32, Direction),
    Loopback(u32),
    Limiter(u32),
    SwitchLimiter(u32),
    Backbone,
}

impl Regular {
    /// Lays a cluster out whose first link is to be `first_link`.
    pub(super) fn new(
        spec: &RegularSpec,
        first_link: LinkId,
        counters: &mut Counters,
    ) -> Result<Self, ZoneError> {
        let hosts = spec.radical.len();
        let wrong = |what| ZoneError::Shape {
            name: spec.name.clone(),
            what,
        };
        let (layout, hosts, n_cables, n_switches) = match &spec.shape {
            Shape::Flat => (Layout::Flat, u64::from(hosts), u64::from(hosts), 0),
            Shape::FatTree(tree) => {
                let zone = FatTreeZone::new(tree.clone(), counters).map_err(wrong)?;
                let [hosts, switches, cables] = zone.counts();
                (Layout::FatTree(zone), hosts, cables, switches)
            }
            Shape::Torus(torus) => {
                let hosts = torus.n_hosts().map_err(wrong)?;
                let cables = hosts.saturating_mul(torus.dimensions.len() as u64);
                (Layout::Torus(torus.clone()), hosts, cables, 0)
            }
            Shape::Dragonfly(fly) => {
                let zone = DragonflyZone::new(*fly, counters).map_err(wrong)?;
                let [hosts, switches, cables] = zone.counts();
                (Layout::Dragonfly(zone), hosts, cables, switches)
            }
        };
        if u64::from(spec.radical.len()) < hosts {
            return Err(ZoneError::TooFewHosts {
                name: spec.name.clone(),
                needed: hosts,
                found: u64::from(spec.radical.len()),
            });
        }
        let small = |count: u64| {
            u32::try_from(count).map_err(|_| ZoneError::TooMany {
                what: "links",
                found: count,
                limit: u64::from(u32::MAX),
            })
        };
        let wire = |rate, latency, sharing| Wire {
            rate,
            latency,
            sharing,
        };
        let limiter = |rate| wire(rate, Seconds::ZERO, Sharing::Shared);
        let loopback = |(rate, latency)| wire(rate, latency, Sharing::FatPipe);
        Ok(Self {
            name: spec.name.as_str().into(),
            radical: spec.radical.clone(),
            hosts: small(hosts)?,
            first_link,
            n_cables: small(n_cables)?,
            n_switches: small(n_switches)?,
            cable: wire(spec.rate, spec.latency, Sharing::Shared),
            split: spec.split,
            limiter: spec.limiter.map(limiter),
            loopback: spec.loopback.map(loopback),
            backbone: spec.backbone.filter(|_| spec.shape == Shape::Flat),
            layout,
        })
    }

    /// How many links the cluster has.
    pub(super) fn n_links(&self) -> u64 {
        let hosts = u64::from(self.hosts);
        let once = |wire: Option<Wire>| u64::from(wire.is_some());
        u64::from(self.n_cables) * if self.split { 2 } else { 1 }
            + hosts * once(self.loopback)
            + (hosts + u64::from(self.n_switches)) * once(self.limiter)
            + once(self.backbone)
    }

    /// The number in the name of a host.
    pub(super) fn number(&self, host: u32) -> u32 {
        self.radical.number(host)
    }

    pub(super) fn is_flat(&self) -> bool {
        matches!(self.layout, Layout::Flat)
    }

    /// How many hosts in a row hang on the same switch and reach all others alike; `None` where
    /// that is only the host itself.
    pub(super) fn alike(&self, outermost: bool) -> Option<u32> {
        match &self.layout {
            _ if self.limiter.is_some() => None,
            Layout::Flat => Some(self.hosts),
            Layout::FatTree(tree) if outermost => Some(tree.hosts_per_leaf()),
            Layout::FatTree(_) | Layout::Torus(_) | Layout::Dragonfly(_) => None,
        }
    }

    /// The fat tree that the cluster is.
    pub(super) fn fat_tree(&self) -> Option<&FatTreeZone> {
        match &self.layout {
            Layout::FatTree(tree) => Some(tree),
            Layout::Flat | Layout::Torus(_) | Layout::Dragonfly(_) => None,
        }
    }

    /// Appends the links from one member to another; the router of a flat cluster is the member
    /// behind its hosts. All are connected.
    pub(super) fn way(&self, from: u32, to: u32, way: Option<u32>, out: &mut Vec<LinkId>) {
        if from == to && from < self.hosts && self.loopback.is_some() {
            out.push(self.host_loopback(from));
            return;
        }
        match &self.layout {
            Layout::Flat => self.flat_way(from, to, out),
            Layout::FatTree(tree) => tree.way(self, from, to, way, out),
            Layout::Torus(torus) => torus.way(self, from, to, out),
            Layout::Dragonfly(fly) => fly.way(self, from, to, out),
        }
    }

    fn flat_way(&self, from: u32, to: u32, out: &mut Vec<LinkId>) {
        let is_host = |member: u32| member < self.hosts;
        if is_host(from) {
            self.push_host_limiter(from, out);
            out.push(self.link(from, Direction::Up));
        }
        if is_host(from) || is_host(to) {
            out.extend(self.backbone.map(|_| self.at(self.backbone_place())));
        }
        if is_host(to) {
            let down = self.link(to, Direction::Down);
            // From a host to itself a cable of one link, and the limiter, are crossed once.
            if from != to || self.split {
                out.push(down);
            }
            if from != to {
                self.push_host_limiter(to, out);
            }
        }
    }

    /// The link of a cable in a direction.
    pub(super) fn link(&self, cable: u32, direction: Direction) -> LinkId {
        self.at(match (self.split, direction) {
            (true, Direction::Down) => 2 * cable + 1,
            (true, _) => 2 * cable,
            (false, _) => cable,
        })
    }

    pub(super) fn push_host_limiter(&self, host: u32, out: &mut Vec<LinkId>) {
        if self.limiter.is_some() {
            out.push(self.at(self.limiter_place() + host));
        }
    }

    pub(super) fn push_switch_limiter(&self, switch: u32, out: &mut Vec<LinkId>) {
        if self.limiter.is_some() {
            out.push(self.at(self.limiter_place() + self.hosts + switch));
        }
    }

    fn host_loopback(&self, host: u32) -> LinkId {
        self.at(self.loopback_place() + host)
    }

    /// The link at a place of the cluster.
    pub(super) fn link_at(&self, place: u32) -> LinkId {
        self.at(place)
    }

    fn at(&self, place: u32) -> LinkId {
        LinkId::new(self.first_link.get() + place)
    }

    fn loopback_place(&self) -> u32 {
        self.n_cables * if self.split { 2 } else { 1 }
    }

    fn limiter_place(&self) -> u32 {
        self.loopback_place() + self.loopback.map_or(0, |_| self.hosts)
    }

    fn backbone_place(&self) -> u32 {
        self.limiter_place() + self.limiter.map_or(0, |_| self.hosts + self.n_switches)
    }

    fn part(&self, place: u32) -> Part {
        if place < self.loopback_place() {
            return match (self.split, place % 2) {
                (false, _) => Part::Cable(place, Direction::Both),
                (true, 0) => Part::Cable(place / 2, Direction::Up),
                (true, _) => Part::Cable(place / 2, Direction::Down),
            };
        }
        if place < self.limiter_place() {
            return Part::Loopback(place - self.loopback_place());
        }
        if place < self.backbone_place() {
            let place = place - self.limiter_place();
            return match place.checked_sub(self.hosts) {
                None => Part::Limiter(place),
                Some(switch) => Part::SwitchLimiter(switch),
            };
        }
        Part::Backbone
    }

    /// What the link at a place of the cluster is.
    pub(super) fn wire(&self, place: u32) -> Wire {
        match self.part(place) {
            Part::Cable(cable, _) => Wire {
                rate: match &self.layout {
                    Layout::Dragonfly(fly) => fly.rate(cable, self.cable.rate),
                    Layout::Flat | Layout::FatTree(_) | Layout::Torus(_) => self.cable.rate,
                },
                ..self.cable
            },
            Part::Loopback(_) => self.loopback.unwrap_or(self.cable),
            Part::Limiter(_) | Part::SwitchLimiter(_) => self.limiter.unwrap_or(self.cable),
            Part::Backbone => self.backbone.unwrap_or(self.cable),
        }
    }

    /// What the link at a place of the cluster is called.
    pub(super) fn wire_name(&self, place: u32) -> WireName {
        let name = &self.name;
        let number = |host: u32| self.number(host);
        let both = |name| WireName {
            name,
            direction: Direction::Both,
        };
        match (self.part(place), &self.layout) {
            (Part::Cable(cable, direction), layout) => WireName {
                name: match layout {
                    Layout::Flat => format!("{name}_link_{}", number(cable)),
                    Layout::FatTree(tree) => tree.cable_name(cable),
                    Layout::Torus(torus) => torus.cable_name(name, cable),
                    Layout::Dragonfly(fly) => fly.cable_name(cable),
                },
                direction,
            },
            (Part::Loopback(host), _) => both(format!("{name}_link_{}_loopback", number(host))),
            (Part::Limiter(host), Layout::Flat) => {
                both(format!("{name}_link_{}_limiter", number(host)))
            }
            (Part::Limiter(host), _) => both(format!("{name}_link_{host}_limiter")),
            (Part::SwitchLimiter(switch), _) => {
                let id = u64::from(self.hosts) * 2 - 1 - u64::from(switch);
                both(format!("{name}_link_{id}_limiter"))
            }
            (Part::Backbone, _) => both(format!("{name}_backbone")),
        }
    }

    /// Whether limiters of hosts and switches would have the same names.
    pub(super) fn limiters_collide(&self) -> bool {
        self.limiter.is_some() && self.hosts < self.n_switches
    }

    /// The place of the link of a name, spelled in full.
    pub(super) fn named(&self, full: &str) -> Option<u32> {
        let width = if self.split { 2 } else { 1 };
        let cable = full
            .strip_suffix("_UP")
            .or_else(|| full.strip_suffix("_DOWN"));
        let cable = cable.unwrap_or(full);
        let last = |text: &str| text.rsplit('_').next()?.parse::<u32>().ok();
        let own = full.strip_prefix(&*self.name);
        let candidates = match (&self.layout, own) {
            (Layout::FatTree(tree), None) => last(cable).and_then(|id| tree.cable_of(id)),
            (Layout::Dragonfly(fly), None) => last(cable).and_then(|id| fly.cable_of(id)),
            (Layout::Torus(torus), Some(_)) => torus.cable_named(&self.name, cable),
            (Layout::Flat, Some(_)) => last(cable).and_then(|number| self.radical.place(number)),
            _ => None,
        };
        let cables = candidates.into_iter().flat_map(|cable| {
            let first = cable.saturating_mul(width);
            first..first.saturating_add(width)
        });
        let backbone = self.backbone.map(|_| self.backbone_place());
        let links = cables.chain(backbone);
        let mut links = links.filter(|&place| u64::from(place) < self.n_links());
        links.find(|&place| {
            let WireName { name, direction } = self.wire_name(place);
            full_name(&name, direction) == full
        })
    }

    /// The upward link of a cable that routes may name without its direction.
    pub(super) fn split_named(&self, name: &str) -> Option<u32> {
        (self.is_flat() && self.split)
            .then(|| self.named(&full_name(name, Direction::Up)))
            .flatten()
    }
}
