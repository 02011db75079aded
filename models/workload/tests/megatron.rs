//! Megatron's arguments, against its formula and against config.json files of the same models.

use std::fs;
use std::path::Path;

use units::{Bytes, Seconds};
use workload::{
    ExpertGroups, LayerRow, LayerTable, LayerTime, MegatronActivation, MegatronKind, MegatronMoe,
    MegatronPosition, MegatronSpec, MlaSpec, Model, ModelError, NormKind, padded_vocab,
};

fn zoo(name: &str) -> Model {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/models");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).expect("the zoo has it");
    Model::from_config_json(&text).expect("files of the zoo are models")
}

fn megatron(spec: &MegatronSpec) -> Model {
    Model::from_megatron(spec).expect("a model")
}

#[test]
fn parameters_of_a_gpt_are_those_of_the_formula_and_a_final_norm() {
    // Narayanan et al., SC21: 12 L h² (1 + 13/(12 h) + (V + s)/(12 L h)).
    for (layers, hidden, heads) in [(24, 2304, 24), (96, 12_288, 96), (128, 25_600, 160)] {
        let model = megatron(&MegatronSpec::gpt(layers, hidden, heads));
        let formula = layers * (12 * hidden * hidden + 13 * hidden) + (51_200 + 2_048) * hidden;
        assert_eq!(model.params(), formula + 2 * hidden);
    }
    let zoo = zoo("megatron-gpt-1008b");
    let same = megatron(&MegatronSpec::gpt(128, 25_600, 160));
    assert_eq!(zoo.params(), same.params());
    assert_eq!(zoo.layers(), same.layers());
}

#[test]
fn the_vocabulary_is_padded_to_a_multiple_that_every_rank_shares() {
    assert_eq!(padded_vocab(50_257, 128, 1), 50_304);
    assert_eq!(padded_vocab(50_257, 128, 8), 51_200);
    assert_eq!(padded_vocab(51_200, 128, 8), 51_200);
    let spec = MegatronSpec {
        vocab: 50_257,
        tp: 8,
        ..MegatronSpec::gpt(2, 64, 4)
    };
    assert_eq!(megatron(&spec).vocab(), 51_200);
}

#[test]
fn llama_in_arguments_of_megatron_is_llama_of_its_config() {
    let spec = MegatronSpec {
        vocab: 128_256,
        max_positions: 8_192,
        ..MegatronSpec::llama(80, 8_192, 64, 8, 28_672)
    };
    let (ours, file) = (megatron(&spec), zoo("llama3-70b"));
    assert_eq!(ours.layers(), file.layers());
    assert_eq!(ours.params(), file.params());
    assert_eq!(ours.head(), file.head());
}

#[test]
fn deepseek_v3_in_arguments_of_megatron_is_that_of_its_config() {
    let moe = MegatronMoe {
        ffn: Some(2_048),
        shared_ffn: Some(2_048),
        router_bias: true,
        groups: ExpertGroups { all: 8, visited: 4 },
        first_dense: 3,
        ..MegatronMoe::new(256, 8)
    };
    let mla = MlaSpec {
        heads: 128,
        q_lora_rank: Some(1_536),
        kv_lora_rank: 512,
        qk_nope_dim: 128,
        qk_rope_dim: 64,
        v_dim: 128,
        bias: false,
        indexer: None,
    };
    let spec = MegatronSpec {
        moe: Some(moe),
        mla: Some(mla),
        vocab: 129_280,
        mtp: 1,
        ..MegatronSpec::llama(61, 7_168, 128, 128, 18_432)
    };
    let (ours, file) = (megatron(&spec), zoo("deepseek-v3"));
    assert_eq!(ours.layers(), file.layers());
    assert_eq!(ours.params(), file.params());
    assert_eq!(ours.mtp(), file.mtp());
}

#[test]
fn bloom_in_arguments_of_megatron_deepspeed_is_that_of_its_config() {
    let spec = MegatronSpec {
        vocab: 250_880,
        position: MegatronPosition::Alibi,
        embedding_norm: true,
        ..MegatronSpec::gpt(70, 14_336, 112)
    };
    assert_eq!(megatron(&spec).params(), zoo("bloom-176b").params());
    assert_eq!(megatron(&spec).layers(), zoo("bloom-176b").layers());
}

#[test]
fn nemotron_h_in_arguments_of_megatron_is_that_of_its_config() {
    let file = zoo("nemotron-h-8b");
    let mamba = file.layers().iter().find_map(|layer| match layer.mixer {
        Some(workload::Mixer::Mamba2(mamba)) => Some(mamba),
        _ => None,
    });
    let pattern = "M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-";
    let spec = MegatronSpec {
        head_dim: Some(128),
        activation: MegatronActivation::SquaredRelu,
        position: MegatronPosition::None,
        hybrid: mamba.map(|mamba| (pattern.to_owned(), mamba)),
        vocab: 131_072,
        ..MegatronSpec::llama(52, 4_096, 32, 8, 21_504)
    };
    assert_eq!(megatron(&spec).layers(), file.layers());
    let short = MegatronSpec { layers: 51, ..spec };
    let error = Model::from_megatron(&short).unwrap_err();
    assert!(matches!(error, ModelError::Contradiction { .. }), "{error}");
}

