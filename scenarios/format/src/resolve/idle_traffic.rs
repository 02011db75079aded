//! Which fields of a scenario nothing of a network workload looks at, and why.

use network::packet::{Buffer, Config, Transport};

use super::idle::{NO_PACKETS, of_packets, stand_in};
use super::network::{Rules, usual_balancing};
use crate::scenario::ScenarioSpec;
use crate::sections::{Network, Straggler};
use crate::tree::Table;

/// Who chooses the load balancing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The scenario.
    None,
    /// A search, which tries all, so that what belongs to one of them has an effect.
    LoadBalancing,
}

type Idle = (String, &'static str);

/// What is given in vain, in words.
///
/// * `document` — what the scenario gives.
pub fn idle_in_traffic(
    spec: &ScenarioSpec,
    document: &Table,
    rules: &Rules,
    search: Search,
) -> Vec<String> {
    let network = &spec.network;
    let mut idle = outside(spec, document);
    match rules {
        Rules::Flow { .. } => {
            let of_packets = of_packets(network).into_iter();
            let given = of_packets.filter(|(_, given)| *given);
            idle.extend(given.map(|(field, _)| (field.to_owned(), NO_PACKETS)));
        }
        Rules::Packet { config, .. } => idle.extend(in_packets(network, config, search)),
    }
    let policy = policy(network, rules);
    if network.split.is_some() && policy != "singlepath" && search == Search::None {
        let reason = "only `singlepath` cuts flows that way";
        idle.push(("network.split".to_owned(), reason));
    }
    let words = |(field, reason)| format!("`{field}` has no effect: {reason}");
    let mut warnings: Vec<String> = idle.into_iter().map(words).collect();
    if matches!(rules, Rules::Flow { .. }) {
        warnings.extend(stand_in(network));
    }
    warnings
}

fn policy(network: &Network, rules: &Rules) -> &'static str {
    let usual = match rules {
        Rules::Flow { .. } => "static",
        Rules::Packet { .. } => usual_balancing(network.transport),
    };
    network.load_balancing.unwrap_or(usual)
}

/// Fields of sections that belong to training.
fn outside(spec: &ScenarioSpec, document: &Table) -> Vec<Idle> {
    const TRAINING: &str = "it belongs to training, and [workload] stands in its place";
    let sections = ["model", "training", "plan"];
    let sections = sections
        .into_iter()
        .filter(|key| document.get(key).is_some());
    let mut idle: Vec<Idle> = sections.map(|key| (key.to_owned(), TRAINING)).collect();
    if !spec.background.is_empty() {
        let reason = "it runs beside training only; list its flows among those of the workload";
        idle.push(("background".to_owned(), reason));
    }
    if spec.settings.jitter.is_some() {
        let reason = "there are no kernels; `workload.jitter` moves the starts of hosts";
        idle.push(("settings.jitter".to_owned(), reason));
    }
    if spec.settings.unfold == Some(true) {
        let reason = "flows are taken together only where that changes nothing";
        idle.push(("settings.unfold".to_owned(), reason));
    }
    for (at, straggler) in spec.stragglers.iter().enumerate() {
        if let Straggler::Gpu { .. } = straggler {
            let reason = "no GPU computes in a network workload";
            idle.push((format!("stragglers[{at}].gpu"), reason));
        }
    }
    idle
}

/// Fields that the packet engine does not look at under this transport and policy.
fn in_packets(network: &Network, config: &Config, search: Search) -> Vec<Idle> {
    const NO_MARKS: &str = "switches do not mark packets; `ecn = true` lets them";
    let policy = network.load_balancing;
    let policy = policy.unwrap_or_else(|| usual_balancing(network.transport));
    let transport = config.transport;
    let is_own = search == Search::None;
    let draws = matches!(policy, "oblivious" | "reps" | "bitmap" | "mixed");
    let has_window = matches!(transport, Transport::Ndp | Transport::Eqds | Transport::Uec);
    let marks = config.ecn.is_some();
    let idle = [
        (
            "network.share",
            network.share.is_some_and(|share| share != "equal"),
            "only the flow engine shares links by rule",
        ),
        (
            "network.flowlet_gap",
            network.flowlet_gap.is_some() && policy != "flowlet" && is_own,
            "only `flowlet` has pauses",
        ),
        (
            "network.ecn_kmin",
            network.ecn_kmin.is_some() && !marks,
            NO_MARKS,
        ),
        (
            "network.ecn_kmax",
            network.ecn_kmax.is_some() && !marks,
            NO_MARKS,
        ),
        (
            "network.ecn_pmax",
            network.ecn_pmax.is_some() && !marks,
            NO_MARKS,
        ),
        (
            "network.trimming",
            network.trimming == Some(true) && config.buffer == Buffer::Endless,
            "buffers without end never trim; `buffer` gives them one",
        ),
        (
            "network.window",
            network.window.is_some() && !has_window,
            "only ndp, eqds and uec have windows",
        ),
        (
            "network.control",
            network.control.is_some() && transport != Transport::Uec,
            "only uec lets sender or receiver control",
        ),
        (
            // Under ndp it says how hashes are drawn, too.
            "network.entropies",
            network.entropies.is_some() && !draws && is_own && transport != Transport::Ndp,
            "only oblivious, reps, bitmap and mixed draw entropies",
        ),
    ];
    let idle = idle.into_iter().filter(|(_, given, _)| *given);
    idle.map(|(field, _, reason)| (field.to_owned(), reason))
        .collect()
}
