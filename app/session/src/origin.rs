//! What the figures of a prediction mean, how they follow from others, and what they are founded on.

use predict::{Prediction, Sources};

use crate::binding::breakdown_parts;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Tokens a second.
    TokensPerSecond,
    /// 10¹² floating-point operations a second.
    TeraFlops,
    /// A share of 1.
    Share,
    /// Days.
    Days,
    /// GPU-hours.
    GpuHours,
    /// Kilowatt-hours.
    KilowattHours,
    /// Money, in the scenario's currency.
    Money,
    /// A plain number.
    Count,
}

/// How well a number is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// From a measured table.
    Measured,
    /// From a curve fitted on one, inside its range.
    Interpolated,
    /// Outside its range.
    Extrapolated,
    /// From data sheets with usual efficiencies.
    Nominal,
    /// Computed from others, exactly.
    Derived,
    /// What an engine found.
    Simulated,
}

impl Worth {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Interpolated => "interpolated",
            Self::Extrapolated => "extrapolated",
            Self::Nominal => "nominal",
            Self::Derived => "derived",
            Self::Simulated => "simulated",
        }
    }
}

/// A figure that explains itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The key that `simulate --json` writes it under; parts of the breakdown stand behind
    /// `breakdown.`.
    pub key: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// The number.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// How it follows from others, with the paper where there is one.
    pub formula: Option<&'static str>,
    /// How well it is founded.
    pub worth: Worth,
    /// On what.
    pub source: String,
    /// From its 10th to its 90th percentile, where a fit says it.
    pub interval: Option<[f64; 2]>,
}

/// Every figure of a prediction, the most important first.
pub fn origins(prediction: &Prediction) -> Vec<Origin> {
    let mut all = times(prediction);
    all.extend(rates(prediction));
    all.extend(memory(prediction));
    all.extend(parts(prediction));
    all.extend(totals(prediction));
    all
}

/// The engine in words.
fn engine(prediction: &Prediction) -> String {
    let engine = match prediction.engine {
        "estimate" => "closed forms of schedule and collectives",
        "analytic" => "events; collectives cost what they cost alone",
        "flow" => "events; flows share links max-min fairly",
        _ => "events; packets with queues and transports",
    };
    format!("engine {} ({engine})", prediction.engine)
}

/// The times of kernels in words, by their worth.
fn kernels(sources: &Sources) -> String {
    let shares = [
        ("measured", sources.measured),
        ("interpolated", sources.interpolated),
        ("extrapolated", sources.extrapolated),
        ("nominal", sources.nominal),
    ];
    let told = shares.iter().filter(|(_, share)| 0.0005 < *share);
    let told: Vec<String> = told
        .map(|(name, share)| format!("{:.1} % {name}", share * 100.0))
        .collect();
    let profiles: Vec<&str> = {
        let names = sources
            .tables
            .iter()
            .filter_map(|table| table.what.split(": ").next());
        let mut names: Vec<&str> = names.collect();
        names.dedup();
        names.truncate(2);
        names
    };
    format!(
        "kernels: {} (profile {})",
        told.join(", "),
        profiles.join(", ")
    )
}

/// The worth that most of the kernels' time has.
fn worth(sources: &Sources) -> Worth {
    let shares = [
        (Worth::Measured, sources.measured),
        (Worth::Interpolated, sources.interpolated),
        (Worth::Extrapolated, sources.extrapolated),
        (Worth::Nominal, sources.nominal),
    ];
    let most = shares.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    most.map_or(Worth::Nominal, |(worth, _)| worth)
}

fn interval(prediction: &Prediction) -> Option<[f64; 2]> {
    prediction
        .iteration_time_p10_s
        .zip(prediction.iteration_time_p90_s)
        .map(<[f64; 2]>::from)
}

fn times(prediction: &Prediction) -> Vec<Origin> {
    vec![Origin {
        key: "iteration_time_s",
        label: "Iteration time",
        value: prediction.iteration_time_s,
        unit: Unit::Seconds,
        meaning: "From the start of an iteration to the end of its optimizer step on the last rank.",
        formula: None,
        worth: Worth::Simulated,
        source: format!("{}; {}", engine(prediction), kernels(&prediction.sources)),
        interval: interval(prediction),
    }]
}

