//! Which link carried what, when, and for whom.
//!
//! The flow engine knows the rate of every path at every moment, so its figures are exact. The
//! packet engine counts bytes of every link at equal intervals; each interval is divided among
//! the transfers that went on in it and are to be expected on the link, in proportion to what
//! they put there.

use std::collections::BTreeMap;

use cluster::{Cluster, Topology};
use lower::{Carried, Fabric};
use network::Stretch;
use network::packet;
use units::{BytesPerSec, LinkId, SimTime};

/// The links of a run that carried anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Links {
    /// How long the run took.
    pub end: SimTime,
    /// Links, or classes of links that carried the same at the same time, the busiest first.
    pub links: Vec<LinkClass>,
}

/// Links that carried the same at the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkClass {
    /// The first link's cable.
    pub name: String,
    /// Its direction.
    pub direction: &'static str,
    /// How many links there are.
    pub count: u32,
    /// These links, ascending.
    pub members: Vec<LinkId>,
    /// What one of them could carry.
    pub rate: BytesPerSec,
    /// What one of them carried, in bytes.
    pub bytes: f64,
    /// The same over what it could have carried.
    pub utilisation: f64,
    /// In order of jobs, kinds and time; stretches of one kind do not overlap.
    pub loads: Vec<LinkLoad>,
}

/// A stretch of time in which a link carried traffic of one kind at one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkLoad {
    /// Its beginning.
    pub from: SimTime,
    /// Its end.
    pub to: SimTime,
    /// Bytes.
    pub bytes: f64,
    /// Whose traffic, and what for; none for acknowledgements and the like.
    pub carried: Option<Carried>,
}

impl LinkLoad {
    /// Bytes per second.
    pub fn rate(&self) -> f64 {
        self.bytes / self.to.since(self.from).as_secs()
    }

    /// What the traffic is for, as tables name it.
    pub fn what(&self) -> &'static str {
        self.carried
            .map_or("control", |carried| carried.kind.name())
    }
}

impl LinkClass {
    /// Bytes by job and kind, most first.
    pub fn by_kind(&self) -> Vec<(Option<Carried>, f64)> {
        let mut by: BTreeMap<Option<Carried>, f64> = BTreeMap::new();
        for load in &self.loads {
            *by.entry(load.carried).or_default() += load.bytes;
        }
        let mut by: Vec<_> = by.into_iter().collect();
        by.sort_by(|a, b| b.1.total_cmp(&a.1));
        by
    }
}

/// By link, the paths that cross it with the bytes that one of theirs puts there.
fn paths_of(fabric: &Fabric) -> BTreeMap<LinkId, Vec<(u32, f64)>> {
    let mut paths: BTreeMap<LinkId, BTreeMap<u32, f64>> = BTreeMap::new();
    for (path, loads) in (0..).zip(&fabric.loads) {
        for &(link, load) in loads {
            *paths.entry(link).or_default().entry(path).or_default() += load;
        }
    }
    let list = |(link, paths): (LinkId, BTreeMap<u32, f64>)| (link, paths.into_iter().collect());
    paths.into_iter().map(list).collect()
}

/// What the flow engine put on links.
///
/// * `folded` — whether links that carried the same are told as one.
pub(crate) fn of_flows(
    cluster: &Cluster,
    fabric: &Fabric,
    stretches: &[Stretch],
    end: SimTime,
    folded: bool,
) -> Links {
    let mut by_path: Vec<Vec<&Stretch>> = vec![Vec::new(); fabric.carried.len()];
    for stretch in stretches {
        by_path[stretch.path.index()].push(stretch);
    }
    let mut classes: BTreeMap<Alike, Vec<LinkId>> = BTreeMap::new();
    for (link, paths) in paths_of(fabric) {
        classes
            .entry(alike(cluster, link, &paths, folded))
            .or_default()
            .push(link);
    }
    let links = classes.into_iter().map(|(alike, links)| {
        let mut by_kind: BTreeMap<Carried, Vec<(SimTime, f64)>> = BTreeMap::new();
        for (path, load) in alike.paths {
            let changes = by_kind.entry(fabric.carried[path as usize]).or_default();
            for stretch in &by_path[path as usize] {
                let rate = stretch.rate * f64::from_bits(load);
                changes.extend([(stretch.from, rate), (stretch.to, -rate)]);
            }
        }
        let loads = by_kind
            .into_iter()
            .flat_map(|(carried, changes)| summed(changes, carried));
        class(cluster, &links, loads.collect(), end)
    });
    sorted(links.collect(), end)
}

/// What links must have in common to be told as one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    link: Option<LinkId>,
    kind: cluster::LinkKind,
    rate: u64,
    up: bool,
    paths: Vec<(u32, u64)>,
}

fn alike(cluster: &Cluster, link: LinkId, paths: &[(u32, f64)], folded: bool) -> Alike {
    let own = cluster.link(link);
    Alike {
        link: (!folded).then_some(link),
        kind: own.kind,
        rate: own.rate.as_f64().to_bits(),
        up: link.get() & 1 == 0,
        paths: paths
            .iter()
            .map(|(path, load)| (*path, load.to_bits()))
            .collect(),
    }
}

