//! The constants of collectives, as NCCL's tuner has them: latencies by algorithm and protocol,
//! what a link really carries, and what caps a channel.
//!
//! A [`CommProfile`] is plain data: a fit or a user's file may replace any number. The built-in
//! figures ([`CommProfile::nccl`]) are NCCL's own, measured by its authors, so they are nominal
//! for a given machine.
//!
//! # Keys of the file
//!
//! `[comm]` has the fields of [`CommProfile`], every one optional; `[[comm.scale_up]]` is a
//! [`ScaleUpComm`] and `[[comm.network]]` a [`NetworkComm`]. An entry replaces the built-in entry
//! of its `name`, or is added in front of the others. Latencies are in microseconds and rates in
//! 10⁹ bytes per second. Lists over protocols are in the order LL, LL128, Simple; lists over
//! nodes in the order one, two, more.

mod algorithm;
mod check;
mod nccl;
mod reached;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use units::Bytes;

use crate::{CollectiveKind, Provenance};

pub use algorithm::{Algorithm, Protocol};
pub use reached::{BetweenReached, CommFit, InsideReached};

/// What connects the GPUs of a domain, as far as constants differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScaleUpKind {
    /// NVLink through switches.
    NvSwitch,
    /// Direct links between GPUs: NVLink or Infinity Fabric.
    Mesh,
    /// `PCIe` through the host.
    Pcie,
}

/// Latencies by algorithm, in microseconds; those with a list differ by protocol.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyTable {
    /// [`Algorithm::Tree`].
    pub tree: [f64; 3],
    /// [`Algorithm::Ring`].
    pub ring: [f64; 3],
    /// [`Algorithm::CollNetDirect`].
    pub collnet_direct: f64,
    /// [`Algorithm::CollNetChain`].
    pub collnet_chain: f64,
    /// [`Algorithm::Nvls`].
    pub nvls: f64,
    /// [`Algorithm::NvlsTree`].
    pub nvls_tree: f64,
    /// [`Algorithm::Pat`].
    pub pat: f64,
}

impl LatencyTable {
    /// The latency of one algorithm and protocol, in microseconds. Grouped pairs take the ring's.
    pub const fn micros(&self, algorithm: Algorithm, protocol: Protocol) -> f64 {
        match algorithm {
            Algorithm::Tree => self.tree[protocol.index()],
            Algorithm::Ring | Algorithm::Pairs => self.ring[protocol.index()],
            Algorithm::CollNetDirect => self.collnet_direct,
            Algorithm::CollNetChain => self.collnet_chain,
            Algorithm::Nvls => self.nvls,
            Algorithm::NvlsTree => self.nvls_tree,
            Algorithm::Pat => self.pat,
        }
    }
}

/// Constants of one generation of scale-up links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScaleUpComm {
    /// Its name, for example `nvlink-hopper`.
    pub name: String,
    /// The kinds of domain that it holds for.
    pub kinds: Vec<ScaleUpKind>,
    /// The architectures of GPU that it holds for; empty: all.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// What large rings reach of the data sheet's rate.
    pub efficiency: f64,
    /// What one send and receive reaches of it.
    pub send_efficiency: f64,
    /// What an all-to-all of large parts reaches of it.
    pub pairs_efficiency: f64,
    /// Latency of one hop.
    pub hop_us: LatencyTable,
    /// The most that LL moves, over all channels, by number of nodes.
    pub ll_cap: [f64; 3],
    /// The most that LL128 moves in a ring, per channel, by number of nodes.
    pub ll128_ring_cap: [f64; 3],
    /// The most that LL128 moves in a tree, per channel, by number of nodes.
    pub ll128_tree_cap: [f64; 3],
    /// The most that a tree moves, per channel, by number of nodes.
    pub tree_cap: [f64; 3],
    /// Whether LL128 is safe.
    pub ll128: bool,
    /// What NVLS reaches of the ring's speed; absent: the switches cannot reduce.
    #[serde(default)]
    pub nvls: Option<f64>,
    /// Channels (parallel rings) inside one domain.
    pub channels: u32,
    /// Bandwidth of single kinds of collective over that of the model: 0.95 = 5 % slower.
    #[serde(default)]
    pub factors: BTreeMap<CollectiveKind, f64>,
    /// Time that every collective takes beside the model, in microseconds.
    #[serde(default)]
    pub overhead_us: f64,
    /// How slowly bandwidth is reached: a part of `t` takes `t + √(ramp · t)`, as pipelines do
    /// whose chunks are chosen well. In microseconds; NCCL's model has none.
    #[serde(default)]
    pub ramp_us: f64,
    /// How much the figures are worth.
    pub provenance: Provenance,
    /// Where they are from.
    pub source: String,
    /// What tables reach; absent: the constants above are all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<InsideReached>,
}

