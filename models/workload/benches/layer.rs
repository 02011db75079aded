//! Speed of `layer_ops`: one layer of Llama 3 405B, one of `DeepSeek`-V3 with rings and experts.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use workload::{
    AttentionSpec, DenseSpec, Embedding, Ffn, Head, Job, JobSpec, Layer, Mixer, MlaSpec, Model,
    ModelSpec, MoeSpec, NormKind, Norms, Sharding, Stack, layer_ops,
};

/// A layer with pre-norms.
fn layer(hidden: u64, mixer: Mixer, ffn: Ffn) -> Layer {
    Layer {
        hidden,
        stack: Stack::Main,
        mixer: Some(mixer),
        cross: None,
        ffn: Some(ffn),
        norms: Norms::PRE_RMS,
        parallel: false,
        measured: None,
    }
}

/// A job on a model of one layer.
fn job(layer: &Layer) -> Job {
    let model = ModelSpec {
        name: "one layer".to_owned(),
        family: "bench".to_owned(),
        hidden: layer.hidden,
        layers: vec![layer.clone()],
        embedding: Some(Embedding::words(128_256, layer.hidden)),
        final_norm: Some(NormKind::Rms),
        head: Some(Head {
            vocab: 128_256,
            tied: false,
            bias: false,
            transform: None,
        }),
        pooler: None,
        mtp: Vec::new(),
        max_positions: None,
        notes: Vec::new(),
    };
    let model = Model::build(model).expect("the description is sound");
    JobSpec::new(2048, 8192)
        .check(model)
        .expect("the job is sound")
}

fn bench(c: &mut Criterion) {
    let attention = Mixer::Attention(AttentionSpec::rotary(128, 8, 128));
    let llama = layer(16_384, attention, Ffn::Dense(DenseSpec::swiglu(53_248)));
    let mla = Mixer::Latent(MlaSpec {
        heads: 128,
        q_lora_rank: Some(1536),
        kv_lora_rank: 512,
        qk_nope_dim: 128,
        qk_rope_dim: 64,
        v_dim: 128,
        bias: false,
        indexer: None,
    });
    let moe = Ffn::Moe(MoeSpec {
        shared_ffn: Some(2048),
        ..MoeSpec::swiglu(256, 8, 2048)
    });
    let deepseek = layer(7168, mla, moe);
    let shard = Sharding {
        tp: 8,
        sequence_parallel: true,
        ..Sharding::single(8192)
    };
    let ring = Sharding {
        cp: 4,
        ep: 64,
        ..shard
    };
    for (name, layer, shard) in [
        ("llama_405b", &llama, &shard),
        ("deepseek_v3_ring", &deepseek, &ring),
    ] {
        let job = job(layer);
        c.bench_function(&format!("layer_ops/{name}"), |b| {
            b.iter(|| layer_ops(black_box(&job), black_box(layer), black_box(shard)));
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
