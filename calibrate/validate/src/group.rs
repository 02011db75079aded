//! Rows of one source and GPU: how large their errors are.

use std::collections::BTreeMap;

use runs::{MemoryKind, Quantity};
use serde::Serialize;

use crate::cell::{Cell, cells};
use crate::kind::Label;
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
    /// Median over cells of five rows and more of what it costs to choose by predictions: the
    /// measured time of the plan that is predicted fastest over the best, minus 1.
    pub regret: Option<f64>,
    /// Cells of five rows and more.
    pub cells: u32,
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
    let cells = if quantity == Quantity::IterationTime.name() {
        cells_of(members)
    } else {
        Vec::new()
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
        spearman: median(cells.iter().filter_map(Cell::spearman)),
        oom: confusion(members),
        regret: median(cells.iter().map(Cell::regret)),
        cells: count(cells.len()),
    }
}

/// Cells of the members that are predicted.
fn cells_of<'a>(members: &[Member<'a>]) -> Vec<Cell<'a>> {
    let rows = members.iter().filter_map(|(row, one)| {
        let one = (*one)?;
        Some((&row.record, one.predicted?, one.measured))
    });
    cells(rows)
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

/// The median of values in any order.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    quantile(&values, 0.5)
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
    fn quantiles_lie_between_neighbors() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.5), Some(2.0));
        assert_eq!(quantile(&values, 0.75), Some(3.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
