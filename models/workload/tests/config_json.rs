//! What config.json files say, architecture by architecture, and what is refused.

use std::fs;
use std::path::Path;

use workload::{
    Ffn, Layer, Mixer, Model, ModelError, NormKind, NormPlacement, Override, OverrideValue,
    Position, Stack, model_types,
};

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/models");
    fs::read_to_string(folder.join(format!("{name}.json"))).expect("the zoo has the file")
}

fn zoo(name: &str) -> Model {
    Model::from_config_json(&text(name)).expect("files of the zoo are models")
}

fn with(name: &str, overrides: &[Override]) -> Result<Model, ModelError> {
    Model::from_config_json_with(&text(name), overrides)
}

/// A file with one text replaced by another.
fn edited(name: &str, from: &str, to: &str) -> Result<Model, ModelError> {
    let text = text(name);
    assert!(text.contains(from), "{name} has no {from}");
    Model::from_config_json(&text.replacen(from, to, 1))
}

fn windows(model: &Model) -> Vec<Option<u64>> {
    let window = |layer: &Layer| match layer.mixer {
        Some(Mixer::Attention(attention)) => attention.window,
        _ => None,
    };
    model.layers().iter().map(window).collect()
}

#[test]
fn first_layers_of_deepseek_v3_are_dense_and_the_others_mixtures() {
    let model = zoo("deepseek-v3");
    let sparse: Vec<bool> = model
        .layers()
        .iter()
        .map(|layer| layer.moe().is_some())
        .collect();
    assert_eq!(sparse[..5], [false, false, false, true, true]);
    let (kinds, of) = model.layer_kinds();
    assert_eq!((kinds.len(), of.len()), (2, 61));
    assert_eq!(model.mtp().len(), 1);
    assert!(model.mtp()[0].layers[0].moe().is_some());
}

#[test]
fn queries_of_deepseek_v2_lite_have_no_latent_because_its_rank_is_null() {
    let Some(Mixer::Latent(mla)) = zoo("deepseek-v2-lite").layers()[0].mixer else {
        panic!("latent attention");
    };
    assert_eq!(mla.q_lora_rank, None);
    let Some(Mixer::Latent(mla)) = zoo("deepseek-v2").layers()[0].mixer else {
        panic!("latent attention");
    };
    assert_eq!(mla.q_lora_rank, Some(1536));
}

#[test]
fn windows_alternate_as_the_family_does() {
    let oss = windows(&zoo("gpt-oss-20b"));
    assert_eq!(oss[..4], [Some(128), None, Some(128), None]);
    let gemma2 = windows(&zoo("gemma2-9b"));
    assert_eq!(gemma2[..2], [Some(4096), None]);
    let gemma3 = windows(&zoo("gemma3-27b"));
    assert_eq!(
        gemma3[..6],
        [
            Some(1024),
            Some(1024),
            Some(1024),
            Some(1024),
            Some(1024),
            None
        ]
    );
    assert!(
        windows(&zoo("mistral-7b"))
            .iter()
            .all(|window| *window == Some(4096))
    );
    assert!(windows(&zoo("qwen2-7b")).iter().all(Option::is_none));
}

#[test]
fn every_fourth_layer_of_llama_4_sees_everything_and_does_not_rotate() {
    let model = zoo("llama4-maverick");
    for (index, layer) in model.layers().iter().enumerate() {
        let Some(Mixer::Attention(attention)) = layer.mixer else {
            panic!("attention");
        };
        let whole = (index + 1) % 4 == 0;
        assert_eq!(attention.window.is_none(), whole);
        assert_eq!(attention.position == Position::None, whole);
        assert_eq!(attention.chunked, !whole);
        assert_eq!(layer.moe().is_some(), index % 2 == 1);
    }
}

#[test]
fn sinks_and_biases_of_gpt_oss_are_explicit() {
    let model = zoo("gpt-oss-120b");
    let Some(Mixer::Attention(attention)) = model.layers()[0].mixer else {
        panic!("attention");
    };
    assert!(attention.sinks && attention.qkv_bias && attention.out_bias);
    let moe = model.layers()[0].moe().expect("a mixture");
    assert!(moe.bias && moe.router_bias && moe.gated);
}

#[test]
fn falcon_7b_shares_one_norm_and_one_head_of_keys() {
    let small = zoo("falcon-7b");
    let layer = &small.layers()[0];
    assert!(layer.parallel);
    assert_eq!(layer.norms.placement, NormPlacement::BeforeShared);
    let Some(Mixer::Attention(attention)) = layer.mixer else {
        panic!("attention");
    };
    assert_eq!((attention.heads, attention.kv_heads), (71, 1));
    let large = zoo("falcon-180b");
    let wide = &large.layers()[0];
    assert_eq!((wide.n_norms(), wide.parallel), (2, true));
}

