//! Memory of activations: Korthikanti et al. 2022 under their assumptions, and true tensors.

use super::*;

/// Their assumptions: fp16, dropout, GELU, unfused attention, no grouped queries.
const S: u64 = 1024;
const B: u64 = 2;
const H: u64 = 2048;
const A: u64 = 16;

fn korthikanti(tp: u32, sequence_parallel: bool) -> BlockOps {
    let layer = gpt_layer(H, A);
    let job = job_of(&layer, |spec| spec.dropout = 0.1);
    let shard = Sharding {
        tp,
        sequence_parallel,
        micro_batch: B,
        fusion: unfused(),
        ..Sharding::single(S)
    };
    layer_ops(&job, &layer, &shard)
}

#[test]
fn a_gpt_layer_keeps_what_the_formula_says() {
    let block = korthikanti(1, false);
    assert_eq!(block.saved(), Bytes::new(S * B * (34 * H + 5 * A * S)));
}

#[test]
fn tensor_parallelism_divides_all_but_ten_bytes() {
    for t in [2, 4, 8] {
        let block = korthikanti(t, false);
        let t = u64::from(t);
        let expected = S * B * (10 * H + 24 * H / t + 5 * A * S / t);
        assert_eq!(block.saved(), Bytes::new(expected));
    }
}

#[test]
fn sequence_parallelism_divides_everything() {
    for t in [2, 4, 8] {
        let block = korthikanti(t, true);
        let t = u64::from(t);
        assert_eq!(block.saved(), Bytes::new(S * B * (34 * H + 5 * A * S) / t));
    }
}

#[test]
fn selective_recomputation_leaves_34_bytes() {
    for (t, sequence_parallel) in [(1, false), (4, true)] {
        let block = korthikanti(t, sequence_parallel);
        let kept = kept(&block, Recompute::Selective);
        assert_eq!(kept, Bytes::new(34 * S * B * H / u64::from(t)));
    }
}

#[test]
fn full_recomputation_leaves_the_input() {
    let block = korthikanti(1, false);
    assert_eq!(kept(&block, Recompute::Full), Bytes::new(2 * S * B * H));
    let cut = korthikanti(4, true);
    assert_eq!(kept(&cut, Recompute::Full), Bytes::new(2 * S * B * H / 4));
}

#[test]
fn embedding_and_head_keep_what_the_formula_says() {
    let layer = gpt_layer(H, A);
    let job = job_of(&layer, |spec| spec.dropout = 0.1);
    let (t, v) = (4, 51_200);
    let shard = Sharding {
        tp: 4,
        sequence_parallel: true,
        micro_batch: B,
        fusion: Fusion::MEGATRON_2021,
        ..Sharding::single(S)
    };
    let embedding = embedding_ops(&job, &shard);
    assert_eq!(embedding.saved(), Bytes::new(S * B * H / t));
    let head = head_ops(&job, &shard, true);
    assert_eq!(head.saved(), Bytes::new(4 * S * B * (H + v) / t));
}

/// A Llama-like layer on one GPU in bf16: bytes a token over hidden width, by hand.
#[test]
fn a_flash_swiglu_layer_keeps_its_true_tensors() {
    let attention = AttentionSpec::rotary(16, 4, 128);
    let ffn = Ffn::Dense(DenseSpec::swiglu(5632));
    let layer = layer(H, Mixer::Attention(attention), ffn, Norms::PRE_RMS);
    let job = job_of(&layer, |spec| spec.precision = Precision::BF16);
    let block = layer_ops(&job, &layer, &Sharding::single(S));
    let (kv, f) = (4 * 128, 5632);
    let norms = 2 * (2 * H + 2 * H);
    let attention = 2 * (H + 2 * kv) + 2 * H + 4 * 16;
    let dense = 2 * (2 * f + f);
    assert_eq!(block.saved(), Bytes::new(S * (norms + attention + dense)));
}
