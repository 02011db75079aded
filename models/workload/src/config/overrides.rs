//! Fields that a scenario sets over those of a file.

use serde_json::{Map, Value};

use super::groups;
use super::reader::{Config, nearest};
use crate::error::ModelError;

/// A field of a model that a scenario sets, by its name there (`layers`, `first_k_dense`, `mtp`)
/// or as the key of the model's config.json (`num_hidden_layers`).
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The name.
    pub field: String,
    /// What it is set to.
    pub value: OverrideValue,
}

/// What a field is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum OverrideValue {
    /// A count or a width.
    Count(u64),
    /// A factor.
    Number(f64),
    /// Yes or no.
    Flag(bool),
    /// A word or a pattern of layers.
    Text(String),
}

impl Override {
    /// Whether it sets that key of a config.json.
    pub fn sets(&self, key: &str) -> bool {
        self.field == key || keys(&self.field).contains(&key)
    }

    /// Sets a field to a count.
    pub fn count(field: impl Into<String>, value: u64) -> Self {
        Self {
            field: field.into(),
            value: OverrideValue::Count(value),
        }
    }

    /// The value as a file would give it; a number that JSON cannot say becomes null.
    fn json(&self) -> Value {
        match &self.value {
            OverrideValue::Count(count) => Value::from(*count),
            OverrideValue::Number(number) => Value::from(*number),
            OverrideValue::Flag(flag) => Value::from(*flag),
            OverrideValue::Text(text) => Value::from(text.as_str()),
        }
    }

    /// Whether it sets the number of layers.
    pub(super) fn sets_layers(&self) -> bool {
        let keys = groups::named("layers").unwrap_or_default();
        self.field == "layers" || keys.contains(&self.field.as_str())
    }
}

/// Sets the fields: those spellings that the file has, else all that the name may mean.
pub(super) fn apply(fields: &mut Map<String, Value>, overrides: &[Override]) {
    for one in overrides {
        let keys = keys(&one.field);
        let present: Vec<&str> = keys
            .iter()
            .copied()
            .filter(|key| fields.contains_key(*key))
            .collect();
        let set = if present.is_empty() { keys } else { present };
        for key in set {
            fields.insert(key.to_owned(), one.json());
        }
    }
}

/// The keys that an override's name may mean.
fn keys(field: &str) -> Vec<&str> {
    let group = groups::named(field).or_else(|| Some(groups::spellings(field)));
    match group {
        Some(keys) if !keys.is_empty() => keys.to_vec(),
        _ => vec![field],
    }
}

/// Refuses overrides that the family never reads.
pub(super) fn check(config: &Config<'_>, overrides: &[Override]) {
    for one in overrides {
        if keys(&one.field).iter().any(|key| config.was_asked(key)) {
            continue;
        }
        let names = groups::GROUPS.iter();
        let known = names.filter(|group| group.keys.iter().any(|key| config.was_asked(key)));
        let known: Vec<&str> = known.map(|group| group.name).collect();
        config.refuse(ModelError::Override {
            field: one.field.clone(),
            found: one.json().to_string(),
            family: config.family.to_owned(),
            near: nearest(&one.field, known.iter().copied()),
            known: known.join(", ").into(),
        });
    }
}
