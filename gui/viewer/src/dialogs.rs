//! Choosing files.

use std::fmt;
use std::path::PathBuf;

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// A file.
    Path(PathBuf),
    /// Nothing.
    Nothing,
    /// There is no dialog here: a typed path has to do.
    Unavailable,
}

/// What a dialog offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The title.
    pub title: String,
    /// Kinds of files, each with its endings.
    pub kinds: Vec<(&'static str, &'static [&'static str])>,
    /// The name that a new file gets; none where a file is to be opened.
    pub save_as: Option<String>,
    /// Where to begin.
    pub folder: Option<PathBuf>,
    /// Whether a folder is asked for instead of a file.
    pub wants_folder: bool,
}

/// Dialogs that choose files: the desktop's, or none.
pub trait Dialogs: fmt::Debug + Send {
    /// Asks for a file; blocks, so it is called from a worker.
    fn choose(&self, question: &Question) -> Chosen;
}

/// The dialogs of the desktop, over its portal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Desktop;

impl Dialogs for Desktop {
    fn choose(&self, question: &Question) -> Chosen {
        if !has_portal() {
            return Chosen::Unavailable;
        }
        let mut dialog = rfd::FileDialog::new().set_title(&question.title);
        for (name, endings) in &question.kinds {
            dialog = dialog.add_filter(*name, endings);
        }
        if let Some(folder) = &question.folder {
            dialog = dialog.set_directory(folder);
        }
        let chosen = match &question.save_as {
            _ if question.wants_folder => dialog.pick_folder(),
            Some(name) => dialog.set_file_name(name).save_file(),
            None => dialog.pick_file(),
        };
        chosen.map_or(Chosen::Nothing, Chosen::Path)
    }
}

/// Whether a desktop listens: without a session bus there is no portal to ask, and a dialog would
/// answer as if it had been closed.
fn has_portal() -> bool {
    if cfg!(target_os = "linux") {
        let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        return named("DBUS_SESSION_BUS_ADDRESS")
            || runtime.is_some_and(|folder| folder.join("bus").exists());
    }
    true
}

/// No dialogs: people type paths. Pictures and tests use it, too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed;

impl Dialogs for Typed {
    fn choose(&self, _: &Question) -> Chosen {
        Chosen::Unavailable
    }
}

/// A person who always chooses the same: for tests.
#[derive(Clone, Debug)]
pub struct Answering(pub Chosen);

impl Dialogs for Answering {
    fn choose(&self, _: &Question) -> Chosen {
        self.0.clone()
    }
}
