//! What leaves the GPU and comes back: activations, weights, the optimizer.
//!
//! ```text
//! forward    compute  [1][2][3][4]          backward  [4][3][2][1]
//!            copies      (1)(2)(3)           copies (3)(2)(1)
//! ```
//!
//! A piece's activations leave behind its forward pass and come back while the piece before it in
//! backward order runs. Nothing waits as long as, for every run of pieces in a row, the bytes fit
//! into the time (`SSDTrain`, Wu et al. 2024). Copies of both directions share one stream.
//! Deliberately absent: contention of copies with messages that cross the same `PCIe` switch.

use cluster::{Cluster, NodeSpec};
use plan::{Offload, OffloadTarget, Plan, Shards};
use task::{Step, StepId, Work};
use trace::{Category, StreamKind};
use units::{Bytes, BytesPerSec, GpuId, Seconds};
use workload::ops::ParamCount;

use crate::piece::{Piece, PieceKind};

/// What of a rank lies outside its GPU, and how fast it moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Copies {
    offload: Offload,
    /// From the GPU to where its data go.
    down: BytesPerSec,
    /// And back.
    up: BytesPerSec,
    /// At which the host's optimizer reads and writes its states, for one GPU.
    host: BytesPerSec,
    dense: Shards,
    expert: Shards,
    param_bytes: f64,
}

/// Memory bandwidth of one CPU socket, of which node files say nothing: eight channels of
/// DDR4-3200 with 25.6 GB/s each (JEDEC JESD79-4), as in a DGX A100. Later hosts have more.
const SOCKET_GBYTES: f64 = 204.8;

impl Copies {
    /// The copies of a rank on that GPU.
    pub(crate) fn new(cluster: &Cluster, plan: &Plan, gpu: GpuId, param_bytes: f64) -> Self {
        let id = cluster.node_of(gpu);
        let node = cluster.node(id);
        let gpus = cluster.gpus_of(id).len().max(1) as f64;
        let offload = plan.offload();
        let link = host_link(node);
        let [down, up] = match (offload.target, node.storage) {
            (OffloadTarget::Ssd, Some(drives)) => [drives.write, drives.read].map(|rate| {
                let share = rate.scale(1.0 / gpus);
                share.map_or(link, |share| link.min(share))
            }),
            _ => [link; 2],
        };
        let memory = f64::from(node.host.sockets.max(1)) * SOCKET_GBYTES / gpus;
        Self {
            offload,
            down,
            up,
            host: BytesPerSec::from_gbytes(memory).unwrap_or(link),
            dense: plan.shards(),
            expert: plan.expert_shards(),
            param_bytes,
        }
    }

    /// Whether weights lie outside.
    pub(crate) fn weights(&self) -> bool {
        0.0 < self.offload.weights
    }

    /// Whether activations leave.
    pub(crate) fn activations(&self) -> bool {
        0.0 < self.offload.activations
    }

    /// Share of the optimizer that runs on the host.
    pub(crate) fn optimizer(&self) -> f64 {
        self.offload.optimizer
    }

    /// Bytes of a piece's activations that leave. Embeddings and logits stay: they are used
    /// again at once, or not at all.
    pub(crate) fn leaving(&self, piece: &Piece) -> Bytes {
        if self.activations() && matches!(piece.kind, PieceKind::Layer(_) | PieceKind::Mtp(..)) {
            piece.kept.scale(self.offload.activations)
        } else {
            Bytes::ZERO
        }
    }

    /// Bytes of a rank's share of some weights that lie outside.
    pub(crate) fn absent(&self, params: ParamCount) -> Bytes {
        let own = params.dense as f64 / f64::from(self.dense.weights)
            + params.expert as f64 / f64::from(self.expert.weights);
        Bytes::from_f64(own * self.param_bytes * self.offload.weights)
    }

    /// A copy from the GPU.
    pub(crate) fn down(&self, name: &str, bytes: Bytes, after: Vec<StepId>) -> Step {
        copy(name, bytes / self.down, after)
    }

    /// A copy to the GPU.
    pub(crate) fn up(&self, name: &str, bytes: Bytes, after: Vec<StepId>) -> Step {
        copy(name, bytes / self.up, after)
    }

    /// The host's optimizer over states of so many bytes, each moved once.
    pub(crate) fn host_step(&self, moved: Bytes, after: Vec<StepId>) -> Step {
        let work = Work::Delay(moved / self.host);
        let (stream, category) = (StreamKind::Host, Category::Optimizer);
        Step::new("host-optimizer", stream, category, work, after)
    }

    /// Bytes that follow a step of so many parameters: to the GPU those that the host has
    /// updated and that lie there, from the GPU those that it has updated and that do not.
    pub(crate) fn after_step(&self, updated: f64) -> (Bytes, Bytes) {
        let Offload {
            optimizer, weights, ..
        } = self.offload;
        let bytes = |share: f64| Bytes::from_f64(updated * self.param_bytes * share.max(0.0));
        (bytes(optimizer - weights), bytes(weights - optimizer))
    }
}

/// A copy that takes so long.
fn copy(name: &str, time: Seconds, after: Vec<StepId>) -> Step {
    let (stream, category) = (StreamKind::Offload, Category::Offload);
    Step::new(name, stream, category, Work::Delay(time), after)
}

/// What a GPU gets of the way to the host's memory while its neighbors use it too: those on one
/// `PCIe` switch share the switch's link to the socket.
fn host_link(node: &NodeSpec) -> BytesPerSec {
    let sharers = f64::from(node.host.gpus_per_switch.max(1));
    let link = node.host.gpu_link;
    link.scale(1.0 / sharers).unwrap_or(link)
}
