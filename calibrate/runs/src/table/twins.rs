//! Rows that repeat one another: the same run, published twice.

use std::collections::BTreeMap;

use super::Record;

/// Rows with equal cells in these columns are the same run.
const SAME: [&str; 10] = [
    "source_repo",
    "model",
    "gpu",
    "seq_len",
    "gbs",
    "precision",
    "tp",
    "pp",
    "cp",
    "dp",
];

/// The places of rows by what makes them the same run.
pub(super) type Twins = BTreeMap<Vec<Option<String>>, Vec<usize>>;

/// What makes rows the same run.
pub(super) fn key(record: &Record) -> Vec<Option<String>> {
    let cell = |column: &&str| record.text(column).map(str::to_owned);
    SAME.iter().map(cell).collect()
}

/// The places of all rows by what makes them the same run.
pub(super) fn twins(records: &[Record]) -> Twins {
    let mut twins = Twins::new();
    for (at, record) in records.iter().enumerate() {
        twins.entry(key(record)).or_default().push(at);
    }
    twins
}
