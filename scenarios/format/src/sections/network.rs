//! `[network]`: what happens between NICs.

use units::{Bytes, Seconds};

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{
    OneOf, Shape, boolean, checked, duration, number, one_of, size, whole, whole_within,
};

/// How flows choose among paths.
pub const LOAD_BALANCING: [&str; 12] = [
    "ecmp",
    "ecmp-k",
    "flowlet",
    "adaptive-flow",
    "adaptive-packet",
    "spray",
    "oblivious",
    "reps",
    "bitmap",
    "mixed",
    "singlepath",
    "static",
];

/// How packets get there.
pub const TRANSPORTS: [&str; 6] = ["ideal", "dcqcn-gbn", "dcqcn-sr", "ndp", "eqds", "uec"];

/// How transfers that meet share a link.
const SHARES: [&str; 2] = ["equal", "cm02"];

/// How flows are cut where each piece keeps one way.
const SPLITS: [&str; 3] = ["equal", "fewest", "greedy"];

/// Who shares a buffer.
const BUFFER_KINDS: [&str; 2] = ["shared", "per-port"];

/// Who controls senders of the transport `uec`.
const CONTROLS: [&str; 3] = ["sender", "receiver", "both"];

/// The most payload of a packet: with its header of 64 bytes it has a length of 16 bits.
const MOST_PAYLOAD: u64 = 65_471;

/// `[network]`: what happens between NICs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// How flows choose among paths.
    pub load_balancing: Option<&'static str>,
    /// How flows are cut under `singlepath`.
    pub split: Option<&'static str>,
    /// The pause after which a flow may take another way under `flowlet`.
    pub flowlet_gap: Option<Seconds>,
    /// How transfers share a link in the flow engine.
    pub share: Option<&'static str>,
    /// How packets get there.
    pub transport: Option<&'static str>,
    /// Room for packets that wait, of a switch or of each of its ports.
    pub buffer: Option<Bytes>,
    /// Which of both.
    pub buffer_kind: Option<&'static str>,
    /// Whether switches mark packets.
    pub ecn: Option<bool>,
    /// Where marking begins and where it is certain, and the probability just below.
    pub ecn_kmin: Option<Bytes>,
    /// See [`Network::ecn_kmin`].
    pub ecn_kmax: Option<Bytes>,
    /// See [`Network::ecn_kmin`].
    pub ecn_pmax: Option<f64>,
    /// Whether switches pause their neighbors.
    pub pfc: Option<bool>,
    /// Whether switches cut packets instead of dropping them.
    pub trimming: Option<bool>,
    /// Packets that a sender may have under way at first.
    pub window: Option<u32>,
    /// Who controls senders.
    pub control: Option<&'static str>,
    /// Payload of a packet.
    pub payload: Option<Bytes>,
    /// Values among which a sender draws what switches hash.
    pub entropies: Option<u32>,
}

/// One of names that stand for themselves.
fn name_of<const N: usize>(names: [&'static str; N]) -> OneOf<&'static str> {
    one_of(names.map(|name| (name, name)).to_vec())
}

/// A size that is not 0.
fn room() -> impl Shape<Out = Bytes> {
    checked(
        size(),
        || Bytes::new(1),
        |size| match size {
            Bytes::ZERO => Err("a size above 0; leave it out for the transport's own".to_owned()),
            size => Ok(size),
        },
    )
}

pub(crate) fn network(t: &mut Fields<'_, '_>) -> Network {
    const BALANCING: &str = "how flows choose among paths; network workloads take `static` (by destination) where it is not given";
    let probability = || number(Limits::within(0.0, 1.0));
    let network = Network {
        load_balancing: t
            .get("load_balancing", BALANCING, name_of(LOAD_BALANCING))
            .optional(),
        split: t
            .get("split", "how `singlepath` cuts flows: equal (parts, by the greatest common divisor), fewest (pieces, default) or greedy (none)", name_of(SPLITS))
            .optional(),
        flowlet_gap: t
            .get("flowlet_gap", "pause after which `flowlet` hashes anew, default 100 us", duration())
            .optional(),
        share: t
            .get("share", "how transfers share a link in the flow engine: equal (default), or cm02, SimGrid's weights by latency", name_of(SHARES))
            .optional(),
        transport: t
            .get("transport", "the transport protocol of the NICs", name_of(TRANSPORTS))
            .optional(),
        buffer: t
            .get("buffer", "room for packets that wait: of a whole switch or of each port, as `buffer_kind` says; with pauses their thresholds follow from it and headroom is a part of it", room())
            .optional(),
        buffer_kind: t
            .get("buffer_kind", "whether the ports of a switch share one buffer (shared, default under dcqcn-gbn and dcqcn-sr) or have one each (per-port, default otherwise)", name_of(BUFFER_KINDS))
            .optional(),
        ecn: t
            .get("ecn", "whether switches mark packets", boolean())
            .optional(),
        ecn_kmin: t
            .get("ecn_kmin", "queue at which marking begins", size())
            .optional(),
        ecn_kmax: t
            .get("ecn_kmax", "queue at which every packet is marked", size())
            .optional(),
        ecn_pmax: t
            .get("ecn_pmax", "probability of a mark just below `ecn_kmax`", probability())
            .optional(),
        pfc: t
            .get("pfc", "whether switches pause their neighbors", boolean())
            .optional(),
        trimming: t
            .get("trimming", "whether switches cut packets instead of dropping them", boolean())
            .optional(),
        window: t
            .get("window", "packets that a sender may have under way at first", whole(1))
            .optional(),
        control: t
            .get("control", "who controls senders of `uec`: sender (default), receiver or both", name_of(CONTROLS))
            .optional(),
        payload: t
            .get("payload", "payload of a packet, default 4096 bytes, 4086 under eqds and uec", size())
            .optional(),
        entropies: t
            .get("entropies", "values among which a sender draws what switches hash", whole_within(1, 1 << 16))
            .optional(),
    };
    check_payload(t, network.payload);
    if let (Some(least), Some(most)) = (network.ecn_kmin, network.ecn_kmax)
        && most < least
    {
        let message = format!("`ecn_kmin` is {least}, more than `ecn_kmax`, which is {most}");
        let hint = Some("marking begins at `ecn_kmin` and is certain at `ecn_kmax`".to_owned());
        t.report("ecn_kmin", Problem::Refused { message, hint });
    }
    network
}

fn check_payload(t: &mut Fields<'_, '_>, payload: Option<Bytes>) {
    let Some(payload) = payload else {
        return;
    };
    if !(1..=MOST_PAYLOAD).contains(&payload.as_u64()) {
        let problem = Problem::OutOfRange {
            field: "network.payload".to_owned(),
            found: payload.to_string(),
            limits: format!("a size from 1 B to {MOST_PAYLOAD} B"),
        };
        t.report("payload", problem);
    }
}
