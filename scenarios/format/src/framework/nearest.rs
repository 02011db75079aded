//! Which framework of the zoo stands for one that it does not have.

use crate::zoo::Shelf;

/// A framework by parts of its name: all of them must be there.
struct Alias {
    parts: &'static [&'static str],
    nearest: &'static str,
    why: &'static str,
}

const fn alias(parts: &'static [&'static str], nearest: &'static str, why: &'static str) -> Alias {
    Alias {
        parts,
        nearest,
        why,
    }
}

/// The first whose parts are in the name stands for it.
const ALIASES: &[Alias] = &[
    alias(&["megatronbridge"], "megatron-bridge", "its name"),
    alias(&["nemo"], "nemo", "its name"),
    alias(&["simumax"], "simumax", "its name"),
    alias(
        &["megatron", "deepspeed"],
        "megatron-deepspeed",
        "DeepSpeed's pipeline and optimizer around Megatron-LM's kernels",
    ),
    alias(
        &["neox"],
        "megatron-deepspeed",
        "EleutherAI/gpt-neox README: Megatron-LM with DeepSpeed",
    ),
    alias(&["megatronlm2021"], "megatron-lm-2021", "its name"),
    alias(
        &["megatronlmv1"],
        "megatron-lm-2021",
        "releases of 2019 to 2021",
    ),
    alias(&["megatronlmv2"], "megatron-lm-2021", "releases of 2021"),
    alias(
        &["megatron"],
        "megatron-core",
        "Megatron-LM since 2023 is Megatron-Core",
    ),
    alias(
        &["transformerengine"],
        "megatron-core",
        "Megatron-Core's kernels",
    ),
    alias(
        &["nanotron"],
        "megatron-core",
        "huggingface/nanotron README: tensor, pipeline and expert parallelism, 1F1B, ZeRO-1",
    ),
    alias(
        &["zero++"],
        "hierarchical-zero",
        "deepspeed.ai/tutorials/zeropp: weights again inside nodes (hpZ)",
    ),
    alias(
        &["zeropp"],
        "hierarchical-zero",
        "deepspeed.ai/tutorials/zeropp: weights again inside nodes (hpZ)",
    ),
    alias(
        &["mics"],
        "hierarchical-zero",
        "MiCS (arXiv 2205.00119): states inside groups of nodes",
    ),
    alias(
        &["internevo"],
        "hierarchical-zero",
        "InternLM/InternEvo: hierarchical ZeRO",
    ),
    alias(
        &["internlm"],
        "hierarchical-zero",
        "InternLM/InternEvo: hierarchical ZeRO",
    ),
    alias(&["hierarchical"], "hierarchical-zero", "its name"),
    alias(
        &["colossal"],
        "deepspeed-zero",
        "hpcaitech/ColossalAI booster plugins: ZeRO with chunks (Gemini), eager PyTorch modules",
    ),
    alias(
        &["llamafactory"],
        "deepspeed-zero",
        "hiyouga/LLaMA-Factory examples: Hugging Face Trainer with DeepSpeed ZeRO",
    ),
    alias(
        &["deepspeed"],
        "deepspeed-zero",
        "ZeRO around eager modules",
    ),
    alias(&["zero"], "deepspeed-zero", "ZeRO around eager modules"),
    alias(&["torchtitan"], "torchtitan", "its name"),
    alias(
        &["torchtune"],
        "torchtitan",
        "pytorch/torchtune recipes: FSDP2 and torch.compile",
    ),
    alias(
        &["maxtext"],
        "torchtitan",
        "AI-Hypercomputer/maxtext: fully sharded and compiled as a whole",
    ),
    alias(
        &["olmo"],
        "torchtitan",
        "allenai/OLMo-core: FSDP2 and torch.compile",
    ),
    alias(&["fsdp2"], "torchtitan", "FSDP2, as torchtitan"),
    alias(&["composer"], "composer-fsdp", "its name"),
    alias(
        &["foundry"],
        "composer-fsdp",
        "mosaicml/llm-foundry runs on Composer",
    ),
    alias(
        &["fairscale"],
        "composer-fsdp",
        "facebookresearch/fairscale: FSDP before it went into PyTorch",
    ),
    alias(
        &["lightning"],
        "composer-fsdp",
        "Lightning-AI FSDPStrategy: PyTorch FSDP",
    ),
    alias(
        &["accelerate"],
        "composer-fsdp",
        "huggingface/accelerate FullyShardedDataParallelPlugin: PyTorch FSDP",
    ),
    alias(&["fsdp"], "composer-fsdp", "PyTorch FSDP"),
    alias(
        &["huggingface"],
        "deepspeed-zero",
        "eager modules of transformers",
    ),
];

/// The framework of the zoo that stands for a name, and why.
///
/// A name of the zoo stands for itself; another for the framework whose documented features are
/// nearest; an unheard-of one for `neutral`.
pub fn nearest_framework(name: &str) -> (&'static str, String) {
    if let Some(own) = Shelf::Frameworks
        .names()
        .find(|known| known.eq_ignore_ascii_case(name.trim()))
    {
        return (own, "its name".to_owned());
    }
    let kept = |c: &char| c.is_alphanumeric() || *c == '+';
    let plain: String = name.to_lowercase().chars().filter(kept).collect();
    let stands = |alias: &&Alias| alias.parts.iter().all(|part| plain.contains(part));
    match ALIASES.iter().find(stands) {
        Some(alias) => (alias.nearest, alias.why.to_owned()),
        None => ("neutral", "nothing is known of it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frameworks_of_published_runs_and_of_users_find_the_nearest() {
        for (name, expected) in [
            ("Composer FSDP", "composer-fsdp"),
            (
                "DeepSpeed+Megatron-LM v1.1.5 3D (fp?)",
                "megatron-deepspeed",
            ),
            ("HF+DeepSpeed ZeRO-3", "deepspeed-zero"),
            ("Megatron+DeepSpeed", "megatron-deepspeed"),
            ("Megatron-LM/DeepSpeed", "megatron-deepspeed"),
            ("Megatron-Bridge/Megatron-Core", "megatron-bridge"),
            ("NeMo/Megatron-Core", "nemo"),
            ("NeMo-Megatron", "nemo"),
            ("Megatron-LM 0.14", "megatron-core"),
            ("megatron-lm-2021", "megatron-lm-2021"),
            ("ColossalAI", "deepspeed-zero"),
            ("LLaMA-Factory", "deepspeed-zero"),
            ("nanotron", "megatron-core"),
            ("torchtune", "torchtitan"),
            ("MaxText", "torchtitan"),
            ("accelerate", "composer-fsdp"),
            ("fairscale", "composer-fsdp"),
            ("PyTorch Lightning", "composer-fsdp"),
            ("DeepSpeed ZeRO++", "hierarchical-zero"),
            ("InternEvo", "hierarchical-zero"),
            ("TorchTitan", "torchtitan"),
            ("somebody's own", "neutral"),
        ] {
            assert_eq!(nearest_framework(name).0, expected, "{name}");
        }
    }

    #[test]
    fn every_alias_stands_for_a_framework_of_the_zoo() {
        for alias in ALIASES {
            assert!(Shelf::Frameworks.names().any(|name| name == alias.nearest));
            assert!(!alias.why.is_empty());
        }
    }
}
