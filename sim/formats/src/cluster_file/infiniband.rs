//! A cluster from what `ibnetdiscover` found.

use std::collections::BTreeMap;

use units::BytesPerSec;

use super::graph::{About, Net, Place};
use super::order::natural;
use super::{Choices, draft::Imported};
use crate::ibnetdiscover::{Cable, Device, Kind, Network};
use crate::import_error::{ImportError, shown};

/// Nodes that have a NIC on the fabric, and the fabric.
///
/// Adapters that describe themselves as `HOST DEVICE` belong to that host, others to the box that
/// the file names, else each is a node. Nodes with fewer NICs than most are left out: they are those
/// for management. Of those with more the first are kept.
///
/// # Errors
///
/// A fabric without adapters, or with adapters joined to each other.
pub fn of_ibnetdiscover(network: &Network, choices: &Choices) -> Result<Imported, ImportError> {
    let mut notes = Vec::new();
    let mut ignored = network.ignored.clone();
    if !network.unequal.is_empty() {
        notes.push(format!(
            "the ends of a cable tell different rates, the lower is taken: {}",
            network.unequal.join(", ")
        ));
    }
    let told: Vec<BytesPerSec> = network
        .cables
        .iter()
        .filter_map(|cable| cable.rate)
        .collect();
    let usual = most(&told).ok_or(ImportError::Without { what: "rate" })?;
    if told.len() < network.cables.len() {
        let without = network.cables.len() - told.len();
        notes.push(format!("{without} cables tell no rate: that of most taken"));
    }
    let rate = |cable: &Cable| cable.rate.unwrap_or(usual);
    let mut net = Net::default();
    let places = switches(network, &mut net);
    let mut ports: Vec<Port> = Vec::new();
    let mut rates = Vec::new();
    let (mut sharp, mut routed) = (0, 0);
    for cable in &network.cables {
        let ends = cable
            .ends
            .map(|(at, port)| (at, port, &network.devices[at]));
        let [(a, _, first), (b, _, second)] = ends;
        match (first.kind, second.kind) {
            (Kind::Router, _) | (_, Kind::Router) => routed += 1,
            (Kind::Adapter, Kind::Adapter) => {
                let what = format!(
                    "{:?} and {:?} are joined without a switch",
                    shown(&first.name),
                    shown(&second.name)
                );
                return Err(ImportError::CannotSay(what));
            }
            (Kind::Switch, Kind::Switch) => net.join(places[a], places[b], rate(cable)),
            _ if is_aggregation(first) || is_aggregation(second) => sharp += 1,
            _ => {
                let (device, number, switch) = if first.kind == Kind::Adapter {
                    (a, ends[0].1, b)
                } else {
                    (b, ends[1].1, a)
                };
                ports.push(Port {
                    device,
                    number,
                    switch: places[switch],
                });
                rates.push(rate(cable));
            }
        }
    }
    if sharp != 0 {
        ignored.push(format!("{sharp} aggregation nodes of switches"));
    }
    if routed != 0 {
        ignored.push(format!("{routed} cables to routers"));
    }
    let nic_rate = most(&rates).ok_or(ImportError::Without { what: "adapter" })?;
    let slower: Vec<_> = rates.iter().filter(|rate| **rate != nic_rate).collect();
    if !slower.is_empty() {
        notes.push(format!(
            "{} of {} NICs have another rate than most, {} Gbit/s: taken as that",
            slower.len(),
            rates.len(),
            nic_rate.as_gbits()
        ));
    }
    net.nodes = nodes(network, &ports, &mut notes);
    let about = About {
        source: "ibnetdiscover",
        network: Some("infiniband"),
        nics: net.nodes.first().map_or(0, |node| node.on.len()),
        nic_rate,
        cables_told: true,
    };
    net.imported(&about, choices, notes, ignored)
}

/// A port of an adapter.
struct Port {
    device: usize,
    number: u32,
    switch: usize,
}

fn is_aggregation(device: &Device) -> bool {
    device.kind == Kind::Adapter && device.name.contains("Aggregation Node")
}

