//! `[model]`: a name or file, or a description.

mod blocks;
mod measured;
mod megatron;

use workload::{LayerTable, MegatronSpec, Override, OverrideValue};

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{Shape, Whole, boolean, either, list, mapped, number, table, text, whole};

/// `[model]` as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelSection {
    /// A `config.json`, with fields set over its own.
    Config {
        /// A name of the zoo, or the path of the file.
        name: String,
        /// Fields set over those of the file.
        overrides: Vec<Override>,
    },
    /// As Megatron's arguments describe it.
    Megatron(Box<MegatronSpec>),
    /// A table of measured layers.
    Measured(LayerTable),
}

pub(crate) fn model(t: &mut Fields<'_, '_>) -> ModelSection {
    t.exclude("config", "megatron");
    t.exclude("config", "measured");
    t.exclude("megatron", "measured");
    let config = t.get("config", CONFIG, text()).optional();
    let megatron = t
        .get("megatron", MEGATRON, table(megatron::megatron))
        .optional();
    let measured = t
        .get("measured", MEASURED, list(table(measured::layer_row)))
        .optional();
    let overrides = t.rest(OVERRIDES, &override_value());
    if !["config", "megatron", "measured"]
        .iter()
        .any(|key| t.has(key))
    {
        t.missing("config", MODEL_MISSING);
    } else if !t.has("config") {
        for (key, _) in &overrides {
            let problem = Problem::Conflict {
                message: format!(
                    "`model.{key}` overrides a config.json, but `model.config` names none"
                ),
                hint: format!("write `{key}` inside [model.megatron], or remove it"),
            };
            t.report(key, problem);
        }
    }
    if let Some(spec) = megatron {
        return ModelSection::Megatron(Box::new(spec));
    }
    if let Some(rows) = measured {
        return ModelSection::Measured(LayerTable {
            name: "measured layers".to_owned(),
            layers: rows.into_iter().flatten().collect(),
        });
    }
    ModelSection::Config {
        name: config.unwrap_or_default(),
        overrides: overrides
            .into_iter()
            .map(|(field, value)| Override { field, value })
            .collect(),
    }
}

const MODEL_MISSING: &str = "a name of the zoo or the path of a config.json; or [model.megatron]";
const CONFIG: &str = "a name of the zoo, or the path of a Hugging Face config.json";
const MEGATRON: &str = "the model as Megatron-LM's arguments describe it";
const MEASURED: &str = "a table of measured layers, whatever they compute";
const OVERRIDES: &str = "a field of the model to set over its config.json, such as layers = 12";

fn override_value() -> impl Shape<Out = OverrideValue> {
    let count = mapped(whole::<u64>(0), OverrideValue::Count);
    let factor = mapped(number(Limits::ANY), OverrideValue::Number);
    let flag = mapped(boolean(), OverrideValue::Flag);
    either(
        count,
        either(factor, either(flag, mapped(text(), OverrideValue::Text))),
    )
}

const fn count() -> Whole<u64> {
    whole(1)
}
