//! Rows of one source and GPU: how large their errors are.

use std::collections::BTreeMap;

use runs::{MemoryKind, Quantity, Record};
use serde::Serialize;

use crate::kind::Label;
use crate::rank::spearman;
use crate::row::{Compared, Row};

/// Predicted and measured failures for want of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Failed, as predicted.
    pub true_positive: u32,
    /// Ran, predicted not to fit.
    pub false_positive: u32,
    /// Failed, predicted to fit.
    pub false_negative: u32,
    /// Ran, as predicted.
    pub true_negative: u32,
}

/// Errors of the rows of one source, GPU and quantity. Names and order of the fields are those of
/// the JSON document, a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// The repository.
    pub source_repo: String,
    /// The file of the repository.
    pub source_path: String,
    /// The GPU.
    pub gpu: String,
    /// What was measured.
    pub quantity: &'static str,
    /// Rows that were compared.
    pub count: u32,
    /// Rows that could not be predicted.
    pub skipped: u32,
    /// Mean of |predicted / measured − 1|.
    pub mape: Option<f64>,
    /// Its median.
    pub median_ape: Option<f64>,
    /// Its 90th percentile.
    pub p90_ape: Option<f64>,
    /// Mean of predicted / measured − 1.
    pub bias: Option<f64>,
    /// Median rank correlation over cells of five rows and more.
    pub spearman: Option<f64>,
    /// Failures.
    pub oom: Confusion,
}

/// A row with one of its quantities; none where that cannot be compared.
type Member<'a> = (&'a Row, Option<&'a Compared>);

/// Rows grouped by repository, path, GPU and quantity, in the order of their names.
pub fn groups(rows: &[Row]) -> Vec<Group> {
    let mut by_key: BTreeMap<[&str; 4], Vec<Member<'_>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.apart.is_none()) {
        let Label {
            source_repo,
            folder,
            gpu,
            ..
        } = &row.label;
        let mut member = |quantity: Quantity, compared| {
            let key = [source_repo, folder, gpu, quantity.name()];
            by_key.entry(key).or_default().push((row, compared));
        };
        for compared in &row.compared {
            member(compared.quantity, Some(compared));
        }
        if let Some((quantity, _)) = &row.uncompared {
            member(*quantity, None);
        }
    }
    by_key
        .into_iter()
        .map(|(key, members)| group(key, &members))
        .collect()
}

/// All rows as one group for each quantity, whatever their source: what a table is worth at a
/// glance.
pub fn group_of_all(rows: &[Row]) -> Vec<Group> {
    let mut by_quantity: BTreeMap<&str, Vec<Member<'_>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.apart.is_none()) {
        for compared in &row.compared {
            let name = compared.quantity.name();
            by_quantity
                .entry(name)
                .or_default()
                .push((row, Some(compared)));
        }
        if let Some((quantity, _)) = &row.uncompared {
            let name = quantity.name();
            by_quantity.entry(name).or_default().push((row, None));
        }
    }
    by_quantity
        .into_iter()
        .map(|(quantity, members)| group(["all", "", "", quantity], &members))
        .collect()
}

