//! `[model]`: a name or file, or a description.

use workload::{Override, OverrideValue};

use crate::error::Problem;
use crate::fields::Fields;
use crate::kind::Limits;
use crate::shape::{Shape, boolean, either, mapped, number, text, whole};

/// `[model]` as a file says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSection {
    /// A name of the zoo, or the path of a `config.json`.
    pub config: Option<String>,
    /// Fields set over those of the `config.json`.
    pub overrides: Vec<Override>,
}

pub(crate) fn model(t: &mut Fields<'_, '_>) -> ModelSection {
    let config = t.get("config", CONFIG, text()).optional();
    if !t.has("config") {
        let field = "model.config".to_owned();
        let expected = "a name of the zoo, or the path of a config.json".to_owned();
        t.report("config", Problem::Missing { field, expected });
    }
    let overrides = t.rest(OVERRIDES, &override_value());
    ModelSection {
        config,
        overrides: overrides
            .into_iter()
            .map(|(field, value)| Override { field, value })
            .collect(),
    }
}

const CONFIG: &str = "a name of the zoo, or the path of a Hugging Face config.json";
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