fn rates(prediction: &Prediction) -> Vec<Origin> {
    let over_time = |value: f64| {
        let time = prediction.iteration_time_s;
        interval(prediction).map(|[p10, p90]| [value * time / p90, value * time / p10])
    };
    let derived = |key, label, value, unit, meaning, formula| Origin {
        key,
        label,
        value,
        unit,
        meaning,
        formula: Some(formula),
        worth: Worth::Derived,
        source: "the iteration time".to_owned(),
        interval: over_time(value),
    };
    let mut all = vec![
        derived(
            "tokens_per_s",
            "Throughput",
            prediction.tokens_per_s,
            Unit::TokensPerSecond,
            "Tokens of all replicas that are trained on in a second.",
            "global_batch · seq_len / iteration time",
        ),
        derived(
            "tokens_per_s_per_gpu",
            "Throughput a GPU",
            prediction.tokens_per_s_per_gpu,
            Unit::TokensPerSecond,
            "The throughput over the number of GPUs.",
            "global_batch · seq_len / (iteration time · GPUs)",
        ),
        derived(
            "mfu",
            "MFU",
            prediction.mfu,
            Unit::Share,
            "Model FLOPs utilisation: operations that the model needs, over the dense peak of the GPUs \
             in the compute format. What is recomputed does not count.",
            "model FLOPs / (iteration time · GPUs · peak); Chowdhery et al., PaLM, arXiv 2204.02311, \
             appendix B; FLOPs as in Narayanan et al., arXiv 2104.04473, section 5.1",
        ),
        derived(
            "model_tflops_per_gpu",
            "Model TFLOP/s a GPU",
            prediction.model_tflops_per_gpu,
            Unit::TeraFlops,
            "Operations that the model needs, a second and GPU, without recomputation.",
            "model FLOPs / (iteration time · GPUs); Narayanan et al., arXiv 2104.04473, section 5.1",
        ),
        derived(
            "hardware_tflops_per_gpu",
            "Hardware TFLOP/s a GPU",
            prediction.hardware_tflops_per_gpu,
            Unit::TeraFlops,
            "Operations that the plan runs, a second and GPU, with recomputation.",
            "hardware FLOPs / (iteration time · GPUs); Korthikanti et al., arXiv 2205.05198, appendix A",
        ),
    ];
    let of_peak = all.iter_mut().filter(|origin| origin.key == "mfu");
    for origin in of_peak {
        origin.source = format!(
            "the iteration time; a peak of {} TFLOP/s a GPU in {}",
            prediction.peak_tflops_per_gpu, prediction.mfu_format
        );
    }
    all
}

fn memory(prediction: &Prediction) -> Vec<Origin> {
    let of = |key, label, value: units::Bytes, meaning, formula| {
        Origin {
        key,
        label,
        value: value.as_f64(),
        unit: Unit::Bytes,
        meaning,
        formula,
        worth: Worth::Simulated,
        source: "weights, gradients and states from the plan; activations by Korthikanti et al., arXiv \
                 2205.05198, for the operators that run; reserve and context from the framework's file"
            .to_owned(),
        interval: None,
    }
    };
    vec![
        of(
            "peak_allocated_bytes",
            "Peak allocated",
            prediction.peak_allocated_bytes,
            "The largest peak of the framework's allocator over all ranks.",
            Some("max over ranks and time of weights + gradients + states + activations + buffers"),
        ),
        of(
            "peak_reserved_bytes",
            "Peak reserved",
            prediction.peak_reserved_bytes,
            "The same with what the allocator holds in reserve.",
            Some(
                "peak allocated · (1 + slack) + what the optimizer step holds besides; constants of the framework's file",
            ),
        ),
        of(
            "device_used_bytes",
            "Device memory used",
            prediction.device_used_bytes,
            "What the device shows: reserved memory with the context and communication buffers.",
            Some("peak reserved + context + communicators"),
        ),
        Origin {
            worth: Worth::Nominal,
            source: "the GPU's data sheet".to_owned(),
            ..of(
                "device_memory_bytes",
                "Device memory",
                prediction.device_memory_bytes,
                "The memory of the GPU that is fullest against its limit.",
                None,
            )
        },
    ]
}

/// What each part of the breakdown means, in the order of [`breakdown_parts`].
const PARTS: [(&str, &str, &str); 9] = [
    (
        "breakdown.compute_s",
        "Compute",
        "Forward and backward kernels.",
    ),
    (
        "breakdown.tp_s",
        "Tensor parallel",
        "Tensor-parallel communication that no kernel hides.",
    ),
    (
        "breakdown.pp_s",
        "Pipeline messages",
        "Waiting for messages of the pipeline that are on their way.",
    ),
    (
        "breakdown.dp_s",
        "Data parallel",
        "Data-parallel communication that no kernel hides.",
    ),
    (
        "breakdown.cp_s",
        "Context parallel",
        "Context-parallel communication that no kernel hides.",
    ),
    (
        "breakdown.ep_s",
        "Expert parallel",
        "Expert-parallel communication that no kernel hides.",
    ),
    (
        "breakdown.bubble_s",
        "Bubble",
        "Waiting for other stages or slower ranks.",
    ),
    (
        "breakdown.optimizer_s",
        "Optimizer",
        "The optimizer's step and the clipping before it.",
    ),
    (
        "breakdown.other_s",
        "Other",
        "Host time, offloading and the rest.",
    ),
];

