//! What `[network]` and `[nccl]` say of ways, transports and switches.

use network::Share;
use network::packet::{Amount, Balancing, Buffer, Config, Control, Ecn, Headroom, Pfc, Transport};
use predict::Assumed;
use traffic::{Policy, Split};
use units::{Bytes, Seconds};

use crate::sections::{Engine, Nccl, Network};

/// How transfers move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rules {
    /// Rates are shared.
    Flow {
        /// How links are shared.
        share: Share,
        /// Which ways flows take.
        policy: Policy,
    },
    /// Packets.
    Packet {
        /// Transport, queues, and which ways packets take.
        config: Config,
        /// Which ways hosts choose before packets are sent.
        policy: Policy,
    },
}

impl Rules {
    /// Which ways hosts choose.
    pub const fn policy(&self) -> Policy {
        match self {
            Self::Flow { policy, .. } | Self::Packet { policy, .. } => *policy,
        }
    }
}

/// The pause of bursts where none is given: flowlet switches use 50 to 500 µs.
const FLOWLET_GAP: Seconds = Seconds::from_secs(100e-6);

/// Queue pairs of `ecmp-k` where none are given.
const QUEUE_PAIRS: u32 = 4;

/// What the sections of a scenario say; what they leave open is listed in `assumed`.
pub fn rules(
    engine: Engine,
    network: &Network,
    nccl: &Nccl,
    seed: u64,
    assumed: &mut Vec<Assumed>,
) -> Rules {
    let name = network.load_balancing.unwrap_or_else(|| {
        let (name, reason) = match engine {
            Engine::Packet => (
                usual_balancing(network.transport),
                "the transport's default",
            ),
            _ => ("static", "routes by destination"),
        };
        assume(assumed, "network.load_balancing", name, reason);
        name
    });
    if engine == Engine::Packet {
        let (balancing, policy) = match name {
            "static" => (Balancing::SinglePath, Policy::Static),
            "singlepath" => (Balancing::SinglePath, policy(name, network, nccl)),
            "ecmp-k" => (
                Balancing::EcmpK {
                    k: queue_pairs(nccl),
                },
                Policy::Static,
            ),
            "flowlet" => (Balancing::Flowlet { gap: gap(network) }, Policy::Static),
            name => (
                Balancing::named(name).unwrap_or(Balancing::SinglePath),
                Policy::Static,
            ),
        };
        let config = config(network, balancing, seed, assumed);
        return Rules::Packet { config, policy };
    }
    let policy = policy(name, network, nccl);
    let share = match network.share {
        // The transport's window is no part of the rule of sharing.
        Some("cm02") => Share {
            gamma: None,
            ..Share::CM02
        },
        _ => Share::EQUAL,
    };
    Rules::Flow { share, policy }
}

/// Which ways flows take under that name of a policy, where nothing chooses packet by packet.
pub fn policy(name: &str, network: &Network, nccl: &Nccl) -> Policy {
    match name {
        "static" => Policy::Static,
        "ecmp" => Policy::Ecmp,
        "ecmp-k" => Policy::EcmpK(queue_pairs(nccl)),
        "flowlet" => Policy::Flowlet(gap(network)),
        "adaptive-flow" => Policy::AdaptiveFlow,
        "singlepath" => Policy::SinglePath(how_cut(network)),
        _ => Policy::Spray,
    }
}

/// How `singlepath` cuts flows.
pub fn how_cut(network: &Network) -> Split {
    let split = network.split.and_then(Split::named);
    split.unwrap_or(Split::Fewest)
}

/// How many queue pairs `ecmp-k` has.
pub fn queue_pairs(nccl: &Nccl) -> u32 {
    nccl.qps.unwrap_or(QUEUE_PAIRS)
}

fn gap(network: &Network) -> Seconds {
    network.flowlet_gap.unwrap_or(FLOWLET_GAP)
}

/// What transports do where nothing else is said: those that order packets at the receiver spray,
/// the others do not.
pub fn usual_balancing(transport: Option<&str>) -> &'static str {
    match transport {
        Some("uec") => "mixed",
        Some("eqds") => "bitmap",
        Some("ndp") => "oblivious",
        Some("dcqcn-gbn" | "dcqcn-sr") => "ecmp",
        _ => "static",
    }
}

