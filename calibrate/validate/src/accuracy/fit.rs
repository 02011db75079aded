//! What the fit left behind: predictions of groups that it left out, its parameters, its ablation.

use std::path::Path;

use runs::{Record, RunsError, Table};
use units::math::ln;

/// The files of a fit; each may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fit {
    /// Predictions of rows by parameters that were fitted without their group.
    pub left_out: Option<Vec<LeftOut>>,
    /// The parameters.
    pub parameters: Option<Vec<Parameter>>,
    /// What each part of the model buys.
    pub ablation: Option<Vec<Ablation>>,
}

/// One row as predicted without its group.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOut {
    /// The row.
    pub row_id: String,
    /// Its repository, where the file says it.
    pub source_repo: Option<String>,
    /// Its file of the repository, where the file says it.
    pub source_path: Option<String>,
    /// What a group was: `model`, `hidden x layers`.
    pub scheme: String,
    /// The group.
    pub group: String,
    /// The quantity, as `--json` names it.
    pub quantity: String,
    /// The measured value.
    pub measured: f64,
    /// The predicted value.
    pub predicted: f64,
    /// Its 10th percentile.
    pub p10: Option<f64>,
    /// Its 90th percentile.
    pub p90: Option<f64>,
}

/// One fitted parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The cells of `profile, parameter, prior, prior_log_sd, value, low, high, rows`.
    pub cells: [String; 8],
    /// How far the value is from its prior, in standard deviations of the prior's logarithm.
    pub from_prior: Option<f64>,
}

impl Parameter {
    /// What it is called: where it holds, and which scalar it is.
    pub fn name(&self) -> String {
        format!("{} {}", self.cells[0], self.cells[1])
    }
}

/// One part of the model, switched off.
#[derive(Clone, Debug, PartialEq)]
pub struct Ablation {
    /// On which rows.
    pub source: String,
    /// What was switched off.
    pub part: String,
    /// What sort of part it is, such as a scalar or a piece of the model; where the file says it.
    pub kind: Option<String>,
    /// Mean error of the whole model.
    pub full: Option<f64>,
    /// Mean error without the part.
    pub off: Option<f64>,
    /// The same with the other parameters fitted again.
    pub refit: Option<f64>,
}

impl Fit {
    /// Reads what of a folder is there.
    ///
    /// # Errors
    ///
    /// [`RunsError`] where a file is there and cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RunsError> {
        Ok(Self {
            left_out: both(
                lines(folder, "left_out.csv", left_out)?,
                lines(folder, "left_out_memory.csv", left_out)?,
            ),
            parameters: lines(folder, "parameters.csv", parameter)?,
            ablation: lines(folder, "ablation.csv", ablation)?,
        })
    }
}

/// The lines of two files of which any may be missing.
fn both<T>(first: Option<Vec<T>>, second: Option<Vec<T>>) -> Option<Vec<T>> {
    match (first, second) {
        (Some(mut all), Some(more)) => {
            all.extend(more);
            Some(all)
        }
        (first, second) => first.or(second),
    }
}

fn lines<T>(
    folder: &Path,
    name: &str,
    line: impl Fn(&Record) -> Result<T, RunsError>,
) -> Result<Option<Vec<T>>, RunsError> {
    let path = folder.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let table = Table::read(&path)?;
    table
        .records
        .iter()
        .map(line)
        .collect::<Result<_, _>>()
        .map(Some)
}

fn needed(record: &Record, column: &'static str) -> Result<f64, RunsError> {
    let value = record.number(column)?.filter(|value| 0.0 < *value);
    value.ok_or_else(|| record.bad(column, "a positive number"))
}

fn left_out(record: &Record) -> Result<LeftOut, RunsError> {
    Ok(LeftOut {
        row_id: record.or_empty("row_id").to_owned(),
        source_repo: record.text("source_repo").map(str::to_owned),
        source_path: record.text("source_path").map(str::to_owned),
        scheme: record.or_empty("scheme").to_owned(),
        group: record.or_empty("group").to_owned(),
        quantity: record.or_empty("quantity").to_owned(),
        measured: needed(record, "measured")?,
        predicted: needed(record, "predicted")?,
        p10: record.number("p10")?,
        p90: record.number("p90")?,
    })
}

fn parameter(record: &Record) -> Result<Parameter, RunsError> {
    const COLUMNS: [&str; 8] = [
        "profile",
        "parameter",
        "prior",
        "prior_log_sd",
        "value",
        "low",
        "high",
        "rows",
    ];
    let number = |column| Ok::<_, RunsError>(record.number(column)?.filter(|value| 0.0 < *value));
    let known = (number("value")?, number("prior")?, number("prior_log_sd")?);
    let from_prior = match known {
        (Some(value), Some(prior), Some(log_sd)) => Some(ln(value / prior) / log_sd),
        _ => None,
    };
    Ok(Parameter {
        cells: COLUMNS.map(|column| record.or_empty(column).to_owned()),
        from_prior,
    })
}

/// Errors stand in `full`, `off` and `refit`, or in the same with `_mape` behind.
fn ablation(record: &Record) -> Result<Ablation, RunsError> {
    let share = |short: &str, long: &str| match record.number(short)? {
        None => record.number(long),
        known => Ok::<_, RunsError>(known),
    };
    Ok(Ablation {
        source: record.or_empty("source").to_owned(),
        part: record.or_empty("part").to_owned(),
        kind: record.text("kind").map(str::to_owned),
        full: share("full", "full_mape")?,
        off: share("off", "off_mape")?,
        refit: share("refit", "refit_mape")?,
    })
}
