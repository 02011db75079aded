//! From a draft to a scenario that can be predicted.

use std::path::Path;

use format::tree::parse;
use format::{Failure, Library, NoFiles, Source, read_scenario, resolve};
use predict::{Outcome, Record, Scenario, predict};
use runs::{Draft, Record as Row, RunsError, Table};
use units::Control;

/// A draft that was chosen, and its prediction.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The draft.
    pub draft: Draft,
    /// What it became.
    pub scenario: Scenario,
    /// The answer.
    pub outcome: Outcome,
}

/// The first of some drafts that fits into memory, else the last; with its prediction.
///
/// # Errors
///
/// Why the first that was refused was refused, in words.
pub fn choose(name: &str, drafts: &[Draft], control: &Control) -> Result<Chosen, String> {
    choose_from(name, drafts, 0, control).map(|(chosen, _)| chosen)
}

/// As [`choose`], from a place of the list on; gives the place of what was chosen, too.
///
/// # Errors
///
/// As [`choose`].
pub fn choose_from(
    name: &str,
    drafts: &[Draft],
    from: usize,
    control: &Control,
) -> Result<(Chosen, usize), String> {
    let mut last = None;
    for (place, draft) in drafts.iter().enumerate().skip(from) {
        let scenario = read(name, draft)?;
        let outcome =
            predict(&scenario, Record::Totals, control).map_err(|error| error.to_string())?;
        let fits = outcome.prediction.fits;
        last = Some((
            Chosen {
                draft: draft.clone(),
                scenario,
                outcome,
            },
            place,
        ));
        if fits {
            break;
        }
    }
    last.ok_or_else(|| "no scenario was drafted".to_owned())
}

/// The scenario that a row of a table of training runs stands for. Where a row leaves out what
/// decides over memory, runs of one configuration on several numbers of GPUs share what the one with
/// the fewest needs to fit.
///
/// # Errors
///
/// Where a cell cannot be read, or why the row's scenario was refused, in words.
pub fn choose_row(
    record: &Row,
    table: &Table,
    adjust: &dyn Fn(&mut Draft),
    control: &Control,
) -> Result<Result<Chosen, String>, RunsError> {
    let drafts_of = |record: &Row| {
        let mut drafts = runs::training::drafts(record, table)?;
        drafts.iter_mut().for_each(adjust);
        Ok::<_, RunsError>(drafts)
    };
    let drafts = drafts_of(record)?;
    let name = format!("row {}", record.id());
    let mut from = 0;
    if 1 < drafts.len()
        && let Some(smallest) = smallest_sibling(record, table)?
    {
        let theirs = drafts_of(smallest)?;
        if theirs.len() == drafts.len()
            && let Ok((_, place)) = choose_from(&name, &theirs, 0, control)
        {
            from = place;
        }
    }
    Ok(choose_from(&name, &drafts, from, control).map(|(chosen, _)| chosen))
}

/// The row of a table that has the configuration of another one on the fewest GPUs, where that is
/// another row.
fn smallest_sibling<'a>(record: &Row, table: &'a Table) -> Result<Option<&'a Row>, RunsError> {
    const SAME: [&str; 12] = [
        "source_repo",
        "source_path",
        "section",
        "model",
        "gpu",
        "precision",
        "seq_len",
        "mbs",
        "tp",
        "pp",
        "vp",
        "cp",
    ];
    let own = record.count("num_gpus")?.unwrap_or(0);
    let mut best: Option<(u64, &Row)> = None;
    for other in &table.records {
        let alike = SAME
            .iter()
            .all(|name| other.text(name) == record.text(name));
        if !alike || other.text("recompute").is_some() {
            continue;
        }
        let gpus = other.count("num_gpus")?.unwrap_or(u64::MAX);
        if best.is_none_or(|(fewest, _)| gpus < fewest) {
            best = Some((gpus, other));
        }
    }
    Ok(best.filter(|(gpus, _)| *gpus < own).map(|(_, other)| other))
}

fn read(name: &str, draft: &Draft) -> Result<Scenario, String> {
    let source = Source::new(name.to_owned(), draft.text(""));
    let in_words = |failures: Vec<Failure>| {
        let all: Vec<String> = failures
            .iter()
            .map(|f| format!("{}: {f}", f.field))
            .collect();
        all.join("; ")
    };
    let document = parse(&source).map_err(in_words)?;
    let library = Library {
        files: &NoFiles,
        base: Path::new(""),
    };
    let spec = read_scenario(&document).map_err(in_words)?;
    let resolved = resolve(name, &spec, &document, &library).map_err(in_words)?;
    Ok(resolved.scenario)
}
