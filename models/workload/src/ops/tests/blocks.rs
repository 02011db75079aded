//! Layers of other kinds: latent, parallel, post-norm, across from an encoder, measured.

use profile::{Gemm, Kernel};
use units::Seconds;

use super::*;
use crate::{MeasuredLayer, MeasuredTime, MlaSpec, NormPlacement, Optimizer};

/// Latent attention of `DeepSeek`-V3.
fn deepseek() -> Layer {
    let mla = MlaSpec {
        heads: 128,
        q_lora_rank: Some(1536),
        kv_lora_rank: 512,
        qk_nope_dim: 128,
        qk_rope_dim: 64,
        v_dim: 128,
        bias: false,
        indexer: None,
    };
    let ffn = Ffn::Dense(DenseSpec::swiglu(18_432));
    layer(7168, Mixer::Latent(mla), ffn, Norms::PRE_RMS)
}

fn cut(tp: u32) -> Sharding {
    Sharding {
        tp,
        sequence_parallel: 1 < tp,
        ..Sharding::single(4096)
    }
}

/// The shape of the forward product of that name.
fn shape(block: &BlockOps, name: &str) -> [u64; 3] {
    let products = block.forward.iter().filter(|op| op.name == name);
    let gemm: Vec<&Gemm> = products.filter_map(Op::gemm).collect();
    [gemm[0].m, gemm[0].n, gemm[0].k]
}

#[test]
fn latents_are_gathered_in_place_of_hidden_states() {
    let layer = deepseek();
    let job = job_of(&layer, |_| ());
    let block = layer_ops(&job, &layer, &cut(8));
    assert_eq!(shape(&block, "q_down"), [512, 1536, 7168]);
    assert_eq!(shape(&block, "q_up"), [4096, 16 * 192, 1536]);
    assert_eq!(shape(&block, "kv_down"), [512, 576, 7168]);
    assert_eq!(shape(&block, "kv_up"), [4096, 16 * 256, 512]);
    let gathered = |width: u64| ("all_gather", Bytes::new(4096 * width * 2));
    let all = collectives(&block.forward);
    assert_eq!(all[0], gathered(1536));
    assert_eq!(all[1], ("rope_all_gather", Bytes::new(4096 * 64 * 2)));
    assert_eq!(all[2], gathered(512));
    assert_eq!(
        block.params.replicated,
        7168 * (1536 + 576) + 1536 + 512 + 2 * 7168
    );
}

#[test]
fn recomputed_up_projections_drop_queries_keys_and_values() {
    let layer = deepseek();
    let job = job_of(&layer, |_| ());
    let block = layer_ops(&job, &layer, &cut(1));
    let policy = Recompute::Modules(Regions::MLA_UP_PROJECTION);
    let dropped = block.saved() - kept(&block, policy);
    assert_eq!(dropped, Bytes::new(4096 * 128 * (192 + 192 + 128) * 2));
    let again = recomputed(&block, policy);
    let names: Vec<_> = again.iter().map(|op| op.name).collect();
    assert_eq!(names, ["q_up", "kv_up", "rotary"]);
}

#[test]
fn few_key_heads_are_repeated_on_many_ranks() {
    let attention = AttentionSpec::rotary(32, 2, 128);
    let ffn = Ffn::Dense(DenseSpec::swiglu(8192));
    let layer = layer(4096, Mixer::Attention(attention), ffn, Norms::PRE_RMS);
    let job = job_of(&layer, |_| ());
    let block = layer_ops(&job, &layer, &cut(8));
    assert_eq!(shape(&block, "qkv"), [4096, (4 + 2) * 128, 4096]);
}

#[test]
fn branches_in_parallel_share_one_pair_of_collectives() {
    let base = gpt_layer(2048, 16);
    let shared = Layer {
        parallel: true,
        norms: Norms {
            placement: NormPlacement::BeforeShared,
            ..base.norms
        },
        ..base
    };
    let job = job_of(&shared, |_| ());
    let block = layer_ops(&job, &shared, &cut(4));
    let names = |ops: &[Op]| -> Vec<_> {
        let all = collectives(ops);
        all.iter().map(|(name, _)| *name).collect()
    };
    assert_eq!(names(&block.forward), ["all_gather", "reduce_scatter"]);
    assert_eq!(names(&block.input_grad), ["all_gather", "reduce_scatter"]);
    assert_eq!(names(&block.weight_grad), ["all_gather"]);
}

#[test]
fn norms_behind_the_sums_keep_as_much_as_norms_in_front() {
    let before = gpt_layer(2048, 16);
    let after = Layer {
        norms: Norms {
            placement: NormPlacement::AfterSum,
            ..before.norms
        },
        ..before.clone()
    };
    let saved = |layer: &Layer| {
        let job = job_of(layer, |_| ());
        layer_ops(&job, layer, &cut(1)).saved()
    };
    assert_eq!(saved(&after), saved(&before));
}

