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

/// A link of a route, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The link.
    pub link: &'a str,
    /// The way it is crossed, where it is split by direction.
    pub direction: Direction,
}

/// Between what a route leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends<'a> {
    /// Where it begins.
    pub from: &'a str,
    /// Where it ends.
    pub to: &'a str,
    /// If the ends are zones, the hosts or routers at which it leaves the one and enters the
    /// other.
    pub gateways: Option<[&'a str; 2]>,
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
    platform: Platform,
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

    fn current(&self, name: &str) -> Result<u32, ZoneError> {
        self.open
            .last()
            .copied()
            .ok_or_else(|| ZoneError::OutsideZones {
                name: name.to_owned(),
            })
    }

    fn zone(&mut self, zone: u32) -> &mut Zone {
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

    fn regular_link(&self, full: &str) -> Option<LinkId> {
        self.of_regular(|regular| regular.named(full))
    }

    fn of_regular(&self, find: impl Fn(&Regular) -> Option<u32>) -> Option<LinkId> {
        let clusters = self.regular.iter();
        let mut clusters = clusters.filter_map(|&zone| self.platform.regular(zone));
        clusters.find_map(|regular| Some(regular.link_at(find(regular)?)))
    }

    /// The links of a route, and those of the way back.
    fn links(&self, hops: &[Hop<'_>]) -> Result<[Vec<LinkId>; 2], ZoneError> {
        let mut ways = [const { Vec::new() }; 2];
        for hop in hops {
            let [there, back] = self.hop(*hop)?;
            ways[0].push(there);
            ways[1].push(back);
        }
        ways[1].reverse();
        Ok(ways)
    }

    /// A link as a route crosses it, and as the way back does.
    fn hop(&self, hop: Hop<'_>) -> Result<[LinkId; 2], ZoneError> {
        let wires = &self.platform.wires;
        let name = hop.link;
        let one = || wires.named(name).or_else(|| self.regular_link(name));
        let split = || {
            let listed = wires.split(name);
            let up = listed.or_else(|| self.of_regular(|regular| regular.split_named(name)))?;
            Some([up, LinkId::new(up.get() + 1)])
        };
        let unknown = || ZoneError::UnknownLink {
            name: name.to_owned(),
        };
        let name = || name.to_owned();
        match hop.direction {
            Direction::Both => match one() {
                Some(link) => Ok([link, link]),
                None if split().is_some() => Err(ZoneError::NoDirection { name: name() }),
                None => Err(unknown()),
            },
            direction => match split() {
                Some([up, down]) if direction == Direction::Up => Ok([up, down]),
                Some([up, down]) => Ok([down, up]),
                None if one().is_some() => Err(ZoneError::NotSplit { name: name() }),
                None => Err(unknown()),
            },
        }
    }

    /// The point of a name.
    fn point(&self, name: &str) -> Result<u32, ZoneError> {
        let point = self.platform.by_name.get(name).copied();
        point.ok_or_else(|| ZoneError::UnknownPoint {
            name: name.to_owned(),
        })
    }

    /// Adds a route between members of the innermost open zone, and the way back if it is
    /// symmetrical.
    ///
    /// # Errors
    ///
    /// Ends or gateways that are not what and where they must be, unknown links, no link at all, a
    /// second route between the same ends, a zone that takes no routes.
    pub fn route(
        &mut self,
        ends: Ends<'_>,
        hops: &[Hop<'_>],
        symmetrical: bool,
    ) -> Result<(), ZoneError> {
        let zone = self.current(ends.from)?;
        let [from, to] = self.members(zone, ends)?;
        let gateways = self.gateways(ends, [from, to])?;
        let [there, back] = self.links(hops)?;
        let places = [from, to].map(|point| self.platform.place(point));
        let text = |name: &str| name.to_owned();
        let (from_name, to_name) = (text(ends.from), text(ends.to));
        if let Kind::Star(star) = &mut self.zone(zone).kind
            && from == to
        {
            star.spoke(places[0]).loopback = Some(there.into());
            return Ok(());
        }
        if there.is_empty() {
            let (from, to) = (from_name, to_name);
            return Err(ZoneError::Empty { from, to });
        }
        let mut added = self.add_edge(zone, places, there, gateways);
        if added == Some(true) && symmetrical && from != to {
            let [from, to] = places;
            let swapped = gateways.map(|[leave, enter]| [enter, leave]);
            added = self.add_edge(zone, [to, from], back, swapped);
        }
        let (from, to) = (from_name, to_name);
        match added {
            Some(true) => Ok(()),
            Some(false) => Err(ZoneError::RouteTwice { from, to }),
            None => Err(ZoneError::NoRoutes {
                zone: self.platform.zone_name(zone).to_owned(),
                routing: self.platform.zones[zone as usize].kind.name(),
                from,
                to,
            }),
        }
    }

    fn add_edge(
        &mut self,
        zone: u32,
        [from, to]: [u32; 2],
        links: Vec<LinkId>,
        gateways: Option<[u32; 2]>,
    ) -> Option<bool> {
        let links = links.into();
        let edge = Edge { links, gateways };
        match &mut self.zone(zone).kind {
            Kind::Full(edges) => Some(edges.add(from, to, edge)),
            Kind::Floyd(floyd) => Some(floyd.add(from, to, edge)),
            Kind::Dijkstra(dijkstra) => Some(dijkstra.add(from, to, edge)),
            Kind::Star(_) | Kind::Regular(_) | Kind::Nothing => None,
        }
    }

    /// The points of a route's ends, which are members of the zone.
    fn members(&self, zone: u32, ends: Ends<'_>) -> Result<[u32; 2], ZoneError> {
        let points = [self.point(ends.from)?, self.point(ends.to)?];
        for (point, name) in points.into_iter().zip([ends.from, ends.to]) {
            let found = self.platform.zone_of(point);
            if found != Some(zone) {
                let zone_name = |zone| self.platform.zone_name(zone).to_owned();
                return Err(ZoneError::NotAMember {
                    name: name.to_owned(),
                    zone: zone_name(zone),
                    found: found.map_or_else(|| "(none)".to_owned(), zone_name),
                });
            }
            self.check_end(point, name, ends.gateways.is_some())?;
        }
        Ok(points)
    }

    fn check_end(&self, point: u32, name: &str, zones: bool) -> Result<(), ZoneError> {
        let is_zone = matches!(self.platform.points[point as usize].what, What::Zone(_));
        let name = || name.to_owned();
        match (is_zone, zones) {
            (true, false) => Err(ZoneError::EndIsZone { name: name() }),
            (false, true) => Err(ZoneError::EndIsNoZone { name: name() }),
            _ => Ok(()),
        }
    }

    /// The points of a route's gateways, each inside the zone that it is the gateway of.
    fn gateways(
        &mut self,
        ends: Ends<'_>,
        points: [u32; 2],
    ) -> Result<Option<[u32; 2]>, ZoneError> {
        let Some(names) = ends.gateways else {
            return Ok(None);
        };
        let gateways = [self.point(names[0])?, self.point(names[1])?];
        for ((gateway, name), zone) in gateways.into_iter().zip(names).zip(points) {
            self.check_gateway(gateway, name, zone)?;
            self.platform.points[gateway as usize].gateway = true;
        }
        if gateways[0] == gateways[1] {
            let name = names[0].to_owned();
            return Err(ZoneError::GatewayTwice { name });
        }
        Ok(Some(gateways))
    }

    fn check_gateway(&self, gateway: u32, name: &str, zone: u32) -> Result<(), ZoneError> {
        let name = name.to_owned();
        if matches!(self.platform.points[gateway as usize].what, What::Zone(_)) {
            return Err(ZoneError::GatewayIsZone { name });
        }
        let mut at = self.platform.zone_of(gateway);
        while let Some(id) = at {
            let above = &self.platform.zones[id as usize];
            if above.point == zone {
                return Ok(());
            }
            at = above.parent;
        }
        let zone = self.platform.name_of(zone).to_owned();
        Err(ZoneError::GatewayOutside { name, zone })
    }

    /// Declares a route that replaces that of the rule, in one direction: between two members of
    /// the innermost open zone, or between zones at any depth in it.
    ///
    /// # Errors
    ///
    /// As of [`Builder::route`].
    pub fn bypass(&mut self, ends: Ends<'_>, hops: &[Hop<'_>]) -> Result<(), ZoneError> {
        let zone = self.current(ends.from)?;
        let points = [self.point(ends.from)?, self.point(ends.to)?];
        for (point, name) in points.into_iter().zip([ends.from, ends.to]) {
            self.check_end(point, name, ends.gateways.is_some())?;
        }
        let gateways = self.gateways(ends, points)?;
        let [links, _] = self.links(hops)?;
        let [from, to] = [ends.from, ends.to].map(str::to_owned);
        if links.is_empty() {
            return Err(ZoneError::Empty { from, to });
        }
        let links = links.into();
        let edge = Edge { links, gateways };
        if self.zone(zone).bypasses.add(points[0], points[1], edge) {
            Ok(())
        } else {
            Err(ZoneError::RouteTwice { from, to })
        }
    }

    fn star(&mut self, name: &str) -> Result<(u32, &mut Star), ZoneError> {
        let id = self.current(name)?;
        let zone = self.platform.zone_name(id).to_owned();
        match &mut self.platform.zones[id as usize].kind {
            Kind::Star(star) => Ok((id, star)),
            kind => Err(ZoneError::NotACluster {
                name: name.to_owned(),
                zone,
                routing: kind.name(),
            }),
        }
    }

    /// Connects a host of the innermost open zone, of routing Cluster, to its middle: by one link
    /// up and one down.
    ///
    /// # Errors
    ///
    /// Another routing, an unknown host or link.
    pub fn host_link(&mut self, host: &str, up: &str, down: &str) -> Result<(), ZoneError> {
        let (id, _) = self.star(host)?;
        let point = &self.platform.points[self.point(host)? as usize];
        if point.zone != Some(id) || !matches!(point.what, What::Host(_)) {
            return Err(ZoneError::NoHost {
                name: host.to_owned(),
                zone: self.platform.zone_name(id).to_owned(),
            });
        }
        let place = point.place;
        let link = |link| {
            let direction = Direction::Both;
            self.hop(Hop { link, direction }).map(|[link, _]| link)
        };
        let (up, down) = (link(up)?, link(down)?);
        self.star(host)?.1.connected.push((place, up, down));
        Ok(())
    }

    /// Gives the innermost open zone, of routing Cluster, a link that all its routes cross.
    ///
    /// # Errors
    ///
    /// Another routing, a second backbone, and as of [`Builder::link`].
    pub fn backbone(&mut self, spec: LinkSpec<'_>) -> Result<(), ZoneError> {
        let (id, star) = self.star(spec.name)?;
        if star.backbone.is_some() {
            return Err(ZoneError::SecondBackbone {
                zone: self.platform.zone_name(id).to_owned(),
                name: spec.name.to_owned(),
            });
        }
        self.link(spec)?;
        let link = self.platform.wires.named(spec.name);
        self.star(spec.name)?.1.backbone = link;
        Ok(())
    }

    /// Adds a host to the innermost open zone, of routing Cluster, with a link up and one down.
    ///
    /// # Errors
    ///
    /// Another routing, and as of [`Builder::host`] and [`Builder::link`].
    pub fn cabinet_host(
        &mut self,
        name: &str,
        rate: BytesPerSec,
        latency: Seconds,
    ) -> Result<(), ZoneError> {
        self.star(name)?;
        self.host(name)?;
        let link = format!("link_{name}");
        let policy = Policy::SplitDuplex;
        self.link(LinkSpec {
            name: &link,
            rate,
            latency,
            policy,
        })?;
        self.host_link(name, &format!("{link}_UP"), &format!("{link}_DOWN"))
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
