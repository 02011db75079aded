//! Writing: a topology in, a platform out, with the same static ways.

use std::collections::BTreeMap;
use std::io::Write;

use ::units::{HostId, LinkId};
use cluster::{Direction, Sharing, Topology, Wire, WireName};

use super::fat_tree::as_fat_tree;

/// Most hosts between which each route is written.
const MAX_HOSTS: usize = 512;

/// Why a topology was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum WriteError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error(
        "{hosts} hosts that are no regular fat tree need a route by pair, which is done up to {limit} hosts"
    )]
    TooManyHosts { hosts: usize, limit: usize },
    #[error("`{from}` reaches `{to}` over no link, and no route of a platform is empty")]
    NoLinks { from: String, to: String },
    #[error("there is no host")]
    NoHosts,
}

impl WriteError {
    /// What to do about it, where we can tell.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::TooManyHosts { .. } => "write a part of the hosts, or a fabric without faults",
            Self::NoLinks { .. } => "write nodes or GPUs, not both",
            Self::Io(_) | Self::NoHosts => return None,
        };
        Some(hint.to_owned())
    }
}

/// What a topology was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One cluster that is a fat tree: its links have names of their own.
    FatTree,
    /// A zone that lists the static way of every pair.
    Full,
}

/// Writes those hosts of a topology, and the static ways between them, as a platform that
/// `SimGrid` 3.32 loads. Routes are the same links in the same order; a fabric that is exactly a
/// fat tree with routing by destination becomes one cluster, whose links bear other names.
///
/// # Errors
///
/// More hosts than routes can be listed for, two hosts without links between them, and what the
/// writer says.
pub fn write(
    mut out: impl Write,
    topology: &impl Topology,
    hosts: &[HostId],
) -> Result<Form, WriteError> {
    if hosts.is_empty() {
        return Err(WriteError::NoHosts);
    }
    writeln!(out, "<?xml version=\"1.0\"?>")?;
    writeln!(
        out,
        "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">"
    )?;
    writeln!(out, "<platform version=\"4.1\">")?;
    let form = if let Some(tree) = as_fat_tree(topology, hosts) {
        writeln!(out, "  {tree}")?;
        Form::FatTree
    } else {
        write_full(&mut out, topology, hosts)?;
        Form::Full
    };
    writeln!(out, "</platform>")?;
    out.flush()?;
    Ok(form)
}

/// A text as the value of an attribute.
pub(super) fn escaped(text: &str) -> String {
    let text = quick_xml::escape::escape(text).into_owned();
    // Readers turn other white space into spaces.
    let text = text.replace('\n', "&#10;").replace('\r', "&#13;");
    text.replace('\t', "&#9;")
}

/// A name that no host has.
pub(super) fn zone_name(topology: &impl Topology, hosts: &[HostId]) -> String {
    let mut name = "fabric".to_owned();
    while hosts.iter().any(|&host| topology.host_name(host) == name) {
        name.push('_');
    }
    name
}

/// How a link is written: as one half of a link that is split by direction, or on its own.
#[derive(Clone, Debug)]
struct Spelling {
    name: String,
    direction: Direction,
    /// The other half.
    other: Option<LinkId>,
}

fn write_full(
    out: &mut impl Write,
    topology: &impl Topology,
    hosts: &[HostId],
) -> Result<(), WriteError> {
    if MAX_HOSTS < hosts.len() {
        return Err(WriteError::TooManyHosts {
            hosts: hosts.len(),
            limit: MAX_HOSTS,
        });
    }
    let zone = escaped(&zone_name(topology, hosts));
    writeln!(out, "  <zone id=\"{zone}\" routing=\"Full\">")?;
    for &host in hosts {
        let name = escaped(&topology.host_name(host));
        writeln!(out, "    <host id=\"{name}\" speed=\"1Gf\"/>")?;
    }
    let spellings = spellings(topology, hosts);
    for (&link, spelling) in &spellings {
        if spelling.direction != Direction::Down {
            write_link(out, topology.wire(link), spelling)?;
        }
    }
    for (place, &from) in hosts.iter().enumerate() {
        for &to in &hosts[place..] {
            write_routes(out, topology, &spellings, [from, to])?;
        }
    }
    writeln!(out, "  </zone>")?;
    Ok(())
}

fn static_way(topology: &impl Topology, from: HostId, to: HostId) -> Option<Vec<LinkId>> {
    let mut links = Vec::new();
    if 0 < topology.n_ways(from, to) {
        topology.way(from, to, topology.static_way(from, to), &mut links);
        return Some(links);
    }
    None
}

