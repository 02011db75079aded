//! Fields of torchtitan's configuration, from flags or from a TOML file.

use std::collections::BTreeMap;

use toml::Value;

use super::super::options::Options;
use super::super::script::{Script, Word};
use super::NAME;
use crate::error::ImportError;
use crate::export::{titan_flavor, titan_model};

/// Fields by `section.key`, with the keys that nobody looked at.
pub(super) struct Titan {
    pub(super) fields: BTreeMap<String, String>,
    pub(super) model: Option<&'static str>,
}

impl Titan {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(String::as_str)
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, ImportError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let wrong = |_| ImportError::Value {
            producer: NAME,
            name: key.to_owned(),
            value: text.chars().take(80).collect(),
            expected: "a number",
        };
        // -1 stands for what is left.
        if text == "-1" {
            return Ok(None);
        }
        text.parse().map(Some).map_err(wrong)
    }

    pub(super) fn degree(&self, key: &str) -> Result<u32, ImportError> {
        let given = self.number(&format!("parallelism.{key}"))?;
        Ok(given
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1)
            .max(1))
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        self.text(key) == Some("true")
    }
}

/// The keys that an import reads.
pub(super) const KEYS: [&str; 33] = [
    "module",
    "config",
    "model.name",
    "model.flavor",
    "training.local_batch_size",
    "training.global_batch_size",
    "training.seq_len",
    "training.steps",
    "training.mixed_precision_param",
    "training.enable_cpu_offload",
    "training.disable_cuda_graphs",
    "parallelism.tensor_parallel_degree",
    "parallelism.pipeline_parallel_degree",
    "parallelism.context_parallel_degree",
    "parallelism.expert_parallel_degree",
    "parallelism.expert_tensor_parallel_degree",
    "parallelism.expert_parallel_comm_backend",
    "parallelism.data_parallel_replicate_degree",
    "parallelism.data_parallel_shard_degree",
    "parallelism.enable_sequence_parallel",
    "parallelism.pipeline_parallel_microbatch_size",
    "parallelism.pipeline_parallel_schedule",
    "parallelism.pipeline_parallel_schedule_csv",
    "parallelism.pipeline_parallel_layers_per_stage",
    "parallelism.pipeline_parallel_first_stage_less_layers",
    "parallelism.pipeline_parallel_last_stage_less_layers",
    "parallelism.context_parallel_rotate_method",
    "parallelism.enable_async_tensor_parallel",
    "compile.enable",
    "compile.enable_async_tensor_parallel",
    "activation_checkpoint.mode",
    "hf_assets_path",
    "dataloader.dataset",
];

/// The fields that flags set.
pub(super) fn flags(options: &Options, mode: Option<String>) -> Titan {
    let mut fields = BTreeMap::new();
    for key in KEYS {
        let name = key.replace('_', "-");
        let off = match name.rsplit_once('.') {
            Some((section, name)) => format!("{section}.no-{name}"),
            None => format!("no-{name}"),
        };
        if options.has(&off) {
            fields.insert(key.to_owned(), "false".to_owned());
        } else if options.has(&name) {
            let value = options.text(&name).unwrap_or("true");
            let value = match value {
                "True" => "true",
                "False" => "false",
                value => value,
            };
            fields.insert(key.to_owned(), value.to_owned());
        }
    }
    for key in options.ignored() {
        fields.insert(key.trim_start_matches('-').to_owned(), String::new());
    }
    if let Some(mode) = mode {
        fields.insert("activation_checkpoint.mode".to_owned(), mode);
    }
    let config = fields.get("config").cloned().unwrap_or_default();
    Titan {
        fields,
        model: titan_model(&config),
    }
}

/// The subcommand that says what is computed again.
pub(super) fn subcommand(script: &Script) -> Option<String> {
    script.words.iter().find_map(|word| match word {
        Word::Text(text) => {
            let text = text.replace('_', "-");
            text.strip_prefix("activation-checkpoint:")
                .map(str::to_owned)
        }
        Word::End => None,
    })
}

/// The fields of a TOML file.
pub(super) fn of_toml(table: &toml::Table) -> Titan {
    let mut fields = BTreeMap::new();
    for (section, inner) in table {
        let Value::Table(inner) = inner else {
            continue;
        };
        for (key, value) in inner {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            fields.insert(format!("{section}.{key}"), text);
        }
    }
    let text = |key: &str| fields.get(key).map_or("", String::as_str);
    let model = titan_flavor(text("model.name"), text("model.flavor"));
    Titan { fields, model }
}
