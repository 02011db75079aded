//! The answer as JSON: keys and their order are a contract.

use serde::{Serialize, Serializer};

use crate::group::Group;
use crate::row::Row;

/// Rows and groups, as `windtunnel validate --json` prints them.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// The version of this layout.
    pub schema: u32,
    /// Every quantity of every row, in the order of the tables.
    pub rows: Vec<RowEntry>,
    /// Errors by source, GPU and quantity.
    pub groups: Vec<Group>,
}

impl Document {
    /// The document of some rows and their groups.
    pub fn new(rows: &[Row], groups: &[Group]) -> Self {
        Self {
            schema: 1,
            rows: rows.iter().flat_map(RowEntry::of).collect(),
            groups: groups.to_vec(),
        }
    }
}

/// One quantity of one row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowEntry {
    /// The `row_id`, or the line where there is none: a number where it is one.
    #[serde(serialize_with = "number_or_text")]
    pub row: String,
    /// The repository.
    pub source_repo: String,
    /// The file of the repository.
    pub source_path: String,
    /// The GPU.
    pub gpu: String,
    /// What was measured.
    pub quantity: &'static str,
    /// Seconds, bytes, or 1 for "ran out of memory"; none where nothing was measured.
    pub measured: Option<f64>,
    /// The same, predicted; none where the row was skipped.
    pub predicted: Option<f64>,
    /// The 10th percentile of the prediction.
    pub p10: Option<f64>,
    /// Its 90th percentile.
    pub p90: Option<f64>,
    /// Predicted over measured, minus 1.
    pub error: Option<f64>,
    /// Why it was skipped.
    pub skipped: Option<String>,
}

impl RowEntry {
    /// The entries of a row: one for each quantity.
    pub fn of(row: &Row) -> Vec<Self> {
        let entry = |quantity| Self {
            row: row.id.clone(),
            source_repo: row.label.source_repo.clone(),
            source_path: row.label.source_path.clone(),
            gpu: row.label.gpu.clone(),
            quantity,
            measured: None,
            predicted: None,
            p10: None,
            p90: None,
            error: None,
            skipped: None,
        };
        let compared = row.compared.iter().map(|one| Self {
            measured: Some(one.measured),
            predicted: one.predicted,
            p10: one.p10,
            p90: one.p90,
            error: one.error(),
            skipped: row.skipped.clone(),
            ..entry(one.quantity.name())
        });
        let uncompared = row.uncompared.iter().map(|(quantity, reason)| Self {
            skipped: Some(reason.clone()),
            ..entry(quantity.name())
        });
        uncompared.chain(compared).collect()
    }
}

fn number_or_text<S: Serializer>(id: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match id.parse::<u64>() {
        // `007` and `+7` are names, not numbers.
        Ok(number) if number.to_string() == id => serializer.serialize_u64(number),
        _ => serializer.serialize_str(id),
    }
}
