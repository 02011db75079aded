//! Table 1 of Megatron-LM's paper (arXiv 2104.04473), predicted from configuration alone.

use acceptance::scenarios::{answer, from_root, number};
use serde::Deserialize;

const SEQ_LEN: f64 = 2048.0;
const VOCAB: f64 = 51_200.0;
/// No constant was fitted to these rows, or to any other run.
const TOLERANCE: f64 = 0.20;
/// Between the largest and the smallest error.
const SPREAD: f64 = 0.12;

/// A row of the table.
#[derive(Debug, Deserialize)]
struct Row {
    model: String,
    hidden: u32,
    layers: u32,
    heads: u32,
    gpus: u32,
    tp: u32,
    pp: u32,
    vp: u32,
    micro_batch: u32,
    global_batch: u32,
    /// `torch` sums gradients beside the backward pass, `local` behind it.
    ddp: String,
    tflops_per_gpu: f64,
}

fn rows() -> Vec<Row> {
    let path = from_root("tests/acceptance/data/sc21_table1.csv");
    let mut reader = csv::Reader::from_path(path).expect("the table is there");
    let rows = reader.deserialize().collect::<Result<Vec<Row>, _>>();
    rows.expect("the table is well formed")
}

impl Row {
    /// Seconds of an iteration at the printed rate, by the paper's equation 3.
    fn seconds(&self) -> f64 {
        let [h, layers] = [self.hidden, self.layers].map(f64::from);
        let extra = 1.0 + SEQ_LEN / (6.0 * h) + VOCAB / (16.0 * layers * h);
        let flops = 96.0 * f64::from(self.global_batch) * SEQ_LEN * layers * h * h * extra;
        flops / (self.tflops_per_gpu * 1e12 * f64::from(self.gpus))
    }

    fn predicted(&self, engine: &str) -> f64 {
        let set = [
            format!("model.megatron.hidden={}", self.hidden),
            format!("model.megatron.layers={}", self.layers),
            format!("model.megatron.heads={}", self.heads),
            format!("cluster.nodes={}", self.gpus / 8),
            format!("training.global_batch={}", self.global_batch),
            format!("plan.tp={}", self.tp),
            format!("plan.pp={}", self.pp),
            format!("plan.vp={}", self.vp),
            format!("plan.micro_batch={}", self.micro_batch),
            format!("plan.overlap={{ grad_reduce = {} }}", self.ddp == "torch"),
            format!("settings.engine={engine:?}"),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let answer = answer(&from_root("tests/acceptance/data/sc21.toml"), &set);
        assert_eq!(answer["fits"], true, "{} ran", self.model);
        number(&answer, "iteration_time_s")
    }
}

#[test]
fn ten_published_runs_are_predicted_within_a_fifth_by_every_engine() {
    let rows = rows();
    assert_eq!(rows.len(), 10);
    for engine in ["estimate", "analytic", "flow"] {
        let errors: Vec<f64> = rows
            .iter()
            .map(|row| row.predicted(engine) / row.seconds() - 1.0)
            .collect();
        let table: Vec<String> = rows
            .iter()
            .zip(&errors)
            .map(|(row, error)| format!("{} {:+.1} %", row.model, error * 100.0))
            .collect();
        println!("{engine}: {}", table.join(", "));
        let worst = errors.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        assert!(worst <= TOLERANCE, "{engine}: {}", table.join(", "));
        // One factor, the speed of kernels, explains most of it, from 32 GPUs to 3,072.
        let [least, most] = [f64::min, f64::max].map(|pick| errors.iter().copied().reduce(pick));
        let spread = most.unwrap_or(0.0) - least.unwrap_or(0.0);
        assert!(spread <= SPREAD, "{engine}: {}", table.join(", "));
    }
}

#[test]
fn the_printed_rates_give_the_times_of_their_batches() {
    // 1.7 B on 32 GPUs: 3.528 s; 1 T on 3,072: 102.6 s.
    let seconds: Vec<f64> = rows().iter().map(Row::seconds).collect();
    assert!((seconds[0] - 3.528).abs() < 0.001, "{}", seconds[0]);
    assert!((seconds[9] - 102.63).abs() < 0.01, "{}", seconds[9]);
}
