//! Which rows belong together, so that they are left out together.

use super::FitRow;

/// Where runs come from, as reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Source {
    VtrainSingle,
    VtrainMulti,
    Sc21,
    Bloom,
    BigScienceV100,
    SimuMax,
    Foundry,
    BridgeDense,
    BridgeMoe,
    Nemo,
    Launcher,
    AmpT4,
    AmpMixed,
    AmpTransGan,
    Other,
}

impl Source {
    /// The name that reports print.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VtrainSingle => "vTrain, one node",
            Self::VtrainMulti => "vTrain, several nodes",
            Self::Sc21 => "Megatron-LM, SC21 Table 1",
            Self::Bloom => "BLOOM, A100",
            Self::BigScienceV100 => "BigScience, V100",
            Self::SimuMax => "SimuMax, B200",
            Self::Foundry => "llm-foundry",
            Self::BridgeDense => "Megatron-Bridge, dense",
            Self::BridgeMoe => "Megatron-Bridge, experts",
            Self::Nemo => "NeMo documents",
            Self::Launcher => "NeMo launcher, A100",
            Self::AmpT4 => "AMP, T4",
            Self::AmpMixed => "AMP, T4 and V100",
            Self::AmpTransGan => "AMP, TransGAN",
            Self::Other => "other",
        }
    }
}

/// The source of a row.
pub fn source_of(row: &FitRow) -> Source {
    let repo = row.record.or_empty("source_repo");
    let path = row.record.or_empty("source_path");
    let routed = row.routed;
    match repo {
        "VIA-Research/vTrain" if path.contains("single") => Source::VtrainSingle,
        "VIA-Research/vTrain" => Source::VtrainMulti,
        "bigscience-workshop/bigscience" if path.contains("megatron-lm.md") => Source::Sc21,
        "bigscience-workshop/bigscience" if path.contains("tr11-176B") => Source::Bloom,
        "bigscience-workshop/bigscience" => Source::BigScienceV100,
        "MooreThreads/SimuMax" => Source::SimuMax,
        "mosaicml/llm-foundry" => Source::Foundry,
        "NVIDIA-NeMo/Megatron-Bridge" if routed => Source::BridgeMoe,
        "NVIDIA-NeMo/Megatron-Bridge" => Source::BridgeDense,
        "NVIDIA/NeMo" => Source::Nemo,
        "NVIDIA/NeMo-Framework-Launcher" => Source::Launcher,
        "MccRee177/AMP" if path.contains("het_model") => Source::AmpTransGan,
        "MccRee177/AMP" if path.contains("het_cluster") => Source::AmpMixed,
        "MccRee177/AMP" => Source::AmpT4,
        _ => Source::Other,
    }
}

/// A scheme of leaving out, and the group of a row under it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// How groups are cut: `size`, `model x gpu`, …
    pub scheme: &'static str,
    /// The group, which no other source shares unless the scheme spans sources.
    pub group: String,
}

/// The groups that a row is left out with: those of its source, then of its framework and the
/// generation of its GPU.
pub fn memberships(row: &FitRow) -> Vec<Membership> {
    let source = source_of(row);
    let cell = |column: &str| row.record.or_empty(column).to_owned();
    let size = || {
        let Ok(scenario) = row.scenario.lock() else {
            return String::new();
        };
        let model = &scenario.job.model;
        format!("{} x {}", model.hidden(), model.layers().len())
    };
    let joined = |columns: &[&str]| {
        columns
            .iter()
            .map(|column| cell(column))
            .collect::<Vec<_>>()
            .join(" / ")
    };
    let model = || model_family(row);
    let own = match source {
        Source::VtrainSingle => vec![("hidden x layers", size())],
        Source::VtrainMulti | Source::Bloom => vec![("size", size())],
        Source::Sc21 => vec![("row", row.id.clone())],
        Source::BigScienceV100 => vec![
            (
                "section x size",
                format!("{} / {}", cell("section"), size()),
            ),
            ("size", size()),
        ],
        Source::SimuMax => vec![
            ("layout", joined(&["tp", "pp", "cp", "ep", "dp"])),
            ("model", model()),
        ],
        Source::Foundry => vec![("model", model()), ("gpu", cell("gpu"))],
        Source::BridgeDense | Source::BridgeMoe => vec![
            ("model x gpu", format!("{} / {}", model(), cell("gpu"))),
            ("model", model()),
        ],
        Source::Nemo | Source::Launcher | Source::Other => vec![("model", model())],
        Source::AmpT4 | Source::AmpMixed | Source::AmpTransGan => {
            vec![("mbs x pp", joined(&["mbs", "pp"]))]
        }
    };
    let mut all: Vec<Membership> = own
        .into_iter()
        .map(|(scheme, group)| Membership {
            scheme,
            group: format!("{}: {group}", source.name()),
        })
        .collect();
    all.push(Membership {
        scheme: "framework",
        group: row.framework.name.to_string(),
    });
    all.push(Membership {
        scheme: "gpu generation",
        group: generation(row).to_owned(),
    });
    all
}

/// A model's name without what tells variants of a run apart.
fn model_family(row: &FitRow) -> String {
    let name = row.record.or_empty("model").to_ascii_lowercase();
    let name = name.split('(').next().unwrap_or_default();
    let name = name.replace(" sft", "").replace(" lora", "");
    name.trim().to_owned()
}

fn generation(row: &FitRow) -> &'static str {
    let gpu = row.record.or_empty("gpu").to_ascii_lowercase();
    if gpu.contains("v100") || gpu.contains("t4") {
        "Volta and Turing"
    } else if gpu.contains("a100") {
        "Ampere"
    } else if gpu.contains("h100") || gpu.contains("h200") {
        "Hopper"
    } else {
        "Blackwell"
    }
}