/// Constants of one kind of network between domains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkComm {
    /// Its name, for example `infiniband`.
    pub name: String,
    /// Parts of the names of fabrics that it holds for; empty: all. A fabric that says its
    /// network asks for an entry by [`NetworkComm::name`] instead.
    #[serde(default)]
    pub fabrics: Vec<String>,
    /// What large messages reach of the NIC's rate.
    pub efficiency: f64,
    /// What an all-to-all of large parts reaches of it.
    pub pairs_efficiency: f64,
    /// Latency of one hop.
    pub hop_us: LatencyTable,
    /// Latency of a NIC and its software on top, counted twice for Simple.
    #[serde(default)]
    pub nic_us: f64,
    /// Whether only the protocol Simple is safe: LL and LL128 need bytes to arrive in order.
    #[serde(default)]
    pub simple_only: bool,
    /// What an all-to-all between nodes costs before its first peer.
    pub pairs_us: f64,
    /// What each peer on another node adds to an all-to-all.
    pub peer_us: f64,
    /// Channels per NIC.
    pub channels_per_nic: u32,
    /// Bandwidth of single kinds of collective over that of the model.
    #[serde(default)]
    pub factors: BTreeMap<CollectiveKind, f64>,
    /// Time that every collective takes beside the model, in microseconds.
    #[serde(default)]
    pub overhead_us: f64,
    /// How slowly bandwidth is reached: a part of `t` takes `t + √(ramp · t)`, as pipelines do
    /// whose chunks are chosen well. In microseconds; NCCL's model has none.
    #[serde(default)]
    pub ramp_us: f64,
    /// How much the figures are worth.
    pub provenance: Provenance,
    /// Where they are from.
    pub source: String,
    /// What tables reach; absent: the constants above are all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<BetweenReached>,
}

/// What does not depend on hardware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// Latency before the first hop.
    pub base_us: LatencyTable,
    /// Bandwidth of a tree over that of the model, for LL, LL128 and Simple, at 64 bytes and
    /// every further power of two; between them the factor is interpolated, past the last one
    /// it is the last.
    pub tree_factors: [Vec<f64>; 3],
    /// Latency of a ring with Simple between nodes is multiplied by this …
    pub ring_plateau: f64,
    /// … from so many bytes per channel and rank on.
    pub ring_plateau_bytes: f64,
    /// Share of the line that is data: LL in a ring.
    pub ring_ll: f64,
    /// LL128 in a ring.
    pub ring_ll128: f64,
    /// A tree over the ring's speed.
    pub tree: f64,
    /// LL in a tree, on top.
    pub tree_ll: f64,
    /// LL128 in a tree, on top: in one domain, and over several.
    pub tree_ll128: [f64; 2],
    /// All-reduce by NVLS over its speed.
    pub nvls: f64,
    /// PAT over the ring's speed.
    pub pat: f64,
    /// PAT: network latency is divided by this …
    pub pat_net_divisor: f64,
    /// … and each rank adds this.
    pub pat_rank_us: f64,
    /// `CollNet` direct: each further rank of a node adds this.
    pub collnet_rank_us: f64,
    /// What each further peer of the same domain adds to an all-to-all.
    pub pairs_peer_us: f64,
    /// Sends up to this size use LL.
    pub send_ll_bytes: u64,
    /// Buffers of one connection of one channel.
    pub buffers: BufferComm,
}

/// Memory of a communicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BufferComm {
    /// Bytes of a connection's buffer by protocol: LL, LL128, Simple.
    pub protocols: [u64; 3],
    /// Connections with buffers of their own, per channel: the ring's and the tree's.
    pub connections: u32,
}

/// The constants of all collectives on all hardware.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommProfile {
    /// What does not depend on hardware.
    pub tuning: Tuning,
    /// Scale-up links, the most specific first.
    pub scale_up: Vec<ScaleUpComm>,
    /// Networks, the most specific first.
    pub network: Vec<NetworkComm>,
}

impl Default for CommProfile {
    fn default() -> Self {
        Self::nccl()
    }
}

impl CommProfile {
    /// The entry that holds for a domain of that kind of GPUs of that architecture: the first
    /// that names both, else the first of the kind, else the first.
    ///
    /// # Panics
    ///
    /// If the profile has no scale-up links at all, which [`CommProfile::with`] cannot bring about.
    pub fn scale_up_of(&self, kind: ScaleUpKind, architecture: &str) -> u8 {
        let of_kind = |entry: &ScaleUpComm| entry.kinds.contains(&kind);
        let named = |entry: &ScaleUpComm| {
            let names = |name: &String| name.eq_ignore_ascii_case(architecture);
            of_kind(entry)
                && (entry.architectures.is_empty() || entry.architectures.iter().any(names))
        };
        assert!(!self.scale_up.is_empty(), "a profile has scale-up links");
        let place = (self.scale_up.iter().position(named))
            .or_else(|| self.scale_up.iter().position(of_kind));
        u8::try_from(place.unwrap_or(0)).unwrap_or(0)
    }

