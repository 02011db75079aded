//! Counts against hand values and against the operators themselves.

use profile::AttentionKernel;

use super::*;
use crate::{
    Activation, AttentionSpec, BlockOps, DenseSpec, Embedding, Ffn, Fusion, Head, IndexerSpec,
    JobSpec, Lora, LoraTargets, MambaSpec, MlaSpec, ModelSpec, MoeSpec, Mtp, NormKind, Norms,
    Sharding, embedding_ops, head_ops, layer_ops,
};

/// A layer with root-mean-square norms.
fn layer(hidden: u64, mixer: Option<Mixer>, ffn: Option<Ffn>) -> Layer {
    Layer {
        hidden,
        stack: Stack::Main,
        mixer,
        cross: None,
        ffn,
        norms: Norms::PRE_RMS,
        parallel: false,
        measured: None,
    }
}

fn attention(heads: u64, kv_heads: u64, head_dim: u64) -> Mixer {
    Mixer::Attention(AttentionSpec::rotary(heads, kv_heads, head_dim))
}

fn swiglu(ffn: u64) -> Ffn {
    Ffn::Dense(DenseSpec::swiglu(ffn))
}

fn plain(ffn: u64) -> Ffn {
    Ffn::Dense(DenseSpec {
        gated: false,
        activation: Activation::Gelu,
        ..DenseSpec::swiglu(ffn)
    })
}

/// One sequence an iteration of a model with an output layer of its own.
fn job(layers: Vec<Layer>, mtp: Vec<Mtp>, len: u64, vocab: u64, peft: Option<Lora>) -> Job {
    let hidden = layers[0].hidden;
    let model = Model::build(ModelSpec {
        name: "test".to_owned(),
        family: "test".to_owned(),
        hidden,
        layers,
        embedding: Some(Embedding::words(vocab, hidden)),
        final_norm: Some(NormKind::Rms),
        head: Some(Head {
            vocab,
            tied: false,
            bias: false,
            transform: None,
        }),
        pooler: None,
        mtp,
        max_positions: None,
        notes: Vec::new(),
    });
    let spec = JobSpec {
        peft,
        ..JobSpec::new(1, len)
    };
    spec.check(model.unwrap()).unwrap()
}

/// Operations of a token, forward and backward.
fn by_token(job: &Job, vocab: u64, convention: Convention) -> f64 {
    model_flops(job, vocab, convention).as_f64() / job.seq_len as f64
}

fn gpt3(len: u64) -> Job {
    let gpt = layer(12_288, Some(attention(96, 96, 128)), Some(plain(49_152)));
    job(vec![gpt; 96], vec![], len, 51_200, None)
}

/// Expected values of the following tests: Megatron-LM's `num_floating_point_operations`,
/// evaluated by hand for one token.
#[test]
fn gpt_3_takes_the_published_operations() {
    let job = gpt3(2048);
    assert_close(
        by_token(&job, 51_200, Convention::Megatron),
        1_061_947_441_152.0,
    );
    let full = by_token(&job, 51_200, Convention::MegatronFull);
    assert_close(full, 1_076_442_955_776.0);
    assert_close(
        gpt_flops([1, 2048, 96, 12_288, 51_200]).as_f64() / 2048.0,
        full,
    );
}

#[test]
fn full_recomputation_of_gpt_3_is_the_published_form() {
    let job = gpt3(2048);
    let hardware = hardware_flops(&job, 51_200, Convention::MegatronFull, Recompute::Full);
    let form = gpt_flops_recomputed([1, 2048, 96, 12_288, 51_200]);
    assert_close(hardware.as_f64(), form.as_f64());
}

#[test]
fn gpt_3_on_1024_gpus_at_140_teraflops_takes_34_days() {
    let iteration = gpt_flops_recomputed([1536, 2048, 96, 12_288, 51_200]).as_f64();
    let iterations = 300e9 / (1536.0 * 2048.0);
    let days = iteration / (1024.0 * 140e12) * iterations / 86_400.0;
    assert!((34.0..35.0).contains(&days), "{days}");
}

