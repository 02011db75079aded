//! What is open: a scenario that is edited, and what it was.

use std::path::PathBuf;
use std::sync::Arc;

use session::{Draft, Failure, Opened, Ready, Traffic};

/// A scenario that is open. Cheap to clone: undo keeps whole documents.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The scenario as it is now.
    pub draft: Draft,
    /// The scenario as it was opened or saved last.
    pub original: Draft,
    /// The file; none for an example or something new.
    pub path: Option<PathBuf>,
}

impl Document {
    /// A scenario that was just opened.
    pub fn new(draft: Draft, path: Option<PathBuf>) -> Self {
        Self {
            original: draft.clone(),
            draft,
            path,
        }
    }

    /// Whether there is something to save.
    pub fn is_changed(&self) -> bool {
        self.draft.is_changed_from(&self.original)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.draft.name()
    }
}

/// An error with the field and the line that it is about.
pub fn placed(failure: &Failure) -> String {
    let line = failure.place.as_ref().map(|place| place.line_column().0);
    let line = line.map_or(String::new(), |line| format!("line {line}"));
    let message = failure.to_string();
    // Most messages name their field.
    let is_named = message.contains(&failure.field);
    let field = if is_named { "" } else { &failure.field };
    let place: Vec<&str> = [field, &line]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    match place.join(", ") {
        place if place.is_empty() => message,
        place => format!("{place}: {message}"),
    }
}

/// A scenario that can run.
#[derive(Clone, Debug)]
pub enum Runnable {
    /// A training iteration.
    Training(Arc<Ready>),
    /// A network workload.
    Traffic(Arc<Traffic>),
}

/// What came of checking a scenario.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The scenario that was checked.
    pub draft: Draft,
    /// It with its sections read; none where it cannot be read.
    pub opened: Option<Arc<Opened>>,
    /// It, ready to run, or everything that is wrong with it.
    pub result: Result<Runnable, Arc<Vec<Failure>>>,
}

impl Checked {
    /// Checks a scenario.
    pub fn new(draft: Draft) -> Self {
        let (opened, result) = match draft.open() {
            Ok(opened) => {
                let result = if opened.is_traffic() {
                    opened
                        .traffic()
                        .map(|traffic| Runnable::Traffic(Arc::new(traffic)))
                } else {
                    opened
                        .ready()
                        .map(|ready| Runnable::Training(Arc::new(ready)))
                };
                (Some(Arc::new(opened)), result)
            }
            Err(failures) => (None, Err(failures)),
        };
        Self {
            draft,
            opened,
            result: result.map_err(Arc::new),
        }
    }

    /// Everything that is wrong.
    pub fn failures(&self) -> &[Failure] {
        self.result.as_ref().err().map_or(&[], |failures| failures)
    }

    /// What is suspicious but no error.
    pub fn warnings(&self) -> &[String] {
        match &self.result {
            Ok(Runnable::Training(ready)) => &ready.warnings,
            Ok(Runnable::Traffic(traffic)) => &traffic.warnings,
            Err(_) => &[],
        }
    }
}