#[test]
fn nemotron_h_follows_its_pattern() {
    let model = zoo("nemotron-3-nano");
    let letter = |layer: &Layer| match (&layer.mixer, &layer.ffn) {
        (Some(Mixer::Mamba2(_)), None) => 'M',
        (Some(Mixer::Attention(_)), None) => '*',
        (None, Some(Ffn::Moe(_))) => 'E',
        _ => '?',
    };
    let pattern: String = model.layers().iter().map(letter).collect();
    assert!(pattern.starts_with("MEMEM*EMEMEM*"), "{pattern}");
    assert_eq!(pattern.len(), 52);
    assert!(model.layers().iter().all(|layer| layer.n_norms() == 1));
}

#[test]
fn t5_has_an_encoder_in_front_of_a_decoder_that_attends_to_it() {
    let model = zoo("t5-11b");
    assert_eq!(model.encoder_layers(), 24);
    assert_eq!(model.layers().len(), 48);
    let (first, last) = (&model.layers()[0], &model.layers()[47]);
    assert_eq!((first.stack, last.stack), (Stack::Encoder, Stack::Main));
    assert!(first.cross.is_none() && last.cross.is_some());
}

#[test]
fn mt5_has_a_gate_and_a_head_of_its_own() {
    let text = r#"{"model_type": "mt5", "d_model": 768, "d_ff": 2048, "num_layers": 12,
        "num_heads": 12, "d_kv": 64, "vocab_size": 250112}"#;
    // google/mt5-base: 580 M parameters as its paper rounds them.
    let model = Model::from_config_json(text).expect("a model");
    assert_eq!(model.params() / 1_000_000, 582);
    assert!(!model.tied_embeddings());
}

#[test]
fn bert_for_pretraining_has_both_tops() {
    let model = zoo("bert-large-pretraining");
    assert_eq!(model.layers()[0].norms.placement, NormPlacement::AfterSum);
    // The dense product, the norm, the bias of the head, and the classifier of the next sentence.
    let tops = 1024 * 1024 + 1024 + 2 * 1024 + 30_522 + 2 * 1024 + 2;
    assert_eq!(model.params(), zoo("bert-large").params() + tops);
}

#[test]
fn classes_stand_in_for_a_model_type_that_is_absent() {
    let model = edited("nemotron-h-8b", "\"model_type\": \"nemotron_h\",", "").expect("a model");
    assert_eq!(model.family(), "nemotron_h");
    let odd = edited("deepseek-v3", "\"deepseek_v3\"", "\"my_fork\"").expect("a model");
    assert_eq!(odd.params(), 671_026_419_200);
}

