//! The kinds of files, each with the JSON Schema of its fields.
//!
//! The schema comes from the functions that read the files, so that it says what they take.

use serde_json::{Value, json};

use crate::curves::profile_file;
use crate::fields::Fields;
use crate::framework::framework_file;
use crate::hardware::{cluster, fabric, gpu, node};
use crate::kind::{Field, table_schema};
use crate::scenario::scenario_fields;

/// What a file describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A run: model, cluster, training, plan.
    Scenario,
    /// Nodes and what connects them.
    Cluster,
    /// The data sheet of a GPU.
    Gpu,
    /// A kind of node.
    Node,
    /// A fabric between nodes.
    Fabric,
    /// What a GPU or a network achieves.
    Profile,
    /// What a training framework does without being asked.
    Framework,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 7] = [
        Self::Scenario,
        Self::Cluster,
        Self::Gpu,
        Self::Node,
        Self::Fabric,
        Self::Profile,
        Self::Framework,
    ];

    /// What messages call such a file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::Cluster => "cluster",
            Self::Gpu => "gpu",
            Self::Node => "node",
            Self::Fabric => "fabric",
            Self::Profile => "profile",
            Self::Framework => "framework",
        }
    }

    /// The JSON Schema of such a file.
    pub fn json_schema(self) -> Value {
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("Windtunnel {}", self.name()),
        });
        if let (Some(own), Value::Object(table)) =
            (schema.as_object_mut(), table_schema(&self.fields()))
        {
            own.extend(table);
        }
        schema
    }

    fn fields(self) -> Vec<Field> {
        match self {
            Self::Scenario => scenario_fields(),
            Self::Cluster => Fields::describe(&cluster),
            Self::Gpu => Fields::describe(&gpu),
            Self::Node => Fields::describe(&node),
            Self::Fabric => Fields::describe(&fabric),
            Self::Profile => Fields::describe(&profile_file),
            Self::Framework => Fields::describe(&framework_file),
        }
    }
}

/// The JSON Schema of scenarios.
pub fn json_schema() -> Value {
    Layout::Scenario.json_schema()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;

    /// Every field says what it is for, and none is asked for twice.
    fn check(fields: &[Field], path: &str) {
        for field in fields {
            let path = format!("{path}.{}", field.key);
            assert!(!field.doc.is_empty(), "{path} has no description");
            check_kind(&field.kind, &path);
        }
        let mut keys: Vec<&str> = fields.iter().map(|field| field.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), fields.len(), "{path} asks for a field twice");
    }

    fn check_kind(kind: &Kind, path: &str) {
        match kind {
            Kind::Table(inner) => check(inner, path),
            Kind::List(item, _) | Kind::Map(item) => check_kind(item, path),
            Kind::Either(kinds) => kinds.iter().for_each(|kind| check_kind(kind, path)),
            _ => {}
        }
    }

    #[test]
    fn every_field_is_described_and_asked_for_once() {
        for layout in Layout::ALL {
            check(&layout.fields(), layout.name());
        }
    }

    #[test]
    fn a_profile_of_collectives_alone_is_one_to_the_schema_too() {
        let required = &Layout::Profile.json_schema()["required"];
        assert_eq!(required, &json!(["name"]));
    }
}
