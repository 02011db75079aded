//! Factors on shipped constants, and how far each is believed to be from 1.

use profile::{BetweenReached, CommProfile, InsideReached, NetworkComm};

use super::super::parameters::nominal_between;
use crate::least_squares::Parameter;

/// Where a factor goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Constants of the network.
    Between(fn(&mut BetweenReached, f64)),
    /// What an all-to-all takes between domains.
    Pairs(fn(&mut NetworkComm, f64)),
    /// Constants inside domains.
    Inside(fn(&mut InsideReached, f64)),
}

/// A parameter and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Knob {
    pub(super) parameter: Parameter,
    pub(super) target: Target,
}

/// Standard deviations of logarithms. Two sites with one network differ by up to 1.8 at large sizes
/// (p4d and p4de), two networks in latency by ten (InfiniBand and TCPX).
const RATE: f64 = 0.4;
const LATENCY: f64 = 0.5;
const OTHER_LATENCY: f64 = 1.0;
const RAMP: f64 = 1.0;
/// What protocols and algorithms differ by from each other, which networks share.
const SHARE: f64 = 0.1;
const LL_SHARE: f64 = 0.5;
const HOP: f64 = 0.3;
/// Inside domains, where the shipped tables are of the same GPUs.
const INSIDE: f64 = 0.15;

/// What the factor on all rates of the network is called.
pub(super) const RATE_NAME: &str = "rate";

/// Gives the network places for what is fitted.
pub(super) fn prepare(comm: &mut CommProfile, between: usize) {
    let entry = &mut comm.network[between];
    if entry.reached.is_none() {
        let mut reached = nominal_between(entry);
        let nic = entry.nic_us;
        for (hop, times) in reached.hop_us.iter_mut().zip([1.0, 1.0, 2.0]) {
            *hop += times * nic;
        }
        entry.reached = Some(reached);
    }
}

/// Every factor.
///
/// * `domains` — whether something was measured inside one.
/// * `known` — whether the shipped constants are of this network.
pub(super) fn knobs(comm: &CommProfile, inside: usize, domains: bool, known: bool) -> Vec<Knob> {
    let mut knobs = Vec::new();
    let mut add = |name: &str, log_sd: f64, target| {
        knobs.push(Knob {
            parameter: Parameter::new(name, 1.0, log_sd),
            target,
        });
    };
    between(&mut add, if known { LATENCY } else { OTHER_LATENCY });
    if domains && comm.scale_up[inside].reached.is_some() {
        inside_of(&mut add);
    }
    knobs
}

fn all(list: &mut [f64], by: f64) {
    for value in list {
        *value *= by;
    }
}

fn between(add: &mut impl FnMut(&str, f64, Target), latency: f64) {
    use Target::{Between, Pairs};
    add(
        "latency of a hop",
        latency,
        Between(|own, by| all(&mut own.hop_us, by)),
    );
    add("hop LL", HOP, Between(|own, by| own.hop_us[0] *= by));
    add("hop LL128", HOP, Between(|own, by| own.hop_us[1] *= by));
    add("hop Simple", HOP, Between(|own, by| own.hop_us[2] *= by));
    add(
        RATE_NAME,
        RATE,
        Between(|own, by| {
            all(&mut own.ring, by);
            all(&mut own.tree, by);
        }),
    );
    add("ring LL", LL_SHARE, Between(|own, by| own.ring[0] *= by));
    add("ring LL128", SHARE, Between(|own, by| own.ring[1] *= by));
    add("ring Simple", SHARE, Between(|own, by| own.ring[2] *= by));
    add("tree LL", LL_SHARE, Between(|own, by| own.tree[0] *= by));
    add("tree LL128", SHARE, Between(|own, by| own.tree[1] *= by));
    add("tree Simple", SHARE, Between(|own, by| own.tree[2] *= by));
    add("ramp", RAMP, Between(|own, by| all(&mut own.ramp_us, by)));
    add("ramp LL", LL_SHARE, Between(|own, by| own.ramp_us[0] *= by));
    add(
        "ramp LL128",
        LL_SHARE,
        Between(|own, by| own.ramp_us[1] *= by),
    );
    add(
        "ramp Simple",
        LL_SHARE,
        Between(|own, by| own.ramp_us[2] *= by),
    );
    add(
        "all-to-all, start",
        RAMP,
        Pairs(|own, by| own.pairs_us *= by),
    );
    add("all-to-all, peer", RAMP, Pairs(|own, by| own.peer_us *= by));
    add(
        "all-to-all, rate",
        RATE,
        Pairs(|own, by| own.pairs_efficiency = (own.pairs_efficiency * by).min(1.0)),
    );
}

fn inside_of(add: &mut impl FnMut(&str, f64, Target)) {
    use Target::Inside;
    add(
        "inside, latency",
        HOP,
        Inside(|own, by| {
            all(&mut own.start_us, by);
            all(&mut own.hop_us, by);
            all(&mut own.pairs_us, by);
            own.nvls_us *= by;
            own.nvls_rank_us *= by;
        }),
    );
    add(
        "inside, rate",
        INSIDE,
        Inside(|own, by| {
            all(&mut own.ring, by);
            all(&mut own.tree, by);
        }),
    );
    add(
        "inside, NVLS",
        INSIDE,
        Inside(|own, by| {
            own.nvls *= by;
            own.nvls_tree *= by;
        }),
    );
    add(
        "inside, all-to-all",
        INSIDE,
        Inside(|own, by| {
            own.pairs *= by;
            own.pairs_ll *= by;
        }),
    );
    add(
        "inside, ramp",
        LL_SHARE,
        Inside(|own, by| {
            all(&mut own.ramp_us, by);
            own.nvls_ramp_us *= by;
            own.pairs_ramp_us *= by;
        }),
    );
}
