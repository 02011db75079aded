//! What other programs read, as scenarios.

use std::path::{Component, Path};

use format::{Assignment, Failure, Layers, Problem, Source};
use launch::{Imported, Producer};

use crate::open::read;

/// Reads a file of another program as a scenario.
///
/// A job for Slurm may start scripts of its own folder and below: they are read, too.
///
/// * `path` — the file, or `-` for standard input.
/// * `above` — fields that the file does not say, or that are to be others.
///
/// # Errors
///
/// What in the file is wrong or cannot be in a scenario, and fields that cannot be set.
pub fn import(path: &Path, from: Producer, above: &[Assignment]) -> Result<Imported, Vec<Failure>> {
    let source = read(path).map_err(|problem| vec![Failure::of_file(problem)])?;
    let beside = |name: &str| beside(path, name);
    let read = launch::import_beside(from, &source.text, &beside);
    let mut imported = read.map_err(|error| {
        let hint = error.hint();
        let message = format!("{}: {error}", source.name);
        vec![Failure::of_file(Problem::Refused { message, hint })]
    })?;
    if !above.is_empty() {
        let layers = Layers {
            user: None,
            scenario: Source::new("imported", imported.scenario.as_str()),
            above: above.to_vec(),
        };
        imported.scenario = format::write::write(&layers.join()?);
        imported.notes.retain(|note| !is_answered(note, above));
    }
    Ok(imported)
}

/// The largest file that is read besides the one that was named.
const MAX_BESIDE: u64 = 1 << 20;

/// The text of a file in the folder of another, or below it.
fn beside(path: &Path, name: &str) -> Option<String> {
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if path == Path::new("-") || !inside {
        return None;
    }
    let file = path.parent()?.join(name);
    let about = file.metadata().ok()?;
    (about.is_file() && about.len() <= MAX_BESIDE)
        .then(|| std::fs::read_to_string(file).ok())
        .flatten()
}

/// Whether a note asks for a field that is set.
fn is_answered(note: &str, above: &[Assignment]) -> bool {
    let asked = note.split("--set ").nth(1);
    let field = asked.and_then(|asked| asked.split('=').next());
    let name = |one: &Assignment| {
        one.text
            .split('=')
            .next()
            .map(|name| name.trim().to_owned())
    };
    field.is_some_and(|field| above.iter().any(|one| name(one).as_deref() == Some(field)))
}
