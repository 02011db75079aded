//! Everything that commands change.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::ThemePreference;
use serde::{Deserialize, Serialize};
use session::{Draft, Existing, FileKind};

use crate::command::{Command, Content, Export};
use crate::dialogs::{Chosen, Question};
use crate::document::{Checked, Document};
use crate::history::History;
use crate::layout::{Layout, Pane};
use crate::notice::Notices;
use crate::overlay::Overlay;
use crate::results::{Aside, Results};
use crate::run::Run;
use crate::view::View;
use crate::views::{accuracy, memory, planner, scenario, timeline, topology, what_if};
use crate::worker::{Ask, Going, Slot};

/// A document with its past.
pub type Edits = History<Document>;

/// Files that the start page lists.
const RECENT: usize = 10;

/// What belongs to a person and not to a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Colors.
    pub theme: ThemePreference,
    /// Size of everything, in percent.
    pub zoom: u16,
    /// Fewer things that move.
    pub reduced_motion: bool,
    /// Files that were open, the latest first.
    pub recent: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemePreference::System,
            zoom: 100,
            reduced_motion: false,
            recent: Vec::new(),
        }
    }
}

/// What only the application can do, not the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Ask a person for a file, and send the command that follows.
    Choose(Question, Then),
    /// Put text on the clipboard.
    Copy(String),
    /// Stop work.
    Cancel(Slot),
    /// Close the window.
    Quit,
    /// Give a text field the focus.
    Focus(egui::Id),
    /// Draw a chart and write it.
    Draw(Box<chart::Figure>, PathBuf),
    /// Draw a chart and put it on the clipboard.
    CopyPicture(Box<chart::Figure>),
}

/// What follows a choice of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Then {
    /// Open it.
    Open,
    /// Save the scenario to it.
    Save,
    /// Write something else to it.
    Write(Content),
    /// Read measured runs from it.
    Runs,
    /// Write launch files to it, a folder, when a person says so.
    LaunchFolder,
}

/// How a run stands to the scenario that is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It is of the scenario as it is now, or there is none to compare.
    Fresh,
    /// The scenario was edited since.
    Stale,
    /// It is of a variant that was asked for.
    Aside(&'a str),
}

/// Everything that commands change.
#[derive(Debug, Default)]
pub struct State {
    /// The scenario that is open.
    pub document: Option<Edits>,
    /// What came of checking it.
    pub checked: Option<Arc<Checked>>,
    /// How results are looked at.
    pub view: History<View>,
    /// What came of the scenarios.
    pub results: Results,
    /// Messages.
    pub notices: Notices,
    /// What belongs to the person.
    pub settings: Settings,
    /// What lies over the window.
    pub overlay: Overlay,
    /// Paths that are to be typed when what lies over the window is closed.
    questions: VecDeque<(Question, Then)>,
    /// What follows when the scenario is saved.
    after_saving: Option<Command>,
    /// Whether the playhead moves.
    pub playing: bool,
    /// The run that goes on.
    pub running: Option<Going>,
    /// Work that is asked for and not yet given to the worker.
    pub asks: Vec<Ask>,
    /// What is asked of the application.
    pub wishes: Vec<Wish>,
}

impl Default for History<View> {
    fn default() -> Self {
        Self::new(View::default())
    }
}

impl State {
    /// The scenario as it is now.
    pub fn draft(&self) -> Option<&Draft> {
        self.document.as_ref().map(|edits| &edits.now().draft)
    }

    /// Whether something is open.
    pub const fn is_open(&self) -> bool {
        self.document.is_some() || self.results.current.is_some()
    }