    /// The entry that holds for a fabric: the one that the fabric names as its network, else the
    /// first that names a part of the fabric's name, else the first for all.
    pub fn network_of(&self, network: Option<&str>, fabric: &str) -> u8 {
        let fabric = fabric.to_lowercase();
        let named = |entry: &NetworkComm| entry.fabrics.iter().any(|part| fabric.contains(part));
        let place = network
            .and_then(|name| self.network_named(name))
            .or_else(|| self.network.iter().position(named))
            .or_else(|| (self.network.iter()).position(|entry| entry.fabrics.is_empty()));
        u8::try_from(place.unwrap_or(0)).unwrap_or(0)
    }

    /// The place of the network of that name.
    pub fn network_named(&self, name: &str) -> Option<usize> {
        let same = |entry: &NetworkComm| entry.name.eq_ignore_ascii_case(name);
        self.network.iter().position(same)
    }

    /// This profile with the entries and the tuning of a user's file or a fit in front of it:
    /// entries of an equal name are replaced.
    #[must_use]
    pub fn with(mut self, over: Self) -> Self {
        self.scale_up
            .retain(|old| over.scale_up.iter().all(|new| new.name != old.name));
        self.network
            .retain(|old| over.network.iter().all(|new| new.name != old.name));
        self.scale_up.splice(0..0, over.scale_up);
        self.network.splice(0..0, over.network);
        self.tuning = over.tuning;
        self
    }

    /// What messages between domains take before their first byte, so many times as long.
    pub fn scale_network(&mut self, latency: f64) {
        for network in &mut self.network {
            let table = &mut network.hop_us;
            let mut micros = vec![
                &mut table.collnet_direct,
                &mut table.collnet_chain,
                &mut table.nvls,
                &mut table.nvls_tree,
                &mut table.pat,
                &mut network.nic_us,
                &mut network.pairs_us,
                &mut network.peer_us,
            ];
            micros.extend(table.tree.iter_mut().chain(&mut table.ring));
            micros.extend(network.reached.iter_mut().flat_map(|own| &mut own.hop_us));
            for one in micros {
                *one *= latency;
            }
        }
    }

    /// Device memory of one communicator with that many channels.
    pub fn memory(&self, channels: u32) -> Bytes {
        let buffers = &self.tuning.buffers;
        let connection: u64 = buffers.protocols.iter().sum();
        Bytes::new(connection) * u64::from(buffers.connections) * u64::from(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_architecture_then_by_kind() {
        let comm = CommProfile::nccl();
        let name = |kind, architecture| {
            let place = comm.scale_up_of(kind, architecture);
            comm.scale_up[usize::from(place)].name.as_str()
        };
        assert_eq!(name(ScaleUpKind::NvSwitch, "Hopper"), "nvlink-hopper");
        assert_eq!(
            name(ScaleUpKind::NvSwitch, "Blackwell Ultra"),
            "nvlink-blackwell"
        );
        assert_eq!(name(ScaleUpKind::Mesh, "Volta"), "nvlink-volta");
        assert_eq!(name(ScaleUpKind::Mesh, "CDNA 3"), "infinity-fabric");
        assert_eq!(name(ScaleUpKind::Pcie, "Turing"), "pcie");
        assert_eq!(name(ScaleUpKind::NvSwitch, "Unheard"), "nvlink-blackwell");
    }

    #[test]
    fn a_network_is_found_by_what_the_fabric_says_then_by_its_name() {
        let comm = CommProfile::nccl();
        let name = |network, fabric| {
            let place = comm.network_of(network, fabric);
            comm.network[usize::from(place)].name.as_str()
        };
        assert_eq!(name(Some("efa"), "my fabric"), "efa");
        assert_eq!(name(Some("EFA"), "ena"), "efa");
        assert_eq!(name(None, "My-EFA-fabric"), "efa");
        assert_eq!(name(None, "rail-optimised"), "infiniband");
        assert_eq!(name(Some("unheard"), "rail-optimised"), "infiniband");
        assert_eq!(comm.network_named("unheard"), None);
    }

    #[test]
    fn a_fit_replaces_the_entry_of_its_name() {
        let comm = CommProfile::nccl();
        let mut fitted = comm.scale_up[0].clone();
        fitted.efficiency = 0.5;
        let over = CommProfile {
            tuning: comm.tuning.clone(),
            scale_up: vec![fitted],
            network: Vec::new(),
        };
        let both = comm.clone().with(over);
        assert_eq!(both.scale_up.len(), comm.scale_up.len());
        assert!((both.scale_up[0].efficiency - 0.5).abs() < 1e-12);
        assert_eq!(both.network, comm.network);
    }

    #[test]
    fn a_communicator_of_two_dozen_channels_takes_half_a_gibibyte() {
        let memory = CommProfile::nccl().memory(24);
        assert!((0.3..0.7).contains(&memory.as_gib()), "{memory}");
    }
}
