//! Zones, links and routes, one after the other, become a platform.

use std::collections::HashMap;
use std::sync::Arc;

use units::{BytesPerSec, HostId, LinkId, Seconds};

use super::edge::{Edge, Edges};
use super::error::ZoneError;
use super::platform::Platform;
use super::regular::{Counters, Regular, RegularSpec};
use super::shortest::{Dijkstra, Floyd};
use super::star::Star;
use super::wires::Wires;
use super::zone::{Kind, Point, What, Zone};
use crate::topology::{Direction, Sharing, Wire};

/// How a zone routes between its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// Every route is listed.
    Full,
    /// The fewest links, after Floyd and Warshall.
    Floyd,
    /// The fewest links, after Dijkstra.
    Dijkstra,
    /// Members hang on a common middle.
    Cluster,
    /// There are no routes.
    Nothing,
}

/// How transfers in both directions of a link divide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// All together.
    Shared,
    /// Each direction for itself.
    SplitDuplex,
    /// Not at all: it bounds each by itself.
    FatPipe,
}

/// A link that a file lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkSpec<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it carries.
    pub rate: BytesPerSec,
    /// How long a first byte takes.
    pub latency: Seconds,
    /// How transfers divide it.
    pub policy: Policy,
}

/// Most hosts of a platform.
pub(super) const MAX_HOSTS: u64 = 1 << 20;
/// Most links of a platform.
const MAX_LINKS: u64 = 1 << 24;
/// Most zones and routers of a platform.
const MAX_POINTS: u64 = 1 << 21;
/// Most pairs of members between which shortest paths are kept once they were asked for.
const MAX_PAIRS: u64 = 1 << 26;
/// Most zones inside each other.
const MAX_DEPTH: usize = 64;

/// The link over which a host reaches itself where nothing else is said.
const LOOPBACK: &str = "__loopback__";

