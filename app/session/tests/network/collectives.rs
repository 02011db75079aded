//! How NCCL would run a collective, and over which NICs.

use std::fs;

use session::Opened;

use crate::makespan;
use crate::scratch::Scratch;

/// Four nodes with eight GPUs and eight NICs each.
const RAILS: &str = "\
schema = 1
[workload]
collective = \"all_gather\"
bytes = \"1 GiB\"
ends = \"gpus\"
[cluster]
name = \"dgx-h100\"
nodes = 4
";

/// What was assumed of a field.
fn assumed(opened: &Opened, field: &str) -> Option<String> {
    let traffic = opened.traffic().unwrap();
    let mut all = traffic.assumptions.into_iter();
    all.find(|assumed| assumed.field == field)
        .map(|assumed| assumed.value)
}

#[test]
fn what_nccl_chooses_is_among_the_assumptions_and_what_is_given_is_not() {
    let scratch = Scratch::new("nccl-chosen");
    fs::write(scratch.0.join("scenario.toml"), RAILS).unwrap();
    let value = |set: &[&str], field| assumed(&scratch.open(set), field);
    assert_eq!(value(&[], "nccl.algo").unwrap(), "ring");
    assert_eq!(value(&[], "nccl.proto").unwrap(), "simple");
    assert_eq!(value(&[], "nccl.channels").unwrap(), "16");
    assert_eq!(value(&["nccl.channels=8"], "nccl.channels"), None);
    let small = ["workload.bytes=\"64 KiB\""];
    assert_eq!(value(&small, "nccl.proto").unwrap(), "ll");
    let nodes = [
        "workload.ends=\"nodes\"",
        "workload.collective=\"alltoall\"",
    ];
    assert_eq!(value(&nodes, "nccl.algo"), None);
}

#[test]
fn what_of_nccl_has_no_effect_is_a_warning() {
    let scratch = Scratch::new("nccl-unheeded");
    fs::write(scratch.0.join("scenario.toml"), RAILS).unwrap();
    let warnings = |set: &[&str]| scratch.open(set).traffic().unwrap().warnings.join("\n");
    assert_eq!(
        warnings(&["nccl.channels=8", "nccl.algo=\"ring\"", "nccl.proto=\"ll\""]),
        ""
    );
    let told = warnings(&["nccl.algo=\"pat\"", "nccl.channels=1000"]);
    assert!(
        told.contains("`nccl.algo` = \"pat\" has no effect"),
        "{told}"
    );
    assert!(told.contains("counts as 64"), "{told}");
    let reduce = [
        "workload.collective=\"all_reduce\"",
        "nccl.algo=\"nvls-tree\"",
    ];
    let told = warnings(&[reduce[0], reduce[1], "nccl.proto=\"ll\"", "nccl.channels=4"]);
    assert!(told.contains("nccl."), "{told}");
    let pairs = [
        "workload.collective=\"alltoall\"",
        "nccl.algo=\"ring\"",
        "nccl.proto=\"ll\"",
    ];
    let told = warnings(&[pairs[0], pairs[1], pairs[2], "nccl.channels=4"]);
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn collectives_over_nodes_take_what_all_of_their_nics_take() {
    let scratch = Scratch::new("all-nics");
    fs::write(scratch.0.join("scenario.toml"), RAILS).unwrap();
    for kind in ["all_gather", "ring", "broadcast", "permutation"] {
        let kind = format!("workload.collective=\"{kind}\"");
        let time = makespan(&scratch.open(&[&kind, "workload.ends=\"nodes\""]));
        // 1 GiB, or twice or once three quarters of it, over eight NICs of 50 GB/s.
        let share = time as f64 * 1e-12 / ((1_u64 << 30) as f64 / 400e9);
        assert!((0.75..1.6).contains(&share), "{kind}: {share}");
    }
}
