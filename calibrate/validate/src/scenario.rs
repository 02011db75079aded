//! From a draft to a scenario that can be predicted.

use std::path::Path;

use format::tree::parse;
use format::{Failure, Library, NoFiles, Source, read_scenario, resolve};
use predict::{Outcome, Record, Scenario, predict};
use runs::Draft;
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
    let mut last = None;
    for draft in drafts {
        let scenario = read(name, draft)?;
        let outcome =
            predict(&scenario, Record::Totals, control).map_err(|error| error.to_string())?;
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
    last.ok_or_else(|| "no scenario was drafted".to_owned())
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
