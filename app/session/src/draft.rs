//! A scenario while it is edited: a text that keeps its comments and its layout.
//!
//! ```text
//! Draft ──set, unset, with_text──▶ Draft     every edit makes a new one, so that undo is a list of drafts
//!   └──open──▶ Opened, or failures with field and line
//! ```

mod differences;
mod edit;

use std::path::Path;
use std::sync::Arc;

use format::tree::{Table, parse};
use format::{Failure, Place, SCENARIO_FILE, Source};

use crate::open::{Opened, Request, base_of, file_of, name_of, open_source, read, refuse_others};
use crate::save::{Existing, SaveError, save};
use crate::store::{Store, example_files};

pub use differences::Difference;
pub(crate) use differences::{find, typed};

/// A scenario while it is edited. Clones share their text.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    name: Arc<str>,
    text: Arc<Source>,
    base: Arc<Path>,
    store: Store,
    path: Option<Arc<Path>>,
}

impl Draft {
    /// Reads a file, or `scenario.toml` of a folder. What is wrong with its text is told by
    /// [`Draft::open`]: a text with errors can be edited.
    ///
    /// # Errors
    ///
    /// Where there is no such file, or it is no scenario but something else that we know.
    pub fn read(path: &Path) -> Result<Self, Vec<Failure>> {
        let of_file = |problem| vec![Failure::of_file(problem)];
        let path = file_of(path).map_err(of_file)?;
        refuse_others(&path).map_err(of_file)?;
        let text = read(&path).map_err(of_file)?;
        Ok(Self {
            name: name_of(&path).into(),
            text,
            base: base_of(&path).into(),
            store: Store::Disk,
            path: Some(path.into()),
        })
    }

    /// A scenario that stands in no file yet.
    ///
    /// * `name` — what reports call it.
    /// * `base` — the folder from which it names files.
    pub fn from_text(name: &str, text: impl Into<String>, base: &Path) -> Self {
        Self {
            name: name.into(),
            text: Source::new(format!("{name}.toml"), text),
            base: base.into(),
            store: Store::Disk,
            path: None,
        }
    }

    /// An example that comes with the binary.
    pub(crate) fn from_example(name: &str, text: &str) -> Self {
        Self {
            name: name.into(),
            text: Source::new(format!("{name}/{SCENARIO_FILE}"), text),
            base: Path::new(name).into(),
            store: Store::Examples,
            path: None,
        }
    }

    /// What reports call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text.text
    }

    /// The folder from which it names files.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The file that it was read from or saved to.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The same with another text.
    #[must_use]
    pub fn with_text(&self, text: impl Into<String>) -> Self {
        Self {
            text: Source::new(self.text.name.clone(), text),
            ..self.clone()
        }
    }

    /// The same with a field set. Comments and layout stay as they are.
    ///
    /// * `field` — its path, such as `plan.tp` or `cluster.nodes[0].count`.
    /// * `value` — as TOML; what is no TOML is a string, so that `bf16` needs no quotes.
    ///
    /// # Errors
    ///
    /// Where the text is not TOML, the path leads into something that has no fields, or the value
    /// is empty. Whether the value is one of those that the field may hold, [`Draft::open`] says.
    pub fn set(&self, field: &str, value: &str) -> Result<Self, Box<Failure>> {
        Ok(self.with_text(edit::set(&self.text, field, value)?))
    }

    /// The same without a field; a section without fields goes with its last one.
    ///
    /// # Errors
    ///
    /// Where the text is not TOML.
    pub fn unset(&self, field: &str) -> Result<Self, Box<Failure>> {
        Ok(self.with_text(edit::unset(&self.text, field)?))
    }

    /// The value of a field as people type it: [`Draft::set`] takes it back. None where it is
    /// absent, or the text is not TOML.
    pub fn value(&self, field: &str) -> Option<String> {
        let table = self.table()?;
        differences::find(&table, field).map(differences::typed)
    }

    /// The values of fields as people type them, for a form that shows many of them.
    pub fn values<'f>(&self, fields: impl IntoIterator<Item = &'f str>) -> Vec<Option<String>> {
        let table = self.table().unwrap_or_default();
        let value = |field| differences::find(&table, field).map(differences::typed);
        fields.into_iter().map(value).collect()
    }

    /// Line and column of a field, counted from 1; where it is absent, of the nearest part that is
    /// there.
    pub fn line_of(&self, field: &str) -> Option<(usize, usize)> {
        self.table()?.place(field).as_ref().map(Place::line_column)
    }

    /// Whether the text differs from that of another draft.
    pub fn is_changed_from(&self, other: &Self) -> bool {
        self.text.text != other.text.text
    }

    /// The fields that differ from those of another draft, in the order of their names; none where
    /// one of both is not TOML.
    pub fn differences(&self, original: &Self) -> Vec<Difference> {
        match (original.table(), self.table()) {
            (Some(was), Some(is)) => differences::differences(&was, &is),
            _ => Vec::new(),
        }
    }

    /// The scenario that the text says.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, each with its field and its place.
    pub fn open(&self) -> Result<Opened, Vec<Failure>> {
        self.open_under(&Request::default())
    }

    /// As [`Draft::open`], with what a request lays over a scenario; the scenario that it names is
    /// not read.
    ///
    /// # Errors
    ///
    /// As [`Draft::open`].
    pub fn open_under(&self, request: &Request) -> Result<Opened, Vec<Failure>> {
        let base = (self.store, self.base.to_path_buf());
        open_source(&self.name, Arc::clone(&self.text), base, request)
    }

    /// Writes the text to a file, whole or not at all. Files that an example names are written
    /// beside it, unless something of their name is there already.
    ///
    /// Gives the draft of that file: it names others from the file's folder.
    ///
    /// # Errors
    ///
    /// Where the file is there already and may not be replaced, or cannot be written.
    pub fn save(&self, path: &Path, existing: Existing) -> Result<Self, SaveError> {
        save(path, existing, |out| out.write_all(self.text().as_bytes()))?;
        if self.store == Store::Examples {
            for (name, text) in self.companions() {
                match save(&path.with_file_name(name), Existing::Refuse, |out| {
                    out.write_all(text.as_bytes())
                }) {
                    Ok(()) | Err(SaveError::Exists { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Self {
            name: name_of(path).into(),
            text: Source::new(path.display().to_string(), self.text()),
            base: base_of(path).into(),
            store: Store::Disk,
            path: Some(path.into()),
        })
    }

    /// Files beside an example that its text names, each with its text.
    fn companions(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        example_files().filter_map(|(name, text)| {
            let (case, file) = name.split_once('/')?;
            let is_named = Path::new(case) == &*self.base
                && file != SCENARIO_FILE
                && self.text().contains(&format!("\"{file}\""));
            is_named.then_some((file, text))
        })
    }

    fn table(&self) -> Option<Table> {
        parse(&self.text).ok()
    }
}

#[cfg(test)]
mod tests;
