//! Routes through nested zones, put together over gateways.

use units::{LinkId, Seconds};

use super::edge::Edge;
use super::error::NoWay;
use super::platform::Platform;
use super::zone::{Kind, Zone};
use crate::topology::Topology as _;

/// Where the ways up from two points meet.
struct Meeting {
    common: u32,
    /// The members of the common zone above the points: the points themselves or zones.
    ends: [u32; 2],
}

/// The links of a way and, where it is asked for, their latency.
///
/// Latencies are added in the order in which `SimGrid` adds them, since shares over fat pipes may
/// hang on the last bit of the sum: the zone in common before what leads up to it and down from
/// it, and in zones of routing Dijkstra the last listed route first.
struct Trail<'a> {
    links: &'a mut Vec<LinkId>,
    /// In seconds.
    latency: Option<f64>,
}

/// More gateways inside gateways than nested zones allow.
const MAX_DEPTH: u32 = 4096;

impl Platform {
    /// Appends the links from one host to another. Only from a host to itself there may be none.
    pub(super) fn connect(&self, from: u32, to: u32, out: &mut Vec<LinkId>) -> Result<(), NoWay> {
        let first = out.len();
        let mut trail = Trail {
            links: out,
            latency: None,
        };
        self.connect_within(from, to, MAX_DEPTH, &mut trail)?;
        if from == to || first < out.len() {
            return Ok(());
        }
        let common = self.meet(from, to).common;
        Err(self.no_route(common, from, to))
    }

    /// How long a first byte takes from one host to another, to the last bit as `SimGrid` has it.
    pub(super) fn delay(&self, from: u32, to: u32) -> Result<Seconds, NoWay> {
        let mut trail = Trail {
            links: &mut Vec::new(),
            latency: Some(0.0),
        };
        self.connect_within(from, to, MAX_DEPTH, &mut trail)?;
        Ok(Seconds::from_secs(trail.latency.unwrap_or(0.0)))
    }

    /// Adds the latencies of links, one after the other.
    fn add_latencies(&self, sum: &mut Option<f64>, links: &[LinkId]) {
        let Some(sum) = sum else { return };
        for &link in links {
            *sum += self.wire(link).latency.as_secs();
        }
    }

    fn no_route(&self, zone: u32, from: u32, to: u32) -> NoWay {
        let zone = self.zone_name(zone).to_owned();
        let [from, to] = self.names(from, to);
        NoWay::NoRoute { zone, from, to }
    }

    fn connect_within(
        &self,
        from: u32,
        to: u32,
        depth: u32,
        out: &mut Trail<'_>,
    ) -> Result<(), NoWay> {
        let Some(depth) = depth.checked_sub(1) else {
            let [from, to] = self.names(from, to);
            return Err(NoWay::Loop { from, to });
        };
        let meeting = self.meet(from, to);
        let zone = &self.zones[meeting.common as usize];
        if !zone.bypasses.is_empty()
            && let Some(result) = self.bypass(zone, from, to, depth, out)
        {
            return result;
        }
        let [a, b] = meeting.ends;
        if a == from && b == to {
            return self.local(meeting.common, a, b, depth, out).map(|_| ());
        }
        let mut middle = Vec::new();
        let mut part = Trail {
            links: &mut middle,
            latency: out.latency,
        };
        let gateways = self.local(meeting.common, a, b, depth, &mut part)?;
        out.latency = part.latency;
        let Some([leave, enter]) = gateways else {
            let zone = self.zone_name(meeting.common).to_owned();
            let [from, to] = self.names(a, b);
            return Err(NoWay::NoGateways { zone, from, to });
        };
        if leave != from {
            self.connect_within(from, leave, depth, out)?;
        }
        out.links.append(&mut middle);
        if enter != to {
            self.connect_within(enter, to, depth, out)?;
        }
        Ok(())
    }

    fn names(&self, from: u32, to: u32) -> [String; 2] {
        [from, to].map(|point| self.name_of(point).to_owned())
    }

    /// The deepest zone that both points stand in, and its members above them.
    fn meet(&self, from: u32, to: u32) -> Meeting {
        let mut ends = [from, to];
        let mut zones = ends.map(|point| self.zone_of(point).unwrap_or(0));
        while zones[0] != zones[1] {
            let depths = zones.map(|zone| self.zones[zone as usize].depth);
            let deeper = usize::from(depths[0] <= depths[1]);
            let climbs = depths[0] == depths[1];
            for side in [0, 1].into_iter().filter(|&side| climbs || side == deeper) {
                let zone = &self.zones[zones[side] as usize];
                ends[side] = zone.point;
                zones[side] = zone.parent.unwrap_or(0);
            }
        }
        Meeting {
            common: zones[0],
            ends,
        }
    }

