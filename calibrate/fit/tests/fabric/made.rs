//! A fabric that nobody built, and what nccl-tests would print on it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cluster::Cluster;
use collective::{Choice, CommShape, Priced, shape};
use format::{At, Disk, Library};
use profile::{CollectiveKind, CommProfile, NetworkComm};
use units::{Bytes, GpuId};

const CLUSTER: &str = r#"
schema = 1
name = "made"

[[nodes]]
kind = "dgx-h100"
count = 8

[fabric]
name = "made-up"
kind = "single"
network = "mine"
link_latency = "2 us"
switch_latency = "0.5 us"
source = "made for this test"
"#;

/// The fabric in a folder of its own.
pub(crate) struct Made {
    folder: PathBuf,
    cluster: String,
    truth: CommProfile,
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Made {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("fabric-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let cluster = folder.join("made.toml");
        std::fs::write(&cluster, CLUSTER).unwrap();
        Self {
            folder,
            cluster: cluster.to_str().unwrap().to_owned(),
            truth: truth(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The constants that it was made with.
    pub(crate) fn truth(&self) -> &CommProfile {
        &self.truth
    }

    pub(crate) fn write(&self, name: &str, log: &str) -> PathBuf {
        let path = self.folder.join(format!("{name}.log"));
        std::fs::write(&path, log).unwrap();
        path
    }

    fn shape(&self, nodes: u32) -> CommShape {
        let library = Library {
            files: &Disk,
            base: &self.folder,
        };
        let mut file = library.cluster("made.toml", &At::default()).unwrap();
        file.nodes[0].count = nodes;
        let spec = library.complete(&file, &|_| At::default()).unwrap();
        let cluster = Cluster::build(&spec).unwrap();
        let group: Vec<GpuId> = cluster.gpus().collect();
        shape(&cluster, &self.truth, &group, &[])
    }
}

/// The network that stands for all, four times as far away and at 0.6 of its rate.
fn truth() -> CommProfile {
    let shipped = format::fitted_comm();
    let like = usize::from(shipped.network_of(None, "any"));
    let mut entry = NetworkComm {
        name: "mine".to_owned(),
        ..shipped.network[like].clone()
    };
    entry.pairs_us *= 2.0;
    entry.pairs_efficiency *= 0.5;
    let reached = entry.reached.as_mut().unwrap();
    reached.hop_us = reached.hop_us.map(|hop| 4.0 * hop);
    reached.ring = reached.ring.map(|share| 0.6 * share);
    reached.tree = reached.tree.map(|share| 0.6 * share);
    reached.ramp_us = reached.ramp_us.map(|ramp| 2.0 * ramp);
    let over = CommProfile {
        tuning: shipped.tuning.clone(),
        scale_up: Vec::new(),
        network: vec![entry],
    };
    shipped.clone().with(over)
}

/// What nccl-tests would print, one table after the other, with errors of at most `noise`.
pub(crate) fn log_of(made: &Made, kind: CollectiveKind, nodes: &[u32], noise: f64) -> String {
    let mut log = String::new();
    let mut seed: u64 = 12_345;
    for &nodes in nodes {
        head(&mut log, kind, nodes);
        let shape = made.shape(nodes);
        let priced = Priced::new(kind, &shape, &made.truth, &Choice::default());
        for exponent in 10..=32 {
            let bytes = Bytes::new(1 << exponent);
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let random = (seed >> 33) as f64 / f64::from(1_u32 << 31);
            let off = 1.0 + noise * (2.0 * random - 1.0);
            row(
                &mut log,
                kind,
                shape.ranks,
                bytes,
                priced.time(bytes).time.as_micros() * off,
            );
        }
        log.push_str("# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 1.0\n");
    }
    log
}

fn head(log: &mut String, kind: CollectiveKind, nodes: u32) {
    let _ = writeln!(log, "# Collective test starting: {}_perf", kind.name());
    log.push_str("# nThread 1 nGpus 1 minBytes 1024 maxBytes 4294967296 step: 2(factor)\n");
    log.push_str("#\n# Using devices\n");
    for rank in 0..8 * nodes {
        let (node, gpu) = (rank / 8, rank % 8);
        let _ = writeln!(
            log,
            "#  Rank {rank:>2} Group  0 Pid {rank} on node-{node} device {gpu} [0000:0f:00] NVIDIA H100 80GB HBM3"
        );
    }
    log.push_str("#\n# out-of-place in-place\n");
    log.push_str("# size count type redop root time algbw busbw #wrong time algbw busbw #wrong\n");
    log.push_str("# (B) (elements) (us) (GB/s) (GB/s) (us) (GB/s) (GB/s)\n");
}

fn row(log: &mut String, kind: CollectiveKind, ranks: u32, bytes: Bytes, micros: f64) {
    let algbw = bytes.as_f64() / micros / 1e3;
    let busbw = algbw * kind.bus_factor(ranks);
    let count = bytes.as_u64() / 4;
    let _ = write!(log, "{:>12} {count:>12} float sum -1", bytes.as_u64());
    for _ in 0..2 {
        let _ = write!(log, " {micros:>9.2} {algbw:>7.2} {busbw:>7.2}       0");
    }
    log.push('\n');
}
