//! Parameters that the operators own against those that the model counts.

use super::*;
use crate::{IndexerSpec, MambaSpec, MlaSpec, MoeSpec, NormKind, NormPlacement, QkNorm, QkSpan};

/// Latent attention with everything on.
fn latent() -> Mixer {
    Mixer::Latent(MlaSpec {
        heads: 16,
        q_lora_rank: Some(96),
        kv_lora_rank: 64,
        qk_nope_dim: 32,
        qk_rope_dim: 16,
        v_dim: 32,
        bias: true,
        indexer: Some(IndexerSpec {
            heads: 4,
            head_dim: 32,
            top_k: 64,
        }),
    })
}

/// A Mamba-2 mixer with every bias.
fn mamba() -> Mixer {
    Mixer::Mamba2(MambaSpec {
        heads: 16,
        head_dim: 64,
        state: 32,
        groups: 4,
        conv: 4,
        conv_bias: true,
        bias: true,
        chunk: 128,
    })
}

/// Experts with every extra.
fn experts() -> Ffn {
    Ffn::Moe(MoeSpec {
        bias: true,
        router_bias: true,
        latent: Some(128),
        shared_ffn: Some(256),
        shared_gate: true,
        ..MoeSpec::swiglu(8, 2, 192)
    })
}

/// One layer of each kind.
fn zoo() -> Vec<Layer> {
    let normed = Mixer::Attention(AttentionSpec {
        qk_norm: Some(QkNorm {
            kind: NormKind::Rms,
            span: QkSpan::AllHeads,
        }),
        sinks: true,
        ..AttentionSpec::rotary(16, 4, 32)
    });
    let by_head = Mixer::Attention(AttentionSpec {
        qk_norm: Some(QkNorm {
            kind: NormKind::Layer,
            span: QkSpan::Head,
        }),
        ..AttentionSpec::rotary(16, 4, 32)
    });
    let swiglu = || Ffn::Dense(DenseSpec::swiglu(1024));
    let around = Norms {
        placement: NormPlacement::BeforeAndAfter,
        ..Norms::PRE_RMS
    };
    let shared = Norms {
        placement: NormPlacement::BeforeShared,
        ..Norms::PRE_LAYER
    };
    let after = Norms {
        placement: NormPlacement::AfterSum,
        ..Norms::PRE_LAYER
    };
    let gpt = gpt_layer(512, 8);
    vec![
        gpt_layer(512, 8),
        layer(512, normed, swiglu(), around),
        layer(512, by_head, experts(), Norms::PRE_RMS),
        layer(512, latent(), experts(), Norms::PRE_RMS),
        layer(512, mamba(), swiglu(), Norms::PRE_RMS),
        Layer {
            parallel: true,
            norms: shared,
            ..gpt.clone()
        },
        Layer {
            parallel: true,
            ..gpt.clone()
        },
        Layer {
            norms: after,
            ..gpt.clone()
        },
        Layer {
            cross: Some(AttentionSpec::rotary(8, 8, 64)),
            ..gpt
        },
    ]
}

#[test]
fn a_layer_owns_the_parameters_that_the_model_counts() {
    for layer in zoo() {
        let job = job_of(&layer, |_| ());
        let block = layer_ops(&job, &layer, &Sharding::single(256));
        assert_eq!(block.params.total(), layer.params(), "{layer:?}");
        assert_eq!(block.params.expert, layer.expert_params());
        assert_eq!(block.params.trained(), block.params.total());
        let matrices: u64 = block.matrices.iter().map(crate::Matrix::values).sum();
        assert_eq!(matrices, block.params.total());
    }
}

#[test]
fn embedding_layers_and_head_together_own_the_model() {
    let layer = gpt_layer(512, 8);
    let job = job_of(&layer, |_| ());
    let shard = Sharding::single(256);
    let mut all = embedding_ops(&job, &shard).params;
    for layer in job.model.layers() {
        all += layer_ops(&job, layer, &shard).params;
    }
    all += head_ops(&job, &shard, true).params;
    assert_eq!(all.total(), job.model.params());
}

#[test]
fn shards_hold_every_parameter_and_repeat_only_the_replicated() {
    for layer in zoo() {
        let job = job_of(&layer, |_| ());
        for tp in [2, 4] {
            let shard = Sharding {
                tp,
                etp: tp,
                ..Sharding::single(256)
            };
            let params = layer_ops(&job, &layer, &shard).params;
            let once = params.dense - params.replicated;
            let dense = once * u64::from(tp) + params.replicated;
            assert_eq!(
                dense,
                layer.params() - layer.expert_params(),
                "{tp} {layer:?}"
            );
        }
    }
}

#[test]
fn adapters_alone_are_trained_beside_frozen_weights() {
    let layer = llama_405b_layer();
    let lora = crate::Lora {
        rank: 16,
        targets: crate::LoraTargets::ALL,
    };
    let job = job_of(&layer, |spec| spec.peft = Some(lora));
    let block = layer_ops(&job, &layer, &Sharding::single(2048));
    let (h, f) = (16_384, 53_248);
    let sides = (h + 18_432) + (h + h) + (h + 2 * f) + (f + h);
    assert_eq!(block.params.trained(), 16 * sides);
    assert_eq!(block.params.total(), layer.params() + 16 * sides);
    let adapters = block.weight_grad.iter().filter(|op| op.gemm().is_some());
    assert!(adapters.clone().all(|op| op.name.starts_with("adapter")));
    assert_eq!(adapters.count(), 8);
}