#[test]
fn an_unknown_architecture_is_refused_with_the_nearest_name() {
    let error = Model::from_config_json(r#"{"model_type": "qwen3_mo"}"#).unwrap_err();
    assert_eq!(error.field(), Some("model_type"));
    assert_eq!(error.hint().as_deref(), Some("did you mean \"qwen3_moe\"?"));
    let error = Model::from_config_json(r#"{"model_type": "qwen3_next"}"#).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("gated delta networks, which is not modeled")
    );
    let error = Model::from_config_json(r#"{"model_type": "vit"}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model_type is \"vit\", which is no architecture known here"
    );
    assert!(error.hint().unwrap().contains("llama"));
    let error = Model::from_config_json("{}").unwrap_err();
    assert_eq!(error.field(), Some("model_type"));
}

#[test]
fn a_missing_field_is_named_and_its_misspelling_found() {
    let error = edited("llama3-8b", "\"hidden_size\"", "\"hiden_size\"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "hidden_size is missing, which llama needs"
    );
    assert!(error.hint().unwrap().contains("hiden_size"));
    let model = edited("llama3-8b", "num_key_value_heads", "num_key_value_head").expect("a model");
    let note = model
        .notes()
        .iter()
        .find(|note| note.field == "num_key_value_head");
    assert!(note.unwrap().taken.contains("num_key_value_heads"));
}

#[test]
fn numbers_that_cannot_be_are_refused_with_their_field() {
    for bad in [
        "-1",
        "0",
        "4096.5",
        "1e30",
        "99999999999",
        "\"x\"",
        "true",
        "[1]",
        "{}",
    ] {
        let to = format!("\"hidden_size\": {bad},");
        let error = edited("llama3-8b", "\"hidden_size\": 4096,", &to).unwrap_err();
        assert_eq!(error.field(), Some("hidden_size"), "{bad}: {error}");
        assert!(error.to_string().contains("16777216"), "{error}");
    }
    let error = edited(
        "gemma3-27b",
        "\"hidden_size\": 5376,",
        "\"hidden_size\": -5,",
    )
    .unwrap_err();
    assert_eq!(error.field(), Some("text_config.hidden_size"));
}

#[test]
fn contradictions_name_both_fields() {
    let error = edited(
        "llama3-8b",
        "\"num_key_value_heads\": 8",
        "\"num_key_value_heads\": 7",
    );
    let error = error.unwrap_err().to_string();
    assert!(error.contains("num_attention_heads is 32"), "{error}");
    assert!(error.contains("num_key_value_heads = 7"), "{error}");
    let error = edited(
        "mixtral-8x7b",
        "\"num_experts_per_tok\": 2",
        "\"num_experts_per_tok\": 9",
    );
    assert_eq!(error.unwrap_err().field(), Some("num_experts_per_tok"));
    let error = edited(
        "nemotron-h-8b",
        "\"num_hidden_layers\": 52",
        "\"num_hidden_layers\": 51",
    );
    assert!(matches!(
        error.unwrap_err(),
        ModelError::Contradiction { .. }
    ));
    let error = edited("nemotron-h-8b", "M-M-", "M-Q-").unwrap_err();
    assert_eq!(error.field(), Some("hybrid_override_pattern"));
    let list = "\"sliding_window\": 128, \"layer_types\": [\"full_attention\"]";
    let error = edited("gpt-oss-20b", "\"sliding_window\": 128", list).unwrap_err();
    assert_eq!(error.field(), Some("layer_types"));
}

#[test]
fn all_fields_at_fault_are_named_at_once() {
    let text = text("deepseek-v3")
        .replace("\"hidden_size\": 7168", "\"hidden_size\": \"7168\"")
        .replace("\"num_attention_heads\": 128", "\"heads\": 128")
        .replace("\"kv_lora_rank\": 512", "\"kv_lora_rank\": -1")
        .replace("\"n_routed_experts\": 256", "\"n_routed_experts\": 1e9")
        .replace(
            "\"tie_word_embeddings\": false",
            "\"tie_word_embeddings\": \"no\"",
        );
    let errors = Model::read_config_json(&text, &[]).unwrap_err();
    let mut fields: Vec<&str> = errors.iter().filter_map(ModelError::field).collect();
    fields.sort_unstable();
    let wrong = [
        "hidden_size",
        "kv_lora_rank",
        "n_routed_experts",
        "num_attention_heads",
        "tie_word_embeddings",
    ];
    assert_eq!(fields, wrong);
    let quoted = errors
        .iter()
        .find(|error| error.field() == Some("hidden_size"));
    assert!(quoted.unwrap().hint().unwrap().contains("quotes"));
}

#[test]
fn heads_that_do_not_fit_come_with_those_that_do() {
    let error = edited(
        "llama3-8b",
        "\"num_key_value_heads\": 8",
        "\"num_key_value_heads\": 7",
    );
    let hint = error.unwrap_err().hint();
    assert_eq!(
        hint.as_deref(),
        Some("32 is a multiple of 1, 2, 4, 8, 16, 32")
    );
}

#[test]
fn what_transformers_takes_for_absent_fields_is_taken_and_noted() {
    let text = r#"{"model_type": "gemma3", "text_config": {"model_type": "gemma3_text",
        "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34,
        "sliding_window": 1024}, "vision_config": {"hidden_size": 1152}}"#;
    let model = Model::from_config_json(text).expect("a model");
    // google/gemma-3-4b: 3.88 B parameters of the language model.
    assert_eq!(model.params(), 3_880_263_168);
    let noted: Vec<&str> = model
        .notes()
        .iter()
        .map(|note| note.field.as_str())
        .collect();
    assert!(
        noted.contains(&"text_config.num_attention_heads"),
        "{noted:?}"
    );
    assert!(noted.contains(&"vision_config"), "{noted:?}");
}

#[test]
fn overrides_cut_layers_and_replace_fields_under_either_name() {
    let cut = [
        Override::count("layers", 4),
        Override::count("first_k_dense", 1),
    ];
    let model = with("deepseek-v3", &cut).expect("a model");
    let sparse: Vec<bool> = model
        .layers()
        .iter()
        .map(|layer| layer.moe().is_some())
        .collect();
    assert_eq!(sparse, [false, true, true, true]);
    let model = with("gpt3-175b", &[Override::count("layers", 2)]).expect("a model");
    assert_eq!(model.layers().len(), 2);
    let model = with("llama3-70b", &[Override::count("num_hidden_layers", 12)]).expect("a model");
    assert_eq!(model.layers().len(), 12);
    let model = with("nemotron-3-nano", &[Override::count("layers", 6)]).expect("a model");
    assert_eq!(model.layers().len(), 6);
    let model = with("gemma3-27b", &[Override::count("vocab", 1000)]).expect("a model");
    assert_eq!(model.vocab(), 1000);
    let none = [Override::count("mtp", 0)];
    assert!(
        with("deepseek-v3", &none)
            .expect("a model")
            .mtp()
            .is_empty()
    );
    let untied = Override {
        field: "tied_embeddings".to_owned(),
        value: OverrideValue::Flag(false),
    };
    let model = with("gpt2-small", &[untied]).expect("a model");
    assert_eq!(model.params(), 124_439_808 + 50_257 * 768);
}

