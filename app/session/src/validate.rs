//! Tables of measured runs: every row predicted from its configuration alone.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use rayon::prelude::*;
use runs::{Record, RunsError, Table};
use units::Control;
use validate::{
    Compared, Fit, Group, Kind, Row, Settings, Worst, accuracy, explains, furthest_off,
    group_of_all, groups, run_as, scenario_of, unpredicted,
};

use crate::save::{Existing, SaveError, check, save};

/// Tables that were read, each with the kind that its columns say.
#[derive(Clone, Debug)]
pub struct Tables(Vec<(Kind, Table)>);

/// What predictions are worth on the rows of some tables.
#[derive(Debug)]
pub struct Validation {
    /// Every row, in the order of the tables.
    pub rows: Vec<Row>,
    /// Errors by source, GPU and quantity.
    pub groups: Vec<Group>,
    /// Errors by quantity over all rows.
    pub overall: Vec<Group>,
    /// Cells that cannot be read; their rows are skipped.
    pub errors: Vec<RunsError>,
    /// Whether somebody stopped the work before the last row.
    pub partial: bool,
}

/// Reads tables.
///
/// # Errors
///
/// Everything that keeps one from being read.
pub fn read_tables(paths: &[PathBuf]) -> Result<Tables, Vec<RunsError>> {
    let read = |path: &PathBuf| Table::read(path).and_then(|table| Ok((Kind::of(&table)?, table)));
    gathered(paths.iter().map(read))
}

/// Reads tables whose bytes are here already.
///
/// * `tables` — what errors call each, and its bytes.
///
/// # Errors
///
/// Everything that keeps one from being read.
pub fn parse_tables(tables: &[(&str, &[u8])]) -> Result<Tables, Vec<RunsError>> {
    let parsed = tables.iter().map(|(name, bytes)| {
        Table::parse(name, bytes).and_then(|table| Ok((Kind::of(&table)?, table)))
    });
    gathered(parsed)
}

