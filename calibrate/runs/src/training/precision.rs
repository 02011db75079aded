//! Formats of a row.

use super::Row;
use crate::spelled::{has_any, has_name};
use crate::{Draft, Rule, RunsError};

const PRECISION: Rule = Rule::new(
    "mixed-precision",
    "the row names no format: fp16 before Ampere, bf16 since",
);
const FP16_GRADS: Rule = Rule::new(
    "fp16-gradients",
    "Megatron-LM and DeepSpeed of 2021 add gradients up in the format of the weights",
);
const FP32_GRADS: Rule = Rule::new(
    "fp32-gradients",
    "with bf16 weights Megatron-DeepSpeed adds gradients up in fp32 (BF16_Optimizer)",
);
const BF16_GRADS: Rule = Rule::new(
    "bf16-gradients",
    "performance recipes of NeMo and Megatron-Bridge switch grad_reduce_in_fp32 off",
);
const DELAYED: Rule = Rule::new(
    "fp8-delayed",
    "NeMo of 2024 scales FP8 with a delay (Transformer Engine's DelayedScaling)",
);
const TENSORWISE: Rule = Rule::new(
    "fp8-current",
    "FP8 without a further word is current scaling by tensor in recipes since 2025",
);
const OTHER_GRAIN: Rule = Rule::new(
    "fp8-other-grain",
    "the parenthesised figure is the other granularity: MXFP8 on Blackwell, blocks on Hopper",
);
const FOUR_BITS: Rule = Rule::new(
    "nearest-format",
    "MXFP4 is not known: NVFP4 is the nearest, with as many bits and smaller blocks",
);

/// What a word of a format means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// 16 bits with the other parts in 32, whichever 16 bits the GPU has.
    Mixed,
    Named(&'static str),
    /// FP8 with a recipe where the word says it.
    Fp8(Option<&'static str>),
    Mxfp4,
}

/// Words as `squashed` writes them.
const WORDS: &[(&[&str], Format)] = &[
    (
        &[
            "bf16",
            "bfloat16",
            "ampbf16",
            "bf16amp",
            "bf16mixed",
            "mixedbf16",
            "bfloat16mixed",
            "purebf16",
            "bf16pure",
            "torch.bfloat16",
            "bf16/fp32",
            "bf16+fp32",
        ],
        Format::Named("bf16"),
    ),
    (
        &[
            "fp16",
            "float16",
            "half",
            "ampfp16",
            "fp16amp",
            "fp16mixed",
            "mixedfp16",
            "f16",
            "16mixed",
            "torch.float16",
            "torch.half",
            "fp16/fp32",
            "fp16+fp32",
        ],
        Format::Named("fp16"),
    ),
    (
        &[
            "fp32",
            "float32",
            "f32",
            "single",
            "float",
            "tf32",
            "32",
            "32true",
            "torch.float32",
        ],
        Format::Named("fp32"),
    ),
    (
        &["mixed", "mixedprecision", "amp", "automixedprecision"],
        Format::Mixed,
    ),
    (&["mxfp8", "fp8mx", "fp8mxfp8"], Format::Named("mxfp8")),
    (
        &["nvfp4", "fp4", "fp4nv", "fp4nvfp4"],
        Format::Named("nvfp4"),
    ),
    (&["mxfp4", "fp4mx"], Format::Mxfp4),
    (
        &[
            "fp8",
            "float8",
            "fp8hybrid",
            "hybridfp8",
            "fp8e4m3",
            "fp8mixed",
            "bf16/fp8",
            "fp8/bf16",
            "bf16+fp8",
            "fp8+bf16",
            "bf16withfp8",
        ],
        Format::Fp8(None),
    ),
    (
        &[
            "fp8cs",
            "fp8currentscaling",
            "fp8current",
            "fp8tensorwise",
            "fp8pertensor",
            "tensorwisefp8",
        ],
        Format::Fp8(Some("tensorwise")),
    ),
    (
        &["fp8ds", "fp8delayed", "fp8delayedscaling", "delayedfp8"],
        Format::Fp8(Some("delayed")),
    ),
    (
        &[
            "fp8sc",
            "fp8subchannel",
            "fp8blockwise",
            "fp8block",
            "fp8blockscaling",
            "blockwisefp8",
        ],
        Format::Fp8(Some("blockwise")),
    ),
];

const EXPECTED: &str =
    "bf16, fp16, fp32, mixed, fp8, fp8-cs, fp8-delayed, fp8-blockwise, mxfp8 or nvfp4";

/// Writes the format of products and that of gradients.
pub(super) fn precision(row: &Row<'_>, draft: &mut Draft) -> Result<(), RunsError> {
    const T: &str = "training";
    let record = row.record;
    let gpu = record.or_empty("gpu");
    let word = record.word("precision", WORDS, EXPECTED)?;
    let format = match word.unwrap_or(Format::Mixed) {
        Format::Mixed => {
            let has_no_bf16 = has_name(gpu, &["v100", "t4", "p100"]);
            let format = if has_no_bf16 { "fp16" } else { "bf16" };
            draft.assume(T, "precision", format, PRECISION);
            format
        }
        Format::Named(format) => {
            draft.set(T, "precision", format);
            format
        }
        Format::Mxfp4 => {
            draft.assume(T, "precision", "nvfp4", FOUR_BITS);
            "nvfp4"
        }
        Format::Fp8(recipe) => fp8(row, recipe, draft),
    };
    let grads = match (row.family.name, format) {
        _ if row.family.of_2021 && format == "fp16" => Some(("fp16", FP16_GRADS)),
        _ if row.family.of_2021 => Some(("fp32", FP32_GRADS)),
        ("nemo" | "megatron-bridge", _) if !super::recipe::is_launcher(record) => {
            Some(("bf16", BF16_GRADS))
        }
        _ => None,
    };
    if let Some((format, rule)) = grads {
        draft.assume(T, "grad_dtype", format, rule);
    }
    Ok(())
}

/// Writes FP8 and how it is scaled; gives the format.
fn fp8(row: &Row<'_>, recipe: Option<&'static str>, draft: &mut Draft) -> &'static str {
    const T: &str = "training";
    let record = row.record;
    let is_hopper = has_name(
        record.or_empty("gpu"),
        &["h100", "h200", "h800", "h20", "gh200"],
    );
    let other = has_any(record.or_empty("notes"), &["parenthesised alternative"]);
    if other && !is_hopper {
        draft.assume(T, "precision", "mxfp8", OTHER_GRAIN);
        return "mxfp8";
    }
    draft.set(T, "precision", "fp8");
    match recipe {
        _ if other => draft.assume(T, "fp8_recipe", "blockwise", OTHER_GRAIN),
        Some(recipe) => draft.set(T, "fp8_recipe", recipe),
        None if row.family.name == "nemo" => draft.assume(T, "fp8_recipe", "delayed", DELAYED),
        None => draft.assume(T, "fp8_recipe", "tensorwise", TENSORWISE),
    }
    "fp8"
}
