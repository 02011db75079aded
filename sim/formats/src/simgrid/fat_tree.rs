//! Whether hosts of a topology are exactly a fat tree of `SimGrid`.
//!
//! The shape is guessed from the ways of the first host and then proved: links of the topology
//! and of a cluster of that shape must correspond one to one over the static ways of all pairs.

use ::units::{HostId, LinkId};
use cluster::zones::{Builder, FatTree, Platform, Radical, RegularSpec, Shape};
use cluster::{Sharing, Topology, Wire};

use super::write::{escaped, zone_name};

/// Most hosts for which all pairs are compared.
const MAX_HOSTS: usize = 4096;

/// The cluster element that the hosts are, if they are one.
pub(super) fn as_fat_tree(topology: &impl Topology, hosts: &[HostId]) -> Option<String> {
    if hosts.len() < 2 || MAX_HOSTS < hosts.len() {
        return None;
    }
    let tree = guess(topology, hosts)?;
    let (wire, split) = cable(topology, hosts)?;
    let names: Vec<String> = hosts.iter().map(|&host| topology.host_name(host)).collect();
    let (prefix, suffix, radical) = radical(&names)?;
    let spec = RegularSpec {
        name: zone_name(topology, hosts),
        prefix: prefix.clone(),
        suffix: suffix.clone(),
        radical: Radical::parse(&radical, u32::MAX).ok()?,
        shape: Shape::FatTree(tree.clone()),
        rate: wire.rate,
        latency: wire.latency,
        split,
        limiter: None,
        loopback: None,
        backbone: None,
        router: None,
    };
    let mut builder = Builder::new();
    builder.cluster(&spec).ok()?;
    let cluster = builder.finish().ok()?;
    if !corresponds(topology, hosts, &cluster) {
        return None;
    }
    let list = |counts: &[u32]| {
        let counts: Vec<String> = counts.iter().map(u32::to_string).collect();
        counts.join(",")
    };
    let parameters = [&tree.down, &tree.up, &tree.cables].map(|counts| list(counts));
    let [prefix, suffix] = [prefix, suffix].map(|text| escaped(&text));
    let (rate, latency) = (wire.rate.as_f64(), wire.latency.as_secs());
    let policy = if split { "SPLITDUPLEX" } else { "SHARED" };
    Some(format!(
        "<cluster id=\"{}\" prefix=\"{prefix}\" suffix=\"{suffix}\" radical=\"{radical}\" speed=\"1Gf\" \
         bw=\"{rate}Bps\" lat=\"{latency}s\" sharing_policy=\"{policy}\" topology=\"FAT_TREE\" \
         topo_parameters=\"{};{}\"/>",
        escaped(&spec.name),
        tree.down.len(),
        parameters.join(";"),
    ))
}

/// The shape that the first host's ways to the others suggest: each level makes ways longer.
fn guess(topology: &impl Topology, hosts: &[HostId]) -> Option<FatTree> {
    let mut tree = FatTree {
        down: Vec::new(),
        up: Vec::new(),
        cables: Vec::new(),
    };
    let (mut length, mut ways, mut size) = (0, 1, 1_usize);
    let mut way = Vec::new();
    for place in 1..=hosts.len() {
        let next = hosts.get(place).map(|&to| {
            let from = hosts[0];
            way.clear();
            topology.way(from, to, topology.static_way(from, to), &mut way);
            (way.len(), topology.n_ways(from, to))
        });
        if next.is_some_and(|(longer, _)| longer <= length) {
            continue;
        }
        if 0 < length {
            // The level before ends here.
            tree.down.push(u32::try_from(place / size).ok()?);
            (place % size == 0).then_some(())?;
            size = place;
        }
        if let Some((longer, more)) = next {
            (longer == 2 * (tree.down.len() + 1)).then_some(())?;
            (more % ways == 0).then_some(())?;
            tree.up.push(more / ways);
            tree.cables.push(1);
            (length, ways) = (longer, more);
        }
    }
    (tree.up.len() == tree.down.len()).then_some(tree)
}

/// What every cable is, and whether it is split by direction.
fn cable(topology: &impl Topology, hosts: &[HostId]) -> Option<(Wire, bool)> {
    let way = |from: HostId, to: HostId| {
        let mut links = Vec::new();
        topology.way(from, to, topology.static_way(from, to), &mut links);
        links
    };
    let [first, second] = [hosts[0], hosts[1]];
    let there = way(first, second);
    let back = way(second, first);
    let wire = topology.wire(*there.first()?);
    (wire.sharing == Sharing::Shared).then_some(())?;
    Some((wire, there.first() != back.last()))
}

/// Prefix, suffix and numbers of names that differ in one number only.
fn radical(names: &[String]) -> Option<(String, String, String)> {
    let first = names.first()?;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    let starts = first.char_indices().filter(|&(at, c)| {
        c.is_ascii_digit() && !first[..at].ends_with(|before: char| before.is_ascii_digit())
    });
    for (start, _) in starts {
        let (prefix, rest) = first.split_at(start);
        let suffix = &rest[digits(rest)..];
        let number = |name: &String| {
            let text = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let number = text.parse::<u32>().ok()?;
            (number.to_string() == text).then_some(number)
        };
        let numbers: Option<Vec<u32>> = names.iter().map(number).collect();
        if let Some(numbers) = numbers {
            return Some((prefix.to_owned(), suffix.to_owned(), ranges(&numbers)));
        }
    }
    None
}

fn ranges(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let runs = runs.filter_map(|run| Some((run.first()?, run.last()?)));
    let texts: Vec<String> = runs
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        })
        .collect();
    texts.join(",")
}

/// Whether links correspond one to one, and are alike, over the static ways of all pairs.
fn corresponds(topology: &impl Topology, hosts: &[HostId], cluster: &Platform) -> bool {
    let mut there: Vec<Option<LinkId>> = vec![None; topology.n_links() as usize];
    let mut back: Vec<Option<LinkId>> = vec![None; cluster.n_links() as usize];
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let places = || (0..).map(HostId::new).zip(hosts.iter().copied());
    for (a, from) in places() {
        for (b, to) in places().filter(|&(b, _)| a != b) {
            ours.clear();
            theirs.clear();
            if topology.n_ways(from, to) == 0 {
                return false;
            }
            topology.way(from, to, topology.static_way(from, to), &mut ours);
            cluster.way(a, b, cluster.static_way(a, b), &mut theirs);
            if ours.len() != theirs.len() {
                return false;
            }
            for (&x, &y) in ours.iter().zip(&theirs) {
                let known = *there[x.index()].get_or_insert(y) == y;
                let known = known && *back[y.index()].get_or_insert(x) == x;
                if !known || topology.wire(x) != cluster.wire(y) {
                    return false;
                }
            }
        }
    }
    true
}
