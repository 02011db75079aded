//! A scenario as one text that says everything about its plan.

use std::path::PathBuf;

use cluster::Cluster;
use format::MEASURED_RATES;
use format::tree::{Node, Table, Value};
use plan::Plan;
use units::{BytesPerSec, NodeId};

use crate::open::Opened;

/// Fields of `[plan]` that name files, or are no part of a plan, and stay as the scenario has them.
const KEPT: [&str; 2] = ["fixed", "schedule_file"];

/// The scenario as TOML with every field of `[plan]` taken from a plan, ready for `simulate`: read
/// again from [`Opened::absolute_base`], it gives an equal plan.
///
/// * `plan` — checked against the scenario's job and cluster. Where its schedule, its shares of
///   experts or its places of experts come from files, these are the files of the scenario.
pub fn complete_scenario(opened: &Opened, plan: &Plan) -> String {
    format::write::write(&completed(opened, plan))
}

/// As [`complete_scenario`], with the rates that were measured between the nodes of a cluster in place
/// of those of the scenario, to the bit.
pub(crate) fn complete_with_rates(opened: &Opened, plan: &Plan, cluster: &Cluster) -> String {
    let mut document = completed(opened, plan);
    set(&mut document, &["cluster", MEASURED_RATES], rates(cluster));
    format::write::write(&document)
}

fn completed(opened: &Opened, plan: &Plan) -> Table {
    let mut document = opened.document.clone();
    let old = section(&document, "plan");
    let mut new = launch::plan_table(plan);
    if let Some(old) = &old {
        keep(old, plan, &mut new);
    }
    set(&mut document, &["plan"], Value::Table(new));
    document
}

/// Rates in bytes per second, a row a sending node; 0 where nothing was measured.
fn rates(cluster: &Cluster) -> Value {
    let nodes = || (0..cluster.n_nodes()).map(NodeId::from_index);
    let rate = |from, to| {
        let rate = cluster.measured_between(from, to);
        Value::Float(rate.map_or(0.0, BytesPerSec::as_f64))
    };
    let row = |from| nodes().map(|to| node(rate(from, to))).collect();
    Value::Array(nodes().map(|from| node(Value::Array(row(from)))).collect())
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
pub(crate) fn set(table: &mut Table, path: &[&str], value: Value) {
    let node = node(value);
    let place = node.place.clone();
    // Every table on these paths is there or is made.
    drop(table.set(path, &place, node));
}

/// A value that stands in no file.
fn node(value: Value) -> Node {
    let nowhere = format::Source::new("", "");
    let place = format::Place::new(&nowhere, 0..0);
    Node { value, place }
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
