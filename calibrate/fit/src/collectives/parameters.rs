//! The constants that are fitted, and what is believed of them before.
//!
//! Priors are NCCL's own constants where it has them; their spread says how far NCCL's authors
//! expect machines to differ: latencies by a third, over networks by a factor of two, rates by a sixth.
//! What NCCL has no constant for (ramps, copies) may be anything within a factor of three.
//!
//! Networks have few tables, so they share what NCCL's model says they share: what a protocol adds to
//! a hop, what protocols and trees reach of a rate, how a ramp differs by protocol. A network has
//! three numbers of its own: the latency of its NIC, its rate and its ramp. So one with a single
//! table of large sizes still has sensible latencies for every protocol.

use std::collections::BTreeMap;

use profile::{BetweenReached, CommFit, CommProfile, InsideReached, NetworkComm, ScaleUpComm};

use super::rows::{Campaign, Launch};
use crate::least_squares::Parameter;

/// Entries that tables are fitted to.
pub(crate) const INSIDE: [&str; 4] = [
    "nvlink-blackwell",
    "nvlink-hopper",
    "nvlink-ampere",
    "nvlink-volta",
];
pub(crate) const BETWEEN: [&str; 7] = [
    "infiniband",
    "roce",
    "efa",
    "efa-1",
    "efa-3",
    "tcpxo",
    "tcpx",
];

/// Standard deviations of logarithms.
const LATENCY: f64 = 0.3;
const NETWORK_LATENCY: f64 = 0.7;
const RATE: f64 = 0.15;
const LL_RATE: f64 = 0.5;
const UNKNOWN: f64 = 1.0;
const SHARED_RATE: f64 = 0.05;

/// Where a parameter goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A place in [`CommProfile::scale_up`], and the field.
    Inside(usize, fn(&mut InsideReached) -> &mut f64),
    /// A field of every network that is fitted: a factor.
    Networks(fn(&mut BetweenReached) -> &mut f64),
    /// What all generations of EFA have in common: the latency of a NIC in µs.
    EfaNic,
    /// A factor on their ramps.
    EfaRamp,
    /// A place in [`CommProfile::network`]: the latency of its NIC in µs; for EFA a factor.
    Nic(usize),
    /// A factor on all its rates.
    Rate(usize),
    /// A factor on its ramps.
    Ramp(usize),
    /// µs of launching in a campaign.
    Launch(usize),
    /// µs that each grouped send adds to that.
    Send(usize),
}

/// A parameter and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Knob {
    pub(crate) parameter: Parameter,
    pub(crate) target: Target,
}

/// Every parameter, in the order of files.
pub(crate) fn knobs(base: &CommProfile, campaigns: &[Campaign]) -> Vec<Knob> {
    let mut knobs = Vec::new();
    for name in INSIDE {
        let at = base.scale_up.iter().position(|entry| entry.name == name);
        let at = at.expect("a built-in entry");
        inside(&mut knobs, at, &base.scale_up[at], base);
    }
    networks(&mut knobs);
    for name in BETWEEN {
        let at = base.network_named(name).expect("a built-in entry");
        between(&mut knobs, at, &base.network[at]);
    }
    for (at, campaign) in campaigns.iter().enumerate() {
        let prior = match campaign.launch {
            // A launch takes some µs of the host, with the checks of nccl-tests some more.
            Launch::OneProcess => 5.0,
            Launch::Torch => 30.0,
        };
        knobs.push(Knob {
            parameter: Parameter::new(format!("launch, {}", campaign.name), prior, LATENCY),
            target: Target::Launch(at),
        });
        if campaign.sends {
            knobs.push(Knob {
                parameter: Parameter::new(format!("send, {}", campaign.name), 1.0, UNKNOWN),
                target: Target::Send(at),
            });
        }
    }
    knobs
}

