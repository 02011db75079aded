//! Plans of one model on one machine: do predictions order them, and what does it cost to choose by
//! predictions?

use std::collections::BTreeMap;

use runs::Record;

use crate::rank::spearman;

/// Plans of one model on one machine: five and more rows, each with its predicted and its measured
/// value. Invariant: there is a row.
pub(crate) struct Cell<'a>(Vec<(&'a Record, f64, f64)>);

/// The cells of some rows, in the order of what makes them.
pub(crate) fn cells<'a>(rows: impl Iterator<Item = (&'a Record, f64, f64)>) -> Vec<Cell<'a>> {
    const SMALLEST: usize = 5;
    let mut cells: BTreeMap<Vec<String>, Vec<(&Record, f64, f64)>> = BTreeMap::new();
    for row in rows {
        cells.entry(key(row.0)).or_default().push(row);
    }
    let large = cells.into_values().filter(|rows| SMALLEST <= rows.len());
    large.map(Cell).collect()
}

impl Cell<'_> {
    /// Rows.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Model and machine, in words.
    pub(crate) fn name(&self) -> String {
        let record = self.0[0].0;
        let of = |column: &str| record.or_empty(column).to_owned();
        let model = match (of("hidden"), of("layers")) {
            (hidden, layers) if !hidden.is_empty() => format!("{hidden} x {layers}"),
            _ => of("model"),
        };
        format!(
            "{model} on {} {}, batch {}, {} tokens",
            of("num_gpus"),
            of("gpu"),
            of("gbs"),
            of("seq_len")
        )
    }

    /// Rows whose predicted value says that they cannot run.
    pub(crate) fn n_without_prediction(&self) -> usize {
        let infinite = self.0.iter().filter(|row| row.1.is_infinite());
        infinite.count()
    }

    /// The row that was measured fastest, with its time.
    pub(crate) fn best(&self) -> (&Record, f64) {
        let (record, _, measured) = self.fastest();
        (record, measured)
    }

    fn fastest(&self) -> (&Record, f64, f64) {
        let faster = |a: (_, f64, f64), b: (_, f64, f64)| if b.2 < a.2 { b } else { a };
        self.0.iter().copied().fold(self.0[0], faster)
    }

    /// By how much the row that was measured fastest is predicted slower than the picks, as a share.
    pub(crate) fn misjudged(&self) -> f64 {
        let times = self.0.iter().map(|(_, predicted, _)| *predicted);
        self.fastest().1 / times.fold(f64::INFINITY, f64::min) - 1.0
    }

    /// The rows that are predicted fastest: several where predictions do not tell them apart, as
    /// repeats of one plan.
    pub(crate) fn picks(&self) -> Vec<(&Record, f64)> {
        let times = self.0.iter().map(|(_, predicted, _)| *predicted);
        let least = times.fold(f64::INFINITY, f64::min);
        let rows = self.0.iter().filter(|row| row.1 <= least);
        rows.map(|(record, _, measured)| (*record, *measured))
            .collect()
    }

    /// What it costs to run the plan that is predicted fastest: its measured time over the best of
    /// the cell, minus 1. Of several that are predicted alike, the mean.
    pub(crate) fn regret(&self) -> f64 {
        let picks = self.picks();
        let sum: f64 = picks.iter().map(|(_, measured)| measured).sum();
        sum / picks.len() as f64 / self.best().1 - 1.0
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

/// What makes runs comparable: plans of one model on one machine. A release tells versions of
/// software apart; a date only says when a run was.
pub(crate) fn key(record: &Record) -> Vec<String> {
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
    let mut key: Vec<String> = COLUMNS.iter().copied().map(named).collect();
    if record.or_empty("hidden").is_empty() {
        key.push(named("model"));
    }
    if !is_date(record.or_empty("release_or_date")) {
        key.push(named("release_or_date"));
    }
    key
}

/// Whether a text is a day, as in 2022-02-21.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(digits)
}

#[cfg(test)]
mod tests {
    use runs::Table;

    use super::*;

    #[test]
    fn a_release_is_no_date() {
        assert!(is_date("2022-02-21"));
        assert!(!is_date("26.02.01"));
        assert!(!is_date("v1.2-rc-1"));
        assert!(!is_date(""));
    }

    /// Five rows of one cell with those predicted and measured times.
    fn with_cell(pairs: [(f64, f64); 5], claim: impl Fn(&Cell<'_>)) {
        let lines = (1..=5).map(|id| format!("{id},GPT,{id}\n"));
        let text: String = std::iter::once("row_id,model,tp\n".to_owned())
            .chain(lines)
            .collect();
        let table = Table::parse("x.csv", text.as_bytes()).unwrap();
        let rows = table.records.iter().zip(pairs);
        let cells =
            cells(rows.map(|(record, (predicted, measured))| (record, predicted, measured)));
        assert_eq!(cells.len(), 1);
        claim(&cells[0]);
    }

    #[test]
    fn regret_is_what_the_pick_takes_above_the_best() {
        let pairs = [(2.0, 1.1), (3.0, 1.0), (4.0, 1.5), (5.0, 2.0), (6.0, 3.0)];
        with_cell(pairs, |cell| {
            assert!((cell.regret() - 0.1).abs() < 1e-12);
            assert_eq!(cell.best().0.id(), "2");
        });
    }

    #[test]
    fn plans_that_are_predicted_alike_share_their_regret() {
        let pairs = [(2.0, 1.0), (2.0, 1.2), (4.0, 1.5), (5.0, 2.0), (6.0, 3.0)];
        with_cell(pairs, |cell| {
            assert_eq!(cell.picks().len(), 2);
            assert!((cell.regret() - 0.1).abs() < 1e-12);
        });
    }
}