#[test]
fn an_override_that_the_architecture_lacks_is_refused() {
    let error = with("llama3-8b", &[Override::count("first_k_dense", 1)]).unwrap_err();
    assert_eq!(error.field(), Some("first_k_dense"));
    let error = with("llama3-8b", &[Override::count("layer", 1)]).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean \"layers\"?"));
}

#[test]
fn small_files_of_families_outside_the_table_have_the_sum_of_their_shapes() {
    // Hidden 64, 4 heads of 16, inner 128, 2 layers, 100 words: by hand for each family.
    let base = r#""hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 128, "num_hidden_layers": 2, "vocab_size": 100,
        "tie_word_embeddings": true, "max_position_embeddings": 32, "head_dim": 16"#;
    let params = |extra: &str| {
        let model = Model::from_config_json(&format!("{{{base}, {extra}}}"));
        model.map(|model| model.params()).expect(extra)
    };
    let words = 100 * 64;
    let attention = 2 * 64 * 64 + 2 * 32 * 64;
    let gated = 3 * 64 * 128;
    let rms = |per_layer: u64| 64 * (2 * per_layer + 1);
    let cohere = words + 2 * (attention + gated) + rms(1);
    assert_eq!(params(r#""model_type": "cohere""#), cohere);
    let normed = cohere + 2 * (64 + 32);
    assert_eq!(
        params(r#""model_type": "cohere", "use_qk_norm": true"#),
        normed
    );
    assert_eq!(params(r#""model_type": "cohere2""#), cohere);
    assert_eq!(
        params(r#""model_type": "olmo""#),
        words + 2 * (attention + gated)
    );
    let olmo2 = words + 2 * (attention + gated + 64 + 32) + rms(2);
    assert_eq!(params(r#""model_type": "olmo2""#), olmo2);
    assert_eq!(
        params(r#""model_type": "granite""#),
        words + 2 * (attention + gated) + rms(2)
    );
    let glm4 = words + 2 * (attention + gated + 64 + 64) + rms(4);
    assert_eq!(params(r#""model_type": "glm4""#), glm4);
    let biases = 64 + 64 + 64 + 128 + 64;
    let starcoder2 = words + 2 * (attention + 2 * 64 * 128 + biases) + 2 * rms(2);
    assert_eq!(params(r#""model_type": "starcoder2""#), starcoder2);
    let phi = words + 2 * (attention + 2 * 64 * 128 + biases) + 2 * rms(1) + 100;
    let phi_file = r#""model_type": "phi", "partial_rotary_factor": 0.5"#;
    let phi_model = format!("{{{base}, {phi_file}}}");
    let model = Model::from_config_json(&phi_model).expect("a model");
    assert_eq!(model.params(), phi);
    assert_eq!(model.layers()[0].norms.kind, NormKind::Layer);
    let moe = 3 * 64 * 128 * 4 + 4 * 64;
    let granite_moe = words + 2 * (attention + moe + 3 * 64 * 32) + rms(2);
    let file = r#""model_type": "granitemoeshared", "num_local_experts": 4,
        "num_experts_per_tok": 2, "shared_intermediate_size": 32"#;
    assert_eq!(params(file), granite_moe);
}

#[test]
fn the_list_of_architectures_is_sorted_and_unique() {
    let names = model_types();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
}

#[test]
fn a_config_at_fault_is_told_once_and_how_to_mend_it() {
    let refused = |text: &str| Model::read_config_json(text, &[]).unwrap_err();
    let base =
        r#""model_type": "llama", "hidden_size": 64, "vocab_size": 100, "intermediate_size": 128"#;
    let errors = refused(&format!(
        r#"{{ {base}, "num_attention_heads": 4, "num_hidden_layers": -1 }}"#
    ));
    let hint = errors[0].hint().unwrap();
    assert!(hint.starts_with("give a whole number from 1"), "{hint}");
    let errors = refused(
        r#"{ "model_type": "mixtral", "hidden_size": 64, "vocab_size": 100, "intermediate_size": 128,
             "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 4,
             "num_local_experts": 8, "num_experts_per_tok": 9 }"#,
    );
    assert_eq!(errors[0].hint().as_deref(), Some("give at most 8"));
}
