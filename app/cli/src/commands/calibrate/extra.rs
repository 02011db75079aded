//! Tables beside those of the data's folder.

use std::path::{Path, PathBuf};

use runs::{RunsError, Table};

use crate::args::FitPart;
use crate::commands::Context;
use crate::exit::Exit;

/// Further tables, each for the part that reads it.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// Of measured runs.
    pub(super) runs: Vec<Table>,
    /// Of collectives, as nccl-tests prints them.
    pub(super) collectives: Vec<PathBuf>,
}

/// Sorts tables by their columns. Every one has to be read by one of the parts that are fitted.
pub(super) fn sort(paths: &[PathBuf], parts: &[FitPart], context: &Context) -> Result<Extra, Exit> {
    let mut extra = Extra::default();
    let mut refused = false;
    for path in paths {
        if let Err((text, hint)) = add(&mut extra, path, parts) {
            context.error(&text, hint.as_deref());
            refused = true;
        }
    }
    if refused {
        Err(Exit::BadInput)
    } else {
        Ok(extra)
    }
}

/// A message and what to do.
type Refusal = (String, Option<String>);

fn add(extra: &mut Extra, path: &Path, parts: &[FitPart]) -> Result<(), Refusal> {
    if fit::collectives::is_log(path) {
        refuse_unread(path, FitPart::Collectives, "collectives", parts)?;
        extra.collectives.push(path.to_owned());
        return Ok(());
    }
    let said = |error: &RunsError| (error.to_string(), error.hint());
    let table = Table::read(path).map_err(|error| said(&error))?;
    let missing: Vec<&str> = (fit::collectives::COLUMNS.into_iter())
        .filter(|column| !table.has(column))
        .collect();
    let of_runs = runs::training::check(&table);
    let (part, what) = match (missing.is_empty(), &of_runs) {
        (true, _) => (FitPart::Collectives, "collectives"),
        (false, Ok(())) => (FitPart::Runs, "runs"),
        (false, Err(error)) => return Err(neither(path, &missing, error)),
    };
    refuse_unread(path, part, what, parts)?;
    if part == FitPart::Runs {
        extra.runs.push(table);
    } else {
        extra.collectives.push(path.to_owned());
    }
    Ok(())
}

/// Refuses a table of a part that is not fitted.
fn refuse_unread(path: &Path, part: FitPart, what: &str, parts: &[FitPart]) -> Result<(), Refusal> {
    if parts.contains(&part) {
        return Ok(());
    }
    let text = format!(
        "{}: this is a table of {what}, which none of the parts reads that --only names",
        path.display()
    );
    Err((
        text,
        Some(format!("add --only {what}, or leave --extra out")),
    ))
}

/// A table that is of neither kind. What is closer to one is told what it lacks of that.
fn neither(path: &Path, missing: &[&str], of_runs: &RunsError) -> Refusal {
    if 2 * missing.len() < fit::collectives::COLUMNS.len() {
        let text = format!(
            "{}: a table of collectives has no column {}",
            path.display(),
            missing.join(", ")
        );
        let hint = "calibrate/data/collectives/SOURCE.md explains the columns";
        return (text, Some(hint.to_owned()));
    }
    let hint = "--extra takes tables with the columns of calibrate/data/runs/training_runs.csv, or of \
                calibrate/data/collectives/nccl-tests.csv, and what nccl-tests prints";
    (of_runs.to_string(), Some(hint.to_owned()))
}