/// Changes of rate as stretches of equal rate; neighbors that differ by rounding are one.
fn summed(mut changes: Vec<(SimTime, f64)>, carried: Carried) -> Vec<LinkLoad> {
    changes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let most = changes.iter().map(|change| change.1).fold(0.0, f64::max);
    let mut loads: Vec<(LinkLoad, f64)> = Vec::new();
    let (mut rate, mut since) = (0.0, SimTime::ZERO);
    for same in changes.chunk_by(|a, b| a.0 == b.0) {
        let now = same[0].0;
        if most * 1e-9 < rate && since < now {
            let bytes = rate * now.since(since).as_secs();
            match loads.last_mut() {
                Some((last, before))
                    if last.to == since && (rate - *before).abs() < most * 1e-9 =>
                {
                    last.to = now;
                    last.bytes += bytes;
                }
                _ => loads.push((
                    LinkLoad {
                        from: since,
                        to: now,
                        bytes,
                        carried: Some(carried),
                    },
                    rate,
                )),
            }
        }
        rate += same.iter().map(|change| change.1).sum::<f64>();
        since = now;
    }
    loads.into_iter().map(|(load, _)| load).collect()
}

/// What the packet engine put on links.
pub(crate) fn of_packets<T: Topology>(
    cluster: &Cluster,
    fabric: &Fabric,
    network: &packet::PacketNetwork<T>,
    end: SimTime,
) -> Links {
    let mut by_path: Vec<Vec<packet::Carried>> = vec![Vec::new(); fabric.carried.len()];
    for carried in network.carried() {
        by_path[carried.path.index()].push(*carried);
    }
    let expected = paths_of(fabric);
    let Some(samples) = network.packets().samples() else {
        return Links::default();
    };
    let links = (0..cluster.links().len()).map(LinkId::from_index);
    let links = links.filter_map(|link| {
        let mut bins: Vec<(SimTime, SimTime, f64)> = Vec::new();
        let (mut before, mut since) = (0, SimTime::ZERO);
        let last = network.packets().link(link).ok()?.bytes;
        let samples = samples
            .of(link.get())
            .map(|sample| (sample.at, sample.bytes));
        for (at, bytes) in samples.chain([(end, last)]) {
            if before < bytes && since < at {
                bins.push((since, at, (bytes - before) as f64));
            }
            (before, since) = (bytes, at);
        }
        let none = Vec::new();
        let paths = expected.get(&link).unwrap_or(&none);
        let loads = divided(&bins, paths, fabric, &by_path);
        (!loads.is_empty()).then(|| class(cluster, &[link], loads, end))
    });
    sorted(links.collect(), end)
}

/// Bins of a link's bytes, divided among what went on.
fn divided(
    bins: &[(SimTime, SimTime, f64)],
    paths: &[(u32, f64)],
    fabric: &Fabric,
    by_path: &[Vec<packet::Carried>],
) -> Vec<LinkLoad> {
    let mut shares: Vec<BTreeMap<Carried, f64>> = vec![BTreeMap::new(); bins.len()];
    for &(path, load) in paths {
        for of in &by_path[path as usize] {
            let span = of.to.since(of.from).as_secs().max(1e-12);
            let first = bins.partition_point(|bin| bin.1 <= of.from);
            for (bin, shares) in bins[first..].iter().zip(&mut shares[first..]) {
                if of.to <= bin.0 {
                    break;
                }
                let beside = bin.1.min(of.to).since(bin.0.max(of.from)).as_secs();
                let bytes = of.bytes.as_f64() * load * beside / span;
                *shares.entry(fabric.carried[path as usize]).or_default() += bytes;
            }
        }
    }
    let mut by_kind: BTreeMap<Option<Carried>, Vec<LinkLoad>> = BTreeMap::new();
    for (&(from, to, bytes), shares) in bins.iter().zip(&shares) {
        let sum: f64 = shares.values().sum();
        let mut add = |carried, bytes| {
            let own = by_kind.entry(carried).or_default();
            own.push(LinkLoad {
                from,
                to,
                bytes,
                carried,
            });
        };
        if sum <= 0.0 {
            add(None, bytes);
        }
        for (carried, share) in shares.iter().filter(|(_, share)| 0.0 < **share) {
            add(Some(*carried), bytes * share / sum);
        }
    }
    by_kind.into_values().flat_map(merged).collect()
}

/// Neighbors of about one rate as one.
fn merged(loads: Vec<LinkLoad>) -> Vec<LinkLoad> {
    const ALIKE: f64 = 0.01;
    let mut merged: Vec<LinkLoad> = Vec::new();
    for load in loads {
        match merged.last_mut() {
            Some(last)
                if last.to == load.from
                    && (last.rate() - load.rate()).abs() < ALIKE * last.rate() =>
            {
                last.to = load.to;
                last.bytes += load.bytes;
            }
            _ => merged.push(load),
        }
    }
    merged
}

fn class(cluster: &Cluster, links: &[LinkId], loads: Vec<LinkLoad>, end: SimTime) -> LinkClass {
    let first = links[0];
    let rate = cluster.link(first).rate;
    let bytes: f64 = loads.iter().map(|load| load.bytes).sum();
    let most = rate.as_f64() * end.as_seconds().as_secs();
    LinkClass {
        name: cluster.link_name(LinkId::new(first.get() & !1)),
        direction: if first.get() & 1 == 0 { "up" } else { "down" },
        count: u32::try_from(links.len()).unwrap_or(u32::MAX),
        members: links.to_vec(),
        rate,
        bytes,
        utilisation: if most > 0.0 { bytes / most } else { 0.0 },
        loads,
    }
}

fn sorted(mut links: Vec<LinkClass>, end: SimTime) -> Links {
    links.retain(|link| !link.loads.is_empty());
    links.sort_by(|a, b| b.utilisation.total_cmp(&a.utilisation));
    Links { end, links }
}