    /// The route between two members of a zone, with its gateways where it connects zones.
    fn local(
        &self,
        zone_id: u32,
        from: u32,
        to: u32,
        depth: u32,
        out: &mut Trail<'_>,
    ) -> Result<Option<[u32; 2]>, NoWay> {
        let zone = &self.zones[zone_id as usize];
        let first = out.links.len();
        let [a, b] = [from, to].map(|point| self.place(point));
        let mut members = Vec::new();
        let found = match &zone.kind {
            Kind::Nothing => None,
            // Without a listed route the members lie side by side: a way that has links elsewhere
            // crosses none here.
            Kind::Full(_) => {
                members.extend([a, b]);
                Some(())
            }
            Kind::Regular(regular) => {
                regular.way(a, b, None, out.links);
                Some(())
            }
            Kind::Star(star) => star.way(a, b, out.links),
            Kind::Floyd(floyd) => floyd.members_on_way(a, b, &mut members),
            Kind::Dijkstra(dijkstra) => dijkstra.members_on_way(a, b, &mut members),
        };
        found.ok_or_else(|| self.no_route(zone_id, from, to))?;
        self.add_latencies(&mut out.latency, &out.links[first..]);
        self.stitch(zone, &members, depth, out)
    }

    /// Appends the listed routes between members in a row, and between two of them the way inside
    /// the zone that lies in the middle.
    fn stitch(
        &self,
        zone: &Zone,
        members: &[u32],
        depth: u32,
        out: &mut Trail<'_>,
    ) -> Result<Option<[u32; 2]>, NoWay> {
        let backwards = out.latency.is_some() && matches!(zone.kind, Kind::Dijkstra(_));
        let mut behind: Vec<&Edge> = Vec::new();
        let mut ends: Option<[u32; 2]> = None;
        for pair in members.windows(2) {
            let Some(edge) = zone.kind.edge(pair[0], pair[1]) else {
                continue;
            };
            if let Some([leave, enter]) = edge.gateways {
                if let Some([_, last]) = ends
                    && last != leave
                {
                    self.connect_within(last, leave, depth, out)?;
                }
                ends = Some([ends.map_or(leave, |[first, _]| first), enter]);
            }
            out.links.extend_from_slice(&edge.links);
            if backwards {
                behind.push(edge);
            } else {
                self.add_latencies(&mut out.latency, &edge.links);
            }
        }
        for edge in behind.into_iter().rev() {
            self.add_latencies(&mut out.latency, &edge.links);
        }
        Ok(ends)
    }

    /// The route that a file declares in place of that of the rule: between the points
    /// themselves, or between zones above them, those close to the points first.
    fn bypass(
        &self,
        zone: &Zone,
        from: u32,
        to: u32,
        depth: u32,
        out: &mut Trail<'_>,
    ) -> Option<Result<(), NoWay>> {
        let listed = |edge: &Edge, out: &mut Trail<'_>| {
            out.links.extend_from_slice(&edge.links);
            self.add_latencies(&mut out.latency, &edge.links);
        };
        let above = |point: u32| {
            let mut zones = Vec::new();
            let mut at = self.zone_of(point);
            while let Some(id) = at {
                let above = &self.zones[id as usize];
                if above.depth <= zone.depth {
                    break;
                }
                zones.push(above.point);
                at = above.parent;
            }
            zones
        };
        let [sources, targets] = [above(from), above(to)];
        if sources.is_empty() && targets.is_empty() {
            let edge = zone.bypasses.get(from, to)?;
            listed(edge, out);
            return Some(Ok(()));
        }
        let lookup = |i: usize, j: usize| zone.bypasses.get(*sources.get(i)?, *targets.get(j)?);
        let ranks = 0..sources.len().max(targets.len());
        let edge = ranks.into_iter().find_map(|rank| {
            let pairs = (0..rank).flat_map(|less| [(less, rank), (rank, less)]);
            pairs.chain([(rank, rank)]).find_map(|(i, j)| lookup(i, j))
        })?;
        let [leave, enter] = edge.gateways?;
        Some(self.connect_within(from, leave, depth, out).and_then(|()| {
            listed(edge, out);
            self.connect_within(enter, to, depth, out)
        }))
    }
}
