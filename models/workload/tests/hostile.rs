//! Texts that no one would write, and properties of the models that come out.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};
use workload::{Model, ModelError, Override, Tensor, model_types};

/// The files of the zoo with their names, sorted.
fn zoo() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/models");
    let entries = fs::read_dir(folder).expect("the zoo is there");
    let mut files: Vec<(String, String)> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a text");
            (path.display().to_string(), text)
        })
        .collect();
    files.sort();
    files
}

/// Files of different families: one for each `model_type`.
fn one_of_each_family() -> Vec<String> {
    let mut seen = Vec::new();
    let mut texts = Vec::new();
    for (_, text) in zoo() {
        let family = Model::from_config_json(&text)
            .expect("a model")
            .family()
            .to_owned();
        if !seen.contains(&family) {
            seen.push(family);
            texts.push(text);
        }
    }
    texts
}

/// Every key of the zoo, inside wrappers too.
fn keys() -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (_, text) in zoo() {
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let inner = value.get("text_config").cloned().unwrap_or_default();
        for object in [value, inner] {
            let fields = object.as_object().cloned().unwrap_or_default();
            keys.extend(fields.into_iter().map(|(key, _)| key));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// Reads a text, and what a reader of errors would ask of the errors.
fn read(text: &str) -> Option<Model> {
    let errors = match Model::read_config_json(text, &[]) {
        Ok(model) => return Some(model),
        Err(errors) => errors,
    };
    let first = Model::from_config_json(text).expect_err("a refused text stays refused");
    assert_eq!(Some(&first), errors.first());
    for error in errors {
        assert!(error.to_string().len() < 2_000, "{error}");
        let _ = (error.field(), error.hint());
    }
    None
}

/// What every model promises.
fn check(model: &Model) {
    let params = model.params();
    assert!(model.active_params() <= params);
    assert!(params <= Model::MAX_PARAMS);
    if model.layers().len() <= 200 {
        let sum: u64 = model.tensors().iter().map(Tensor::values).sum();
        assert_eq!(sum, params);
    }
    let (kinds, of) = model.layer_kinds();
    assert!(of.iter().all(|kind| *kind < kinds.len()));
}

/// Values that fields may have, likely and unlikely.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_u64..600).prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        select(vec![
            "silu",
            "relu",
            "full_attention",
            "M*E-",
            "gated-gelu",
            "moe"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_refused_or_read(text in ".{0,200}") {
        if let Some(model) = read(&text) {
            check(&model);
        }
    }

    #[test]
    fn arbitrary_fields_of_every_family_are_refused_or_read(
        family in select(model_types()),
        fields in prop::collection::vec((select(keys()), value()), 0..16),
        wrapped in any::<bool>(),
    ) {
        let mut object: Map<String, Value> = fields.into_iter().collect();
        object.insert("model_type".to_owned(), Value::from(family));
        let mut file = Value::Object(object);
        if wrapped {
            file = serde_json::json!({"model_type": "wrapper", "text_config": file});
        }
        if let Some(model) = read(&file.to_string()) {
            check(&model);
        }
    }

    #[test]
    fn a_real_file_with_some_fields_replaced_is_refused_or_read(
        text in select(one_of_each_family()),
        fields in prop::collection::vec((select(keys()), value()), 1..4),
    ) {
        let mut file: Value = serde_json::from_str(&text).expect("JSON");
        for (key, value) in fields {
            let inside = file.get("text_config").is_some_and(Value::is_object);
            let object = if inside { &mut file["text_config"] } else { &mut file };
            object[key] = value;
        }
        if let Some(model) = read(&file.to_string()) {
            check(&model);
        }
    }

    #[test]
    fn a_real_file_with_bytes_changed_is_refused_or_read(
        text in select(one_of_each_family()),
        edits in prop::collection::vec((any::<Index>(), any::<u8>(), 0_u8..5), 1..6),
    ) {
        let mut bytes = text.into_bytes();
        for (at, byte, kind) in edits {
            bytes.push(b' ');
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes[at] ^= 1 << (byte % 8),
                2 => { bytes.remove(at); }
                3 => bytes.insert(at, b'0' + byte % 10),
                _ => bytes.truncate(at.max(1)),
            }
        }
        if let Some(model) = read(&String::from_utf8_lossy(&bytes)) {
            check(&model);
        }
    }

    #[test]
    fn more_layers_never_have_fewer_parameters(
        text in select(one_of_each_family()),
        few in 1_u64..40,
        more in 0_u64..40,
    ) {
        let cut = |layers| Model::from_config_json_with(&text, &[Override::count("layers", layers)]);
        match (cut(few), cut(few + more)) {
            (Ok(small), Ok(large)) => {
                prop_assert!(small.params() <= large.params());
                prop_assert!(small.active_params() <= large.active_params());
                prop_assert!(small.layers().len() <= large.layers().len());
            }
            // Lists by layer can be cut and not grown.
            (_, Err(error)) => {
                let grown = matches!(error, ModelError::Contradiction { .. });
                prop_assert!(grown, "{error}");
            }
            (Err(error), Ok(_)) => prop_assert!(false, "{error}"),
        }
    }
}

#[test]
fn every_beginning_of_a_real_file_is_refused() {
    for text in one_of_each_family() {
        for end in (0..text.trim_end().len()).step_by(7) {
            assert!(Model::from_config_json(&text[..end]).is_err());
        }
    }
}

#[test]
fn huge_texts_are_refused_before_they_are_read() {
    let deep = format!("{{\"a\": {}", "[".repeat(1 << 20));
    assert!(matches!(
        Model::from_config_json(&deep),
        Err(ModelError::NotJson { .. })
    ));
    let nested = "{\"text_config\":".repeat(1 << 16);
    assert!(matches!(
        Model::from_config_json(&nested),
        Err(ModelError::NotJson { .. })
    ));
    let long = "x".repeat(100 << 20);
    assert!(matches!(
        Model::from_config_json(&long),
        Err(ModelError::TooLong { .. })
    ));
}

#[test]
fn the_most_layers_are_read_and_one_more_is_not() {
    let text = r#"{"model_type": "llama", "hidden_size": 8, "num_attention_heads": 1,
        "intermediate_size": 8, "vocab_size": 8, "num_hidden_layers": LAYERS}"#;
    let model = read(&text.replace("LAYERS", "100000")).expect("a model");
    assert_eq!(model.layers().len(), 100_000);
    assert_eq!(read(&text.replace("LAYERS", "100001")), None);
}

#[test]
fn a_model_larger_than_any_is_refused() {
    let text = r#"{"model_type": "llama", "hidden_size": 16777216, "num_attention_heads": 1,
        "intermediate_size": 16777216, "vocab_size": 16777216, "num_hidden_layers": 100000}"#;
    assert!(matches!(
        Model::from_config_json(text),
        Err(ModelError::TooLarge { .. })
    ));
}