/// Names the switches that have a cable to another switch or to an adapter, each once; gives the
/// place of each device.
fn switches(network: &Network, net: &mut Net) -> Vec<usize> {
    let mut cabled = vec![false; network.devices.len()];
    for (at, _) in network.cables.iter().flat_map(|cable| cable.ends) {
        cabled[at] = true;
    }
    let mut order: Vec<usize> = (0..network.devices.len())
        .filter(|at| network.devices[*at].kind == Kind::Switch && cabled[*at])
        .collect();
    order.sort_by_cached_key(|at| natural(&network.devices[*at].name));
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for &at in &order {
        *times.entry(short(&network.devices[at].name)).or_default() += 1;
    }
    let mut places = vec![0; network.devices.len()];
    for &at in &order {
        let device = &network.devices[at];
        places[at] = net.switches.len();
        let name = short(&device.name);
        let is_ours = name.is_empty() || times[&name] != 1;
        net.switches
            .push(if is_ours { plain(&device.guid) } else { name });
    }
    places
}

/// `leaf01` of `MF0;leaf01:MQM9700/U1`, as managed switches describe themselves.
fn short(name: &str) -> String {
    let inside = name.split_once(';').map_or(name, |(_, rest)| rest);
    plain(inside.split(':').next().unwrap_or(inside))
}

/// A name of letters, digits, `-`, `_` and `.` only.
fn plain(name: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.trim().chars().map(keep).collect()
}

/// What most have.
fn most(rates: &[BytesPerSec]) -> Option<BytesPerSec> {
    let mut counted: Vec<(BytesPerSec, usize)> = Vec::new();
    for rate in rates {
        match counted.iter_mut().find(|(one, _)| one == rate) {
            Some((_, count)) => *count += 1,
            None => counted.push((*rate, 1)),
        }
    }
    counted.sort_by(|(a, many), (b, more)| many.cmp(more).then(a.as_f64().total_cmp(&b.as_f64())));
    counted.pop().map(|(rate, _)| rate)
}

/// The nodes, each with as many NICs as most have.
fn nodes(network: &Network, ports: &[Port], notes: &mut Vec<String>) -> Vec<Place> {
    let mut hosts: BTreeMap<String, Vec<(String, u32, usize)>> = BTreeMap::new();
    for port in ports {
        let device = &network.devices[port.device];
        let own = (device.name.clone(), port.number, port.switch);
        hosts.entry(host(device)).or_default().push(own);
    }
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for nics in hosts.values() {
        *counts.entry(nics.len()).or_default() += 1;
    }
    // Of equally many the larger number.
    let usual = counts.iter().max_by_key(|(nics, hosts)| (**hosts, **nics));
    let usual = usual.map_or(0, |(nics, _)| *nics);
    let (fewer, kept): (BTreeMap<_, _>, BTreeMap<_, _>) =
        hosts.into_iter().partition(|(_, nics)| nics.len() < usual);
    let some = |names: Vec<&String>| {
        let names: Vec<_> = names.into_iter().take(8).map(|name| shown(name)).collect();
        names.join(", ")
    };
    if !fewer.is_empty() {
        notes.push(format!(
            "{} nodes have fewer NICs than most, {usual}, and are left out: {}",
            fewer.len(),
            some(fewer.keys().collect())
        ));
    }
    let more = kept.iter().filter(|(_, nics)| usual < nics.len());
    let more: Vec<&String> = more.map(|(name, _)| name).collect();
    if !more.is_empty() {
        notes.push(format!(
            "{} nodes have more NICs than most, of which the first {usual} are kept: {}",
            more.len(),
            some(more)
        ));
    }
    let place = |(name, mut nics): (String, Vec<(String, u32, usize)>)| {
        nics.sort_by_cached_key(|(device, port, _)| (natural(device), *port));
        let on = nics.into_iter().take(usual).map(|(_, _, switch)| switch);
        let on = on.collect();
        Place { name, on }
    };
    kept.into_iter().map(place).collect()
}

/// The host of an adapter.
fn host(device: &Device) -> String {
    const DEVICES: [&str; 8] = ["mlx", "hfi", "qib", "HCA", "ib", "roce", "bnxt", "ibp"];
    if let Some((host, adapter)) = device.name.trim().split_once(' ') {
        let adapter = adapter.trim();
        if !adapter.contains(' ') && DEVICES.iter().any(|begin| adapter.starts_with(begin)) {
            return plain(host);
        }
    }
    match &device.system {
        Some(system) => plain(system),
        None => plain(&device.guid),
    }
}
