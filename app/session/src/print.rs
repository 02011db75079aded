//! A scenario as TOML or as a list, with the origin of every value.

use std::fmt::Write as _;

use format::tree::{Node, Table, Value};
use format::write::write_with;
use serde_json::{Value as Json, json};

use crate::open::{Opened, origin};
use crate::simulate::Ready;

impl Opened {
    /// The scenario as TOML, each value with where it is from. The text is itself a scenario.
    pub fn print(&self) -> String {
        write_with(&self.document, &|node| Some(origin(node)))
    }

    /// Every value of the scenario as `{"field", "value", "origin"}`, in the order in which files
    /// give them; items of lists of tables are fields such as `stragglers[0].gpu`.
    pub fn print_json(&self) -> Json {
        let mut values = Vec::new();
        list_table(&self.document, "", &mut values);
        Json::Array(values)
    }
}

fn list_table(table: &Table, path: &str, values: &mut Vec<Json>) {
    for entry in table.entries() {
        let dot = if path.is_empty() { "" } else { "." };
        list_node(&entry.node, &format!("{path}{dot}{}", entry.key), values);
    }
}

fn list_node(node: &Node, field: &str, values: &mut Vec<Json>) {
    let is_table = |item: &Node| matches!(item.value, Value::Table(_));
    match &node.value {
        Value::Table(table) => list_table(table, field, values),
        Value::Array(items) if items.iter().any(is_table) => {
            for (index, item) in items.iter().enumerate() {
                list_node(item, &format!("{field}[{index}]"), values);
            }
        }
        value => values.push(json!({
            "field": field,
            "value": plain(value),
            "origin": origin(node),
        })),
    }
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Text(text) | Value::Datetime(text) => json!(text),
        Value::Integer(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Boolean(flag) => json!(flag),
        Value::Array(items) => items.iter().map(|item| plain(&item.value)).collect(),
        Value::Table(table) => {
            let entry = |entry: &format::tree::Entry| (entry.key.clone(), plain(&entry.node.value));
            Json::Object(table.entries().iter().map(entry).collect())
        }
    }
}

impl Ready {
    /// The pipeline schedule as CSV in the form of `torch.distributed.pipelining`, which
    /// `plan.schedule_file` reads.
    pub fn print_schedule(&self) -> String {
        self.scenario.plan.schedule().to_csv()
    }

    /// What the scenario does not say and what was taken for it, as comments for
    /// [`Opened::print`].
    pub fn print_assumptions(&self) -> String {
        let mut text = String::new();
        for one in &self.scenario.assumptions {
            let (field, value, reason) = (&one.field, &one.value, &one.reason);
            let _ = writeln!(text, "# {field} = {value}  # not given: {reason}");
        }
        text
    }
}