#[test]
fn bert_of_megatron_has_a_final_norm_and_two_tops() {
    let (layers, h, vocab, s) = (24_u64, 1024_u64, 30_592_u64, 512_u64);
    let model = megatron(&MegatronSpec::bert(layers, h, 16));
    let embedding = (vocab + s + 2) * h;
    let body = layers * (12 * h * h + 13 * h) + 2 * h;
    let head = h * h + h + 2 * h + vocab;
    let pooler = h * h + h + 2 * h + 2;
    assert_eq!(model.params(), embedding + body + head + pooler);
    assert!(model.layers().iter().all(|layer| match layer.mixer {
        Some(workload::Mixer::Attention(attention)) => !attention.causal,
        _ => false,
    }));
}

#[test]
fn t5_of_megatron_has_learned_positions_and_a_bias_of_its_head() {
    let (h, vocab) = (768_u64, 30_720_u64);
    let model = megatron(&MegatronSpec::t5(12, h, 12));
    let encoder = 12 * (12 * h * h + 13 * h);
    let across = 4 * h * h + 4 * h + 2 * h;
    let decoder = 12 * (12 * h * h + 13 * h + across);
    let ends = (vocab + 512) * h + 2 * 2 * h + vocab;
    assert_eq!(model.params(), encoder + decoder + ends);
    assert_eq!(model.encoder_layers(), 12);
    let MegatronKind::T5 { decoder_layers } = MegatronSpec::t5(12, h, 12).kind else {
        panic!("T5");
    };
    assert_eq!(decoder_layers, None);
}

#[test]
fn swiglu_without_a_width_takes_two_thirds_of_four_times_hidden() {
    let spec = MegatronSpec {
        ffn: None,
        norm: NormKind::Rms,
        ..MegatronSpec::llama(1, 4_096, 32, 32, 1)
    };
    let tensors = megatron(&spec).tensors();
    let up = tensors
        .iter()
        .find(|tensor| tensor.name == "up")
        .expect("a dense part");
    assert_eq!(up.rows, 10_880);
}

#[test]
fn arguments_that_cannot_be_are_refused_by_name() {
    let base = MegatronSpec::gpt(4, 64, 4);
    let bad = [
        (
            "layers",
            MegatronSpec {
                layers: 0,
                ..base.clone()
            },
        ),
        (
            "layers",
            MegatronSpec {
                layers: u64::MAX,
                ..base.clone()
            },
        ),
        (
            "hidden",
            MegatronSpec {
                hidden: 0,
                ..base.clone()
            },
        ),
        (
            "hidden",
            MegatronSpec {
                heads: 5,
                ..base.clone()
            },
        ),
        (
            "heads",
            MegatronSpec {
                kv_heads: Some(3),
                ..base.clone()
            },
        ),
        (
            "tp",
            MegatronSpec {
                tp: 0,
                ..base.clone()
            },
        ),
        (
            "mtp",
            MegatronSpec {
                mtp: u64::MAX,
                ..base.clone()
            },
        ),
        (
            "rotary_percent",
            MegatronSpec {
                rotary_percent: f64::NAN,
                ..base.clone()
            },
        ),
        (
            "top_k",
            MegatronSpec {
                moe: Some(MegatronMoe::new(2, 3)),
                ..base.clone()
            },
        ),
        (
            "moe.freq",
            MegatronSpec {
                moe: Some(MegatronMoe {
                    freq: 0,
                    ..MegatronMoe::new(2, 1)
                }),
                ..base
            },
        ),
    ];
    for (field, spec) in bad {
        let error = Model::from_megatron(&spec).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
}

fn row(times: &[(u32, f64)]) -> LayerRow {
    LayerRow {
        name: "conv".to_owned(),
        times: times
            .iter()
            .map(|(tp, secs)| LayerTime {
                tp: *tp,
                forward: Seconds::from_secs(*secs),
                backward: None,
            })
            .collect(),
        params: 1_000,
        output: Bytes::new(64),
        saved: None,
    }
}

fn table(rows: Vec<LayerRow>) -> Result<Model, ModelError> {
    Model::from_layer_table(&LayerTable {
        name: "TransGAN".to_owned(),
        layers: rows,
    })
}

#[test]
fn a_table_of_measured_layers_is_a_model() {
    let model = table(vec![row(&[(4, 0.5), (1, 1.0)]), row(&[(1, 2.0)])]).expect("a model");
    assert_eq!((model.params(), model.active_params()), (2_000, 2_000));
    assert!(model.embedding().is_none() && model.head().is_none());
    let measured = model.layers()[0].measured.as_ref().expect("measured");
    let forward = |tp| measured.time(tp).expect("a row").forward;
    let secs = Seconds::from_secs;
    assert_eq!(
        [forward(1), forward(2), forward(4), forward(8)],
        [secs(1.0), secs(1.0), secs(0.5), secs(0.5)]
    );
    assert_eq!(measured.time(1).expect("a row").backward, secs(2.0));
    assert_eq!(model.notes().len(), 2);
}

#[test]
fn rows_that_cannot_be_are_refused_by_place() {
    let bad = [
        ("layers", Vec::new()),
        ("layers[0].tp", vec![row(&[])]),
        ("layers[0].tp", vec![row(&[(0, 1.0)])]),
        (
            "layers[1].tp",
            vec![row(&[(1, 1.0)]), row(&[(1, 1.0), (1, 2.0)])],
        ),
        ("layers[0].forward", vec![row(&[(1, f64::NAN)])]),
        ("layers[0].forward", vec![row(&[(1, -1.0)])]),
        ("layers", vec![row(&[(1, 1.0)]); 5_000]),
    ];
    for (field, rows) in bad {
        let error = table(rows).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
}
