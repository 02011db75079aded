//! What a user can choose: policies of load balancing with their splits and queue pairs.

use format::{Engine, Nccl, Network};
use traffic::Split;

use format::{how_cut, queue_pairs};

/// A way to balance loads that somebody can set up, as fields of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// `network.load_balancing`.
    pub policy: &'static str,
    /// `network.split`, under `singlepath`.
    pub split: Option<&'static str>,
    /// `nccl.qps`, under `ecmp-k`.
    pub queue_pairs: Option<u32>,
}

/// A field that `windtunnel plan` chooses for a network workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkField {
    /// `network.load_balancing`.
    LoadBalancing,
    /// `network.split`.
    Split,
    /// `nccl.qps`.
    QueuePairs,
}

/// The names of the fields.
pub const NETWORK_FIELDS: [(&str, NetworkField); 3] = [
    ("load_balancing", NetworkField::LoadBalancing),
    ("split", NetworkField::Split),
    ("qps", NetworkField::QueuePairs),
];

/// Numbers of queue pairs that are tried.
const QUEUE_PAIRS: [u32; 4] = [2, 4, 8, 16];

impl Candidate {
    fn plain(policy: &'static str) -> Self {
        Self {
            policy,
            split: None,
            queue_pairs: None,
        }
    }

    /// What can be chosen on an engine, the simplest to set up first: what switches do anyway, what
    /// NCCL is told, what a table of flows needs, what switches and NICs must be able to.
    pub(super) fn all(engine: Engine, network: &Network) -> Vec<Self> {
        let mut all = vec![Self::plain("static"), Self::plain("ecmp")];
        all.extend(QUEUE_PAIRS.map(|k| Self {
            queue_pairs: Some(k),
            ..Self::plain("ecmp-k")
        }));
        all.extend(
            [Split::Greedy, Split::Fewest, Split::Equal].map(|split| Self {
                split: Some(split.name()),
                ..Self::plain("singlepath")
            }),
        );
        all.extend([Self::plain("flowlet"), Self::plain("adaptive-flow")]);
        if engine == Engine::Packet {
            // The flow engine knows one ideal of all that act packet by packet.
            all.extend([Self::plain("adaptive-packet"), Self::plain("oblivious")]);
            if network.transport == Some("uec") {
                all.extend(["reps", "mixed"].map(Self::plain));
            }
        }
        all.push(Self::plain("spray"));
        all
    }

    /// What the scenario itself chooses.
    pub(super) fn own(policy: &'static str, network: &Network, nccl: &Nccl) -> Self {
        Self {
            policy,
            split: (policy == "singlepath").then(|| how_cut(network).name()),
            queue_pairs: (policy == "ecmp-k").then(|| queue_pairs(nccl)),
        }
    }

    /// Whether it has what another has in a field.
    pub(super) fn agrees(&self, other: &Self, field: NetworkField) -> bool {
        match field {
            NetworkField::LoadBalancing => self.policy == other.policy,
            NetworkField::Split => self.split == other.split,
            NetworkField::QueuePairs => self.queue_pairs == other.queue_pairs,
        }
    }

    /// The sections of a scenario that choose it.
    pub(super) fn sections(&self, network: &Network, nccl: &Nccl) -> (Network, Nccl) {
        let network = Network {
            load_balancing: Some(self.policy),
            split: self.split.or(network.split),
            ..network.clone()
        };
        let nccl = Nccl {
            qps: self.queue_pairs.or(nccl.qps),
            ..nccl.clone()
        };
        (network, nccl)
    }

    /// Whether chance decides: a hash of switches, entropies that senders draw, or, in packets, which
    /// of equally loaded ways a flow takes.
    pub(super) fn is_drawn(&self, engine: Engine) -> bool {
        is_drawn(self.policy, engine)
    }

    /// Whether flows are cut packet by packet.
    pub(super) fn cuts_packets(&self) -> bool {
        matches!(
            self.policy,
            "adaptive-packet" | "spray" | "oblivious" | "reps" | "bitmap" | "mixed"
        )
    }

    /// What the cluster needs for it, where flows are cut into at most so many pieces each.
    pub(super) fn needs(&self, pieces: u32) -> String {
        let text = match self.policy {
            "static" => "routes by destination, port d mod k",
            "ecmp" => "ECMP",
            "ecmp-k" => {
                let k = self.queue_pairs.unwrap_or(1);
                return format!(
                    "ECMP, NCCL_IB_QPS_PER_CONNECTION={k}, NCCL_IB_SPLIT_DATA_ON_QPS=1"
                );
            }
            "singlepath" if pieces < 2 => "a flow table",
            "singlepath" => {
                return format!("a flow table, up to {pieces} queue pairs a flow");
            }
            "flowlet" => "switches with flowlets",
            "adaptive-flow" => "switches with adaptive routing of flows",
            "adaptive-packet" | "spray" => {
                "switches with adaptive routing, NICs that reorder, NCCL_IB_ADAPTIVE_ROUTING=1"
            }
            _ => "NICs that spray and reorder",
        };
        text.to_owned()
    }
}

/// Whether chance decides under a policy.
pub(super) fn is_drawn(policy: &str, engine: Engine) -> bool {
    match policy {
        "static" | "singlepath" | "adaptive-packet" | "spray" => false,
        "adaptive-flow" => engine == Engine::Packet,
        _ => true,
    }
}
