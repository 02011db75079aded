//! The shipped constants of collectives against the tables that they were fitted to.

#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be read fails the test"
)]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use collective::{Choice, CommShape, bus_table};
use profile::{CollectiveKind, CommProfile, ScaleUpKind};
use units::{Bytes, BytesPerSec};

use CollectiveKind::{AllGather, AllReduce, AllToAll, Broadcast, Reduce, ReduceScatter};

fn gbytes(rate: f64) -> BytesPerSec {
    BytesPerSec::from_gbytes(rate).unwrap()
}

/// Nodes of eight GPUs behind NVSwitch, with that rate of a GPU and of all NICs of a node.
fn nodes(architecture: &str, rate: f64, nodes: u32, network: &str, nics: f64) -> CommShape {
    let comm = format::fitted_comm();
    let entry = comm.scale_up_of(ScaleUpKind::NvSwitch, architecture);
    let one = CommShape::domain(8 * nodes, gbytes(rate), entry);
    if nodes < 2 {
        return one;
    }
    let load = if nodes == 2 { 1.0 } else { 2.0 };
    CommShape {
        domains: nodes,
        per_domain: 8,
        fewest: 8,
        rails: 8,
        ring: gbytes(nics),
        trees: gbytes(nics / load),
        pairs: gbytes(nics / 8.0),
        network: comm.network_of(Some(network), ""),
        ..one
    }
}

/// Predicted over measured time, less one.
fn error(kind: CollectiveKind, shape: &CommShape, bytes: u64, micros: f64) -> f64 {
    let comm = format::fitted_comm();
    let rows = bus_table(kind, &[Bytes::new(bytes)], shape, comm, &Choice::default());
    let error = rows[0].time.as_micros() / micros - 1.0;
    println!(
        "{:>15} {bytes:>12} B over {:>3}: {error:+.3}",
        kind.name(),
        shape.ranks
    );
    error
}

#[test]
fn large_sizes_are_within_ten_percent() {
    let a100 = nodes("Ampere", 300.0, 1, "", 0.0);
    let h200 = nodes("Hopper", 450.0, 1, "", 0.0);
    let b200 = nodes("Blackwell", 900.0, 1, "", 0.0);
    let rows = [
        // microsoft/superbenchmark at 700d650, eight A100 of 40 GB.
        (AllReduce, a100, 8 << 30, 63_896.0),
        (AllGather, a100, 8 << 30, 33_646.0),
        (ReduceScatter, a100, 8 << 30, 32_464.0),
        (AllToAll, a100, 8 << 30, 33_508.0),
        (Broadcast, a100, 8 << 30, 36_896.0),
        (Reduce, a100, 8 << 30, 37_613.0),
        // stas00/ml-engineering at 744d01e, eight H200 and eight B200.
        (AllReduce, h200, 16 << 30, 62_341.0),
        (AllReduce, b200, 16 << 30, 35_551.0),
        // dstackai/dstack at 511c318: two nodes of H100 and of B200.
        (
            AllReduce,
            nodes("Hopper", 450.0, 2, "infiniband", 400.0),
            8 << 30,
            34_448.0,
        ),
        (
            AllReduce,
            nodes("Blackwell", 900.0, 2, "infiniband", 400.0),
            2 << 30,
            5785.0,
        ),
    ];
    for (kind, shape, bytes, micros) in rows {
        assert!(error(kind, &shape, bytes, micros).abs() < 0.10);
    }
}

#[test]
fn small_sizes_are_within_a_fifth() {
    // NVIDIA, ai-dynamo/aiconfigurator at 095f58a, h100_sxm and b200_sxm, NCCL 2.29.2, half.
    let h100 = nodes("Hopper", 450.0, 1, "", 0.0);
    let b200 = nodes("Blackwell", 900.0, 1, "", 0.0);
    let rows = [
        (AllReduce, h100, 16 << 10, 16.7),
        (AllGather, h100, 128 << 10, 13.5),
        (AllToAll, h100, 256 << 10, 13.0),
        (AllReduce, b200, 64 << 10, 28.9),
        (ReduceScatter, b200, 512 << 10, 18.8),
    ];
    for (kind, shape, bytes, micros) in rows {
        assert!(error(kind, &shape, bytes, micros).abs() < 0.20);
    }
}

