//! Which reader reads which `model_type`.

mod dense;
mod encoders;
mod experts;
mod gpt;
mod hybrid;
mod latent;

use super::reader::Config;
use crate::model::ModelSpec;

/// One architecture.
pub(super) struct Family {
    /// Its `model_type`.
    pub(super) name: &'static str,
    /// Reads its fields.
    pub(super) read: fn(&Config<'_>) -> ModelSpec,
}

/// Every architecture.
pub(super) const FAMILIES: &[Family] = &[
    family("bert", encoders::bert),
    family("bloom", gpt::bloom),
    family("cohere", dense::cohere),
    family("cohere2", dense::cohere2),
    family("deepseek", latent::deepseek),
    family("deepseek_v2", latent::deepseek_v2),
    family("deepseek_v3", latent::deepseek_v3),
    family("deepseek_v32", latent::deepseek_v3),
    family("falcon", gpt::falcon),
    family("gemma", dense::gemma),
    family("gemma2", dense::gemma2),
    family("gemma3", dense::gemma3),
    family("gemma3_text", dense::gemma3),
    family("glm", dense::glm),
    family("glm4", dense::glm4),
    family("glm4_moe", experts::glm4_moe),
    family("glm_moe_dsa", latent::glm_moe_dsa),
    family("gpt2", gpt::gpt2),
    family("gpt_bigcode", gpt::gpt_bigcode),
    family("gpt_neox", gpt::gpt_neox),
    family("gpt_oss", experts::gpt_oss),
    family("gptj", gpt::gptj),
    family("granite", dense::granite),
    family("granitemoe", experts::granite_moe),
    family("granitemoeshared", experts::granite_moe),
    family("internlm", dense::internlm),
    family("internlm2", dense::internlm),
    family("internlm3", dense::internlm),
    family("kimi_k2", latent::deepseek_v3),
    family("kimi_k25", latent::deepseek_v3),
    family("llama", dense::llama),
    family("llama4", experts::llama4),
    family("llama4_text", experts::llama4),
    family("minimax_m2", experts::minimax_m2),
    family("mistral", dense::mistral),
    family("mistral3", dense::mistral),
    family("mixtral", experts::mixtral),
    family("mpt", gpt::mpt),
    family("mt5", encoders::t5),
    family("nemotron", dense::nemotron),
    family("nemotron_h", hybrid::nemotron_h),
    family("olmo", dense::olmo),
    family("olmo2", dense::olmo2),
    family("olmo3", dense::olmo2),
    family("olmoe", experts::olmoe),
    family("opt", gpt::opt),
    family("phi", gpt::phi),
    family("phi3", dense::phi3),
    family("phimoe", experts::phimoe),
    family("qwen2", dense::qwen2),
    family("qwen2_5_vl", dense::qwen2),
    family("qwen2_5_vl_text", dense::qwen2),
    family("qwen2_moe", experts::qwen2_moe),
    family("qwen2_vl", dense::qwen2),
    family("qwen3", dense::qwen3),
    family("qwen3_moe", experts::qwen3_moe),
    family("qwen3_vl", dense::qwen3),
    family("qwen3_vl_moe", experts::qwen3_moe),
    family("qwen3_vl_moe_text", experts::qwen3_moe),
    family("qwen3_vl_text", dense::qwen3),
    family("starcoder2", dense::starcoder2),
    family("t5", encoders::t5),
];

const fn family(name: &'static str, read: fn(&Config<'_>) -> ModelSpec) -> Family {
    Family { name, read }
}

/// The family of a `model_type`, under its older names too.
pub(super) fn named(model_type: &str) -> Option<&'static Family> {
    let name = match model_type {
        "RefinedWeb" | "RefinedWebModel" => "falcon",
        "phi-msft" => "phi",
        other => other,
    };
    FAMILIES.iter().find(|family| family.name == name)
}

/// Architectures that are known and not modeled, by the beginning of their `model_type`, with what
/// is missing.
const NOT_MODELED: &[(&str, &str)] = &[
    ("bamba", "branches of one layer side by side"),
    ("falcon_h1", "attention and a state space side by side"),
    ("falcon_mamba", "Mamba-1"),
    ("gemma3n", "layers within layers"),
    (
        "granitemoehybrid",
        "state spaces followed by experts in one layer",
    ),
    ("jamba", "Mamba-1"),
    ("kimi_linear", "linear attention"),
    ("mamba", "Mamba without attention or feed-forward parts"),
    ("minimax_text_01", "lightning attention"),
    ("olmo_hybrid", "linear attention"),
    ("qwen3_5", "gated delta networks"),
    ("qwen3_next", "gated delta networks"),
    ("rwkv", "recurrence"),
    ("zamba", "layers that share their weights"),
];

/// What a known architecture has that is not modeled.
pub(super) fn not_modeled(model_type: &str) -> Option<&'static str> {
    if model_type == "minimax" {
        return Some("lightning attention");
    }
    let found = NOT_MODELED
        .iter()
        .find(|(name, _)| model_type.starts_with(name));
    found.map(|(_, what)| *what)
}

/// The family of a class of transformers: `NemotronHForCausalLM` is `nemotron_h`'s.
pub(super) fn of_class(class: &str) -> Option<&'static Family> {
    let suffixes = [
        "ForCausalLM",
        "ForConditionalGeneration",
        "LMHeadModel",
        "ForMaskedLM",
        "ForPreTraining",
        "Model",
    ];
    let stem = suffixes
        .into_iter()
        .find_map(|suffix| class.strip_suffix(suffix))?;
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let stem = plain(stem);
    FAMILIES.iter().find(|family| plain(family.name) == stem)
}