fn inside(knobs: &mut Vec<Knob>, at: usize, entry: &ScaleUpComm, base: &CommProfile) {
    let tuning = &base.tuning;
    let ll = tuning.ring_ll * entry.efficiency;
    let ll128 = tuning.ring_ll128 * entry.efficiency;
    let nvls = entry.nvls.unwrap_or(0.8) * entry.efficiency * tuning.nvls;
    let mut add = |name: &str, prior: f64, log_sd: f64, field| {
        knobs.push(Knob {
            parameter: Parameter::new(format!("{} {name}", entry.name), prior, log_sd),
            target: Target::Inside(at, field),
        });
    };
    let (start, hop) = (tuning.base_us.ring, entry.hop_us.ring);
    add("start_us LL", start[0], LATENCY, |own| &mut own.start_us[0]);
    add("start_us LL128", start[1], LATENCY, |own| {
        &mut own.start_us[1]
    });
    add("start_us Simple", start[2], LATENCY, |own| {
        &mut own.start_us[2]
    });
    add("hop_us LL", hop[0], LATENCY, |own| &mut own.hop_us[0]);
    add("hop_us LL128", hop[1], LATENCY, |own| &mut own.hop_us[1]);
    add("hop_us Simple", hop[2], LATENCY, |own| &mut own.hop_us[2]);
    add("ring LL", ll, LL_RATE, |own| &mut own.ring[0]);
    add("ring LL128", ll128, RATE, |own| &mut own.ring[1]);
    add("ring Simple", entry.efficiency, RATE, |own| {
        &mut own.ring[2]
    });
    add("tree LL", tuning.tree * ll, LL_RATE, |own| &mut own.tree[0]);
    add("tree LL128", tuning.tree * ll128, LL_RATE, |own| {
        &mut own.tree[1]
    });
    let simple = tuning.tree * entry.efficiency;
    add("tree Simple", simple, LL_RATE, |own| &mut own.tree[2]);
    add("ramp_us LL", 3.0, UNKNOWN, |own| &mut own.ramp_us[0]);
    add("ramp_us LL128", 10.0, UNKNOWN, |own| &mut own.ramp_us[1]);
    add("ramp_us Simple", 10.0, UNKNOWN, |own| &mut own.ramp_us[2]);
    add("nvls_us", entry.hop_us.nvls, LATENCY, |own| {
        &mut own.nvls_us
    });
    add("nvls_rank_us", 1.0, UNKNOWN, |own| &mut own.nvls_rank_us);
    add("nvls", nvls, RATE, |own| &mut own.nvls);
    add("nvls_tree", nvls, RATE, |own| &mut own.nvls_tree);
    add("nvls_ramp_us", 10.0, UNKNOWN, |own| &mut own.nvls_ramp_us);
    add("copy", 2.0, UNKNOWN, |own| &mut own.copy);
    add("pairs_us LL", start[0], LATENCY, |own| &mut own.pairs_us[0]);
    add("pairs_us Simple", start[2], LATENCY, |own| {
        &mut own.pairs_us[1]
    });
    add("pairs_ll", 8.0, UNKNOWN, |own| &mut own.pairs_ll);
    add("pairs", entry.pairs_efficiency, RATE, |own| &mut own.pairs);
    add("pairs_ramp_us", 5.0, UNKNOWN, |own| &mut own.pairs_ramp_us);
    add("pairs_copy", 2.0, UNKNOWN, |own| &mut own.pairs_copy);
}

