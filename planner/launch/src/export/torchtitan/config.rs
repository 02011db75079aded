//! Models that torchtitan comes with.

use workload::Model;

/// A model that torchtitan knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// `--module`, and the model's name in files of before.
    pub(crate) module: &'static str,
    /// `--config`: a function of its `config_registry`.
    pub(crate) config: &'static str,
    /// The flavor in files of before.
    pub(crate) flavor: &'static str,
    /// Our names of it.
    names: &'static [&'static str],
    layers: usize,
    hidden: u64,
}

const fn known(
    module: &'static str,
    config: &'static str,
    flavor: &'static str,
    names: &'static [&'static str],
    layers: usize,
    hidden: u64,
) -> Known {
    Known {
        module,
        config,
        flavor,
        names,
        layers,
        hidden,
    }
}

/// Source: `torchtitan/models/*/config_registry.py` of version 0.3.0.
const MODELS: [Known; 12] = [
    known(
        "llama3",
        "llama3_8b",
        "8B",
        &["llama3-8b", "llama3.1-8b"],
        32,
        4096,
    ),
    known(
        "llama3",
        "llama3_70b",
        "70B",
        &["llama3-70b", "llama3.1-70b"],
        80,
        8192,
    ),
    known(
        "llama3",
        "llama3_405b",
        "405B",
        &["llama3-405b", "llama3.1-405b"],
        126,
        16_384,
    ),
    known("qwen3", "qwen3_0_6b", "0.6B", &["qwen3-0.6b"], 28, 1024),
    known("qwen3", "qwen3_1_7b", "1.7B", &["qwen3-1.7b"], 28, 2048),
    known("qwen3", "qwen3_14b", "14B", &["qwen3-14b"], 40, 5120),
    known("qwen3", "qwen3_32b", "32B", &["qwen3-32b"], 64, 5120),
    known(
        "qwen3",
        "qwen3_30b_a3b",
        "30B-A3B",
        &["qwen3-30b-a3b"],
        48,
        2048,
    ),
    known(
        "deepseek_v3",
        "deepseek_v3_671b",
        "671B",
        &["deepseek-v3"],
        61,
        7168,
    ),
    known(
        "deepseek_v3",
        "deepseek_v3_16b",
        "16B",
        &["deepseek-v2-lite"],
        27,
        2048,
    ),
    known("gpt_oss", "gpt_oss_20b", "20b", &["gpt-oss-20b"], 24, 2880),
    known(
        "gpt_oss",
        "gpt_oss_120b",
        "120b",
        &["gpt-oss-120b"],
        36,
        2880,
    ),
];

/// Configurations whose function multiplies in 8 bits.
const EIGHT_BITS: [&str; 1] = ["llama3_405b"];

impl Known {
    /// Whether the configuration multiplies in 8 bits by itself.
    pub(crate) fn has_eight_bits(&self) -> bool {
        EIGHT_BITS.contains(&self.config)
    }

    /// The model of that name and shape.
    pub(crate) fn of(model: &Model) -> Option<Self> {
        let mut known = MODELS.into_iter();
        known.find(|known| {
            known.names.contains(&model.name())
                && known.layers == model.layers().len()
                && known.hidden == model.hidden()
        })
    }
}

/// Our name of the model that torchtitan configures so.
pub(crate) fn of_config(config: &str) -> Option<&'static str> {
    let known = MODELS.iter().find(|known| known.config == config);
    known.and_then(|known| known.names.first().copied())
}

/// Our name of the model of a TOML file.
pub(crate) fn of_flavor(name: &str, flavor: &str) -> Option<&'static str> {
    let mut known = MODELS.iter();
    let known = known.find(|known| known.module == name && known.flavor == flavor);
    known.and_then(|known| known.names.first().copied())
}

/// Layers of a model, by our name of it.
pub(crate) fn layers(name: &str) -> Option<usize> {
    let known = MODELS.iter().find(|known| known.names.contains(&name));
    known.map(|known| known.layers)
}
