//! The built-in constants against printed results of nccl-tests and superbench.
//!
//! None of these rows was fitted: the tolerances say how far NCCL's own model, with the overhead and
//! the ramp that other tables gave, is from these machines.

use collective::{Choice, CommShape, bus_table};
use profile::{CollectiveKind, CommProfile, ScaleUpKind};
use units::{Bytes, BytesPerSec};

use CollectiveKind::{AllGather, AllReduce, AllToAll, Broadcast, Reduce, ReduceScatter};

fn gbytes(rate: f64) -> BytesPerSec {
    BytesPerSec::from_gbytes(rate).expect("positive")
}

/// Nodes of eight GPUs behind NVSwitch, with that rate of a GPU and of all NICs of a node.
fn nodes(architecture: &str, rate: f64, nodes: u32, nics: f64) -> CommShape {
    let comm = CommProfile::nccl();
    let entry = comm.scale_up_of(ScaleUpKind::NvSwitch, architecture);
    let mut shape = CommShape::domain(8 * nodes, gbytes(rate), entry);
    if nodes > 1 {
        let load = if nodes == 2 { 1.0 } else { 2.0 };
        shape = CommShape {
            domains: nodes,
            per_domain: 8,
            fewest: 8,
            rails: 8,
            ring: gbytes(nics),
            trees: gbytes(nics / load),
            pairs: gbytes(nics / 8.0),
            network: comm.network_of(None, "infiniband"),
            ..shape
        };
    }
    shape
}

/// Predicted over measured bandwidth, less one.
fn error(kind: CollectiveKind, shape: &CommShape, bytes: u64, busbw: f64) -> f64 {
    let comm = CommProfile::nccl();
    let rows = bus_table(kind, &[Bytes::new(bytes)], shape, &comm, &Choice::default());
    let error = rows[0].busbw / busbw - 1.0;
    println!(
        "{:>15} {:>12} B over {:>3}: {:7.2} GB/s measured, {:7.2} predicted ({} {}), {:+.1} %",
        kind.name(),
        bytes,
        shape.ranks,
        busbw,
        rows[0].busbw,
        rows[0].algorithm.name(),
        rows[0].protocol.name(),
        100.0 * error
    );
    error
}

#[test]
fn large_sizes_inside_a_node_are_within_ten_percent() {
    let (a100, h200) = (
        nodes("Ampere", 300.0, 1, 0.0),
        nodes("Hopper", 450.0, 1, 0.0),
    );
    let b200 = nodes("Blackwell", 900.0, 1, 0.0);
    let rows = [
        // microsoft/superbenchmark at 700d650, eight A100 of 40 GB.
        (AllReduce, &a100, 8 << 30, 235.26),
        (AllGather, &a100, 8 << 30, 223.39),
        (ReduceScatter, &a100, 8 << 30, 231.52),
        (AllToAll, &a100, 8 << 30, 224.31),
        (Broadcast, &a100, 8 << 30, 232.81),
        (Reduce, &a100, 8 << 30, 228.38),
        // stas00/ml-engineering at 744d01e, eight H200 and eight B200.
        (AllReduce, &h200, 16 << 30, 482.26),
        (AllGather, &h200, 16 << 30, 361.4),
        (ReduceScatter, &h200, 16 << 30, 362.9),
        (AllReduce, &b200, 16 << 30, 845.67),
    ];
    for (kind, shape, bytes, busbw) in rows {
        assert!(error(kind, shape, bytes, busbw).abs() < 0.10);
    }
}

#[test]
fn large_all_reduces_between_nodes_are_within_twenty_percent() {
    let rows = [
        // dstackai/dstack at 511c318: 2 nodes of H100 (Nebius) and of B200 (Lambda), InfiniBand.
        (nodes("Hopper", 450.0, 2, 400.0), 8 << 30, 467.54),
        (nodes("Blackwell", 900.0, 2, 400.0), 2 << 30, 696.06),
        // oracle-quickstart/oci-hpc at b5285a6: 2 nodes of H100, RoCE.
        (nodes("Hopper", 450.0, 2, 400.0), 16 << 30, 471.22),
        // aws-samples/awsome-distributed-training at 7217859: p5, p4de, and 16 nodes of p5en.
        (nodes("Hopper", 450.0, 2, 400.0), 16 << 30, 487.09),
        (nodes("Ampere", 300.0, 2, 50.0), 2 << 30, 78.33),
        (nodes("Hopper", 450.0, 16, 400.0), 16 << 30, 369.86),
        // stas00/ml-engineering at 744d01e: 4 nodes of B200.
        (nodes("Blackwell", 900.0, 4, 400.0), 16 << 30, 381.8),
    ];
    for (shape, bytes, busbw) in rows {
        assert!(error(AllReduce, &shape, bytes, busbw).abs() < 0.20);
    }
}

#[test]
fn all_gathers_and_all_to_alls_between_nodes_are_within_twenty_percent() {
    // GoogleCloudPlatform/cluster-toolkit at 1047080: 2 nodes of H200, RoCE.
    let h200 = nodes("Hopper", 450.0, 2, 400.0);
    assert!(error(AllGather, &h200, 8 << 30, 328.85).abs() < 0.20);
    // microsoft/mscclpp at 1f5f065: 2 nodes of A100 and of H100, kernels of its own.
    let a100 = nodes("Ampere", 300.0, 2, 200.0);
    assert!(error(AllToAll, &a100, 1 << 30, 43.63).abs() < 0.20);
    assert!(error(AllToAll, &h200, 1 << 30, 90.88).abs() < 0.20);
}

#[test]
fn middle_sizes_inside_a_node_are_within_a_quarter() {
    let comm = CommProfile::nccl();
    // VIA-Research/vTrain at f8dda84, trace/a100, medians: all-reduces that were not fitted.
    let rows = [
        (2, 8 << 20, 86.9),
        (2, 64 << 20, 404.7),
        (4, 8 << 20, 116.8),
        (4, 64 << 20, 543.8),
        (8, 8 << 20, 134.3),
        (8, 64 << 20, 579.9),
    ];
    let entry = comm.scale_up_of(ScaleUpKind::NvSwitch, "Ampere");
    for (ranks, bytes, micros) in rows {
        let shape = CommShape::domain(ranks, gbytes(300.0), entry);
        let time = collective::time(AllReduce, Bytes::new(bytes), &shape, &comm);
        let ratio = time.time.as_micros() / micros;
        println!(
            "{bytes:>12} B over {ranks}: {micros:7.2} us measured, {ratio:.2} of it predicted"
        );
        assert!(
            (0.75..1.25).contains(&ratio),
            "{bytes} over {ranks}: {ratio}"
        );
    }
}

#[test]
fn small_sizes_of_other_runs_are_predicted_too_fast() {
    // Another machine and an older NCCL than those whose launches are in the constants.
    let a100 = nodes("Ampere", 300.0, 1, 0.0);
    let comm = CommProfile::nccl();
    for (bytes, micros) in [(1 << 10, 36.07), (1 << 20, 74.78), (16 << 20, 226.0)] {
        let time = collective::time(AllReduce, Bytes::new(bytes), &a100, &comm);
        let ratio = time.time.as_micros() / micros;
        println!("{bytes:>12} B: {micros:7.2} us measured, {ratio:.2} of it predicted");
        assert!((0.4..1.05).contains(&ratio), "{bytes}: {ratio}");
    }
}
