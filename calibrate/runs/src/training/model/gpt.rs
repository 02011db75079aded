//! A GPT, from its dimensions or from its size.

use super::known::Known;
use super::name::size_in;
use super::{Cells, SHAPE, put, sibling};
use crate::spelled::has_any;
use crate::training::{Row, whole};
use crate::{Draft, Rule, RunsError};

const BY_SIZE: Rule = Rule::new(
    "layers-by-size",
    "layers = (parameters - V h) / (12 h^2), rounded to a multiple of pp that is within 2.5 %, else to a whole number",
);
const SHAPE_BY_SIZE: Rule = Rule::new(
    "shape-by-size",
    "the row gives parameters alone: a GPT 128 times as wide as deep, 12 l h^2 parameters, heads in multiples of 8 and of tp",
);
const HEADS: Rule = Rule::new(
    "heads-of-128",
    "heads of 128 channels, as most models have them, or of another usual width of which tp divides the number",
);
const NO_SIZE: Rule = Rule::new(
    "size-of-7b",
    "the row says neither size nor dimensions: 7 billion parameters, the most common size of published runs",
);
const ASPECT: Rule = Rule::new(
    "depth-by-width",
    "the row says the width alone: a GPT 128 times as wide as deep",
);
const SIBLING: Rule = Rule::new(
    "sibling-shape",
    "another row of the table with the same model has the cell",
);
const LIKE: Rule = Rule::new(
    "known-shape",
    "the model of that name and width has the cell",
);
const TR11_HEADS: Rule = Rule::new(
    "heads-of-tr11",
    "the heads of BigScience's scripts by width (train/tr11-176B-ml): 96 for 14,400 and 13,824, 64 for 14,336",
);
const GPT2_PERF: Rule = Rule::new(
    "heads-of-gpt2-perf",
    "32 heads: experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16.slurm",
);
const GPT2_WIDTH: Rule = Rule::new(
    "width-of-gpt2-perf",
    "width 8,192 and depth by size: experiments/gpt2-meg-ds-zero/meg_ds_zero_gpt2_perf_n16.slurm",
);
const VOCAB: Rule = Rule::new(
    "megatron-vocabulary",
    "the row names no vocabulary: 51,200 words, GPT-2's 50,257 padded, as Megatron-LM's papers have it",
);
const GPT2_VOCAB: Rule = Rule::new("gpt2-vocabulary", "GPT-2's 50,257 words");
const BLOOM_VOCAB: Rule = Rule::new(
    "bloom-vocabulary",
    "BLOOM's tokenizer, 250,880 words with padding (train/tr11-176B-ml)",
);
const BLOOM_NORM: Rule = Rule::new(
    "bloom-embedding-norm",
    "runs of that section have BLOOM's norm behind the embedding",
);
/// Billions of parameters where a row says nothing of them.
const DEFAULT_SIZE: f64 = 7.0;

/// Writes `[model.megatron]`.
///
/// * `like` — a known GPT of the row's name, which gives what the row leaves out.
pub(super) fn write(
    row: &Row<'_>,
    cells: &Cells,
    like: Option<&Known>,
    draft: &mut Draft,
) -> Result<(), RunsError> {
    let record = row.record;
    let size = cells.billions.or_else(|| size_in(record.or_empty("model")));
    let tp = record.count("tp")?.unwrap_or(1);
    let vocab = vocabulary(row, cells);
    let (hidden, rule) = width(row, cells, size, tp);
    let like = like.filter(|known| known.model.hidden() == hidden);
    let depth = depth(row, cells, like, (size, hidden, vocab.0))?;
    put(draft, SHAPE, "layers", depth.0, depth.1);
    put(draft, SHAPE, "hidden", hidden, rule);
    let is_bloom = has_any(record.or_empty("source_path"), &["tr11-176b"]);
    let known_heads = like.and_then(Known::heads);
    let (heads, rule) = match (cells.heads, known_heads) {
        (Some(heads), _) => (heads, None),
        _ if is_bloom => (tr11_heads(hidden, tp), Some(TR11_HEADS)),
        _ if is_gpt2_perf(row) => (32, Some(GPT2_PERF)),
        (None, Some((heads, ..))) if heads.is_multiple_of(tp) => (heads, Some(LIKE)),
        _ => (heads_of(hidden, tp), Some(HEADS)),
    };
    put(draft, SHAPE, "heads", heads, rule);
    if let Some(kv) = cells.kv_heads {
        draft.set(SHAPE, "kv_heads", whole(kv));
    }
    put(draft, SHAPE, "vocab", vocab.0, vocab.1);
    draft.assume(SHAPE, "vocab_divisible_by", 128, VOCAB);
    if is_bloom {
        draft.assume(SHAPE, "position", "alibi", BLOOM_VOCAB);
        if record.text("section") == Some("Rebalancing layers") {
            draft.assume(SHAPE, "embedding_norm", true, BLOOM_NORM);
        }
    }
    Ok(())
}

