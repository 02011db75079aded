//! Hosts of a `SimGrid` platform, and the links that their messages take first and last.

use std::collections::BTreeSet;

use cluster::zones::Platform;
use cluster::{Sharing, Topology as _};
use units::{HostId, LinkId};

use super::{CableView, DeviceView, GroupId, GroupView, Level, Part, TopologyView};

/// Hosts of a platform that are drawn at most.
const MOST: u32 = 1_024;

/// The hosts, each with its way into the network, and the links in between as cables of the
/// network with itself.
pub(super) fn of_platform(platform: &Platform) -> TopologyView {
    let shown = platform.n_hosts().min(MOST);
    let hosts = (0..shown).map(HostId::new);
    let mut told: BTreeSet<LinkId> = BTreeSet::new();
    let mut cables: Vec<CableView> = Vec::new();
    for host in hosts.clone() {
        let other = HostId::new((host.get() + 1) % platform.n_hosts());
        let way = |from, to| {
            let mut links = Vec::new();
            platform.way(from, to, 0, &mut links);
            links
        };
        let up = way(host, other).first().copied();
        let down = way(other, host).last().copied();
        let (Some(up), Some(down)) = (up, down) else {
            continue;
        };
        told.extend([up, down]);
        let ends = [Part::Host(host), Part::Network];
        cables.push(cable(platform, ends, [vec![up], vec![down]]));
    }
    let between = (0..platform.n_links()).map(LinkId::new);
    let between = between.filter(|link| !told.contains(link));
    let between = between.take(MOST as usize).map(|link| {
        let ends = [Part::Network, Part::Network];
        cable(platform, ends, [vec![link], Vec::new()])
    });
    let between: Vec<CableView> = between.collect();
    cables.extend(between);
    let host = |host| DeviceView {
        part: Part::Host(host),
        name: platform.host_name(host),
        level: Level::Gpu,
        parent: GroupId::Whole,
        kind: None,
        speed: 1.0,
    };
    let mut devices: Vec<DeviceView> = hosts.map(host).collect();
    devices.push(DeviceView {
        part: Part::Network,
        name: "network".to_owned(),
        level: Level::Spine,
        parent: GroupId::Whole,
        kind: None,
        speed: 1.0,
    });
    let left = platform.n_hosts() - shown;
    TopologyView {
        groups: vec![GroupView {
            id: GroupId::Whole,
            name: platform.name().to_owned(),
            parent: None,
            is_open: true,
            has_parts: true,
            nodes: platform.n_hosts(),
            gpus: 0,
            switches: 0,
        }],
        devices,
        cables,
        left_out: (0 < left).then(|| format!("{left} hosts are not shown")),
    }
}

fn cable(platform: &Platform, ends: [Part; 2], links: [Vec<LinkId>; 2]) -> CableView {
    let first = links
        .iter()
        .flatten()
        .next()
        .copied()
        .unwrap_or(LinkId::new(0));
    let wire = platform.wire(first);
    CableView {
        ends,
        name: platform.wire_name(first).name,
        kind: None,
        links,
        rate: wire.rate,
        latency: wire.latency,
        is_down: false,
        is_fat: wire.sharing == Sharing::FatPipe,
    }
}
