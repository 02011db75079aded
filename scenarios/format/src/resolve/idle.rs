//! Which fields nothing of a scenario looks at, and why.

use crate::plan_section::PlanSection;
use crate::scenario::ScenarioSpec;
use crate::sections::{Engine, Network};

const NO_PACKETS: &str = "this engine sees no packets";
const NO_LINKS: &str = "this engine has no links that transfers share";

/// The fields of a training scenario that are given in vain, with the reason.
pub(super) fn idle_fields(spec: &ScenarioSpec) -> Vec<(&'static str, &'static str)> {
    let (network, nccl) = (&spec.network, &spec.nccl);
    let engine = spec.settings.engine.unwrap_or(Engine::Flow);
    let (packets, flows) = (engine == Engine::Packet, engine == Engine::Flow);
    let balancing = network.load_balancing;
    let is = |name: &str| balancing == Some(name);
    let gap = ("network.flowlet_gap", network.flowlet_gap.is_some());
    let of_packets = packet_fields(network).into_iter().chain([gap]);
    let of_packets = of_packets.map(|(field, given)| (field, given && !packets, NO_PACKETS));
    let idle = [
        (
            "network.load_balancing",
            !packets && !flows && unlike(balancing, "ecmp"),
            NO_LINKS,
        ),
        (
            "network.split",
            network.split.is_some() && !is("singlepath"),
            "only `singlepath` cuts transfers that way",
        ),
        (
            "network.flowlet_gap",
            packets && network.flowlet_gap.is_some() && !is("flowlet"),
            "only `flowlet` has pauses",
        ),
        (
            "network.share",
            unlike(network.share, "equal"),
            "transfers of training share links equally",
        ),
        (
            "nccl.channels",
            nccl.channels.is_some(),
            "NCCL's own choice is taken",
        ),
        (
            "nccl.qps",
            nccl.qps.is_some() && !is("ecmp-k"),
            "only `ecmp-k` cuts transfers over queue pairs",
        ),
    ];
    let (first, rest) = idle.split_at(1);
    let all = first
        .iter()
        .copied()
        .chain(of_packets)
        .chain(rest.iter().copied());
    all.filter(|(_, given, _)| *given)
        .map(|(field, _, reason)| (field, reason))
        .collect()
}

/// The fields of a network workload that are given in vain, with the reason.
pub fn idle_workload_fields(
    engine: Engine,
    spec: &ScenarioSpec,
) -> Vec<(&'static str, &'static str)> {
    const NO_TRAINING: &str = "a network workload trains nothing";
    let network = &spec.network;
    let packets = engine == Engine::Packet;
    let of_packets = packet_fields(network).into_iter();
    let of_packets = of_packets.map(|(field, given)| (field, given && !packets, NO_PACKETS));
    let own = [
        ("model", spec.model.is_some(), NO_TRAINING),
        ("training", spec.training.is_some(), NO_TRAINING),
        ("plan", spec.plan != PlanSection::default(), NO_TRAINING),
        (
            "background",
            !spec.background.is_empty(),
            "a network workload is all the traffic that there is: list it in `flows`",
        ),
        (
            "settings.jitter",
            spec.settings.jitter.is_some(),
            "`workload.jitter` is that of traffic",
        ),
        (
            "settings.unfold",
            spec.settings.unfold == Some(true),
            "flows that behave alike are folded",
        ),
        (
            "network.share",
            packets && unlike(network.share, "equal"),
            "packets share links as they come",
        ),
    ];
    let all = of_packets.chain(own).filter(|(_, given, _)| *given);
    all.map(|(field, _, reason)| (field, reason)).collect()
}

/// Whether a field is given and says something else than is done anyway.
fn unlike(given: Option<&str>, usual: &str) -> bool {
    given.is_some_and(|name| name != usual)
}

/// The fields that only packets obey, and whether they are given.
fn packet_fields(network: &Network) -> [(&'static str, bool); 13] {
    [
        ("network.transport", unlike(network.transport, "ideal")),
        ("network.buffer", network.buffer.is_some()),
        ("network.buffer_kind", network.buffer_kind.is_some()),
        ("network.ecn", network.ecn.is_some()),
        ("network.ecn_kmin", network.ecn_kmin.is_some()),
        ("network.ecn_kmax", network.ecn_kmax.is_some()),
        ("network.ecn_pmax", network.ecn_pmax.is_some()),
        ("network.pfc", network.pfc.is_some()),
        ("network.trimming", network.trimming.is_some()),
        ("network.window", network.window.is_some()),
        ("network.control", network.control.is_some()),
        ("network.payload", network.payload.is_some()),
        ("network.entropies", network.entropies.is_some()),
    ]
}
