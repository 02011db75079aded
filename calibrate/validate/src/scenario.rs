//! From a draft to a scenario that can be predicted.

use std::path::Path;

use format::tree::parse;
use format::{Failure, Library, NoFiles, Source, read_scenario, resolve};
use predict::{Outcome, Record, Scenario, predict};
use runs::{Draft, RunsError, Table};
use units::Control;

use crate::kind::Kind;

/// How rows are predicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The engine, by the name that scenarios give it.
    pub engine: String,
    /// The seed of random choices, where it is not that of scenarios.
    pub seed: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            engine: "estimate".to_owned(),
            seed: None,
        }
    }
}

impl Settings {
    /// Writes them into a draft.
    pub(crate) fn put(&self, draft: &mut Draft) {
        draft.set("settings", "engine", self.engine.as_str());
        if let Some(seed) = self.seed {
            draft.set("settings", "seed", i64::try_from(seed).unwrap_or(i64::MAX));
        }
    }
}

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

/// Why no draft became a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotChosen {
    /// Somebody stopped the work.
    Interrupted,
    /// Why the first that was refused was refused, in words.
    Refused(String),
}

/// The first of some drafts that fits into memory, else the last; with its prediction.
///
/// # Errors
///
/// [`NotChosen`].
pub fn choose(name: &str, drafts: &[Draft], control: &Control) -> Result<Chosen, NotChosen> {
    let mut last = None;
    for draft in drafts {
        let scenario = read(name, draft).map_err(NotChosen::Refused)?;
        let outcome = predict(&scenario, Record::Totals, control).map_err(|error| {
            if error.is_interrupted() {
                NotChosen::Interrupted
            } else {
                NotChosen::Refused(error.to_string())
            }
        })?;
        let fits = outcome.prediction.fits;
        last = Some(Chosen {
            draft: draft.clone(),
            scenario,
            outcome,
        });
        if fits {
            break;
        }
    }
    last.ok_or_else(|| NotChosen::Refused("no scenario was drafted".to_owned()))
}

/// The most likely scenario of a row, whether or not it can be predicted.
///
/// # Errors
///
/// [`RunsError`] where a cell cannot be read.
pub fn scenario_of(
    kind: Kind,
    record: &runs::Record,
    table: &Table,
    settings: &Settings,
) -> Result<Draft, RunsError> {
    let mut draft = kind.drafts(record, table)?.into_iter().next();
    if let Some(draft) = &mut draft {
        settings.put(draft);
    }
    Ok(draft.unwrap_or_default())
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