/// The layers, and the rule where the row does not say them.
fn depth(
    row: &Row<'_>,
    cells: &Cells,
    like: Option<&Known>,
    (size, hidden, vocab): (Option<f64>, u64, u64),
) -> Result<(u64, Option<Rule>), RunsError> {
    let pp = row.record.count("pp")?.unwrap_or(1);
    if let Some(layers) = cells.layers {
        return Ok((layers, None));
    }
    if is_1b3(row) {
        return Ok((24, Some(SHAPE_BY_SIZE)));
    }
    // Siblings of one name differ in depth where they differ in size.
    let sibling = sibling(row, "layers").filter(|_| cells.billions.is_none());
    if let Some(layers) = sibling {
        return Ok((layers, Some(SIBLING)));
    }
    if let Some(known) = like {
        return Ok((known.layers(), Some(LIKE)));
    }
    Ok(match size {
        Some(billions) => (depth_of(billions * 1e9, hidden, vocab, pp), Some(BY_SIZE)),
        None if cells.hidden.is_some() => {
            let layers = rounded(hidden as f64 / 128.0).max(pp);
            (layers, Some(ASPECT))
        }
        None => (
            depth_of(DEFAULT_SIZE * 1e9, hidden, vocab, pp),
            Some(NO_SIZE),
        ),
    })
}

fn is_gpt2_perf(row: &Row<'_>) -> bool {
    has_any(row.record.or_empty("source_path"), &["experiments/gpt2"])
}

fn is_1b3(row: &Row<'_>) -> bool {
    has_any(row.record.or_empty("source_path"), &["tr3m-1b3"])
}

/// The width, and the rule where the row does not say it.
fn width(row: &Row<'_>, cells: &Cells, size: Option<f64>, tp: u64) -> (u64, Option<Rule>) {
    if let Some(hidden) = cells.hidden {
        return (hidden, None);
    }
    match (sibling(row, "hidden"), size) {
        (Some(hidden), _) => (hidden, Some(SIBLING)),
        _ if is_gpt2_perf(row) => (8192, Some(GPT2_WIDTH)),
        _ if is_1b3(row) => (2048, Some(SHAPE_BY_SIZE)),
        (None, Some(billions)) => (width_of(billions * 1e9, tp), Some(SHAPE_BY_SIZE)),
        (None, None) => (width_of(DEFAULT_SIZE * 1e9, tp), Some(NO_SIZE)),
    }
}

fn vocabulary(row: &Row<'_>, cells: &Cells) -> (u64, Option<Rule>) {
    let record = row.record;
    if let Some(vocab) = cells.vocab {
        return (vocab, None);
    }
    let path = record.or_empty("source_path");
    if has_any(path, &["tr11-176b"]) {
        (250_880, Some(BLOOM_VOCAB))
    } else if has_any(path, &["experiments/gpt2", "tr3m-1b3"])
        || has_any(record.or_empty("model"), &["gpt-2", "gpt2"])
    {
        (50_257, Some(GPT2_VOCAB))
    } else {
        (51_200, Some(VOCAB))
    }
}

/// Of what the number of heads is a multiple where it is free: 8 and the tensor-parallel ranks.
pub(super) fn heads_unit(tp: u64) -> u64 {
    let mut unit = 8_u64;
    while !unit.is_multiple_of(tp) && unit < 1024 {
        unit += 8;
    }
    unit
}

/// The width of a GPT of that many parameters that is 128 times as wide as deep, in heads of 128
/// channels whose number is a multiple of 8 and of `tp`; in heads of 64 where it is narrow.
fn width_of(params: f64, tp: u64) -> u64 {
    let cube = params * 128.0 / 12.0;
    let width = units::math::powf(cube, 1.0 / 3.0);
    let heads = heads_unit(tp);
    let unit = if width < 128.0 * heads as f64 {
        64 * heads
    } else {
        128 * heads
    };
    rounded(width / unit as f64).max(1) * unit
}

/// Layers of a GPT of that size and width, on `pp` stages.
fn depth_of(params: f64, hidden: u64, vocab: u64, pp: u64) -> u64 {
    let hidden = hidden as f64;
    let depth = ((params - vocab as f64 * hidden) / (12.0 * hidden * hidden)).max(1.0);
    let even = (rounded(depth / pp as f64) * pp).max(pp);
    if (even as f64 / depth - 1.0).abs() <= 0.025 {
        return even;
    }
    rounded(depth).max(pp)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is positive, and what is too large saturates"
)]
pub(super) fn rounded(value: f64) -> u64 {
    value.round() as u64
}

fn tr11_heads(hidden: u64, tp: u64) -> u64 {
    match hidden {
        14_400 | 13_824 => 96,
        14_336 => 64,
        _ => heads_of(hidden, tp),
    }
}

/// Heads of a usual width, the number of which `tp` divides where one does.
fn heads_of(hidden: u64, tp: u64) -> u64 {
    const WIDTHS: [u64; 8] = [128, 64, 96, 80, 160, 256, 32, 48];
    let whole = || {
        WIDTHS
            .into_iter()
            .filter(|size| hidden.is_multiple_of(*size))
    };
    let cut = whole().find(|size| (hidden / size).is_multiple_of(tp));
    let size = cut.or_else(|| whole().next());
    size.map_or(1, |size| (hidden / size).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_give_shapes() {
        assert_eq!(depth_of(52e9, 8192, 50_257, 1), 64);
        assert_eq!(depth_of(200e9, 14_400, 250_880, 10), 80);
        assert_eq!(depth_of(195e9, 14_400, 250_880, 11), 77);
    }

    #[test]
    fn heads_of_a_size_divide_by_the_ranks() {
        for tp in [1, 2, 3, 4, 6, 8, 16, 32, 64] {
            for billions in [0.125, 0.35, 1.3, 7.0, 30.0, 71.0, 109.0, 530.0, 1000.0] {
                let hidden = width_of(billions * 1e9, tp);
                assert!(
                    heads_of(hidden, tp).is_multiple_of(tp),
                    "{billions} B, tp {tp}"
                );
            }
        }
        assert_eq!(heads_of(4544, 1), 71);
        assert_eq!(heads_of(4544, 2), 142);
    }
}
