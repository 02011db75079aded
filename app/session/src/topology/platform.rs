//! Hosts of a `SimGrid` platform, and the places where its links meet.

use std::collections::{BTreeMap, BTreeSet};

use cluster::zones::Platform;
use cluster::{Direction, Sharing, Topology as _};
use units::{HostId, LinkId};

use super::junctions::Junctions;
use super::{CableView, DeviceView, GroupId, GroupView, Level, Part, Shape, TopologyView};

/// Hosts of a platform that are drawn at most.
const MOST: u32 = 1_024;

/// The hosts, the places where links meet, and the links between both.
///
/// * `pairs` — senders and receivers of the workload, whose ways are seen.
pub(super) fn of_platform(
    platform: &Platform,
    pairs: impl Iterator<Item = (HostId, HostId)>,
) -> TopologyView {
    let shown = platform.n_hosts().min(MOST);
    let junctions = Junctions::new(platform, shown, pairs);
    let depths = junctions.depths();
    let places = places(shown, &depths);
    let mut found = Found::default();
    for (link, ends) in junctions.links() {
        found.add(platform, link, ends.map(|end| places.part(end)));
    }
    let mut devices = places.hosts(platform);
    devices.extend(places.junctions());
    TopologyView {
        shape: shape(&junctions, &depths),
        groups: vec![GroupView {
            id: GroupId::Whole,
            name: platform.name().to_owned(),
            parent: None,
            is_open: true,
            has_parts: true,
            nodes: platform.n_hosts(),
            members: Vec::new(),
            gpus: 0,
            switches: 0,
        }],
        devices,
        left_out: left_out(platform, shown, junctions.links().count()),
        cables: found.cables,
    }
}

/// Levels where every link leads one level up or down or stays at its place, else a web.
fn shape(junctions: &Junctions, depths: &BTreeMap<u32, u32>) -> Shape {
    let depth = |place: u32| depths.get(&place).copied().unwrap_or(0);
    let mut links = junctions.links();
    let leveled = links.all(|(_, [a, b])| a == b || depth(a).abs_diff(depth(b)) == 1);
    if leveled && depths.values().all(|depth| *depth <= 3) {
        Shape::Levels
    } else {
        Shape::Web
    }
}

fn left_out(platform: &Platform, shown: u32, links: usize) -> Option<String> {
    let hosts = platform.n_hosts() - shown;
    let links = (platform.n_links() as usize).saturating_sub(links);
    let mut parts = Vec::new();
    if 0 < hosts {
        parts.push(format!("{hosts} hosts are not shown"));
    }
    if 0 < links {
        let verb = if links == 1 { "link lies" } else { "links lie" };
        parts.push(format!("{links} {verb} on no way that was looked at"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Numbered places: hosts, then where links meet, from below.
struct Places {
    hosts: u32,
    /// By place, the number of the junction and its level.
    junctions: BTreeMap<u32, (u32, Level)>,
}

fn places(hosts: u32, depths: &BTreeMap<u32, u32>) -> Places {
    let mut places: Vec<(u32, u32)> = depths.iter().map(|(at, depth)| (*depth, *at)).collect();
    places.retain(|(_, at)| hosts <= *at);
    places.sort_unstable();
    let junctions = (0..).zip(places).map(|(number, (depth, at))| {
        let level = match depth {
            0 | 1 => Level::Leaf,
            2 => Level::Spine,
            _ => Level::Core,
        };
        (at, (number, level))
    });
    Places {
        hosts,
        junctions: junctions.collect(),
    }
}

impl Places {
    fn part(&self, place: u32) -> Part {
        match self.junctions.get(&place) {
            Some((number, _)) => Part::Junction(*number),
            None => Part::Host(HostId::new(place)),
        }
    }

    fn hosts(&self, platform: &Platform) -> Vec<DeviceView> {
        let hosts = (0..self.hosts).map(HostId::new);
        let hosts =
            hosts.map(|host| device(Part::Host(host), platform.host_name(host), Level::Gpu));
        hosts.collect()
    }

    fn junctions(&self) -> Vec<DeviceView> {
        let junctions: BTreeSet<(u32, Level)> = self.junctions.values().copied().collect();
        let devices = junctions.into_iter().map(|(number, level)| {
            device(Part::Junction(number), format!("switch {number}"), level)
        });
        devices.collect()
    }
}

const fn device(part: Part, name: String, level: Level) -> DeviceView {
    DeviceView {
        part,
        name,
        level,
        parent: GroupId::Whole,
        kind: None,
        speed: 1.0,
    }
}

/// Cables, those between the same two places as one.
#[derive(Default)]
struct Found {
    cables: Vec<CableView>,
    known: BTreeMap<[Part; 2], usize>,
}

impl Found {
    fn add(&mut self, platform: &Platform, link: LinkId, ends: [Part; 2]) {
        let [a, b] = ends;
        let (name, wire) = (platform.wire_name(link), platform.wire(link));
        // A loop stands for itself: it has no other direction.
        let known = self.known.get(&[a, b]).map(|at| (*at, 0));
        let turned = self.known.get(&[b, a]).map(|at| (*at, 1));
        let (at, direction) = known.or(turned).filter(|_| a != b).unwrap_or_else(|| {
            self.known.insert(ends, self.cables.len());
            self.cables.push(CableView {
                ends,
                name: name.name.clone(),
                kind: None,
                links: [Vec::new(), Vec::new()],
                rate: wire.rate,
                latency: wire.latency,
                is_down: false,
                is_fat: wire.sharing == Sharing::FatPipe,
            });
            (self.cables.len() - 1, 0)
        });
        let links = &mut self.cables[at].links;
        links[direction].push(link);
        if name.direction == Direction::Both {
            links[1 - direction].push(link);
        }
    }
}