/// All links that ways between the hosts cross.
fn spellings(topology: &impl Topology, hosts: &[HostId]) -> BTreeMap<LinkId, Spelling> {
    let mut used = vec![false; topology.n_links() as usize];
    let pairs = hosts
        .iter()
        .flat_map(|&from| hosts.iter().map(move |&to| (from, to)));
    for (from, to) in pairs {
        for link in static_way(topology, from, to).unwrap_or_default() {
            used[link.index()] = true;
        }
    }
    let links = || (0..topology.n_links()).map(LinkId::new);
    let used = links().filter(|link| used[link.index()]);
    let names = || links().map(|link| (topology.wire_name(link), link));
    // Halves of one cable that are alike become one link that is split by direction.
    let by_name: BTreeMap<WireName, LinkId> = names().collect();
    let spelled = used.flat_map(|link| {
        let WireName { name, direction } = topology.wire_name(link);
        let half = |direction| {
            let name = name.clone();
            by_name.get(&WireName { name, direction }).copied()
        };
        let halves = [half(Direction::Up), half(Direction::Down)];
        let split = match (direction, halves) {
            (Direction::Up | Direction::Down, [Some(up), Some(down)])
                if topology.wire(up) == topology.wire(down)
                    && topology.wire(up).sharing == Sharing::Shared =>
            {
                vec![
                    (up, Direction::Up, Some(down)),
                    (down, Direction::Down, Some(up)),
                ]
            }
            _ => vec![(link, Direction::Both, None)],
        };
        let full = match direction {
            Direction::Both => name.clone(),
            Direction::Up => format!("{name}_UP"),
            Direction::Down => format!("{name}_DOWN"),
        };
        split.into_iter().map(move |(link, direction, other)| {
            let name = if other.is_some() { &name } else { &full };
            let name = escaped(name);
            let spelling = Spelling {
                name,
                direction,
                other,
            };
            (link, spelling)
        })
    });
    spelled.collect()
}

fn write_link(out: &mut impl Write, wire: Wire, spelling: &Spelling) -> Result<(), WriteError> {
    let policy = match (wire.sharing, spelling.direction) {
        (Sharing::FatPipe, _) => "FATPIPE",
        (Sharing::Shared, Direction::Both) => "SHARED",
        (Sharing::Shared, Direction::Up | Direction::Down) => "SPLITDUPLEX",
    };
    let (name, rate, latency) = (&spelling.name, wire.rate.as_f64(), wire.latency.as_secs());
    writeln!(
        out,
        "    <link id=\"{name}\" bandwidth=\"{rate}Bps\" latency=\"{latency}s\" sharing_policy=\"{policy}\"/>"
    )?;
    Ok(())
}

/// Writes the ways of two hosts to each other, as one route where the way back is the same.
fn write_routes(
    out: &mut impl Write,
    topology: &impl Topology,
    spellings: &BTreeMap<LinkId, Spelling>,
    [from, to]: [HostId; 2],
) -> Result<(), WriteError> {
    let there = static_way(topology, from, to);
    if from == to {
        let there = there.filter(|links| !links.is_empty());
        return write_route(out, topology, spellings, [from, to], there, "NO");
    }
    let back = static_way(topology, to, from);
    let other = |link: &LinkId| spellings.get(link).and_then(|spelling| spelling.other);
    let mirrored = there.as_ref().map(|links| {
        let links = links.iter().rev();
        links.map(|link| other(link).unwrap_or(*link)).collect()
    });
    if there.is_some() && back == mirrored {
        return write_route(out, topology, spellings, [from, to], there, "YES");
    }
    write_route(out, topology, spellings, [from, to], there, "NO")?;
    write_route(out, topology, spellings, [to, from], back, "NO")
}

fn write_route(
    out: &mut impl Write,
    topology: &impl Topology,
    spellings: &BTreeMap<LinkId, Spelling>,
    [from, to]: [HostId; 2],
    links: Option<Vec<LinkId>>,
    symmetrical: &str,
) -> Result<(), WriteError> {
    let Some(links) = links else {
        return Ok(());
    };
    let [from, to] = [from, to].map(|host| topology.host_name(host));
    if links.is_empty() {
        return Err(WriteError::NoLinks { from, to });
    }
    let [from, to] = [from, to].map(|name| escaped(&name));
    write!(
        out,
        "    <route src=\"{from}\" dst=\"{to}\" symmetrical=\"{symmetrical}\">"
    )?;
    for spelling in links.iter().filter_map(|link| spellings.get(link)) {
        let direction = match spelling.direction {
            Direction::Both => "",
            Direction::Up => " direction=\"UP\"",
            Direction::Down => " direction=\"DOWN\"",
        };
        write!(out, "<link_ctn id=\"{}\"{direction}/>", spelling.name)?;
    }
    writeln!(out, "</route>")?;
    Ok(())
}