fn config(
    network: &Network,
    balancing: Balancing,
    seed: u64,
    assumed: &mut Vec<Assumed>,
) -> Config {
    let transport = network.transport.unwrap_or_else(|| {
        assume(
            assumed,
            "network.transport",
            "ideal",
            "no transport is named",
        );
        "ideal"
    });
    let transport = Transport::named(transport).unwrap_or(Transport::Ideal);
    let mut config = Config::new(transport, balancing);
    config.seed = seed;
    let usual = config.buffer;
    config.buffer = buffer(network, usual);
    match network.ecn {
        Some(false) => config.ecn = None,
        Some(true) => {
            config.ecn.get_or_insert(Ecn {
                kmin: Amount::Bdp(0.2),
                kmax: Amount::Bdp(0.8),
                pmax: 1.0,
            });
        }
        None => {}
    }
    if let Some(ecn) = &mut config.ecn {
        let bytes = |given: Option<Bytes>| given.map(|bytes| Amount::Bytes(bytes.as_u64()));
        ecn.kmin = bytes(network.ecn_kmin).unwrap_or(ecn.kmin);
        ecn.kmax = bytes(network.ecn_kmax).unwrap_or(ecn.kmax);
        ecn.pmax = network.ecn_pmax.unwrap_or(ecn.pmax);
    }
    match network.pfc {
        Some(false) => config.pfc = None,
        Some(true) => {
            config.pfc.get_or_insert(Pfc {
                pause: Amount::Bdp(0.5),
                share: 0.125,
                resume_below: Amount::Bytes(3 << 10),
                headroom: Headroom::Beyond(Amount::Bdp(3.0)),
            });
        }
        None => {}
    }
    if config.buffer != usual
        && let Some(pfc) = &mut config.pfc
    {
        pfc.headroom = Headroom::Within;
    }
    config.trimming = network.trimming.unwrap_or(config.trimming);
    if let Some(packets) = network.window {
        config.window = Amount::Packets(packets);
    }
    config.control = match network.control {
        Some("receiver") => Control::Receiver,
        Some("both") => Control::Both,
        _ => Control::Sender,
    };
    if let Some(payload) = network.payload {
        config.payload = u32::try_from(payload.as_u64()).unwrap_or(u32::MAX);
    }
    if network.entropies.is_some() {
        config.entropies = network.entropies;
    }
    config
}

/// A switch of HPCC's ns-3 configuration (Li et al., SIGCOMM 2019) has 32 MB, and 32 ports.
const SHARED: Amount = Amount::Bytes(32_000_000);
const PER_PORT: Amount = Amount::Bytes(1_000_000);

/// The buffer that is named, of the transport's kind where none is.
fn buffer(network: &Network, usual: Buffer) -> Buffer {
    let size = network.buffer.map(|bytes| Amount::Bytes(bytes.as_u64()));
    if size.is_none() && network.buffer_kind.is_none() {
        return usual;
    }
    match (network.buffer_kind, usual) {
        (Some("shared"), _) | (None, Buffer::Shared { .. }) => Buffer::Shared {
            pool: size.unwrap_or(SHARED),
            alpha: 1.0,
        },
        (_, Buffer::PerPort(room)) => Buffer::PerPort(size.unwrap_or(room)),
        _ => Buffer::PerPort(size.unwrap_or(PER_PORT)),
    }
}

/// Where one end of the range of marks is given and lies on the wrong side of the other: the field,
/// what is wrong and what to do. Defaults in bandwidth-delay products are compared by the engine.
pub fn marks_reversed(
    network: &Network,
    config: &Config,
) -> Option<(&'static str, String, String)> {
    let Some(Ecn {
        kmin: Amount::Bytes(least),
        kmax: Amount::Bytes(most),
        ..
    }) = config.ecn
    else {
        return None;
    };
    if least <= most {
        return None;
    }
    let (field, own, other) = match network.ecn_kmin {
        Some(_) => ("network.ecn_kmin", "ecn_kmin", "ecn_kmax"),
        None => ("network.ecn_kmax", "ecn_kmax", "ecn_kmin"),
    };
    let [least, most] = [least, most].map(Bytes::new);
    let message =
        format!("marking begins at {least} and is certain at {most}, which is less (`{own}`)");
    let hint = format!("give `{other}`, too: the other end of the range");
    Some((field, message, hint))
}

fn assume(assumed: &mut Vec<Assumed>, field: &str, value: &str, reason: &str) {
    assumed.push(Assumed {
        field: field.to_owned(),
        value: value.to_owned(),
        reason: reason.to_owned(),
    });
}