#[test]
fn a_decoder_reads_as_many_keys_as_its_encoder_has_tokens() {
    let decoder = Layer {
        cross: Some(AttentionSpec::rotary(16, 16, 128)),
        ..gpt_layer(2048, 16)
    };
    let job = job_of(&decoder, |spec| {
        spec.seq_len = 512;
        spec.decoder_seq_len = Some(128);
    });
    let block = layer_ops(&job, &decoder, &Sharding::single(512));
    let cores: Vec<(u64, u64)> = block
        .forward
        .iter()
        .filter_map(|op| match op.work {
            Work::Kernel(Kernel::Attention(core)) => Some((core.q_len, core.kv_len)),
            _ => None,
        })
        .collect();
    assert_eq!(cores, [(128, 128), (128, 512)]);
    assert_eq!(shape(&block, "cross_kv"), [512, 2 * 2048, 2048]);
}

#[test]
fn a_measured_layer_takes_its_time_for_every_sample() {
    let millis = Seconds::from_millis;
    let measured = MeasuredLayer {
        name: "block".to_owned(),
        times: vec![MeasuredTime {
            tp: 1,
            forward: millis(2.0),
            backward: millis(5.0),
        }],
        params: 1000,
        output: Bytes::new(64),
        saved: Bytes::new(4096),
    };
    let layer = Layer {
        mixer: None,
        ffn: None,
        measured: Some(measured),
        ..gpt_layer(2048, 16)
    };
    let job = job_of(&gpt_layer(2048, 16), |_| ());
    let shard = Sharding {
        micro_batch: 3,
        ..Sharding::single(1)
    };
    let block = layer_ops(&job, &layer, &shard);
    assert_eq!(block.forward[0].work, Work::Measured(millis(2.0) * 3.0));
    assert_eq!(block.input_grad[0].work, Work::Measured(millis(5.0) * 3.0));
    assert_eq!(block.saved(), Bytes::new(3 * 4096));
    assert_eq!(block.params.total(), 1000);
}

#[test]
fn chunked_overlap_pipelines_each_collective_with_its_product() {
    let layer = gpt_layer(2048, 16);
    let job = job_of(&layer, |_| ());
    let shard = Sharding {
        tp_overlap: TpOverlap::Chunked,
        ..cut(4)
    };
    let block = layer_ops(&job, &layer, &shard);
    for (at, op) in block.forward.iter().enumerate() {
        match op.overlap {
            Overlap::Feeds(parts) => {
                assert!(parts == 4 && block.forward[at + 1].gemm().is_some());
            }
            Overlap::Drains(parts) => {
                assert!(parts == 4 && block.forward[at - 1].gemm().is_some());
            }
            _ => assert!(!matches!(op.work, Work::Collective { .. })),
        }
    }
}

#[test]
fn an_optimizer_step_is_cut_over_its_shards_but_zeroing_is_not() {
    let layer = gpt_layer(2048, 16);
    let job = job_of(&layer, |spec| spec.precision = Precision::BF16);
    let matrices = layer_ops(&job, &layer, &cut(1)).matrices;
    let shards = |dense| StepShards { dense, expert: 1 };
    let state = |n| step_cost(&job, &matrices, shards(n)).state.as_f64();
    assert!((state(1) / state(8) / 8.0 - 1.0).abs() < 1e-3);
    assert!((state(1) - 8.0 * layer.params() as f64).abs() < 1.0);
    let zeroed = |n| {
        let ops = optimizer_ops(&job, &matrices, shards(n));
        ops.iter()
            .find(|op| op.name == "zero_grads")
            .map(|op| op.work)
    };
    assert_eq!(zeroed(1), zeroed(8));
}

#[test]
fn muon_runs_products_on_linear_weights_alone() {
    let layer = gpt_layer(2048, 16);
    let job = job_of(&layer, |spec| spec.optimizer = Optimizer::Muon { steps: 5 });
    let matrices = layer_ops(&job, &layer, &cut(1)).matrices;
    let shards = StepShards {
        dense: 1,
        expert: 1,
    };
    let ops = optimizer_ops(&job, &matrices, shards);
    let products = ops.iter().filter(|op| op.gemm().is_some());
    // Four weights, three products each.
    assert_eq!(products.count(), 12);
    let flops = step_cost(&job, &matrices, shards).flops;
    let emitted = BlockOps::flops(&ops);
    assert!((flops / emitted - 1.0).abs() < 1e-12);
}
