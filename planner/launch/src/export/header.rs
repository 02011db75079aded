//! The first lines of every file: what it is for, and by whom it was read when it was checked.

use predict::Scenario;

use crate::shell::comment;

/// Megatron-LM as this crate writes for it.
pub(crate) const MEGATRON: &str = "Megatron-LM at core_v0.19.2";
/// `DeepSpeed` as this crate writes for it.
pub(crate) const DEEPSPEED: &str = "DeepSpeed 0.19.8 with Megatron-DeepSpeed";
/// `DeepSpeed` that spreads experts by itself, as this crate writes for it.
pub(crate) const AUTO_EP: &str = "DeepSpeed 0.19.8 (AutoEP) and a Hugging Face model";
/// torchtitan as this crate writes for it.
pub(crate) const TORCHTITAN: &str = "torchtitan 0.3.0";
/// torchtitan with TOML files.
pub(crate) const TORCHTITAN_TOML: &str = "torchtitan 0.2, the last with TOML files";
/// Megatron-Bridge as this crate writes for it.
pub(crate) const NEMO: &str = "Megatron-Bridge 0.6.2 (NeMo), scripts/training/run_recipe.py";
/// torchrun as this crate writes for it.
pub(crate) const TORCHRUN: &str = "torchrun of PyTorch 2.15";
/// Slurm as this crate writes for it.
pub(crate) const SLURM: &str = "Slurm 22.05 and later";
/// NCCL as this crate writes for it.
pub(crate) const NCCL: &str = "NCCL 2.30";

/// Comment lines that say what a file is for.
///
/// * `reader` — the consumer with its version.
pub(crate) fn lines(scenario: &Scenario, reader: &str) -> String {
    let (name, model) = (comment(&scenario.name), comment(scenario.job.model.name()));
    let (cluster, ranks) = (comment(scenario.cluster.name()), scenario.plan.n_ranks());
    format!(
        "# Written by windtunnel for {reader}.\n# Scenario {name}: {model} on {ranks} GPUs of {cluster}; {}\n",
        degrees(scenario)
    )
}

/// The degrees above 1, and the schedule.
fn degrees(scenario: &Scenario) -> String {
    let plan = &scenario.plan;
    let degrees = plan.degrees();
    let all = [
        ("tp", degrees.tp),
        ("pp", degrees.pp),
        ("vp", plan.chunks()),
        ("cp", degrees.cp),
        ("ep", degrees.ep),
        ("dp", degrees.dp),
    ];
    let shown = all.iter().filter(|(_, degree)| 1 < *degree);
    let shown: Vec<String> = shown
        .map(|(name, degree)| format!("{name} {degree}"))
        .collect();
    if shown.is_empty() {
        "one rank.".to_owned()
    } else {
        format!("{}.", shown.join(", "))
    }
}
