//! A platform of zones as a topology.

use std::collections::HashMap;
use std::sync::Arc;

use units::{HostId, LinkId, Seconds};

use super::error::NoWay;
use super::regular::Regular;
use super::wires::{Source, Wires};
use super::zone::{Kind, Point, What, Zone};
use crate::topology::{Topology, Wire, WireName};

/// Hosts, routers and links in nested zones. [`Builder`](super::Builder) is the only way in.
///
/// Between two hosts there is one way, that of `SimGrid`. Only inside a fat tree all ways up and
/// down are offered: the choices are the ports up, from the source on, and then the cables down,
/// and ways are numbered in the lexicographic order of these choices.
#[derive(Clone, Debug)]
pub struct Platform {
    pub(super) points: Vec<Point>,
    /// The point of each host.
    pub(super) hosts: Vec<u32>,
    pub(super) zones: Vec<Zone>,
    pub(super) wires: Wires,
    pub(super) by_name: HashMap<Arc<str>, u32>,
}

impl Platform {
    /// The way between two hosts that `SimGrid` takes, or why there is none.
    ///
    /// # Errors
    ///
    /// The zone that connects neither the hosts nor the zones in which they stand.
    pub fn route(&self, from: HostId, to: HostId) -> Result<Vec<LinkId>, NoWay> {
        let mut links = Vec::new();
        let [from, to] = [from, to].map(|host| self.hosts[host.index()]);
        self.connect(from, to, &mut links)?;
        Ok(links)
    }

    /// The name of the outermost zone.
    pub fn name(&self) -> &str {
        let root = self.zones.first().map(|zone| zone.point);
        root.map_or("", |point| self.name_of(point))
    }

    /// How many zones there are, the outermost one included.
    pub const fn n_zones(&self) -> usize {
        self.zones.len()
    }

    pub(super) fn name_of(&self, point: u32) -> &str {
        &self.points[point as usize].name
    }

    pub(super) fn zone_name(&self, zone: u32) -> &str {
        self.name_of(self.zones[zone as usize].point)
    }

    pub(super) fn place(&self, point: u32) -> u32 {
        self.points[point as usize].place
    }

    /// The zone that a point is a member of; a host has one.
    pub(super) fn zone_of(&self, point: u32) -> Option<u32> {
        self.points[point as usize].zone
    }

    pub(super) fn regular(&self, zone: u32) -> Option<&Regular> {
        match &self.zones[zone as usize].kind {
            Kind::Regular(regular) => Some(regular),
            _ => None,
        }
    }

    /// The fat tree in which both hosts stand, with their places in it.
    fn fat_tree(&self, from: HostId, to: HostId) -> Option<(&Regular, u32, u32)> {
        let [a, b] = [from, to].map(|host| &self.points[self.hosts[host.index()] as usize]);
        let zone = a.zone.filter(|_| from != to && a.zone == b.zone)?;
        let regular = self.regular(zone)?;
        regular.fat_tree()?;
        Some((regular, a.place, b.place))
    }
}

impl Topology for Platform {
    fn n_hosts(&self) -> u32 {
        HostId::from_index(self.hosts.len()).get()
    }

    fn host_name(&self, host: HostId) -> String {
        self.name_of(self.hosts[host.index()]).to_owned()
    }

    fn host_named(&self, name: &str) -> Option<HostId> {
        let &point = self.by_name.get(name)?;
        match self.points[point as usize].what {
            What::Host(host) => Some(host),
            What::Router | What::Zone(_) => None,
        }
    }

    fn n_links(&self) -> u32 {
        self.wires.len()
    }

    fn wire(&self, link: LinkId) -> Wire {
        match self.wires.find(link) {
            (Source::Listed(start), place) => self.wires.listed(start, place).wire,
            (Source::Zone(zone), place) => match self.regular(zone) {
                Some(regular) => regular.wire(place),
                None => unreachable!("only regular clusters own blocks of links"),
            },
        }
    }

    fn wire_name(&self, link: LinkId) -> WireName {
        match self.wires.find(link) {
            (Source::Listed(start), place) => {
                let listed = self.wires.listed(start, place);
                WireName {
                    name: listed.name.to_string(),
                    direction: listed.direction,
                }
            }
            (Source::Zone(zone), place) => match self.regular(zone) {
                Some(regular) => regular.wire_name(place),
                None => unreachable!("only regular clusters own blocks of links"),
            },
        }
    }

    /// Hosts of a flat cluster, or of a leaf of a fat tree, hang on the same; any other host, and
    /// one that is a gateway, has a number of its own.
    fn access(&self, host: HostId) -> u32 {
        let point = &self.points[self.hosts[host.index()] as usize];
        let alike = point.zone.filter(|_| !point.gateway).and_then(|zone| {
            let outermost = self.zones[zone as usize].parent.is_none();
            self.regular(zone)?.alike(outermost)
        });
        match alike {
            Some(alike) => host.get() - point.place % alike,
            None => self.n_hosts() + host.get(),
        }
    }

    fn n_ways(&self, from: HostId, to: HostId) -> u32 {
        if from == to {
            return 1;
        }
        if let Some((regular, a, b)) = self.fat_tree(from, to) {
            return regular.fat_tree().map_or(1, |tree| tree.n_ways(a, b));
        }
        u32::from(self.route(from, to).is_ok())
    }

    fn static_way(&self, from: HostId, to: HostId) -> u32 {
        let ways = self.fat_tree(from, to);
        ways.and_then(|(regular, a, b)| Some(regular.fat_tree()?.static_way(a, b)))
            .unwrap_or(0)
    }

    fn way(&self, from: HostId, to: HostId, way: u32, out: &mut Vec<LinkId>) {
        if let Some((regular, a, b)) = self.fat_tree(from, to) {
            regular.way(a, b, Some(way), out);
            return;
        }
        let [from, to] = [from, to].map(|host| self.hosts[host.index()]);
        let first = out.len();
        if self.connect(from, to, out).is_err() {
            out.truncate(first);
        }
    }

    /// Its last bit is that of `SimGrid`, which the order of links decides.
    fn latency(&self, from: HostId, to: HostId, way: u32) -> Seconds {
        if self.fat_tree(from, to).is_some() {
            let mut links = Vec::new();
            self.way(from, to, way, &mut links);
            return links.iter().map(|&link| self.wire(link).latency).sum();
        }
        let [from, to] = [from, to].map(|host| self.hosts[host.index()]);
        self.delay(from, to).unwrap_or(Seconds::ZERO)
    }
}
