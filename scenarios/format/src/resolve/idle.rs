//! Which fields of `[network]` and `[nccl]` nothing of a training scenario looks at, and why.

use crate::scenario::ScenarioSpec;
use crate::sections::Engine;

const NO_PACKETS: &str = "this engine sees no packets";
const NO_LINKS: &str = "this engine has no links that transfers share";

/// The fields that are given in vain, with the reason.
pub(super) fn idle_fields(spec: &ScenarioSpec) -> Vec<(&'static str, &'static str)> {
    let (network, nccl) = (&spec.network, &spec.nccl);
    let engine = spec.settings.engine.unwrap_or(Engine::Flow);
    let (packets, flows) = (engine == Engine::Packet, engine == Engine::Flow);
    let unlike = |given: Option<&str>, usual: &str| given.is_some_and(|name| name != usual);
    let balancing = network.load_balancing;
    let is = |name: &str| balancing == Some(name);
    let of_packets = [
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
        ("network.flowlet_gap", network.flowlet_gap.is_some()),
    ];
    let of_packets = of_packets
        .into_iter()
        .map(|(field, given)| (field, given && !packets, NO_PACKETS));
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