    /// How the run that is shown stands to the scenario that is edited.
    pub fn standing(&self) -> Standing<'_> {
        let (Some(draft), Some(run)) = (self.draft(), &self.results.current) else {
            return Standing::Fresh;
        };
        if run.draft.as_ref().is_none_or(|ran| ran == draft) {
            return Standing::Fresh;
        }
        match &self.results.aside {
            Some(aside) if aside.of == *draft => Standing::Aside(&aside.what),
            _ => Standing::Stale,
        }
    }

    /// Changes the view with an entry that "previous view" brings back.
    pub fn look(&mut self, change: impl FnOnce(&mut View)) {
        let mut view = self.view.now().clone();
        change(&mut view);
        self.view.set(view);
    }

    /// Changes the view without an entry.
    pub fn glance(&mut self, change: impl FnOnce(&mut View)) {
        let mut view = self.view.now().clone();
        change(&mut view);
        self.view.amend(view);
    }

    /// Changes the view as part of a gesture, which is one entry in all.
    pub fn look_within(&mut self, gesture: u64, change: impl FnOnce(&mut View)) {
        let mut view = self.view.now().clone();
        change(&mut view);
        self.view.set_within(gesture, view);
    }

    /// Does what a person asked for, or asks first where edits would be lost.
    pub fn apply(&mut self, command: Command) {
        if self.loses_edits(&command) {
            self.overlay = Overlay::Unsaved(Box::new(command));
        } else {
            self.perform(command);
        }
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::Leave { save, then } => self.leave(save, *then),
            Command::AskOpen => self.wish_open(),
            Command::Open(path) => self.open(path),
            Command::OpenExample(name) => self.open_example(&name),
            Command::Close => self.close(),
            Command::Quit => self.wishes.push(Wish::Quit),
            Command::Save => self.save(),
            Command::AskSaveAs => self.wish_save(),
            Command::SaveTo(path) => self.save_to(path),
            Command::Undo => self.step(Edits::undo),
            Command::Redo => self.step(Edits::redo),
            Command::UndoView => self.step_view(History::undo),
            Command::RedoView => self.step_view(History::redo),
            Command::Run => self.run(),
            Command::Cancel(slot) => self.wishes.push(Wish::Cancel(slot)),
            Command::KeepAsBase => self.compare_with(self.results.current.clone()),
            Command::CompareWithOriginal => self.compare_with_original(),
            Command::ForgetBase => self.compare_with(None),
            Command::Show(pane) => self.show(pane),
            Command::Layout(layout) => self.look_within(1, |view| view.layout = layout),
            Command::ResetLayout => self.look(|view| view.layout = Layout::default()),
            Command::SetTheme(theme) => self.settings.theme = theme,
            Command::SetZoom(zoom) => self.settings.zoom = zoom.clamp(50, 300),
            Command::SetReducedMotion(calm) => self.settings.reduced_motion = calm,
            Command::TogglePalette => self.overlay.toggle_palette(),
            Command::ToggleShortcuts => self.overlay.toggle_shortcuts(),
            Command::In(pane, command) => {
                self.show(pane);
                self.apply(*command);
            }
            Command::SearchTimeline => {
                self.show(Pane::Timeline);
                self.wishes.push(Wish::Focus(::timeline::search_field_id()));
            }
            Command::CloseOverlay => self.close_overlay(),
            Command::Copy(text) => self.wishes.push(Wish::Copy(text)),
            Command::CopyPicture(figure) => self.wishes.push(Wish::CopyPicture(figure)),
            Command::Export(export) => self.wish_export(export),
            Command::Draw(subject, form) => crate::export::draw(self, subject, form),
            Command::CloseNotice(id) => self.notices.close(id),
            Command::Scenario(command) => scenario::apply(self, command),
            Command::Timeline(command) => timeline::apply(self, command),
            Command::Topology(command) => topology::apply(self, command),
            Command::Planner(command) => planner::apply(self, command),
            Command::Memory(command) => memory::apply(self, command),
            Command::Accuracy(command) => accuracy::apply(self, command),
            Command::WhatIf(command) => what_if::apply(self, command),
        }
    }

    fn show(&mut self, pane: Pane) {
        self.look(|view| {
            view.layout.show(pane);
            view.front = pane;
        });
    }

    fn wish_open(&mut self) {
        let question = Question {
            title: "Open a scenario or a timeline".to_owned(),
            kinds: vec![
                ("Scenarios and timelines", &["toml", "wtt"]),
                ("All files", &["*"]),
            ],
            save_as: None,
            folder: self.folder(),
            ..Question::default()
        };
        self.wishes.push(Wish::Choose(question, Then::Open));
    }

    fn wish_save(&mut self) {
        let Some(edits) = &self.document else { return };
        let question = Question {
            title: "Save the scenario".to_owned(),
            kinds: vec![("Scenarios", &["toml"])],
            save_as: Some(format!("{}.toml", edits.now().name())),
            folder: self.folder(),
            ..Question::default()
        };
        self.wishes.push(Wish::Choose(question, Then::Save));
    }

    fn wish_export(&mut self, export: Export) {
        let question = Question {
            title: format!("Save {}", export.name),
            kinds: Vec::new(),
            save_as: Some(export.name),
            folder: self.folder(),
            ..Question::default()
        };
        self.wishes
            .push(Wish::Choose(question, Then::Write(export.content)));
    }

    fn folder(&self) -> Option<PathBuf> {
        let path = self.document.as_ref()?.now().path.as_ref()?;
        path.parent().map(Path::to_owned)
    }

    /// Goes on after a person chose a file, or could not.
    pub fn chose(&mut self, question: Question, then: Then, chosen: Chosen) {
        match chosen {
            Chosen::Nothing => self.forget_intent(),
            Chosen::Unavailable => {
                self.questions.push_back((question, then));
                if !matches!(self.overlay, Overlay::TypedPath { .. }) {
                    self.close_overlay();
                }
            }
            Chosen::Path(path) => self.go_on(then, path),
        }
    }

    /// Closes what lies over the window; the next path that waits is asked for.
    pub fn close_overlay(&mut self) {
        let next = self.questions.pop_front();
        self.overlay = next.map_or(Overlay::None, |(question, then)| {
            Overlay::typed_path(question, then)
        });
    }

    /// What was to follow when the scenario is saved does not.
    pub fn forget_intent(&mut self) {
        self.after_saving = None;
    }

    /// Whether a command takes the place of a scenario with edits that are not saved.
    fn loses_edits(&self, command: &Command) -> bool {
        let is_changed = |edits: &Edits| edits.now().is_changed();
        let replaces = match command {
            Command::OpenExample(_) | Command::Close => true,
            // Measured runs stand beside the scenario.
            Command::Open(path) => path.extension().is_none_or(|ending| ending != "csv"),
            Command::Accuracy(command) => command.opens(),
            _ => false,
        };
        replaces && self.document.as_ref().is_some_and(is_changed)
    }

    /// Goes on where edits would be lost.
    ///
    /// * `save` — whether they are saved first.
    fn leave(&mut self, save: bool, then: Command) {
        if save {
            self.after_saving = Some(then);
            self.save();
        } else {
            self.perform(then);
        }
    }

    /// Does with a file what was intended.
    pub fn go_on(&mut self, then: Then, path: PathBuf) {
        match then {
            Then::Open => self.open(path),
            Then::Save => self.save_to(path),
            Then::Write(Content::Text(text)) => self.write(path, text.into_bytes()),
            Then::Write(Content::Picture(figure)) => self.wishes.push(Wish::Draw(figure, path)),
            Then::Runs => accuracy::apply(self, accuracy::Command::Read(path)),
            Then::LaunchFolder => {
                let text = path.display().to_string();
                planner::apply(self, planner::Command::TypeFolder(text));
            }
        }
    }

    /// Writes a file on the worker: whole or not at all.
    pub fn write(&mut self, path: PathBuf, bytes: Vec<u8>) {
        let what = format!("Writing {}", path.display());
        self.asks.push(Ask::new(
            Slot::Export,
            what,
            move |_| {
                let written = session::save(&path, Existing::Replace, |out| out.write_all(&bytes));
                (path, written)
            },
            |state, (path, written)| match written {
                Ok(()) => state.notices.info(format!("Wrote {}", path.display())),
                Err(error) => state.notices.error(hinted(&error, error.hint())),
            },
        ));
    }

    /// Opens a file on the worker, which looks at what it is.
    pub fn open(&mut self, path: PathBuf) {
        let path = std::path::absolute(&path).unwrap_or(path);
        let what = format!("Opening {}", path.display());
        self.asks.push(Ask::new(
            Slot::Open,
            what,
            move |_| (read(&path), path),
            |state, (read, path)| match read {
                Read::Timeline(Ok(run)) => state.opened_timeline(*run, &path),
                Read::Timeline(Err(error)) => state.notices.error(error),
                Read::Scenario(Ok(draft)) => {
                    state.remember(&path);
                    state.opened(Document::new(draft, Some(path)));
                }
                Read::Scenario(Err(failures)) => state.refused(&failures),
                Read::Runs => {
                    state.show(Pane::Accuracy);
                    accuracy::apply(state, accuracy::Command::Read(path));
                }
            },
        ));
    }

    fn open_example(&mut self, name: &str) {
        match Draft::example(name) {
            Some(draft) => self.opened(Document::new(draft, None)),
            None => self.notices.error(format!("no example is called {name}")),
        }
    }

    fn refused(&mut self, failures: &[session::Failure]) {
        for failure in failures.iter().take(3) {
            self.notices.error(hinted(&failure, failure.hint()));
        }
    }

    fn remember(&mut self, path: &Path) {
        let recent = &mut self.settings.recent;
        recent.retain(|known| known != path);
        recent.insert(0, path.to_owned());
        recent.truncate(RECENT);
    }

    fn opened_timeline(&mut self, run: Run, path: &Path) {
        self.remember(path);
        self.forget_document();
        self.ran(Arc::new(run));
        self.show(Pane::Timeline);
    }

    /// A document has come: it is checked and run.
    pub fn opened(&mut self, document: Document) {
        self.forget_document();
        self.document = Some(Edits::new(document));
        self.check();
        self.run();
    }

    fn forget_document(&mut self) {
        self.document = None;
        self.checked = None;
        self.results.clear();
        self.notices.clear();
        self.playing = false;
        let kept = self.view.now();
        let view = View {
            layout: kept.layout.clone(),
            front: kept.front,
            accuracy: kept.accuracy.clone(),
            ..View::default()
        };
        self.view = History::new(view);
    }

    fn close(&mut self) {
        self.wishes.push(Wish::Cancel(Slot::Run));
        self.forget_document();
    }

    fn save(&mut self) {
        match self
            .document
            .as_ref()
            .and_then(|edits| edits.now().path.clone())
        {
            Some(path) => self.save_to(path),
            None => self.wish_save(),
        }
    }

    fn save_to(&mut self, path: PathBuf) {
        let Some(draft) = self.draft().cloned() else {
            return;
        };
        let what = format!("Saving {}", path.display());
        self.asks.push(Ask::new(
            Slot::Export,
            what,
            move |_| (draft.save(&path, Existing::Replace), path),
            |state, (saved, path)| match saved {
                Ok(draft) => state.saved(draft, path),
                Err(error) => {
                    state.forget_intent();
                    state.notices.error(hinted(&error, error.hint()));
                }
            },
        ));
    }

    fn saved(&mut self, draft: Draft, path: PathBuf) {
        self.notices.info(format!("Saved {}", path.display()));
        self.remember(&path);
        if let Some(edits) = &mut self.document {
            let mut document = edits.now().clone();
            // Edits made while it was written are still to be saved.
            document.original = draft;
            document.path = Some(path);
            edits.amend(document);
        }
        if let Some(command) = self.after_saving.take() {
            self.apply(command);
        }
    }

    fn step_view(&mut self, step: fn(&mut History<View>) -> bool) {
        let before = self.view.now().what_if.clone();
        if step(&mut self.view) && self.view.now().what_if != before {
            what_if::moved(self);
        }
    }

    fn step(&mut self, step: fn(&mut Edits) -> bool) {
        if self.document.as_mut().is_some_and(step) {
            self.edited();
        }
    }

    /// Takes an edit; edits of one gesture are one entry.
    pub fn edit(&mut self, draft: Draft, gesture: Option<u64>) {
        let Some(edits) = &mut self.document else {
            return;
        };
        let document = Document {
            draft,
            ..edits.now().clone()
        };
        match gesture {
            Some(gesture) => edits.set_within(gesture, document),
            None => edits.set(document),
        }
        self.edited();
    }

    /// After a change of the scenario: it is checked, and its run is looked up.
    fn edited(&mut self) {
        self.check();
        if let Some(run) = self.draft().and_then(|draft| self.results.of(draft)) {
            let run = Arc::clone(run);
            self.ran(run);
        }
    }

    fn check(&mut self) {
        let Some(draft) = self.draft().cloned() else {
            return;
        };
        self.asks.push(Ask::new(
            Slot::Check,
            "Checking the scenario",
            move |_| Checked::new(draft),
            |state, checked| {
                if state.draft() == Some(&checked.draft) {
                    state.checked = Some(Arc::new(checked));
                }
            },
        ));
    }

    /// Runs the scenario, unless its run is known.
    pub fn run(&mut self) {
        let Some(draft) = self.draft().cloned() else {
            return;
        };
        if let Some(run) = self.results.of(&draft).cloned() {
            self.ran(run);
            return;
        }
        let what = format!("Simulating {}", draft.name());
        self.asks.push(Ask::new(
            Slot::Run,
            what,
            move |control| Run::of(draft, control),
            |state, result| match result {
                Ok(run) => state.ran(Arc::new(run)),
                Err(error) => state.notices.error(hinted(&error, error.hint())),
            },
        ));
    }

    /// A run of a variant has come, which is shown though the scenario that is edited is another.
    ///
    /// * `what` — what it is, such as "plan 3".
    pub fn ran_aside(&mut self, run: Arc<Run>, what: String) {
        let of = self.draft().cloned();
        self.ran(run);
        self.results.aside = of.map(|of| Aside { what, of });
    }

    /// A run has come: it is shown.
    pub fn ran(&mut self, run: Arc<Run>) {
        self.results.aside = None;
        self.results.show(run);
        timeline::ran(self);
        topology::ran(self);
    }

    /// Takes a run as what the one that is shown is compared with; none for nothing.
    pub fn compare_with(&mut self, base: Option<Arc<Run>>) {
        self.results.base = base;
        timeline::ran(self);
    }

    fn compare_with_original(&mut self) {
        let Some(edits) = &self.document else { return };
        let draft = edits.now().original.clone();
        if let Some(run) = self.results.of(&draft).cloned() {
            self.compare_with(Some(run));
            return;
        }
        self.asks.push(Ask::new(
            Slot::Simulate,
            "Simulating the original",
            move |control| Run::of(draft, control),
            |state, result| match result {
                Ok(run) => state.compare_with(Some(Arc::new(run))),
                Err(error) => state.notices.error(hinted(&error, error.hint())),
            },
        ));
    }
}

/// What a file was.
enum Read {
    Timeline(Result<Box<Run>, String>),
    Scenario(Result<Draft, Vec<session::Failure>>),
    /// Measured runs, which the accuracy view reads.
    Runs,
}

fn read(path: &Path) -> Read {
    let ends_in = |ending: &str| path.extension().is_some_and(|of| of == ending);
    let kind = FileKind::of(path);
    if ends_in("wtt") && kind != FileKind::Timeline && path.is_file() {
        let path = path.display();
        Read::Timeline(Err(format!(
            "{path} is no timeline of Windtunnel, though its name ends in .wtt: write one with `windtunnel simulate --trace FILE.wtt`"
        )))
    } else if kind == FileKind::Timeline || ends_in("wtt") {
        Read::Timeline(Run::read(path).map(Box::new))
    } else if ends_in("csv") {
        Read::Runs
    } else {
        Read::Scenario(Draft::read(path))
    }
}

/// An error with what to do about it.
pub fn hinted(error: &dyn std::fmt::Display, hint: Option<impl std::fmt::Display>) -> String {
    match hint {
        Some(hint) => format!("{error}: {hint}"),
        None => error.to_string(),
    }
}