fn parts(prediction: &Prediction) -> Vec<Origin> {
    let values = breakdown_parts(&prediction.breakdown).into_iter();
    let named = PARTS.into_iter().zip(values);
    let of = |((key, label, meaning), (_, value))| Origin {
        key,
        label,
        value,
        unit: Unit::Seconds,
        meaning,
        formula: Some(
            "each instant of the bottleneck rank counts for the first active kind; the parts sum to \
             the iteration",
        ),
        worth: if label == "Compute" || label == "Optimizer" {
            worth(&prediction.sources)
        } else {
            Worth::Simulated
        },
        source: match (&prediction.bottleneck, label) {
            (_, "Compute" | "Optimizer") => kernels(&prediction.sources),
            (Some(rank), _) => format!("{}, on {rank}", engine(prediction)),
            (None, _) => engine(prediction),
        },
        interval: None,
    };
    named.map(of).collect()
}

fn totals(prediction: &Prediction) -> Vec<Origin> {
    const TOTALS: [(&str, &str, Unit, &str, &str); 5] = [
        (
            "days",
            "Days",
            Unit::Days,
            "Time of the whole training.",
            "total_tokens / throughput",
        ),
        (
            "gpu_hours",
            "GPU-hours",
            Unit::GpuHours,
            "GPUs times the time of the whole training.",
            "GPUs · time",
        ),
        (
            "gpu_energy_kwh_at_tdp",
            "Energy of the GPUs",
            Unit::KilowattHours,
            "Energy of the whole training with every GPU at its design power.",
            "GPUs · design power · time",
        ),
        (
            "cost",
            "Cost",
            Unit::Money,
            "GPU-hours and energy at the scenario's prices.",
            "GPU-hours · price + energy · price",
        ),
        (
            "iterations",
            "Iterations",
            Unit::Count,
            "Iterations of the whole training.",
            "total_tokens / (global_batch · seq_len)",
        ),
    ];
    let found = TOTALS
        .into_iter()
        .filter_map(|(key, label, unit, meaning, formula)| {
            let value = prediction.totals.get(key)?.as_f64()?;
            Some(Origin {
                key,
                label,
                value,
                unit,
                meaning,
                formula: Some(formula),
                worth: Worth::Derived,
                source: "the iteration time and `training.total_tokens`".to_owned(),
                interval: None,
            })
        });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Tuner};

    fn all(name: &str) -> (Prediction, Vec<Origin>) {
        let opened = Draft::example(name).unwrap().open().unwrap();
        let prediction = Tuner::new(&opened, &units::Control::new())
            .unwrap()
            .base()
            .clone();
        let origins = origins(&prediction);
        (prediction, origins)
    }

    #[test]
    fn every_figure_says_what_it_means_and_where_it_is_from() {
        let (prediction, all) = all("llama3-70b-dgx-h100");
        assert!(18 < all.len());
        for one in &all {
            assert!(one.meaning.ends_with('.'), "{one:?}");
            assert!(!one.source.is_empty() && one.value.is_finite(), "{one:?}");
            assert!(
                one.worth != Worth::Derived || one.formula.is_some(),
                "{one:?}"
            );
        }
        let mfu = all.iter().find(|one| one.key == "mfu").unwrap();
        let peak = format!("{} TFLOP/s", prediction.peak_tflops_per_gpu);
        assert!(mfu.source.contains(&peak), "{mfu:?}");
        assert!(mfu.source.ends_with(prediction.mfu_format), "{mfu:?}");
        let json = serde_json::to_value(&prediction).unwrap();
        for one in &all {
            let mut at = &json;
            for key in one.key.split('.') {
                at = at.get(key).or_else(|| json["totals"].get(key)).unwrap();
            }
            assert_eq!(at.as_f64(), Some(one.value), "{}", one.key);
        }
    }

    #[test]
    fn the_interval_of_a_rate_turns_that_of_the_time_around() {
        let (prediction, all) = all("llama3-70b-dgx-h100");
        let of = |key: &str| all.iter().find(|one| one.key == key).unwrap();
        let [low, high] = of("tokens_per_s").interval.unwrap();
        assert!(low < prediction.tokens_per_s && prediction.tokens_per_s < high);
        let [fast, slow] = of("iteration_time_s").interval.unwrap();
        assert!((low * slow - high * fast).abs() < 1e-6 * low * slow);
    }
}
