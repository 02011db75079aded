//! From a draft to a scenario that can be predicted.

use std::path::Path;

use format::fitted::Unseen;
use format::tree::parse;
use format::{Failure, Library, NoFiles, Source, read_scenario, resolve};
use predict::{Outcome, Record, Scenario, predict};
use runs::{Draft, Likeness, Rule, RunsError, Table};
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
        let unseen = unseen(draft);
        if !unseen.is_empty() {
            draft.assume("settings", "unseen", unseen, STANDS_IN);
        }
    }
}

const STANDS_IN: Rule = Rule::new(
    "wider-interval",
    "what stands in for another model, framework or GPU is less certain: as much as what no fit has seen",
);

/// The rules by which one thing stands in for another, of which no run was fitted.
const SUBSTITUTES: [(&str, Unseen); 5] = [
    ("nearest-model", Unseen::Model),
    ("shape-by-size", Unseen::Model),
    ("nearest-framework", Unseen::Framework),
    ("neutral-framework", Unseen::Framework),
    ("nearest-gpu", Unseen::Gpu),
];

/// What of a draft stands in for something else, as `settings.unseen` names it.
fn unseen(draft: &Draft) -> Vec<&'static str> {
    let assumed = draft.assumptions();
    let holds = |thing: &Unseen| {
        let rules = SUBSTITUTES.iter().filter(|(_, of)| of == thing);
        let mut names = rules.map(|(name, _)| name);
        names.any(|name| assumed.iter().any(|one| one.rule.name == *name))
    };
    let things = Unseen::ALL.into_iter().filter(holds);
    things.map(Unseen::name).collect()
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
    choose_from(name, drafts, 0, control).map(|(chosen, _)| chosen)
}

/// As [`choose`], from a place of the list on; gives the place of what was chosen, too.
fn choose_from(
    name: &str,
    drafts: &[Draft],
    from: usize,
    control: &Control,
) -> Result<(Chosen, usize), NotChosen> {
    let mut last = None;
    for (place, draft) in drafts.iter().enumerate().skip(from) {
        let scenario = read(name, draft).map_err(NotChosen::Refused)?;
        let outcome = predict(&scenario, Record::Totals, control).map_err(|error| {
            if error.is_interrupted() {
                NotChosen::Interrupted
            } else {
                NotChosen::Refused(error.to_string())
            }
        })?;
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

/// The scenario that a row stands for, and its prediction. Where a row leaves out what decides over
/// memory, runs of one configuration on several numbers of GPUs share what the one with the fewest
/// needs to fit.
///
/// * `adjust` — what is changed in every draft.
///
/// # Errors
///
/// [`RunsError`] where a cell cannot be read; [`NotChosen`] inside.
pub fn choose_row(
    kind: Kind,
    record: &runs::Record,
    table: &Table,
    adjust: &dyn Fn(&mut Draft),
    control: &Control,
) -> Result<Result<Chosen, NotChosen>, RunsError> {
    let drafts_of = |record: &runs::Record| {
        let mut drafts = kind.drafts(record, table)?;
        drafts.iter_mut().for_each(adjust);
        Ok::<_, RunsError>(drafts)
    };
    let drafts = drafts_of(record)?;
    let name = format!("row {}", record.id());
    let mut from = 0;
    if 1 < drafts.len()
        && let Some(smallest) = smallest_sibling(record, table)
        // What cannot be read there is that row's error, not this one's.
        && let Ok(theirs) = drafts_of(smallest)
        && theirs.len() == drafts.len()
        && let Ok((_, place)) = choose_from(&name, &theirs, 0, control)
    {
        from = place;
    }
    Ok(choose_from(&name, &drafts, from, control).map(|(chosen, _)| chosen))
}

/// The row of a table that has the configuration of another one on the fewest GPUs, where that is
/// another row.
fn smallest_sibling<'a>(record: &runs::Record, table: &'a Table) -> Option<&'a runs::Record> {
    let own = record.readable("num_gpus").unwrap_or(0);
    let mut best: Option<(u64, &runs::Record)> = None;
    for other in table.alike(Likeness::Configuration, record) {
        if other.text("recompute").is_some() {
            continue;
        }
        let gpus = other.readable("num_gpus").unwrap_or(u64::MAX);
        if best.is_none_or(|(fewest, _)| gpus < fewest) {
            best = Some((gpus, other));
        }
    }
    best.filter(|(gpus, _)| *gpus < own).map(|(_, other)| other)
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
