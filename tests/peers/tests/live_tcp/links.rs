//! Which links flows take, and what links carry.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{ClusterNetwork, Topology};
use traffic::{Flow, Flows, Outcome};
use units::{Bytes, LinkId};

use crate::counters::Counters;
use crate::namespaces::{Namespaces, route};
use crate::transfers::transfer;

/// Bytes of a full Ethernet frame: 1,500 behind its header.
pub(crate) const FRAME: f64 = 1514.0;

/// What it carries behind the headers of IPv4 and TCP with time stamps.
pub(crate) const PAYLOAD: f64 = 1448.0;

/// The largest answer without payload: headers, time stamps and three selective acknowledgements.
const ANSWER: f64 = 94.0;

/// Bytes of a flow that is sent to see its links: many times what its answers take.
const PROBE: u64 = 400_000;

/// The flows of every two hosts once.
pub(crate) fn pairs(flows: &Flows) -> Vec<Flow> {
    let ends = flows.iter().map(|(_, flow)| ((flow.src, flow.dst), flow));
    ends.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Sends one flow alone: its bytes cross exactly our links, answers exactly those of our way back,
/// and no other link sends anything.
pub(crate) fn takes_the_links_of_our_route(
    network: &ClusterNetwork,
    space: &Namespaces,
    flow: Flow,
) {
    let bytes = Bytes::new(PROBE);
    let alone = Flows::new(vec![Flow { bytes, ..flow }], &[]).expect("one flow");
    let before = space.counters().expect("counters");
    transfer(space, &alone).expect("a transfer");
    let counted = space.counters().expect("counters").since(&before);
    let with = |least: u64| -> BTreeSet<LinkId> {
        let links = counted.links.iter();
        let links = links.filter(|(_, sent)| least <= sent.bytes);
        links.map(|(&link, _)| link).collect()
    };
    let there: BTreeSet<_> = route(network, flow.src, flow.dst).into_iter().collect();
    let back: BTreeSet<_> = route(network, flow.dst, flow.src).into_iter().collect();
    let [from, to] = [flow.src, flow.dst].map(|host| network.host_name(host));
    assert_eq!(with(PROBE), there, "links of bytes from {from} to {to}");
    let all = there.union(&back).copied().collect();
    assert_eq!(with(1), all, "links of bytes and answers, {from} to {to}");
}

/// Every link carried the payload that we say in full frames, beside it no more than what TCP sent
/// again, and an answer to each frame that went the other way. A link that we leave empty sent not
/// one frame.
pub(crate) fn loads_are_ours(
    network: &ClusterNetwork,
    flows: &Flows,
    outcome: &Outcome,
    counted: &Counters,
) {
    let links = || counted.links.keys().copied();
    let mut again: BTreeMap<LinkId, f64> = links().map(|link| (link, 0.0)).collect();
    let mut answers = again.clone();
    for flow in pairs(flows) {
        for link in route(network, flow.src, flow.dst) {
            *again.entry(link).or_default() += counted.again[&flow.src] as f64;
        }
    }
    for (_, flow) in flows.iter() {
        let frames = flow.bytes.as_u64() as f64 / PAYLOAD + counted.again[&flow.src] as f64;
        for link in route(network, flow.dst, flow.src) {
            *answers.entry(link).or_default() += frames;
        }
    }
    println!("  link, kB: payload of ours, sent, sent again at most");
    for (link, sent) in &counted.links {
        let (again, answers) = (again[link] * FRAME, answers[link] * ANSWER);
        let least = outcome.link_bytes[link.index()] * FRAME / PAYLOAD;
        // Frames that are not full, and the first and last ones of connections.
        let odd = least * 0.01 + 1000.0 * flows.len() as f64;
        let idle = least + answers == 0.0;
        let most = least + again + answers + if idle { 0.0 } else { odd };
        let (name, bytes) = (network.cluster().link_name(*link), sent.bytes as f64);
        let payload = outcome.link_bytes[link.index()] / 1e3;
        let [kilobytes, again] = [bytes, again].map(|bytes| bytes / 1e3);
        println!("  {name:>14} {payload:8.0} {kilobytes:8.0} {again:6.0}");
        assert!(
            least.floor() <= bytes && bytes <= most,
            "{name}: {bytes} bytes, not {least} to {most}"
        );
    }
}
