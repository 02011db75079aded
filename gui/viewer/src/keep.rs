//! What survives the window: settings, recent files, and the session where it ended unexpectedly.
//!
//! A session is one file, written two seconds after a change and again at the end, whole or not at all. A
//! file that cannot be read is put aside and said to be so.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use session::{Draft, Existing};

use crate::document::Document;
use crate::history::History;
use crate::state::{Settings, State};
use crate::view::View;

/// The form of the file; others are put aside.
const FORM: u32 = 1;
/// Windows with a session each.
const MOST_WINDOWS: u32 = 16;
/// Seconds from a change to the file.
const REST: f64 = 2.0;

/// What is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    form: u32,
    /// Whether the window is open: still true where it ended unexpectedly.
    open: bool,
    settings: Settings,
    view: View,
    document: Option<KeptDocument>,
}

impl Kept {
    /// The scenario, where its window ended unexpectedly or with edits that were not saved.
    fn document(&self) -> Option<&KeptDocument> {
        let document = self.document.as_ref();
        document.filter(|one| self.open || one.is_changed())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KeptDocument {
    name: String,
    base: PathBuf,
    path: Option<PathBuf>,
    text: String,
    original: String,
}

impl KeptDocument {
    fn of(document: &Document) -> Self {
        Self {
            name: document.draft.name().to_owned(),
            base: document.draft.base().to_owned(),
            path: document.path.clone(),
            text: document.draft.text().to_owned(),
            original: document.original.text().to_owned(),
        }
    }

    fn is_changed(&self) -> bool {
        self.text != self.original
    }

    fn document(&self) -> Document {
        // The files that an example names come with the program, not from a folder.
        let example = Draft::example(&self.name).filter(|one| one.base() == self.base);
        let draft = |text: &str| match &example {
            Some(example) if self.path.is_none() => example.with_text(text),
            _ => Draft::from_text(&self.name, text, &self.base),
        };
        Document {
            draft: draft(&self.text),
            original: draft(&self.original),
            path: self.path.clone(),
        }
    }
}

/// A state as it was written: parts are shared with it, so that comparing costs little in a frame.
#[derive(Debug)]
struct Written {
    settings: Settings,
    view: View,
    document: Option<Document>,
}

impl Written {
    fn of(state: &State) -> Self {
        Self {
            settings: state.settings.clone(),
            view: state.view.now().clone(),
            document: state.document.as_ref().map(|edits| edits.now().clone()),
        }
    }

    fn is(&self, state: &State) -> bool {
        let document = state.document.as_ref().map(History::now);
        self.document.as_ref() == document
            && self.settings == state.settings
            && self.view == *state.view.now()
    }
}

/// Keeps the session of a window.
#[derive(Debug)]
pub struct Keeper {
    /// The file; none where nothing is to be kept.
    path: Option<PathBuf>,
    last: Option<Written>,
    /// When the state was first seen to differ from the file, in seconds of the window's clock.
    changed_at: Option<f64>,
    /// Held as long as the file is this window's.
    lock: Option<File>,
    /// A file of another window, whose settings a new one begins with.
    settings: Option<PathBuf>,
}

impl Keeper {
    /// Keeps nothing: for pictures and tests.
    pub const fn nothing() -> Self {
        Self {
            path: None,
            last: None,
            changed_at: None,
            lock: None,
            settings: None,
        }
    }

    /// Keeps the session in the user's data folder, or in `WINDTUNNEL_STATE_DIR`. Each window that is open
    /// at a time has a file of its own; one takes over what a window left that ended unexpectedly.
    pub fn of_user() -> Self {
        let given = std::env::var_os("WINDTUNNEL_STATE_DIR").map(PathBuf::from);
        let folder = given.or_else(|| {
            let dirs = directories::ProjectDirs::from("", "", "windtunnel")?;
            Some(dirs.state_dir().unwrap_or(dirs.data_local_dir()).to_owned())
        });
        folder.map_or_else(Self::nothing, |folder| Self::within(&folder))
    }

    /// Keeps the session in the first file of a folder that no other window keeps its own in.
    pub fn within(folder: &Path) -> Self {
        let path = |n: u32| match n {
            1 => folder.join("window.json"),
            n => folder.join(format!("window-{n}.json")),
        };
        if let Err(error) = std::fs::create_dir_all(folder) {
            // Writing says what is wrong, once.
            eprintln!("windtunnel: {}: {error}", folder.display());
            return Self::at(Some(path(1)));
        }
        let mut free: Vec<(PathBuf, File)> = Vec::new();
        for path in (1..=MOST_WINDOWS).map(path) {
            // One that was never used is enough.
            if path.exists() || free.is_empty() {
                let lock = locked(&path.with_extension("lock"));
                free.extend(lock.map(|lock| (path, lock)));
            }
        }
        let left =
            |(path, _): &(PathBuf, File)| read(path).is_ok_and(|kept| kept.document().is_some());
        let at = free.iter().position(left).unwrap_or(0);
        if free.is_empty() {
            return Self::nothing();
        }
        let (own, lock) = free.swap_remove(at);
        Self {
            settings: Some(path(1)).filter(|first| *first != own && !own.exists()),
            lock: Some(lock),
            ..Self::at(Some(own))
        }
    }

    /// Lets another window take the session over: this one is about to end.
    pub fn let_go(&mut self) {
        self.path = None;
        self.lock = None;
    }

    /// Keeps the session in a file.
    pub const fn at(path: Option<PathBuf>) -> Self {
        Self {
            path,
            last: None,
            changed_at: None,
            lock: None,
            settings: None,
        }
    }

    /// Brings back what was kept: settings and layout always, the document where the window ended
    /// unexpectedly and nothing else is to be opened.
    ///
    /// * `wants_document` — whether nothing else is to be opened.
    pub fn restore(&mut self, state: &mut State, wants_document: bool) {
        if let Some(kept) = self.settings.as_deref().and_then(|path| read(path).ok()) {
            state.settings = kept.settings;
        }
        let Some(path) = self.path.clone().filter(|path| path.exists()) else {
            return;
        };
        match read(&path) {
            Ok(kept) => {
                state.settings = kept.settings.clone();
                let layout = kept.view.layout.clone();
                let document = kept.document();
                if let Some(document) = document.filter(|_| wants_document) {
                    state.opened(document.document());
                    state.view = History::new(kept.view);
                    let reason = if std::env::var_os(crate::start::LOST).is_some() {
                        "The graphics device was lost; its scenario and view are back"
                    } else if kept.open {
                        "The last window ended unexpectedly; its scenario and view are back"
                    } else {
                        "The last window was closed with edits that were not saved; they are back"
                    };
                    state.notices.warn(reason.to_owned());
                    return;
                }
                if layout.is_whole() {
                    state.glance(|view| view.layout = layout);
                }
                if let Some(document) = document.filter(|one| one.is_changed()) {
                    put_aside(state, document, &path);
                }
            }
            Err(reason) => {
                let aside = path.with_extension("unreadable.json");
                let moved = std::fs::rename(&path, &aside).is_ok();
                let place = if moved { &aside } else { &path };
                state.notices.warn(format!(
                    "The last session could not be read ({reason}); it starts fresh. The file is {}",
                    place.display()
                ));
            }
        }
    }

    /// Writes the session when it has not changed for a while; gives the seconds until it would.
    ///
    /// * `now` — seconds of the window's clock.
    pub fn tick(&mut self, state: &State, now: f64) -> Option<f64> {
        self.path.as_ref()?;
        if self.is_kept(state) {
            self.changed_at = None;
            return None;
        }
        let since = *self.changed_at.get_or_insert(now);
        let rest = since + REST - now;
        if 0.0 < rest {
            return Some(rest);
        }
        self.changed_at = None;
        self.write(state, true);
        None
    }

    fn is_kept(&self, state: &State) -> bool {
        self.last.as_ref().is_some_and(|last| last.is(state))
    }

    /// Writes the session at once: the window is about to end.
    pub fn keep_now(&mut self, state: &State) {
        if !self.is_kept(state) {
            self.write(state, true);
        }
    }

    /// Writes that the window was closed as it should be.
    pub fn close(&mut self, state: &State) {
        self.write(state, false);
    }

    fn write(&mut self, state: &State, open: bool) {
        let Some(path) = &self.path else { return };
        let kept = kept(state, open);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .map_err(|error| error.to_string())
            .and_then(|()| {
                let text = serde_json::to_string(&kept).map_err(|error| error.to_string())?;
                let saved = session::save(path, Existing::Replace, |out| {
                    out.write_all(text.as_bytes())
                });
                saved.map_err(|error| error.to_string())
            });
        if let Err(reason) = written {
            // A folder that cannot be written must not stop work, nor be told every two seconds.
            eprintln!("windtunnel: the session is not kept: {reason}");
            self.path = None;
        }
        self.last = Some(Written::of(state));
    }
}

/// A file that this window alone holds; none where another does.
fn locked(path: &Path) -> Option<File> {
    let file = File::create(path).ok()?;
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => None,
        // Where files have no locks the last window to write wins.
        Ok(()) | Err(std::fs::TryLockError::Error(_)) => Some(file),
    }
}

/// Writes a scenario with edits beside the session, since another one is opened in its place.
fn put_aside(state: &mut State, document: &KeptDocument, session: &Path) {
    let names = (1..1_000).map(|n| match n {
        1 => format!("{}-unsaved.toml", document.name),
        n => format!("{}-unsaved-{n}.toml", document.name),
    });
    let mut paths = names.map(|name| session.with_file_name(name));
    let aside = paths.find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| session.with_extension("unsaved.toml"));
    let saved = session::save(&aside, Existing::Replace, |out| {
        out.write_all(document.text.as_bytes())
    });
    let what = format!(
        "The last window had edits of {} that were not saved",
        document.name
    );
    match saved {
        Ok(()) => state
            .notices
            .warn(format!("{what}: they are in {}", aside.display())),
        Err(error) => state.notices.error(format!("{what}, and {error}")),
    }
}

fn kept(state: &State, open: bool) -> Kept {
    Kept {
        form: FORM,
        open,
        settings: state.settings.clone(),
        view: state.view.now().clone(),
        document: state
            .document
            .as_ref()
            .map(|edits| KeptDocument::of(edits.now())),
    }
}

fn read(path: &Path) -> Result<Kept, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let kept: Kept = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if kept.form == FORM {
        Ok(kept)
    } else {
        Err(format!("form {}, this version reads {FORM}", kept.form))
    }
}
