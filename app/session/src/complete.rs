//! A scenario as one text that says everything about its plan.

use std::path::PathBuf;

use format::tree::{Node, Table, Value};
use plan::Plan;

use crate::open::Opened;

/// Fields of `[plan]` that name files, or are no part of a plan, and stay as the scenario has them.
const KEPT: [&str; 2] = ["fixed", "schedule_file"];

/// The scenario as TOML with every field of `[plan]` taken from a plan, ready for `simulate`: read
/// again from [`Opened::absolute_base`], it gives an equal plan.
///
/// * `plan` — checked against the scenario's job and cluster. Where its schedule, its shares of
///   experts or its places of experts come from files, these are the files of the scenario.
pub fn complete_scenario(opened: &Opened, plan: &Plan) -> String {
    let mut document = opened.document.clone();
    let old = section(&document, "plan");
    let mut new = launch::plan_table(plan);
    if let Some(old) = &old {
        keep(old, plan, &mut new);
    }
    set(&mut document, &["plan"], Value::Table(new));
    format::write::write(&document)
}

/// A section of a document.
fn section(document: &Table, name: &str) -> Option<Table> {
    match &document.get(name)?.value {
        Value::Table(table) => Some(table.clone()),
        _ => None,
    }
}

/// What of the old `[plan]` stays.
fn keep(old: &Table, plan: &Plan, new: &mut Table) {
    for key in KEPT {
        let is_schedule = key == "schedule_file";
        if is_schedule && plan.schedule_kind().is_some() {
            continue;
        }
        if let Some(node) = old.get(key) {
            set(new, &[key], node.value.clone());
        }
    }
    let Some(moe) = section(old, "moe") else {
        return;
    };
    if *plan.routing() != plan::Routing::Balanced
        && let Some(node) = moe.get("routing")
    {
        set(new, &["moe", "routing"], node.value.clone());
    }
    if plan.expert_placement().is_some()
        && let Some(node) = moe.get("experts_file")
    {
        set(new, &["moe", "experts_file"], node.value.clone());
    }
}

/// Sets a value that stands in no file.
fn set(table: &mut Table, path: &[&str], value: Value) {
    let nowhere = format::Source::new("", "");
    let place = format::Place::new(&nowhere, 0..0);
    let node = Node {
        value,
        place: place.clone(),
    };
    // Every table on these paths is there or is made.
    drop(table.set(path, &place, node));
}

impl Opened {
    /// The folder from which the scenario names files, as an absolute path.
    pub fn absolute_base(&self) -> PathBuf {
        let base = if self.base.as_os_str().is_empty() {
            std::path::Path::new(".")
        } else {
            &self.base
        };
        base.canonicalize()
            .or_else(|_| std::path::absolute(base))
            .unwrap_or_else(|_| base.to_owned())
    }
}