fn group([source_repo, source_path, gpu, quantity]: [&str; 4], members: &[Member<'_>]) -> Group {
    let errors: Vec<f64> = compared(members)
        .filter_map(|(_, one)| one.error())
        .collect();
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let predicted = compared(members).filter(|(_, one)| one.predicted.is_some());
    let n_predicted = predicted.count();
    let mean = |values: &[f64]| {
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    Group {
        source_repo: source_repo.to_owned(),
        source_path: source_path.to_owned(),
        gpu: gpu.to_owned(),
        quantity: name_of(quantity),
        count: count(n_predicted),
        skipped: count(members.len() - n_predicted),
        mape: mean(&sizes),
        median_ape: quantile(&sizes, 0.5),
        p90_ape: quantile(&sizes, 0.9),
        bias: mean(&errors),
        spearman: if quantity == Quantity::IterationTime.name() {
            within_cells(members)
        } else {
            None
        },
        oom: confusion(members),
    }
}

/// Members of which both figures are there to compare.
fn compared<'a>(members: &'a [Member<'a>]) -> impl Iterator<Item = (&'a Row, &'a Compared)> {
    members
        .iter()
        .filter_map(|(row, one)| one.map(|one| (*row, one)))
}

fn name_of(quantity: &str) -> &'static str {
    let all = [
        Quantity::IterationTime,
        Quantity::PeakMemory(MemoryKind::AllocatedMax),
    ];
    let found = all.into_iter().find(|known| known.name() == quantity);
    found.unwrap_or(Quantity::OutOfMemory).name()
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn confusion(members: &[Member<'_>]) -> Confusion {
    let mut found = Confusion::default();
    for (_, one) in compared(members) {
        let (Quantity::OutOfMemory, Some(predicted)) = (one.quantity, one.predicted) else {
            continue;
        };
        let slot = match (0.5 < one.measured, 0.5 < predicted) {
            (true, true) => &mut found.true_positive,
            (false, true) => &mut found.false_positive,
            (true, false) => &mut found.false_negative,
            (false, false) => &mut found.true_negative,
        };
        *slot += 1;
    }
    found
}

/// What makes runs comparable: plans of one model on one machine. A release tells versions of
/// software apart; a date only says when a run was.
fn cell(record: &Record) -> Vec<String> {
    const COLUMNS: [&str; 7] = [
        "hidden",
        "layers",
        "gpu",
        "num_gpus",
        "gbs",
        "seq_len",
        "precision",
    ];
    let named = |column: &str| record.or_empty(column).to_owned();
    let mut cell: Vec<String> = COLUMNS.iter().copied().map(named).collect();
    if record.or_empty("hidden").is_empty() {
        cell.push(named("model"));
    }
    if !is_date(record.or_empty("release_or_date")) {
        cell.push(named("release_or_date"));
    }
    cell
}

/// Whether a text is a day, as in 2022-02-21.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(digits)
}

/// Median over cells of five rows and more of the rank correlation within them.
fn within_cells(members: &[Member<'_>]) -> Option<f64> {
    let predicted = compared(members)
        .filter_map(|(row, one)| Some((&row.record, one.predicted?, one.measured)));
    correlation_within_cells(predicted)
}

/// The same of rows with their predicted and measured values.
pub(crate) fn correlation_within_cells<'a>(
    rows: impl Iterator<Item = (&'a Record, f64, f64)>,
) -> Option<f64> {
    let mut found: Vec<f64> = cells(rows).iter().filter_map(Cell::spearman).collect();
    found.sort_by(f64::total_cmp);
    quantile(&found, 0.5)
}

/// Plans of one model on one machine: five and more rows, each with its predicted and its measured
/// value.
pub(crate) struct Cell<'a>(Vec<(&'a Record, f64, f64)>);

/// The cells of some rows.
pub(crate) fn cells<'a>(rows: impl Iterator<Item = (&'a Record, f64, f64)>) -> Vec<Cell<'a>> {
    const SMALLEST: usize = 5;
    let mut cells: BTreeMap<Vec<String>, Vec<(&Record, f64, f64)>> = BTreeMap::new();
    for row in rows {
        cells.entry(cell(row.0)).or_default().push(row);
    }
    let large = cells.into_values().filter(|rows| SMALLEST <= rows.len());
    large.map(Cell).collect()
}

impl Cell<'_> {
    /// Rows.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Rank correlation of predicted and measured values.
    pub(crate) fn spearman(&self) -> Option<f64> {
        let pairs = self
            .0
            .iter()
            .map(|(_, predicted, measured)| (*predicted, *measured));
        spearman(&pairs.collect::<Vec<_>>())
    }

    /// The row without which the correlation is highest, with that correlation.
    pub(crate) fn best_without_one(&self) -> Option<(String, f64)> {
        let without = |at: usize| {
            let rest = self.0.iter().enumerate().filter(|(other, _)| *other != at);
            let pairs = rest.map(|(_, (_, predicted, measured))| (*predicted, *measured));
            let rho = spearman(&pairs.collect::<Vec<_>>())?;
            Some((self.0[at].0.id(), rho))
        };
        (0..self.len())
            .filter_map(without)
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// By how much the largest measured value is above the smallest, as a share.
    pub(crate) fn spread(&self) -> f64 {
        spread(self.0.iter().map(|(.., measured)| *measured))
    }

    /// The same of rows that repeat one plan; none where no plan is repeated. Of several plans, the
    /// largest.
    pub(crate) fn spread_of_repeats(&self) -> Option<f64> {
        const COLUMNS: [&str; 9] = [
            "tp",
            "pp",
            "vp",
            "cp",
            "ep",
            "mbs",
            "zero_stage",
            "recompute",
            "heads",
        ];
        let plan = |record: &Record| COLUMNS.map(|column| record.or_empty(column).to_owned());
        let mut plans: BTreeMap<[String; 9], Vec<f64>> = BTreeMap::new();
        for (record, _, measured) in &self.0 {
            plans.entry(plan(record)).or_default().push(*measured);
        }
        let repeated = plans.into_values().filter(|all| 1 < all.len());
        repeated.map(|all| spread(all.into_iter())).reduce(f64::max)
    }
}

fn spread(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = values.clone().fold(f64::MIN, f64::max);
    most / values.fold(f64::MAX, f64::min) - 1.0
}

/// A quantile of sorted values, between neighbors in proportion.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place in the list"
    )]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let part = place - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_no_date() {
        assert!(is_date("2022-02-21"));
        assert!(!is_date("26.02.01"));
        assert!(!is_date("v1.2-rc-1"));
        assert!(!is_date(""));
    }

    #[test]
    fn quantiles_lie_between_neighbors() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.5), Some(2.0));
        assert_eq!(quantile(&values, 0.75), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
