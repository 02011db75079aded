//! Cells of a row: texts, numbers, counts, and words of closed lists.

use std::sync::Arc;

use super::Record;
use crate::RunsError;
use crate::spelled::squashed;

/// The most GPUs of a cluster, and ranks of one degree.
pub(crate) const MOST_GPUS: u64 = 1 << 20;
/// The most layers of a model.
pub(crate) const MOST_LAYERS: u64 = 100_000;
/// The largest width of anything.
const MOST_WIDE: u64 = 1 << 24;
/// The largest count of anything.
const MOST: u64 = u32::MAX as u64;

/// The largest value of a column that counts, and what messages expect of it.
fn limit(column: &str) -> (u64, &'static str) {
    match column {
        "tp"
        | "pp"
        | "vp"
        | "cp"
        | "dp"
        | "ep"
        | "etp"
        | "num_gpus"
        | "gpus_per_node"
        | "mbs"
        | "grad_accum"
        | "nodes"
        | "gpus"
        | "micro-batch-size"
        | "tensor-model-parallel-size"
        | "pipeline-model-parallel-size"
        | "context-parallel-size"
        | "expert-model-parallel-size"
        | "expert-tensor-parallel-size"
        | "num-layers-per-virtual-pipeline-stage"
        | "num-virtual-stages-per-pipeline-rank" => {
            (MOST_GPUS, "a whole number from 1 to 1,048,576")
        }
        "layers" | "num-layers" | "decoder-num-layers" => {
            (MOST_LAYERS, "a whole number from 1 to 100,000")
        }
        "hidden" | "heads" | "kv_heads" | "vocab_size" => {
            (MOST_WIDE, "a whole number from 1 to 16,777,216")
        }
        _ => (MOST, "a whole number from 1 to 4,294,967,295"),
    }
}

impl Record {
    /// What the row is called: its `row_id`, or its line.
    pub fn id(&self) -> String {
        self.text("row_id")
            .map_or_else(|| self.line.to_string(), str::to_owned)
    }

    /// The path of the table that the row is from.
    pub const fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// A cell, unless empty.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// A cell, or nothing as text.
    pub fn or_empty(&self, column: &str) -> &str {
        self.text(column).unwrap_or_default()
    }

    /// A number of 0 or more, unless the cell is empty.
    ///
    /// # Errors
    ///
    /// [`RunsError::BadCell`] where it is no such number.
    pub fn number(&self, column: &str) -> Result<Option<f64>, RunsError> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() && 0.0 <= value => Ok(Some(value)),
            _ => Err(self.bad(column, "a number of 0 or more")),
        }
    }

    /// A whole number of 1 or more, within what its column can mean, unless the cell is empty.
    /// `8.0` is one, too.
    ///
    /// # Errors
    ///
    /// [`RunsError::BadCell`] where it is no such number.
    pub fn count(&self, column: &str) -> Result<Option<u64>, RunsError> {
        let (most, expected) = limit(column);
        let found = self.number(column);
        let Some(value) = found.map_err(|_| self.bad(column, expected))? else {
            return Ok(None);
        };
        let whole = value.round();
        if (value - whole).abs() < 1e-9 && (1.0..=most as f64).contains(&whole) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole, positive and small"
            )]
            let whole = whole as u64;
            return Ok(Some(whole));
        }
        Err(self.bad(column, expected))
    }

    /// A count as far as it can be read: what other rows may learn from this one, whose errors are
    /// its own.
    pub fn readable(&self, column: &str) -> Option<u64> {
        self.count(column).ok().flatten()
    }

    /// What the word of a cell stands for, unless the cell is empty. Case, spaces, hyphens,
    /// underscores and what stands in parentheses do not count.
    ///
    /// * `meanings` — words as [`squashed`] writes them, and what they mean.
    /// * `expected` — the words that a message names.
    ///
    /// # Errors
    ///
    /// [`RunsError::BadCell`] where the list has no such word.
    pub(crate) fn word<T: Copy>(
        &self,
        column: &str,
        meanings: &[(&[&str], T)],
        expected: &'static str,
    ) -> Result<Option<T>, RunsError> {
        let Some(text) = self.text(column) else {
            return Ok(None);
        };
        let wanted = squashed(text);
        let found = meanings
            .iter()
            .find(|(words, _)| words.contains(&wanted.as_str()));
        match found {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => Err(self.bad(column, expected)),
        }
    }

    /// Yes or no, unless the cell is empty.
    ///
    /// # Errors
    ///
    /// [`RunsError::BadCell`] where it is neither.
    pub fn flag(&self, column: &str) -> Result<Option<bool>, RunsError> {
        const FLAGS: &[(&[&str], bool)] = &[
            (&["yes", "y", "true", "t", "1", "on", "enabled"], true),
            (
                &["no", "n", "false", "f", "0", "off", "none", "disabled"],
                false,
            ),
        ];
        self.word(column, FLAGS, "yes or no")
    }

    /// The error of a cell.
    pub fn bad(&self, column: &str, expected: &'static str) -> RunsError {
        RunsError::BadCell {
            path: self.path.to_string(),
            line: self.line,
            column: column.to_owned(),
            found: self.or_empty(column).to_owned(),
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Table;

    #[test]
    fn words_are_known_however_they_are_written() {
        let table = Table::parse("x", b"sp\nYes\n TRUE \n0\nmaybe\n").unwrap();
        let flags: Vec<_> = table
            .records
            .iter()
            .map(|row| row.flag("sp").ok())
            .collect();
        assert_eq!(
            flags,
            [Some(Some(true)), Some(Some(true)), Some(Some(false)), None]
        );
        let error = table.records[3].flag("sp").unwrap_err();
        assert_eq!(error.to_string(), "x:5: `sp` is \"maybe\", not yes or no");
    }

    #[test]
    fn counts_have_limits_that_no_cluster_exceeds() {
        let table = Table::parse("x", b"pp,layers\n999999999,1e15\n8,80\n").unwrap();
        let error = table.records[0].count("pp").unwrap_err();
        assert_eq!(
            error.to_string(),
            "x:2: `pp` is \"999999999\", not a whole number from 1 to 1,048,576"
        );
        assert!(table.records[0].count("layers").is_err());
        assert_eq!(table.records[0].readable("layers"), None);
        assert_eq!(table.records[1].readable("layers"), Some(80));
    }
}