/// Tables, or everything that keeps one from being read.
fn gathered(
    tables: impl Iterator<Item = Result<(Kind, Table), RunsError>>,
) -> Result<Tables, Vec<RunsError>> {
    let (mut read, mut errors) = (Vec::new(), Vec::new());
    for table in tables {
        match table {
            Ok(table) => read.push(table),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(Tables(read))
    } else {
        Err(errors)
    }
}

/// Predicts every row.
///
/// * `threads` — how many; none for as many as there are cores. Changes no result.
pub fn validate(
    tables: &Tables,
    settings: &Settings,
    threads: Option<NonZeroUsize>,
    control: &Control,
) -> Validation {
    let records = tables.records();
    control.set_items(records.len() as u64);
    let predict = |(kind, table, record): &(Kind, &Table, &Record)| {
        if control.is_cancelled() {
            return None;
        }
        let found = run_as(*kind, record, table, settings, control);
        control.finish_item();
        // The scenario is dropped here: of thousands of rows only figures are kept.
        match found {
            Ok(run) => run.map(|run| (run.row, None)),
            Err(error) => {
                let row = unpredicted(*kind, record, error.to_string()).row;
                Some((row, Some(error)))
            }
        }
    };
    let found: Vec<Option<(Row, Option<RunsError>)>> = in_threads(threads, || {
        if threads == NonZeroUsize::new(1) {
            records.iter().map(predict).collect()
        } else {
            records.par_iter().map(predict).collect()
        }
    });
    let partial = found.iter().any(Option::is_none);
    let (rows, errors): (Vec<Row>, Vec<_>) = found.into_iter().flatten().unzip();
    Validation {
        groups: groups(&rows),
        overall: group_of_all(&rows),
        errors: errors.into_iter().flatten().collect(),
        rows,
        partial,
    }
}

/// Runs work in a pool of that many threads; where there can be none, in this one's.
fn in_threads<T: Send>(threads: Option<NonZeroUsize>, work: impl FnOnce() -> T + Send) -> T {
    if threads == NonZeroUsize::new(1) {
        return work();
    }
    let n_threads = threads.map_or(0, NonZeroUsize::get);
    match rayon::ThreadPoolBuilder::new()
        .num_threads(n_threads)
        .build()
    {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

impl Tables {
    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.0.iter().map(|(_, table)| table.records.len()).sum()
    }

    fn records(&self) -> Vec<(Kind, &Table, &Record)> {
        let all = self.0.iter().flat_map(|(kind, table)| {
            let records = table.records.iter();
            records.map(move |record| (*kind, table, record))
        });
        all.collect()
    }

    /// The rows of that name.
    fn named(&self, id: &str) -> Vec<(Kind, &Table, &Record)> {
        let mut all = self.records();
        all.retain(|(_, _, record)| record.id() == id);
        all
    }
}

/// The scenario that a row became, as text, with what it measured and what is predicted.
#[derive(Clone, Debug)]
pub struct RowText {
    /// The scenario, ready for `simulate`.
    pub scenario: String,
    /// The row.
    pub row: Row,
}

/// Where several rows of one name stand.
#[derive(Clone, Debug)]
pub struct Places {
    /// Path and line of each.
    pub rows: Vec<String>,
    /// Whether they stand in one table, so that leaving tables out tells them not apart.
    pub in_one_table: bool,
}

/// What a name leads to.
#[derive(Clone, Debug)]
pub enum Found {
    /// A row.
    One(Box<RowText>),
    /// Several rows.
    Several(Places),
    /// Nothing, since somebody stopped the work.
    Interrupted,
}

/// The scenario that the row of that name became.
///
/// # Errors
///
/// [`RunsError`] where there is no such row, or one of its cells cannot be read.
pub fn row_text(
    tables: &Tables,
    id: &str,
    settings: &Settings,
    control: &Control,
) -> Result<Found, RunsError> {
    let named = tables.named(id);
    let (kind, table, record) = match &named[..] {
        [] => {
            let paths: Vec<&str> = tables.0.iter().map(|(_, table)| &*table.path).collect();
            return Err(RunsError::NoRow {
                path: paths.join(", "),
                row: id.to_owned(),
            });
        }
        [one] => *one,
        several => {
            let place = |(_, table, record): &(Kind, &Table, &Record)| {
                format!("{}:{}", table.path, record.line)
            };
            let mut paths: Vec<&str> = several.iter().map(|(_, table, _)| &*table.path).collect();
            paths.dedup();
            return Ok(Found::Several(Places {
                rows: several.iter().map(place).collect(),
                in_one_table: paths.len() < several.len(),
            }));
        }
    };
    text_of((kind, table, record), settings, control)
}

/// The scenario that a row of a validation became: rows of one name are told apart by their places.
///
/// # Errors
///
/// As [`row_text`].
pub fn text_of_row(
    tables: &Tables,
    row: &Row,
    settings: &Settings,
    control: &Control,
) -> Result<Found, RunsError> {
    let records = tables.records();
    let mut is_it = records.iter().filter(|(_, table, record)| {
        record.line == row.record.line && table.path == *row.record.path()
    });
    match is_it.next() {
        Some(found) => text_of(*found, settings, control),
        None => Err(RunsError::NoRow {
            path: row.record.path().to_string(),
            row: row.id.clone(),
        }),
    }
}

fn text_of(
    (kind, table, record): (Kind, &Table, &Record),
    settings: &Settings,
    control: &Control,
) -> Result<Found, RunsError> {
    let Some(run) = run_as(kind, record, table, settings, control)? else {
        return Ok(Found::Interrupted);
    };
    let draft = match run.chosen {
        Some(chosen) => chosen.draft,
        None => scenario_of(kind, record, table, settings)?,
    };
    Ok(Found::One(Box::new(RowText {
        scenario: draft.text(&title(&run.row, record, table)),
        row: run.row,
    })))
}

/// Where a row is from. What it measured stays out: the scenario is the configuration alone.
fn title(row: &Row, record: &Record, table: &Table) -> String {
    let label = &row.label;
    let commit = record.text("source_commit");
    let commit = commit.map_or_else(String::new, |commit| format!(" @{commit}"));
    let section = record.text("section").or(record.text("test_case"));
    let section = section.map_or_else(String::new, |section| format!(", {section:?}"));
    let source = match (label.source_repo.as_str(), label.source_path.as_str()) {
        ("", "") => String::new(),
        (repo, path) => format!("\nSource: {repo} {path}{commit}{section}"),
    };
    format!(
        "Row {} of {}.{source}\nWhat the row does not say is inferred; the rule stands behind the value.",
        row.id, table.path
    )
}

/// The rows that are furthest off, the worst first; each is predicted again for its breakdown.
pub fn worst(
    tables: &Tables,
    validation: &Validation,
    n_rows: usize,
    settings: &Settings,
    control: &Control,
) -> Vec<Worst> {
    worst_of(tables, validation, n_rows, |_, _| true, settings, control)
}

fn worst_of(
    tables: &Tables,
    validation: &Validation,
    n_rows: usize,
    counts: impl Fn(&Row, &Compared) -> bool,
    settings: &Settings,
    control: &Control,
) -> Vec<Worst> {
    let records = tables.records();
    let again = |(at, compared): (usize, &Compared)| {
        let row = &validation.rows[at];
        let is_it = |(_, table, record): &&(Kind, &Table, &Record)| {
            record.line == row.record.line && table.path == *row.record.path()
        };
        let (kind, table, record) = records.iter().find(is_it)?;
        let run = run_as(*kind, record, table, settings, control).ok()??;
        let prediction = run.chosen?.outcome.prediction;
        Some(Worst {
            row: run.row,
            compared: compared.clone(),
            breakdown: prediction.breakdown,
            peak_allocated_bytes: prediction.peak_allocated_bytes,
            defaults: prediction.assumptions,
        })
    };
    let furthest = furthest_off(&validation.rows, counts)
        .into_iter()
        .take(n_rows);
    furthest.filter_map(again).collect()
}

/// So many of the worst rows are explained in a report.
const EXPLAINED: usize = 20;

/// Where a report goes, and from what it is made besides the rows.
#[derive(Clone, Debug)]
pub struct ReportRequest {
    /// The folder; made where it is missing.
    pub folder: PathBuf,
    /// Where the fit left its files; each may be missing.
    pub fit: PathBuf,
    /// What makes the report again, for its readers.
    pub command: String,
    /// What to do with files that are there already.
    pub existing: Existing,
}

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ReportError {
    #[error(transparent)]
    Fit(#[from] RunsError),
    #[error(transparent)]
    Save(#[from] SaveError),
}

/// The names of the files of a report that would be replaced; fails early where that is refused.
///
/// # Errors
///
/// [`SaveError::Exists`].
pub fn check_report(request: &ReportRequest) -> Result<(), SaveError> {
    check(&request.folder.join("accuracy.md"), request.existing)
}

/// Writes the accuracy report: every file whole or not at all; gives the paths.
///
/// # Errors
///
/// [`ReportError`].
pub fn save_report(
    request: &ReportRequest,
    tables: &Tables,
    validation: &Validation,
    settings: &Settings,
    control: &Control,
) -> Result<Vec<PathBuf>, ReportError> {
    let fit = Fit::read(&request.fit)?;
    let worst = worst_of(tables, validation, EXPLAINED, explains, settings, control);
    let pages = accuracy(&validation.rows, &worst, &fit, &request.command);
    let paths: Vec<PathBuf> = pages
        .iter()
        .map(|page| request.folder.join(&page.name))
        .collect();
    for path in &paths {
        check(path, request.existing)?;
    }
    for folder in paths.iter().filter_map(|path| path.parent()) {
        let unwritable = |source| SaveError::Unwritable {
            path: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    for (page, path) in pages.iter().zip(&paths) {
        save(path, request.existing, |out| {
            out.write_all(page.text.as_bytes())
        })?;
    }
    Ok(paths)
}