#[test]
fn grouped_queries_and_gates_count_as_megatron_counts_them() {
    let llama = layer(4096, Some(attention(32, 8, 128)), Some(swiglu(14_336)));
    let job = job(vec![llama; 32], vec![], 8192, 128_256, None);
    assert_close(
        by_token(&job, 128_256, Convention::Megatron),
        51_470_401_536.0,
    );
}

#[test]
fn packed_sequences_count_attention_within_documents_where_masks_count() {
    let llama = layer(4096, Some(attention(32, 8, 128)), Some(swiglu(14_336)));
    let of = |len, packed| {
        let mut job = job(vec![llama.clone(); 32], vec![], len, 128_256, None);
        job.packed = packed;
        move |convention| by_token(&job, 128_256, convention)
    };
    let (packed, short, whole) = (of(8192, Some(512)), of(512, None), of(8192, None));
    for convention in [Convention::Megatron, Convention::Operators] {
        assert_close(packed(convention), short(convention));
    }
    // The forms of papers know no documents: times that follow from their TFLOP/s stay.
    let full = Convention::MegatronFull;
    assert_close(packed(full), whole(full));
}

#[test]
fn a_mixture_counts_the_experts_that_a_token_visits() {
    let moe = Some(Ffn::Moe(MoeSpec::swiglu(8, 2, 14_336)));
    let mixtral = layer(4096, Some(attention(32, 8, 128)), moe);
    let job = job(vec![mixtral; 32], vec![], 4096, 32_000, None);
    assert_close(
        by_token(&job, 32_000, Convention::Megatron),
        79_706_456_064.0,
    );
}

#[test]
fn deepseek_v3_counts_latents_shared_experts_and_the_extra_module() {
    let mla = Some(Mixer::Latent(MlaSpec {
        heads: 128,
        q_lora_rank: Some(1536),
        kv_lora_rank: 512,
        qk_nope_dim: 128,
        qk_rope_dim: 64,
        v_dim: 128,
        bias: false,
        indexer: None,
    }));
    let moe = Some(Ffn::Moe(MoeSpec {
        shared_ffn: Some(2048),
        ..MoeSpec::swiglu(256, 8, 2048)
    }));
    let mut layers = vec![layer(7168, mla, Some(swiglu(18_432))); 3];
    layers.extend(vec![layer(7168, mla, moe); 58]);
    let mtp = Mtp {
        layers: vec![layer(7168, mla, moe)],
        norm: NormKind::Rms,
    };
    let job = job(layers, vec![mtp], 4096, 129_280, None);
    assert_close(
        by_token(&job, 129_280, Convention::Megatron),
        259_992_950_784.0,
    );
}

#[test]
fn a_hybrid_counts_mamba_layers_as_megatron_does() {
    let mamba = Some(Mixer::Mamba2(MambaSpec {
        heads: 128,
        head_dim: 64,
        state: 128,
        groups: 8,
        conv: 4,
        conv_bias: true,
        bias: false,
        chunk: 128,
    }));
    let mut layers = vec![layer(4096, mamba, None); 24];
    layers.extend(vec![layer(4096, Some(attention(32, 8, 128)), None); 4]);
    layers.extend(vec![layer(4096, None, Some(plain(21_504))); 24]);
    let job = job(layers, vec![], 8192, 131_072, None);
    assert_close(
        by_token(&job, 131_072, Convention::Megatron),
        46_707_769_344.0,
    );
}

#[test]
fn operators_of_a_dense_gpt_sum_to_the_formula() {
    let gpt = layer(2048, Some(attention(16, 16, 128)), Some(plain(8192)));
    let job = job(vec![gpt.clone(); 3], vec![], 1024, 50_304, None);
    let shard = Sharding {
        fusion: Fusion {
            attention: AttentionKernel::Unfused,
            ..Fusion::MODERN
        },
        ..Sharding::single(1024)
    };
    let all = |block: &BlockOps| BlockOps::flops(block.forward.iter().chain(block.backward()));
    let layers = all(&layer_ops(&job, &gpt, &shard)) * 3.0;
    let ends = all(&embedding_ops(&job, &shard)) + all(&head_ops(&job, &shard, true));
    let formula = model_flops(&job, 50_304, Convention::Megatron);
    assert_close((layers + ends).as_f64(), formula.as_f64());
}

