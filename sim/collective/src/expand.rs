//! From a collective to what a network engine carries.

use profile::{Algorithm, CollectiveKind, CommProfile};
use units::{Bytes, BytesPerSec, Seconds};

use crate::hops::Pattern;
use crate::price::Priced;
use crate::{Choice, CommShape};

/// A part of a collective: a delay, then transfers that start together. The next phase follows
/// the end of the last transfer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// Latency terms, and everything that stays inside scale-up domains.
    pub delay: Seconds,
    /// What goes between domains.
    pub transfers: Option<Transfers>,
}

/// What goes between domains in a phase: the hops of a pattern ([`hops`](crate::hops)), each with
/// its share of the bytes, without a latency of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfers {
    /// Who sends to whom.
    pub pattern: Pattern,
    /// Bytes of a hop of share 1 as the wire carries them, protocol and headers included.
    pub bytes: Bytes,
    /// The most that a hop of share 1 moves, where the scale-up domains or the algorithm are
    /// slower than the network: a hop's cap is this times its share.
    pub cap: Option<BytesPerSec>,
    /// What the cap adds to the time on an idle network. An engine whose paths have no caps waits
    /// for this in place of them.
    pub excess: Seconds,
}

impl Transfers {
    /// The bytes of a hop.
    pub fn of(&self, share: f64) -> Bytes {
        self.bytes.scale(share)
    }
}

/// The phases of a collective, run the cheapest way that the choice allows.
///
/// On an idle fabric that never blocks, delays and transfers take as long as
/// [`time`](crate::time) says. Inside one domain there is one delay and no transfer.
pub fn expand(
    kind: CollectiveKind,
    bytes: Bytes,
    shape: &CommShape,
    comm: &CommProfile,
    choice: &Choice,
) -> Vec<Phase> {
    let priced = Priced::new(kind, shape, comm, choice);
    let size = bytes.as_f64();
    let Some((way, cost)) = priced.cheapest(size) else {
        return Vec::new();
    };
    if shape.domains < 2 {
        return vec![Phase {
            delay: Seconds::from_secs(cost.latency + cost.transfer),
            transfers: None,
        }];
    }
    let wire = size * way.wire;
    if way.algorithm == Algorithm::Pat {
        return doubling(shape, cost.latency, cost.transfer, wire);
    }
    let idle = wire / idle_rate(way.pattern, shape);
    vec![Phase {
        delay: Seconds::from_secs(cost.latency),
        transfers: Some(transfers(way.pattern, wire, idle, cost.transfer)),
    }]
}

/// What a hop of share 1 moves on an idle network.
fn idle_rate(pattern: Pattern, shape: &CommShape) -> f64 {
    match pattern {
        Pattern::Ring | Pattern::Chain | Pattern::Shift(_) => shape.ring.as_f64(),
        Pattern::Trees => shape.trees.as_f64(),
        Pattern::Send => shape.ring.as_f64() / f64::from(shape.rails.max(1)),
        Pattern::Pairs => shape.pairs.as_f64() / f64::from(shape.ranks - shape.fewest),
        Pattern::Gather => {
            let nic = shape.ring.as_f64() / f64::from(shape.rails.max(1));
            nic / f64::from(shape.ranks - shape.fewest)
        }
        Pattern::Scatter => {
            let nic = shape.ring.as_f64() / f64::from(shape.rails.max(1));
            nic * f64::from(shape.lanes) / f64::from(shape.ranks - shape.fewest)
        }
    }
}

/// Transfers of `wire` bytes a hop that take `idle` seconds at the network's rate, and are to take
/// `time`.
fn transfers(pattern: Pattern, wire: f64, idle: f64, time: f64) -> Transfers {
    let excess = time - idle;
    let slower = excess > time * 1e-12;
    Transfers {
        pattern,
        bytes: Bytes::from_f64(wire),
        cap: slower.then(|| BytesPerSec::new(wire / time)).flatten(),
        excess: Seconds::from_secs(if slower { excess } else { 0.0 }),
    }
}

/// The steps of recursive doubling: to the next rank its own part, to the second next two parts,
/// and so on.
fn doubling(shape: &CommShape, latency: f64, time: f64, wire: f64) -> Vec<Phase> {
    let n = shape.domains;
    let part = wire / f64::from(n - 1);
    let mut phases = Vec::new();
    let mut have = 1;
    while have < n {
        let parts = have.min(n - have);
        let bytes = part * f64::from(parts);
        let idle = bytes / shape.ring.as_f64();
        phases.push(Phase {
            delay: Seconds::ZERO,
            transfers: Some(transfers(
                Pattern::Shift(have),
                bytes,
                idle,
                time * bytes / wire,
            )),
        });
        have += parts;
    }
    let each = Seconds::from_secs(latency / phases.len() as f64);
    for phase in &mut phases {
        phase.delay = each;
    }
    phases
}
