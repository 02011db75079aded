//! What tables count as operations, to get seconds back from TFLOP/s.

use workload::{Convention, Job, gpt_flops, gpt_flops_recomputed, model_flops};

use super::plan::recomputes_all;
use crate::Record;
use crate::spelled::has_any;

/// What a table counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Formula {
    /// Model FLOPs with half of all scores under a causal mask: Megatron-LM since 2025,
    /// Megatron-Bridge.
    Causal,
    /// Model FLOPs with all scores: Megatron-LM and `NeMo` of 2024, and what is not known.
    AllScores,
    /// Equation 3 of Narayanan et al. 2021, with full recomputation or without.
    Narayanan {
        /// Whether passes are computed again.
        recomputed: bool,
    },
    /// `8 · parameters · sequence · batch`, times a factor by when it was printed.
    Parameters {
        /// Parameters as the table prints them.
        params: f64,
        /// What printed times and rates of the same table differ by.
        factor: f64,
    },
}

/// BigScience's rates before its section "48 node contenders", over 8 · parameters · tokens / time:
/// the rows with both figures give 0.98 to 0.99.
const EARLY: f64 = 0.985;

/// The formula of the table that a row is from.
pub(super) fn formula(record: &Record) -> Formula {
    let repo = record.or_empty("source_repo");
    let framework = record.or_empty("framework");
    let recomputed = recomputes_all(record);
    if has_any(repo, &["bigscience"])
        && let Ok(Some(billions)) = record.number("params_b")
    {
        return Formula::Parameters {
            params: billions * 1e9,
            factor: EARLY,
        };
    }
    let family = super::framework::family(record);
    if family.of_2021 {
        return Formula::Narayanan { recomputed };
    }
    if has_any(framework, &["bridge"]) {
        return Formula::Causal;
    }
    Formula::AllScores
}

impl Formula {
    /// Its name and source.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Causal => {
                "model FLOPs with causal attention (Megatron-Bridge, num_floating_point_operations since 2025)"
            }
            Self::AllScores => {
                "model FLOPs with all attention scores (NeMo 24, Megatron-LM until 2024)"
            }
            Self::Narayanan { recomputed: true } => {
                "equation 3 of Narayanan et al. 2021, with recomputation"
            }
            Self::Narayanan { recomputed: false } => {
                "equation 3 of Narayanan et al. 2021, without recomputation"
            }
            Self::Parameters { .. } => "8 x parameters x tokens (BigScience)",
        }
    }

    /// Seconds of an iteration from 10¹² operations a second and GPU.
    pub fn seconds(self, tflops: f64, gpus: u64, job: &Job) -> f64 {
        let vocab = job.model.vocab();
        let operations = match self {
            Self::Causal => model_flops(job, vocab, Convention::Megatron).as_f64(),
            Self::AllScores => model_flops(job, vocab, Convention::MegatronFull).as_f64(),
            Self::Narayanan { recomputed } => {
                let shape = [
                    job.global_batch,
                    job.seq_len,
                    job.model.layers().len() as u64,
                    job.model.hidden(),
                    vocab,
                ];
                if recomputed {
                    gpt_flops_recomputed(shape).as_f64()
                } else {
                    gpt_flops(shape).as_f64()
                }
            }
            Self::Parameters { params, factor } => {
                8.0 * params * job.seq_len as f64 * job.global_batch as f64 * factor
            }
        };
        operations / (tflops * 1e12 * gpus as f64)
    }
}
