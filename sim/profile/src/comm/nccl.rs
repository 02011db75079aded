//! The built-in figures: NCCL 2.30.7's tuning constants (`src/graph/tuning.cc`), and single measured
//! ones where NCCL has none. What is fitted to tables stands in files of their own.

use std::collections::BTreeMap;

use crate::Provenance;
use crate::comm::{
    BufferComm, CommProfile, LatencyTable, NetworkComm, ScaleUpComm, ScaleUpKind, Tuning,
};

/// Hops over NVLink.
const NVLINK_HOP: LatencyTable = LatencyTable {
    tree: [0.6, 1.25, 4.0],
    ring: [0.6, 1.9, 3.4],
    collnet_direct: 3.7,
    collnet_chain: 2.8,
    nvls: 25.0,
    nvls_tree: 25.0,
    pat: 4.0,
};

/// Hops over `PCIe` and the host.
const PCIE_HOP: LatencyTable = LatencyTable {
    tree: [1.0, 1.9, 4.0],
    ring: [1.0, 2.5, 5.7],
    nvls: 0.0,
    nvls_tree: 0.0,
    ..NVLINK_HOP
};

/// Hops over the network.
const NET_HOP: LatencyTable = LatencyTable {
    tree: [5.0, 8.5, 14.0],
    ring: [2.7, 4.0, 14.0],
    collnet_direct: 31.0,
    collnet_chain: 30.0,
    nvls: 18.0,
    nvls_tree: 20.9,
    pat: 14.0,
};

const NCCL: &str = "NCCL 2.30.7, src/graph/tuning.cc and topo.h";

impl Default for Tuning {
    fn default() -> Self {
        let factors = [
            [
                10, 10, 10, 10, 9, 8, 7, 7, 7, 7, 6, 5, 4, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10,
            ],
            [
                10, 10, 10, 10, 10, 9, 8, 8, 8, 7, 6, 6, 6, 6, 6, 6, 8, 9, 9, 9, 9, 10, 10, 10,
            ],
            [
                9, 9, 9, 9, 9, 9, 9, 8, 7, 6, 6, 5, 5, 5, 5, 6, 7, 8, 7, 7, 8, 9, 9, 9,
            ],
        ];
        Self {
            base_us: LatencyTable {
                tree: [6.8, 14.0, 8.4],
                ring: [6.6, 14.0, 8.4],
                collnet_direct: 0.0,
                collnet_chain: 0.0,
                nvls: 0.0,
                nvls_tree: 0.0,
                pat: 8.0,
            },
            tree_factors: factors.map(|tenths| {
                tenths
                    .iter()
                    .map(|&tenth| f64::from(tenth) / 10.0)
                    .collect()
            }),
            ring_plateau: 1.4,
            ring_plateau_bytes: 64.0,
            ring_ll: 0.5,
            ring_ll128: 0.92,
            tree: 0.92,
            tree_ll: 1.0 / 3.8,
            tree_ll128: [7.0 / 9.0, 15.0 / 16.0],
            nvls: 5.0 / 6.0,
            pat: 0.75,
            pat_net_divisor: 3.5,
            pat_rank_us: 2.8,
            collnet_rank_us: 0.4,
            // Grouped sends of one token among 8 ranks took 24.4 µs (perplexityai/pplx-kernels,
            // README at 2bd6e30, torch all_to_all): 8.4 µs and 7 times this.
            pairs_peer_us: 2.3,
            send_ll_bytes: 16 << 10,
            buffers: BufferComm::default(),
        }
    }
}

impl Default for BufferComm {
    /// Eight slots: LL 512 KiB, LL128 4.9 MB (128 of its 120 bytes of data per line), Simple 4 MiB.
    fn default() -> Self {
        Self {
            protocols: [512 << 10, 4_915_200, 4 << 20],
            connections: 2,
        }
    }
}

