//! `[[attention]]` and `[unfused]`: attention by one kernel, and step by step.

use profile::{AttentionKernel, AttentionPointSpec, AttentionSpec, Pass, UnfusedSpec};

use super::{BASE, FIT, SOURCE, WAVE, count, dtypes, fit, positive, share, wave};
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{list, number, one_of, table, text, whole};

pub(super) fn attention(t: &mut Fields<'_, '_>) -> AttentionSpec {
    let kernels = vec![
        ("flash1", AttentionKernel::Flash1),
        ("flash2", AttentionKernel::Flash2),
        ("flash3", AttentionKernel::Flash3),
    ];
    AttentionSpec {
        kernel: t
            .get("kernel", "generation of the kernel", one_of(kernels))
            .required(),
        dtypes: t
            .get("dtypes", "formats that the curve holds for", dtypes())
            .required(),
        head_dim: t
            .get("head_dim", "dimension of queries and keys", count())
            .required(),
        efficiency: t
            .get("efficiency", "share of the peak on long sequences", share())
            .required(),
        half_len: t
            .get(
                "half_len",
                "mean keys per query at which half the speed is lost",
                positive(),
            )
            .or(0.0),
        wave: t.get("wave", WAVE, wave()).or(1.0),
        tile: t.get("tile", "queries per thread block", count()).or(128),
        tail: t
            .get(
                "tail",
                "how much of the longest thread block the end of the kernel waits for",
                positive(),
            )
            .or(0.0),
        bandwidth: t
            .get("bandwidth", "share of the memory bandwidth", share())
            .required(),
        backward: t
            .get(
                "backward",
                "time per operation of the backward pass over the forward pass's",
                number(Limits::at_least(0.4)),
            )
            .required(),
        base_us: t.get("base_us", BASE, positive()).or(0.0),
        source: t.get("source", SOURCE, text()).required(),
        fit: t.get("fit", FIT, table(fit)).optional(),
        points: t
            .get(
                "points",
                "causal cores that were measured themselves",
                list(table(point)),
            )
            .or_default(),
    }
}

fn point(t: &mut Fields<'_, '_>) -> AttentionPointSpec {
    let passes = vec![("forward", Pass::Forward), ("backward", Pass::Backward)];
    AttentionPointSpec {
        pass: t
            .get("pass", "forward or backward", one_of(passes))
            .required(),
        batch: t.get("batch", "sequences", count()).required(),
        len: t.get("len", "tokens of a sequence", count()).required(),
        heads: t.get("heads", "query heads", count()).required(),
        kv_heads: t.get("kv_heads", "key and value heads", count()).required(),
        v_dim: t.get("v_dim", "dimension of values", count()).required(),
        us: t
            .get("us", "measured time in µs", number(Limits::POSITIVE))
            .required(),
    }
}

pub(super) fn unfused(t: &mut Fields<'_, '_>) -> UnfusedSpec {
    UnfusedSpec {
        misaligned: t
            .get(
                "misaligned",
                "speed where the head size is no multiple of 8",
                share(),
            )
            .required(),
        score_bytes: t
            .get(
                "score_bytes",
                "bytes per score of the fused softmax",
                number(Limits::POSITIVE),
            )
            .required(),
        loose_score_bytes: t
            .get(
                "loose_score_bytes",
                "the same without fusion",
                number(Limits::POSITIVE),
            )
            .required(),
        fused_max_len: t
            .get(
                "fused_max_len",
                "longest key length of the fused softmax",
                whole(0),
            )
            .required(),
        source: t.get("source", SOURCE, text()).required(),
    }
}
