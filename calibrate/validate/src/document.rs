//! The answer as JSON: keys and their order are a contract.

use serde::{Serialize, Serializer};

use crate::group::{Confusion, Group};
use crate::row::Row;

/// Rows and groups, as `windtunnel validate --json` prints them.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// The version of this layout.
    pub schema: u32,
    /// Every quantity of every row, in the order of the tables.
    pub rows: Vec<RowEntry>,
    /// Errors by source, GPU and quantity.
    pub groups: Vec<GroupEntry>,
}

impl Document {
    /// The document of some rows and their groups.
    pub fn new(rows: &[Row], groups: &[Group]) -> Self {
        Self {
            schema: 1,
            rows: rows.iter().flat_map(RowEntry::of).collect(),
            groups: groups.iter().map(GroupEntry::of).collect(),
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

/// Errors of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupEntry {
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
    /// Rows that could not be.
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
    /// Failures for want of memory.
    pub oom: Confused,
}

/// Predicted and measured failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it; see `Confusion`")]
pub struct Confused {
    pub true_positive: u32,
    pub false_positive: u32,
    pub false_negative: u32,
    pub true_negative: u32,
}

impl GroupEntry {
    fn of(group: &Group) -> Self {
        let Confusion {
            true_positive,
            false_positive,
            false_negative,
            true_negative,
        } = group.oom;
        Self {
            source_repo: group.source_repo.clone(),
            source_path: group.source_path.clone(),
            gpu: group.gpu.clone(),
            quantity: group.quantity,
            count: group.count,
            skipped: group.skipped,
            mape: group.mape,
            median_ape: group.median_ape,
            p90_ape: group.p90_ape,
            bias: group.bias,
            spearman: group.spearman,
            oom: Confused {
                true_positive,
                false_positive,
                false_negative,
                true_negative,
            },
        }
    }
}