#[test]
fn every_entry_keeps_its_bar_on_tables_that_were_left_out() {
    let comm = format::fitted_comm();
    let inside = comm.scale_up.iter().filter_map(|entry| {
        let reached = entry.reached.as_ref()?;
        Some((&entry.name, &reached.fit))
    });
    for (name, fit) in inside {
        let [small, large] = fit.held_out;
        assert!(0 < fit.rows && large <= 0.10, "{name}: {large}");
        assert!(small <= 0.20, "{name}: {small}");
    }
    // Tables of one network disagree: p4d and p4de by 1.8, both of A3 High by 1.4.
    let median = |errors: &mut Vec<f64>| {
        errors.sort_by(f64::total_cmp);
        errors[errors.len() / 2]
    };
    let between = |at: usize| -> Vec<f64> {
        let fits = comm
            .network
            .iter()
            .filter_map(|entry| entry.reached.as_ref());
        fits.map(|own| own.fit.held_out[at]).collect()
    };
    assert!(median(&mut between(0)) < 0.30, "{:?}", between(0));
    assert!(median(&mut between(1)) < 0.25, "{:?}", between(1));
}

#[test]
fn tables_that_are_left_out_are_predicted_worse_than_those_that_are_fitted() {
    let comm = format::fitted_comm();
    let inside = comm.scale_up.iter().filter_map(|entry| {
        let own = entry.reached.as_ref()?;
        Some((&entry.name, &own.fit))
    });
    let between = comm.network.iter().filter_map(|entry| {
        let own = entry.reached.as_ref()?;
        Some((&entry.name, &own.fit))
    });
    for (name, fit) in inside.chain(between) {
        let [left_out, fitted] = [fit.held_out, fit.median_error].map(|of| of[0] + of[1]);
        assert!(fitted < left_out, "{name}: {fitted} fitted, {left_out}");
    }
}

#[test]
fn the_shipped_file_is_what_the_fit_writes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/collectives");
    let threads = std::thread::available_parallelism().unwrap();
    let fitted = fit::collectives::fit(&folder, &[], threads).unwrap();
    let shipped = include_str!("../../../scenarios/profiles/collectives.toml");
    let differ = fitted
        .file
        .lines()
        .zip(shipped.lines())
        .find(|(a, b)| a != b);
    assert!(
        fitted.file == shipped,
        "{differ:?}: write it anew by `windtunnel calibrate fit --only collectives --output scenarios`"
    );
}

proptest::proptest! {
    #[test]
    fn no_size_takes_less_time_than_a_smaller_one(
        kind in 0..CollectiveKind::ALL.len(),
        network in 0..format::fitted_comm().network.len(),
        architecture in 0..3_usize,
        domains in 1..40_u32,
        sizes in [0.0..36.0_f64, 0.0..36.0],
    ) {
        let comm = format::fitted_comm();
        let (architecture, rate) = [("Ampere", 300.0), ("Hopper", 450.0), ("Blackwell", 900.0)][architecture];
        let network = comm.network[network].name.clone();
        let shape = nodes(architecture, rate, domains, &network, 400.0);
        let kind = CollectiveKind::ALL[kind];
        let sizes = sizes.map(|exponent| Bytes::from_f64(units::math::exp(exponent * units::math::ln(2.0))));
        let [small, large] = [sizes[0].min(sizes[1]), sizes[0].max(sizes[1])];
        let rows = bus_table(kind, &[small, large], &shape, comm, &Choice::default());
        proptest::prop_assert!(
            rows[0].time <= rows[1].time,
            "{} over {domains} domains of {architecture} by {network}: {:?}",
            kind.name(), rows
        );
    }
}

#[test]
fn the_file_repeats_the_constants_that_choose() {
    let nominal = CommProfile::nccl();
    let fitted = format::fitted_comm();
    for entry in &nominal.scale_up {
        let same = fitted
            .scale_up
            .iter()
            .find(|other| other.name == entry.name);
        let mut same = same.unwrap().clone();
        (same.reached, same.provenance) = (None, entry.provenance);
        assert!(same.source.starts_with(&entry.source), "{}", entry.name);
        same.source.clone_from(&entry.source);
        assert_eq!(same, *entry);
    }
    for entry in &nominal.network {
        let same = fitted.network.iter().find(|other| other.name == entry.name);
        let mut same = same.unwrap().clone();
        (same.reached, same.provenance) = (None, entry.provenance);
        same.source.clone_from(&entry.source);
        assert_eq!(same, *entry);
    }
}

#[test]
fn a_folder_without_tables_is_refused_with_a_hint() {
    let error = fit::collectives::fit(Path::new("nowhere"), &[PathBuf::new()], NonZeroUsize::MIN)
        .unwrap_err();
    assert!(
        error.to_string().ends_with("nowhere/nccl-tests.csv"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("SOURCE.md"));
}
