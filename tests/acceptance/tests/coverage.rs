//! One scenario for each kind of published run: whatever their sources train, on whatever part of
//! a cluster, can be written down and predicted.

use std::path::PathBuf;

use acceptance::scenarios::{answer, from_root, name_of, number};

fn rows() -> Vec<PathBuf> {
    let folder = from_root("tests/acceptance/data/rows");
    let entries = std::fs::read_dir(folder).expect("the rows are there");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut rows: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    rows.sort();
    rows
}

#[test]
fn every_kind_of_run_is_predicted_by_every_engine() {
    let rows = rows();
    assert!(20 <= rows.len(), "{} rows", rows.len());
    for row in rows {
        for engine in ["estimate", "analytic", "flow"] {
            let answer = answer(&row, &[&format!("settings.engine={engine:?}")]);
            let name = name_of(&row);
            let time = number(&answer, "iteration_time_s");
            assert!(time.is_finite() && 0.0 < time, "{name}, {engine}: {time} s");
            let memory = number(&answer, "peak_allocated_bytes");
            assert!(0.0 < memory, "{name}, {engine}: {memory} B");
            // Of the peak of bf16, also where products run in fewer bits.
            assert!(number(&answer, "mfu") < 2.0, "{name}, {engine}");
        }
    }
}

/// A figure of one of the rows.
fn of(row: &str, set: &[&str], quantity: &str) -> f64 {
    let path = from_root("tests/acceptance/data/rows").join(format!("{row}.toml"));
    number(&answer(&path, set), quantity)
}

#[test]
fn a_job_on_part_of_a_node_counts_the_gpus_that_it_uses() {
    assert!((of("vtrain-part-of-a-node", &[], "plan.gpus") - 4.0).abs() < 0.5);
}

#[test]
fn adapters_hold_the_weights_and_little_else() {
    let held = |set: &[&str]| of("nemo-lora-packed", set, "peak_allocated_bytes");
    // 6.7 B parameters in two bytes, and activations.
    assert!(13.4e9 < held(&[]) && held(&[]) < 40e9, "{} B", held(&[]));
    let larger = held(&["training.peft={ kind = \"lora\", rank = 256 }"]);
    assert!(held(&[]) < larger, "{larger} B");
}

#[test]
fn packing_short_sequences_saves_attention() {
    let whole = of(
        "nemo-lora-packed",
        &["training.packed=4096"],
        "iteration_time_s",
    );
    let packed = of("nemo-lora-packed", &[], "iteration_time_s");
    assert!(packed < whole, "{packed} s, {whole} s");
}

#[test]
fn racks_with_free_places_keep_experts_in_one_domain() {
    // Numbered without a gap, 256 ranks cross a border of racks inside a group of 64.
    let engine = "settings.engine=\"analytic\"";
    let apart = "plan.rank_order_file=\"racks-of-72.txt\"";
    let kept = of("bridge-token-drop", &[engine], "breakdown.ep_s");
    let all = of("bridge-token-drop", &[engine, apart], "breakdown.ep_s");
    assert!(kept < all, "{kept} s, {all} s");
}

#[test]
fn a_run_that_was_out_of_memory_needs_most_of_it() {
    let used = of("v100-16gb-out-of-memory", &[], "device_used_bytes");
    let limit = of("v100-16gb-out-of-memory", &[], "device_memory_bytes");
    assert!(0.5 * limit < used, "{used} B of {limit} B");
}

#[test]
fn unfused_attention_costs_a_quarter_of_a_run_at_2048_tokens() {
    let time = |kernel: &str| {
        let set = format!("framework.attention={kernel:?}");
        of("launcher-gpt", &[&set], "iteration_time_s")
    };
    let (unfused, fused) = (time("unfused"), time("flash2"));
    let share = 1.0 - fused / unfused;
    assert!((0.15..0.35).contains(&share), "{unfused} s, {fused} s");
    // A100 does not run the third generation.
    assert!((time("flash3") - fused).abs() < 1e-9);
}

#[test]
fn measured_layers_bring_their_host_time_along() {
    // 22 blocks and two ends in micro-batches of one: a layer of a framework costs the host
    // 0.65 ms a pass.
    let other = of(
        "measured-layers",
        &["plan.micro_batch=1"],
        "breakdown.other_s",
    );
    let whole = of(
        "measured-layers",
        &["plan.micro_batch=1"],
        "iteration_time_s",
    );
    assert!(other < 0.05 * whole, "{other} s of {whole} s");
}

#[test]
fn frameworks_of_2021_wait_for_their_sums_and_sends() {
    let row = from_root("tests/acceptance/data/rows/vtrain-512.toml");
    let overlap = |framework: &str| {
        let set = format!("framework.name={framework:?}");
        answer(&row, &[&set, "plan.vp=3"])["plan"]["overlap"].clone()
    };
    let (then, now) = (overlap("megatron-lm-2021"), overlap("megatron-core"));
    assert_ne!(then["tp"], "backward");
    assert_eq!(now["tp"], "backward");
    assert_eq!((&then["p2p"], &now["p2p"]), (&false.into(), &true.into()));
}
