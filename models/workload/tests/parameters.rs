//! Parameter counts of the zoo against published ones.
//!
//! `published_parameters.csv`: `basis` says what `params` was compared with where it was written
//! down: `published` an exact count of a checkpoint (or that count less `checkpoint_extra`),
//! `rounded` a count rounded by its publisher, `none` nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use workload::{Mixer, Model, Tensor};

/// One row of the table.
struct Published {
    name: String,
    file: String,
    basis: String,
    params: u64,
    checkpoint: Option<u64>,
    extra: i64,
    active: Option<u64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/models")
}

fn zoo(name: &str) -> Model {
    let path = folder().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Model::from_config_json(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The fields of a line, with quotes.
fn fields(line: &str) -> Vec<String> {
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    out.push(field);
    out
}

fn table() -> Vec<Published> {
    let text = include_str!("published_parameters.csv");
    text.lines().skip(1).map(row).collect()
}

fn row(line: &str) -> Published {
    let cells = fields(line);
    assert_eq!(cells.len(), 9, "{line}");
    Published {
        name: cells[0].clone(),
        file: cells[1].clone(),
        basis: cells[2].clone(),
        params: cells[3].parse().expect("params is a number"),
        checkpoint: cells[4].parse().ok(),
        extra: cells[5].parse().unwrap_or(0),
        active: cells[7].parse().ok(),
    }
}

#[test]
fn every_published_count_is_met_exactly() {
    let rows = table();
    let published = rows.iter().filter(|row| row.basis == "published");
    assert_eq!(published.clone().count(), 125);
    for row in published {
        let model = zoo(&row.file);
        assert_eq!(model.params(), row.params, "{}", row.name);
        let stored = i64::try_from(model.params()).unwrap() + row.extra;
        let checkpoint = row.checkpoint.unwrap_or(row.params);
        assert_eq!(stored, i64::try_from(checkpoint).unwrap(), "{}", row.name);
    }
}

#[test]
fn models_without_an_exact_count_meet_the_sum_of_their_shapes() {
    for row in table().iter().filter(|row| row.basis != "published") {
        assert_eq!(zoo(&row.file).params(), row.params, "{}", row.name);
    }
}

#[test]
fn active_parameters_are_those_that_one_token_meets() {
    let rows = table();
    assert_eq!(rows.iter().filter(|row| row.active.is_some()).count(), 23);
    for row in rows {
        let Some(active) = row.active else {
            let model = zoo(&row.file);
            let sparse = model.layers().iter().any(|layer| layer.moe().is_some());
            assert_eq!(
                model.active_params() < model.params(),
                sparse,
                "{}",
                row.name
            );
            continue;
        };
        assert_eq!(zoo(&row.file).active_params(), active, "{}", row.name);
    }
}

#[test]
fn every_file_of_the_zoo_is_a_model_whose_tensors_sum_to_its_parameters() {
    let mut names = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let model = zoo(&stem);
        let sum: u64 = model.tensors().iter().map(Tensor::values).sum();
        assert_eq!(sum, model.params(), "{stem}");
        let vague: Vec<_> = model
            .notes()
            .iter()
            .filter(|note| note.taken.contains("mean"))
            .collect();
        assert!(vague.is_empty(), "{stem}: {vague:?}");
        names.insert(stem, model);
    }
    assert!(119 <= names.len(), "{} files", names.len());
}

/// Elements that a checkpoint holds beside the parameters of `model`.
fn extra(file: &str) -> i64 {
    let rows = table();
    rows.iter()
        .find(|row| row.file == file)
        .expect("the file is in the table")
        .extra
}

/// What a model's own shapes say about those elements.
fn summed(elements: u64) -> i64 {
    i64::try_from(elements).expect("counts fit into 63 bits")
}

#[test]
fn causal_masks_and_rotations_are_buffers_of_older_checkpoints() {
    for (file, longest) in [
        ("gpt2-small", 1024),
        ("gpt2-xl", 1024),
        ("gpt-neox-20b", 2048),
        ("pythia-12b", 2048),
        ("pythia-160m", 2048),
        ("pythia-2.8b", 2048),
    ] {
        let model = zoo(file);
        let layers = model.layers().len() as u64;
        let rotated = rotated(&model) / 2;
        assert_eq!(
            extra(file),
            summed(layers * (longest * longest + rotated)),
            "{file}"
        );
    }
    for file in ["llama1-7b", "llama1-65b", "llama2-70b"] {
        let model = zoo(file);
        let layers = model.layers().len() as u64;
        assert_eq!(extra(file), summed(layers * rotated(&model) / 2), "{file}");
    }
}

#[test]
fn kimi_and_moonlight_store_rotations_of_hidden_over_heads_dimensions() {
    // The rule is inferred: it explains both counts, and nothing else was found that does.
    for file in ["kimi-k2", "moonlight-16b-a3b"] {
        let model = zoo(file);
        let width = model.hidden() / model.layers()[0].heads();
        let layers = model.layers().len() as u64;
        assert_eq!(extra(file), summed(layers * width / 2), "{file}");
    }
}

/// Rotated dimensions of a head of the first layer.
fn rotated(model: &Model) -> u64 {
    match model.layers()[0].mixer {
        Some(Mixer::Attention(attention)) => attention.rotary_dims(),
        _ => 0,
    }
}

#[test]
fn some_checkpoints_store_a_tied_head_again() {
    for file in [
        "starcoder-15b",
        "falcon-7b",
        "falcon-40b",
        "falcon-180b",
        "qwen3-0.6b",
        "qwen3-1.7b",
    ] {
        let model = zoo(file);
        assert!(model.tied_embeddings());
        assert_eq!(extra(file), summed(model.embedding_params()), "{file}");
    }
}

#[test]
fn a_module_for_further_tokens_is_counted_apart_from_the_model() {
    for file in ["deepseek-v3", "deepseek-r1", "glm-4.5", "glm-4.5-air"] {
        let model = zoo(file);
        let copies = 2 * model.embedding_params();
        assert_eq!(extra(file), summed(model.mtp_params() + copies), "{file}");
    }
    assert_eq!(zoo("deepseek-v3").mtp_params(), 11_610_068_224);
    assert_eq!(extra("glm-5"), summed(zoo("glm-5").mtp_params()));
}

#[test]
fn totals_of_nemotron_3_leave_corrections_of_the_choice_of_experts_out() {
    for file in ["nemotron-3-nano", "nemotron-3-super", "nemotron-3-ultra"] {
        let model = zoo(file);
        let tensors = model.tensors().into_iter().chain(model.mtp_tensors());
        let biases = tensors.filter(|tensor| tensor.name == "router.bias");
        let left_out: u64 = biases.map(|tensor| tensor.values()).sum();
        assert_eq!(
            extra(file),
            summed(model.mtp_params()) - summed(left_out),
            "{file}"
        );
    }
}

#[test]
fn vision_towers_explain_the_rest_of_multimodal_checkpoints() {
    // Width, feed-forward width, layers, positions, and what stands at both ends.
    let tower = |h: u64, ffn: u64, layers: u64| {
        layers * (4 * h * h + 4 * h + 2 * h * ffn + ffn + h + 4 * h)
    };
    let gemma = zoo("gemma3-27b").hidden();
    let patches = 3 * 14 * 14 * 1152 + 1152 + 4096 * 1152 + 2 * 1152;
    let projector = 1152 * gemma + 1152;
    assert_eq!(
        extra("gemma3-27b"),
        summed(tower(1152, 4304, 27) + patches + projector)
    );
    let llama = zoo("llama4-scout").hidden();
    let patches = 3 * 14 * 14 * 1408 + 577 * 1408 + 1408 + 4 * 1408;
    let adapter = 5632 * 4096 + 4096 * 4096 + 4096 * llama;
    assert_eq!(
        extra("llama4-scout"),
        summed(tower(1408, 5632, 34) + patches + adapter)
    );
}
