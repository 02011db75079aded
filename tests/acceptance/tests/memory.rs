//! Memory that runs took, and runs that found none, predicted from configuration alone.

use acceptance::scenarios::{answer, from_root, number};
use serde::Deserialize;

/// A run of BigScience's search for a topology on A100 with 80 GB.
#[derive(Debug, Deserialize)]
struct Run {
    section: String,
    hidden: u32,
    layers: u32,
    heads: u32,
    gpus: u32,
    tp: u32,
    pp: u32,
    micro_batch: u32,
    global_batch: u32,
    precision: String,
    shard: String,
    /// What nvidia-smi showed on the fullest node, in GB, or that it ran out of memory.
    used_gb: String,
}

/// What a prediction says of memory.
struct Memory {
    used_gb: f64,
    fits: bool,
}

fn runs() -> Vec<Run> {
    let path = from_root("tests/acceptance/data/bloom_memory.csv");
    let mut reader = csv::Reader::from_path(path).expect("the table is there");
    let rows = reader.deserialize().collect::<Result<Vec<Run>, _>>();
    rows.expect("the table is well formed")
}

impl Run {
    fn predicted(&self) -> Memory {
        let rebalanced = self.section == "Rebalancing layers";
        let split: Vec<u32> = (0..self.pp)
            .map(|stage| self.layers / self.pp + u32::from(stage < self.layers % self.pp))
            .collect();
        let split = if rebalanced {
            "\"embedding-and-loss\"".to_owned()
        } else {
            format!("{split:?}")
        };
        let grads = if self.precision == "bf16" {
            "fp32"
        } else {
            "fp16"
        };
        let set = [
            format!("model.megatron.hidden={}", self.hidden),
            format!("model.megatron.layers={}", self.layers),
            format!("model.megatron.heads={}", self.heads),
            format!("model.megatron.embedding_norm={rebalanced}"),
            format!("cluster.nodes={}", self.gpus / 8),
            format!("training.global_batch={}", self.global_batch),
            format!("training.precision={:?}", self.precision),
            format!("training.grad_dtype={grads:?}"),
            format!("plan.tp={}", self.tp),
            format!("plan.pp={}", self.pp),
            format!("plan.micro_batch={}", self.micro_batch),
            format!("plan.shard={:?}", self.shard),
            format!("plan.layer_split={split}"),
            "settings.engine=\"analytic\"".to_owned(),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let answer = answer(&from_root("tests/acceptance/data/bloom.toml"), &set);
        Memory {
            used_gb: number(&answer, "device_used_bytes") / 1e9,
            fits: answer["fits"] == true,
        }
    }
}

#[test]
fn device_memory_of_42_runs_is_predicted_within_ten_percent_in_the_median() {
    let mut errors = Vec::new();
    for run in runs() {
        let Ok(measured) = run.used_gb.parse::<f64>() else {
            continue;
        };
        let predicted = run.predicted();
        let error = predicted.used_gb / measured - 1.0;
        println!(
            "{run:?}: {:.1} GB, {:+.1} %",
            predicted.used_gb,
            error * 100.0
        );
        assert!(predicted.fits, "{run:?} ran");
        errors.push(error.abs());
    }
    assert_eq!(errors.len(), 42);
    errors.sort_by(f64::total_cmp);
    assert!(errors[21] < 0.10, "median {}", errors[21]);
    // One run took 65 GB, 9 GB more than the next row with twice its micro-batch.
    assert!(errors[40] < 0.16, "second largest {}", errors[40]);
}

#[test]
fn three_of_four_runs_out_of_memory_are_foreseen() {
    let failed = runs()
        .into_iter()
        .filter(|run| run.used_gb == "out of memory");
    let fits: Vec<bool> = failed.map(|run| run.predicted().fits).collect();
    // The fourth is predicted to take 97 % of the memory: fragmentation is a constant here.
    assert_eq!(fits, [false, false, false, true]);
}

#[test]
fn checkpoints_on_the_host_let_zero_3_run_on_v100() {
    let row = from_root("tests/acceptance/data/rows/v100-zero-3.toml");
    let fits = |set: &[&str]| answer(&row, set)["fits"] == true;
    assert!(fits(&[]));
    assert!(!fits(&["plan.offload.activations=false", "plan.sp=false"]));
}
