//! Which fields nothing of a scenario looks at, and why.

use crate::scenario::ScenarioSpec;
use crate::sections::{Engine, Network};

pub(super) const NO_PACKETS: &str = "this engine sees no packets";
const NO_LINKS: &str = "this engine has no links that transfers share";

/// The fields of a training scenario that are given in vain, with the reason.
pub(super) fn idle_fields(spec: &ScenarioSpec) -> Vec<(&'static str, &'static str)> {
    let (network, nccl) = (&spec.network, &spec.nccl);
    let engine = spec.settings.engine.unwrap_or(Engine::Flow);
    let (packets, flows) = (engine == Engine::Packet, engine == Engine::Flow);
    let balancing = network.load_balancing;
    let is = |name: &str| balancing == Some(name);
    let of_packets = of_packets(network)
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

/// Whether a name is given that is not the usual one.
fn unlike(given: Option<&str>, usual: &str) -> bool {
    given.is_some_and(|name| name != usual)
}

/// The fields that only packets feel, and whether they are given.
pub(super) fn of_packets(network: &Network) -> [(&'static str, bool); 14] {
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
        ("network.flowlet_gap", network.flowlet_gap.is_some()),
    ]
}

/// What a policy that only packets tell apart is in the flow engine, in words; nothing for the
/// others.
pub(super) fn stand_in(network: &Network) -> Option<String> {
    let policy = network.load_balancing?;
    let (other, reason) = match policy {
        "flowlet" => ("ecmp", "it knows no pauses inside a message"),
        "adaptive-packet" | "oblivious" | "reps" | "bitmap" | "mixed" => {
            ("spray", "it sees no packets")
        }
        _ => return None,
    };
    Some(format!(
        "`network.load_balancing = \"{policy}\"` runs as `{other}` in the flow engine: {reason}"
    ))
}