/// Every operation of every kind of layer: what is counted by formula is what is emitted.
#[test]
fn counted_operators_are_the_emitted_ones() {
    let indexed = Some(Mixer::Latent(MlaSpec {
        heads: 16,
        q_lora_rank: Some(256),
        kv_lora_rank: 128,
        qk_nope_dim: 64,
        qk_rope_dim: 32,
        v_dim: 64,
        bias: false,
        indexer: Some(IndexerSpec {
            heads: 8,
            head_dim: 64,
            top_k: 256,
        }),
    }));
    let windowed = Some(Mixer::Attention(AttentionSpec {
        window: Some(128),
        ..AttentionSpec::rotary(16, 4, 64)
    }));
    let mamba = Some(Mixer::Mamba2(MambaSpec {
        heads: 32,
        head_dim: 64,
        state: 64,
        groups: 4,
        conv: 4,
        conv_bias: true,
        bias: false,
        chunk: 128,
    }));
    let latent = Some(Ffn::Moe(MoeSpec {
        latent: Some(256),
        shared_ffn: Some(512),
        shared_gate: true,
        ..MoeSpec::swiglu(16, 4, 512)
    }));
    for (mixer, ffn) in [
        (indexed, latent),
        (windowed, Some(swiglu(4096))),
        (mamba, None),
    ] {
        let layer = layer(1024, mixer, ffn);
        let job = job(vec![layer.clone()], vec![], 1024, 32_000, None);
        let block = layer_ops(&job, &layer, &Sharding::single(1024));
        let emitted = BlockOps::flops(&block.forward).as_f64();
        assert_close(
            emitted,
            1024.0 * layer_flops(&layer, 1024, None, Convention::Operators),
        );
    }
}

#[test]
fn adapters_leave_two_passes_of_the_frozen_weights() {
    let llama = layer(2048, Some(attention(16, 4, 128)), Some(swiglu(8192)));
    let lora = Lora {
        rank: 16,
        targets: LoraTargets::ALL,
    };
    let tuned = job(vec![llama.clone(); 2], vec![], 1024, 32_000, Some(lora));
    let full = job(vec![llama.clone(); 2], vec![], 1024, 32_000, None);
    let [tuned_flops, full_flops] =
        [&tuned, &full].map(|job| by_token(job, 32_000, Convention::Megatron));
    let weights = 2.0 * (2048.0 * (2048.0 * 2.0 + 2.0 * 512.0 + 3.0 * 8192.0)) * 2.0
        + 2.0 * 2048.0 * 32_000.0;
    let sides = (2048 + 3072) + (2048 + 2048) + (2048 + 16_384) + (8192 + 2048);
    let adapters = 3.0 * 2.0 * f64::from(2 * 16 * sides);
    assert_close(tuned_flops, full_flops - weights + adapters);

    let shard = Sharding {
        fusion: Fusion {
            attention: AttentionKernel::Unfused,
            ..Fusion::MODERN
        },
        ..Sharding::single(1024)
    };
    let block = layer_ops(&tuned, &llama, &shard);
    let emitted = BlockOps::flops(block.forward.iter().chain(block.backward())).as_f64();
    let logits = 2.0 * 2.0 * 2048.0 * 32_000.0;
    assert_close(2.0 * emitted, 1024.0 * (tuned_flops - logits));
}

/// Equal but for rounding of sums.
#[track_caller]
fn assert_close(actual: f64, expected: f64) {
    assert!(
        (actual / expected - 1.0).abs() < 1e-12,
        "{actual} is not {expected}"
    );
}