impl CommProfile {
    /// NCCL's constants. They are nominal on any given machine: nothing was measured there.
    pub fn nccl() -> Self {
        Self {
            tuning: Tuning::default(),
            scale_up: vec![blackwell(), hopper(), ampere(), volta(), infinity(), pcie()],
            network: vec![
                tcpxo(),
                tcpx(),
                ena(),
                tcp(),
                efa_1(),
                efa_3(),
                efa(),
                roce(),
                infiniband(),
            ],
        }
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// Per link NCCL takes 40.1 of 50 GB/s.
fn blackwell() -> ScaleUpComm {
    ScaleUpComm {
        name: "nvlink-blackwell".to_owned(),
        kinds: vec![ScaleUpKind::NvSwitch],
        architectures: names(&["Blackwell", "Blackwell Ultra"]),
        efficiency: 40.1 / 50.0,
        ll_cap: [282.0, 90.0, 70.0],
        ll128_ring_cap: [40.0; 3],
        ll128_tree_cap: [55.6, 31.67, 20.0],
        tree_cap: [70.0, 42.8, 24.0],
        nvls: Some(0.74),
        ..hopper()
    }
}

/// Per link NCCL takes 20.6 of 25 GB/s, and for NVLS 0.85 of the speed of a graph of its own. Of the
/// rings' speed that is less: with rings on four H200 and NVLS on five (stas00/ml-engineering at
/// 744d01e, `network/README.md`, NCCL 2.27.7) it is between 0.75 and 0.8.
fn hopper() -> ScaleUpComm {
    ScaleUpComm {
        name: "nvlink-hopper".to_owned(),
        kinds: vec![ScaleUpKind::NvSwitch],
        architectures: names(&["Hopper"]),
        efficiency: 20.6 / 25.0,
        send_efficiency: 0.72,
        pairs_efficiency: 0.77,
        hop_us: NVLINK_HOP,
        ll_cap: [141.0, 45.0, 35.0],
        ll128_ring_cap: [36.7; 3],
        ll128_tree_cap: [36.7, 36.7, 29.0],
        tree_cap: [38.7, 41.4, 36.0],
        ll128: true,
        nvls: Some(0.775),
        channels: 24,
        factors: BTreeMap::new(),
        overhead_us: 0.0,
        ramp_us: 0.0,
        provenance: Provenance::Nominal,
        source: format!("{NCCL}; NVLS: stas00/ml-engineering at 744d01e"),
        reached: None,
    }
}

/// Per link NCCL takes 20 of 25 GB/s. An all-to-all of 8 GiB reaches 224 GB/s of 300 on eight
/// GPUs (microsoft/superbenchmark at 700d650).
fn ampere() -> ScaleUpComm {
    ScaleUpComm {
        name: "nvlink-ampere".to_owned(),
        kinds: vec![ScaleUpKind::NvSwitch, ScaleUpKind::Mesh],
        architectures: names(&["Ampere"]),
        efficiency: 20.0 / 25.0,
        pairs_efficiency: 0.75,
        ll_cap: [87.7, 22.5, 19.0],
        ll128_ring_cap: [20.0; 3],
        ll128_tree_cap: [20.0; 3],
        tree_cap: [24.0, 23.6, 17.8],
        nvls: None,
        source: NCCL.to_owned(),
        ..hopper()
    }
}

/// NCCL takes 20 of 25 GB/s per link; large all-reduces reach 22.5 on two GPUs with one link, 45
/// on three with two and 134 on eight with six (VIA-Research/vTrain at f8dda84, `trace/v100`),
/// and that is taken here.
fn volta() -> ScaleUpComm {
    ScaleUpComm {
        name: "nvlink-volta".to_owned(),
        kinds: vec![ScaleUpKind::Mesh, ScaleUpKind::NvSwitch],
        architectures: names(&["Volta"]),
        efficiency: 22.5 / 25.0,
        ll_cap: [39.0, 39.0, 20.4],
        ll128_ring_cap: [20.0; 3],
        ll128_tree_cap: [20.0; 3],
        tree_cap: [26.5, 18.5, 10.0],
        channels: 12,
        source: format!("{NCCL}; efficiency: VIA-Research/vTrain at f8dda84, trace/v100"),
        ..ampere()
    }
}

/// Infinity Fabric between AMD GPUs. RCCL has NCCL's structure; an all-reduce of 4 GiB reaches
/// 313 of 448 GB/s on eight MI300X (stas00/ml-engineering at 744d01e).
fn infinity() -> ScaleUpComm {
    ScaleUpComm {
        name: "infinity-fabric".to_owned(),
        kinds: vec![ScaleUpKind::Mesh],
        architectures: names(&["CDNA 2", "CDNA 3", "CDNA 4"]),
        efficiency: 0.7,
        send_efficiency: 0.7,
        pairs_efficiency: 0.7,
        channels: 28,
        source: format!("{NCCL}, Ampere; efficiency: stas00/ml-engineering at 744d01e, MI300X"),
        ..ampere()
    }
}

/// NCCL takes 12 of 15.75 GB/s of a third-generation x16 slot. LL128 is off.
fn pcie() -> ScaleUpComm {
    ScaleUpComm {
        name: "pcie".to_owned(),
        kinds: vec![ScaleUpKind::Pcie],
        architectures: Vec::new(),
        efficiency: 12.0 / 15.75,
        send_efficiency: 12.0 / 15.75,
        pairs_efficiency: 12.0 / 15.75,
        hop_us: PCIE_HOP,
        ll128: false,
        channels: 4,
        source: NCCL.to_owned(),
        ..ampere()
    }
}

/// NCCL takes 12 of 12.5 GB/s at 100 Gbit/s. Grouped sends of one token among 32, 64 and 128
/// ranks took 96, 102 and 132 µs (perplexityai/pplx-kernels, README at 2bd6e30, torch
/// `all_to_all`): 8.4 + 7 · 2.3 µs inside the node, and 60 µs + 0.4 µs a peer between nodes.
fn infiniband() -> NetworkComm {
    NetworkComm {
        name: "infiniband".to_owned(),
        fabrics: Vec::new(),
        efficiency: 12.0 / 12.5,
        pairs_efficiency: 0.93,
        hop_us: NET_HOP,
        nic_us: 0.0,
        simple_only: false,
        pairs_us: 60.0,
        peer_us: 0.4,
        channels_per_nic: 2,
        factors: BTreeMap::new(),
        overhead_us: 0.0,
        ramp_us: 0.0,
        provenance: Provenance::Nominal,
        source: format!("{NCCL}; all-to-all latency: perplexityai/pplx-kernels README at 2bd6e30"),
        reached: None,
    }
}

/// RDMA over Ethernet: NCCL takes it for `InfiniBand`.
fn roce() -> NetworkComm {
    NetworkComm {
        name: "roce".to_owned(),
        fabrics: names(&["roce"]),
        ..infiniband()
    }
}

/// AWS's adapter of p5 and p5e. NCCL takes the latency that the plugin reports (aws/aws-ofi-nccl,
/// `src/platform-aws.c`); all-reduces of 8 bytes over two nodes of p5 take 69 µs, so it is long
/// (aws-samples/awsome-distributed-training at 7217859).
fn efa() -> NetworkComm {
    NetworkComm {
        name: "efa".to_owned(),
        fabrics: names(&["efa"]),
        nic_us: 75.0,
        source: format!("{NCCL}; NIC: aws/aws-ofi-nccl, src/platform-aws.c, p5"),
        ..infiniband()
    }
}

/// Its first generation, of p4d and p4de: 164 µs where [`efa`] takes 69. It does not deliver bytes
/// in order, so the plugin sets `NCCL_PROTO=simple` there (aws/aws-ofi-nccl at 008a28b,
/// `src/platform-aws.c`, `force_proto_simple`).
fn efa_1() -> NetworkComm {
    NetworkComm {
        name: "efa-1".to_owned(),
        fabrics: names(&["efa-1"]),
        simple_only: true,
        source: format!("{NCCL}; NIC: aws/aws-ofi-nccl, src/platform-aws.c, p4d"),
        ..efa()
    }
}

/// Its third generation and later, of p5en and p6.
fn efa_3() -> NetworkComm {
    NetworkComm {
        name: "efa-3".to_owned(),
        fabrics: names(&["efa-3"]),
        nic_us: 35.0,
        source: format!("{NCCL}; NIC: aws/aws-ofi-nccl, src/platform-aws.c, p5en"),
        ..efa()
    }
}

/// Sockets: all-reduces of 8 bytes over two nodes take 85 µs and of 128 MiB reach a tenth of the
/// line (eth-cscs/cscs-docs at 80abed1, without the Slingshot plugin). A well-tuned stack reaches
/// more: half of the line is taken.
fn tcp() -> NetworkComm {
    NetworkComm {
        name: "tcp".to_owned(),
        fabrics: names(&["tcp", "socket"]),
        efficiency: 0.5,
        pairs_efficiency: 0.5,
        nic_us: 25.0,
        source: format!("{NCCL}; sockets: eth-cscs/cscs-docs at 80abed1"),
        ..infiniband()
    }
}

/// Sockets over AWS's older adapter, up to 50 Gbit/s: training stops to gain from faster lines
/// beyond 25 Gbit/s (Zhang et al., arXiv 2006.10103), so slow lines are nearly filled. Four fifths
/// are taken, between all of 10 Gbit/s and two thirds of 50.
fn ena() -> NetworkComm {
    NetworkComm {
        name: "ena".to_owned(),
        fabrics: names(&["ena"]),
        efficiency: 0.8,
        pairs_efficiency: 0.8,
        source: format!("{NCCL}; sockets: eth-cscs/cscs-docs at 80abed1, arXiv 2006.10103"),
        ..tcp()
    }
}

/// Google's GPUDirect-TCPXO: an all-gather of 1 KiB over two nodes of eight takes 85 µs where the
/// hops of InfiniBand sum up to 20, and one of 8 GiB reaches 189 of 200 GB/s
/// (GoogleCloudPlatform/cluster-toolkit at 1047080, A3 Mega).
fn tcpxo() -> NetworkComm {
    NetworkComm {
        name: "tcpxo".to_owned(),
        fabrics: names(&["tcpxo"]),
        efficiency: 0.94,
        nic_us: 32.0,
        source: format!("{NCCL}; NIC: GoogleCloudPlatform/cluster-toolkit at 1047080, A3 Mega"),
        ..infiniband()
    }
}

/// Google's GPUDirect-TCPX: no all-gather over two nodes of eight is faster than 1 ms, and one of
/// 256 MiB reaches 69 of 100 GB/s (GoogleCloudPlatform/cluster-toolkit at 1047080, A3 High).
fn tcpx() -> NetworkComm {
    NetworkComm {
        name: "tcpx".to_owned(),
        fabrics: names(&["tcpx"]),
        efficiency: 0.69,
        pairs_efficiency: 0.69,
        nic_us: 240.0,
        source: format!("{NCCL}; NIC: GoogleCloudPlatform/cluster-toolkit at 1047080, A3 High"),
        ..infiniband()
    }
}
