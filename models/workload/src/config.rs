//! Hugging Face config.json to a model.
//!
//! ```text
//! text --> fields --> overrides --> family (by model_type) --> ModelSpec --> Model
//! ```
//!
//! Keys have the names and the defaults of the `transformers` library (Apache-2.0); what it takes
//! for an absent key is taken here and noted. Wrappers of language models (`text_config`) are
//! opened, and the towers for images and sound left out.

mod decoder;
mod families;
mod groups;
mod json;
mod layers;
mod overrides;
mod reader;

pub use overrides::{Override, OverrideValue};

use serde_json::{Map, Value};

use crate::error::ModelError;
use crate::model::{Model, Note};
use families::Family;
use reader::{Config, nearest};

/// The architectures that are known, by `model_type`, sorted.
pub fn model_types() -> Vec<&'static str> {
    let mut names: Vec<&str> = families::FAMILIES
        .iter()
        .map(|family| family.name)
        .collect();
    names.sort_unstable();
    names
}

impl Model {
    /// Reads a Hugging Face config.json.
    ///
    /// ```
    /// let text = r#"{ "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
    ///     "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
    ///     "vocab_size": 128256, "tie_word_embeddings": false }"#;
    /// let model = workload::Model::from_config_json(text)?;
    /// assert_eq!(model.params(), 8_030_261_248);
    /// # Ok::<(), workload::ModelError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field that is missing, contradicts another, or is unknown here.
    pub fn from_config_json(text: &str) -> Result<Self, ModelError> {
        Self::from_config_json_with(text, &[])
    }

    /// Reads a Hugging Face config.json with some fields set over the file's. Fewer layers than
    /// the file has cut its lists by layer.
    ///
    /// # Errors
    ///
    /// As [`from_config_json`](Self::from_config_json), and an override that the architecture does
    /// not know.
    pub fn from_config_json_with(text: &str, overrides: &[Override]) -> Result<Self, ModelError> {
        read(text, overrides).map_err(|refused| refused.first)
    }

    /// The same, with all errors of the file at once.
    ///
    /// # Errors
    ///
    /// Every field that is missing or cannot be, or the first contradiction of a file whose
    /// fields by themselves can be; at least one error.
    pub fn read_config_json(text: &str, overrides: &[Override]) -> Result<Self, Vec<ModelError>> {
        read(text, overrides).map_err(|refused| {
            let mut errors = vec![refused.first];
            errors.extend(refused.others);
            errors
        })
    }
}

/// Why a file is not a model: at least one error.
struct Refused {
    first: ModelError,
    others: Vec<ModelError>,
}

impl From<ModelError> for Box<Refused> {
    fn from(first: ModelError) -> Self {
        Self::new(Refused {
            first,
            others: Vec::new(),
        })
    }
}

/// Text to a model.
fn read(text: &str, overrides: &[Override]) -> Result<Model, Box<Refused>> {
    let mut file = json::parse(text)?;
    let wrapper = wrapped(&file);
    let family = family(&file, wrapper)?;
    let inner = wrapper.and_then(|key| file.remove(key));
    let mut fields = match inner {
        Some(Value::Object(inner)) => inner,
        _ => std::mem::take(&mut file),
    };
    overrides::apply(&mut fields, overrides);
    let cut = overrides.iter().any(Override::sets_layers);
    let prefix = wrapper.map(|key| format!("{key}.")).unwrap_or_default();
    let outer = wrapper.is_some().then_some(&file);
    let config = Config::new(family.name, &fields, outer, &prefix, cut);
    let mut spec = (family.read)(&config);
    overrides::check(&config, overrides);
    let mut refused = config.take_errors().into_iter();
    if let Some(first) = refused.next() {
        return Err(Box::new(Refused {
            first,
            others: refused.collect(),
        }));
    }
    config.note_misspelt();
    note_wrapper(&config);
    spec.name = name(&fields, &file).unwrap_or_else(|| family.name.to_owned());
    spec.notes = config.take_notes();
    Ok(Model::build(spec)?)
}

/// The key under which a file wraps the fields of a language model.
fn wrapped(file: &Map<String, Value>) -> Option<&'static str> {
    let keys = ["text_config", "llm_config", "language_config"];
    keys.into_iter()
        .find(|key| file.get(*key).is_some_and(Value::is_object))
}

/// The family of a file: by the `model_type` of the language model, else by the class of its
/// `architectures`, else by the wrapper's type.
fn family(file: &Map<String, Value>, wrapper: Option<&str>) -> Result<&'static Family, ModelError> {
    let inner = wrapper
        .and_then(|key| file.get(key))
        .and_then(Value::as_object);
    let objects = [inner, Some(file)];
    let mut found = None;
    for fields in objects.into_iter().flatten() {
        let Some(name) = fields.get("model_type").and_then(Value::as_str) else {
            continue;
        };
        if let Some(family) = families::named(name) {
            return Ok(family);
        }
        found = found.or(Some(name));
    }
    let mut classes = objects.into_iter().flatten().filter_map(class);
    if let Some(family) = classes.find_map(families::of_class) {
        return Ok(family);
    }
    let field = wrapper.map_or_else(
        || "model_type".to_owned(),
        |key| format!("{key}.model_type"),
    );
    if let Some((name, what)) = found.and_then(|name| Some((name, families::not_modeled(name)?))) {
        return Err(ModelError::Unsupported {
            field: "model_type".to_owned(),
            found: format!(
                "\"{}\" with its {what}",
                name.chars().take(60).collect::<String>()
            ),
            supported: model_types().join(", "),
        });
    }
    Err(match found {
        Some(name) => ModelError::UnknownType {
            field: "model_type".to_owned(),
            found: name.chars().take(60).collect(),
            near: nearest(name, families::FAMILIES.iter().map(|family| family.name)),
        },
        None => ModelError::NoType {
            near: nearest("model_type", file.keys().take(1_000).map(String::as_str)),
            field,
        },
    })
}

/// The first of a file's `architectures`.
fn class(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("architectures")?.get(0)?.as_str()
}

/// Says that parts of a wrapper are left out.
fn note_wrapper(config: &Config<'_>) {
    let Some(outer) = config.outer else { return };
    let towers = ["vision_config", "audio_config", "speech_config"];
    for tower in towers
        .into_iter()
        .filter(|tower| outer.contains_key(*tower))
    {
        config.note_outside(tower, "left out; the language model alone is modeled");
    }
}

/// The name in a file.
fn name(fields: &Map<String, Value>, file: &Map<String, Value>) -> Option<String> {
    let mut objects = [fields, file].into_iter();
    let name = objects.find_map(|object| object.get("_name_or_path")?.as_str())?;
    (!name.is_empty() && name.len() <= 200).then(|| name.to_owned())
}

impl Note {
    /// One line: the field and what was taken for it.
    pub fn line(&self) -> String {
        format!("{}: {}", self.field, self.taken)
    }
}
