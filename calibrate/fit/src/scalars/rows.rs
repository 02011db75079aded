//! Runs as the fit sees them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use lower::Framework;
use predict::Scenario;
use profile::Profile;
use runs::{Record, RunsError, Table};
use units::Control;

use super::{Membership, memberships};

/// A run: what it became, and what was measured.
#[derive(Debug)]
pub struct FitRow {
    /// What the row is called.
    pub id: String,
    /// The row.
    pub record: Record,
    /// Seconds of an iteration, as measured.
    pub measured: f64,
    /// 1, or less where other rows are its copies or of its group.
    pub weight: f64,
    /// What tells copies.
    text: String,
    /// Its profiles before any scalar.
    pub profiles: Vec<Profile>,
    /// Its framework before any scalar.
    pub framework: Arc<Framework>,
    /// The scenario; its profiles and framework change from evaluation to evaluation.
    pub scenario: Mutex<Scenario>,
    /// The framework's version.
    pub version: Option<String>,
    /// The kind of the first node of each kind of GPU.
    pub nodes: Vec<String>,
    /// The kinds of GPU.
    pub gpus: Vec<String>,
    /// The architecture of the first kind of GPU.
    pub architecture: String,
    /// Whether the model has routed experts.
    pub routed: bool,
    /// Whether the row contradicts itself.
    pub contradicts: bool,
}

/// Every row of a table whose time was measured, without any fit.
///
/// # Errors
///
/// Where a cell cannot be read.
pub fn load(table: &Table, control: &Control) -> Result<Vec<FitRow>, RunsError> {
    let mut rows = Vec::new();
    for record in &table.records {
        let unfitted = |draft: &mut runs::Draft| draft.set("settings", "fit", "none");
        let Ok(chosen) =
            validate::choose_row(validate::Kind::Training, record, table, &unfitted, control)?
        else {
            continue;
        };
        let gpus = u64::from(chosen.scenario.plan.n_ranks());
        let time = match runs::training::time(record, gpus)? {
            None => continue,
            Some(runs::training::Time::Seconds(seconds, _)) => seconds,
            Some(runs::training::Time::Rate { tflops, formula }) => {
                formula.seconds(tflops, gpus, &chosen.scenario.job)
            }
        };
        let scenario = chosen.scenario;
        let version = chosen.draft.get("framework", "version");
        let mut draft = chosen.draft.clone();
        // Copies of a table may name other degrees that are equal to absent ones.
        draft.remove("framework", "version");
        rows.push(FitRow {
            id: record.id(),
            record: record.clone(),
            measured: time,
            weight: 1.0,
            text: draft.text(record.or_empty("release_or_date")),
            profiles: scenario.profiles.clone(),
            framework: Arc::clone(&scenario.framework),
            version: version.and_then(|value| value.as_str()).map(str::to_owned),
            nodes: nodes(&scenario),
            gpus: scenario
                .cluster
                .kinds()
                .iter()
                .map(|gpu| gpu.name.clone())
                .collect(),
            architecture: architecture(&scenario),
            routed: is_routed(&scenario),
            contradicts: runs::training::contradicts(record)?,
            scenario: Mutex::new(scenario),
        });
    }
    weigh(&mut rows);
    share(&mut rows);
    Ok(rows)
}

fn nodes(scenario: &Scenario) -> Vec<String> {
    let cluster = &scenario.cluster;
    let of = |kind: usize| {
        let mut gpus = cluster.gpus();
        let first = gpus.find(|gpu| cluster.kind_of(*gpu) == kind);
        first.map_or_else(String::new, |gpu| {
            cluster.node(cluster.node_of(gpu)).name.clone()
        })
    };
    (0..cluster.kinds().len()).map(of).collect()
}

fn architecture(scenario: &Scenario) -> String {
    let kinds = scenario.cluster.kinds();
    kinds
        .first()
        .map(|gpu| gpu.architecture.to_ascii_lowercase())
        .unwrap_or_default()
}

fn is_routed(scenario: &Scenario) -> bool {
    let layers = scenario.job.model.layers();
    layers
        .iter()
        .any(|layer| matches!(layer.ffn, Some(workload::Ffn::Moe(_))))
}

/// Copies (equal scenarios whose times differ by less than 0.2 %) share the weight of one row.
fn weigh(rows: &mut [FitRow]) {
    let same = |a: &FitRow, b: &FitRow| {
        (a.measured / b.measured - 1.0).abs() < 0.002 && body(&a.text).eq(body(&b.text))
    };
    let copies: Vec<usize> = rows
        .iter()
        .map(|row| rows.iter().filter(|other| same(row, other)).count())
        .collect();
    for (row, copies) in rows.iter_mut().zip(copies) {
        row.weight = 1.0 / copies.max(1) as f64;
    }
}

/// Rows of one group (a source and a model's size, or a layout) err together, so that many of them
/// tell less than as many of different groups: each counts `1 / (1 + (n - 1) ρ)`, the inverse of the
/// design effect of `n` rows with intraclass correlation `ρ` (Kish, Survey Sampling, 1965, section
/// 5.4).
fn share(rows: &mut [FitRow]) {
    let groups: Vec<Option<Membership>> = rows
        .iter()
        .map(|row| memberships(row).into_iter().next())
        .collect();
    let mut sums: BTreeMap<&Membership, f64> = BTreeMap::new();
    for (group, row) in groups.iter().zip(rows.iter()) {
        if let Some(group) = group {
            *sums.entry(group).or_default() += row.weight;
        }
    }
    for (group, row) in groups.iter().zip(rows.iter_mut()) {
        let n = group.as_ref().and_then(|group| sums.get(group));
        let others = n.map_or(0.0, |n| (n - 1.0).max(0.0));
        row.weight /= 1.0 + others * CORRELATION;
    }
}

/// Intraclass correlation of the errors of a group's rows: small, so that it matters to groups of fifty
/// runs and not to groups of five.
const CORRELATION: f64 = 0.02;

/// A scenario's text without comments: copies differ in what was inferred.
fn body(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
}
