//! Routes that a file lists: their ends, gateways and links, by name.

use units::LinkId;

use super::build::Builder;
use super::edge::Edge;
use super::error::ZoneError;
use super::zone::{Kind, What};
use crate::topology::Direction;

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

impl Builder {
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
    pub(super) fn hop(&self, hop: Hop<'_>) -> Result<[LinkId; 2], ZoneError> {
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
    pub(super) fn point(&self, name: &str) -> Result<u32, ZoneError> {
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
}