/// What all networks have in common: NCCL's model of a hop, of protocols and of trees, times these.
fn networks(knobs: &mut Vec<Knob>) {
    let mut add = |name: &str, prior: f64, log_sd: f64, target| {
        knobs.push(Knob {
            parameter: Parameter::new(format!("networks {name}"), prior, log_sd),
            target,
        });
    };
    let all = Target::Networks;
    add("hop LL", 1.0, LATENCY, all(|own| &mut own.hop_us[0]));
    add("hop LL128", 1.0, LATENCY, all(|own| &mut own.hop_us[1]));
    add("hop Simple", 1.0, LATENCY, all(|own| &mut own.hop_us[2]));
    add("ring LL", 1.0, LL_RATE, all(|own| &mut own.ring[0]));
    add("ring LL128", 1.0, SHARED_RATE, all(|own| &mut own.ring[1]));
    add("ring Simple", 1.0, SHARED_RATE, all(|own| &mut own.ring[2]));
    add("tree LL", 1.0, LL_RATE, all(|own| &mut own.tree[0]));
    add("tree LL128", 1.0, SHARED_RATE, all(|own| &mut own.tree[1]));
    add("tree Simple", 1.0, SHARED_RATE, all(|own| &mut own.tree[2]));
    add("ramp LL", 1.0, UNKNOWN, all(|own| &mut own.ramp_us[0]));
    add("ramp LL128", 1.0, UNKNOWN, all(|own| &mut own.ramp_us[1]));
    add("ramp Simple", 1.0, UNKNOWN, all(|own| &mut own.ramp_us[2]));
    // The plugin says 75 µs for the older and 35 µs for the newer instances, whichever generation
    // their adapter is of (aws/aws-ofi-nccl, src/platform-aws.c).
    add("NIC of EFA", 50.0, NETWORK_LATENCY, Target::EfaNic);
    add("ramp of EFA", 1.0, UNKNOWN, Target::EfaRamp);
}

/// What a network has of its own: the latency of its NIC, its rate, its ramp.
fn between(knobs: &mut Vec<Knob>, at: usize, entry: &NetworkComm) {
    let mut add = |name: &str, prior: f64, log_sd: f64, target| {
        knobs.push(Knob {
            parameter: Parameter::new(format!("{} {name}", entry.name), prior, log_sd),
            target,
        });
    };
    let (nic, sd) = nic(entry);
    add("NIC", nic, sd, Target::Nic(at));
    add("rate", 1.0, RATE, Target::Rate(at));
    add("ramp", 1.0, LL_RATE, Target::Ramp(at));
}

/// What is believed of the latency of a NIC before any table of its network is seen, in µs, and the
/// standard deviation of its logarithm.
///
/// Generations of EFA differ by this factor from what they have in common. InfiniBand's latency is
/// in NCCL's hop already. Nobody says Google's: the entry's comes from the very tables that are
/// left out here, so it may not be used.
fn nic(entry: &NetworkComm) -> (f64, f64) {
    match entry.name.as_str() {
        name if EFA.contains(&name) => (1.0, LATENCY),
        "tcpxo" | "tcpx" => (50.0, UNKNOWN),
        _ => (1.0, UNKNOWN),
    }
}

/// Generations of one adapter, which share what is believed of its latency and ramp.
pub(crate) const EFA: [&str; 3] = ["efa", "efa-1", "efa-3"];

/// A fit of nothing, to be filled in.
pub(crate) fn no_fit() -> CommFit {
    CommFit {
        rows: 0,
        median_error: [0.0; 2],
        held_out: [0.0; 2],
        held_out_by: String::new(),
        small: [1.0; 2],
        large: [1.0; 2],
        kinds: Vec::new(),
        counts: [0; 2],
        measured: BTreeMap::new(),
    }
}

/// Constants inside a domain, all 1: every one is a parameter.
pub(crate) fn unset_inside() -> InsideReached {
    InsideReached {
        start_us: [1.0; 3],
        hop_us: [1.0; 3],
        ring: [1.0; 3],
        tree: [1.0; 3],
        ramp_us: [1.0; 3],
        nvls_us: 1.0,
        nvls_rank_us: 1.0,
        nvls: 1.0,
        nvls_tree: 1.0,
        nvls_ramp_us: 1.0,
        copy: 1.0,
        pairs_us: [1.0; 2],
        pairs_ll: 1.0,
        pairs: 1.0,
        pairs_ramp_us: 1.0,
        pairs_copy: 1.0,
        fit: no_fit(),
    }
}

/// What networks reach before anything is fitted: NCCL's hops without NICs, and its shares.
pub(crate) fn nominal_between(entry: &NetworkComm) -> BetweenReached {
    let simple = entry.efficiency;
    let shares = [0.4 * simple, 0.92 * simple, simple];
    BetweenReached {
        hop_us: entry.hop_us.ring,
        ring: shares,
        tree: shares,
        ramp_us: [20.0; 3],
        fit: no_fit(),
    }
}
