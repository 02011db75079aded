//! The arguments of `validate`.

use std::path::PathBuf;

use clap::Args;

use super::Engine;

pub(super) const VALIDATE_EXAMPLES: &str = "\
Examples:
  windtunnel validate calibrate/data/runs/training_runs.csv
  windtunnel validate my-runs.csv --worst 20
  windtunnel validate my-runs.csv --row 17 > row17.toml && windtunnel simulate row17.toml
  windtunnel validate my-runs.csv --max-mape 15% --json
  windtunnel validate calibrate/data/runs/*.csv --report out/

Columns are those of calibrate/data/runs/training_runs.csv; `gpu` and `gbs` are needed, and what
is empty is inferred by named rules, which --row and --worst print.";

/// Predict every row of tables of measured runs from its configuration alone, and compare.
#[derive(Args, Clone, Debug)]
pub(crate) struct ValidateArgs {
    /// Tables of measured runs (CSV, one row a run)
    #[arg(value_name = "RUNS.csv", required = true, value_hint = clap::ValueHint::FilePath)]
    pub(crate) tables: Vec<PathBuf>,

    /// A further table, such as one that cannot be published; can be given several times
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) extra: Vec<PathBuf>,

    /// Explain the N rows that are furthest off: where their time goes, what was inferred
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", conflicts_with = "row")]
    pub(crate) worst: Option<usize>,

    /// Print the scenario that a row became, ready for `simulate`, and stop; N is its `row_id`, or
    /// its line where the table has none
    #[arg(long, value_name = "N")]
    pub(crate) row: Option<String>,

    /// Fail (exit status 1) where the mean error of a group is larger, such as 15%
    #[arg(long, value_name = "PERCENT", value_parser = share, conflicts_with = "row")]
    pub(crate) max_mape: Option<f64>,

    /// Write the accuracy report into a folder: accuracy.md, and figures in accuracy/
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, conflicts_with = "row")]
    pub(crate) report: Option<PathBuf>,

    /// Where a fit left what it knows of groups that it left out; the report prints it. Default
    /// calibrate/data/fit, where it is there
    #[arg(
        long,
        value_name = "DIR",
        requires = "report",
        value_hint = clap::ValueHint::DirPath
    )]
    pub(crate) fit: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long, requires = "report")]
    pub(crate) force: bool,

    /// How faithfully to simulate: see `windtunnel help fidelity`
    #[arg(long, value_name = "ENGINE", default_value = "estimate")]
    pub(crate) engine: Engine,

    /// Seed of every random choice
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// A share: `15%`, or `0.15`.
fn share(text: &str) -> Result<f64, String> {
    let trimmed = text.trim();
    let (digits, unit) = match trimmed.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 100.0),
        None => (trimmed, 1.0),
    };
    let value = digits
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite() && 0.0 <= *value);
    match value {
        Some(value) if unit > 1.0 || value <= 1.0 => Ok(value / unit),
        Some(value) => Err(format!(
            "write {value}% for {value} percent, or {} as a share",
            value / 100.0
        )),
        None => Err("expected a share such as 15% or 0.15".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_in_percent_or_as_fractions() {
        assert!((share("15%").unwrap() - 0.15).abs() < 1e-12);
        assert!((share("15 %").unwrap() - 0.15).abs() < 1e-12);
        assert!((share("0.15").unwrap() - 0.15).abs() < 1e-12);
        assert_eq!(
            share("15").unwrap_err(),
            "write 15% for 15 percent, or 0.15 as a share"
        );
        assert!(share("-1%").is_err() && share("many").is_err());
    }
}