/// Builds a platform element by element, in the order of a file: what a route names stands before
/// it.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) platform: Platform,
    /// Zones that are not closed yet, outermost first.
    open: Vec<u32>,
    regular: Vec<u32>,
    counters: Counters,
    pairs: u64,
    loopback: Wire,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// An empty platform.
    ///
    /// # Panics
    ///
    /// Never: the rate of the loopback is positive.
    pub fn new() -> Self {
        let rate = BytesPerSec::from_gbytes(10.0).expect("10 is positive");
        Self {
            platform: Platform {
                points: Vec::new(),
                hosts: Vec::new(),
                zones: Vec::new(),
                wires: Wires::default(),
                by_name: HashMap::new(),
            },
            open: Vec::new(),
            regular: Vec::new(),
            counters: Counters::default(),
            pairs: 0,
            // `network/loopback-bw` and `network/loopback-lat` of SimGrid 3.32.
            loopback: Wire {
                rate,
                latency: Seconds::ZERO,
                sharing: Sharing::FatPipe,
            },
        }
    }

    pub(super) fn current(&self, name: &str) -> Result<u32, ZoneError> {
        self.open
            .last()
            .copied()
            .ok_or_else(|| ZoneError::OutsideZones {
                name: name.to_owned(),
            })
    }

    pub(super) fn zone(&mut self, zone: u32) -> &mut Zone {
        &mut self.platform.zones[zone as usize]
    }

    fn limit(what: &'static str, found: u64, limit: u64) -> Result<(), ZoneError> {
        if found <= limit {
            Ok(())
        } else {
            Err(ZoneError::TooMany { what, found, limit })
        }
    }

    /// Opens a zone inside the innermost open one.
    ///
    /// # Errors
    ///
    /// A second outermost zone, a name that is taken, a zone among hosts, too deep nesting.
    pub fn open(&mut self, name: &str, routing: Routing) -> Result<(), ZoneError> {
        let kind = match routing {
            Routing::Full => Kind::Full(Edges::default()),
            Routing::Floyd => Kind::Floyd(Floyd::default()),
            Routing::Dijkstra => Kind::Dijkstra(Dijkstra::default()),
            Routing::Cluster => Kind::Star(Star::default()),
            Routing::Nothing => Kind::Nothing,
        };
        let zone = self.add_zone(name, kind)?;
        self.open.push(zone);
        if MAX_DEPTH < self.open.len() {
            return Err(ZoneError::TooDeep { limit: MAX_DEPTH });
        }
        Ok(())
    }

    fn add_zone(&mut self, name: &str, kind: Kind) -> Result<u32, ZoneError> {
        let parent = self.open.last().copied();
        if let (None, Some(first)) = (parent, self.platform.zones.first()) {
            return Err(ZoneError::SecondRoot {
                name: name.to_owned(),
                first: self.platform.name_of(first.point).to_owned(),
            });
        }
        if let Some(parent) = parent {
            let zone = self.zone(parent);
            if 0 < zone.members && !zone.holds_zones {
                return Err(ZoneError::AmongHosts {
                    zone: self.platform.zone_name(parent).to_owned(),
                    name: name.to_owned(),
                });
            }
            zone.holds_zones = true;
        }
        let id = u32::try_from(self.platform.zones.len()).unwrap_or(u32::MAX);
        let point = self.add_point(name, parent, What::Zone(id))?;
        let depth = parent.map_or(0, |parent| self.zone(parent).depth + 1);
        self.platform.zones.push(Zone {
            point,
            parent,
            depth,
            members: 0,
            holds_zones: false,
            kind,
            bypasses: Edges::default(),
        });
        Ok(id)
    }

    fn add_point(&mut self, name: &str, zone: Option<u32>, what: What) -> Result<u32, ZoneError> {
        let points = self.platform.points.len() as u64;
        Self::limit("hosts, routers and zones", points + 1, MAX_POINTS)?;
        let id = u32::try_from(points).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        if self.platform.by_name.insert(name.clone(), id).is_some() {
            return Err(ZoneError::NameTwice {
                name: name.to_string(),
            });
        }
        let place = zone.map_or(0, |zone| {
            let zone = self.zone(zone);
            zone.members += 1;
            zone.members - 1
        });
        self.platform.points.push(Point {
            name,
            zone,
            place,
            what,
            gateway: false,
        });
        Ok(id)
    }

    /// Closes the innermost open zone.
    ///
    /// # Errors
    ///
    /// A table of shortest paths that would be too large.
    pub fn close(&mut self) -> Result<(), ZoneError> {
        let Some(id) = self.open.pop() else {
            return Ok(());
        };
        let loopback = self.loopback(id)?;
        let zone = &mut self.platform.zones[id as usize];
        let members = zone.members;
        let own = |place: u32| {
            let links: Box<[LinkId]> = loopback.into_iter().collect();
            let edge = Edge {
                links,
                gateways: None,
            };
            (place, place, edge)
        };
        // A route that the file lists from a member to itself stays.
        match &mut zone.kind {
            Kind::Full(edges) if loopback.is_some() => {
                for (from, to, edge) in (0..members).map(own) {
                    edges.add(from, to, edge);
                }
            }
            Kind::Floyd(floyd) => {
                if loopback.is_some() {
                    for (from, to, edge) in (0..members).map(own) {
                        floyd.add(from, to, edge);
                    }
                }
                self.pairs += u64::from(members) * u64::from(members);
                Self::limit("pairs in zones of shortest paths", self.pairs, MAX_PAIRS)?;
            }
            Kind::Dijkstra(dijkstra) => {
                let named = dijkstra.named().to_vec();
                self.pairs += (named.len() * named.len()) as u64;
                Self::limit("pairs in zones of shortest paths", self.pairs, MAX_PAIRS)?;
                if loopback.is_some() {
                    for (from, to, edge) in named.into_iter().map(own) {
                        dijkstra.add(from, to, edge);
                    }
                }
            }
            Kind::Star(star) => star.seal(),
            Kind::Full(_) | Kind::Nothing | Kind::Regular(_) => {}
        }
        Ok(())
    }

    /// The link over which members of a zone reach themselves.
    fn loopback(&mut self, zone: u32) -> Result<Option<LinkId>, ZoneError> {
        let zone = &self.platform.zones[zone as usize];
        let has = matches!(
            zone.kind,
            Kind::Full(_) | Kind::Floyd(_) | Kind::Dijkstra(_)
        );
        if !has || zone.holds_zones || zone.members == 0 {
            return Ok(None);
        }
        if let Some(link) = self.platform.wires.named(LOOPBACK) {
            return Ok(Some(link));
        }
        let wire = self.loopback;
        self.add_wire(LOOPBACK, Direction::Both, wire).map(Some)
    }

    /// Says over what hosts reach themselves in zones of routing Full, Floyd and Dijkstra.
    pub fn set_loopback(&mut self, rate: Option<BytesPerSec>, latency: Option<Seconds>) {
        self.loopback.rate = rate.unwrap_or(self.loopback.rate);
        self.loopback.latency = latency.unwrap_or(self.loopback.latency);
    }

    /// Adds a host to the innermost open zone.
    ///
    /// # Errors
    ///
    /// No open zone, a name that is taken, a zone that holds zones, too many hosts.
    pub fn host(&mut self, name: &str) -> Result<HostId, ZoneError> {
        let zone = self.member_zone(name)?;
        self.add_host(zone, name)
    }

    fn add_host(&mut self, zone: u32, name: &str) -> Result<HostId, ZoneError> {
        let hosts = self.platform.hosts.len();
        Self::limit("hosts", hosts as u64 + 1, MAX_HOSTS)?;
        let host = HostId::from_index(hosts);
        let point = self.add_point(name, Some(zone), What::Host(host))?;
        self.platform.hosts.push(point);
        Ok(host)
    }

    /// Adds a router to the innermost open zone.
    ///
    /// # Errors
    ///
    /// As of [`Builder::host`].
    pub fn router(&mut self, name: &str) -> Result<(), ZoneError> {
        let zone = self.member_zone(name)?;
        self.add_point(name, Some(zone), What::Router)?;
        Ok(())
    }

    fn member_zone(&self, name: &str) -> Result<u32, ZoneError> {
        let zone = self.current(name)?;
        if self.platform.zones[zone as usize].holds_zones {
            Err(ZoneError::AmongZones {
                zone: self.platform.zone_name(zone).to_owned(),
                name: name.to_owned(),
            })
        } else {
            Ok(zone)
        }
    }

    /// Adds a link.
    ///
    /// # Errors
    ///
    /// No open zone, a name that is taken, a latency that is no time, too many links.
    pub fn link(&mut self, spec: LinkSpec<'_>) -> Result<(), ZoneError> {
        self.current(spec.name)?;
        let wire = Wire {
            rate: spec.rate,
            latency: spec.latency,
            sharing: match spec.policy {
                Policy::FatPipe => Sharing::FatPipe,
                Policy::Shared | Policy::SplitDuplex => Sharing::Shared,
            },
        };
        match spec.policy {
            Policy::SplitDuplex => {
                self.add_wire(spec.name, Direction::Up, wire)?;
                self.add_wire(spec.name, Direction::Down, wire)?;
            }
            Policy::Shared | Policy::FatPipe => {
                self.add_wire(spec.name, Direction::Both, wire)?;
            }
        }
        Ok(())
    }

    fn add_wire(
        &mut self,
        name: &str,
        direction: Direction,
        wire: Wire,
    ) -> Result<LinkId, ZoneError> {
        let secs = wire.latency.as_secs();
        let twice = || ZoneError::LinkTwice {
            name: name.to_owned(),
        };
        if !(secs.is_finite() && 0.0 <= secs) {
            let name = name.to_owned();
            return Err(ZoneError::Latency { name, secs });
        }
        Self::limit("links", u64::from(self.platform.wires.len()) + 1, MAX_LINKS)?;
        let full = super::wires::full_name(name, direction);
        // Names of the links of regular clusters have one of these in them.
        let may_clash = ["link_", "_backbone"]
            .iter()
            .any(|part| full.contains(part));
        if may_clash && self.regular_link(&full).is_some() {
            return Err(twice());
        }
        let link = self.platform.wires.add(name, direction, wire);
        link.ok_or_else(twice)
    }

    pub(super) fn regular_link(&self, full: &str) -> Option<LinkId> {
        self.of_regular(|regular| regular.named(full))
    }

    pub(super) fn of_regular(&self, find: impl Fn(&Regular) -> Option<u32>) -> Option<LinkId> {
        let clusters = self.regular.iter();
        let mut clusters = clusters.filter_map(|&zone| self.platform.regular(zone));
        clusters.find_map(|regular| Some(regular.link_at(find(regular)?)))
    }

    /// Adds a regular cluster as a zone inside the innermost open one, or as the outermost.
    ///
    /// # Errors
    ///
    /// Parameters that do not fit each other, too many hosts or links, names that are taken.
    pub fn cluster(&mut self, spec: &RegularSpec) -> Result<(), ZoneError> {
        let secs = spec.latency.as_secs();
        if !(secs.is_finite() && 0.0 <= secs) {
            let name = spec.name.clone();
            return Err(ZoneError::Latency { name, secs });
        }
        let first_link = LinkId::new(self.platform.wires.len());
        let regular = Regular::new(spec, first_link, &mut self.counters)?;
        let hosts = self.platform.hosts.len() as u64 + u64::from(regular.hosts);
        Self::limit("hosts", hosts, MAX_HOSTS)?;
        let links = u64::from(first_link.get()) + regular.n_links();
        Self::limit("links", links, MAX_LINKS)?;
        if regular.limiters_collide() {
            return Err(ZoneError::Shape {
                name: spec.name.clone(),
                what: "limiters of its hosts and of its more switches have the same names".into(),
            });
        }
        let (n_links, n_hosts) = (regular.n_links(), regular.hosts);
        let numbers: Vec<u32> = (0..n_hosts).map(|host| regular.number(host)).collect();
        let zone = self.add_zone(&spec.name, Kind::Regular(Box::new(regular)))?;
        for number in numbers {
            self.add_host(zone, &format!("{}{number}{}", spec.prefix, spec.suffix))?;
        }
        if let Some(router) = spec.router_name() {
            self.add_point(&router, Some(zone), What::Router)?;
        }
        let n_links = u32::try_from(n_links).unwrap_or(u32::MAX);
        self.platform.wires.add_block(zone, n_links);
        self.regular.push(zone);
        Ok(())
    }

    /// The platform.
    ///
    /// # Errors
    ///
    /// No zone at all, or one that is still open.
    pub fn finish(mut self) -> Result<Platform, ZoneError> {
        if let Some(&zone) = self.open.last() {
            return Err(ZoneError::Open {
                name: self.platform.zone_name(zone).to_owned(),
            });
        }
        if self.platform.zones.is_empty() {
            return Err(ZoneError::Nothing);
        }
        self.platform.hosts.shrink_to_fit();
        Ok(self.platform)
    }
}
